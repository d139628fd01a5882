//! What becomes of a turn that is disturbed: the daemon is killed or stopped, the client goes away, somebody cancels it.

use serde_json::{Value, json};

use super::{agent, brief, calls, chat, events, home_with, post, say_in, scripted, state, text, the_thread};
use crate::e2e::manifest;
use crate::support::daemon::{Home, eventually};
use crate::support::far::Far;
use crate::support::http::Request;

fn call(tool: &str, arguments: Value) -> Value {
    json!({"name": format!("raw__{tool}"), "arguments": arguments})
}

/// A tool is called, and the model takes its time before and after.
fn slow(before: &str, tool: &Value, after: &str) -> Value {
    json!([{"toolCalls": [tool], "delay": before}, {"text": "done", "delay": after}])
}

/// Begins a turn that nobody waits for, and waits until the thread is there.
fn begun(home: &Home) -> (std::net::TcpStream, String) {
    let connection = post(home, "agents/a/chat", &json!({"message": "go"})).leave();
    let mut thread = None;
    eventually("the turn has begun", || {
        thread = the_thread(home);
        thread.is_some()
    });
    (connection, thread.expect("a thread"))
}

fn killed(home: &mut Home) {
    home.kill_9();
    home.start();
}

/// Has the thread gone on with.
#[track_caller]
fn resumed(home: &Home, thread: &str) -> Value {
    post(home, &format!("threads/{thread}/resume"), &json!({}))
        .send()
        .expect(200)
        .json()
}

#[test]
fn a_daemon_that_is_killed_before_the_model_answers() {
    let (mut home, far) = home_with(&(scripted("m", &slow("3s", &call("echo", json!({})), "0s")) + &agent(json!({}))));
    let (_connection, thread) = begun(&home);
    killed(&mut home);
    assert_eq!(
        (state(&home, &thread).as_str(), brief(&home, &thread)),
        ("interrupted", vec!["user: go".to_owned()])
    );
    let said = resumed(&home, &thread);
    assert_eq!((text(&said["assistant"]), &said["turn"]), ("done", &json!(1)));
    assert_eq!(calls(&far), 1);
    assert_eq!(
        brief(&home, &thread),
        ["user: go", "assistant calls 1", "tool complete", "assistant: done"]
    );
    // It is complete now, and cannot be resumed again.
    let refused = post(&home, &format!("threads/{thread}/resume"), &json!({}))
        .send()
        .expect(409);
    assert_eq!(refused.code(), "ORCH3023");
}

#[test]
fn a_daemon_that_is_killed_while_a_tool_is_called() {
    let script = slow("0s", &call("wait", json!({"ms": 600_000})), "0s");
    let (mut home, far) = home_with(&(scripted("m", &script) + &agent(json!({}))));
    let (_connection, thread) = begun(&home);
    eventually("the tool is called", || calls(&far) == 1);
    assert_eq!(brief(&home, &thread), ["user: go", "assistant calls 1", "tool pending"]);
    killed(&mut home);
    assert_eq!(state(&home, &thread), "interrupted");
    let said = resumed(&home, &thread);
    assert_eq!(text(&said["assistant"]), "done");
    assert_eq!(calls(&far), 1, "it is not called again");
    let told = super::messages(&home, &thread);
    assert_eq!(told[2]["result"]["state"], "unknown");
    assert!(
        text(&told[2]["text"]).contains("not known whether it took effect"),
        "{}",
        told[2]
    );
}

#[test]
fn a_daemon_that_is_killed_after_the_tool_has_answered() {
    let (mut home, far) = home_with(&(scripted("m", &slow("0s", &call("echo", json!({})), "3s")) + &agent(json!({}))));
    let (_connection, thread) = begun(&home);
    eventually("the tool has answered", || {
        brief(&home, &thread).last().is_some_and(|last| last == "tool complete")
    });
    killed(&mut home);
    // Twice, before the last answer.
    let waiting = post(&home, &format!("threads/{thread}/resume"), &json!({})).leave();
    eventually("it goes on", || state(&home, &thread) == "pending");
    killed(&mut home);
    drop(waiting);
    let streamed = post(&home, &format!("threads/{thread}/resume"), &json!({"stream": true}))
        .send()
        .expect(200);
    let (name, last) = events(&streamed).pop().expect("an end");
    assert_eq!((name.as_str(), &last["assistant"]), ("final", &json!("done")));
    assert_eq!(calls(&far), 1);
    assert_eq!(last["usage"]["toolCalls"], 1);
}

#[test]
fn a_turn_that_was_interrupted_is_given_up_by_saying_something_new() {
    let (mut home, far) =
        home_with(&(scripted("m", &slow("0s", &call("wait", json!({"ms": 600_000})), "0s")) + &agent(json!({}))));
    let (_connection, thread) = begun(&home);
    eventually("the tool is called", || calls(&far) == 1);
    killed(&mut home);
    let said = say_in(&home, &thread, "something else");
    assert_eq!((&said["turn"], text(&said["assistant"])), (&json!(2), "done"));
    let turns = home.get(&format!("threads/{thread}/messages"));
    assert_eq!(turns["turns"][0]["state"], "cancelled");
    assert_eq!(brief(&home, &thread)[2], "tool unknown");
    assert_eq!(calls(&far), 1);
}

#[test]
fn a_daemon_that_is_stopped_leaves_turns_that_can_be_resumed() {
    let (mut home, far) = home_with(&(scripted("m", &slow("0s", &call("echo", json!({})), "5s")) + &agent(json!({}))));
    let mut stream = post(
        &home,
        "agents/a/chat",
        &json!({"message": "go", "stream": true, "detach": true}),
    )
    .stream();
    while stream.line().is_some_and(|line| line != "event: tool_result") {}
    assert_eq!(home.stop(), 0);
    home.start();
    let thread = the_thread(&home).expect("a thread");
    assert_eq!(state(&home, &thread), "interrupted");
    assert_eq!(text(&resumed(&home, &thread)["assistant"]), "done");
    assert_eq!(calls(&far), 1);
}

#[test]
fn a_client_that_goes_away_ends_its_turn_unless_it_says_otherwise() {
    let script = slow("0s", &call("wait", json!({"ms": 600_000})), "0s");
    let (home, far) = home_with(&(scripted("m", &script) + &agent(json!({}))));
    for body in [json!({"message": "go"}), json!({"message": "go", "stream": true})] {
        let before = calls(&far);
        let connection = post(&home, "agents/a/chat", &body).leave();
        eventually("the tool is called", || calls(&far) == before + 1);
        let thread = the_thread(&home).expect("a thread");
        drop(connection);
        eventually("the turn is cancelled", || state(&home, &thread) == "cancelled");
        assert_eq!(
            brief(&home, &thread),
            ["user: go", "assistant calls 1", "tool cancelled"]
        );
        // The server was told, and the thread goes on.
        eventually("the server knows that nobody waits", || {
            cancelled(&far) as u64 == before + 1
        });
        assert_eq!(text(&say_in(&home, &thread, "now")["assistant"]), "done");
    }
    home.apply(&scripted("m", &slow("0s", &call("wait", json!({"ms": 1500})), "0s")));
    let connection = post(&home, "agents/a/chat", &json!({"message": "go", "detach": true})).leave();
    let before = calls(&far);
    eventually("the tool is called", || {
        calls(&far) > before || the_thread(&home).is_some_and(|thread| brief(&home, &thread).len() > 1)
    });
    let thread = the_thread(&home).expect("a thread");
    drop(connection);
    eventually("the turn is complete without its client", || {
        state(&home, &thread) == "complete"
    });
}

/// How many calls the server was told that nobody waits for.
fn cancelled(far: &Far) -> usize {
    let address = far.url("").trim_start_matches("http://").parse().expect("an address");
    let stats = Request::new(address, "GET", "/stats").send().expect(200).json();
    stats["cancelled"].as_array().map_or(0, Vec::len)
}

#[test]
fn a_client_that_goes_away_ends_the_request_to_the_model() {
    let far = Far::start("orch-model", "--http", &[]);
    let home = Home::new().started();
    let spec = json!({"provider": "openai-compatible", "model": "slow.200.chunks.200", "url": far.url("")});
    home.apply(&(manifest("Llm", "m", &spec) + &agent(json!({"project": null}))));
    let mut stream = post(&home, "agents/a/chat", &json!({"message": "go", "stream": true})).stream();
    while stream.line().is_some_and(|line| line != "event: text") {}
    drop(stream);
    let under_way = || {
        let address = far.url("").trim_start_matches("http://").parse().expect("an address");
        Request::new(address, "GET", "/seen").send().expect(200).json()["underWay"].clone()
    };
    eventually("nobody asks the model any more", || under_way() == 0);
    let thread = the_thread(&home).expect("a thread");
    eventually("the turn is cancelled", || state(&home, &thread) == "cancelled");
    // What breaks off by itself is an error, and no answer.
    let spec = json!({"provider": "openai-compatible", "model": "break.2", "url": far.url("")});
    home.apply(&manifest("Llm", "m", &spec));
    let refused = chat(&home, &json!({"message": "go", "threadId": thread})).expect(502);
    assert_eq!(refused.code(), "ORCH6040");
    assert_eq!(brief(&home, &thread), ["user: go", "user: go"]);
}

#[test]
fn a_turn_is_cancelled_on_purpose_and_there_is_one_at_a_time() {
    let script = slow("0s", &call("wait", json!({"ms": 600_000})), "0s");
    let (home, far) = home_with(&(scripted("m", &script) + &agent(json!({}))));
    let (connection, thread) = begun(&home);
    eventually("the tool is called", || calls(&far) == 1);
    for (path, body) in [
        (
            "agents/a/chat".to_owned(),
            json!({"message": "me, too", "threadId": thread}),
        ),
        (format!("threads/{thread}/resume"), json!({})),
    ] {
        let refused = post(&home, &path, &body).send().expect(409);
        assert_eq!(refused.code(), "ORCH3022", "{path}");
    }
    // A fork takes along what is over, and there is nothing.
    let fork = post(&home, &format!("threads/{thread}/fork"), &json!({}))
        .send()
        .expect(201)
        .json();
    assert_eq!(fork["turns"], 0);
    let turn = post(&home, &format!("threads/{thread}/cancel"), &json!({}))
        .send()
        .expect(200)
        .json();
    assert_eq!((&turn["state"], &turn["turn"]), (&json!("cancelled"), &json!(1)));
    assert_eq!(
        brief(&home, &thread),
        ["user: go", "assistant calls 1", "tool cancelled"]
    );
    eventually("the server knows that nobody waits", || cancelled(&far) == 1);
    drop(connection);
    let refused = post(&home, &format!("threads/{thread}/cancel"), &json!({}))
        .send()
        .expect(409);
    assert_eq!(refused.code(), "ORCH3023");
    // Whoever waits for the answer is told.
    let waiting = post(&home, "agents/a/chat", &json!({"message": "go", "stream": true}));
    let mut stream = waiting.stream();
    while stream.line().is_some_and(|line| line != "event: tool_call") {}
    let other = the_thread(&home).expect("a thread");
    post(&home, &format!("threads/{other}/cancel"), &json!({}))
        .send()
        .expect(200);
    let mut told = Vec::new();
    while let Some(line) = stream.line() {
        told.push(line);
    }
    let ends = told.iter().any(|line| line == "event: error") && told.iter().any(|line| line.contains("ORCH6043"));
    assert!(ends, "{told:?}");
    // Deleting the thread ends what is under way in it.
    let _waiting = post(&home, "agents/a/chat", &json!({"message": "go"})).leave();
    eventually("another turn is under way", || {
        the_thread(&home).is_some_and(|last| state(&home, &last) == "pending")
    });
    let other = the_thread(&home).expect("a thread");
    home.http("DELETE", &format!("/api/v1/threads/{other}"))
        .send()
        .expect(204);
    home.http("GET", &format!("/api/v1/threads/{other}")).send().expect(404);
}

#[test]
fn agents_work_on_postgres_and_where_the_servers_run() {
    let Some(home) = Home::on_postgres() else { return };
    let (far, declared) = super::counting();
    let mut first = home.with(&["--lease-duration", "2s"]).started();
    let mut second = first.beside();
    second.start();
    first.apply(&(declared + &scripted("m", &slow("0s", &call("echo", json!({})), "4s")) + &agent(json!({}))));
    first.until_ready(&["server/raw"]);
    // Asked at the one that follows, answered by the one that leads.
    let said = chat(&second, &json!({"message": "go"})).expect(200).json();
    assert_eq!((text(&said["assistant"]), calls(&far)), ("done", 1));
    let thread = text(&said["threadId"]).to_owned();
    assert_eq!(super::messages(&second, &thread).len(), 4);
    assert_eq!(second.get(&format!("threads/{}", &thread[..6]))["id"], thread.as_str());
    first.apply(&scripted(
        "m",
        &json!([
            {"text": "a"}, {"text": "b"}, {"toolCalls": [call("echo", json!({}))]}, {"text": "again", "delay": "4s"},
        ]),
    ));
    let connection = post(&second, "agents/a/chat", &json!({"message": "go", "threadId": thread})).leave();
    eventually("the tool has answered", || {
        brief(&second, &thread)
            .last()
            .is_some_and(|last| last == "tool complete")
    });
    first.kill_9();
    eventually("the other one leads, and has found what was left", || {
        let known = second.http("GET", &format!("/api/v1/threads/{thread}")).send();
        known.status == 200 && known.json()["lastTurn"]["state"] == "interrupted"
    });
    drop(connection);
    assert_eq!(text(&resumed(&second, &thread)["assistant"]), "again");
    assert_eq!(calls(&far), 2);
}
