//! What a token makes ends with it: with its time, with that of its projects, and when it is revoked or deleted.

use std::time::{Duration, UNIX_EPOCH};

use orch_shared::resource::Timestamp;
use serde_json::{Value, json};

use super::{furnished, make_token, object, token, with};
use crate::support::daemon::{Home, eventually};
use crate::support::database;
use crate::support::http::Answer;

/// That long from now.
fn soon(length: Duration) -> String {
    let now = UNIX_EPOCH.elapsed().expect("a time after 1970");
    Timestamp::from_millis(i64::try_from((now + length).as_millis()).expect("this millennium")).to_string()
}

fn text(made: Answer) -> String {
    made.expect(201).json()["credential"]
        .as_str()
        .expect("a credential")
        .to_owned()
}

fn made_by(home: &Home, by: &str, name: &str, spec: &Value) -> String {
    text(make_token(home, by, name, spec))
}

/// A token that lives in a project.
fn made_in(home: &Home, by: &str, (project, name): (&str, &str), spec: &Value) -> String {
    let mut object = object("Token", name, spec);
    object["metadata"]["project"] = project.into();
    text(
        with(home, "POST", &format!("/api/v1/projects/{project}/tokens"), by)
            .json(&object)
            .send(),
    )
}

/// The servers that a token sees; nothing when it opens nothing.
fn servers(home: &Home, token: &str) -> Option<Vec<String>> {
    let answer = with(home, "GET", "/api/v1/servers", token).send();
    if answer.status == 401 {
        return None;
    }
    let list = answer.expect(200).json();
    let items = list["items"].as_array().expect("items").iter();
    Some(
        items
            .filter_map(|item| item["metadata"]["name"].as_str().map(str::to_owned))
            .collect(),
    )
}

fn seen(names: &[&str]) -> Option<Vec<String>> {
    Some(names.iter().map(|name| (*name).to_owned()).collect())
}

fn phase(home: &Home, path: &str) -> Value {
    home.get(path)["status"]["phase"].clone()
}

#[test]
fn the_end_of_a_project_is_that_of_what_was_made_within_it() {
    let home = furnished();
    let last = soon(Duration::from_secs(12));
    let projects = json!([{"name": "x", "expiresAt": last}]);
    let maker = token(
        &home,
        "maker",
        &json!({"rbac": "owner", "projects": projects, "ttl": "30d"}),
    );
    let both = json!([{"name": "x", "expiresAt": last}, {"name": "zebra"}]);
    let broad = token(&home, "broad", &json!({"rbac": "owner", "projects": both}));
    let clone = json!({"rbac": "clone", "ttl": "20d"});
    let inside = made_in(&home, &maker, ("x", "inside"), &clone);
    // What has an end by its project has one for what it makes.
    let mut longer = object("Token", "further", &clone);
    longer["metadata"]["project"] = "x".into();
    let refused = with(&home, "POST", "/api/v1/projects/x/tokens", &inside)
        .json(&longer)
        .send();
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (403, "ORCH4005"),
        "{}",
        refused.body
    );
    let until = json!({"rbac": "clone", "expiresAt": last});
    let further = made_in(&home, &inside, ("x", "further"), &until);
    let own = json!({"ttl": "20d", "grants": [{"roles": ["view"], "resources": ["servers"], "project": "x"}]});
    let listed = made_in(&home, &maker, ("x", "listed"), &own);
    let closing = made_in(&home, &broad, ("x", "closing"), &json!({"rbac": "clone"}));
    let staying = made_in(&home, &broad, ("zebra", "staying"), &clone);
    for of_x in [&maker, &inside, &further, &listed, &closing] {
        assert_eq!(servers(&home, of_x), seen(&["x"]));
    }
    assert_eq!(servers(&home, &broad), seen(&["x", "zebra"]));
    for name in ["inside", "further", "listed", "closing"] {
        let token = home.get(&format!("projects/x/tokens/{name}"));
        assert_eq!(token["status"]["expiresAt"], json!(last), "{name}");
    }
    assert_ne!(
        home.get("projects/zebra/tokens/staying")["status"]["expiresAt"],
        json!(last)
    );

    // What has no project left opens nothing, and says so.
    eventually("the time of the maker is over", || servers(&home, &maker).is_none());
    eventually("it says so", || phase(&home, "tokens/maker") == "Expired");
    assert_eq!(home.get("tokens/maker")["status"]["expiresAt"], json!(last));
    for of_x in [&inside, &further, &listed, &closing] {
        assert_eq!(servers(&home, of_x), None);
    }
    for of_zebra in [&broad, &staying] {
        assert_eq!(servers(&home, of_zebra), seen(&["zebra"]));
    }
}

#[test]
fn what_was_made_with_a_token_ends_with_it() {
    let home = furnished();
    let clone = json!({"rbac": "clone"});
    let line = |name: &str| {
        let maker = token(&home, name, &json!({"rbac": "owner"}));
        let child = made_by(&home, &maker, &format!("{name}-child"), &clone);
        let grandchild = made_in(&home, &child, ("x", &format!("{name}-grandchild")), &clone);
        for open in [&maker, &child, &grandchild] {
            assert!(servers(&home, open).is_some(), "{name}");
        }
        [maker, child, grandchild]
    };
    let ended = |name: &str, credentials: &[String]| {
        for credential in credentials {
            assert_eq!(servers(&home, credential), None, "{name}");
        }
        for path in [
            format!("tokens/{name}-child"),
            format!("projects/x/tokens/{name}-grandchild"),
        ] {
            assert_eq!(phase(&home, &path), "Revoked", "{path}");
            assert!(home.get(&path)["status"]["revokedAt"].is_string(), "{path}");
        }
    };
    let stays = line("stays");

    let revoked = line("revoked");
    let described = ["describe", "token", "revoked-child"];
    home.orchctl(&described)
        .expect(0)
        .saying(&["as long as the token that it was made with", "Active"]);
    home.orchctl(&["revoke", "token/revoked"]).expect(0);
    ended("revoked", &revoked);
    home.orchctl(&described).expect(0).saying(&["Revoked"]);

    let deleted = line("deleted");
    home.orchctl(&["delete", "token", "deleted"]).expect(0);
    ended("deleted", &deleted);

    let replaced = line("replaced");
    home.orchctl(&["create", "token", "replaced", "--force"]).expect(0);
    ended("replaced", &replaced);

    // By a set that it goes out of.
    let pruned = line("pruned");
    let apply = |objects: Value| {
        let order = json!({"objects": objects, "set": "team", "prune": true});
        home.http("POST", "/api/v1/apply").json(&order).send().expect(200);
    };
    apply(json!([object("Token", "pruned", &json!({"rbac": "owner"}))]));
    assert!(servers(&home, &pruned[1]).is_some());
    apply(json!([object("Prompt", "else", &json!({"content": "x"}))]));
    ended("pruned", &pruned);

    // One that goes in the middle takes only what it made.
    let middle = line("middle");
    home.orchctl(&["revoke", "token/middle-child"]).expect(0);
    assert!(servers(&home, &middle[0]).is_some());
    ended("middle", &middle[1..]);

    // With its time, too.
    let brief = token(&home, "brief", &json!({"rbac": "owner", "ttl": "2s"}));
    let child = made_by(&home, &brief, "brief-child", &json!({"rbac": "clone", "ttl": "1s"}));
    eventually("its time is over", || servers(&home, &brief).is_none());
    assert_eq!(servers(&home, &child), None);

    for open in &stays {
        assert!(servers(&home, open).is_some(), "others are left alone");
    }
}

#[test]
fn no_token_makes_itself_anew_for_longer() {
    let home = furnished();
    let brief = token(&home, "brief", &json!({"rbac": "owner", "ttl": "1h"}));
    let anew = object("Token", "brief", &json!({"rbac": "clone"}));
    let refused = |token: &str| {
        let request = with(&home, "POST", "/api/v1/tokens?force=true", token);
        let answer = request.json(&anew).send();
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (403, "ORCH4005"),
            "{}",
            answer.body
        );
    };
    refused(&brief);
    // Nor does one that it has made make it anew.
    let child = made_by(&home, &brief, "child", &json!({"rbac": "clone", "ttl": "30m"}));
    refused(&child);
    for open in [&brief, &child] {
        assert!(servers(&home, open).is_some(), "nothing has happened");
    }
}

/// Whoever ends a token may not know yet of what is being made with it just then.
#[test]
fn what_was_made_while_its_maker_ended_says_so() {
    let mut home = Home::new().started();
    let maker = token(&home, "maker", &json!({"rbac": "owner"}));
    let left = made_by(&home, &maker, "left", &json!({"rbac": "clone"}));
    home.orchctl(&["revoke", "token/maker"]).expect(0);
    home.stop();
    database::run(
        &home,
        "UPDATE resource SET status = json_remove(json_set(status, '$.phase', 'Active'), '$.revokedAt') \
         WHERE kind = 'Token' AND name = 'left'; UPDATE token SET revoked_at = NULL WHERE name = 'token/left'",
    );
    home.start();
    assert_eq!(servers(&home, &left), None);
    eventually("it says so", || phase(&home, "tokens/left") == "Revoked");
}
