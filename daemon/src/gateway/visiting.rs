//! What an agent has of a project for somebody, during one turn: an entrance inside of the daemon.
//!
//! A visit is a session that nobody else knows and that is not written down: calls go the way that those of clients go, past
//! the same rights, limits and accounts; a server that rests is woken, and an isolated one gives the visit a copy of its own, which
//! ends with it. Its client can answer nothing: what a server asks meanwhile is refused. The gate does not stand before it.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use http::HeaderMap;
use orch_shared::access::{Decision, Principal};
use orch_shared::audit::Target as AuditTarget;
use orch_shared::digest::sha256;
use orch_shared::jsonrpc::{Id, Outcome, Request, raw};
use orch_shared::kind::Kind::Server;
use orch_shared::name::{Name, ObjectRef};
use serde_json::{Map, Value, json};
use tokio::time::timeout;

use super::Gateway;
use super::ledger::note;
use super::methods::{Asked, Reply};
use super::protocol::NEWEST_LEGACY;
use super::pump::{Side, Step};
use super::registry::fresh;
use super::session::{Beginning, Session};
use super::surface::Kind;
use super::view::{Target, View};
use crate::asker::Asker;
use crate::audit::{self, Trail};
use crate::runtime::link::Client;

/// Who visits.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// For whom.
    pub principal: Asker,
    /// Which project.
    pub project: Name,
    /// The agent and the thread, as rows of the audit log name them.
    pub clause: String,
    /// The request of the API that it is part of.
    pub request_id: String,
}

/// A tool that a visit finds.
#[derive(Debug, Clone, PartialEq)]
pub struct Tool {
    /// As a model knows it.
    pub name: String,
    /// The server that it belongs to.
    pub server: Name,
    /// What the server calls it.
    pub tool: String,
    /// What it does.
    pub description: Option<String>,
    /// JSON Schema of its arguments.
    pub schema: Value,
}

/// What has become of a call.
#[derive(Debug, Clone, PartialEq)]
pub enum Called {
    /// The server has answered with this result, which may be an error of the tool.
    Result(Value),
    /// There is no result: why, in a sentence.
    Failed(String),
    /// It took too long; whether it took effect is not known.
    Late,
}

/// A visit. It must be ended; what it holds would otherwise stay.
pub struct Visit {
    gateway: Gateway,
    visitor: Visitor,
    session: Arc<Session>,
    count: AtomicU64,
}

impl Gateway {
    /// Begins a visit; nothing when the project is not there.
    #[must_use]
    pub fn visit(&self, visitor: Visitor) -> Option<Visit> {
        let snapshot = self.0.store.snapshot();
        let target = Target::Project(visitor.project.clone());
        let object = snapshot.get(&target.object())?;
        let now = self.0.store.clock().now().millis();
        let session = Session::begin(Beginning {
            hash: sha256(fresh()),
            principal: visitor.principal.name.to_string(),
            target,
            object: Arc::clone(&object.uid),
            protocol: NEWEST_LEGACY.to_owned(),
            client: Arc::new(Client {
                info: raw(&super::protocol::ourselves()),
                capabilities: raw(&json!({})),
                log_level: None,
            }),
            level: None,
            subscriptions: BTreeSet::new(),
            created_at: now,
            has_begun: true,
            now,
        });
        Some(Visit {
            gateway: self.clone(),
            visitor,
            session,
            count: AtomicU64::new(1),
        })
    }
}

impl Visit {
    fn view(&self, principal: &Principal) -> Option<View> {
        let snapshot = self.gateway.0.store.snapshot();
        View::of_agent(&self.visitor.project, &snapshot, principal)
    }

    /// Whether others may call a tool.
    fn is_barred(&self, server: &Name, tool: &str) -> bool {
        let all = self.view(&Principal::daemon());
        all.is_some_and(|all| {
            let mut members = all.members.iter();
            members.any(|member| member.name == *server && member.offer().admits(tool))
        })
    }

    /// The tools that may be called, in the order of the project, and which servers do not tell theirs, each with the reason.
    pub async fn tools(&self) -> (Vec<Tool>, Vec<String>) {
        let Some(view) = self.view(&self.visitor.principal) else {
            return (Vec::new(), Vec::new());
        };
        let listing = self.gateway.listing(&view, Kind::Tools).await;
        let items: Vec<Value> = serde_json::from_str(&listing.array).unwrap_or_default();
        let tools = items.into_iter().filter_map(|mut item| {
            let name = item["name"].as_str()?.to_owned();
            let route = listing.route(&name)?;
            Some(Tool {
                server: route.server.clone(),
                tool: route.name.clone(),
                description: item["description"].as_str().map(str::to_owned),
                schema: item["inputSchema"].take(),
                name,
            })
        });
        let missing = listing.missing.iter();
        let missing = missing.map(|missing| format!("server/{}: {}", missing.server, missing.reason));
        (tools.collect(), missing.collect())
    }

    /// Calls a tool of a server, both as they call themselves, by the rights that whoever visits has by then. Dropping this
    /// tells the server that nobody waits any more.
    pub async fn call(
        &self,
        principal: &Asker,
        (server, tool): (&Name, &str),
        arguments: &Map<String, Value>,
        patience: Duration,
    ) -> Called {
        let trail = Trail::begin(&self.visitor.request_id, None, "tools/call");
        let object = Target::Project(self.visitor.project.clone()).object();
        trail.about("tools/call", Some(AuditTarget::of(&object)));
        trail.by(principal);
        trail.said(&self.visitor.clause);
        audit::scoped(trail, self.called(principal, (server, tool), arguments, patience)).await
    }

    async fn called(
        &self,
        principal: &Asker,
        (server, tool): (&Name, &str),
        arguments: &Map<String, Value>,
        patience: Duration,
    ) -> Called {
        let Some(view) = self.view(principal) else {
            return Called::Failed("the project is not there any more".to_owned());
        };
        let member = view.members.iter().find(|member| member.name == *server);
        let Some(member) = member.filter(|member| member.offer().admits(tool)).cloned() else {
            if self.is_barred(server, tool) {
                let object = ObjectRef::cluster(Server, server.clone());
                let mut note = note(
                    &self.gateway.0.ledger,
                    principal,
                    "tools/call",
                    &object,
                    Some(tool.to_owned()),
                );
                note.decided(principal, &Decision::denied());
                note.forbidden("may not be used").await;
            }
            return Called::Failed(format!(
                "there is no tool {tool} of server/{server}, or it may not be called"
            ));
        };
        let schema = self.gateway.schema_of(&view, &member, tool).await;
        let id = Id::number(self.count.fetch_add(1, Ordering::Relaxed));
        let params = raw(&json!({"name": tool, "arguments": arguments}));
        let headers = HeaderMap::new();
        let asked = Asked {
            view: &view,
            principal,
            side: Side::Legacy(Arc::clone(&self.session)),
            headers: &headers,
            handle: None,
            named: None,
            request: Request {
                id: id.clone(),
                method: "tools/call".to_owned(),
                params: None,
            },
        };
        let relayed = self
            .gateway
            .relay(asked, &member, Some(params), Some(tool.to_owned()), schema);
        let mut work = match Box::pin(relayed).await {
            Reply::Now(outcome) | Reply::Limited(outcome, _) => return called(&outcome),
            Reply::Listen(_) => return Called::Failed("the server answers with a stream of news".to_owned()),
            Reply::Work(work) => work,
        };
        let last = async {
            loop {
                match work.step().await {
                    Step::Message(_) => {}
                    Step::Last(outcome) => return called(&outcome),
                    Step::Cancelled => return Called::Failed("the call was cancelled".to_owned()),
                }
            }
        };
        match timeout(patience, last).await {
            Ok(called) => called,
            Err(_) => {
                self.session.cancel(&id);
                // Has it noted, and the server told.
                let _ = work.step().await;
                Called::Late
            }
        }
    }

    /// Ends the visit: conversations and copies of its own are given back.
    pub async fn end(self) {
        let left = self.session.end();
        self.gateway.0.registry.clear_away(&self.session, left).await;
    }
}

fn called(outcome: &Outcome) -> Called {
    match outcome {
        Outcome::Result(result) => match serde_json::from_str(result.get()) {
            Ok(result) => Called::Result(result),
            Err(_) => Called::Failed("the result cannot be read".to_owned()),
        },
        Outcome::Error(_) => Called::Failed(match outcome.message() {
            Some(message) => message,
            None => format!("error {}", outcome.code().unwrap_or_default()),
        }),
    }
}
