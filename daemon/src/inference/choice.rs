//! Which model is meant, whether somebody may ask it, and which ones stand in for it.

use std::sync::Arc;

use axum::http::StatusCode;
use orch_shared::access::{Principal, Role};
use orch_shared::kind::Kind;
use orch_shared::kinds::llm::Llm;
use orch_shared::name::{Name, ObjectRef};

use super::refused::Refused;
use crate::audit;
use crate::store::{Object, Snapshot};

/// A model that may be asked.
#[derive(Debug, Clone)]
pub(super) struct Model {
    pub(super) object: Arc<Object>,
}

impl Model {
    /// What is declared of it.
    pub(super) fn spec(&self) -> &Llm {
        self.object.spec::<Llm>().expect("only models are chosen")
    }

    pub(super) fn name(&self) -> &Name {
        &self.object.object.name
    }
}

fn find(snapshot: &Snapshot, name: &str) -> Option<Arc<Object>> {
    let name: Name = name.parse().ok()?;
    let object = snapshot.get(&ObjectRef::cluster(Kind::Llm, name))?;
    (object.deleting_since.is_none() && object.spec::<Llm>().is_some()).then(|| Arc::clone(object))
}

fn may(principal: &Principal, snapshot: &Snapshot, object: &Object) -> bool {
    snapshot.decide(principal, Role::Run, object).is_allowed
}

/// The model of that name; what the rules say is noted for the audit log.
pub(super) fn choose(principal: &Principal, snapshot: &Snapshot, name: &str) -> Result<Model, Refused> {
    let shown = orch_shared::excerpt::short(name);
    let absent = || {
        let message = format!("there is no model `{shown}`, or you may not use it; those you may: GET /v1/models");
        Refused::new(StatusCode::NOT_FOUND, "model_not_found", message)
    };
    let object = find(snapshot, name).ok_or_else(absent)?;
    let decision = snapshot.decide(principal, Role::Run, &object);
    audit::decided(principal, &decision, Role::Run);
    if decision.is_allowed {
        return Ok(Model { object });
    }
    if !snapshot.shows(&principal.visibility, &object) {
        return Err(absent());
    }
    let message = format!("you may see the model `{shown}`, and not use it: that needs the role `run`");
    Err(Refused::new(StatusCode::FORBIDDEN, "permission_denied", message))
}

/// Whether somebody may still be answered who was let through before: by a model of the first name, or one of the other that
/// stands in for it; for that project.
pub(super) fn goes_on(
    principal: &Principal,
    snapshot: &Snapshot,
    (named, answering): (&str, &str),
    of_project: Option<&str>,
) -> bool {
    let may = |name: &str| find(snapshot, name).is_none_or(|object| may(principal, snapshot, &object));
    may(named) && may(answering) && of_project.is_none_or(|named| project(principal, snapshot, Some(named)).is_ok())
}

/// The model that an agent is declared to have: whoever declared that might ask it, and whoever may run the agent has it
/// asked.
pub(super) fn appointed(snapshot: &Snapshot, name: &str) -> Result<Model, Refused> {
    find(snapshot, name).map(|object| Model { object }).ok_or_else(|| {
        let shown = orch_shared::excerpt::short(name);
        let message = format!("the model `{shown}` of the agent is gone");
        Refused::new(StatusCode::NOT_FOUND, "model_not_found", message)
    })
}

/// Whether the model of that name, or one that stands in for it, is published by a client.
pub(super) fn is_published(principal: &Principal, snapshot: &Snapshot, name: &str) -> bool {
    let is_published = |model: &Model| model.spec().published == Some(true);
    find(snapshot, name)
        .map(|object| Model { object })
        .is_some_and(|model| is_published(&model) || stand_ins(principal, snapshot, &model).iter().any(is_published))
}

/// Those that stand in for a model, in order; of them, those that somebody may ask as well.
pub(super) fn stand_ins(principal: &Principal, snapshot: &Snapshot, model: &Model) -> Vec<Model> {
    let names = model.spec().fallbacks.iter().flatten();
    names
        .filter_map(|name| find(snapshot, name.as_str()))
        .filter(|object| object.uid != model.object.uid && may(principal, snapshot, object))
        .map(|object| Model { object })
        .collect()
}

/// The project that a request is for, and is paid by, if the client names one: that is for those who may use it.
pub(super) fn project(
    principal: &Principal,
    snapshot: &Snapshot,
    named: Option<&str>,
) -> Result<Option<Name>, Refused> {
    let Some(named) = named else { return Ok(None) };
    let shown = orch_shared::excerpt::short(named);
    let name: Option<Name> = named.parse().ok();
    let known = name.and_then(|name| {
        let object = snapshot.get(&ObjectRef::cluster(Kind::Project, name.clone()))?;
        snapshot
            .shows(&principal.visibility, object)
            .then(|| (name, Arc::clone(object)))
    });
    let Some((name, object)) = known else {
        let message = format!("there is no project `{shown}`, or you may not see it");
        return Err(Refused::new(StatusCode::NOT_FOUND, "project_not_found", message));
    };
    let decision = snapshot.decide(principal, Role::Run, &object);
    audit::decided(principal, &decision, Role::Run);
    if !decision.is_allowed {
        let message =
            format!("you may see the project `{shown}`, and not have it pay for requests: that needs the role `run`");
        return Err(Refused::new(StatusCode::FORBIDDEN, "permission_denied", message));
    }
    Ok(Some(name))
}

/// All models that somebody may ask, by name.
pub(super) fn all(principal: &Principal, snapshot: &Snapshot) -> Vec<Model> {
    let objects = snapshot.of_kind(Kind::Llm);
    let mut models: Vec<Model> = objects
        .filter(|object| object.deleting_since.is_none() && may(principal, snapshot, object))
        .map(|object| Model {
            object: Arc::clone(object),
        })
        .collect();
    models.sort_by(|one, other| one.name().cmp(other.name()));
    models
}
