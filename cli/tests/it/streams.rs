//! Watches that break off, logs of several instances.

use std::io::Read as _;
use std::process::Stdio;

use crate::support::daemon::{Answer, Daemon, list, server};
use crate::support::home::Home;
use serde_json::{Value, json};

fn change(change: &str, object: &Value) -> Value {
    json!({"type": change, "object": object})
}

#[test]
fn a_watch_goes_on_where_it_broke_off() {
    let at = |generation: i64| server("files", generation, &json!({"command": ["/bin/x"]}));
    let bookmark = || json!({"type": "BOOKMARK"});
    let never_shown = server("other", 7, &json!({"command": ["/bin/x"]}));
    let daemon = Daemon::playing([
        Answer::events(&[
            (None, change("ADDED", &at(1))),
            (Some(40), bookmark()),
            (Some(41), change("MODIFIED", &at(2))),
        ]),
        Answer::events(&[
            (Some(42), change("DELETED", &never_shown)),
            (Some(43), change("MODIFIED", &at(3))),
            (Some(44), bookmark()),
        ]),
        Answer::problem(410, "ORCH3007", "too far back"),
        Answer::events(&[(None, change("ADDED", &at(9))), (Some(50), bookmark())]),
        Answer::events(&[(Some(51), change("DELETED", &at(9)))]),
    ]);
    let home = Home::with_daemon(&daemon.address);
    let columns = "custom-columns=G:.status.generation";
    let mut child = home
        .command(&["get", "servers", "-w", "-o", columns])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let asked = daemon.asked();
    // The last answer is on its way; the program reads it and then looks for a daemon that is gone.
    let mut stdout = child.stdout.take().unwrap();
    let mut seen = Vec::new();
    while String::from_utf8_lossy(&seen).lines().count() < 6 {
        let mut bytes = [0; 256];
        let count = stdout.read(&mut bytes).unwrap();
        assert_ne!(count, 0, "{}", String::from_utf8_lossy(&seen));
        seen.extend_from_slice(&bytes[..count]);
    }
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(String::from_utf8_lossy(&seen), "G\n1\n2\n3\n9\n9\n");
    let resumed: Vec<Option<&str>> = asked.iter().map(|asked| asked.header("last-event-id")).collect();
    assert_eq!(resumed, [None, Some("41"), Some("44"), None, Some("50")]);
    assert!(asked[0].line.ends_with("watch=1"), "{}", asked[0].line);
}

#[test]
fn logs_of_a_server_are_those_of_its_instances() {
    let instance = |name: &str| {
        json!({"apiVersion": "orchctl.dev/v1", "kind": "Instance", "metadata": {"name": name},
               "spec": {"server": "files", "generation": 1, "digest": "d", "run": {}}, "status": {"uid": name}})
    };
    let daemon = Daemon::playing([
        Answer::problem(404, "ORCH3001", "no such instance"),
        Answer::json(200, &server("files", 1, &json!({"command": ["/bin/x"]}))),
        Answer::json(200, &list(1, &[instance("files-a"), instance("files-b")], None)),
        Answer::text("one\ntwo\n"),
        Answer::text("three"),
    ]);
    let home = Home::with_daemon(&daemon.address);
    let run = home.run(&["logs", "files", "--tail", "5"]);
    assert_eq!(run.stdout, "[files-a] one\n[files-a] two\n[files-b] three\n", "{run}");
    let lines = daemon.lines();
    assert!(
        lines[2].contains("fieldSelector=status.owner.uid%3Duid-files"),
        "{lines:?}"
    );
    assert_eq!(lines[3], "GET /api/v1/instances/files-a/logs?tail=5");
}

#[test]
fn a_reader_that_has_gone_ends_the_program_quietly() {
    let items: Vec<Value> = (0..2000)
        .map(|number| server(&format!("server-{number}"), 1, &json!({"command": ["/bin/x"]})))
        .collect();
    let daemon = Daemon::playing([Answer::json(200, &list(1, &items, None))]);
    let home = Home::with_daemon(&daemon.address);
    let mut child = home
        .command(&["get", "servers", "-o", "yaml"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut stderr = String::new();
    child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
    assert_eq!((child.wait().unwrap().code(), stderr.as_str()), (Some(141), ""));
}
