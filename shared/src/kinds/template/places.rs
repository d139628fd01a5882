//! The places of a Template: `${name}` within the texts of a Server spec.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::parameter::{is_name, text_of};
use super::secret_of;

/// Puts the values into their places. `{name, value: "${secret}"}` becomes `{name, valueFrom: {secretRef}}`; an element
/// or member that holds a place without a value is left out.
pub(super) fn fill(value: &mut Value, values: &BTreeMap<&str, Value>) {
    match value {
        Value::String(text) => {
            if let Some(filled) = fill_text(text, values) {
                *value = filled;
            }
        }
        Value::Array(items) => {
            items.retain(|item| !is_empty_place(item, values));
            items.iter_mut().for_each(|item| fill(item, values));
        }
        Value::Object(members) => {
            let secret = members
                .get("value")
                .and_then(Value::as_str)
                .and_then(only_place)
                .and_then(|name| secret_of(values.get(name)?));
            if let Some(secret) = secret {
                members.shift_remove("value");
                members.insert("valueFrom".into(), json!({"secretRef": secret}));
            }
            members.retain(|_, member| !is_empty_place(member, values));
            members.values_mut().for_each(|member| fill(member, values));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether a text, or the `value` beside a name, holds a place for which there is no value.
fn is_empty_place(value: &Value, values: &BTreeMap<&str, Value>) -> bool {
    let text = value.as_str().or_else(|| value.get("value").and_then(Value::as_str));
    let is_empty = |piece: Piece<'_>| matches!(piece, Piece::Place(name) if !values.contains_key(name));
    text.is_some_and(|text| pieces(text).into_iter().any(is_empty))
}

/// `${name}` and nothing else.
fn only_place(text: &str) -> Option<&str> {
    let name = text.strip_prefix("${")?.strip_suffix('}')?;
    is_name(name).then_some(name)
}

/// The text with its places filled in; a place that is the whole text takes the value's own type where that is text.
fn fill_text(text: &str, values: &BTreeMap<&str, Value>) -> Option<Value> {
    if !text.contains("${") {
        return None;
    }
    let mut out = String::new();
    for piece in pieces(text) {
        match piece {
            Piece::Text(text) => out.push_str(text),
            Piece::Place(name) => {
                if let Some(value) = values.get(name) {
                    out.push_str(&text_of(value));
                }
            }
        }
    }
    Some(Value::String(out))
}

enum Piece<'t> {
    Text(&'t str),
    Place(&'t str),
}

fn pieces(text: &str) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        if rest[..start].ends_with('$') {
            // `$${` is a literal `${`.
            pieces.push(Piece::Text(&rest[..start - 1]));
            pieces.push(Piece::Text("${"));
            rest = &rest[start + 2..];
            continue;
        }
        let end = rest[start + 2..].find('}').map(|end| start + 2 + end);
        match end {
            Some(end) if is_name(&rest[start + 2..end]) => {
                pieces.push(Piece::Text(&rest[..start]));
                pieces.push(Piece::Place(&rest[start + 2..end]));
                rest = &rest[end + 1..];
            }
            _ => {
                pieces.push(Piece::Text(&rest[..start + 2]));
                rest = &rest[start + 2..];
            }
        }
    }
    pieces.push(Piece::Text(rest));
    pieces
}

/// A place, and what it stands in.
pub(super) struct Place {
    /// The parameter's name.
    pub(super) name: String,
    /// Whether it is the whole value of a variable or a header: the one spot for a secret.
    pub(super) is_value: bool,
}

/// Every place below a value.
pub(super) fn places(value: &Value, found: &mut Vec<Place>) {
    match value {
        Value::String(text) => found.extend(pieces(text).into_iter().filter_map(|piece| match piece {
            Piece::Place(name) => Some(Place {
                name: name.to_owned(),
                is_value: false,
            }),
            Piece::Text(_) => None,
        })),
        Value::Array(items) => items.iter().for_each(|item| places(item, found)),
        Value::Object(members) => {
            let is_named = members.contains_key("name");
            for (key, member) in members {
                match member.as_str().and_then(only_place) {
                    Some(name) if is_named && key == "value" => found.push(Place {
                        name: name.to_owned(),
                        is_value: true,
                    }),
                    Some(_) | None => places(member, found),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// A text as it is written so that nothing in it is a place.
#[must_use]
pub fn literal(text: &str) -> String {
    text.replace("${", "$${")
}
