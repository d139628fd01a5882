//! Both eras of the protocol at one address, told apart by each request; and what of it a server may see.

use serde_json::json;

use super::{at, home_with, remote, stats_of};
use crate::support::client::{Client, ERAS, Era, abilities, greeting, post};
use crate::support::daemon::{Home, eventually};
use crate::support::far::Far;
use crate::support::mcp::{self, MODERN};

#[test]
fn one_address_serves_every_revision() {
    let home = home_with("raw", &[]);
    let path = at("raw");
    for (wanted, given) in [
        ("2025-11-25", "2025-11-25"),
        ("2025-06-18", "2025-06-18"),
        ("2025-03-26", "2025-03-26"),
        ("2024-11-05", "2024-11-05"),
        ("2019-01-01", "2025-11-25"),
        (MODERN, "2025-11-25"),
    ] {
        let (client, hello) = Client::greeted(&home, &path, wanted, &abilities());
        assert_eq!(hello["protocolVersion"], given, "{wanted}");
        assert_eq!(hello["serverInfo"]["name"], "orchctl");
        assert!(client.said("echo", json!({})).contains("tools/call"), "{wanted}");
    }
    let modern = Client::begin(&home, Era::Modern, &path);
    let discovered = modern.result("server/discover", json!({}));
    let versions = discovered["supportedVersions"].as_array().expect("versions");
    assert!(versions.contains(&json!(MODERN)) && versions.contains(&json!("2025-11-25")));
    // Methods of the other era are not there.
    for method in ["initialize", "ping", "logging/setLevel"] {
        let told = modern.ask(method, json!({}));
        assert_eq!(
            (told.status, &told.answer["error"]["code"]),
            (404, &json!(-32601)),
            "{method}"
        );
    }
    let legacy = Client::begin(&home, Era::Legacy, &path);
    assert_eq!(legacy.result("ping", json!({})), json!({}));
    // A revision that nobody speaks is refused with those that are.
    let request = mcp::request(home.address(), &path, "tools/list", json!({})).token(&home.token());
    let unknown = mcp::send(&request.header("MCP-Protocol-Version", "2031-01-01"));
    assert_eq!(unknown.status, 400, "{unknown:?}");
    let request = post(
        &home,
        &path,
        &json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"_meta": {
            "io.modelcontextprotocol/protocolVersion": "2031-01-01",
            "io.modelcontextprotocol/clientCapabilities": {},
        }}}),
    );
    let unknown = mcp::send(&request.header("MCP-Protocol-Version", "2031-01-01"));
    assert_eq!(
        (unknown.status, &unknown.answer["error"]["code"]),
        (400, &json!(-32022)),
        "{unknown:?}"
    );
    assert_eq!(unknown.answer["error"]["data"]["supported"][0], MODERN);
}

/// The header of a client's revision says nothing to a server that has agreed on another one with the daemon.
#[test]
fn a_server_hears_only_the_revision_it_agreed_on() {
    let home = Home::new().started();
    let old = Far::start("orch-raw", "--http", &["--era", "legacy", "--revision", "2025-03-26"]);
    let new = Far::start("orch-raw", "--http", &["--era", "modern"]);
    home.apply(&(remote("old", &old) + &remote("new", &new)));
    home.until_ready(&["server/old", "server/new"]);
    for (name, far, revision) in [("old", &old, "2025-03-26"), ("new", &new, MODERN)] {
        for era in ERAS {
            let client = Client::begin(&home, era, &at(name));
            assert!(
                client.names("tools/list").contains(&"echo".to_owned()),
                "{name} {era:?}"
            );
            assert!(client.said("echo", json!({})).contains("tools/call"), "{name} {era:?}");
        }
        let headers = &stats_of(far)["revisionHeaders"];
        let told: Vec<_> = headers.as_object().expect("revisions").keys().collect();
        assert_eq!(told, [revision], "{name}");
    }
}

/// The era of a server is found out once, whoever speaks with it, and found out anew when it starts anew.
#[test]
fn the_era_of_a_server_is_remembered() {
    let home = Home::new().started();
    for era in ["legacy", "modern", "both"] {
        let name = format!("of-{era}");
        home.apply(&super::raw(&name, &["--era", era]));
        home.until_ready(&[&format!("server/{name}")]);
        let greeted = |client: &Client| {
            let stats = super::stats(client, "stats");
            (
                stats["pid"].clone(),
                stats["methods"]["initialize"].as_u64().unwrap_or(0),
            )
        };
        let first = greeted(&Client::begin(&home, Era::Modern, &at(&name)));
        for _ in 0..3 {
            for client_era in ERAS {
                let client = Client::begin(&home, client_era, &at(&name));
                assert_eq!(greeted(&client), first, "{era}: greeted again, or another process");
            }
        }
        let pid = first.0.as_u64().and_then(|pid| u32::try_from(pid).ok()).expect("a pid");
        crate::support::processes::signal(pid, rustix::process::Signal::KILL);
        let client = Client::begin(&home, Era::Legacy, &at(&name));
        eventually("the server is back", || {
            let told = client.ask("tools/call", json!({"name": "stats", "arguments": {}}));
            let now = &told.answer["result"]["structuredContent"]["pid"];
            !now.is_null() && *now != first.0
        });
    }
}

#[test]
fn a_greeting_names_what_is_there() {
    let home = home_with("raw", &[]);
    let answer = post(&home, &at("raw"), &greeting("2025-11-25", &json!({}))).send();
    let result = &answer.json()["result"];
    assert_eq!(result["instructions"], "Ask, and be told back.");
    assert!(
        answer.body.contains(super::UNKNOWN),
        "capabilities as the server wrote them: {}",
        answer.body
    );
    let discovered = Client::begin(&home, Era::Modern, &at("raw")).ask("server/discover", json!({}));
    assert!(discovered.text.contains(super::UNKNOWN), "{}", discovered.text);
    assert_eq!(discovered.answer["result"]["instructions"], "Ask, and be told back.");
}
