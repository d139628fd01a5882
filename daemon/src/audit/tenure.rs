//! What is streamed to somebody, as long as they may have it: when it ends before its end, and in which words.
//!
//! What enters: what a door says of a stream that it answers with. It goes along with the response. What leaves: whether the
//! stream goes on for somebody whose rights have changed, the last that is said when it does not, and why it has ended, for
//! whoever writes down what has become of it.

use std::fmt;
use std::sync::{Arc, OnceLock};

use orch_shared::access::Principal;
use orch_shared::problem::Problem;

use crate::store::Snapshot;

/// Why a stream has ended before its end, once it has: rights were withdrawn. Clones are of the same stream.
#[derive(Debug, Clone, Default)]
pub struct Withdrawn(Arc<OnceLock<&'static str>>);

impl Withdrawn {
    /// Notes it, in a clause; the first one counts.
    pub fn note(&self, why: &'static str) {
        let _first = self.0.set(why);
    }

    /// The clause, if rights were withdrawn.
    #[must_use]
    pub fn why(&self) -> Option<&'static str> {
        self.0.get().copied()
    }
}

type Allows = dyn Fn(&Principal, &Snapshot) -> bool + Send + Sync;
type Farewell = dyn Fn(&Problem) -> Vec<u8> + Send + Sync;

/// When a stream may go on, and what is said when it may not.
#[derive(Clone)]
pub struct Tenure {
    allows: Arc<Allows>,
    farewell: Arc<Farewell>,
    withdrawn: Withdrawn,
}

impl fmt::Debug for Tenure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tenure")
            .field("withdrawn", &self.withdrawn)
            .finish_non_exhaustive()
    }
}

impl Tenure {
    /// It goes on for as long as the request would be let through, which is what `allows` decides as it was decided when the
    /// stream began.
    #[must_use]
    pub fn new(allows: impl Fn(&Principal, &Snapshot) -> bool + Send + Sync + 'static) -> Self {
        Self {
            allows: Arc::new(allows),
            farewell: Arc::new(|_| Vec::new()),
            withdrawn: Withdrawn::default(),
        }
    }

    /// What is said last when it may not go on, in the words of the stream. It may come in the middle of something.
    #[must_use]
    pub fn saying(self, farewell: impl Fn(&Problem) -> Vec<u8> + Send + Sync + 'static) -> Self {
        Self {
            farewell: Arc::new(farewell),
            ..self
        }
    }

    /// Where it is noted that it may not go on.
    #[must_use]
    pub fn noting(self, withdrawn: Withdrawn) -> Self {
        Self { withdrawn, ..self }
    }

    /// Whether it goes on for somebody with those rights.
    #[must_use]
    pub fn allows(&self, principal: &Principal, snapshot: &Snapshot) -> bool {
        (self.allows)(principal, snapshot)
    }

    /// Ends it; what is said last.
    #[must_use]
    pub fn end(&self, problem: &Problem, why: &'static str) -> Vec<u8> {
        self.withdrawn.note(why);
        (self.farewell)(problem)
    }
}
