//! One running copy: Pending -> Starting <-> Running -> Stopping -> gone; Error when it will not be retried as it is.
//!
//! A copy that exits is started again in place, after a pause that doubles from `restart.backoffInitial` to
//! `restart.backoffMax` and is forgotten once it has run for `restart.resetAfter`. A copy that cannot work as it is (its
//! package does not install, its deadline passed) goes to Error with the instant at which its Server replaces it. A remote
//! server that does not answer is asked again in place.
//!
//! A copy that runs but is not well any more is ended, and goes the way of one that exited. A copy that is deleted while it
//! runs is drained first: it gets no new calls, and ends when those under way have been answered and no session holds it, or
//! when its time is over.

use std::time::Duration;

use orch_shared::kinds::instance::{
    ContainerStatus, Health, HealthState, Instance, InstancePhase, InstanceStatus, LastExit,
};
use orch_shared::kinds::server::{ResolvedPackage, Restart, ToolSurface};
use orch_shared::problem::Code;
use orch_shared::resource::{ConditionStatus, Timestamp};

use super::conditions::{Conditions, find};
use super::want::Want;
use super::{Action, Happening, Plan, backoff};

/// From this many exits in a row on, a copy is said to be in a crash loop.
pub const CRASH_LOOP: u32 = 3;

/// What is known of an Instance.
#[derive(Debug)]
pub struct World<'w> {
    /// Its uid.
    pub uid: &'w str,
    /// Its generation.
    pub generation: i64,
    /// Since when it is being deleted, and how long it may serve on because of calls and sessions.
    pub deleting: Option<Deleting>,
    /// Its spec.
    pub spec: &'w Instance,
    /// The status it has.
    pub status: &'w InstanceStatus,
    /// What the runtime sees of it; nothing when it was never started by this daemon.
    pub observed: Option<&'w Observed>,
}

/// The end of a copy, as far as it has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deleting {
    /// Since when.
    pub since: Timestamp,
    /// How long it may serve on because of calls and sessions.
    pub drain: Duration,
}

/// What a runtime sees of a copy.
#[derive(Debug, Clone, PartialEq)]
pub struct Observed {
    /// Where it stands.
    pub state: State,
    /// Process id, while there is a process.
    pub pid: Option<u32>,
    /// The container it runs, or ran, in.
    pub container: Option<ContainerStatus>,
    /// The exact version of its package, once resolved.
    pub resolved: Option<(String, String)>,
    /// Whether its limits hold: nothing when none are asked for.
    pub limits: Option<Limits>,
    /// How it fares, while it runs.
    pub health: Option<Health>,
    /// Whether calls are under way with it, or sessions hold it.
    pub busy: bool,
}

/// Where a copy stands, as a runtime sees it.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// Its package is being installed, or its image pulled: how far that has come, in a clause.
    Installing(String),
    /// The process runs; the handshake has not answered.
    Starting,
    /// The handshake has answered.
    Running(Running),
    /// It is being stopped.
    Stopping,
    /// It exited by itself, or was stopped.
    Exited(LastExit),
    /// It could not be started, or does not answer.
    Failed(Failure),
}

/// What a running copy says of itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Running {
    /// Since when.
    pub since: Timestamp,
    /// The MCP revision spoken with it.
    pub protocol_version: String,
    /// Name and version.
    pub server_info: Option<String>,
    /// Its tools.
    pub tools: Option<ToolSurface>,
}

/// Why a copy does not work as it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// Stable code.
    pub code: Code,
    /// In one word.
    pub reason: &'static str,
    /// In a sentence, with what to do.
    pub message: String,
    /// When.
    pub at: Timestamp,
    /// What to do about it.
    pub remedy: Remedy,
    /// The last lines it wrote to standard error.
    pub stderr: Vec<String>,
}

/// What to do about a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remedy {
    /// Try the same again after a while.
    Retry,
    /// Replace the copy by a new one after a while.
    Replace,
}

/// Whether the limits of a copy hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Limits {
    /// The kernel holds them.
    Enforced,
    /// They are watched from outside, and acted on a moment late.
    Watched(String),
}

/// Decides.
#[must_use]
pub fn plan(world: &World<'_>, now: Timestamp) -> Plan<InstanceStatus> {
    match world.deleting {
        Some(deleting) => plan_end(world, deleting, now),
        None => plan_life(world, now),
    }
}

/// So long a copy serves on at least: whoever picked it just before it was deleted is still on the way.
const SETTLE: Duration = Duration::from_millis(100);
/// How long until it is looked at again whether calls are still under way.
const DRAINING: Duration = Duration::from_millis(100);

fn plan_end(world: &World<'_>, deleting: Deleting, now: Timestamp) -> Plan<InstanceStatus> {
    let mut look_again = None;
    let mut reason = "Stopping";
    let actions = match world.observed.map(|observed| &observed.state) {
        None | Some(State::Exited(_) | State::Failed(_)) => vec![Action::Remove],
        Some(State::Stopping) => vec![],
        Some(State::Running(_)) if is_draining(world, deleting, now) => {
            look_again = Some(DRAINING);
            reason = "Draining";
            vec![]
        }
        Some(State::Installing(_) | State::Starting | State::Running(_)) => vec![Action::Stop],
    };
    let mut status = world.status.clone();
    status.phase = Some(InstancePhase::Stopping);
    let mut conditions = Conditions::from(&world.status.conditions, world.generation, now);
    let message = match reason {
        "Draining" => "it is being deleted; what is under way with it may finish",
        _ => "it is being deleted",
    };
    conditions.set("Ready", ConditionStatus::False, reason, message);
    status.conditions = conditions.into_inner();
    Plan {
        actions,
        status,
        events: vec![],
        look_again,
    }
}

/// Whether a running copy serves on although it is being deleted.
fn is_draining(world: &World<'_>, deleting: Deleting, now: Timestamp) -> bool {
    let gone_by = now.since(deleting.since);
    let busy = world.observed.is_some_and(|observed| observed.busy);
    gone_by < deleting.drain && (busy || gone_by < SETTLE)
}

/// Decides for a copy that was to be started, when a value that it needs cannot be had.
#[must_use]
pub fn hold(world: &World<'_>, want: Want, now: Timestamp) -> Plan<InstanceStatus> {
    let Want {
        reason,
        message,
        code,
        again,
    } = want;
    let message = format!("{message} ({code})");
    let mut conditions = Conditions::from(&world.status.conditions, world.generation, now);
    let told = find(&world.status.conditions, "Ready").is_some_and(|ready| ready.message == message);
    conditions.set("Ready", ConditionStatus::False, reason, message.clone());
    conditions.set("ReferencesResolved", ConditionStatus::False, reason, message.clone());
    let status = InstanceStatus {
        phase: Some(InstancePhase::Pending),
        pid: None,
        next_try: None,
        observed_generation: Some(world.generation),
        conditions: conditions.into_inner(),
        ..world.status.clone()
    };
    let events = if told {
        vec![]
    } else {
        vec![Happening::warning(reason, message)]
    };
    Plan {
        actions: vec![],
        status,
        events,
        look_again: Some(again),
    }
}

/// A step in a copy's life, before it is written down as conditions.
struct Step {
    phase: InstancePhase,
    reason: &'static str,
    message: String,
    actions: Vec<Action>,
    events: Vec<Happening>,
    look_again: Option<Duration>,
    /// Whether a copy that runs also does what it is there for.
    is_well: bool,
}

impl Step {
    fn new(phase: InstancePhase, reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            phase,
            reason,
            message: message.into(),
            actions: vec![],
            events: vec![],
            look_again: None,
            is_well: true,
        }
    }
}

fn plan_life(world: &World<'_>, now: Timestamp) -> Plan<InstanceStatus> {
    let mut status = world.status.clone();
    let step = match world.observed {
        None => begin(world, &mut status, now),
        Some(observed) => {
            status.pid = observed.pid;
            if observed.container.is_some() {
                status.container.clone_from(&observed.container);
            }
            if let Some((name, version)) = &observed.resolved {
                let (name, version) = (name.clone(), version.clone());
                status.resolved = Some(ResolvedPackage {
                    name,
                    version,
                    generation: world.spec.generation,
                });
            }
            match &observed.state {
                State::Installing(progress) => Step::new(InstancePhase::Starting, "Installing", progress.clone()),
                State::Starting => try_again(world, &status, "waiting for the MCP handshake"),
                State::Running(running) => live(world, &mut status, running, now),
                State::Stopping => Step::new(InstancePhase::Stopping, "Stopping", "it is being stopped"),
                State::Exited(exit) => crash(world, &mut status, exit, now),
                State::Failed(failure) => fail(world, &mut status, failure, now),
            }
        }
    };
    if step.phase != InstancePhase::Running {
        status.running_since = None;
        status.health = None;
    }
    status.phase = Some(step.phase);
    status.observed_generation = Some(world.generation);
    let mut conditions = Conditions::from(&world.status.conditions, world.generation, now);
    let ready = if step.phase == InstancePhase::Running && step.is_well {
        ConditionStatus::True
    } else {
        ConditionStatus::False
    };
    conditions.set("Ready", ready, step.reason, step.message);
    match world.observed.and_then(|observed| observed.limits.as_ref()) {
        None => {}
        Some(Limits::Enforced) => conditions.set("LimitsEnforced", ConditionStatus::True, "Enforced", "by the kernel"),
        Some(Limits::Watched(why)) => {
            conditions.set(
                "LimitsEnforced",
                ConditionStatus::False,
                "Partial",
                format!("watched from outside: {why}"),
            );
        }
    }
    status.conditions = conditions.into_inner();
    Plan {
        actions: step.actions,
        status,
        events: step.events,
        look_again: step.look_again,
    }
}

/// Nothing runs, and nothing is known to have run under this daemon.
fn begin(world: &World<'_>, status: &mut InstanceStatus, now: Timestamp) -> Step {
    status.pid = None;
    if let Some(wait) = pause(status, now) {
        let (reason, message) = said(world.status, "BackOff", "waiting to be started again");
        let mut step = Step::new(status.phase.unwrap_or_default(), reason, message);
        step.look_again = Some(wait);
        return step;
    }
    let mut step = Step::new(InstancePhase::Starting, "Starting", "");
    step.actions.push(Action::Start);
    if world.status.phase == Some(InstancePhase::Running) {
        let run = &world.spec.run;
        let message = if run.remote.is_none() && run.is_contained() && run.is_http() {
            "taken up again: the daemon was restarted"
        } else {
            "started anew: the daemon was restarted"
        };
        step.events.push(Happening::normal("Restarted", message));
    }
    status.next_try = None;
    step
}

/// How long until the next try that was promised, when it is not yet due. In Error nothing is tried: the Server replaces.
fn pause(status: &InstanceStatus, now: Timestamp) -> Option<Duration> {
    let next = status.next_try?;
    let wait = next.since(now);
    (!wait.is_zero() || status.phase == Some(InstancePhase::Error)).then_some(wait)
}

/// What was last said about readiness.
fn said(status: &InstanceStatus, reason: &'static str, message: &str) -> (&'static str, String) {
    match find(&status.conditions, "Ready") {
        Some(ready) if ready.reason == "CrashLoop" => ("CrashLoop", ready.message.clone()),
        Some(ready) if ready.reason == "Exited" => ("Exited", ready.message.clone()),
        Some(_) | None => (reason, message.to_owned()),
    }
}

fn live(world: &World<'_>, status: &mut InstanceStatus, running: &Running, now: Timestamp) -> Step {
    let mut step = Step::new(InstancePhase::Running, "Running", "");
    status.running_since = Some(running.since);
    status.protocol_version = Some(running.protocol_version.clone());
    status.server_info.clone_from(&running.server_info);
    status.tools.clone_from(&running.tools);
    status.next_try = None;
    status.health = world.observed.and_then(|observed| observed.health.clone());
    if world.status.phase != Some(InstancePhase::Running) || world.status.running_since != Some(running.since) {
        let info = running.server_info.as_deref().unwrap_or("an MCP server");
        let message = format!("{info} answers, speaking {}", running.protocol_version);
        step.events.push(Happening::normal("Running", message));
    }
    if status.crashes_in_a_row > 0 {
        let enough = restart_of(world).probation();
        let ran = now.since(running.since);
        let state = status.health.as_ref().map(|health| health.state);
        // One that was ended because it was not well has to show that it is.
        let is_shown = match (status.last_exit.as_ref().is_some_and(|exit| exit.unhealthy), state) {
            (false, _) | (true, Some(HealthState::Healthy)) => true,
            (true, None | Some(HealthState::Unknown | HealthState::Degraded | HealthState::Unhealthy)) => false,
        };
        if ran < enough {
            step.look_again = Some(enough.saturating_sub(ran));
        } else if is_shown {
            status.crashes_in_a_row = 0;
        }
    }
    fare(world, status, running, &mut step);
    step
}

/// What its health makes of a copy that runs.
fn fare(world: &World<'_>, status: &InstanceStatus, running: &Running, step: &mut Step) {
    let Some(health) = &status.health else { return };
    let error = health.last_error.as_deref().unwrap_or("it does not answer");
    let before = world.status.health.as_ref().map(|health| health.state);
    match health.state {
        HealthState::Healthy => {
            if before == Some(HealthState::Degraded) {
                step.events.push(Happening::normal("Healthy", "it answers again"));
            }
        }
        HealthState::Unknown => {
            step.reason = "Unchecked";
            step.message = "it runs; its health check has not answered yet".to_owned();
            step.is_well = false;
        }
        HealthState::Degraded => {
            let ready = find(&world.status.conditions, "Ready");
            // It stays what it was: one that has never been well does not become so by failing.
            step.is_well = world.status.running_since == Some(running.since)
                && ready.is_some_and(|ready| ready.status == ConditionStatus::True);
            step.reason = "Degraded";
            step.message = format!("a health check failed: {error}");
            if before != Some(HealthState::Degraded) {
                step.events.push(Happening::warning("HealthCheckFailed", error));
            }
        }
        HealthState::Unhealthy => {
            step.phase = InstancePhase::Stopping;
            step.reason = "Unhealthy";
            step.message = format!(
                "{} health checks failed in a row: {error} ({})",
                health.failures,
                Code::Unhealthy
            );
            step.actions.push(Action::GiveUp {
                reason: error.to_owned(),
            });
            step.look_again = None;
            step.events.push(Happening::warning("Unhealthy", step.message.clone()));
        }
    }
}

fn crash(world: &World<'_>, status: &mut InstanceStatus, exit: &LastExit, now: Timestamp) -> Step {
    let restart = restart_of(world);
    let told = told_of(exit);
    status.pid = None;
    let new = status.last_exit.as_ref().is_none_or(|last| last.at != exit.at);
    let mut events = vec![];
    if new {
        let ran = Duration::from_millis(exit.ran_for_ms.unwrap_or(0));
        status.crashes_in_a_row = if ran >= restart.probation() && !exit.unhealthy {
            1
        } else {
            status.crashes_in_a_row.saturating_add(1)
        };
        status.restarts = status.restarts.saturating_add(1);
        status.last_exit = Some(exit.clone());
        let wait = backoff(
            restart.first_pause(),
            restart.longest_pause(),
            status.crashes_in_a_row,
            world.uid,
        );
        status.next_try = Some(exit.at.unwrap_or(now).after(wait));
        let reason = if status.crashes_in_a_row >= CRASH_LOOP {
            "CrashLoop"
        } else {
            "Exited"
        };
        events.push(Happening::warning(reason, told.clone()));
    }
    if let Some(wait) = pause_until(status.next_try, now) {
        let next = status
            .next_try
            .map(|next| format!(", next try at {next}"))
            .unwrap_or_default();
        let mut step = match crash_loop(status, &told, &next) {
            Some(step) => step,
            None => Step::new(InstancePhase::Starting, "Exited", format!("{told}{next}")),
        };
        step.look_again = Some(wait);
        step.events = events;
        return step;
    }
    let mut step = try_again(world, status, "");
    status.next_try = None;
    step.actions.push(Action::Start);
    step.events = events;
    step
}

/// It is being started. A copy in a crash loop stays in it until it answers: each try would else hide the loop.
fn try_again(world: &World<'_>, status: &InstanceStatus, message: &str) -> Step {
    let exit = status.last_exit.as_ref().filter(|_| world.spec.run.remote.is_none());
    exit.and_then(|exit| crash_loop(status, &told_of(exit), ", being tried again"))
        .unwrap_or_else(|| Step::new(InstancePhase::Starting, "Starting", message))
}

/// What is said of a copy that has exited too often in a row.
fn crash_loop(status: &InstanceStatus, told: &str, next: &str) -> Option<Step> {
    (status.crashes_in_a_row >= CRASH_LOOP).then(|| {
        let message = format!("{told}; {} restarts{next} ({})", status.restarts, Code::CrashLoop);
        Step::new(InstancePhase::Starting, "CrashLoop", message)
    })
}

fn fail(world: &World<'_>, status: &mut InstanceStatus, failure: &Failure, now: Timestamp) -> Step {
    let restart = restart_of(world);
    let message = format!("{} ({})", failure.message, failure.code);
    status.pid = None;
    let mut events = vec![];
    let last_at = status.last_exit.as_ref().and_then(|exit| exit.at);
    let new = last_at != Some(failure.at);
    if new {
        status.crashes_in_a_row = status.crashes_in_a_row.saturating_add(1);
        status.last_exit = Some(LastExit {
            reason: Some(failure.message.clone()),
            at: Some(failure.at),
            stderr: failure.stderr.clone(),
            ..LastExit::default()
        });
        let failures = match failure.remedy {
            Remedy::Retry => status.crashes_in_a_row,
            Remedy::Replace => world.spec.failed_before.unwrap_or(0).saturating_add(1),
        };
        // A server far away is not asked more often than its probes would.
        let wait = backoff(restart.first_pause(), restart.longest_pause(), failures, world.uid);
        status.next_try = Some(failure.at.after(wait));
        let same = find(&world.status.conditions, "Ready").is_some_and(|ready| ready.message == message);
        if !same {
            events.push(Happening::warning(failure.reason, message.clone()));
        }
    }
    let mut step = match failure.remedy {
        Remedy::Replace => Step::new(InstancePhase::Error, failure.reason, message),
        Remedy::Retry => Step::new(InstancePhase::Starting, failure.reason, message),
    };
    step.events = events;
    match failure.remedy {
        Remedy::Replace => {}
        Remedy::Retry => match pause_until(status.next_try, now) {
            Some(wait) => step.look_again = Some(wait),
            None => {
                status.next_try = None;
                step.actions.push(Action::Start);
            }
        },
    }
    step
}

fn pause_until(next: Option<Timestamp>, now: Timestamp) -> Option<Duration> {
    let wait = next?.since(now);
    (!wait.is_zero()).then_some(wait)
}

fn restart_of(world: &World<'_>) -> Restart {
    world.spec.run.restart.clone().unwrap_or_default()
}

/// How a copy ended, in a clause.
#[must_use]
pub fn told_of(exit: &LastExit) -> String {
    let after = exit
        .ran_for_ms
        .map(|ms| format!(" after {}", seconds(ms)))
        .unwrap_or_default();
    let how = match (&exit.reason, exit.code, &exit.signal) {
        (Some(reason), ..) => format!("stopped: {reason}"),
        (None, Some(code), _) => format!("exited with code {code}"),
        (None, None, Some(signal)) => format!("was ended by {signal}"),
        (None, None, None) => "ended".to_owned(),
    };
    format!("{how}{after}")
}

#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn seconds(ms: u64) -> String {
    if ms < 10_000 {
        format!("{:.1} s", ms as f64 / 1000.0)
    } else {
        format!("{} s", ms / 1000)
    }
}
