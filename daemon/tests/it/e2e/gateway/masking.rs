//! Values of Secrets that a server says aloud: those who called it hear them as it said them; nobody else does.

use serde_json::{Value, json};

use super::links::prompt;
use super::{at, manifest, project, raw, raw_with};
use crate::support::client::{Client, ERAS, Era};
use crate::support::daemon::{Home, each_file, eventually};

const VALUE: &str = "correct-horse-battery-staple";

/// How the server of these tests refuses, as it may be shown.
const SHOWN: &str = "upstream rejected token ***";

/// A server that was given the value, and tells it with every error.
fn leaky(methods: &[&str]) -> String {
    let leaks: Vec<String> = methods.iter().map(|method| format!("{method}=TOKEN")).collect();
    let arguments: Vec<&str> = leaks.iter().flat_map(|leak| ["--leak", leak]).collect();
    let token = json!([{"name": "TOKEN", "valueFrom": {"secretRef": {"name": "keys", "key": "token"}}}]);
    manifest("Secret", "keys", &json!({"data": {"token": VALUE}}))
        + &raw_with("leaky", &arguments, json!({"env": token}))
}

#[track_caller]
fn check(text: &str, place: &str) {
    assert!(!text.contains(VALUE), "a secret value stands in {place}:\n{text}");
}

/// Why a list is missing, or a link cannot be read, is told everywhere, and nowhere with the value.
#[test]
fn reasons_that_quote_a_server_are_masked() {
    let mut home = Home::new().started();
    home.apply(
        &(leaky(&["tools/list", "resources/read"])
            + &raw("raw", &[])
            + &project("web", &["leaky", "raw"])
            + &prompt("linked", "web", &json!({"link": "web/leaky:raw://echo"}))),
    );
    // One that lists no tools is not well, and may be started anew meanwhile: it is asked until it has refused.
    home.until_ready(&["server/raw"]);
    for era in ERAS {
        let client = Client::begin(&home, era, "/mcp/projects/web");
        let own = Client::begin(&home, era, &at("leaky"));
        for (client, method, params) in [
            (&client, "tools/list", json!({})),
            (&own, "tools/list", json!({})),
            (&client, "prompts/get", json!({"name": "linked"})),
        ] {
            eventually("the client is told why", || {
                let told = client.ask(method, params.clone()).answer.to_string();
                check(&told, method);
                told.contains(SHOWN)
            });
        }
    }
    let describe = || home.orchctl(&["describe", "server", "leaky"]).stdout;
    eventually("the status tells it", || describe().contains(SHOWN));
    eventually("the prompt's status tells it", || {
        home.get("projects/web/prompts/linked")["status"]
            .to_string()
            .contains(SHOWN)
    });
    let events = || home.orchctl(&["events", "-o", "json"]).stdout;
    eventually("an event tells it", || events().contains(SHOWN));
    let audit = || home.orchctl(&["audit", "-o", "json"]).stdout;
    eventually("the audit log tells it", || audit().contains(SHOWN));
    for text in [
        describe(),
        events(),
        audit(),
        home.get("servers").to_string(),
        home.get("projects/web/prompts").to_string(),
    ] {
        check(&text, "what is shown");
    }
    home.stop();
    check(&home.logs(), "the daemon's log");
    each_file(&home.path("data"), &check);
}

/// Whoever watches a session sees what the server says, but not the value.
#[test]
fn what_is_shown_of_a_session_is_masked() {
    let home = Home::new().started();
    home.apply(&(leaky(&["tools/call"]) + &project("web", &["leaky"])));
    home.until_ready(&["server/leaky"]);
    let client = Client::begin(&home, Era::Legacy, "/mcp/projects/web");
    let sessions = home.get("projects/web/sessions");
    let id = sessions["items"][0]["id"].as_str().expect("a session");
    let mut traffic = home
        .http("GET", &format!("/api/v1/projects/web/sessions/{id}/traffic"))
        .stream();
    let told = client.ask("tools/call", json!({"name": "leaky__echo", "arguments": {}}));
    assert!(
        told.answer.to_string().contains(VALUE),
        "its client hears what it said: {told:?}"
    );
    for direction in ["from-client", "to-server", "from-server", "to-client"] {
        let (_, said): (_, Value) = traffic.event().expect("the stream goes on");
        assert_eq!(said["direction"], direction, "{said}");
        check(&said.to_string(), direction);
        if ["from-server", "to-client"].contains(&direction) {
            assert!(said["text"].as_str().is_some_and(|text| text.contains(SHOWN)), "{said}");
        }
    }
}
