//! Agents as tools of their project: `agent__<name>` has an agent work at something, in a thread of whoever calls it.
//!
//! What the prefix says is theirs alone: a server that goes by it has another one ([`instead`]). Who works, and how, is not
//! known here: it is handed to whoever runs agents, and what they tell meanwhile goes to the client as progress.

use std::pin::Pin;
use std::sync::{Arc, OnceLock};

use orch_shared::access::{Principal, Role};
use orch_shared::jsonrpc::{Members, Message, Notification, Raw, raw};
use orch_shared::kind::Kind;
use orch_shared::kinds::agent::Agent;
use orch_shared::name::Name;
use orch_shared::problem::Problem;
use orch_shared::tools::{Naming, Surface};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::Gateway;
use super::ledger::Note;
use super::methods::{Asked, Reply, own_result};
use super::protocol::{code, error};
use super::pump::{Side, Step, Work};
use super::session::UnderWay;
use super::view::{Target, View};
use crate::asker::Asker;
use crate::store::Object;

/// What the names of agents begin with, before `__`.
pub const PREFIX: &str = "agent";

/// The prefix of a server that would have that of agents.
pub(super) fn instead() -> &'static Name {
    static INSTEAD: OnceLock<Name> = OnceLock::new();
    INSTEAD.get_or_init(|| "agent-server".parse().expect("a name"))
}

/// Something that an agent is to do.
pub struct Delegated {
    /// For whom.
    pub principal: Asker,
    /// Which agent.
    pub agent: Name,
    /// What.
    pub message: String,
    /// The thread to go on with.
    pub thread: Option<String>,
    /// Where it is told what it does meanwhile, in a few words.
    pub progress: mpsc::UnboundedSender<String>,
}

/// What an agent has said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentSaid {
    /// Its answer.
    pub text: String,
    /// The thread that it belongs to.
    pub thread: String,
}

/// An agent at work; dropping it ends that.
type Working = Pin<Box<dyn Future<Output = Result<AgentSaid, Problem>> + Send>>;

/// Has an agent work.
pub type Delegate = Arc<dyn Fn(Delegated) -> Working + Send + Sync>;

/// Whether a name is that of a tool that stands for an agent.
pub(super) fn is_agent(tool: &str) -> bool {
    tool.strip_prefix(PREFIX).is_some_and(|rest| rest.starts_with("__"))
}

/// What an agent is called as a tool: shortened like the names of tools where it is too long for one.
fn shown(agent: &Name) -> String {
    let prefix = PREFIX.parse().expect("a name");
    let surface = Surface {
        server: &prefix,
        prefix: &prefix,
        tools: vec![agent.as_str()],
    };
    let naming = Naming::of(&[surface]);
    naming
        .shown(&prefix, agent.as_str())
        .map_or_else(String::new, ToString::to_string)
}

/// What an agent says of itself as a tool.
#[must_use]
pub fn tool(name: &Name, agent: &Agent) -> Value {
    let about = match &agent.description {
        Some(description) => format!("{description} (an agent: it works by itself and answers in words)"),
        None => format!("Has the agent {name} work at something, by itself; it answers in words"),
    };
    json!({
        "name": shown(name),
        "description": about,
        "inputSchema": {
            "type": "object",
            "properties": {
                "message": {"type": "string", "description": "What it is to do, with all that it needs to know"},
                "threadId": {
                    "type": "string",
                    "description": "To go on with what was said before: _meta.threadId of an earlier result",
                },
            },
            "required": ["message"],
        },
    })
}

impl Gateway {
    /// The agents of a project that somebody may run.
    fn agents_of(&self, view: &View, principal: &Principal) -> Vec<Arc<Object>> {
        let Target::Project(project) = &view.target else {
            return Vec::new();
        };
        let snapshot = self.0.store.snapshot();
        let agents = snapshot.of_kind(Kind::Agent).filter(|agent| {
            let is_of_project = agent
                .spec::<Agent>()
                .is_some_and(|spec| spec.project.as_ref() == Some(project));
            is_of_project && agent.deleting_since.is_none() && snapshot.decide(principal, Role::Run, agent).is_allowed
        });
        let mut agents: Vec<_> = agents.cloned().collect();
        agents.sort_by(|one, other| one.object.name.cmp(&other.object.name));
        agents
    }

    /// The agents of a project as tools, for whoever may run them.
    pub(super) fn agents_for(&self, view: &View, principal: &Principal) -> Vec<Value> {
        let agents = self.agents_of(view, principal);
        let tools = agents
            .iter()
            .filter_map(|agent| Some(tool(&agent.object.name, agent.spec::<Agent>()?)));
        tools.collect()
    }

    /// Has an agent work.
    pub(super) async fn delegate(&self, asked: &Asked<'_>, called: &str) -> Reply {
        let mut note = match self.enter_own(asked, called) {
            Ok(note) => note,
            Err(limited) => return limited,
        };
        let agents = self.agents_of(asked.view, asked.principal);
        let Some(agent) = agents.iter().find(|known| shown(&known.object.name) == called) else {
            let everybody = self.agents_of(asked.view, &Principal::daemon());
            if let Some(barred) = everybody.iter().find(|known| shown(&known.object.name) == called) {
                let decision = self.0.store.snapshot().decide(asked.principal, Role::Run, barred);
                note.decided(asked.principal, &decision);
            }
            note.forbidden("unknown tool").await;
            return Reply::Now(error(code::INVALID_PARAMS, format!("Unknown tool: {called}")));
        };
        let params = Members::of_params(asked.request.params.as_deref());
        let arguments = params.members("arguments").unwrap_or_default();
        let Some(message) = arguments.text("message").filter(|message| !message.trim().is_empty()) else {
            let told = json!({"content": [{"type": "text", "text": "`message` is needed: what the agent is to do"}], "isError": true});
            let outcome = own_result(&asked.side, told);
            note.answered(&outcome);
            return Reply::Now(outcome);
        };
        let under_way = match &asked.side {
            Side::Legacy(session) => match session.under_way(&asked.request.id, &agent.uid) {
                Some(under_way) => Some(under_way),
                None => {
                    note.refused("the id is taken");
                    let message = "a request with this id is under way in this session";
                    return Reply::Now(error(code::INVALID_REQUEST, message));
                }
            },
            Side::Modern(_) => None,
        };
        let token = params
            .members("_meta")
            .and_then(|meta| meta.get("progressToken").map(ToOwned::to_owned));
        let (progress, told) = mpsc::unbounded_channel();
        let working = (self.0.delegate)(Delegated {
            principal: asked.principal.clone(),
            agent: agent.object.name.clone(),
            message,
            thread: arguments.text("threadId").filter(|thread| !thread.is_empty()),
            progress,
        });
        Reply::Work(Work::Delegated(Box::new(Delegating {
            side: asked.side.clone(),
            note,
            working: Some(working),
            told,
            token,
            count: 0,
            cancelled: under_way
                .as_ref()
                .map_or_else(CancellationToken::new, |under_way| under_way.token.clone()),
            _under_way: under_way,
        })))
    }
}

/// A request that an agent works at.
pub(super) struct Delegating {
    side: Side,
    note: Note,
    working: Option<Working>,
    told: mpsc::UnboundedReceiver<String>,
    /// What the client wants progress to be told with.
    token: Option<Raw>,
    count: u64,
    cancelled: CancellationToken,
    _under_way: Option<UnderWay>,
}

impl Delegating {
    /// What comes next.
    pub(super) async fn step(&mut self) -> Step {
        loop {
            let Some(working) = &mut self.working else {
                return Step::Cancelled;
            };
            let said = tokio::select! {
                biased;
                () = self.cancelled.cancelled() => {
                    self.working = None;
                    self.note.cancelled();
                    return Step::Cancelled;
                }
                Some(text) = self.told.recv() => {
                    match self.progress(&text) {
                        Some(message) => return Step::Message(message),
                        None => continue,
                    }
                }
                said = working => said,
            };
            self.working = None;
            let outcome = own_result(&self.side, result_of(said));
            self.note.answered(&outcome);
            return Step::Last(outcome);
        }
    }

    /// What the agent does meanwhile, for a client that wants to know.
    fn progress(&mut self, text: &str) -> Option<String> {
        let token = self.token.as_ref()?;
        self.count += 1;
        let params = json!({"progressToken": token, "progress": self.count, "message": text});
        let news = Message::Notification(Notification {
            method: "notifications/progress".to_owned(),
            params: Some(raw(&params)),
        });
        Some(news.to_json())
    }
}

/// What an agent has said, as the result of a tool.
fn result_of(said: Result<AgentSaid, Problem>) -> Value {
    match said {
        Ok(AgentSaid { text, thread }) => json!({
            "content": [{"type": "text", "text": text}],
            "_meta": {"threadId": thread},
        }),
        Err(problem) => json!({
            "content": [{"type": "text", "text": format!("{} ({})", problem.detail, problem.code)}],
            "isError": true,
        }),
    }
}

impl Drop for Delegating {
    fn drop(&mut self) {
        if self.working.is_some() {
            self.note.cancelled();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tools_of_agents_are_told_by_their_names() {
        for (name, is) in [
            ("agent__reviewer", true),
            ("agent_reviewer", false),
            ("agents__reviewer", false),
            ("agent-server__reviewer", false),
        ] {
            assert_eq!(is_agent(name), is, "{name}");
        }
        assert_ne!(instead().as_str(), PREFIX);
        for length in [1, 57, 58, 63] {
            let name = shown(&"a".repeat(length).parse().unwrap());
            assert!(is_agent(&name) && name.len() <= 64, "{name}");
        }
    }

    #[test]
    fn an_answer_says_where_it_is_gone_on_with() {
        let said = AgentSaid {
            text: "done".to_owned(),
            thread: "t".to_owned(),
        };
        let told = result_of(Ok(said));
        assert_eq!(
            (&told["_meta"]["threadId"], told["content"][0]["text"].as_str()),
            (&json!("t"), Some("done"))
        );
    }
}
