//! `mcp serve`: what clients that speak over standard input and output get of the gateway.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::gateway::Gateway;
use crate::support::home::{Home, ended};

const PATIENCE: Duration = Duration::from_secs(20);

/// A client of the bridge.
struct Bridge {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<Value>,
    waiting: Vec<Value>,
}

impl Bridge {
    fn start(home: &Home, arguments: &[&str]) -> Self {
        let mut child = home
            .command(&[&["mcp", "serve", "-p", "web"], arguments].concat())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the program starts");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines() {
                let line = line.expect("text");
                let message = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        Self {
            input: child.stdin.take(),
            child,
            lines,
            waiting: Vec::new(),
        }
    }

    fn say(&mut self, message: &Value) {
        let input = self.input.as_mut().expect("still open");
        writeln!(input, "{message}").expect("somebody reads");
    }

    /// The first message that fits, now or later; others are kept.
    #[track_caller]
    fn hear(&mut self, what: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.waiting.iter().position(&is_it) {
            return self.waiting.remove(at);
        }
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(message) if is_it(&message) => return message,
                Ok(message) => self.waiting.push(message),
                Err(_) => panic!("{what} was not heard; but {:?}", self.waiting),
            }
        }
    }

    #[track_caller]
    fn answer(&mut self, id: u64) -> Value {
        self.hear(&format!("the answer {id}"), |message| {
            message["id"] == id && message.get("method").is_none()
        })
    }

    fn greet(&mut self) {
        self.say(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": {"roots": {}}, "clientInfo": {"name": "test", "version": "1"},
        }}));
        assert_eq!(self.answer(0)["result"]["protocolVersion"], "2025-11-25");
        self.say(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
    }

    fn call(&mut self, id: u64, tool: &str, arguments: &Value) {
        self.say(&json!({"jsonrpc": "2.0", "id": id, "method": "tools/call", "params": {
            "name": tool, "arguments": arguments, "_meta": {"progressToken": format!("p{id}")},
        }}));
    }

    fn modern(&mut self, id: u64, method: &str, mut params: Value) {
        params["_meta"] = json!({
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
            "progressToken": id,
        });
        self.say(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
    }

    /// Closes the input; the program must end well. Gives what it said on standard error.
    #[track_caller]
    fn end(mut self) -> String {
        drop(self.input.take());
        let output = self.child.wait_with_output().expect("the program ends");
        assert_eq!(output.status.code(), Some(0));
        String::from_utf8_lossy(&output.stderr).into_owned()
    }
}

fn place() -> (Gateway, Home) {
    let gateway = Gateway::start();
    let home = Home::with_daemon(&gateway.address);
    (gateway, home)
}

#[test]
fn a_session_begins_carries_and_ends() {
    let (gateway, home) = place();
    let mut bridge = Bridge::start(&home, &[]);
    bridge.greet();
    bridge.call(1, "echo", &json!({"message": "é\n"}));
    let answer = bridge.answer(1);
    assert_eq!(
        answer["result"]["content"][0]["text"],
        json!({"message": "é\n"}).to_string()
    );
    assert_eq!(
        answer["result"]["later"].to_string(),
        "[1.0]",
        "what nobody knows stays as it is"
    );
    let listening = gateway.until("a listener", |heard| heard.verb == "GET");
    assert_eq!(listening.path, "/mcp/projects/web");
    gateway.say(json!({"jsonrpc": "2.0", "method": "notifications/tools/list_changed"}));
    bridge.hear("the news", |message| {
        message["method"] == "notifications/tools/list_changed"
    });
    assert_eq!(bridge.end(), "");
    let ended = gateway.until("the end", |heard| heard.verb == "DELETE");
    assert_eq!(ended.header("mcp-session-id"), "secret-0");
    assert_eq!(ended.header("mcp-protocol-version"), "2025-11-25");
    for heard in gateway.heard() {
        assert_eq!(heard.header("authorization"), "Bearer orch_test", "{heard:?}");
    }
}

#[test]
fn progress_questions_and_errors_pass() {
    let (gateway, home) = place();
    let mut bridge = Bridge::start(&home, &[]);
    bridge.greet();
    bridge.call(1, "slow", &json!({}));
    for step in 1..=3 {
        let progress = bridge.hear("progress", |message| message["method"] == "notifications/progress");
        assert_eq!(progress["params"]["progress"], step);
        assert_eq!(progress["params"]["progressToken"], "p1");
    }
    assert_eq!(bridge.answer(1)["result"]["content"][0]["text"], "done");
    // A question of the server's is answered while others are served.
    bridge.call(2, "ask", &json!({}));
    let question = bridge.hear("the question", |message| message["method"] == "roots/list");
    bridge.call(3, "echo", &json!({}));
    bridge.answer(3);
    bridge.say(&json!({"jsonrpc": "2.0", "id": question["id"], "result": {"roots": []}}));
    assert_eq!(bridge.answer(2)["result"]["content"][0]["text"], "{\"roots\":[]}");
    bridge.call(4, "none", &json!({}));
    assert_eq!(bridge.answer(4)["error"]["code"], -32602);
    bridge.say(&json!(7));
    assert_eq!(
        bridge.hear("a refusal", |message| message["id"].is_null())["error"]["code"],
        -32600
    );
    bridge.say(&json!([{"jsonrpc": "2.0", "id": 5, "method": "ping"}, {"jsonrpc": "2.0", "id": 6, "method": "ping"}]));
    bridge.answer(5);
    bridge.answer(6);
    bridge.end();
    drop(gateway);
}

#[test]
fn a_call_that_is_cancelled_is_not_answered() {
    let (gateway, home) = place();
    let mut bridge = Bridge::start(&home, &[]);
    bridge.greet();
    bridge.call(1, "hang", &json!({}));
    gateway.until("the call", |heard| heard.body["params"]["name"] == "hang");
    bridge.say(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 1}}));
    gateway.until("the cancellation", |heard| heard.method() == "notifications/cancelled");
    gateway.until("the end of the call", |heard| heard.verb == "END");
    // Without a session nobody is told: hanging up says it.
    bridge.modern(2, "tools/call", json!({"name": "hang"}));
    gateway.until("the call", |heard| heard.verb == "POST" && heard.body["id"] == 2);
    bridge.say(&json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": 2}}));
    gateway.until("the end of the call", |heard| heard.verb == "END" && heard.path == "2");
    bridge.call(3, "echo", &json!({}));
    bridge.answer(3);
    assert!(
        bridge
            .waiting
            .iter()
            .all(|message| message["id"] != 1 && message["id"] != 2),
        "{:?}",
        bridge.waiting
    );
    bridge.end();
}

#[test]
fn requests_without_sessions_say_so_in_headers() {
    let (gateway, home) = place();
    let mut bridge = Bridge::start(&home, &[]);
    bridge.modern(1, "tools/call", json!({"name": "echo", "arguments": {"a": 1}}));
    assert_eq!(bridge.answer(1)["result"]["resultType"], "complete");
    // The list was never asked for: which arguments go into headers is found out.
    bridge.modern(
        2,
        "tools/call",
        json!({"name": "regional", "arguments": {"region": "eu"}}),
    );
    assert_eq!(bridge.answer(2)["result"]["content"][0]["text"], "there");
    bridge.modern(3, "tools/call", json!({"name": "slow"}));
    bridge.answer(3);
    let heard = gateway.until("the call", |heard| heard.body["id"] == 1);
    assert_eq!(
        (
            heard.header("mcp-method"),
            heard.header("mcp-name"),
            heard.header("mcp-session-id")
        ),
        ("tools/call", "echo", "")
    );
    bridge.end();
    assert!(
        gateway.heard().iter().all(|heard| heard.verb == "POST"),
        "no stream, no end of a session"
    );
}

#[test]
fn a_lost_session_is_begun_anew_behind_the_clients_back() {
    let (mut gateway, home) = place();
    let mut bridge = Bridge::start(&home, &[]);
    bridge.greet();
    bridge.say(&json!({"jsonrpc": "2.0", "id": 1, "method": "logging/setLevel", "params": {"level": "debug"}}));
    bridge.say(&json!({"jsonrpc": "2.0", "id": 2, "method": "resources/subscribe", "params": {"uri": "a:b"}}));
    bridge.answer(1);
    bridge.answer(2);
    gateway.lose_sessions();
    // Several at once find the session gone; one of them begins it anew.
    for id in 10..20 {
        bridge.call(id, "echo", &json!({"id": id}));
    }
    for id in 10..20 {
        assert!(bridge.answer(id)["result"].is_object());
    }
    bridge.hear("the news", |message| {
        message["method"] == "notifications/tools/list_changed"
    });
    let heard = gateway.heard();
    let greetings: Vec<_> = heard.iter().filter(|heard| heard.method() == "initialize").collect();
    assert_eq!(greetings.len(), 2);
    assert_eq!(greetings[1].body["params"], greetings[0].body["params"]);
    for method in ["notifications/initialized", "logging/setLevel", "resources/subscribe"] {
        let again = heard
            .iter()
            .find(|heard| heard.method() == method && heard.header("mcp-session-id") == "secret-1");
        assert!(again.is_some(), "{method} is not said again");
    }
    // And when the whole daemon is started anew, while a client goes on asking.
    let asking = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        bridge.call(30, "echo", &json!({}));
        assert!(bridge.answer(30)["result"].is_object());
        bridge
    });
    gateway.restart(Duration::from_millis(900));
    let mut bridge = asking.join().expect("it is answered");
    gateway.until("a listener", |heard| {
        heard.verb == "GET" && heard.header("mcp-session-id") == "secret-0"
    });
    gateway.say(json!({"jsonrpc": "2.0", "method": "notifications/prompts/list_changed"}));
    bridge.hear("the news", |message| {
        message["method"] == "notifications/prompts/list_changed"
    });
    bridge.end();
}

#[test]
fn a_message_that_is_too_long_is_answered_and_the_next_is_served() {
    let (gateway, home) = place();
    let mut bridge = Bridge::start(&home, &[]);
    bridge.greet();
    let long = "x".repeat(17 << 20);
    bridge.call(1, "echo", &json!({"message": long}));
    let error = bridge.answer(1)["error"].clone();
    assert_eq!(error["code"], -32600);
    let said = error["message"].as_str().expect("words");
    assert!(said.contains("at most 16 MiB, and this one has 18"), "{said}");
    // Longer than anything that is kept, and the id at its end.
    let input = bridge.input.as_mut().expect("still open");
    write!(input, r#"{{"method": "tools/call", "params": {{"x": ""#).expect("somebody reads");
    for _ in 0..5 {
        input.write_all(long.as_bytes()).expect("somebody reads");
    }
    writeln!(input, r#""}}, "id": 2}}"#).expect("somebody reads");
    assert_eq!(bridge.answer(2)["error"]["code"], -32600);
    bridge.call(3, "echo", &json!({"message": "short"}));
    bridge.answer(3);
    // A server that has asked is told that it gets no answer.
    bridge.call(4, "ask", &json!({}));
    let question = bridge.hear("the question", |message| message["method"] == "roots/list");
    bridge.say(&json!({"jsonrpc": "2.0", "id": question["id"], "result": {"roots": [long]}}));
    let told = gateway.until("the refusal", |heard| heard.body["error"]["code"] == -32600);
    assert_eq!(told.body["id"], question["id"]);
    bridge.answer(4);
    bridge.end();
}

#[test]
fn a_stream_on_which_nothing_comes_is_given_up() {
    let (gateway, home) = place();
    let mut bridge = Bridge::start(&home, &[]);
    bridge.greet();
    let resumed = |after: &str| {
        let heard = gateway.heard();
        heard
            .iter()
            .filter(|heard| heard.header("last-event-id") == after)
            .count()
    };
    bridge.call(1, "fade", &json!({}));
    let error = bridge.answer(1)["error"].clone();
    let said = error["message"].as_str().unwrap_or_default();
    assert!(said.contains("may have been done"), "{error}");
    assert_eq!(resumed("1-never"), 3);
    // What comes now and then is heard out.
    bridge.call(2, "fade", &json!({"comes back": true}));
    assert_eq!(bridge.answer(2)["result"]["content"], json!([]));
    assert_eq!((resumed("2-first"), resumed("2-second")), (3, 3));
    bridge.end();
}

#[test]
fn a_client_that_no_longer_reads_has_gone() {
    let (gateway, home) = place();
    let mut child = home
        .command(&["mcp", "serve", "-p", "web"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop(child.stdout.take());
    let mut input = child.stdin.take().expect("a pipe");
    let greeting =
        json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": "2025-11-25"}});
    writeln!(input, "{greeting}").expect("somebody reads");
    // Its other end stays open.
    let output = ended(child);
    assert_eq!((output.status.code(), &*output.stderr), (Some(141), &b""[..]));
    drop(input);
    gateway.until("the end of the session", |heard| heard.verb == "DELETE");
}

#[test]
fn what_fails_is_an_answer_that_says_what_to_do() {
    let (gateway, home) = place();
    let mut bridge = Bridge::start(&home, &[]);
    bridge.greet();
    bridge.call(1, "hang", &json!({}));
    gateway.until("the call", |heard| heard.body["params"]["name"] == "hang");
    drop(gateway);
    let error = bridge.answer(1)["error"].clone();
    assert!(
        error["message"]
            .as_str()
            .is_some_and(|said| said.contains("may have been done")),
        "{error}"
    );
    bridge.end();
    let gateway = Gateway::start();
    let home = Home::new();
    let stranger = format!(
        "currentContext: t\ncontexts:\n- {{name: t, server: \"{}\", token: orch_wrong}}\n",
        gateway.address
    );
    home.write("config.yaml", &stranger);
    let mut bridge = Bridge::start(&home, &[]);
    bridge
        .say(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": "2025-11-25"}}));
    let error = bridge.answer(0)["error"].clone();
    assert_eq!(error["message"], "no token");
    let hint = error["data"]["hint"].as_str().unwrap_or_default();
    assert!(hint.contains("orchctl login") && !hint.contains("doctor"), "{error}");
    bridge.end();
}

#[test]
fn a_client_that_goes_leaves_nothing_behind() {
    let (gateway, home) = place();
    // Whatever the gateway is busy with: a greeting that it does not answer, or a call.
    let mut bridge = Bridge::start(&home, &[]);
    bridge.say(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-11-25", "clientInfo": {"name": "patient", "version": "1"},
    }}));
    gateway.until("the greeting", |heard| heard.method() == "initialize");
    bridge.end();
    let mut bridge = Bridge::start(&home, &[]);
    bridge.greet();
    bridge.call(1, "hang", &json!({}));
    gateway.until("the call", |heard| heard.body["params"]["name"] == "hang");
    drop(bridge.input.take());
    let error = bridge.answer(1)["error"].clone();
    assert_eq!(error["code"], -32000, "it may still read: {error}");
    bridge.end();
    gateway.until("the end of the call", |heard| heard.verb == "END");
    gateway.until("the end of the session", |heard| heard.verb == "DELETE");
    // And a daemon that is not there at all.
    let home = Home::with_daemon("http://127.0.0.1:1");
    let mut bridge = Bridge::start(&home, &[]);
    bridge.say(&json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {}}));
    drop(bridge.input.take());
    let error = bridge.answer(0)["error"].clone();
    let why = error["message"].as_str().unwrap_or_default();
    assert!(why.contains("cannot be reached"), "{error}");
    bridge.end();
}

#[test]
fn what_is_said_is_written_down_without_keys() {
    let (_gateway, home) = place();
    let mut bridge = Bridge::start(&home, &["--debug", "said.log"]);
    bridge.greet();
    bridge.call(1, "echo", &json!({"api_key": "sesame", "message": "hello"}));
    bridge.answer(1);
    assert_eq!(bridge.end(), "");
    let log = std::fs::read_to_string(home.path().join("said.log")).expect("a log");
    assert!(
        log.contains("-> tools/call echo id=1 ") && log.contains("<- result id=1 "),
        "{log}"
    );
    for hidden in ["sesame", "hello", "orch_test", "secret-0", "Bearer"] {
        assert!(!log.contains(hidden), "{hidden}: {log}");
    }
    let mut bridge = Bridge::start(&home, &["--debug", "--debug-payloads"]);
    bridge.modern(
        1,
        "tools/call",
        json!({"name": "echo", "arguments": {"api_key": "sesame", "message": "hello"}}),
    );
    bridge.answer(1);
    let log = bridge.end();
    assert!(
        log.contains("\"api_key\":\"***\"") && log.contains("\"message\":\"hello\""),
        "{log}"
    );
    assert!(!log.contains("orch_test"), "{log}");
}

#[test]
fn a_whole_conversation_may_come_at_once() {
    let (_gateway, home) = place();
    let lines = [
        json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {"protocolVersion": "2025-06-18", "capabilities": {}}}),
        json!({"jsonrpc": "2.0", "method": "notifications/initialized"}),
        json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}),
        json!({"jsonrpc": "2.0", "id": 2, "method": "tools/call", "params": {"name": "slow"}}),
    ];
    let input: String = lines.iter().map(|line| format!("{line}\n")).collect();
    let run = home.run_with_input(&["mcp", "serve", "-p", "web"], &input);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run}");
    for id in 0..=2 {
        assert!(run.stdout.contains(&format!("\"id\":{id},\"result\"")), "{run}");
    }
}

#[test]
fn headers_are_told_to_those_who_ask_for_the_right_address() {
    let home = Home::with_daemon("http://127.0.0.1:1");
    for (arguments, code, said) in [
        (&["mcp", "headers"][..], 0, "{\"Authorization\":\"Bearer orch_test\"}\n"),
        (
            &["mcp", "headers", "http://127.0.0.1:1/mcp/projects/web"],
            0,
            "{\"Authorization\":\"Bearer orch_test\"}\n",
        ),
        (&["mcp", "headers", "http://127.0.0.1:12/mcp/projects/web"], 2, ""),
        (&["mcp", "headers", "https://elsewhere/mcp"], 2, ""),
    ] {
        let run = home.run(arguments);
        assert_eq!((run.code, run.stdout.as_str()), (code, said), "{run}");
    }
}
