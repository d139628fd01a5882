//! What people and clients start to get at the gateway: tools tried from the shell, the bridge for clients that speak over
//! standard input and output, and the entries that are written into the files of clients.

use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::Duration;

use serde_json::{Value, json};

use super::{manifest, server_with};
use crate::support::daemon::{Home, eventually};

const PATIENCE: Duration = Duration::from_secs(60);

/// A project of two servers that keep notes.
fn place(flags: &[&str]) -> Home {
    let home = Home::new().with(flags).started();
    let notes = |name: &str| manifest("Server", name, &json!({"command": ["orch-notes"]}));
    let project = manifest(
        "Project",
        "web",
        &json!({"servers": ["notes", "other"], "instructions": "Be kind."}),
    );
    home.apply(&format!("{}{}{project}", notes("notes"), notes("other")));
    home.until_ready(&["server/notes", "server/other"]);
    home
}

/// A client over standard input and output.
struct Client {
    child: Child,
    lines: Receiver<Value>,
}

impl Client {
    fn of(command: &mut Command) -> Self {
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit())
            .spawn()
            .expect("the program runs");
        let output = BufReader::new(child.stdout.take().expect("a pipe"));
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            for line in output.lines().map_while(Result::ok) {
                let message = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"));
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        Self { child, lines }
    }

    fn say(&mut self, message: &Value) {
        let input = self.child.stdin.as_mut().expect("a pipe");
        writeln!(input, "{message}").expect("somebody reads");
    }

    /// Asks, and gives the answer; what is said beside it is left out.
    #[track_caller]
    fn ask(&mut self, id: u64, method: &str, params: &Value) -> Value {
        self.say(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}));
        loop {
            let message = self.lines.recv_timeout(PATIENCE).expect("an answer in time");
            if message["id"] == id {
                return message;
            }
        }
    }

    #[track_caller]
    fn greet(&mut self, name: &str) -> Value {
        let greeting =
            json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": name, "version": "7"}});
        let answer = self.ask(0, "initialize", &greeting);
        self.say(&json!({"jsonrpc": "2.0", "method": "notifications/initialized"}));
        answer
    }

    /// Closes its end; the program must end by itself, and well.
    #[track_caller]
    fn end(mut self) {
        drop(self.child.stdin.take());
        let status = self.child.wait().expect("it ends");
        assert_eq!(status.code(), Some(0));
    }
}

#[test]
fn tools_are_tried_from_the_shell() {
    let home = place(&[]);
    let list = home
        .orchctl(&["tools", "list", "-p", "web", "-o", "name"])
        .expect(0)
        .stdout;
    assert!(
        list.contains("notes__add_note\n") && list.contains("other__read_note\n"),
        "{list}"
    );
    let list = home.orchctl(&["tools", "list", "--server", "notes"]).expect(0).stdout;
    assert!(list.contains("\nadd_note ") && !list.contains("__"), "{list}");
    home.orchctl(&["tools", "inspect", "notes__add_note", "-p", "web"])
        .expect(0)
        .saying(&[
            "Arguments:",
            "title",
            "string, required",
            "orchctl tools call notes__add_note --project web --arg title=TEXT",
        ]);
    let add = [
        "tools",
        "call",
        "notes__add_note",
        "-p",
        "web",
        "--arg",
        "title=8080",
        "--arg",
        "text=a note",
    ];
    let added = home.orchctl(&add).expect(0);
    assert_eq!((added.stdout.as_str(), added.stderr.as_str()), ("added\n", ""));
    let read = [
        "tools",
        "call",
        "read_note",
        "--server",
        "notes",
        "--json",
        "{\"title\": \"8080\"}",
    ];
    assert_eq!(home.orchctl(&read).expect(0).stdout, "a note\n");
    home.orchctl(&["tools", "call", "other__read_note", "-p", "web", "--arg", "title=8080"])
        .expect(1)
        .saying(&["the tool says that it failed"]);
    home.orchctl(&["tools", "call", "notes__raed_note", "-p", "web"])
        .expect(3)
        .saying(&["did you mean `notes__read_note`?"]);
    home.orchctl(&["tools", "list", "-p", "nowhere"]).expect(3);
}

#[test]
fn a_bridge_outlives_the_daemon() {
    let port = {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        listener.local_addr().expect("an address").port()
    };
    let mut home = place(&["--listen", &format!("127.0.0.1:{port}")]);
    let mut client = Client::of(&mut home.orchctl_command(&["mcp", "serve", "-p", "web"]));
    let greeting = client.greet("a-client");
    assert!(
        greeting["result"]["instructions"].to_string().contains("Be kind."),
        "{greeting}"
    );
    let tools = client.ask(1, "tools/list", &json!({}));
    assert!(tools.to_string().contains("notes__add_note"), "{tools}");
    let add = json!({"name": "notes__add_note", "arguments": {"title": "a", "text": "b"}});
    assert_eq!(
        client.ask(2, "tools/call", &add)["result"]["content"][0]["text"],
        "added"
    );
    let sessions = home.get("projects/web/sessions");
    assert_eq!(sessions["items"][0]["client"], "a-client", "{sessions}");
    assert_eq!(sessions["items"].as_array().map(Vec::len), Some(1));

    home.kill_9();
    home.start();
    home.until_ready(&["server/notes"]);
    assert_eq!(
        client.ask(3, "tools/call", &add)["result"]["content"][0]["text"],
        "added"
    );
    // The other era passes on the same bridge, with no greeting at all.
    let meta = json!({"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}});
    let mut modern = json!({"name": "notes__list_notes", "arguments": {}});
    modern["_meta"] = meta;
    let answer = client.ask(4, "tools/call", &modern);
    assert_eq!(answer["result"]["resultType"], "complete", "{answer}");
    client.end();
    eventually("the session has ended", || {
        home.get("projects/web/sessions")["items"] == json!([])
    });
}

/// The bridge refuses what the gateway would, and nothing else.
#[test]
fn a_bridge_carries_what_the_gateway_takes() {
    let home = place(&[]);
    let mut client = Client::of(&mut home.orchctl_command(&["mcp", "serve", "-p", "web"]));
    client.greet("a-client");
    let mut add = |id: u64, length: usize| {
        let arguments = json!({"title": "a", "text": "x".repeat(length)});
        client.ask(
            id,
            "tools/call",
            &json!({"name": "notes__add_note", "arguments": arguments}),
        )
    };
    let largest = add(1, (16 << 20) - 1024);
    assert_eq!(largest["result"]["content"][0]["text"], "added", "{largest}");
    let larger = add(2, 16 << 20);
    let said = larger["error"]["message"].as_str().expect("words");
    assert!(said.contains("at most 16 MiB"), "{said}");
    assert_eq!(add(3, 1)["result"]["content"][0]["text"], "replaced", "it goes on");
    client.end();
}

#[test]
fn what_is_written_for_clients_leads_them_here() {
    let home = place(&[]);
    home.orchctl(&["client", "install", "claude-code", "-p", "web"])
        .expect(0);
    home.orchctl(&["client", "install", "cursor", "--server", "notes", "--via", "stdio"])
        .expect(0);
    let read = |name: &str| -> Value {
        let text = std::fs::read_to_string(home.path(name)).expect("a file");
        assert!(!text.contains(&home.token()), "{text}");
        serde_json::from_str(&text).expect("JSON")
    };
    // As Claude Code does: a program tells the headers for the address.
    let entry = read(".claude.json")["mcpServers"]["orch-web"].clone();
    let helper = entry["headersHelper"].as_str().expect("a program");
    let told = home.program("sh").args(["-c", helper]).output().expect("it runs");
    let headers: Value = serde_json::from_slice(&told.stdout).expect("headers");
    let url = entry["url"].as_str().expect("an address");
    let path = url
        .split_once("127.0.0.1")
        .and_then(|(_, rest)| rest.split_once('/'))
        .expect("a path")
        .1;
    let answer = crate::support::http::Request::new(home.address(), "POST", &format!("/{path}"))
        .header("authorization", headers["Authorization"].as_str().expect("a token"))
        .header("accept", "application/json, text/event-stream")
        .json(&json!({"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": {
            "protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"},
        }}))
        .send();
    assert_eq!(answer.status, 200, "{}", answer.body);
    // As any other does: a program is started.
    let entry = read(".cursor/mcp.json")["mcpServers"]["orch-notes"].clone();
    let words = entry["args"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let mut command = Command::new(entry["command"].as_str().expect("a program"));
    command.args(words).env_clear();
    for (name, value) in entry["env"].as_object().into_iter().flatten() {
        command.env(name, value.as_str().expect("text"));
    }
    let mut client = Client::of(&mut command);
    client.greet("cursor");
    let tools = client.ask(1, "tools/list", &json!({}));
    assert!(tools.to_string().contains("\"add_note\""), "{tools}");
    client.end();
    for client in ["claude-code", "cursor"] {
        home.orchctl(&["client", "uninstall", client]).expect(0);
    }
    assert!(!home.path(".claude.json").exists() && !home.path(".cursor/mcp.json").exists());
}

#[test]
fn servers_that_are_missing_are_said() {
    let home = Home::new().started();
    let notes = manifest("Server", "notes", &json!({"command": ["orch-notes"]}));
    let broken = server_with("broken", &["--exit"], json!({}));
    let project = manifest("Project", "web", &json!({"servers": ["notes", "broken"]}));
    home.apply(&format!("{notes}{broken}{project}"));
    home.until_ready(&["server/notes"]);
    let list = home.orchctl(&["tools", "list", "-p", "web"]).expect(0);
    assert!(list.stdout.contains("notes__add_note"), "{}", list.stdout);
    assert!(list.stderr.contains("tools are missing: broken"), "{}", list.stderr);
}
