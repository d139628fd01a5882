//! A thread as a document: Markdown for people, JSON for programs. Pure.

use std::fmt::Write as _;

use orch_shared::chat::{CallState, Message, Role, Thread, Turn, TurnState};
use serde_json::json;

use crate::render::document;

/// The whole thread as JSON.
pub(super) fn json(thread: &Thread, messages: &[Message], turns: &[Turn]) -> String {
    document::json(&json!({"thread": thread, "turns": turns, "messages": messages}))
}

/// The thread as Markdown. What was said stays as it was written; results of tools stand between fences.
pub(super) fn markdown(thread: &Thread, messages: &[Message], turns: &[Turn]) -> String {
    let title = thread.title.as_deref().unwrap_or("A thread without a title");
    let mut out = format!("# {}\n\n", title.lines().next().unwrap_or_default());
    let _ = writeln!(
        out,
        "Agent {}, thread {}, begun {}.",
        thread.agent, thread.id, thread.created_at
    );
    let mut turn = 0;
    for message in messages {
        if message.turn != turn {
            turn = message.turn;
            let _ = write!(out, "\n## Turn {turn}");
            if let Some(found) = turns.iter().find(|found| found.turn == turn) {
                if let Some(personality) = &found.personality {
                    let _ = write!(out, " as {personality}");
                }
                if found.state != TurnState::Complete {
                    let _ = write!(out, " ({})", found.state.as_str());
                }
            }
            out.push('\n');
        }
        let _ = write!(out, "\n{}", said(thread, message));
    }
    out
}

fn said(thread: &Thread, message: &Message) -> String {
    let text = message.text.trim_end();
    match message.role {
        Role::User => format!("**You:**\n\n{text}\n"),
        Role::Assistant => {
            let mut out = format!("**{}:**\n", thread.agent);
            if !text.is_empty() {
                let _ = write!(out, "\n{text}\n");
            }
            for call in &message.tool_calls {
                let arguments = serde_json::Value::Object(call.arguments.clone());
                let _ = write!(
                    out,
                    "\nCalls `{}`:\n\n{}",
                    call.name,
                    fenced("json", &format!("{arguments:#}"))
                );
            }
            out
        }
        Role::Tool => {
            let name = message.result.as_ref().map_or("a tool", |result| result.name.as_str());
            let state = match message.result.as_ref().map(|result| result.state) {
                None | Some(CallState::Complete) => "answers",
                Some(CallState::Error) => "fails",
                Some(CallState::Pending) => "has not answered yet",
                Some(CallState::Unknown) => "was interrupted",
                Some(CallState::Cancelled) => "was cancelled",
            };
            match text {
                "" => format!("`{name}` {state}.\n"),
                text => format!("`{name}` {state}:\n\n{}", fenced("", text)),
            }
        }
        Role::Summary => {
            let which = message
                .summarises
                .map_or_else(String::new, |turns| format!(" of turns {} to {}", turns.from, turns.to));
            format!("**Summary{which}:**\n\n{text}\n")
        }
    }
}

/// Between fences that are longer than any in the text.
fn fenced(language: &str, text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    format!("{fence}{language}\n{text}\n{fence}\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_is_a_document() {
        let at = "2026-11-21T05:38:00.000Z";
        let thread: Thread = serde_json::from_value(json!({
            "id": "t-1", "agent": "reviewer", "title": "Two files", "createdAt": at, "updatedAt": at, "turns": 2,
        }))
        .unwrap();
        let usage = json!({
            "inputTokens": 1, "cachedTokens": 0, "outputTokens": 1, "iterations": 1, "toolCalls": 0, "tookMs": 1,
        });
        let turns: Vec<Turn> = serde_json::from_value(json!([
            {"turn": 1, "state": "complete", "personality": "calm", "beganAt": at, "usage": usage},
            {"turn": 2, "state": "cancelled", "beganAt": at, "usage": usage},
        ]))
        .unwrap();
        let call = json!({"id": "c", "name": "files__read", "arguments": {"path": "a"}});
        let result = json!({"id": "c", "name": "files__read", "state": "complete", "text": ""});
        let messages: Vec<Message> = serde_json::from_value(json!([
            {"number": 1, "turn": 1, "role": "user", "at": at, "text": "Read `a`\n"},
            {"number": 2, "turn": 1, "role": "assistant", "at": at, "text": "", "toolCalls": [call]},
            {"number": 3, "turn": 1, "role": "tool", "at": at, "text": "```\nx\n```", "result": result},
            {"number": 4, "turn": 1, "role": "assistant", "at": at, "text": "It says *x*."},
            {"number": 5, "turn": 2, "role": "user", "at": at, "text": "And b?"},
        ]))
        .unwrap();
        let expected = "\
# Two files

Agent reviewer, thread t-1, begun 2026-11-21T05:38:00.000Z.

## Turn 1 as calm

**You:**

Read `a`

**reviewer:**

Calls `files__read`:

```json
{
  \"path\": \"a\"
}
```

`files__read` answers:

````
```
x
```
````

**reviewer:**

It says *x*.

## Turn 2 (cancelled)

**You:**

And b?
";
        assert_eq!(markdown(&thread, &messages, &turns), expected);
        let whole: serde_json::Value = serde_json::from_str(&json(&thread, &messages, &turns)).unwrap();
        assert_eq!(whole["messages"][3]["text"], "It says *x*.");
        assert_eq!(whole["turns"][1]["state"], "cancelled");
    }
}
