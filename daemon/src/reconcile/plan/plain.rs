//! Kinds that have nothing to run: whether what they refer to is there, and which of their fields wait for a later version.

use orch_shared::kind::Pending;
use orch_shared::resource::{ConditionStatus, Phase, PlainStatus, Timestamp};

use super::conditions::{Conditions, find, news_of_references, unsafe_to_ignore};
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
    /// What is known of what it links to.
    pub link: Link,
}

/// What is known of the resource that an object links to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Link {
    /// It links to nothing.
    None,
    /// It was not read yet, under this daemon; what was said before stands.
    Unread,
    /// It can be read.
    Sound,
    /// It cannot be read: why, in a clause.
    Broken(String),
}

/// The condition that says whether a link can be read.
const LINK: &str = "LinkHealthy";

/// Why a link cannot be read, as far as anybody knows: what was said before is about another link once the object has changed.
fn broken_link(world: &World<'_>) -> Option<String> {
    match &world.link {
        Link::None | Link::Sound => None,
        Link::Broken(reason) => Some(reason.clone()),
        Link::Unread => find(&world.status.conditions, LINK)
            .filter(|known| known.status == ConditionStatus::False && known.observed_generation == world.generation)
            .map(|known| known.message.clone()),
    }
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
    let broken_link = broken_link(world);
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
    } else if let Some(reason) = &broken_link {
        conditions.set("Ready", ConditionStatus::False, "LinkBroken", reason.clone());
        Phase::Degraded
    } else {
        conditions.set("Ready", ConditionStatus::True, "Accepted", "");
        Phase::Ready
    };
    let was_read =
        find(&world.status.conditions, LINK).is_some_and(|known| known.observed_generation == world.generation);
    match (&world.link, &broken_link) {
        (Link::None, _) => {}
        (_, Some(reason)) => conditions.set(LINK, ConditionStatus::False, "Unreadable", reason.clone()),
        (Link::Sound, None) => conditions.set(LINK, ConditionStatus::True, "Readable", ""),
        (Link::Unread, None) if was_read => conditions.keep(LINK),
        (Link::Unread | Link::Broken(_), None) => conditions.set(LINK, ConditionStatus::Unknown, "Unread", ""),
    }
    conditions.references(world.broken);
    conditions.pending(world.pending);
    let conditions = conditions.into_inner();

    let mut events = Vec::from_iter(news_of_references(&world.status.conditions, world.broken));
    let was_broken = find(&world.status.conditions, LINK).is_some_and(|known| known.status == ConditionStatus::False);
    match (&broken_link, was_broken) {
        (Some(reason), false) => events.push(Happening::warning("LinkBroken", reason.clone())),
        (None, true) if world.link == Link::Sound => {
            events.push(Happening::normal("LinkReadable", "what it links to can be read again"));
        }
        (Some(_), true) | (None, _) => {}
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
