//! The streams on which publishers are told things: one for each session, the newest.

use std::collections::HashMap;
use std::sync::PoisonError;

use orch_shared::access::Principal;
use orch_shared::problem::Problem;
use orch_shared::publishing::{Hello, Told};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::Publishers;
use crate::admission;
use crate::store::Standing;

/// The open streams, by the SHA-256 of the session.
#[derive(Default)]
pub(super) struct Lines {
    open: HashMap<String, Line>,
    /// Counts up with each stream.
    count: u64,
}

/// The sending end of one.
#[derive(Clone)]
pub(super) struct Line {
    /// Tells it from earlier ones of the same session.
    pub(super) number: u64,
    /// Whose session it is.
    pub(super) owner: String,
    told: UnboundedSender<Told>,
}

impl Line {
    /// Tells the publisher something; whether it is still there to hear it.
    pub(super) fn tell(&self, told: Told) -> bool {
        self.told.send(told).is_ok()
    }
}

/// What a publisher hears. When it is dropped, the publisher has gone.
pub struct Listening {
    publishers: Publishers,
    publisher: String,
    number: u64,
    told: UnboundedReceiver<Told>,
}

impl Listening {
    /// The next thing that it is told; nothing more once its stream was superseded, or another daemon leads.
    pub async fn next(&mut self) -> Option<Told> {
        let mut standing = self.publishers.0.standing.clone();
        let deposed = async {
            // Fails only when the daemon is shutting down.
            drop(standing.wait_for(|standing| *standing != Standing::Leads).await);
        };
        tokio::select! {
            told = self.told.recv() => told,
            () = deposed => None,
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        if !self.publishers.hang_up(&self.publisher, self.number) {
            return;
        }
        let (publishers, publisher) = (self.publishers.clone(), std::mem::take(&mut self.publisher));
        // Outside of a runtime the daemon has ended, and with it everybody who would be told.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { publishers.gone(&publisher).await });
        }
    }
}

impl Publishers {
    pub(super) fn lines(&self) -> std::sync::MutexGuard<'_, Lines> {
        self.0.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to tell a publisher what it is to do, and ends an earlier stream of its session.
    ///
    /// # Errors
    /// When there is no such session.
    pub async fn listen(&self, principal: &Principal, session: &str) -> Result<Listening, Problem> {
        let publisher = self.session(principal, session).await?;
        self.cut(&publisher);
        let (sender, told) = unbounded_channel();
        let number = {
            let mut lines = self.lines();
            lines.count += 1;
            let line = Line {
                number: lines.count,
                owner: principal.name.to_string(),
                told: sender,
            };
            line.tell(Told::Hello(Hello {
                session: admission::short_name(&publisher),
            }));
            let number = line.number;
            lines.open.insert(publisher.clone(), line);
            number
        };
        self.0.opened.send_modify(|count| *count += 1);
        tracing::info!(session = admission::short_name(&publisher), principal = %principal.name, "a publisher listens");
        Ok(Listening {
            publishers: self.clone(),
            publisher,
            number,
            told,
        })
    }

    /// The stream of a session, if it is open.
    pub(super) fn line(&self, publisher: &str) -> Option<Line> {
        self.lines().open.get(publisher).cloned()
    }

    /// Ends the stream of a session without a word about its objects; whether there was one.
    pub(super) fn cut(&self, publisher: &str) -> bool {
        let line = self.lines().open.remove(publisher);
        if let Some(line) = &line {
            self.lose(line.number);
        }
        line.is_some()
    }

    /// A stream has ended; whether it was the one that its session had.
    fn hang_up(&self, publisher: &str, number: u64) -> bool {
        {
            let mut lines = self.lines();
            if lines.open.get(publisher).is_none_or(|line| line.number != number) {
                return false;
            }
            lines.open.remove(publisher);
        }
        self.lose(number);
        tracing::info!(session = admission::short_name(publisher), "a publisher has gone");
        true
    }
}
