//! Sessions of clients: where they begin, what ends them, and what is said to who comes with one that is over.

use serde_json::json;

use super::super::copies;
use super::{at, home_with, project, raw, raw_with, stats};
use crate::support::client::{Client, ERAS, Era, abilities, greeting, post};
use crate::support::daemon::{Home, eventually};
use crate::support::database;

/// 404 with -32001 makes clients begin anew; nothing else does.
#[test]
fn a_session_that_is_not_there_is_told_so() {
    let home = Home::new().started();
    home.apply(&(raw("raw", &[]) + &raw("other", &[]) + &project("all", &["raw"])));
    home.until_ready(&["server/raw"]);
    let client = Client::begin(&home, Era::Legacy, &at("raw"));
    let id = client.session().expect("a session").to_owned();
    let list = json!({"jsonrpc": "2.0", "id": 5, "method": "tools/list"});
    for (path, session) in [
        (at("raw"), "0".repeat(48)),
        (at("raw"), String::new()),
        (at("raw"), format!("{id}0")),
        // Somebody else's address is no place for it.
        (at("other"), id.clone()),
        ("/mcp/projects/all".to_owned(), id.clone()),
    ] {
        let asked = post(&home, &path, &list)
            .header("Mcp-Session-Id", &session)
            .send()
            .expect(404)
            .json();
        assert_eq!(
            (&asked["error"]["code"], &asked["id"]),
            (&json!(-32001), &json!(5)),
            "{path} {session}"
        );
        let news = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
        post(&home, &path, &news)
            .header("Mcp-Session-Id", &session)
            .send()
            .expect(404);
        for method in ["GET", "DELETE"] {
            let request = home.http(method, &path).header("Accept", "text/event-stream");
            let refused = request.header("Mcp-Session-Id", &session).send().expect(404).json();
            assert_eq!(refused["error"]["code"], -32001, "{method} {path} {session}");
        }
    }
    // Without any, it is the client's mistake.
    let none = post(&home, &at("raw"), &list).send().expect(400).json();
    assert_eq!(none["error"]["code"], -32600, "{none}");
    assert!(
        client.said("echo", json!({})).contains("tools/call"),
        "the session is well"
    );
}

#[test]
fn a_session_ends_when_its_client_says_so() {
    let home = home_with("raw", &[]);
    let client = Client::begin(&home, Era::Legacy, &at("raw"));
    let heard = client.listen(json!({}));
    client.end().expect(204);
    heard.wait_for_end();
    let told = client.ask("tools/list", json!({}));
    assert_eq!(
        (told.status, &told.answer["error"]["code"]),
        (404, &json!(-32001)),
        "{told:?}"
    );
    client.end().expect(404);
    assert_eq!(database::sessions(&home), 0);
}

/// What is made anew under a name is something else: sessions with what had it before are over, whether or not the daemon was
/// there to see it go, and whether or not anybody came meanwhile.
#[test]
fn a_session_ends_with_what_it_is_with() {
    let mut home = Home::new().started();
    let manifests = raw("raw", &[]) + &project("all", &["raw"]);
    home.apply(&manifests);
    home.until_ready(&["server/raw"]);
    let paths = [at("raw"), "/mcp/projects/all".to_owned()];
    let begin = |home: &Home| paths.each_ref().map(|path| Client::begin(home, Era::Legacy, path));
    let clients = begin(&home);
    let heard = clients.each_ref().map(|client| client.listen(json!({})));
    let anew = |home: &Home| {
        home.orchctl(&["delete", "project/all", "server/raw"]).expect(0);
        home.apply(&manifests);
        home.until_ready(&["server/raw"]);
    };
    anew(&home);
    for heard in heard {
        heard.wait_for_end();
    }
    let all_over = |clients: [Client; 2]| {
        for client in clients {
            let told = client.ask("tools/list", json!({}));
            let got = (told.status, &told.answer["error"]["code"]);
            assert_eq!(got, (404, &json!(-32001)), "{told:?}");
            client.end().expect(404);
        }
    };
    all_over(clients);
    eventually("their rows are gone", || database::sessions(&home) == 0);

    // Those that nobody has come back to since the daemon was started know it, too.
    let mut clients = begin(&home);
    home.stop();
    home.start();
    home.until_ready(&["server/raw"]);
    anew(&home);
    for client in &mut clients {
        client.follow(&home);
    }
    all_over(clients);
    assert_eq!(database::sessions(&home), 0);
    for client in begin(&home) {
        assert!(!client.names("tools/list").is_empty());
    }
}

/// A session stays with its copy while that is to go, until its time is over; then it goes on with another.
#[test]
fn a_session_keeps_its_copy_until_that_has_to_go() {
    let home = Home::new().with(&["--drain-timeout", "5s"]).started();
    home.apply(&raw_with("raw", &["--era", "legacy"], json!({"replicas": 2})));
    home.until_ready(&["server/raw"]);
    let stays = Client::begin(&home, Era::Legacy, &at("raw"));
    let leaves = Client::begin(&home, Era::Legacy, &at("raw"));
    let pid = |client: &Client| stats(client, "stats")["pid"].as_i64().expect("a pid");
    let (first, other) = (pid(&stays), pid(&leaves));
    assert_ne!(first, other, "new sessions are spread");
    home.orchctl(&["restart", "server/raw"]).expect(0);
    let phases = || {
        let copies = copies(&home, "raw");
        copies
            .iter()
            .map(|copy| copy["status"]["phase"].as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    eventually("all copies are new, and the old ones are kept for sessions", || {
        let phases = phases();
        let count = |word: &str| phases.iter().filter(|phase| *phase == word).count();
        (count("Running"), count("Stopping")) == (2, 2)
    });
    assert_eq!((pid(&stays), pid(&leaves)), (first, other));
    let new = Client::begin(&home, Era::Legacy, &at("raw"));
    assert!(
        ![first, other].contains(&pid(&new)),
        "nobody new gets a copy that is to go"
    );
    // One that ends lets its copy go at once.
    leaves.end();
    eventually("its copy is gone", || phases().len() == 3);
    assert_eq!(pid(&stays), first);
    eventually("all old copies are gone", || phases().len() == 2);
    assert_ne!(pid(&stays), first, "the session goes on with another");
}

#[test]
fn a_silent_session_ends_and_one_that_listens_does_not() {
    let home = Home::new().with(&["--session-idle", "1s"]).started();
    home.apply(&raw("raw", &[]));
    home.until_ready(&["server/raw"]);
    let [silent, listening] = [(); 2].map(|()| Client::begin(&home, Era::Legacy, &at("raw")));
    let mut heard = listening.listen(json!({}));
    let busy = Client::begin(&home, Era::Legacy, &at("raw"));
    let waiting = busy.request("tools/call", json!({"name": "wait", "arguments": {"ms": 6000}}));
    let waiting = std::thread::spawn(move || waiting.send());
    eventually("the silent one is over", || {
        silent.ask("ping", json!({})).status == 404 || {
            // Each question is a use; so it is asked but seldom.
            std::thread::sleep(std::time::Duration::from_secs(3));
            false
        }
    });
    assert!(
        waiting.join().expect("no panic").body.contains("waited"),
        "what is under way is no silence"
    );
    listening.call("change_tools", json!({}));
    heard.method("notifications/tools/list_changed");
    drop(heard);
    eventually("all are over", || database::sessions(&home) == 0);
}

#[test]
fn no_session_lasts_for_ever() {
    let home = Home::new().with(&["--session-lifetime", "3s"]).started();
    home.apply(&raw("raw", &[]));
    home.until_ready(&["server/raw"]);
    let client = Client::begin(&home, Era::Legacy, &at("raw"));
    client.listen(json!({})).wait_for_end();
    eventually("it is over", || client.ask("ping", json!({})).status == 404);
    eventually("its row is gone", || database::sessions(&home) == 0);
}

#[test]
fn there_is_an_end_to_the_number_of_sessions() {
    let home = Home::new().with(&["--max-sessions", "2"]).started();
    home.apply(&raw("raw", &[]));
    home.until_ready(&["server/raw"]);
    let first = Client::begin(&home, Era::Legacy, &at("raw"));
    let _second = Client::begin(&home, Era::Legacy, &at("raw"));
    let refused = post(&home, &at("raw"), &greeting("2025-11-25", &abilities()))
        .send()
        .expect(429);
    let error = &refused.json()["error"];
    assert_eq!(
        (
            &error["code"],
            &error["data"]["retryAfterMs"],
            refused.header("retry-after")
        ),
        (&json!(-32029), &json!(30_000), Some("30")),
        "{}",
        refused.body
    );
    home.http("GET", "/mcp/servers/raw/sse").send().expect(429);
    // Who has no session needs no place.
    assert!(
        !Client::begin(&home, Era::Modern, &at("raw"))
            .names("tools/list")
            .is_empty()
    );
    first.end().expect(204);
    Client::begin(&home, Era::Legacy, &at("raw"));
}

/// A session is its client's alone: what is written down of it does not open it.
#[test]
fn what_is_written_down_is_no_key() {
    let home = home_with("raw", &[]);
    let client = Client::begin(&home, Era::Legacy, &at("raw"));
    let id = client.session().expect("a session");
    let rows = database::texts(
        &home,
        "SELECT id_hash || principal || target || protocol || client_info FROM gateway_session",
    );
    assert_eq!(rows.len(), 1);
    assert!(
        !rows[0].contains(id) && rows[0].contains("server/raw") && rows[0].contains(r#""name":"raw""#),
        "{rows:?}"
    );
    assert!(!home.logs().contains(id), "the id of a session is in the log");
}

/// An answer whose stream was cut off is had by coming back.
#[test]
fn a_stream_that_was_cut_off_is_taken_up() {
    let home = home_with("raw", &[]);
    let client = Client::begin(&home, Era::Legacy, &at("raw"));
    let request = client.request("tools/call", json!({"name": "wait", "arguments": {"ms": 4000}}));
    let mut stream = request.stream();
    let first = stream.line().expect("an event");
    let place = first
        .strip_prefix("id: ")
        .expect("the first event has an id and nothing else")
        .to_owned();
    drop(stream);
    let back = client
        .bare("GET")
        .header("Accept", "text/event-stream")
        .header("Last-Event-ID", &place);
    let (_, answer) = back.stream().event().expect("the answer");
    assert_eq!(answer["result"]["content"][0]["text"], "waited", "{answer}");
    for era in ERAS {
        assert!(!Client::begin(&home, era, &at("raw")).names("tools/list").is_empty());
    }
}
