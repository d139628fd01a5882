//! Nobody takes away what they do not have: bindings are changed and deleted by those who have what they give.

use serde_json::{Value, json};

use super::{ALL, furnished, machine, object, with};
use crate::support::daemon::Home;
use crate::support::http::Answer;

fn refused(answer: &Answer) {
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (403, "ORCH4005"),
        "{}",
        answer.body
    );
}

fn patch(home: &Home, token: &str, name: &str, body: &Value) -> Answer {
    let path = format!("/api/v1/rolebindings/{name}");
    with(home, "PATCH", &path, token).json(body).send()
}

fn spec(home: &Home, name: &str) -> Value {
    home.get(&format!("rolebindings/{name}"))["spec"].clone()
}

#[test]
fn the_administrator_is_stripped_by_nobody_who_may_do_less() {
    let home = furnished();
    let all = json!([{"roles": ALL, "resources": ["*"]}]);
    let carl = machine(&home, "carl", &all, &[]);
    let clerk = machine(
        &home,
        "clerk",
        &json!([{"roles": ["view", "create", "edit", "delete"], "resources": ["rolebindings", "users"]}]),
        &[],
    );
    let before = home.get("rolebindings/admin");
    let admin = json!({"kind": "User", "name": "admin"});
    let joined = json!({
        "metadata": {"annotations": {"orchctl.dev/operations": "none"}},
        "spec": {"operations": [], "subjects": [admin, {"kind": "ServiceAccount", "name": "carl"}]},
    });
    refused(&patch(&home, &carl, "admin", &joined));
    for by in [&carl, &clerk] {
        refused(&patch(&home, by, "admin", &json!({"spec": {"operations": ["logs"]}})));
        refused(&patch(&home, by, "admin", &json!({"metadata": {"labels": {"a": "b"}}})));
        for query in ["", "?dryRun=true"] {
            let path = format!("/api/v1/rolebindings/admin{query}");
            refused(&with(&home, "DELETE", &path, by).send());
        }
        let named = json!({"objects": [{"kind": "RoleBinding", "name": "admin"}]});
        refused(&with(&home, "POST", "/api/v1/delete", by).json(&named).send());
        // Nor along with whom it is for.
        let along = "/api/v1/users/admin?withDependents=true";
        refused(&with(&home, "DELETE", along, by).send());
    }
    let after = home.get("rolebindings/admin");
    assert_eq!(
        (&after["spec"], &after["metadata"]),
        (&before["spec"], &before["metadata"])
    );

    // Nor by way of a set, or of what it was before.
    let binding = |operations: &[&str]| {
        let spec = json!({"subjects": [{"kind": "User", "name": "x"}], "grants": all, "operations": operations});
        object("RoleBinding", "ops", &spec)
    };
    let apply = |token: &str, objects: Value| {
        let order = json!({"objects": objects, "set": "team", "prune": true});
        with(&home, "POST", "/api/v1/apply", token).json(&order).send()
    };
    apply(&home.token(), json!([binding(&[])])).expect(200);
    apply(&home.token(), json!([binding(&["backup"])])).expect(200);
    let prompt = object("Prompt", "else", &json!({"content": "x"}));
    refused(&apply(&carl, json!([prompt])));
    let back = with(&home, "POST", "/api/v1/rolebindings/ops/rollback", &carl);
    refused(&back.json(&json!({"generation": 1})).send());
    assert_eq!(spec(&home, "ops")["operations"], json!(["backup"]));

    // What one has oneself one gives and takes.
    let own = json!({"subjects": [{"kind": "User", "name": "x"}],
        "grants": [{"roles": ["view"], "resources": ["users"]}]});
    let made = object("RoleBinding", "own", &own);
    with(&home, "POST", "/api/v1/rolebindings", &clerk)
        .json(&made)
        .send()
        .expect(201);
    let wider = json!({"spec": {"grants": [{"roles": ["view", "edit"], "resources": ["users"]}]}});
    patch(&home, &clerk, "own", &wider).expect(200);
    with(&home, "POST", "/api/v1/rolebindings/own/rollback", &clerk)
        .json(&json!({}))
        .send()
        .expect(200);
    with(&home, "DELETE", "/api/v1/rolebindings/own", &clerk)
        .send()
        .expect(200);
    // With the operation that was lacking, all of that is allowed.
    let chief = machine(&home, "chief", &all, &["backup"]);
    apply(&chief, json!([prompt])).expect(200);
    home.http("GET", "/api/v1/rolebindings/ops").send().expect(404);
}

#[test]
fn a_binding_of_nothing_is_refused_whichever_way_it_is_written() {
    let home = furnished();
    let subjects = json!([{"kind": "User", "name": "x"}]);
    for nothing in [
        json!({"subjects": subjects}),
        json!({"subjects": subjects, "grants": [], "operations": []}),
    ] {
        let made = object("RoleBinding", "x", &nothing);
        for answer in [
            home.http("POST", "/api/v1/rolebindings").json(&made).send(),
            home.http("PUT", "/api/v1/rolebindings/x").json(&made).send(),
            home.http("POST", "/api/v1/apply")
                .json(&json!({"objects": [made]}))
                .send(),
        ] {
            assert!((400..500).contains(&answer.status), "{}", answer.body);
            assert!(answer.body.contains("a binding grants"), "{}", answer.body);
        }
    }
    let emptied = patch(&home, &home.token(), "x", &json!({"spec": {"grants": []}}));
    assert!(emptied.body.contains("a binding grants"), "{}", emptied.body);
    assert_eq!(spec(&home, "x")["grants"][0]["roles"], json!(["view"]));
}

/// The note by which operations are added is the daemon's, and whoever may change the rest does not write it.
#[test]
fn what_the_daemon_has_noted_stays_as_it_was() {
    let home = Home::new().started();
    let note = "orchctl.dev/operations";
    let noted = |home: &Home| home.get("rolebindings/admin")["metadata"]["annotations"][note].clone();
    let before = noted(&home);
    assert!(
        before.as_str().is_some_and(|known| known.contains("backup")),
        "{before}"
    );
    for (value, rest) in [(json!("none"), "kept"), (Value::Null, "also kept")] {
        let body = json!({"metadata": {"annotations": {note: value, "mine": rest}}});
        patch(&home, &home.token(), "admin", &body).expect(200);
        assert_eq!(noted(&home), before, "{value}");
        assert_eq!(home.get("rolebindings/admin")["metadata"]["annotations"]["mine"], rest);
    }
    let mut whole = home.get("rolebindings/admin");
    whole.as_object_mut().expect("a mapping").remove("status");
    whole["metadata"]["annotations"] = json!({note: "none", "mine": "applied"});
    let applied = home.http("POST", "/api/v1/apply").json(&json!({"objects": [whole]}));
    let told = applied.send().expect(200);
    assert!(told.body.contains("the daemon's own"), "{}", told.body);
    assert_eq!(noted(&home), before);
    // One that somebody makes anew is theirs.
    home.http("DELETE", "/api/v1/rolebindings/admin").send().expect(200);
}

/// What a group gives its members is taken from them by those alone who have it.
#[test]
fn members_are_put_out_of_a_group_by_nobody_who_may_do_less() {
    let home = furnished();
    let group = json!({"users": ["x", "admin"], "serviceAccounts": ["x"]});
    let made = object("Group", "chiefs", &group);
    let given = json!({"subjects": [{"kind": "Group", "name": "chiefs"}], "operations": ["backup"],
        "grants": [{"roles": ["view"], "resources": ["*"]}]});
    let order = json!({"objects": [made, object("RoleBinding", "chiefs", &given)], "set": "team"});
    home.http("POST", "/api/v1/apply").json(&order).send().expect(200);
    let groups = json!([{"roles": ALL, "resources": ["groups", "users"]}]);
    let clerk = machine(&home, "clerk", &groups, &[]);
    let chief = machine(
        &home,
        "chief",
        &json!([{"roles": ALL, "resources": ["*"]}]),
        &["backup"],
    );
    let path = "/api/v1/groups/chiefs";
    let change = |token: &str, spec: &Value| with(&home, "PATCH", path, token).json(&json!({"spec": spec})).send();
    for less in [
        json!({"users": ["x"]}),
        json!({"serviceAccounts": []}),
        json!({"users": null, "serviceAccounts": null}),
        // One for another.
        json!({"users": ["x", "zebra"]}),
    ] {
        refused(&change(&clerk, &less));
    }
    // As long as a binding names it, it does not go alone.
    with(&home, "DELETE", &format!("{path}?withDependents=true"), &clerk)
        .send()
        .expect(409);
    let mut emptied = object("Group", "chiefs", &json!({}));
    emptied["metadata"] = json!({"name": "chiefs"});
    refused(&with(&home, "PUT", path, &clerk).json(&emptied).send());
    assert_eq!(home.get("groups/chiefs")["spec"]["users"], group["users"]);
    // What does not change who is in it may be changed, and so may a group that gives nothing more.
    let labelled = json!({"metadata": {"labels": {"a": "b"}}});
    with(&home, "PATCH", path, &clerk).json(&labelled).send().expect(200);
    let other = with(&home, "PATCH", "/api/v1/groups/x", &clerk);
    other.json(&json!({"spec": {"users": []}})).send().expect(200);
    change(&chief, &json!({"users": ["x"]})).expect(200);
}
