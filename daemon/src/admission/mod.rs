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
mod references;
mod sealing;
mod seed;
mod set;

pub use apply::apply;
pub use delete::{delete, delete_several};
pub use error::Error;
pub use instances::admit_instance;
pub use one::{Precondition, Target, create, patch, replace, restart, reveal, rollback, scale, seal};
pub use seed::seed;

use orch_shared::access::Principal;
use orch_shared::audit::{self, Row, RowKind};
use orch_shared::name::ObjectRef;

use crate::audit::Trail;
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

/// The row about a change, for the transaction that makes it. `trail` is that of the request that asks for the change.
fn audited(trail: Option<&Trail>, principal: &Principal, verb: &str, object: Option<&ObjectRef>) -> Row {
    let target = object.map(audit::Target::of);
    let status = if verb == "create" { 201 } else { 200 };
    let row = match trail {
        Some(trail) => trail.of_change(verb, target, status),
        None => Row {
            project: target.as_ref().and_then(audit::Target::project).map(str::to_owned),
            target,
            ..Row::new(RowKind::Request, verb)
        },
    };
    Row {
        principal: principal.name.clone(),
        ..row
    }
}

/// How many objects a change is about.
fn counted(objects: usize) -> String {
    match objects {
        1 => "1 object".to_owned(),
        more => format!("{more} objects"),
    }
}
