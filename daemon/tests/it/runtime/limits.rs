//! Limits hold: by control groups where this machine has them, and by watching.

use std::path::Path;
use std::time::Duration;

use orch_daemon::runtime::launch::Limits;
use orch_daemon::runtime::limits::Confinement;
use orch_daemon::runtime::observation::{Cause, Enforced, State};

use super::house::{House, Plan};

const MEBI: u64 = 1 << 20;

/// Starts a fixture within limits and says whether they are enforced, and what came of it.
async fn check(confinement: Confinement, limits: Limits, arguments: &[&str]) -> (Enforced, State) {
    let house = House::built(Plan {
        confinement,
        ..Plan::default()
    });
    let temporary = house.path("temporary");
    std::fs::create_dir(&temporary).expect("made");
    let change = |launch: &mut orch_daemon::runtime::Launch| {
        launch.limits = limits;
        launch
            .env
            .push(("TMPDIR".to_owned(), temporary.to_str().expect("UTF-8").to_owned()));
    };
    let uid = house.start_as(change, arguments);
    let seen = house
        .until(&uid, |seen| {
            seen.state.is_over() || matches!(seen.state, State::Running(_))
        })
        .await;
    house.runtime.shut_down(Duration::from_secs(3)).await;
    let left: Vec<_> = control_groups(&house.daemon).collect();
    assert!(left.is_empty(), "control groups are removed: {left:?}");
    (seen.limits, seen.state)
}

fn control_groups(daemon: &str) -> impl Iterator<Item = std::path::PathBuf> {
    fn walk(directory: &Path, wanted: &str, found: &mut Vec<std::path::PathBuf>) {
        for entry in std::fs::read_dir(directory)
            .into_iter()
            .flatten()
            .flatten()
            .filter(|entry| entry.file_type().is_ok_and(|kind| kind.is_dir()))
        {
            if entry.file_name().to_string_lossy().ends_with(wanted) {
                found.push(entry.path());
            }
            walk(&entry.path(), wanted, found);
        }
    }
    let mut found = Vec::new();
    walk(Path::new("/sys/fs/cgroup"), daemon, &mut found);
    found.into_iter()
}

/// Whether control groups can be had here, by the runtime's own account.
async fn has_control_groups() -> bool {
    let limits = Limits {
        memory: Some(256 * MEBI),
        processes: Some(64),
        cpu: Some(1000),
    };
    let (enforced, _) = check(Confinement::Detect, limits, &[]).await;
    let has = enforced == Enforced::Full;
    if !has {
        assert!(
            std::env::var_os("ORCH_REQUIRE_ALL").is_none(),
            "control groups are required, but: {enforced:?}"
        );
        println_skipped("no control groups can be used here");
    }
    has
}

#[expect(clippy::print_stderr, reason = "a skipped test says why")]
fn println_skipped(reason: &str) {
    eprintln!("skipped: {reason}");
}

fn cause(state: &State) -> &Cause {
    match state {
        State::Exited(exit) => &exit.cause,
        other => panic!("not exited: {other:?}"),
    }
}

#[tokio::test]
async fn the_kernel_holds_them() {
    if !has_control_groups().await {
        return;
    }
    let limits = Limits {
        memory: Some(48 * MEBI),
        processes: Some(16),
        cpu: Some(500),
    };
    let (enforced, state) = check(Confinement::Detect, limits, &[]).await;
    assert!(
        matches!(state, State::Running(_)),
        "within its limits it runs: {state:?}"
    );
    assert_eq!(enforced, Enforced::Full);

    let (_, state) = check(Confinement::Detect, limits, &["--eat", "200000000"]).await;
    assert_eq!(
        cause(&state),
        &Cause::LimitExceeded("memory limit of 48Mi exceeded".to_owned())
    );

    let (_, state) = check(Confinement::Detect, limits, &["--fork", "40"]).await;
    assert_eq!(
        cause(&state),
        &Cause::LimitExceeded("limit of 16 processes reached".to_owned())
    );
}

#[tokio::test]
async fn they_are_watched_where_the_kernel_does_not() {
    let limits = Limits {
        memory: Some(64 * MEBI),
        processes: Some(16),
        cpu: Some(500),
    };
    let (enforced, state) = check(Confinement::WatchOnly, limits, &[]).await;
    assert!(
        matches!(state, State::Running(_)),
        "within its limits it runs: {state:?}"
    );
    let Enforced::Partial(reason) = enforced else {
        panic!("{enforced:?}")
    };
    assert!(
        reason.contains("memory and the number of processes watched") && reason.contains("processor time not limited"),
        "{reason}"
    );

    // It does not answer, so that the watcher is what ends it.
    let (_, state) = check(Confinement::WatchOnly, limits, &["--eat", "200000000", "--hang"]).await;
    assert_eq!(
        cause(&state),
        &Cause::LimitExceeded("memory limit of 64Mi exceeded".to_owned())
    );

    let limits = Limits { memory: None, ..limits };
    let (_, state) = check(Confinement::WatchOnly, limits, &["--fork", "40", "--hang"]).await;
    assert_eq!(
        cause(&state),
        &Cause::LimitExceeded("limit of 16 processes reached".to_owned())
    );
}

#[tokio::test]
async fn nothing_is_said_where_nothing_is_asked() {
    for confinement in [Confinement::Detect, Confinement::WatchOnly] {
        let (enforced, state) = check(confinement, Limits::default(), &[]).await;
        assert!(matches!(state, State::Running(_)));
        assert_eq!(enforced, Enforced::NotAsked);
    }
}
