//! What was asked, and what is under way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::Provider;

/// What was seen so far.
#[derive(Default)]
pub(crate) struct Seen(Mutex<Known>);

#[derive(Default)]
struct Known {
    /// Of each model, how often it was asked.
    asked: HashMap<String, usize>,
    under_way: usize,
    /// How often its models were listed, or asked to be.
    listed: usize,
    /// How often somebody came with a key that is not taken.
    refused: usize,
    /// What becomes of who lists the models.
    listing: Listing,
    /// The last request: its headers and its body.
    last: Value,
}

/// What becomes of who lists the models.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Listing {
    /// They are answered with that status.
    pub(crate) status: u16,
    /// After so many milliseconds.
    pub(crate) late: u64,
}

impl Default for Listing {
    fn default() -> Self {
        Self { status: 200, late: 0 }
    }
}

/// An answer that is under way.
pub(crate) struct UnderWay(Arc<Seen>);

impl Seen {
    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request; how many there were of that model before.
    pub(crate) fn asked(&self, model: &str, last: impl FnOnce() -> Value) -> usize {
        let mut known = self.known();
        // What it was in the end is asked for rarely; to remember each is dear where there are many.
        if !model.starts_with("chunks") {
            known.last = last();
        }
        let times = known.asked.entry(model.to_owned()).or_default();
        *times += 1;
        *times - 1
    }

    /// Notes that the models are listed; what is to become of that.
    pub(crate) fn listed(&self) -> Listing {
        let mut known = self.known();
        known.listed += 1;
        known.listing
    }

    /// Notes that a key was not taken.
    pub(crate) fn refused(&self) {
        self.known().refused += 1;
    }

    /// Begins an answer.
    pub(crate) fn begin(self: &Arc<Self>) -> UnderWay {
        self.known().under_way += 1;
        UnderWay(Arc::clone(self))
    }
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.0.known().under_way -= 1;
    }
}

/// Tells all of it.
pub(crate) async fn tell(State(provider): State<Arc<Provider>>) -> Json<Value> {
    let known = provider.seen.known();
    Json(json!({
        "asked": known.asked, "underWay": known.under_way, "listed": known.listed, "refused": known.refused,
        "last": known.last,
    }))
}

/// Says what becomes of who lists the models from now on.
pub(crate) async fn set_listing(State(provider): State<Arc<Provider>>, Json(listing): Json<Listing>) {
    provider.seen.known().listing = listing;
}
