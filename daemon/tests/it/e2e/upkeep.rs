//! Servers that fall ill, are changed while they are used, and are not used at all.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{condition, copies, pids, server, server_with};
use crate::support::daemon::{Home, eventually};
use crate::support::mcp;
use crate::support::processes;

/// Quick checks, and a quick recovery.
fn watched(more: Value) -> Value {
    let mut check = json!({"interval": "200ms", "timeout": "2s", "failureThreshold": 2});
    check
        .as_object_mut()
        .expect("a mapping")
        .extend(more.as_object().expect("a mapping").clone());
    json!({"healthCheck": check, "restart": {"backoffInitial": "100ms", "backoffMax": "300ms"}})
}

#[test]
fn what_does_not_answer_its_checks_is_started_again() {
    let home = Home::new().started();
    let deaf = home.path("deaf");
    let arguments = ["--deaf-while", deaf.to_str().expect("text")];
    home.apply(&server_with("files", &arguments, watched(json!({}))));
    home.until_ready(&["server/files"]);
    home.orchctl(&["get", "instances"])
        .expect(0)
        .saying(&["HEALTH", "Healthy"]);
    let revision = home.get("status")["revision"].clone();
    std::thread::sleep(Duration::from_secs(1));
    assert_eq!(
        home.get("status")["revision"],
        revision,
        "checks that say nothing new are not written"
    );

    let before = pids(&home, "files");
    home.write("deaf", "");
    eventually("it is ended and started again", || {
        copies(&home, "files")[0]["status"]["restarts"] == 1
    });
    home.orchctl(&["why", "server/files"])
        .expect(0)
        .saying(&["it does not answer its health check", "no answer within 2 s"]);
    let copy = &copies(&home, "files")[0];
    assert_eq!(copy["status"]["lastExit"]["unhealthy"], true, "{copy}");
    assert_eq!(condition(&home.get("servers/files"), "Healthy").0, "False");
    std::fs::remove_file(&deaf).expect("removed");
    eventually("it is well", || {
        condition(&home.get("servers/files"), "Ready").0 == "True"
    });
    assert_ne!(pids(&home, "files"), before);
    home.orchctl(&["events", "server/files"])
        .expect(0)
        .saying(&["HealthCheckFailed", "Unhealthy"]);
}

/// A server that works at one thing at a time hears no check meanwhile; what it says of its work shows that it lives.
#[test]
fn a_server_that_says_how_far_it_is_does_not_fail_its_checks() {
    let home = Home::new().started();
    let check = json!({"interval": "200ms", "timeout": "500ms", "failureThreshold": 2});
    let with_tool = json!({"tool": "echo", "interval": "200ms", "timeout": "500ms", "failureThreshold": 2});
    home.apply(
        &(server_with("files", &[], json!({"healthCheck": check}))
            + &server_with("notes", &[], json!({"healthCheck": with_tool}))),
    );
    home.until_ready(&["server/files", "server/notes"]);
    for server in ["files", "notes"] {
        let toil = json!({"name": "toil", "arguments": {"ms": 4000}, "_meta": {"progressToken": "far"}});
        let path = format!("/mcp/servers/{server}");
        let request = mcp::request(home.address(), &path, "tools/call", toil).token(&home.token());
        let told = mcp::send(&request);
        assert!(told.answer["result"]["content"].is_array(), "{server}: {told:?}");
        let copy = &copies(&home, server)[0];
        assert_eq!(copy["status"]["restarts"], Value::Null, "{server}: {copy}");
    }
}

#[test]
fn a_server_is_ready_when_its_tool_says_so() {
    let home = Home::new().started();
    home.write("sick", "");
    let sick = home.path("sick");
    let arguments = ["--sick-while", sick.to_str().expect("text")];
    let check = watched(json!({"tool": "echo", "arguments": {"message": "ping"}, "failureThreshold": 1000}));
    home.apply(&server_with("files", &arguments, check));
    eventually("the check fails", || {
        condition(&home.get("servers/files"), "Healthy") == ("False".to_owned(), "Degraded".to_owned())
    });
    assert_eq!(condition(&home.get("servers/files"), "Ready").0, "False");
    home.orchctl(&["why", "server/files"])
        .expect(0)
        .saying(&["it feels unwell"]);
    std::fs::remove_file(&sick).expect("removed");
    home.until_ready(&["server/files"]);
    assert_eq!(condition(&home.get("servers/files"), "Healthy").0, "True");
}

/// Somebody who calls a tool of a server over and over.
struct Caller {
    stop: Arc<AtomicBool>,
    calls: Arc<AtomicUsize>,
    calling: Option<std::thread::JoinHandle<Vec<String>>>,
}

impl Caller {
    fn begin(home: &Home, server: &str) -> Self {
        let (stop, calls) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let arguments = json!({"name": "echo", "arguments": {"pauseMs": 50}});
        let path = format!("/mcp/servers/{server}");
        let request = mcp::request(home.address(), &path, "tools/call", arguments).token(&home.token());
        let (stopped, counted) = (Arc::clone(&stop), Arc::clone(&calls));
        let calling = std::thread::spawn(move || {
            let mut failures = Vec::new();
            while !stopped.load(Ordering::Relaxed) {
                let told = mcp::send(&request);
                if told.answer["result"]["content"].is_null() {
                    failures.push(format!("{} {}", told.status, told.answer));
                }
                counted.fetch_add(1, Ordering::Relaxed);
            }
            failures
        });
        let calling = Some(calling);
        Self { stop, calls, calling }
    }

    /// Waits until it has been answered so often more.
    fn goes_on(&self, more: usize) {
        let enough = self.calls.load(Ordering::Relaxed) + more;
        eventually("calls are answered", || self.calls.load(Ordering::Relaxed) >= enough);
    }

    /// Ends it, and tells which calls got no good answer.
    fn end(mut self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        let calling = self.calling.take().expect("it has not ended");
        calling.join().expect("it does not panic")
    }
}

#[test]
fn a_change_that_never_comes_up_leaves_the_old_copies_serving_and_rollback_repairs() {
    let home = Home::new().started();
    home.apply(&server_with("files", &[], json!({"replicas": 2})));
    home.until_ready(&["server/files"]);
    let before = pids(&home, "files");
    let caller = Caller::begin(&home, "files");
    caller.goes_on(3);

    let broken = server_with(
        "files",
        &["--exit"],
        json!({"replicas": 2, "restart": {"backoffInitial": "100ms"}}),
    );
    home.apply(&broken);
    eventually("the change is stuck", || {
        condition(&home.get("servers/files"), "Progressing") == ("False".to_owned(), "RolloutStuck".to_owned())
    });
    let stuck = home.get("servers/files");
    assert_eq!(condition(&stuck, "Available").0, "True", "{stuck}");
    assert_eq!(stuck["status"]["phase"], "Degraded");
    assert_eq!(stuck["status"]["replicas"]["running"], 2);
    assert_eq!(copies(&home, "files").len(), 3, "one is made at a time");
    assert_eq!(pids(&home, "files"), before);
    home.orchctl(&["get", "servers"])
        .expect(0)
        .saying(&["Degraded", "0/2", "what ran before serves on"]);
    home.orchctl(&["why", "server/files"])
        .expect(0)
        .saying(&["RolloutStuck", "orchctl rollback server/files"]);
    home.orchctl(&["wait", "server/files", "--timeout", "1s"]).expect(7);
    caller.goes_on(3);

    home.orchctl(&["rollback", "server/files"]).expect(0);
    home.until_ready(&["server/files"]);
    caller.goes_on(3);
    eventually("what did not come up is gone", || copies(&home, "files").len() == 2);
    assert_eq!(pids(&home, "files"), before, "what serves was never touched");
    assert_eq!(caller.end(), Vec::<String>::new());
}

/// However many changes do not come up, one command goes back to what did.
#[test]
fn rollback_goes_to_the_newest_generation_that_was_ready() {
    let home = Home::new().started();
    let soon = json!({"restart": {"backoffInitial": "100ms", "backoffMax": "300ms"}});
    home.apply(&server_with("files", &[], soon.clone()));
    home.until_ready(&["server/files"]);
    let before = pids(&home, "files");
    home.apply(&server_with("files", &["--exit"], soon));
    home.orchctl(&["scale", "server/files", "--replicas", "2"]).expect(0);
    eventually("the changes are stuck", || {
        let server = home.get("servers/files");
        condition(&server, "Progressing").1 == "RolloutStuck" && server["status"]["observedGeneration"] == 3
    });
    home.orchctl(&["why", "server/files"]).expect(0).saying(&[
        "generation 3",
        "(generation 1)",
        "newest generation that was ready",
    ]);
    home.orchctl(&["rollback", "server/files", "--dry-run"])
        .expect(0)
        .saying(&["would be rolled back", "command"]);
    home.orchctl(&["rollback", "server/files"])
        .expect(0)
        .saying(&["command"]);
    home.until_ready(&["server/files"]);
    assert_eq!(pids(&home, "files"), before, "what serves was never touched");
    home.orchctl(&["history", "server/files"])
        .expect(0)
        .saying(&["rollback to 1"]);
    assert_eq!(home.get("servers/files")["status"]["readyGenerations"], json!([4, 1]));
}

/// What ran before a change that never comes up is all that serves: it comes back after a crash, and after the daemon's.
#[test]
fn old_copies_that_fall_come_back_while_a_change_is_stuck() {
    let mut home = Home::new().started();
    let soon = json!({"restart": {"backoffInitial": "100ms", "backoffMax": "300ms"}});
    home.apply(&server_with("files", &[], soon.clone()));
    home.until_ready(&["server/files"]);
    let good = copies(&home, "files")[0]["metadata"]["name"].clone();
    home.apply(&server_with("files", &["--exit"], soon));
    let is_stuck = |home: &Home| {
        condition(&home.get("servers/files"), "Progressing") == ("False".to_owned(), "RolloutStuck".to_owned())
    };
    eventually("the change is stuck", || is_stuck(&home));
    let good_pid = |home: &Home| {
        let all = copies(home, "files");
        let good = all.iter().find(|copy| copy["metadata"]["name"] == good);
        let good = good.unwrap_or_else(|| panic!("the copy that served is gone: {all:?}"));
        let runs = good["status"]["phase"] == "Running";
        good["status"]["pid"].as_u64().filter(|_| runs)
    };
    let first = good_pid(&home).expect("it serves");
    processes::signal(u32::try_from(first).expect("a pid"), Signal::KILL);
    eventually("it has come back", || good_pid(&home).is_some_and(|pid| pid != first));
    let caller = Caller::begin(&home, "files");
    caller.goes_on(3);
    assert_eq!(caller.end(), Vec::<String>::new());

    home.kill_9();
    home.start();
    eventually("it serves again", || good_pid(&home).is_some());
    let caller = Caller::begin(&home, "files");
    caller.goes_on(3);
    assert_eq!(caller.end(), Vec::<String>::new());
    eventually("that the change is stuck is known again", || is_stuck(&home));
    home.orchctl(&["rollback", "server/files"]).expect(0);
    home.until_ready(&["server/files"]);
    eventually("what did not come up is gone", || copies(&home, "files").len() == 1);
    assert!(good_pid(&home).is_some(), "what served serves on");
}

#[test]
fn a_restart_replaces_every_copy_and_no_call_is_lost() {
    let home = Home::new().started();
    home.apply(&server_with("files", &[], json!({"replicas": 2})));
    home.until_ready(&["server/files"]);
    let before = pids(&home, "files");
    let caller = Caller::begin(&home, "files");
    caller.goes_on(3);
    home.orchctl(&["restart", "server/files"]).expect(0);
    eventually("every copy is another", || {
        let now = pids(&home, "files");
        now.len() == 2 && now.iter().all(|pid| !before.contains(pid)) && copies(&home, "files").len() == 2
    });
    caller.goes_on(3);
    assert_eq!(caller.end(), Vec::<String>::new());
}

#[test]
fn a_copy_that_goes_finishes_what_is_under_way() {
    let home = Home::new().started();
    home.apply(&server("files", &[]));
    home.until_ready(&["server/files"]);
    let arguments = json!({"name": "echo", "arguments": {"pauseMs": 3000}});
    let request = mcp::request(home.address(), "/mcp/servers/files", "tools/call", arguments).token(&home.token());
    let call = std::thread::spawn(move || mcp::send(&request));
    std::thread::sleep(Duration::from_millis(500));
    let copy = copies(&home, "files")[0]["metadata"]["name"]
        .as_str()
        .expect("a name")
        .to_owned();
    home.orchctl(&["delete", "instance", &copy, "--wait=false"]).expect(0);
    let told = call.join().expect("it does not panic");
    assert!(!told.answer["result"]["content"].is_null(), "{told:?}");
    eventually("then it goes", || {
        copies(&home, "files")
            .iter()
            .all(|one| one["metadata"]["name"] != copy.as_str())
    });
}

#[test]
fn a_server_that_nobody_uses_rests_and_stays_so_after_a_crash_of_the_daemon() {
    let mut home = Home::new().started();
    home.apply(&server_with("files", &[], json!({"idle": {"suspendAfter": "1s"}})));
    let is_suspended = |home: &Home| home.get("servers/files")["status"]["phase"] == "Suspended";
    eventually("nobody uses it", || is_suspended(&home) && home.processes().is_empty());
    let resting = home.get("servers/files");
    assert_eq!(resting["status"]["tools"]["count"], 3, "what it offers is still known");
    assert_eq!(resting["status"]["replicas"]["desired"], 0);
    home.until_ready(&["server/files"]);
    home.orchctl(&["get", "servers"])
        .expect(0)
        .saying(&["Suspended", "0/0"]);
    home.orchctl(&["why", "server/files"])
        .expect(0)
        .saying(&["is Suspended"]);

    home.kill_9();
    home.start();
    std::thread::sleep(Duration::from_secs(1));
    assert!(is_suspended(&home) && home.processes().is_empty());

    // Whoever restarts or changes it wants to see what comes of it.
    home.orchctl(&["restart", "server/files"]).expect(0);
    eventually("it runs", || !home.processes().is_empty());
    eventually("and rests again", || is_suspended(&home) && home.processes().is_empty());
    home.orchctl(&["scale", "server/files", "--replicas", "2"]).expect(0);
    eventually("as many run as are declared now", || home.processes().len() == 2);
    eventually("and rest again", || is_suspended(&home) && home.processes().is_empty());
}

#[test]
fn a_copy_does_not_grow_older_than_it_may() {
    let home = Home::new().started();
    home.apply(&server_with("files", &[], json!({"idle": {"maxLifetime": "3s"}})));
    home.until_ready(&["server/files"]);
    let before = pids(&home, "files");
    let caller = Caller::begin(&home, "files");
    eventually("another copy runs", || {
        let now = pids(&home, "files");
        !now.is_empty() && now.iter().all(|pid| !before.contains(pid))
    });
    assert_eq!(caller.end(), Vec::<String>::new());
}
