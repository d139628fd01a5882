//! Who called what, and what came of it: written down in batches, off the path of the calls.
//!
//! An entry waits at most [`GATHER`] before it is written together with those that came meanwhile; what was gathered and
//! not written when the daemon is killed is lost, and nothing else. What is refused for want of permission is not batched
//! with the rest for longer than that either. Arguments and results are never part of an entry.

use std::time::{Duration, Instant};

use orch_shared::jsonrpc::{Members, Outcome};
use orch_shared::name::ObjectRef;
use serde::Serialize;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::limits::Place;
use crate::runtime::{Hold, link};
use crate::store::{Error, NewAudit, Store};

/// How long entries are gathered.
const GATHER: Duration = Duration::from_millis(100);
/// So many are written at once.
const BATCH: usize = 4096;
/// So many may wait; beyond that, entries are dropped, which is said in the log.
const WAITING: usize = 65_536;

/// Where entries are handed in. Cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Ledger(mpsc::Sender<NewAudit>);

/// Opens a ledger: where to hand in, and what writes it down until `stop`.
pub(super) fn open(store: Store, stop: CancellationToken) -> (Ledger, impl Future<Output = ()> + Send) {
    let (sender, receiver) = mpsc::channel(WAITING);
    (Ledger(sender), write(store, receiver, stop))
}

async fn write(store: Store, mut entries: mpsc::Receiver<NewAudit>, stop: CancellationToken) {
    let mut batch = Vec::new();
    loop {
        if stop.is_cancelled() {
            // What is there already is taken, and then nothing more.
            entries.close();
        }
        let received = tokio::select! {
            biased;
            count = entries.recv_many(&mut batch, BATCH) => count,
            () = stop.cancelled(), if !entries.is_closed() => continue,
        };
        if received == 0 {
            return;
        }
        if !entries.is_closed() && batch.len() < BATCH {
            tokio::time::sleep(GATHER).await;
            while batch.len() < BATCH {
                match entries.try_recv() {
                    Ok(entry) => batch.push(entry),
                    Err(_) => break,
                }
            }
        }
        let taken = std::mem::take(&mut batch);
        let count = taken.len();
        let written = store.write(move |transaction| {
            Box::pin(async move {
                for entry in taken {
                    transaction.audit(entry);
                }
                Ok::<_, Error>(())
            })
        });
        if let Err(error) = written.await {
            tracing::error!(%error, entries = count, "calls cannot be written to the audit log");
        }
    }
}

impl Ledger {
    /// Begins to note a request.
    pub(super) fn note(&self, principal: &str, method: &str, object: ObjectRef, name: Option<String>) -> Note {
        Note {
            ledger: self.clone(),
            began: Instant::now(),
            principal: principal.to_owned(),
            method: method.to_owned(),
            object,
            name,
            told: false,
            place: Place::default(),
            hold: None,
        }
    }
}

/// What is noted of one request; handed in when it is over, at the latest when nobody holds it any more.
#[derive(Debug)]
pub(super) struct Note {
    ledger: Ledger,
    began: Instant,
    principal: String,
    method: String,
    object: ObjectRef,
    /// The tool, prompt or resource, as its server calls it.
    name: Option<String>,
    told: bool,
    /// What the request holds of its limits; given back with the note.
    place: Place,
    /// Keeps the copy that is asked from going.
    hold: Option<Hold>,
}

/// What an entry says beside who, what and with which outcome.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Detail<'d> {
    duration_us: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<&'d str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    said: Option<&'d str>,
}

impl Note {
    /// Who asked.
    pub(super) fn principal(&self) -> &str {
        &self.principal
    }

    /// Holds a place for as long as the request is under way.
    pub(super) fn hold(&mut self, place: Place) {
        self.place = place;
    }

    /// Keeps the copy that is asked from going meanwhile.
    pub(super) fn use_copy(&mut self, hold: Option<Hold>) {
        self.hold = hold;
    }

    /// It was answered, well or not.
    pub(super) fn answered(&mut self, outcome: &Outcome) {
        match outcome {
            Outcome::Result(result) => {
                let is_error = result.get().contains("\"isError\"")
                    && Members::of(result)
                        .is_some_and(|result| result.get("isError").is_some_and(|is| is.get() == "true"));
                self.tell("allowed", if is_error { "the tool reported an error" } else { "" });
            }
            Outcome::Error(_) => {
                let text = outcome.code().map(|code| format!("error {code}")).unwrap_or_default();
                self.tell("failed", &text);
            }
        }
    }

    /// There was no answer.
    pub(super) fn failed(&mut self, error: &link::Error) {
        self.tell("failed", &error.to_string());
    }

    /// There was nobody to ask, in a clause.
    pub(super) fn unavailable(&mut self, reason: &str) {
        self.tell("failed", reason);
    }

    /// It was refused.
    pub(super) fn refused(&mut self, reason: &str) {
        self.tell("denied", reason);
    }

    /// Nobody wanted the answer any more.
    pub(super) fn cancelled(&mut self) {
        self.tell("failed", "cancelled");
    }

    /// The client was asked for input first; what comes of it is noted with its next attempt.
    pub(super) fn parked(&mut self) {
        self.tell("allowed", "input required");
    }

    fn tell(&mut self, outcome: &str, said: &str) {
        if std::mem::replace(&mut self.told, true) {
            return;
        }
        let took = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let detail = Detail {
            duration_us: took,
            name: self.name.as_deref(),
            said: Some(said).filter(|said| !said.is_empty()),
        };
        let entry = NewAudit {
            principal: self.principal.clone(),
            action: self.method.clone(),
            object: Some(self.object.clone()),
            outcome: outcome.to_owned(),
            detail: serde_json::to_string(&detail).expect("plain data"),
        };
        let why = match self.ledger.0.try_send(entry) {
            Ok(()) => return,
            Err(mpsc::error::TrySendError::Full(_)) => "it cannot be written fast enough",
            Err(mpsc::error::TrySendError::Closed(_)) => "the daemon has ended before it did",
        };
        tracing::error!(method = self.method, why, "a call is missing in the audit log");
    }
}

impl Drop for Note {
    fn drop(&mut self) {
        self.tell("failed", "the client went away");
    }
}
