//! An answer that comes bit by bit, on its way to the client.
//!
//! Guarantees: what the provider sends is passed on as it comes, what is there already as one piece; a client that goes away
//! takes the request at the provider with it. A provider that falls silent or breaks off ends in an event that says so, in the
//! client's words. However it ends, the account is closed.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::StatusCode;
use bytes::BytesMut;
use hyper::body::{Body, Frame};
use orch_shared::inference::usage::Watch;
use tokio::time::{Instant, Sleep};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::account::Account;
use crate::audit::Withdrawn;

/// So many bytes go on, whatever else is there already.
const MUCH: usize = 32 << 10;

/// What makes of the bytes of a provider those for the client.
pub(super) trait Passage: Send {
    /// More came.
    fn push(&mut self, chunk: Bytes, out: &mut VecDeque<Bytes>);
    /// Nothing more comes. Whether the answer was complete.
    fn end(&mut self, out: &mut VecDeque<Bytes>) -> bool;
    /// It broke off; says so, if it can still be said.
    fn broke_off(&mut self, message: &str, out: &mut VecDeque<Bytes>);
    /// What was seen of what the provider says.
    fn watch(&self) -> &Watch;
}

/// Why nothing more comes.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(super) struct Broken(pub(super) Box<dyn std::error::Error + Send + Sync>);

/// What the provider sends.
pub(super) type Incoming = Pin<Box<dyn Body<Data = Bytes, Error = Broken> + Send>>;

/// The answer, as a body.
pub(super) struct Relay {
    incoming: Option<Incoming>,
    passage: Box<dyn Passage>,
    out: VecDeque<Bytes>,
    account: Account,
    /// How long the provider may be silent.
    patience: Duration,
    silence: Pin<Box<Sleep>>,
    /// Whether it has said something since the silence was last measured.
    was_heard: bool,
    shutdown: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl Relay {
    /// Passes an answer on.
    pub(super) fn new(
        incoming: Incoming,
        passage: Box<dyn Passage>,
        account: Account,
        patience: Duration,
        shutdown: CancellationToken,
    ) -> Self {
        Self {
            incoming: Some(incoming),
            passage,
            out: VecDeque::new(),
            account,
            patience,
            silence: Box::pin(tokio::time::sleep(patience)),
            was_heard: false,
            shutdown: Box::pin(shutdown.cancelled_owned()),
        }
    }

    /// Where it is noted that the answer may not go on.
    pub(super) fn withdrawn(&self) -> Withdrawn {
        self.account.withdrawn()
    }

    /// A piece of the answer came.
    fn took(&mut self, chunk: Bytes) {
        self.passage.push(chunk, &mut self.out);
        let watch = self.passage.watch();
        if watch.first_content_seen() {
            self.account.began_to_answer();
        }
        self.account.watched(watch);
        self.was_heard = true;
    }

    /// Whether so much is gathered that it goes on before more is taken.
    fn is_much(&self) -> bool {
        self.out.iter().map(Bytes::len).sum::<usize>() >= MUCH
    }

    /// What is gathered, as one piece: to write pieces one by one takes several times as long as to copy them.
    fn gathered(&mut self) -> Option<Result<Frame<Bytes>, Infallible>> {
        let first = self.out.pop_front()?;
        if self.out.is_empty() {
            return Some(Ok(Frame::data(first)));
        }
        let length = self.out.iter().fold(first.len(), |length, next| length + next.len());
        let mut whole = BytesMut::with_capacity(length);
        whole.extend_from_slice(&first);
        for next in self.out.drain(..) {
            whole.extend_from_slice(&next);
        }
        Some(Ok(Frame::data(whole.freeze())))
    }

    /// Nothing more comes from the provider.
    fn end(&mut self) {
        self.incoming = None;
        let is_complete = self.passage.end(&mut self.out);
        self.account.watched(self.passage.watch());
        if is_complete {
            self.account.answered(StatusCode::OK);
        } else {
            self.passage.broke_off("the provider broke off", &mut self.out);
            self.account.broke_off("the provider broke off");
        }
    }

    fn break_off(&mut self, why: &str) {
        self.incoming = None;
        self.passage.broke_off(why, &mut self.out);
        self.account.watched(self.passage.watch());
        self.account.broke_off(why);
    }
}

impl Body for Relay {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let relay = &mut *self;
        loop {
            let Some(incoming) = &mut relay.incoming else {
                return Poll::Ready(relay.gathered());
            };
            match incoming.as_mut().poll_frame(context) {
                Poll::Ready(Some(Ok(frame))) => {
                    let Ok(chunk) = frame.into_data() else { continue };
                    relay.took(chunk);
                    if relay.is_much() {
                        return Poll::Ready(relay.gathered());
                    }
                }
                Poll::Ready(None) => relay.end(),
                Poll::Ready(Some(Err(_))) => relay.break_off("the connection to the provider broke off"),
                Poll::Pending if !relay.out.is_empty() => {
                    return Poll::Ready(relay.gathered());
                }
                Poll::Pending => {
                    if std::mem::take(&mut relay.was_heard) {
                        relay.silence.as_mut().reset(Instant::now() + relay.patience);
                    }
                    if relay.silence.as_mut().poll(context).is_ready() {
                        let why = format!("the provider was silent for {} s", relay.patience.as_secs());
                        relay.break_off(&why);
                    } else if relay.shutdown.as_mut().poll(context).is_ready() {
                        relay.break_off("the daemon is shutting down");
                    } else {
                        return Poll::Pending;
                    }
                }
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_none() && self.out.is_empty()
    }
}
