//! In whatever world: a plan answers, asks for no more than is declared, and is content with the world it asked for.

use std::time::Duration;

use orch_daemon::reconcile::plan::instance::{self, Deleting, Failure, Observed, Remedy, Running, State};
use orch_daemon::reconcile::plan::plain::Link;
use orch_daemon::reconcile::plan::server::{self, Activity, Copy};
use orch_daemon::reconcile::plan::{Action, Broken, backoff, plain};
use orch_shared::kind::{Hazard, Pending};
use orch_shared::kinds::instance::{Health, HealthState, Instance, InstancePhase, InstanceStatus, LastExit};
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

fn health() -> impl Strategy<Value = Option<Health>> {
    use HealthState as H;
    let state = prop_oneof![
        Just(H::Unknown),
        Just(H::Healthy),
        Just(H::Degraded),
        Just(H::Unhealthy)
    ];
    proptest::option::of((state, 0..4_u32).prop_map(|(state, failures)| Health {
        state,
        failures,
        last_error: (failures > 0).then(|| "no answer".to_owned()),
    }))
}

fn instance_status() -> impl Strategy<Value = InstanceStatus> {
    let numbers = (0..9_u32, 0..9_u32);
    (phase(), numbers, instant(), instant(), any::<bool>(), health()).prop_map(
        |(phase, (restarts, crashes_in_a_row), next_try, last, unhealthy, health)| InstanceStatus {
            phase,
            restarts,
            crashes_in_a_row,
            next_try,
            last_exit: last.map(|at| LastExit {
                at: Some(at),
                unhealthy,
                ..LastExit::default()
            }),
            health: health.filter(|_| phase == Some(InstancePhase::Running)),
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
    /// How long ago it was made, in milliseconds.
    age: i64,
    is_of_session: bool,
    status: InstanceStatus,
}

impl Drawn {
    fn serves(&self) -> bool {
        !self.deleting && !self.is_of_session && self.status.phase == Some(InstancePhase::Running)
    }
}

fn copies() -> impl Strategy<Value = Vec<Drawn>> {
    let copy = (
        prop_oneof![Just("now"), Just("then")],
        any::<bool>(),
        0..4_u32,
        0..100_000_i64,
        proptest::bool::weighted(0.1),
        instance_status(),
    );
    proptest::collection::vec(copy, 0..8).prop_map(|copies| {
        let number = copies.into_iter().enumerate();
        number
            .map(
                |(index, (digest, deleting, failed_before, age, is_of_session, status))| Drawn {
                    age,
                    is_of_session,
                    uid: format!("uid-{index}"),
                    name: format!("files-{index}").parse().unwrap(),
                    digest,
                    deleting,
                    failed_before,
                    status,
                },
            )
            .collect()
    })
}

fn spec(replicas: u32) -> Server {
    serde_json::from_value(serde_json::json!({"command": ["x"], "replicas": replicas, "sessions": "isolated"})).unwrap()
}

/// What a server says of idling, and how it is used.
#[derive(Debug, Clone)]
struct Idling {
    suspends: bool,
    recycles: bool,
    suspended_since: Option<Timestamp>,
    activity: Activity,
}

impl Idling {
    const NONE: Self = Self {
        suspends: false,
        recycles: false,
        suspended_since: None,
        activity: Activity {
            used: None,
            woken: None,
            busy: false,
        },
    };

    fn spec(&self, replicas: u32) -> Server {
        let mut run = spec(replicas);
        let idle = serde_json::json!({
            "suspendAfter": self.suspends.then_some("60s"), "maxLifetime": self.recycles.then_some("80s"),
        });
        run.idle = serde_json::from_value(idle).unwrap();
        run
    }

    /// The status of a server that is known.
    fn status(&self) -> ServerStatus {
        ServerStatus {
            suspended_since: self.suspended_since,
            observed_generation: Some(3),
            ..ServerStatus::default()
        }
    }
}

fn idling() -> impl Strategy<Value = Idling> {
    let activity = (instant(), instant(), any::<bool>());
    (any::<bool>(), any::<bool>(), instant(), activity).prop_map(|(suspends, recycles, suspended_since, activity)| {
        Idling {
            suspends,
            recycles,
            suspended_since,
            activity: Activity {
                used: activity.0,
                woken: activity.1,
                busy: activity.2,
            },
        }
    })
}

fn plan_server(
    run: Option<&Server>,
    deleting: bool,
    broken: &[Broken],
    drawn: &[Drawn],
    status: &ServerStatus,
    activity: Activity,
) -> orch_daemon::reconcile::plan::Plan<ServerStatus> {
    let name: Name = "files".parse().unwrap();
    let copies: Vec<_> = drawn
        .iter()
        .map(|copy| Copy {
            uid: &copy.uid,
            name: &copy.name,
            digest: copy.digest,
            failed_before: copy.failed_before,
            created_at: Timestamp::from_millis(NOW.millis() - copy.age),
            is_of_session: copy.is_of_session,
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
        restarted_at: None,
        activity,
        missing: None,
        copies: &copies,
    };
    server::plan(&world, NOW)
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn a_server_is_content_with_the_world_it_asked_for(replicas in 0..5_u32, deleting in any::<bool>(), is_broken in any::<bool>(), idling in idling(), mut drawn in copies()) {
        let run = idling.spec(replicas);
        let broken = if is_broken { vec![Broken("secret `s` is gone".to_owned())] } else { vec![] };
        let look = |drawn: &[Drawn], status: &ServerStatus| plan_server(Some(&run), deleting, &broken, drawn, status, idling.activity);
        let first = look(&drawn, &idling.status());
        prop_assert_eq!(&first, &look(&drawn, &idling.status()));
        for action in &first.actions {
            prop_assert!(!matches!(action, Action::CreateInstance(_)) || (!deleting && !is_broken));
            prop_assert!(!matches!(action, Action::Remove) || (deleting && drawn.is_empty()));
        }
        let was_empty = drawn.is_empty();
        done(&first.actions, &mut drawn)?;
        let current = drawn.iter().filter(|copy| !copy.deleting && !copy.is_of_session && copy.digest == "now").count();
        // Those whose lifetime is over serve on until others do.
        prop_assert!(current <= replicas as usize + usize::from(idling.recycles) * drawn.len());
        let second = look(&drawn, &first.status);
        if !deleting || !was_empty {
            prop_assert_eq!(&second.actions, &Vec::<Action>::new());
        }
        let third = look(&drawn, &second.status);
        prop_assert_eq!(&third.status, &second.status);
        prop_assert!(third.events.is_empty());
    }

    #[test]
    fn an_old_copy_that_serves_goes_only_when_a_new_one_does(replicas in 1..5_u32, recycles in any::<bool>(), drawn in copies()) {
        let idling = Idling { recycles, ..Idling::NONE };
        let plan = plan_server(Some(&idling.spec(replicas)), false, &[], &drawn, &idling.status(), idling.activity);
        let before = drawn.iter().filter(|copy| copy.serves()).count();
        let gone = |copy: &Drawn| plan.actions.iter().any(|action| matches!(action, Action::DeleteInstance { uid } if *uid == copy.uid));
        let after = drawn.iter().filter(|copy| copy.serves() && !gone(copy)).count();
        prop_assert!(after >= before.min(replicas as usize), "{before} served, {after} would");
    }

    #[test]
    fn a_roll_never_serves_less_makes_one_too_many_at_most_and_ends(replicas in 1..5_u32, old in 0..6_usize, stubborn in 0..3_u32) {
        let run = spec(replicas);
        let mut drawn: Vec<_> = (0..old).map(of_old).collect();
        let enough = old.min(replicas as usize);
        let (mut status, mut rounds) = (ServerStatus::default(), 0);
        loop {
            let plan = plan_server(Some(&run), false, &[], &drawn, &status, Activity::default());
            status = plan.status.clone();
            done(&plan.actions, &mut drawn)?;
            // What is deleted is gone by the next time, and what was made takes its time to answer.
            drawn.retain(|copy| !copy.deleting);
            prop_assert!(drawn.iter().filter(|copy| copy.serves()).count() >= enough);
            prop_assert!(drawn.len() <= old.max(replicas as usize + 1));
            let starting = drawn.iter_mut().find(|copy| copy.status.phase != Some(InstancePhase::Running));
            match starting {
                Some(copy) if copy.status.restarts >= stubborn => copy.status.phase = Some(InstancePhase::Running),
                Some(copy) => copy.status.restarts += 1,
                None if plan.actions.is_empty() => break,
                None => {}
            }
            rounds += 1;
            prop_assert!(rounds < 200, "it never ends: {drawn:?}");
        }
        prop_assert_eq!(drawn.len(), replicas as usize);
        prop_assert!(drawn.iter().all(|copy| copy.digest == "now"));
    }

    #[test]
    fn an_instance_is_content_with_the_world_it_asked_for(deleting in proptest::option::of((0..40_000_i64, 0..30_u64)), status in instance_status(), observed in proptest::option::of(observed())) {
        let spec = instance_spec();
        let deleting = deleting.map(|(ago, drain)| Deleting { since: Timestamp::from_millis(NOW.millis() - ago), drain: Duration::from_secs(drain) });
        let look = |status: &InstanceStatus, observed: Option<&Observed>| {
            instance::plan(&instance::World { uid: "u", generation: 1, deleting, spec: &spec, status, observed }, NOW)
        };
        let first = look(&status, observed.as_ref());
        prop_assert_eq!(&first, &look(&status, observed.as_ref()));
        let mut after = observed;
        for action in &first.actions {
            match action {
                Action::Start => {
                    prop_assert!(deleting.is_none());
                    after = Some(seen(State::Starting));
                }
                Action::GiveUp { .. } => {
                    prop_assert!(deleting.is_none());
                    after = Some(seen(State::Stopping));
                }
                Action::Stop => after = Some(seen(State::Stopping)),
                Action::Remove => prop_assert!(deleting.is_some()),
                Action::CreateInstance(_) | Action::DeleteInstance { .. } => prop_assert!(false, "an instance has none of its own"),
            }
        }
        // One that is to go and still serves is looked at again, and not for ever.
        let serves_on = deleting.is_some() && after.as_ref().is_some_and(|seen| matches!(seen.state, State::Running(_)));
        prop_assert_eq!(serves_on, deleting.is_some() && first.look_again.is_some());
        if let (true, Some(Deleting { since, drain })) = (serves_on, deleting) {
            prop_assert!(NOW.since(since) < drain);
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
    fn plain_objects_are_content(deleting in any::<bool>(), is_broken in any::<bool>(), link in prop_oneof![Just(Link::None), Just(Link::Unread), Just(Link::Sound), Just(Link::Broken("no answer".to_owned()))], hazard in proptest::option::of(any::<bool>())) {
        let broken = if is_broken { vec![Broken("llm `x` is gone".to_owned())] } else { vec![] };
        let pending: Vec<_> = hazard.map(|harmless| Pending { path: "spec.x", hazard: if harmless { Hazard::Harmless } else { Hazard::Unsafe } }).into_iter().collect();
        let look = |status: &PlainStatus| plain::plan(&plain::World { generation: 2, deleting, status, broken: &broken, pending: &pending, link: link.clone(), publication: None }, NOW);
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

/// A copy of what was declared before, which serves.
fn of_old(index: usize) -> Drawn {
    Drawn {
        uid: format!("old-{index}"),
        name: format!("files-old{index}").parse().unwrap(),
        digest: "then",
        deleting: false,
        failed_before: 0,
        age: 1_000,
        is_of_session: false,
        status: InstanceStatus {
            phase: Some(InstancePhase::Running),
            ..InstanceStatus::default()
        },
    }
}

/// Does to the copies what a server's plan says.
fn done(actions: &[Action], drawn: &mut Vec<Drawn>) -> Result<(), TestCaseError> {
    for action in actions {
        match action {
            Action::CreateInstance(instance) => {
                let number = drawn.len();
                drawn.push(Drawn {
                    uid: format!(
                        "new-{number}-{}",
                        drawn.iter().filter(|copy| copy.digest == "now").count()
                    ),
                    name: format!("files-new{number}").parse().unwrap(),
                    digest: "now",
                    deleting: false,
                    failed_before: instance.failed_before.unwrap_or(0),
                    age: 0,
                    is_of_session: false,
                    status: InstanceStatus::default(),
                });
            }
            Action::DeleteInstance { uid } => {
                let copy = drawn.iter_mut().find(|copy| copy.uid == *uid);
                let copy = copy.expect("only what is there is deleted");
                prop_assert!(!copy.deleting, "nothing is deleted twice");
                copy.deleting = true;
            }
            Action::Remove => {}
            Action::Start | Action::Stop | Action::GiveUp { .. } => {
                prop_assert!(false, "a server neither starts nor stops processes");
            }
        }
    }
    Ok(())
}

fn instance_spec() -> Instance {
    Instance {
        server: "files".parse().unwrap(),
        generation: 3,
        digest: "now".to_owned(),
        run: Box::new(spec(1)),
        failed_before: None,
        session: None,
    }
}

fn seen(state: State) -> Observed {
    Observed {
        state,
        container: None,
        pid: None,
        resolved: None,
        limits: None,
        health: None,
        busy: false,
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
    let exited = (past.clone(), 0..200_000_u64, any::<bool>()).prop_map(|(at, ran, unhealthy)| {
        State::Exited(LastExit {
            unhealthy,
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
    let state = prop_oneof![
        Just(State::Installing("pulling".to_owned())),
        Just(State::Starting),
        Just(State::Stopping),
        running,
        exited,
        failed
    ];
    (state, health(), any::<bool>()).prop_map(|(state, health, busy)| Observed {
        health: health.filter(|_| matches!(state, State::Running(_))),
        busy,
        ..seen(state)
    })
}
