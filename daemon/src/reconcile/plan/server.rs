//! A Server: as many Instances as declared, each a copy of what the Server says now.
//!
//! A change of the spec, a restart, and the end of `idle.maxLifetime` replace copies one at a time: a new one is made beside
//! the old ones, and an old one goes when a new one is ready in its place. So a change that never becomes ready leaves the
//! old copies serving, also when one of them has crashed or the daemon has started anew: it comes back. Old copies that have
//! never answered, or keep crashing, go at once. A copy in Error is replaced when its time has come.
//!
//! A server that nobody uses for `idle.suspendAfter` is suspended: it keeps no copies until it is woken ([`rest`]).
//!
//! Copies that sessions have for themselves are no replicas. They are made elsewhere, and go when the server says something
//! else than they do and its own copies have shown that it works, and at the end of `idle.maxLifetime`.

mod report;
mod rest;

use std::time::Duration;

use orch_shared::kind::Pending;
use orch_shared::kinds::instance::{Instance, InstancePhase, InstanceStatus};
use orch_shared::kinds::server::{ResolvedTemplate, Runtime, Server, ServerStatus, Sessions};
use orch_shared::name::Name;
use orch_shared::resource::{ConditionStatus, Phase, Timestamp};

use super::conditions::Conditions;
use super::instance::CRASH_LOOP;
use super::{Action, Broken, Plan};

/// What is known of a Server.
#[derive(Debug)]
pub struct World<'w> {
    /// Its name.
    pub name: &'w Name,
    /// Its generation.
    pub generation: i64,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// What to run: the spec in effective form, its template resolved; nothing when the template cannot be.
    pub run: Option<&'w Server>,
    /// Tells copies of what is declared now from older ones.
    pub digest: &'w str,
    /// What the template resolved to.
    pub template: Option<ResolvedTemplate>,
    /// The status it has.
    pub status: &'w ServerStatus,
    /// What it refers to and is not there.
    pub broken: &'w [Broken],
    /// Fields in use that are not acted on.
    pub pending: &'w [Pending],
    /// When a restart was last asked for.
    pub restarted_at: Option<Timestamp>,
    /// How it is used.
    pub activity: Activity,
    /// Why lists of it are missing where clients look for them, empty when none is; nothing when that is not known.
    pub missing: Option<String>,
    /// Its copies.
    pub copies: &'w [Copy<'w>],
}

/// How a Server is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Activity {
    /// When it was last used.
    pub used: Option<Timestamp>,
    /// When it was last asked to wake.
    pub woken: Option<Timestamp>,
    /// Whether calls are under way.
    pub busy: bool,
}

/// One copy of a Server.
#[derive(Debug, Clone)]
pub struct Copy<'w> {
    /// Its uid.
    pub uid: &'w str,
    /// Its name.
    pub name: &'w Name,
    /// What it is a copy of.
    pub digest: &'w str,
    /// How many before it ended in Error.
    pub failed_before: u32,
    /// When it was made.
    pub created_at: Timestamp,
    /// Whether a session has it for itself.
    pub is_of_session: bool,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Its status.
    pub status: &'w InstanceStatus,
}

impl Copy<'_> {
    fn runs(&self) -> bool {
        !self.deleting && self.status.phase == Some(InstancePhase::Running)
    }

    /// Whether it runs, or has answered before and is about to do so again.
    fn serves(&self) -> bool {
        let comes_back = || {
            let is_up_again = match self.status.phase {
                Some(InstancePhase::Pending | InstancePhase::Starting) => true,
                None | Some(InstancePhase::Running | InstancePhase::Stopping | InstancePhase::Error) => false,
            };
            is_up_again && self.status.protocol_version.is_some() && self.status.crashes_in_a_row < CRASH_LOOP
        };
        self.runs() || (!self.deleting && comes_back())
    }

    /// Whether it answers and is well: an old copy may go in its place.
    fn is_ready(&self) -> bool {
        !self.deleting && self.status.is_ready()
    }

    fn is_due(&self, now: Timestamp) -> bool {
        self.status.phase == Some(InstancePhase::Error) && self.status.next_try.is_none_or(|next| next <= now)
    }
}

/// Decides.
#[must_use]
pub fn plan(world: &World<'_>, now: Timestamp) -> Plan<ServerStatus> {
    if world.deleting {
        return plan_end(world, now);
    }
    let lifetime = world.run.and_then(|run| run.idle.as_ref()?.lifetime());
    let age = |copy: &Copy<'_>| now.since(copy.created_at);
    let is_worn = |copy: &Copy<'_>| lifetime.is_some_and(|lifetime| age(copy) >= lifetime);
    let living = || world.copies.iter().filter(|copy| !copy.deleting);
    let (current, old): (Vec<_>, Vec<_>) = living()
        .filter(|copy| !copy.is_of_session)
        .partition(|copy| copy.digest == world.digest && !is_worn(copy));
    let rest = rest::decide(world, &current, &old, now);
    let desired = rest.desired;

    let is_rolled_out = current.iter().filter(|copy| copy.is_ready()).count() >= desired;
    let mut actions: Vec<_> = living()
        .filter(|copy| copy.is_of_session)
        .filter(|copy| is_worn(copy) || !keeps_session(world, copy, is_rolled_out, now))
        .map(delete)
        .collect();
    let (keep, failed_before) = keep(&current, desired, now, &mut actions);
    let ready = keep.iter().filter(|copy| copy.is_ready()).count();
    // Old copies serve until as many new ones are ready: first those that run.
    let mut serving: Vec<_> = old.iter().filter(|copy| copy.serves()).collect();
    serving.sort_by_key(|copy| !copy.runs());
    serving.truncate(desired.saturating_sub(ready));
    let serving_old = serving.len();
    let goes = |copy: &&Copy<'_>| serving.iter().all(|one| one.uid != copy.uid);
    actions.extend(old.iter().copied().filter(goes).map(delete));
    if let Some(run) = runnable(world) {
        let missing = desired - keep.len();
        let room = match serving_old {
            0 => missing,
            serving => (desired + 1).saturating_sub(keep.len() + serving),
        };
        for _ in 0..missing.min(room) {
            actions.push(Action::CreateInstance(Box::new(Instance {
                server: world.name.clone(),
                generation: world.generation,
                digest: world.digest.to_owned(),
                run: Box::new(run.clone()),
                failed_before: (failed_before > 0).then_some(failed_before),
                session: None,
            })));
        }
    }
    let due = living()
        .filter(|copy| copy.status.phase == Some(InstancePhase::Error))
        .filter_map(|copy| copy.status.next_try)
        .filter(|next| *next > now)
        .map(|next| next.since(now));
    let worn = lifetime
        .into_iter()
        .flat_map(|lifetime| living().map(move |copy| lifetime.saturating_sub(age(copy))))
        .filter(|left| !left.is_zero());
    let look_again: Option<Duration> = due.chain(worn).chain(rest.look_again).min();
    let (status, events) = report::report(world, &current, &old, &rest, now);
    Plan {
        actions,
        status,
        events,
        look_again,
    }
}

/// The copies of what is declared now that stay, and how many in a row ended in Error before those that are replaced.
/// What is too many goes: first what runs least, then the youngest.
fn keep<'c, 'w>(
    current: &[&'c Copy<'w>],
    desired: usize,
    now: Timestamp,
    actions: &mut Vec<Action>,
) -> (Vec<&'c Copy<'w>>, u32) {
    let (due, mut keep): (Vec<_>, Vec<_>) = current.iter().copied().partition(|copy| copy.is_due(now));
    keep.sort_by_key(|copy| (!copy.is_ready(), !copy.runs(), copy.created_at));
    let too_many = keep.split_off(desired.min(keep.len()));
    actions.extend(due.iter().chain(&too_many).copied().map(delete));
    let failed_before = due.iter().map(|copy| copy.failed_before.saturating_add(1)).max();
    (keep, failed_before.unwrap_or(0))
}

/// Whether a session keeps the copy that it has for itself: one of what is declared now, or, until that has shown that it works,
/// one of what was declared before.
fn keeps_session(world: &World<'_>, copy: &Copy<'_>, is_rolled_out: bool, now: Timestamp) -> bool {
    let is_isolated = world
        .run
        .is_some_and(|run| run.sessions == Some(Sessions::Isolated) && run.replica_count() > 0);
    let works = copy.status.crashes_in_a_row < CRASH_LOOP;
    is_isolated && (copy.digest == world.digest || (!is_rolled_out && works)) && !copy.is_due(now)
}

fn delete(copy: &Copy<'_>) -> Action {
    Action::DeleteInstance {
        uid: copy.uid.to_owned(),
    }
}

/// What copies are to run, when there can be any.
fn runnable<'w>(world: &World<'w>) -> Option<&'w Server> {
    world.run.filter(|_| world.broken.is_empty()).filter(|run| can_run(run))
}

fn plan_end(world: &World<'_>, now: Timestamp) -> Plan<ServerStatus> {
    let going = world.copies.iter().filter(|copy| !copy.deleting);
    let mut actions: Vec<_> = going.map(delete).collect();
    if world.copies.is_empty() {
        actions.push(Action::Remove);
    }
    let mut conditions = Conditions::from(&world.status.conditions, world.generation, now);
    conditions.set(
        "Ready",
        ConditionStatus::False,
        "Deleting",
        "it is being deleted; its copies stop first",
    );
    let status = ServerStatus {
        phase: Some(Phase::Progressing),
        conditions: conditions.into_inner(),
        ..world.status.clone()
    };
    Plan {
        actions,
        status,
        events: vec![],
        look_again: None,
    }
}

/// Whether a runtime of this version can run it at all.
fn can_run(run: &Server) -> bool {
    if run.remote.is_some() {
        return true;
    }
    match run.runtime {
        // Programs on this machine are spoken to over stdio.
        Some(Runtime::Process) | None => run.image.is_none() && !run.is_http(),
        Some(Runtime::Docker) => run.image.is_some() || run.package.is_some(),
        Some(Runtime::Kubernetes) => false,
    }
}
