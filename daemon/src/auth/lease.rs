//! What is streamed to somebody ends with what they may see, and what is done for them goes by what they may do by then.

use std::sync::Arc;

use futures_util::future::BoxFuture;
use orch_shared::access::{Principal, Rights};
use orch_shared::problem::Problem;
use orch_shared::resource::Timestamp;

use super::Authenticator;
use super::rights::{self, Epoch};
use crate::asker::{Asker, Known};
use crate::store::Snapshot;

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

/// How somebody stands who asked before.
#[derive(Debug, Clone, PartialEq)]
pub enum Standing {
    /// As they did.
    Same,
    /// They are there, and something has changed; who they are now.
    Changed(Box<Principal>),
    /// Their credential opens nothing any more.
    Gone,
}

/// What keeps a stream from going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The credential opens nothing any more.
    Credential,
    /// What it needs is no longer allowed.
    Rights,
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

    /// How whoever asked stands, since it was last looked.
    #[must_use]
    pub fn look(&mut self) -> Standing {
        let snapshot = self.authenticator.store.snapshot();
        self.look_at(&snapshot)
    }

    fn look_at(&mut self, snapshot: &Snapshot) -> Standing {
        let store = &self.authenticator.store;
        if self.until.is_some_and(|end| end <= store.clock().now()) {
            return Standing::Gone;
        }
        let epoch = rights::epoch(snapshot);
        if epoch == self.epoch {
            return match self.authenticator.is_over(&self.hash) {
                true => Standing::Gone,
                false => Standing::Same,
            };
        }
        let Some((principal, until)) = self.authenticator.worked_out(&self.hash, snapshot) else {
            return Standing::Gone;
        };
        let principal = match &self.in_place_of {
            None => Some(principal),
            Some(other) => self.authenticator.impersonated(&principal, other).ok(),
        };
        let Some(principal) = principal else {
            return Standing::Gone;
        };
        (self.epoch, self.until) = (epoch, until);
        Standing::Changed(Box::new(principal))
    }

    /// Asks for the credential once more where something may have become of it.
    pub async fn refresh(&self) {
        let snapshot = self.authenticator.store.snapshot();
        if !self.authenticator.is_current(&self.hash, &snapshot) {
            // Of a database that does not answer nothing new can be known.
            drop(self.authenticator.look_up(&self.hash).await);
        }
    }

    /// Whether what is streamed to whoever asked goes on: when anything has changed, `allows` says whether what they asked for
    /// would be let through now. Where nobody knows what that takes, it goes on as long as they may do all that they could.
    ///
    /// # Errors
    /// Why it does not.
    pub fn holds(&mut self, allows: Option<impl Fn(&Principal, &Snapshot) -> bool>) -> Result<(), Ended> {
        let snapshot = self.authenticator.store.snapshot();
        match self.look_at(&snapshot) {
            Standing::Same => Ok(()),
            Standing::Gone => Err(Ended::Credential),
            Standing::Changed(principal) => {
                let goes_on = match allows {
                    Some(allows) => allows(&principal, &snapshot),
                    None => principal.rights.includes(&self.rights),
                };
                goes_on.then_some(()).ok_or(Ended::Rights)
            }
        }
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
