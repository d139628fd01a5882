//! A streamed chat completion as the events of a response.

use serde_json::{Value, json};

use super::answer::{
    Echo, call_item, item_id, message_item, reasoning_item, reasoning_part, refusal_part, response, status, text_part,
};
use crate::inference::blocks::{Block, Blocks, Kind, Step};
use crate::inference::chat::{Call, ChunkReader, Finish, Said};
use crate::inference::errors::Fault;
use crate::inference::{Stamp, Usage};
use crate::sse::Event;

/// Makes the events of a response of the chunks of a chat completion.
///
/// Whatever comes, the events are well formed: `response.created` first, items that are added, grow and are done one after
/// the other, `response.completed` or `response.incomplete` with the usage; or, where the upstream fails or ends before it
/// said that or why it stopped, an `error` at the end. `sequence_number` counts from 0 without gaps. Events that are no chunks
/// are passed over.
#[derive(Debug, Clone)]
pub struct ResponseStream {
    stamp: Stamp,
    echo: Echo,
    chunks: ChunkReader,
    blocks: Blocks,
    /// The items that are done.
    output: Vec<Value>,
    told: u64,
    is_over: bool,
    finish: Option<Finish>,
    usage: Option<Usage>,
}

impl ResponseStream {
    /// A stream for one answer.
    #[must_use]
    pub fn new(stamp: Stamp, echo: Echo) -> Self {
        Self {
            stamp,
            echo,
            chunks: ChunkReader::default(),
            blocks: Blocks::default(),
            output: Vec::new(),
            told: 0,
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
                    for step in self.blocks.say(&said) {
                        self.step(step, &mut out);
                    }
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

    fn tell(&mut self, kind: &str, mut members: Value, out: &mut Vec<Event>) {
        members["type"] = json!(kind);
        members["sequence_number"] = json!(self.told);
        self.told += 1;
        out.push(Event::named(kind, members.to_string()));
    }

    fn begin(&mut self, out: &mut Vec<Event>) {
        if self.told > 0 {
            return;
        }
        for kind in ["response.created", "response.in_progress"] {
            let response = response(&self.stamp, &self.echo, Vec::new(), None, None);
            self.tell(kind, json!({"response": response}), out);
        }
    }

    fn end(&mut self, out: &mut Vec<Event>) {
        self.is_over = true;
        self.begin(out);
        for step in self.blocks.close() {
            self.step(step, out);
        }
        let finish = self.finish.unwrap_or_default();
        let output = std::mem::take(&mut self.output);
        let response = response(&self.stamp, &self.echo, output, Some(finish), self.usage);
        let kind = format!("response.{}", status(finish));
        self.tell(&kind, json!({"response": response}), out);
    }

    fn fault(&mut self, status: u16, message: &str, out: &mut Vec<Event>) {
        self.is_over = true;
        let fault = Fault {
            status,
            message,
            param: None,
            code: None,
        };
        out.push(fault.response_event(self.told));
    }

    fn step(&mut self, step: Step, out: &mut Vec<Event>) {
        match step {
            Step::Open(place, block) => {
                let item = self.item(place, &block, None);
                self.tell(
                    "response.output_item.added",
                    json!({"output_index": place, "item": item}),
                    out,
                );
                if let Some(part) = part(block.kind, "") {
                    let mut members = self.within(place, block.kind);
                    members["part"] = part;
                    self.tell("response.content_part.added", members, out);
                }
            }
            Step::Delta(place, kind, text) => {
                let mut members = self.within(place, kind);
                members["delta"] = json!(text);
                if kind == Kind::Text {
                    members["logprobs"] = json!([]);
                }
                self.tell(&format!("{}.delta", event_of(kind)), members, out);
            }
            Step::Close(place, block) => self.close(place, &block, out),
        }
    }

    fn close(&mut self, place: usize, block: &Block, out: &mut Vec<Event>) {
        let mut members = self.within(place, block.kind);
        let text = match block.kind {
            Kind::Reasoning | Kind::Text => "text",
            Kind::Refusal => "refusal",
            Kind::Call => "arguments",
        };
        members[text] = json!(block.text);
        match block.kind {
            Kind::Text => members["logprobs"] = json!([]),
            Kind::Call => members["name"] = json!(block.name),
            Kind::Reasoning | Kind::Refusal => {}
        }
        self.tell(&format!("{}.done", event_of(block.kind)), members, out);
        if let Some(part) = part(block.kind, &block.text) {
            let mut members = self.within(place, block.kind);
            members["part"] = part;
            self.tell("response.content_part.done", members, out);
        }
        let finish = self.finish.unwrap_or_default();
        let item = self.item(place, block, Some(finish));
        self.output.push(item.clone());
        self.tell(
            "response.output_item.done",
            json!({"output_index": place, "item": item}),
            out,
        );
    }

    /// Where an event belongs.
    fn within(&self, place: usize, kind: Kind) -> Value {
        let prefix = match kind {
            Kind::Reasoning => "rs",
            Kind::Text | Kind::Refusal => "msg",
            Kind::Call => "fc",
        };
        let mut members = json!({"item_id": item_id(prefix, &self.stamp, place), "output_index": place});
        match kind {
            Kind::Reasoning | Kind::Text | Kind::Refusal => members["content_index"] = json!(0),
            Kind::Call => {}
        }
        members
    }

    /// An item: as it ended, or, before that, with nothing in it.
    fn item(&self, place: usize, block: &Block, finish: Option<Finish>) -> Value {
        let status = finish.map_or("in_progress", status);
        let text = if finish.is_some() { block.text.as_str() } else { "" };
        let stamp = &self.stamp;
        match block.kind {
            Kind::Reasoning => reasoning_item(stamp, place, text),
            Kind::Text | Kind::Refusal => {
                let part = part(block.kind, text).filter(|_| finish.is_some());
                message_item(stamp, place, part.into_iter().collect(), status)
            }
            Kind::Call => {
                let call = Call {
                    id: block.id.clone(),
                    ..Call::default()
                };
                let id = call.id_or_made(stamp, block.number);
                call_item(stamp, place, &id, &block.name, text, status)
            }
        }
    }
}

fn event_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Reasoning => "response.reasoning_text",
        Kind::Text => "response.output_text",
        Kind::Refusal => "response.refusal",
        Kind::Call => "response.function_call_arguments",
    }
}

/// The part of an item that holds its text; calls have none.
fn part(kind: Kind, text: &str) -> Option<Value> {
    match kind {
        Kind::Reasoning => Some(reasoning_part(text)),
        Kind::Text => Some(text_part(text)),
        Kind::Refusal => Some(refusal_part(text)),
        Kind::Call => None,
    }
}
