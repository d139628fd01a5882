//! Copies of servers that sessions have for themselves (`sessions: isolated`).
//!
//! Flow: whoever serves a session claims a copy for it, and gives it back when the session ends. The copy is an Instance like
//! any other: started, healed, drained and removed by the same plans; only that it is no replica. It goes when its server
//! goes, when a change of its server has shown that it works, and when the daemon that it ran under has ended; the session then
//! claims another. While a change does not become ready, sessions are given what serves: copies of what was declared before.

use std::sync::Arc;
use std::time::Duration;

use orch_shared::access::Principal;
use orch_shared::kind;
use orch_shared::kinds::instance::{Instance, InstanceStatus};
use orch_shared::kinds::server::{Runtime, Server, SessionLimits, Sessions};
use tokio_util::sync::CancellationToken;

use super::observe::{Preparations, Prepared};
use super::plan::Broken;
use crate::admission::admit_instance;
use crate::secrets::Keyring;
use crate::store::{Claim, Error, Mutation, Row, Snapshot, Store, Transaction};

/// How long to wait before trying again to remove what an earlier daemon has left.
const RETRY: Duration = Duration::from_millis(500);

/// Hands out copies to sessions. Cheap to clone.
#[derive(Clone)]
pub struct SessionCopies {
    store: Store,
    keyring: Keyring,
    preparations: Preparations,
    lease: Option<Arc<Claim>>,
}

/// Why a session gets no copy.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ClaimError {
    /// The server is not there any more.
    #[error("the server is gone")]
    Gone,
    /// Sessions share the server's copies.
    #[error("sessions of this server share its copies")]
    Shared,
    /// There are as many as are allowed.
    #[error("{most} sessions have a copy of this server, which is as many as are allowed (ORCH6026)")]
    Full {
        /// How many that is.
        most: u32,
    },
    /// The server cannot be run: why, in a sentence.
    #[error("{0}")]
    Broken(String),
    /// The database does not take it.
    #[error(transparent)]
    Store(#[from] Error),
}

impl SessionCopies {
    /// Hands out copies of what is declared in that store; packages that do not say where they run, run there.
    #[must_use]
    pub fn new(store: Store, keyring: Keyring, default_runtime: Runtime, lease: Option<Claim>) -> Self {
        Self {
            store,
            keyring,
            preparations: Preparations::new(default_runtime),
            lease: lease.map(Arc::new),
        }
    }

    /// The uid of the copy of a server that a session has for itself; a new one when it has none, or has one of what the
    /// server was before a change that works. The session goes by a short name that tells nobody its id.
    ///
    /// # Errors
    /// Why it gets none.
    pub async fn claim(&self, server: &str, session: &str) -> Result<String, ClaimError> {
        let snapshot = self.store.snapshot();
        let object = snapshot
            .by_uid(server)
            .filter(|object| object.deleting_since.is_none())
            .ok_or(ClaimError::Gone)?;
        let spec = object.spec::<Server>().ok_or(ClaimError::Gone)?;
        let prepared = self.preparations.of(object, spec, &snapshot, &self.keyring);
        let rollout = Rollout::of(&snapshot, server, &prepared);
        let instance = match (rollout.serving, prepared.broken.first()) {
            (Some(serving), _) => Instance {
                failed_before: None,
                session: Some(session.to_owned()),
                ..serving
            },
            (None, Some(Broken(reason))) => return Err(ClaimError::Broken(reason.clone())),
            (None, None) => Instance {
                server: object.object.name.clone(),
                generation: object.generation,
                digest: prepared.digest.clone(),
                run: Box::new(prepared.run.clone().ok_or(ClaimError::Gone)?),
                failed_before: None,
                session: Some(session.to_owned()),
            },
        };
        let run = prepared.run.as_ref().unwrap_or(&instance.run);
        if run.sessions != Some(Sessions::Isolated) {
            return Err(ClaimError::Shared);
        }
        let most = run
            .session_limits
            .as_ref()
            .map_or_else(|| SessionLimits::default().most(), SessionLimits::most);
        loop {
            let wish = Wish {
                server: server.to_owned(),
                session: session.to_owned(),
                digest: instance.digest.clone(),
                keeps: rollout.is_under_way,
                most,
                create: admit_instance(self.store.ids().as_ref(), object, instance.clone()),
                lease: self.lease.clone(),
            };
            let written = self.store.write(move |transaction| Box::pin(wish.fulfil(transaction)));
            match written.await {
                // The name was taken; the next one is another.
                Err(ClaimError::Store(Error::Taken { .. })) => {}
                Ok((uid, revision)) => {
                    self.store.wait_for(revision).await;
                    return Ok(uid);
                }
                Err(error) => return Err(error),
            }
        }
    }

    /// Gives a copy back: it ends once what is under way with it has ended.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn release(&self, uid: &str) -> Result<(), Error> {
        let uid = uid.to_owned();
        let lease = self.lease.clone();
        let written = self.store.write(move |transaction| {
            Box::pin(async move {
                must_hold(transaction, lease.as_deref()).await?;
                let mark = vec![Mutation::MarkDeleting { uid }];
                transaction.mutate(mark, &Principal::daemon().name).await.map(drop)
            })
        });
        match written.await {
            Ok(()) | Err(Error::Gone { .. }) => Ok(()),
            Err(error) => Err(error),
        }
    }
}

async fn must_hold(transaction: &mut Transaction, lease: Option<&Claim>) -> Result<(), Error> {
    match lease {
        Some(lease) => transaction.must_hold(lease).await,
        None => Ok(()),
    }
}

/// How far a change of a server has come.
struct Rollout {
    /// Whether fewer copies of what is declared now are ready than there are to be: sessions keep what they have.
    is_under_way: bool,
    /// What serves in the place of what is declared now, as long as none of that is ready.
    serving: Option<Instance>,
}

impl Rollout {
    fn of(snapshot: &Snapshot, server: &str, prepared: &Prepared) -> Self {
        let ready: Vec<&Instance> = snapshot
            .owned_by(server)
            .iter()
            .filter(|copy| copy.deleting_since.is_none())
            .filter(|copy| copy.status::<Instance>().is_some_and(InstanceStatus::is_ready))
            .filter_map(|copy| copy.spec::<Instance>())
            .filter(|copy| copy.session.is_none())
            .collect();
        let desired = prepared.run.as_ref().map_or(0, Server::replica_count) as usize;
        let current = ready.iter().filter(|copy| copy.digest == prepared.digest).count();
        let newest = ready.iter().max_by_key(|copy| copy.generation);
        Self {
            is_under_way: current < desired,
            serving: newest.filter(|_| current == 0).map(|copy| Instance::clone(copy)),
        }
    }
}

/// What is to be done about a claim, all at once.
struct Wish {
    server: String,
    session: String,
    digest: String,
    /// Whether a copy of anything else that the session has is as good.
    keeps: bool,
    most: u32,
    create: Mutation,
    lease: Option<Arc<Claim>>,
}

impl Wish {
    /// The copy's uid, and the revision that shows it.
    async fn fulfil(self, transaction: &mut Transaction) -> Result<(String, i64), ClaimError> {
        must_hold(transaction, self.lease.as_deref()).await?;
        let server = transaction.load_uid(&self.server).await?;
        if server.is_none_or(|server| server.deleting_since.is_some()) {
            return Err(ClaimError::Gone);
        }
        let taken = taken(transaction, &self.server).await?;
        if let Some(uid) = self.own(&taken) {
            return Ok((uid, transaction.revision()));
        }
        if taken.len() >= self.most as usize {
            return Err(ClaimError::Full { most: self.most });
        }
        let (server, create) = (self.server.clone(), self.create.clone());
        transaction.mutate(vec![create], &Principal::daemon().name).await?;
        let made = self.own(&self::taken(transaction, &server).await?);
        Ok((made.ok_or(ClaimError::Gone)?, transaction.revision()))
    }

    /// The copy that the session has already.
    fn own(&self, taken: &[(Instance, String)]) -> Option<String> {
        let mut own = taken
            .iter()
            .filter(|(copy, _)| copy.session.as_deref() == Some(&*self.session));
        let wanted = own.clone().find(|(copy, _)| copy.digest == self.digest);
        let (_, uid) = wanted.or_else(|| own.next().filter(|_| self.keeps))?;
        Some(uid.clone())
    }
}

/// The copies of a server that sessions have, with their uids.
async fn taken(transaction: &mut Transaction, server: &str) -> Result<Vec<(Instance, String)>, Error> {
    let owned = transaction.owned(server).await?.into_iter();
    let living = owned.filter(|row| row.deleting_since.is_none());
    Ok(living.filter_map(|row| Some((of_session(&row)?, row.uid))).collect())
}

/// The Instance in a row, when a session has it for itself.
fn of_session(row: &Row) -> Option<Instance> {
    let instance: Instance = serde_json::from_str(&row.spec).ok()?;
    instance.session.is_some().then_some(instance)
}

/// Removes the copies that sessions had under an earlier daemon: what ran of them has ended with it.
pub(super) async fn clear(store: &Store, lease: Option<Arc<Claim>>, until: &CancellationToken) {
    loop {
        let left: Vec<_> = store
            .snapshot()
            .of_kind(kind::Kind::Instance)
            .filter(|copy| copy.deleting_since.is_none())
            .filter(|copy| copy.spec::<Instance>().is_some_and(|spec| spec.session.is_some()))
            .map(|copy| Mutation::MarkDeleting {
                uid: copy.uid.to_string(),
            })
            .collect();
        if left.is_empty() {
            return;
        }
        let lease = lease.clone();
        let written = store.write(move |transaction| {
            Box::pin(async move {
                must_hold(transaction, lease.as_deref()).await?;
                transaction.mutate(left, &Principal::daemon().name).await?;
                Ok::<_, Error>(transaction.revision())
            })
        });
        match written.await {
            Ok(revision) => {
                store.wait_for(revision).await;
                return;
            }
            Err(error) => tracing::warn!(%error, "copies of earlier sessions cannot be removed yet"),
        }
        if until.run_until_cancelled(tokio::time::sleep(RETRY)).await.is_none() {
            return;
        }
    }
}
