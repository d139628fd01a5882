//! The one task that writes. It takes every request that waits, runs each in a savepoint, and commits them together, so
//! that many small writers share the price of one sync.
//!
//! Flow: a request is queued; the writer runs it, and those that queue up meanwhile; one commit; then, and only then,
//! each is answered. A request that is refused is taken back alone; when the database fails, all of the batch fail with it.
//!
//! Guarantees: whoever is answered `Ok` finds the write after any crash. Whoever is answered an error finds nothing of it,
//! [`Error::Uncertain`] apart. A request that panics harms nobody else. One whose caller has gone before it was begun is
//! not carried out: who was told that there is no answer must not find it done much later.
//!
//! A lost connection is made anew for the next batch, at growing intervals while the database is away.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::connection::{Connection, Connector};
use super::database::{Ailment, Options};
use super::health::Health;
use super::{Counters, Error, Transaction};

/// At most so many requests share a commit.
const BATCH: usize = 256;
/// For so long a batch takes in further requests; the first ones wait for the last.
const FILLING: Duration = Duration::from_millis(100);
/// How long a batch may take before its connection counts as lost.
const PATIENCE: Duration = Duration::from_secs(30);
/// The first pause between two tries to connect, and the longest; each is twice the one before.
const SHORTEST_PAUSE: Duration = Duration::from_millis(50);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// A queued request.
pub(super) trait Job: Send {
    /// Whether anybody still waits for it, or nobody ever meant to.
    fn is_wanted(&self) -> bool;
    /// Does the work, and keeps its answer.
    fn run<'t>(&'t mut self, transaction: &'t mut Transaction) -> BoxFuture<'t, Verdict>;
    /// Replaces the answer.
    fn overrule(&mut self, error: Error);
    /// Gives the answer, once it is known what became of the commit.
    fn answer(self: Box<Self>, committed: Result<(), Error>);
}

/// What a request says of its own work.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It is to be committed.
    Keep,
    /// It is to be taken back.
    TakeBack,
}

/// A request as [`Store::write`](super::Store::write) makes it.
pub(super) struct Request<T, E, F> {
    work: Option<F>,
    outcome: Option<Result<T, E>>,
    /// Where the answer goes, unless nobody asked for one.
    reply: Option<oneshot::Sender<Result<T, E>>>,
}

impl<T, E, F> Request<T, E, F> {
    pub(super) fn new(work: F) -> (Self, oneshot::Receiver<Result<T, E>>) {
        let (reply, answer) = oneshot::channel();
        (
            Self {
                work: Some(work),
                outcome: None,
                reply: Some(reply),
            },
            answer,
        )
    }

    /// A request that is done whether or not anybody waits for it.
    pub(super) const fn without_answer(work: F) -> Self {
        Self {
            work: Some(work),
            outcome: None,
            reply: None,
        }
    }
}

impl<T, E, F> Job for Request<T, E, F>
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
    F: for<'t> FnOnce(&'t mut Transaction) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
{
    fn is_wanted(&self) -> bool {
        self.reply.as_ref().is_none_or(|reply| !reply.is_closed())
    }

    fn run<'t>(&'t mut self, transaction: &'t mut Transaction) -> BoxFuture<'t, Verdict> {
        Box::pin(async move {
            let Some(work) = self.work.take() else {
                return Verdict::TakeBack;
            };
            // What the panic may have left half done is taken back with the savepoint.
            let outcome = match AssertUnwindSafe(async { work(transaction).await }).catch_unwind().await {
                Ok(outcome) => outcome,
                Err(_) => Err(Error::broken("the request panicked").into()),
            };
            let verdict = if outcome.is_ok() {
                Verdict::Keep
            } else {
                Verdict::TakeBack
            };
            self.outcome = Some(outcome);
            verdict
        })
    }

    fn overrule(&mut self, error: Error) {
        self.outcome = Some(Err(error.into()));
    }

    fn answer(self: Box<Self>, committed: Result<(), Error>) {
        let answer = match (committed, self.outcome) {
            (Ok(()), Some(outcome)) => outcome,
            (Ok(()), None) => Err(Error::unavailable("the request was not run").into()),
            (Err(error), _) => Err(error.into()),
        };
        // Whoever does not wait any more does not want to know.
        if let Some(reply) = self.reply {
            drop(reply.send(answer));
        }
    }
}

/// What the writer and the handle share.
#[derive(Debug, Default)]
pub(super) struct Tally {
    commits: AtomicU64,
    writes: AtomicU64,
}

impl Tally {
    pub(super) fn read(&self) -> Counters {
        Counters {
            commits: self.commits.load(Ordering::Relaxed),
            writes: self.writes.load(Ordering::Relaxed),
        }
    }
}

/// The one task that writes.
pub(super) struct Writer {
    pub(super) queue: mpsc::Receiver<Box<dyn Job>>,
    pub(super) connector: Connector,
    pub(super) options: Options,
    pub(super) health: Arc<Health>,
    pub(super) tally: Arc<Tally>,
    /// Rung after each commit that has changed an object.
    pub(super) bell: Arc<Notify>,
    pub(super) link: Link,
    /// What the present connection suffers from.
    pub(super) suffers: Ailment,
}

/// The writer's connection, or since when there is none.
#[derive(Debug)]
pub(super) enum Link {
    /// At hand.
    Up(Connection),
    /// In use, or to be made at once.
    Down,
    /// Not to be had; the next try is worth it only later.
    Away {
        error: Error,
        pause: Duration,
        until: Instant,
    },
}

/// How far a batch has come: a commit that is cut off may have happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Working,
    Committing,
}

impl Writer {
    /// Serves requests until shutdown; then those that are queued already.
    pub(super) async fn run(mut self, shutdown: CancellationToken) {
        loop {
            let first = tokio::select! {
                biased;
                () = shutdown.cancelled(), if !self.queue.is_closed() => {
                    self.queue.close();
                    continue;
                }
                first = self.queue.recv() => first,
            };
            let Some(first) = first else { break };
            self.serve(vec![first]).await;
        }
        if let Link::Up(connection) = self.link {
            connection.close().await;
        }
    }

    async fn serve(&mut self, mut batch: Vec<Box<dyn Job>>) {
        let mut stage = Stage::Working;
        self.health.begin_batch();
        let committed = match tokio::time::timeout(PATIENCE, self.commit(&mut batch, &mut stage)).await {
            Ok(committed) => committed,
            Err(_) => {
                let detail = format!("no answer for {} s", PATIENCE.as_secs());
                Err(match stage {
                    Stage::Working => Error::Unavailable { detail },
                    Stage::Committing => Error::Uncertain { detail },
                })
            }
        };
        self.health.end_batch();
        match &committed {
            // A batch that wrote nothing says nothing about writing.
            Ok(0) => {}
            Ok(_) | Err(_) => self.health.note_write(&committed),
        }
        for job in batch {
            job.answer(committed.clone().map(drop));
        }
    }

    /// Runs a batch and commits it; tells how many of its requests wrote something.
    async fn commit(&mut self, batch: &mut Vec<Box<dyn Job>>, stage: &mut Stage) -> Result<u64, Error> {
        let mut transaction = self.begin().await?;
        if let Err(outage) = self.work(&mut transaction, batch).await {
            self.keep_connection(transaction.abandon().await);
            return Err(outage);
        }
        let writes = transaction.pending();
        if writes == 0 {
            self.keep_connection(transaction.abandon().await);
            return Ok(0);
        }
        let is_news = transaction.has_numbered();
        let started = Instant::now();
        if !self.options.testing.sync_delay.is_zero() {
            tokio::time::sleep(self.options.testing.sync_delay).await;
        }
        *stage = Stage::Committing;
        let (connection, committed) = transaction.commit().await;
        self.keep_connection(connection);
        committed?;
        self.tally.commits.fetch_add(1, Ordering::Relaxed);
        self.tally.writes.fetch_add(writes, Ordering::Relaxed);
        if is_news {
            self.bell.notify_one();
        }
        if let Some(observer) = &self.options.observer {
            observer("commit", started.elapsed());
        }
        Ok(writes)
    }

    /// Runs the requests of a batch, and those that come in meanwhile, until the batch is full.
    async fn work(&mut self, transaction: &mut Transaction, batch: &mut Vec<Box<dyn Job>>) -> Result<(), Error> {
        let full = Instant::now() + FILLING;
        for next in 0..BATCH {
            if next == batch.len() {
                if Instant::now() >= full {
                    break;
                }
                let Ok(job) = self.queue.try_recv() else { break };
                batch.push(job);
            }
            run(transaction, batch[next].as_mut()).await?;
        }
        Ok(())
    }

    /// Begins a transaction. A connection that has gone bad while it lay idle is replaced once: nothing was lost with it.
    async fn begin(&mut self) -> Result<Transaction, Error> {
        let may_be_stale = matches!(self.link, Link::Up(Connection::Postgres(_)));
        match self.begin_on_link().await {
            Err(Error::Unavailable { .. }) if may_be_stale => self.begin_on_link().await,
            begun => begun,
        }
    }

    async fn begin_on_link(&mut self) -> Result<Transaction, Error> {
        let connection = self.connection().await?;
        Transaction::begin(connection, self.options.clock.now(), self.options.retention).await
    }

    async fn connection(&mut self) -> Result<Connection, Error> {
        let mut connection = match std::mem::replace(&mut self.link, Link::Down) {
            Link::Up(connection) => connection,
            Link::Down => self.connect(SHORTEST_PAUSE).await?,
            Link::Away { error, pause, until } if Instant::now() < until => {
                self.link = Link::Away {
                    error: error.clone(),
                    pause,
                    until,
                };
                return Err(error);
            }
            Link::Away { pause, .. } => self.connect((pause * 2).min(LONGEST_PAUSE)).await?,
        };
        let ailment = self.options.testing.patient.ailment();
        if self.suffers != ailment {
            connection.suffer(ailment).await?;
            self.suffers = ailment;
        }
        Ok(connection)
    }

    /// Connects; after a failure, the next try is after that pause.
    async fn connect(&mut self, pause: Duration) -> Result<Connection, Error> {
        self.suffers = Ailment::None;
        self.connector.connect().await.inspect_err(|error| {
            let until = Instant::now() + pause;
            self.link = Link::Away {
                error: error.clone(),
                pause,
                until,
            };
        })
    }

    fn keep_connection(&mut self, connection: Option<Connection>) {
        if let Some(connection) = connection {
            self.link = Link::Up(connection);
        }
    }
}

/// Runs a request in its savepoint. `Err` is an outage: no request of the batch can be committed.
async fn run(transaction: &mut Transaction, job: &mut dyn Job) -> Result<(), Error> {
    if !job.is_wanted() {
        return Ok(());
    }
    let verdict = job.run(transaction).await;
    if let Some(outage) = transaction.outage() {
        return Err(outage);
    }
    match verdict {
        Verdict::Keep => {
            if let Some(failure) = transaction.keep().await? {
                job.overrule(failure);
            }
        }
        Verdict::TakeBack => transaction.take_back().await?,
    }
    Ok(())
}
