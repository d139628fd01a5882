//! Working at a turn: what is to be done next is done, and written down before and after.

use std::sync::Arc;

use orch_shared::chat::{Answer, CallState, Event, Message, Role, ToolCall, ToolResult};
use orch_shared::inference::reasoning;
use orch_shared::kinds::agent::Params;
use orch_shared::problem::{Code, Problem};
use tokio::sync::mpsc;

use super::delegation::Lineage;
use super::history::Entry;
use super::meter::{Meter, usage};
use super::next::{Action, Over, Stands, next};
use super::owner::Known;
use super::results::Told;
use super::running::{Place, Why};
use super::toolbox::Toolbox;
use super::{Agents, Caller};
use crate::gateway::{Visit, Visitor};
use crate::inference::Behalf;
use crate::store::{self, CallEnd, Ending, HeldTurn, NewMessage, Step};

/// What a turn works with.
pub(super) struct Working {
    pub(super) held: HeldTurn,
    pub(super) turn: u32,
    pub(super) known: Known,
    pub(super) caller: Caller,
    pub(super) params: Params,
    /// What the model is told first.
    pub(super) system: String,
    pub(super) meter: Arc<Meter>,
    pub(super) lineage: Lineage,
    pub(super) events: mpsc::UnboundedSender<Event>,
}

impl Working {
    /// Tells whoever listens.
    pub(super) fn tell(&self, event: Event) {
        // A turn that goes on without its client has nobody to tell.
        let _ = self.events.send(event);
    }

    /// For whom the model is asked.
    pub(super) fn behalf(&self) -> Behalf {
        Behalf {
            agent: self.known.name().clone(),
            thread: self.held.thread.clone(),
            project: self.known.spec().project.clone(),
            withdrawn: self.lineage.withdrawn.clone(),
        }
    }
}

/// What is known of the thread while its turn is worked at.
#[derive(Debug, Default)]
pub(super) struct State {
    /// The messages that the model may have to be told of, in order.
    pub(super) entries: Vec<Entry>,
    pub(super) toolbox: Toolbox,
    /// How many requests to models the turn has made.
    pub(super) exchanges: i64,
}

/// Why a turn comes to nothing.
#[derive(Debug)]
pub(super) enum Failure {
    /// This happened.
    Problem(Box<Problem>),
    /// This happened, and passes: the turn can be gone on with then.
    Passing(Box<Problem>),
    /// The turn is not this run's any more, or is gone.
    Lost,
}

impl From<Problem> for Failure {
    fn from(problem: Problem) -> Self {
        match problem.code {
            Code::StoreUnavailable | Code::StoreReadOnly => Self::Passing(Box::new(problem)),
            _ => Self::Problem(Box::new(problem)),
        }
    }
}

impl From<store::Error> for Failure {
    fn from(error: store::Error) -> Self {
        Problem::from(error).into()
    }
}

impl From<&Over> for Failure {
    fn from(over: &Over) -> Self {
        over.problem().into()
    }
}

/// A message as it is written down: what its row says itself is filled in when it is read.
pub(super) fn kept(message: &Message) -> String {
    serde_json::to_string(message).expect("a message is plain data")
}

/// A message as it was written down.
pub(super) fn read(row: &store::Message) -> Option<Entry> {
    let mut message: Message = serde_json::from_str(&row.message).ok()?;
    message.number = row.number;
    message.turn = u32::try_from(row.turn).unwrap_or(u32::MAX);
    if let Some(result) = &mut message.result {
        let state = CallState::ALL.into_iter().find(|state| state.as_str() == row.state);
        result.state = state.unwrap_or(CallState::Unknown);
        let told = super::history::text_of(result.state, &result.text).to_owned();
        if result.state != CallState::Pending {
            message.text.clone_from(&told);
            result.text = told;
        }
    }
    let signed = row.signed.as_ref().and_then(|signed| serde_json::from_str(signed).ok());
    Some(Entry { message, signed })
}

impl Agents {
    /// Works at a turn until it is over, however that comes about.
    pub(super) async fn work(self, working: Arc<Working>, place: Place) {
        let visit = working.known.spec().project.clone().and_then(|project| {
            self.0.gateway.visit(Visitor {
                principal: working.caller.principal.clone(),
                project,
                clause: working.behalf().clause(),
                request_id: working.caller.request_id.clone(),
            })
        });
        let ended = tokio::select! {
            biased;
            why = place.going().ended() => Err(Some(why)),
            () = tokio::time::sleep(working.meter.left()) => {
                let most = working.meter.bounds().time;
                Ok(Err(Failure::from(&Over::Time { most })))
            }
            () = self.0.shutdown.cancelled() => Err(None),
            done = self.drive(&working, visit.as_ref()) => Ok(done),
        };
        if let Some(visit) = visit {
            visit.end().await;
        }
        let last = match ended {
            Ok(Ok(answer)) => self.complete(&working, answer).await,
            Ok(Err(Failure::Problem(problem))) => self.fail(&working, *problem, "error").await,
            Ok(Err(Failure::Passing(problem))) => {
                let problem = problem.suggest(way_back(&working.held.thread));
                self.fail(&working, problem, "interrupted").await
            }
            Ok(Err(Failure::Lost)) => gone(),
            Err(Some(Why::Cancelled)) => {
                let problem = Problem::new(Code::TurnCancelled, "the turn was cancelled");
                self.fail(&working, problem, "cancelled").await
            }
            Err(Some(Why::Withdrawn)) => {
                let detail = "rights were withdrawn that the turn needs";
                self.fail(&working, Problem::new(Code::Forbidden, detail), "error")
                    .await
            }
            Err(Some(Why::Ending) | None) => {
                let problem = Problem::new(Code::ShuttingDown, "the daemon ends; the turn can be resumed")
                    .suggest(way_back(&working.held.thread));
                self.fail(&working, problem, "interrupted").await
            }
        };
        drop(place);
        working.tell(match last {
            Last::Answer(answer) => Event::Final(*answer),
            Last::Problem(problem) => Event::Error {
                thread_id: working.held.thread.clone(),
                turn: working.turn,
                problem: *problem,
            },
        });
    }

    async fn complete(&self, working: &Working, answer: Answer) -> Last {
        let ending = Ending {
            state: "complete",
            calls: "unknown",
            problem: None,
            spent: Some(working.meter.spent()),
        };
        match self.end(working, ending).await {
            Ok(true) => Last::Answer(Box::new(answer)),
            Ok(false) => gone(),
            Err(error) => Last::Problem(Box::new(error.into())),
        }
    }

    async fn fail(&self, working: &Working, problem: Problem, state: &'static str) -> Last {
        let calls = match state {
            "interrupted" => "pending",
            _ => "cancelled",
        };
        let ending = Ending {
            state,
            calls,
            problem: (state == "error").then(|| serde_json::to_string(&problem).expect("a problem is plain data")),
            spent: Some(working.meter.spent()),
        };
        match self.end(working, ending).await {
            Ok(true) => Last::Problem(Box::new(problem)),
            Ok(false) => gone(),
            Err(_) => Last::Problem(Box::new(problem)),
        }
    }

    /// Writes the end down; more than once, if need be. Where the database is away for longer, that is done later, and whoever
    /// waits is not kept until then.
    async fn end(&self, working: &Working, ending: Ending) -> Result<bool, store::Error> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.0.store.end_turn(&working.held, ending.clone()).await {
                Err(error) if tries < 5 => {
                    tracing::debug!(%error, "the end of a turn cannot be written down yet");
                    tokio::time::sleep(super::RETRY).await;
                }
                Err(error) => {
                    let (thread, turn) = (&working.held.thread, working.turn);
                    tracing::warn!(thread, turn, %error, "the end of a turn cannot be written down; that is tried again until the database is back");
                    drop(tokio::spawn(self.clone().end_later(working.held.clone(), ending)));
                    return Err(error);
                }
                Ok(is_held) => return Ok(is_held),
            }
        }
    }

    /// Writes an end down as soon as the database takes it, unless somebody goes on with the turn, or cancels it, before that.
    async fn end_later(self, held: HeldTurn, ending: Ending) {
        let (thread, turn) = (&held.thread, held.turn);
        let writing = async {
            loop {
                tokio::time::sleep(super::RETRY).await;
                // Whoever has the place sees that the turn has ended without a word.
                let Ok(_place) = self.0.running.begin(thread) else {
                    return;
                };
                match self.0.store.end_turn(&held, ending.clone()).await {
                    Err(error) => tracing::debug!(thread, turn, %error, "the end of a turn cannot be written down yet"),
                    Ok(true) => {
                        return tracing::info!(thread, turn, state = ending.state, "the end of a turn is written down");
                    }
                    Ok(false) => return,
                }
            }
        };
        self.0.shutdown.run_until_cancelled(writing).await;
    }

    /// Does one thing after the other until the turn is complete.
    async fn drive(&self, working: &Arc<Working>, visit: Option<&Visit>) -> Result<Answer, Failure> {
        let mut state = self.begin_state(working, visit).await?;
        loop {
            let (answers, calls) = progress(&state.entries, working.turn);
            let action = next(answers, &calls, &working.meter.spent(), working.meter.bounds());
            let more = match &action {
                Action::Call(places) => places.len(),
                Action::Ask(_) | Action::Wait | Action::Finish | Action::Fail(_) => 0,
            };
            match action {
                Action::Finish => return Ok(answer(working, &state.entries)),
                Action::Fail(over) => return Err(Failure::from(&over)),
                Action::Ask(_) | Action::Call(_) | Action::Wait => {}
            }
            if let Some(over) = working.meter.over_above(more) {
                return Err(Failure::from(&over));
            }
            match action {
                Action::Ask(iteration) => self.ask(working, &mut state, iteration).await?,
                Action::Call(places) => self.call_all(working, visit, &mut state, &places).await?,
                // Nothing is under way between two steps.
                Action::Wait | Action::Finish | Action::Fail(_) => {
                    return Err(Problem::new(Code::Internal, "the turn has come to a point that nobody knows").into());
                }
            }
        }
    }

    async fn begin_state(&self, working: &Arc<Working>, visit: Option<&Visit>) -> Result<State, Failure> {
        let thread = &working.held.thread;
        let store = &self.0.store;
        let summary = store.latest_summary(thread).await?.as_ref().and_then(read);
        let upto = summary
            .and_then(|entry| entry.message.summarises)
            .map_or(0, |summarised| summarised.to);
        let rows = store.messages_from(thread, i64::from(upto) + 1).await?;
        let exchanges = store.exchanges(thread, working.held.turn).await?.len();
        let (spec, principal) = (working.known.spec(), &working.caller.principal);
        let lineage = &working.lineage;
        Ok(State {
            entries: rows.iter().filter_map(read).collect(),
            toolbox: self.toolbox(visit, spec, principal, lineage).await,
            exchanges: i64::try_from(exchanges).unwrap_or(i64::MAX),
        })
    }

    /// Writes calls of the last answer down, makes them all at once, and writes down what has become of each as it ends.
    async fn call_all(
        &self,
        working: &Arc<Working>,
        visit: Option<&Visit>,
        state: &mut State,
        places: &[usize],
    ) -> Result<(), Failure> {
        let wanted = last_answer(&state.entries, working.turn).map_or(&[][..], |message| &message.tool_calls);
        let calls: Vec<ToolCall> = places.iter().filter_map(|place| wanted.get(*place).cloned()).collect();
        let mut pending: Vec<Message> = calls.iter().map(|call| self.pending(call)).collect();
        let caller = &self.still(&working.caller, &working.known).await?;
        working.meter.calls(calls.len());
        let written = Step {
            messages: pending
                .iter()
                .map(|message| NewMessage {
                    role: "tool",
                    state: "pending",
                    message: kept(message),
                    signed: None,
                })
                .collect(),
            spent: working.meter.spent(),
            ..Step::default()
        };
        let numbers = self
            .0
            .store
            .step_turn(&working.held, written)
            .await?
            .ok_or(Failure::Lost)?;
        for call in &calls {
            working.tell(Event::ToolCall(call.clone()));
        }
        let toolbox = &state.toolbox;
        let making = calls
            .iter()
            .zip(&mut pending)
            .zip(numbers)
            .map(|((call, message), number)| async move {
                let began = std::time::Instant::now();
                let patience = working.known.spec().tool_patience();
                let told = self
                    .call(visit.map(|visit| (visit, caller)), toolbox, call, patience, working)
                    .await;
                let took_ms = i64::try_from(began.elapsed().as_millis()).unwrap_or(i64::MAX);
                settle(message, told, took_ms);
                message.number = number;
                message.turn = working.turn;
                let end = CallEnd {
                    number,
                    state: message.result.as_ref().map_or("error", |result| result.state.as_str()),
                    message: kept(message),
                };
                match self.0.store.end_call(&working.held, end).await? {
                    true => {
                        working.tell(Event::ToolResult(message.result.clone().expect("it is settled")));
                        Ok::<_, Failure>(())
                    }
                    false => Err(Failure::Lost),
                }
            });
        for made in futures_util::future::join_all(making).await {
            made?;
        }
        let settled = pending.into_iter().map(|message| Entry { message, signed: None });
        state.entries.extend(settled);
        Ok(())
    }

    /// The result of a call that is about to be made.
    fn pending(&self, call: &ToolCall) -> Message {
        let result = ToolResult {
            id: call.id.clone(),
            name: call.name.clone(),
            state: CallState::Pending,
            text: String::new(),
            left_out: None,
            took_ms: None,
        };
        Message {
            result: Some(result),
            ..self.said(Role::Tool, "")
        }
    }
}

/// What is told last.
enum Last {
    Answer(Box<Answer>),
    Problem(Box<Problem>),
}

/// How a turn is gone on with that was interrupted.
fn way_back(thread: &str) -> String {
    format!("go on with it: POST /api/v1/threads/{thread}/resume")
}

fn gone() -> Last {
    let detail = "the thread was deleted, or the turn was taken up elsewhere";
    Last::Problem(Box::new(Problem::new(Code::TurnCancelled, detail)))
}

fn settle(message: &mut Message, told: Told, took_ms: i64) {
    let Told { state, text, left_out } = told;
    message.text.clone_from(&text);
    if let Some(result) = &mut message.result {
        result.state = state;
        result.text = text;
        result.left_out = left_out;
        result.took_ms = Some(took_ms);
    }
}

pub(super) fn last_answer(entries: &[Entry], turn: u32) -> Option<&Message> {
    let answers = entries.iter().rev().map(|entry| &entry.message);
    answers
        .into_iter()
        .find(|message| message.turn == turn && message.role == Role::Assistant)
}

/// How far a turn is: how many answers there are, and how the calls of the last one stand.
pub(super) fn progress(entries: &[Entry], turn: u32) -> (u32, Vec<Stands>) {
    let of_turn = || entries.iter().filter(|entry| entry.message.turn == turn);
    let is_answer = |entry: &&Entry| entry.message.role == Role::Assistant;
    let answers = u32::try_from(of_turn().filter(is_answer).count()).unwrap_or(u32::MAX);
    let after = entries
        .iter()
        .rposition(|entry| entry.message.turn == turn && entry.message.role == Role::Assistant);
    let Some(after) = after else {
        return (answers, Vec::new());
    };
    let results = || {
        entries[after..]
            .iter()
            .filter_map(|entry| entry.message.result.as_ref())
    };
    let calls = entries[after].message.tool_calls.iter();
    let stands = calls.map(|call| match results().find(|result| result.id == call.id) {
        None => Stands::Wanted,
        Some(result) if result.state == CallState::Pending => Stands::Begun,
        Some(_) => Stands::Settled,
    });
    (answers, stands.collect())
}

/// The answer of a turn that is complete.
fn answer(working: &Working, entries: &[Entry]) -> Answer {
    let last = last_answer(entries, working.turn);
    Answer {
        thread_id: working.held.thread.clone(),
        turn: working.turn,
        assistant: last.map(|message| message.text.clone()).unwrap_or_default(),
        from_reasoning: last.is_some_and(|message| message.from_reasoning),
        truncated: last.is_some_and(|message| message.truncated),
        stop_reason: last.and_then(|message| message.stop_reason.clone()).unwrap_or_default(),
        usage: usage(&working.meter.spent()),
    }
}

/// What is shown of an answer without calls: its text, or else what the model thought, marked.
pub(super) fn shown(text: &str, thoughts: &str, finish: &str) -> String {
    let message = serde_json::json!({"content": text, "reasoning_content": thoughts});
    reasoning::assistant_text(&message, Some(finish))
}
