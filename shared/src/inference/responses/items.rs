//! The items of an input as the messages of a chat.

use serde_json::{Value, json};

use crate::inference::fields::{Notes, Placed as _, Take as _, kind, object, refused};
use crate::inference::{Object, Refused};

pub(super) fn to_messages(items: Vec<Value>, messages: &mut Vec<Value>, notes: &mut Notes) -> Result<(), Refused> {
    let mut is_assistant_turn = false;
    // What results hold beside text follows when all of them are told: nothing may stand between a call and its result.
    let mut beside = Vec::new();
    for (index, item) in items.into_iter().enumerate() {
        let mut item = object(item).at_index(index)?;
        let kind = item.take_text("type").at_index(index)?;
        if kind.as_deref() != Some("function_call_output") {
            tell(&mut beside, messages);
        }
        match kind.as_deref() {
            Some("message") | None => {
                let message = message(&mut item).at_index(index)?;
                is_assistant_turn = message["role"] == "assistant";
                messages.push(message);
            }
            Some("function_call") => {
                let call = call(&mut item).at_index(index)?;
                // Calls belong to the message they came with, and to each other.
                if !std::mem::replace(&mut is_assistant_turn, true) {
                    messages.push(json!({"role": "assistant", "content": null}));
                }
                if let Some(message) = messages.last_mut() {
                    match message["tool_calls"].as_array_mut() {
                        Some(calls) => calls.push(call),
                        None => message["tool_calls"] = json!([call]),
                    }
                }
            }
            Some("function_call_output") => {
                is_assistant_turn = false;
                let (message, parts) = output(&mut item, notes).at_index(index)?;
                messages.push(message);
                beside.extend(parts);
            }
            Some("reasoning") => {
                notes.add(
                    "input[].reasoning",
                    "left out: chats do not take the thoughts of earlier turns",
                );
            }
            Some("item_reference") => {
                let message = "items are not kept here: send the item itself";
                return Err(refused(message).at("type").at_index(index));
            }
            Some(other) => {
                let message = format!("an item of type `{other}` cannot be sent to this model");
                return Err(refused(message).at("type").at_index(index));
            }
        }
    }
    tell(&mut beside, messages);
    Ok(())
}

/// Tells parts in a message of the user, if there are any.
fn tell(parts: &mut Vec<Value>, messages: &mut Vec<Value>) {
    if !parts.is_empty() {
        messages.push(json!({"role": "user", "content": std::mem::take(parts)}));
    }
}

fn message(item: &mut Object) -> Result<Value, Refused> {
    let role = match item.need_text("role")?.as_str() {
        // All servers know `system`, and those that know `developer` take it for the same.
        "system" | "developer" => "system",
        "user" => "user",
        "assistant" => "assistant",
        other => {
            let message = format!("`{other}` is none of system, developer, user and assistant");
            return Err(refused(message).at("role"));
        }
    };
    let content = match item.take("content") {
        Some(Value::String(text)) => Value::String(text),
        Some(Value::Array(parts)) => parts_of(parts).at("content")?,
        Some(other) => {
            let message = format!("expected a string or a list, this is {}", kind(&other));
            return Err(refused(message).at("content"));
        }
        None => return Err(refused("required, and not given").at("content")),
    };
    Ok(json!({"role": role, "content": content}))
}

/// Texts alone are one text, which every server understands.
fn parts_of(parts: Vec<Value>) -> Result<Value, Refused> {
    let parts = parts.into_iter().enumerate();
    let parts: Vec<Value> = parts
        .map(|(index, value)| part(value).at_index(index))
        .collect::<Result<_, _>>()?;
    Ok(if parts.iter().all(|part| part["type"] == "text") {
        Value::String(parts.iter().filter_map(|part| part["text"].as_str()).collect())
    } else {
        Value::Array(parts)
    })
}

fn part(part: Value) -> Result<Value, Refused> {
    let mut part = object(part)?;
    match part.need_text("type")?.as_str() {
        "input_text" | "output_text" | "text" => Ok(json!({"type": "text", "text": part.need_text("text")?})),
        "refusal" => Ok(json!({"type": "text", "text": part.need_text("refusal")?})),
        "input_image" => {
            let Some(url) = part.take_text("image_url")? else {
                return Err(refused("required: files are not kept here").at("image_url"));
            };
            let mut image = json!({"url": url});
            if let Some(detail) = part.take_text("detail")? {
                image["detail"] = json!(detail);
            }
            Ok(json!({"type": "image_url", "image_url": image}))
        }
        "input_file" => {
            let Some(data) = part.take_text("file_data")? else {
                return Err(refused("required: files are neither kept nor fetched here").at("file_data"));
            };
            let name = part.take_text("filename")?.unwrap_or_else(|| "document".to_owned());
            Ok(json!({"type": "file", "file": {"filename": name, "file_data": data}}))
        }
        "input_audio" => match part.take_object("input_audio")? {
            Some(audio) => Ok(json!({"type": "input_audio", "input_audio": audio})),
            None => Err(refused("required, and not given").at("input_audio")),
        },
        other => Err(refused(format!("a part of type `{other}` cannot be sent to this model")).at("type")),
    }
}

fn call(item: &mut Object) -> Result<Value, Refused> {
    let id = item.need_text("call_id")?;
    let name = item.need_text("name")?;
    let arguments = item.need_text("arguments")?;
    Ok(json!({"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}))
}

/// The message of a result, and the parts of it that the message cannot hold.
fn output(item: &mut Object, notes: &mut Notes) -> Result<(Value, Vec<Value>), Refused> {
    let id = item.need_text("call_id")?;
    let content = match item.take("output") {
        Some(Value::String(text)) => Value::String(text),
        Some(Value::Array(parts)) => parts_of(parts).at("output")?,
        Some(other) => {
            let message = format!("expected a string or a list, this is {}", kind(&other));
            return Err(refused(message).at("output"));
        }
        None => return Err(refused("required, and not given").at("output")),
    };
    let (content, beside) = match content {
        Value::Array(parts) => {
            notes.add(
                "input[].output",
                "images in results follow in a message of the user: results of chats are text",
            );
            let (texts, beside): (Vec<Value>, Vec<Value>) = parts.into_iter().partition(|part| part["type"] == "text");
            let text: String = texts.iter().filter_map(|part| part["text"].as_str()).collect();
            (Value::String(text), beside)
        }
        text => (text, Vec::new()),
    };
    Ok((json!({"role": "tool", "tool_call_id": id, "content": content}), beside))
}
