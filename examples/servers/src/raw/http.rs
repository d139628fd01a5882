//! Serving over streamable HTTP, at `/mcp`. What was asked so far can be read at `/stats`.
//!
//! An answer that comes alone is a JSON body; as soon as something comes before it, the body is a stream of events.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use futures_util::stream::{self, StreamExt as _};
use serde_json::Value;
use tokio::sync::mpsc;

use crate::engine::Engine;
use crate::options::MODERN;
use crate::outlet::{Batch, Outlet};
use crate::session::{Session, lock};
use crate::wire::{self, Envelope, Refusal};

const REVISION: &str = "mcp-protocol-version";
const SESSION: &str = "mcp-session-id";

/// Serves until the end.
pub(crate) async fn serve(engine: Arc<Engine>, address: SocketAddr) -> anyhow::Result<()> {
    let router = Router::new()
        .route("/mcp", get(open).post(take).delete(close))
        .with_state(engine.clone());
    listen(engine, address, router).await
}

/// Serves a router, and tells the port.
pub(crate) async fn listen(engine: Arc<Engine>, address: SocketAddr, router: Router) -> anyhow::Result<()> {
    let listener = tokio::net::TcpListener::bind(address).await?;
    if let Some(file) = &engine.options.port_file {
        let draft = file.with_extension("draft");
        std::fs::write(&draft, listener.local_addr()?.port().to_string())?;
        std::fs::rename(&draft, file)?;
    }
    let stats = get(async move || engine.told().to_string());
    axum::serve(listener, router.route("/stats", stats)).await?;
    Ok(())
}

/// A stream of events, after a first one.
pub(crate) fn events(first: String, batches: mpsc::UnboundedReceiver<Batch>) -> Response {
    let rest = stream::unfold(batches, |mut batches| async {
        let batch = batches.recv().await?;
        let text: String = batch
            .iter()
            .map(|message| format!("event: message\ndata: {message}\n\n"))
            .collect();
        Some((text, batches))
    });
    let events = stream::once(async { first }).chain(rest).map(Ok::<_, Infallible>);
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(events)).into_response()
}

/// Why a request is not taken.
struct Refused(StatusCode, Refusal);

impl Refused {
    fn answer(&self, id: &str) -> Response {
        json(self.0, wire::refuse(id, &self.1))
    }
}

fn json(status: StatusCode, text: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], text).into_response()
}

async fn open(State(engine): State<Arc<Engine>>, headers: HeaderMap) -> Response {
    let session = match find(&engine, &headers) {
        Ok(session) => session,
        Err(refused) => return refused.answer("null"),
    };
    let (outlet, batches) = Outlet::new();
    session.open_standalone(outlet);
    events(": open\n\n".to_owned(), batches)
}

async fn close(State(engine): State<Arc<Engine>>, headers: HeaderMap) -> StatusCode {
    match text(&headers, SESSION) {
        Some(id) if engine.close_session(id) => StatusCode::OK,
        Some(_) => StatusCode::NOT_FOUND,
        None => StatusCode::BAD_REQUEST,
    }
}

async fn take(State(engine): State<Arc<Engine>>, headers: HeaderMap, body: String) -> Response {
    if let Some(revision) = text(&headers, REVISION) {
        *lock(&engine.stats)
            .revision_headers
            .entry(revision.to_owned())
            .or_default() += 1;
    }
    let (id, method, params) = match serde_json::from_str::<Envelope<'_>>(&body) {
        Ok(envelope) => (
            envelope.id.map(|id| id.get().to_owned()),
            envelope.method,
            envelope.params,
        ),
        Err(_) => (None, None, Value::Null),
    };
    let mut opened = None;
    let session = match admit(&engine, &headers, method.as_deref(), &params) {
        Ok(Admitted::Stateless) => Arc::default(),
        Ok(Admitted::Session(session)) => session,
        Ok(Admitted::Opened(id, session)) => {
            opened = HeaderValue::from_str(&id).ok();
            session
        }
        Err(refused) => return refused.answer(id.as_deref().unwrap_or("null")),
    };
    let (outlet, batches) = Outlet::new();
    engine.take(&session, body, outlet);
    let mut response = match (&id, &method) {
        (Some(_), Some(_)) => respond(batches, wire::revision(&params) == Some(MODERN)).await,
        (Some(_), None) | (None, Some(_)) => StatusCode::ACCEPTED.into_response(),
        (None, None) => respond(batches, false).await,
    };
    if let Some(id) = opened {
        response.headers_mut().insert(SESSION, id);
    }
    response
}

/// As JSON if there is but the answer, else as a stream.
async fn respond(mut batches: mpsc::UnboundedReceiver<Batch>, modern: bool) -> Response {
    let Some(mut first) = batches.recv().await else {
        return StatusCode::ACCEPTED.into_response();
    };
    let last: Value = first
        .last()
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default();
    if first.len() > 1 || !last["method"].is_null() {
        let text: String = first
            .iter()
            .map(|message| format!("event: message\ndata: {message}\n\n"))
            .collect();
        return events(text, batches);
    }
    let status = match last["error"]["code"].as_i64() {
        Some(-32601) if modern => StatusCode::NOT_FOUND,
        Some(_) | None => StatusCode::OK,
    };
    json(status, first.remove(0))
}

enum Admitted {
    Stateless,
    Session(Arc<Session>),
    Opened(String, Arc<Session>),
}

fn admit(engine: &Engine, headers: &HeaderMap, method: Option<&str>, params: &Value) -> Result<Admitted, Refused> {
    let options = &engine.options;
    let named = text(headers, REVISION);
    let bad = |code, message: String| Refused(StatusCode::BAD_REQUEST, Refusal::new(code, message));
    if let Some(named) = named
        && !options.revisions().contains(&named)
    {
        let spoken = options.revisions().join(", ");
        let code = if options.speaks_modern() { -32022 } else { -32000 };
        return Err(bad(
            code,
            format!("Bad Request: unsupported protocol version {named} (supported: {spoken})"),
        ));
    }
    if named == Some(MODERN) {
        let name = match method {
            Some("tools/call" | "prompts/get") => params["name"].as_str(),
            Some("resources/read") => params["uri"].as_str(),
            Some(_) | None => None,
        };
        let region = match (method, name) {
            (Some("tools/call"), Some("region")) => params["arguments"]["region"].as_str(),
            (Some(_) | None, _) => None,
        };
        for (header, wanted) in [("mcp-method", method), ("mcp-name", name), ("mcp-param-region", region)] {
            if text(headers, header) != wanted {
                return Err(bad(-32020, format!("{header} says something else than the body")));
            }
        }
        return Ok(Admitted::Stateless);
    }
    if method == Some("initialize") {
        if options.no_sessions {
            return Ok(Admitted::Stateless);
        }
        let (id, session) = engine.open_session();
        return Ok(Admitted::Opened(id, session));
    }
    if options.no_sessions {
        return Ok(Admitted::Stateless);
    }
    let session = find(engine, headers)?;
    if let (Some(named), Some(agreed)) = (named, session.revision())
        && named != agreed
    {
        return Err(bad(
            -32000,
            format!("Bad Request: this session speaks {agreed}, not {named}"),
        ));
    }
    Ok(Admitted::Session(session))
}

fn find(engine: &Engine, headers: &HeaderMap) -> Result<Arc<Session>, Refused> {
    let Some(id) = text(headers, SESSION) else {
        let refusal = Refusal::new(-32000, "Bad Request: no session id");
        return Err(Refused(StatusCode::BAD_REQUEST, refusal));
    };
    let session = lock(&engine.sessions).get(id).cloned();
    session.ok_or_else(|| Refused(StatusCode::NOT_FOUND, Refusal::new(-32001, "Session not found")))
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}
