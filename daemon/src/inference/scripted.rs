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
use super::asking::{Answer, Content, timeout_of};
use super::bridge::{self, Bridge};
use super::choice::Model;
use super::refused::Refused;
use super::relay::{Broken, Relay};

/// Answers from the script.
pub(super) async fn play(
    shared: &Shared,
    body: &Asked<'_>,
    dialect: Dialect,
    model: &Model,
    stamp: &Stamp,
    mut account: Account,
) -> Answer {
    let said = match bridge::chat(dialect, body) {
        Ok(said) => said,
        Err(refused) => {
            account.refused(refused.status, refused.code);
            return Answer::refused(&refused, dialect);
        }
    };
    let script = model.spec().script.as_deref().unwrap_or_default();
    let Some(turn) = script::answer(script, &said) else {
        let refused = Refused::new(
            StatusCode::BAD_GATEWAY,
            "provider_failed",
            "the script of the model is empty",
        );
        account.refused(refused.status, refused.code);
        return Answer::refused(&refused, dialect);
    };
    tokio::time::sleep(turn.delay).await;
    let reply = match turn.outcome {
        Outcome::Reply(reply) => reply,
        Outcome::Error { status, message } => {
            let status = StatusCode::from_u16(status).unwrap_or(StatusCode::BAD_GATEWAY);
            let refused = Refused::new(status, "scripted_error", message);
            account.refused(refused.status, refused.code);
            return Answer::refused(&refused, dialect);
        }
    };
    match body.is_streamed() {
        true => streamed(shared, body, dialect, model, stamp, &reply, account),
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
