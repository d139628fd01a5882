//! Turns of agents, heard while they are under way.
//!
//! Enters: the call that begins or resumes a turn. Leaves: what is [`Heard`], on a channel that others may use too, from a
//! thread of its own; and a [`Line`] that ends it. What the turn is about is for others to say.

use std::io::BufReader;
use std::sync::mpsc::Sender;
use std::time::{Duration, Instant};

use orch_shared::chat::{Answer, Event, THREAD_HEADER, TURN_HEADER};
use orch_shared::problem::{Code, Problem};
use ureq::http::Response;
use ureq::{Agent, Body};

use super::retry::{self, Backoff, Wait};
use super::stream::{Opened, endless};
use super::{Call, Client, Insist, may_pass, not_ours};
use crate::report::Failure;

/// What stands behind the last event of a stream.
const DONE: &str = "[DONE]";

/// What is heard of a turn. The last one is an `Answer`, a last event, `Refused` or `BrokenOff`.
#[derive(Debug)]
pub(crate) enum Heard {
    /// Which thread and turn it is, said before anything else.
    Begun(String, Option<u32>),
    /// Something happens.
    Event(Event),
    /// The answer as a whole.
    Answer(Answer),
    /// There is no turn, or it has come to nothing.
    Refused(Failure),
    /// The daemon has gone, or the line to it was ended.
    BrokenOff,
}

/// How the answer comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// Event by event.
    Streamed,
    /// As a whole.
    Whole,
}

/// The connection that a turn is heard on.
pub(crate) struct Line(Agent);

impl Line {
    /// Hangs up.
    pub(crate) fn end(self) {
        self.0.shutdown();
    }
}

impl Client {
    /// Begins or resumes a turn, and hears what comes of it.
    pub(crate) fn turn<T: From<Heard> + Send + 'static>(&self, call: Call, manner: Manner, heard: Sender<T>) -> Line {
        let client = self.apart();
        let line = Line(client.agent.clone());
        std::thread::spawn(move || {
            // Who does not listen any more has heard enough.
            let tell = |what: Heard| heard.send(T::from(what)).is_ok();
            let ended = match client.begin(&call) {
                Ok(response) => {
                    if let Some((thread, turn)) = named(&response) {
                        tell(Heard::Begun(thread, turn));
                    }
                    match manner {
                        Manner::Streamed => events(response, &tell),
                        Manner::Whole => client.whole(response),
                    }
                }
                Err(refused) => {
                    if let Some((thread, turn)) = refused.turn {
                        tell(Heard::Begun(thread, turn));
                    }
                    Some(Heard::Refused(refused.failure))
                }
            };
            if let Some(ended) = ended {
                tell(ended);
            }
        });
        line
    }

    /// The answer to a call, open. What may pass is tried again, as long as no turn has begun.
    fn begin(&self, call: &Call) -> Result<Response<Body>, Refused> {
        let mut backoff = Backoff::new(retry::PATIENCE);
        loop {
            let started = Instant::now();
            let response = self
                .exchange(call, None)
                .map_err(|error| Refused::of(self.unreachable(call, &error)))?;
            if response.status().is_success() {
                return Ok(response);
            }
            let turn = named(&response);
            let Err(problem) = self.read(response).map_err(Refused::of)? else {
                return Err(Refused::of(not_ours(&self.server, "no answer of an agent")));
            };
            let pause = match turn.is_none() && may_pass(Insist::Usually, &problem) {
                true => {
                    let asked = problem.retry_after.map(Duration::from_secs);
                    backoff.next(started.elapsed(), asked, retry::jitter())
                }
                false => Wait::GiveUp,
            };
            match pause {
                Wait::For(pause) => std::thread::sleep(pause),
                Wait::GiveUp => {
                    let failure = self.refused(call, problem);
                    return Err(Refused { failure, turn });
                }
            }
        }
    }

    fn whole(&self, response: Response<Body>) -> Option<Heard> {
        Some(match self.take_in(response) {
            Ok(answer) => match answer.json() {
                Ok(answer) => Heard::Answer(answer),
                Err(failure) => Heard::Refused(failure),
            },
            Err(_) => Heard::BrokenOff,
        })
    }

    /// That the daemon has gone while a turn was under way, and what to do then.
    pub(crate) fn lost(&self, hint: &str) -> Failure {
        Problem::new(
            Code::DaemonUnreachable,
            format!("{} broke off in the middle of the turn", self.server),
        )
        .suggest(hint)
        .into()
    }
}

/// Why there is no answer.
struct Refused {
    failure: Failure,
    /// The turn that has come to nothing, when one had begun.
    turn: Option<(String, Option<u32>)>,
}

impl Refused {
    const fn of(failure: Failure) -> Self {
        Self { failure, turn: None }
    }
}

/// Which thread and turn an answer says that it belongs to.
fn named(response: &Response<Body>) -> Option<(String, Option<u32>)> {
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let turn = header(TURN_HEADER).and_then(|turn| turn.parse().ok());
    Some((header(THREAD_HEADER)?.to_owned(), turn))
}

/// Tells every event. Nothing is left to be told behind the last one.
fn events(response: Response<Body>, tell: &dyn Fn(Heard) -> bool) -> Option<Heard> {
    for event in Opened::new(BufReader::new(endless(response.into_body()))) {
        if event.data == DONE {
            break;
        }
        // What this version cannot read is nothing it could show.
        let Ok(event) = serde_json::from_str::<Event>(&event.data) else {
            continue;
        };
        let is_last = event.is_last();
        if !tell(Heard::Event(event)) || is_last {
            return None;
        }
    }
    Some(Heard::BrokenOff)
}
