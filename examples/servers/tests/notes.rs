//! `orch-notes` as a client sees it: lines in, lines out.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use serde_json::{Value, json};

/// A running server.
struct Server {
    child: Child,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    last: u64,
}

impl Server {
    fn start(arguments: &[&str]) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_orch-notes"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("started");
        let input = child.stdin.take().expect("piped");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        Self {
            child,
            input,
            output,
            last: 0,
        }
    }

    /// Greets it as clients up to the revision of 2025-11-25 do.
    fn initialized(mut self) -> Self {
        let params = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}});
        let answer = self.ask("initialize", &params);
        assert_eq!(answer["result"]["serverInfo"]["name"], "orch-notes");
        writeln!(
            self.input,
            "{}",
            json!({"jsonrpc": "2.0", "method": "notifications/initialized"})
        )
        .expect("written");
        self
    }

    fn ask(&mut self, method: &str, params: &Value) -> Value {
        self.last += 1;
        let request = json!({"jsonrpc": "2.0", "id": self.last, "method": method, "params": params});
        writeln!(self.input, "{request}").expect("written");
        let mut line = String::new();
        self.output.read_line(&mut line).expect("an answer");
        serde_json::from_str(&line).expect("JSON")
    }

    /// Calls a tool; says what it answers, and whether that is an error.
    fn call(&mut self, tool: &str, arguments: &Value) -> (String, bool) {
        let answer = self.ask("tools/call", &json!({"name": tool, "arguments": arguments}));
        let result = &answer["result"];
        let text = result["content"][0]["text"]
            .as_str()
            .unwrap_or_else(|| panic!("{answer}"))
            .to_owned();
        (text, result["isError"] == true)
    }

    /// Closes its input, and waits for its end.
    fn end(mut self) {
        drop(self.input);
        assert!(self.child.wait().expect("ended").success());
    }
}

fn in_directory(directory: &Path) -> Server {
    Server::start(&["--directory", directory.to_str().expect("UTF-8")]).initialized()
}

#[test]
fn notes_survive_a_restart_in_a_directory() {
    let directory = std::env::temp_dir().join(format!("orch-notes-{}", std::process::id()));
    let mut server = in_directory(&directory);
    let note = json!({"title": "shopping", "text": "milk and bread"});
    assert_eq!(server.call("add_note", &note), ("added".to_owned(), false));
    assert_eq!(server.call("add_note", &note), ("replaced".to_owned(), false));
    server.end();
    let mut server = in_directory(&directory);
    assert_eq!(
        server.call("search_notes", &json!({"query": "BREAD"})),
        ("shopping".to_owned(), false)
    );
    assert_eq!(
        server.call("delete_note", &json!({"title": "shopping"})),
        ("deleted".to_owned(), false)
    );
    assert_eq!(server.call("list_notes", &json!({})), (String::new(), false));
    server.end();
    std::fs::remove_dir(&directory).expect("empty");
}

#[test]
fn what_does_not_work_is_said() {
    let mut server = Server::start(&[]).initialized();
    let (text, is_error) = server.call("read_note", &json!({"title": "nothing"}));
    assert!(is_error && text.contains("no note of that title"), "{text}");
    let (text, is_error) = server.call("add_note", &json!({"title": "../escape", "text": ""}));
    assert!(is_error && text.contains("a title is"), "{text}");
    let missing = server.ask("tools/call", &json!({"name": "add_note", "arguments": {"title": "x"}}));
    assert_eq!(missing["error"]["code"], -32602, "{missing}");
    let unknown = server.ask("tools/call", &json!({"name": "nothing", "arguments": {}}));
    assert_eq!(unknown["error"]["code"], -32602, "{unknown}");
    server.end();
}

#[test]
fn both_eras_are_spoken() {
    let mut server = Server::start(&[]);
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    let found = server.ask("server/discover", &json!({"_meta": meta}));
    let versions = found["result"]["supportedVersions"]
        .as_array()
        .unwrap_or_else(|| panic!("{found}"));
    assert!(versions.contains(&json!("2026-07-28")), "{found}");
    let listed = server.ask("tools/list", &json!({"_meta": meta}));
    assert_eq!(listed["result"]["tools"].as_array().map(Vec::len), Some(5), "{listed}");
    server.end();
}
