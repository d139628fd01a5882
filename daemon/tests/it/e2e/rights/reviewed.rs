//! What may be done with something that may not be seen is answered as of something that is not there.

use serde_json::{Value, json};

use super::{machine, token, with};
use crate::e2e::{manifest, server_with};
use crate::support::client::{Client, Era};
use crate::support::daemon::Home;

#[test]
fn a_review_says_nothing_of_what_may_not_be_seen() {
    let home = Home::new().started();
    let labelled = |name: &str, team: &str| {
        server_with(name, &[], json!({"replicas": 0})).replace(
            &format!("{{name: {name}}}"),
            &format!("{{name: {name}, labels: {{team: {team}}}}}"),
        )
    };
    home.apply(
        &[
            labelled("hidden", "core"),
            labelled("shown", "open"),
            manifest("Project", "web", &json!({"servers": ["hidden", "shown"]})),
            manifest(
                "Llm",
                "m",
                &json!({"provider": "scripted", "model": "m", "script": [{"text": "x"}]}),
            ),
            manifest("Agent", "secretive", &json!({"llm": "m", "project": "web"})),
        ]
        .concat(),
    );
    // May do something with what is labelled so, or stands in that project, and sees other things.
    let grants = json!([
        {"roles": ["run", "edit"], "resources": ["servers"], "selector": "team=core"},
        {"roles": ["run", "edit"], "resources": ["*"], "project": "web"},
        {"roles": ["view", "run"], "resources": ["servers"], "selector": "team=open"},
    ]);
    let asking = machine(&home, "asking", &grants, &[]);
    let ask = |body: Value, name: &str| {
        let request = with(&home, "POST", "/api/v1/access-review", &asking).json(&body);
        request.send().expect(200).body.replace(name, "NAME")
    };
    for (kind, hidden, more) in [
        ("Server", "hidden", json!({})),
        ("Server", "hidden", json!({"tool": "echo"})),
        ("Agent", "secretive", json!({})),
        ("Prompt", "secretive", json!({})),
    ] {
        for role in ["view", "edit", "run", "delete"] {
            let of = |name: &str| {
                let mut body = json!({"role": role, "kind": kind, "name": name});
                if kind == "Prompt" {
                    body["name"] = json!("tone");
                    body["agent"] = json!(name);
                }
                body.as_object_mut()
                    .expect("a mapping")
                    .extend(more.as_object().expect("a mapping").clone());
                ask(body, name)
            };
            let hidden = of(hidden);
            match (role, kind) {
                // What answers to whoever may run it is there for them, at its own door.
                ("run", "Server" | "Agent") => assert!(hidden.contains(r#""allowed":true"#), "{kind} {more}: {hidden}"),
                _ => assert_eq!(hidden, of("absent"), "{role} {kind} {more}"),
            }
        }
    }
    // Nor is anything changed that is not seen, whoever may.
    let unseen = json!({"role": "edit", "kind": "Server", "name": "hidden"});
    assert!(ask(unseen, "hidden").contains(r#""allowed":false,"#));
    // Of what is seen, all is told.
    let seen = ask(json!({"role": "run", "kind": "Server", "name": "shown"}), "shown");
    assert!(seen.contains(r#""allowed":true"#), "{seen}");
    // Whoever asks about somebody else learns no more than that one would.
    let body = json!({"role": "run", "kind": "Server", "name": "hidden"});
    let actor = machine(
        &home,
        "actor",
        &json!([{"roles": ["view"], "resources": ["*"]}]),
        &["impersonate"],
    );
    let request = with(&home, "POST", "/api/v1/access-review", &actor).json(&body);
    let told = request
        .header("Orch-Impersonate", "serviceaccount/asking")
        .send()
        .expect(200);
    assert_eq!(told.json()["allowed"], false, "{}", told.body);
}

/// What whoever a token speaks for was granted besides is not the token's to know.
#[test]
fn a_token_is_told_what_holds_for_it() {
    let home = Home::new().started();
    home.apply(
        &[
            server_with("files", &[], json!({"replicas": 0})),
            server_with("ledger", &[], json!({"replicas": 0})),
            manifest("Project", "web", &json!({"servers": ["files"]})),
            manifest("Project", "payroll", &json!({"servers": ["ledger"]})),
        ]
        .concat(),
    );
    let grants = json!([
        {"roles": ["view", "edit", "reveal"], "resources": ["secrets"], "names": ["salaries"]},
        {"roles": ["view", "run"], "resources": ["*"], "project": "payroll"},
        {"roles": ["run"], "resources": ["servers"], "names": ["ledger"]},
        {"roles": ["view", "edit", "run"], "resources": ["servers"], "names": ["files"]},
        {"roles": ["view", "delete"], "resources": ["*"]},
    ]);
    let whole = machine(&home, "ci", &grants, &["audit", "logs"]);
    let confined = json!({"serviceAccount": "ci", "rbac": "empty", "projects": [{"name": "web"}],
        "grants": [{"roles": ["view", "run"], "resources": ["*"]}], "operations": ["logs"]});
    let confined = token(&home, "confined", &confined);
    let me = |token: &str| with(&home, "GET", "/api/v1/whoami", token).send().expect(200);
    let told = me(&confined);
    for hidden in ["salaries", "payroll", "ledger", "reveal", "delete", "edit", "audit"] {
        assert!(!told.body.contains(hidden), "{hidden}: {}", told.body);
    }
    let told = told.json();
    let bounds = told["bounds"].as_array().expect("bounds");
    assert_eq!(bounds.len(), 3, "{told}");
    for (bound, known) in bounds.iter().zip(["rolebinding/ci", "token/confined", "project/web"]) {
        let grants = bound["grants"].as_array().expect("grants");
        assert!(
            !grants.is_empty() && grants.iter().all(|grant| grant["rule"] == known),
            "{bound}"
        );
        assert!(
            grants.iter().all(|grant| grant.to_string().contains("in project web")),
            "{bound}"
        );
        assert_eq!(bound["operations"], json!(["logs"]));
    }
    // With nothing of its own to bound it, it is whatever whoever it speaks for may do.
    let told = me(&whole).json();
    assert_eq!(
        told["bounds"][0]["grants"].as_array().map(Vec::len),
        Some(grants.as_array().expect("grants").len())
    );
}

/// What is told of running something is what becomes of running it, also where it may not be seen.
#[test]
fn a_review_of_running_agrees_with_the_doors() {
    let home = Home::new().started();
    let labelled = |kind: &str, name: &str, env: &str, spec: Value| {
        manifest(kind, name, &spec).replace(
            &format!("{{name: {name}}}"),
            &format!("{{name: {name}, labels: {{env: {env}}}}}"),
        )
    };
    let model = |name: &str| json!({"provider": "scripted", "model": name, "script": [{"text": "x"}]});
    let fixture = || json!({"command": ["orch-fixture"]});
    home.apply(
        &[
            labelled("Llm", "prod", "prod", model("prod")),
            labelled("Llm", "test", "test", model("test")),
            labelled("Server", "prod", "prod", fixture()),
            labelled("Server", "test", "test", fixture()),
        ]
        .concat(),
    );
    home.until_ready(&["server/prod", "server/test"]);
    let tools = json!({"roles": ["run"], "resources": ["servers"], "selector": "env=prod", "tools": ["ech*"]});
    let models = json!({"roles": ["run"], "resources": ["llms"], "selector": "env=prod"});
    let runner = machine(&home, "runner", &json!([tools, models]), &[]);
    let review = |body: Value| {
        let request = with(&home, "POST", "/api/v1/access-review", &runner).json(&body);
        request.send().expect(200).json()["allowed"].clone()
    };
    let run = |kind: &str, name: &str| review(json!({"role": "run", "kind": kind, "name": name}));
    let call = |tool: &str| review(json!({"role": "run", "kind": "Server", "name": "prod", "tool": tool}));
    for (name, runs) in [("prod", true), ("test", false), ("absent", false)] {
        let said = json!({"model": name, "messages": [{"role": "user", "content": "hello"}]});
        let asked = with(&home, "POST", "/v1/chat/completions", &runner).json(&said).send();
        assert_eq!((asked.status == 200, run("Llm", name)), (runs, json!(runs)), "{name}");
        assert_eq!(run("Server", name), json!(runs), "{name}");
    }
    let path = "/mcp/servers/prod";
    let client = Client::begin_as(&home, Era::Legacy, path, &runner);
    let listed = client.names("tools/list");
    for tool in ["echo", "fail"] {
        assert_eq!(
            call(tool),
            json!(listed.contains(&tool.to_owned())),
            "{tool}: {listed:?}"
        );
    }
    assert!(listed.contains(&"echo".to_owned()), "{listed:?}");
    // What it takes besides is told.
    let edit = json!([{"roles": ["edit"], "resources": ["servers"]}]);
    let editor = machine(&home, "editor", &edit, &[]);
    let file = home.write("editor.token", &editor).display().to_string();
    let orchctl = |arguments: &[&str]| home.orchctl(&[arguments, &["--token-file", &file]].concat());
    orchctl(&["auth", "can-i", "edit", "server/prod"]).expect(1);
    orchctl(&["auth", "why", "edit", "server/prod"]).expect(0).saying(&[
        "may not edit server/prod: that takes the role `view` as well",
        "--role view --role edit --resource servers --name prod",
    ]);
    orchctl(&["auth", "why", "run", "server/prod", "--tool", "read_*"])
        .expect(0)
        .saying(&["--role run --resource servers --name prod --tool 'read_*'"]);
}
