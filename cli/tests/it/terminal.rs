//! The program on a terminal: what a person sees, types and gets back.

use orch_shared::resource::Timestamp;
use orch_shared::session::{Session, Sessions};
use serde_json::json;

use crate::support::daemon::{Answer, Daemon};
use crate::support::gateway::Gateway;
use crate::support::home::Home;
use crate::support::terminal::on_terminal;

#[test]
fn the_console_calls_a_tool_watches_a_session_and_gives_the_terminal_back() {
    let gateway = Gateway::start();
    let session = Session {
        id: "s-7".to_owned(),
        target: "project/web".to_owned(),
        client: Some("some-client".to_owned()),
        client_version: Some("1".to_owned()),
        protocol: "2025-11-25".to_owned(),
        principal: "user/ada".to_owned(),
        created_at: Timestamp::from_millis(0),
        last_used_at: Timestamp::from_millis(0),
    };
    let sessions = Sessions { items: vec![session] };
    gateway.api(
        "/api/v1/projects/web/sessions",
        serde_json::to_value(sessions).expect("plain data"),
    );
    let said = json!({
        "at": "2026-01-01T00:00:00.000Z", "direction": "from-client", "size": 40, "text": "{\"method\":\"watched\"}",
    });
    gateway.stream("/api/v1/projects/web/sessions/s-7/traffic", said);
    let home = Home::with_daemon(&gateway.address);
    let steps = [
        ("echo", "\r"),
        ("Ctrl-R call", "hello\u{12}"),
        ("done", "2"),
        ("some-client", "\r"),
        ("watched", "\u{3}"),
    ];
    if let Some(said) = on_terminal(&home, &["console", "-p", "web"], &steps) {
        assert!(said.trim_end().ends_with("ended 0 restored"), "{said}");
        assert!(said.contains("\u{1b}[?1049l"), "the screen of before is back: {said:?}");
        let call = gateway.until("the call", |heard| heard.method() == "tools/call");
        assert_eq!(call.body["params"]["arguments"], json!({"message": "hello"}));
    }
}

#[test]
fn the_audit_console_shows_sessions_and_what_is_done_as_it_happens() {
    let gateway = Gateway::start();
    let entry = |sequence: i64, item: &str| {
        json!({
            "sequence": sequence, "at": "2026-01-01T00:00:00.000Z", "kind": "tool_call", "principal": "ada", "token": "ci",
            "session": "0a1b2c3d4e5f", "verb": "tools/call", "target": {"kind": "Server", "name": "files"}, "item": item,
            "project": "web", "outcome": "allowed", "durationUs": 1234, "client": "some-client/1", "hash": "00",
        })
    };
    let session = json!({
        "project": "web", "principal": "ada", "session": "0a1b2c3d4e5f", "client": "some-client/1",
        "first": "2026-01-01T00:00:00.000Z", "last": "2026-01-01T00:00:00.000Z", "rows": 2, "calls": 2, "errors": 0,
    });
    gateway.api(
        "/api/v1/audit/sessions?from=24h&limit=1000",
        json!({"items": [session]}),
    );
    gateway.api(
        "/api/v1/audit?from=24h&limit=200",
        json!({"items": [entry(6, "read_file")]}),
    );
    gateway.stream("/api/v1/audit?after=6&watch=1", entry(7, "followed_tool"));
    let home = Home::with_daemon(&gateway.address);
    let steps = [("0a1b2c3d", ""), ("followed_tool", "d"), ("7d", "q")];
    if let Some(said) = on_terminal(&home, &["console", "--audit"], &steps) {
        assert!(said.trim_end().ends_with("ended 0 restored"), "{said}");
        gateway.until("the week", |heard| heard.path == "/api/v1/audit?from=7d&limit=200");
    }
}

#[test]
fn without_a_terminal_there_is_no_console() {
    for (arguments, hint) in [
        (&["console", "-p", "web"][..], "orchctl tools list --project web"),
        (&["console", "--audit"], "orchctl audit sessions"),
    ] {
        let run = Home::with_daemon("http://127.0.0.1:1").run(arguments);
        assert_eq!(run.code, 2, "{run}");
        assert!(run.stderr.contains(hint), "{run}");
    }
}

#[test]
fn a_person_is_asked_what_a_server_wants_to_know() {
    let gateway = Gateway::start();
    let home = Home::with_daemon(&gateway.address);
    let call = ["tools", "call", "ask", "-p", "web"];
    let asked = ("Your name (string):", "Ada\r");
    for (steps, expected) in [
        (vec![asked, ("send this?", "\r")], "\"accept\" {\"name\":\"Ada\"}"),
        (vec![asked, ("send this?", "n\r")], "\"decline\" null"),
        (vec![("Who are you?", "\r"), ("Your name", "\u{4}")], "\"cancel\" null"),
    ] {
        if let Some(said) = on_terminal(&home, &call, &steps) {
            assert!(
                said.contains(expected) && said.contains("ended 0"),
                "{expected}: {said}"
            );
        }
    }
}

#[test]
fn a_person_is_asked_before_a_file_is_written() {
    let home = Home::with_daemon("http://127.0.0.1:1");
    let install = ["client", "install", "cursor", "-p", "web"];
    let file = home.path().join(".cursor/mcp.json");
    if let Some(said) = on_terminal(&home, &install, &[("Write this for Cursor? [y/N]", "n\r")]) {
        assert!(said.contains("nothing was written") && !file.exists(), "{said}");
        let said = on_terminal(&home, &install, &[("Write this for Cursor? [y/N]", "y\r")]).unwrap_or_default();
        assert!(said.contains("ended 0") && file.exists(), "{said}");
    }
}

#[test]
fn a_password_is_typed_without_an_echo() {
    let login = json!({"user": "ann", "token": "orch_sesame", "expiresAt": "2099-01-01T00:00:00.000Z"});
    let daemon = Daemon::playing([Answer::json(200, &login)]);
    let home = Home::with_daemon(&daemon.address);
    let steps = [
        ("Name:", "ann\r"),
        ("Password of ann:", "open \u{7f}\u{7f}\u{7f}en sesame\r"),
    ];
    let Some(said) = on_terminal(&home, &["login"], &steps) else {
        return;
    };
    assert!(
        said.contains("logged in as ann in context test") && said.contains("ended 0 restored"),
        "{said}"
    );
    assert!(!said.contains("sesame"), "{said}");
    let asked = daemon.asked();
    assert_eq!(asked[0].json(), json!({"user": "ann", "password": "open sesame"}));
    assert_eq!(
        asked[0].header("authorization"),
        None,
        "a name and a password are enough"
    );
    let kept = std::fs::read_to_string(home.path().join("config.yaml")).expect("the contexts");
    assert!(kept.contains("orch_sesame") && kept.contains("orch_test"), "{kept}");
}

#[test]
fn the_token_of_whoever_sets_a_backend_up_is_typed_without_an_echo() {
    let ready = json!({"steps": ["the server answers: version 2.4.1"], "secret": "bao-token"});
    let daemon = Daemon::playing([Answer::json(200, &ready)]);
    let home = Home::with_daemon(&daemon.address);
    let wizard = [
        "create",
        "secretbackend",
        "bao",
        "--wizard",
        "--url",
        "https://bao.example.com:8200",
    ];
    let steps = [
        ("token roles (not shown):", "s.open-sesame\r"),
        ("Mount of the KV v2 engine", "\r"),
        ("What paths begin with", "\r"),
        ("Name of the policy", "\r"),
        ("Name of the token role", "\r"),
        ("make it the default?", "\r"),
    ];
    let seen = |steps: &[(&str, &str)]| on_terminal(&home, &wizard, steps);
    let Some(said) = seen(&steps) else { return };
    assert!(
        said.contains("secretbackend/bao   created") && said.contains("ended 0 restored"),
        "{said}"
    );
    let asked = daemon.asked();
    assert_eq!(asked[0].json()["adminToken"], "s.open-sesame");
    // Whoever types one and thinks better of it has shown nothing either.
    let steps = [("token roles (not shown):", "s.open-sesame\u{3}")];
    let said = seen(&steps).unwrap_or_default();
    assert!(
        said.contains("nothing was done") && said.contains("ended 1 restored") && !said.contains("sesame"),
        "{said}"
    );
}

#[test]
fn who_thinks_better_of_it_changes_nothing() {
    let home = Home::with_daemon("http://127.0.0.1:1");
    let before = std::fs::read_to_string(home.path().join("config.yaml")).expect("the contexts");
    let steps = [("Password of ann:", "secret\u{3}")];
    if let Some(said) = on_terminal(&home, &["login", "--user", "ann"], &steps) {
        assert!(
            said.contains("nothing was done") && said.contains("ended 1 restored"),
            "{said}"
        );
        let after = std::fs::read_to_string(home.path().join("config.yaml")).expect("the contexts");
        assert_eq!(after, before);
    }
}
