//! What the door refuses before anybody is asked: strange hosts and pages, bodies without end, headers that say something
//! else than the body.

use std::time::Duration;

use serde_json::{Value, json};

use super::{asked, at, home_with, project, raw, remote};
use crate::support::client::{Client, ERAS, Era, abilities, greeting, post};
use crate::support::daemon::Home;
use crate::support::far::Far;
use crate::support::http::{Request, converse};
use crate::support::mcp::{self, MODERN};

const METHODS: [&str; 3] = ["POST", "GET", "DELETE"];

#[test]
fn strange_hosts_and_pages_are_refused() {
    let home = home_with("raw", &[]);
    for (header, value) in [
        ("Host", "evil.example"),
        ("Host", "evil.example:7420"),
        ("Origin", "https://evil.example"),
        ("Origin", "null"),
    ] {
        for method in METHODS {
            for path in [at("raw"), "/mcp/projects/all".to_owned(), format!("{}/sse", at("raw"))] {
                let request = post(&home, &path, &greeting("2025-11-25", &abilities())).header(header, value);
                let request = match method {
                    "POST" => request,
                    other => home.http(other, &path).header(header, value),
                };
                assert_eq!(request.send().status, 403, "{method} {path} {header}: {value}");
            }
        }
    }
    let own = format!("http://{}", home.address());
    for origin in [own.as_str(), "http://localhost:3000"] {
        let request = post(&home, &at("raw"), &greeting("2025-11-25", &abilities())).header("Origin", origin);
        request.send().expect(200);
    }
}

#[test]
fn nobody_comes_in_without_a_token() {
    let home = home_with("raw", &[]);
    for method in METHODS {
        for path in [at("raw"), "/mcp/projects/all".to_owned(), format!("{}/sse", at("raw"))] {
            assert_eq!(
                Request::new(home.address(), method, &path).send().status,
                401,
                "{method} {path}"
            );
        }
    }
    // What is not there, and what may not be seen, look the same.
    for path in ["/mcp/servers/nobody", "/mcp/projects/nobody"] {
        for era in ERAS {
            let told = match era {
                Era::Legacy => mcp::send(&post(&home, path, &greeting("2025-11-25", &abilities()))),
                Era::Modern => Client::begin(&home, era, path).ask("tools/list", json!({})),
            };
            assert_eq!(told.status, 404, "{path}: {told:?}");
            assert!(told.text.contains("may not see it"), "{told:?}");
        }
    }
}

#[test]
fn what_is_no_message_is_refused() {
    let home = home_with("raw", &[]);
    let path = at("raw");
    let send = |kind: &str, accept: &str, body: &str| {
        let request = home
            .http("POST", &path)
            .header("Content-Type", kind)
            .header("Accept", accept);
        let answer = request.body(body.as_bytes().to_vec()).send();
        (answer.status, answer.json()["error"]["code"].clone())
    };
    let (json_type, both) = ("application/json", "application/json, text/event-stream");
    let hello = greeting("2025-11-25", &abilities()).to_string();
    for (kind, accept, body, status, code) in [
        ("text/plain", both, hello.as_str(), 415, -32600),
        (json_type, "text/html", &hello, 406, -32600),
        (json_type, both, "{", 400, -32700),
        (json_type, both, "[]", 400, -32600),
        (json_type, both, r#"{"id":1,"method":"ping"}"#, 400, -32600),
        (
            json_type,
            both,
            r#"{"jsonrpc":"2.0","id":{},"method":"ping"}"#,
            400,
            -32600,
        ),
    ] {
        assert_eq!(
            send(kind, accept, body),
            (status, json!(code)),
            "{kind} {accept} {body}"
        );
    }
    assert_eq!(send("application/json; charset=utf-8", "*/*", &hello).0, 200);
}

/// What clients do that was once allowed, or is elsewhere, is refused in words that say what to do instead.
#[test]
fn batches_and_encoded_bodies_are_refused_in_clear_words() {
    let home = home_with("raw", &[]);
    let hello = greeting("2025-03-26", &abilities());
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    for batch in [json!([]), json!([ping]), json!([hello, ping])] {
        let refused = post(&home, &at("raw"), &batch).send().expect(400).json();
        assert_eq!(refused["error"]["code"], -32600, "{refused}");
        let message = refused["error"]["message"].to_string();
        assert!(message.contains("batch") && message.contains("2025-06-18"), "{message}");
    }
    for (encoding, told) in [("gzip", "`gzip`"), ("identity, br", "`br`"), ("Zstd", "`Zstd`")] {
        let request = post(&home, &at("raw"), &hello).header("Content-Encoding", encoding);
        let refused = request.send().expect(415);
        assert_eq!(refused.header("accept-encoding"), Some("identity"));
        let message = refused.json()["error"]["message"].to_string();
        assert!(message.contains(told), "{encoding}: {message}");
    }
    let plain = post(&home, &at("raw"), &hello).header("Content-Encoding", "identity");
    plain.send().expect(200);
}

/// A greeting that is not as it must be is refused, and it is said what is wrong with it; what may be left out may.
#[test]
fn a_greeting_of_the_wrong_form_is_refused() {
    let home = home_with("raw", &[]);
    let greet = |params: Value| {
        let mut message = json!({"jsonrpc": "2.0", "id": 7, "method": "initialize", "params": params});
        if params.is_null() {
            message.as_object_mut().expect("a mapping").remove("params");
        }
        post(&home, &at("raw"), &message).send().expect(200)
    };
    let good =
        || json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "a", "version": "1"}});
    let with = |member: &str, value: Value| {
        let mut params = good();
        params[member] = value;
        params
    };
    for (params, member) in [
        (json!(null), "params"),
        (json!({}), "protocolVersion"),
        (json!({"capabilities": {}, "clientInfo": {}}), "protocolVersion"),
        (with("protocolVersion", json!(20251125)), "protocolVersion"),
        (with("protocolVersion", json!(null)), "protocolVersion"),
        (with("capabilities", json!([])), "capabilities"),
        (with("capabilities", json!("all")), "capabilities"),
        (with("clientInfo", json!("me")), "clientInfo"),
        (with("clientInfo", json!(["me"])), "clientInfo"),
    ] {
        let refused = greet(params.clone());
        assert_eq!(refused.header("mcp-session-id"), None, "{params}");
        let answer = refused.json();
        let (code, id) = (&answer["error"]["code"], &answer["id"]);
        assert_eq!((code, id), (&json!(-32602), &json!(7)), "{params}: {answer}");
        assert!(
            answer["error"]["message"].to_string().contains(member),
            "{params}: {answer}"
        );
    }
    for params in [
        good(),
        json!({"protocolVersion": "2025-11-25"}),
        with("protocolVersion", json!("2099-01-01")),
        with("capabilities", json!(null)),
    ] {
        let answer = greet(params.clone());
        assert!(answer.header("mcp-session-id").is_some(), "{params}: {}", answer.body);
    }
}

/// The largest message is 16 MiB: one of that size passes through, to the server and back, and a larger one does not.
#[test]
fn bodies_are_bounded() {
    let home = home_with("raw", &[]);
    for era in ERAS {
        let client = Client::begin(&home, era, &at("raw"));
        let text = "x".repeat(4 << 20);
        let said = client.said("echo", json!({"text": text}));
        assert!(said.len() > 4 << 20, "{era:?}");
        let told = client.ask(
            "tools/call",
            json!({"name": "echo", "arguments": {"text": "x".repeat(17 << 20)}}),
        );
        assert_eq!(told.status, 413, "{era:?}");
        assert_eq!(told.answer["error"]["code"], -32600, "{era:?}");
        assert!(
            client.said("echo", json!({})).contains("tools/call"),
            "{era:?}: it goes on"
        );
    }
    // One that says nothing of its length is stopped on its way.
    let head = format!(
        "POST {} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
         Accept: application/json, text/event-stream\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\n",
        at("raw"),
        home.address(),
        home.token(),
    );
    let chunk = format!("100000\r\n{}\r\n", " ".repeat(1 << 20));
    let told = converse(
        home.address(),
        (head + &chunk.repeat(20)).as_bytes(),
        Duration::from_secs(20),
    );
    assert!(told.text.is_empty() || told.text.contains(" 413 "), "{}", told.text);
}

/// Headers that repeat the body are held against it before anybody goes by them.
#[test]
fn headers_that_contradict_the_body_are_refused() {
    let home = Home::new().started();
    let far = Far::start("orch-raw", "--http", &["--era", "modern"]);
    home.apply(&(raw("raw", &[]) + &remote("far", &far) + &project("all", &["raw", "far"])));
    home.until_ready(&["server/raw", "server/far"]);
    let client = Client::begin(&home, Era::Modern, "/mcp/projects/all");
    let call = |tool: &str| client.request("tools/call", json!({"name": tool, "arguments": {}}));
    let before = asked(&far, "tools/call");
    let refused = |request: &Request, why: &str| {
        let told = mcp::send(request);
        assert_eq!(
            (told.status, &told.answer["error"]["code"]),
            (400, &json!(-32020)),
            "{why}: {told:?}"
        );
        assert_eq!(told.answer["id"], 1, "{why}");
    };
    refused(&call("far__echo").header("Mcp-Name", "far__fail"), "another tool");
    refused(&call("far__echo").header("Mcp-Name", "echo"), "the server's own name");
    refused(&call("far__echo").header("Mcp-Name", "=?base64?!?="), "no base64");
    refused(&call("far__echo").header("Mcp-Method", "tools/list"), "another method");
    refused(
        &call("far__echo").header("MCP-Protocol-Version", "2025-11-25"),
        "another revision",
    );
    let read = client.request("resources/read", json!({"uri": "raw://echo"}));
    refused(&read.header("Mcp-Name", "raw://other"), "another resource");
    let get = client.request("prompts/get", json!({"name": "raw__echo"}));
    refused(&get.header("Mcp-Name", "echo"), "another prompt");
    assert_eq!(
        asked(&far, "tools/call"),
        before,
        "nothing of it has reached the server"
    );

    // With a session, nobody has to say it twice; who does, says the same.
    let legacy = Client::begin(&home, Era::Legacy, "/mcp/projects/all");
    let call = legacy.request("tools/call", json!({"name": "far__echo", "arguments": {}}));
    let told = mcp::send(&call.header("Mcp-Name", "far__fail"));
    assert_eq!(
        (told.status, &told.answer["error"]["code"]),
        (400, &json!(-32020)),
        "{told:?}"
    );
}

/// What one reader takes for one tool and the next for another is refused before anybody is asked: servers that fold case
/// there are, and rights and the audit log go by what was read here.
#[test]
fn what_can_be_read_two_ways_is_refused() {
    let home = Home::new().started();
    let far = Far::start("orch-raw", "--http", &["--era", "modern"]);
    home.apply(&(remote("far", &far) + &project("all", &["far"])));
    home.until_ready(&["server/far"]);
    let before = asked(&far, "tools/call");
    let meta = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;
    for path in ["/mcp/projects/all", "/mcp/servers/far"] {
        let tool = if path == "/mcp/servers/far" {
            "echo"
        } else {
            "far__echo"
        };
        for era in ERAS {
            let client = Client::begin(&home, era, path);
            let check = |method: &str, members: &str, code: i32, why: &str| {
                let meta = if era == Era::Modern { meta } else { r#""z":1"# };
                let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"{method}","params":{{{members},{meta}}}}}"#);
                let plain = client.request("tools/call", json!({"name": tool, "arguments": {}}));
                let told = mcp::send(&plain.body(body.clone().into_bytes()));
                let error = &told.answer["error"];
                assert_eq!(
                    (told.status, &error["code"]),
                    (400, &json!(code)),
                    "{era:?} {body}: {told:?}"
                );
                let message = error["message"].as_str().unwrap_or_default();
                assert!(message.contains(why), "{era:?} {body}: {message}");
            };
            for (more, why) in [
                (r#""name":"fail""#, "`name` stands there more than once"),
                (r#""Name":"fail""#, "`Name` is spelled `name`"),
                (r#""argumentſ":{}"#, "`argumentſ` is spelled `arguments`"),
                (r#""arguments":{},"arguments":{}"#, "`arguments` stands there"),
                (r#""_META":{}"#, "`_META` is spelled `_meta`"),
                (r#""RequestState":"x""#, "is spelled `requestState`"),
            ] {
                check("tools/call", &format!(r#""name":"{tool}",{more}"#), -32602, why);
            }
            let two = r#""uri":"raw://echo","URI":"raw://other""#;
            check("resources/read", two, -32602, "`URI` is spelled `uri`");
            let two = r#""ref":{"type":"ref/prompt","name":"a","NAME":"b"},"argument":{}"#;
            check("completion/complete", two, -32602, "`NAME` is spelled `name`");
            check("Tools/Call", &format!(r#""name":"{tool}""#), -32601, "tools/call");
        }
    }
    assert_eq!(
        asked(&far, "tools/call"),
        before,
        "nothing of it has reached the server"
    );
}

/// After a name has changed, its header says the new one; arguments that a server wants in headers come there.
#[test]
fn headers_are_made_anew_for_the_server() {
    let home = Home::new().started();
    let far = Far::start("orch-raw", "--http", &["--era", "modern"]);
    home.apply(&(raw("raw", &[]) + &remote("far", &far) + &project("all", &["raw", "far"])));
    home.until_ready(&["server/raw", "server/far"]);
    let params = |tool: &str, region: &str| json!({"name": tool, "arguments": {"region": region}});
    // The server refuses what does not say the same twice.
    for (path, prefix) in [("/mcp/projects/all".to_owned(), "far__"), (at("far"), "")] {
        let tool = format!("{prefix}region");
        let legacy = Client::begin(&home, Era::Legacy, &path);
        assert_eq!(legacy.said(&tool, json!({"region": "eu"})), "eu", "{path}");
        let modern = Client::begin(&home, Era::Modern, &path);
        let call = |header: Option<&str>| {
            let request = modern.request("tools/call", params(&tool, "eu"));
            mcp::send(&match header {
                Some(value) => request.header("Mcp-Param-Region", value),
                None => request,
            })
        };
        assert_eq!(call(Some("eu")).answer["result"]["content"][0]["text"], "eu", "{path}");
        assert_eq!(
            call(Some("=?base64?ZXU=?=")).answer["result"]["content"][0]["text"],
            "eu",
            "{path}"
        );
        for wrong in [None, Some("us"), Some("")] {
            let told = call(wrong);
            let got = (told.status, &told.answer["error"]["code"]);
            assert_eq!(got, (400, &json!(-32020)), "{path} {wrong:?}: {told:?}");
        }
    }
    let modern = Client::begin(&home, Era::Modern, "/mcp/projects/all");
    let name = modern.request("tools/call", json!({"name": "far__echo", "arguments": {}}));
    let told = mcp::send(&name.header("Mcp-Name", "=?base64?ZmFyX19lY2hv?="));
    assert_eq!(told.status, 200, "{told:?}");
}

/// A stream on which nothing happens says that it lives.
#[test]
fn idle_streams_say_that_they_live() {
    let home = home_with("raw", &[]);
    let lives = |request: Request| {
        let mut stream = request.stream();
        assert_eq!(stream.status, 200);
        while !stream.line().expect("the stream goes on").starts_with(':') {}
    };
    let legacy = Client::begin(&home, Era::Legacy, &at("raw"));
    let modern = Client::begin(&home, Era::Modern, &at("raw"));
    let wait = || json!({"name": "wait", "arguments": {}});
    let streams = [
        legacy.bare("GET").header("Accept", "text/event-stream"),
        legacy.request("tools/call", wait()),
        modern.request("subscriptions/listen", json!({"notifications": {}})),
        modern.request("tools/call", wait()),
        home.http("GET", "/mcp/servers/raw/sse"),
    ];
    let listening = streams.map(|request| std::thread::spawn(move || lives(request)));
    for one in listening {
        one.join().expect("it says so");
    }
    // The era without sessions has no stream but those of requests.
    for method in ["GET", "DELETE"] {
        let request = home.http(method, &at("raw")).header("Accept", "text/event-stream");
        let answer = request.header("MCP-Protocol-Version", MODERN).send();
        assert_eq!(
            (answer.status, answer.json()["result"].clone()),
            (405, Value::Null),
            "{method}"
        );
    }
}
