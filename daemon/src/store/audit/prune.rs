//! Dropping what is old enough, a little at a time. The hash of the last entry that was dropped is kept: the chain of the
//! others begins with it.

use crate::store::sql::sql;
use crate::store::{Error, Transaction};

/// So many entries are dropped by one write; others get their turn in between.
const AT_ONCE: i64 = 1_000;

impl Transaction {
    /// Drops the oldest entries that need not be kept; tells how many.
    pub(in crate::store) async fn drop_audit(&mut self) -> Result<u64, Error> {
        let kept_for = i64::try_from(self.retention.audit_for.as_millis()).unwrap_or(i64::MAX);
        let last = sql(
            "SELECT f.sequence, f.hash FROM (SELECT a.sequence, a.made_at, a.hash FROM audit a ORDER BY a.sequence LIMIT $1) \
             AS f WHERE f.made_at < $2 ORDER BY f.sequence DESC LIMIT 1",
        )
        .bind(AT_ONCE)
        .bind(self.now.millis().saturating_sub(kept_for));
        let read = |record: crate::store::sql::Record<'_>| Ok((record.integer(0)?, record.text(1)?.to_owned()));
        let Some((sequence, hash)) = self.all(vec![last], read).await?.pop() else {
            return Ok(0);
        };
        let dropped = self
            .run(sql("DELETE FROM audit WHERE sequence <= $1").bind(sequence))
            .await?;
        let anchor = sql("UPDATE meta SET audit_dropped = $1, audit_anchor = $2 WHERE id = 1")
            .bind(sequence)
            .bind(&hash);
        self.run(anchor).await?;
        Ok(dropped)
    }
}
