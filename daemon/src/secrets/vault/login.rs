//! The token that requests carry: the one that is declared, or one that was logged in for and is kept until a minute before
//! its lease ends.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use zeroize::Zeroizing;

use super::{Connection, Credential, Error, Question, Vault};
use crate::secrets::Plaintext;

/// So long before its lease ends a token is not used any more.
const MARGIN: Duration = Duration::from_secs(60);

/// Whom a token was logged in for, and where.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Account {
    url: String,
    namespace: Option<String>,
    mount: String,
    role: String,
    path: String,
}

/// A token that was logged in for, and until when it is used.
struct Session {
    token: Plaintext,
    until: Instant,
}

type Place = Arc<tokio::sync::Mutex<Option<Session>>>;

/// The tokens that were logged in for. Whoever needs one while it is being logged in for waits for it.
#[derive(Default)]
pub(super) struct Logins(Mutex<HashMap<Account, Place>>);

impl Logins {
    fn place(&self, account: Account) -> Place {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(known.entry(account).or_default())
    }
}

impl Vault {
    fn account(&self) -> Option<Account> {
        let Connection { url, namespace, .. } = &self.connection;
        match &self.connection.credential {
            Credential::None | Credential::Token(_) => None,
            Credential::Kubernetes { role, mount, path } => Some(Account {
                url: url.clone(),
                namespace: namespace.clone(),
                mount: mount.clone(),
                role: role.clone(),
                path: path.clone(),
            }),
        }
    }

    /// The token that requests carry.
    pub(super) async fn token(&self) -> Result<Plaintext, Error> {
        let account = match (&self.connection.credential, self.account()) {
            (Credential::Token(token), _) => return Ok(token.clone()),
            (Credential::None | Credential::Kubernetes { .. }, None) => {
                return Err(Error::Unsendable("there is no credential for it".to_owned()));
            }
            (Credential::None | Credential::Kubernetes { .. }, Some(account)) => account,
        };
        let place = self.shared.logins.place(account.clone());
        let mut session = place.lock().await;
        if let Some(known) = session.as_ref().filter(|known| Instant::now() < known.until) {
            return Ok(known.token.clone());
        }
        let (token, lease) = self.log_in(&account).await?;
        *session = Some(Session {
            token: token.clone(),
            until: Instant::now() + lease.saturating_sub(MARGIN),
        });
        Ok(token)
    }

    /// Gives up a token that was logged in for; whether another one can be had.
    pub(super) async fn forget(&self, token: &Plaintext) -> bool {
        let Some(account) = self.account() else { return false };
        let place = self.shared.logins.place(account);
        let mut session = place.lock().await;
        // Somebody else may have logged in again meanwhile.
        if session.as_ref().is_some_and(|known| known.token == *token) {
            *session = None;
        }
        true
    }

    async fn log_in(&self, account: &Account) -> Result<(Plaintext, Duration), Error> {
        let unreadable = |error: &std::io::Error| Error::Account {
            path: account.path.clone(),
            reason: error.kind().to_string(),
        };
        let jwt = tokio::fs::read_to_string(&account.path).await;
        let jwt = Zeroizing::new(jwt.map_err(|error| unreadable(&error))?);
        if !is_jwt(jwt.trim()) {
            return Err(Error::Account {
                path: account.path.clone(),
                reason: "what it holds is no token of a service account (a JWT)".to_owned(),
            });
        }
        let mut question = Question::new("POST", format!("auth/{}/login", account.mount))
            .saying(json!({"role": account.role, "jwt": jwt.trim()}));
        question.hidden = vec![jwt.trim()];
        let answer = self.ask(question).await?;
        if answer.status != 200 {
            return Err(match answer.refusal() {
                Error::Denied(why) | Error::Refused { complaint: why, .. } => Error::Login(why),
                // A role without configuration answers with 500, which no later try mends.
                Error::Failing { status: 500, complaint } => Error::Login(complaint),
                other => other,
            });
        }
        let auth = &answer.body["auth"];
        let token = auth["client_token"].as_str().filter(|token| !token.is_empty());
        let token = token.ok_or(Error::Garbled("the answer to a login holds no token"))?;
        let lease = auth["lease_duration"].as_u64().unwrap_or_default();
        Ok((Plaintext::new(token.to_owned()), Duration::from_secs(lease)))
    }
}

/// Whether a text may be a JSON web token (RFC 7519, signed): three parts of letters, digits, `-` and `_`. Nothing else that a
/// file may hold is sent anywhere.
fn is_jwt(text: &str) -> bool {
    let is_part = |part: &str| {
        !part.is_empty()
            && part
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    // The header is a JSON object, whose text begins so in base64url.
    text.starts_with("ey") && text.split('.').count() == 3 && text.split('.').all(is_part)
}

/// A number of seconds in an answer.
pub(super) fn seconds(value: &Value) -> u64 {
    value.as_u64().unwrap_or_default()
}
