//! What a terminal is spared. Names, messages and logs are written by others; a terminal obeys what it is sent.
//!
//! Enters: text, and whether the stream carries colour. Leaves: the same text, in which nothing but letters, line breaks,
//! tabs and colours is left. Only for terminals: a pipe gets every byte as it is.

use std::borrow::Cow;

/// What stands in the place of a character that a terminal would act on.
pub(crate) const REPLACEMENT: char = '\u{fffd}';

/// Whether colours stay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Colors {
    /// They do.
    Kept,
    /// They are taken out, without a trace.
    Dropped,
}

/// The text as a terminal may have it.
pub(crate) fn guarded(text: &str, colors: Colors) -> Cow<'_, str> {
    if !text.chars().any(acts) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        match color(rest) {
            Some(length) => {
                if colors == Colors::Kept {
                    out.push_str(&rest[..length]);
                }
                rest = &rest[length..];
            }
            None => {
                out.push(if acts(c) { REPLACEMENT } else { c });
                rest = &rest[c.len_utf8()..];
            }
        }
    }
    Cow::Owned(out)
}

/// Whether a terminal would act on that character, or let it turn its neighbours around.
pub(crate) fn acts(c: char) -> bool {
    let turns = matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    turns || (c.is_control() && !matches!(c, '\n' | '\t'))
}

/// The text without anything that a terminal would act on, colours neither: what comes in pieces may be cut within one.
pub(crate) fn inert(text: &str) -> Cow<'_, str> {
    match text.chars().any(acts) {
        true => Cow::Owned(text.chars().map(|c| if acts(c) { REPLACEMENT } else { c }).collect()),
        false => Cow::Borrowed(text),
    }
}

/// The length of the colour (ECMA-48's SGR: `ESC [ 1 ; 31 m`) that the text begins with.
fn color(text: &str) -> Option<usize> {
    let parameters = text.strip_prefix("\u{1b}[")?;
    let end = parameters.find(|c: char| !c.is_ascii_digit() && !matches!(c, ';' | ':'))?;
    parameters[end..].starts_with('m').then_some("\u{1b}[".len() + end + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_terminal_gets_letters_and_colours() {
        for (text, kept, dropped) in [
            ("a\tb\né", "a\tb\né", "a\tb\né"),
            ("\u{1b}[1;31mred\u{1b}[0m", "\u{1b}[1;31mred\u{1b}[0m", "red"),
            ("\u{1b}[2Jgone", "\u{fffd}[2Jgone", "\u{fffd}[2Jgone"),
            (
                "\u{1b}]0;title\u{7}",
                "\u{fffd}]0;title\u{fffd}",
                "\u{fffd}]0;title\u{fffd}",
            ),
            (
                "over\rwritten\u{8}",
                "over\u{fffd}written\u{fffd}",
                "over\u{fffd}written\u{fffd}",
            ),
            ("\u{9b}31m", "\u{fffd}31m", "\u{fffd}31m"),
            ("abc\u{202e}cba", "abc\u{fffd}cba", "abc\u{fffd}cba"),
            ("\u{1b}", "\u{fffd}", "\u{fffd}"),
            ("\u{1b}[31", "\u{fffd}[31", "\u{fffd}[31"),
        ] {
            assert_eq!(guarded(text, Colors::Kept), kept, "{text:?}");
            assert_eq!(guarded(text, Colors::Dropped), dropped, "{text:?}");
        }
    }

    #[test]
    fn pieces_are_spared_of_everything() {
        for (text, expected) in [
            ("a\tb\né", "a\tb\né"),
            ("\u{1b}[1;31mred", "\u{fffd}[1;31mred"),
            ("\u{1b}", "\u{fffd}"),
        ] {
            assert_eq!(inert(text), expected, "{text:?}");
        }
    }
}
