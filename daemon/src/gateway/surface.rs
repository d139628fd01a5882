//! What each server offers: its lists, asked for once and remembered until they change.
//!
//! One question at a time goes to a server for a list, whoever waits for it. What it answered is good for a minute, that it
//! did not for ten seconds; both are dropped at once when the server says that the list has changed, or the conversation
//! with it ends. A server that hangs costs those who wait their patience once, and nobody else anything: the question goes on
//! without them, up to a deadline of its own, and what was known stands until it is answered.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use orch_shared::jsonrpc::{Members, Outcome, Raw, raw};
use serde::Deserialize;
use serde_json::json;
use serde_json::value::RawValue;
use tokio::sync::watch;

use crate::runtime::link::{Call, Client, Link, PAGES, Purpose};

/// How long an answer is good for.
const GOOD: Duration = Duration::from_secs(60);
/// How long it is remembered that there was none.
const BAD: Duration = Duration::from_secs(10);
/// How long a server has to hand over a whole list.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// How long whoever knows an older list waits for the new one.
const GRACE: Duration = Duration::from_secs(1);
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

/// What came of asking for a list.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) items: Vec<Item>,
    /// Why it is not the whole list, in a clause; nothing when it is.
    pub(super) cut: Option<String>,
    /// Whether it is what the server listed before it came to rest.
    pub(super) is_remembered: bool,
}

impl Found {
    fn whole(items: Vec<Item>) -> Self {
        Self {
            items,
            cut: None,
            is_remembered: false,
        }
    }
}

/// A list, as a server gave it.
#[derive(Debug)]
pub(super) struct Items {
    pub(super) found: Found,
    /// No other list has this number.
    pub(super) version: u64,
}

/// A list, or why there is none, in a clause.
pub(super) type Listed = Result<Arc<Items>, Arc<str>>;

/// Why a list, or a part of it, is not there, in a clause; nothing when all of it is.
pub(super) fn lacking(listed: &Listed) -> Option<&str> {
    match listed {
        Ok(items) => items.found.cut.as_deref(),
        Err(reason) => Some(reason),
    }
}

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
    /// What was known when the question was asked.
    before: Option<Listed>,
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

impl Slot {
    /// What is known, be it of the question before.
    fn told(&self) -> Option<Listed> {
        self.answer.borrow().clone().or_else(|| self.before.clone())
    }
}

impl Surfaces {
    /// A server's list: what is known, or what `ask` answers. Nothing when it is not there within the patience.
    ///
    /// Only the first question is waited for that long. That a server does not answer is known until it does; an older list
    /// stands in for a new one that does not come soon.
    pub(super) async fn list<F>(
        &self,
        server: &Arc<str>,
        kind: Kind,
        ask: impl FnOnce() -> Question<F>,
        patience: Duration,
    ) -> Option<Listed>
    where
        F: Future<Output = Result<Found, String>> + Send + 'static,
    {
        let (mut answer, before) = self.begin(server, kind, ask);
        if let Some(listed) = &*answer.borrow() {
            return Some(listed.clone());
        }
        let patience = match &before {
            Some(Err(_)) => return before,
            Some(Ok(_)) => patience.min(GRACE),
            None => patience,
        };
        match tokio::time::timeout(patience, answer.wait_for(Option::is_some)).await {
            Ok(Ok(listed)) => listed.clone(),
            Ok(Err(_)) | Err(_) => before,
        }
    }

    /// Sees to it that a server's list is asked for when what is known of it is old, and waits for nothing.
    pub(super) fn refresh<F>(&self, server: &Arc<str>, kind: Kind, ask: impl FnOnce() -> Question<F>)
    where
        F: Future<Output = Result<Found, String>> + Send + 'static,
    {
        drop(self.begin(server, kind, ask));
    }

    /// The answer that is good or on its way, and what was known before.
    fn begin<F>(&self, server: &Arc<str>, kind: Kind, ask: impl FnOnce() -> Question<F>) -> (Answer, Option<Listed>)
    where
        F: Future<Output = Result<Found, String>> + Send + 'static,
    {
        let mut known = self.known_lists();
        let key = (Arc::clone(server), kind);
        let slot = known.get(&key);
        if let Some(slot) = slot.filter(|slot| slot.is_good()) {
            return (slot.answer.clone(), slot.before.clone());
        }
        let before = slot.and_then(Slot::told);
        let (answer, asked) = self.ask(server, kind, ask());
        let slot = Slot {
            answer: answer.clone(),
            before: before.clone(),
            at: None,
            asked,
        };
        known.insert(key, slot);
        (answer, before)
    }

    fn ask<F>(&self, server: &Arc<str>, kind: Kind, question: Question<F>) -> (Answer, u64)
    where
        F: Future<Output = Result<Found, String>> + Send + 'static,
    {
        let (tell, answer) = watch::channel(None);
        let asked = self.0.version.fetch_add(1, Ordering::Relaxed);
        let (surfaces, server) = (self.clone(), Arc::clone(server));
        tokio::spawn(async move {
            let Question { asking, heard } = question;
            let listed = tokio::time::timeout(PATIENCE, asking).await.unwrap_or_else(|_| {
                let seconds = PATIENCE.as_secs();
                Err(format!("it did not answer {} within {seconds} s", kind.method()))
            });
            let listed = listed.map_err(Arc::from).map(|found| {
                Arc::new(Items {
                    found,
                    version: surfaces.0.version.fetch_add(1, Ordering::Relaxed),
                })
            });
            tell.send_replace(Some(listed.clone()));
            let is_current = match surfaces.known_lists().get_mut(&(server, kind)) {
                Some(slot) if slot.asked == asked => {
                    slot.at = Some(Instant::now());
                    true
                }
                Some(_) | None => false,
            };
            // What was forgotten meanwhile is news to nobody.
            if is_current {
                heard(&listed);
            }
        });
        (answer, asked)
    }

    fn known_lists(&self) -> MutexGuard<'_, HashMap<(Arc<str>, Kind), Slot>> {
        self.0.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is known of a server's list, without asking, and unless it is old.
    pub(super) fn known(&self, server: &Arc<str>, kind: Kind) -> Option<Arc<Items>> {
        let known = self.known_lists();
        let slot = known.get(&(Arc::clone(server), kind)).filter(|slot| slot.is_good())?;
        let answer = slot.answer.borrow();
        answer.as_ref()?.as_ref().ok().cloned()
    }

    /// What is known of a server's list, without asking, however old that is.
    pub(super) fn told(&self, server: &Arc<str>, kind: Kind) -> Option<Listed> {
        self.known_lists().get(&(Arc::clone(server), kind))?.told()
    }

    /// Forgets the lists that go by that capability.
    pub(super) fn drop_lists(&self, server: &Arc<str>, capability: &str) {
        let mut known = self.known_lists();
        for kind in Kind::ALL.into_iter().filter(|kind| kind.capability() == capability) {
            known.remove(&(Arc::clone(server), kind));
        }
    }

    /// Forgets what a server has not said itself since it was down: that it did not answer, and what it listed before it
    /// came to rest.
    pub(super) fn drop_unsaid(&self, server: &Arc<str>) {
        let mut known = self.known_lists();
        for kind in Kind::ALL {
            let key = (Arc::clone(server), kind);
            let is_unsaid = known.get(&key).and_then(Slot::told).is_some_and(|told| match told {
                Ok(items) => items.found.is_remembered,
                Err(_) => true,
            });
            if is_unsaid {
                known.remove(&key);
            }
        }
    }

    /// Forgets everything of a server.
    pub(super) fn drop_all(&self, server: &Arc<str>) {
        let mut known = self.known_lists();
        for kind in Kind::ALL {
            known.remove(&(Arc::clone(server), kind));
        }
    }
}

/// A question for a list.
pub(super) struct Question<F> {
    /// Asks it.
    pub(super) asking: F,
    /// Told what came of it, unless that was forgotten before it was there.
    pub(super) heard: Box<dyn FnOnce(&Listed) + Send>,
}

/// Asks a server for a whole list.
pub(super) async fn fetch(link: &Link, kind: Kind, client: &Arc<Client>) -> Result<Found, String> {
    if !link.hello().offers(kind.capability()) {
        return Ok(Found::whole(Vec::new()));
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
            outcome @ Outcome::Error(_) if outcome.code() == Some(-32601) && kind == Kind::Templates => {
                return Ok(Found::whole(items));
            }
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
            Some(_) | None => return Ok(Found::whole(items)),
        }
    }
    Ok(Found {
        cut: Some(format!(
            "its answer to {} goes on after {PAGES} pages, and what follows is left out",
            kind.method()
        )),
        ..Found::whole(items)
    })
}

fn not_a_list(kind: Kind) -> String {
    format!("its answer to {} holds no list", kind.method())
}

/// One item; nothing when it has no name.
pub(super) fn item(kind: Kind, raw: &RawValue) -> Option<Item> {
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

    async fn answer(names: &'static [&'static str]) -> Result<Found, String> {
        let items = names.iter().map(|name| Item {
            key: (*name).to_owned(),
            raw: raw(name),
        });
        Ok(Found::whole(items.collect()))
    }

    fn question<F>(asking: F) -> Question<F> {
        Question {
            asking,
            heard: Box::new(|_| {}),
        }
    }

    #[tokio::test(start_paused = true)]
    async fn one_question_at_a_time_and_both_answers_are_remembered() {
        let surfaces = Surfaces::default();
        let server: Arc<str> = "u1".into();
        let asked = Arc::new(AtomicU64::new(0));
        let ask = |succeeds: bool| {
            let asked = Arc::clone(&asked);
            move || {
                question(async move {
                    asked.fetch_add(1, Ordering::Relaxed);
                    tokio::time::sleep(Duration::from_secs(1)).await;
                    if succeeds {
                        answer(&["a"]).await
                    } else {
                        Err("no".to_owned())
                    }
                })
            }
        };
        let list =
            |succeeds, patience| surfaces.list(&server, Kind::Tools, ask(succeeds), Duration::from_secs(patience));
        let (one, two, three) = tokio::join!(list(true, 5), list(true, 5), list(true, 0));
        assert_eq!(one.expect("in time").expect("a list").found.items.len(), 1);
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
        let hung = || question(std::future::pending());
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

    /// What is known stands while it is asked for again, however long that takes; it is not asked for twice at a time.
    #[tokio::test]
    async fn what_is_known_stands_while_it_is_asked_for_again() {
        let surfaces = Surfaces::default();
        let server: Arc<str> = "u1".into();
        let hung = || question(std::future::pending());
        let ready = |found: Result<Found, String>| move || question(std::future::ready(found));
        let age = |by| {
            let mut known = surfaces.known_lists();
            let slot = known.get_mut(&(Arc::clone(&server), Kind::Tools)).expect("a list");
            slot.at = Instant::now().checked_sub(by);
            slot.asked
        };
        let patience = Duration::from_secs(60);
        let listed = surfaces.list(&server, Kind::Tools, ready(answer(&["a"]).await), patience);
        assert!(listed.await.expect("in time").is_ok());

        age(GOOD);
        assert!(surfaces.known(&server, Kind::Tools).is_none() && surfaces.told(&server, Kind::Tools).is_some());
        let began = Instant::now();
        let listed = surfaces.list(&server, Kind::Tools, hung, patience).await;
        assert!(listed.expect("the older one").is_ok() && began.elapsed() < GRACE * 3);
        surfaces.drop_all(&server);

        let failed = ready(Err("no".to_owned()));
        assert!(
            surfaces
                .list(&server, Kind::Tools, failed, patience)
                .await
                .expect("in time")
                .is_err()
        );
        let first = age(BAD);
        let began = Instant::now();
        for _ in 0..3 {
            let listed = surfaces.list(&server, Kind::Tools, hung, patience).await;
            assert!(listed.expect("what is known").is_err());
        }
        assert!(began.elapsed() < GRACE, "nobody waits to hear it again");
        let asked = surfaces.known_lists()[&(Arc::clone(&server), Kind::Tools)].asked;
        assert_eq!(asked, first + 1, "it is asked once");
        // A question that is under way does not keep what was known when its server has come up.
        surfaces.drop_unsaid(&server);
        assert!(surfaces.told(&server, Kind::Tools).is_none());
    }
}
