//! Admission: the only way in. Who may, what it means, whether it can stand beside everything else; then one write.
//!
//! What enters: manifests and requests with a [`Principal`](orch_shared::access::Principal). What leaves: committed
//! objects, or a [`Problem`](orch_shared::problem::Problem) that names every field. What it never does: know a kind's
//! fields, or change something half.
//!
//! Everything that depends on other objects is decided inside the write itself, so that two requests at the same time
//! cannot both be right about a world in which the other did not happen.

mod admitted;
mod apply;
mod ceiling;
mod circles;
mod delete;
mod error;
mod instances;
mod one;
mod permission;
mod references;
mod sealing;
mod seed;
mod set;
mod token;

pub use apply::apply;
pub use ceiling::may_grant;
pub use delete::{delete, delete_several};
pub use error::Error;
pub use instances::admit_instance;
pub use one::{Existing, Made, Precondition, Target, create, patch, replace, restart, reveal, rollback, scale, seal};
pub use permission::forbidden;
pub use seed::{amend, seed};
pub use token::{allow_trigger, revoke};

use orch_shared::access::Principal;

use crate::secrets::Keyring;
use crate::store::Store;

/// What admission works with. Cheap to clone.
#[derive(Clone)]
pub struct Admission {
    /// Where objects are written.
    pub store: Store,
    /// What seals their secret values.
    pub keyring: Keyring,
}

/// Notes the outcome of a request in the audit log.
#[must_use]
pub fn audited(
    principal: &Principal,
    action: &str,
    object: Option<&orch_shared::name::ObjectRef>,
) -> crate::store::NewAudit {
    crate::store::NewAudit {
        principal: principal.name.to_string(),
        action: action.to_owned(),
        object: object.cloned(),
        outcome: "allowed".to_owned(),
        detail: "{}".to_owned(),
    }
}

/// Notes in the audit log that a request was refused.
fn denied(
    principal: &Principal,
    action: &str,
    object: Option<&orch_shared::name::ObjectRef>,
) -> crate::store::NewAudit {
    crate::store::NewAudit {
        outcome: "denied".to_owned(),
        ..audited(principal, action, object)
    }
}

/// Notes that somebody tried to log in, and what came of it.
#[must_use]
pub fn login_entry(user: &str, refused: Option<orch_shared::problem::Code>) -> crate::store::NewAudit {
    crate::store::NewAudit {
        principal: orch_shared::excerpt::printable(user.chars().take(64).collect::<String>()),
        action: "login".to_owned(),
        object: None,
        outcome: if refused.is_none() { "allowed" } else { "denied" }.to_owned(),
        detail: match refused {
            None => "{}".to_owned(),
            Some(code) => serde_json::json!({"code": code}).to_string(),
        },
    }
}
