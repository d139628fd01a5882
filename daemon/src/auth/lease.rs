//! What is streamed to somebody ends with what they may see.

use std::sync::Arc;

use orch_shared::access::Rights;
use orch_shared::resource::Timestamp;

use super::Authenticator;
use super::rights::{self, Epoch};

/// Whom a request came from, as long as it is true.
#[derive(Clone)]
pub struct Lease {
    pub(super) authenticator: Authenticator,
    pub(super) hash: Arc<str>,
    pub(super) rights: Arc<Rights>,
    pub(super) epoch: Epoch,
    pub(super) until: Option<Timestamp>,
}

impl Lease {
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
        match self.authenticator.worked_out(&self.hash, &snapshot) {
            Some((principal, until)) if principal.rights == self.rights => {
                (self.epoch, self.until) = (epoch, until);
                true
            }
            Some(_) | None => false,
        }
    }
}
