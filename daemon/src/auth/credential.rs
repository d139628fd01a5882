//! The text that opens a door: `orch_` and 64 hex digits. Only its SHA-256 is stored and looked up, so neither the database
//! nor the time that a comparison takes tells anything about it.

use http::{HeaderMap, header};
use orch_shared::digest::sha256;
use orch_shared::problem::{Code, Problem};
use orch_shared::resource::Timestamp;
use zeroize::Zeroizing;

use crate::clock::{Clock, Ids};
use crate::store::Token;

/// What every credential begins with.
const PREFIX: &str = "orch_";
/// How many characters of a credential are kept to tell it by.
const SHOWN: usize = 12;

/// What a credential may do that is everything its principal may: that of a login, or of the first start.
pub(super) const ALL: &str = r#"["*"]"#;
/// What a credential may do whose Token says so.
pub(super) const TOKEN: &str = r#"["token"]"#;

/// A fresh credential: its text, to be shown once, and what is stored of it.
pub struct Credential {
    /// The text. Whoever holds it is the principal.
    pub text: Zeroizing<String>,
    /// What is stored.
    pub token: Token,
}

impl Credential {
    /// A credential that may do everything that its principal may.
    #[must_use]
    pub fn of_principal(
        name: &str,
        principal: &str,
        expires_at: Option<Timestamp>,
        (clock, ids): (&dyn Clock, &dyn Ids),
    ) -> Self {
        Self::fresh(ids.uid(), name, principal, ALL, expires_at, clock.now())
    }

    /// The credential of a Token that is being made.
    #[must_use]
    pub fn of_token(uid: &str, name: &str, principal: &str, expires_at: Option<Timestamp>, now: Timestamp) -> Self {
        Self::fresh(uid.to_owned(), name, principal, TOKEN, expires_at, now)
    }

    fn fresh(
        id: String,
        name: &str,
        principal: &str,
        scopes: &str,
        expires_at: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        getrandom::fill(bytes.as_mut()).expect("the operating system gives random bytes");
        let mut text = Zeroizing::new(String::with_capacity(PREFIX.len() + 64));
        text.push_str(PREFIX);
        text.push_str(&Zeroizing::new(hex::encode(bytes.as_ref())));
        let token = Token {
            id,
            name: name.to_owned(),
            principal: principal.to_owned(),
            hash: hash(&text),
            prefix: text[..SHOWN].to_owned(),
            scopes: scopes.to_owned(),
            project: None,
            created_at: now,
            expires_at,
            last_used_at: None,
            revoked_at: None,
        };
        Self { text, token }
    }
}

/// What is stored of a text.
pub(super) fn hash(text: &str) -> String {
    sha256(text)
}

/// The SHA-256 of the credential that a request carries.
pub(super) fn shown(headers: &HeaderMap) -> Result<String, Problem> {
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let Some(first) = given.next() else {
        return Err(refused(
            "the request carries no credential",
            "send Authorization: Bearer <token>",
        ));
    };
    if given.next().is_some() {
        return Err(refused(
            "the request carries more than one credential",
            "send the header Authorization once",
        ));
    }
    let text = first.to_str().ok().and_then(|value| value.split_once(' '));
    let text = text
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, text)| text.trim());
    match text.filter(|text| is_well_formed(text)) {
        Some(text) => Ok(hash(text)),
        None => Err(refused(
            "the credential is not a token of this daemon",
            "tokens begin with orch_",
        )),
    }
}

/// Whether a text may be a credential at all.
pub(super) fn is_well_formed(text: &str) -> bool {
    text.len() == PREFIX.len() + 64 && text.starts_with(PREFIX)
}

pub(super) fn refused(detail: &str, suggestion: &str) -> Problem {
    Problem::new(Code::Unauthenticated, detail).suggest(suggestion)
}
