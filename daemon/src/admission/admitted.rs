//! The proof that an object went through admission: a type that only this room can make.

use std::collections::BTreeMap;

use orch_shared::kind::{Kind, Reference, downcast};
use orch_shared::kinds::agent::Agent;
use orch_shared::name::{ObjectRef, Scope};
use orch_shared::path::FieldPath;
use orch_shared::resource::Resource;

use crate::store::Declared;

/// An object that may be written. Its fields are private to this room, so nobody else can make one.
#[derive(Debug)]
pub(super) struct Admitted {
    resource: Resource,
}

impl Admitted {
    /// Takes an object whose values are sealed, whose references were found and whose rules hold.
    pub(super) const fn new(resource: Resource) -> Self {
        Self { resource }
    }

    /// The forms in which the store keeps it.
    pub(super) fn declared(&self) -> Declared {
        let Resource { metadata, spec, .. } = &self.resource;
        Declared {
            metadata: serde_json::to_string(metadata).expect("metadata is plain data"),
            spec: spec.to_json(),
            labels: metadata.labels.clone().unwrap_or_else(BTreeMap::new),
            references: references(&self.resource),
        }
    }
}

/// Everything an object names: what its spec does, and the project or agent it lives with.
pub(super) fn references(resource: &Resource) -> Vec<Reference> {
    let mut references = resource.spec.references();
    let home = match resource.metadata.scope() {
        Scope::Cluster => None,
        Scope::Project(name) => Some((Kind::Project, name, "project")),
        Scope::Agent(name) => Some((Kind::Agent, name, "agent")),
    };
    // A Personality is one of the agent's own, and an agent knows not what it is called.
    let agent = downcast::<Agent>(resource.spec.as_ref());
    references.extend(agent.and_then(|agent| agent.default_personality(&resource.metadata.name)));
    references.extend(home.map(|(kind, name, field)| Reference {
        target: ObjectRef::cluster(kind, name),
        key: None,
        path: FieldPath::root().key("metadata").key(field),
    }));
    references
}
