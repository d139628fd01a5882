//! Keeps the YAML scanner from holding back megabytes.
//!
//! A collection in flow style (`[...]`, `{...}`) might turn out to be a key, so the scanner keeps every token within it
//! until it is closed: a hundred bytes and more for each comma. The [`Meter`] watches how much of a collection the
//! scanner takes between two events, and ends the text early when that is more than anybody writes in that style; strict
//! JSON does not come through here at all.

use std::cell::Cell;

use saphyr_parser::input::SkipTabs;
use saphyr_parser::{Input, StrInput};

/// How many characters of a flow collection may be held back.
const MOST_HELD: usize = 1 << 20;

/// What the scanner took since the last event.
#[derive(Debug, Default)]
pub(super) struct Meter {
    within: Cell<Within>,
    held: Cell<usize>,
    exceeded: Cell<bool>,
    last: Cell<char>,
}

/// What the scanner is reading, as far as that matters here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Within {
    /// Nothing yet but space, indicators, anchors and tags.
    #[default]
    Nothing,
    /// An anchor, alias or tag.
    Property,
    /// Text: it is held as one token, however many brackets it has.
    Text,
    /// A flow collection.
    Flow,
}

impl Meter {
    /// An event was emitted: nothing before it is held any longer, but for the one token the scanner may have looked
    /// ahead. When that opens a collection, its bracket was the last character taken.
    pub(super) fn event(&self) {
        let opened = matches!(self.last.get(), '[' | '{');
        self.within.set(if opened { Within::Flow } else { Within::Nothing });
        self.held.set(0);
    }

    /// Whether the text was cut off.
    pub(super) fn exceeded(&self) -> bool {
        self.exceeded.get()
    }

    fn take(&self, c: char) {
        if !c.is_whitespace() {
            self.last.set(c);
        }
        match self.within.get() {
            Within::Text => return,
            Within::Flow => {}
            Within::Property if c.is_whitespace() => self.within.set(Within::Nothing),
            Within::Property => return,
            Within::Nothing => match c {
                '[' | '{' => self.within.set(Within::Flow),
                '&' | '*' | '!' => self.within.set(Within::Property),
                ' ' | '\t' | '\r' | '\n' | ':' | '-' | '?' | '.' => {}
                _ => self.within.set(Within::Text),
            },
        }
        if self.within.get() != Within::Flow {
            return;
        }
        self.held.set(self.held.get() + 1);
        if self.held.get() > MOST_HELD {
            self.exceeded.set(true);
        }
    }
}

/// A text that is read under a meter, and ends when that is exceeded.
pub(super) struct Metered<'t, 'm> {
    text: StrInput<'t>,
    meter: &'m Meter,
}

impl<'t, 'm> Metered<'t, 'm> {
    pub(super) fn new(text: &'t str, meter: &'m Meter) -> Self {
        Self {
            text: StrInput::new(text),
            meter,
        }
    }
}

/// Everything that makes a token passes [`skip`](Input::skip) or [`skip_n`](Input::skip_n); the rest is handed through,
/// so that its fast paths are kept.
impl Input for Metered<'_, '_> {
    fn skip(&mut self) {
        self.meter.take(self.text.peek());
        self.text.skip();
        if self.meter.exceeded() {
            self.text = StrInput::new("");
        }
    }

    fn skip_n(&mut self, count: usize) {
        for _ in 0..count {
            self.skip();
        }
    }

    fn lookahead(&mut self, count: usize) {
        self.text.lookahead(count);
    }

    fn buflen(&self) -> usize {
        self.text.buflen()
    }

    fn bufmaxlen(&self) -> usize {
        self.text.bufmaxlen()
    }

    fn raw_read_ch(&mut self) -> char {
        self.text.raw_read_ch()
    }

    fn raw_read_non_breakz_ch(&mut self) -> Option<char> {
        self.text.raw_read_non_breakz_ch()
    }

    fn peek(&self) -> char {
        self.text.peek()
    }

    fn peek_nth(&self, n: usize) -> char {
        self.text.peek_nth(n)
    }

    fn peek_opt(&self) -> Option<char> {
        self.text.peek_opt()
    }

    fn next_2_are(&self, first: char, second: char) -> bool {
        self.text.next_2_are(first, second)
    }

    fn next_3_are(&self, first: char, second: char, third: char) -> bool {
        self.text.next_3_are(first, second, third)
    }

    fn next_is_document_indicator(&self) -> bool {
        self.text.next_is_document_indicator()
    }

    fn next_is_document_start(&self) -> bool {
        self.text.next_is_document_start()
    }

    fn next_is_document_end(&self) -> bool {
        self.text.next_is_document_end()
    }

    fn skip_ws_to_eol(&mut self, tabs: SkipTabs) -> (usize, Result<SkipTabs, &'static str>) {
        self.text.skip_ws_to_eol(tabs)
    }

    fn skip_while_non_breakz(&mut self) -> usize {
        self.text.skip_while_non_breakz()
    }

    fn skip_while_blank(&mut self) -> usize {
        self.text.skip_while_blank()
    }

    fn fetch_while_is_alpha(&mut self, out: &mut String) -> usize {
        self.text.fetch_while_is_alpha(out)
    }

    fn fetch_while_is_yaml_non_space(&mut self, out: &mut String) -> usize {
        self.text.fetch_while_is_yaml_non_space(out)
    }
}
