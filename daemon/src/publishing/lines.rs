//! The streams on which publishers are told things: one for each session, the newest.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use orch_shared::access::Principal;
use orch_shared::problem::Problem;
use orch_shared::publishing::{Cancel, Hello, Told};
use tokio::sync::Notify;

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
    queue: Arc<Queue>,
}

/// What a publisher is told next. Tasks stand here by their ids alone: what they ask is kept with those who wait for them, and
/// goes with them.
#[derive(Debug, PartialEq, Eq)]
enum News {
    Hello(Hello),
    Task(String),
    Cancel(String),
}

/// What waits to be told. Hellos are one for each stream, tasks are as many as a publisher is given at the same time, and only
/// what it has been told is cancelled: so this does not grow, even if nobody reads it.
#[derive(Default)]
struct Queue {
    /// Nothing any more once the stream has ended.
    waiting: Mutex<Option<VecDeque<News>>>,
    changed: Notify,
}

impl Queue {
    fn begun(hello: Hello) -> Arc<Self> {
        Arc::new(Self {
            waiting: Mutex::new(Some(VecDeque::from([News::Hello(hello)]))),
            changed: Notify::new(),
        })
    }

    fn waiting(&self) -> MutexGuard<'_, Option<VecDeque<News>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds to it; whether the stream is still open.
    fn add(&self, news: News) -> bool {
        let is_open = self.waiting().as_mut().map(|waiting| waiting.push_back(news)).is_some();
        self.changed.notify_one();
        is_open
    }

    fn take_back(&self, id: &str) {
        if let Some(waiting) = self.waiting().as_mut() {
            waiting.retain(|news| !matches!(news, News::Task(task) if task == id));
        }
    }

    fn end(&self) {
        *self.waiting() = None;
        self.changed.notify_one();
    }

    /// Waits until the stream has ended, whatever waits to be told.
    async fn ended(&self) {
        while self.waiting().is_some() {
            self.changed.notified().await;
        }
    }

    /// What was added first; nothing more once the stream has ended. Whoever stops waiting loses nothing.
    async fn next(&self) -> Option<News> {
        loop {
            match self.waiting().as_mut() {
                None => return None,
                Some(waiting) => {
                    if let Some(news) = waiting.pop_front() {
                        return Some(news);
                    }
                }
            }
            // What was added since then wakes, too: the sign of it is kept.
            self.changed.notified().await;
        }
    }
}

impl Line {
    /// Has the publisher told of a task; whether it is still there to hear it.
    pub(super) fn give(&self, id: &str) -> bool {
        self.queue.add(News::Task(id.to_owned()))
    }

    /// Takes a task back of which the publisher has not been told.
    pub(super) fn take_back(&self, id: &str) {
        self.queue.take_back(id);
    }

    /// Has the publisher told that nobody waits for a task that it was given.
    pub(super) fn cancel(&self, id: &str) {
        // One that has gone has nothing to give up.
        let _is_there = self.queue.add(News::Cancel(id.to_owned()));
    }
}

/// What a publisher hears. When it is dropped, the publisher has gone.
pub struct Listening {
    publishers: Publishers,
    publisher: String,
    number: u64,
    queue: Arc<Queue>,
}

impl Listening {
    /// The next thing that it is told; nothing more once its stream was superseded, or another daemon leads.
    pub async fn next(&mut self) -> Option<Told> {
        tokio::select! {
            told = self.told() => told,
            () = self.deposed() => None,
        }
    }

    /// Waits until it is told nothing more, though there may be something that it has not heard.
    pub async fn ended(&mut self) {
        tokio::select! {
            () = self.queue.ended() => {}
            () = self.deposed() => {}
        }
    }

    /// Waits until another daemon leads.
    async fn deposed(&self) {
        let mut standing = self.publishers.0.standing.clone();
        // Fails only when the daemon is shutting down.
        drop(standing.wait_for(|standing| *standing != Standing::Leads).await);
    }

    async fn told(&self) -> Option<Told> {
        loop {
            return Some(match self.queue.next().await? {
                News::Hello(hello) => Told::Hello(hello),
                News::Cancel(id) => Told::Cancel(Cancel { id }),
                News::Task(id) => match self.publishers.told_of(&id) {
                    Some(told) => told,
                    // Whoever waited for it has gone just now.
                    None => continue,
                },
            });
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
    pub(super) fn lines(&self) -> MutexGuard<'_, Lines> {
        self.0.lines.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins to tell a publisher what it is to do, and ends an earlier stream of its session.
    ///
    /// # Errors
    /// When there is no such session.
    pub async fn listen(&self, principal: &Principal, session: &str) -> Result<Listening, Problem> {
        let publisher = self.session(principal, session).await?;
        self.cut(&publisher);
        let queue = Queue::begun(Hello {
            session: admission::short_name(&publisher),
        });
        let number = {
            let mut lines = self.lines();
            lines.count += 1;
            let line = Line {
                number: lines.count,
                owner: principal.name.to_string(),
                queue: Arc::clone(&queue),
            };
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
            queue,
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
            line.queue.end();
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
            if let Some(line) = lines.open.remove(publisher) {
                line.queue.end();
            }
        }
        self.lose(number);
        tracing::info!(session = admission::short_name(publisher), "a publisher has gone");
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hello() -> Hello {
        Hello {
            session: "s".to_owned(),
        }
    }

    #[tokio::test]
    async fn what_was_not_told_is_taken_back_and_what_was_told_is_cancelled() {
        let queue = Queue::begun(hello());
        let line = Line {
            number: 1,
            owner: "user/a".to_owned(),
            queue: Arc::clone(&queue),
        };
        assert_eq!(queue.next().await, Some(News::Hello(hello())));
        assert!(line.give("a") && line.give("b") && line.give("c"));
        assert_eq!(queue.next().await, Some(News::Task("a".to_owned())));
        line.take_back("b");
        line.cancel("a");
        assert_eq!(queue.next().await, Some(News::Task("c".to_owned())));
        assert_eq!(queue.next().await, Some(News::Cancel("a".to_owned())));
        // However many come and go, nothing is left of them.
        for number in 0..1000 {
            let id = number.to_string();
            assert!(line.give(&id));
            line.take_back(&id);
        }
        assert_eq!(queue.waiting().as_ref().map(VecDeque::len), Some(0));
        // That it has ended is heard though something waits; and whoever only listens for that takes nothing away.
        let other = Queue::begun(hello());
        let hearing = tokio::spawn({
            let other = Arc::clone(&other);
            async move { other.ended().await }
        });
        tokio::task::yield_now().await;
        assert!(!hearing.is_finished() && other.add(News::Task("d".to_owned())));
        tokio::task::yield_now().await;
        assert_eq!(other.next().await, Some(News::Hello(hello())));
        assert!(!hearing.is_finished());
        other.end();
        hearing.await.expect("it does not panic");
        // Nobody is told anything once the stream has ended.
        let waiting = tokio::spawn({
            let queue = Arc::clone(&queue);
            async move { queue.next().await }
        });
        tokio::task::yield_now().await;
        queue.end();
        assert_eq!(waiting.await.expect("it does not panic"), None);
        assert!(!line.give("d"));
    }
}
