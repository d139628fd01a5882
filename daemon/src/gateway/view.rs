//! What stands behind an address of the gateway: one server, or the servers and prompts of a project.
//!
//! A view is read from the store's snapshot with each request, so that nobody works with what was declared before. What
//! somebody may not see is not there.

use std::sync::Arc;

use orch_shared::access::{Decision, Principal, Role, ToolBounds};
use orch_shared::kind::Kind;
use orch_shared::kinds::project::Project;
use orch_shared::kinds::prompt::Prompt;
use orch_shared::kinds::server::{Server, Sessions, Tools};
use orch_shared::name::{Name, ObjectRef, Scope};
use orch_shared::tools::Filter;

use super::delegating;
use crate::store::{Object, Snapshot};

/// An address of the gateway.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) enum Target {
    /// One server, its names as they are.
    Server(Name),
    /// All servers of a project, their names prefixed.
    Project(Name),
}

impl Target {
    /// The object that the address names.
    pub(super) fn object(&self) -> ObjectRef {
        match self {
            Self::Server(name) => ObjectRef::cluster(Kind::Server, name.clone()),
            Self::Project(name) => ObjectRef::cluster(Kind::Project, name.clone()),
        }
    }

    /// The address as text: `server/files`, `project/web`.
    pub(super) fn text(&self) -> String {
        match self {
            Self::Server(name) => format!("server/{name}"),
            Self::Project(name) => format!("project/{name}"),
        }
    }

    /// Reads [`Self::text`] back.
    pub(super) fn parse(text: &str) -> Option<Self> {
        match text.split_once('/')? {
            ("server", name) => Some(Self::Server(name.parse().ok()?)),
            ("project", name) => Some(Self::Project(name.parse().ok()?)),
            _ => None,
        }
    }
}

/// What stands behind an address, now.
#[derive(Debug, Clone)]
pub(super) struct View {
    pub(super) target: Target,
    /// The object that the address names.
    pub(super) object: Arc<Object>,
    /// The servers, in the order of the project.
    pub(super) members: Vec<Member>,
    /// The prompts, those of higher rank first.
    pub(super) prompts: Vec<Arc<Object>>,
}

/// A server as part of a view.
#[derive(Debug, Clone)]
pub(super) struct Member {
    pub(super) name: Name,
    pub(super) object: Arc<Object>,
    /// Which of its tools whoever asks may call.
    pub(super) callable: ToolBounds,
}

/// Which tools of a server somebody sees and may call.
pub(super) struct Offer<'m> {
    declared: Filter,
    callable: &'m ToolBounds,
}

impl Offer<'_> {
    /// Whether the tool that its server calls so is among them.
    pub(super) fn admits(&self, tool: &str) -> bool {
        self.declared.admits(tool) && self.callable.admit(tool)
    }
}

impl Member {
    /// A server as whoever may do everything has it.
    pub(super) fn of_everybody(name: Name, object: Arc<Object>) -> Self {
        let callable = ToolBounds::default();
        Self { name, object, callable }
    }

    /// What is declared of it, its template resolved.
    pub(super) fn server(&self) -> Option<&Server> {
        declared(&self.object)
    }

    /// Which tools are offered.
    pub(super) fn tools(&self) -> Option<&Tools> {
        self.server()?.tools.as_ref()
    }

    /// What stands before its names. What agents are called as tools is theirs alone: a server of that prefix has another.
    pub(super) fn prefix(&self) -> &Name {
        let own = self.tools().and_then(|tools| tools.prefix.as_ref());
        let prefix = own.unwrap_or(&self.name);
        match prefix.as_str() == delegating::PREFIX {
            true => delegating::instead(),
            false => prefix,
        }
    }

    /// Which tools are offered to whoever asks. Patterns that cannot be read offer nothing.
    pub(super) fn offer(&self) -> Offer<'_> {
        let declared = self.tools().map_or_else(Filter::default, |tools| {
            Filter::parse(tools.allow.as_deref(), tools.deny.as_deref()).unwrap_or_else(|_| Filter::nothing())
        });
        Offer {
            declared,
            callable: &self.callable,
        }
    }

    /// Whether each session has a copy of its own.
    pub(super) fn is_isolated(&self) -> bool {
        self.server().and_then(|server| server.sessions) == Some(Sessions::Isolated)
    }
}

/// What is declared of a server, its template resolved.
pub(super) fn declared(object: &Object) -> Option<&Server> {
    let written = object.spec::<Server>()?;
    if written.template.is_none() {
        return Some(written);
    }
    let status = object.status::<Server>()?;
    status.template.as_ref().map(|template| &*template.server)
}

/// What it takes to find an object behind an address: to see a server is not to use it.
pub(super) fn role_for(kind: Kind) -> Role {
    if kind == Kind::Server { Role::Run } else { Role::View }
}

/// An object behind an address, and what the rules say of using it.
pub(super) fn decided<'s>(
    object: &ObjectRef,
    snapshot: &'s Snapshot,
    principal: &Principal,
) -> Option<(Decision, Role, &'s Arc<Object>)> {
    let found = snapshot.get(object)?;
    let role = role_for(object.kind);
    Some((snapshot.decide(principal, role, found), role, found))
}

/// An object that may be used, unless it is about to go.
pub(super) fn usable(decision: &Decision, found: &Arc<Object>) -> Option<Arc<Object>> {
    (decision.is_allowed && found.deleting_since.is_none()).then(|| Arc::clone(found))
}

/// An object behind an address, for whoever may use it.
fn used_by(object: &ObjectRef, snapshot: &Snapshot, principal: &Principal) -> Option<Arc<Object>> {
    let (decision, _, found) = decided(object, snapshot, principal)?;
    usable(&decision, found)
}

impl View {
    /// What stands behind that address for somebody; nothing when it is not there, or they may not see it.
    pub(super) fn of(target: &Target, snapshot: &Snapshot, principal: &Principal) -> Option<Self> {
        let object = used_by(&target.object(), snapshot, principal)?;
        Self::behind(target, object, snapshot, principal)
    }

    /// What an agent of a project has there for somebody: the agent brings the project along, and what it calls is what they
    /// may call.
    pub(super) fn of_agent(project: &Name, snapshot: &Snapshot, principal: &Principal) -> Option<Self> {
        let target = Target::Project(project.clone());
        let object = snapshot.get(&target.object())?;
        let is_there = object.deleting_since.is_none();
        is_there.then(|| Self::behind(&target, Arc::clone(object), snapshot, principal))?
    }

    /// What stands behind an address whose object may be used.
    pub(super) fn behind(
        target: &Target,
        object: Arc<Object>,
        snapshot: &Snapshot,
        principal: &Principal,
    ) -> Option<Self> {
        let member = |name: Name, object: Arc<Object>| {
            let callable = match principal.rights.is_everywhere(Role::Run) {
                true => ToolBounds::default(),
                false => snapshot.facts_of(&object, |facts| principal.rights.tools(facts)),
            };
            Member { name, object, callable }
        };
        let (members, prompts) = match target {
            Target::Server(name) => (vec![member(name.clone(), Arc::clone(&object))], vec![]),
            Target::Project(name) => {
                let servers = object.spec::<Project>()?.servers.clone().unwrap_or_default();
                let scope = Scope::Project(name.clone());
                let of_project = |prompt: &&Arc<Object>| {
                    (prompt.object.scope == scope || prompt.object.scope == Scope::Cluster)
                        && prompt.deleting_since.is_none()
                        && snapshot.shows(&principal.visibility, prompt)
                };
                let mut prompts: Vec<_> = snapshot.of_kind(Kind::Prompt).filter(of_project).cloned().collect();
                prompts.sort_by_key(|prompt| {
                    let rank = prompt.spec::<Prompt>().map_or(0, Prompt::rank);
                    (
                        std::cmp::Reverse(rank),
                        prompt.object.name.clone(),
                        prompt.object.scope.clone(),
                    )
                });
                // A prompt of the project stands before one for everybody that has the same name.
                let mut seen = std::collections::HashSet::new();
                let mut own_first: Vec<_> = prompts.iter().filter(|prompt| prompt.object.scope == scope).collect();
                own_first.extend(prompts.iter().filter(|prompt| prompt.object.scope != scope));
                let kept: Vec<ObjectRef> = own_first
                    .into_iter()
                    .filter(|prompt| seen.insert(prompt.object.name.clone()))
                    .map(|prompt| prompt.object.clone())
                    .collect();
                prompts.retain(|prompt| kept.contains(&prompt.object));
                let members = servers.into_iter().filter_map(|name| {
                    let server = ObjectRef::cluster(Kind::Server, name.clone());
                    Some(member(name, used_by(&server, snapshot, principal)?))
                });
                (members.collect(), prompts)
            }
        };
        Some(Self {
            target: target.clone(),
            object,
            members,
            prompts,
        })
    }

    /// The server, when the address names one.
    pub(super) fn single(&self) -> Option<&Member> {
        match self.target {
            Target::Server(_) => self.members.first(),
            Target::Project(_) => None,
        }
    }

    /// The project, where the address is that of one.
    pub(super) const fn project(&self) -> Option<&Name> {
        match &self.target {
            Target::Project(name) => Some(name),
            Target::Server(_) => None,
        }
    }

    /// The size in which a project hands out long results, in bytes; nothing where they are handed out whole.
    pub(super) fn page_size(&self) -> Option<usize> {
        let size = self.object.spec::<Project>()?.page_size()?;
        usize::try_from(size).ok()
    }

    /// Whether nothing of it is shown before a session has said what it is about.
    pub(super) fn is_gated(&self) -> bool {
        self.object
            .spec::<Project>()
            .is_some_and(|project| project.gated == Some(true))
    }

    /// What the project wants every client to know.
    pub(super) fn instructions(&self) -> Option<&str> {
        self.object.spec::<Project>()?.instructions.as_deref()
    }
}
