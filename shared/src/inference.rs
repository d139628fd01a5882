//! The inference door as values: what clients and models say to each other, read, changed as little as can be, and
//! translated.
//!
//! Clients speak one of four [`Dialect`]s; models speak OpenAI's chat completions or Anthropic's Messages, or are scripted.
//! Where the two sides speak the same, bytes pass through, and [`request`] and [`usage`] read the few things a relay must
//! know. Where they do not, chat completions are the form in the middle: [`anthropic`] translates both ways, [`responses`]
//! from and to clients, and [`stream`] joins these for answers that come in pieces.
//!
//! JSON and bytes enter, JSON, bytes and [`Note`]s leave. Ids and times of answers are arguments ([`Stamp`]); nothing here
//! knows a connection, a credential or a clock. Whatever enters is somebody else's and may be anything: a request that cannot
//! be translated is [`Refused`] with the place in it, an answer is read as far as it makes sense.

pub mod address;
pub mod errors;
pub mod estimate;
pub mod hiding;
pub mod probe;
pub mod request;
pub mod usage;

pub mod chat;
pub mod reasoning;

pub mod anthropic;
pub mod responses;
pub mod stream;

pub mod script;

mod blocks;
mod fields;

use serde_json::{Map, Value};

use crate::path::FieldPath;

pub use usage::Usage;

/// What is told of a stream that ended before its end.
const BROKEN_OFF: &str = "the model's answer broke off before it was complete";

/// A JSON object; its members keep their order.
pub type Object = Map<String, Value>;

/// What a client, or a model, speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// OpenAI's chat completions.
    Chat,
    /// OpenAI's Responses.
    Responses,
    /// OpenAI's embeddings.
    Embeddings,
    /// Anthropic's Messages.
    Messages,
}

impl Dialect {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Chat, Self::Responses, Self::Embeddings, Self::Messages];

    /// Where it is spoken, below a base URL.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Chat => "/v1/chat/completions",
            Self::Responses => "/v1/responses",
            Self::Embeddings => "/v1/embeddings",
            Self::Messages => "/v1/messages",
        }
    }
}

/// What an answer is stamped with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stamp {
    /// Made for this answer, of letters, digits, `_` and `-`; each dialect puts its own prefix before it.
    pub id: String,
    /// When it was made, in seconds since 1970.
    pub created: u64,
    /// The model it says it is from.
    pub model: String,
}

/// Why a request is refused: what of it, and what about that.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}{message}", place(.path))]
pub struct Refused {
    /// The place in the body; empty when it is the body itself.
    pub path: FieldPath,
    /// What is wrong there, in a sentence.
    pub message: String,
}

fn place(path: &FieldPath) -> String {
    if path.segments().is_empty() {
        String::new()
    } else {
        format!("{path}: ")
    }
}

/// Something that a translation left out or changed, because the other side has nothing like it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// Which member: `logit_bias`, `messages[].name`.
    pub field: String,
    /// What became of it, in a sentence.
    pub message: String,
}

/// A request in another dialect.
#[derive(Debug, Clone, PartialEq)]
pub struct Translated {
    /// The request.
    pub body: Object,
    /// What it does not say any more. Each member is named once.
    pub notes: Vec<Note>,
}
