//! Two principals at one gateway: what one of them was given is of no use to the other, however it got hold of it.

use serde_json::{Value, json};

use super::{at, home_with, project, raw, raw_with, stats};
use crate::support::client::{Client, ERAS, Era, Heard, text_of};
use crate::support::daemon::{Home, eventually};
use crate::support::database;
use crate::support::http::Request;

const PATH: &str = "/mcp/projects/all";

/// A session answers to its own principal, whatever somebody else does with its id.
#[test]
fn a_session_is_its_principals_alone() {
    let home = home_with("raw", &["--era", "legacy"]);
    let bob = database::token(&home, "bob");
    let ann = Client::begin(&home, Era::Legacy, &at("raw"));
    let id = ann.session().expect("a session").to_owned();
    let mut heard = ann.listen(json!({}));
    let thief = Client::begin_as(&home, Era::Legacy, &at("raw"), &bob);
    let with_id = |request: Request| {
        let request = request.token(&bob).header("MCP-Protocol-Version", "2025-11-25");
        request.header("Mcp-Session-Id", &id)
    };
    let stolen = |method: &str| with_id(Request::new(home.address(), method, &at("raw")));
    let said = |message: Value| {
        let request = stolen("POST").header("Accept", "application/json, text/event-stream");
        request.json(&message).send().expect(404).json()
    };
    let asked = said(json!({"jsonrpc": "2.0", "id": 1, "method": "tools/list"}));
    assert_eq!(asked["error"]["code"], -32001, "{asked}");
    for message in [
        json!({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": "long"}}),
        json!({"jsonrpc": "2.0", "id": 1, "result": {"roots": []}}),
        json!({"jsonrpc": "2.0", "id": 1, "method": "logging/setLevel", "params": {"level": "emergency"}}),
    ] {
        said(message);
    }
    for place in ["0-0", "1-0"] {
        let stream = stolen("GET").header("Accept", "text/event-stream");
        stream.clone().send().expect(404);
        stream.header("Last-Event-ID", place).send().expect(404);
    }
    stolen("DELETE").send().expect(404);

    // It is as it was, and nothing has reached the server in its name.
    let params = json!({"name": "ask_roots", "arguments": {}});
    let (questions, told) = ann.asked_back("tools/call", params, &json!({"roots": [{"uri": "file:///ann"}]}));
    assert_eq!(questions.len(), 1, "{told}");
    assert!(text_of(&told["result"]).contains("file:///ann"), "{told}");
    let told = stats(&ann, "stats")["notifications"].to_string();
    assert!(!told.contains("notifications/cancelled"), "{told}");
    ann.call("change_tools", json!({}));
    heard.method("notifications/tools/list_changed");
    assert!(
        thief.said("echo", json!({})).contains("tools/call"),
        "bob may use the server"
    );
}

/// The address that a client of the oldest transport posts to is its principal's, too.
#[test]
fn an_address_to_post_to_is_its_principals_alone() {
    let home = home_with("raw", &[]);
    let bob = database::token(&home, "bob");
    let mut stream = home.http("GET", "/mcp/servers/raw/sse").stream();
    assert_eq!(stream.line().as_deref(), Some("event: endpoint"));
    let data = stream.line().expect("an address");
    let post_to = data.strip_prefix("data: ").expect("an address").to_owned();
    let ping = json!({"jsonrpc": "2.0", "id": 1, "method": "ping"});
    let post = |token: &str| {
        Request::new(home.address(), "POST", &post_to)
            .token(token)
            .json(&ping)
            .send()
    };
    post(&bob).expect(404);
    post(&home.token()).expect(202);
    assert_eq!(stream.event().expect("an answer").1["id"], 1);
}

/// A call that waits for its client goes on for nobody else; and what a server wants back reaches it from nobody else.
#[test]
fn a_state_is_its_principals_alone() {
    let mut home = Home::new().started();
    let servers = ["legacy", "modern"];
    let manifests: String = servers.iter().map(|era| raw(era, &["--era", era])).collect();
    home.apply(&(manifests + &project("all", &servers)));
    home.until_ready(&["server/legacy", "server/modern"]);
    let bob = database::token(&home, "bob");
    let params = json!({"name": "ask_roots", "arguments": {}});
    for server in servers {
        let ann = Client::begin(&home, Era::Modern, &at(server));
        let thief = Client::begin_as(&home, Era::Modern, &at(server), &bob);
        let first = ann.result("tools/call", params.clone());
        assert_eq!(first["resultType"], "input_required", "{first}");
        let state = first["requestState"].as_str().expect("a state");
        let mut back = params.clone();
        back["inputResponses"] = json!({"question": {"roots": [{"uri": "file:///bob"}]}});
        back["requestState"] = json!(state);
        let refused = |params: Value, why: &str| {
            let told = thief.ask("tools/call", params);
            assert_eq!(told.answer["error"]["code"], -32602, "{server} {why}: {told:?}");
        };
        refused(back.clone(), "as it was given");
        // What it holds is of no use by itself, either.
        let bare = state.rsplit('.').next().expect("a part");
        for forged in [
            json!(bare),
            json!(format!("orch1.copy.{bare}")),
            json!({"raw": bare}),
            json!(""),
        ] {
            back["requestState"] = forged.clone();
            refused(back.clone(), &forged.to_string());
        }
        let spelled = back.to_string().replace("requestState", "request\\u0053tate");
        let twice = back.to_string().replace(
            "\"requestState\":",
            "\"requestState\":\"x\",\"requestState\":null,\"z\":",
        );
        for text in [spelled, twice] {
            let text = text.replacen('{', "{\"_meta\":META,", 1);
            let meta = json!({
                "io.modelcontextprotocol/protocolVersion": "2026-07-28",
                "io.modelcontextprotocol/clientCapabilities": {"roots": {}},
            });
            let params = text.replace("META", &meta.to_string());
            let body = format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{params}}}"#);
            let request = thief
                .request("tools/call", json!({"name": "ask_roots"}))
                .body(body.into_bytes());
            let told = request.send().json();
            assert_eq!(told["error"]["code"], -32602, "{server} {text}: {told}");
        }
        // A client with a session has nothing to bring along, and is asked like anybody.
        if server == "modern" {
            back["requestState"] = json!(bare);
            let session = Client::begin_as(&home, Era::Legacy, &at(server), &bob);
            let (questions, told) = session.asked_back("tools/call", back.clone(), &json!({"roots": []}));
            assert_eq!(questions.len(), 1, "{told}");
            assert!(!text_of(&told["result"]).contains("file:///bob"), "{told}");
        }

        // Its owner has lost nothing.
        back["requestState"] = json!(state);
        back["inputResponses"] = json!({"question": {"roots": [{"uri": "file:///ann"}]}});
        let said = text_of(&ann.result("tools/call", back.clone()));
        assert!(
            said.contains("file:///ann") && !said.contains("file:///bob"),
            "{server}: {said}"
        );
    }
    // What a server wants back is known also to a daemon that was started anew.
    let mut ann = Client::begin(&home, Era::Modern, &at("modern"));
    let first = ann.result("tools/call", params.clone());
    home.stop();
    home.start();
    home.until_ready(&["server/modern"]);
    ann.follow(&home);
    let mut back = params;
    back["inputResponses"] = json!({"question": {"roots": []}});
    back["requestState"] = first["requestState"].clone();
    let said = text_of(&ann.result("tools/call", back));
    assert!(said.contains(r#""requestState":"raw state of roots/list""#), "{said}");
}

/// A long result is read on by whom it was made for.
#[test]
fn pages_are_their_principals_alone() {
    let home = home_with("raw", &[]);
    home.apply(&super::manifest(
        "Project",
        "all",
        &json!({"servers": ["raw"], "pages": {"size": "1Ki"}}),
    ));
    let bob = database::token(&home, "bob");
    for era in ERAS {
        let ann = Client::begin(&home, era, PATH);
        let cut = ann.call("raw__big", json!({"bytes": 5000}));
        let footer = cut["content"][1]["text"].as_str().expect("a footer");
        let page = json!({"id": footer.split('"').nth(3).expect("an id"), "page": 2});
        let theirs = Client::begin_as(&home, era, PATH, &bob).call("orch_read_page", page.clone());
        assert_eq!(theirs["isError"], true, "{era:?}: {theirs}");
        let own = ann.call("orch_read_page", page);
        assert_ne!(own["isError"], true, "{era:?}: {own}");
    }
}

/// News of a resource come to who has asked for them, and questions to whose call it is.
#[test]
fn news_and_questions_are_their_principals_alone() {
    let home = Home::new().started();
    let own = json!({"sessions": "isolated"});
    home.apply(
        &(raw("raw", &["--era", "legacy"])
            + &raw_with("own", &["--era", "legacy"], own)
            // One that nobody else was asking a moment ago.
            + &raw("third", &["--era", "legacy"])
            + &project("all", &["third", "own"])),
    );
    home.until_ready(&["server/raw", "server/own", "server/third"]);
    let bob = database::token(&home, "bob");
    for path in [at("raw"), at("own"), PATH.to_owned()] {
        let ann = Client::begin(&home, Era::Legacy, &path);
        let thief = Client::begin_as(&home, Era::Legacy, &path, &bob);
        let prefix = if path == PATH { "third__" } else { "" };
        ann.result("resources/subscribe", json!({"uri": "raw://echo"}));
        let (mut to_ann, mut to_bob) = (ann.listen(json!({})), thief.listen(json!({})));
        ann.call(&format!("{prefix}update_resource"), json!({"uri": "raw://echo"}));
        let news = to_ann.method("notifications/resources/updated");
        assert_eq!(news["params"]["uri"], "raw://echo", "{path}");
        let (questions, told) = ann.asked_back(
            "tools/call",
            json!({"name": format!("{prefix}ask_roots"), "arguments": {}}),
            &json!({"roots": []}),
        );
        assert_eq!(questions.len(), 1, "{path}: {told}");
        thief.call(&format!("{prefix}change_tools"), json!({}));
        let (_, before) = to_bob.until("a change of tools", |message| {
            message["method"] == "notifications/tools/list_changed"
        });
        let foreign = before
            .iter()
            .filter(|message| message["method"] == "notifications/resources/updated" || !message["id"].is_null());
        assert_eq!(foreign.count(), 0, "{path}: {before:?}");
        ann.end().expect(204);
        thief.end().expect(204);
    }
    eventually("nothing is left of them", || database::sessions(&home) == 0);
}

/// What comes on a stream before the news of a list: logs and questions, if anything.
#[track_caller]
fn before_news(heard: &mut Heard) -> Vec<Value> {
    let (_, before) = heard.until("a change of tools", |message| {
        message["method"] == "notifications/tools/list_changed"
    });
    let is_said = |message: &Value| message["method"] == "notifications/message" || !message["id"].is_null();
    before.into_iter().filter(is_said).collect()
}

/// What was answered to the questions that a server asked of its own accord.
#[track_caller]
fn answers(client: &Client) -> String {
    stats(client, "stats")["answers"].to_string()
}

/// A server that has answered may go on, and then it says and asks what may be about anybody's call: who has one under way hears it
/// only when nobody else has asked anything lately.
#[test]
fn what_a_server_says_later_is_not_told_to_who_has_a_call_under_way() {
    let home = home_with("raw", &["--era", "legacy"]);
    let bob = database::token(&home, "bob");
    let [ann, other] = [(); 2].map(|()| Client::begin(&home, Era::Legacy, &at("raw")));
    let thief = Client::begin_as(&home, Era::Legacy, &at("raw"), &bob);
    let mut to_bob = thief.listen(json!({}));

    // Another session of the same principal is no stranger.
    let mut waiting = other.calling("wait", json!({"ms": 4000}));
    ann.call("log", json!({"later": 500}));
    let (question, before) = waiting.until("a question", |message| !message["id"].is_null());
    assert_eq!(question["method"], "sampling/createMessage", "{question}");
    assert_eq!(before[0]["params"]["data"], "later", "{before:?}");
    let answer = json!({"jsonrpc": "2.0", "id": question["id"], "result": {"told": "by ann"}});
    assert_eq!(other.posted(&answer).send().status, 202);
    waiting.until("the answer", |message| message["result"].is_object());
    eventually("the answer reaches the server", || answers(&ann).contains("by ann"));

    let mut waiting = thief.calling("wait", json!({"ms": 4000}));
    ann.call("log", json!({"later": 500}));
    let (_, before) = waiting.until("the answer", |message| message["result"].is_object());
    assert!(before.is_empty(), "{before:?}");
    eventually("the question is refused", || {
        answers(&ann).contains("sessions: isolated")
    });
    ann.call("change_tools", json!({}));
    assert_eq!(before_news(&mut to_bob), [json!(null); 0]);
}

/// A session whose stream is open hears it only when nobody but its principal has used the copy lately, with a session or without.
#[test]
fn what_a_server_says_later_is_not_told_to_who_only_listens() {
    let home = Home::new().started();
    home.apply(&(raw("raw", &["--era", "legacy"]) + &raw("bobs", &["--era", "legacy"])));
    home.until_ready(&["server/raw", "server/bobs"]);
    let bob = database::token(&home, "bob");

    let alone = Client::begin_as(&home, Era::Legacy, &at("bobs"), &bob);
    let mut to_bob = alone.listen(json!({}));
    alone.call("log", json!({"later": 0}));
    assert_eq!(to_bob.method("notifications/message")["params"]["data"], "later");

    let thief = Client::begin_as(&home, Era::Legacy, &at("raw"), &bob);
    let mut to_bob = thief.listen(json!({}));
    thief.call("echo", json!({}));
    let ann = Client::begin(&home, Era::Modern, &at("raw"));
    ann.call("log", json!({"later": 0}));
    eventually("the question is refused", || {
        answers(&ann).contains("sessions: isolated")
    });
    ann.call("change_tools", json!({}));
    assert_eq!(before_news(&mut to_bob), [json!(null); 0]);
}
