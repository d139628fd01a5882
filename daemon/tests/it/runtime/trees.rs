//! Whatever a copy has started ends with it, however it got away.

use std::path::PathBuf;
use std::time::Duration;

use orch_daemon::runtime::limits::Confinement;
use orch_daemon::runtime::observation::State;

use super::house::{House, Plan, eventually, is_alive, is_there, number_in};

/// What ends a copy.
#[derive(Debug, Clone, Copy)]
enum End {
    Stop,
    Crash,
    Kill,
}

async fn check(confinement: Confinement, how: &str, end: End) {
    let house = House::built(Plan {
        confinement,
        ..Plan::default()
    });
    let file: PathBuf = house.path("grandchild");
    let mut arguments = vec!["--grandchild", how, "--pid-file", file.to_str().expect("UTF-8")];
    if matches!(end, End::Crash) {
        arguments.extend(["--exit-after", "2500"]);
    }
    let uid = house.start(&arguments);
    let pid = house.until_running(&uid).await.pid.expect("a process");
    let grandchild = number_in(&file).await;
    assert!(is_alive(grandchild), "{how}");
    match end {
        End::Stop => house.runtime.stop(&uid, Duration::from_secs(5)).await,
        End::Crash => {}
        End::Kill => drop(
            std::process::Command::new("kill")
                .args(["-9", &pid.to_string()])
                .status(),
        ),
    }
    let seen = house.until_over(&uid).await;
    assert!(matches!(seen.state, State::Exited(_)), "{how} {end:?}");
    assert!(!is_alive(grandchild), "{how} {end:?} {confinement:?}: nothing is left");
    eventually("no zombies", || !is_there(pid) && !is_there(grandchild)).await;
}

#[tokio::test]
async fn in_control_groups() {
    for how in ["plain", "session", "orphan", "cleared"] {
        check(Confinement::Detect, how, End::Stop).await;
    }
    check(Confinement::Detect, "cleared", End::Crash).await;
    check(Confinement::Detect, "orphan", End::Kill).await;
}

#[tokio::test]
async fn by_mark_descent_and_memory() {
    for how in ["plain", "session", "orphan"] {
        check(Confinement::WatchOnly, how, End::Stop).await;
    }
    check(Confinement::WatchOnly, "orphan", End::Crash).await;
    check(Confinement::WatchOnly, "session", End::Kill).await;
}

#[tokio::test]
async fn what_can_be_told_of_no_copy_ends_with_the_daemon() {
    let house = House::built(Plan {
        confinement: Confinement::WatchOnly,
        ..Plan::default()
    });
    let file = house.path("grandchild");
    let uid = house.start(&["--grandchild", "cleared", "--pid-file", file.to_str().expect("UTF-8")]);
    house.until_running(&uid).await;
    let grandchild = number_in(&file).await;
    house.runtime.shut_down(Duration::from_secs(5)).await;
    assert!(!is_alive(grandchild));
    eventually("no zombie", || !is_there(grandchild)).await;
}

#[tokio::test]
async fn others_are_left_alone() {
    let house = House::new();
    let (first, second) = (house.path("first"), house.path("second"));
    let start = |file: &PathBuf| house.start(&["--grandchild", "orphan", "--pid-file", file.to_str().expect("UTF-8")]);
    let (one, two) = (start(&first), start(&second));
    house.until_running(&one).await;
    house.until_running(&two).await;
    let (gone, stays) = (number_in(&first).await, number_in(&second).await);
    house.runtime.stop(&one, Duration::from_secs(5)).await;
    assert!(!is_alive(gone) && is_alive(stays));
    assert!(matches!(
        house.runtime.observe(&two).expect("seen").state,
        State::Running(_)
    ));
    house.runtime.shut_down(Duration::from_secs(5)).await;
    assert!(!is_alive(stays));
}

#[tokio::test]
async fn orphans_are_collected_while_their_copy_runs() {
    let house = House::new();
    let file = house.path("grandchild");
    let uid = house.start(&["--grandchild", "orphan", "--pid-file", file.to_str().expect("UTF-8")]);
    house.until_running(&uid).await;
    let grandchild = number_in(&file).await;
    drop(
        std::process::Command::new("kill")
            .args(["-9", &grandchild.to_string()])
            .status(),
    );
    eventually("the orphan is collected", || !is_there(grandchild)).await;
    assert!(matches!(
        house.runtime.observe(&uid).expect("seen").state,
        State::Running(_)
    ));
}
