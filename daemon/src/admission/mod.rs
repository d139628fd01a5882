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
mod circles;
mod delete;
mod error;
mod instances;
mod one;
mod proposals;
mod references;
mod sealing;
mod seed;
mod set;

pub use apply::apply;
pub use delete::{delete, delete_several};
pub use error::Error;
pub use instances::admit_instance;
pub use one::{Precondition, Target, create, patch, replace, restart, reveal, rollback, scale, seal};
pub use proposals::{approve, propose, reject};
pub use seed::seed;

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
fn audited(
    principal: &Principal,
    action: &str,
    object: Option<&orch_shared::name::ObjectRef>,
) -> crate::store::NewAudit {
    crate::store::NewAudit {
        principal: principal.name.clone(),
        action: action.to_owned(),
        object: object.cloned(),
        outcome: "allowed".to_owned(),
        detail: "{}".to_owned(),
    }
}
