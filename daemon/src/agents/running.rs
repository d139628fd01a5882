//! The turns that are under way in this run of the daemon: how they are ended from outside, and when they are over.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio_util::sync::CancellationToken;

use crate::audit::Withdrawn;

/// Why a turn is ended from outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// Somebody wants it cancelled, or its client has gone away.
    Cancelled,
    /// Whoever it works for may not have it go on.
    Withdrawn,
    /// This run of the daemon ends, or leads no longer. It can be gone on with.
    Ending,
}

/// A turn that is under way.
#[derive(Debug)]
pub(super) struct Going {
    thread: String,
    stop: CancellationToken,
    why: Mutex<Option<Why>>,
    over: CancellationToken,
}

impl Going {
    /// Has it end; the first reason counts.
    pub(super) fn end(&self, why: Why) {
        self.why
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .get_or_insert(why);
        self.stop.cancel();
    }

    /// Waits until it is to end, and says why.
    pub(super) async fn ended(&self) -> Why {
        self.stop.cancelled().await;
        let why = *self.why.lock().unwrap_or_else(PoisonError::into_inner);
        why.unwrap_or(Why::Cancelled)
    }

    /// Waits until it is over, and all of that is written down.
    pub(super) async fn over(&self) {
        self.over.cancelled().await;
    }
}

/// The turns that are under way, by thread. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(super) struct Registry(Arc<Mutex<HashMap<String, Arc<Going>>>>);

impl Registry {
    fn held(&self) -> MutexGuard<'_, HashMap<String, Arc<Going>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes the place of the one turn that a thread has at a time, before anything of it is written down; the turn that has
    /// it where it is taken. What the store has under way in a thread whose place is free is worked at by nobody.
    pub(super) fn begin(&self, thread: &str) -> Result<Place, Arc<Going>> {
        let mut held = self.held();
        if let Some(going) = held.get(thread) {
            return Err(Arc::clone(going));
        }
        let going = Arc::new(Going {
            thread: thread.to_owned(),
            stop: CancellationToken::new(),
            why: Mutex::default(),
            over: CancellationToken::new(),
        });
        held.insert(thread.to_owned(), Arc::clone(&going));
        drop(held);
        let registry = self.clone();
        Ok(Place { going, registry })
    }

    /// The turn of a thread that is under way.
    pub(super) fn find(&self, thread: &str) -> Option<Arc<Going>> {
        self.held().get(thread).cloned()
    }

    /// Ends all of them, and waits for that.
    pub(super) async fn end_all(&self, why: Why) {
        let all: Vec<_> = self.held().values().cloned().collect();
        for going in &all {
            going.end(why);
        }
        for going in all {
            going.over().await;
        }
    }
}

/// The place of the one turn that a thread has at a time. Letting go of it says that the turn is over.
#[derive(Debug)]
pub(super) struct Place {
    going: Arc<Going>,
    registry: Registry,
}

impl Place {
    /// The turn that has it.
    pub(super) const fn going(&self) -> &Arc<Going> {
        &self.going
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.registry.held().remove(&self.going.thread);
        self.going.over.cancel();
    }
}

/// Ends a turn when its client lets go of it, or has to.
#[derive(Debug)]
pub(super) struct Tie {
    pub(super) going: Arc<Going>,
    pub(super) withdrawn: Withdrawn,
}

impl Drop for Tie {
    fn drop(&mut self) {
        self.going.end(match self.withdrawn.why() {
            Some(_) => Why::Withdrawn,
            None => Why::Cancelled,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_thread_has_one_place() {
        let registry = Registry::default();
        let place = registry.begin("a").expect("it is free");
        let other = registry.begin("b").expect("it is another thread");
        let known = registry.begin("a").expect_err("it is taken");
        assert!(Arc::ptr_eq(&known, place.going()));
        known.end(Why::Withdrawn);
        known.end(Why::Cancelled);
        assert_eq!(place.going().ended().await, Why::Withdrawn, "the first reason counts");
        drop(place);
        known.over().await;
        assert!(registry.find("a").is_none() && registry.find("b").is_some());
        drop(registry.begin("a").expect("it is free again"));
        drop(other);
    }
}
