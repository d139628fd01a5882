//! Documents to objects: lists taken apart, every envelope and spec checked, duplicates found, and each problem brought
//! back to its file, line and column.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};

use super::envelope;
use super::{Document, LocatedProblem, Parsed, Position, Spans};
use crate::excerpt::printable;
use crate::kinds::API_VERSION;
use crate::name::ObjectRef;
use crate::path::FieldPath;
use crate::problem::{Code, FieldProblem, Part};
use crate::resource::Resource;
use crate::schema::{self, Echo};

/// One object of an input.
#[derive(Debug, Clone)]
pub struct Object {
    /// What it declares.
    pub resource: Resource,
    /// The file it stands in, as the caller called it.
    pub file: Arc<str>,
    /// Where its fields stand in that file.
    pub spans: Spans,
    /// Where it stands in its document: nowhere special, or `items[3]` of a list.
    pub within: FieldPath,
}

/// The objects of an input, and everything that is wrong with it.
#[derive(Debug, Clone, Default)]
pub struct Objects {
    /// The objects without problems, in the order of the files.
    pub objects: Vec<Object>,
    /// Every problem of every file, in order.
    pub problems: Vec<FileProblem>,
}

/// Something wrong at some place of some file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileProblem {
    /// The file, as the caller called it.
    pub file: Arc<str>,
    /// The problem and its place.
    pub problem: LocatedProblem,
}

/// `broken.yaml:7:5 spec.replcas: unknown field`.
impl fmt::Display for FileProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let LocatedProblem {
            position,
            path,
            message,
            ..
        } = &self.problem;
        write!(f, "{}:{position} ", self.file)?;
        if !path.segments().is_empty() {
            write!(f, "{path}: ")?;
        }
        f.write_str(message)
    }
}

impl Objects {
    /// Where a problem that the daemon found stands in the files these objects came from; `None` when it is about an
    /// object that is not one of these.
    #[must_use]
    pub fn locate(&self, problem: &FieldProblem) -> Option<FileProblem> {
        let object = self.objects.get(problem.object)?;
        Some(FileProblem {
            file: Arc::clone(&object.file),
            problem: located(problem, &object.spans, &object.within),
        })
    }
}

/// The objects that parsed files declare. Files are named as problems are to name them.
#[must_use]
pub fn objects(files: &[(String, Parsed)]) -> Objects {
    let mut found = Objects::default();
    let mut declared: HashMap<ObjectRef, (Arc<str>, Position)> = HashMap::new();
    for (file, parsed) in files {
        let file: Arc<str> = Arc::from(file.as_str());
        let mut problems = parsed.problems.clone();
        for document in &parsed.documents {
            for entry in entries(document, &mut problems) {
                let read = envelope::read(entry.value);
                let (resource, mut of_object) = match read.resource {
                    Ok(resource) => (Some(resource), Vec::new()),
                    Err(problems) => (None, problems),
                };
                if let Some(reference) = read.reference {
                    let name = FieldPath::root().key("metadata").key("name");
                    let at = entry.spans.position(&name, Part::Value);
                    if let Some((first, position)) = declared.get(&reference) {
                        let message = format!("{reference} is already declared at {first}:{position}");
                        of_object
                            .push(FieldProblem::new(Code::DuplicateObject, name, message).hint("keep one of the two"));
                    } else {
                        declared.insert(reference, (Arc::clone(&file), at));
                    }
                }
                let is_right = of_object.is_empty();
                let of_object = of_object
                    .iter()
                    .map(|problem| located(problem, &entry.spans, &entry.within));
                // What is known to be unreadable is not wrong a second time.
                problems
                    .extend(of_object.filter(|problem| !parsed.problems.iter().any(|known| is_same(known, problem))));
                found
                    .objects
                    .extend(resource.filter(|_| is_right).map(|resource| Object {
                        resource,
                        file: Arc::clone(&file),
                        spans: entry.spans,
                        within: entry.within,
                    }));
            }
        }
        problems.sort_by_key(|problem| problem.position);
        let of_file = problems.into_iter().map(|problem| FileProblem {
            file: Arc::clone(&file),
            problem,
        });
        found.problems.extend(of_file);
    }
    found
}

/// One object of a document, not read yet.
struct Entry<'d> {
    value: &'d Value,
    spans: Spans,
    within: FieldPath,
}

/// The objects a document holds: itself, or the items of a list, or of lists within it.
fn entries<'d>(document: &'d Document, problems: &mut Vec<LocatedProblem>) -> Vec<Entry<'d>> {
    let mut entries = Vec::new();
    let mut waiting = vec![Entry {
        value: &document.value,
        spans: document.spans.clone(),
        within: FieldPath::root(),
    }];
    while let Some(entry) = waiting.pop() {
        if entry.value.get("kind").and_then(Value::as_str) != Some("List") {
            entries.push(entry);
            continue;
        }
        let of_list = schema::check(list_schema(), entry.value, &FieldPath::root(), Echo::Values);
        problems.extend(
            of_list
                .iter()
                .map(|problem| located(problem, &entry.spans, &entry.within)),
        );
        let items = FieldPath::root().key("items");
        let values = entry
            .value
            .get("items")
            .and_then(Value::as_array)
            .map_or(&[][..], Vec::as_slice);
        let places = entry.within.join(&items);
        let parts = entry
            .spans
            .elements(&items)
            .zip(values)
            .enumerate()
            .map(|(index, (spans, value))| Entry {
                value,
                spans,
                within: places.index(index),
            });
        // Backwards, since the last one in is the next one out.
        let parts: Vec<_> = parts.collect();
        waiting.extend(parts.into_iter().rev());
    }
    entries
}

/// A list as we or kubectl would write it.
fn list_schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        json!({
            "type": "object",
            "required": ["items"],
            "additionalProperties": false,
            "properties": {
                "apiVersion": {"enum": [API_VERSION, "v1"]},
                "kind": true,
                "metadata": {"type": "object"},
                "items": {"type": "array"},
            },
        })
    })
}

fn located(problem: &FieldProblem, spans: &Spans, within: &FieldPath) -> LocatedProblem {
    LocatedProblem {
        position: spans.position(&problem.pointer, problem.part),
        path: within.join(&problem.pointer),
        code: problem.code,
        message: printable(problem.message.clone()),
        hint: problem.hint.clone().map(printable),
    }
}

/// Whether a problem follows from one with the text: same field, same line.
fn is_same(known: &LocatedProblem, problem: &LocatedProblem) -> bool {
    !known.path.segments().is_empty() && known.path == problem.path && known.position.line == problem.position.line
}
