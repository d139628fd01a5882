//! The Prompts of a Personality: where each may be, and whether one of those places has it. What is meant depends on the agent
//! that the Personality belongs to, and on the project of that agent.

use orch_shared::kind::{Kind, Lookup, downcast};
use orch_shared::kinds::agent::Agent;
use orch_shared::kinds::personality::Personality;
use orch_shared::name::{Name, ObjectRef, Scope};
use orch_shared::path::FieldPath;
use orch_shared::problem::{Code, FieldProblem};
use orch_shared::resource::Resource;

/// The agent that a Personality belongs to, the project of that, and the Personality.
fn read<'r>(resource: &'r Resource, others: &impl Lookup) -> Option<(Name, Option<Name>, &'r Personality)> {
    let personality = downcast::<Personality>(resource.spec.as_ref())?;
    let Scope::Agent(agent) = resource.metadata.scope() else {
        return None;
    };
    let declared = others.spec(&ObjectRef::cluster(Kind::Agent, agent.clone()));
    let project = declared
        .and_then(downcast::<Agent>)
        .and_then(|agent| agent.project.clone());
    Some((agent, project, personality))
}

/// Everywhere the Prompts of a Personality may be; nothing for any other object.
pub(super) fn places(resource: &Resource, others: &impl Lookup) -> Vec<ObjectRef> {
    let Some((agent, project, personality)) = read(resource, others) else {
        return Vec::new();
    };
    let chosen = personality.prompts.iter().flatten();
    chosen
        .flat_map(|prompt| prompt.places(&agent, project.as_ref()))
        .collect()
}

/// What is wrong with the Prompts of a Personality.
pub(super) fn check(resource: &Resource, others: &impl Lookup) -> Vec<FieldProblem> {
    let Some((agent, project, personality)) = read(resource, others) else {
        return Vec::new();
    };
    let chosen = personality.prompts.iter().flatten().enumerate();
    let missing = chosen.filter(|(_, prompt)| {
        let places = prompt.places(&agent, project.as_ref());
        places.iter().all(|place| others.spec(place).is_none())
    });
    missing
        .map(|(index, prompt)| {
            let path = FieldPath::root().key("spec").key("prompts").index(index).key("name");
            let somewhere = match &project {
                Some(project) => format!("with agent `{agent}`, in its project `{project}`, or in neither"),
                None => format!("with agent `{agent}`, or without any"),
            };
            let message = format!("there is no prompt `{}` {somewhere}", prompt.name);
            let hint = "a prompt of another agent or project is not within reach; apply it first, or in the same set";
            FieldProblem::new(Code::ReferenceMissing, path, message).hint(hint)
        })
        .collect()
}
