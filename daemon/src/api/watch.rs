//! Watches and events as streams.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::http::request::Parts;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use orch_shared::access::{Principal, Visibility};
use orch_shared::kind::Kind;
use orch_shared::name::{ObjectRef, Scope};
use orch_shared::problem::{Code, Problem};
use orch_shared::query::{ChangeType, ListParameters};
use orch_shared::wire::{EventParameters, Events};

use super::dispatch::json;
use super::list::Selection;
use super::problem::Refusal;
use super::stream::{Closed, Sink, respond};
use super::{Api, body};
use crate::store::{About, Change, Entry, Error, EventQuery, ListQuery, Page, Position, Scopes, Store, Watch};

const SSE: &str = "text/event-stream";
/// A quiet watch tells so often how far it is, so that it can be resumed there.
const BOOKMARK: Duration = Duration::from_secs(30);
/// So many objects are read at once of what is there when a watch begins.
const PAGE: u32 = 32;
/// How often new events are looked for.
const EVENTS: Duration = Duration::from_millis(500);

/// Begins a watch: from a revision, or with everything that is there.
pub(super) async fn watch(
    api: &Api,
    principal: &Principal,
    selection: Selection,
    parameters: &ListParameters,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let store = &api.admission.store;
    let resumed = headers
        .get("last-event-id")
        .and_then(|value| value.to_str().ok())
        .map(str::parse::<i64>);
    let resumed = match resumed {
        Some(Ok(revision)) => Some(revision),
        Some(Err(_)) => return Err(Problem::new(Code::BadRequest, "Last-Event-ID is not a revision").into()),
        None => parameters.revision,
    };
    let watcher = Watcher {
        store: store.clone(),
        selection,
        visibility: principal.visibility.clone(),
        known: HashMap::new(),
        resumed: resumed.is_some(),
    };
    let (from, first) = match resumed {
        Some(revision) => (revision, None),
        None => {
            let page = watcher.page(None).await?;
            (page.extent.revision, Some(page))
        }
    };
    let changes = store.watch(Some(from)).await?;
    Ok(respond(SSE, api.shutdown.clone(), |sink| async move {
        // The client has gone or the daemon goes: either way there is nobody to tell.
        let _gone = watcher.run(first, from, changes, &sink).await;
    }))
}

struct Watcher {
    store: Store,
    selection: Selection,
    visibility: Visibility,
    /// The objects the client has, and as of which revision.
    known: HashMap<Arc<str>, i64>,
    /// Whether the client may have objects that are not in `known`, from before.
    resumed: bool,
}

impl Watcher {
    async fn run(mut self, mut first: Option<Page>, from: i64, mut changes: Watch, sink: &Sink) -> Result<(), Closed> {
        while let Some(page) = first.take() {
            for row in page.rows.iter().filter(|row| self.selection.admits_fields(row)) {
                self.known.insert(row.uid.as_str().into(), row.revision);
                sink.send(sse(None, ChangeType::Added, Some(&row.wire()))).await?;
            }
            first = match page.extent.next {
                Some(next) => match self.page(Some(next)).await {
                    Ok(page) => Some(page),
                    // The client has got no place to resume from: it begins again, and is then told what is wrong.
                    Err(_) => return Ok(()),
                },
                None => None,
            };
        }
        sink.send(sse(Some(from), ChangeType::Bookmark, None)).await?;
        loop {
            let next = tokio::time::timeout(BOOKMARK, changes.next());
            match sink.until(next).await? {
                Err(_) => {
                    let bookmark = sse(Some(changes.position()), ChangeType::Bookmark, None);
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
    async fn page(&self, after: Option<Position>) -> Result<Page, Error> {
        let query = ListQuery {
            after,
            limit: Some(PAGE),
            ..self.selection.query()
        };
        self.store.list(&self.visibility, &query).await
    }

    /// What the client is told of a change: nothing, when neither it had the object nor it has it now.
    fn tell(&mut self, change: &Change) -> Option<String> {
        let entry = &change.entry;
        if entry.object.kind != self.selection.kind
            || !self.visibility.covers(&entry.object)
            || !self.in_scope(&entry.object.scope)
        {
            return None;
        }
        // A page that was read after the change has shown it.
        if self.known.get(&entry.uid).is_some_and(|shown| *shown >= entry.revision) {
            return None;
        }
        let known = self.known.contains_key(&entry.uid);
        let selected = entry.row.as_ref().is_some_and(|row| self.is_selected(entry, row));
        let told = match (selected, change.change) {
            (true, _) if known => ChangeType::Modified,
            (true, ChangeType::Added) => ChangeType::Added,
            (true, _) if self.resumed => ChangeType::Modified,
            (true, _) => ChangeType::Added,
            (false, _) if known || (self.resumed && change.change != ChangeType::Added) => ChangeType::Deleted,
            (false, _) => return None,
        };
        if selected {
            self.known.insert(Arc::clone(&entry.uid), entry.revision);
        } else {
            self.known.remove(&entry.uid);
        }
        Some(sse(Some(entry.revision), told, Some(entry.wire())))
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

/// One server-sent event. Objects are JSON on one line, so their text goes as it is. Without a revision it is no place to
/// resume from: what is there at first is told in the order of names, so that who breaks off has missed an unknown rest.
fn sse(revision: Option<i64>, change: ChangeType, object: Option<&str>) -> String {
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
    let query = EventQuery {
        about: about(&parameters)?,
        after: parameters.after,
        limit: Some(parameters.limit.unwrap_or(100).clamp(1, 1000)),
    };
    let wanted = Wanted::new(&parameters)?;
    let mut items = api.admission.store.events(&principal.visibility, &query).await?;
    items.retain(|event| wanted.admits(event));
    if parameters
        .watch
        .as_deref()
        .is_none_or(|watch| watch != "1" && watch != "true")
    {
        return Ok(json(StatusCode::OK, &Events { items }));
    }
    let (store, visibility) = (api.admission.store.clone(), principal.visibility.clone());
    Ok(respond(SSE, api.shutdown.clone(), |sink| async move {
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
                about: query.about.clone(),
                after: Some(last),
                limit: None,
            };
            // A database that does not answer now may do so at the next look.
            let Ok(found) = store.events(&visibility, &newer).await else {
                continue;
            };
            last = found.iter().map(|event| event.id).max().unwrap_or(last);
            items = found.into_iter().filter(|event| wanted.admits(event)).collect();
        }
    }))
}

/// What the database cannot filter by.
struct Wanted {
    kind: Option<Kind>,
    warnings: bool,
}

impl Wanted {
    fn new(parameters: &EventParameters) -> Result<Self, Problem> {
        let kind = parameters.kind.as_deref().map(kind_of).transpose()?;
        Ok(Self {
            kind: kind.filter(|_| parameters.name.is_none()),
            warnings: parameters.warnings == Some(true),
        })
    }

    fn admits(&self, event: &orch_shared::query::Event) -> bool {
        use orch_shared::query::Severity;
        self.kind.is_none_or(|kind| kind == event.object.kind)
            && (!self.warnings || event.severity == Severity::Warning)
    }
}

fn kind_of(noun: &str) -> Result<Kind, Problem> {
    Kind::from_noun(noun).ok_or_else(|| {
        let problem = Problem::new(Code::BadRequest, format!("there is no kind `{noun}`"));
        match Kind::near_noun(noun) {
            Some(near) => problem.suggest(format!("did you mean `{near}`?")),
            None => problem,
        }
    })
}

fn about(parameters: &EventParameters) -> Result<About, Problem> {
    let (Some(noun), Some(name)) = (&parameters.kind, &parameters.name) else {
        return match &parameters.name {
            Some(_) => Err(Problem::new(Code::BadRequest, "a name needs a kind").suggest("kind=server&name=files")),
            None => Ok(About::Everything),
        };
    };
    let name = name
        .parse()
        .map_err(|error| Problem::new(Code::BadRequest, format!("`{name}`: {error}")))?;
    let scope = parameters.project.clone().map_or(Scope::Cluster, Scope::Project);
    let object = ObjectRef {
        kind: kind_of(noun)?,
        scope,
        name,
    };
    Ok(if parameters.owned == Some(true) {
        About::Family(object)
    } else {
        About::Object(object)
    })
}
