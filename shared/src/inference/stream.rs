//! A streamed answer on its way from an upstream to a client that speaks another dialect: bytes in, bytes out.

use super::anthropic::{ChatStream, MessageStream};
use super::responses::{Echo, ResponseStream};
use super::usage::{UsageChunk, Watch};
use super::{Dialect, Stamp};
use crate::sse::{Event, Reader, TooLong};

/// What an upstream streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Upstream {
    /// Chunks of a chat completion.
    Chat,
    /// Events of Messages.
    Messages,
}

/// What a client is to be streamed, with what that takes beside the stamp.
#[derive(Debug, Clone, PartialEq)]
pub enum Client {
    /// Chunks of a chat completion; whether one tells the usage.
    Chat(UsageChunk),
    /// Events of Messages; how many tokens of input are told at the beginning, an estimate or 0.
    Messages(u64),
    /// Events of a response; what it repeats of its request.
    Responses(Echo),
}

/// Translates one streamed answer. Where its pieces are cut makes no difference.
#[derive(Debug, Clone)]
pub struct Translation {
    reader: Reader,
    /// Messages become a chat completion first.
    first: Option<ChatStream>,
    second: Second,
    client: Dialect,
    is_over: bool,
    /// Looks at what the upstream says.
    watch: Watch,
}

#[derive(Debug, Clone)]
enum Second {
    /// The client takes chat completions.
    Nothing,
    Messages(Box<MessageStream>),
    Responses(Box<ResponseStream>),
}

impl Translation {
    /// A translation for one answer. Between two that speak the same it reads and writes events and changes none; whoever
    /// can pass the bytes on should do that.
    #[must_use]
    pub fn new(upstream: Upstream, client: Client, stamp: &Stamp) -> Self {
        let (second, dialect, usage_chunk) = match client {
            Client::Chat(usage_chunk) => (Second::Nothing, Dialect::Chat, usage_chunk),
            Client::Messages(input) => {
                let second = Box::new(MessageStream::new(stamp.clone(), input));
                (Second::Messages(second), Dialect::Messages, UsageChunk::Passed)
            }
            Client::Responses(echo) => {
                let second = Box::new(ResponseStream::new(stamp.clone(), echo));
                (Second::Responses(second), Dialect::Responses, UsageChunk::Passed)
            }
        };
        let first = match upstream {
            Upstream::Messages => Some(ChatStream::new(stamp.clone(), usage_chunk)),
            Upstream::Chat => None,
        };
        Self {
            reader: Reader::default(),
            first,
            second,
            client: dialect,
            is_over: false,
            watch: Watch::new(match upstream {
                Upstream::Messages => Dialect::Messages,
                Upstream::Chat => Dialect::Chat,
            }),
        }
    }

    /// Takes a piece of the upstream's answer, and appends what of the client's comes of it.
    ///
    /// # Errors
    /// An event that is too long: nothing more can be read, and [`Translation::fail`] is what is left to do.
    pub fn push(&mut self, piece: &[u8], out: &mut Vec<u8>) -> Result<(), TooLong> {
        for event in self.reader.push(piece)? {
            self.event(&event, out);
        }
        Ok(())
    }

    /// The upstream's answer has ended: appends the end of the client's, which is an error if the answer was not complete.
    pub fn finish(&mut self, out: &mut Vec<u8>) {
        if let Some(event) = self.reader.finish() {
            self.event(&event, out);
        }
        if let Some(first) = &mut self.first {
            let events = first.finish();
            self.pass(events, out);
        }
        let events = match &mut self.second {
            Second::Nothing => Vec::new(),
            Second::Messages(stream) => stream.finish(),
            Second::Responses(stream) => stream.finish(),
        };
        write(&events, out);
        self.is_over = true;
    }

    /// The answer cannot be gone on with: appends an error, if the client's has no end yet.
    pub fn fail(&mut self, status: u16, message: &str, out: &mut Vec<u8>) {
        if std::mem::replace(&mut self.is_over, true) {
            return;
        }
        let fault = super::errors::Fault {
            status,
            message,
            param: None,
            code: None,
        };
        let events = match (&mut self.second, &mut self.first) {
            (Second::Messages(stream), _) => stream.fail(status, message),
            (Second::Responses(stream), _) => stream.fail(status, message),
            (Second::Nothing, Some(first)) => first.fail(status, message),
            (Second::Nothing, None) => vec![fault.event(self.client)],
        };
        write(&events, out);
    }

    /// What was seen of the upstream's answer so far.
    #[must_use]
    pub const fn watch(&self) -> &Watch {
        &self.watch
    }

    fn event(&mut self, event: &Event, out: &mut Vec<u8>) {
        self.watch.event(event);
        let events = match &mut self.first {
            Some(first) => first.event(event),
            None => vec![event.clone()],
        };
        self.pass(events, out);
    }

    fn pass(&mut self, events: Vec<Event>, out: &mut Vec<u8>) {
        for event in events {
            match &mut self.second {
                Second::Nothing => event.write(out),
                Second::Messages(stream) => write(&stream.event(&event), out),
                Second::Responses(stream) => write(&stream.event(&event), out),
            }
        }
    }
}

fn write(events: &[Event], out: &mut Vec<u8>) {
    for event in events {
        event.write(out);
    }
}
