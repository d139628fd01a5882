//! Dropping calls that are old enough, a little at a time, and what is still held for calls that nobody waits for any more.
//! What was spent on each day stays.

use crate::store::sql::{Record, sql};
use crate::store::{Error, Transaction};

/// So many calls are dropped by one write; others get their turn in between.
const AT_ONCE: i64 = 1_000;

impl Transaction {
    /// Drops the oldest calls that need not be kept; tells how many.
    pub(in crate::store) async fn drop_usage(&mut self) -> Result<u64, Error> {
        let kept_for = i64::try_from(self.retention.usage_for.as_millis()).unwrap_or(i64::MAX);
        let before = self.now.millis().saturating_sub(kept_for);
        let old = "SELECT u.made_at FROM inference_usage u WHERE u.made_at < $1 ORDER BY u.made_at LIMIT 1";
        if !self.is_any(old, before).await? {
            return Ok(0);
        }
        let drop = sql(
            "DELETE FROM inference_usage WHERE id IN (SELECT u.id FROM inference_usage u WHERE u.made_at < $1 \
             ORDER BY u.made_at LIMIT $2)",
        )
        .bind(before)
        .bind(AT_ONCE);
        self.run(drop).await
    }

    /// Drops what is held behind its deadline: by a daemon that died, or for a call that nobody has ended. Tells for how
    /// many budgets.
    pub(in crate::store) async fn drop_reservations(&mut self) -> Result<u64, Error> {
        let now = self.now.millis();
        let over = "SELECT r.deadline FROM inference_reservation r WHERE r.deadline <= $1 LIMIT 1";
        if !self.is_any(over, now).await? {
            return Ok(0);
        }
        let drop = sql("DELETE FROM inference_reservation WHERE deadline <= $1").bind(now);
        self.run(drop).await
    }

    /// Whether a statement finds a number for that instant: looking alone writes nothing.
    async fn is_any(&mut self, statement: &'static str, instant: i64) -> Result<bool, Error> {
        let read = |record: Record<'_>| record.integer(0);
        let found = self.all(vec![sql(statement).bind(instant)], read).await?;
        Ok(!found.is_empty())
    }
}
