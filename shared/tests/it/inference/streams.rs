//! A streamed translation adds up to the translation of the whole, however the stream is cut and interleaved.

use orch_shared::inference::chat::{Call, Finish, Reply};
use orch_shared::inference::responses::{self, Echo};
use orch_shared::inference::stream::{Client, Translation, Upstream};
use orch_shared::inference::usage::UsageChunk;
use orch_shared::inference::{Usage, anthropic};
use orch_shared::sse::Event;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::told::{self, Gist};
use super::{cuts, object, pieces, read, several, stamp, written};

fn words() -> impl Strategy<Value = String> {
    "[a-zé\" \n]{0,12}"
}

fn arguments() -> impl Strategy<Value = String> {
    let value = prop_oneof![
        words().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        Just(json!({"a": [1, {"b": "}]"}]})),
        Just(Value::Null),
    ];
    let object = prop::collection::vec(("[a-z\"}]{1,3}", value), 0..3);
    object.prop_map(|members| Value::Object(members.into_iter().collect()).to_string())
}

fn reply() -> impl Strategy<Value = Reply> {
    let calls = prop::collection::vec(("[a-z]{1,4}", arguments()), 0..4);
    let counts = prop::option::of((0..1000_u64, 0..1000_u64, 0..10_u64));
    let finish = select(vec![Finish::Stop, Finish::Length, Finish::ContentFilter]);
    (
        words(),
        words(),
        prop_oneof![3 => Just(String::new()), 1 => words()],
        calls,
        counts,
        finish,
    )
        .prop_map(|(reasoning, text, refusal, calls, counts, finish)| Reply {
            reasoning,
            thinking_blocks: Vec::new(),
            text,
            refusal,
            finish: match finish {
                Finish::Stop if !calls.is_empty() => Finish::ToolCalls,
                Finish::Stop | Finish::Length | Finish::ToolCalls | Finish::ContentFilter => finish,
            },
            calls: calls
                .into_iter()
                .enumerate()
                .map(|(number, (name, arguments))| Call {
                    id: format!("call_{number}"),
                    name,
                    arguments,
                })
                .collect(),
            usage: counts.map(|(input, output, cached)| Usage {
                input: input + cached,
                output,
                cached,
                ..Usage::default()
            }),
        })
}

/// A text cut into three.
fn thirds(text: &str, cuts: &[Index; 2]) -> Vec<String> {
    let mut places = cuts.map(|cut| text.floor_char_boundary(cut.index(text.len() + 1)));
    places.sort_unstable();
    [&text[..places[0]], &text[places[0]..places[1]], &text[places[1]..]]
        .map(str::to_owned)
        .to_vec()
}

/// The deltas of a reply, in as many queues as may interleave.
fn queues(reply: &Reply, cuts: &[Index; 2]) -> Vec<Vec<Value>> {
    let texts = [
        ("reasoning", &reply.reasoning),
        ("content", &reply.text),
        ("refusal", &reply.refusal),
    ];
    let texts = texts.map(|(name, text)| {
        thirds(text, cuts)
            .into_iter()
            .map(|piece| json!({name: piece}))
            .collect()
    });
    let calls = reply.calls.iter().enumerate().map(|(index, call)| {
        let head = json!({"index": index, "id": call.id, "type": "function", "function": {"name": call.name, "arguments": ""}});
        let more = thirds(&call.arguments, cuts).into_iter();
        let more = more.map(|piece| json!({"index": index, "function": {"arguments": piece}, "odd": 1}));
        [head].into_iter().chain(more).map(|call| json!({"tool_calls": [call]})).collect()
    });
    texts.into_iter().chain(calls).collect()
}

/// One of what no translator knows, here and there.
const STRANGE: &[&str] = &[
    "",
    "{}",
    "[]",
    "7",
    "null",
    "{\"choices\":7}",
    "{\"choices\":[1,{\"delta\":[]}]}",
    "\"a\"",
    "{\"type\":\"new\",\"index\":{}}",
    "{\"type\":\"ping\"}",
];

fn chunk_of(delta: &Value, finish: Option<&str>) -> Event {
    let choice = json!({"index": 0, "delta": delta, "finish_reason": finish, "new": {}});
    Event::data(json!({"id": "up", "choices": [choice], "system_fingerprint": "x"}).to_string())
}

/// A streamed chat completion that says a reply, in an order that `picks` chooses.
fn chat_stream(reply: &Reply, picks: &[Index], cuts: &[Index; 2]) -> Vec<Event> {
    let mut queues = queues(reply, cuts);
    let mut events = vec![chunk_of(&json!({"role": "assistant", "content": ""}), None)];
    let mut picks = picks.iter().cycle();
    loop {
        queues.retain(|queue| !queue.is_empty());
        if queues.is_empty() {
            break;
        }
        let pick = picks.next().expect("it goes round");
        if pick.index(7) == 0 {
            events.push(Event::data(STRANGE[pick.index(STRANGE.len())]));
        }
        let queue = pick.index(queues.len());
        events.push(chunk_of(&queues[queue].remove(0), None));
    }
    events.push(chunk_of(&json!({}), Some(reply.finish.as_chat())));
    if let Some(usage) = reply.usage {
        let usage = usage.to_value(orch_shared::inference::Dialect::Chat);
        events.push(Event::data(json!({"choices": [], "usage": usage}).to_string()));
    }
    events.push(Event::data("[DONE]"));
    events
}

fn translated(upstream: Upstream, client: Client, pieces: &[&[u8]]) -> Vec<Event> {
    let mut translation = Translation::new(upstream, client, &stamp());
    let mut out = Vec::new();
    for piece in pieces {
        translation.push(piece, &mut out).expect("short events");
    }
    translation.finish(&mut out);
    // An end is the end.
    translation.fail(500, "late", &mut out);
    translation.finish(&mut out);
    read(&out)
}

/// Blocks of Messages, and the events that stream them.
fn message() -> impl Strategy<Value = (Value, Vec<Event>)> {
    let block = prop_oneof![
        words().prop_map(|text| json!({"type": "text", "text": text})),
        (words(), select(vec!["", "signed"]))
            .prop_map(|(text, signature)| json!({"type": "thinking", "thinking": text, "signature": signature})),
        Just(json!({"type": "redacted_thinking", "data": "x"})),
        ("[a-z]{1,4}", arguments()).prop_map(|(name, input)| {
            let input: Value = serde_json::from_str(&input).unwrap();
            json!({"type": "tool_use", "id": name, "name": name, "input": input})
        }),
        Just(json!({"type": "web_search_tool_result", "content": []})),
    ];
    let reason = select(vec![
        "end_turn",
        "max_tokens",
        "stop_sequence",
        "refusal",
        "pause_turn",
        "new",
    ]);
    let cuts = [any::<Index>(), any::<Index>()];
    (prop::collection::vec(block, 0..5), reason, cuts, any::<bool>()).prop_map(|(blocks, reason, cuts, in_start)| {
        let usage = json!({"input_tokens": 3, "cache_read_input_tokens": 2, "output_tokens": 9});
        let whole = json!({"type": "message", "content": blocks, "stop_reason": reason, "usage": usage});
        let named = |data: Value| Event::named(data["type"].as_str().unwrap(), data.to_string());
        let start = json!({"usage": {"input_tokens": 3, "cache_read_input_tokens": 2, "output_tokens": 1}});
        let mut events = vec![named(json!({"type": "message_start", "message": start}))];
        for (index, block) in blocks.iter().enumerate() {
            let mut head = block.clone();
            let mut deltas = Vec::new();
            let mut cut = |kind: &str, name: &str, text: &str| {
                deltas.extend(
                    thirds(text, &cuts)
                        .into_iter()
                        .map(|piece| json!({"type": kind, name: piece})),
                );
            };
            match block["type"].as_str().unwrap() {
                "text" => {
                    cut("text_delta", "text", block["text"].as_str().unwrap());
                    head["text"] = json!("");
                }
                "thinking" => {
                    cut("thinking_delta", "thinking", block["thinking"].as_str().unwrap());
                    cut("signature_delta", "signature", block["signature"].as_str().unwrap());
                    (head["thinking"], head["signature"]) = (json!(""), json!(""));
                }
                "tool_use" if !in_start => {
                    cut("input_json_delta", "partial_json", &block["input"].to_string());
                    head["input"] = json!({});
                }
                _ => {}
            }
            events.push(named(
                json!({"type": "content_block_start", "index": index, "content_block": head}),
            ));
            events.push(named(json!({"type": "ping"})));
            let delta = |delta| json!({"type": "content_block_delta", "index": index, "delta": delta});
            events.extend(deltas.into_iter().map(|value| named(delta(value))));
            events.push(named(delta(json!({"type": "citations_delta", "citation": {}}))));
            events.push(named(json!({"type": "content_block_stop", "index": index})));
            events.extend(STRANGE.iter().map(|data| Event::data(*data)));
        }
        let delta = json!({"stop_reason": reason, "stop_sequence": null});
        events.push(named(
            json!({"type": "message_delta", "delta": delta, "usage": {"output_tokens": 9}}),
        ));
        events.push(named(json!({"type": "message_stop"})));
        (whole, events)
    })
}

proptest! {
    #![proptest_config(several())]

    #[test]
    fn chunks_become_messages_and_responses(
        reply in reply(), picks in prop::collection::vec(any::<Index>(), 1..12), thirds in [any::<Index>(), any::<Index>()],
        cuts in cuts(),
    ) {
        let bytes = written(&chat_stream(&reply, &picks, &thirds));
        let whole = reply.to_chat(&stamp());

        let expected = anthropic::response_from_chat(&whole, &stamp());
        let events = translated(Upstream::Chat, Client::Messages(0), &pieces(&bytes, &cuts));
        let mut told = Gist::of_message(&object(told::message(&events)));
        let mut expected = Gist::of_message(&expected);
        if reply.refusal.is_empty() {
            prop_assert_eq!(told, expected);
        } else {
            // A refusal is a text like the other, and may have come in the midst of it.
            told.sort_text();
            expected.sort_text();
            prop_assert_eq!(told, expected);
        }

        let echo = Echo::of(&object(json!({"instructions": "x"})));
        let expected = responses::response_from_chat(&whole, &echo, &stamp());
        let events = translated(Upstream::Chat, Client::Responses(echo), &pieces(&bytes, &cuts));
        let response = told::response(&events);
        prop_assert_eq!(Gist::of_response(&object(response)), Gist::of_response(&expected));
    }

    #[test]
    fn messages_become_chunks((whole, events) in message(), cuts in cuts()) {
        let bytes = written(&events);
        let client = Client::Chat(UsageChunk::Passed);
        let told = told::chat(&translated(Upstream::Messages, client, &pieces(&bytes, &cuts)));
        let expected = anthropic::response_to_chat(&object(whole), &stamp());
        prop_assert_eq!(told, json!(expected));
        // Through the middle, to those who take neither.
        let echo = Echo::default();
        let response = told::response(&translated(Upstream::Messages, Client::Responses(echo.clone()), &pieces(&bytes, &cuts)));
        let expected = responses::response_from_chat(&expected, &echo, &stamp());
        prop_assert_eq!(Gist::of_response(&object(response)), Gist::of_response(&expected));
    }

    /// A stream that is cut off anywhere ends with an error, or is complete; it never just ends.
    #[test]
    fn what_breaks_off_is_told((_, events) in message(), length in any::<Index>()) {
        let bytes = written(&events);
        let bytes = &bytes[..length.index(bytes.len() + 1)];
        for (client, end) in [
            (Client::Chat(UsageChunk::CutOut), "[DONE]"),
            (Client::Messages(1), "message_stop"),
            (Client::Responses(Echo::default()), "response.completed"),
        ] {
            let told = translated(Upstream::Messages, client, &[bytes]);
            let last = told.last().expect("an end");
            let is_end = last.data.contains(end) || last.data.contains("response.incomplete");
            prop_assert!(is_end || last.data.contains("broke off"), "{:?}", last);
        }
    }
}

#[test]
fn calls_that_share_an_index_are_told_apart() {
    let call = |value: Value| chunk_of(&json!({"tool_calls": [value]}), None);
    let whole = |id: Value, name: &str| json!({"index": 0, "id": id, "function": {"name": name, "arguments": "{}"}});
    let unnumbered = |name: &str| json!({"function": {"name": name, "arguments": {"a": 1}}});
    for (calls, told) in [
        (
            vec![call(whole(json!("a"), "x")), call(whole(json!("b"), "y"))],
            vec![("a", "x"), ("b", "y")],
        ),
        (
            vec![
                call(whole(json!("a"), "x")),
                call(json!({"index": 0, "id": "a", "function": {}})),
            ],
            vec![("a", "x")],
        ),
        (
            vec![call(unnumbered("x")), call(unnumbered("y"))],
            vec![("call_1_0", "x"), ("call_1_1", "y")],
        ),
        (
            vec![chunk_of(
                &json!({"tool_calls": [whole(json!("a"), "x"), whole(json!("b"), "y")]}),
                None,
            )],
            vec![("a", "x"), ("b", "y")],
        ),
        (
            vec![chunk_of(
                &json!({"function_call": {"name": "x", "arguments": "{}"}}),
                None,
            )],
            vec![("call_1_0", "x")],
        ),
    ] {
        let mut events = calls;
        events.push(chunk_of(&json!({}), Some("stop")));
        let bytes = written(&events);
        let message = told::message(&translated(Upstream::Chat, Client::Messages(0), &[&bytes]));
        let blocks = message["content"].as_array().unwrap();
        let found: Vec<_> = blocks
            .iter()
            .map(|block| (block["id"].as_str().unwrap(), block["name"].as_str().unwrap()))
            .collect();
        assert_eq!(found, told);
        assert_eq!(message["stop_reason"], "tool_use");
    }
}

#[test]
fn errors_are_told_in_the_words_of_the_client() {
    let chat = |error: Value| {
        written(&[
            chunk_of(&json!({"content": "a"}), None),
            Event::data(json!({"error": error}).to_string()),
        ])
    };
    let messages = written(&[Event::named(
        "error",
        json!({"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}).to_string(),
    )]);
    let broken = chat(json!({"message": "gone", "type": "server_error", "code": 503}));
    let limited = chat(json!({"message": "slow", "type": "rate_limit_error", "code": null}));
    let plain = chat(json!("oops"));
    for (upstream, bytes, client, told) in [
        (
            Upstream::Messages,
            &messages,
            Client::Chat(UsageChunk::Passed),
            r#"{"error":{"message":"Overloaded","type":"server_error","param":null,"code":null}}"#,
        ),
        (
            Upstream::Messages,
            &messages,
            Client::Responses(Echo::default()),
            r#"{"type":"error","code":"server_error","message":"Overloaded","param":null,"sequence_number":0}"#,
        ),
        (
            Upstream::Chat,
            &broken,
            Client::Messages(0),
            r#"{"type":"error","error":{"type":"overloaded_error","message":"gone"}}"#,
        ),
        (
            Upstream::Chat,
            &limited,
            Client::Messages(0),
            r#"{"type":"error","error":{"type":"rate_limit_error","message":"slow"}}"#,
        ),
        (
            Upstream::Chat,
            &plain,
            Client::Messages(0),
            r#"{"type":"error","error":{"type":"api_error","message":"oops"}}"#,
        ),
    ] {
        let events = translated(upstream, client, &[bytes]);
        assert_eq!(events.last().map(|event| event.data.as_str()), Some(told));
    }
}
