//! The audit console on a terminal: pure drawing of a [`State`].

use orch_shared::resource::Timestamp;
use ratatui::Frame;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Wrap};

use super::state::{Focus, Node, State};
use crate::render::audit;
use crate::verbs::console::draw::{framed, list, safe};

/// Draws everything.
pub(super) fn draw(frame: &mut Frame<'_>, state: &State, now: Timestamp) {
    let [head, body, foot] =
        Layout::vertical([Constraint::Length(1), Constraint::Min(3), Constraint::Length(2)]).areas(frame.area());
    let title = Span::styled(" audit  ", Style::new().add_modifier(Modifier::BOLD));
    let times = Span::styled(
        format!(" {} ", state.preset.as_str()),
        Style::new().add_modifier(Modifier::REVERSED),
    );
    let server = Span::raw(format!("  {}", safe(&state.server)));
    frame.render_widget(Paragraph::new(Line::from(vec![title, times, server])), head);
    let [left, right] = Layout::horizontal([Constraint::Percentage(35), Constraint::Percentage(65)]).areas(body);
    sidebar(frame, left, state);
    let chosen = state.entries.get(state.at());
    let fields = chosen.map(|entry| audit::fields(now, entry)).unwrap_or_default();
    // All of the entry, as long as something is left of the list.
    let lines = u16::try_from(fields.len()).unwrap_or(u16::MAX);
    let room = lines.saturating_add(2).min(right.height / 3 * 2);
    let [entries, detail] = Layout::vertical([Constraint::Fill(1), Constraint::Length(room)]).areas(right);
    timeline(frame, entries, state, now);
    let lines: Vec<Line<'_>> = fields
        .iter()
        .map(|(title, text)| {
            let title = Span::styled(format!("{title:9}"), Style::new().add_modifier(Modifier::DIM));
            Line::from(vec![title, Span::raw(safe(text))])
        })
        .collect();
    let page = Paragraph::new(lines).wrap(Wrap { trim: false });
    frame.render_widget(page.block(framed("entry", false)), detail);
    let keys = match state.focus {
        Focus::Sessions => "Up/Down choose  Tab entries  d time  r refresh  q quit",
        Focus::Entries => "Up/Down PgUp/PgDn look  End newest  Tab sessions  d time  r refresh  q quit",
    };
    let note = Line::from(format!(" {}", safe(&state.note)));
    let keys = Line::styled(format!(" {keys}"), Style::new().add_modifier(Modifier::DIM));
    frame.render_widget(Paragraph::new(vec![note, keys]), foot);
}

fn sidebar(frame: &mut Frame<'_>, area: Rect, state: &State) {
    let lines = state.lines.iter().map(|line| {
        let name = match &line.node {
            Node::Everything => "everything".to_owned(),
            Node::Project(None) => "outside of projects".to_owned(),
            Node::Project(Some(project)) => format!("project {project}"),
            Node::User(_, user) => format!("  {}", audit::name(user)),
            Node::Session(_, _, None) => "    without a session".to_owned(),
            Node::Session(_, _, Some(session)) => {
                let client = line.client.as_deref().unwrap_or("-");
                format!("    {} {client}", session.get(..8).unwrap_or(session))
            }
        };
        let errors = match line.errors {
            0 => String::new(),
            errors => format!(", {errors} wrong"),
        };
        safe(&format!("{name}  {} calls{errors}", line.calls))
    });
    list(
        frame,
        area,
        "sessions",
        lines.collect(),
        state.line,
        state.focus == Focus::Sessions,
    );
}

fn timeline(frame: &mut Frame<'_>, area: Rect, state: &State, now: Timestamp) {
    let more = if state.has_more() { "+" } else { "" };
    let follows = if state.chosen.is_none() { ", following" } else { "" };
    let title = format!("entries ({}{more}{follows})", state.entries.len());
    let lines = state.entries.iter().map(|entry| safe(&audit::line(now, entry)));
    list(
        frame,
        area,
        &title,
        lines.collect(),
        state.at(),
        state.focus == Focus::Entries,
    );
}

#[cfg(test)]
mod tests {
    use crossterm::event::KeyCode;
    use ratatui::Terminal;
    use ratatui::backend::TestBackend;

    use super::super::state::tests::{sample, typed};
    use super::*;

    fn drawn(state: &State, width: u16, height: u16) -> String {
        let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
        let now = Timestamp::from_millis(1_764_000_000_000);
        terminal.draw(|frame| draw(frame, state, now)).unwrap();
        let buffer = terminal.backend().buffer().clone();
        let line = |y: u16| (0..width).map(|x| buffer[(x, y)].symbol()).collect::<String>();
        (0..height).map(|y| line(y).trim_end().to_owned() + "\n").collect()
    }

    #[test]
    fn sessions_entries_and_one_of_them_are_drawn() {
        let text = drawn(&sample(), 110, 30);
        for part in [
            "audit   24h   http://127.0.0.1:7420",
            "everything  8 calls, 4 wrong",
            "outside of projects  2 calls, 1 wrong",
            "project web  6 calls, 3 wrong",
            "  anna  4 calls, 2 wrong",
            "    0a1b2c3d claude-code/2",
            "entries (3+, following)",
            "anna tools/call server/files read_file 1.2 ms",
            "Client   claude-code/2",
            "Token    ci",
            "d time",
        ] {
            assert!(text.contains(part), "{part}\n{text}");
        }
    }

    #[test]
    fn no_terminal_is_too_small() {
        let mut state = sample();
        for keys in [&[][..], &[KeyCode::Tab], &[KeyCode::Down]] {
            typed(&mut state, keys);
            for (width, height) in [(1, 1), (3, 2), (10, 5), (20, 8), (300, 100)] {
                assert_eq!(drawn(&state, width, height).lines().count(), usize::from(height));
            }
        }
    }
}
