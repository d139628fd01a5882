//! Models that answer from their manifest: the same conversation, the same answer, before a restart and after it.

use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use hyper::body::{Body, Frame};
use orch_shared::inference::chat::Reply;
use orch_shared::inference::request::Body as Asked;
use orch_shared::inference::script::{self, Outcome};
use orch_shared::inference::stream::Upstream;
use orch_shared::inference::usage::UsageChunk;
use orch_shared::inference::{Dialect, Stamp};
use serde_json::Value;

use super::Shared;
use super::account::Account;
use super::asking::{Answer, Content, aside, timeout_of};
use super::bridge::{self, Bridge};
use super::choice::Model;
use super::refused::Refused;
use super::relay::{Broken, Relay};
use super::upstream::{Failure, is_failure};

/// Why a script says nothing.
pub(super) enum Unsaid {
    /// It cannot be asked that.
    Refused(Refused),
    /// It does not answer; others may.
    Failure(Failure),
}

/// What the script says, after the pause that it makes.
pub(super) async fn play(body: &Asked<'_>, dialect: Dialect, model: &Model) -> Result<Box<Reply>, Unsaid> {
    let said = aside(body.size(), || bridge::chat(dialect, body)).map_err(Unsaid::Refused)?;
    let script = model.spec().script.as_deref().unwrap_or_default();
    let Some(turn) = script::answer(script, &said) else {
        let message = "the script of the model is empty";
        let refused = Refused::new(StatusCode::BAD_GATEWAY, "provider_failed", message);
        return Err(Unsaid::Refused(refused));
    };
    let patience = timeout_of(model);
    if turn.delay > patience {
        tokio::time::sleep(patience).await;
        return Err(Unsaid::Failure(Failure::Late(patience)));
    }
    tokio::time::sleep(turn.delay).await;
    match turn.outcome {
        Outcome::Reply(reply) => Ok(Box::new(reply)),
        Outcome::Error { status, message } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            // As with providers: what is wrong with the request is the client's to know.
            Err(match is_failure(status) {
                true => Unsaid::Failure(Failure::Scripted { status, message }),
                false => Unsaid::Refused(Refused::new(status, "scripted_error", message)),
            })
        }
    }
}

/// The answer that tells what the script has said.
pub(super) fn told(
    shared: &Shared,
    body: &Asked<'_>,
    dialect: Dialect,
    model: &Model,
    stamp: &Stamp,
    reply: &Reply,
    mut account: Account,
) -> Answer {
    match body.is_streamed() {
        true => streamed(shared, body, dialect, model, stamp, reply, account),
        false => {
            account.used(reply.usage.unwrap_or_default());
            account.answered(StatusCode::OK);
            let said = bridge::from_chat(dialect, body, reply.to_chat(stamp), stamp);
            Answer::whole(StatusCode::OK, json(), Value::Object(said).to_string())
        }
    }
}

fn json() -> HeaderMap {
    HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))])
}

/// The answer in pieces, on the way that those of providers take.
fn streamed(
    shared: &Shared,
    body: &Asked<'_>,
    dialect: Dialect,
    model: &Model,
    stamp: &Stamp,
    reply: &Reply,
    account: Account,
) -> Answer {
    let events = reply.to_chunks(stamp, UsageChunk::Passed);
    let pieces = events.into_iter().map(|event| {
        let mut bytes = Vec::new();
        event.write(&mut bytes);
        Bytes::from(bytes)
    });
    let way = match dialect {
        Dialect::Chat | Dialect::Embeddings => Bridge::Passing(Dialect::Chat),
        Dialect::Messages | Dialect::Responses => Bridge::Translating(dialect, Upstream::Chat),
    };
    let relay = Relay::new(
        Box::pin(Pieces(pieces.collect::<Vec<_>>().into_iter())),
        way.passage(body, stamp),
        account,
        timeout_of(model),
        shared.shutdown.clone(),
    );
    let headers = HeaderMap::from_iter([(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"))]);
    Answer {
        named: None,
        status: StatusCode::OK,
        headers,
        content: Content::Stream(Box::new(relay)),
    }
}

/// Pieces of an answer, each as a frame of its own.
struct Pieces(std::vec::IntoIter<Bytes>);

impl Body for Pieces {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        Poll::Ready(self.0.next().map(|piece| Ok(Frame::data(piece))))
    }
}
