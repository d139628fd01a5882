//! Whether the database answers and can be written, as everybody who used it last found out.

use std::sync::{Mutex, PoisonError};

use orch_shared::wire::Check;

use super::Error;

/// What is known about the database. All is well until somebody finds otherwise.
#[derive(Debug, Default)]
pub(super) struct Health {
    reads: Mutex<Option<String>>,
    writes: Mutex<Option<String>>,
}

impl Health {
    /// Takes note of how a read ended.
    pub(super) fn note_read<T>(&self, outcome: &Result<T, Error>) {
        note(&self.reads, outcome, "database");
    }

    /// Takes note of how a commit ended.
    pub(super) fn note_write<T>(&self, outcome: &Result<T, Error>) {
        note(&self.writes, outcome, "database-writes");
    }

    pub(super) fn writes_fail(&self) -> bool {
        self.writes.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    pub(super) fn checks(&self) -> Vec<Check> {
        [("database", &self.reads), ("database-writes", &self.writes)]
            .map(|(name, trouble)| {
                let message = trouble.lock().unwrap_or_else(PoisonError::into_inner).clone();
                Check {
                    name: name.to_owned(),
                    ok: message.is_none(),
                    message,
                }
            })
            .into()
    }
}

/// Only the environment's failures and plain success tell anything about the database. A change is logged once.
fn note<T>(trouble: &Mutex<Option<String>>, outcome: &Result<T, Error>, check: &'static str) {
    let now = match outcome {
        Ok(_) => None,
        Err(error) if error.is_environment() => Some(error.to_string()),
        Err(_) => return,
    };
    let mut trouble = trouble.lock().unwrap_or_else(PoisonError::into_inner);
    match (trouble.as_deref(), now.as_deref()) {
        (None, Some(error)) => tracing::warn!(check, error, "the database has a problem"),
        (Some(_), None) => tracing::info!(check, "the database is well again"),
        (None, None) | (Some(_), Some(_)) => {}
    }
    *trouble = now;
}
