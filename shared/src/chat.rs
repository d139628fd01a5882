//! Chatting with agents: what is asked, what is answered, and how threads are told.
//!
//! A *thread* is what was said between one person and one agent. A *turn* is one message of that person with everything
//! that the agent does about it: its model is asked, the tools are called that it wants, and it is asked again, until it
//! answers. Turns of a thread are numbered from 1; *messages* of a thread are numbered from 1 as well, across turns.
//!
//! An answer comes whole ([`Answer`]), or bit by bit as server-sent events ([`Event`]), which end in a `final` or an
//! `error`.

mod events;
mod threads;

pub use events::Event;
pub use threads::{
    AskedBy, CallState, Create, Fork, ForkedFrom, Message, MessageParameters, Messages, Offered, OfferedTools, Rename,
    Role, Summarised, Thread, ThreadParameters, Threads, ToolCall, ToolResult, Turn, TurnState,
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kinds::agent::Params;
use crate::money::Money;
use crate::name::Name;
use crate::usage::Tokens;

/// The largest message, in bytes.
pub const MOST_MESSAGE: usize = 256 << 10;
/// The longest title, in characters.
pub const MOST_TITLE: usize = 200;
/// So many threads with one agent a principal may have.
pub const MOST_THREADS: i64 = 1000;
/// So many turns a thread may have.
pub const MOST_TURNS: u32 = 1000;

/// The header of an answer that says which thread it belongs to.
pub const THREAD_HEADER: &str = "x-orch-thread";
/// The header of an answer that says which turn it belongs to.
pub const TURN_HEADER: &str = "x-orch-turn";

/// The body of `POST /api/v1/agents/{name}/chat`: begins a turn.
///
/// Without a `threadId` it begins a thread as well. A thread has one turn at a time: while one is under way, another is 409
/// `ORCH3022`. Where the latest turn was interrupted, a new message gives it up; to go on with it, ask for it to be resumed.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Request {
    /// What is said to the agent: at least one character, at most 256 KiB.
    pub message: String,
    /// The thread to go on with, one of one's own with this agent. Default: a new one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<String>,
    /// The Personality that it takes on for this turn. Default: the agent's own default, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub personality: Option<Name>,
    /// What the model is told last, behind everything else that it is told first. For this turn alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_append: Option<String>,
    /// Parameters of the requests to the model, where they are to be others than the agent's. For this turn alone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub params: Option<Params>,
    /// Whether the answer comes bit by bit, as server-sent events. Default: false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stream: bool,
    /// Whether the turn goes on when the client goes away. Default: false; then it is cancelled.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub detach: bool,
}

/// The body of `POST /api/v1/threads/{id}/resume`: goes on with the latest turn, which was interrupted, from where it was. A
/// thread whose latest turn was not interrupted is 409 `ORCH3023`. It is answered as the chat is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Resume {
    /// Whether the answer comes bit by bit, as server-sent events. Default: false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stream: bool,
    /// Whether the turn goes on when the client goes away. Default: false; then it is cancelled.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub detach: bool,
}

/// What an agent has answered: the answer of the chat, and the last event of a stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Answer {
    /// The thread.
    pub thread_id: String,
    /// The turn, from 1.
    pub turn: u32,
    /// What the agent says: the text of the model's last answer.
    pub assistant: String,
    /// Whether the model said nothing but its reasoning, which stands for its answer.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub from_reasoning: bool,
    /// Whether the answer was cut off, because it became as long as it may.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
    /// Why the model stopped, in the words of OpenAI's chat completions: `stop`, `length`, `content_filter`, or what else a
    /// provider says.
    pub stop_reason: String,
    /// What the turn took.
    pub usage: Usage,
}

/// What a turn, or one request to the model, took.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Usage {
    /// Tokens.
    #[serde(flatten)]
    pub tokens: Tokens,
    /// What they cost; absent when the Llm has no price.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Money>,
    /// How often the model was asked.
    pub iterations: u32,
    /// How many tools were called.
    pub tool_calls: u32,
    /// How long it took, in milliseconds.
    pub took_ms: i64,
}
