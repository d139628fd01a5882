//! Conversations with running servers, on raw JSON-RPC.
//!
//! A [`Link`] is one conversation, opened and greeted, over whatever carries it: the pipes of a process or a container,
//! streamable HTTP, or the older HTTP with server-sent events. What enters: a [`Call`]. What leaves: an [`Exchange`], which
//! yields everything that belongs to the call in the order in which the server said it, the answer last; and [`News`], what
//! belongs to no call. Payloads are handed on as they came.
//!
//! Flow: many calls share a link; each gets an id, and a progress token, of the link's own, and everything that comes back
//! carries the caller's again.
//!
//! Guarantees: frames of one exchange keep their order, and nothing follows its answer. Dropping an exchange that is not
//! over tells the server that nobody waits any more. A question of the server reaches an exchange only when it is certain
//! that the exchange caused it; on a pipe that many share, that is when no other is open, and nobody else was asked for lately.
//!
//! What an [`Error`] quotes is masked, once the conversation knows what is to be ([`Link::masking`]).
//!
//! Assumptions: none about the server. One that ends, hangs or talks nonsense ends its exchanges with an [`Error`]; how long
//! to wait is the caller's to say.

mod meta;

mod doubt;
mod inbox;
mod lately;
mod switchboard;

pub(super) mod greeting;
mod subscription;

pub(super) mod http;
pub(super) mod pipe;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use orch_shared::jsonrpc::{Id, Members, Notification, Outcome, Raw};
use serde_json::value::RawValue;
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;

use super::launch::Era;
use super::log::Mask;

/// A list of a server that has more pages than this is not asked for to the end: it may have none.
pub const PAGES: usize = 1000;

/// How many pieces of news are kept for a listener that lags.
const NEWS: usize = 256;

type Boxed<'f, T> = Pin<Box<dyn Future<Output = T> + Send + 'f>>;

/// An open conversation with one copy of a server; cheap to clone.
#[derive(Clone)]
pub struct Link {
    hello: Arc<Hello>,
    carrier: Arc<dyn Carrier>,
    news: broadcast::Sender<News>,
    closed: CancellationToken,
    /// The values that the server was given and that are not to be shown.
    mask: Arc<Mask>,
}

/// What a server said of itself when it was greeted.
#[derive(Debug, Clone)]
pub struct Hello {
    /// The era it was greeted in.
    pub era: Era,
    /// The revision of the protocol that is spoken.
    pub protocol_version: String,
    /// Its capabilities, as it wrote them.
    pub capabilities: Raw,
    /// Name and version, as it wrote them.
    pub server_info: Option<Raw>,
    /// What it wants clients to know.
    pub instructions: Option<String>,
}

impl Hello {
    /// Whether a capability was named: `tools`, `prompts`, `resources`, `completions`, `logging`, `extensions`.
    #[must_use]
    pub fn offers(&self, capability: &str) -> bool {
        Members::of(&self.capabilities).is_some_and(|members| members.get(capability).is_some())
    }
}

/// On whose behalf a call is made: what a server of the newer era is told with every request.
#[derive(Debug, Clone)]
pub struct Client {
    /// Name and version, as the client wrote them.
    pub info: Raw,
    /// Its capabilities, as it wrote them.
    pub capabilities: Raw,
    /// The least severity of log messages it wants, in the newer era.
    pub log_level: Option<String>,
}

/// A request to be made.
#[derive(Debug, Clone)]
pub struct Call {
    /// What is asked.
    pub method: String,
    /// With which parameters. Reserved members of `_meta` are set by the link as the server's era wants them; a progress
    /// token is exchanged for one of the link's.
    pub params: Option<Raw>,
    /// The name or URI that the parameters say it is about, where that is known without reading them.
    pub about: Option<String>,
    /// For whom.
    pub client: Arc<Client>,
    /// Who waits for it.
    pub purpose: Purpose,
    /// The input schema of the tool that is called, for servers that want arguments repeated in headers.
    pub schema: Option<Raw>,
}

/// Why a call is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Purpose {
    /// A client of that principal has asked.
    Relay(Arc<str>),
    /// The daemon wants to know something for itself; no question of the server can belong to it.
    Own,
}

/// What comes back of a call, in order.
#[derive(Debug)]
pub enum Frame {
    /// Progress, a log message, or anything else that the server tells about the call.
    Notification(Notification),
    /// Something the server wants to know before it can answer.
    Ask(Ask),
    /// The answer; nothing follows.
    Done(Outcome),
}

/// A question of a server to a client. One that is dropped without an answer is refused.
pub struct Ask {
    id: Id,
    /// What is asked: `sampling/createMessage`, `elicitation/create`, `roots/list`, or something we do not know.
    pub method: String,
    /// With which parameters.
    pub params: Option<Raw>,
    reply: Box<dyn FnOnce(Outcome) -> Boxed<'static, Result<(), Error>> + Send>,
}

impl fmt::Debug for Ask {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ask")
            .field("method", &self.method)
            .finish_non_exhaustive()
    }
}

impl Ask {
    pub(super) fn new(
        id: Id,
        method: String,
        params: Option<Raw>,
        reply: impl FnOnce(Outcome) -> Boxed<'static, Result<(), Error>> + Send + 'static,
    ) -> Self {
        Self {
            id,
            method,
            params,
            reply: Box::new(reply),
        }
    }

    /// The server's own id for it. A `notifications/cancelled` that names it takes the question back.
    #[must_use]
    pub fn id(&self) -> &Id {
        &self.id
    }

    /// Hands the server its answer.
    ///
    /// # Errors
    /// When the server is not there any more.
    pub async fn answer(self, outcome: Outcome) -> Result<(), Error> {
        (self.reply)(outcome).await
    }
}

/// What a server says outside of any call.
#[derive(Debug, Clone)]
pub enum News {
    /// The list of that kind has changed: `tools`, `prompts` or `resources`.
    ListChanged(&'static str, Notification),
    /// A resource has changed that somebody subscribed to; its URI.
    ResourceUpdated(String, Notification),
    /// Anything else.
    Other(Notification),
}

/// Why there is no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The conversation is over: the server ended, was stopped, or gave it up.
    #[error("the server is not there any more: {0}")]
    Closed(String),
    /// The conversation was over before: nothing of the call was sent.
    #[error("the server is not there any more: {0}")]
    Unsent(String),
    /// The server cannot be reached: nothing of the call has come to it.
    #[error("the server cannot be reached: {0}")]
    Unreachable(String),
    /// The server answered with an HTTP status that is no answer to a request.
    #[error("the server answered with HTTP status {status}")]
    Status {
        /// The status.
        status: u16,
        /// When to try again, where it said so.
        retry_after: Option<Duration>,
    },
    /// What the server answered is no MCP.
    #[error("the server's answer cannot be understood: {0}")]
    Garbled(String),
    /// The caller took so long to read that what waited for it was dropped.
    #[error("the answers were not read in time")]
    Overrun,
}

impl Error {
    /// Whether the server has certainly not heard of the call: another copy of it may be asked instead.
    #[must_use]
    pub const fn is_unheard(&self) -> bool {
        match self {
            Self::Unsent(_) | Self::Unreachable(_) => true,
            Self::Closed(_) | Self::Status { .. } | Self::Garbled(_) | Self::Overrun => false,
        }
    }

    /// The same, met with before anything was sent.
    pub(super) fn before_sending(self) -> Self {
        match self {
            Self::Closed(why) => Self::Unsent(why),
            other => other,
        }
    }

    /// The same without values that are not to be shown: some errors quote the server.
    pub(super) fn masked(self, mask: &Mask) -> Self {
        match self {
            Self::Closed(why) => Self::Closed(mask.text(&why)),
            Self::Unsent(why) => Self::Unsent(mask.text(&why)),
            Self::Unreachable(why) => Self::Unreachable(mask.text(&why)),
            Self::Garbled(why) => Self::Garbled(mask.text(&why)),
            Self::Status { .. } | Self::Overrun => self,
        }
    }
}

/// What is under way for one call.
pub struct Exchange {
    frames: Box<dyn Frames>,
    mask: Arc<Mask>,
}

impl Exchange {
    pub(super) fn new(frames: impl Frames + 'static) -> Self {
        Self {
            frames: Box::new(frames),
            mask: Arc::default(),
        }
    }

    /// The next frame. Dropping the future loses nothing.
    ///
    /// # Errors
    /// When there will be no answer; the exchange is over.
    pub async fn next(&mut self) -> Result<Frame, Error> {
        let next = self.frames.next().await;
        next.map_err(|error| error.masked(&self.mask))
    }

    /// The answer, whatever the server says before it. Its questions are answered with an error.
    ///
    /// # Errors
    /// When there will be no answer.
    pub async fn outcome(mut self) -> Result<Outcome, Error> {
        loop {
            match self.next().await? {
                Frame::Done(outcome) => return Ok(outcome),
                Frame::Notification(_) => {}
                Frame::Ask(ask) => {
                    let refusal = Outcome::error(-32601, "nobody is there to answer");
                    // A server that is gone says so with the next frame.
                    let _ = ask.answer(refusal).await;
                }
            }
        }
    }
}

/// The frames of one exchange. Dropping them early cancels it.
pub(super) trait Frames: Send {
    fn next(&mut self) -> Boxed<'_, Result<Frame, Error>>;
}

/// How much a server has said in a conversation, in messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Said {
    /// Answers to requests.
    pub(super) answers: u64,
    /// Progress, log messages, questions, and other news.
    pub(super) other: u64,
}

/// What carries a conversation.
pub(super) trait Carrier: Send + Sync {
    fn request(&self, call: Call) -> Boxed<'_, Result<Exchange, Error>>;
    fn notify(&self, notification: Notification) -> Boxed<'_, Result<(), Error>>;
    /// Somebody listens to the news from now on.
    fn listened(&self);
    fn said(&self) -> Said;
    fn in_flight(&self) -> usize;
    fn has_others(&self, principal: &str) -> bool;
    /// One client has the conversation for itself: questions that belong to no exchange are its own.
    fn reserve(&self, asks: mpsc::UnboundedSender<Ask>);
    /// Ends the conversation in good order; the server is told where it can be.
    fn close(&self) -> Boxed<'_, ()>;
}

/// How a conversation is opened.
#[derive(Debug, Clone)]
pub struct Opening {
    /// Whom a server of the older era is told that it speaks with.
    pub client: Arc<Client>,
    /// Where questions go that belong to no exchange; nothing refuses them. Only for a conversation that one client has for
    /// itself.
    pub asks: Option<mpsc::UnboundedSender<Ask>>,
}

impl Link {
    pub(super) fn new(
        hello: Hello,
        carrier: Arc<dyn Carrier>,
        news: broadcast::Sender<News>,
        closed: CancellationToken,
    ) -> Self {
        Self {
            hello: Arc::new(hello),
            carrier,
            news,
            closed,
            mask: Arc::default(),
        }
    }

    /// The same conversation with a server that was given values which are not to be shown.
    pub(super) fn masking(self, mask: &Arc<Mask>) -> Self {
        let mask = Arc::clone(mask);
        Self { mask, ..self }
    }

    /// What the server has said, without the values of secrets that it was given: for whoever tells others than its clients.
    #[must_use]
    pub fn masked(&self, said: &str) -> String {
        self.mask.text(said)
    }

    /// What the server said of itself.
    #[must_use]
    pub fn hello(&self) -> &Hello {
        &self.hello
    }

    /// Makes a call.
    ///
    /// # Errors
    /// When it cannot be made.
    pub async fn request(&self, call: Call) -> Result<Exchange, Error> {
        match self.carrier.request(call).await {
            Ok(exchange) => Ok(Exchange {
                mask: Arc::clone(&self.mask),
                ..exchange
            }),
            Err(error) => Err(error.masked(&self.mask)),
        }
    }

    /// Tells the server something.
    ///
    /// # Errors
    /// When the server is not there any more.
    pub async fn notify(&self, method: &str, params: Option<&RawValue>) -> Result<(), Error> {
        let notification = Notification {
            method: method.to_owned(),
            params: params.map(ToOwned::to_owned),
        };
        let told = self.carrier.notify(notification).await;
        told.map_err(|error| error.masked(&self.mask))
    }

    /// What the server says outside of any call, from now on. A listener that lags loses the oldest.
    #[must_use]
    pub fn listen(&self) -> broadcast::Receiver<News> {
        let receiver = self.news.subscribe();
        self.carrier.listened();
        receiver
    }

    /// How much the server has said so far.
    pub(super) fn said(&self) -> Said {
        self.carrier.said()
    }

    /// How many calls are under way, those of the daemon's own apart.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.carrier.in_flight()
    }

    /// Whether anything is asked in it for anybody but that principal, or was a short while ago: what the server says of its
    /// own accord may then be about somebody else's call.
    #[must_use]
    pub fn has_others(&self, principal: &str) -> bool {
        self.carrier.has_others(principal)
    }

    /// Whether the conversation goes on.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !self.closed.is_cancelled()
    }

    /// Waits for the end of the conversation.
    pub async fn closed(&self) {
        self.closed.cancelled().await;
    }

    /// Whether both are the same conversation.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.hello, &other.hello)
    }

    /// Says that one client has the whole copy, and with it this conversation, for itself: whatever the server asks is a
    /// question to that client.
    pub fn reserve(&self, asks: mpsc::UnboundedSender<Ask>) {
        self.carrier.reserve(asks);
    }

    /// Ends a conversation that the caller has opened for itself.
    pub async fn close(&self) {
        self.carrier.close().await;
    }
}

impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("hello", &self.hello)
            .finish_non_exhaustive()
    }
}
