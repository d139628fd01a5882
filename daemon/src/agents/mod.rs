//! Agents at work: turns of threads, in which the model of an agent is asked and calls tools until it has an answer.
//!
//! What enters: a message of somebody who may run an agent. What leaves: what the agent says, as it comes, and threads that
//! remember it. What it never does: ask a model by itself, or call a server; that is what the doors to the models and to the
//! servers are for, and both go by the rights of whoever speaks to the agent, as they are by then.
//!
//! Flow: the request is held against rights and bounds, what the model is told first is put together, and the turn is written
//! down. From then on it is a task of its own, which does what [`next`] says, writes each step down before it acts on it, and
//! ends when the turn is complete, fails, is cancelled, or the daemon ends.
//!
//! Guarantees: a thread has one turn at a time. Nothing that a client was told is lost. A daemon that is killed leaves turns that
//! can be gone on with, and a call of a tool that was under way is not made again. A turn writes only as long as its run of a
//! daemon holds it. A thread is there for its owner alone.
//!
//! In reading order:

mod block;
mod compaction;
mod history;
mod next;
mod request;
mod results;

mod begin;
mod owner;
mod threads;

mod meter;
mod running;

mod asking;
mod delegation;
mod toolbox;
mod turn;

mod hiding;
mod recording;
mod replaying;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use begin::Attached;

use crate::asker::Asker;
use crate::gateway::Gateway;
use crate::inference::{Inference, Keys};
use crate::store::{Standing, Store};
use running::{Registry, Why};

/// The pause before it is tried again to note what an earlier run has left.
const RETRY: Duration = Duration::from_millis(500);

/// What agents work with.
pub struct Config {
    /// What is declared, and where threads are kept.
    pub store: Store,
    /// The door to the models.
    pub inference: Inference,
    /// The door to the servers.
    pub gateway: Gateway,
    /// Opens what no cassette shows.
    pub keys: Keys,
    /// Whether agents work here or at another daemon.
    pub standing: watch::Receiver<Standing>,
    /// Ends what is under way, so that a shutdown need not wait for it.
    pub shutdown: CancellationToken,
}

/// Agents at work. Cheap to clone.
#[derive(Clone)]
pub struct Agents(Arc<Shared>);

struct Shared {
    store: Store,
    inference: Inference,
    gateway: Gateway,
    keys: Keys,
    /// Tells this run of the daemon from every other.
    run: String,
    running: Registry,
    shutdown: CancellationToken,
}

/// Who asks, with which request.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Who.
    pub principal: Asker,
    /// What the request is called in the log.
    pub request_id: String,
}

impl Agents {
    /// Opens the room; what is returned beside it does its work in the background, until the end.
    pub fn open(config: Config) -> (Self, impl Future<Output = ()> + Send) {
        let Config {
            store,
            inference,
            gateway,
            keys,
            standing,
            shutdown,
        } = config;
        let agents = Self(Arc::new(Shared {
            run: store.ids().uid(),
            store,
            inference,
            gateway,
            keys,
            running: Registry::default(),
            shutdown,
        }));
        let background = agents.clone();
        let work = async move {
            let shutdown = background.0.shutdown.clone();
            shutdown.run_until_cancelled(background.stand(standing)).await;
            background.0.running.end_all(Why::Ending).await;
        };
        (agents, work)
    }

    /// Notes what other runs have left whenever this daemon has begun to lead, and lets go of everything when it no longer does.
    async fn stand(&self, mut standing: watch::Receiver<Standing>) {
        loop {
            let now = standing.borrow_and_update().clone();
            match now {
                Standing::Leads => self.take_over().await,
                Standing::Follows(_) => self.0.running.end_all(Why::Ending).await,
                Standing::Undecided => {}
            }
            if standing.changed().await.is_err() {
                return std::future::pending().await;
            }
        }
    }

    async fn take_over(&self) {
        loop {
            match self.0.store.interrupt_turns(&self.0.run).await {
                Ok(0) => return,
                Ok(turns) => {
                    return tracing::warn!(turns, "an earlier run has left turns of agents, which can be resumed");
                }
                Err(error) => tracing::warn!(%error, "turns that an earlier run has left cannot be noted yet"),
            }
            tokio::time::sleep(RETRY).await;
        }
    }
}
