//! How each database is reached: one connection that writes, a pool of connections that read.
//!
//! SQLite: WAL and `synchronous=FULL`, so that a commit that returned survives a power cut, and readers never wait for
//! the writer. PostgreSQL: read committed; writers line up at the one row of `meta`.

use std::path::Path;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgListener, PgPool, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{ConnectOptions, Connection as _, Postgres, Sqlite};
use tokio::sync::Notify;

use super::Error;
use super::database::{Ailment, Database};
use super::lock::open_private;
use super::sql::{Session, sql};

/// How long to wait for a connection before the database counts as lost.
const CONNECT_PATIENCE: Duration = Duration::from_secs(3);
/// How long a statement may wait for somebody else's lock.
const LOCK_PATIENCE: Duration = Duration::from_secs(5);
/// Pages that a reading connection of SQLite keeps, in negative kibibytes. The system keeps them all, too.
const READER_CACHE: &str = "-256";
/// The pause before PostgreSQL is listened to again.
const LISTEN_PAUSE: Duration = Duration::from_millis(500);
/// Where daemons on one PostgreSQL tell each other of commits.
const CHANNEL: &str = "orchctl_change";

/// Where the database is and how it is spoken to.
#[derive(Debug, Clone)]
pub(super) enum Connector {
    Sqlite(SqliteConnectOptions),
    Postgres(PgConnectOptions),
}

impl Connector {
    /// Makes SQLite's file when it is not there; does not connect.
    pub(super) fn new(database: &Database) -> Result<Self, Error> {
        match database {
            Database::Sqlite(directory) => sqlite(&directory.join("orchd.db")).map(Self::Sqlite),
            Database::Postgres(url) => Ok(Self::Postgres(
                url.parse::<PgConnectOptions>()?
                    .application_name("orchd")
                    // A daemon that hangs must not hold up the others for ever.
                    .options([
                        ("statement_timeout", "60s"),
                        ("lock_timeout", "10s"),
                        ("idle_in_transaction_session_timeout", "60s"),
                    ])
                    .disable_statement_logging(),
            )),
        }
    }

    /// The connection that writes.
    pub(super) async fn connect(&self) -> Result<Connection, Error> {
        let connecting = async {
            Ok::<_, sqlx::Error>(match self {
                // What a savepoint may have to restore is kept in memory: by default SQLite writes it to a file, every
                // page that a batch touches, and removes it with the commit.
                Self::Sqlite(options) => {
                    let options = options.clone().pragma("temp_store", "MEMORY");
                    Connection::Sqlite(options.connect().await?)
                }
                Self::Postgres(options) => Connection::Postgres(Box::new(options.connect().await?)),
            })
        };
        match tokio::time::timeout(CONNECT_PATIENCE, connecting).await {
            Ok(connected) => Ok(connected?),
            Err(_) => Err(Error::unavailable("no answer while connecting")),
        }
    }

    /// The connections that read; made when they are needed.
    pub(super) fn readers(&self) -> Readers {
        match self {
            Self::Sqlite(options) => Readers::Sqlite(
                SqlitePoolOptions::new()
                    .max_connections(4)
                    .acquire_timeout(CONNECT_PATIENCE)
                    .test_before_acquire(false)
                    .connect_lazy_with(
                        options
                            .clone()
                            .pragma("query_only", "1")
                            .pragma("cache_size", READER_CACHE)
                            .row_buffer_size(512),
                    ),
            ),
            Self::Postgres(options) => Readers::Postgres(
                PgPoolOptions::new()
                    .max_connections(6)
                    .acquire_timeout(CONNECT_PATIENCE)
                    .connect_lazy_with(options.clone()),
            ),
        }
    }
}

fn sqlite(file: &Path) -> Result<SqliteConnectOptions, Error> {
    // SQLite gives its -wal and -shm files the mode of this one.
    open_private(file).map_err(|error| Error::unavailable(format!("{}: {error}", file.display())))?;
    Ok(SqliteConnectOptions::new()
        .filename(file)
        .journal_mode(SqliteJournalMode::Wal)
        .synchronous(SqliteSynchronous::Full)
        .foreign_keys(true)
        .busy_timeout(LOCK_PATIENCE)
        .disable_statement_logging())
}

/// The connection that writes.
#[derive(Debug)]
pub(super) enum Connection {
    Sqlite(SqliteConnection),
    Postgres(Box<PgConnection>),
}

impl Connection {
    pub(super) fn session(&mut self) -> Session<'_> {
        match self {
            Self::Sqlite(connection) => Session::Sqlite(connection),
            Self::Postgres(connection) => Session::Postgres(connection),
        }
    }

    /// Begins a transaction that nobody else's write runs beside, with the savepoint `write` in it.
    pub(super) async fn begin(&mut self) -> Result<(), Error> {
        let script = match self {
            Self::Sqlite(_) => "BEGIN IMMEDIATE; SAVEPOINT write",
            Self::Postgres(_) => "BEGIN; SELECT 1 FROM meta WHERE id = 1 FOR UPDATE; SAVEPOINT write",
        };
        self.session().run_script(script).await
    }

    /// Rings for the other daemons, at the commit of the running transaction.
    pub(super) async fn ring(&mut self) -> Result<(), Error> {
        match self {
            Self::Sqlite(_) => Ok(()),
            Self::Postgres(_) => self
                .session()
                .run(sql("SELECT pg_notify($1, '')").bind(CHANNEL))
                .await
                .map(drop),
        }
    }

    /// Makes the connection fail as a database does that is full or read-only, or well again.
    pub(super) async fn suffer(&mut self, ailment: Ailment) -> Result<(), Error> {
        let script = match (&self, ailment) {
            // The limit cannot go below the present size, so this is that size.
            (Self::Sqlite(_), Ailment::DiskFull) => "PRAGMA query_only = 0; PRAGMA max_page_count = 1",
            (Self::Sqlite(_), Ailment::ReadOnly) => "PRAGMA query_only = 1",
            (Self::Sqlite(_), Ailment::None) => "PRAGMA query_only = 0; PRAGMA max_page_count = 4294967294",
            (Self::Postgres(_), Ailment::DiskFull | Ailment::ReadOnly) => "SET default_transaction_read_only = on",
            (Self::Postgres(_), Ailment::None) => "SET default_transaction_read_only = off",
        };
        self.session().run_script(script).await
    }

    pub(super) async fn close(self) {
        let closed = match self {
            Self::Sqlite(connection) => connection.close().await,
            Self::Postgres(connection) => connection.close().await,
        };
        if let Err(error) = closed {
            tracing::debug!(%error, "closing the database connection");
        }
    }
}

/// The connections that read.
#[derive(Debug, Clone)]
pub(super) enum Readers {
    Sqlite(SqlitePool),
    Postgres(PgPool),
}

impl Readers {
    /// A connection for single statements.
    pub(super) async fn acquire(&self) -> Result<Reader, Error> {
        Ok(match self {
            Self::Sqlite(pool) => Reader::Sqlite(pool.acquire().await?),
            Self::Postgres(pool) => Reader::Postgres(pool.acquire().await?),
        })
    }

    /// A connection whose statements all see the same state of the database.
    pub(super) async fn begin(&self) -> Result<Reader, Error> {
        Ok(match self {
            Self::Sqlite(pool) => Reader::SqliteSnapshot(pool.begin().await?),
            Self::Postgres(pool) => Reader::PostgresSnapshot(
                pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
                    .await?,
            ),
        })
    }

    /// Rings when another daemon has committed. Never ends.
    pub(super) async fn listen(&self, bell: &Notify) {
        let pool = match self {
            // There is no other daemon.
            Self::Sqlite(_) => return std::future::pending().await,
            Self::Postgres(pool) => pool,
        };
        loop {
            if let Err(error) = hear(pool, bell).await {
                tracing::debug!(%error, "PostgreSQL cannot be listened to");
            }
            tokio::time::sleep(LISTEN_PAUSE).await;
        }
    }

    pub(super) async fn close(&self) {
        match self {
            Self::Sqlite(pool) => pool.close().await,
            Self::Postgres(pool) => pool.close().await,
        }
    }
}

/// Rings at every notification, until the database is lost.
async fn hear(pool: &PgPool, bell: &Notify) -> Result<(), sqlx::Error> {
    let mut listener = PgListener::connect_with(pool).await?;
    listener.listen(CHANNEL).await?;
    loop {
        // Also at first, and when the connection was lost and made anew: for what was missed.
        bell.notify_one();
        listener.try_recv().await?;
    }
}

/// A connection that reads, on loan from the pool.
pub(super) enum Reader {
    Sqlite(PoolConnection<Sqlite>),
    Postgres(PoolConnection<Postgres>),
    SqliteSnapshot(sqlx::Transaction<'static, Sqlite>),
    PostgresSnapshot(sqlx::Transaction<'static, Postgres>),
}

impl Reader {
    pub(super) fn session(&mut self) -> Session<'_> {
        match self {
            Self::Sqlite(connection) => Session::Sqlite(connection),
            Self::Postgres(connection) => Session::Postgres(connection),
            Self::SqliteSnapshot(transaction) => Session::Sqlite(transaction),
            Self::PostgresSnapshot(transaction) => Session::Postgres(transaction),
        }
    }
}
