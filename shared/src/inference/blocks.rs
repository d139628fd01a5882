//! The parts of a streamed answer one after the other.
//!
//! A chat completion may say anything at any time: a piece of one call, a piece of another, more of the first. Messages and
//! Responses are parts that open, grow and close in order. [`Blocks`] makes the second of the first: what belongs to the
//! part that is open is told at once, what belongs to a later one waits. A call is over when its arguments are a complete
//! JSON value and something else has come, so that calls which come in order, as nearly all do, never wait.

use std::collections::{BTreeSet, VecDeque};

use super::chat::Said;

/// What a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Reasoning,
    Text,
    Refusal,
    Call,
}

/// A part of an answer.
#[derive(Debug, Clone)]
pub(super) struct Block {
    pub(super) kind: Kind,
    /// Of a call: which one it is, counted from 0.
    pub(super) number: usize,
    /// Of a call: its id, empty when there is none.
    pub(super) id: String,
    /// Of a call: the tool.
    pub(super) name: String,
    /// Everything that came of it, or of a call its arguments.
    pub(super) text: String,
    told: usize,
    is_open: bool,
    progress: Progress,
}

/// What is to be told. The number is the part's place in the answer.
#[derive(Debug, Clone)]
pub(super) enum Step {
    Open(usize, Block),
    Delta(usize, Kind, String),
    Close(usize, Block),
}

/// The parts of one answer.
#[derive(Debug, Clone, Default)]
pub(super) struct Blocks {
    /// How many are closed.
    closed: usize,
    closed_calls: BTreeSet<usize>,
    /// The first is the one that is being told.
    waiting: VecDeque<Block>,
}

impl Blocks {
    /// Whether any tool was called.
    pub(super) fn has_calls(&self) -> bool {
        !self.closed_calls.is_empty() || self.waiting.iter().any(|block| block.kind == Kind::Call)
    }

    /// Takes what belongs to a part, and tells what can be told.
    pub(super) fn say(&mut self, said: &Said) -> Vec<Step> {
        match said {
            Said::Reasoning(text) => self.grow(Kind::Reasoning, text),
            Said::Text(text) => self.grow(Kind::Text, text),
            Said::Refusal(text) => self.grow(Kind::Refusal, text),
            Said::Call {
                number,
                id,
                name,
                arguments,
            } => self.call(*number, id.as_deref(), name.as_deref(), arguments),
            Said::Finish(_) | Said::Usage(_) | Said::Fault { .. } | Said::End => {}
        }
        let mut steps = Vec::new();
        self.tell(&mut steps);
        steps
    }

    /// Tells all that has waited: the answer is over.
    pub(super) fn close(&mut self) -> Vec<Step> {
        let mut steps = Vec::new();
        while let Some(block) = self.waiting.front_mut() {
            if block.kind == Kind::Call && block.text.is_empty() {
                block.text.push_str(EMPTY);
            }
            self.tell_front(&mut steps);
            self.close_front(&mut steps);
        }
        steps
    }

    fn grow(&mut self, kind: Kind, text: &str) {
        match self.waiting.back_mut() {
            Some(last) if last.kind == kind => last.text.push_str(text),
            Some(_) | None => self.waiting.push_back(Block {
                text: text.to_owned(),
                ..Block::of(kind)
            }),
        }
    }

    fn call(&mut self, number: usize, id: Option<&str>, name: Option<&str>, arguments: &str) {
        if self.closed_calls.contains(&number) {
            // It was complete: what comes after a complete value is no part of it.
            return;
        }
        let is_it = |block: &Block| block.kind == Kind::Call && block.number == number;
        let at = self.waiting.iter().position(is_it).unwrap_or_else(|| {
            self.waiting.push_back(Block {
                number,
                ..Block::of(Kind::Call)
            });
            self.waiting.len() - 1
        });
        let block = &mut self.waiting[at];
        for (place, given) in [(&mut block.id, id), (&mut block.name, name)] {
            if let Some(given) = given
                && place.is_empty()
            {
                given.clone_into(place);
            }
        }
        block.text.push_str(block.progress.accept(arguments));
    }

    fn tell(&mut self, steps: &mut Vec<Step>) {
        while let Some(block) = self.waiting.front() {
            let is_known = block.kind != Kind::Call || !block.name.is_empty();
            if is_known {
                self.tell_front(steps);
            }
            let is_over = self.waiting.len() > 1 && self.waiting[0].is_over();
            if !(is_known && is_over) {
                break;
            }
            self.close_front(steps);
        }
    }

    /// Tells the front part as far as it came.
    fn tell_front(&mut self, steps: &mut Vec<Step>) {
        let Some(block) = self.waiting.front_mut() else {
            return;
        };
        if !std::mem::replace(&mut block.is_open, true) {
            steps.push(Step::Open(self.closed, block.clone()));
        }
        if block.told < block.text.len() {
            steps.push(Step::Delta(
                self.closed,
                block.kind,
                block.text[block.told..].to_owned(),
            ));
            block.told = block.text.len();
        }
    }

    fn close_front(&mut self, steps: &mut Vec<Step>) {
        let Some(block) = self.waiting.pop_front() else {
            return;
        };
        if block.kind == Kind::Call {
            self.closed_calls.insert(block.number);
        }
        steps.push(Step::Close(self.closed, block));
        self.closed += 1;
    }
}

impl Block {
    fn of(kind: Kind) -> Self {
        Self {
            kind,
            number: 0,
            id: String::new(),
            name: String::new(),
            text: String::new(),
            told: 0,
            is_open: false,
            progress: Progress::default(),
        }
    }

    /// Whether nothing more can come once something else has come.
    fn is_over(&self) -> bool {
        match self.kind {
            Kind::Reasoning | Kind::Text | Kind::Refusal => true,
            Kind::Call => self.progress.is_complete,
        }
    }
}

/// Arguments of a call that has none.
const EMPTY: &str = "{}";

/// How far a JSON object or list has come, told by its brackets.
#[derive(Debug, Clone, Copy, Default)]
struct Progress {
    depth: usize,
    has_begun: bool,
    in_string: bool,
    is_escaped: bool,
    is_complete: bool,
}

impl Progress {
    /// What of the text still belongs to the value: without the blanks before it, and up to its end.
    fn accept<'t>(&mut self, text: &'t str) -> &'t str {
        if self.is_complete {
            return "";
        }
        let text = if self.has_begun { text } else { text.trim_start() };
        self.has_begun |= !text.is_empty();
        for (at, byte) in text.bytes().enumerate() {
            if self.in_string {
                match byte {
                    _ if self.is_escaped => self.is_escaped = false,
                    b'\\' => self.is_escaped = true,
                    b'"' => self.in_string = false,
                    _ => {}
                }
                continue;
            }
            match byte {
                b'"' => self.in_string = true,
                b'{' | b'[' => self.depth += 1,
                b'}' | b']' => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        self.is_complete = true;
                        return &text[..=at];
                    }
                }
                _ => {}
            }
        }
        text
    }
}

/// The arguments in a text as a stream tells them: one value, and an empty object where there is none.
pub(super) fn arguments_of(text: &str) -> &str {
    let accepted = Progress::default().accept(text);
    if accepted.is_empty() { EMPTY } else { accepted }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_ends_where_its_brackets_do() {
        for (text, accepted) in [
            ("", "{}"),
            (" \n", "{}"),
            ("{}", "{}"),
            (r#" {"a": [1, {}]} and more"#, r#"{"a": [1, {}]}"#),
            (r#"{"a": "}\"}"}{}"#, r#"{"a": "}\"}"}"#),
            (r#"{"a": "\\"}}"#, r#"{"a": "\\"}"#),
            ("{\"a\"", "{\"a\""),
            ("7 ", "7 "),
            ("}", "}"),
        ] {
            assert_eq!(arguments_of(text), accepted, "{text}");
            // In pieces it is the same.
            let mut progress = Progress::default();
            let pieces = text.char_indices().map(|(at, c)| &text[at..at + c.len_utf8()]);
            let joined: String = pieces.map(|piece| progress.accept(piece)).collect();
            assert_eq!(if joined.is_empty() { EMPTY } else { &joined }, accepted, "{text}");
        }
    }
}
