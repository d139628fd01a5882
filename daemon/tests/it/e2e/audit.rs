//! Who did what: one row for each request and each call, with all that was known of it, in a chain that tells of tampering;
//! and no secret in it, nor in anything else that the daemon has written.

use std::path::Path;

use serde_json::{Value, json};

use super::{manifest, server};
use crate::support::client::{Client, ERAS, Era};
use crate::support::daemon::{Home, eventually, on_each_database};
use crate::support::database;

on_each_database!(each_request_has_one_row, the_chain_is_walked_through_the_product);

/// The entries that fit a query.
fn entries(home: &Home, query: &str) -> Vec<Value> {
    let answer = home.get(&format!("audit?limit=1000&{query}"));
    answer["items"].as_array().expect("items").clone()
}

/// An entry in a line: who, verb, target, outcome, status.
fn line(entry: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let target = match (&entry["target"]["kind"], &entry["target"]["name"]) {
        (Value::Null, _) => "-".to_owned(),
        (kind, Value::Null) => text(kind),
        (kind, name) => format!("{}/{}", text(kind), text(name)),
    };
    let who = match text(&entry["principal"]) {
        empty if empty.is_empty() => "-".to_owned(),
        who => who,
    };
    let (kind, verb, outcome) = (text(&entry["kind"]), text(&entry["verb"]), text(&entry["outcome"]));
    format!("{kind} {who} {verb} {target} {outcome} {}", entry["status"])
}

/// Method, path, body, credential if another than the admin's, and what comes of it: the status and the row.
type Asked<'a> = (&'a str, &'a str, Option<&'a Value>, Option<&'a str>, u16, &'a str);

fn each_request_has_one_row(home: Home) {
    let home = home.started();
    let secret = json!({"apiVersion": "orchctl.dev/v1", "kind": "Secret", "metadata": {"name": "keys"},
        "spec": {"data": {"token": "a-value-that-is-secret"}}});
    let prompt = json!({"apiVersion": "orchctl.dev/v1", "kind": "Prompt", "metadata": {"name": "tone", "project": "web"},
        "spec": {"content": "x"}});
    home.apply(&manifest("Project", "web", &json!({})));
    let wrong = format!("Bearer orch_{}", "0".repeat(64));
    let asked: &[Asked<'_>] = &[
        (
            "POST",
            "secrets",
            Some(&secret),
            None,
            201,
            "request admin create Secret/keys allowed 201",
        ),
        (
            "GET",
            "secrets/keys",
            None,
            None,
            200,
            "request admin get Secret/keys allowed 200",
        ),
        (
            "GET",
            "secrets/keys?reveal=true",
            None,
            None,
            200,
            "request admin reveal Secret/keys allowed 200",
        ),
        (
            "GET",
            "secrets",
            None,
            None,
            200,
            "request admin list Secret allowed 200",
        ),
        (
            "HEAD",
            "secrets/keys",
            None,
            None,
            200,
            "request admin get Secret/keys allowed 200",
        ),
        (
            "POST",
            "secrets",
            Some(&secret),
            None,
            409,
            "request admin create Secret/keys failed 409",
        ),
        (
            "GET",
            "secrets/other",
            None,
            None,
            404,
            "request admin get Secret/other failed 404",
        ),
        (
            "GET",
            "secrets/other?reveal=true",
            None,
            None,
            404,
            "request admin reveal Secret/other failed 404",
        ),
        (
            "GET",
            "secrets/keys",
            None,
            Some(&wrong),
            401,
            "request - get Secret/keys denied 401",
        ),
        (
            "GET",
            "secrets/keys",
            None,
            Some("Basic x"),
            401,
            "request - get Secret/keys denied 401",
        ),
        (
            "POST",
            "projects/web/prompts",
            Some(&prompt),
            None,
            201,
            "request admin create Prompt/tone allowed 201",
        ),
        ("POST", "status", None, None, 405, "request admin post - failed 405"),
        ("GET", "nothing/here", None, None, 404, "request admin get - failed 404"),
        (
            "DELETE",
            "secrets/keys",
            None,
            None,
            200,
            "request admin delete Secret/keys allowed 200",
        ),
        ("GET", "status", None, None, 200, "request admin status - allowed 200"),
    ];
    for (number, (method, path, body, credential, status, _)) in asked.iter().enumerate() {
        let mut request = home
            .http(method, &format!("/api/v1/{path}"))
            .header("X-Request-Id", &format!("asked-{number}"))
            .header("User-Agent", "test/1");
        if let Some(credential) = credential {
            request = request.header("Authorization", credential);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        request.send().expect(*status);
    }
    let of = |number: usize| -> Vec<Value> {
        let name = format!("asked-{number}");
        let all = entries(&home, "").into_iter();
        all.filter(|entry| entry["requestId"] == name.as_str()).collect()
    };
    // What changes something, or is refused to somebody who is known, is written down before it is answered.
    assert_eq!(of(asked.len() - 2).len(), 1);
    eventually("everything is written down", || of(asked.len() - 1).len() == 1);
    for (number, (.., expected)) in asked.iter().enumerate() {
        let rows = of(number);
        assert_eq!(
            rows.iter().map(line).collect::<Vec<_>>(),
            [*expected],
            "{:?}",
            asked[number]
        );
        let row = &rows[0];
        assert_eq!(row["client"], "test/1", "{row}");
        assert!(row["durationUs"].as_i64().is_some_and(|took| took > 0), "{row}");
        let is_known = row["principal"] == "admin";
        assert_eq!(row["token"] == "bootstrap", is_known, "{row}");
    }
    let prompts = entries(&home, "project=web&verb=create");
    assert_eq!(prompts.len(), 1, "{prompts:?}");
    assert_eq!(
        entries(&home, "kind=request&outcome=denied&target=secret/keys").len(),
        2
    );
    assert_eq!(entries(&home, "user=admin&target=secrets&verb=reveal").len(), 2);
    assert_eq!(entries(&home, "token=bootstrap&to=2020-01-01T00:00:00Z").len(), 0);
    // Health checks and metrics are no rows.
    home.http("GET", "/healthz").send().expect(200);
    home.http("GET", "/metrics")
        .send()
        .expect(200)
        .body
        .contains("orchd_audit_waiting");
    assert!(!entries(&home, "").iter().any(|entry| entry["verb"] == "healthz"));
    assert_eq!(home.get("status")["audit"]["dropped"], 0);
}

/// A call says who made it, in which project and session, by which client, and how long it took.
#[test]
fn a_call_says_in_which_session_and_by_which_client() {
    let home = Home::new().started();
    home.apply(&(server("files", &[]) + &manifest("Project", "web", &json!({"servers": ["files"]}))));
    home.until_ready(&["server/files"]);
    let ada = database::token(&home, "ada");
    let mut sessions = Vec::new();
    for era in ERAS {
        let client = Client::begin_as(&home, era, "/mcp/projects/web", &ada);
        let tools = client.names("tools/list");
        let tool = tools.iter().find(|name| name.ends_with("__echo")).expect("a tool");
        client.call(tool, json!({}));
        let id = client.session().map(str::to_owned);
        if era == Era::Legacy {
            client.end();
        }
        sessions.push(id);
    }
    let calls = || entries(&home, "kind=tool_call&user=ada");
    eventually("the calls are written down", || calls().len() == 2);
    for (call, era) in calls().iter().zip(ERAS) {
        for (field, expected) in [
            ("/verb", json!("tools/call")),
            ("/target", json!({"kind": "Server", "name": "files"})),
            ("/item", json!("echo")),
            ("/project", json!("web")),
            ("/token", json!("test")),
            ("/outcome", json!("allowed")),
        ] {
            assert_eq!(call.pointer(field), Some(&expected), "{era:?}: {call}");
        }
        assert!(
            call["client"].as_str().is_some_and(|client| client.contains('/')),
            "{call}"
        );
        assert!(
            call["requestId"].is_string() && call["durationUs"].as_i64() > Some(0),
            "{call}"
        );
        assert_eq!(call["session"].is_string(), era == Era::Legacy, "{call}");
    }
    // The session itself: begun, used, ended; by a short name that is not its id.
    let short = calls()[0]["session"].as_str().expect("a session").to_owned();
    assert!(sessions[0].as_ref().is_some_and(|id| !id.contains(&short)));
    let of_session = || -> Vec<String> {
        let all = entries(&home, &format!("session={short}"));
        let verb = |entry: &Value| entry["verb"].as_str().unwrap_or_default().to_owned();
        all.iter()
            .map(|entry| format!("{} {}", entry["kind"].as_str().unwrap_or_default(), verb(entry)))
            .collect()
    };
    let expected = [
        "request notifications/initialized",
        "request tools/list",
        "session_bind initialize",
        "session_bind mcp/end",
        "tool_call tools/call",
    ];
    eventually("the session is written down", || {
        let mut told = of_session();
        told.sort();
        told.dedup();
        told == expected
    });
    let shown = home.get("audit/sessions?from=1h&user=ada");
    let shown = shown["items"].as_array().expect("items");
    let session = shown
        .iter()
        .find(|session| session["session"] == short.as_str())
        .expect("the session");
    assert_eq!(
        (&session["project"], &session["calls"], &session["errors"]),
        (&json!("web"), &json!(1), &json!(0))
    );
    // A tool that is not there is refused, and a client cannot make its name a screen full.
    let client = Client::begin_as(&home, Era::Legacy, "/mcp/projects/web", &ada);
    let name = format!("no\u{1b}[2J{}", "x".repeat(2000));
    drop(client.ask("tools/call", json!({"name": name, "arguments": {}})));
    let refused = || entries(&home, "kind=tool_call&outcome=denied&user=ada");
    eventually("the refusal is written down", || refused().len() == 1);
    let item = refused()[0]["item"].as_str().unwrap_or_default().to_owned();
    assert!(item.starts_with("no\\u{1b}[2J") && item.len() <= 256, "{item}");
}

/// Where only changes are noted, what is read or called is not; what is refused or fails is.
#[test]
fn of_changes_alone_the_rest_leaves_no_row() {
    let home = Home::new().with(&["--audit", "changes"]).started();
    home.apply(&(server("files", &[]) + &manifest("Project", "web", &json!({"servers": ["files"]}))));
    home.until_ready(&["server/files"]);
    let client = Client::begin(&home, Era::Legacy, "/mcp/projects/web");
    client.call("files__echo", json!({}));
    drop(client.ask("tools/call", json!({"name": "nowhere", "arguments": {}})));
    home.get("servers/files");
    home.http("GET", "/api/v1/servers/none").send().expect(404);
    home.http("GET", "/api/v1/servers")
        .header("Authorization", "Bearer x")
        .send()
        .expect(401);
    home.http("DELETE", "/api/v1/projects/web").send().expect(200);
    let noted = || -> Vec<String> { entries(&home, "").iter().map(line).collect() };
    eventually("the rest is written down", || {
        noted().iter().any(|line| line.contains("denied 401"))
    });
    let noted = noted();
    for line in [
        "request admin apply - allowed 200",
        "session_bind admin initialize Project/web allowed 200",
        "tool_call admin tools/call Project/web denied null",
        "request admin get Server/none failed 404",
        "request - list Server denied 401",
        "request admin delete Project/web allowed 200",
    ] {
        assert_eq!(
            noted.iter().filter(|noted| *noted == line).count(),
            1,
            "{line}: {noted:#?}"
        );
    }
    let is_use = |line: &&String| {
        ["get Server/files", "list Server allowed", "call Server"]
            .iter()
            .any(|use_of| line.contains(use_of))
    };
    assert_eq!(noted.iter().find(is_use), None);
    home.orchctl(&["status"]).expect(0).saying(&["changes alone"]);
}

/// The command line shows, follows and verifies; what somebody does to the database is found.
fn the_chain_is_walked_through_the_product(home: Home) {
    let is_sqlite = home.database_url().is_none();
    let home = home.started();
    home.apply(&manifest("Project", "web", &json!({})));
    home.orchctl(&["audit"])
        .expect(0)
        .saying(&["admin", "bootstrap", "apply", "allowed"]);
    home.orchctl(&["audit", "--user", "nobody"])
        .expect(0)
        .saying(&["nothing that fits is written down"]);
    let shown = home
        .orchctl(&["audit", "--verb", "apply", "--from", "today", "-o", "json"])
        .expect(0);
    let shown: Value = serde_json::from_str(&shown.stdout).expect("JSON");
    assert_eq!(shown["items"][0]["detail"], "1 object", "{shown}");
    home.orchctl(&["audit", "-o", "wide", "--limit", "1"])
        .expect(0)
        .saying(&["SESSION", "CLIENT", "orchctl/", "more: --limit"]);
    home.orchctl(&["audit", "--from", "soon"])
        .expect(2)
        .saying(&["is no point in time", "today"]);
    home.orchctl(&["audit", "sessions"])
        .expect(0)
        .saying(&["PROJECT", "admin"]);
    let mark = || {
        let checked = home.orchctl(&["audit", "verify", "-o", "json"]).expect(0);
        let checked: Value = serde_json::from_str(&checked.stdout).expect("JSON");
        assert_eq!(checked["complete"], true, "{checked}");
        format!(
            "{}:{}",
            checked["to"]["sequence"],
            checked["to"]["hash"].as_str().unwrap_or_default()
        )
    };
    let kept = mark();
    home.orchctl(&["audit", "verify", "--kept", &kept])
        .expect(0)
        .saying(&["whole", "mark:"]);
    if is_sqlite {
        database::run(&home, "UPDATE audit SET principal = 'nobody' WHERE action = 'apply'");
        home.orchctl(&["audit", "verify"])
            .expect(1)
            .saying(&["broken at entry", "not as it was written"]);
        database::run(&home, "UPDATE audit SET principal = 'admin' WHERE action = 'apply'");
        mark();
    }
}

/// What is older than it need be kept goes, and the chain of the rest is whole.
#[test]
fn what_is_older_than_its_retention_goes() {
    let home = Home::new().with(&["--audit-retention", "2s"]).started();
    home.apply(&manifest("Project", "old", &json!({})));
    let about = |home: &Home, verb: &str| entries(home, &format!("verb={verb}")).len();
    eventually("it is written down", || about(&home, "apply") == 2);
    // It is looked for once a minute.
    std::thread::sleep(std::time::Duration::from_secs(45));
    eventually("it is dropped", || about(&home, "apply") == 0);
    let first = |home: &Home| entries(home, "")[0]["sequence"].as_i64().expect("a number");
    assert!(first(&home) > 1, "the numbers go on");
    home.orchctl(&["audit", "verify"]).expect(0).saying(&["whole"]);
}

/// Whoever follows is told what happens from then on, line by line, once each.
#[test]
fn the_command_line_follows() {
    let home = Home::new().started();
    home.apply(&manifest("Project", "before", &json!({})));
    let mut child = home
        .orchctl_command(&["audit", "--verb", "apply", "--follow", "-o", "json"])
        .spawn()
        .expect("orchctl runs");
    let lines = std::io::BufReader::new(child.stdout.take().expect("a pipe"));
    let (told, heard) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        for line in std::io::BufRead::lines(lines).map_while(Result::ok) {
            if told.send(line).is_err() {
                return;
            }
        }
    });
    let next = || -> Value {
        let line = heard.recv_timeout(std::time::Duration::from_secs(60)).expect("a line");
        serde_json::from_str(&line).expect("JSON")
    };
    let mut last = 0;
    // An apply has a row for the request, and then one for the object.
    let mut until = |name: &str| loop {
        let entry = next();
        let sequence = entry["sequence"].as_i64().expect("a number");
        assert!(entry["verb"] == "apply" && sequence > last, "{entry}");
        last = sequence;
        if entry["target"]["name"] == name {
            return;
        }
    };
    until("before");
    for name in ["one", "two"] {
        // Something else in between is not told.
        home.get("projects");
        home.apply(&manifest("Project", name, &json!({})));
        until(name);
    }
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    assert!(heard.recv().is_err(), "nothing is told twice");
}

/// Finds a text in all files below a directory.
fn holding(directory: &Path, text: &[u8], found: &mut Vec<String>) {
    for entry in std::fs::read_dir(directory).expect("the directory can be read") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            holding(&path, text, found);
        } else if let Ok(bytes) = std::fs::read(&path)
            && bytes.windows(text.len()).any(|window| window == text)
        {
            found.push(path.display().to_string());
        }
    }
}

/// Secrets that come in by every door are in nothing that the daemon writes: database, log, audit.
#[test]
fn nothing_that_is_secret_is_written_in_the_open() {
    let mut home = Home::new().with(&["--log", "debug"]).started();
    let ours = |mark: &str| format!("orch_{}{}", mark, "7".repeat(64 - mark.len()));
    let (in_path, in_query, in_header, in_agent) = (ours("a1"), ours("b2"), ours("c3"), ours("d4"));
    let (value, password, argument) = (
        "planted-value-of-a-secret-5e",
        "planted-password-6f",
        "planted-argument-70",
    );
    let (in_name, in_tool) = (ours("e5"), ours("f6"));
    home.apply(&manifest("Secret", "keys", &json!({"data": {"token": value}})));
    let server = |name: &str| {
        let command = ["orch-fixture"];
        let env = json!([{"name": "TOKEN", "valueFrom": {"secretRef": {"name": "keys", "key": "token"}}}]);
        manifest("Server", name, &json!({"command": command, "env": env}))
    };
    home.apply(&(server("files") + &manifest("Project", "web", &json!({"servers": ["files"]}))));
    home.until_ready(&["server/files"]);
    let seen = home
        .orchctl(&["get", "secret/keys", "--show-values", "-o", "json"])
        .expect(0);
    assert!(seen.stdout.contains(value));
    for method in ["GET", "DELETE"] {
        home.http(method, &format!("/api/v1/secrets/{in_path}")).send();
        home.http(method, &format!("/api/v1/{in_path}")).send();
    }
    home.http("GET", &format!("/api/v1/servers?token={in_query}&password={password}"))
        .send();
    home.http("GET", "/api/v1/servers")
        .header("Authorization", &format!("Bearer {in_header}"))
        .send();
    home.http("GET", "/api/v1/servers")
        .header("Authorization", &format!("Basic {password}"))
        .send();
    home.http("GET", "/api/v1/servers")
        .header("User-Agent", &format!("curl {in_agent}"))
        .send();
    let seal = json!({"name": "keys", "data": {"password": password}});
    home.http("POST", "/api/v1/seal").json(&seal).send().expect(200);
    for era in ERAS {
        let client = Client::begin(&home, era, "/mcp/projects/web");
        for tool in ["files__echo", in_tool.as_str()] {
            let arguments = json!({"apiKey": argument, "message": argument});
            drop(client.ask("tools/call", json!({"name": tool, "arguments": arguments})));
        }
        drop(client.ask(&in_name, json!({"password": password})));
        drop(client.ask("resources/read", json!({"uri": format!("file:///x?token={in_query}")})));
    }
    let token = home.token();
    eventually("the last request is written down", || {
        entries(&home, "").iter().any(|entry| entry["verb"] == "resources/read")
    });
    let audit = home
        .orchctl(&["audit", "-o", "json", "--limit", "10000"])
        .expect(0)
        .stdout;
    // Neither what runs shows it to everybody, nor what the API says of itself.
    let openapi = home.http("GET", "/openapi.json").send().expect(200).json().to_string();
    let running = home.processes().into_iter().chain([home.pid()]);
    let shown: Vec<_> = running
        .map(|pid| std::fs::read(format!("/proc/{pid}/cmdline")).expect("a command line"))
        .map(|line| String::from_utf8_lossy(&line).into_owned())
        .chain([openapi])
        .collect();
    assert!(
        shown.len() > 2 && shown.iter().all(|text| !text.is_empty()),
        "{shown:?}"
    );
    assert_eq!(home.stop(), 0);
    let logs = home.logs();
    for planted in [
        value, password, argument, &in_path, &in_query, &in_header, &in_agent, &in_name, &in_tool, &token,
    ] {
        assert!(!audit.contains(planted), "{planted} is in the audit log");
        assert!(!logs.contains(planted), "{planted} is in the log");
        assert!(shown.iter().all(|text| !text.contains(planted)), "{planted} is shown");
        let mut found = Vec::new();
        holding(&home.path("data"), planted.as_bytes(), &mut found);
        assert_eq!(found, Vec::<String>::new(), "{planted}");
    }
}

/// A service account is found by its name alone, and whose name was only tried has begun nothing.
#[test]
fn a_service_account_is_found_and_a_stranger_has_no_session() {
    let home = Home::new().started();
    home.apply(&manifest("ServiceAccount", "clerk", &json!({})));
    let made = ["create", "token", "clerk", "--service-account", "clerk"];
    let token = home.orchctl(&made).expect(0).stdout.trim().to_owned();
    let as_clerk = |path: &str| home.http("GET", path).token(&token).send();
    as_clerk("/api/v1/whoami").expect(200);
    let refused = as_clerk("/api/v1/audit").expect(403);
    assert!(
        refused.body.contains("may not use the operation `audit`"),
        "{}",
        refused.body
    );
    for name in ["nobody-1", "nobody-2"] {
        let body = json!({"user": name, "password": "not the right one"});
        home.http("POST", "/api/v1/login").json(&body).send().expect(401);
    }
    let of = |user: &str| entries(&home, &format!("user={user}")).len();
    eventually("all is written down", || of("clerk") >= 2 && of("nobody-2") == 1);
    assert_eq!(of("clerk"), of("serviceaccount/clerk"));
    home.orchctl(&["audit", "--user", "clerk"])
        .expect(0)
        .saying(&["whoami"]);
    let sessions = |query: &str| {
        let answer = home.get(&format!("audit/sessions?from=1h{query}"));
        let items = answer["items"].as_array().expect("items").clone();
        let who = |item: Value| item["principal"].as_str().unwrap_or_default().to_owned();
        items.into_iter().map(who).collect::<Vec<_>>()
    };
    assert_eq!(sessions("&user=clerk"), ["serviceaccount/clerk"]);
    let all = sessions("");
    assert!(all.iter().all(|who| !who.starts_with("nobody")), "{all:?}");
}
