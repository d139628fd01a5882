//! How much may be asked for: by one principal, and of one server; at once, and in a minute.
//!
//! Rates are kept by the generic cell rate algorithm: a quota may be used in a burst, and comes back evenly. What goes over
//! a limit is refused at once, with the time after which it would not be; nothing waits in a queue.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use governor::clock::{Clock as _, DefaultClock};
use governor::{DefaultDirectRateLimiter, Quota, RateLimiter};
use orch_shared::kinds::server;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// What is said of limits on what is done at once: try again after so long.
const SOON: Duration = Duration::from_secs(1);
/// What nobody has asked about for long is forgotten beyond so many.
const REMEMBERED: usize = 4096;

/// How much may be asked for. Absent means: as much as there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Bounds {
    /// Requests in a minute.
    pub per_minute: Option<NonZeroU32>,
    /// Requests at once.
    pub concurrent: Option<NonZeroU32>,
}

impl Bounds {
    /// The limits that a server declares.
    pub(super) fn of(limits: &server::Limits) -> Self {
        Self {
            per_minute: limits.requests_per_minute,
            concurrent: limits.concurrent,
        }
    }
}

/// A request goes over a limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Over {
    /// Which one, in a clause.
    pub(super) what: String,
    /// After so long it would not.
    pub(super) retry_after: Duration,
}

/// What holds a place while a request is under way.
#[derive(Debug, Default)]
pub(super) struct Place(#[expect(dead_code, reason = "held for its end")] Vec<OwnedSemaphorePermit>);

/// All limits.
#[derive(Debug)]
pub(super) struct Limits {
    principals: Bounds,
    meters: Mutex<HashMap<String, Arc<Meter>>>,
}

#[derive(Debug)]
struct Meter {
    bounds: Bounds,
    rate: Option<DefaultDirectRateLimiter>,
    places: Option<Arc<Semaphore>>,
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
        }
    }

    /// Takes a place and notes a request.
    fn enter(&self, whose: &str) -> Result<Option<OwnedSemaphorePermit>, Over> {
        let place = match &self.places {
            None => None,
            Some(places) => Some(Arc::clone(places).try_acquire_owned().map_err(|_| Over {
                what: format!(
                    "{whose} has {} requests under way, which is all it may have at once",
                    self.bounds.concurrent.map_or(0, NonZeroU32::get)
                ),
                retry_after: SOON,
            })?),
        };
        if let Some(rate) = &self.rate {
            rate.check().map_err(|not_until| Over {
                what: format!(
                    "{whose} may be asked {} times a minute",
                    self.bounds.per_minute.map_or(0, NonZeroU32::get)
                ),
                retry_after: not_until.wait_time_from(DefaultClock::default().now()),
            })?;
        }
        Ok(place)
    }

    fn is_idle(&self) -> bool {
        let all_free = |places: &Arc<Semaphore>| {
            places.available_permits() == self.bounds.concurrent.map_or(0, NonZeroU32::get) as usize
        };
        self.places.as_ref().is_none_or(all_free)
    }
}

impl Limits {
    pub(super) fn new(principals: Bounds) -> Self {
        Self {
            principals,
            meters: Mutex::default(),
        }
    }

    /// Lets a request of a principal to a server through, or says why not. The server is told apart by its uid, and named.
    pub(super) fn enter(&self, principal: &str, uid: &str, name: &str, declared: Bounds) -> Result<Place, Over> {
        let mut places = Vec::new();
        if self.principals != Bounds::default() {
            let meter = self.meter(format!("principal {principal}"), self.principals);
            places.extend(meter.enter(&format!("`{principal}`"))?);
        }
        if declared != Bounds::default() {
            let meter = self.meter(format!("server {uid}"), declared);
            places.extend(meter.enter(&format!("server/{name}"))?);
        }
        Ok(Place(places))
    }

    fn meter(&self, key: String, bounds: Bounds) -> Arc<Meter> {
        let mut meters = self.meters.lock().unwrap_or_else(PoisonError::into_inner);
        // A limit that was declared anew begins anew.
        match meters.get(&key).filter(|meter| meter.bounds == bounds) {
            Some(meter) => Arc::clone(meter),
            None => {
                let meter = Arc::new(Meter::new(bounds));
                meters.insert(key, Arc::clone(&meter));
                meter
            }
        }
    }

    /// Forgets what is not in use, when there is too much of it.
    pub(super) fn sweep(&self) {
        let mut meters = self.meters.lock().unwrap_or_else(PoisonError::into_inner);
        if meters.len() > REMEMBERED {
            meters.retain(|_, meter| !meter.is_idle());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(per_minute: u32, concurrent: u32) -> Bounds {
        Bounds {
            per_minute: NonZeroU32::new(per_minute),
            concurrent: NonZeroU32::new(concurrent),
        }
    }

    #[test]
    fn each_limit_is_its_own() {
        let limits = Limits::new(bounds(0, 2));
        let first = limits.enter("ann", "1", "files", bounds(3, 0)).expect("free");
        let second = limits.enter("ann", "1", "files", bounds(3, 0)).expect("free");
        let over = limits
            .enter("ann", "2", "git", Bounds::default())
            .expect_err("two at once");
        assert_eq!(
            (over.what.as_str(), over.retry_after),
            ("`ann` has 2 requests under way, which is all it may have at once", SOON)
        );
        limits
            .enter("bob", "2", "git", Bounds::default())
            .expect("another principal");
        drop((first, second));
        limits
            .enter("ann", "1", "files", bounds(3, 0))
            .expect("the third of a minute");
        let over = limits.enter("bob", "1", "files", bounds(3, 0)).expect_err("the fourth");
        assert_eq!(over.what, "server/files may be asked 3 times a minute");
        assert!(over.retry_after > Duration::from_secs(10) && over.retry_after <= Duration::from_secs(20));
        limits.enter("bob", "1", "files", bounds(4, 0)).expect("declared anew");
    }
}
