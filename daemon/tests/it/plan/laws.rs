//! In whatever world: a plan answers, asks for no more than is declared, and is content with the world it asked for.

use std::time::Duration;

use orch_daemon::reconcile::plan::instance::{self, Failure, Observed, Remedy, Running, State};
use orch_daemon::reconcile::plan::server::{self, Copy};
use orch_daemon::reconcile::plan::{Action, Broken, backoff, plain};
use orch_shared::kind::{Hazard, Pending};
use orch_shared::kinds::instance::{Instance, InstancePhase, InstanceStatus, LastExit};
use orch_shared::kinds::server::{Server, ServerStatus};
use orch_shared::name::Name;
use orch_shared::problem::Code;
use orch_shared::resource::{PlainStatus, Timestamp};
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_millis(1_800_000_000_000);
const CASES: u32 = 100_000;

fn cases() -> ProptestConfig {
    ProptestConfig {
        cases: CASES,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Around now: before, at, after, or not said.
fn instant() -> impl Strategy<Value = Option<Timestamp>> {
    prop_oneof![
        Just(None),
        (-200_000_i64..200_000).prop_map(|offset| Some(Timestamp::from_millis(NOW.millis() + offset)))
    ]
}

fn phase() -> impl Strategy<Value = Option<InstancePhase>> {
    use InstancePhase as P;
    prop_oneof![
        Just(None),
        Just(Some(P::Pending)),
        Just(Some(P::Starting)),
        Just(Some(P::Running)),
        Just(Some(P::Stopping)),
        Just(Some(P::Error))
    ]
}

fn instance_status() -> impl Strategy<Value = InstanceStatus> {
    (phase(), 0..9_u32, 0..9_u32, instant(), instant()).prop_map(
        |(phase, restarts, crashes_in_a_row, next_try, last)| InstanceStatus {
            phase,
            restarts,
            crashes_in_a_row,
            next_try,
            last_exit: last.map(|at| LastExit {
                at: Some(at),
                ..LastExit::default()
            }),
            ..InstanceStatus::default()
        },
    )
}

/// A copy as a test draws it: digest, deletion, failures before it, status.
#[derive(Debug, Clone)]
struct Drawn {
    uid: String,
    name: Name,
    digest: &'static str,
    deleting: bool,
    failed_before: u32,
    status: InstanceStatus,
}

fn copies() -> impl Strategy<Value = Vec<Drawn>> {
    let copy = (
        prop_oneof![Just("now"), Just("then")],
        any::<bool>(),
        0..4_u32,
        instance_status(),
    );
    proptest::collection::vec(copy, 0..8).prop_map(|copies| {
        let number = copies.into_iter().enumerate();
        number
            .map(|(index, (digest, deleting, failed_before, status))| Drawn {
                uid: format!("uid-{index}"),
                name: format!("files-{index}").parse().unwrap(),
                digest,
                deleting,
                failed_before,
                status,
            })
            .collect()
    })
}

fn spec(replicas: u32) -> Server {
    serde_json::from_value(serde_json::json!({"command": ["x"], "replicas": replicas})).unwrap()
}

fn plan_server(
    run: Option<&Server>,
    deleting: bool,
    broken: &[Broken],
    drawn: &[Drawn],
    status: &ServerStatus,
) -> orch_daemon::reconcile::plan::Plan<ServerStatus> {
    let name: Name = "files".parse().unwrap();
    let copies: Vec<_> = drawn
        .iter()
        .map(|copy| Copy {
            uid: &copy.uid,
            name: &copy.name,
            digest: copy.digest,
            failed_before: copy.failed_before,
            deleting: copy.deleting,
            status: &copy.status,
        })
        .collect();
    let world = server::World {
        name: &name,
        generation: 3,
        deleting,
        run,
        digest: "now",
        template: None,
        status,
        broken,
        pending: &[],
        copies: &copies,
    };
    server::plan(&world, NOW)
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_server_is_content_with_the_world_it_asked_for(replicas in 0..5_u32, deleting in any::<bool>(), is_broken in any::<bool>(), mut drawn in copies()) {
        let run = spec(replicas);
        let broken = if is_broken { vec![Broken("secret `s` is gone".to_owned())] } else { vec![] };
        let first = plan_server(Some(&run), deleting, &broken, &drawn, &ServerStatus::default());
        prop_assert_eq!(&first, &plan_server(Some(&run), deleting, &broken, &drawn, &ServerStatus::default()));
        let mut created = 0;
        for action in &first.actions {
            match action {
                Action::CreateInstance(instance) => {
                    created += 1;
                    prop_assert!(!deleting && !is_broken);
                    drawn.push(Drawn {
                        uid: format!("new-{created}"),
                        name: format!("files-new{created}").parse().unwrap(),
                        digest: "now",
                        deleting: false,
                        failed_before: instance.failed_before.unwrap_or(0),
                        status: InstanceStatus::default(),
                    });
                }
                Action::DeleteInstance { uid } => {
                    let copy = drawn.iter_mut().find(|copy| copy.uid == *uid).expect("only what is there is deleted");
                    prop_assert!(!copy.deleting, "nothing is deleted twice");
                    copy.deleting = true;
                }
                Action::Remove => prop_assert!(deleting && drawn.is_empty()),
                Action::Start | Action::Stop => prop_assert!(false, "a server neither starts nor stops processes"),
            }
        }
        let current = drawn.iter().filter(|copy| !copy.deleting && copy.digest == "now").count();
        prop_assert!(current <= replicas as usize);
        let second = plan_server(Some(&run), deleting, &broken, &drawn, &first.status);
        if !deleting || !drawn.is_empty() {
            prop_assert_eq!(&second.actions, &Vec::<Action>::new());
        }
        let third = plan_server(Some(&run), deleting, &broken, &drawn, &second.status);
        prop_assert_eq!(&third.status, &second.status);
        prop_assert!(third.events.is_empty());
    }

    #[test]
    fn an_old_copy_that_serves_goes_only_when_a_new_one_does(replicas in 1..5_u32, drawn in copies()) {
        let run = spec(replicas);
        let plan = plan_server(Some(&run), false, &[], &drawn, &ServerStatus::default());
        let serves = |copy: &&Drawn| !copy.deleting && copy.status.phase == Some(InstancePhase::Running);
        let before = drawn.iter().filter(serves).count();
        let gone = |copy: &Drawn| plan.actions.iter().any(|action| matches!(action, Action::DeleteInstance { uid } if *uid == copy.uid));
        let after = drawn.iter().filter(serves).filter(|copy| !gone(copy)).count();
        prop_assert!(after >= before.min(replicas as usize), "{before} served, {after} would");
    }

    #[test]
    fn an_instance_is_content_with_the_world_it_asked_for(deleting in any::<bool>(), status in instance_status(), observed in proptest::option::of(observed())) {
        let spec = instance_spec();
        let look = |status: &InstanceStatus, observed: Option<&Observed>| {
            instance::plan(&instance::World { uid: "u", generation: 1, deleting, spec: &spec, status, observed }, NOW)
        };
        let first = look(&status, observed.as_ref());
        prop_assert_eq!(&first, &look(&status, observed.as_ref()));
        let mut after = observed;
        for action in &first.actions {
            match action {
                Action::Start => {
                    prop_assert!(!deleting);
                    after = Some(seen(State::Starting));
                }
                Action::Stop => after = Some(seen(State::Stopping)),
                Action::Remove => prop_assert!(deleting),
                Action::CreateInstance(_) | Action::DeleteInstance { .. } => prop_assert!(false, "an instance has none of its own"),
            }
        }
        if first.actions.contains(&Action::Remove) {
            return Ok(());
        }
        let second = look(&first.status, after.as_ref());
        prop_assert_eq!(&second.actions, &Vec::<Action>::new());
        let third = look(&second.status, after.as_ref());
        prop_assert_eq!(&third.status, &second.status);
        prop_assert!(third.events.is_empty());
    }

    #[test]
    fn plain_objects_are_content(deleting in any::<bool>(), is_broken in any::<bool>(), hazard in proptest::option::of(any::<bool>())) {
        let broken = if is_broken { vec![Broken("llm `x` is gone".to_owned())] } else { vec![] };
        let pending: Vec<_> = hazard.map(|harmless| Pending { path: "spec.x", hazard: if harmless { Hazard::Harmless } else { Hazard::Unsafe } }).into_iter().collect();
        let look = |status: &PlainStatus| plain::plan(&plain::World { generation: 2, deleting, status, broken: &broken, pending: &pending }, NOW);
        let first = look(&PlainStatus::default());
        let second = look(&first.status);
        prop_assert_eq!(&second.status, &first.status);
        prop_assert!(second.events.is_empty());
        prop_assert_eq!(second.actions.is_empty(), !deleting);
    }

    #[test]
    fn waits_grow_and_stay_within_bounds(initial in 1..10_000_u64, most in 1..600_000_u64, failures in 1..64_u32, seed in "[a-z]{0,8}") {
        let (initial, most) = (Duration::from_millis(initial), Duration::from_millis(most));
        let wait = backoff(initial, most, failures, &seed);
        prop_assert!(wait <= most);
        prop_assert!(wait >= (initial * 9 / 10).min(most * 9 / 10));
        prop_assert_eq!(wait, backoff(initial, most, failures, &seed));
    }
}

fn instance_spec() -> Instance {
    Instance {
        server: "files".parse().unwrap(),
        generation: 3,
        digest: "now".to_owned(),
        run: Box::new(spec(1)),
        failed_before: None,
    }
}

fn seen(state: State) -> Observed {
    Observed {
        state,
        container: None,
        pid: None,
        resolved: None,
        limits: None,
    }
}

fn observed() -> impl Strategy<Value = Observed> {
    let past = (0..200_000_i64).prop_map(|ago| Timestamp::from_millis(NOW.millis() - ago));
    let running = past.clone().prop_map(|since| {
        State::Running(Running {
            since,
            protocol_version: "2025-11-25".to_owned(),
            server_info: None,
            tools: None,
        })
    });
    let exited = (past.clone(), 0..200_000_u64).prop_map(|(at, ran)| {
        State::Exited(LastExit {
            code: Some(1),
            at: Some(at),
            ran_for_ms: Some(ran),
            ..LastExit::default()
        })
    });
    let failed = (past, any::<bool>()).prop_map(|(at, retry)| {
        State::Failed(Failure {
            code: Code::InstallFailed,
            reason: "InstallFailed",
            message: "no".to_owned(),
            at,
            remedy: if retry { Remedy::Retry } else { Remedy::Replace },
            stderr: vec![],
        })
    });
    prop_oneof![
        Just(State::Installing("pulling".to_owned())),
        Just(State::Starting),
        Just(State::Stopping),
        running,
        exited,
        failed
    ]
    .prop_map(seen)
}
