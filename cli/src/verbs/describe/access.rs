//! What somebody may do, gathered from what is declared: the bindings that name them, and those that name their groups.
//!
//! Who is somebody, and what grants rights, is told by the types of the specs. What whoever asks may not see is not there.

use std::collections::BTreeSet;

use orch_shared::access::SubjectKind;
use orch_shared::kind::downcast;
use orch_shared::kinds::group::Group;
use orch_shared::kinds::role_binding::RoleBinding;
use orch_shared::kinds::token::{ClonedRights, Rbac, Token};
use orch_shared::name::ObjectRef;
use orch_shared::route;
use orch_shared::wire::{Dependent, Dependents};
use serde_json::Value;

use crate::client::{Call, Object};
use crate::render::cell::NOTHING;
use crate::render::describe::Access;
use crate::render::rights::{self, Right};
use crate::report::Failure;
use crate::settings::Settings;

/// What an object may do, when rights can be granted to it. `dependents` are the objects that refer to it.
pub(super) fn of(settings: &Settings, object: &Object, dependents: &[Dependent]) -> Result<Option<Access>, Failure> {
    if !SubjectKind::ALL.iter().any(|subject| subject.kind() == object.kind) {
        return Ok(None);
    }
    let subject = object.reference();
    let mut access = Access::default();
    own(object, &mut access);
    let mut groups = Vec::new();
    for found in referring(settings, dependents)? {
        let spec = found.typed_spec();
        if let Some(binding) = spec.as_deref().and_then(downcast::<RoleBinding>) {
            let granted = granted(&found, binding, &subject);
            access.rights.extend(granted.map(|right| (right, NOTHING.to_owned())));
        } else if spec.as_deref().and_then(downcast::<Group>).is_some() {
            groups.push(found.reference());
        }
    }
    for group in groups {
        access.groups.push(group.name.to_string());
        let call = Call::get(route::dependents(&group));
        let dependents: Dependents = settings.client()?.send(&settings.ui, &call)?.json()?;
        for found in referring(settings, &dependents.items)? {
            let spec = found.typed_spec();
            if let Some(binding) = spec.as_deref().and_then(downcast::<RoleBinding>) {
                let granted = granted(&found, binding, &group);
                access.rights.extend(granted.map(|right| (right, group.to_string())));
            }
        }
    }
    Ok(Some(access))
}

/// What a token was given when it was made, and by whom it is bounded.
fn own(object: &Object, access: &mut Access) {
    let spec = object.typed_spec();
    let Some(token) = spec.as_deref().and_then(downcast::<Token>) else {
        return;
    };
    let given = rights::declared(
        token.grants.as_deref(),
        token.operations.as_deref(),
        &object.reference().to_string(),
    );
    access
        .rights
        .extend(given.into_iter().map(|right| (right, NOTHING.to_owned())));
    if token.rbac == Some(Rbac::Clone) {
        access.rights.extend(cloned(object));
    }
    let owner = object
        .field("status.principal")
        .and_then(Value::as_str)
        .unwrap_or("its owner");
    let bound = match token.rbac.unwrap_or_default() {
        Rbac::Empty => format!("what {owner} may do at that moment, and no more than what is told here"),
        Rbac::Owner => format!("what {owner} may do at that moment, all of it"),
        Rbac::Clone => format!("what {owner} may do at that moment, and could when it was made (status.cloned)"),
    };
    access.bound = Some(match object.field("status.madeWith").and_then(Value::as_str) {
        Some(maker) => format!("{bound}; as long as the token that it was made with ({maker})"),
        None => bound,
    });
}

/// What whoever made a token could do then, which it may as well. Where that had several bounds, each is told, and only what
/// all of them allow may be done.
fn cloned(object: &Object) -> Vec<(Right, String)> {
    let told = object.field("status.cloned").cloned().unwrap_or_default();
    let layers: Vec<ClonedRights> = serde_json::from_value(told).unwrap_or_default();
    let many = layers.len();
    let layers = layers.into_iter().enumerate().map(|(index, layer)| {
        let rule = match many {
            1 => "what its maker could".to_owned(),
            _ => format!("what its maker could, bound {} of {many}", index + 1),
        };
        rights::declared(Some(&layer.grants), Some(&layer.operations), &rule)
    });
    layers.flatten().map(|right| (right, NOTHING.to_owned())).collect()
}

/// What a binding grants to a subject that it names.
fn granted<'o>(
    object: &'o Object,
    binding: &RoleBinding,
    subject: &ObjectRef,
) -> impl Iterator<Item = Right> + use<'o> {
    let names_it = binding
        .subjects
        .iter()
        .flatten()
        .any(|known| known.object() == *subject);
    let rule = object.reference().to_string();
    let granted = match names_it {
        true => rights::declared(binding.grants.as_deref(), binding.operations.as_deref(), &rule),
        false => Vec::new(),
    };
    granted.into_iter()
}

/// The objects that refer to one, each once.
fn referring(settings: &Settings, dependents: &[Dependent]) -> Result<Vec<Object>, Failure> {
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    for dependent in dependents {
        if seen.insert(dependent.object.to_string()) {
            found.extend(settings.client()?.find(&settings.ui, &dependent.object)?);
        }
    }
    Ok(found)
}
