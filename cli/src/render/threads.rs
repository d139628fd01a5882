//! Threads and messages in every form of `-o`. They are no objects: nobody declares them.

use orch_shared::chat::{Message, Role, Thread, Turn, TurnState};
use orch_shared::manifest::{to_yaml, to_yaml_stream};
use orch_shared::resource::Timestamp;
use serde_json::{Value, json};

use super::cell::{NOTHING, one_line};
use super::listing::{self, Number};
use super::output::Output;
use super::table::{Piece, Style, draw};
use super::{age, document};
use crate::ui::Tone;

/// How much a table shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// What fits on most terminals.
    Most,
    /// Everything.
    All,
}

/// Threads, as `-o` says.
pub(crate) fn text(view: &listing::View<'_>, threads: &[Thread], number: Number) -> String {
    let values: Vec<Value> = threads.iter().map(value).collect();
    let whole = || match (number, &values[..]) {
        (Number::One, [one]) => one.clone(),
        (Number::One | Number::Many, all) => json!({"items": all}),
    };
    match view.output {
        Output::Table => table(view.now, threads, Detail::Most, view.style),
        Output::Wide => table(view.now, threads, Detail::All, view.style),
        Output::Yaml => to_yaml_stream(&values),
        Output::Json => document::json(&whole()),
        Output::Name => threads.iter().map(|thread| format!("thread/{}\n", thread.id)).collect(),
        Output::Jsonpath(template) => template.render(&whole()),
        Output::Columns(columns) => listing::chosen(view, columns, values.iter()),
    }
}

/// Messages, as `-o` says.
pub(crate) fn said(view: &listing::View<'_>, messages: &[Message], turns: &[Turn]) -> String {
    let values: Vec<Value> = messages.iter().map(message).collect();
    let whole = || json!({"items": values, "turns": turns});
    match view.output {
        Output::Table => conversation(view.now, messages, Detail::Most, view.style),
        Output::Wide => conversation(view.now, messages, Detail::All, view.style),
        Output::Yaml => to_yaml(&whole()),
        Output::Json => document::json(&whole()),
        Output::Name => messages.iter().map(|one| format!("message/{}\n", one.number)).collect(),
        Output::Jsonpath(template) => template.render(&whole()),
        Output::Columns(columns) => listing::chosen(view, columns, values.iter()),
    }
}

/// A message as templates and columns see it.
pub(crate) fn message(message: &Message) -> Value {
    serde_json::to_value(message).expect("messages are plain data")
}

/// A thread as templates and columns see it.
pub(crate) fn value(thread: &Thread) -> Value {
    serde_json::to_value(thread).expect("threads are plain data")
}

/// A line for each thread.
pub(crate) fn table(now: Timestamp, threads: &[Thread], detail: Detail, style: Style<'_>) -> String {
    let titles: &[&str] = match detail {
        Detail::Most => &["ID", "AGENT", "TURNS", "LAST", "USED", "TITLE"],
        Detail::All => &[
            "ID",
            "AGENT",
            "TURNS",
            "LAST",
            "USED",
            "BEGUN",
            "FORKED FROM",
            "ASKED BY",
            "TITLE",
        ],
    };
    let row = |thread: &Thread| {
        let state = thread.last_turn.as_ref().map(|turn| turn.state);
        let mut row = vec![
            Piece::plain(one_line(&thread.id)),
            Piece::plain(thread.agent.to_string()),
            Piece::plain(thread.turns.to_string()),
            Piece {
                text: state.map_or(NOTHING, TurnState::as_str).to_owned(),
                tone: state.map_or(Tone::Plain, tone),
            },
            Piece::plain(age::since(now, thread.updated_at)),
        ];
        if detail == Detail::All {
            let origin = thread.forked_from.as_ref();
            let origin = origin.map(|from| format!("{} turn {}", one_line(&from.thread), from.turn));
            let asked = thread.last_turn.as_ref().and_then(|turn| turn.asked_by.as_ref());
            let asked = asked.map(|by| format!("{} turn {}", one_line(&by.thread), by.turn));
            row.push(Piece::plain(age::local(now, thread.created_at)));
            row.push(Piece::plain(origin.unwrap_or_else(|| NOTHING.to_owned())));
            row.push(Piece::plain(asked.unwrap_or_else(|| NOTHING.to_owned())));
        }
        row.push(Piece::plain(one_line(thread.title.as_deref().unwrap_or_default())));
        row
    };
    draw(titles, threads.iter().map(row).collect(), style)
}

const fn tone(state: TurnState) -> Tone {
    match state {
        TurnState::Complete => Tone::Plain,
        TurnState::Pending | TurnState::Interrupted => Tone::Warn,
        TurnState::Error => Tone::Bad,
        TurnState::Cancelled => Tone::Dim,
    }
}

/// A line for each message.
fn conversation(now: Timestamp, messages: &[Message], detail: Detail, style: Style<'_>) -> String {
    let titles: &[&str] = match detail {
        Detail::Most => &["NUMBER", "TURN", "WHO", "TEXT"],
        Detail::All => &["NUMBER", "TURN", "WHO", "AT", "LLM", "TEXT"],
    };
    let row = |message: &Message| {
        let who = match message.role {
            Role::User => "you",
            Role::Assistant => "agent",
            Role::Tool => "tool",
            Role::Summary => "summary",
        };
        let mut row = vec![
            Piece::plain(message.number.to_string()),
            Piece::plain(message.turn.to_string()),
            Piece::plain(who),
        ];
        if detail == Detail::All {
            let llm = message.llm.as_ref().map(ToString::to_string);
            row.push(Piece::plain(age::local(now, message.at)));
            row.push(Piece::plain(llm.unwrap_or_else(|| NOTHING.to_owned())));
        }
        row.push(Piece::plain(line(message)));
        row
    };
    draw(titles, messages.iter().map(row).collect(), style)
}

/// What a message says, in a line: the text, the tools that are to be called, or of which tool it is the result.
fn line(message: &Message) -> String {
    let calls = message.tool_calls.iter().map(|call| {
        let arguments = Value::Object(call.arguments.clone());
        format!("calls {} {arguments}", call.name)
    });
    let result = message
        .result
        .as_ref()
        .map(|result| format!("{} ({}):", result.name, result.state.as_str()));
    let text = Some(message.text.trim().to_owned()).filter(|text| !text.is_empty());
    let parts: Vec<String> = result.into_iter().chain(text).chain(calls).collect();
    let text = parts.join(" ");
    let is_more = text.trim().contains('\n');
    let first = one_line(&text);
    if is_more { first + " …" } else { first }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::listing::{LabelColumn, ScopeColumn, StatusPart, View};
    use crate::render::table::Heading;

    const AT: &str = "2026-11-21T05:38:00.000Z";

    fn view(output: &Output) -> View<'_> {
        View {
            output,
            style: Style {
                heading: Heading::Shown,
                color: false,
                width: None,
                columns: None,
            },
            scopes: ScopeColumn::Hidden,
            labels: LabelColumn::Hidden,
            status: StatusPart::Hidden,
            now: "2026-11-21T05:48:00.000Z".parse().unwrap(),
        }
    }

    fn usage() -> Value {
        json!({"inputTokens": 1, "cachedTokens": 0, "outputTokens": 1, "iterations": 1, "toolCalls": 0, "tookMs": 1})
    }

    #[test]
    fn threads_have_every_form() {
        let thread: Thread = serde_json::from_value(json!({
            "id": "t-1", "agent": "reviewer", "title": "Two\nfiles", "createdAt": AT, "updatedAt": AT, "turns": 2,
            "lastTurn": {"turn": 2, "state": "interrupted", "beganAt": AT, "usage": usage()},
        }))
        .unwrap();
        for (form, number, expected) in [
            (
                "table",
                Number::Many,
                "ID    AGENT      TURNS   LAST          USED   TITLE\n\
                 t-1   reviewer       2   interrupted   10m    Two\n",
            ),
            ("name", Number::Many, "thread/t-1\n"),
            ("jsonpath={.items[0].lastTurn.state}", Number::Many, "interrupted"),
            ("jsonpath={.agent}", Number::One, "reviewer"),
            (
                "custom-columns=N:.turns,A:.agent",
                Number::Many,
                "N   A\n2   reviewer\n",
            ),
        ] {
            let output = form.parse().unwrap();
            assert_eq!(
                text(&view(&output), std::slice::from_ref(&thread), number),
                expected,
                "{form}"
            );
        }
    }

    #[test]
    fn whose_work_a_turn_is_shows_in_the_wide_form() {
        let mut thread = json!({
            "id": "t-1", "agent": "reviewer", "createdAt": AT, "updatedAt": AT, "turns": 1,
            "lastTurn": {"turn": 1, "state": "complete", "beganAt": AT, "usage": usage()},
        });
        let output = "wide".parse().unwrap();
        for (asked, told) in [(Value::Null, "-"), (json!({"thread": "t-0", "turn": 3}), "t-0 turn 3")] {
            thread["lastTurn"]["askedBy"] = asked;
            let thread: Thread = serde_json::from_value(thread.clone()).unwrap();
            let shown = text(&view(&output), &[thread], Number::Many);
            let (heading, line) = shown.split_once('\n').unwrap();
            let place = heading.find("ASKED BY").unwrap();
            assert!(line[place..].starts_with(told), "{shown}");
        }
    }

    #[test]
    fn messages_are_told_in_lines() {
        let call = json!({"id": "c", "name": "files__read", "arguments": {"path": "a"}});
        let result = json!({"id": "c", "name": "files__read", "state": "error", "text": "no"});
        let messages: Vec<Message> = serde_json::from_value(json!([
            {"number": 1, "turn": 1, "role": "user", "at": AT, "text": "Read a\nand b"},
            {"number": 2, "turn": 1, "role": "assistant", "at": AT, "text": "", "toolCalls": [call]},
            {"number": 3, "turn": 1, "role": "tool", "at": AT, "text": "no\u{1b}[2J", "result": result},
        ]))
        .unwrap();
        let output = "table".parse().unwrap();
        let expected = "\
NUMBER   TURN   WHO     TEXT
     1      1   you     Read a …
     2      1   agent   calls files__read {\"path\":\"a\"}
     3      1   tool    files__read (error): no\u{fffd}[2J
";
        assert_eq!(said(&view(&output), &messages, &[]), expected);
        let output = "jsonpath={.items[*].role}".parse().unwrap();
        assert_eq!(said(&view(&output), &messages, &[]), "user assistant tool");
    }
}
