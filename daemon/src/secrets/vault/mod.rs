//! OpenBao and HashiCorp Vault over plain HTTP: the KV v2 engine, tokens, and the little that setting one up needs.
//!
//! What enters: where a backend is and a credential ([`Connection`]). What leaves: values in the open, to whoever is to use
//! them, and errors that hold none. A document per Secret, at `<mount>/data/<prefix>/<name>`, holds all of its values, so that
//! a version of it is one state of the Secret.
//!
//! PATCH is not used: it came with Vault 1.9. In reading order:

mod connection;
mod error;
mod wire;

mod kv;
mod login;
mod setup;
mod token;

use std::sync::Arc;

pub use connection::{Connection, Credential};
pub use error::Error;
pub use kv::{Document, Kept};
pub use setup::{Plan, Policy};
pub use token::{Known, Minted};

use login::Logins;
use wire::{Answer, Clients, Question};

use super::Plaintext;

/// What all conversations with backends share: connections, and tokens that were logged in for. Cheap to clone.
#[derive(Clone, Default)]
pub struct Backends(Arc<Shared>);

#[derive(Default)]
struct Shared {
    clients: Clients,
    logins: Logins,
    turn: tokio::sync::Mutex<()>,
}

impl Backends {
    /// A conversation with one backend.
    #[must_use]
    pub fn open(&self, connection: Connection) -> Vault {
        Vault {
            shared: Arc::clone(&self.0),
            connection,
        }
    }

    /// Waits for its turn to replace a token; it is over when what is returned is dropped.
    pub async fn turn(&self) -> impl Drop + Send + '_ {
        self.0.turn.lock().await
    }
}

/// A conversation with one backend.
pub struct Vault {
    shared: Arc<Shared>,
    connection: Connection,
}

impl Vault {
    /// The backend's name, as resources have it.
    #[must_use]
    pub fn name(&self) -> &orch_shared::name::Name {
        &self.connection.name
    }

    /// Asks without a token, or with one of the caller's.
    async fn ask(&self, question: Question<'_>) -> Result<Answer, Error> {
        let Connection {
            url,
            namespace,
            timeout,
            ..
        } = &self.connection;
        wire::ask(&self.shared.clients, url, namespace.as_deref(), *timeout, question).await
    }

    /// Asks with the backend's own credential. A token that was logged in for and is not accepted any more is given up, and
    /// one login later the question is asked once more.
    async fn ask_as_daemon<'q>(&self, question: impl Fn() -> Question<'q>) -> Result<Answer, Error> {
        let token = self.token().await?;
        let answer = self.ask(with(question(), &token)).await?;
        if answer.status != 403 || !self.forget(&token).await {
            return Ok(answer);
        }
        let token = self.token().await?;
        self.ask(with(question(), &token)).await
    }
}

fn with<'q>(question: Question<'q>, token: &'q Plaintext) -> Question<'q> {
    question.by(token)
}
