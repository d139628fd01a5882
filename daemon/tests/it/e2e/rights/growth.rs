//! Ways around what was granted that somebody has found: each tried again, and found closed.

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::mpsc;
use std::time::Duration;

use serde_json::{Value, json};

use super::{furnished, machine, make_token, object, token, with};
use crate::e2e::manifest;
use crate::support::client::{Client, ERAS};
use crate::support::daemon::{Home, eventually};

fn grant(roles: &[&str], resources: &[&str], names: &[&str]) -> Value {
    match names {
        [] => json!({"roles": roles, "resources": resources}),
        _ => json!({"roles": roles, "resources": resources, "names": names}),
    }
}

/// What one may call of one server and another of another one: the list of the first leads the second nowhere.
#[test]
fn lists_of_two_with_mirrored_rights_are_two() {
    let home = furnished();
    home.apply(&manifest("Project", "two", &json!({"servers": ["x", "zebra"]})));
    let project = json!({"roles": ["view"], "resources": ["projects"], "names": ["two"]});
    let narrow =
        |server: &str| json!({"roles": ["run"], "resources": ["servers"], "names": [server], "tools": ["fail"]});
    let all = |server: &str| grant(&["run"], &["servers"], &[server]);
    let one = machine(&home, "one", &json!([project, narrow("x"), all("zebra")]), &[]);
    let other = machine(&home, "other", &json!([project, all("x"), narrow("zebra")]), &[]);
    for era in ERAS {
        let client = Client::begin_as(&home, era, "/mcp/projects/two", &one);
        assert!(client.names("tools/list").contains(&"zebra__echo".to_owned()));
        let client = Client::begin_as(&home, era, "/mcp/projects/two", &other);
        let listed = client.names("tools/list");
        assert!(listed.contains(&"x__echo".to_owned()), "{listed:?}");
        assert!(!listed.contains(&"zebra__echo".to_owned()), "{listed:?}");
        let called = client.ask("tools/call", json!({"name": "zebra__echo", "arguments": {}}));
        assert!(called.answer["error"].is_object(), "{:?}", called.answer);
    }
}

/// A listener that tells what it is sent, and answers nothing of use.
fn listener() -> (String, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let (heard, told) = mpsc::channel();
    std::thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let mut text = vec![0; 65_536];
            stream
                .set_read_timeout(Some(Duration::from_secs(1)))
                .expect("an option of every socket");
            let read = stream.read(&mut text).unwrap_or_default();
            let text = String::from_utf8_lossy(&text[..read]).into_owned();
            let (status, body) = match text.contains("sys/health") {
                true => (200, r#"{"initialized": true, "sealed": false, "version": "1.8.0"}"#),
                false => (400, "{}"),
            };
            let head = format!(
                "HTTP/1.1 {status} X\r\nContent-Length: {}\r\nConnection: close\r\n\r\n",
                body.len()
            );
            drop(stream.write_all((head + body).as_bytes()));
            if heard.send(text).is_err() {
                return;
            }
        }
    });
    (url, told)
}

#[test]
fn backends_are_led_away_by_nobody_who_may_not_move_values_and_no_file_leaves() {
    let home = Home::new().started();
    let (url, told) = listener();
    let file = home.path("data/keys.json");
    let file = if file.exists() { file } else { home.path("orchctl.yaml") };
    let backend = |name: &str| {
        object(
            "SecretBackend",
            name,
            &json!({"type": "openbao", "url": url, "auth": {"kubernetes": {"role": "x", "serviceAccountTokenPath": file}}}),
        )
    };
    let apply = |token: &str, object: &Value| {
        with(&home, "POST", "/api/v1/apply", token)
            .json(&json!({"objects": [object]}))
            .send()
    };
    let maker = machine(
        &home,
        "maker",
        &json!([grant(&["view", "create", "edit"], &["secretbackends"], &[])]),
        &[],
    );
    let refused = apply(&maker, &backend("far")).expect(403);
    assert!(refused.body.contains("migrate-secrets"), "{}", refused.body);
    // Somebody who may sends no file either that is no token of a service account.
    apply(&home.token(), &backend("far")).expect(200);
    eventually("the backend says what is the matter", || {
        home.get("secretbackends/far")["status"].to_string().contains("JWT")
    });
    let heard: Vec<String> = told.try_iter().collect();
    assert!(!heard.iter().any(|heard| heard.contains("jwt")), "{heard:?}");
    // Nor does anybody else say anew where it is.
    let moved = object(
        "SecretBackend",
        "far",
        &json!({"type": "openbao", "url": "http://127.0.0.1:9", "auth": {"kubernetes": {"role": "x"}}}),
    );
    apply(&maker, &moved).expect(403);
    // Which part of it is the daemon's, neither: another one holds the values of others.
    for part in [json!({"mount": "other"}), json!({"pathPrefix": "payroll"})] {
        let path = "/api/v1/secretbackends/far";
        let patch = |token: &str| with(&home, "PATCH", path, token).json(&json!({"spec": part})).send();
        let refused = patch(&maker).expect(403);
        assert!(refused.body.contains("migrate-secrets"), "{}", refused.body);
        patch(&home.token()).expect(200);
    }
    let said = json!({"metadata": {"labels": {"team": "core"}}});
    let labelled = with(&home, "PATCH", "/api/v1/secretbackends/far", &maker).json(&said);
    labelled.send().expect(200);
}

#[test]
fn values_are_moved_by_those_who_may_see_them_or_move_all() {
    let home = furnished();
    let (url, told) = listener();
    let own = json!({"type": "openbao", "url": url, "auth": {"token": {"secretRef": {"name": "x", "key": "token"}}}});
    home.apply(&manifest("SecretBackend", "away", &own));
    let editing = [
        grant(&["view", "edit"], &["secrets"], &["zebra"]),
        grant(&["view"], &["secretbackends"], &[]),
    ];
    let editor = machine(&home, "editor", &json!(editing), &[]);
    let patch = json!({"spec": {"backend": "away"}});
    let refused = with(&home, "PATCH", "/api/v1/secrets/zebra", &editor)
        .json(&patch)
        .send()
        .expect(403);
    assert!(refused.body.contains("reveal"), "{}", refused.body);
    let heard: Vec<String> = told.try_iter().collect();
    assert!(
        !heard.iter().any(|heard| heard.contains("stripes of zebra")),
        "{heard:?}"
    );
}

#[test]
fn a_password_of_somebody_who_is_kept_out_is_no_way_in() {
    let home = furnished();
    home.apply(&manifest(
        "RoleBinding",
        "chief",
        &json!({"subjects": [{"kind": "User", "name": "zebra"}], "grants": [grant(&["view", "reveal"], &["*"], &[])]}),
    ));
    let clerk = machine(&home, "clerk", &json!([grant(&["view", "edit"], &["users"], &[])]), &[]);
    let patch = |by: &str, active: bool| {
        let body = json!({"spec": {"active": active}});
        with(&home, "PATCH", "/api/v1/users/zebra", by).json(&body).send()
    };
    let set = |by: &str| {
        let body = json!({"password": "a password that is long enough"});
        with(&home, "PUT", "/api/v1/users/zebra/password", by)
            .json(&body)
            .send()
    };
    patch(&clerk, false).expect(403);
    set(&clerk).expect(403);
    // Whoever may keeps them out; that opens nothing to others.
    patch(&home.token(), false).expect(200);
    set(&clerk).expect(403);
    patch(&clerk, true).expect(403);
    // One who may do no more than the clerk is the clerk's to manage.
    let body = json!({"spec": {"active": false}});
    with(&home, "PATCH", "/api/v1/users/x", &clerk)
        .json(&body)
        .send()
        .expect(200);
}

#[test]
fn who_comes_later_is_somebody_else() {
    let home = Home::new().started();
    let (ann, rights) = (
        manifest("User", "ann", &json!({})),
        manifest(
            "RoleBinding",
            "ann",
            &json!({"subjects": [{"kind": "User", "name": "ann"}], "grants": [grant(&["view", "create", "run"], &["*"], &[])]}),
        ),
    );
    home.apply(&(ann.clone() + &rights));
    let password = json!({"password": "a password that is long enough"});
    home.http("PUT", "/api/v1/users/ann/password")
        .json(&password)
        .send()
        .expect(204);
    let login = json!({"user": "ann", "password": "a password that is long enough"});
    let session = with(&home, "POST", "/api/v1/login", "")
        .json(&login)
        .send()
        .expect(200)
        .json();
    let session = session["token"].as_str().expect("a credential").to_owned();
    let made = make_token(&home, &session, "hers", &json!({"rbac": "owner"}))
        .expect(201)
        .json();
    let hers = made["credential"].as_str().expect("a credential").to_owned();
    home.apply(&crate::e2e::server("files", &[]));
    home.until_ready(&["server/files"]);
    let client = Client::begin_as(&home, crate::support::client::Era::Legacy, "/mcp/servers/files", &hers);
    assert!(!client.names("tools/list").is_empty());
    home.orchctl(&["delete", "rolebinding/ann", "user/ann"]).expect(0);
    home.apply(&(ann + &rights));
    for (what, credential) in [("login", &session), ("token", &hers)] {
        let answer = with(&home, "GET", "/api/v1/servers", credential).send();
        assert_eq!(answer.status, 401, "{what}");
    }
    // A session of the earlier one is not there for the later one.
    let later = machine_of_user(&home, "ann");
    let id = client.session().expect("a session");
    let request = with(&home, "POST", "/mcp/servers/files", &later)
        .header("Accept", "application/json, text/event-stream")
        .header("MCP-Session-Id", id)
        .header("MCP-Protocol-Version", crate::support::client::LEGACY);
    request
        .json(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}))
        .send()
        .expect(404);
}

/// A login of a user, whose password is set anew.
fn machine_of_user(home: &Home, name: &str) -> String {
    let password = "another password that is long enough";
    let path = format!("/api/v1/users/{name}/password");
    home.http("PUT", &path)
        .json(&json!({"password": password}))
        .send()
        .expect(204);
    let login = json!({"user": name, "password": password});
    let answer = with(home, "POST", "/api/v1/login", "")
        .json(&login)
        .send()
        .expect(200)
        .json();
    answer["token"].as_str().expect("a credential").to_owned()
}

#[test]
fn a_template_hands_no_secret_to_those_who_may_not_use_it() {
    let home = furnished();
    let env = json!([{"name": "KEY", "valueFrom": {"secretRef": {"name": "zebra", "key": "token"}}}]);
    home.apply(&manifest(
        "Template",
        "lender",
        &json!({"server": {"command": ["orch-fixture"], "env": env}}),
    ));
    let grants = [
        grant(&["view", "create", "edit"], &["servers"], &[]),
        grant(&["view"], &["templates"], &[]),
    ];
    let user = machine(&home, "user", &json!(grants), &[]);
    let server = object("Server", "mine", &json!({"template": {"name": "lender"}}));
    let apply = || {
        with(&home, "POST", "/api/v1/apply", &user)
            .json(&json!({"objects": [server]}))
            .send()
    };
    let refused = apply();
    assert!((400..500).contains(&refused.status), "{}", refused.body);
    assert!(!refused.body.contains("zebra"), "{}", refused.body);
    home.apply(&manifest(
        "RoleBinding",
        "lends",
        &json!({"subjects": [{"kind": "ServiceAccount", "name": "user"}],
            "grants": [grant(&["view", "run"], &["secrets"], &["zebra"])]}),
    ));
    apply().expect(200);
}

#[test]
fn a_narrow_token_sees_nothing_of_what_its_owner_does() {
    let home = furnished();
    let narrow = token(
        &home,
        "narrow",
        &json!({"rbac": "empty", "grants": [grant(&["view"], &["projects"], &["x"])]}),
    );
    let client = Client::begin(&home, crate::support::client::Era::Legacy, "/mcp/projects/x");
    assert!(!client.names("tools/list").is_empty());
    let sessions = |token: &str| {
        let answer = with(&home, "GET", "/api/v1/projects/x/sessions", token)
            .send()
            .expect(200);
        answer.json()["items"].as_array().expect("items").clone()
    };
    let own = sessions(&home.token());
    assert_eq!(own.len(), 1, "{own:?}");
    assert_eq!(sessions(&narrow), Vec::<Value>::new());
    let traffic = format!(
        "/api/v1/projects/x/sessions/{}/traffic",
        own[0]["id"].as_str().expect("an id")
    );
    with(&home, "GET", &traffic, &narrow).send().expect(404);
    let logins = with(&home, "GET", "/api/v1/logins", &narrow).send().expect(200).json();
    assert_eq!(logins["items"], json!([]));
}

#[test]
fn in_the_place_of_others_one_ends_nothing_of_theirs() {
    let home = Home::new().started();
    home.apply(
        &[
            manifest("User", "ann", &json!({})),
            manifest(
                "RoleBinding",
                "ann",
                &json!({"subjects": [{"kind": "User", "name": "ann"}], "grants": [grant(&["view", "create"], &["tokens"], &[])]}),
            ),
            manifest("User", "imp", &json!({})),
            manifest(
                "RoleBinding",
                "imp",
                &json!({"subjects": [{"kind": "User", "name": "imp"}], "operations": ["impersonate"],
                    "grants": [grant(&["view"], &["tokens", "users"], &[])]}),
            ),
        ]
        .concat(),
    );
    let (ann, imp) = (machine_of_user(&home, "ann"), machine_of_user(&home, "imp"));
    make_token(&home, &ann, "hers", &json!({"rbac": "owner"})).expect(201);
    let logins = with(&home, "GET", "/api/v1/logins", &ann).send().expect(200).json();
    let login = logins["items"][0]["id"].as_str().expect("a login").to_owned();
    let as_ann = |method: &str, path: &str| with(&home, method, path, &imp).header("orch-impersonate", "ann");
    as_ann("POST", "/api/v1/tokens/hers/revoke")
        .json(&json!({}))
        .send()
        .expect(403);
    assert_eq!(
        as_ann("GET", "/api/v1/logins").send().expect(200).json()["items"],
        json!([])
    );
    as_ann("DELETE", &format!("/api/v1/logins/{login}")).send().expect(404);
    with(&home, "GET", "/api/v1/whoami", &ann).send().expect(200);
}

#[test]
fn a_token_never_does_what_its_maker_could_not() {
    let home = Home::new().started();
    let grants = [grant(&["view", "create"], &["tokens", "serviceaccounts"], &[])];
    let maker = machine(&home, "maker", &json!(grants), &[]);
    let account = object("ServiceAccount", "later", &json!({}));
    let apply = json!({"objects": [account]});
    with(&home, "POST", "/api/v1/apply", &maker)
        .json(&apply)
        .send()
        .expect(200);
    let made = make_token(
        &home,
        &maker,
        "later",
        &json!({"serviceAccount": "later", "rbac": "owner"}),
    );
    let later = made.expect(201).json()["credential"]
        .as_str()
        .expect("a credential")
        .to_owned();
    home.apply(
        &[
            manifest("Secret", "keys", &json!({"data": {"k": "planted"}})),
            manifest(
                "RoleBinding",
                "later",
                &json!({"subjects": [{"kind": "ServiceAccount", "name": "later"}],
                    "grants": [grant(&["view", "reveal"], &["secrets", "tokens"], &[])]}),
            ),
        ]
        .concat(),
    );
    with(&home, "GET", "/api/v1/secrets/keys?reveal=true", &later)
        .send()
        .expect(404);
    // What both may do, it does.
    with(&home, "GET", "/api/v1/tokens/later", &later).send().expect(200);

    // Nothing that a token makes outlives it.
    let brief = token(&home, "brief", &json!({"rbac": "owner", "ttl": "1h"}));
    for (name, spec, status) in [
        ("endless", json!({"rbac": "clone"}), 403),
        ("longer", json!({"rbac": "clone", "ttl": "2h"}), 403),
        ("shorter", json!({"rbac": "clone", "ttl": "30m"}), 201),
    ] {
        let answer = make_token(&home, &brief, name, &spec);
        assert_eq!(answer.status, status, "{name}: {}", answer.body);
    }
}

/// The one way in which somebody may make something, and what is answered.
type Way<'w> = (&'w str, &'w dyn Fn(&str) -> (u16, String));

/// A name that a binding names gives whoever bears it what that says. Whoever makes a token anew under such a name has no more of it
/// than they have themselves.
#[test]
fn a_name_that_bindings_name_hands_nothing_on() {
    let home = Home::new().started();
    let pipe = |scope: &str, spec: Value| {
        let project = if scope.is_empty() { Value::Null } else { scope.into() };
        json!({"apiVersion": "orchctl.dev/v1", "kind": "Token", "metadata": {"name": "pipe", "project": project}, "spec": spec})
    };
    let deploy = json!([grant(&["view", "edit", "run", "reveal"], &["*"], &[])]);
    machine(&home, "deploy", &deploy, &[]);
    home.apply(
        &[
            manifest("Project", "web", &json!({})),
            manifest("Secret", "keys", &json!({"data": {"k": "planted"}})),
        ]
        .concat(),
    );
    let reading = json!([grant(&["view", "reveal"], &["secrets"], &[])]);
    let low = machine(
        &home,
        "low",
        &json!([
            grant(&["view", "create", "delete"], &["tokens"], &[]),
            grant(&["view"], &["serviceaccounts", "projects"], &[]),
        ]),
        &[],
    );
    for (scope, path) in [("", "/api/v1/tokens"), ("web", "/api/v1/projects/web/tokens")] {
        let made = pipe(scope, json!({"serviceAccount": "deploy"}));
        with(&home, "POST", path, &home.token()).json(&made).send().expect(201);
        let mut subject = json!({"kind": "Token", "name": "pipe"});
        if !scope.is_empty() {
            subject["project"] = scope.into();
        }
        let binding = json!({"subjects": [subject], "grants": reading});
        home.apply(&manifest("RoleBinding", &format!("of{scope}"), &binding));
        for rbac in ["empty", "clone"] {
            let spec = json!({"serviceAccount": "deploy", "rbac": rbac});
            let forced = with(&home, "POST", &format!("{path}?force=true"), &low)
                .json(&pipe(scope, spec.clone()))
                .send();
            assert_eq!(
                (forced.status, forced.code().as_str()),
                (403, "ORCH4005"),
                "{scope} {rbac}: {}",
                forced.body
            );
            assert!(!forced.body.contains("secret"), "{}", forced.body);
            // What is there stays, and is taken out from under no binding.
            let again = json!({"objects": [pipe(scope, spec)]});
            let again = with(&home, "POST", "/api/v1/apply", &low)
                .json(&again)
                .send()
                .expect(200);
            assert!(again.body.contains("unchanged"), "{}", again.body);
        }
        with(&home, "DELETE", &format!("{path}/pipe"), &low).send().expect(409);
        let there = home.get(&format!("{}/pipe", path.trim_start_matches("/api/v1/")));
        assert_eq!(there["status"]["phase"], "Active");
        // Whoever has it all makes it anew, and so does whoever it belongs to in person.
        let spec = json!({"serviceAccount": "deploy"});
        let forced = with(&home, "POST", &format!("{path}?force=true"), &home.token());
        let made = forced.json(&pipe(scope, spec)).send().expect(201).json();
        let credential = made["credential"].as_str().expect("a credential");
        let shown = with(&home, "GET", "/api/v1/secrets/keys?reveal=true", credential).send();
        let is_within = if scope.is_empty() { 200 } else { 404 };
        assert_eq!(shown.status, is_within, "{}", shown.body);
    }
    // No other subject leaves its name behind in a binding.
    home.apply(&manifest("User", "ann", &json!({})));
    home.apply(&manifest("Group", "devs", &json!({"users": ["ann"]})));
    for (kind, path, name) in [
        ("User", "users", "ann"),
        ("Group", "groups", "devs"),
        ("ServiceAccount", "serviceaccounts", "deploy"),
    ] {
        let subjects = json!([{"kind": kind, "name": name}]);
        home.apply(&manifest(
            "RoleBinding",
            name,
            &json!({"subjects": subjects, "grants": reading}),
        ));
        let path = format!("/api/v1/{path}");
        with(&home, "DELETE", &format!("{path}/{name}"), &home.token())
            .send()
            .expect(409);
        let anew = with(&home, "POST", &format!("{path}?force=true"), &home.token());
        anew.json(&object(kind, name, &json!({}))).send().expect(409);
    }
}

/// What a Template says decides where the Secrets go of the Servers that are made from it: whoever changes it must be able to use
/// them, by whatever way.
#[test]
fn a_template_is_changed_by_those_who_may_use_what_its_servers_hold() {
    let home = Home::new().started();
    let (url, told) = listener();
    let template = |url: &str| {
        json!({
            "server": {"remote": {"url": url, "headers": [{"name": "X-Key", "value": "${KEY}"}]}},
            "parameters": [{"name": "KEY", "secret": true}],
        })
    };
    let (here, away) = (template("http://127.0.0.1:9/mcp"), template(&format!("{url}/mcp")));
    let key = json!({"secretRef": {"name": "keys", "key": "k"}});
    let lent = json!({"template": {"name": "lent", "parameters": {"KEY": key}}});
    home.apply(
        &[
            manifest("Secret", "keys", &json!({"data": {"k": "PLANTED-7781"}})),
            manifest("Template", "lent", &away),
            manifest("Template", "free", &here),
        ]
        .concat(),
    );
    home.apply(&manifest("Template", "lent", &here));
    home.apply(&manifest("Server", "held", &lent));
    let editing = grant(&["view", "edit", "create", "delete"], &["templates"], &[]);
    let ted = machine(&home, "ted", &json!([editing]), &[]);
    let send = |method: &str, path: &str, body: Value| {
        let answer = with(&home, method, path, &ted).json(&body).send();
        for name in ["keys", "held", "PLANTED"] {
            assert!(!answer.body.contains(name), "{method} {path}: {}", answer.body);
        }
        (answer.status, answer.code())
    };
    let refused = || (403, "ORCH4005".to_owned());
    let path = "/api/v1/templates/lent";
    let moved = object("Template", "lent", &away);
    let ways: [Way<'_>; 4] = [
        ("patch", &|path| send("PATCH", path, json!({"spec": away}))),
        ("replace", &|path| send("PUT", path, moved.clone())),
        ("apply", &|_| send("POST", "/api/v1/apply", json!({"objects": [moved]}))),
        ("rollback", &|path| {
            send("POST", &format!("{path}/rollback"), json!({"generation": 1}))
        }),
    ];
    for (way, go) in ways {
        assert_eq!(go(path), refused(), "{way}");
    }
    assert_eq!(send("DELETE", path, json!({})).0, 409, "it is in use");
    let both = json!({"objects": [moved, object("Server", "held", &lent)]});
    let both = with(&home, "POST", "/api/v1/apply", &ted).json(&both).send();
    assert_eq!(both.status, 403, "{}", both.body);
    let heard: Vec<String> = told.try_iter().collect();
    assert!(!heard.iter().any(|heard| heard.contains("PLANTED")), "{heard:?}");
    // What lends nothing to anybody is theirs to change, and what the Template says of itself as well.
    let free = |spec: Value| with(&home, "PATCH", "/api/v1/templates/free", &ted).json(&spec).send();
    free(json!({"spec": away})).expect(200);
    let labelled = json!({"metadata": {"labels": {"team": "core"}}});
    with(&home, "PATCH", path, &ted).json(&labelled).send().expect(200);
    // Whoever sees the Secret is told which it is; whoever may use it says where it goes.
    let binding = |roles: &[&str]| {
        let subjects = json!([{"kind": "ServiceAccount", "name": "ted"}]);
        home.apply(&manifest(
            "RoleBinding",
            "uses",
            &json!({"subjects": subjects, "grants": [grant(roles, &["secrets"], &["keys"])]}),
        ));
    };
    binding(&["view"]);
    let seen = with(&home, "PATCH", path, &ted).json(&json!({"spec": away})).send();
    assert!(seen.expect(403).body.contains("secret/keys"));
    binding(&["view", "run"]);
    with(&home, "PATCH", path, &ted)
        .json(&json!({"spec": away}))
        .send()
        .expect(200);
    eventually("the listener is sent the key", || {
        told.try_iter().any(|heard| heard.contains("PLANTED-7781"))
    });
}
