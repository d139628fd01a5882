//! Agents over HTTP: the addresses at which they are spoken to, and those of threads.
//!
//! An answer that comes bit by bit is a stream of server-sent events. Whoever hangs up lets go of the turn, which ends it
//! unless it was asked to go on.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use orch_shared::audit::Target;
use orch_shared::cassette;
use orch_shared::chat::{self, Event};
use orch_shared::kind::Kind;
use orch_shared::name::ObjectRef;
use orch_shared::problem::{Code, Problem};
use orch_shared::sse;
use serde_json::Value;

use super::dispatch::json;
use super::problem::{Refusal, with_status};
use super::{body, route};
use crate::agents::{Agents, Attached, Caller};
use crate::asker::Asker;
use crate::audit::{self, Tenure};

/// The largest body of a message, in bytes: that, and what is told besides.
const LARGEST: usize = 2 << 20;
/// How often it is said that the daemon is still there, while nothing is told.
const PING: Duration = Duration::from_secs(10);

/// What stands at an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Address<'p> {
    Chat(&'p str),
    Threads(&'p str),
    Tools(&'p str),
    Thread(&'p str),
    Messages(&'p str),
    Fork(&'p str),
    Cancel(&'p str),
    Resume(&'p str),
    Cassette(&'p str),
    Replays,
}

fn find(path: &str) -> Option<(Address<'_>, &'static str)> {
    let rest = path.strip_prefix(route::PREFIX)?.strip_prefix('/')?;
    if rest == "replays" {
        return Some((Address::Replays, "/api/v1/replays"));
    }
    let mut parts = rest.split('/');
    let (plural, name, action, end) = (parts.next()?, parts.next()?, parts.next(), parts.next());
    if name.is_empty() || end.is_some() {
        return None;
    }
    Some(match (plural, action) {
        ("agents", Some("chat")) => (Address::Chat(name), "/api/v1/agents/{name}/chat"),
        ("agents", Some("threads")) => (Address::Threads(name), "/api/v1/agents/{name}/threads"),
        ("agents", Some("tools")) => (Address::Tools(name), "/api/v1/agents/{name}/tools"),
        ("threads", None) => (Address::Thread(name), "/api/v1/threads/{id}"),
        ("threads", Some("messages")) => (Address::Messages(name), "/api/v1/threads/{id}/messages"),
        ("threads", Some("fork")) => (Address::Fork(name), "/api/v1/threads/{id}/fork"),
        ("threads", Some("cancel")) => (Address::Cancel(name), "/api/v1/threads/{id}/cancel"),
        ("threads", Some("resume")) => (Address::Resume(name), "/api/v1/threads/{id}/resume"),
        ("threads", Some("cassette")) => (Address::Cassette(name), "/api/v1/threads/{id}/cassette"),
        (_, Some(_) | None) => return None,
    })
}

impl Address<'_> {
    /// The methods that there are, as `Allow` says it.
    const fn methods(self) -> &'static str {
        match self {
            Self::Chat(_) | Self::Fork(_) | Self::Cancel(_) | Self::Resume(_) | Self::Replays => "POST",
            Self::Threads(_) => "GET, HEAD, POST",
            Self::Tools(_) | Self::Messages(_) | Self::Cassette(_) => "GET, HEAD",
            Self::Thread(_) => "GET, HEAD, PATCH, DELETE",
        }
    }

    /// The largest body, in bytes.
    const fn takes(self) -> usize {
        match self {
            Self::Chat(_) => LARGEST,
            Self::Replays => cassette::LARGEST,
            Self::Threads(_)
            | Self::Tools(_)
            | Self::Thread(_)
            | Self::Messages(_)
            | Self::Fork(_)
            | Self::Cancel(_)
            | Self::Resume(_)
            | Self::Cassette(_) => body::OTHER,
        }
    }

    /// What a request is called in the audit log.
    const fn verb(self, method: &'static str) -> &'static str {
        match self {
            Self::Chat(_) => "chat",
            Self::Threads(_) | Self::Thread(_) => method,
            Self::Tools(_) => "tools",
            Self::Messages(_) => "messages",
            Self::Fork(_) => "fork",
            Self::Cancel(_) => "cancel",
            Self::Resume(_) => "resume",
            Self::Cassette(_) => "export",
            Self::Replays => "replay",
        }
    }

    /// The agent that it names.
    const fn agent(&self) -> Option<&str> {
        match self {
            Self::Chat(name) | Self::Threads(name) | Self::Tools(name) => Some(name),
            Self::Thread(_)
            | Self::Messages(_)
            | Self::Fork(_)
            | Self::Cancel(_)
            | Self::Resume(_)
            | Self::Cassette(_)
            | Self::Replays => None,
        }
    }
}

/// The pattern of an address at which agents are spoken to; nothing for any other.
#[must_use]
pub fn pattern(path: &str) -> Option<&'static str> {
    find(path).map(|(_, pattern)| pattern)
}

/// Answers a request at such an address.
pub async fn talk(agents: &Agents, asker: Asker, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    answer(agents, asker, &parts, body)
        .await
        .unwrap_or_else(Refusal::into_response)
}

async fn answer(agents: &Agents, mut asker: Asker, parts: &Parts, mut body: Body) -> Result<Response, Refusal> {
    let Some((address, _)) = find(parts.uri.path()) else {
        return Err(Problem::new(Code::NoRoute, "there is nothing at that address").into());
    };
    let method = match parts.method.as_str() {
        "GET" | "HEAD" => "get",
        "POST" => "create",
        "PATCH" => "edit",
        "DELETE" => "delete",
        _ => "other",
    };
    note(address, method);
    if method != "get" {
        body = body::whole(body, address.takes()).await?;
        asker.renew().await?;
    }
    let caller = Caller {
        principal: asker,
        request_id: request_id(&parts.headers),
    };
    let headers = &parts.headers;
    match (address, method) {
        (Address::Chat(agent), "create") => {
            let request: chat::Request = body::json(headers, body, address.takes()).await?;
            let is_streamed = request.stream;
            let attached = agents.chat(caller, agent, request).await?;
            told(attached, is_streamed.into()).await
        }
        (Address::Resume(thread), "create") => {
            let request: chat::Resume = body::json(headers, body, body::OTHER).await?;
            let attached = agents.resume(caller, thread, request).await?;
            told(attached, request.stream.into()).await
        }
        (Address::Threads(agent), "get") => {
            let mut threads = agents.list_threads(&caller, agent, body::query(&parts.uri)?).await?;
            threads.items.iter_mut().for_each(complete);
            Ok(json(StatusCode::OK, &threads))
        }
        (Address::Threads(agent), "create") => {
            let create = body::json(headers, body, body::OTHER).await?;
            let thread = agents.create_thread(&caller, agent, create).await?;
            Ok(one(StatusCode::CREATED, thread))
        }
        (Address::Tools(agent), "get") => Ok(json(StatusCode::OK, &agents.tools(&caller, agent).await?)),
        (Address::Thread(id), "get") => Ok(one(StatusCode::OK, agents.thread(&caller, id).await?)),
        (Address::Thread(id), "edit") => {
            let rename = body::json(headers, body, body::OTHER).await?;
            Ok(one(StatusCode::OK, agents.rename_thread(&caller, id, rename).await?))
        }
        (Address::Thread(id), "delete") => {
            agents.delete_thread(&caller, id).await?;
            Ok(StatusCode::NO_CONTENT.into_response())
        }
        (Address::Messages(id), "get") => {
            let mut messages = agents.thread_messages(&caller, id, body::query(&parts.uri)?).await?;
            messages.turns.iter_mut().for_each(say_status);
            Ok(json(StatusCode::OK, &messages))
        }
        (Address::Fork(id), "create") => {
            let fork = body::json(headers, body, body::OTHER).await?;
            Ok(one(StatusCode::CREATED, agents.fork_thread(&caller, id, fork).await?))
        }
        (Address::Cancel(id), "create") => {
            let mut turn = agents.cancel_turn(&caller, id).await?;
            say_status(&mut turn);
            Ok(json(StatusCode::OK, &turn))
        }
        (Address::Cassette(id), "get") => Ok(json(StatusCode::OK, &agents.cassette(&caller, id).await?)),
        (Address::Replays, "create") => {
            let replay: cassette::Replay = body::json_after(headers, body, address.takes(), of_known_format).await?;
            note_replay(&replay);
            Ok(json(StatusCode::OK, &agents.replay(&caller, &replay).await?))
        }
        (
            Address::Chat(_)
            | Address::Threads(_)
            | Address::Tools(_)
            | Address::Thread(_)
            | Address::Messages(_)
            | Address::Fork(_)
            | Address::Cancel(_)
            | Address::Resume(_)
            | Address::Cassette(_)
            | Address::Replays,
            _,
        ) => {
            let problem = Problem::new(Code::NoMethod, format!("{} is not possible here", parts.method));
            let mut refused = Refusal(problem.suggest("the API is described at /openapi.json")).into_response();
            let allowed = HeaderValue::from_static(address.methods());
            refused.headers_mut().insert(header::ALLOW, allowed);
            Ok(refused)
        }
    }
}

/// A thread, told by itself.
fn one(status: StatusCode, mut thread: chat::Thread) -> Response {
    complete(&mut thread);
    json(status, &thread)
}

fn complete(thread: &mut chat::Thread) {
    thread.last_turn.iter_mut().for_each(say_status);
}

/// What is written down of a turn that came to nothing is the problem alone: what HTTP calls it is known here.
fn say_status(turn: &mut chat::Turn) {
    turn.problem.iter_mut().for_each(with_status);
}

/// Notes what is wanted, and of which agent.
fn note(address: Address<'_>, method: &'static str) {
    let Some(trail) = audit::trail() else { return };
    let name = address.agent().and_then(|name| name.parse().ok());
    let target = name.map(|name| Target::of(&ObjectRef::cluster(Kind::Agent, name)));
    trail.about(address.verb(method), target);
}

/// Whether the cassette of a replay is written as it is read here. What says nothing of that is told as what it lacks.
fn of_known_format(replay: &Value) -> Result<(), Problem> {
    match replay["cassette"]["format"].as_str() {
        Some(format) => cassette::check_format(format, "orchd"),
        None => Ok(()),
    }
}

/// Notes which agent is run once more.
fn note_replay(replay: &cassette::Replay) {
    let agent = match &replay.against {
        Some(cassette::Against::Agent(agent)) => agent,
        Some(cassette::Against::Llm(_)) | None => &replay.cassette.agent,
    };
    audit::about("replay", &ObjectRef::cluster(Kind::Agent, agent.clone()));
}

/// What the guard calls the request.
fn request_id(headers: &HeaderMap) -> String {
    let id = headers.get("x-request-id").and_then(|id| id.to_str().ok());
    id.unwrap_or_default().to_owned()
}

/// How an answer is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Telling {
    Whole,
    AsItComes,
}

impl From<bool> for Telling {
    fn from(stream: bool) -> Self {
        if stream { Self::AsItComes } else { Self::Whole }
    }
}

async fn told(mut attached: Attached, telling: Telling) -> Result<Response, Refusal> {
    let mut response = match telling {
        Telling::Whole => match attached.answer().await {
            Ok(answer) => json(StatusCode::OK, &answer),
            Err(problem) => Refusal(problem).into_response(),
        },
        Telling::AsItComes => {
            let headers = [
                (header::CONTENT_TYPE, "text/event-stream"),
                (header::CACHE_CONTROL, "no-store"),
            ];
            (headers, [("x-accel-buffering", "no")]).into_response()
        }
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (chat::THREAD_HEADER, attached.thread.clone()),
        (chat::TURN_HEADER, attached.turn.to_string()),
    ] {
        if let Ok(value) = HeaderValue::try_from(value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    Ok(match telling {
        Telling::Whole => response,
        Telling::AsItComes => {
            response.extensions_mut().insert(tenure(&attached));
            response.map(|_| Body::from_stream(frames(attached)))
        }
    })
}

/// A stream goes on as long as whoever listens may run the agent.
fn tenure(attached: &Attached) -> Tenure {
    let (thread_id, turn) = (attached.thread.clone(), attached.turn);
    attached.tenure().saying(move |problem| {
        let mut out = Vec::new();
        let event = Event::Error {
            thread_id: thread_id.clone(),
            turn,
            problem: problem.clone(),
        };
        write(&event, &mut out);
        sse::Event::data("[DONE]").write(&mut out);
        out
    })
}

/// The events, as they come; between them it is said that the daemon is still there.
fn frames(attached: Attached) -> impl futures_util::Stream<Item = Result<Bytes, Infallible>> {
    futures_util::stream::unfold(Some(attached), |attached| async move {
        let mut attached = attached?;
        let mut out = Vec::new();
        match tokio::time::timeout(PING, attached.next()).await {
            Err(_) => out.extend_from_slice(b": ping\n\n"),
            Ok(None) => return None,
            Ok(Some(mut event)) => {
                if let Event::Error { problem, .. } = &mut event {
                    with_status(problem);
                }
                write(&event, &mut out);
                if event.is_last() {
                    sse::Event::data("[DONE]").write(&mut out);
                    return Some((Ok(Bytes::from(out)), None));
                }
            }
        }
        Some((Ok(Bytes::from(out)), Some(attached)))
    })
}

fn write(event: &Event, out: &mut Vec<u8>) {
    let data = serde_json::to_string(event).expect("an event is plain data");
    sse::Event::named(event.name(), data).write(out);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read() {
        for (path, address) in [
            ("/api/v1/agents/a/chat", Some(Address::Chat("a"))),
            ("/api/v1/agents/a/threads", Some(Address::Threads("a"))),
            ("/api/v1/agents/a/tools", Some(Address::Tools("a"))),
            ("/api/v1/threads/t", Some(Address::Thread("t"))),
            ("/api/v1/threads/t/messages", Some(Address::Messages("t"))),
            ("/api/v1/threads/t/fork", Some(Address::Fork("t"))),
            ("/api/v1/threads/t/cancel", Some(Address::Cancel("t"))),
            ("/api/v1/threads/t/resume", Some(Address::Resume("t"))),
            ("/api/v1/threads/t/cassette", Some(Address::Cassette("t"))),
            ("/api/v1/replays", Some(Address::Replays)),
            ("/api/v1/replays/", None),
            ("/api/v1/agents/a", None),
            ("/api/v1/agents/a/prompts", None),
            ("/api/v1/agents/a/personalities", None),
            ("/api/v1/agents//chat", None),
            ("/api/v1/agents/a/chat/x", None),
            ("/api/v1/threads", None),
            ("/api/v1/threads/", None),
        ] {
            assert_eq!(find(path).map(|(address, _)| address), address, "{path}");
        }
        // No kind has one of these names, and none an action that is called so.
        assert_eq!(Kind::from_noun("threads"), None);
    }
}
