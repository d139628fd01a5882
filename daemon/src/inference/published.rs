//! Models that clients publish: asked by way of their publishers, and answered like any other.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, response};
use hyper::body::{Body, Frame};

use super::Shared;
use super::choice::Model;
use super::relay::Broken;
use super::upstream::{Failure, Outgoing};
use crate::publishing::{Asked, Pieces};

/// Headers of one side, as those of the other.
fn told(headers: &HeaderMap) -> BTreeMap<String, String> {
    let plain = headers
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())));
    plain.collect()
}

fn heard(headers: BTreeMap<String, String>) -> HeaderMap {
    let readable = headers
        .into_iter()
        .filter_map(|(name, value)| Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?)));
    readable.collect()
}

impl Shared {
    /// Asks the publisher of a model; returns when the answer begins.
    pub(super) async fn ask_publisher(
        &self,
        model: &Model,
        outgoing: &Outgoing,
    ) -> Result<(response::Parts, FromPublisher), Failure> {
        // What goes to a model is JSON that was read here.
        let body = std::str::from_utf8(&outgoing.body);
        let body = body.map_err(|_| Failure::Unfit("what it is asked is no text".to_owned()))?;
        let asked = Asked {
            path: outgoing.path,
            headers: told(&outgoing.headers),
            body: body.to_owned(),
        };
        let asking = self.publishers.ask(&model.object, asked);
        let answer = asking.await.map_err(|away| Failure::Unpublished(away.to_string()))?;
        let (mut parts, ()) = Response::new(()).into_parts();
        parts.status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::BAD_GATEWAY);
        parts.headers = heard(answer.headers);
        Ok((parts, FromPublisher(answer.body)))
    }
}

/// What comes from a publisher, as a body.
pub(super) struct FromPublisher(Pieces);

impl Body for FromPublisher {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let next = self.0.poll_next(context);
        next.map(|next| next.map(|piece| piece.map(Frame::data).map_err(|broken| Broken(Box::new(broken)))))
    }
}
