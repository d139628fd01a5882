//! Sessions for people to look at: which there are, and what is said in one of them. One's own; those of others only with
//! the operation `sessions`, for what is said in them is whatever their tools were told and have answered.

use std::convert::Infallible;

use axum::Json;
use axum::body::{Body, Bytes};
use axum::response::{IntoResponse, Response};
use futures_util::stream as futures_stream;
use orch_shared::access::{Operation, Principal};
use orch_shared::jsonrpc::{Members, Message};
use orch_shared::name::Name;
use orch_shared::resource::Timestamp;
use orch_shared::session::{Direction, Session as Shown, Sessions};
use tokio::sync::broadcast::error::RecvError;

use super::Gateway;
use super::answers::nothing_of_that_name;
use super::session::Session;
use super::stream::{self, KEEP_ALIVE};
use super::view::{Target, View};

impl Gateway {
    /// Shows a message to whoever watches the session.
    pub(super) fn show(
        &self,
        session: &Session,
        direction: Direction,
        server: Option<&str>,
        message: impl FnOnce() -> String,
    ) {
        if session.tap.is_open() {
            let at = self.0.store.clock().now();
            let hide = |text: &str, most| self.hidden(session, text, most);
            session.tap.show(at, direction, server, &message(), hide);
        }
    }

    /// Tells a client something that belongs to no request, and shows it to whoever watches the session.
    pub(super) fn tell(&self, session: &Session, message: &Message) {
        if session.tell(message) {
            self.show(session, Direction::ToClient, None, || message.to_json());
        }
    }

    /// The beginning of a text without the values of secrets that any server behind the session was given, and how much stands
    /// behind it: a client may be told, and tell, what it has of any of them.
    fn hidden(&self, session: &Session, text: &str, most: usize) -> (String, usize) {
        let snapshot = self.0.store.snapshot();
        let view = View::of(&session.target, &snapshot, &Principal::daemon());
        let members = view.iter().flat_map(|view| &view.members);
        let copies = members.flat_map(|member| snapshot.owned_by(&member.object.uid));
        let used = session.copies();
        let uids = copies.map(|copy| &*copy.uid).chain(used.iter().map(|copy| &**copy));
        self.0.runtime.masked(uids, text, most)
    }
}

/// The sessions of a project that are in use.
pub(super) fn list(gateway: &Gateway, project: Option<Name>, principal: &Principal) -> Response {
    let Some(target) = visible(gateway, principal, project) else {
        return nothing_of_that_name();
    };
    let mut items: Vec<Shown> = gateway
        .0
        .registry
        .all()
        .iter()
        .filter(|session| session.target == target && may_watch(principal, session))
        .map(|session| shown(session))
        .collect();
    items.sort_by(|one, other| (other.created_at, &other.id).cmp(&(one.created_at, &one.id)));
    Json(Sessions { items }).into_response()
}

/// What is said in a session, from now on.
pub(super) fn traffic(gateway: &Gateway, project: Option<Name>, id: &str, principal: &Principal) -> Response {
    let target = visible(gateway, principal, project);
    let sessions = gateway.0.registry.all();
    let session = sessions
        .into_iter()
        .find(|session| Some(&session.target) == target.as_ref() && session.short() == id)
        .filter(|session| may_watch(principal, session));
    let Some(session) = session else {
        return nothing_of_that_name();
    };
    let said = session.tap.watch();
    let state = (said, session.over.clone(), gateway.0.shutdown.clone());
    let body = futures_stream::unfold(state, |(mut said, over, shutdown)| async move {
        let event = tokio::select! {
            biased;
            () = shutdown.cancelled() => return None,
            () = over.cancelled() => return None,
            said = said.recv() => match said {
                Ok(message) => {
                    let text = serde_json::to_string(&message).expect("plain data");
                    stream::event(None, &text)
                }
                Err(RecvError::Lagged(count)) => format!(": {count} messages were not shown\n\n"),
                Err(RecvError::Closed) => return None,
            },
            () = tokio::time::sleep(KEEP_ALIVE) => ": still here\n\n".to_owned(),
        };
        Some((Ok::<_, Infallible>(Bytes::from(event)), (said, over, shutdown)))
    });
    stream::events(Body::from_stream(body))
}

fn may_watch(principal: &Principal, session: &Session) -> bool {
    // A token, or whoever asks in the place of somebody, sees no more of what that one does than they may.
    let is_own = *principal.name == session.principal && principal.is_in_person();
    is_own || principal.may_operate(Operation::Sessions).is_allowed
}

fn visible(gateway: &Gateway, principal: &Principal, project: Option<Name>) -> Option<Target> {
    let target = Target::Project(project?);
    View::of(&target, &gateway.0.store.snapshot(), principal).map(|_| target)
}

fn shown(session: &Session) -> Shown {
    let client = session.client();
    let info = Members::of(&client.info).unwrap_or_default();
    Shown {
        id: session.short().to_owned(),
        target: session.target.text(),
        principal: session.principal.clone(),
        client: info.text("name"),
        client_version: info.text("version"),
        protocol: session.protocol.clone(),
        created_at: Timestamp::from_millis(session.created_at),
        last_used_at: Timestamp::from_millis(session.last_used()),
    }
}
