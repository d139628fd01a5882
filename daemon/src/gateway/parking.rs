//! Calls that wait for a client to come back.
//!
//! A client of the newer era cannot be asked anything while its request is under way. When a server of the older era asks,
//! the call is parked: the client is told what is needed, with a state to bring along, and the call goes on when it comes
//! back with the answer. The state is random and says nothing; only the principal that it was given to can use it, for the
//! same method of the same server. A call that nobody comes back for is given up.
//!
//! A state of a server of the newer era goes through the client, too. The server cannot know whose it is, for it sees only
//! the gateway; so it is sealed to the principal, and one that we have not given, or to somebody else, reaches no server.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use orch_shared::digest::sha256;
use orch_shared::jsonrpc::{Outcome, Raw};
use serde_json::{Value, json};
use tokio::time::Instant;

use super::Seal;
use super::registry::fresh;
use super::upstream::Upstream;
use crate::runtime::link::{Ask, Exchange};

/// What the state of a parked call begins with.
const PARKED: &str = "orch1.parked.";
/// What a state of a server's begins with: the copy it goes to follows, and the seal.
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
#[derive(Clone)]
pub(super) struct Parking {
    calls: Arc<Mutex<HashMap<String, (Instant, Parked)>>>,
    seal: Seal,
}

/// Whose a state is, and what for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Owner<'o> {
    pub(super) principal: &'o str,
    pub(super) server: &'o str,
    pub(super) method: &'o str,
}

/// What a state that a client brings along stands for.
pub(super) enum State {
    /// A call that waits here.
    Parked(Box<Parked>),
    /// A state of a server's own, and the copy that gave it.
    OfServer { copy: String, state: String },
    /// A call that was given up, somebody else's, or nothing that we know of.
    Lost,
}

impl Parking {
    /// Nothing is parked. What states are sealed with outlives the daemon.
    pub(super) fn new(seal: Seal) -> Self {
        Self {
            calls: Arc::default(),
            seal,
        }
    }

    /// Parks a call: the questions, and the state to bring along.
    pub(super) fn park(&self, parked: Parked) -> (Value, String) {
        let question = json!({"method": parked.ask.method, "params": parked.ask.params});
        let state = format!("{PARKED}{}", fresh());
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.retain(|_, (since, _)| since.elapsed() < PATIENCE);
        if calls.len() >= MOST {
            let waiting = calls.iter();
            let waiting = waiting.map(|(state, (since, parked))| (state, parked.principal.as_str(), *since));
            if let Some(state) = one_too_many(waiting).cloned() {
                calls.remove(&state);
            }
        }
        calls.insert(state.clone(), (Instant::now(), parked));
        (json!({QUESTION: question}), state)
    }

    /// A server's state, with the copy that it goes back to, for its owner alone.
    pub(super) fn addressed(&self, copy: &str, state: &str, owner: Owner<'_>) -> String {
        format!("{COPY}{copy}.{}.{state}", self.seal(copy, state, owner))
    }

    /// What nobody can make up who was not given it.
    fn seal(&self, copy: &str, state: &str, owner: Owner<'_>) -> String {
        // As JSON, so that nothing can pass for something else.
        let text = json!([owner.principal, owner.server, owner.method, copy, state]).to_string();
        (self.seal)(&text)
    }

    /// What a state stands for, for whom it was given to.
    pub(super) fn find(&self, state: &str, owner: Owner<'_>) -> State {
        if let Some(rest) = state.strip_prefix(COPY) {
            let mut parts = rest.splitn(3, '.');
            return match (parts.next(), parts.next(), parts.next()) {
                (Some(copy), Some(seal), Some(state)) if is_same(seal, &self.seal(copy, state, owner)) => {
                    State::OfServer {
                        copy: copy.to_owned(),
                        state: state.to_owned(),
                    }
                }
                (Some(_) | None, _, _) => State::Lost,
            };
        }
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        let fits = calls.get(state).is_some_and(|(since, parked)| {
            since.elapsed() < PATIENCE
                && parked.principal == owner.principal
                && parked.server == owner.server
                && parked.method == owner.method
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
        let mut calls = self.calls.lock().unwrap_or_else(PoisonError::into_inner);
        calls.retain(|_, (since, _)| since.elapsed() < PATIENCE);
    }
}

/// The answer to the one question of a parked call; nothing when it is not among them.
pub(super) fn answer(responses: &orch_shared::jsonrpc::Members<'_>) -> Option<Outcome> {
    let result: Raw = responses.get(QUESTION)?.to_owned();
    Some(Outcome::Result(result))
}

/// Which of the calls has to go when there are too many: the oldest of the principal that has most of them, so that nobody
/// ends those of others.
fn one_too_many<'c, S>(calls: impl Iterator<Item = (S, &'c str, Instant)>) -> Option<S> {
    let mut oldest: HashMap<&str, (usize, Instant, S)> = HashMap::new();
    for (state, principal, since) in calls {
        match oldest.entry(principal) {
            Entry::Vacant(place) => drop(place.insert((1, since, state))),
            Entry::Occupied(mut known) => {
                let known = known.get_mut();
                known.0 += 1;
                if since < known.1 {
                    (known.1, known.2) = (since, state);
                }
            }
        }
    }
    let most = oldest
        .into_values()
        .max_by_key(|(count, since, _)| (*count, Reverse(*since)));
    most.map(|(.., state)| state)
}

/// Whether two texts are the same, in a time that does not tell where they differ.
fn is_same(one: &str, other: &str) -> bool {
    sha256(one) == sha256(other)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_has_most_gives_one_up() {
        let now = Instant::now();
        let at = |seconds| now + Duration::from_secs(seconds);
        let ann = (2..5).map(|second| ("ann", second));
        let of = |others: &[(&'static str, u64)]| {
            let calls = ann.clone().chain(others.iter().copied());
            one_too_many(calls.map(|(name, second)| ((name, second), name, at(second))))
        };
        assert_eq!(
            of(&[("bob", 0), ("bob", 1)]),
            Some(("ann", 2)),
            "bob's are older, and fewer"
        );
        assert_eq!(
            of(&[("bob", 9), ("bob", 0), ("bob", 8)]),
            Some(("bob", 0)),
            "as many, and older"
        );
        assert_eq!(one_too_many(std::iter::empty::<((), &str, Instant)>()), None);
    }

    #[test]
    fn a_servers_state_is_its_owners_alone() {
        let parking = Parking::new(Arc::new(|text: &str| sha256(text)));
        let ann = Owner {
            principal: "ann",
            server: "files",
            method: "tools/call",
        };
        let given = parking.addressed("copy", "a.state", ann);
        let is_found = |state: &str, owner| match parking.find(state, owner) {
            State::OfServer { copy, state } => copy == "copy" && state == "a.state",
            State::Parked(_) | State::Lost => false,
        };
        assert!(is_found(&given, ann));
        for owner in [
            Owner {
                principal: "bob",
                ..ann
            },
            Owner { server: "git", ..ann },
            Owner {
                method: "prompts/get",
                ..ann
            },
        ] {
            assert!(!is_found(&given, owner), "{owner:?}");
        }
        for state in [
            "a.state",
            "",
            "orch1.copy.copy.a.state",
            &given.replace("copy.copy", "copy.other"),
        ] {
            assert!(matches!(parking.find(state, ann), State::Lost), "{state}");
        }
    }
}
