//! Calls that wait for a client to come back.
//!
//! A client of the newer era cannot be asked anything while its request is under way. When a server of the older era asks,
//! the call is parked: the client is told what is needed, with a state to bring along, and the call goes on when it comes
//! back with the answer. The state is random and says nothing; only the principal that it was given to can use it, for the
//! same method of the same server. A call that nobody comes back for is given up.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use orch_shared::jsonrpc::{Outcome, Raw};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::registry::fresh;
use super::upstream::Upstream;
use crate::runtime::link::{Ask, Exchange};

/// What our own states begin with.
pub(super) const PREFIX: &str = "orch1.";
/// What the state of a parked call begins with.
const PARKED: &str = "orch1.parked.";
/// What a state of a server's begins with: the copy it goes to follows.
const COPY: &str = "orch1.copy.";
/// The one question of a parked call.
const QUESTION: &str = "question";

/// How long a client may take to come back.
const PATIENCE: Duration = Duration::from_secs(600);
/// So many calls may be parked.
const MOST: usize = 1000;

/// A call that waits.
pub(super) struct Parked {
    pub(super) exchange: Exchange,
    pub(super) ask: Ask,
    pub(super) upstream: Upstream,
    pub(super) principal: String,
    pub(super) server: String,
    pub(super) method: String,
}

/// All calls that wait. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Parking(Arc<Mutex<HashMap<String, (Instant, Parked)>>>);

/// What a state that a client brings along stands for.
pub(super) enum State {
    /// A call that waits here.
    Parked(Box<Parked>),
    /// A state of a server's own, and the copy that gave it.
    OfServer { copy: String, state: String },
    /// A call that was given up, or somebody else's.
    Lost,
    /// A state that we know nothing of.
    Foreign,
}

impl Parking {
    /// Parks a call: the questions, and the state to bring along.
    pub(super) fn park(&self, parked: Parked) -> (Value, String) {
        let question = json!({"method": parked.ask.method, "params": parked.ask.params});
        let state = format!("{PARKED}{}", fresh());
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.retain(|_, (since, _)| since.elapsed() < PATIENCE);
        if calls.len() >= MOST
            && let Some(oldest) = calls
                .iter()
                .min_by_key(|(_, (since, _))| *since)
                .map(|(state, _)| state.clone())
        {
            calls.remove(&oldest);
        }
        calls.insert(state.clone(), (Instant::now(), parked));
        (json!({QUESTION: question}), state)
    }

    /// What a state stands for, for that principal and request.
    pub(super) fn find(&self, state: &str, principal: &str, server: &str, method: &str) -> State {
        if let Some(rest) = state.strip_prefix(COPY) {
            return match rest.split_once('.') {
                Some((copy, state)) => State::OfServer {
                    copy: copy.to_owned(),
                    state: state.to_owned(),
                },
                None => State::Lost,
            };
        }
        if !state.starts_with(PARKED) {
            return State::Foreign;
        }
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = calls.get(state).is_some_and(|(since, parked)| {
            since.elapsed() < PATIENCE
                && parked.principal == principal
                && parked.server == server
                && parked.method == method
        });
        if !fits {
            return State::Lost;
        }
        match calls.remove(state) {
            Some((_, parked)) => State::Parked(Box::new(parked)),
            None => State::Lost,
        }
    }

    /// Gives up the calls that nobody has come back for.
    pub(super) fn sweep(&self) {
        let mut calls = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        calls.retain(|_, (since, _)| since.elapsed() < PATIENCE);
    }
}

/// The answer to the one question of a parked call; nothing when it is not among them.
pub(super) fn answer(responses: &orch_shared::jsonrpc::Members<'_>) -> Option<Outcome> {
    let result: Raw = responses.get(QUESTION)?.to_owned();
    Some(Outcome::Result(result))
}

/// A server's state, with the copy that it goes back to.
pub(super) fn addressed(copy: &str, state: &str) -> String {
    format!("{COPY}{copy}.{state}")
}
