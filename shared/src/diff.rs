//! What differs between two manifests: field by field for machines, as a unified diff for people; and what a merge patch
//! makes of one. Pure, but for the time that a diff may take.

use std::time::Duration;

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

/// So many lines of either text are compared, apart from those with which both begin and end. What compares them goes deeper
/// with each place where they part, and has the stack of one thread.
const MOST_LINES: usize = 20_000;
/// For so long lines are compared.
pub const PATIENCE: Duration = Duration::from_secs(1);

/// A unified diff of two texts with three lines of context; empty when they are equal. Hunk headers carry no file names. Texts
/// that are very long and have little in common are told by how many lines they differ in.
#[must_use]
pub fn unified(before: &str, after: &str) -> String {
    unified_within(before, after, PATIENCE)
}

/// The same; what is not compared by then is told as replaced, all of it.
#[must_use]
pub fn unified_within(before: &str, after: &str, patience: Duration) -> String {
    if before == after {
        return String::new();
    }
    let (gone, new) = different_lines(before, after);
    if gone.max(new) > MOST_LINES {
        return format!("too different to show: {gone} and {new} lines\n");
    }
    similar::TextDiff::configure()
        .timeout(patience)
        .diff_lines(before, after)
        .unified_diff()
        .context_radius(3)
        .to_string()
}

/// How many lines there are of each text between those with which both begin and those with which both end.
fn different_lines(before: &str, after: &str) -> (usize, usize) {
    let lines = |text| str::split_inclusive(text, '\n').collect::<Vec<&str>>();
    let (before, after) = (lines(before), lines(after));
    let first = before
        .iter()
        .zip(&after)
        .take_while(|(one, other)| one == other)
        .count();
    let (before, after) = (&before[first..], &after[first..]);
    let pairs = before.iter().rev().zip(after.iter().rev());
    let last = pairs.take_while(|(one, other)| one == other).count();
    (before.len() - last, after.len() - last)
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

    /// Lines of few words each, in an order that has no rule: what is compared parts in as many places as can be.
    fn scattered(lines: usize, words: u64, mut state: u64) -> String {
        let mut text = String::new();
        for _ in 0..lines {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            text.push_str(&format!("{}\n", (state >> 33) % words));
        }
        text
    }

    #[test]
    fn long_texts_are_compared_as_far_as_the_stack_of_a_thread_goes() {
        // As much as a thread of a runtime has.
        let comparing = std::thread::Builder::new().stack_size(2 << 20).spawn(|| {
            for words in [2, 60, 5000] {
                let diff = unified(&scattered(MOST_LINES, words, 1), &scattered(MOST_LINES, words, 2));
                assert!(diff.starts_with("@@ "), "{words}: {}", &diff[..80]);
                let diff = unified(&scattered(500_000, words, 1), &scattered(400_000, words, 2));
                assert!(diff.starts_with("too different to show: "), "{words}: {}", &diff[..80]);
            }
        });
        comparing.expect("a thread").join().expect("the stack is large enough");
        // What is alike before and behind does not count.
        let long = "same\n".repeat(300_000);
        let diff = unified(&format!("{long}a\n{long}"), &format!("{long}b\nc\n{long}"));
        assert_eq!(
            diff,
            "@@ -299998,7 +299998,8 @@\n same\n same\n same\n-a\n+b\n+c\n same\n same\n same\n"
        );
        // Without time it is a diff all the same, if a longer one.
        let (before, after) = (scattered(2000, 60, 1), scattered(2000, 60, 2));
        let diff = unified_within(&before, &after, Duration::ZERO);
        let side = |mark: char| -> String {
            let lines = diff.split_inclusive('\n').filter(|line| !line.starts_with("@@"));
            let own = lines.filter(|line| line.starts_with([' ', mark]));
            own.map(|line| &line[1..]).collect()
        };
        assert_eq!(
            (side('-') == before, side('+') == after),
            (true, true),
            "{}",
            &diff[..80]
        );
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
