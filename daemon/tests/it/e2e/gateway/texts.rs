//! What every daemon brings along beside its catalogue: a project to begin with, and its own texts, which can be worded
//! anew, keep what they need, and come back when they are deleted.

use serde_json::json;

use super::{manifest, project, raw};
use crate::support::client::{Client, Era, LEGACY, abilities, text_of};
use crate::support::daemon::Home;

/// A text of the daemon's own, worded anew.
fn text(name: &str, content: &str) -> String {
    manifest("Prompt", name, &json!({"content": content})).replace(
        &format!("{{name: {name}}}"),
        &format!("{{name: {name}, project: orch-system}}"),
    )
}

fn gated() -> Home {
    let home = Home::new().started();
    let spec = json!({"servers": ["raw"], "gated": true});
    home.apply(&(raw("raw", &[]) + &manifest("Project", "shop", &spec)));
    home.until_ready(&["server/raw", "project/shop"]);
    home
}

#[test]
fn every_daemon_has_a_project_and_its_own_texts() {
    let mut home = Home::new().started();
    home.until_ready(&["project/default", "project/orch-system"]);
    let names = |home: &Home| {
        let listed = home
            .orchctl(&["get", "prompts", "-p", "orch-system", "-o", "name"])
            .expect(0);
        listed.stdout.lines().map(str::to_owned).collect::<Vec<_>>()
    };
    let before = names(&home);
    assert!(
        before.contains(&"prompt/gate-instructions".to_owned()) && before.len() == orch_shared::system::Text::ALL.len(),
        "{before:?}"
    );
    home.apply(&project("default", &[]));
    home.orchctl(&["delete", "project", "default"]).expect(0);
    home.stop();
    home.start();
    assert_eq!(names(&home), before);
    home.http("GET", "/api/v1/projects/default").send().expect(404);
}

/// A text that is worded anew is what clients are told; one that lacks a place is refused, with what it may hold.
#[test]
fn texts_can_be_worded_anew() {
    let home = gated();
    home.apply(
        &(text("gate-instructions", "Say hello to {{tool}} of {{project}}.")
            + &text("gate-refusal", "Not before {{tool}}!")
            + &text("session-answer", "You said: {{task}}\n{{prompts}}")
            + &text("page-footer", "<{{page}} of {{pageCount}}; {{tool}} {{id}} {{next}}>")
            + &text("proposal-answer", "Thanks for {{request}}.")),
    );
    let (client, hello) = Client::greeted(&home, "/mcp/projects/shop", LEGACY, &abilities());
    assert_eq!(hello["instructions"], "Say hello to begin_session of shop.");
    let refused = client.ask("tools/call", json!({"name": "raw__echo", "arguments": {}}));
    assert_eq!(refused.answer["error"]["message"], "Not before begin_session!");
    let begun = client.said("begin_session", json!({"description": "{{prompts}} and more"}));
    assert!(
        begun.starts_with("You said: {{prompts}} and more\n"),
        "what is filled in has no places: {begun}"
    );
    let long = client.call("raw__big", json!({"bytes": 300_000}));
    let footer = long["content"][1]["text"].as_str().expect("a footer");
    assert!(footer.starts_with("<1 of 3; orch_read_page "), "{footer}");
    let thanks = text_of(&client.call("propose_prompt", json!({"name": "tone", "content": "x"})));
    assert!(thanks.starts_with("Thanks for tone-"), "{thanks}");

    let broken = text("gate-refusal", "Not yet. {{tol}}");
    let refused = home.orchctl_reading(&broken, &["apply", "-f", "-"]).expect(1);
    refused.saying(&[
        "needs the place {{tool}}",
        "nobody fills in the place {{tol}}",
        "did you mean {{tool}}?",
    ]);
    let patch = home.orchctl(&[
        "patch",
        "prompt",
        "gate-refusal",
        "-p",
        "orch-system",
        "--patch",
        r#"{"spec": {"content": "No."}}"#,
    ]);
    assert_ne!(patch.code, 0, "{patch:?}");
}

/// A text that is deleted is worded as at first, which is said; its project cannot go, and an apply set gives it up.
#[test]
fn a_deleted_text_is_as_at_first() {
    let home = gated();
    home.apply(&text("gate-refusal", "Not before {{tool}}!"));
    let dry = home.orchctl(&[
        "delete",
        "prompt",
        "gate-refusal",
        "-p",
        "orch-system",
        "--dry-run=server",
    ]);
    dry.expect(0).saying(&["would be as it came with the daemon"]);
    let deleted = home
        .orchctl(&["delete", "prompt", "gate-refusal", "-p", "orch-system"])
        .expect(0);
    let deleted = deleted.saying(&["is as it came with the daemon"]);
    assert!(!deleted.stdout.contains("deleted"), "{deleted:?}");
    let client = Client::begin(&home, Era::Modern, "/mcp/projects/shop");
    let refused = client.ask("tools/call", json!({"name": "raw__echo", "arguments": {}}));
    let said = refused.answer["error"]["message"].as_str().expect("words");
    assert!(said.starts_with("The session has not begun"), "{said}");
    // And once more, when nothing has changed.
    home.orchctl(&["delete", "prompt", "gate-refusal", "-p", "orch-system"])
        .expect(0);

    let refused = home.orchctl(&["delete", "project", "orch-system", "--with-dependents"]);
    assert_ne!(refused.code, 0, "{refused:?}");
    assert!(refused.stderr.contains("cannot be deleted"), "{refused:?}");

    let worded = text("gate-refusal", "In a set: {{tool}}");
    home.orchctl_reading(&worded, &["apply", "-f", "-", "--set", "words"])
        .expect(0);
    let none = project("another", &[]);
    home.orchctl_reading(&none, &["apply", "-f", "-", "--set", "words", "--prune"])
        .expect(0);
    let live = home.get("projects/orch-system/prompts/gate-refusal");
    assert!(
        live["spec"]["content"]
            .as_str()
            .is_some_and(|text| text.starts_with("The session has not begun")),
        "{live}"
    );
    assert_eq!(live["status"]["applySet"], json!(null), "{live}");
}
