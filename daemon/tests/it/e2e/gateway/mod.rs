//! The gateway from outside: clients of both eras in the raw, and servers of both eras over each transport behind the real
//! daemon. `docs/mcp.md` says which test shows what.
//!
//! The servers count what they are asked and tell back what they were told, so that what is lost, changed or asked too
//! often between a client and a server is seen.

mod bounds;
mod cells;
mod eras;
mod questions;
mod unknown;

mod lists;
mod memory;
mod names;
mod news;
mod surviving;

mod copies;
mod ready;
mod resting;
mod sessions;

mod door;
mod forwarding;
mod gate;
mod ledger;
mod links;
mod masking;
mod oldest;
mod pages;
mod principals;
mod projects;
mod proposals;
mod texts;
mod thinking;

mod leaks;

use serde_json::{Value, json};

use super::manifest;
use crate::support::client::Client;
use crate::support::daemon::Home;
use crate::support::far::Far;
use crate::support::http::Request;

/// What no specification knows, spelled so that whoever parses and prints it changes it. The servers say it everywhere.
const UNKNOWN: &str = r#"{"whole":12345678901234567890123,"exact":1.10,"exponent":1E+2,"escaped":"\u00e9\/","nested":[null,{"deep":true}]}"#;

/// Servers of either era over each transport, by name: with [`ERAS`](crate::support::client::ERAS) of clients, every cell.
const SERVERS: [&str; 5] = ["pipe-legacy", "pipe-modern", "far-legacy", "far-modern", "far-oldest"];

/// A Server that runs the server of the tests with those arguments, and says more of itself.
fn raw_with(name: &str, arguments: &[&str], more: Value) -> String {
    let mut spec = json!({"command": ([&["orch-raw"], arguments].concat())});
    let fields = spec.as_object_mut().expect("a mapping");
    fields.extend(more.as_object().expect("a mapping").clone());
    manifest("Server", name, &spec)
}

fn raw(name: &str, arguments: &[&str]) -> String {
    raw_with(name, arguments, json!({}))
}

/// A Server that somebody else runs.
fn remote(name: &str, far: &Far) -> String {
    manifest("Server", name, &json!({"remote": {"url": far.url("/mcp")}}))
}

fn project(name: &str, servers: &[&str]) -> String {
    manifest("Project", name, &json!({"servers": servers}))
}

/// A daemon with one server.
fn home_with(name: &str, arguments: &[&str]) -> Home {
    let home = Home::new().started();
    home.apply(&raw(name, arguments));
    home.until_ready(&[&format!("server/{name}")]);
    home
}

/// A daemon with all of [`SERVERS`], and what runs apart from it.
fn home_with_all(home: Home) -> (Home, Vec<Far>) {
    let home = home.started();
    let far = [
        ("far-legacy", "--http", "legacy"),
        ("far-modern", "--http", "modern"),
        ("far-oldest", "--sse", "legacy"),
    ];
    let mut manifests = raw("pipe-legacy", &["--era", "legacy"]) + &raw("pipe-modern", &["--era", "modern"]);
    let mut kept = Vec::new();
    for (name, mode, era) in far {
        let server = Far::start("orch-raw", mode, &["--era", era]);
        let spec = match mode {
            "--sse" => json!({"remote": {"url": server.url("/sse")}, "transport": "sse"}),
            _ => json!({"remote": {"url": server.url("/mcp")}}),
        };
        manifests.push_str(&manifest("Server", name, &spec));
        kept.push(server);
    }
    home.apply(&(manifests + &project("all", &SERVERS)));
    let objects = SERVERS.map(|name| format!("server/{name}"));
    home.until_ready(&objects.each_ref().map(String::as_str));
    (home, kept)
}

/// Where a server is served.
fn at(server: &str) -> String {
    format!("/mcp/servers/{server}")
}

/// What a server was asked so far, as it tells a client.
#[track_caller]
fn stats(client: &Client, tool: &str) -> Value {
    client.call(tool, json!({}))["structuredContent"].clone()
}

/// What a server that runs apart was asked so far, without asking it by way of the gateway.
fn stats_of(far: &Far) -> Value {
    let url = far.url("");
    let address = url.trim_start_matches("http://").parse().expect("an address");
    Request::new(address, "GET", "/stats").send().expect(200).json()
}

/// How often a server that runs apart was asked that.
fn asked(far: &Far, method: &str) -> u64 {
    stats_of(far)["methods"][method].as_u64().unwrap_or(0)
}
