//! Agent: a model with instructions and a set of tools.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::kind::{
    Action, Cell, Column, Hazard, Kind, Maker, Meta, Pending, Reference, Removal, Report, ScopeType, Spec,
};
use crate::name::Name;
use crate::publishing::PublishedStatus;
use crate::quantity::Span;
use crate::tools::Pattern;

/// A model with instructions and the tools of a project.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Agent {
    /// What the agent is for, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The Llm that thinks.
    pub llm: Name,
    /// The Project whose servers and prompts it uses.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<Name>,
    /// What it is told first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub system_prompt: Option<String>,
    /// Parameters of its requests, unless a request says otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_params: Option<Params>,
    /// Which of the project's tools it may call. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<AllowedTools>,
    /// How often it may go from an answer to tools and back in one turn; 1 to 50. Default: 12.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_iterations: Option<u32>,
    /// The Personality it takes on, unless a request names another.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default_personality: Option<Name>,
    /// What one turn may use.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Budget>,
    /// Whether a client publishes it (`orchctl provide`), and it goes with that client. Default: no.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub published: Option<bool>,
}

/// Parameters of a request to a model.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Params {
    /// Sampling temperature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 2.0))]
    pub temperature: Option<f64>,
    /// Most tokens of an answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub max_tokens: Option<u32>,
    /// Nucleus sampling.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0, max = 1.0))]
    pub top_p: Option<f64>,
    /// Texts at which an answer ends.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop: Option<Vec<String>>,
    /// Further parameters, passed through.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<Map<String, Value>>,
}

/// Which tools an agent may call.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AllowedTools {
    /// Names or patterns: `<server>__<tool>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow: Option<Vec<String>>,
}

/// What a turn may use.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Budget {
    /// Tokens, in and out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens: Option<u64>,
    /// Money, in the currency of the model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0.0))]
    pub cost: Option<f64>,
    /// Tool calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_calls: Option<u32>,
    /// Time on the clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wall_time: Option<Span>,
}

/// Bounds of `maxIterations`.
const ITERATIONS: std::ops::RangeInclusive<u32> = 1..=50;

impl Spec for Agent {
    type Status = PublishedStatus;

    const META: Meta = Meta {
        singular: "agent",
        plural: "agents",
        short: &["ag"],
        scopes: &[ScopeType::Cluster],
        maker: Maker::User,
        columns: &[
            Column::new("STATUS", Cell::Field("status.phase")),
            Column::new("LLM", Cell::Field("spec.llm")),
            Column::new("PROJECT", Cell::Field("spec.project")),
            Column::wide("DESCRIPTION", Cell::Field("spec.description")),
            Column::wide("PUBLISHED", Cell::Field("status.publication.state")),
            Column::wide("SET", Cell::Field("status.applySet")),
            Column::new("", Cell::Trouble),
        ],
        actions: &[Action::Rollback],
        removal: Removal::AtOnce,
        name_max: Name::MAX,
        refers_to: &[Kind::Llm, Kind::Project],
    };

    fn validate(&self, report: &mut Report) {
        for (index, pattern) in self
            .tools
            .iter()
            .flat_map(|tools| tools.allow.iter().flatten())
            .enumerate()
        {
            let at = format!("tools.allow[{index}]");
            match pattern.parse::<Pattern>() {
                Err(error) => {
                    report.invalid(&at, error.to_string()).hint(error.hint());
                }
                Ok(_) if !pattern.contains("__") && !pattern.contains('*') => {
                    report
                        .invalid(&at, format!("`{pattern}` names no server"))
                        .hint("tools are named <server>__<tool>, such as files__read_file or files__*");
                }
                Ok(_) => {}
            }
        }
        if self.tools.as_ref().is_some_and(|tools| tools.allow.is_some()) && self.project.is_none() {
            report
                .invalid("tools", "an agent without a project has no tools")
                .hint("set project");
        }
    }

    fn references(&self) -> Vec<Reference> {
        let llm = Reference::to(Kind::Llm, &self.llm, "llm");
        let project = self
            .project
            .iter()
            .map(|project| Reference::to(Kind::Project, project, "project"));
        std::iter::once(llm).chain(project).collect()
    }

    fn effective(&self) -> Self {
        let iterations = self
            .max_iterations
            .unwrap_or(12)
            .clamp(*ITERATIONS.start(), *ITERATIONS.end());
        Self {
            max_iterations: Some(iterations),
            ..self.clone()
        }
    }

    fn pending(&self) -> Vec<Pending> {
        let mut pending = vec![Pending {
            path: "spec",
            hazard: Hazard::Harmless,
        }];
        for (path, used) in [
            (
                "spec.tools.allow",
                self.tools.as_ref().is_some_and(|tools| tools.allow.is_some()),
            ),
            ("spec.budget", self.budget.is_some()),
        ] {
            if used {
                pending.push(Pending {
                    path,
                    hazard: Hazard::Unsafe,
                });
            }
        }
        pending
    }
}
