//! Agents: whether everything that one refers to is there, and which tools there are for it.

use orch_shared::kinds::agent::{AgentStatus, AgentTools};
use orch_shared::resource::{ConditionStatus, Phase, Timestamp};

use super::conditions::{Conditions, news_of_references};
use super::publication::life;
use super::{Action, Broken, Plan};

/// What is known of an agent.
#[derive(Debug)]
pub struct World<'w> {
    /// The object's generation.
    pub generation: i64,
    /// Whether it is being deleted.
    pub deleting: bool,
    /// The status it has.
    pub status: &'w AgentStatus,
    /// What it refers to and is not there: model, project, default personality.
    pub broken: &'w [Broken],
    /// The tools that there are for it; nothing when it has no project.
    pub tools: Option<AgentTools>,
    /// Whether a client publishes it.
    pub is_published: bool,
}

/// Decides. An agent is ready when it can be spoken to: servers whose tools are not known at the moment are told, and keep
/// nobody from that.
#[must_use]
pub fn plan(world: &World<'_>, now: Timestamp) -> Plan<AgentStatus> {
    if world.deleting {
        return Plan {
            actions: vec![Action::Remove],
            status: world.status.clone(),
            events: vec![],
            look_again: None,
        };
    }
    let mut conditions = Conditions::from(&world.status.conditions, world.generation, now);
    let phase = match world.broken.first() {
        Some(Broken(first)) => {
            let message = format!("{first} (ORCH6009)");
            conditions.set("Ready", ConditionStatus::False, "ReferenceMissing", message);
            Phase::Degraded
        }
        None if world.is_published => {
            let life = life(world.status.publication.as_ref());
            conditions.set("Ready", life.status, life.reason, life.message);
            life.phase
        }
        None => {
            conditions.set("Ready", ConditionStatus::True, "Accepted", "");
            Phase::Ready
        }
    };
    conditions.references(world.broken);
    match &world.tools {
        None => {}
        Some(tools) if tools.unknown.is_empty() => {
            conditions.set("ToolsKnown", ConditionStatus::True, "Known", "");
        }
        Some(tools) => {
            let servers: Vec<String> = tools.unknown.iter().map(|name| format!("server/{name}")).collect();
            let message = format!("what these offer is not known at the moment: {}", servers.join(", "));
            conditions.set("ToolsKnown", ConditionStatus::Unknown, "NotRunning", message);
        }
    }
    let conditions = conditions.into_inner();
    let events = Vec::from_iter(news_of_references(&world.status.conditions, world.broken));
    Plan {
        actions: vec![],
        status: AgentStatus {
            phase: Some(phase),
            tools: world.tools.clone(),
            observed_generation: Some(world.generation),
            conditions,
            publication: world.status.publication.clone(),
        },
        events,
        look_again: None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::conditions::find;
    use super::*;

    fn planned(status: &AgentStatus, broken: &[Broken], unknown: &[&str]) -> Plan<AgentStatus> {
        let world = World {
            generation: 3,
            deleting: false,
            status,
            broken,
            tools: Some(AgentTools {
                count: 2,
                servers: vec!["notes".parse().unwrap()],
                unknown: unknown.iter().map(|name| name.parse().unwrap()).collect(),
            }),
            is_published: false,
        };
        plan(&world, Timestamp::from_millis(7))
    }

    #[test]
    fn an_agent_is_ready_when_what_it_names_is_there() {
        let gone = [Broken("llm `fast` is gone".to_owned())];
        for (broken, unknown, phase, ready, known) in [
            (
                &[][..],
                &[][..],
                Phase::Ready,
                ConditionStatus::True,
                ConditionStatus::True,
            ),
            (
                &[],
                &["files"],
                Phase::Ready,
                ConditionStatus::True,
                ConditionStatus::Unknown,
            ),
            (
                &gone,
                &[],
                Phase::Degraded,
                ConditionStatus::False,
                ConditionStatus::True,
            ),
        ] {
            let plan = planned(&AgentStatus::default(), broken, unknown);
            let status = |name| find(&plan.status.conditions, name).expect("it is stated").status;
            assert_eq!(plan.status.phase, Some(phase), "{broken:?} {unknown:?}");
            assert_eq!(
                (status("Ready"), status("ToolsKnown")),
                (ready, known),
                "{broken:?} {unknown:?}"
            );
            assert_eq!(plan.events.len(), broken.len());
            // The planned world needs nothing.
            let again = planned(&plan.status, broken, unknown);
            assert_eq!((&again.status, again.events.len()), (&plan.status, 0));
        }
        let before = planned(&AgentStatus::default(), &gone, &[]).status;
        assert_eq!(planned(&before, &[], &[]).events[0].reason, "Resolved");
    }
}
