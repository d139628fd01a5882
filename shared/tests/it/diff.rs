//! What a diff owes: nothing where nothing differs, and everything that leads from the one to the other.

use orch_shared::diff::{changes, merge};
use orch_shared::path::{FieldPath, Segment};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

use crate::manifest::many;

/// Small values from a small stock, so that two of them often have much in common.
fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        (0..3).prop_map(|number| json!(number)),
        "[ab/~]{0,2}".prop_map(Value::String),
    ];
    leaf.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::Array),
            prop::collection::vec(("[ab/~]", inner), 0..3).prop_map(|members| Value::Object(Map::from_iter(members))),
        ]
    })
}

/// Puts a value where a path leads, or takes away what is there.
fn put(target: &mut Value, path: &FieldPath, to: Option<&Value>) {
    let Some((last, way)) = path.segments().split_last() else {
        *target = to.cloned().unwrap_or_default();
        return;
    };
    let parent = way.iter().fold(target, |at, segment| match segment {
        Segment::Key(key) => &mut at[key.as_str()],
        Segment::Index(index) => &mut at[*index],
    });
    match (last, parent, to) {
        (Segment::Key(key), Value::Object(members), Some(to)) => drop(members.insert(key.clone(), to.clone())),
        (Segment::Key(key), Value::Object(members), None) => drop(members.shift_remove(key)),
        (Segment::Index(index), Value::Array(items), Some(to)) if *index == items.len() => items.push(to.clone()),
        (Segment::Index(index), Value::Array(items), Some(to)) => items[*index] = to.clone(),
        (Segment::Index(index), Value::Array(items), None) => drop(items.remove(*index)),
        (segment, parent, _) => panic!("{segment:?} does not lead into {parent}"),
    }
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn changes_lead_from_one_to_the_other(before in value(), after in value()) {
        let found = changes(&before, &after);
        prop_assert_eq!(found.is_empty(), before == after);
        let mut replayed = before.clone();
        for change in &found {
            prop_assert!(change.from != change.to);
            prop_assert_eq!(change.path.find(&before), change.from.as_ref());
            prop_assert_eq!(change.path.find(&after), change.to.as_ref());
        }
        // What goes, goes from behind: places in a list move up.
        let (gone, set): (Vec<_>, Vec<_>) = found.iter().partition(|change| change.to.is_none());
        for change in set.into_iter().chain(gone.into_iter().rev()) {
            put(&mut replayed, &change.path, change.to.as_ref());
        }
        prop_assert_eq!(replayed, after);
    }

    #[test]
    fn a_merge_patch_applied_twice_changes_nothing_more(target in value(), patch in value()) {
        let mut once = target;
        merge(&mut once, &patch);
        let mut twice = once.clone();
        merge(&mut twice, &patch);
        prop_assert_eq!(once, twice);
    }
}
