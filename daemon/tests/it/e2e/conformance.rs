//! The official conformance suite, of both eras: directly against our server that has everything it looks for, and through
//! the gateway to the same server over each transport and of each era.
//!
//! What passes directly passes through the gateway. The exceptions stand in `conformance.txt`, each with its reason; one
//! that is no exception any more fails as well. The suite is installed from npm; see [`outside`](crate::support::outside).

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Stdio;

use serde_json::{Value, json};

use super::manifest;
use crate::support::daemon::{Home, Output};
use crate::support::far::Far;
use crate::support::outside::{self, Node};

/// The suite. A newer one is taken over by hand: it brings checks of its own.
const SUITE: &str = "0.2.0-alpha.12";
/// The requirement sets, one for each era.
const SETS: [&str; 2] = ["2025-11-25", "2026-07-28"];
/// Upstreams: what their runs are called, and how the server is started.
const UPSTREAMS: [(&str, Transport, &[&str]); 6] = [
    ("stdio", Transport::Stdio, &[]),
    ("stdio-legacy", Transport::Stdio, &["--era", "legacy"]),
    ("stdio-modern", Transport::Stdio, &["--era", "modern"]),
    ("http", Transport::Http, &[]),
    ("http-legacy", Transport::Http, &["--era", "legacy"]),
    ("http-modern", Transport::Http, &["--era", "modern"]),
];

#[derive(Debug, Clone, Copy)]
enum Transport {
    Stdio,
    Http,
}

/// What the suite puts behind the name of a scenario.
const TIME: &str = "-2026-07-28T12-00-00-000Z";

/// A check of the suite: its scenario, its id, and its name, which tells apart those of one id.
type Check = (String, String, String);

/// What became of a check, the worst of all times it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Verdict {
    /// It failed, warned, or was skipped.
    Failed,
    /// There was nothing to check: the server does it in another way that is as good.
    Told,
    Passed,
}

/// What a run of the suite found.
type Found = BTreeMap<Check, Verdict>;

#[test]
fn everything_required_passes_directly() {
    let Some(suite) = suite() else { return };
    let server = Far::start("orch-conformance", "--http", &[]);
    for set in SETS {
        let (found, output) = run(&suite, set, &server.url("/mcp"));
        let output = output.expect(0).stdout;
        assert!(
            found.values().filter(|verdict| **verdict == Verdict::Passed).count() > 70,
            "{output}"
        );
    }
}

#[test]
fn what_passes_directly_passes_through_the_gateway() {
    let Some(suite) = suite() else { return };
    let server = Far::start("orch-conformance", "--http", &[]);
    let mut home = Home::new().with(&["--insecure-open-gateway"]).started();
    let mut kept = Vec::new();
    for (name, transport, arguments) in UPSTREAMS {
        let spec = match transport {
            Transport::Stdio => json!({"command": ([&["orch-conformance"], arguments].concat())}),
            Transport::Http => {
                let upstream = Far::start("orch-conformance", "--http", arguments);
                let spec = json!({"remote": {"url": upstream.url("/mcp")}});
                kept.push(upstream);
                spec
            }
        };
        home.apply(&manifest("Server", name, &spec));
        home.until_ready(&[&format!("server/{name}")]);
    }
    let expected = expected();
    let (mut wrong, mut met) = (Vec::new(), BTreeSet::new());
    for set in SETS {
        let (directly, _) = run(&suite, set, &server.url("/mcp"));
        for (name, ..) in UPSTREAMS {
            let url = format!("http://{}/mcp/servers/{name}", home.address());
            let (through, _) = run(&suite, set, &url);
            for (check, _) in directly.iter().filter(|(_, verdict)| **verdict == Verdict::Passed) {
                if through.get(check).is_some_and(|verdict| *verdict > Verdict::Failed) {
                    continue;
                }
                let exception = expected.iter().find(|exception| exception.is(set, name, check));
                match exception {
                    Some(exception) => drop(met.insert(&exception.line)),
                    None => wrong.push(format!("{set} {name} {} {} ({})", check.0, check.1, check.2)),
                }
            }
        }
    }
    let stale = expected
        .iter()
        .map(|exception| &exception.line)
        .filter(|line| !met.contains(line));
    wrong.extend(stale.map(|line| format!("no exception any more: {line}")));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(home.stop(), 0);
}

fn suite() -> Option<Node> {
    let package = format!("@modelcontextprotocol/conformance@{SUITE}");
    outside::npm(&format!("conformance-{SUITE}"), &[&package])
}

/// Runs a requirement set against a server. The suite ends well if everything that is scored has passed.
fn run(suite: &Node, set: &str, url: &str) -> (Found, Output) {
    let directory = tempfile::tempdir().expect("a directory");
    let mut command = suite.command("@modelcontextprotocol/conformance/dist/index.js");
    command.args(["server", "--url", url, "--requirements", set, "--output-dir", "out"]);
    command.current_dir(directory.path()).stdin(Stdio::null());
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    let output = Output::of(command.spawn().expect("the suite runs"));
    let found = read(&directory.path().join("out"));
    assert!(!found.is_empty(), "{output:?}");
    (found, output)
}

/// Reads what a run left: a folder for each scenario, named after it and the time.
fn read(folder: &Path) -> Found {
    let mut found = Found::new();
    for entry in fs::read_dir(folder).expect("the suite left results").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let end = name.len().checked_sub(TIME.len()).expect("a scenario and a time");
        let scenario = name[..end].strip_prefix("server-").expect("a scenario of servers");
        // A scenario that broke off leaves none, and then none of its checks has passed.
        let text = fs::read_to_string(entry.path().join("checks.json")).unwrap_or_else(|_| "[]".to_owned());
        let checks: Vec<Value> = serde_json::from_str(&text).expect("a list of checks");
        for check in checks {
            let text = |field: &str| check[field].as_str().unwrap_or_default().to_owned();
            let verdict = match &*text("status") {
                "SUCCESS" => Verdict::Passed,
                "INFO" => Verdict::Told,
                _ => Verdict::Failed,
            };
            let check = (scenario.to_owned(), text("id"), text("name"));
            let worst = found.entry(check).or_insert(verdict);
            *worst = verdict.min(*worst);
        }
    }
    found
}

/// A check that need not pass through the gateway: a line of `conformance.txt`.
struct Exception {
    line: String,
    set: String,
    upstream: String,
    scenario: String,
    check: String,
}

impl Exception {
    fn is(&self, set: &str, upstream: &str, check: &Check) -> bool {
        let is = |pattern: &str, text: &str| match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
            (Some(end), _) => text.ends_with(end),
            (None, Some(start)) => text.starts_with(start),
            (None, None) => text == pattern,
        };
        is(&self.set, set) && is(&self.upstream, upstream) && is(&self.scenario, &check.0) && is(&self.check, &check.1)
    }
}

fn expected() -> Vec<Exception> {
    let text = include_str!("conformance.txt").lines().map(str::trim);
    let lines = text.filter(|line| !line.is_empty() && !line.starts_with('#'));
    let read = |line: &str| {
        let (columns, reason) = line.split_once(": ").unwrap_or_default();
        let columns: Vec<&str> = columns.split_whitespace().collect();
        let ([set, upstream, scenario, check], false) = (columns.as_slice(), reason.trim().is_empty()) else {
            panic!("not `set upstream scenario check: reason`: {line}");
        };
        Exception {
            line: line.to_owned(),
            set: (*set).to_owned(),
            upstream: (*upstream).to_owned(),
            scenario: (*scenario).to_owned(),
            check: (*check).to_owned(),
        }
    };
    lines.map(read).collect()
}
