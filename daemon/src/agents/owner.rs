//! Whose a thread is, and who may see it: its owner, as long as they may run its agent, and nobody else.

use std::sync::Arc;

use orch_shared::access::{Principal, Role};
use orch_shared::excerpt;
use orch_shared::kind::Kind;
use orch_shared::kinds::agent::Agent;
use orch_shared::name::{Name, ObjectRef};
use orch_shared::problem::{Code, Problem};

use super::{Agents, Caller};
use crate::audit;
use crate::store::{Object, Snapshot, Thread};

/// So many characters of an id say which thread is meant, where no other one of the same owner begins like that.
const SHORTEST: usize = 6;
/// So many threads are named that begin alike.
const MOST_NAMED: usize = 5;

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
        .suggest("threads are there for their owners alone; see yours: orchctl get threads")
}

/// Several threads of whoever asks begin like that.
fn ambiguous(id: &str, found: &[&Thread]) -> Problem {
    let known: Vec<&str> = found.iter().take(MOST_NAMED).map(|thread| thread.id.as_str()).collect();
    let more = if found.len() > MOST_NAMED { ", and more" } else { "" };
    let detail = format!("several of your threads begin with `{id}`: {}{more}", known.join(", "));
    Problem::new(Code::BadRequest, detail).suggest("say more of the id")
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

    /// Whoever has an agent work, by the rights of this moment: before each thing that is done for them.
    ///
    /// # Errors
    /// When they may not have it work any more.
    pub(super) async fn still(&self, caller: &Caller, known: &Known) -> Result<Caller, Problem> {
        let ended =
            |detail: &str, code| Problem::new(code, format!("the turn has ended with the rights to it: {detail}"));
        let mut caller = caller.clone();
        caller.principal.renew().await.map_err(|problem| match problem.code {
            code @ (Code::Unauthenticated | Code::Forbidden | Code::NotFound) => ended(&problem.detail, code),
            _ => problem,
        })?;
        let snapshot = self.0.store.snapshot();
        // What it does goes by how it was declared when the turn began, also once it is not there any more.
        let is_allowed = match snapshot.by_uid(&known.object.uid) {
            Some(live) => snapshot.decide(&caller.principal, Role::Run, live).is_allowed,
            None => true,
        };
        match is_allowed {
            true => Ok(caller),
            false => {
                let detail = format!(
                    "{} may not speak to agent/{} any more",
                    caller.principal.name,
                    known.name()
                );
                Err(ended(&detail, Code::Forbidden).suggest("that needs the role `run` on it"))
            }
        }
    }

    /// A thread of somebody, and its agent: by its id, or by how that begins where it is the only one.
    pub(super) async fn thread_of(&self, principal: &Principal, id: &str) -> Result<(Thread, Known), Problem> {
        // What is no id is not looked for.
        let is_id = id.len() <= 64 && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
        if !is_id {
            return Err(no_thread(id));
        }
        let store = &self.0.store;
        let snapshot = store.snapshot();
        let owner = Owner::of(principal, &snapshot);
        let own = |thread: Thread| {
            let known = agent_of(snapshot.by_uid(&thread.agent_uid)?)?;
            let may = snapshot.decide(principal, Role::Run, &known.object).is_allowed;
            may.then_some((thread, known))
        };
        let whole = store.thread(id).await?.filter(|thread| thread.owner == owner.key);
        if let Some(found) = whole.and_then(own) {
            return Ok(found);
        }
        if id.len() < SHORTEST {
            return Err(no_thread(id));
        }
        // Only what is one's own is looked at: others' threads make nothing ambiguous. Nor do those with agents that one may not
        // run any more, however many they are.
        let mut begun: Vec<(Thread, Known)> = Vec::new();
        let mut after = None;
        while begun.len() <= MOST_NAMED {
            let more = store.threads_beginning(&owner.key, id, after.as_deref()).await?;
            let Some(last) = more.last() else { break };
            after = Some(last.id.clone());
            begun.extend(more.into_iter().filter_map(own));
        }
        match (begun.pop(), &begun[..]) {
            (None, _) => Err(no_thread(id)),
            (Some(found), []) => Ok(found),
            (Some((last, _)), others) => {
                let found: Vec<&Thread> = others.iter().map(|(thread, _)| thread).chain([&last]).collect();
                Err(ambiguous(id, &found))
            }
        }
    }
}
