//! Watches and events as streams.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use orch_shared::access::{Principal, Visibility};
use orch_shared::kind::Kind;
use orch_shared::kinds::API_VERSION;
use orch_shared::name::{ObjectRef, Scope};
use orch_shared::problem::{Code, Problem};
use orch_shared::query::{ChangeType, Event, FieldSelector, ListParameters, SelectorError, Severity};
use orch_shared::sse;
use orch_shared::wire::{EventParameters, Events};
use serde_json::json;

use super::dispatch;
use super::list::Selection;
use super::problem::Refusal;
use super::stream::{Closed, Sink, respond};
use super::{Api, body};
use crate::audit::Tenure;
use crate::auth::{Lease, Standing};
use crate::store::{About, Change, Entry, Error, EventQuery, ListQuery, Page, Position, Scopes, Store, Watch};

pub(super) const SSE: &str = "text/event-stream";
/// A quiet watch tells so often how far it is, so that it can be resumed there.
const BOOKMARK: Duration = Duration::from_secs(30);
/// So many objects are read at once of what is there when a watch begins.
const PAGE: u32 = 16;
/// How often new events are looked for.
const EVENTS: Duration = Duration::from_millis(500);

/// Begins a watch: from a revision, or with everything that is there.
pub(super) async fn watch(
    api: &Api,
    principal: &Principal,
    selection: Selection,
    parameters: &ListParameters,
    parts: &Parts,
) -> Result<Response, Refusal> {
    let store = &api.admission.store;
    let resumed = resumed(&parts.headers)?.or(parameters.revision);
    let mut watcher = Watcher {
        store: store.clone(),
        selection,
        sight: Sight::of(principal, parts),
        known: HashMap::new(),
        resumed,
        told_gone: HashSet::new(),
    };
    let (from, first) = match resumed {
        Some(revision) => (revision, None),
        None => {
            let page = watcher.page(None).await?;
            (page.extent.revision, Some(page))
        }
    };
    let changes = store.watch(Some(from)).await?;
    let response = respond(SSE, api.shutdown.clone(), |sink| async move {
        // The client has gone or the daemon goes: either way there is nobody to tell.
        let _gone = watcher.run(first, from, changes, &sink).await;
    });
    Ok(held(response, principal))
}

/// A stream of what somebody sees: it goes on as long as they see anything, if they ever did.
fn held(mut response: Response, principal: &Principal) -> Response {
    let saw_nothing = *principal.visibility == Visibility::Nothing;
    let tenure = Tenure::new(move |principal, _| saw_nothing || *principal.visibility != Visibility::Nothing);
    response.extensions_mut().insert(tenure.saying(|problem| {
        let mut out = b"\n\n".to_vec();
        let told = serde_json::to_string(problem).expect("a problem is plain data");
        sse::Event::named("error", told).write(&mut out);
        out
    }));
    response
}

/// What whoever reads a stream may see, at each moment.
struct Sight {
    visibility: Arc<Visibility>,
    lease: Option<Lease>,
}

impl Sight {
    fn of(principal: &Principal, parts: &Parts) -> Self {
        Self {
            visibility: Arc::clone(&principal.visibility),
            lease: parts.extensions.get::<Lease>().cloned(),
        }
    }

    /// What it is now; nothing to somebody who is not known any more.
    fn now(&mut self) -> &Arc<Visibility> {
        match self.lease.as_mut().map(Lease::look) {
            None | Some(Standing::Same) => {}
            Some(Standing::Changed(principal)) => self.visibility = principal.visibility,
            Some(Standing::Gone) => self.visibility = Arc::new(Visibility::Nothing),
        }
        &self.visibility
    }
}

/// Where a client that lost its stream wants to go on.
pub(super) fn resumed(headers: &HeaderMap) -> Result<Option<i64>, Problem> {
    let header = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    header
        .map(str::parse)
        .transpose()
        .map_err(|_| Problem::new(Code::BadRequest, "Last-Event-ID is not from a stream of this API"))
}

struct Watcher {
    store: Store,
    selection: Selection,
    sight: Sight,
    /// The objects the client has, and as of which revision.
    known: HashMap<Arc<str>, i64>,
    /// Where the client resumed: it may have objects from before then that are not in `known`.
    resumed: Option<i64>,
    /// Of those, the ones it was told are gone.
    told_gone: HashSet<Arc<str>>,
}

impl Watcher {
    async fn run(mut self, mut first: Option<Page>, from: i64, mut changes: Watch, sink: &Sink) -> Result<(), Closed> {
        while let Some(Page { rows, extent }) = first.take() {
            // What the client has been sent is not held any longer.
            for row in rows.into_iter().filter(|row| self.selection.admits_fields(row)) {
                let added = event_of(None, ChangeType::Added, Some(&row.wire()));
                self.known.insert(row.uid.into(), row.revision);
                sink.send(added).await?;
            }
            first = match extent.next {
                Some(next) => match self.page(Some(next)).await {
                    Ok(page) => Some(page),
                    // The client has got no place to resume from: it begins again, and is then told what is wrong.
                    Err(_) => return Ok(()),
                },
                None => None,
            };
        }
        sink.send(event_of(Some(from), ChangeType::Bookmark, None)).await?;
        loop {
            let next = tokio::time::timeout(BOOKMARK, changes.next());
            match sink.until(next).await? {
                Err(_) => {
                    let bookmark = event_of(Some(changes.position()), ChangeType::Bookmark, None);
                    sink.send(bookmark).await?;
                }
                Ok(Ok(change)) => {
                    if let Some(text) = self.tell(&change) {
                        sink.send(text).await?;
                    }
                }
                // Compacted or unreadable: the client resumes, and is then told why it cannot.
                Ok(Err(_)) => return Ok(()),
            }
        }
    }

    /// Some of what is there. A client that is slow to read holds no more than that.
    async fn page(&mut self, after: Option<Position>) -> Result<Page, Error> {
        let query = ListQuery {
            after,
            limit: Some(PAGE),
            ..self.selection.query()
        };
        self.store.list(self.sight.now(), &query).await
    }

    /// What the client is told of a change: nothing, when neither it had the object nor it has it now.
    fn tell(&mut self, change: &Change) -> Option<String> {
        let entry = &change.entry;
        if entry.object.kind != self.selection.kind || !self.in_scope(&entry.object.scope) {
            return None;
        }
        if !self.is_visible(entry) {
            return self.tell_gone(entry);
        }
        // A page that was read after the change has shown it.
        if self.known.get(&entry.uid).is_some_and(|shown| *shown >= entry.revision) {
            return None;
        }
        let known = self.known.contains_key(&entry.uid);
        let selected = entry.row.as_ref().is_some_and(|row| self.is_selected(entry, row));
        let had = known || self.may_have(entry);
        let told = match (selected, change.change) {
            (true, _) if known => ChangeType::Modified,
            (true, ChangeType::Added) => ChangeType::Added,
            (true, _) if had => ChangeType::Modified,
            (true, _) => ChangeType::Added,
            (false, _) if had => ChangeType::Deleted,
            (false, _) => return None,
        };
        if selected {
            self.told_gone.remove(&entry.uid);
            self.known.insert(Arc::clone(&entry.uid), entry.revision);
        } else {
            self.known.remove(&entry.uid);
            self.told_gone.insert(Arc::clone(&entry.uid));
        }
        Some(event_of(Some(entry.revision), told, Some(entry.wire())))
    }

    /// Whether the client may see the object as it is now; of one that is gone, as it was.
    fn is_visible(&mut self, entry: &Entry) -> bool {
        let visibility = Arc::clone(self.sight.now());
        *visibility == Visibility::Everything
            || self
                .store
                .snapshot()
                .facts(&entry.object, &entry.labels, entry.owner.as_ref(), |facts| {
                    visibility.covers(facts)
                })
    }

    /// An object that the client has and may not see any more is gone for it. What has become of it is not told.
    fn tell_gone(&mut self, entry: &Entry) -> Option<String> {
        self.known.remove(&entry.uid)?;
        let object = json!({
            "apiVersion": API_VERSION,
            "kind": entry.object.kind,
            "metadata": metadata_of(&entry.object),
            "status": {"uid": &*entry.uid},
        });
        Some(event_of(
            Some(entry.revision),
            ChangeType::Deleted,
            Some(&object.to_string()),
        ))
    }

    /// Whether the client may have the object from before it resumed. What it had there is not known here, so one that
    /// was never selected may be told as gone, once.
    fn may_have(&self, entry: &Entry) -> bool {
        self.resumed.is_some_and(|revision| entry.created_revision <= revision) && !self.told_gone.contains(&entry.uid)
    }

    fn in_scope(&self, scope: &Scope) -> bool {
        match &self.selection.scopes {
            Scopes::All => true,
            Scopes::One(one) => one == scope,
        }
    }

    fn is_selected(&self, entry: &Entry, row: &crate::store::Row) -> bool {
        self.selection
            .labels
            .matches(|key| entry.labels.get(key).map(String::as_str))
            && self.selection.admits_fields(row)
    }
}

/// Name and scope of an object, as its metadata has them.
fn metadata_of(object: &ObjectRef) -> serde_json::Value {
    match &object.scope {
        Scope::Cluster => json!({"name": object.name}),
        Scope::Project(project) => json!({"name": object.name, "project": project}),
        Scope::Agent(agent) => json!({"name": object.name, "agent": agent}),
    }
}

/// One server-sent event. Objects are JSON on one line, so their text goes as it is. Without a revision it is no place to
/// resume from: what is there at first is told in the order of names, so that who breaks off has missed an unknown rest.
fn event_of(revision: Option<i64>, change: ChangeType, object: Option<&str>) -> String {
    let change = match change {
        ChangeType::Added => "ADDED",
        ChangeType::Modified => "MODIFIED",
        ChangeType::Deleted => "DELETED",
        ChangeType::Bookmark => "BOOKMARK",
    };
    let id = revision.map(|revision| format!("id: {revision}\n")).unwrap_or_default();
    match object {
        Some(object) => format!("{id}data: {{\"type\":\"{change}\",\"object\":{object}}}\n\n"),
        None => format!("{id}data: {{\"type\":\"{change}\"}}\n\n"),
    }
}

/// Events: a list, and with `watch` a stream of what comes after it.
pub(super) async fn events(api: &Api, principal: &Principal, parts: &Parts) -> Result<Response, Refusal> {
    let parameters: EventParameters = body::query(&parts.uri)?;
    let fields: FieldSelector = parameters
        .field_selector
        .as_deref()
        .unwrap_or_default()
        .parse()
        .map_err(|error: SelectorError| Problem::new(Code::BadRequest, error.to_string()))?;
    let limit = parameters.limit.unwrap_or(100).clamp(1, 1000);
    let query = EventQuery {
        about: about(&parameters)?,
        severity: (parameters.warnings == Some(true)).then_some(Severity::Warning),
        after: resumed(&parts.headers)?.or(parameters.after),
        // Fields are not indexed: every event is looked at, and the newest of those that fit are kept.
        limit: fields.is_empty().then_some(limit),
    };
    let fits = move |event: &Event| {
        fields.is_empty() || fields.matches(&serde_json::to_value(event).expect("an event is plain data"))
    };
    let mut items = api.admission.store.events(&principal.visibility, &query).await?;
    items.retain(&fits);
    let too_many = items.len().saturating_sub(limit as usize);
    items.drain(..too_many);
    if parameters
        .watch
        .as_deref()
        .is_none_or(|watch| watch != "1" && watch != "true")
    {
        return Ok(dispatch::json(StatusCode::OK, &Events { items }));
    }
    let (store, mut sight) = (api.admission.store.clone(), Sight::of(principal, parts));
    let response = respond(SSE, api.shutdown.clone(), |sink| async move {
        let mut last = items.iter().map(|event| event.id).max().or(query.after).unwrap_or(0);
        loop {
            for event in items.drain(..) {
                let text = serde_json::to_string(&event).expect("an event is plain data");
                if sink.send(format!("id: {}\ndata: {text}\n\n", event.id)).await.is_err() {
                    return;
                }
            }
            if sink.until(tokio::time::sleep(EVENTS)).await.is_err() {
                return;
            }
            let newer = EventQuery {
                after: Some(last),
                limit: None,
                ..query.clone()
            };
            // A database that does not answer now may do so at the next look.
            let Ok(found) = store.events(sight.now(), &newer).await else {
                continue;
            };
            last = found.iter().map(|event| event.id).max().unwrap_or(last);
            items = found.into_iter().filter(&fits).collect();
        }
    });
    Ok(held(response, principal))
}

pub(super) fn kind_of(noun: &str) -> Result<Kind, Problem> {
    Kind::from_noun(noun).ok_or_else(|| {
        let problem = Problem::new(Code::BadRequest, format!("there is no kind `{noun}`"));
        match Kind::near_noun(noun) {
            Some(near) => problem.suggest(format!("did you mean `{near}`?")),
            None => problem,
        }
    })
}

/// What events are asked for; the database decides it.
fn about(parameters: &EventParameters) -> Result<About, Problem> {
    let scope = match (&parameters.project, &parameters.agent) {
        (Some(project), _) => Some(Scope::Project(project.clone())),
        (None, Some(agent)) => Some(Scope::Agent(agent.clone())),
        (None, None) => None,
    };
    let kind = parameters.kind.as_deref().map(kind_of).transpose()?;
    let Some(name) = &parameters.name else {
        return Ok(match (kind, scope) {
            (None, None) => About::Everything,
            (kind, scope) => About::Objects(kind, scope),
        });
    };
    let Some(kind) = kind else {
        return Err(Problem::new(Code::BadRequest, "a name needs a kind").suggest("kind=server&name=files"));
    };
    let name = name
        .parse()
        .map_err(|error| Problem::new(Code::BadRequest, format!("`{name}`: {error}")))?;
    let object = ObjectRef {
        kind,
        scope: scope.unwrap_or(Scope::Cluster),
        name,
    };
    Ok(if parameters.owned == Some(true) {
        About::Family(object)
    } else {
        About::Object(object)
    })
}
