//! Reads JSON (RFC 8259), one value after another, into a [`Tree`].
//!
//! Strict on purpose: whatever is not JSON is an error with its place, and the caller may try YAML instead. It goes
//! through the text once, without recursion, and keeps nothing but the collections that are open.

use std::borrow::Cow;

use serde_json::Value;

use super::scalar;
use super::tree::{Quoting, Scalar, Shape, Stop, Tree};
use super::{Limits, LocatedProblem, Parsed, Position};
use crate::excerpt::quoted;
use crate::problem::Code;

/// Reads a stream of JSON values.
///
/// # Errors
/// When the text is not JSON: the values before that place, and a problem that says what is wrong there.
pub(super) fn read(text: &str, limits: &Limits) -> Result<Parsed, Parsed> {
    let mut tree = Tree::new(limits);
    let mut reader = Reader {
        rest: text,
        position: Position::START,
    };
    let end = reader.documents(&mut tree);
    match end {
        Ok(()) | Err(End::Stopped) => Ok(tree.into_parsed()),
        Err(End::Broken(problem)) => {
            tree.abandon();
            // The list being full changes nothing: there is a list.
            let _full = tree.problem(problem);
            Err(tree.into_parsed())
        }
    }
}

/// Whether a text that starts with a bracket was meant to be JSON: the key after a `{` is in double quotes.
pub(super) fn is_meant(text: &str) -> bool {
    match text.trim_start().strip_prefix('{') {
        Some(within) => within.trim_start().starts_with(['"', '}']),
        None => true,
    }
}

/// Why reading ended early.
enum End {
    /// A limit was reached; the tree knows.
    Stopped,
    /// The text is not JSON.
    Broken(LocatedProblem),
}

impl From<Stop> for End {
    fn from(_: Stop) -> Self {
        Self::Stopped
    }
}

/// An open list or mapping, and where it was opened.
struct Open {
    shape: Shape,
    at: Position,
}

struct Reader<'t> {
    rest: &'t str,
    position: Position,
}

impl<'t> Reader<'t> {
    fn documents(&mut self, tree: &mut Tree<'_>) -> Result<(), End> {
        self.space();
        while !self.rest.is_empty() {
            self.document(tree)?;
            tree.finish();
            self.space();
        }
        Ok(())
    }

    fn document(&mut self, tree: &mut Tree<'_>) -> Result<(), End> {
        let mut open: Vec<Open> = Vec::new();
        loop {
            // Here a value begins, or an empty collection ends.
            let at = self.position;
            match self.rest.as_bytes().first() {
                Some(b'{') => {
                    self.skip(1);
                    tree.open(Shape::Mapping, at, None)?;
                    open.push(Open {
                        shape: Shape::Mapping,
                        at,
                    });
                    self.space();
                    if !self.rest.starts_with('}') {
                        self.key(tree, &open)?;
                        continue;
                    }
                }
                Some(b'[') => {
                    self.skip(1);
                    tree.open(Shape::List, at, None)?;
                    open.push(Open { shape: Shape::List, at });
                    self.space();
                    if !self.rest.starts_with(']') {
                        continue;
                    }
                }
                Some(_) => self.scalar(tree, &open)?,
                None => return Err(self.unclosed(&open)),
            }
            // Here a value has ended, or an empty collection is about to.
            loop {
                self.space();
                let Some(innermost) = open.last() else { return Ok(()) };
                let closing = match innermost.shape {
                    Shape::List => ']',
                    Shape::Mapping => '}',
                };
                if self.rest.starts_with(closing) {
                    self.skip(1);
                    tree.close()?;
                    open.pop();
                } else if self.rest.starts_with(',') {
                    self.skip(1);
                    self.space();
                    match innermost.shape {
                        Shape::List => {}
                        Shape::Mapping => self.key(tree, &open)?,
                    }
                    break;
                } else if self.rest.is_empty() {
                    return Err(self.unclosed(&open));
                } else {
                    return Err(self.broken(format!("expected `,` or `{closing}`, found {}", self.found())));
                }
            }
        }
    }

    fn key(&mut self, tree: &mut Tree<'_>, open: &[Open]) -> Result<(), End> {
        let at = self.position;
        if self.rest.is_empty() {
            return Err(self.unclosed(open));
        }
        if !self.rest.starts_with('"') {
            return Err(self.broken(format!("expected a key in double quotes, found {}", self.found())));
        }
        let key = self.string()?;
        tree.scalar(Scalar::text(&key), at, None)?;
        self.space();
        if !self.rest.starts_with(':') {
            return Err(self.broken(format!(
                "expected `:` after the key {}, found {}",
                quoted(&key),
                self.found()
            )));
        }
        self.skip(1);
        self.space();
        Ok(())
    }

    fn scalar(&mut self, tree: &mut Tree<'_>, open: &[Open]) -> Result<(), End> {
        let at = self.position;
        if self.rest.starts_with('"') {
            let text = self.string()?;
            return Ok(tree.scalar(Scalar::text(&text), at, None)?);
        }
        let ends = |c: char| c.is_ascii_whitespace() || matches!(c, ',' | ']' | '}' | '{' | '[' | ':' | '"');
        let word = &self.rest[..self.rest.find(ends).unwrap_or(self.rest.len())];
        let value = match word {
            "null" => Ok(Value::Null),
            "true" => Ok(Value::Bool(true)),
            "false" => Ok(Value::Bool(false)),
            _ if is_number(word) => scalar::number(word).unwrap_or(Ok(Value::Null)),
            "" if self.rest.is_empty() => return Err(self.unclosed(open)),
            _ => return Err(self.broken(format!("expected a value, found {}", self.found()))),
        };
        self.skip(word.len());
        let quoting = Quoting::Bare;
        Ok(tree.scalar(
            Scalar {
                value,
                written: word,
                quoting,
            },
            at,
            None,
        )?)
    }

    /// Reads a string, of which the opening quote is next.
    fn string(&mut self) -> Result<Cow<'t, str>, End> {
        let start = self.position;
        self.skip(1);
        let mut text = Cow::Borrowed("");
        loop {
            let plain = self
                .rest
                .find(|c| matches!(c, '"' | '\\') || c < ' ')
                .unwrap_or(self.rest.len());
            let (piece, _) = self.rest.split_at(plain);
            if text.is_empty() {
                text = Cow::Borrowed(piece);
            } else {
                text.to_mut().push_str(piece);
            }
            self.skip_text(piece);
            match self.rest.as_bytes().first() {
                Some(b'"') => {
                    self.skip(1);
                    return Ok(text);
                }
                Some(b'\\') => {
                    let c = self.escape()?;
                    text.to_mut().push(c);
                }
                Some(_) | None => {
                    let problem = LocatedProblem::new(
                        Code::ManifestSyntax,
                        start,
                        "the double quote that is opened here is not closed on its line",
                    );
                    return Err(End::Broken(
                        problem.hint("a line break within a JSON string is written \\n"),
                    ));
                }
            }
        }
    }

    fn escape(&mut self) -> Result<char, End> {
        let bytes = self.rest.as_bytes();
        let simple = match bytes.get(1) {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode_escape(),
            Some(_) | None => {
                let hint =
                    "JSON knows \\\" \\\\ \\/ \\b \\f \\n \\r \\t and \\u0000; a backslash itself is written \\\\";
                return Err(self.broken_with("there is no such escape", hint));
            }
        };
        self.skip(2);
        Ok(simple)
    }

    fn unicode_escape(&mut self) -> Result<char, End> {
        let unit = |text: &str| {
            let digits = text.strip_prefix("\\u")?.get(..4)?;
            let all_hex = digits.bytes().all(|b| b.is_ascii_hexdigit());
            all_hex.then(|| u16::from_str_radix(digits, 16).ok()).flatten()
        };
        let units = unit(self.rest).map(|first| (first, self.rest.get(6..).and_then(unit)));
        let read = match units {
            Some((high @ 0xd800..=0xdbff, Some(low))) => char::decode_utf16([high, low])
                .next()
                .and_then(Result::ok)
                .map(|c| (c, 12)),
            Some((single, _)) => char::from_u32(single.into()).map(|c| (c, 6)),
            None => None,
        };
        match read {
            Some((c, length)) => {
                self.skip(length);
                Ok(c)
            }
            None => Err(self.broken_with(
                "the escape does not name a character",
                "four hexadecimal digits follow \\u; characters beyond U+FFFF take two such escapes",
            )),
        }
    }

    fn space(&mut self) {
        let bytes = self.rest.as_bytes();
        let mut length = 0;
        while let Some(b @ (b' ' | b'\t' | b'\n' | b'\r')) = bytes.get(length) {
            length += 1;
            match b {
                b'\r' if bytes.get(length) == Some(&b'\n') => {}
                b'\n' | b'\r' => {
                    self.position.line = self.position.line.saturating_add(1);
                    self.position.column = 1;
                }
                _ => self.position.column = self.position.column.saturating_add(1),
            }
        }
        self.rest = &self.rest[length..];
    }

    /// Skips so many ASCII characters.
    fn skip(&mut self, length: usize) {
        let (skipped, rest) = self.rest.split_at(length);
        self.rest = rest;
        self.advance(skipped.len());
    }

    fn skip_text(&mut self, text: &str) {
        self.rest = &self.rest[text.len()..];
        self.advance(if text.is_ascii() {
            text.len()
        } else {
            text.chars().count()
        });
    }

    fn advance(&mut self, characters: usize) {
        let characters = u32::try_from(characters).unwrap_or(u32::MAX);
        self.position.column = self.position.column.saturating_add(characters);
    }

    fn found(&self) -> String {
        match self.rest.chars().next() {
            None => "the end of the text".to_owned(),
            Some(c) if c.is_alphanumeric() => {
                let word: String = self.rest.chars().take_while(|c| c.is_alphanumeric()).take(20).collect();
                format!("`{word}`")
            }
            Some(c) => format!("`{c}`"),
        }
    }

    fn unclosed(&self, open: &[Open]) -> End {
        let Some(Open { shape, at }) = open.last() else {
            return self.broken("a value is missing".to_owned());
        };
        let bracket = match shape {
            Shape::List => '[',
            Shape::Mapping => '{',
        };
        let message = format!("the `{bracket}` that is opened here is not closed");
        End::Broken(LocatedProblem::new(Code::ManifestSyntax, *at, message))
    }

    fn broken(&self, message: String) -> End {
        End::Broken(LocatedProblem::new(Code::ManifestSyntax, self.position, message))
    }

    fn broken_with(&self, message: &str, hint: &str) -> End {
        End::Broken(LocatedProblem::new(Code::ManifestSyntax, self.position, message).hint(hint))
    }
}

/// Whether a word is a number by the grammar of JSON, which is narrower than YAML's.
fn is_number(word: &str) -> bool {
    let unsigned = word.strip_prefix('-').unwrap_or(word);
    let starts_right = unsigned.starts_with(|c: char| c.is_ascii_digit());
    let characters = unsigned
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'));
    let fraction_ends_right = !unsigned.ends_with('.') && !unsigned.contains(".e") && !unsigned.contains(".E");
    starts_right && characters && fraction_ends_right && scalar::number(word).is_some()
}
