//! What a server says while it works at a request, and what becomes of the request, in every cell: each era of clients with
//! each era of servers, over each transport.

use serde_json::{Value, json};

use super::{SERVERS, UNKNOWN, at, home_with, home_with_all, stats};
use crate::support::client::{Client, ERAS, Era, text_of};
use crate::support::daemon::{Home, eventually};

#[test]
fn progress_comes_in_order_and_before_the_answer() {
    let (home, _far) = home_with_all(Home::new());
    for server in SERVERS {
        for era in ERAS {
            let client = Client::begin(&home, era, &at(server));
            for token in [json!("a token"), json!(7)] {
                let params = json!({"name": "progress", "arguments": {"steps": 60}, "_meta": {"progressToken": token}});
                let told = client.ask("tools/call", params);
                let steps: Vec<Value> = told
                    .before
                    .iter()
                    .map(|news| news["params"]["progress"].clone())
                    .collect();
                let all: Vec<Value> = (1..=60).map(Value::from).collect();
                assert_eq!(steps, all, "{server} {era:?}");
                assert!(
                    told.before.iter().all(|news| news["params"]["progressToken"] == token),
                    "{server} {era:?}"
                );
                assert_eq!(text_of(&told.answer["result"]), "done", "{server} {era:?}");
                assert_eq!(
                    told.text.matches(UNKNOWN).count(),
                    60 + 3,
                    "{server} {era:?}: {}",
                    told.text
                );
            }
        }
    }
}

#[test]
fn what_a_client_gives_up_ends_at_the_server() {
    let (home, _far) = home_with_all(Home::new());
    for server in SERVERS {
        for era in ERAS {
            let client = Client::begin(&home, era, &at(server));
            let watcher = Client::begin(&home, Era::Modern, &at(server));
            let cancelled = || stats(&watcher, "stats")["cancelled"].as_array().map_or(0, Vec::len);
            let calls = || stats(&watcher, "stats")["methods"]["tools/call"].as_u64().unwrap_or(0);
            let under_way = |before: u64| {
                // Each look is a call of its own.
                let mut looks = 0;
                eventually("the call is under way", || {
                    looks += 1;
                    calls() > before + looks
                });
            };
            let (before, asked) = (cancelled(), calls());
            match era {
                Era::Legacy => {
                    let params = json!({"name": "wait", "arguments": {}});
                    let call = json!({"jsonrpc": "2.0", "id": "given up", "method": "tools/call", "params": params});
                    let request = client.posted(&call);
                    let waiting = std::thread::spawn(move || request.send());
                    under_way(asked);
                    assert_eq!(
                        client.notify("notifications/cancelled", json!({"requestId": "given up"})),
                        202
                    );
                    let answer = waiting.join().expect("no panic");
                    assert!(!answer.body.contains("result"), "{server}: {}", answer.body);
                }
                // A client without a session goes: at once, or when the answer has become a stream.
                Era::Modern => {
                    let call = || client.request("tools/call", json!({"name": "wait", "arguments": {}}));
                    let connection = call().leave();
                    under_way(asked);
                    drop(connection);
                    eventually("the server has given it up", || cancelled() == before + 1);
                    drop(call().stream());
                    eventually("the server has given it up", || cancelled() == before + 2);
                    continue;
                }
            }
            eventually("the server has given it up", || cancelled() == before + 1);
        }
    }
}

#[test]
fn log_messages_come_at_the_level_that_is_wanted() {
    let (home, _far) = home_with_all(Home::new());
    for server in SERVERS {
        for era in ERAS {
            let client = Client::begin(&home, era, &at(server));
            let logged = |level: Option<&str>| {
                let mut params = json!({"name": "log", "arguments": {}});
                match (era, level) {
                    (Era::Legacy, Some(level)) => drop(client.result("logging/setLevel", json!({"level": level}))),
                    (Era::Modern, Some(level)) => params["_meta"] = json!({"io.modelcontextprotocol/logLevel": level}),
                    (Era::Legacy | Era::Modern, None) => {}
                }
                let told = client.ask("tools/call", params);
                assert_eq!(text_of(&told.answer["result"]), "logged");
                let messages = told
                    .before
                    .iter()
                    .filter(|news| news["method"] == "notifications/message");
                messages.map(|news| news["params"]["data"].clone()).collect::<Vec<_>>()
            };
            // Who has said nothing is told everything with a session, and nothing without.
            let unsaid = match era {
                Era::Legacy => vec![json!("logged")],
                Era::Modern => vec![],
            };
            assert_eq!(logged(None), unsaid, "{server} {era:?}");
            assert_eq!(logged(Some("error")), Vec::<Value>::new(), "{server} {era:?}");
            assert_eq!(logged(Some("debug")), [json!("logged")], "{server} {era:?}");
            if era == Era::Legacy {
                let odd = client.ask("logging/setLevel", json!({"level": "loud"}));
                assert_eq!(odd.answer["error"]["code"], -32602, "{server}");
            }
        }
    }
}

/// A level that a client has set reaches servers that have such a thing.
#[test]
fn a_level_reaches_the_server() {
    let (home, _far) = home_with_all(Home::new());
    for server in ["pipe-legacy", "far-legacy", "far-oldest"] {
        let client = Client::begin(&home, Era::Legacy, &at(server));
        assert!(!client.said("echo", json!({})).is_empty());
        client.result("logging/setLevel", json!({"level": "warning"}));
        let methods = &stats(&client, "stats")["methods"];
        assert!(methods["logging/setLevel"].as_u64() >= Some(1), "{server}: {methods}");
    }
    // One of the newer era is told with each request.
    for server in ["pipe-modern", "far-modern"] {
        let client = Client::begin(&home, Era::Legacy, &at(server));
        client.result("logging/setLevel", json!({"level": "warning"}));
        let said = client.said("echo", json!({}));
        assert!(
            said.contains(r#""io.modelcontextprotocol/logLevel":"warning""#),
            "{server}: {said}"
        );
    }
}

#[test]
fn errors_keep_their_code_and_data() {
    let (home, _far) = home_with_all(Home::new());
    let data = format!(r#""data":{{"x-vendor":{UNKNOWN}}}"#);
    for server in SERVERS {
        for era in ERAS {
            let client = Client::begin(&home, era, &at(server));
            for (method, params, code) in [
                ("tools/call", json!({"name": "nobody", "arguments": {}}), -32602),
                ("nobody/knows", json!({}), -32601),
            ] {
                let told = client.ask(method, params);
                assert_eq!(
                    told.answer["error"]["code"], code,
                    "{server} {era:?} {method}: {told:?}"
                );
                assert!(told.text.contains(&data), "{server} {era:?} {method}: {}", told.text);
            }
            let failed = client.ask("tools/call", json!({"name": "fail", "arguments": {}}));
            assert_eq!(failed.answer["result"]["isError"], true, "{server} {era:?}");
            let structured = format!(r#""structuredContent":{{"why":{UNKNOWN}}}"#);
            assert!(failed.text.contains(&structured), "{server} {era:?}: {}", failed.text);
            assert_eq!(failed.status, 200);
        }
    }
}

/// What a server knows nothing of the gateway does not make up, and what is left of the other era is not seen.
#[test]
fn results_are_in_the_words_of_the_clients_era() {
    let (home, _far) = home_with_all(Home::new());
    for server in SERVERS {
        for era in ERAS {
            let client = Client::begin(&home, era, &at(server));
            for (method, params) in [
                ("tools/list", json!({})),
                ("resources/read", json!({"uri": "raw://echo"})),
                ("prompts/get", json!({"name": "echo"})),
                ("tools/call", json!({"name": "echo", "arguments": {}})),
                ("vendor/hello", json!({})),
            ] {
                let result = client.result(method, params);
                let modern = ["resultType", "ttlMs", "cacheScope"].map(|member| !result[member].is_null());
                let server_info = &result["_meta"]["io.modelcontextprotocol/serverInfo"]["name"];
                match era {
                    Era::Legacy => {
                        assert_eq!(modern, [false; 3], "{server} {method}: {result}");
                        assert!(server_info.is_null(), "{server} {method}: {result}");
                    }
                    Era::Modern => {
                        assert_eq!(result["resultType"], "complete", "{server} {method}: {result}");
                        assert_eq!(server_info, "orchctl", "{server} {method}: {result}");
                        let says_how_long = ["tools/list", "resources/read"].contains(&method);
                        assert!(!says_how_long || modern == [true; 3], "{server} {method}: {result}");
                    }
                }
            }
        }
    }
}

/// A server over a pipe that refuses a request without saying which one: the client is told when it can be no other's.
#[test]
fn a_refusal_that_names_no_request_is_the_answer_of_the_only_one() {
    for era in ["legacy", "modern"] {
        let home = home_with("raw", &["--era", era, "--disown", "prompts/get"]);
        for client in ERAS {
            let client = Client::begin(&home, client, &at("raw"));
            // The gateway's own questions are requests, too; by then it has asked them.
            assert!(client.said("echo", json!({})).contains("tools/call"));
            let told = client.ask("prompts/get", json!({"name": "echo"}));
            assert_eq!(told.answer["error"]["code"], -32056, "{told:?}");
        }
    }
}
