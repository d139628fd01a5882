//! Who applied what, and who tried to make what: the audit log answers for each object.

use serde_json::{Value, json};

use super::manifest;
use crate::support::daemon::{Home, eventually, on_each_database};

on_each_database!(
    each_object_of_an_apply_can_be_asked_about,
    who_was_refused_is_found_by_what_they_wanted
);

/// The rows that fit, oldest first.
fn rows(home: &Home, query: &str) -> Vec<Value> {
    let mut rows = home.get(&format!("audit?limit=1000&{query}"))["items"]
        .as_array()
        .expect("rows")
        .clone();
    rows.sort_by_key(|row| row["sequence"].as_i64());
    rows
}

fn prompt(name: &str, content: &str) -> Value {
    json!({"apiVersion": "orchctl.dev/v1", "kind": "Prompt", "metadata": {"name": name}, "spec": {"content": content}})
}

/// Applies, and says what was noted of that request.
fn applied(home: &Home, id: &str, body: &Value, status: u16) -> Vec<String> {
    let request = home.http("POST", "/api/v1/apply").header("X-Request-Id", id);
    request.json(body).send().expect(status);
    // What is only tried is written a moment later.
    eventually("it is written", || {
        rows(home, "verb=apply").iter().any(|row| row["requestId"] == id)
    });
    let all = rows(home, "verb=apply");
    let own = all.iter().filter(|row| row["requestId"] == id);
    own.map(|row| {
        let target = match row["target"]["name"].as_str() {
            Some(name) => format!("{}/{name}", row["target"]["kind"].as_str().expect("a kind")),
            None => "-".to_owned(),
        };
        let text = |key: &str| row[key].as_str().unwrap_or("-").to_owned();
        format!("{} {target} {} {}", text("principal"), text("outcome"), text("detail"))
    })
    .collect()
}

fn each_object_of_an_apply_can_be_asked_about(home: Home) {
    // With the row of the request as many as are told at once.
    const MANY: usize = 990;
    let home = home.started();
    let set = |objects: &[Value]| json!({"objects": objects, "set": "texts", "prune": true});
    let (a, b) = (prompt("a", "x"), prompt("b", "x"));
    let two = set(&[a.clone(), b]);
    let tried = json!({"objects": [a.clone()], "dryRun": true});
    let changed = set(&[a, prompt("c", "x")]);
    for (id, body, expected) in [
        ("tried", &tried, &["admin - allowed dry run, 1 object"][..]),
        (
            "made",
            &two,
            &[
                "admin - allowed 2 objects",
                "admin Prompt/a allowed created",
                "admin Prompt/b allowed created",
            ],
        ),
        ("again", &two, &["admin - allowed 2 objects"]),
        (
            "changed",
            &changed,
            &[
                "admin - allowed 3 objects",
                "admin Prompt/c allowed created",
                "admin Prompt/b allowed pruned",
            ],
        ),
        (
            "later",
            &json!({"objects": [prompt("a", "y")]}),
            &["admin - allowed 1 object", "admin Prompt/a allowed configured"],
        ),
    ] {
        assert_eq!(applied(&home, id, body, 200), expected, "{id}");
    }
    let of_a = home.orchctl(&["audit", "--target", "prompt/a", "-o", "json"]).expect(0);
    let said = |detail: &str| of_a.stdout.matches(&format!("\"{detail}\"")).count();
    assert_eq!((said("created"), said("configured")), (1, 1), "{}", of_a.stdout);

    // What a server owns goes along with it, and has no row of its own.
    home.apply(&manifest(
        "Server",
        "files",
        &json!({"command": ["orch-fixture"], "replicas": 1}),
    ));
    home.until_ready(&["server/files"]);
    let all = rows(&home, "verb=apply");
    assert!(all.iter().all(|row| row["target"]["kind"] != "Instance"));

    let many: Vec<Value> = (0..MANY).map(|number| prompt(&format!("p{number}"), "x")).collect();
    let told = applied(&home, "many", &json!({ "objects": many }), 200);
    assert_eq!(told.first().map(String::as_str), Some("admin - allowed 990 objects"));
    let of_prompts = rows(&home, "verb=apply&target=prompt/p989");
    assert_eq!(of_prompts.len(), 1);
    assert_eq!(of_prompts[0]["requestId"], "many");
    home.orchctl(&["audit", "verify"]).expect(0).saying(&["whole"]);
}

fn who_was_refused_is_found_by_what_they_wanted(home: Home) {
    let home = home.started();
    home.apply(
        &[
            manifest("ServiceAccount", "lab", &json!({})),
            manifest(
                "RoleBinding",
                "lab",
                &json!({
                    "subjects": [{"kind": "ServiceAccount", "name": "lab"}],
                    "grants": [{"roles": ["view", "create"], "resources": ["prompts"]}],
                }),
            ),
        ]
        .concat(),
    );
    let token = home.orchctl(&["create", "token", "lab", "--service-account", "lab", "--rbac", "owner"]);
    let token = token.expect(0).stdout.trim().to_owned();
    let lab = [("ORCHCTL_TOKEN", token.as_str())];
    let stolen = ["create", "secret", "stolen", "--from-literal", "a=b"];
    assert_ne!(home.orchctl_with(&lab, "", &stolen).code, 0);
    let found = |target: &str, outcome: &str| {
        let asked = ["audit", "--target", target, "--outcome", outcome, "-o", "json"];
        home.orchctl(&asked).expect(0).stdout
    };
    let told = found("secret/stolen", "denied");
    assert!(
        told.contains("serviceaccount/lab") && told.contains("\"create\""),
        "{told}"
    );
    // The same by apply, behind something that is allowed.
    let set = [
        manifest("Prompt", "mine", &json!({"content": "x"})),
        manifest("Secret", "taken", &json!({"data": {"a": "b"}})),
    ];
    assert_ne!(home.orchctl_with(&lab, &set.concat(), &["apply", "-f", "-"]).code, 0);
    let told = found("secret/taken", "denied");
    assert!(
        told.contains("serviceaccount/lab") && told.contains("\"apply\""),
        "{told}"
    );
    // What fails for another reason is found, too.
    home.orchctl(&["create", "prompt", "tone", "--content", "x"]).expect(0);
    assert_ne!(home.orchctl(&["create", "prompt", "tone", "--content", "x"]).code, 0);
    eventually("it is written", || {
        found("prompt/tone", "failed").contains("\"create\"")
    });
}
