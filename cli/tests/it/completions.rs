//! `completions/` is generated: written here, checked in CI. And what shells are offered.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::support::agent::Agent;
use crate::support::daemon::{Answer, Daemon, list, server};
use crate::support::gateway::Gateway;
use crate::support::home::Home;
use serde_json::json;

fn files(folder: &Path) -> BTreeMap<PathBuf, String> {
    let mut found = BTreeMap::new();
    let mut waiting = vec![folder.to_owned()];
    while let Some(here) = waiting.pop() {
        for entry in std::fs::read_dir(here).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                waiting.push(path);
            } else {
                let text = std::fs::read_to_string(&path).unwrap();
                found.insert(path.strip_prefix(folder).unwrap().to_owned(), text);
            }
        }
    }
    found
}

#[test]
fn completions_and_manual_pages_are_fresh() {
    let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("../completions");
    let home = Home::new();
    let run = home.run(&["__generate", "fresh"]);
    assert_eq!(run.code, 0, "{run}");
    let fresh = files(&home.path().join("fresh"));
    for name in [
        "orchctl.bash",
        "_orchctl",
        "orchctl.fish",
        "orchctl.ps1",
        "orchctl.elv",
        "man/orchctl-create-server.1",
    ] {
        assert!(fresh.contains_key(Path::new(name)), "{name} is missing");
    }
    let page = home.run(&["help"]).stdout;
    let verbs = page
        .lines()
        .filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    for verb in verbs.filter(|verb| verb.starts_with(|c: char| c.is_ascii_lowercase())) {
        let name = format!("man/orchctl-{verb}.1");
        assert!(fresh.contains_key(Path::new(&name)), "{name} is missing");
    }
    if fresh == files(&kept) {
        return;
    }
    assert!(
        std::env::var_os("CI").is_none(),
        "completions/ is stale; run: cargo test -p orch-cli completions_and_manual_pages_are_fresh"
    );
    let _ = std::fs::remove_dir_all(&kept);
    for (name, text) in fresh {
        let path = kept.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
}

/// What bash is offered at the end of that line.
fn offered(home: &Home, line: &[&str]) -> Vec<String> {
    let index = (line.len() - 1).to_string();
    let output = home
        .command(&[])
        .arg("--")
        .args(line)
        .env("COMPLETE", "bash")
        .env("_CLAP_COMPLETE_INDEX", index)
        .env("_CLAP_COMPLETE_COMP_TYPE", "9")
        .env("_CLAP_COMPLETE_SPACE", "true")
        .env("_CLAP_IFS", "\n")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8_lossy(&output.stderr), "", "nothing is said");
    String::from_utf8_lossy(&output.stdout)
        .lines()
        .map(str::to_owned)
        .collect()
}

#[test]
fn shells_are_offered_verbs_kinds_and_flags() {
    let home = Home::new();
    assert!(offered(&home, &["orchctl", "ap"]).starts_with(&[
        "apply".to_owned(),
        "approve".to_owned(),
        "api-resources".to_owned()
    ]));
    assert_eq!(
        offered(&home, &["orchctl", "get", "serv"]),
        ["servers", "serviceaccounts"]
    );
    assert!(
        offered(&home, &["orchctl", "create", "server", "x", "--health-check-i"])
            .contains(&"--health-check-interval".to_owned())
    );
    assert_eq!(offered(&home, &["orchctl", "get", "servers", "-o", "ya"]), ["yaml"]);
}

#[test]
fn shells_are_offered_names_of_live_objects() {
    let live = || {
        let items = ["files", "fast"].map(|name| server(name, 1, &json!({"command": ["/bin/x"]})));
        Answer::json(200, &list(1, &items, None))
    };
    let daemon = Daemon::playing([live(), live()]);
    let home = Home::with_daemon(&daemon.address);
    assert_eq!(offered(&home, &["orchctl", "describe", "server", "fi"]), ["files"]);
    assert_eq!(
        offered(&home, &["orchctl", "get", "server/f"]),
        ["server/files", "server/fast"]
    );
    assert_eq!(daemon.lines()[0], "GET /api/v1/servers?limit=1000");
}

#[test]
fn shells_are_offered_templates_and_their_parameters() {
    let template = |name: &str| {
        json!({
            "apiVersion": "orchctl.dev/v1", "kind": "Template", "metadata": {"name": name}, "status": {},
            "spec": {
                "parameters": [{"name": "host"}, {"name": "port"}, {"name": "token", "secret": true}],
                "server": {"command": ["x", "${host}", "${port}"], "env": [{"name": "T", "value": "${token}"}]},
            },
        })
    };
    let live = || Answer::json(200, &list(1, &[template("git"), template("gitea")], None));
    let daemon = Daemon::playing([live(), live(), live(), live()]);
    let home = Home::with_daemon(&daemon.address);
    let line = |more: &[&str]| offered(&home, &[&["orchctl", "create", "server", "x"], more].concat());
    assert_eq!(line(&["--from-template", "gi"]), ["git", "gitea"]);
    assert_eq!(line(&["--from-template", "gitea", "--param", ""]), ["host=", "port="]);
    assert_eq!(line(&["--from-template=git", "--param", "p"]), ["port="]);
    assert_eq!(line(&["--from-template", "git", "--param-secret", ""]), ["token="]);
    assert_eq!(line(&["--param", ""]), Vec::<String>::new());
}

#[test]
fn without_a_daemon_no_names_are_offered_and_nothing_is_said() {
    assert_eq!(
        offered(&Home::new(), &["orchctl", "describe", "server", "fi"]),
        Vec::<String>::new()
    );
    let gone = Home::with_daemon("http://127.0.0.1:1");
    assert_eq!(
        offered(&gone, &["orchctl", "describe", "server", "fi"]),
        Vec::<String>::new()
    );
}

#[test]
fn shells_take_the_scripts() {
    let home = Home::new();
    for (shell, check) in [("bash", &["-n"][..]), ("zsh", &["-n"]), ("fish", &["--no-execute"])] {
        if std::process::Command::new(shell).arg("--version").output().is_err() {
            skipped(&format!("{shell} is not installed; its scripts are not tried"));
            continue;
        }
        for standalone in [&[][..], &["--static"]] {
            let run = home.run(&[&["completion", shell], standalone].concat());
            assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{run}");
            let script = home.write(&format!("script.{shell}"), &run.stdout);
            let output = std::process::Command::new(shell)
                .args(check)
                .arg(&script)
                .output()
                .unwrap();
            assert!(
                output.status.success(),
                "{shell} {standalone:?}: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        }
    }
}

#[cfg(unix)]
#[test]
fn bash_completes_after_sourcing() {
    let home = Home::new();
    let folder = Path::new(env!("CARGO_BIN_EXE_orchctl")).parent().unwrap();
    let line = "source <(orchctl completion bash) && complete -p orchctl";
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap_or_default());
    let output = std::process::Command::new("bash")
        .args(["-c", line])
        .env("PATH", path)
        .env("ORCHCTL_CONFIG", home.path().join("none"))
        .output();
    let Ok(output) = output else {
        skipped("bash is not installed; it is not tried");
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        said.contains("-F _clap_complete_orchctl orchctl"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
}

#[expect(clippy::print_stderr, reason = "a skipped test says so where people look")]
fn skipped(why: &str) {
    eprintln!("skipped: {why}");
}

#[test]
fn shells_are_offered_tools_and_their_arguments() {
    let gateway = Gateway::start();
    let home = Home::with_daemon(&gateway.address);
    // On a busy machine nothing may come in time; that is the bargain.
    let in_time = |line: &[&str]| (0..50).map(|_| offered(&home, line)).find(|found| !found.is_empty());
    let tools = in_time(&["orchctl", "tools", "call", "-p", "web", "ec"]);
    assert_eq!(tools, Some(vec!["echo".to_owned()]));
    let arguments = in_time(&["orchctl", "tools", "call", "echo", "--server", "files", "--arg", "m"]);
    assert_eq!(arguments.unwrap_or_default(), ["message=", "mood=", "more="]);
    assert_eq!(gateway.heard()[0].path, "/mcp/projects/web");
    assert!(gateway.heard().iter().any(|heard| heard.path == "/mcp/servers/files"));
    let gone = Home::with_daemon("http://127.0.0.1:1");
    assert_eq!(
        offered(&gone, &["orchctl", "tools", "call", "-p", "web", "ec"]),
        Vec::<String>::new()
    );
}

#[test]
fn shells_are_offered_agents_and_their_threads() {
    let object = |kind: &str, metadata: serde_json::Value, spec: serde_json::Value| {
        let status = json!({"uid": "u", "generation": 1, "createdAt": "2020-01-01T00:00:00.000Z"});
        json!({"apiVersion": "orchctl.dev/v1", "kind": kind, "metadata": metadata, "spec": spec, "status": status})
    };
    let agents = ["reviewer", "writer"].map(|name| object("Agent", json!({"name": name}), json!({"llm": "demo"})));
    let thread = |id: &str, agent: &str| {
        let at = "2020-01-01T00:00:00.000Z";
        json!({"id": id, "agent": agent, "title": "One", "createdAt": at, "updatedAt": at, "turns": 1})
    };
    let calm = object("Personality", json!({"name": "calm", "agent": "reviewer"}), json!({}));
    let daemon = Agent::start();
    daemon
        .answers("GET /api/v1/agents?limit=1000", 200, list(1, &agents, None))
        .answers(
            "GET /api/v1/agents/reviewer/threads?limit=50",
            200,
            json!({"items": [thread("t-1", "reviewer"), thread("x-2", "reviewer")]}),
        )
        .answers(
            "GET /api/v1/agents/writer/threads?limit=50",
            200,
            json!({"items": [thread("t-3", "writer")]}),
        )
        .answers(
            "GET /api/v1/agents/reviewer/personalities?limit=1000",
            200,
            list(1, &[calm], None),
        );
    let home = Home::with_daemon(&daemon.address);
    for (line, expected) in [
        (&["chat", "rev"][..], &["reviewer"][..]),
        (&["chat", "reviewer", "--thread", "t-"], &["t-1"]),
        (&["chat", "reviewer", "--personality", ""], &["calm"]),
        (&["thread", "get", "t-"], &["t-1", "t-3"]),
        (&["thread", "list", "w"], &["writer"]),
    ] {
        let line = [&["orchctl"], line].concat();
        // On a busy machine not everything may come in time; that is the bargain.
        let is_whole = (0..50).any(|_| offered(&home, &line) == expected);
        assert!(is_whole, "{line:?}: {:?}", offered(&home, &line));
    }
}
