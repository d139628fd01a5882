//! Personality: a named choice of prompts that an agent takes on.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kind::{Action, Cell, Column, Kind, Maker, Meta, Removal, Report, ScopeType, Spec};
use crate::kinds::prompt::Prompt;
use crate::name::{Name, ObjectRef, Scope};
use crate::resource::PlainStatus;

/// A named choice of prompts that an agent takes on for a turn, beside its own and those of its project.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Personality {
    /// What it is for, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The Prompts that it consists of: of the agent, of the agent's project, or everybody's. Of several of one name, the
    /// nearest to the agent is meant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prompts: Option<Vec<ChosenPrompt>>,
}

/// A Prompt of a Personality.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ChosenPrompt {
    /// The Prompt.
    pub name: Name,
    /// Its rank in this Personality, 1 to 100; higher comes first. Default: that of the Prompt itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub priority: Option<u32>,
}

impl ChosenPrompt {
    /// Where the Prompt may be, the nearest place first: with the agent, in its project, and in the cluster.
    #[must_use]
    pub fn places(&self, agent: &Name, project: Option<&Name>) -> Vec<ObjectRef> {
        let scopes = [
            Some(Scope::Agent(agent.clone())),
            project.cloned().map(Scope::Project),
            Some(Scope::Cluster),
        ];
        let at = |scope| ObjectRef {
            kind: Kind::Prompt,
            scope,
            name: self.name.clone(),
        };
        scopes.into_iter().flatten().map(at).collect()
    }

    /// Its rank in the Personality.
    #[must_use]
    pub fn rank(&self, prompt: &Prompt) -> u32 {
        self.priority.unwrap_or_else(|| prompt.rank())
    }
}

impl Spec for Personality {
    type Status = PlainStatus;

    const META: Meta = Meta {
        singular: "personality",
        plural: "personalities",
        short: &[],
        scopes: &[ScopeType::Agent],
        maker: Maker::User,
        columns: &[
            Column::new("STATUS", Cell::Field("status.phase")),
            Column::new("DESCRIPTION", Cell::Field("spec.description")),
            Column::wide("SET", Cell::Field("status.applySet")),
            Column::new("", Cell::Trouble),
        ],
        actions: &[Action::Rollback],
        removal: Removal::AtOnce,
        name_max: Name::MAX,
        refers_to: &[Kind::Agent, Kind::Prompt],
    };

    fn validate(&self, report: &mut Report) {
        let prompts = self.prompts.as_deref().unwrap_or_default();
        for (index, prompt) in prompts.iter().enumerate() {
            let first = prompts.iter().position(|other| other.name == prompt.name);
            if first.is_some_and(|first| first < index) {
                let name = &prompt.name;
                report
                    .invalid(
                        &format!("prompts[{index}].name"),
                        format!("prompt `{name}` is there already"),
                    )
                    .hint("name each prompt once");
            }
        }
    }
}
