//! What an answer says, whole.

use serde_json::{Value, json};

use super::chunks::{chunk, done};
use crate::inference::usage::UsageChunk;
use crate::inference::{Dialect, Object, Stamp, Usage, blocks, fields, reasoning};
use crate::sse::Event;

/// How many bytes of a call's arguments go into one chunk.
const ARGUMENTS: usize = 24;

/// What a model answers: the first choice of a chat completion, other choices having no like elsewhere.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Reply {
    /// What it thought; empty when it did not tell.
    pub reasoning: String,
    /// The same as blocks with signatures, as Anthropic wants to have them back (`thinking_blocks`, the name that other
    /// proxies have for it).
    pub thinking_blocks: Vec<Value>,
    /// What it says.
    pub text: String,
    /// Why it refuses to say anything; empty when it does not.
    pub refusal: String,
    /// The tools it calls.
    pub calls: Vec<Call>,
    /// Why it stopped.
    pub finish: Finish,
    /// What it cost, when it was told.
    pub usage: Option<Usage>,
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Call {
    /// Its id; empty when the model gave it none.
    pub id: String,
    /// The tool.
    pub name: String,
    /// Its arguments as the model wrote them: JSON, if all is well.
    pub arguments: String,
}

impl Call {
    /// Its id, or one that is made of the stamp and the call's number.
    pub(in crate::inference) fn id_or_made(&self, stamp: &Stamp, number: usize) -> String {
        if self.id.is_empty() {
            format!("call_{}_{number}", stamp.id)
        } else {
            self.id.clone()
        }
    }
}

/// Why an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Finish {
    /// It was complete, or came upon a stop sequence.
    #[default]
    Stop,
    /// It was as long as it may be.
    Length,
    /// Tools are to be called.
    ToolCalls,
    /// The model, or a filter, would not say it.
    ContentFilter,
}

impl Finish {
    /// Reads a `finish_reason`. Words that nobody knows are as good as `stop`.
    #[must_use]
    pub fn of_chat(reason: &str) -> Self {
        match reason {
            "length" => Self::Length,
            "tool_calls" | "function_call" => Self::ToolCalls,
            "content_filter" => Self::ContentFilter,
            _ => Self::Stop,
        }
    }

    /// Reads a `stop_reason`.
    #[must_use]
    pub fn of_messages(reason: &str) -> Self {
        match reason {
            "max_tokens" | "model_context_window_exceeded" => Self::Length,
            "tool_use" => Self::ToolCalls,
            "refusal" => Self::ContentFilter,
            _ => Self::Stop,
        }
    }

    /// The `finish_reason`.
    #[must_use]
    pub const fn as_chat(self) -> &'static str {
        match self {
            Self::Stop => "stop",
            Self::Length => "length",
            Self::ToolCalls => "tool_calls",
            Self::ContentFilter => "content_filter",
        }
    }

    /// The `stop_reason`.
    #[must_use]
    pub const fn as_messages(self) -> &'static str {
        match self {
            Self::Stop => "end_turn",
            Self::Length => "max_tokens",
            Self::ToolCalls => "tool_use",
            Self::ContentFilter => "refusal",
        }
    }

    /// Some servers say `stop` where tools are to be called, which clients believe.
    pub(in crate::inference) const fn given_calls(self, has_calls: bool) -> Self {
        match self {
            Self::Stop if has_calls => Self::ToolCalls,
            Self::Stop | Self::Length | Self::ToolCalls | Self::ContentFilter => self,
        }
    }
}

impl Reply {
    /// Reads a chat completion, as far as it is one.
    #[must_use]
    pub fn of_chat(answer: &Object) -> Self {
        let choice = answer.get("choices").map_or(&Value::Null, |choices| &choices[0]);
        let message = &choice["message"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let mut calls: Vec<Call> = message["tool_calls"]
            .as_array()
            .into_iter()
            .flatten()
            .map(call)
            .collect();
        if message["function_call"].is_object() {
            calls.push(call(&json!({"function": message["function_call"]})));
        }
        Self {
            reasoning: reasoning::of(message).unwrap_or_default(),
            thinking_blocks: message["thinking_blocks"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(signed)
                .collect(),
            text: fields::plain_text(&message["content"], &["text", "output_text"]).unwrap_or_default(),
            refusal: text(&message["refusal"]),
            finish: Finish::of_chat(choice["finish_reason"].as_str().unwrap_or_default())
                .given_calls(!calls.is_empty()),
            calls,
            usage: Usage::of_answer(Dialect::Chat, answer),
        }
    }

    /// The answer as a chat completion.
    #[must_use]
    pub fn to_chat(&self, stamp: &Stamp) -> Object {
        let mut message = Object::new();
        message.insert("role".to_owned(), json!("assistant"));
        let is_silent = self.text.is_empty() && !(self.calls.is_empty() && self.refusal.is_empty());
        let content = if is_silent { Value::Null } else { json!(self.text) };
        message.insert("content".to_owned(), content);
        let refusal = Some(&self.refusal).filter(|refusal| !refusal.is_empty());
        message.insert("refusal".to_owned(), json!(refusal));
        if !self.reasoning.is_empty() {
            message.insert("reasoning_content".to_owned(), json!(self.reasoning));
        }
        if !self.thinking_blocks.is_empty() {
            message.insert("thinking_blocks".to_owned(), json!(self.thinking_blocks));
        }
        if !self.calls.is_empty() {
            let calls = self.calls.iter().enumerate().map(|(number, call)| {
                let function = json!({"name": call.name, "arguments": blocks::arguments_of(&call.arguments)});
                json!({"id": call.id_or_made(stamp, number), "type": "function", "function": function})
            });
            message.insert("tool_calls".to_owned(), calls.collect());
        }
        let choice = json!({
            "index": 0, "message": message, "logprobs": null, "finish_reason": self.finish.as_chat(),
        });
        let mut answer = Object::new();
        answer.insert("id".to_owned(), json!(format!("chatcmpl-{}", stamp.id)));
        answer.insert("object".to_owned(), json!("chat.completion"));
        answer.insert("created".to_owned(), json!(stamp.created));
        answer.insert("model".to_owned(), json!(stamp.model));
        answer.insert("choices".to_owned(), json!([choice]));
        if let Some(usage) = self.usage {
            answer.insert("usage".to_owned(), usage.to_value(Dialect::Chat));
        }
        answer
    }

    /// The answer as the events of a streamed chat completion, its texts cut into words, `[DONE]` included.
    #[must_use]
    pub fn to_chunks(&self, stamp: &Stamp, usage_chunk: UsageChunk) -> Vec<Event> {
        let mut deltas = vec![json!({"role": "assistant", "content": ""})];
        deltas.extend(words(&self.reasoning).map(|word| json!({"reasoning_content": word})));
        deltas.extend(self.thinking_blocks.iter().enumerate().map(|(index, block)| {
            let mut block = block.clone();
            if let Some(members) = block.as_object_mut() {
                members.insert("index".to_owned(), json!(index));
            }
            json!({"thinking_blocks": [block]})
        }));
        deltas.extend(words(&self.text).map(|word| json!({"content": word})));
        deltas.extend(words(&self.refusal).map(|word| json!({"refusal": word})));
        for (number, call) in self.calls.iter().enumerate() {
            let function = json!({"name": call.name, "arguments": ""});
            let id = call.id_or_made(stamp, number);
            deltas.push(json!({"tool_calls": [{"index": number, "id": id, "type": "function", "function": function}]}));
            let mut rest = blocks::arguments_of(&call.arguments);
            while !rest.is_empty() {
                let (piece, after) = rest.split_at(rest.ceil_char_boundary(ARGUMENTS));
                deltas.push(json!({"tool_calls": [{"index": number, "function": {"arguments": piece}}]}));
                rest = after;
            }
        }
        let mut events: Vec<Event> = deltas.into_iter().map(|delta| chunk(stamp, delta, None)).collect();
        events.push(chunk(stamp, json!({}), Some(self.finish)));
        events.extend(done(stamp, usage_chunk, self.usage));
        events
    }
}

/// A block without the index that it had in a stream.
fn signed(block: &Value) -> Option<Value> {
    let mut block = block.as_object()?.clone();
    block.shift_remove("index");
    Some(Value::Object(block))
}

fn call(call: &Value) -> Call {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let function = &call["function"];
    Call {
        id: text(&call["id"]),
        name: text(&function["name"]),
        arguments: arguments(&function["arguments"]).unwrap_or_default(),
    }
}

/// Arguments are text; some servers give the object itself.
pub(super) fn arguments(arguments: &Value) -> Option<String> {
    match arguments {
        Value::String(text) => Some(text.clone()),
        Value::Object(_) => Some(arguments.to_string()),
        _ => None,
    }
}

/// A text cut after each of its words, so that nothing of it is lost.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_inclusive(char::is_whitespace)
}
