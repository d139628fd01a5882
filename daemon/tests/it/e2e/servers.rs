//! Servers whose processes crash, hang, escape and change.

use rustix::process::Signal;
use serde_json::json;

use super::{condition, copies, manifest, pids, server, server_with};
use crate::support::daemon::{Home, eventually};
use crate::support::processes;

/// A quick recovery, so that a story need not wait for a patient one.
fn impatient() -> serde_json::Value {
    json!({"restart": {"backoffInitial": "100ms", "backoffMax": "300ms"}})
}

#[test]
fn a_killed_child_is_started_again() {
    let home = Home::new().started();
    home.apply(&server_with("files", &[], impatient()));
    home.until_ready(&["server/files"]);
    let before = pids(&home, "files");
    assert_eq!(before.len(), 1);
    processes::signal(before[0], Signal::KILL);
    eventually("another process answers", || {
        let after = pids(&home, "files");
        after.len() == 1 && after != before
    });
    let copy = &copies(&home, "files")[0];
    assert_eq!(copy["status"]["restarts"], 1, "{copy}");
    assert_eq!(copy["status"]["lastExit"]["signal"], "SIGKILL", "{copy}");
    home.until_ready(&["server/files"]);
}

#[test]
fn a_crash_loop_is_told_apart_and_disturbs_nobody() {
    let home = Home::new().started();
    let broken = server_with(
        "broken",
        &["--say", "no such module", "--exit", "--exit-code", "7"],
        impatient(),
    );
    home.apply(&format!("{broken}{}", server("well", &[])));
    home.until_ready(&["server/well"]);
    let well = pids(&home, "well");
    eventually("the loop is seen", || {
        condition(&home.get("servers/broken"), "Ready") == ("False".into(), "CrashLoop".into())
    });
    let broken = home.get("servers/broken");
    assert_eq!(broken["status"]["phase"], "Degraded");
    assert_eq!(condition(&broken, "Healthy").0, "False");
    home.orchctl(&["why", "server/broken"])
        .expect(0)
        .saying(&["CrashLoop", "7", "no such module"]);
    assert_eq!(
        (pids(&home, "well"), condition(&home.get("servers/well"), "Ready").0),
        (well, "True".to_owned())
    );
}

#[test]
fn delete_leaves_no_process() {
    let home = Home::new().started();
    let pid_file = home.path("grandchild");
    let escape = [
        "--grandchild",
        "session",
        "--pid-file",
        pid_file.to_str().expect("text"),
    ];
    home.apply(&format!(
        "{}{}",
        server("files", &escape),
        server("stubborn", &["--ignore-end"])
    ));
    home.until_ready(&["server/files", "server/stubborn"]);
    eventually("there is a grandchild", || {
        processes_in(&pid_file).is_some_and(processes::is_alive)
    });
    home.orchctl(&["delete", "server", "files", "stubborn"]).expect(0);
    assert_eq!(
        home.processes()
            .into_iter()
            .map(processes::describe)
            .collect::<Vec<_>>(),
        Vec::<String>::new()
    );
    assert!(!processes_in(&pid_file).is_some_and(processes::is_alive));
}

/// The process id that the fixture wrote.
fn processes_in(file: &std::path::Path) -> Option<u32> {
    std::fs::read_to_string(file).ok()?.trim().parse().ok()
}

#[test]
fn a_daemon_that_ends_takes_its_processes_along() {
    let mut home = Home::new().started();
    home.apply(&format!(
        "{}{}",
        server("files", &[]),
        server("stubborn", &["--ignore-end"])
    ));
    home.until_ready(&["server/files", "server/stubborn"]);
    assert_eq!(home.processes().len(), 2);
    assert_eq!(home.stop(), 0);
    assert_eq!(
        home.processes()
            .into_iter()
            .map(processes::describe)
            .collect::<Vec<_>>(),
        Vec::<String>::new()
    );
    home.start();
    home.until_ready(&["server/files", "server/stubborn"]);
}

#[test]
fn after_a_crash_of_the_daemon_nothing_old_is_left_and_everything_comes_back() {
    let mut home = Home::new().started();
    let manifests: Vec<_> = ["plain", "session", "orphan"]
        .iter()
        .map(|how| {
            let pid_file = home.path(how);
            server(
                how,
                &["--grandchild", how, "--pid-file", pid_file.to_str().expect("text")],
            )
        })
        .collect();
    home.apply(&manifests.concat());
    let servers = ["server/plain", "server/session", "server/orphan"];
    home.until_ready(&servers);
    let old = home.processes();
    assert!(old.len() >= 6, "three children and three grandchildren: {old:?}");
    home.kill_9();
    home.start();
    let left: Vec<_> = old
        .iter()
        .filter(|pid| processes::is_alive(**pid))
        .map(|pid| processes::describe(*pid))
        .collect();
    assert_eq!(left, Vec::<String>::new());
    home.until_ready(&servers);
}

#[test]
fn a_change_replaces_and_a_bad_change_keeps_the_old_copy() {
    let home = Home::new().started();
    home.apply(&server("files", &["--say", "one"]));
    home.until_ready(&["server/files"]);
    let first = pids(&home, "files");
    home.apply(&server("files", &["--say", "two"]));
    eventually("the change runs, and what it replaced is gone", || {
        let now = pids(&home, "files");
        now.len() == 1 && now != first && copies(&home, "files").len() == 1
    });
    home.until_ready(&["server/files"]);
    let second = pids(&home, "files");
    home.apply(&server_with(
        "files",
        &["--hang"],
        json!({"healthCheck": {"startupDeadline": "1s"}}),
    ));
    eventually("the change does not come up", || {
        condition(&home.get("servers/files"), "Ready").0 == "False"
    });
    eventually("a new copy has been given up", || {
        copies(&home, "files")
            .iter()
            .any(|copy| copy["status"]["phase"] == "Error")
    });
    assert_eq!(pids(&home, "files"), second, "the old copy goes on");
    home.orchctl(&["rollback", "server/files"]).expect(0);
    home.until_ready(&["server/files"]);
}

#[test]
fn a_deleted_copy_is_replaced() {
    let home = Home::new().started();
    home.apply(&server("files", &[]));
    home.until_ready(&["server/files"]);
    let name = copies(&home, "files")[0]["metadata"]["name"]
        .as_str()
        .expect("a name")
        .to_owned();
    home.orchctl(&["delete", "instance", &name]).expect(0);
    eventually("another copy runs", || {
        let now = copies(&home, "files");
        now.len() == 1 && now[0]["metadata"]["name"] != name && now[0]["status"]["phase"] == "Running"
    });
    // What the daemon makes is the daemon's.
    let copy = home.orchctl(&["get", "instances", "-o", "yaml"]).expect(0).stdout;
    home.orchctl_reading(&copy, &["apply", "-f", "-"])
        .expect(1)
        .saying(&["made by the daemon"]);
}

#[test]
fn what_cannot_run_says_why() {
    let home = Home::new().started();
    home.apply(
        &[
            manifest("Server", "nothing", &json!({"command": ["orch-no-such-program"]})),
            manifest(
                "Server",
                "image",
                &json!({"image": {"reference": "ghcr.io/acme/x:1"}, "runtime": "kubernetes"}),
            ),
            manifest(
                "Server",
                "unreachable",
                &json!({"remote": {"url": "http://127.0.0.1:9/mcp"}}),
            ),
            server_with("none", &[], json!({"replicas": 0})),
        ]
        .concat(),
    );
    home.until_ready(&["server/none"]);
    eventually("the command is not found", || {
        home.get("servers/nothing")["status"]["conditions"]
            .to_string()
            .contains("orch-no-such-program")
    });
    eventually("pods are not run yet", || {
        condition(&home.get("servers/image"), "Implemented").0 == "False"
    });
    assert_eq!(
        condition(&home.get("servers/image"), "Ready"),
        ("False".into(), "NotImplemented".into())
    );
    eventually("nobody answers there", || {
        home.get("servers/unreachable")["status"]["conditions"]
            .to_string()
            .contains("ORCH6007")
    });
    for name in ["nothing", "unreachable"] {
        assert_eq!(
            condition(&home.get(&format!("servers/{name}")), "Ready").0,
            "False",
            "{name}"
        );
    }
    assert!(copies(&home, "image").is_empty() && copies(&home, "none").is_empty());
}
