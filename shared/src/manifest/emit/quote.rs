//! How a text is written so that every reader of YAML, 1.1 or 1.2, reads that text.
//!
//! Plain only when no reader can take it for anything else; the rules err on the side of quotes. They follow the core
//! schema of YAML 1.2 and the type repository of YAML 1.1 (`yes`, `12:30:45`, `1_000`, `0b1`, dates, `=`, `<<`), with what
//! common readers of the latter add to it (`1,000`).

use std::borrow::Cow;
use std::fmt::Write;

/// How a text is written.
pub(super) enum Style<'t> {
    /// On the line of its key, quoted where it must be.
    Line(Cow<'t, str>),
    /// As a block below it.
    Block {
        /// `|`, with the signs that belong to it.
        header: String,
    },
}

/// The best way to write a text that is the value of a key or the element of a list.
pub(super) fn style(text: &str) -> Style<'_> {
    match block_header(text) {
        Some(header) => Style::Block { header },
        None => Style::Line(on_one_line(text)),
    }
}

/// The text on one line: as it is, or in quotes.
pub(super) fn on_one_line(text: &str) -> Cow<'_, str> {
    if is_plain(text) {
        Cow::Borrowed(text)
    } else if text.contains(['"', '\\']) && text.chars().all(needs_no_escape) {
        Cow::Owned(format!("'{}'", text.replace('\'', "''")))
    } else {
        Cow::Owned(double_quoted(text))
    }
}

fn double_quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\0' => out.push_str("\\0"),
            _ if needs_no_escape(c) => out.push(c),
            _ => {
                // Writing to a string cannot fail.
                let _infallible = match u32::from(c) {
                    code @ 0..=0xff => write!(out, "\\x{code:02x}"),
                    code @ 0x100..=0xffff => write!(out, "\\u{code:04x}"),
                    code => write!(out, "\\U{code:08x}"),
                };
            }
        }
    }
    out.push('"');
    out
}

/// The header of the block that carries the text, when a block can: text of several lines that holds no character that
/// needs an escape, and no line of which nothing can be seen.
fn block_header(text: &str) -> Option<String> {
    let visible = |c: char| c == '\n' || c == '\t' || needs_no_escape(c);
    if !text.contains('\n') || !text.chars().all(visible) {
        return None;
    }
    let invisible_line = |line: &str| !line.is_empty() && line.trim_matches([' ', '\t']).is_empty();
    if text.split('\n').any(invisible_line) {
        return None;
    }
    let first = text.split('\n').find(|line| !line.is_empty())?;
    let indentation = if first.starts_with([' ', '\t']) { "2" } else { "" };
    let chomping = match text.strip_suffix('\n') {
        None => "-",
        Some(content) if content.ends_with('\n') => "+",
        Some(_) => "",
    };
    Some(format!("|{indentation}{chomping}"))
}

/// What may stand in a line of text as it is. YAML 1.1 takes U+0085, U+2028 and U+2029 for line breaks.
fn needs_no_escape(c: char) -> bool {
    match c {
        ' '..='~' => true,
        '\u{2028}' | '\u{2029}' | '\u{feff}' => false,
        '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'.. => true,
        _ => false,
    }
}

/// Whether the text can do without quotes.
fn is_plain(text: &str) -> bool {
    let mut characters = text.chars();
    let (Some(first), second) = (characters.next(), characters.next()) else {
        return false;
    };
    let starts_plainly = match first {
        '/' | '_' | '$' | '(' | ')' | '^' | ';' | '\\' | '+' => true,
        '~' => second.is_some(),
        '.' => !text.starts_with("...") && second.is_some_and(|c| !c.is_ascii_digit() && c != '_'),
        '-' => !text.starts_with("---") && second.is_some_and(|c| c.is_ascii_alphanumeric() || c == '-'),
        _ => first.is_alphanumeric(),
    };
    starts_plainly
        && text.chars().all(needs_no_escape)
        && !text.ends_with([' ', ':'])
        && !text.contains(": ")
        && !text.contains(" #")
        && !is_other_than_text(text)
}

/// Whether some reader takes the word for a truth value, nothing, a number or a time.
fn is_other_than_text(word: &str) -> bool {
    const WORDS: &[&str] = &[
        "y", "n", "yes", "no", "on", "off", "true", "false", "null", "+.inf", "-.inf", ".inf", ".nan",
    ];
    if WORDS.iter().any(|other| word.eq_ignore_ascii_case(other)) {
        return true;
    }
    let unsigned = word.strip_prefix(['+', '-']).unwrap_or(word);
    if !unsigned.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | '_' | ',')) {
        return false;
    }
    let lower = unsigned.to_ascii_lowercase();
    if ["0x", "0o", "0b"].iter().any(|prefix| lower.starts_with(prefix)) {
        return true;
    }
    // `1.2.3` and `127.0.0.1` are versions and addresses to everybody.
    let dotted = unsigned == word && unsigned.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if dotted && unsigned.matches('.').count() >= 2 {
        return false;
    }
    lower.bytes().all(|b| b.is_ascii_digit() || b"_.,:+-etz ".contains(&b))
}
