//! Which tools clients see, under what names, and that they can call no others.

use serde_json::{Value, json};

use super::{at, manifest, project, raw, raw_with};
use crate::support::client::{Client, ERAS, Era};
use crate::support::daemon::{Home, eventually};

#[test]
fn names_say_whose_they_are_and_fit_every_client() {
    let home = Home::new().started();
    let described = json!({"description": "Keeps the books.", "tools": {"prefix": "books"}});
    let quiet = json!({"tools": {"describe": false}});
    home.apply(&(raw_with("one", &["--long-names", "3"], described) + &raw_with("two", &["--long-names", "3"], quiet)));
    home.apply(&project("all", &["one", "two"]));
    home.until_ready(&["server/one", "server/two"]);
    for era in ERAS {
        let client = Client::begin(&home, era, "/mcp/projects/all");
        let names = client.names("tools/list");
        let fits = |name: &String| {
            let legal = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
            (1..=64).contains(&name.len()) && name.bytes().all(legal)
        };
        assert!(names.iter().all(fits), "{era:?}: {names:?}");
        let mut once = names.clone();
        once.sort();
        once.dedup();
        assert_eq!(once.len(), names.len(), "{era:?}: a name twice");
        assert!(
            names.contains(&"books__echo".to_owned()) && names.contains(&"two__echo".to_owned()),
            "{era:?}"
        );
        // A name that was changed leads back to the tool; each server has its own.
        for (prefix, others) in [("books__long_", "two"), ("two__long_", "books")] {
            let long: Vec<&String> = names.iter().filter(|name| name.starts_with(prefix)).collect();
            assert_eq!(long.len(), 3, "{era:?} {others}: {names:?}");
            let mut said: Vec<String> = long.iter().map(|name| client.said(name, json!({}))).collect();
            said.sort();
            let expected: Vec<String> = (0..3)
                .map(|number| format!("{:a<100}", format!("long_{number:05}_")))
                .collect();
            assert_eq!(said, expected, "{era:?}");
        }
        let tools = client.result("tools/list", json!({}))["tools"].clone();
        let description = |name: &str| {
            let tool = tools.as_array().into_iter().flatten().find(|tool| tool["name"] == name);
            tool.map(|tool| tool["description"].clone()).unwrap_or_default()
        };
        let plain = "Tells back the very text of the request.";
        assert_eq!(
            description("books__echo"),
            format!("{plain} (server one: Keeps the books.)")
        );
        assert_eq!(description("two__echo"), plain);
        // The server sees its own name.
        assert!(
            client.said("books__echo", json!({})).contains(r#""name":"echo""#),
            "{era:?}"
        );
        // At its own address, a server's names are its own.
        let single = Client::begin(&home, era, &at("one"));
        assert!(
            single.names("tools/list").contains(&format!("{:a<100}", "long_00000_")),
            "{era:?}"
        );
        assert!(single.said("echo", json!({})).contains("tools/call"));
    }
}

/// What is not offered cannot be called: under no name, at no address.
#[test]
fn what_is_denied_cannot_be_called() {
    let home = Home::new().started();
    let long = ["--long-names", "2"];
    home.apply(&(raw("raw", &long) + &project("all", &["raw"])));
    home.until_ready(&["server/raw"]);
    let project_of = |era| Client::begin(&home, era, "/mcp/projects/all");
    let names = project_of(Era::Modern).names("tools/list");
    let alias = names
        .iter()
        .find(|name| name.starts_with("raw__long_00000_"))
        .expect("a shortened name")
        .clone();
    let original = format!("{:a<100}", "long_00000_");
    let cases: [(Value, &[&str], &str); 3] = [
        (json!({"deny": ["ask_*", "long_00000*"]}), &["ask_roots"], "echo"),
        (
            json!({"allow": ["echo", "stats"]}),
            &["ask_roots", "fail", "nobody"],
            "echo",
        ),
        (json!({"allow": ["*"], "deny": ["*", "echo"]}), &["echo", "stats"], ""),
    ];
    for (tools, denied, allowed) in cases {
        home.apply(&raw_with("raw", &long, json!({"tools": tools})));
        home.until_ready(&["server/raw"]);
        for era in ERAS {
            let (single, whole) = (Client::begin(&home, era, &at("raw")), project_of(era));
            let listed = single.names("tools/list");
            let mut calls: Vec<(&Client, String)> = vec![
                (&whole, alias.clone()),
                (&whole, format!("raw__{original}")),
                (&single, original.clone()),
            ];
            for name in denied {
                assert!(!listed.contains(&(*name).to_owned()), "{era:?} {tools}: {name}");
                calls.push((&single, (*name).to_owned()));
                calls.push((&whole, format!("raw__{name}")));
            }
            for (client, name) in calls {
                let told = client.ask("tools/call", json!({"name": name, "arguments": {}}));
                let message = told.answer["error"]["message"].as_str().unwrap_or_default();
                assert_eq!(told.answer["error"]["code"], -32602, "{era:?} {tools} {name}: {told:?}");
                assert!(message.starts_with("Unknown tool"), "{era:?} {tools} {name}: {message}");
            }
            if allowed.is_empty() {
                assert_eq!(listed, Vec::<String>::new(), "{era:?} {tools}");
            } else {
                assert!(listed.contains(&allowed.to_owned()), "{era:?} {tools}: {listed:?}");
                assert!(single.said(allowed, json!({})).contains("tools/call"));
            }
        }
    }
}

/// Two servers with one prefix are told apart.
#[test]
fn two_servers_with_one_prefix_do_not_clash() {
    let home = Home::new().started();
    let same = json!({"tools": {"prefix": "same", "allow": ["echo", "stats"]}});
    home.apply(&(raw_with("one", &[], same.clone()) + &raw_with("two", &[], same) + &project("all", &["one", "two"])));
    home.until_ready(&["server/one", "server/two"]);
    let client = Client::begin(&home, Era::Modern, "/mcp/projects/all");
    let mut names = client.names("tools/list");
    names.retain(|name| name.starts_with("same__"));
    assert_eq!(names.len(), 4, "{names:?}");
    let pids: std::collections::BTreeSet<String> = names
        .iter()
        .filter(|name| name.contains("stats"))
        .map(|name| client.call(name, json!({}))["structuredContent"]["pid"].to_string())
        .collect();
    assert_eq!(pids.len(), 2, "each name leads to its own server: {names:?}");
}

/// The list of tools has a digest that stays while the tools do.
#[test]
fn tools_have_a_digest_in_the_status() {
    let home = Home::new().started();
    home.apply(&manifest("Server", "notes", &json!({"command": ["orch-notes"]})));
    home.until_ready(&["server/notes"]);
    let digest = || home.get("servers/notes")["status"]["tools"].clone();
    eventually("a digest", || !digest()["digest"].is_null());
    let first = digest();
    assert_eq!(first["count"], 5, "{first}");
    home.orchctl(&["restart", "server/notes"]).expect(0);
    home.until_ready(&["server/notes"]);
    assert_eq!(digest()["digest"], first["digest"]);
}

/// The status counts what is offered, also after that is declared anew and nothing has started anew.
#[test]
fn the_status_counts_what_is_offered() {
    let home = Home::new().started();
    let declare = |tools: Value| home.apply(&raw_with("raw", &[], json!({"tools": tools})));
    let status = || home.get("servers/raw")["status"]["tools"].clone();
    declare(json!({"allow": ["ask_*", "echo", "nobody"], "deny": ["ask_roots"]}));
    home.until_ready(&["server/raw"]);
    let client = Client::begin(&home, Era::Modern, &at("raw"));
    let offered = || client.names("tools/list").len();
    assert_eq!((offered(), &status()["count"]), (4, &json!(4)));
    let row = home.orchctl(&["get", "servers"]).expect(0).stdout;
    assert!(
        row.lines()
            .any(|line| line.starts_with("raw ") && line.split_whitespace().any(|cell| cell == "4")),
        "{row}"
    );
    let some = status()["digest"].clone();
    let started = home.processes();

    declare(json!({}));
    eventually("all are counted", || status()["count"] == 19);
    let all = status()["digest"].clone();
    declare(json!({"deny": ["*"]}));
    eventually("none is counted", || status()["count"] == 0);
    declare(json!({"allow": ["ask_*", "echo"], "deny": ["ask_roots", "stats"]}));
    eventually("the same are the same", || status()["digest"] == some);
    assert_ne!(some, all);
    assert_eq!((offered(), home.processes()), (4, started));

    // What comes and is not offered is no news.
    let revision = home.get("servers/raw")["status"]["revision"].clone();
    declare(json!({"allow": ["ask_*", "echo", "change_tools"], "deny": ["ask_roots", "stats"]}));
    eventually("it is counted", || status()["count"] == 5);
    assert_ne!(home.get("servers/raw")["status"]["revision"], revision);
    let before = status();
    client.call("change_tools", json!({}));
    assert_eq!(offered(), 5);
    assert_eq!(status(), before);
}

/// Of two servers with one prefix, one is called so: its names are never those of the other one, also while it is down.
#[test]
fn a_name_means_no_other_server_while_its_own_is_down() {
    let home = Home::new().started();
    let borrowed = json!({"tools": {"prefix": "fs"}});
    let script = format!("test -e {} && exit 3; exec orch-raw", home.path("broken").display());
    let fs = json!({
        "command": ["sh", "-c", script], "restart": {"backoffInitial": "100ms", "backoffMax": "500ms"},
    });
    let fs = manifest("Server", "fs", &fs);
    home.apply(&(fs.clone() + &raw_with("other", &[], borrowed) + &project("all", &["other", "fs"])));
    home.until_ready(&["server/fs", "server/other"]);
    let begin = |era| Client::begin(&home, era, "/mcp/projects/all");
    let pid = |client: &Client, name: &str| client.call(name, json!({}))["structuredContent"]["pid"].to_string();
    let client = begin(Era::Modern);
    let names = client.names("tools/list");
    let marked = names.iter().find(|name| name.starts_with("fs__stats_"));
    let marked = marked.expect("a name of the other one").clone();
    let (own, others) = (pid(&client, "fs__stats"), pid(&client, &marked));
    assert_ne!(own, others);

    let is_down = || {
        let missing = client.result("tools/list", json!({}))["_meta"]["orchctl.dev/missing"].clone();
        missing[0]["server"] == "fs"
    };
    let scaled = || drop(home.orchctl(&["scale", "server", "fs", "--replicas", "0"]).expect(0));
    // What ran before would serve on beside a copy that does not start.
    let broken = || {
        home.write("broken", "");
        client.ask("tools/call", json!({"name": "fs__crash", "arguments": {}}));
    };
    for goes_down in [&scaled as &dyn Fn(), &broken] {
        goes_down();
        eventually("it is down", is_down);
        for client in ERAS.map(begin) {
            let listed = client.names("tools/list");
            assert!(
                listed.contains(&marked) && !listed.contains(&"fs__stats".to_owned()),
                "{listed:?}"
            );
            for (method, params) in [
                ("tools/call", json!({"name": "fs__stats", "arguments": {}})),
                ("prompts/get", json!({"name": "fs__echo"})),
            ] {
                let told = client.ask(method, params);
                assert_eq!(told.answer["error"]["code"], -32602, "{told:?}");
            }
            assert_eq!(
                pid(&client, &marked),
                others,
                "the other one serves on under its own name"
            );
        }
        // It may be there no more than once.
        let _ = std::fs::remove_file(home.path("broken"));
        home.apply(&fs);
        home.until_ready(&["server/fs"]);
        eventually("its names are its own again", || client.names("tools/list") == names);
        assert_ne!(pid(&client, "fs__stats"), others);
    }
}

/// What a template says of tools holds beside what its server says, and is seen as soon as it changes; nothing starts anew.
#[test]
fn a_template_says_which_tools_are_offered() {
    let home = Home::new().started();
    let template = |tools: Value| {
        let spec = json!({"server": {"command": ["orch-raw"], "tools": tools}});
        manifest("Template", "noted", &spec)
    };
    let server = |tools: Value| manifest("Server", "raw", &json!({"template": {"name": "noted"}, "tools": tools}));
    let sorted = |mut names: Vec<String>| {
        names.retain(|name| name.starts_with("r__"));
        names.sort();
        names
    };
    home.apply(
        &(template(json!({"allow": ["echo", "s*", "log"], "deny": ["log"]}))
            + &server(json!({"deny": ["echo"], "prefix": "r"}))
            + &project("all", &["raw"])),
    );
    home.until_ready(&["server/raw"]);
    let clients = ERAS.map(|era| Client::begin(&home, era, "/mcp/projects/all"));
    let offers = |expected: &[&str]| {
        eventually("it is counted", || {
            home.get("servers/raw")["status"]["tools"]["count"] == expected.len()
        });
        for client in &clients {
            eventually("it is listed", || sorted(client.names("tools/list")) == expected);
            for name in ["r__echo", "r__log", "r__stats", "r__fail", "r__change_tools"] {
                let told = client.ask("tools/call", json!({"name": name, "arguments": {}}));
                let is_offered = expected.contains(&name);
                assert_eq!(told.answer["result"].is_object(), is_offered, "{name}: {told:?}");
            }
        }
    };
    offers(&["r__stats"]);
    let started = home.processes();
    let wanted = json!({"toolsListChanged": true});
    let mut heard = clients.each_ref().map(|client| client.listen(wanted.clone()));
    home.apply(&template(json!({"allow": ["fail", "echo", "stats"]})));
    for heard in &mut heard {
        heard.method("notifications/tools/list_changed");
    }
    offers(&["r__fail", "r__stats"]);
    // Both say what they offer: what is offered is what both do.
    home.apply(&server(json!({"allow": ["*a*", "echo"], "prefix": "r"})));
    offers(&["r__echo", "r__fail", "r__stats"]);
    home.apply(&server(json!({"allow": ["?????"], "prefix": "r"})));
    offers(&["r__stats"]);
    assert_eq!(home.processes(), started);
}
