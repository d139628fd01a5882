//! An answer put together from its pieces, for whoever wants both: the pieces as they come, and the whole.

use serde_json::Value;

use super::chunks::{ChunkReader, Said};
use super::reply::{Call, Reply};
use crate::sse::Event;

/// So many calls an answer may have.
const CALLS: usize = 128;

/// Puts together a streamed chat completion.
#[derive(Debug, Clone, Default)]
pub struct Assembly {
    reader: ChunkReader,
    reply: Reply,
    is_finished: bool,
    fault: Option<Fault>,
}

/// The upstream gave up in the middle of its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The HTTP status that it would have been.
    pub status: u16,
    /// What it says.
    pub message: String,
}

/// A piece of an answer that can be shown as it comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Piece {
    /// Of what it says.
    Text(String),
    /// Of what it thinks.
    Thinking(String),
}

impl Assembly {
    /// Takes the next event in; what of it can be shown.
    pub fn push(&mut self, event: &Event) -> Vec<Piece> {
        let mut pieces = Vec::new();
        for said in self.reader.read(event) {
            match said {
                Said::Reasoning(text) => {
                    self.reply.reasoning.push_str(&text);
                    pieces.push(Piece::Thinking(text));
                }
                Said::Text(text) => {
                    self.reply.text.push_str(&text);
                    pieces.push(Piece::Text(text));
                }
                Said::Refusal(text) => {
                    self.reply.refusal.push_str(&text);
                    pieces.push(Piece::Text(text));
                }
                Said::Call {
                    number,
                    id,
                    name,
                    arguments,
                } => self.call(number, id, name, &arguments),
                Said::Finish(finish) => {
                    self.is_finished = true;
                    self.reply.finish = finish.given_calls(!self.reply.calls.is_empty());
                }
                Said::Usage(usage) => self.reply.usage = Some(usage),
                Said::Fault { status, message } => self.fault = Some(Fault { status, message }),
                Said::End => {}
            }
        }
        self.signed(event);
        pieces
    }

    fn call(&mut self, number: usize, id: Option<String>, name: Option<String>, arguments: &str) {
        if number >= CALLS {
            return;
        }
        if self.reply.calls.len() <= number {
            self.reply.calls.resize_with(number + 1, Call::default);
        }
        let call = &mut self.reply.calls[number];
        if let Some(id) = id {
            call.id = id;
        }
        if let Some(name) = name {
            // One server says the name again with each chunk, another cuts it in pieces.
            match call.name == name {
                true => {}
                false => call.name.push_str(&name),
            }
        }
        call.arguments.push_str(arguments);
    }

    /// Blocks of thought with a signature, which come whole.
    fn signed(&mut self, event: &Event) {
        if !event.data.contains("thinking_blocks") {
            return;
        }
        let Ok(chunk) = serde_json::from_str::<Value>(&event.data) else {
            return;
        };
        let blocks = chunk["choices"][0]["delta"]["thinking_blocks"].as_array();
        for block in blocks.into_iter().flatten() {
            let mut block = block.clone();
            if let Some(members) = block.as_object_mut() {
                members.shift_remove("index");
                self.reply.thinking_blocks.push(block);
            }
        }
    }

    /// The whole answer, or why there is none. One that broke off before it was finished is none.
    ///
    /// # Errors
    /// What the upstream said last, or that it broke off.
    pub fn finish(self) -> Result<Reply, Fault> {
        if let Some(fault) = self.fault {
            return Err(fault);
        }
        if !self.is_finished {
            let message = "the model's answer broke off before it was complete".to_owned();
            return Err(Fault { status: 502, message });
        }
        Ok(self.reply)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::inference::chat::Finish;
    use crate::inference::usage::UsageChunk;
    use crate::inference::{Stamp, Usage};

    fn stamp() -> Stamp {
        Stamp {
            id: "x".to_owned(),
            created: 7,
            model: "m".to_owned(),
        }
    }

    proptest! {
        /// What is taken apart is put together again.
        #[test]
        fn an_answer_in_pieces_is_the_whole_one(
            text in "[a-z é\n]{0,40}", reasoning in "[a-z ]{0,20}", names in proptest::collection::vec("[a-z_]{1,12}", 0..4),
            value in "[a-z\"\\\\ ]{0,60}",
        ) {
            let calls: Vec<Call> = names.iter().enumerate().map(|(number, name)| Call {
                id: format!("call_{number}"), name: name.clone(), arguments: json!({"value": value}).to_string(),
            }).collect();
            let reply = Reply {
                finish: Finish::Stop.given_calls(!calls.is_empty()),
                usage: Some(Usage { input: 3, output: 4, ..Usage::default() }),
                thinking_blocks: vec![json!({"type": "thinking", "thinking": "t", "signature": "s"})],
                text, reasoning, calls, ..Reply::default()
            };
            let mut assembly = Assembly::default();
            let mut shown = String::new();
            for event in reply.to_chunks(&stamp(), UsageChunk::Passed) {
                for piece in assembly.push(&event) {
                    if let Piece::Text(text) = piece {
                        shown.push_str(&text);
                    }
                }
            }
            prop_assert_eq!(&shown, &reply.text);
            prop_assert_eq!(assembly.finish().unwrap(), reply);
        }
    }

    #[test]
    fn what_breaks_off_is_no_answer() {
        let event = |data: &str| Event::data(data);
        for (events, status) in [
            (vec![event(r#"{"choices":[{"delta":{"content":"a"}}]}"#)], 502),
            (
                vec![event(r#"{"error":{"message":"no","code":429}}"#), event("[DONE]")],
                429,
            ),
        ] {
            let mut assembly = Assembly::default();
            for event in &events {
                assembly.push(event);
            }
            assert_eq!(assembly.finish().unwrap_err().status, status);
        }
    }
}
