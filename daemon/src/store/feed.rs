//! The one task that follows the change log: it keeps the snapshot current and tells every watcher.
//!
//! Flow: a bell rings (a commit of this daemon, a notification of PostgreSQL, or just some time); the feed reads what the
//! log has since its place; it publishes the next snapshot; then it broadcasts the changes.
//!
//! Guarantees: whoever is told of a change finds it in the snapshot. Changes are told in the order of their revisions,
//! each once per watcher that keeps up.

use std::sync::{Arc, LazyLock};
use std::time::Duration;

use tokio::sync::{Notify, broadcast, watch};
use tokio_util::sync::CancellationToken;

use super::changes::{self, Stretch};
use super::connection::Readers;
use super::health::Health;
use super::row::{COLUMNS, Row};
use super::snapshot::{Object, Snapshot};
use super::sql::{Record, sql};
use super::{Error, read};

/// How many changes are read at once.
const STRETCH: u32 = 500;
/// How long a bell may go unheard.
const POLL: Duration = Duration::from_secs(5);
/// The pause after a failure.
const PAUSE: Duration = Duration::from_millis(500);
/// How many stretches a watcher may lag behind before it goes back to the log.
pub(super) const BACKLOG: usize = 256;

/// The one task that follows the change log.
pub(super) struct Feed {
    pub(super) readers: Readers,
    pub(super) bell: Arc<Notify>,
    pub(super) health: Arc<Health>,
    pub(super) snapshots: watch::Sender<Snapshot>,
    pub(super) watchers: broadcast::Sender<Arc<Stretch>>,
}

impl Feed {
    pub(super) async fn run(self, shutdown: CancellationToken) {
        tokio::select! {
            () = shutdown.cancelled() => {}
            () = self.follow() => {}
            () = self.readers.listen(&self.bell) => {}
        }
    }

    async fn follow(&self) {
        loop {
            let caught_up = self.catch_up().await;
            self.health.note_read(&caught_up);
            match caught_up {
                // Nobody rings in vain: a bell during the reading is kept until here.
                Ok(()) => drop(tokio::time::timeout(POLL, self.bell.notified()).await),
                Err(error) => {
                    tracing::debug!(%error, "the change log cannot be read");
                    tokio::time::sleep(PAUSE).await;
                }
            }
        }
    }

    /// Reads until nothing is new.
    async fn catch_up(&self) -> Result<(), Error> {
        loop {
            let place = self.snapshots.borrow().revision();
            let read = {
                let mut reader = self.readers.acquire().await?;
                changes::read(&mut reader.session(), place, STRETCH).await
            };
            match read {
                Ok(stretch) => {
                    // What is committed after this reading rings again.
                    let was_all = stretch.entries.len() < STRETCH as usize;
                    if stretch.to > place {
                        self.publish(stretch);
                    }
                    if was_all {
                        return Ok(());
                    }
                }
                Err(Error::Compacted { compacted, revision }) => {
                    tracing::warn!(
                        place,
                        compacted,
                        revision,
                        "the change log has no way from here; reading everything"
                    );
                    // Watchers see the gap by themselves.
                    self.snapshots.send_replace(load(&self.readers).await?);
                }
                Err(error) => return Err(error),
            }
        }
    }

    fn publish(&self, stretch: Stretch) {
        let mut snapshot = self.snapshots.borrow().clone();
        for entry in &stretch.entries {
            match entry.row.as_ref().map(Object::parse) {
                Some(Ok(object)) => snapshot.put(object),
                Some(Err(error)) => {
                    tracing::warn!(%error, "an object is left out of the snapshot");
                    snapshot.take(&entry.uid);
                }
                None => snapshot.take(&entry.uid),
            }
        }
        snapshot.advance(stretch.to);
        self.snapshots.send_replace(snapshot);
        // Without watchers there is nobody to tell.
        drop(self.watchers.send(Arc::new(stretch)));
    }
}

static SELECT: LazyLock<String> = LazyLock::new(|| format!("SELECT {COLUMNS} FROM resource r"));

/// Every object there is.
pub(super) async fn load(readers: &Readers) -> Result<Snapshot, Error> {
    let mut reader = readers.begin().await?;
    let mut session = reader.session();
    let mut snapshot = Snapshot::empty();
    let revision = read::revision(&mut session).await?;
    let take = |record: Record<'_>| {
        match Row::read(&record, 0).and_then(|row| Object::parse(&row)) {
            Ok(object) => snapshot.put(object),
            Err(error) => tracing::warn!(%error, "an object is left out of the snapshot"),
        }
        Ok(())
    };
    session.each(sql(SELECT.as_str()), take).await?;
    snapshot.settle(revision);
    Ok(snapshot)
}
