//! The keys of providers: opened where they are used, and kept for a moment.

use std::collections::HashMap;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use orch_shared::kind::Kind;
use orch_shared::name::ObjectRef;
use orch_shared::value::SecretKeyRef;

use crate::secrets::Plaintext;
use crate::store::Snapshot;

/// How long an opened key is kept: a value that lives elsewhere may be changed there.
const KEPT: Duration = Duration::from_secs(30);
/// So many keys are kept.
const MOST: usize = 1024;

/// Opens a key that is declared, as that snapshot has it.
pub type Keys = Arc<
    dyn Fn(SecretKeyRef, Snapshot) -> Pin<Box<dyn Future<Output = Result<Plaintext, Unkeyed>> + Send>> + Send + Sync,
>;

/// A key cannot be had.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct Unkeyed {
    /// Why, in a clause.
    pub why: String,
    /// Whether that may be different in a moment.
    pub is_passing: bool,
}

/// Keys that were opened lately.
pub(super) struct Ring {
    open: Keys,
    kept: Mutex<HashMap<Held, (Instant, Arc<Plaintext>)>>,
}

/// Which value: that of a key in one generation of a Secret.
#[derive(PartialEq, Eq, Hash)]
struct Held {
    uid: Arc<str>,
    generation: i64,
    key: String,
}

impl Ring {
    pub(super) fn new(open: Keys) -> Self {
        Self {
            open,
            kept: Mutex::default(),
        }
    }

    /// The value of a key.
    pub(super) async fn get(&self, key: &SecretKeyRef, snapshot: &Snapshot) -> Result<Arc<Plaintext>, Unkeyed> {
        let secret = ObjectRef::cluster(Kind::Secret, key.name.clone());
        let Some(object) = snapshot.get(&secret) else {
            return Err(Unkeyed {
                why: format!("{secret} is not there"),
                is_passing: false,
            });
        };
        let held = Held {
            uid: Arc::clone(&object.uid),
            generation: object.generation,
            key: key.key.clone(),
        };
        let known = self.kept().get(&held).cloned();
        if let Some((since, value)) = known
            && since.elapsed() < KEPT
        {
            return Ok(value);
        }
        let value = Arc::new((self.open)(key.clone(), snapshot.clone()).await?);
        let mut kept = self.kept();
        if kept.len() >= MOST {
            kept.clear();
        }
        kept.insert(held, (Instant::now(), Arc::clone(&value)));
        Ok(value)
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, HashMap<Held, (Instant, Arc<Plaintext>)>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
