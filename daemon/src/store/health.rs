//! Whether the database answers and can be written, as everybody who used it last found out.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use orch_shared::wire::Check;
use tokio::time::Instant;

use super::Error;

/// A batch of writes that takes longer than this stands in the way of all others.
const LONG: Duration = Duration::from_secs(10);

/// What is known about the database. All is well until somebody finds otherwise.
#[derive(Debug, Default)]
pub(super) struct Health {
    reads: Mutex<Option<String>>,
    writes: Mutex<Option<String>>,
    /// Since when the writer has been at its present batch.
    writing: Mutex<Option<Instant>>,
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

    /// Takes note that the writer begins a batch.
    pub(super) fn begin_batch(&self) {
        *self.writing.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    /// Takes note that the writer has ended a batch.
    pub(super) fn end_batch(&self) {
        *self.writing.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// What stands in the way of writes, as far as the writer has not come to say it itself.
    fn standstill(&self) -> Option<String> {
        let began = *self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let busy = began.map(|began| began.elapsed()).filter(|busy| *busy > LONG)?;
        Some(format!("one batch of writes has taken {} s so far", busy.as_secs()))
    }

    pub(super) fn writes_fail(&self) -> bool {
        self.writes.lock().unwrap_or_else(PoisonError::into_inner).is_some()
    }

    pub(super) fn checks(&self) -> Vec<Check> {
        [("database", &self.reads), ("database-writes", &self.writes)]
            .map(|(name, trouble)| {
                let known = trouble.lock().unwrap_or_else(PoisonError::into_inner).clone();
                let message = match name {
                    "database-writes" => known.or_else(|| self.standstill()),
                    _ => known,
                };
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_batch_that_does_not_end_is_told() {
        let health = Health::default();
        let well = || health.checks().iter().all(|check| check.ok);
        health.begin_batch();
        tokio::time::advance(LONG).await;
        assert!(well());
        tokio::time::advance(Duration::from_secs(1)).await;
        let checks = health.checks();
        assert_eq!(
            checks[1].message.as_deref(),
            Some("one batch of writes has taken 11 s so far")
        );
        health.end_batch();
        assert!(well());
    }
}
