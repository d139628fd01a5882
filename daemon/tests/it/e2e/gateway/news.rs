//! News of lists and resources reach those who want them, in every cell.

use serde_json::{Value, json};

use super::{SERVERS, at, home_with_all, project, raw};
use crate::support::client::{Client, ERAS, Era};
use crate::support::daemon::{Home, eventually};

const LISTS: [(&str, &str, &str); 3] = [
    ("change_tools", "notifications/tools/list_changed", "toolsListChanged"),
    (
        "change_prompts",
        "notifications/prompts/list_changed",
        "promptsListChanged",
    ),
    (
        "change_resources",
        "notifications/resources/list_changed",
        "resourcesListChanged",
    ),
];

fn all_lists() -> Value {
    LISTS
        .iter()
        .map(|(.., wanted)| ((*wanted).to_owned(), json!(true)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

/// News that come of themselves, such as those of a server that has come up, may come between.
#[test]
fn changes_of_lists_are_told_to_both_eras() {
    let (home, _far) = home_with_all(Home::new());
    for server in SERVERS {
        for (path, prefix) in [
            (at(server), String::new()),
            ("/mcp/projects/all".to_owned(), format!("{server}__")),
        ] {
            let actor = Client::begin(&home, Era::Modern, &path);
            let clients = ERAS.map(|era| Client::begin(&home, era, &path));
            let mut listening: Vec<_> = clients
                .iter()
                .map(|client| {
                    assert!(!client.names("tools/list").is_empty());
                    client.listen(all_lists())
                })
                .collect();
            for (tool, method, _) in LISTS {
                // A server of the newer era hears a moment later that somebody listens.
                for (heard, client) in listening.iter_mut().zip(&clients) {
                    let told = std::thread::scope(|scope| {
                        let hearing = scope.spawn(|| heard.method(method));
                        eventually("the news are heard", || {
                            actor.call(&format!("{prefix}{tool}"), json!({}));
                            hearing.is_finished()
                        });
                        hearing.join().expect("no panic")
                    });
                    let subscription = &told["params"]["_meta"]["io.modelcontextprotocol/subscriptionId"];
                    match client.era() {
                        Era::Legacy => assert!(subscription.is_null(), "{server}: {told}"),
                        Era::Modern => assert_eq!(*subscription, 1, "{server}: {told}"),
                    }
                }
            }
        }
    }
}

/// Who subscribes to a resource hears of its changes until it has enough.
#[test]
fn changes_of_resources_are_told_to_who_wants_them() {
    let (home, _far) = home_with_all(Home::new());
    for server in SERVERS {
        for era in ERAS {
            let client = Client::begin(&home, era, &at(server));
            let (mine, other) = ("raw://echo", "raw://other");
            let mut wanted = json!({"resourceSubscriptions": [mine]});
            if era == Era::Legacy {
                client.result("resources/subscribe", json!({"uri": mine}));
            } else {
                wanted["toolsListChanged"] = json!(true);
            }
            let mut heard = client.listen(wanted);
            let actor = Client::begin(&home, Era::Modern, &at(server));
            let update = |uri: &str| drop(actor.call("update_resource", json!({"uri": uri})));
            let told = std::thread::scope(|scope| {
                let hearing = scope.spawn(|| heard.method("notifications/resources/updated"));
                eventually("the news are heard", || {
                    update(other);
                    update(mine);
                    hearing.is_finished()
                });
                hearing.join().expect("no panic")
            });
            assert_eq!(told["params"]["uri"], mine, "{server} {era:?}: {told}");
            assert_eq!(
                told["params"]["x-vendor"]["nested"][1]["deep"], true,
                "{server} {era:?}: {told}"
            );
            if era == Era::Legacy {
                client.result("resources/unsubscribe", json!({"uri": mine}));
                // Those from before it was enough come first.
                actor.call("change_tools", json!({}));
                heard.method("notifications/tools/list_changed");
                update(mine);
                actor.call("change_prompts", json!({}));
                let (_, before) = heard.until("the change of the prompts", |message| {
                    message["method"] == "notifications/prompts/list_changed"
                });
                let updated = before
                    .iter()
                    .filter(|message| message["method"] == "notifications/resources/updated");
                assert_eq!(updated.count(), 0, "{server}: {before:?}");
            }
        }
    }
}

/// A resource that is not there cannot be subscribed to.
#[test]
fn nobody_has_such_a_resource() {
    let home = Home::new().started();
    home.apply(&(raw("raw", &[]) + &project("all", &["raw"])));
    home.until_ready(&["server/raw"]);
    let client = Client::begin(&home, Era::Legacy, "/mcp/projects/all");
    let told = client.ask("resources/subscribe", json!({"uri": "other://thing"}));
    assert_eq!(told.answer["error"]["code"], -32002, "{told:?}");
}

/// Clients are told when what is declared changes what they see.
#[test]
fn changes_of_what_is_declared_are_told() {
    let home = Home::new().started();
    home.apply(&(raw("one", &[]) + &raw("two", &[]) + &project("all", &["one"])));
    home.until_ready(&["server/one", "server/two"]);
    for (era, servers) in ERAS.into_iter().zip([vec!["one", "two"], vec!["two"]]) {
        let client = Client::begin(&home, era, "/mcp/projects/all");
        let mut heard = client.listen(all_lists());
        home.apply(&project("all", &servers));
        heard.method("notifications/tools/list_changed");
        let names = client.names("tools/list");
        assert!(names.contains(&"two__echo".to_owned()), "{era:?}: {names:?}");
    }
}
