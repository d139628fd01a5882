//! What can be asked, and who answers it: the gateway itself, or the server behind a name.

use std::time::Duration;

use http::HeaderMap;
use orch_shared::access::Decision;
use orch_shared::jsonrpc::{Members, Outcome, Raw, Request, raw};
use orch_shared::system::Text;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::Gateway;
use super::asking::{self};
use super::delegating;
use super::gate;
use super::ledger::note;
use super::listing::Missing;
use super::news::Listening;
use super::pages;
use super::prompts::own_prompt;
use super::proposing;
use super::protocol::{self, META_MISSING, META_SERVER, code, error, error_with, result};
use super::pump::{Side, Work};
use super::surface::Kind;
use super::view::View;
use crate::asker::Asker;

/// How long a list may be used without asking again, for clients that want to know: milliseconds.
const LIST_TTL: u32 = 10_000;

/// A request, and all that decides about it.
pub(super) struct Asked<'a> {
    pub(super) view: &'a View,
    pub(super) principal: &'a Asker,
    pub(super) side: Side,
    pub(super) headers: &'a HeaderMap,
    /// The handle of a session that a client of the newer era has begun.
    pub(super) handle: Option<String>,
    /// What it names, if that has been read; see [`super::asking::Modern::named`].
    pub(super) named: Option<String>,
    pub(super) request: Request,
}

/// What answers a request.
pub(super) enum Reply {
    /// This.
    Now(Outcome),
    /// What a server says, or an agent, bit by bit.
    Work(Work),
    /// News, until the client has enough.
    Listen(Listening),
    /// A limit is reached.
    Limited(Outcome, Duration),
}

impl Gateway {
    /// Answers a request. What is asked most, calls, decides how large the future is that does so; all else has a place of
    /// its own.
    pub(super) async fn answer(&self, mut asked: Asked<'_>) -> Reply {
        if asked.view.is_gated()
            && let Some(reply) = Box::pin(self.at_gate(&mut asked)).await
        {
            return reply;
        }
        let method = asked.request.method.as_str();
        if let Some(kind) = Kind::of_method(method) {
            return Reply::Now(Box::pin(self.list(&asked, kind)).await);
        }
        let modern = match asked.side {
            Side::Legacy(_) => false,
            Side::Modern(_) => true,
        };
        match method {
            "server/discover" if modern => Reply::Now(Box::pin(self.discover(asked.view)).await),
            "subscriptions/listen" if modern => self.listen(&asked),
            "ping" | "initialize" | "logging/setLevel" | "resources/subscribe" | "resources/unsubscribe" if modern => {
                Reply::Now(unknown_method(method))
            }
            "ping" => Reply::Now(result(&json!({}))),
            "logging/setLevel" => Box::pin(self.set_level(&asked)).await,
            "resources/subscribe" => Box::pin(self.subscribe(asked)).await,
            "resources/unsubscribe" => Reply::Now(Box::pin(self.unsubscribe(&asked)).await),
            "tools/call" => self.call_tool(asked).await,
            "prompts/get" => Box::pin(self.get_prompt(asked)).await,
            "resources/read" => Box::pin(self.read_resource(asked)).await,
            "completion/complete" => Box::pin(self.complete(asked)).await,
            _ => match asked.view.single().cloned() {
                // Nobody knows what it does; who may call some tools may not have it do others' work.
                Some(member) if !member.callable.are_open() && !asking::is_of_protocol(method) => {
                    Reply::Now(unknown_method(method))
                }
                // Whatever it is, the server knows.
                Some(member) => {
                    let params = asked.request.params.clone();
                    self.relay(asked, &member, params, None, None).await
                }
                None => Reply::Now(unknown_method(method)),
            },
        }
    }

    /// What the gateway says of itself in the older era.
    pub(super) async fn greeting(&self, view: &View, version: &str) -> Outcome {
        let (capabilities, instructions) = self.introduction(view).await;
        let mut greeting = Members::default();
        greeting.set("protocolVersion", raw(version));
        greeting.set("capabilities", capabilities);
        greeting.set("serverInfo", raw(&protocol::ourselves()));
        if let Some(instructions) = instructions {
            greeting.set("instructions", raw(&instructions));
        }
        Outcome::Result(greeting.to_raw())
    }

    async fn discover(&self, view: &View) -> Outcome {
        let (capabilities, instructions) = self.introduction(view).await;
        let mut discovered = Members::default();
        discovered.set("resultType", raw("complete"));
        discovered.set("supportedVersions", raw(&asking::supported()));
        discovered.set("capabilities", capabilities);
        if let Some(instructions) = instructions {
            discovered.set("instructions", raw(&instructions));
        }
        discovered.set("ttlMs", raw(&LIST_TTL));
        discovered.set("cacheScope", raw("private"));
        discovered.set("_meta", raw(&json!({META_SERVER: protocol::ourselves()})));
        Outcome::Result(discovered.to_raw())
    }

    /// Capabilities and instructions: of one server, its own; of a project, what the gateway does for all of them.
    async fn introduction(&self, view: &View) -> (Raw, Option<String>) {
        let Some(member) = view.single() else {
            let all = json!({
                "tools": {"listChanged": true},
                "prompts": {"listChanged": true},
                "resources": {"subscribe": true, "listChanged": true},
                "completions": {},
                "logging": {},
            });
            return (raw(&all), self.gate_instructions(view));
        };
        match self.greeting_of(member).await {
            Some(greeting) => (greeting.capabilities, greeting.instructions),
            None => (raw(&json!({"tools": {"listChanged": true}})), None),
        }
    }

    pub(super) async fn list(&self, asked: &Asked<'_>, kind: Kind) -> Outcome {
        if let Some(cursor) = unknown_cursor(&asked.request) {
            let message = format!("there is no page {cursor} of {}; the list has one page", kind.method());
            return error(code::INVALID_PARAMS, format!("Invalid cursor: {message}"));
        }
        if let Some(member) = asked.view.single() {
            // A server that is not asked for such lists says so itself.
            let greeting = self.greeting_of(member).await;
            if greeting.is_some_and(|greeting| !greeting.offers(kind.capability())) {
                return unknown_method(kind.method());
            }
        }
        let listing = self.listing(asked.view, kind).await;
        // The only server there is has no list: that is an error, and no empty list.
        if let (Some(_), Some(missing)) = (asked.view.single(), listing.missing.first())
            && !missing.is_in_part
        {
            return error_with(
                code::INTERNAL,
                format!("server/{}: {}", missing.server, missing.reason),
                &json!({"server": missing.server}),
            );
        }
        let mut items = listing.array.to_string();
        let mut own = own_items(asked.view, kind);
        if kind == Kind::Tools {
            own.extend(self.agents_for(asked.view, asked.principal));
        }
        if kind == Kind::Tools && self.may_propose(asked) {
            own.push(proposing::tool());
        }
        if kind == Kind::Resources {
            own.extend(
                self.proposals_of(asked)
                    .await
                    .iter()
                    .map(|one| proposing::resource(one)),
            );
        }
        for item in own {
            push(&mut items, &item);
        }
        list_result(&asked.side, kind, &items, &listing.missing)
    }

    async fn call_tool(&self, mut asked: Asked<'_>) -> Reply {
        let written = asked.request.params.take();
        let read = asked.named.take();
        let params = || Members::of_params(written.as_deref());
        let Some(name) = read.or_else(|| params().text("name")) else {
            return Reply::Now(error(code::INVALID_PARAMS, "tools/call needs `name`"));
        };
        if name == pages::TOOL && asked.view.page_size().is_some() {
            let wording = self.wording(Text::PageFooter);
            let page = self
                .0
                .pages
                .read(params().get("arguments"), &asked.principal.caller(), &wording);
            let object = &asked.view.object.object;
            let mut note = note(&self.0.ledger, asked.principal, "tools/call", object, Some(name));
            let outcome = own_payload(&asked.side, page);
            note.answered(&outcome);
            return Reply::Now(outcome);
        }
        if delegating::is_agent(&name) && asked.view.single().is_none() {
            asked.request.params = written;
            return Box::pin(self.delegate(&asked, &name)).await;
        }
        if name == proposing::TOOL && asked.view.single().is_none() {
            asked.request.params = written;
            return Box::pin(self.propose(&asked)).await;
        }
        let Some((member, route)) = self.find(asked.view, Kind::Tools, &name).await else {
            let object = &asked.view.object.object;
            let mut note = note(
                &self.0.ledger,
                asked.principal,
                "tools/call",
                object,
                Some(name.clone()),
            );
            if self.is_barred(asked.view, asked.principal, &name) {
                note.decided(asked.principal, &Decision::denied());
            }
            note.forbidden("unknown tool").await;
            return Reply::Now(error(code::INVALID_PARAMS, format!("Unknown tool: {name}")));
        };
        if let (Side::Modern(_), Some(schema)) = (&asked.side, &route.schema)
            && let Some(wrong) = asking::repeated_arguments(asked.headers, schema, written.as_deref())
        {
            return Reply::Now(error(code::HEADER_MISMATCH, wrong));
        }
        let params = match name == route.name {
            true => written,
            false => Some(renamed(params(), &route.name)),
        };
        let member = member.clone();
        self.relay(asked, &member, params, Some(route.name), route.schema).await
    }

    async fn complete(&self, mut asked: Asked<'_>) -> Reply {
        let written = asked.request.params.take();
        let mut params = Members::of_params(written.as_deref());
        let reference = params.members("ref").unwrap_or_default();
        let nothing = json!({"completion": {"values": [], "hasMore": false}});
        let found = match (reference.text("type").as_deref(), asked.view.single()) {
            (_, Some(member)) => Some((member.clone(), reference)),
            (Some("ref/prompt"), None) => {
                let name = reference.text("name").unwrap_or_default();
                if own_prompt(asked.view, &name).is_some() {
                    return Reply::Now(own_result(&asked.side, nothing));
                }
                let found = self.find(asked.view, Kind::Prompts, &name).await;
                found.map(|(member, route)| {
                    let mut reference = reference;
                    reference.set("name", raw(&route.name));
                    (member.clone(), reference)
                })
            }
            (Some("ref/resource"), None) => {
                let uri = reference.text("uri").unwrap_or_default();
                let route = match self.find_template(asked.view, &uri).await {
                    Some(route) => Some(route),
                    None => self
                        .find(asked.view, Kind::Resources, &uri)
                        .await
                        .map(|(_, route)| route),
                };
                let member = route.and_then(|route| {
                    let mut members = asked.view.members.iter();
                    members.find(|member| member.name == route.server).cloned()
                });
                member.map(|member| (member, reference))
            }
            (Some(_) | None, None) => None,
        };
        let Some((member, reference)) = found else {
            return Reply::Now(error(code::INVALID_PARAMS, "`ref` names nothing that is offered here"));
        };
        params.set("ref", reference.to_raw());
        self.relay(asked, &member, Some(params.to_raw()), None, None).await
    }
}

/// The cursor of a request for a list, which none of ours has: they are handed out whole. Who has none may say so.
fn unknown_cursor(request: &Request) -> Option<String> {
    let params = Members::of_params(request.params.as_deref());
    let cursor = params.get("cursor")?.get();
    (!matches!(cursor, "null" | "\"\"")).then(|| cursor.chars().take(100).collect())
}

/// What the gateway itself brings into a list of a project.
fn own_items(view: &View, kind: Kind) -> Vec<Value> {
    let mut own = Vec::new();
    match kind {
        Kind::Tools => {
            own.extend(view.is_gated().then(gate::tool));
            own.extend(view.page_size().map(|_| pages::tool()));
        }
        Kind::Prompts | Kind::Resources | Kind::Templates => {}
    }
    own
}

/// Adds an item to the text of a list.
fn push(array: &mut String, item: &Value) {
    array.pop();
    if array.len() > 1 {
        array.push(',');
    }
    array.push_str(&item.to_string());
    array.push(']');
}

/// A list, in the era of who asked, with the servers whose part is missing.
pub(super) fn list_result(side: &Side, kind: Kind, items: &str, missing: &[Missing]) -> Outcome {
    let mut meta = serde_json::Map::new();
    if !missing.is_empty() {
        meta.insert(META_MISSING.to_owned(), json!(missing));
    }
    let mut text = String::with_capacity(items.len() + 200);
    text.push_str("{\"");
    text.push_str(kind.member());
    text.push_str("\":");
    text.push_str(items);
    match side {
        Side::Legacy(_) => {}
        Side::Modern(_) => {
            let ttl = if missing.is_empty() { LIST_TTL } else { 0 };
            text.push_str(&format!(
                ",\"resultType\":\"complete\",\"ttlMs\":{ttl},\"cacheScope\":\"private\""
            ));
            meta.insert(META_SERVER.to_owned(), protocol::ourselves());
        }
    }
    if !meta.is_empty() {
        text.push_str(",\"_meta\":");
        text.push_str(&Value::Object(meta).to_string());
    }
    text.push('}');
    Outcome::Result(RawValue::from_string(text).expect("made of JSON"))
}

/// A result of the gateway's own, in the era of who asked.
pub(super) fn own_result(side: &Side, told: Value) -> Outcome {
    own_payload(side, raw(&told))
}

/// The same of a payload.
fn own_payload(side: &Side, told: Raw) -> Outcome {
    match side {
        Side::Legacy(_) => Outcome::Result(told),
        Side::Modern(_) => Outcome::Result(super::pump::for_modern(&told, None)),
    }
}

pub(super) fn no_resource(side: &Side, uri: &str) -> Outcome {
    let number = match side {
        Side::Legacy(_) => code::NO_RESOURCE,
        Side::Modern(_) => code::INVALID_PARAMS,
    };
    error_with(number, format!("Resource not found: {uri}"), &json!({"uri": uri}))
}

pub(super) fn unknown_method(method: &str) -> Outcome {
    error(code::METHOD_NOT_FOUND, format!("Method not found: {method}"))
}

/// Parameters with the name that the server knows.
pub(super) fn renamed(mut params: Members<'_>, name: &str) -> Raw {
    params.set("name", raw(name));
    params.to_raw()
}
