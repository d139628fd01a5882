//! Nobody labels something into their own hands: what a selector would give is not had by whoever may edit labels.

use serde_json::{Value, json};

use super::{machine, object, token, with};
use crate::e2e::{manifest, server_with};
use crate::support::daemon::Home;

fn grant(roles: &[&str], resource: &str, selector: Option<&str>) -> Value {
    let mut grant = json!({"roles": roles, "resources": [resource]});
    if let Some(selector) = selector {
        grant["selector"] = selector.into();
    }
    grant
}

fn may(home: &Home, token: &str, role: &str, kind: &str, tool: Option<&str>) -> bool {
    let mut asked = json!({"role": role, "kind": kind, "name": "notes"});
    if let Some(tool) = tool {
        asked["tool"] = tool.into();
    }
    let review = with(home, "POST", "/api/v1/access-review", token);
    review.json(&asked).send().expect(200).json()["allowed"] == true
}

fn label(env: Option<&str>) -> Value {
    json!({"metadata": {"labels": {"env": env}}})
}

/// Patches the labels of a server; tells the status and the code.
fn relabel(home: &Home, token: &str, env: Option<&str>) -> (u16, String) {
    let answer = with(home, "PATCH", "/api/v1/servers/notes", token)
        .json(&label(env))
        .send();
    match answer.status {
        200 => (200, String::new()),
        status => (status, answer.code()),
    }
}

fn refused() -> (u16, String) {
    (403, "ORCH4005".to_owned())
}

fn allowed() -> (u16, String) {
    (200, String::new())
}

fn home() -> Home {
    let home = Home::new().started();
    home.apply(&server_with("notes", &[], json!({"replicas": 0})));
    home.apply(&manifest("Secret", "notes", &json!({"data": {"key": "planted"}})));
    home
}

#[test]
fn labels_give_their_writer_nothing_whichever_way_they_are_written() {
    let home = home();
    let lab = machine(
        &home,
        "lab",
        &json!([
            grant(&["view", "edit"], "servers", None),
            grant(&["view", "edit"], "secrets", None),
            grant(&["run"], "servers", Some("env=prod")),
            grant(&["reveal"], "secrets", Some("env=prod")),
        ]),
        &[],
    );
    // It once was what it is not now.
    let patched = |env: Option<&str>| {
        let patch = home.http("PATCH", "/api/v1/servers/notes").json(&label(env));
        patch.send().expect(200);
    };
    patched(Some("prod"));
    assert!(may(&home, &lab, "run", "Server", None));
    patched(None);
    for (kind, plural, role) in [("Server", "servers", "run"), ("Secret", "secrets", "reveal")] {
        let path = format!("/api/v1/{plural}/notes");
        let mut whole = home.get(&format!("{plural}/notes"));
        whole.as_object_mut().expect("a mapping").remove("status");
        whole["metadata"]["labels"] = json!({"env": "prod"});
        let ways = [
            with(&home, "PATCH", &path, &lab).json(&label(Some("prod"))),
            with(&home, "PUT", &path, &lab).json(&whole),
            with(&home, "POST", "/api/v1/apply", &lab).json(&json!({"objects": [whole]})),
            with(&home, "POST", "/api/v1/apply", &lab).json(&json!({"objects": [whole], "dryRun": true})),
        ];
        for (index, way) in ways.iter().enumerate() {
            let answer = way.send();
            assert_eq!(
                (answer.status, answer.code()),
                refused(),
                "{kind} {index}: {}",
                answer.body
            );
            assert!(answer.body.contains(role), "{}", answer.body);
        }
        assert!(!may(&home, &lab, role, kind, None), "{kind}");
    }
    let back = with(&home, "POST", "/api/v1/servers/notes/rollback", &lab)
        .json(&json!({"generation": 2}))
        .send();
    assert_eq!((back.status, back.code()), refused(), "{}", back.body);
    assert!(!may(&home, &lab, "run", "Server", None));

    // Other labels are no matter, and neither are these once somebody has given them, until they are taken away.
    assert_eq!(relabel(&home, &lab, Some("test")), allowed());
    patched(Some("prod"));
    let more = json!({"metadata": {"labels": {"team": "core"}}});
    with(&home, "PATCH", "/api/v1/servers/notes", &lab)
        .json(&more)
        .send()
        .expect(200);
    assert!(may(&home, &lab, "run", "Server", None));
    assert_eq!(relabel(&home, &lab, None), allowed());
    assert!(
        !may(&home, &lab, "run", "Server", None),
        "it keeps what it has given up"
    );
    assert_eq!(relabel(&home, &lab, Some("prod")), refused());
}

#[test]
fn neither_a_narrow_token_nor_the_place_of_another_is_a_way_around() {
    let home = home();
    let editing = grant(&["view", "edit"], "servers", None);
    let running = grant(&["run"], "servers", Some("env=prod"));
    machine(&home, "lab", &json!([editing, running]), &[]);
    // The token gains nothing; whoever it belongs to would.
    let narrow = token(&home, "narrow", &json!({"serviceAccount": "lab", "grants": [editing]}));
    assert_eq!(relabel(&home, &narrow, Some("prod")), refused());
    // Nor does a token of somebody who may do everything, that may do less itself.
    let wide = token(&home, "wide", &json!({"grants": [editing, running]}));
    assert_eq!(relabel(&home, &wide, Some("prod")), refused());
    let in_place = with(&home, "PATCH", "/api/v1/servers/notes", &home.token())
        .header("Orch-Impersonate", "serviceaccount/lab")
        .json(&label(Some("prod")))
        .send();
    assert_eq!((in_place.status, in_place.code()), refused());

    // More tools are more, and so is what may be done with copies.
    let reading = json!({"roles": ["run"], "resources": ["servers"], "tools": ["read_*"]});
    let reader = machine(&home, "reader", &json!([editing, running, reading]), &[]);
    assert!(may(&home, &reader, "run", "Server", Some("read_file")));
    assert_eq!(relabel(&home, &reader, Some("prod")), refused());
    assert!(!may(&home, &reader, "run", "Server", Some("write_file")));
    let copies = grant(&["delete"], "instances", Some("env=prod"));
    let watcher = machine(&home, "watcher", &json!([editing, copies]), &[]);
    assert_eq!(relabel(&home, &watcher, Some("prod")), refused());

    // Whoever has it anyway labels it, and whom else that lets do something is up to them.
    let runner = machine(
        &home,
        "runner",
        &json!([editing, grant(&["run"], "servers", None), running]),
        &[],
    );
    assert_eq!(relabel(&home, &runner, Some("prod")), allowed());
    let editor = machine(&home, "editor", &json!([editing]), &[]);
    assert_eq!(relabel(&home, &editor, None), allowed());
    assert_eq!(relabel(&home, &editor, Some("prod")), allowed());
}

#[test]
fn a_project_counts_for_an_agent_as_labels_do() {
    let home = Home::new().started();
    home.apply(&manifest(
        "Llm",
        "m",
        &json!({"provider": "scripted", "model": "m", "script": [{"text": "hello"}]}),
    ));
    home.apply(&(manifest("Project", "web", &json!({})) + &manifest("Agent", "a", &json!({"llm": "m"}))));
    let inside = json!({"roles": ["run"], "resources": ["agents"], "project": "web", "selector": "env=prod"});
    let seeing = json!({"roles": ["view"], "resources": ["llms", "projects"]});
    let mover = machine(
        &home,
        "mover",
        &json!([grant(&["view", "edit"], "agents", None), inside, seeing]),
        &[],
    );
    let patch = |body: Value| {
        with(&home, "PATCH", "/api/v1/agents/a", &mover)
            .json(&body)
            .send()
            .status
    };
    let (labels, project) = (json!({"labels": {"env": "prod"}}), json!({"project": "web"}));
    assert_eq!(patch(json!({"metadata": labels, "spec": project})), 403);
    // One after the other it is no better.
    assert_eq!(patch(json!({"metadata": labels})), 200);
    assert_eq!(patch(json!({"spec": project})), 403);
    let object = object("Agent", "a", &json!({"llm": "m"}));
    with(&home, "PUT", "/api/v1/agents/a", &mover)
        .json(&object)
        .send()
        .expect(200);
    assert_eq!(patch(json!({"spec": project})), 200);
    assert_eq!(patch(json!({"metadata": labels})), 403);
}

/// A project that lists a server brings it into the reach of grants narrowed to that project: also not into one's own hands.
#[test]
fn a_project_lists_no_server_into_the_hands_of_its_editor() {
    let home = home();
    home.apply(&server_with("own", &[], json!({"replicas": 0})));
    home.apply(&manifest("Project", "web", &json!({"servers": ["own"]})));
    let within = |roles: &[&str], resource: &str| json!({"roles": roles, "resources": [resource], "project": "web"});
    let editor = machine(
        &home,
        "editor",
        &json!([
            within(&["view", "edit"], "projects"),
            within(&["edit"], "servers"),
            // Who names a server for others must be able to use it.
            grant(&["view", "run"], "servers", None),
        ]),
        &[],
    );
    let list = |token: &str, servers: &[&str]| {
        let patch = json!({"spec": {"servers": servers}});
        let answer = with(&home, "PATCH", "/api/v1/projects/web", token).json(&patch).send();
        match answer.status {
            200 => allowed(),
            status => (status, answer.code()),
        }
    };
    assert!(!may(&home, &editor, "edit", "Server", None));
    assert_eq!(list(&editor, &["own", "notes"]), refused());
    assert!(!may(&home, &editor, "edit", "Server", None));
    // Others, and who has it already, list it; the rest of the project is the editor's.
    assert_eq!(list(&home.token(), &["own", "notes"]), allowed());
    assert!(may(&home, &editor, "edit", "Server", None));
    assert_eq!(list(&editor, &["notes"]), allowed());
    assert_eq!(
        list(&editor, &["notes", "own"]),
        refused(),
        "what was taken out is not taken in again"
    );
}
