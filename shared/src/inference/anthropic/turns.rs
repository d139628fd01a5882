//! The turns of Messages as the messages of a chat.

use serde_json::{Value, json};

use crate::inference::fields::{Notes, Placed as _, Take as _, kind, object, refused};
use crate::inference::{Object, Refused};

/// What stands between texts that are joined. Of what the model itself said nothing stands between: it was one text.
const BETWEEN: &str = "\n\n";

pub(super) fn to_chat(system: Option<Value>, turns: Vec<Value>, notes: &mut Notes) -> Result<Vec<Value>, Refused> {
    let mut messages = Vec::new();
    if let Some(system) = system {
        push_system(system, &mut messages).at("system")?;
    }
    for (index, turn) in turns.into_iter().enumerate() {
        push_turn(turn, &mut messages, notes).at_index(index).at("messages")?;
    }
    Ok(messages)
}

fn push_system(content: Value, messages: &mut Vec<Value>) -> Result<(), Refused> {
    let texts: Vec<String> = blocks(content)?
        .into_iter()
        .enumerate()
        .map(|(index, block)| {
            let mut block = object(block).at_index(index)?;
            match block.need_text("type").at_index(index)?.as_str() {
                "text" => block.need_text("text").at_index(index),
                other => Err(refused(format!("the system says text, not `{other}`"))
                    .at("type")
                    .at_index(index)),
            }
        })
        .collect::<Result<_, _>>()?;
    let text = texts.join(BETWEEN);
    if !text.is_empty() {
        messages.push(json!({"role": "system", "content": text}));
    }
    Ok(())
}

fn push_turn(turn: Value, messages: &mut Vec<Value>, notes: &mut Notes) -> Result<(), Refused> {
    let mut turn = object(turn)?;
    let role = turn.need_text("role")?;
    let content = turn.take("content");
    let content = content.ok_or_else(|| refused("required, and not given").at("content"))?;
    for name in turn.keys() {
        notes.add(
            &format!("messages[].{name}"),
            "left out: messages of chats have nothing like it",
        );
    }
    match role.as_str() {
        "user" => user(content, messages, notes).at("content"),
        "assistant" => assistant(content, messages, notes).at("content"),
        "system" => push_system(content, messages).at("content"),
        other => Err(refused(format!("`{other}` is none of user, assistant and system")).at("role")),
    }
}

/// A content as blocks.
fn blocks(content: Value) -> Result<Vec<Value>, Refused> {
    match content {
        Value::String(text) => Ok(vec![json!({"type": "text", "text": text})]),
        Value::Array(blocks) => Ok(blocks),
        other => Err(refused(format!(
            "expected a string or a list, this is {}",
            kind(&other)
        ))),
    }
}

fn user(content: Value, messages: &mut Vec<Value>, notes: &mut Notes) -> Result<(), Refused> {
    let mut parts = Vec::new();
    for (index, block) in blocks(content)?.into_iter().enumerate() {
        let mut block = object(block).at_index(index)?;
        let kind = block.need_text("type").at_index(index)?;
        if kind == "tool_result" {
            // Results come first in a turn, and so they do among the messages.
            let (message, images) = tool_result(block, notes).at_index(index)?;
            messages.push(message);
            parts.extend(images);
        } else {
            parts.push(part(&kind, &mut block).at_index(index)?);
        }
    }
    if !parts.is_empty() {
        messages.push(json!({"role": "user", "content": simplified(parts, BETWEEN)}));
    }
    Ok(())
}

/// Texts alone are one text, which every server understands.
fn simplified(parts: Vec<Value>, between: &str) -> Value {
    if parts.iter().all(|part| part["type"] == "text") {
        let texts: Vec<&str> = parts.iter().filter_map(|part| part["text"].as_str()).collect();
        Value::String(texts.join(between))
    } else {
        Value::Array(parts)
    }
}

fn part(kind: &str, block: &mut Object) -> Result<Value, Refused> {
    match kind {
        "text" => Ok(json!({"type": "text", "text": block.need_text("text")?})),
        "image" => {
            let source = block.take_object("source")?;
            let mut source = source.ok_or_else(|| refused("required, and not given").at("source"))?;
            let url = match source.need_text("type").at("source")?.as_str() {
                "url" => source.need_text("url").at("source")?,
                "base64" => data_url(&mut source).at("source")?,
                other => return Err(unsendable("an image", other)),
            };
            Ok(json!({"type": "image_url", "image_url": {"url": url}}))
        }
        "document" => document(block),
        other => Err(refused(format!("a block of type `{other}` cannot be sent to this model")).at("type")),
    }
}

fn unsendable(what: &str, kind: &str) -> Refused {
    refused(format!("{what} from `{kind}` cannot be sent to this model"))
        .at("type")
        .at("source")
}

fn data_url(source: &mut Object) -> Result<String, Refused> {
    let kind = source.need_text("media_type")?;
    let data = source.need_text("data")?;
    Ok(format!("data:{kind};base64,{data}"))
}

fn document(block: &mut Object) -> Result<Value, Refused> {
    let source = block.take_object("source")?;
    let mut source = source.ok_or_else(|| refused("required, and not given").at("source"))?;
    match source.need_text("type").at("source")?.as_str() {
        "text" => Ok(json!({"type": "text", "text": source.need_text("data").at("source")?})),
        "base64" => {
            let name = block.take_text("title")?.unwrap_or_else(|| "document".to_owned());
            let file = json!({"filename": name, "file_data": data_url(&mut source).at("source")?});
            Ok(json!({"type": "file", "file": file}))
        }
        other => Err(unsendable("a document", other)),
    }
}

/// The message of a result, and its images, which the message cannot hold.
fn tool_result(mut block: Object, notes: &mut Notes) -> Result<(Value, Vec<Value>), Refused> {
    let id = block.need_text("tool_use_id")?;
    if block.take_boolean("is_error")? == Some(true) {
        notes.add(
            "messages[].content[].is_error",
            "left out: only the text of a result says that it is an error",
        );
    }
    let content = blocks(block.take("content").unwrap_or_else(|| json!(""))).at("content")?;
    let (mut texts, mut images) = (Vec::new(), Vec::new());
    for (index, block) in content.into_iter().enumerate() {
        let mut block = object(block).at_index(index).at("content")?;
        let kind = block.need_text("type").at_index(index).at("content")?;
        let part = part(&kind, &mut block).at_index(index).at("content")?;
        match part["text"].as_str() {
            Some(text) => texts.push(text.to_owned()),
            None => images.push(part),
        }
    }
    if !images.is_empty() {
        notes.add(
            "messages[].content[].content",
            "images in results follow in a message of the user: results of chats are text",
        );
    }
    let message = json!({"role": "tool", "tool_call_id": id, "content": texts.join(BETWEEN)});
    Ok((message, images))
}

fn assistant(content: Value, messages: &mut Vec<Value>, notes: &mut Notes) -> Result<(), Refused> {
    let (mut said, mut calls) = (String::new(), Vec::new());
    for (index, block) in blocks(content)?.into_iter().enumerate() {
        let mut block = object(block).at_index(index)?;
        match block.need_text("type").at_index(index)?.as_str() {
            "text" => said.push_str(&block.need_text("text").at_index(index)?),
            "tool_use" => calls.push(call(&mut block).at_index(index)?),
            "thinking" | "redacted_thinking" => {
                notes.add(
                    "messages[].content[].thinking",
                    "left out: chats do not take the thoughts of earlier turns",
                );
            }
            other => {
                let message = format!("a block of type `{other}` cannot be sent to this model");
                return Err(refused(message).at("type").at_index(index));
            }
        }
    }
    if said.is_empty() && calls.is_empty() {
        return Ok(());
    }
    let content = if said.is_empty() { Value::Null } else { json!(said) };
    let mut message = json!({"role": "assistant", "content": content});
    if !calls.is_empty() {
        message["tool_calls"] = Value::Array(calls);
    }
    messages.push(message);
    Ok(())
}

fn call(block: &mut Object) -> Result<Value, Refused> {
    let id = block.need_text("id")?;
    let name = block.need_text("name")?;
    let input = block.take_object("input")?.unwrap_or_default();
    let arguments = Value::Object(input).to_string();
    Ok(json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}))
}
