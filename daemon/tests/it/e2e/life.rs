//! What a person does with a folder of manifests, from the first apply to the last delete.

use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use super::{manifest, server, server_with};
use crate::support::daemon::{Home, eventually, on_each_database};

on_each_database!(a_folder_lives, everything_round_trips, sets_are_pruned_and_taken_over);

fn a_folder_lives(home: Home) {
    let home = home.started();
    home.write(
        "team/files.yaml",
        &server_with("files", &["--say", "hello from files"], json!({"replicas": 2})),
    );
    home.write("team/sub/search.yaml", &server("search", &[]));
    let orchctl = |arguments: &[&str]| home.orchctl(arguments);

    orchctl(&["diff", "-f", "team"])
        .expect(1)
        .saying(&["server/files", "2 to create"]);
    orchctl(&["apply", "-f", "team"])
        .expect(0)
        .saying(&["server/files", "created", "server/search"]);
    home.until_ready(&["server/files", "server/search"]);
    orchctl(&["diff", "-f", "team"]).expect(0);
    orchctl(&["apply", "-f", "team"]).expect(0).saying(&["unchanged"]);

    orchctl(&["get", "servers"])
        .expect(0)
        .saying(&["NAME", "files", "2/2", "search", "1/1", "Ready"]);
    orchctl(&["get", "server/files", "-o", "name"])
        .expect(0)
        .saying(&["server/files"]);
    let ready = "jsonpath={.status.replicas.ready}";
    assert_eq!(
        orchctl(&["get", "server/files", "-o", ready]).expect(0).stdout.trim(),
        "2"
    );
    orchctl(&["describe", "server", "files"])
        .expect(0)
        .saying(&["Ready", "Events", "orch-fixture"]);
    eventually("what a copy writes is in its logs", || {
        orchctl(&["logs", "files"]).stdout.contains("hello from files")
    });
    orchctl(&["events"]).expect(0).saying(&["server/files", "Ready"]);

    let editor = home.write("editor", "#!/bin/sh\nsed -i 's/replicas: 2/replicas: 3/' \"$1\"\n");
    std::fs::set_permissions(&editor, std::fs::Permissions::from_mode(0o755)).expect("the mode can be set");
    let mut edit = home.orchctl_command(&["edit", "server/files"]);
    let edited = edit.env("EDITOR", &editor).spawn().expect("orchctl runs");
    crate::support::daemon::Output::of(edited).expect(0);
    assert_eq!(home.get("servers/files")["spec"]["replicas"], 3);
    orchctl(&[
        "wait",
        "server/files",
        "--for",
        "jsonpath={.status.replicas.ready}=3",
        "--timeout",
        "90s",
    ])
    .expect(0);

    orchctl(&["scale", "server/files", "--replicas", "1"]).expect(0);
    orchctl(&[
        "wait",
        "server/files",
        "--for",
        "jsonpath={.status.replicas.running}=1",
        "--timeout",
        "90s",
    ])
    .expect(0);
    orchctl(&["history", "server/files"])
        .expect(0)
        .saying(&["scale", "apply"]);
    orchctl(&["rollback", "server/files", "--to", "1"]).expect(0);
    assert_eq!(home.get("servers/files")["spec"]["replicas"], 2);
    orchctl(&["rollback", "server/files", "--to", "77"]).expect(3);

    orchctl(&["delete", "-f", "team"]).expect(0);
    orchctl(&["get", "server/files"]).expect(3);
    eventually("nothing is left running", || home.processes().is_empty());
    assert_eq!(home.get("instances")["metadata"]["total"], 0);
}

fn everything_round_trips(home: Home) {
    let home = home.started();
    let text = "no\n0x1F\n\"quoted\" ${x} é\n";
    home.apply(
        &[
            manifest("Secret", "keys", &json!({"data": {"token": "s3cret-value", "odd": text}})),
            server_with(
                "files",
                &["--say", text],
                json!({"replicas": 1, "env": [
                    {"name": "TOKEN", "valueFrom": {"secretRef": {"name": "keys", "key": "token"}}},
                    {"name": "YES", "value": "yes"}, {"name": "DATE", "value": "2026-01-01"},
                ]}),
            ),
            manifest("Llm", "fast", &json!({"provider": "scripted", "model": "demo", "script": [{"text": "1e3"}]})),
            manifest("Project", "web", &json!({"description": "on", "servers": ["files"]})),
            manifest("Agent", "reviewer", &json!({"llm": "fast", "project": "web"})),
            "---\napiVersion: orchctl.dev/v1\nkind: Prompt\nmetadata: {name: tone, project: web}\nspec: {content: \"a\\n\\n b \"}\n".to_owned(),
            manifest("Template", "base", &json!({"server": {"command": ["orch-fixture"]}})),
        ]
        .concat(),
    );
    home.until_ready(&["server/files"]);
    let export = [
        "get",
        "servers,secrets,llms,projects,agents,prompts,templates",
        "-A",
        "-o",
        "yaml",
    ];
    let first = home.orchctl(&export).expect(0).stdout;
    let revision = home.get("status")["revision"].clone();
    let again = home.apply(&first);
    for verdict in ["created", "configured", "pruned"] {
        assert!(!again.stdout.contains(verdict), "{}", again.stdout);
    }
    // What was applied, and what the daemon brought along.
    let count = 7 + orch_daemon::catalogue::objects().len() + orch_shared::system::objects().len();
    again.saying(&[&format!("0 changed, {count} unchanged")]);
    assert_eq!(home.orchctl(&export).expect(0).stdout, first);
    assert_eq!(
        home.get("status")["revision"],
        revision,
        "what is unchanged is not written"
    );
}

fn sets_are_pruned_and_taken_over(home: Home) {
    let home = home.started();
    let [a, b, c] = ["a", "b", "c"].map(|name| server_with(name, &[], json!({"replicas": 0})));
    let apply =
        |manifests: &str, more: &[&str]| home.orchctl_reading(manifests, &[&["apply", "-f", "-"], more].concat());
    apply(&format!("{a}{b}"), &["--set", "one"]).expect(0);
    apply(&c, &["--set", "two"]).expect(0);
    apply(&format!("{a}{c}"), &["--set", "one"]).expect(4).saying(&["two"]);
    apply(&a, &["--set", "one", "--prune"])
        .expect(0)
        .saying(&["server/b", "pruned"]);
    apply(&format!("{a}{c}"), &["--set", "one", "--take-over"]).expect(0);
    assert_eq!(home.get("servers/c")["status"]["applySet"], "one");
    eventually("the pruned server is gone", || {
        home.get("servers")["metadata"]["total"] == 2
    });

    // A plan is refused as a whole when any of what it saw has moved.
    let manifests = home.write(
        "plan.yaml",
        &format!(
            "{}{}",
            server_with("a", &[], json!({"replicas": 0, "description": "x"})),
            b
        ),
    );
    let (manifests, plan) = (manifests.to_str().expect("text"), home.path("saved.plan"));
    let plan = plan.to_str().expect("text");
    home.orchctl(&["plan", "-f", manifests, "--set", "one", "-o", plan])
        .expect(0);
    home.orchctl(&["patch", "server/a", "--patch", r#"{"spec":{"description":"moved"}}"#])
        .expect(0);
    home.orchctl(&["apply", "--plan", plan]).expect(4).saying(&["ORCH3006"]);
    home.orchctl(&["get", "server/b"]).expect(3);
    home.orchctl(&["plan", "-f", manifests, "--set", "one", "-o", plan])
        .expect(0);
    home.orchctl(&["apply", "--plan", plan]).expect(0);
    assert_eq!(home.get("servers/a")["spec"]["description"], "x");
}
