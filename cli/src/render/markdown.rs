//! Markdown as a terminal shows it, drawn as it comes: what is written once is never written again.
//!
//! Enters: pieces of a text, cut anywhere. Leaves: the bytes that can be written now; the same ones altogether, however the
//! text was cut. A line is looked at as soon as it is known what it is, and its words go out as soon as nothing behind them
//! can change them: an emphasis or a link is held until it is closed, a table until it is over. Lines that the writer broke
//! stay broken. Without colour, marks stay where they are and only the width is kept. Characters that a terminal would act
//! on are replaced, written as entities too; nothing here writes to the terminal itself.
//!
//! In the order of reading: [`inline`] is what stands within a line, [`flow`] puts words into the width, [`grid`] draws
//! tables, [`line`] tells what a line is.

mod flow;
mod grid;
mod inline;
mod line;

use flow::{Flow, Lead, Style};
use line::{Kind, Line};

use crate::ui::guard;

/// So much is held at most to see whether something is closed again.
const MOST_HELD: usize = 4 << 10;
/// The narrowest terminal that text is fitted into.
const NARROWEST: usize = 20;

/// What a terminal is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Look {
    /// Its columns.
    pub(crate) width: usize,
    /// Whether it is sent colours, and what belongs to them: bold, underlined.
    pub(crate) color: bool,
}

/// A text that is being drawn.
pub(crate) struct Markdown {
    look: Look,
    /// What has not been drawn of the line that comes at the moment.
    line: String,
    place: Place,
    /// A carriage return, of which the next character says whether it belongs to a line break.
    returned: bool,
    fence: Option<Fence>,
    /// The rows of a table so far, and what stands before each.
    table: Option<(Lead, Vec<String>)>,
    list: List,
    blank: Blank,
    flow: Flow,
}

/// Where in a line the text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// At its beginning: what it is, is not known yet.
    Start,
    /// Within its words; perhaps some of them are held since something has not been closed.
    Words {
        /// Whether some are.
        is_open: bool,
    },
}

/// Whether indented lines belong to a list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum List {
    /// They do.
    Inside,
    /// There is none.
    Outside,
}

/// What came before.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Blank {
    /// Nothing was drawn yet.
    Nothing,
    /// A line with something in it.
    Text,
    /// An empty line, which is drawn when something follows.
    Due,
}

/// Code between fences.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Fence {
    /// The fence: at least so many of these close it.
    mark: char,
    length: usize,
    /// Blanks before the fence, which code lines are spared.
    indent: usize,
    lead: Lead,
}

impl Markdown {
    /// Nothing was drawn yet.
    pub(crate) fn new(look: Look) -> Self {
        let look = Look {
            width: look.width.max(NARROWEST),
            ..look
        };
        Self {
            look,
            line: String::new(),
            place: Place::Start,
            returned: false,
            fence: None,
            table: None,
            list: List::Outside,
            blank: Blank::Nothing,
            flow: Flow::new(look),
        }
    }

    /// Takes in a piece, and gives what can be written now.
    pub(crate) fn push(&mut self, text: &str) -> String {
        let mut out = String::new();
        for c in text.chars() {
            self.take(c, &mut out);
        }
        out
    }

    /// The text is over: gives the rest, which ends in a line break. What comes then is another text.
    pub(crate) fn finish(&mut self) -> String {
        let mut out = String::new();
        self.returned = false;
        if !self.line.is_empty() || self.place != Place::Start {
            self.end_line(&mut out);
        }
        self.end_table(&mut out);
        *self = Self::new(self.look);
        out
    }

    fn take(&mut self, c: char, out: &mut String) {
        if std::mem::take(&mut self.returned) && c != '\n' {
            self.line.push(guard::REPLACEMENT);
        }
        match c {
            '\r' => self.returned = true,
            '\n' => self.end_line(out),
            c if guard::acts(c) => self.line.push(guard::REPLACEMENT),
            c => {
                self.line.push(c);
                if c == ' ' || c == '\t' {
                    self.after_word(out);
                }
            }
        }
    }

    /// A word has ended: perhaps it is known by now what the line is, or words can go out.
    fn after_word(&mut self, out: &mut String) {
        match self.place {
            Place::Words { .. } => self.let_go(out),
            Place::Start if self.fence.is_some() => {}
            Place::Start => {
                let text = std::mem::take(&mut self.line);
                match line::begun(&text) {
                    Some(line) if !self.is_code(&line) => {
                        self.begin_words(&line, out);
                        self.let_go(out);
                    }
                    Some(_) | None => self.line = text,
                }
            }
        }
    }

    /// Whether a line is code because it is indented.
    fn is_code(&self, line: &Line<'_>) -> bool {
        let is_apart = matches!(self.blank, Blank::Due | Blank::Nothing);
        line.indent >= 4 && self.list == List::Outside && is_apart
    }

    /// Writes the words that nothing can change any more.
    fn let_go(&mut self, out: &mut String) {
        let Place::Words { is_open } = self.place else {
            return;
        };
        let last = self.line.trim_end().rsplit([' ', '\t']).next().unwrap_or_default();
        // What is open stays so unless the new word closes it.
        if is_open && !last.contains(inline::MARKS) && self.line.len() < MOST_HELD {
            return;
        }
        let found = inline::read(&self.line, Style::default(), self.look);
        let is_open = found.is_open && self.line.len() < MOST_HELD;
        if !is_open {
            self.flow.words(&found.spans, out);
            self.line.clear();
        }
        self.place = Place::Words { is_open };
    }

    fn end_line(&mut self, out: &mut String) {
        let text = std::mem::take(&mut self.line);
        if let Place::Words { .. } = self.place {
            self.flow
                .words(&inline::read(&text, Style::default(), self.look).spans, out);
            self.flow.end(out);
            self.place = Place::Start;
            return;
        }
        if let Some(fence) = self.fence.clone() {
            return self.code_line(&fence, &text, out);
        }
        let line = line::whole(&text);
        let is_code = self.is_code(&line);
        match line.kind {
            Kind::Blank => {
                self.end_table(out);
                if self.blank == Blank::Text {
                    self.blank = Blank::Due;
                }
            }
            _ if is_code => {
                let lead = self.begin_block(&line, out);
                self.code(&lead, &" ".repeat(line.indent - 4), line.rest, out);
            }
            Kind::Fence { mark, length } => {
                let lead = self.begin_block(&line, out);
                out.push_str(&lead.painted(self.look));
                out.push_str(&" ".repeat(line.indent));
                out.push_str(&Style::DIM.painted(line.rest.trim_end(), self.look));
                out.push('\n');
                self.fence = Some(Fence {
                    mark,
                    length,
                    indent: line.indent,
                    lead,
                });
            }
            Kind::Rule => {
                let lead = self.begin_block(&line, out);
                let room = self.look.width.saturating_sub(lead.width()).min(40);
                out.push_str(&lead.painted(self.look));
                out.push_str(&Style::DIM.painted(&"─".repeat(room), self.look));
                out.push('\n');
            }
            Kind::Heading { level, text } => {
                let lead = self.begin_block(&line, out);
                self.flow.begin(&lead, &Lead::default(), out);
                let shown = if self.look.color { text } else { line.rest.trim_end() };
                let style = if level == 1 { Style::TITLE } else { Style::STRONG };
                self.flow.words(&inline::read(shown, style, self.look).spans, out);
                self.flow.end(out);
            }
            Kind::Row => {
                let lead = Lead::of_quote(line.quotes).and_blanks(line.indent);
                match &mut self.table {
                    Some((known, rows)) if *known == lead => rows.push(line.rest.to_owned()),
                    Some(_) | None => {
                        self.begin_block(&line, out);
                        self.table = Some((lead, vec![line.rest.to_owned()]));
                    }
                }
            }
            Kind::Item { .. } | Kind::Text => {
                self.begin_words(&line, out);
                let rest = std::mem::take(&mut self.line);
                self.flow
                    .words(&inline::read(&rest, Style::default(), self.look).spans, out);
                self.flow.end(out);
                self.place = Place::Start;
            }
        }
    }

    /// Gets ready for the words of a paragraph or an item. What is left of the line is held.
    fn begin_words(&mut self, line: &Line<'_>, out: &mut String) {
        let lead = self.begin_block(line, out);
        let (before, rest) = match line.kind {
            Kind::Item { marker, text } => {
                self.list = List::Inside;
                let shown = match marker {
                    "-" | "*" | "+" if self.look.color => "•",
                    marker => marker,
                };
                (lead.and_blanks(line.indent).and_mark(shown), text)
            }
            Kind::Blank | Kind::Fence { .. } | Kind::Heading { .. } | Kind::Rule | Kind::Row | Kind::Text => {
                let indent = match self.list {
                    List::Inside => line.indent,
                    List::Outside => 0,
                };
                (lead.and_blanks(indent), line.rest)
            }
        };
        self.flow.begin(&before, &before.hanging(), out);
        self.line = rest.to_owned();
        self.place = Place::Words { is_open: false };
    }

    /// Ends what went before, and gives what stands before every line of what comes now.
    fn begin_block(&mut self, line: &Line<'_>, out: &mut String) -> Lead {
        self.end_table(out);
        if line.indent == 0 && !matches!(line.kind, Kind::Item { .. }) && self.blank == Blank::Due {
            self.list = List::Outside;
        }
        let lead = Lead::of_quote(line.quotes);
        if self.blank == Blank::Due {
            out.push('\n');
        }
        self.blank = Blank::Text;
        lead
    }

    fn code_line(&mut self, fence: &Fence, text: &str, out: &mut String) {
        let line = line::whole(text);
        let within = match fence.lead.quotes() {
            0 => text,
            quotes => line::unquoted(text, quotes),
        };
        let bare = within.trim();
        let is_end = bare.len() >= fence.length && bare.chars().all(|c| c == fence.mark);
        // A quote that ends takes its code along.
        let is_over = line.quotes < fence.lead.quotes();
        if is_end && !is_over {
            out.push_str(&fence.lead.painted(self.look));
            out.push_str(&" ".repeat(fence.indent));
            out.push_str(&Style::DIM.painted(bare, self.look));
            out.push('\n');
            self.fence = None;
        } else if is_over {
            self.fence = None;
            self.line = text.to_owned();
            self.end_line(out);
        } else {
            let blanks = within.len() - within.trim_start_matches(' ').len();
            let spared = &within[blanks.min(fence.indent)..];
            let lead = fence.lead.clone();
            self.code(&lead, &" ".repeat(fence.indent), spared, out);
        }
    }

    /// A line of code, as it is: to be copied, it must not be fitted into anything.
    fn code(&self, lead: &Lead, blanks: &str, code: &str, out: &mut String) {
        out.push_str(&lead.painted(self.look));
        out.push_str(blanks);
        out.push_str(&Style::CODE.painted(code, self.look));
        out.push('\n');
    }

    fn end_table(&mut self, out: &mut String) {
        if let Some((lead, rows)) = self.table.take() {
            grid::draw(&lead, &rows, self.look, out);
        }
    }
}

#[cfg(test)]
mod tests;
