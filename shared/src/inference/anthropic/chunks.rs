//! The events of streamed Messages as chunks of a chat completion.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::inference::chat::{self, Finish, Said};
use crate::inference::errors::Fault;
use crate::inference::usage::{Counts, UsageChunk};
use crate::inference::{Dialect, Object, Stamp};
use crate::sse::Event;

/// Makes the chunks of a chat completion of the events of Messages.
///
/// The first chunk tells the role, calls have indexes from 0 in the order in which they appear, the last chunks tell the
/// reason to have stopped, the usage if it is wanted, and `[DONE]`; or, where the upstream fails or ends before
/// `message_stop`, an error. Events and blocks that chats have nothing like are passed over.
#[derive(Debug, Clone)]
pub struct ChatStream {
    stamp: Stamp,
    usage_chunk: UsageChunk,
    has_begun: bool,
    is_over: bool,
    /// Blocks that are open, by their index.
    open: BTreeMap<u64, Open>,
    calls: usize,
    signed: usize,
    finish: Option<Finish>,
    counts: Option<Counts>,
}

#[derive(Debug, Clone)]
enum Open {
    /// A call: its number, the input it began with, and whether more of it came.
    Call {
        number: usize,
        input: Value,
        has_grown: bool,
    },
    /// A thought, to be sent back when it is signed.
    Thought { text: String, signature: String },
    /// A thought that only the model can read.
    Redacted(Value),
}

impl ChatStream {
    /// A stream for one answer.
    #[must_use]
    pub fn new(stamp: Stamp, usage_chunk: UsageChunk) -> Self {
        Self {
            stamp,
            usage_chunk,
            has_begun: false,
            is_over: false,
            open: BTreeMap::new(),
            calls: 0,
            signed: 0,
            finish: None,
            counts: None,
        }
    }

    /// What one event of the upstream becomes.
    pub fn event(&mut self, event: &Event) -> Vec<Event> {
        let mut out = Vec::new();
        let Ok(data) = serde_json::from_str::<Object>(&event.data) else {
            return out;
        };
        if self.is_over {
            return out;
        }
        let data = Value::Object(data);
        let kind = data["type"].as_str().or(event.event.as_deref()).unwrap_or_default();
        match kind {
            "message_start" => {
                self.count(&data["message"]["usage"]);
                self.begin(&mut out);
            }
            "content_block_start" => self.block_start(&data, &mut out),
            "content_block_delta" => self.block_delta(&data, &mut out),
            "content_block_stop" => self.block_stop(&data["index"], &mut out),
            "message_delta" => {
                self.count(&data["usage"]);
                let reason = data["delta"]["stop_reason"].as_str();
                self.finish = reason.map(Finish::of_messages).or(self.finish);
            }
            "message_stop" => self.end(&mut out),
            "error" => {
                if let Said::Fault { status, message } = chat::fault(&data["error"]) {
                    self.fault(status, &message, &mut out);
                }
            }
            _ => {}
        }
        out
    }

    /// The end of the upstream's stream: an end to ours, if it has none yet. An upstream that said why it stopped was
    /// complete without saying that it was.
    pub fn finish(&mut self) -> Vec<Event> {
        let mut out = Vec::new();
        match (self.is_over, self.finish) {
            (true, _) => {}
            (false, Some(_)) => self.end(&mut out),
            (false, None) => self.fault(502, crate::inference::BROKEN_OFF, &mut out),
        }
        out
    }

    /// Tells an error and ends the stream, if it has no end yet.
    pub fn fail(&mut self, status: u16, message: &str) -> Vec<Event> {
        let mut out = Vec::new();
        if !self.is_over {
            self.fault(status, message, &mut out);
        }
        out
    }

    fn count(&mut self, usage: &Value) {
        if let Some(usage) = usage.as_object() {
            self.counts.get_or_insert_default().add(Dialect::Messages, usage);
        }
    }

    fn begin(&mut self, out: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.has_begun, true) {
            let delta = json!({"role": "assistant", "content": ""});
            out.push(chat::chunk(&self.stamp, delta, None));
        }
    }

    fn say(&mut self, delta: Value, out: &mut Vec<Event>) {
        self.begin(out);
        out.push(chat::chunk(&self.stamp, delta, None));
    }

    fn say_text(&mut self, name: &str, text: &Value, out: &mut Vec<Event>) {
        if let Some(text) = text.as_str().filter(|text| !text.is_empty()) {
            self.say(json!({name: text}), out);
        }
    }

    fn say_call(&mut self, number: usize, arguments: &str, out: &mut Vec<Event>) {
        let function = json!({"arguments": arguments});
        self.say(json!({"tool_calls": [{"index": number, "function": function}]}), out);
    }

    fn block_start(&mut self, data: &Value, out: &mut Vec<Event>) {
        let index = data["index"].as_u64().unwrap_or_default();
        let block = &data["content_block"];
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        match block["type"].as_str() {
            Some("text") => self.say_text("content", &block["text"], out),
            Some("thinking") => {
                self.say_text("reasoning_content", &block["thinking"], out);
                let thought = Open::Thought {
                    text: text(&block["thinking"]),
                    signature: text(&block["signature"]),
                };
                self.open.insert(index, thought);
            }
            Some("redacted_thinking") => {
                self.open.insert(index, Open::Redacted(block.clone()));
            }
            Some("tool_use") => {
                let number = self.calls;
                self.calls += 1;
                let made = chat::Call {
                    id: text(&block["id"]),
                    ..chat::Call::default()
                };
                let id = made.id_or_made(&self.stamp, number);
                let function = json!({"name": text(&block["name"]), "arguments": ""});
                let call = json!({"index": number, "id": id, "type": "function", "function": function});
                self.say(json!({"tool_calls": [call]}), out);
                let call = Open::Call {
                    number,
                    input: block["input"].clone(),
                    has_grown: false,
                };
                self.open.insert(index, call);
            }
            _ => {}
        }
    }

    fn block_delta(&mut self, data: &Value, out: &mut Vec<Event>) {
        let index = data["index"].as_u64().unwrap_or_default();
        let delta = &data["delta"];
        match delta["type"].as_str() {
            Some("text_delta") => self.say_text("content", &delta["text"], out),
            Some("thinking_delta") => {
                if let (Some(Open::Thought { text, .. }), Some(more)) =
                    (self.open.get_mut(&index), delta["thinking"].as_str())
                {
                    text.push_str(more);
                }
                self.say_text("reasoning_content", &delta["thinking"], out);
            }
            Some("signature_delta") => {
                if let (Some(Open::Thought { signature, .. }), Some(more)) =
                    (self.open.get_mut(&index), delta["signature"].as_str())
                {
                    signature.push_str(more);
                }
            }
            Some("input_json_delta") => {
                let more = delta["partial_json"].as_str().filter(|more| !more.is_empty());
                if let (Some(Open::Call { number, has_grown, .. }), Some(more)) = (self.open.get_mut(&index), more) {
                    *has_grown = true;
                    let number = *number;
                    self.say_call(number, more, out);
                }
            }
            _ => {}
        }
    }

    fn block_stop(&mut self, index: &Value, out: &mut Vec<Event>) {
        if let Some(block) = self.open.remove(&index.as_u64().unwrap_or_default()) {
            self.close(block, out);
        }
    }

    fn close(&mut self, block: Open, out: &mut Vec<Event>) {
        match block {
            Open::Call { has_grown: true, .. } => {}
            // Without any piece, the input is what stood at the beginning.
            Open::Call { number, input, .. } => {
                let input = if input.is_null() { json!({}) } else { input };
                self.say_call(number, &input.to_string(), out);
            }
            Open::Thought { signature, .. } if signature.is_empty() => {}
            Open::Thought { text, signature } => {
                self.sign(
                    json!({"type": "thinking", "thinking": text, "signature": signature}),
                    out,
                );
            }
            Open::Redacted(block) => self.sign(block, out),
        }
    }

    /// Tells a block that is to be sent back. Clients put lists together by the index of their elements.
    fn sign(&mut self, mut block: Value, out: &mut Vec<Event>) {
        block["index"] = json!(self.signed);
        self.signed += 1;
        self.say(json!({"thinking_blocks": [block]}), out);
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        self.begin(out);
        for block in std::mem::take(&mut self.open).into_values() {
            self.close(block, out);
        }
        self.is_over = true;
        let finish = self.finish.unwrap_or_default().given_calls(self.calls > 0);
        out.push(chat::chunk(&self.stamp, json!({}), Some(finish)));
        out.extend(chat::done(
            &self.stamp,
            self.usage_chunk,
            self.counts.map(Counts::usage),
        ));
    }

    fn fault(&mut self, status: u16, message: &str, out: &mut Vec<Event>) {
        self.is_over = true;
        let fault = Fault {
            status,
            message,
            param: None,
            code: None,
        };
        out.push(fault.event(Dialect::Chat));
    }
}
