//! A conversation with one client: its id, its stream for what nobody asked for, and what is under way.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use crate::outlet::Outlet;
use crate::wire;

/// Ids of our own requests are never used twice in a process.
static QUESTIONS: AtomicU64 = AtomicU64::new(1);

/// A conversation with one client.
#[derive(Debug, Default)]
pub(crate) struct Session {
    /// The revision that was agreed on.
    revision: Mutex<Option<String>>,
    standalone: Mutex<Option<Outlet>>,
    pending: Mutex<HashMap<String, oneshot::Sender<String>>>,
    calls: Mutex<HashMap<String, CancellationToken>>,
    /// The URIs of the resources it wants news of.
    subscriptions: Mutex<BTreeSet<String>>,
}

impl Session {
    pub(crate) fn revision(&self) -> Option<String> {
        lock(&self.revision).clone()
    }

    pub(crate) fn agree(&self, revision: &str) {
        *lock(&self.revision) = Some(revision.to_owned());
    }

    /// Where notifications go that belong to no request.
    pub(crate) fn open_standalone(&self, outlet: Outlet) {
        *lock(&self.standalone) = Some(outlet);
    }

    pub(crate) fn standalone(&self) -> Option<Outlet> {
        lock(&self.standalone).clone()
    }

    /// Asks the client, and returns the very text of its answer.
    pub(crate) async fn ask(&self, outlet: &Outlet, method: &str, params: &str) -> Option<String> {
        let id = wire::quote(&format!("raw-{}", QUESTIONS.fetch_add(1, Ordering::Relaxed)));
        let (sender, receiver) = oneshot::channel();
        lock(&self.pending).insert(id.clone(), sender);
        outlet.send(wire::request(&id, method, params));
        receiver.await.ok()
    }

    /// The client has answered.
    pub(crate) fn answered(&self, id: &str, text: &str) {
        if let Some(waiting) = lock(&self.pending).remove(id) {
            // Whoever asked may have given up.
            let _ = waiting.send(text.to_owned());
        }
    }

    /// A call begins; the token says when the client no longer wants it.
    pub(crate) fn begin(&self, id: &str) -> CancellationToken {
        let token = CancellationToken::new();
        lock(&self.calls).insert(id.to_owned(), token.clone());
        token
    }

    pub(crate) fn end(&self, id: &str) {
        lock(&self.calls).remove(id);
    }

    pub(crate) fn subscribe(&self, uri: &str) {
        lock(&self.subscriptions).insert(uri.to_owned());
    }

    pub(crate) fn unsubscribe(&self, uri: &str) {
        lock(&self.subscriptions).remove(uri);
    }

    pub(crate) fn is_subscribed(&self, uri: &str) -> bool {
        lock(&self.subscriptions).contains(uri)
    }

    pub(crate) fn cancel(&self, id: &str) {
        if let Some(token) = lock(&self.calls).remove(id) {
            token.cancel();
        }
    }
}

/// The value, whatever became of a thread that held it.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
