//! What changes things, typed by a person: making, rehearsing, waiting, deleting, editing.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;

use super::{manifest, pids, server, server_with};
use crate::support::daemon::{Home, Output};

#[test]
fn every_kind_that_users_make_is_made_from_flags() {
    let home = Home::new().started();
    home.write("token", "from-a-file");
    let created: [(&str, &[&str]); 7] = [
        (
            "hunter2\n",
            &["secret", "gitea", "--from-file", "token=-", "--from-file", "file=token"],
        ),
        (
            "",
            &[
                "llm",
                "fast",
                "--provider",
                "scripted",
                "--model",
                "demo",
                "--script",
                "{text: hello}",
                "--api-key-ref",
                "gitea/token",
            ],
        ),
        (
            "",
            &[
                "template",
                "base",
                "--server-command",
                "orch-fixture",
                "--server-command",
                "${root}",
                "--parameters",
                "{name: root}",
            ],
        ),
        (
            "",
            &[
                "server",
                "files",
                "--env",
                "A=B",
                "--env-from-secret",
                "T=gitea/token",
                "--replicas",
                "0",
                "--label",
                "team=core",
                "--",
                "orch-fixture",
                "--say",
                "hello",
            ],
        ),
        ("", &["project", "web", "--servers", "files"]),
        (
            "",
            &[
                "agent",
                "reviewer",
                "--llm",
                "fast",
                "-p",
                "web",
                "--max-iterations",
                "20",
            ],
        ),
        (
            "",
            &[
                "prompt",
                "tone",
                "-p",
                "web",
                "--content",
                "be kind",
                "--priority",
                "70",
            ],
        ),
    ];
    for (input, words) in created {
        let kind = words[0];
        // What would be made is what is made.
        let at = words.iter().position(|word| *word == "--").unwrap_or(words.len());
        let rehearsed = [
            &["create"],
            &words[..at],
            &["--dry-run=client", "-o", "yaml"],
            &words[at..],
        ]
        .concat();
        let would_be = home.orchctl_reading(input, &rehearsed).expect(0);
        assert!(!would_be.stdout.contains("hunter2"), "{}", would_be.stdout);
        home.orchctl_reading(input, &[&["create"], words].concat())
            .expect(0)
            .saying(&[&format!("{kind}/{}", words[1]), "   created"]);
        home.apply(&would_be.stdout).saying(&["0 changed, 1 unchanged"]);
        home.orchctl_reading(input, &[&["create"], words].concat())
            .expect(4)
            .saying(&["exists already (ORCH3002)", "orchctl edit"]);
    }
    let shown = home
        .orchctl(&["get", "secret/gitea", "-o", "yaml", "--show-values"])
        .expect(0);
    shown.saying(&["token: hunter2", "file: from-a-file"]);
    home.orchctl(&["create", "secret", "open", "--from-literal", "a=b"])
        .expect(0)
        .saying(&[
            "warning: values on a command line are seen by others",
            "--from-file KEY=-",
        ]);
    home.orchctl(&["create", "server", "x", "--from-secret", "y"]).expect(2);
    home.orchctl(&[
        "create",
        "llm",
        "x",
        "--provider",
        "openai",
        "--model",
        "m",
        "--api-key-ref",
        "gitae/token",
    ])
    .expect(1)
    .saying(&[
        "1 problem with llm/x; it was not created",
        "(ORCH2101)",
        "did you mean `gitea`?",
    ]);
}

#[test]
fn a_rehearsal_says_what_would_be_and_writes_nothing() {
    let home = Home::new().started();
    let files = server_with("files", &[], json!({"replicas": 0}));
    home.apply(&files);
    home.orchctl(&["patch", "server/files", "-P", "spec: {description: second}"])
        .expect(0);
    home.write("changed.yaml", &server_with("files", &[], json!({"replicas": 1})));
    home.write("new.yaml", &server("other", &[]));
    let written = || {
        let count = |plural: &str| home.get(plural)["metadata"]["total"].clone();
        let generation = home.get("servers/files")["status"]["generation"].clone();
        (generation, count("servers"), count("prompts"))
    };
    let before = written();
    let rehearsed: [(&[&str], &str); 8] = [
        (&["apply", "-f", "changed.yaml"], ""),
        (&["create", "-f", "new.yaml"], ""),
        (&["create", "prompt", "tone", "--content", "x"], ""),
        (
            &["scale", "server/files", "--replicas", "3"],
            "server/files   would be scaled to 3\n",
        ),
        (
            &["patch", "server/files", "-P", "spec: {replicas: 2}"],
            "server/files   would be patched   replicas 0 -> 2\n",
        ),
        (&["replace", "-f", "changed.yaml"], "server/files   would be replaced\n"),
        (
            &["rollback", "server/files"],
            "server/files   would be rolled back   description second -> (none)\n",
        ),
        (&["delete", "server/files"], "server/files   would be deleted\n"),
    ];
    for (words, expected) in rehearsed {
        for place in ["--dry-run", "--dry-run=client", "--dry-run=server"] {
            let said = home.orchctl(&[words, &[place]].concat()).expect(0);
            assert!(
                expected.is_empty() || said.stdout == expected,
                "{words:?} {place}: {said:?}"
            );
            let is_manifest = words[0] == "create" && place == "--dry-run=client";
            let told = said.stderr.contains("dry run") || said.stdout.starts_with("apiVersion: ");
            assert!(told || is_manifest, "{words:?} {place}: {said:?}");
        }
        assert_eq!(written(), before, "{words:?} wrote something");
    }
    // What would be refused is refused in the rehearsal, too.
    for place in ["--dry-run=client", "--dry-run=server"] {
        home.orchctl(&["scale", "server/files", "--replicas", "999", place])
            .expect(1)
            .saying(&["it would not be scaled", "spec.replicas", "(ORCH1104)"]);
        home.orchctl(&["patch", "server/files", "-P", "spec: {replcas: 2}", place])
            .expect(1)
            .saying(&["spec.replcas: unknown field (ORCH1101)", "did you mean `replicas`?"]);
        home.orchctl(&["rollback", "server/files", "--to", "7", place])
            .expect(3);
    }
    home.orchctl(&["create", "-f", "changed.yaml", "--dry-run"]).expect(4);
    home.orchctl(&["apply", "-f", "changed.yaml", "--dry-run=sever"])
        .expect(2)
        .saying(&["did you mean `server`?"]);
    home.orchctl(&["apply", "-f", "changed.yaml", "--dry-run", "server"])
        .expect(2)
        .saying(&["--dry-run=server"]);
    assert_eq!(written(), before);
}

#[test]
fn deleting_waits_and_names_what_is_in_the_way() {
    let home = Home::new().started();
    let keys = manifest("Secret", "keys", &json!({"data": {"token": "x"}}));
    let env = json!({"env": [{"name": "T", "valueFrom": {"secretRef": {"name": "keys", "key": "token"}}}]});
    home.apply(&format!(
        "{keys}{}{}",
        server_with("files", &[], env),
        server("stubborn", &["--ignore-end"])
    ));
    home.until_ready(&["server/files", "server/stubborn"]);

    home.orchctl(&["delete", "secret", "keys"])
        .expect(4)
        .saying(&["secret/keys is used by server/files", "--with-dependents --dry-run"]);
    let rehearsed = home
        .orchctl(&["delete", "secret", "keys", "--with-dependents", "--dry-run"])
        .expect(0);
    assert_eq!(rehearsed.stdout.matches("would be deleted").count(), 3, "{rehearsed:?}");
    home.orchctl(&["get", "server/files", "secret/keys"]).expect(0);

    // What goes together is in nobody's way.
    let both = home
        .orchctl(&["delete", "secret/keys", "server/files", "--dry-run"])
        .expect(0);
    assert_eq!(both.stdout, rehearsed.stdout);

    home.orchctl(&["delete", "server/stubborn", "--timeout", "1s"])
        .expect(7)
        .saying(&["server/stubborn", "is still there after 1s", "--for=delete"]);
    home.orchctl(&["wait", "server/stubborn", "--for=delete", "--timeout", "60s"])
        .expect(0);

    let going = home.orchctl(&["delete", "server/files", "--wait=false"]).expect(0);
    assert!(
        going.stdout.starts_with("server/files   is being deleted\n"),
        "{going:?}"
    );
    home.orchctl(&["wait", "server/files", "--for=delete"]).expect(0);
    let both = ["delete", "secret/keys", "server/none"];
    let kept = home.orchctl(&both).expect(3);
    assert_eq!(kept.stdout, "", "all of them or none");
    let gone = home.orchctl(&[&both[..], &["--ignore-not-found"]].concat()).expect(0);
    assert_eq!(gone.stdout, "secret/keys   deleted\n");
    home.orchctl(&["delete", "servers"]).expect(2).saying(&["--all"]);
}

#[test]
fn a_wait_ends_in_its_exit_code() {
    let home = Home::new().started();
    home.apply(&format!("{}{}", server("files", &[]), server("broken", &["--exit"])));
    for (words, code, said) in [
        (&["server/files"][..], 0, "server/files   Ready"),
        (&["server/files", "--for=condition=ready"], 0, "ready"),
        (&["server/files", "--for=condition=Healthy=True"], 0, "Healthy"),
        (&["server/files", "--for=jsonpath={.status.phase}=Ready"], 0, "Ready"),
        (&["servers", "--all", "--for=create"], 0, "server/broken   created"),
        (&["server/broken", "--timeout", "1s"], 7, "orchctl why server/broken"),
        (
            &["server/files", "--for=delete", "--timeout", "1s"],
            7,
            "nobody has deleted it",
        ),
        (
            &["server/files", "--for=jsonpath={.spec.replicas}=7", "--timeout", "1s"],
            7,
            "now 1",
        ),
        (&["server/none"], 3, "server/none does not exist"),
        (&["server/none", "--for=delete"], 0, "gone"),
        (&["server/files", "--for=ready"], 2, "condition=NAME"),
        (
            &["server/files", "--for=condition=Ready", "--timeout", "soon"],
            2,
            "--timeout",
        ),
    ] {
        home.orchctl(&[&["wait"], words].concat()).expect(code).saying(&[said]);
    }
}

#[test]
fn a_restart_is_waited_for_until_nothing_old_runs() {
    let home = Home::new().started();
    home.apply(&server_with("files", &[], json!({"replicas": 2})));
    home.until_ready(&["server/files"]);
    let before = pids(&home, "files");
    home.orchctl(&["restart", "server/files", "--wait"])
        .expect(0)
        .saying(&["server/files   restarting", "server/files   Ready"]);
    let after = pids(&home, "files");
    assert_eq!((before.len(), after.len()), (2, 2));
    assert!(after.iter().all(|pid| !before.contains(pid)), "{before:?} {after:?}");
    home.orchctl(&["restart", "prompt/none"])
        .expect(1)
        .saying(&["(ORCH3009)"]);
}

#[test]
fn an_edit_of_what_has_moved_keeps_the_text() {
    let home = Home::new().started();
    home.apply(&server_with("files", &[], json!({"replicas": 0})));
    // While the editor is open, somebody else changes the object.
    let editor = home.write(
        "editor",
        "#!/bin/sh\n\"$ORCHCTL\" patch server/files -P 'spec: {description: theirs}' && sed -i 's/replicas: 0/replicas: 2/' \"$1\"\n",
    );
    fs::set_permissions(&editor, fs::Permissions::from_mode(0o755)).expect("the mode can be set");
    let mut edit = home.orchctl_command(&["edit", "server/files"]);
    let program = edit.get_program().to_owned();
    let edited = edit.env("EDITOR", &editor).env("ORCHCTL", program).spawn();
    let edited = Output::of(edited.expect("orchctl runs")).expect(4);
    let kept = edited
        .stderr
        .split_whitespace()
        .find(|word| word.contains("orchctl-edit-"))
        .expect("the text is kept, and it is said where");
    let text = fs::read_to_string(kept).expect("the text is there");
    assert!(text.contains("replicas: 2") && !text.contains("theirs"), "{text}");
    let live = home.get("servers/files");
    assert_eq!(
        (&live["spec"]["replicas"], &live["spec"]["description"]),
        (&json!(0), &json!("theirs"))
    );
    // What is said to be typed next works.
    home.orchctl(&["diff", "-f", kept]).expect(1);
    home.orchctl(&["replace", "-f", kept]).expect(0);
    assert_eq!(home.get("servers/files")["spec"]["replicas"], 2);
}
