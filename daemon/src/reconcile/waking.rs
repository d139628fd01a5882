//! Use of servers, and waking those that are suspended.
//!
//! Flow: whoever passes a call on says so with [`Waker::touch`]. Whoever finds a server without a copy to ask wakes it with
//! [`Waker::wake`]: the wish is written down, the reconciler looks at the server, and the first copy that is ready, or fails,
//! is the outcome.
//!
//! Guarantees: a wake is durable before anything is started, so that a daemon which ends in between goes on with it. Wakes of
//! one server at the same time are one, with one outcome for all who wait; each waits as long as it likes. A wake that nobody
//! waits for any more is not taken back.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use orch_shared::kinds::instance::{Instance, InstancePhase};
use orch_shared::kinds::server::Server;
use orch_shared::resource::{Condition, ConditionStatus, Timestamp};
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::watch;

use super::plan::server::Activity;
use crate::store::{Error, Object, Snapshot, Store};

/// The use of a server is written down at most so often.
const NOTE_EVERY: Duration = Duration::from_secs(10);

/// Notes the use of servers, and wakes them. Cheap to clone.
#[derive(Clone)]
pub struct Waker(Arc<Shared>);

struct Shared {
    store: Store,
    /// Rings for a key.
    bell: UnboundedSender<String>,
    uses: Mutex<HashMap<Arc<str>, Use>>,
    wakes: Mutex<HashMap<String, Outcome>>,
}

/// What becomes of a wake, once that is known.
type Outcome = watch::Receiver<Option<Result<(), WakeError>>>;

/// What is known of a server's use.
#[derive(Debug, Clone, Copy, Default)]
struct Use {
    used: Option<Timestamp>,
    woken: Option<Timestamp>,
    /// When its use was last written down, and how often that is done.
    noted: Option<Timestamp>,
    every: Duration,
}

/// Why a server was not woken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WakeError {
    /// It is not there any more.
    #[error("the server is gone")]
    Gone,
    /// It was tried: what went wrong, in a sentence.
    #[error("{0}")]
    Failed(String),
    /// It goes on, but the caller has waited long enough.
    #[error("the server does not answer yet, after {} s", .0.as_secs_f64())]
    Deadline(Duration),
    /// The wish cannot be written down.
    #[error("the database does not take it: {0}")]
    Unavailable(String),
}

impl Waker {
    /// A waker that rings that bell, with the uid of a server.
    #[must_use]
    pub fn new(store: Store, bell: UnboundedSender<String>) -> Self {
        Self(Arc::new(Shared {
            store,
            bell,
            uses: Mutex::default(),
            wakes: Mutex::default(),
        }))
    }

    fn uses(&self) -> MutexGuard<'_, HashMap<Arc<str>, Use>> {
        self.0.uses.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes in what was written down.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub(super) async fn load(&self) -> Result<(), Error> {
        let known = self.0.store.activities().await?;
        let mut uses = self.uses();
        for activity in known {
            let entry = uses.entry(activity.uid.into()).or_default();
            entry.used = entry.used.max(activity.last_used_at);
            entry.woken = entry.woken.max(activity.wake_at);
        }
        Ok(())
    }

    /// Notes that a server is used now.
    pub fn touch(&self, server: &str) {
        let now = self.0.store.clock().now();
        let is_due = {
            let mut uses = self.uses();
            match uses.get_mut(server) {
                Some(entry) => entry.touch(now),
                None => uses.entry(server.into()).or_default().touch(now),
            }
        };
        if is_due {
            self.note(server);
        }
    }

    /// Writes down that a server was used, if that ever matters.
    fn note(&self, server: &str) {
        let snapshot = self.0.store.snapshot();
        let patience = snapshot
            .by_uid(server)
            .and_then(|object| object.spec::<Server>()?.idle.as_ref()?.patience());
        if let Some(entry) = self.uses().get_mut(server) {
            entry.every = patience.map_or(NOTE_EVERY, |patience| NOTE_EVERY.min(patience / 4));
        }
        // A template may say it as well.
        let is_plain = |object: &Arc<Object>| object.spec::<Server>().is_some_and(|spec| spec.template.is_none());
        if patience.is_some() || !snapshot.by_uid(server).is_some_and(is_plain) {
            self.0.store.touch(server);
        }
    }

    /// How a server is used, calls that are under way apart.
    pub(super) fn activity(&self, server: &str) -> Activity {
        let known = self.uses().get(server).copied().unwrap_or_default();
        Activity {
            used: known.used,
            woken: known.woken,
            busy: false,
        }
    }

    /// Drops what is known of a server that is gone.
    pub(super) fn forget(&self, server: &str) {
        self.uses().remove(server);
    }

    /// Sees to it that a server has a copy that is ready, and waits for it at most so long.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn wake(&self, server: &str, patience: Duration) -> Result<(), WakeError> {
        let mut outcome = self.join(server);
        match tokio::time::timeout(patience, outcome.wait_for(Option::is_some)).await {
            Ok(Ok(outcome)) => outcome.clone().unwrap_or(Ok(())),
            Ok(Err(_)) => Err(WakeError::Unavailable("the daemon is shutting down".to_owned())),
            Err(_) => Err(WakeError::Deadline(patience)),
        }
    }

    /// Whether it is being woken.
    #[must_use]
    pub fn is_waking(&self, server: &str) -> bool {
        let wakes = self.0.wakes.lock().unwrap_or_else(PoisonError::into_inner);
        wakes.contains_key(server)
    }

    /// The outcome of the wake that is under way; of a new one when there is none.
    fn join(&self, server: &str) -> Outcome {
        let mut wakes = self.0.wakes.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(outcome) = wakes.get(server) {
            return outcome.clone();
        }
        let (tell, outcome) = watch::channel(None);
        wakes.insert(server.to_owned(), outcome.clone());
        let (waker, server) = (self.clone(), server.to_owned());
        // Nobody who stops waiting takes the wake with them.
        tokio::spawn(async move {
            let said = waker.rouse(&server).await;
            let mut wakes = waker.0.wakes.lock().unwrap_or_else(PoisonError::into_inner);
            wakes.remove(&server);
            tell.send_replace(Some(said));
        });
        outcome
    }

    async fn rouse(&self, server: &str) -> Result<(), WakeError> {
        let mut snapshots = self.0.store.snapshots();
        let mut woken = None;
        loop {
            let snapshot = snapshots.borrow_and_update().clone();
            match stand(&snapshot, server, woken) {
                Stand::Answers => return Ok(()),
                Stand::Gone => return Err(WakeError::Gone),
                Stand::Failed(reason) => return Err(WakeError::Failed(reason)),
                Stand::Asleep => {
                    woken = Some(self.ask(server).await?);
                    continue;
                }
                Stand::OnItsWay => {}
            }
            if snapshots.changed().await.is_err() {
                return Err(WakeError::Unavailable("the daemon is shutting down".to_owned()));
            }
        }
    }

    /// Writes down that the server is to wake, and has it looked at.
    async fn ask(&self, server: &str) -> Result<Timestamp, WakeError> {
        let written = self.0.store.wake(server).await;
        let woken = written
            .map_err(|error| WakeError::Unavailable(error.to_string()))?
            .ok_or(WakeError::Gone)?;
        self.uses().entry(server.into()).or_default().woken = Some(woken);
        // After the reconciler has ended nobody listens.
        let _ended = self.0.bell.send(server.to_owned());
        Ok(woken)
    }
}

impl Use {
    /// Notes a use; tells whether it is to be written down.
    fn touch(&mut self, now: Timestamp) -> bool {
        self.used = self.used.max(Some(now));
        let is_due = self.noted.is_none_or(|noted| now.since(noted) >= self.every);
        if is_due {
            self.noted = Some(now);
        }
        is_due
    }
}

/// Where a server stands on its way to a copy that answers.
enum Stand {
    Answers,
    OnItsWay,
    /// Nothing happens before somebody asks for it.
    Asleep,
    Failed(String),
    Gone,
}

/// Where a server stands, `woken` being when it was asked to wake.
fn stand(snapshot: &Snapshot, server: &str, woken: Option<Timestamp>) -> Stand {
    let Some(object) = snapshot.by_uid(server).filter(|object| object.deleting_since.is_none()) else {
        return Stand::Gone;
    };
    let copies: Vec<_> = snapshot
        .owned_by(server)
        .iter()
        .filter(|copy| copy.deleting_since.is_none())
        .filter(|copy| copy.spec::<Instance>().is_some_and(|spec| spec.session.is_none()))
        .collect();
    let status = object.status::<Server>();
    let is_at_rest = status.is_some_and(|status| status.suspended_since.is_some());
    let answers = |copy: &&Arc<Object>| {
        let status = copy.status::<Instance>();
        status.is_some_and(|status| match is_at_rest {
            // What runs and is not ready may fail yet.
            true => status.is_ready(),
            false => status.phase == Some(InstancePhase::Running),
        })
    };
    if copies.iter().any(answers) {
        return Stand::Answers;
    }
    let Some(status) = status else {
        return Stand::OnItsWay;
    };
    if status.observed_generation != Some(object.generation) {
        return Stand::OnItsWay;
    }
    let ready = status
        .conditions
        .iter()
        .find(|condition| condition.condition == "Ready");
    match status.suspended_since {
        Some(since) => match (woken, ready) {
            (Some(woken), _) if woken > since => Stand::OnItsWay,
            // The wake that was asked for has come to its end.
            (Some(_), Some(ready)) if ready.status == ConditionStatus::False => Stand::Failed(said(ready)),
            (Some(_) | None, _) => Stand::Asleep,
        },
        None => match (failed(&copies), ready) {
            (Some(reason), _) => Stand::Failed(reason),
            (None, Some(ready)) if copies.is_empty() && ready.reason == "ReferenceMissing" => {
                Stand::Failed(said(ready))
            }
            (None, Some(ready)) if copies.is_empty() && ready.status == ConditionStatus::True => {
                Stand::Failed("it is declared not to be run: spec.replicas is 0".to_owned())
            }
            (None, _) => Stand::OnItsWay,
        },
    }
}

/// What is the matter with copies that do not run, when something is.
fn failed(copies: &[&Arc<Object>]) -> Option<String> {
    copies.iter().find_map(|copy| {
        let status = copy.status::<Instance>()?;
        let ready = status
            .conditions
            .iter()
            .find(|condition| condition.condition == "Ready")?;
        let has_failed = status.phase == Some(InstancePhase::Error) || status.crashes_in_a_row > 0;
        has_failed.then(|| said(ready))
    })
}

fn said(condition: &Condition) -> String {
    match condition.message.as_str() {
        "" => condition.reason.clone(),
        message => message.to_owned(),
    }
}
