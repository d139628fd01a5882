//! The gateway beside talking to its servers directly, with authorisation and audit as users have them.

pub(crate) mod calls;
pub(crate) mod guarded;
pub(crate) mod lists;
pub(crate) mod memory;
pub(crate) mod waking;

mod client;
mod pipe;

use serde_json::{Value, json};

use crate::objects::{self, set_of};
use crate::support::daemon::{Home, eventually};

/// A daemon as users run it.
fn home() -> Home {
    Home::new().with(&["--log", "info"]).started()
}

fn server(name: &str, spec: &Value) -> Value {
    object("Server", name, spec)
}

fn project(name: &str, servers: &[String]) -> Value {
    object("Project", name, &json!({ "servers": servers }))
}

fn object(kind: &str, name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "orchctl.dev/v1", "kind": kind, "metadata": {"name": name}, "spec": spec})
}

/// Declares objects, and waits until so many servers are ready.
fn declare(home: &Home, declared: Vec<Value>, servers: usize) {
    let body = serde_json::to_vec(&set_of(declared)).expect("plain data");
    objects::apply(home, body);
    eventually("the servers are ready", || {
        let list = home.get("servers");
        let items = list["items"].as_array().expect("a list");
        items
            .iter()
            .filter(|server| server["status"]["phase"] == "Ready")
            .count()
            >= servers
    });
}
