//! What was somebody's to do when they began to ask, and is not any more when all of it is there.
//!
//! Each request is begun, and then stands still until something was taken away.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::time::Duration;

use serde_json::{Value, json};

use super::{ALL, furnished, machine, object, token, with};
use crate::e2e::manifest;
use crate::support::client::{Client, Era};
use crate::support::daemon::Home;
use crate::support::far::Far;
use crate::support::http::{Answer, Late, Request};

/// Begins to send a request; by the time this returns the daemon has very likely seen who asks.
fn begun(request: Request) -> Late {
    let late = request.begin_sending();
    // Nothing that can be asked says that a head was read. One that was not is refused at once, which is right as well.
    std::thread::sleep(Duration::from_millis(500));
    late
}

fn revoke(home: &Home, name: &str) {
    let path = format!("/api/v1/tokens/{name}/revoke");
    home.http("POST", &path).json(&json!({})).send().expect(200);
}

fn everything() -> Value {
    json!([{"roles": ALL, "resources": ["*"]}])
}

/// A binding by which somebody would keep what they are losing.
fn backdoor(name: &str) -> Value {
    let subjects = json!([{"kind": "User", "name": "x"}]);
    object(
        "RoleBinding",
        name,
        &json!({"subjects": subjects, "grants": everything()}),
    )
}

#[test]
fn a_credential_that_is_gone_when_the_body_is_there_opens_nothing() {
    let home = furnished();
    let path = "/api/v1/rolebindings";
    let kept = machine(&home, "kept", &everything(), &[]);
    let late = begun(with(&home, "POST", path, &kept).json(&backdoor("mine")));
    late.finish().expect(201);

    let refused = |answer: Answer, name: &str| {
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (401, "ORCH4001"),
            "{}",
            answer.body
        );
        home.http("GET", &format!("{path}/{name}")).send().expect(404);
    };
    let revoked = machine(&home, "revoked", &everything(), &[]);
    let late = begun(with(&home, "POST", path, &revoked).json(&backdoor("late")));
    revoke(&home, "revoked");
    refused(late.finish(), "late");

    let idle = machine(&home, "idle", &everything(), &[]);
    let set = json!({"objects": [backdoor("set")]});
    let late = begun(with(&home, "POST", "/api/v1/apply", &idle).json(&set));
    let off = json!({"spec": {"active": false}});
    home.http("PATCH", "/api/v1/serviceaccounts/idle")
        .json(&off)
        .send()
        .expect(200);
    refused(late.finish(), "set");

    // So does whoever asks in the place of one who is gone, or may not do that any more.
    home.apply(&manifest("User", "ann", &json!({})));
    let binding = json!({"subjects": [{"kind": "User", "name": "ann"}], "grants": everything()});
    home.apply(&manifest("RoleBinding", "ann", &binding));
    let actor = machine(&home, "actor", &everything(), &["impersonate"]);
    let as_ann = |name: &str| {
        let request = with(&home, "POST", path, &actor).json(&backdoor(name));
        begun(request.header("Orch-Impersonate", "ann"))
    };
    as_ann("hers").finish().expect(201);
    let late = as_ann("gone");
    home.http("PATCH", "/api/v1/users/ann").json(&off).send().expect(200);
    late.finish().expect(404);
    home.http("GET", &format!("{path}/gone")).send().expect(404);
}

#[test]
fn rights_that_were_withdrawn_when_the_body_is_there_do_not_count() {
    let home = furnished();
    let narrow = machine(&home, "narrow", &everything(), &[]);
    let prompt = object("Prompt", "late", &json!({"content": "x"}));
    let late = begun(with(&home, "POST", "/api/v1/prompts", &narrow).json(&prompt));
    let view = json!({"spec": {"grants": [{"roles": ["view"], "resources": ["*"]}]}});
    home.http("PATCH", "/api/v1/rolebindings/narrow")
        .json(&view)
        .send()
        .expect(200);
    assert_eq!(late.finish().expect(403).code(), "ORCH4002");
    // Those that were granted do.
    let late = begun(with(&home, "POST", "/api/v1/prompts", &narrow).json(&prompt));
    let wide = json!({"spec": {"grants": everything()}});
    home.http("PATCH", "/api/v1/rolebindings/narrow")
        .json(&wide)
        .send()
        .expect(200);
    late.finish().expect(201);
}

#[test]
fn neither_a_tool_nor_a_model_is_asked_for_a_credential_that_is_gone() {
    let far = Far::start("orch-raw", "--http", &["--era", "modern"]);
    let home = Home::new().started();
    home.apply(
        &[
            manifest("Server", "raw", &json!({"remote": {"url": far.url("/mcp")}})),
            manifest(
                "Llm",
                "m",
                &json!({"provider": "scripted", "model": "none", "script": [{"text": "hello"}]}),
            ),
            manifest("Project", "p", &json!({"servers": ["raw"]})),
            manifest("Agent", "a", &json!({"llm": "m", "project": "p"})),
        ]
        .concat(),
    );
    home.until_ready(&["server/raw"]);
    let calls = || {
        let address = far.url("").trim_start_matches("http://").parse().expect("an address");
        let stats = Request::new(address, "GET", "/stats").send().expect(200).json();
        stats["methods"]["tools/call"].as_u64().unwrap_or(0)
    };
    machine(
        &home,
        "ci",
        &json!([{"roles": ["view", "run"], "resources": ["*"]}]),
        &[],
    );
    for era in [Era::Modern, Era::Legacy] {
        let before = calls();
        let name = format!("mcp-{}", if era == Era::Modern { "new" } else { "old" });
        let shown = token(&home, &name, &json!({"serviceAccount": "ci", "rbac": "owner"}));
        let client = Client::begin_as(&home, era, "/mcp/servers/raw", &shown);
        let call = || begun(client.request("tools/call", json!({"name": "echo", "arguments": {"message": "late"}})));
        call().finish().expect(200);
        assert_eq!(calls(), before + 1);
        let late = call();
        revoke(&home, &name);
        late.finish().expect(401);
        assert_eq!(calls(), before + 1, "the server was asked all the same");
    }

    let shown = token(&home, "model", &json!({"serviceAccount": "ci", "rbac": "owner"}));
    let words = json!([{"role": "user", "content": "hi"}]);
    let ask = |path: &str, body: Value| begun(with(&home, "POST", path, &shown).json(&body));
    let doors = || {
        [
            ask("/v1/chat/completions", json!({"model": "m", "messages": words})),
            ask(
                "/v1/messages",
                json!({"model": "m", "max_tokens": 9, "messages": words}),
            ),
            ask("/v1/messages/count_tokens", json!({"model": "m", "messages": words})),
            ask("/api/v1/agents/a/chat", json!({"message": "hi"})),
        ]
    };
    for late in doors() {
        late.finish().expect(200);
    }
    let late = doors();
    revoke(&home, "model");
    for late in late {
        let answer = late.finish().expect(401);
        assert!(answer.header("www-authenticate").is_some(), "{:?}", answer.headers);
        // In the words of each door.
        let told = answer.json();
        assert!(
            told["error"]["message"].is_string() || told["code"] == "ORCH4001",
            "{told}"
        );
    }
}

/// A provider that is asked whether it takes a key takes its time.
#[test]
fn nothing_is_written_for_a_credential_that_went_while_a_provider_was_asked() {
    let home = furnished();
    let provider = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/v1", provider.local_addr().expect("an address"));
    let spec = json!({"provider": "openai", "model": "m", "url": url, "apiKeyRef": {"name": "x", "key": "token"}});
    let made = object("Llm", "late", &spec);
    let shown = machine(&home, "maker", &everything(), &[]);
    let request = with(&home, "POST", "/api/v1/llms", &shown).json(&made);
    let asking = std::thread::spawn(move || request.send());
    let (mut asked, _) = provider.accept().expect("the question");
    let mut question = [0; 1024];
    let length = asked.read(&mut question).expect("the question");
    assert!(length > 0);
    revoke(&home, "maker");
    let answer = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 11\r\nConnection: close\r\n\r\n{\"data\":[]}";
    asked.write_all(answer.as_bytes()).expect("it is still waited for");
    drop(asked);
    let answer = asking.join().expect("an answer");
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (401, "ORCH4001"),
        "{}",
        answer.body
    );
    home.http("GET", "/api/v1/llms/late").send().expect(404);
}
