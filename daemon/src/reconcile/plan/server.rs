//! A Server: as many Instances as declared, each a copy of what the Server says now.
//!
//! A change of the spec makes new copies beside the old ones; an old one goes when a new one answers in its place, so that
//! a change that never becomes ready leaves the old copies serving. Copies that do not run at all go at once. A copy in
//! Error is replaced when its time has come.

use orch_shared::kind::Pending;
use orch_shared::kinds::instance::{Instance, InstancePhase, InstanceStatus};
use orch_shared::kinds::server::{ReplicaCount, ResolvedPackage, ResolvedTemplate, Runtime, Server, ServerStatus};
use orch_shared::name::Name;
use orch_shared::resource::{ConditionStatus, Phase, Timestamp};

use super::conditions::{Conditions, find, unsafe_to_ignore};
use super::instance::CRASH_LOOP;
use super::{Action, Broken, Happening, Plan};

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
    /// Its copies, oldest first.
    pub copies: &'w [Copy<'w>],
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
    /// Whether it is being deleted.
    pub deleting: bool,
    /// Its status.
    pub status: &'w InstanceStatus,
}

impl Copy<'_> {
    fn runs(&self) -> bool {
        !self.deleting && self.status.phase == Some(InstancePhase::Running)
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
    let mut actions = Vec::new();
    let (current, old): (Vec<_>, Vec<_>) = world
        .copies
        .iter()
        .filter(|copy| !copy.deleting)
        .partition(|copy| copy.digest == world.digest);
    let runnable = world.run.filter(|_| world.broken.is_empty()).filter(|run| can_run(run));
    let desired = world.run.map_or(0, Server::replica_count) as usize;
    let ready = current.iter().filter(|copy| copy.runs()).count();

    // Replace what will not be retried, and drop what is too many: first what runs least, then the youngest.
    let mut keep: Vec<&Copy<'_>> = Vec::new();
    let mut failed_before = 0;
    for copy in &current {
        if copy.is_due(now) {
            failed_before = failed_before.max(copy.failed_before.saturating_add(1));
            actions.push(Action::DeleteInstance {
                uid: copy.uid.to_owned(),
            });
        } else {
            keep.push(copy);
        }
    }
    keep.sort_by_key(|copy| !copy.runs());
    for copy in keep.iter().skip(desired) {
        actions.push(Action::DeleteInstance {
            uid: copy.uid.to_owned(),
        });
    }
    keep.truncate(desired);

    // Old copies serve until as many new ones do; those that do not run serve nobody.
    let mut serving_old = desired.saturating_sub(ready);
    for copy in &old {
        if copy.runs() && serving_old > 0 {
            serving_old -= 1;
        } else {
            actions.push(Action::DeleteInstance {
                uid: copy.uid.to_owned(),
            });
        }
    }
    if let Some(run) = runnable {
        for _ in keep.len()..desired {
            actions.push(Action::CreateInstance(Box::new(Instance {
                server: world.name.clone(),
                generation: world.generation,
                digest: world.digest.to_owned(),
                run: Box::new(run.clone()),
                failed_before: (failed_before > 0).then_some(failed_before),
            })));
        }
    }
    let due = current
        .iter()
        .filter(|copy| copy.status.phase == Some(InstancePhase::Error))
        .filter_map(|copy| copy.status.next_try);
    let look_again = due.filter(|next| *next > now).min().map(|next| next.since(now));
    let (status, events) = report(world, &current, &old, desired, ready, now);
    Plan {
        actions,
        status,
        events,
        look_again,
    }
}

fn plan_end(world: &World<'_>, now: Timestamp) -> Plan<ServerStatus> {
    let going = world.copies.iter().filter(|copy| !copy.deleting);
    let mut actions: Vec<_> = going
        .map(|copy| Action::DeleteInstance {
            uid: copy.uid.to_owned(),
        })
        .collect();
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

fn report(
    world: &World<'_>,
    current: &[&Copy<'_>],
    old: &[&Copy<'_>],
    desired: usize,
    ready: usize,
    now: Timestamp,
) -> (ServerStatus, Vec<Happening>) {
    let running = ready + old.iter().filter(|copy| copy.runs()).count();
    let mut trouble = current
        .iter()
        .filter(|copy| copy.status.phase == Some(InstancePhase::Error));
    let error = trouble.next();
    let looping = current.iter().find(|copy| copy.status.crashes_in_a_row >= CRASH_LOOP);
    let hurt = error
        .or(looping)
        .or_else(|| current.iter().find(|copy| copy.status.crashes_in_a_row > 0))
        .map(|copy| {
            let ready = find(&copy.status.conditions, "Ready");
            let said = ready.map(|ready| ready.message.as_str()).unwrap_or_default();
            let reason = ready.map_or("Unknown", |ready| ready.reason.as_str());
            (reason.to_owned(), format!("instance/{}: {said}", copy.name))
        })
        .or_else(|| failed_before(world, current));

    let mut conditions = Conditions::from(&world.status.conditions, world.generation, now);
    let (phase, is_ready, reason, message) = if let Some(Broken(first)) = world.broken.first() {
        (
            Phase::Degraded,
            ConditionStatus::False,
            "ReferenceMissing".to_owned(),
            format!("{first} (ORCH6009)"),
        )
    } else if let Some(message) = unsafe_to_ignore(world.pending) {
        let phase = if world.run.is_some_and(can_run) {
            Phase::Degraded
        } else {
            Phase::Failed
        };
        (phase, ConditionStatus::False, "NotImplemented".to_owned(), message)
    } else if ready >= desired {
        let message = if desired == 0 { "declared, not to be run" } else { "" };
        (
            Phase::Ready,
            ConditionStatus::True,
            "Ready".to_owned(),
            message.to_owned(),
        )
    } else if let Some((reason, message)) = hurt.clone() {
        (Phase::Degraded, ConditionStatus::False, reason, message)
    } else {
        let message = format!("{ready} of {desired} answer");
        (
            Phase::Progressing,
            ConditionStatus::False,
            "Progressing".to_owned(),
            message,
        )
    };
    conditions.set("Ready", is_ready, &reason, message.clone());
    if phase == Phase::Progressing {
        conditions.set(
            "Progressing",
            ConditionStatus::True,
            "Progressing",
            format!("{ready} of {desired} answer"),
        );
    } else if is_ready == ConditionStatus::True {
        conditions.set("Progressing", ConditionStatus::False, "Complete", "");
    } else {
        conditions.set("Progressing", ConditionStatus::False, "Stuck", "");
    }
    conditions.references(world.broken);
    match hurt {
        Some((reason, message)) => conditions.set("Healthy", ConditionStatus::False, &reason, message),
        None if running > 0 || desired == 0 => conditions.set("Healthy", ConditionStatus::True, "Healthy", ""),
        None => conditions.set("Healthy", ConditionStatus::Unknown, "Starting", ""),
    }
    conditions.pending(world.pending);
    let conditions = conditions.into_inner();

    let answering = current
        .iter()
        .find(|copy| copy.runs())
        .or_else(|| old.iter().find(|copy| copy.runs()));
    let resolved = resolved(world, current);
    let version = resolved.as_ref().map(|resolved| resolved.version.as_str());
    let restarts = current
        .iter()
        .map(|copy| copy.status.restarts + copy.failed_before)
        .sum();
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    let status = ServerStatus {
        phase: Some(phase),
        replicas: Some(ReplicaCount {
            desired: count(desired),
            running: count(running),
            ready: count(ready.min(desired)),
        }),
        source: world.run.map(|run| run.source_line(version)),
        template: world.template.clone(),
        tools: answering
            .and_then(|copy| copy.status.tools.clone())
            .or_else(|| world.status.tools.clone()),
        restarts: Some(restarts),
        observed_generation: Some(world.generation),
        resolved,
        conditions,
    };
    let events = happenings(world.status, phase, &reason, &message);
    (status, events)
}

/// What was the matter with the copies that were replaced, as long as those in their place do not run: each try would else
/// look like a fresh start.
fn failed_before(world: &World<'_>, current: &[&Copy<'_>]) -> Option<(String, String)> {
    let again = current.iter().any(|copy| copy.failed_before > 0 && !copy.runs());
    let ready = find(&world.status.conditions, "Ready").filter(|_| again)?;
    let holds = world.status.phase == Some(Phase::Degraded) && ready.observed_generation == world.generation;
    holds.then(|| (ready.reason.clone(), ready.message.clone()))
}

/// The version that this generation's package was resolved to: once, by the first copy that did. An image has the digest that
/// its copies run.
fn resolved(world: &World<'_>, current: &[&Copy<'_>]) -> Option<ResolvedPackage> {
    let run = world.run?;
    if run.image.is_some() {
        let newest = current.iter().rev().find_map(|copy| copy.status.resolved.clone());
        return newest.or_else(|| {
            let before = world.status.resolved.as_ref();
            before.filter(|before| before.generation == world.generation).cloned()
        });
    }
    let package = run.package.as_ref()?;
    let pinned = world
        .status
        .resolved
        .as_ref()
        .filter(|resolved| resolved.generation == world.generation && resolved.name == package.name);
    let found = || current.iter().find_map(|copy| copy.status.resolved.as_ref());
    let resolved = pinned.or_else(found)?;
    Some(ResolvedPackage {
        generation: world.generation,
        ..resolved.clone()
    })
}

/// What changed between the last phase and this one, when it is worth telling.
fn happenings(before: &ServerStatus, phase: Phase, reason: &str, message: &str) -> Vec<Happening> {
    if before.phase == Some(phase) {
        return Vec::new();
    }
    match phase {
        Phase::Ready => vec![Happening::normal(
            "Ready",
            if message.is_empty() {
                "every copy answers"
            } else {
                message
            },
        )],
        Phase::Degraded | Phase::Failed => {
            let said = if message.is_empty() {
                reason.to_owned()
            } else {
                message.to_owned()
            };
            vec![Happening::warning(
                if phase == Phase::Failed { "Failed" } else { "Degraded" },
                said,
            )]
        }
        Phase::Pending | Phase::Progressing | Phase::Suspended => Vec::new(),
    }
}
