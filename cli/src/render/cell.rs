//! One cell of a table: what a kind's [`Cell`] reads out of an object, as text with a meaning.

use orch_shared::kind::Cell;
use orch_shared::query::plain_text;
use orch_shared::resource::{Condition, ConditionStatus, Timestamp};
use serde::Deserialize as _;
use serde_json::Value;

use super::age;
use crate::ui::{Tone, guard};

/// What is shown where there is nothing.
pub(crate) const NOTHING: &str = "-";

/// Finds a field of an object in effective form.
pub(crate) type Find<'f, 'v> = &'f dyn Fn(&str) -> Option<&'v Value>;

/// The text of a cell.
pub(crate) fn text(cell: &Cell, find: Find<'_, '_>, now: Timestamp) -> String {
    let find = |path: &str| find(path).filter(|value| !value.is_null());
    let number = |path: &str| find(path).map_or_else(|| "0".to_owned(), plain_text);
    match cell {
        Cell::Field(path) => find(path).map_or_else(|| NOTHING.to_owned(), |value| one_line(&plain_text(value))),
        Cell::Ratio(part, whole) => match find(whole) {
            Some(whole) => format!("{}/{}", number(part), plain_text(whole)),
            None => NOTHING.to_owned(),
        },
        Cell::Age(path) => {
            let then = find(path).and_then(Value::as_str).and_then(|text| text.parse().ok());
            then.map_or_else(|| NOTHING.to_owned(), |then| age::since(now, then))
        }
        Cell::Until(path) => match find(path)
            .and_then(Value::as_str)
            .and_then(|text| text.parse::<Timestamp>().ok())
        {
            None => "never".to_owned(),
            Some(end) if end > now => format!("in {}", age::ahead(end.since(now))),
            Some(end) => format!("{} ago", age::since(now, end)),
        },
        Cell::Count(path) => match find(path) {
            Some(Value::Array(items)) => items.len().to_string(),
            Some(Value::Object(members)) => members.len().to_string(),
            Some(_) | None => "0".to_owned(),
        },
        Cell::List(path) => match find(path) {
            Some(Value::Array(items)) if !items.is_empty() => {
                one_line(&items.iter().map(named).collect::<Vec<_>>().join(","))
            }
            Some(_) | None => NOTHING.to_owned(),
        },
        Cell::Trouble => match find("status.conditions") {
            Some(found) if !says_nothing(found) => {
                let conditions = Vec::deserialize(found).unwrap_or_default();
                let told = trouble(&conditions).map(|found| age::spoken(now, &one_line(&found.message)));
                told.unwrap_or_default()
            }
            Some(_) | None => String::new(),
        },
    }
}

/// Whether no condition complains: a quick look that spares most rows the reading.
fn says_nothing(conditions: &Value) -> bool {
    let is_silent = |condition: &Value| {
        condition.get("message").is_none() || condition.get("status").is_some_and(|status| status != "False")
    };
    conditions
        .as_array()
        .is_none_or(|conditions| conditions.iter().all(is_silent))
}

/// The condition that explains why an object is not well: the most particular one that does not hold and says why.
/// `Ready` only sums up the others, and so comes last.
pub(crate) fn trouble(conditions: &[Condition]) -> Option<&Condition> {
    let wrong = |condition: &&Condition| condition.status == ConditionStatus::False && !condition.message.is_empty();
    let summary = |condition: &&Condition| matches!(condition.condition.as_str(), "Ready" | "Progressing");
    let stuck = conditions.iter().find(|condition| condition.reason == "RolloutStuck");
    if stuck.is_some() {
        return stuck;
    }
    let ready = conditions.iter().find(|condition| condition.condition == "Ready");
    if ready.is_some_and(|ready| ready.status == ConditionStatus::True) {
        return conditions
            .iter()
            .filter(wrong)
            .find(|condition| condition.condition == "Implemented");
    }
    conditions
        .iter()
        .filter(wrong)
        .find(|condition| !summary(condition))
        .or_else(|| conditions.iter().find(wrong))
}

/// An element of a list as people name it: what has a kind and a name by those, what has a name by that.
fn named(item: &Value) -> String {
    let word = |member: &str| item.get(member).and_then(Value::as_str);
    match (word("kind"), word("name")) {
        (Some(kind), Some(name)) => format!("{}/{name}", kind.to_lowercase()),
        (None, Some(name)) => name.to_owned(),
        (_, None) => plain_text(item),
    }
}

/// What the text of a cell says about the object.
pub(crate) fn tone(cell: &Cell, text: &str) -> Tone {
    match cell {
        Cell::Field(path) if path.ends_with(".phase") => phase_tone(text),
        Cell::Trouble => Tone::Dim,
        Cell::Field(_) | Cell::Ratio(..) | Cell::Age(_) | Cell::Until(_) | Cell::Count(_) | Cell::List(_) => {
            Tone::Plain
        }
    }
}

/// Whether a phase, of an object or of an instance, is good news. Phases this version does not know are no news.
pub(crate) fn phase_tone(phase: &str) -> Tone {
    match phase {
        "Ready" | "Running" | "Active" => Tone::Good,
        "Degraded" | "Failed" | "Error" | "Expired" => Tone::Bad,
        "Progressing" | "Starting" | "Stopping" => Tone::Warn,
        "Pending" | "Suspended" | "Revoked" => Tone::Dim,
        _ => Tone::Plain,
    }
}

/// The first line of a text, and nothing in it that a terminal would act on.
pub(crate) fn one_line(text: &str) -> String {
    let line = text.trim_start().lines().next().unwrap_or_default();
    line.chars()
        .map(|c| if guard::acts(c) || c == '\t' { '\u{fffd}' } else { c })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use orch_shared::path::FieldPath;
    use serde_json::json;

    #[test]
    fn cells_read_objects() {
        let object = json!({
            "spec": {"servers": ["a", "b"], "who": [{"kind": "User", "name": "ann"}, {"name": "web"}], "data": {"K": "v"}, "text": "first\nsecond", "odd": "a\u{1b}[31mb"},
            "status": {
                "createdAt": "2026-11-21T00:00:00.000Z",
                "end": "2026-11-21T01:00:00.000Z",
                "replicas": {"desired": 2},
                "conditions": [
                    {"type": "Ready", "status": "False", "reason": "X", "message": "summary",
                     "lastTransitionTime": "2026-11-21T00:00:00.000Z", "observedGeneration": 1},
                    {"type": "Healthy", "status": "False", "reason": "X", "message": "exit 1",
                     "lastTransitionTime": "2026-11-21T00:00:00.000Z", "observedGeneration": 1},
                ],
            },
        });
        let now: Timestamp = "2026-11-21T00:05:00.000Z".parse().unwrap();
        for (cell, expected) in [
            (Cell::Field("spec.text"), "first"),
            (Cell::Field("spec.odd"), "a\u{fffd}[31mb"),
            (Cell::Field("spec.none"), "-"),
            (Cell::Ratio("status.replicas.ready", "status.replicas.desired"), "0/2"),
            (Cell::Ratio("status.none", "status.none"), "-"),
            (Cell::Age("status.createdAt"), "5m"),
            (Cell::Until("status.end"), "in 55m"),
            (Cell::Until("status.createdAt"), "5m ago"),
            (Cell::Until("status.none"), "never"),
            (Cell::Count("spec.servers"), "2"),
            (Cell::Count("spec.data"), "1"),
            (Cell::Count("spec.none"), "0"),
            (Cell::List("spec.servers"), "a,b"),
            (Cell::List("spec.who"), "user/ann,web"),
            (Cell::List("spec.none"), "-"),
            (Cell::Trouble, "exit 1"),
        ] {
            let find = |path: &str| FieldPath::parse(path).find(&object);
            assert_eq!(text(&cell, &find, now), expected, "{cell:?}");
        }
    }
}
