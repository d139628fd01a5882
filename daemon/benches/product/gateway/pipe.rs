//! Talking to a server over its standard input and output by hand, so many calls under way at once.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::json;

use super::client::Seen;

/// So many calls of a tool, so many of them under way at once.
pub(super) fn load(program: &str, tool: &str, at_once: usize, calls: usize) -> Seen {
    let program = Path::new(env!("CARGO_BIN_EXE_orchd")).with_file_name(program);
    let mut child = Command::new(program)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("the server starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    let hello =
        json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "bench", "version": "1"}});
    let hello = json!({"jsonrpc": "2.0", "id": "hello", "method": "initialize", "params": hello});
    writeln!(stdin, "{hello}").expect("the server reads");
    let mut line = String::new();
    stdout.read_line(&mut line).expect("the server answers");
    writeln!(stdin, r#"{{"jsonrpc":"2.0","method":"notifications/initialized"}}"#).expect("the server reads");

    let mut sent = Vec::with_capacity(calls);
    let mut send = |sent: &mut Vec<Instant>| {
        let params = json!({"name": tool, "arguments": {}});
        let call = json!({"jsonrpc": "2.0", "id": sent.len(), "method": "tools/call", "params": params});
        sent.push(Instant::now());
        writeln!(stdin, "{call}").expect("the server reads");
    };
    let begun = Instant::now();
    while sent.len() < at_once.min(calls) {
        send(&mut sent);
    }
    let mut each = Vec::with_capacity(calls);
    while each.len() < calls {
        line.clear();
        stdout.read_line(&mut line).expect("the server answers");
        let answer: serde_json::Value = serde_json::from_str(&line).expect("JSON");
        let number = answer["id"]
            .as_u64()
            .and_then(|id| usize::try_from(id).ok())
            .expect("an id of ours");
        each.push(sent[number].elapsed());
        if sent.len() < calls {
            send(&mut sent);
        }
    }
    let all = begun.elapsed();
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    Seen {
        each,
        all,
        spent: Duration::ZERO,
    }
}
