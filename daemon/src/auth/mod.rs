//! Who asks, and what that entails: from a credential to a principal.
//!
//! What enters: request headers, names and passwords. What leaves: a [`Principal`] with the rights of this moment, or the
//! problem that there is none. What never happens: a credential or a password in a log, an error or the database.
//!
//! Rights are made from what is declared (users, groups, bindings, tokens) in the store's snapshot, and made anew as soon as
//! anything of that has changed: what was taken away is gone with the next request.

mod credential;
mod lease;
mod login;
mod pace;
mod password;
mod rights;
mod tokens;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use http::HeaderMap;
use orch_shared::access::{Credential as Shown, Grants, Operation, Principal, Rights, Subject};
use orch_shared::name::Name;
use orch_shared::problem::{Code, Problem};
use orch_shared::resource::Timestamp;
use subtle::ConstantTimeEq;

pub use credential::Credential;
pub use lease::{Ended, Lease, Standing};
pub(crate) use login::announce;
pub use login::{KnownAs, Login, Logins};
pub use pace::Pace;
pub use password::hash as hash_password;
pub use rights::{KINDS, confined_to, granted_to_object, granted_to_subject, token_bounds};
pub(crate) use tokens::report;

use self::credential::{ALL, refused};
use self::rights::{Bindings, Epoch};
use crate::audit;
use crate::store::{Error, Snapshot, Store, Token};

/// The name of the credential that the first start makes.
pub const BOOTSTRAP: &str = "bootstrap";
/// The name of the user, and of the binding, that the first start makes.
pub const ADMIN: &str = "admin";

/// For so long a credential is not looked up again, where nothing is known to have changed.
const REMEMBERED: Duration = Duration::from_secs(2);
/// While the database does not answer, a credential it has known so lately still opens what can be answered without it:
/// whoever watches the daemon must not be blind just then. What is revoked meanwhile cannot be known.
const RELIED_UPON: Duration = Duration::from_secs(600);
/// How long the database may take to tell of a credential.
const MOMENT: Duration = Duration::from_secs(1);
/// So many credentials are remembered.
const REMEMBERED_MOST: usize = 4096;

/// Knows who asks. Cheap to clone.
#[derive(Clone)]
pub struct Authenticator {
    store: Store,
    known: Arc<Mutex<Known>>,
}

/// What was worked out before.
#[derive(Default)]
struct Known {
    /// What the rest was worked out from.
    epoch: Epoch,
    bindings: Arc<Bindings>,
    by_hash: HashMap<String, Remembered>,
}

/// A credential that the database has known.
#[derive(Clone)]
struct Remembered {
    token: Arc<Token>,
    /// When the database said so.
    known: Instant,
    /// When it was last asked, whether or not it answered.
    asked: Instant,
    /// What was known of whose it is before it was asked; see [`state_of`].
    seen: i64,
    /// Who it is, and until when that is so; nothing until it is worked out.
    principal: Option<(Principal, Option<Timestamp>)>,
}

impl Authenticator {
    /// Asks that store.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self {
            store,
            known: Arc::default(),
        }
    }

    /// Who sent these headers.
    ///
    /// # Errors
    /// When there is no credential, it is not known or no longer valid, or the database cannot be asked.
    pub async fn principal(&self, headers: &HeaderMap) -> Result<Principal, Problem> {
        let hash = credential::shown(headers)?;
        self.of_hash(&hash).await
    }

    /// Whom a credential stands for, and until when; nothing when it opens nothing.
    ///
    /// # Errors
    /// When the database cannot be asked.
    pub async fn introspect(&self, text: &str) -> Result<Option<(Principal, Option<Timestamp>)>, Problem> {
        if !credential::is_well_formed(text) {
            return Ok(None);
        }
        let hash = credential::hash(text);
        let found = self.look_up(&hash).await.map_err(Problem::from)?;
        Ok(found.and_then(|_| self.worked_out(&hash, &self.store.snapshot())))
    }

    /// A principal as somebody else would be, who asks in its place.
    ///
    /// # Errors
    /// When whoever asks may not do so, or there is nobody of that name.
    pub fn impersonated(&self, principal: &Principal, name: &str) -> Result<Principal, Problem> {
        if !principal.may_operate(Operation::Impersonate).is_allowed {
            return Err(Problem::new(
                Code::Forbidden,
                format!("{} may not act in the place of others", principal.name),
            )
            .suggest("that needs the operation `impersonate`"));
        }
        let subject = Subject::of_principal(name);
        let found = subject.and_then(|subject| Some((self.rights_of(&subject)?, subject)));
        match found {
            Some((granted, subject)) => {
                let other = Principal::new(subject, Shown::None, Rights::Layers(vec![granted]));
                Ok(other.impersonated_by(principal))
            }
            None => Err(Problem::new(
                Code::NotFound,
                format!("there is no active user `{}`", orch_shared::excerpt::printable(name)),
            )
            .suggest("a service account is named serviceaccount/NAME")),
        }
    }

    /// The groups of a subject.
    #[must_use]
    pub fn groups_of(&self, subject: &Subject) -> Vec<Name> {
        rights::groups_of(subject, &self.store.snapshot())
    }

    /// Who sent these headers, and for how long what they were told is theirs.
    ///
    /// # Errors
    /// As [`Self::principal`].
    pub async fn leased(&self, headers: &HeaderMap) -> Result<(Principal, Lease), Problem> {
        self.leased_by(&credential::shown(headers)?).await
    }

    async fn leased_by(&self, hash: &str) -> Result<(Principal, Lease), Problem> {
        // What changes from here on is looked at again, whether or not it was seen.
        let epoch = rights::epoch(&self.store.snapshot());
        let principal = self.of_hash(hash).await?;
        let until = {
            let known = self.locked();
            let remembered = known.by_hash.get(hash);
            let found = remembered.and_then(|remembered| remembered.principal.as_ref());
            found.and_then(|(_, until)| *until)
        };
        let lease = Lease {
            authenticator: self.clone(),
            hash: hash.into(),
            in_place_of: None,
            rights: Arc::clone(&principal.rights),
            epoch,
            until,
        };
        Ok((principal, lease))
    }

    async fn of_hash(&self, hash: &str) -> Result<Principal, Problem> {
        let now = self.store.clock().now();
        let snapshot = self.store.snapshot();
        if let Some(principal) = self.remembered(hash, &snapshot, now) {
            return Ok(principal);
        }
        let mut found = self.look_up(hash).await.map_err(Problem::from)?;
        // It may have ended while it was asked for.
        if !self.is_current(hash, &self.store.snapshot()) {
            found = self.look_up(hash).await.map_err(Problem::from)?;
        }
        // The look-up has compared already; this keeps an index from ever deciding alone.
        let found = found.filter(|token| bool::from(token.hash.as_bytes().ct_eq(hash.as_bytes())));
        // What was written meanwhile is in it.
        let snapshot = self.store.snapshot();
        if let Some((principal, _)) = found.as_ref().and_then(|_| self.worked_out(hash, &snapshot)) {
            return Ok(principal);
        }
        if let (Some(token), Some(trail)) = (&found, audit::trail()) {
            trail.with_spent(shown_name(token, &snapshot));
        }
        Err(refused(
            "the token is not known here, has expired or was revoked",
            "log in: orchctl login; a lost admin token is replaced on the daemon's machine: orchd token reset",
        ))
    }

    /// Who it is, if that was worked out and nothing has changed since.
    fn remembered(&self, hash: &str, snapshot: &Snapshot, now: Timestamp) -> Option<Principal> {
        let mut known = self.locked();
        if known.epoch != rights::epoch(snapshot) {
            return None;
        }
        let remembered = known.by_hash.get_mut(hash)?;
        let (principal, until) = remembered.principal.as_ref()?;
        let is_fresh = remembered.asked.elapsed() < REMEMBERED && until.is_none_or(|end| now < end);
        let principal = is_fresh.then(|| principal.clone())?;
        self.note_use(remembered);
        Some(principal)
    }

    /// Works out who it is, from a credential that was looked up. Needs no database.
    fn worked_out(&self, hash: &str, snapshot: &Snapshot) -> Option<(Principal, Option<Timestamp>)> {
        let now = self.store.clock().now();
        let mut known = self.locked();
        known.follow(snapshot);
        let bindings = Arc::clone(&known.bindings);
        let remembered = known.by_hash.get_mut(hash)?;
        let token = Arc::clone(&remembered.token);
        if !token.is_valid(now) {
            return None;
        }
        let found = if token.scopes == ALL {
            let subject = Subject::of_principal(&token.principal);
            let subject = subject.filter(|subject| rights::is_active(subject, snapshot))?;
            // The credential of the first start is older than the user that it is for.
            if token.name != BOOTSTRAP && !snapshot.was_there(&subject, token.created_at) {
                return None;
            }
            let granted = Arc::new(bindings.granted_to(&subject, snapshot));
            let shown = Shown::Session {
                id: token.id.as_str().into(),
                name: token.name.as_str().into(),
            };
            let principal = Principal::new(subject, shown, Rights::Layers(vec![granted]));
            (principal, token.expires_at)
        } else {
            let object = snapshot.by_uid(&token.id)?;
            rights::of_token(object, &bindings, snapshot, now)?
        };
        // What is not known to hold any more is asked for next time.
        remembered.principal = (remembered.seen == state_of(&token, snapshot)).then(|| found.clone());
        self.note_use(remembered);
        Some(found)
    }

    /// The rights of a subject, when it is there and may do anything.
    #[must_use]
    pub fn rights_of(&self, subject: &Subject) -> Option<Arc<Grants>> {
        let snapshot = self.store.snapshot();
        let bindings = self.bindings(&snapshot);
        rights::is_active(subject, &snapshot).then(|| Arc::new(bindings.granted_to(subject, &snapshot)))
    }

    /// The projects that a token is confined to by now; nothing when it is not confined.
    #[must_use]
    pub fn projects_of(&self, token: &str) -> Option<Vec<Name>> {
        rights::projects_of(token, &self.store.snapshot(), self.store.clock().now())
    }

    /// What a subject was granted, whether or not it may do anything now.
    #[must_use]
    pub fn granted_to(&self, subject: &Subject) -> Grants {
        let snapshot = self.store.snapshot();
        self.bindings(&snapshot).granted_to(subject, &snapshot)
    }

    fn bindings(&self, snapshot: &Snapshot) -> Arc<Bindings> {
        let mut known = self.locked();
        known.follow(snapshot);
        Arc::clone(&known.bindings)
    }

    fn note_use(&self, remembered: &mut Remembered) {
        if let Some(now) = self.store.note_use(&remembered.token) {
            // Not once more with each request until the database is asked again.
            Arc::make_mut(&mut remembered.token).last_used_at = Some(now);
            if remembered.token.scopes != ALL {
                tokens::note_use(&self.store, &remembered.token.id);
            }
        }
    }

    /// The stored credential, from the database or from what it has said lately.
    async fn look_up(&self, hash: &str) -> Result<Option<Arc<Token>>, Error> {
        let before = self.store.snapshot();
        let is_as_before = |remembered: &Remembered| remembered.seen == state_of(&remembered.token, &before);
        let remembered = self.locked().by_hash.get(hash).cloned().filter(is_as_before);
        if let Some(Remembered { token, asked, .. }) = &remembered
            && asked.elapsed() < REMEMBERED
        {
            return Ok(Some(Arc::clone(token)));
        }
        let asked = Instant::now();
        let told = tokio::time::timeout(MOMENT, self.store.token(hash)).await;
        let told = told.unwrap_or_else(|_| {
            let detail = format!("no answer within {} s", MOMENT.as_secs());
            Err(Error::Unavailable { detail })
        });
        let now_known = match (told, remembered) {
            (Ok(found), _) => found.map(|token| Remembered {
                seen: state_of(&token, &before),
                token: Arc::new(token),
                known: asked,
                asked,
                principal: None,
            }),
            (Err(Error::Unavailable { .. }), Some(known)) if known.known.elapsed() < RELIED_UPON => {
                Some(Remembered { asked, ..known })
            }
            (Err(error), _) => return Err(error),
        };
        let mut known = self.locked();
        let Some(found) = now_known else {
            known.by_hash.remove(hash);
            return Ok(None);
        };
        if known.by_hash.len() >= REMEMBERED_MOST {
            known.by_hash.clear();
        }
        let token = Arc::clone(&found.token);
        known.by_hash.insert(hash.to_owned(), found);
        Ok(Some(token))
    }

    /// Forgets a credential that was revoked, so that it is looked up anew.
    fn forget(&self, id: &str) {
        self.locked().by_hash.retain(|_, remembered| remembered.token.id != id);
    }

    /// Whether it is known that a credential opens nothing any more.
    fn is_over(&self, hash: &str) -> bool {
        let known = self.locked();
        let remembered = known.by_hash.get(hash);
        remembered.is_none_or(|remembered| remembered.token.revoked_at.is_some())
    }

    /// Whether nothing is known to have become of a credential since the database has told of it.
    fn is_current(&self, hash: &str, snapshot: &Snapshot) -> bool {
        let known = self.locked();
        let remembered = known.by_hash.get(hash);
        remembered.is_none_or(|remembered| remembered.seen == state_of(&remembered.token, snapshot))
    }

    /// Whether the database has told of a credential just now.
    fn is_fresh(&self, hash: &str) -> bool {
        let known = self.locked();
        let remembered = known.by_hash.get(hash);
        remembered.is_some_and(|remembered| remembered.asked.elapsed() < REMEMBERED)
    }

    fn locked(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What tells states of what a login depends on apart: its user is told of when logins end, in this daemon or another. What
/// becomes of the credential of a Token is told of that.
fn state_of(token: &Token, snapshot: &Snapshot) -> i64 {
    let subject = Subject::of_principal(&token.principal).filter(|_| token.scopes == ALL);
    let object = subject.and_then(|subject| subject.object());
    let user = object.as_ref().and_then(|object| snapshot.get(object));
    user.map_or(0, |user| user.revision)
}

/// What a credential is called where it is told who has shown it.
fn shown_name(token: &Token, snapshot: &Snapshot) -> String {
    match snapshot.by_uid(&token.id) {
        Some(object) => rights::token_name(&object.object),
        None if token.name == login::SESSION => format!("{}/{}", token.name, token.id),
        None => token.name.clone(),
    }
}

impl Known {
    /// Takes up what has changed.
    fn follow(&mut self, snapshot: &Snapshot) {
        let epoch = rights::epoch(snapshot);
        if self.epoch == epoch {
            return;
        }
        self.epoch = epoch;
        self.bindings = Arc::new(Bindings::of(snapshot));
        for remembered in self.by_hash.values_mut() {
            remembered.principal = None;
        }
    }
}
