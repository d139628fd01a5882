//! Bytes to text: size, encoding and the characters that a manifest may not hold. Says where the first offence stands.

use super::{Limits, LocatedProblem, Position};
use crate::problem::Code;

/// The text of a manifest, without its byte order mark.
pub(super) fn decode<'t>(bytes: &'t [u8], limits: &Limits) -> Result<&'t str, LocatedProblem> {
    if bytes.len() > limits.bytes {
        let message = format!(
            "the manifest has {} bytes; at most {} are read",
            bytes.len(),
            limits.bytes
        );
        return Err(
            LocatedProblem::new(Code::ManifestTooLarge, Position::START, message).hint("split it into several files")
        );
    }
    if let Some(encoding) = other_encoding(bytes) {
        let message = format!("the text is {encoding}, not UTF-8");
        return Err(
            LocatedProblem::new(Code::ManifestEncoding, Position::START, message).hint("save the file as UTF-8")
        );
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text.strip_prefix('\u{feff}').unwrap_or(text)),
        Err(error) => {
            let (valid, rest) = bytes.split_at(error.valid_up_to());
            let position = position_at_end(&String::from_utf8_lossy(valid));
            let byte = rest.first().copied().unwrap_or_default();
            let message = format!("the byte 0x{byte:02X} is not UTF-8");
            Err(LocatedProblem::new(Code::ManifestEncoding, position, message).hint("save the file as UTF-8"))
        }
    }
}

/// The first character that may not stand in a text of that grammar as it is.
pub(super) fn check(text: &str, grammar: Grammar) -> Result<(), LocatedProblem> {
    match text.char_indices().find(|(_, c)| !is_allowed(*c, grammar)) {
        None => Ok(()),
        Some((offset, found)) => Err(forbidden(position_at_end(&text[..offset]), found)),
    }
}

/// What a text is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Grammar {
    /// RFC 8259.
    Json,
    /// YAML 1.2.
    Yaml,
}

/// The position just behind a text.
pub(super) fn position_at_end(text: &str) -> Position {
    let mut position = Position::START;
    let mut characters = text.chars().peekable();
    while let Some(c) = characters.next() {
        if c == '\n' || (c == '\r' && characters.peek() != Some(&'\n')) {
            position = Position {
                line: position.line.saturating_add(1),
                column: 1,
            };
        } else {
            position.column = position.column.saturating_add(1);
        }
    }
    position
}

/// What YAML calls printable (YAML 1.2.2, 5.1). JSON only wants the characters below space to be escaped.
const fn is_allowed(c: char, grammar: Grammar) -> bool {
    match (c, grammar) {
        ('\t' | '\n' | '\r' | ' '..='~', _) => true,
        ('\0'..='\u{1f}', _) => false,
        (_, Grammar::Json) | ('\u{85}' | '\u{a0}'..='\u{fffd}' | '\u{10000}'.., Grammar::Yaml) => true,
        (_, Grammar::Yaml) => false,
    }
}

fn forbidden(position: Position, found: char) -> LocatedProblem {
    let code = u32::from(found);
    let (message, hint) = match found {
        '\0' => (
            "a NUL character".to_owned(),
            "remove it: no value may hold NUL".to_owned(),
        ),
        _ => (
            format!("the control character U+{code:04X}"),
            format!("remove it, or write it in double quotes as \"\\u{code:04x}\""),
        ),
    };
    LocatedProblem::new(Code::ManifestEncoding, position, message).hint(hint)
}

fn other_encoding(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => Some("UTF-32"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Some("UTF-16"),
        // Without a mark, but with a NUL beside each of the first letters.
        [1..=255, 0, 1..=255, 0, ..] | [0, 1..=255, 0, 1..=255, ..] => Some("UTF-16"),
        _ => None,
    }
}
