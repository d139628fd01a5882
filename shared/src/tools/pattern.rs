//! Patterns over tool names, and the filters made of them.
//!
//! `*` is any run of characters, `?` any one, `[abc]`, `[a-z]` and `[!0-9]` one of a set. Everything else stands for
//! itself, case included. A pattern says something about a whole name. A special character that is meant as itself stands
//! in a set: `[*]`.

use std::fmt;
use std::str::{Chars, FromStr};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A pattern over tool names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern {
    text: String,
    pub(super) pieces: Vec<Piece>,
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Piece {
    Run,
    Any,
    One(char),
    Set { negated: bool, ranges: Vec<(char, char)> },
}

/// Why a text is no [`Pattern`]. Positions count characters from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// Nothing there: it would match no tool.
    #[error("the pattern is empty")]
    Empty,
    /// Longer than any pattern has reason to be.
    #[error("the pattern has {length} characters; at most {most} are allowed", most = Pattern::MAX)]
    TooLong {
        /// How long it is.
        length: usize,
    },
    /// A set that does not end.
    #[error("the `[` at character {position} is not closed")]
    Unclosed {
        /// Where the set begins.
        position: usize,
    },
    /// A set with nothing in it.
    #[error("the set at character {position} is empty")]
    EmptySet {
        /// Where the set begins.
        position: usize,
    },
    /// A range that ends before it begins.
    #[error("the range `{from}-{to}` at character {position} runs backwards")]
    Backwards {
        /// Where the range begins.
        position: usize,
        /// Its first character.
        from: char,
        /// Its last character.
        to: char,
    },
    /// A backslash, which other dialects escape with.
    #[error("the backslash at character {position} means nothing here")]
    Backslash {
        /// Where it stands.
        position: usize,
    },
}

impl PatternError {
    /// The way out.
    #[must_use]
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Empty => "`*` is every tool",
            Self::TooLong { .. } => "give several shorter patterns",
            Self::Unclosed { .. } => "close the set with `]`, or write `[[]` for the bracket itself",
            Self::EmptySet { .. } => "name the characters: `[abc]`, `[a-z]`, `[!0-9]`",
            Self::Backwards { .. } => "put the smaller character first",
            Self::Backslash { .. } => "a special character that is meant as itself stands in a set: `[*]`",
        }
    }
}

impl Pattern {
    /// The longest pattern, in characters.
    pub const MAX: usize = 256;

    /// The pattern as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Whether the whole of a name is as the pattern says.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        let (mut piece, mut rest) = (0, name.chars());
        // Where to go on when what follows the last run does not fit: the run takes one character more.
        let mut last_run: Option<(usize, Chars<'_>)> = None;
        while let Some(next) = rest.clone().next() {
            match self.pieces.get(piece) {
                Some(Piece::Run) => {
                    last_run = Some((piece, rest.clone()));
                    piece += 1;
                }
                Some(other) if other.admits(next) => {
                    piece += 1;
                    rest.next();
                }
                Some(_) | None => match &mut last_run {
                    Some((run, taken)) => {
                        taken.next();
                        (piece, rest) = (*run + 1, taken.clone());
                    }
                    None => return false,
                },
            }
        }
        self.pieces[piece..].iter().all(|rest| *rest == Piece::Run)
    }
}

impl Piece {
    pub(super) fn admits(&self, character: char) -> bool {
        match self {
            Self::Run => false,
            Self::Any => true,
            Self::One(one) => *one == character,
            Self::Set { negated, ranges } => {
                ranges.iter().any(|(from, to)| (*from..=*to).contains(&character)) != *negated
            }
        }
    }
}

/// The set that begins at `start`, and where it ends.
fn set(text: &[char], start: usize) -> Result<(Piece, usize), PatternError> {
    let position = start + 1;
    let negated = text.get(start + 1) == Some(&'!');
    let first = start + 1 + usize::from(negated);
    let mut ranges = Vec::new();
    let mut at = first;
    loop {
        match text.get(at) {
            None => return Err(PatternError::Unclosed { position }),
            Some(']') => break,
            Some(&from) => match (text.get(at + 1), text.get(at + 2)) {
                (Some('-'), Some(&to)) if to != ']' => {
                    if to < from {
                        return Err(PatternError::Backwards {
                            position: at + 1,
                            from,
                            to,
                        });
                    }
                    ranges.push((from, to));
                    at += 3;
                }
                _ => {
                    ranges.push((from, from));
                    at += 1;
                }
            },
        }
    }
    if ranges.is_empty() {
        return Err(PatternError::EmptySet { position });
    }
    Ok((Piece::Set { negated, ranges }, at + 1))
}

impl TryFrom<String> for Pattern {
    type Error = PatternError;

    fn try_from(text: String) -> Result<Self, PatternError> {
        let characters: Vec<char> = text.chars().collect();
        match characters.len() {
            0 => return Err(PatternError::Empty),
            length if length > Self::MAX => return Err(PatternError::TooLong { length }),
            _ => {}
        }
        let (mut pieces, mut at) = (Vec::new(), 0);
        while let Some(character) = characters.get(at) {
            let (piece, next) = match character {
                '*' => (Piece::Run, at + 1),
                '?' => (Piece::Any, at + 1),
                '[' => set(&characters, at)?,
                '\\' => return Err(PatternError::Backslash { position: at + 1 }),
                other => (Piece::One(*other), at + 1),
            };
            // Two runs in a row are one.
            if piece != Piece::Run || pieces.last() != Some(&Piece::Run) {
                pieces.push(piece);
            }
            at = next;
        }
        Ok(Self { text, pieces })
    }
}

impl FromStr for Pattern {
    type Err = PatternError;

    fn from_str(text: &str) -> Result<Self, PatternError> {
        Self::try_from(text.to_owned())
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.text
    }
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

/// Which tools of a server are offered: those that `allow` names, but for those that `deny` names. The default offers
/// everything. Cheap to clone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Absent: every tool. Empty: none.
    allow: Option<Arc<[Pattern]>>,
    deny: Arc<[Pattern]>,
}

impl Filter {
    /// A filter of these lists, as they stand in a spec.
    ///
    /// # Errors
    /// The first text that is no pattern. Who reads a stored spec must offer nothing then, rather than everything.
    pub fn parse(allow: Option<&[String]>, deny: Option<&[String]>) -> Result<Self, PatternError> {
        let read = |texts: &[String]| texts.iter().map(|text| text.parse()).collect::<Result<Arc<[_]>, _>>();
        Ok(Self {
            allow: allow.map(read).transpose()?,
            deny: deny.map(read).transpose()?.unwrap_or_default(),
        })
    }

    /// The filter that offers nothing.
    #[must_use]
    pub fn nothing() -> Self {
        Self {
            allow: Some(Arc::default()),
            deny: Arc::default(),
        }
    }

    /// The patterns of what is offered, as they were written; none when everything is.
    pub fn allowed(&self) -> impl Iterator<Item = &str> {
        self.allow.iter().flat_map(|allow| allow.iter()).map(Pattern::as_str)
    }

    /// Whether the tool that its server calls so is offered.
    #[must_use]
    pub fn admits(&self, tool: &str) -> bool {
        let named_by = |patterns: &[Pattern]| patterns.iter().any(|pattern| pattern.matches(tool));
        self.allow.as_deref().is_none_or(named_by) && !named_by(&self.deny)
    }

    /// Whether every tool is offered, so that nobody has to ask.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.allow.is_none() && self.deny.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns() {
        for (pattern, matching, others) in [
            ("read_file", &["read_file"][..], &["read_files", "Read_file", ""][..]),
            ("read_*", &["read_", "read_file"], &["read", "a_read_b"]),
            ("*", &["", "anything", "größe"], &[]),
            ("**a**", &["a", "bab"], &["", "b"]),
            (
                "*_file",
                &["_file", "read_file", "a_file_file"],
                &["file", "read_files"],
            ),
            ("*ab*ab", &["abab", "xabyab", "ababab"], &["ab", "abx"]),
            ("get_?", &["get_a", "get_ü"], &["get_", "get_ab"]),
            ("v[12]", &["v1", "v2"], &["v3", "v", "v12"]),
            ("v[0-9a-f]", &["v0", "vf"], &["vg", "v-"]),
            ("v[!0-9]", &["va", "v-"], &["v5", "v"]),
            ("v[a-]", &["va", "v-"], &["vb"]),
            ("[*][?][[]", &["*?["], &["abc"]),
            ("a]", &["a]"], &["a"]),
        ] {
            let parsed: Pattern = pattern.parse().unwrap();
            assert_eq!(parsed.as_str(), pattern);
            for name in matching {
                assert!(parsed.matches(name), "{pattern} should match {name:?}");
            }
            for name in others {
                assert!(!parsed.matches(name), "{pattern} should not match {name:?}");
            }
        }
    }

    #[test]
    fn texts_that_are_no_patterns() {
        for (text, message) in [
            ("", "the pattern is empty"),
            (
                &*"x".repeat(257),
                "the pattern has 257 characters; at most 256 are allowed",
            ),
            ("read_[ab", "the `[` at character 6 is not closed"),
            ("ü[", "the `[` at character 2 is not closed"),
            ("a[]", "the set at character 2 is empty"),
            ("a[!]", "the set at character 2 is empty"),
            ("[xz-a]", "the range `z-a` at character 3 runs backwards"),
            (r"a\*", "the backslash at character 2 means nothing here"),
        ] {
            let error = text.parse::<Pattern>().unwrap_err();
            assert_eq!(error.to_string(), message);
            assert!(!error.hint().is_empty());
        }
    }

    #[test]
    fn filters() {
        let list = |texts: &[&str]| Some(texts.iter().map(ToString::to_string).collect::<Vec<_>>());
        for (allow, deny, offered, hidden) in [
            (None, None, &["a", ""][..], &[][..]),
            (list(&["read_*", "stat"]), None, &["read_x", "stat"], &["write_x"]),
            (None, list(&["write_*"]), &["read_x"], &["write_x"]),
            (list(&["*_x"]), list(&["write_*"]), &["read_x"], &["write_x", "read_y"]),
            (list(&["a"]), list(&["a"]), &[], &["a"]),
            (list(&[]), None, &[], &["a"]),
        ] {
            let filter = Filter::parse(allow.as_deref(), deny.as_deref()).unwrap();
            assert_eq!(filter.is_open(), hidden.is_empty());
            for tool in offered {
                assert!(filter.admits(tool), "{filter:?} should offer {tool}");
            }
            for tool in hidden {
                assert!(!filter.admits(tool), "{filter:?} should hide {tool}");
            }
        }
        assert!(!Filter::nothing().admits("a"));
        assert!(Filter::parse(None, list(&["["]).as_deref()).is_err());
    }
}
