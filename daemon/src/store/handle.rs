//! The handle everybody holds, and the engine behind it.
//!
//! [`Store::open`] makes both. The handle is cheap to clone and does nothing by itself; [`Engine::run`] is the store's
//! only loop: the writer, the feed and the keeper.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::BoxFuture;
use orch_shared::wire::Check;
use tokio::sync::{Notify, broadcast, mpsc, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::changes::Stretch;
use super::connection::{Connection, Connector, Readers};
use super::database::Ailment;
use super::feed::{self, Feed};
use super::health::Health;
use super::keeper::Keeper;
use super::sql::sql;
use super::writer::{Job, Link, Request, Tally, Writer};
use super::{Database, DirectoryLock, Error, Observer, Options, Snapshot, Transaction, schema};
use crate::clock::{Clock, Ids};

/// So many requests may wait for the writer; more wait for a place in its queue.
const QUEUE: usize = 1024;
/// How often a server that does not answer yet is asked again.
const CONNECT_EVERY: Duration = Duration::from_millis(500);
/// How long the end waits for reads that are under way.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// The handle to the store. Cheap to clone.
#[derive(Clone)]
pub struct Store(Arc<Shared>);

struct Shared {
    readers: Readers,
    queue: mpsc::Sender<Box<dyn Job>>,
    snapshots: watch::Receiver<Snapshot>,
    /// Weak, so that watches end when the feed does.
    watchers: broadcast::WeakSender<Arc<Stretch>>,
    health: Arc<Health>,
    tally: Arc<Tally>,
    observer: Option<Observer>,
    clock: Arc<dyn Clock>,
    ids: Arc<dyn Ids>,
    daemon_id: String,
}

/// The store's loops: writer, feed and keeper.
pub struct Engine {
    writer: Writer,
    feed: Feed,
    keeper: Keeper,
    readers: Readers,
    _lock: Option<DirectoryLock>,
}

/// How much was written since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counters {
    /// Transactions committed.
    pub commits: u64,
    /// Writes in them.
    pub writes: u64,
}

impl Store {
    /// Opens the database, brings its schema up to date and loads every object. Nothing else is written until the engine
    /// runs. A PostgreSQL that does not answer is waited for, as long as the options say.
    ///
    /// # Errors
    /// When the database cannot be used, or is in use by another daemon where only one may be.
    pub async fn open(database: Database, options: Options) -> Result<(Self, Engine), Error> {
        let lock = match &database {
            Database::Sqlite(directory) => Some(DirectoryLock::acquire(directory)?),
            Database::Postgres(_) => None,
        };
        let connector = Connector::new(&database)?;
        let mut connection = match &database {
            Database::Sqlite(_) => connector.connect().await?,
            Database::Postgres(_) => patiently(&connector, options.patience).await?,
        };
        schema::migrate(&mut connection).await?;
        let daemon_id = daemon_id(&mut connection, options.ids.as_ref()).await?;
        let readers = connector.readers();
        let (snapshots, snapshot) = watch::channel(feed::load(&readers).await?);
        let (queue, requests) = mpsc::channel(QUEUE);
        let (watchers, _) = broadcast::channel(feed::BACKLOG);
        let (health, tally, bell) = (
            Arc::<Health>::default(),
            Arc::<Tally>::default(),
            Arc::<Notify>::default(),
        );
        let store = Self(Arc::new(Shared {
            readers: readers.clone(),
            queue,
            snapshots: snapshot,
            watchers: watchers.downgrade(),
            health: Arc::clone(&health),
            tally: Arc::clone(&tally),
            observer: options.observer.clone(),
            clock: Arc::clone(&options.clock),
            ids: Arc::clone(&options.ids),
            daemon_id,
        }));
        let engine = Engine {
            feed: Feed {
                readers: readers.clone(),
                bell: Arc::clone(&bell),
                health: Arc::clone(&health),
                snapshots,
                watchers,
            },
            keeper: Keeper {
                store: store.clone(),
                period: options.testing.period,
            },
            writer: Writer {
                queue: requests,
                connector,
                link: Link::Up(connection),
                suffers: Ailment::None,
                options,
                health,
                tally,
                bell,
            },
            readers,
            _lock: lock,
        };
        Ok((store, engine))
    }

    /// Does `work` as one write: all of it is durable when this returns `Ok`, none of it when it returns `Err`
    /// ([`Error::Uncertain`] apart). `work` must wait for nothing but the transaction: every other write waits for it.
    /// Whoever stops waiting before the writer has come to it has withdrawn it; later, it may happen or not.
    ///
    /// # Errors
    /// What `work` returns, or why the database could not commit it.
    pub async fn write<T, E, F>(&self, work: F) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        F: for<'t> FnOnce(&'t mut Transaction) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        let started = Instant::now();
        let (request, answer) = Request::new(work);
        self.0.queue.send(Box::new(request)).await.map_err(|_| closed())?;
        let answer = answer.await.map_err(|_| closed())?;
        self.observe("write", started);
        answer
    }

    /// Like [`write`](Self::write), without waiting and without an answer; lost when the queue is full.
    pub fn write_later<F>(&self, work: F)
    where
        F: for<'t> FnOnce(&'t mut Transaction) -> BoxFuture<'t, Result<(), Error>> + Send + 'static,
    {
        let request = Request::without_answer(work);
        if self.0.queue.try_send(Box::new(request)).is_err() {
            tracing::debug!("a write without an answer is lost: the queue is full");
        }
    }

    /// Frees what the connection that writes keeps of the database, for when nothing is being written.
    pub async fn shrink(&self) -> Result<(), Error> {
        self.write(|transaction| Box::pin(transaction.shrink())).await
    }

    /// All objects, as the feed has last seen them.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        self.0.snapshots.borrow().clone()
    }

    /// Rings at every new snapshot.
    #[must_use]
    pub fn snapshots(&self) -> watch::Receiver<Snapshot> {
        self.0.snapshots.clone()
    }

    /// Waits until the snapshot shows that revision: so one reads one's own writes. At the end of the engine, gives the
    /// last there was.
    pub async fn wait_for(&self, revision: i64) -> Snapshot {
        let mut snapshots = self.snapshots();
        match snapshots.wait_for(|snapshot| snapshot.revision() >= revision).await {
            Ok(snapshot) => snapshot.clone(),
            Err(_) => self.snapshot(),
        }
    }

    /// Whether the database answers and can be written, as of the last few seconds: `database`, `database-writes`.
    #[must_use]
    pub fn health(&self) -> Vec<Check> {
        self.0.health.checks()
    }

    /// How much was written since the start.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.0.tally.read()
    }

    /// Tells this database from every other; made once.
    #[must_use]
    pub fn daemon_id(&self) -> &str {
        &self.0.daemon_id
    }

    /// `sqlite` or `postgres`.
    #[must_use]
    pub fn database(&self) -> &'static str {
        match self.0.readers {
            Readers::Sqlite(_) => "sqlite",
            Readers::Postgres(_) => "postgres",
        }
    }

    /// The clock the store tells time by.
    #[must_use]
    pub fn clock(&self) -> &Arc<dyn Clock> {
        &self.0.clock
    }

    /// Where fresh uids come from.
    #[must_use]
    pub fn ids(&self) -> &Arc<dyn Ids> {
        &self.0.ids
    }

    pub(super) fn readers(&self) -> &Readers {
        &self.0.readers
    }

    /// What the feed will tell from now on.
    pub(super) fn subscribe(&self) -> Result<broadcast::Receiver<Arc<Stretch>>, Error> {
        let feed = self.0.watchers.upgrade().ok_or_else(closed)?;
        Ok(feed.subscribe())
    }

    pub(super) fn writes_fail(&self) -> bool {
        self.0.health.writes_fail()
    }

    /// Times a read, and takes note of how it ended. Futures of the driver are large, and would make each future large that
    /// might wait for one: so they have a place of their own.
    pub(super) fn observed<'s, T>(
        &'s self,
        operation: &'static str,
        reading: impl Future<Output = Result<T, Error>> + Send + 's,
    ) -> impl Future<Output = Result<T, Error>> + Send + 's
    where
        T: Send + 's,
    {
        let reading = Box::pin(reading);
        async move {
            let started = Instant::now();
            let outcome = reading.await;
            self.0.health.note_read(&outcome);
            self.observe(operation, started);
            outcome
        }
    }

    fn observe(&self, operation: &'static str, started: Instant) {
        if let Some(observer) = &self.0.observer {
            observer(operation, started.elapsed());
        }
    }
}

impl Engine {
    /// Runs until shutdown; then finishes the writes that were asked for before, and closes the database.
    pub async fn run(self, shutdown: CancellationToken) {
        let Self {
            writer,
            feed,
            keeper,
            readers,
            _lock,
        } = self;
        let written = CancellationToken::new();
        let followers = [
            tokio::spawn(feed.run(written.clone())),
            tokio::spawn(keeper.run(written.clone())),
        ];
        let writing = tokio::spawn(writer.run(shutdown));
        if let Err(error) = writing.await {
            tracing::error!(%error, "the writer has ended; the store is closed");
        }
        written.cancel();
        for follower in followers {
            if let Err(error) = follower.await {
                tracing::error!(%error, "a loop of the store has ended early");
            }
        }
        // Somebody may still be reading; that is no reason to stay.
        drop(tokio::time::timeout(CLOSE_PATIENCE, readers.close()).await);
    }
}

/// Connects to a server that may still be starting.
async fn patiently(connector: &Connector, patience: Duration) -> Result<Connection, Error> {
    let started = Instant::now();
    let mut told = false;
    loop {
        match connector.connect().await {
            Err(error @ Error::Unavailable { .. }) if started.elapsed() < patience => {
                if !told {
                    let patience_s = patience.as_secs();
                    tracing::warn!(%error, patience_s, "the database does not answer yet; trying again");
                    told = true;
                }
                tokio::time::sleep(CONNECT_EVERY).await;
            }
            outcome => return outcome,
        }
    }
}

pub(super) fn closed() -> Error {
    Error::unavailable("the store is closed")
}

/// The database's own id; made when it has none.
async fn daemon_id(connection: &mut Connection, ids: &dyn Ids) -> Result<String, Error> {
    let select = || sql("SELECT daemon_id FROM meta WHERE id = 1");
    let mut session = connection.session();
    if let Some(id) = session.first(select(), |record| Ok(record.text(0)?.to_owned())).await? {
        return Ok(id);
    }
    let fresh = ids.uid();
    let insert = sql(
        "INSERT INTO meta (id, daemon_id, revision, compacted, last_event, last_audit, audit_hash, probe) \
         VALUES (1, $1, 0, 0, 0, 0, '', '') ON CONFLICT (id) DO NOTHING",
    );
    session.run(insert.bind(&fresh)).await?;
    // Another daemon may have been quicker.
    let id = session.first(select(), |record| Ok(record.text(0)?.to_owned())).await?;
    id.ok_or_else(|| Error::broken("table `meta` stays empty"))
}
