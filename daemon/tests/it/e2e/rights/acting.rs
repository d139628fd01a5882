//! Who asks in the place of somebody is not that one: what others say to tools is not theirs to see, and what they ask counts for
//! them.

use serde_json::{Value, json};

use super::{furnished, machine, object, with};
use crate::e2e::manifest;
use crate::support::client::{Client, Era};
use crate::support::daemon::Home;

#[test]
fn what_others_say_to_tools_is_not_seen_in_their_place() {
    let home = furnished();
    let everything = json!([{"roles": ["view", "run"], "resources": ["*"]}]);
    home.apply(
        &[
            manifest("User", "ann", &json!({})),
            manifest(
                "RoleBinding",
                "ann",
                &json!({"subjects": [{"kind": "User", "name": "ann"}], "grants": everything}),
            ),
        ]
        .concat(),
    );
    let password = json!({"password": "correct horse battery"});
    home.http("PUT", "/api/v1/users/ann/password")
        .json(&password)
        .send()
        .expect(204);
    let login = json!({"user": "ann", "password": "correct horse battery"});
    let told = with(&home, "POST", "/api/v1/login", "")
        .json(&login)
        .send()
        .expect(200)
        .json();
    let ann = told["token"].as_str().expect("a credential").to_owned();
    let client = Client::begin_as(&home, Era::Legacy, "/mcp/projects/x", &ann);
    assert!(!client.names("tools/list").is_empty());

    let actor = machine(&home, "actor", &everything, &["impersonate"]);
    let watcher = machine(&home, "watcher", &everything, &["impersonate", "sessions"]);
    let path = "/api/v1/projects/x/sessions";
    let listed = |token: &str, in_place: &str| {
        let request = match in_place {
            "" => with(&home, "GET", path, token),
            other => with(&home, "GET", path, token).header("Orch-Impersonate", other),
        };
        request.send().expect(200).json()["items"]
            .as_array()
            .expect("items")
            .clone()
    };
    let own = listed(&ann, "");
    assert_eq!(own.len(), 1, "{own:?}");
    assert_eq!(listed(&actor, "ann"), Vec::<Value>::new());
    let traffic = format!("{path}/{}/traffic", own[0]["id"].as_str().expect("an id"));
    let watch = with(&home, "GET", &traffic, &actor).header("Orch-Impersonate", "ann");
    watch.send().expect(404);
    assert_eq!(listed(&watcher, "").len(), 1, "with the operation that was lacking");
}

#[test]
fn what_is_asked_in_the_place_of_others_counts_for_whoever_asks() {
    let home = Home::new().with(&["--principal-writes-per-minute", "8"]).started();
    let grants = json!([{"roles": ["view", "create"], "resources": ["prompts"]}]);
    for name in ["ann", "bob"] {
        home.apply(&manifest("User", name, &json!({})));
        let binding = json!({"subjects": [{"kind": "User", "name": name}], "grants": grants});
        home.apply(&manifest("RoleBinding", name, &binding));
    }
    let actor = machine(&home, "actor", &grants, &["impersonate"]);
    let write = |name: String, other: &str| {
        let prompt = object("Prompt", &name, &json!({"content": "x"}));
        let request = with(&home, "POST", "/api/v1/prompts", &actor).json(&prompt);
        request.header("Orch-Impersonate", other).send().status
    };
    // Whose place it is makes no difference: together they are as many as one may write.
    let written = (0..24).filter(|count| {
        let other = ["ann", "bob"][count % 2];
        write(format!("p{count}"), other) == 201
    });
    let written = written.count();
    assert!((8..=12).contains(&written), "{written}");
}
