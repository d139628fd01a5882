//! Logging in: a name and a password for a credential that lasts some hours.
//!
//! Guarantees: an answer never tells whether there is a user of a name, neither by its words nor by the time it takes. After
//! some wrong passwords a name is locked for a while, longer each time, whether or not there is such a user, and a restart of
//! the daemon does not unlock it. However many try at once, only a few wait for their turn; whoever has logged in already
//! and proves or changes a password waits for none of them.

use std::sync::Arc;
use std::time::Duration;

use orch_shared::access::{Principal, Subject};
use orch_shared::audit::Target;
use orch_shared::kind::Kind;
use orch_shared::name::{Name, ObjectRef};
use orch_shared::problem::{Code, Problem};
use orch_shared::resource::Timestamp;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio_util::sync::CancellationToken;
use zeroize::Zeroizing;

use super::credential::{ALL, Credential};
use super::{Authenticator, password, rights, tokens};
use crate::audit;
use crate::store::{Error, Mutation, Password, Store, Token, Transaction};

/// So many wrong passwords are free.
const FREE: i64 = 5;
/// How long a name is locked at first; twice as long each time after.
const LOCKED: Duration = Duration::from_secs(60);
/// How long a name is locked at most.
const LOCKED_MOST: Duration = Duration::from_secs(3600);
/// So many passwords are looked at at once: each takes 19 MiB.
const AT_ONCE: usize = 2;
/// So many that try to log in wait until a password can be looked at.
const WAITING: usize = 16;
/// When one who finds so many waiting is to come again, in seconds.
const AGAIN: u64 = 1;
/// What the credentials of logins are called.
pub(super) const SESSION: &str = "login";

/// What a name that nobody has is remembered as: nothing that the name could be read from, and the same after a restart.
pub type KnownAs = Arc<dyn Fn(&str) -> String + Send + Sync>;

/// Logs people in and out. Cheap to clone.
#[derive(Clone)]
pub struct Logins {
    store: Store,
    authenticator: Authenticator,
    lasts: Duration,
    known_as: KnownAs,
    turns: Arc<Turns>,
}

/// Whose turn it is to have a password looked at.
struct Turns {
    /// Of those who try to log in.
    strangers: Semaphore,
    /// All of those, with those that wait.
    queue: Semaphore,
    /// Of those who have logged in.
    known: Semaphore,
}

/// Who has a password looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Who {
    /// Anybody.
    Stranger,
    /// Somebody who has logged in.
    Known,
}

/// A turn, for as long as it lasts.
struct Turn<'t> {
    _place: SemaphorePermit<'t>,
    _in_queue: Option<SemaphorePermit<'t>>,
}

impl Turns {
    fn new() -> Self {
        Self {
            strangers: Semaphore::new(AT_ONCE),
            queue: Semaphore::new(AT_ONCE + WAITING),
            known: Semaphore::new(1),
        }
    }

    /// Waits for a turn, unless too many do.
    async fn next(&self, who: Who) -> Result<Turn<'_>, Problem> {
        let (places, in_queue) = match who {
            Who::Known => (&self.known, None),
            Who::Stranger => {
                let too_many = || Problem::new(Code::TooMany, "too many try to log in just now").retry_after(AGAIN);
                (&self.strangers, Some(self.queue.try_acquire().map_err(|_| too_many())?))
            }
        };
        let place = places.acquire().await;
        Ok(Turn {
            _place: place.map_err(|_| Problem::new(Code::ShuttingDown, "the daemon is shutting down"))?,
            _in_queue: in_queue,
        })
    }
}

/// Somebody has logged in.
pub struct Login {
    /// What opens doors from now on.
    pub credential: Credential,
    /// Who it is.
    pub user: Name,
}

/// Somebody who gives a password.
struct Claim<'c> {
    /// The name, as it was given.
    name: &'c str,
    /// The uid of the user of that name, if there is one who may do anything.
    uid: Option<Arc<str>>,
}

impl Logins {
    /// Logins that last that long. `known_as` says by what names are remembered that nobody has.
    #[must_use]
    pub fn new(store: Store, authenticator: Authenticator, lasts: Duration, known_as: KnownAs) -> Self {
        Self {
            store,
            authenticator,
            lasts,
            known_as,
            turns: Arc::new(Turns::new()),
        }
    }

    /// Watches over the time of tokens, until `stop`.
    pub async fn run(self, stop: CancellationToken) {
        tokens::expire(self.store, stop).await;
    }

    /// Logs somebody in.
    ///
    /// # Errors
    /// When name and password do not belong together, the name is locked, too many wait for an answer, or the database cannot
    /// be asked.
    pub async fn log_in(&self, name: &str, given: Zeroizing<String>) -> Result<Login, Problem> {
        let snapshot = self.store.snapshot();
        let now = self.store.clock().now();
        let user: Option<Name> = name.parse().ok();
        let object = user.as_ref().and_then(|name| {
            let object = snapshot.get(&ObjectRef::cluster(Kind::User, name.clone()))?;
            let is_active = rights::is_active(&Subject::User(name.clone()), &snapshot);
            is_active.then(|| Arc::clone(object))
        });
        let claim = Claim {
            name,
            uid: object.as_ref().map(|object| Arc::clone(&object.uid)),
        };
        let is_right = self.prove(&claim, given, Who::Stranger).await?;
        let (true, Some(object), Some(user)) = (is_right, object, user) else {
            return Err(
                Problem::new(Code::Unauthenticated, "name and password do not belong together")
                    .suggest("a password is set with: orchctl passwd"),
            );
        };
        let expires_at = Some(now.after(self.lasts));
        let parts = (self.store.clock().as_ref(), self.store.ids().as_ref());
        let credential = Credential::of_principal(SESSION, user.as_str(), expires_at, parts);
        let (token, uid) = (credential.token.clone(), object.uid.to_string());
        let written = audit::write(&self.store, move |transaction| {
            Box::pin(async move {
                // A wrong one may have been counted while this one was looked at.
                if is_locked(transaction.password(&uid).await?.as_ref(), transaction.now()) {
                    return Ok(false);
                }
                transaction.forget_failures(&uid).await?;
                transaction.insert_token(&token).await?;
                audit::changed(transaction, "login", None, 200);
                Ok::<_, Error>(true)
            })
        });
        match written.await.map_err(Problem::from)? {
            true => Ok(Login { credential, user }),
            false => Err(locked(name, LOCKED)),
        }
    }

    /// Whether that is the password of a user that has one, for whoever has logged in as that user and is to prove it anew.
    /// Wrong ones count as they do at a login.
    ///
    /// # Errors
    /// When the name is locked, or the database cannot be asked.
    pub async fn is_password(&self, user: &Name, uid: &str, given: Zeroizing<String>) -> Result<bool, Problem> {
        let claim = Claim {
            name: user.as_str(),
            uid: Some(uid.into()),
        };
        self.prove(&claim, given, Who::Known).await
    }

    /// Whether name and password belong together. A wrong one is counted before anything is said of it, and by then as many
    /// others as are looked at at once may have been counted, not more.
    async fn prove(&self, claim: &Claim<'_>, given: Zeroizing<String>, who: Who) -> Result<bool, Problem> {
        // Whoever is locked out waits for nobody.
        self.hash_of(claim).await?;
        let _turn = self.turns.next(who).await?;
        // While this one waited, others were counted.
        let hash = self.hash_of(claim).await?;
        let has_one = hash.is_some();
        let compared = tokio::task::spawn_blocking(move || password::verify(&given, hash.as_deref()));
        if compared.await.unwrap_or(false) {
            return Ok(true);
        }
        // Both are counted in the same way, since what is different can be told apart from outside.
        let uid = claim.uid.as_deref().filter(|_| has_one).map(str::to_owned);
        let stranger = (self.known_as)(&bounded(claim.name));
        let counted = self.store.write(move |transaction| {
            Box::pin(async move {
                match uid {
                    Some(uid) => transaction.count_failure(&uid, lock).await,
                    None => transaction.count_stranger(&stranger, lock).await,
                }
            })
        });
        counted.await.map_err(Problem::from)?;
        Ok(false)
    }

    /// The hash that a password is held against, if there is one.
    async fn hash_of(&self, claim: &Claim<'_>) -> Result<Option<String>, Problem> {
        let stored = match claim.uid.as_deref() {
            Some(uid) => self.store.password(uid).await.map_err(Problem::from)?,
            None => None,
        };
        let now = self.store.clock().now();
        let locked_until = match &stored {
            Some(stored) => stored.locked_until,
            None => {
                let stranger = self.store.stranger(&(self.known_as)(&bounded(claim.name))).await;
                stranger.map_err(Problem::from)?.locked_until
            }
        };
        match locked_until.filter(|end| now < *end) {
            Some(end) => Err(locked(claim.name, end.since(now))),
            None => Ok(stored.map(|stored| stored.hash)),
        }
    }

    /// Ends the login, or the credential of the first start, with that id.
    ///
    /// # Errors
    /// When the database cannot be written.
    pub async fn end(&self, id: &str) -> Result<(), Error> {
        let ended = id.to_owned();
        let written = audit::write(&self.store, move |transaction| {
            Box::pin(async move {
                if let Some(principal) = transaction.revoke_login(&ended).await? {
                    announce(transaction, &principal).await?;
                }
                audit::changed(transaction, "logout", None, 204);
                Ok::<_, Error>(())
            })
        });
        written.await?;
        self.authenticator.forget(id);
        Ok(())
    }

    /// The logins that are open: of one principal, or of all.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub async fn open(&self, of: Option<&Principal>) -> Result<Vec<Token>, Error> {
        let now = self.store.clock().now();
        let mut tokens = self.store.tokens().await?;
        tokens.retain(|token| {
            token.scopes == ALL && token.is_valid(now) && of.is_none_or(|principal| *principal.name == token.principal)
        });
        Ok(tokens)
    }

    /// Sets the password of a user, and ends the user's logins.
    ///
    /// # Errors
    /// When the password is too short or too long, or the database cannot be written.
    pub async fn set_password(&self, user: &Name, uid: &str, given: Zeroizing<String>) -> Result<(), Problem> {
        let hashed = {
            let _turn = self.turns.next(Who::Known).await?;
            tokio::task::spawn_blocking(move || password::hash(&given)).await
        };
        let hash = hashed.map_err(|_| Problem::new(Code::Internal, "the password cannot be hashed"))??;
        let (uid, principal) = (uid.to_owned(), user.to_string());
        let about = Target::of(&ObjectRef::cluster(Kind::User, user.clone()));
        let written = audit::write(&self.store, move |transaction| {
            Box::pin(async move {
                transaction.set_password(&uid, &hash).await?;
                audit::changed(transaction, "password", Some(about), 204);
                let ended = transaction.revoke_named(&principal, SESSION).await?;
                announce(transaction, &principal).await?;
                Ok::<_, Error>(ended)
            })
        });
        for id in written.await.map_err(Problem::from)? {
            self.authenticator.forget(&id);
        }
        Ok(())
    }
}

/// Tells all daemons that credentials of somebody have ended: what they remember of them is asked for anew.
///
/// # Errors
/// When the database fails.
pub(crate) async fn announce(transaction: &mut Transaction, principal: &str) -> Result<(), Error> {
    let Some(user) = Subject::of_principal(principal).and_then(|subject| subject.object()) else {
        return Ok(());
    };
    if let Some(row) = transaction.load(&[user]).await?.pop().flatten() {
        let told = Mutation::Announce { uid: row.uid };
        transaction.mutate(vec![told], "daemon").await?;
    }
    Ok(())
}

/// No more of a name than a name can have.
fn bounded(name: &str) -> String {
    name.chars().take(Name::MAX + 1).collect()
}

fn is_locked(stored: Option<&Password>, now: Timestamp) -> bool {
    let locked_until = stored.and_then(|stored| stored.locked_until);
    locked_until.is_some_and(|end| now < end)
}

/// Too many wrong passwords were given; for so long none is taken.
fn locked(name: &str, long: Duration) -> Problem {
    Problem::new(
        Code::TooMany,
        format!("too many wrong passwords were given for `{}`", printable(name)),
    )
    .retry_after(long.as_secs() + 1)
    .suggest("wait, or ask an administrator for another password")
}

/// How long a name is locked after so many wrong passwords in a row.
fn lock(failures: i64) -> Option<Duration> {
    let over = u32::try_from(failures - FREE).ok()?;
    let long = LOCKED.saturating_mul(1_u32.checked_shl(over.min(20)).unwrap_or(u32::MAX));
    Some(long.min(LOCKED_MOST))
}

fn printable(name: &str) -> String {
    orch_shared::excerpt::printable(bounded(name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_locked_longer_each_time() {
        for (failures, seconds) in [
            (1, None),
            (4, None),
            (5, Some(60)),
            (6, Some(120)),
            (11, Some(3600)),
            (500, Some(3600)),
        ] {
            assert_eq!(lock(failures).map(|long| long.as_secs()), seconds, "{failures}");
        }
    }
}
