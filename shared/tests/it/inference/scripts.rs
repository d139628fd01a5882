//! A scripted model answers by its script, the same on every day.

use std::time::Duration;

use orch_shared::inference::chat::Reply;
use orch_shared::inference::script::{Outcome, answer};
use orch_shared::inference::usage::UsageChunk;
use orch_shared::kinds::llm::ScriptedTurn;
use serde_json::{Value, json};

use super::told::chat;
use super::{object, stamp};

fn script() -> Vec<ScriptedTurn> {
    serde_json::from_value(json!([
        {"text": "It is sunny,  or so.", "reasoning": "let me see", "delay": "250ms"},
        {"toolCalls": [{"name": "weather__now", "arguments": {"city": "Köln", "days": [1, 2, 3]}}, {"name": "a__b"}]},
        {"error": {"status": 429, "message": "slow down"}},
        {"error": {"status": 500}},
    ]))
    .unwrap()
}

fn asked(assistants: usize) -> Value {
    let turn = |_| {
        [
            json!({"role": "user", "content": "hi"}),
            json!({"role": "assistant", "content": "ho"}),
        ]
    };
    json!({"model": "m", "messages": (0..assistants).flat_map(turn).collect::<Vec<_>>()})
}

#[test]
fn turns_follow_the_conversation() {
    for (assistants, expected) in [
        (0, Ok(("let me see", "It is sunny,  or so.", vec![], "stop"))),
        (
            1,
            Ok((
                "",
                "",
                vec![
                    ("call_1_0", "weather__now", r#"{"city":"Köln","days":[1,2,3]}"#),
                    ("call_1_1", "a__b", "{}"),
                ],
                "tool_calls",
            )),
        ),
        (2, Err((429, "slow down"))),
        (3, Err((500, "the script says so"))),
        (4, Ok(("let me see", "It is sunny,  or so.", vec![], "stop"))),
    ] {
        let turn = answer(&script(), &object(asked(assistants))).expect("a turn");
        let delay = if assistants % 4 == 0 { 250 } else { 0 };
        assert_eq!(turn.delay, Duration::from_millis(delay));
        let reply = match turn.outcome {
            Outcome::Error { status, message } => {
                assert_eq!(Err((status, message.as_str())), expected);
                continue;
            }
            Outcome::Reply(reply) => reply,
        };
        let calls = reply.calls.iter();
        let calls: Vec<_> = calls
            .map(|call| (call.id.as_str(), call.name.as_str(), call.arguments.as_str()))
            .collect();
        let said = (
            reply.reasoning.as_str(),
            reply.text.as_str(),
            calls,
            reply.finish.as_chat(),
        );
        assert_eq!(Ok(said), expected);
        // Whole, in chunks, and read again: the same.
        let whole = reply.to_chat(&stamp());
        assert_eq!(Reply::of_chat(&whole), reply);
        let events = reply.to_chunks(&stamp(), UsageChunk::Passed);
        assert!(events.len() > 5, "{events:?}");
        assert_eq!(chat(&events), json!(whole));
        let untold = reply.to_chunks(&stamp(), UsageChunk::CutOut);
        assert_eq!(untold.len(), events.len() - 1);
    }
}

#[test]
fn nothing_is_kept_and_nothing_is_needed() {
    assert_eq!(answer(&[], &object(asked(0))), None);
    for request in [
        json!({}),
        json!({"messages": 7}),
        json!({"messages": [1, null, {"role": ["assistant"]}]}),
    ] {
        let turn = answer(&script(), &object(request)).expect("a turn");
        assert_eq!(turn.delay, Duration::from_millis(250));
    }
    let request = object(asked(1));
    assert_eq!(answer(&script(), &request), answer(&script(), &request));
}

#[test]
fn usage_is_an_estimate() {
    let turn = answer(
        &script(),
        &object(json!({"messages": [{"role": "user", "content": "abcd"}]})),
    )
    .expect("a turn");
    let Outcome::Reply(reply) = turn.outcome else {
        panic!("an error: {turn:?}");
    };
    let usage = reply.usage.expect("told");
    // `role`, `user`, `content`, `abcd`: 19 bytes. `let me see`: 10; `It is sunny,  or so.`: 20.
    assert_eq!((usage.input, usage.reasoning, usage.output), (5, 3, 8));
}
