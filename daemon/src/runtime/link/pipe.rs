//! A conversation over two pipes: JSON-RPC messages, one per line, on the standard input and output of a process or a
//! container.
//!
//! What enters: what the server writes, and calls. What leaves: frames, news, and lines for the log: programs do print
//! banners, and what is no message is logged, masked. Only a server that writes nothing else is given up.
//!
//! Flow: one task reads until there is nothing more to read, whoever listens; one writes. A line is written whole or not at
//! all, however early whoever wanted it sent gives up. Greeting is part of it: the conversation is there before the server
//! was greeted, so that a second way of greeting can be tried on the same server.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use orch_shared::jsonrpc::{Message, Notification};
use serde_json::value::RawValue;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::super::launch::Era;
use super::super::log::{Lines, Log, Stream};
use super::greeting;
use super::meta::{self, Dress};
use super::subscription::Listening;
pub(in crate::runtime) use super::switchboard::Reading;
use super::switchboard::{Outlet, Switchboard};
use super::{Ask, Boxed, Call, Carrier, Error, Exchange, Hello, Link, NEWS, Said};

/// The longest message that is taken.
const LONGEST: usize = 16 << 20;

/// How much may be written, without one message among it, before the server is given up.
const GARBAGE: u64 = 1 << 20;

/// How much is read at once.
const CHUNK: usize = 32 << 10;

/// How many messages may wait to be written before whoever sends one more waits.
const UNWRITTEN: usize = 256;

/// How much is written at once, as far as it has come together.
const BATCH: usize = 64 << 10;

/// How much of a message that is too long is looked at to see what it answers.
const BEGINNING: usize = 4 << 10;

/// What a conversation is held over.
pub(in crate::runtime) struct Ends {
    /// What the server reads.
    pub(in crate::runtime) input: Box<dyn AsyncWrite + Send + Unpin>,
    /// What the server writes.
    pub(in crate::runtime) output: Box<dyn AsyncRead + Send + Unpin>,
    /// The pipe that the server reads from, once more, to see whether it has; where that is a pipe of this machine.
    pub(in crate::runtime) unread: Option<OwnedFd>,
}

/// A conversation, greeted or not; cheap to clone.
#[derive(Clone)]
pub(in crate::runtime) struct Pipe {
    shared: Arc<Shared>,
    /// Reads until the end.
    reader: Arc<tokio::sync::Mutex<Option<JoinHandle<()>>>>,
}

struct Shared {
    board: Arc<Switchboard>,
    writer: Arc<Writer>,
    news: broadcast::Sender<super::News>,
    closed: CancellationToken,
    flooded: AtomicBool,
    unread: Mutex<Option<OwnedFd>>,
}

impl Pipe {
    /// Begins to listen.
    pub(in crate::runtime) fn begin(ends: Ends, log: Log) -> Self {
        let (news, _) = broadcast::channel(NEWS);
        let writer = Arc::new(Writer::begin(ends.input));
        let shared = Arc::new(Shared {
            board: Switchboard::new(Arc::clone(&writer) as Arc<dyn Outlet>, news.clone(), None),
            writer,
            news,
            closed: CancellationToken::new(),
            flooded: AtomicBool::new(false),
            unread: Mutex::new(ends.unread),
        });
        let reader = tokio::spawn(read(ends.output, Arc::clone(&shared), log));
        Self {
            shared,
            reader: Arc::new(tokio::sync::Mutex::new(Some(reader))),
        }
    }

    /// Makes a call before it is known how the server wants to be spoken to.
    pub(in crate::runtime) async fn call(&self, call: Call, era: Era) -> Result<Reading, Error> {
        let dress = match era {
            Era::Legacy => Dress::Legacy,
            Era::Modern => Dress::Modern(greeting::MODERN),
        };
        let opened = self.shared.board.open(call, dress)?;
        self.shared.writer.send(opened.request.into()).await?;
        Ok(opened.reading)
    }

    /// The conversation with a server that was greeted.
    pub(in crate::runtime) fn link(&self, hello: Hello) -> Link {
        // Nobody asks any more whether it has read the greeting.
        self.shared.let_go();
        let shared = &self.shared;
        let (news, closed) = (shared.news.clone(), shared.closed.clone());
        let carrier = Arc::new_cyclic(|me: &Weak<Greeted>| {
            let listening = || Listening::new(me.clone(), &hello, news.clone(), closed.clone());
            Greeted {
                shared: Arc::clone(shared),
                listening: (hello.era == Era::Modern).then(listening),
                hello: hello.clone(),
            }
        });
        Link::new(hello, carrier, news, closed)
    }

    /// Tells a server of the older era that it was understood.
    pub(in crate::runtime) async fn notify(&self, method: &str, params: Option<&RawValue>) -> Result<(), Error> {
        let method = method.to_owned();
        let params = params.map(ToOwned::to_owned);
        self.shared.writer.send(Notification { method, params }.into()).await
    }

    /// Waits until the server writes nothing more, or was given up for what it wrote.
    pub(in crate::runtime) async fn closed(&self) {
        self.shared.closed.cancelled().await;
    }

    /// Whether the server was given up for what it wrote.
    pub(in crate::runtime) fn is_flooded(&self) -> bool {
        self.shared.flooded.load(Ordering::Relaxed)
    }

    /// Whether the server has taken all that was sent to it. Can still be told when it has ended.
    pub(in crate::runtime) fn has_read_all(&self) -> bool {
        let unread = self.shared.unread.lock().unwrap_or_else(PoisonError::into_inner);
        // The kernel counts what is in the pipe, whichever end is asked.
        let empty = unread
            .as_ref()
            .is_some_and(|pipe| matches!(rustix::io::ioctl_fionread(pipe), Ok(0)));
        empty && self.shared.writer.is_idle()
    }

    /// Closes the server's standard input: the polite way of saying that it may end.
    pub(in crate::runtime) fn close_input(&self) {
        self.shared.close_input();
    }

    /// Reads and logs what is left, but does not wait for longer than that.
    pub(in crate::runtime) async fn drain(&self, patience: Duration) {
        let mut reader = self.reader.lock().await;
        if let Some(reading) = reader.as_mut() {
            if tokio::time::timeout(patience, &mut *reading).await.is_err() {
                reading.abort();
                self.shared.over("it has ended");
            }
            *reader = None;
        }
    }
}

impl Shared {
    fn over(&self, why: &str) {
        self.board.end(&Error::Closed(why.to_owned()));
        self.closed.cancel();
    }

    fn let_go(&self) {
        let unread = self.unread.lock().unwrap_or_else(PoisonError::into_inner).take();
        drop(unread);
    }

    fn close_input(&self) {
        self.let_go();
        self.writer.close();
    }
}

/// Reads to the end.
async fn read(mut output: Box<dyn AsyncRead + Send + Unpin>, shared: Arc<Shared>, log: Log) {
    let mut lines = Lines::new(LONGEST);
    let mut chunk = vec![0; CHUNK];
    let mut garbage = 0;
    loop {
        match output.read(&mut chunk).await {
            Ok(0) | Err(_) => break,
            Ok(count) => lines.push(&chunk[..count]),
        }
        while let Some(line) = lines.next() {
            if line.bytes.is_empty() {
                continue;
            }
            let found = match line.dropped {
                0 => messages(&line.bytes),
                _ => None,
            };
            if let Some(messages) = found {
                garbage = 0;
                for message in messages {
                    shared.board.receive(message, None);
                }
                continue;
            }
            let too_long = line.dropped > 0 && line.bytes.starts_with(b"{");
            let answered = answered_in(&line.bytes[..line.bytes.len().min(BEGINNING)]);
            if let Some(number) = answered.filter(|_| too_long) {
                let why = format!("it is longer than {} MiB", LONGEST >> 20);
                shared.board.fail(number, Error::Garbled(why));
            } else if !too_long {
                garbage += line.bytes.len() as u64 + line.dropped;
            }
            log.write(Stream::Stdout, &[line]);
            if garbage > GARBAGE {
                shared.flooded.store(true, Ordering::Relaxed);
                return shared.over("it wrote too much that is no protocol");
            }
        }
    }
    log.write(Stream::Stdout, lines.end().as_slice());
    shared.over("it has closed its output");
}

/// The messages in a line: one, or some when it is a batch, which servers of an older revision may write.
pub(super) fn messages(line: &[u8]) -> Option<Vec<Message>> {
    if let Ok(message) = Message::parse(line) {
        return Some(vec![message]);
    }
    if !line.trim_ascii_start().starts_with(b"[") {
        return None;
    }
    let batch: Vec<&RawValue> = serde_json::from_slice(line).ok()?;
    let messages: Result<Vec<_>, _> = batch
        .into_iter()
        .map(|one| Message::parse(one.get().as_bytes()))
        .collect();
    messages.ok().filter(|messages| !messages.is_empty())
}

/// The id in the beginning of a message that was too long to be read: that of the request it answers.
fn answered_in(beginning: &[u8]) -> Option<u64> {
    let text = match std::str::from_utf8(beginning) {
        Ok(text) => text,
        Err(error) => std::str::from_utf8(&beginning[..error.valid_up_to()]).ok()?,
    };
    let mut rest = text.trim_start().strip_prefix('{')?;
    loop {
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<String>();
        let name = values.next()?.ok()?;
        rest = rest[values.byte_offset()..].trim_start().strip_prefix(':')?;
        let mut values = serde_json::Deserializer::from_str(rest).into_iter::<&RawValue>();
        let value = values.next()?.ok()?;
        match &*name {
            "id" => return value.get().parse().ok(),
            "method" => return None,
            _ => rest = rest[values.byte_offset()..].trim_start().strip_prefix(',')?,
        }
    }
}

/// Writes lines, one after the other.
struct Writer {
    lines: mpsc::Sender<String>,
    closing: CancellationToken,
    sent: AtomicU64,
    written: Arc<AtomicU64>,
}

impl Writer {
    fn begin(input: Box<dyn AsyncWrite + Send + Unpin>) -> Self {
        let (lines, waiting) = mpsc::channel(UNWRITTEN);
        let closing = CancellationToken::new();
        let written = Arc::default();
        tokio::spawn(write(input, waiting, closing.clone(), Arc::clone(&written)));
        Self {
            lines,
            closing,
            sent: AtomicU64::new(0),
            written,
        }
    }

    fn close(&self) {
        self.closing.cancel();
    }

    /// Whether all that was sent was written.
    fn is_idle(&self) -> bool {
        self.sent.load(Ordering::Relaxed) == self.written.load(Ordering::Relaxed)
    }

    fn line(&self, message: &Message) -> String {
        self.sent.fetch_add(1, Ordering::Relaxed);
        let mut line = one_line(message.to_json());
        line.push('\n');
        line
    }
}

/// Writes until the input is closed by either side.
async fn write(
    mut input: Box<dyn AsyncWrite + Send + Unpin>,
    mut lines: mpsc::Receiver<String>,
    closing: CancellationToken,
    written: Arc<AtomicU64>,
) {
    let mut text = String::new();
    let writing = async {
        while let Some(line) = lines.recv().await {
            let mut count = 1;
            text.clear();
            text.shrink_to(BATCH);
            text.push_str(&line);
            while text.len() < BATCH
                && let Ok(line) = lines.try_recv()
            {
                text.push_str(&line);
                count += 1;
            }
            if input.write_all(text.as_bytes()).await.is_err() || input.flush().await.is_err() {
                return;
            }
            written.fetch_add(count, Ordering::Relaxed);
        }
    };
    tokio::select! {
        () = writing => {}
        () = closing.cancelled() => {}
    }
    // What carries both directions is not closed by being dropped. A server that reads nothing more has its reasons.
    let _closed = input.shutdown().await;
}

/// A message on one line. Payloads are kept as they came, line ends between their tokens included, and whoever reads lines
/// would take what stands behind one for a message of its own. In strings line ends are escaped, so a space does as well.
fn one_line(message: String) -> String {
    if message.contains(['\n', '\r']) {
        message.replace(['\n', '\r'], " ")
    } else {
        message
    }
}

fn no_input() -> Error {
    Error::Unsent("it reads nothing any more".to_owned())
}

impl Outlet for Writer {
    fn send(&self, message: Message) -> Boxed<'_, Result<(), Error>> {
        Box::pin(async move {
            let place = self.lines.reserve().await.map_err(|_| no_input())?;
            place.send(self.line(&message));
            Ok(())
        })
    }

    fn post(&self, message: Message) {
        use mpsc::error::TrySendError;
        match self.lines.try_send(self.line(&message)) {
            Ok(()) | Err(TrySendError::Closed(_)) => {}
            Err(TrySendError::Full(line)) => {
                let lines = self.lines.clone();
                // Ends at the latest when the writing does.
                tokio::spawn(async move { lines.send(line).await });
            }
        }
    }
}

/// A conversation with a server that was greeted.
struct Greeted {
    shared: Arc<Shared>,
    hello: Hello,
    /// Of a server of the newer era; others tell without being asked.
    listening: Option<Listening>,
}

impl Carrier for Greeted {
    fn request(&self, call: Call) -> Boxed<'_, Result<Exchange, Error>> {
        Box::pin(async move {
            let opened = self.shared.board.open(call, Dress::of(&self.hello))?;
            self.shared.writer.send(opened.request.into()).await?;
            Ok(Exchange::new(opened.reading))
        })
    }

    fn notify(&self, notification: Notification) -> Boxed<'_, Result<(), Error>> {
        Box::pin(async move {
            let Notification { method, params } = notification;
            let params = meta::stripped(params);
            self.shared.writer.send(Notification { method, params }.into()).await
        })
    }

    fn listened(&self) {
        if let Some(listening) = &self.listening {
            listening.begin();
        }
    }

    fn said(&self) -> Said {
        self.shared.board.said()
    }

    fn in_flight(&self) -> usize {
        self.shared.board.in_flight()
    }

    fn has_others(&self, principal: &str) -> bool {
        self.shared.board.has_others(principal)
    }

    fn reserve(&self, asks: mpsc::UnboundedSender<Ask>) {
        self.shared.board.put_questions(asks);
    }

    fn close(&self) -> Boxed<'_, ()> {
        Box::pin(async {
            self.shared.close_input();
            self.shared.closed.cancelled().await;
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_id_of_what_is_too_long() {
        for (beginning, expected) in [
            (&br#"{"jsonrpc":"2.0","id":12,"result":{"a":"bbbb"#[..], Some(12)),
            (br#" { "id" : 12 , "result":"#, Some(12)),
            (br#"{"jsonrpc":"2.0","method":"x","id":12,"params":"#, None),
            (br#"{"jsonrpc":"2.0","id":"a","result":"#, None),
            (br#"{"jsonrpc":"2.0","result":{"a":"bbb"#, None),
            (b"banner", None),
            (b"{\"id\":7,\"result\":\"\xc3", Some(7)),
        ] {
            assert_eq!(
                answered_in(beginning),
                expected,
                "{}",
                String::from_utf8_lossy(beginning)
            );
        }
    }
}
