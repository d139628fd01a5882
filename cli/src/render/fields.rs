//! Changes of fields in a line: `replicas 1 -> 2, env.GITEA_HOST`.

use orch_shared::diff::Change;
use orch_shared::path::{FieldPath, Segment};
use orch_shared::query::plain_text;
use serde_json::Value;

use super::cell::one_line;

/// How many changes are told one by one.
const MOST: usize = 5;
/// The longest value that is shown.
const LONGEST: usize = 32;

/// The changes, the important words first. `manifest` is the object as it is declared now; it knows what list elements
/// are called.
pub(crate) fn changes(changes: &[Change], manifest: Option<&Value>) -> String {
    let mut parts: Vec<String> = Vec::new();
    for change in changes {
        let part = one(change, manifest);
        if !parts.contains(&part) {
            parts.push(part);
        }
    }
    let more = parts.len().saturating_sub(MOST);
    parts.truncate(MOST);
    if more > 0 {
        parts.push(format!("and {more} more"));
    }
    parts.join(", ")
}

fn one(change: &Change, manifest: Option<&Value>) -> String {
    let name = name(&change.path, manifest);
    let value = |value: &Option<Value>| match value {
        None => Some("(none)".to_owned()),
        Some(Value::Array(_) | Value::Object(_)) => None,
        Some(scalar) => Some(one_line(&plain_text(scalar))).filter(|text| text.chars().count() <= LONGEST),
    };
    match (value(&change.from), value(&change.to)) {
        (Some(from), Some(to)) => format!("{name} {from} -> {to}"),
        (_, _) => name,
    }
}

/// What people call a field: without `spec`, and with the names of list elements instead of their positions.
fn name(path: &FieldPath, manifest: Option<&Value>) -> String {
    let segments = path.segments();
    let mut spoken = FieldPath::root();
    let mut value = manifest;
    let mut was_named = false;
    for (depth, segment) in segments.iter().enumerate() {
        value = value.and_then(|value| match segment {
            Segment::Key(key) => value.get(key),
            Segment::Index(index) => value.get(index),
        });
        match segment {
            Segment::Key(key) if depth == 0 && key == "spec" && segments.len() > 1 => {}
            // `env.HOST.value` says no more than `env.HOST`.
            Segment::Key(key) if was_named && key == "value" => {}
            Segment::Key(key) => spoken = spoken.key(key),
            Segment::Index(index) => match value.and_then(|element| element.get("name")).and_then(Value::as_str) {
                Some(called) => spoken = spoken.key(called),
                None => spoken = spoken.index(*index),
            },
        }
        was_named = matches!(segment, Segment::Index(_));
    }
    spoken.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use orch_shared::diff;
    use serde_json::json;

    #[test]
    fn changes_are_told_in_a_line() {
        let before = json!({"metadata": {"labels": {"a": "b"}}, "spec": {"replicas": 1, "env": [{"name": "HOST", "value": "a"}], "tags": ["x"]}});
        for (after, told) in [
            (
                json!({"metadata": {"labels": {"a": "c"}}, "spec": {"replicas": 2, "env": [{"name": "HOST", "value": "b"}], "tags": ["x"]}}),
                "metadata.labels.a b -> c, replicas 1 -> 2, env.HOST a -> b",
            ),
            (
                json!({"metadata": {"labels": {"a": "b"}}, "spec": {"replicas": 1, "env": [{"name": "HOST", "value": "a"}, {"name": "NEW", "value": "n"}], "tags": []}}),
                "env.NEW, tags[0] x -> (none)",
            ),
            (json!({"metadata": {"labels": {"a": "b"}}}), "spec"),
        ] {
            assert_eq!(changes(&diff::changes(&before, &after), Some(&after)), told);
        }
    }
}
