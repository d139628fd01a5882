//! Holds: who needs a copy although no call is under way. A session that sticks to a copy holds it, so that one which is to
//! go waits for the session to end, or for its time to be over.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::supervisor::Bell;

/// Who uses a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Load {
    /// Calls that are under way in the conversation that all share.
    pub calls: usize,
    /// Those who need it although no call is under way.
    pub holds: usize,
}

/// How many hold a copy.
#[derive(Clone, Default)]
pub(super) struct Holds(Arc<AtomicUsize>);

impl Holds {
    pub(super) fn count(&self) -> usize {
        self.0.load(Ordering::Relaxed)
    }

    pub(super) fn take(&self, uid: &str, bell: &Bell) -> Hold {
        self.0.fetch_add(1, Ordering::Relaxed);
        Hold {
            holds: self.clone(),
            uid: uid.to_owned(),
            bell: Arc::clone(bell),
        }
    }
}

/// Somebody needs a copy, until this is dropped.
pub struct Hold {
    holds: Holds,
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
        if self.holds.0.fetch_sub(1, Ordering::Relaxed) == 1 {
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
        let (one, two) = (holds.take("u", &bell), holds.take("u", &bell));
        assert_eq!(holds.count(), 2);
        drop(one);
        assert_eq!((holds.count(), rung.load(Ordering::Relaxed)), (1, 0));
        drop(two);
        assert_eq!((holds.count(), rung.load(Ordering::Relaxed)), (0, 1));
    }
}
