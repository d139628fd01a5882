//! What is refused, with the finger on the place, and what stays protected.

use serde_json::json;

use super::{manifest, server, server_with};
use crate::support::daemon::{Home, eventually};

#[test]
fn every_mistake_of_every_document_is_told_with_its_place() {
    let home = Home::new().started();
    let file = home.write(
        "broken.yaml",
        "apiVersion: orchctl.dev/v1\nkind: Server\nmetadata: {name: a}\nspec:\n  command: [x]\n  replcas: 1\n---\n\
         apiVersion: orchctl.dev/v1\nkind: Server\nmetadata: {name: b}\nspec:\n  command: [x]\n  env:\n  - name: T\n    valueFrom:\n      secretRef: {name: gitae, key: t}\n",
    );
    let file = file.to_str().expect("text");
    home.orchctl(&["apply", "-f", file])
        .expect(1)
        .saying(&["broken.yaml:6:3", "spec.replcas", "replicas"]);
    home.write(
        "broken.yaml",
        &std::fs::read_to_string(file)
            .expect("the file")
            .replace("replcas", "replicas"),
    );
    home.apply(&manifest("Secret", "gitea", &json!({"data": {"t": "x"}})));
    let refused = home.orchctl(&["apply", "-f", file]).expect(1);
    refused.saying(&["broken.yaml:16:", "spec.env[0].valueFrom.secretRef", "gitae", "gitea"]);
    assert_eq!(home.get("servers")["metadata"]["total"], 0, "nothing was applied");
}

#[test]
fn what_is_in_use_is_protected() {
    let home = Home::new().started();
    home.apply(
        &[
            manifest("Llm", "fast", &json!({"provider": "scripted", "model": "demo", "script": [{"text": "x"}]})),
            manifest("Agent", "reviewer", &json!({"llm": "fast"})),
            "---\napiVersion: orchctl.dev/v1\nkind: Prompt\nmetadata: {name: tone, agent: reviewer}\nspec: {content: x}\n".to_owned(),
        ]
        .concat(),
    );
    home.orchctl(&["delete", "llm", "fast"])
        .expect(4)
        .saying(&["agent/reviewer", "--with-dependents"]);
    home.orchctl(&["delete", "llm", "fast", "--with-dependents", "--dry-run"])
        .expect(0)
        .saying(&["agent/reviewer"]);
    home.get("llms/fast");
    home.orchctl(&["delete", "llm", "fast", "--with-dependents"]).expect(0);
    for plural in ["llms", "agents", "prompts?allScopes=true"] {
        eventually("all that depended on it is gone", || {
            home.get(plural)["metadata"]["total"] == 0
        });
    }
}

#[test]
fn sets_are_applied_as_a_whole_or_not_at_all() {
    let home = Home::new().started();
    let good = server_with("good", &[], json!({"replicas": 0}));
    let bad = manifest("Agent", "bad", &json!({"llm": "missing"}));
    home.orchctl_reading(&format!("{good}{bad}"), &["apply", "-f", "-"])
        .expect(1)
        .saying(&["missing"]);
    home.orchctl(&["get", "server/good"]).expect(3);
    home.orchctl_reading(&good, &["apply", "-f", "-", "--dry-run=server"])
        .expect(0)
        .saying(&["created"]);
    home.orchctl(&["get", "server/good"]).expect(3);
    home.orchctl_reading(&format!("{good}{good}"), &["apply", "-f", "-"])
        .expect(1)
        .saying(&["already declared"]);
}

#[test]
fn writers_at_once_lose_nothing() {
    let home = Home::new().started();
    home.apply(&manifest("Prompt", "shared", &json!({"content": "0"})));
    let (writers, rounds) = (6, 8);
    std::thread::scope(|scope| {
        for writer in 0..writers {
            let home = &home;
            scope.spawn(move || {
                for round in 0..rounds {
                    let own = home.http("POST", "/api/v1/prompts").json(&json!({
                        "apiVersion": "orchctl.dev/v1", "kind": "Prompt",
                        "metadata": {"name": format!("p-{writer}-{round}")}, "spec": {"content": "x"},
                    }));
                    own.send().expect(201);
                    // Each adds one to what it has read; a stale write is refused and tried again.
                    loop {
                        let seen = home.http("GET", "/api/v1/prompts/shared").send().expect(200);
                        let content = seen.json()["spec"]["content"]
                            .as_str()
                            .and_then(|text| text.parse::<u32>().ok());
                        let next = content.expect("a number") + 1;
                        let patch = json!({"spec": {"content": next.to_string()}});
                        let patch = home.http("PATCH", "/api/v1/prompts/shared").json(&patch);
                        let answer = patch.header("If-Match", seen.header("etag").expect("a tag")).send();
                        match answer.status {
                            200 => break,
                            409 => {}
                            other => panic!("{other}: {}", answer.body),
                        }
                    }
                }
            });
        }
    });
    assert_eq!(
        home.get("prompts/shared")["spec"]["content"],
        (writers * rounds).to_string()
    );
    assert_eq!(home.get("prompts")["metadata"]["total"], writers * rounds + 1);
    let page = home.get("prompts?limit=10");
    assert_eq!(page["items"].as_array().map(Vec::len), Some(10));
    let next = page["metadata"]["continue"].as_str().expect("there is more");
    let next = home.get(&format!(
        "prompts?limit=10&continue={}",
        next.replace('=', "%3D").replace('+', "%2B")
    ));
    assert_ne!(
        next["items"][0]["metadata"]["name"],
        page["items"][0]["metadata"]["name"]
    );
}

#[test]
fn a_name_comes_free_when_what_bore_it_is_gone() {
    let home = Home::new().started();
    home.apply(&server("files", &["--ignore-end"]));
    home.until_ready(&["server/files"]);
    home.orchctl(&["delete", "server/files", "--wait=false"]).expect(0);
    // The command line tries again while the old one is ending.
    home.apply(&server("files", &[])).saying(&["created"]);
    home.until_ready(&["server/files"]);
}
