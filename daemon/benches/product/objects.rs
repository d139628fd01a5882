//! What is declared in the benches: servers that are not to run, as a team's manifests would say them.

use std::time::Duration;

use orch_shared::apply::Request;
use serde_json::{Value, json};

use crate::support::daemon::{Home, eventually};

/// The servers `<prefix>-0000`, `<prefix>-0001`, …, and a secret that they name.
pub(crate) fn servers(prefix: &str, count: usize) -> Vec<Value> {
    let secret = json!({
        "apiVersion": "orchctl.dev/v1",
        "kind": "Secret",
        "metadata": {"name": prefix},
        "spec": {"data": {"token": "correct horse battery staple"}},
    });
    std::iter::once(secret)
        .chain((0..count - 1).map(|number| server(prefix, number)))
        .collect()
}

fn server(prefix: &str, number: usize) -> Value {
    json!({
        "apiVersion": "orchctl.dev/v1",
        "kind": "Server",
        "metadata": {
            "name": format!("{prefix}-{number:04}"),
            "labels": {"team": format!("team-{}", number % 10), "tier": "tools"},
        },
        "spec": {
            "description": format!("Tool server number {number}"),
            "command": ["/usr/local/bin/tool-server", "--stdio", "--port", number.to_string()],
            "replicas": 0,
            "env": [
                {"name": "MODE", "value": "fast"},
                {"name": "TOKEN", "valueFrom": {"secretRef": {"name": prefix, "key": "token"}}},
            ],
        },
    })
}

/// The body of an apply.
pub(crate) fn set_of(objects: Vec<Value>) -> Request {
    Request {
        objects,
        ..Request::default()
    }
}

/// A daemon as users run it, that has so many objects and has come to rest.
pub(crate) fn home_with(objects: usize, flags: &[&str]) -> Home {
    let home = Home::new().with(&[&["--log", "info"], flags].concat()).started();
    // The Secret that all of them name comes first. A set has a bound.
    for part in servers("server", objects).chunks(5_000) {
        apply(&home, serde_json::to_vec(&set_of(part.to_vec())).expect("plain data"));
    }
    at_rest(&home);
    home
}

/// Sends a body of apply, which must be admitted.
pub(crate) fn apply(home: &Home, body: Vec<u8>) {
    let request = home
        .http("POST", "/api/v1/apply")
        .header("Content-Type", "application/json");
    request.body(body).send().expect(200);
}

/// Waits until the reconciler has said of every object what it has to say: for so many looks nothing was written.
pub(crate) fn at_rest(home: &Home) {
    const LOOKS: usize = 6;
    let mut before = None;
    let mut quiet = 0;
    eventually("the daemon comes to rest", || {
        std::thread::sleep(Duration::from_millis(250));
        let now = Some((
            metric(home, "orchd_store_writes"),
            metric(home, "orchd_reconcile_queue"),
        ));
        let moved = std::mem::replace(&mut before, now) != now;
        quiet = if moved { 0 } else { quiet + 1 };
        quiet == LOOKS
    });
}

/// The sum of a metric over all its labels.
pub(crate) fn metric(home: &Home, name: &str) -> u64 {
    let text = home.http("GET", "/metrics").send().expect(200).body;
    let values = text.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        let value = rest
            .strip_prefix(' ')
            .or_else(|| rest.strip_prefix('{')?.split_once("} ").map(|(_, value)| value));
        value?.parse::<u64>().ok()
    });
    values.sum()
}
