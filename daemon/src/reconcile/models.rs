//! How models fare when they are asked, and which are left alone for a while because they do not answer.
//!
//! Flow: whoever asks models says what came of it. A model that failed several times in a row is left alone; after a while
//! one request is let through, and by what comes of it all others are. When that changes, the reconciler looks at the model
//! and says so in its status, as the condition `Available`. Each daemon knows what it has asked itself; the one that
//! reconciles says what it knows.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use orch_shared::excerpt::printable;
use tokio::sync::mpsc::UnboundedSender;
use tokio::time::Instant;

/// So many failures in a row are no accident.
const FAILURES: u32 = 5;
/// How long a model is left alone.
const REST: Duration = Duration::from_secs(20);
/// A failure is news again when the one before it is that old.
const OLD: Duration = Duration::from_secs(60);
/// So many characters of a reason are told.
const LONGEST: usize = 300;

/// How models fare. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Models(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// Rings for a key.
    bell: UnboundedSender<String>,
    known: Mutex<HashMap<Arc<str>, Fare>>,
}

#[derive(Debug, Default)]
struct Fare {
    /// In a row.
    failures: u32,
    /// Until then it is left alone.
    until: Option<Instant>,
    /// When it failed last.
    failed: Option<Instant>,
    /// Why it failed last, in a clause.
    why: String,
}

/// A model is left alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resting {
    /// Why it failed last, in a clause.
    pub why: String,
    /// For how long still.
    pub left: Duration,
}

/// A model failed so often that it is left alone, and has not answered since.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failing {
    /// Why it failed last, in a clause.
    pub why: String,
    /// How long that is ago.
    pub ago: Duration,
}

impl Models {
    /// Rings that bell with the uid of a model of which there is news.
    #[must_use]
    pub fn new(bell: UnboundedSender<String>) -> Self {
        Self(Arc::new(Shared {
            bell,
            known: Mutex::default(),
        }))
    }

    fn known(&self) -> MutexGuard<'_, HashMap<Arc<str>, Fare>> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a model may be asked now. One that was left alone for long enough is asked once, to see how it fares.
    ///
    /// # Errors
    /// While it is left alone.
    pub fn may_ask(&self, uid: &str) -> Result<(), Resting> {
        let mut known = self.known();
        let Some(fare) = known.get_mut(uid) else { return Ok(()) };
        let Some(until) = fare.until else { return Ok(()) };
        let now = Instant::now();
        if now < until {
            return Err(Resting {
                why: fare.why.clone(),
                left: until - now,
            });
        }
        // The others wait for what comes of it.
        fare.until = Some(now + REST);
        Ok(())
    }

    /// A model has answered, well or not.
    pub fn answered(&self, uid: &str) {
        let before = self.known().remove(uid);
        if before.is_some_and(|fare| fare.until.is_some()) {
            self.ring(uid);
        }
    }

    /// A model did not answer: why, in a clause.
    pub fn failed(&self, uid: &Arc<str>, why: &str) {
        let is_news = {
            let mut known = self.known();
            let fare = known.entry(Arc::clone(uid)).or_default();
            let now = Instant::now();
            let before = fare.failed.replace(now);
            fare.failures = fare.failures.saturating_add(1);
            fare.why = printable(why).chars().take(LONGEST).collect();
            if fare.failures >= FAILURES {
                fare.until = Some(now + REST);
            }
            let is_old = before.is_none_or(|before| now.duration_since(before) >= OLD);
            fare.failures == FAILURES || (fare.failures > FAILURES && is_old)
        };
        if is_news {
            self.ring(uid);
        }
    }

    /// Why a model keeps failing, if it does.
    #[must_use]
    pub fn failing(&self, uid: &str) -> Option<Failing> {
        let known = self.known();
        let fare = known.get(uid)?;
        fare.until?;
        Some(Failing {
            why: fare.why.clone(),
            ago: fare.failed?.elapsed(),
        })
    }

    /// Drops what is known of a model: it is gone, or another one by now.
    pub fn forget(&self, uid: &str) {
        self.known().remove(uid);
    }

    fn ring(&self, uid: &str) {
        // Fails only when the daemon is shutting down.
        drop(self.0.bell.send(uid.to_owned()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_model_that_keeps_failing_is_left_alone_and_tried_again() {
        let (bell, mut rung) = tokio::sync::mpsc::unbounded_channel();
        let models = Models::new(bell);
        let uid: Arc<str> = "demo".into();
        for _ in 1..FAILURES {
            models.failed(&uid, "HTTP 500");
            models.may_ask(&uid).expect("not yet");
        }
        assert!(rung.try_recv().is_err());
        models.failed(&uid, "HTTP 503");
        assert_eq!(rung.try_recv().as_deref(), Ok("demo"));
        assert_eq!(
            models.failing(&uid).map(|failing| failing.why).as_deref(),
            Some("HTTP 503")
        );
        let resting = models.may_ask(&uid).expect_err("it is left alone");
        assert_eq!((resting.why.as_str(), resting.left), ("HTTP 503", REST));

        // After a while, one is let through; it fails, and all wait again.
        tokio::time::advance(REST).await;
        models.may_ask(&uid).expect("once");
        models.may_ask(&uid).expect_err("only once");
        models.failed(&uid, "HTTP 503");
        models.may_ask(&uid).expect_err("it still fails");
        assert!(rung.try_recv().is_err(), "that is no news");
        // Long after, it is.
        tokio::time::advance(OLD).await;
        models.may_ask(&uid).expect("once");
        assert!(models.failing(&uid).is_some_and(|failing| failing.ago >= OLD));
        models.failed(&uid, "HTTP 503");
        assert_eq!(rung.try_recv().as_deref(), Ok("demo"));

        tokio::time::advance(REST).await;
        models.may_ask(&uid).expect("once");
        models.answered(&uid);
        assert_eq!(rung.try_recv().as_deref(), Ok("demo"));
        models.may_ask(&uid).expect("it is well");
        assert_eq!(models.failing(&uid), None);
        // Failures that are not in a row are accidents.
        for _ in 0..3 * FAILURES {
            models.failed(&uid, "HTTP 500");
            models.answered(&uid);
        }
        models.may_ask(&uid).expect("it answers");
    }
}
