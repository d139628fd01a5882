//! A streamed chat completion as the events of Messages.

use serde_json::{Value, json};

use super::answers::message;
use crate::inference::blocks::{Block, Blocks, Kind, Step};
use crate::inference::chat::{Call, ChunkReader, Finish, Said};
use crate::inference::errors::Fault;
use crate::inference::{Dialect, Stamp, Usage};
use crate::sse::Event;

/// Makes the events of Messages of the chunks of a chat completion.
///
/// Whatever comes, the events are well formed: one `message_start`, blocks that open, grow and close one after the other
/// with indexes from 0, one `message_delta` and `message_stop`; or, where the upstream fails or ends before it
/// said that or why it stopped, an `error` at the end. Events that are no chunks are passed over.
#[derive(Debug, Clone)]
pub struct MessageStream {
    stamp: Stamp,
    input: u64,
    chunks: ChunkReader,
    blocks: Blocks,
    has_begun: bool,
    is_over: bool,
    finish: Option<Finish>,
    usage: Option<Usage>,
}

impl MessageStream {
    /// A stream for one answer. `input` is how many tokens of input `message_start` tells, an estimate or 0: chat
    /// completions tell theirs at the end, as this stream does again in `message_delta`.
    #[must_use]
    pub fn new(stamp: Stamp, input: u64) -> Self {
        Self {
            stamp,
            input,
            chunks: ChunkReader::default(),
            blocks: Blocks::default(),
            has_begun: false,
            is_over: false,
            finish: None,
            usage: None,
        }
    }

    /// What one event of the upstream becomes.
    pub fn event(&mut self, event: &Event) -> Vec<Event> {
        let mut out = Vec::new();
        for said in self.chunks.read(event) {
            if self.is_over {
                break;
            }
            match &said {
                Said::Fault { status, message } => self.fault(*status, message, &mut out),
                Said::End => self.end(&mut out),
                Said::Finish(finish) => self.finish = Some(*finish),
                Said::Usage(usage) => self.usage = Some(*usage),
                Said::Reasoning(_) | Said::Text(_) | Said::Refusal(_) | Said::Call { .. } => {
                    self.begin(&mut out);
                    let steps = self.blocks.say(&said);
                    out.extend(steps.into_iter().map(|step| self.step(step)));
                }
            }
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

    fn begin(&mut self, out: &mut Vec<Event>) {
        if !std::mem::replace(&mut self.has_begun, true) {
            let message = message(&self.stamp, json!([]), None, self.estimate());
            out.push(named(json!({"type": "message_start", "message": message})));
        }
    }

    /// The usage as long as the upstream has told none.
    fn estimate(&self) -> Usage {
        Usage {
            input: self.input,
            ..Usage::default()
        }
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        self.is_over = true;
        self.begin(out);
        let steps = self.blocks.close();
        out.extend(steps.into_iter().map(|step| self.step(step)));
        let finish = self.finish.unwrap_or_default();
        let reason = finish.given_calls(self.blocks.has_calls()).as_messages();
        let usage = self.usage.unwrap_or(self.estimate()).to_value(Dialect::Messages);
        let delta = json!({"stop_reason": reason, "stop_sequence": null});
        out.push(named(json!({"type": "message_delta", "delta": delta, "usage": usage})));
        out.push(named(json!({"type": "message_stop"})));
    }

    fn fault(&mut self, status: u16, message: &str, out: &mut Vec<Event>) {
        self.is_over = true;
        let fault = Fault {
            status,
            message,
            param: None,
            code: None,
        };
        out.push(fault.event(Dialect::Messages));
    }

    fn step(&self, step: Step) -> Event {
        named(match step {
            Step::Open(index, block) => {
                let block = self.opened(&block);
                json!({"type": "content_block_start", "index": index, "content_block": block})
            }
            Step::Delta(index, kind, text) => {
                let delta = match kind {
                    Kind::Reasoning => json!({"type": "thinking_delta", "thinking": text}),
                    Kind::Text | Kind::Refusal => json!({"type": "text_delta", "text": text}),
                    Kind::Call => json!({"type": "input_json_delta", "partial_json": text}),
                };
                json!({"type": "content_block_delta", "index": index, "delta": delta})
            }
            Step::Close(index, _) => json!({"type": "content_block_stop", "index": index}),
        })
    }

    fn opened(&self, block: &Block) -> Value {
        match block.kind {
            Kind::Reasoning => json!({"type": "thinking", "thinking": "", "signature": ""}),
            Kind::Text | Kind::Refusal => json!({"type": "text", "text": ""}),
            Kind::Call => {
                let call = Call {
                    id: block.id.clone(),
                    ..Call::default()
                };
                let id = call.id_or_made(&self.stamp, block.number);
                json!({"type": "tool_use", "id": id, "name": block.name, "input": {}})
            }
        }
    }
}

/// An event whose type stands in its data too.
fn named(data: Value) -> Event {
    Event::named(data["type"].as_str().unwrap_or_default(), data.to_string())
}
