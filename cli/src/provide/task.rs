//! One task: asked of the model on this machine, and what it answers handed on as it comes.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use orch_shared::inference::address;
use orch_shared::publishing::{Head, Task, Wake};

use super::offer::Local;
use crate::client::mcp::Interrupt;
use crate::client::publishing::Desk;
use crate::client::site::{Exchange, Sent, Way};

/// What clients of Anthropic say about the protocol, where nobody says another revision.
const ANTHROPIC_VERSION: (&str, &str) = ("anthropic-version", "2023-06-01");

/// The tasks that are under way, each with what ends it. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Tasks(Arc<Mutex<HashMap<String, Vec<Interrupt>>>>);

/// The exchanges that a task takes: with the model, and with the daemon.
pub(super) struct Exchanges {
    with_model: Exchange,
    with_daemon: Exchange,
}

impl Tasks {
    fn known(&self) -> MutexGuard<'_, HashMap<String, Vec<Interrupt>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a task: from now on it can be cancelled.
    pub(super) fn begin(&self, id: &str, local: &Local, desk: &Desk) -> Exchanges {
        let exchanges = Exchanges {
            with_model: local.site.exchange(),
            with_daemon: desk.exchange(),
        };
        let interrupts = vec![exchanges.with_model.interrupt(), exchanges.with_daemon.interrupt()];
        self.known().insert(id.to_owned(), interrupts);
        exchanges
    }

    /// Ends a task that nobody waits for; whether it was under way.
    pub(super) fn cancel(&self, id: &str) -> bool {
        let interrupts = self.known().remove(id);
        let was_under_way = interrupts.is_some();
        interrupts.into_iter().flatten().for_each(Interrupt::now);
        was_under_way
    }

    /// Ends all of them: whoever waited for them waits no longer.
    pub(super) fn cancel_all(&self) {
        let all: Vec<Vec<Interrupt>> = self.known().drain().map(|(_, interrupts)| interrupts).collect();
        all.into_iter().flatten().for_each(Interrupt::now);
    }

    /// A task is over; whether it was under way until now.
    fn end(&self, id: &str) -> bool {
        self.known().remove(id).is_some()
    }
}

/// What became of a task.
pub(super) enum Outcome {
    /// It was answered, with that status.
    Answered(u16),
    /// It could not be: why, in a clause.
    Failed(String),
    /// Nobody waited for it any more.
    Cancelled,
}

/// Does a task. `started` is told when the model's process was started for it.
pub(super) fn run(
    tasks: &Tasks,
    desk: &Desk,
    local: &Local,
    task: Task,
    exchanges: &Exchanges,
    started: impl FnOnce(),
) -> Outcome {
    let entered = local.engine.as_ref().map(super::engine::Engine::enter).transpose();
    let in_use = match entered {
        Ok(entered) => entered,
        Err(why) => return failed(tasks, desk, &task.id, &why),
    };
    if in_use.as_ref().is_some_and(|(_, was_started)| *was_started) {
        started();
    }
    let mut headers: Vec<(String, String)> = task.headers.into_iter().collect();
    headers.push(("content-type".to_owned(), "application/json".to_owned()));
    headers.extend(local.key.iter().cloned());
    if local.provider == orch_shared::kinds::llm::Provider::Anthropic
        && !headers.iter().any(|(name, _)| name == ANTHROPIC_VERSION.0)
    {
        headers.push((ANTHROPIC_VERSION.0.to_owned(), ANTHROPIC_VERSION.1.to_owned()));
    }
    let url = address::join(local.site.base(), &task.path);
    let sent = Sent::Whole(task.body.into_bytes());
    let asked = local
        .site
        .send(&exchanges.with_model, (Way::Post, &url), &headers, sent, None);
    let answered = match asked {
        Ok(answered) => local.told(answered),
        Err(why) => {
            let why = format!("the model at {} does not answer: {why}", local.site.base());
            return failed(tasks, desk, &task.id, &why);
        }
    };
    let status = answered.status;
    let head = Head::Answer {
        status,
        headers: answered.headers.iter().cloned().collect(),
    };
    let was_taken = desk.answer(&exchanges.with_daemon, &task.id, &head, answered);
    match (tasks.end(&task.id), was_taken) {
        (false, _) => Outcome::Cancelled,
        (true, true) => Outcome::Answered(status),
        (true, false) => Outcome::Failed("its answer broke off on its way".to_owned()),
    }
}

/// Wakes a model.
pub(super) fn wake(desk: &Desk, local: &Local, wake: &Wake, started: impl FnOnce()) -> Outcome {
    let entered = local.engine.as_ref().map(super::engine::Engine::enter).transpose();
    match entered {
        Ok(entered) => {
            if entered.is_some_and(|(_, was_started)| was_started) {
                started();
            }
            let head = Head::Answer {
                status: 200,
                headers: std::collections::BTreeMap::new(),
            };
            let exchange = desk.exchange();
            match desk.answer(&exchange, &wake.id, &head, std::io::empty()) {
                true => Outcome::Answered(200),
                false => Outcome::Cancelled,
            }
        }
        Err(why) => {
            desk.fail(&wake.id, &why);
            Outcome::Failed(why)
        }
    }
}

fn failed(tasks: &Tasks, desk: &Desk, id: &str, why: &str) -> Outcome {
    if !tasks.end(id) {
        return Outcome::Cancelled;
    }
    desk.fail(id, why);
    Outcome::Failed(why.to_owned())
}
