//! Every route for eight principals. The routes are those of the API's own description and of the gateway, so that a new
//! one is in the table as soon as it is there.

use std::thread::sleep;
use std::time::Duration;

use orch_shared::kind::Kind;
use serde_json::{Value, json};

use super::{ALL, furnished, machine, object, token, with};
use crate::house::source::root;
use crate::support::client::{Client, Era};
use crate::support::daemon::{Home, say};
use crate::support::http::Answer;

/// A method and an address, with places for names.
type Route = (String, String);

fn routes(home: &Home) -> Vec<Route> {
    let document = home.http("GET", "/openapi.json").send().expect(200).json();
    let mut routes = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        let methods = item.as_object().expect("operations").keys();
        let methods =
            methods.filter(|method| ["get", "put", "post", "patch", "delete", "head"].contains(&method.as_str()));
        routes.extend(methods.map(|method| (method.to_uppercase(), path.clone())));
    }
    for (method, path) in [
        ("POST", "/mcp/servers/{name}"),
        ("GET", "/mcp/servers/{name}"),
        ("DELETE", "/mcp/servers/{name}"),
        ("GET", "/mcp/servers/{name}/sse"),
        ("POST", "/mcp/servers/{name}/message"),
        ("POST", "/mcp/projects/{name}"),
        ("GET", "/mcp/projects/{name}"),
        ("DELETE", "/mcp/projects/{name}"),
        ("GET", "/mcp/projects/{name}/sse"),
        ("POST", "/mcp/projects/{name}/message"),
        ("GET", "/api/v1/projects/{name}/sessions"),
        ("GET", "/api/v1/projects/{name}/sessions/{id}/traffic"),
    ] {
        routes.push((method.to_owned(), path.to_owned()));
    }
    routes
}

/// The kind of the collection that an address begins with.
fn kind_in(path: &str) -> Option<Kind> {
    let rest = path.strip_prefix("/api/v1/")?;
    let rest = ["projects/{project}/", "agents/{agent}/"]
        .iter()
        .find_map(|scope| rest.strip_prefix(scope))
        .unwrap_or(rest);
    let plural = rest.split('/').next()?;
    Kind::ALL.iter().copied().find(|kind| kind.meta().plural == plural)
}

/// Asks at a route about the objects of that name, with a body that would do something if it were allowed.
fn ask(home: &Home, token: &str, (method, path): &Route, name: &str) -> Answer {
    let named = &named_at(home, path, name);
    let scope = match path {
        path if path.contains("{project}") => Some(("project", name)),
        path if path.contains("{agent}") => Some(("agent", name)),
        _ => None,
    };
    let address = ["{project}", "{agent}"]
        .iter()
        .fold(path.clone(), |path, place| path.replace(place, name));
    let address = address.replace("{name}", named).replace("{id}", "x");
    let mut request = with(home, method, &address, token);
    let whole = |name: &str| {
        let kind = kind_in(path).map_or("Prompt", Kind::as_str);
        let mut object = object(kind, name, &json!({}));
        if let Some((place, scope)) = scope {
            object["metadata"][place] = scope.into();
        }
        object
    };
    let prompt = |name: &str| object("Prompt", name, &json!({"content": "made by somebody"}));
    let body = match (method.as_str(), path.as_str()) {
        ("POST", "/api/v1/apply") => Some(json!({"objects": [prompt(name)]})),
        ("POST", "/api/v1/agents/{name}/chat") => Some(json!({"message": "hello"})),
        ("POST", "/api/v1/delete") => Some(json!({"objects": [{"kind": "Prompt", "name": name}]})),
        ("POST", "/api/v1/seal") => Some(json!({"name": name, "data": {"k": "v"}})),
        ("POST", "/api/v1/login") => Some(json!({"user": name, "password": "not the right one"})),
        ("POST", "/api/v1/introspect") => Some(json!({"token": "orch_x"})),
        ("POST", "/api/v1/access-review") => Some(json!({"role": "edit", "kind": "Prompt", "name": name})),
        ("PUT", path) if path.ends_with("/password") => Some(json!({"password": "correct horse battery"})),
        ("POST", path) if path.ends_with("/scale") => Some(json!({"replicas": 2})),
        ("POST", path) if path.starts_with("/mcp/") => Some(json!({
            "jsonrpc": "2.0", "id": 1, "method": "initialize",
            "params": {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}},
        })),
        ("POST", "/v1/embeddings") => Some(json!({"model": name, "input": "x"})),
        ("POST", path) if path.starts_with("/v1/") => {
            Some(json!({"model": name, "max_tokens": 9, "messages": [{"role": "user", "content": "x"}], "input": "x"}))
        }
        ("POST", path) if path.contains("{name}/") => Some(json!({})),
        ("POST", _) => Some(whole("new")),
        ("PUT", _) => Some(whole(named)),
        ("PATCH", _) => Some(json!({"metadata": {"labels": {"touched": "yes"}}})),
        _ => None,
    };
    if let Some(body) = &body {
        request = request.json(body);
    }
    request
        .header("Accept", "application/json, text/event-stream")
        .send_briefly()
}

/// What the object at an address is called that belongs to the family of that name: the daemon names what it makes.
fn named_at(home: &Home, path: &str, name: &str) -> String {
    let collection = ["instances", "promptrequests"]
        .into_iter()
        .find(|collection| path.contains(&format!("/{collection}/{{name}}")));
    collection.map_or_else(|| name.to_owned(), |collection| owned_by(home, collection, name))
}

/// What the daemon has made for the object of that name.
fn owned_by(home: &Home, collection: &str, owner: &str) -> String {
    let list = home.get(&format!("{collection}?allScopes=true"));
    let items = list["items"].as_array().expect("items");
    let own = items.iter().find(|item| item["status"]["owner"]["name"] == *owner);
    own.map_or_else(
        || "absent".to_owned(),
        |item| item["metadata"]["name"].as_str().expect("a name").to_owned(),
    )
}

/// Everything that is declared, and every password that opens something.
fn declared(home: &Home) -> String {
    let nouns: Vec<&str> = Kind::ALL
        .iter()
        .filter(|kind| **kind != Kind::Instance)
        .map(|kind| kind.meta().plural)
        .collect();
    home.orchctl(&["get", &nouns.join(","), "-A", "-o", "yaml"])
        .expect(0)
        .stdout
}

/// What a body says, without what differs each time.
fn said(answer: &Answer, name: &str) -> String {
    let mut body: Value = serde_json::from_str(&answer.body).unwrap_or_else(|_| answer.body.clone().into());
    if let Some(members) = body.as_object_mut() {
        members.remove("requestId");
    }
    // What is called after its place is told first.
    let body = body.to_string().replace(name, "NAME");
    ["zebra", "absent"]
        .iter()
        .fold(body, |body, place| body.replace(place, "NAME"))
}

/// Proposes a prompt of that name in the project of that name.
fn propose(home: &Home, name: &str) {
    let client = Client::begin(home, Era::Legacy, &format!("/mcp/projects/{name}"));
    client.call("propose_prompt", json!({"name": name, "content": "hello"}));
}

#[test]
fn every_route_is_decided_for_everybody() {
    let home = furnished();
    for name in ["x", "zebra"] {
        propose(&home, name);
    }
    let admin = home.token();
    let grant = |roles: &[&str], more: Value| {
        let mut grant = json!({"roles": roles, "resources": ["*"]});
        grant
            .as_object_mut()
            .expect("a mapping")
            .extend(more.as_object().expect("a mapping").clone());
        json!([grant])
    };
    let viewer = machine(&home, "viewer", &grant(&["view"], json!({})), &[]);
    let named = machine(&home, "named", &grant(&ALL, json!({"names": ["x"]})), &[]);
    machine(
        &home,
        "confined",
        &grant(&ALL, json!({})),
        &["logs", "audit", "metrics", "sessions", "impersonate"],
    );
    let confined = token(
        &home,
        "of-project",
        &json!({"serviceAccount": "confined", "rbac": "owner", "projects": [{"name": "x"}]}),
    );
    let revoked = token(&home, "revoked", &json!({"rbac": "owner"}));
    home.http("POST", "/api/v1/tokens/revoked/revoke")
        .json(&json!({}))
        .send()
        .expect(200);
    let expired = token(&home, "expired", &json!({"rbac": "owner", "ttl": "1s"}));
    sleep(Duration::from_millis(1100));
    let wrong = format!("orch_{}", "0".repeat(64));

    let routes = routes(&home);
    let before = declared(&home);
    let mut asked = 0;
    for route @ (method, path) in &routes {
        let open = matches!(path.as_str(), "/healthz" | "/readyz" | "/api/v1/login");
        // Who is nobody learns nothing, whatever it is about.
        for (who, token) in [
            ("nobody", ""),
            ("wrong", &wrong),
            ("revoked", &revoked),
            ("expired", &expired),
        ] {
            for name in ["x", "absent"] {
                let answer = ask(&home, token, route, name);
                let expected = if path == "/api/v1/login" {
                    method == "POST"
                } else {
                    !open
                };
                assert_eq!(answer.status == 401, expected, "{who}: {method} {path}: {answer:?}");
                asked += 1;
            }
        }
        // Who may only look changes nothing. What may be asked of oneself is no change.
        for name in ["x", "zebra"] {
            let answer = ask(&home, &viewer, route, name);
            let asks = matches!(path.as_str(), "/api/v1/access-review" | "/api/v1/introspect");
            // Whoever sees a project may begin a session with it, which shows no server's tools.
            let begins = method == "POST" && path == "/mcp/projects/{name}";
            let reads = method == "GET" || method == "HEAD" || asks || begins;
            assert!(
                answer.status < 500 && answer.status != 401 || open,
                "viewer: {method} {path}: {answer:?}"
            );
            let changes = answer.status < 300 && !reads && !open;
            assert!(!changes, "viewer: {method} {path}: {answer:?}");
            asked += 1;
        }
        // Who may not see something cannot tell it from what is not there.
        for (who, token) in [("named", &named), ("confined", &confined)] {
            let hidden = ask(&home, token, route, "zebra");
            let absent = ask(&home, token, route, "absent");
            let hidden_name = named_at(&home, path, "zebra");
            assert!(!hidden.body.contains("stripes"), "{who}: {method} {path}: {hidden:?}");
            let headers = |answer: &Answer| {
                let names = answer.headers.iter().map(|(name, _)| name.clone());
                names.filter(|name| name != "date").collect::<Vec<_>>()
            };
            let about_it = path.contains("{name}") || path.contains("{project}") || path.contains("{agent}");
            // What is made is not there yet, whoever's name it has.
            let makes = method == "POST" && !path.contains("{name}");
            if about_it && !makes {
                assert_eq!(
                    (hidden.status, said(&hidden, &hidden_name), headers(&hidden)),
                    (absent.status, said(&absent, "absent"), headers(&absent)),
                    "{who}: {method} {path}"
                );
            }
            if !path.contains('{') {
                assert!(
                    !hidden.body.contains("zebra") || makes,
                    "{who}: {method} {path}: {hidden:?}"
                );
            }
            asked += 2;
        }
        // Who may do everything is refused nothing.
        let answer = ask(&home, &admin, route, "absent");
        assert!(
            open || ![401, 403].contains(&answer.status),
            "admin: {method} {path}: {answer:?}"
        );
        asked += 1;
        if method == "POST" && path.starts_with("/api/v1/") && !path.contains("{name}") {
            tidy(&home, path);
        }
    }
    assert_eq!(declared(&home), before, "nobody has changed anything");
    say(&format!("{} routes, {asked} questions of 8 principals", routes.len()));
    assert!(
        routes.len() > 100 && asked > 1000,
        "{} routes, {asked} questions",
        routes.len()
    );

    // Lists are those of whoever asks, and so are their totals.
    for (who, token, servers, projects) in [
        (
            "viewer",
            &viewer,
            2,
            home.get("projects")["metadata"]["total"].as_i64().expect("a total"),
        ),
        ("named", &named, 1, 1),
        ("confined", &confined, 1, 1),
    ] {
        for (collection, expected) in [("servers", servers), ("projects", projects)] {
            let list = with(&home, "GET", &format!("/api/v1/{collection}?limit=1"), token)
                .send()
                .expect(200)
                .json();
            let total = list["metadata"]["total"].as_i64().expect("a total");
            assert_eq!(total, expected, "{who} {collection}: {list}");
        }
    }
}

/// Takes away what the administrator's question has made.
fn tidy(home: &Home, path: &str) {
    let Some(kind) = kind_in(path) else {
        home.http("DELETE", "/api/v1/prompts/absent").send();
        return;
    };
    let collection = path.replace("{project}", "absent").replace("{agent}", "absent");
    if kind.meta().plural != "instances" {
        home.http("DELETE", &format!("{collection}/new")).send();
    }
}

/// What each role adds to `view`, asked at every route about objects of every kind: a table that people read when it changes.
/// A line that grew means that more may be done with a role.
#[test]
fn what_each_role_is_good_for_is_written_down() {
    let home = furnished();
    let routes: Vec<Route> = routes(&home)
        .into_iter()
        .filter(|(_, path)| path.starts_with("/api/v1/"))
        .collect();
    // What reads first, what ends something last.
    let rank = |method: &str| {
        ["GET", "HEAD", "PATCH", "PUT", "POST", "DELETE"]
            .iter()
            .position(|known| *known == method)
    };
    let mut ordered = routes.clone();
    ordered.sort_by_key(|(method, path)| (rank(method), path.contains("{name}"), path.clone()));
    // One that everybody may use, and no route is asked about.
    let spare = json!({"provider": "scripted", "model": "spare", "script": [{"text": "hello"}]});
    home.apply(&crate::e2e::manifest("Llm", "spare", &spare));
    let mut allowed: std::collections::BTreeMap<Route, Vec<&str>> = std::collections::BTreeMap::new();
    for role in ALL {
        let name = format!("of-{role}");
        home.apply(&super::family(&name));
        home.until_ready(&[&format!("server/{name}")]);
        propose(&home, &name);
        let roles = if role == "view" {
            vec!["view"]
        } else {
            vec!["view", role]
        };
        let token = machine(
            &home,
            &format!("with-{role}"),
            &json!([
                {"roles": roles, "resources": ["*"]},
                {"roles": ["run"], "resources": ["llms"], "names": ["spare"]},
            ]),
            &[],
        );
        for route @ (method, path) in &ordered {
            let is_gone = |address: &str| home.http("GET", address).send().status == 404;
            // What another route has ended already is there again, and what is decided is proposed anew.
            match method.as_str() {
                "DELETE" if kind_in(path).is_some() && is_gone(&address_of(&home, path, &name)) => {
                    home.apply(&super::family(&name));
                }
                "POST" if path.contains("/promptrequests/") => {
                    for proposal in home.get("promptrequests?allScopes=true")["items"]
                        .as_array()
                        .expect("items")
                    {
                        let called = proposal["metadata"]["name"].as_str().expect("a name");
                        if proposal["metadata"]["project"] == name.as_str() {
                            let address = format!("/api/v1/projects/{name}/promptrequests/{called}");
                            home.http("DELETE", &address).send().expect(200);
                        }
                    }
                    propose(&home, &name);
                }
                _ => {}
            }
            let answer = match method.as_str() {
                "PUT" if !path.ends_with("/password") => put_as_it_is(&home, &token, path, &name),
                "POST" if kind_in(path).is_some() && !path.contains("{name}") => {
                    make_another(&home, &token, path, &name)
                }
                _ => ask(&home, &token, route, &name),
            };
            // What is in somebody's way was allowed.
            if answer.status < 300 || answer.status == 409 {
                allowed.entry(route.clone()).or_default().push(role);
            }
        }
        let reveal = with(&home, "GET", &format!("/api/v1/secrets/{name}?reveal=true"), &token).send();
        if reveal.status == 200 {
            let route = ("GET".to_owned(), "/api/v1/secrets/{name}?reveal=true".to_owned());
            allowed.entry(route).or_default().push(role);
        }
        for kind in Kind::ALL {
            home.http("DELETE", &format!("/api/v1/{}/new", kind.meta().plural))
                .send();
        }
    }
    let mut table = String::new();
    for route @ (method, path) in routes
        .iter()
        .chain([&("GET".to_owned(), "/api/v1/secrets/{name}?reveal=true".to_owned())])
    {
        let roles = allowed.get(route).map(|roles| roles.join(" ")).unwrap_or_default();
        table.push_str(&format!(
            "{method:6} {path}: {}\n",
            if roles.is_empty() { "-" } else { &roles }
        ));
    }
    let mut lines: Vec<&str> = table.lines().collect();
    lines.sort_unstable_by_key(|line| line.split_once(' ').map(|(method, path)| (path.trim(), method)));
    let table = lines.join("\n") + "\n";
    let path = root().join("daemon/tests/it/e2e/rights/roles.txt");
    if std::fs::read_to_string(&path).unwrap_or_default() != table {
        assert!(
            std::env::var_os("CI").is_none(),
            "roles.txt says something else than what is so now:\n{table}"
        );
        std::fs::write(&path, table).expect("it can be written");
    }
}

/// Puts an object in its own place, with another label.
fn put_as_it_is(home: &Home, token: &str, path: &str, name: &str) -> Answer {
    let address = address_of(home, path, name);
    let mut object = manifest_at(home, &address);
    object["metadata"]["labels"] = json!({"put": "here"});
    with(home, "PUT", &address, token).json(&object).send()
}

/// The address of the object of that family.
fn address_of(home: &Home, path: &str, name: &str) -> String {
    let address = path.replace("{project}", name).replace("{agent}", name);
    address.replace("{name}", &named_at(home, path, name))
}

/// Makes an object like one that is there.
fn make_another(home: &Home, token: &str, path: &str, name: &str) -> Answer {
    let collection = path.replace("{project}", name).replace("{agent}", name);
    let mut object = manifest_at(home, &format!("{collection}/{name}"));
    object["metadata"]["name"] = "new".into();
    match object["kind"].as_str() {
        // Values are sealed for the Secret that they are in.
        Some("Secret") => object["spec"]["data"] = json!({"token": "another"}),
        // To name something that is used takes the right to use it, which is another question.
        Some("Agent") => object["spec"]["llm"] = "spare".into(),
        Some("Project") => object["spec"] = json!({}),
        _ => {}
    }
    with(home, "POST", &collection, token).json(&object).send()
}

fn manifest_at(home: &Home, address: &str) -> Value {
    let mut object = home.http("GET", address).send().json();
    if let Some(members) = object.as_object_mut() {
        members.remove("status");
    }
    object
}
