//! Inference: one governed door to every model that is declared.
//!
//! What enters: requests in the words of OpenAI (`/v1/chat/completions`, `/v1/responses`, `/v1/embeddings`) and of Anthropic
//! (`/v1/messages`), whose `model` is the name of an Llm. What leaves: what the provider behind it answers, in the client's
//! words. What it never does: show a provider's key to anybody, or hold a request back for one that is slower.
//!
//! Flow: whose request it is and which model, may they, within which limits and budgets; then the model, and where it does not
//! answer those that stand in for it; then the answer, as it comes. Where client and provider use the same words, what is
//! said is passed on as bytes, both ways, but for the name of the model.
//!
//! Guarantees: each request leaves one row in the audit log. A client that goes away ends the request at the provider. An answer that
//! breaks off ends in an event that says so.
//!
//! In reading order:

mod address;
mod door;
mod received;
mod refused;

mod admitting;
mod asking;
mod behalf;
mod choice;
mod helping;
mod keys;

mod bridge;
mod published;
mod scripted;
mod upstream;

mod account;
mod hiding;
mod relay;

mod prober;

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use orch_shared::problem::Problem;
use tokio_util::sync::CancellationToken;

pub use behalf::{Behalf, Said, Saying, Unanswered};
pub use door::Otherwise;
pub use helping::Question;
pub use keys::{Keys, Unkeyed};
pub use prober::Prober;

use crate::asker::Asker;
use crate::audit::Ledger;
use crate::limits::{Bounds, Limits};
use crate::publishing::Publishers;
use crate::reconcile::Models;
use crate::runtime::Web;
use crate::store::Store;
use crate::usage;

/// What the door is told once.
pub struct Config {
    /// What is declared.
    pub store: Store,
    /// Where it is written down who asked what.
    pub ledger: Ledger,
    /// Where it is written down what was used.
    pub usage: usage::Ledger,
    /// Opens the keys of providers.
    pub keys: Keys,
    /// How models fare.
    pub models: Models,
    /// Who publishes models, and passes on what is asked of those.
    pub publishers: Publishers,
    /// How much one principal may ask for.
    pub principal_limits: Bounds,
    /// Ends streams, so that a shutdown need not wait for them.
    pub shutdown: CancellationToken,
}

/// The door to the models; cheap to clone.
#[derive(Clone)]
pub struct Inference(Arc<Shared>);

struct Shared {
    store: Store,
    books: account::Books,
    keys: keys::Ring,
    models: Models,
    publishers: Publishers,
    principal_limits: Bounds,
    limits: Limits,
    web: Web,
    upstreams: upstream::Upstreams,
    slow: helping::Slow,
    shutdown: CancellationToken,
}

impl Inference {
    /// Opens the door.
    #[must_use]
    pub fn open(config: Config) -> Self {
        let Config {
            store,
            ledger,
            usage,
            keys,
            models,
            publishers,
            principal_limits,
            shutdown,
        } = config;
        Self(Arc::new(Shared {
            books: account::Books {
                audit: ledger,
                usage,
                clock: Arc::clone(store.clock()),
            },
            store,
            keys: keys::Ring::new(keys),
            models,
            publishers,
            principal_limits,
            limits: Limits::default(),
            web: Web::default(),
            upstreams: upstream::Upstreams::default(),
            slow: helping::Slow::default(),
            shutdown,
        }))
    }

    /// The pattern of an address of the door, for whoever counts requests; nothing for any other.
    #[must_use]
    pub fn route(path: &str) -> Option<&'static str> {
        address::route(path)
    }

    /// Answers what somebody asks at an address of the door.
    ///
    /// # Errors
    /// When it is not answered here.
    pub async fn serve(&self, asker: Asker, request: Request<Body>) -> Result<Response, Otherwise> {
        let (parts, body) = request.into_parts();
        door::answer(self, asker, parts, body).await
    }

    /// A problem in the words of whoever asks at that path.
    #[must_use]
    pub fn refusal(path: &str, problem: &Problem, status: StatusCode) -> Option<Response> {
        let address = address::parse(path)?;
        Some(refused::Refused::by(problem, status).told(address.dialect()))
    }
}
