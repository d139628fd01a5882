//! Agents as whoever speaks to them knows them: that they are there, and their personalities.

use orch_shared::kind::Kind;
use orch_shared::name::{Name, ObjectRef, Scope};
use orch_shared::problem::Code;

use crate::client::{Client, Scopes, Selection};
use crate::report::Failure;
use crate::ui::Ui;

/// The names of all agents.
pub(super) fn all(client: &Client, ui: &Ui) -> Result<Vec<Name>, Failure> {
    let found = client.list(ui, Kind::Agent, &Selection::default(), None)?.items;
    Ok(found.into_iter().map(|agent| agent.metadata.name).collect())
}

/// That there is no such agent is told as by every verb, with the name that was probably meant. Anything else that is not
/// there is told as it was.
pub(super) fn explained(client: &Client, ui: &Ui, agent: &Name, failure: Failure) -> Failure {
    let agent = ObjectRef::cluster(Kind::Agent, agent.clone());
    match failure.code() {
        Some(Code::NotFound) if matches!(client.find(ui, &agent), Ok(None)) => client.not_found(ui, &agent),
        Some(_) | None => failure,
    }
}

/// The names of the personalities of an agent.
pub(super) fn personalities(client: &Client, ui: &Ui, agent: &Name) -> Result<Vec<Name>, Failure> {
    let selection = Selection {
        scope: Scopes::One(Scope::Agent(agent.clone())),
        ..Selection::default()
    };
    let found = client.list(ui, Kind::Personality, &selection, None)?.items;
    Ok(found.into_iter().map(|object| object.metadata.name).collect())
}

/// Refuses a personality that the agent does not have.
pub(super) fn known_personality(client: &Client, ui: &Ui, agent: &Name, name: &Name) -> Result<(), Failure> {
    let object = ObjectRef {
        kind: Kind::Personality,
        scope: Scope::Agent(agent.clone()),
        name: name.clone(),
    };
    match client.find(ui, &object)? {
        Some(_) => Ok(()),
        None => Err(client.not_found(ui, &object)),
    }
}
