//! Deciding. Values in, values out: no IO, no waiting, no clock; the same input gives the same answer, and planning the
//! planned world yields nothing.
//!
//! A plan says what to do, what the object's status is now, what happened that is worth telling, and when to look again.
//! Doing is `reconcile/act.rs`.

pub mod agent;
pub mod backend;
pub mod conditions;
pub mod instance;
pub mod llm;
pub mod plain;
mod publication;
pub mod server;
pub mod want;

use std::time::Duration;

use orch_shared::kinds::instance::Instance;
use orch_shared::query::Severity;

/// What to do about one object.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan<S> {
    /// What to do, in order.
    pub actions: Vec<Action>,
    /// The status the object has now. Written when it differs from what is stored.
    pub status: S,
    /// What happened that is worth telling.
    pub events: Vec<Happening>,
    /// When to look again, if nothing happens before.
    pub look_again: Option<Duration>,
}

/// One thing to do. Everything acts on the object that is planned, or on objects it owns.
#[derive(Debug, Clone, PartialEq)]
pub enum Action {
    /// Make an Instance of this Server.
    CreateInstance(Box<Instance>),
    /// Mark an owned Instance for deletion.
    DeleteInstance {
        /// Which one.
        uid: String,
    },
    /// Start what this Instance is to run. What ran before is gone.
    Start,
    /// Stop what this Instance runs, within the grace period.
    Stop,
    /// Stop what this Instance runs because it is not well; it counts as having exited.
    GiveUp {
        /// What is the matter, in a clause.
        reason: String,
    },
    /// The object is deleted and owns nothing any more: remove it.
    Remove,
}

/// Something worth telling.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// Whether somebody should look.
    pub severity: Severity,
    /// In one word.
    pub reason: &'static str,
    /// In a sentence.
    pub message: String,
}

impl Happening {
    /// All is well.
    pub fn normal(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Normal,
            reason,
            message: message.into(),
        }
    }

    /// Somebody should look.
    pub fn warning(reason: &'static str, message: impl Into<String>) -> Self {
        Self {
            severity: Severity::Warning,
            reason,
            message: message.into(),
        }
    }
}

/// A reference that finds nothing, in a sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broken(pub String);

/// The time that must pass before try number `failures` (1 is the first one after a failure): doubling from `initial` up to
/// `most`, spread by up to a tenth either way. The spread depends on `seed` alone, so that the answer is the same each time
/// it is asked for.
#[must_use]
pub fn backoff(initial: Duration, most: Duration, failures: u32, seed: &str) -> Duration {
    let doublings = failures.saturating_sub(1).min(20);
    let plain = initial.saturating_mul(1 << doublings).min(most);
    let hash = seed
        .bytes()
        .chain(failures.to_le_bytes())
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
    let tenths = u32::try_from(hash % 200).unwrap_or(0);
    // 0.9 to 1.1 of the plain time, never over the most.
    (plain * (900 + tenths) / 1000).min(most)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_within_bounds() {
        let (initial, most) = (Duration::from_secs(1), Duration::from_secs(60));
        let mut before = Duration::ZERO;
        for failures in 1..=7 {
            let wait = backoff(initial, most, failures, "seed");
            let plain = initial * (1 << (failures - 1));
            assert!(
                wait >= plain * 9 / 10 && wait <= (plain * 11 / 10).min(most),
                "{failures}: {wait:?}"
            );
            assert!(wait > before);
            before = wait;
        }
        assert!(backoff(initial, most, u32::MAX, "seed") <= most);
        assert_eq!(backoff(initial, most, 3, "seed"), backoff(initial, most, 3, "seed"));
    }
}
