//! Rows that need not be durable at once: written down in batches, off the path of whoever hands them in.
//!
//! What enters: rows, handed in without waiting. What leaves: batches of them, to the [`Book`] that writes them down. A row
//! waits at most [`GATHER`] before it is written together with those that came meanwhile; what was gathered and not written
//! when the daemon is killed is lost, and nothing else. While the database cannot be written, rows wait; when too many do,
//! those that come are dropped and counted, and the log says so. It never knows what a row is about.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// How long rows are gathered.
const GATHER: Duration = Duration::from_millis(100);
/// So many are written at once.
const BATCH: usize = 2048;
/// So many may wait.
const WAITING: usize = 65_536;
/// Between tries to write.
const AGAIN: Duration = Duration::from_millis(500);
/// So often rows are tried to be written at the end.
const LAST_TRIES: u32 = 4;

/// Where batches are written down.
pub trait Book: Send + Sync + 'static {
    /// What is written down.
    type Row: Send + Sync + 'static;
    /// Why it cannot be.
    type Error: fmt::Display + Send;

    /// What it is called in the daemon's log.
    const NAME: &'static str;

    /// Writes a batch down, all of it or nothing. What may have been written is written again: that must do no harm.
    fn write(&self, rows: Arc<Vec<Self::Row>>) -> impl Future<Output = Result<(), Self::Error>> + Send;

    /// A row that tells of so many that were dropped before it, where there is such a row.
    fn gap(&self, dropped: u64) -> Option<Self::Row>;
}

/// How rows keep up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// So many wait to be written.
    pub waiting: u64,
    /// So many were dropped since the start.
    pub dropped: u64,
    /// Whether the database cannot be written just now.
    pub stuck: bool,
}

/// Where rows are handed in. Clones hand in at the same place.
pub struct Batch<B: Book>(Arc<Shared<B>>);

struct Shared<B: Book> {
    book: B,
    queue: mpsc::Sender<B::Row>,
    /// Rows that the writer has taken and not yet written.
    taken: AtomicU64,
    dropped: AtomicU64,
    /// Of those dropped, the ones that were told of.
    confessed: AtomicU64,
    is_stuck: AtomicBool,
}

impl<B: Book> Clone for Batch<B> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<B: Book> fmt::Debug for Batch<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Batch").field(&self.standing()).finish()
    }
}

impl<B: Book> Batch<B> {
    /// Where to hand in, and what writes it down until `stop`.
    pub fn open(book: B, stop: CancellationToken) -> (Self, impl Future<Output = ()> + Send) {
        let (queue, rows) = mpsc::channel(WAITING);
        let batch = Self(Arc::new(Shared {
            book,
            queue,
            taken: AtomicU64::new(0),
            dropped: AtomicU64::new(0),
            confessed: AtomicU64::new(0),
            is_stuck: AtomicBool::new(false),
        }));
        let writing = batch.clone().write(rows, stop);
        (batch, writing)
    }

    /// Where it is written down.
    #[must_use]
    pub fn book(&self) -> &B {
        &self.0.book
    }

    /// Hands in a row, and returns at once.
    pub fn hand_in(&self, row: B::Row) {
        if self.0.queue.try_send(row).is_err()
            && self.0.dropped.fetch_add(1, Ordering::Relaxed) == self.0.confessed.load(Ordering::Relaxed)
        {
            // Said once; how many there are is counted.
            tracing::error!("rows are missing in {}: the database does not keep up", B::NAME);
        }
    }

    /// How rows keep up.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let queued = self.0.queue.max_capacity() - self.0.queue.capacity();
        Standing {
            waiting: self.0.taken.load(Ordering::Relaxed) + u64::try_from(queued).unwrap_or(u64::MAX),
            dropped: self.0.dropped.load(Ordering::Relaxed),
            stuck: self.0.is_stuck.load(Ordering::Relaxed),
        }
    }

    async fn write(self, mut rows: mpsc::Receiver<B::Row>, stop: CancellationToken) {
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
    fn confess(&self, batch: &mut Vec<B::Row>) {
        let dropped = self.0.dropped.load(Ordering::Relaxed);
        let told = self.0.confessed.swap(dropped, Ordering::Relaxed);
        if dropped > told {
            batch.extend(self.0.book.gap(dropped - told));
        }
    }

    /// Writes a batch, however long that takes; at the end, for some tries.
    async fn put(&self, batch: Vec<B::Row>, stop: &CancellationToken) {
        let count = u64::try_from(batch.len()).unwrap_or(u64::MAX);
        self.0.taken.store(count, Ordering::Relaxed);
        let batch = Arc::new(batch);
        let mut tries_left = LAST_TRIES;
        loop {
            let Err(error) = self.0.book.write(Arc::clone(&batch)).await else {
                break;
            };
            if !self.0.is_stuck.swap(true, Ordering::Relaxed) {
                tracing::error!(%error, rows = count, "{} cannot be written; its rows wait", B::NAME);
            }
            if stop.is_cancelled() {
                tries_left -= 1;
                if tries_left == 0 {
                    self.0.dropped.fetch_add(count, Ordering::Relaxed);
                    tracing::error!(rows = count, "the daemon ends, and rows are missing in {}", B::NAME);
                    break;
                }
            }
            tokio::time::sleep(AGAIN).await;
        }
        if self.0.is_stuck.swap(false, Ordering::Relaxed) && tries_left > 0 {
            tracing::info!("{} is written again", B::NAME);
        }
        self.0.taken.store(0, Ordering::Relaxed);
    }
}
