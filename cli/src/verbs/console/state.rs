//! What the console shows, and what each key and answer makes of it. Pure: what is to be done is said, not done.
//!
//! Enters: [`Input`]s, one by one. Leaves: [`Effect`]s. A number goes along with whatever is asked, so that an answer that
//! comes too late changes nothing.

use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use orch_shared::manifest::{Limits, parse};
use orch_shared::session::{Session, Traffic};
use serde_json::{Map, Value};

use super::editor::Editor;
use super::traffic::Ring;
use crate::mcp::dialogue::Tool;
use crate::mcp::target::Target;
use crate::render::schema::{Field, Shape};
use crate::verbs::tools::{result_text, tool_page};

/// What happens to the console.
#[derive(Debug)]
pub(super) enum Input {
    /// A key.
    Key(KeyEvent),
    /// Text that was pasted.
    Paste(String),
    /// The terminal has another size.
    Redraw,
    /// The tools, or why there are none.
    Tools(Result<Vec<Tool>, String>),
    /// How far a call has come.
    Progress(u64, String),
    /// A call's server asks something.
    Question(u64, Value),
    /// A call's result.
    Done(u64, Result<Value, String>),
    /// The sessions, or why there are none.
    Sessions(Result<Vec<Session>, String>),
    /// A message in the session that is watched.
    Traffic(u64, Box<Traffic>),
    /// Why no more is heard of that session.
    Unheard(u64, String),
}

/// What is to be done.
#[derive(Debug, PartialEq)]
pub(super) enum Effect {
    /// Ask for the tools.
    ListTools,
    /// Call a tool.
    Call(u64, String, Value),
    /// End the call.
    Cancel,
    /// Answer what the call's server asked.
    Answer(Value),
    /// Ask for the sessions.
    ListSessions,
    /// Watch a session, and no other.
    Watch(u64, String),
    /// End.
    Quit,
}

/// Which half is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    /// Tools and calls.
    Tools,
    /// Sessions and what is said in them.
    Traffic,
}

/// What keys go to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Focus {
    /// The list of tools.
    List,
    /// The filter of that list.
    Filter,
    /// The arguments.
    Arguments,
    /// The result.
    Result,
    /// The list of sessions.
    Sessions,
    /// The messages.
    Messages,
}

/// Everything that is shown.
#[derive(Debug)]
pub(super) struct State {
    pub(super) title: String,
    pub(super) has_sessions: bool,
    pub(super) tab: Tab,
    pub(super) focus: Focus,
    pub(super) tools: Vec<Tool>,
    pub(super) filter: String,
    pub(super) selected: usize,
    pub(super) about: String,
    pub(super) arguments: Editor,
    /// What a server asked; the arguments are the answer meanwhile.
    pub(super) question: Option<Question>,
    pub(super) result: Vec<String>,
    pub(super) result_offset: usize,
    pub(super) running: Option<u64>,
    pub(super) sessions: Vec<Session>,
    pub(super) session: usize,
    pub(super) watched: Option<String>,
    pub(super) traffic: Ring,
    /// The message that is looked at; the newest unless somebody looks at another.
    pub(super) message: Option<usize>,
    pub(super) note: String,
    target: Target,
    number: u64,
    watching: u64,
}

/// A question of a server's.
#[derive(Debug)]
pub(super) struct Question {
    /// What it asks.
    pub(super) message: String,
    /// The arguments as they were.
    kept: Editor,
}

impl State {
    pub(super) fn new(target: &Target) -> Self {
        Self {
            title: target.to_string(),
            has_sessions: matches!(target, Target::Project(_)),
            tab: Tab::Tools,
            focus: Focus::List,
            tools: Vec::new(),
            filter: String::new(),
            selected: 0,
            about: String::new(),
            arguments: Editor::of("{}"),
            question: None,
            result: Vec::new(),
            result_offset: 0,
            running: None,
            sessions: Vec::new(),
            session: 0,
            watched: None,
            traffic: Ring::default(),
            message: None,
            note: "asking for tools".to_owned(),
            target: target.clone(),
            number: 0,
            watching: 0,
        }
    }

    /// What is to be done first.
    pub(super) fn begin(&self) -> Vec<Effect> {
        let sessions = self.has_sessions.then_some(Effect::ListSessions);
        std::iter::once(Effect::ListTools).chain(sessions).collect()
    }

    /// The tools that pass the filter.
    pub(super) fn shown(&self) -> Vec<&Tool> {
        let wanted = self.filter.to_lowercase();
        let fits = |tool: &&Tool| {
            let about = tool.description.as_deref().unwrap_or_default();
            tool.name.to_lowercase().contains(&wanted) || about.to_lowercase().contains(&wanted)
        };
        self.tools.iter().filter(fits).collect()
    }

    /// The message that is looked at.
    pub(super) fn message_at(&self) -> usize {
        let last = self.traffic.len().saturating_sub(1);
        self.message.unwrap_or(last).min(last)
    }

    /// Takes in what happens.
    pub(super) fn take(&mut self, input: Input) -> Vec<Effect> {
        match input {
            Input::Key(key) => return self.key(key),
            Input::Paste(text) => match self.focus {
                Focus::Arguments => self.arguments.insert(&text),
                Focus::Filter => {
                    self.filter.extend(text.chars().filter(|c| !c.is_control()));
                    self.select(0);
                }
                Focus::List | Focus::Result | Focus::Sessions | Focus::Messages => {}
            },
            Input::Redraw => {}
            Input::Tools(Ok(tools)) => {
                self.note = format!("{} tools", tools.len());
                self.tools = tools;
                self.select(self.selected);
            }
            Input::Tools(Err(why)) | Input::Sessions(Err(why)) => self.note = why,
            Input::Progress(number, text) if self.running == Some(number) => self.note = text,
            Input::Question(number, params) if self.running == Some(number) => self.ask(&params),
            Input::Done(number, result) if self.running == Some(number) => self.done(result),
            Input::Sessions(Ok(sessions)) => {
                self.session = self.session.min(sessions.len().saturating_sub(1));
                self.sessions = sessions;
            }
            Input::Traffic(number, message) if self.watching == number => {
                let gone = self.traffic.gone;
                self.traffic.push(*message);
                // The message that is looked at moves up as the oldest go.
                let moved = usize::try_from(self.traffic.gone - gone).unwrap_or(usize::MAX);
                self.message = self.message.map(|at| at.saturating_sub(moved));
            }
            Input::Unheard(number, why) if self.watching == number => self.note = why,
            // Of something that nobody waits for any more.
            Input::Progress(..) | Input::Question(..) | Input::Done(..) | Input::Traffic(..) | Input::Unheard(..) => {}
        }
        Vec::new()
    }

    fn key(&mut self, key: KeyEvent) -> Vec<Effect> {
        let is_control = key.modifiers.contains(KeyModifiers::CONTROL);
        match (key.code, is_control) {
            (KeyCode::Char('c' | 'q'), true) => return vec![Effect::Quit],
            (KeyCode::Char('r'), true) | (KeyCode::F(5), _) => return self.run(),
            (KeyCode::Tab, _) => return self.next_focus(),
            (KeyCode::BackTab, _) => return self.switch(),
            (KeyCode::Esc, _) => return self.back(),
            _ => {}
        }
        match self.focus {
            Focus::Arguments => {
                self.arguments.key(key);
                Vec::new()
            }
            Focus::Filter => {
                self.filter_key(key);
                Vec::new()
            }
            Focus::List | Focus::Result | Focus::Sessions | Focus::Messages => self.command(key),
        }
    }

    fn filter_key(&mut self, key: KeyEvent) {
        match key.code {
            KeyCode::Enter | KeyCode::Down => self.focus = Focus::List,
            KeyCode::Backspace => {
                self.filter.pop();
                self.select(0);
            }
            KeyCode::Char(c) => {
                self.filter.push(c);
                self.select(0);
            }
            _ => {}
        }
    }

    /// A key where nothing is typed.
    fn command(&mut self, key: KeyEvent) -> Vec<Effect> {
        match key.code {
            KeyCode::Char('q') => return vec![Effect::Quit],
            KeyCode::Char('1') if self.tab != Tab::Tools => return self.switch(),
            KeyCode::Char('2') if self.tab != Tab::Traffic => return self.switch(),
            KeyCode::Char('/') if self.tab == Tab::Tools => self.focus = Focus::Filter,
            KeyCode::Char('r') => {
                return match self.tab {
                    Tab::Tools => vec![Effect::ListTools],
                    Tab::Traffic => vec![Effect::ListSessions],
                };
            }
            KeyCode::Enter => return self.enter(),
            KeyCode::Up | KeyCode::Char('k') => self.step(-1),
            KeyCode::Down | KeyCode::Char('j') => self.step(1),
            KeyCode::PageUp => self.step(-10),
            KeyCode::PageDown => self.step(10),
            KeyCode::Home | KeyCode::Char('g') => self.step(isize::MIN),
            KeyCode::End | KeyCode::Char('G') => self.step(isize::MAX),
            _ => {}
        }
        Vec::new()
    }

    fn enter(&mut self) -> Vec<Effect> {
        match self.focus {
            Focus::List if !self.shown().is_empty() => self.focus = Focus::Arguments,
            Focus::Sessions => {
                if let Some(session) = self.sessions.get(self.session) {
                    let id = session.id.clone();
                    self.watching += 1;
                    self.watched = Some(id.clone());
                    self.traffic = Ring::default();
                    self.message = None;
                    self.focus = Focus::Messages;
                    self.note = format!("watching session {id}");
                    return vec![Effect::Watch(self.watching, id)];
                }
            }
            Focus::List | Focus::Filter | Focus::Arguments | Focus::Result | Focus::Messages => {}
        }
        Vec::new()
    }

    fn step(&mut self, by: isize) {
        let moved = |at: usize, count: usize| at.saturating_add_signed(by).min(count.saturating_sub(1));
        match self.focus {
            Focus::List => self.select(moved(self.selected, self.shown().len())),
            Focus::Result => self.result_offset = moved(self.result_offset, self.result.len()),
            Focus::Sessions => self.session = moved(self.session, self.sessions.len()),
            Focus::Messages => {
                let count = self.traffic.len();
                let at = moved(self.message_at(), count);
                // Whoever looks at the newest goes on to.
                self.message = (at + 1 < count).then_some(at);
            }
            Focus::Filter | Focus::Arguments => {}
        }
    }

    fn select(&mut self, at: usize) {
        let shown = self.shown();
        let at = at.min(shown.len().saturating_sub(1));
        let chosen = shown
            .get(at)
            .map(|tool| (tool_page(tool, &self.target), template(&tool.input_schema)));
        self.selected = at;
        let (about, arguments) = chosen.unwrap_or_else(|| (String::new(), "{}".to_owned()));
        if about != self.about && self.question.is_none() {
            self.arguments = Editor::of_template(&arguments);
        }
        self.about = about;
    }

    fn next_focus(&mut self) -> Vec<Effect> {
        self.focus = match self.focus {
            Focus::List | Focus::Filter => Focus::Arguments,
            Focus::Arguments => Focus::Result,
            Focus::Result => Focus::List,
            Focus::Sessions => Focus::Messages,
            Focus::Messages => Focus::Sessions,
        };
        Vec::new()
    }

    fn switch(&mut self) -> Vec<Effect> {
        match self.tab {
            Tab::Tools if self.has_sessions => {
                self.tab = Tab::Traffic;
                self.focus = Focus::Sessions;
                vec![Effect::ListSessions]
            }
            Tab::Tools => {
                "sessions are those of a project: -p PROJECT".clone_into(&mut self.note);
                Vec::new()
            }
            Tab::Traffic => {
                self.tab = Tab::Tools;
                self.focus = Focus::List;
                Vec::new()
            }
        }
    }

    /// Out of whatever one is in.
    fn back(&mut self) -> Vec<Effect> {
        if let Some(question) = self.question.take() {
            self.arguments = question.kept;
            "declined".clone_into(&mut self.note);
            return vec![Effect::Answer(serde_json::json!({"action": "decline"}))];
        }
        if self.running.take().is_some() {
            "cancelled".clone_into(&mut self.note);
            return vec![Effect::Cancel];
        }
        match self.focus {
            Focus::Filter => {
                self.filter.clear();
                self.select(0);
                self.focus = Focus::List;
            }
            Focus::Arguments | Focus::Result => self.focus = Focus::List,
            Focus::Messages => self.focus = Focus::Sessions,
            Focus::List | Focus::Sessions => {}
        }
        Vec::new()
    }

    /// Calls the tool, or sends the answer that was asked for.
    fn run(&mut self) -> Vec<Effect> {
        if self.tab != Tab::Tools {
            return Vec::new();
        }
        let value = match object(&self.arguments.text()) {
            Ok(value) => value,
            Err(why) => {
                self.note = why;
                self.focus = Focus::Arguments;
                return Vec::new();
            }
        };
        if let Some(question) = self.question.take() {
            self.arguments = question.kept;
            "answered".clone_into(&mut self.note);
            return vec![Effect::Answer(
                serde_json::json!({"action": "accept", "content": value}),
            )];
        }
        if self.running.is_some() {
            "a call is under way; Esc ends it".clone_into(&mut self.note);
            return Vec::new();
        }
        let Some(name) = self.shown().get(self.selected).map(|tool| tool.name.clone()) else {
            return Vec::new();
        };
        self.number += 1;
        self.running = Some(self.number);
        self.note = format!("calling {name}");
        self.result.clear();
        self.result_offset = 0;
        vec![Effect::Call(self.number, name, value)]
    }

    fn ask(&mut self, params: &Value) {
        let answer = template(&params["requestedSchema"]);
        self.question = Some(Question {
            message: params["message"].as_str().unwrap_or("more is needed").to_owned(),
            kept: std::mem::replace(&mut self.arguments, Editor::of_template(&answer)),
        });
        self.tab = Tab::Tools;
        self.focus = Focus::Arguments;
        "the server asks; Ctrl-R answers, Esc declines".clone_into(&mut self.note);
    }

    fn done(&mut self, result: Result<Value, String>) {
        self.running = None;
        if let Some(question) = self.question.take() {
            self.arguments = question.kept;
        }
        let (note, text) = match result {
            Ok(result) if result["isError"] == true => {
                ("the tool says that it failed".to_owned(), result_text(&result))
            }
            Ok(result) => ("done".to_owned(), result_text(&result)),
            Err(why) => ("it failed".to_owned(), why),
        };
        self.note = note;
        self.result = text.lines().map(str::to_owned).collect();
        self.focus = Focus::Result;
    }
}

/// The object in a text; as people write it, not just as machines do.
fn object(text: &str) -> Result<Value, String> {
    if text.trim().is_empty() {
        return Ok(Value::Object(Map::new()));
    }
    let mut parsed = parse(text.as_bytes(), &Limits::default());
    match (parsed.problems.first(), parsed.documents.pop()) {
        (None, Some(document)) if document.value.is_object() && parsed.documents.is_empty() => Ok(document.value),
        (Some(problem), _) => Err(format!("{}: {}", problem.position, problem.message)),
        (None, _) => Err("an object is needed: {\"name\": value}".to_owned()),
    }
}

/// An object with what must be given, to be filled in.
fn template(schema: &Value) -> String {
    let root = Field::root(schema);
    let mut members = Map::new();
    for (name, field) in root.fields() {
        let default = field.resolved().get("default").filter(|default| !default.is_null());
        if root.requires(name) {
            let empty = match field.shape() {
                Shape::Boolean => false.into(),
                Shape::Integer | Shape::Number => 0.into(),
                Shape::Text | Shape::Any => "".into(),
                Shape::Choice => field.choices().first().map_or("", |(word, _)| *word).into(),
                Shape::List => Value::Array(Vec::new()),
                Shape::Object | Shape::Map => Value::Object(Map::new()),
            };
            members.insert(name.to_owned(), default.cloned().unwrap_or(empty));
        }
    }
    serde_json::to_string_pretty(&members).expect("plain data")
}

#[cfg(test)]
pub(super) mod tests;
