//! Words, put into the width of a terminal, one after the other.

use unicode_width::UnicodeWidthStr as _;

use super::Look;
use super::inline::Span;

/// How a piece of text looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Style(u8);

impl Style {
    pub(super) const STRONG: Self = Self(1);
    pub(super) const EMPHASIS: Self = Self(2);
    pub(super) const STRUCK: Self = Self(4);
    pub(super) const CODE: Self = Self(8);
    pub(super) const LINK: Self = Self(16);
    pub(super) const DIM: Self = Self(32);
    /// Of the largest headings.
    pub(super) const TITLE: Self = Self(Self::STRONG.0 | Self::LINK.0);

    /// What ECMA-48 calls them.
    const CODES: [(Self, &'static str); 6] = [
        (Self::STRONG, "1"),
        (Self::DIM, "2"),
        (Self::EMPHASIS, "3"),
        (Self::LINK, "4"),
        (Self::STRUCK, "9"),
        (Self::CODE, "36"),
    ];

    /// Both at once.
    pub(super) const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// The text, in this style where there is colour.
    pub(super) fn painted(self, text: &str, look: Look) -> String {
        if self == Self::default() || !look.color || text.is_empty() {
            return text.to_owned();
        }
        let codes = Self::CODES.iter().filter(|(style, _)| self.0 & style.0 != 0);
        let codes: Vec<&str> = codes.map(|(_, code)| *code).collect();
        format!("\u{1b}[{}m{text}\u{1b}[0m", codes.join(";"))
    }
}

/// What stands before a line.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Lead {
    quotes: usize,
    rest: String,
}

impl Lead {
    /// The bars of quotes.
    pub(super) const fn of_quote(quotes: usize) -> Self {
        Self {
            quotes,
            rest: String::new(),
        }
    }

    /// With so many blanks behind it.
    pub(super) fn and_blanks(mut self, blanks: usize) -> Self {
        // Who indents further has something else in mind than to be read.
        self.rest.push_str(&" ".repeat(blanks.min(40)));
        self
    }

    /// With the mark of an item behind it.
    pub(super) fn and_mark(mut self, mark: &str) -> Self {
        self.rest.push_str(mark);
        self.rest.push(' ');
        self
    }

    /// What stands before further lines of the same text.
    pub(super) fn hanging(&self) -> Self {
        Self {
            quotes: self.quotes,
            rest: " ".repeat(self.rest.width()),
        }
    }

    pub(super) const fn quotes(&self) -> usize {
        self.quotes
    }

    pub(super) fn width(&self) -> usize {
        self.quotes * 2 + self.rest.width()
    }

    /// As it is drawn.
    pub(super) fn painted(&self, look: Look) -> String {
        let bar = if look.color { "│ " } else { "> " };
        format!("{}{}", Style::DIM.painted(&bar.repeat(self.quotes), look), self.rest)
    }
}

/// A word: pieces in several styles with no blank between them.
pub(super) type Word = Vec<Span>;

/// How wide a word is.
pub(super) fn width(word: &Word) -> usize {
    word.iter().map(|span| span.text.width()).sum()
}

/// The words of these pieces.
pub(super) fn words(spans: &[Span]) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let mut is_within = false;
    for span in spans {
        for (at, part) in span.text.split([' ', '\t', '\n']).enumerate() {
            is_within &= at == 0;
            if part.is_empty() {
                continue;
            }
            let piece = Span {
                style: span.style,
                text: part.to_owned(),
            };
            match words.last_mut().filter(|_| is_within) {
                Some(word) => word.push(piece),
                None => words.push(vec![piece]),
            }
            is_within = true;
        }
    }
    words
}

/// A word as it is drawn.
pub(super) fn painted(word: &Word, look: Look) -> String {
    word.iter().map(|span| span.style.painted(&span.text, look)).collect()
}

/// Lines that are being filled.
#[derive(Debug)]
pub(super) struct Flow {
    look: Look,
    column: usize,
    hanging: Lead,
    has_word: bool,
}

impl Flow {
    pub(super) fn new(look: Look) -> Self {
        Self {
            look,
            column: 0,
            hanging: Lead::default(),
            has_word: false,
        }
    }

    /// Begins a line; further ones begin with what hangs.
    pub(super) fn begin(&mut self, lead: &Lead, hanging: &Lead, out: &mut String) {
        out.push_str(&lead.painted(self.look));
        self.column = lead.width();
        self.hanging = hanging.clone();
        self.has_word = false;
    }

    /// Writes words, each where it has room.
    pub(super) fn words(&mut self, spans: &[Span], out: &mut String) {
        for word in words(spans) {
            let width = width(&word);
            if self.has_word && self.column + 1 + width > self.look.width {
                out.push('\n');
                out.push_str(&self.hanging.painted(self.look));
                self.column = self.hanging.width();
                self.has_word = false;
            }
            if self.has_word {
                out.push(' ');
                self.column += 1;
            }
            out.push_str(&painted(&word, self.look));
            self.has_word = true;
            // What has no room in any line is broken by the terminal.
            self.column = match self.column + width {
                column if column > self.look.width => column % self.look.width,
                column => column,
            };
        }
    }

    /// Ends the line.
    pub(super) fn end(&mut self, out: &mut String) {
        out.push('\n');
        self.column = 0;
        self.has_word = false;
    }
}
