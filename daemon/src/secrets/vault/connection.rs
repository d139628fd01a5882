//! Where a backend is, and the credential for it: what is declared, resolved.

use std::time::Duration;

use orch_shared::kind::Spec as _;
use orch_shared::kinds::secret_backend::{self, SecretBackend};
use orch_shared::name::Name;

use crate::secrets::Plaintext;

/// Where a backend is, and the credential for it.
#[derive(Debug, Clone)]
pub struct Connection {
    /// The SecretBackend's name.
    pub name: Name,
    /// Where the server answers.
    pub url: String,
    /// Where the engine is mounted.
    pub mount: String,
    /// What paths begin with, below the mount.
    pub path_prefix: String,
    /// The namespace that everything is in.
    pub namespace: Option<String>,
    /// How long one request may take.
    pub timeout: Duration,
    /// How the daemon proves who it is.
    pub credential: Credential,
}

/// How the daemon proves who it is.
#[derive(Debug, Clone)]
pub enum Credential {
    /// By nothing: only what everybody may ask can be asked.
    None,
    /// By a token.
    Token(Plaintext),
    /// By logging in with the token of a service account.
    Kubernetes {
        /// The role.
        role: String,
        /// Where the auth method is mounted.
        mount: String,
        /// The file with the account's token.
        path: String,
    },
}

impl Connection {
    /// The connection that a backend declares; nothing for one that is the daemon's own store. The token is the one that its
    /// spec names, when it names one.
    #[must_use]
    pub fn of(name: &Name, backend: &SecretBackend, token: Option<Plaintext>) -> Option<Self> {
        let backend = backend.effective();
        let kubernetes = backend.auth.and_then(|auth| auth.kubernetes);
        let credential = match (token, kubernetes) {
            (Some(token), _) => Credential::Token(token),
            (None, Some(kubernetes)) => Credential::Kubernetes {
                role: kubernetes.role,
                mount: kubernetes.auth_mount.unwrap_or_default(),
                path: kubernetes.service_account_token_path.unwrap_or_default(),
            },
            (None, None) => Credential::None,
        };
        Some(Self {
            name: name.clone(),
            url: backend.url?,
            mount: backend.mount?,
            path_prefix: backend.path_prefix?,
            namespace: backend.namespace,
            timeout: backend
                .timeout
                .map_or(Duration::from_secs(secret_backend::TIMEOUT), |timeout| {
                    timeout.duration()
                }),
            credential,
        })
    }
}
