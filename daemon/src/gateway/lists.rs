//! Lists: asked of every server of a view at once, named as one, and answered in the era of who asks.

use std::sync::Arc;
use std::time::Duration;

use orch_shared::jsonrpc::Outcome;
use orch_shared::kinds::server::Idle;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use super::Gateway;
use super::listing::{Listing, Part};
use super::methods::{Asked, LIST_TTL, unknown_method};
use super::pages;
use super::protocol::{self, META_MISSING, META_SERVER, code, error_with};
use super::pump::Side;
use super::surface::{self, Item, Kind};
use super::upstream::Unavailable;
use super::view::{Member, View};

/// How long everything behind a list may take together. A server has less.
const ALL: Duration = Duration::from_secs(20);

impl Gateway {
    /// The list of a kind, with what is missing from it.
    pub(super) async fn listing(&self, view: &View, kind: Kind) -> Arc<Listing> {
        let parts = view.members.iter().map(|member| self.part(member, kind));
        let parts = futures_util::future::join_all(parts).await;
        self.0.listings.of(view, kind, &parts)
    }

    /// What one server brings into a list.
    async fn part<'v>(&self, member: &'v Member, kind: Kind) -> Part<'v> {
        let uid = &member.object.uid;
        let ask = || {
            let (gateway, member) = (self.clone(), member.clone());
            async move {
                if gateway.is_suspended(&member) {
                    return gateway.remembered(&member, kind).await;
                }
                let upstream = gateway.awake(&member, surface::PATIENCE).await;
                let upstream = upstream.map_err(|Unavailable(reason)| reason)?;
                let items = surface::fetch(&upstream.link, kind, &gateway.0.ourselves).await?;
                if kind == Kind::Tools {
                    gateway.remember(&member, &items);
                }
                Ok(items)
            }
        };
        let patience = surface::PATIENCE.min(ALL);
        let listed = self.0.surfaces.list(uid, kind, ask, patience).await;
        let listed = listed.unwrap_or_else(|| Err(format!("it did not answer {} in time", kind.method()).into()));
        self.note_missing(member, kind, &listed);
        Part { member, listed }
    }

    /// The tools of a server that rests, as it listed them last.
    async fn remembered(&self, member: &Member, kind: Kind) -> Result<Vec<Item>, String> {
        if kind != Kind::Tools {
            return Ok(Vec::new());
        }
        let kept = self.0.store.surface(&member.object.uid).await;
        match kept.map_err(|error| error.to_string())? {
            Some(kept) => surface::read(Kind::Tools, &kept.list),
            None => Err("it is suspended, and its tools are not known yet".to_owned()),
        }
    }

    /// Keeps the tools of a server that may be suspended.
    fn remember(&self, member: &Member, items: &[Item]) {
        let may_rest = member.server().and_then(|server| server.idle.as_ref());
        if may_rest.and_then(Idle::patience).is_none() {
            return;
        }
        let list = surface::write(items);
        let hash = Sha256::digest(list.as_bytes());
        let digest = hash.iter().map(|byte| format!("{byte:02x}")).collect();
        let (store, uid) = (self.0.store.clone(), Arc::clone(&member.object.uid));
        tokio::spawn(async move {
            if let Err(error) = store.keep_surface(&uid, crate::store::Surface { digest, list }).await {
                tracing::warn!(%error, "the tools of a server cannot be kept for when it rests");
            }
        });
    }

    pub(super) async fn list(&self, asked: &Asked<'_>, kind: Kind) -> Outcome {
        if let Some(member) = asked.view.single() {
            // A server that is not asked for such lists says so itself.
            if let Ok(upstream) = self.awake(member, surface::PATIENCE).await
                && !upstream.link.hello().offers(kind.capability())
            {
                return unknown_method(kind.method());
            }
        }
        let listing = self.listing(asked.view, kind).await;
        // The only server there is has no list: that is an error, and no empty list.
        if let (Some(_), Some(missing)) = (asked.view.single(), listing.missing.first()) {
            return error_with(
                code::INTERNAL,
                format!("server/{}: {}", missing.server, missing.reason),
                &json!({"server": missing.server}),
            );
        }
        let mut meta = serde_json::Map::new();
        if !listing.is_whole() {
            meta.insert(META_MISSING.to_owned(), json!(listing.missing));
        }
        let mut text = String::with_capacity(listing.array.len() + 200);
        text.push_str("{\"");
        text.push_str(kind.member());
        text.push_str("\":");
        match (kind, asked.view.page_size()) {
            (Kind::Tools, Some(_)) => push_with_page_tool(&mut text, &listing.array),
            (Kind::Tools | Kind::Prompts | Kind::Resources | Kind::Templates, _) => text.push_str(&listing.array),
        }
        match asked.side {
            Side::Legacy(_) => {}
            Side::Modern(_) => {
                let ttl = if listing.is_whole() { LIST_TTL } else { 0 };
                text.push_str(&format!(
                    ",\"resultType\":\"complete\",\"ttlMs\":{ttl},\"cacheScope\":\"private\""
                ));
                meta.insert(META_SERVER.to_owned(), protocol::ourselves());
            }
        }
        if !meta.is_empty() {
            text.push_str(",\"_meta\":");
            text.push_str(&Value::Object(meta).to_string());
        }
        text.push('}');
        Outcome::Result(RawValue::from_string(text).expect("made of JSON"))
    }
}

/// A list of tools, and the one that hands out pages.
fn push_with_page_tool(text: &mut String, array: &str) {
    let open = array.strip_suffix(']').unwrap_or(array);
    text.push_str(open);
    if open.len() > 1 {
        text.push(',');
    }
    text.push_str(&pages::tool().to_string());
    text.push(']');
}
