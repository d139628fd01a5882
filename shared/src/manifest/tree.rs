//! Grows documents, value by value, as a reader meets them: the one place where keys, aliases, merge keys and limits are
//! dealt with, whatever the text was written in.
//!
//! A reader calls [`Tree::scalar`], [`Tree::open`], [`Tree::close`] and [`Tree::alias`] in the order of the text and
//! [`Tree::finish`] after each document. What is wrong is noted and, where that makes sense, left out, so that one problem
//! does not hide the next; only going over a limit ends everything ([`Stop`]).

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::budget::{Budget, Size};
use super::scalar::{self, Trouble};
use super::spans::{Place, Spans, children, name_of};
use super::{Document, Limits, LocatedProblem, Parsed, Position};
use crate::excerpt::{quoted, short};
use crate::path::FieldPath;
use crate::problem::Code;

/// At most so many problems are listed.
const MOST_PROBLEMS: usize = 1000;

/// A limit has been reached, and a problem says so: read no further.
#[derive(Debug)]
pub(super) struct Stop;

/// A value without parts, as written.
pub(super) struct Scalar<'t> {
    /// What it means, or why it cannot be kept.
    pub(super) value: Result<Value, Trouble>,
    /// The text it was written as.
    pub(super) written: &'t str,
    /// Whether `<<` is a merge key.
    pub(super) quoting: Quoting,
}

/// Whether a scalar was quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Quoting {
    /// It was: it is text.
    Quoted,
    /// It was not: it may mean something.
    Bare,
}

impl<'t> Scalar<'t> {
    /// Text in quotes, or in a block.
    pub(super) fn text(text: &'t str) -> Self {
        Self {
            value: Ok(Value::String(text.to_owned())),
            written: text,
            quoting: Quoting::Quoted,
        }
    }

    /// An unquoted word.
    pub(super) fn word(word: &'t str) -> Self {
        Self {
            value: scalar::resolve(word),
            written: word,
            quoting: Quoting::Bare,
        }
    }
}

/// What kind of collection begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// A list.
    List,
    /// A mapping.
    Mapping,
}

/// The name an anchor has while a document is read.
pub(super) type Anchor = usize;

/// The documents as far as they are grown.
pub(super) struct Tree<'l> {
    budget: Budget<'l>,
    parsed: Parsed,
    stack: Vec<Frame>,
    root: Option<Value>,
    places: Vec<Place>,
    names: String,
    anchors: HashMap<Anchor, Anchored>,
}

/// A collection that is being read.
struct Frame {
    place: usize,
    anchor: Option<Anchor>,
    content: Content,
}

enum Content {
    List(Vec<Value>),
    Mapping {
        members: Map<String, Value>,
        next: Next,
        merged: Vec<Branch>,
    },
}

/// What a mapping waits for.
enum Next {
    Key,
    Value {
        name: String,
        span: (u32, u32),
        at: Position,
    },
    Merge,
    /// The value of a key that cannot be used.
    Nothing,
}

/// A value with its places, to be put somewhere else as well.
struct Branch {
    value: Value,
    places: Vec<Place>,
}

struct Anchored {
    branch: Branch,
    size: Size,
}

impl<'l> Tree<'l> {
    pub(super) fn new(limits: &'l Limits) -> Self {
        Self {
            budget: Budget::new(limits),
            parsed: Parsed::default(),
            stack: Vec::new(),
            root: None,
            places: Vec::new(),
            names: String::new(),
            anchors: HashMap::new(),
        }
    }

    /// A value without parts; or a key, when a mapping waits for one.
    pub(super) fn scalar(&mut self, scalar: Scalar<'_>, at: Position, anchor: Option<Anchor>) -> Result<(), Stop> {
        let Scalar {
            value,
            written,
            quoting,
        } = scalar;
        if quoting == Quoting::Quoted && written.contains('\0') {
            self.problem(
                LocatedProblem::new(Code::ManifestEncoding, at, "a NUL character, written as an escape")
                    .hint("remove it: no value may hold NUL"),
            )?;
        }
        let waits_for_key = matches!(
            self.stack.last(),
            Some(Frame {
                content: Content::Mapping { next: Next::Key, .. },
                ..
            })
        );
        if waits_for_key && quoting == Quoting::Bare && written == "<<" {
            self.expect(Next::Merge);
            return Ok(());
        }
        let value = match value {
            Ok(value) => value,
            Err(trouble) => {
                let problem = LocatedProblem::new(Code::InvalidValue, at, trouble.message());
                self.problem(problem.hint(trouble.hint()))?;
                // Something has to stand here; what comes after must not complain about this place again.
                Value::String(written.to_owned())
            }
        };
        if waits_for_key {
            if let Some(anchor) = anchor {
                self.remember(anchor, value.clone(), at)?;
            }
            return self.key(&value, written, at);
        }
        let fits = self.budget.values(1, at);
        self.bear(fits)?;
        let place = self.place(at);
        self.attach(value, place, anchor, at)
    }

    /// A list or mapping begins.
    pub(super) fn open(&mut self, shape: Shape, at: Position, anchor: Option<Anchor>) -> Result<(), Stop> {
        let fits = self.budget.values(1, at);
        self.bear(fits.and_then(|()| self.budget.levels(self.stack.len() + 1, at)))?;
        let place = self.place(at);
        let content = match shape {
            Shape::List => Content::List(Vec::new()),
            Shape::Mapping => Content::Mapping {
                members: Map::new(),
                next: Next::Key,
                merged: Vec::new(),
            },
        };
        self.stack.push(Frame { place, anchor, content });
        Ok(())
    }

    /// The innermost list or mapping ends.
    pub(super) fn close(&mut self) -> Result<(), Stop> {
        let Some(Frame { place, anchor, content }) = self.stack.pop() else {
            return Ok(());
        };
        let value = match content {
            Content::List(items) => Value::Array(items),
            Content::Mapping {
                mut members, merged, ..
            } => {
                for branch in merged {
                    self.merge(&mut members, branch);
                }
                Value::Object(members)
            }
        };
        let at = self.places[place].value;
        self.attach(value, place, anchor, at)
    }

    /// The value an anchor stands for, once more.
    pub(super) fn alias(&mut self, anchor: Anchor, at: Position) -> Result<(), Stop> {
        let Some(Anchored { size, .. }) = self.anchors.get(&anchor) else {
            let within_itself = self.stack.iter().any(|frame| frame.anchor == Some(anchor));
            let (message, hint) = if within_itself {
                ("the alias stands within the value it stands for", "write the value out")
            } else {
                (
                    "the alias refers to an anchor of another document",
                    "anchors end with their document; write the value out",
                )
            };
            self.problem(LocatedProblem::new(Code::ManifestSyntax, at, message).hint(hint))?;
            return self.scalar(Scalar::text(""), at, None);
        };
        let size = *size;
        let fits = self.budget.repeat(size, at);
        self.bear(fits.and_then(|()| self.budget.levels(self.stack.len() + size.depth, at)))?;
        let Some(Anchored { branch, .. }) = self.anchors.get(&anchor) else {
            return Ok(());
        };
        let value = branch.value.clone();
        if let Some(Content::Mapping { next: Next::Key, .. }) = self.stack.last().map(|frame| &frame.content)
            && let Value::String(text) = &value
        {
            let text = text.clone();
            return self.key(&value, &text, at);
        }
        let below = branch.places.get(1..).unwrap_or_default().to_vec();
        let place = self.place(at);
        self.places.extend(below);
        self.attach(value, place, None, at)
    }

    /// The document ends. One that says nothing is left out.
    pub(super) fn finish(&mut self) {
        let value = self.root.take();
        let places = std::mem::take(&mut self.places);
        let names = Arc::from(std::mem::take(&mut self.names));
        self.abandon();
        if let Some(value) = value.filter(|value| !value.is_null()) {
            let spans = Spans::new(places, names);
            self.parsed.documents.push(Document { value, spans });
        }
    }

    /// The document is broken: forget it.
    pub(super) fn abandon(&mut self) {
        self.root = None;
        self.stack.clear();
        self.places.clear();
        self.names.clear();
        self.anchors.clear();
    }

    /// Notes a problem, unless the list is full.
    pub(super) fn problem(&mut self, problem: LocatedProblem) -> Result<(), Stop> {
        let problem = if problem.path.segments().is_empty() {
            let path = self.path();
            problem.about(path)
        } else {
            problem
        };
        self.parsed.problems.push(problem);
        if self.parsed.problems.len() < MOST_PROBLEMS {
            Ok(())
        } else {
            Err(Stop)
        }
    }

    /// What was found.
    pub(super) fn into_parsed(self) -> Parsed {
        self.parsed
    }

    fn key(&mut self, key: &Value, written: &str, at: Position) -> Result<(), Stop> {
        let name = match key {
            Value::String(name) => name.as_str(),
            Value::Null if written.is_empty() || written == "~" => {
                self.expect(Next::Nothing);
                let problem = LocatedProblem::new(Code::ManifestSyntax, at, "a key is missing here");
                return self.problem(problem.hint("a mapping is written `key: value`"));
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
                let problem = LocatedProblem::new(
                    Code::ManifestSyntax,
                    at,
                    format!("the key {} is not text, and keys must be", short(written)),
                );
                self.problem(problem.hint(format!("quote it: \"{}\"", short(written))))?;
                written
            }
        };
        let Some(Frame {
            place,
            content: Content::Mapping { members, next, .. },
            ..
        }) = self.stack.last_mut()
        else {
            return Ok(());
        };
        if members.contains_key(name) {
            *next = Next::Nothing;
            let first = children(&self.places, *place)
                .find(|child| name_of(&self.places[*child], &self.names) == name)
                .map_or(Position::START, |child| self.places[child].key);
            let message = format!("the key {} is already given on line {}", quoted(name), first.line);
            let path = self.path().key(name);
            let problem = LocatedProblem::new(Code::DuplicateKey, at, message).about(path);
            return self.problem(problem.hint(format!("keep one of the two; the first stands at {first}")));
        }
        *next = Next::Value {
            name: name.to_owned(),
            span: (narrow(self.names.len()), narrow(name.len())),
            at,
        };
        self.names.push_str(name);
        Ok(())
    }

    /// Puts a finished value where its collection waits for it.
    fn attach(&mut self, value: Value, place: usize, anchor: Option<Anchor>, at: Position) -> Result<(), Stop> {
        self.places[place].size = narrow(self.places.len() - place);
        if let Some(anchor) = anchor {
            self.remember_branch(anchor, &value, place, at)?;
        }
        let Some(frame) = self.stack.last_mut() else {
            self.root = Some(value);
            return Ok(());
        };
        // While a collection is open, its size tells lookups how far its children reach so far.
        let parent = frame.place;
        let problem = match &mut frame.content {
            Content::List(items) => {
                items.push(value);
                None
            }
            Content::Mapping { members, next, merged } => match std::mem::replace(next, Next::Key) {
                Next::Value { name, .. } => {
                    members.insert(name, value);
                    None
                }
                Next::Merge => {
                    let places = self.places.split_off(place);
                    match merge_sources(value, places) {
                        Some(sources) => {
                            merged.extend(sources);
                            None
                        }
                        None => Some(
                            LocatedProblem::new(Code::ManifestSyntax, at, "only mappings can be merged with `<<`")
                                .hint("write `<<: *name` for a mapping that has the anchor `&name`"),
                        ),
                    }
                }
                Next::Nothing => {
                    self.places.truncate(place);
                    None
                }
                Next::Key => {
                    *next = Next::Nothing;
                    self.places.truncate(place);
                    Some(
                        LocatedProblem::new(Code::ManifestSyntax, at, "a key must be text, not a list or mapping")
                            .hint("quote it if it is text; `{{ }}` of a template language must be quoted, too"),
                    )
                }
            },
        };
        self.places[parent].size = narrow(self.places.len() - parent);
        problem.map_or(Ok(()), |problem| self.problem(problem))
    }

    /// Adds what a merge key brings and the mapping does not have.
    fn merge(&mut self, members: &mut Map<String, Value>, branch: Branch) {
        let Value::Object(source) = branch.value else { return };
        for ((name, value), child) in source.into_iter().zip(children(&branch.places, 0)) {
            if !members.contains_key(&name) {
                let end = child + branch.places[child].size();
                self.places.extend_from_slice(&branch.places[child..end]);
                members.insert(name, value);
            }
        }
    }

    fn place(&mut self, at: Position) -> usize {
        let (name, key) = match self.stack.last().map(|frame| &frame.content) {
            Some(Content::Mapping {
                next: Next::Value { span, at, .. },
                ..
            }) => (*span, *at),
            Some(Content::Mapping { .. } | Content::List(_)) | None => ((0, 0), at),
        };
        self.places.push(Place {
            name,
            key,
            value: at,
            size: 1,
        });
        self.places.len() - 1
    }

    fn expect(&mut self, what: Next) {
        if let Some(Frame {
            content: Content::Mapping { next, .. },
            ..
        }) = self.stack.last_mut()
        {
            *next = what;
        }
    }

    fn remember(&mut self, anchor: Anchor, value: Value, at: Position) -> Result<(), Stop> {
        let size = Size::of(&value);
        let fits = self.budget.repeat(size, at);
        self.bear(fits)?;
        let places = vec![Place {
            name: (0, 0),
            key: at,
            value: at,
            size: 1,
        }];
        let branch = Branch { value, places };
        self.anchors.insert(anchor, Anchored { branch, size });
        Ok(())
    }

    fn remember_branch(&mut self, anchor: Anchor, value: &Value, place: usize, at: Position) -> Result<(), Stop> {
        let size = Size::of(value);
        // The copy is charged like a use of it: anchors within anchors are copied again and again.
        let fits = self.budget.repeat(size, at);
        self.bear(fits)?;
        let branch = Branch {
            value: value.clone(),
            places: self.places[place..].to_vec(),
        };
        self.anchors.insert(anchor, Anchored { branch, size });
        Ok(())
    }

    /// Goes on when the budget allows it; else notes why not.
    fn bear(&mut self, fits: Result<(), LocatedProblem>) -> Result<(), Stop> {
        fits.map_err(|problem| self.stop(problem))
    }

    /// Notes a problem that ends everything.
    pub(super) fn stop(&mut self, problem: LocatedProblem) -> Stop {
        self.parsed.problems.push(problem);
        Stop
    }

    /// Notes that collections are nested more deeply than a reader can follow.
    pub(super) fn too_deep(&mut self, at: Position) -> Stop {
        let problem = self.budget.too_deep(at);
        self.stop(problem)
    }

    /// The field that is being read.
    fn path(&self) -> FieldPath {
        self.stack
            .iter()
            .fold(FieldPath::root(), |path, frame| match &frame.content {
                Content::List(items) => path.index(items.len()),
                Content::Mapping {
                    next: Next::Value { name, .. },
                    ..
                } => path.key(name),
                Content::Mapping { .. } => path,
            })
    }
}

/// Takes apart the value of a merge key: one mapping, or a list of them. `None` for anything else.
fn merge_sources(value: Value, places: Vec<Place>) -> Option<Vec<Branch>> {
    match value {
        Value::Object(_) => Some(vec![Branch { value, places }]),
        Value::Array(items) if items.iter().all(Value::is_object) => {
            let part = |child: usize| places[child..child + places[child].size()].to_vec();
            let sources = items.into_iter().zip(children(&places, 0));
            Some(
                sources
                    .map(|(value, child)| Branch {
                        value,
                        places: part(child),
                    })
                    .collect(),
            )
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => None,
    }
}

/// Texts end long before 4 GiB; lengths are kept small because there are so many of them.
fn narrow(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}
