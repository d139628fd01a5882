//! Taking a key out of what a provider says, wherever it is cut.

use std::borrow::Cow;

use memchr::memmem::Finder;
use serde_json::Value;

use crate::secrecy::MASK;

/// Shorter keys are not looked for in answers: `EMPTY` and `ollama`, which servers without keys are given, are words.
const SHORTEST: usize = 16;

/// Takes one key out of bytes that come in pieces.
pub struct Hiding {
    /// The key as it was sent, and as JSON writes it where that is something else.
    spellings: Vec<Finder<'static>>,
    /// The end of the pieces before, as long as it may be the begin of the key.
    kept: Vec<u8>,
}

impl Hiding {
    /// Looks for that key; nothing for one that is too short to be looked for.
    #[must_use]
    pub fn of(key: &str) -> Option<Self> {
        let key = key.trim();
        if key.len() < SHORTEST {
            return None;
        }
        let quoted = Value::from(key).to_string();
        let quoted = &quoted[1..quoted.len() - 1];
        let mut spellings = vec![key];
        spellings.extend(Some(quoted).filter(|quoted| *quoted != key));
        Some(Self {
            spellings: spellings
                .into_iter()
                .map(|spelling| Finder::new(spelling).into_owned())
                .collect(),
            kept: Vec::new(),
        })
    }

    /// What goes on of a piece, behind what was kept of those before: the piece itself, or the begin of it, unless something
    /// is masked or was kept.
    pub fn push<'p>(&mut self, piece: &'p [u8]) -> Cow<'p, [u8]> {
        if self.kept.is_empty() {
            let masked = self.masked(piece);
            let end = masked.len() - self.begun(&masked);
            self.kept = masked[end..].to_vec();
            return match masked {
                Cow::Borrowed(piece) => Cow::Borrowed(&piece[..end]),
                Cow::Owned(mut masked) => {
                    masked.truncate(end);
                    Cow::Owned(masked)
                }
            };
        }
        let mut whole = std::mem::take(&mut self.kept);
        whole.extend_from_slice(piece);
        Cow::Owned(self.push(&whole).into_owned())
    }

    /// What was kept: nothing more comes.
    pub fn finish(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.kept)
    }

    /// Bytes in which the key does not stand.
    fn masked<'p>(&self, said: &'p [u8]) -> Cow<'p, [u8]> {
        let mut masked = Cow::Borrowed(said);
        for spelling in &self.spellings {
            let mut found = spelling.find_iter(&masked).peekable();
            if found.peek().is_none() {
                continue;
            }
            let mut out = Vec::with_capacity(masked.len());
            let mut done = 0;
            for at in found {
                out.extend_from_slice(&masked[done..at]);
                out.extend_from_slice(MASK.as_bytes());
                done = at + spelling.needle().len();
            }
            out.extend_from_slice(&masked[done..]);
            masked = Cow::Owned(out);
        }
        masked
    }

    /// How many bytes at the end may be the begin of the key.
    fn begun(&self, said: &[u8]) -> usize {
        let Some(last) = said.last() else { return 0 };
        let longest = |spelling: &Finder<'static>| {
            let needle = spelling.needle();
            let possible = 1..needle.len().min(said.len() + 1);
            let begins = |length: &usize| needle[length - 1] == *last && said.ends_with(&needle[..*length]);
            possible.rev().find(begins).unwrap_or(0)
        };
        self.spellings.iter().map(longest).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEY: &str = "sk-sk-0123456789\"abc";

    fn pushed(pieces: &[&[u8]]) -> String {
        let mut hiding = Hiding::of(KEY).expect("it is long enough");
        let mut out = Vec::new();
        for piece in pieces {
            out.extend_from_slice(&hiding.push(piece));
        }
        out.extend(hiding.finish());
        String::from_utf8(out).expect("text")
    }

    #[test]
    fn a_key_is_found_wherever_it_is_cut() {
        let said = format!("data: {{'error': '{KEY}, sk-{KEY}'}}\n\n");
        let hidden = "data: {'error': '***, sk-***'}\n\n";
        for first in 0..said.len() {
            for second in [first, (first + 3).min(said.len())] {
                let (begin, rest) = said.as_bytes().split_at(first);
                let (middle, end) = rest.split_at(second - first);
                assert_eq!(pushed(&[begin, middle, end]), hidden, "{first} {second}");
            }
        }
        let quoted = Value::from(KEY).to_string();
        assert_eq!(pushed(&[quoted.as_bytes()]), "\"***\"");
        let begun = &KEY[..9];
        assert_eq!(pushed(&[begun.as_bytes()]), begun, "what is only begun is no key");
    }

    #[test]
    fn what_holds_no_key_goes_on_as_it_is() {
        let mut hiding = Hiding::of(KEY).expect("it is long enough");
        for piece in ["data: {}\n\n", "", "sk", "x"] {
            let passed = hiding.push(piece.as_bytes());
            assert_eq!(matches!(passed, Cow::Borrowed(_)), piece != "x", "{piece}");
        }
        assert!(hiding.finish().is_empty());
        assert!(Hiding::of(" ollama \n").is_none(), "that is a word");
    }

    proptest! {
        #[test]
        fn pieces_make_no_difference(
            parts in proptest::collection::vec(prop_oneof![
                Just(KEY.to_owned()), Just(KEY[..7].to_owned()), Just("sk-".to_owned()), "[a-z\\-]{0,4}",
            ], 0..12),
            size in 1_usize..9,
        ) {
            let said = parts.concat();
            let pieces: Vec<&[u8]> = said.as_bytes().chunks(size).collect();
            prop_assert_eq!(pushed(&pieces), pushed(&[said.as_bytes()]));
        }
    }
}
