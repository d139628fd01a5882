//! Agents as tools of their project: for clients of the gateway, and for one another.

use orch_shared::resource::Timestamp;
use serde_json::{Value, json};

use super::{home_with, scripted, scripted_with, text};
use crate::e2e::manifest;
use crate::support::client::{Client, ERAS, Era, text_of};
use crate::support::daemon::{Home, eventually};

/// An agent of the project `p` that thinks with a model of its own name.
fn agent(name: &str, script: &Value, more: Value) -> String {
    let mut spec = json!({"llm": name, "project": "p", "description": format!("Does what {name} does")});
    super::extend(&mut spec, more);
    scripted(name, script) + &manifest("Agent", name, &spec)
}

fn asks(other: &str, then: &str) -> Value {
    json!([{"toolCalls": [{"name": format!("agent__{other}"), "arguments": {"message": "help"}}]}, {"text": then}])
}

#[test]
fn an_agent_is_a_tool_of_its_project() {
    let script = json!([{"toolCalls": [{"name": "raw__echo"}]}, {"text": "first"}, {"text": "second"}]);
    let (home, _far) = home_with(&agent("helper", &script, json!({})));
    for era in ERAS {
        let client = Client::begin(&home, era, "/mcp/projects/p");
        let tools = client.result("tools/list", json!({}));
        let tool = tools["tools"]
            .as_array()
            .expect("tools")
            .iter()
            .find(|tool| tool["name"] == "agent__helper");
        let tool = tool.expect("it is there");
        assert!(
            text(&tool["description"]).starts_with("Does what helper does"),
            "{tool}"
        );
        assert_eq!(tool["inputSchema"]["required"], json!(["message"]));
        let result = client.call("agent__helper", json!({"message": "go"}));
        assert_eq!(text_of(&result), "first");
        let thread = text(&result["_meta"]["threadId"]).to_owned();
        let result = client.call("agent__helper", json!({"message": "go on", "threadId": thread}));
        assert_eq!(
            (text_of(&result).as_str(), &result["_meta"]["threadId"]),
            ("second", &json!(thread))
        );
        // It is a thread like any other, of whoever calls.
        assert_eq!(super::messages(&home, &thread).len(), 6);
        let refused = client.call("agent__helper", json!({"message": "x", "threadId": "none"}));
        assert_eq!(refused["isError"], true, "{refused}");
        let refused = client.call("agent__helper", json!({}));
        assert_eq!(refused["isError"], true, "{refused}");
        let unknown = client.ask(
            "tools/call",
            json!({"name": "agent__nobody", "arguments": {"message": "x"}}),
        );
        assert_eq!(unknown.answer["error"]["code"], -32602, "{unknown:?}");
    }
    // One server alone has no agents.
    let client = Client::begin(&home, Era::Legacy, "/mcp/servers/raw");
    assert!(!client.names("tools/list").contains(&"agent__helper".to_owned()));
}

#[test]
fn agents_work_for_one_another() {
    let home = Home::new().started();
    home.apply(
        &[
            manifest("Project", "p", &json!({})),
            agent("first", &asks("second", "the first is done"), json!({})),
            agent("second", &asks("third", "the second is done"), json!({})),
            agent("third", &json!([{"text": "the third is done"}]), json!({})),
            agent("elsewhere", &json!([{"text": "x"}]), json!({"project": null})),
        ]
        .concat(),
    );
    let said = super::post(&home, "agents/first/chat", &json!({"message": "go"}))
        .send()
        .expect(200)
        .json();
    assert_eq!(text(&said["assistant"]), "the first is done");
    // What the others took counts for the one that they work for.
    assert_eq!(
        (&said["usage"]["toolCalls"], &said["usage"]["iterations"]),
        (&json!(2), &json!(2))
    );
    let told = super::messages(&home, text(&said["threadId"]));
    let result = text(&told[2]["text"]);
    assert!(result.starts_with("the second is done\n\n[threadId: "), "{result}");
    assert_eq!(told[1]["toolCalls"][0]["server"], "agent");
    let offered = home.get("agents/first/tools");
    let names: Vec<&str> = offered["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|tool| text(&tool["name"]))
        .collect();
    assert_eq!(names, ["agent__second", "agent__third"]);
    // Allow-lists hold for agents as well.
    home.apply(&manifest(
        "Agent",
        "first",
        &json!({"llm": "first", "project": "p", "tools": {"allow": ["agent__third"]}}),
    ));
    assert_eq!(
        home.get("agents/first/tools")["items"].as_array().map(Vec::len),
        Some(1)
    );
}

#[test]
fn agents_do_not_work_for_one_another_without_end() {
    let home = Home::new().started();
    // Each asks the next one, and the last would ask the first again.
    let mut manifests = manifest("Project", "p", &json!({}));
    for number in 0..6 {
        let next = (number + 1) % 6;
        manifests += &agent(
            &format!("a{number}"),
            &asks(&format!("a{next}"), &format!("a{number} is done")),
            json!({}),
        );
    }
    // And two ask each other.
    manifests += &agent("ping", &asks("pong", "ping is done"), json!({}));
    manifests += &agent("pong", &asks("ping", "pong is done"), json!({}));
    home.apply(&manifests);
    let said = super::post(&home, "agents/a0/chat", &json!({"message": "go"}))
        .send()
        .expect(200)
        .json();
    assert_eq!(text(&said["assistant"]), "a0 is done");
    for number in 0..6 {
        let threads = home.get(&format!("agents/a{number}/threads"));
        let count = threads["items"].as_array().map_or(0, Vec::len);
        assert_eq!(count, usize::from(number < 4), "a{number}");
    }
    let said = super::post(&home, "agents/ping/chat", &json!({"message": "go"}))
        .send()
        .expect(200)
        .json();
    assert_eq!(text(&said["assistant"]), "ping is done");
    assert_eq!(
        home.get("agents/ping/threads")["items"].as_array().map(Vec::len),
        Some(1)
    );
    let pong = home.get("agents/pong/threads");
    let told = super::messages(&home, text(&pong["items"][0]["id"]));
    assert!(
        text(&told[2]["text"]).contains("there is no tool agent__ping"),
        "{told:?}"
    );
}

#[test]
fn what_was_asked_for_says_by_whom_and_ends_with_that() {
    let mut home = Home::new().started();
    home.apply(
        &[
            manifest("Project", "p", &json!({})),
            agent("first", &asks("second", "the first is done"), json!({})),
            agent("second", &asks("third", "the second is done"), json!({})),
            agent("third", &json!([{"text": "too late", "delay": "600s"}]), json!({})),
        ]
        .concat(),
    );
    let newest = |home: &Home, agent: &str| home.get(&format!("agents/{agent}/threads"))["items"][0].clone();
    for (how, ends) in [("resume", "complete"), ("cancel", "cancelled"), ("delete", "")] {
        let connection = super::post(&home, "agents/first/chat", &json!({"message": "go"})).leave();
        eventually("the last one works", || {
            newest(&home, "third")["lastTurn"]["state"] == "pending"
        });
        home.kill_9();
        home.start();
        drop(connection);
        let [first, second, third] = ["first", "second", "third"].map(|agent| newest(&home, agent));
        for (asked, by) in [(&second, &first), (&third, &second)] {
            assert_eq!(asked["lastTurn"]["state"], "interrupted", "{asked}");
            assert_eq!(asked["lastTurn"]["askedBy"], json!({"thread": by["id"], "turn": 1}));
        }
        assert_eq!(first["lastTurn"].get("askedBy"), None);
        let told = home
            .orchctl(&["get", "threads", "--agent", "second", "-o", "wide"])
            .expect(0);
        assert!(
            told.stdout.contains(&format!("{} turn 1", text(&first["id"]))),
            "{}",
            told.stdout
        );
        // Nobody goes on with what they have asked for, once it is known what becomes of themselves.
        let path = format!("/api/v1/threads/{}", text(&first["id"]));
        match how {
            "delete" => drop(home.http("DELETE", &path).send().expect(204)),
            how => {
                let ended = home.http("POST", &format!("{path}/{how}")).json(&json!({}));
                ended.send().expect(200);
                assert_eq!(newest(&home, "first")["lastTurn"]["state"], ends);
            }
        }
        for (agent, by) in [("second", &first), ("third", &second)] {
            let turn = newest(&home, agent)["lastTurn"].clone();
            assert_eq!(turn["state"], "cancelled", "{how}: {turn}");
            let problem = &turn["problem"];
            let why = text(&problem["detail"]);
            assert!(why.contains(text(&by["id"])) && why.contains("without it"), "{why}");
            assert_eq!(
                (&problem["status"], &problem["title"]),
                (&json!(409), &json!("the turn was cancelled"))
            );
            // Nobody has noted when it was killed: it was under way until it was given up.
            let millis = |name: &str| {
                let at: Timestamp = serde_json::from_value(turn[name].clone()).expect("an instant");
                at.millis()
            };
            let took = millis("endedAt") - millis("beganAt");
            assert!(took > 0 && turn["usage"]["tookMs"] == took, "{turn}");
        }
        // There is nothing left to go on with.
        let refused = super::post(&home, &format!("threads/{}/resume", text(&second["id"])), &json!({})).send();
        assert_eq!(refused.expect(409).code(), "ORCH3023");
    }
}

#[test]
fn what_is_left_of_a_budget_is_all_that_others_have() {
    let home = Home::new().started();
    let twice = json!([{"toolCalls": [{"name": "agent__third", "arguments": {"message": "x"}}, {"name": "agent__third", "arguments": {"message": "x"}}]}, {"text": "done"}]);
    home.apply(
        &[
            manifest("Project", "p", &json!({})),
            agent(
                "first",
                &asks("second", "the first is done"),
                json!({"budget": {"toolCalls": 2}}),
            ),
            agent("second", &twice, json!({})),
            agent("third", &json!([{"text": "the third is done"}]), json!({})),
        ]
        .concat(),
    );
    let said = super::post(&home, "agents/first/chat", &json!({"message": "go"}))
        .send()
        .expect(200)
        .json();
    let told = super::messages(&home, text(&said["threadId"]));
    assert_eq!(told[2]["result"]["state"], "error");
    assert!(text(&told[2]["text"]).contains("budget.toolCalls"), "{told:?}");
    assert_eq!(home.get("agents/third/threads")["items"], json!([]));
    // By itself it may.
    super::post(&home, "agents/second/chat", &json!({"message": "go"}))
        .send()
        .expect(200);
}

#[test]
fn a_server_called_agent_is_in_nobodys_way() {
    let home = Home::new().started();
    home.apply(
        &[
            manifest("Server", "agent", &json!({"command": ["orch-fixture"]})),
            manifest("Project", "p", &json!({"servers": ["agent"]})),
            agent("echo", &json!([{"text": "the agent"}]), json!({})),
        ]
        .concat(),
    );
    home.until_ready(&["server/agent"]);
    let client = Client::begin(&home, Era::Legacy, "/mcp/projects/p");
    let names = client.names("tools/list");
    assert!(
        names.contains(&"agent__echo".to_owned()) && names.contains(&"agent-server__echo".to_owned()),
        "{names:?}"
    );
    assert_eq!(
        text_of(&client.call("agent__echo", json!({"message": "x"}))),
        "the agent"
    );
    assert_eq!(client.said("agent-server__echo", json!({"a": 1})), "{\"a\":1}");
}

#[test]
fn progress_is_told_and_a_cancelled_call_ends_the_turn() {
    let script = json!([{"toolCalls": [{"name": "raw__wait", "arguments": {"ms": 1200}}]}, {"text": "done"}]);
    let (home, far) = home_with(&agent("helper", &script, json!({})));
    let client = Client::begin(&home, Era::Legacy, "/mcp/projects/p");
    let params = json!({"name": "agent__helper", "arguments": {"message": "go"}, "_meta": {"progressToken": "t"}});
    let mut stream = client.request("tools/call", params).stream();
    let (mut told, mut last) = (Vec::new(), Value::Null);
    while let Some(line) = stream.line() {
        let Some(data) = line.strip_prefix("data: ").filter(|data| !data.is_empty()) else {
            continue;
        };
        let message: Value = serde_json::from_str(data).expect("JSON");
        match message["method"].as_str() {
            Some("notifications/progress") => told.push(text(&message["params"]["message"]).to_owned()),
            Some(_) => {}
            None => last = message,
        }
    }
    assert_eq!(told, ["calls raw__wait", "raw__wait: complete"]);
    assert_eq!(last["result"]["content"][0]["text"], "done", "{last}");
    home.apply(&scripted_with(
        "helper",
        &json!([{"toolCalls": [{"name": "raw__wait", "arguments": {"ms": 600_000}}]}, {"text": "done"}]),
        json!({}),
    ));
    let before = super::calls(&far);
    let request = client.posted(&json!({"jsonrpc": "2.0", "id": "slow", "method": "tools/call",
        "params": {"name": "agent__helper", "arguments": {"message": "go"}}}));
    let _waiting = request.leave();
    eventually("the tool is called", || super::calls(&far) > before);
    client.notify("notifications/cancelled", json!({"requestId": "slow"}));
    eventually("the turn is cancelled", || {
        let threads = home.get("agents/helper/threads");
        threads["items"][0]["lastTurn"]["state"] == "cancelled"
    });
}

/// What it may still use and who stands in the row before it is known to the turn that has asked for it.
#[test]
fn a_turn_that_works_for_another_one_is_not_resumed_by_itself() {
    let late = json!([{"text": "the second is done", "delay": "3s"}]);
    let mut home = Home::new().started();
    home.apply(
        &[
            manifest("Project", "p", &json!({})),
            agent("first", &asks("second", "the first is done"), json!({})),
            agent("second", &late, json!({})),
        ]
        .concat(),
    );
    let _waiting = super::post(&home, "agents/first/chat", &json!({"message": "go"})).leave();
    let thread = |home: &Home, agent: &str| {
        let threads = home.get(&format!("agents/{agent}/threads"));
        threads["items"][0]["id"].as_str().map(str::to_owned)
    };
    eventually("the second is at work", || thread(&home, "second").is_some());
    home.kill_9();
    home.start();
    let (first, second) = (thread(&home, "first"), thread(&home, "second"));
    let (first, second) = (first.expect("a thread"), second.expect("a thread"));
    assert_eq!(super::state(&home, &second), "interrupted");
    let resume = |thread: &str| super::post(&home, &format!("threads/{thread}/resume"), &json!({})).send();
    let refused = resume(&second).expect(409);
    assert_eq!(refused.code(), "ORCH3023");
    assert!(
        refused.body.contains(&format!("POST /api/v1/threads/{first}/resume")),
        "{}",
        refused.body
    );
    assert_eq!(super::state(&home, &second), "interrupted");
    assert_eq!(
        text(&resume(&first).expect(200).json()["assistant"]),
        "the first is done"
    );
}

#[test]
fn what_costs_in_another_currency_is_not_spent_unseen() {
    let home = Home::new().started();
    let priced = |name: &str, script: &Value, currency: &str, more: Value| {
        let pricing = json!({"inputPerMillion": 1000.0, "outputPerMillion": 1000.0, "currency": currency});
        let spec = json!({"llm": name, "project": "p", "description": "Helps"});
        let mut spec = spec;
        super::extend(&mut spec, more);
        scripted_with(name, script, json!({"pricing": pricing})) + &manifest("Agent", name, &spec)
    };
    let helped = json!([{"text": "helped"}]);
    home.apply(
        &[
            manifest("Project", "p", &json!({})),
            priced(
                "first",
                &asks("second", "done"),
                "USD",
                json!({"budget": {"cost": 100.0}}),
            ),
            priced("second", &helped, "EUR", json!({})),
        ]
        .concat(),
    );
    let go = || super::post(&home, "agents/first/chat", &json!({"message": "go"})).send();
    let result = |said: &Value| text(&super::messages(&home, text(&said["threadId"]))[2]["text"]).to_owned();
    let refused = result(&go().expect(200).json());
    assert!(
        refused.contains("the turn costs in USD and would in EUR") && refused.contains("ORCH6042"),
        "{refused}"
    );
    assert_eq!(home.get("agents/second/threads")["items"], json!([]));
    // In one currency it counts, and says what was spent.
    home.apply(&priced("second", &helped, "USD", json!({})));
    assert!(result(&go().expect(200).json()).starts_with("helped"));
    home.apply(&priced(
        "first",
        &asks("second", "done"),
        "USD",
        json!({"budget": {"cost": 0.000_001}}),
    ));
    let refused = go().expect(402);
    assert_eq!(refused.code(), "ORCH6042");
    let detail = text(&refused.json()["detail"]).to_owned();
    let spent = detail
        .strip_prefix("the turn has cost ")
        .and_then(|rest| rest.split_once(" USD, and may cost 0.000001 USD"));
    let spent: f64 = spent.expect("what was spent").0.parse().expect("a number");
    assert!(spent > 0.001, "{detail}");
    // Where nothing bounds the cost, they may be of different ones.
    home.apply(
        &(priced("first", &asks("second", "done"), "USD", json!({})) + &priced("second", &helped, "EUR", json!({}))),
    );
    assert!(result(&go().expect(200).json()).starts_with("helped"));
}
