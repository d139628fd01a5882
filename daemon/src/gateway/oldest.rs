//! The transport of the oldest revision (2024-11-05): a stream of events that names an address to post to, and carries all
//! answers. A session of this sort lives as long as its stream.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::extract::Query;
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use futures_util::{StreamExt as _, stream as futures_stream};
use orch_shared::access::Principal;
use orch_shared::jsonrpc::Message;
use orch_shared::problem::Problem;
use orch_shared::session::Direction;
use serde::Deserialize;

use super::Gateway;
use super::answers::{answer, message_of, nothing_of_that_name, problem};
use super::asking::{self, Refused, introduced};
use super::body::{is_plain, received};
use super::methods::{Asked, Reply, unknown_method};
use super::noting;
use super::pump::Side;
use super::registry;
use super::session::Session;
use super::stream::{self, Primed};
use super::view::Target;
use crate::asker::Asker;
use crate::audit;

/// So long a message waits for its client to read what it was answered before.
const ROOM: Duration = Duration::from_secs(10);

/// Opens the stream.
pub(super) fn connect(gateway: &Gateway, target: Option<Target>, principal: &Principal, uri: &Uri) -> Response {
    let Some(view) = gateway.view(target.as_ref(), principal) else {
        return nothing_of_that_name();
    };
    let (id, session) = match gateway.0.registry.begin_fleeting(principal, &view) {
        Ok(begun) => begun,
        Err(registry::Refusal::Full(why)) => return problem(StatusCode::TOO_MANY_REQUESTS, &why),
        Err(registry::Refusal::Store(_)) => {
            return problem(
                StatusCode::TOO_MANY_REQUESTS,
                "no session can be begun; try again later",
            );
        }
    };
    let post_to = format!("{}/message?sessionId={id}", uri.path().trim_end_matches("/sse"));
    let first = format!("event: endpoint\ndata: {post_to}\n\n");
    noting::session(&session);
    let stream = session.own_stream();
    let ending = Ending {
        gateway: gateway.clone(),
        session,
    };
    let news = stream.read(0).respond(Primed::No, gateway.0.shutdown.clone());
    let rest = news.into_body().into_data_stream();
    let first = futures_stream::once(async move { Ok::<_, axum::Error>(Bytes::from(first)) });
    let body = first.chain(rest).map(move |chunk| {
        let _held = &ending;
        chunk
    });
    stream::events(Body::from_stream(body))
}

/// Ends the session when its stream does.
struct Ending {
    gateway: Gateway,
    session: Arc<Session>,
}

impl Drop for Ending {
    fn drop(&mut self) {
        let (gateway, session) = (self.gateway.clone(), Arc::clone(&self.session));
        tokio::spawn(async move { gateway.0.registry.forget(&session).await });
    }
}

/// The query of the address to post to.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Posted {
    session_id: String,
}

/// Takes a message; its answer comes on the stream.
pub(super) async fn take(
    gateway: &Gateway,
    target: Option<Target>,
    mut asker: Asker,
    parts: Parts,
    body: Body,
) -> Result<Response, Problem> {
    let Ok(Query(posted)) = Query::<Posted>::try_from_uri(&parts.uri) else {
        return Ok(problem(
            StatusCode::BAD_REQUEST,
            "the address needs ?sessionId=, as the stream has said it",
        ));
    };
    let headers = parts.headers;
    if let Err(refusal) = is_plain(&headers) {
        return Ok(refusal);
    }
    let body = match received(body).await {
        Ok(body) => body,
        Err(refusal) => return Ok(refusal),
    };
    // It may have taken its time.
    asker.renew().await?;
    let Some(view) = gateway.view(target.as_ref(), &asker) else {
        return Ok(nothing_of_that_name());
    };
    let found = gateway.0.registry.find(&posted.session_id, &asker, &view.target).await;
    let Ok(Some(session)) = found else {
        return Ok(problem(StatusCode::NOT_FOUND, "Session not found"));
    };
    let message = match asking::legacy(&body) {
        Ok(message) => message,
        Err(Refused { status, id, outcome }) => return Ok(answer(status, id.as_ref(), &outcome)),
    };
    noting::message(&message);
    noting::session(&session);
    // Its answer is never dropped; a client that does not read its answers must not ask for more.
    if let Message::Request(_) = message
        && tokio::time::timeout(ROOM, session.own_stream().has_room())
            .await
            .is_err()
    {
        return Ok(problem(
            StatusCode::TOO_MANY_REQUESTS,
            "the answers on the stream of this session are not read; read them first",
        ));
    }
    let gateway = gateway.clone();
    gateway.show(&session, Direction::FromClient, None, || message.to_json());
    let answering = async move {
        let stream = session.own_stream();
        let tell = |message: String| {
            gateway.show(&session, Direction::ToClient, None, || message.clone());
            stream.push(message);
        };
        let answer = |message: String| {
            gateway.show(&session, Direction::ToClient, None, || message.clone());
            stream.answer(message);
        };
        let request = match message {
            Message::Request(request) => request,
            other @ (Message::Notification(_) | Message::Response(_)) => {
                // The client was told already that it was taken.
                if let Err(over) = gateway.note(&view, &asker, &session, other).await {
                    tracing::debug!(why = over.what, "news of a client were dropped");
                }
                return;
            }
        };
        let id = request.id.clone();
        if request.method == "initialize" {
            let (version, client) = match introduced(&request) {
                Ok(introduced) => introduced,
                Err(refusal) => return answer(message_of(Some(&id), &refusal)),
            };
            session.introduce(client);
            let greeting = gateway.greeting(&view, &version).await;
            answer(message_of(Some(&id), &greeting));
            session.greeted();
            return;
        }
        let asked = Asked {
            view: &view,
            principal: &asker,
            side: Side::Legacy(Arc::clone(&session)),
            headers: &headers,
            handle: None,
            named: None,
            request,
        };
        let reply = gateway.answer(asked).await;
        match reply {
            Reply::Now(outcome) | Reply::Limited(outcome, _) => answer(message_of(Some(&id), &outcome)),
            Reply::Listen(_) => answer(message_of(Some(&id), &unknown_method("subscriptions/listen"))),
            Reply::Work(pump) => pass_on(pump, &id, &stream, &session, tell, answer).await,
        }
    };
    match audit::trail() {
        Some(trail) => drop(tokio::spawn(audit::scoped(trail, answering))),
        None => drop(tokio::spawn(answering)),
    }
    Ok(StatusCode::ACCEPTED.into_response())
}

/// Writes everything that comes of a request to the one stream there is.
async fn pass_on(
    mut pump: super::pump::Work,
    id: &orch_shared::jsonrpc::Id,
    stream: &stream::Stream,
    session: &Session,
    tell: impl Fn(String),
    answer: impl Fn(String),
) {
    use super::pump::Step;
    while let Some(step) = session.over.run_until_cancelled(pump.step()).await {
        match step {
            Step::Message(message) => tell(message),
            Step::Last(outcome) => {
                answer(message_of(Some(id), &outcome));
                return;
            }
            Step::Cancelled => return,
        }
        stream.has_room().await;
    }
}
