//! Tools that agents call: which there are, how they are called, and what a turn may use.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{agent, brief, calls, chat, events, home_with, messages, say, scripted, scripted_with, text};
use crate::support::daemon::Home;

fn call(tool: &str, arguments: Value) -> Value {
    json!({"name": format!("raw__{tool}"), "arguments": arguments})
}

/// A script that calls these tools, all at once, and then ends.
fn calling(wanted: &[Value]) -> Value {
    json!([{"toolCalls": wanted}, {"text": "done"}])
}

fn results(home: &Home, thread: &str) -> Vec<Value> {
    let told = messages(home, thread).into_iter();
    told.filter(|message| message["role"] == "tool").collect()
}

#[test]
fn tools_of_one_answer_are_called_at_once() {
    let script = calling(&[
        call("wait", json!({"ms": 1500})),
        call("wait", json!({"ms": 1400})),
        call("echo", json!({})),
    ]);
    let (home, far) = home_with(&(scripted("m", &script) + &agent(json!({}))));
    let answer = chat(&home, &json!({"message": "go", "stream": true})).expect(200);
    let told = events(&answer);
    // All are begun before the first has ended, and they end as they are done.
    let names: Vec<&str> = told.iter().map(|(name, _)| name.as_str()).collect();
    let at = |wanted: &str| names.iter().position(|name| *name == wanted).expect("it is there");
    let last_call = names
        .iter()
        .rposition(|name| *name == "tool_call")
        .expect("it is there");
    assert!(last_call < at("tool_result"), "{names:?}");
    let ended: Vec<&Value> = told
        .iter()
        .filter(|(name, _)| name == "tool_result")
        .map(|(_, data)| data)
        .collect();
    assert_eq!(ended[0]["name"], "raw__echo");
    let (_, last) = told.last().expect("an end");
    let results = results(&home, text(&last["threadId"]));
    let ids: Vec<&str> = results.iter().map(|result| text(&result["result"]["id"])).collect();
    assert_eq!(
        ids,
        ["call_0_0", "call_0_1", "call_0_2"],
        "they are kept in their order"
    );
    assert_eq!(calls(&far), 3);
}

#[test]
fn what_fails_is_told_to_the_model() {
    let script = calling(&[
        call("fail", json!({})),
        call("nothing", json!({})),
        json!({"name": "elsewhere__tool"}),
        call("wait", json!({"ms": 600_000})),
        call("ask_sampling", json!({})),
        call("big", json!({"bytes": 100_000})),
    ]);
    let (home, far) = home_with(&(scripted("m", &script) + &agent(json!({"toolTimeout": "1s"}))));
    let said = say(&home, "go");
    assert_eq!(text(&said["assistant"]), "done");
    let results = results(&home, text(&said["threadId"]));
    let told = |place: usize| (text(&results[place]["result"]["state"]), text(&results[place]["text"]));
    assert_eq!(told(0), ("error", "failed because it was asked to"));
    for (place, part) in [
        (1, "there is no tool raw__nothing"),
        (2, "there is no tool elsewhere__tool"),
        (3, "no answer within 1 s"),
        (4, "sampling/createMessage"),
    ] {
        let (state, text) = told(place);
        assert!(state == "error" && text.contains(part), "{place}: {state} {text}");
    }
    let (state, big) = told(5);
    assert!(state == "complete" && big.ends_with("[34464 of 100000 bytes of the result were left out]"));
    assert_eq!(results[5]["result"]["leftOut"], 34464);
    // What is not there is not asked for.
    assert_eq!(calls(&far), 4);
}

#[test]
fn an_agent_calls_what_it_is_allowed_to() {
    let script = calling(&[call("echo", json!({})), call("fail", json!({}))]);
    let (home, far) =
        home_with(&(scripted("m", &script) + &agent(json!({"tools": {"allow": ["raw__e*", "raw__s*"]}}))));
    let offered = home.get("agents/a/tools");
    let names: Vec<&str> = offered["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(|tool| text(&tool["name"]))
        .collect();
    assert_eq!(names, ["raw__echo", "raw__stats"]);
    let said = say(&home, "go");
    let results = results(&home, text(&said["threadId"]));
    let states: Vec<&str> = results.iter().map(|result| text(&result["result"]["state"])).collect();
    assert_eq!((states, calls(&far)), (vec!["complete", "error"], 1));
    // By the names that servers and tools have themselves, whatever a model sees.
    let server = json!({"remote": {"url": far.url("/mcp")}, "tools": {"prefix": "other"}});
    home.apply(&crate::e2e::manifest("Server", "raw", &server));
    crate::support::daemon::eventually("the tools have another name", || {
        let offered = home.get("agents/a/tools");
        offered["items"][0]["name"] == "other__echo" && offered["items"][0]["server"] == "raw"
    });
    // The status counts them.
    crate::support::daemon::eventually("the tools are counted", || {
        home.get("agents/a")["status"]["tools"] == json!({"count": 2, "servers": ["raw"]})
    });
}

#[test]
fn a_model_that_never_ends_is_ended() {
    let forever = json!([{"toolCalls": [call("echo", json!({}))]}]);
    let (home, far) = home_with(&(scripted("m", &forever) + &agent(json!({"maxIterations": 3}))));
    let refused = chat(&home, &json!({"message": "go"})).expect(422);
    assert_eq!(refused.code(), "ORCH6041");
    assert!(refused.body.contains("exceeded 3"), "{}", refused.body);
    assert_eq!(calls(&far), 2, "what the last answer wants could be told to nobody");
    let thread = refused.header("x-orch-thread").expect("the thread").to_owned();
    assert_eq!(super::state(&home, &thread), "error");
    // The thread goes on, and makes sense to the model.
    home.apply(&scripted(
        "m",
        &json!([{"text": "a"}, {"text": "b"}, {"text": "c"}, {"text": "well"}]),
    ));
    assert_eq!(text(&super::say_in(&home, &thread, "now")["assistant"]), "well");
    for (declared, effective) in [(0, 1), (51, 50), (7, 7)] {
        home.apply(&agent(json!({"maxIterations": declared})));
        let refused = scripted("m", &forever);
        home.apply(&refused);
        if effective < 10 {
            let refused = chat(&home, &json!({"message": "go"})).expect(422);
            assert!(
                refused.body.contains(&format!("exceeded {effective}:")),
                "{}",
                refused.body
            );
        }
    }
}

#[test]
fn a_turn_uses_what_it_may() {
    let two = calling(&[call("echo", json!({})), call("echo", json!({}))]);
    let pricing = json!({"pricing": {"inputPerMillion": 1000.0, "outputPerMillion": 1000.0}});
    let (home, far) = home_with(&(scripted_with("m", &two, pricing) + &agent(json!({}))));
    let said = say(&home, "go");
    assert!(said["usage"]["cost"]["nanos"].as_i64() > Some(0), "{said}");
    let before = calls(&far);
    for (budget, part) in [
        (json!({"toolCalls": 1}), "budget.toolCalls"),
        (json!({"tokens": 3}), "budget.tokens"),
        (json!({"cost": 0.000_001}), "budget.cost"),
    ] {
        home.apply(&agent(json!({"budget": budget})));
        let refused = chat(&home, &json!({"message": "go"})).expect(402);
        assert_eq!(refused.code(), "ORCH6042", "{budget}");
        assert!(refused.body.contains(part), "{}", refused.body);
    }
    assert_eq!(calls(&far), before, "nothing was called beyond a budget");
    home.apply(&agent(
        json!({"budget": {"toolCalls": 2, "tokens": 1_000_000, "cost": 100.0}}),
    ));
    say(&home, "go");
    // Time counts while it is waited, too, and what is under way then is told as that.
    home.apply(
        &(scripted("m", &calling(&[call("wait", json!({"ms": 600_000}))]))
            + &agent(json!({"budget": {"wallTime": "2s"}}))),
    );
    let refused = chat(&home, &json!({"message": "go"})).expect(402);
    assert!(refused.body.contains("budget.wallTime"), "{}", refused.body);
    let thread = refused.header("x-orch-thread").expect("the thread");
    assert_eq!(
        brief(&home, thread),
        ["user: go", "assistant calls 1", "tool cancelled"]
    );
}

#[test]
fn a_server_that_is_isolated_gives_a_turn_a_copy_of_its_own() {
    let home = Home::new().started();
    let script = calling(&[json!({"name": "own__stats"}), json!({"name": "own__stats"})]);
    let server = json!({"command": ["orch-raw", "--era", "legacy"], "sessions": "isolated", "replicas": 1});
    home.apply(
        &[
            crate::e2e::manifest("Server", "own", &server),
            crate::e2e::manifest("Project", "p", &json!({"servers": ["own"], "gated": true})),
            scripted("m", &script),
            agent(json!({})),
        ]
        .concat(),
    );
    home.until_ready(&["server/own"]);
    let mut seen = Vec::new();
    for _ in 0..2 {
        let said = say(&home, "go");
        let results = results(&home, text(&said["threadId"]));
        let pids: Vec<Value> = results
            .iter()
            .map(|result| serde_json::from_str::<Value>(text(&result["text"])).expect("JSON")["pid"].clone())
            .collect();
        assert_eq!(pids[0], pids[1], "one copy for one turn");
        seen.push(pids[0].clone());
    }
    assert_ne!(seen[0], seen[1], "another copy for another turn");
    crate::support::daemon::eventually("the copies are given back", || {
        let copies = crate::e2e::copies(&home, "own");
        copies.iter().all(|copy| copy["spec"]["session"].is_null())
    });
}

#[test]
fn a_server_that_rests_is_woken() {
    let home = Home::new().started();
    let server = json!({"command": ["orch-fixture"], "idle": {"suspendAfter": "1s"}});
    home.apply(
        &[
            crate::e2e::manifest("Server", "rest", &server),
            crate::e2e::manifest("Project", "p", &json!({"servers": ["rest"]})),
            scripted("m", &calling(&[json!({"name": "rest__echo", "arguments": {"a": "b"}})])),
            agent(json!({})),
        ]
        .concat(),
    );
    home.until_ready(&["server/rest"]);
    crate::support::daemon::eventually("it rests", || {
        home.get("servers/rest")["status"]["phase"] == "Suspended"
    });
    let said = say(&home, "go");
    let results = results(&home, text(&said["threadId"]));
    assert_eq!(text(&results[0]["text"]), "{\"a\":\"b\"}");
}

/// A limit of the model that a turn meets in the middle, after its tools had effects.
#[test]
fn a_turn_waits_for_its_model() {
    let script = calling(&[call("echo", json!({}))]);
    let limited = |often: u32| scripted_with("m", &script, json!({"limits": {"requestsPerMinute": often}}));
    let (home, far) = home_with(&(limited(20) + &agent(json!({}))));
    // All but one are used up; another one comes every three seconds.
    let used = json!({"model": "m", "messages": [{"role": "user", "content": "hello"}]});
    for _ in 0..19 {
        home.http("POST", "/v1/chat/completions").json(&used).send().expect(200);
    }
    let said = say(&home, "go");
    assert!(said["usage"]["tookMs"].as_i64() > Some(900), "{said}");
    assert_eq!((&said["usage"]["iterations"], calls(&far)), (&json!(2), 1));
    // Whoever has just begun is told at once.
    let began = Instant::now();
    let used_up = || home.http("POST", "/v1/chat/completions").json(&used).send().status == 429;
    while !used_up() {}
    let refused = chat(&home, &json!({"message": "go"})).expect(429);
    assert_eq!(refused.code(), "ORCH4004");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());

    // Where that would take too long, the turn can be gone on with later, and no tool is called again.
    home.apply(&(limited(1) + &agent(json!({"budget": {"wallTime": "10s"}}))));
    let refused = chat(&home, &json!({"message": "go"})).expect(429);
    let thread = refused.header("x-orch-thread").expect("the thread");
    assert!(refused.header("retry-after").is_some(), "{refused:?}");
    assert!(
        refused.body.contains(&format!("threads/{thread}/resume")),
        "{}",
        refused.body
    );
    assert_eq!(super::state(&home, thread), "interrupted");
    assert_eq!(brief(&home, thread), ["user: go", "assistant calls 1", "tool complete"]);
    let command = home.orchctl(&["chat", "a", "--thread", thread, "--resume"]);
    assert!(
        command.code > 0
            && command
                .stderr
                .contains(&format!("orchctl chat a --thread {thread} --resume")),
        "{}",
        command.stderr
    );
    home.apply(&limited(1000));
    let resumed = super::post(&home, &format!("threads/{thread}/resume"), &json!({})).send();
    resumed.expect(200);
    assert_eq!(calls(&far), 2);
    assert_eq!(brief(&home, thread).len(), 4);
}
