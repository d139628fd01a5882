//! Anthropic's Messages and OpenAI's chat completions, each out of the other: requests, answers, and answers in pieces.
//!
//! The shapes are those of the providers' API references ("Messages" and "Streaming messages"; "Chat completions"). A member
//! that both sides have is translated; one that only its own side has is left out with a note, or refused where the answer
//! would be another one without it; one that nobody here knows goes on as it came.

mod answers;
mod chunks;
mod conversation;
mod events;
mod from_chat;
mod to_chat;
mod turns;

use super::{Object, estimate};

pub use answers::{response_from_chat, response_to_chat};
pub use chunks::ChatStream;
pub use events::MessageStream;
pub use from_chat::request_from_chat;
pub use to_chat::request_to_chat;

/// How long an answer may be when a chat request does not say: Messages must say it. Every model that is still served can
/// write as much.
pub const DEFAULT_MAX_TOKENS: u64 = 4096;

/// The smallest budget for thinking that Messages take.
pub const LEAST_THINKING: u64 = 1024;

/// What `reasoning_effort` is as a budget of tokens for thinking, smallest first.
pub const EFFORTS: [(&str, u64); 5] = [
    ("minimal", LEAST_THINKING),
    ("low", LEAST_THINKING),
    ("medium", 4096),
    ("high", 16_384),
    ("xhigh", 32_768),
];

/// The member of a tool's `input` that holds what the model wrote, when that is no JSON object: Messages have no other place
/// for it, and whoever runs the tool must be able to say what was wrong.
pub const INVALID_ARGUMENTS: &str = "invalid_arguments";

/// How many tokens a Messages request has, roughly: what `/v1/messages/count_tokens` answers where no upstream counts. An
/// estimate, by the rule of [`estimate`], with a few tokens for each message.
#[must_use]
pub fn count_tokens(request: &Object) -> u64 {
    let read = ["system", "messages", "tools"]
        .iter()
        .filter_map(|name| request.get(*name));
    let messages = request.get("messages").and_then(|messages| messages.as_array());
    read.map(estimate::of_value).sum::<u64>() + 3 * messages.map_or(0, Vec::len) as u64
}
