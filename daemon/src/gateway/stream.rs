//! Streams of server-sent events: written by whoever has something to tell, read by a client that may lose its connection.
//!
//! A [`Stream`] keeps what it was told, within bounds, so that a client that comes back with the id of the last event it
//! has seen goes on from there. Ids are `<stream>-<position>`, counted from 1; position 0 is the event that only gives
//! the client something to come back with.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

/// So many bytes are kept for a client that does not read.
const BYTES: usize = 4 << 20;
/// So many events.
const EVENTS: usize = 1000;
/// An idle stream says so often that it lives.
pub(super) const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// After so many milliseconds a client may come back.
const RETRY: u32 = 500;

const EVENT_STREAM: &str = "text/event-stream";

/// Where an event stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) stream: u64,
    pub(super) position: u64,
}

impl Place {
    /// Reads an id back.
    pub(super) fn parse(id: &str) -> Option<Self> {
        let (stream, position) = id.split_once('-')?;
        Some(Self {
            stream: stream.parse().ok()?,
            position: position.parse().ok()?,
        })
    }
}

/// Messages for one client, in order.
#[derive(Debug)]
pub(super) struct Stream {
    id: u64,
    kept: Mutex<Kept>,
    changed: Notify,
    room: Notify,
}

#[derive(Debug, Default)]
struct Kept {
    /// The position of the first one that is kept.
    first: u64,
    messages: VecDeque<Arc<str>>,
    bytes: usize,
    readers: usize,
    /// Which reader is the newest; an older one ends.
    reader: u64,
    over: bool,
    read_to_end: bool,
}

impl Stream {
    pub(super) fn new(id: u64) -> Arc<Self> {
        Arc::new(Self {
            id,
            kept: Mutex::new(Kept {
                first: 1,
                ..Kept::default()
            }),
            changed: Notify::new(),
            room: Notify::new(),
        })
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a message. Where nobody reads, the oldest goes when there are too many.
    pub(super) fn push(&self, message: impl Into<Arc<str>>) {
        let message = message.into();
        let mut kept = self.kept();
        kept.bytes += message.len();
        kept.messages.push_back(message);
        while kept.readers == 0 && (kept.bytes > BYTES || kept.messages.len() > EVENTS) {
            let Some(oldest) = kept.messages.pop_front() else { break };
            kept.bytes -= oldest.len();
            kept.first += 1;
        }
        drop(kept);
        self.changed.notify_waiters();
    }

    /// Waits until a client that reads slowly has read enough.
    pub(super) async fn has_room(&self) {
        loop {
            let room = self.room.notified();
            {
                let kept = self.kept();
                if kept.readers == 0 || (kept.bytes <= BYTES && kept.messages.len() <= EVENTS) {
                    return;
                }
            }
            room.await;
        }
    }

    /// Nothing more comes.
    pub(super) fn end(&self) {
        self.kept().over = true;
        self.changed.notify_waiters();
    }

    /// Whether everything was said and read.
    pub(super) fn is_spent(&self) -> bool {
        let kept = self.kept();
        kept.over && kept.read_to_end
    }

    /// Whether a client reads.
    pub(super) fn is_read(&self) -> bool {
        self.kept().readers > 0
    }

    /// Begins to read behind a position. Whoever has read until now ends: a client that came back has lost that
    /// connection.
    pub(super) fn read(self: &Arc<Self>, after: u64) -> Reader {
        let mut kept = self.kept();
        kept.readers += 1;
        kept.reader += 1;
        let number = kept.reader;
        drop(kept);
        self.changed.notify_waiters();
        Reader {
            stream: Arc::clone(self),
            number,
            position: after,
        }
    }
}

/// One client that reads a stream.
#[derive(Debug)]
pub(super) struct Reader {
    stream: Arc<Stream>,
    number: u64,
    position: u64,
}

impl Reader {
    /// The next message and its position; nothing when there will be none.
    async fn next(&mut self) -> Option<(u64, Arc<str>)> {
        loop {
            let changed = self.stream.changed.notified();
            {
                let mut kept = self.stream.kept();
                if kept.reader != self.number {
                    return None;
                }
                // What the client has by now need not be kept, but for the last: it may be lost on its way.
                while kept.first < self.position {
                    let Some(read) = kept.messages.pop_front() else { break };
                    kept.bytes -= read.len();
                    kept.first += 1;
                }
                let wanted = (self.position + 1).max(kept.first);
                let index = usize::try_from(wanted - kept.first).unwrap_or(usize::MAX);
                if let Some(message) = kept.messages.get(index).cloned() {
                    self.position = wanted;
                    drop(kept);
                    self.stream.room.notify_waiters();
                    return Some((wanted, message));
                }
                if kept.over {
                    kept.read_to_end = true;
                    return None;
                }
            }
            changed.await;
        }
    }

    /// The events as the body of a response. `primed` begins with an event that only has an id.
    pub(super) fn respond(self, primed: Primed, shutdown: CancellationToken) -> Response {
        let first = match primed {
            Primed::Yes => Some(format!(
                "id: {}-{}\nretry: {RETRY}\ndata: \n\n",
                self.stream.id, self.position
            )),
            Primed::No => None,
        };
        let body = stream::unfold((self, first, shutdown), |(mut reader, first, shutdown)| async move {
            let text = match first {
                Some(first) => first,
                None => tokio::select! {
                    biased;
                    () = shutdown.cancelled() => return None,
                    next = reader.next() => {
                        let (position, message) = next?;
                        event(Some((reader.stream.id, position)), &message)
                    }
                    () = tokio::time::sleep(KEEP_ALIVE) => ": still here\n\n".to_owned(),
                },
            };
            Some((Ok::<_, Infallible>(Bytes::from(text)), (reader, None, shutdown)))
        });
        events(Body::from_stream(body))
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.stream.kept().readers -= 1;
        self.stream.room.notify_waiters();
    }
}

/// Whether a stream begins with an event that only has an id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Primed {
    Yes,
    No,
}

/// One message as an event.
pub(super) fn event(place: Option<(u64, u64)>, message: &str) -> String {
    let mut text = String::with_capacity(message.len() + 48);
    text.push_str("event: message\n");
    if let Some((stream, position)) = place {
        writeln!(text, "id: {stream}-{position}").expect("a String takes everything");
    }
    // Payloads are kept as they came, and JSON may hold line ends between its tokens.
    if message.contains(['\n', '\r']) {
        for line in message.split(['\n', '\r']).filter(|line| !line.is_empty()) {
            text.push_str("data: ");
            text.push_str(line);
            text.push('\n');
        }
    } else {
        text.push_str("data: ");
        text.push_str(message);
        text.push('\n');
    }
    text.push('\n');
    text
}

/// A response that is a stream of events.
pub(super) fn events(body: Body) -> Response {
    let headers = [
        (header::CONTENT_TYPE, EVENT_STREAM),
        (header::CACHE_CONTROL, "no-cache, no-transform"),
    ];
    (headers, [("x-accel-buffering", "no")], body).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn all(reader: &mut Reader) -> Vec<(u64, String)> {
        let mut read = Vec::new();
        while let Ok(Some((position, message))) = tokio::time::timeout(Duration::from_secs(1), reader.next()).await {
            read.push((position, message.to_string()));
        }
        read
    }

    #[tokio::test(start_paused = true)]
    async fn who_comes_back_goes_on() {
        let stream = Stream::new(7);
        stream.push("a");
        stream.push("b");
        let mut first = stream.read(0);
        assert_eq!(all(&mut first).await, [(1, "a".to_owned()), (2, "b".to_owned())]);
        let mut second = stream.read(1);
        stream.push("c");
        assert!(first.next().await.is_none(), "the connection from before is over");
        assert_eq!(all(&mut second).await, [(2, "b".to_owned()), (3, "c".to_owned())]);
        assert!(stream.is_read() && !stream.is_spent());
        stream.end();
        assert!(all(&mut second).await.is_empty() && stream.is_spent());
    }

    #[tokio::test(start_paused = true)]
    async fn nobody_reads_and_memory_stays_bounded() {
        let stream = Stream::new(1);
        for number in 0..3000 {
            stream.push(number.to_string());
        }
        stream.has_room().await;
        let read = all(&mut stream.read(0)).await;
        assert_eq!((read.len(), &read[0]), (EVENTS, &(2001, "2000".to_owned())));
        let reader = stream.read(3000);
        for _ in 0..=EVENTS {
            stream.push("x");
        }
        let waiting = tokio::time::timeout(Duration::from_secs(1), stream.has_room());
        assert!(waiting.await.is_err(), "a slow reader makes the writer wait");
        drop(reader);
        stream.has_room().await;
    }

    #[test]
    fn events_hold_whole_messages() {
        assert_eq!(event(Some((1, 2)), "{}"), "event: message\nid: 1-2\ndata: {}\n\n");
        assert_eq!(event(None, "{\r\n}"), "event: message\ndata: {\ndata: }\n\n");
        assert_eq!(Place::parse("1-2"), Some(Place { stream: 1, position: 2 }));
        assert_eq!(Place::parse("x"), None);
    }
}
