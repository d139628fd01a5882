//! What servers that may rest have listed last, for whoever asks while they do. It outlives the daemon.

use std::sync::Arc;

use orch_shared::digest::sha256;
use orch_shared::kinds::server::Idle;

use super::Gateway;
use super::surface::{self, Item, Kind};
use super::view::Member;

impl Gateway {
    /// The tools of a server that rests, as it listed them last; nothing when it never has.
    pub(super) async fn remembered(&self, member: &Member, kind: Kind) -> Result<Option<Vec<Item>>, String> {
        if kind != Kind::Tools {
            return Ok(Some(Vec::new()));
        }
        let kept = self.0.store.surface(&member.object.uid).await;
        let kept = kept.map_err(|error| error.to_string())?;
        kept.map(|kept| surface::read(Kind::Tools, &kept.list)).transpose()
    }

    /// Keeps the tools of a server that may be suspended.
    pub(super) fn remember(&self, member: &Member, items: &[Item]) {
        let may_rest = member.server().and_then(|server| server.idle.as_ref());
        if may_rest.and_then(Idle::patience).is_none() {
            return;
        }
        let list = surface::write(items);
        let digest = sha256(&list);
        let (store, uid) = (self.0.store.clone(), Arc::clone(&member.object.uid));
        tokio::spawn(async move {
            if let Err(error) = store.keep_surface(&uid, crate::store::Surface { digest, list }).await {
                tracing::warn!(%error, "the tools of a server cannot be kept for when it rests");
            }
        });
    }
}
