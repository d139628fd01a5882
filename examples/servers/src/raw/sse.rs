//! Serving over HTTP with server-sent events, as in the revision of 2024-11-05: events at `/sse`, messages to `/messages`.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};

use crate::engine::Engine;
use crate::http;
use crate::outlet::Outlet;
use crate::session::lock;

/// Serves until the end.
pub(crate) async fn serve(engine: Arc<Engine>, address: SocketAddr) -> anyhow::Result<()> {
    let router = Router::new()
        .route("/sse", get(open))
        .route("/messages", post(take))
        .with_state(engine.clone());
    http::listen(engine, address, router).await
}

async fn open(State(engine): State<Arc<Engine>>) -> Response {
    let (outlet, batches) = Outlet::new();
    let (id, session) = engine.open_session();
    session.open_standalone(outlet.clone());
    let first = format!("event: endpoint\ndata: /messages?session={id}\n\n");
    tokio::spawn(async move {
        outlet.closed().await;
        engine.close_session(&id);
    });
    http::events(first, batches)
}

async fn take(
    State(engine): State<Arc<Engine>>,
    Query(query): Query<HashMap<String, String>>,
    text: String,
) -> StatusCode {
    let session = query
        .get("session")
        .and_then(|id| lock(&engine.sessions).get(id).cloned());
    let Some(session) = session else {
        return StatusCode::NOT_FOUND;
    };
    let Some(outlet) = session.standalone() else {
        return StatusCode::GONE;
    };
    engine.take(&session, text, outlet);
    StatusCode::ACCEPTED
}
