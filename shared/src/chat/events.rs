//! What is told while a turn is under way: the `data:` of server-sent events, whose `event:` is the type.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::threads::{ToolCall, ToolResult};
use super::{Answer, Usage};
use crate::problem::Problem;

/// One event. The first is `turn`, the last one `final` or `error`; behind that stands `data: [DONE]`, and the stream ends.
/// In between, lines that begin with a colon (`: ping`) say that the daemon is still there.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "type", rename_all = "snake_case", rename_all_fields = "camelCase")]
pub enum Event {
    /// The turn has begun, and is durable.
    Turn {
        /// The thread.
        thread_id: String,
        /// The turn, from 1.
        turn: u32,
    },
    /// A piece of what the model says.
    Text {
        /// Which of the turn's answers of the model it belongs to, from 1. All but the last one want tools to be called.
        iteration: u32,
        /// The piece.
        text: String,
    },
    /// A piece of what the model thinks. It is told and not kept.
    Thinking {
        /// Which of the turn's answers of the model it belongs to, from 1.
        iteration: u32,
        /// The piece.
        text: String,
    },
    /// The model wants a tool to be called. It is written down, and about to be called.
    ToolCall(ToolCall),
    /// A tool has answered, or cannot be called. Calls of one answer end in any order.
    ToolResult(ToolResult),
    /// An answer of the model is complete: what the turn has taken until now.
    Usage(Usage),
    /// What was said so far had become too long for the model. Older turns are told in a summary from here on.
    Compacted {
        /// The first turn that the summary stands for.
        from: u32,
        /// The last one.
        to: u32,
        /// The summary.
        text: String,
    },
    /// The turn is complete.
    Final(Answer),
    /// The turn has come to nothing, or was cancelled.
    Error {
        /// The thread.
        thread_id: String,
        /// The turn.
        turn: u32,
        /// What happened.
        problem: Problem,
    },
}

impl Event {
    /// The `event:` of it.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Turn { .. } => "turn",
            Self::Text { .. } => "text",
            Self::Thinking { .. } => "thinking",
            Self::ToolCall(_) => "tool_call",
            Self::ToolResult(_) => "tool_result",
            Self::Usage(_) => "usage",
            Self::Compacted { .. } => "compacted",
            Self::Final(_) => "final",
            Self::Error { .. } => "error",
        }
    }

    /// Whether nothing comes behind it.
    #[must_use]
    pub const fn is_last(&self) -> bool {
        matches!(self, Self::Final(_) | Self::Error { .. })
    }
}
