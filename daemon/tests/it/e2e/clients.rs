//! The clients that people use, on one project: the official Python SDK in both eras, the inspector's command line, and a
//! client of the revision of 2026-07-28 in the raw. Behind the gateway are servers from npm and PyPI, servers of either
//! era that ask the client back, and servers that misbehave: what is well must be there, in the time clients wait.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::manifest;
use crate::support::daemon::{Home, Output};
use crate::support::mcp;
use crate::support::outside::{self, Node};

const SDK: &str = "2.3.0";
const INSPECTOR: &str = "2.12.0";
/// What one project says, and every client is told.
const INSTRUCTIONS: &str = "Ask the time before you commit.";
/// The ways the SDK can be told to connect, and the revision that comes of it.
const MODES: [(&str, &str); 2] = [("legacy", "2025-11-25"), ("auto", mcp::MODERN)];
/// Servers of either era that ask the client back.
const ASKING: [(&str, &[&str]); 3] = [
    ("asks", &[]),
    ("asks-legacy", &["--era", "legacy"]),
    ("asks-modern", &["--era", "modern"]),
];
/// Servers that misbehave when they are asked for their tools.
const MISSING: [(&str, &[&str]); 3] = [
    ("hung", &["--hang", "tools/list"]),
    ("crashing", &["--crash", "tools/list"]),
    ("garbage", &["--garbage", "tools/list"]),
];
/// Servers that are well, but a lot.
const LARGE: [(&str, &[&str]); 2] = [("many", &["--tools", "5000"]), ("long", &["--long-names", "20"])];

#[test]
fn every_client_finds_every_server() {
    if !outside::registries_answer() {
        return;
    }
    let (Some(sdk), Some(inspector)) = (sdk(), inspector()) else {
        return;
    };
    let home = Home::new().with_registries().started();
    let repository = repository(&home);
    let files = home.path("files");
    home.write("files/poem.txt", "roses are red");
    let package = |registry: &str, name: &str, arguments: &[&Path]| json!({"package": {"registry": registry, "name": name, "args": arguments}});
    let real = [
        (
            "everything",
            package("npm", "@modelcontextprotocol/server-everything", &[]),
        ),
        (
            "files",
            package("npm", "@modelcontextprotocol/server-filesystem", &[&files]),
        ),
        ("memory", package("npm", "@modelcontextprotocol/server-memory", &[])),
        (
            "time",
            json!({"package": {"registry": "pypi", "name": "mcp-server-time", "args": ["--local-timezone", "UTC"]}}),
        ),
        ("git", package("pypi", "mcp-server-git", &[])),
    ];
    let mut manifests: String = real.iter().map(|(name, spec)| manifest("Server", name, spec)).collect();
    manifests.extend(ASKING.map(|(name, arguments)| raw(name, arguments)));
    let mut names: Vec<&str> = real.iter().map(|(name, _)| *name).collect();
    names.extend(ASKING.map(|(name, _)| name));
    home.apply(&(manifests + &project(&names)));
    let objects: Vec<String> = names.iter().map(|name| format!("server/{name}")).collect();
    let objects: Vec<&str> = objects.iter().map(String::as_str).collect();
    home.orchctl(&[&["wait", "--timeout", "9m"], objects.as_slice()].concat())
        .expect(0);

    let calls = [
        ("everything__get-sum", json!({"a": 2, "b": 3}), "5"),
        (
            "everything__trigger-long-running-operation",
            json!({"duration": 1, "steps": 4}),
            "ompleted",
        ),
        (
            "files__read_text_file",
            json!({"path": files.join("poem.txt")}),
            "roses are red",
        ),
        (
            "memory__create_entities",
            json!({"entities": [{"name": "rose", "entityType": "flower", "observations": ["red"]}]}),
            // The second client is told that nothing is new.
            "[",
        ),
        ("memory__search_nodes", json!({"query": "rose"}), "red"),
        // So that the next client can make it.
        ("memory__delete_entities", json!({"entityNames": ["rose"]}), "deleted"),
        ("time__get_current_time", json!({"timezone": "UTC"}), "UTC"),
        ("git__git_status", json!({"repo_path": repository}), "nothing to commit"),
    ];
    for (mode, revision) in MODES {
        let told = talk(
            &sdk,
            &home,
            mode,
            &calls
                .iter()
                .map(|(tool, arguments, _)| (*tool, arguments.clone()))
                .collect::<Vec<_>>(),
        );
        assert_eq!(told["revision"], revision);
        assert!(
            text(&told["instructions"]).contains(INSTRUCTIONS),
            "{mode}: {}",
            told["instructions"]
        );
        let tools = listed(&told);
        for (index, (tool, _, expected)) in calls.iter().enumerate() {
            let result = &told["results"][index];
            assert!(tools.contains(*tool), "{mode}: {tool} is not among {tools:?}");
            assert!(
                result["content"].to_string().contains(expected),
                "{mode}: {tool}: {result}"
            );
            assert_eq!(result["error"], false, "{mode}: {tool}: {result}");
        }
        assert_eq!(
            told["results"][1]["progress"].as_array().map(Vec::len),
            Some(4),
            "{mode}: {told}"
        );
        asked_back(&sdk, &home, mode);
    }
    inspected(&inspector, &home);
    in_the_raw(&home);

    // The bad ones join the project.
    let bad: String = MISSING
        .iter()
        .chain(&LARGE)
        .map(|(name, arguments)| raw(name, arguments))
        .collect();
    names.extend(MISSING.iter().chain(&LARGE).map(|(name, _)| *name));
    home.apply(&(bad + &project(&names)));
    home.until_ready(&["server/many", "server/long"]);
    for (mode, _) in MODES {
        let told = talk(
            &sdk,
            &home,
            mode,
            &[("time__get_current_time", json!({"timezone": "UTC"}))],
        );
        beside_the_bad(mode, &told, calls.iter().map(|(tool, ..)| *tool));
        assert!(told["results"][0]["content"].to_string().contains("UTC"), "{mode}");
    }
}

#[test]
fn bad_servers_leave_the_list_to_the_good_ones() {
    let home = Home::new().started();
    let good = ["notes", "other"].map(|name| manifest("Server", name, &json!({"command": ["orch-notes"]})));
    let bad = MISSING
        .iter()
        .chain(&LARGE)
        .map(|(name, arguments)| raw(name, arguments));
    let names: Vec<&str> = ["notes", "other"]
        .into_iter()
        .chain(MISSING.iter().chain(&LARGE).map(|(name, _)| *name))
        .collect();
    home.apply(&(good.concat() + &bad.collect::<String>() + &project(&names)));
    home.until_ready(&["server/notes", "server/other", "server/many", "server/long"]);

    let list = || mcp::send(&mcp::request(home.address(), PROJECT, "tools/list", json!({})).token(&home.token()));
    let mut told = list();
    let mut pages = vec![];
    while let Some(cursor) = told.answer["result"]["nextCursor"].as_str() {
        let next = mcp::request(home.address(), PROJECT, "tools/list", json!({"cursor": cursor}));
        pages.push(std::mem::replace(&mut told, mcp::send(&next.token(&home.token()))));
    }
    pages.push(told);
    let tools: Vec<Value> = pages
        .iter()
        .flat_map(|page| page.answer["result"]["tools"].as_array().expect("tools").clone())
        .collect();
    let names: Vec<Value> = tools.iter().map(|tool| tool["name"].clone()).collect();
    let told = json!({"tools": names, "meta": pages[0].answer["result"]["_meta"]});
    beside_the_bad("raw", &told, ["notes__list_notes", "other__read_note"]);

    // A name that is too long is called by the shorter one that is listed in its place.
    let long: Vec<&str> = names
        .iter()
        .filter_map(Value::as_str)
        .filter(|name| name.starts_with("long__long_"))
        .collect();
    assert_eq!(long.len(), 20, "{long:?}");
    let call = mcp::request(
        home.address(),
        PROJECT,
        "tools/call",
        json!({"name": long[0], "arguments": {}}),
    );
    let called = mcp::send(&call.token(&home.token()));
    let said = text(&called.answer["result"]["content"][0]["text"]);
    assert_eq!((said.len(), &said[..5]), (100, "long_"), "{called:?}");
}

/// Where the project is served.
const PROJECT: &str = "/mcp/projects/shop";

fn project(servers: &[&str]) -> String {
    manifest(
        "Project",
        "shop",
        &json!({"instructions": INSTRUCTIONS, "servers": servers}),
    )
}

fn raw(name: &str, arguments: &[&str]) -> String {
    manifest(
        "Server",
        name,
        &json!({"command": ([&["orch-raw"], arguments].concat())}),
    )
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn listed(told: &Value) -> BTreeSet<String> {
    let names = told["tools"].as_array().expect("tools").iter();
    names.map(|name| text(name).to_owned()).collect()
}

/// The good tools are all there, the names are such that clients take them, and who is missing is said.
fn beside_the_bad<'a>(who: &str, told: &Value, good: impl IntoIterator<Item = &'a str>) {
    let tools = listed(told);
    assert_eq!(
        told["tools"].as_array().map(Vec::len),
        Some(tools.len()),
        "{who}: a name is there twice"
    );
    for tool in good {
        assert!(tools.contains(tool), "{who}: {tool} is missing");
    }
    let many = tools.iter().filter(|name| name.starts_with("many__extra_")).count();
    assert_eq!(many, 5000, "{who}");
    let fits = |name: &&String| {
        name.len() <= 64
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
    };
    assert_eq!(
        tools.iter().filter(|name| !fits(name)).collect::<Vec<_>>(),
        Vec::<&String>::new(),
        "{who}"
    );
    let meta = told["meta"].to_string();
    for (missing, _) in MISSING {
        assert!(
            meta.contains(&format!("\"{missing}\"")),
            "{who}: {missing} is not said to be missing: {meta}"
        );
    }
}

/// Servers of either era ask a client of either era, and have its answer.
fn asked_back(sdk: &Path, home: &Home, mode: &str) {
    let questions = [
        ("ask_roots", "roots", "file:///of/the/client"),
        ("ask_sampling", "sampling", "sampled by the client"),
        ("ask_elicitation", "elicitation", "elicited from the client"),
    ];
    for (server, _) in ASKING {
        let calls = questions.map(|(tool, ..)| (format!("{server}__{tool}"), json!({})));
        let calls: Vec<(&str, Value)> = calls
            .iter()
            .map(|(tool, arguments)| (tool.as_str(), arguments.clone()))
            .collect();
        let told = talk(sdk, home, mode, &calls);
        for (index, (tool, asked, answer)) in questions.iter().enumerate() {
            let result = &told["results"][index];
            assert_eq!(result["asked"], json!([asked]), "{mode}: {server} {tool}: {result}");
            assert!(
                result["content"].to_string().contains(answer),
                "{mode}: {server} {tool}: {result}"
            );
        }
    }
}

fn inspected(inspector: &Node, home: &Home) {
    let ask = |arguments: &[&str]| {
        let mut command = inspector.command("@modelcontextprotocol/inspector/clients/launcher/build/index.js");
        command.args([
            "--cli",
            &format!("http://{}{PROJECT}", home.address()),
            "--transport",
            "http",
        ]);
        command
            .args(["--header", &format!("Authorization: Bearer {}", home.token())])
            .args(arguments);
        command.env("HOME", home.path("inspector")).stdin(Stdio::null());
        command.stdout(Stdio::piped()).stderr(Stdio::piped());
        Output::of(command.spawn().expect("the inspector runs")).expect(0)
    };
    ask(&["--method", "tools/list"]).saying(&["everything__echo", "files__read_text_file", "time__get_current_time"]);
    let echo = [
        "--method",
        "tools/call",
        "--tool-name",
        "everything__echo",
        "--tool-arg",
        "message=hello",
    ];
    ask(&echo).saying(&["hello"]);
    ask(&["--method", "prompts/list"]).saying(&["prompts"]);
    ask(&["--method", "resources/list"]).saying(&["resources"]);
}

fn in_the_raw(home: &Home) {
    let request =
        |method: &str, params: Value| mcp::request(home.address(), PROJECT, method, params).token(&home.token());
    let discovered = mcp::send(&request("server/discover", json!({})));
    let revisions = &discovered.answer["result"]["supportedVersions"];
    assert!(
        revisions
            .as_array()
            .is_some_and(|list| list.contains(&mcp::MODERN.into())),
        "{discovered:?}"
    );
    let params = json!({"name": "everything__get-sum", "arguments": {"a": 2, "b": 3}, "_meta": {"progressToken": "p"}});
    let sum = mcp::send(&request("tools/call", params.clone()));
    assert_eq!(
        (sum.status, &sum.answer["result"]["resultType"]),
        (200, &json!("complete")),
        "{sum:?}"
    );
    assert!(sum.answer["result"]["content"].to_string().contains('5'), "{sum:?}");
    let other = mcp::send(&request("tools/call", params).header("Mcp-Name", "everything__echo"));
    assert_eq!(
        (other.status, &other.answer["error"]["code"]),
        (400, &json!(-32020)),
        "{other:?}"
    );
    let params = json!({"name": "asks__progress", "arguments": {"steps": 5}, "_meta": {"progressToken": "p"}});
    let stepped = mcp::send(&request("tools/call", params));
    let steps: Vec<Value> = stepped
        .before
        .iter()
        .map(|message| message["params"]["progress"].clone())
        .collect();
    assert_eq!(steps, [1, 2, 3, 4, 5], "{stepped:?}");
}

fn sdk() -> Option<PathBuf> {
    outside::python(&format!("python-mcp-{SDK}"), &[&format!("mcp=={SDK}")])
}

fn inspector() -> Option<Node> {
    outside::npm(
        &format!("inspector-{INSPECTOR}"),
        &[&format!("@modelcontextprotocol/inspector@{INSPECTOR}")],
    )
}

/// A conversation of the SDK with the project; `clients/sdk.py` says what is told.
fn talk(sdk: &Path, home: &Home, mode: &str, calls: &[(&str, Value)]) -> Value {
    let calls: Vec<Value> = calls
        .iter()
        .map(|(tool, arguments)| json!({"tool": tool, "arguments": arguments}))
        .collect();
    let mut child = Command::new(sdk)
        .arg(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/e2e/clients/sdk.py"))
        .args([&format!("http://{}{PROJECT}", home.address()), mode])
        .env("MCP_TOKEN", home.token())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the SDK runs");
    let mut stdin = child.stdin.take().expect("a pipe");
    stdin
        .write_all(Value::from(calls).to_string().as_bytes())
        .expect("the SDK reads");
    drop(stdin);
    let told = Output::of(child).expect(0);
    serde_json::from_str(&told.stdout).expect("the SDK tells JSON")
}

/// A repository with one commit.
fn repository(home: &Home) -> PathBuf {
    let path = home.path("repository");
    let script = "git init -q . && git -c user.name=a -c user.email=a@example.com commit -q --allow-empty -m first";
    std::fs::create_dir(&path).expect("a folder");
    let mut command = home.program("sh");
    command.args(["-c", script]).current_dir(&path);
    command.stdout(Stdio::piped()).stderr(Stdio::piped());
    Output::of(command.spawn().expect("git runs")).expect(0);
    path
}
