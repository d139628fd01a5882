//! Servers that rest until they are used, and servers of which each session has a copy of its own.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{at, project, raw_with, stats};
use crate::support::client::{Client, ERAS, Era};
use crate::support::daemon::{Home, eventually};

/// A list does not wake a server that rests; a call does, and all that come meanwhile wait for the same start.
#[test]
fn the_first_call_wakes_a_server_that_rests() {
    let home = Home::new().started();
    let rests = json!({"idle": {"suspendAfter": "2s"}});
    home.apply(&(raw_with("raw", &["--delay", "500"], rests) + &project("all", &["raw"])));
    home.until_ready(&["server/raw"]);
    let names = ERAS.map(|era| Client::begin(&home, era, "/mcp/projects/all").names("tools/list"));
    assert!(names[0].contains(&"raw__echo".to_owned()) && names[0] == names[1]);
    let rests = || {
        eventually("it rests", || {
            home.get("servers/raw")["status"]["phase"] == "Suspended" && home.processes().is_empty()
        });
    };
    rests();
    for era in ERAS {
        let client = Client::begin(&home, era, "/mcp/projects/all");
        assert_eq!(client.names("tools/list"), names[0], "{era:?}: as it listed them last");
        assert!(home.processes().is_empty(), "{era:?}: a list wakes nobody");
        let pids: BTreeSet<String> = std::thread::scope(|scope| {
            let calls: Vec<_> = (0..8)
                .map(|number| {
                    let client = Client::begin(&home, ERAS[number % 2], "/mcp/projects/all");
                    scope.spawn(move || stats(&client, "raw__stats")["pid"].to_string())
                })
                .collect();
            calls.into_iter().map(|call| call.join().expect("an answer")).collect()
        });
        assert_eq!(pids.len(), 1, "{era:?}: one start for all: {pids:?}");
        rests();
    }
}

fn isolated(most: u32, flags: &[&str]) -> Home {
    let home = Home::new().with(flags).started();
    let own = json!({"sessions": "isolated", "sessionLimits": {"max": most}});
    home.apply(&(raw_with("raw", &["--era", "legacy"], own) + &project("all", &["raw"])));
    home.until_ready(&["server/raw"]);
    home
}

/// Each session has a copy, which is asked on its behalf alone, and goes with it.
#[test]
fn each_session_has_a_copy_of_its_own() {
    let home = isolated(3, &[]);
    let baseline = home.processes().len();
    let clients: Vec<Client> = (0..3)
        .map(|_| Client::begin(&home, Era::Legacy, "/mcp/projects/all"))
        .collect();
    let pid = |client: &Client| stats(client, "raw__stats")["pid"].to_string();
    let pids: BTreeSet<String> = clients.iter().map(&pid).collect();
    assert_eq!(pids.len(), 3, "{pids:?}");
    for client in &clients {
        assert!(pids.contains(&pid(client)), "it stays");
    }
    // There are as many as are allowed.
    let late = Client::begin(&home, Era::Legacy, "/mcp/projects/all");
    let call = json!({"name": "raw__stats", "arguments": {}});
    let refused = late.ask("tools/call", call.clone());
    assert!(
        refused.answer["error"]["message"].to_string().contains("ORCH6026"),
        "{refused:?}"
    );
    // It is a limit like others: not a failure, and it says when to come back.
    let (code, data) = (&refused.answer["error"]["code"], &refused.answer["error"]["data"]);
    assert_eq!((code, &data["server"]), (&json!(-32029), &json!("raw")), "{refused:?}");
    assert!(data["retryAfterMs"].as_u64() > Some(0), "{refused:?}");

    // While one is busy, another one is asked and nobody else can be meant.
    let wait = json!({"jsonrpc": "2.0", "id": "long", "method": "tools/call", "params": {"name": "raw__wait"}});
    let connection = clients[0].posted(&wait).leave();
    let params = json!({"name": "raw__ask_roots", "arguments": {}});
    let (questions, told) = clients[1].asked_back("tools/call", params, &json!({"roots": []}));
    assert_eq!(questions.len(), 1, "{told}");
    drop(connection);

    clients[0].end().expect(204);
    eventually("there is room for another one", || {
        late.ask("tools/call", call.clone()).answer["result"].is_object()
    });
    for client in clients[1..].iter().chain([&late]) {
        client.end().expect(204);
    }
    eventually("all copies of sessions are gone", || home.processes().len() == baseline);
}

/// The copies of clients that say nothing any more go, too.
#[test]
fn copies_of_silent_sessions_go() {
    let mut home = isolated(20, &["--session-idle", "2s"]);
    let baseline = home.processes().len();
    let begin = |home: &Home| {
        for _ in 0..6 {
            let client = Client::begin(home, Era::Legacy, &at("raw"));
            assert!(!matches!(stats(&client, "stats")["pid"], Value::Null));
        }
    };
    begin(&home);
    eventually("they are gone", || home.processes().len() == baseline);
    begin(&home);
    home.kill_9();
    home.start();
    home.until_ready(&["server/raw"]);
    eventually("they are gone after a crash, too", || {
        let instances = home.get("instances");
        home.processes().len() == baseline && instances["items"].as_array().map_or(0, Vec::len) == baseline
    });
}
