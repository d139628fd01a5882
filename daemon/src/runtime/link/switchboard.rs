//! Who of many a message is for, in a conversation that they share.
//!
//! What enters: calls, and messages as they come from the server, one after the other. What leaves: frames in the inboxes of
//! exchanges, news, questions, and messages to the server by way of an [`Outlet`]. Nothing in here waits, and nothing knows
//! what carries the messages.
//!
//! Guarantees: each call has an id, and a progress token, that no other call of the conversation ever had. A question, a log
//! message, or a notification that we know nothing of, reaches an exchange only when it can belong to nobody else: when it is
//! the only one of a client's that is open, and the server was asked for no other principal for a while, for it may work on in the
//! background when it has answered, or not have heard that a call was cancelled. Earlier calls of the same principal are no
//! obstacle: whatever belongs to them is that principal's, too.

use std::collections::HashMap;
use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use orch_shared::jsonrpc::{Id, Members, Message, Notification, Outcome, Raw, Request, Response, raw};
use serde_json::json;
use tokio::sync::{broadcast, mpsc};
use tokio::time::Instant;

use super::doubt::Doubt;
use super::inbox::{self, Inbox, Overfull};
use super::lately::{AFTERMATH, Lately};
use super::meta::{self, Dress};
use super::{Ask, Boxed, Call, Error, Frame, Frames, News, Purpose, Said};

/// Where messages to the server go.
pub(super) trait Outlet: Send + Sync {
    /// Sends a message; returns when it is on its way.
    fn send(&self, message: Message) -> Boxed<'_, Result<(), Error>>;
    /// Sends a message that nobody waits for.
    fn post(&self, message: Message);
}

/// A call that is under way, as the rest of the link sees it.
pub(super) struct Opened {
    /// The request.
    pub(super) request: Request,
    /// What of it is to be read.
    pub(super) reading: Reading,
}

/// Sorts messages.
pub(super) struct Switchboard {
    outlet: Arc<dyn Outlet>,
    news: broadcast::Sender<News>,
    state: Mutex<State>,
    answers: AtomicU64,
    other: AtomicU64,
}

#[derive(Default)]
struct State {
    last: u64,
    open: HashMap<u64, Open>,
    /// How many of the open ones are of clients.
    relayed: usize,
    /// Calls of clients that were cancelled and not answered: when, and whose.
    given_up: HashMap<u64, (Instant, Arc<str>)>,
    /// For whom the server was asked lately.
    lately: Lately,
    /// Questions of the server, and which exchange has them.
    questions: HashMap<Id, Option<u64>>,
    /// Where questions go that belong to no exchange.
    asks: Option<mpsc::UnboundedSender<Ask>>,
    /// Why it is over.
    end: Option<Error>,
}

struct Open {
    inbox: Arc<Inbox>,
    token: Option<Raw>,
    purpose: Purpose,
    /// Whether it asks to be told of changes.
    listens: bool,
    /// Whether it was told of one, or that it will be: then it is no answer that it waits for.
    listened: bool,
}

impl Switchboard {
    pub(super) fn new(
        outlet: Arc<dyn Outlet>,
        news: broadcast::Sender<News>,
        asks: Option<mpsc::UnboundedSender<Ask>>,
    ) -> Arc<Self> {
        let state = State {
            asks,
            ..State::default()
        };
        Arc::new(Self {
            outlet,
            news,
            state: Mutex::new(state),
            answers: AtomicU64::new(0),
            other: AtomicU64::new(0),
        })
    }

    /// Gives a call its id, and an inbox for what comes back. The request is still to be sent.
    pub(super) fn open(self: &Arc<Self>, call: Call, dress: Dress<'_>) -> Result<Opened, Error> {
        let mut state = self.state();
        if let Some(end) = &state.end {
            return Err(end.clone().before_sending());
        }
        state.last += 1;
        let number = state.last;
        let (params, token) = meta::outgoing(call.params, dress, &call.client, number);
        let inbox = Arc::new(Inbox::default());
        let open = Open {
            inbox: Arc::clone(&inbox),
            token,
            purpose: call.purpose,
            listens: call.method == "subscriptions/listen",
            listened: false,
        };
        state.insert(number, open);
        let request = Request {
            id: Id::number(number),
            method: call.method,
            params,
        };
        let reading = Reading {
            board: Arc::clone(self),
            inbox,
            number,
            over: false,
        };
        Ok(Opened { request, reading })
    }

    /// From now on, questions that belong to no exchange, or to one of several, go there.
    pub(super) fn put_questions(&self, asks: mpsc::UnboundedSender<Ask>) {
        let mut state = self.state();
        if state.end.is_none() {
            state.asks = Some(asks);
        }
    }

    /// How much the server has said so far.
    pub(super) fn said(&self) -> Said {
        Said {
            answers: self.answers.load(Ordering::Relaxed),
            other: self.other.load(Ordering::Relaxed),
        }
    }

    /// How many calls of clients are under way.
    pub(super) fn in_flight(&self) -> usize {
        self.state().relayed
    }

    /// Whether the server may be working at something for anybody but that principal.
    pub(super) fn has_others(&self, principal: &str) -> bool {
        let state = self.state();
        let mut open = state.open.values().filter_map(|open| open.purpose.principal());
        open.any(|one| **one != *principal) || state.lately.has_others(principal)
    }

    /// Ends all exchanges; there will be no more.
    pub(super) fn end(&self, error: &Error) {
        let mut state = self.state();
        state.end.get_or_insert_with(|| error.clone());
        let open = std::mem::take(&mut state.open);
        state.relayed = 0;
        state.questions.clear();
        // Whoever waits for questions learns that there will be none.
        state.asks = None;
        drop(state);
        for open in open.into_values() {
            open.inbox.end(error.clone());
        }
    }

    /// Ends one exchange.
    pub(super) fn fail(&self, number: u64, error: Error) {
        let open = self.state().remove(number);
        if let Some(open) = open {
            open.inbox.end(error);
        }
    }

    /// Takes in a message of the server; `from` is the exchange on whose own stream it came, if it came on one.
    pub(super) fn receive(self: &Arc<Self>, message: Message, from: Option<u64>) {
        let count = match message {
            Message::Response(_) => &self.answers,
            Message::Request(_) | Message::Notification(_) => &self.other,
        };
        count.fetch_add(1, Ordering::Relaxed);
        match message {
            Message::Response(response) => self.answered(response, from),
            Message::Request(request) => self.asked(request, from),
            Message::Notification(notification) => self.told(notification, from),
        }
    }

    fn answered(&self, response: Response, from: Option<u64>) {
        let mut state = self.state();
        // A server that could not read a request cannot say which one it was; where only one can be meant, it is that.
        let number = match (&response.id, &response.outcome) {
            (Some(id), _) => id.as_number(),
            (None, Outcome::Result(_)) => from,
            (None, Outcome::Error(_)) => from.or_else(|| state.waiting()),
        };
        let open = number.and_then(|number| {
            if let Some((_, principal)) = state.given_up.remove(&number) {
                // It has worked at it until now.
                state.lately.note(&principal);
            }
            state.remove(number)
        });
        drop(state);
        match open {
            Some(open) => open.inbox.done(response.outcome),
            None if response.id.is_some() => {
                tracing::debug!(id = ?response.id, "the server answers what nobody asks any more");
            }
            // None is guessed; those that it was not go on, and the deadline of the one that it was decides.
            None => tracing::debug!(
                code = response.outcome.code(),
                "the server refuses a request and does not say which of several"
            ),
        }
    }

    fn asked(self: &Arc<Self>, request: Request, from: Option<u64>) {
        let Request { id, method, params } = request;
        if method == "ping" {
            let outcome = Outcome::Result(raw(&Members::default()));
            let id = Some(id);
            return self.outlet.post(Response { id, outcome }.into());
        }
        let mut state = self.state();
        let on_its_own_stream = from.and_then(|number| state.inbox(number).map(|inbox| (number, inbox)));
        let owner = on_its_own_stream.map_or_else(|| state.owner(), Ok);
        let owner = match (owner, state.asks.clone()) {
            (Ok(owner), _) => Ok(owner),
            (Err(_), Some(asks)) => Err(asks),
            (Err(doubt), None) => {
                drop(state);
                let (id, outcome) = (Some(id), doubt.refusal());
                return self.outlet.post(Response { id, outcome }.into());
            }
        };
        let number = owner.as_ref().ok().map(|(number, _)| *number);
        state.questions.insert(id.clone(), number);
        drop(state);
        let ask = self.ask(id, method, params);
        match owner {
            Ok((number, inbox)) => self.unless_overfull(number, inbox.ask(ask)),
            // One that nobody takes is refused when it is dropped.
            Err(asks) => drop(asks.send(ask)),
        }
    }

    fn ask(self: &Arc<Self>, id: Id, method: String, params: Option<Raw>) -> Ask {
        let mut reply = Reply {
            board: Arc::clone(self),
            id: Some(id.clone()),
        };
        Ask::new(id, method, params, move |outcome| {
            Box::pin(async move {
                let Some(id) = reply.id.take() else { return Ok(()) };
                // The server may not want to know any more.
                if reply.board.state().questions.remove(&id).is_none() {
                    return Ok(());
                }
                let id = Some(id);
                reply.board.outlet.send(Response { id, outcome }.into()).await
            })
        })
    }

    fn told(&self, notification: Notification, from: Option<u64>) {
        let params = notification.params.as_deref();
        match &*notification.method {
            "notifications/progress" => return self.progressed(notification),
            "notifications/cancelled" => return self.withdrawn(notification, from),
            _ => {}
        }
        let mut state = self.state();
        let sure = from.or_else(|| meta::subscription_of(params));
        if let Some(open) = sure.and_then(|number| state.open.get_mut(&number)) {
            open.listened = open.listens;
        }
        let sure = sure.and_then(|number| state.open.get(&number).map(|open| (number, open)));
        let news = News::of(notification);
        let owner = match (sure, &news) {
            (Some((number, open)), News::Other(_)) => Some((number, Arc::clone(&open.inbox))),
            (None, News::Other(_)) => state.owner().ok(),
            // A change is nobody's own, on whichever stream it is told, unless somebody has asked for it.
            (Some((number, open)), News::ListChanged(..) | News::ResourceUpdated(..)) if open.listens => {
                Some((number, Arc::clone(&open.inbox)))
            }
            (_, News::ListChanged(..) | News::ResourceUpdated(..)) => None,
        };
        drop(state);
        match owner {
            Some((number, inbox)) => self.unless_overfull(number, inbox.notification(news.into_notification())),
            // Without listeners it is lost, as it should be.
            None => drop(self.news.send(news)),
        }
    }

    fn progressed(&self, notification: Notification) {
        let Some((number, members)) = meta::progress_of(notification.params.as_deref()) else {
            return;
        };
        let state = self.state();
        let found = state
            .open
            .get(&number)
            .and_then(|open| Some((Arc::clone(&open.inbox), open.token.clone()?)));
        drop(state);
        if let Some((inbox, token)) = found {
            let params = Some(meta::progress_for(members, token));
            let method = notification.method;
            self.unless_overfull(number, inbox.progress(Notification { method, params }));
        }
    }

    /// The server takes a question back, or ends a subscription.
    fn withdrawn(&self, notification: Notification, from: Option<u64>) {
        let members = Members::of_params(notification.params.as_deref());
        let Some(id) = members.get("requestId").and_then(Id::from_raw) else {
            return;
        };
        let mut state = self.state();
        let question = state.questions.remove(&id);
        let number = match question {
            Some(owner) => owner,
            None => id.as_number().filter(|number| state.open.contains_key(number)).or(from),
        };
        let inbox = number.and_then(|number| state.inbox(number));
        drop(state);
        match (number, inbox) {
            (Some(number), Some(inbox)) => self.unless_overfull(number, inbox.notification(notification)),
            (Some(_), None) => {}
            (None, _) if question.is_some() => drop(self.news.send(News::Other(notification))),
            (None, _) => {}
        }
    }

    fn unless_overfull(&self, number: u64, took: Result<(), Overfull>) {
        if took == Err(Overfull) {
            self.give_up(number);
        }
    }

    /// Nobody waits for that call any more.
    fn give_up(&self, number: u64) {
        let mut state = self.state();
        let Some(open) = state.remove(number) else { return };
        if let Purpose::Relay(principal) = open.purpose {
            state.forget_given_up();
            state.given_up.insert(number, (Instant::now(), principal));
        }
        drop(state);
        self.outlet.post(cancelled(number).into());
    }

    /// Nobody waits for that call any more, and the server is not to be told.
    fn forget(&self, number: u64) {
        let open = self.state().remove(number);
        drop(open);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn insert(&mut self, number: u64, open: Open) {
        if let Some(principal) = open.purpose.principal() {
            self.relayed += 1;
            self.lately.note(principal);
        }
        self.open.insert(number, open);
    }

    fn remove(&mut self, number: u64) -> Option<Open> {
        let open = self.open.remove(&number)?;
        if let Some(principal) = open.purpose.principal() {
            self.relayed -= 1;
            self.lately.note(principal);
        }
        Some(open)
    }

    fn inbox(&self, number: u64) -> Option<Arc<Inbox>> {
        self.open.get(&number).map(|open| Arc::clone(&open.inbox))
    }

    /// The only request that the server may still have to answer.
    fn waiting(&mut self) -> Option<u64> {
        self.forget_given_up();
        let mut waiting = self.open.iter().filter(|(_, open)| !open.listened);
        match (waiting.next(), waiting.next()) {
            (Some((number, _)), None) if self.given_up.is_empty() => Some(*number),
            (Some(_) | None, _) => None,
        }
    }

    /// Whose something is that does not say whose it is: the only exchange that it can belong to.
    fn owner(&self) -> Result<(u64, Arc<Inbox>), Doubt> {
        let relayed = |(number, open): (&u64, &Open)| {
            let principal = open.purpose.principal()?;
            Some((*number, Arc::clone(&open.inbox), self.lately.others_for(principal)))
        };
        match self.relayed {
            0 => Err(Doubt::Idle),
            1 => match self.open.iter().find_map(relayed) {
                Some((number, inbox, None)) => Ok((number, inbox)),
                Some((_, _, Some(left))) => Err(Doubt::Others(left)),
                None => Err(Doubt::Idle),
            },
            _ => Err(Doubt::Several),
        }
    }

    fn forget_given_up(&mut self) {
        self.given_up.retain(|_, (since, _)| since.elapsed() < AFTERMATH);
    }
}

impl Purpose {
    /// For whom, where it is for a client.
    const fn principal(&self) -> Option<&Arc<str>> {
        match self {
            Self::Relay(principal) => Some(principal),
            Self::Own => None,
        }
    }
}

impl News {
    /// What a notification that belongs to no call is about.
    pub(super) fn of(notification: Notification) -> Self {
        let kind = match &*notification.method {
            "notifications/tools/list_changed" => Some("tools"),
            "notifications/prompts/list_changed" => Some("prompts"),
            "notifications/resources/list_changed" => Some("resources"),
            _ => None,
        };
        let uri = match &*notification.method {
            "notifications/resources/updated" => Members::of_params(notification.params.as_deref()).text("uri"),
            _ => None,
        };
        match (kind, uri) {
            (Some(kind), _) => Self::ListChanged(kind, notification),
            (None, Some(uri)) => Self::ResourceUpdated(uri, notification),
            (None, None) => Self::Other(notification),
        }
    }

    fn into_notification(self) -> Notification {
        match self {
            Self::ListChanged(_, notification) | Self::ResourceUpdated(_, notification) | Self::Other(notification) => {
                notification
            }
        }
    }
}

/// What a server is told about a request that nobody waits for.
pub(super) fn cancelled(number: u64) -> Notification {
    Notification {
        method: "notifications/cancelled".to_owned(),
        params: Some(raw(&json!({"requestId": number}))),
    }
}

/// A question that is dropped without an answer is refused.
struct Reply {
    board: Arc<Switchboard>,
    id: Option<Id>,
}

impl Drop for Reply {
    fn drop(&mut self) {
        if let Some(id) = self.id.take()
            && self.board.state().questions.remove(&id).is_some()
        {
            let outcome = Outcome::error(-32603, "nobody answered this question");
            let id = Some(id);
            self.board.outlet.post(Response { id, outcome }.into());
        }
    }
}

/// The reading end of a call. Dropping it before the answer cancels the call.
pub(in crate::runtime) struct Reading {
    board: Arc<Switchboard>,
    inbox: Arc<Inbox>,
    number: u64,
    over: bool,
}

impl Reading {
    /// The id of the call.
    pub(super) const fn number(&self) -> u64 {
        self.number
    }

    /// What has come already, if anything has.
    pub(in crate::runtime) fn take(&mut self) -> Option<Result<Frame, Error>> {
        if self.over {
            return Some(Err(inbox::over()));
        }
        let next = self.inbox.take()?;
        Some(self.seen(next))
    }

    /// The next frame, now or when whoever asks is woken.
    pub(super) fn poll(&mut self, context: &Context<'_>) -> Poll<Result<Frame, Error>> {
        if self.over {
            return Poll::Ready(Err(inbox::over()));
        }
        self.inbox.poll(context).map(|next| self.seen(next))
    }

    /// The answer, if it has come; whatever was said before it is dropped.
    pub(in crate::runtime) fn answer(&mut self) -> Option<Result<Outcome, Error>> {
        loop {
            match self.take()? {
                Ok(Frame::Done(outcome)) => return Some(Ok(outcome)),
                Ok(Frame::Notification(_) | Frame::Ask(_)) => {}
                Err(error) => return Some(Err(error)),
            }
        }
    }

    /// Ends it without an answer.
    pub(super) fn fail(&self, error: Error) {
        self.board.fail(self.number, error);
    }

    /// Waits no more, and does not tell the server.
    pub(in crate::runtime) fn forget(mut self) {
        self.over = true;
        self.board.forget(self.number);
    }

    fn seen(&mut self, next: Result<Frame, Error>) -> Result<Frame, Error> {
        self.over = matches!(next, Ok(Frame::Done(_)) | Err(_));
        next
    }
}

impl Frames for Reading {
    fn next(&mut self) -> Boxed<'_, Result<Frame, Error>> {
        Box::pin(poll_fn(|context| self.poll(context)))
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        if !self.over {
            self.board.give_up(self.number);
        }
    }
}
