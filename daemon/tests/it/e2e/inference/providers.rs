//! Each dialect of clients against each kind of provider: what is said arrives, whole and bit by bit.

use serde_json::{Value, json};

use super::{KEY, chat, data, keys, messages, model, post, provider, rows, scripted, seen, streamed};
use crate::support::daemon::{Home, eventually};

#[test]
fn what_is_declared_is_added_where_it_has_a_meaning() {
    let (home, far) = (Home::new().started(), provider());
    let extra = json!({"extra": {"max_tokens": 99, "temperature": 0.5, "dimensions": 3}});
    home.apply(
        &(keys()
            + &model("claude", &far, "anthropic", "plain", &extra)
            + &model("gpt", &far, "openai", "plain", &extra)),
    );
    let asked = |path: &str, body: &Value| {
        post(&home, path, body).send().expect(200);
        seen(&far)["last"]["body"].clone()
    };
    let mut limited = chat("claude");
    assert_eq!(asked("/v1/chat/completions", &limited)["max_tokens"], 99);
    limited["max_completion_tokens"] = json!(7);
    assert_eq!(asked("/v1/chat/completions", &limited)["max_tokens"], 7);
    let embedded = asked("/v1/embeddings", &json!({"model": "gpt", "input": "a"}));
    assert_eq!(embedded, json!({"model": "plain", "input": "a", "dimensions": 3}));
    post(&home, "/v1/messages/count_tokens", &json!({"model": "gpt"}))
        .send()
        .expect(400);
}

/// What a provider does not tell is guessed, and never nothing.
#[test]
fn who_tells_no_usage_has_used_something() {
    let (home, far) = (Home::new().started(), provider());
    home.apply(&(keys() + &model("mute", &far, "openai", "uncounted", &json!({}))));
    for body in [chat("mute"), streamed(chat("mute"))] {
        post(&home, "/v1/chat/completions", &body).send().expect(200);
    }
    eventually("both are counted", || {
        home.get("usage?by=llm")["total"]["requests"] == 2
    });
    let total = home.get("usage?by=llm")["total"].clone();
    for counted in ["inputTokens", "outputTokens"] {
        assert!(total[counted].as_i64() >= Some(4), "{counted}: {total}");
    }
}

#[test]
fn what_is_left_out_is_told() {
    let (home, far) = (Home::new().started(), provider());
    let none = json!({});
    home.apply(
        &(keys() + &model("claude", &far, "anthropic", "plain", &none) + &model("gpt", &far, "openai", "plain", &none)),
    );
    let mut body = chat("claude");
    body["logit_bias"] = json!({"50256": -100});
    for body in [body.clone(), streamed(body)] {
        let answer = post(&home, "/v1/chat/completions", &body).send().expect(200);
        let told = answer.header("x-orch-left-out").expect("it is told");
        assert_eq!(told, "logit_bias: left out: Messages have nothing like it");
        assert!(seen(&far)["last"]["body"].get("logit_bias").is_none());
    }
    let mut body = messages("gpt");
    body["top_k"] = json!(5);
    let answer = post(&home, "/v1/messages", &body).send().expect(200);
    let told = answer.header("x-orch-left-out").expect("it is told");
    assert!(told.starts_with("top_k: "), "{told}");
    // Where nothing is left out, nothing is said; and clients of Anthropic find the id where they look for it.
    let answer = post(&home, "/v1/messages", &messages("gpt")).send().expect(200);
    assert_eq!(answer.header("x-orch-left-out"), None);
    assert!(
        answer
            .header("request-id")
            .is_some_and(|id| answer.header("x-request-id") == Some(id))
    );
}

#[test]
fn what_both_sides_say_alike_is_passed_on_as_it_is() {
    let (home, far) = (Home::new().started(), provider());
    let extra = json!({"extra": {"seed": 7, "temperature": 0.5}});
    home.apply(&(keys() + &model("gpt", &far, "openai", "plain", &extra)));
    let mut body = chat("gpt");
    body["temperature"] = json!(0);
    body["unheard_of"] = json!({"nested": [1, 2.50, "x"]});
    let answer = post(&home, "/v1/chat/completions", &body).send().expect(200);
    assert_eq!(answer.header("x-orch-llm"), Some("gpt"));
    let said = answer.json();
    assert_eq!(said["choices"][0]["message"]["content"], "All is well ");
    assert_eq!(said["unheard_of"], json!({"kept": true}));
    // The provider has its own key, its own name of the model, and not a word of the client's credential.
    let last = seen(&far)["last"].clone();
    assert_eq!(last["headers"]["authorization"], format!("Bearer {KEY}"));
    assert_eq!(last["body"]["model"], "plain");
    assert_eq!(
        (&last["body"]["seed"], &last["body"]["temperature"]),
        (&json!(7), &json!(0))
    );
    assert_eq!(last["body"]["unheard_of"], body["unheard_of"]);
    assert!(!last.to_string().contains(&home.token()));

    let answer = post(&home, "/v1/embeddings", &json!({"model": "gpt", "input": ["a", "b"]}))
        .send()
        .expect(200);
    assert_eq!(answer.json()["data"].as_array().map(Vec::len), Some(2));
    post(&home, "/api/v1/llms/gpt/infer", &json!({"messages": []}))
        .send()
        .expect(200);

    // Both are in the audit log, and their words are not.
    eventually("the rows are written", || rows(&home).len() == 3);
    let row = &rows(&home)[2];
    assert_eq!(
        (
            &row["verb"],
            &row["target"],
            &row["item"],
            &row["status"],
            &row["decision"]["rule"]
        ),
        (
            &json!("chat/completions"),
            &json!({"kind": "Llm", "name": "gpt"}),
            &json!("plain"),
            &json!(200),
            &json!("rolebinding/admin")
        )
    );
    assert!(row["durationUs"].as_i64() > Some(0), "{row}");
    let log = home.logs();
    assert!(!log.contains(KEY) && !home.get("audit?limit=1000").to_string().contains("All is well"));
}

/// What an answer says, in each dialect.
fn said(dialect: &str, answer: &Value) -> Value {
    match dialect {
        "chat" => answer["choices"][0]["message"]["content"].clone(),
        "messages" => answer["content"][0]["text"].clone(),
        _ => answer["output"][0]["content"][0]["text"].clone(),
    }
}

#[test]
fn every_client_finds_every_provider() {
    let (home, far) = (Home::new().started(), provider());
    home.apply(
        &[
            keys(),
            model("gpt", &far, "openai", "chunks.4", &json!({})),
            model("deep", &far, "deepseek", "chunks.4", &json!({})),
            model("claude", &far, "anthropic", "chunks.4", &json!({})),
            scripted("demo", &json!([{"text": "All is well that "}])),
        ]
        .concat(),
    );
    for name in ["gpt", "deep", "claude", "demo"] {
        for (dialect, path, body) in [
            ("chat", "/v1/chat/completions", chat(name)),
            ("messages", "/v1/messages", messages(name)),
            ("responses", "/v1/responses", json!({"model": name, "input": "hello"})),
        ] {
            // The provider has none of OpenAI's newer words.
            if (name, dialect) == ("gpt", "responses") {
                continue;
            }
            let answer = post(&home, path, &body).send();
            assert_eq!(answer.status, 200, "{name} {dialect}: {}", answer.body);
            assert_eq!(
                said(dialect, &answer.json()),
                "All is well that ",
                "{name} {dialect}: {}",
                answer.body
            );
            let answer = post(&home, path, &streamed(body)).send().expect(200);
            assert_eq!(
                answer.header("content-type"),
                Some("text/event-stream"),
                "{name} {dialect}"
            );
            let events = data(&answer.body);
            let text: String = events
                .iter()
                .filter_map(|event| serde_json::from_str::<Value>(event).ok())
                .filter_map(|event| {
                    let delta = match dialect {
                        "chat" => event["choices"][0]["delta"]["content"].clone(),
                        "messages" => event["delta"]["text"].clone(),
                        _ if event["type"] == "response.output_text.delta" => event["delta"].clone(),
                        _ => Value::Null,
                    };
                    delta.as_str().map(str::to_owned)
                })
                .collect();
            assert_eq!(text, "All is well that ", "{name} {dialect}: {}", answer.body);
            let end = match dialect {
                "chat" => "[DONE]",
                "messages" => "message_stop",
                _ => "response.completed",
            };
            assert!(
                events.last().is_some_and(|event| event.contains(end)),
                "{name} {dialect}: {events:?}"
            );
        }
    }
    eventually("the rows are written", || rows(&home).len() == 22);
    assert!(rows(&home).iter().all(|row| row["outcome"] == "allowed"));
}

#[test]
fn tools_thoughts_and_ends_survive_translation() {
    let (home, far) = (Home::new().started(), provider());
    home.apply(
        &[
            keys(),
            model("gpt", &far, "openai", "tools.reasoning", &json!({})),
            model("claude", &far, "anthropic", "tools.reasoning", &json!({})),
            model("cut", &far, "anthropic", "truncated", &json!({})),
        ]
        .concat(),
    );
    let schema = json!({"type": "object", "properties": {"message": {"type": "string"}}});
    let mut asked = chat("claude");
    asked["tools"] = json!([{"type": "function", "function": {"name": "echo", "parameters": schema}}]);
    let answer = post(&home, "/v1/chat/completions", &asked).send().expect(200).json();
    let message = &answer["choices"][0]["message"];
    assert_eq!(message["tool_calls"][0]["function"]["name"], "echo", "{answer}");
    let arguments = message["tool_calls"][0]["function"]["arguments"]
        .as_str()
        .expect("a text");
    assert_eq!(
        serde_json::from_str::<Value>(arguments).ok(),
        Some(json!({"message": "hello"}))
    );
    assert_eq!(message["reasoning_content"], "That is easy.");
    assert_eq!(answer["choices"][0]["finish_reason"], "tool_calls");
    // Anthropic leaves what came from a cache out of its count; it is counted in.
    assert_eq!(answer["usage"]["prompt_tokens"], 11);
    // What the tool says goes back, and the conversation ends.
    asked["messages"].as_array_mut().expect("messages").extend([
        message.clone(),
        json!({"role": "tool", "tool_call_id": message["tool_calls"][0]["id"], "content": "hello"}),
    ]);
    let answer = post(&home, "/v1/chat/completions", &asked).send().expect(200).json();
    assert_eq!(answer["choices"][0]["finish_reason"], "stop", "{answer}");

    let mut asked = messages("gpt");
    asked["tools"] = json!([{"name": "echo", "input_schema": schema}]);
    let answer = post(&home, "/v1/messages", &asked).send().expect(200).json();
    let blocks = answer["content"].as_array().expect("blocks");
    let kinds: Vec<&Value> = blocks.iter().map(|block| &block["type"]).collect();
    assert_eq!(kinds, ["thinking", "tool_use"], "{answer}");
    assert_eq!(blocks[1]["input"], json!({"message": "hello"}));
    assert_eq!(answer["stop_reason"], "tool_use");

    let answer = post(&home, "/v1/chat/completions", &chat("cut"))
        .send()
        .expect(200)
        .json();
    assert_eq!(answer["choices"][0]["finish_reason"], "length");
}

#[test]
fn clients_say_who_they_are_in_their_own_way_and_see_what_they_may_ask() {
    let home = Home::new().started();
    home.apply(&(scripted("demo", &json!([{"text": "hello"}])) + &scripted("other", &json!([{"text": "hello"}]))));
    let token = home.token();
    let bare = |method: &str, path: &str| crate::support::http::Request::new(home.address(), method, path);
    let answer = bare("POST", "/v1/messages")
        .header("x-api-key", &token)
        .json(&messages("demo"))
        .send();
    assert_eq!(answer.expect(200).json()["content"][0]["text"], "hello");
    // In its own place alone, and not beside another one.
    bare("GET", "/api/v1/servers")
        .header("x-api-key", &token)
        .send()
        .expect(401);
    let wrong = bare("POST", "/v1/messages")
        .header("x-api-key", &token)
        .header("Authorization", "Bearer x");
    let refused = wrong.json(&messages("demo")).send().expect(401).json();
    assert_eq!(refused["error"]["type"], "authentication_error", "{refused}");
    let refused = bare("POST", "/v1/chat/completions")
        .json(&chat("demo"))
        .send()
        .expect(401)
        .json();
    assert_eq!(refused["error"]["code"], "invalid_api_key", "{refused}");

    let listed = home.http("GET", "/v1/models").send().expect(200).json();
    let names: Vec<&Value> = listed["data"]
        .as_array()
        .expect("models")
        .iter()
        .map(|model| &model["id"])
        .collect();
    assert_eq!(names, ["demo", "other"]);
    assert_eq!(
        home.http("GET", "/v1/models/demo").send().expect(200).json()["id"],
        "demo"
    );
    home.http("GET", "/v1/models/none").send().expect(404);
    let counted = post(&home, "/v1/messages/count_tokens", &messages("demo"))
        .send()
        .expect(200)
        .json();
    assert!(counted["input_tokens"].as_u64() > Some(0), "{counted}");
}
