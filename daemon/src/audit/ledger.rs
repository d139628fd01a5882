//! Where rows of the audit log are handed in: at once and durable, or in batches off the path of whoever hands them in.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use orch_shared::audit::{Extent, Outcome, Row, RowKind, Standing};
use orch_shared::resource::Timestamp;
use tokio_util::sync::CancellationToken;

use super::Trail;
use crate::batch::{Batch, Book};
use crate::store::{Error, Store};

/// How long a refusal waits for its row.
const PATIENCE: Duration = Duration::from_secs(1);

/// Whether something was read or called, and all was well. What changes something does not come this way.
fn is_mere_use(row: &Row) -> bool {
    let is_use = match row.kind {
        RowKind::Request | RowKind::ToolCall | RowKind::LlmInferenceCall => true,
        RowKind::RbacDecision | RowKind::SessionBind | RowKind::Login => false,
    };
    is_use && row.outcome == Outcome::Allowed
}

/// The audit log of the store.
struct Log {
    store: Store,
    extent: Extent,
    /// Rows that are being written one by one.
    settling: AtomicU64,
}

impl Book for Log {
    type Row = (Timestamp, Row);
    type Error = Error;

    const NAME: &'static str = "the audit log";

    async fn write(&self, rows: Arc<Vec<(Timestamp, Row)>>) -> Result<(), Error> {
        let writing = self.store.write(move |transaction| {
            Box::pin(async move {
                for (at, row) in rows.iter() {
                    transaction.audit_of(*at, row.clone());
                }
                Ok::<_, Error>(())
            })
        });
        writing.await
    }

    fn gap(&self, dropped: u64) -> Option<(Timestamp, Row)> {
        let row = Row {
            principal: "daemon".to_owned(),
            outcome: Outcome::Failed,
            detail: format!("{dropped} rows are missing here: too many waited to be written"),
            ..Row::new(RowKind::Request, "drop")
        };
        Some((self.store.clock().now(), row))
    }
}

/// Where rows are handed in. Cheap to clone.
#[derive(Clone)]
pub struct Ledger(Batch<Log>);

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ledger").field(&self.standing()).finish()
    }
}

impl Ledger {
    /// Opens a ledger: where to hand in, and what writes it down until `stop`.
    pub fn open(store: Store, extent: Extent, stop: CancellationToken) -> (Self, impl Future<Output = ()> + Send) {
        let (batch, writing) = Batch::open(
            Log {
                store,
                extent,
                settling: AtomicU64::new(0),
            },
            stop,
        );
        (Self(batch), writing)
    }

    /// Hands in a row about what has just ended; one that is not wanted is not written.
    pub fn hand_in(&self, row: Row) {
        let log = self.0.book();
        if log.extent == Extent::Changes && is_mere_use(&row) {
            return;
        }
        self.0.hand_in((log.store.clock().now(), row));
    }

    /// Writes a row down before it returns, as long as the database can be written soon. What takes longer goes on by itself:
    /// a write that was asked for may still come to pass, and is not asked for twice. Of one that fails the row is handed in.
    pub async fn settle(&self, row: Row) {
        let ledger = self.clone();
        let settling = tokio::spawn(async move {
            let log = ledger.0.book();
            log.settling.fetch_add(1, Ordering::Relaxed);
            let kept = row.clone();
            let written = log.store.write(move |transaction| {
                Box::pin(async move {
                    transaction.audit(row);
                    Ok::<_, Error>(())
                })
            });
            if written.await.is_err() {
                ledger.hand_in(kept);
            }
            log.settling.fetch_sub(1, Ordering::Relaxed);
        });
        // Whoever was refused has waited long enough then.
        let _ = tokio::time::timeout(PATIENCE, settling).await;
    }

    /// Hands in the row about a request that is answered, or gives it back to be settled before the answer is told: the
    /// refusal of somebody who is known. Whoever is not known makes nobody wait for the disk.
    #[must_use]
    pub fn conclude(&self, trail: &Trail, status: u16) -> Option<Row> {
        let row = trail.concluded(status)?;
        // What goes over a limit makes nobody wait for the disk, either.
        let is_refused = status == 403 || status == 404 || (row.outcome == Outcome::Denied && status != 429);
        if is_refused && !row.principal.is_empty() {
            return Some(row);
        }
        self.hand_in(row);
        None
    }

    /// How the log keeps up.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let standing = self.0.standing();
        Standing {
            waiting: standing.waiting + self.0.book().settling.load(Ordering::Relaxed),
            dropped: standing.dropped,
            stuck: standing.stuck,
            extent: self.0.book().extent,
        }
    }
}
