//! What each server offers: its lists, asked for once and remembered until they change.
//!
//! One question at a time goes to a server for a list, whoever waits for it. What it answered is good for a minute, that it
//! did not for ten seconds; both are dropped at once when the server says that the list has changed, or the conversation
//! with it ends. A server that hangs costs those who wait their patience, and nobody else anything: the question goes on
//! without them, up to a deadline of its own.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use orch_shared::jsonrpc::{Members, Outcome, Raw, raw};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::watch;

use crate::runtime::link::{Call, Client, Link, Purpose};

/// How long an answer is good for.
const GOOD: Duration = Duration::from_secs(60);
/// How long it is remembered that there was none.
const BAD: Duration = Duration::from_secs(10);
/// How long a server has to hand over a whole list.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// A list with more pages than this is not asked for to the end.
const PAGES: usize = 1000;
/// A list larger than this, in bytes, is not kept.
const LARGEST: usize = 64 << 20;

/// What can be listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Kind {
    Tools,
    Prompts,
    Resources,
    Templates,
}

impl Kind {
    pub(super) const ALL: [Self; 4] = [Self::Tools, Self::Prompts, Self::Resources, Self::Templates];

    /// The method that asks for it.
    pub(super) const fn method(self) -> &'static str {
        match self {
            Self::Tools => "tools/list",
            Self::Prompts => "prompts/list",
            Self::Resources => "resources/list",
            Self::Templates => "resources/templates/list",
        }
    }

    /// The kind that a method asks for.
    pub(super) fn of_method(method: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.method() == method)
    }

    /// The member of the result that holds the list.
    pub(super) const fn member(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Resources => "resources",
            Self::Templates => "resourceTemplates",
        }
    }

    /// The capability that a server with such a list names; also the word in `notifications/<word>/list_changed`.
    pub(super) const fn capability(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Prompts => "prompts",
            Self::Resources | Self::Templates => "resources",
        }
    }

    /// What tells one item from another.
    const fn key(self) -> &'static str {
        match self {
            Self::Tools | Self::Prompts => "name",
            Self::Resources => "uri",
            Self::Templates => "uriTemplate",
        }
    }
}

/// One tool, prompt, resource or template.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// Its name, URI or URI template.
    pub(super) key: String,
    /// All that was said of it.
    pub(super) raw: Raw,
}

/// A list, as a server gave it.
#[derive(Debug)]
pub(super) struct Items {
    pub(super) items: Vec<Item>,
    /// No other list has this number.
    pub(super) version: u64,
}

/// A list, or why there is none, in a clause.
pub(super) type Listed = Result<Arc<Items>, Arc<str>>;

type Answer = watch::Receiver<Option<Listed>>;

/// All lists that are known. Cheap to clone.
#[derive(Clone, Default)]
pub(super) struct Surfaces(Arc<Shelves>);

#[derive(Default)]
struct Shelves {
    known: Mutex<HashMap<(Arc<str>, Kind), Slot>>,
    version: AtomicU64,
}

/// What is known of one list.
struct Slot {
    answer: Answer,
    /// Set when the answer is there.
    at: Option<Instant>,
    /// Tells this question from one that was asked later.
    asked: u64,
}

impl Slot {
    fn is_good(&self) -> bool {
        let Some(at) = self.at else { return true };
        let good = match &*self.answer.borrow() {
            Some(Ok(_)) => GOOD,
            Some(Err(_)) => BAD,
            None => return false,
        };
        at.elapsed() < good
    }
}

impl Surfaces {
    /// A server's list: what is known, or what `ask` answers. Nothing when it is not there within the patience.
    pub(super) async fn list<F>(
        &self,
        server: &Arc<str>,
        kind: Kind,
        ask: impl FnOnce() -> F,
        patience: Duration,
    ) -> Option<Listed>
    where
        F: Future<Output = Result<Vec<Item>, String>> + Send + 'static,
    {
        let mut answer = {
            let mut known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
            match known.get(&(Arc::clone(server), kind)).filter(|slot| slot.is_good()) {
                Some(slot) => slot.answer.clone(),
                None => {
                    let answer = self.ask(server, kind, ask());
                    let slot = Slot {
                        answer: answer.0.clone(),
                        at: None,
                        asked: answer.1,
                    };
                    known.insert((Arc::clone(server), kind), slot);
                    answer.0
                }
            }
        };
        if let Some(listed) = &*answer.borrow() {
            return Some(listed.clone());
        }
        let waited = tokio::time::timeout(patience, answer.wait_for(Option::is_some)).await;
        waited.ok()?.ok()?.clone()
    }

    fn ask(
        &self,
        server: &Arc<str>,
        kind: Kind,
        asking: impl Future<Output = Result<Vec<Item>, String>> + Send + 'static,
    ) -> (Answer, u64) {
        let (tell, answer) = watch::channel(None);
        let asked = self.0.version.fetch_add(1, Ordering::Relaxed);
        let (surfaces, server) = (self.clone(), Arc::clone(server));
        tokio::spawn(async move {
            let listed = tokio::time::timeout(PATIENCE, asking).await.unwrap_or_else(|_| {
                let seconds = PATIENCE.as_secs();
                Err(format!("it did not answer {} within {seconds} s", kind.method()))
            });
            let listed = listed.map_err(Arc::from).map(|items| {
                Arc::new(Items {
                    items,
                    version: surfaces.0.version.fetch_add(1, Ordering::Relaxed),
                })
            });
            tell.send_replace(Some(listed));
            let mut known = surfaces.0.known.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(slot) = known.get_mut(&(server, kind)).filter(|slot| slot.asked == asked) {
                slot.at = Some(Instant::now());
            }
        });
        (answer, asked)
    }

    /// What is known of a server's list, without asking.
    pub(super) fn known(&self, server: &Arc<str>, kind: Kind) -> Option<Arc<Items>> {
        let known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = known.get(&(Arc::clone(server), kind)).filter(|slot| slot.is_good())?;
        let answer = slot.answer.borrow();
        answer.as_ref()?.as_ref().ok().cloned()
    }

    /// Forgets the lists that go by that capability.
    pub(super) fn drop_lists(&self, server: &Arc<str>, capability: &str) {
        let mut known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        for kind in Kind::ALL.into_iter().filter(|kind| kind.capability() == capability) {
            known.remove(&(Arc::clone(server), kind));
        }
    }

    /// Forgets that a server has not answered.
    pub(super) fn drop_failures(&self, server: &Arc<str>) {
        let mut known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        for kind in Kind::ALL {
            let key = (Arc::clone(server), kind);
            let has_failed = known
                .get(&key)
                .is_some_and(|slot| matches!(&*slot.answer.borrow(), Some(Err(_))));
            if has_failed {
                known.remove(&key);
            }
        }
    }

    /// Forgets everything of a server.
    pub(super) fn drop_all(&self, server: &Arc<str>) {
        let mut known = self.0.known.lock().unwrap_or_else(PoisonError::into_inner);
        for kind in Kind::ALL {
            known.remove(&(Arc::clone(server), kind));
        }
    }
}

/// Asks a server for a whole list.
pub(super) async fn fetch(link: &Link, kind: Kind, client: &Arc<Client>) -> Result<Vec<Item>, String> {
    if !link.hello().offers(kind.capability()) {
        return Ok(Vec::new());
    }
    let mut items = Vec::new();
    let mut size = 0;
    let mut cursor: Option<String> = None;
    let mut seen = std::collections::HashSet::new();
    for _ in 0..PAGES {
        let call = Call {
            method: kind.method().to_owned(),
            params: Some(raw(&cursor
                .as_ref()
                .map_or_else(|| json!({}), |cursor| json!({"cursor": cursor})))),
            client: Arc::clone(client),
            purpose: Purpose::Own,
            about: None,
            schema: None,
        };
        let exchange = link.request(call).await.map_err(|error| error.to_string())?;
        let page = match exchange.outcome().await.map_err(|error| error.to_string())? {
            Outcome::Result(page) => page,
            // Servers that name a capability and know only half of its methods are no worse for it.
            outcome @ Outcome::Error(_) if outcome.code() == Some(-32601) && kind == Kind::Templates => break,
            outcome @ Outcome::Error(_) => {
                let said = outcome.message().unwrap_or_default();
                let code = outcome.code().unwrap_or_default();
                return Err(format!("it answered {} with error {code}: {said}", kind.method()));
            }
        };
        size += page.get().len();
        if size > LARGEST {
            return Err(format!(
                "its answer to {} is larger than {} MiB",
                kind.method(),
                LARGEST >> 20
            ));
        }
        let members = Members::of(&page).ok_or_else(|| not_a_list(kind))?;
        let list = members.get(kind.member()).ok_or_else(|| not_a_list(kind))?;
        let list: Vec<&RawValue> = serde_json::from_str(list.get()).map_err(|_| not_a_list(kind))?;
        items.extend(list.into_iter().filter_map(|raw| item(kind, raw)));
        match members.text("nextCursor") {
            Some(next) if seen.insert(next.clone()) => cursor = Some(next),
            Some(_) | None => break,
        }
    }
    Ok(items)
}

/// Reads a list that was kept.
pub(super) fn read(kind: Kind, list: &str) -> Result<Vec<Item>, String> {
    let list: Vec<&RawValue> =
        serde_json::from_str(list).map_err(|_| "what was kept of its list cannot be read".to_owned())?;
    Ok(list.into_iter().filter_map(|raw| item(kind, raw)).collect())
}

/// A list, to be kept.
pub(super) fn write(items: &[Item]) -> String {
    let texts: Vec<&str> = items.iter().map(|item| item.raw.get()).collect();
    format!("[{}]", texts.join(","))
}

fn not_a_list(kind: Kind) -> String {
    format!("its answer to {} holds no list", kind.method())
}

/// One item; nothing when it has no name.
fn item(kind: Kind, raw: &RawValue) -> Option<Item> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Named {
        #[serde(default)]
        name: Option<String>,
        #[serde(default)]
        uri: Option<String>,
        #[serde(default)]
        uri_template: Option<String>,
    }
    let named: Named = serde_json::from_str(raw.get()).ok()?;
    let key = match kind.key() {
        "name" => named.name,
        "uri" => named.uri,
        _ => named.uri_template,
    }?;
    Some(Item {
        key,
        raw: raw.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn answer(names: &'static [&'static str]) -> Result<Vec<Item>, String> {
        let items = names.iter().map(|name| Item {
            key: (*name).to_owned(),
            raw: raw(name),
        });
        Ok(items.collect())
    }

    #[tokio::test(start_paused = true)]
    async fn one_question_at_a_time_and_both_answers_are_remembered() {
        let surfaces = Surfaces::default();
        let server: Arc<str> = "u1".into();
        let asked = Arc::new(AtomicU64::new(0));
        let ask = |succeeds: bool| {
            let asked = Arc::clone(&asked);
            move || async move {
                asked.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_secs(1)).await;
                if succeeds {
                    answer(&["a"]).await
                } else {
                    Err("no".to_owned())
                }
            }
        };
        let list =
            |succeeds, patience| surfaces.list(&server, Kind::Tools, ask(succeeds), Duration::from_secs(patience));
        let (one, two, three) = tokio::join!(list(true, 5), list(true, 5), list(true, 0));
        assert_eq!(one.expect("in time").expect("a list").items.len(), 1);
        assert!(two.expect("in time").is_ok() && three.is_none());
        assert_eq!(asked.load(Ordering::Relaxed), 1);
        assert!(list(true, 0).await.is_some(), "known by now");

        surfaces.drop_lists(&server, "tools");
        assert!(list(false, 5).await.expect("in time").is_err());
        assert!(
            list(true, 5).await.expect("in time").is_err(),
            "a failure is remembered, too"
        );
        assert_eq!(asked.load(Ordering::Relaxed), 2);
        assert!(surfaces.known(&server, Kind::Tools).is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn a_server_that_hangs_is_told_so() {
        let surfaces = Surfaces::default();
        let server: Arc<str> = "u1".into();
        let hung = || std::future::pending();
        assert!(
            surfaces
                .list(&server, Kind::Tools, hung, Duration::from_secs(1))
                .await
                .is_none()
        );
        let told = surfaces.list(&server, Kind::Tools, hung, Duration::from_secs(30)).await;
        assert_eq!(
            told.expect("in time").expect_err("no list").as_ref(),
            "it did not answer tools/list within 5 s"
        );
    }
}
