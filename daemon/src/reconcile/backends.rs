//! Looking after places where values live: asking them how they are, now and then, and replacing tokens when that is due.
//!
//! What was seen is remembered for a while, so that visiting a backend asks it nothing most of the time.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use orch_shared::access::Principal;
use orch_shared::kind::Kind;
use orch_shared::kinds::secret::Secret;
use orch_shared::kinds::secret_backend::{BackendType, SecretBackend, SecretBackendStatus};
use orch_shared::name::{Name, ObjectRef};
use orch_shared::resource::Timestamp;
use tokio::time::Instant;

use super::act::Hands;
use super::driver::{Outcome, Step};
use super::observe;
use super::plan::backend::{self, Seen, Token, Trouble, World};
use crate::admission::{Admission, Away, Opener, TRIED, Target, rotate, settle};
use crate::secrets::vault::{self, Vault};
use crate::store::{Object, Snapshot};

/// What was seen of a backend, and of what.
struct Look {
    /// The generations of the backend and of the Secret with its token.
    of: (i64, Option<i64>),
    at: Instant,
    seen: Seen,
}

/// Remembers what was seen of backends.
#[derive(Clone)]
pub(super) struct Watchman {
    looks: Arc<Mutex<HashMap<Arc<str>, Look>>>,
    /// Has somebody look at the backend with that uid.
    ring: Arc<dyn Fn(Arc<str>) + Send + Sync>,
}

impl Watchman {
    /// One that has nothing to remember yet.
    pub(super) fn new(ring: impl Fn(Arc<str>) + Send + Sync + 'static) -> Self {
        Self {
            looks: Arc::default(),
            ring: Arc::new(ring),
        }
    }

    fn looks(&self) -> std::sync::MutexGuard<'_, HashMap<Arc<str>, Look>> {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Drops what is remembered of a backend that is gone.
    pub(super) fn forget(&self, uid: &str) {
        self.looks().remove(uid);
    }

    /// What keeps a backend from being asked for a value: it did not answer when it was asked last, and is asked again only
    /// here, so that what waits for it does not take up everybody's time.
    pub(super) fn away(&self, backend: &Name, snapshot: &Snapshot) -> Option<(&'static str, String)> {
        let object = snapshot.get(&ObjectRef::cluster(Kind::SecretBackend, backend.clone()))?;
        let of = generations(object, snapshot);
        match self
            .looks()
            .get(&object.uid)
            .filter(|look| look.of == of)
            .map(|look| &look.seen)
        {
            Some(Seen::Unwell {
                reason,
                message,
                trouble: Trouble::Away,
            }) => Some((reason, message.clone())),
            Some(Seen::Unwell { .. } | Seen::Well { .. }) | None => None,
        }
    }

    /// Remembers what somebody met with who asked a backend for a value.
    pub(super) fn met(&self, backend: &Name, away: &Away, snapshot: &Snapshot) {
        let Some(object) = snapshot.get(&ObjectRef::cluster(Kind::SecretBackend, backend.clone())) else {
            return;
        };
        let seen = seen_in(away);
        if matches!(
            seen,
            Seen::Unwell {
                trouble: Trouble::Away,
                ..
            }
        ) {
            let look = Look {
                of: generations(object, snapshot),
                at: Instant::now(),
                seen,
            };
            self.looks().insert(Arc::clone(&object.uid), look);
            (self.ring)(Arc::clone(&object.uid));
        }
    }

    /// What was seen a moment ago, and how long it is still good for.
    fn fresh(&self, object: &Object, snapshot: &Snapshot) -> Option<(Seen, Duration)> {
        let of = generations(object, snapshot);
        let looks = self.looks();
        let look = looks.get(&object.uid).filter(|look| look.of == of)?;
        let left = backend::good_for(&look.seen).checked_sub(look.at.elapsed())?;
        Some((look.seen.clone(), left))
    }

    /// Looks at a backend.
    pub(super) fn step(&self, admission: &Admission, hands: &Hands, object: &Arc<Object>, snapshot: &Snapshot) -> Step {
        let Some(spec) = object.spec::<SecretBackend>() else {
            return Step::Done(None);
        };
        let fresh = self.fresh(object, snapshot);
        let is_far = spec.backend_type == BackendType::Openbao && object.deleting_since.is_none();
        let now = hands.store.clock().now();
        let must_look = is_far && fresh.is_none();
        let seen = fresh.as_ref().map(|(seen, _)| seen);
        if !must_look && !decide(object, snapshot, seen, |world| backend::is_due(world, now)) {
            let mut plan = decide(object, snapshot, seen, |world| backend::plan(world, now));
            if let (Some(again), Some((_, left))) = (&mut plan.look_again, &fresh) {
                *again = (*again).min(*left);
            }
            let known = object.status::<SecretBackend>();
            if plan.actions.is_empty() && plan.events.is_empty() && known == Some(&plan.status) {
                return Step::Done(plan.look_again);
            }
            return Step::Work(Box::pin(hands.clone().act(Arc::clone(object), plan, None)));
        }
        let visit = Visit {
            watchman: self.clone(),
            admission: admission.clone(),
            hands: hands.clone(),
            object: Arc::clone(object),
            snapshot: snapshot.clone(),
        };
        Step::Work(Box::pin(visit.run(fresh.map(|(seen, _)| seen))))
    }
}

fn generations(object: &Object, snapshot: &Snapshot) -> (i64, Option<i64>) {
    let token = object.spec.references().into_iter().next();
    let secret = token.and_then(|token| snapshot.get(&token.target).map(|secret| secret.generation));
    (object.generation, secret)
}

/// Hands what is known of a backend to whoever decides.
fn decide<T>(object: &Object, snapshot: &Snapshot, seen: Option<&Seen>, by: impl FnOnce(&World<'_>) -> T) -> T {
    let blank = SecretBackendStatus::default();
    let local = SecretBackend::local();
    let broken = observe::broken(&object.spec.references(), snapshot);
    by(&World {
        uid: &object.uid,
        generation: object.generation,
        deleting: object.deleting_since.is_some(),
        spec: object.spec::<SecretBackend>().unwrap_or(&local),
        status: object.status::<SecretBackend>().unwrap_or(&blank),
        broken: &broken,
        secrets: living(object, snapshot),
        seen,
    })
}

/// How many Secrets have values in a backend.
fn living(object: &Object, snapshot: &Snapshot) -> u32 {
    let name = &object.object.name;
    let is_local = object
        .spec::<SecretBackend>()
        .is_some_and(|backend| backend.backend_type == BackendType::Local);
    let lives_there = |secret: &Secret| match &secret.backend {
        Some(backend) if is_local => backend == name,
        // What names no backend and lives here counts with the one that brought it.
        None if is_local => name.as_str() == LOCAL && secret.places().is_empty(),
        Some(_) | None => secret.places().contains_key(name),
    };
    let secrets = snapshot
        .of_kind(Kind::Secret)
        .filter_map(|object| object.spec::<Secret>());
    u32::try_from(secrets.filter(|secret| lives_there(secret)).count()).unwrap_or(u32::MAX)
}

/// The name of the backend that every daemon brings along.
const LOCAL: &str = "default";

/// A visit to a backend that is somewhere else.
struct Visit {
    watchman: Watchman,
    admission: Admission,
    hands: Hands,
    object: Arc<Object>,
    snapshot: Snapshot,
}

impl Visit {
    async fn run(self, fresh: Option<Seen>) -> Outcome {
        let seen = match fresh {
            Some(seen) => seen,
            None => self.look().await,
        };
        let now = self.hands.store.clock().now();
        if decide(&self.object, &self.snapshot, Some(&seen), |world| {
            backend::is_due(world, now)
        }) {
            // What comes of it stands in status; a failure is tried again when that is due.
            let rotated = rotate(
                &self.admission,
                &Principal::daemon().into(),
                Target::from(&self.object.object),
            )
            .await;
            match rotated {
                Ok(_) => tracing::info!(backend = %self.object.object.name, "replaced the token"),
                Err(problem) => {
                    tracing::warn!(backend = %self.object.object.name, error = %problem.detail, "the token could not be replaced, and stays");
                }
            }
            self.watchman.forget(&self.object.uid);
            return Outcome::Done(Some(Duration::ZERO));
        }
        let plan = decide(&self.object, &self.snapshot, Some(&seen), |world| {
            backend::plan(world, now)
        });
        let known = self.object.status::<SecretBackend>();
        if plan.actions.is_empty() && plan.events.is_empty() && known == Some(&plan.status) {
            return Outcome::Done(plan.look_again);
        }
        self.hands.act(self.object, plan, None).await
    }

    /// Asks the backend how it is, and remembers that.
    async fn look(&self) -> Seen {
        let of = generations(&self.object, &self.snapshot);
        let opener = Opener::new(&self.admission.keyring, &self.admission.backends, &self.snapshot);
        let name = &self.object.object.name;
        let seen = match opener.vault(name.as_str()) {
            Ok(vault) => match ask(&vault, self.object.spec::<SecretBackend>()).await {
                Ok(seen) => {
                    self.settle(&vault).await;
                    seen
                }
                Err(error) => seen_in(&Away::Backend {
                    backend: name.clone(),
                    error,
                }),
            },
            Err(away) => seen_in(&away),
        };
        let look = Look {
            of,
            at: Instant::now(),
            seen: seen.clone(),
        };
        self.watchman.looks().insert(Arc::clone(&self.object.uid), look);
        seen
    }

    /// Revokes earlier tokens that are still to be revoked.
    async fn settle(&self, vault: &Vault) {
        let status = self.object.status::<SecretBackend>();
        let left = status
            .and_then(|status| status.token.as_ref())
            .map(|token| token.superseded.clone());
        let left = left.unwrap_or_default();
        if left.is_empty() {
            return;
        }
        settle(&self.admission, &self.object.uid, vault, &left).await;
    }
}

async fn ask(vault: &Vault, spec: Option<&SecretBackend>) -> Result<Seen, vault::Error> {
    let version = vault.health().await?;
    let known = match vault.look_up_self().await {
        // A token may be allowed its values and nothing else.
        Err(vault::Error::Denied(_)) => {
            vault.kept(TRIED).await?;
            return Ok(Seen::Well { version, token: None });
        }
        known => known?,
    };
    let has_token = spec.is_some_and(|spec| spec.token().is_some());
    let token = has_token.then(|| Token {
        generated_at: Timestamp::from_millis(known.created.saturating_mul(1000)),
        expires_at: known.expires,
    });
    Ok(Seen::Well { version, token })
}

/// What a failure says of a backend.
fn seen_in(away: &Away) -> Seen {
    let trouble = match away {
        Away::Backend {
            error: vault::Error::Denied(_),
            ..
        } => Trouble::Denied,
        away if away.is_passing() => Trouble::Away,
        Away::Backend { .. } | Away::NoBackend(_) | Away::Here(_) | Away::NoToken { .. } => Trouble::Other,
    };
    Seen::Unwell {
        reason: away.reason(),
        message: away.to_string(),
        trouble,
    }
}
