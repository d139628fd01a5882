//! What differs between two manifests: field by field for machines, as a unified diff for people; and what a merge patch
//! makes of one. Pure.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::path::FieldPath;

/// One field that differs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Change {
    /// JSON pointer to the field.
    pub path: FieldPath,
    /// What was there; absent when nothing was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<Value>,
    /// What is there now; absent when nothing is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Value>,
}

/// The fields that differ, in the order of `before` and then of `after`. Lists are compared by position.
#[must_use]
pub fn changes(before: &Value, after: &Value) -> Vec<Change> {
    let mut found = Vec::new();
    walk(&FieldPath::root(), Some(before), Some(after), &mut found);
    found
}

fn walk(path: &FieldPath, before: Option<&Value>, after: Option<&Value>, found: &mut Vec<Change>) {
    match (before, after) {
        (Some(before), Some(after)) if before == after => {}
        (Some(Value::Object(before)), Some(Value::Object(after))) => {
            for (key, value) in before {
                walk(&path.key(key), Some(value), after.get(key), found);
            }
            for (key, value) in after.iter().filter(|(key, _)| !before.contains_key(*key)) {
                walk(&path.key(key), None, Some(value), found);
            }
        }
        (Some(Value::Array(before)), Some(Value::Array(after))) => {
            for index in 0..before.len().max(after.len()) {
                walk(&path.index(index), before.get(index), after.get(index), found);
            }
        }
        (before, after) => {
            found.push(Change {
                path: path.clone(),
                from: before.cloned(),
                to: after.cloned(),
            });
        }
    }
}

/// A unified diff of two texts with three lines of context; empty when they are equal. Hunk headers carry no file names.
#[must_use]
pub fn unified(before: &str, after: &str) -> String {
    if before == after {
        return String::new();
    }
    similar::TextDiff::from_lines(before, after)
        .unified_diff()
        .context_radius(3)
        .to_string()
}

/// Merges a patch into a value after RFC 7396: what is null goes, what is absent stays.
pub fn merge(target: &mut Value, patch: &Value) {
    let Value::Object(patch) = patch else {
        target.clone_from(patch);
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(members) = target else { return };
    for (key, value) in patch {
        if value.is_null() {
            members.shift_remove(key);
        } else {
            merge(members.entry(key).or_insert(Value::Null), value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_the_fields_that_differ() {
        let before = json!({"spec": {"replicas": 1, "env": [{"name": "A", "value": "1"}], "gone": true}});
        let after = json!({"spec": {"replicas": 2, "env": [{"name": "A", "value": "2"}, {"name": "B"}]}});
        let found: Vec<_> = changes(&before, &after)
            .iter()
            .map(|change| change.path.to_string())
            .collect();
        assert_eq!(
            found,
            ["spec.replicas", "spec.env[0].value", "spec.env[1]", "spec.gone"]
        );
        assert!(changes(&before, &before).is_empty());
    }

    #[test]
    fn unified_diffs() {
        assert_eq!(unified("a\n", "a\n"), "");
        assert_eq!(unified("a\nb\n", "a\nc\n"), "@@ -1,2 +1,2 @@\n a\n-b\n+c\n");
    }

    /// The examples of RFC 7396, appendix A.
    #[test]
    fn merge_patches() {
        for (target, patch, result) in [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (
                json!({"a": {"b": "c"}}),
                json!({"a": {"b": "d", "c": null}}),
                json!({"a": {"b": "d"}}),
            ),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        ] {
            let mut merged = target.clone();
            merge(&mut merged, &patch);
            assert_eq!(merged, result, "{target} + {patch}");
        }
    }
}
