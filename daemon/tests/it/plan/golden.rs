//! Small worlds and what is done in them, as text.

use orch_daemon::reconcile::plan::instance::{self, Observed, Running, State};
use orch_daemon::reconcile::plan::server::{self, Copy};
use orch_daemon::reconcile::plan::{Action, Plan};
use orch_shared::kinds::instance::{Instance, InstancePhase, InstanceStatus, LastExit};
use orch_shared::kinds::server::{Server, ServerStatus};
use orch_shared::name::Name;
use orch_shared::resource::{Phase, Timestamp};

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
                "running" => (InstancePhase::Running, None),
                "starting" | "again" => (InstancePhase::Starting, None),
                "error-due" => (InstancePhase::Error, Some(NOW)),
                "error-later" => (InstancePhase::Error, Some(Timestamp::from_millis(NOW.millis() + 5_000))),
                "gone" => (InstancePhase::Stopping, None),
                other => panic!("{other}"),
            };
            InstanceStatus {
                phase: Some(phase),
                next_try,
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
    // A change of the spec: new copies beside the old ones, which go as new ones answer.
    check_server(2, &["a old running", "b old running"], "Progressing: create, create");
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
    check_server(1, &["a old running", "b new running"], "Ready: delete a ! Ready");
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
    let run: Server = serde_json::from_value(serde_json::json!({"command": ["x"]})).unwrap();
    let spec = Instance {
        server: "files".parse().unwrap(),
        generation: 1,
        digest: "d".to_owned(),
        run: Box::new(run),
        failed_before: None,
    };
    let observed = state.map(|state| Observed {
        state,
        container: None,
        pid: Some(7),
        resolved: None,
        limits: None,
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
