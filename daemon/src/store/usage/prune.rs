//! Dropping calls that are old enough, a little at a time, and what is still held for calls that nobody waits for any more.
//! What was spent on each day stays.

use crate::store::sql::sql;
use crate::store::{Error, Transaction};

/// So many calls are dropped by one write; others get their turn in between.
const AT_ONCE: i64 = 1_000;

impl Transaction {
    /// Drops the oldest calls that need not be kept; tells how many.
    pub(in crate::store) async fn drop_usage(&mut self) -> Result<u64, Error> {
        let kept_for = i64::try_from(self.retention.usage_for.as_millis()).unwrap_or(i64::MAX);
        let drop = sql(
            "DELETE FROM inference_usage WHERE id IN (SELECT u.id FROM inference_usage u WHERE u.made_at < $1 \
             ORDER BY u.made_at LIMIT $2)",
        )
        .bind(self.now.millis().saturating_sub(kept_for))
        .bind(AT_ONCE);
        self.run(drop).await
    }

    /// Drops what is held behind its deadline: by a daemon that died, or for a call that nobody has ended. Tells for how
    /// many budgets.
    pub(in crate::store) async fn drop_reservations(&mut self) -> Result<u64, Error> {
        let drop = sql("DELETE FROM inference_reservation WHERE deadline <= $1").bind(self.now.millis());
        self.run(drop).await
    }
}
