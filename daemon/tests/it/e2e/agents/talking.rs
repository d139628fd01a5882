//! Speaking to an agent: what it is told first, what it answers, whole and as it comes.

use serde_json::{Value, json};

use super::{agent, brief, chat, events, home_with, in_project, post, say, say_in, scripted, seen, text, with_agent};
use crate::e2e::manifest;
use crate::support::daemon::Home;
use crate::support::far::Far;

/// A daemon with an agent whose model runs apart, so that it is seen what that is told.
fn home_with_model(model: &str, more: Value, manifests: &str) -> (Home, Far) {
    let far = Far::start("orch-model", "--http", &[]);
    let home = Home::new().started();
    let spec = json!({"provider": "openai-compatible", "model": model, "url": far.url("")});
    let declared = manifest("Llm", "m", &spec) + &manifest("Project", "p", &json!({})) + manifests + &agent(more);
    home.apply(&declared);
    (home, far)
}

#[test]
fn an_agent_answers_and_remembers() {
    let home = Home::new().started();
    let script = json!([{"text": "one"}, {"text": "two"}]);
    home.apply(&(scripted("m", &script) + &agent(json!({"project": null}))));
    home.until_ready(&["agent/a"]);
    let answer = chat(&home, &json!({"message": "hello\nthere"})).expect(200);
    let said = answer.json();
    let thread = text(&said["threadId"]).to_owned();
    assert_eq!(
        (text(&said["assistant"]), &said["turn"], text(&said["stopReason"])),
        ("one", &json!(1), "stop")
    );
    assert_eq!(answer.header("x-orch-thread"), Some(thread.as_str()));
    assert_eq!(answer.header("x-orch-turn"), Some("1"));
    let usage = &said["usage"];
    assert_eq!((&usage["iterations"], &usage["toolCalls"]), (&json!(1), &json!(0)));
    assert!(
        usage["inputTokens"].as_i64() > Some(0) && usage["outputTokens"].as_i64() > Some(0),
        "{usage}"
    );
    // The model knows what was said before: its script goes on.
    let said = say_in(&home, &thread, "again");
    assert_eq!((text(&said["assistant"]), &said["turn"]), ("two", &json!(2)));
    assert_eq!(
        brief(&home, &thread),
        ["user: hello\nthere", "assistant: one", "user: again", "assistant: two"]
    );
    let listed = home.get("agents/a/threads");
    let (known, count) = (&listed["items"][0], listed["items"].as_array().map(Vec::len));
    assert_eq!(
        (text(&known["title"]), &known["turns"], count),
        ("hello", &json!(2), Some(1))
    );
    assert_eq!(known["lastTurn"]["state"], "complete");
    // Another thread knows nothing of the first.
    assert_eq!(text(&say(&home, "hello")["assistant"]), "one");
}

#[test]
fn an_answer_comes_as_it_is_said() {
    let script = json!([
        {"toolCalls": [{"name": "raw__echo", "arguments": {"a": 1}}], "reasoning": "What is it?"},
        {"text": "It is done", "reasoning": "That was easy."},
    ]);
    let (home, _far) = home_with(&(scripted("m", &script) + &agent(json!({}))));
    let answer = chat(&home, &json!({"message": "go", "stream": true})).expect(200);
    assert_eq!(answer.header("content-type"), Some("text/event-stream"));
    assert_eq!(answer.header("x-accel-buffering"), Some("no"));
    assert!(answer.body.ends_with("data: [DONE]\n\n"), "{}", answer.body);
    let told = events(&answer);
    let mut names: Vec<&str> = told.iter().map(|(name, _)| name.as_str()).collect();
    names.dedup();
    assert_eq!(
        names,
        [
            "turn",
            "thinking",
            "usage",
            "tool_call",
            "tool_result",
            "thinking",
            "text",
            "usage",
            "final"
        ]
    );
    let of = |wanted: &'static str| {
        told.iter()
            .filter(move |(name, _)| name == wanted)
            .map(|(_, data)| data)
    };
    let said: String = of("text").map(|data| text(&data["text"])).collect();
    assert_eq!(said, "It is done");
    let call = of("tool_call").next().expect("a call");
    assert_eq!(
        (&call["name"], &call["server"], &call["tool"], &call["arguments"]),
        (&json!("raw__echo"), &json!("raw"), &json!("echo"), &json!({"a": 1}))
    );
    let result = of("tool_result").next().expect("a result");
    assert_eq!((&result["id"], &result["state"]), (&call["id"], &json!("complete")));
    assert!(text(&result["text"]).contains("\"name\":\"echo\""), "{result}");
    let last = of("final").next().expect("an end");
    assert_eq!(
        (&last["assistant"], &last["usage"]["toolCalls"]),
        (&json!("It is done"), &json!(1))
    );
    assert_eq!(answer.header("x-orch-thread"), last["threadId"].as_str());
    // What it thought is told, and not kept.
    let kept = super::messages(&home, text(&last["threadId"]));
    assert!(!json!(kept).to_string().contains("easy"), "{kept:?}");
}

#[test]
fn what_it_is_told_first_stands_in_its_order() {
    let prompt = |content: &str, priority: u32| json!({"content": content, "priority": priority});
    let manifests = [
        in_project("Prompt", "project-low", &prompt("P10", 10)),
        in_project("Prompt", "project-high", &prompt("P90\n", 90)),
        manifest("Prompt", "everybody", &prompt("E", 99)),
        manifest("Prompt", "tone", &prompt("cluster tone", 50)),
    ]
    .concat();
    let (home, far) = home_with_model("gpt", json!({"systemPrompt": "Own words.\n"}), &manifests);
    home.apply(
        &[
            with_agent("Prompt", "b", &prompt("AB", 50)),
            with_agent("Prompt", "a", &prompt("AA", 50)),
            with_agent("Prompt", "tone", &prompt("tone of the agent", 1)),
            with_agent(
                "Personality",
                "brief",
                &json!({"prompts": [{"name": "everybody", "priority": 5}, {"name": "project-low"}, {"name": "tone"}]}),
            ),
        ]
        .concat(),
    );
    let system = |body: Value| -> String {
        chat(&home, &body).expect(200);
        text(&seen(&far)["messages"][0]["content"]).to_owned()
    };
    let plain = "Own words.\n\nAA\n\nAB\n\ntone of the agent\n\nP90\n\nP10";
    assert_eq!(system(json!({"message": "x"})), plain);
    // What is told already is not told twice; of several of one name the nearest is meant.
    assert_eq!(
        system(json!({"message": "x", "personality": "brief"})),
        format!("{plain}\n\nE")
    );
    assert_eq!(
        system(json!({"message": "x", "personality": "brief", "systemAppend": "Last."})),
        format!("{plain}\n\nE\n\nLast.")
    );
    // By default, and for that turn alone.
    home.apply(&agent(
        json!({"systemPrompt": "Own words.\n", "defaultPersonality": "brief"}),
    ));
    assert_eq!(system(json!({"message": "x"})), format!("{plain}\n\nE"));
    let refused = chat(&home, &json!({"message": "x", "personality": "none"})).expect(404);
    assert_eq!(refused.code(), "ORCH3001");
}

#[test]
fn an_agent_of_nothing_is_told_nothing() {
    let (home, far) = home_with_model("gpt", json!({}), "");
    say(&home, "hello");
    let body = seen(&far);
    assert_eq!(body["messages"], json!([{"role": "user", "content": "hello"}]));
    let names: Vec<&String> = body.as_object().expect("an object").keys().collect();
    assert_eq!(names, ["model", "messages", "stream", "stream_options"]);
    assert_eq!(body["model"], "gpt");
}

#[test]
fn a_request_says_more_than_the_agent_and_the_agent_more_than_the_provider() {
    let params = json!({"temperature": 0.1, "maxTokens": 7, "extra": {"seed": 1, "user": "agent"}});
    let (home, far) = home_with_model("gpt", json!({"defaultParams": params}), "");
    let body = json!({"message": "x", "params": {"temperature": 0.9, "stop": ["."], "extra": {"seed": 2}}});
    chat(&home, &body).expect(200);
    let told = seen(&far);
    for (name, value) in [
        ("temperature", json!(0.9)),
        ("max_tokens", json!(7)),
        ("stop", json!(["."])),
        ("seed", json!(2)),
        ("user", json!("agent")),
    ] {
        assert_eq!(told[name], value, "{name}");
    }
    assert_eq!(told["messages"][0]["content"], "x");
}

#[test]
fn what_a_request_is_made_of_is_no_parameter() {
    let home = Home::new().started();
    home.apply(&(scripted("m", &json!([{"text": "one"}])) + &agent(json!({"project": null}))));
    for name in [
        "model",
        "messages",
        "tools",
        "functions",
        "function_call",
        "stream",
        "stream_options",
        "n",
        "tool_choice",
        "Model",
        "TOOL_CHOICE",
    ] {
        let extra = json!({name: "auto"});
        let body = json!({"message": "x", "params": {"extra": extra}});
        let refused = chat(&home, &body).expect(422);
        assert_eq!(refused.code(), "ORCH1104", "{}", refused.body);
        assert!(
            refused.body.contains(&format!("`params.extra.{name}`")),
            "{}",
            refused.body
        );
        // What is declared is refused at its place.
        let declared = agent(json!({"project": null, "defaultParams": {"extra": extra}}));
        let refused = home.orchctl_reading(&declared, &["apply", "-f", "-"]);
        assert!(
            refused.code == 1 && refused.stderr.contains(&format!("spec.defaultParams.extra.{name}")),
            "{name}: {}",
            refused.stderr
        );
    }
    assert_eq!(home.get("agents/a/threads")["items"], json!([]), "no turn was begun");
    let refused = home
        .orchctl(&["chat", "a", "-m", "x", "--param", "model=other"])
        .expect(2);
    assert!(refused.stderr.contains("`model` is no parameter"), "{}", refused.stderr);
    let refused = home
        .orchctl(&["chat", "a", "-m", "x", "--param", "Model=other"])
        .expect(2);
    assert!(refused.stderr.contains("`Model` is no parameter"), "{}", refused.stderr);
    // Whoever has tools may say how they are chosen.
    home.apply(&(manifest("Project", "p", &json!({})) + &agent(json!({}))));
    chat(
        &home,
        &json!({"message": "x", "params": {"extra": {"tool_choice": "auto"}}}),
    )
    .expect(200);
}

#[test]
fn what_makes_no_sense_is_refused() {
    let home = Home::new().started();
    home.apply(&(scripted("m", &json!([{"text": "one"}])) + &agent(json!({"project": null}))));
    let thread = text(&say(&home, "hello")["threadId"]).to_owned();
    let long = "x".repeat((256 << 10) + 1);
    for (path, body, status) in [
        ("agents/a/chat", json!({"message": "x", "thread": thread}), 400),
        (
            "agents/a/chat",
            json!({"message": "x", "params": {"temprature": 1}}),
            400,
        ),
        ("agents/a/chat", json!({}), 400),
        ("agents/a/chat", json!({"message": " \n"}), 400),
        ("agents/a/chat", json!({"message": 7}), 400),
        ("agents/a/chat", json!({"message": long}), 413),
        (
            "agents/a/chat",
            json!({"message": "x", "threadId": "nobody-knows"}),
            404,
        ),
        ("agents/a/chat", json!({"message": "x", "threadId": "../../x"}), 404),
        ("agents/none/chat", json!({"message": "x"}), 404),
        ("agents/a/threads", json!({"titel": "x"}), 400),
        ("agents/a/threads", json!({"title": "x".repeat(201)}), 422),
        ("threads/none/fork", json!({}), 404),
        ("threads/none/resume", json!({}), 404),
    ] {
        post(&home, path, &body).send().expect(status);
    }
    for (path, body, status) in [
        ("fork", json!({"turns": 1}), 400),
        ("fork", json!({"turn": 2}), 409),
        ("resume", json!({"steam": true}), 400),
        ("resume", json!({}), 409),
        ("cancel", json!({}), 409),
    ] {
        post(&home, &format!("threads/{thread}/{path}"), &body)
            .send()
            .expect(status);
    }
    let threads = home.get("agents/a/threads");
    assert_eq!(threads["items"].as_array().map(Vec::len), Some(1), "nothing was begun");
    for (method, path) in [
        ("PUT", format!("threads/{thread}")),
        ("GET", "agents/a/chat".to_owned()),
        ("DELETE", "agents/a/threads".to_owned()),
    ] {
        let refused = home.http(method, &format!("/api/v1/{path}")).send().expect(405);
        assert!(refused.header("allow").is_some(), "{method} {path}");
    }
}

#[test]
fn silence_and_answers_that_are_cut_off_are_marked() {
    for (model, more, assistant, from_reasoning, truncated) in [
        (
            "truncated",
            json!({}),
            "All is well \n[response truncated by max_tokens]",
            false,
            true,
        ),
        ("reasoning", json!({}), "All is well ", false, false),
    ] {
        let (home, _far) = home_with_model(model, more, "");
        let said = say(&home, "hello");
        assert!(text(&said["assistant"]).starts_with(assistant.split('\n').next().unwrap_or_default()));
        assert_eq!(said["fromReasoning"] == true, from_reasoning, "{said}");
        assert_eq!(said["truncated"] == true, truncated, "{said}");
        assert_eq!(
            text(&said["assistant"]).contains("truncated by max_tokens"),
            truncated,
            "{said}"
        );
    }
    let home = Home::new().started();
    let script = json!([{"text": "", "reasoning": "I would say yes"}]);
    home.apply(&(scripted("m", &script) + &agent(json!({"project": null}))));
    let said = say(&home, "hello");
    assert_eq!(
        (text(&said["assistant"]), &said["fromReasoning"]),
        ("[reasoning] I would say yes", &json!(true))
    );
}

#[test]
fn a_model_that_fails_ends_the_turn_and_not_the_thread() {
    let home = Home::new().started();
    let script = json!([{"error": {"status": 400, "message": "no such thing"}}]);
    home.apply(&(scripted("m", &script) + &agent(json!({"project": null}))));
    let refused = chat(&home, &json!({"message": "hello"})).expect(502);
    assert_eq!(refused.code(), "ORCH6040");
    assert!(refused.body.contains("no such thing"), "{}", refused.body);
    let thread = refused.header("x-orch-thread").expect("the thread").to_owned();
    let known = home.get(&format!("threads/{thread}"));
    assert_eq!(known["lastTurn"]["state"], "error");
    assert_eq!(known["lastTurn"]["problem"]["status"], 502);
    assert_eq!(known["lastTurn"]["problem"]["code"], "ORCH6040");
    // The stream ends in the same.
    let streamed = chat(&home, &json!({"message": "hello", "stream": true, "threadId": thread})).expect(200);
    let (name, last) = events(&streamed).pop().expect("an end");
    assert_eq!((name.as_str(), &last["problem"]["code"]), ("error", &json!("ORCH6040")));
    assert_eq!(last["problem"]["status"], 502);
    home.apply(&scripted("m", &json!([{"text": "well"}])));
    assert_eq!(text(&say_in(&home, &thread, "now")["assistant"]), "well");
}
