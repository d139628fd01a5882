//! What the gateway finds out about a request, noted on its trail: which address, session and client, and what is asked.

use orch_shared::audit::{RowKind, Target};
use orch_shared::jsonrpc::{Members, Message};
use orch_shared::kind::Kind;
use orch_shared::name::{Name, ObjectRef};

use super::address::Address;
use super::asking::Asking;
use super::session::Session;
use super::view;
use crate::audit;
use crate::runtime::link::Client;

/// The address that was asked.
pub(super) fn address(address: &Address, method: &str) {
    let Some(trail) = audit::trail() else { return };
    let of = |target: &Option<view::Target>| target.as_ref().map(|target| Target::of(&target.object()));
    let project = |name: &Option<Name>| {
        let name = name.clone();
        name.map(|name| Target::of(&ObjectRef::cluster(Kind::Project, name)))
    };
    match address {
        Address::Messages(target) => {
            // What a message asks is known when it has been read.
            let verb = match method {
                "GET" => "mcp/stream",
                "DELETE" => "mcp/end",
                _ => "mcp",
            };
            trail.about(verb, of(target));
            if method == "DELETE" {
                trail.is_about(RowKind::SessionBind);
            }
        }
        Address::Stream(target) => {
            trail.about("mcp/begin", of(target));
            trail.is_about(RowKind::SessionBind);
        }
        Address::Posted(target) => trail.about("mcp", of(target)),
        Address::Sessions(name) => trail.about("sessions", project(name)),
        Address::Traffic(name, id) => {
            trail.about("traffic", project(name));
            trail.in_session(id);
        }
    }
}

/// What a client asks.
pub(super) fn asking(asking: &Asking) {
    let Some(trail) = audit::trail() else { return };
    match asking {
        Asking::Modern(modern) => {
            trail.wants(&modern.request.method);
            if let Some(label) = label(&modern.client) {
                trail.by_client(label);
            }
        }
        Asking::News(news) => trail.wants(&news.method),
        Asking::Legacy(message) => self::message(message),
    }
}

/// What a message of the older era asks.
pub(super) fn message(message: &Message) {
    let Some(trail) = audit::trail() else { return };
    match message {
        Message::Request(request) => {
            trail.wants(&request.method);
            if request.method == "initialize" {
                trail.is_about(RowKind::SessionBind);
            }
        }
        Message::Notification(news) => trail.wants(&news.method),
        Message::Response(_) => trail.wants("response"),
    }
}

/// The session that a request belongs to, or has begun.
pub(super) fn session(session: &Session) {
    let Some(trail) = audit::trail() else { return };
    trail.in_session(session.short());
    if let Some(label) = label(&session.client()) {
        trail.by_client(label);
    }
}

/// What a client calls itself: `name/version`. One that has not said so yet is unknown.
fn label(client: &Client) -> Option<String> {
    let info = Members::of(&client.info)?;
    let is_said = |name: &String| !name.is_empty() && name != "unknown";
    let mut label = info.text("name").filter(is_said)?;
    if let Some(version) = info.text("version") {
        label.push('/');
        label.push_str(&version);
    }
    Some(label)
}
