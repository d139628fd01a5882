//! What the rules have said stands in the row of each request; and what is refused has one row, too.

use serde_json::{Value, json};

use super::{furnished, machine, object, token, with};
use crate::support::client::{Client, ERAS};
use crate::support::daemon::{Home, eventually};

/// The rows about requests with that id, each as: kind, verb, outcome, what the rules said.
fn rows(home: &Home, id: &str) -> Vec<String> {
    let all = home.get("audit?limit=1000");
    let items = all["items"].as_array().expect("items");
    let mine = items.iter().filter(|row| row["requestId"] == id);
    mine.map(line).collect()
}

fn line(row: &Value) -> String {
    let text = |field: &str| row[field].as_str().unwrap_or("-").to_owned();
    let said = match &row["decision"] {
        Value::Null => "undecided".to_owned(),
        decision => format!("{} {}", decision["allowed"], decision["rule"].as_str().unwrap_or("-")),
    };
    format!("{} {} {} | {said}", text("kind"), text("verb"), text("outcome"))
}

#[test]
fn each_row_says_by_which_rule() {
    let home = furnished();
    // Edits prompts, uses one tool of one server, sees both; reads logs.
    let clerk = machine(
        &home,
        "clerk",
        &json!([
            {"roles": ["view", "create", "edit"], "resources": ["prompts"]},
            {"roles": ["view"], "resources": ["servers", "projects"], "names": ["x"]},
            {"roles": ["run"], "resources": ["servers"], "names": ["x"], "tools": ["echo"]},
        ]),
        &["logs"],
    );
    let prompt = |name: &str| object("Prompt", name, &json!({"content": "new"}));
    let secret = object("Secret", "new", &json!({"data": {}}));
    let set = |objects: &[Value]| json!({"objects": objects});
    let own = "true rolebinding/clerk";
    let instances = home.get("instances");
    let logs_of = |server: &str| {
        let all = instances["items"].as_array().expect("items").iter();
        let mut names = all.filter_map(|instance| instance["metadata"]["name"].as_str());
        let name = names.find(|name| name.starts_with(server)).expect("an instance");
        format!("instances/{name}/logs")
    };
    let (logs, foreign) = (logs_of("x-"), logs_of("zebra-"));
    let asked: &[(&str, &str, Value, u16, String)] = &[
        (
            "GET",
            "prompts",
            Value::Null,
            200,
            format!("request list allowed | {own}"),
        ),
        (
            "GET",
            "prompts/x",
            Value::Null,
            200,
            format!("request get allowed | {own}"),
        ),
        (
            "GET",
            "prompts/x/history",
            Value::Null,
            200,
            format!("request history allowed | {own}"),
        ),
        (
            "GET",
            "prompts?watch=1&revision=999999",
            Value::Null,
            410,
            format!("request watch failed | {own}"),
        ),
        (
            "POST",
            "prompts",
            prompt("new"),
            201,
            format!("request create allowed | {own}"),
        ),
        (
            "POST",
            "apply",
            set(&[prompt("x"), prompt("newer")]),
            200,
            format!("request apply allowed | {own}"),
        ),
        (
            "PUT",
            "prompts/new",
            prompt("new"),
            200,
            format!("request replace allowed | {own}"),
        ),
        // Nothing of the kind can be seen: an empty list, decided by nothing.
        (
            "GET",
            "secrets",
            Value::Null,
            200,
            "request list allowed | undecided".to_owned(),
        ),
        (
            "GET",
            "secrets/zebra",
            Value::Null,
            404,
            "rbac_decision get denied | false view".to_owned(),
        ),
        (
            "DELETE",
            "secrets/zebra",
            Value::Null,
            404,
            "rbac_decision delete denied | false view".to_owned(),
        ),
        (
            "DELETE",
            "prompts/x",
            Value::Null,
            403,
            "rbac_decision delete denied | false delete".to_owned(),
        ),
        (
            "POST",
            "servers/x/restart",
            json!({}),
            403,
            "rbac_decision restart denied | false edit".to_owned(),
        ),
        (
            "POST",
            "secrets",
            secret.clone(),
            403,
            "rbac_decision create denied | false create secret/new".to_owned(),
        ),
        (
            "POST",
            "apply",
            set(&[prompt("x"), secret]),
            403,
            "rbac_decision apply denied | false create secret/new".to_owned(),
        ),
        ("GET", &logs, Value::Null, 200, format!("request logs allowed | {own}")),
        (
            "GET",
            &foreign,
            Value::Null,
            404,
            "rbac_decision logs denied | false view".to_owned(),
        ),
        (
            "GET",
            "audit",
            Value::Null,
            403,
            "rbac_decision audit denied | false audit".to_owned(),
        ),
        (
            "POST",
            "migrate-secrets",
            json!({"from": "default", "to": "far"}),
            403,
            "rbac_decision migrate denied | false migrate-secrets".to_owned(),
        ),
        // What is not there was not refused.
        (
            "GET",
            "prompts/none",
            Value::Null,
            404,
            format!("request get failed | {own}"),
        ),
    ];
    for (number, (method, path, body, status, _)) in asked.iter().enumerate() {
        let request = with(&home, method, &format!("/api/v1/{path}"), &clerk);
        let request = request.header("X-Request-Id", &format!("asked-{number}"));
        let request = if body.is_null() { request } else { request.json(body) };
        let answer = request.send();
        assert_eq!(answer.status, *status, "{method} {path}: {}", answer.body);
    }
    for (number, (method, path, _, status, expected)) in asked.iter().enumerate() {
        let id = format!("asked-{number}");
        eventually("the row is written", || !rows(&home, &id).is_empty());
        // An apply has a row for the request and one for each object, and all of them say the same.
        let mut told = rows(&home, &id);
        if *path == "apply" && *status == 200 {
            told.dedup();
        }
        assert_eq!(told, [expected.as_str()], "{method} {path}");
    }
}

#[test]
fn each_call_says_by_which_rule() {
    let home = furnished();
    let caller = machine(
        &home,
        "caller",
        &json!([
            {"roles": ["view"], "resources": ["projects"], "names": ["x"]},
            {"roles": ["run"], "resources": ["servers"], "names": ["x"], "tools": ["echo"]},
        ]),
        &[],
    );
    let told = || -> Vec<String> {
        let rows = home.get("audit?limit=1000&user=serviceaccount/caller&kind=tool_call");
        let mut lines: Vec<String> = rows["items"].as_array().expect("items").iter().map(line).collect();
        lines.sort();
        lines
    };
    for era in ERAS {
        for (path, prefix) in [("/mcp/projects/x", "x__"), ("/mcp/servers/x", "")] {
            let client = Client::begin_as(&home, era, path, &caller);
            drop(client.ask("tools/call", json!({"name": format!("{prefix}echo"), "arguments": {}})));
            // What is not granted is refused, whether or not there is such a tool.
            drop(client.ask("tools/call", json!({"name": format!("{prefix}crash"), "arguments": {}})));
            drop(client.ask("tools/call", json!({"name": format!("{prefix}none"), "arguments": {}})));
        }
    }
    let expected = [
        vec!["tool_call tools/call allowed | true rolebinding/caller"; 4],
        vec!["tool_call tools/call denied | false run"; 8],
    ];
    eventually("the calls are written down", || told().len() == 12);
    assert_eq!(told(), expected.concat());
    // A server that is there, and not for this one.
    let greeting = crate::support::client::greeting(crate::support::client::LEGACY, &json!({}));
    let request = with(&home, "POST", "/mcp/servers/zebra", &caller).header("X-Request-Id", "not-theirs");
    request
        .header("Accept", "application/json, text/event-stream")
        .json(&greeting)
        .send()
        .expect(404);
    assert_eq!(
        rows(&home, "not-theirs"),
        ["session_bind initialize denied | false run"]
    );
}

#[test]
fn a_credential_that_opens_nothing_any_more_is_named() {
    let home = Home::new().started();
    let brief = token(&home, "brief", &json!({"rbac": "owner", "ttl": "1s"}));
    let revoked = token(&home, "revoked", &json!({"rbac": "owner"}));
    with(&home, "GET", "/api/v1/servers", &revoked).send().expect(200);
    home.http("POST", "/api/v1/tokens/revoked/revoke")
        .json(&json!({}))
        .send()
        .expect(200);
    std::thread::sleep(std::time::Duration::from_millis(1100));
    for (name, credential) in [("brief", &brief), ("revoked", &revoked)] {
        let request = with(&home, "GET", "/api/v1/servers", credential).header("X-Request-Id", name);
        request.send().expect(401);
        eventually("the row is written", || !rows(&home, name).is_empty());
        let named = home.get(&format!("audit?token={name}&outcome=denied"));
        let named = named["items"].as_array().expect("items");
        assert_eq!(named.len(), 1, "{named:?}");
        assert_eq!((&named[0]["principal"], &named[0]["status"]), (&json!(""), &json!(401)));
    }
}

#[test]
fn each_login_has_one_row() {
    let home = Home::new().started();
    home.apply(&crate::e2e::manifest("User", "ann", &json!({})));
    let path = "/api/v1/users/ann/password";
    let set = home.http("PUT", path).header("X-Request-Id", "set");
    set.json(&json!({"password": "a password of ann"})).send().expect(204);
    let login = |id: &str, user: &str, password: &str| {
        let request = with(&home, "POST", "/api/v1/login", "").header("X-Request-Id", id);
        request.json(&json!({"user": user, "password": password})).send()
    };
    login("wrong", "ann", "another password").expect(401);
    login("nobody", "\u{1b}[2Jnobody", "another password").expect(401);
    let opened = login("right", "ann", "a password of ann").expect(200).json();
    let session = opened["token"].as_str().expect("a credential").to_owned();
    let out = with(&home, "DELETE", "/api/v1/logins/current", &session).header("X-Request-Id", "out");
    out.send().expect(204);
    for (id, who, expected) in [
        ("set", "admin", "request password allowed | true rolebinding/admin"),
        ("wrong", "ann", "login login denied | undecided"),
        ("nobody", "\\u{1b}[2Jnobody", "login login denied | undecided"),
        ("right", "ann", "login login allowed | undecided"),
        ("out", "ann", "login logout allowed | undecided"),
    ] {
        eventually("the row is written", || !rows(&home, id).is_empty());
        assert_eq!(rows(&home, id), [expected], "{id}");
        let all = home.get("audit?limit=1000");
        let row = all["items"]
            .as_array()
            .expect("items")
            .iter()
            .find(|row| row["requestId"] == id);
        assert_eq!(row.expect("a row")["principal"], who, "{id}");
    }
}

#[test]
fn refusals_of_somebody_who_is_known_are_theirs() {
    let home = furnished();
    let clerk = machine(
        &home,
        "clerk",
        &json!([{"roles": ["view"], "resources": ["servers"], "names": ["x"]}]),
        &[],
    );
    let of_gateway = token(&home, "mcp", &json!({"rbac": "owner", "surface": "mcp"}));
    let reference = |kind: &str, name: &str| json!({"kind": kind, "name": name});
    let delete = |names: &[&str]| {
        let objects: Vec<Value> = names.iter().map(|name| reference("Server", name)).collect();
        json!({"objects": objects})
    };
    let asked: &[(&str, &str, &str, Value, u16, &str, &str)] = &[
        (
            "GET",
            "servers",
            "admin",
            Value::Null,
            403,
            "rbac_decision list denied | false impersonate",
            "servers",
        ),
        (
            "POST",
            "delete",
            "",
            delete(&["zebra"]),
            404,
            "rbac_decision delete denied | false view",
            "server/zebra",
        ),
        (
            "POST",
            "delete",
            "",
            delete(&["x"]),
            403,
            "rbac_decision delete denied | false delete",
            "server/x",
        ),
        (
            "POST",
            "delete",
            "",
            delete(&["x", "zebra"]),
            404,
            "rbac_decision delete denied | false view",
            "server/zebra",
        ),
        (
            "POST",
            "seal",
            "",
            json!({"name": "gitea", "data": {"token": "t"}}),
            403,
            "rbac_decision seal denied | false create or edit",
            "secret/gitea",
        ),
        (
            "PUT",
            "users/zebra/password",
            "",
            json!({"password": "correct horse battery"}),
            404,
            "rbac_decision password denied | false view",
            "user/zebra",
        ),
    ];
    let send = |id: &str, token: &str, (method, path, as_whom, body): (&str, &str, &str, &Value)| {
        let request = with(&home, method, &format!("/api/v1/{path}"), token).header("X-Request-Id", id);
        let request = match as_whom {
            "" => request,
            other => request.header("Orch-Impersonate", other),
        };
        match body {
            Value::Null => request,
            body => request.json(body),
        }
        .send()
        .status
    };
    for (number, (method, path, as_whom, body, status, expected, about)) in asked.iter().enumerate() {
        let id = format!("refused-{number}");
        assert_eq!(
            send(&id, &clerk, (method, path, as_whom, body)),
            *status,
            "{method} {path}"
        );
        // Written before it was told.
        assert_eq!(rows(&home, &id), [*expected], "{method} {path} {body}");
        let row = row_of(&home, &id);
        assert_eq!(
            (&row["principal"], &row["token"], &row["via"]),
            (&json!("serviceaccount/clerk"), &json!("clerk"), &Value::Null),
            "{method} {path}"
        );
        let target = match row["target"]["name"].as_str() {
            Some(name) => format!(
                "{}/{name}",
                row["target"]["kind"].as_str().unwrap_or_default().to_lowercase()
            ),
            None => format!("{}s", row["target"]["kind"].as_str().unwrap_or_default().to_lowercase()),
        };
        assert_eq!(target, *about, "{method} {path}: {row}");
    }
    assert_eq!(send("door", &of_gateway, ("GET", "servers", "", &Value::Null)), 403);
    assert_eq!(rows(&home, "door"), ["rbac_decision list denied | false surface any"]);
    let row = row_of(&home, "door");
    assert_eq!((&row["principal"], &row["token"]), (&json!("admin"), &json!("mcp")));
    // What is left out on purpose is nobody's refusal.
    let mut lenient = delete(&["zebra"]);
    lenient["ignoreNotFound"] = json!(true);
    assert_eq!(send("lenient", &clerk, ("POST", "delete", "", &lenient)), 200);
    eventually("the row is written", || !rows(&home, "lenient").is_empty());
    assert_eq!(rows(&home, "lenient"), ["request delete allowed | undecided"]);
}

/// The row about the request with that id.
fn row_of(home: &Home, id: &str) -> Value {
    let all = home.get("audit?limit=1000");
    let items = all["items"].as_array().expect("items");
    let row = items.iter().find(|row| row["requestId"] == id);
    row.expect("a row").clone()
}

#[test]
fn what_is_only_tried_is_told_from_what_is_done() {
    let home = furnished();
    let prompts = json!([
        object("Prompt", "a", &json!({"content": "x"})),
        object("Prompt", "b", &json!({"content": "x"}))
    ]);
    let reference = |name: &str| json!({"kind": "Prompt", "name": name});
    let tried: &[(&str, &str, Value, u16, &str)] = &[
        (
            "POST",
            "apply",
            json!({"objects": prompts.clone(), "dryRun": true}),
            200,
            "dry run, 2 objects",
        ),
        ("POST", "apply", json!({"objects": prompts}), 200, "2 objects"),
        ("DELETE", "prompts/a?dryRun=true", Value::Null, 200, "dry run"),
        (
            "POST",
            "delete",
            json!({"objects": [reference("a"), reference("b")], "dryRun": true}),
            200,
            "dry run, 2 objects",
        ),
        (
            "DELETE",
            "secrets/none?dryRun=true",
            Value::Null,
            404,
            "dry run, ORCH3001",
        ),
        ("DELETE", "prompts/a", Value::Null, 200, ""),
    ];
    for (number, (method, path, body, status, said)) in tried.iter().enumerate() {
        let id = format!("tried-{number}");
        let request = home
            .http(method, &format!("/api/v1/{path}"))
            .header("X-Request-Id", &id);
        let request = match body {
            Value::Null => request,
            body => request.json(body),
        };
        request.send().expect(*status);
        eventually("the row is written", || !rows(&home, &id).is_empty());
        assert_eq!(
            row_of(&home, &id)["detail"].as_str().unwrap_or_default(),
            *said,
            "{method} {path}"
        );
    }
}

#[test]
fn a_key_that_is_given_as_a_name_is_not_kept() {
    let home = Home::new().started();
    let key = token(&home, "lost", &json!({"rbac": "owner"}));
    for (id, name) in [("whole", key.clone()), ("within", format!("Bearer {key} "))] {
        let request = with(&home, "POST", "/api/v1/login", "").header("X-Request-Id", id);
        request
            .json(&json!({"user": name, "password": "another password"}))
            .send()
            .expect(401);
        eventually("the row is written", || !rows(&home, id).is_empty());
        assert_eq!(row_of(&home, id)["principal"], "***", "{id}");
    }
    // Nor one that stands in an address, however it is written there.
    let body = key.strip_prefix("orch_").expect("a credential");
    for (id, path) in [
        ("plain", format!("servers/{key}")),
        ("encoded", format!("servers/%6frch_{body}")),
        ("twice", format!("servers/%256frch%255f{body}")),
    ] {
        let path = format!("/api/v1/{path}");
        let request = with(&home, "DELETE", &path, &home.token()).header("X-Request-Id", id);
        request.send().expect(404);
        eventually("the row is written", || !rows(&home, id).is_empty());
        assert_eq!(row_of(&home, id)["target"]["name"], "***", "{id}");
    }
    let all = home.get("audit?limit=1000").to_string();
    assert!(!all.contains(&body[..20]), "the audit log holds a credential");
    assert!(!home.logs().contains(&body[..20]), "the log holds a credential");
}

/// Whoever scrapes all day leaves no rows; who is not let do it leaves one.
#[test]
fn metrics_that_are_refused_are_noted() {
    let home = Home::new().started();
    let clerk = machine(&home, "clerk", &json!([]), &[]);
    let scraper = machine(&home, "scraper", &json!([]), &["metrics"]);
    let scrape = |token: &str, id: &str| {
        let request = with(&home, "GET", "/metrics", token).header("X-Request-Id", id);
        request.send().status
    };
    assert_eq!((scrape(&scraper, "may"), scrape(&clerk, "may-not")), (200, 403));
    assert_eq!(rows(&home, "may-not"), ["rbac_decision metrics denied | false metrics"]);
    assert_eq!(row_of(&home, "may-not")["principal"], "serviceaccount/clerk");
    assert_eq!(rows(&home, "may"), Vec::<String>::new());
}
