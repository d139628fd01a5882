//! Lines as shells read them: words, quotes, and what ends a command.
//!
//! Enters: a line. Leaves: its parts, which are the line when they are put together, and words with or without quotes. What
//! a shell fills in (`$X`) is left alone.

use std::borrow::Cow;

/// A part of a line of a shell.
pub(super) enum Piece<'t> {
    /// Blanks, and what ends a command.
    Gap(&'t str),
    /// A word, with its quotes.
    Word(&'t str),
}

/// The parts of a line of a shell.
pub(super) fn pieces(line: &str) -> Vec<Piece<'_>> {
    parts(line, &|c| c.is_whitespace() || ";&|()<>`".contains(c))
}

/// The words of a command that somebody wrote as one text.
pub(super) fn words(command: &str) -> Vec<String> {
    // Without quotes, what looks like an escape belongs to a path of Windows.
    if !command.contains(['"', '\'']) {
        return command.split_whitespace().map(str::to_owned).collect();
    }
    let words = parts(command, &char::is_whitespace).into_iter();
    words
        .filter_map(|part| match part {
            Piece::Gap(_) => None,
            Piece::Word(raw) => Some(unquoted(raw)),
        })
        .collect()
}

fn parts<'t>(text: &'t str, is_gap: &dyn Fn(char) -> bool) -> Vec<Piece<'t>> {
    let mut found = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let end = match is_gap(first) {
            true => rest.find(|c| !is_gap(c)).unwrap_or(rest.len()),
            false => {
                let mut quote = None;
                let mut is_escaped = false;
                let end = rest.find(|c| {
                    match (quote, c) {
                        _ if is_escaped => is_escaped = false,
                        (None | Some('"'), '\\') => is_escaped = true,
                        (None, '"' | '\'') => quote = Some(c),
                        (Some(open), c) if c == open => quote = None,
                        (None, c) if is_gap(c) => return true,
                        (None | Some(_), _) => {}
                    }
                    false
                });
                end.unwrap_or(rest.len())
            }
        };
        let (piece, after) = rest.split_at(end);
        found.push(match is_gap(first) {
            true => Piece::Gap(piece),
            false => Piece::Word(piece),
        });
        rest = after;
    }
    found
}

/// A word as the shell hands it on.
pub(super) fn unquoted(raw: &str) -> String {
    let mut quote = None;
    let mut is_escaped = false;
    let mut out = String::new();
    for c in raw.chars() {
        match (quote, c) {
            _ if is_escaped => {
                is_escaped = false;
                out.push(c);
            }
            (None | Some('"'), '\\') => is_escaped = true,
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), c) if c == open => quote = None,
            (None | Some(_), c) => out.push(c),
        }
    }
    out
}

/// A word in quotes like those that it had, as far as it needs any; nothing when these would not do.
pub(super) fn quoted(raw: &str, word: String) -> Option<Cow<'_, str>> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_=.,/:@%+".contains(c);
    let quote = raw.chars().find(|c| "\"'\\".contains(*c));
    match quote {
        None => Some(word.into()),
        Some(_) if word.chars().all(is_plain) => Some(word.into()),
        Some(quote @ ('"' | '\'')) if !word.contains(['"', '\'', '\\']) => Some(format!("{quote}{word}{quote}").into()),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_as_a_shell_has_them() {
        for (line, expected) in [
            ("bash -c \"A=b npx foo\"", &["bash", "-c", "A=b npx foo"][..]),
            ("a 'b \"c\"' d\\ e\"f\\\"g\"", &["a", "b \"c\"", "d ef\"g"]),
            ("cmd /c C:\\x\\y.cmd", &["cmd", "/c", "C:\\x\\y.cmd"]),
            ("a 'b c", &["a", "b c"]),
            ("", &[]),
        ] {
            assert_eq!(words(line), expected, "{line}");
        }
    }

    #[test]
    fn parts_are_the_line() {
        for line in ["a; b 'c;d' && e\\ f|g", " (a) ", "'", ""] {
            let parts = pieces(line).into_iter().map(|part| match part {
                Piece::Gap(text) | Piece::Word(text) => text,
            });
            assert_eq!(parts.collect::<String>(), line);
        }
        let words = pieces("a; b 'c;d' && e\\ f|g")
            .into_iter()
            .filter_map(|part| match part {
                Piece::Gap(_) => None,
                Piece::Word(word) => Some(word),
            });
        assert_eq!(words.collect::<Vec<_>>(), ["a", "b", "'c;d'", "e\\ f", "g"]);
    }
}
