//! Pieces of somebody's text inside our messages: short, on one line, and nothing that a terminal would act on.
//!
//! Whoever makes a message of what a user, a child process or a remote server said passes it through here; [`Problem`]s do
//! so by themselves.
//!
//! [`Problem`]: crate::problem::Problem

/// How many characters of a text are repeated.
const LONGEST: usize = 40;

/// The beginning of a text, in backquotes.
pub(crate) fn quoted(text: &str) -> String {
    format!("`{}`", short(text))
}

/// The beginning of a text.
#[must_use]
pub fn short(text: &str) -> String {
    let line = text.trim_end_matches('\n');
    let end = line.find('\n').unwrap_or(line.len());
    let end = line[..end]
        .char_indices()
        .nth(LONGEST)
        .map_or(end, |(offset, _)| offset);
    let more = if end < line.len() { "…" } else { "" };
    printable(format!("{}{more}", &line[..end]))
}

/// The text with its control characters written out, line breaks included.
#[must_use]
pub fn printable(text: impl Into<String>) -> String {
    let text = text.into();
    if text.chars().any(char::is_control) {
        text.chars().fold(String::with_capacity(text.len() + 8), |mut out, c| {
            if c.is_control() {
                out.extend(c.escape_default());
            } else {
                out.push(c);
            }
            out
        })
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_short_and_harmless() {
        for (text, said) in [
            ("a", "`a`"),
            ("a\n", "`a`"),
            ("a\nb", "`a…`"),
            ("\u{1b}[31m", "`\\u{1b}[31m`"),
            ("a\tb\0", "`a\\tb\\u{0}`"),
            (&"é".repeat(40), &format!("`{}`", "é".repeat(40))),
            (&"é".repeat(41), &format!("`{}…`", "é".repeat(40))),
            ("", "``"),
        ] {
            assert_eq!(quoted(text), said);
        }
    }
}
