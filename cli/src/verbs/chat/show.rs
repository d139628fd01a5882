//! What is shown of a turn while it is under way: what the agent says on standard output, what it thinks and does on
//! standard error. Both may be the same terminal, so that each waits for the other's line to end.

use orch_shared::chat::{Answer, CallState, ToolCall, ToolResult, Usage};
use orch_shared::name::Name;

use crate::render::markdown::{Look, Markdown};
use crate::render::table::{shortened, terminal_width};
use crate::render::usage::grouped;
use crate::render::{age, cell};
use crate::report::Failure;
use crate::ui::{Progress, Stream, Tone, Ui, guard};

/// How long lines about tools are where no terminal says so.
const ORDINARY: usize = 160;

/// How a turn is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Style {
    pub(super) text: Text,
    pub(super) thinking: Thinking,
}

/// How what the agent says is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    /// On a terminal as Markdown, elsewhere as it is.
    Drawn,
    /// As it is.
    Raw,
    /// Not at all: it is printed in another form.
    Hidden,
}

/// Whether what the model thinks is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Thinking {
    Shown,
    Hidden,
}

/// A turn that is being shown.
pub(super) struct Show<'s> {
    ui: &'s Ui,
    style: Style,
    agent: String,
    drawing: Option<Markdown>,
    waiting: Option<Progress>,
    /// Whether a line of text has not ended.
    text: Line,
    /// The same of thoughts.
    thought: Line,
    /// Which of the model's answers said something last.
    said: Option<u32>,
    /// Whether that is the last thing that happened.
    latest: Latest,
}

/// What happened last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Latest {
    /// The model said something.
    Text,
    /// A tool was called, or nothing has happened yet.
    Other,
}

/// Whether a line has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Ended,
    Open,
}

impl<'s> Show<'s> {
    pub(super) fn new(ui: &'s Ui, style: Style, agent: &Name) -> Self {
        let is_drawn = style.text == Text::Drawn && ui.is_terminal(Stream::Data);
        let look = Look {
            width: terminal_width().map_or(80, usize::from),
            color: ui.has_color(Stream::Data),
        };
        let mut show = Self {
            ui,
            style,
            agent: agent.to_string(),
            drawing: is_drawn.then(|| Markdown::new(look)),
            waiting: None,
            text: Line::Ended,
            thought: Line::Ended,
            said: None,
            latest: Latest::Other,
        };
        show.wait("is thinking");
        show
    }

    /// Says on a terminal that something is being waited for.
    fn wait(&mut self, what: &str) {
        self.waiting = None;
        self.waiting = Some(self.ui.progress(format!("{} {what}", self.agent)));
    }

    /// A piece of what the agent says.
    pub(super) fn text(&mut self, iteration: u32, text: &str) -> Result<(), Failure> {
        if self.style.text == Text::Hidden || text.is_empty() {
            return Ok(());
        }
        self.latest = Latest::Text;
        self.waiting = None;
        self.end_thought();
        if self.said.is_some_and(|before| before != iteration) {
            self.end_text()?;
            self.ui.write("\n")?;
        }
        self.said = Some(iteration);
        match &mut self.drawing {
            Some(drawing) => {
                self.ui.write(&drawing.push(text))?;
                self.text = Line::Open;
            }
            None => {
                match self.ui.is_terminal(Stream::Data) {
                    true => self.ui.write(&guard::inert(&text.replace("\r\n", "\n")))?,
                    false => self.ui.write(text)?,
                }
                self.text = match text.ends_with('\n') {
                    true => Line::Ended,
                    false => Line::Open,
                };
            }
        }
        self.ui.flush()
    }

    /// A piece of what the model thinks.
    pub(super) fn thinking(&mut self, text: &str) -> Result<(), Failure> {
        if self.style.thinking == Thinking::Hidden || text.is_empty() {
            return Ok(());
        }
        self.before_talk()?;
        let text = match self.ui.is_terminal(Stream::Talk) {
            true => guard::inert(&text.replace("\r\n", "\n")).into_owned(),
            false => text.to_owned(),
        };
        self.thought = match text.ends_with('\n') {
            true => Line::Ended,
            false => Line::Open,
        };
        // A colour does not reach over the end of a line, so that none is left on where a line is cut.
        let lines: Vec<String> = text
            .split('\n')
            .map(|line| self.ui.paint(Stream::Talk, Tone::Thought, line))
            .collect();
        self.ui.murmur(&lines.join("\n"));
        Ok(())
    }

    /// A tool is about to be called.
    pub(super) fn call(&mut self, call: &ToolCall) -> Result<(), Failure> {
        self.latest = Latest::Other;
        let arguments = serde_json::Value::Object(call.arguments.clone()).to_string();
        self.line("call", Tone::Dim, &format!("{} {arguments}", call.name))?;
        self.wait(&format!("waits for {}", cell::one_line(&call.name)));
        Ok(())
    }

    /// A tool has answered.
    pub(super) fn result(&mut self, result: &ToolResult) -> Result<(), Failure> {
        let took = result.took_ms.and_then(|took| u64::try_from(took).ok());
        let took = took.map_or_else(String::new, |took| format!(" {}", age::took(took.saturating_mul(1000))));
        let said = match result.text.trim() {
            "" => "nothing",
            text => text,
        };
        let (what, tone) = match result.state {
            CallState::Complete => ("result", Tone::Dim),
            CallState::Error => ("failed", Tone::Bad),
            CallState::Pending | CallState::Unknown | CallState::Cancelled => (result.state.as_str(), Tone::Warn),
        };
        self.line(what, tone, &format!("{}{took}: {said}", result.name))?;
        self.wait("is thinking");
        Ok(())
    }

    /// An answer of the model is complete.
    pub(super) fn answered(&mut self) -> Result<(), Failure> {
        self.end_text()?;
        self.ui.flush()
    }

    /// Something that is worth to be known.
    pub(super) fn note(&mut self, text: &str) -> Result<(), Failure> {
        self.before_talk()?;
        self.end_thought();
        self.ui.say(text);
        Ok(())
    }

    /// The agent has answered. What was not shown bit by bit is shown now.
    pub(super) fn answer(&mut self, answer: &Answer) -> Result<(), Failure> {
        if self.latest == Latest::Other {
            let iteration = self.said.map_or(1, |before| before.saturating_add(1));
            self.text(iteration, &answer.assistant)?;
        }
        self.end_text()?;
        if answer.from_reasoning {
            self.note("the model said nothing but its reasoning, which stands for its answer")?;
        }
        if answer.truncated {
            self.note("the answer was cut off, since it became as long as it may; more: --param maxTokens=NUMBER")?;
        }
        Ok(())
    }

    /// What a turn took.
    pub(super) fn usage(ui: &Ui, usage: &Usage) {
        let mut parts = vec![format!(
            "{} tokens in, {} out",
            grouped(usage.tokens.input),
            grouped(usage.tokens.output)
        )];
        if usage.tool_calls > 0 {
            let calls = usage.tool_calls;
            parts.push(format!("{calls} {}", if calls == 1 { "call" } else { "calls" }));
        }
        parts.extend(usage.cost.as_ref().map(ToString::to_string));
        let took = u64::try_from(usage.took_ms).unwrap_or(0).saturating_mul(1000);
        parts.push(age::took(took));
        ui.say(&ui.paint(Stream::Talk, Tone::Dim, &parts.join(" · ")));
    }

    /// Nothing more is shown: every line ends.
    pub(super) fn end(mut self) -> Result<(), Failure> {
        self.waiting = None;
        self.end_thought();
        self.end_text()?;
        self.ui.flush()
    }

    /// A short line about a tool.
    fn line(&mut self, what: &str, tone: Tone, text: &str) -> Result<(), Failure> {
        self.before_talk()?;
        self.end_thought();
        let width = match self.ui.is_terminal(Stream::Talk) {
            true => terminal_width().map_or(ORDINARY, usize::from),
            false => ORDINARY,
        };
        let text = shortened(cell::one_line(text), width.saturating_sub(what.len() + 1));
        let what = self.ui.paint(Stream::Talk, tone, what);
        self.ui.say(&format!("{what} {text}"));
        Ok(())
    }

    /// Ends what would be in the way of talk.
    fn before_talk(&mut self) -> Result<(), Failure> {
        self.waiting = None;
        match self.ui.is_terminal(Stream::Data) && self.ui.is_terminal(Stream::Talk) {
            true => self.end_text(),
            false => Ok(()),
        }
    }

    fn end_thought(&mut self) {
        if self.thought == Line::Open {
            self.ui.murmur("\n");
            self.thought = Line::Ended;
        }
    }

    fn end_text(&mut self) -> Result<(), Failure> {
        if self.text == Line::Open {
            match &mut self.drawing {
                Some(drawing) => self.ui.write(&drawing.finish())?,
                None => self.ui.write("\n")?,
            }
            self.text = Line::Ended;
        }
        Ok(())
    }
}
