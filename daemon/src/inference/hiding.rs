//! What a provider sends, without its key: whatever the status is, and wherever the key is cut.

use std::borrow::Cow;
use std::pin::Pin;
use std::task::{Context, Poll};

use axum::body::Bytes;
use hyper::body::{Body, Frame};
use orch_shared::inference::hiding::Hiding;

use super::relay::{Broken, Incoming};

/// A body from which a key is taken out as it comes.
struct Hidden {
    said: Incoming,
    /// Nothing once the end was told.
    hiding: Option<Hiding>,
}

/// The same body without that key.
pub(super) fn without(key: Option<&str>, said: Incoming) -> Incoming {
    match key.and_then(Hiding::of) {
        None => said,
        hiding => Box::pin(Hidden { said, hiding }),
    }
}

/// The same bytes without that key.
pub(super) fn whole(key: &str, said: Bytes) -> Bytes {
    let Some(mut hiding) = Hiding::of(key) else { return said };
    let mut passed = pushed(&mut hiding, &said);
    let rest = hiding.finish();
    if passed.len() + rest.len() == said.len() {
        return said;
    }
    if !rest.is_empty() {
        passed = [&passed[..], &rest].concat().into();
    }
    passed
}

fn pushed(hiding: &mut Hiding, chunk: &Bytes) -> Bytes {
    match hiding.push(chunk) {
        Cow::Borrowed(passed) => chunk.slice_ref(passed),
        Cow::Owned(passed) => passed.into(),
    }
}

impl Body for Hidden {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Self::Error>>> {
        let Self { said, hiding } = &mut *self;
        loop {
            let Some(looking) = hiding else {
                return Poll::Ready(None);
            };
            let frame = match said.as_mut().poll_frame(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(frame)) => frame,
                Poll::Ready(None) => {
                    let rest = looking.finish();
                    *hiding = None;
                    return Poll::Ready(
                        Some(rest)
                            .filter(|rest| !rest.is_empty())
                            .map(|rest| Ok(Frame::data(rest.into()))),
                    );
                }
            };
            match frame.map(Frame::into_data) {
                Ok(Ok(chunk)) => {
                    let passed = pushed(looking, &chunk);
                    if !passed.is_empty() {
                        return Poll::Ready(Some(Ok(Frame::data(passed))));
                    }
                }
                Ok(Err(other)) => return Poll::Ready(Some(Ok(other))),
                Err(broken) => return Poll::Ready(Some(Err(broken))),
            }
        }
    }
}
