//! From the apply of a server to its copy running, beside starting the same program and shaking hands with it.

use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::amount::{median, millis, percentile};
use crate::ask::Effort;
use crate::objects::{self, home_with, set_of};
use crate::report::{Holds, Line, Report};
use crate::support::daemon::{Home, eventually};

const MORE: Duration = Duration::from_millis(50);

pub(crate) fn measure(effort: Effort, report: &mut Report) {
    let (others, rounds) = (effort.pick(1000, 5), effort.pick(200, 2));
    let home = home_with(others, &[]);
    let program = Path::new(env!("CARGO_BIN_EXE_orchd")).with_file_name("orch-notes");
    let (mut ours, mut bare) = (Vec::new(), Vec::new());
    for round in 0..rounds {
        ours.push(declared(&home, &format!("notes-{round}")));
        bare.push(by_hand(home.program(&program)));
    }
    report.tell(
        Line::of(format!("apply to Running | spawn and handshake, median of {rounds}"))
            .times(median(&ours), median(&bare)),
    );
    let (ours, bare) = (percentile(&ours, 0.99), percentile(&bare, 0.99));
    report.tell(
        Line::of(format!("the same, p99, with {others} other objects"))
            .times(ours, bare)
            .target(format!("<= +{}", millis(MORE)), ours <= bare + MORE, Holds::AtRest),
    );
}

/// From sending the apply until a watcher reads that the copy is running.
fn declared(home: &Home, name: &str) -> Duration {
    let server = json!({
        "apiVersion": "orchctl.dev/v1",
        "kind": "Server",
        "metadata": {"name": name},
        "spec": {"command": ["orch-notes"]},
    });
    let body = serde_json::to_vec(&set_of(vec![server])).expect("plain data");
    let revision = home.get("status")["revision"].to_string();
    let watch = format!("/api/v1/instances?watch=1&revision={revision}");
    let mut watch = home.http("GET", &watch).stream();
    let sent = Instant::now();
    objects::apply(home, body);
    let running = |object: &Value| object["spec"]["server"] == name && object["status"]["phase"] == "Running";
    loop {
        let (_, event) = watch.event().expect("the watch goes on");
        if running(&event["object"]) {
            break;
        }
    }
    let took = sent.elapsed();
    let path = format!("/api/v1/servers/{name}");
    home.http("DELETE", &path).send().expect(200);
    eventually("the server is gone", || home.http("GET", &path).send().status == 404);
    took
}

/// From starting the program until it has answered the first request.
fn by_hand(mut command: Command) -> Duration {
    let hello = json!({
        "jsonrpc": "2.0",
        "id": 1,
        "method": "initialize",
        "params": {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "bench", "version": "1"},
        },
    });
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    let started = Instant::now();
    let mut child = command.spawn().expect("orch-notes runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    let mut stdout = BufReader::new(child.stdout.take().expect("a pipe"));
    writeln!(stdin, "{hello}").expect("the server reads");
    let mut answer = String::new();
    stdout.read_line(&mut answer).expect("the server answers");
    writeln!(stdin, r#"{{"jsonrpc":"2.0","method":"notifications/initialized"}}"#).expect("the server reads");
    let took = started.elapsed();
    assert!(answer.contains("serverInfo"), "{answer}");
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    took
}
