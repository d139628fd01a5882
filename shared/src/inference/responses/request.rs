//! A Responses request as a chat request.

use serde_json::{Value, json};

use super::items;
use crate::inference::fields::{Notes, Placed as _, Take as _, kind, object, refused};
use crate::inference::{Object, Refused, Translated};

/// What chats have nothing like, and what changes nothing of the answer itself.
const ONLY_RESPONSES: &[&str] = &[
    "access_programs",
    "background_options",
    "context_management",
    "image",
    "include",
    "max_tool_calls",
    "moderation",
    "prompt_cache_options",
    "top_logprobs",
    "truncation",
];

/// What leans on something that OpenAI keeps.
const KEPT: &[(&str, &str)] = &[
    (
        "previous_response_id",
        "responses are not kept here: send the whole conversation as `input`",
    ),
    (
        "conversation",
        "conversations are not kept here: send the whole of it as `input`",
    ),
    ("prompt", "prompts are not kept here: send `instructions` and `input`"),
];

/// Translates a Responses request.
///
/// `instructions` become the first system message, `max_output_tokens` becomes `max_completion_tokens` (see
/// [`name_limit`](crate::inference::request::name_limit)), `reasoning.effort` and `text` get the names they have in chats,
/// and a streamed answer is asked to tell its usage.
///
/// # Errors
/// What has the wrong type, with its place; what leans on something kept; items and tools that chats have nothing like.
pub fn request_to_chat(mut request: Object) -> Result<Translated, Refused> {
    let mut notes = Notes::default();
    let mut body = Object::new();
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            body.insert(name.to_owned(), value);
        }
    };
    for (name, message) in KEPT {
        if request.take(name).is_some() {
            return Err(refused(*message).at(name));
        }
    }
    if request.take_boolean("background")? == Some(true) {
        return Err(refused("answers are given at once, not in the background").at("background"));
    }
    set("model", request.take_text("model")?.map(Value::from));
    let mut messages = Vec::new();
    if let Some(instructions) = request.take_text("instructions")?.filter(|text| !text.is_empty()) {
        messages.push(json!({"role": "system", "content": instructions}));
    }
    match request.take("input") {
        Some(Value::String(text)) => messages.push(json!({"role": "user", "content": text})),
        Some(Value::Array(list)) => items::to_messages(list, &mut messages, &mut notes).at("input")?,
        Some(other) => {
            let message = format!("expected a string or a list, this is {}", kind(&other));
            return Err(refused(message).at("input"));
        }
        None => return Err(refused("required, and not given").at("input")),
    }
    set("messages", Some(Value::Array(messages)));

    let tools = request.take_list("tools")?.unwrap_or_default();
    let tools = tools.into_iter().enumerate();
    let tools: Vec<Value> = tools
        .map(|(index, value)| tool(value).at_index(index))
        .collect::<Result<_, _>>()
        .at("tools")?;
    let has_tools = !tools.is_empty();
    set("tools", Some(Value::Array(tools)).filter(|_| has_tools));
    if let Some(choice) = request.take("tool_choice") {
        set(
            "tool_choice",
            Some(tool_choice(choice).at("tool_choice")?).filter(|_| has_tools),
        );
    }
    let is_parallel = request.take_boolean("parallel_tool_calls")?;
    set(
        "parallel_tool_calls",
        is_parallel.filter(|_| has_tools).map(Value::from),
    );

    set(
        "max_completion_tokens",
        request.take_count("max_output_tokens")?.map(Value::from),
    );
    set("temperature", request.take_number("temperature")?.map(Value::from));
    set("top_p", request.take_number("top_p")?.map(Value::from));
    let is_streamed = request.take_boolean("stream")?;
    set("stream", is_streamed.map(Value::from));
    // What may be said here is about padding, which a translated stream has none of.
    request.take_object("stream_options")?;
    if is_streamed == Some(true) {
        set("stream_options", Some(json!({"include_usage": true})));
    }
    if let Some(mut reasoning) = request.take_object("reasoning")? {
        set(
            "reasoning_effort",
            reasoning.take_text("effort").at("reasoning")?.map(Value::from),
        );
        if reasoning.values().any(|value| !value.is_null()) {
            notes.add("reasoning", "left out but for `effort`");
        }
    }
    if let Some(mut text) = request.take_object("text")? {
        set("verbosity", text.take_text("verbosity").at("text")?.map(Value::from));
        if let Some(format) = text.take_object("format").at("text")? {
            set("response_format", response_format(format).at("format").at("text")?);
        }
    }
    if request.take_boolean("store")? == Some(true) {
        notes.add("store", "left out: responses are not kept here");
    }
    notes.leave_out(&mut request, ONLY_RESPONSES, "chats");
    body.extend(request);
    Ok(Translated {
        body,
        notes: notes.into_list(),
    })
}

fn tool(tool: Value) -> Result<Value, Refused> {
    let mut tool = object(tool)?;
    match tool.need_text("type")?.as_str() {
        "function" => {}
        other => {
            let message = format!("a tool of type `{other}` is not offered here: only functions are");
            return Err(refused(message).at("type"));
        }
    }
    let mut function = Object::new();
    function.insert("name".to_owned(), json!(tool.need_text("name")?));
    if let Some(description) = tool.take_text("description")? {
        function.insert("description".to_owned(), json!(description));
    }
    if let Some(parameters) = tool.take_object("parameters")? {
        function.insert("parameters".to_owned(), Value::Object(parameters));
    }
    if let Some(strict) = tool.take_boolean("strict")? {
        function.insert("strict".to_owned(), json!(strict));
    }
    Ok(json!({"type": "function", "function": function}))
}

fn tool_choice(choice: Value) -> Result<Value, Refused> {
    match choice {
        Value::String(word) if matches!(word.as_str(), "auto" | "none" | "required") => Ok(json!(word)),
        Value::String(word) => Err(refused(format!("`{word}` is none of auto, none and required"))),
        Value::Object(mut choice) => match choice.need_text("type")?.as_str() {
            "function" => Ok(json!({"type": "function", "function": {"name": choice.need_text("name")?}})),
            other => Err(refused(format!("a choice of type `{other}` cannot be put to this model")).at("type")),
        },
        other => Err(refused(format!(
            "expected a string or an object, this is {}",
            kind(&other)
        ))),
    }
}

fn response_format(mut format: Object) -> Result<Option<Value>, Refused> {
    match format.need_text("type")?.as_str() {
        "text" => Ok(None),
        "json_object" => Ok(Some(json!({"type": "json_object"}))),
        "json_schema" => Ok(Some(json!({"type": "json_schema", "json_schema": format}))),
        other => Err(refused(format!("`{other}` is none of text, json_schema and json_object")).at("type")),
    }
}
