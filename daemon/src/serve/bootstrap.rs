//! What is made at the first start, and what replaces it: the admin token, the command line's context, the key.

use std::path::{Path, PathBuf};

use orch_shared::access::Principal;
use orch_shared::kind::Kind;
use orch_shared::query::LabelSelector;
use tokio_util::sync::CancellationToken;

use super::context;
use super::{Ground, ground};
use crate::auth;
use crate::clock::Clock;
use crate::config::Settings;
use crate::secrets::Place;
use crate::store::{Declared, Error, Generations, ListQuery, Mutation, Object, Scopes, Store, Update};

/// Whether this machine's command line finds the daemon.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Introduction {
    /// It does from now on: a context was written there.
    Made(PathBuf),
    /// It has a context of this daemon.
    Known,
    /// It has none, and the token that would be needed was shown once, to somebody else.
    Missing,
}

/// Makes the admin token when there is none, and sees to the context.
pub(super) async fn first_start(
    store: &Store,
    clock: &dyn Clock,
    data_dir: &Path,
    url: &str,
) -> anyhow::Result<Introduction> {
    if !store.tokens().await?.is_empty() {
        return context::update_url(store.daemon_id(), url, data_dir);
    }
    let credential = auth::admin_credential(clock, store.ids().as_ref());
    // First where it is kept, then what it opens: a daemon that is killed in between makes another one at its next start.
    let path = context::write(store.daemon_id(), url, &credential.text, data_dir)?;
    let token = credential.token.clone();
    store
        .write(move |transaction| Box::pin(async move { transaction.insert_token(&token).await }))
        .await?;
    Ok(Introduction::Made(path))
}

/// Revokes the admin token and writes a new one into the context. The daemon must not be running on SQLite.
///
/// # Errors
/// When the store or the context cannot be written.
pub async fn reset_token(settings: &Settings) -> anyhow::Result<PathBuf> {
    let Ground {
        store,
        engine,
        clock,
        lock,
        ..
    } = ground(settings).await?;
    let stop = CancellationToken::new();
    let running = tokio::spawn(engine.run(stop.clone()));
    let credential = auth::admin_credential(clock.as_ref(), store.ids().as_ref());
    let token = credential.token.clone();
    store
        .write(move |transaction| Box::pin(async move { transaction.reset_token(&token).await }))
        .await?;
    let written = context::write(
        store.daemon_id(),
        &settings.url(settings.listen),
        &credential.text,
        &settings.data_dir,
    );
    stop.cancel();
    running.await?;
    drop(lock);
    written
}

/// Makes a new key and seals every stored value anew. The daemon must not be running on SQLite. Returns the key's id and
/// how many objects were sealed anew.
///
/// # Errors
/// When a value cannot be opened (nothing is changed then), or the store or the key file cannot be written.
pub async fn rotate_key(settings: &Settings) -> anyhow::Result<(String, usize)> {
    let Ground {
        store,
        engine,
        keyring,
        lock,
        ..
    } = ground(settings).await?;
    let stop = CancellationToken::new();
    let running = tokio::spawn(engine.run(stop.clone()));
    let daemon = Principal::daemon();
    let mut objects = Vec::new();
    for kind in Kind::ALL {
        let query = ListQuery {
            kind: *kind,
            scopes: Scopes::All,
            labels: LabelSelector::default(),
            after: None,
            limit: None,
        };
        objects.extend(store.list(&daemon.visibility, &query).await?.rows);
    }
    let mut opened = Vec::new();
    for row in objects {
        let mut spec = Object::parse(&row)?.spec;
        let mut values = Vec::new();
        for value in spec.secret_values() {
            let place = Place {
                object: &row.object,
                key: value.key,
            };
            values.push(keyring.open_value(place, value.value).map_err(|error| {
                anyhow::anyhow!(
                    "the value `{}` of {} cannot be opened: {error}; nothing was changed",
                    value.key,
                    row.object
                )
            })?);
        }
        if !values.is_empty() {
            opened.push((row, spec, values));
        }
    }
    let id = keyring.rotate()?;
    let count = opened.len();
    let mut mutations = Vec::new();
    for (row, mut spec, values) in opened {
        for (value, plaintext) in spec.secret_values().into_iter().zip(&values) {
            let place = Place {
                object: &row.object,
                key: value.key,
            };
            *value.value = keyring.seal(place, plaintext.reveal());
        }
        let object = Object::parse(&row)?;
        mutations.push(Mutation::Update(Box::new(Update {
            uid: row.uid.clone(),
            expect_generation: row.generation,
            declared: Declared {
                metadata: row.metadata.clone(),
                spec: spec.to_json(),
                labels: object.metadata.labels.unwrap_or_default(),
                references: object.spec.references(),
            },
            apply_set: row.apply_set.clone(),
            generation: Generations::Same,
            verb: "rotate key".to_owned(),
        })));
    }
    let by = daemon.name;
    store
        .write(move |transaction| {
            Box::pin(async move {
                transaction.mutate(mutations, &by).await?;
                Ok::<_, Error>(())
            })
        })
        .await?;
    stop.cancel();
    running.await?;
    drop(lock);
    Ok((id, count))
}
