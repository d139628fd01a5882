//! Watching a streamed answer pass by.
//!
//! Bytes go on as they came, however they are cut, and nearly none of them are parsed: an event is searched for a few words,
//! and only when one of them is there it is read. Until the first content has come events are read whole, which is a
//! handful.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde_json::Value;

use super::{Counts, Usage};
use crate::inference::{Dialect, Object, estimate, reasoning};
use crate::sse::{Cut, Event, Frames, Reader};

/// What becomes of the chunk of a chat completion that tells nothing but the usage.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UsageChunk {
    /// It goes on: the client asked for it.
    Passed,
    /// It is cut out: only we asked for it.
    CutOut,
}

/// What of a piece goes on: first what was kept of earlier ones, then these parts of the piece.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Passed {
    /// Bytes that were kept back until it was clear what they are. Empty unless something may have to be cut out.
    pub kept: Vec<u8>,
    /// Parts of the piece that was pushed, in order, none of them empty and no two of them adjacent.
    pub parts: Vec<Range<usize>>,
}

impl Passed {
    fn part(&mut self, part: Range<usize>) {
        match self.parts.last_mut() {
            _ if part.is_empty() => {}
            Some(last) if last.end == part.start => last.end = part.end,
            Some(_) | None => self.parts.push(part),
        }
    }
}

/// Watches the events of one streamed answer of a dialect, for whoever reads them anyway.
#[derive(Debug, Clone)]
pub struct Watch {
    dialect: Dialect,
    seen: Seen,
}

/// Watches the bytes of one streamed answer of a dialect. Where its pieces are cut makes no difference to what it finds or passes
/// on.
#[derive(Debug)]
pub struct Scan {
    usage_chunk: UsageChunk,
    frames: Frames,
    /// The event that has not ended yet, as far as it came in earlier pieces.
    open: Vec<u8>,
    /// The open event is too long to be looked into.
    is_overlong: bool,
    /// The last event was cut out: so is what may still belong to it.
    has_cut: bool,
    watch: Watch,
}

#[derive(Debug, Clone, Default)]
struct Seen {
    counts: Option<Counts>,
    finish: Option<String>,
    content: bool,
    end: bool,
    failure: bool,
    /// How many events came, and how long they were in all.
    events: u64,
    bytes: u64,
}

/// So many bytes of an event are no part of what the model says: ids, names, times.
const ENVELOPE: u64 = 250;

impl Scan {
    /// How long an event may be to be looked into, in bytes. A longer one goes on unseen.
    pub const LONGEST: usize = 16 << 20;

    /// A scan of an answer in that dialect. Only chat completions have a chunk to cut out.
    #[must_use]
    pub fn new(dialect: Dialect, usage_chunk: UsageChunk) -> Self {
        Self {
            usage_chunk,
            frames: Frames::default(),
            open: Vec::new(),
            is_overlong: false,
            has_cut: false,
            watch: Watch::new(dialect),
        }
    }

    /// Looks at a piece, and says what of it goes on now.
    #[must_use]
    pub fn push(&mut self, piece: &[u8]) -> Passed {
        let mut passed = Passed::default();
        let mut at = 0;
        while at < piece.len() {
            match self.frames.next(&piece[at..]) {
                Cut::Left(length) => {
                    if !self.has_cut {
                        passed.part(at..at + length);
                    }
                    at += length;
                }
                Cut::End(length) => {
                    let end = at + length;
                    self.has_cut = if self.is_overlong {
                        self.is_overlong = false;
                        false
                    } else if self.open.is_empty() {
                        self.look(&piece[at..end])
                    } else {
                        let mut event = std::mem::take(&mut self.open);
                        let before = event.len();
                        event.extend_from_slice(&piece[at..end]);
                        let is_cut = self.look(&event);
                        if !is_cut && self.keeps() {
                            event.truncate(before);
                            passed.kept = event;
                        }
                        is_cut
                    };
                    if !self.has_cut {
                        passed.part(at..end);
                    }
                    at = end;
                }
                Cut::Open => {
                    self.hold(&piece[at..], at, &mut passed);
                    at = piece.len();
                }
            }
        }
        passed
    }

    /// The end of the stream; what is still to go on.
    #[must_use]
    pub fn finish(&mut self) -> Vec<u8> {
        let event = std::mem::take(&mut self.open);
        if event.is_empty() || self.look(&event) || !self.keeps() {
            return Vec::new();
        }
        event
    }

    /// What was seen so far.
    #[must_use]
    pub const fn watch(&self) -> &Watch {
        &self.watch
    }

    /// Whether events are kept back until they are whole.
    fn keeps(&self) -> bool {
        self.watch.dialect == Dialect::Chat && self.usage_chunk == UsageChunk::CutOut
    }

    fn hold(&mut self, bytes: &[u8], at: usize, passed: &mut Passed) {
        let part = at..at + bytes.len();
        if self.is_overlong {
            passed.part(part);
        } else if self.open.len() + bytes.len() > Self::LONGEST {
            self.is_overlong = true;
            let kept = std::mem::take(&mut self.open);
            if self.keeps() {
                passed.kept = kept;
            }
            passed.part(part);
        } else {
            self.open.extend_from_slice(bytes);
            if !self.keeps() {
                passed.part(part);
            }
        }
    }

    /// Looks into a whole event; whether it is to be cut out.
    fn look(&mut self, event: &[u8]) -> bool {
        self.watch.seen.weigh(event.len());
        if !self.watch.is_of_interest(event) {
            return false;
        }
        let mut reader = Reader::new(usize::MAX);
        let read = reader.push(event).unwrap_or_default().pop().or_else(|| reader.finish());
        read.is_some_and(|read| self.watch.read(&read) && self.keeps())
    }
}

impl Watch {
    /// A watch over an answer in that dialect.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            seen: Seen::default(),
        }
    }

    /// Looks at an event.
    pub fn event(&mut self, event: &Event) {
        self.seen.weigh(event.data.len());
        if self.is_of_interest(event.data.as_bytes()) {
            self.read(event);
        }
    }

    /// The usage that was told so far.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        self.seen.counts.map(Counts::usage)
    }

    /// Whether that is the usage of the whole answer. Anthropic tells the input first, and the output with the reason for the end.
    #[must_use]
    pub const fn is_usage_whole(&self) -> bool {
        match self.dialect {
            Dialect::Messages => self.seen.counts.is_some() && self.seen.finish.is_some(),
            Dialect::Chat | Dialect::Responses | Dialect::Embeddings => self.seen.counts.is_some(),
        }
    }

    /// How many tokens of output have come so far, roughly (see [`estimate`]): one for each event, and as many as its text would
    /// be where an event brings much at once.
    #[must_use]
    pub const fn output_estimate(&self) -> u64 {
        let Seen { events, bytes, .. } = self.seen;
        let texts = bytes.saturating_sub(events.saturating_mul(ENVELOPE)) / estimate::BYTES;
        if texts > events { texts } else { events }
    }

    /// Why the model stopped, in the word of the dialect: `finish_reason`, `stop_reason`, or the `status` of a response.
    #[must_use]
    pub fn finish_reason(&self) -> Option<&str> {
        self.seen.finish.as_deref()
    }

    /// Whether the event came that ends an answer: `[DONE]`, `message_stop`, `response.completed` or one of its kin.
    #[must_use]
    pub const fn end_seen(&self) -> bool {
        self.seen.end
    }

    /// Whether the stream told an error.
    #[must_use]
    pub const fn error_seen(&self) -> bool {
        self.seen.failure
    }

    /// Whether any text, reasoning or tool call has come.
    #[must_use]
    pub const fn first_content_seen(&self) -> bool {
        self.seen.content
    }

    /// Whether an event, or its data, may say anything that is looked for.
    fn is_of_interest(&self, event: &[u8]) -> bool {
        let words = &*WORDS;
        match self.dialect {
            Dialect::Chat => {
                !self.seen.content
                    || holds_value(event, &words.usage)
                    || holds_value(event, &words.finish_reason)
                    || holds_value(event, &words.error)
                    || contains(event, &words.done)
            }
            Dialect::Messages => {
                !self.seen.content
                    || holds_value(event, &words.usage)
                    || contains(event, &words.message_stop)
                    || contains(event, &words.error)
            }
            Dialect::Responses => {
                !self.seen.content
                    || holds_value(event, &words.usage)
                    || words.ends.iter().any(|end| contains(event, end))
                    || contains(event, &words.error)
            }
            Dialect::Embeddings => false,
        }
    }

    /// Reads an event; whether it tells nothing but the usage.
    fn read(&mut self, event: &Event) -> bool {
        if event.data.trim_end() == "[DONE]" {
            self.seen.end |= matches!(self.dialect, Dialect::Chat);
            return false;
        }
        let Ok(mut data) = serde_json::from_str::<Object>(&event.data) else {
            return false;
        };
        match self.dialect {
            Dialect::Chat => self.seen.chunk(&data),
            Dialect::Messages => {
                self.seen.message_event(&data);
                false
            }
            Dialect::Responses => {
                self.seen.response_event(&mut data);
                false
            }
            Dialect::Embeddings => false,
        }
    }
}

impl Seen {
    const fn weigh(&mut self, bytes: usize) {
        self.events += 1;
        self.bytes += bytes as u64;
    }

    fn count(&mut self, dialect: Dialect, usage: Option<&Value>) -> bool {
        let usage = usage.and_then(Value::as_object);
        if let Some(usage) = usage {
            self.counts.get_or_insert_default().add(dialect, usage);
        }
        usage.is_some()
    }

    /// Whether the chunk tells nothing but the usage.
    fn chunk(&mut self, chunk: &Object) -> bool {
        let has_usage = self.count(Dialect::Chat, chunk.get("usage"));
        self.failure |= chunk.get("error").is_some_and(|error| !error.is_null());
        let choices = chunk.get("choices").and_then(Value::as_array);
        for choice in choices.into_iter().flatten() {
            if let Some(finish) = choice["finish_reason"].as_str() {
                self.finish = Some(finish.to_owned());
            }
            let delta = &choice["delta"];
            let says = |name: &str| delta[name].as_str().is_some_and(|text| !text.is_empty());
            self.content |= says("content")
                || says("refusal")
                || delta["tool_calls"].as_array().is_some_and(|calls| !calls.is_empty())
                || reasoning::of(delta).is_some();
        }
        has_usage && choices.is_some_and(Vec::is_empty)
    }

    fn message_event(&mut self, event: &Object) {
        match event.get("type").and_then(Value::as_str) {
            Some("message_start") => {
                self.count(
                    Dialect::Messages,
                    event.get("message").and_then(|message| message.get("usage")),
                );
            }
            Some("message_delta") => {
                self.count(Dialect::Messages, event.get("usage"));
                let reason = event.get("delta").and_then(|delta| delta["stop_reason"].as_str());
                self.finish = reason.map(str::to_owned).or(self.finish.take());
            }
            Some("content_block_delta") => self.content = true,
            Some("content_block_start") => {
                self.content |= event
                    .get("content_block")
                    .is_some_and(|block| block["type"] == "tool_use");
            }
            Some("message_stop") => self.end = true,
            Some("error") => self.failure = true,
            _ => {}
        }
    }

    fn response_event(&mut self, event: &mut Object) {
        let kind = event.get("type").and_then(Value::as_str).unwrap_or_default();
        self.content |= kind.ends_with(".delta");
        self.failure |= matches!(kind, "error" | "response.failed");
        self.end |= matches!(kind, "response.completed" | "response.incomplete" | "response.failed");
        if let Some(response) = event.get("response") {
            self.count(Dialect::Responses, response.get("usage"));
            if self.end
                && let Some(status) = response["status"].as_str()
            {
                self.finish = Some(status.to_owned());
            }
        }
    }
}

/// The words that are searched for. What a search needs to know of its word is found out once.
struct Words {
    usage: Finder<'static>,
    finish_reason: Finder<'static>,
    error: Finder<'static>,
    done: Finder<'static>,
    message_stop: Finder<'static>,
    ends: [Finder<'static>; 3],
}

static WORDS: LazyLock<Words> = LazyLock::new(|| Words {
    usage: Finder::new("\"usage\""),
    finish_reason: Finder::new("\"finish_reason\""),
    error: Finder::new("\"error\""),
    done: Finder::new("[DONE]"),
    message_stop: Finder::new("\"message_stop\""),
    ends: ["response.completed", "response.incomplete", "response.failed"].map(Finder::new),
});

fn contains(bytes: &[u8], word: &Finder<'_>) -> bool {
    word.find(bytes).is_some()
}

/// Whether a member of that name has a value that is not null.
fn holds_value(mut bytes: &[u8], name: &Finder<'_>) -> bool {
    while let Some(at) = name.find(bytes) {
        bytes = &bytes[at + name.needle().len()..];
        let value = bytes
            .trim_ascii_start()
            .strip_prefix(b":")
            .map(<[u8]>::trim_ascii_start);
        // Data of several lines may be broken between a name and its value.
        if value.is_none_or(|value| !value.starts_with(b"null")) {
            return true;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_with_values() {
        for (text, found) in [
            (r#"{"usage":{}}"#, true),
            (r#"{"usage" : {}}"#, true),
            (r#"{"usage":null}"#, false),
            (r#"{"usage" :  null}"#, false),
            (r#"{"a":"usage","usage":null,"usage":1}"#, true),
            (r#"{"a":"\"usage\":1"}"#, false),
            ("data: {\"usage\":\ndata: null}", true),
            ("", false),
        ] {
            assert_eq!(holds_value(text.as_bytes(), &WORDS.usage), found, "{text}");
        }
    }

    #[test]
    fn an_event_that_never_ends_goes_on_unseen() {
        let mut scan = Scan::new(Dialect::Chat, UsageChunk::CutOut);
        let piece = vec![b'a'; Scan::LONGEST / 2 + 1];
        assert_eq!(scan.push(&piece), Passed::default());
        let passed = scan.push(&piece);
        assert_eq!(passed.kept.len(), piece.len());
        let whole = 0..piece.len();
        assert!(passed.parts.iter().eq([&whole]));
        let end = b"\n\ndata: {\"choices\":[],\"usage\":{\"prompt_tokens\":1}}\n\ndata: [DONE]\n\n";
        let passed = scan.push(end);
        assert_eq!(passed.parts, vec![0..2, end.len() - 14..end.len()]);
        assert_eq!(scan.watch().usage().map(|usage| usage.input), Some(1));
        assert!(scan.watch().end_seen());
    }
}
