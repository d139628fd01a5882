//! The publisher: registers, listens, has tasks done, says that it is there; and when the daemon is gone, comes back with
//! the same session.
//!
//! Flow: everything that happens is news on one channel, which one loop takes in and tells of. The stream, each task, the
//! heart and the look after idle processes are threads that bring such news.
//!
//! Guarantees: what ends for good (somebody else has the name, the credential opens nothing) ends the program; everything
//! else is tried again, with growing pauses. What was under way when a stream ended is given up.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use orch_shared::problem::Code;
use orch_shared::publishing::{Heard, Heartbeat, Registered, Registration, Told};
use orch_shared::resource::Timestamp;

use super::memory::Memory;
use super::offer::{Local, Offered};
use super::task::{self, Outcome, Tasks};
use crate::client::Client;
use crate::client::mcp::Interrupt;
use crate::client::publishing::Desk;
use crate::report::{Failure, Outcome as Ended};
use crate::settings::{Settings, now};

/// The pause before the second try to reach the daemon, and the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// So often it is looked at models that may be stopped.
const LOOK: Duration = Duration::from_millis(500);
/// Heartbeats are so far apart at most.
const HEARTBEAT: Duration = Duration::from_secs(30);

/// Something that has happened.
enum News {
    /// The daemon tells something, on the stream of that number.
    Told(u64, Told),
    /// That stream has ended.
    Ended(u64),
    /// A model was started.
    Started(Arc<Local>),
    /// A task, or a wake, is over.
    Done(Arc<Local>, &'static str, Outcome, Duration),
    /// A model has been stopped, or has ended: why, in a clause.
    Stopped(Arc<Local>, String),
}

/// The publisher.
pub(crate) struct Publisher<'s> {
    settings: &'s Settings,
    offered: Offered,
    memory: Memory,
    tasks: Tasks,
    sender: Sender<News>,
    news: Receiver<News>,
    /// Counts the streams.
    stream: u64,
}

/// A stream that is open.
struct Open {
    number: u64,
    client: Client,
    desk: Desk,
    session: String,
    interrupt: Interrupt,
    every: Duration,
}

impl<'s> Publisher<'s> {
    /// A publisher of that; nothing is said to the daemon yet.
    pub(crate) fn new(settings: &'s Settings, offered: Offered) -> Result<Self, Failure> {
        let memory = Memory::open(settings.client()?.server(), &offered.objects())?;
        let (sender, news) = mpsc::channel();
        Ok(Self {
            settings,
            offered,
            memory,
            tasks: Tasks::default(),
            sender,
            news,
            stream: 0,
        })
    }

    /// Publishes until something ends that for good.
    pub(crate) fn run(mut self) -> Result<Ended, Failure> {
        self.look_after_engines();
        let mut pause = FIRST_PAUSE;
        let mut was_told = false;
        loop {
            match self.connect() {
                Ok(open) => {
                    pause = FIRST_PAUSE;
                    was_told = false;
                    self.serve(open)?;
                    self.tasks.cancel_all();
                    self.say("the daemon has ended the stream; coming back");
                }
                Err(failure) if is_passing(&failure) => {
                    if !was_told {
                        self.say(&format!("{failure}; trying again"));
                        was_told = true;
                    }
                }
                Err(failure) => return Err(failure),
            }
            // Whoever was cut off together does not come back together.
            std::thread::sleep(pause.mul_f64(0.5 + crate::client::dice() / 2.0));
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    fn connect(&mut self) -> Result<Open, Failure> {
        let client = self.settings.client()?.another();
        let registration = Registration {
            objects: self.offered.offers(),
        };
        let Registered {
            session,
            name,
            heartbeat_timeout_seconds,
            objects,
        } = client.register(self.memory.session(), &registration)?;
        self.memory.keep(&session)?;
        let desk = client.desk(&session);
        let hearing = desk.hear()?;
        self.stream += 1;
        let (number, sender) = (self.stream, self.sender.clone());
        let interrupt = hearing.interrupt();
        std::thread::spawn(move || {
            for told in hearing {
                if sender.send(News::Told(number, told)).is_err() {
                    return;
                }
            }
            // Fails only when nobody is left to come back.
            let _ended = sender.send(News::Ended(number));
        });
        for taken in objects {
            self.say(&format!("{} is published (session {name})", taken.object));
        }
        let timeout = Duration::from_secs(heartbeat_timeout_seconds.max(1));
        Ok(Open {
            number,
            client,
            desk,
            session,
            interrupt,
            every: (timeout / 3).min(HEARTBEAT),
        })
    }

    /// Works for an open stream until it ends.
    fn serve(&mut self, open: Open) -> Result<(), Failure> {
        let mut heartbeat_at = Instant::now();
        loop {
            let left = heartbeat_at.saturating_duration_since(Instant::now());
            if left.is_zero() {
                match self.beat(&open) {
                    Ok(()) => {}
                    Err(failure) if is_passing(&failure) || failure.code() == Some(Code::NotFound) => {
                        // The stream may not know yet that nobody is at its other end.
                        self.say(&format!("the daemon does not take a heartbeat: {failure}"));
                        open.interrupt.now();
                        return Ok(());
                    }
                    Err(failure) => return Err(failure),
                }
                heartbeat_at = Instant::now() + open.every;
            }
            match self.news.recv_timeout(left) {
                Ok(News::Told(number, told)) if number == open.number => self.take_in(&open, told),
                Ok(News::Ended(number)) if number == open.number => return Ok(()),
                // Of an earlier stream.
                Ok(News::Told(..) | News::Ended(_)) => {}
                Ok(News::Started(local)) => {
                    self.say(&format!("llm/{} runs", local.name));
                    heartbeat_at = Instant::now();
                }
                Ok(News::Done(local, what, outcome, took)) => self.tell_done(&local, what, &outcome, took),
                Ok(News::Stopped(local, why)) => {
                    self.say(&format!("llm/{} is stopped: {why}", local.name));
                    heartbeat_at = Instant::now();
                }
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }

    /// Says that the publisher is there; ends when nothing is left of what it publishes.
    fn beat(&self, open: &Open) -> Result<(), Failure> {
        let heartbeat = Heartbeat {
            llms: self.offered.standing(),
        };
        let Heard { objects } = open.client.heartbeat(&open.session, &heartbeat)?;
        let known: Vec<_> = objects.into_iter().map(|standing| standing.object).collect();
        let gone: Vec<String> = self
            .offered
            .objects()
            .into_iter()
            .filter(|object| !known.contains(object))
            .map(|object| object.to_string())
            .collect();
        match gone.is_empty() {
            true => Ok(()),
            false => Err(Failure::local(format!("{} was deleted by somebody", gone.join(", ")))
                .hint("publish it anew by starting this command again")),
        }
    }

    fn take_in(&self, open: &Open, told: Told) {
        match told {
            Told::Hello(_) => {}
            Told::Cancel(cancel) => {
                self.tasks.cancel(&cancel.id);
            }
            Told::Task(task) => {
                let Some(local) = self.offered.models.get(&task.llm).cloned() else {
                    open.desk.fail(&task.id, "it is not among what this publisher offers");
                    return;
                };
                let exchanges = self.tasks.begin(&task.id, &local, &open.desk);
                let (tasks, desk, sender) = (self.tasks.clone(), open.desk.clone(), self.sender.clone());
                self.work(&local, "answered", move |local| {
                    let started = || drop(sender.send(News::Started(Arc::clone(local))));
                    task::run(&tasks, &desk, local, task, &exchanges, started)
                });
            }
            Told::Wake(wake) => {
                let Some(local) = self.offered.models.get(&wake.llm).cloned() else {
                    open.desk.fail(&wake.id, "it is not among what this publisher offers");
                    return;
                };
                let (desk, sender) = (open.desk.clone(), self.sender.clone());
                self.say(&format!("llm/{} is woken", local.name));
                self.work(&local, "woke", move |local| {
                    let started = || drop(sender.send(News::Started(Arc::clone(local))));
                    task::wake(&desk, local, &wake, started)
                });
            }
        }
    }

    /// Has something done on a thread of its own.
    fn work(&self, local: &Arc<Local>, what: &'static str, work: impl FnOnce(&Arc<Local>) -> Outcome + Send + 'static) {
        let (local, sender) = (Arc::clone(local), self.sender.clone());
        std::thread::spawn(move || {
            let began = Instant::now();
            let outcome = work(&local);
            // Fails only when nobody is left to be told.
            let _untold = sender.send(News::Done(local, what, outcome, began.elapsed()));
        });
    }

    fn tell_done(&self, local: &Local, what: &str, outcome: &Outcome, took: Duration) {
        let name = &local.name;
        let took = took.as_millis();
        match outcome {
            Outcome::Answered(status) => self.say(&format!("llm/{name} {what}: {status} in {took} ms")),
            Outcome::Failed(why) => self.say(&format!("llm/{name} failed: {why}")),
            Outcome::Cancelled => self.say(&format!("llm/{name}: nobody waits any more, after {took} ms")),
        }
    }

    /// Stops processes that are not used, on a thread of its own.
    fn look_after_engines(&self) {
        let models: BTreeMap<_, _> = self
            .offered
            .models
            .iter()
            .filter(|(_, local)| local.engine.is_some())
            .map(|(name, local)| (name.clone(), Arc::clone(local)))
            .collect();
        if models.is_empty() {
            return;
        }
        let sender = self.sender.clone();
        std::thread::spawn(move || {
            loop {
                std::thread::sleep(LOOK);
                for local in models.values() {
                    let stopped = local.engine.as_ref().and_then(super::engine::Engine::rest);
                    if let Some(why) = stopped
                        && sender.send(News::Stopped(Arc::clone(local), why)).is_err()
                    {
                        return;
                    }
                }
            }
        });
    }

    fn say(&self, text: &str) {
        let at: Timestamp = now();
        self.settings.ui.say(&format!("{at} {text}"));
    }
}

/// Whether a daemon that refuses now may take it in a moment.
fn is_passing(failure: &Failure) -> bool {
    matches!(
        failure.code(),
        Some(
            Code::DaemonUnreachable
                | Code::ShuttingDown
                | Code::StoreUnavailable
                | Code::StoreReadOnly
                | Code::LeaderUnavailable
                | Code::NoAnswer
                | Code::Timeout
                | Code::TooMany
        )
    )
}
