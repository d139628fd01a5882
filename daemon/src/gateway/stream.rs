//! Streams of server-sent events: written by whoever has something to tell, read by a client that may lose its connection.
//!
//! A [`Stream`] keeps what it was told, within bounds, so that a client that comes back with the id of the last event it
//! has seen goes on from there. Ids are `<stream>-<position>`, counted from 1; position 0 is the event that only gives
//! the client something to come back with.
//!
//! What goes over the bounds is dropped, the oldest first, and whoever comes for it too late goes on with what is kept. News
//! are dropped whether or not somebody reads, for nobody can make a server wait that tells them. What is told on the way to
//! an answer waits for a client that reads, if slowly, and is dropped where nobody does. An answer is never dropped.

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

/// So many bytes are kept for a client that has not read them.
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

/// What a message is, which decides whether it may be dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    /// Belongs to no request.
    News,
    /// Comes before the answer to a request.
    Step,
    /// The answer to a request.
    Answer,
}

#[derive(Debug)]
struct Told {
    position: u64,
    sort: Sort,
    message: Arc<str>,
}

#[derive(Debug, Default)]
struct Kept {
    /// How many messages there were so far, and with that the position of the newest.
    count: u64,
    messages: VecDeque<Told>,
    bytes: usize,
    readers: usize,
    /// Which reader is the newest; an older one ends.
    reader: u64,
    over: bool,
    read_to_end: bool,
}

impl Kept {
    fn is_over_bounds(&self) -> bool {
        self.bytes > BYTES || self.messages.len() > EVENTS
    }

    /// Drops the oldest of what may be dropped, until the rest is within the bounds. The newest stays, however large.
    fn trim(&mut self) {
        let mut index = 0;
        while self.is_over_bounds() && index + 1 < self.messages.len() {
            let may_go = match self.messages[index].sort {
                Sort::News => true,
                Sort::Step => self.readers == 0,
                Sort::Answer => false,
            };
            if !may_go {
                index += 1;
            } else if let Some(oldest) = self.messages.remove(index) {
                self.bytes -= oldest.message.len();
            }
        }
    }
}

impl Stream {
    pub(super) fn new(id: u64) -> Arc<Self> {
        Arc::new(Self {
            id,
            kept: Mutex::default(),
            changed: Notify::new(),
            room: Notify::new(),
        })
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what comes before the answer to a request. Where somebody reads, the writer must wait until there is room.
    pub(super) fn push(&self, message: impl Into<Arc<str>>) {
        self.add(Sort::Step, message.into());
    }

    /// Adds the answer to a request.
    pub(super) fn answer(&self, message: impl Into<Arc<str>>) {
        self.add(Sort::Answer, message.into());
    }

    /// Adds what belongs to no request.
    pub(super) fn tell(&self, message: impl Into<Arc<str>>) {
        self.add(Sort::News, message.into());
    }

    fn add(&self, sort: Sort, message: Arc<str>) {
        let mut kept = self.kept();
        kept.count += 1;
        kept.bytes += message.len();
        let position = kept.count;
        kept.messages.push_back(Told {
            position,
            sort,
            message,
        });
        kept.trim();
        drop(kept);
        self.changed.notify_waiters();
    }

    /// Waits until a client that reads slowly has read enough, or nothing more comes.
    pub(super) async fn has_room(&self) {
        loop {
            let room = self.room.notified();
            {
                let kept = self.kept();
                if kept.readers == 0 || kept.over || !kept.is_over_bounds() {
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
        self.room.notify_waiters();
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
                while kept.messages.front().is_some_and(|told| told.position < self.position) {
                    let Some(read) = kept.messages.pop_front() else { break };
                    kept.bytes -= read.message.len();
                }
                let index = kept.messages.partition_point(|told| told.position <= self.position);
                if let Some(told) = kept.messages.get(index) {
                    let next = (told.position, Arc::clone(&told.message));
                    self.position = next.0;
                    drop(kept);
                    self.stream.room.notify_waiters();
                    return Some(next);
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
        let mut kept = self.stream.kept();
        kept.readers -= 1;
        kept.trim();
        drop(kept);
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
        assert_eq!(
            stream.kept().messages.len(),
            EVENTS,
            "what nobody reads is let go at once"
        );
        let _reader = stream.read(4001);
        for _ in 0..=EVENTS {
            stream.push("x");
        }
        stream.end();
        stream.has_room().await;
    }

    #[tokio::test(start_paused = true)]
    async fn news_keep_to_the_bounds_for_who_lags_behind() {
        let stream = Stream::new(0);
        let mut reader = stream.read(0);
        stream.tell("first");
        assert_eq!(reader.next().await, Some((1, "first".into())));
        for number in 0..5000 {
            stream.tell(number.to_string());
        }
        let read = all(&mut reader).await;
        assert_eq!((read.len(), &read[0]), (EVENTS, &(4002, "4000".to_owned())));
        assert_eq!(read.last(), Some(&(5001, "4999".to_owned())));
        stream.tell("x".repeat(BYTES + 1));
        assert_eq!(all(&mut reader).await.len(), 1, "a single message comes, however large");
        for _ in 0..10 {
            stream.tell("x".repeat(1 << 20));
        }
        assert!(stream.kept().bytes <= BYTES);
        assert_eq!(all(&mut reader).await.len(), 4);
    }

    #[tokio::test(start_paused = true)]
    async fn answers_are_never_dropped() {
        let stream = Stream::new(3);
        stream.push("step");
        stream.answer("y".repeat(BYTES + 1));
        assert_eq!(stream.kept().messages.len(), 1, "what comes before it goes first");
        for _ in 0..3 * EVENTS {
            stream.tell("news");
        }
        stream.answer("last");
        let read = all(&mut stream.read(0)).await;
        let positions: Vec<_> = read.iter().map(|(position, _)| *position).collect();
        assert_eq!(positions, [2, 3 * EVENTS as u64 + 3]);
        assert_eq!(
            stream.kept().messages.len(),
            1,
            "what was read is let go, but for the last"
        );
    }

    #[test]
    fn events_hold_whole_messages() {
        assert_eq!(event(Some((1, 2)), "{}"), "event: message\nid: 1-2\ndata: {}\n\n");
        assert_eq!(event(None, "{\r\n}"), "event: message\ndata: {\ndata: }\n\n");
        assert_eq!(Place::parse("1-2"), Some(Place { stream: 1, position: 2 }));
        assert_eq!(Place::parse("x"), None);
    }
}
