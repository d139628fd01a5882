//! One request on its way: what a server says about it, in the words of the client's era, until the answer.
//!
//! The four ways a client and a server can be paired differ only in what becomes of the server's questions:
//!
//! | client \ server | asks while it works (older era) | answers that it needs input (newer era) |
//! |---|---|---|
//! | older era | the question goes to the client, its answer to the server | the questions go to the client; the request is made again with the answers |
//! | newer era | the call is parked; the client is told what is needed and comes back with it | handed through |
//!
//! Everything else is handed on as it came, in its order.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use orch_shared::jsonrpc::{Members, Message, Notification, Outcome, Raw, raw};
use orch_shared::session::Direction;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::oneshot;
use tokio_util::sync::CancellationToken;

use super::delegating::Delegating;
use super::ledger::Note;
use super::pages::{self, Paging};
use super::parking::{Owner, Parked};
use super::protocol::{self, META_SERVER, code, error, error_with};
use super::session::{self, ANSWER, Session, UnderWay};
use super::upstream::Upstream;
use super::{Gateway, levels};
use crate::runtime::Traffic;
use crate::runtime::launch::Era;
use crate::runtime::link::{self, Ask, Call, Client, Exchange, Frame};

/// How long a server may say nothing at all about a request.
const SILENCE: Duration = Duration::from_secs(600);
/// So often a server may want more input for one request.
const ROUNDS: usize = 16;

/// Who has asked.
#[derive(Debug, Clone)]
pub(super) enum Side {
    /// A client with a session.
    Legacy(Arc<Session>),
    /// A client whose requests are complete in themselves.
    Modern(Arc<Client>),
}

impl Side {
    /// What a server is told of the client.
    pub(super) fn client(&self) -> Arc<Client> {
        match self {
            Self::Legacy(session) => session.client(),
            Self::Modern(client) => Arc::clone(client),
        }
    }

    /// The least severity of log messages that is wanted; nothing when none are.
    fn wants_log(&self, level: &str) -> bool {
        match self {
            Self::Legacy(session) => levels::is_wanted(level, session.level().as_deref()),
            Self::Modern(client) => client
                .log_level
                .as_deref()
                .is_some_and(|least| levels::is_wanted(level, Some(least))),
        }
    }
}

/// What comes of a request, bit by bit.
#[derive(Debug)]
pub(super) enum Step {
    /// A message for the client that is not the answer.
    Message(String),
    /// The answer.
    Last(Outcome),
    /// Nobody wants the answer any more.
    Cancelled,
}

/// What is asked, of whom, and for whom.
pub(super) struct Relay {
    pub(super) gateway: Gateway,
    pub(super) side: Side,
    /// The server's name, for what is said of it.
    pub(super) server: String,
    pub(super) upstream: Upstream,
    /// What is asked of the server, to ask it again with more input.
    pub(super) call: Call,
    pub(super) note: Note,
    /// The size in which long results are handed out, in bytes.
    pub(super) paging: Option<Paging>,
    /// Whether another copy may be asked when this one has not heard of it.
    pub(super) may_move: bool,
}

/// Whoever works at a request until it is answered.
pub(super) enum Work {
    /// A server.
    Relayed(Box<Pump>),
    /// An agent.
    Delegated(Box<Delegating>),
}

impl Work {
    /// What comes next.
    pub(super) async fn step(&mut self) -> Step {
        match self {
            Self::Relayed(pump) => pump.step().await,
            Self::Delegated(delegating) => delegating.step().await,
        }
    }
}

/// A request on its way.
pub(super) struct Pump {
    relay: Relay,
    state: State,
    queue: VecDeque<String>,
    rounds: usize,
    cancelled: CancellationToken,
    _under_way: Option<UnderWay>,
}

enum State {
    Running(Exchange),
    /// The client was asked for input.
    Asking {
        answers: Vec<(String, oneshot::Receiver<Outcome>)>,
        state: Option<Raw>,
    },
    Over,
}

impl Pump {
    /// Makes the call.
    pub(super) async fn start(mut relay: Relay, under_way: Option<UnderWay>) -> Result<Self, Outcome> {
        if let Side::Legacy(session) = &relay.side {
            relay
                .gateway
                .show(session, Direction::ToServer, Some(&relay.server), || {
                    json!({"method": relay.call.method, "params": relay.call.params}).to_string()
                });
        }
        let error = match relay.upstream.link.request(relay.call.clone()).await {
            Ok(exchange) => return Ok(Self::running(relay, exchange, under_way)),
            Err(error) => error,
        };
        if let Some(exchange) = Box::pin(relay.ask_elsewhere(&error)).await {
            return Ok(Self::running(relay, exchange, under_way));
        }
        relay.note.failed(&error);
        Err(failed(&relay.server, &error))
    }

    /// Goes on with a call that was parked: the server gets its answer.
    pub(super) fn resume(relay: Relay, exchange: Exchange, ask: Ask, answer: Outcome) -> Self {
        tokio::spawn(ask.answer(answer));
        Self::running(relay, exchange, None)
    }

    fn running(relay: Relay, exchange: Exchange, under_way: Option<UnderWay>) -> Self {
        // Without a session it ends with its connection. What is under way when the daemon stops may finish.
        let cancelled = under_way
            .as_ref()
            .map_or_else(CancellationToken::new, |under_way| under_way.token.clone());
        Self {
            relay,
            state: State::Running(exchange),
            queue: VecDeque::new(),
            rounds: 0,
            cancelled,
            _under_way: under_way,
        }
    }

    /// What comes next.
    pub(super) async fn step(&mut self) -> Step {
        loop {
            if let Some(message) = self.queue.pop_front() {
                return Step::Message(message);
            }
            match &mut self.state {
                State::Over => return Step::Cancelled,
                State::Running(exchange) => {
                    let next = tokio::select! {
                        biased;
                        next = tokio::time::timeout(SILENCE, exchange.next()) => next,
                        () = self.cancelled.cancelled() => {
                            self.state = State::Over;
                            self.relay.note.cancelled();
                            return Step::Cancelled;
                        }
                    };
                    let frame = match next {
                        Ok(Ok(frame)) => frame,
                        Ok(Err(error)) => match Box::pin(self.relay.ask_elsewhere(&error)).await {
                            Some(exchange) => {
                                self.state = State::Running(exchange);
                                continue;
                            }
                            None => return self.fail(&error),
                        },
                        Err(_) => {
                            let seconds = SILENCE.as_secs();
                            return self.fail(&link::Error::Unreachable(format!("no answer within {seconds} s")));
                        }
                    };
                    return match self.take(frame) {
                        None => continue,
                        Some(Step::Last(outcome)) if self.is_long(&outcome) => {
                            Step::Last(Box::pin(pages::in_pages(&self.relay, outcome)).await)
                        }
                        Some(last) => last,
                    };
                }
                State::Asking { .. } => {
                    if let Some(last) = self.ask_again().await {
                        return last;
                    }
                }
            }
        }
    }

    /// Takes in what the server says.
    fn take(&mut self, frame: Frame) -> Option<Step> {
        if let Side::Legacy(session) = &self.relay.side {
            self.relay
                .gateway
                .show(session, Direction::FromServer, Some(&self.relay.server), || {
                    frame_text(&frame)
                });
        }
        match frame {
            Frame::Notification(news) => {
                if let Some(message) = self.told(news) {
                    self.queue.push_back(message);
                }
                None
            }
            Frame::Ask(ask) => self.asked(ask),
            Frame::Done(outcome) => {
                let legacy = match &self.relay.side {
                    Side::Legacy(session) => Some(Arc::clone(session)),
                    Side::Modern(_) => None,
                };
                if let (Some(session), Outcome::Result(result)) = (legacy, &outcome)
                    && let Some(needed) = needed_input(result)
                {
                    return self.pass_questions(&session, &needed);
                }
                self.state = State::Over;
                self.relay
                    .gateway
                    .0
                    .runtime
                    .report(&self.relay.upstream.copy, &Traffic::Answered);
                self.relay.note.answered(&outcome);
                Some(Step::Last(self.in_era(outcome)))
            }
        }
    }

    /// There will be no answer.
    fn fail(&mut self, error: &link::Error) -> Step {
        self.state = State::Over;
        self.relay.report(error);
        self.relay.note.failed(error);
        Step::Last(failed(&self.relay.server, error))
    }

    /// News for the client; nothing when it does not want them.
    fn told(&self, mut news: Notification) -> Option<String> {
        if levels::level_of(&news).is_some_and(|level| !self.relay.side.wants_log(&level)) {
            return None;
        }
        news.params = super::asking::without_reserved(news.params);
        Some(Message::Notification(news).to_json())
    }

    /// Takes in a question of a server of the older era.
    fn asked(&mut self, ask: Ask) -> Option<Step> {
        match &self.relay.side {
            Side::Legacy(session) => {
                self.queue.extend(session.pass(ask).map(|message| message.to_json()));
                None
            }
            Side::Modern(client) => {
                if !session::can_answer(client, &ask.method) {
                    self.state = State::Over;
                    let capability = session::capability(&ask.method).unwrap_or_default();
                    let outcome = error_with(
                        code::MISSING_CAPABILITY,
                        format!(
                            "server/{} asks {}, which the client cannot answer",
                            self.relay.server, ask.method
                        ),
                        &json!({"requiredCapabilities": {capability: {}}}),
                    );
                    tokio::spawn(ask.answer(error(code::METHOD_NOT_FOUND, "the client cannot answer this")));
                    self.relay.note.answered(&outcome);
                    return Some(Step::Last(outcome));
                }
                let State::Running(exchange) = std::mem::replace(&mut self.state, State::Over) else {
                    return Some(Step::Cancelled);
                };
                let parked = Parked {
                    exchange,
                    ask,
                    upstream: self.relay.upstream.clone(),
                    principal: self.relay.note.caller().to_owned(),
                    server: self.relay.server.clone(),
                    method: self.relay.call.method.clone(),
                };
                self.relay.note.parked();
                let (questions, state) = self.relay.gateway.0.parking.park(parked);
                let result = json!({"resultType": "input_required", "inputRequests": questions, "requestState": state});
                Some(Step::Last(Outcome::Result(for_modern(&raw(&result), None))))
            }
        }
    }

    /// Passes the questions of a server of the newer era to a client that has a session.
    fn pass_questions(&mut self, session: &Arc<Session>, needed: &NeededInput) -> Option<Step> {
        self.rounds += 1;
        let mut answers = Vec::new();
        let refusal = if self.rounds > ROUNDS {
            Some(format!("server/{} wants input again and again", self.relay.server))
        } else {
            let unanswerable = needed
                .requests
                .iter()
                .find(|(_, method, _)| !session.can_answer(method));
            unanswerable.map(|(_, method, _)| {
                format!(
                    "server/{} asks {method}, which the client cannot answer",
                    self.relay.server
                )
            })
        };
        if let Some(refusal) = refusal {
            return Some(self.give_up(error(code::INVALID_REQUEST, refusal)));
        }
        for (key, method, params) in &needed.requests {
            let Some((message, answered)) = session.ask(method.clone(), params.clone()) else {
                return Some(self.give_up(error(code::LIMITED, "too many questions are open")));
            };
            self.queue.push_back(message.to_json());
            answers.push((key.clone(), answered));
        }
        self.state = State::Asking {
            answers,
            state: needed.state.clone(),
        };
        None
    }

    fn give_up(&mut self, outcome: Outcome) -> Step {
        self.state = State::Over;
        self.relay.note.answered(&outcome);
        Step::Last(outcome)
    }

    /// Waits for the client's answers, and makes the request again with them.
    async fn ask_again(&mut self) -> Option<Step> {
        let State::Asking { answers, state } = std::mem::replace(&mut self.state, State::Over) else {
            return Some(Step::Cancelled);
        };
        let mut responses = Members::default();
        for (key, answered) in answers {
            let answer = tokio::select! {
                answer = tokio::time::timeout(ANSWER, answered) => answer,
                () = self.cancelled.cancelled() => {
                    self.relay.note.cancelled();
                    return Some(Step::Cancelled);
                }
            };
            match answer {
                Ok(Ok(Outcome::Result(result))) => responses.set(&key, result),
                Ok(Ok(refused @ Outcome::Error(_))) => return Some(self.give_up(refused)),
                Ok(Err(_)) | Err(_) => {
                    return Some(self.give_up(error(code::INTERNAL, "the client did not answer")));
                }
            }
        }
        let mut params = Members::of_params(self.relay.call.params.as_deref());
        params.set("inputResponses", responses.to_raw());
        match state {
            Some(state) => params.set("requestState", state),
            None => drop(params.remove("requestState")),
        }
        let call = Call {
            params: Some(params.to_raw()),
            ..self.relay.call.clone()
        };
        // What the client was asked for is for the copy that wanted it.
        self.relay.may_move = false;
        match self.relay.upstream.link.request(call).await {
            Ok(exchange) => {
                self.state = State::Running(exchange);
                None
            }
            Err(error) => {
                self.relay.note.failed(&error);
                Some(Step::Last(failed(&self.relay.server, &error)))
            }
        }
    }

    /// A state of the server's, for the client to bring along.
    fn addressed(&self, state: &str) -> String {
        let owner = Owner {
            principal: self.relay.note.caller(),
            server: &self.relay.server,
            method: &self.relay.call.method,
        };
        let parking = &self.relay.gateway.0.parking;
        parking.addressed(&self.relay.upstream.copy, state, owner)
    }

    /// Whether an answer may be longer than the project wants.
    fn is_long(&self, outcome: &Outcome) -> bool {
        match (&self.relay.paging, outcome) {
            (Some(paging), Outcome::Result(result)) => result.get().len() > paging.size,
            (Some(_) | None, Outcome::Result(_) | Outcome::Error(_)) => false,
        }
    }

    /// An error in the words of the client's era: what is not there has another code in each (SEP-2164).
    fn error_in_era(&self, error: Raw) -> Raw {
        let is_read = self.relay.call.method == "resources/read";
        match &self.relay.side {
            Side::Modern(_) if is_read && Outcome::Error(error.clone()).code() == Some(code::NO_RESOURCE) => {
                recoded(&error, code::INVALID_PARAMS)
            }
            Side::Modern(_) | Side::Legacy(_) => error,
        }
    }

    /// An answer in the words of the client's era.
    fn in_era(&self, outcome: Outcome) -> Outcome {
        let result = match outcome {
            Outcome::Result(result) => result,
            Outcome::Error(error) => return Outcome::Error(self.error_in_era(error)),
        };
        let result = match &self.relay.side {
            Side::Legacy(_) if self.relay.upstream.link.hello().era == Era::Legacy => result,
            Side::Legacy(_) => for_legacy(result),
            Side::Modern(_) => {
                let result = for_modern(&result, Some(&|state| self.addressed(state)));
                match self.relay.call.method.as_str() {
                    "resources/read" => not_to_be_kept(result),
                    _ => result,
                }
            }
        };
        Outcome::Result(result)
    }
}

/// Turns a state of a server's into one for its client.
type Address<'a> = &'a dyn Fn(&str) -> String;

/// An error with another code; everything else of it stays.
fn recoded(error: &RawValue, code: i64) -> Raw {
    let Some(mut members) = Members::of(error) else {
        return error.to_owned();
    };
    members.set("code", raw(&code));
    members.to_raw()
}

/// What a server said, for whoever watches.
fn frame_text(frame: &Frame) -> String {
    match frame {
        Frame::Notification(news) => json!({"method": news.method, "params": news.params}),
        Frame::Ask(ask) => json!({"method": ask.method, "params": ask.params}),
        Frame::Done(Outcome::Result(result)) => json!({"result": result}),
        Frame::Done(Outcome::Error(error)) => json!({"error": error}),
    }
    .to_string()
}

/// What a server of the newer era wants to know before it answers.
#[derive(Debug)]
struct NeededInput {
    /// Key, method and parameters of each question.
    requests: Vec<(String, String, Option<Raw>)>,
    state: Option<Raw>,
}

fn needed_input(result: &RawValue) -> Option<NeededInput> {
    // Almost no answer is of this sort, and those need not be read.
    if !result.get().contains("input_required") {
        return None;
    }
    let members = Members::of(result)?;
    if members.text("resultType")? != "input_required" {
        return None;
    }
    let asked = members.members("inputRequests").unwrap_or_default();
    let requests = asked
        .iter()
        .filter_map(|(key, request)| {
            let request = Members::of(request)?;
            let params = request.get("params").map(ToOwned::to_owned);
            Some((key.to_owned(), request.text("method")?, params))
        })
        .collect();
    Some(NeededInput {
        requests,
        state: members.get("requestState").map(ToOwned::to_owned),
    })
}

/// A result of the newer era for a client of the older one.
pub(super) fn for_legacy(result: Raw) -> Raw {
    let Some(mut members) = Members::of(&result) else {
        return result;
    };
    for hop in ["resultType", "ttlMs", "cacheScope"] {
        members.remove(hop);
    }
    if let Some(mut meta) = members.members("_meta") {
        meta.remove(META_SERVER);
        if meta.is_empty() {
            members.remove("_meta");
        } else {
            members.set("_meta", meta.to_raw());
        }
    }
    members.to_raw()
}

/// A result for a client of the newer era. What a server wants back with the next attempt says where it goes to.
pub(super) fn for_modern(result: &RawValue, address: Option<Address<'_>>) -> Raw {
    let Some(mut members) = Members::of(result) else {
        return result.to_owned();
    };
    if members.get("resultType").is_none() {
        members.set("resultType", raw("complete"));
    }
    if let (Some(address), Some(state)) = (address, members.text("requestState")) {
        members.set("requestState", raw(&address(&state)));
    }
    let mut meta = members.members("_meta").unwrap_or_default();
    meta.set(META_SERVER, protocol::ourselves_raw());
    members.set("_meta", meta.to_raw());
    members.to_raw()
}

/// A resource for a client of the newer era: where the server does not say how long it may be kept, it is not.
pub(super) fn not_to_be_kept(result: Raw) -> Raw {
    let Some(mut members) = Members::of(&result) else {
        return result;
    };
    if members.text("resultType").is_some_and(|kind| kind != "complete") {
        return result;
    }
    if members.get("ttlMs").is_none() {
        members.set("ttlMs", raw(&0));
    }
    if members.get("cacheScope").is_none() {
        members.set("cacheScope", raw("private"));
    }
    members.to_raw()
}

/// The answer when a server did not.
pub(super) fn failed(server: &str, error: &link::Error) -> Outcome {
    let retry_after = match error {
        link::Error::Status { retry_after, .. } => retry_after.map(|after| after.as_millis()),
        link::Error::Closed(_)
        | link::Error::Unsent(_)
        | link::Error::Unreachable(_)
        | link::Error::Garbled(_)
        | link::Error::Overrun => None,
    };
    let mut data = json!({"server": server});
    if let Some(after) = retry_after {
        data["retryAfterMs"] = json!(u64::try_from(after).unwrap_or(u64::MAX));
    }
    error_with(code::INTERNAL, format!("server/{server}: {error}"), &data)
}
