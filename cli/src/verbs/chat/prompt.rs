//! Where a person types: lines that can be edited, of which earlier ones can be had again, and that may be several. Enter
//! ends what is typed; Alt-Enter, Ctrl-J, or Enter behind a backslash break the line, and what is pasted stays as it was.
//!
//! Enters: keys. Leaves: what was [`Typed`]. The terminal is its owner's again between two of them. What was typed is kept in
//! a file that only its owner may read, the newest thousand entries; that it cannot be kept stops nothing.

use std::path::{Path, PathBuf};

use rustyline::completion::{Candidate, Completer};
use rustyline::error::ReadlineError;
use rustyline::highlight::Highlighter;
use rustyline::hint::Hinter;
use rustyline::history::FileHistory;
use rustyline::validate::Validator;
use rustyline::{
    Cmd, CompletionType, ConditionalEventHandler, Config, Context, Editor, Event, EventContext, EventHandler, Helper,
    KeyCode, KeyEvent, Modifiers, RepeatCount,
};

use super::command::{self, Operand};
use crate::report::Failure;

/// So many entries are kept.
const MOST_ENTRIES: usize = 1000;
/// What is longer is not kept: nobody pages through that.
const LONGEST_ENTRY: usize = 8 << 10;

/// What was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Typed {
    /// This.
    Text(String),
    /// Ctrl-C.
    Interrupted,
    /// Ctrl-D, or the terminal has gone.
    Ended,
}

/// Whoever knows live names to offer.
pub(super) type Ask<'a> = Box<dyn Fn(Operand) -> Vec<String> + 'a>;

/// The place where a person types.
pub(super) struct Prompt<'a> {
    editor: Editor<Offers<'a>, FileHistory>,
    history: Option<PathBuf>,
}

impl<'a> Prompt<'a> {
    /// Gets ready.
    pub(super) fn new(ask: Ask<'a>) -> Result<Self, Failure> {
        let config = Config::builder()
            .completion_type(CompletionType::List)
            .max_history_size(MOST_ENTRIES)
            .map_err(failure)?
            .build();
        let mut editor = Editor::with_config(config).map_err(failure)?;
        editor.set_helper(Some(Offers(ask)));
        let breaks = [
            KeyEvent(KeyCode::Enter, Modifiers::ALT),
            KeyEvent(KeyCode::Char('J'), Modifiers::CTRL),
        ];
        for key in breaks {
            editor.bind_sequence(key, EventHandler::Simple(Cmd::Newline));
        }
        let enter = EventHandler::Conditional(Box::new(BehindBackslash));
        editor.bind_sequence(KeyEvent(KeyCode::Enter, Modifiers::NONE), enter);
        let history = history_file();
        if let Some(path) = &history {
            // There is none before the first time.
            let _ = editor.load_history(path);
        }
        Ok(Self { editor, history })
    }

    /// Takes in what is typed next.
    pub(super) fn read(&mut self, prompt: &str) -> Result<Typed, Failure> {
        match self.editor.readline(prompt) {
            Ok(text) => {
                let text = joined(&text);
                self.keep(&text);
                Ok(Typed::Text(text))
            }
            Err(ReadlineError::Interrupted) => Ok(Typed::Interrupted),
            Err(ReadlineError::Eof) => Ok(Typed::Ended),
            Err(error) => Err(failure(error)),
        }
    }

    fn keep(&mut self, text: &str) {
        if text.trim().is_empty() || text.len() > LONGEST_ENTRY {
            return;
        }
        let is_new = self.editor.add_history_entry(text).unwrap_or(false);
        if let Some(path) = self.history.as_deref().filter(|_| is_new) {
            let _ = path.parent().map(std::fs::create_dir_all);
            let _ = self.editor.append_history(path);
        }
    }
}

/// Where what was typed is kept: `orchctl/chat-history` in the user's state directory.
fn history_file() -> Option<PathBuf> {
    let of_user = std::env::var_os("XDG_STATE_HOME").filter(|path| Path::new(path).is_absolute());
    let folder = of_user
        .map(PathBuf::from)
        .or_else(|| std::env::home_dir().map(|home| home.join(".local/state")))?;
    Some(folder.join("orchctl").join("chat-history"))
}

fn failure(error: ReadlineError) -> Failure {
    match error {
        ReadlineError::Io(error) => Failure::output(error),
        other => Failure::local(format!("the terminal cannot be read: {other}")),
    }
}

/// Enter behind a backslash: the line goes on below. The backslash stays in sight, and is taken out in the end.
struct BehindBackslash;

/// What is between a backslash and the line break that it stands for. It has no width, and tells such a backslash from one that
/// was pasted and means itself.
const JOINER: &str = "\u{2060}";

impl ConditionalEventHandler for BehindBackslash {
    fn handle(&self, _event: &Event, _times: RepeatCount, _positive: bool, context: &EventContext<'_>) -> Option<Cmd> {
        let (line, at) = (context.line(), context.pos());
        let is_behind = at == line.len() && line.ends_with('\\');
        is_behind.then(|| Cmd::Insert(1, format!("{JOINER}\n")))
    }
}

/// What was typed, with line breaks for the backslashes that stood for some.
fn joined(text: &str) -> String {
    text.replace(&format!("\\{JOINER}\n"), "\n")
}

/// What Tab offers.
struct Offers<'a>(Ask<'a>);

/// A word that is offered.
struct Word(String);

impl Candidate for Word {
    fn display(&self) -> &str {
        &self.0
    }

    fn replacement(&self) -> &str {
        &self.0
    }
}

impl Completer for Offers<'_> {
    type Candidate = Word;

    fn complete(&self, line: &str, at: usize, _context: &Context<'_>) -> rustyline::Result<(usize, Vec<Word>)> {
        let (from, words) = command::offered(&line[..at], &self.0);
        Ok((from, words.into_iter().map(Word).collect()))
    }
}

impl Hinter for Offers<'_> {
    type Hint = String;
}

impl Highlighter for Offers<'_> {}
impl Validator for Offers<'_> {}
impl Helper for Offers<'_> {}
