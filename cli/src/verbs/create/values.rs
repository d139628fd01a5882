//! Text from flags to JSON values, and into their places.

use orch_shared::manifest::{Limits, LocatedProblem, parse};
use orch_shared::path::{FieldPath, Segment};
use serde_json::{Map, Value};

use crate::render::schema::{Field, Shape};

/// `KEY=VALUE`.
pub(in crate::verbs) fn pair(text: &str) -> Result<(&str, &str), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key, value)),
        _ => Err(format!("`{text}` is not KEY=VALUE")),
    }
}

/// The value that a text stands for in a field: what is text there stays text, everything else is read as YAML.
pub(in crate::verbs) fn of_field(field: Field<'_>, text: &str) -> Result<Value, String> {
    match field.shape() {
        Shape::Text | Shape::Choice => Ok(text.into()),
        Shape::Boolean | Shape::Integer | Shape::Number | Shape::Any => Ok(plain(text)),
        Shape::List | Shape::Object | Shape::Map => yaml(text),
    }
}

/// A text read as YAML; as it stands when that is not possible.
pub(in crate::verbs) fn plain(text: &str) -> Value {
    yaml(text).unwrap_or_else(|_| text.into())
}

/// Why a text cannot be read, when it cannot.
pub(in crate::verbs) fn unreadable(text: &str) -> Option<String> {
    yaml(text).err()
}

/// What is wrong at some place of a text, and what to do about it.
pub(in crate::verbs) fn told(text: &str, problem: &LocatedProblem) -> (String, Option<String>) {
    let (line, column) = (problem.position.line as usize, problem.position.column as usize);
    let line = text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
    let there = line
        .char_indices()
        .nth(column.saturating_sub(1))
        .map(|(at, _)| &line[at..]);
    // Some readers know where the text begins that an escape stands in, and name the escape.
    let half = there
        .and_then(half)
        .or_else(|| problem.message.split('`').find_map(half));
    match half {
        Some(half) => (
            format!("`{half}` is half of a character, and the other half does not stand beside it"),
            Some("write the character itself, or both halves: \\ud83d\\ude00".to_owned()),
        ),
        None if problem.path.segments().is_empty() => (problem.message.clone(), problem.hint.clone()),
        None => (format!("`{}`: {}", problem.path, problem.message), problem.hint.clone()),
    }
}

/// The surrogate that a text begins with, written as an escape.
fn half(text: &str) -> Option<&str> {
    let escape = text.get(..6)?;
    let code = u16::from_str_radix(escape.strip_prefix("\\u")?, 16).ok()?;
    (0xd800..=0xdfff).contains(&code).then_some(escape)
}

fn yaml(text: &str) -> Result<Value, String> {
    let mut parsed = parse(text.as_bytes(), &Limits::default());
    match (parsed.problems.first(), parsed.documents.pop()) {
        (None, Some(document)) if parsed.documents.is_empty() => Ok(document.value),
        (Some(problem), _) => Err(format!("`{text}`: {}", told(text, problem).0)),
        (None, _) => Err(format!("`{text}` is not one value")),
    }
}

/// Puts a value at a path; what is missing on the way is made.
pub(in crate::verbs) fn put(root: &mut Value, path: &FieldPath, value: Value) -> Result<(), String> {
    let mut here = root;
    for segment in path.segments() {
        here = match segment {
            Segment::Key(key) => {
                if here.is_null() {
                    *here = Value::Object(Map::new());
                }
                let members = here
                    .as_object_mut()
                    .ok_or_else(|| format!("{path}: `{key}` is below something that has no fields"))?;
                members.entry(key).or_insert(Value::Null)
            }
            Segment::Index(index) => {
                if here.is_null() {
                    *here = Value::Array(Vec::new());
                }
                let items = here
                    .as_array_mut()
                    .ok_or_else(|| format!("{path}: there is no list to have an element {index}"))?;
                if *index == items.len() {
                    items.push(Value::Null);
                }
                let length = items.len();
                items
                    .get_mut(*index)
                    .ok_or_else(|| format!("{path}: the list has {length} elements; the next is {length}"))?
            }
        };
    }
    if here.is_object() && !(value.is_object() || value.is_null()) {
        return Err(format!("{path}: it has fields already, and would lose them"));
    }
    *here = value;
    Ok(())
}

/// Adds an element to the list at a path.
pub(in crate::verbs) fn append(root: &mut Value, path: &FieldPath, value: Value) -> Result<(), String> {
    let length = path.find(root).and_then(Value::as_array).map_or(0, Vec::len);
    put(root, &path.index(length), value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn values_find_their_places() {
        let mut spec = json!({});
        for (path, value) in [
            ("a.b", json!(1)),
            ("list[0].x", json!("y")),
            ("list[1]", json!(true)),
            ("a.c", json!(null)),
        ] {
            put(&mut spec, &FieldPath::parse(path), value).unwrap();
        }
        append(&mut spec, &FieldPath::parse("list"), json!(3)).unwrap();
        assert_eq!(spec, json!({"a": {"b": 1, "c": null}, "list": [{"x": "y"}, true, 3]}));
        for (path, said) in [
            ("a.b.c", "no fields"),
            ("a.b[0]", "no list"),
            ("list[7]", "the next is 3"),
            ("a", "has fields already"),
        ] {
            let error = put(&mut spec, &FieldPath::parse(path), json!(0)).unwrap_err();
            assert!(error.contains(said), "{path}: {error}");
        }
    }

    #[test]
    fn texts_are_read_for_their_field() {
        let schema = json!({"properties": {
            "text": {"type": "string"}, "number": {"type": "integer"}, "list": {"type": "array", "items": {"type": "string"}},
        }});
        let field = |name: &str| Field::root(&schema).find(&FieldPath::parse(name)).unwrap();
        assert_eq!(of_field(field("text"), "8080"), Ok(json!("8080")));
        assert_eq!(of_field(field("number"), "8080"), Ok(json!(8080)));
        assert_eq!(of_field(field("list"), "[a, b]"), Ok(json!(["a", "b"])));
        assert!(of_field(field("list"), "[a").is_err());
    }
}
