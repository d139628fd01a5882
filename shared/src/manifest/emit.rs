//! Values to YAML, one way only: the same value is always the same bytes.
//!
//! Block style in the order of the fields, two spaces per level, the elements of a list at the column of its key, text of
//! several lines as a block. What is written here is the same value to readers of YAML 1.1 and 1.2: whatever one of them
//! would take for something else than text is quoted. Lines are never folded, and no space is added at the end of any.

mod quote;

use serde_json::{Map, Number, Value};

use quote::Style;

/// A key longer than this needs the form `? key`; readers look no further ahead for the colon.
const LONGEST_SIMPLE_KEY: usize = 1000;

/// The value as one YAML document, without `---`.
#[must_use]
pub fn to_yaml(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(members) if !members.is_empty() => mapping(&mut out, members, 0),
        Value::Array(items) if !items.is_empty() => list(&mut out, items, 0),
        // Where a block of text is the whole document, readers disagree about its indentation.
        Value::String(text) => line(&mut out, &quote::on_one_line(text)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            leaf(&mut out, value, 0);
        }
    }
    out
}

/// The values as a stream of YAML documents, separated by `---`.
#[must_use]
pub fn to_yaml_stream(values: &[Value]) -> String {
    values.iter().map(to_yaml).collect::<Vec<_>>().join("---\n")
}

/// Writes the members of a mapping. The first one starts where the text ends, the others at the column `indent`.
fn mapping(out: &mut String, members: &Map<String, Value>, indent: usize) {
    for (index, (key, value)) in members.iter().enumerate() {
        if index > 0 {
            pad(out, indent);
        }
        let key = quote::on_one_line(key);
        let simple = key.chars().count() <= LONGEST_SIMPLE_KEY;
        if simple {
            out.push_str(&key);
        } else {
            out.push_str("? ");
            line(out, &key);
            pad(out, indent);
        }
        out.push(':');
        match value {
            Value::Object(members) if !members.is_empty() => {
                out.push('\n');
                pad(out, indent + 2);
                mapping(out, members, indent + 2);
            }
            Value::Array(items) if !items.is_empty() => {
                let indent = if simple { indent } else { indent + 2 };
                out.push('\n');
                pad(out, indent);
                list(out, items, indent);
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                out.push(' ');
                leaf(out, value, indent + 2);
            }
        }
    }
}

/// Writes the elements of a list. The first one starts where the text ends, the others at the column `indent`.
fn list(out: &mut String, items: &[Value], indent: usize) {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            pad(out, indent);
        }
        out.push_str("- ");
        match item {
            Value::Object(members) if !members.is_empty() => mapping(out, members, indent + 2),
            Value::Array(items) if !items.is_empty() => list(out, items, indent + 2),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                leaf(out, item, indent + 2);
            }
        }
    }
}

/// Writes a value that has no parts to the end of the line; a block of text goes on at the column `indent`.
fn leaf(out: &mut String, value: &Value, indent: usize) {
    match value {
        Value::Null => line(out, "null"),
        Value::Bool(truth) => line(out, if *truth { "true" } else { "false" }),
        Value::Number(exact) => line(out, &number(exact)),
        Value::Array(_) => line(out, "[]"),
        Value::Object(_) => line(out, "{}"),
        Value::String(text) => match quote::style(text) {
            Style::Line(quoted) => line(out, &quoted),
            Style::Block { header } => {
                line(out, &header);
                for part in text.split_inclusive('\n') {
                    if part != "\n" {
                        pad(out, indent);
                    }
                    out.push_str(part);
                }
                if !text.ends_with('\n') {
                    out.push('\n');
                }
            }
        },
    }
}

/// YAML 1.1 wants a point and a sign: what it reads as `1e21` is text.
fn number(exact: &Number) -> String {
    let text = exact.to_string();
    let Some((mantissa, exponent)) = text.split_once('e') else {
        return text;
    };
    let point = if mantissa.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with(['+', '-']) { "" } else { "+" };
    format!("{mantissa}{point}e{sign}{exponent}")
}

fn line(out: &mut String, text: &str) {
    out.push_str(text);
    out.push('\n');
}

fn pad(out: &mut String, indent: usize) {
    out.extend(std::iter::repeat_n(' ', indent));
}
