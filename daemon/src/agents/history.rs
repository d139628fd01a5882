//! What was said in a thread, as a model is told it: messages in the words of chat completions. Pure.
//!
//! Whatever has become of a turn, what is told of it makes sense: each call that a model wanted has a result, if only that it
//! was not made or that nobody knows. Thoughts are not told again, but for those that a provider has signed and wants back
//! within the turn.

use std::collections::HashMap;

use orch_shared::chat::{CallState, Message, Role};
use orch_shared::system;
use serde_json::{Value, json};

use super::results;

/// A message, and what the provider wants to have back with it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) message: Message,
    pub(super) signed: Option<Value>,
}

/// The turns that the latest summary stands for: the last one of them; 0 without any.
pub(super) fn summed_up(entries: &[Entry]) -> u32 {
    let summaries = entries.iter().rev().filter_map(|entry| entry.message.summarises);
    summaries.map(|summarised| summarised.to).next().unwrap_or(0)
}

/// What a model is told of these messages in turn `current`. `wording` is how a summary is told.
pub(super) fn conversation(entries: &[Entry], current: u32, wording: &str) -> Vec<Value> {
    let upto = summed_up(entries);
    let mut told = Vec::new();
    let summary = entries.iter().rev().find(|entry| entry.message.role == Role::Summary);
    told.extend(summary.map(|entry| json!({"role": "user", "content": summarised(&entry.message, wording)})));
    let mut open: Vec<(String, usize)> = Vec::new();
    for Entry { message, signed } in entries.iter().filter(|entry| entry.message.turn > upto) {
        match message.role {
            Role::Summary => {}
            Role::User => told.push(json!({"role": "user", "content": message.text})),
            Role::Assistant => {
                let mut said = json!({"role": "assistant", "content": message.text});
                if !message.tool_calls.is_empty() {
                    if message.text.is_empty() {
                        said["content"] = Value::Null;
                    }
                    said["tool_calls"] = message.tool_calls.iter().map(call).collect();
                }
                if let Some(signed) = signed.as_ref().filter(|_| message.turn == current) {
                    said["thinking_blocks"] = signed.clone();
                }
                told.push(said);
                open.clear();
                for call in &message.tool_calls {
                    open.push((call.id.clone(), told.len()));
                    told.push(json!({"role": "tool", "tool_call_id": call.id, "content": results::NOT_MADE}));
                }
            }
            Role::Tool => {
                let Some(result) = &message.result else { continue };
                if let Some((_, place)) = open.iter().find(|(id, _)| *id == result.id) {
                    told[*place]["content"] = json!(text_of(result.state, &message.text));
                }
            }
        }
    }
    told
}

fn call(call: &orch_shared::chat::ToolCall) -> Value {
    let arguments = Value::Object(call.arguments.clone()).to_string();
    json!({"id": call.id, "type": "function", "function": {"name": call.name, "arguments": arguments}})
}

/// What is told of a call that stands so.
pub(super) fn text_of(state: CallState, text: &str) -> &str {
    match state {
        CallState::Complete | CallState::Error => text,
        CallState::Unknown | CallState::Pending => results::UNKNOWN,
        CallState::Cancelled => results::CANCELLED,
    }
}

fn summarised(summary: &Message, wording: &str) -> String {
    let (from, to) = summary.summarises.map_or((0, 0), |turns| (turns.from, turns.to));
    let (from, to) = (from.to_string(), to.to_string());
    system::fill(wording, &[("from", &from), ("to", &to), ("summary", &summary.text)])
}

/// Ids of calls, each its own: some models give none, or the same to all.
pub(super) fn with_ids(ids: Vec<String>, turn: u32, iteration: u32) -> Vec<String> {
    let mut seen: HashMap<String, usize> = HashMap::new();
    let numbered = ids.into_iter().enumerate();
    numbered
        .map(|(place, id)| {
            let is_own = !id.is_empty() && seen.insert(id.clone(), place).is_none();
            match is_own {
                true => id,
                false => format!("call_{turn}_{iteration}_{place}"),
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use orch_shared::chat::{Summarised, ToolCall, ToolResult};
    use orch_shared::resource::Timestamp;

    use super::*;

    fn message(turn: u32, role: Role, text: &str) -> Message {
        Message {
            number: 0,
            turn,
            role,
            at: Timestamp::from_millis(0),
            text: text.to_owned(),
            tool_calls: vec![],
            result: None,
            llm: None,
            stop_reason: None,
            from_reasoning: false,
            truncated: false,
            summarises: None,
        }
    }

    fn entry(message: Message) -> Entry {
        Entry { message, signed: None }
    }

    fn wants(turn: u32, ids: &[&str]) -> Message {
        let calls = ids.iter().map(|id| ToolCall {
            id: (*id).to_owned(),
            name: "notes__add".to_owned(),
            server: None,
            tool: None,
            arguments: json!({"n": 1}).as_object().cloned().unwrap_or_default(),
        });
        Message {
            tool_calls: calls.collect(),
            ..message(turn, Role::Assistant, "")
        }
    }

    fn result(turn: u32, id: &str, state: CallState, text: &str) -> Message {
        Message {
            result: Some(ToolResult {
                id: id.to_owned(),
                name: "notes__add".to_owned(),
                state,
                text: text.to_owned(),
                left_out: None,
                took_ms: None,
            }),
            ..message(turn, Role::Tool, text)
        }
    }

    #[test]
    fn every_call_has_a_result() {
        let mut entries: Vec<Entry> = [
            message(1, Role::User, "hello"),
            wants(1, &["a", "b", "c", "d"]),
            result(1, "b", CallState::Unknown, ""),
            result(1, "a", CallState::Complete, "done"),
            result(1, "d", CallState::Cancelled, ""),
            message(2, Role::User, "again"),
            wants(2, &["a"]),
            result(2, "a", CallState::Error, "no"),
        ]
        .map(entry)
        .to_vec();
        entries[1].signed = Some(json!(["old"]));
        entries[6].signed = Some(json!(["new"]));
        let told = conversation(&entries, 2, "");
        let roles: Vec<&str> = told.iter().filter_map(|told| told["role"].as_str()).collect();
        assert_eq!(
            roles,
            [
                "user",
                "assistant",
                "tool",
                "tool",
                "tool",
                "tool",
                "user",
                "assistant",
                "tool"
            ]
        );
        let contents: Vec<&Value> = told[2..6].iter().map(|told| &told["content"]).collect();
        assert_eq!(
            contents,
            [
                &json!("done"),
                &json!(results::UNKNOWN),
                &json!(results::NOT_MADE),
                &json!(results::CANCELLED)
            ]
        );
        assert_eq!(told[8]["content"], "no");
        // Thoughts of earlier turns are not told again.
        assert_eq!(told[1].get("thinking_blocks"), None);
        assert_eq!(told[7]["thinking_blocks"], json!(["new"]));
        assert_eq!(told[1]["tool_calls"][0]["function"]["arguments"], "{\"n\":1}");
    }

    #[test]
    fn a_summary_stands_for_what_was_before() {
        let summary = |to, text: &str| Message {
            summarises: Some(Summarised { from: 1, to }),
            ..message(to + 1, Role::Summary, text)
        };
        let entries = [
            message(1, Role::User, "one"),
            message(1, Role::Assistant, "1"),
            message(2, Role::User, "two"),
            summary(1, "first"),
            message(2, Role::Assistant, "2"),
            message(3, Role::User, "three"),
            summary(2, "second"),
        ]
        .map(entry);
        let told = conversation(&entries, 3, "{{from}}-{{to}}: {{summary}}");
        assert_eq!(
            told,
            [
                json!({"role": "user", "content": "1-2: second"}),
                json!({"role": "user", "content": "three"})
            ]
        );
    }

    #[test]
    fn ids_are_told_apart() {
        let ids = ["x", "", "x", "y"].map(str::to_owned).to_vec();
        assert_eq!(with_ids(ids, 3, 1), ["x", "call_3_1_1", "call_3_1_2", "y"]);
    }
}
