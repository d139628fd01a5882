//! Values of secrets, shown as `***`.
//!
//! A value is masked wherever it stands, also where two values overlap, and also in the form that it has within a JSON
//! string. A value of several lines is masked line by line, since output comes in lines.

use serde_json::Value;
use zeroize::Zeroizing;

/// What stands for a value.
const STARS: &[u8] = b"***";

/// Lines of a longer value that are shorter than this are not masked by themselves: `}` or `--` say nothing.
const SHORTEST_PIECE: usize = 4;

/// The values that must not be shown.
#[derive(Clone, Default)]
pub(crate) struct Mask {
    needles: Vec<Zeroizing<Vec<u8>>>,
}

impl std::fmt::Debug for Mask {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Mask({} values)", self.needles.len())
    }
}

impl Mask {
    /// A mask for what comes in lines.
    pub(crate) fn new(values: &[Zeroizing<String>]) -> Self {
        let mut mask = Self::default();
        for value in values {
            let lines: Vec<_> = value
                .lines()
                .map(str::trim_end)
                .filter(|line| !line.is_empty())
                .collect();
            let shortest = if lines.len() > 1 { SHORTEST_PIECE } else { 1 };
            for line in lines.iter().filter(|line| line.len() >= shortest) {
                mask.add(line);
            }
        }
        mask
    }

    /// A mask for texts that are there as a whole: whole values are found in them, too, and their lines without what they are
    /// indented by.
    pub(crate) fn of_texts(values: &[Zeroizing<String>]) -> Self {
        let mut mask = Self::new(values);
        for value in values {
            let lines = value.lines().map(str::trim);
            let is_long = |line: &&str| line.len() >= SHORTEST_PIECE;
            lines.filter(is_long).for_each(|line| mask.add(line));
            mask.add(value);
            mask.add(value.trim());
        }
        mask
    }

    /// Masks a text as it is, and as it stands in a JSON string.
    fn add(&mut self, text: &str) {
        self.add_as_it_is(text);
        let quoted = Zeroizing::new(Value::from(text).to_string());
        let quoted = &quoted[1..quoted.len() - 1];
        self.add_as_it_is(quoted);
        // As programs in Go write it.
        let for_pages = quoted.replace('&', "\\u0026").replace('<', "\\u003c");
        self.add_as_it_is(&Zeroizing::new(for_pages.replace('>', "\\u003e")));
    }

    fn add_as_it_is(&mut self, text: &str) {
        if !text.is_empty() && !self.needles.iter().any(|needle| needle.as_slice() == text.as_bytes()) {
            self.needles.push(Zeroizing::new(text.as_bytes().to_vec()));
        }
    }

    /// The values of all of them.
    pub(crate) fn of_all<'m>(masks: impl IntoIterator<Item = &'m Self>) -> Self {
        let mut all = Self::default();
        for needle in masks.into_iter().flat_map(|mask| &mask.needles) {
            if !all.needles.contains(needle) {
                all.needles.push(needle.clone());
            }
        }
        all
    }

    /// How much more than a line of bounded length must be read, so that no value is cut in two by the bound.
    pub(crate) fn reach(&self) -> usize {
        self.needles.iter().map(|needle| needle.len()).max().unwrap_or(0)
    }

    /// The first `most` bytes of a line, masked; a value that begins before the bound is masked as a whole. Also says how
    /// many bytes stand behind the bound.
    pub(crate) fn line(&self, line: &[u8], most: usize) -> (Vec<u8>, usize) {
        let bound = most.min(line.len());
        let mut shown = Vec::with_capacity(bound);
        let mut at = 0;
        while at < bound {
            match self.covered(line, at) {
                None => {
                    shown.push(line[at]);
                    at += 1;
                }
                Some(end) => {
                    shown.extend_from_slice(STARS);
                    at = end;
                }
            }
        }
        (shown, line.len().saturating_sub(at))
    }

    /// Any text, masked.
    pub(crate) fn text(&self, text: &str) -> String {
        let (shown, _) = self.line(text.as_bytes(), usize::MAX);
        String::from_utf8_lossy(&shown).into_owned()
    }

    /// Masks every text in a value.
    pub(crate) fn value(&self, value: &mut Value) {
        match value {
            Value::String(text) => *text = self.text(text),
            Value::Array(items) => items.iter_mut().for_each(|item| self.value(item)),
            Value::Object(members) => members.values_mut().for_each(|member| self.value(member)),
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// Where the run of values that begins at `at` ends, if one begins there.
    fn covered(&self, line: &[u8], at: usize) -> Option<usize> {
        let mut end = self.longest(line, at)?;
        // Another value may begin within this one and go further.
        let mut next = at + 1;
        while next < end {
            end = end.max(self.longest(line, next).unwrap_or(0));
            next += 1;
        }
        Some(end)
    }

    fn longest(&self, line: &[u8], at: usize) -> Option<usize> {
        let starts = |needle: &&Zeroizing<Vec<u8>>| line[at..].starts_with(needle);
        self.needles.iter().filter(starts).map(|needle| at + needle.len()).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(values: &[&str], line: &str, expected: &str) {
        let values: Vec<_> = values.iter().map(|value| Zeroizing::new((*value).to_owned())).collect();
        assert_eq!(Mask::new(&values).text(line), expected);
    }

    #[test]
    fn values_are_masked() {
        check(&[], "nothing to hide", "nothing to hide");
        check(&["hunter2"], "password=hunter2!", "password=***!");
        check(&["hunter2"], "hunter2hunter2", "******");
        check(&["hunter2"], "hunter hunter 2", "hunter hunter 2");
        check(&["abc", "abcdef"], "xabcdefx", "x***x");
        check(&["abcdef", "defghi"], "abcdefghi", "***");
        check(
            &["a\"b\\c"],
            r#"{"key":"a\"b\\c"} and a"b\c"#,
            r#"{"key":"***"} and ***"#,
        );
        check(
            &["-----BEGIN\nMIIEvQ\r\n}\n-----END\n"],
            "MIIEvQ } -----BEGIN-----END",
            "*** } ******",
        );
        check(&["pässwörd"], "pässwörd?", "***?");
        check(&["", "\n"], "a\n", "a\n");
        check(&["x"], "axa", "a***a");
    }

    #[test]
    fn values_are_masked_as_a_whole_in_texts() {
        for (value, text, expected) in [
            ("a\nb", "says a\nb!", "says ***!"),
            ("a\nb", r#"says "a\nb"!"#, r#"says "***"!"#),
            ("  hunter2\n", "says hunter2!", "says ***!"),
            ("key:\n  hunter2\n", "hunter2 for key:", "*** for ***"),
            ("a<b&c", r"a\u003cb\u0026c", "***"),
            (" \n", "says nothing", "says nothing"),
        ] {
            let mask = Mask::of_texts(&[Zeroizing::new(value.to_owned())]);
            assert_eq!(mask.text(text), expected, "{value:?}");
        }
    }

    #[test]
    fn the_bound_cuts_no_value_in_two() {
        let mask = Mask::new(&[Zeroizing::new("secret".to_owned())]);
        for most in 0..12 {
            let (shown, _) = mask.line(b"abc secret def", most);
            let shown = String::from_utf8(shown).expect("text");
            assert!(
                "abc *** def".starts_with(&shown) && !shown.contains("se"),
                "{most}: {shown}"
            );
        }
        assert_eq!(mask.line(b"abc secret def", 5), (b"abc ***".to_vec(), 4));
        let other = Mask::new(&[Zeroizing::new("def".to_owned()), Zeroizing::new("secret".to_owned())]);
        assert_eq!(Mask::of_all([&mask, &other]).text("abc secret def"), "abc *** ***");
        assert_eq!(mask.reach(), 6);
    }
}
