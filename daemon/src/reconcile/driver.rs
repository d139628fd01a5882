//! Drives keys through a reconcile function. Knows no kind.
//!
//! Flow: a key enters by [`Bell::ring`], by its timer, or with all others at every resync. It waits in one queue, first
//! come first served, and is reconciled; when that takes waiting, the work runs beside the loop, bounded in number.
//!
//! Guarantees: one key is never reconciled twice at a time; a ring during its work makes it run once more afterwards. A
//! failing key is tried again after a pause that doubles from 200 ms to 60 s, and delays no other key.
//!
//! Assumptions: `step` is idempotent, and quick unless it returns work.

use std::collections::{HashMap, VecDeque};
use std::future::Future;
use std::hash::Hash;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::StreamExt;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;
use tokio_util::time::{DelayQueue, delay_queue};

use super::plan::backoff;

/// What became of a key.
pub(super) enum Step {
    /// Nothing to wait for; look again after so long, if at all.
    Done(Option<Duration>),
    /// Something to wait for.
    Work(Pin<Box<dyn Future<Output = Outcome> + Send>>),
}

/// How the work on a key ended.
pub(super) enum Outcome {
    /// Well; look again after so long, if at all.
    Done(Option<Duration>),
    /// Not well; try again after a pause.
    Failed,
}

/// Wakes keys. Cheap to clone.
pub(super) struct Bell<K>(mpsc::UnboundedSender<K>);

impl<K> Clone for Bell<K> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<K> Bell<K> {
    /// Wakes a key; it will be reconciled soon.
    pub(super) fn ring(&self, key: K) {
        // After the driver has ended nobody listens, and nothing needs to be done.
        let _ended = self.0.send(key);
    }
}

/// How many keys wait and how many are worked on; for metrics.
#[derive(Debug, Clone, Default)]
pub(super) struct Gauge {
    queued: Arc<AtomicUsize>,
    working: Arc<AtomicUsize>,
}

impl Gauge {
    /// Keys that wait to be reconciled.
    #[must_use]
    pub(super) fn queued(&self) -> usize {
        self.queued.load(Ordering::Relaxed)
    }

    /// Keys that are being worked on.
    #[must_use]
    pub(super) fn working(&self) -> usize {
        self.working.load(Ordering::Relaxed)
    }
}

/// How a driver goes about its keys.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Time between two visits to all keys.
    pub(super) resync: Duration,
    /// How many keys are worked on at the same time.
    pub(super) workers: usize,
}

/// How often all keys are visited before anything else, each time after the time before has settled: what an owner shows
/// follows from what its own show.
const FIRST_VISITS: u32 = 2;
const RETRY_FIRST: Duration = Duration::from_millis(200);
const RETRY_MOST: Duration = Duration::from_secs(60);
/// So many keys are reconciled before other tasks of this thread get their turn.
const BURST: usize = 64;

#[derive(Default)]
struct Slot {
    queued: bool,
    working: bool,
    /// Rung while it was worked on.
    again: bool,
    failures: u32,
    timer: Option<delay_queue::Key>,
}

/// The driver and the bell to wake its keys with.
pub(super) fn driver<K>(pace: Pace, gauge: Gauge) -> (Driver<K>, Bell<K>)
where
    K: Hash + Eq + Clone + Send + 'static,
{
    let (sender, rung) = mpsc::unbounded_channel();
    let driver = Driver {
        pace,
        gauge,
        rung,
        slots: HashMap::new(),
        queue: VecDeque::new(),
        timers: DelayQueue::new(),
        working: JoinSet::new(),
    };
    (driver, Bell(sender))
}

/// The loop over all keys.
pub(super) struct Driver<K> {
    pace: Pace,
    gauge: Gauge,
    rung: mpsc::UnboundedReceiver<K>,
    slots: HashMap<K, Slot>,
    queue: VecDeque<K>,
    timers: DelayQueue<K>,
    working: JoinSet<(K, Outcome)>,
}

impl<K> Driver<K>
where
    K: Hash + Eq + Clone + Send + std::fmt::Display + 'static,
{
    /// Runs until shutdown, then waits for the work that has begun. Tells when everything has been visited first.
    pub(super) async fn run(
        mut self,
        all: impl Fn() -> Vec<K>,
        step: impl Fn(&K) -> Step,
        visited: impl FnOnce(),
        shutdown: CancellationToken,
    ) {
        for _ in 0..FIRST_VISITS {
            all().into_iter().for_each(|key| self.enqueue(key));
            self.settle_all(&step, &shutdown).await;
        }
        visited();
        let mut resync = tokio::time::interval_at(Instant::now() + self.pace.resync, self.pace.resync);
        resync.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                biased;
                () = shutdown.cancelled() => break,
                Some(ended) = self.working.join_next() => self.finish(ended),
                Some(key) = self.rung.recv() => self.enqueue(key),
                Some(expired) = self.timers.next() => {
                    let key = expired.into_inner();
                    if let Some(slot) = self.slots.get_mut(&key) {
                        slot.timer = None;
                    }
                    self.enqueue(key);
                }
                _ = resync.tick() => all().into_iter().for_each(|key| self.enqueue(key)),
            }
            // Whatever else has been rung meanwhile joins the queue first: one reconcile answers many rings.
            while let Ok(key) = self.rung.try_recv() {
                self.enqueue(key);
            }
            self.drain(&step).await;
        }
        while let Some(ended) = self.working.join_next().await {
            self.finish(ended);
        }
    }

    /// Works until nothing waits and nothing is worked on.
    async fn settle_all(&mut self, step: &impl Fn(&K) -> Step, shutdown: &CancellationToken) {
        loop {
            self.drain(step).await;
            tokio::select! {
                () = shutdown.cancelled() => return,
                ended = self.working.join_next() => match ended {
                    Some(ended) => self.finish(ended),
                    None => return,
                },
            }
        }
    }

    fn enqueue(&mut self, key: K) {
        let slot = self.slots.entry(key.clone()).or_default();
        if slot.working {
            slot.again = true;
        } else if !slot.queued {
            slot.queued = true;
            self.queue.push_back(key);
        }
        self.gauge.queued.store(self.queue.len(), Ordering::Relaxed);
    }

    async fn drain(&mut self, step: &impl Fn(&K) -> Step) {
        let mut burst = 0;
        while self.working.len() < self.pace.workers {
            let Some(key) = self.queue.pop_front() else { break };
            let slot = self.slots.entry(key.clone()).or_default();
            slot.queued = false;
            if let Some(timer) = slot.timer.take() {
                self.timers.remove(&timer);
            }
            match step(&key) {
                Step::Done(again) => self.settle(key, again),
                Step::Work(work) => {
                    slot.working = true;
                    self.working.spawn(async move { (key, work.await) });
                }
            }
            burst += 1;
            if burst % BURST == 0 {
                tokio::task::yield_now().await;
            }
        }
        self.gauge.queued.store(self.queue.len(), Ordering::Relaxed);
        self.gauge.working.store(self.working.len(), Ordering::Relaxed);
    }

    /// A key is done: forget it, or look again later.
    fn settle(&mut self, key: K, again: Option<Duration>) {
        match again {
            None => {
                self.slots.remove(&key);
            }
            Some(after) => {
                let timer = self.timers.insert(key.clone(), after);
                let slot = self.slots.entry(key).or_default();
                slot.failures = 0;
                slot.timer = Some(timer);
            }
        }
    }

    fn finish(&mut self, ended: Result<(K, Outcome), tokio::task::JoinError>) {
        let (key, outcome) = match ended {
            Ok(ended) => ended,
            Err(error) => {
                // The key of a panicked work is lost; the next resync visits it, for its slot says that it works.
                tracing::error!(%error, "a reconcile panicked");
                self.slots.retain(|_, slot| !slot.working);
                return;
            }
        };
        self.gauge.working.store(self.working.len(), Ordering::Relaxed);
        let slot = self.slots.entry(key.clone()).or_default();
        slot.working = false;
        let again = std::mem::take(&mut slot.again);
        match outcome {
            Outcome::Done(_) if again => {
                slot.failures = 0;
                self.enqueue(key);
            }
            Outcome::Done(after) => self.settle(key, after),
            Outcome::Failed => {
                slot.failures = slot.failures.saturating_add(1);
                let wait = backoff(RETRY_FIRST, RETRY_MOST, slot.failures, &key.to_string());
                slot.timer = Some(self.timers.insert(key, wait));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Mutex;

    fn pace() -> Pace {
        Pace {
            resync: Duration::from_secs(3600),
            workers: 4,
        }
    }

    /// Runs a driver over `step` until `enough` says so, on paused time.
    async fn check(
        rings: &[u32],
        step: impl Fn(&u32, usize) -> Step + Send + Sync + 'static,
        until: Duration,
    ) -> Vec<u32> {
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (driver, bell) = driver(pace(), Gauge::default());
        let shutdown = CancellationToken::new();
        let noted = Arc::clone(&seen);
        let running = tokio::spawn(driver.run(
            Vec::new,
            move |key| {
                let mut seen = noted.lock().unwrap();
                seen.push(*key);
                let times = seen.iter().filter(|other| *other == key).count();
                drop(seen);
                step(key, times)
            },
            || {},
            shutdown.clone(),
        ));
        rings.iter().for_each(|key| bell.ring(*key));
        tokio::time::sleep(until).await;
        shutdown.cancel();
        running.await.unwrap();

        seen.lock().unwrap().clone()
    }

    #[tokio::test(start_paused = true)]
    async fn everything_is_visited_before_it_is_said_to_be() {
        let (driver, _bell) = driver(pace(), Gauge::default());
        let shutdown = CancellationToken::new();
        let done = Arc::new(AtomicUsize::new(0));
        let (working, at_the_time) = (Arc::clone(&done), Arc::new(AtomicUsize::new(0)));
        let (noted, seen) = (Arc::clone(&at_the_time), Arc::clone(&done));
        let running = tokio::spawn(driver.run(
            || (0..100).collect(),
            move |_: &u32| {
                let working = Arc::clone(&working);
                Step::Work(Box::pin(async move {
                    tokio::time::sleep(Duration::from_millis(50)).await;
                    working.fetch_add(1, Ordering::SeqCst);
                    Outcome::Done(None)
                }))
            },
            move || noted.store(seen.load(Ordering::SeqCst), Ordering::SeqCst),
            shutdown.clone(),
        ));
        tokio::time::sleep(Duration::from_secs(60)).await;
        shutdown.cancel();
        running.await.unwrap();
        assert_eq!(at_the_time.load(Ordering::SeqCst), 200);
    }

    #[tokio::test(start_paused = true)]
    async fn rings_of_a_waiting_key_fold() {
        let seen = check(&[1, 1, 2, 1], |_, _| Step::Done(None), Duration::from_secs(1)).await;
        assert_eq!(seen, [1, 2]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_failing_key_backs_off_and_delays_no_other() {
        let step = |key: &u32, times: usize| match key {
            1 if times < 4 => Step::Work(Box::pin(async { Outcome::Failed })),
            _ => Step::Done(None),
        };
        let seen = check(&[1, 2], step, Duration::from_secs(10)).await;
        assert_eq!(seen, [1, 2, 1, 1, 1]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_timer_brings_a_key_back() {
        let step = |_: &u32, times: usize| Step::Done((times < 3).then_some(Duration::from_secs(5)));
        assert_eq!(check(&[7], step, Duration::from_secs(60)).await, [7, 7, 7]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_ring_during_the_work_is_not_lost() {
        let (driver, bell) = driver(pace(), Gauge::default());
        let shutdown = CancellationToken::new();
        let count = Arc::new(AtomicUsize::new(0));
        let (counted, during) = (Arc::clone(&count), bell.clone());
        let running = tokio::spawn(driver.run(
            Vec::new,
            move |key: &u32| {
                let (first, during, key) = (counted.fetch_add(1, Ordering::SeqCst) == 0, during.clone(), *key);
                Step::Work(Box::pin(async move {
                    if first {
                        during.ring(key);
                        tokio::time::sleep(Duration::from_secs(1)).await;
                    }
                    Outcome::Done(None)
                }))
            },
            || {},
            shutdown.clone(),
        ));
        bell.ring(1);
        tokio::time::sleep(Duration::from_secs(5)).await;
        shutdown.cancel();
        running.await.unwrap();
        assert_eq!(count.load(Ordering::SeqCst), 2);
    }
}
