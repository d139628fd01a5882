//! What the audit console shows, and what each key and answer makes of it. Pure: what is to be done is said, not done.
//!
//! A number goes along with whatever is asked, so that an answer that comes too late changes nothing.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use orch_shared::audit::{Entries, Entry, Row, Session};

/// So many entries are held; the oldest go first.
const HELD: usize = 5_000;
/// How far a page key goes.
const PAGE: usize = 10;

/// What happens to the console.
#[derive(Debug)]
pub(super) enum Input {
    /// A key.
    Key(KeyEvent),
    /// The terminal has another size.
    Redraw,
    /// Some time has passed.
    Tick,
    /// The sessions, or why there are none.
    Sessions(u64, Result<Vec<Session>, String>),
    /// The newest entries, or why there are none.
    Newest(u64, Result<Entries, String>),
    /// Those before the ones that are shown.
    Older(u64, Result<Entries, String>),
    /// One that has just been written.
    Entry(u64, Box<Entry>),
    /// Why no more is heard.
    Unheard(u64, String),
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Effect {
    /// Ask for the sessions of that time.
    Sessions(u64, Preset),
    /// Ask for the newest entries.
    Newest(u64, Preset, Node),
    /// Ask for the entries before one.
    Older(u64, Preset, Node, i64),
    /// Tell the entries that come behind one, and no others.
    Follow(u64, Node, i64),
    /// End.
    Quit,
}

/// How far back is looked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Preset {
    All,
    Today,
    Hour,
    Day,
    Week,
}

impl Preset {
    /// The next one, for the key that goes round.
    const fn next(self) -> Self {
        match self {
            Self::All => Self::Today,
            Self::Today => Self::Hour,
            Self::Hour => Self::Day,
            Self::Day => Self::Week,
            Self::Week => Self::All,
        }
    }

    /// As it is shown, and typed after `--from`.
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::All => "all",
            Self::Today => "today",
            Self::Hour => "1h",
            Self::Day => "24h",
            Self::Week => "7d",
        }
    }
}

/// A line of the sidebar: what is looked at when it is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Node {
    Everything,
    Project(Option<String>),
    User(Option<String>, String),
    Session(Option<String>, String, Option<String>),
}

impl Node {
    /// Whether an entry belongs to it.
    pub(super) fn holds(&self, row: &Row) -> bool {
        match self {
            Self::Everything => true,
            Self::Project(project) => *project == row.project,
            Self::User(project, user) => *project == row.project && *user == row.principal,
            Self::Session(project, user, session) => {
                *project == row.project && *user == row.principal && *session == row.session
            }
        }
    }
}

/// A line of the sidebar as it is drawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) node: Node,
    pub(super) calls: i64,
    pub(super) errors: i64,
    /// What the client of a session calls itself.
    pub(super) client: Option<String>,
}

/// What keys go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Focus {
    Sessions,
    Entries,
}

/// Everything that is shown.
#[derive(Debug)]
pub(super) struct State {
    pub(super) server: String,
    pub(super) focus: Focus,
    pub(super) preset: Preset,
    pub(super) lines: Vec<Line>,
    pub(super) line: usize,
    /// Oldest first.
    pub(super) entries: Vec<Entry>,
    /// The entry that is looked at; the newest unless somebody looks at another.
    pub(super) chosen: Option<i64>,
    pub(super) note: String,
    /// Where the entries before the oldest one are to be had.
    before: Option<i64>,
    is_asking: bool,
    number: u64,
}

impl State {
    pub(super) fn new(server: &str) -> Self {
        Self {
            server: server.to_owned(),
            focus: Focus::Entries,
            preset: Preset::Day,
            lines: tree(Vec::new()),
            line: 0,
            entries: Vec::new(),
            chosen: None,
            note: "asking the daemon".to_owned(),
            before: None,
            is_asking: false,
            number: 0,
        }
    }

    /// What is to be done first.
    pub(super) fn begin(&mut self) -> Vec<Effect> {
        self.look()
    }

    /// What is looked at.
    pub(super) fn node(&self) -> Node {
        self.lines
            .get(self.line)
            .map_or(Node::Everything, |line| line.node.clone())
    }

    /// The place of the entry that is looked at.
    pub(super) fn at(&self) -> usize {
        let newest = self.entries.len().saturating_sub(1);
        let Some(chosen) = self.chosen else { return newest };
        let place = self.entries.iter().position(|entry| entry.sequence >= chosen);
        place.unwrap_or(newest)
    }

    /// Whether there are entries before those that are shown.
    pub(super) const fn has_more(&self) -> bool {
        self.before.is_some()
    }

    /// Takes what happens, and says what is to be done about it.
    pub(super) fn take(&mut self, input: Input) -> Vec<Effect> {
        match input {
            Input::Key(key) => self.key(key),
            Input::Redraw => vec![],
            Input::Tick => vec![Effect::Sessions(self.number, self.preset)],
            Input::Sessions(number, _) if number != self.number => vec![],
            Input::Sessions(_, Ok(sessions)) => {
                let node = self.node();
                self.lines = tree(sessions);
                let place = self.lines.iter().position(|line| line.node == node);
                // What was looked at may have nothing in that time; then all is.
                let lost = place.is_none();
                self.line = place.unwrap_or(0);
                if lost { self.look() } else { vec![] }
            }
            Input::Sessions(_, Err(why)) => {
                self.note = why;
                vec![]
            }
            Input::Newest(number, answer) if number == self.number => self.newest(answer),
            Input::Older(number, answer) if number == self.number => self.older(answer),
            Input::Entry(number, entry) if number == self.number => {
                self.push(*entry);
                vec![]
            }
            Input::Unheard(number, why) if number == self.number => {
                self.note = why;
                vec![]
            }
            Input::Newest(..) | Input::Older(..) | Input::Entry(..) | Input::Unheard(..) => vec![],
        }
    }

    fn key(&mut self, key: KeyEvent) -> Vec<Effect> {
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match key.code {
            KeyCode::Char('c') if is_control => vec![Effect::Quit],
            KeyCode::Char('q') | KeyCode::Esc => vec![Effect::Quit],
            KeyCode::Char('d') => {
                self.preset = self.preset.next();
                self.look()
            }
            KeyCode::Char('r') => self.look(),
            KeyCode::Tab | KeyCode::BackTab | KeyCode::Enter => {
                self.focus = match self.focus {
                    Focus::Sessions => Focus::Entries,
                    Focus::Entries => Focus::Sessions,
                };
                vec![]
            }
            code => match self.focus {
                Focus::Sessions => self.move_line(code),
                Focus::Entries => self.move_entry(code),
            },
        }
    }

    fn move_line(&mut self, code: KeyCode) -> Vec<Effect> {
        let last = self.lines.len().saturating_sub(1);
        let Some(line) = moved(self.line, last, code) else {
            return vec![];
        };
        if line == self.line {
            return vec![];
        }
        self.line = line;
        self.look()
    }

    fn move_entry(&mut self, code: KeyCode) -> Vec<Effect> {
        let (at, last) = (self.at(), self.entries.len().saturating_sub(1));
        let Some(place) = moved(at, last, code) else {
            return vec![];
        };
        // At the newest, what comes is followed.
        self.chosen = self
            .entries
            .get(place)
            .filter(|_| place < last)
            .map(|entry| entry.sequence);
        match self.before {
            Some(before) if place == 0 && matches!(code, KeyCode::Up | KeyCode::PageUp | KeyCode::Home) => {
                self.ask_older(before)
            }
            Some(_) | None => vec![],
        }
    }

    fn ask_older(&mut self, before: i64) -> Vec<Effect> {
        if std::mem::replace(&mut self.is_asking, true) {
            return vec![];
        }
        vec![Effect::Older(self.number, self.preset, self.node(), before)]
    }

    /// Begins anew with what is chosen.
    fn look(&mut self) -> Vec<Effect> {
        self.number += 1;
        self.entries.clear();
        self.chosen = None;
        self.before = None;
        self.is_asking = false;
        vec![
            Effect::Sessions(self.number, self.preset),
            Effect::Newest(self.number, self.preset, self.node()),
        ]
    }

    fn newest(&mut self, answer: Result<Entries, String>) -> Vec<Effect> {
        let page = match answer {
            Ok(page) => page,
            Err(why) => {
                self.note = why;
                return vec![];
            }
        };
        self.note.clear();
        self.before = page.before;
        let last = page.items.last().map_or(0, |entry| entry.sequence);
        let node = self.node();
        self.entries = page.items;
        self.entries.retain(|entry| node.holds(&entry.row));
        let mut effects = vec![Effect::Follow(self.number, node, last)];
        if let (true, Some(before)) = (self.entries.is_empty(), self.before) {
            effects.extend(self.ask_older(before));
        }
        effects
    }

    fn older(&mut self, answer: Result<Entries, String>) -> Vec<Effect> {
        self.is_asking = false;
        let page = match answer {
            Ok(page) => page,
            Err(why) => {
                self.note = why;
                return vec![];
            }
        };
        // What is looked at stays where it is.
        let seen = self.entries.get(self.at()).map(|entry| entry.sequence);
        self.chosen = self.chosen.or(seen);
        self.before = page.before;
        let node = self.node();
        let fits = page.items.into_iter().filter(|entry| node.holds(&entry.row));
        let before: Vec<Entry> = fits.collect();
        let is_empty = before.is_empty();
        self.entries.splice(0..0, before);
        match self.before {
            Some(before) if is_empty => self.ask_older(before),
            Some(_) | None => vec![],
        }
    }

    fn push(&mut self, entry: Entry) {
        let is_new = self.entries.last().is_none_or(|last| last.sequence < entry.sequence);
        if !is_new || !self.node().holds(&entry.row) {
            return;
        }
        self.entries.push(entry);
        if self.entries.len() > HELD {
            self.entries.remove(0);
            self.before = self.entries.first().map(|first| first.sequence);
        }
    }
}

/// Where a key leads in a list; nothing for keys that lead nowhere.
fn moved(at: usize, last: usize, code: KeyCode) -> Option<usize> {
    Some(match code {
        KeyCode::Up | KeyCode::Char('k') => at.saturating_sub(1),
        KeyCode::Down | KeyCode::Char('j') => (at + 1).min(last),
        KeyCode::PageUp => at.saturating_sub(PAGE),
        KeyCode::PageDown => (at + PAGE).min(last),
        KeyCode::Home => 0,
        KeyCode::End => last,
        _ => return None,
    })
}

/// Sessions as a tree: everything, then each project, its users, and their sessions, those used last first.
fn tree(mut sessions: Vec<Session>) -> Vec<Line> {
    sessions.sort_by(|one, other| {
        let key = |session: &Session| (session.project.clone(), session.principal.clone());
        key(one).cmp(&key(other)).then(other.last.cmp(&one.last))
    });
    let sum = |of: &dyn Fn(&Session) -> bool, node: Node| {
        let own = || sessions.iter().filter(|session| of(session));
        Line {
            node,
            calls: own().map(|session| session.calls).sum(),
            errors: own().map(|session| session.errors).sum(),
            client: None,
        }
    };
    let mut lines = vec![sum(&|_| true, Node::Everything)];
    let mut before: Option<&Session> = None;
    for session in &sessions {
        let (project, user) = (&session.project, &session.principal);
        if before.is_none_or(|before| before.project != *project) {
            lines.push(sum(&|other| other.project == *project, Node::Project(project.clone())));
        }
        if before.is_none_or(|before| before.project != *project || before.principal != *user) {
            let own = |other: &Session| other.project == *project && other.principal == *user;
            lines.push(sum(&own, Node::User(project.clone(), user.clone())));
        }
        lines.push(Line {
            node: Node::Session(project.clone(), user.clone(), session.session.clone()),
            calls: session.calls,
            errors: session.errors,
            client: session.client.clone(),
        });
        before = Some(session);
    }
    lines
}

#[cfg(test)]
pub(super) mod tests;
