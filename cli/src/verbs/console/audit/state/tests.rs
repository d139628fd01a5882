//! Keys and answers, and what becomes of them.

use orch_shared::resource::Timestamp;

use super::*;
use crate::render::audit::tests::sample as entry;

fn session(project: Option<&str>, user: &str, id: Option<&str>, last: i64) -> Session {
    Session {
        project: project.map(str::to_owned),
        principal: user.to_owned(),
        session: id.map(str::to_owned),
        client: id.map(|_| "claude-code/2".to_owned()),
        first: Timestamp::from_millis(0),
        last: Timestamp::from_millis(last),
        rows: 3,
        calls: 2,
        errors: 1,
    }
}

/// A console that shows two projects, and three entries.
pub(in super::super) fn sample() -> State {
    let mut state = State::new("http://127.0.0.1:7420");
    state.begin();
    let sessions = vec![
        session(Some("web"), "anna", Some("0a1b2c3d4e5f"), 5),
        session(Some("web"), "bert", Some("b"), 4),
        session(None, "anna", None, 3),
        session(Some("web"), "anna", Some("a-later"), 9),
    ];
    state.take(Input::Sessions(1, Ok(sessions)));
    let page = Entries {
        items: (4..7).map(entry).collect(),
        before: Some(4),
    };
    state.take(Input::Newest(1, Ok(page)));
    state
}

pub(in super::super) fn typed(state: &mut State, keys: &[KeyCode]) -> Vec<Effect> {
    let keys = keys
        .iter()
        .map(|code| Input::Key(KeyEvent::new(*code, KeyModifiers::NONE)));
    let inputs: Vec<Input> = keys.collect();
    inputs.into_iter().flat_map(|input| state.take(input)).collect()
}

#[test]
fn sessions_stand_below_their_project_and_user() {
    let state = sample();
    let nodes: Vec<String> = state
        .lines
        .iter()
        .map(|line| format!("{:?} {}", line.node, line.calls))
        .collect();
    assert_eq!(
        nodes,
        [
            "Everything 8",
            "Project(None) 2",
            "User(None, \"anna\") 2",
            "Session(None, \"anna\", None) 2",
            "Project(Some(\"web\")) 6",
            "User(Some(\"web\"), \"anna\") 4",
            "Session(Some(\"web\"), \"anna\", Some(\"a-later\")) 2",
            "Session(Some(\"web\"), \"anna\", Some(\"0a1b2c3d4e5f\")) 2",
            "User(Some(\"web\"), \"bert\") 2",
            "Session(Some(\"web\"), \"bert\", Some(\"b\")) 2",
        ]
    );
}

#[test]
fn a_session_is_chosen_and_what_comes_late_changes_nothing() {
    let mut state = sample();
    let effects = typed(&mut state, &[KeyCode::Tab, KeyCode::End, KeyCode::Up, KeyCode::Up]);
    let anna = Node::Session(
        Some("web".to_owned()),
        "anna".to_owned(),
        Some("0a1b2c3d4e5f".to_owned()),
    );
    assert_eq!(effects.last(), Some(&Effect::Newest(4, Preset::Day, anna.clone())));
    state.take(Input::Newest(1, Err("late".to_owned())));
    state.take(Input::Entry(1, Box::new(entry(9))));
    assert!(state.entries.is_empty());
    let page = Entries {
        items: vec![entry(8)],
        before: None,
    };
    assert_eq!(state.take(Input::Newest(4, Ok(page))), [Effect::Follow(4, anna, 8)]);
    // What belongs to others is not shown.
    let mut other = entry(10);
    other.row.principal = "bert".to_owned();
    for entry in [entry(9), other] {
        state.take(Input::Entry(4, Box::new(entry)));
    }
    let shown: Vec<i64> = state.entries.iter().map(|entry| entry.sequence).collect();
    assert_eq!(shown, [8, 9]);
}

#[test]
fn the_newest_is_followed_unless_another_is_looked_at() {
    let mut state = sample();
    assert_eq!(state.at(), 2);
    state.take(Input::Entry(1, Box::new(entry(7))));
    assert_eq!(state.at(), 3, "it follows");
    typed(&mut state, &[KeyCode::Up]);
    state.take(Input::Entry(1, Box::new(entry(8))));
    assert_eq!(state.entries[state.at()].sequence, 6, "it stays");
    typed(&mut state, &[KeyCode::End]);
    state.take(Input::Entry(1, Box::new(entry(9))));
    assert_eq!(state.entries[state.at()].sequence, 9, "it follows again");
}

#[test]
fn older_entries_are_asked_for_once_at_the_top() {
    let mut state = sample();
    let asked = Effect::Older(1, Preset::Day, Node::Everything, 4);
    assert_eq!(typed(&mut state, &[KeyCode::PageUp, KeyCode::Up]), [asked]);
    let page = Entries {
        items: (1..4).map(entry).collect(),
        before: None,
    };
    assert_eq!(state.take(Input::Older(1, Ok(page))), []);
    assert_eq!((state.entries.len(), state.entries[state.at()].sequence), (6, 4));
    assert_eq!(typed(&mut state, &[KeyCode::Home]), []);
    assert_eq!(state.entries[state.at()].sequence, 1);
}

#[test]
fn d_goes_round_the_times() {
    let mut state = sample();
    let mut seen = Vec::new();
    for _ in 0..5 {
        typed(&mut state, &[KeyCode::Char('d')]);
        seen.push(state.preset.as_str());
    }
    assert_eq!(seen, ["7d", "all", "today", "1h", "24h"]);
    assert_eq!(typed(&mut state, &[KeyCode::Char('q')]), [Effect::Quit]);
}

#[test]
fn what_is_gone_from_the_sidebar_is_looked_at_no_longer() {
    let mut state = sample();
    typed(&mut state, &[KeyCode::Tab, KeyCode::End]);
    let number = state.number;
    let effects = state.take(Input::Sessions(number, Ok(vec![])));
    assert_eq!(
        effects.last(),
        Some(&Effect::Newest(number + 1, Preset::Day, Node::Everything))
    );
}
