//! Checks a value against a JSON Schema and finds everything that is wrong with it, not just the first thing.
//!
//! A schema (as schemars 1.2 generates it from our types, draft 2020-12), a value and the place the value stands at come
//! in; field problems with near misses and allowed fields go out, in the order of the value. What passes here also
//! deserializes into the type the schema was made from; a law test over all kinds holds that.
//!
//! This is no general validator: it knows the [`KEYWORDS`] that our types produce, and a test fails when a type produces
//! another one. It never allocates for a value that is right, never descends further than [`MAX_DEPTH`], and lists no more
//! than [`MOST_PROBLEMS`].

mod number;
mod wording;

use serde_json::{Map, Value};

use crate::excerpt::{printable, quoted};
use crate::name::{Name, NameError};
use crate::path::FieldPath;
use crate::problem::{Code, FieldProblem, MOST_TOLD, near_miss};
use crate::quantity::{Cpu, Size, Span};
use crate::resource::Timestamp;
use wording::{allowed, expected, found};

/// How deep the walk follows a value and the references of its schema.
pub const MAX_DEPTH: usize = 256;

/// At most so many problems of one value are listed; one more than is told, so that it can be told that there are more.
pub const MOST_PROBLEMS: usize = MOST_TOLD + 1;

/// What problems repeat of the values they are about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Echo {
    /// Short pieces of them.
    Values,
    /// Only of what type they are: they may be secret.
    Types,
}

/// Every schema keyword that is understood here, or may safely be ignored because it only describes.
pub const KEYWORDS: &[&str] = &[
    "$defs",
    "$ref",
    "$schema",
    "additionalProperties",
    "allOf",
    "anyOf",
    "const",
    "default",
    "deprecated",
    "description",
    "enum",
    "examples",
    "format",
    "items",
    "maxItems",
    "maxLength",
    "maximum",
    "minItems",
    "minLength",
    "minimum",
    "oneOf",
    "properties",
    "required",
    "title",
    "type",
    "uniqueItems",
];

/// Everything in `value` that `schema` does not allow. Paths start with `root`.
#[must_use]
pub fn check(schema: &Value, value: &Value, root: &FieldPath, echo: Echo) -> Vec<FieldProblem> {
    let mut walk = Walk {
        echo,
        root: schema,
        definitions: keyword_of(schema, "$defs").and_then(Value::as_object),
        problems: Vec::new(),
    };
    walk.node(schema, value, &Here::Root(root), 0);
    walk.problems
}

/// Where the walk stands: a chain through the stack, made into a path only when something is wrong.
enum Here<'h> {
    Root(&'h FieldPath),
    Key(&'h Here<'h>, &'h str),
    Index(&'h Here<'h>, usize),
}

impl Here<'_> {
    fn path(&self) -> FieldPath {
        match self {
            Self::Root(root) => (*root).clone(),
            Self::Key(above, key) => above.path().key(*key),
            Self::Index(above, index) => above.path().index(*index),
        }
    }
}

struct Walk<'s> {
    echo: Echo,
    root: &'s Value,
    definitions: Option<&'s Map<String, Value>>,
    problems: Vec<FieldProblem>,
}

impl<'s> Walk<'s> {
    fn node(&mut self, schema: &'s Value, value: &Value, here: &Here<'_>, depth: usize) {
        let keywords = match schema {
            Value::Object(keywords) => keywords,
            Value::Bool(false) => return self.report(Code::InvalidValue, here, "nothing may be written here"),
            Value::Bool(true) | Value::Null | Value::Number(_) | Value::String(_) | Value::Array(_) => return,
        };
        if depth > MAX_DEPTH {
            if self
                .problems
                .last()
                .is_some_and(|last| last.code == Code::ManifestTooLarge)
            {
                return;
            }
            return self.report(
                Code::ManifestTooLarge,
                here,
                format!("nested more than {MAX_DEPTH} levels deep"),
            );
        }
        if let Some(types) = keyword(keywords, "type")
            && !type_fits(types, value)
        {
            let format = keyword(keywords, "format").and_then(Value::as_str);
            return self.wrong_type(&type_names(types), format, value, here);
        }
        for (keyword, argument) in keywords {
            match keyword.as_str() {
                "$ref" => {
                    if let Some(target) = self.resolve(argument) {
                        self.node(target, value, here, depth + 1);
                    }
                }
                "allOf" => {
                    for branch in argument.as_array().into_iter().flatten() {
                        self.node(branch, value, here, depth + 1);
                    }
                }
                "anyOf" | "oneOf" => self.union(argument.as_array().map_or(&[], Vec::as_slice), value, here, depth + 1),
                "const" => self.choice(&[argument], value, here),
                "enum" => self.choice(
                    &argument.as_array().into_iter().flatten().collect::<Vec<_>>(),
                    value,
                    here,
                ),
                "items" => {
                    for (index, item) in value.as_array().into_iter().flatten().enumerate() {
                        self.node(argument, item, &Here::Index(here, index), depth + 1);
                    }
                }
                _ => {}
            }
        }
        match value {
            Value::Object(members) => self.members(keywords, members, here, depth + 1),
            Value::String(text) => self.text(keywords, text, here),
            Value::Number(number) => {
                if let Some(message) = number::outside(keywords, number) {
                    let message = match self.echo {
                        Echo::Values => message,
                        Echo::Types => "the number is out of range".to_owned(),
                    };
                    self.report(Code::InvalidValue, here, message);
                }
            }
            Value::Array(items) => self.length(keywords, ("minItems", "maxItems"), items.len(), "element", here),
            Value::Null | Value::Bool(_) => {}
        }
    }

    fn members(
        &mut self,
        keywords: &'s Map<String, Value>,
        members: &Map<String, Value>,
        here: &Here<'_>,
        depth: usize,
    ) {
        let fields = keyword(keywords, "properties").and_then(Value::as_object);
        let rest = keyword(keywords, "additionalProperties");
        if fields.is_some() || rest.is_some() {
            for (key, member) in members {
                let here = Here::Key(here, key);
                match (fields.and_then(|fields| fields.get(key)), rest) {
                    (Some(schema), _) => self.node(schema, member, &here, depth),
                    (None, Some(Value::Bool(false))) => self.unknown_field(key, fields, &here),
                    (None, Some(schema)) => self.node(schema, member, &here, depth),
                    (None, None) => {}
                }
            }
        }
        for name in keyword(keywords, "required")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
        {
            if !members.contains_key(name) {
                self.report(Code::MissingField, here, format!("missing field `{name}`"));
            }
        }
    }

    fn text(&mut self, keywords: &Map<String, Value>, text: &str, here: &Here<'_>) {
        match keyword(keywords, "format").and_then(Value::as_str) {
            Some("dns-label") => {
                if let Err(error) = text.parse::<Name>() {
                    let (message, hint) = match self.echo {
                        Echo::Values => (error.to_string(), NameError::suggestion(text)),
                        Echo::Types => ("the text is not a DNS label".to_owned(), None),
                    };
                    let hint = hint.map(|name| format!("`{name}` would do"));
                    self.report_with(Code::InvalidName, here, message, hint);
                }
                // The format says all about the length, too.
                return;
            }
            Some("duration") => self.amount::<Span>(text, Span::EXPECTED, here),
            Some("size") => self.amount::<Size>(text, Size::EXPECTED, here),
            Some("cpu") => self.amount::<Cpu>(text, Cpu::EXPECTED, here),
            Some("date-time") if text.parse::<Timestamp>().is_err() => {
                let message = match self.echo {
                    Echo::Values => format!("{} is no instant", quoted(text)),
                    Echo::Types => "the text is no instant".to_owned(),
                };
                let hint = "write it after RFC 3339, such as 2027-01-31T12:00:00Z".to_owned();
                self.report_with(Code::InvalidValue, here, message, Some(hint));
            }
            Some(_) | None => {}
        }
        if keyword(keywords, "minLength")
            .or(keyword(keywords, "maxLength"))
            .is_some()
        {
            self.length(
                keywords,
                ("minLength", "maxLength"),
                text.chars().count(),
                "character",
                here,
            );
        }
    }

    fn amount<T: std::str::FromStr>(&mut self, text: &str, expected: &str, here: &Here<'_>) {
        if text.parse::<T>().is_err() {
            self.report(
                Code::InvalidValue,
                here,
                format!("expected {expected}, found {}", self.repeated(text)),
            );
        }
    }

    fn length(
        &mut self,
        keywords: &Map<String, Value>,
        (least, most): (&str, &str),
        length: usize,
        unit: &str,
        here: &Here<'_>,
    ) {
        let bound = |bound| {
            keyword(keywords, bound)
                .and_then(Value::as_u64)
                .and_then(|n| usize::try_from(n).ok())
        };
        let amount = |n: usize| format!("{n} {unit}{}", if n == 1 { "" } else { "s" });
        match (bound(least), bound(most)) {
            (Some(_), _) if length == 0 && unit == "character" && bound(least) > Some(0) => {
                self.report(Code::InvalidValue, here, "must not be empty");
            }
            (Some(least), _) if length < least => {
                self.report(
                    Code::InvalidValue,
                    here,
                    format!("has {}; at least {least} are needed", amount(length)),
                );
            }
            (_, Some(most)) if length > most => {
                self.report(
                    Code::InvalidValue,
                    here,
                    format!("has {}; at most {most} are allowed", amount(length)),
                );
            }
            (_, _) => {}
        }
    }

    /// One of several forms. `null` for an absent option, a list of constants, or shapes that are told apart by their
    /// type, by a tag, or in the end by which of them has the fewest problems.
    fn union(&mut self, branches: &'s [Value], value: &Value, here: &Here<'_>, depth: usize) {
        if value.is_null() && branches.iter().any(|branch| self.fits(branch, value)) {
            return;
        }
        let mut shapes = branches.iter().filter(|branch| !is_null_schema(branch));
        if let (Some(only), None) = (shapes.next(), shapes.next()) {
            return self.node(only, value, here, depth);
        }
        if let Some(constants) = self.constants(branches) {
            return self.choice(&constants, value, here);
        }
        let typed: Vec<&'s Value> = branches.iter().filter(|branch| self.fits(branch, value)).collect();
        let mut tag = None;
        let tagged: Vec<&'s Value> = typed
            .iter()
            .copied()
            .filter(|branch| self.tag_fits(branch, value, &mut tag))
            .collect();
        match (&tagged[..], tag) {
            ([only], _) => self.node(only, value, here, depth),
            ([], Some(tag)) => self.wrong_tag(tag, &typed, value, here),
            ([], None) => {
                let mut types = Vec::new();
                for name in branches.iter().flat_map(|branch| self.types_of(branch)) {
                    if !types.contains(&name) {
                        types.push(name);
                    }
                }
                let format = branches
                    .iter()
                    .find_map(|branch| keyword_of(self.target(branch), "format"));
                self.wrong_type(&types, format.and_then(Value::as_str), value, here);
            }
            (several, _) => self.nearest(several, value, here, depth),
        }
    }

    /// Tries each form; unless one is right, the problems of the one that is least wrong are the ones to report.
    fn nearest(&mut self, branches: &[&'s Value], value: &Value, here: &Here<'_>, depth: usize) {
        let before = self.problems.len();
        let mut least: Option<Vec<FieldProblem>> = None;
        for branch in branches {
            self.node(branch, value, here, depth);
            let problems = self.problems.split_off(before);
            if problems.is_empty() {
                return;
            }
            if least.as_ref().is_none_or(|least| problems.len() < least.len()) {
                least = Some(problems);
            }
        }
        self.problems.extend(least.unwrap_or_default());
    }

    /// The constants that a union of constants allows; `None` when some branch is something else.
    fn constants(&self, branches: &'s [Value]) -> Option<Vec<&'s Value>> {
        let mut constants = Vec::new();
        for branch in branches.iter().filter(|branch| !is_null_schema(branch)) {
            let branch = self.target(branch);
            if let Some(constant) = keyword_of(branch, "const") {
                constants.push(constant);
            } else if let Some(several) = keyword_of(branch, "enum").and_then(Value::as_array) {
                constants.extend(several);
            } else if let Some(inner) = keyword_of(branch, "oneOf").and_then(Value::as_array) {
                constants.extend(self.constants(inner)?);
            } else {
                return None;
            }
        }
        Some(constants)
    }

    fn choice(&mut self, choices: &[&Value], value: &Value, here: &Here<'_>) {
        if choices.contains(&value) {
            return;
        }
        let names: Vec<&str> = choices.iter().filter_map(|choice| choice.as_str()).collect();
        match value {
            Value::String(text) => {
                let near = near_miss(text, names.iter().copied()).filter(|_| self.echo == Echo::Values);
                let message = format!("{} is not allowed here", self.repeated(text));
                self.report_with(Code::InvalidValue, here, message, Some(allowed(near, &names)));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                let message = format!("expected {}, found {}", expected(&["string"]), found(value, self.echo));
                self.report_with(Code::WrongType, here, message, Some(allowed(None, &names)));
            }
        }
    }

    /// Whether the form's tag, a member that must be one certain text, is what the value has there.
    fn tag_fits(&self, branch: &'s Value, value: &Value, tag: &mut Option<&'s str>) -> bool {
        let (Some(name), Some(members)) = (self.tag_of(branch), value.as_object()) else {
            return true;
        };
        *tag = Some(name.0);
        members.get(name.0) == Some(name.1)
    }

    fn tag_of(&self, branch: &'s Value) -> Option<(&'s str, &'s Value)> {
        let fields = keyword_of(self.target(branch), "properties")?.as_object()?;
        fields
            .iter()
            .find_map(|(name, schema)| Some((name.as_str(), keyword_of(schema, "const")?)))
    }

    fn wrong_tag(&mut self, tag: &str, branches: &[&'s Value], value: &Value, here: &Here<'_>) {
        let tags: Vec<&Value> = branches
            .iter()
            .filter_map(|branch| self.tag_of(branch))
            .map(|(_, tag)| tag)
            .collect();
        match value.get(tag) {
            Some(given) => self.choice(&tags, given, &Here::Key(here, tag)),
            None => {
                let names: Vec<&str> = tags.iter().filter_map(|tag| tag.as_str()).collect();
                let message = format!("missing field `{tag}`");
                self.report_with(Code::MissingField, here, message, Some(allowed(None, &names)));
            }
        }
    }

    fn unknown_field(&mut self, key: &str, fields: Option<&Map<String, Value>>, here: &Here<'_>) {
        let names: Vec<&str> = fields.into_iter().flat_map(Map::keys).map(String::as_str).collect();
        let hint = allowed(near_miss(key, names.iter().copied()), &names);
        let problem = FieldProblem::new(Code::UnknownField, here.path(), "unknown field");
        self.push(problem.hint(hint).at_key());
    }

    fn wrong_type(&mut self, types: &[&str], format: Option<&str>, value: &Value, here: &Here<'_>) {
        let message = format!("expected {}, found {}", expected(types), found(value, self.echo));
        let hint = wording::type_hint(types, format, value, self.echo);
        self.report_with(Code::WrongType, here, message, hint);
    }

    fn report(&mut self, code: Code, here: &Here<'_>, message: impl Into<String>) {
        self.report_with(code, here, message, None);
    }

    fn report_with(&mut self, code: Code, here: &Here<'_>, message: impl Into<String>, hint: Option<String>) {
        let problem = FieldProblem::new(code, here.path(), printable(message.into()));
        self.push(FieldProblem { hint, ..problem });
    }

    fn push(&mut self, problem: FieldProblem) {
        if self.problems.len() < MOST_PROBLEMS {
            self.problems.push(problem);
        }
    }

    /// A text, as far as it may be repeated.
    fn repeated(&self, text: &str) -> String {
        match self.echo {
            Echo::Values => quoted(text),
            Echo::Types => "another text".to_owned(),
        }
    }

    fn resolve(&self, reference: &Value) -> Option<&'s Value> {
        match reference.as_str()? {
            "#" => Some(self.root),
            text => self.definitions?.get(text.strip_prefix("#/$defs/")?),
        }
    }

    /// The schema itself, or what it refers to.
    fn target(&self, mut schema: &'s Value) -> &'s Value {
        for _ in 0..MAX_DEPTH {
            match keyword_of(schema, "$ref").and_then(|reference| self.resolve(reference)) {
                Some(target) => schema = target,
                None => break,
            }
        }
        schema
    }

    /// The types a schema allows at its top; empty when it does not say.
    fn types_of(&self, schema: &'s Value) -> Vec<&'s str> {
        let schema = self.target(schema);
        match keyword_of(schema, "type") {
            Some(types) => type_names(types),
            None => ["anyOf", "oneOf"]
                .iter()
                .filter_map(|keyword| schema.get(keyword)?.as_array())
                .flatten()
                .flat_map(|branch| keyword_of(branch, "type").map(type_names).unwrap_or_default())
                .collect(),
        }
    }

    /// Whether the value is of a type that the schema allows at its top.
    fn fits(&self, schema: &'s Value, value: &Value) -> bool {
        let types = self.types_of(schema);
        types.is_empty() || types.iter().any(|name| is_of_type(name, value))
    }
}

/// The argument of a keyword. A schema has so few that looking at each is faster than hashing the name.
fn keyword<'s>(keywords: &'s Map<String, Value>, name: &str) -> Option<&'s Value> {
    keywords
        .iter()
        .find(|(keyword, _)| *keyword == name)
        .map(|(_, argument)| argument)
}

fn keyword_of<'s>(schema: &'s Value, name: &str) -> Option<&'s Value> {
    keyword(schema.as_object()?, name)
}

fn is_null_schema(schema: &Value) -> bool {
    keyword_of(schema, "type").and_then(Value::as_str) == Some("null")
}

fn type_names(types: &Value) -> Vec<&str> {
    match types {
        Value::String(name) => vec![name],
        Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => Vec::new(),
    }
}

fn type_fits(types: &Value, value: &Value) -> bool {
    match types {
        Value::String(name) => is_of_type(name, value),
        Value::Array(names) => names
            .iter()
            .filter_map(Value::as_str)
            .any(|name| is_of_type(name, value)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => true,
    }
}

/// Stricter than JSON Schema in one point: `5.0` is no integer, since it does not deserialize into one.
fn is_of_type(name: &str, value: &Value) -> bool {
    match value {
        Value::Null => name == "null",
        Value::Bool(_) => name == "boolean",
        Value::Number(number) => name == "number" || (name == "integer" && !number.is_f64()),
        Value::String(_) => name == "string",
        Value::Array(_) => name == "array",
        Value::Object(_) => name == "object",
    }
}
