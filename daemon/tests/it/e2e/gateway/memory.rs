//! Lists are asked for once and remembered, until they change.

use serde_json::json;

use super::{asked, at, manifest, raw, remote};
use crate::support::client::{Client, ERAS, Era};
use crate::support::daemon::{Home, eventually};
use crate::support::far::Far;

/// A probe of the daemon's own may come in between.
const PROBES: u64 = 2;

fn far(arguments: &[&str]) -> (Home, Far) {
    let home = Home::new().started();
    let far = Far::start("orch-raw", "--http", arguments);
    home.apply(&(remote("far", &far) + &super::project("all", &["far"])));
    home.until_ready(&["server/far"]);
    (home, far)
}

/// However many clients ask, at once or one after the other, a server is asked once.
#[test]
fn a_server_is_asked_once_for_its_list() {
    for list in [
        "tools/list",
        "prompts/list",
        "resources/list",
        "resources/templates/list",
    ] {
        let (home, far) = far(&["--slow", &format!("{list}=1000")]);
        let before = asked(&far, list);
        std::thread::scope(|scope| {
            for number in 0..12 {
                let client = Client::begin(
                    &home,
                    ERAS[number % 2],
                    ["/mcp/projects/all", "/mcp/servers/far"][number % 2],
                );
                scope.spawn(move || assert!(!client.names(list).is_empty()));
            }
        });
        for era in ERAS {
            let client = Client::begin(&home, era, &at("far"));
            for _ in 0..10 {
                assert!(!client.names(list).is_empty());
            }
        }
        let times = asked(&far, list) - before;
        assert!((1..=1 + PROBES).contains(&times), "{list} was asked {times} times");
    }
}

/// Failures are remembered, too, and told as what they are: never as an empty list.
#[test]
fn a_failure_is_remembered_and_told() {
    let home = Home::new().started();
    let far = Far::start("orch-raw", "--http", &["--refuse", "tools/list"]);
    // Whether it is well is asked in another way.
    let spec = json!({"remote": {"url": far.url("/mcp")}, "healthCheck": {"tool": "echo"}});
    home.apply(&(manifest("Server", "far", &spec) + &super::project("all", &["far"])));
    home.until_ready(&["server/far"]);
    let before = asked(&far, "tools/list");
    for era in ERAS {
        let single = Client::begin(&home, era, &at("far"));
        let project = Client::begin(&home, era, "/mcp/projects/all");
        for _ in 0..10 {
            let told = single.ask("tools/list", json!({}));
            let message = told.answer["error"]["message"].as_str().unwrap_or_default();
            assert!(
                message.contains("server/far") && message.contains("-32055"),
                "{era:?}: {told:?}"
            );
            let result = project.result("tools/list", json!({}));
            assert_eq!(
                result["_meta"]["orchctl.dev/missing"][0]["server"], "far",
                "{era:?}: {result}"
            );
        }
    }
    let times = asked(&far, "tools/list") - before;
    assert!(times <= 3 + PROBES, "asked {times} times for 40 lists");
    // The other lists are there.
    let client = Client::begin(&home, Era::Modern, "/mcp/projects/all");
    assert_eq!(client.names("resources/list"), ["raw://echo"]);
}

#[test]
fn a_change_is_in_the_next_list() {
    let home = Home::new().started();
    let far = Far::start("orch-raw", "--http", &["--era", "modern"]);
    home.apply(&(raw("pipe", &["--era", "legacy"]) + &remote("far", &far) + &super::project("all", &["pipe", "far"])));
    home.until_ready(&["server/pipe", "server/far"]);
    for server in ["pipe", "far"] {
        for era in ERAS {
            let client = Client::begin(&home, era, "/mcp/projects/all");
            let grown = || {
                let names = client.names("tools/list");
                names
                    .iter()
                    .filter(|name| name.starts_with(&format!("{server}__grown_")))
                    .count()
            };
            let before = grown();
            client.call(&format!("{server}__change_tools"), json!({}));
            eventually("the new tool is listed", || grown() == before + 1);
            let added = format!("{server}__grown_{before:05}");
            assert_eq!(client.said(&added, json!({})), format!("grown_{before:05}"), "{era:?}");
        }
    }
}

/// Lists in pages are put together.
#[test]
fn a_list_in_pages_is_whole() {
    let home = super::home_with("raw", &["--tools", "100", "--page", "7"]);
    for era in ERAS {
        let client = Client::begin(&home, era, &at("raw"));
        let result = client.result("tools/list", json!({}));
        let tools = result["tools"].as_array().expect("tools");
        assert_eq!(tools.len(), 19 + 100, "{era:?}");
        assert!(result["nextCursor"].is_null(), "{era:?}");
    }
}

/// What is declared of a server is acted on with the next list.
#[test]
fn what_is_declared_is_in_the_next_list() {
    let home = Home::new().started();
    home.apply(&(raw("one", &[]) + &raw("two", &[]) + &super::project("all", &["one"])));
    home.until_ready(&["server/one", "server/two"]);
    let client = Client::begin(&home, Era::Legacy, "/mcp/projects/all");
    let of = |server: &str| {
        let names = client.names("tools/list");
        names
            .iter()
            .filter(|name| name.starts_with(&format!("{server}__")))
            .count()
    };
    assert_eq!((of("one"), of("two")), (19, 0));
    home.apply(&super::project("all", &["two", "one"]));
    assert_eq!((of("one"), of("two")), (19, 19));
    home.apply(&super::project("all", &["two"]));
    assert_eq!((of("one"), of("two")), (0, 19));
}

/// The status of a server says which of its lists clients do not get, and why, until they get it again; it is told once.
#[test]
fn a_missing_list_is_in_the_status_until_it_is_back() {
    let mut home = Home::new().started();
    let declare =
        |home: &Home, arguments: &[&str]| home.apply(&(raw("raw", arguments) + &super::project("all", &["raw"])));
    declare(&home, &[]);
    home.until_ready(&["server/raw"]);
    let listed = |home: &Home| {
        let conditions = home.get("servers/raw")["status"]["conditions"].clone();
        let conditions = conditions.as_array().expect("conditions").clone();
        conditions.into_iter().find(|condition| condition["type"] == "Listed")
    };
    let ask = |home: &Home| {
        let client = Client::begin(home, Era::Modern, "/mcp/projects/all");
        ["prompts/list", "resources/list"].map(|method| client.result(method, json!({})))
    };
    ask(&home);
    assert_eq!(listed(&home), None, "nothing is said of a server that is well");

    declare(&home, &["--refuse", "prompts/list", "--hang", "resources/list"]);
    home.until_ready(&["server/raw"]);
    eventually("both are told", || {
        ask(&home);
        listed(&home).is_some_and(|listed| {
            let message = listed["message"].as_str().unwrap_or_default();
            (&listed["status"], &listed["reason"]) == (&json!("False"), &json!("ListMissing"))
                && message.contains("prompts/list: it answered prompts/list with error -32055")
                && message.contains("resources/list: it did not answer")
        })
    });
    let status = home.get("servers/raw")["status"].clone();
    assert_eq!(status["phase"], "Ready", "what it can do it does: {status}");
    // Others write, too, until the copy before is gone.
    eventually("what is known is not written again", || {
        let before = home.get("servers/raw")["status"]["revision"].clone();
        for _ in 0..2 {
            ask(&home);
        }
        home.get("servers/raw")["status"]["revision"] == before
    });

    // What was said stands when the daemon starts anew, until it is known better.
    home.stop();
    home.start();
    home.until_ready(&["server/raw"]);
    assert_eq!(
        listed(&home).map(|listed| listed["status"].clone()),
        Some(json!("False"))
    );
    ask(&home);
    // Nobody has to ask for it: it is found out when the server has come up anew.
    declare(&home, &[]);
    eventually("they are back", || {
        listed(&home).is_some_and(|listed| listed["status"] == "True")
    });
}
