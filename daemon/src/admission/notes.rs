//! What the daemon notes in objects that others may change: it stays as the daemon wrote it, whoever writes the rest.

use orch_shared::access::{Principal, Subject};
use orch_shared::kind::Kind;
use orch_shared::resource::Resource;

use crate::auth::ADMIN;

/// The annotation of the administrator's binding that says which operations the daemon's version knew when it last gave it
/// some. Whoever could write it would be given operations by the next start.
pub const OPERATIONS_KNOWN: &str = "orchctl.dev/operations";

/// Leaves the note as it is in the live object; says so to who would have it otherwise. To leave it out says nothing.
pub(super) fn keep(principal: &Principal, resource: &mut Resource, live: Option<&Resource>) -> Option<String> {
    let is_noted = resource.kind == Kind::RoleBinding && resource.metadata.name.as_str() == ADMIN;
    if !is_noted || *principal.subject == Subject::Daemon {
        return None;
    }
    let kept = live.and_then(|live| live.metadata.annotations.as_ref()?.get(OPERATIONS_KNOWN));
    let annotations = &mut resource.metadata.annotations;
    let given = annotations.as_mut().and_then(|given| given.remove(OPERATIONS_KNOWN));
    let is_refused = given.is_some() && given.as_ref() != kept;
    if let Some(kept) = kept {
        let annotations = annotations.get_or_insert_default();
        annotations.insert(OPERATIONS_KNOWN.to_owned(), kept.clone());
    } else if annotations.as_ref().is_some_and(|rest| rest.is_empty() && is_refused) {
        *annotations = None;
    }
    is_refused.then(|| format!("the annotation {OPERATIONS_KNOWN} is the daemon's own, and stays as it was"))
}
