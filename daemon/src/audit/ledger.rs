//! Rows that need not be durable at once: written down in batches, off the path of whoever hands them in.
//!
//! A row waits at most [`GATHER`] before it is written together with those that came meanwhile; what was gathered and not
//! written when the daemon is killed is lost, and nothing else. While the database cannot be written, rows wait; when too
//! many do, those that come are dropped and counted, and the log says so as soon as it can.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use orch_shared::audit::{Extent, Outcome, Row, RowKind, Standing};
use orch_shared::resource::Timestamp;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Trail;
use crate::store::{Error, Store};

/// How long rows are gathered.
const GATHER: Duration = Duration::from_millis(100);
/// So many are written at once.
const BATCH: usize = 2048;
/// So many may wait.
const WAITING: usize = 65_536;
/// How long a refusal waits for its row.
const PATIENCE: Duration = Duration::from_secs(1);
/// Between tries to write.
const AGAIN: Duration = Duration::from_millis(500);
/// So often rows are tried to be written at the end.
const LAST_TRIES: u32 = 4;

/// Whether something was read or called, and all was well. What changes something does not come this way.
fn is_mere_use(row: &Row) -> bool {
    let is_use = match row.kind {
        RowKind::Request | RowKind::ToolCall | RowKind::LlmInferenceCall => true,
        RowKind::RbacDecision | RowKind::SessionBind | RowKind::Login => false,
    };
    is_use && row.outcome == Outcome::Allowed
}

/// Where rows are handed in. Cheap to clone.
#[derive(Clone)]
pub struct Ledger(Arc<Shared>);

impl fmt::Debug for Ledger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Ledger").field(&self.standing()).finish()
    }
}

struct Shared {
    store: Store,
    extent: Extent,
    queue: mpsc::Sender<(Timestamp, Row)>,
    /// Rows that the writer has taken and not yet written.
    taken: AtomicU64,
    /// Rows that are being written one by one.
    settling: AtomicU64,
    dropped: AtomicU64,
    /// Of those dropped, the ones that the log tells of.
    confessed: AtomicU64,
    is_stuck: AtomicBool,
}

impl Ledger {
    /// Opens a ledger: where to hand in, and what writes it down until `stop`.
    pub fn open(store: Store, extent: Extent, stop: CancellationToken) -> (Self, impl Future<Output = ()> + Send) {
        let (queue, rows) = mpsc::channel(WAITING);
        let ledger = Self(Arc::new(Shared {
            store,
            extent,
            queue,
            taken: AtomicU64::new(0),
            settling: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            confessed: AtomicU64::new(0),
            is_stuck: AtomicBool::new(false),
        }));
        let writing = ledger.clone().write(rows, stop);
        (ledger, writing)
    }

    /// Hands in a row about what has just ended; one that is not wanted is not written.
    pub fn hand_in(&self, row: Row) {
        if self.0.extent == Extent::Changes && is_mere_use(&row) {
            return;
        }
        let at = self.0.store.clock().now();
        if self.0.queue.try_send((at, row)).is_err()
            && self.0.dropped.fetch_add(1, Ordering::Relaxed) == self.confessed()
        {
            // Said once; how many there are is counted.
            tracing::error!("rows are missing in the audit log: the database does not keep up");
        }
    }

    /// Writes a row down before it returns, as long as the database can be written soon. What takes longer goes on by itself:
    /// a write that was asked for may still come to pass, and is not asked for twice. Of one that fails the row is handed in.
    pub async fn settle(&self, row: Row) {
        let ledger = self.clone();
        let settling = tokio::spawn(async move {
            ledger.0.settling.fetch_add(1, Ordering::Relaxed);
            let kept = row.clone();
            let written = ledger.0.store.write(move |transaction| {
                Box::pin(async move {
                    transaction.audit(row);
                    Ok::<_, Error>(())
                })
            });
            if written.await.is_err() {
                ledger.hand_in(kept);
            }
            ledger.0.settling.fetch_sub(1, Ordering::Relaxed);
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
        let queued = self.0.queue.max_capacity() - self.0.queue.capacity();
        Standing {
            waiting: self.0.taken.load(Ordering::Relaxed)
                + self.0.settling.load(Ordering::Relaxed)
                + u64::try_from(queued).unwrap_or(u64::MAX),
            dropped: self.0.dropped.load(Ordering::Relaxed),
            stuck: self.0.is_stuck.load(Ordering::Relaxed),
            extent: self.0.extent,
        }
    }

    fn confessed(&self) -> u64 {
        self.0.confessed.load(Ordering::Relaxed)
    }

    async fn write(self, mut rows: mpsc::Receiver<(Timestamp, Row)>, stop: CancellationToken) {
        let mut batch = Vec::new();
        loop {
            if stop.is_cancelled() {
                // What is there already is taken, and then nothing more.
                rows.close();
            }
            let received = tokio::select! {
                biased;
                count = rows.recv_many(&mut batch, BATCH) => count,
                () = stop.cancelled(), if !rows.is_closed() => continue,
            };
            if received == 0 {
                return;
            }
            if !rows.is_closed() && batch.len() < BATCH {
                tokio::time::sleep(GATHER).await;
                while batch.len() < BATCH {
                    match rows.try_recv() {
                        Ok(row) => batch.push(row),
                        Err(_) => break,
                    }
                }
            }
            self.confess(&mut batch);
            self.put(std::mem::take(&mut batch), &stop).await;
        }
    }

    /// Adds a row about those that were dropped since the last one.
    fn confess(&self, batch: &mut Vec<(Timestamp, Row)>) {
        let dropped = self.0.dropped.load(Ordering::Relaxed);
        let told = self.0.confessed.swap(dropped, Ordering::Relaxed);
        if dropped > told {
            let row = Row {
                principal: "daemon".to_owned(),
                outcome: Outcome::Failed,
                detail: format!(
                    "{} rows are missing here: too many waited to be written",
                    dropped - told
                ),
                ..Row::new(RowKind::Request, "drop")
            };
            batch.push((self.0.store.clock().now(), row));
        }
    }

    /// Writes a batch, however long that takes; at the end, for some tries.
    async fn put(&self, batch: Vec<(Timestamp, Row)>, stop: &CancellationToken) {
        let count = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        self.0.taken.store(count, Ordering::Relaxed);
        let batch = Arc::new(batch);
        let mut tries_left = LAST_TRIES;
        loop {
            let rows = Arc::clone(&batch);
            let written = self.0.store.write(move |transaction| {
                Box::pin(async move {
                    for (at, row) in rows.iter() {
                        transaction.audit_of(*at, row.clone());
                    }
                    Ok::<_, Error>(())
                })
            });
            let Err(error) = written.await else { break };
            if !self.0.is_stuck.swap(true, Ordering::Relaxed) {
                tracing::error!(%error, rows = count, "the audit log cannot be written; its rows wait");
            }
            if stop.is_cancelled() {
                tries_left -= 1;
                if tries_left == 0 {
                    self.0.dropped.fetch_add(count, Ordering::Relaxed);
                    tracing::error!(rows = count, "the daemon ends, and rows are missing in the audit log");
                    break;
                }
            }
            tokio::time::sleep(AGAIN).await;
        }
        if self.0.is_stuck.swap(false, Ordering::Relaxed) && tries_left > 0 {
            tracing::info!("the audit log is written again");
        }
        self.0.taken.store(0, Ordering::Relaxed);
    }
}
