//! What an answer says, chunk by chunk.

use serde_json::{Value, json};

use super::reply::{Finish, arguments};
use crate::inference::usage::UsageChunk;
use crate::inference::{Dialect, Object, Stamp, Usage, errors, fields, reasoning};
use crate::sse::Event;

/// One thing that a streamed chat completion says.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::inference) enum Said {
    Reasoning(String),
    Text(String),
    Refusal(String),
    /// Something of a call; calls are numbered in the order in which they appear.
    Call {
        number: usize,
        id: Option<String>,
        name: Option<String>,
        arguments: String,
    },
    Finish(Finish),
    Usage(Usage),
    /// The upstream gave up.
    Fault {
        status: u16,
        message: String,
    },
    /// `[DONE]`.
    End,
}

/// Reads chunks, and keeps in mind which call is which.
#[derive(Debug, Clone, Default)]
pub(in crate::inference) struct ChunkReader {
    calls: Vec<KnownCall>,
}

#[derive(Debug, Clone)]
struct KnownCall {
    index: u64,
    id: String,
    is_named: bool,
}

/// The index of what older servers call a function, and have one of.
const FUNCTION: u64 = u64::MAX;

impl ChunkReader {
    /// What an event says, in the order in which it is to be told; nothing when it is no chunk.
    pub(in crate::inference) fn read(&mut self, event: &Event) -> Vec<Said> {
        if event.data.trim() == "[DONE]" {
            return vec![Said::End];
        }
        let Ok(chunk) = serde_json::from_str::<Object>(&event.data) else {
            return Vec::new();
        };
        if let Some(error) = chunk.get("error").filter(|error| !error.is_null()) {
            return vec![fault(error)];
        }
        let mut said = Vec::new();
        let choices = chunk.get("choices").and_then(Value::as_array);
        let is_first = |choice: &&Value| choice["index"].as_u64().is_none_or(|index| index == 0);
        for choice in choices.into_iter().flatten().filter(is_first) {
            self.delta(&choice["delta"], &mut said);
            if let Some(reason) = choice["finish_reason"].as_str() {
                said.push(Said::Finish(Finish::of_chat(reason)));
            }
        }
        let usage = chunk.get("usage").and_then(|usage| Usage::of(Dialect::Chat, usage));
        said.extend(usage.map(Said::Usage));
        said
    }

    fn delta(&mut self, delta: &Value, said: &mut Vec<Said>) {
        let some = |text: String| Some(text).filter(|text| !text.is_empty());
        let text = |value: &Value| value.as_str().map(str::to_owned).and_then(some);
        said.extend(reasoning::of(delta).map(Said::Reasoning));
        let content = fields::plain_text(&delta["content"], &["text", "output_text"]);
        said.extend(content.and_then(some).map(Said::Text));
        said.extend(text(&delta["refusal"]).map(Said::Refusal));
        let mut call = |index: Option<u64>, position: usize, id: Option<String>, function: &Value| {
            let name = text(&function["name"]);
            said.push(Said::Call {
                number: self.number(index, position, id.as_deref(), name.is_some()),
                id,
                name,
                arguments: arguments(&function["arguments"]).unwrap_or_default(),
            });
        };
        for (position, part) in delta["tool_calls"].as_array().into_iter().flatten().enumerate() {
            if part.is_object() {
                call(part["index"].as_u64(), position, text(&part["id"]), &part["function"]);
            }
        }
        if delta["function_call"].is_object() {
            call(Some(FUNCTION), 0, None, &delta["function_call"]);
        }
    }

    /// Which call is meant. An index names one, but some servers give all calls the same index, or none: an id that is
    /// another one, or a second name where there is no index, begins a new call.
    fn number(&mut self, index: Option<u64>, position: usize, id: Option<&str>, is_named: bool) -> usize {
        let place = index.unwrap_or(position as u64);
        let known = self.calls.iter().rposition(|known| known.index == place);
        if let Some(number) = known {
            let known = &mut self.calls[number];
            let is_other = id.is_some_and(|id| !known.id.is_empty() && known.id != id);
            let is_next = index.is_none() && is_named && known.is_named;
            if !is_other && !is_next {
                if let Some(id) = id {
                    id.clone_into(&mut known.id);
                }
                known.is_named |= is_named;
                return number;
            }
        }
        self.calls.push(KnownCall {
            index: place,
            id: id.unwrap_or_default().to_owned(),
            is_named,
        });
        self.calls.len() - 1
    }
}

/// What the error in a stream says.
pub(in crate::inference) fn fault(error: &Value) -> Said {
    let code = error["code"].as_u64().or(error["status"].as_u64());
    let status = code
        .and_then(|code| u16::try_from(code).ok())
        .filter(|code| (400..600).contains(code));
    let kind = error["type"].as_str().unwrap_or_default();
    let message = error.as_str().map(str::to_owned).or_else(|| errors::in_value(error));
    Said::Fault {
        status: status.unwrap_or_else(|| errors::status_of(kind)),
        message: message.unwrap_or_else(|| "the model failed without a word".to_owned()),
    }
}

/// A chunk.
pub(in crate::inference) fn chunk(stamp: &Stamp, delta: Value, finish: Option<Finish>) -> Event {
    let choice = json!({
        "index": 0, "delta": delta, "logprobs": null, "finish_reason": finish.map(Finish::as_chat),
    });
    Event::data(with_choices(stamp, json!([choice])).to_string())
}

fn with_choices(stamp: &Stamp, choices: Value) -> Value {
    json!({
        "id": format!("chatcmpl-{}", stamp.id), "object": "chat.completion.chunk",
        "created": stamp.created, "model": stamp.model, "choices": choices,
    })
}

/// The end of a streamed chat completion: the chunk that tells the usage, if it is wanted and known, and `[DONE]`.
pub(in crate::inference) fn done(stamp: &Stamp, usage_chunk: UsageChunk, usage: Option<Usage>) -> Vec<Event> {
    let told = match usage_chunk {
        UsageChunk::Passed => usage,
        UsageChunk::CutOut => None,
    };
    let usage = told.map(|usage| {
        let mut chunk = with_choices(stamp, json!([]));
        chunk["usage"] = usage.to_value(Dialect::Chat);
        Event::data(chunk.to_string())
    });
    usage.into_iter().chain([Event::data("[DONE]")]).collect()
}
