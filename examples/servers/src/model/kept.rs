//! Long answers that were made once: to make one anew takes longer than to send it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Bytes;

/// The name of a model, and whether its events tell what was used.
type Which = (String, bool);

/// Events, by what they are of.
#[derive(Default)]
pub(crate) struct Kept(Mutex<HashMap<Which, Arc<[Bytes]>>>);

impl Kept {
    /// The events of a model. Only names that begin with `chunks` say all that an answer depends on.
    pub(crate) fn get(&self, model: &str, tells_usage: bool, make: impl FnOnce() -> Vec<Bytes>) -> Arc<[Bytes]> {
        if !model.starts_with("chunks") || model.contains("tools") {
            return make().into();
        }
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (model.to_owned(), tells_usage);
        Arc::clone(kept.entry(key).or_insert_with(|| make().into()))
    }
}
