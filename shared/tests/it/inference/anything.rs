//! Whatever stands in a request or an answer, it is translated or refused with its place; nothing panics.

use orch_shared::inference::chat::Reply;
use orch_shared::inference::request::Body;
use orch_shared::inference::responses::{self, Echo};
use orch_shared::inference::stream::{Client, Translation, Upstream};
use orch_shared::inference::usage::UsageChunk;
use orch_shared::inference::{Dialect, Object, Refused, Translated, anthropic, errors, reasoning, script};
use orch_shared::kinds::llm::ScriptedTurn;
use orch_shared::path::Segment;
use orch_shared::sse::Event;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::{object, read, several, stamp, told, written};

/// Any value, of the words that mean something here.
fn value() -> impl Strategy<Value = Value> {
    let word = select(vec![
        "text",
        "user",
        "assistant",
        "system",
        "tool",
        "function",
        "image_url",
        "image",
        "base64",
        "tool_use",
        "tool_result",
        "message",
        "function_call",
        "function_call_output",
        "high",
        "auto",
        "json_schema",
        "enabled",
        "data:a;base64,b",
        "",
        "error",
        "content_block_delta",
        "reasoning",
        "{",
        "{}",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        Just(json!(u64::MAX)),
        word.prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        let name = select(vec![
            "type",
            "role",
            "content",
            "text",
            "name",
            "id",
            "function",
            "arguments",
            "source",
            "tool_calls",
            "url",
            "index",
            "delta",
            "usage",
            "schema",
        ]);
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..3).prop_map(|members| Value::Object(
                members
                    .into_iter()
                    .map(|(name, value)| (name.to_owned(), value))
                    .collect()
            )),
        ]
    })
}

/// All places in a value.
fn places(value: &Value, at: &str, all: &mut Vec<String>) {
    all.push(at.to_owned());
    match value {
        Value::Array(list) => list
            .iter()
            .enumerate()
            .for_each(|(index, value)| places(value, &format!("{at}/{index}"), all)),
        Value::Object(members) => members
            .iter()
            .for_each(|(name, value)| places(value, &format!("{at}/{name}"), all)),
        _ => {}
    }
}

/// The value with something else in one of its places.
fn changed(mut value: Value, place: Index, other: Value) -> Object {
    let mut all = Vec::new();
    places(&value, "", &mut all);
    let pointer = &all[1 + place.index(all.len() - 1)];
    *value.pointer_mut(pointer).unwrap() = other;
    object(value)
}

fn chat_request() -> Value {
    json!({
        "model": "m", "stream": true, "stream_options": {"include_usage": true}, "max_tokens": 9, "temperature": 1.5, "top_p": 1,
        "stop": ["x"], "user": "u", "metadata": {"a": "b"}, "reasoning_effort": "low", "service_tier": "auto", "n": 1, "seed": 1,
        "response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": {}}}, "parallel_tool_calls": false,
        "tools": [{"type": "function", "function": {"name": "f", "description": "d", "parameters": {}, "strict": true}}],
        "tool_choice": {"type": "function", "function": {"name": "f"}},
        "messages": [
            {"role": "system", "content": [{"type": "text", "text": "s"}]},
            {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "data:image/png;base64,A"}},
                {"type": "file", "file": {"filename": "f", "file_data": "data:application/pdf;base64,A"}}]},
            {"role": "assistant", "content": null, "reasoning_content": "r", "thinking_blocks": [{"type": "thinking"}],
                "tool_calls": [{"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}]},
            {"role": "tool", "tool_call_id": "c", "content": [{"type": "text", "text": "r"}]},
        ],
    })
}

fn messages_request() -> Value {
    json!({
        "model": "m", "max_tokens": 9, "stream": true, "system": [{"type": "text", "text": "s", "cache_control": {}}],
        "temperature": 1, "top_p": 1, "top_k": 1, "stop_sequences": ["x"], "metadata": {"user_id": "u"}, "service_tier": "auto",
        "thinking": {"type": "enabled", "budget_tokens": 2000}, "mcp_servers": [],
        "output_config": {"format": {"type": "json_schema", "schema": {}}},
        "tools": [{"name": "f", "description": "d", "input_schema": {}, "strict": true}],
        "tool_choice": {"type": "tool", "name": "f", "disable_parallel_tool_use": true},
        "messages": [
            {"role": "user", "content": [{"type": "image", "source": {"type": "base64", "media_type": "a", "data": "b"}},
                {"type": "document", "title": "t", "source": {"type": "text", "data": "b"}}]},
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "t", "signature": "s"}, {"type": "text", "text": "a"},
                {"type": "tool_use", "id": "c", "name": "f", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "is_error": true,
                "content": [{"type": "text", "text": "r"}, {"type": "image", "source": {"type": "url", "url": "u"}}]}]},
        ],
    })
}

fn responses_request() -> Value {
    json!({
        "model": "m", "stream": true, "instructions": "i", "max_output_tokens": 9, "temperature": 1, "top_p": 1, "store": true,
        "background": false, "previous_response_id": null, "reasoning": {"effort": "low", "summary": "auto"}, "include": [],
        "text": {"format": {"type": "json_schema", "name": "x", "schema": {}}, "verbosity": "low"}, "parallel_tool_calls": true,
        "tools": [{"type": "function", "name": "f", "description": "d", "parameters": {}, "strict": false}],
        "tool_choice": {"type": "function", "name": "f"},
        "input": [
            {"role": "developer", "content": "d"},
            {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "t"},
                {"type": "input_image", "image_url": "u", "detail": "low"}, {"type": "input_file", "file_data": "f", "filename": "n"}]},
            {"type": "reasoning", "summary": []},
            {"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"},
            {"type": "function_call_output", "call_id": "c", "output": [{"type": "input_text", "text": "t"}]},
        ],
    })
}

fn chat_answer() -> Value {
    json!({
        "id": "x", "choices": [{"index": 0, "finish_reason": "tool_calls", "message": {"role": "assistant", "content": "a",
            "reasoning": "r", "refusal": "n", "thinking_blocks": [{"type": "thinking"}],
            "tool_calls": [{"id": "c", "function": {"name": "f", "arguments": "{}"}}], "function_call": {"name": "f"}}}],
        "usage": {"prompt_tokens": 1, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 3}},
    })
}

fn message_answer() -> Value {
    json!({
        "content": [{"type": "thinking", "thinking": "t", "signature": "s"}, {"type": "text", "text": "a"},
            {"type": "tool_use", "id": "c", "name": "f", "input": {}}, {"type": "redacted_thinking", "data": "d"}],
        "stop_reason": "end_turn", "usage": {"input_tokens": 1, "cache_read_input_tokens": 2, "output_tokens": 3},
    })
}

/// A refusal names a place that is there, or one member that is missing from such a place.
fn holds(outcome: &Result<Translated, Refused>, given: &Object) -> Result<(), TestCaseError> {
    match outcome {
        Ok(translated) => {
            for note in &translated.notes {
                prop_assert!(!note.field.is_empty() && !note.message.is_empty());
            }
        }
        Err(refused) => {
            prop_assert!(!refused.message.is_empty());
            let segments = refused.path.segments();
            let (_, above) = segments.split_last().expect("a place");
            let whole = Value::Object(given.clone());
            let found = above.iter().try_fold(&whole, |value, segment| match segment {
                Segment::Key(name) => value.get(name),
                Segment::Index(index) => value.get(index),
            });
            prop_assert!(found.is_some(), "{} is not in {}", refused.path, whole);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(several())]

    #[test]
    fn requests_are_translated_or_refused(place in any::<Index>(), other in value()) {
        let chat = changed(chat_request(), place, other.clone());
        holds(&anthropic::request_from_chat(chat.clone()), &chat)?;
        let messages = changed(messages_request(), place, other.clone());
        holds(&anthropic::request_to_chat(messages.clone()), &messages)?;
        prop_assert!(anthropic::count_tokens(&messages) > 0);
        let responses = changed(responses_request(), place, other);
        holds(&responses::request_to_chat(responses.clone()), &responses)?;
        let echo = Echo::of(&responses);
        prop_assert!(echo != Echo::default());
        for (dialect, request) in [(Dialect::Chat, chat), (Dialect::Messages, messages), (Dialect::Responses, responses)] {
            let text = Value::Object(request).to_string();
            if let Ok(mut body) = Body::read(dialect, text.as_bytes()) {
                body.set_model("n");
                body.ask_usage();
                prop_assert!(body.to_object().is_ok());
                prop_assert!(body.input_estimate() < 100_000);
            }
        }
    }

    #[test]
    fn answers_are_read_as_far_as_they_make_sense(place in any::<Index>(), other in value()) {
        let chat = changed(chat_answer(), place, other.clone());
        let message = anthropic::response_from_chat(&chat, &stamp());
        prop_assert!(message["content"].is_array() && message["stop_reason"].is_string());
        let response = responses::response_from_chat(&chat, &Echo::default(), &stamp());
        prop_assert!(response["output"].is_array() && response["status"].is_string());
        let events = Reply::of_chat(&chat).to_chunks(&stamp(), UsageChunk::Passed);
        prop_assert_eq!(json!(Reply::of_chat(&chat).to_chat(&stamp())), told::chat(&events));
        let shown = reasoning::assistant_text(&chat["choices"], Some("length"));
        prop_assert!(shown.ends_with(reasoning::TRUNCATED));
        let message = changed(message_answer(), place, other.clone());
        let completion = anthropic::response_to_chat(&message, &stamp());
        prop_assert!(completion["choices"][0]["finish_reason"].is_string());
        let said = errors::message_in(other.to_string().as_bytes());
        prop_assert!(said.is_none_or(|said| !said.is_empty()));
        let script: Vec<ScriptedTurn> = serde_json::from_value(json!([{"text": "a"}])).unwrap();
        prop_assert!(script::answer(&script, &chat).is_some());
    }

    #[test]
    fn events_are_anything(events in prop::collection::vec((select(KINDS), value(), value(), value()), 0..6)) {
        let events: Vec<Event> = events
            .into_iter()
            .map(|(kind, one, other, index)| Event::data(match kind {
                "chunk" => json!({"choices": [{"delta": {"tool_calls": [{"index": index, "id": one, "function": {"name": one,
                    "arguments": other}}], "content": one}, "finish_reason": other}], "usage": other}),
                "choices" => json!({"choices": one, "error": other}),
                kind => json!({"type": kind, "index": index, "delta": one, "content_block": one, "message": other, "usage": other,
                    "error": other}),
            }.to_string()))
            .collect();
        let bytes = written(&events);
        for upstream in [Upstream::Chat, Upstream::Messages] {
            let echo = Echo::default();
            for client in [Client::Chat(UsageChunk::Passed), Client::Messages(0), Client::Responses(echo)] {
                let mut translation = Translation::new(upstream, client, &stamp());
                let mut out = Vec::new();
                translation.push(&bytes, &mut out).unwrap();
                translation.finish(&mut out);
                for event in read(&out) {
                    let is_json = serde_json::from_str::<Value>(&event.data).is_ok();
                    prop_assert!(is_json || event.data == "[DONE]" || upstream == Upstream::Chat, "{:?}", event);
                }
            }
        }
    }
}

const KINDS: &[&str] = &[
    "chunk",
    "choices",
    "message_start",
    "content_block_start",
    "content_block_delta",
    "content_block_stop",
    "message_delta",
    "message_stop",
    "error",
];
