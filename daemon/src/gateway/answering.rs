//! Answers on their way out.
//!
//! An answer that comes at once is sent as JSON; one that takes longer, or is preceded by something, as a stream of events.
//! A client of the older era may lose the connection of such a stream and come back for the rest; the request of a client
//! of the newer era ends with its connection.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream as futures_stream;
use orch_shared::jsonrpc::{Id, Outcome};
use orch_shared::session::Direction;
use tokio::time::Instant;

use super::Gateway;
use super::methods::Reply;
use super::news::Listening;
use super::protocol::{NEWEST_LEGACY, code, error};
use super::pump::{Pump, Step};
use super::session::Session;
use super::stream::{self, KEEP_ALIVE, Primed};

/// How long an answer may take before it becomes a stream.
const AT_ONCE: Duration = Duration::from_secs(2);
/// How long what is under way goes on for a client that was cut off.
const CUT_OFF: Duration = Duration::from_secs(120);

type Running = Pin<Box<dyn Future<Output = (Box<Pump>, Step)> + Send>>;

impl Gateway {
    pub(super) async fn respond_modern(&self, id: &Id, reply: Reply) -> Response {
        match reply {
            Reply::Now(outcome) => answer(modern_status(&outcome), Some(id), &outcome),
            Reply::Limited(outcome, after) => limited(id, &outcome, after),
            Reply::Listen(listening) => self.stream_listening(listening),
            Reply::Pump(pump) => {
                let mut running = run(pump);
                match tokio::time::timeout(AT_ONCE, &mut running).await {
                    Ok((_, Step::Last(outcome))) => answer(modern_status(&outcome), Some(id), &outcome),
                    Ok((_, Step::Cancelled)) => StatusCode::NO_CONTENT.into_response(),
                    Ok((pump, Step::Message(first))) => self.stream_modern(id, Some(first), run(pump)),
                    Err(_) => self.stream_modern(id, None, running),
                }
            }
        }
    }

    /// A request of the newer era as a stream; dropped with it.
    fn stream_modern(&self, id: &Id, first: Option<String>, running: Running) -> Response {
        let first = first.map(|message| stream::event(None, &message));
        let state = (first, Some(running), id.clone(), self.0.shutdown.clone());
        let body = futures_stream::unfold(state, |(first, running, id, shutdown)| async move {
            if let Some(first) = first {
                return Some((text(first), (None, running, id, shutdown)));
            }
            let mut running = running?;
            let step = tokio::select! {
                biased;
                () = shutdown.cancelled() => return None,
                step = &mut running => Some(step),
                () = tokio::time::sleep(KEEP_ALIVE) => None,
            };
            match step {
                None => Some((text(": still here\n\n".to_owned()), (None, Some(running), id, shutdown))),
                Some((pump, Step::Message(message))) => {
                    let event = stream::event(None, &message);
                    Some((text(event), (None, Some(run(pump)), id, shutdown)))
                }
                Some((_, Step::Last(outcome))) => {
                    let event = stream::event(None, &message_of(Some(&id), &outcome));
                    Some((text(event), (None, None, id, shutdown)))
                }
                Some((_, Step::Cancelled)) => None,
            }
        });
        stream::events(Body::from_stream(body))
    }

    fn stream_listening(&self, listening: Listening) -> Response {
        let state = (listening, self.0.shutdown.clone());
        let body = futures_stream::unfold(state, |(mut listening, shutdown)| async move {
            let event = tokio::select! {
                biased;
                () = shutdown.cancelled() => return None,
                message = listening.next() => stream::event(None, &message?),
                () = tokio::time::sleep(KEEP_ALIVE) => ": still here\n\n".to_owned(),
            };
            Some((text(event), (listening, shutdown)))
        });
        stream::events(Body::from_stream(body))
    }

    pub(super) async fn respond_legacy(&self, session: &Arc<Session>, id: &Id, reply: Reply) -> Response {
        let told = |outcome: &Outcome| {
            self.show(session, Direction::ToClient, None, || message_of(Some(id), outcome));
            answer(StatusCode::OK, Some(id), outcome)
        };
        let pump = match reply {
            Reply::Now(outcome) | Reply::Limited(outcome, _) => return told(&outcome),
            Reply::Listen(_) => {
                return answer(
                    StatusCode::OK,
                    Some(id),
                    &super::methods::unknown_method("subscriptions/listen"),
                );
            }
            Reply::Pump(pump) => pump,
        };
        let mut running = run(pump);
        let (first, running) = match tokio::time::timeout(AT_ONCE, &mut running).await {
            Ok((_, Step::Last(outcome))) => return told(&outcome),
            Ok((_, Step::Cancelled)) => return StatusCode::ACCEPTED.into_response(),
            Ok((pump, Step::Message(first))) => (Some(first), run(pump)),
            Err(_) => (None, running),
        };
        let stream = session.open_stream();
        if let Some(first) = first {
            self.show(session, Direction::ToClient, None, || first.clone());
            stream.push(first);
        }
        let primed = if session.protocol.as_str() >= NEWEST_LEGACY {
            Primed::Yes
        } else {
            Primed::No
        };
        let response = stream.read(0).respond(primed, self.0.shutdown.clone());
        tokio::spawn(go_on(self.clone(), Arc::clone(session), running, id.clone(), stream));
        response
    }
}

/// Goes on with a request whose answer is a stream, whether or not the client has lost its connection; but not for ever.
async fn go_on(gateway: Gateway, session: Arc<Session>, running: Running, id: Id, stream: Arc<stream::Stream>) {
    let mut running = running;
    let mut unread_since: Option<Instant> = None;
    loop {
        let step = tokio::select! {
            biased;
            () = session.over.cancelled() => break,
            step = &mut running => step,
            () = tokio::time::sleep(Duration::from_secs(5)) => {
                if stream.is_read() {
                    unread_since = None;
                } else if unread_since.get_or_insert_with(Instant::now).elapsed() > CUT_OFF {
                    break;
                }
                continue;
            }
        };
        match step {
            (pump, Step::Message(message)) => {
                gateway.show(&session, Direction::ToClient, None, || message.clone());
                stream.push(message);
                stream.has_room().await;
                running = run(pump);
            }
            (_, Step::Last(outcome)) => {
                let message = message_of(Some(&id), &outcome);
                gateway.show(&session, Direction::ToClient, None, || message.clone());
                stream.push(message);
                break;
            }
            (_, Step::Cancelled) => break,
        }
    }
    stream.end();
}

pub(super) fn run(mut pump: Box<Pump>) -> Running {
    Box::pin(async move {
        let step = pump.step().await;
        (pump, step)
    })
}

#[expect(clippy::unnecessary_wraps, reason = "the item of a body's stream")]
fn text(text: String) -> Result<Bytes, Infallible> {
    Ok(Bytes::from(text))
}

/// The HTTP status of an answer in the newer era.
fn modern_status(outcome: &Outcome) -> StatusCode {
    match outcome.code() {
        Some(code::METHOD_NOT_FOUND) => StatusCode::NOT_FOUND,
        Some(code::HEADER_MISMATCH | code::MISSING_CAPABILITY | code::UNSUPPORTED_VERSION) => StatusCode::BAD_REQUEST,
        Some(_) | None => StatusCode::OK,
    }
}

/// An answer as JSON text.
pub(super) fn message_of(id: Option<&Id>, outcome: &Outcome) -> String {
    let (member, payload) = match outcome {
        Outcome::Result(result) => ("result", result.get()),
        Outcome::Error(error) => ("error", error.get()),
    };
    let id = id.map_or("null", Id::as_json);
    let mut text = String::with_capacity(payload.len() + id.len() + 40);
    for part in [r#"{"jsonrpc":"2.0","id":"#, id, ",\"", member, "\":", payload, "}"] {
        text.push_str(part);
    }
    text
}

pub(super) fn answer(status: StatusCode, id: Option<&Id>, outcome: &Outcome) -> Response {
    let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    (status, json, message_of(id, outcome)).into_response()
}

fn limited(id: &Id, outcome: &Outcome, after: Duration) -> Response {
    let mut response = answer(StatusCode::TOO_MANY_REQUESTS, Some(id), outcome);
    let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// A refusal that answers no message.
pub(super) fn problem(status: StatusCode, message: &str) -> Response {
    answer(status, None, &error(code::INVALID_REQUEST, message))
}
