//! Values that live in a backend: how the backend is found from what is declared, and why a value cannot be had.

use std::collections::BTreeMap;

use orch_shared::kind::{AnySpec, Kind, downcast};
use orch_shared::kinds::secret::{Form, Secret};
use orch_shared::kinds::secret_backend::SecretBackend;
use orch_shared::name::{Name, ObjectRef};
use orch_shared::problem::{Code, Problem};

use crate::secrets::vault::{self, Connection, Document, Vault};
use crate::secrets::{Backends, Keyring, Place, Plaintext};
use crate::store::Snapshot;

/// Why a value that lives in a backend cannot be had, or put there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Away {
    /// There is no such backend.
    #[error("there is no secretbackend `{0}`")]
    NoBackend(String),
    /// The backend is the daemon's own store, where no value has a version.
    #[error("secretbackend `{0}` is the daemon's own store, and keeps no value by version")]
    Here(Name),
    /// The daemon cannot prove to the backend who it is.
    #[error("the token of secretbackend `{backend}` cannot be had: {why}")]
    NoToken {
        /// Which backend.
        backend: Name,
        /// Why.
        why: String,
    },
    /// It does not do what it is asked.
    #[error("secretbackend `{backend}` {error}")]
    Backend {
        /// Which backend.
        backend: Name,
        /// What it does instead.
        error: vault::Error,
    },
}

impl Away {
    /// In one word.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::NoBackend(_) | Self::Here(_) => "BackendMissing",
            Self::NoToken { .. } => "BackendToken",
            Self::Backend { error, .. } => error.reason(),
        }
    }

    /// Whether trying again, with nothing changed here, may help.
    #[must_use]
    pub const fn is_passing(&self) -> bool {
        match self {
            Self::NoBackend(_) | Self::Here(_) | Self::NoToken { .. } => false,
            Self::Backend { error, .. } => error.is_passing(),
        }
    }

    /// Whether the value is gone for good, rather than out of reach.
    pub(super) const fn is_gone(&self) -> bool {
        match self {
            Self::NoBackend(_) | Self::Here(_) | Self::NoToken { .. } => false,
            Self::Backend { error, .. } => matches!(error, vault::Error::Gone(_) | vault::Error::NoKey { .. }),
        }
    }
}

impl From<Away> for Problem {
    fn from(away: Away) -> Self {
        let hint = match &away {
            Away::NoBackend(_) => "what there is: orchctl get secretbackends".to_owned(),
            Away::Here(backend) | Away::NoToken { backend, .. } | Away::Backend { backend, .. } => {
                format!("how it fares: orchctl describe secretbackend {backend}")
            }
        };
        if away.is_passing() {
            Self::new(Code::BackendUnavailable, away.to_string())
                .suggest(hint)
                .retry_after(2)
        } else {
            Self::new(Code::BackendRefused, away.to_string()).suggest(hint)
        }
    }
}

/// Finds the specs of objects.
pub trait Find {
    /// The spec of that object.
    fn find(&self, object: &ObjectRef) -> Option<&dyn AnySpec>;
}

impl Find for Snapshot {
    fn find(&self, object: &ObjectRef) -> Option<&dyn AnySpec> {
        self.get(object).map(|object| object.spec.as_ref())
    }
}

/// The connection that a backend declares.
///
/// # Errors
/// When there is no such backend, it is no place elsewhere, or its token cannot be opened.
pub(super) fn connection(keyring: &Keyring, declared: &impl Find, backend: &str) -> Result<Connection, Away> {
    let missing = || Away::NoBackend(backend.to_owned());
    let name: Name = backend.parse().map_err(|_| missing())?;
    let object = ObjectRef::cluster(Kind::SecretBackend, name.clone());
    let spec = declared
        .find(&object)
        .and_then(downcast::<SecretBackend>)
        .ok_or_else(missing)?;
    let token = match spec.token() {
        None => None,
        Some(token) => {
            let reference = &token.secret_ref;
            let why = |why: String| Away::NoToken {
                backend: name.clone(),
                why,
            };
            let secret = ObjectRef::cluster(Kind::Secret, reference.name.clone());
            let found = declared.find(&secret).and_then(downcast::<Secret>);
            let data = found.ok_or_else(|| why(format!("secret `{}` is gone", reference.name)))?;
            let value = data.data.as_ref().and_then(|data| data.get(&reference.key));
            let value =
                value.ok_or_else(|| why(format!("secret `{}` has no key `{}`", reference.name, reference.key)))?;
            let place = Place {
                object: &secret,
                key: &reference.key,
            };
            let opened = keyring
                .open_value(place, value)
                .map_err(|error| why(error.to_string()))?;
            Some(opened)
        }
    };
    Connection::of(&name, spec, token).ok_or(Away::Here(name))
}

/// Opens the values of Secrets, wherever they live. What a backend was asked once is remembered as long as this is.
pub struct Opener<'o, F> {
    keyring: &'o Keyring,
    backends: &'o Backends,
    declared: &'o F,
    documents: BTreeMap<(String, String, u64), Document>,
}

impl<'o, F: Find> Opener<'o, F> {
    /// Opens values by what is declared.
    #[must_use]
    pub const fn new(keyring: &'o Keyring, backends: &'o Backends, declared: &'o F) -> Self {
        Self {
            keyring,
            backends,
            declared,
            documents: BTreeMap::new(),
        }
    }

    /// A conversation with a backend.
    ///
    /// # Errors
    /// When it cannot be found from what is declared.
    pub fn vault(&self, backend: &str) -> Result<Vault, Away> {
        let connection = connection(self.keyring, self.declared, backend)?;
        Ok(self.backends.open(connection))
    }

    /// The value behind a stored form.
    ///
    /// # Errors
    /// When it cannot be had, or opened.
    pub async fn open(&mut self, place: Place<'_>, value: &str) -> Result<Plaintext, Closed> {
        match Form::of(value) {
            Form::External { backend, version } => {
                let version: u64 = version
                    .parse()
                    .map_err(|_| Closed::Sealed(crate::secrets::OpenError::Malformed))?;
                Ok(self.fetch(place, backend, version).await?)
            }
            Form::Plain(_) | Form::Sealed { .. } | Form::Malformed => {
                self.keyring.open_value(place, value).map_err(Closed::Sealed)
            }
        }
    }

    async fn fetch(&mut self, place: Place<'_>, backend: &str, version: u64) -> Result<Plaintext, Away> {
        let name = place.object.name.as_str();
        let vault = self.vault(backend)?;
        let away = |error| Away::Backend {
            backend: vault.name().clone(),
            error,
        };
        let at = (backend.to_owned(), name.to_owned(), version);
        if !self.documents.contains_key(&at) {
            let read = vault.read(name, Some(version)).await.map_err(away)?;
            let document = read.ok_or_else(|| away(vault::Error::Gone(version)))?;
            self.documents.insert(at.clone(), document);
        }
        let value = self
            .documents
            .get(&at)
            .and_then(|document| document.data.get(place.key));
        value.cloned().ok_or_else(|| {
            away(vault::Error::NoKey {
                key: place.key.to_owned(),
                version,
            })
        })
    }
}

/// Why a value stays closed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Closed {
    /// It lives elsewhere, and cannot be had.
    #[error(transparent)]
    Away(#[from] Away),
    /// It lives here, and does not open.
    #[error(transparent)]
    Sealed(crate::secrets::OpenError),
}
