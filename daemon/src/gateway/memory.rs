//! What servers that may rest have said last, for whoever asks while they do: their lists, and how they introduce
//! themselves. It outlives the daemon.
//!
//! Flow: whenever such a server has come up it is asked for all of it, and whenever a list is asked for anew, that is kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use orch_shared::digest::sha256;
use orch_shared::jsonrpc::{Members, Raw};
use orch_shared::kinds::server::Idle;
use serde::{Deserialize, Serialize};

use super::Gateway;
use super::surface::{self, Found, Kind};
use super::view::Member;
use crate::runtime::link::Hello;

/// Held while what is kept is changed: a part of it is read, and all of it is written.
#[derive(Clone, Default)]
pub(super) struct Memory(Arc<tokio::sync::Mutex<()>>);

/// What is kept of a server.
#[derive(Default, Serialize, Deserialize)]
struct Kept {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    greeting: Option<Greeting>,
    /// By the member of a result that holds the list.
    #[serde(default)]
    lists: BTreeMap<String, KeptList>,
}

/// How a server introduces itself.
#[derive(Serialize, Deserialize)]
pub(super) struct Greeting {
    pub(super) capabilities: Raw,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) instructions: Option<String>,
}

impl Greeting {
    fn of(hello: &Hello) -> Self {
        Self {
            capabilities: hello.capabilities.clone(),
            instructions: hello.instructions.clone(),
        }
    }

    /// Whether a capability was named.
    pub(super) fn offers(&self, capability: &str) -> bool {
        Members::of(&self.capabilities).is_some_and(|members| members.get(capability).is_some())
    }
}

#[derive(Default, Serialize, Deserialize)]
struct KeptList {
    items: Vec<Raw>,
    /// Why it is not the whole list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    cut: Option<String>,
}

impl Kept {
    /// Reads what was kept. Earlier daemons kept the tools alone, as an array.
    fn read(text: &str) -> Result<Self, String> {
        let unreadable = |_| "what was kept of its lists cannot be read".to_owned();
        if !text.starts_with('[') {
            return serde_json::from_str(text).map_err(unreadable);
        }
        let items = serde_json::from_str(text).map_err(unreadable)?;
        let tools = KeptList { items, cut: None };
        Ok(Self {
            greeting: None,
            lists: [(Kind::Tools.member().to_owned(), tools)].into(),
        })
    }
}

impl Gateway {
    /// Whether a server rests, or is being woken, and has no copy that could be asked.
    pub(super) fn rests(&self, member: &Member) -> bool {
        self.is_suspended(member) && !self.is_up(member)
    }

    /// A list of a server that rests, as it gave it last; nothing when it never has.
    pub(super) async fn remembered(&self, member: &Member, kind: Kind) -> Result<Option<Found>, String> {
        let mut kept = self.kept(member).await?;
        let list = kept.lists.remove(kind.member());
        Ok(list.map(|list| Found {
            items: list.items.iter().filter_map(|raw| surface::item(kind, raw)).collect(),
            cut: list.cut,
            is_remembered: true,
        }))
    }

    /// How a server introduces itself, or did before it came to rest; nothing while it is down.
    pub(super) async fn greeting_of(&self, member: &Member) -> Option<Greeting> {
        match self.awake(member, surface::PATIENCE).await {
            Ok(upstream) => Some(Greeting::of(upstream.link.hello())),
            Err(_) if self.is_suspended(member) => self.kept(member).await.ok()?.greeting,
            Err(_) => None,
        }
    }

    async fn kept(&self, member: &Member) -> Result<Kept, String> {
        let kept = self.0.store.surface(&member.object.uid).await;
        let kept = kept.map_err(|error| error.to_string())?;
        kept.map_or_else(|| Ok(Kept::default()), |kept| Kept::read(&kept.list))
    }

    /// Asks a server that may rest, and has come up, for all that is to be remembered when it does.
    pub(super) async fn get_to_know(&self, member: &Member) {
        if !may_rest(member) || !self.is_up(member) {
            return;
        }
        if let Ok(upstream) = self.awake(member, surface::PATIENCE).await {
            let greeting = Greeting::of(upstream.link.hello());
            self.keep(member, |kept| kept.greeting = Some(greeting)).await;
        }
        let lists = Kind::ALL.into_iter().map(|kind| self.part(member, kind));
        futures_util::future::join_all(lists).await;
    }

    /// Keeps a list of a server that may rest.
    pub(super) fn remember_list(&self, member: &Member, kind: Kind, found: &Found) {
        if !may_rest(member) {
            return;
        }
        let list = KeptList {
            items: found.items.iter().map(|item| item.raw.clone()).collect(),
            cut: found.cut.clone(),
        };
        let (gateway, member) = (self.clone(), member.clone());
        tokio::spawn(async move {
            let change = |kept: &mut Kept| drop(kept.lists.insert(kind.member().to_owned(), list));
            gateway.keep(&member, change).await;
        });
    }

    async fn keep(&self, member: &Member, change: impl FnOnce(&mut Kept)) {
        let _alone = self.0.memory.0.lock().await;
        // What cannot be read is of no use to anybody.
        let mut kept = self.kept(member).await.unwrap_or_default();
        change(&mut kept);
        let list = serde_json::to_string(&kept).expect("plain data");
        let digest = sha256(&list);
        let keeping = self
            .0
            .store
            .keep_surface(&member.object.uid, crate::store::Surface { digest, list });
        if let Err(error) = keeping.await {
            tracing::warn!(server = %member.name, %error, "what a server lists cannot be kept for when it rests");
        }
    }
}

/// Whether a server may be suspended.
fn may_rest(member: &Member) -> bool {
    let idle = member.server().and_then(|server| server.idle.as_ref());
    idle.and_then(Idle::patience).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_earlier_daemons_kept_is_read() {
        let kept = Kept::read(r#"[{"name":"a","exact":1.10},{"name":"b"}]"#).expect("read");
        let tools = &kept.lists["tools"];
        assert_eq!(tools.items[0].get(), r#"{"name":"a","exact":1.10}"#);
        assert_eq!(
            (tools.items.len(), kept.lists.len(), kept.greeting.is_none()),
            (2, 1, true)
        );
    }

    #[test]
    fn what_is_kept_is_kept_as_it_was_said() {
        let text = concat!(
            r#"{"greeting":{"capabilities":{"tools":{},"x":1.10},"instructions":"Ask."},"#,
            r#""lists":{"prompts":{"items":[]},"tools":{"items":[{"name":"a","n":1E+2}],"cut":"too long"}}}"#
        );
        let kept = Kept::read(text).expect("read");
        assert_eq!(serde_json::to_string(&kept).expect("plain data"), text);
        let greeting = kept.greeting.expect("a greeting");
        assert!(greeting.offers("tools") && !greeting.offers("prompts"));
        assert!(Kept::read("nonsense").is_err());
    }
}
