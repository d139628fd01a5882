//! Prompts that are proposed in a session: seen by that session alone, decided by people, published with the decision.

use serde_json::{Value, json};

use super::{manifest, project, raw};
use crate::support::client::{Client, ERAS, Era, text_of};
use crate::support::daemon::Home;
use crate::support::database;

const PATH: &str = "/mcp/projects/shop";
/// What a client of the newer era sends along.
const HANDLE: &str = "orchctl.dev/session";

fn shop() -> Home {
    let home = Home::new().started();
    home.apply(&(raw("raw", &[]) + &project("shop", &["raw"])));
    home.until_ready(&["server/raw", "project/shop"]);
    home
}

/// Parameters with the handle that a client of the newer era was given.
fn with(handle: Option<&str>, mut params: Value) -> Value {
    if let Some(handle) = handle {
        params["_meta"] = json!({HANDLE: handle});
    }
    params
}

/// Proposes a prompt: what it is called now, and the handle of a client that had none.
#[track_caller]
fn propose(client: &Client, arguments: Value) -> (String, Option<String>) {
    let answer = client.call("propose_prompt", arguments);
    let told = &answer["structuredContent"];
    let request = told["request"]
        .as_str()
        .unwrap_or_else(|| panic!("it is not taken: {answer}"));
    assert!(text_of(&answer).contains(request), "{answer}");
    (request.to_owned(), told["session"].as_str().map(str::to_owned))
}

fn resources(client: &Client, handle: Option<&str>) -> Vec<String> {
    let listed = client.result("resources/list", with(handle, json!({})));
    let items = listed["resources"].as_array().expect("resources").iter();
    items
        .map(|item| item["uri"].as_str().expect("a URI").to_owned())
        .collect()
}

/// A proposal is its session's until it is approved; then it is a prompt, and everybody's.
#[test]
fn a_proposal_is_its_sessions_until_it_is_approved() {
    let home = shop();
    let bob = database::token(&home, "bob");
    for era in ERAS {
        let name = format!("tone-{}", format!("{era:?}").to_lowercase());
        let ann = Client::begin(&home, era, PATH);
        assert!(
            ann.names("tools/list").contains(&"propose_prompt".to_owned()),
            "{era:?}"
        );
        let (request, handle) = propose(
            &ann,
            json!({"name": name, "content": "Be kind.", "summary": "How we write.", "tags": ["style"], "priority": 70}),
        );
        assert_eq!(handle.is_some(), era == Era::Modern, "{era:?}");
        let uri = format!("orch://promptrequests/{request}");
        assert!(resources(&ann, handle.as_deref()).contains(&uri), "{era:?}");
        let read = ann.result("resources/read", with(handle.as_deref(), json!({"uri": uri})));
        assert_eq!(read["contents"][0]["text"], "Be kind.", "{era:?}");

        // Neither another session of the same principal, nor anybody else.
        for (other, whose) in [
            (Client::begin(&home, era, PATH), "another session"),
            (Client::begin_as(&home, era, PATH, &bob), "another principal"),
        ] {
            assert!(!resources(&other, None).contains(&uri), "{era:?}: {whose}");
            let refused = other.ask("resources/read", json!({"uri": uri}));
            assert!(refused.answer["error"].is_object(), "{era:?}: {whose}: {refused:?}");
            if era == Era::Modern {
                let stolen = Client::begin_as(&home, era, PATH, &bob);
                assert!(
                    !resources(&stolen, handle.as_deref()).contains(&uri),
                    "the handle is of no use to bob"
                );
            }
        }
        assert!(
            !ann.names("prompts/list").contains(&name),
            "{era:?}: it is no prompt yet"
        );

        let listed = home.orchctl(&["get", "promptrequests", "-p", "shop"]).expect(0);
        listed.saying(&["PROMPT", "STATUS", "BY", &request, "Pending", "admin"]);
        home.orchctl(&["approve", "promptrequest", &request, "-p", "shop"])
            .expect(0)
            .saying(&["approved"]);
        assert!(
            !resources(&ann, handle.as_deref()).contains(&uri),
            "{era:?}: it waits no more"
        );
        let prompts = Client::begin_as(&home, era, PATH, &bob).names("prompts/list");
        assert!(prompts.contains(&name), "{era:?}: {prompts:?}");
        let prompt = home.get(&format!("projects/shop/prompts/{name}"));
        assert_eq!(
            prompt["spec"],
            json!({"content": "Be kind.", "priority": 70, "summary": "How we write.", "tags": ["style"]}),
            "{era:?}"
        );
        let decided = home.get(&format!("projects/shop/promptrequests/{request}"));
        assert_eq!(decided["status"]["phase"], "Approved", "{era:?}");
        assert_eq!(decided["status"]["decidedBy"], "admin", "{era:?}");
        // Once, and not again.
        for verb in ["approve", "reject"] {
            home.orchctl(&[verb, "pr", &request, "-p", "shop"])
                .expect(4)
                .saying(&["was approved by admin already"]);
        }
    }
}

/// A name that is taken is refused unless it is to be replaced; a rejection says why.
#[test]
fn people_decide() {
    let home = shop();
    let client = Client::begin(&home, Era::Legacy, PATH);
    home.apply(
        &manifest("Prompt", "tone", &json!({"content": "Be brief."}))
            .replace("{name: tone}", "{name: tone, project: shop, labels: {team: core}}"),
    );
    let (taken, _) = propose(&client, json!({"name": "tone", "content": "Be kind."}));
    let refused = home.orchctl(&["approve", "pr", &taken, "-p", "shop"]).expect(4);
    refused.saying(&["prompt/tone (project/shop) exists already", "--replace"]);
    let pending = home.get(&format!("projects/shop/promptrequests/{taken}"));
    assert_eq!(pending["status"]["phase"], "Pending", "nothing was half done");
    home.orchctl(&["approve", "pr", &taken, "-p", "shop", "--replace"])
        .expect(0);
    let prompt = home.get("projects/shop/prompts/tone");
    assert_eq!(prompt["spec"], json!({"content": "Be kind."}));
    assert_eq!(prompt["metadata"]["labels"]["team"], "core", "marks stay");

    let (other, _) = propose(&client, json!({"name": "haste", "content": "Hurry."}));
    home.orchctl(&[
        "reject",
        "promptrequest",
        &other,
        "-p",
        "shop",
        "--reason",
        "We do not hurry.",
    ])
    .expect(0)
    .saying(&["rejected"]);
    let described = home
        .orchctl(&["describe", "promptrequest", &other, "-p", "shop"])
        .expect(0);
    described.saying(&["Rejected", "We do not hurry.", "admin"]);
    home.http("GET", "/api/v1/projects/shop/prompts/haste")
        .send()
        .expect(404);
    let actions = database::texts(&home, "SELECT action FROM audit ORDER BY sequence");
    for action in ["propose", "approve", "reject"] {
        assert!(actions.contains(&action.to_owned()), "{action}: {actions:?}");
    }

    // They are made in sessions, and by nobody else; they go with their project, in nobody's way.
    let made = manifest("PromptRequest", "own", &json!({"prompt": "x", "content": "y"}));
    home.orchctl_reading(
        &made.replace("{name: own}", "{name: own, project: shop}"),
        &["apply", "-f", "-"],
    )
    .expect(1)
    .saying(&["made by the daemon"]);
    propose(&client, json!({"name": "last", "content": "Bye."}));
    home.orchctl(&["delete", "prompt", "tone", "-p", "shop"]).expect(0);
    home.orchctl(&["delete", "project", "shop"]).expect(0);
    let left = home.get("promptrequests");
    assert_eq!(left["items"], json!([]), "{left}");
}

/// What is wrong with a proposal is told in words; and there are only so many.
#[test]
fn proposals_are_bounded() {
    let home = shop();
    let client = Client::begin(&home, Era::Legacy, PATH);
    for (arguments, said) in [
        (json!({"content": "x"}), "name"),
        (json!({"name": "Loud", "content": "x"}), "name: "),
        (json!({"name": "tone", "content": "x", "priority": 1000}), "priority: "),
        (json!({"name": "n".repeat(60), "content": "x"}), "at most 57 characters"),
    ] {
        let refused = client.call("propose_prompt", arguments);
        assert_eq!(refused["isError"], true, "{refused}");
        assert!(text_of(&refused).contains(said), "{said}: {refused}");
    }
    for number in 0..10 {
        propose(&client, json!({"name": format!("p{number}"), "content": "x"}));
    }
    let refused = client.call("propose_prompt", json!({"name": "more", "content": "x"}));
    assert!(
        refused["isError"] == true && text_of(&refused).contains("10 proposals of this session wait"),
        "{refused}"
    );
    let another = Client::begin(&home, Era::Legacy, PATH);
    propose(&another, json!({"name": "more", "content": "x"}));
}

/// What was proposed outlives the daemon, and its session still sees it.
#[test]
fn a_proposal_outlives_the_daemon() {
    let mut home = shop();
    let mut proposed: Vec<_> = ERAS
        .into_iter()
        .map(|era| {
            let client = Client::begin(&home, era, PATH);
            let (request, handle) = propose(&client, json!({"name": "tone", "content": "Be kind."}));
            (client, request, handle)
        })
        .collect();
    home.kill_9();
    home.start();
    for (client, request, handle) in &mut proposed {
        client.follow(&home);
        let own = resources(client, handle.as_deref());
        let own: Vec<_> = own
            .iter()
            .filter(|uri| uri.starts_with("orch://promptrequests/"))
            .collect();
        assert_eq!(own, [&format!("orch://promptrequests/{request}")], "{:?}", client.era());
    }
}

/// A client that can say its handle only as an argument has one session, and sees in it what it has proposed.
#[test]
fn a_handle_among_the_arguments_is_the_session() {
    let home = shop();
    home.apply(&manifest(
        "Project",
        "gate",
        &json!({"servers": ["raw"], "gated": true}),
    ));
    home.until_ready(&["project/gate"]);
    for path in ["/mcp/projects/gate", PATH] {
        let client = Client::begin(&home, Era::Modern, path);
        let handle = match path {
            PATH => propose(&client, json!({"name": "first", "content": "x"})).1,
            _ => {
                let begun = client.call("begin_session", json!({"description": "Write something down"}));
                begun["structuredContent"]["session"].as_str().map(str::to_owned)
            }
        };
        let handle = handle.expect("a handle");
        let by_argument = json!({"name": "tone", "content": "Be kind.", "orch_session": handle});
        let (request, another) = propose(&client, by_argument);
        assert_eq!(another, None, "{path}: it is another session");
        let uri = format!("orch://promptrequests/{request}");
        assert!(resources(&client, Some(&handle)).contains(&uri), "{path}");
        // And so it has no more of them than others.
        let arguments = |number: usize| json!({"name": format!("p{number}"), "content": "x", "orch_session": handle});
        let refused = (0..10).map(|number| client.call("propose_prompt", arguments(number)));
        let refused = refused.filter(|answer| answer["isError"] == true).last();
        let refused = refused.unwrap_or_else(|| panic!("{path}: there is no end to them"));
        assert!(
            text_of(&refused).contains("10 proposals of this session wait"),
            "{refused}"
        );
    }
}
