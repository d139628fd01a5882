//! A Messages request as a chat request.

use serde_json::{Value, json};

use super::{EFFORTS, turns};
use crate::inference::fields::{Notes, Placed as _, Take as _, object, refused};
use crate::inference::{Object, Refused, Translated};

/// What chats have nothing like.
const ONLY_MESSAGES: &[&str] = &[
    "anthropic_beta",
    "anthropic_version",
    "cache_control",
    "container",
    "context_management",
    "diagnostics",
    "inference_geo",
    "speed",
    "top_k",
    "user_profile_id",
    "workspace_id",
];

/// Translates a Messages request.
///
/// `max_tokens` becomes `max_completion_tokens` (see [`name_limit`](crate::inference::request::name_limit)); a budget for
/// thinking becomes the `reasoning_effort` that [`EFFORTS`] has for it, and `output_config.effort` does where there is one;
/// a streamed answer is asked to tell its usage. Thoughts of earlier turns and marks for caches are left out.
///
/// # Errors
/// What has the wrong type, with its place, and what cannot be said: tools that the provider runs itself, MCP servers,
/// files by id, documents that are to be fetched.
pub fn request_to_chat(mut request: Object) -> Result<Translated, Refused> {
    let mut notes = Notes::default();
    let mut body = Object::new();
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            body.insert(name.to_owned(), value);
        }
    };
    set("model", request.take_text("model")?.map(Value::from));
    let servers = request.take_list("mcp_servers")?;
    if servers.is_some_and(|servers| !servers.is_empty()) {
        return Err(refused("this model cannot reach MCP servers by itself").at("mcp_servers"));
    }
    let messages = request.take_list("messages")?;
    let messages = messages.ok_or_else(|| refused("required, and not given").at("messages"))?;
    let system = request.take("system");
    set(
        "messages",
        Some(Value::Array(turns::to_chat(system, messages, &mut notes)?)),
    );

    let tools = request.take_list("tools")?.unwrap_or_default();
    let tools = tools.into_iter().enumerate();
    let tools: Vec<Value> = tools
        .map(|(index, value)| tool(value).at_index(index))
        .collect::<Result<_, _>>()
        .at("tools")?;
    set("tools", Some(Value::Array(tools)).filter(|tools| tools != &json!([])));
    if let Some(choice) = request.take_object("tool_choice")? {
        let (choice, is_parallel) = tool_choice(choice).at("tool_choice")?;
        set("tool_choice", Some(choice));
        set("parallel_tool_calls", is_parallel.map(Value::from));
    }

    set(
        "max_completion_tokens",
        request.take_count("max_tokens")?.map(Value::from),
    );
    set("temperature", request.take_number("temperature")?.map(Value::from));
    set("top_p", request.take_number("top_p")?.map(Value::from));
    let stops = request.take_list("stop_sequences")?.unwrap_or_default();
    if let Some(index) = stops.iter().position(|stop| !stop.is_string()) {
        return Err(refused("expected a string").at_index(index).at("stop_sequences"));
    }
    set("stop", Some(Value::Array(stops)).filter(|stops| stops != &json!([])));
    let is_streamed = request.take_boolean("stream")?;
    set("stream", is_streamed.map(Value::from));
    if is_streamed == Some(true) {
        set("stream_options", Some(json!({"include_usage": true})));
    }
    if let Some(mut metadata) = request.take_object("metadata")? {
        set("user", metadata.take_text("user_id").at("metadata")?.map(Value::from));
        if !metadata.is_empty() {
            notes.add("metadata", "left out but for `user_id`");
        }
    }
    let mut config = request.take_object("output_config")?.unwrap_or_default();
    let effort = config.take_text("effort").at("output_config")?;
    let thinking = request.take_object("thinking")?;
    set(
        "reasoning_effort",
        reasoning_effort(effort, thinking, &mut notes)?.map(Value::from),
    );
    if let Some(format) = config.take_object("format").at("output_config")? {
        set(
            "response_format",
            Some(response_format(format).at("format").at("output_config")?),
        );
    }
    if !config.is_empty() {
        notes.add("output_config", "left out but for `effort` and `format`");
    }
    if let Some(tier) = request.take_text("service_tier")? {
        match tier.as_str() {
            "auto" => set("service_tier", Some(json!("auto"))),
            "standard_only" => set("service_tier", Some(json!("default"))),
            other => notes.add("service_tier", format!("left out: chats have no tier `{other}`")),
        }
    }
    notes.leave_out(&mut request, ONLY_MESSAGES, "chats");
    body.extend(request);
    Ok(Translated {
        body,
        notes: notes.into_list(),
    })
}

fn tool(tool: Value) -> Result<Value, Refused> {
    let mut tool = object(tool)?;
    match tool.take_text("type")?.as_deref() {
        Some("custom") | None => {}
        Some(other) => {
            let message = format!("a tool of type `{other}` runs at Anthropic and cannot be offered to this model");
            return Err(refused(message).at("type"));
        }
    }
    let mut function = Object::new();
    function.insert("name".to_owned(), json!(tool.need_text("name")?));
    if let Some(description) = tool.take_text("description")? {
        function.insert("description".to_owned(), json!(description));
    }
    let schema = tool.take_object("input_schema")?;
    let schema = schema.ok_or_else(|| refused("required, and not given").at("input_schema"))?;
    function.insert("parameters".to_owned(), Value::Object(schema));
    if let Some(strict) = tool.take_boolean("strict")? {
        function.insert("strict".to_owned(), json!(strict));
    }
    Ok(json!({"type": "function", "function": function}))
}

/// The choice, and whether tools may be called in parallel, when that was said.
fn tool_choice(mut choice: Object) -> Result<(Value, Option<bool>), Refused> {
    let is_parallel = choice
        .take_boolean("disable_parallel_tool_use")?
        .map(|disabled| !disabled);
    let translated = match choice.need_text("type")?.as_str() {
        "auto" => json!("auto"),
        "any" => json!("required"),
        "none" => json!("none"),
        "tool" => json!({"type": "function", "function": {"name": choice.need_text("name")?}}),
        other => return Err(refused(format!("`{other}` is none of auto, any, tool and none")).at("type")),
    };
    Ok((translated, is_parallel))
}

fn reasoning_effort(
    effort: Option<String>,
    thinking: Option<Object>,
    notes: &mut Notes,
) -> Result<Option<String>, Refused> {
    let mut thinking = thinking.unwrap_or_default();
    let kind = thinking.take_text("type").at("thinking")?;
    let budget = thinking.take_count("budget_tokens").at("thinking")?;
    match (effort.as_deref(), kind.as_deref()) {
        // Nothing above `xhigh` has a name in chats.
        (Some("max"), _) => Ok(Some("xhigh".to_owned())),
        (Some(_), _) => Ok(effort),
        (None, Some("enabled")) => {
            let budget = budget.ok_or_else(|| refused("required, and not given").at("budget_tokens").at("thinking"))?;
            // The largest that is within the budget; the smallest is `low`, which more models know than `minimal`.
            let within = EFFORTS.iter().rev().find(|(_, least)| *least <= budget);
            Ok(Some(within.map_or("low", |(name, _)| name).to_owned()))
        }
        (None, Some("disabled") | None) => Ok(None),
        (None, Some(other)) => {
            notes.add(
                "thinking",
                format!("left out: chats have nothing like `{other}`, the model decides"),
            );
            Ok(None)
        }
    }
}

fn response_format(mut format: Object) -> Result<Value, Refused> {
    match format.need_text("type")?.as_str() {
        "json_schema" => {
            let schema = format.take_object("schema")?;
            let schema = schema.ok_or_else(|| refused("required, and not given").at("schema"))?;
            Ok(json!({"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": true}}))
        }
        other => Err(refused(format!("a format of type `{other}` cannot be asked of this model")).at("type")),
    }
}
