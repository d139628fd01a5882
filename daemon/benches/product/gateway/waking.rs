//! The first call of a server that is suspended, beside starting the same program and calling it by hand.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::{Client, Era, Place};
use super::{declare, home, server};
use crate::amount::{median, millis};
use crate::ask::Effort;
use crate::report::{Holds, Line, Report};
use crate::support::daemon::{Home, eventually};

const SERVER: &str = "orch-notes";
const TOOL: &str = "list_notes";
/// What waking may take beyond starting the program.
const MORE: Duration = Duration::from_millis(50);

pub(crate) fn measure(effort: Effort, report: &mut Report) {
    let home = home();
    let spec = json!({"command": [SERVER], "idle": {"suspendAfter": "1s"}});
    declare(&home, vec![server("rests", &spec)], 1);
    let place = Place {
        address: home.address(),
        path: "/mcp/servers/rests".to_owned(),
        token: Some(home.token()),
    };
    let rounds = effort.pick(20, 1);
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for _ in 0..rounds {
        eventually("the server rests", || {
            home.get("servers/rests")["status"]["phase"] == "Suspended"
        });
        ours.push(woken(&place));
        bare.push(by_hand(&home));
    }
    let (ours, bare) = (median(&ours), median(&bare));
    report.tell(
        Line::of(format!(
            "first call of a suspended server | start and call by hand, median of {rounds}"
        ))
        .times(ours, bare)
        .target(format!("<= +{}", millis(MORE)), ours <= bare + MORE, Holds::AtRest),
    );
}

/// From sending a call to a server that rests until its answer is read.
fn woken(place: &Place) -> Duration {
    let mut client = Client::connect(place, Era::Modern);
    let call = client.request("tools/call", json!({"name": TOOL, "arguments": {}}));
    let sent = Instant::now();
    let answer = client.send(&call);
    let took = sent.elapsed();
    let text = String::from_utf8_lossy(answer);
    assert!(text.contains("\"content\""), "{text}");
    took
}

/// From starting the program until it has answered the same call.
fn by_hand(home: &Home) -> Duration {
    let program = Path::new(env!("CARGO_BIN_EXE_orchd")).with_file_name(SERVER);
    let mut command = home.program(&program);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let started = Instant::now();
    let mut child = command.spawn().expect("the server starts");
    let mut stdin = child.stdin.take().expect("a pipe");
    let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    let client = json!({"name": "bench", "version": "1"});
    let hello = json!({"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": client});
    let mut ask = |id: u64, method: &str, params: Value| {
        let question = json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params});
        writeln!(stdin, "{question}").expect("the server reads");
        let mut answer = String::new();
        stdout.read_line(&mut answer).expect("the server answers");
        if id == 1 {
            writeln!(stdin, r#"{{"jsonrpc":"2.0","method":"notifications/initialized"}}"#).expect("the server reads");
        }
        answer
    };
    ask(1, "initialize", hello);
    let answer = ask(2, "tools/call", json!({"name": TOOL, "arguments": {}}));
    let took = started.elapsed();
    assert!(answer.contains("\"content\""), "{answer}");
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    took
}
