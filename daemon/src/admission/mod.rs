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
mod away;
mod ceiling;
mod circles;
mod delete;
mod error;
mod houses;
mod instances;
mod lending;
mod lodging;
mod migrate;
mod notes;
mod one;
mod permission;
mod personal;
mod probing;
mod proposals;
mod publishing;
mod references;
mod rotation;
mod sealing;
mod seed;
mod set;
mod setup;
mod status;
mod token;

pub use apply::apply;
pub use away::{Away, Closed, Find, Opener};
pub use ceiling::may_grant;
pub use delete::{delete, delete_several};
pub use error::Error;
pub use instances::admit_instance;
pub use lodging::{delete as delete_values, tell_left};
pub use migrate::migrate;
pub use notes::OPERATIONS_KNOWN;
pub use one::{
    Changed, Existing, Made, Manner, Precondition, Target, create, patch, replace, restart, reveal, rollback, scale,
    seal,
};
pub use permission::{forbidden, operate};
pub use probing::{AuthCheck, Providers, Shut, ask_provider, open_key};
pub use proposals::{approve, propose, reject};
pub use publishing::{Published, Swept, Terms, heard, left, publish, short_name, sweep};
pub use rotation::{Rotated, TRIED, rotate, settle};
pub use seed::{amend, seed};
pub use setup::set_up;
pub use status::keep as keep_status;
pub use token::{allow_trigger, revoke};

use orch_shared::access::Principal;
use orch_shared::audit::{Row, RowKind, Target as About};
use orch_shared::name::ObjectRef;

use crate::audit::{self, sign};
use crate::secrets::{Backends, Keyring};
use crate::store::Store;

/// What admission works with. Cheap to clone.
#[derive(Clone)]
pub struct Admission {
    /// Where objects are written.
    pub store: Store,
    /// What seals their secret values.
    pub keyring: Keyring,
    /// What asks backends for values that live there.
    pub backends: Backends,
    /// The way to providers of models.
    pub providers: Providers,
}

/// The row about a change, for the transaction that makes it; on the trail of the request that asks for it, if one does.
#[must_use]
pub fn audited(principal: &Principal, verb: &str, object: Option<&ObjectRef>) -> Row {
    let target = object.map(About::of);
    let status = if verb == "create" { 201 } else { 200 };
    let mut row = match audit::trail() {
        Some(trail) => trail.of_change(verb, target, status),
        None => Row {
            project: target.as_ref().and_then(About::project).map(str::to_owned),
            target,
            ..Row::new(RowKind::Request, verb)
        },
    };
    sign(&mut row, principal);
    row
}

/// How many objects a change is about.
fn counted(objects: usize) -> String {
    match objects {
        1 => "1 object".to_owned(),
        more => format!("{more} objects"),
    }
}
