//! Which copies of a server are asked: those that are ready, and none that has ended.

use serde_json::json;

use super::super::{condition, copies, server_with};
use super::{at, manifest, raw_with, stats};
use crate::support::client::{Client, ERAS, Era, text_of};
use crate::support::daemon::{Home, eventually};

/// A server whose tool says whether it is ready; it is not while the file is there, with those flags.
fn checked(flags: &[&str], replicas: u32, more: &serde_json::Value) -> String {
    let check = json!({"tool": "echo", "interval": "200ms", "timeout": "5s", "failureThreshold": 1000});
    let mut spec = json!({"replicas": replicas, "healthCheck": check});
    let fields = more.as_object().expect("a mapping");
    spec.as_object_mut().expect("a mapping").extend(fields.clone());
    server_with("files", flags, spec)
}

/// A copy that runs and was never ready is asked by no client, whatever becomes of the change that it is part of.
#[test]
fn a_copy_that_was_never_ready_is_asked_by_nobody_while_others_are() {
    let home = Home::new().started();
    home.apply(&checked(&[], 2, &json!({})));
    home.until_ready(&["server/files"]);
    let sick = home.write("sick", "");
    let flags = ["--sick-while", sick.to_str().expect("text")];
    home.apply(&checked(&flags, 2, &json!({})));
    eventually("a copy runs that is not well", || {
        let copies = copies(&home, "files");
        let unwell = copies
            .iter()
            .filter(|copy| copy["status"]["health"]["state"] == "Degraded");
        unwell.count() == 1
    });
    for era in ERAS {
        for number in 0..12 {
            let client = Client::begin(&home, era, &at("files"));
            assert_eq!(client.said("echo", json!({})), "{}", "{era:?}, call {number}");
        }
    }
    std::fs::remove_file(&sick).expect("removed");
    home.until_ready(&["server/files"]);
}

/// What is left when no copy is ready is asked all the same.
#[test]
fn a_server_of_which_no_copy_is_ready_is_asked() {
    let home = Home::new().started();
    let sick = home.write("sick", "");
    let flags = ["--sick-while", sick.to_str().expect("text")];
    home.apply(&checked(&flags, 1, &json!({})));
    eventually("it runs and is not well", || {
        condition(&home.get("servers/files"), "Healthy") == ("False".to_owned(), "Degraded".to_owned())
    });
    for era in ERAS {
        let client = Client::begin(&home, era, &at("files"));
        let told = client.ask("tools/call", json!({"name": "echo", "arguments": {}}));
        assert!(text_of(&told.answer["result"]).contains("unwell"), "{era:?}: {told:?}");
    }
}

/// A server that has closed its output is not there any more, however long its process lives on: calls go to the others, and so
/// does a session that was with it.
#[test]
fn a_copy_that_has_ended_is_asked_no_more() {
    let home = Home::new().started();
    let command = ["sh", "-c", "orch-raw; exec sleep 30 >&-"];
    let spec = json!({"command": command, "replicas": 2, "restart": {"backoffInitial": "30s"}});
    for (era, name) in ERAS.into_iter().zip(["one", "two"]) {
        home.apply(&manifest("Server", name, &spec));
        home.until_ready(&[&format!("server/{name}")]);
        let client = Client::begin(&home, era, &at(name));
        let crash = client.ask("tools/call", json!({"name": "crash", "arguments": {}}));
        assert!(crash.answer["error"].is_object(), "{era:?}: {crash:?}");
        for number in 0..20 {
            let told = client.ask("tools/call", json!({"name": "echo", "arguments": {}}));
            assert!(told.answer["result"].is_object(), "{era:?}, call {number}: {told:?}");
            let other = Client::begin(&home, ERAS[number % 2], &at(name));
            other.call("echo", json!({}));
        }
    }
}

/// The first call of a server that rests waits until a copy is ready, and is told when none becomes so.
#[test]
fn a_wake_ends_with_a_copy_that_is_ready() {
    let home = Home::new().started();
    let sick = home.path("sick");
    let flags = ["--sick-while", sick.to_str().expect("text")];
    let check = json!({"tool": "echo", "interval": "200ms", "timeout": "5s", "failureThreshold": 2});
    let rests = json!({"idle": {"suspendAfter": "1s"}, "healthCheck": check});
    home.apply(&checked(&flags, 1, &rests));
    home.until_ready(&["server/files"]);
    let is_suspended = || home.get("servers/files")["status"]["phase"] == "Suspended";
    eventually("it rests", || is_suspended() && home.processes().is_empty());
    home.write("sick", "");
    let call = json!({"name": "echo", "arguments": {}});
    for era in ERAS {
        let client = Client::begin(&home, era, &at("files"));
        let told = client.ask("tools/call", call.clone()).answer.to_string();
        assert!(
            told.contains("did not wake") && told.contains("unwell"),
            "{era:?}: {told}"
        );
    }
    std::fs::remove_file(&sick).expect("removed");
    let client = Client::begin(&home, Era::Modern, &at("files"));
    assert_eq!(client.said("echo", json!({})), "{}");
}

/// A change that never becomes ready takes no session's copy away, and what serves is what new sessions are given. One that does
/// replaces the copies of sessions as well.
#[test]
fn sessions_keep_their_copies_until_a_change_has_shown_that_it_works() {
    let home = Home::new().started();
    let more = json!({"sessions": "isolated", "restart": {"backoffInitial": "100ms", "backoffMax": "300ms"}});
    home.apply(&raw_with("own", &["--era", "legacy"], more.clone()));
    home.until_ready(&["server/own"]);
    let begin = || Client::begin(&home, Era::Legacy, &at("own"));
    let pid = |client: &Client| stats(client, "stats")["pid"].to_string();
    let early = begin();
    let before = pid(&early);

    let mut broken = more.clone();
    broken["command"] = json!(["false"]);
    home.apply(&manifest("Server", "own", &broken));
    eventually("the change is stuck", || {
        condition(&home.get("servers/own"), "Progressing") == ("False".to_owned(), "RolloutStuck".to_owned())
    });
    assert_eq!(pid(&early), before, "it stays with its copy");
    let late = begin();
    let own = pid(&late);
    assert!(own != before && own == pid(&late), "a copy of its own");
    assert_eq!(pid(&early), before);

    home.apply(&raw_with("own", &["--era", "legacy", "--tools", "1"], more));
    home.until_ready(&["server/own"]);
    for (client, old) in [(&early, before), (&late, own)] {
        eventually("its copy is another", || pid(client) != old);
        assert_eq!(client.said("extra_00000", json!({})), "extra_00000");
    }
}

#[test]
fn the_copy_of_a_session_does_not_grow_older_than_it_may() {
    let home = Home::new().started();
    let more = json!({"sessions": "isolated", "idle": {"maxLifetime": "3s"}});
    home.apply(&raw_with("own", &["--era", "legacy"], more));
    home.until_ready(&["server/own"]);
    let client = Client::begin(&home, Era::Legacy, &at("own"));
    let pid = || stats(&client, "stats")["pid"].to_string();
    let before = pid();
    eventually("another copy answers", || pid() != before);
}
