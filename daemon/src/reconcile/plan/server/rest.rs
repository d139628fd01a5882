//! Whether a Server is to have copies at all: one that nobody uses is suspended, and its first use wakes it.
//!
//! Flow: unused for `idle.suspendAfter`, it gets the instant from which it is suspended. A wake after that instant makes
//! copies; the first that answers ends the suspension, the first that fails renews it, so that the wake is over. A change of
//! the spec and a restart end it as well, since somebody wants to see what comes of them.
//!
//! What is not ready is not suspended: that would hide what is the matter with it.

use std::time::Duration;

use orch_shared::kinds::instance::InstancePhase;
use orch_shared::kinds::server::Server;
use orch_shared::problem::Code;
use orch_shared::resource::Timestamp;

use super::report::said_of;
use super::{Copy, World, runnable};
use crate::reconcile::plan::conditions::find;
use crate::reconcile::plan::{Broken, Happening};

/// Whether a Server rests.
#[derive(Debug)]
pub(super) enum State {
    /// It runs, or is to run.
    Awake,
    /// It is suspended, and somebody wants to use it.
    Waking,
    /// Nobody uses it.
    Suspended,
    /// It was to be woken, and could not be: why.
    WakeFailed(String),
}

/// What follows for its copies.
#[derive(Debug)]
pub(super) struct Rest {
    pub(super) state: State,
    /// How many copies it is to have.
    pub(super) desired: usize,
    /// Since when it is suspended.
    pub(super) suspended_since: Option<Timestamp>,
    /// When it was last meant to run for a reason other than use.
    pub(super) awake_since: Option<Timestamp>,
    pub(super) look_again: Option<Duration>,
    pub(super) event: Option<Happening>,
}

impl Rest {
    const fn awake(desired: usize, awake_since: Option<Timestamp>) -> Self {
        Self {
            state: State::Awake,
            desired,
            suspended_since: None,
            awake_since,
            look_again: None,
            event: None,
        }
    }

    const fn suspended(state: State, since: Timestamp) -> Self {
        Self {
            state,
            desired: 0,
            suspended_since: Some(since),
            awake_since: None,
            look_again: None,
            event: None,
        }
    }
}

/// Decides.
pub(super) fn decide(world: &World<'_>, current: &[&Copy<'_>], old: &[&Copy<'_>], now: Timestamp) -> Rest {
    let declared = world.run.map_or(0, Server::replica_count) as usize;
    let patience = world.run.and_then(|run| run.idle.as_ref()?.patience());
    let Some(patience) = patience.filter(|_| declared > 0) else {
        return Rest::awake(declared, None);
    };
    let is_changed = world.status.observed_generation != Some(world.generation);
    let is_restarted = |since: Timestamp| world.restarted_at.is_some_and(|at| at > since);
    match world.status.suspended_since {
        Some(since) if !is_changed && !is_restarted(since) => resting(world, current, declared, since, now),
        Some(_) => Rest::awake(declared, Some(now)),
        None => {
            let awake_since = world.status.awake_since.filter(|_| !is_changed).unwrap_or(now);
            working(world, current, old, declared, (awake_since, patience), now)
        }
    }
}

/// It is suspended, or was until somebody wanted to use it.
fn resting(world: &World<'_>, current: &[&Copy<'_>], declared: usize, since: Timestamp, now: Timestamp) -> Rest {
    let Some(woken) = world.activity.woken.filter(|woken| *woken > since) else {
        return Rest::suspended(kept(world), since);
    };
    if current.iter().any(|copy| copy.is_ready()) {
        return Rest::awake(declared, Some(now));
    }
    if let Some(reason) = failure(world, current) {
        let message = format!("it was used and could not be started: {reason} ({})", Code::WakeFailed);
        let mut rest = Rest::suspended(State::WakeFailed(message.clone()), now.max(woken));
        rest.event = Some(Happening::warning("WakeFailed", message));
        return rest;
    }
    Rest {
        state: State::Waking,
        suspended_since: Some(since),
        ..Rest::awake(declared, None)
    }
}

/// What was last said of a suspended server.
fn kept(world: &World<'_>) -> State {
    let ready = find(&world.status.conditions, "Ready");
    match ready.filter(|ready| ready.reason == "WakeFailed") {
        Some(ready) => State::WakeFailed(ready.message.clone()),
        None => State::Suspended,
    }
}

/// Why a wake has failed, if it has: the first copy that fails decides.
fn failure(world: &World<'_>, current: &[&Copy<'_>]) -> Option<String> {
    if let Some(Broken(first)) = world.broken.first() {
        return Some(first.clone());
    }
    if runnable(world).is_none() {
        return Some("this version has no runtime for it".to_owned());
    }
    let failed = current.iter().find(|copy| {
        copy.status.phase == Some(InstancePhase::Error) || (!copy.runs() && copy.status.crashes_in_a_row > 0)
    });
    failed.map(|copy| said_of(copy).1)
}

/// It runs, as long as it is used.
fn working(
    world: &World<'_>,
    current: &[&Copy<'_>],
    old: &[&Copy<'_>],
    declared: usize,
    (awake_since, patience): (Timestamp, Duration),
    now: Timestamp,
) -> Rest {
    let mut rest = Rest::awake(declared, Some(awake_since));
    let is_settled = old.is_empty() && current.iter().any(|copy| copy.is_ready());
    if !is_settled {
        return rest;
    }
    let activity = world.activity;
    // One that takes long to come up is given its time all the same.
    let ready = current.iter().filter(|copy| copy.is_ready());
    let answers_since = ready.filter_map(|copy| copy.status.running_since).min();
    let last = [activity.used, activity.woken, world.restarted_at, answers_since];
    let last = last.into_iter().flatten().max().unwrap_or(awake_since);
    let unused = now.since(last.max(awake_since));
    if activity.busy {
        rest.look_again = Some(patience);
        return rest;
    }
    if unused < patience {
        rest.look_again = Some(patience.saturating_sub(unused));
        return rest;
    }
    let mut rest = Rest::suspended(State::Suspended, now);
    rest.event = Some(Happening::normal(
        "Suspended",
        "nobody has used it; its first use starts it again",
    ));
    rest
}
