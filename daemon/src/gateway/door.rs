//! The door: HTTP requests in, answers and streams out.
//!
//! An answer that comes at once is sent as JSON; one that takes longer, or is preceded by something, as a stream of events.
//! A client of the older era may lose the connection of such a stream and come back for the rest; the request of a client
//! of the newer era ends with its connection.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream as futures_stream;
use orch_shared::access::Principal;
use orch_shared::jsonrpc::{Id, Message, Outcome, Request};
use orch_shared::problem::Problem;
use orch_shared::session::Direction;
use serde_json::json;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::address::{self, Address};
use super::answers::{answer, limited, message_of, modern_status, problem};
use super::asking::{self, Asking, Refused, introduced};
use super::body::{accepts, fits, received};
use super::methods::{Asked, Reply};
use super::news::Listening;
use super::protocol::{
    self, LAST_EVENT_ID, MODERN, NEWEST_LEGACY, PROTOCOL_VERSION, SESSION_ID, code, error, error_with,
};
use super::pump::{Side, Step, Work};
use super::registry;
use super::relaying::over_limit;
use super::session::Session;
use super::stream::{self, KEEP_ALIVE, Place, Primed};
use super::view::{self, Target, View};
use super::{Gateway, noting, oldest, watching};
use crate::asker::Asker;
use crate::{audit, limits};

/// How long an answer may take before it becomes a stream.
const AT_ONCE: Duration = Duration::from_secs(2);
/// When a client may try again for whom there is no session left; when one ends cannot be foreseen.
const FULL: Duration = Duration::from_secs(30);
/// How long what is under way goes on for a client that was cut off.
const CUT_OFF: Duration = Duration::from_secs(120);

type Running = Pin<Box<dyn Future<Output = (Work, Step)> + Send>>;

/// Answers a request. HEAD is answered as GET; the server leaves the body out.
pub(super) async fn dispatch(gateway: &Gateway, asker: Asker, parts: Parts, body: Body) -> Result<Response, Problem> {
    let Some(address) = address::parse(parts.uri.path()) else {
        return Ok(problem(StatusCode::NOT_FOUND, "there is nothing at this address"));
    };
    let method = match parts.method.as_str() {
        "HEAD" => "GET",
        method => method,
    };
    noting::address(&address, method);
    Ok(match (address, method) {
        (Address::Messages(target), "POST") => take(gateway, target, asker, parts, body).await?,
        (Address::Messages(target), "GET") => Box::pin(stream_news(gateway, target, &asker, &parts.headers)).await,
        (Address::Messages(target), "DELETE") => Box::pin(end(gateway, target, &asker, &parts.headers)).await,
        (Address::Stream(target), "GET") => oldest::connect(gateway, target, &asker, &parts.uri),
        (Address::Posted(target), "POST") => Box::pin(oldest::take(gateway, target, asker, parts, body)).await?,
        (Address::Sessions(project), "GET") => watching::list(gateway, project, &asker),
        (Address::Traffic(project, id), "GET") => watching::traffic(gateway, project, &id, &asker),
        (
            address @ (Address::Messages(_)
            | Address::Stream(_)
            | Address::Posted(_)
            | Address::Sessions(_)
            | Address::Traffic(..)),
            _,
        ) => {
            let said = format!("{} is not possible here", parts.method);
            let mut refusal = problem(StatusCode::METHOD_NOT_ALLOWED, &said);
            let allowed = HeaderValue::from_static(address.methods());
            refusal.headers_mut().insert(header::ALLOW, allowed);
            refusal
        }
    })
}

impl Gateway {
    /// What stands behind an address, for somebody; what the rules say of that is noted for the audit log.
    pub(super) fn view(&self, target: Option<&Target>, principal: &Principal) -> Option<View> {
        let (target, snapshot) = (target?, self.0.store.snapshot());
        let (decision, role, found) = view::decided(&target.object(), &snapshot, principal)?;
        audit::decided(principal, &decision, role);
        View::behind(target, view::usable(&decision, found)?, &snapshot, principal)
    }
}

/// Takes a message.
async fn take(
    gateway: &Gateway,
    target: Option<Target>,
    mut asker: Asker,
    parts: Parts,
    body: Body,
) -> Result<Response, Problem> {
    let Parts { uri, headers, .. } = parts;
    if let Err(refusal) = fits(&headers) {
        return Ok(refusal);
    }
    let body = match received(body).await {
        Ok(body) => body,
        Err(refusal) => return Ok(refusal),
    };
    // It may have taken its time.
    asker.renew().await?;
    let asking = match asking::read(&headers, &body) {
        Ok(asking) => asking,
        Err(Refused { status, id, outcome }) => return Ok(answer(status, id.as_ref(), &outcome)),
    };
    noting::asking(&asking);
    let Some(view) = gateway.view(target.as_ref(), &asker) else {
        return Ok(gateway.nothing_there(target.as_ref(), &asker, uri.path(), &asking));
    };
    Ok(match asking {
        Asking::Modern(modern) => {
            let id = modern.request.id.clone();
            let asked = Asked {
                view: &view,
                principal: &asker,
                side: Side::Modern(Arc::new(modern.client)),
                headers: &headers,
                handle: modern.handle,
                named: modern.named,
                request: modern.request,
            };
            let reply = gateway.answer(asked).await;
            gateway.respond_modern(&id, reply).await
        }
        Asking::News(news) => taken(gateway.pass_news(&view, &asker, &news).await),
        Asking::Legacy(message) => gateway.take_legacy(&view, &asker, &headers, message).await,
    })
}

impl Gateway {
    async fn take_legacy(&self, view: &View, principal: &Asker, headers: &HeaderMap, message: Message) -> Response {
        let message = match message {
            Message::Request(request) if request.method == "initialize" => {
                return self.begin(view, principal, request).await;
            }
            other => other,
        };
        let id = match &message {
            Message::Request(request) => Some(request.id.clone()),
            Message::Notification(_) | Message::Response(_) => None,
        };
        let session = match self.session(headers, principal, &view.target, id.as_ref()).await {
            Ok(session) => session,
            Err(refusal) => return refusal,
        };
        self.show(&session, Direction::FromClient, None, || message.to_json());
        match message {
            Message::Request(request) => {
                let id = request.id.clone();
                let asked = Asked {
                    view,
                    principal,
                    side: Side::Legacy(Arc::clone(&session)),
                    headers,
                    handle: None,
                    named: None,
                    request,
                };
                let reply = self.answer(asked).await;
                self.respond_legacy(&session, &id, reply).await
            }
            other @ (Message::Notification(_) | Message::Response(_)) => {
                taken(self.note(view, principal, &session, other).await)
            }
        }
    }

    /// The session that a request belongs to.
    async fn session(
        &self,
        headers: &HeaderMap,
        principal: &Principal,
        target: &Target,
        id: Option<&Id>,
    ) -> Result<Arc<Session>, Response> {
        let Some(given) = headers.get(SESSION_ID) else {
            let outcome = error(
                code::INVALID_REQUEST,
                "the header Mcp-Session-Id is missing; begin with initialize",
            );
            return Err(answer(StatusCode::BAD_REQUEST, id, &outcome));
        };
        let given = given.to_str().unwrap_or_default();
        match self.0.registry.find(given, principal, target).await {
            // One of the newer era is known by what its client sends along, and is no session to this one.
            Ok(Some(session)) if session.protocol != MODERN => {
                noting::session(&session);
                self.take_up(&session, principal);
                Ok(session)
            }
            Ok(Some(_) | None) => {
                let outcome = error(code::NO_SESSION, "Session not found");
                Err(answer(StatusCode::NOT_FOUND, id, &outcome))
            }
            Err(why) => {
                tracing::warn!(error = %why, "sessions cannot be looked up");
                let outcome = error(code::INTERNAL, "the database does not answer; try again");
                Err(answer(StatusCode::SERVICE_UNAVAILABLE, id, &outcome))
            }
        }
    }

    /// Begins a session.
    async fn begin(&self, view: &View, principal: &Principal, request: Request) -> Response {
        let (version, client) = match introduced(&request) {
            Ok(introduced) => introduced,
            Err(refusal) => return answer(StatusCode::OK, Some(&request.id), &refusal),
        };
        let greeting = self.greeting(view, &version).await;
        match self.0.registry.begin(principal, view, &version, client).await {
            Ok((id, session)) => {
                noting::session(&session);
                let mut response = answer(StatusCode::OK, Some(&request.id), &greeting);
                if let Ok(value) = HeaderValue::from_str(&id) {
                    response.headers_mut().insert(SESSION_ID, value);
                }
                response
            }
            Err(registry::Refusal::Full(why)) => {
                let data = json!({"retryAfterMs": u64::try_from(FULL.as_millis()).unwrap_or(u64::MAX)});
                limited(Some(&request.id), &error_with(code::LIMITED, why, &data), FULL)
            }
            Err(registry::Refusal::Store(why)) => {
                tracing::warn!(error = %why, "a session cannot be written down");
                let outcome = error(code::INTERNAL, "the session cannot be written down; try again");
                answer(StatusCode::SERVICE_UNAVAILABLE, Some(&request.id), &outcome)
            }
        }
    }

    async fn respond_modern(&self, id: &Id, reply: Reply) -> Response {
        match reply {
            Reply::Now(outcome) => answer(modern_status(&outcome), Some(id), &outcome),
            Reply::Limited(outcome, after) => limited(Some(id), &outcome, after),
            Reply::Listen(listening) => self.stream_listening(listening),
            Reply::Work(pump) => {
                let mut running = run(pump);
                match tokio::time::timeout(AT_ONCE, &mut running).await {
                    Ok((_, Step::Last(outcome))) => answer(modern_status(&outcome), Some(id), &outcome),
                    Ok((_, Step::Cancelled)) => StatusCode::NO_CONTENT.into_response(),
                    Ok((pump, Step::Message(first))) => Self::stream_modern(id, Some(first), run(pump)),
                    Err(_) => Self::stream_modern(id, None, running),
                }
            }
        }
    }

    /// A request of the newer era as a stream; dropped with it.
    fn stream_modern(id: &Id, first: Option<String>, running: Running) -> Response {
        let first = first.map(|message| stream::event(None, &message));
        let state = (first, Some(running), id.clone());
        let body = futures_stream::unfold(state, |(first, running, id)| async move {
            if let Some(first) = first {
                return Some((text(first), (None, running, id)));
            }
            let mut running = running?;
            let step = tokio::select! {
                biased;
                step = &mut running => Some(step),
                () = tokio::time::sleep(KEEP_ALIVE) => None,
            };
            match step {
                None => Some((text(": still here\n\n".to_owned()), (None, Some(running), id))),
                Some((pump, Step::Message(message))) => {
                    let event = stream::event(None, &message);
                    Some((text(event), (None, Some(run(pump)), id)))
                }
                Some((_, Step::Last(outcome))) => {
                    let event = stream::event(None, &message_of(Some(&id), &outcome));
                    Some((text(event), (None, None, id)))
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

    async fn respond_legacy(&self, session: &Arc<Session>, id: &Id, reply: Reply) -> Response {
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
            Reply::Work(pump) => pump,
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
        // Not ended with the daemon: what is under way may finish.
        let response = stream.read(0).respond(primed, CancellationToken::new());
        tokio::spawn(go_on(self.clone(), Arc::clone(session), running, id.clone(), stream));
        response
    }
}

/// The answer to what wants none.
fn taken(noted: Result<(), limits::Over>) -> Response {
    match noted {
        Ok(()) => StatusCode::ACCEPTED.into_response(),
        Err(over) => {
            let (outcome, after) = over_limit(&over, None);
            limited(None, &outcome, after)
        }
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
                stream.answer(message);
                break;
            }
            (_, Step::Cancelled) => break,
        }
    }
    stream.end();
}

pub(super) fn run(mut pump: Work) -> Running {
    Box::pin(async move {
        let step = pump.step().await;
        (pump, step)
    })
}

#[expect(clippy::unnecessary_wraps, reason = "the item of a body's stream")]
fn text(text: String) -> Result<Bytes, Infallible> {
    Ok(Bytes::from(text))
}

/// What a client of the newer era is told that asks for what that has not.
const NO_STREAM: &str = "this revision has no such stream; ask subscriptions/listen";
const NO_SESSIONS: &str = "this revision has no sessions";

impl Gateway {
    /// The session that a request without a message is about. The newer era has none, and its clients are told `instead`.
    async fn session_at(
        &self,
        target: Option<&Target>,
        principal: &Principal,
        headers: &HeaderMap,
        instead: &str,
    ) -> Result<Arc<Session>, Response> {
        let is_modern = headers
            .get(PROTOCOL_VERSION)
            .is_some_and(|version| !version.to_str().is_ok_and(protocol::is_legacy));
        if is_modern {
            return Err(problem(StatusCode::METHOD_NOT_ALLOWED, instead));
        }
        let Some(target) = target else {
            return Err(problem(StatusCode::NOT_FOUND, "there is nothing of that name"));
        };
        self.session(headers, principal, target, None).await
    }
}

/// The stream of what belongs to no request; or the rest of one that was lost.
async fn stream_news(
    gateway: &Gateway,
    target: Option<Target>,
    principal: &Principal,
    headers: &HeaderMap,
) -> Response {
    if !accepts(headers, "text/event-stream") {
        return problem(
            StatusCode::NOT_ACCEPTABLE,
            "the answer is text/event-stream, which Accept does not allow",
        );
    }
    let session = match gateway.session_at(target.as_ref(), principal, headers, NO_STREAM).await {
        Ok(session) => session,
        Err(refusal) => return refusal,
    };
    let place = headers
        .get(LAST_EVENT_ID)
        .and_then(|id| id.to_str().ok())
        .and_then(Place::parse);
    let shutdown = gateway.0.shutdown.clone();
    match place.map(|place| (place, session.stream(place))) {
        None => {
            if let Some(view) = gateway.view(target.as_ref(), principal) {
                let gateway = gateway.clone();
                tokio::spawn(async move { gateway.attend_everywhere(&view).await });
            }
            session.own_stream().read(0).respond(Primed::No, shutdown)
        }
        Some((place, Some(stream))) => stream.read(place.position).respond(Primed::No, shutdown),
        // What is gone cannot be had again; an error would only be tried again.
        Some((_, None)) => stream::events(Body::empty()),
    }
}

/// Ends a session.
async fn end(gateway: &Gateway, target: Option<Target>, principal: &Principal, headers: &HeaderMap) -> Response {
    let session = match gateway
        .session_at(target.as_ref(), principal, headers, NO_SESSIONS)
        .await
    {
        Ok(session) => session,
        Err(refusal) => return refusal,
    };
    match gateway.0.registry.end(&session).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(error) => {
            tracing::warn!(%error, "a session cannot be removed");
            problem(
                StatusCode::SERVICE_UNAVAILABLE,
                "the database does not answer; try again",
            )
        }
    }
}

impl Gateway {
    /// There is nothing at that address for somebody; or they may see it, and not use it.
    fn nothing_there(&self, target: Option<&Target>, principal: &Principal, path: &str, asking: &Asking) -> Response {
        let snapshot = self.0.store.snapshot();
        let object = target.and_then(|target| snapshot.get(&target.object()));
        let is_seen = object.is_some_and(|object| snapshot.shows(&principal.visibility, object));
        let what = path.trim_start_matches("/mcp/").trim_end_matches("/message");
        let (status, why) = match is_seen {
            true => (
                StatusCode::FORBIDDEN,
                format!("you may see {what}, and not use it: that needs the role `run`"),
            ),
            false => (
                StatusCode::NOT_FOUND,
                format!("there is nothing at {what}, or you may not see it"),
            ),
        };
        let id = match asking {
            Asking::Modern(modern) => Some(&modern.request.id),
            Asking::Legacy(Message::Request(request)) => Some(&request.id),
            Asking::News(_) | Asking::Legacy(Message::Notification(_) | Message::Response(_)) => None,
        };
        answer(status, id, &error(code::INVALID_REQUEST, why))
    }
}
