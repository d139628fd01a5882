//! A list of things that have the same few plain fields, as a table.
//!
//! Which lists these are follows from their shape alone. Columns stand in the order of the kind's own type; those that hold
//! sentences come last, where they push nothing aside.

use orch_shared::query::plain_text;
use serde_json::Value;

use super::page::{Group, Page};
use crate::render::cell::{NOTHING, one_line};
use crate::render::schema::Field;

/// From so many fields on, an element is better read in a row than in lines of its own.
const LEAST_FIELDS: usize = 3;

/// The columns of a list, when it is best told as a table: every element plain, and one of them with several fields.
fn columns(items: &[Value], element: Option<Field<'_>>) -> Option<Vec<String>> {
    let plain = |value: &Value| match value {
        Value::Object(_) => false,
        Value::Array(items) => items.iter().all(|item| !item.is_object() && !item.is_array()),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => true,
    };
    let mut most = 0;
    for item in items {
        let members = item.as_object()?;
        if !members.values().all(plain) {
            return None;
        }
        most = most.max(members.len());
    }
    if most < LEAST_FIELDS {
        return None;
    }
    let is_used = |name: &str| items.iter().any(|item| item.get(name).is_some());
    let known = element.map(|element| element.fields()).unwrap_or_default();
    let known = known.into_iter().map(|(name, _)| name.to_owned());
    let mut columns: Vec<String> = known.filter(|name| is_used(name)).collect();
    for name in items
        .iter()
        .filter_map(Value::as_object)
        .flat_map(|members| members.keys())
    {
        if !columns.contains(name) {
            columns.push(name.clone());
        }
    }
    let holds_sentences = |name: &String| items.iter().any(|item| cell(item, name).contains(' '));
    columns.sort_by_key(|name| holds_sentences(name));
    Some(columns)
}

fn cell(item: &Value, column: &str) -> String {
    let text = item.get(column).map(|value| match value {
        Value::Array(items) => items.iter().map(plain_text).collect::<Vec<_>>().join(","),
        other => plain_text(other),
    });
    match text {
        Some(text) if !text.is_empty() => one_line(&text),
        Some(_) | None => NOTHING.to_owned(),
    }
}

/// Writes a list as a table below its title; `false` when it is no such list.
pub(super) fn write(
    page: &mut Page,
    group: Group,
    depth: usize,
    title: &str,
    items: &[Value],
    element: Option<Field<'_>>,
) -> bool {
    let Some(columns) = columns(items, element) else {
        return false;
    };
    let heading: Vec<String> = columns.iter().map(|name| heading(name)).collect();
    let rows = items
        .iter()
        .map(|item| columns.iter().map(|name| cell(item, name)).collect());
    let rows: Vec<Vec<String>> = std::iter::once(heading).chain(rows).collect();
    page.title(group, title);
    table(page, depth + 1, rows);
    true
}

/// Writes rows of the same length, so many levels deep.
pub(super) fn table(page: &mut Page, depth: usize, rows: Vec<Vec<String>>) {
    let columns = rows.first().map_or(0, Vec::len);
    let width = |column: usize| rows.iter().map(|row| row[column].chars().count()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..columns).map(width).collect();
    for row in rows {
        let cells = row.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        let line = cells.collect::<Vec<_>>().join("   ");
        page.plain(format!("{:1$}{2}", "", depth * 2, line.trim_end()));
    }
}

/// `valueFrom` as the heading of a column: `VALUE FROM`.
fn heading(name: &str) -> String {
    name.chars().fold(String::new(), |mut out, c| {
        if c.is_uppercase() {
            out.push(' ');
        }
        out.extend(c.to_uppercase());
        out
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// The lines of a list, or nothing where it is none.
    fn check(items: &Value, expected: &str) {
        let mut page = Page::default();
        let group = page.group(0);
        let items = items.as_array().unwrap();
        assert_eq!(
            write(&mut page, group, 0, "Parameters", items, None),
            !expected.is_empty()
        );
        assert_eq!(page.finish(), expected);
    }

    #[test]
    fn lists_of_plain_things_are_tables() {
        check(
            &json!([
                {"name": "repository", "description": "Where it is", "type": "string", "required": true},
                {"name": "n", "type": "integer", "required": false, "default": 3, "choices": ["1", "3"]},
            ]),
            "Parameters:\n  \
             NAME         TYPE      REQUIRED   DEFAULT   CHOICES   DESCRIPTION\n  \
             repository   string    true       -         -         Where it is\n  \
             n            integer   false      3         1,3       -\n",
        );
        check(&json!([{"name": "A", "value": "b"}]), "");
        check(&json!([{"text": "a", "x": 1, "error": {"status": 1}}]), "");
        check(&json!(["a", "b"]), "");
    }
}
