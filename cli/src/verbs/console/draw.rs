//! The console on a terminal: pure drawing of a [`State`].

use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Position, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Block, List, ListState, Paragraph, Wrap};

use super::state::{Focus, State, Tab};
use super::traffic;
use crate::ui::guard::{Colors, guarded};

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, state: &State) {
    let [head, body, foot] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(3), Constraint::Length(2)]).areas(frame.area());
    header(frame, head, state);
    match state.tab {
        Tab::Tools => tools(frame, body, state),
        Tab::Traffic => sessions(frame, body, state),
    }
    footer(frame, foot, state);
}

fn header(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let tab = |name: &'static str, tab: Tab| {
        let modifier = if state.tab == tab {
            Modifier::REVERSED
        } else {
            Modifier::DIM
        };
        Span::styled(name, Style::new().add_modifier(modifier))
    };
    let title = Span::styled(format!(" {}  ", state.title), Style::new().add_modifier(Modifier::BOLD));
    let line = Line::from(vec![
        title,
        tab(" 1 tools ", Tab::Tools),
        Span::raw(" "),
        tab(" 2 traffic ", Tab::Traffic),
    ]);
    frame.render_widget(Paragraph::new(line), area);
}

fn footer(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let keys = match (state.focus, state.question.is_some()) {
        (_, true) => "Ctrl-R answer  Esc decline  Ctrl-C quit",
        (Focus::List, _) => "Enter arguments  / filter  r refresh  Ctrl-R call  2 traffic  q quit",
        (Focus::Filter, _) => "Enter done  Esc clear  Ctrl-C quit",
        (Focus::Arguments, _) => "Ctrl-R call  Tab result  Esc back  Ctrl-C quit",
        (Focus::Result, _) => "Up/Down scroll  Tab tools  Ctrl-R again  Esc back  q quit",
        (Focus::Sessions, _) => "Enter watch  r refresh  1 tools  q quit",
        (Focus::Messages, _) => "Up/Down look  End newest  Esc sessions  1 tools  q quit",
    };
    let note = Line::from(format!(" {}", safe(&state.note)));
    let keys = Line::styled(format!(" {keys}"), Style::new().add_modifier(Modifier::DIM));
    frame.render_widget(Paragraph::new(vec![note, keys]), area);
}

fn tools(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let [left, right] = Layout::horizontal([Constraint::Percentage(35), Constraint::Percentage(65)]).areas(area);
    let shown = state.shown();
    let title = match (state.filter.is_empty(), state.focus) {
        (true, Focus::Filter) => "tools /".to_owned(),
        (true, _) => format!("tools ({})", shown.len()),
        (false, _) => format!("tools /{} ({})", safe(&state.filter), shown.len()),
    };
    let names = shown.iter().map(|tool| safe(&tool.name));
    list(
        frame,
        left,
        &title,
        names.collect(),
        state.selected,
        matches!(state.focus, Focus::List | Focus::Filter),
    );

    let lines = u16::try_from(state.arguments.lines().len()).unwrap_or(u16::MAX);
    let editing = lines.saturating_add(2).clamp(3, (right.height / 3 + 2).max(3));
    let [about, arguments, result] =
        Layout::vertical([Constraint::Fill(2), Constraint::Length(editing), Constraint::Fill(3)]).areas(right);
    let (title, text) = match &state.question {
        Some(question) => ("the server asks", safe(&question.message)),
        None => ("tool", safe(&state.about)),
    };
    let page = Paragraph::new(text)
        .wrap(Wrap { trim: false })
        .block(framed(title, false));
    frame.render_widget(page, about);
    edit(frame, arguments, state);
    let title = if state.running.is_some() {
        "result (running)"
    } else {
        "result"
    };
    let text: Vec<Line<'_>> = state
        .result
        .iter()
        .skip(state.result_offset)
        .take(usize::from(result.height))
        .map(|line| Line::from(safe(line)))
        .collect();
    let page = Paragraph::new(text).wrap(Wrap { trim: false });
    frame.render_widget(page.block(framed(title, state.focus == Focus::Result)), result);
}

fn edit(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let is_focused = state.focus == Focus::Arguments;
    let title = if state.question.is_some() {
        "answer"
    } else {
        "arguments"
    };
    let (row, column) = state.arguments.cursor();
    let height = usize::from(area.height.saturating_sub(2)).max(1);
    let first = row.saturating_sub(height - 1);
    let lines = state.arguments.lines().iter().skip(first).take(height);
    let text: Vec<Line<'_>> = lines.map(|line| Line::from(safe(line))).collect();
    frame.render_widget(Paragraph::new(text).block(framed(title, is_focused)), area);
    if is_focused {
        let before: String = state
            .arguments
            .lines()
            .get(row)
            .map_or("", String::as_str)
            .chars()
            .take(column)
            .collect();
        let across = u16::try_from(Span::raw(safe(&before)).width()).unwrap_or(u16::MAX);
        let down = u16::try_from(row - first).unwrap_or(u16::MAX);
        let right = area.right().saturating_sub(2);
        frame.set_cursor_position(Position::new(
            area.x.saturating_add(1).saturating_add(across).min(right),
            area.y.saturating_add(1).saturating_add(down),
        ));
    }
}

fn sessions(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let [left, right] = Layout::horizontal([Constraint::Percentage(35), Constraint::Percentage(65)]).areas(area);
    let names = state.sessions.iter().map(|session| {
        let client = session.client.as_deref().unwrap_or("-");
        let version = session
            .client_version
            .as_ref()
            .map(|version| format!(" {version}"))
            .unwrap_or_default();
        let mark = if state.watched.as_ref() == Some(&session.id) {
            "*"
        } else {
            " "
        };
        safe(&format!(
            "{mark}{} {client}{version} {} {}",
            session.id, session.principal, session.protocol
        ))
    });
    let title = format!("sessions ({})", state.sessions.len());
    list(
        frame,
        left,
        &title,
        names.collect(),
        state.session,
        state.focus == Focus::Sessions,
    );

    let [messages, text] = Layout::vertical([Constraint::Fill(3), Constraint::Fill(2)]).areas(right);
    let title = match (&state.watched, state.traffic.gone) {
        (None, _) => "messages".to_owned(),
        (Some(id), 0) => format!("messages of {}", safe(id)),
        (Some(id), gone) => format!("messages of {} ({gone} earlier are gone)", safe(id)),
    };
    let lines = state.traffic.iter().map(|message| safe(&traffic::line(message)));
    list(
        frame,
        messages,
        &title,
        lines.collect(),
        state.message_at(),
        state.focus == Focus::Messages,
    );
    let message = state.traffic.get(state.message_at());
    let shown = message.map(|message| safe(&message.text)).unwrap_or_default();
    let page = Paragraph::new(shown)
        .wrap(Wrap { trim: false })
        .block(framed("message", false));
    frame.render_widget(page, text);
}

pub(super) fn list(
    frame: &mut Frame<'_>,
    area: Rect,
    title: &str,
    lines: Vec<String>,
    selected: usize,
    is_focused: bool,
) {
    let selection = match is_focused {
        true => Style::new().add_modifier(Modifier::REVERSED),
        false => Style::new().add_modifier(Modifier::BOLD),
    };
    let mut at = ListState::default();
    at.select((!lines.is_empty()).then_some(selected));
    let list = List::new(lines)
        .highlight_style(selection)
        .block(framed(title, is_focused));
    frame.render_stateful_widget(list, area, &mut at);
}

pub(super) fn framed(title: &str, is_focused: bool) -> Block<'static> {
    let style = match is_focused {
        true => Style::new().add_modifier(Modifier::BOLD),
        false => Style::new().add_modifier(Modifier::DIM),
    };
    Block::bordered().title(format!(" {title} ")).border_style(style)
}

/// What others wrote, as a terminal may have it.
pub(super) fn safe(text: &str) -> String {
    guarded(text, Colors::Dropped).replace('\t', "    ")
}

#[cfg(test)]
mod tests {
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;
    use serde_json::json;

    use super::super::state::Input;
    use super::super::state::tests::{sample, typed};
    use super::super::traffic::tests::message;
    use super::*;

    fn drawn(state: &State, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        terminal.draw(|frame| draw(frame, state)).unwrap();
        let buffer = terminal.backend().buffer().clone();
        let line = |y: u16| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
        (0..height).map(|y| line(y).trim_end().to_owned() + "\n").collect()
    }

    #[test]
    fn a_call_is_drawn() {
        let mut state = sample();
        typed(&mut state, "<Tab>a.md<C-r>");
        state.take(Input::Done(
            1,
            Ok(json!({"content": [{"type": "text", "text": "one\n\u{1b}[2Jtwo"}]})),
        ));
        insta::assert_snapshot!(drawn(&state, 78, 24));
    }

    #[test]
    fn traffic_is_drawn() {
        let mut state = sample();
        typed(&mut state, "2<Enter>");
        for number in 0..3 {
            state.take(Input::Traffic(1, Box::new(message(number, "***"))));
        }
        insta::assert_snapshot!(drawn(&state, 90, 16));
    }

    #[test]
    fn no_terminal_is_too_small() {
        let mut state = sample();
        for keys in ["", "<Tab>", "2", "2<Enter>"] {
            typed(&mut state, keys);
            for (width, height) in [(1, 1), (3, 2), (10, 5), (20, 8), (300, 100)] {
                assert_eq!(drawn(&state, width, height).lines().count(), usize::from(height));
            }
        }
    }
}
