//! All output. Standard output is data: what was asked for, whole and unadorned. Standard error is talk: progress,
//! summaries, warnings, problems. Everything can be read without colour, and nothing but this room writes to either.
//! A terminal is spared what it would act on ([`guard`]); a pipe gets every byte.
//!
//! Enters: text and its [`Tone`]. Leaves: bytes. It never decides what to say: what the terminal can do and what the user
//! wants is settled in [`Ui::new`].

pub(crate) mod guard;
pub(crate) mod hidden;
pub(crate) mod signals;

use std::borrow::Cow;
use std::io::{self, BufWriter, IsTerminal as _, Write as _};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::report::Failure;
use guard::{Colors, guarded};

/// What takes no longer than this shows no progress.
const A_MOMENT: Duration = Duration::from_millis(300);

/// When to use colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum Color {
    /// On terminals, unless NO_COLOR is set.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How much to say on standard error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Talk {
    /// Progress, summaries, warnings and problems.
    Normal,
    /// Only problems.
    Quiet,
    /// Also every request.
    Verbose,
}

/// What a piece of text means; decides its colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Nothing special.
    Plain,
    /// All is well.
    Good,
    /// On the way, or worth a look.
    Warn,
    /// Wrong.
    Bad,
    /// Of less interest.
    Dim,
    /// A heading.
    Strong,
    /// Something to type.
    Hint,
    /// What a model thinks.
    Thought,
}

impl Tone {
    const fn code(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Good => "32",
            Self::Warn => "33",
            Self::Bad => "31",
            Self::Dim => "2",
            Self::Strong => "1",
            Self::Hint => "36",
            Self::Thought => "2;3",
        }
    }
}

/// One of the two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stream {
    /// Standard output.
    Data,
    /// Standard error.
    Talk,
}

/// The two streams and what they can do.
pub(crate) struct Ui {
    talk: Talk,
    data_terminal: bool,
    talk_terminal: bool,
    data_color: bool,
    talk_color: bool,
    data: Mutex<BufWriter<io::Stdout>>,
}

impl Ui {
    /// Settles what the streams can do. `no_color` is what the environment says.
    pub(crate) fn new(color: Color, talk: Talk, no_color: NoColor) -> Self {
        let wanted = |is_terminal: bool| match color {
            Color::Always => true,
            Color::Never => false,
            Color::Auto => is_terminal && no_color == NoColor::Unset,
        };
        let (data_terminal, talk_terminal) = (io::stdout().is_terminal(), io::stderr().is_terminal());
        Self {
            talk,
            data_terminal,
            talk_terminal,
            data_color: wanted(data_terminal),
            talk_color: wanted(talk_terminal),
            data: Mutex::new(BufWriter::new(io::stdout())),
        }
    }

    /// What is used before any flag is known.
    pub(crate) fn plain() -> Self {
        Self::new(Color::Auto, Talk::Normal, NoColor::of_environment())
    }

    /// Whether a person watches that stream.
    pub(crate) const fn is_terminal(&self, stream: Stream) -> bool {
        match stream {
            Stream::Data => self.data_terminal,
            Stream::Talk => self.talk_terminal,
        }
    }

    /// Whether that stream carries colour.
    pub(crate) const fn has_color(&self, stream: Stream) -> bool {
        match stream {
            Stream::Data => self.data_color,
            Stream::Talk => self.talk_color,
        }
    }

    /// The text in the colour of its meaning, when the stream carries colour.
    pub(crate) fn paint(&self, stream: Stream, tone: Tone, text: &str) -> String {
        if tone == Tone::Plain || text.is_empty() || !self.has_color(stream) {
            text.to_owned()
        } else {
            format!("\x1b[{}m{text}\x1b[0m", tone.code())
        }
    }

    /// A unified diff in colours, for standard output.
    pub(crate) fn diff(&self, diff: &str) -> String {
        let line = |line: &str| {
            let tone = match line.chars().next() {
                Some('+') => Tone::Good,
                Some('-') => Tone::Bad,
                Some('@') => Tone::Hint,
                Some(_) | None => Tone::Plain,
            };
            format!("{}\n", self.paint(Stream::Data, tone, line))
        };
        diff.lines().map(line).collect()
    }

    /// Writes data exactly as it is; to a terminal, as one may have it.
    pub(crate) fn write(&self, data: &str) -> Result<(), Failure> {
        let mut out = self.data.lock().unwrap_or_else(PoisonError::into_inner);
        out.write_all(self.fit(Stream::Data, data).as_bytes())
            .map_err(Failure::output)
    }

    fn fit<'t>(&self, stream: Stream, text: &'t str) -> Cow<'t, str> {
        match (self.is_terminal(stream), self.has_color(stream)) {
            (true, true) => guarded(text, Colors::Kept),
            (true, false) => guarded(text, Colors::Dropped),
            (false, _) => Cow::Borrowed(text),
        }
    }

    /// Writes a line of data.
    pub(crate) fn line(&self, data: &str) -> Result<(), Failure> {
        self.write(&format!("{data}\n"))
    }

    /// Hands on what was written: at the end, and while following something that goes on.
    pub(crate) fn flush(&self) -> Result<(), Failure> {
        let mut out = self.data.lock().unwrap_or_else(PoisonError::into_inner);
        out.flush().map_err(Failure::output)
    }

    /// Says something in passing; not with `--quiet`.
    pub(crate) fn say(&self, text: &str) {
        match self.talk {
            Talk::Normal | Talk::Verbose => self.tell(text),
            Talk::Quiet => {}
        }
    }

    /// Says a piece of something that goes on, with no line break behind it; not with `--quiet`. The caller has made sure that
    /// pieces hold nothing that a terminal would act on.
    pub(crate) fn murmur(&self, text: &str) {
        match self.talk {
            Talk::Normal | Talk::Verbose => {
                let _ = self.flush();
                let mut talk = io::stderr().lock();
                let _ = talk
                    .write_all(self.fit(Stream::Talk, text).as_bytes())
                    .and_then(|()| talk.flush());
            }
            Talk::Quiet => {}
        }
    }

    /// Says what a request did; only with `--verbose`.
    pub(crate) fn trace(&self, text: &str) {
        match self.talk {
            Talk::Verbose => self.tell(&self.paint(Stream::Talk, Tone::Dim, text)),
            Talk::Normal | Talk::Quiet => {}
        }
    }

    /// Warns; not with `--quiet`.
    pub(crate) fn warn(&self, text: &str) {
        self.say(&format!("{} {text}", self.paint(Stream::Talk, Tone::Warn, "warning:")));
    }

    /// Says something whatever the settings. What went before on the other stream comes first. When standard error is
    /// gone nobody is left to be told.
    pub(crate) fn tell(&self, text: &str) {
        let _ = self.flush();
        let _ = writeln!(io::stderr().lock(), "{}", self.fit(Stream::Talk, text));
    }

    /// Whether there is somebody who can be asked.
    pub(crate) fn has_person(&self) -> bool {
        self.talk_terminal && io::stdin().is_terminal()
    }

    /// Asks whoever sits at the terminal, and takes in a line; nothing when the input has ended.
    pub(crate) fn ask(&self, question: &str) -> Option<String> {
        let _ = self.flush();
        let mut talk = io::stderr().lock();
        let _ = write!(talk, "{} ", self.fit(Stream::Talk, question)).and_then(|()| talk.flush());
        let mut line = String::new();
        match io::stdin().read_line(&mut line) {
            Ok(0) | Err(_) => None,
            Ok(_) => Some(line.trim_end_matches(['\n', '\r']).to_owned()),
        }
    }

    /// Asks whoever sits at the terminal for a line that nobody is to see.
    pub(crate) fn ask_hidden(&self, question: &str) -> hidden::Line {
        let _ = self.flush();
        let mut talk = io::stderr().lock();
        let line = hidden::line(|| {
            let _ = write!(talk, "{} ", self.fit(Stream::Talk, question)).and_then(|()| talk.flush());
        });
        // Enter was not echoed either.
        let _ = writeln!(talk);
        line
    }

    /// A live line that says what is being done, until it is dropped. Only on a terminal, and only after a moment, so
    /// that quick work leaves no flicker.
    pub(crate) fn progress(&self, text: impl Into<String>) -> Progress {
        if self.talk == Talk::Quiet || !self.is_terminal(Stream::Talk) {
            return Progress(None);
        }
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        if let Ok(style) = ProgressStyle::with_template("{spinner} {wide_msg} {elapsed:.dim}") {
            bar.set_style(style.tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ "));
        }
        bar.set_message(guarded(&text.into(), Colors::Dropped).into_owned());
        let shown_later = bar.downgrade();
        std::thread::spawn(move || {
            std::thread::sleep(A_MOMENT);
            if let Some(bar) = shown_later.upgrade().filter(|bar| !bar.is_finished()) {
                bar.set_draw_target(ProgressDrawTarget::stderr());
                bar.enable_steady_tick(Duration::from_millis(120));
            }
        });
        Progress(Some(bar))
    }
}

/// What NO_COLOR (or a terminal that knows none) says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoColor {
    /// No colour, please.
    Set,
    /// Nothing.
    Unset,
}

impl NoColor {
    /// What the environment says.
    pub(crate) fn of_environment() -> Self {
        let is_set = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty())
            || std::env::var_os("TERM").is_some_and(|value| value == "dumb");
        if is_set { Self::Set } else { Self::Unset }
    }
}

/// A live line.
pub(crate) struct Progress(Option<ProgressBar>);

impl Progress {
    /// Whether somebody sees it; if not, steps are worth a line of their own.
    pub(crate) const fn is_seen(&self) -> bool {
        self.0.is_some()
    }

    /// Says something else from now on.
    pub(crate) fn set(&self, text: impl Into<String>) {
        if let Some(bar) = &self.0 {
            bar.set_message(guarded(&text.into(), Colors::Dropped).into_owned());
        }
    }

    /// Writes a line that stays above the live one.
    pub(crate) fn above(&self, print: impl FnOnce()) {
        match &self.0 {
            Some(bar) => bar.suspend(print),
            None => print(),
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if let Some(bar) = &self.0 {
            bar.finish_and_clear();
        }
    }
}
