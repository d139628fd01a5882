//! Servers that want something from the client before they answer, in every cell.

use serde_json::{Value, json};

use super::{SERVERS, at, home_with, home_with_all, stats};
use crate::support::client::{Client, ERAS, Era, LEGACY, text_of};
use crate::support::daemon::{Home, eventually};
use crate::support::mcp;

const ASKING: [(&str, &str); 4] = [
    ("ask_elicitation", "elicitation/create"),
    ("ask_sampling", "sampling/createMessage"),
    ("ask_roots", "roots/list"),
    ("ask_unknown", "vendor/ask"),
];

#[test]
fn questions_reach_the_client_and_its_answers_the_server() {
    let (home, _far) = home_with_all(Home::new());
    for server in SERVERS {
        for era in ERAS {
            let client = Client::begin(&home, era, &at(server));
            for (tool, method) in ASKING {
                let answer = json!({"told": format!("{tool} was answered"), "x-own": [1, null]});
                let (questions, told) =
                    client.asked_back("tools/call", json!({"name": tool, "arguments": {}}), &answer);
                let [question] = &questions[..] else {
                    panic!("{server} {era:?} {tool}: {questions:?}");
                };
                assert_eq!(question["method"], method, "{server} {era:?}");
                assert_eq!(
                    question["params"]["x-vendor"]["nested"],
                    json!([null, {"deep": true}]),
                    "{server} {era:?}"
                );
                let said = text_of(&told["result"]);
                assert!(
                    said.contains(&format!("{tool} was answered")),
                    "{server} {era:?}: {said}"
                );
                assert!(said.contains(r#""x-own":[1,null]"#), "{server} {era:?}: {said}");
            }
        }
    }
}

/// A project hands questions on as one server does.
#[test]
fn questions_reach_the_client_of_a_project() {
    let (home, _far) = home_with_all(Home::new());
    for era in ERAS {
        let client = Client::begin(&home, era, "/mcp/projects/all");
        for server in SERVERS {
            let tool = format!("{server}__ask_elicitation");
            let params = json!({"name": tool, "arguments": {}});
            let (questions, told) = client.asked_back("tools/call", params, &json!({"action": "accept"}));
            assert_eq!(questions.len(), 1, "{server} {era:?}");
            assert!(text_of(&told["result"]).contains("accept"), "{server} {era:?}: {told}");
        }
    }
}

/// A client that cannot be asked is not, and everybody is told why.
#[test]
fn a_client_that_cannot_answer_is_not_asked() {
    let (home, _far) = home_with_all(Home::new());
    let call = json!({"name": "ask_sampling", "arguments": {}});
    for server in SERVERS {
        let (client, _) = Client::greeted(&home, &at(server), LEGACY, &json!({"elicitation": {}}));
        let told = client.ask("tools/call", call.clone());
        let refused = told.answer.to_string();
        assert!(told.before.is_empty(), "{server}: {told:?}");
        assert!(refused.contains("cannot answer"), "{server}: {refused}");
        let (questions, _) = client.asked_back(
            "tools/call",
            json!({"name": "ask_elicitation", "arguments": {}}),
            &json!({}),
        );
        assert_eq!(questions.len(), 1, "{server}");

        let request = mcp::request(
            home.address(),
            &at(server),
            "tools/call",
            with_abilities(&call, &json!({})),
        );
        let told = mcp::send(&request.token(&home.token()));
        // One of the newer era has seen what the client can do, and has to know itself.
        if server.ends_with("modern") {
            assert_eq!(
                told.answer["result"]["resultType"], "input_required",
                "{server}: {told:?}"
            );
        } else {
            assert_eq!(
                (told.status, &told.answer["error"]["code"]),
                (400, &json!(-32021)),
                "{server}: {told:?}"
            );
            let required = &told.answer["error"]["data"]["requiredCapabilities"];
            assert_eq!(*required, json!({"sampling": {}}), "{server}: {told:?}");
        }
    }
}

fn with_abilities(params: &Value, abilities: &Value) -> Value {
    let mut params = params.clone();
    params["_meta"] = json!({"io.modelcontextprotocol/clientCapabilities": abilities});
    params
}

/// Who comes back with a state that is not theirs begins anew.
#[test]
fn a_parked_call_is_its_owners_and_used_once() {
    let home = home_with("raw", &["--era", "legacy"]);
    let client = Client::begin(&home, Era::Modern, &at("raw"));
    let mut params = json!({"name": "ask_roots", "arguments": {}});
    let first = client.result("tools/call", params.clone());
    assert_eq!(first["resultType"], "input_required", "{first}");
    let state = first["requestState"].as_str().expect("a state").to_owned();
    params["inputResponses"] = json!({"question": {"roots": []}});
    let mut forged = params.clone();
    forged["requestState"] = json!(format!("{state}0"));
    params["requestState"] = json!(state);
    for (lost, why) in [(forged, "forged"), (params.clone(), "")] {
        let told = client.ask("tools/call", lost);
        match why {
            "" => assert!(text_of(&told.answer["result"]).contains("roots"), "{told:?}"),
            why => assert_eq!(told.answer["error"]["code"], -32602, "{why}: {told:?}"),
        }
    }
    let again = client.ask("tools/call", params);
    assert_eq!(again.answer["error"]["code"], -32602, "used: {again:?}");
}

/// A question that may be any one's is nobody's: it would show what one client does to another.
#[test]
fn a_question_that_may_be_anybodys_is_refused() {
    let home = home_with("raw", &["--era", "legacy"]);
    let (one, other) = (
        Client::begin(&home, Era::Legacy, &at("raw")),
        Client::begin(&home, Era::Legacy, &at("raw")),
    );
    let call = json!({"jsonrpc": "2.0", "id": "long", "method": "tools/call", "params": {"name": "wait"}});
    let request = one.posted(&call);
    let waiting = std::thread::spawn(move || request.send());
    let asks = || other.ask("tools/call", json!({"name": "ask_roots", "arguments": {}}));
    let mut answered = None;
    eventually("the other call is under way", || {
        let (questions, told) = other.asked_back(
            "tools/call",
            json!({"name": "ask_roots", "arguments": {}}),
            &json!({"roots": []}),
        );
        let refused = questions.is_empty();
        answered = refused.then_some(told);
        refused
    });
    let told = answered.expect("an answer").to_string();
    assert!(
        told.contains("sessions: isolated") && told.contains("several calls are under way"),
        "{told}"
    );
    assert!(asks().before.is_empty());
    assert_eq!(one.notify("notifications/cancelled", json!({"requestId": "long"})), 202);
    drop(waiting.join().expect("no panic"));
}

/// A call that its client has given up, and the server never answers, is its principal's like all others: what the server asks
/// then is that principal's, too.
#[test]
fn a_call_that_was_given_up_is_no_obstacle_to_questions() {
    let home = home_with("raw", &["--era", "legacy"]);
    let client = Client::begin(&home, Era::Legacy, &at("raw"));
    let call = json!({"jsonrpc": "2.0", "id": "long", "method": "tools/call", "params": {"name": "wait"}});
    let connection = client.posted(&call).leave();
    let given_up = || stats(&client, "stats")["cancelled"].as_array().map_or(0, Vec::len);
    eventually("the server has given it up", || {
        assert_eq!(
            client.notify("notifications/cancelled", json!({"requestId": "long"})),
            202
        );
        given_up() == 1
    });
    drop(connection);
    for era in ERAS {
        let client = Client::begin(&home, era, &at("raw"));
        let params = json!({"name": "ask_roots", "arguments": {}});
        let (questions, told) = client.asked_back("tools/call", params, &json!({"roots": []}));
        assert_eq!(questions.len(), 1, "{era:?}: {told}");
    }
}
