//! `edit`, with editors that are one line of shell.

use crate::support::daemon::{Answer, Daemon, server};
use crate::support::home::{Home, Transcript};
use serde_json::json;

fn files() -> serde_json::Value {
    server("files", 3, &json!({"command": ["/bin/x"], "replicas": 1}))
}

fn edit(daemon: &Daemon, editor: &str) -> (Home, Transcript) {
    let mut home = Home::with_daemon(&daemon.address);
    home.set("EDITOR", editor);
    let run = home.run(&["edit", "server", "files"]);
    (home, run)
}

/// The drafts that were left behind.
fn drafts(home: &Home) -> Vec<String> {
    let entries = std::fs::read_dir(home.path())
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let drafts = entries.filter(|path| path.display().to_string().contains("orchctl-edit"));
    drafts.map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

#[test]
fn a_change_is_sent_with_what_was_read() {
    let daemon = Daemon::playing([Answer::json(200, &files()), Answer::json(200, &files())]);
    let (home, run) = edit(&daemon, "sed -i s/replicas:.1/replicas:\\ 2/");
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "server/files   edited   replicas 1 -> 2\n"),
        "{run}"
    );
    assert_eq!(drafts(&home), Vec::<String>::new());
    let asked = daemon.asked();
    assert_eq!(asked[1].line, "PUT /api/v1/servers/files");
    assert_eq!(asked[1].header("if-match"), Some("\"uid-files.3\""));
    assert_eq!(asked[1].json()["spec"]["replicas"], 2);
}

#[test]
fn nothing_changed_is_nothing_sent() {
    let daemon = Daemon::playing([Answer::json(200, &files())]);
    let (home, run) = edit(&daemon, "true");
    assert_eq!((run.code, run.stderr.as_str()), (0, "nothing was changed\n"), "{run}");
    assert_eq!(drafts(&home), Vec::<String>::new());
}

#[test]
fn what_is_wrong_is_opened_again_and_kept_in_the_end() {
    let daemon = Daemon::playing([Answer::json(200, &files())]);
    let (home, run) = edit(&daemon, "sed -i s/replicas:/replcas:/");
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("spec.replcas: unknown field"), "{run}");
    let [draft] = &drafts(&home)[..] else {
        panic!("the text is kept: {run}")
    };
    assert!(draft.starts_with("#! This was refused"), "{draft}");
    assert!(draft.contains("#! spec.replcas: unknown field\n"), "{draft}");
    assert!(draft.contains("\n  replcas: 1\n"), "{draft}");
}

#[test]
fn what_is_wrong_can_be_mended_at_the_second_try() {
    let daemon = Daemon::playing([Answer::json(200, &files()), Answer::json(200, &files())]);
    // First a typing error, then, on what is opened again, its correction.
    let editor = r"f() { if grep -q '^#!' $1; then sed -i 's/replcas: 1/replicas: 5/' $1; else sed -i s/replicas:/replcas:/ $1; fi; }; f";
    let (home, run) = edit(&daemon, editor);
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (0, "server/files   edited   replicas 1 -> 5\n"),
        "{run}"
    );
    assert_eq!(drafts(&home), Vec::<String>::new());
}

#[test]
fn a_conflict_keeps_the_text() {
    let daemon = Daemon::playing([
        Answer::json(200, &files()),
        Answer::problem(409, "ORCH3003", "server/files has changed since it was read"),
    ]);
    let (home, run) = edit(&daemon, "sed -i s/replicas:.1/replicas:\\ 2/");
    assert_eq!(run.code, 4, "{run}");
    assert!(run.stderr.contains("your text is in"), "{run}");
    let [draft] = &drafts(&home)[..] else {
        panic!("the text is kept: {run}")
    };
    assert!(draft.contains("replicas: 2"), "{draft}");
}

#[test]
fn an_editor_that_fails_changes_nothing() {
    let daemon = Daemon::playing([Answer::json(200, &files())]);
    let (home, run) = edit(&daemon, "false");
    assert_eq!(run.code, 1, "{run}");
    assert_eq!(drafts(&home).len(), 1);
}

#[test]
fn objects_cannot_be_renamed() {
    let daemon = Daemon::playing([Answer::json(200, &files())]);
    let (_, run) = edit(&daemon, "sed -i s/name:.files/name:\\ flies/");
    assert_eq!(run.code, 1, "{run}");
    assert!(run.stderr.contains("server/flies is not what was opened"), "{run}");
}
