//! How a text begins and how its lines end: both stay as they are, whatever is edited within.
//!
//! Enters: a text as it stands, and what was made of it. Leaves: what was made of it, with the ends that its lines had.

/// What a text in UTF-8 may begin with, to say that it is that.
const MARK: char = '\u{feff}';

/// The mark that a text begins with, or nothing; and the text itself.
pub(super) fn after_mark(text: &str) -> (&str, &str) {
    let bare = text.strip_prefix(MARK).unwrap_or(text);
    text.split_at(text.len() - bare.len())
}

/// How most lines of a text end.
pub(super) fn line_end(text: &str) -> &'static str {
    let (all, long) = (text.matches('\n').count(), text.matches("\r\n").count());
    if long * 2 > all { "\r\n" } else { "\n" }
}

/// What was made of a text by somebody who ends all lines alike. Lines that were there before end as they did, and new ones
/// as most do.
pub(super) fn with_ends_of(before: &str, made: &str) -> String {
    let (old, new): (Vec<&str>, Vec<&str>) = (
        before.split_inclusive('\n').collect(),
        made.split_inclusive('\n').collect(),
    );
    let head = old.iter().zip(&new).take_while(|(old, new)| is_same(old, new)).count();
    let rest = old[head..].iter().rev().zip(new[head..].iter().rev());
    let tail = rest.take_while(|(old, new)| is_same(old, new)).count();
    let end = line_end(before);
    let mut out = old[..head].concat();
    for line in &new[head..new.len() - tail] {
        out.push_str(bare(line));
        if line.ends_with('\n') {
            out.push_str(end);
        }
    }
    out + &old[old.len() - tail..].concat()
}

fn is_same(old: &str, new: &str) -> bool {
    bare(old) == bare(new) && old.ends_with('\n') == new.ends_with('\n')
}

fn bare(line: &str) -> &str {
    let line = line.strip_suffix('\n').unwrap_or(line);
    line.strip_suffix('\r').unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_end_as_they_did() {
        for (before, made, expected) in [
            ("a\r\nb\r\n", "a\nx\nb\n", "a\r\nx\r\nb\r\n"),
            ("a\r\nb\r\nc\n", "a\nb\nc\nx\n", "a\r\nb\r\nc\nx\r\n"),
            ("a\r\nb", "a\nb\n\nx\n", "a\r\nb\r\n\r\nx\r\n"),
            ("a\r\nx\r\nb", "a\nb", "a\r\nb"),
            ("a\r\na\r\n", "a\na\na\n", "a\r\na\r\na\r\n"),
            ("a\nb\n", "a\n", "a\n"),
            ("", "x\n", "x\n"),
            ("\r\n", "", ""),
        ] {
            assert_eq!(with_ends_of(before, made), expected, "{before:?}");
        }
        assert_eq!(after_mark("\u{feff}a"), ("\u{feff}", "a"));
        assert_eq!(after_mark("a\u{feff}"), ("", "a\u{feff}"));
    }
}
