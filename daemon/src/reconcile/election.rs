//! Which of several daemons reconciles. Those that share a database hold an election by a lease in it; a daemon with a
//! database of its own leads at once.
//!
//! Flow: follow, until the lease is free or its holder has not renewed it for as long as it lasts; then lead, and renew
//! three times within that while.
//!
//! Guarantees: what a leader writes, it writes while it holds the lease, so two never act on the same objects in the
//! database. A daemon that is started again leads again at once, when nobody took over meanwhile. One that has lost the
//! lease ends what it runs, and follows.
//!
//! Assumptions: a leader that cannot reach the database goes on running what it runs: as long as it is the only one that
//! cannot, its copies and those of its successor may run side by side.

use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

use crate::store::{Claim, Claimed, Error, Lease, Store};

/// What is asked for, and how long it lasts unless renewed.
#[derive(Debug, Clone)]
pub struct Election {
    /// Who asks for what.
    pub claim: Claim,
    /// After so long without renewal the lease is anybody's.
    pub lasts: Duration,
}

/// What the lease is called that the leader holds.
pub const LEASE: &str = "reconcile";

/// A daemon that stands for election.
pub(super) struct Candidate {
    election: Election,
    store: Store,
    /// The lease of another as it was last seen, and since when it is so.
    watched: Option<(Lease, Instant)>,
}

impl Candidate {
    pub(super) const fn new(election: Election, store: Store) -> Self {
        Self {
            election,
            store,
            watched: None,
        }
    }

    /// Follows until the lease is won; false when the daemon ends first. Tells `follows` where the leader answers.
    pub(super) async fn wins(&mut self, follows: impl Fn(&str), shutdown: &CancellationToken) -> bool {
        while !shutdown.is_cancelled() {
            match self.attempt().await {
                Ok(Claimed::Held) => {
                    tracing::info!(holder = self.election.claim.holder, "leads: this daemon reconciles");
                    self.watched = None;
                    return true;
                }
                Ok(Claimed::Refused) => {
                    if let Some((lease, _)) = &self.watched {
                        follows(&lease.url);
                    }
                }
                Err(error) => tracing::debug!(%error, "cannot stand for election"),
            }
            shutdown.run_until_cancelled(self.pause()).await;
        }
        false
    }

    async fn attempt(&mut self) -> Result<Claimed, Error> {
        let lease = self.store.lease(self.election.claim.name).await?;
        let expired = match (&lease, &self.watched) {
            (Some(lease), Some((seen, since))) if lease == seen => since.elapsed() >= self.election.lasts,
            (Some(lease), _) => {
                self.watched = Some((lease.clone(), Instant::now()));
                false
            }
            (None, _) => true,
        };
        // Whether it is ours, or was given back, the statement itself finds out.
        self.store.claim(&self.election.claim, lease.filter(|_| expired)).await
    }

    /// Renews the lease; returns when another daemon has it.
    pub(super) async fn is_superseded(&self) {
        loop {
            self.pause().await;
            match self.store.claim(&self.election.claim, None).await {
                Ok(Claimed::Held) => {}
                Ok(Claimed::Refused) => {
                    tracing::warn!("another daemon has taken over; this one follows");
                    return;
                }
                Err(error) => tracing::warn!(%error, "the lease cannot be renewed"),
            }
        }
    }

    fn pause(&self) -> tokio::time::Sleep {
        tokio::time::sleep(self.election.lasts / 3)
    }
}
