//! Large requests to published models: what the door takes arrives, what cannot be told is refused, and nothing else that the
//! publisher has under way suffers from either.

use serde_json::{Value, json};

use super::{Publisher, ask, chat, seen, streamed, until};
use crate::support::daemon::Home;
use crate::support::far::Far;

/// A publisher of two models on one stream: `quick`, and `slow`, which takes its time with each piece of an answer.
fn two_models(home: &Home) -> (Far, Publisher) {
    let far = Far::start("orch-model", "--http", &[]);
    let model = |name: &str, model: &str| {
        super::super::manifest(
            "Llm",
            name,
            &json!({"provider": "vllm", "model": model, "url": far.url("")}),
        )
    };
    let file = home.path("published.yaml");
    let manifests = model("quick", "chunks.1.quick") + &model("slow", "chunks.1000.slow.100");
    std::fs::write(&file, manifests).expect("a file");
    let publisher = Publisher::start(home, &["-f", file.to_str().expect("a path")]);
    until(home, "llms/quick", "active");
    until(home, "llms/slow", "active");
    (far, publisher)
}

/// A request of OpenAI's words that says that.
fn saying(text: &str) -> Value {
    json!({"model": "quick", "messages": [{"role": "user", "content": text}]})
}

#[test]
fn what_the_door_takes_arrives_and_nothing_else_ends() {
    let home = Home::new().started();
    let (far, publisher) = two_models(&home);
    let mut under_way = home
        .http("POST", "/v1/chat/completions")
        .json(&streamed(chat("slow")))
        .stream();
    assert_eq!(under_way.status, 200);
    under_way.line().expect("a line");
    let session = home.get("llms/quick")["status"]["publication"]["session"].clone();
    // Just above what other events may have; and what is above it only as it is told, where each character is written as two.
    for (text, length) in [("x".repeat(17 << 20), 17 << 20), ("\\".repeat(6 << 20), 12 << 20)] {
        let body = saying(&text);
        assert!(body.to_string().len() >= length);
        ask(&home, &body).expect(200);
    }
    assert_eq!(seen(&far)["asked"]["chunks.1.quick"], 2);
    // What was under way still is: one more piece comes, and the publisher has not come back meanwhile.
    assert_eq!(seen(&far)["underWay"], 1);
    for _ in 0..50 {
        under_way.line().expect("it goes on");
    }
    assert_eq!(home.get("llms/quick")["status"]["publication"]["session"], session);
    assert!(
        !publisher.said().contains("has ended the stream"),
        "{}",
        publisher.said()
    );
}

#[test]
fn what_cannot_be_told_is_refused_and_nothing_else_ends() {
    let home = Home::new().started();
    let (far, publisher) = two_models(&home);
    let mut under_way = home
        .http("POST", "/v1/chat/completions")
        .json(&streamed(chat("slow")))
        .stream();
    under_way.line().expect("a line");
    // In the words of the model, arguments of a tool are JSON within JSON: of each character here it takes eight to tell it.
    let arguments = json!({"text": "\\".repeat(17 << 20)});
    let body = json!({"model": "quick", "max_tokens": 9, "messages": [
        {"role": "user", "content": "go"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": arguments}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "done"}]},
    ]});
    let refused = home.http("POST", "/v1/messages").json(&body).send().expect(413);
    assert_eq!(refused.json()["error"]["type"], "request_too_large", "{}", refused.body);
    assert!(refused.body.contains("132 MiB are the most"), "{}", refused.body);
    assert_eq!(
        seen(&far)["asked"].get("chunks.1.quick"),
        None,
        "the model does not hear of it"
    );
    assert_eq!(seen(&far)["underWay"], 1);
    for _ in 0..50 {
        under_way.line().expect("it goes on");
    }
    ask(&home, &chat("quick")).expect(200);
    assert!(
        !publisher.said().contains("has ended the stream"),
        "{}",
        publisher.said()
    );
}
