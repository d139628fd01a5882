//! What was asked, and what is under way.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Json;
use axum::extract::State;
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
    /// The last request: its headers and its body.
    last: Value,
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
    Json(json!({"asked": known.asked, "underWay": known.under_way, "last": known.last}))
}
