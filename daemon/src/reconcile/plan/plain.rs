//! Kinds that have nothing to run: whether what they refer to is there, and which of their fields wait for a later version.

use orch_shared::kind::Pending;
use orch_shared::resource::{ConditionStatus, Phase, PlainStatus, Timestamp};

use super::conditions::{Conditions, find, unsafe_to_ignore};
use super::{Action, Broken, Happening, Plan};

/// What is known of an object of such a kind.
#[derive(Debug)]
pub struct World<'w> {
    /// The object's generation.
    pub generation: i64,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// The status it has.
    pub status: &'w PlainStatus,
    /// What it refers to and is not there.
    pub broken: &'w [Broken],
    /// Fields in use that are not acted on.
    pub pending: &'w [Pending],
}

/// Decides.
#[must_use]
pub fn plan(world: &World<'_>, now: Timestamp) -> Plan<PlainStatus> {
    if world.deleting {
        return Plan {
            actions: vec![Action::Remove],
            status: world.status.clone(),
            events: vec![],
            look_again: None,
        };
    }
    let mut conditions = Conditions::from(&world.status.conditions, world.generation, now);
    let phase = if let Some(Broken(first)) = world.broken.first() {
        conditions.set(
            "Ready",
            ConditionStatus::False,
            "ReferenceMissing",
            format!("{first} (ORCH6009)"),
        );
        Phase::Degraded
    } else if let Some(message) = unsafe_to_ignore(world.pending) {
        conditions.set("Ready", ConditionStatus::False, "NotImplemented", message);
        Phase::Degraded
    } else {
        conditions.set("Ready", ConditionStatus::True, "Accepted", "");
        Phase::Ready
    };
    conditions.references(world.broken);
    conditions.pending(world.pending);
    let conditions = conditions.into_inner();

    let mut events = Vec::new();
    let before = find(&world.status.conditions, "ReferencesResolved").map(|condition| condition.status);
    match (before, world.broken) {
        (None | Some(ConditionStatus::True | ConditionStatus::Unknown), [Broken(first), ..]) => {
            events.push(Happening::warning("ReferenceMissing", first.clone()));
        }
        (Some(ConditionStatus::False), []) => {
            events.push(Happening::normal("Resolved", "everything it refers to is there again"));
        }
        (None | Some(_), _) => {}
    }
    let status = PlainStatus {
        phase: Some(phase),
        observed_generation: Some(world.generation),
        conditions,
    };
    Plan {
        actions: vec![],
        status,
        events,
        look_again: None,
    }
}
