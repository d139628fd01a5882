//! What a scripted model answers.
//!
//! The turn is chosen by how many messages of the assistant the conversation has, so that nothing is kept: every replica
//! answers the same, before a restart and after it.

use std::time::Duration;

use serde_json::Value;

use super::chat::{Call, Finish, Reply};
use super::{Object, Usage, estimate};
use crate::kinds::llm::ScriptedTurn;
use crate::quantity::Span;

/// What is to be done for one request.
#[derive(Debug, Clone, PartialEq)]
pub struct Turn {
    /// How long to wait first.
    pub delay: Duration,
    /// What to answer.
    pub outcome: Outcome,
}

/// What a scripted model answers.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// An answer, to be given whole ([`Reply::to_chat`]) or streamed ([`Reply::to_chunks`]).
    Reply(Reply),
    /// An error.
    Error {
        /// The HTTP status.
        status: u16,
        /// What it says.
        message: String,
    },
}

/// What the script answers to a chat request: the turn whose place in the script is the number of the assistant's messages,
/// counted round. Nothing when the script has no turns.
///
/// Ids of calls are made of that number and the call's place, so they differ within a conversation and are the same whenever
/// the request is. The usage is an estimate by the rule of [`estimate`]: the request's messages and tools in, everything that
/// is answered out.
#[must_use]
pub fn answer(script: &[ScriptedTurn], request: &Object) -> Option<Turn> {
    let messages = request.get("messages").and_then(Value::as_array);
    let is_assistant = |message: &&Value| message["role"] == "assistant";
    let said = messages.map_or(0, |messages| messages.iter().filter(is_assistant).count());
    let turn = script.get(said.checked_rem(script.len())?)?;
    let outcome = match &turn.error {
        Some(error) => Outcome::Error {
            status: error.status,
            message: error.message.clone().unwrap_or_else(|| "the script says so".to_owned()),
        },
        None => Outcome::Reply(reply(turn, said, request)),
    };
    Some(Turn {
        delay: turn.delay.as_ref().map_or(Duration::ZERO, Span::duration),
        outcome,
    })
}

fn reply(turn: &ScriptedTurn, said: usize, request: &Object) -> Reply {
    let calls = turn.tool_calls.iter().flatten().enumerate();
    let calls: Vec<Call> = calls
        .map(|(place, call)| Call {
            id: format!("call_{said}_{place}"),
            name: call.name.clone(),
            arguments: Value::Object(call.arguments.clone().unwrap_or_default()).to_string(),
        })
        .collect();
    let reasoning = turn.reasoning.clone().unwrap_or_default();
    let text = turn.text.clone().unwrap_or_default();
    let read = ["messages", "tools"].iter().filter_map(|name| request.get(*name));
    let called = calls
        .iter()
        .map(|call| estimate::of_text(&call.name) + estimate::of_text(&call.arguments));
    let thought = estimate::of_text(&reasoning);
    let usage = Usage {
        input: read.map(estimate::of_value).sum(),
        output: thought + estimate::of_text(&text) + called.sum::<u64>(),
        reasoning: thought,
        ..Usage::default()
    };
    Reply {
        finish: Finish::Stop.given_calls(!calls.is_empty()),
        reasoning,
        text,
        calls,
        usage: Some(usage),
        ..Reply::default()
    }
}
