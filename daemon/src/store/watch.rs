//! Subscriptions to the change log: from any revision it still holds, first out of the log, then live.
//!
//! Five hundred watchers of one change cost one read and one rendering: live changes come to all of them from the feed. A
//! watcher that is too slow for that reads the log again from its own place, and skips what was overwritten meanwhile.

use std::sync::Arc;

use orch_shared::query::ChangeType;
use tokio::sync::broadcast;

use super::changes::{Entry, Stretch};
use super::handle::closed;
use super::{Error, Store};

/// One change, as a watcher is told.
#[derive(Debug, Clone)]
pub struct Change {
    /// What happened, as this watcher sees it: never a bookmark.
    pub change: ChangeType,
    /// The change itself.
    pub entry: Arc<Entry>,
}

/// A subscription: yields every object's newest change, in order of revision.
pub struct Watch {
    store: Store,
    live: broadcast::Receiver<Arc<Stretch>>,
    source: Source,
    /// Everything up to here was yielded.
    position: i64,
    /// What is being yielded.
    stretch: Option<Yielding>,
}

/// Where the next stretch comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Source {
    Log,
    Live,
}

struct Yielding {
    stretch: Arc<Stretch>,
    next: usize,
    /// What was made after this revision, the watcher does not know yet.
    known: i64,
}

/// How many changes are read from the log at once.
const STRETCH: u32 = 500;

impl Watch {
    /// The next change. Waits for one; may be cancelled and called again.
    ///
    /// # Errors
    /// [`Error::Compacted`] when the watcher was so slow that the log no longer reaches back to it.
    pub async fn next(&mut self) -> Result<Change, Error> {
        loop {
            if let Some(change) = self.next_at_hand() {
                return Ok(change);
            }
            let stretch = match self.source {
                Source::Log => {
                    let stretch = self.store.changes(self.position, STRETCH).await?;
                    // Whoever is told of a change finds it in the snapshot.
                    self.store.wait_for(stretch.to).await;
                    if stretch.to == self.position {
                        self.source = Source::Live;
                    }
                    Arc::new(stretch)
                }
                Source::Live => match self.live.recv().await {
                    Ok(stretch) if stretch.from > self.position => {
                        self.source = Source::Log;
                        continue;
                    }
                    Ok(stretch) => stretch,
                    Err(broadcast::error::RecvError::Lagged(_)) => {
                        self.source = Source::Log;
                        continue;
                    }
                    Err(broadcast::error::RecvError::Closed) => return Err(closed()),
                },
            };
            if stretch.to > self.position {
                self.stretch = Some(Yielding {
                    next: 0,
                    known: stretch.from.max(self.position),
                    stretch,
                });
            }
        }
    }

    /// The revision up to which everything was yielded; a bookmark.
    #[must_use]
    pub const fn position(&self) -> i64 {
        self.position
    }

    fn next_at_hand(&mut self) -> Option<Change> {
        let yielding = self.stretch.as_mut()?;
        while let Some(entry) = yielding.stretch.entries.get(yielding.next) {
            yielding.next += 1;
            if entry.revision <= self.position {
                continue;
            }
            self.position = entry.revision;
            let change = match (&entry.row, entry.created_revision > yielding.known) {
                (Some(_), true) => ChangeType::Added,
                (Some(_), false) => ChangeType::Modified,
                (None, false) => ChangeType::Deleted,
                // Made and removed behind the watcher's back.
                (None, true) => continue,
            };
            return Some(Change {
                change,
                entry: Arc::clone(entry),
            });
        }
        self.position = self.position.max(yielding.stretch.to);
        self.stretch = None;
        None
    }
}

impl Store {
    /// Subscribes to the changes after that revision; `None`: after what the snapshot shows.
    ///
    /// # Errors
    /// [`Error::Compacted`] when the log does not reach back, or not yet forward, to it.
    pub async fn watch(&self, after: Option<i64>) -> Result<Watch, Error> {
        // Before the place is known, so that nothing can fall between.
        let live = self.subscribe()?;
        let (position, source) = match after {
            Some(after) => {
                self.changes(after, 1).await?;
                (after, Source::Log)
            }
            None => (self.snapshot().revision(), Source::Live),
        };
        Ok(Watch {
            store: self.clone(),
            live,
            source,
            position,
            stretch: None,
        })
    }
}
