//! The administrator that the first start makes: a User, and a binding of every role on everything.
//!
//! Both are ordinary objects that anybody with the rights may change. One that nobody has changed follows the daemon's
//! version; to one that somebody has, operations are added that the version before did not know, as long as it still is the
//! administrator's alone. Which those are an annotation says that nobody but the daemon writes.

use orch_shared::access::{Operation, Role, SubjectKind};
use orch_shared::kind::{AnySpec, Kind};
use orch_shared::kinds::role_binding::{self, Grant, RoleBinding};
use orch_shared::kinds::user::User;
use orch_shared::name::{Name, ObjectRef};
use orch_shared::resource::{Metadata, Resource};
use orch_shared::seeded;

use crate::admission::{self, Admission};
use crate::auth::ADMIN;

/// The objects that make an administrator.
#[must_use]
pub(super) fn objects() -> Vec<Resource> {
    let name: Name = ADMIN.parse().expect("a name");
    let user = User {
        display_name: Some("Administrator".to_owned()),
        ..User::default()
    };
    let binding = RoleBinding {
        description: Some("Everything, for the administrator".to_owned()),
        subjects: Some(vec![administrator(name.clone())]),
        grants: Some(vec![Grant {
            roles: Role::ALL.to_vec(),
            resources: vec!["*".to_owned()],
            ..Grant::default()
        }]),
        operations: Some(Operation::ALL.to_vec()),
    };
    let object = |kind, spec: Box<dyn AnySpec>| {
        let metadata = Metadata::named(name.clone());
        let mut resource = Resource { kind, metadata, spec };
        seeded::mark(&mut resource);
        resource
    };
    let mut binding = object(Kind::RoleBinding, Box::new(binding));
    note_known(&mut binding);
    seeded::mark(&mut binding);
    vec![object(Kind::User, Box::new(user)), binding]
}

/// Whom the binding is made for.
const fn administrator(name: Name) -> role_binding::Subject {
    role_binding::Subject {
        kind: SubjectKind::User,
        name,
        project: None,
    }
}

fn note_known(binding: &mut Resource) {
    let known = Operation::ALL.map(Operation::as_str).join(",");
    let annotations = binding.metadata.annotations.get_or_insert_default();
    annotations.insert(admission::OPERATIONS_KNOWN.to_owned(), known);
}

/// Brings the administrator along, and what a later version has added.
///
/// # Errors
/// When the store fails.
pub(super) async fn bring_admin(admission: &Admission) -> Result<(), admission::Error> {
    admission::seed(admission, objects()).await?;
    let Some(binding) = grown(admission) else {
        return Ok(());
    };
    tracing::info!("the administrator's binding got the operations that this version has added");
    admission::amend(admission, binding).await
}

/// Makes sure that the administrator is there and may do everything, whatever has become of it.
///
/// # Errors
/// When the store fails.
pub(super) async fn restore_admin(admission: &Admission) -> Result<(), admission::Error> {
    for wanted in objects() {
        let object = wanted.reference();
        let snapshot = admission.store.snapshot();
        let is_fine = snapshot
            .get(&object)
            .is_some_and(|live| seeded::is_untouched(object.kind, &live.metadata, &live.spec.to_value()));
        if !is_fine {
            admission::amend(admission, wanted).await?;
        }
    }
    Ok(())
}

/// The administrator's binding with the operations that it has never known, where it lacks any.
fn grown(admission: &Admission) -> Option<Resource> {
    let snapshot = admission.store.snapshot();
    let name: Name = ADMIN.parse().expect("a name");
    let object = snapshot.get(&ObjectRef::cluster(Kind::RoleBinding, name.clone()))?;
    let mut binding = object.spec::<RoleBinding>()?.clone();
    // Without the note somebody else has made the binding, and looks after it.
    let known = object.metadata.annotations.as_ref()?.get(admission::OPERATIONS_KNOWN)?;
    let known: Vec<&str> = known.split(',').collect();
    let is_everything = |grant: &Grant| {
        let narrows = grant.names.is_some() || grant.selector.is_some() || grant.project.is_some();
        !narrows
            && grant.resources.iter().any(|resource| resource == "*")
            && Role::ALL.iter().all(|role| grant.roles.contains(role))
    };
    let is_for_all = binding.grants.iter().flatten().any(is_everything);
    let is_for_admin = binding.subjects.as_deref() == Some(&[administrator(name)]);
    let granted = binding.operations.get_or_insert_default();
    let is_new = |operation: &Operation| !known.contains(&operation.as_str()) && !granted.contains(operation);
    let new: Vec<Operation> = Operation::ALL.into_iter().filter(is_new).collect();
    if new.is_empty() {
        return None;
    }
    if !is_for_all || !is_for_admin {
        tracing::warn!(
            "rolebinding/{ADMIN} is not the administrator's alone any more, or not of everything, and does not get the \
             operations that this version has added; whoever is to have them is to be granted them"
        );
        return None;
    }
    granted.extend(new);
    let mut resource = Resource {
        kind: Kind::RoleBinding,
        metadata: object.metadata.clone(),
        spec: Box::new(binding),
    };
    note_known(&mut resource);
    Some(resource)
}
