//! Who may ask, and in what form.

use serde_json::json;

use super::server_with;
use crate::support::daemon::{Home, eventually};
use crate::support::http::Request;
use crate::support::outside::certificate;

/// Every method and path of the API's own description, places filled in.
fn operations(home: &Home) -> Vec<(String, String)> {
    let document = home.http("GET", "/openapi.json").send().expect(200).json();
    let mut operations = Vec::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        let path = path
            .split('/')
            .map(|segment| if segment.starts_with('{') { "x" } else { segment });
        let path = path.collect::<Vec<_>>().join("/");
        for method in item.as_object().expect("operations").keys() {
            if ["get", "put", "post", "patch", "delete", "head"].contains(&method.as_str()) {
                operations.push((method.to_uppercase(), path.clone()));
            }
        }
    }
    operations
}

#[test]
fn nothing_but_health_answers_without_a_token() {
    let home = Home::new().started();
    let operations = operations(&home);
    assert!(operations.len() > 50, "{operations:?}");
    // What is answered without a credential is told there, and is no more than this.
    let is_open = |path: &str| matches!(path, "/healthz" | "/readyz");
    let other = format!("orch_{}", "0".repeat(64));
    for (method, path) in operations {
        let bare = Request::new(home.address(), &method, &path);
        let wrong = bare.clone().token(&other);
        for (request, how) in [(&bare, "no token"), (&wrong, "a wrong token")] {
            let answer = request.send();
            if path == "/api/v1/login" {
                // It wants a name and a password instead.
                assert_eq!(answer.status, 400, "{method} {path}");
            } else if is_open(&path) {
                assert_eq!(answer.status, 200, "{method} {path}");
            } else {
                assert_eq!(answer.status, 401, "{method} {path} with {how}");
                assert_eq!(answer.header("www-authenticate"), Some("Bearer realm=\"orchd\""));
            }
        }
        let elsewhere = home.http(&method, &path).header("Host", "evil.example");
        let page = home.http(&method, &path).header("Origin", "https://evil.example");
        for refused in [elsewhere.send().expect(403), page.send().expect(403)] {
            let told = match (method.as_str(), path.starts_with("/v1/") || path.ends_with("/infer")) {
                // An answer to HEAD has no body to tell it in.
                ("HEAD", _) => continue,
                // Where models are asked, it is told in the words of their clients.
                (_, true) => refused.json()["error"]["type"] == "permission_error",
                (_, false) => refused.code() == "ORCH4003",
            };
            assert!(told, "{method} {path}: {}", refused.body);
        }
    }
}

#[test]
fn an_open_gateway_opens_what_clients_ask_and_nothing_else() {
    let home = Home::new().with(&["--insecure-open-gateway"]).started();
    let looked_at = ["/api/v1/projects/x/sessions", "/api/v1/projects/x/sessions/x/traffic"];
    let looked_at = looked_at.map(|path| ("GET".to_owned(), path.to_owned()));
    for (method, path) in operations(&home).into_iter().chain(looked_at) {
        let answer = Request::new(home.address(), &method, &path).send();
        if !matches!(path.as_str(), "/healthz" | "/readyz" | "/api/v1/login") {
            assert_eq!(answer.status, 401, "{method} {path}");
        }
    }
    // What is open answers; but a credential that is given must be right.
    let asked = Request::new(home.address(), "GET", "/mcp/servers/x/sse");
    asked.send().expect(404);
    asked.token(&format!("orch_{}", "0".repeat(64))).send().expect(401);
}

#[test]
fn the_use_of_a_token_is_noted_once_not_with_each_request() {
    let home = Home::new().started();
    let written = || {
        let metrics = home.http("GET", "/metrics").send().expect(200).body;
        let writes = metrics
            .lines()
            .find_map(|line| line.strip_prefix("orchd_store_writes "));
        writes
            .and_then(|count| count.parse::<u64>().ok())
            .expect("a count of writes")
    };
    // The token is new, and the database is asked about it once in two seconds.
    let before = written();
    for _ in 0..200 {
        home.http("GET", "/api/v1/servers").send().expect(200);
    }
    std::thread::sleep(std::time::Duration::from_millis(500));
    let after = written();
    assert!(after - before < 20, "{before} writes before, {after} after");
}

#[test]
fn requests_that_cannot_be_understood_are_refused_in_words() {
    let home = Home::new().started();
    home.apply(&server_with("files", &[], json!({"replicas": 0})));
    let object = |body: &str| body.as_bytes().to_vec();
    let big = vec![b' '; (1 << 20) + 1];
    for (method, path, kind, body, status, code) in [
        (
            "POST",
            "/api/v1/servers",
            "application/json",
            object("{"),
            400,
            "ORCH4101",
        ),
        ("POST", "/api/v1/servers", "text/yaml", object("{}"), 415, "ORCH4104"),
        (
            "POST",
            "/api/v1/servers",
            "application/json",
            big.clone(),
            413,
            "ORCH4102",
        ),
        (
            "PATCH",
            "/api/v1/servers/files",
            "application/json",
            big,
            413,
            "ORCH4102",
        ),
        (
            "POST",
            "/api/v1/apply",
            "application/json",
            object(r#"{"objcts": []}"#),
            400,
            "ORCH4101",
        ),
        (
            "POST",
            "/api/v1/apply",
            "application/json",
            object(r#"{"objects": [], "objects": []}"#),
            400,
            "ORCH1004",
        ),
        (
            "POST",
            "/api/v1/apply",
            "application/json",
            object("[]"),
            400,
            "ORCH4101",
        ),
        ("GET", "/api/v1/servers?limit=x", "", vec![], 400, "ORCH4101"),
        ("GET", "/api/v1/servers?lable=x", "", vec![], 400, "ORCH4101"),
        ("GET", "/api/v1/servers?continue=x", "", vec![], 400, "ORCH4101"),
        ("GET", "/api/v1/serverz", "", vec![], 404, "ORCH4103"),
        ("GET", "/nowhere", "", vec![], 404, "ORCH4103"),
        ("GET", "/api/v1/servers/nobody", "", vec![], 404, "ORCH3001"),
        (
            "POST",
            "/api/v1/servers/files/rollback",
            "application/json",
            object(r#"{"generation": 9}"#),
            404,
            "ORCH3008",
        ),
        (
            "POST",
            "/api/v1/servers/files/scale",
            "application/json",
            object(r#"{"replicas": -1}"#),
            400,
            "ORCH4101",
        ),
        (
            "POST",
            "/api/v1/servers/files/scale",
            "application/json",
            object(r#"{"replicas": 101}"#),
            422,
            "ORCH2001",
        ),
    ] {
        let request = home.http(method, path).header("Content-Type", kind).body(body);
        let answer = request.send();
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (status, code),
            "{method} {path}: {}",
            answer.body
        );
        assert!(answer.json()["requestId"].is_string(), "{}", answer.body);
    }
    home.get("servers/files");
}

#[test]
fn a_stale_write_is_refused_and_nothing_is_lost() {
    let home = Home::new().started();
    home.apply(&server_with("files", &[], json!({"replicas": 0})));
    let answer = home.http("GET", "/api/v1/servers/files").send().expect(200);
    let tag = answer.header("etag").expect("a tag").to_owned();
    let patch = |description: &str| {
        let patch = home
            .http("PATCH", "/api/v1/servers/files")
            .json(&json!({"spec": {"description": description}}));
        patch.header("If-Match", &tag).send()
    };
    patch("first").expect(200);
    assert_eq!(patch("second").expect(409).code(), "ORCH3003");
    assert_eq!(home.get("servers/files")["spec"]["description"], "first");
    // The uid is as good as the name.
    let uid = home.get("servers/files")["status"]["uid"]
        .as_str()
        .expect("a uid")
        .to_owned();
    assert_eq!(home.get(&format!("servers/{uid}"))["metadata"]["name"], "files");
}

#[test]
fn a_first_start_that_fails_loses_no_token() {
    let mut home = Home::new();
    let context = home.write("orchctl.yaml", "contexts: [\n");
    home.orchd_to_end(&["serve"])
        .expect(1)
        .saying(&["is not a file of contexts", "hint: mend it"]);
    std::fs::remove_file(context).expect("it is there");
    home.start();
    home.orchctl(&["get", "servers"]).expect(0);

    // Where nobody can be introduced any more, the daemon says how to get in.
    home.stop();
    std::fs::remove_file(home.path("orchctl.yaml")).expect("it is there");
    home.start();
    assert!(home.logs().contains("orchd token reset"), "{}", home.logs());
}

#[test]
fn plain_http_beyond_this_machine_must_be_asked_for() {
    let home = Home::new().with(&["--listen", "0.0.0.0:0"]);
    home.orchd_to_end(&["serve"])
        .expect(1)
        .saying(&["--insecure-http", "--tls-cert"]);
}

#[test]
fn one_directory_is_one_daemons() {
    let home = Home::new().started();
    let second = home.orchd_to_end(&["serve"]);
    assert_ne!(second.code, 0);
    assert!(second.stderr.contains("is in use by process"), "{}", second.stderr);
    home.get("servers");
}

#[test]
fn a_lost_token_is_replaced() {
    let mut home = Home::new().started();
    let lost = home.token();
    home.stop();
    let reset = home.orchd_to_end(&["token", "reset"]).expect(0);
    let fresh = home.token();
    assert_ne!(fresh, lost);
    assert!(
        !reset.stdout.contains(&fresh) && !reset.stderr.contains(&fresh),
        "the token is shown"
    );
    home.start();
    home.orchctl(&["get", "servers"]).expect(0);
    home.http("GET", "/api/v1/servers").token(&lost).send().expect(401);
}

#[test]
fn tls_is_served() {
    let home = Home::new();
    let Some((certificate, key)) = certificate(&home) else {
        return;
    };
    let mut home = home.with(&["--tls-cert", &certificate, "--tls-key", &key]);
    home.start_unasked();
    eventually("the daemon answers over TLS", || {
        home.orchctl(&["--ca-file", &certificate, "get", "servers"]).code == 0
    });
    home.orchctl(&["get", "servers"]).expect(6).saying(&[
        "nobody that this machine trusts",
        "(ORCH7006)",
        "--ca-file FILE",
    ]);
    home.orchctl(&["config", "set-context", "local", "--ca-file", &certificate])
        .expect(0);
    home.orchctl(&["get", "servers"]).expect(0);
    let plainly = format!("http://{}", home.address());
    home.orchctl(&["get", "servers", "--server", &plainly])
        .expect(6)
        .saying(&["--server https://"]);
    let plain = Request::new(home.address(), "GET", "/healthz").try_send();
    assert!(plain.is_err(), "plain HTTP is answered: {plain:?}");
}

#[test]
fn events_are_filtered_before_they_are_counted() {
    let home = Home::new().started();
    home.apply(&server_with("files", &[], json!({})));
    home.until_ready(&["server/files"]);
    let uid = home.get("servers/files")["status"]["uid"].clone();
    let uid = uid.as_str().expect("a uid");
    let told = |query: &str| {
        let items = home.get(&format!("events?{query}"))["items"].clone();
        items.as_array().expect("a list").clone()
    };
    let of_servers = told("kind=server");
    assert!(!of_servers.is_empty(), "{of_servers:?}");
    assert_eq!(told("kind=server&limit=1"), of_servers[of_servers.len() - 1..]);
    assert_eq!(told(&format!("kind=server&name={uid}")), told("kind=server&name=files"));
    assert!(told(&format!("kind=server&name={uid}&owned=true")).len() > of_servers.len());
    for nothing in [
        "project=nosuch",
        "agent=nosuch",
        "kind=server&warnings=true",
        "kind=server&name=other",
    ] {
        assert_eq!(told(nothing), Vec::<serde_json::Value>::new(), "{nothing}");
    }
}

#[test]
fn what_no_person_would_ask_is_refused() {
    let home = Home::new().started();
    home.apply(&server_with("files", &[], json!({"replicas": 0})));
    let many = vec!["a"; 500].join(",");
    for query in [
        format!("labelSelector={many}"),
        "labelSelector=k=%00".to_owned(),
        format!("fieldSelector={many}"),
    ] {
        let answer = home.http("GET", &format!("/api/v1/servers?{query}")).send().expect(400);
        assert_eq!(answer.code(), "ORCH4101", "{query}");
    }
    let tag = home.http("GET", "/api/v1/servers/files").send().expect(200);
    let tag = tag.header("etag").expect("a tag").to_owned();
    let other = format!("\"{}.1\"", "0".repeat(36));
    for (given, status) in [
        (format!("W/{tag}"), 400),
        (format!("{tag}, {tag}"), 400),
        ("\"abc.1\"".to_owned(), 400),
        (other, 409),
        (tag, 200),
    ] {
        let restart = home
            .http("POST", "/api/v1/servers/files/restart")
            .header("If-Match", &given);
        assert_eq!(restart.send().status, status, "{given}");
    }
}

#[test]
fn whoever_watches_the_daemon_sees_that_its_database_is_away() {
    let Some((home, database)) = Home::on_own_postgres() else {
        return;
    };
    let mut home = home.started();
    home.apply(&server_with("files", &[], json!({"replicas": 0})));
    database.stop();
    for path in ["/metrics", "/version", "/openapi.json"] {
        home.http("GET", path).send().expect(200);
    }
    let other = home.http("GET", "/version").token(&format!("orch_{}", "0".repeat(64)));
    assert_eq!(other.send().expect(503).code(), "ORCH5001");
    home.http("GET", "/api/v1/servers/files").send().expect(503);
    home.stop();
    // A daemon that is started before its database waits for it.
    std::thread::scope(|scope| {
        scope.spawn(|| {
            std::thread::sleep(std::time::Duration::from_secs(1));
            database.resume();
        });
        home.start();
    });
    home.get("servers/files");
}
