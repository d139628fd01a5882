//! The messages of a chat as the turns of Messages.

use serde_json::{Value, json};

use crate::inference::fields::{self, Notes, Placed as _, Take as _, kind, object, refused, text};
use crate::inference::{Object, Refused};

/// What a chat is in Messages.
pub(super) struct Conversation {
    /// A text, or blocks where one of them carries more than text.
    pub(super) system: Option<Value>,
    /// Turns; no two in a row are of one role.
    pub(super) messages: Vec<Value>,
}

/// What stands between texts that are joined.
const BETWEEN: &str = "\n\n";

pub(super) fn of_chat(messages: Vec<Value>, notes: &mut Notes) -> Result<Conversation, Refused> {
    let mut system = Vec::new();
    let mut turns: Vec<(&'static str, Vec<Value>)> = Vec::new();
    for (index, message) in messages.into_iter().enumerate() {
        let mut message = object(message).at_index(index)?;
        let role = message.need_text("role").at_index(index)?;
        let (role, blocks) = match role.as_str() {
            "system" | "developer" => {
                system.extend(content(&mut message).at_index(index)?);
                continue;
            }
            "user" => ("user", content(&mut message).at_index(index)?),
            "tool" => ("user", vec![tool_result(&mut message).at_index(index)?]),
            "assistant" => ("assistant", assistant(&mut message, notes).at_index(index)?),
            other => {
                let message = format!("`{other}` is none of system, developer, user, assistant and tool");
                return Err(refused(message).at("role").at_index(index));
            }
        };
        for name in message.keys() {
            notes.add(
                &format!("messages[].{name}"),
                "left out: turns of Messages have nothing like it",
            );
        }
        match turns.last_mut() {
            _ if blocks.is_empty() => {}
            Some((last, all)) if *last == role => all.extend(blocks),
            Some(_) | None => turns.push((role, blocks)),
        }
    }
    if turns.is_empty() {
        return Err(refused("nothing is said by anybody but the system"));
    }
    let messages = turns.into_iter().map(|(role, mut blocks)| {
        // Results must come before what else is said in the turn.
        blocks.sort_by_key(|block| block["type"] != "tool_result");
        json!({"role": role, "content": simplified(blocks)})
    });
    Ok(Conversation {
        messages: messages.collect(),
        system: (!system.is_empty()).then(|| joined(system)),
    })
}

/// A single block of nothing but text is that text.
fn simplified(mut blocks: Vec<Value>) -> Value {
    match blocks.as_mut_slice() {
        [only] if is_plain(only) => only["text"].take(),
        _ => Value::Array(blocks),
    }
}

fn joined(blocks: Vec<Value>) -> Value {
    if blocks.iter().all(is_plain) {
        let texts: Vec<&str> = blocks.iter().filter_map(|block| block["text"].as_str()).collect();
        Value::String(texts.join(BETWEEN))
    } else {
        Value::Array(blocks)
    }
}

fn is_plain(block: &Value) -> bool {
    block["type"] == "text" && block.as_object().is_some_and(|block| block.len() == 2)
}

/// The content of a message as blocks. Messages refuse texts that are empty: they are left out.
fn content(message: &mut Object) -> Result<Vec<Value>, Refused> {
    let blocks = match message.take("content") {
        None => Ok(Vec::new()),
        Some(Value::String(text)) => Ok(vec![json!({"type": "text", "text": text})]),
        Some(Value::Array(parts)) => {
            let parts = parts.into_iter().enumerate();
            parts.map(|(index, value)| part(value).at_index(index)).collect()
        }
        Some(other) => Err(refused(format!(
            "expected a string or a list, this is {}",
            kind(&other)
        ))),
    };
    let mut blocks: Vec<Value> = blocks.at("content")?;
    blocks.retain(|block| block["text"] != "");
    Ok(blocks)
}

fn part(part: Value) -> Result<Value, Refused> {
    let mut part = object(part)?;
    let mut block = match part.need_text("type")?.as_str() {
        "text" => json!({"type": "text", "text": part.need_text("text")?}),
        "refusal" => json!({"type": "text", "text": part.need_text("refusal")?}),
        "image_url" => {
            let url = match part.take("image_url") {
                Some(Value::Object(mut image)) => image.need_text("url").at("image_url")?,
                Some(other) => text(other).at("image_url")?,
                None => return Err(refused("required, and not given").at("image_url")),
            };
            json!({"type": "image", "source": source(url).at("image_url")?})
        }
        "file" => document(&mut part)?,
        other => return Err(refused(format!("a part of type `{other}` cannot be sent to this model")).at("type")),
    };
    // A mark of Anthropic's own that its users put on parts of chats too.
    if let Some(mark) = part.take("cache_control") {
        block["cache_control"] = mark;
    }
    Ok(block)
}

/// Where bytes come from: they stand in the URL, or are to be fetched.
fn source(url: String) -> Result<Value, Refused> {
    let Some(rest) = url.strip_prefix("data:") else {
        return if url.starts_with("http://") || url.starts_with("https://") {
            Ok(json!({"type": "url", "url": url}))
        } else {
            Err(refused("neither a data: nor an http:// or https:// URL"))
        };
    };
    let (head, data) = rest
        .split_once(',')
        .ok_or_else(|| refused("a data: URL without data"))?;
    let kind = head
        .strip_suffix(";base64")
        .ok_or_else(|| refused("a data: URL that is not base64"))?;
    let kind = kind.split(';').next().unwrap_or_default();
    Ok(json!({"type": "base64", "media_type": kind, "data": data}))
}

fn document(part: &mut Object) -> Result<Value, Refused> {
    let file = part.take_object("file")?;
    let mut file = file.ok_or_else(|| refused("required, and not given").at("file"))?;
    let Some(data) = file.take_text("file_data").at("file")? else {
        return Err(refused("only files whose data is given can be sent to this model").at("file"));
    };
    let mut block = json!({"type": "document", "source": source(data).at("file_data").at("file")?});
    if let Some(name) = file.take_text("filename").at("file")? {
        block["title"] = json!(name);
    }
    Ok(block)
}

fn assistant(message: &mut Object, notes: &mut Notes) -> Result<Vec<Value>, Refused> {
    if message.take("function_call").is_some() {
        return Err(refused("no longer understood: say `tool_calls`").at("function_call"));
    }
    // Signed thoughts go back as they came; others have no place.
    let signed = message.take_list("thinking_blocks")?.unwrap_or_default();
    let signed = signed.into_iter().enumerate().map(|(index, block)| {
        let mut block = object(block).at_index(index)?;
        block.shift_remove("index");
        Ok(Value::Object(block))
    });
    let mut blocks: Vec<Value> = signed.collect::<Result<_, Refused>>().at("thinking_blocks")?;
    let thought = ["reasoning_content", "reasoning", "provider_specific_fields"];
    for name in thought {
        if message.take(name).is_some() && blocks.is_empty() {
            notes.add(
                &format!("messages[].{name}"),
                "left out: only thoughts with a signature can be sent back",
            );
        }
    }
    blocks.extend(content(message)?);
    if let Some(refusal) = message.take_text("refusal")?.filter(|refusal| !refusal.is_empty()) {
        blocks.push(json!({"type": "text", "text": refusal}));
    }
    let calls = message.take_list("tool_calls")?.unwrap_or_default();
    for (index, call) in calls.into_iter().enumerate() {
        blocks.push(tool_use(call).at_index(index).at("tool_calls")?);
    }
    Ok(blocks)
}

fn tool_use(call: Value) -> Result<Value, Refused> {
    let mut call = object(call)?;
    match call.take_text("type")?.as_deref() {
        Some("function") | None => {}
        Some(other) => {
            return Err(refused(format!("a call of type `{other}` cannot be sent to this model")).at("type"));
        }
    }
    let id = call.need_text("id")?;
    let function = call.take_object("function")?;
    let mut function = function.ok_or_else(|| refused("required, and not given").at("function"))?;
    let name = function.need_text("name").at("function")?;
    let arguments = function.take_text("arguments").at("function")?.unwrap_or_default();
    let Some(input) = fields::arguments(&arguments) else {
        return Err(refused("not the text of a JSON object").at("arguments").at("function"));
    };
    Ok(json!({"type": "tool_use", "id": legal_id(&id), "name": name, "input": input}))
}

fn tool_result(message: &mut Object) -> Result<Value, Refused> {
    let id = message.need_text("tool_call_id")?;
    let given = message.take("content");
    let blocks = match given {
        Some(parts @ Value::Array(_)) => {
            message.insert("content".to_owned(), parts);
            simplified(content(message)?)
        }
        Some(other) => Value::String(text(other).at("content")?),
        None => Value::String(String::new()),
    };
    Ok(json!({"type": "tool_result", "tool_use_id": legal_id(&id), "content": blocks}))
}

/// Ids of calls are of letters, digits, `_` and `-` in Messages. The same change on both sides keeps them together.
fn legal_id(id: &str) -> String {
    let legal = |c: char| {
        if c.is_ascii_alphanumeric() || matches!(c, '_' | '-') {
            c
        } else {
            '_'
        }
    };
    id.chars().map(legal).collect()
}
