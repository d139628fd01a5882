//! How much may be asked for: by one principal, with one token, of one server or model; at once, and in a minute.
//!
//! What enters: whose request it is, with the limits that hold for each of them. What leaves: a [`Place`] that is given back
//! when the request is over, or which limit it goes over. What it never does: let a request wait; what goes over a limit is
//! refused at once, with the time after which it would not be.
//!
//! Rates of requests are kept by the generic cell rate algorithm: a quota may be used in a burst, and comes back evenly. How
//! many tokens a request takes is known when it is over: it may begin while any are left, and what it took too much is paid
//! off before the next one.

use std::collections::HashMap;
use std::num::{NonZeroU32, NonZeroU64};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What is said of limits on what is done at once: try again after so long.
const SOON: Duration = Duration::from_secs(1);
/// What nobody has asked about for long is forgotten beyond so many.
const REMEMBERED: usize = 4096;
/// Seconds in which a quota of tokens comes back.
const MINUTE: f64 = 60.0;

/// How much may be asked for. Absent means: as much as there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bounds {
    /// Requests in a minute.
    pub per_minute: Option<NonZeroU32>,
    /// Requests at once.
    pub concurrent: Option<NonZeroU32>,
    /// Tokens in a minute, those in and those out.
    pub tokens_per_minute: Option<NonZeroU64>,
}

/// Whose request it is, and what holds for that one.
#[derive(Debug, Clone, Copy)]
pub struct Whose<'w> {
    /// What it is, in a word: `principal`, `server`.
    pub kind: &'static str,
    /// What tells it apart from others of its kind, for ever: a name that is not given twice, or a uid.
    pub id: &'w str,
    /// What people call it.
    pub name: &'w str,
    /// What holds.
    pub bounds: Bounds,
}

/// A request goes over a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Over {
    /// Which one, in a clause.
    pub what: String,
    /// After so long it would not.
    pub retry_after: Duration,
}

/// What holds a place while a request is under way.
#[derive(Debug, Default)]
pub struct Place(Vec<Held>);

#[derive(Debug)]
struct Held {
    meter: Arc<Meter>,
    #[expect(dead_code, reason = "held for its end")]
    permit: Option<OwnedSemaphorePermit>,
}

impl Place {
    /// Whether tokens are counted.
    #[must_use]
    pub fn counts_tokens(&self) -> bool {
        self.0.iter().any(|held| held.meter.tokens.is_some())
    }

    /// Notes how many tokens the request took.
    pub fn took(&self, tokens: u64) {
        let metered = self.0.iter().filter_map(|held| held.meter.tokens.as_ref());
        metered.for_each(|quota| quota.take(tokens, Instant::now()));
    }
}

/// All limits.
#[derive(Debug, Default)]
pub struct Limits {
    meters: Mutex<HashMap<String, Arc<Meter>>>,
}

#[derive(Debug)]
struct Meter {
    bounds: Bounds,
    rate: Option<DefaultDirectRateLimiter>,
    places: Option<Arc<Semaphore>>,
    tokens: Option<TokenQuota>,
}

/// Tokens that may be taken, which come back evenly. There may be fewer than none.
#[derive(Debug)]
struct TokenQuota {
    most: f64,
    left: Mutex<(f64, Instant)>,
}

impl TokenQuota {
    #[expect(clippy::cast_precision_loss, reason = "nobody counts tokens beyond 2^52")]
    fn new(most: NonZeroU64, now: Instant) -> Self {
        let most = most.get() as f64;
        Self {
            most,
            left: Mutex::new((most, now)),
        }
    }

    /// How long it takes until there are any; nothing when there are.
    fn wait(&self, now: Instant) -> Option<Duration> {
        let left = self.at(now, 0.0);
        (left <= 0.0).then(|| Duration::from_secs_f64((1.0 - left) * MINUTE / self.most))
    }

    #[expect(clippy::cast_precision_loss, reason = "nobody counts tokens beyond 2^52")]
    fn take(&self, tokens: u64, now: Instant) {
        self.at(now, tokens as f64);
    }

    fn at(&self, now: Instant, taken: f64) -> f64 {
        let mut known = self.left.lock().unwrap_or_else(PoisonError::into_inner);
        let (left, since) = *known;
        let back = now.saturating_duration_since(since).as_secs_f64() * self.most / MINUTE;
        *known = ((left + back).min(self.most) - taken, now);
        known.0
    }
}

impl Meter {
    fn new(bounds: Bounds) -> Self {
        Self {
            bounds,
            rate: bounds
                .per_minute
                .map(|most| RateLimiter::direct(Quota::per_minute(most))),
            places: bounds
                .concurrent
                .map(|most| Arc::new(Semaphore::new(most.get() as usize))),
            tokens: bounds
                .tokens_per_minute
                .map(|most| TokenQuota::new(most, Instant::now())),
        }
    }

    /// Takes a place and notes a request.
    fn enter(self: Arc<Self>, whose: Whose<'_>) -> Result<Held, Over> {
        let permit = match &self.places {
            None => None,
            Some(places) => Some(Arc::clone(places).try_acquire_owned().map_err(|_| Over {
                what: format!(
                    "{whose} has {} requests under way, which is all it may have at once",
                    self.bounds.concurrent.map_or(0, NonZeroU32::get)
                ),
                retry_after: SOON,
            })?),
        };
        if let (Some(tokens), Some(most)) = (&self.tokens, self.bounds.tokens_per_minute)
            && let Some(retry_after) = tokens.wait(Instant::now())
        {
            return Err(Over {
                what: format!("{whose} may take {most} tokens a minute"),
                retry_after,
            });
        }
        if let Some(rate) = &self.rate {
            rate.check().map_err(|not_until| Over {
                what: format!(
                    "{whose} may be asked {} times a minute",
                    self.bounds.per_minute.map_or(0, NonZeroU32::get)
                ),
                retry_after: not_until.wait_time_from(DefaultClock::default().now()),
            })?;
        }
        Ok(Held { meter: self, permit })
    }

    fn is_idle(&self) -> bool {
        let all_free = |places: &Arc<Semaphore>| {
            places.available_permits() == self.bounds.concurrent.map_or(0, NonZeroU32::get) as usize
        };
        let is_owed = |tokens: &TokenQuota| tokens.wait(Instant::now()).is_some();
        self.places.as_ref().is_none_or(all_free) && !self.tokens.as_ref().is_some_and(is_owed)
    }
}

impl std::fmt::Display for Whose<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.kind {
            "principal" => write!(f, "`{}`", self.name),
            kind => write!(f, "{kind}/{}", self.name),
        }
    }
}

impl Limits {
    /// Lets a request through, or says why not.
    ///
    /// # Errors
    /// When it goes over the limits of one of those whose it is.
    pub fn enter(&self, all: &[Whose<'_>]) -> Result<Place, Over> {
        let bounded = all.iter().filter(|whose| whose.bounds != Bounds::default());
        let places = bounded.map(|whose| self.meter(*whose).enter(*whose));
        places.collect::<Result<_, _>>().map(Place)
    }

    fn meter(&self, whose: Whose<'_>) -> Arc<Meter> {
        let key = format!("{} {}", whose.kind, whose.id);
        let mut meters = self.meters.lock().unwrap_or_else(PoisonError::into_inner);
        // A limit that was declared anew begins anew.
        match meters.get(&key).filter(|meter| meter.bounds == whose.bounds) {
            Some(meter) => Arc::clone(meter),
            None => {
                let meter = Arc::new(Meter::new(whose.bounds));
                meters.insert(key, Arc::clone(&meter));
                meter
            }
        }
    }

    /// Forgets what is not in use, when there is too much of it.
    pub fn sweep(&self) {
        let mut meters = self.meters.lock().unwrap_or_else(PoisonError::into_inner);
        if meters.len() > REMEMBERED {
            meters.retain(|_, meter| !meter.is_idle());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(per_minute: u32, concurrent: u32, tokens: u64) -> Bounds {
        Bounds {
            per_minute: NonZeroU32::new(per_minute),
            concurrent: NonZeroU32::new(concurrent),
            tokens_per_minute: NonZeroU64::new(tokens),
        }
    }

    fn principal(name: &str) -> Whose<'_> {
        Whose {
            kind: "principal",
            id: name,
            name,
            bounds: bounds(0, 2, 0),
        }
    }

    fn server<'s>(id: &'s str, name: &'s str, bounds: Bounds) -> Whose<'s> {
        let kind = "server";
        Whose { kind, id, name, bounds }
    }

    #[test]
    fn each_limit_is_its_own() {
        let limits = Limits::default();
        let files = |per_minute| server("1", "files", bounds(per_minute, 0, 0));
        let first = limits.enter(&[principal("ann"), files(3)]).expect("free");
        let second = limits.enter(&[principal("ann"), files(3)]).expect("free");
        let git = server("2", "git", Bounds::default());
        let over = limits.enter(&[principal("ann"), git]).expect_err("two at once");
        assert_eq!(
            (over.what.as_str(), over.retry_after),
            ("`ann` has 2 requests under way, which is all it may have at once", SOON)
        );
        limits.enter(&[principal("bob"), git]).expect("another principal");
        drop((first, second));
        limits
            .enter(&[principal("ann"), files(3)])
            .expect("the third of a minute");
        let over = limits.enter(&[principal("bob"), files(3)]).expect_err("the fourth");
        assert_eq!(over.what, "server/files may be asked 3 times a minute");
        assert!(over.retry_after > Duration::from_secs(10) && over.retry_after <= Duration::from_secs(20));
        limits.enter(&[principal("bob"), files(4)]).expect("declared anew");
    }

    #[test]
    fn tokens_are_owed_until_they_have_come_back() {
        let limits = Limits::default();
        let demo = [server("1", "demo", bounds(0, 0, 600))];
        let place = limits.enter(&demo).expect("all are left");
        place.took(1200);
        let over = limits.enter(&demo).expect_err("more are owed than there are");
        assert_eq!(over.what, "server/demo may take 600 tokens a minute");
        assert!(over.retry_after > Duration::from_secs(55) && over.retry_after < Duration::from_secs(65));

        let start = Instant::now();
        let quota = TokenQuota::new(NonZeroU64::new(600).unwrap(), start);
        for (after, taken, is_open) in [
            (0, 599, true),
            (0, 1, false),
            (1, 0, true),
            (1, 10, false),
            (2, 0, true),
            (100, 0, true),
            (100, 600, false),
        ] {
            let now = start + Duration::from_secs(after);
            quota.take(taken, now);
            assert_eq!(quota.wait(now).is_none(), is_open, "{after} s, {taken} taken");
        }
    }
}
