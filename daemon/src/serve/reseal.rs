//! Sealing anew beside the work: when another process has made a key, and when a rotation before was cut short.
//!
//! Flow: the key file is looked at every few seconds. When another key seals from now on, or nothing says that everything is
//! sealed with the one that does, the objects are sealed anew, a few in each write, and then their history; at the end it is noted
//! with which key everything is sealed.
//!
//! Guarantees: each object is read and written by the same write, so that nothing that is changed meanwhile is undone. Keys that
//! the file lacks and the daemon knows are written back into it. A kill
//! at any instant leaves every value under a key that is in the file; the next start goes on.

use std::path::{Path, PathBuf};
use std::time::Duration;

use orch_shared::access::Principal;
use orch_shared::name::ObjectRef;
use tokio_util::sync::CancellationToken;

use super::rotate::{self, Resealed, resealed};
use crate::secrets::{Keyring, Reloaded};
use crate::store::{Error, PastSpec, Store};

/// How often the key file is looked at.
const PERIOD: Duration = Duration::from_secs(2);

/// Holds the id of the key with which everything is sealed.
const NOTE: &str = "sealed-with";

/// Notes that everything is sealed with that key. One that cannot be noted is only looked for once more.
pub(super) fn note(data_dir: &Path, key: &str) {
    if let Err(error) = std::fs::write(data_dir.join(NOTE), key) {
        tracing::debug!(%error, "it cannot be noted with which key everything is sealed");
    }
}

fn noted(data_dir: &Path) -> Option<String> {
    std::fs::read_to_string(data_dir.join(NOTE)).ok()
}

/// Keeps everything sealed with the key that seals, until told to stop.
pub(super) async fn keep_current(store: Store, keyring: Keyring, data_dir: PathBuf, stop: CancellationToken) {
    let mut is_done = !keyring.was_rotated() || noted(&data_dir).is_some_and(|key| key.trim() == keyring.active_id());
    loop {
        if !is_done {
            let key = keyring.active_id();
            match stop.run_until_cancelled(seal_all(&store, &keyring)).await {
                Some(Ok((objects, generations))) => {
                    tracing::info!(key, objects, generations, "sealed anew what was stored");
                    note(&data_dir, &key);
                    is_done = true;
                }
                Some(Err(error)) => tracing::warn!(%error, "what is stored cannot be sealed anew yet"),
                None => return,
            }
        }
        if stop.run_until_cancelled(tokio::time::sleep(PERIOD)).await.is_none() {
            return;
        }
        match keyring.reload() {
            Ok(Reloaded::Same) => {}
            Ok(Reloaded::Another) => is_done = false,
            Ok(Reloaded::Restored { lacking, is_another }) => {
                tracing::error!(
                    ?lacking,
                    "the key file lacked keys that stored values may be sealed with; they were written back into it"
                );
                is_done &= !is_another;
            }
            Err(error) => tracing::error!(%error, "the key file cannot be used; the keys that are known stay"),
        }
    }
}

/// Seals everything anew that is sealed with an older key; how many objects and generations that were.
async fn seal_all(store: &Store, keyring: &Keyring) -> Result<(usize, usize), Error> {
    let stale: Vec<ObjectRef> = store
        .snapshot()
        .iter()
        .filter(|object| {
            let mut spec = object.spec.boxed();
            spec.secret_values()
                .iter()
                .any(|value| !keyring.is_current(value.value))
        })
        .map(|object| object.object.clone())
        .collect();
    let mut objects = 0;
    for names in stale.chunks(rotate::AT_ONCE as usize) {
        objects += seal_objects(store, keyring, names.to_vec()).await?;
        tokio::task::yield_now().await;
    }
    Ok((objects, seal_past(store, keyring).await?))
}

async fn seal_objects(store: &Store, keyring: &Keyring, names: Vec<ObjectRef>) -> Result<usize, Error> {
    let keyring = keyring.clone();
    store
        .write(move |transaction| {
            Box::pin(async move {
                let rows = transaction.load(&names).await?;
                // What cannot be opened stays as it is, and its object says so.
                let mutations: Vec<_> = rows
                    .iter()
                    .flatten()
                    .filter_map(|row| resealed(&keyring, row).ok().flatten())
                    .collect();
                let count = mutations.len();
                transaction.mutate(mutations, &Principal::daemon().name).await?;
                Ok::<_, Error>(count)
            })
        })
        .await
}

async fn seal_past(store: &Store, keyring: &Keyring) -> Result<usize, Error> {
    let everything = Principal::daemon().visibility;
    let mut place = None;
    let mut count = 0;
    loop {
        let specs = store.past_specs(&everything, place.as_ref(), rotate::AT_ONCE).await?;
        let Some(last) = specs.last() else { return Ok(count) };
        place = Some(last.place.clone());
        let mut rewritten = Vec::new();
        for past in specs {
            let Ok(mut spec) = past.object.kind.definition().parse_stored(&past.spec) else {
                continue;
            };
            if let Ok(Resealed::Changed) = rotate::reseal(keyring, &past.object, spec.as_mut()) {
                rewritten.push(PastSpec {
                    spec: spec.to_json(),
                    ..past
                });
            }
        }
        count += rewritten.len();
        rotate::write_past(store, rewritten).await?;
        tokio::task::yield_now().await;
    }
}
