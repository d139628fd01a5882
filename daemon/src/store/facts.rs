//! What a decision about an object depends on, as a snapshot and as a transaction know it.

use std::collections::BTreeMap;

use orch_shared::access::{Belongs, Decision, Facts, Principal, Reach, Rights, Role, Subject, Visibility};
use orch_shared::kind::{Kind, downcast};
use orch_shared::kinds::agent::Agent;
use orch_shared::kinds::project::Project;
use orch_shared::name::{Name, ObjectRef, Scope};
use orch_shared::resource::{Metadata, Owner, Resource, Timestamp};

use super::sql::{Builder, Record};
use super::{Error, Object, Row, Snapshot, Transaction};

type Labels = BTreeMap<String, String>;

static UNLABELLED: Labels = Labels::new();

fn labels_of(metadata: &Metadata) -> &Labels {
    metadata.labels.as_ref().unwrap_or(&UNLABELLED)
}

impl Snapshot {
    /// Asks something about an object that is there.
    pub fn facts_of<T>(&self, object: &Object, ask: impl FnOnce(&Facts<'_>) -> T) -> T {
        self.facts(&object.object, labels_of(&object.metadata), object.owner.as_ref(), ask)
    }

    /// Whether somebody may do that with an object that is there; also what they may do with all objects.
    #[must_use]
    pub fn decide(&self, principal: &Principal, role: Role, object: &Object) -> Decision {
        let everywhere = principal.rights.everywhere(role);
        match everywhere.is_allowed {
            true => everywhere,
            false => self.facts_of(object, |facts| principal.may(role, facts)),
        }
    }

    /// Whether somebody may call that tool of a server that is there.
    #[must_use]
    pub fn decide_call(&self, principal: &Principal, server: &Object, tool: &str) -> Decision {
        let everywhere = principal.rights.everywhere(Role::Run);
        match everywhere.is_allowed {
            true => everywhere,
            false => self.facts_of(server, |facts| principal.may_call(facts, tool)),
        }
    }

    /// Whether an object that is there is among what may be seen.
    #[must_use]
    pub fn shows(&self, visibility: &Visibility, object: &Object) -> bool {
        *visibility == Visibility::Everything || self.facts_of(object, |facts| visibility.covers(facts))
    }

    /// Whether whoever goes by a name now is the one who went by it then: one who was made later is somebody else.
    #[must_use]
    pub fn was_there(&self, subject: &Subject, then: Timestamp) -> bool {
        match subject.object() {
            Some(object) => self.get(&object).is_some_and(|object| object.created_at <= then),
            None => true,
        }
    }

    /// Asks something about an object that was there, or is as it is told here.
    pub fn facts<T>(
        &self,
        object: &ObjectRef,
        labels: &Labels,
        owner: Option<&Owner>,
        ask: impl FnOnce(&Facts<'_>) -> T,
    ) -> T {
        let listed_in = |project: &Name| self.is_listed(object, project);
        let facts = Facts::new(object, labels, &listed_in);
        let Some(owner) = owner else {
            return ask(&facts);
        };
        let Some(owner) = self.by_uid(&owner.uid) else {
            return ask(&Facts {
                owner: Belongs::ToGone,
                ..facts
            });
        };
        let owner_listed_in = |project: &Name| self.is_listed(&owner.object, project);
        let of_owner = Facts::new(&owner.object, labels_of(&owner.metadata), &owner_listed_in);
        ask(&Facts {
            owner: Belongs::To(&of_owner),
            ..facts
        })
    }

    /// Whether a project lists that object, or is named by it.
    fn is_listed(&self, object: &ObjectRef, project: &Name) -> bool {
        let names_it = |agent: &Name| {
            let agent = self.get(&ObjectRef::cluster(Kind::Agent, agent.clone()));
            let agent = agent.and_then(|agent| agent.spec::<Agent>());
            agent.is_some_and(|agent| agent.project.as_ref() == Some(project))
        };
        match (&object.scope, object.kind) {
            (Scope::Agent(agent), _) => names_it(agent),
            (Scope::Cluster, Kind::Agent) => names_it(&object.name),
            (Scope::Cluster, Kind::Server) => {
                let project = self.get(&ObjectRef::cluster(Kind::Project, project.clone()));
                let servers = project.and_then(|project| project.spec::<Project>()?.servers.as_deref());
                servers.is_some_and(|servers| servers.contains(&object.name))
            }
            (Scope::Cluster | Scope::Project(_), _) => false,
        }
    }
}

/// What a decision about an object in a transaction depends on.
#[derive(Debug, Clone)]
pub struct Known {
    object: ObjectRef,
    labels: Labels,
    projects: Vec<Name>,
    owner: Ownership,
}

/// What an object in a transaction belongs to.
#[derive(Debug, Clone)]
enum Ownership {
    None,
    Of(Box<Known>),
    Gone,
}

impl Known {
    /// An object that is to be made, and that nothing names yet.
    #[must_use]
    pub fn of_new(object: &ObjectRef, metadata: &Metadata) -> Self {
        Self {
            object: object.clone(),
            labels: labels_of(metadata).clone(),
            projects: Vec::new(),
            owner: Ownership::None,
        }
    }

    /// The same object as it is declared there: with those labels and, if it is an agent, in that project.
    #[must_use]
    pub fn declared(mut self, resource: &Resource) -> Self {
        self.labels = labels_of(&resource.metadata).clone();
        match downcast::<Agent>(resource.spec.as_ref()) {
            Some(agent) => self.in_project(agent.project.as_ref()),
            None => self,
        }
    }

    /// The same object, in that project and no other; of what lives with an agent it is the project of that.
    #[must_use]
    pub fn in_project(mut self, project: Option<&Name>) -> Self {
        self.projects = project.cloned().into_iter().collect();
        self
    }

    /// The same object, listed by that project as well.
    #[must_use]
    pub fn also_in(mut self, project: &Name) -> Self {
        self.projects.push(project.clone());
        self
    }

    /// What belongs to it, under that name.
    #[must_use]
    pub fn owning(self, object: &ObjectRef) -> Self {
        Self {
            object: object.clone(),
            labels: Labels::new(),
            projects: Vec::new(),
            owner: Ownership::Of(Box::new(self)),
        }
    }

    /// Asks something about it.
    pub fn ask<T>(&self, ask: impl FnOnce(&Facts<'_>) -> T) -> T {
        let listed_in = |project: &Name| self.projects.contains(project);
        let facts = Facts::new(&self.object, &self.labels, &listed_in);
        let owner = match &self.owner {
            Ownership::None => return ask(&facts),
            Ownership::Gone => {
                return ask(&Facts {
                    owner: Belongs::ToGone,
                    ..facts
                });
            }
            Ownership::Of(owner) => owner,
        };
        let owner_listed_in = |project: &Name| owner.projects.contains(project);
        let of_owner = Facts::new(&owner.object, &owner.labels, &owner_listed_in);
        ask(&Facts {
            owner: Belongs::To(&of_owner),
            ..facts
        })
    }
}

impl Transaction {
    /// What decisions about an object depend on, as far as those rights look at it.
    ///
    /// # Errors
    /// When the database fails, or the object cannot be read.
    pub async fn known(&mut self, row: &Row, rights: &Rights) -> Result<Known, Error> {
        let mut known = self.known_itself(row, rights).await?;
        if let Some(owner) = &row.owner {
            known.owner = match self.load_uid(&owner.uid).await? {
                Some(owner) => Ownership::Of(Box::new(self.known_itself(&owner, rights).await?)),
                None => Ownership::Gone,
            };
        }
        Ok(known)
    }

    /// What decisions about an object that is to be made depend on.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn known_new(&mut self, resource: &Resource) -> Result<Known, Error> {
        let object = resource.reference();
        let mut known = Known::of_new(&object, &resource.metadata).declared(resource);
        if let Scope::Agent(_) = &object.scope {
            known.projects = self.projects_of(&object).await?;
        }
        Ok(known)
    }

    async fn known_itself(&mut self, row: &Row, rights: &Rights) -> Result<Known, Error> {
        let unreadable = |error| Error::broken(format!("the stored {} cannot be read: {error}", row.object));
        let metadata: Metadata = serde_json::from_str(&row.metadata).map_err(unreadable)?;
        let grants = rights.layers().iter().flat_map(|layer| &layer.on_objects);
        let asks_for_projects = grants.into_iter().any(|grant| {
            let Reach { project, .. } = &grant.reach;
            project.is_some()
        });
        let projects = match asks_for_projects {
            true => self.projects_of(&row.object).await?,
            false => Vec::new(),
        };
        let known = Known::of_new(&row.object, &metadata);
        Ok(Known { projects, ..known })
    }

    /// The projects that list an object, or that it names.
    async fn projects_of(&mut self, object: &ObjectRef) -> Result<Vec<Name>, Error> {
        let named_by_agent = |agent: &Name| {
            let mut builder = Builder::default();
            builder.push(
                "SELECT f.target_name FROM reference f JOIN resource a ON a.uid = f.uid \
                 WHERE f.target_kind = 'Project' AND a.kind = 'Agent' AND a.name = ",
            );
            builder.place(agent.as_str().to_owned());
            builder.finish()
        };
        let statement = match (&object.scope, object.kind) {
            (Scope::Agent(agent), _) => named_by_agent(agent),
            (Scope::Cluster, Kind::Agent) => named_by_agent(&object.name),
            (Scope::Cluster, Kind::Server) => {
                let mut builder = Builder::default();
                builder.push(
                    "SELECT p.name FROM reference f JOIN resource p ON p.uid = f.uid \
                     WHERE f.target_kind = 'Server' AND p.kind = 'Project' AND f.target_name = ",
                );
                builder.place(object.name.as_str().to_owned());
                builder.finish()
            }
            (Scope::Cluster | Scope::Project(_), _) => return Ok(Vec::new()),
        };
        self.all(vec![statement], |record: Record<'_>| record.parsed(0)).await
    }
}
