//! The product from outside, end to end: the real `orchd`, the real `orchctl`, real processes, both databases.
//!
//! Each story says what a person or a script does and what must be true then. No story asserts how long something takes;
//! what must happen is waited for.

mod access;
mod admission;
mod agents;
mod applied;
mod audit;
mod backend_tokens;
mod backend_uses;
mod backends;
mod catalogue;
mod chaos;
mod clients;
mod conformance;
mod contained;
mod containers;
mod gateway;
mod identity;
mod importing;
mod inference;
mod leaders;
mod life;
mod looking;
mod outage;
mod packages;
mod publishing;
mod registry;
mod rights;
mod rotating;
mod secrets;
mod servers;
mod serving;
mod timing;
mod told;
mod up;
mod upkeep;
mod verbs;
mod watching;
mod wire;

use serde_json::{Value, json};

use crate::support::daemon::Home;

/// A manifest of any kind.
fn manifest(kind: &str, name: &str, spec: &Value) -> String {
    // JSON is YAML.
    format!("---\napiVersion: orchctl.dev/v1\nkind: {kind}\nmetadata: {{name: {name}}}\nspec: {spec}\n")
}

/// A Server that runs the fixture with those arguments, and says more of itself.
fn server_with(name: &str, arguments: &[&str], more: Value) -> String {
    let command = [&["orch-fixture"], arguments].concat();
    let mut spec = json!({ "command": command });
    let fields = spec.as_object_mut().expect("a mapping");
    fields.extend(more.as_object().expect("a mapping").clone());
    manifest("Server", name, &spec)
}

/// A Server that runs the fixture with those arguments.
fn server(name: &str, arguments: &[&str]) -> String {
    server_with(name, arguments, json!({}))
}

/// Status and reason of a condition.
fn condition(object: &Value, name: &str) -> (String, String) {
    let conditions = object["status"]["conditions"].as_array();
    let found = conditions
        .into_iter()
        .flatten()
        .find(|condition| condition["type"] == name);
    let text = |field: &str| {
        found
            .and_then(|condition| condition[field].as_str())
            .unwrap_or_default()
            .to_owned()
    };
    (text("status"), text("reason"))
}

/// The copies of a server.
fn copies(home: &Home, server: &str) -> Vec<Value> {
    let list = home.get(&format!("instances?fieldSelector=spec.server={server}"));
    list["items"].as_array().expect("a list").clone()
}

/// The process ids of a server's running copies.
fn pids(home: &Home, server: &str) -> Vec<u32> {
    let running = copies(home, server)
        .into_iter()
        .filter(|copy| copy["status"]["phase"] == "Running");
    running
        .filter_map(|copy| u32::try_from(copy["status"]["pid"].as_u64()?).ok())
        .collect()
}
