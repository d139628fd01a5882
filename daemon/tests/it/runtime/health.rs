//! How running copies fare: by their own checks, and by what calls of clients meet with.

use std::time::Duration;

use orch_daemon::runtime::launch::Probe;
use orch_daemon::runtime::observation::{Cause, HealthState, Observation, State};
use orch_daemon::runtime::{Load, Traffic, Use};
use serde_json::json;

use super::house::{House, secret, tool};

/// Checks that follow each other quickly.
fn quick(tool: Option<&str>) -> Probe {
    Probe {
        tool: tool.map(str::to_owned),
        interval: Duration::from_millis(100),
        timeout: Duration::from_millis(500),
        threshold: 2,
        ..Probe::default()
    }
}

fn state(seen: &Observation) -> Option<HealthState> {
    seen.health.as_ref().map(|health| health.state)
}

#[tokio::test]
async fn a_copy_that_does_not_answer_is_found_out_and_begins_anew() {
    let house = House::new();
    let deaf = house.path("deaf");
    let uid = house.start_as(
        |launch| launch.probe = quick(None),
        &["--deaf-while", deaf.to_str().expect("text")],
    );
    let seen = house.until_running(&uid).await;
    assert_eq!(state(&seen), Some(HealthState::Healthy), "the handshake has shown it");
    house
        .until(&uid, |seen| {
            seen.health.as_ref().is_some_and(|health| health.checked_at.is_some())
        })
        .await;

    std::fs::write(&deaf, "").expect("written");
    let seen = house
        .until(&uid, |seen| state(seen) == Some(HealthState::Unhealthy))
        .await;
    let health = seen.health.expect("it runs");
    assert_eq!(
        (health.failures, health.last_error.as_deref()),
        (2, Some("no answer within 0.5 s"))
    );
    assert!(matches!(seen.state, State::Running(_)), "a check ends nothing");

    house.runtime.give_up(&uid, "no answer", Duration::from_secs(5)).await;
    let seen = house.until_over(&uid).await;
    let State::Exited(exit) = seen.state else {
        panic!("{seen:?}")
    };
    assert_eq!(exit.cause, Cause::Unhealthy("no answer".to_owned()));
    assert_eq!(seen.health, None);
}

#[tokio::test]
async fn only_its_tool_shows_that_a_copy_is_well() {
    let house = House::new();
    let sick = house.path("sick");
    std::fs::write(&sick, "").expect("written");
    let probe = Probe {
        threshold: 1_000,
        ..quick(Some("echo"))
    };
    let uid = house.start_as(
        |launch| launch.probe = probe,
        &["--sick-while", sick.to_str().expect("text")],
    );
    let seen = house.until_running(&uid).await;
    assert_ne!(state(&seen), Some(HealthState::Healthy));
    let seen = house
        .until(&uid, |seen| state(seen) == Some(HealthState::Degraded))
        .await;
    let error = seen.health.and_then(|health| health.last_error);
    assert_eq!(error.as_deref(), Some("the tool `echo` has failed: it feels unwell"));
    house.runtime.report(&uid, &Traffic::Answered);
    let seen = house.runtime.observe(&uid).expect("known");
    assert_eq!(
        state(&seen),
        Some(HealthState::Degraded),
        "a client's call shows nothing of the tool"
    );

    std::fs::remove_file(&sick).expect("removed");
    let seen = house
        .until(&uid, |seen| state(seen) == Some(HealthState::Healthy))
        .await;
    assert_eq!(
        seen.health.map(|health| (health.failures, health.last_error)),
        Some((0, None))
    );
    // A tool that is not there is a failure as well.
    let probe = Probe {
        tool: Some("crash".to_owned()),
        ..quick(None)
    };
    let uid = house.start_as(|launch| launch.probe = probe, &[]);
    house.until_over(&uid).await;
}

#[tokio::test]
async fn calls_of_clients_count_and_say_no_secret() {
    let house = House::new();
    let slow = Probe {
        interval: Duration::from_secs(3600),
        timeout: Duration::from_millis(1),
        ..Probe::default()
    };
    let uid = house.start_as(
        |launch| {
            launch.probe = slow;
            secret(launch, "TOKEN", "open-sesame");
        },
        &[],
    );
    house.until_running(&uid).await;
    let failed = || Traffic::Failed("it broke off at open-sesame".to_owned());
    house.runtime.report(&uid, &failed());
    let seen = house.runtime.observe(&uid).expect("known");
    assert_eq!(state(&seen), Some(HealthState::Degraded));
    let error = seen.health.and_then(|health| health.last_error);
    assert_eq!(error.as_deref(), Some("it broke off at ***"));
    house.runtime.report(&uid, &Traffic::Answered);
    assert_eq!(
        state(&house.runtime.observe(&uid).expect("known")),
        Some(HealthState::Healthy)
    );
    for _ in 0..3 {
        house.runtime.report(&uid, &failed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(
        state(&house.runtime.observe(&uid).expect("known")),
        Some(HealthState::Unhealthy)
    );
    house.runtime.report("nobody", &failed());
}

#[tokio::test]
async fn who_uses_a_copy_is_known() {
    let house = House::new();
    let uid = house.start(&[]);
    house.until_running(&uid).await;
    assert_eq!(house.runtime.load(&uid), Load::default());
    let rung = house.rung();
    let hold = house.runtime.hold(&uid, Use::Session).expect("known");
    let link = house.runtime.link(&uid).expect("a conversation");
    let call = link
        .request(tool("echo", json!({"pauseMs": 60_000})))
        .await
        .expect("under way");
    assert_eq!(house.runtime.load(&uid), Load { calls: 1, holds: 1 });
    drop((hold, call));
    assert!(house.rung() > rung, "who waits for it to be free looks again");
    house.until(&uid, |_| house.runtime.load(&uid) == Load::default()).await;
    assert!(house.runtime.hold("nobody", Use::Session).is_none());
}

#[tokio::test]
async fn many_hanging_copies_do_not_keep_the_others_from_being_checked() {
    let house = House::new();
    let deaf = house.path("deaf");
    let probe = || Probe {
        timeout: Duration::from_millis(300),
        threshold: 1_000,
        ..quick(None)
    };
    let hanging: Vec<_> = (0..12)
        .map(|_| {
            house.start_as(
                |launch| launch.probe = probe(),
                &["--deaf-while", deaf.to_str().expect("text")],
            )
        })
        .collect();
    let well = house.start_as(|launch| launch.probe = probe(), &[]);
    for uid in hanging.iter().chain([&well]) {
        house.until_running(uid).await;
    }
    std::fs::write(&deaf, "").expect("written");
    for uid in &hanging {
        house
            .until(uid, |seen| state(seen) == Some(HealthState::Degraded))
            .await;
    }
    let checked = |seen: &Observation| seen.health.as_ref().and_then(|health| health.checked_at);
    let before = checked(&house.runtime.observe(&well).expect("known"));
    house.until(&well, |seen| checked(seen) > before).await;
    assert_eq!(
        state(&house.runtime.observe(&well).expect("known")),
        Some(HealthState::Healthy)
    );
}
