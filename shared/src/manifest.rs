//! Manifests: text to objects whose every field knows its line and column, and objects back to text.
//!
//! Bytes enter ([`parse`]), documents with [`Spans`] leave; documents enter ([`objects()`]), typed resources and every
//! problem of every document leave; values enter ([`to_yaml`]), text that any YAML reader takes for the same value
//! leaves. Nothing here touches a file, and no input makes it panic, hang or take memory without bound: [`Limits`] says
//! how much is enough.
//!
//! YAML is read after version 1.2 (core schema: `no` and `on` are text) through the events of a parser that knows where
//! they stand; JSON by a reader of our own, which needs a fraction of the time and says where a comma is missing. Both
//! grow the same tree.

mod budget;
mod discretion;
mod emit;
mod envelope;
mod json;
mod meter;
mod objects;
mod scalar;
mod spans;
mod syntax;
mod text;
mod tree;
mod yaml;

use std::fmt;

use serde_json::Value;

use crate::path::FieldPath;
use crate::problem::{Code, Part};

pub use emit::{to_yaml, to_yaml_stream};
pub use envelope::{envelope_schema, identity_schema, resource};
pub use objects::{FileProblem, Object, Objects, objects};
pub use spans::Spans;
use text::Grammar;

use crate::excerpt::printable;

/// A place in a text, as editors count: lines and columns from 1, columns in characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Position {
    /// The line.
    pub line: u32,
    /// The column.
    pub column: u32,
}

impl Position {
    /// The first character of a text.
    pub const START: Self = Self { line: 1, column: 1 };
}

/// `12:15`.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

/// How large, deep and entangled one input may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Bytes of text, and again bytes of text that aliases repeat. 64 MiB.
    pub bytes: usize,
    /// Lists and mappings within each other. 64.
    pub depth: usize,
    /// Values in all documents together, counted after each alias and merge key has been replaced by what it stands
    /// for; a tenth of them may be there because an anchor or alias repeats them. 2,000,000.
    pub nodes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 64 << 20,
            depth: 64,
            nodes: 2_000_000,
        }
    }
}

/// One document of an input.
#[derive(Debug, Clone)]
pub struct Document {
    /// What it says, aliases and merge keys replaced.
    pub value: Value,
    /// Where it says it.
    pub spans: Spans,
}

impl Document {
    /// Where the field at `path` stands; where it would stand in, when there is no such field.
    #[must_use]
    pub fn position(&self, path: &FieldPath, part: Part) -> Position {
        self.spans.position(path, part)
    }
}

/// What was found in an input.
#[derive(Debug, Clone, Default)]
pub struct Parsed {
    /// The documents that could be read, in order; those that are empty or hold only comments are left out.
    pub documents: Vec<Document>,
    /// What is wrong with the text, in order.
    pub problems: Vec<LocatedProblem>,
}

impl Parsed {
    /// An input of which nothing can be read.
    fn broken(problem: LocatedProblem) -> Self {
        Self {
            documents: Vec::new(),
            problems: vec![problem],
        }
    }
}

/// Something wrong at some place of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocatedProblem {
    /// The place.
    pub position: Position,
    /// The field, as far as it is known. Empty for a problem with the text itself.
    pub path: FieldPath,
    /// Stable code.
    pub code: Code,
    /// What is wrong, in one clause.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
}

impl LocatedProblem {
    /// A problem with the text at that place. What the message repeats from the text cannot reach a terminal unescaped.
    #[must_use]
    pub fn new(code: Code, position: Position, message: impl Into<String>) -> Self {
        Self {
            position,
            path: FieldPath::root(),
            code,
            message: printable(message.into()),
            hint: None,
        }
    }

    /// The same problem with a way out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(printable(hint.into()));
        self
    }

    /// The same problem, about that field.
    #[must_use]
    pub fn about(mut self, path: FieldPath) -> Self {
        self.path = path;
        self
    }
}

/// Reads YAML or JSON, one document or many.
///
/// A document that is broken does not hide the ones after it: reading goes on at the next `---`.
#[must_use]
pub fn parse(text: &[u8], limits: &Limits) -> Parsed {
    let text = match text::decode(text, limits) {
        Ok(text) => text,
        Err(problem) => return Parsed::broken(problem),
    };
    let mut parsed = if text.trim_start().starts_with(['{', '[']) {
        json_or_yaml(text, limits)
    } else {
        yaml(text, limits)
    };
    discretion::keep(text, &mut parsed.problems);
    parsed
}

/// YAML's flow style looks like JSON and is not: unquoted keys, comments, `---` between documents. When the text is
/// neither, its beginning tells which of the two it was meant to be.
fn json_or_yaml(text: &str, limits: &Limits) -> Parsed {
    if let Err(problem) = text::check(text, Grammar::Json) {
        return Parsed::broken(problem);
    }
    json::read(text, limits).unwrap_or_else(|as_json| {
        let as_yaml = yaml(text, limits);
        let is_broken = |problem: &LocatedProblem| problem.code == Code::ManifestSyntax;
        if as_yaml.problems.iter().any(is_broken) && json::is_meant(text) {
            as_json
        } else {
            as_yaml
        }
    })
}

fn yaml(text: &str, limits: &Limits) -> Parsed {
    match text::check(text, Grammar::Yaml) {
        Ok(()) => yaml::read(text, limits),
        Err(problem) => Parsed::broken(problem),
    }
}
