//! Housekeeping: compacts the change log, drops what is old enough, and looks, when nobody else does, whether the database answers and can be
//! written.
//!
//! A probe of a database that is well writes nothing: it changes a row and takes the change back. Once writing has
//! failed, a probe is a write like any other, large enough to need room, until one succeeds.

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at};
use tokio_util::sync::CancellationToken;

use super::sql::sql;
use super::{Counters, Error, Store, Transaction};

const PROBE_EVERY: Duration = Duration::from_secs(5);
const COMPACT_EVERY: Duration = Duration::from_secs(60);
/// A database whose writes fail is looked at more often.
const RETRY_EVERY: Duration = Duration::from_millis(500);
/// So many changes are dropped by one write; others get their turn in between.
const COMPACT_AT_ONCE: i64 = 5_000;
/// So much room a probe asks for, in bytes.
const PROBE_SIZE: usize = 16 * 1024;

/// The task that keeps the house.
pub(super) struct Keeper {
    pub(super) store: Store,
    pub(super) period: Option<Duration>,
}

impl Keeper {
    pub(super) async fn run(self, shutdown: CancellationToken) {
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = self.keep() => {}
        }
    }

    async fn keep(&self) {
        let ticks = |period: Duration| {
            let period = self.period.unwrap_or(period);
            let mut ticks = interval_at(Instant::now() + period, period);
            ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
            ticks
        };
        let mut probes = ticks(PROBE_EVERY);
        let mut retries = ticks(RETRY_EVERY);
        let mut compactions = ticks(COMPACT_EVERY);
        let mut before = Counters::default();
        loop {
            // Every outcome is noted where it happens; here is nobody to tell.
            tokio::select! {
                _ = retries.tick() => {
                    if self.store.writes_fail() {
                        drop(self.store.write(|transaction| Box::pin(transaction.probe())).await);
                    }
                }
                _ = probes.tick() => {
                    drop(self.store.revision().await);
                    let now = self.store.counters();
                    if now == before {
                        drop(self.store.write(|transaction| Box::pin(transaction.feign())).await);
                    }
                    before = now;
                }
                _ = compactions.tick() => {
                    self.compact().await;
                    self.drop_audit().await;
                    self.drop_usage().await;
                }
            }
        }
    }

    async fn compact(&self) {
        loop {
            match self.store.write(|transaction| Box::pin(transaction.compact())).await {
                Ok(dropped) if dropped == COMPACT_AT_ONCE => {}
                Ok(_) => return,
                Err(error) => {
                    tracing::debug!(%error, "the change log is not compacted this time");
                    return;
                }
            }
        }
    }
}

impl Keeper {
    /// Drops audit entries that are old enough; others write in between.
    async fn drop_audit(&self) {
        let mut dropped = 0;
        loop {
            match self.store.write(|transaction| Box::pin(transaction.drop_audit())).await {
                Ok(0) => break,
                Ok(count) => dropped += count,
                Err(error) => {
                    tracing::debug!(%error, "old audit entries are not dropped this time");
                    break;
                }
            }
        }
        if dropped > 0 {
            tracing::info!(entries = dropped, "dropped audit entries that are older than is kept");
        }
    }
}

impl Keeper {
    /// Drops calls of models that are old enough, and what is held for none any more.
    async fn drop_usage(&self) {
        loop {
            match self.store.write(|transaction| Box::pin(transaction.drop_usage())).await {
                Ok(0) => break,
                Ok(_) => {}
                Err(error) => {
                    tracing::debug!(%error, "old calls of models are not dropped this time");
                    break;
                }
            }
        }
        match self
            .store
            .write(|transaction| Box::pin(transaction.drop_reservations()))
            .await
        {
            Ok(0) | Err(_) => {}
            Ok(count) => tracing::warn!(
                budgets = count,
                "what was held for calls of models that nobody ended is free again"
            ),
        }
    }
}

/// Why a feigned write ends: it was taken back on purpose, or it could not even be begun.
enum Feigned {
    OnPurpose,
    Failed,
}

impl From<Error> for Feigned {
    fn from(_: Error) -> Self {
        Self::Failed
    }
}

impl Transaction {
    /// Changes a row and takes it back.
    async fn feign(&mut self) -> Result<(), Feigned> {
        self.run(sql("UPDATE meta SET probe = '' WHERE id = 1")).await?;
        Err(Feigned::OnPurpose)
    }

    /// Asks for room and gives it back.
    async fn probe(&mut self) -> Result<(), Error> {
        let ballast = "x".repeat(PROBE_SIZE);
        self.run(sql("UPDATE meta SET probe = $1 WHERE id = 1").bind(&ballast))
            .await?;
        self.run(sql("UPDATE meta SET probe = '' WHERE id = 1")).await?;
        Ok(())
    }

    /// Drops the oldest changes that need not be kept, and events of objects that are gone; tells how many changes.
    async fn compact(&mut self) -> Result<i64, Error> {
        let kept_for = i64::try_from(self.retention.changes_for.as_millis()).unwrap_or(i64::MAX);
        let last = sql(
            "SELECT f.revision FROM (SELECT c.revision, c.made_at FROM change c ORDER BY c.revision LIMIT $1) AS f \
             WHERE f.made_at < $2 AND f.revision <= $3 ORDER BY f.revision DESC LIMIT 1",
        )
        .bind(COMPACT_AT_ONCE)
        .bind(self.now.millis().saturating_sub(kept_for))
        .bind(self.revision() - self.retention.changes);
        let mut dropped = 0;
        if let Some(last) = self.all(vec![last], |record| record.integer(0)).await?.pop() {
            dropped = self
                .run(sql("DELETE FROM change WHERE revision <= $1").bind(last))
                .await?;
            self.run(sql("UPDATE meta SET compacted = $1 WHERE id = 1").bind(last))
                .await?;
        }
        let outgrown = sql("SELECT id FROM event WHERE orphaned = 1 ORDER BY id DESC LIMIT 1 OFFSET $1")
            .bind(self.retention.orphaned_events);
        if let Some(outgrown) = self.all(vec![outgrown], |record| record.integer(0)).await?.pop() {
            self.run(sql("DELETE FROM event WHERE orphaned = 1 AND id <= $1").bind(outgrown))
                .await?;
        }
        Ok(i64::try_from(dropped).unwrap_or(i64::MAX))
    }
}
