//! Files in, places of problems out.

use crate::support::daemon::{Answer, Daemon, server};
use crate::support::home::{Home, story};
use serde_json::json;

const BROKEN: &str = "\
apiVersion: orchctl.dev/v1
kind: Server
metadata:
  name: files
spec:
  command: [/bin/x]
  replcas: 2
  env:
  - name: A
    value: 8080
---
apiVersion: orchctl.dev/v1
kind: Sever
metadata:
  name: other
";

const SOUND: &str = "\
apiVersion: orchctl.dev/v1
kind: Server
metadata:
  name: files
spec:
  command: [/bin/x]
  env:
  - name: T
    valueFrom: {secretRef: {name: gitae, key: token}}
";

#[test]
fn every_problem_of_every_file_is_told_at_once() {
    let home = Home::new();
    home.write("team/broken.yaml", BROKEN);
    home.write(
        "team/twice.json",
        r#"{"apiVersion": "orchctl.dev/v1", "kind": "Prompt", "metadata": {"name": "files"}, "spec": {}}"#,
    );
    home.write("team/.hidden.yaml", "not: read");
    home.write("team/deeper/again.yml", SOUND);
    home.write("tabs.yaml", "a:\n\tb: c\n");
    let runs = [
        &["apply", "-f", "team"][..],
        &["apply", "-f", "team/*.yaml"],
        &["diff", "-f", "tabs.yaml"],
        &["apply", "-f", "missing.yaml"],
        &["apply", "-f", "none*.yaml"],
        &["apply", "-f", "https://example.com/x.yaml"],
        &["apply"],
        &["apply", "-f", "team/deeper", "--dry-run=client"],
    ];
    insta::assert_snapshot!(story(runs.map(|arguments| home.run(arguments))));
}

#[test]
fn standard_input_is_a_file_like_any_other() {
    let home = Home::new();
    let wrong = home.run_with_input(&["apply", "-f", "-"], "kind: [");
    let empty = home.run_with_input(&["apply", "-f", "-"], "# nothing\n---\n");
    insta::assert_snapshot!(story([wrong, empty]));
}

#[test]
fn problems_of_the_daemon_are_brought_back_to_their_places() {
    let problem = json!({
        "type": "https://orchctl.dev/errors/ORCH2001", "title": "t", "status": 422, "code": "ORCH2001",
        "detail": "1 problem; nothing was applied",
        "errors": [{
            "object": 0, "pointer": "/spec/env/0/valueFrom/secretRef/name", "code": "ORCH2101",
            "message": "secret `gitae` does not exist", "hint": "did you mean `gitea`? or apply it in the same set",
        }],
    });
    let daemon = Daemon::playing([Answer::json(422, &problem)]);
    let home = Home::with_daemon(&daemon.address);
    home.write("files.yaml", SOUND);
    insta::assert_snapshot!(story([home.run(&["apply", "-f", "files.yaml"])]));
    let asked = daemon.asked();
    assert_eq!(asked[0].line, "POST /api/v1/apply");
    assert_eq!(asked[0].header("authorization"), Some("Bearer orch_test"));
    assert_eq!(asked[0].json()["objects"][0]["metadata"]["name"], "files");
}

#[test]
fn apply_tells_what_became_of_each_object() {
    let outcomes = json!({"revision": 1284, "results": [
        {"ref": {"kind": "Server", "name": "files"}, "verdict": "configured", "generation": 1, "uid": "u",
         "changes": [{"path": "/spec/replicas", "from": 1, "to": 2}, {"path": "/spec/env/0/value", "from": "a", "to": "b"}],
         "warnings": ["this undoes a scale to 3"]},
        {"ref": {"kind": "Prompt", "name": "tone", "project": "web"}, "verdict": "pruned"},
        {"ref": {"kind": "Secret", "name": "gitea"}, "verdict": "unchanged"},
    ]});
    let daemon = Daemon::playing([
        Answer::json(200, &outcomes),
        Answer::json(200, &outcomes),
        Answer::json(200, &outcomes),
    ]);
    let home = Home::with_daemon(&daemon.address);
    home.write("files.yaml", SOUND);
    let runs = [
        &["apply", "-f", "files.yaml", "--set", "team", "--prune"][..],
        &["apply", "-f", "files.yaml", "--dry-run=server"],
        &["apply", "-f", "files.yaml", "-q"],
        &["apply", "-f", "files.yaml", "--prune"],
    ];
    insta::assert_snapshot!(story(runs.map(|arguments| home.run(arguments))));
    let asked = daemon.asked();
    assert_eq!(
        (&asked[0].json()["set"], &asked[0].json()["prune"]),
        (&json!("team"), &json!(true))
    );
    assert_eq!(asked[1].json()["dryRun"], true);
    assert_eq!(asked[2].json().get("dryRun"), None);
}

#[test]
fn diff_ends_in_nothing_something_or_worse() {
    let outcome = |verdict: &str| {
        json!({"revision": 1, "results": [{"ref": {"kind": "Server", "name": "files"}, "verdict": verdict,
               "changes": [{"path": "/spec/replicas", "from": 2}]}]})
    };
    let live = server("files", 1, &json!({"command": ["/bin/x"], "replicas": 2}));
    let daemon = Daemon::playing([
        Answer::json(200, &outcome("unchanged")),
        Answer::json(200, &outcome("configured")),
        Answer::json(200, &live),
        Answer::problem(422, "ORCH2001", "it is not to be"),
    ]);
    let home = Home::with_daemon(&daemon.address);
    home.write("files.yaml", SOUND);
    home.write("broken.yaml", "kind: [");
    let runs = [
        &["diff", "-f", "files.yaml"][..],
        &["diff", "-f", "files.yaml"],
        &["diff", "-f", "files.yaml"],
        &["diff", "-f", "broken.yaml"],
    ];
    insta::assert_snapshot!(story(runs.map(|arguments| home.run(arguments))));
}

#[test]
fn a_plan_carries_what_it_saw_and_nothing_in_the_open() {
    let outcome = json!({"revision": 7, "results": [
        {"ref": {"kind": "Secret", "name": "gitea"}, "verdict": "created"},
    ]});
    let daemon = Daemon::playing([
        Answer::json(200, &json!({"data": {"token": "sealed:v1:k1:AAAA"}})),
        Answer::json(200, &outcome),
        Answer::json(200, &outcome),
        Answer::problem(409, "ORCH3006", "secret/gitea was made since the plan"),
    ]);
    let home = Home::with_daemon(&daemon.address);
    let secret = "apiVersion: orchctl.dev/v1\nkind: Secret\nmetadata: {name: gitea}\nspec: {data: {token: hunter2}}\n";
    home.write("secret.yaml", secret);
    home.write("no.plan", "format: Plan/v9\n");
    let runs = [
        &["plan", "-f", "secret.yaml", "-o", "x.plan"][..],
        &["apply", "--plan", "x.plan"],
        &["apply", "--plan", "x.plan"],
        &["apply", "--plan", "no.plan"],
        &["apply", "--plan", "secret.yaml"],
    ];
    let told = story(runs.map(|arguments| home.run(arguments)));
    let plan = std::fs::read_to_string(home.path().join("x.plan")).unwrap();
    insta::assert_snapshot!(format!("{told}\n$ cat x.plan\n{plan}"));
    assert!(!plan.contains("hunter2"));
    let asked = daemon.asked();
    assert_eq!(
        asked[2].json()["expect"],
        json!([{"ref": {"kind": "Secret", "name": "gitea"}}])
    );
    assert_eq!(
        asked[2].json()["objects"][0]["spec"]["data"]["token"],
        "sealed:v1:k1:AAAA"
    );
}

#[test]
fn what_is_created_from_files_is_made_as_a_whole_or_not_at_all() {
    let there = server("b", 1, &json!({"command": ["/bin/x"]}));
    let daemon = Daemon::playing([
        Answer::problem(409, "ORCH3006", "server/b was made since the plan was"),
        Answer::problem(404, "ORCH3001", "no"),
        Answer::json(200, &there),
    ]);
    let home = Home::with_daemon(&daemon.address);
    let object = |name: &str| {
        format!("apiVersion: orchctl.dev/v1\nkind: Server\nmetadata: {{name: {name}}}\nspec: {{command: [/bin/x]}}\n")
    };
    home.write("two.yaml", &format!("{}---\n{}", object("a"), object("b")));
    let run = home.run(&["create", "-f", "two.yaml"]);
    assert_eq!((run.code, run.stdout.as_str()), (4, ""), "{run}");
    let said = "error: server/b exists already; nothing was created";
    assert!(run.stderr.starts_with(said), "{run}");
    let asked = daemon.asked();
    assert_eq!(asked[0].line, "POST /api/v1/apply");
    let absent = |name: &str| json!({"ref": {"kind": "Server", "name": name}});
    assert_eq!(asked[0].json()["expect"], json!([absent("a"), absent("b")]));
}
