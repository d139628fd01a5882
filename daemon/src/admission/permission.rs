//! Whether somebody may do what they ask for, inside the write that would do it. What may not be seen is not there.

use orch_shared::access::{Decision, Operation, Principal, Role};
use orch_shared::name::ObjectRef;
use orch_shared::problem::{Code, Problem};

use super::Error;
use super::error::not_found;
use crate::audit;
use crate::store::{Known, Row, Transaction};

/// Whether that may be done with such an object.
pub(super) fn may(principal: &Principal, role: Role, known: &Known) -> bool {
    match role {
        // Lists and points are decided by the same value.
        Role::View => known.ask(|facts| principal.visibility.covers(facts)),
        Role::Create | Role::Edit | Role::Delete | Role::Run | Role::Reveal => {
            decide(principal, role, known).is_allowed
        }
    }
}

/// Whether that may be done with such an object, and by which rule.
pub(super) fn decide(principal: &Principal, role: Role, known: &Known) -> Decision {
    known.ask(|facts| principal.may(role, facts))
}

/// Whether somebody may see an object.
pub(super) async fn is_seen(transaction: &mut Transaction, principal: &Principal, row: &Row) -> Result<bool, Error> {
    if principal.rights.is_everywhere(Role::View) {
        return Ok(true);
    }
    let known = transaction.known(row, &principal.rights).await?;
    Ok(may(principal, Role::View, &known))
}

/// Whether somebody may see the object of that name.
pub(super) async fn is_seen_by_name(
    transaction: &mut Transaction,
    principal: &Principal,
    object: &ObjectRef,
) -> Result<bool, Error> {
    if principal.rights.is_everywhere(Role::View) {
        return Ok(true);
    }
    match transaction.load(std::slice::from_ref(object)).await?.pop().flatten() {
        Some(row) => is_seen(transaction, principal, &row).await,
        None => Ok(false),
    }
}

/// Refuses what somebody may not do with an object that is there; what was decided is noted for the audit log.
pub(super) async fn require(
    transaction: &mut Transaction,
    principal: &Principal,
    role: Role,
    row: &Row,
) -> Result<(), Error> {
    let everywhere = principal.rights.everywhere(role);
    if everywhere.is_allowed {
        audit::decided(principal, &everywhere, role);
        return Ok(());
    }
    let known = transaction.known(row, &principal.rights).await?;
    let decision = decide(principal, role, &known);
    audit::decided(principal, &decision, role);
    if decision.is_allowed {
        return Ok(());
    }
    Err(match may(principal, Role::View, &known) {
        true => forbidden(principal, role.as_str(), &row.object),
        false => not_found(&row.object),
    }
    .into())
}

/// Somebody who may have something done by the daemon, as the daemon: what it takes is decided by then.
pub(super) fn acting(principal: &Principal) -> Principal {
    Principal {
        name: std::sync::Arc::clone(&principal.name),
        ..Principal::daemon()
    }
}

/// Refuses an operation that somebody may not ask for; what was decided is noted for the audit log.
///
/// # Errors
/// When nothing allows it.
pub fn operate(principal: &Principal, operation: Operation) -> Result<(), Problem> {
    let decision = principal.may_operate(operation);
    audit::decided(principal, &decision, operation);
    if decision.is_allowed {
        return Ok(());
    }
    let detail = format!("{} may not use the operation `{operation}`", principal.name);
    Err(Problem::new(Code::Forbidden, detail).suggest(format!("what would allow it: orchctl auth why {operation}")))
}

/// Somebody may not do that with an object that they may see, or that is not there.
#[must_use]
pub fn forbidden(principal: &Principal, what: &str, object: &ObjectRef) -> Problem {
    let noun = object.kind.meta().singular;
    Problem::new(Code::Forbidden, format!("{} may not {what} {object}", principal.name)).suggest(format!(
        "what would allow it: orchctl auth why {what} {noun}/{}",
        object.name
    ))
}
