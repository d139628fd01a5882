//! What no specification knows, both ways, in every cell: members, methods, news and extensions arrive as they were written.

use serde_json::json;

use super::super::manifest;
use super::{SERVERS, UNKNOWN, at, home_with, home_with_all, stats};
use crate::support::client::{Client, ERAS, Era, text_of};
use crate::support::daemon::{Home, eventually};
use crate::support::mcp;

/// Reserved members of a request without a session, as a client writes them.
const RESERVED: &str = r#""io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientInfo":{"name":"raw","version":"1"},"io.modelcontextprotocol/clientCapabilities":{}"#;

/// A request with what nobody knows in all its places, to the letter.
fn request(client: &Client, method: &str, name: &str) -> mcp::Told {
    let reserved = match client.era() {
        Era::Legacy => String::new(),
        Era::Modern => format!(",{RESERVED}"),
    };
    let trace = r#""traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01""#;
    let meta = format!(r#"{{"com.example/own":{UNKNOWN},{trace}{reserved}}}"#);
    let params = format!(r#"{{"name":"{name}","arguments":{UNKNOWN},"x-own":{UNKNOWN},"_meta":{meta}}}"#);
    let text = format!(r#"{{"jsonrpc":"2.0","id":"é","method":"{method}","params":{params}}}"#);
    let request = client.request(method, json!({"name": name}));
    mcp::send(&request.body(text.into_bytes()))
}

#[test]
fn members_that_nobody_knows_arrive_as_they_were_written() {
    let (home, _far) = home_with_all(Home::new());
    for server in SERVERS {
        for era in ERAS {
            let client = Client::begin(&home, era, &at(server));
            for (method, place) in [("tools/call", "content"), ("vendor/hello", "echo")] {
                let told = request(&client, method, "echo");
                assert_eq!(told.answer["id"], "é", "{server} {era:?} {method}: {told:?}");
                let result = &told.answer["result"];
                let heard = match place {
                    "content" => text_of(result),
                    member => result[member].as_str().expect("an echo").to_owned(),
                };
                assert_eq!(heard.matches(UNKNOWN).count(), 3, "{server} {era:?} {method}: {heard}");
                assert!(
                    heard.contains("00-0af7651916cd43dd8448eb211c80319c"),
                    "{server} {era:?}: {heard}"
                );
                assert!(
                    told.text.matches(UNKNOWN).count() >= 2,
                    "{server} {era:?} {method}: {}",
                    told.text
                );
                // What one hop says of itself is not said on the next; who asks is.
                let reserved = heard.matches("io.modelcontextprotocol/clientInfo").count();
                let is_modern = server.ends_with("modern");
                assert_eq!(reserved, usize::from(is_modern), "{server} {era:?}: {heard}");
                assert_eq!(
                    heard.contains("io.modelcontextprotocol/"),
                    is_modern,
                    "{server} {era:?}: {heard}"
                );
                assert_eq!(
                    heard.contains(r#"{"name":"raw","version":"1"}"#),
                    is_modern,
                    "{server} {era:?}: {heard}"
                );
            }
        }
    }
}

#[test]
fn lists_are_handed_on_as_they_were_written() {
    let (home, _far) = home_with_all(Home::new());
    for server in SERVERS {
        for era in ERAS {
            let client = Client::begin(&home, era, &at(server));
            for (method, least) in [
                ("tools/list", 30),
                ("prompts/list", 1),
                ("resources/list", 1),
                ("resources/templates/list", 1),
            ] {
                let told = client.ask(method, json!({}));
                assert!(
                    told.text.matches(UNKNOWN).count() >= least,
                    "{server} {era:?} {method}: {}",
                    told.text
                );
            }
            let tools = client.ask("tools/list", json!({})).text;
            assert!(
                tools.contains(r#""annotations":{"readOnlyHint":true,"x-vendor":1.0}"#),
                "{server} {era:?}"
            );
            assert!(
                tools.contains(r#""execution":{"taskSupport":"forbidden"}"#),
                "{server} {era:?}"
            );
        }
    }
    // Renamed in a project, and otherwise as they were.
    let project = Client::begin(&home, Era::Legacy, "/mcp/projects/all").ask("tools/list", json!({}));
    assert!(project.text.matches(UNKNOWN).count() >= 30 * SERVERS.len());
}

#[test]
fn news_that_nobody_knows_go_both_ways() {
    let (home, _far) = home_with_all(Home::new());
    for server in SERVERS {
        for era in ERAS {
            let client = Client::begin(&home, era, &at(server));
            let told = client.ask("tools/call", json!({"name": "notify_unknown", "arguments": {}}));
            let hello = told
                .before
                .iter()
                .find(|news| news["method"] == "notifications/vendor/hello");
            assert!(hello.is_some(), "{server} {era:?}: {told:?}");
            assert!(
                told.text.contains(&format!(r#""params":{{"hello":{UNKNOWN}}}"#)),
                "{server} {era:?}: {}",
                told.text
            );
        }
        let client = Client::begin(&home, Era::Legacy, &at(server));
        assert!(!client.said("echo", json!({})).is_empty());
        let text = format!(r#"{{"jsonrpc":"2.0","method":"notifications/vendor/own","params":{{"own":{UNKNOWN}}}}}"#);
        client.posted(&json!({})).body(text.into_bytes()).send().expect(202);
        eventually("the server has heard it", || {
            let heard = &stats(&client, "stats")["notifications"];
            let mut heard = heard.as_array().into_iter().flatten().filter_map(|text| text.as_str());
            heard.any(|text| text.contains("notifications/vendor/own") && text.contains(UNKNOWN))
        });
    }
}

#[test]
fn methods_that_nobody_knows_need_one_server() {
    let (home, _far) = home_with_all(Home::new());
    for era in ERAS {
        let client = Client::begin(&home, era, "/mcp/projects/all");
        let told = client.ask("vendor/hello", json!({}));
        assert_eq!(told.answer["error"]["code"], -32601, "{era:?}: {told:?}");
    }
}

/// A client without a session has news, too; they need no session, and reach the only server they can be meant for.
#[test]
fn news_of_a_client_without_a_session_arrive() {
    let (home, _far) = home_with_all(Home::new());
    let server = SERVERS[0];
    let client = Client::begin(&home, Era::Modern, &at(server));
    let news = |method: &str| {
        let text = format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{{"x-own":{UNKNOWN}}}}}"#);
        client.request("tools/list", json!({})).body(text.into_bytes()).send()
    };
    for method in ["notifications/initialized", "notifications/x-own"] {
        let answer = news(method);
        assert_eq!((answer.status, answer.body.as_str()), (202, ""), "{method}: {answer:?}");
    }
    let heard = || stats(&client, "stats")["notifications"].to_string();
    eventually("the server has heard it", || heard().contains("notifications/x-own"));
}

/// A message may have line ends between its tokens. To a server that reads lines they would begin messages of their own.
#[test]
fn line_ends_begin_no_messages() {
    let (home, _far) = home_with_all(Home::new());
    for server in SERVERS {
        for era in ERAS {
            let client = Client::begin(&home, era, &at(server));
            let before = client.call("echo", json!({}));
            assert!(before["isError"] != true, "{server} {era:?}: {before}");
            let inner = r#"{"jsonrpc":"2.0","id":1,"method":"vendor/injected"}"#;
            let request = client.request("tools/call", json!({"name": "echo", "arguments": {"a": "MARK"}}));
            let body = String::from_utf8(request.content().to_vec()).expect("text");
            let body = body.replace("\"MARK\"", &format!("[\n{inner}\r\n,\r{inner}\n]"));
            let told = mcp::send(&request.body(body.into_bytes()));
            assert!(told.answer["result"].is_object(), "{server} {era:?}: {told:?}");
            let methods = stats(&client, "stats")["methods"].clone();
            assert!(methods["vendor/injected"].is_null(), "{server} {era:?}: {methods}");
        }
    }
}

/// Who may call some tools only cannot have a method do others' work: nobody here knows what it does.
#[test]
fn what_nobody_knows_is_not_for_those_who_may_call_some_tools() {
    let home = home_with("raw", &[]);
    let subjects = json!([{"kind": "ServiceAccount", "name": "narrow"}]);
    let grants = json!([{"roles": ["run"], "resources": ["servers"], "tools": ["echo"]}]);
    let binding = manifest(
        "RoleBinding",
        "narrow",
        &json!({"subjects": subjects, "grants": grants}),
    );
    home.apply(&(manifest("ServiceAccount", "narrow", &json!({})) + &binding));
    let spec = json!({"serviceAccount": "narrow", "rbac": "owner"});
    let token = json!({"apiVersion": "orchctl.dev/v1", "kind": "Token", "metadata": {"name": "narrow"}, "spec": spec});
    let made = home
        .http("POST", "/api/v1/tokens")
        .json(&token)
        .send()
        .expect(201)
        .json();
    let narrow = made["credential"].as_str().expect("a credential");
    for era in ERAS {
        let client = Client::begin_as(&home, era, &at("raw"), narrow);
        assert!(
            client
                .ask("tools/call", json!({"name": "echo", "arguments": {}}))
                .answer["result"]
                .is_object()
        );
        let told = client.ask("vendor/hello", json!({}));
        assert_eq!(told.answer["error"]["code"], -32601, "{era:?}: {told:?}");
        let all = Client::begin(&home, era, &at("raw"));
        let told = all.ask("vendor/hello", json!({}));
        assert!(told.answer["result"]["echo"].is_string(), "{era:?}: {told:?}");
    }
}
