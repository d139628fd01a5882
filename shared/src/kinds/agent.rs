//! Agent: a model with instructions and a set of tools.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::kind::{Action, Cell, Column, Kind, Maker, Meta, Reference, Removal, Report, ScopeType, Spec};
use crate::name::{Name, ObjectRef, Scope};
use crate::path::FieldPath;
use crate::publishing::Publication;
use crate::quantity::Span;
use crate::resource::{Condition, Phase};
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
    /// How often its model may be asked in one turn; 1 to 50, and what is beyond counts as the nearest of these. Default: 12.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_iterations: Option<u32>,
    /// How long one call of a tool may take. Default: 60s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool_timeout: Option<Span>,
    /// The Personality it takes on, unless a request names another: one of its own.
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
    /// Further parameters, passed through. What a request is made of is none: `model`, `messages`, `tools`, `stream` and the like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub extra: Option<Map<String, Value>>,
}

/// What is no parameter, since it is what a request is made of: the name in `extra`, and what says it instead.
const MADE_OF: [(&str, &str); 8] = [
    ("model", "`llm` of the agent says which model is asked"),
    (
        "messages",
        "what is said is told by `message`, and before it by the thread",
    ),
    (
        "tools",
        "the agent's own tools are told, as `tools.allow` of the agent has them",
    ),
    (
        "functions",
        "the agent's own tools are told, as `tools.allow` of the agent has them",
    ),
    ("function_call", "say `tool_choice`"),
    (
        "stream",
        "the agent hears its model bit by bit; how its own answer comes is said by `stream` of the request",
    ),
    ("stream_options", "the agent always asks what was used"),
    ("n", "an agent has one answer"),
];

/// What is said of tools, which an agent without any must not say.
const OF_TOOLS: [&str; 2] = ["tool_choice", "parallel_tool_calls"];

/// Whether an agent has tools that its model is told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tools {
    /// Those of its project.
    OfProject,
    /// None: it has no project.
    None,
}

/// A member of `extra` that is no parameter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoParameter {
    /// Its name.
    pub name: String,
    /// What says it instead, or why nothing does: a clause.
    pub instead: &'static str,
}

impl Params {
    /// The members of `extra` that are no parameters, in order.
    pub fn no_parameters(&self, tools: Tools) -> impl Iterator<Item = NoParameter> {
        let extra = self.extra.iter().flat_map(Map::keys);
        extra.filter_map(move |name| no_parameter(name, tools))
    }
}

/// Whether a member of `extra` of that name would be no parameter, and what says it instead. Large and small letters make no
/// difference: there are models that read `Model` as `model`.
#[must_use]
pub fn no_parameter(name: &str, tools: Tools) -> Option<NoParameter> {
    let folded = folded(name);
    let made_of = MADE_OF
        .iter()
        .find(|(known, _)| *known == folded)
        .map(|(_, instead)| *instead);
    let of_tools = || {
        let is_idle = tools == Tools::None && OF_TOOLS.contains(&folded.as_str());
        is_idle.then_some("an agent without a project has no tools")
    };
    let instead = made_of.or_else(of_tools)?;
    Some(NoParameter {
        name: name.to_owned(),
        instead,
    })
}

/// A name without the difference between large and small letters, as readers of JSON have it that make none: so the long s and
/// the sign of the kelvin are letters like others.
fn folded(name: &str) -> String {
    name.chars()
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .collect()
}

/// Which tools an agent may call.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AllowedTools {
    /// Names or patterns: `<server>__<tool>`, or `agent__<name>` for other agents of the project. The server and the tool are
    /// called as they call themselves, whatever prefix or shortened name a model sees.
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
/// How often it goes to tools and back, unless it says otherwise.
const USUAL_ITERATIONS: u32 = 12;
/// How long a call of a tool may take, in seconds, unless it says otherwise.
const USUAL_PATIENCE: u64 = 60;

/// What the reconciler reports of an Agent.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentStatus {
    /// How far the agent is from what is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// The tools that it may call for whoever may do everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<AgentTools>,
    /// The generation this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready, ReferencesResolved, ToolsKnown.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
    /// Who publishes it and whether they are there; only of what is published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publication: Option<Publication>,
}

/// The tools of an Agent.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AgentTools {
    /// How many there are on the servers of which they are known; other agents are not counted.
    pub count: u32,
    /// The servers that they are from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub servers: Vec<Name>,
    /// The servers whose tools are not known at the moment.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unknown: Vec<Name>,
}

impl Agent {
    /// Whether there are tools that its model can be told of.
    #[must_use]
    pub const fn has_tools(&self) -> Tools {
        match self.project {
            Some(_) => Tools::OfProject,
            None => Tools::None,
        }
    }

    /// How often its model may be asked in one turn.
    #[must_use]
    pub fn iterations(&self) -> u32 {
        let wanted = self.max_iterations.unwrap_or(USUAL_ITERATIONS);
        wanted.clamp(*ITERATIONS.start(), *ITERATIONS.end())
    }

    /// How long one call of a tool may take.
    #[must_use]
    pub fn tool_patience(&self) -> std::time::Duration {
        let declared = self.tool_timeout.as_ref();
        declared.map_or(std::time::Duration::from_secs(USUAL_PATIENCE), Span::duration)
    }

    /// Whether it may call that tool of that server, both as they call themselves. Patterns that cannot be read allow
    /// nothing.
    #[must_use]
    pub fn allows_tool(&self, server: &str, tool: &str) -> bool {
        let Some(allow) = self.tools.as_ref().and_then(|tools| tools.allow.as_ref()) else {
            return true;
        };
        let name = format!("{server}__{tool}");
        allow
            .iter()
            .any(|pattern| pattern.parse::<Pattern>().is_ok_and(|pattern| pattern.matches(&name)))
    }

    /// The Personality that an agent of that name takes on by itself, as a reference: it is one of its own.
    #[must_use]
    pub fn default_personality(&self, agent: &Name) -> Option<Reference> {
        let personality = self.default_personality.as_ref()?;
        Some(Reference {
            target: ObjectRef {
                kind: Kind::Personality,
                scope: Scope::Agent(agent.clone()),
                name: personality.clone(),
            },
            key: None,
            path: FieldPath::root().key("spec").key("defaultPersonality"),
        })
    }
}

impl Spec for Agent {
    type Status = AgentStatus;

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
            Column::new("TOOLS", Cell::Field("status.tools.count")),
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
        for NoParameter { name, instead } in self
            .default_params
            .iter()
            .flat_map(|params| params.no_parameters(self.has_tools()))
        {
            report
                .invalid(
                    &format!("defaultParams.extra.{name}"),
                    format!("`{name}` is no parameter"),
                )
                .hint(instead);
        }
        let budget = self.budget.as_ref();
        for (at, given) in [
            ("toolTimeout", self.tool_timeout.as_ref()),
            ("budget.wallTime", budget.and_then(|budget| budget.wall_time.as_ref())),
        ] {
            if given.is_some_and(|given| given.duration().is_zero()) {
                report
                    .invalid(at, "nothing is done in no time at all")
                    .hint("such as 30s or 2m");
            }
        }
        if budget.is_some_and(|budget| budget.tokens == Some(0)) {
            report
                .invalid("budget.tokens", "without a token nothing can be asked")
                .hint("leave it out, or give some");
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
        let patience = self.tool_patience();
        Self {
            max_iterations: Some(self.iterations()),
            tool_timeout: Some(
                self.tool_timeout
                    .clone()
                    .unwrap_or_else(|| Span::seconds(patience.as_secs())),
            ),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_request_is_made_of_is_no_parameter_however_it_is_spelled() {
        for (name, tools, is_parameter) in [
            ("seed", Tools::None, true),
            ("Seed", Tools::None, true),
            ("models", Tools::None, true),
            ("model", Tools::OfProject, false),
            ("Model", Tools::OfProject, false),
            ("MESSAGES", Tools::OfProject, false),
            ("me\u{17f}\u{17f}ages", Tools::OfProject, false),
            ("Stream_Options", Tools::OfProject, false),
            ("N", Tools::OfProject, false),
            ("tool_choice", Tools::OfProject, true),
            ("Tool_Choice", Tools::OfProject, true),
            ("Tool_Choice", Tools::None, false),
        ] {
            let refused = no_parameter(name, tools);
            assert_eq!(refused.is_none(), is_parameter, "{name}");
            // It is told as it was written.
            assert!(refused.is_none_or(|refused| refused.name == name), "{name}");
        }
    }
}
