//! Opening a conversation with a child, in whichever era it speaks.
//!
//! Where the era is not known, `server/discover` is asked first, for a second; a server of the older era says no, or
//! nothing, and is then greeted with `initialize`. Servers that are slow to come up answer the question late, in the midst
//! of the greeting: that answer is not lost and tells the era for the next start. What is known of the era only decides what
//! is tried first: a server that was replaced by another version is greeted all the same.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use orch_shared::jsonrpc::Outcome;

use super::launch::Era;
use super::link::greeting;
use super::link::pipe::{Pipe, Reading};
use super::link::{Client, Error, Frame, Frames as _, Hello};

/// How long an unknown server is given to answer the question of the newer era.
const PROBE_PATIENCE: Duration = Duration::from_secs(1);

/// Why there is no conversation.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The child closed its standard output, or ended.
    Closed,
    /// It answered, but not as a server does: what, in a clause, not masked.
    Answered(String),
}

/// The question which era a child speaks; its answer is kept, in time or late.
#[derive(Default)]
pub(super) struct Probe {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    waiting: Option<Reading>,
    in_time: bool,
}

impl Probe {
    /// Asks, and waits for the answer for a while.
    async fn ask(&self, pipe: &Pipe) -> Result<Option<Outcome>, Refusal> {
        let asked = pipe.call(greeting::discover(), Era::Modern).await;
        let mut reading = asked.map_err(|_| Refusal::Closed)?;
        match tokio::time::timeout(PROBE_PATIENCE, answer(&mut reading)).await {
            Ok(Ok(outcome)) => {
                self.state().in_time = true;
                Ok(Some(outcome))
            }
            Ok(Err(_)) => Err(Refusal::Closed),
            Err(_) => {
                self.state().waiting = Some(reading);
                Ok(None)
            }
        }
    }

    /// The answer, if it came when nobody waited for it any more.
    pub(super) fn late_answer(&self) -> Option<Outcome> {
        let mut state = self.state();
        state.waiting.as_mut()?.answer()?.ok()
    }

    /// Whether it was answered while it was waited for.
    pub(super) fn is_answered_in_time(&self) -> bool {
        self.state().in_time
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Probe {
    /// A server that has not answered by now never will; telling it that nobody waits would only puzzle it.
    fn drop(&mut self) {
        let waiting = self.state().waiting.take();
        if let Some(reading) = waiting {
            reading.forget();
        }
    }
}

/// Opens a conversation with a child: what it said of itself, and the newest era that it is known to speak.
pub(super) async fn open(
    pipe: &Pipe,
    hint: Option<Era>,
    client: &Client,
    probe: &Probe,
) -> Result<(Hello, Era), Refusal> {
    let (first, said) = match hint {
        Some(era) => (era, None),
        None => match probe.ask(pipe).await? {
            Some(outcome @ Outcome::Result(_)) => (Era::Modern, Some(outcome)),
            Some(outcome) if greeting::is_modern_refusal(&outcome) => (Era::Modern, Some(outcome)),
            Some(Outcome::Error(_)) | None => (Era::Legacy, None),
        },
    };
    let greeted = match said {
        // The question was the greeting.
        Some(outcome) => greeting::understand(first, &outcome).map_err(Refusal::Answered),
        None => greet(pipe, first, client).await,
    };
    let refused = match greeted {
        Ok(hello) => {
            let late = probe.late_answer().is_some_and(|outcome| is_discovery(&outcome));
            return Ok((hello, if late { Era::Modern } else { first }));
        }
        Err(refused) => refused,
    };
    let second = match first {
        Era::Modern => Era::Legacy,
        Era::Legacy => Era::Modern,
    };
    match refused {
        Refusal::Closed => Err(Refusal::Closed),
        Refusal::Answered(reason) => match greet(pipe, second, client).await {
            Ok(hello) => Ok((hello, second)),
            // The second way was only a guess; what went wrong with the first is what there is to tell.
            Err(Refusal::Answered(_)) => Err(Refusal::Answered(reason)),
            Err(Refusal::Closed) => Err(Refusal::Closed),
        },
    }
}

/// Whether somebody has answered the question of the newer era with yes.
pub(super) fn is_discovery(outcome: &Outcome) -> bool {
    greeting::understand(Era::Modern, outcome).is_ok()
}

async fn greet(pipe: &Pipe, era: Era, client: &Client) -> Result<Hello, Refusal> {
    let call = match era {
        Era::Modern => greeting::discover(),
        Era::Legacy => greeting::initialize(client),
    };
    let closed = |_| Refusal::Closed;
    let mut reading = pipe.call(call, era).await.map_err(closed)?;
    let outcome = answer(&mut reading).await.map_err(|error| match error {
        Error::Garbled(reason) => Refusal::Answered(reason),
        Error::Closed(_) | Error::Unsent(_) | Error::Unreachable(_) | Error::Status { .. } | Error::Overrun => {
            Refusal::Closed
        }
    })?;
    let hello = greeting::understand(era, &outcome).map_err(Refusal::Answered)?;
    if era == Era::Legacy {
        pipe.notify(greeting::INITIALIZED, None).await.map_err(closed)?;
    }
    Ok(hello)
}

/// The answer, whatever is said before it.
async fn answer(reading: &mut Reading) -> Result<Outcome, Error> {
    loop {
        if let Frame::Done(outcome) = reading.next().await? {
            return Ok(outcome);
        }
    }
}
