//! Who may do what, from outside: every route for eight principals, and the ways in which somebody would try to get more.

mod acting;
mod audited;
mod growth;
mod guessed;
mod hidden;
mod labels;
mod lineage;
mod matrix;
mod meanwhile;
mod reviewed;
mod streams;
mod tour;
mod usage;
mod withdrawal;

use serde_json::{Value, json};

use super::{manifest, server_with};
use crate::support::daemon::Home;
use crate::support::http::{Answer, Request};

/// A daemon with objects of every kind: those called `x`, and beside them some called `zebra`, of which only an
/// administrator is to learn anything.
fn furnished() -> Home {
    let home = Home::new().started();
    let both = ["x", "zebra"].map(family);
    home.apply(&both.concat());
    home.until_ready(&["server/x", "server/zebra"]);
    home
}

/// An object of every kind, all of that name.
fn family(name: &str) -> String {
    let prompt = |scope: &str| {
        format!(
            "---\napiVersion: orchctl.dev/v1\nkind: Prompt\nmetadata: {{name: {name}{scope}}}\nspec: {{content: of {name}}}\n"
        )
    };
    [
        manifest(
            "Secret",
            name,
            &json!({"data": {"token": format!("stripes of {name}")}}),
        ),
        manifest("SecretBackend", name, &json!({"type": "local"})),
        manifest(
            "Llm",
            name,
            &json!({"provider": "scripted", "model": name, "script": [{"text": "hello"}]}),
        ),
        manifest("Project", name, &json!({"servers": [name]})),
        manifest("Agent", name, &json!({"llm": name, "project": name})),
        manifest("Template", name, &json!({"server": {"command": ["orch-fixture"]}})),
        server_with(name, &[], json!({"description": name})),
        prompt(""),
        prompt(&format!(", project: {name}")),
        prompt(&format!(", agent: {name}")),
        format!(
            "---\napiVersion: orchctl.dev/v1\nkind: Personality\nmetadata: {{name: {name}, agent: {name}}}\nspec: {{}}\n"
        ),
        manifest("User", name, &json!({})),
        manifest("Group", name, &json!({"users": [name]})),
        manifest("ServiceAccount", name, &json!({})),
        manifest(
            "RoleBinding",
            name,
            &json!({
                "subjects": [{"kind": "User", "name": name}],
                "grants": [{"roles": ["view"], "resources": ["users"], "names": [name]}],
            }),
        ),
        manifest("Token", name, &json!({})),
        format!(
            "---\napiVersion: orchctl.dev/v1\nkind: Token\nmetadata: {{name: {name}, project: {name}}}\nspec: {{}}\n"
        ),
    ]
    .concat()
}

/// A request with that credential; without one when it is empty.
fn with(home: &Home, method: &str, path: &str, token: &str) -> Request {
    let request = Request::new(home.address(), method, path);
    if token.is_empty() {
        request
    } else {
        request.token(token)
    }
}

/// A machine with those grants and operations, if any, and a token that may do all of it.
pub(super) fn machine(home: &Home, name: &str, grants: &Value, operations: &[&str]) -> String {
    home.apply(&manifest("ServiceAccount", name, &json!({})));
    if *grants != json!([]) || !operations.is_empty() {
        let binding = json!({
            "subjects": [{"kind": "ServiceAccount", "name": name}], "grants": grants, "operations": operations,
        });
        home.apply(&manifest("RoleBinding", name, &binding));
    }
    token(home, name, &json!({"serviceAccount": name, "rbac": "owner"}))
}

/// Makes a token, as the administrator.
pub(super) fn token(home: &Home, name: &str, spec: &Value) -> String {
    let made = make_token(home, &home.token(), name, spec).expect(201).json();
    made["credential"].as_str().expect("a credential").to_owned()
}

fn make_token(home: &Home, by: &str, name: &str, spec: &Value) -> Answer {
    let object = object("Token", name, spec);
    with(home, "POST", "/api/v1/tokens", by).json(&object).send()
}

fn object(kind: &str, name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "orchctl.dev/v1", "kind": kind, "metadata": {"name": name}, "spec": spec})
}

/// Every role.
const ALL: [&str; 6] = ["view", "create", "edit", "delete", "run", "reveal"];
