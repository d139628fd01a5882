//! Agents from outside: people and programs that speak to them, through the real daemon, with models that answer from scripts
//! and real servers whose tools they call.
//!
//! Where it matters how often a tool was called, the server runs apart from the daemon and counts: it outlives daemons that are
//! killed.

mod chaos;
mod chatting;
mod compaction;
mod declared;
mod delegation;
mod durable;
mod outside;
mod racing;
mod replays;
mod rights;
mod talking;
mod threads;
mod tools;

use serde_json::{Value, json};

use super::manifest;
use crate::support::daemon::Home;
use crate::support::far::Far;
use crate::support::http::{Answer, Request};

/// A model that answers from its script.
fn scripted(name: &str, script: &Value) -> String {
    scripted_with(name, script, json!({}))
}

fn scripted_with(name: &str, script: &Value, more: Value) -> String {
    let mut spec = json!({"provider": "scripted", "model": "none", "script": script});
    extend(&mut spec, more);
    manifest("Llm", name, &spec)
}

/// An Agent called `a` with the model `m` in the project `p`, unless it says otherwise.
fn agent(more: Value) -> String {
    let mut spec = json!({"llm": "m", "project": "p"});
    extend(&mut spec, more);
    manifest("Agent", "a", &spec)
}

fn extend(spec: &mut Value, more: Value) {
    let fields = spec.as_object_mut().expect("a mapping");
    let Value::Object(more) = more else { panic!("a mapping") };
    fields.extend(more);
    fields.retain(|_, value| !value.is_null());
}

/// An object that lives with the agent `a`.
fn with_agent(kind: &str, name: &str, spec: &Value) -> String {
    format!("---\napiVersion: orchctl.dev/v1\nkind: {kind}\nmetadata: {{name: {name}, agent: a}}\nspec: {spec}\n")
}

/// An object that lives in the project `p`.
fn in_project(kind: &str, name: &str, spec: &Value) -> String {
    format!("---\napiVersion: orchctl.dev/v1\nkind: {kind}\nmetadata: {{name: {name}, project: p}}\nspec: {spec}\n")
}

/// A server that runs apart and counts what it is asked, declared as `raw`, and the project `p` that has it.
fn counting() -> (Far, String) {
    let far = Far::start("orch-raw", "--http", &["--era", "modern"]);
    let server = manifest("Server", "raw", &json!({"remote": {"url": far.url("/mcp")}}));
    let project = manifest("Project", "p", &json!({"servers": ["raw"]}));
    (far, server + &project)
}

/// How often a tool of that server was called.
fn calls(far: &Far) -> u64 {
    let address = far.url("").trim_start_matches("http://").parse().expect("an address");
    let stats = Request::new(address, "GET", "/stats").send().expect(200).json();
    stats["methods"]["tools/call"].as_u64().unwrap_or(0)
}

/// A daemon with that server, and whatever else.
fn home_with(manifests: &str) -> (Home, Far) {
    let (far, declared) = counting();
    let home = Home::new().started();
    home.apply(&(declared + manifests));
    home.until_ready(&["server/raw"]);
    (home, far)
}

fn post(home: &Home, path: &str, body: &Value) -> Request {
    home.http("POST", &format!("/api/v1/{path}")).json(body)
}

/// What is said to the agent `a`.
fn chat(home: &Home, body: &Value) -> Answer {
    post(home, "agents/a/chat", body).send()
}

/// Says something to the agent `a`, which answers.
#[track_caller]
fn say(home: &Home, message: &str) -> Value {
    chat(home, &json!({"message": message})).expect(200).json()
}

/// Says something in a thread.
#[track_caller]
fn say_in(home: &Home, thread: &str, message: &str) -> Value {
    chat(home, &json!({"message": message, "threadId": thread}))
        .expect(200)
        .json()
}

fn text(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// The messages of a thread.
#[track_caller]
fn messages(home: &Home, thread: &str) -> Vec<Value> {
    let listed = home.get(&format!("threads/{thread}/messages?limit=1000"));
    listed["items"].as_array().expect("items").clone()
}

/// The messages of a thread in brief: whose they are, what they say, and how calls stand.
#[track_caller]
fn brief(home: &Home, thread: &str) -> Vec<String> {
    let told = messages(home, thread);
    told.iter()
        .map(|message| {
            let calls = message["toolCalls"].as_array().map_or(0, Vec::len);
            match text(&message["role"]) {
                "tool" => format!("tool {}", text(&message["result"]["state"])),
                role if calls > 0 => format!("{role} calls {calls}"),
                role => format!("{role}: {}", text(&message["text"])),
            }
        })
        .collect()
}

/// The events of a stream, to its end: the type of each, and its data.
fn events(answer: &Answer) -> Vec<(String, Value)> {
    let mut events = Vec::new();
    let mut name = String::new();
    for line in answer.body.lines() {
        if let Some(named) = line.strip_prefix("event: ") {
            named.clone_into(&mut name);
        } else if let Some(data) = line.strip_prefix("data: ").filter(|data| *data != "[DONE]") {
            let data: Value = serde_json::from_str(data).expect("events are JSON");
            assert_eq!(data["type"], name.as_str());
            events.push((name.clone(), data));
        }
    }
    events
}

/// What a model that runs apart was asked last.
fn seen(far: &Far) -> Value {
    let address = far.url("").trim_start_matches("http://").parse().expect("an address");
    let seen = Request::new(address, "GET", "/seen").send().expect(200).json();
    seen["last"]["body"].clone()
}

/// The state of the latest turn of a thread.
#[track_caller]
fn state(home: &Home, thread: &str) -> String {
    let thread = home.get(&format!("threads/{thread}"));
    thread["lastTurn"]["state"].as_str().unwrap_or_default().to_owned()
}

/// The only thread with the agent `a`, once there is one.
fn the_thread(home: &Home) -> Option<String> {
    let threads = home.get("agents/a/threads");
    Some(threads["items"][0]["id"].as_str()?.to_owned())
}
