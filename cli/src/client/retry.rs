//! When to try again: exponential, jittered, honouring Retry-After, and never for longer than a person would wait.
//!
//! Pure: waits, what a try has taken and the dice are values; sleeping is the caller's.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

/// How long refusals are met with patience, all tries and waits of a request together.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);
/// The same where an object that is being deleted is in the way: its processes get time to stop.
pub(super) const PATIENCE_WITH_DELETION: Duration = Duration::from_secs(60);

const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(5);

/// What to do after a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wait {
    /// Try again after so long.
    For(Duration),
    /// Take no for an answer.
    GiveUp,
}

/// The waits between tries of one request.
#[derive(Debug)]
pub(super) struct Backoff {
    step: Duration,
    spent: Duration,
    patience: Duration,
}

impl Backoff {
    /// No wait yet, and no more than `patience` altogether, tries included.
    pub(super) const fn new(patience: Duration) -> Self {
        Self {
            step: FIRST,
            spent: Duration::ZERO,
            patience,
        }
    }

    /// The next wait, after a try that has taken so long; the next one is thought to take as long. `asked` is what the daemon
    /// asked for, and the least that is waited; `dice` is between 0 and 1.
    pub(super) fn next(&mut self, took: Duration, asked: Option<Duration>, dice: f64) -> Wait {
        // Half of the step is fixed, half is diced, so that those who were refused together do not return together.
        let pause = self
            .step
            .mul_f64(0.5 + dice.clamp(0.0, 1.0) / 2.0)
            .max(asked.unwrap_or_default());
        self.spent += took;
        if self.spent + pause + took > self.patience {
            return Wait::GiveUp;
        }
        self.step = (self.step * 2).min(LONGEST);
        self.spent += pause;
        Wait::For(pause)
    }

    /// All tries and waits so far.
    pub(super) const fn spent(&self) -> Duration {
        self.spent
    }
}

/// A number between 0 and 1 from the seeds that the standard library draws for its hash maps.
pub(super) fn jitter() -> f64 {
    let bits = u32::try_from(RandomState::new().hash_one(0_u8) >> 32).unwrap_or_default();
    f64::from(bits) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: fn(u64) -> Duration = Duration::from_millis;

    #[test]
    fn waits_double_and_end() {
        let mut backoff = Backoff::new(MS(1000));
        let waits: Vec<Wait> = (0..5).map(|_| backoff.next(MS(0), None, 1.0)).collect();
        let expected = [
            Wait::For(MS(100)),
            Wait::For(MS(200)),
            Wait::For(MS(400)),
            Wait::GiveUp,
            Wait::GiveUp,
        ];
        assert_eq!(waits, expected);
        assert_eq!(backoff.spent(), MS(700));
    }

    #[test]
    fn the_daemons_wish_is_the_least() {
        let mut backoff = Backoff::new(MS(10_000));
        assert_eq!(backoff.next(MS(0), Some(MS(3000)), 0.0), Wait::For(MS(3000)));
        assert_eq!(backoff.next(MS(0), Some(MS(0)), 0.0), Wait::For(MS(100)));
        assert_eq!(
            backoff.next(MS(0), Some(MS(60_000)), 0.0),
            Wait::GiveUp,
            "longer than anybody would wait"
        );
    }

    #[test]
    fn tries_take_their_time_too() {
        let mut backoff = Backoff::new(MS(15_000));
        let waits: Vec<Wait> = (0..3).map(|_| backoff.next(MS(4500), Some(MS(1000)), 1.0)).collect();
        assert_eq!(waits, [Wait::For(MS(1000)), Wait::GiveUp, Wait::GiveUp]);
    }

    #[test]
    fn no_wait_is_longer_than_the_longest() {
        let mut backoff = Backoff::new(Duration::from_secs(3600));
        let longest = (0..20).map(|_| match backoff.next(MS(0), None, 1.0) {
            Wait::For(pause) => pause,
            Wait::GiveUp => Duration::MAX,
        });
        assert_eq!(longest.max(), Some(LONGEST));
    }

    #[test]
    fn dice_stay_between_nothing_and_one() {
        assert!((0..100).map(|_| jitter()).all(|dice| (0.0..=1.0).contains(&dice)));
    }
}
