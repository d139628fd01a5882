//! What is said of a Server: its phase, its conditions, its counts, and what is worth an event.

use orch_shared::kinds::instance::InstancePhase;
use orch_shared::kinds::server::{ReplicaCount, ResolvedPackage, ServerStatus};
use orch_shared::problem::Code;
use orch_shared::resource::{ConditionStatus, Phase, Timestamp};

use super::rest::{Rest, State};
use super::{Copy, World, can_run};
use crate::reconcile::plan::conditions::{Conditions, find, unsafe_to_ignore};
use crate::reconcile::plan::instance::CRASH_LOOP;
use crate::reconcile::plan::{Broken, Happening};

/// How far a Server is, in one word and a sentence.
struct Verdict {
    phase: Phase,
    ready: ConditionStatus,
    reason: String,
    message: String,
}

impl Verdict {
    fn new(phase: Phase, ready: ConditionStatus, reason: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            phase,
            ready,
            reason: reason.into(),
            message: message.into(),
        }
    }
}

/// How many copies there are.
struct Counts {
    /// Of what is declared now, and ready.
    ready: usize,
    /// Of what is declared now, and answering.
    new: usize,
    /// Of what was declared before, and answering.
    old: usize,
}

/// Says it.
pub(super) fn report(
    world: &World<'_>,
    current: &[&Copy<'_>],
    old: &[&Copy<'_>],
    rest: &Rest,
    now: Timestamp,
) -> (ServerStatus, Vec<Happening>) {
    let counts = Counts {
        ready: current.iter().filter(|copy| copy.is_ready()).count(),
        new: current.iter().filter(|copy| copy.runs()).count(),
        old: old.iter().filter(|copy| copy.runs()).count(),
    };
    let hurt = hurt(current).or_else(|| failed_before(world, current));
    let verdict = verdict(world, rest, &counts, hurt.as_ref());
    let mut conditions = Conditions::from(&world.status.conditions, world.generation, now);
    conditions.set("Ready", verdict.ready, &verdict.reason, verdict.message.clone());
    available(world, rest, &counts, &verdict, &mut conditions);
    progressing(world, &counts, &verdict, hurt.as_ref(), &mut conditions);
    unresolved(world, current, &mut conditions);
    healthy(rest, &counts, current, hurt, &mut conditions);
    listed(world, &mut conditions);
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
    let mut events = happenings(world.status, &verdict);
    events.extend(rest.event.clone());
    let mut status = ServerStatus {
        phase: Some(verdict.phase),
        replicas: Some(ReplicaCount {
            desired: count(rest.desired),
            running: count(counts.new + counts.old),
            ready: count(counts.ready.min(rest.desired)),
        }),
        source: world.run.map(|run| run.source_line(version)),
        template: world.template.clone(),
        tools: answering
            .and_then(|copy| copy.status.tools.clone())
            .or_else(|| world.status.tools.clone()),
        restarts: Some(restarts),
        suspended_since: rest.suspended_since,
        awake_since: rest.awake_since,
        ready_generations: world.status.ready_generations.clone(),
        observed_generation: Some(world.generation),
        resolved,
        conditions,
    };
    // One of which nothing runs has shown nothing.
    if verdict.phase == Phase::Ready && counts.ready > 0 {
        status.note_ready(world.generation);
    }
    (status, events)
}

/// Whether everything is there that the copies need: told by the references, and by the first copy that waits for a value.
fn unresolved(world: &World<'_>, current: &[&Copy<'_>], conditions: &mut Conditions<'_>) {
    let wants = |copy: &&Copy<'_>| {
        let told = find(&copy.status.conditions, "ReferencesResolved")?;
        (told.status == ConditionStatus::False).then(|| told.clone())
    };
    match current.iter().find_map(wants).filter(|_| world.broken.is_empty()) {
        Some(want) => conditions.set("ReferencesResolved", ConditionStatus::False, &want.reason, want.message),
        None => conditions.references(world.broken),
    }
}

fn verdict(world: &World<'_>, rest: &Rest, counts: &Counts, hurt: Option<&(String, String)>) -> Verdict {
    let ready = counts.ready;
    if let Some(Broken(first)) = world.broken.first() {
        let message = format!("{first} (ORCH6009)");
        return Verdict::new(Phase::Degraded, ConditionStatus::False, "ReferenceMissing", message);
    }
    if let Some(message) = unsafe_to_ignore(world.pending) {
        let phase = if world.run.is_some_and(can_run) {
            Phase::Degraded
        } else {
            Phase::Failed
        };
        return Verdict::new(phase, ConditionStatus::False, "NotImplemented", message);
    }
    match &rest.state {
        State::Suspended => {
            let message = "nobody uses it; its first use starts it";
            return Verdict::new(Phase::Suspended, ConditionStatus::True, "Suspended", message);
        }
        State::WakeFailed(message) => {
            return Verdict::new(Phase::Suspended, ConditionStatus::False, "WakeFailed", message);
        }
        State::Awake | State::Waking => {}
    }
    if ready >= rest.desired {
        let message = if rest.desired == 0 {
            "declared, not to be run"
        } else {
            ""
        };
        Verdict::new(Phase::Ready, ConditionStatus::True, "Ready", message)
    } else if let Some((reason, message)) = hurt {
        Verdict::new(Phase::Degraded, ConditionStatus::False, reason, message)
    } else {
        let what = match rest.state {
            State::Waking => "it is being woken: ",
            State::Awake | State::Suspended | State::WakeFailed(_) => "",
        };
        let message = format!("{what}{ready} of {} answer", rest.desired);
        Verdict::new(Phase::Progressing, ConditionStatus::False, "Progressing", message)
    }
}

/// Whether somebody who uses it now gets an answer, from whatever was declared.
fn available(world: &World<'_>, rest: &Rest, counts: &Counts, verdict: &Verdict, conditions: &mut Conditions<'_>) {
    let serving = counts.new + counts.old;
    if serving > 0 {
        let message = match counts.old {
            0 => String::new(),
            old => format!("{old} of {serving} that answer are of what was declared before"),
        };
        conditions.set("Available", ConditionStatus::True, "Serving", message);
    } else if matches!(rest.state, State::Suspended) && world.broken.is_empty() {
        conditions.set("Available", ConditionStatus::True, "Suspended", "");
    } else {
        let reason = if rest.desired == 0 { "NotRun" } else { &verdict.reason };
        conditions.set("Available", ConditionStatus::False, reason, "");
    }
}

/// Whether it is on its way to what is declared, and why not when it is not.
fn progressing(
    world: &World<'_>,
    counts: &Counts,
    verdict: &Verdict,
    hurt: Option<&(String, String)>,
    conditions: &mut Conditions<'_>,
) {
    match (verdict.phase, hurt) {
        (Phase::Progressing, _) => {
            conditions.set("Progressing", ConditionStatus::True, "Progressing", &*verdict.message);
        }
        (Phase::Degraded, Some((_, message))) if counts.old > 0 => {
            let before = world.status.ready_before(world.generation);
            let before = before.map_or_else(String::new, |before| format!(" (generation {before})"));
            let message = format!(
                "generation {} does not become ready, and what ran before serves on{before}: {message} ({})",
                world.generation,
                Code::RolloutStuck
            );
            conditions.set("Progressing", ConditionStatus::False, "RolloutStuck", message);
        }
        (Phase::Ready | Phase::Suspended, _) => {
            conditions.set("Progressing", ConditionStatus::False, "Complete", "");
        }
        (Phase::Pending | Phase::Degraded | Phase::Failed, _) => {
            conditions.set("Progressing", ConditionStatus::False, "Stuck", "");
        }
    }
}

/// Whether its copies are well.
fn healthy(
    rest: &Rest,
    counts: &Counts,
    current: &[&Copy<'_>],
    hurt: Option<(String, String)>,
    conditions: &mut Conditions<'_>,
) {
    let unsure = || {
        let unsure = current.iter().find(|copy| copy.runs() && !is_well(copy))?;
        Some(said_of(unsure))
    };
    match hurt.or_else(unsure) {
        Some((reason, message)) => conditions.set("Healthy", ConditionStatus::False, &reason, message),
        None if counts.new + counts.old > 0 || rest.desired == 0 => {
            conditions.set("Healthy", ConditionStatus::True, "Healthy", "");
        }
        None => conditions.set("Healthy", ConditionStatus::Unknown, "Starting", ""),
    }
}

/// Whether clients get its lists. Nothing is said of a server whose lists were never missing.
fn listed(world: &World<'_>, conditions: &mut Conditions<'_>) {
    let before = find(&world.status.conditions, "Listed");
    match (world.missing.as_deref(), before) {
        (None, _) => conditions.keep("Listed"),
        (Some(""), None) => {}
        (Some(""), Some(_)) => conditions.set("Listed", ConditionStatus::True, "Listed", ""),
        (Some(missing), _) => conditions.set("Listed", ConditionStatus::False, "ListMissing", missing),
    }
}

/// Whether nothing is said against a copy that runs.
fn is_well(copy: &Copy<'_>) -> bool {
    use orch_shared::kinds::instance::HealthState;
    match copy.status.health.as_ref().map(|health| health.state) {
        None | Some(HealthState::Healthy | HealthState::Unknown) => true,
        Some(HealthState::Degraded | HealthState::Unhealthy) => false,
    }
}

/// What is the matter with the copies of what is declared now: reason and sentence.
fn hurt(current: &[&Copy<'_>]) -> Option<(String, String)> {
    let find = |is: &dyn Fn(&&&Copy<'_>) -> bool| current.iter().find(is).copied();
    find(&|copy| copy.status.phase == Some(InstancePhase::Error))
        .or_else(|| find(&|copy| copy.status.crashes_in_a_row >= CRASH_LOOP))
        // It is not being deleted, but ended because it is not well.
        .or_else(|| find(&|copy| copy.status.phase == Some(InstancePhase::Stopping)))
        .or_else(|| find(&|copy| copy.status.crashes_in_a_row > 0))
        .map(said_of)
}

/// What a copy says of its own readiness: reason and sentence.
pub(super) fn said_of(copy: &Copy<'_>) -> (String, String) {
    let ready = find(&copy.status.conditions, "Ready");
    let said = ready.map(|ready| ready.message.as_str()).unwrap_or_default();
    let reason = ready.map_or("Unknown", |ready| ready.reason.as_str());
    (reason.to_owned(), format!("instance/{}: {said}", copy.name))
}

/// What was the matter with the copies that were replaced, as long as those in their place do not run: each try would else
/// look like a fresh start.
fn failed_before(world: &World<'_>, current: &[&Copy<'_>]) -> Option<(String, String)> {
    let again = current.iter().any(|copy| copy.failed_before > 0 && !copy.runs());
    let ready = find(&world.status.conditions, "Ready").filter(|_| again)?;
    let holds = world.status.phase == Some(Phase::Degraded) && ready.observed_generation == world.generation;
    holds.then(|| (ready.reason.clone(), ready.message.clone()))
}

/// The version that this generation's package was resolved to: once, by the first copy that did. An image has the
/// digest that its copies run.
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
fn happenings(before: &ServerStatus, verdict: &Verdict) -> Vec<Happening> {
    let Verdict {
        phase, reason, message, ..
    } = verdict;
    if before.phase == Some(*phase) {
        return Vec::new();
    }
    let said = |plain: &str| match message.as_str() {
        "" => plain.to_owned(),
        message => message.to_owned(),
    };
    match phase {
        Phase::Ready => vec![Happening::normal("Ready", said("every copy answers"))],
        Phase::Degraded => vec![Happening::warning("Degraded", said(reason))],
        Phase::Failed => vec![Happening::warning("Failed", said(reason))],
        Phase::Pending | Phase::Progressing | Phase::Suspended => Vec::new(),
    }
}
