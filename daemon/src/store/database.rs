//! Which database, and how it is treated.

use std::path::PathBuf;
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use crate::clock::{Clock, Ids};

/// Where the objects live.
#[derive(Clone, PartialEq, Eq)]
pub enum Database {
    /// In `orchd.db` in this directory, which is made when it is not there and locked while the store is open.
    Sqlite(PathBuf),
    /// In a PostgreSQL database, at this URL.
    Postgres(String),
}

/// Shows no password.
impl std::fmt::Debug for Database {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Sqlite(directory) => f.debug_tuple("Sqlite").field(directory).finish(),
            Self::Postgres(_) => f.write_str("Postgres(…)"),
        }
    }
}

/// A text that names no database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{given} is no database: write postgres://USER@HOST/NAME or sqlite:DIRECTORY")]
pub struct UnknownDatabase {
    /// As much of the text as surely holds no password.
    given: String,
}

impl UnknownDatabase {
    fn new(text: &str) -> Self {
        let is_scheme = |scheme: &str| !scheme.is_empty() && scheme.chars().all(|c| c.is_ascii_alphabetic());
        let given = match text.split_once("://") {
            Some((scheme, _)) if is_scheme(scheme) => format!("`{scheme}://...`"),
            Some(_) | None => "the text".to_owned(),
        };
        Self { given }
    }
}

/// Reads `postgres://…` or `sqlite:DIRECTORY`.
impl FromStr for Database {
    type Err = UnknownDatabase;

    fn from_str(text: &str) -> Result<Self, UnknownDatabase> {
        if text.starts_with("postgres://") || text.starts_with("postgresql://") {
            return Ok(Self::Postgres(text.to_owned()));
        }
        match text
            .strip_prefix("sqlite:")
            .map(|path| path.strip_prefix("//").unwrap_or(path))
        {
            Some(directory) if !directory.is_empty() => Ok(Self::Sqlite(directory.into())),
            Some(_) | None => Err(UnknownDatabase::new(text)),
        }
    }
}

/// How the store treats its database.
#[derive(Clone)]
pub struct Options {
    /// Tells the time of every change.
    pub clock: Arc<dyn Clock>,
    /// Makes uids.
    pub ids: Arc<dyn Ids>,
    /// What is kept of the past.
    pub retention: Retention,
    /// How long opening waits for a PostgreSQL that does not answer.
    pub patience: Duration,
    /// Told how long each operation took: `read`, `write`, `commit`.
    pub observer: Option<Observer>,
    /// For tests and benchmarks.
    pub testing: Testing,
}

/// Told the name of an operation and how long it took.
pub type Observer = Arc<dyn Fn(&'static str, Duration) + Send + Sync>;

impl Options {
    /// The usual treatment.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, ids: Arc<dyn Ids>) -> Self {
        Self {
            clock,
            ids,
            retention: Retention::default(),
            patience: Duration::from_secs(60),
            observer: None,
            testing: Testing::default(),
        }
    }
}

/// What is kept of the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retention {
    /// The newest so many changes stay in the log,
    pub changes: i64,
    /// and those no older than this, whichever are more.
    pub changes_for: Duration,
    /// Generations per object.
    pub generations: i64,
    /// Events per object.
    pub events: i64,
    /// Events of objects that are gone, all together.
    pub orphaned_events: i64,
    /// Entries of the audit log no older than this.
    pub audit_for: Duration,
    /// Calls of models no older than this.
    pub usage_for: Duration,
}

impl Default for Retention {
    fn default() -> Self {
        Self {
            changes: 10_000,
            changes_for: Duration::from_secs(3600),
            generations: 100,
            events: 50,
            orphaned_events: 1_000,
            audit_for: Duration::from_secs(90 * 24 * 3600),
            usage_for: Duration::from_secs(400 * 24 * 3600),
        }
    }
}

/// What tests and benchmarks may turn; nothing of it is reachable from the command line.
#[derive(Debug, Clone, Default)]
pub struct Testing {
    /// Waits so long before each commit, as a slow disk would.
    pub sync_delay: Duration,
    /// How often the log is compacted and the database probed. Default: every minute and every five seconds.
    pub period: Option<Duration>,
    /// What the database suffers from. Clones share it.
    pub patient: Patient,
}

/// Makes the writing connection suffer, and get well again. Clones share what it suffers from.
#[derive(Debug, Clone, Default)]
pub struct Patient(Arc<Mutex<Ailment>>);

/// What can befall a database. File modes mean nothing to root, so tests do it with settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Ailment {
    /// All is well.
    #[default]
    None,
    /// There is no room for another page.
    DiskFull,
    /// Nothing may be written.
    ReadOnly,
}

impl Patient {
    /// From the next commit on, the database suffers from this.
    pub fn suffer(&self, ailment: Ailment) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = ailment;
    }

    pub(super) fn ailment(&self) -> Ailment {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn databases_are_read_from_text() {
        for (text, database) in [
            (
                "postgres://u:p@h/d",
                Some(Database::Postgres("postgres://u:p@h/d".to_owned())),
            ),
            ("sqlite:/var/lib/orchd", Some(Database::Sqlite("/var/lib/orchd".into()))),
            (
                "sqlite:///var/lib/orchd",
                Some(Database::Sqlite("/var/lib/orchd".into())),
            ),
            ("sqlite:data", Some(Database::Sqlite("data".into()))),
            ("sqlite:", None),
            ("mysql://h/d", None),
            ("", None),
        ] {
            assert_eq!(text.parse().ok(), database, "{text}");
        }
        for (text, told) in [
            ("mysql://u:secret@h/d", "`mysql://...` is no database"),
            ("postgre//u:secret@h/d", "the text is no database"),
            ("u:secret@h://d", "the text is no database"),
        ] {
            let error = text.parse::<Database>().unwrap_err().to_string();
            assert!(error.starts_with(told), "{error}");
        }
        assert!(!format!("{:?}", Database::Postgres("postgres://u:secret@h/d".to_owned())).contains("secret"));
    }
}
