//! Finding somebody to ask: a running copy of a server, and the conversation with it.
//!
//! Calls are spread over the copies that are ready, to the one with the least to do, and in turn where several have as little;
//! what runs and is not ready is asked when nothing else is there. A session stays with the copy that it was given, as long
//! as that runs. Where a server of the older era is reached over HTTP, each session has a conversation of its own with it; a
//! process has one that all share. A server that is about to come up is waited for.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use orch_shared::jsonrpc::Outcome;
use orch_shared::kinds::instance::{Instance, InstancePhase, InstanceStatus};
use orch_shared::kinds::server::Server;
use orch_shared::resource::{Condition, ConditionStatus, Phase};
use serde_json::json;
use tokio::time::Instant;

use super::Gateway;
use super::protocol::{code, error_with};
use super::session::Session;
use super::view::Member;
use crate::reconcile::ClaimError;
use crate::runtime::Use;
use crate::runtime::launch::Era;
use crate::runtime::link::{Link, Opening};

/// How long a server that is about to come up is waited for.
pub(super) const COMING_UP: Duration = Duration::from_secs(10);
/// How long one that has to be started first is.
const WAKING: Duration = Duration::from_secs(90);

/// A conversation with a copy.
#[derive(Debug, Clone)]
pub(super) struct Upstream {
    /// The copy's uid.
    pub(super) copy: Arc<str>,
    pub(super) link: Link,
}

/// A copy that can be asked now.
struct Running {
    upstream: Upstream,
    /// Whether it is well, as far as the reconciler has seen.
    is_ready: bool,
}

/// Why there is nobody to ask, in a clause.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unavailable {
    /// It cannot be asked, as things stand.
    #[error("{0}")]
    Down(String),
    /// As many sessions have a copy as are allowed.
    #[error("{0}")]
    Full(String),
}

/// When a session that got no copy may ask for one again: they come free as others end, which nobody can foresee.
pub(super) const COPY_FREE: Duration = Duration::from_secs(5);

impl Unavailable {
    /// What a client is told of it.
    pub(super) fn outcome(&self, server: &str) -> Outcome {
        let message = format!("server/{server}: {self}");
        match self {
            Self::Down(_) => error_with(code::INTERNAL, message, &json!({"server": server})),
            Self::Full(_) => {
                let millis = u64::try_from(COPY_FREE.as_millis()).unwrap_or(u64::MAX);
                error_with(
                    code::LIMITED,
                    message,
                    &json!({"server": server, "retryAfterMs": millis}),
                )
            }
        }
    }
}

impl From<ClaimError> for Unavailable {
    fn from(error: ClaimError) -> Self {
        match error {
            ClaimError::Full { .. } => Self::Full(error.to_string()),
            ClaimError::Gone | ClaimError::Shared | ClaimError::Broken(_) | ClaimError::Store(_) => {
                Self::Down(error.to_string())
            }
        }
    }
}

impl Gateway {
    /// A conversation with one of a server's copies, the one that all share; a server that is suspended is woken for it.
    pub(super) async fn upstream(&self, member: &Member, patience: Duration) -> Result<Upstream, Unavailable> {
        match self.least_busy(member, None) {
            Some(upstream) => Ok(upstream),
            None => Box::pin(self.woken(member, patience)).await,
        }
    }

    async fn woken(&self, member: &Member, patience: Duration) -> Result<Upstream, Unavailable> {
        // Who comes while it is being woken waits for the same outcome.
        if self.is_suspended(member) || self.0.waker.is_waking(&member.object.uid) {
            let woken = self.0.waker.wake(&member.object.uid, WAKING).await;
            woken.map_err(|error| Unavailable::Down(format!("it was suspended and did not wake: {error}")))?;
        }
        self.awake(member, patience).await
    }

    /// A conversation with one of a server's copies, the one that all share. What is suspended stays so.
    pub(super) async fn awake(&self, member: &Member, patience: Duration) -> Result<Upstream, Unavailable> {
        let until = Instant::now() + patience;
        loop {
            let stirred = self.0.stirred.notified();
            if let Some(upstream) = self.least_busy(member, None) {
                return Ok(upstream);
            }
            self.is_worth_waiting(member)?;
            if tokio::time::timeout_at(until, stirred).await.is_err() {
                return Err(Unavailable::Down(self.reason(member)));
            }
        }
    }

    /// Of the copies that are ready, or where none is, of those that run, the one with the least to do; of several that have
    /// as little, another one each time. Never the one that is left out.
    pub(super) fn least_busy(&self, member: &Member, left_out: Option<&str>) -> Option<Upstream> {
        let running = self.running(member);
        let turn = self.0.turn.fetch_add(1, Ordering::Relaxed);
        let count = running.len();
        let (_, Running { upstream, .. }) = running
            .into_iter()
            .enumerate()
            .filter(|(_, one)| left_out != Some(&*one.upstream.copy))
            .min_by_key(|(index, one)| {
                let calls = self.0.runtime.load(&one.upstream.copy).calls;
                (!one.is_ready, calls, index.wrapping_add(turn) % count)
            })?;
        self.attend(member, &upstream);
        Some(upstream)
    }

    /// Whether a server rests until it is used, or is being woken and has no copy yet that is ready.
    pub(super) fn is_suspended(&self, member: &Member) -> bool {
        let snapshot = self.0.store.snapshot();
        let status = snapshot
            .by_uid(&member.object.uid)
            .and_then(|server| server.status::<Server>());
        status.is_some_and(|status| status.suspended_since.is_some())
    }

    /// The copy that a session has for itself, and the conversation with it.
    async fn own_copy(&self, member: &Member, session: &Arc<Session>) -> Result<Upstream, Unavailable> {
        let server = &member.object.uid;
        let until = Instant::now() + WAKING;
        let (copy, is_new) = loop {
            let returned = session.returned();
            let copy: Arc<str> = self.0.copies.claim(server, session.short()).await?.into();
            if let Some(is_new) = session.own(server, &copy) {
                break (copy, is_new);
            }
            // The one that it had is on its way out; the next one is another.
            if tokio::time::timeout_at(until, returned).await.is_err() {
                return Err(Unavailable::Down(
                    "the session's last copy is not given back yet".to_owned(),
                ));
            }
        };
        if session.over.is_cancelled() {
            // It ended meanwhile; nobody else gives the copy back.
            if let Err(error) = self.0.copies.release(&copy).await {
                tracing::warn!(%error, "the copy of a session that is over cannot be given back");
            }
            return Err(Unavailable::Down("the session is over".to_owned()));
        }
        loop {
            let stirred = self.0.stirred.notified();
            if let Some(link) = self.0.runtime.link(&copy) {
                if is_new || session.link(&copy).is_none_or(|known| !known.is(&link)) {
                    link.reserve(self.questions_for(session));
                    // Kept so that the next call sees that it is attended; a newer one takes its place.
                    drop(session.keep(&copy, link.clone()));
                    self.attend_own(member, session, &link);
                }
                session.stick(server, &copy, None);
                return Ok(Upstream { copy, link });
            }
            self.is_coming_up(&copy)?;
            if tokio::time::timeout_at(until, stirred).await.is_err() {
                return Err(Unavailable::Down(
                    "the session's own copy does not answer yet".to_owned(),
                ));
            }
        }
    }

    /// Refuses to wait for a session's copy that will not come up by itself.
    fn is_coming_up(&self, copy: &str) -> Result<(), Unavailable> {
        let snapshot = self.0.store.snapshot();
        let Some(instance) = snapshot.by_uid(copy) else {
            return Err(Unavailable::Down("the session's own copy is gone".to_owned()));
        };
        let Some(status) = instance.status::<Instance>() else {
            return Ok(());
        };
        let is_lost = status.phase == Some(InstancePhase::Error) || status.crashes_in_a_row > 1;
        if !is_lost {
            return Ok(());
        }
        let ready = status
            .conditions
            .iter()
            .find(|condition| condition.condition == "Ready");
        let why = ready.map(|ready| ready.message.clone()).unwrap_or_default();
        Err(Unavailable::Down(format!(
            "the session's own copy does not start: {why}"
        )))
    }

    /// The conversation that a session has with a server.
    pub(super) async fn upstream_of(&self, member: &Member, session: &Arc<Session>) -> Result<Upstream, Unavailable> {
        let server = &member.object.uid;
        session.stay(server, self.0.store.clock().now().millis());
        if member.is_isolated() {
            return Box::pin(self.own_copy(member, session)).await;
        }
        // One that is to go is the session's until it does: what it keeps for the session would be lost.
        let known = session.copy(server).and_then(|copy| {
            let link = self.0.runtime.link(&copy)?;
            self.is_copy_of(member, &copy).then_some(Upstream { copy, link })
        });
        let shared = match known {
            Some(upstream) => upstream,
            None => {
                let upstream = self.upstream(member, COMING_UP).await?;
                let hold = match upstream.link.hello().era {
                    Era::Legacy => self.0.runtime.hold(&upstream.copy, Use::Session),
                    // Nothing is kept there between two requests.
                    Era::Modern => None,
                };
                session.stick(server, &upstream.copy, hold);
                upstream
            }
        };
        // A server of the newer era keeps nothing between two requests.
        if shared.link.hello().era == Era::Modern {
            return Ok(shared);
        }
        if let Some(link) = session.link(&shared.copy) {
            return Ok(Upstream { link, ..shared });
        }
        Box::pin(self.open_own(member, session, shared)).await
    }

    /// Opens a conversation with a copy for a session alone, where it can have one.
    async fn open_own(
        &self,
        member: &Member,
        session: &Arc<Session>,
        shared: Upstream,
    ) -> Result<Upstream, Unavailable> {
        let opening = Opening {
            client: session.client(),
            asks: Some(self.questions_for(session)),
        };
        let Some(opened) = self.0.runtime.open(&shared.copy, &opening).await else {
            return Ok(shared);
        };
        let link = opened.map_err(|error| Unavailable::Down(error.to_string()))?;
        let link = match session.keep(&shared.copy, link.clone()) {
            Ok(()) => {
                self.attend_own(member, session, &link);
                link
            }
            Err(there) => {
                link.close().await;
                there
            }
        };
        if session.over.is_cancelled() {
            link.close().await;
        }
        Ok(Upstream { link, ..shared })
    }

    /// The conversation with that copy, when it still takes calls.
    pub(super) fn copy(&self, member: &Member, copy: &str) -> Option<Upstream> {
        let mut upstreams = self.running(member).into_iter().map(|one| one.upstream);
        let upstream = upstreams.find(|one| &*one.copy == copy)?;
        self.attend(member, &upstream);
        Some(upstream)
    }

    /// Sees to it that all copies that can be asked are listened to.
    pub(super) fn attend_to_all(&self, member: &Member) {
        for one in self.running(member) {
            self.attend(member, &one.upstream);
        }
    }

    /// Whether there is a copy that can be asked now.
    pub(super) fn is_up(&self, member: &Member) -> bool {
        !self.running(member).is_empty()
    }

    /// The copies that can be asked now. Those of a server that is being woken are none before one is ready: until then the
    /// wake may fail.
    fn running(&self, member: &Member) -> Vec<Running> {
        let snapshot = self.0.store.snapshot();
        let copies = snapshot.owned_by(&member.object.uid).iter();
        let running: Vec<_> = copies
            .filter(|copy| copy.deleting_since.is_none())
            // Those of sessions are for these alone.
            .filter(|copy| copy.spec::<Instance>().is_some_and(|spec| spec.session.is_none()))
            .filter_map(|copy| {
                let link = self.0.runtime.link(&copy.uid)?;
                let upstream = Upstream {
                    copy: Arc::clone(&copy.uid),
                    link,
                };
                let is_ready = copy.status::<Instance>().is_some_and(InstanceStatus::is_ready);
                Some(Running { upstream, is_ready })
            })
            .collect();
        if !running.iter().any(|one| one.is_ready) && self.is_suspended(member) {
            return Vec::new();
        }
        running
    }

    /// Whether it is a copy of the server, be it one that is to go.
    fn is_copy_of(&self, member: &Member, copy: &str) -> bool {
        let snapshot = self.0.store.snapshot();
        let mut copies = snapshot.owned_by(&member.object.uid).iter();
        copies.any(|one| &*one.uid == copy)
    }

    /// Refuses to wait for a server that will not come up by itself.
    fn is_worth_waiting(&self, member: &Member) -> Result<(), Unavailable> {
        let snapshot = self.0.store.snapshot();
        let copies: Vec<_> = snapshot
            .owned_by(&member.object.uid)
            .iter()
            .filter(|copy| copy.spec::<Instance>().is_some_and(|spec| spec.session.is_none()))
            .collect();
        let comes_up = copies.iter().any(|copy| {
            let Some(status) = copy.status::<Instance>() else {
                return true;
            };
            match status.phase.unwrap_or_default() {
                InstancePhase::Pending | InstancePhase::Running => true,
                // One that has crashed more than once in a row is not about to stay.
                InstancePhase::Starting => status.crashes_in_a_row < 2,
                InstancePhase::Stopping | InstancePhase::Error => false,
            }
        });
        let server = snapshot.by_uid(&member.object.uid);
        let status = server.and_then(|server| server.status::<Server>());
        let is_new = copies.is_empty()
            && member.server().is_some_and(|server| server.replica_count() > 0)
            && status.is_none_or(|status| {
                matches!(
                    status.phase,
                    None | Some(Phase::Pending | Phase::Progressing | Phase::Ready)
                )
            });
        if comes_up || is_new {
            return Ok(());
        }
        Err(Unavailable::Down(self.reason(member)))
    }

    /// Why a server cannot be asked, as its status says.
    fn reason(&self, member: &Member) -> String {
        let snapshot = self.0.store.snapshot();
        let said = snapshot.by_uid(&member.object.uid).and_then(|server| {
            let status = server.status::<Server>()?;
            // It may have been ready a moment ago.
            let is_why =
                |condition: &&Condition| condition.condition == "Ready" && condition.status != ConditionStatus::True;
            let ready = status.conditions.iter().find(is_why)?;
            let text = if ready.message.is_empty() {
                &ready.reason
            } else {
                &ready.message
            };
            Some(text.clone())
        });
        match said.filter(|said| !said.is_empty()) {
            Some(said) => format!("it is not ready: {said}"),
            None => "it is not ready".to_owned(),
        }
    }
}
