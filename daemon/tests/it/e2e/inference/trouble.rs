//! Providers that do not answer: asked once more, stood in for, left alone; and never with a word about their keys.

use serde_json::json;

use super::{KEY, chat, keys, messages, model, post, provider, rows, scripted, seen, streamed};
use crate::e2e::manifest;
use crate::support::daemon::{Home, eventually};
use crate::support::http::{Request, converse};

#[test]
fn who_does_not_answer_is_asked_once_more_and_stood_in_for() {
    let (home, far) = (Home::new().started(), provider());
    let manifests = [
        keys(),
        scripted("spare", &json!([{"text": "instead"}])),
        scripted("hidden", &json!([{"text": "hidden"}])),
        model("flaky", &far, "openai", "flaky.1", &json!({})),
        model(
            "gone",
            &far,
            "openai",
            "gone",
            &json!({"url": "http://127.0.0.1:9", "fallbacks": ["hidden", "spare"]}),
        ),
        model(
            "failing",
            &far,
            "openai",
            "status.503",
            &json!({"fallbacks": ["spare"]}),
        ),
        model("alone", &far, "openai", "status.500", &json!({})),
        model(
            "wrong",
            &far,
            "openai",
            "plain",
            &json!({"apiKeyRef": {"name": "keys", "key": "wrong"}}),
        ),
        model("bad", &far, "openai", "status.400", &json!({"fallbacks": ["spare"]})),
    ]
    .concat();
    // One of them has a key that is not taken.
    home.orchctl_reading(&manifests, &["apply", "-f", "-", "--skip-auth-check"])
        .expect(0);
    let ask = |name: &str| post(&home, "/v1/chat/completions", &chat(name)).send();
    ask("flaky").expect(200);
    assert_eq!(seen(&far)["asked"]["flaky.1"], 2);
    for name in ["gone", "failing"] {
        let answer = ask(name).expect(200);
        let expected = if name == "gone" { "hidden" } else { "spare" };
        assert_eq!(answer.header("x-orch-llm"), Some(expected), "{name}");
    }
    assert_eq!(seen(&far)["asked"]["status.503"], 2);
    // Only by models that the client may ask as well.
    home.apply(
        &[
            manifest("ServiceAccount", "narrow", &json!({})),
            manifest(
                "RoleBinding",
                "narrow",
                &json!({"subjects": [{"kind": "ServiceAccount", "name": "narrow"}],
                    "grants": [{"roles": ["run"], "resources": ["llms"], "names": ["gone", "spare"]},
                        {"roles": ["view"], "resources": ["llms"], "names": ["alone"]}]}),
            ),
        ]
        .concat(),
    );
    let made = home.http("POST", "/api/v1/tokens").json(&json!({
        "apiVersion": "orchctl.dev/v1", "kind": "Token", "metadata": {"name": "narrow"},
        "spec": {"serviceAccount": "narrow", "rbac": "owner"},
    }));
    let token = made.send().expect(201).json()["credential"]
        .as_str()
        .expect("a credential")
        .to_owned();
    let ask_as = |name: &str| {
        let request = Request::new(home.address(), "POST", "/v1/chat/completions").token(&token);
        request.json(&chat(name)).send()
    };
    assert_eq!(ask_as("gone").expect(200).header("x-orch-llm"), Some("spare"));
    // What may be seen and not used is told apart from what is not there; the rest is not.
    let refused = ask_as("alone").expect(403).json();
    assert_eq!(refused["error"]["code"], "permission_denied", "{refused}");
    let (hidden, absent) = (ask_as("flaky").expect(404).body, ask_as("absent").expect(404).body);
    assert_eq!(hidden.replace("flaky", "NAME"), absent.replace("absent", "NAME"));

    // What is the request's fault is the client's to know, and nobody else's to answer.
    let refused = ask("bad").expect(400).json();
    assert_eq!(
        refused["error"]["message"], "this model answers 400 Bad Request",
        "{refused}"
    );
    let refused = ask("alone").expect(502).json();
    assert!(
        refused["error"]["message"]
            .as_str()
            .is_some_and(|told| told.contains("llm/alone answers HTTP 500")),
        "{refused}"
    );
    // A key that is not taken is the daemon's trouble, not the client's; and nobody hears it.
    let refused = ask("wrong").expect(502);
    assert!(
        refused.body.contains("does not take its key") && !refused.body.contains("sk-of"),
        "{}",
        refused.body
    );
    let refused = post(&home, "/v1/messages", &messages("wrong"))
        .send()
        .expect(502)
        .json();
    assert_eq!(refused["type"], "error", "{refused}");
    assert!(!home.logs().contains(KEY) && !home.logs().contains("sk-of-nobody"));
}

#[test]
fn a_key_that_is_repeated_is_told_to_nobody() {
    let (home, far) = (Home::new().started(), provider());
    home.apply(
        &(keys()
            + &model("late", &far, "openai", "late-error", &json!({}))
            + &model("odd", &far, "openai", "status.200.echo", &json!({}))
            + &manifest("Project", "p", &json!({}))
            + &manifest("Agent", "a", &json!({"llm": "late", "project": "p"}))),
    );
    let answers = [
        post(&home, "/v1/chat/completions", &streamed(chat("late")))
            .send()
            .expect(200),
        post(&home, "/v1/messages", &streamed(messages("late")))
            .send()
            .expect(200),
        post(&home, "/v1/chat/completions", &chat("odd")).send().expect(502),
        post(&home, "/api/v1/agents/a/chat", &json!({"message": "hello"}))
            .send()
            .expect(502),
    ];
    for answer in answers {
        assert!(answer.body.contains("the key ***"), "{}", answer.body);
        assert!(!answer.body.contains(KEY), "{}", answer.body);
    }
    let threads = home.get("agents/a/threads");
    let thread = threads["items"][0]["id"].as_str().expect("a thread");
    assert!(
        !home
            .get(&format!("threads/{thread}/messages"))
            .to_string()
            .contains(KEY)
    );
    crate::e2e::backends::nowhere(&home, &[KEY]);
}

/// An answer of 200 that tells an error is none; one that stands in need not be able to answer; and where nobody can, it is
/// told why the one that was asked did not.
#[test]
fn what_cannot_stand_in_is_passed_over() {
    let (home, far) = (Home::new().started(), provider());
    let claude = json!({"fallbacks": ["claude", "spare"]});
    home.apply(
        &[
            keys(),
            scripted("spare", &json!([{"text": "instead"}])),
            model("claude", &far, "anthropic", "plain", &json!({})),
            model("odd", &far, "openai", "status.200", &claude),
            model("down", &far, "openai", "status.503", &json!({"fallbacks": ["claude"]})),
            model("moved", &far, "openai", "status.302", &json!({"fallbacks": ["spare"]})),
        ]
        .concat(),
    );
    // Its key was tried when it was declared.
    let tried = seen(&far)["asked"]["plain"].clone();
    let mut sung = chat("odd");
    sung["messages"][0]["content"] = json!([
        {"type": "text", "text": "hello"}, {"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}},
    ]);
    let answer = post(&home, "/v1/chat/completions", &sung).send().expect(200);
    assert_eq!(answer.header("x-orch-llm"), Some("spare"), "{}", answer.body);
    assert_eq!(seen(&far)["asked"]["plain"], tried);
    sung["model"] = json!("down");
    let refused = post(&home, "/v1/chat/completions", &sung).send().expect(502);
    assert!(
        refused.body.contains("llm/down answers HTTP 503") && refused.body.contains("llm/claude cannot be asked"),
        "{}",
        refused.body
    );
    // The one that is asked first tells what it cannot be told.
    sung["model"] = json!("claude");
    post(&home, "/v1/chat/completions", &sung).send().expect(400);
    let answer = post(&home, "/v1/chat/completions", &chat("moved")).send().expect(200);
    assert_eq!(answer.header("x-orch-llm"), Some("spare"));
    let used = home.get("usage?by=llm");
    let of_claude = used["items"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|item| item["llm"] == "claude");
    assert!(of_claude.is_none(), "it was asked nothing: {used}");
}

#[test]
fn who_wants_a_key_is_no_trouble_of_the_client() {
    let (home, far) = (Home::new().started(), provider());
    let keyless = model("keyless", &far, "openai", "plain", &json!({"apiKeyRef": null}));
    home.orchctl_reading(&keyless, &["apply", "-f", "-", "--skip-auth-check"])
        .expect(0);
    let refused = post(&home, "/v1/chat/completions", &chat("keyless"))
        .send()
        .expect(502)
        .json();
    let told = refused["error"]["message"].as_str().expect("a message");
    assert!(told.contains("wants a key (HTTP 401)"), "{told}");
    // Where nothing is, both kinds of clients are told so in their words.
    let absent = home
        .http("GET", "/v1/models/absent")
        .header("anthropic-version", "2023-06-01")
        .send()
        .expect(404)
        .json();
    assert_eq!(
        (&absent["type"], &absent["error"]["type"]),
        (&json!("error"), &json!("not_found_error")),
        "{absent}"
    );
    let absent = post(&home, "/v1/messages/batches", &json!({}))
        .send()
        .expect(404)
        .json();
    assert_eq!(absent["type"], "error", "{absent}");
    let absent = post(&home, "/v1/completions", &json!({})).send().expect(404).json();
    assert!(absent["error"]["message"].is_string(), "{absent}");
}

#[test]
fn who_keeps_failing_is_left_alone_for_a_while() {
    let (home, far) = (Home::new().started(), provider());
    home.apply(&(keys() + &model("alone", &far, "openai", "status.500", &json!({}))));
    let ask = || post(&home, "/v1/chat/completions", &chat("alone")).send();
    for _ in 0..3 {
        ask().expect(502);
    }
    let before = seen(&far)["asked"]["status.500"].as_u64();
    let refused = ask().expect(503);
    assert!(refused.body.contains("left alone"), "{}", refused.body);
    assert_eq!(seen(&far)["asked"]["status.500"].as_u64(), before);
    // Another generation is another try.
    home.apply(&model("alone", &far, "openai", "plain", &json!({})));
    eventually("it is asked again", || ask().status == 200);
}

/// Whoever says that all is well, and answers with something else, does not answer.
#[test]
fn what_is_no_answer_is_told_as_that_and_stood_in_for() {
    let (home, far) = (Home::new().started(), provider());
    let spare = json!({"fallbacks": ["spare"]});
    home.apply(
        &[
            keys(),
            scripted("spare", &json!([{"text": "instead"}])),
            model("page", &far, "openai", "page.1", &json!({})),
            model("claude", &far, "anthropic", "page.2", &json!({})),
            model("whole", &far, "openai", "whole", &json!({})),
            model("stood", &far, "openai", "page.3", &spare),
            model("stood-whole", &far, "anthropic", "whole.2", &spare),
        ]
        .concat(),
    );
    for (name, path, body, told) in [
        ("page", "/v1/chat/completions", chat("page"), "no JSON object"),
        ("page", "/v1/messages", messages("page"), "no JSON object"),
        (
            "page",
            "/v1/chat/completions",
            streamed(chat("page")),
            "a stream of events",
        ),
        ("claude", "/v1/messages", messages("claude"), "no JSON object"),
        ("claude", "/v1/chat/completions", chat("claude"), "no JSON object"),
        (
            "claude",
            "/v1/messages",
            streamed(messages("claude")),
            "a stream of events",
        ),
        (
            "whole",
            "/v1/chat/completions",
            streamed(chat("whole")),
            "a stream of events",
        ),
    ] {
        let refused = post(&home, path, &body).send().expect(502).json();
        let message = refused["error"]["message"].as_str().unwrap_or_default();
        assert!(
            message.contains(told) && message.contains(&format!("llm/{name}")),
            "{path} {refused}"
        );
    }
    // It is asked once each time, and what it keeps doing counts as a failure.
    assert_eq!(seen(&far)["asked"]["page.1"], 3);
    for body in [
        chat("stood"),
        streamed(chat("stood")),
        streamed(chat("stood-whole")),
        chat("whole"),
    ] {
        let answer = post(&home, "/v1/chat/completions", &body).send().expect(200);
        let name = body["model"].as_str().expect("a name");
        let expected = if name == "whole" { name } else { "spare" };
        assert_eq!(answer.header("x-orch-llm"), Some(expected), "{body}");
    }
    for _ in 0..2 {
        post(&home, "/v1/chat/completions", &chat("page")).send().expect(502);
    }
    let refused = post(&home, "/v1/chat/completions", &chat("page")).send().expect(503);
    assert!(refused.body.contains("left alone"), "{}", refused.body);
    eventually("the rows are written", || rows(&home).len() == 14);
    let failed = rows(&home).iter().filter(|row| row["outcome"] == "failed").count();
    assert_eq!(failed, 10);
}

#[test]
fn scripts_have_stand_ins_and_a_time() {
    let home = Home::new().started();
    let with = |name: &str, script: serde_json::Value, more: serde_json::Value| {
        let mut spec = json!({"provider": "scripted", "model": "none", "script": script});
        for (field, value) in more.as_object().expect("a mapping") {
            spec[field] = value.clone();
        }
        manifest("Llm", name, &spec)
    };
    let fails = |status: u16| json!([{"error": {"status": status, "message": "not today"}}]);
    let slow = json!([{"text": "late", "delay": "10m"}]);
    home.apply(
        &[
            scripted("spare", &json!([{"text": "instead"}])),
            with("failing", fails(503), json!({"fallbacks": ["spare"]})),
            with("refusing", fails(400), json!({"fallbacks": ["spare"]})),
            with("both", fails(500), json!({"fallbacks": ["failing-too"]})),
            with("failing-too", fails(503), json!({})),
            with("slow", slow.clone(), json!({"timeout": "1s"})),
            with("stood", slow, json!({"timeout": "1s", "fallbacks": ["spare"]})),
        ]
        .concat(),
    );
    let ask = |name: &str| post(&home, "/v1/chat/completions", &chat(name)).send();
    for name in ["failing", "stood"] {
        assert_eq!(ask(name).expect(200).header("x-orch-llm"), Some("spare"), "{name}");
    }
    let refused = ask("refusing").expect(400).json();
    assert_eq!(refused["error"]["message"], "not today");
    let refused = ask("failing-too").expect(503).json();
    assert_eq!(refused["error"]["message"], "not today", "what the script says is said");
    let refused = ask("both").expect(502);
    for told in [
        "llm/both answers HTTP 500: not today",
        "llm/failing-too answers HTTP 503: not today",
    ] {
        assert!(refused.body.contains(told), "{}", refused.body);
    }
    let refused = ask("slow").expect(504);
    assert!(refused.body.contains("within 1 s"), "{}", refused.body);
}

#[test]
fn requests_that_make_no_sense_are_told_so_in_the_clients_words() {
    let home = Home::new().started();
    home.apply(&scripted(
        "demo",
        &json!([{"text": "hello"}, {"error": {"status": 429, "message": "slow down"}}]),
    ));
    let send = |path: &str, body: &str| {
        let request = home.http("POST", path).header("Content-Type", "application/json");
        request.body(body.as_bytes().to_vec()).send()
    };
    for (path, body, status) in [
        ("/v1/chat/completions", "{", 400),
        ("/v1/chat/completions", "[]", 400),
        ("/v1/chat/completions", r#"{"messages": []}"#, 400),
        ("/v1/chat/completions", r#"{"model": 7}"#, 400),
        ("/v1/chat/completions", r#"{"model": "demo", "stream": "yes"}"#, 400),
        (
            "/v1/responses",
            r#"{"model": "demo", "input": "x", "previous_response_id": "resp_1"}"#,
            400,
        ),
        ("/v1/embeddings", r#"{"model": "demo", "input": "x"}"#, 400),
        ("/v1/messages", r#"{"model": "none", "messages": []}"#, 404),
    ] {
        let answer = send(path, body);
        assert_eq!(answer.status, status, "{path} {body}: {}", answer.body);
        assert!(
            answer.json()["error"]["message"].is_string(),
            "{path} {body}: {}",
            answer.body
        );
    }
    home.http("POST", "/v1/chat/completions")
        .body(b"{}".to_vec())
        .send()
        .expect(415);
    home.http("GET", "/v1/chat/completions").send().expect(405);
    home.http("GET", "/v1/nothing").send().expect(404);
    // What the script says is said.
    let mut asked = chat("demo");
    asked["messages"] = json!([{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}, {"role": "user", "content": "c"}]);
    let refused = post(&home, "/v1/chat/completions", &asked).send().expect(429).json();
    assert_eq!(refused["error"]["message"], "slow down");
}

#[test]
fn whoever_sends_too_much_reads_why_it_is_refused() {
    let home = Home::new().started();
    home.apply(&scripted("m", &json!([{"text": "one"}])));
    let large = json!({"model": "m", "max_tokens": 9, "messages": [{"role": "user", "content": "x".repeat(70 << 20)}]});
    // Sent to the end before anything is read, as most clients do.
    for (path, place) in [
        ("/v1/chat/completions", "/error/code"),
        ("/v1/responses", "/error/code"),
        ("/v1/messages", "/error/type"),
    ] {
        let refused = post(&home, path, &large).send().expect(413).json();
        assert_eq!(
            refused.pointer(place),
            Some(&json!("request_too_large")),
            "{path}: {refused}"
        );
        assert!(refused.to_string().contains("larger than 64 MiB"), "{refused}");
    }
    // Who asks first need not send it at all.
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Content-Length: {}\r\nExpect: 100-continue\r\n\r\n",
        home.address(),
        home.token(),
        70 << 20
    );
    let heard = converse(home.address(), head.as_bytes(), std::time::Duration::from_secs(5)).text;
    assert!(heard.starts_with("HTTP/1.1 413 "), "{heard}");
}
