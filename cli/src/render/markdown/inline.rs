//! What stands within a line: emphasis, code, links. CommonMark's rules, as pulldown-cmark reads them.
//!
//! Enters: a line or the beginning of one, up to a blank. Leaves: pieces of text with a style, and whether something in it
//! may still be closed by what follows.

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::Look;
use super::flow::Style;
use crate::ui::guard;

/// A piece of a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Span {
    /// How it looks.
    pub(super) style: Style,
    /// What it says.
    pub(super) text: String,
}

/// A line, read.
pub(super) struct Found {
    /// Its pieces.
    pub(super) spans: Vec<Span>,
    /// Whether what follows may close something, so that it would read otherwise.
    pub(super) is_open: bool,
}

/// The characters that may mean something.
pub(super) const MARKS: [char; 9] = ['*', '_', '`', '[', ']', '<', '~', '&', '\\'];

/// What keeps the parser from taking the beginning of these words for that of a list, or of anything else.
const GUARD: &str = "x ";

/// Reads a line. Where there is no colour, marks are all that tells what is meant, and stay.
pub(super) fn read(text: &str, base: Style, look: Look) -> Found {
    if !look.color || !text.contains(MARKS) {
        let span = Span {
            style: base,
            text: text.to_owned(),
        };
        return Found {
            spans: vec![span],
            is_open: false,
        };
    }
    let mut reader = Reader {
        spans: Vec::new(),
        base,
        styles: Vec::new(),
        links: Vec::new(),
        plain: String::new(),
    };
    let text = format!("{GUARD}{}", text.trim_end());
    for event in Parser::new_ext(&text, Options::ENABLE_STRIKETHROUGH) {
        reader.take(event);
    }
    let is_open = may_close(&reader.plain);
    let mut guard = GUARD.len();
    for span in &mut reader.spans {
        let taken = guard.min(span.text.len());
        span.text.drain(..taken);
        guard -= taken;
    }
    Found {
        spans: reader.spans,
        is_open,
    }
}

struct Reader {
    spans: Vec<Span>,
    base: Style,
    styles: Vec<Style>,
    /// Where links lead that have begun, and the piece with which they did.
    links: Vec<(String, usize)>,
    /// What was taken for plain text; what was marked is a blank in it.
    plain: String,
}

impl Reader {
    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(Tag::Emphasis) => self.begin(Style::EMPHASIS),
            Event::Start(Tag::Strong) => self.begin(Style::STRONG),
            Event::Start(Tag::Strikethrough) => self.begin(Style::STRUCK),
            Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) => {
                self.links.push((dest_url.into_string(), self.spans.len()));
                self.begin(Style::LINK);
            }
            Event::End(TagEnd::Emphasis | TagEnd::Strong | TagEnd::Strikethrough) => {
                self.styles.pop();
            }
            Event::End(TagEnd::Link | TagEnd::Image) => {
                self.styles.pop();
                if let Some((target, from)) = self.links.pop() {
                    let shown: String = self.spans[from..].iter().map(|span| span.text.as_str()).collect();
                    if !target.is_empty() && target != shown && target.strip_prefix("mailto:") != Some(&shown) {
                        self.text(&format!(" ({target})"), Style::DIM);
                    }
                }
            }
            Event::Text(text) => {
                self.plain.push_str(&text);
                self.text(&text, Style::default());
            }
            Event::Code(text) => {
                self.plain.push(' ');
                self.text(&text, Style::CODE);
            }
            Event::InlineHtml(text) | Event::Html(text) => {
                self.plain.push(' ');
                match text.trim_end_matches([' ', '/', '>']) {
                    "<br" => self.text(" ", Style::default()),
                    _ => self.text(&text, Style::default()),
                }
            }
            Event::SoftBreak | Event::HardBreak => self.text(" ", Style::default()),
            // None of these is asked for, or can stand behind the guard.
            Event::Start(_)
            | Event::End(_)
            | Event::Rule
            | Event::InlineMath(_)
            | Event::DisplayMath(_)
            | Event::FootnoteReference(_)
            | Event::TaskListMarker(_) => {}
        }
    }

    fn begin(&mut self, style: Style) {
        self.plain.push(' ');
        self.styles.push(style);
    }

    fn text(&mut self, text: &str, own: Style) {
        let style = self.styles.iter().fold(self.base, |all, one| all.and(*one)).and(own);
        // An entity may stand for any character.
        let text: String = text
            .chars()
            .map(|c| if guard::acts(c) { guard::REPLACEMENT } else { c })
            .collect();
        self.spans.push(Span { style, text });
    }
}

/// Whether plain text holds the beginning of something that is not over.
fn may_close(plain: &str) -> bool {
    let chars: Vec<char> = plain.chars().collect();
    let mut brackets = 0_i32;
    for (at, c) in chars.iter().enumerate() {
        let before = at.checked_sub(1).map(|before| chars[before]);
        let after = chars.get(at + 1).copied();
        let touches = after.is_some_and(|after| !after.is_whitespace());
        match c {
            '`' => return true,
            '*' if touches => return true,
            '_' if touches && !before.is_some_and(char::is_alphanumeric) => return true,
            '~' if after == Some('~') => return true,
            '<' if after.is_some_and(|after| after.is_alphabetic() || matches!(after, '/' | '!')) => return true,
            '[' => brackets += 1,
            ']' => {
                brackets -= 1;
                if after == Some('(') {
                    return true;
                }
            }
            _ => {}
        }
    }
    brackets > 0
}
