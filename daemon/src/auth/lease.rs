//! What is streamed to somebody ends with what they may see, and what is done for them goes by what they may do by then.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use orch_shared::access::{Principal, Rights};
use orch_shared::problem::Problem;
use orch_shared::resource::Timestamp;

use super::Authenticator;
use super::rights::{self, Epoch};
use crate::asker::{Asker, Known};

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

impl Lease {
    async fn renewed(&self) -> Result<Asker, Problem> {
        let (principal, lease) = self.authenticator.leased_by(&self.hash).await?;
        Ok(match &self.in_place_of {
            None => lease.asker(principal),
            Some(other) => {
                let principal = self.authenticator.impersonated(&principal, other)?;
                lease.in_place_of(&principal).asker(principal)
            }
        })
    }

    /// Whoever asks, as that principal for now.
    #[must_use]
    pub fn asker(self, principal: Principal) -> Asker {
        Asker::known(principal, Arc::new(self))
    }
}

impl Known for Lease {
    fn is_untouched(&self) -> bool {
        let store = &self.authenticator.store;
        self.until.is_none_or(|end| store.clock().now() < end)
            && rights::epoch(&store.snapshot()) == self.epoch
            && self.authenticator.is_fresh(&self.hash)
    }

    fn again(&self) -> BoxFuture<'_, Result<Asker, Problem>> {
        Box::pin(self.renewed())
    }
}
