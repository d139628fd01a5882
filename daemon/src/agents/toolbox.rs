//! The tools that an agent has in one turn: those of its project that whoever speaks to it may call, and other agents.

use std::sync::Arc;
use std::time::Duration;

use orch_shared::access::{Principal, Role};
use orch_shared::chat::{Offered, ToolCall};
use orch_shared::kind::Kind;
use orch_shared::kinds::agent::Agent;
use orch_shared::name::Name;
use serde_json::{Map, Value};

use super::asking::UNREADABLE;
use super::delegation::Lineage;
use super::request::definition;
use super::results::{self, Told};
use super::{Agents, Caller};
use crate::gateway::{self, Called, Visit};

/// So many agents may stand in a row, each working for the one before.
pub(super) const DEEPEST: usize = 4;

/// A tool, and who is behind it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Offer {
    pub(super) offered: Offered,
    behind: Behind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Behind {
    Server,
    Agent,
}

/// The tools of one turn.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Toolbox {
    pub(super) offers: Vec<Offer>,
    /// Servers that do not tell theirs, each with the reason.
    pub(super) missing: Vec<String>,
}

impl Toolbox {
    /// What a model is told of them, and where they are.
    pub(super) fn definitions(&self) -> Vec<Value> {
        self.offers.iter().map(|offer| definition(&offer.offered)).collect()
    }

    /// The tool that a model calls so.
    pub(super) fn find(&self, name: &str) -> Option<&Offer> {
        self.offers.iter().find(|offer| offer.offered.name == name)
    }
}

impl Agents {
    /// The tools that an agent has for somebody.
    pub(super) async fn toolbox(
        &self,
        visit: Option<&Visit>,
        spec: &Agent,
        principal: &Principal,
        lineage: &Lineage,
    ) -> Toolbox {
        let Some(visit) = visit else {
            return Toolbox::default();
        };
        let (tools, missing) = visit.tools().await;
        let of_servers = tools.into_iter().map(|tool| Offer {
            offered: Offered {
                name: tool.name,
                server: tool.server,
                tool: tool.tool,
                description: tool.description,
                input_schema: tool.schema,
            },
            behind: Behind::Server,
        });
        let is_allowed = |offer: &Offer| spec.allows_tool(offer.offered.server.as_str(), &offer.offered.tool);
        let agents = self.other_agents(spec, principal, lineage);
        Toolbox {
            offers: of_servers.chain(agents).filter(is_allowed).collect(),
            missing,
        }
    }

    /// Other agents of the project, unless there are too many in a row already; none that works already in this row.
    fn other_agents(&self, spec: &Agent, principal: &Principal, lineage: &Lineage) -> Vec<Offer> {
        let (Some(project), true) = (&spec.project, lineage.agents.len() < DEEPEST) else {
            return Vec::new();
        };
        let snapshot = self.0.store.snapshot();
        let prefix: Name = gateway::AGENT_PREFIX.parse().expect("a name");
        let mut offers: Vec<Offer> = snapshot
            .of_kind(Kind::Agent)
            .filter_map(|agent| {
                let (name, other) = (&agent.object.name, agent.spec::<Agent>()?);
                let is_offered = other.project.as_ref() == Some(project)
                    && agent.deleting_since.is_none()
                    && !lineage.agents.contains(name)
                    && snapshot.decide(principal, Role::Run, agent).is_allowed;
                let mut tool = is_offered.then(|| gateway::agent_tool(name, other))?;
                Some(Offer {
                    offered: Offered {
                        name: tool["name"].as_str()?.to_owned(),
                        server: prefix.clone(),
                        tool: name.to_string(),
                        description: tool["description"].as_str().map(str::to_owned),
                        input_schema: tool["inputSchema"].take(),
                    },
                    behind: Behind::Agent,
                })
            })
            .collect();
        offers.sort_by(|one, other| one.offered.name.cmp(&other.offered.name));
        offers
    }

    /// Makes a call, for whoever that is by now.
    pub(super) async fn call(
        &self,
        visit: Option<(&Visit, &Caller)>,
        toolbox: &Toolbox,
        call: &ToolCall,
        patience: Duration,
        working: &Arc<super::turn::Working>,
    ) -> Told {
        let (Some(offer), Some((visit, caller))) = (toolbox.find(&call.name), visit) else {
            let name = &call.name;
            return Told::failed(format!("there is no tool {name}, or it may not be called"));
        };
        if call.arguments.contains_key(UNREADABLE) && call.arguments.len() == 1 {
            return Told::failed("the arguments are no JSON object; the tool was not called");
        }
        let Offered { server, tool, .. } = &offer.offered;
        match offer.behind {
            Behind::Server => match visit
                .call(&caller.principal, (server, tool), &call.arguments, patience)
                .await
            {
                Called::Result(result) => results::told(&result),
                Called::Failed(why) => Told::failed(why),
                Called::Late => Told::failed(format!(
                    "no answer within {} s; whether the call took effect is not known",
                    patience.as_secs_f64()
                )),
            },
            Behind::Agent => self.ask_agent(tool, &call.arguments, working).await,
        }
    }

    /// Has another agent work for this turn.
    async fn ask_agent(
        &self,
        agent: &str,
        arguments: &Map<String, Value>,
        working: &Arc<super::turn::Working>,
    ) -> Told {
        let text = |name: &str| {
            arguments
                .get(name)
                .and_then(Value::as_str)
                .filter(|text| !text.is_empty())
        };
        let Some(message) = text("message") else {
            return Told::failed("`message` is needed: what the agent is to do");
        };
        let thread = text("threadId").map(str::to_owned);
        match Box::pin(self.work_for(agent, message.to_owned(), thread, working)).await {
            Ok(said) => Told::said(format!("{}\n\n[threadId: {}]", said.text, said.thread)),
            Err(problem) => Told::failed(problem.to_string()),
        }
    }
}
