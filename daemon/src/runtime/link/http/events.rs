//! The events of a stream, one after the other, each of bounded length.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use futures_util::{Stream, StreamExt as _};
use http_body_util::BodyDataStream;
use sse_stream::{Sse, SseByteStream};

use super::target::Body;

/// The longest event that is taken.
pub(super) const LONGEST: usize = 16 << 20;

/// Why a stream ended before its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Broken {
    /// The connection broke off.
    #[error("the connection broke off")]
    Connection,
    /// An event is longer than we take.
    #[error("it is longer than {} MiB", LONGEST >> 20)]
    TooLong,
    /// It is no text.
    #[error("it is no text")]
    NoText,
}

/// Events as they come.
pub(super) struct Events {
    inner: SseByteStream<Bounded>,
}

impl Events {
    pub(super) fn new(body: Body) -> Self {
        let bounded = Bounded {
            chunks: BodyDataStream::new(body),
            size: 0,
        };
        Self {
            inner: SseByteStream::new(bounded),
        }
    }

    /// The next event; nothing at the end. Dropping the future loses nothing.
    pub(super) async fn next(&mut self) -> Option<Result<Sse, Broken>> {
        let next = self.inner.next().await?;
        Some(next.map_err(|error| match error {
            sse_stream::Error::Body(cause) => cause.downcast_ref().copied().unwrap_or(Broken::Connection),
            _ => Broken::NoText,
        }))
    }
}

/// What an event says, if it is a message.
pub(super) fn message_in(event: &Sse) -> Option<&str> {
    let is_message = event
        .event
        .as_deref()
        .is_none_or(|name| name.is_empty() || name == "message");
    event.data.as_deref().filter(|data| is_message && !data.is_empty())
}

/// Ends a stream in which an event grows too long.
struct Bounded {
    chunks: BodyDataStream<Body>,
    size: usize,
}

impl Stream for Bounded {
    type Item = Result<Bytes, Broken>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let chunk = match ready!(self.chunks.poll_next_unpin(context)) {
            None => return Poll::Ready(None),
            Some(Err(_)) => return Poll::Ready(Some(Err(Broken::Connection))),
            Some(Ok(chunk)) => chunk,
        };
        // Events end with an empty line; where that falls between two chunks the event only counts as longer.
        let end = chunk.windows(2).rposition(|pair| pair == b"\n\n" || pair == b"\n\r");
        self.size = end.map_or(self.size + chunk.len(), |end| chunk.len() - end);
        // Some room for the names of the fields.
        let bound = LONGEST + 1024;
        Poll::Ready(Some(if self.size > bound {
            Err(Broken::TooLong)
        } else {
            Ok(chunk)
        }))
    }
}
