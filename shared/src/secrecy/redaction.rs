//! Texts without the keys that stand in them, such as what was said to a model and by it.
//!
//! Enters: a JSON value, which may hold texts of many lines. Leaves: the same, with as little masked as can be told: the one word
//! behind the name of a key, or all that is in quotes there; the sentence behind the name of what may have several words, such as
//! a password; the whole line where none of that is enough.
//!
//! What is masked may be marked: two masks with the same mark stand for the same text, two with different marks for different
//! ones. A mark is made of a salt and the text, and cut down to [`FEW`] or [`MORE`] hexadecimal digits. It is cut, and not slow to
//! make: a PIN of four digits has ten thousand values, which are tried soon however slow each one is. What is cut away cannot be
//! had by trying: one mark in two digits fits one in 256 of all the words that somebody may guess, wherever the same key stands in
//! how many texts, since the mark is made of the key alone, and not of the text around it. For the same reason one change in 256 of
//! a short word alone goes unseen, and one in 65536 of a longer text.

use std::ops::Range;

use serde_json::Value;

use super::{MASK, SHORTEST, hides, is_between, is_given, is_key_by_itself, is_mark, is_scheme, names_key, words};
use crate::digest::sha256;

/// So many digits the mark of a text has that may be guessed.
pub(super) const FEW: usize = 2;
/// So many that of a longer one has.
pub(super) const MORE: usize = 4;
/// So many characters a text has that nobody guesses.
const LONG: usize = 20;

/// What stands in the place of a mask and its mark.
pub(super) const BEFORE_MARK: char = '~';

/// How what is masked is shown.
#[derive(Debug, Clone, Copy)]
enum Stars<'s> {
    /// All of it alike.
    Alike,
    /// With a mark, made with this salt.
    Marked(&'s str),
}

impl Stars<'_> {
    fn of(self, hidden: &str) -> String {
        match self {
            _ if is_mark(hidden) => hidden.to_owned(),
            Self::Alike => MASK.to_owned(),
            Self::Marked(salt) => {
                let digits = if hidden.chars().count() < LONG { FEW } else { MORE };
                let hash = sha256(format!("{salt}\n{hidden}"));
                format!("{MASK}{BEFORE_MARK}{}", &hash[..digits])
            }
        }
    }
}

/// Masks what looks like a key in what was said to a model and by it: as [`super::mask`], but of a text no more than the words that
/// hold the key, or the line where that cannot be told; and within texts that are JSON themselves. Counts of tokens are no keys.
pub fn redact(value: &mut Value) {
    redact_named("", value, Stars::Alike);
}

/// Masks the same, and marks each mask, so that it can be told whether two texts differ in what is masked in them.
pub fn redact_marked(value: &mut Value, salt: &str) {
    redact_named("", value, Stars::Marked(salt));
}

fn redact_named(name: &str, value: &mut Value, stars: Stars<'_>) {
    match value {
        Value::String(text) if !text.is_empty() && hides(name) => *text = stars.of(text),
        Value::String(text) => {
            if let Some(redacted) = redacted(text, stars) {
                *text = redacted;
            }
        }
        Value::Number(number) if hides(name) && !name.to_ascii_lowercase().ends_with("tokens") => {
            *value = Value::from(stars.of(&number.to_string()));
        }
        Value::Array(items) => items.iter_mut().for_each(|item| redact_named(name, item, stars)),
        Value::Object(members) => {
            let neighbour = members.get("name").and_then(Value::as_str).map(str::to_owned);
            for (key, member) in members {
                match (&neighbour, key.as_str()) {
                    (Some(neighbour), "value") => redact_named(neighbour, member, stars),
                    _ => redact_named(key, member, stars),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// How private keys begin and end that stand on many lines.
const BEGIN: &str = "-----BEGIN";
const END: &str = "-----END";

/// Whether the lines of a private key are being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    Outside,
    /// Its end comes.
    Closed,
    /// Its end was cut off, or nothing but how such keys begin was said.
    Open,
}

/// A text without the keys that stand in it; nothing when there are none.
fn redacted(text: &str, stars: Stars<'_>) -> Option<String> {
    let is_document = text.trim_start().starts_with(['{', '[']);
    if is_document && let Ok(mut inner @ (Value::Object(_) | Value::Array(_))) = serde_json::from_str::<Value>(text) {
        let before = inner.clone();
        redact_named("", &mut inner, stars);
        return (inner != before).then(|| inner.to_string());
    }
    let last_end = text.rfind(END);
    let mut out = String::with_capacity(text.len());
    let (mut is_changed, mut block, mut at) = (false, Block::Outside, 0);
    for line in text.split_inclusive('\n') {
        let (said, ending) = line.strip_suffix('\n').map_or((line, ""), |said| (said, "\n"));
        let is_whole = match block {
            _ if said.contains(BEGIN) => {
                let has_end = last_end.is_some_and(|end| end >= at);
                block = if has_end { Block::Closed } else { Block::Open };
                has_end || has_long_word(said)
            }
            Block::Closed => true,
            Block::Open if said.trim().is_empty() => false,
            Block::Open if is_of_key(said) => true,
            Block::Open | Block::Outside => {
                block = Block::Outside;
                false
            }
        };
        if block == Block::Closed && said.contains(END) {
            block = Block::Outside;
        }
        let redacted = match is_whole {
            true => Some(stars.of(said)),
            false => redacted_line(said, stars),
        };
        is_changed |= redacted.is_some();
        out.push_str(redacted.as_deref().unwrap_or(said));
        out.push_str(ending);
        at += line.len();
    }
    is_changed.then_some(out)
}

/// Whether a line may be one of a private key whose end was cut off: a word, a header, or words with a long one among them, as where
/// lines are numbered or quoted.
fn is_of_key(line: &str) -> bool {
    line.split_whitespace().count() <= 2 || has_long_word(line)
}

/// Whether there is something in a line that may be the content of a key.
fn has_long_word(line: &str) -> bool {
    let is_other = |byte: &u8| !(byte.is_ascii_alphanumeric() || b"+/=".contains(byte));
    line.as_bytes().split(is_other).any(|run| run.len() >= 16)
}

/// A line without the keys that stand in it; nothing when there are none.
fn redacted_line(line: &str, stars: Stars<'_>) -> Option<String> {
    if !is_key_by_itself(line) {
        return None;
    }
    let mut spans: Vec<Range<usize>> = keys_by_themselves(line).collect();
    spans.extend(keys_by_name(line));
    spans.sort_unstable_by_key(|span| (span.start, span.end));
    let (mut masked, mut at) = (String::with_capacity(line.len()), 0);
    let mut spans = spans.into_iter().peekable();
    while let Some(mut span) = spans.next() {
        while let Some(next) = spans.next_if(|next| next.start < span.end) {
            span.end = span.end.max(next.end);
        }
        masked.push_str(&line[at..span.start]);
        masked.push_str(&stars.of(&line[span.clone()]));
        at = span.end;
    }
    masked.push_str(&line[at..]);
    Some(match is_key_by_itself(&masked) {
        true => stars.of(line),
        false => masked,
    })
}

/// The words of a line that are keys, whatever stands before them.
fn keys_by_themselves(line: &str) -> impl Iterator<Item = Range<usize>> {
    parts(line, char::is_whitespace)
        .into_iter()
        .filter(|(_, word)| is_key_by_itself(word))
        .map(|(at, word)| at..at + word.len())
}

/// The values in a line that are keys by the names before them.
fn keys_by_name(line: &str) -> Vec<Range<usize>> {
    let parts = parts(line, is_between);
    let mut found = Vec::new();
    for (index, (at, part)) in parts.iter().enumerate() {
        let separators = [part.find([':', '=']), part.rfind([':', '='])];
        for place in separators.into_iter().flatten() {
            let (name, quote) = match (place, index.checked_sub(1)) {
                (0, Some(before)) if part.len() == 1 => (parts[before].1, None),
                _ => (&part[..place], quote_before(&line[..*at])),
            };
            if names_key(name) && !part[place + 1..].starts_with("//") {
                found.extend(value_at(line, at + place + 1, Reach::of(name), quote));
            }
        }
        let is_first = index == 0 && (is_scheme(part) || part.eq_ignore_ascii_case("token"));
        if is_first || is_scheme(part) {
            let shown = value_at(line, at + part.len(), Reach::Word, None);
            let is_word = |value: &Range<usize>| line[value.clone()].contains(char::is_alphanumeric);
            found.extend(shown.filter(|value| is_word(value) && (is_first || value.len() >= SHORTEST)));
        }
    }
    found
}

/// The parts of a text between what is none of it, each with its place.
fn parts(text: &str, is_between: impl Fn(char) -> bool) -> Vec<(usize, &str)> {
    let (mut parts, mut start) = (Vec::new(), None);
    for (at, c) in text.char_indices() {
        match (start, is_between(c)) {
            (None, false) => start = Some(at),
            (Some(from), true) => {
                parts.push((from, &text[from..at]));
                start = None;
            }
            (Some(_), false) | (None, true) => {}
        }
    }
    parts.extend(start.map(|from| (from, &text[from..])));
    parts
}

/// How far the value goes that stands behind the name of a key without being quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reach {
    /// It has no blanks.
    Word,
    /// It may be of several words.
    Sentence,
    /// It may be of several parts.
    Line,
}

/// Names of keys of which nobody makes sentences: what follows behind the first word is something else.
const OF_ONE_WORD: [&str; 9] = [
    "apikey",
    "bearer",
    "jwt",
    "key",
    "pat",
    "secret",
    "signature",
    "token",
    "webhook",
];

impl Reach {
    fn of(name: &str) -> Self {
        let words: Vec<String> = words(name).into_iter().filter(|word| names_key(word)).collect();
        let is_any = |looked_for: &[&str]| words.iter().any(|word| looked_for.contains(&word.as_str()));
        let is_of_one_word = |word: &String| OF_ONE_WORD.iter().any(|ending| word.ends_with(ending));
        match () {
            () if is_any(&["authorization", "cookie"]) => Self::Line,
            () if !words.is_empty() && words.iter().all(is_of_one_word) => Self::Word,
            () => Self::Sentence,
        }
    }

    /// Where it ends in a text that begins with it.
    fn end(self, text: &str) -> usize {
        let whole = text.trim_end().len();
        let found = match self {
            Self::Word => text.find(char::is_whitespace),
            Self::Sentence => {
                let mut marks = text.match_indices(['.', '!', '?', ';']).map(|(at, _)| at + 1);
                marks.find(|end| text[*end..].starts_with(char::is_whitespace))
            }
            Self::Line => None,
        };
        found.unwrap_or(whole).min(whole)
    }
}

/// A quotation mark, and how many backslashes stand before it.
type Quote = (char, usize);

/// The quotation mark at the end of a text.
fn quote_before(text: &str) -> Option<Quote> {
    let quote = text.chars().next_back().filter(|c| is_quote(*c))?;
    let before = &text[..text.len() - quote.len_utf8()];
    Some((quote, before.len() - before.trim_end_matches('\\').len()))
}

const fn is_quote(c: char) -> bool {
    matches!(c, '"' | '\'' | '`')
}

/// The value that stands behind a place in a line, if there is one that is given there.
fn value_at(line: &str, from: usize, reach: Reach, opened: Option<Quote>) -> Option<Range<usize>> {
    let (mut at, mut quote, mut reach) = (from, opened, reach);
    for c in line[from..].chars() {
        if is_quote(c) {
            quote = quote_before(&line[..at + c.len_utf8()]);
        } else if c != '\\' && !is_between(c) {
            break;
        }
        at += c.len_utf8();
    }
    let word = &line[at..at + Reach::Word.end(&line[at..])];
    let (is_scheme, is_token) = (is_scheme(word), word.eq_ignore_ascii_case("token"));
    // `token` may be the key itself.
    let start = is_token.then_some(at);
    if is_scheme || is_token {
        let behind = &line[at + word.len()..];
        at += word.len() + (behind.len() - behind.trim_start().len());
        reach = Reach::Word;
    }
    let value = &line[at..];
    let first = value.split(is_between).next().unwrap_or_default();
    if first.is_empty() || !is_given(first) {
        return None;
    }
    let end = match quote {
        None => reach.end(value),
        Some((quote, slashes)) => {
            let closes = |end: &usize| quote_before(&value[..end + quote.len_utf8()]) == Some((quote, slashes));
            let closing = value.match_indices(quote).map(|(end, _)| end).find(closes);
            closing.map_or(value.trim_end().len(), |end| end - slashes)
        }
    };
    Some(start.unwrap_or(at)..at + end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, shown: &str) {
        let mut value = Value::from(text);
        redact(&mut value);
        assert_eq!(value, shown);
        redact(&mut value);
        assert_eq!(value, shown, "redacting again changes nothing");
        let mut marked = Value::from(text);
        redact_marked(&mut marked, "salt");
        let once = marked.clone();
        redact_marked(&mut marked, "other salt");
        assert_eq!(marked, once, "what is marked is not marked again");
    }

    #[test]
    fn a_sentence_is_no_key() {
        for (text, shown) in [
            (
                "Secret: answer politely and always in French",
                "Secret: *** politely and always in French",
            ),
            (
                "Review the login code. The password: must never be logged. Be polite.",
                "Review the login code. The password: *** Be polite.",
            ),
            (
                "Call the API with the header Authorization: Bearer <token> always. Be polite.",
                "Call the API with the header Authorization: Bearer *** always. Be polite.",
            ),
            (
                "what is token=abc and password: hunter2?",
                "what is *** and password: ***",
            ),
            (
                "Tokens are counted. Keep the api_key secret.",
                "Tokens are counted. Keep the api_key secret.",
            ),
            ("Use the token : abc now", "Use the token : *** now"),
            ("Basic questions are answered", "Basic *** are answered"),
            (
                "A key file begins with -----BEGIN here.\nBe polite to everybody.",
                "A key file begins with *** here.\nBe polite to everybody.",
            ),
        ] {
            check(text, shown);
        }
    }

    #[test]
    fn keys_of_several_words_are_masked_whole() {
        for (text, shown) in [
            ("passphrase: correct horse battery staple", "passphrase: ***"),
            ("password: correct horse! Then go on.", "password: *** Then go on."),
            ("credentials: admin / hunter2", "credentials: ***"),
            ("Cookie: a=b; session=c d", "Cookie: ***"),
            ("Cookie: theme dark; id 12", "Cookie: ***"),
            ("Authorization: token abc now", "Authorization: *** now"),
            ("Authorization: Digest username a response b", "Authorization: ***"),
            ("Authorization: bearer abc def", "Authorization: bearer *** def"),
            ("Authorization:Bearer abc def", "*** *** def"),
            (r#"say "secret": "two words", x"#, r#"say "secret": "***", x"#),
            (r#"say "secret": "a\"b c", x"#, r#"say "secret": "***", x"#),
            (r#"say \"secret\": \"two words\", x"#, r#"say \"secret\": \"***\", x"#),
            ("-H 'X-Api-Key: two words' x", "-H 'X-Api-Key: ***' x"),
            ("secret = 'two words", "secret = '***"),
            ("token: ${TOKEN} and so on", "token: ${TOKEN} and so on"),
            ("password%3D hunter2", "***"),
        ] {
            check(text, shown);
        }
    }

    #[test]
    fn a_private_key_is_masked_as_far_as_it_goes() {
        for (text, shown) in [
            (
                "a\n-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nMIIEvQIBADANBgkqhkiG9w0\nabc=",
                "a\n*** RSA PRIVATE KEY-----\n***\n\n***\n***",
            ),
            (
                "-----BEGIN PRIVATE KEY-----\n> 12 MIIEvQIBADANBgkqhkiG9w0 x\nAnd so it goes on.",
                "*** PRIVATE KEY-----\n***\nAnd so it goes on.",
            ),
            (
                r"key: -----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0 and more",
                "***",
            ),
            (
                "-----BEGIN X-----\nin between\n-----END X-----\n-----BEGIN Y----- is how it begins",
                "***\n***\n***\n*** Y----- is how it begins",
            ),
        ] {
            check(text, shown);
        }
    }

    #[test]
    fn marks_tell_whether_two_keys_are_the_same() {
        let marked = |text: &str, salt: &str| {
            let mut value = Value::from(text);
            redact_marked(&mut value, salt);
            value.as_str().unwrap().to_owned()
        };
        let mark = |shown: &str| shown.split(BEFORE_MARK).nth(1).unwrap()[..2].to_owned();
        let one = marked("Secret: answer politely", "s");
        assert_eq!(one.len(), "Secret: ***~00 politely".len(), "{one}");
        assert_eq!(marked("Secret: answer politely", "s"), one);
        // The mark is that of the key, wherever it stands.
        assert_eq!(mark(&marked("The token: answer", "s")), mark(&one));
        let others = ["reply", "speak", "write", "answers"];
        let differs = |word: &&&str| mark(&marked(&format!("Secret: {word} politely"), "s")) != mark(&one);
        assert!(others.iter().filter(differs).count() >= 3);
        let salts = ["a", "b", "c", "d"];
        assert!(salts.iter().any(|salt| marked("Secret: answer politely", salt) != one));
        // What nobody guesses has a longer one.
        let long = marked("the secret: \"something that goes on for long\"", "s");
        assert_eq!(long.len(), "the secret: \"***~0000\"".len(), "{long}");
        let mut numbers = serde_json::json!({"password": 1234, "max_tokens": 9});
        redact_marked(&mut numbers, "s");
        assert!(is_mark(numbers["password"].as_str().unwrap()), "{numbers}");
        assert_eq!(numbers["max_tokens"], 9);
    }
}
