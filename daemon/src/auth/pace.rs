//! How often one principal may ask for what is dear or dangerous: logins, new tokens, looks at credentials, writes.

use std::num::NonZeroU32;
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use orch_shared::problem::{Code, Problem};

/// When so many are remembered, those that have not asked lately are forgotten.
const REMEMBERED: usize = 10_000;

/// The limits.
pub struct Pace {
    logins: DefaultKeyedRateLimiter<String>,
    introspections: DefaultKeyedRateLimiter<String>,
    tokens: DefaultKeyedRateLimiter<String>,
    writes: DefaultKeyedRateLimiter<String>,
}

impl Pace {
    /// Limits, of which that of writes is given: so many in a minute.
    #[must_use]
    pub fn new(writes: NonZeroU32) -> Self {
        let per_minute =
            |count: u32| NonZeroU32::new(count).map_or_else(|| Quota::per_minute(NonZeroU32::MIN), Quota::per_minute);
        Self {
            logins: RateLimiter::keyed(per_minute(20)),
            introspections: RateLimiter::keyed(per_minute(60)),
            tokens: RateLimiter::keyed(per_minute(60)),
            writes: RateLimiter::keyed(Quota::per_minute(writes)),
        }
    }

    /// Lets a login be tried.
    ///
    /// # Errors
    /// When that name was tried too often.
    pub fn login(&self, name: &str) -> Result<(), Problem> {
        let name: String = name.chars().take(64).collect();
        check(&self.logins, &name, "logins with this name")
    }

    /// Lets a credential be looked at.
    ///
    /// # Errors
    /// When that principal has asked too often.
    pub fn introspection(&self, principal: &str) -> Result<(), Problem> {
        check(&self.introspections, principal, "looks at credentials")
    }

    /// Lets a token be made.
    ///
    /// # Errors
    /// When that principal has made too many.
    pub fn token(&self, principal: &str) -> Result<(), Problem> {
        check(&self.tokens, principal, "new tokens")
    }

    /// Lets something be written.
    ///
    /// # Errors
    /// When that principal has written too much.
    pub fn write(&self, principal: &str) -> Result<(), Problem> {
        check(&self.writes, principal, "writes")
    }
}

fn check(limiter: &DefaultKeyedRateLimiter<String>, key: &str, what: &str) -> Result<(), Problem> {
    if limiter.len() > REMEMBERED {
        limiter.retain_recent();
    }
    limiter.check_key(&key.to_owned()).map_err(|not_until| {
        let wait = not_until.wait_time_from(DefaultClock::default().now());
        let seconds = wait.max(Duration::from_secs(1)).as_secs();
        Problem::new(Code::TooMany, format!("too many {what} in a minute")).retry_after(seconds)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_a_measure_of_its_own() {
        let pace = Pace::new(NonZeroU32::new(2).expect("two"));
        assert!(pace.write("ann").is_ok() && pace.write("ann").is_ok());
        let over = pace.write("ann").expect_err("a third");
        assert_eq!(over.code, Code::TooMany);
        assert!(over.retry_after.is_some_and(|seconds| (1..=60).contains(&seconds)));
        assert!(pace.write("bob").is_ok());
    }
}
