//! HTTP from outside: what is there for which method, what is refused, and what the daemon tells of itself.

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{copies, manifest, server_with};
use crate::support::client::{Client, Era};
use crate::support::daemon::{Home, eventually};
use crate::support::http::{Request, converse};
use crate::support::processes;

/// An object of every kind, all called `x`, and a copy that runs.
fn furnished() -> Home {
    let home = Home::new().started();
    let prompt = |scope: &str| {
        format!(
            "---\napiVersion: orchctl.dev/v1\nkind: Prompt\nmetadata: {{name: x{scope}}}\nspec: {{content: hello}}\n"
        )
    };
    home.apply(
        &[
            manifest("Secret", "x", &json!({"data": {"token": "value"}})),
            manifest(
                "Llm",
                "x",
                &json!({"provider": "scripted", "model": "demo", "script": [{"text": "hello"}]}),
            ),
            manifest("Project", "x", &json!({})),
            manifest("Agent", "x", &json!({"llm": "x", "project": "x"})),
            manifest("Template", "x", &json!({"server": {"command": ["orch-fixture"]}})),
            server_with("x", &[], json!({})),
            prompt(""),
            prompt(", project: x"),
            prompt(", agent: x"),
            "---\napiVersion: orchctl.dev/v1\nkind: Personality\nmetadata: {name: x, agent: x}\nspec: {}\n".to_owned(),
            manifest("SecretBackend", "x", &json!({"type": "local"})),
            manifest("User", "x", &json!({})),
            manifest("Group", "x", &json!({"users": ["x"]})),
            manifest("ServiceAccount", "x", &json!({})),
            manifest(
                "RoleBinding",
                "x",
                &json!({"subjects": [{"kind": "User", "name": "x"}], "operations": ["logs"]}),
            ),
            manifest("Token", "x", &json!({})),
            "---\napiVersion: orchctl.dev/v1\nkind: Token\nmetadata: {name: x, project: x}\nspec: {}\n".to_owned(),
        ]
        .concat(),
    );
    home.until_ready(&["server/x"]);
    let client = Client::begin(&home, Era::Legacy, "/mcp/projects/x");
    client.call("propose_prompt", json!({"name": "x", "content": "hello"}));
    home
}

/// The prompts that are proposed.
fn proposals(home: &Home) -> Vec<Value> {
    home.get("projects/x/promptrequests")["items"]
        .as_array()
        .expect("a list")
        .clone()
}

/// The addresses of the API's own description with the methods each is there for. Places are filled with names of
/// `furnished`; with `{name}` left open where `object` gives the name.
fn addresses(home: &Home, object: impl Fn(&str) -> String) -> BTreeMap<String, Vec<String>> {
    let document = home.http("GET", "/openapi.json").send().expect(200).json();
    let mut addresses = BTreeMap::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        let (collection, _) = path.split_once("/{name}").unwrap_or((path, ""));
        let collection = collection.replace("{project}", "x").replace("{agent}", "x");
        let path = path.replace("{project}", "x").replace("{agent}", "x");
        let path = match path.contains("{name}") {
            true => path.replace("{name}", &object(&collection)),
            false => path,
        };
        let methods = item.as_object().expect("operations").keys();
        let methods = methods.filter(|method| ["get", "put", "post", "patch", "delete"].contains(&method.as_str()));
        addresses.insert(path, methods.map(|method| method.to_uppercase()).collect());
    }
    addresses
}

/// The object of a collection that is looked at: `x`, or what the daemon has made for one of that name.
fn shown(home: &Home, collection: &str) -> Value {
    match collection {
        "/api/v1/instances" => copies(home, "x")[0].clone(),
        "/api/v1/projects/x/promptrequests" => proposals(home)[0].clone(),
        "/v1/models" => home.http("GET", "/api/v1/llms/x").send().expect(200).json(),
        _ => home.http("GET", &format!("{collection}/x")).send().expect(200).json(),
    }
}

fn name_in(home: &Home, collection: &str) -> String {
    shown(home, collection)["metadata"]["name"]
        .as_str()
        .expect("a name")
        .to_owned()
}

fn uid_in(home: &Home, collection: &str) -> String {
    // Clients of models know names, and nothing else.
    if collection == "/v1/models" {
        return name_in(home, collection);
    }
    shown(home, collection)["status"]["uid"]
        .as_str()
        .expect("a uid")
        .to_owned()
}

#[test]
fn head_is_answered_like_get_everywhere() {
    let home = furnished();
    let mut addresses = addresses(&home, |collection| name_in(&home, collection));
    addresses.retain(|_, methods| methods.contains(&"GET".to_owned()));
    assert!(addresses.len() > 40, "{addresses:?}");
    for path in addresses
        .keys()
        .map(String::as_str)
        .chain(["/api/v1/servers/none", "/api/v1/nothing", "/nowhere"])
    {
        for token in [home.token(), "orch_wrong".to_owned()] {
            let get = home.http("GET", path).token(&token).send();
            let head = home.http("HEAD", path).token(&token).send();
            assert_eq!(head.status, get.status, "{path}");
            assert_eq!(head.body, "", "{path}");
            for header in ["content-type", "etag", "www-authenticate"] {
                assert_eq!(head.header(header), get.header(header), "{path}");
            }
        }
    }
}

#[test]
fn a_uid_is_as_good_as_a_name() {
    let home = furnished();
    let by_name = addresses(&home, |collection| name_in(&home, collection));
    let by_uid = addresses(&home, |collection| uid_in(&home, collection));
    let mut compared = 0;
    // Both are in the order of the same description, but for the names.
    for (path, methods) in &by_uid {
        let is_read = methods.contains(&"GET".to_owned()) && !by_name.contains_key(path);
        if !is_read {
            continue;
        }
        let made = copies(&home, "x").into_iter().chain(proposals(&home));
        let uids = made.map(|copy| {
            let text = |value: &Value| value.as_str().expect("text").to_owned();
            (text(&copy["status"]["uid"]), text(&copy["metadata"]["name"]))
        });
        let mut named = path.clone();
        for (uid, name) in uids {
            named = named.replace(&uid, &name);
        }
        let named: Vec<_> = named
            .split('/')
            .map(|segment| if segment.len() == 36 { "x" } else { segment })
            .collect();
        let named = named.join("/");
        let [one, other] = [path, &named].map(|path| home.http("GET", path).send().expect(200));
        assert_eq!(one.header("etag"), other.header("etag"), "{path}");
        assert_eq!(one.body, other.body, "{path} and {named}");
        compared += 1;
    }
    assert!(compared > 30, "{compared}");

    // And for what changes something.
    let uid = uid_in(&home, "/api/v1/servers");
    let at = |rest: &str| format!("/api/v1/servers/{uid}{rest}");
    home.http("PATCH", &at(""))
        .json(&json!({"spec": {"description": "patched"}}))
        .send()
        .expect(200);
    home.http("POST", &at("/scale"))
        .json(&json!({"replicas": 0}))
        .send()
        .expect(200);
    home.http("POST", &at("/restart")).send().expect(200);
    home.http("POST", &at("/rollback"))
        .json(&json!({"generation": 1}))
        .send()
        .expect(200);
    let mut whole = home.get("servers/x");
    whole["spec"]["description"] = json!("replaced");
    whole.as_object_mut().expect("an object").remove("status");
    home.http("PUT", &at("")).json(&whole).send().expect(200);
    assert_eq!(home.get("servers/x")["spec"]["description"], "replaced");
    home.http("DELETE", &at("")).send().expect(200);
    eventually("it is gone", || home.http("GET", &at("")).send().status == 404);
}

#[test]
fn other_methods_are_refused_and_those_there_are_get_named() {
    let home = furnished();
    for (path, methods) in addresses(&home, |collection| name_in(&home, collection)) {
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"] {
            if methods.iter().any(|known| known == method) {
                continue;
            }
            let answer = home.http(method, &path).json(&json!({})).send();
            let is_made_here = path.contains("/instances") || path.contains("/promptrequests");
            if is_made_here && matches!(method, "POST" | "PUT" | "PATCH") && answer.status != 405 {
                // Whoever tries to make one is told that the daemon does.
                assert!(matches!(answer.status, 400 | 422), "{method} {path}: {}", answer.status);
                continue;
            }
            // Where models are asked, it is told in the words of their clients.
            let code = match path.starts_with("/v1/") || path.ends_with("/infer") {
                true => answer.json()["error"]["type"].as_str().unwrap_or_default().to_owned(),
                false => answer.code(),
            };
            let is_told = code == "ORCH4106" || code == "invalid_request_error";
            assert!(
                answer.status == 405 && is_told,
                "{method} {path}: {} {code}",
                answer.status
            );
            let allowed = answer.header("allow").unwrap_or_default().replace(' ', "");
            for method in &methods {
                let is_named = allowed.split(',').any(|allowed| allowed == method);
                assert!(is_named, "{path} is there for {method}, not only for {allowed}");
            }
        }
    }
    assert_eq!(home.http("BREW", "/nowhere").send().expect(404).code(), "ORCH4103");
}

#[test]
fn what_is_no_http_does_no_harm() {
    let home = Home::new().started();
    let token = home.token();
    let post = |head: &str, body: &[u8]| -> Vec<u8> {
        let head = format!(
            "POST /api/v1/servers HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nConnection: close\r\n{head}\r\n"
        );
        [head.as_bytes(), body].concat()
    };
    let get = |head: &str| format!("GET /healthz HTTP/1.1\r\nConnection: close\r\n{head}\r\n").into_bytes();
    let chunked = "Transfer-Encoding: chunked\r\n";
    for (what, bytes, expected) in [
        ("no HTTP at all", b"\0\x01\x02 what\r\n\r\n".to_vec(), "400"),
        ("no host", get(""), "ORCH4003"),
        ("another host", get("Host: evil.example\r\n"), "ORCH4003"),
        (
            "two hosts",
            get("Host: localhost\r\nHost: evil.example\r\n"),
            "ORCH4003",
        ),
        (
            "two origins",
            get("Host: localhost\r\nOrigin: http://localhost\r\nOrigin: null\r\n"),
            "ORCH4003",
        ),
        ("a host that would be acted on", get("Host: \t\u{9b}2J\r\n"), "ORCH4003"),
        (
            "an address with another host",
            b"GET http://evil.example/healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".to_vec(),
            "ORCH4003",
        ),
        (
            "an address beside another host",
            b"GET http://localhost/healthz HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n".to_vec(),
            "ORCH4003",
        ),
        (
            "a head without end",
            get(&format!("Host: localhost\r\nX: {}\r\n", "a".repeat(1 << 20))),
            "431",
        ),
        (
            "too many headers",
            get(&format!("Host: localhost\r\n{}", "X: a\r\n".repeat(500))),
            "431",
        ),
        ("a chunk that is none", post(chunked, b"ZZ\r\nhello\r\n"), "ORCH4101"),
        (
            "a chunk of more than there can be",
            post(chunked, b"FFFFFFFFFFFFFFFFFF\r\n"),
            "ORCH4101",
        ),
        (
            "a length twice",
            post("Content-Length: 1\r\nContent-Length: 2\r\n", b"{}"),
            "400",
        ),
        ("a length below nothing", post("Content-Length: -1\r\n", b"{}"), "400"),
        (
            "a length nobody waits for",
            post("Content-Length: 999999999999\r\n", b"{"),
            "ORCH4102",
        ),
        (
            "a token that is no text",
            get("Host: localhost\r\nAuthorization: Bearer \u{fe}\r\n"),
            "200",
        ),
        ("not JSON", post("Content-Length: 2\r\n", b"\xff\xfe"), "ORCH4101"),
    ] {
        let answer = converse(home.address(), &bytes, Duration::from_secs(60));
        assert!(answer.closed && answer.text.contains(expected), "{what}: {answer:?}");
        let told = answer
            .text
            .split_once("\r\n\r\n")
            .map(|(_, body)| body)
            .unwrap_or_default();
        assert!(!told.contains(['\u{9b}', '\u{1b}', '\0']), "{what}: {told:?}");
    }
    home.get("servers");
}

/// Who says nothing, or never comes to an end, does not keep a connection.
#[test]
fn those_who_dawdle_are_not_waited_for() {
    let home = Home::new().started();
    let address = home.address();
    let idle = "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let beginnings = ["", "G", "PRI * HT", "GET /healthz HTTP/1.1\r\nHost: local", idle];
    let waiting: Vec<_> = beginnings
        .into_iter()
        .flat_map(|beginning| std::iter::repeat_n(beginning, 20))
        .map(|beginning| {
            let converse = move || converse(address, beginning.as_bytes(), Duration::from_secs(60));
            (beginning, std::thread::spawn(converse))
        })
        .collect();
    let sockets = || processes::sockets(home.pid());
    eventually("all are connected", || sockets() >= waiting.len());
    // Everybody else is served meanwhile.
    home.get("servers");
    let waited = waiting.len();
    for (beginning, waiting) in waiting {
        let answer = waiting.join().expect("it ends");
        assert!(answer.closed, "{beginning:?}");
        assert_eq!(answer.text.contains("200 OK"), beginning == idle, "{answer:?}");
    }
    eventually("nothing of them is left", || sockets() < waited);
}

#[test]
fn bodies_that_are_too_large_are_refused_in_words() {
    let home = Home::new().started();
    let mib = 1 << 20;
    for (path, length, status) in [
        ("/api/v1/servers", mib, 400),
        ("/api/v1/servers", mib + 1, 413),
        ("/api/v1/servers", 20 * mib, 413),
        ("/api/v1/seal", mib + 1, 413),
        ("/api/v1/apply", 20 * mib, 400),
        ("/api/v1/apply", 64 * mib + 1, 413),
    ] {
        let request = home.http("POST", path).header("Content-Type", "application/json");
        let answer = request.body(vec![b' '; length]).send().expect(status);
        let code = if status == 413 { "ORCH4102" } else { "ORCH4101" };
        assert_eq!(answer.code(), code, "{length} bytes to {path}");
    }
    home.get("servers");
}

#[test]
fn a_request_has_one_name_from_end_to_end() {
    let home = Home::new().started();
    for (given, kept) in [
        ("build-7.a_b", true),
        ("", false),
        ("a b", false),
        ("x\u{9b}2J", false),
        (&"a".repeat(65), false),
    ] {
        let answer = home
            .http("GET", "/api/v1/servers/none")
            .header("X-Request-Id", given)
            .send()
            .expect(404);
        let id = answer.header("x-request-id").expect("a name").to_owned();
        assert_eq!(id == given, kept, "{given:?}: {id}");
        assert_eq!(answer.json()["requestId"], id.as_str());
        eventually("the log has it", || home.logs().contains(&id));
    }
}

#[test]
fn the_daemon_tells_how_it_fares() {
    let home = furnished();
    let ready = Request::new(home.address(), "GET", "/readyz").send().expect(200).json();
    assert_eq!(ready["ready"], true, "{ready}");
    for number in 0..50 {
        home.http(&format!("M{number}"), "/healthz").send().expect(405);
        home.http("GET", &format!("/nowhere/{number}")).send().expect(404);
    }
    let answer = home.http("GET", "/metrics").send().expect(200);
    assert!(
        answer
            .header("content-type")
            .is_some_and(|media| media.starts_with("application/openmetrics-text"))
    );
    let metrics = answer.body;
    assert!(metrics.ends_with("# EOF\n"));
    let samples: BTreeMap<&str, f64> = metrics
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(name, value)| (name, value.parse().expect("a number")))
        .collect();
    for (name, least) in [
        (
            r#"orchd_requests_total{method="GET",route="/api/v1/{*rest}",status="200"}"#,
            1.0,
        ),
        (
            r#"orchd_requests_total{method="POST",route="/api/v1/{*rest}",status="200"}"#,
            1.0,
        ),
        (
            r#"orchd_requests_total{method="other",route="/healthz",status="405"}"#,
            50.0,
        ),
        (r#"orchd_requests_total{method="GET",route="-",status="404"}"#, 50.0),
        ("orchd_request_duration_seconds_count", 100.0),
        (r#"orchd_reconcile_duration_seconds_count{kind="Server"}"#, 1.0),
        (r#"orchd_reconcile_duration_seconds_count{kind="Instance"}"#, 1.0),
        ("orchd_reconcile_queue", 0.0),
        ("orchd_reconcile_working", 0.0),
        (r#"orchd_instances{phase="Running"}"#, 1.0),
        (r#"orchd_store_duration_seconds_count{operation="commit"}"#, 1.0),
        (r#"orchd_store_duration_seconds_count{operation="write"}"#, 1.0),
        (r#"orchd_store_duration_seconds_count{operation="get"}"#, 1.0),
        ("orchd_store_commits", 1.0),
    ] {
        let value = samples.get(name).copied();
        assert!(
            value.is_some_and(|value| value >= least),
            "{name} is {value:?}:\n{metrics}"
        );
    }
    assert!(
        samples.len() < 500,
        "callers cannot make up new series: {}",
        samples.len()
    );
    home.orchctl(&["status"]).expect(0).saying(&["1 Server", "1 Running"]);
    home.orchctl(&["doctor"]).expect(0);
    home.orchctl(&["version"]).expect(0);
}

#[test]
fn requests_under_way_finish_when_the_daemon_ends() {
    let mut home = Home::new().started();
    let mut watch = home.http("GET", "/api/v1/servers?watch=1").stream();
    assert!(watch.line().is_some());
    let metadata = json!({"name": "late"});
    let late =
        json!({"apiVersion": "orchctl.dev/v1", "kind": "Prompt", "metadata": metadata, "spec": {"content": "x"}});
    let late = late.to_string();
    let mut connection = TcpStream::connect(home.address()).expect("a connection");
    let head = format!(
        "POST /api/v1/prompts HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {}\r\n\
         Content-Type: application/json\r\nExpect: 100-continue\r\nContent-Length: {}\r\n\r\n",
        home.token(),
        late.len()
    );
    connection.write_all(head.as_bytes()).expect("sent");
    let mut begun = [0; 25];
    connection
        .read_exact(&mut begun)
        .expect("the daemon waits for the body");
    assert_eq!(&begun, b"HTTP/1.1 100 Continue\r\n\r\n");

    processes::signal(home.pid(), Signal::TERM);
    while watch.line().is_some() {}
    eventually("nobody else is let in", || TcpStream::connect(home.address()).is_err());
    connection.write_all(late.as_bytes()).expect("sent");
    let mut answer = String::new();
    connection.read_to_string(&mut answer).expect("an answer");
    assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    assert_eq!(home.stop(), 0);
    home.start();
    home.get("prompts/late");
}

/// Clients send the head of a request and then its body; one that is refused by its head is read nonetheless, so that the next one
/// finds the connection as it was.
#[test]
fn who_is_refused_may_ask_again_over_the_same_connection() {
    let home = Home::new().started();
    let mut connection = TcpStream::connect(home.address()).expect("a connection");
    connection.set_nodelay(true).expect("an option of every socket");
    let body = br#"{"model": "none", "messages": []}"#;
    for path in ["/v1/chat/completions", "/api/v1/apply", "/mcp/servers/none"] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer orch_x\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n",
            home.address(),
            body.len()
        );
        connection.write_all(head.as_bytes()).expect("it is read");
        std::thread::sleep(Duration::from_millis(50));
        connection.write_all(body).expect("it is read");
        let (mut answer, mut piece) = (Vec::new(), [0; 4096]);
        while !answer.ends_with(b"}") {
            let read = connection.read(&mut piece).expect("an answer");
            assert!(read > 0, "{path}: the connection was closed");
            answer.extend_from_slice(&piece[..read]);
        }
        assert!(
            answer.starts_with(b"HTTP/1.1 401"),
            "{path}: {}",
            String::from_utf8_lossy(&answer)
        );
    }
}
