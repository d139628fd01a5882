//! The words of the schema's problems: what was found, what was expected, what is allowed. Text in, text out.

use serde_json::{Number, Value};

use super::Echo;
use crate::excerpt::{quoted, short};

/// How many names a hint lists before it says `…`; fewer when it can say which one was probably meant.
const LISTED: usize = 12;
const LISTED_BESIDE_NEAR_MISS: usize = 4;
/// Up to so many a bare number of a size is taken for mebibytes.
const MEBIBYTES: u64 = 1024;

/// ``did you mean `replicas`? allowed here: command, description, env, …``
pub(super) fn allowed(near: Option<&str>, names: &[&str]) -> String {
    let most = if near.is_some() {
        LISTED_BESIDE_NEAR_MISS
    } else {
        LISTED
    };
    let mut sorted = names.to_vec();
    sorted.sort_unstable();
    let more = if sorted.len() > most { ", …" } else { "" };
    sorted.truncate(most);
    let list = if sorted.is_empty() {
        "nothing".to_owned()
    } else {
        sorted.join(", ")
    };
    match near {
        Some(near) => format!("did you mean `{near}`? allowed here: {list}{more}"),
        None => format!("allowed here: {list}{more}"),
    }
}

/// `a string or a list`.
pub(super) fn expected(types: &[&str]) -> String {
    let phrases: Vec<&str> = types
        .iter()
        .filter(|name| **name != "null" || types.len() == 1)
        .map(|name| phrase(name))
        .collect();
    match &phrases[..] {
        [] => "something else".to_owned(),
        [only] => (*only).to_owned(),
        [first @ .., last] => format!("{} or {last}", first.join(", ")),
    }
}

fn phrase(type_name: &str) -> &'static str {
    match type_name {
        "string" => "a string",
        "integer" => "a whole number",
        "number" => "a number",
        "boolean" => "true or false",
        "array" => "a list",
        "object" => "a mapping",
        "null" => "nothing",
        _ => "something else",
    }
}

/// `the number 8080`, or only `a number`.
pub(super) fn found(value: &Value, echo: Echo) -> String {
    match (value, echo) {
        (Value::Null, _) => "nothing".to_owned(),
        (Value::Bool(truth), Echo::Values) => truth.to_string(),
        (Value::Bool(_), Echo::Types) => "true or false".to_owned(),
        (Value::Number(number), Echo::Values) => format!("the number {number}"),
        (Value::Number(_), Echo::Types) => "a number".to_owned(),
        (Value::String(text), Echo::Values) => format!("the text {}", quoted(text)),
        (Value::String(_), Echo::Types) => "a text".to_owned(),
        (Value::Array(_), _) => "a list".to_owned(),
        (Value::Object(_), _) => "a mapping".to_owned(),
    }
}

/// A way out of a wrong type that can be typed, where there is an obvious one.
pub(super) fn type_hint(types: &[&str], format: Option<&str>, value: &Value, echo: Echo) -> Option<String> {
    let wanted = |name| types.contains(&name);
    if let (Value::Number(number), Some(format)) = (value, format)
        && echo != Echo::Types
        && let Some(hint) = with_unit(format, number)
    {
        return Some(hint);
    }
    match value {
        Value::Bool(_) | Value::Number(_) if wanted("string") && echo == Echo::Types => {
            Some("put it in quotes".to_owned())
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) if echo == Echo::Types => None,
        Value::Bool(_) | Value::Number(_) if wanted("string") => Some(format!("quote it: \"{value}\"")),
        Value::Number(number) if wanted("integer") => number
            .as_f64()
            .filter(|n| n.fract() == 0.0)
            .map(|whole| format!("write it without a fraction: {whole:.0}")),
        Value::String(text) if wanted("integer") && text.parse::<i64>().is_ok() => {
            Some(format!("take the quotes away: {}", short(text)))
        }
        Value::String(text) if wanted("number") && text.parse::<f64>().is_ok() => {
            Some(format!("take the quotes away: {}", short(text)))
        }
        Value::String(text) if text.contains("${") && !wanted("string") => {
            Some("a place such as ${name} stands only where text may stand".to_owned())
        }
        Value::String(text) if wanted("boolean") => truth(text).map(|truth| format!("write `{truth}` without quotes")),
        Value::Null if wanted("string") => Some("leave the field out, or write \"\" for an empty text".to_owned()),
        Value::Null if wanted("array") => Some("leave the field out, or write [] for an empty list".to_owned()),
        Value::Null if wanted("object") => Some("leave the field out, or write {} for an empty mapping".to_owned()),
        Value::Null => Some("leave the field out".to_owned()),
        Value::String(_) | Value::Bool(_) | Value::Number(_) if wanted("array") && !value.is_null() => {
            Some("put it into a list: begin the line with `- `, or write it in [ ]".to_owned())
        }
        Value::Object(_) if wanted("array") => Some("a list begins each element with `- `".to_owned()),
        Value::String(text) if wanted("object") && text.contains(':') && !text.contains(": ") => {
            Some("a space is missing after the `:`".to_owned())
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A bare number with the unit that it most likely lacks, where a quantity is meant.
fn with_unit(format: &str, number: &Number) -> Option<String> {
    let unit = match (format, number.as_u64()) {
        ("duration", _) => "s",
        // Nothing needs no unit, and nobody means thousands of mebibytes: these are bytes.
        ("size", Some(bytes)) if bytes == 0 || bytes > MEBIBYTES => {
            return Some(format!("quote it: \"{number}\", which are bytes"));
        }
        ("size", _) => "Mi",
        _ => return None,
    };
    Some(format!("say the unit: {number}{unit}"))
}

/// What older YAML would have made of the text.
fn truth(text: &str) -> Option<bool> {
    match text.to_lowercase().as_str() {
        "true" | "yes" | "on" | "y" => Some(true),
        "false" | "no" | "off" | "n" => Some(false),
        _ => None,
    }
}
