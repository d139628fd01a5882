//! Streamable HTTP with a server of the newer era: every request stands for itself.
//!
//! There is no session, and nothing to close. Waiting no more for a request is hanging up on it. A server that does not
//! understand any more what it understood before was replaced by another; then the conversation is over, and whoever wants
//! to go on opens another one.

use std::sync::{Arc, Weak};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use orch_shared::jsonrpc::{Message, Notification};
use serde_json::value::RawValue;
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;

use super::super::meta::{self, Dress};
use super::super::subscription::Listening;
use super::super::switchboard::{Outlet, Switchboard};
use super::super::{Ask, Boxed, Call, Carrier, Error, Exchange, Hello, Link, NEWS, Said, greeting};
use super::exchange::{self, Driven, Place, Read};
use super::headers::{self, VERSION};
use super::target::Target;
use super::trouble::{self, Miss};
use crate::runtime::launch::Era;

/// A conversation.
struct Modern {
    target: Arc<Target>,
    board: Arc<Switchboard>,
    listening: Listening,
    closed: CancellationToken,
}

/// Asks a server of the newer era what it can do.
pub(super) async fn greet(target: &Arc<Target>) -> Result<Hello, Miss> {
    let (news, _) = broadcast::channel(1);
    let board = Switchboard::new(Arc::new(Silence), news, None);
    let opened = board.open(greeting::discover(), Dress::Modern(greeting::MODERN))?;
    let mut reading = opened.reading;
    let headers = headers_for(&opened.request.method, None, opened.request.params.as_deref(), None);
    let body = Message::from(opened.request).to_json().into();
    ask(target, &board, reading.number(), headers, body).await?;
    let outcome = reading.answer().unwrap_or_else(|| Err(trouble::broke_off()))?;
    greeting::understand(Era::Modern, &outcome).map_err(Miss::Declined)
}

/// A conversation with a server that has said what it can do.
pub(super) fn open(target: &Arc<Target>, hello: Hello) -> Link {
    let (news, _) = broadcast::channel(NEWS);
    let board = Switchboard::new(Arc::new(Silence), news.clone(), None);
    let closed = CancellationToken::new();
    let carrier = Arc::new_cyclic(|me: &Weak<Modern>| Modern {
        target: Arc::clone(target),
        board,
        listening: Listening::new(me.clone(), &hello, news.clone(), closed.clone()),
        closed: closed.clone(),
    });
    Link::new(hello, carrier, news, closed)
}

fn headers_for(method: &str, about: Option<&str>, params: Option<&RawValue>, schema: Option<&RawValue>) -> HeaderMap {
    let mut headers = headers::of_request(method, about, params, schema);
    headers.insert(VERSION, HeaderValue::from_static(greeting::MODERN));
    headers
}

/// Makes one request, up to its answer.
async fn ask(
    target: &Target,
    board: &Arc<Switchboard>,
    number: u64,
    headers: HeaderMap,
    body: Bytes,
) -> Result<(), Error> {
    let response = target.post(headers, body).await?;
    match exchange::read(response, board, number, &mut Place::default()).await? {
        Read::Answered => Ok(()),
        Read::Ended => Err(trouble::broke_off()),
    }
}

impl Carrier for Modern {
    fn request(&self, mut call: Call) -> Boxed<'_, Result<Exchange, Error>> {
        Box::pin(async move {
            let (about, schema) = (call.about.take(), call.schema.take());
            let opened = self.board.open(call, Dress::Modern(greeting::MODERN))?;
            let request = opened.request;
            let headers = headers_for(
                &request.method,
                about.as_deref(),
                request.params.as_deref(),
                schema.as_deref(),
            );
            let body = Message::from(request).to_json().into();
            let (target, board) = (Arc::clone(&self.target), Arc::clone(&self.board));
            let (number, closed) = (opened.reading.number(), self.closed.clone());
            let driver = async move {
                let asked = ask(&target, &board, number, headers, body).await;
                if let Err(Error::Status {
                    status: 400 | 404 | 405 | 406 | 410,
                    ..
                }) = &asked
                {
                    closed.cancel();
                }
                asked
            };
            Ok(Exchange::new(Driven::new(opened.reading, Box::pin(driver))))
        })
    }

    fn notify(&self, notification: Notification) -> Boxed<'_, Result<(), Error>> {
        Box::pin(async move {
            let Notification { method, params } = notification;
            let params = meta::stripped(params);
            let headers = headers_for(&method, None, params.as_deref(), None);
            let body = Message::from(Notification { method, params }).to_json();
            exchange::accepted(&self.target.post(headers, body.into()).await?)
        })
    }

    fn listened(&self) {
        self.listening.begin();
    }

    fn said(&self) -> Said {
        self.board.said()
    }

    fn in_flight(&self) -> usize {
        self.board.in_flight()
    }

    fn has_others(&self, principal: &str) -> bool {
        self.board.has_others(principal)
    }

    fn reserve(&self, asks: mpsc::UnboundedSender<Ask>) {
        self.board.put_questions(asks);
    }

    fn close(&self) -> Boxed<'_, ()> {
        Box::pin(async {
            self.board.end(&Error::Closed("it was closed".to_owned()));
            self.closed.cancel();
        })
    }
}

impl Drop for Modern {
    fn drop(&mut self) {
        self.closed.cancel();
    }
}

/// Servers of the newer era are told nothing that they have not asked for: they ask nothing.
struct Silence;

impl Outlet for Silence {
    fn send(&self, _: Message) -> Boxed<'_, Result<(), Error>> {
        let none = Error::Closed("a server of the newer era takes no answers".to_owned());
        Box::pin(std::future::ready(Err(none)))
    }

    fn post(&self, _: Message) {}
}
