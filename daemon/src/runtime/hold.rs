//! Holds: who needs a copy although nothing is under way in the conversation that all share. A call in a conversation of a
//! session's own holds the copy, and so does a session that sticks to it, so that a copy which is to go waits for the call
//! and the session to end, or for its time to be over.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::supervisor::Bell;

/// Who uses a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// Calls that are under way.
    pub calls: usize,
    /// Those who need it although no call is under way.
    pub holds: usize,
}

/// What a copy is held for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// A call that is under way in a conversation of somebody's own.
    Call,
    /// A session that sticks to it.
    Session,
}

/// How many hold a copy.
#[derive(Clone, Default)]
pub(super) struct Holds(Arc<Counts>);

#[derive(Default)]
struct Counts {
    calls: AtomicUsize,
    sessions: AtomicUsize,
}

impl Holds {
    /// How many hold it for that.
    pub(super) fn count(&self, what: Use) -> usize {
        self.of(what).load(Ordering::Relaxed)
    }

    fn of(&self, what: Use) -> &AtomicUsize {
        match what {
            Use::Call => &self.0.calls,
            Use::Session => &self.0.sessions,
        }
    }

    pub(super) fn take(&self, uid: &str, what: Use, bell: &Bell) -> Hold {
        self.of(what).fetch_add(1, Ordering::Relaxed);
        Hold {
            holds: self.clone(),
            what,
            uid: uid.to_owned(),
            bell: Arc::clone(bell),
        }
    }
}

/// Somebody needs a copy, until this is dropped.
pub struct Hold {
    holds: Holds,
    what: Use,
    uid: String,
    bell: Bell,
}

impl std::fmt::Debug for Hold {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Hold").field("uid", &self.uid).finish_non_exhaustive()
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        let was_last = self.holds.of(self.what).fetch_sub(1, Ordering::Relaxed) == 1;
        // Calls are too many to tell of each; whoever waits for their end looks from time to time.
        if was_last && self.what == Use::Session {
            // Whoever waits for the copy to be free looks again.
            (self.bell)(&self.uid);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_to_let_go_is_told_of() {
        let rung = Arc::new(AtomicUsize::new(0));
        let bell: Bell = {
            let rung = Arc::clone(&rung);
            Arc::new(move |uid: &str| {
                assert_eq!(uid, "u");
                rung.fetch_add(1, Ordering::Relaxed);
            })
        };
        let holds = Holds::default();
        let (one, two) = (
            holds.take("u", Use::Session, &bell),
            holds.take("u", Use::Session, &bell),
        );
        let call = holds.take("u", Use::Call, &bell);
        assert_eq!((holds.count(Use::Call), holds.count(Use::Session)), (1, 2));
        drop(call);
        drop(one);
        assert_eq!((holds.count(Use::Session), rung.load(Ordering::Relaxed)), (1, 0));
        drop(two);
        assert_eq!((holds.count(Use::Session), rung.load(Ordering::Relaxed)), (0, 1));
    }
}
