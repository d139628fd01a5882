//! How somebody would try to get more than they were given.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use super::{ALL, furnished, machine, make_token, object, token, with};
use crate::e2e::{manifest, server_with};
use crate::support::daemon::{Home, eventually};
use crate::support::http::Request;
use crate::support::mcp;

fn grant(roles: &[&str], resources: &[&str]) -> Value {
    json!({"roles": roles, "resources": resources})
}

#[test]
fn a_credential_stands_in_its_header_and_nowhere_else() {
    let home = Home::new().started();
    let token = home.token();
    for path in [
        format!("/api/v1/servers?token={token}"),
        format!("/api/v1/servers?access_token={token}"),
        format!("/api/v1/servers?authorization=Bearer%20{token}"),
    ] {
        Request::new(home.address(), "GET", &path).send().expect(401);
    }
    for (name, value) in [
        ("X-Service-Account", "admin"),
        ("X-Forwarded-User", "admin"),
        ("X-Remote-User", "admin"),
        ("Orch-Impersonate", "admin"),
        ("Cookie", token.as_str()),
        ("X-Api-Key", token.as_str()),
    ] {
        let request = Request::new(home.address(), "GET", "/api/v1/servers");
        request.header(name, value).send().expect(401);
    }
    // Two credentials are none.
    let twice = format!(
        "GET /api/v1/servers HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {token}\r\nAuthorization: Bearer x\r\n\
         Connection: close\r\n\r\n",
        home.address()
    );
    let heard = crate::support::http::converse(home.address(), twice.as_bytes(), Duration::from_secs(2));
    assert!(heard.text.starts_with("HTTP/1.1 401 "), "{}", heard.text);
    for path in [
        "//api/v1/servers",
        "/api/v1//servers",
        "/api/v1/servers/../secrets",
        "/api/v1/%2e%2e/secrets",
        "/mcp/../api/v1/servers",
        "/mcp/servers/%2e%2e/%2e%2e/api/v1/servers",
        "/API/V1/servers",
    ] {
        let answer = Request::new(home.address(), "GET", path).send();
        assert_eq!(answer.status, 401, "{path}");
        assert_eq!(home.http("GET", path).send().status, 404, "{path}");
    }
    assert!(!home.logs().contains(&token), "the log holds a credential");
}

#[test]
fn nobody_grants_what_they_do_not_have() {
    let home = furnished();
    let clerk = machine(
        &home,
        "clerk",
        &json!([
            grant(&["view"], &["*"]),
            grant(
                &["create", "edit", "delete"],
                &["rolebindings", "groups", "tokens", "users", "serviceaccounts"]
            ),
        ]),
        &["logs"],
    );
    home.apply(
        &[
            manifest("Group", "bosses", &json!({})),
            manifest(
                "RoleBinding",
                "bosses",
                &json!({"subjects": [{"kind": "Group", "name": "bosses"}], "grants": [grant(&ALL, &["*"])]}),
            ),
            manifest("ServiceAccount", "boss", &json!({})),
            manifest(
                "RoleBinding",
                "boss",
                &json!({"subjects": [{"kind": "ServiceAccount", "name": "boss"}], "grants": [grant(&["reveal"], &["*"])]}),
            ),
        ]
        .concat(),
    );
    let clerks = json!([{"kind": "ServiceAccount", "name": "clerk"}]);
    let binding = |grants: Value, operations: &[&str]| json!({"subjects": clerks.clone(), "grants": grants, "operations": operations});
    let post = |kind: &str, plural: &str, name: &str, spec: &Value| {
        with(&home, "POST", &format!("/api/v1/{plural}"), &clerk)
            .json(&object(kind, name, spec))
            .send()
    };
    // What they have they may pass on.
    post(
        "RoleBinding",
        "rolebindings",
        "fine",
        &binding(json!([grant(&["view"], &["servers"])]), &["logs"]),
    )
    .expect(201);
    for (grants, operations) in [
        (json!([grant(&["run"], &["servers"])]), vec![]),
        (json!([grant(&["edit"], &["*"])]), vec![]),
        (json!([grant(&["reveal"], &["secrets"])]), vec![]),
        (json!([]), vec!["impersonate"]),
    ] {
        let more = binding(grants, &operations);
        let refused = post("RoleBinding", "rolebindings", "more", &more).expect(403);
        assert_eq!(refused.code(), "ORCH4005", "{more}");
        // Whichever way it is written.
        let put = with(&home, "PUT", "/api/v1/rolebindings/fine", &clerk);
        put.json(&object("RoleBinding", "fine", &more)).send().expect(403);
        let patch = with(&home, "PATCH", "/api/v1/rolebindings/fine", &clerk);
        patch.json(&json!({"spec": more})).send().expect(403);
        let apply = with(&home, "POST", "/api/v1/apply", &clerk);
        apply
            .json(&json!({"objects": [object("RoleBinding", "fine", &more)]}))
            .send()
            .expect(403);
    }
    // What it was under somebody else it does not become again.
    let wider = binding(json!([grant(&ALL, &["*"])]), &[]);
    home.http("PUT", "/api/v1/rolebindings/fine")
        .json(&object("RoleBinding", "fine", &wider))
        .send()
        .expect(200);
    let narrow = binding(json!([grant(&["view"], &["servers"])]), &[]);
    home.http("PUT", "/api/v1/rolebindings/fine")
        .json(&object("RoleBinding", "fine", &narrow))
        .send()
        .expect(200);
    let back = with(&home, "POST", "/api/v1/rolebindings/fine/rollback", &clerk)
        .json(&json!({"generation": 2}))
        .send();
    assert_eq!((back.status, back.code().as_str()), (403, "ORCH4005"));

    // Nor by way of a group, a machine, a token or a password.
    let joined = json!({"serviceAccounts": ["clerk"]});
    let group = with(&home, "PUT", "/api/v1/groups/bosses", &clerk)
        .json(&object("Group", "bosses", &joined))
        .send();
    assert_eq!((group.status, group.code().as_str()), (403, "ORCH4005"));
    for spec in [
        json!({"serviceAccount": "boss", "rbac": "owner"}),
        json!({"grants": [grant(&["run"], &["servers"])]}),
        json!({"operations": ["audit"]}),
    ] {
        let refused = make_token(&home, &clerk, "more", &spec);
        assert_eq!((refused.status, refused.code().as_str()), (403, "ORCH4005"), "{spec}");
    }
    let password = with(&home, "PUT", "/api/v1/users/admin/password", &clerk);
    let refused = password
        .json(&json!({"password": "correct horse battery"}))
        .send()
        .expect(403);
    assert_eq!(refused.code(), "ORCH4005");
    // Nor in the place of somebody else.
    let as_admin = with(&home, "GET", "/api/v1/servers", &clerk).header("Orch-Impersonate", "admin");
    as_admin.send().expect(403);
    let helper = machine(
        &home,
        "helper",
        &json!([grant(&["view"], &["servers"])]),
        &["impersonate"],
    );
    let seen = |path: &str| {
        with(&home, "GET", path, &helper)
            .header("Orch-Impersonate", "admin")
            .send()
    };
    seen("/api/v1/servers").expect(200);
    assert_eq!(seen("/api/v1/secrets").expect(200).json()["metadata"]["total"], 0);
    let nobody = with(&home, "GET", "/api/v1/servers", &helper).header("Orch-Impersonate", "nobody-there");
    nobody.send().expect(404);
}

#[test]
fn what_may_not_be_used_cannot_be_used_by_way_of_something_else() {
    let home = furnished();
    let author = machine(
        &home,
        "author",
        &json!([
            grant(&["view", "create", "edit", "run"], &["servers"]),
            {"roles": ["view"], "resources": ["secrets"], "names": ["x"]},
            {"roles": ["view", "edit", "run"], "resources": ["*"], "project": "x"},
        ]),
        &[],
    );
    let leaking = |secret: &str| {
        let value_from = json!({"secretRef": {"name": secret, "key": "token"}});
        json!({"command": ["orch-fixture"], "env": [{"name": "T", "valueFrom": value_from}]})
    };
    let make = |spec: &Value| {
        with(&home, "POST", "/api/v1/servers", &author)
            .json(&object("Server", "leak", spec))
            .send()
    };
    let refused = make(&leaking("x"));
    assert!(
        refused.status == 422 && refused.body.contains("may not be used by you"),
        "{refused:?}"
    );
    // Of what they may not see they do not even learn that it is there.
    let (hidden, absent) = (make(&leaking("zebra")), make(&leaking("absent")));
    assert_eq!(hidden.status, 422);
    let told = |body: &str, name: &str| {
        let problem: Value = serde_json::from_str(body).unwrap_or_default();
        problem["errors"].to_string().replace(name, "NAME")
    };
    assert_eq!(told(&hidden.body, "zebra"), told(&absent.body, "absent"));
    // A server that has a secret is not changed by somebody who may not use that secret.
    home.apply(&manifest("Server", "keeper", &leaking("x")));
    let patch = with(&home, "PATCH", "/api/v1/servers/keeper", &author);
    let refused = patch.json(&json!({"spec": {"command": ["sh", "-c", "env"]}})).send();
    assert!(
        refused.status == 422 && refused.body.contains("may not be used by you"),
        "{refused:?}"
    );
    let scale = with(&home, "POST", "/api/v1/servers/keeper/scale", &author);
    assert_eq!(scale.json(&json!({"replicas": 0})).send().status, 422);

    // A project lends what it lists to whoever may use what is in it.
    let lender = machine(
        &home,
        "lender",
        &json!([grant(&["view"], &["servers"]), {"roles": ["view", "edit", "run"], "resources": ["*"], "project": "x"}]),
        &[],
    );
    let list = with(&home, "PATCH", "/api/v1/projects/x", &lender);
    let refused = list.json(&json!({"spec": {"servers": ["x", "zebra"]}})).send();
    assert!(
        refused.status == 422 && refused.body.contains("may not be used by you"),
        "{refused:?}"
    );
}

#[test]
fn what_is_taken_away_is_gone_with_the_next_request() {
    let home = furnished();
    let view = json!([grant(&["view"], &["servers"])]);
    let servers = |token: &str| with(&home, "GET", "/api/v1/servers/x", token).send().status;
    let machine_token = machine(&home, "reader", &view, &[]);

    // A token that is revoked, while somebody uses it all the time.
    let over = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let asking = scope.spawn(|| {
            let mut answered = 0;
            while !over.load(Ordering::SeqCst) {
                answered += i32::from(servers(&machine_token) == 200);
            }
            // From the moment that the revocation was answered.
            (0..20).for_each(|_| assert_eq!(servers(&machine_token), 401));
            answered
        });
        std::thread::sleep(Duration::from_millis(300));
        home.http("POST", "/api/v1/tokens/reader/revoke")
            .json(&json!({}))
            .send()
            .expect(200);
        over.store(true, Ordering::SeqCst);
        assert!(asking.join().expect("a thread") > 3);
    });

    // A watch that is under way ends, too.
    let watcher = token(&home, "watcher", &json!({"serviceAccount": "reader", "rbac": "owner"}));
    let mut watch = with(&home, "GET", "/api/v1/servers?watch=1", &watcher).stream();
    assert_eq!(watch.status, 200);
    while watch.event().is_some_and(|(_, event)| event["type"] != "BOOKMARK") {}
    home.http("DELETE", "/api/v1/rolebindings/reader").send().expect(200);
    assert_eq!(servers(&watcher), 404, "the binding is gone");
    home.http("PATCH", "/api/v1/servers/zebra")
        .json(&json!({"metadata": {"labels": {"a": "b"}}}))
        .send()
        .expect(200);
    while let Some((_, event)) = watch.event() {
        assert!(
            !event.to_string().contains("\"a\""),
            "told after the right was gone: {event}"
        );
    }

    // And one in the place of somebody, with the rights of that one.
    let helper = machine(
        &home,
        "helper",
        &json!([grant(&["view"], &["servers"])]),
        &["impersonate"],
    );
    home.apply(
        &[
            manifest("User", "eve", &json!({})),
            manifest(
                "RoleBinding",
                "eve",
                &json!({"subjects": [{"kind": "User", "name": "eve"}], "grants": view.clone()}),
            ),
        ]
        .concat(),
    );
    let request = with(&home, "GET", "/api/v1/servers?watch=1", &helper).header("Orch-Impersonate", "eve");
    let mut watch = request.stream();
    assert_eq!(watch.status, 200);
    while watch.event().is_some_and(|(_, event)| event["type"] != "BOOKMARK") {}
    let touch = |value: &str| {
        let change = home.http("PATCH", "/api/v1/servers/zebra");
        let body = json!({"metadata": {"labels": {"b": value}}});
        change.json(&body).send().expect(200)
    };
    touch("before");
    let seen = std::iter::from_fn(|| watch.event()).any(|(_, event)| event.to_string().contains("before"));
    assert!(seen, "it is told what eve may see");
    home.http("DELETE", "/api/v1/rolebindings/eve").send().expect(200);
    touch("after");
    while let Some((_, event)) = watch.event() {
        assert!(
            !event.to_string().contains("after"),
            "told after eve's right was gone: {event}"
        );
    }

    // A machine that is deactivated, and one that is active again.
    home.apply(&manifest(
        "RoleBinding",
        "reader",
        &json!({"subjects": [{"kind": "ServiceAccount", "name": "reader"}], "grants": view}),
    ));
    assert_eq!(servers(&watcher), 200);
    let set = |active: bool| {
        let path = "/api/v1/serviceaccounts/reader";
        home.http("PATCH", path)
            .json(&json!({"spec": {"active": active}}))
            .send()
            .expect(200)
    };
    set(false);
    assert_eq!(servers(&watcher), 401);
    set(true);
    assert_eq!(servers(&watcher), 200);

    // Rights by a label go with the label.
    let labelled = machine(
        &home,
        "labelled",
        &json!([{"roles": ["view"], "resources": ["servers"], "selector": "team=core"}]),
        &[],
    );
    assert_eq!(servers(&labelled), 404);
    let label = |team: Value| {
        let path = "/api/v1/servers/x";
        home.http("PATCH", path)
            .json(&json!({"metadata": {"labels": {"team": team}}}))
            .send()
            .expect(200)
    };
    label("core".into());
    assert_eq!(servers(&labelled), 200);
    let uid = home.get("servers/x")["status"]["uid"]
        .as_str()
        .expect("a uid")
        .to_owned();
    assert_eq!(
        with(&home, "GET", &format!("/api/v1/servers/{uid}"), &labelled)
            .send()
            .status,
        200
    );
    label("edge".into());
    assert_eq!(servers(&labelled), 404);
    assert_eq!(
        with(&home, "GET", &format!("/api/v1/servers/{uid}"), &labelled)
            .send()
            .status,
        404
    );
}

#[test]
fn tools_are_shown_to_those_who_may_call_them() {
    let home = Home::new().started();
    home.apply(
        &[
            server_with("x", &[], json!({})),
            server_with("zebra", &[], json!({})),
            manifest("Project", "both", &json!({"servers": ["x", "zebra"]})),
        ]
        .concat(),
    );
    home.until_ready(&["server/x", "server/zebra"]);
    let ask = |token: &str, path: &str, method: &str, params: Value| {
        mcp::send(&mcp::request(home.address(), path, method, params).token(token))
    };
    let tools = |token: &str, path: &str| {
        let told = ask(token, path, "tools/list", json!({}));
        let list = told.answer["result"]["tools"].as_array().cloned().unwrap_or_default();
        list.iter()
            .map(|tool| tool["name"].as_str().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    let all = tools(&home.token(), "/mcp/servers/x");
    let one = all
        .iter()
        .find(|tool| tool.contains("echo"))
        .expect("a tool that answers")
        .clone();
    let other = all.iter().find(|tool| **tool != one).expect("another tool").clone();
    let bounded = machine(
        &home,
        "bounded",
        &json!([
            grant(&["view"], &["projects"]),
            {"roles": ["view", "run"], "resources": ["servers"], "names": ["x"], "tools": [one]},
        ]),
        &[],
    );
    assert_eq!(tools(&bounded, "/mcp/servers/x"), std::slice::from_ref(&one));
    // The gateway's own tool for long answers is everybody's.
    let own = "orch_read_page".to_owned();
    assert_eq!(
        tools(&bounded, "/mcp/projects/both"),
        [format!("x__{one}"), own.clone()]
    );
    let call = |path: &str, tool: &str| ask(&bounded, path, "tools/call", json!({"name": tool, "arguments": {}}));
    assert!(call("/mcp/servers/x", &one).answer["result"].is_object());
    for (path, tool) in [
        ("/mcp/servers/x", other.clone()),
        ("/mcp/projects/both", format!("x__{other}")),
        ("/mcp/projects/both", format!("zebra__{one}")),
    ] {
        let told = call(path, &tool);
        assert!(
            told.answer["error"].is_object() && told.text.contains("Unknown tool"),
            "{path} {tool}: {told:?}"
        );
    }
    assert_eq!(call("/mcp/servers/zebra", &one).status, 404);

    // To see a server is not to use it, and a token of the gateway opens nothing else.
    let viewer = machine(&home, "viewer", &json!([grant(&["view"], &["*"])]), &[]);
    assert_eq!(ask(&viewer, "/mcp/servers/x", "tools/list", json!({})).status, 403);
    assert_eq!(tools(&viewer, "/mcp/projects/both"), [own]);
    let of_gateway = token(&home, "mcp", &json!({"rbac": "owner", "surface": "mcp"}));
    assert_eq!(tools(&of_gateway, "/mcp/servers/x"), all);
    with(&home, "GET", "/api/v1/servers", &of_gateway).send().expect(403);
    // What others say to their tools is nobody's business.
    let begin = json!({
        "jsonrpc": "2.0", "id": 1, "method": "initialize",
        "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
    });
    let begun = home
        .http("POST", "/mcp/projects/both")
        .header("Accept", "application/json, text/event-stream");
    begun.json(&begin).send().expect(200);
    let sessions = |token: &str| {
        with(&home, "GET", "/api/v1/projects/both/sessions", token)
            .send()
            .expect(200)
            .json()
    };
    let id = sessions(&home.token())["items"][0]["id"]
        .as_str()
        .expect("a session")
        .to_owned();
    assert_eq!(sessions(&viewer)["items"], json!([]));
    let traffic = format!("/api/v1/projects/both/sessions/{id}/traffic");
    with(&home, "GET", &traffic, &viewer).send().expect(404);
    // With the right gone, the next list is another one.
    home.http("DELETE", "/api/v1/rolebindings/bounded").send().expect(200);
    assert_eq!(ask(&bounded, "/mcp/servers/x", "tools/list", json!({})).status, 404);
}

#[test]
fn passwords_open_a_session_and_guessing_is_slowed_down() {
    let home = Home::new().started();
    home.apply(&manifest("User", "ann", &json!({})));
    let right = "correct horse battery";
    let set = || home.http("PUT", "/api/v1/users/ann/password");
    set().json(&json!({"password": "short"})).send().expect(400);
    set().json(&json!({"password": right})).send().expect(204);
    let log_in = |user: &str, password: &str| {
        let request = Request::new(home.address(), "POST", "/api/v1/login");
        request.json(&json!({"user": user, "password": password})).send()
    };
    let told = log_in("ann", right).expect(200).json();
    let session = told["token"].as_str().expect("a token").to_owned();
    let who = with(&home, "GET", "/api/v1/whoami", &session).send().expect(200).json();
    assert_eq!(
        (
            who["principal"].as_str(),
            who["bounds"][0]["grants"].as_array().map(Vec::len)
        ),
        (Some("ann"), Some(0))
    );
    // She may do nothing yet; but she may leave.
    assert_eq!(
        with(&home, "GET", "/api/v1/servers", &session)
            .send()
            .expect(200)
            .json()["metadata"]["total"],
        0
    );
    with(&home, "DELETE", "/api/v1/logins/current", &session)
        .send()
        .expect(204);
    with(&home, "GET", "/api/v1/whoami", &session).send().expect(401);

    // Whether there is such a user, and whether it is active, shows neither in what is said nor in when it is.
    home.apply(&manifest("User", "gone", &json!({"active": false})));
    home.http("PUT", "/api/v1/users/gone/password")
        .json(&json!({"password": right}))
        .send()
        .expect(204);
    let words = |user: &str, password: &str| {
        let mut told = log_in(user, password).expect(401).json();
        told["requestId"] = Value::Null;
        told
    };
    assert_eq!(words("gone", right), words("none", right));
    for user in ["ann", "nobody", "admin"] {
        let statuses: Vec<u16> = (0..7).map(|_| log_in(user, "wrong wrong wrong").status).collect();
        assert_eq!(statuses, [401, 401, 401, 401, 401, 429, 429], "{user}");
    }
    let locked = log_in("ann", right).expect(429);
    assert!(locked.header("retry-after").is_some(), "{locked:?}");
    // Another password unlocks, and ends what the old one had opened.
    set()
        .json(&json!({"password": "another horse battery"}))
        .send()
        .expect(204);
    let session = log_in("ann", "another horse battery").expect(200).json()["token"]
        .as_str()
        .expect("a token")
        .to_owned();
    set().json(&json!({"password": right})).send().expect(204);
    with(&home, "GET", "/api/v1/whoami", &session).send().expect(401);
    let mut found_ann = false;
    // Nothing of it is in the log or on the disk.
    let logs = home.logs();
    for secret in [right, "another horse battery", session.as_str()] {
        assert!(!logs.contains(secret), "the log holds {secret}");
    }
    // The newest of it stands in a file beside the database.
    let mut looked_at = 0;
    for file in std::fs::read_dir(home.path("data")).expect("a directory") {
        let path = file.expect("an entry").path();
        let Ok(bytes) = std::fs::read(&path) else { continue };
        looked_at += bytes.len();
        for secret in [right, "another horse battery", session.as_str()] {
            assert!(!contains(&bytes, secret), "{} holds {secret}", path.display());
        }
        // What is searched is what was written: names are in the open.
        found_ann |= contains(&bytes, "ann");
    }
    assert!(looked_at > 0 && found_ann, "the database is somewhere else");
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[test]
fn an_administrator_who_has_locked_everybody_out_comes_back() {
    let mut home = Home::new().started();
    home.apply(&manifest("User", "ann", &json!({})));
    // The binding as somebody has made it follows no version of the daemon.
    let narrow = json!({"subjects": [{"kind": "User", "name": "admin"}], "grants": [grant(&["view"], &["servers"])]});
    home.http("PUT", "/api/v1/rolebindings/admin")
        .json(&object("RoleBinding", "admin", &narrow))
        .send()
        .expect(200);
    home.http("GET", "/api/v1/users").send().expect(200);
    home.http("POST", "/api/v1/users")
        .json(&object("User", "bob", &json!({})))
        .send()
        .expect(403);
    home.stop();
    home.orchd_to_end(&["token", "reset"]).expect(0);
    home.start();
    eventually("the administrator is one again", || {
        let made = home
            .http("POST", "/api/v1/users")
            .json(&object("User", "bob", &json!({})))
            .send();
        made.status == 201
    });
}
