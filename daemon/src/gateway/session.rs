//! One session of a client of the older era: what the gateway knows of it, and what it has to tell it.
//!
//! A session has one stream of its own, for what belongs to no request, and one for each request whose answer did not come
//! at once. Questions of servers go out on one of them and are answered by a message of the client's. All that is held for
//! a session goes with it; what must outlive the daemon is in [`super::registry`].

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use orch_shared::jsonrpc::{Id, Members, Message, Notification, Outcome, Raw, Request};
use tokio::sync::futures::Notified;
use tokio::sync::{Notify, oneshot};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::protocol::{code, error};
use super::stream::{Place, Stream};
use super::traffic::Tap;
use super::view::Target;
use crate::runtime::Hold;
use crate::runtime::link::{Ask, Client, Link};

/// So many streams are kept for a client that may come back.
const STREAMS: usize = 64;
/// How long a client has to answer a question.
pub(super) const ANSWER: Duration = Duration::from_secs(600);
/// So many questions may be open.
const QUESTIONS: usize = 256;

/// So many copies that were given back are known.
const LEFT: usize = 64;

/// What servers of the newer era are told of a client that has not said what it wants to hear.
const UNSAID: &str = "info";

/// A session.
#[derive(Debug)]
pub(super) struct Session {
    /// SHA-256 of its id, in hex; the id itself is the client's alone.
    pub(super) hash: String,
    pub(super) principal: String,
    pub(super) target: Target,
    /// The uid of the object that the address named when it began: one that is made anew under the name is another.
    pub(super) object: Arc<str>,
    pub(super) protocol: String,
    /// Who the client says it is; of a connection of the oldest transport, once it has greeted.
    client: Mutex<Arc<Client>>,
    pub(super) created_at: i64,
    /// Milliseconds; when it was last spoken with.
    last_used: AtomicI64,
    next: AtomicU64,
    /// Ends everything that is done for it.
    pub(super) over: CancellationToken,
    /// Whether the client has had the answer that begins the session.
    is_greeted: AtomicBool,
    /// Whether it has said what it is about.
    has_begun: AtomicBool,
    /// Its messages, for whoever watches.
    pub(super) tap: Tap,
    /// Rung when copies have been given back.
    returned: Notify,
    held: Mutex<Held>,
}

/// What is held for a session.
#[derive(Debug, Default)]
struct Held {
    level: Option<String>,
    /// The URIs it wants news of, and the server of each.
    subscriptions: BTreeMap<String, Subscription>,
    /// Those from before the daemon was started anew that are not taken up yet, and whether that has begun.
    left_over: BTreeSet<String>,
    taken_up: bool,
    own: Option<Arc<Stream>>,
    streams: BTreeMap<u64, Arc<Stream>>,
    questions: HashMap<u64, oneshot::Sender<Outcome>>,
    under_way: HashMap<Id, Going>,
    /// Since when it has something at a server, and when that was used last.
    stays: HashMap<Arc<str>, Stay>,
    /// The copy that each server's calls go to.
    copies: HashMap<Arc<str>, Sticking>,
    /// Copies that nobody else uses, and the server of each.
    own_copies: BTreeMap<Arc<str>, Arc<str>>,
    /// The last copies that it has given back, or is giving back. Who claimed one meanwhile must not take it for the next.
    left: VecDeque<Arc<str>>,
    /// Conversations of its own, by copy.
    links: HashMap<Arc<str>, Link>,
}

/// A copy that a session goes to.
#[derive(Debug)]
struct Sticking {
    copy: Arc<str>,
    /// Keeps the copy from going without notice.
    _hold: Option<Hold>,
}

/// A request that is under way, as the session sees it.
#[derive(Debug)]
struct Going {
    token: CancellationToken,
    /// The uid of the server that works at it.
    server: Arc<str>,
}

/// How long a session has had something at a server: a copy, a conversation.
#[derive(Debug, Clone, Copy)]
pub(super) struct Stay {
    /// Milliseconds; when it began.
    pub(super) since: i64,
    /// When it was last used.
    pub(super) used: i64,
    /// Whether a request is under way.
    pub(super) is_busy: bool,
    /// Whether the client waits for news of a resource.
    pub(super) is_followed: bool,
}

/// What a session leaves behind.
#[derive(Debug)]
pub(super) struct Leftovers {
    /// Conversations, to be closed.
    pub(super) links: Vec<Link>,
    /// Copies that were its own, to be given back.
    pub(super) copies: BTreeSet<Arc<str>>,
}

/// A resource that news are wanted of.
#[derive(Debug)]
pub(super) struct Subscription {
    /// The uid of the server that has it.
    pub(super) server: Arc<str>,
    /// Ends what listens for it, where something does.
    #[expect(dead_code, reason = "held for its end")]
    pub(super) listening: Option<DropGuard>,
}

/// What is there to make a session from.
#[derive(Debug)]
pub(super) struct Beginning {
    pub(super) hash: String,
    pub(super) principal: String,
    pub(super) target: Target,
    /// The uid of the object that the address names.
    pub(super) object: Arc<str>,
    pub(super) protocol: String,
    pub(super) client: Arc<Client>,
    pub(super) level: Option<String>,
    /// The URIs that it had subscribed to.
    pub(super) subscriptions: BTreeSet<String>,
    pub(super) created_at: i64,
    /// Whether it has said what it is about.
    pub(super) has_begun: bool,
    pub(super) now: i64,
}

impl Session {
    pub(super) fn begin(beginning: Beginning) -> Arc<Self> {
        Arc::new(Self {
            hash: beginning.hash,
            principal: beginning.principal,
            target: beginning.target,
            object: beginning.object,
            protocol: beginning.protocol,
            client: Mutex::new(Arc::new(Client {
                log_level: Some(beginning.level.clone().unwrap_or_else(|| UNSAID.to_owned())),
                ..(*beginning.client).clone()
            })),
            created_at: beginning.created_at,
            last_used: AtomicI64::new(beginning.now),
            next: AtomicU64::new(1),
            over: CancellationToken::new(),
            is_greeted: AtomicBool::new(false),
            has_begun: AtomicBool::new(beginning.has_begun),
            tap: Tap::default(),
            returned: Notify::new(),
            held: Mutex::new(Held {
                level: beginning.level,
                left_over: beginning.subscriptions,
                ..Held::default()
            }),
        })
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What people know it by.
    pub(super) fn short(&self) -> &str {
        self.hash.get(..12).unwrap_or(&self.hash)
    }

    /// Who the client says it is.
    pub(super) fn client(&self) -> Arc<Client> {
        Arc::clone(&self.client.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The client has said who it is.
    pub(super) fn introduce(&self, mut client: Client) {
        client.log_level = Some(self.level().unwrap_or_else(|| UNSAID.to_owned()));
        *self.client.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(client);
    }

    /// Notes that it was spoken with; says when that was before.
    pub(super) fn touch(&self, now: i64) -> i64 {
        self.last_used.swap(now, Ordering::Relaxed)
    }

    /// When it was last spoken with.
    pub(super) fn last_used(&self) -> i64 {
        self.last_used.load(Ordering::Relaxed)
    }

    /// Whether something is under way for it, or its client listens.
    pub(super) fn is_busy(&self) -> bool {
        let held = self.held();
        !held.under_way.is_empty() || held.own.as_ref().is_some_and(|own| own.is_read())
    }

    /// Whether its client can answer such a question.
    pub(super) fn can_answer(&self, method: &str) -> bool {
        can_answer(&self.client(), method)
    }

    /// The least severity it wants to hear of.
    pub(super) fn level(&self) -> Option<String> {
        self.held().level.clone()
    }

    pub(super) fn set_level(&self, level: &str) {
        self.held().level = Some(level.to_owned());
        let mut client = self.client.lock().unwrap_or_else(PoisonError::into_inner);
        *client = Arc::new(Client {
            log_level: Some(level.to_owned()),
            ..(**client).clone()
        });
    }

    /// The stream for what belongs to no request.
    pub(super) fn own_stream(&self) -> Arc<Stream> {
        Arc::clone(self.held().own.get_or_insert_with(|| Stream::new(0)))
    }

    /// The client has its greeting; from now on it may be told what belongs to no request.
    pub(super) fn greeted(&self) {
        self.is_greeted.store(true, Ordering::Relaxed);
    }

    /// Whether it has said what it is about, without which a gated project shows it nothing.
    pub(super) fn has_begun(&self) -> bool {
        self.has_begun.load(Ordering::Relaxed)
    }

    /// It has said what it is about.
    pub(super) fn begun(&self) {
        self.has_begun.store(true, Ordering::Relaxed);
    }

    /// Tells the client something that belongs to no request, and says whether it was told. Where it has never listened,
    /// nothing is kept but what it will be asked.
    pub(super) fn tell(&self, message: &Message) -> bool {
        if !self.is_greeted.load(Ordering::Relaxed) {
            return false;
        }
        let own = self.held().own.clone();
        let stream = match (own, message) {
            (Some(own), _) => own,
            (None, Message::Request(_)) => self.own_stream(),
            (None, Message::Notification(_) | Message::Response(_)) => return false,
        };
        stream.tell(message.to_json());
        true
    }

    /// A new stream for one request.
    pub(super) fn open_stream(&self) -> Arc<Stream> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let stream = Stream::new(id);
        let mut held = self.held();
        held.streams.retain(|_, stream| !stream.is_spent());
        while held.streams.len() >= STREAMS {
            held.streams.pop_first();
        }
        held.streams.insert(id, Arc::clone(&stream));
        stream
    }

    /// The stream that an event belongs to.
    pub(super) fn stream(&self, place: Place) -> Option<Arc<Stream>> {
        let held = self.held();
        match place.stream {
            0 => held.own.clone(),
            id => held.streams.get(&id).cloned(),
        }
    }

    /// A question for the client: the message to send, and where its answer will come; nothing when too many are open.
    pub(super) fn ask(&self, method: String, params: Option<Raw>) -> Option<(Message, oneshot::Receiver<Outcome>)> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let (answer, answered) = oneshot::channel();
        let mut held = self.held();
        held.questions.retain(|_, question| !question.is_closed());
        if held.questions.len() >= QUESTIONS {
            return None;
        }
        held.questions.insert(id, answer);
        let id = Id::number(id);
        Some((Message::Request(Request { id, method, params }), answered))
    }

    /// Passes a question of a server on: the message that puts it to the client, whose answer, or that there is none, goes to
    /// the server. Nothing when the client cannot be asked, which the server is told.
    pub(super) fn pass(&self, ask: Ask) -> Option<Message> {
        if !self.can_answer(&ask.method) {
            let message = format!("the client cannot answer {}", ask.method);
            tokio::spawn(ask.answer(error(code::METHOD_NOT_FOUND, message)));
            return None;
        }
        let Some((message, answered)) = self.ask(ask.method.clone(), ask.params.clone()) else {
            tokio::spawn(ask.answer(error(code::LIMITED, "too many questions are open")));
            return None;
        };
        let over = self.over.clone();
        tokio::spawn(async move {
            let answer = over.run_until_cancelled(tokio::time::timeout(ANSWER, answered)).await;
            let outcome = match answer {
                Some(Ok(Ok(outcome))) => outcome,
                Some(Ok(Err(_)) | Err(_)) | None => error(code::INTERNAL, "the client did not answer"),
            };
            // A server that is gone needs no answer.
            let _ = ask.answer(outcome).await;
        });
        Some(message)
    }

    /// Takes the client's answer to a question. One that nobody waits for any more is dropped.
    pub(super) fn answered(&self, id: &Id, outcome: Outcome) {
        let question = id.as_number().and_then(|id| self.held().questions.remove(&id));
        if let Some(question) = question {
            let _ = question.send(outcome);
        }
    }

    /// Notes that a request is under way; nothing when one of that id is already. The guard forgets it again.
    pub(super) fn under_way(self: &Arc<Self>, id: &Id, server: &Arc<str>) -> Option<UnderWay> {
        let token = self.over.child_token();
        let going = Going {
            token: token.clone(),
            server: Arc::clone(server),
        };
        match self.held().under_way.entry(id.clone()) {
            Entry::Occupied(_) => return None,
            Entry::Vacant(place) => place.insert(going),
        };
        Some(UnderWay {
            session: Arc::clone(self),
            id: id.clone(),
            token,
        })
    }

    /// Cancels a request.
    pub(super) fn cancel(&self, id: &Id) {
        if let Some(going) = self.held().under_way.get(id) {
            going.token.cancel();
        }
    }

    /// Notes that it uses a server now.
    pub(super) fn stay(&self, server: &Arc<str>, now: i64) {
        let mut held = self.held();
        let begins = || Stay {
            since: now,
            used: now,
            is_busy: false,
            is_followed: false,
        };
        held.stays.entry(Arc::clone(server)).or_insert_with(begins).used = now;
    }

    /// The servers it has something at, and since when.
    pub(super) fn stays(&self, now: i64) -> Vec<(Arc<str>, Stay)> {
        let mut held = self.held();
        let held = &mut *held;
        for (server, stay) in &mut held.stays {
            stay.is_busy = held.under_way.values().any(|going| going.server == *server);
            stay.is_followed = held.subscriptions.values().any(|one| one.server == *server);
            if stay.is_busy || stay.is_followed {
                stay.used = now;
            }
        }
        let stays = held.stays.iter();
        stays.map(|(server, stay)| (Arc::clone(server), *stay)).collect()
    }

    /// Gives up what it has at a server, unless a request is under way there: one may have begun since somebody looked.
    pub(super) fn leave_if_idle(&self, server: &str) -> Option<Leftovers> {
        let held = self.held();
        let is_busy = held.under_way.values().any(|going| &*going.server == server);
        (!is_busy).then(|| Self::leave_held(held, server))
    }

    /// Gives up what it has at a server. What it leaves behind is to be closed.
    pub(super) fn leave(&self, server: &str) -> Leftovers {
        Self::leave_held(self.held(), server)
    }

    fn leave_held(mut held: MutexGuard<'_, Held>, server: &str) -> Leftovers {
        held.stays.remove(server);
        let sticking = held.copies.remove(server);
        let own: BTreeSet<_> = held
            .own_copies
            .iter()
            .filter(|(_, owner)| &***owner == server)
            .map(|(copy, _)| Arc::clone(copy))
            .collect();
        let shared = sticking.as_ref().map(|sticking| &sticking.copy);
        let links = own
            .iter()
            .chain(shared)
            .filter_map(|copy| held.links.remove(copy))
            .collect();
        held.own_copies.retain(|copy, _| !own.contains(copy));
        held.left.extend(own.iter().cloned());
        let too_many = held.left.len().saturating_sub(LEFT);
        held.left.drain(..too_many);
        drop(held);
        // Letting go rings a bell; not while anything is locked.
        drop(sticking);
        Leftovers { links, copies: own }
    }

    /// The copy of a server that this session goes to.
    pub(super) fn copy(&self, server: &str) -> Option<Arc<str>> {
        Some(Arc::clone(&self.held().copies.get(server)?.copy))
    }

    /// From now on calls of that server go to this copy.
    pub(super) fn stick(&self, server: &Arc<str>, copy: &Arc<str>, hold: Option<Hold>) {
        let sticking = Sticking {
            copy: Arc::clone(copy),
            _hold: hold,
        };
        let before = self.held().copies.insert(Arc::clone(server), sticking);
        // Letting go rings a bell; not while anything is locked.
        drop(before);
    }

    /// A copy is this session's alone. Says whether that is news; nothing of one that it has given back.
    pub(super) fn own(&self, server: &Arc<str>, copy: &Arc<str>) -> Option<bool> {
        let mut held = self.held();
        if held.left.contains(copy) {
            return None;
        }
        Some(held.own_copies.insert(Arc::clone(copy), Arc::clone(server)).is_none())
    }

    /// Copies have been given back.
    pub(super) fn gave_back(&self) {
        self.returned.notify_waiters();
    }

    /// Ends when copies have been given back after this was asked for.
    pub(super) fn returned(&self) -> Notified<'_> {
        self.returned.notified()
    }

    /// The session's own conversation with a copy, while it is open.
    pub(super) fn link(&self, copy: &str) -> Option<Link> {
        self.held().links.get(copy).filter(|link| link.is_open()).cloned()
    }

    /// Keeps a conversation. One with the same copy that was opened meanwhile is handed back instead.
    pub(super) fn keep(&self, copy: &Arc<str>, link: Link) -> Result<(), Link> {
        let mut held = self.held();
        let known = held.links.get(copy).filter(|there| there.is_open() && !there.is(&link));
        // A copy of its own has but one conversation, the newest.
        if let Some(there) = known.filter(|_| !held.own_copies.contains_key(copy)) {
            return Err(there.clone());
        }
        held.links.insert(Arc::clone(copy), link);
        Ok(())
    }

    /// All conversations of its own.
    pub(super) fn links(&self) -> Vec<Link> {
        self.held().links.values().cloned().collect()
    }

    /// The copies it goes to.
    pub(super) fn copies(&self) -> Vec<Arc<str>> {
        self.held()
            .copies
            .values()
            .map(|sticking| Arc::clone(&sticking.copy))
            .collect()
    }

    /// Notes that news of a resource are wanted.
    pub(super) fn subscribe(&self, uri: &str, subscription: Subscription) {
        let mut held = self.held();
        held.left_over.remove(uri);
        held.subscriptions.insert(uri.to_owned(), subscription);
    }

    /// News of a resource are not wanted any more; the server that has it.
    pub(super) fn unsubscribe(&self, uri: &str) -> Option<Arc<str>> {
        let mut held = self.held();
        held.left_over.remove(uri);
        Some(held.subscriptions.remove(uri)?.server)
    }

    /// Whether news of that resource of that server are wanted.
    pub(super) fn is_subscribed(&self, server: &str, uri: &str) -> bool {
        let held = self.held();
        let wanted = held.subscriptions.get(uri);
        wanted.is_some_and(|subscription| &*subscription.server == server)
    }

    /// The URIs that it had subscribed to before the daemon was started anew; for the first who asks.
    pub(super) fn left_over(&self) -> BTreeSet<String> {
        let mut held = self.held();
        match std::mem::replace(&mut held.taken_up, true) {
            true => BTreeSet::new(),
            false => held.left_over.clone(),
        }
    }

    /// The URIs it wants news of, those included that are not taken up yet.
    pub(super) fn all_subscriptions(&self) -> BTreeSet<String> {
        let held = self.held();
        held.subscriptions.keys().chain(&held.left_over).cloned().collect()
    }

    /// The URIs it wants news of.
    pub(super) fn subscriptions(&self) -> BTreeSet<String> {
        self.held().subscriptions.keys().cloned().collect()
    }

    /// Ends everything that is held for it. What it leaves behind is to be closed.
    pub(super) fn end(&self) -> Leftovers {
        self.over.cancel();
        let held = std::mem::take(&mut *self.held());
        for stream in held.own.iter().chain(held.streams.values()) {
            stream.end();
        }
        Leftovers {
            links: held.links.into_values().collect(),
            copies: held.own_copies.into_keys().collect(),
        }
    }
}

/// Whether a client said that it can answer such a question.
pub(super) fn can_answer(client: &Client, method: &str) -> bool {
    let Some(capability) = capability(method) else {
        return true;
    };
    Members::of(&client.capabilities).is_some_and(|capabilities| capabilities.get(capability).is_some())
}

/// The capability without which a client cannot answer a question.
pub(super) fn capability(method: &str) -> Option<&'static str> {
    match method {
        "sampling/createMessage" => Some("sampling"),
        "elicitation/create" => Some("elicitation"),
        "roots/list" => Some("roots"),
        _ => None,
    }
}

/// A request that is under way.
#[derive(Debug)]
pub(super) struct UnderWay {
    session: Arc<Session>,
    id: Id,
    /// Cancelled when the client does not want the answer any more, or the session is over.
    pub(super) token: CancellationToken,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        self.session.held().under_way.remove(&self.id);
    }
}

/// News with its parameters.
pub(super) fn notification(method: &str, params: Option<Raw>) -> Message {
    Message::Notification(Notification {
        method: method.to_owned(),
        params,
    })
}
