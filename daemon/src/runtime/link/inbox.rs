//! What waits to be read by one exchange.
//!
//! Whoever hears the server never waits for whoever reads an exchange: one slow reader would hold up all others. So what is
//! not read yet is kept, within bounds. Of much progress the older is dropped, for the newer says it all; of anything else
//! nothing is, and an exchange that is read too slowly for that ends with [`Error::Overrun`].

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use orch_shared::jsonrpc::{Notification, Outcome};

use super::{Ask, Error, Frame};

/// So many pieces of progress wait at most.
const PROGRESS: usize = 256;

/// So many frames wait at most.
const FRAMES: usize = 10_000;

/// So many bytes wait at most, the answer apart.
const BYTES: usize = 64 << 20;

/// Frames that wait for one reader.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    frames: VecDeque<(Weight, Frame)>,
    progress: usize,
    bytes: usize,
    /// Why nothing more will come.
    end: Option<Error>,
    /// Whoever waits for more.
    reader: Option<Waker>,
}

/// What a frame counts for.
#[derive(Debug, Clone, Copy)]
enum Weight {
    Progress(usize),
    Other(usize),
}

impl Weight {
    const fn bytes(self) -> usize {
        match self {
            Self::Progress(bytes) | Self::Other(bytes) => bytes,
        }
    }
}

/// More waits than can be kept.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Overfull;

impl Inbox {
    /// Adds progress, in place of older progress if need be.
    pub(super) fn progress(&self, notification: Notification) -> Result<(), Overfull> {
        let weight = Weight::Progress(size(&notification));
        self.push(weight, Frame::Notification(notification))
    }

    /// Adds a notification.
    pub(super) fn notification(&self, notification: Notification) -> Result<(), Overfull> {
        let weight = Weight::Other(size(&notification));
        self.push(weight, Frame::Notification(notification))
    }

    /// Adds a question.
    pub(super) fn ask(&self, ask: Ask) -> Result<(), Overfull> {
        let weight = Weight::Other(ask.params.as_ref().map_or(0, |params| params.get().len()));
        self.push(weight, Frame::Ask(ask))
    }

    /// Adds the answer; nothing is taken after it.
    pub(super) fn done(&self, outcome: Outcome) {
        let mut waiting = self.waiting();
        if waiting.end.is_none() {
            waiting.frames.push_back((Weight::Other(0), Frame::Done(outcome)));
            waiting.end = Some(over());
        }
        waiting.wake();
    }

    /// Ends it without an answer. What waits can still be read.
    pub(super) fn end(&self, error: Error) {
        let mut waiting = self.waiting();
        waiting.end.get_or_insert(error);
        waiting.wake();
    }

    /// The next frame, if one waits.
    pub(super) fn take(&self) -> Option<Result<Frame, Error>> {
        self.waiting().take()
    }

    /// The next frame, now or when whoever asks is woken. There is one reader.
    pub(super) fn poll(&self, context: &Context<'_>) -> Poll<Result<Frame, Error>> {
        let mut waiting = self.waiting();
        match waiting.take() {
            Some(next) => Poll::Ready(next),
            None => {
                waiting.reader = Some(context.waker().clone());
                Poll::Pending
            }
        }
    }

    fn push(&self, weight: Weight, frame: Frame) -> Result<(), Overfull> {
        let mut waiting = self.waiting();
        if waiting.end.is_some() {
            return Ok(());
        }
        if let Weight::Progress(_) = weight {
            if waiting.progress == PROGRESS {
                waiting.drop_oldest_progress();
            }
            waiting.progress += 1;
        }
        waiting.bytes += weight.bytes();
        waiting.frames.push_back((weight, frame));
        let fits = waiting.bytes <= BYTES && waiting.frames.len() <= FRAMES;
        let dropped = (!fits).then(|| {
            let end = Some(Error::Overrun);
            std::mem::replace(
                &mut *waiting,
                Waiting {
                    end,
                    ..Waiting::default()
                },
            )
        });
        waiting.wake();
        drop(waiting);
        // A question that is dropped speaks up for itself; not while anything is locked.
        dropped.map_or(Ok(()), |_| Err(Overfull))
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn wake(&mut self) {
        if let Some(reader) = self.reader.take() {
            reader.wake();
        }
    }

    fn take(&mut self) -> Option<Result<Frame, Error>> {
        let Some((weight, frame)) = self.frames.pop_front() else {
            return self.end.clone().map(Err);
        };
        self.bytes -= weight.bytes();
        if let Weight::Progress(_) = weight {
            self.progress -= 1;
        }
        Some(Ok(frame))
    }

    fn drop_oldest_progress(&mut self) {
        let is_progress = |(weight, _): &(Weight, Frame)| matches!(weight, Weight::Progress(_));
        if let Some(at) = self.frames.iter().position(is_progress)
            && let Some((weight, _)) = self.frames.remove(at)
        {
            self.bytes -= weight.bytes();
            self.progress -= 1;
        }
    }
}

fn size(notification: &Notification) -> usize {
    notification.method.len() + notification.params.as_ref().map_or(0, |params| params.get().len())
}

/// What whoever asks for more than the answer is told.
pub(super) fn over() -> Error {
    Error::Closed("the exchange is over".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use orch_shared::jsonrpc::raw;

    fn said(text: &str) -> Notification {
        Notification {
            method: "notifications/x".to_owned(),
            params: Some(raw(text)),
        }
    }

    fn texts(inbox: &Inbox) -> Vec<String> {
        std::iter::from_fn(|| match inbox.take() {
            Some(Ok(Frame::Notification(notification))) => Some(notification.params?.get().to_owned()),
            Some(Ok(Frame::Done(_))) => Some("done".to_owned()),
            Some(Ok(Frame::Ask(_)) | Err(_)) | None => None,
        })
        .collect()
    }

    #[test]
    fn older_progress_makes_room() {
        let inbox = Inbox::default();
        inbox.notification(said("first")).expect("room");
        for number in 0..PROGRESS + 10 {
            inbox.progress(said(&number.to_string())).expect("room");
        }
        inbox.done(Outcome::Result(raw(&1)));
        let texts = texts(&inbox);
        assert_eq!(texts.len(), PROGRESS + 2);
        assert_eq!(texts[..2], ["\"first\"", "\"10\""]);
        assert_eq!(texts[PROGRESS..], [format!("\"{}\"", PROGRESS + 9), "done".to_owned()]);
    }

    #[test]
    fn too_much_ends_it() {
        let inbox = Inbox::default();
        let large = "x".repeat(1 << 20);
        let took = (0..BYTES >> 20)
            .take_while(|_| inbox.notification(said(&large)).is_ok())
            .count();
        assert_eq!(took, (BYTES >> 20) - 1);
        inbox.done(Outcome::Result(raw(&1)));
        assert!(matches!(inbox.take(), Some(Err(Error::Overrun))));
    }

    #[test]
    fn an_end_comes_after_what_was_said() {
        let inbox = Inbox::default();
        inbox.notification(said("a")).expect("room");
        inbox.end(Error::Closed("gone".to_owned()));
        inbox.done(Outcome::Result(raw(&1)));
        assert!(matches!(inbox.take(), Some(Ok(Frame::Notification(_)))));
        assert!(matches!(inbox.take(), Some(Err(Error::Closed(why))) if why == "gone"));
    }
}
