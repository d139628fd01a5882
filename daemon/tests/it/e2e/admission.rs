//! What is refused, with the finger on the place, and what stays protected.

use serde_json::{Value, json};

use super::{manifest, server, server_with};
use crate::support::daemon::{Home, eventually};
use crate::support::http::Answer;

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

/// What says nothing about an object is refused where it stands; an amount in bytes is no number of mebibytes.
#[test]
fn what_would_mean_nothing_is_refused() {
    let home = Home::new().started();
    let file = home.write(
        "odd.yaml",
        "apiVersion: orchctl.dev/v1\nkind: Server\nmetadata: {name: far}\nspec:\n  remote: {url: 'http://127.0.0.1:9/mcp'}\n  path: /other\n---\n\
         apiVersion: orchctl.dev/v1\nkind: Project\nmetadata: {name: shop}\nspec:\n  pages: {size: 2000}\n",
    );
    let file = file.to_str().expect("text");
    home.orchctl(&["apply", "-f", file])
        .expect(1)
        .saying(&["odd.yaml:12:", "spec.pages.size", "quote it: \"2000\""]);
    let mended = std::fs::read_to_string(file)
        .expect("the file")
        .replace("2000", "\"0\"");
    home.write("odd.yaml", &mended);
    home.orchctl(&["apply", "-f", file])
        .expect(1)
        .saying(&["odd.yaml:6:", "spec.path", "remote.url"]);
    home.write("odd.yaml", &mended.replace("  path: /other\n", ""));
    home.orchctl(&["apply", "-f", file]).expect(0);
}

#[test]
fn what_is_in_use_is_protected() {
    let home = Home::new().started();
    let count = |plural: &str| home.get(plural)["metadata"]["total"].clone();
    let kinds = ["llms", "agents", "prompts?allScopes=true"];
    let before = kinds.map(count);
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
    eventually("all that depended on it is gone", || kinds.map(count) == before);
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

/// An Llm that falls back on others.
fn llm(name: &str, fallbacks: &[String]) -> Value {
    let spec = json!({"provider": "scripted", "model": "demo", "script": [{"text": "x"}], "fallbacks": fallbacks});
    object("Llm", name, &spec)
}

fn object(kind: &str, name: &str, spec: &Value) -> Value {
    json!({"apiVersion": "orchctl.dev/v1", "kind": kind, "metadata": {"name": name}, "spec": spec})
}

fn post(home: &Home, path: &str, body: &Value) -> Answer {
    home.http("POST", path).json(body).send()
}

#[test]
fn references_that_meet_again_are_walked_once() {
    let home = Home::new().started();
    let name = |layer: u32, side: u32| format!("l{layer}-{side}");
    let mut llms = Vec::new();
    for layer in 0..64 {
        for side in 0..2 {
            let next: Vec<String> = (0..2)
                .filter(|_| layer < 63)
                .map(|side| name(layer + 1, side))
                .collect();
            llms.push(llm(&name(layer, side), &next));
        }
    }
    post(&home, "/api/v1/apply", &json!({"objects": llms})).expect(200);
    llms[127] = llm("l63-1", &["l60-0".to_owned()]);
    let refused = post(&home, "/api/v1/apply", &json!({"objects": llms}))
        .expect(422)
        .json();
    let told = refused["errors"][0]["message"].as_str().expect("a message");
    assert!(
        told.starts_with("the references go in a circle: l63-1 -> l60-0 -> l61-"),
        "{told}"
    );
}

#[test]
fn what_names_a_changed_object_of_its_set_is_looked_at_again() {
    let home = Home::new().started();
    let secret = |key: &str| object("Secret", "s", &json!({"data": {key: "x"}}));
    let env = json!([{"name": "T", "valueFrom": {"secretRef": {"name": "s", "key": "k"}}}]);
    let user = object(
        "Server",
        "u",
        &json!({"command": ["orch-notes"], "replicas": 0, "env": env}),
    );
    let template = |parameter: &str| {
        let parameters = json!([{"name": parameter, "default": "x"}]);
        let server = json!({"command": ["orch-notes", format!("${{{parameter}}}")]});
        object("Template", "t", &json!({"parameters": parameters, "server": server}))
    };
    let made = json!({"template": {"name": "t", "parameters": {"greeting": "hi"}}, "replicas": 0});
    let made = object("Server", "m", &made);
    let set = |key: &str, parameter: &str| json!({"objects": [&user, secret(key), &made, template(parameter)]});
    post(&home, "/api/v1/apply", &set("k", "greeting")).expect(200);
    for (key, parameter, object) in [("z", "greeting", 0), ("k", "farewell", 2)] {
        let refused = post(&home, "/api/v1/apply", &set(key, parameter)).expect(422).json();
        assert_eq!(refused["errors"][0]["object"], object, "{refused}");
    }
}

#[test]
fn what_this_very_apply_prunes_is_not_said_to_be_deleted() {
    let home = Home::new().started();
    let project = object("Project", "web", &json!({"servers": []}));
    let mut prompt = object("Prompt", "tone", &json!({"content": "x"}));
    prompt["metadata"]["project"] = json!("web");
    let both = json!({"objects": [project, prompt], "set": "team"});
    post(&home, "/api/v1/apply", &both).expect(200);
    let one = json!({"objects": [prompt], "set": "team", "prune": true});
    let refused = post(&home, "/api/v1/apply", &one).expect(422);
    for said in [
        "project `web` would be pruned by this very apply",
        "keep it in the files",
    ] {
        assert!(refused.body.contains(said), "{}", refused.body);
    }
}

#[test]
fn moving_to_another_set_is_a_change() {
    let home = Home::new().started();
    let prompt = manifest("Prompt", "tone", &json!({"content": "x"}));
    home.apply(&prompt);
    home.orchctl_reading(&prompt, &["diff", "-f", "-"]).expect(0);
    let diff = home
        .orchctl_reading(&prompt, &["diff", "-f", "-", "--set", "team"])
        .expect(1);
    diff.saying(&["status.applySet (none) -> team", "1 to change"]);
    let apply = |more: &[&str]| home.orchctl_reading(&prompt, &[&["apply", "-f", "-", "--set", "team"], more].concat());
    apply(&["--dry-run"]).expect(0).saying(&["configured", "applySet"]);
    assert_eq!(home.get("prompts/tone")["status"].get("applySet"), None);
    apply(&[]).expect(0).saying(&["configured", "1 changed"]);
    apply(&[]).expect(0).saying(&["unchanged"]);
    let status = &home.get("prompts/tone")["status"];
    assert_eq!(
        (&status["applySet"], &status["generation"]),
        (&json!("team"), &json!(1))
    );
    home.orchctl_reading(&prompt, &["diff", "-f", "-", "--set", "other", "--take-over"])
        .expect(1)
        .saying(&["status.applySet team -> other"]);
}

#[test]
fn a_request_that_asks_too_much_is_refused_at_once() {
    let home = Home::new().started();
    let nothing = |count: usize| json!({"objects": vec![json!({}); count]});
    let refused = post(&home, "/api/v1/apply", &nothing(10_001)).expect(413);
    assert_eq!(refused.code(), "ORCH4102");
    let refused = post(&home, "/api/v1/apply", &nothing(10_000)).expect(422).json();
    assert_eq!(refused["errors"].as_array().map(Vec::len), Some(100));
    assert!(
        refused["detail"]
            .as_str()
            .is_some_and(|detail| detail.starts_with("more than 100 problems"))
    );
    // A body of twenty million values, all of them allowed by their size.
    let body = format!(r#"{{"objects":[{}{{}}]}}"#, "{},".repeat(20_000_000));
    let request = home
        .http("POST", "/api/v1/apply")
        .header("Content-Type", "application/json");
    let refused = request.body(body.into_bytes()).send().expect(413);
    assert_eq!(refused.code(), "ORCH4102");
}

#[test]
fn several_objects_are_deleted_as_one() {
    let home = Home::new().started();
    let template = manifest("Template", "t", &json!({"server": {"command": ["orch-notes"]}}));
    let user = manifest("Server", "s", &json!({"template": {"name": "t"}, "replicas": 0}));
    let both = format!("{template}{user}");
    home.apply(&both);
    let delete = |input: &str, more: &[&str]| home.orchctl_reading(input, &[&["delete", "-f", "-"], more].concat());
    delete(&template, &[])
        .expect(4)
        .saying(&["template/t is used by server/s"]);
    delete(&both, &["--dry-run"])
        .expect(0)
        .saying(&["template/t   would be deleted"]);
    let missing = manifest("Prompt", "none", &json!({"content": "x"}));
    delete(&format!("{both}{missing}"), &[])
        .expect(3)
        .saying(&["prompt/none does not exist"]);
    home.get("servers/s");
    delete(&format!("{both}{missing}"), &["--ignore-not-found"]).expect(0);
    home.http("GET", "/api/v1/templates/t").send().expect(404);
}
