//! A gated project: one tool and nothing else, until a client has said what it is going to do; in both eras, for the one
//! who said it, and still so after the daemon was started anew.

use serde_json::{Value, json};

use super::{manifest, raw};
use crate::support::client::{Client, ERAS, Era, LEGACY, abilities, text_of};
use crate::support::daemon::{Home, eventually};
use crate::support::database;
use crate::support::http::Request;

const PATH: &str = "/mcp/projects/shop";
const NOT_BEGUN: i64 = -32030;

/// What a client of the newer era sends along.
const HANDLE: &str = "orchctl.dev/session";

/// A gated project with a server and some prompts.
fn gated() -> Home {
    let home = Home::new().started();
    let server = raw("raw", &[]) + &manifest("Server", "other", &json!({"command": ["orch-conformance"]}));
    let spec = json!({"servers": ["raw", "other"], "gated": true, "instructions": "Count twice."});
    let mut manifests = server + &manifest("Project", "shop", &spec);
    for (name, spec) in [
        ("rules", json!({"content": "Nobody works alone.", "priority": 100})),
        (
            "reviews",
            json!({"content": "Ask for the reason first.", "summary": "How we review code.", "tags": ["git"], "priority": 70}),
        ),
        (
            "static",
            json!({"content": "It says:", "summary": "What a review begins with.", "link": "shop/other:test://static-text"}),
        ),
        (
            "gardening",
            json!({"content": "Water the plants.", "summary": "About plants."}),
        ),
    ] {
        manifests += &manifest("Prompt", name, &spec).replace(
            &format!("{{name: {name}}}"),
            &format!("{{name: {name}, project: shop}}"),
        );
    }
    home.apply(&manifests);
    home.until_ready(&["server/raw", "server/other", "project/shop"]);
    home
}

/// Parameters with the handle that a client of the newer era was given.
fn with(handle: Option<&str>, mut params: Value) -> Value {
    if let Some(handle) = handle {
        params["_meta"] = json!({HANDLE: handle});
    }
    params
}

/// Begins; the answer, and the handle of a client of the newer era.
#[track_caller]
fn begin(client: &Client, description: &str) -> (Value, Option<String>) {
    let answer = client.call("begin_session", json!({"description": description}));
    let handle = answer["structuredContent"]["session"].as_str().map(str::to_owned);
    assert_eq!(handle.is_some(), client.era() == Era::Modern, "{answer}");
    (answer, handle)
}

fn tools(client: &Client, handle: Option<&str>) -> Vec<String> {
    let result = client.result("tools/list", with(handle, json!({})));
    let tools = result["tools"].as_array().expect("tools").iter();
    tools
        .map(|tool| tool["name"].as_str().expect("a name").to_owned())
        .collect()
}

#[track_caller]
fn refused(client: &Client, method: &str, params: Value) -> String {
    let told = client.ask(method, params);
    assert_eq!(told.answer["error"]["code"], NOT_BEGUN, "{method}: {told:?}");
    assert_eq!(
        told.answer["error"]["data"]["tool"], "begin_session",
        "{method}: {told:?}"
    );
    told.answer["error"]["message"].as_str().expect("words").to_owned()
}

/// Before it has begun, a client sees one tool and nothing else, and can use nothing that it knows the name of.
#[test]
fn nothing_is_there_before_a_session_has_begun() {
    let home = gated();
    let (_, hello) = Client::greeted(&home, PATH, LEGACY, &abilities());
    let discovered = Client::begin(&home, Era::Modern, PATH).result("server/discover", json!({}));
    for told in [hello, discovered] {
        let said = told["instructions"].as_str().expect("instructions");
        assert!(
            said.contains("`begin_session`") && said.ends_with("Count twice."),
            "{said}"
        );
    }
    for era in ERAS {
        let client = Client::begin(&home, era, PATH);
        assert_eq!(client.names("tools/list"), ["begin_session"], "{era:?}");
        for list in ["prompts/list", "resources/list", "resources/templates/list"] {
            assert_eq!(client.names(list), Vec::<String>::new(), "{era:?}: {list}");
        }
        for (method, params) in [
            ("tools/call", json!({"name": "raw__echo", "arguments": {}})),
            (
                "tools/call",
                json!({"name": "orch_read_page", "arguments": {"id": "x", "page": 1}}),
            ),
            ("prompts/get", json!({"name": "rules"})),
            ("resources/read", json!({"uri": "orch://prompts/rules"})),
            ("resources/read", json!({"uri": "raw://echo"})),
            (
                "completion/complete",
                json!({"ref": {"type": "ref/prompt", "name": "raw__echo"}, "argument": {"name": "n", "value": "r"}}),
            ),
        ] {
            let said = refused(&client, method, params);
            assert!(said.contains("call the tool `begin_session` first"), "{era:?}: {said}");
        }
        let wrong = client.call("begin_session", json!({"tags": ["git"]}));
        assert_eq!(wrong["isError"], true, "{era:?}: {wrong}");
        assert!(text_of(&wrong).contains("`description` is needed"), "{era:?}: {wrong}");
        assert_eq!(client.names("tools/list"), ["begin_session"], "{era:?}: not for that");
        // A server by itself has no gate.
        let single = Client::begin(&home, era, "/mcp/servers/raw");
        assert!(single.names("tools/list").contains(&"echo".to_owned()), "{era:?}");
    }
    let client = Client::begin(&home, Era::Legacy, PATH);
    refused(&client, "resources/subscribe", json!({"uri": "raw://echo"}));
    eventually("refusals are written down", || {
        let denied = "SELECT detail FROM audit WHERE outcome = 'denied'";
        let details = database::texts(&home, denied);
        details
            .iter()
            .any(|detail| detail.contains("the session has not begun"))
    });
    let items = database::texts(
        &home,
        "SELECT item FROM audit WHERE outcome = 'denied' AND item IS NOT NULL",
    );
    assert!(items.contains(&"orch_read_page".to_owned()), "{items:?}");
}

/// Who says what they are going to do is given what fits, in order, with links followed, and sees everything after that.
#[test]
fn who_begins_gets_what_fits_and_then_the_tools() {
    let home = gated();
    for era in ERAS {
        let client = Client::begin(&home, era, PATH);
        let (answer, handle) = begin(&client, "Review the code of the shop");
        let handle = handle.as_deref();
        let text = text_of(&answer);
        let at = |what: &str| {
            text.find(what)
                .unwrap_or_else(|| panic!("{era:?}: {what} is missing: {text}"))
        };
        assert!(
            at("Nobody works alone.") < at("Ask for the reason first."),
            "{era:?}: {text}"
        );
        assert!(at("Ask for the reason first.") < at("It says:\n\n"), "{era:?}: {text}");
        assert!(!text.contains("Water the plants."), "{era:?}: {text}");
        let said_once = text.matches("Nobody works alone.").count();
        assert_eq!(said_once, 1, "{era:?}: {text}");
        let prompts = answer["structuredContent"]["prompts"].as_array().expect("prompts");
        let names: Vec<_> = prompts
            .iter()
            .map(|prompt| prompt["name"].as_str().expect("a name"))
            .collect();
        assert_eq!(names, ["rules", "reviews", "static"], "{era:?}");
        assert_eq!(prompts[1]["because"], json!(["code", "review"]), "{era:?}");

        let names = tools(&client, handle);
        for name in ["raw__echo", "begin_session", "orch_read_page"] {
            assert!(names.contains(&name.to_owned()), "{era:?}: {name} in {names:?}");
        }
        let echoed = client.result(
            "tools/call",
            with(handle, json!({"name": "raw__echo", "arguments": {"a": 1}})),
        );
        let echoed = text_of(&echoed);
        assert!(
            echoed.contains("\"a\":1") && !echoed.contains("orchctl.dev"),
            "{era:?}: {echoed}"
        );
        let read = client.result(
            "resources/read",
            with(handle, json!({"uri": "orch://prompts/gardening"})),
        );
        assert_eq!(read["contents"][0]["text"], "Water the plants.", "{era:?}");
        let prompt = client.result("prompts/get", with(handle, json!({"name": "rules"})));
        assert!(prompt["messages"][0]["content"]["text"].is_string(), "{era:?}");

        // Another task, in the same session.
        let again = with(
            handle,
            json!({"name": "begin_session", "arguments": {"description": "water the plants"}}),
        );
        let again = client.result("tools/call", again);
        assert!(text_of(&again).contains("Water the plants."), "{era:?}: {again}");
        assert_eq!(
            again["structuredContent"]["session"].as_str(),
            handle,
            "{era:?}: the handle stays"
        );
    }
}

/// A handle may come in the arguments of a tool, too, whose server does not see it.
#[test]
fn a_handle_may_be_an_argument() {
    let home = gated();
    let client = Client::begin(&home, Era::Modern, PATH);
    let (answer, handle) = begin(&client, "anything");
    let handle = handle.expect("a handle");
    assert!(text_of(&answer).contains(&handle), "a model reads it: {answer}");
    let echoed = client.said("raw__echo", json!({"orch_session": handle, "a": 1}));
    assert!(echoed.contains("\"a\":1") && !echoed.contains(&handle), "{echoed}");
    refused(
        &client,
        "tools/call",
        json!({"name": "raw__echo", "arguments": {"a": 1}}),
    );
}

/// A client that knows nothing of handles is shown, once it has begun, what it may use, each tool with an argument for the handle,
/// which its model fills in; whoever else comes sees nothing, and without the handle no tool can be called.
#[test]
fn a_client_that_knows_no_handles_gets_along() {
    let mut home = gated();
    let mut client = Client::begin(&home, Era::Modern, PATH);
    assert_eq!(client.names("tools/list"), ["begin_session"]);
    let mut heard = client.listen(json!({"toolsListChanged": true}));
    let (answer, _) = begin(&client, "review");
    heard.method("notifications/tools/list_changed");
    let listed = client.result("tools/list", json!({}));
    let tools = listed["tools"].as_array().expect("tools");
    let echo = tools
        .iter()
        .find(|tool| tool["name"] == "raw__echo")
        .expect("the server's tool");
    assert_eq!(
        echo["inputSchema"]["properties"]["orch_session"]["type"], "string",
        "{echo}"
    );
    assert!(
        echo["inputSchema"]["required"]
            .as_array()
            .is_some_and(|names| names.contains(&json!("orch_session"))),
        "{echo}"
    );
    let handle = answer["structuredContent"]["session"].as_str().expect("a handle");
    assert!(
        client
            .said("raw__echo", json!({"orch_session": handle}))
            .contains("tools/call")
    );
    refused(&client, "tools/call", json!({"name": "raw__echo", "arguments": {}}));
    let read = client.result("resources/read", json!({"uri": "orch://prompts/rules"}));
    assert_eq!(read["contents"][0]["text"], "Nobody works alone.");

    let bob = database::token(&home, "bob");
    assert_eq!(
        Client::begin_as(&home, Era::Modern, PATH, &bob).names("tools/list"),
        ["begin_session"]
    );
    let other = json!({"_meta": {"io.modelcontextprotocol/clientInfo": {"name": "other", "version": "1"}}});
    let other = client.result("tools/list", other);
    assert_eq!(
        other["tools"].as_array().map(Vec::len),
        Some(1),
        "another client: {other}"
    );

    home.kill_9();
    home.start();
    home.until_ready(&["server/raw", "server/other"]);
    client.follow(&home);
    assert!(client.names("tools/list").contains(&"raw__echo".to_owned()));
    assert!(
        client
            .said("raw__echo", json!({"orch_session": handle}))
            .contains("tools/call")
    );
}

/// What has begun outlives the daemon; what has not, has not.
#[test]
fn what_has_begun_outlives_the_daemon() {
    let mut home = gated();
    let mut clients: Vec<_> = ERAS
        .into_iter()
        .map(|era| {
            let client = Client::begin(&home, era, PATH);
            let (_, handle) = begin(&client, "review");
            (client, handle)
        })
        .collect();
    let mut outside = Client::begin(&home, Era::Legacy, PATH);
    home.kill_9();
    home.start();
    home.until_ready(&["server/raw", "server/other"]);
    for (client, handle) in &mut clients {
        client.follow(&home);
        let names = tools(client, handle.as_deref());
        assert!(names.contains(&"raw__echo".to_owned()), "{:?}: {names:?}", client.era());
    }
    outside.follow(&home);
    assert_eq!(outside.names("tools/list"), ["begin_session"]);
    refused(&outside, "tools/call", json!({"name": "raw__echo", "arguments": {}}));
    begin(&outside, "review");
    assert!(outside.names("tools/list").contains(&"raw__echo".to_owned()));
}

/// A handle is its principal's, and the project's; a session of the other era is none.
#[test]
fn a_handle_is_its_principals_alone() {
    let home = gated();
    home.apply(&manifest(
        "Project",
        "twin",
        &json!({"servers": ["raw"], "gated": true}),
    ));
    home.until_ready(&["project/twin"]);
    let ann = Client::begin(&home, Era::Modern, PATH);
    let (_, handle) = begin(&ann, "review");
    let handle = handle.expect("a handle");
    let legacy = Client::begin(&home, Era::Legacy, PATH);
    begin(&legacy, "review");
    let call = |handle: &str| with(Some(handle), json!({"name": "raw__echo", "arguments": {}}));
    let bob = Client::begin_as(&home, Era::Modern, PATH, &database::token(&home, "bob"));
    let twin = Client::begin(&home, Era::Modern, "/mcp/projects/twin");
    let session = legacy.session().expect("a session");
    for (client, handle, whose) in [
        (&bob, handle.as_str(), "of another principal"),
        (&twin, handle.as_str(), "of another project"),
        (&ann, session, "of the other era"),
        (&ann, "0000", "of nobody"),
    ] {
        let said = refused(client, "tools/call", call(handle));
        assert!(said.contains("not known here, or has expired"), "{whose}: {said}");
        assert_eq!(tools(client, Some(handle)), ["begin_session"], "{whose}");
    }
    // Nor is a handle the id of a session.
    let request = Request::new(home.address(), "POST", PATH)
        .token(&home.token())
        .header("Accept", "application/json, text/event-stream")
        .header("MCP-Protocol-Version", LEGACY)
        .header("Mcp-Session-Id", &handle);
    let listed = request
        .json(&json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}))
        .send();
    assert_eq!(listed.expect(404).json()["error"]["code"], -32001);
    assert!(
        tools(&ann, Some(&handle)).contains(&"raw__echo".to_owned()),
        "it is as it was"
    );
}

/// Who has begun is told that there is more now; and everybody is when the gate comes or goes.
#[test]
fn that_there_is_more_is_told() {
    let home = gated();
    for era in ERAS {
        let client = Client::begin(&home, era, PATH);
        let mut heard = client.listen(json!({"toolsListChanged": true, "promptsListChanged": true}));
        begin(&client, "review");
        for list in ["tools", "prompts"] {
            heard.method(&format!("notifications/{list}/list_changed"));
        }
    }
    let client = Client::begin(&home, Era::Legacy, PATH);
    let mut heard = client.listen(json!({}));
    assert_eq!(client.names("tools/list"), ["begin_session"]);
    home.apply(&manifest("Project", "shop", &json!({"servers": ["raw", "other"]})));
    heard.method("notifications/tools/list_changed");
    let names = client.names("tools/list");
    assert!(
        names.contains(&"raw__echo".to_owned()) && !names.contains(&"begin_session".to_owned()),
        "{names:?}"
    );
    home.apply(&manifest(
        "Project",
        "shop",
        &json!({"servers": ["raw", "other"], "gated": true}),
    ));
    heard.method("notifications/tools/list_changed");
    assert_eq!(client.names("tools/list"), ["begin_session"]);
}
