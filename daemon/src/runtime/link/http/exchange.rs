//! One request over HTTP and what comes back of it.
//!
//! What enters: a response, and the number of the request. What leaves: the messages of it, each given to the switchboard as
//! one that belongs to that request. A response is one message, or a stream of them.
//!
//! Flow: whoever reads the exchange drives the request; nothing is read ahead of the reader.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt as _;
use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, StatusCode};
use http_body_util::{BodyExt as _, Either, Full, LengthLimitError, Limited};
use hyper::body::Body;
use orch_shared::jsonrpc::{Id, Message, Response};

use super::super::super::link::Boxed;
use super::super::switchboard::{Reading, Switchboard};
use super::super::{Error, Frame, Frames, pipe};
use super::events::{Events, LONGEST, message_in};
use super::target::{EVENT_STREAM, Heard, JSON};
use super::trouble;

/// How long the end of a stream is waited for after the answer, so that its connection can be used again.
const END: Duration = Duration::from_secs(1);

/// So much of an answer that is a refusal is read.
const REFUSAL: usize = 64 << 10;

/// What drives a request: ends when it was answered, or cannot be.
pub(super) type Driver = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// A request that is driven by whoever reads it.
pub(super) struct Driven {
    reading: Reading,
    driver: Option<Driver>,
}

impl Driven {
    pub(super) fn new(reading: Reading, driver: Driver) -> Self {
        Self {
            reading,
            driver: Some(driver),
        }
    }

    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Frame, Error>> {
        if let Some(next) = self.reading.take() {
            return Poll::Ready(next);
        }
        if let Some(driver) = &mut self.driver
            && let Poll::Ready(ended) = driver.as_mut().poll(context)
        {
            self.driver = None;
            if let Err(error) = ended {
                self.reading.fail(error);
            }
        }
        self.reading.poll(context)
    }
}

impl Frames for Driven {
    fn next(&mut self) -> Boxed<'_, Result<Frame, Error>> {
        Box::pin(poll_fn(|context| self.poll(context)))
    }
}

/// How far a response came.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// The answer was in it.
    Answered,
    /// It ended before the answer.
    Ended,
}

/// Where a stream that ended can be taken up again.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// The last event that had an id.
    pub(super) last: Option<String>,
    /// How long to wait before, as the server wished.
    pub(super) retry: Option<Duration>,
}

impl Place {
    /// Remembers what an event says of it.
    pub(super) fn note(&mut self, event: &sse_stream::Sse) {
        if let Some(id) = &event.id {
            self.last = Some(id.clone()).filter(|id| !id.is_empty());
        }
        if let Some(retry) = event.retry {
            self.retry = Some(Duration::from_millis(retry));
        }
    }
}

/// Reads a response to a request, up to its answer.
pub(super) async fn read(
    response: Heard,
    board: &Arc<Switchboard>,
    number: u64,
    place: &mut Place,
) -> Result<Read, Error> {
    let kind = kind(response.headers());
    if !response.status().is_success() {
        return refusal(response, kind, board, number).await;
    }
    match kind {
        Kind::Json => {
            let body = whole(response.into_body(), LONGEST).await?;
            match deliver(&body, board, number)? {
                Read::Answered => Ok(Read::Answered),
                Read::Ended => Err(Error::Garbled("it is no answer to the request".to_owned())),
            }
        }
        Kind::Events => stream(Events::new(response.into_body()), board, number, place).await,
        Kind::Other => Err(Error::Garbled(format!(
            "HTTP status {} and no message",
            response.status().as_u16()
        ))),
    }
}

async fn stream(mut events: Events, board: &Arc<Switchboard>, number: u64, place: &mut Place) -> Result<Read, Error> {
    while let Some(event) = events.next().await {
        let event = match event {
            Ok(event) => event,
            Err(super::events::Broken::Connection) => return Ok(Read::Ended),
            Err(broken) => return Err(Error::Garbled(broken.to_string())),
        };
        place.note(&event);
        let Some(text) = message_in(&event) else { continue };
        match deliver(text.as_bytes(), board, number) {
            Ok(Read::Answered) => {
                finish(events);
                return Ok(Read::Answered);
            }
            Ok(Read::Ended) => {}
            // Like any other client, we pass over what is no message.
            Err(error) => tracing::debug!(%error, "an event is no message"),
        }
    }
    Ok(Read::Ended)
}

/// Reads the end of a stream; a connection whose answer was not read to the end cannot be used again.
fn finish(mut events: Events) {
    let at_once = events.next().now_or_never();
    if at_once.is_none() {
        tokio::spawn(async move {
            let to_the_end = async { while let Some(Ok(_)) = events.next().await {} };
            let _ = tokio::time::timeout(END, to_the_end).await;
        });
    }
}

/// Gives the messages in a text to the switchboard.
fn deliver(text: &[u8], board: &Arc<Switchboard>, number: u64) -> Result<Read, Error> {
    let messages = pipe::messages(text).ok_or_else(|| Error::Garbled("it is no message".to_owned()))?;
    let mut read = Read::Ended;
    for message in messages {
        if let Message::Response(response) = &message
            && response.id.as_ref().is_none_or(|id| *id == Id::number(number))
        {
            read = Read::Answered;
        }
        board.receive(message, Some(number));
    }
    Ok(read)
}

/// What a status means that is no success. A refusal of the protocol may come with one; it is the answer then.
async fn refusal(response: Heard, kind: Kind, board: &Arc<Switchboard>, number: u64) -> Result<Read, Error> {
    let status = response.status();
    let error = status_of(&response);
    let may_be_an_answer = status.is_client_error() && !matches!(status.as_u16(), 401 | 403 | 407 | 429);
    if kind == Kind::Json
        && may_be_an_answer
        && let Ok(body) = whole(response.into_body(), REFUSAL).await
        && let Ok(Read::Answered) = deliver(&body, board, number)
    {
        return Ok(Read::Answered);
    }
    Err(error)
}

/// Whether a refusal says that the session is not known, and the response as it was. The protocol has a status for that, 404;
/// many servers answer 400 to what comes in a session of theirs from before they were started.
pub(super) async fn forgets_session(response: Heard) -> Result<(bool, Heard), Error> {
    match response.status() {
        StatusCode::NOT_FOUND => return Ok((true, response)),
        StatusCode::BAD_REQUEST if kind(response.headers()) == Kind::Json => {}
        _ => return Ok((false, response)),
    }
    let (parts, body) = response.into_parts();
    let body = whole(body, REFUSAL).await?;
    let said = match Message::parse(&body) {
        Ok(Message::Response(Response { outcome, .. })) => Some(outcome),
        Ok(Message::Request(_) | Message::Notification(_)) | Err(_) => None,
    };
    let forgotten = said.is_some_and(|outcome| {
        let about = outcome.message().unwrap_or_default().to_ascii_lowercase();
        matches!(outcome.code(), Some(-32001 | -32000)) && about.contains("session")
    });
    Ok((
        forgotten,
        Heard::from_parts(parts, Either::Right(Either::Right(Full::new(body)))),
    ))
}

/// The status of a response as an error.
pub(super) fn status_of(response: &Heard) -> Error {
    let after = response.headers().get(RETRY_AFTER);
    let seconds = after.and_then(|value| value.to_str().ok()?.trim().parse().ok());
    Error::Status {
        status: response.status().as_u16(),
        retry_after: seconds.map(Duration::from_secs),
    }
}

/// Whether somebody has taken what was sent to them.
pub(super) fn accepted(response: &Heard) -> Result<(), Error> {
    if response.status().is_success() {
        Ok(())
    } else {
        Err(status_of(response))
    }
}

/// Whether a response is a stream of events.
pub(super) fn is_stream(response: &Heard) -> bool {
    response.status() == StatusCode::OK && kind(response.headers()) == Kind::Events
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Json,
    Events,
    Other,
}

fn kind(headers: &HeaderMap) -> Kind {
    let value = headers.get(CONTENT_TYPE).map_or(&b""[..], |value| value.as_bytes());
    let is = |name: &str| {
        value
            .get(..name.len())
            .is_some_and(|begin| begin.eq_ignore_ascii_case(name.as_bytes()))
    };
    if is(JSON) {
        Kind::Json
    } else if is(EVENT_STREAM) {
        Kind::Events
    } else {
        Kind::Other
    }
}

async fn whole<B>(body: B, most: usize) -> Result<Bytes, Error>
where
    B: Body,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    match Limited::new(body, most).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            Err(Error::Garbled(format!("it is longer than {} MiB", LONGEST >> 20)))
        }
        Err(_) => Err(trouble::broke_off()),
    }
}
