//! What is made at the first start, and what replaces it: the admin token, the command line's context.

use std::path::{Path, PathBuf};

use orch_shared::system;
use tokio_util::sync::CancellationToken;

use super::{Ground, ground};
use super::{admin, context};
use crate::admission::{self, Admission, Providers};
use crate::auth::{self, ADMIN, BOOTSTRAP, Credential};
use crate::catalogue;
use crate::clock::Clock;
use crate::config::Settings;
use crate::secrets::Backends;
use crate::store::Store;

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
    let credential = admin_credential(store, clock);
    // First where it is kept, then what it opens: a daemon that is killed in between makes another one at its next start.
    let path = context::write(store.daemon_id(), url, &credential.text, data_dir)?;
    let token = credential.token.clone();
    store
        .write(move |transaction| Box::pin(async move { transaction.insert_token(&token).await }))
        .await?;
    Ok(Introduction::Made(path))
}

/// A credential that may do all that the administrator may.
fn admin_credential(store: &Store, clock: &dyn Clock) -> Credential {
    Credential::of_principal(BOOTSTRAP, ADMIN, None, (clock, store.ids().as_ref()))
}

/// Brings along the catalogue, and the daemon's own projects and texts. A daemon that cannot is no worse than one whose users have deleted it.
pub(super) async fn bring_catalogue(admission: &Admission) {
    let mut objects = catalogue::objects();
    objects.push(catalogue::local_backend());
    match admission::seed(admission, objects).await {
        Ok(0) => {}
        Ok(objects) => tracing::info!(objects, "brought the catalogue up to date"),
        Err(error) => tracing::warn!(%error, "the catalogue could not be brought up to date"),
    }
    match admission::seed(admission, system::objects()).await {
        Ok(0) => {}
        Ok(objects) => tracing::info!(objects, "brought its own projects and texts up to date"),
        Err(error) => tracing::warn!(%error, "its own projects and texts could not be brought up to date"),
    }
}

/// Revokes the admin token and writes a new one into the context. The daemon must not be running on SQLite.
///
/// # Errors
/// When the store or the context cannot be written.
pub async fn reset_token(settings: &Settings) -> anyhow::Result<PathBuf> {
    lived_in(settings)?;
    let Ground {
        store,
        engine,
        clock,
        keyring,
        lock,
        ..
    } = ground(settings).await?;
    let stop = CancellationToken::new();
    let running = tokio::spawn(engine.run(stop.clone()));
    let credential = admin_credential(&store, clock.as_ref());
    let token = credential.token.clone();
    store
        .write(move |transaction| {
            Box::pin(async move {
                transaction.reset_token(&token).await?;
                auth::announce(transaction, &token.principal).await
            })
        })
        .await?;
    let admission = Admission {
        store: store.clone(),
        keyring,
        backends: Backends::default(),
        providers: Providers::default(),
    };
    admin::restore_admin(&admission).await?;
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

/// Makes sure that there is something to change: a wrong directory would become the place of a new daemon.
pub(super) fn lived_in(settings: &Settings) -> anyhow::Result<()> {
    if settings.data_dir.is_dir() {
        return Ok(());
    }
    anyhow::bail!(
        "no daemon has used the data directory {}\nhint: name the daemon's own with --data-dir",
        settings.data_dir.display()
    )
}
