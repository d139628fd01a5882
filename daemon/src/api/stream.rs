//! Server-sent events: one writer, keep-alive comments, an end at shutdown.

use std::convert::Infallible;
use std::time::Duration;

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

/// So many events wait for a slow client; then the source waits.
const BUFFER: usize = 4;
/// An idle stream says so often that it lives.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// The sending end of a stream.
pub(super) struct Sink {
    sender: mpsc::Sender<Result<Bytes, Infallible>>,
    shutdown: CancellationToken,
}

/// The other end has gone, or the daemon is shutting down.
#[derive(Debug)]
pub(super) struct Closed;

impl Sink {
    /// Sends text as it is.
    pub(super) async fn send(&self, text: String) -> Result<(), Closed> {
        tokio::select! {
            () = self.shutdown.cancelled() => Err(Closed),
            sent = self.sender.send(Ok(Bytes::from(text))) => sent.map_err(|_| Closed),
        }
    }

    /// Waits until everything that was sent is on its way, for whoever sends what is large; in vain once `ended`.
    pub(super) async fn drained(&self, ended: impl Future<Output = ()>) -> Result<(), Closed> {
        tokio::select! {
            () = self.shutdown.cancelled() => Err(Closed),
            () = ended => Err(Closed),
            room = self.sender.reserve_many(BUFFER) => room.map(drop).map_err(|_| Closed),
        }
    }

    /// Waits for `next` while keeping the stream alive.
    pub(super) async fn until<T>(&self, next: impl Future<Output = T>) -> Result<T, Closed> {
        let mut next = std::pin::pin!(next);
        loop {
            tokio::select! {
                biased;
                () = self.shutdown.cancelled() => return Err(Closed),
                () = self.sender.closed() => return Err(Closed),
                value = &mut next => return Ok(value),
                () = tokio::time::sleep(KEEP_ALIVE) => self.send(": still here\n\n".to_owned()).await?,
            }
        }
    }

    /// Whether anybody listens; waits until nobody does.
    pub(super) async fn closed(&self) {
        tokio::select! {
            () = self.shutdown.cancelled() => {}
            () = self.sender.closed() => {}
        }
    }
}

/// A response whose body is written by `source`.
pub(super) fn respond<F>(
    media_type: &'static str,
    shutdown: CancellationToken,
    source: impl FnOnce(Sink) -> F,
) -> Response
where
    F: Future<Output = ()> + Send + 'static,
{
    let (sender, mut receiver) = mpsc::channel(BUFFER);
    tokio::spawn(source(Sink { sender, shutdown }));
    let stream = futures_util::stream::poll_fn(move |context| receiver.poll_recv(context));
    let headers = [(header::CONTENT_TYPE, media_type), (header::CACHE_CONTROL, "no-store")];
    (headers, [("x-accel-buffering", "no")], Body::from_stream(stream)).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_waits_for_a_reader_once_there_is_nothing_to_tell() {
        let (sender, mut receiver) = mpsc::channel(BUFFER);
        let sink = Sink {
            sender,
            shutdown: CancellationToken::new(),
        };
        let never = std::future::pending::<()>;
        sink.drained(never()).await.expect("nothing waits");
        sink.send("a".to_owned()).await.expect("somebody listens");
        // What was sent is not read: that the source has ended is heard all the same.
        assert!(sink.drained(std::future::ready(())).await.is_err());
        receiver.recv().await.expect("a piece").expect("it is whole");
        sink.drained(never()).await.expect("it is on its way");
        drop(receiver);
        assert!(sink.drained(never()).await.is_err());
    }
}
