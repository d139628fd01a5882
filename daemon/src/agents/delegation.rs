//! Agents that work for somebody's client, or for one another: turns like any other, whose answer is the result of a tool.

use std::sync::Arc;

use orch_shared::chat::{Event, Request};
use orch_shared::name::Name;
use orch_shared::problem::{Code, Problem};
use orch_shared::usage::Tokens;
use tokio::sync::mpsc;

use super::meter::Meter;
use super::turn::Working;
use super::{Agents, Attached, Caller};
use crate::audit::Withdrawn;
use crate::gateway::{AgentSaid, Delegated};
use crate::store::AskedBy;

/// For whom a turn works: the agents in a row, and what the last of them may still use.
#[derive(Debug, Clone, Default)]
pub(super) struct Lineage {
    /// The agents, the first one first; with the turn's own, once it has begun.
    pub(super) agents: Vec<Name>,
    /// What the turn that it works for takes.
    pub(super) meter: Option<Arc<Meter>>,
    /// Which turn that is.
    pub(super) asked_by: Option<AskedBy>,
    /// Where it is noted that whoever all of them work for may not have it go on.
    pub(super) withdrawn: Withdrawn,
}

impl Lineage {
    /// The same, and one more agent.
    pub(super) fn with(mut self, agent: Name) -> Self {
        self.agents.push(agent);
        self
    }
}

impl Agents {
    /// Has an agent work for a client that calls it as a tool.
    ///
    /// # Errors
    /// Why it has no answer.
    pub async fn delegated(&self, delegated: Delegated) -> Result<AgentSaid, Problem> {
        let Delegated {
            principal,
            agent,
            message,
            thread,
            progress,
        } = delegated;
        let caller = Caller {
            principal,
            request_id: self.0.store.ids().uid(),
        };
        let request = Request {
            message,
            thread_id: thread,
            ..Request::default()
        };
        let attached = self.chat(caller, agent.as_str(), request).await?;
        answered(attached, Some(progress)).await
    }

    /// Has an agent work for the turn of another one, with what that may still use.
    pub(super) async fn work_for(
        &self,
        agent: &str,
        message: String,
        thread: Option<String>,
        working: &Arc<Working>,
    ) -> Result<AgentSaid, Problem> {
        let caller = self.still(&working.caller, &working.known).await?;
        let known = self.agent(&caller.principal, agent)?;
        let is_in_row = working.lineage.agents.contains(known.name());
        if is_in_row || working.lineage.agents.len() >= super::toolbox::DEEPEST {
            let row: Vec<&str> = working.lineage.agents.iter().map(Name::as_str).collect();
            let detail = format!("agents work for one another in a row already: {}", row.join(" -> "));
            return Err(Problem::new(Code::Forbidden, detail));
        }
        // What it costs could not be held against what the turn may cost.
        if let Some(nothing) = self.cost(known.spec().llm.as_str(), Tokens::default()) {
            let held = working.meter.takes(&nothing.currency);
            held.map_err(|over| over.problem())?;
        }
        let lineage = Lineage {
            agents: working.lineage.agents.clone(),
            meter: Some(Arc::clone(&working.meter)),
            asked_by: Some(AskedBy {
                thread: working.held.thread.clone(),
                turn: working.held.turn,
            }),
            withdrawn: working.lineage.withdrawn.clone(),
        };
        let request = Request {
            message,
            thread_id: thread,
            ..Request::default()
        };
        let attached = self.speak(caller, known, request, lineage).await?;
        answered(attached, None).await
    }
}

/// What is said at the end of a turn. Meanwhile it is told what the agent does.
async fn answered(
    mut attached: Attached,
    progress: Option<mpsc::UnboundedSender<String>>,
) -> Result<AgentSaid, Problem> {
    while let Some(event) = attached.next().await {
        let told = match event {
            Event::Final(answer) => {
                return Ok(AgentSaid {
                    text: answer.assistant,
                    thread: answer.thread_id,
                });
            }
            Event::Error { problem, .. } => return Err(problem),
            Event::ToolCall(call) => format!("calls {}", call.name),
            Event::ToolResult(result) => format!("{}: {}", result.name, result.state.as_str()),
            Event::Compacted { .. } => "sums up what was said before".to_owned(),
            Event::Turn { .. } | Event::Text { .. } | Event::Thinking { .. } | Event::Usage(_) => continue,
        };
        if let Some(progress) = &progress {
            // A client that does not want to know has not said so here.
            let _ = progress.send(told);
        }
    }
    Err(Problem::new(Code::Internal, "the turn has ended without a word"))
}
