//! What one client may take: of the daemon's memory, of what a server allows, and of the sessions that are there for all.

use serde_json::json;

use super::{asked, at, home_with, raw, stats_of};
use crate::support::client::{Client, Era, abilities, greeting, post};
use crate::support::daemon::Home;
use crate::support::database;
use crate::support::far::Far;
use crate::support::http::Request;
use crate::support::mcp;

use super::super::manifest;

/// A client that opens its stream and does not read it is told the newest of what it missed, and no more than is kept.
#[test]
fn news_do_not_pile_up_for_a_client_that_does_not_read() {
    const COUNT: u64 = 4_000;
    let home = home_with("raw", &["--era", "legacy"]);
    let client = Client::begin(&home, Era::Legacy, &at("raw"));
    client.call("echo", json!({}));
    let mut stream = client.listen(json!({}));
    client.call("log", json!({"count": COUNT, "bytes": 10_000}));
    // Until all of it has been told, and nothing of it read.
    std::thread::sleep(std::time::Duration::from_secs(4));
    let last = |message: &serde_json::Value| message["params"]["data"]["number"] == COUNT;
    let (_, before) = stream.until("the newest message", last);
    // What is on its way in buffers of the connection comes besides what is kept.
    assert!(before.len() < 2500, "{} messages were kept", before.len());
    assert!(client.said("echo", json!({})).contains("tools/call"));
}

/// Whatever reaches a server counts, not only calls.
#[test]
fn every_way_to_a_server_is_within_its_limits() {
    let far = Far::start("orch-raw", "--http", &["--era", "legacy"]);
    let home = Home::new().started();
    let limits = json!({"requestsPerMinute": 2});
    let spec = json!({"remote": {"url": far.url("/mcp")}, "limits": limits});
    home.apply(&manifest("Server", "far", &spec));
    home.until_ready(&["server/far"]);
    let client = Client::begin(&home, Era::Legacy, &at("far"));
    client.names("resources/list");
    client.call("echo", json!({}));
    client.call("echo", json!({}));
    for (method, params) in [
        ("resources/subscribe", json!({"uri": "raw://echo"})),
        ("logging/setLevel", json!({"level": "error"})),
    ] {
        let refused = client.ask(method, params);
        assert_eq!(refused.answer["error"]["code"], -32029, "{method}: {refused:?}");
        assert_eq!(asked(&far, method), 0, "{method}");
    }
    let news = "notifications/roots/list_changed";
    let message = json!({"jsonrpc": "2.0", "method": news});
    let refused = client.posted(&message).send().expect(429);
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    let modern = mcp::request(home.address(), &at("far"), news, json!({})).token(&home.token());
    modern.json(&message).send().expect(429);
    let told = stats_of(&far)["notifications"].to_string();
    assert!(!told.contains(news), "{told}");
    // Who has enough may say so.
    client.result("resources/unsubscribe", json!({"uri": "raw://echo"}));
}

/// One principal cannot have all sessions, whatever it does with them.
#[test]
fn a_principal_has_a_share_of_the_sessions() {
    let home = Home::new().with(&["--max-sessions", "48"]).started();
    home.apply(&raw("raw", &[]));
    home.until_ready(&["server/raw"]);
    let _held: Vec<_> = (0..12).map(|_| Client::begin(&home, Era::Legacy, &at("raw"))).collect();
    let refused = post(&home, &at("raw"), &greeting("2025-11-25", &abilities()))
        .send()
        .expect(429);
    let error = &refused.json()["error"];
    let said = error["message"].as_str().expect("words");
    assert!(error["code"] == -32029 && said.contains("12 sessions"), "{error}");
    home.http("GET", &format!("{}/sse", at("raw"))).send().expect(429);
    let bob = database::token(&home, "bob");
    Client::begin_as(&home, Era::Legacy, &at("raw"), &bob);
    let sse = Request::new(home.address(), "GET", &format!("{}/sse", at("raw"))).token(&bob);
    assert_eq!(sse.send_briefly().status, 200);
}
