//! Threads, turns and messages as they are listed, and what is asked about them. A thread is there for its owner alone.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Usage;
use crate::name::Name;
use crate::problem::Problem;
use crate::resource::Timestamp;

/// The body of `POST /api/v1/agents/{name}/threads`: begins a thread that holds nothing yet.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Create {
    /// What to call it, at most 200 characters. Default: the beginning of the first message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// The body of `PATCH /api/v1/threads/{id}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Rename {
    /// What to call it, at most 200 characters.
    pub title: String,
}

/// The body of `POST /api/v1/threads/{id}/fork`: begins a thread with what was said in another one. Only turns that are over
/// are taken along, and what interrupted ones have done is not.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Fork {
    /// The last turn that is taken along; 0 takes none. Default: the latest one that is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub turn: Option<u32>,
    /// What to call it, at most 200 characters. Default: as the other one is called.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
}

/// The query of `GET /api/v1/agents/{name}/threads`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ThreadParameters {
    /// At most so many; the answer says how to go on. Default 100, at most 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Where an earlier answer ended.
    #[serde(default, rename = "continue", skip_serializing_if = "Option::is_none")]
    pub continue_token: Option<String>,
}

/// The query of `GET /api/v1/threads/{id}/messages`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct MessageParameters {
    /// At most so many; the answer says how to go on. Default 100, at most 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Where an earlier answer ended.
    #[serde(default, rename = "continue", skip_serializing_if = "Option::is_none")]
    pub continue_token: Option<String>,
}

/// A thread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Thread {
    /// What it is called by; nobody can guess it.
    pub id: String,
    /// The agent.
    pub agent: Name,
    /// What people call it; absent as long as nothing was said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// When it was begun.
    pub created_at: Timestamp,
    /// When something was said last, or it was renamed.
    pub updated_at: Timestamp,
    /// How many turns it has.
    pub turns: u32,
    /// The thread that it begins with, if it was forked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forked_from: Option<ForkedFrom>,
    /// The latest turn.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_turn: Option<Turn>,
}

/// Where a thread was forked from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ForkedFrom {
    /// The other thread, which need not be there any more.
    pub thread: String,
    /// Its last turn that was taken along.
    pub turn: u32,
}

/// The answer of a list of threads.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Threads {
    /// The threads, those that were used last first.
    pub items: Vec<Thread>,
    /// Where the next page begins; absent on the last one.
    #[serde(default, rename = "continue", skip_serializing_if = "Option::is_none")]
    pub continue_token: Option<String>,
}

/// One turn of a thread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Turn {
    /// Its number in the thread, from 1.
    pub turn: u32,
    /// How it stands.
    pub state: TurnState,
    /// The Personality that the agent took on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub personality: Option<Name>,
    /// When it began.
    pub began_at: Timestamp,
    /// When it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Timestamp>,
    /// What it has taken.
    pub usage: Usage,
    /// Why it came to nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<Problem>,
    /// The turn of another agent that has asked for it, where one has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub asked_by: Option<AskedBy>,
}

/// The turn that another one works for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AskedBy {
    /// Its thread, which need not be there any more.
    pub thread: String,
    /// Its number in that thread.
    pub turn: u32,
}

/// How a turn stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum TurnState {
    /// It is under way.
    Pending,
    /// The agent has answered.
    Complete,
    /// It has come to nothing.
    Error,
    /// Somebody ended it, or its client went away.
    Cancelled,
    /// The daemon ended while it was under way. It can be resumed.
    Interrupted,
}

impl TurnState {
    /// Every state.
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Complete,
        Self::Error,
        Self::Cancelled,
        Self::Interrupted,
    ];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Complete => "complete",
            Self::Error => "error",
            Self::Cancelled => "cancelled",
            Self::Interrupted => "interrupted",
        }
    }

    /// The state that goes by that word.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == word)
    }

    /// Whether nothing will happen in it any more.
    #[must_use]
    pub const fn is_over(self) -> bool {
        match self {
            Self::Complete | Self::Error | Self::Cancelled => true,
            Self::Pending | Self::Interrupted => false,
        }
    }
}

/// The answer of a list of messages.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Messages {
    /// The messages, in the order in which they were said.
    pub items: Vec<Message>,
    /// The turns that these messages belong to, in order.
    pub turns: Vec<Turn>,
    /// Where the next page begins; absent on the last one.
    #[serde(default, rename = "continue", skip_serializing_if = "Option::is_none")]
    pub continue_token: Option<String>,
}

/// One message of a thread.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Message {
    /// Its number in the thread, from 1.
    pub number: i64,
    /// The turn that it belongs to.
    pub turn: u32,
    /// Whose it is.
    pub role: Role,
    /// When it was said.
    pub at: Timestamp,
    /// What it says; of a tool's, the result as the model sees it.
    pub text: String,
    /// The tools that the model wants to be called. Of an assistant's message.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tool_calls: Vec<ToolCall>,
    /// What has become of the call that it is the result of. Of a tool's message.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<ToolResult>,
    /// The Llm that said it. Of an assistant's message, and of a summary unless it is a plain outline.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub llm: Option<Name>,
    /// Why the model stopped, as in [`Answer`](super::Answer).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_reason: Option<String>,
    /// Whether the model said nothing but its reasoning, which stands here.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub from_reasoning: bool,
    /// Whether it was cut off, because it became as long as it may.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub truncated: bool,
    /// The turns that the model is told this instead of. Of a summary.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summarises: Option<Summarised>,
}

/// Whose a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// The person's.
    User,
    /// The model's.
    Assistant,
    /// A tool's.
    Tool,
    /// Nobody's: what the model is told instead of older turns, since all of it has become too long.
    Summary,
}

/// The turns that a summary stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Summarised {
    /// The first one.
    pub from: u32,
    /// The last one.
    pub to: u32,
}

/// A call of a tool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ToolCall {
    /// What the result refers to.
    pub id: String,
    /// The tool as the model knows it: `files__read_file`.
    pub name: String,
    /// The server that it belongs to; absent of a tool that is not there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<Name>,
    /// What the server calls it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// Its arguments.
    pub arguments: Map<String, Value>,
}

/// What has become of a call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ToolResult {
    /// The call.
    pub id: String,
    /// The tool as the model knows it.
    pub name: String,
    /// How it stands.
    pub state: CallState,
    /// What the model is told, which is bounded.
    pub text: String,
    /// How many bytes of the result were left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_out: Option<i64>,
    /// How long it took, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub took_ms: Option<i64>,
}

/// How a call stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum CallState {
    /// It is about to be made, or under way.
    Pending,
    /// The tool has answered.
    Complete,
    /// The tool has failed, or could not be called.
    Error,
    /// It was under way when the daemon ended: whether it took effect is not known, and it is not made again.
    Unknown,
    /// It was under way when the turn was cancelled: whether it took effect is not known.
    Cancelled,
}

impl CallState {
    /// Every state.
    pub const ALL: [Self; 5] = [
        Self::Pending,
        Self::Complete,
        Self::Error,
        Self::Unknown,
        Self::Cancelled,
    ];

    /// The word for it.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Complete => "complete",
            Self::Error => "error",
            Self::Unknown => "unknown",
            Self::Cancelled => "cancelled",
        }
    }
}

/// The answer of `GET /api/v1/agents/{name}/tools`: what the agent may call for whoever asks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OfferedTools {
    /// The tools, in the order of the project.
    pub items: Vec<Offered>,
    /// Servers whose tools are not known at the moment, each with the reason.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing: Vec<String>,
}

/// A tool that an agent may call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Offered {
    /// As the model knows it: `files__read_file`.
    pub name: String,
    /// The server that it belongs to; of another agent, `agent`.
    pub server: Name,
    /// What the server calls it.
    pub tool: String,
    /// What it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// JSON Schema of its arguments.
    pub input_schema: Value,
}
