//! What clients make of streams: accumulators that also hold the streams to their form.

use orch_shared::inference::Object;
use orch_shared::sse::Event;
use serde_json::{Value, json};

fn data(event: &Event) -> Value {
    serde_json::from_str(&event.data).unwrap_or_else(|error| panic!("{error}: {}", event.data))
}

fn append(place: &mut Value, more: &Value) {
    if let Some(more) = more.as_str() {
        *place = json!(place.as_str().unwrap_or_default().to_owned() + more);
    }
}

/// The chat completion that chunks add up to.
pub(super) fn chat(events: &[Event]) -> Value {
    let (last, chunks) = events.split_last().expect("an end");
    assert_eq!(last.data, "[DONE]");
    let mut message = json!({"role": null, "content": null, "refusal": null});
    let (mut calls, mut blocks) = (Vec::<Value>::new(), Vec::<Value>::new());
    let mut answer = Value::Null;
    for (place, event) in chunks.iter().enumerate() {
        assert_eq!(event.event, None);
        let chunk = data(event);
        assert_eq!(chunk["object"], "chat.completion.chunk");
        let finish = &answer["choices"][0]["finish_reason"];
        if chunk["choices"] == json!([]) {
            assert!(
                !finish.is_null() && answer["usage"].is_null() && place + 1 == chunks.len(),
                "{chunk}"
            );
            answer["usage"] = chunk["usage"].clone();
            continue;
        }
        assert!(finish.is_null(), "after the end: {chunk}");
        let delta = &chunk["choices"][0]["delta"];
        assert_eq!(
            place == 0,
            delta["role"] == "assistant",
            "the role comes first and once: {chunk}"
        );
        if place == 0 {
            message["role"] = delta["role"].clone();
            answer = json!({
                "id": chunk["id"], "object": "chat.completion", "created": chunk["created"], "model": chunk["model"],
                "choices": [{"index": 0, "message": null, "logprobs": null, "finish_reason": null}],
            });
        }
        for name in ["content", "refusal"] {
            if delta[name] != "" {
                append(&mut message[name], &delta[name]);
            }
        }
        if delta["reasoning_content"].is_string() {
            append(&mut message["reasoning_content"], &delta["reasoning_content"]);
        }
        for block in delta["thinking_blocks"].as_array().into_iter().flatten() {
            let mut block = block.clone();
            assert_eq!(block["index"], blocks.len());
            block.as_object_mut().unwrap().shift_remove("index");
            blocks.push(block);
        }
        for call in delta["tool_calls"].as_array().into_iter().flatten() {
            let index = usize::try_from(call["index"].as_u64().unwrap()).unwrap();
            assert!(index <= calls.len(), "indexes leave nothing out: {call}");
            if index == calls.len() {
                assert_eq!(call["type"], "function");
                let function = json!({"name": call["function"]["name"], "arguments": ""});
                calls.push(json!({"id": call["id"], "type": "function", "function": function}));
            } else {
                assert!(call["id"].is_null() && call["function"]["name"].is_null(), "{call}");
            }
            append(
                &mut calls[index]["function"]["arguments"],
                &call["function"]["arguments"],
            );
        }
        answer["choices"][0]["finish_reason"] = chunk["choices"][0]["finish_reason"].clone();
    }
    assert!(answer["choices"][0]["finish_reason"].is_string(), "no end: {events:?}");
    if !blocks.is_empty() {
        message["thinking_blocks"] = Value::Array(blocks);
    }
    if calls.is_empty() {
        if message["refusal"].is_null() && message["content"].is_null() {
            message["content"] = json!("");
        }
    } else {
        message["tool_calls"] = Value::Array(calls);
    }
    answer["choices"][0]["message"] = message;
    answer
}

/// The message that events of Messages add up to; inputs are parsed where they can be.
pub(super) fn message(events: &[Event]) -> Value {
    let mut message = Value::Null;
    let mut open: Option<(usize, String)> = None;
    let mut blocks = Vec::<Value>::new();
    let mut is_over = false;
    for (place, event) in events.iter().enumerate() {
        let data = data(event);
        assert_eq!(event.event.as_deref(), data["type"].as_str());
        assert!(!is_over, "after the end: {data}");
        assert_eq!(place == 0, data["type"] == "message_start", "{data}");
        assert!(
            place == 0 || message["stop_reason"].is_null() || data["type"] == "message_stop",
            "{data}"
        );
        match data["type"].as_str().unwrap() {
            "message_start" => message = data["message"].clone(),
            "content_block_start" => {
                assert!(open.is_none(), "two are open: {data}");
                assert_eq!(data["index"], blocks.len());
                open = Some((blocks.len(), String::new()));
                blocks.push(data["content_block"].clone());
            }
            "content_block_delta" => {
                let (index, input) = open.as_mut().expect("an open block");
                assert_eq!(data["index"], *index);
                let block = &mut blocks[*index];
                let delta = &data["delta"];
                match (
                    delta["type"].as_str().unwrap(),
                    block["type"].as_str().unwrap().to_owned().as_str(),
                ) {
                    ("text_delta", "text") => append(&mut block["text"], &delta["text"]),
                    ("thinking_delta", "thinking") => append(&mut block["thinking"], &delta["thinking"]),
                    ("input_json_delta", "tool_use") => input.push_str(delta["partial_json"].as_str().unwrap()),
                    (delta, block) => panic!("{delta} in {block}"),
                }
            }
            "content_block_stop" => {
                let (index, input) = open.take().expect("an open block");
                assert_eq!(data["index"], index);
                if blocks[index]["type"] == "tool_use" {
                    blocks[index]["input"] = serde_json::from_str(&input).unwrap_or(json!(input));
                }
            }
            "message_delta" => {
                assert!(open.is_none());
                message["stop_reason"] = data["delta"]["stop_reason"].clone();
                message["usage"] = data["usage"].clone();
            }
            "message_stop" => is_over = true,
            other => panic!("{other}"),
        }
    }
    assert!(is_over && message["stop_reason"].is_string(), "no end: {events:?}");
    message["content"] = Value::Array(blocks);
    message
}

/// The response that the events of one add up to: the last one says it, and the others have said the same.
pub(super) fn response(events: &[Event]) -> Value {
    let mut items = Vec::<Value>::new();
    let mut grown = String::new();
    let mut response = Value::Null;
    for (place, event) in events.iter().enumerate() {
        let data = data(event);
        let kind = data["type"].as_str().unwrap();
        assert_eq!(event.event.as_deref(), Some(kind));
        assert_eq!(data["sequence_number"], place, "{data}");
        assert!(response.is_null(), "after the end: {data}");
        assert_eq!(place == 0, kind == "response.created", "{data}");
        if data["output_index"].is_u64() {
            let expected = if kind == "response.output_item.added" {
                items.len()
            } else {
                items.len() - 1
            };
            assert_eq!(data["output_index"], expected, "{data}");
        }
        match kind {
            "response.created" | "response.in_progress" => assert_eq!(data["response"]["status"], "in_progress"),
            "response.output_item.added" => {
                grown.clear();
                items.push(data["item"].clone());
            }
            "response.output_item.done" => {
                let item = &data["item"];
                let said = item["content"][0]["text"]
                    .as_str()
                    .or(item["content"][0]["refusal"].as_str());
                assert_eq!(said.or(item["arguments"].as_str()), Some(grown.as_str()), "{item}");
                assert_eq!(items.last().unwrap()["id"], item["id"]);
                *items.last_mut().unwrap() = item.clone();
            }
            "response.content_part.added" | "response.content_part.done" => {
                assert_eq!(data["item_id"], items.last().unwrap()["id"]);
            }
            "response.completed" | "response.incomplete" => {
                assert_eq!(
                    format!("response.{}", data["response"]["status"].as_str().unwrap()),
                    kind
                );
                response = data["response"].clone();
            }
            other if other.ends_with(".delta") => {
                assert_eq!(data["item_id"], items.last().unwrap()["id"]);
                grown.push_str(data["delta"].as_str().unwrap());
            }
            other if other.ends_with(".done") => {
                let said = ["text", "arguments", "refusal"]
                    .iter()
                    .find_map(|name| data[*name].as_str());
                assert_eq!(said, Some(grown.as_str()), "{data}");
            }
            other => panic!("{other}"),
        }
    }
    assert_eq!(response["output"], Value::Array(items));
    response
}

/// What an answer says, whatever the order in which it says it: thoughts, texts, and calls by their id.
#[derive(Debug, PartialEq)]
pub(super) struct Gist {
    thoughts: String,
    text: String,
    refusal: String,
    calls: Vec<(String, String, Value)>,
    end: Value,
    usage: Value,
}

impl Gist {
    pub(super) fn of_message(message: &Object) -> Self {
        let mut gist = Self::ending(message["stop_reason"].clone(), message["usage"].clone());
        for block in message["content"].as_array().unwrap() {
            match block["type"].as_str().unwrap() {
                "thinking" => gist.thoughts += block["thinking"].as_str().unwrap(),
                "text" => gist.text += block["text"].as_str().unwrap(),
                "tool_use" => gist.call(&block["id"], &block["name"], block["input"].clone()),
                other => panic!("{other}"),
            }
        }
        gist.sorted()
    }

    pub(super) fn of_response(response: &Object) -> Self {
        let end = json!([response["status"], response["incomplete_details"]]);
        let mut gist = Self::ending(end, response["usage"].clone());
        for item in response["output"].as_array().unwrap() {
            let part = &item["content"][0];
            match item["type"].as_str().unwrap() {
                "reasoning" => gist.thoughts += part["text"].as_str().unwrap(),
                "message" => {
                    gist.text += part["text"].as_str().unwrap_or_default();
                    gist.refusal += part["refusal"].as_str().unwrap_or_default();
                }
                "function_call" => {
                    let arguments = serde_json::from_str(item["arguments"].as_str().unwrap()).unwrap();
                    gist.call(&item["call_id"], &item["name"], arguments);
                }
                other => panic!("{other}"),
            }
        }
        gist.sorted()
    }

    /// Forgets the order of the text.
    pub(super) fn sort_text(&mut self) {
        let mut characters: Vec<char> = self.text.chars().collect();
        characters.sort_unstable();
        self.text = characters.into_iter().collect();
    }

    fn ending(end: Value, usage: Value) -> Self {
        Self {
            thoughts: String::new(),
            text: String::new(),
            refusal: String::new(),
            calls: Vec::new(),
            end,
            usage,
        }
    }

    fn call(&mut self, id: &Value, name: &Value, arguments: Value) {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        self.calls.push((text(id), text(name), arguments));
    }

    fn sorted(mut self) -> Self {
        self.calls.sort_by(|one, other| one.0.cmp(&other.0));
        self
    }
}
