//! Servers that rest until they are used, and servers of which each session has a copy of its own.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::super::condition;
use super::{at, manifest, project, raw, raw_with, stats};
use crate::support::client::{Client, ERAS, Era, LEGACY, abilities};
use crate::support::daemon::{Home, eventually};
use crate::support::database;
use crate::support::far::Far;

/// A list does not wake a server that rests; a call does, and all that come meanwhile wait for the same start.
#[test]
fn the_first_call_wakes_a_server_that_rests() {
    let home = Home::new().started();
    let rests = json!({"idle": {"suspendAfter": "2s"}});
    home.apply(&(raw_with("raw", &["--delay", "500"], rests) + &project("all", &["raw"])));
    home.until_ready(&["server/raw"]);
    let names = ERAS.map(|era| Client::begin(&home, era, "/mcp/projects/all").names("tools/list"));
    assert!(names[0].contains(&"raw__echo".to_owned()) && names[0] == names[1]);
    let rests = || {
        eventually("it rests", || {
            home.get("servers/raw")["status"]["phase"] == "Suspended" && home.processes().is_empty()
        });
    };
    rests();
    for era in ERAS {
        let client = Client::begin(&home, era, "/mcp/projects/all");
        assert_eq!(client.names("tools/list"), names[0], "{era:?}: as it listed them last");
        assert!(home.processes().is_empty(), "{era:?}: a list wakes nobody");
        let pids: BTreeSet<String> = std::thread::scope(|scope| {
            let calls: Vec<_> = (0..8)
                .map(|number| {
                    let client = Client::begin(&home, ERAS[number % 2], "/mcp/projects/all");
                    scope.spawn(move || stats(&client, "raw__stats")["pid"].to_string())
                })
                .collect();
            calls.into_iter().map(|call| call.join().expect("an answer")).collect()
        });
        assert_eq!(pids.len(), 1, "{era:?}: one start for all: {pids:?}");
        rests();
    }
}

/// A wake that fails is told to each who waits, and leaves the server at rest; the next call tries anew.
#[test]
fn a_wake_that_fails_is_told_to_all_who_wait() {
    let home = Home::new().started();
    let shut = home.path("shut");
    let script = format!("test -e {} && exit 3; exec orch-raw", shut.display());
    let spec = json!({
        "command": ["sh", "-c", script], "idle": {"suspendAfter": "1s"},
        "restart": {"backoffInitial": "100ms", "backoffMax": "200ms"},
    });
    home.apply(&manifest("Server", "raw", &spec));
    home.until_ready(&["server/raw"]);
    let rests = || eventually("it rests", || home.get("servers/raw")["status"]["phase"] == "Suspended");
    rests();
    home.write("shut", "");
    let told: Vec<Value> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..6)
            .map(|number| {
                let client = Client::begin(&home, ERAS[number % 2], &at("raw"));
                scope.spawn(move || {
                    client
                        .ask("tools/call", json!({"name": "echo", "arguments": {}}))
                        .answer
                })
            })
            .collect();
        calls.into_iter().map(|call| call.join().expect("an answer")).collect()
    });
    for answer in &told {
        let message = answer["error"]["message"].as_str().unwrap_or_default();
        assert!(message.contains("did not wake") && message.contains("exit"), "{told:?}");
    }
    let server = home.get("servers/raw");
    assert_eq!(server["status"]["phase"], "Suspended", "{server}");
    assert_eq!(
        condition(&server, "Ready"),
        ("False".to_owned(), "WakeFailed".to_owned()),
        "{server}"
    );
    std::fs::remove_file(&shut).expect("removed");
    let client = Client::begin(&home, Era::Modern, &at("raw"));
    assert!(
        client
            .ask("tools/call", json!({"name": "echo", "arguments": {}}))
            .answer["result"]
            .is_object()
    );
}

/// A server that nobody has asked for its tools before it came to rest is woken for them: else nobody could use it.
#[test]
fn tools_that_nobody_has_listed_are_asked_for() {
    let home = Home::new().started();
    let rests = json!({"idle": {"suspendAfter": "1s"}});
    home.apply(&(raw_with("raw", &[], rests) + &project("all", &["raw"])));
    eventually("it rests", || home.get("servers/raw")["status"]["phase"] == "Suspended");
    for era in ERAS {
        let names = Client::begin(&home, era, "/mcp/projects/all").names("tools/list");
        assert!(names.contains(&"raw__echo".to_owned()), "{era:?}: {names:?}");
    }
}

/// The lists that are not of tools, and what is in them of the server of the tests.
const OTHER_LISTS: [(&str, &str, &str); 3] = [
    ("prompts/list", "echo", "nap__echo"),
    ("resources/list", "raw://echo", "raw://echo"),
    ("resources/templates/list", "raw://{name}", "raw://{name}"),
];

/// All that a server said of itself is there while it rests, also after the daemon has started anew, whether or not anybody
/// has asked for it before; and nothing of that wakes it.
#[test]
fn what_a_server_offers_is_known_while_it_rests() {
    let mut home = Home::new().started();
    let rests = json!({"idle": {"suspendAfter": "2s"}});
    home.apply(&(raw_with("nap", &[], rests) + &project("all", &["nap"])));
    home.until_ready(&["server/nap"]);
    let (awake, greeted) = Client::greeted(&home, &at("nap"), LEGACY, &abilities());
    assert_eq!(greeted["instructions"], "Ask, and be told back.");
    let resting =
        |home: &Home| home.get("servers/nap")["status"]["phase"] == "Suspended" && home.processes().is_empty();
    eventually("it rests", || resting(&home));
    drop(awake);
    for is_anew in [false, true] {
        if is_anew {
            home.stop();
            home.start();
            eventually("it rests still", || resting(&home));
        }
        let (_, again) = Client::greeted(&home, &at("nap"), LEGACY, &abilities());
        assert_eq!(again, greeted, "{is_anew}");
        for era in ERAS {
            let (single, whole) = (
                Client::begin(&home, era, &at("nap")),
                Client::begin(&home, era, "/mcp/projects/all"),
            );
            assert!(single.names("tools/list").contains(&"echo".to_owned()), "{era:?}");
            for (list, own, shown) in OTHER_LISTS {
                assert_eq!(single.names(list), [own], "{era:?} {list}");
                assert_eq!(whole.names(list), [shown], "{era:?} {list}");
                let result = whole.result(list, json!({}));
                assert!(
                    result["_meta"]["orchctl.dev/missing"].is_null(),
                    "{era:?} {list}: {result}"
                );
            }
        }
        let discovered = Client::begin(&home, Era::Modern, &at("nap")).result("server/discover", json!({}));
        for member in ["capabilities", "instructions"] {
            assert_eq!(discovered[member], greeted[member], "{is_anew}: {discovered}");
        }
        assert!(
            home.processes().is_empty() && resting(&home),
            "{is_anew}: nobody has woken it"
        );
    }
}

/// Whatever is for the server itself wakes it: a prompt, a resource, a completion, a wish for news.
#[test]
fn whatever_a_server_must_answer_wakes_it() {
    let home = Home::new().started();
    let rests = json!({"idle": {"suspendAfter": "1s"}});
    home.apply(&(raw_with("nap", &[], rests) + &project("all", &["nap"])));
    home.until_ready(&["server/nap"]);
    let argument = json!({"name": "name", "value": "r"});
    let uri = json!({"uri": "raw://echo"});
    let asked = [
        ("prompts/get", json!({"name": "nap__echo"})),
        ("resources/read", uri.clone()),
        ("resources/read", json!({"uri": "raw://by/its/template"})),
        (
            "completion/complete",
            json!({"ref": {"type": "ref/prompt", "name": "nap__echo"}, "argument": argument}),
        ),
        (
            "completion/complete",
            json!({"ref": {"type": "ref/resource", "uri": "raw://{name}"}, "argument": argument}),
        ),
        ("resources/subscribe", uri),
    ];
    let rests = || eventually("it rests", || home.get("servers/nap")["status"]["phase"] == "Suspended");
    for (method, params) in asked {
        for era in ERAS {
            let client = Client::begin(&home, era, "/mcp/projects/all");
            rests();
            if (method, era) == ("resources/subscribe", Era::Modern) {
                let _heard = client.listen(json!({"resourceSubscriptions": [params["uri"]]}));
                eventually("it is awake", || home.get("servers/nap")["status"]["phase"] == "Ready");
                continue;
            }
            let told = client.ask(method, params.clone());
            assert!(told.answer["result"].is_object(), "{era:?} {method} {params}: {told:?}");
        }
    }
}

/// What was remembered is forgotten when a server wakes: it may offer something else by then.
#[test]
fn lists_are_new_when_a_server_has_woken() {
    let home = Home::new().started();
    let more = home.path("more");
    let script = format!("test -e {} && exec orch-raw --tools 3; exec orch-raw", more.display());
    let spec = json!({"command": ["sh", "-c", script], "idle": {"suspendAfter": "2s"}});
    home.apply(&(manifest("Server", "nap", &spec) + &project("all", &["nap"])));
    home.until_ready(&["server/nap"]);
    eventually("it rests", || home.get("servers/nap")["status"]["phase"] == "Suspended");
    let client = Client::begin(&home, Era::Legacy, "/mcp/projects/all");
    let count = || {
        let names = client.names("tools/list");
        names.iter().filter(|name| name.starts_with("nap__")).count()
    };
    assert_eq!(count(), 19);
    home.write("more", "");
    assert_eq!(count(), 19, "nobody has woken it");
    client.call("nap__echo", json!({}));
    let began = Instant::now();
    eventually("the new ones are listed", || count() == 22);
    // A list that is remembered would be good for a minute.
    assert!(began.elapsed() < Duration::from_secs(15), "{:?}", began.elapsed());
    assert_eq!(client.said("nap__extra_00002", json!({})), "extra_00002");
}

fn isolated(most: u32, flags: &[&str]) -> Home {
    let home = Home::new().with(flags).started();
    let own = json!({"sessions": "isolated", "sessionLimits": {"max": most}});
    home.apply(&(raw_with("raw", &["--era", "legacy"], own) + &project("all", &["raw"])));
    home.until_ready(&["server/raw"]);
    home
}

/// Each session has a copy, which is asked on its behalf alone, and goes with it.
#[test]
fn each_session_has_a_copy_of_its_own() {
    let home = isolated(3, &[]);
    let baseline = home.processes().len();
    let clients: Vec<Client> = (0..3)
        .map(|_| Client::begin(&home, Era::Legacy, "/mcp/projects/all"))
        .collect();
    let pid = |client: &Client| stats(client, "raw__stats")["pid"].to_string();
    let pids: BTreeSet<String> = clients.iter().map(&pid).collect();
    assert_eq!(pids.len(), 3, "{pids:?}");
    for client in &clients {
        assert!(pids.contains(&pid(client)), "it stays");
    }
    // There are as many as are allowed.
    let late = Client::begin(&home, Era::Legacy, "/mcp/projects/all");
    let call = json!({"name": "raw__stats", "arguments": {}});
    let refused = late.ask("tools/call", call.clone());
    assert!(
        refused.answer["error"]["message"].to_string().contains("ORCH6026"),
        "{refused:?}"
    );
    // It is a limit like others: not a failure, and it says when to come back.
    let (code, data) = (&refused.answer["error"]["code"], &refused.answer["error"]["data"]);
    assert_eq!((code, &data["server"]), (&json!(-32029), &json!("raw")), "{refused:?}");
    assert!(data["retryAfterMs"].as_u64() > Some(0), "{refused:?}");

    // While one is busy, another one is asked and nobody else can be meant.
    let wait = json!({"jsonrpc": "2.0", "id": "long", "method": "tools/call", "params": {"name": "raw__wait"}});
    let connection = clients[0].posted(&wait).leave();
    let params = json!({"name": "raw__ask_roots", "arguments": {}});
    let (questions, told) = clients[1].asked_back("tools/call", params, &json!({"roots": []}));
    assert_eq!(questions.len(), 1, "{told}");
    drop(connection);

    clients[0].end().expect(204);
    eventually("there is room for another one", || {
        late.ask("tools/call", call.clone()).answer["result"].is_object()
    });
    for client in clients[1..].iter().chain([&late]) {
        client.end().expect(204);
    }
    eventually("all copies of sessions are gone", || home.processes().len() == baseline);
}

/// The copies of clients that say nothing any more go, too.
#[test]
fn copies_of_silent_sessions_go() {
    let mut home = isolated(20, &["--session-idle", "2s"]);
    let baseline = home.processes().len();
    let begin = |home: &Home| {
        for _ in 0..6 {
            let client = Client::begin(home, Era::Legacy, &at("raw"));
            assert!(!matches!(stats(&client, "stats")["pid"], Value::Null));
        }
    };
    begin(&home);
    eventually("they are gone", || home.processes().len() == baseline);
    begin(&home);
    home.kill_9();
    home.start();
    home.until_ready(&["server/raw"]);
    eventually("they are gone after a crash, too", || {
        let instances = home.get("instances");
        home.processes().len() == baseline && instances["items"].as_array().map_or(0, Vec::len) == baseline
    });
}

/// A session with one server ends when the server says so, whatever the daemon was told.
#[test]
fn a_server_says_when_its_sessions_end() {
    let mut home = Home::new().with(&["--session-idle", "3s"]).started();
    let with = |name: &str, limits: Value| raw_with(name, &[], json!({"sessionLimits": limits}));
    let servers = ["idle", "old", "patient", "silent"];
    home.apply(
        &(with("idle", json!({"idle": "1s"}))
            + &with("old", json!({"idle": "5s", "lifetime": "5s"}))
            + &with("patient", json!({"idle": "10m"}))
            + &raw("silent", &[])),
    );
    home.until_ready(&["server/idle", "server/old", "server/patient", "server/silent"]);
    let mut clients = servers.map(|name| (name, Client::begin(&home, Era::Legacy, &at(name))));
    // One that listens is not idle.
    let listening = clients[1].1.listen(json!({}));
    let left = |home: &Home| {
        let mut left = database::texts(home, "SELECT target FROM gateway_session");
        left.sort();
        left
    };
    eventually("the impatient one goes first", || {
        !left(&home).contains(&"server/idle".to_owned())
    });
    assert!(left(&home).contains(&"server/patient".to_owned()));
    listening.wait_for_end();
    eventually("only the patient one is left", || left(&home) == ["server/patient"]);
    for (name, client) in &clients {
        let expected = if *name == "patient" { 200 } else { 404 };
        assert_eq!(client.ask("ping", json!({})).status, expected, "{name}");
    }
    // It holds for one that nobody has used since the daemon was started anew, too.
    let short = Client::begin(&home, Era::Legacy, &at("idle"));
    home.stop();
    std::thread::sleep(Duration::from_secs(4));
    home.start();
    home.until_ready(&["server/idle", "server/patient"]);
    for (name, client) in clients.iter_mut().filter(|(name, _)| *name == "patient") {
        client.follow(&home);
        assert_eq!(client.ask("ping", json!({})).status, 200, "{name}");
    }
    let mut short = short;
    short.follow(&home);
    assert_eq!(short.ask("ping", json!({})).status, 404);
}

/// What a session of a project has at a server is given back when that says so, and begun anew; the session goes on.
#[test]
fn a_project_session_gives_back_what_it_has_at_a_server() {
    let home = Home::new().started();
    let far = Far::start("orch-raw", "--http", &["--era", "legacy"]);
    let own = |limits: Value| json!({"sessions": "isolated", "sessionLimits": limits});
    let remote = json!({"remote": {"url": far.url("/mcp")}, "sessionLimits": {"idle": "2s"}});
    home.apply(
        &(raw_with("idle", &["--era", "legacy"], own(json!({"idle": "2s"})))
            + &raw_with("old", &["--era", "legacy"], own(json!({"lifetime": "4s"})))
            + &manifest("Server", "far", &remote)
            + &project("all", &["idle", "old", "far"])),
    );
    home.until_ready(&["server/idle", "server/old", "server/far"]);
    let baseline = home.processes().len();
    let client = Client::begin(&home, Era::Legacy, "/mcp/projects/all");
    let pid = |server: &str| stats(&client, &format!("{server}__stats"))["pid"].to_string();
    let open = || super::stats_of(&far)["sessionsOpen"].as_u64();
    let before = open();
    let (idle, old) = (pid("idle"), pid("old"));
    client.call("far__echo", json!({}));
    assert_eq!(home.processes().len(), baseline + 2);
    assert_eq!(open(), before.map(|open| open + 1), "a conversation of its own");
    // What is under way is use.
    let long = client.request("tools/call", json!({"name": "idle__wait", "arguments": {"ms": 5000}}));
    assert!(long.send().body.contains("waited"));
    assert_eq!(pid("idle"), idle, "it was in use all the time");
    eventually("copies and conversations are given back", || {
        home.processes().len() == baseline && open() == before
    });
    assert_eq!(database::sessions(&home), 1, "the session goes on");
    assert_ne!(pid("idle"), idle);
    assert_ne!(pid("old"), old);
    client.call("far__echo", json!({}));
    assert_eq!(open(), before.map(|open| open + 1), "it is begun anew");
    // What has lasted too long goes although it is used, when nothing is under way.
    let old = pid("old");
    eventually("another copy answers", || pid("old") != old);
}

/// A session that gives its copy back may need one at the very same moment: it gets the next one, never the one that goes.
#[test]
fn a_session_that_gives_a_copy_back_gets_another_one_at_once() {
    let home = Home::new().started();
    let own = json!({"sessions": "isolated", "sessionLimits": {"lifetime": "1s", "max": 1}});
    home.apply(&(raw_with("raw", &["--era", "legacy"], own) + &project("all", &["raw"])));
    home.until_ready(&["server/raw"]);
    let client = Client::begin(&home, Era::Legacy, "/mcp/projects/all");
    let mut pids = BTreeSet::new();
    eventually("four copies have answered", || {
        pids.insert(stats(&client, "raw__stats")["pid"].to_string());
        pids.len() == 4
    });
}
