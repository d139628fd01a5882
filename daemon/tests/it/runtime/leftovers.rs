//! A daemon that is killed leaves nothing, once the next one has started.
//!
//! The daemon to be killed is this test program itself, started anew with one test to run and told by the environment what
//! to do.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use orch_daemon::runtime::limits::Confinement;

use super::house::{House, Plan, daemon_id, eventually, is_alive, launch, number_in};

/// Tells the doomed daemon where to live, under which id, and how.
const DIRECTORY: &str = "ORCH_TEST_DOOMED";
const DAEMON: &str = "ORCH_TEST_DOOMED_ID";
const CONFINEMENT: &str = "ORCH_TEST_DOOMED_CONFINEMENT";

/// How grandchildren get away there.
const GRANDCHILDREN: [&str; 4] = ["plain", "session", "orphan", "cleared"];

fn confinement(name: &str) -> Confinement {
    if name == "watch" {
        Confinement::WatchOnly
    } else {
        Confinement::Detect
    }
}

/// The doomed daemon: starts copies with grandchildren, says so, and waits for its end.
#[tokio::test]
#[ignore = "run by the tests of this module, as a process of its own"]
async fn doomed() {
    let directory = PathBuf::from(std::env::var_os(DIRECTORY).expect("told where to live"));
    let told = |name: &str| std::env::var(name).expect("told");
    let plan = Plan {
        confinement: confinement(&told(CONFINEMENT)),
        ..Plan::default()
    };
    let house = House::built_in(&directory.join("data"), plan, told(DAEMON));
    for how in GRANDCHILDREN {
        let file = directory.join(how);
        let uid = house.start(&["--grandchild", how, "--pid-file", file.to_str().expect("UTF-8")]);
        let seen = house.until_running(&uid).await;
        std::fs::write(
            directory.join(format!("{how}.leader")),
            seen.pid.expect("a process").to_string(),
        )
        .expect("written");
    }
    // What is watched from outside has been seen by then.
    tokio::time::sleep(Duration::from_millis(1200)).await;
    std::fs::write(directory.join("ready"), "1").expect("written");
    std::future::pending::<()>().await;
}

fn start_doomed(directory: &Path, daemon: &str, confinement: &str) -> Child {
    Command::new(std::env::current_exe().expect("this program"))
        .args(["--exact", "runtime::leftovers::doomed", "--ignored", "--nocapture"])
        .env(DIRECTORY, directory)
        .env(DAEMON, daemon)
        .env(CONFINEMENT, confinement)
        .stdout(Stdio::null())
        .spawn()
        .expect("started")
}

async fn check(name: &str) {
    let directory = tempfile::tempdir().expect("a directory");
    let daemon = daemon_id();
    let mut doomed = start_doomed(directory.path(), &daemon, name);
    number_in(&directory.path().join("ready")).await;
    let mut leaders = Vec::new();
    let mut grandchildren = Vec::new();
    for how in GRANDCHILDREN {
        leaders.push(number_in(&directory.path().join(format!("{how}.leader"))).await);
        grandchildren.push(number_in(&directory.path().join(how)).await);
    }
    doomed.kill().expect("killed");
    doomed.wait().expect("collected");
    eventually("the copies die with their daemon", || {
        leaders.iter().all(|pid| !is_alive(*pid))
    })
    .await;

    let mut bystander = Command::new("sleep").arg("600").spawn().expect("started");
    let plan = Plan {
        confinement: confinement(name),
        ..Plan::default()
    };
    let house = House::built_in(&directory.path().join("data"), plan, daemon);
    let report = house.runtime.reap_leftovers().await;
    assert!(grandchildren.iter().all(|pid| !is_alive(*pid)), "{name}: {report:?}");
    assert_eq!(report.left, Vec::<u32>::new(), "{name}");
    let mut killed: Vec<_> = report.killed.iter().map(|(pid, _)| *pid).collect();
    killed.sort_unstable();
    grandchildren.sort_unstable();
    assert_eq!(killed, grandchildren, "{name}: all of them, and nobody else");
    assert!(
        report
            .killed
            .iter()
            .all(|(_, program)| program.ends_with("orch-fixture")),
        "{report:?}"
    );
    assert!(is_alive(bystander.id()));
    bystander.kill().expect("killed");
    bystander.wait().expect("collected");
    assert_eq!(
        house.runtime.reap_leftovers().await.killed,
        vec![],
        "{name}: nothing is left"
    );
    // And life goes on in the same place.
    let uid = launch(&[]).uid;
    house.start_as(|launch| launch.uid.clone_from(&uid), &[]);
    house.until_running(&uid).await;
    house.runtime.shut_down(Duration::from_secs(3)).await;
}

#[tokio::test]
async fn are_reaped_by_the_next_daemon() {
    check("groups").await;
    check("watch").await;
}
