//! A chat request as a Messages request.

use serde_json::{Value, json};

use super::{DEFAULT_MAX_TOKENS, EFFORTS, LEAST_THINKING, conversation};
use crate::inference::fields::{Notes, Placed as _, Take as _, kind, list, object, refused, text};
use crate::inference::{Object, Refused, Translated};

/// What Messages have nothing like, and would refuse.
const ONLY_CHAT: &[&str] = &[
    "audio",
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "modalities",
    "moderation",
    "prediction",
    "presence_penalty",
    "prompt_cache_key",
    "prompt_cache_options",
    "prompt_cache_retention",
    "seed",
    "store",
    "top_logprobs",
    "verbosity",
    "web_search_options",
];

/// Translates a chat request.
///
/// `max_tokens` is [`DEFAULT_MAX_TOKENS`] where none is given, and more by the budget where thinking is asked for;
/// `temperature` is at most 1; `reasoning_effort` becomes a budget by [`EFFORTS`]; a `response_format` with a schema becomes
/// `output_config.format`. The members of a message that only chat has are left out with a note.
///
/// # Errors
/// What has the wrong type, with its place, and what cannot be said: messages of the old `function` kind, audio, files by
/// id, calls whose arguments are no object, tools that are no functions.
pub fn request_from_chat(mut chat: Object) -> Result<Translated, Refused> {
    let mut notes = Notes::default();
    let mut body = Object::new();
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            body.insert(name.to_owned(), value);
        }
    };
    set("model", chat.take_text("model")?.map(Value::from));
    for name in ["functions", "function_call"] {
        if chat.take(name).is_some() {
            return Err(refused("no longer understood: say `tools` and `tool_choice`").at(name));
        }
    }
    let messages = chat.take_list("messages")?;
    let messages = messages.ok_or_else(|| refused("required, and not given").at("messages"))?;
    let conversation = conversation::of_chat(messages, &mut notes).at("messages")?;
    set("system", conversation.system);
    set("messages", Some(Value::Array(conversation.messages)));

    let tools = chat.take_list("tools")?.unwrap_or_default();
    let tools = tools.into_iter().enumerate();
    let tools: Vec<Value> = tools
        .map(|(index, value)| tool(value).at_index(index))
        .collect::<Result<_, _>>()
        .at("tools")?;
    let is_parallel = chat.take_boolean("parallel_tool_calls")?;
    let choice = match chat.take("tool_choice") {
        Some(choice) => Some(tool_choice(choice).at("tool_choice")?),
        None => None,
    };
    let choice = with_parallel(choice, is_parallel).filter(|_| !tools.is_empty());
    let forces = choice
        .as_ref()
        .is_some_and(|choice| matches!(choice["type"].as_str(), Some("any" | "tool")));
    set("tools", Some(Value::Array(tools)).filter(|tools| tools != &json!([])));
    set("tool_choice", choice);

    let limit = chat.take_count("max_tokens")?;
    let limit = chat.take_count("max_completion_tokens")?.or(limit);
    let effort = chat.take_text("reasoning_effort")?;
    let own_thinking = chat.get("thinking").is_some_and(|thinking| !thinking.is_null());
    let budget = match effort {
        Some(_) if own_thinking => {
            notes.add("reasoning_effort", "left out: `thinking` is given");
            None
        }
        Some(effort) => budget(&effort, limit, forces, &mut notes)?,
        None => None,
    };
    set(
        "max_tokens",
        Some(json!(limit.unwrap_or(DEFAULT_MAX_TOKENS + budget.unwrap_or(0)))),
    );
    set(
        "thinking",
        budget.map(|budget| json!({"type": "enabled", "budget_tokens": budget})),
    );

    let temperature = chat.take_number("temperature")?;
    if temperature.is_some() && budget.is_some() {
        notes.add("temperature", "left out: it cannot be set where there is thinking");
    } else if let Some(given) = temperature {
        let clamped = given.clamp(0.0, 1.0);
        if (given - clamped).abs() > f64::EPSILON {
            notes.add(
                "temperature",
                format!("{clamped} instead of {given}: Messages take 0 to 1"),
            );
        }
        set("temperature", Some(json!(clamped)));
    }
    set("top_p", chat.take_number("top_p")?.map(Value::from));
    let stop = match chat.take("stop") {
        None => None,
        Some(Value::String(stop)) => Some(json!([stop])),
        Some(stops) => Some(Value::Array(list(stops).and_then(texts).at("stop")?)),
    };
    set("stop_sequences", stop);
    set("stream", chat.take_boolean("stream")?.map(Value::from));
    // How usage is told is between the relay and its client.
    chat.take_object("stream_options")?;
    set("metadata", metadata(&mut chat, &mut notes)?);
    set("service_tier", service_tier(&mut chat, &mut notes)?);
    set("output_config", output_config(&mut chat, &mut notes)?);
    if chat.take("n").is_some_and(|n| n != json!(1)) {
        notes.add("n", "left out: Messages have one answer");
    }
    notes.leave_out(&mut chat, ONLY_CHAT, "Messages");
    body.extend(chat);
    Ok(Translated {
        body,
        notes: notes.into_list(),
    })
}

fn texts(values: Vec<Value>) -> Result<Vec<Value>, Refused> {
    let values = values.into_iter().enumerate();
    values
        .map(|(index, value)| text(value).map(Value::from).at_index(index))
        .collect()
}

fn tool(tool: Value) -> Result<Value, Refused> {
    let mut tool = object(tool)?;
    match tool.need_text("type")?.as_str() {
        "function" => {}
        other => return Err(refused(format!("a tool of type `{other}` cannot be offered to this model")).at("type")),
    }
    let function = tool.take_object("function")?;
    let mut function = function.ok_or_else(|| refused("required, and not given").at("function"))?;
    let mut translated = Object::new();
    translated.insert("name".to_owned(), json!(function.need_text("name").at("function")?));
    if let Some(description) = function.take_text("description").at("function")? {
        translated.insert("description".to_owned(), json!(description));
    }
    let mut schema = function.take_object("parameters").at("function")?.unwrap_or_default();
    if schema.is_empty() {
        schema.insert("properties".to_owned(), json!({}));
    }
    schema.entry("type").or_insert_with(|| json!("object"));
    translated.insert("input_schema".to_owned(), Value::Object(schema));
    if function.take_boolean("strict").at("function")? == Some(true) {
        translated.insert("strict".to_owned(), json!(true));
    }
    translated.extend(function);
    translated.extend(tool);
    Ok(Value::Object(translated))
}

fn tool_choice(choice: Value) -> Result<Value, Refused> {
    match choice {
        Value::String(word) => match word.as_str() {
            "auto" => Ok(json!({"type": "auto"})),
            "none" => Ok(json!({"type": "none"})),
            "required" => Ok(json!({"type": "any"})),
            _ => Err(refused(format!("`{word}` is none of auto, none and required"))),
        },
        Value::Object(mut choice) => match choice.need_text("type")?.as_str() {
            "function" => {
                let function = choice.take_object("function")?;
                let mut function = function.ok_or_else(|| refused("required, and not given").at("function"))?;
                Ok(json!({"type": "tool", "name": function.need_text("name").at("function")?}))
            }
            other => Err(refused(format!("a choice of type `{other}` cannot be put to this model")).at("type")),
        },
        other => Err(refused(format!(
            "expected a string or an object, this is {}",
            kind(&other)
        ))),
    }
}

fn with_parallel(choice: Option<Value>, is_parallel: Option<bool>) -> Option<Value> {
    if is_parallel != Some(false) {
        return choice;
    }
    let mut choice = choice.unwrap_or_else(|| json!({"type": "auto"}));
    if choice["type"] != "none" {
        choice["disable_parallel_tool_use"] = json!(true);
    }
    Some(choice)
}

/// The budget for thinking: at least what Messages take, less than the answer may be long, and none where it cannot be.
fn budget(effort: &str, limit: Option<u64>, forces: bool, notes: &mut Notes) -> Result<Option<u64>, Refused> {
    if effort == "none" {
        return Ok(None);
    }
    let known = EFFORTS.iter().find(|(name, _)| *name == effort);
    let Some((_, budget)) = known else {
        let names: Vec<&str> = EFFORTS.iter().map(|(name, _)| *name).collect();
        let message = format!("`{effort}` is none of none, {}", names.join(", "));
        return Err(refused(message).at("reasoning_effort"));
    };
    if forces {
        notes.add(
            "reasoning_effort",
            "left out: a tool must be called, and then there is no thinking",
        );
        return Ok(None);
    }
    match limit {
        Some(limit) if limit <= LEAST_THINKING => {
            notes.add(
                "reasoning_effort",
                format!("left out: thinking takes {LEAST_THINKING} tokens at least, the answer may have {limit}"),
            );
            Ok(None)
        }
        Some(limit) => Ok(Some((*budget).min(limit - 1))),
        None => Ok(Some(*budget)),
    }
}

fn metadata(chat: &mut Object, notes: &mut Notes) -> Result<Option<Value>, Refused> {
    let mut metadata = chat.take_object("metadata")?.unwrap_or_default();
    let named = metadata.take_text("user_id").at("metadata")?;
    let safety = chat.take_text("safety_identifier")?;
    let user = chat.take_text("user")?.or(safety).or(named);
    if !metadata.is_empty() {
        notes.add("metadata", "left out but for `user_id`: Messages have nothing like it");
    }
    Ok(user.map(|user| json!({"user_id": user})))
}

fn service_tier(chat: &mut Object, notes: &mut Notes) -> Result<Option<Value>, Refused> {
    Ok(match chat.take_text("service_tier")?.as_deref() {
        Some(tier @ ("auto" | "standard_only")) => Some(json!(tier)),
        Some("default") => Some(json!("standard_only")),
        Some(other) => {
            notes.add("service_tier", format!("left out: Messages have no tier `{other}`"));
            None
        }
        None => None,
    })
}

fn output_config(chat: &mut Object, notes: &mut Notes) -> Result<Option<Value>, Refused> {
    let own = chat.take_object("output_config")?;
    let Some(mut format) = chat.take_object("response_format")? else {
        return Ok(own.map(Value::Object));
    };
    let schema = match format.need_text("type").at("response_format")?.as_str() {
        "text" => None,
        "json_schema" => {
            let wrapped = format.take_object("json_schema").at("response_format")?;
            let schema = wrapped.unwrap_or_default().take_object("schema");
            let schema = schema.at("json_schema").at("response_format")?;
            if schema.is_none() {
                notes.add("response_format", "left out: it has no schema");
            }
            schema
        }
        "json_object" => {
            notes.add("response_format", "left out: Messages promise JSON only after a schema");
            None
        }
        other => {
            let message = format!("`{other}` is none of text, json_schema and json_object");
            return Err(refused(message).at("type").at("response_format"));
        }
    };
    let mut config = own.unwrap_or_default();
    if let Some(schema) = schema {
        config.insert("format".to_owned(), json!({"type": "json_schema", "schema": schema}));
    }
    Ok(Some(Value::Object(config)).filter(|config| config != &json!({})))
}
