//! How a running copy fares, from two sides: its own checks, and what calls of clients meet with. Both move one count.
//!
//! Calls that break off together are one failure, not many: they say nothing that the first did not. An answer to a client
//! makes good what a client met with; that a certain tool answers only that tool can show.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use orch_shared::resource::Timestamp;
use tokio::time::Instant;

use super::launch::Probe;
use super::log::Mask;
use super::observation::{Health, HealthState};

/// What a call of a client met with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Traffic {
    /// An answer, be it that a tool has failed.
    Answered,
    /// None: the conversation broke off, or it took too long. Why, in a clause.
    Failed(String),
}

/// Who says how a copy fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// Its own check.
    Check,
    /// A call of a client.
    Traffic,
}

/// Whether a copy has listed its tools when it was greeted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Listed {
    Yes,
    No,
}

/// How long an error may be that is kept.
const LONGEST_ERROR: usize = 300;

/// What is known of a copy's health, between its start and its end.
pub(super) struct Care {
    pub(super) probe: Probe,
    pub(super) mask: Arc<Mask>,
    tally: Mutex<Tally>,
    /// Why it is ended, when it is because of its health.
    given_up: OnceLock<String>,
}

impl Care {
    pub(super) fn new(probe: Probe, mask: Mask) -> Arc<Self> {
        Arc::new(Self {
            tally: Mutex::new(Tally::new(&probe, Listed::No)),
            probe,
            mask: Arc::new(mask),
            given_up: OnceLock::new(),
        })
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins anew: it has answered the handshake, and listed its tools or not.
    pub(super) fn begin(&self, listed: Listed) -> Health {
        let mut tally = self.tally();
        *tally = Tally::new(&self.probe, listed);
        tally.health.clone()
    }

    /// Takes in what somebody says, and tells how the copy fares now.
    pub(super) fn note(&self, source: Source, said: Result<(), &str>, at: Timestamp) -> Health {
        let said = said.map_err(|error| {
            let shown = self.mask.text(error).replace(char::is_control, " ");
            shown.chars().take(LONGEST_ERROR).collect()
        });
        let mut tally = self.tally();
        tally.note(&self.probe, source, said, at, Instant::now());
        tally.health.clone()
    }

    /// Whether an answer to a client would change nothing.
    pub(super) fn is_at_ease(&self) -> bool {
        matches!(self.tally().health.state, HealthState::Healthy | HealthState::Unknown)
    }

    pub(super) fn give_up(&self, reason: &str) {
        // The first reason is the one.
        let _ = self.given_up.set(reason.to_owned());
    }

    pub(super) fn given_up(&self) -> Option<&String> {
        self.given_up.get()
    }
}

/// The count.
#[derive(Debug)]
struct Tally {
    health: Health,
    /// Whether a check is among the failures in a row.
    failed_check: bool,
    /// When a client's failure was last counted.
    counted: Option<Instant>,
}

impl Tally {
    fn new(probe: &Probe, listed: Listed) -> Self {
        // That a certain tool answers has still to be shown.
        let state = match (&probe.tool, listed) {
            (None, Listed::Yes) => HealthState::Healthy,
            (Some(_), _) | (None, Listed::No) => HealthState::Unknown,
        };
        Self {
            health: Health {
                state,
                failures: 0,
                last_error: None,
                checked_at: None,
            },
            failed_check: false,
            counted: None,
        }
    }

    fn note(&mut self, probe: &Probe, source: Source, said: Result<(), String>, at: Timestamp, now: Instant) {
        if self.health.state == HealthState::Unhealthy {
            return;
        }
        if source == Source::Check {
            self.health.checked_at = Some(at);
        }
        match (said, source) {
            (Ok(()), Source::Traffic) if probe.tool.is_some() && (self.failed_check || self.is_unknown()) => {}
            (Ok(()), _) => {
                self.health.state = HealthState::Healthy;
                self.health.failures = 0;
                self.health.last_error = None;
                self.failed_check = false;
                self.counted = None;
            }
            (Err(_), Source::Traffic) if self.is_counted(probe.timeout, now) => {}
            (Err(error), source) => {
                match source {
                    Source::Check => self.failed_check = true,
                    Source::Traffic => self.counted = Some(now),
                }
                self.health.failures = self.health.failures.saturating_add(1);
                self.health.last_error = Some(error);
                self.health.state = if self.health.failures >= probe.threshold {
                    HealthState::Unhealthy
                } else {
                    HealthState::Degraded
                };
            }
        }
    }

    const fn is_unknown(&self) -> bool {
        matches!(self.health.state, HealthState::Unknown)
    }

    fn is_counted(&self, burst: Duration, now: Instant) -> bool {
        self.counted.is_some_and(|counted| now.duration_since(counted) < burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said, in a letter each: a check or a call, lower case when it failed; `_` lets a burst pass.
    fn check(tool: Option<&str>, said: &str, state: HealthState, failures: u32) {
        let probe = Probe {
            tool: tool.map(str::to_owned),
            ..Probe::default()
        };
        let mut tally = Tally::new(&probe, Listed::Yes);
        let mut now = Instant::now();
        for letter in said.chars() {
            let (source, answer) = match letter {
                'C' => (Source::Check, Ok(())),
                'c' => (Source::Check, Err("no".to_owned())),
                'T' => (Source::Traffic, Ok(())),
                't' => (Source::Traffic, Err("no".to_owned())),
                _ => {
                    now += probe.timeout;
                    continue;
                }
            };
            tally.note(&probe, source, answer, Timestamp::default(), now);
        }
        assert_eq!((tally.health.state, tally.health.failures), (state, failures), "{said}");
    }

    #[test]
    fn both_sides_move_one_count() {
        use HealthState::{Degraded, Healthy, Unhealthy, Unknown};
        for (tool, said, state, failures) in [
            (None, "", Healthy, 0),
            (None, "c", Degraded, 1),
            (None, "ccC", Healthy, 0),
            (None, "ct_c", Unhealthy, 3),
            (None, "ctT", Healthy, 0),
            // Calls that break off together are one failure.
            (None, "tttttt", Degraded, 1),
            (None, "t_t_t", Unhealthy, 3),
            (None, "tTtTtTt", Degraded, 1),
            // What is given up stays so.
            (None, "cccCT", Unhealthy, 3),
            (Some("echo"), "", Unknown, 0),
            (Some("echo"), "T", Unknown, 0),
            (Some("echo"), "C", Healthy, 0),
            (Some("echo"), "Cc", Degraded, 1),
            // Only the tool itself shows that it answers.
            (Some("echo"), "CcTcTc", Unhealthy, 3),
            (Some("echo"), "CtT", Healthy, 0),
        ] {
            check(tool, said, state, failures);
        }
    }
}
