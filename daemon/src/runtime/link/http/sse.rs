//! HTTP with server-sent events: the transport of the revision of 2024-11-05.
//!
//! A GET opens a stream of events; the first one, `endpoint`, names the address to which messages are posted; answers come
//! back as events, whichever call they are of. The address must be of the same origin: our headers go there. The
//! conversation is over when the stream is.

use std::sync::Arc;

use http::HeaderMap;
use orch_shared::jsonrpc::{Message, Notification};
use tokio::sync::{broadcast, mpsc};
use tokio_util::sync::CancellationToken;

use super::super::meta::{self, Dress};
use super::super::switchboard::{Outlet, Switchboard};
use super::super::{
    Ask, Boxed, Call, Carrier, Error, Exchange, Frame, Frames as _, Link, NEWS, Opening, Said, greeting, pipe,
};
use super::events::{Events, message_in};
use super::exchange;
use super::target::Target;
use super::trouble::{self, Miss};
use crate::runtime::launch::Era;

/// A conversation.
struct Stream {
    desk: Arc<Desk>,
    board: Arc<Switchboard>,
    closed: CancellationToken,
}

/// Where messages are posted.
struct Desk(Target);

/// Opens the stream, waits for the address to post to, and greets.
pub(super) async fn open(target: &Target, opening: &Opening) -> Result<Link, Miss> {
    let response = target.get(HeaderMap::new()).await?;
    if !response.status().is_success() {
        return Err(exchange::status_of(&response).into());
    }
    if !exchange::is_stream(&response) {
        return Err(Error::Garbled("it is no stream of events".to_owned()).into());
    }
    let mut events = Events::new(response.into_body());
    let desk = Arc::new(Desk(address(target, &mut events).await?));
    let (news, _) = broadcast::channel(NEWS);
    let board = Switchboard::new(Arc::clone(&desk) as Arc<dyn Outlet>, news.clone(), opening.asks.clone());
    let stream = Stream {
        desk,
        board,
        closed: CancellationToken::new(),
    };
    tokio::spawn(read(events, Arc::clone(&stream.board), stream.closed.clone()));
    // From here on the reader ends when this is dropped.
    let opened = stream
        .board
        .open(greeting::initialize(&opening.client), Dress::Legacy)?;
    stream.desk.send(opened.request.into()).await?;
    let mut reading = opened.reading;
    let outcome = loop {
        if let Frame::Done(outcome) = reading.next().await? {
            break outcome;
        }
    };
    let hello = greeting::understand(Era::Legacy, &outcome).map_err(Miss::Declined)?;
    let initialized = Notification {
        method: greeting::INITIALIZED.to_owned(),
        params: None,
    };
    stream.desk.send(initialized.into()).await?;
    let closed = stream.closed.clone();
    Ok(Link::new(hello, Arc::new(stream), news, closed))
}

async fn address(target: &Target, events: &mut Events) -> Result<Target, Miss> {
    while let Some(event) = events.next().await {
        let event = event.map_err(|broken| Error::Garbled(broken.to_string()))?;
        if event.event.as_deref() == Some("endpoint") {
            let declined = || Miss::Declined("it wants messages to be posted to another host".to_owned());
            return target.at(event.data.unwrap_or_default().trim()).ok_or_else(declined);
        }
    }
    Err(Error::Garbled("it names no address to post to".to_owned()).into())
}

/// Hands on what comes, to the end of the stream.
async fn read(mut events: Events, board: Arc<Switchboard>, closed: CancellationToken) {
    let reading = async {
        while let Some(Ok(event)) = events.next().await {
            // Like any other client, we pass over what is no message.
            let messages = message_in(&event).and_then(|text| pipe::messages(text.as_bytes()));
            for message in messages.into_iter().flatten() {
                board.receive(message, None);
            }
        }
    };
    tokio::select! {
        () = closed.cancelled() => {}
        () = reading => {}
    }
    board.end(&trouble::broke_off());
    closed.cancel();
}

impl Carrier for Stream {
    fn request(&self, call: Call) -> Boxed<'_, Result<Exchange, Error>> {
        Box::pin(async move {
            let opened = self.board.open(call, Dress::Legacy)?;
            self.desk.send(opened.request.into()).await?;
            Ok(Exchange::new(opened.reading))
        })
    }

    fn notify(&self, notification: Notification) -> Boxed<'_, Result<(), Error>> {
        let Notification { method, params } = notification;
        let params = meta::stripped(params);
        self.desk.send(Notification { method, params }.into())
    }

    fn listened(&self) {}

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
        self.closed.cancel();
        Box::pin(std::future::ready(()))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        self.closed.cancel();
    }
}

impl Outlet for Desk {
    fn send(&self, message: Message) -> Boxed<'_, Result<(), Error>> {
        Box::pin(async move {
            let response = self.0.post(HeaderMap::new(), message.to_json().into()).await?;
            exchange::accepted(&response)
        })
    }

    fn post(&self, message: Message) {
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        let target = self.0.clone();
        runtime.spawn(async move { target.post(HeaderMap::new(), message.to_json().into()).await });
    }
}
