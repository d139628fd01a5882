//! Taking a request apart: members by name, with refusals that know their place.

use serde_json::Value;

use super::{Note, Object, Refused};
use crate::path::FieldPath;

/// What is refused about the value at hand; whoever knows where that is says so with [`Placed`].
pub(super) fn refused(message: impl Into<String>) -> Refused {
    Refused {
        path: FieldPath::root(),
        message: message.into(),
    }
}

/// Puts a refusal further down.
pub(super) trait Placed {
    fn at(self, name: &str) -> Self;
    fn at_index(self, index: usize) -> Self;
}

impl Placed for Refused {
    fn at(mut self, name: &str) -> Self {
        self.path = FieldPath::root().key(name).join(&self.path);
        self
    }

    fn at_index(mut self, index: usize) -> Self {
        self.path = FieldPath::root().index(index).join(&self.path);
        self
    }
}

impl<T> Placed for Result<T, Refused> {
    fn at(self, name: &str) -> Self {
        self.map_err(|refused| refused.at(name))
    }

    fn at_index(self, index: usize) -> Self {
        self.map_err(|refused| refused.at_index(index))
    }
}

/// What JSON calls such a value.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}

fn expected(what: &str, value: &Value) -> Refused {
    refused(format!("expected {what}, this is {}", kind(value)))
}

pub(super) fn text(value: Value) -> Result<String, Refused> {
    match value {
        Value::String(text) => Ok(text),
        other => Err(expected("a string", &other)),
    }
}

pub(super) fn object(value: Value) -> Result<Object, Refused> {
    match value {
        Value::Object(object) => Ok(object),
        other => Err(expected("an object", &other)),
    }
}

pub(super) fn list(value: Value) -> Result<Vec<Value>, Refused> {
    match value {
        Value::Array(list) => Ok(list),
        other => Err(expected("a list", &other)),
    }
}

fn boolean(value: &Value) -> Result<bool, Refused> {
    value.as_bool().ok_or_else(|| expected("true or false", value))
}

fn number(value: &Value) -> Result<f64, Refused> {
    value.as_f64().ok_or_else(|| expected("a number", value))
}

fn count(value: &Value) -> Result<u64, Refused> {
    value
        .as_u64()
        .ok_or_else(|| refused("expected a whole number that is not negative"))
}

/// Members that are taken out one by one; `null` is as good as absent. What is not taken stays, in its order.
pub(super) trait Take {
    fn take(&mut self, name: &str) -> Option<Value>;

    fn take_text(&mut self, name: &str) -> Result<Option<String>, Refused> {
        self.take(name).map(text).transpose().at(name)
    }

    fn take_object(&mut self, name: &str) -> Result<Option<Object>, Refused> {
        self.take(name).map(object).transpose().at(name)
    }

    fn take_list(&mut self, name: &str) -> Result<Option<Vec<Value>>, Refused> {
        self.take(name).map(list).transpose().at(name)
    }

    fn take_boolean(&mut self, name: &str) -> Result<Option<bool>, Refused> {
        self.take(name).as_ref().map(boolean).transpose().at(name)
    }

    fn take_number(&mut self, name: &str) -> Result<Option<f64>, Refused> {
        self.take(name).as_ref().map(number).transpose().at(name)
    }

    fn take_count(&mut self, name: &str) -> Result<Option<u64>, Refused> {
        self.take(name).as_ref().map(count).transpose().at(name)
    }

    /// What must be there.
    fn need_text(&mut self, name: &str) -> Result<String, Refused> {
        self.take_text(name)?
            .ok_or_else(|| refused("required, and not given").at(name))
    }
}

impl Take for Object {
    fn take(&mut self, name: &str) -> Option<Value> {
        self.shift_remove(name).filter(|value| !value.is_null())
    }
}

/// Collects notes, one for each member.
#[derive(Debug, Default)]
pub(super) struct Notes(Vec<Note>);

impl Notes {
    pub(super) fn add(&mut self, field: &str, message: impl Into<String>) {
        if !self.0.iter().any(|note| note.field == field) {
            self.0.push(Note {
                field: field.to_owned(),
                message: message.into(),
            });
        }
    }

    /// Takes members out that have no like on the other side.
    pub(super) fn leave_out(&mut self, body: &mut Object, names: &[&str], whose: &str) {
        for name in names {
            if body.take(name).is_some() {
                self.add(name, format!("left out: {whose} have nothing like it"));
            }
        }
    }

    pub(super) fn into_list(self) -> Vec<Note> {
        self.0
    }
}

/// The arguments of a tool call as an object: the first JSON value in the text, since some models go on after it. No text
/// at all is no arguments.
pub(super) fn arguments(text: &str) -> Option<Object> {
    if text.trim().is_empty() {
        return Some(Object::new());
    }
    match serde_json::Deserializer::from_str(text).into_iter::<Value>().next()? {
        Ok(Value::Object(object)) => Some(object),
        Ok(_) | Err(_) => None,
    }
}

/// The text of a string, or of those parts of a list that have a text of one of these types.
pub(super) fn plain_text(content: &Value, types: &[&str]) -> Option<String> {
    match content {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => {
            let texts = parts.iter().filter_map(|part| {
                let fits = part["type"].as_str().is_some_and(|kind| types.contains(&kind));
                part["text"].as_str().filter(|_| fits)
            });
            Some(texts.collect())
        }
        _ => None,
    }
}
