//! What publishers say and hear: registrations, heartbeats, streams of tasks, and answers to those. All of it is answered by
//! the daemon that leads, where streams and tasks meet.

use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use orch_shared::access::Principal;
use orch_shared::problem::{Code, Problem};
use orch_shared::publishing::{Heartbeat, Registration, SESSION, Told};
use orch_shared::sse::Event;

use super::problem::Refusal;
use super::stream::{Closed, Sink, respond};
use super::{Api, body, dispatch, forward, watch};
use crate::audit;
use crate::publishing::{Listening, Publishers};

/// What a publisher does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Deed {
    Register,
    Listen,
    Heartbeat,
    /// Answers that task.
    Answer(String),
}

/// Answers a publisher.
pub(super) async fn answer(
    api: &Api,
    principal: &Principal,
    deed: Deed,
    parts: Parts,
    body: Body,
) -> Result<Response, Refusal> {
    if let Some(leader) = forward::leader(api, &parts.headers).await? {
        return Ok(leader.ask(Request::from_parts(parts, body)).await?);
    }
    let publishers = &api.publishers;
    let session = shown(&parts.headers)?;
    Ok(match deed {
        Deed::Register => {
            let registration: Registration = body::json(&parts.headers, body, body::OTHER).await?;
            let registered = publishers.register(principal, session, registration).await?;
            dispatch::json(StatusCode::OK, &registered)
        }
        Deed::Heartbeat => {
            let heartbeat: Heartbeat = body::json(&parts.headers, body, body::OTHER).await?;
            let heard = publishers.heartbeat(principal, needed(session)?, heartbeat).await?;
            quietly();
            dispatch::json(StatusCode::OK, &heard)
        }
        // Nothing is told to whoever wants to see whether it would be.
        Deed::Listen if parts.method == Method::HEAD => {
            publishers.know(principal, needed(session)?).await?;
            ([(header::CONTENT_TYPE, watch::SSE)], ()).into_response()
        }
        Deed::Listen => {
            let listening = publishers.listen(principal, needed(session)?).await?;
            let publishers = publishers.clone();
            respond(watch::SSE, api.shutdown.clone(), |sink| async move {
                // The publisher has gone, or is to come back: either way there is nobody to tell.
                let _gone = tell(&publishers, listening, &sink).await;
            })
        }
        Deed::Answer(id) => {
            let answer = body.into_data_stream();
            publishers.answer(principal, needed(session)?, &id, answer).await?;
            quietly();
            StatusCode::NO_CONTENT.into_response()
        }
    })
}

/// That a publisher is still there is no news, and that it has answered stands in the row about what was asked.
fn quietly() {
    if let Some(trail) = audit::trail() {
        trail.passed_on();
    }
}

/// The session that a publisher shows.
fn shown(headers: &HeaderMap) -> Result<Option<&str>, Problem> {
    let given = headers.get(SESSION).map(|session| session.to_str());
    given
        .transpose()
        .map_err(|_| Problem::new(Code::BadRequest, format!("the header {SESSION} is no plain text")))
}

fn needed(session: Option<&str>) -> Result<&str, Problem> {
    session.ok_or_else(|| {
        Problem::new(
            Code::NotFound,
            format!("the header {SESSION} does not name a session of a publisher"),
        )
        .suggest("register first")
    })
}

async fn tell(publishers: &Publishers, mut listening: Listening, sink: &Sink) -> Result<(), Closed> {
    loop {
        // What a publisher does not read stays where it can be taken back. One whose stream was superseded reads nothing more.
        sink.drained(listening.ended()).await?;
        let next = tokio::time::timeout(publishers.ping(), listening.next());
        match sink.until(next).await? {
            Ok(Some(told)) => sink.send(event(&told)).await?,
            Ok(None) => return Ok(()),
            Err(_) => sink.send(": ping\n\n".to_owned()).await?,
        }
    }
}

fn event(told: &Told) -> String {
    let mut text = Vec::new();
    Event::named(told.event(), told.data()).write(&mut text);
    String::from_utf8(text).expect("an event that is made of text is text")
}
