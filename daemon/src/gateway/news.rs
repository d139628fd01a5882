//! What happens without being asked for: lists that change, resources that change, questions that belong to no request; and
//! who is told.
//!
//! Each conversation has one listener here, from its first use on. When a list changes, what was remembered of it is
//! dropped first, so that whoever asks again because of the news gets the new one.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use orch_shared::access::Principal;
use orch_shared::jsonrpc::{Id, Members, Message, Notification, Outcome, raw};
use serde_json::json;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;

use super::levels::{is_wanted, level_of};
use super::methods::{Asked, Reply};
use super::protocol::{META_SUBSCRIPTION, code, error};
use super::pump::Side;
use super::session::{Session, notification};
use super::upstream::Upstream;
use super::view::{Member, Target, View};
use super::{Gateway, asking};
use crate::runtime::launch::Era;
use crate::runtime::link::{Ask, Call, Link, News, Purpose};

/// How often what is over is cleared away.
pub(super) const TIDY: Duration = Duration::from_secs(30);
/// So many pieces of news wait for a client of the newer era.
const WAITING: usize = 256;

/// Who listens to what.
#[derive(Clone, Default)]
pub(super) struct Attention(Arc<Listeners>);

#[derive(Default)]
struct Listeners {
    /// The conversation that is listened to, by copy.
    attended: Mutex<HashMap<Arc<str>, Link>>,
    /// Clients of the newer era that wait for news.
    waiting: Mutex<BTreeMap<u64, Waiting>>,
    next: AtomicU64,
}

/// A client of the newer era that waits for news.
pub(super) struct Waiting {
    pub(super) target: Target,
    pub(super) principal: Principal,
    filter: Filter,
    id: Id,
    news: mpsc::Sender<Arc<str>>,
}

/// What news a client wants.
#[derive(Debug, Clone, Default)]
struct Filter {
    lists: BTreeSet<&'static str>,
    uris: BTreeSet<String>,
}

impl Filter {
    fn read(wanted: &Members<'_>) -> Self {
        let is_set = |name: &str| wanted.get(name).is_some_and(|value| value.get() == "true");
        let lists = [
            ("toolsListChanged", "tools"),
            ("promptsListChanged", "prompts"),
            ("resourcesListChanged", "resources"),
        ];
        Self {
            lists: lists
                .into_iter()
                .filter(|(name, _)| is_set(name))
                .map(|(_, list)| list)
                .collect(),
            uris: wanted
                .get("resourceSubscriptions")
                .and_then(|uris| serde_json::from_str(uris.get()).ok())
                .unwrap_or_default(),
        }
    }

    /// What was agreed to.
    fn honored(&self) -> serde_json::Value {
        let mut honored = serde_json::Map::new();
        for list in &self.lists {
            honored.insert(format!("{list}ListChanged"), json!(true));
        }
        if !self.uris.is_empty() {
            honored.insert("resourceSubscriptions".to_owned(), json!(self.uris));
        }
        honored.into()
    }
}

/// News on their way to a client of the newer era.
pub(super) struct Listening {
    gateway: Gateway,
    number: u64,
    first: Option<Arc<str>>,
    news: mpsc::Receiver<Arc<str>>,
    /// What listens at servers for it; ends with it.
    _asked: tokio_util::sync::DropGuard,
}

impl Listening {
    /// The next message.
    pub(super) async fn next(&mut self) -> Option<Arc<str>> {
        match self.first.take() {
            Some(first) => Some(first),
            None => self.news.recv().await,
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.gateway.waiting().remove(&self.number);
    }
}

impl Gateway {
    pub(super) fn waiting(&self) -> std::sync::MutexGuard<'_, BTreeMap<u64, Waiting>> {
        self.0
            .attention
            .0
            .waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn attended(&self) -> std::sync::MutexGuard<'_, HashMap<Arc<str>, Link>> {
        self.0
            .attention
            .0
            .attended
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Sees to it that the conversation with a copy is listened to.
    pub(super) fn attend(&self, member: &Member, upstream: &Upstream) {
        let mut attended = self.attended();
        if attended
            .get(&upstream.copy)
            .is_some_and(|known| known.is(&upstream.link))
        {
            return;
        }
        attended.insert(Arc::clone(&upstream.copy), upstream.link.clone());
        drop(attended);
        let news = upstream.link.listen();
        let (gateway, member, upstream) = (self.clone(), member.clone(), upstream.clone());
        tokio::spawn(async move {
            gateway.subscribe_again(&member, &upstream.link).await;
            gateway.hear(&member, &upstream, news).await;
        });
    }

    /// Listens to a conversation until it is over.
    async fn hear(&self, member: &Member, upstream: &Upstream, mut news: tokio::sync::broadcast::Receiver<News>) {
        let server = &member.object.uid;
        loop {
            let heard = tokio::select! {
                () = upstream.link.closed() => break,
                () = self.0.shutdown.cancelled() => return,
                heard = news.recv() => heard,
            };
            match heard {
                Ok(News::ListChanged(list, _)) => {
                    self.0.surfaces.drop_lists(server, list);
                    self.tell_list_changed(server, list);
                }
                Ok(News::ResourceUpdated(uri, news)) => self.tell_updated(server, &uri, &news),
                Ok(News::Other(news)) => self.tell_other(upstream, news),
                // What was missed may have been anything.
                Err(RecvError::Lagged(_)) => self.0.surfaces.drop_all(server),
                Err(RecvError::Closed) => break,
            }
        }
        // Whoever answers next may offer something else.
        self.0.surfaces.drop_all(server);
        let mut attended = self.attended();
        if attended
            .get(&upstream.copy)
            .is_some_and(|known| known.is(&upstream.link))
        {
            attended.remove(&upstream.copy);
        }
    }

    /// A new conversation knows nothing of what clients have subscribed to.
    async fn subscribe_again(&self, member: &Member, link: &Link) {
        if link.hello().era == Era::Modern {
            return;
        }
        let server = &member.object.uid;
        let uris: BTreeSet<String> = self
            .0
            .registry
            .all()
            .iter()
            .flat_map(|session| {
                let uris = session.subscriptions().into_iter();
                uris.filter(|uri| session.is_subscribed(server, uri))
                    .collect::<Vec<_>>()
            })
            .collect();
        for uri in uris {
            let asked = self.ask(link, "resources/subscribe", json!({"uri": uri})).await;
            if let Err(error) = asked {
                tracing::debug!(server = %member.name, uri, %error, "a subscription was not taken up again");
            }
        }
    }

    /// Asks a server for the gateway itself.
    pub(super) async fn ask(
        &self,
        link: &Link,
        method: &str,
        params: serde_json::Value,
    ) -> Result<Outcome, crate::runtime::link::Error> {
        let call = Call {
            method: method.to_owned(),
            params: Some(raw(&params)),
            client: Arc::clone(&self.0.ourselves),
            purpose: Purpose::Own,
            about: None,
            schema: None,
        };
        let asking = async { link.request(call).await?.outcome().await };
        let waited = tokio::time::timeout(super::upstream::COMING_UP, asking).await;
        waited.unwrap_or_else(|_| {
            let reason = format!("no answer to {method} in time");
            Err(crate::runtime::link::Error::Unreachable(reason))
        })
    }

    /// Whether a server is behind an address, for somebody.
    pub(super) fn is_behind(&self, target: &Target, principal: &Principal, server: &str) -> bool {
        let snapshot = self.0.store.snapshot();
        View::of(target, &snapshot, principal)
            .is_some_and(|view| view.members.iter().any(|member| &*member.object.uid == server))
    }

    /// Tells everybody who sees a server that a list of it has changed.
    pub(super) fn tell_list_changed(&self, server: &str, list: &'static str) {
        self.tell_lists(list, |gateway, target, principal| {
            gateway.is_behind(target, principal, server)
        });
    }

    pub(super) fn tell_lists(&self, list: &'static str, concerns: impl Fn(&Self, &Target, &Principal) -> bool) {
        let method = format!("notifications/{list}/list_changed");
        let message = notification(&method, None);
        for session in self.0.registry.all() {
            // What somebody may see is decided with the next request; that something has changed tells nothing.
            if concerns(self, &session.target, &Principal::daemon()) {
                self.tell(&session, &message);
            }
        }
        let waiting = self.waiting();
        for one in waiting.values().filter(|one| one.filter.lists.contains(list)) {
            if concerns(self, &one.target, &one.principal) {
                one.tell(&method, Members::default());
            }
        }
    }

    /// Tells a client that has begun that there is more now: its session, and whoever of the same principal listens at its
    /// address without one.
    pub(super) fn tell_begun(&self, session: &Session) {
        for list in ["tools", "prompts", "resources"] {
            let method = format!("notifications/{list}/list_changed");
            self.tell(session, &notification(&method, None));
            let waiting = self.waiting();
            let own = |one: &&Waiting| one.target == session.target && *one.principal.name == session.principal;
            for one in waiting
                .values()
                .filter(own)
                .filter(|one| one.filter.lists.contains(list))
            {
                one.tell(&method, Members::default());
            }
        }
    }

    pub(super) fn tell_updated(&self, server: &str, uri: &str, news: &Notification) {
        let params = asking::without_reserved(news.params.clone());
        let message = notification(&news.method, params.clone());
        for session in self.0.registry.all() {
            if session.is_subscribed(server, uri) {
                self.tell(&session, &message);
            }
        }
        let waiting = self.waiting();
        for one in waiting.values().filter(|one| one.filter.uris.contains(uri)) {
            if self.is_behind(&one.target, &one.principal, server) {
                one.tell(&news.method, Members::of_params(params.as_deref()));
            }
        }
    }

    /// News that belong to nobody in particular go to those who use the copy, when these are of one principal, and nothing was
    /// asked there for another lately, be it by a client that has no session.
    fn tell_other(&self, upstream: &Upstream, mut news: Notification) {
        news.params = asking::without_reserved(news.params);
        let sessions = self.0.registry.all();
        let users: Vec<_> = sessions
            .iter()
            .filter(|session| session.copies().contains(&upstream.copy))
            .collect();
        let principals: BTreeSet<&str> = users.iter().map(|session| session.principal.as_str()).collect();
        let mut principals = principals.into_iter();
        match (principals.next(), principals.next()) {
            (Some(only), None) if !upstream.link.has_others(only) => {
                for session in users {
                    self.tell_one(session, &news);
                }
            }
            (Some(_), _) => {
                let method = &*news.method;
                tracing::debug!(
                    copy = &*upstream.copy,
                    method,
                    "it may be about anybody's call, and nobody is told"
                );
            }
            (None, _) => {}
        }
    }

    /// Tells a session what it wants to hear.
    fn tell_one(&self, session: &Session, news: &Notification) {
        let is_wanted = |level: String| is_wanted(&level, session.level().as_deref());
        if level_of(news).is_none_or(is_wanted) {
            self.tell(session, &Message::Notification(news.clone()));
        }
    }

    /// Where questions go that belong to no request of a session.
    pub(super) fn questions_for(&self, session: &Arc<Session>) -> mpsc::UnboundedSender<Ask> {
        let (sender, mut asks) = mpsc::unbounded_channel::<Ask>();
        let (gateway, session) = (self.clone(), Arc::clone(session));
        tokio::spawn(async move {
            while let Some(Some(ask)) = session.over.run_until_cancelled(asks.recv()).await {
                if let Some(message) = session.pass(ask) {
                    gateway.tell(&session, &message);
                }
            }
        });
        sender
    }

    /// Sees to it that a session's own conversation is listened to, and knows what the client wants.
    pub(super) fn attend_own(&self, member: &Member, session: &Arc<Session>, link: &Link) {
        let mut news = link.listen();
        let (gateway, member, session, link) = (self.clone(), member.clone(), Arc::clone(session), link.clone());
        tokio::spawn(async move {
            if let Some(level) = session.level().filter(|_| link.hello().offers("logging")) {
                drop(gateway.ask(&link, "logging/setLevel", json!({"level": level})).await);
            }
            for uri in session.subscriptions() {
                if session.is_subscribed(&member.object.uid, &uri) {
                    drop(gateway.ask(&link, "resources/subscribe", json!({"uri": uri})).await);
                }
            }
            loop {
                let heard = tokio::select! {
                    () = link.closed() => return,
                    () = session.over.cancelled() => return,
                    heard = news.recv() => heard,
                };
                match heard {
                    // The conversation that all share tells the same to everybody.
                    Ok(News::ListChanged(list, _)) => gateway.0.surfaces.drop_lists(&member.object.uid, list),
                    Ok(News::ResourceUpdated(_, news)) => gateway.tell(&session, &Message::Notification(news)),
                    Ok(News::Other(news)) => gateway.tell_one(&session, &news),
                    Err(RecvError::Lagged(_)) => {}
                    Err(RecvError::Closed) => return,
                }
            }
        });
    }

    /// Passes the level that a session wants on to the servers it uses.
    pub(super) async fn pass_level(&self, view: &View, session: &Arc<Session>) {
        let Some(level) = session.level() else { return };
        for link in session.links() {
            if link.hello().offers("logging") {
                drop(self.ask(&link, "logging/setLevel", json!({"level": level})).await);
            }
        }
        for member in &view.members {
            let Some(copy) = session.copy(&member.object.uid) else {
                continue;
            };
            let Some(link) = self.0.runtime.link(&copy).filter(|link| link.hello().offers("logging")) else {
                continue;
            };
            // Many share it: it says what the one wants that wants most; others are told only what they want.
            let sessions = self.0.registry.all();
            let levels = sessions.iter().filter(|one| one.copies().contains(&copy));
            let least = levels
                .filter_map(|one| one.level())
                .reduce(|one, other| if is_wanted(&one, Some(&other)) { other } else { one });
            let level = least.unwrap_or_else(|| level.clone());
            drop(self.ask(&link, "logging/setLevel", json!({"level": level})).await);
        }
    }

    /// Begins to tell a client of the newer era what it wants to hear.
    pub(super) fn listen(&self, asked: &Asked<'_>) -> Reply {
        let params = Members::of_params(asked.request.params.as_deref());
        let Some(wanted) = params.members("notifications") else {
            return Reply::Now(error(
                code::INVALID_PARAMS,
                "subscriptions/listen needs `notifications`",
            ));
        };
        let filter = Filter::read(&wanted);
        let id = asked.request.id.clone();
        let (sender, news) = mpsc::channel(WAITING);
        let number = self.0.attention.0.next.fetch_add(1, Ordering::Relaxed);
        let mut acknowledged = Members::default();
        acknowledged.set("notifications", raw(&filter.honored()));
        let first = labelled("notifications/subscriptions/acknowledged", acknowledged, &id);
        let stop = self.0.shutdown.child_token();
        let waiting = Waiting {
            target: asked.view.target.clone(),
            principal: Principal::clone(asked.principal),
            filter: filter.clone(),
            id,
            news: sender,
        };
        self.waiting().insert(number, waiting);
        let client = match &asked.side {
            Side::Modern(client) => Arc::clone(client),
            Side::Legacy(session) => session.client(),
        };
        let (gateway, view, principal) = (self.clone(), asked.view.clone(), asked.principal.clone());
        tokio::spawn(stop.clone().run_until_cancelled_owned(async move {
            gateway
                .listen_everywhere(&view, &principal, &filter.uris, &client)
                .await;
        }));
        Reply::Listen(Listening {
            gateway: self.clone(),
            number,
            first: Some(first),
            news,
            _asked: stop.drop_guard(),
        })
    }
}

impl Waiting {
    /// Hands news over; a client that does not read loses them, and its stream ends with the next.
    fn tell(&self, method: &str, params: Members<'_>) {
        if self.news.try_send(labelled(method, params, &self.id)).is_err() {
            tracing::debug!(method, "a client does not read its news");
        }
    }
}

/// News with the mark of the subscription that they belong to.
fn labelled(method: &str, mut params: Members<'_>, id: &Id) -> Arc<str> {
    let mut meta = params.members("_meta").unwrap_or_default();
    meta.set(META_SUBSCRIPTION, raw(id));
    params.set("_meta", meta.to_raw());
    notification(method, Some(params.to_raw())).to_json().into()
}
