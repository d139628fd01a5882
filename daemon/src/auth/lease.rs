//! What is streamed to somebody ends with what they may see.

use std::sync::Arc;

use orch_shared::access::{Principal, Rights};
use orch_shared::resource::Timestamp;

use super::Authenticator;
use super::rights::{self, Epoch};

/// Whom a request came from, as long as it is true.
#[derive(Clone)]
pub struct Lease {
    pub(super) authenticator: Authenticator,
    pub(super) hash: Arc<str>,
    /// In whose place they asked, if in another's.
    pub(super) in_place_of: Option<Arc<str>>,
    pub(super) rights: Arc<Rights>,
    pub(super) epoch: Epoch,
    pub(super) until: Option<Timestamp>,
}

impl Lease {
    /// The same lease, for what is told to whoever asks in the place of that principal: it ends with the rights of either.
    #[must_use]
    pub fn in_place_of(self, principal: &Principal) -> Self {
        Self {
            in_place_of: Some(Arc::clone(&principal.name)),
            rights: Arc::clone(&principal.rights),
            ..self
        }
    }

    /// Whether whoever asked may still do what they could when they asked. What is streamed to them is ended otherwise.
    #[must_use]
    pub fn holds(&mut self) -> bool {
        let store = &self.authenticator.store;
        if self.until.is_some_and(|end| end <= store.clock().now()) {
            return false;
        }
        let snapshot = store.snapshot();
        let epoch = rights::epoch(&snapshot);
        if epoch == self.epoch {
            return !self.authenticator.is_forgotten(&self.hash);
        }
        let Some((principal, until)) = self.authenticator.worked_out(&self.hash, &snapshot) else {
            return false;
        };
        let principal = match &self.in_place_of {
            None => Some(principal),
            Some(other) => self.authenticator.impersonated(&principal, other).ok(),
        };
        let holds = principal.is_some_and(|principal| principal.rights == self.rights);
        if holds {
            (self.epoch, self.until) = (epoch, until);
        }
        holds
    }
}
