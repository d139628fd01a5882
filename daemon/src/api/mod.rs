//! The API: requests in, JSON out. The only room that knows axum and HTTP.
//!
//! What enters: requests from the command line, scripts and browsers on allowed origins. What leaves: objects as the
//! store keeps them, streams of changes, and problems (RFC 9457). What it never does: decide whether a change is right;
//! that is admission's. There is no handler per kind: an address names a kind from the registry, and one handler per
//! verb serves them all.

mod address;
mod body;
mod dispatch;
mod forward;
mod guard;
mod health;
mod json;
mod list;
mod logs;
mod object;
pub mod openapi;
mod problem;
mod stream;
mod watch;

use std::sync::Arc;

use axum::Router;
use axum::middleware;
use axum::routing::{any, get};
use orch_shared::resource::Timestamp;
use tokio_util::sync::CancellationToken;

pub use forward::Forwarding;
pub use guard::Names;

use crate::admission::Admission;
use crate::auth::Authenticator;
use crate::runtime::Runtime;
use crate::telemetry::Metrics;

/// What the handlers work with. Cheap to clone.
#[derive(Clone)]
pub struct Api {
    /// The way in.
    pub admission: Admission,
    /// Who asks.
    pub authenticator: Authenticator,
    /// Where logs come from.
    pub runtime: Runtime,
    /// How requests reach the leader that only it can answer, where daemons share a database.
    pub forwarding: Option<Forwarding>,
    /// What is counted.
    pub metrics: Metrics,
    /// Whether the gateway's addresses need no credential.
    pub open_gateway: bool,
    /// The hosts and origins that are served.
    pub names: Arc<Names>,
    /// Since when the daemon has been running.
    pub started_at: Timestamp,
    /// Ends streams, so that a shutdown need not wait for them.
    pub shutdown: CancellationToken,
}

/// The service for every address of the API, and for those of `beside`; all of them are guarded. What is asked of `beside`
/// is about what runs, and answered where it runs.
pub fn router(api: Api, beside: Router) -> Router {
    Router::new()
        .route("/healthz", get(health::healthz))
        .route("/readyz", get(health::readyz))
        .route("/version", get(health::version))
        .route("/metrics", get(health::metrics))
        .route("/openapi.json", get(openapi::serve))
        .route("/api/v1/{*rest}", any(dispatch::dispatch))
        .fallback(dispatch::nothing_here)
        .method_not_allowed_fallback(dispatch::wrong_method)
        .layer(middleware::from_fn_with_state(api.clone(), guard::guard))
        .with_state(api.clone())
        .merge(
            beside
                .layer(middleware::from_fn_with_state(api.clone(), forward::forward))
                .layer(middleware::from_fn_with_state(api, guard::guard)),
        )
}
