//! What somebody may not see is answered as what is not there, whatever is asked of it; and nobody learns by trying what they
//! may not read.

use serde_json::{Value, json};

use super::{furnished, machine, object, with};
use crate::e2e::manifest;
use crate::support::daemon::{Home, eventually};
use crate::support::http::Answer;

/// A name that nothing bears, as long as the one that is hidden.
const ABSENT: &str = "quark";
const HIDDEN: &str = "zebra";

fn reference(kind: &str, name: &str) -> Value {
    json!({"kind": kind, "name": name})
}

fn server_of(name: &str) -> Value {
    object("Server", name, &json!({"command": ["somebody-else"]}))
}

/// What is asked about an object of that name: a method, an address and a body.
fn questions(name: &str) -> Vec<(&'static str, String, Value)> {
    let objects = json!([server_of(name)]);
    let apply = |more: Value| {
        let mut request = json!({"objects": objects.clone()});
        let fields = request.as_object_mut().expect("a mapping");
        fields.extend(more.as_object().expect("a mapping").clone());
        request
    };
    let seen =
        json!([{"ref": reference("Server", name), "uid": "01234567-89ab-cdef-0123-456789abcdef", "generation": 99}]);
    let elsewhere = json!({"objects": [], "dryRun": true, "expect": [{"ref": reference("Server", name)}]});
    let one = |path: &str| format!("/api/v1/servers/{name}{path}");
    let post = |path: &str, body: Value| ("POST", path.to_owned(), body);
    vec![
        post("/api/v1/apply", apply(json!({}))),
        post("/api/v1/apply", apply(json!({"dryRun": true}))),
        post("/api/v1/apply", apply(json!({"set": "mine"}))),
        post(
            "/api/v1/apply",
            apply(json!({"set": "mine", "takeOver": true, "dryRun": true})),
        ),
        post(
            "/api/v1/apply",
            apply(json!({"expect": [{"ref": reference("Server", name)}]})),
        ),
        post("/api/v1/apply", apply(json!({"expect": seen}))),
        post("/api/v1/apply", elsewhere),
        post("/api/v1/servers", server_of(name)),
        post(
            "/api/v1/delete",
            json!({"objects": [reference("Server", name)], "dryRun": true}),
        ),
        post("/api/v1/tokens", object("Token", name, &json!({}))),
        post("/api/v1/tokens?force=true", object("Token", name, &json!({}))),
        ("PUT", one(""), server_of(name)),
        ("PATCH", one(""), json!({"spec": {"replicas": 0}})),
        ("DELETE", one("?dryRun=true&withDependents=true"), Value::Null),
        ("GET", one(""), Value::Null),
        ("GET", one("/history"), Value::Null),
        ("GET", one("/dependents"), Value::Null),
        ("POST", one("/restart"), json!({})),
        ("POST", one("/scale"), json!({"replicas": 0})),
        ("POST", one("/rollback"), json!({"generation": 1})),
        (
            "PUT",
            format!("/api/v1/users/{name}/password"),
            json!({"password": "correct horse battery"}),
        ),
    ]
}

/// All of an answer that somebody could tell two objects apart by.
fn told(answer: &Answer, name: &str) -> (u16, Vec<(String, String)>, String) {
    let once = ["date", "x-request-id"];
    let mut headers = answer.headers.clone();
    headers.retain(|(header, _)| !once.contains(&header.as_str()));
    let mut body: Value = serde_json::from_str(&answer.body).unwrap_or_else(|_| answer.body.clone().into());
    if let Some(fields) = body.as_object_mut() {
        fields.remove("requestId");
        fields.remove("revision");
    }
    (answer.status, headers, body.to_string().replace(name, "NAME"))
}

#[test]
fn hidden_and_absent_are_one_answer() {
    let home = furnished();
    let set = json!({"objects": [object("Server", HIDDEN, &json!({"command": ["orch-fixture"]}))], "set": "prodset"});
    home.http("POST", "/api/v1/apply").json(&set).send().expect(200);
    let stands = || {
        let status = home.get(&format!("servers/{HIDDEN}"))["status"].clone();
        (status["generation"].clone(), status["applySet"].clone())
    };
    let before = stands();
    assert_eq!(before.1, "prodset");
    let all = |roles: &[&str]| json!({"roles": roles, "resources": ["*"]});
    let people = [
        (
            "sees-one",
            json!([{"roles": ["view"], "resources": ["*"], "names": ["x"]}]),
        ),
        ("edits-alone", json!([all(&["edit"])])),
        ("deletes-alone", json!([all(&["delete", "run", "reveal"])])),
        (
            "edits-and-sees-one",
            json!([all(&["edit", "delete"]), {"roles": ["view"], "resources": ["*"], "names": ["x"]}]),
        ),
    ];
    for (person, grants) in people {
        let token = machine(&home, person, &grants, &[]);
        for ((method, path, body), (_, other, of_absent)) in questions(HIDDEN).into_iter().zip(questions(ABSENT)) {
            let ask = |path: &str, body: &Value| {
                let request = with(&home, method, path, &token);
                match body {
                    Value::Null => request,
                    body => request.json(body),
                }
                .send()
            };
            let (hidden, absent) = (ask(&path, &body), ask(&other, &of_absent));
            assert_eq!(
                told(&hidden, HIDDEN),
                told(&absent, ABSENT),
                "{person}: {method} {path} {body}"
            );
        }
    }
    // Nothing of it was done.
    assert_eq!(stands(), before);
}

#[test]
fn a_name_that_is_taken_is_told_to_whom_might_use_it_and_to_nobody_else() {
    let home = furnished();
    let maker = machine(
        &home,
        "maker",
        &json!([{"roles": ["create"], "resources": ["servers", "tokens"]}]),
        &[],
    );
    let post = |path: &str, body: &Value| with(&home, "POST", path, &maker).json(body).send();
    for (path, body) in [
        ("/api/v1/servers", server_of(HIDDEN)),
        ("/api/v1/apply", json!({"objects": [server_of(HIDDEN)]})),
        (
            "/api/v1/apply",
            json!({"objects": [server_of(HIDDEN)], "set": "mine", "dryRun": true}),
        ),
        ("/api/v1/tokens?force=true", object("Token", HIDDEN, &json!({}))),
    ] {
        let refused = post(path, &body).expect(409);
        assert!(
            refused.body.contains(&format!("{HIDDEN} exists already")),
            "{path}: {}",
            refused.body
        );
    }
    assert_eq!(home.get(&format!("servers/{HIDDEN}"))["status"]["generation"], 1);

    // Whoever decides about a proposal is not told by it which prompts there are.
    let viewer = machine(
        &home,
        "viewer",
        &json!([{"roles": ["view"], "resources": ["promptrequests"]}]),
        &[],
    );
    let client = crate::support::client::Client::begin(&home, crate::support::client::Era::Legacy, "/mcp/projects/x");
    let propose = |name: &str| {
        let answer = client.call(
            "propose_prompt",
            json!({"name": name, "content": "Be kind.", "summary": "Kindness."}),
        );
        let told = answer["structuredContent"]["request"].as_str();
        told.unwrap_or_else(|| panic!("it is not taken: {answer}")).to_owned()
    };
    home.http("POST", "/api/v1/projects/x/prompts")
        .json(&json!({
            "apiVersion": "orchctl.dev/v1", "kind": "Prompt", "metadata": {"name": HIDDEN, "project": "x"},
            "spec": {"content": "there"},
        }))
        .send()
        .expect(201);
    let approve = |name: &str, replace: bool| {
        let request = propose(name);
        let path = format!("/api/v1/projects/x/promptrequests/{request}/approve");
        let answer = with(&home, "POST", &path, &viewer)
            .json(&json!({"replace": replace}))
            .send();
        told(&answer, name)
    };
    for replace in [true, false] {
        let (hidden, absent) = (approve(HIDDEN, replace), approve(ABSENT, replace));
        assert_eq!((hidden.0, &hidden), (403, &absent));
    }
}

#[test]
fn nothing_is_pruned_or_deleted_or_told_that_is_hidden() {
    let home = furnished();
    let value_from = json!({"secretRef": {"name": "x", "key": "token"}});
    home.apply(&manifest(
        "Server",
        "user-of-x",
        &json!({"command": ["orch-fixture"], "replicas": 0, "env": [{"name": "T", "valueFrom": value_from}]}),
    ));
    let apply = |token: &str, names: &[&str], more: Value| {
        let objects: Vec<Value> = names
            .iter()
            .map(|name| object("Prompt", name, &json!({"content": "new"})))
            .collect();
        let mut request = json!({"objects": objects, "set": "prodset"});
        let fields = request.as_object_mut().expect("a mapping");
        fields.extend(more.as_object().expect("a mapping").clone());
        with(&home, "POST", "/api/v1/apply", token).json(&request).send()
    };
    apply(&home.token(), &["one", "two", HIDDEN], json!({})).expect(200);
    let clerk = machine(
        &home,
        "clerk",
        &json!([
            {"roles": ["view", "edit", "delete"], "resources": ["prompts"], "names": ["one", "two"]},
            {"roles": ["view", "delete"], "resources": ["secrets"], "names": ["x"]},
        ]),
        &[],
    );
    let pruned = apply(&clerk, &["one"], json!({"prune": true, "dryRun": true})).expect(200);
    let results = pruned.json()["results"].clone();
    let names: Vec<&str> = results
        .as_array()
        .expect("results")
        .iter()
        .filter_map(|result| result["ref"]["name"].as_str())
        .collect();
    assert_eq!(names, ["one", "two"], "{results}");
    apply(&clerk, &["one"], json!({"prune": true})).expect(200);
    assert_eq!(home.get(&format!("prompts/{HIDDEN}"))["status"]["applySet"], "prodset");

    // Something that may not be seen is in the way, whether or not it was to go along.
    for query in ["", "?withDependents=true", "?withDependents=true&dryRun=true"] {
        let refused = with(&home, "DELETE", &format!("/api/v1/secrets/x{query}"), &clerk).send();
        let problem = refused.expect(409).json();
        assert_eq!(
            problem["detail"], "secret/x is used by something that you may not see",
            "{query}"
        );
    }
}

#[test]
fn to_edit_is_not_to_see_and_to_see_is_not_to_guess() {
    let home = furnished();
    let editor = machine(&home, "editor", &json!([{"roles": ["edit"], "resources": ["*"]}]), &[]);
    let apply = |token: &str, objects: Value| {
        let request = json!({"objects": objects, "dryRun": true});
        with(&home, "POST", "/api/v1/apply", token).json(&request).send()
    };
    for object in [
        server_of("x"),
        object(
            "RoleBinding",
            "admin",
            &json!({"subjects": [{"kind": "User", "name": "admin"}], "operations": ["logs"]}),
        ),
    ] {
        let refused = apply(&editor, json!([object]));
        assert_eq!(refused.status, 403, "{}", refused.body);
        assert!(!refused.body.contains("changes"), "{}", refused.body);
    }

    let viewer = machine(
        &home,
        "viewer",
        &json!([{"roles": ["view"], "resources": ["secrets"]}]),
        &[],
    );
    let clerk = machine(
        &home,
        "clerk",
        &json!([{"roles": ["view", "edit"], "resources": ["secrets"]}]),
        &[],
    );
    let guess = |token: &str, value: &str| {
        apply(
            token,
            json!([object("Secret", "x", &json!({"data": {"token": value}}))]),
        )
    };
    let (right, wrong) = (guess(&viewer, "stripes of x"), guess(&viewer, "stripes of y"));
    assert_eq!(told(&right, "x"), told(&wrong, "x"));
    assert_eq!(right.status, 403);
    // What is stored, as it is shown, means nothing new; and whoever may change the Secret may know.
    let shown = home.get("secrets/x")["spec"]["data"]["token"]
        .as_str()
        .expect("a sealed value")
        .to_owned();
    for (token, value) in [(&viewer, shown.as_str()), (&clerk, "stripes of x")] {
        let same = guess(token, value).expect(200).json();
        assert_eq!(same["results"][0]["verdict"], "unchanged", "{same}");
    }
}

#[test]
fn rights_by_label_follow_the_labels() {
    let home = Home::new().started();
    let labelled = |team: &str| {
        let manifest = json!({
            "apiVersion": "orchctl.dev/v1", "kind": "Server",
            "metadata": {"name": "files", "labels": {"team": team}}, "spec": {"command": ["orch-fixture"]},
        });
        let applied = home
            .http("POST", "/api/v1/apply")
            .json(&json!({"objects": [manifest]}))
            .send();
        applied.expect(200);
    };
    labelled("edge");
    home.until_ready(&["server/files"]);
    let viewer = |name: &str, selector: &str, resources: &[&str]| {
        let grants = json!([{"roles": ["view"], "resources": resources, "selector": selector}]);
        machine(&home, name, &grants, &[])
    };
    let both = ["servers", "instances"];
    let others = viewer("others", "team!=core", &both);
    let core = viewer("core", "team=core", &both);
    let copies = viewer("copies", "team=core", &["instances"]);
    let count = |token: &str, plural: &str| {
        let list = with(&home, "GET", &format!("/api/v1/{plural}"), token)
            .send()
            .expect(200)
            .json();
        list["metadata"]["total"].clone()
    };
    let of_all = |plural: &str| [&others, &core, &copies].map(|token| count(token, plural));
    assert_eq!(of_all("instances"), [1, 0, 0]);
    labelled("core");
    // The copies keep the labels that they were made with, and go with their server all the same: in lists, by name, and
    // where something is done to them.
    assert_eq!(
        (of_all("servers"), of_all("instances")),
        ([json!(0), json!(1), json!(0)], [json!(0), json!(1), json!(1)])
    );
    let name = home.get("instances")["items"][0]["metadata"]["name"]
        .as_str()
        .expect("a name")
        .to_owned();
    for (token, status, restarted) in [(&others, 404, 404), (&core, 200, 403), (&copies, 200, 403)] {
        let path = format!("/api/v1/instances/{name}");
        assert_eq!(with(&home, "GET", &path, token).send().status, status);
        let restart = with(&home, "POST", &format!("{path}/restart"), token)
            .json(&json!({}))
            .send();
        assert_eq!(restart.status, restarted);
    }
    let events = |token: &str| {
        let told = with(&home, "GET", "/api/v1/events", token).send().expect(200).json();
        told["items"].as_array().expect("items").len()
    };
    assert!(events(&core) > 0);
    assert_eq!(events(&others), 0);
    // What is gone has no labels any more: only whom no label confines is told of it.
    home.http("DELETE", "/api/v1/servers/files").send().expect(200);
    let all = machine(&home, "all", &json!([{"roles": ["view"], "resources": both}]), &[]);
    eventually("the server is gone", || {
        home.http("GET", "/api/v1/servers/files").send().status == 404
    });
    eventually("its copies are gone", || {
        home.get("instances")["metadata"]["total"] == 0
    });
    assert!(events(&all) > 0);
    assert_eq!([&others, &core, &copies].map(|token| events(token)), [0, 0, 0]);
}

#[test]
fn rights_in_a_project_end_with_it() {
    let home = Home::new().started();
    home.apply(
        &[
            manifest("Project", "one", &json!({})),
            manifest("Project", "two", &json!({})),
            manifest(
                "Llm",
                "talk",
                &json!({"provider": "scripted", "model": "m", "script": [{"text": "hello"}]}),
            ),
        ]
        .concat(),
    );
    let author = machine(
        &home,
        "author",
        &json!([
            {"roles": ["view", "create", "edit"], "resources": ["agents", "prompts"], "project": "two"},
            {"roles": ["view", "run"], "resources": ["llms"]},
            {"roles": ["view"], "resources": ["projects"]},
        ]),
        &[],
    );
    let agent = |name: &str, project: Option<&str>| object("Agent", name, &json!({"llm": "talk", "project": project}));
    let prompt = |agent: &str| {
        let mut prompt = object("Prompt", "tone", &json!({"content": "kind"}));
        prompt["metadata"]["agent"] = agent.into();
        prompt
    };
    let ask = |method: &str, path: &str, body: &Value| {
        with(&home, method, &format!("/api/v1/{path}"), &author)
            .json(body)
            .send()
            .status
    };
    for (project, status) in [(Some("two"), 201), (Some("one"), 403), (None, 403)] {
        let name = format!("in-{}", project.unwrap_or("none"));
        assert_eq!(ask("POST", "agents", &agent(&name, project)), status, "{project:?}");
    }
    assert_eq!(ask("POST", "agents/in-two/prompts", &prompt("in-two")), 201);
    assert_eq!(
        ask(
            "PATCH",
            "agents/in-two",
            &json!({"spec": {"description": "still there"}})
        ),
        200
    );
    for project in [json!("one"), Value::Null] {
        assert_eq!(
            ask("PATCH", "agents/in-two", &json!({"spec": {"project": project}})),
            403,
            "{project}"
        );
        let set = json!({"objects": [agent("in-two", project.as_str())]});
        assert_eq!(ask("POST", "apply", &set), 403, "{project}");
    }
    // In one set: an agent, and what lives with it.
    for (name, project, status) in [("newer", "two", 200), ("newest", "one", 403)] {
        let set = json!({"objects": [agent(name, Some(project)), prompt(name)]});
        assert_eq!(ask("POST", "apply", &set), status, "{name}");
    }
}
