//! A bridge for clients that speak over standard input and output: line by line from them to the gateway, and back.
//!
//! Flow: one reader takes in lines. Requests run side by side, each on a thread and a line of its own; what is no request
//! goes out in order. Whatever comes back is written as one line each.
//! Guarantees: nothing but messages is written; what is handed on stays as it was; a request is answered once, or not at all
//! when it was cancelled, also when the client has closed its end; nothing that may have had an effect is repeated. A session that the gateway has lost is begun
//! anew behind the client's back, with the log level and subscriptions that it had.
//! Assumptions: the client waits for the answer to `initialize` before it says anything else, or writes it first.

mod asking;
mod lines;
mod session;

use std::collections::{HashMap, HashSet, VecDeque};
use std::io::{self, BufRead, Write};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::{Duration, Instant};

use orch_shared::jsonrpc::{Id, Invalid, Members, Message, Notification, Outcome, Request, Response};

use crate::client::mcp::{Endpoint, Interrupt, Line};
use crate::mcp::message::{self, Marked};
use crate::mcp::traffic::{Journal, Way};
use asking::ENDED;
use lines::{Incoming, TooLong};
use session::{Failed, Session};

/// Requests that run side by side; more wait their turn.
const AT_ONCE: usize = 64;
/// Lines that wait to be looked at.
const WAITING: usize = 256;
/// How long answers are waited for once the client has closed its end.
const LAST_WORDS: Duration = Duration::from_secs(2);
/// A daemon that is being started anew is waited for.
const STARTING: Duration = Duration::from_secs(30);
/// Between tries.
const PAUSE: Duration = Duration::from_millis(250);

/// The bridge.
pub(crate) struct Bridge {
    endpoint: Endpoint,
    journal: Journal,
    output: Mutex<Box<dyn Write + Send>>,
    session: Mutex<Session>,
    /// Held by whoever begins the session anew.
    greeting: Mutex<()>,
    marked: Mutex<Marked>,
    /// The revision of the last request that knows no sessions.
    modern: Mutex<Option<String>>,
    work: Mutex<Work>,
    less_work: Condvar,
    is_over: AtomicBool,
    numbers: AtomicU64,
    /// Ends the reading of lines, once there are any.
    ending: Mutex<Option<mpsc::SyncSender<Incoming>>>,
    /// Why the client can be told nothing any more.
    lost: Mutex<Option<io::Error>>,
}

/// Requests that are waiting or under way.
#[derive(Default)]
struct Work {
    waiting: VecDeque<Request>,
    busy: usize,
    under_way: HashSet<Id>,
    interrupts: HashMap<Id, Interrupt>,
    cancelled: HashSet<Id>,
    listener: Option<Interrupt>,
}

impl Bridge {
    /// A bridge to that address.
    pub(crate) fn new(endpoint: Endpoint, journal: Journal, output: Box<dyn Write + Send>) -> Arc<Self> {
        Arc::new(Self {
            endpoint,
            journal,
            output: Mutex::new(output),
            session: Mutex::default(),
            greeting: Mutex::default(),
            marked: Mutex::default(),
            modern: Mutex::default(),
            work: Mutex::default(),
            less_work: Condvar::new(),
            is_over: AtomicBool::new(false),
            numbers: AtomicU64::new(0),
            ending: Mutex::default(),
            lost: Mutex::default(),
        })
    }

    /// Carries messages until the client closes its end. One that no longer reads has gone, too: that is the error.
    pub(crate) fn run(self: &Arc<Self>, input: impl BufRead + Send + 'static) -> io::Result<()> {
        let (telling, told) = mpsc::channel::<Message>();
        let (finished, has_finished) = mpsc::channel::<()>();
        let bridge = Arc::clone(self);
        std::thread::spawn(move || {
            told.iter().for_each(|message| bridge.tell(&message));
            drop(finished);
        });
        for incoming in self.read(input) {
            if self.lost().is_some() {
                break;
            }
            match incoming {
                Incoming::Line(line) => {
                    for message in message::of_line(&line) {
                        match message {
                            Ok(message) => self.take_in(message, &telling),
                            Err(invalid) => self.refuse(&invalid),
                        }
                    }
                }
                Incoming::TooLong(long) => self.refuse_long(long, &telling),
                Incoming::End => break,
            }
        }
        drop(telling);
        // What it had to tell is told, or it takes too long.
        let _ = has_finished.recv_timeout(LAST_WORDS);
        self.finish();
        self.lost().take().map_or(Ok(()), Err)
    }

    /// The lines of the input, read on a thread of their own: that it has ended is known whatever else is under way.
    fn read(self: &Arc<Self>, mut input: impl BufRead + Send + 'static) -> mpsc::Receiver<Incoming> {
        let (sender, lines) = mpsc::sync_channel(WAITING);
        *self.ending.lock().unwrap_or_else(PoisonError::into_inner) = Some(sender.clone());
        let bridge = Arc::clone(self);
        std::thread::spawn(move || {
            loop {
                match lines::next(&mut input) {
                    Ok(Incoming::End) | Err(_) => break,
                    Ok(Incoming::Line(line)) if line.trim_ascii().is_empty() => {}
                    Ok(incoming) => {
                        if sender.send(incoming).is_err() {
                            return;
                        }
                    }
                }
            }
            if sender.send(Incoming::End).is_err() {
                return;
            }
            // Nobody is left to be answered: whatever is still waited for then is given up.
            std::thread::sleep(LAST_WORDS * 2);
            bridge.give_up();
        });
        lines
    }

    fn take_in(self: &Arc<Self>, message: Message, telling: &mpsc::Sender<Message>) {
        self.journal.message(Way::Up, &message);
        match message {
            // Everything else needs the session that this begins.
            Message::Request(request) if request.method == "initialize" => {
                self.work().under_way.insert(request.id.clone());
                self.ask(request);
            }
            Message::Request(request) => self.start(request),
            Message::Notification(news) if news.method == "notifications/initialized" => {
                self.tell(&Message::Notification(news));
                self.listen();
            }
            Message::Notification(news) if news.method == "notifications/cancelled" => self.cancel(news, telling),
            message @ (Message::Notification(_) | Message::Response(_)) => {
                // It ends only after this side has.
                let _ = telling.send(message);
            }
        }
    }

    fn refuse(&self, invalid: &Invalid) {
        let code = match invalid {
            Invalid::Syntax(_) => -32700,
            Invalid::Shape(_) => -32600,
        };
        self.journal.event(&format!("refused a line: {invalid}"));
        self.answer(None, Outcome::error(code, &invalid.to_string()));
    }

    /// Refuses what the gateway would not take. Whoever waits for it is told: the client, or the server that has asked.
    fn refuse_long(&self, long: TooLong, telling: &mpsc::Sender<Message>) {
        let why = long.message();
        self.journal.event(&format!("refused a line: {why}"));
        let outcome = Outcome::error(-32600, &why);
        match (long.id, long.has_method) {
            (Some(id), false) => {
                let id = Some(id);
                let _ = telling.send(Message::Response(Response { id, outcome }));
            }
            (id, _) => self.answer(id, outcome),
        }
    }

    /// Runs a request as soon as there is room.
    fn start(self: &Arc<Self>, request: Request) {
        let mut work = self.work();
        work.under_way.insert(request.id.clone());
        if work.busy >= AT_ONCE {
            work.waiting.push_back(request);
            return;
        }
        work.busy += 1;
        drop(work);
        let bridge = Arc::clone(self);
        std::thread::spawn(move || {
            let mut next = Some(request);
            while let Some(request) = next {
                bridge.ask(request);
                let mut work = bridge.work();
                next = work.waiting.pop_front();
                if next.is_none() {
                    work.busy -= 1;
                    bridge.less_work.notify_all();
                }
            }
        });
    }

    /// A client no longer wants an answer.
    fn cancel(self: &Arc<Self>, news: Notification, telling: &mpsc::Sender<Message>) {
        let id = Members::of_params(news.params.as_deref())
            .get("requestId")
            .and_then(Id::from_raw);
        let Some(id) = id else {
            let _ = telling.send(Message::Notification(news));
            return;
        };
        let mut work = self.work();
        let waiting = work.waiting.len();
        work.waiting.retain(|request| request.id != id);
        let was_sent = work.waiting.len() == waiting;
        let interrupt = work.interrupts.remove(&id);
        if !was_sent {
            work.under_way.remove(&id);
        } else if work.under_way.contains(&id) {
            work.cancelled.insert(id);
        }
        drop(work);
        // With a session the gateway must be told; without one it sees that nobody listens any more.
        if was_sent && self.session().is_begun() {
            self.tell(&Message::Notification(news));
        }
        if let Some(interrupt) = interrupt {
            interrupt.now();
        }
    }

    /// The client has gone: what is under way may end by itself for a moment, and the session ends.
    fn finish(&self) {
        let deadline = Instant::now() + LAST_WORDS;
        let mut work = self.work();
        while work.busy > 0 {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                break;
            }
            work = self
                .less_work
                .wait_timeout(work, left)
                .unwrap_or_else(PoisonError::into_inner)
                .0;
        }
        let open = std::mem::take(&mut work.under_way).into_iter();
        let unanswered: Vec<Id> = open.filter(|id| !work.cancelled.contains(id)).collect();
        // Whoever is at one of them still says no more of it.
        work.cancelled.extend(unanswered.iter().cloned());
        drop(work);
        self.give_up();
        for id in unanswered {
            self.journal.event(&format!("id={id} was not answered"));
            self.answer(Some(id), Failed::new(ENDED).outcome());
        }
        let headers = self.session().headers();
        if self.session().is_begun() && self.endpoint.end(&headers).is_ok() {
            self.journal.event("the session has ended");
        }
    }

    /// Ends everything that is under way.
    fn give_up(&self) {
        self.is_over.store(true, Ordering::SeqCst);
        let mut work = self.work();
        work.waiting.clear();
        let listener = work.listener.take();
        let interrupts = work.interrupts.drain().map(|(_, interrupt)| interrupt);
        let interrupts: Vec<Interrupt> = interrupts.chain(listener).collect();
        drop(work);
        interrupts.into_iter().for_each(Interrupt::now);
    }

    /// Does something on a line that can be given up.
    fn watched<T>(&self, line: &Line, exchange: impl FnOnce() -> T) -> T {
        let number = self.numbers.fetch_add(1, Ordering::SeqCst);
        let id = Id::text(&format!("orchctl-own-{number}"));
        self.work().interrupts.insert(id.clone(), line.interrupt());
        let result = exchange();
        self.work().interrupts.remove(&id);
        result
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::SeqCst)
    }

    /// Writes an answer of our own.
    fn answer(&self, id: Option<Id>, outcome: Outcome) {
        let message = Message::Response(Response { id, outcome });
        self.write(&message, &message.to_json());
    }

    /// Writes a message to the client.
    fn write(&self, message: &Message, text: &str) {
        self.journal.message(Way::Down, message);
        let line = message::on_one_line(text) + "\n";
        let mut output = self.output.lock().unwrap_or_else(PoisonError::into_inner);
        if let Err(error) = output.write_all(line.as_bytes()).and_then(|()| output.flush()) {
            self.lose(error);
        }
    }

    /// The client can be told nothing any more: no line of it is of any use.
    fn lose(&self, error: io::Error) {
        let mut lost = self.lost();
        if lost.is_none() {
            self.journal.event(&format!("the client no longer reads: {error}"));
            *lost = Some(error);
        }
        drop(lost);
        let ending = self.ending.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(ending) = &*ending {
            // When lines are waiting, the next one is reason enough to look.
            let _ = ending.try_send(Incoming::End);
        }
    }

    fn lost(&self) -> MutexGuard<'_, Option<io::Error>> {
        self.lost.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn work(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn session(&self) -> MutexGuard<'_, Session> {
        self.session.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
