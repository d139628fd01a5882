//! Streamable HTTP with a server of the older era: a session, begun with a greeting.
//!
//! The server may forget the session, when it starts anew or has had enough. Then it is greeted once more behind the
//! caller's back and asked again, and whoever keeps lists of it hears that they may have changed. An answer whose stream
//! breaks off is taken up where it ended, as often as the server closes it. What belongs to no request comes on a stream of
//! its own, where the server has one.
//!
//! What is said to the server always names the revision that it chose itself, whatever the client speaks.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use orch_shared::jsonrpc::{Message, Notification};
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;

use super::super::meta::{self, Dress};
use super::super::switchboard::{Outlet, Switchboard};
use super::super::{
    Ask, Boxed, Call, Carrier, Client, Error, Exchange, Hello, Link, NEWS, News, Opening, Said, greeting,
};
use super::exchange::{self, Driven, Place, Read};
use super::headers::{LAST_EVENT, SESSION, VERSION};
use super::target::{Heard, Target};
use super::trouble::{self, Miss};
use super::unsolicited;
use crate::runtime::launch::Era;

/// How long the end of a session may take to tell.
const GOODBYE: Duration = Duration::from_secs(2);

/// How long to wait before a broken stream is taken up, when the server does not say.
const RETRY: Duration = Duration::from_secs(1);

/// The shortest and the longest such wait.
const BOUNDS: (Duration, Duration) = (Duration::from_millis(20), Duration::from_secs(60));

/// How often in a row a broken stream may fail to be taken up.
const ATTEMPTS: u32 = 5;

/// A session.
pub(super) struct Session {
    pub(super) target: Arc<Target>,
    pub(super) board: Arc<Switchboard>,
    client: Arc<Client>,
    news: broadcast::Sender<News>,
    closed: CancellationToken,
    state: Mutex<State>,
    renewing: tokio::sync::Mutex<()>,
}

#[derive(Default)]
struct State {
    /// How often it was greeted.
    epoch: u64,
    id: Option<HeaderValue>,
    version: Option<HeaderValue>,
}

/// Greets a server of the older era and begins a session with it.
pub(super) async fn open(target: &Arc<Target>, opening: &Opening) -> Result<Link, Miss> {
    let (news, _) = broadcast::channel(NEWS);
    let closed = CancellationToken::new();
    let session = Arc::new_cyclic(|me: &Weak<Session>| {
        let mouth = Arc::new(Mouth(me.clone()));
        Session {
            target: Arc::clone(target),
            board: Switchboard::new(mouth, news.clone(), opening.asks.clone()),
            client: Arc::clone(&opening.client),
            news: news.clone(),
            closed: closed.clone(),
            state: Mutex::default(),
            renewing: tokio::sync::Mutex::default(),
        }
    });
    let hello = session.greet().await?;
    tokio::spawn(unsolicited::listen(Arc::downgrade(&session), closed.clone()));
    Ok(Link::new(hello, Arc::new(Carried(session)), news, closed))
}

impl Session {
    /// Greets, and remembers which session that has begun.
    async fn greet(&self) -> Result<Hello, Miss> {
        let opened = self.board.open(greeting::initialize(&self.client), Dress::Legacy)?;
        let mut reading = opened.reading;
        let body = Message::from(opened.request).to_json();
        let response = self.target.post(HeaderMap::new(), body.into()).await?;
        let id = response.headers().get(SESSION).cloned();
        let read = exchange::read(response, &self.board, reading.number(), &mut Place::default()).await?;
        let outcome = match (read, reading.answer()) {
            (Read::Answered, Some(outcome)) => outcome?,
            (Read::Answered | Read::Ended, _) => return Err(trouble::broke_off().into()),
        };
        let hello = greeting::understand(Era::Legacy, &outcome).map_err(Miss::Declined)?;
        {
            let mut state = self.state();
            state.epoch += 1;
            state.id = id;
            state.version = HeaderValue::try_from(&hello.protocol_version).ok();
        }
        let initialized = Notification {
            method: greeting::INITIALIZED.to_owned(),
            params: None,
        };
        let body = Message::from(initialized).to_json();
        exchange::accepted(&self.target.post(self.headers().1, body.into()).await?)?;
        Ok(hello)
    }

    /// The headers of a request, and of which session they are.
    pub(super) fn headers(&self) -> (u64, HeaderMap) {
        let state = self.state();
        let mut headers = HeaderMap::with_capacity(12);
        let named = [(SESSION, &state.id), (VERSION, &state.version)];
        for (name, value) in named {
            if let Some(value) = value {
                headers.insert(name, value.clone());
            }
        }
        (state.epoch, headers)
    }

    /// Posts a message; to a new session, if the server has forgotten the old one.
    async fn post(&self, body: Bytes) -> Result<Heard, Error> {
        let (epoch, headers) = self.headers();
        let in_session = headers.contains_key(SESSION);
        let response = self.target.post(headers, body.clone()).await?;
        if !in_session {
            return Ok(response);
        }
        let (forgotten, response) = exchange::forgets_session(response).await?;
        if !forgotten {
            return Ok(response);
        }
        self.renew(epoch).await?;
        self.target.post(self.headers().1, body).await
    }

    /// Begins a new session in place of one that the server has forgotten. Whoever comes late finds it done.
    pub(super) async fn renew(&self, forgotten: u64) -> Result<(), Error> {
        let _one_at_a_time = self.renewing.lock().await;
        if self.state().epoch != forgotten {
            return Ok(());
        }
        match self.greet().await {
            Ok(hello) => {
                self.may_have_changed(&hello);
                Ok(())
            }
            Err(miss) => {
                // What it said to the greeting, it is to be asked anew how it wants to be spoken to.
                if !miss.is_passing() {
                    self.over("it has forgotten the session and begins no other");
                }
                Err(miss.into())
            }
        }
    }

    fn may_have_changed(&self, hello: &Hello) {
        for kind in ["tools", "prompts", "resources"] {
            if hello.offers(kind) {
                let notification = Notification {
                    method: format!("notifications/{kind}/list_changed"),
                    params: None,
                };
                // Without listeners it is lost, as it should be.
                let _ = self.news.send(News::ListChanged(kind, notification));
            }
        }
    }

    /// Whether the server has named a session, which it may forget.
    pub(super) fn is_named(&self) -> bool {
        self.state().id.is_some()
    }

    /// Opens a stream, or takes it up where it ended.
    pub(super) fn stream(&self, last: Option<&str>) -> (u64, impl Future<Output = Result<Heard, Error>> + use<>) {
        let (epoch, mut headers) = self.headers();
        if let Some(last) = last.and_then(|last| HeaderValue::from_str(last).ok()) {
            headers.insert(LAST_EVENT, last);
        }
        let target = Arc::clone(&self.target);
        (epoch, async move { target.get(headers).await })
    }

    /// Makes one request, up to its answer.
    async fn converse(&self, number: u64, body: Bytes) -> Result<(), Error> {
        let response = self.post(body).await?;
        let mut place = Place::default();
        let mut read = exchange::read(response, &self.board, number, &mut place).await?;
        let mut failures = 0;
        while read == Read::Ended {
            let last = place.last.clone().filter(|_| failures < ATTEMPTS);
            let last = last.ok_or_else(trouble::broke_off)?;
            tokio::time::sleep(wait(place.retry, failures)).await;
            let response = match self.stream(Some(&last)).1.await {
                Ok(response) if exchange::is_stream(&response) => response,
                Ok(response) if response.status().is_server_error() => {
                    failures += 1;
                    continue;
                }
                Ok(_) => return Err(trouble::broke_off()),
                Err(_) => {
                    failures += 1;
                    continue;
                }
            };
            failures = 0;
            read = exchange::read(response, &self.board, number, &mut place).await?;
        }
        Ok(())
    }

    fn over(&self, why: &str) {
        self.board.end(&Error::Closed(why.to_owned()));
        self.closed.cancel();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long to wait before a stream is taken up again.
pub(super) fn wait(wished: Option<Duration>, failures: u32) -> Duration {
    let base = wished.unwrap_or(RETRY);
    (base * 2_u32.saturating_pow(failures)).clamp(BOUNDS.0, BOUNDS.1)
}

/// Tells a server that a session is over; one that is not there any more need not be told.
async fn goodbye(target: Arc<Target>, headers: HeaderMap) {
    if headers.contains_key(SESSION) {
        let _ = tokio::time::timeout(GOODBYE, target.delete(headers)).await;
    }
}

/// How the shared conversation is driven by each of its requests.
struct Carried(Arc<Session>);

impl Carrier for Carried {
    fn request(&self, call: Call) -> Boxed<'_, Result<Exchange, Error>> {
        Box::pin(async move {
            let opened = self.0.board.open(call, Dress::Legacy)?;
            let body = Message::from(opened.request).to_json().into();
            let (session, number) = (Arc::clone(&self.0), opened.reading.number());
            let driver = async move { session.converse(number, body).await };
            Ok(Exchange::new(Driven::new(opened.reading, Box::pin(driver))))
        })
    }

    fn notify(&self, notification: Notification) -> Boxed<'_, Result<(), Error>> {
        Box::pin(async move {
            let Notification { method, params } = notification;
            let params = meta::stripped(params);
            let body = Message::from(Notification { method, params }).to_json();
            exchange::accepted(&self.0.post(body.into()).await?)
        })
    }

    fn listened(&self) {}

    fn said(&self) -> Said {
        self.0.board.said()
    }

    fn in_flight(&self) -> usize {
        self.0.board.in_flight()
    }

    fn has_others(&self, principal: &str) -> bool {
        self.0.board.has_others(principal)
    }

    fn reserve(&self, asks: mpsc::UnboundedSender<Ask>) {
        self.0.board.put_questions(asks);
    }

    fn close(&self) -> Boxed<'_, ()> {
        Box::pin(async {
            self.0.over("it was closed");
            let headers = self.0.headers().1;
            self.0.state().id = None;
            goodbye(Arc::clone(&self.0.target), headers).await;
        })
    }
}

impl Drop for Session {
    /// A conversation that nobody holds any more is not left open at the other end.
    fn drop(&mut self) {
        self.closed.cancel();
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            let headers = self.headers().1;
            runtime.spawn(goodbye(Arc::clone(&self.target), headers));
        }
    }
}

/// Answers, cancellations, and whatever else is said to the server without a request.
struct Mouth(Weak<Session>);

impl Outlet for Mouth {
    fn send(&self, message: Message) -> Boxed<'_, Result<(), Error>> {
        Box::pin(async move {
            let session = self.0.upgrade().ok_or_else(trouble::broke_off)?;
            let (_, headers) = session.headers();
            // Not to another session: it would not know what is answered.
            let response = session.target.post(headers, message.to_json().into()).await?;
            exchange::accepted(&response)
        })
    }

    fn post(&self, message: Message) {
        let Some(session) = self.0.upgrade() else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        runtime.spawn(async move {
            let (_, headers) = session.headers();
            let _ = session.target.post(headers, message.to_json().into()).await;
        });
    }
}
