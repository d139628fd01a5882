//! Limits, and what is written down of who called what.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::{home_with, project, raw, raw_with};
use crate::support::client::{Client, ERAS, Era};
use crate::support::daemon::{Home, eventually};
use crate::support::database;

/// The answer to what goes over a limit says when to come back.
fn is_told_to_wait(told: &crate::support::mcp::Told, era: Era, whose: &str) {
    let error = &told.answer["error"];
    assert_eq!(error["code"], -32029, "{era:?}: {told:?}");
    assert!(
        error["message"].as_str().is_some_and(|text| text.contains(whose)),
        "{era:?}: {error}"
    );
    assert!(error["data"]["retryAfterMs"].as_u64() > Some(0), "{era:?}: {error}");
    if era == Era::Modern {
        assert_eq!(told.status, 429, "{told:?}");
        assert!(told.retry_after >= Some(1), "{told:?}");
    }
}

#[test]
fn a_server_is_asked_no_more_than_it_may_be() {
    let home = Home::new().started();
    let often = raw_with("often", &[], json!({"limits": {"requestsPerMinute": 3}}));
    let once = raw_with("once", &[], json!({"limits": {"concurrent": 1}}));
    home.apply(&(often + &once + &project("all", &["often", "once"])));
    home.until_ready(&["server/often", "server/once"]);
    let call = |client: &Client, tool: &str| client.ask("tools/call", json!({"name": tool, "arguments": {}}));
    let clients = ERAS.map(|era| Client::begin(&home, era, "/mcp/projects/all"));
    for _ in 0..3 {
        assert!(call(&clients[0], "often__echo").answer["result"].is_object());
    }
    for (client, era) in clients.iter().zip(ERAS) {
        is_told_to_wait(&call(client, "often__echo"), era, "server/often");
        // Lists are not calls, and another server is another matter.
        assert!(!client.names("tools/list").is_empty());
        assert!(call(client, "once__echo").answer["result"].is_object());
    }

    let waiting = clients[1]
        .request("tools/call", json!({"name": "once__wait", "arguments": {}}))
        .stream();
    for (client, era) in clients.iter().zip(ERAS) {
        is_told_to_wait(&call(client, "once__echo"), era, "server/once");
    }
    drop(waiting);
    eventually("there is room again", || {
        call(&clients[0], "once__echo").answer["result"].is_object()
    });
}

#[test]
fn a_principal_asks_no_more_than_it_may() {
    for (flag, value) in [
        ("--principal-requests-per-minute", "2"),
        ("--principal-concurrent-requests", "2"),
    ] {
        let home = Home::new().with(&[flag, value]).started();
        home.apply(&(raw("one", &[]) + &raw("two", &[]) + &project("all", &["one", "two"])));
        home.until_ready(&["server/one", "server/two"]);
        let [legacy, modern] = ERAS.map(|era| Client::begin(&home, era, "/mcp/projects/all"));
        let waiting = ["one__wait", "two__wait"].map(|tool| {
            let request = modern.request("tools/call", json!({"name": tool, "arguments": {}}));
            request.stream()
        });
        for client in [&legacy, &modern] {
            let told = client.ask("tools/call", json!({"name": "one__echo", "arguments": {}}));
            is_told_to_wait(&told, client.era(), "admin");
        }
        drop(waiting);
    }
}

/// Each call is written down: who, what, of which server, and what came of it; never what was said.
#[test]
fn calls_are_written_down_and_their_words_are_not() {
    let home = home_with("raw", &["--era", "legacy"]);
    home.apply(
        &(raw_with("raw", &["--era", "legacy"], json!({"tools": {"deny": ["big"]}})) + &project("all", &["raw"])),
    );
    home.until_ready(&["server/raw"]);
    let secret = "a-word-that-is-nobodys-business";
    for era in ERAS {
        let client = Client::begin(&home, era, "/mcp/projects/all");
        for tool in ["echo", "fail", "big"] {
            let params = json!({"name": format!("raw__{tool}"), "arguments": {"word": secret}});
            drop(client.ask("tools/call", params));
        }
        drop(client.ask("resources/read", json!({"uri": "raw://echo"})));
        drop(client.ask("prompts/get", json!({"name": "raw__echo"})));
        drop(client.ask(
            "completion/complete",
            json!({"ref": {"type": "ref/prompt", "name": "raw__echo"}, "argument": {"name": "a", "value": "b"}}),
        ));
    }
    let query = "SELECT json_object('principal', principal, 'action', action, 'kind', kind, 'name', name, \
                 'outcome', outcome, 'item', item, 'detail', detail) FROM audit ORDER BY sequence";
    let entries = || -> Vec<Value> {
        let rows = database::texts(&home, query);
        rows.iter()
            .map(|row| serde_json::from_str(row).expect("JSON"))
            .collect()
    };
    let of_calls = || -> Vec<Value> {
        let actions = ["tools/call", "resources/read", "prompts/get", "completion/complete"];
        entries()
            .into_iter()
            .filter(|entry| actions.iter().any(|action| entry["action"] == *action))
            .collect()
    };
    eventually("all calls are written down", || of_calls().len() == 12);
    let seen: BTreeSet<String> = of_calls()
        .iter()
        .map(|entry| {
            assert!(
                entry["principal"].as_str().is_some_and(|who| !who.is_empty()),
                "{entry}"
            );
            let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
            format!(
                "{} {} {}",
                text(&entry["action"]),
                text(&entry["item"]),
                text(&entry["outcome"])
            )
        })
        .collect();
    let expected = [
        "completion/complete  allowed",
        "prompts/get echo allowed",
        "resources/read raw://echo allowed",
        "tools/call echo allowed",
        "tools/call fail allowed",
        "tools/call raw__big denied",
    ];
    assert_eq!(seen, expected.map(str::to_owned).into());
    assert!(
        !entries().iter().any(|entry| entry.to_string().contains(secret)),
        "{:?}",
        entries()
    );
    assert!(!home.logs().contains(secret), "the log holds what was said");
}

/// A daemon that ends while calls are still gathered writes them down, and keeps nobody waiting.
#[test]
fn the_last_calls_are_written_down() {
    let mut home = home_with("raw", &[]);
    let calls = |home: &Home| database::texts(home, "SELECT action FROM audit WHERE action = 'tools/call'").len();
    for _ in 0..3 {
        let before = calls(&home);
        let client = Client::begin(&home, Era::Modern, "/mcp/servers/raw");
        client.call("echo", json!({}));
        assert_eq!(home.stop(), 0);
        assert_eq!(calls(&home), before + 1);
        home.start();
        home.until_ready(&["server/raw"]);
    }
    let logs = home.logs();
    assert!(!logs.contains("does not come to an end"), "{logs}");
}

/// What is under way when the daemon is told to stop is answered, as JSON or on a stream, and written down.
#[test]
fn calls_under_way_are_finished_first() {
    let mut home = home_with("raw", &[]);
    let calls = |home: &Home| database::texts(home, "SELECT action FROM audit WHERE action = 'tools/call'").len();
    for (era, ms) in [(Era::Modern, 900), (Era::Modern, 3000), (Era::Legacy, 3000)] {
        let before = calls(&home);
        let client = Client::begin(&home, era, "/mcp/servers/raw");
        let told = std::thread::scope(|scope| {
            let call = scope.spawn(|| client.ask("tools/call", json!({"name": "wait", "arguments": {"ms": ms}})));
            std::thread::sleep(std::time::Duration::from_millis(400));
            assert_eq!(home.stop(), 0);
            call.join().expect("an answer")
        });
        assert!(told.answer["result"]["content"].is_array(), "{era:?}: {}", told.answer);
        assert_eq!(calls(&home), before + 1, "{era:?}");
        home.start();
        home.until_ready(&["server/raw"]);
    }
    let logs = home.logs();
    assert!(!logs.contains("missing in the audit log"), "{logs}");
}
