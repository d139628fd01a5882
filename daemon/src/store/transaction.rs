//! What a write can see and do, and how several writes become one commit.
//!
//! Flow: the writer begins a transaction, which takes the only place in which anybody writes (on PostgreSQL across all
//! daemons) and reads where the revision stands. Each write runs inside a savepoint; one that fails is taken back alone.
//! Changes are numbered here, in memory, and what only accumulates (the change log, history, audit) is gathered and
//! written once, before the one commit.
//!
//! Guarantees: a write that met an error is never committed, even when it says that it succeeded. Numbers given to a
//! write that was taken back are given again. Audit entries stay even when their write is taken back.
//!
//! Assumptions: a write waits for nothing but this transaction.

use orch_shared::name::ObjectRef;
use orch_shared::resource::Timestamp;

use super::audit::{self, Chain};
use super::connection::Connection;
use super::journal::{Fate, Journal, JournalMark};
use super::read;
use super::row::COLUMNS;
use super::sql::{Record, Rows, Statement, sql};
use super::{Dependent, Error, Generation, NewAudit, Retention, Row};

/// One write in the making: it sees the newest state, including what it did itself, and nobody else writes meanwhile.
pub struct Transaction {
    connection: Connection,
    pub(super) now: Timestamp,
    pub(super) retention: Retention,
    /// Where the counters stood when the transaction began.
    begun_at: Counts,
    chain: Chain,
    pub(super) state: State,
    /// The state before the running write.
    before: Checkpoint,
    audits: Vec<(Timestamp, NewAudit)>,
    /// The first error that the running write met.
    failure: Option<Error>,
    /// Writes that were kept and changed something.
    kept: u64,
}

/// The numbers given last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) revision: i64,
    pub(super) event: i64,
}

/// What a write moves, beside the database itself.
#[derive(Debug)]
pub(super) struct State {
    pub(super) counts: Counts,
    pub(super) journal: Journal,
    /// Whether the running write has changed anything.
    pub(super) touched: bool,
}

#[derive(Debug, Clone, Copy)]
struct Checkpoint {
    counts: Counts,
    journal: JournalMark,
}

impl Transaction {
    /// Begins a transaction. When it cannot, the connection is given up.
    pub(super) async fn begin(mut connection: Connection, now: Timestamp, retention: Retention) -> Result<Self, Error> {
        connection.begin().await?;
        let counters = sql("SELECT revision, last_event, last_audit, audit_hash FROM meta WHERE id = 1");
        let read = |record: Record<'_>| {
            let counts = Counts {
                revision: record.integer(0)?,
                event: record.integer(1)?,
            };
            Ok((
                counts,
                Chain {
                    sequence: record.integer(2)?,
                    hash: record.text(3)?.to_owned(),
                },
            ))
        };
        let (counts, chain) = connection
            .session()
            .first(counters, read)
            .await?
            .ok_or_else(|| Error::Unusable {
                detail: "its table `meta` is empty; restore it from a backup".to_owned(),
            })?;
        let journal = Journal::default();
        Ok(Self {
            connection,
            now,
            retention,
            begun_at: counts,
            chain,
            before: Checkpoint {
                counts,
                journal: journal.mark(),
            },
            state: State {
                counts,
                journal,
                touched: false,
            },
            audits: Vec::new(),
            failure: None,
            kept: 0,
        })
    }

    /// Ends a write that wants to be kept. One that met an error is taken back instead, and answers with that error
    /// whatever it says itself.
    pub(super) async fn keep(&mut self) -> Result<Option<Error>, Error> {
        if let Some(failure) = self.failure.take() {
            self.take_back().await?;
            return Ok(Some(failure));
        }
        if self.state.touched {
            self.connection
                .session()
                .run_script("RELEASE write; SAVEPOINT write")
                .await?;
            self.kept += 1;
        }
        self.begin_write();
        Ok(None)
    }

    /// Undoes a write.
    pub(super) async fn take_back(&mut self) -> Result<(), Error> {
        // Also after mere reads: one that failed has broken the transaction until it goes back.
        self.connection.session().run_script("ROLLBACK TO write").await?;
        self.state.counts = self.before.counts;
        self.state.journal.return_to(self.before.journal);
        self.begin_write();
        Ok(())
    }

    fn begin_write(&mut self) {
        self.before = Checkpoint {
            counts: self.state.counts,
            journal: self.state.journal.mark(),
        };
        self.state.touched = false;
        self.failure = None;
    }

    /// The environment's failure that the running write met: no other write can succeed either.
    pub(super) fn outage(&self) -> Option<Error> {
        self.failure.clone().filter(Error::is_environment)
    }

    /// How many writes there are to commit; audit entries count as one.
    pub(super) fn pending(&self) -> u64 {
        self.kept.max(u64::from(!self.audits.is_empty()))
    }

    /// Whether there are changes of objects among what is to be committed.
    pub(super) const fn has_numbered(&self) -> bool {
        self.state.counts.revision != self.begun_at.revision
    }

    /// Writes what was gathered, and commits. The connection comes back unless it is lost.
    pub(super) async fn commit(mut self) -> (Option<Connection>, Result<(), Error>) {
        if let Err(error) = self.flush().await {
            return (self.abandon().await, Err(error));
        }
        // A release fails in a transaction that has failed; a mere commit would quietly roll it back.
        match self.connection.session().run_script("RELEASE write; COMMIT").await {
            Ok(()) => (Some(self.connection), Ok(())),
            Err(Error::Unavailable { detail }) => (None, Err(Error::Uncertain { detail })),
            Err(error) => (self.abandon().await, Err(error)),
        }
    }

    /// Gives everything up. The connection comes back unless it is lost.
    pub(super) async fn abandon(mut self) -> Option<Connection> {
        match self.connection.session().run_script("ROLLBACK").await {
            Ok(()) => Some(self.connection),
            Err(error) => {
                tracing::debug!(%error, "the transaction could not be rolled back; its connection is given up");
                None
            }
        }
    }

    async fn flush(&mut self) -> Result<(), Error> {
        let journal = std::mem::take(&mut self.state.journal);
        for statement in journal.statements(self.now, &self.retention) {
            self.connection.session().run(statement).await?;
        }
        let entries = audit::chained(&mut self.chain, std::mem::take(&mut self.audits));
        for statement in audit::statements(&entries) {
            self.connection.session().run(statement).await?;
        }
        let counters = sql(
            "UPDATE meta SET revision = $1, last_event = $2, last_audit = $3, audit_hash = $4 \
             WHERE id = 1 AND revision = $5",
        )
        .bind(self.state.counts.revision)
        .bind(self.state.counts.event)
        .bind(self.chain.sequence)
        .bind(&self.chain.hash)
        .bind(self.begun_at.revision);
        if self.connection.session().run(counters).await? != 1 {
            return Err(Error::broken("somebody else has numbered changes meanwhile"));
        }
        if self.has_numbered() {
            self.connection.ring().await?;
        }
        Ok(())
    }

    /// Remembers an error that the running write met.
    pub(super) fn noted<T>(&mut self, result: Result<T, Error>) -> Result<T, Error> {
        if let Err(error) = &result {
            self.failure.get_or_insert_with(|| error.clone());
        }
        result
    }

    /// Frees the pages that the connection keeps.
    pub(super) async fn shrink(&mut self) -> Result<(), Error> {
        self.connection.session().shrink().await
    }

    /// Runs a statement that changes something.
    pub(super) async fn run(&mut self, statement: Statement<'_>) -> Result<u64, Error> {
        self.state.touched = true;
        let ran = self.connection.session().run(statement).await;
        self.noted(ran)
    }

    /// Runs statements and collects their rows.
    pub(super) async fn all<T: Send>(
        &mut self,
        statements: Vec<Statement<'_>>,
        mut read: impl FnMut(Record<'_>) -> Result<T, Error> + Send,
    ) -> Result<Vec<T>, Error> {
        let mut all = Vec::new();
        for statement in statements {
            let rows = self.connection.session().all(statement, &mut read).await;
            all.extend(self.noted(rows)?);
        }
        Ok(all)
    }

    pub(super) fn push_audit(&mut self, at: Timestamp, entry: NewAudit) {
        self.audits.push((at, entry));
    }
}

/// What a write can see.
impl Transaction {
    /// The newest revision, this write's own changes included.
    #[must_use]
    pub const fn revision(&self) -> i64 {
        self.state.counts.revision
    }

    /// What has become of each object that this write has changed so far.
    #[must_use]
    pub fn fates(&self) -> Vec<(ObjectRef, Fate)> {
        self.state.journal.fates(self.before.journal)
    }

    /// When this transaction began: the instant of all its changes.
    #[must_use]
    pub const fn now(&self) -> Timestamp {
        self.now
    }

    /// The objects of those names, in the order asked for.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn load(&mut self, objects: &[ObjectRef]) -> Result<Vec<Option<Row>>, Error> {
        let found = read::load(&mut self.connection.session(), objects).await;
        self.noted(found)
    }

    /// The object with that uid.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn load_uid(&mut self, uid: &str) -> Result<Option<Row>, Error> {
        Ok(self.load_uids(&[uid]).await?.pop())
    }

    pub(super) async fn load_uids(&mut self, uids: &[&str]) -> Result<Vec<Row>, Error> {
        let mut rows = Rows::of(1);
        uids.iter().for_each(|uid| rows.push([(*uid).into()]));
        let before = format!("SELECT {COLUMNS} FROM resource r WHERE r.uid IN (");
        self.all(rows.statements(before, ")"), |record| Row::read(&record, 0))
            .await
    }

    /// The members of an apply set.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn members(&mut self, set: &str) -> Result<Vec<Row>, Error> {
        let members = read::select_rows("r.apply_set = ", set);
        self.all(vec![members], |record| Row::read(&record, 0)).await
    }

    /// The names that are taken beside an object: of its kind, in its scope.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn names_beside(&mut self, object: &ObjectRef) -> Result<Vec<String>, Error> {
        let names = sql("SELECT r.name FROM resource r WHERE r.kind = $1 AND r.scope = $2 ORDER BY r.name")
            .bind(object.kind.as_str())
            .bind(object.scope.to_column());
        self.all(vec![names], |record| Ok(record.text(0)?.to_owned())).await
    }

    /// The objects that belong to an object.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn owned(&mut self, uid: &str) -> Result<Vec<Row>, Error> {
        let owned = read::select_rows("r.owner_uid = ", uid);
        self.all(vec![owned], |record| Row::read(&record, 0)).await
    }

    /// The objects that name any of `objects`, each after the one it names.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn dependents(&mut self, objects: &[ObjectRef]) -> Result<Vec<(ObjectRef, Dependent)>, Error> {
        let found = read::dependents(&mut self.connection.session(), objects).await;
        self.noted(found)
    }

    /// One generation of an object, when it is kept.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn generation(&mut self, uid: &str, generation: i64) -> Result<Option<Generation>, Error> {
        if let Some(gathered) = self.state.journal.generation(uid, generation, self.now) {
            return Ok(Some(gathered));
        }
        let found = self
            .all(vec![read::select_generation(uid, generation)], read::generation)
            .await?;
        Ok(found.into_iter().next())
    }
}
