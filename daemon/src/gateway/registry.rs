//! All sessions: those in use in memory, every one in the database, so that a client need not begin anew when the daemon
//! does.
//!
//! The id of a session is random and the client's alone; what is kept is its SHA-256. A session that was not used for too
//! long, or has lasted too long, is ended with all that is held for it, whether or not its client ever says so.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use orch_shared::access::Principal;
use orch_shared::digest::sha256;
use orch_shared::jsonrpc::{Raw, raw};
use orch_shared::kind::Kind;
use orch_shared::kinds::server::SessionLimits;
use orch_shared::name::Name;
use orch_shared::quantity::Span;
use orch_shared::resource::Timestamp;

use super::protocol::MODERN;
use super::session::{Beginning, Leftovers, Session};
use super::view::{Target, View, declared};
use crate::reconcile::SessionCopies;
use crate::runtime::link::{Client, Link};
use crate::store::{self, Error, Expiry, Object, Store};

/// How often sessions are looked through.
const SWEEP: Duration = Duration::from_secs(1);
/// The use of a session is noted at most so often.
const NOTE: i64 = 10_000;
/// Of as many sessions as there may be, one principal has at most one of so many, that is, a quarter.
const SHARE: usize = 4;
/// So many sessions it may have in any case.
const LEAST: usize = 10;
/// What is written down of a session's use may be so old.
const NOTED: Duration = Duration::from_secs(120);

/// When sessions end by themselves.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// After so long without use.
    pub idle: Duration,
    /// After so long in any case.
    pub lifetime: Duration,
    /// So many there may be at once, of all principals together; one of them has at most its share.
    pub most: usize,
}

/// Told who begins a session with which project.
pub type Begun = Arc<dyn Fn(&Principal, &Name) + Send + Sync>;

/// All sessions.
pub(super) struct Registry {
    store: Store,
    copies: SessionCopies,
    bounds: Bounds,
    begun: Begun,
    live: Mutex<HashMap<String, Arc<Session>>>,
    used: Mutex<HashMap<String, Timestamp>>,
}

/// Why there is no session.
#[derive(Debug)]
pub(super) enum Refusal {
    /// There are too many, of all principals or of this one: which, in a sentence.
    Full(String),
    /// It cannot be written down.
    Store(Error),
}

impl Registry {
    pub(super) fn new(store: Store, copies: SessionCopies, bounds: Bounds, begun: Begun) -> Self {
        Self {
            store,
            copies,
            bounds,
            begun,
            live: Mutex::default(),
            used: Mutex::default(),
        }
    }

    fn live(&self) -> MutexGuard<'_, HashMap<String, Arc<Session>>> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn now(&self) -> Timestamp {
        self.store.clock().now()
    }

    /// Begins a session: its id, which nobody else is told, and itself. It is durable when this returns. One of the revision
    /// without sessions is begun only by a client that says what it is about.
    pub(super) async fn begin(
        &self,
        principal: &Principal,
        view: &View,
        protocol: &str,
        client: Client,
    ) -> Result<(String, Arc<Session>), Refusal> {
        self.has_room(principal)?;
        let id = fresh();
        let now = self.now();
        let row = store::Session {
            id_hash: sha256(&id),
            principal: principal.name.to_string(),
            target: view.target.text(),
            target_uid: view.object.uid.to_string(),
            protocol: protocol.to_owned(),
            client_info: client.info.get().to_owned(),
            client_capabilities: client.capabilities.get().to_owned(),
            log_level: None,
            subscriptions: "[]".to_owned(),
            created_at: now,
            last_used_at: now,
            begun_at: (protocol == MODERN).then_some(now),
        };
        let session = Session::begin(Beginning {
            hash: row.id_hash.clone(),
            principal: row.principal.clone(),
            target: view.target.clone(),
            object: Arc::clone(&view.object.uid),
            protocol: row.protocol.clone(),
            client: Arc::new(client),
            level: None,
            subscriptions: BTreeSet::new(),
            created_at: now.millis(),
            has_begun: row.begun_at.is_some(),
            now: now.millis(),
        });
        self.store.insert_session(row).await.map_err(Refusal::Store)?;
        session.greeted();
        self.live().insert(session.hash.clone(), Arc::clone(&session));
        self.tell_begun(principal, view);
        Ok((id, session))
    }

    /// Refuses a session that would be one too many.
    fn has_room(&self, principal: &Principal) -> Result<(), Refusal> {
        let live = self.live();
        if live.len() >= self.bounds.most {
            return Err(Refusal::Full("there are too many sessions; try again later".to_owned()));
        }
        let share = (self.bounds.most / SHARE).max(LEAST);
        // As long as all of them together have no more than that, nobody has.
        if live.len() < share {
            return Ok(());
        }
        let own = live.values().filter(|session| session.principal == *principal.name);
        if own.count() >= share {
            let name = &principal.name;
            return Err(Refusal::Full(format!(
                "`{name}` has {share} sessions, which is all that one principal may have; end some, or try again later"
            )));
        }
        Ok(())
    }

    fn tell_begun(&self, principal: &Principal, view: &View) {
        match &view.target {
            Target::Project(project) => (self.begun)(principal, project),
            Target::Server(_) => {}
        }
    }

    /// Begins a session that ends with its client's connection, and is not written down.
    pub(super) fn begin_fleeting(&self, principal: &Principal, view: &View) -> Result<(String, Arc<Session>), Refusal> {
        self.has_room(principal)?;
        let id = fresh();
        let now = self.now().millis();
        let session = Session::begin(Beginning {
            hash: sha256(&id),
            principal: principal.name.to_string(),
            target: view.target.clone(),
            object: Arc::clone(&view.object.uid),
            protocol: super::protocol::LEGACY[3].to_owned(),
            client: Arc::new(Client {
                info: raw(&serde_json::json!({"name": "unknown", "version": "0"})),
                capabilities: raw(&serde_json::json!({})),
                log_level: None,
            }),
            level: None,
            subscriptions: BTreeSet::new(),
            created_at: now,
            has_begun: false,
            now,
        });
        self.live().insert(session.hash.clone(), Arc::clone(&session));
        self.tell_begun(principal, view);
        Ok((id, session))
    }

    /// The session of that id, of that principal, at that address; from the database where the daemon was restarted.
    pub(super) async fn find(
        &self,
        id: &str,
        principal: &Principal,
        target: &Target,
    ) -> Result<Option<Arc<Session>>, Error> {
        let hash = sha256(id);
        let live = self.live().get(&hash).cloned();
        let session = match live {
            Some(session) => Some(session),
            None => self.revive(&hash).await?,
        };
        let snapshot = self.store.snapshot();
        let own = session.filter(|session| {
            let since = Timestamp::from_millis(session.created_at);
            session.principal == *principal.name
                && session.target == *target
                && snapshot.was_there(&principal.subject, since)
        });
        let own = match own {
            // What has its name now is not what it was begun with.
            Some(session)
                if snapshot
                    .get(&target.object())
                    .is_none_or(|now| now.uid != session.object) =>
            {
                self.end(&session).await?;
                None
            }
            own => own,
        };
        if let Some(session) = &own {
            let now = self.now();
            let before = session.touch(now.millis());
            if now.millis() - before > NOTE || before == session.created_at {
                let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
                used.insert(hash, now);
            }
        }
        Ok(own)
    }

    /// Whether a client of the revision without sessions that calls itself so has begun one there, which goes on.
    pub(super) async fn has_begun(&self, principal: &Principal, view: &View, client: &Client) -> Result<bool, Error> {
        let snapshot = self.store.snapshot();
        let is_theirs = |since| snapshot.was_there(&principal.subject, since);
        let is_own = |session: &Arc<Session>| {
            let is_there = session.target == view.target && session.object == view.object.uid;
            let is_modern = session.protocol == MODERN && session.principal == *principal.name;
            let is_theirs = is_theirs(Timestamp::from_millis(session.created_at));
            is_there && is_modern && is_theirs && session.client().info.get() == client.info.get()
        };
        if self.all().iter().any(is_own) {
            return Ok(true);
        }
        // One that was not used since the daemon was started anew is only in the database.
        let (now, patience) = (self.now(), self.patience_at(&view.target));
        let rows = self.store.sessions_of(&view.target.text()).await?;
        Ok(rows.iter().any(|row| {
            let is_there = row.protocol == MODERN && *row.target_uid == *view.object.uid;
            let is_own = row.principal == *principal.name && row.client_info == client.info.get();
            let goes_on =
                now.since(row.last_used_at) <= patience.idle && now.since(row.created_at) <= patience.lifetime;
            is_there && is_own && goes_on && is_theirs(row.created_at)
        }))
    }

    async fn revive(&self, hash: &str) -> Result<Option<Arc<Session>>, Error> {
        let Some(row) = self.store.session(hash).await? else {
            return Ok(None);
        };
        let now = self.now();
        let Some(target) = Target::parse(&row.target) else {
            return Ok(None);
        };
        let patience = self.patience_at(&target);
        if now.since(row.last_used_at) > patience.idle || now.since(row.created_at) > patience.lifetime {
            return Ok(None);
        }
        let read = |text: &str| serde_json::from_str::<Raw>(text).unwrap_or_else(|_| raw(&serde_json::json!({})));
        let session = Session::begin(Beginning {
            hash: row.id_hash.clone(),
            principal: row.principal,
            target,
            object: row.target_uid.into(),
            protocol: row.protocol,
            client: Arc::new(Client {
                info: read(&row.client_info),
                capabilities: read(&row.client_capabilities),
                log_level: None,
            }),
            level: row.log_level,
            subscriptions: serde_json::from_str(&row.subscriptions).unwrap_or_default(),
            created_at: row.created_at.millis(),
            has_begun: row.begun_at.is_some(),
            now: now.millis(),
        });
        session.greeted();
        // Two requests may have come at once; both go on with the one that was there first.
        Ok(Some(Arc::clone(self.live().entry(row.id_hash).or_insert(session))))
    }

    /// A session has said what it is about. That is durable when this returns, as far as the session is.
    pub(super) async fn note_begun(&self, session: &Session) -> Result<(), Error> {
        self.store.begin_session(&session.hash).await?;
        session.begun();
        Ok(())
    }

    /// Writes down what a session has changed of itself.
    pub(super) async fn keep(&self, session: &Session) -> Result<(), Error> {
        let subscriptions = serde_json::to_string(&session.all_subscriptions()).expect("plain data");
        self.store
            .update_session(&session.hash, session.level(), subscriptions)
            .await
            .map(drop)
    }

    /// Ends a session for good.
    pub(super) async fn end(&self, session: &Session) -> Result<(), Error> {
        self.forget(session).await;
        self.store.delete_session(&session.hash).await.map(drop)
    }

    /// Ends what is held for sessions here, and leaves them where they are written down: another daemon goes on with them.
    pub(super) async fn let_go(&self) {
        self.used.lock().unwrap_or_else(PoisonError::into_inner).clear();
        let sessions: Vec<_> = self.live().drain().map(|(_, session)| session).collect();
        for session in sessions {
            // Their copies end with the servers that this daemon ran.
            close_all(session.end().links).await;
        }
    }

    /// Ends the sessions with an object that is gone.
    pub(super) async fn end_with(&self, object: &str) {
        for session in self.all().iter().filter(|session| &*session.object == object) {
            if let Err(error) = self.end(session).await {
                tracing::warn!(session = session.short(), %error, "a session with what is gone cannot be removed");
            }
        }
    }

    /// Ends what is held for a session.
    pub(super) async fn forget(&self, session: &Session) {
        self.live().remove(&session.hash);
        self.clear_away(session, session.end()).await;
    }

    /// Closes what a session has left behind.
    pub(super) async fn clear_away(&self, session: &Session, left: Leftovers) {
        let Leftovers { links, copies } = left;
        close_all(links).await;
        for copy in &copies {
            if let Err(error) = self.copies.release(copy).await {
                tracing::warn!(session = session.short(), %error, "the copy of a session cannot be given back");
            }
        }
        session.gave_back();
    }

    /// All sessions that are in use.
    pub(super) fn all(&self) -> Vec<Arc<Session>> {
        self.live().values().cloned().collect()
    }

    /// Ends what has gone on for too long, until `stop`.
    pub(super) async fn sweep(&self, stop: tokio_util::sync::CancellationToken) {
        let mut rounds: u32 = 0;
        while stop.run_until_cancelled(tokio::time::sleep(SWEEP)).await.is_some() {
            let now = self.now().millis();
            let over = |session: &Arc<Session>| {
                let patience = self.patience_at(&session.target);
                let is_idle = now - session.last_used() > millis(patience.idle) && !session.is_busy();
                is_idle || now - session.created_at > millis(patience.lifetime)
            };
            for session in self.all().iter().filter(|session| over(session)) {
                if let Err(error) = self.end(session).await {
                    tracing::warn!(session = session.short(), %error, "a session that is over cannot be removed");
                }
            }
            let used: Vec<_> = {
                let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
                used.drain().collect()
            };
            if !used.is_empty() {
                self.store.note_sessions(used);
            }
            rounds = rounds.wrapping_add(1);
            // Those of clients that never came back after a restart are only in the database.
            if rounds.is_multiple_of(60) || rounds == 1 {
                self.expire(now).await;
            }
        }
    }

    async fn expire(&self, now: i64) {
        // One that is in use may not have been noted lately.
        let busy: Vec<_> = self.all().iter().map(|session| session.hash.clone()).collect();
        let now = Timestamp::from_millis(now);
        self.store
            .note_sessions(busy.into_iter().map(|hash| (hash, now)).collect());
        let general = self.patience_with(None);
        let expiry = |target: Option<Target>, patience: Patience| Expiry {
            target: target.map(|target| target.text()),
            idle: patience.idle.max(NOTED),
            lifetime: patience.lifetime,
        };
        let (mut longest, mut expiries) = (general, Vec::new());
        for server in self.store.snapshot().of_kind(Kind::Server) {
            let target = Target::Server(server.object.name.clone());
            let own = self.patience_at(&target);
            longest.idle = longest.idle.max(own.idle);
            longest.lifetime = longest.lifetime.max(own.lifetime);
            if own != general {
                expiries.push(expiry(Some(target), own));
            }
        }
        // Those with more patience than others must not go with them; the others are not taken up again in any case.
        expiries.push(expiry(None, longest));
        for expiry in expiries {
            if let Err(error) = self.store.expire_sessions(expiry).await {
                tracing::debug!(%error, "sessions that are over cannot be removed now");
            }
        }
    }

    /// When a session at that address ends by itself: as its server says, and else as the daemon was told.
    fn patience_at(&self, target: &Target) -> Patience {
        match target {
            Target::Server(_) => {
                let snapshot = self.store.snapshot();
                let limits = snapshot.get(&target.object()).and_then(|server| limits_of(server));
                self.patience_with(limits.as_ref())
            }
            Target::Project(_) => self.patience_with(None),
        }
    }

    /// How long a session keeps what it has at a server, or itself, with those limits.
    fn patience_with(&self, limits: Option<&SessionLimits>) -> Patience {
        let declared = |span: fn(&SessionLimits) -> Option<&Span>| limits.and_then(span).map(Span::duration);
        Patience {
            idle: declared(|limits| limits.idle.as_ref()).unwrap_or(self.bounds.idle),
            lifetime: declared(|limits| limits.lifetime.as_ref()).unwrap_or(self.bounds.lifetime),
        }
    }

    /// How long a session keeps what it has at that server.
    pub(super) fn patience_of(&self, server: &Object) -> Patience {
        self.patience_with(limits_of(server).as_ref())
    }
}

/// How long something is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Patience {
    /// Without use.
    pub(super) idle: Duration,
    /// In any case.
    pub(super) lifetime: Duration,
}

/// The limits that a server declares for sessions.
fn limits_of(server: &Object) -> Option<SessionLimits> {
    declared(server)?.session_limits.clone()
}

/// So many milliseconds.
pub(super) fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

async fn close_all(links: Vec<Link>) {
    let closing = links.iter().map(Link::close);
    futures_util::future::join_all(closing).await;
}

/// What nobody can guess: 24 random bytes, in hex.
pub(super) fn fresh() -> String {
    let mut bytes = [0_u8; 24];
    getrandom::fill(&mut bytes).expect("the operating system gives random bytes");
    hex::encode(bytes)
}
