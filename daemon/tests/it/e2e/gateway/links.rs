//! What prompts link to: read through the project that the link names, for whoever may see it; and whether it can be read is in
//! the prompt's status, without anybody waiting for it.

use serde_json::json;

use super::{manifest, project, raw};
use crate::support::client::{Client, ERAS, text_of};
use crate::support::daemon::{Home, eventually};

/// A prompt of a project.
pub(super) fn prompt(name: &str, home: &str, spec: &serde_json::Value) -> String {
    manifest("Prompt", name, spec).replace(
        &format!("{{name: {name}}}"),
        &format!("{{name: {name}, project: {home}}}"),
    )
}

fn status(home: &Home, name: &str) -> (String, String) {
    let prompt = home.get(&format!("projects/web/prompts/{name}"));
    let conditions = prompt["status"]["conditions"].as_array().cloned().unwrap_or_default();
    let link = conditions.iter().find(|condition| condition["type"] == "LinkHealthy");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let of_link = link.map(|link| format!("{} {}", text(&link["status"]), text(&link["message"])));
    (text(&prompt["status"]["phase"]), of_link.unwrap_or_default())
}

#[test]
fn links_are_read_through_their_project_and_looked_after() {
    let home = Home::new().started();
    let manifests = raw("raw", &[])
        + &manifest("Server", "library", &json!({"command": ["orch-conformance"]}))
        + &project("web", &["raw"])
        + &project("shelf", &["library"])
        + &prompt(
            "across",
            "web",
            &json!({"link": "shelf/library:test://static-text", "priority": 90, "summary": "Read this."}),
        )
        + &prompt("nowhere", "web", &json!({"link": "shelf/library:test://is-not-there"}))
        + &prompt("not-offered", "web", &json!({"link": "shelf/raw:raw://echo"}))
        + &prompt("plain", "web", &json!({"content": "No link.", "priority": 20}));
    home.apply(&manifests);
    home.until_ready(&["server/raw", "server/library"]);
    eventually("links are looked at", || {
        status(&home, "across") == ("Ready".to_owned(), "True ".to_owned())
            && status(&home, "nowhere").0 == "Degraded"
            && status(&home, "not-offered").0 == "Degraded"
    });
    assert_eq!(status(&home, "plain"), ("Ready".to_owned(), String::new()));
    assert!(
        status(&home, "not-offered")
            .1
            .contains("which project/shelf does not offer")
    );
    for era in ERAS {
        let client = Client::begin(&home, era, "/mcp/projects/web");
        let read = client.result("prompts/get", json!({"name": "across"}));
        assert!(
            read["messages"][0]["content"]["text"]
                .as_str()
                .is_some_and(|text| text.len() > 5),
            "{era:?}: {read}"
        );
        let refused = client.ask("prompts/get", json!({"name": "nowhere"}));
        assert!(refused.answer["error"].is_object(), "{era:?}: {refused:?}");
    }

    let listed = home.orchctl(&["get", "prompts", "-p", "web"]).expect(0);
    let listed = listed.saying(&["PRI", "LINK", "STATUS", "shelf/library:test://static-text", "Degraded"]);
    assert!(
        listed
            .stdout
            .lines()
            .any(|line| line.contains("plain") && line.contains("20")),
        "{listed:?}"
    );
    let described = home.orchctl(&["describe", "project", "web"]).expect(0);
    let at = |what: &str| {
        described
            .stdout
            .find(what)
            .unwrap_or_else(|| panic!("{what}: {described:?}"))
    };
    assert!(
        at("Prompts") < at("across") && at("across") < at("nowhere:") && at("not-offered:") < at("plain:"),
        "{described:?}"
    );
    home.orchctl(&["why", "prompt", "nowhere", "-p", "web"])
        .saying(&["LinkHealthy"]);

    // What is offered from now on can be read from now on.
    home.apply(&project("shelf", &["library", "raw"]));
    eventually("the link is sound", || status(&home, "not-offered").0 == "Ready");
    // And a server that goes is told of.
    home.orchctl(&["scale", "server", "library", "--replicas", "0"])
        .expect(0);
    let client = Client::begin(&home, crate::support::client::Era::Legacy, "/mcp/projects/web");
    eventually("the link is broken", || {
        let _ = client.ask("prompts/get", json!({"name": "across"}));
        status(&home, "across").0 == "Degraded"
    });
    assert!(!client.names("prompts/list").is_empty(), "nobody waits for it");
}

/// A gated project tells of a link that cannot be read, and begins nevertheless.
#[test]
fn a_broken_link_keeps_no_session_from_beginning() {
    let home = Home::new().started();
    let manifests = manifest(
        "Server",
        "library",
        &json!({"command": ["orch-conformance"], "replicas": 0}),
    ) + &manifest("Project", "web", &json!({"servers": ["library"], "gated": true}))
        + &prompt(
            "rules",
            "web",
            &json!({"link": "web/library:test://static-text", "priority": 100}),
        );
    home.apply(&manifests);
    for era in ERAS {
        let client = Client::begin(&home, era, "/mcp/projects/web");
        let begun = client.call("begin_session", json!({"description": "anything"}));
        let text = text_of(&begun);
        assert!(
            text.contains("## rules") && text.contains("cannot be read now"),
            "{era:?}: {text}"
        );
    }
}
