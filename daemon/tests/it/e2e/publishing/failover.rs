//! Callers of the publisher's machine: they ask the daemon's model, and the one of this machine answers only when the daemon
//! fails and says that they may.

use serde_json::json;

use super::{KEY, Publisher, chat, local_model, machine};
use crate::e2e::manifest;
use crate::support::daemon::{Home, eventually};
use crate::support::http::{Answer, Request};

/// A caller of this machine.
fn call(door: &str, token: &str, method: &str, path: &str) -> Answer {
    let address = door
        .trim_start_matches("http://")
        .trim_end_matches("/v1")
        .parse()
        .expect("an address");
    let request = Request::new(address, method, path);
    let request = if token.is_empty() {
        request
    } else {
        request.token(token)
    };
    match method {
        "POST" => request.json(&chat("whatever")).send(),
        _ => request.send(),
    }
}

#[test]
fn the_model_of_this_machine_answers_only_those_who_may_ask_the_one_of_the_daemon() {
    let (mut home, far) = (Home::new().started(), local_model());
    let scripted = json!({"provider": "scripted", "model": "none", "script": [{"text": "from the daemon"}]});
    home.apply(
        &[
            manifest("Llm", "central", &scripted),
            manifest(
                "Llm",
                "broken",
                &json!({"provider": "openai", "model": "m", "url": "http://127.0.0.1:9"}),
            ),
        ]
        .concat(),
    );
    let grants = |roles: &[&str]| json!([{"roles": roles, "resources": ["llms"]}]);
    let caller = machine(&home, "caller", &grants(&["run", "view"]));
    let viewer = machine(&home, "viewer", &grants(&["view"]));
    let nobody = machine(&home, "nobody", &json!([]));
    let publish = |name: &str, stands_in_for: &str| {
        let url = far.url("");
        let arguments = [
            "llm",
            name,
            "--url",
            &url,
            "--model",
            "chunks.2.plain",
            "--api-key-env",
            "LOCAL_KEY",
        ];
        let publisher = Publisher::start(&home, &[&arguments[..], &["--failover-for", stands_in_for]].concat());
        let mut door = String::new();
        eventually("it serves callers", || {
            door = publisher
                .said()
                .lines()
                .find(|line| line.starts_with("http://"))
                .unwrap_or_default()
                .to_owned();
            !door.is_empty()
        });
        (publisher, door)
    };
    // As long as the daemon answers, it does.
    let (_first, door) = publish("one", "central");
    let answer = call(&door, &caller, "POST", "/v1/chat/completions").expect(200);
    assert!(answer.body.contains("from the daemon") && answer.header("x-orch-failover").is_none());
    assert!(
        call(&door, &caller, "GET", "/v1/models")
            .expect(200)
            .body
            .contains("central")
    );
    call(&door, &caller, "GET", "/v1/secrets").expect(404);

    // When it fails, the other one does: for those who may ask the daemon's.
    let (_second, door) = publish("two", "broken");
    let answer = call(&door, &caller, "POST", "/v1/chat/completions").expect(200);
    assert!(answer.body.contains("All is "), "{}", answer.body);
    assert_eq!(answer.header("x-orch-failover"), Some("two"));
    assert_eq!(super::seen(&far)["asked"]["chunks.2.plain"], 1);
    for (token, status) in [
        (viewer.as_str(), 403),
        (&nobody, 404),
        (&format!("orch_{}", "0".repeat(64)), 401),
        ("", 401),
    ] {
        call(&door, token, "POST", "/v1/chat/completions").expect(status);
    }
    // Whose right is taken away is not answered in the daemon's place, either.
    home.http("POST", "/api/v1/tokens/caller/revoke")
        .json(&json!({}))
        .send()
        .expect(200);
    call(&door, &caller, "POST", "/v1/chat/completions").expect(401);
    // And nobody is while the daemon cannot be asked about them.
    home.kill_9();
    let refused = call(&door, &caller, "POST", "/v1/chat/completions").expect(502);
    assert!(
        refused.body.contains("cannot be reached") && !refused.body.contains(KEY),
        "{}",
        refused.body
    );
    assert_eq!(super::seen(&far)["asked"]["chunks.2.plain"], 1);
}
