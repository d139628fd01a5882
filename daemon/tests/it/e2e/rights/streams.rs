//! Streams that are under way while rights change: they go on as long as what they need is allowed, and end in a word.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{machine, manifest, with};
use crate::e2e::server;
use crate::support::daemon::{Home, eventually};
use crate::support::far::Far;
use crate::support::http::Stream;

/// A daemon with a model that has so many pieces to say, 20 each second, and an agent whose model waits so long before each of
/// its answers.
fn talking(pieces: u32, pause: &str) -> (Home, Far) {
    let (home, far) = (Home::new().started(), Far::start("orch-model", "--http", &[]));
    let gpt = json!({"provider": "openai", "model": format!("chunks.{pieces}.slow.50"), "url": far.url("")});
    let turn = json!({"toolCalls": [{"name": "agent__nobody"}], "delay": pause});
    let script = [vec![turn; 6], vec![json!({"text": "done"})]].concat();
    home.apply(
        &[
            manifest("Llm", "gpt", &gpt),
            manifest(
                "Llm",
                "script",
                &json!({"provider": "scripted", "model": "none", "script": script}),
            ),
            manifest("Project", "p", &json!({})),
            manifest("Agent", "a", &json!({"llm": "script", "project": "p"})),
        ]
        .concat(),
    );
    (home, far)
}

/// What may be asked here.
fn grants() -> Value {
    json!([
        {"roles": ["run"], "resources": ["llms", "agents"]},
        {"roles": ["view"], "resources": ["prompts"]},
    ])
}

/// What somebody is granted from now on.
fn grant(home: &Home, binding: &str, name: &str, grants: &Value) {
    let spec = json!({"subjects": [{"kind": "ServiceAccount", "name": name}], "grants": grants});
    home.apply(&manifest("RoleBinding", binding, &spec));
}

/// What somebody asks that is answered bit by bit, at each door.
fn asked() -> [(&'static str, Value); 3] {
    let said = json!([{"role": "user", "content": "hello"}]);
    [
        (
            "/v1/chat/completions",
            json!({"model": "gpt", "stream": true, "messages": said}),
        ),
        (
            "/v1/messages",
            json!({"model": "gpt", "stream": true, "max_tokens": 9, "messages": said}),
        ),
        ("/api/v1/agents/a/chat", json!({"message": "go", "stream": true})),
    ]
}

/// The streams that somebody has begun, each of which has said something.
fn begun(home: &Home, token: &str) -> Vec<(&'static str, Stream)> {
    let begun = asked().map(|(path, body)| {
        let mut stream = with(home, "POST", path, token).json(&body).stream();
        assert_eq!(stream.status, 200, "{path}");
        stream.line().expect("a line");
        (path, stream)
    });
    begun.into()
}

/// The data of what is left of a stream.
fn rest(mut stream: Stream) -> Vec<String> {
    let lines = std::iter::from_fn(|| stream.line());
    lines
        .filter_map(|line| line.strip_prefix("data: ").map(str::to_owned))
        .collect()
}

/// How many rows of the audit log say that.
fn said(home: &Home, detail: &str) -> usize {
    let all = home.get("audit?limit=1000");
    let rows = all["items"].as_array().expect("items").iter();
    let is_said = |row: &&Value| row["detail"].as_str().is_some_and(|said| said.contains(detail));
    rows.filter(is_said)
        .inspect(|row| assert_eq!(row["outcome"], "denied", "{row}"))
        .count()
}

/// Reads to the end of streams that are to end in an error of that code, in the words of their doors.
fn end_in(streams: Vec<(&'static str, Stream)>, codes: [&str; 3]) {
    for ((path, stream), code) in streams.into_iter().zip(codes) {
        let mut rest = rest(stream);
        if path.starts_with("/api/") {
            assert_eq!(rest.pop().as_deref(), Some("[DONE]"), "{path}");
        }
        let last: Value = serde_json::from_str(&rest.pop().expect("an event")).expect("JSON");
        let told = match path {
            "/v1/chat/completions" => &last["error"]["code"],
            "/v1/messages" => &last["error"]["type"],
            _ => &last["problem"]["code"],
        };
        assert_eq!(
            (told, rest.contains(&"[DONE]".to_owned())),
            (&json!(code), false),
            "{path}: {last}"
        );
    }
}

#[test]
fn what_is_said_goes_on_when_rights_grow_or_change_elsewhere() {
    let (home, _far) = talking(100, "500ms");
    let token = machine(&home, "ann", &grants(), &[]);
    grant(
        &home,
        "other",
        "ann",
        &json!([{"roles": ["view"], "resources": ["secrets"]}]),
    );
    let streams = begun(&home, &token);
    grant(
        &home,
        "more",
        "ann",
        &json!([{"roles": ["edit"], "resources": ["servers"]}]),
    );
    // What none of them needs is taken away, and something else is given instead.
    grant(
        &home,
        "other",
        "ann",
        &json!([{"roles": ["view"], "resources": ["groups"]}]),
    );
    let narrower = json!([{"roles": ["run"], "resources": ["llms"], "names": ["gpt"]},
        {"roles": ["run"], "resources": ["agents"], "names": ["a"]}]);
    grant(&home, "ann", "ann", &narrower);
    for (path, stream) in streams {
        let rest = rest(stream);
        let last = rest.last().expect("an event");
        let is_whole = last == "[DONE]" || last.contains("message_stop");
        assert!(is_whole && !rest.concat().contains("withdrawn"), "{path}: {rest:?}");
    }
    assert_eq!(said(&home, "rights were withdrawn"), 0);
}

#[test]
fn what_is_said_ends_in_a_word_when_rights_are_withdrawn() {
    let (home, far) = talking(1000, "2s");
    let token = machine(&home, "ann", &grants(), &[]);
    let streams = begun(&home, &token);
    grant(
        &home,
        "ann",
        "ann",
        &json!([{"roles": ["view"], "resources": ["llms", "agents"]}]),
    );
    end_in(streams, ["permission_denied", "permission_error", "ORCH4002"]);
    // Two for the door to the models, one for the stream of the agent; and one for its model, if it was asked just then.
    eventually("it is written down", || said(&home, "rights were withdrawn") >= 3);
    let seen = || {
        let address = far.url("").trim_start_matches("http://").parse().expect("an address");
        let seen = crate::support::http::Request::new(address, "GET", "/seen").send();
        seen.expect(200).json()["underWay"].clone()
    };
    eventually("nobody works for them", || seen() == 0);
    grant(&home, "ann", "ann", &grants());
    let ended = || {
        let threads = with(&home, "GET", "/api/v1/agents/a/threads", &token).send();
        let turn = &threads.expect(200).json()["items"][0]["lastTurn"];
        (turn["state"].clone(), turn["problem"]["code"].clone())
    };
    eventually("the turn has ended", || ended() == (json!("error"), json!("ORCH4002")));
}

#[test]
fn what_is_said_ends_in_a_word_when_a_token_is_revoked() {
    let (home, _far) = talking(1000, "2s");
    let token = machine(&home, "ann", &grants(), &[]);
    let streams = begun(&home, &token);
    home.orchctl(&["revoke", "token/ann"]).expect(0);
    end_in(streams, ["invalid_api_key", "authentication_error", "ORCH4001"]);
    eventually("it is written down", || {
        said(&home, "rights were withdrawn: the credential opens nothing any more") >= 3
    });
}

#[test]
fn a_watch_sees_what_may_be_seen_at_each_moment() {
    let home = Home::new().started();
    let prompt = |name: &str, content: &str| manifest("Prompt", name, &json!({"content": content}));
    home.apply(&(prompt("one", "1") + &prompt("two", "1")));
    let of = |name: &str| json!([{"roles": ["view"], "resources": ["prompts"], "names": [name]}]);
    let token = machine(&home, "ann", &of("one"), &[]);
    let mut watch = with(&home, "GET", "/api/v1/prompts?watch=1", &token).stream();
    let mut next = move || loop {
        let (_, event) = watch.event()?;
        if event["type"] != "BOOKMARK" {
            let name = event["object"]["metadata"]["name"].as_str().unwrap_or_default();
            return Some((
                name.to_owned(),
                event["object"]["spec"]["content"].clone(),
                event["code"].clone(),
            ));
        }
    };
    // An object is told of once more when its status changes.
    let mut until = |name: &str, content: Value| loop {
        let (found, said, _) = next().expect("the watch goes on");
        assert!(found != "one" || said != "2", "that may not be seen any more");
        if found == name && said == content {
            return;
        }
    };
    until("one", json!("1"));
    // What is new to it is told from then on.
    grant(&home, "more", "ann", &of("two"));
    home.apply(&prompt("two", "2"));
    until("two", json!("2"));
    // What is taken away is not: it is gone for the client, and nothing is said of it.
    grant(&home, "ann", "ann", &of("three"));
    home.apply(&prompt("one", "2"));
    until("one", Value::Null);
    home.apply(&prompt("two", "3"));
    until("two", json!("3"));
    home.orchctl(&["revoke", "token/ann"]).expect(0);
    home.apply(&prompt("two", "4"));
    let last = std::iter::from_fn(&mut next).last().expect("an event");
    assert_eq!(last.2, "ORCH4001", "{last:?}");
}

/// What has nothing to say does not wait for something to say until it ends.
#[test]
fn what_is_silent_ends_soon_as_well() {
    let home = Home::new().started();
    home.apply(&server("files", &[]));
    home.until_ready(&["server/files"]);
    let instances = home.get("instances");
    let instance = instances["items"][0]["metadata"]["name"].as_str().expect("a name");
    let paths = [
        "/api/v1/events?watch=1".to_owned(),
        "/api/v1/servers?watch=1".to_owned(),
        format!("/api/v1/instances/{instance}/logs?follow=true"),
    ];
    let all = json!([{"roles": ["view"], "resources": ["*"]}]);
    let ends: [(&str, &dyn Fn()); 3] = [
        ("revoked", &|| drop(home.orchctl(&["revoke", "token/ann"]).expect(0))),
        ("deleted", &|| drop(home.orchctl(&["delete", "token", "ann"]).expect(0))),
        ("unbound", &|| {
            home.orchctl(&["delete", "rolebinding", "ann"]).expect(0);
        }),
    ];
    for (how, end) in ends {
        drop(home.orchctl(&["delete", "token", "ann"]));
        let token = machine(&home, "ann", &all, &["logs"]);
        let streams = paths.clone().map(|path| {
            let stream = with(&home, "GET", &path, &token).stream();
            assert_eq!(stream.status, 200, "{path}");
            (path, stream)
        });
        end();
        let began = Instant::now();
        for (path, stream) in streams {
            let rest = rest(stream);
            let took = began.elapsed();
            assert!(took < Duration::from_secs(10), "{how}: {path} took {took:?}");
            if path.ends_with("watch=1") {
                let last: Value = serde_json::from_str(rest.last().expect("an event")).expect("JSON");
                let code = if how == "unbound" { "ORCH4002" } else { "ORCH4001" };
                assert_eq!(last["code"], code, "{how}: {path}: {last}");
            }
        }
    }
}
