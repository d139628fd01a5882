//! How the store can fail: one variant per distinct reaction. What the database says enters here and nowhere else, and
//! leaves as "try again", "make room", "somebody was quicker" or "this is a bug".

use std::path::PathBuf;

use orch_shared::name::ObjectRef;
use sqlx::error::DatabaseError;

/// Why the store did not do what it was asked.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The database does not answer or is locked. Nothing was written; the same request may be sent again.
    #[error("the database is not available: {detail}")]
    Unavailable {
        /// What the database or the connection said.
        detail: String,
    },
    /// The database can be read but not written: disk full, read-only file system or server. Nothing was written.
    #[error("the database cannot be written: {detail}")]
    ReadOnly {
        /// What the database said.
        detail: String,
    },
    /// The connection was lost while the commit was on its way: the write may have happened or not. Only reading again
    /// tells.
    #[error("the database was lost during the commit, so the outcome of the write is not known: {detail}")]
    Uncertain {
        /// What the database or the connection said.
        detail: String,
    },
    /// The object has another generation than the write expected.
    #[error("the object {uid} has changed since it was read")]
    Conflict {
        /// The object.
        uid: String,
    },
    /// The object to be made is there already.
    #[error("{object} exists already")]
    Taken {
        /// The object.
        object: Box<ObjectRef>,
    },
    /// The object to be changed is not there any more.
    #[error("the object {uid} is gone")]
    Gone {
        /// The object.
        uid: String,
    },
    /// The change log does not reach back, or not yet forward, to the revision asked for: list anew.
    #[error("the change log begins after revision {compacted} and ends at {revision}")]
    Compacted {
        /// The last revision that was dropped from the log.
        compacted: i64,
        /// The newest revision.
        revision: i64,
    },
    /// Another daemon has taken over what this write was part of.
    #[error("another daemon has taken over {lease}")]
    TakenOver {
        /// What the lease is for.
        lease: &'static str,
    },
    /// Another daemon works on the same data directory.
    #[error("the data directory {} is in use by process {pid}", directory.display())]
    InUse {
        /// The directory.
        directory: PathBuf,
        /// The process id of the other daemon, as it wrote it down.
        pid: String,
    },
    /// The database cannot be used by this version of the daemon, or not by any.
    #[error("the database cannot be used: {detail}")]
    Unusable {
        /// What is wrong with it, and what to do.
        detail: String,
    },
    /// A case that should not be possible: a statement that the database does not understand, a row that cannot be read.
    #[error("the database and the daemon do not understand each other: {detail}")]
    Broken {
        /// What the database said.
        detail: String,
    },
}

impl Error {
    /// Whether the database, and not the request, is to blame: every write of the same commit fails along.
    pub(super) const fn is_environment(&self) -> bool {
        match self {
            Self::Unavailable { .. } | Self::ReadOnly { .. } | Self::Uncertain { .. } => true,
            Self::Conflict { .. }
            | Self::Taken { .. }
            | Self::Gone { .. }
            | Self::Compacted { .. }
            | Self::TakenOver { .. }
            | Self::InUse { .. }
            | Self::Unusable { .. }
            | Self::Broken { .. } => false,
        }
    }

    pub(super) fn broken(detail: impl Into<String>) -> Self {
        Self::Broken { detail: detail.into() }
    }

    pub(super) fn unavailable(detail: impl Into<String>) -> Self {
        Self::Unavailable { detail: detail.into() }
    }
}

impl From<sqlx::Error> for Error {
    fn from(error: sqlx::Error) -> Self {
        let detail = error.to_string();
        match error {
            sqlx::Error::Database(error) => match error.try_downcast_ref::<sqlx::postgres::PgDatabaseError>() {
                Some(postgres) => from_sqlstate(postgres.code(), detail),
                None => from_sqlite(error.as_ref(), detail),
            },
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed
            | sqlx::Error::BeginFailed => Self::Unavailable { detail },
            sqlx::Error::Configuration(_) => Self::Unusable { detail },
            // `sqlx::Error` may grow; what is not known to be the environment's fault is ours.
            _ => Self::Broken { detail },
        }
    }
}

/// The classes of SQLSTATE: <https://www.postgresql.org/docs/current/errcodes-appendix.html>.
fn from_sqlstate(code: &str, detail: String) -> Error {
    match code {
        // read_only_sql_transaction; disk_full.
        "25006" | "53100" => Error::ReadOnly { detail },
        // lock_not_available, query_canceled, serialization_failure, deadlock_detected.
        "55P03" | "57014" | "40001" | "40P01" => Error::Unavailable { detail },
        // Connection exceptions, resources, operator intervention, system errors, credentials.
        _ if ["08", "53", "57", "58", "28"]
            .iter()
            .any(|class| code.starts_with(class)) =>
        {
            Error::Unavailable { detail }
        }
        _ => Error::Broken { detail },
    }
}

/// The primary result codes of SQLite: <https://www.sqlite.org/rescode.html>.
fn from_sqlite(error: &dyn DatabaseError, detail: String) -> Error {
    let extended: i32 = error.code().and_then(|code| code.parse().ok()).unwrap_or_default();
    match extended & 0xff {
        // READONLY, FULL.
        8 | 13 => Error::ReadOnly { detail },
        // PERM, BUSY, LOCKED, NOMEM, INTERRUPT, IOERR, CANTOPEN, PROTOCOL.
        3 | 5 | 6 | 7 | 9 | 10 | 14 | 15 => Error::Unavailable { detail },
        // CORRUPT, NOTADB.
        11 | 26 => Error::Unusable { detail },
        _ => Error::Broken { detail },
    }
}
