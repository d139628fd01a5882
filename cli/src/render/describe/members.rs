//! Fields of a spec or a status, a line each, in the words of the kind's own type.

use std::time::Duration;

use orch_shared::path::{FieldPath, Segment};
use orch_shared::query::plain_text;
use orch_shared::resource::Timestamp;
use serde_json::{Map, Value};

use super::Surroundings;
use super::page::{Group, Page};
use super::rows;
use crate::render::age;
use crate::render::cell::one_line;
use crate::render::schema::{Field, Shape};

/// Writes the members of a mapping; nested ones below their title. `field` is what the kind's type says of it.
pub(super) fn write(page: &mut Page, group: Group, depth: usize, value: &Value, place: &Place<'_>) {
    let is_map = place.field.is_some_and(|field| field.shape() == Shape::Map);
    for (name, value) in value.as_object().into_iter().flatten() {
        // The keys of a map are the user's own words.
        let title = if is_map {
            name.clone()
        } else {
            spoken(unitless(name, value))
        };
        member(page, group, depth, &title, value, &place.key(name));
    }
}

/// Where a value is, what its type says of it, and what is around its object.
pub(super) struct Place<'p> {
    pub(super) path: FieldPath,
    pub(super) field: Option<Field<'p>>,
    pub(super) around: &'p Surroundings,
    pub(super) now: Timestamp,
}

impl Place<'_> {
    fn key(&self, name: &str) -> Self {
        let below = FieldPath::root().key(name);
        Self {
            path: self.path.key(name),
            field: self.field.and_then(|field| field.find(&below).ok()),
            around: self.around,
            now: self.now,
        }
    }

    fn index(&self, index: usize) -> Self {
        Self {
            path: self.path.index(index),
            field: self.field.and_then(|field| field.element()),
            around: self.around,
            now: self.now,
        }
    }

    /// A value of the daemon's as a person would say it; the user's own stays as it was written.
    fn said(&self, value: &Value) -> String {
        let segments = self.path.segments();
        let key = match (segments.first(), segments.last()) {
            (Some(Segment::Key(root)), Some(Segment::Key(key))) if root == "status" => key.as_str(),
            _ => return one_line(&plain_text(value)),
        };
        let instant = || value.as_str()?.parse::<Timestamp>().ok();
        if let Some(then) = instant().filter(|then| *then > self.now) {
            return format!(
                "in {} ({})",
                age::ahead(then.since(self.now)),
                age::local(self.now, then)
            );
        }
        if let Some(then) = instant() {
            return format!("{} ago ({})", age::since(self.now, then), age::local(self.now, then));
        }
        match value.as_u64().filter(|_| unitless(key, value) != key) {
            Some(millis) => age::run_time(Duration::from_millis(millis)),
            None => one_line(&plain_text(value)),
        }
    }

    /// How the object that is named here fares: ` (Ready)`.
    fn fares(&self) -> String {
        let named_here = self
            .around
            .references
            .iter()
            .find(|(reference, _)| reference.path == self.path);
        match named_here {
            Some((_, Some(phase))) => format!(" ({phase})"),
            Some((reference, None)) => format!(" ({} is not there)", reference.target),
            None => String::new(),
        }
    }
}

fn member(page: &mut Page, group: Group, depth: usize, title: &str, value: &Value, place: &Place<'_>) {
    match value {
        Value::Null => {}
        Value::Object(members) if members.is_empty() => {}
        Value::Array(items) if items.is_empty() => {}
        Value::Object(members) if is_named_value(members) => page.entry(group, title, named_value(members, place)),
        Value::Object(_) => {
            page.title(group, title);
            let inner = page.group(depth + 1);
            write(page, inner, depth + 1, value, place);
        }
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            list(page, group, title, items, place);
        }
        Value::Array(items) => {
            let element = place.field.and_then(|field| field.element());
            if rows::write(page, group, depth, title, items, element) {
                return;
            }
            for (index, item) in items.iter().enumerate() {
                let title = if index == 0 { title } else { "" };
                member(page, group, depth, title, item, &place.index(index));
            }
        }
        Value::String(text) if text.trim_end().contains('\n') => {
            page.title(group, title);
            for line in text.trim_end().lines() {
                let indent = line.len() - line.trim_start().len() + (depth + 1) * 2;
                page.plain(format!("{:indent$}{}", "", one_line(line)));
            }
        }
        Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            page.entry(group, title, place.said(value) + &place.fares());
        }
    }
}

/// `ranForMs` of a number is `ranFor`: the number is told with its unit.
fn unitless<'n>(name: &'n str, value: &Value) -> &'n str {
    name.strip_suffix("Ms").filter(|_| value.is_u64()).unwrap_or(name)
}

/// Short words stand in a line; what holds blanks or commas gets a line of its own.
fn list(page: &mut Page, group: Group, title: &str, items: &[Value], place: &Place<'_>) {
    let text = |(index, item): (usize, &Value)| one_line(&plain_text(item)) + &place.index(index).fares();
    let plain = items.iter().all(|item| !plain_text(item).contains([' ', ',', '\n']));
    if plain {
        let texts: Vec<String> = items.iter().enumerate().map(text).collect();
        page.entry(group, title, texts.join(", "));
    } else {
        for (index, text) in items.iter().enumerate().map(text).enumerate() {
            page.entry(group, if index == 0 { title } else { "" }, text);
        }
    }
}

/// An entry of a list of named values is best told as `NAME=value`.
fn is_named_value(members: &Map<String, Value>) -> bool {
    members.len() == 2
        && members.contains_key("name")
        && (members.contains_key("value") || members.contains_key("valueFrom"))
}

fn named_value(members: &Map<String, Value>, place: &Place<'_>) -> String {
    let text = |key: &str| members.get(key).map(plain_text).unwrap_or_default();
    match members.get("valueFrom").and_then(|from| from.get("secretRef")) {
        Some(reference) => {
            let part = |key: &str| reference.get(key).map(plain_text).unwrap_or_default();
            let fares = place.key("valueFrom").key("secretRef").fares();
            format!(
                "{} from secret/{} key {}{fares}",
                text("name"),
                part("name"),
                part("key")
            )
        }
        None => format!("{}={}", text("name"), one_line(&text("value"))),
    }
}

/// `healthCheck` as people say it: `Health check`.
fn spoken(name: &str) -> String {
    let mut words = String::with_capacity(name.len() + 4);
    for (index, c) in name.chars().enumerate() {
        match c {
            c if index == 0 => words.extend(c.to_uppercase()),
            c if c.is_uppercase() => {
                words.push(' ');
                words.extend(c.to_lowercase());
            }
            c => words.push(c),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_the_daemon_says_is_spoken_and_what_the_user_says_is_not() {
        let (instant, around) = ("2026-11-21T00:00:00.000Z", Surroundings::default());
        for (path, value, said) in [
            ("status.lastExit.ranForMs", json!(400), "0.4 s"),
            ("status.lastExit.code", json!(400), "400"),
            ("status.runningSince", json!(instant), "60s ago ("),
            ("status.until", json!("2026-11-21T01:01:00.000Z"), "in 60m ("),
            ("spec.since", json!(instant), instant),
        ] {
            let place = Place {
                path: FieldPath::parse(path),
                field: None,
                around: &around,
                now: "2026-11-21T00:01:00.000Z".parse().unwrap(),
            };
            assert!(place.said(&value).starts_with(said), "{path}: {}", place.said(&value));
        }
    }

    #[test]
    fn field_names_are_spoken() {
        for (name, said) in [
            ("healthCheck", "Health check"),
            ("env", "Env"),
            ("apiKeyRef", "Api key ref"),
        ] {
            assert_eq!(spoken(name), said);
        }
    }
}
