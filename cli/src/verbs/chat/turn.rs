//! One turn, heard to its end.
//!
//! Flow: what is heard and Ctrl-C come in on one channel. Ctrl-C has the daemon cancel the turn; its last event says that it
//! did, and where that does not come the line is hung up, which cancels it too. The same happens when the turn takes too
//! long. A turn that is left behind is heard until it is known to have begun.

use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use orch_shared::chat::{Answer, Event};
use orch_shared::problem::{Code, Problem};
use orch_shared::route;
use serde_json::json;

use super::Session;
use super::show::Show;
use crate::client::Call;
use crate::client::turns::{Heard, Line};
use crate::report::Failure;
use crate::ui::{Color, NoColor, Talk, Ui};

/// How long the daemon may take to cancel a turn.
const TO_CANCEL: Duration = Duration::from_secs(5);

/// What leaves a turn behind that can be gone on with: a daemon that ends as it should, as one does that is killed; a database
/// that is away; a limit of the model.
const INTERRUPTING: [Code; 4] = [
    Code::ShuttingDown,
    Code::StoreUnavailable,
    Code::StoreReadOnly,
    Code::TooMany,
];

/// How a turn ended that did not fail.
pub(super) enum Ended {
    /// The agent has answered.
    Answered(Answer),
    /// Ctrl-C ended it.
    Cancelled,
    /// It goes on without anybody who hears it. Which one it is.
    LeftBehind(Option<u32>),
}

/// What comes in.
enum Input {
    Heard(Heard),
    Interrupt,
}

impl From<Heard> for Input {
    fn from(heard: Heard) -> Self {
        Self::Heard(heard)
    }
}

/// Why a turn is being cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cancelling {
    /// Somebody pressed Ctrl-C.
    Interrupted,
    /// It took too long.
    TooLong,
}

/// Runs a turn.
pub(super) fn run(session: &mut Session<'_>, call: Call, show: &mut Show<'_>) -> Result<Ended, Failure> {
    let (sender, inputs) = mpsc::channel();
    let interrupts = sender.clone();
    let _work = session.watch.during(move || {
        // Nobody listens: the turn has just ended.
        let _ = interrupts.send(Input::Interrupt);
    });
    let mut line = Some(session.client.turn(call, session.manner(), sender));
    let mut deadline = Instant::now() + session.timeout();
    let mut cancelling = None;
    let ended = loop {
        match inputs.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(Input::Heard(heard)) => {
                if let Some(ended) = take(session, heard, cancelling, show) {
                    break ended;
                }
            }
            Ok(Input::Interrupt) if cancelling.is_none() && can_be_told(session) => {
                cancelling = Some(Cancelling::Interrupted);
                deadline = Instant::now() + TO_CANCEL;
                cancel(session);
            }
            // Ctrl-C again, or nobody to be told.
            Ok(Input::Interrupt) => break Ok(Ended::Cancelled),
            Err(RecvTimeoutError::Timeout) if cancelling.is_none() => {
                cancelling = Some(Cancelling::TooLong);
                deadline = Instant::now() + TO_CANCEL;
                cancel(session);
            }
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => break ended_by(cancelling, session),
        }
    };
    line.take().into_iter().for_each(Line::end);
    ended
}

/// Whether the daemon can be told to cancel: it must be known what.
fn can_be_told(session: &Session<'_>) -> bool {
    session.thread.is_some()
}

/// Has the turn cancelled, without waiting for it.
fn cancel(session: &Session<'_>) {
    let Some(id) = &session.thread else { return };
    let client = session.client.within(TO_CANCEL);
    let call = Call::post(route::cancel(id), &json!({})).once();
    std::thread::spawn(move || {
        let quiet = Ui::new(Color::Never, Talk::Quiet, NoColor::Set);
        // What becomes of it is heard on the line of the turn.
        drop(client.send(&quiet, &call));
    });
}

fn ended_by(cancelling: Option<Cancelling>, session: &Session<'_>) -> Result<Ended, Failure> {
    match cancelling {
        Some(Cancelling::Interrupted) => Ok(Ended::Cancelled),
        Some(Cancelling::TooLong) => Err(too_long(session)),
        None => Err(session.client.lost(&session.way_back())),
    }
}

fn too_long(session: &Session<'_>) -> Failure {
    let seconds = session.timeout().as_secs_f64();
    let detail = format!("the turn took more than {seconds} s, and was cancelled");
    Problem::new(Code::Timeout, detail)
        .suggest("allow it more time: --timeout 30m; or let it go on alone: --detach")
        .into()
}

/// Takes in what was heard; how the turn ended, once it has.
fn take(
    session: &mut Session<'_>,
    heard: Heard,
    cancelling: Option<Cancelling>,
    show: &mut Show<'_>,
) -> Option<Result<Ended, Failure>> {
    let event = match heard {
        Heard::Begun(thread, turn) => {
            session.go_on_with(thread);
            return session.arguments.detach.then_some(Ok(Ended::LeftBehind(turn)));
        }
        Heard::Answer(answer) => Event::Final(answer),
        Heard::Refused(failure) => return Some(failed(session, cancelling, failure)),
        Heard::BrokenOff => return Some(ended_by(cancelling, session)),
        Heard::Event(event) => event,
    };
    let shown = match event {
        Event::Turn { thread_id, turn } => {
            session.go_on_with(thread_id);
            return session.arguments.detach.then_some(Ok(Ended::LeftBehind(Some(turn))));
        }
        Event::Text { iteration, text } => show.text(iteration, &text),
        Event::Thinking { text, .. } => show.thinking(&text),
        Event::ToolCall(call) => show.call(&call),
        Event::ToolResult(result) => show.result(&result),
        Event::Usage(_) => show.answered(),
        Event::Compacted { from, to, .. } => show.note(&format!(
            "turns {from} to {to} had become too long for the model; it is told a summary of them from here on"
        )),
        Event::Final(answer) => {
            session.go_on_with(answer.thread_id.clone());
            let shown = show.answer(&answer);
            return Some(shown.map(|()| Ended::Answered(answer)));
        }
        Event::Error { thread_id, problem, .. } => {
            session.go_on_with(thread_id);
            let code = problem.code;
            let mut failure = Failure::from(problem);
            if INTERRUPTING.contains(&code) {
                failure = failure.hint_instead(session.way_back());
            } else if code == Code::ModelFailed {
                failure = failure.hint(format!("look what is wrong: orchctl why agent/{}", session.agent));
            }
            return Some(failed(session, cancelling, failure));
        }
    };
    shown.err().map(Err)
}

/// A turn that was cancelled from here has not failed.
fn failed(session: &Session<'_>, cancelling: Option<Cancelling>, failure: Failure) -> Result<Ended, Failure> {
    match (failure.code(), cancelling) {
        (Some(Code::TurnCancelled), Some(_)) => ended_by(cancelling, session),
        (_, Some(_) | None) => Err(failure),
    }
}
