//! `orch-raw` as a client sees it: what it tells back is what was said, to the letter.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// A running server over standard input and output.
struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_orch-raw"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        let input = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        Self { child, input, output }
    }

    fn say(&mut self, line: &str) {
        writeln!(self.input, "{line}").expect("written");
    }

    fn hear(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a line");
        line.trim_end().to_owned()
    }

    fn ask(&mut self, line: &str) -> Value {
        self.say(line);
        serde_json::from_str(&self.hear()).expect("JSON")
    }

    fn call(&mut self, tool: &str) -> Value {
        self.ask(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool}}).to_string())
    }

    fn end(mut self) {
        drop(self.input);
        assert!(self.child.wait().expect("ended").success());
    }
}

const EXACT: &str = r#""whole":12345678901234567890123,"exact":1.10,"exponent":1E+2,"escaped":"\u00e9\/""#;

#[test]
fn every_answer_carries_what_no_specification_knows() {
    let mut server = Server::start(&[]);
    let requests = [
        r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"echo"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"nowhere"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"prompts/list"}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"raw://x"}}"#,
        r#"{"jsonrpc":"2.0","id":1,"method":"vendor/own"}"#,
    ];
    for request in requests {
        server.say(request);
        let answer = server.hear();
        assert!(answer.contains(EXACT), "{request}: {answer}");
    }
    server.end();
}

#[test]
fn it_tells_back_the_text_of_requests_and_answers() {
    let mut server = Server::start(&[]);
    let request = r#"{"jsonrpc":"2.0", "id":"a/1","method":"tools/call","params":{"name":"echo","z":1.0,"a":1e5,"_meta":{"k":null}}}"#;
    let answer = server.ask(request);
    assert_eq!(answer["id"], "a/1");
    assert_eq!(answer["result"]["content"][0]["text"], request);

    let question = server.call("ask_unknown");
    assert_eq!(question["method"], "vendor/ask");
    let reply = format!(r#"{{"jsonrpc":"2.0", "id":{}, "result":{{"n":1.50}}}}"#, question["id"]);
    assert_eq!(server.ask(&reply)["result"]["content"][0]["text"], reply);
    server.end();
}

#[test]
fn it_counts_and_notices() {
    let mut server = Server::start(&["--page", "10", "--tools", "5", "--long-names", "1"]);
    let mut names: Vec<String> = Vec::new();
    let mut cursor = Value::Null;
    loop {
        let request = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list", "params": {"cursor": cursor}});
        let result = server.ask(&request.to_string())["result"].take();
        let tools = result["tools"].as_array().expect("tools");
        names.extend(
            tools
                .iter()
                .map(|tool| tool["name"].as_str().expect("a name").to_owned()),
        );
        if result["nextCursor"].is_null() {
            break;
        }
        cursor = result["nextCursor"].clone();
    }
    assert_eq!((names.len(), names.last().map(String::len)), (19 + 5 + 1, Some(100)));

    server.say(r#"{"jsonrpc":"2.0","id":"w","method":"tools/call","params":{"name":"wait"}}"#);
    server.say(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":"w"}}"#);
    let stats = server.call("stats")["result"]["structuredContent"].take();
    assert_eq!(stats["methods"], json!({"tools/call": 2, "tools/list": 3}));
    assert_eq!(stats["cancelled"], json!(["\"w\""]));
    assert_eq!(stats["notifications"].as_array().map(Vec::len), Some(1));
    server.end();
}

#[test]
fn eras_and_modes() {
    let meta = r#""_meta":{"io.modelcontextprotocol/protocolVersion":"2026-07-28"}"#;
    let discover = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"server/discover","params":{{{meta}}}}}"#);
    let initialize = r#"{"jsonrpc":"2.0","id":1,"method":"initialize","params":{"protocolVersion":"2025-11-25"}}"#;
    let ask = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"ask_roots",{meta}}}}}"#);
    let list = r#"{"jsonrpc":"2.0","id":1,"method":"tools/list"}"#;
    let cases: [(&[&str], &str, &str, Value); 8] = [
        (&["--era", "legacy"], &discover, "/error/code", json!(-32601)),
        (&["--era", "modern"], initialize, "/error/code", json!(-32601)),
        (
            &["--era", "modern"],
            &discover,
            "/result/supportedVersions",
            json!(["2026-07-28"]),
        ),
        (
            &["--revision", "2025-03-26"],
            initialize,
            "/result/protocolVersion",
            json!("2025-03-26"),
        ),
        (&[], initialize, "/result/protocolVersion", json!("2025-11-25")),
        (&[], &ask, "/result/inputRequests/question/method", json!("roots/list")),
        (&["--refuse", "tools/list"], list, "/error/code", json!(-32055)),
        (
            &["--slow", "tools/list=1"],
            list,
            "/result/tools/0/name",
            json!("ask_elicitation"),
        ),
    ];
    for (arguments, request, pointer, expected) in cases {
        let mut server = Server::start(arguments);
        let answer = server.ask(request);
        assert_eq!(answer.pointer(pointer), Some(&expected), "{arguments:?} {answer}");
        server.end();
    }
    let mut garbage = Server::start(&["--garbage", "tools/list"]);
    garbage.say(list);
    assert!(serde_json::from_str::<Value>(&garbage.hear()).is_err());
    garbage.end();
    let mut crashing = Server::start(&["--crash", "tools/list"]);
    crashing.say(list);
    assert_eq!(crashing.child.wait().expect("ended").code(), Some(17));
}
