//! Whose a thread is, and who may see it: its owner, as long as they may run its agent, and nobody else.

use std::sync::Arc;

use orch_shared::access::{Principal, Role};
use orch_shared::excerpt;
use orch_shared::kind::Kind;
use orch_shared::kinds::agent::Agent;
use orch_shared::name::{Name, ObjectRef};
use orch_shared::problem::{Code, Problem};

use super::Agents;
use crate::audit;
use crate::store::{Object, Snapshot, Thread};

/// Whose a thread is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Owner {
    /// Tells them from everybody else: whoever bears the name later, and whoever asks in their place.
    pub(super) key: String,
    /// The object that stands for them.
    pub(super) uid: Option<String>,
}

impl Owner {
    /// Whose a thread of somebody would be.
    pub(super) fn of(principal: &Principal, snapshot: &Snapshot) -> Self {
        let object = principal.subject.object();
        let uid = object.and_then(|object| Some(snapshot.get(&object)?.uid.to_string()));
        let itself = match &uid {
            Some(uid) => format!("uid/{uid}"),
            None => format!("name/{}", principal.name),
        };
        let key = match &principal.impersonator {
            Some(other) => format!("{itself} by {other}"),
            None => itself,
        };
        Self { key, uid }
    }
}

/// An agent that somebody may run.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) object: Arc<Object>,
}

impl Known {
    pub(super) fn spec(&self) -> &Agent {
        self.object.spec::<Agent>().expect("only agents are known")
    }

    pub(super) fn name(&self) -> &Name {
        &self.object.object.name
    }
}

fn agent_of(object: &Arc<Object>) -> Option<Known> {
    let is_there = object.deleting_since.is_none() && object.spec::<Agent>().is_some();
    is_there.then(|| Known {
        object: Arc::clone(object),
    })
}

/// There is no such thread, for whoever asks.
pub(super) fn no_thread(id: &str) -> Problem {
    let shown = excerpt::short(id);
    Problem::new(Code::NotFound, format!("there is no thread `{shown}`"))
        .suggest("threads are there for their owners alone; yours with an agent: GET /api/v1/agents/NAME/threads")
}

impl Agents {
    /// The agent of that name or uid, for somebody who may run it; what the rules say is noted for the audit log.
    pub(super) fn agent(&self, principal: &Principal, name: &str) -> Result<Known, Problem> {
        let snapshot = self.0.store.snapshot();
        let absent = || {
            let shown = excerpt::short(name);
            Problem::new(Code::NotFound, format!("agent/{shown} does not exist"))
                .suggest("what there is: orchctl get agents")
        };
        let parsed: Option<Name> = name.parse().ok();
        let named = parsed.and_then(|name| snapshot.get(&ObjectRef::cluster(Kind::Agent, name)));
        let found = named.or_else(|| snapshot.by_uid(name)).and_then(agent_of);
        let known = found.ok_or_else(absent)?;
        let decision = snapshot.decide(principal, Role::Run, &known.object);
        audit::decided(principal, &decision, Role::Run);
        if decision.is_allowed {
            return Ok(known);
        }
        if !snapshot.shows(&principal.visibility, &known.object) {
            return Err(absent());
        }
        let detail = format!("{} may see agent/{name}, and not speak to it", principal.name);
        Err(Problem::new(Code::Forbidden, detail).suggest("that needs the role `run` on it"))
    }

    /// A thread of somebody, and its agent.
    pub(super) async fn thread_of(&self, principal: &Principal, id: &str) -> Result<(Thread, Known), Problem> {
        // What is no id is not looked for.
        let is_id = id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        let found = match is_id {
            true => self.0.store.thread(id).await?,
            false => None,
        };
        let snapshot = self.0.store.snapshot();
        let owner = Owner::of(principal, &snapshot);
        let own = found.filter(|thread| thread.owner == owner.key).and_then(|thread| {
            let known = agent_of(snapshot.by_uid(&thread.agent_uid)?)?;
            let may = snapshot.decide(principal, Role::Run, &known.object).is_allowed;
            may.then_some((thread, known))
        });
        own.ok_or_else(|| no_thread(id))
    }
}
