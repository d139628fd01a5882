//! What needs no daemon: explanations, kinds, contexts, versions, help.

use crate::support::home::{Home, story};

#[test]
fn kinds_are_listed() {
    insta::assert_snapshot!(story([Home::new().run(&["api-resources"])]));
}

#[test]
fn kinds_fields_and_codes_are_explained() {
    let home = Home::new();
    let runs = [
        &["explain", "secret"][..],
        &["explain", "server.healthCheck"],
        &["explain", "server.spec.env.valueFrom", "--recursive"],
        &["explain", "server.status.phase"],
        &["explain", "prompt.metadata"],
        &["explain", "orch2101"],
        &["explain", "server.replcas"],
        &["explain", "severs"],
        &["explain", "ORCH9999"],
    ];
    insta::assert_snapshot!(story(runs.map(|arguments| home.run(arguments))));
}

#[test]
fn exit_codes_are_told() {
    let told = Home::new().run(&["help", "exit-codes"]);
    let page = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/cli.md"))
        .unwrap()
        .replace('`', "");
    for line in told.stdout.lines() {
        let (code, meaning) = line.trim().split_once(' ').expect("a code and its meaning");
        assert!(
            page.contains(&format!("| {code} | {} |", meaning.trim())),
            "docs/cli.md does not tell: {line}"
        );
    }
    insta::assert_snapshot!(story([told]));
}

#[test]
fn contexts_are_made_chosen_and_forgotten() {
    let home = Home::new();
    home.write("token", "orch_secret\n");
    let runs = [
        &["config", "get-contexts"][..],
        &[
            "config",
            "set-context",
            "local",
            "--server",
            "localhost:7420",
            "--token-file",
            "token",
        ],
        &[
            "config",
            "set-context",
            "staging",
            "--server",
            "https://orch.example.com/",
            "-p",
            "web",
        ],
        &["config", "get-contexts"],
        &["config", "use-context", "stagign"],
        &["config", "use-context", "staging"],
        &["config", "current-context"],
        &["config", "rename-context", "staging", "stage"],
        &["config", "get-contexts", "-o", "name"],
        &["config", "view"],
        &["config", "delete-context", "stage"],
        &["config", "current-context"],
        &["--context", "gone", "get", "servers"],
    ];
    insta::assert_snapshot!(story(runs.map(|arguments| home.run(arguments))));
}

#[test]
fn a_token_is_never_shown() {
    let home = Home::new();
    let made = home.run_with_input(
        &[
            "config",
            "set-context",
            "x",
            "--server",
            "http://127.0.0.1:1",
            "--token-stdin",
        ],
        "orch_very_secret\n",
    );
    assert_eq!(made.code, 0, "{made}");
    let kept = std::fs::read_to_string(home.path().join("config.yaml")).unwrap();
    assert!(kept.contains("orch_very_secret"), "{kept}");
    for arguments in [
        &["config", "view"][..],
        &["config", "get-contexts"],
        &["doctor"],
        &["get", "servers", "--verbose"],
        &["status", "--verbose"],
    ] {
        let shown = home.run(arguments);
        assert!(!shown.to_string().contains("very_secret"), "{shown}");
    }
}

#[test]
fn a_configuration_that_cannot_be_is_told_and_not_repeated() {
    let home = Home::new();
    let context = "contexts:\n- name: a\n  server: http://127.0.0.1:1\n";
    for (config, token, arguments, said) in [
        ("orch_sesame\n", "", &["get", "servers"][..], "it holds no contexts"),
        (
            "currentContext: nope\n",
            "",
            &["get", "servers"],
            "there is no context `nope`",
        ),
        (
            context,
            "orch_sesame\norch_two\n",
            &["get", "servers", "--context", "a", "--token-file", "token"],
            "there is no token in token: it has several lines",
        ),
        (
            context,
            "\n",
            &["get", "servers", "--context", "a", "--token-file", "token"],
            "it is empty",
        ),
        (
            context,
            "",
            &["get", "servers", "--context", "a", "--token-file", "gone"],
            "there is no token in gone: no such file",
        ),
        (
            context,
            "",
            &["config", "set-context", "a b", "--server", "x"],
            "`a b` cannot name a context",
        ),
        (
            context,
            "",
            &["config", "set-context", "", "--server", "x"],
            "`` cannot name a context",
        ),
    ] {
        home.write("config.yaml", config);
        home.write("token", token);
        let run = home.run(arguments);
        assert_eq!(run.code, 2, "{run}");
        assert!(run.stderr.contains(said) && !run.stderr.contains("sesame"), "{run}");
    }
}

#[test]
fn a_home_that_the_shell_left_is_the_users() {
    let home = Home::new();
    home.run(&[
        "config",
        "set-context",
        "x",
        "--server",
        "http://127.0.0.1:1",
        "--token-file=~/token",
    ]);
    let view = home.run(&["config", "view"]);
    assert!(view.stdout.contains("tokenFile: token\n"), "below the home: {view}");
}

#[cfg(unix)]
#[test]
fn the_configuration_is_for_its_owner_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let home = Home::new();
    home.run(&["config", "set-context", "x", "--server", "http://127.0.0.1:1"]);
    let mode = std::fs::metadata(home.path().join("config.yaml"))
        .unwrap()
        .permissions()
        .mode()
        & 0o777;
    assert_eq!(mode, 0o600);
}

#[test]
fn versions_are_told() {
    let home = Home::new();
    let runs = [
        &["version", "--client"][..],
        &["version", "--client", "-o", "json"],
        &["version"],
    ];
    insta::assert_snapshot!(story(runs.map(|arguments| home.run(arguments))));
}

#[test]
fn what_is_typed_wrong_is_named() {
    let home = Home::new();
    let runs = [
        &["gett", "servers"][..],
        &["get", "severs"],
        &["get"],
        &["get", "server/a", "b"],
        &["get", "servers", "--sort", "x"],
        &["get", "servers", "-o", "yml"],
        &["get", "server", "Not_A_Name"],
        &["wait", "server/x", "--for", "ready"],
        &["scale", "secret/x", "--replicas", "1"],
        &["help", "creat"],
        &["logs", "x", "--since", "yesterday"],
        &["get", "servers", "--server", "ftp://x"],
        &["gt", "servers"],
        &["__generat"],
        &["get", "get"],
        &["help", "exit-code"],
        &["get", "servers,llms", "-w"],
        &["get", "servers", "--field-selector", "status.phaze=Ready"],
        &["get", "servers", "--sort-by", ".metadata.nope"],
        &["patch", "server/x", "-p", "{spec: {}}"],
        &["scale", "server/x", "--replicas=-1"],
        &["logs", "project/core"],
    ];
    insta::assert_snapshot!(story(runs.map(|arguments| home.run(arguments))));
}

#[test]
fn every_verb_has_a_page() {
    let home = Home::new();
    let page = home.run(&["help"]);
    assert_eq!((page.code, page.stderr.as_str()), (0, ""), "{page}");
    for verb in page
        .stdout
        .lines()
        .filter_map(|line| line.strip_prefix("  "))
        .filter_map(|line| line.split(' ').next())
    {
        if verb.starts_with(|c: char| c.is_ascii_lowercase()) {
            let page = home.run(&["help", verb]);
            assert_eq!(page.code, 0, "{page}");
            assert!(page.stdout.contains("Usage: orchctl"), "{page}");
        }
    }
}
