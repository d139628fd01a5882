//! The door to the models: real requests through the real daemon, to a provider that nobody pays for.

mod health;
mod limits;
mod probe;
mod providers;
mod sdks;
mod spending;
mod streams;
mod trouble;

use serde_json::{Value, json};

use super::manifest;
use crate::support::daemon::Home;
use crate::support::far::Far;
use crate::support::http::Request;

/// The key of the provider.
const KEY: &str = "sk-of-the-provider";

/// A provider that takes that key alone.
fn provider() -> Far {
    Far::start("orch-model", "--http", &["--key", KEY])
}

/// The Secret with the key.
fn keys() -> String {
    manifest(
        "Secret",
        "keys",
        &json!({"data": {"provider": KEY, "wrong": "sk-of-nobody"}}),
    )
}

/// A model of a provider; `more` says what is different.
fn model(name: &str, far: &Far, provider: &str, model: &str, more: &Value) -> String {
    let mut spec = json!({
        "provider": provider, "model": model, "url": far.url(""), "apiKeyRef": {"name": "keys", "key": "provider"},
    });
    for (field, value) in more.as_object().into_iter().flatten() {
        spec[field] = value.clone();
    }
    manifest("Llm", name, &spec)
}

/// A model that answers from its script.
fn scripted(name: &str, script: &Value) -> String {
    manifest(
        "Llm",
        name,
        &json!({"provider": "scripted", "model": "none", "script": script}),
    )
}

/// What OpenAI's clients say.
fn chat(model: &str) -> Value {
    json!({"model": model, "messages": [{"role": "user", "content": "hello"}]})
}

/// What Anthropic's clients say.
fn messages(model: &str) -> Value {
    json!({"model": model, "max_tokens": 100, "messages": [{"role": "user", "content": "hello"}]})
}

fn streamed(mut body: Value) -> Value {
    body["stream"] = json!(true);
    body
}

fn post(home: &Home, path: &str, body: &Value) -> Request {
    home.http("POST", path).json(body)
}

/// What was asked of a provider.
fn seen(far: &Far) -> Value {
    let address = far.url("").trim_start_matches("http://").parse().expect("an address");
    Request::new(address, "GET", "/seen").send().expect(200).json()
}

/// Says what becomes of who lists the models of a provider.
fn listing(far: &Far, how: &Value) {
    let address = far.url("").trim_start_matches("http://").parse().expect("an address");
    Request::new(address, "POST", "/listing").json(how).send().expect(200);
}

/// The `data` of all events of a stream, to its end.
fn data(text: &str) -> Vec<String> {
    let lines = text.lines().filter_map(|line| line.strip_prefix("data: "));
    lines.map(str::to_owned).collect()
}

/// The rows of the audit log about models, the last first.
fn rows(home: &Home) -> Vec<Value> {
    let all = home.get("audit?limit=1000&kind=llm_inference_call");
    all["items"].as_array().expect("items").clone()
}
