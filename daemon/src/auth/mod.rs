//! Who asks: from a credential to a principal.
//!
//! A credential is `orch_` and 64 hex digits, sent as `Authorization: Bearer`. Only its SHA-256 is stored and looked up, so
//! neither the database nor the time a comparison takes tells anything about it. What enters: request headers. What
//! leaves: a [`Principal`], or the problem that there is none. What never happens: a credential in a log, an error or the
//! database.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use http::{HeaderMap, header};
use orch_shared::access::{Principal, Visibility};
use orch_shared::problem::{Code, Problem};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::audit;
use crate::clock::{Clock, Ids};
use crate::store::{Error, Store, Token};

/// What every credential begins with.
const PREFIX: &str = "orch_";
/// How many characters of a credential are kept to tell it by.
const SHOWN: usize = 12;
/// For so long a token is not looked up again; a revoked one works no longer than this.
const REMEMBERED: Duration = Duration::from_secs(2);
/// While the database does not answer, a token it has known so lately still opens what can be answered without it: whoever
/// watches the daemon must not be blind just then. What is revoked meanwhile cannot be known.
const RELIED_UPON: Duration = Duration::from_secs(600);
/// How long the database may take to tell of a token.
const MOMENT: Duration = Duration::from_secs(1);
/// So many tokens are remembered.
const REMEMBERED_MOST: usize = 1024;

/// The name of the principal that the first start makes.
pub const ADMIN: &str = "admin";

/// A fresh credential: its text, to be shown once, and what is stored of it.
pub struct Credential {
    /// The text. Whoever holds it is the principal.
    pub text: Zeroizing<String>,
    /// What is stored.
    pub token: Token,
}

/// Makes a credential for the administrator.
#[must_use]
pub fn admin_credential(clock: &dyn Clock, ids: &dyn Ids) -> Credential {
    let mut bytes = Zeroizing::new([0; 32]);
    getrandom::fill(bytes.as_mut()).expect("the operating system gives random bytes");
    let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + 64));
    text.push_str(PREFIX);
    text.push_str(&Zeroizing::new(hex::encode(bytes.as_ref())));
    let token = Token {
        id: ids.uid(),
        name: "bootstrap".to_owned(),
        principal: ADMIN.to_owned(),
        hash: hash(&text),
        prefix: text[..SHOWN].to_owned(),
        scopes: r#"["*"]"#.to_owned(),
        project: None,
        created_at: clock.now(),
        expires_at: None,
        last_used_at: None,
        revoked_at: None,
    };
    Credential { text, token }
}

fn hash(text: &str) -> String {
    hex::encode(Sha256::digest(text))
}

/// Knows who asks. Cheap to clone.
#[derive(Clone)]
pub struct Authenticator {
    store: Store,
    remembered: Arc<Mutex<HashMap<String, Remembered>>>,
}

/// A token that the database has known.
#[derive(Clone)]
struct Remembered {
    token: Arc<Token>,
    /// When the database said so.
    known: Instant,
    /// When it was last asked, whether or not it answered.
    asked: Instant,
}

impl Authenticator {
    /// Asks that store.
    #[must_use]
    pub fn new(store: Store) -> Self {
        Self {
            store,
            remembered: Arc::default(),
        }
    }

    /// Who sent these headers.
    ///
    /// # Errors
    /// When there is no credential, it is not known or no longer valid, or the database cannot be asked.
    pub async fn principal(&self, headers: &HeaderMap) -> Result<Principal, Problem> {
        let Some(given) = headers.get(header::AUTHORIZATION) else {
            return Err(refused(
                "the request carries no credential",
                "send Authorization: Bearer <token>",
            ));
        };
        let text = given.to_str().ok().and_then(|value| value.split_once(' '));
        let text = text
            .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
            .map(|(_, text)| text.trim());
        let well_formed = text.filter(|text| text.len() == PREFIX.len() + 64 && text.starts_with(PREFIX));
        let Some(text) = well_formed else {
            return Err(refused(
                "the credential is not a token of this daemon",
                "tokens begin with orch_",
            ));
        };
        let hash = hash(text);
        let token = match self.token(&hash).await {
            Ok(token) => token,
            Err(error) => return Err(error.into()),
        };
        if let (Some(token), Some(trail)) = (&token, audit::trail()) {
            trail.with_token(&token.name);
        }
        let valid = token.filter(|token| {
            // The look-up has compared already; this keeps an index from ever deciding alone.
            bool::from(token.hash.as_bytes().ct_eq(hash.as_bytes())) && token.is_valid(self.store.clock().now())
        });
        let Some(token) = valid else {
            return Err(refused(
                "the token is not known here, has expired or was revoked",
                "a lost admin token is replaced on the daemon's machine: orchd token reset",
            ));
        };
        if let Some(now) = self.store.note_use(&token)
            && let Some(remembered) = self.locked().get_mut(&hash)
        {
            // Not once more with each request until the database is asked again.
            Arc::make_mut(&mut remembered.token).last_used_at = Some(now);
        }
        Ok(Principal {
            name: token.principal.clone(),
            visibility: Visibility::Everything,
        })
    }

    async fn token(&self, hash: &str) -> Result<Option<Arc<Token>>, Error> {
        let remembered = self.locked().get(hash).cloned();
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
                token: Arc::new(token),
                known: asked,
                asked,
            }),
            (Err(Error::Unavailable { .. }), Some(before)) if before.known.elapsed() < RELIED_UPON => {
                Some(Remembered { asked, ..before })
            }
            (Err(error), _) => return Err(error),
        };
        let mut remembered = self.locked();
        let Some(known) = now_known else {
            remembered.remove(hash);
            return Ok(None);
        };
        if remembered.len() >= REMEMBERED_MOST {
            remembered.clear();
        }
        remembered.insert(hash.to_owned(), known.clone());
        Ok(Some(known.token))
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, HashMap<String, Remembered>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn refused(detail: &str, suggestion: &str) -> Problem {
    Problem::new(Code::Unauthenticated, detail).suggest(suggestion)
}
