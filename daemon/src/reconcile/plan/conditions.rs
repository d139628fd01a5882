//! Conditions: statements about an object whose transition times move only when the statement does.

use orch_shared::kind::{Hazard, Pending};
use orch_shared::resource::{Condition, ConditionStatus, Timestamp};

use super::{Broken, Happening};

/// Builds the conditions of one object from those it had.
#[derive(Debug)]
pub struct Conditions<'p> {
    before: &'p [Condition],
    generation: i64,
    now: Timestamp,
    after: Vec<Condition>,
}

impl<'p> Conditions<'p> {
    /// Starts from the conditions the object had.
    #[must_use]
    pub const fn from(before: &'p [Condition], generation: i64, now: Timestamp) -> Self {
        Self {
            before,
            generation,
            now,
            after: Vec::new(),
        }
    }

    /// States something.
    pub fn set(&mut self, condition: &str, status: ConditionStatus, reason: &str, message: impl Into<String>) {
        let last = self.before.iter().find(|before| before.condition == condition);
        let since = last
            .filter(|last| last.status == status)
            .map_or(self.now, |last| last.last_transition_time);
        self.after.push(Condition {
            condition: condition.to_owned(),
            status,
            reason: reason.to_owned(),
            message: message.into(),
            last_transition_time: since,
            observed_generation: self.generation,
        });
    }

    /// Lets stand what was stated before, if anything was.
    pub fn keep(&mut self, condition: &str) {
        self.after.extend(find(self.before, condition).cloned());
    }

    /// States whether everything the object refers to is there.
    pub fn references(&mut self, broken: &[Broken]) {
        match broken {
            [] => self.set("ReferencesResolved", ConditionStatus::True, "Resolved", ""),
            [Broken(first), rest @ ..] => {
                let more = if rest.is_empty() {
                    String::new()
                } else {
                    format!(" (and {} more)", rest.len())
                };
                self.set(
                    "ReferencesResolved",
                    ConditionStatus::False,
                    "Missing",
                    format!("{first}{more}"),
                );
            }
        }
    }

    /// States which fields are not acted on yet. Says nothing when all are.
    pub fn pending(&mut self, pending: &[Pending]) {
        if !pending.is_empty() {
            let fields: Vec<_> = pending.iter().map(|pending| pending.path).collect();
            let message = format!(
                "kept, but not acted on by this version: {} (ORCH6008)",
                fields.join(", ")
            );
            self.set("Implemented", ConditionStatus::False, "NotImplemented", message);
        }
    }

    /// What was stated, in order.
    #[must_use]
    pub fn into_inner(self) -> Vec<Condition> {
        self.after
    }
}

/// Why the object must not become ready although nothing is wrong, when fields in use are not acted on.
#[must_use]
pub fn unsafe_to_ignore(pending: &[Pending]) -> Option<String> {
    let fields: Vec<_> = pending
        .iter()
        .filter(|field| field.hazard == Hazard::Unsafe)
        .map(|field| field.path)
        .collect();
    (!fields.is_empty()).then(|| {
        format!(
            "{} is not acted on by this version, and ignoring it would be unsafe (ORCH6008)",
            fields.join(", ")
        )
    })
}

/// What has happened to the objects that one refers to, since its conditions were stated.
pub(super) fn news_of_references(before: &[Condition], broken: &[Broken]) -> Option<Happening> {
    let before = find(before, "ReferencesResolved").map(|condition| condition.status);
    match (before, broken) {
        (None | Some(ConditionStatus::True | ConditionStatus::Unknown), [Broken(first), ..]) => {
            Some(Happening::warning("ReferenceMissing", first.clone()))
        }
        (Some(ConditionStatus::False), []) => {
            Some(Happening::normal("Resolved", "everything it refers to is there again"))
        }
        (None | Some(_), _) => None,
    }
}

/// The condition of that type.
#[must_use]
pub fn find<'c>(conditions: &'c [Condition], condition: &str) -> Option<&'c Condition> {
    conditions.iter().find(|candidate| candidate.condition == condition)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transition_times_move_with_the_status_only() {
        let at = Timestamp::from_millis;
        let mut first = Conditions::from(&[], 1, at(1));
        first.set("Ready", ConditionStatus::False, "Starting", "a");
        let first = first.into_inner();
        let mut second = Conditions::from(&first, 2, at(2));
        second.set("Ready", ConditionStatus::False, "CrashLoop", "b");
        let second = second.into_inner();
        assert_eq!(
            (second[0].last_transition_time, second[0].observed_generation),
            (at(1), 2)
        );
        let mut third = Conditions::from(&second, 2, at(3));
        third.set("Ready", ConditionStatus::True, "Ready", "");
        assert_eq!(third.into_inner()[0].last_transition_time, at(3));
    }
}
