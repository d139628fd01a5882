//! The reconciler's own door: Instances, and nothing else.

use orch_shared::kind::Kind;
use orch_shared::kinds::instance::Instance;
use orch_shared::name::{Name, ObjectRef};
use orch_shared::resource::{Metadata, Owner, Resource};

use super::admitted::Admitted;
use crate::clock::Ids;
use crate::store::{Create, Mutation, Object};

/// Admits a copy of a Server: named after it, owned by it, with its labels.
#[must_use]
pub fn admit_instance(ids: &dyn Ids, server: &Object, instance: Instance) -> Mutation {
    let name = format!("{}-{}", server.object.name, ids.suffix());
    let name: Name = name.parse().expect("a server's name leaves room for the suffix");
    let metadata = Metadata {
        labels: server.metadata.labels.clone(),
        ..Metadata::named(name.clone())
    };
    let owner = Owner {
        kind: server.object.kind,
        name: server.object.name.clone(),
        uid: server.uid.to_string(),
    };
    Mutation::Create(Box::new(Create {
        object: ObjectRef::cluster(Kind::Instance, name),
        uid: ids.uid(),
        declared: Admitted::new(Resource {
            kind: Kind::Instance,
            metadata,
            spec: Box::new(instance),
        })
        .declared(),
        apply_set: None,
        owner: Some(owner),
        verb: "reconcile".to_owned(),
    }))
}
