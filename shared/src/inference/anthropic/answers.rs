//! Answers, whole.

use serde_json::{Value, json};

use super::INVALID_ARGUMENTS;
use crate::inference::chat::{Call, Finish, Reply};
use crate::inference::{Dialect, Object, Stamp, Usage, fields};

/// A Messages answer as a chat completion: text and thoughts each joined, calls with their input as text. Thoughts that are
/// signed are in `thinking_blocks` too, to be sent back. Blocks that chats have nothing like are left out.
#[must_use]
pub fn response_to_chat(answer: &Object, stamp: &Stamp) -> Object {
    let mut reply = Reply {
        usage: Usage::of_answer(Dialect::Messages, answer),
        ..Reply::default()
    };
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for block in answer.get("content").and_then(Value::as_array).into_iter().flatten() {
        match block["type"].as_str() {
            Some("text") => reply.text.push_str(block["text"].as_str().unwrap_or_default()),
            Some("thinking") => {
                reply.reasoning.push_str(block["thinking"].as_str().unwrap_or_default());
                if block["signature"]
                    .as_str()
                    .is_some_and(|signature| !signature.is_empty())
                {
                    reply.thinking_blocks.push(block.clone());
                }
            }
            Some("redacted_thinking") => reply.thinking_blocks.push(block.clone()),
            Some("tool_use") => reply.calls.push(Call {
                id: text(&block["id"]),
                name: text(&block["name"]),
                arguments: match &block["input"] {
                    Value::Null => String::new(),
                    input => input.to_string(),
                },
            }),
            _ => {}
        }
    }
    let reason = answer.get("stop_reason").and_then(Value::as_str).unwrap_or_default();
    reply.finish = Finish::of_messages(reason).given_calls(!reply.calls.is_empty());
    reply.to_chat(stamp)
}

/// A chat completion as a Messages answer: thoughts, then text, then calls. Arguments that are no JSON object stand in
/// [`INVALID_ARGUMENTS`].
#[must_use]
pub fn response_from_chat(answer: &Object, stamp: &Stamp) -> Object {
    let reply = Reply::of_chat(answer);
    let mut blocks = Vec::new();
    if !reply.reasoning.is_empty() {
        blocks.push(json!({"type": "thinking", "thinking": reply.reasoning, "signature": ""}));
    }
    for text in [&reply.text, &reply.refusal] {
        if !text.is_empty() {
            blocks.push(json!({"type": "text", "text": text}));
        }
    }
    for (number, call) in reply.calls.iter().enumerate() {
        let input = fields::arguments(&call.arguments)
            .map_or_else(|| json!({INVALID_ARGUMENTS: call.arguments}), Value::Object);
        let id = call.id_or_made(stamp, number);
        blocks.push(json!({"type": "tool_use", "id": id, "name": call.name, "input": input}));
    }
    let reason = Some(reply.finish.as_messages());
    message(stamp, Value::Array(blocks), reason, reply.usage.unwrap_or_default())
}

/// A message: a whole one, or one that begins, which has no reason to have stopped yet.
pub(super) fn message(stamp: &Stamp, content: Value, stop_reason: Option<&str>, usage: Usage) -> Object {
    let mut message = Object::new();
    message.insert("id".to_owned(), json!(format!("msg_{}", stamp.id)));
    message.insert("type".to_owned(), json!("message"));
    message.insert("role".to_owned(), json!("assistant"));
    message.insert("model".to_owned(), json!(stamp.model));
    message.insert("content".to_owned(), content);
    message.insert("stop_reason".to_owned(), json!(stop_reason));
    message.insert("stop_sequence".to_owned(), Value::Null);
    message.insert("usage".to_owned(), usage.to_value(Dialect::Messages));
    message
}
