//! What is seen of agents: whether what they and their personalities name is there, and the tools of their projects.

use orch_shared::kind::Kind;
use orch_shared::kinds::agent::{Agent, AgentTools};
use orch_shared::kinds::instance::Instance;
use orch_shared::kinds::personality::Personality;
use orch_shared::kinds::project::Project;
use orch_shared::kinds::server::Server;
use orch_shared::name::{Name, ObjectRef, Scope};
use orch_shared::tools::Filter;

use super::observe;
use super::plan::Broken;
use crate::runtime::Runtime;
use crate::runtime::observation::State;
use crate::store::{Object, Snapshot};

/// What an agent names and is not there.
pub(super) fn broken(object: &Object, spec: &Agent, snapshot: &Snapshot) -> Vec<Broken> {
    let mut references = object.spec.references();
    references.extend(spec.default_personality(&object.object.name));
    observe::broken(&references, snapshot)
}

/// Prompts of a personality that are in none of the places where they may be.
pub(super) fn without_prompts(object: &Object, snapshot: &Snapshot) -> Vec<Broken> {
    let (Some(spec), Scope::Agent(agent)) = (object.spec::<Personality>(), &object.object.scope) else {
        return Vec::new();
    };
    let declared = snapshot.get(&ObjectRef::cluster(Kind::Agent, agent.clone()));
    let project = declared.and_then(|agent| agent.spec::<Agent>()?.project.as_ref());
    let is_there = |place: &ObjectRef| {
        let found = snapshot.get(place);
        found.is_some_and(|prompt| prompt.deleting_since.is_none())
    };
    let chosen = spec.prompts.iter().flatten();
    let missing = chosen.filter(|prompt| !prompt.places(agent, project).iter().any(is_there));
    missing
        .map(|prompt| Broken(format!("prompt `{}` is gone", prompt.name)))
        .collect()
}

/// The tools that there are for an agent, as far as the servers of its project run; nothing when it has no project.
pub(super) fn tools(spec: &Agent, snapshot: &Snapshot, runtime: &Runtime) -> Option<AgentTools> {
    let project = ObjectRef::cluster(Kind::Project, spec.project.clone()?);
    let project = snapshot.get(&project)?.spec::<Project>()?;
    let mut tools = AgentTools::default();
    for server in project.servers.iter().flatten() {
        match tools_of(spec, server, snapshot, runtime) {
            Some(count) => {
                tools.count = tools.count.saturating_add(u32::try_from(count).unwrap_or(u32::MAX));
                tools.servers.push(server.clone());
            }
            None => tools.unknown.push(server.clone()),
        }
    }
    Some(tools)
}

/// How many tools of a server an agent may call; nothing when the server does not tell at the moment.
fn tools_of(spec: &Agent, server: &Name, snapshot: &Snapshot, runtime: &Runtime) -> Option<usize> {
    let object = snapshot.get(&ObjectRef::cluster(Kind::Server, server.clone()))?;
    let mut copies = snapshot.owned_by(&object.uid).iter();
    let copy = copies.find_map(|copy| {
        let instance = copy.spec::<Instance>()?;
        match runtime.observe(&copy.uid)?.state {
            State::Running(answer) => Some((instance, answer.tools?)),
            State::Installing | State::Starting | State::Stopping | State::Exited(_) | State::Failed(_) => None,
        }
    });
    let Some((instance, offered)) = copy else {
        // One that rests has told before; which tools those are is not known here.
        let known = object.status::<Server>()?.tools.as_ref()?.count;
        let is_all = spec.tools.as_ref().is_none_or(|tools| tools.allow.is_none());
        return is_all.then_some(known as usize);
    };
    let declared = instance.run.tools.as_ref().map(|tools| {
        Filter::parse(tools.allow.as_deref(), tools.deny.as_deref()).unwrap_or_else(|_| Filter::nothing())
    });
    let (count, _) = offered.offered(|tool| {
        declared.as_ref().is_none_or(|declared| declared.admits(tool)) && spec.allows_tool(server.as_str(), tool)
    });
    Some(count)
}

/// What an agent or a personality depends on beside what its spec names: its default personality, and the prompts of it where
/// they may be without a project.
pub(super) fn followed(object: &Object) -> Vec<ObjectRef> {
    if let Some(agent) = object.spec::<Agent>() {
        let personality = agent.default_personality(&object.object.name);
        return personality.into_iter().map(|reference| reference.target).collect();
    }
    let (Some(spec), Scope::Agent(agent)) = (object.spec::<Personality>(), &object.object.scope) else {
        return Vec::new();
    };
    let chosen = spec.prompts.iter().flatten();
    chosen.flat_map(|prompt| prompt.places(agent, None)).collect()
}
