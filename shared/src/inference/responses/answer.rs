//! A chat completion as a response.

use serde_json::{Value, json};

use crate::inference::chat::{Finish, Reply};
use crate::inference::{Dialect, Object, Stamp, Usage, blocks};

/// What a response repeats of its request.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Echo(Object);

/// The members that are repeated, and what they are where the request does not say.
const REPEATED: &[(&str, &str)] = &[
    ("instructions", "null"),
    ("max_output_tokens", "null"),
    ("metadata", "{}"),
    ("parallel_tool_calls", "true"),
    ("reasoning", r#"{"effort":null,"summary":null}"#),
    ("temperature", "1.0"),
    ("text", r#"{"format":{"type":"text"}}"#),
    ("tool_choice", r#""auto""#),
    ("tools", "[]"),
    ("top_p", "1.0"),
    ("user", "null"),
];

impl Echo {
    /// What a response to this request repeats.
    #[must_use]
    pub fn of(request: &Object) -> Self {
        let repeated = REPEATED.iter().map(|(name, default)| {
            let given = request.get(*name).filter(|value| !value.is_null()).cloned();
            let value = given.unwrap_or_else(|| serde_json::from_str(default).expect("the defaults are JSON"));
            ((*name).to_owned(), value)
        });
        Self(repeated.collect())
    }
}

/// A chat completion as a response: thoughts, then text or a refusal, then calls.
#[must_use]
pub fn response_from_chat(answer: &Object, echo: &Echo, stamp: &Stamp) -> Object {
    let reply = Reply::of_chat(answer);
    let status = status(reply.finish);
    let mut output = Vec::new();
    if !reply.reasoning.is_empty() {
        output.push(reasoning_item(stamp, output.len(), &reply.reasoning));
    }
    let texts = [
        (&reply.text, text_part as fn(&str) -> Value),
        (&reply.refusal, refusal_part),
    ];
    for (text, part) in texts {
        if !text.is_empty() {
            output.push(message_item(stamp, output.len(), vec![part(text)], status));
        }
    }
    for (number, call) in reply.calls.iter().enumerate() {
        let id = call.id_or_made(stamp, number);
        let arguments = blocks::arguments_of(&call.arguments);
        output.push(call_item(stamp, output.len(), &id, &call.name, arguments, status));
    }
    response(stamp, echo, output, Some(reply.finish), reply.usage)
}

/// The status of an answer, and of the items in it, that ended so.
pub(super) const fn status(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop | Finish::ToolCalls => "completed",
        Finish::Length | Finish::ContentFilter => "incomplete",
    }
}

/// A response: a whole one, or one that begins, which has not finished yet.
pub(super) fn response(
    stamp: &Stamp,
    echo: &Echo,
    output: Vec<Value>,
    finish: Option<Finish>,
    usage: Option<Usage>,
) -> Object {
    let reason = match finish {
        Some(Finish::Length) => Some("max_output_tokens"),
        Some(Finish::ContentFilter) => Some("content_filter"),
        Some(Finish::Stop | Finish::ToolCalls) | None => None,
    };
    let mut response = Object::new();
    response.insert("id".to_owned(), json!(format!("resp_{}", stamp.id)));
    response.insert("object".to_owned(), json!("response"));
    response.insert("created_at".to_owned(), json!(stamp.created));
    response.insert("status".to_owned(), json!(finish.map_or("in_progress", status)));
    response.insert("error".to_owned(), Value::Null);
    response.insert(
        "incomplete_details".to_owned(),
        json!(reason.map(|reason| json!({"reason": reason}))),
    );
    response.insert("model".to_owned(), json!(stamp.model));
    response.insert("output".to_owned(), Value::Array(output));
    response.insert("previous_response_id".to_owned(), Value::Null);
    response.insert("store".to_owned(), json!(false));
    response.insert("truncation".to_owned(), json!("disabled"));
    response.insert(
        "usage".to_owned(),
        json!(usage.map(|usage| usage.to_value(Dialect::Responses))),
    );
    response.extend(echo.0.clone());
    response
}

pub(super) fn item_id(prefix: &str, stamp: &Stamp, place: usize) -> String {
    format!("{prefix}_{}_{place}", stamp.id)
}

pub(super) fn reasoning_item(stamp: &Stamp, place: usize, text: &str) -> Value {
    let content = if text.is_empty() {
        json!([])
    } else {
        json!([reasoning_part(text)])
    };
    json!({"id": item_id("rs", stamp, place), "type": "reasoning", "summary": [], "content": content})
}

pub(super) fn message_item(stamp: &Stamp, place: usize, content: Vec<Value>, status: &str) -> Value {
    json!({
        "id": item_id("msg", stamp, place), "type": "message", "status": status, "role": "assistant",
        "content": content,
    })
}

pub(super) fn call_item(stamp: &Stamp, place: usize, id: &str, name: &str, arguments: &str, status: &str) -> Value {
    json!({
        "id": item_id("fc", stamp, place), "type": "function_call", "status": status, "call_id": id,
        "name": name, "arguments": arguments,
    })
}

pub(super) fn text_part(text: &str) -> Value {
    json!({"type": "output_text", "text": text, "annotations": [], "logprobs": []})
}

pub(super) fn refusal_part(text: &str) -> Value {
    json!({"type": "refusal", "refusal": text})
}

pub(super) fn reasoning_part(text: &str) -> Value {
    json!({"type": "reasoning_text", "text": text})
}
