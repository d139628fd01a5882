//! Small worlds and what is done in them, as text.

use std::time::Duration;

use orch_daemon::reconcile::plan::instance::{self, Deleting, Observed, Running, State};
use orch_daemon::reconcile::plan::server::{self, Activity, Copy};
use orch_daemon::reconcile::plan::{Action, Plan};
use orch_shared::kinds::instance::{Health, HealthState, Instance, InstancePhase, InstanceStatus, LastExit};
use orch_shared::kinds::server::{Server, ServerStatus};
use orch_shared::name::Name;
use orch_shared::resource::{Condition, ConditionStatus, Phase, Timestamp};

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);

fn told<S>(plan: &Plan<S>, phase: &str) -> String {
    let actions = plan.actions.iter().map(|action| match action {
        Action::CreateInstance(instance) => match instance.failed_before {
            Some(failed) => format!("create after {failed} failures"),
            None => "create".to_owned(),
        },
        Action::DeleteInstance { uid } => format!("delete {uid}"),
        Action::Start => "start".to_owned(),
        Action::Stop => "stop".to_owned(),
        Action::GiveUp { .. } => "give up".to_owned(),
        Action::Remove => "remove".to_owned(),
    });
    let actions: Vec<_> = actions.collect();
    let events: Vec<_> = plan.events.iter().map(|event| event.reason).collect();
    let events = if events.is_empty() {
        String::new()
    } else {
        format!(" ! {}", events.join(", "))
    };
    format!(
        "{phase}: {}{events}",
        if actions.is_empty() {
            "-".to_owned()
        } else {
            actions.join(", ")
        }
    )
}

/// A server of so many replicas with copies written as `uid digest phase`.
fn check_server(replicas: u32, drawn: &[&str], expected: &str) {
    let plan = plan_server(replicas, drawn, &ServerStatus::default());
    assert_eq!(
        told(&plan, &format!("{:?}", plan.status.phase.unwrap())),
        expected,
        "{replicas} of {drawn:?}"
    );
}

fn plan_server(replicas: u32, drawn: &[&str], status: &ServerStatus) -> Plan<ServerStatus> {
    let run: Server = serde_json::from_value(serde_json::json!({"command": ["x"], "replicas": replicas})).unwrap();
    let name: Name = "files".parse().unwrap();
    let statuses: Vec<_> = drawn
        .iter()
        .map(|copy| {
            let word = copy.split(' ').nth(2).unwrap();
            let (phase, next_try) = match word {
                "running" | "unchecked" => (InstancePhase::Running, None),
                "starting" | "again" | "back" | "loops" => (InstancePhase::Starting, None),
                "error-due" => (InstancePhase::Error, Some(NOW)),
                "error-later" => (InstancePhase::Error, Some(Timestamp::from_millis(NOW.millis() + 5_000))),
                "gone" => (InstancePhase::Stopping, None),
                other => panic!("{other}"),
            };
            InstanceStatus {
                phase: Some(phase),
                next_try,
                health: (word == "unchecked").then(Health::default),
                protocol_version: matches!(word, "back" | "loops").then(|| "2026-07-28".to_owned()),
                crashes_in_a_row: if word == "loops" { 3 } else { 0 },
                ..InstanceStatus::default()
            }
        })
        .collect();
    let copies: Vec<_> = drawn
        .iter()
        .zip(&statuses)
        .map(|(copy, status)| {
            let mut words = copy.split(' ');
            let uid = words.next().unwrap();
            Copy {
                uid,
                name: &name,
                digest: words.next().unwrap(),
                failed_before: u32::from(copy.ends_with("again")),
                created_at: NOW,
                is_of_session: false,
                deleting: status.phase == Some(InstancePhase::Stopping),
                status,
            }
        })
        .collect();
    let world = server::World {
        name: &name,
        generation: 2,
        deleting: false,
        run: Some(&run),
        digest: "new",
        template: None,
        status,
        broken: &[],
        pending: &[],
        restarted_at: None,
        activity: Activity::default(),
        missing: None,
        copies: &copies,
    };
    server::plan(&world, NOW)
}

#[test]
fn servers() {
    check_server(2, &[], "Progressing: create, create");
    check_server(2, &["a new running", "b new running"], "Ready: - ! Ready");
    check_server(1, &["a new starting", "b new running"], "Ready: delete a ! Ready");
    check_server(0, &["a new running"], "Ready: delete a ! Ready");
    check_server(0, &[], "Ready: - ! Ready");
    // A change of the spec: one new copy beside the old ones, of which one goes when the new one is ready; and so on.
    check_server(2, &["a old running", "b old running"], "Progressing: create");
    check_server(
        2,
        &["a old running", "b old running", "c new starting"],
        "Progressing: -",
    );
    check_server(2, &["a old running", "c new running"], "Progressing: create");
    check_server(
        2,
        &["a old running", "b old running", "c new running", "d new starting"],
        "Progressing: delete b",
    );
    check_server(
        2,
        &["a old running", "b old starting", "c new starting", "d new starting"],
        "Progressing: delete b",
    );
    // One that has crashed, or whose daemon has started anew, is about to serve again; one that never answered, or keeps
    // crashing, is not.
    check_server(1, &["a old back", "b new starting"], "Progressing: -");
    check_server(
        2,
        &["a old back", "b old running", "c old back", "d new starting"],
        "Progressing: delete c",
    );
    check_server(1, &["a old loops", "b new starting"], "Progressing: delete a");
    check_server(1, &["a old back", "b new running"], "Ready: delete a ! Ready");
    check_server(1, &["a old running", "b new running"], "Ready: delete a ! Ready");
    check_server(1, &["a old running", "b new unchecked"], "Progressing: -");
    check_server(1, &["a old running", "b new error-later"], "Degraded: - ! Degraded");
    // What will not be retried is replaced when its time has come.
    check_server(1, &["a new error-later"], "Degraded: - ! Degraded");
    check_server(
        1,
        &["a new error-due"],
        "Degraded: delete a, create after 1 failures ! Degraded",
    );
    check_server(1, &["a new gone"], "Progressing: create");
}

#[test]
fn a_server_that_fails_stays_degraded_while_it_is_tried_again() {
    let failed = plan_server(1, &["a new error-due"], &ServerStatus::default()).status;
    let again = plan_server(1, &["b new again"], &failed);
    assert_eq!(told(&again, "then"), "then: -");
    assert_eq!((again.status.phase, again.status.restarts), (failed.phase, Some(1)));
    let ready = |status: &ServerStatus| status.conditions.iter().find(|one| one.condition == "Ready").cloned();
    assert_eq!(ready(&again.status), ready(&failed));
    // Of an earlier generation nothing is kept.
    let changed = ServerStatus {
        conditions: Vec::new(),
        ..failed
    };
    assert_eq!(
        plan_server(1, &["b new again"], &changed).status.phase,
        Some(Phase::Progressing)
    );
}

#[test]
fn a_change_that_does_not_come_up_says_so() {
    let said = |drawn: &[&str], name: &str| {
        let conditions = plan_server(1, drawn, &ServerStatus::default()).status.conditions;
        let found = conditions.into_iter().find(|one| one.condition == name).unwrap();
        (found.status, found.reason)
    };
    use ConditionStatus::{False, True};
    for (drawn, progressing, available) in [
        (&["a new running"][..], (False, "Complete"), (True, "Serving")),
        (
            &["a old running", "b new starting"],
            (True, "Progressing"),
            (True, "Serving"),
        ),
        (
            &["a old running", "b new error-later"],
            (False, "RolloutStuck"),
            (True, "Serving"),
        ),
        (&["b new error-later"], (False, "Stuck"), (False, "Unknown")),
    ] {
        assert_eq!(
            said(drawn, "Progressing"),
            (progressing.0, progressing.1.to_owned()),
            "{drawn:?}"
        );
        assert_eq!(
            said(drawn, "Available"),
            (available.0, available.1.to_owned()),
            "{drawn:?}"
        );
    }
}

/// A server that is suspended after a minute, `used` so many seconds ago, and woken so many; with a copy or without.
fn check_idle(suspended: Option<i64>, used: i64, woken: Option<i64>, copy: Option<InstanceStatus>, expected: &str) {
    let ago = |seconds: i64| Timestamp::from_millis(NOW.millis() - seconds * 1000);
    let spec = serde_json::json!({"command": ["x"], "replicas": 1, "idle": {"suspendAfter": "60s"}});
    let run: Server = serde_json::from_value(spec).unwrap();
    let name: Name = "files".parse().unwrap();
    let status = ServerStatus {
        suspended_since: suspended.map(ago),
        awake_since: Some(ago(3600)),
        observed_generation: Some(2),
        ..ServerStatus::default()
    };
    let copies: Vec<_> = copy
        .iter()
        .map(|status| Copy {
            uid: "a",
            name: &name,
            digest: "new",
            failed_before: 0,
            created_at: NOW,
            is_of_session: false,
            deleting: false,
            status,
        })
        .collect();
    let world = server::World {
        name: &name,
        generation: 2,
        deleting: false,
        run: Some(&run),
        digest: "new",
        template: None,
        status: &status,
        broken: &[],
        pending: &[],
        restarted_at: None,
        activity: Activity {
            used: Some(ago(used)),
            woken: woken.map(ago),
            busy: false,
        },
        missing: None,
        copies: &copies,
    };
    let plan = server::plan(&world, NOW);
    let ready = plan
        .status
        .conditions
        .iter()
        .find(|one| one.condition == "Ready")
        .unwrap();
    let said = format!(
        "{} {}",
        told(&plan, &format!("{:?}", plan.status.phase.unwrap())),
        ready.reason
    );
    assert_eq!(said, expected, "suspended {suspended:?}, used {used}, woken {woken:?}");
}

#[test]
fn servers_that_nobody_uses_rest() {
    let copy = |phase, crashes_in_a_row| {
        Some(InstanceStatus {
            phase: Some(phase),
            crashes_in_a_row,
            ..InstanceStatus::default()
        })
    };
    let running = || copy(InstancePhase::Running, 0);
    check_idle(None, 30, None, running(), "Ready: - ! Ready Ready");
    check_idle(None, 61, None, running(), "Suspended: delete a ! Suspended Suspended");
    // What is not ready is not hidden.
    check_idle(
        None,
        61,
        None,
        copy(InstancePhase::Starting, 1),
        "Degraded: - ! Degraded Unknown",
    );
    check_idle(Some(10), 90, Some(20), None, "Suspended: - Suspended");
    // Woken: it starts, and is awake once a copy answers. The first that fails ends the wake.
    check_idle(Some(10), 90, Some(5), None, "Progressing: create Progressing");
    check_idle(
        Some(10),
        90,
        Some(5),
        copy(InstancePhase::Starting, 0),
        "Progressing: - Progressing",
    );
    check_idle(Some(10), 90, Some(5), running(), "Ready: - ! Ready Ready");
    check_idle(
        Some(10),
        90,
        Some(5),
        copy(InstancePhase::Error, 1),
        "Suspended: delete a ! WakeFailed WakeFailed",
    );
}

fn check_instance(status: &InstanceStatus, state: Option<State>, deleting: bool, expected: &str) {
    let said = format!("{status:?} {state:?}");
    let plan = plan_of(status, state, deleting);
    assert_eq!(
        told(&plan, &format!("{:?}", plan.status.phase.unwrap())),
        expected,
        "{said}"
    );
}

fn plan_of(status: &InstanceStatus, state: Option<State>, deleting: bool) -> Plan<InstanceStatus> {
    let deleting = deleting.then_some(Deleting {
        since: Timestamp::from_millis(NOW.millis() - 1_000),
        drain: Duration::from_secs(30),
    });
    plan_seen(status, state.map(|state| (state, None, false)), deleting)
}

fn plan_seen(
    status: &InstanceStatus,
    state: Option<(State, Option<Health>, bool)>,
    deleting: Option<Deleting>,
) -> Plan<InstanceStatus> {
    let run: Server = serde_json::from_value(serde_json::json!({"command": ["x"]})).unwrap();
    let spec = Instance {
        server: "files".parse().unwrap(),
        generation: 1,
        digest: "d".to_owned(),
        run: Box::new(run),
        failed_before: None,
        session: None,
    };
    let observed = state.map(|(state, health, busy)| Observed {
        state,
        container: None,
        pid: Some(7),
        resolved: None,
        limits: None,
        health,
        busy,
    });
    let world = instance::World {
        uid: "u",
        generation: 1,
        deleting,
        spec: &spec,
        status,
        observed: observed.as_ref(),
    };
    instance::plan(&world, NOW)
}

/// What is said of readiness.
fn ready_reason(status: &InstanceStatus, state: State) -> String {
    let conditions = plan_of(status, Some(state), false).status.conditions;
    let ready = conditions.into_iter().find(|condition| condition.condition == "Ready");
    ready.map(|ready| ready.reason).unwrap_or_default()
}

#[test]
fn instances() {
    let blank = InstanceStatus::default();
    let ago = |millis: i64| Timestamp::from_millis(NOW.millis() - millis);
    let running = || {
        State::Running(Running {
            since: ago(1),
            protocol_version: "2025-11-25".to_owned(),
            server_info: None,
            tools: None,
        })
    };
    let exited = |at: i64| {
        State::Exited(LastExit {
            code: Some(3),
            at: Some(ago(at)),
            ran_for_ms: Some(10),
            ..LastExit::default()
        })
    };
    check_instance(&blank, None, false, "Starting: start");
    check_instance(&blank, Some(State::Starting), false, "Starting: -");
    check_instance(&blank, Some(running()), false, "Running: - ! Running");
    // A crash is started again in place, after a pause.
    check_instance(&blank, Some(exited(0)), false, "Starting: - ! Exited");
    check_instance(&blank, Some(exited(5_000)), false, "Starting: start ! Exited");
    let looping = InstanceStatus {
        crashes_in_a_row: 2,
        ..InstanceStatus::default()
    };
    check_instance(&looping, Some(exited(0)), false, "Starting: - ! CrashLoop");
    // It is in the loop also while it is being tried again.
    let tried = InstanceStatus {
        crashes_in_a_row: 3,
        last_exit: Some(LastExit {
            code: Some(3),
            ..LastExit::default()
        }),
        ..InstanceStatus::default()
    };
    assert_eq!(ready_reason(&tried, State::Starting), "CrashLoop");
    assert_eq!(ready_reason(&looping, State::Starting), "Starting");
    // The daemon was restarted: its children died with it.
    let was = InstanceStatus {
        phase: Some(InstancePhase::Running),
        ..InstanceStatus::default()
    };
    check_instance(&was, None, false, "Starting: start ! Restarted");
    check_instance(&was, Some(running()), true, "Stopping: stop");
    check_instance(&was, Some(State::Stopping), true, "Stopping: -");
    check_instance(&was, None, true, "Stopping: remove");
}

#[test]
fn health() {
    let running_since = Timestamp::from_millis(NOW.millis() - 1);
    let check = |before: Option<HealthState>, now: HealthState, expected: &str| {
        let health = |state| Health {
            state,
            failures: 1,
            last_error: Some("no answer within 5 s".to_owned()),
        };
        let ready = before == Some(Healthy);
        let status = InstanceStatus {
            phase: Some(InstancePhase::Running),
            running_since: Some(running_since),
            health: before.map(health),
            conditions: vec![Condition {
                condition: "Ready".to_owned(),
                status: if ready {
                    ConditionStatus::True
                } else {
                    ConditionStatus::False
                },
                reason: "Running".to_owned(),
                message: String::new(),
                last_transition_time: running_since,
                observed_generation: 1,
            }],
            ..InstanceStatus::default()
        };
        let running = State::Running(Running {
            since: running_since,
            protocol_version: "2025-11-25".to_owned(),
            server_info: None,
            tools: None,
        });
        let plan = plan_seen(&status, Some((running, Some(health(now)), false)), None);
        let ready = plan
            .status
            .conditions
            .iter()
            .find(|one| one.condition == "Ready")
            .unwrap();
        let said = format!(
            "{} {:?}",
            told(&plan, &format!("{:?}", plan.status.phase.unwrap())),
            ready.status
        );
        assert_eq!(said, expected, "{before:?} {now:?}");
    };
    use HealthState::{Degraded, Healthy, Unhealthy, Unknown};
    check(Some(Healthy), Healthy, "Running: - True");
    check(Some(Healthy), Degraded, "Running: - ! HealthCheckFailed True");
    check(Some(Degraded), Healthy, "Running: - ! Healthy True");
    check(Some(Degraded), Unhealthy, "Stopping: give up ! Unhealthy False");
    // One that has not shown yet that it is well does not become ready by failing.
    check(Some(Unknown), Unknown, "Running: - False");
    check(Some(Unknown), Degraded, "Running: - ! HealthCheckFailed False");
}

#[test]
fn what_ends_because_it_is_not_well_backs_off_however_long_it_ran() {
    let exited = |unhealthy| {
        State::Exited(LastExit {
            unhealthy,
            at: Some(NOW),
            ran_for_ms: Some(300_000),
            ..LastExit::default()
        })
    };
    let before = InstanceStatus {
        crashes_in_a_row: 4,
        ..InstanceStatus::default()
    };
    for (unhealthy, crashes) in [(false, 1), (true, 5)] {
        let plan = plan_seen(&before, Some((exited(unhealthy), None, false)), None);
        assert_eq!(plan.status.crashes_in_a_row, crashes);
    }
}

#[test]
fn what_is_to_go_finishes_what_is_under_way() {
    let running = || {
        State::Running(Running {
            since: NOW,
            protocol_version: "2025-11-25".to_owned(),
            server_info: None,
            tools: None,
        })
    };
    for (ago, busy, expected) in [
        // Whoever picked it just before is on the way.
        (10, false, "Stopping: -"),
        (1_000, false, "Stopping: stop"),
        (1_000, true, "Stopping: -"),
        (29_000, true, "Stopping: -"),
        (30_000, true, "Stopping: stop"),
    ] {
        let deleting = Deleting {
            since: Timestamp::from_millis(NOW.millis() - ago),
            drain: Duration::from_secs(30),
        };
        let plan = plan_seen(
            &InstanceStatus::default(),
            Some((running(), None, busy)),
            Some(deleting),
        );
        assert_eq!(
            told(&plan, &format!("{:?}", plan.status.phase.unwrap())),
            expected,
            "{ago} {busy}"
        );
    }
}
