//! What only looks, typed by a person, a script or a shell: every form of output, events, logs, terminals, completion.

use std::fs;
use std::io::{BufRead as _, BufReader};
use std::net::TcpListener;
use std::process::Stdio;

use serde_json::{Value, json};

use super::{manifest, server, server_with};
use crate::support::daemon::{Home, Output, eventually, say};

fn team(home: &Home) {
    let labelled = |name: &str, team: &str, replicas: u32| {
        let text = server_with(name, &[], json!({"replicas": replicas}));
        text.replace(
            &format!("{{name: {name}}}"),
            &format!("{{name: {name}, labels: {{team: {team}}}}}"),
        )
    };
    home.apply(
        &[
            labelled("files", "core", 1),
            labelled("search", "web", 0),
            manifest("Llm", "fast", &json!({"provider": "scripted", "model": "demo", "script": [{"text": "hi"}]})),
            manifest("Project", "web", &json!({"servers": ["files"]})),
            "---\napiVersion: orchctl.dev/v1\nkind: Prompt\nmetadata: {name: tone, project: web}\nspec: {content: kind}\n".to_owned(),
        ]
        .concat(),
    );
    home.until_ready(&["server/files"]);
}

#[test]
fn objects_are_shown_in_every_form() {
    let home = Home::new().started();
    team(&home);
    let get = |words: &[&str]| home.orchctl(&[&["get"], words].concat()).expect(0).stdout;
    for noun in ["servers", "server", "srv", "Server"] {
        assert_eq!(get(&[noun, "-o", "name"]), "server/files\nserver/search\n", "{noun}");
    }
    assert_eq!(
        get(&["server/files", "llm/fast", "-o", "name"]),
        "server/files\nllm/fast\n"
    );
    assert_eq!(get(&["servers", "-l", "team=core", "-o", "name"]), "server/files\n");
    assert_eq!(
        get(&["servers", "-l", "team in (web,x)", "-o", "name"]),
        "server/search\n"
    );
    assert_eq!(
        get(&["servers", "--field-selector", "spec.replicas=0", "-o", "name"]),
        "server/search\n"
    );
    // Beside those that the daemon has brought along.
    assert!(get(&["prompts", "-A", "-o", "name"]).ends_with("prompt/tone\n"));
    assert_eq!(get(&["prompts", "-p", "web", "-o", "name"]), "prompt/tone\n");
    assert_eq!(get(&["prompts"]), "");
    let sorted = [
        "servers",
        "--sort-by",
        ".spec.replicas",
        "-o",
        "custom-columns=N:.metadata.name,R:.spec.replicas",
    ];
    assert_eq!(get(&sorted), "N        R\nsearch   0\nfiles    1\n");
    assert_eq!(
        get(&["servers", "-o", "jsonpath={range .items[*]}{.metadata.name};{end}"]),
        "files;search;"
    );
    let whole: Value = serde_json::from_str(&get(&["server", "files", "-o", "json"])).expect("JSON");
    assert_eq!(whole["status"]["phase"], "Ready");
    let uid = whole["status"]["uid"].as_str().expect("a uid");
    assert_eq!(get(&["server", uid, "-o", "name"]), "server/files\n");
    let manifest = get(&["server/files", "-o", "yaml"]);
    assert!(manifest.starts_with("apiVersion: orchctl.dev/v1\nkind: Server\n") && !manifest.contains("status:"));
    assert!(get(&["server/files", "-o", "yaml", "--show-status"]).contains("\nstatus:\n"));
    let prompts = get(&["prompts", "-A"]);
    let titles: Vec<&str> = prompts.lines().next().unwrap_or_default().split_whitespace().collect();
    assert_eq!(titles, ["NAME", "SCOPE", "PRI", "LINK", "STATUS", "AGE"], "{prompts}");
    assert!(get(&["servers", "-o", "wide", "--show-labels"]).contains("team=core"));
    assert!(!get(&["servers", "--no-headers"]).contains("NAME"));
    // Certificates are read only when an address needs them.
    let without_roots = |words: &[&str]| {
        let mut command = home.orchctl_command(words);
        Output::of(command.env("SSL_CERT_FILE", "/nowhere").spawn().expect("orchctl runs"))
    };
    without_roots(&["get", "servers"]).expect(0);
    without_roots(&["get", "servers", "--server", "https://127.0.0.1:1"])
        .expect(1)
        .saying(&["/nowhere"]);
    // What is only said is not data, and not said at all with -q.
    let empty = home.orchctl(&["get", "servers", "-l", "team=none"]).expect(0);
    assert_eq!(
        (empty.stdout.as_str(), empty.stderr.as_str()),
        ("", "no servers are selected\n")
    );
    assert_eq!(
        home.orchctl(&["get", "servers", "-l", "team=none", "-q"])
            .expect(0)
            .stderr,
        ""
    );
    for (words, code, said) in [
        (&["get", "severs"][..], 2, "did you mean `servers`?"),
        (&["get", "server", "fils"], 3, "did you mean server/files?"),
        (&["get", "servers", "--sortby", "x"], 2, "did you mean `--sort-by`?"),
        (&["gett", "servers"], 2, "did you mean `get`?"),
        (&["get", "servers", "-o", "jason"], 2, "did you mean `json`?"),
        (&["get", "servers", "--field-selector", "x"], 2, "field=value"),
        (&["get", "server/files", "server/none"], 3, "server/none does not exist"),
        (&["get", "servers", "--context", "lcoal"], 2, "did you mean `local`?"),
        (
            &["get", "servers", "--server", "http://127.0.0.1:1"],
            6,
            "connection refused",
        ),
        (&["get", "servers", "--token-file", "editor"], 5, "(ORCH4001)"),
    ] {
        home.write("editor", "orch_not_a_token");
        home.orchctl(words).expect(code).saying(&[said]);
    }
}

#[test]
fn events_are_asked_for_like_objects() {
    let home = Home::new().started();
    home.apply(&format!("{}{}", server("files", &[]), server("broken", &["--exit"])));
    home.until_ready(&["server/files"]);
    let warnings = [
        "get",
        "events",
        "--field-selector",
        "severity=Warning,ref.kind=Instance",
    ];
    eventually("the end of a copy is an event", || {
        !home.orchctl(&warnings).stdout.is_empty()
    });
    let told = home.orchctl(&warnings).expect(0).stdout;
    assert!(
        told.lines().skip(1).all(|line| line.contains("instance/broken-")),
        "{told}"
    );
    let list: Value =
        serde_json::from_str(&home.orchctl(&["get", "events", "-o", "json"]).expect(0).stdout).expect("JSON");
    assert_eq!(list["kind"], "List");
    let ready = ["get", "ev", "--field-selector", "ref.name=files,reason=Ready", "-o"];
    let name = home.orchctl(&[&ready[..], &["name"]].concat()).expect(0).stdout;
    let one = home
        .orchctl(&["get", name.trim(), "-o", "jsonpath={.ref.name} {.reason}"])
        .expect(0);
    assert_eq!(one.stdout, "files Ready");
    let columns = home.orchctl(&[&ready[..], &["custom-columns=O:.ref.name,T:.severity", "--no-headers"]].concat());
    assert_eq!(columns.expect(0).stdout, "files   Normal\n");
    home.orchctl(&["events", "server/broken", "--warnings", "-o", "wide"])
        .expect(0)
        .saying(&["COUNT", "server/broken"]);
    // A filter is the daemon's: however much else has happened since, the newest that fit are found.
    let first = [
        "get",
        "events",
        "--field-selector",
        "ref.name=files",
        "--limit",
        "1",
        "-o",
        "name",
    ];
    assert_eq!(home.orchctl(&first).expect(0).stdout.lines().count(), 1);
    home.orchctl(&["get", "event/999999"]).expect(3);
    home.orchctl(&["get", "evnts"])
        .expect(2)
        .saying(&["did you mean `events`?"]);
    home.orchctl(&["get", "events", "-l", "a=b"])
        .expect(2)
        .saying(&["--field-selector"]);

    // A stream that is taken up again goes on behind what was told.
    let mut resumed = home
        .http("GET", "/api/v1/events?watch=1&after=0")
        .header("Last-Event-ID", "2")
        .stream();
    assert_eq!(resumed.event().expect("an event").0, "3");

    let mut watching = home.orchctl_command(&["get", "events", "-w", "-o", "name", "--limit", "1"]);
    let mut watching = watching.spawn().expect("orchctl runs");
    let mut lines = BufReader::new(watching.stdout.take().expect("a pipe")).lines();
    assert!(lines.next().expect("a line").expect("text").starts_with("event/"));
    home.apply(&server("later", &[]));
    assert!(lines.next().expect("a line").expect("text").starts_with("event/"));
    watching.kill().expect("it runs");
    watching.wait().expect("it ends");
}

#[test]
fn a_watch_and_logs_go_on_as_things_happen() {
    let home = Home::new().started();
    home.apply(&server_with("files", &["--say", "hello"], json!({"replicas": 2})));
    home.until_ready(&["server/files"]);
    let follow = |words: &[&str]| {
        let mut child = home.orchctl_command(words).spawn().expect("orchctl runs");
        let lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
        (child, lines.map(|line| line.expect("text")))
    };
    let (mut watching, mut rows) = follow(&["get", "servers", "-w"]);
    assert!(rows.next().expect("a heading").starts_with("NAME"));
    assert!(rows.next().expect("a row").contains("2/2"));
    let (mut following, mut lines) = follow(&["logs", "files", "-f"]);
    for _ in 0..2 {
        let line = lines.next().expect("a line");
        assert!(line.starts_with("[files-") && line.ends_with("] hello"), "{line}");
    }
    home.orchctl(&["scale", "server/files", "--replicas", "3"]).expect(0);
    assert!(rows.any(|row| row.contains("3/3")));
    assert!(lines.next().expect("a copy that has come since").ends_with("] hello"));
    home.orchctl(&["delete", "server/files"]).expect(0);
    assert!(rows.any(|row| row.contains("(deleted)")));
    assert_eq!(following.wait().expect("it ends with the server").code(), Some(0));
    watching.kill().expect("it runs");
    watching.wait().expect("it ends");

    home.apply(&server(
        "talks",
        &["--say", "one", "--say", "two", "--exit-after", "300"],
    ));
    eventually("it has ended once", || {
        home.orchctl(&["logs", "talks", "--previous"])
            .stdout
            .contains("one\ntwo\n")
    });
    let last = home
        .orchctl(&["logs", "talks", "--previous", "--tail", "1"])
        .expect(0)
        .stdout;
    assert_eq!(last.lines().count(), 1, "{last}");
    // A run that has only just begun has said nothing yet.
    eventually("what was said lately is shown", || {
        home.orchctl(&["logs", "talks", "--since", "1h"]).stdout.contains("one")
    });
    home.orchctl(&["logs", "nobody"]).expect(3);
    home.orchctl(&["logs", "talks", "--since", "yesterday"]).expect(2);
}

#[test]
fn a_watch_says_nothing_of_what_it_never_showed() {
    let home = Home::new().started();
    home.apply(&format!("{}{}", server("files", &[]), server("other", &[])));
    home.until_ready(&["server/files", "server/other"]);
    let uid = home.orchctl(&["get", "server/files", "-o", "jsonpath={.status.uid}"]);
    let watched = format!("server/{}", uid.stdout);
    let mut child = home
        .orchctl_command(&["get", &watched, "-w", "-o", "name"])
        .spawn()
        .expect("orchctl runs");
    let mut rows = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    assert_eq!(rows.next().expect("a row").expect("text"), "server/files");
    home.orchctl(&["scale", "server/other", "--replicas", "0"]).expect(0);
    home.orchctl(&["delete", "server/other"]).expect(0);
    home.orchctl(&["delete", "server/files"]).expect(0);
    let mut seen: Vec<String> = Vec::new();
    while seen.last().is_none_or(|row| row != "server/files deleted") {
        seen.push(rows.next().expect("a row").expect("text"));
    }
    assert!(seen.iter().all(|row| row.starts_with("server/files")), "{seen:?}");
    child.kill().expect("it runs");
    child.wait().expect("it ends");
}

#[test]
fn everything_goes_round_and_nothing_is_half_made() {
    let home = Home::new().started();
    team(&home);
    for form in ["yaml", "json"] {
        let everything = home.orchctl(&["get", "all", "-A", "-o", form]).expect(0).stdout;
        home.write("all.yaml", &everything);
        let applied = home.orchctl(&["apply", "-f", "all.yaml"]).expect(0);
        applied.saying(&["0 changed"]);
    }
    home.write("two.yaml", &format!("{}{}", server("fresh", &[]), server("files", &[])));
    home.orchctl(&["create", "-f", "two.yaml"])
        .expect(4)
        .saying(&["server/files exists already; nothing was created"]);
    home.orchctl(&["get", "server/fresh"]).expect(3);
}

/// What a terminal of that width is sent.
fn on_terminal(home: &Home, columns: u32, line: &str) -> String {
    let mut script = home.program("script");
    let orchctl = home.orchctl_command(&[]).get_program().to_string_lossy().into_owned();
    let line = format!("stty cols {columns}; {}", line.replace("orchctl", &orchctl));
    let child = script.args(["-qec", &line, "/dev/null"]).env("TERM", "xterm");
    let output = Output::of(
        child
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("script runs"),
    );
    output.stdout.replace("\r\n", "\n")
}

#[test]
fn a_terminal_is_spared_what_others_wrote() {
    let home = Home::new().started();
    let evil = "\u{1b}[2J\u{1b}]0;title\u{7}\u{9b}31mhere";
    let text = server_with("files", &["--say", evil], json!({"description": evil}));
    // A manifest may not hold such a character itself, only its escape.
    home.apply(&text.replace('\u{9b}', "\\u009b"));
    home.until_ready(&["server/files"]);
    eventually("it is logged", || {
        home.orchctl(&["logs", "files"]).stdout.contains("here")
    });
    for line in [
        "orchctl get servers",
        "orchctl get servers -o jsonpath='{.items[*].spec.description}'",
        "orchctl get servers -o custom-columns=D:.spec.description",
        "orchctl get server/files -o json",
        "orchctl describe server files",
        "orchctl logs files",
        "orchctl get events",
        "orchctl get \"$(printf 'x\\033[2J')\"",
    ] {
        let sent = on_terminal(&home, 120, line);
        assert!(!sent.is_empty(), "{line}");
        for bad in ["\u{1b}[2J", "\u{1b}]", "\u{7}", "\u{9b}"] {
            assert!(!sent.contains(bad), "{line}: {sent:?}");
        }
    }
    // A pipe gets every byte.
    let exact = ["get", "server/files", "-o", "jsonpath={.spec.description}"];
    assert_eq!(home.orchctl(&exact).expect(0).stdout, evil);

    // Colour is for terminals whose user wants it, and no line is wider than the terminal.
    assert!(on_terminal(&home, 120, "orchctl get servers").contains("\u{1b}["));
    assert!(!on_terminal(&home, 120, "NO_COLOR=1 orchctl get servers").contains('\u{1b}'));
    let narrow = on_terminal(&home, 70, "NO_COLOR=1 orchctl get servers");
    assert!(narrow.lines().all(|line| line.chars().count() <= 70), "{narrow}");
    assert!(narrow.contains('…'), "{narrow}");
}

#[test]
fn a_reader_that_has_gone_is_no_error() {
    let home = Home::new().started();
    let many: String = (0..300)
        .map(|number| server_with(&format!("s{number}"), &[], json!({"replicas": 0})))
        .collect();
    home.apply(&many);
    let orchctl = home.orchctl_command(&[]).get_program().to_string_lossy().into_owned();
    for form in ["yaml", "json", "table", "name"] {
        let line = format!("{orchctl} get servers -o {form} | head -1");
        let child = home
            .program("sh")
            .args(["-c", &line])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        let output = Output::of(child.expect("sh runs")).expect(0);
        assert_eq!(
            (output.stdout.lines().count(), output.stderr.as_str()),
            (1, ""),
            "{form}"
        );
    }
}

/// What bash offers at the end of a line, through the script that `orchctl completion bash` prints.
fn bash_offers(home: &Home, config: &str, words: &[&str]) -> Vec<String> {
    let program = home.orchctl_command(&[]).get_program().to_owned();
    let folder = std::path::Path::new(&program)
        .parent()
        .expect("a folder")
        .display()
        .to_string();
    let path = format!("{folder}:{}", std::env::var("PATH").expect("a PATH"));
    let script = r#"source <(orchctl completion bash)
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMP_LINE="$*"; COMP_POINT=${#COMP_LINE}; COMP_TYPE=9
        complete -p orchctl > /dev/null || exit 9
        _clap_complete_orchctl orchctl "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
        printf '%s\n' "${COMPREPLY[@]}""#;
    let mut bash = home.program("bash");
    bash.args(["--noprofile", "--norc", "-c", script, "bash", "orchctl"])
        .args(words)
        .env("PATH", path)
        .env("ORCHCTL_CONFIG", home.path(config));
    let child = bash
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("bash runs");
    let output = Output::of(child).expect(0);
    assert_eq!(output.stderr, "", "{words:?}");
    output
        .stdout
        .lines()
        .filter(|line| !line.is_empty())
        .map(str::to_owned)
        .collect()
}

#[test]
fn bash_completes_names_of_live_objects_or_nothing() {
    let home = Home::new().started();
    team(&home);
    // The shell does not wait for long: on a busy machine it may be offered nothing at first.
    for (words, offered) in [
        (&["describe", "server", "fi"][..], &["files"][..]),
        (&["get", "server/"], &["server/files", "server/search"]),
        (&["get", "prompt", "-p", "web", "t"], &["tone"]),
        (&["get", "ev"], &["events"]),
        (&["logs", "sea"], &["search"]),
        (&["-p", "w"], &["web"]),
        (&["get", "servers", "--context", ""], &["local"]),
        (&["explain", "server.rep"], &["server.replicas"]),
    ] {
        eventually(&format!("{words:?} is completed"), || {
            let live = bash_offers(&home, "orchctl.yaml", words);
            assert!(live.is_empty() || live == offered, "{words:?}: {live:?}");
            live == offered
        });
    }

    // A wrong token, a daemon that is gone, one that never answers: nothing is offered, and nothing is said.
    let text = fs::read_to_string(home.path("orchctl.yaml")).expect("the daemon's context");
    let address = home.address().to_string();
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let deaf = silent.local_addr().expect("an address").to_string();
    home.write("wrong.yaml", &text.replace(&home.token(), "orch_wrong"));
    home.write("dead.yaml", &text.replace(&address, "127.0.0.1:1"));
    home.write("deaf.yaml", &text.replace(&address, &deaf));
    let mut slow = home.orchctl_command(&["get", "servers", "--request-timeout", "1s"]);
    let slow = slow.env("ORCHCTL_CONFIG", home.path("deaf.yaml")).spawn();
    Output::of(slow.expect("orchctl runs"))
        .expect(7)
        .saying(&["did not answer within 1 s", "--request-timeout"]);
    for config in ["wrong.yaml", "dead.yaml", "deaf.yaml", "none.yaml"] {
        assert!(bash_offers(&home, config, &["get", "server/"]).is_empty(), "{config}");
        assert!(bash_offers(&home, config, &["logs", "f"]).is_empty(), "{config}");
    }
    if !["zsh", "fish"]
        .iter()
        .any(|shell| home.program(shell).arg("-c").arg("true").status().is_ok())
    {
        say("only bash is here; the scripts of the other shells ask in the same way");
    }
}

#[test]
fn what_is_wrong_is_explained() {
    let mut home = Home::new().started();
    home.apply(&server(
        "broken",
        &["--say", "no such luck", "--exit", "--exit-code", "7"],
    ));
    eventually("it crashes again and again", || {
        home.orchctl(&["why", "server/broken"])
            .stdout
            .contains("exited with code 7")
    });
    home.orchctl(&["why", "server/broken"]).expect(0).saying(&[
        "server/broken is not Ready",
        "because",
        "no such luck",
        "orchctl logs broken --previous",
    ]);
    home.orchctl(&["why", "server/none"]).expect(3);
    home.orchctl(&["tools", "list", "-p", "none"])
        .expect(3)
        .saying(&["project/none does not exist"]);
    home.orchctl(&["tools", "call", "echo", "--server", "brokne"])
        .expect(3)
        .saying(&["server/brokne does not exist", "did you mean server/broken?"]);
    home.orchctl(&["status"]).expect(0).saying(&["Database:", "1 Server"]);
    home.orchctl(&["doctor"])
        .expect(0)
        .saying(&["ok     daemon", "ok     token"]);
    home.orchctl(&["version"]).expect(0).saying(&["orchctl", "orchd"]);
    home.orchctl(&["help", "exit-codes"]).expect(0).saying(&["141"]);
    home.orchctl(&["explain", "ORCH6006"]).expect(0).saying(&["# ORCH6006"]);
    home.orchctl(&["explain", "server.spec.env.valueFrom"])
        .expect(0)
        .saying(&["secretRef"]);
    home.stop();
    home.orchctl(&["doctor"])
        .expect(1)
        .saying(&["wrong  daemon", "connection refused"]);
    home.orchctl(&["status"])
        .expect(6)
        .saying(&["(ORCH7001)", "orchctl doctor"]);
}
