//! How often one principal may ask for what is dear or dangerous: logins, new tokens, looks at credentials, writes.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use orch_shared::problem::{Code, Problem};

/// When so many are remembered, those that have not asked lately are forgotten.
const REMEMBERED: usize = 10_000;

/// So many logins may fail from one address, and as many more in each minute. Behind a proxy all have one address.
const FAILED: f64 = 120.0;

/// The limits.
pub struct Pace {
    failed: Addresses,
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
            failed: Addresses::default(),
            logins: RateLimiter::keyed(per_minute(20)),
            introspections: RateLimiter::keyed(per_minute(60)),
            tokens: RateLimiter::keyed(per_minute(60)),
            writes: RateLimiter::keyed(Quota::per_minute(writes)),
        }
    }

    /// Lets a login be tried. It counts as one that failed until it is known to be none: see [`Self::spare`].
    ///
    /// # Errors
    /// When too many have failed that came from there, or that name was tried too often.
    pub fn login(&self, name: &str, from: Option<IpAddr>) -> Result<(), Problem> {
        if let Some(from) = from {
            self.failed.charge(from, Instant::now())?;
        }
        let name: String = name.chars().take(64).collect();
        check(&self.logins, &name, "logins with this name").inspect_err(|_| self.spare(from))
    }

    /// A login from there that was tried has not failed.
    pub fn spare(&self, from: Option<IpAddr>) {
        if let Some(from) = from {
            self.failed.give_back(from);
        }
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

/// How many logins may still fail from each address.
#[derive(Default)]
struct Addresses(Mutex<HashMap<IpAddr, Left>>);

/// So many were left at that time.
struct Left {
    count: f64,
    at: Instant,
}

impl Left {
    fn by(&self, now: Instant) -> f64 {
        let minutes = now.saturating_duration_since(self.at).as_secs_f64() / 60.0;
        minutes.mul_add(FAILED, self.count).min(FAILED)
    }
}

impl Addresses {
    fn known(&self) -> MutexGuard<'_, HashMap<IpAddr, Left>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn charge(&self, from: IpAddr, now: Instant) -> Result<(), Problem> {
        let mut known = self.known();
        if known.len() >= REMEMBERED {
            known.retain(|_, left| left.by(now) < FAILED);
        }
        let left = known.entry(one_of(from)).or_insert(Left { count: FAILED, at: now });
        let count = left.by(now);
        *left = Left { count, at: now };
        if count < 1.0 {
            let wait = Duration::from_secs_f64((1.0 - count) * 60.0 / FAILED);
            return Err(Problem::new(
                Code::TooMany,
                "too many logins from this address have failed in a minute",
            )
            .retry_after(wait.as_secs() + 1));
        }
        left.count -= 1.0;
        Ok(())
    }

    fn give_back(&self, to: IpAddr) {
        if let Some(left) = self.known().get_mut(&one_of(to)) {
            left.count = (left.count + 1.0).min(FAILED);
        }
    }
}

/// What counts as one address: whoever has one of IPv6 has all that begin with the same 64 bits.
fn one_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() >> 64 << 64)),
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

    #[test]
    fn logins_that_fail_are_counted_by_address() {
        let (addresses, start) = (Addresses::default(), Instant::now());
        let address = |text: &str| text.parse::<IpAddr>().expect("an address");
        let fail = |from: &str, now: Instant| addresses.charge(address(from), now);
        let most = (0..).take_while(|_| fail("10.0.0.1", start).is_ok()).count();
        assert_eq!(most, 120);
        let over = fail("::ffff:10.0.0.1", start).expect_err("the same address");
        assert_eq!((over.code, over.retry_after), (Code::TooMany, Some(1)));
        assert!(fail("10.0.0.2", start).is_ok());
        // What has not failed is given back, and more may fail after a while.
        addresses.give_back(address("10.0.0.1"));
        assert!(fail("10.0.0.1", start).is_ok() && fail("10.0.0.1", start).is_err());
        let later = start + Duration::from_secs(10);
        assert_eq!((0..).take_while(|_| fail("10.0.0.1", later).is_ok()).count(), 20);
        // A network of IPv6 is one address.
        while fail("2001:db8::1", start).is_ok() {}
        assert!(fail("2001:db8::2", start).is_err() && fail("2001:db8:0:1::1", start).is_ok());
    }
}
