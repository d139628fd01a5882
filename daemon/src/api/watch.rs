//! Watches as streams.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::response::Response;
use orch_shared::access::{Principal, Visibility};
use orch_shared::name::Scope;
use orch_shared::problem::{Code, Problem};
use orch_shared::query::{ChangeType, ListParameters};

use super::Api;
use super::list::Selection;
use super::problem::Refusal;
use super::stream::{Closed, Sink, respond};
use crate::store::{Change, Entry, Scopes, Watch};

pub(super) const SSE: &str = "text/event-stream";
/// A quiet watch tells so often how far it is, so that it can be resumed there.
const BOOKMARK: Duration = Duration::from_secs(30);

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
    let mut first = Vec::new();
    let mut known = HashSet::new();
    let from = match resumed {
        Some(revision) => revision,
        None => {
            let page = store.list(&principal.visibility, &selection.query()).await?;
            for row in page.rows.iter().filter(|row| selection.admits_fields(row)) {
                known.insert(Arc::<str>::from(row.uid.as_str()));
                first.push(sse(row.revision, ChangeType::Added, Some(&row.wire())));
            }
            page.extent.revision
        }
    };
    first.push(sse(from, ChangeType::Bookmark, None));
    let changes = store.watch(Some(from)).await?;
    let watcher = Watcher {
        selection,
        visibility: principal.visibility.clone(),
        known,
        resumed: resumed.is_some(),
    };
    Ok(respond(SSE, api.shutdown.clone(), |sink| async move {
        // The client has gone or the daemon goes: either way there is nobody to tell.
        let _gone = watcher.run(first, changes, &sink).await;
    }))
}

struct Watcher {
    selection: Selection,
    visibility: Visibility,
    /// The objects the client has.
    known: HashSet<Arc<str>>,
    /// Whether the client may have objects that are not in `known`, from before.
    resumed: bool,
}

impl Watcher {
    async fn run(mut self, first: Vec<String>, mut changes: Watch, sink: &Sink) -> Result<(), Closed> {
        for text in first {
            sink.send(text).await?;
        }
        loop {
            let next = tokio::time::timeout(BOOKMARK, changes.next());
            match sink.until(next).await? {
                Err(_) => sink.send(sse(changes.position(), ChangeType::Bookmark, None)).await?,
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

    /// What the client is told of a change: nothing, when neither it had the object nor it has it now.
    fn tell(&mut self, change: &Change) -> Option<String> {
        let entry = &change.entry;
        if entry.object.kind != self.selection.kind
            || !self.visibility.covers(&entry.object)
            || !self.in_scope(&entry.object.scope)
        {
            return None;
        }
        let selected = entry.row.as_ref().is_some_and(|row| self.is_selected(entry, row));
        let told = match (selected, change.change) {
            (true, ChangeType::Added) => ChangeType::Added,
            (true, _) if self.known.contains(&entry.uid) || self.resumed => ChangeType::Modified,
            (true, _) => ChangeType::Added,
            (false, _) if self.known.contains(&entry.uid) || (self.resumed && change.change != ChangeType::Added) => {
                ChangeType::Deleted
            }
            (false, _) => return None,
        };
        if selected {
            self.known.insert(Arc::clone(&entry.uid));
        } else {
            self.known.remove(&entry.uid);
        }
        Some(sse(entry.revision, told, Some(entry.wire())))
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

/// One server-sent event. Objects are JSON on one line, so their text goes as it is.
fn sse(revision: i64, change: ChangeType, object: Option<&str>) -> String {
    let change = match change {
        ChangeType::Added => "ADDED",
        ChangeType::Modified => "MODIFIED",
        ChangeType::Deleted => "DELETED",
        ChangeType::Bookmark => "BOOKMARK",
    };
    match object {
        Some(object) => format!("id: {revision}\ndata: {{\"type\":\"{change}\",\"object\":{object}}}\n\n"),
        None => format!("id: {revision}\ndata: {{\"type\":\"{change}\"}}\n\n"),
    }
}
