//! The list of many servers, some of which are unwell.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::condition;
use super::{at, manifest, project, raw, raw_with};
use crate::support::client::{Client, ERAS, Era};
use crate::support::daemon::{Home, eventually};
use crate::support::database;

/// Servers that are unwell when they are asked for tools.
const UNWELL: [(&str, &[&str]); 4] = [
    ("hung", &["--hang", "tools/list"]),
    ("crashing", &["--crash", "tools/list"]),
    ("garbage", &["--garbage", "tools/list"]),
    ("refusing", &["--refuse", "tools/list"]),
];

/// So long all servers of a list may take together; each has a quarter of that.
const DEADLINE_OF_ALL: Duration = Duration::from_secs(20);

/// What is unwell is missing, by name and with the reason, in the list, the events and the audit log; the rest is there, in time.
#[test]
fn what_is_missing_is_named_and_the_rest_is_there() {
    let home = Home::new().started();
    let mut manifests: String = UNWELL.iter().map(|(name, arguments)| raw(name, arguments)).collect();
    manifests += &raw("many", &["--tools", "5000"]);
    manifests += &raw("long", &["--long-names", "20"]);
    manifests += &manifest("Server", "notes", &json!({"command": ["orch-notes"]}));
    let servers = ["hung", "many", "crashing", "notes", "garbage", "long", "refusing"];
    home.apply(&(manifests + &project("all", &servers)));
    home.until_ready(&["server/many", "server/long", "server/notes"]);
    for era in ERAS {
        let client = Client::begin(&home, era, "/mcp/projects/all");
        let began = Instant::now();
        let result = client.result("tools/list", json!({}));
        // One hangs for ever; what is waited for is the deadline of one server, not that of all.
        assert!(began.elapsed() < DEADLINE_OF_ALL, "{era:?}: {:?}", began.elapsed());
        let names = result["tools"].as_array().expect("tools").iter();
        let names: Vec<&str> = names.filter_map(|tool| tool["name"].as_str()).collect();
        let of = |server: &str| {
            names
                .iter()
                .filter(|name| name.starts_with(&format!("{server}__")))
                .count()
        };
        assert_eq!(
            (of("many"), of("notes"), of("long")),
            (19 + 5000, 5, 19 + 20),
            "{era:?}"
        );
        let missing = result["_meta"]["orchctl.dev/missing"]
            .as_array()
            .expect("who is missing");
        let missing_names: Vec<&Value> = missing.iter().map(|one| &one["server"]).collect();
        assert_eq!(missing_names, ["hung", "crashing", "garbage", "refusing"], "{era:?}");
        for one in missing {
            assert!(
                one["reason"].as_str().is_some_and(|reason| !reason.is_empty()),
                "{era:?}: {one}"
            );
        }
        if era == Era::Modern {
            assert_eq!(
                (&result["ttlMs"], &result["cacheScope"]),
                (&json!(0), &json!("private"))
            );
        }
        // The part that is there works.
        assert_eq!(client.said("notes__list_notes", json!({})), "", "{era:?}");
        assert_eq!(client.said("many__extra_04999", json!({})), "extra_04999", "{era:?}");
    }
    for (name, _) in UNWELL {
        eventually("an event tells it", || {
            let events = home.get("events");
            let mut events = events["items"].as_array().into_iter().flatten();
            events.any(|event| event["reason"] == "ListMissing" && event.to_string().contains(&format!("\"{name}\"")))
        });
        eventually("the audit log tells it", || {
            let query = format!("SELECT outcome FROM audit WHERE action = 'tools/list' AND name = '{name}'");
            database::texts(&home, &query).contains(&"failed".to_owned())
        });
    }
}

/// Servers are asked at the same time: together they take less than one after the other.
#[test]
fn servers_are_asked_at_the_same_time() {
    let home = Home::new().started();
    let names: Vec<String> = (0..8).map(|number| format!("slow-{number}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let each = Duration::from_secs(2);
    let slow = format!("prompts/list={}", each.as_millis());
    let manifests: String = names.iter().map(|name| raw(name, &["--slow", &slow])).collect();
    home.apply(&(manifests + &project("all", &names)));
    let objects: Vec<String> = names.iter().map(|name| format!("server/{name}")).collect();
    home.until_ready(&objects.iter().map(String::as_str).collect::<Vec<_>>());
    let client = Client::begin(&home, Era::Legacy, "/mcp/projects/all");
    let began = Instant::now();
    assert_eq!(client.names("prompts/list").len(), names.len());
    let one_by_one = each * u32::try_from(names.len()).expect("a few");
    assert!(began.elapsed() < one_by_one, "{:?}", began.elapsed());
}

/// The order is that of the project, and within a server that of the server; always.
#[test]
fn the_order_is_always_the_same() {
    let mut home = Home::new().started();
    home.apply(&(raw("b", &["--tools", "3"]) + &raw("a", &["--slow", "tools/list=500"]) + &raw("c", &[])));
    home.apply(&project("all", &["c", "a", "b"]));
    home.until_ready(&["server/a", "server/b", "server/c"]);
    let list = |home: &Home, era| Client::begin(home, era, "/mcp/projects/all").names("tools/list");
    let first = list(&home, Era::Legacy);
    let servers: Vec<&str> = first.iter().filter_map(|name| name.split("__").next()).collect();
    let mut order = servers.clone();
    order.dedup();
    // The gateway's own tools come last.
    assert_eq!(order, ["c", "a", "b", "orch_read_page", "propose_prompt"]);
    assert_eq!(first[0], "c__ask_elicitation");
    for era in ERAS {
        assert_eq!(list(&home, era), first, "{era:?}");
    }
    home.stop();
    home.start();
    home.until_ready(&["server/a", "server/b", "server/c"]);
    assert_eq!(list(&home, Era::Modern), first);
}

/// A list says how long it may be kept, and that it is for nobody else.
#[test]
fn a_list_says_for_whom_and_how_long_it_is_good() {
    let home = super::home_with("raw", &[]);
    let client = Client::begin(&home, Era::Modern, &at("raw"));
    for method in [
        "tools/list",
        "prompts/list",
        "resources/list",
        "resources/templates/list",
    ] {
        let result = client.result(method, json!({}));
        assert_eq!(result["cacheScope"], "private", "{method}");
        assert!(result["ttlMs"].as_u64() > Some(0), "{method}: {result}");
    }
}

/// The lists have one page: who asks for another one is told that there is none.
#[test]
fn a_page_that_is_not_there_is_told_so() {
    let home = Home::new().started();
    home.apply(&(raw("raw", &["--page", "5"]) + &project("all", &["raw"])));
    home.until_ready(&["server/raw"]);
    for (path, era) in [at("raw"), "/mcp/projects/all".to_owned()]
        .iter()
        .flat_map(|path| ERAS.map(|era| (path, era)))
    {
        let client = Client::begin(&home, era, path);
        for method in [
            "tools/list",
            "prompts/list",
            "resources/list",
            "resources/templates/list",
        ] {
            let whole = client.result(method, json!({}));
            assert!(whole["nextCursor"].is_null(), "{path} {era:?} {method}: {whole}");
            // Also not one that the server itself would know.
            for unknown in [json!("from-5"), json!("nonsense"), json!(7), json!({})] {
                let told = client.ask(method, json!({"cursor": unknown}));
                let error = &told.answer["error"];
                assert_eq!(error["code"], -32602, "{path} {era:?} {method} {unknown}: {told:?}");
                assert!(error["message"].to_string().contains("one page"), "{told:?}");
            }
            // Who says that they have none has none.
            for none in [json!(null), json!("")] {
                assert_eq!(
                    client.result(method, json!({"cursor": none})),
                    whole,
                    "{path} {era:?} {method}"
                );
            }
        }
    }
}

/// A server that answers no question for a list keeps nobody from another one, however long that goes on, and whoever asks
/// for a list only once. Its own tools can be called.
#[test]
fn a_server_that_hangs_stalls_the_first_list_and_nothing_else() {
    const LISTS: [&str; 4] = [
        "tools/list",
        "prompts/list",
        "resources/list",
        "resources/templates/list",
    ];
    let home = Home::new().started();
    let hangs = LISTS.map(|list| ["--hang", list]).concat();
    // Whether it is well is asked in another way.
    let checked = json!({"healthCheck": {"tool": "echo"}});
    home.apply(&(raw("good", &[]) + &raw_with("hung", &hangs, checked) + &project("all", &["hung", "good"])));
    home.until_ready(&["server/good", "server/hung"]);
    let clients = ERAS.map(|era| Client::begin(&home, era, "/mcp/projects/all"));
    // A server has 5 seconds; whoever waits for one is seen.
    let soon = |what: &str, client: &Client, asked: &dyn Fn(&Client)| {
        let began = Instant::now();
        asked(client);
        assert!(
            began.elapsed() < Duration::from_secs(4),
            "{what}: {:?}",
            began.elapsed()
        );
    };
    let call = |client: &Client| drop(client.call("good__echo", json!({})));
    soon("before any list was asked for", &clients[0], &call);
    for list in LISTS {
        let result = clients[0].result(list, json!({}));
        assert_eq!(result["_meta"]["orchctl.dev/missing"][0]["server"], "hung", "{list}");
    }
    let began = Instant::now();
    while began.elapsed() < Duration::from_secs(25) {
        for client in &clients {
            soon("a call", client, &call);
            soon("a prompt", client, &|client| {
                client.result("prompts/get", json!({"name": "good__echo"}));
            });
            soon("a resource", client, &|client| {
                client.result("resources/read", json!({"uri": "raw://echo"}));
            });
            for list in LISTS {
                soon(list, client, &|client| {
                    let result = client.result(list, json!({}));
                    let missing = &result["_meta"]["orchctl.dev/missing"];
                    assert_eq!(missing[0]["server"], "hung", "{list}: {missing}");
                });
            }
        }
        std::thread::sleep(Duration::from_millis(500));
    }
    soon("a call of the one that hangs", &clients[1], &|client| {
        client.call("hung__echo", json!({}));
    });
}

/// A list that does not end is cut, and told to be: to clients, and to whoever looks after the server.
#[test]
fn a_list_that_is_too_long_is_told_to_be_cut() {
    let home = Home::new().started();
    let endless = raw("endless", &["--bare", "--tools", "1500", "--page", "1"]);
    home.apply(&(endless + &project("all", &["endless"])));
    home.until_ready(&["server/endless"]);
    for (path, prefix) in [("/mcp/projects/all".to_owned(), "endless__"), (at("endless"), "")] {
        for era in ERAS {
            let client = Client::begin(&home, era, &path);
            let result = client.result("tools/list", json!({}));
            let tools = result["tools"].as_array().expect("tools").iter();
            let tools = tools.filter(|tool| tool["name"].as_str().is_some_and(|name| name.contains("extra_")));
            assert_eq!(tools.count(), 1000, "{path} {era:?}");
            let missing = &result["_meta"]["orchctl.dev/missing"];
            assert_eq!(missing[0]["server"], "endless", "{path} {era:?}: {missing}");
            assert!(
                missing[0]["reason"].to_string().contains("after 1000 pages"),
                "{path} {era:?}: {missing}"
            );
            // What is not shown can be called all the same.
            let last = format!("{prefix}extra_01499");
            assert_eq!(client.said(&last, json!({})), "extra_01499", "{path} {era:?}");
        }
    }
    eventually("its status tells it", || {
        let server = home.get("servers/endless");
        let (status, reason) = condition(&server, "Listed");
        (status.as_str(), reason.as_str()) == ("False", "ListMissing") && server["status"]["tools"]["count"] == 1000
    });
}
