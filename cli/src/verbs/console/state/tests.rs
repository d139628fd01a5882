//! The console's state, key by key.

use orch_shared::resource::Timestamp;
use serde_json::json;

use super::super::traffic::tests::message;
use super::*;

pub(in crate::verbs::console) fn sample() -> State {
    let mut state = State::new(&Target::Project("web".parse().unwrap()));
    let tools = json!([
        {"name": "files__read", "description": "Reads a file.", "inputSchema": {"type": "object", "required": ["path"], "properties": {
            "path": {"type": "string", "description": "Which"}, "limit": {"type": "integer"},
        }}},
        {"name": "files__write", "description": "Writes.", "inputSchema": {"type": "object"}},
        {"name": "time__now", "description": "What time it is.", "inputSchema": {"type": "object"}},
    ]);
    state.take(Input::Tools(Ok(serde_json::from_value(tools).unwrap())));
    let session = |id: &str| Session {
        id: id.to_owned(),
        target: "project/web".to_owned(),
        client: None,
        client_version: None,
        protocol: "2025-11-25".to_owned(),
        principal: "user/ada".to_owned(),
        created_at: Timestamp::from_millis(0),
        last_used_at: Timestamp::from_millis(0),
    };
    state.take(Input::Sessions(Ok(vec![session("s1"), session("s2")])));
    state
}

/// Types keys as they are written: `a`, `<Enter>`, `<C-r>`.
pub(in crate::verbs::console) fn typed(state: &mut State, keys: &str) -> Vec<Effect> {
    let mut effects = Vec::new();
    let mut rest = keys;
    while let Some(c) = rest.chars().next() {
        let (key, length) = match rest.strip_prefix('<').and_then(|inner| inner.split_once('>')) {
            Some((name, _)) => {
                let code = match name {
                    "Enter" => KeyCode::Enter,
                    "Esc" => KeyCode::Esc,
                    "Tab" => KeyCode::Tab,
                    "BackTab" => KeyCode::BackTab,
                    "Up" => KeyCode::Up,
                    "Down" => KeyCode::Down,
                    "Home" => KeyCode::Home,
                    "End" => KeyCode::End,
                    "Backspace" => KeyCode::Backspace,
                    control => KeyCode::Char(control.chars().last().unwrap()),
                };
                let modifiers = if name.starts_with("C-") {
                    KeyModifiers::CONTROL
                } else {
                    KeyModifiers::NONE
                };
                (KeyEvent::new(code, modifiers), name.len() + 2)
            }
            None => (KeyEvent::new(KeyCode::Char(c), KeyModifiers::NONE), c.len_utf8()),
        };
        effects.extend(state.take(Input::Key(key)));
        rest = &rest[length..];
    }
    effects
}

#[test]
fn a_tool_is_found_called_and_its_result_shown() {
    let mut state = sample();
    assert_eq!(typed(&mut state, "/read<Enter><Enter>"), []);
    assert_eq!(state.shown().len(), 1);
    assert_eq!(state.focus, Focus::Arguments);
    let effects = typed(&mut state, "a.md<C-r>");
    assert_eq!(
        effects,
        [Effect::Call(1, "files__read".to_owned(), json!({"path": "a.md"}))]
    );
    assert_eq!(typed(&mut state, "<C-r>"), [], "one call at a time");
    state.take(Input::Progress(1, "half".to_owned()));
    assert_eq!(state.note, "half");
    state.take(Input::Done(
        1,
        Ok(json!({"content": [{"type": "text", "text": "one\ntwo"}]})),
    ));
    assert_eq!(
        (state.result.join("|").as_str(), state.note.as_str(), state.focus),
        ("one|two", "done", Focus::Result)
    );
    // The arguments are still there, to be called with again.
    assert_eq!(typed(&mut state, "<C-r>").len(), 1);
}

#[test]
fn a_call_is_ended_and_what_comes_late_changes_nothing() {
    let mut state = sample();
    typed(&mut state, "<End><C-r>");
    assert_eq!(typed(&mut state, "<Esc>"), [Effect::Cancel]);
    for late in [
        Input::Done(1, Ok(json!({}))),
        Input::Progress(1, "late".to_owned()),
        Input::Question(1, json!({"message": "late?"})),
        Input::Traffic(9, Box::new(message(1, "late"))),
    ] {
        state.take(late);
    }
    assert_eq!(
        (state.note.as_str(), state.traffic.len(), state.question.is_none()),
        ("cancelled", 0, true)
    );
    state.take(Input::Done(2, Err("never asked".to_owned())));
    assert!(state.result.is_empty());
}

#[test]
fn arguments_that_are_none_are_told_and_not_sent() {
    let mut state = sample();
    typed(&mut state, "<Tab><C-u>[1]");
    assert_eq!(typed(&mut state, "<C-r>"), []);
    assert!(!state.note.is_empty() && state.running.is_none(), "{}", state.note);
}

#[test]
fn a_question_is_answered_or_declined() {
    let question = || {
        Input::Question(
            1,
            json!({"message": "Who?", "requestedSchema": {"required": ["name"], "properties": {"name": {"type": "string"}}}}),
        )
    };
    let mut state = sample();
    typed(&mut state, "<Tab>x<C-r>");
    let arguments = state.arguments.clone();
    state.take(question());
    assert_eq!(
        (state.question.as_ref().unwrap().message.as_str(), state.focus),
        ("Who?", Focus::Arguments)
    );
    let effects = typed(&mut state, "Ada<C-r>");
    assert_eq!(
        effects,
        [Effect::Answer(json!({"action": "accept", "content": {"name": "Ada"}}))]
    );
    assert_eq!(state.arguments, arguments, "the arguments are what they were");
    state.take(question());
    assert_eq!(
        typed(&mut state, "<Esc>"),
        [Effect::Answer(json!({"action": "decline"}))]
    );
    assert_eq!(state.running, Some(1), "the call goes on");
}

#[test]
fn sessions_are_watched_one_at_a_time() {
    let mut state = sample();
    assert_eq!(typed(&mut state, "2"), [Effect::ListSessions]);
    assert_eq!(typed(&mut state, "<Down><Enter>"), [Effect::Watch(1, "s2".to_owned())]);
    for number in 0..1500 {
        state.take(Input::Traffic(1, Box::new(message(number, "x"))));
    }
    assert_eq!(
        (state.traffic.len(), state.message_at()),
        (1000, 999),
        "the newest is looked at"
    );
    typed(&mut state, "<Up>");
    state.take(Input::Traffic(1, Box::new(message(1500, "x"))));
    let looked_at = state
        .traffic
        .get(state.message_at())
        .map(|message| message.text.clone());
    assert_eq!(looked_at, Some(message(1498, "x").text), "what is looked at stays");
    typed(&mut state, "<Esc><Up>");
    assert_eq!(typed(&mut state, "<Enter>"), [Effect::Watch(2, "s1".to_owned())]);
    assert_eq!(state.traffic.len(), 0);
    state.take(Input::Traffic(1, Box::new(message(1, "of the other"))));
    assert_eq!(state.traffic.len(), 0);
}

#[test]
fn there_is_a_way_out_everywhere() {
    for keys in ["", "/", "<Tab>", "<Tab><Tab>", "2", "2<Enter>"] {
        let mut state = sample();
        typed(&mut state, keys);
        assert_eq!(typed(&mut state, "<C-c>"), [Effect::Quit], "{keys}");
    }
    let mut state = sample();
    typed(&mut state, "/q");
    assert_eq!(state.filter, "q", "what is typed into the filter is no command");
    typed(&mut state, "<Esc>");
    assert_eq!(typed(&mut state, "q"), [Effect::Quit]);
}

#[test]
fn a_server_has_no_sessions_of_its_own() {
    let mut state = State::new(&Target::Server("files".parse().unwrap()));
    assert_eq!(state.begin(), [Effect::ListTools]);
    assert_eq!(typed(&mut state, "2"), []);
    assert_eq!(state.tab, Tab::Tools);
}
