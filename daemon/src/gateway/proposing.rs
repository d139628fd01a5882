//! Prompts that a client proposes: `propose_prompt` hands them to whoever admits objects, and people decide.
//!
//! Until they have, the session that proposed one finds it among its resources, and nobody else does. A client of the
//! newer era that has no session yet is given the handle of one with the answer.

use std::pin::Pin;
use std::sync::Arc;

use orch_shared::access::{Principal, Role};
use orch_shared::jsonrpc::{Members, Request};
use orch_shared::kind::{Kind, downcast};
use orch_shared::kinds::prompt_request::{PromptRequest, Verdict};
use orch_shared::name::{Name, ObjectRef, Scope};
use orch_shared::problem::Problem;
use orch_shared::system::Text;
use serde_json::{Value, json};

use super::Gateway;
use super::gate::{ARGUMENT, Whose};
use super::methods::{Asked, Reply, own_result};
use super::protocol::META_SESSION;
use super::session::{Session, notification};
use super::view::Target;
use crate::store::Object;

/// The tool that proposes.
pub(super) const TOOL: &str = "propose_prompt";
/// What the URIs of proposals begin with.
pub(super) const REQUEST_URI: &str = "orch://promptrequests/";
/// The longest text that is proposed, in bytes.
const LONGEST: usize = 64 << 10;

/// A prompt that somebody proposes in a session.
pub struct Proposed {
    /// Who.
    pub principal: Principal,
    /// Where.
    pub project: Name,
    /// The SHA-256 of the session's id.
    pub session: String,
    /// What.
    pub proposal: PromptRequest,
}

/// Takes what is proposed, and says what it is called now, and which revision shows it; or why it is not taken.
pub type Propose =
    Arc<dyn Fn(Proposed) -> Pin<Box<dyn Future<Output = Result<(ObjectRef, i64), Problem>> + Send>> + Send + Sync>;

/// What the tool says of itself.
pub(super) fn tool() -> Value {
    json!({
        "name": TOOL,
        "description": "Proposes a prompt for this project: what others should know who work at the same. \
            Somebody approves or rejects it; until then only this session sees it.",
        "inputSchema": {
            "type": "object",
            "properties": {
                "name": {"type": "string", "description": "What to call it: lower-case letters, digits and dashes"},
                "content": {"type": "string", "description": "The text, in Markdown"},
                "summary": {"type": "string", "description": "What it says, in a sentence"},
                "tags": {"type": "array", "items": {"type": "string"}, "description": "Words by which it is found"},
                "priority": {"type": "integer", "minimum": 1, "maximum": 100, "description": "Its rank; 50 unless it matters"},
            },
            "required": ["name", "content"],
        },
        "annotations": {"readOnlyHint": false, "destructiveHint": false, "openWorldHint": false},
    })
}

/// A proposal, as its session sees it in a list.
pub(super) fn resource(proposal: &Object) -> Value {
    let name = &proposal.object.name;
    let summary = proposal
        .spec::<PromptRequest>()
        .and_then(|spec| spec.summary.as_deref());
    json!({
        "uri": format!("{REQUEST_URI}{name}"),
        "name": name,
        "description": format!("Proposed, waits for approval. {}", summary.unwrap_or_default()).trim(),
        "mimeType": "text/markdown",
    })
}

impl Gateway {
    /// Whether somebody is offered to propose: it takes the right to use the project.
    pub(super) fn may_propose(&self, asked: &Asked<'_>) -> bool {
        let may = |project| self.0.store.snapshot().decide(asked.principal, Role::Run, project);
        asked.view.single().is_none() && may(&asked.view.object).is_allowed
    }

    /// Takes a proposal.
    pub(super) async fn propose(&self, asked: &Asked<'_>) -> Reply {
        let mut note = match self.enter_own(asked, TOOL) {
            Ok(note) => note,
            Err(limited) => return limited,
        };
        let Target::Project(project) = &asked.view.target else {
            return Reply::Now(super::methods::unknown_method(TOOL));
        };
        let refused = |told: String| {
            own_result(
                &asked.side,
                json!({"content": [{"type": "text", "text": told}], "isError": true}),
            )
        };
        let proposal = match proposal_of(&asked.request) {
            Ok(proposal) => proposal,
            Err(told) => {
                let outcome = refused(told);
                note.answered(&outcome);
                return Reply::Now(outcome);
            }
        };
        let (session, handle) = match self.session_for(asked).await {
            Ok(session) => session,
            Err(reply) => {
                note.refused("there is no session to propose in");
                return reply;
            }
        };
        let prompt = proposal.prompt.clone();
        let proposed = (self.0.propose)(Proposed {
            principal: Principal::clone(asked.principal),
            project: project.clone(),
            session: session.hash.clone(),
            proposal,
        });
        let outcome = match proposed.await {
            Ok((request, revision)) => {
                // Whoever lists next must find it.
                self.0.store.wait_for(revision).await;
                self.tell(&session, &notification("notifications/resources/list_changed", None));
                let uri = format!("{REQUEST_URI}{}", request.name);
                let values = [
                    ("name", prompt.as_str()),
                    ("request", request.name.as_str()),
                    ("project", project.as_str()),
                ];
                let mut text = self.say(Text::ProposalAnswer, &values);
                let mut structured = json!({"request": request.name, "uri": uri});
                if let Some(handle) = handle {
                    text.push_str(&format!("\n\nTo see it, send {handle} in _meta[\"{META_SESSION}\"]."));
                    structured["session"] = json!(handle);
                }
                own_result(
                    &asked.side,
                    json!({"content": [{"type": "text", "text": text}], "structuredContent": structured}),
                )
            }
            Err(problem) => refused(match &problem.suggestion {
                Some(suggestion) => format!("{}; {suggestion}", problem.detail),
                None => problem.detail.clone(),
            }),
        };
        note.answered(&outcome);
        Reply::Now(outcome)
    }

    /// The session that something is proposed in, and its handle where it was made for that.
    async fn session_for(&self, asked: &Asked<'_>) -> Result<(Arc<Session>, Option<String>), Reply> {
        match self.whose(asked).await.map_err(Reply::Now)? {
            Whose::Session(session) => Ok((session, None)),
            Whose::Nobody | Whose::Lost => {
                let (handle, session) = self.hand_out(asked).await?;
                Ok((session, Some(handle)))
            }
        }
    }

    /// What the session of a request has proposed and nobody has decided about.
    pub(super) async fn proposals_of(&self, asked: &Asked<'_>) -> Vec<Arc<Object>> {
        let Target::Project(project) = &asked.view.target else {
            return Vec::new();
        };
        let scope = Scope::Project(project.clone());
        let snapshot = self.0.store.snapshot();
        let proposals = snapshot.of_kind(Kind::PromptRequest);
        let mut own: Vec<_> = proposals
            .filter(|proposal| proposal.object.scope == scope)
            .cloned()
            .collect();
        if own.is_empty() {
            return own;
        }
        let Ok(Some(session)) = self.whose(asked).await.map(Whose::session) else {
            return Vec::new();
        };
        own.retain(|proposal| {
            let status = proposal.status::<PromptRequest>();
            status.is_some_and(|status| status.phase == Verdict::Pending && status.session == session.hash)
        });
        own.sort_by(|one, other| one.object.name.cmp(&other.object.name));
        own
    }
}

/// What is proposed; or what is wrong with it, in words.
fn proposal_of(request: &Request) -> Result<PromptRequest, String> {
    let params = Members::of_params(request.params.as_deref());
    let arguments = params.get("arguments").map_or("{}", |arguments| arguments.get());
    let mut spec: Value = serde_json::from_str(arguments).unwrap_or_default();
    let Some(members) = spec.as_object_mut() else {
        return Err("the arguments must be an object".to_owned());
    };
    // Whose session it is, it says as every other tool.
    members.remove(ARGUMENT);
    members.retain(|_, value| !value.is_null());
    if let Some(name) = members.remove("name") {
        members.insert("prompt".to_owned(), name);
    }
    let spec = Kind::PromptRequest.definition().parse(&spec).map_err(|problems| {
        let told = problems.iter().map(|problem| {
            let field = problem.pointer.to_string();
            let field = field.strip_prefix("spec.").unwrap_or(&field);
            let field = if field == "prompt" { "name" } else { field };
            // It is called otherwise here than in the object.
            let message = problem.message.replace("`prompt`", "`name`");
            match field {
                "spec" => message,
                field => format!("{field}: {message}"),
            }
        });
        told.collect::<Vec<_>>().join("; ")
    })?;
    let proposal = downcast::<PromptRequest>(spec.as_ref()).cloned();
    let proposal = proposal.ok_or_else(|| "the proposal cannot be read".to_owned())?;
    if proposal.content.trim().is_empty() {
        return Err("content: a prompt has a text".to_owned());
    }
    if proposal.content.len() > LONGEST {
        return Err(format!("content: the text is longer than {} KiB", LONGEST >> 10));
    }
    Ok(proposal)
}

#[cfg(test)]
mod tests {
    use super::*;
    use orch_shared::jsonrpc::{Id, raw};

    #[test]
    fn proposals_are_read_or_refused_in_words() {
        let of = |arguments: Value| {
            proposal_of(&Request {
                id: Id::number(1),
                method: "tools/call".to_owned(),
                params: Some(raw(&json!({"name": TOOL, "arguments": arguments}))),
            })
        };
        let read = of(
            json!({"name": "tone", "content": "Be kind.", "tags": ["style"], "priority": 70, "summary": null,
                "orch_session": "h"}),
        );
        let read = read.expect("a proposal");
        assert_eq!(
            (read.prompt.as_str(), read.priority, read.summary),
            ("tone", Some(70), None)
        );
        for (arguments, said) in [
            (json!({"content": "x"}), "name"),
            (json!({"name": "tone"}), "content"),
            (json!({"name": "Not A Name", "content": "x"}), "name: "),
            (json!({"name": "tone", "content": " "}), "content: a prompt has a text"),
            (json!({"name": "tone", "content": "x", "priority": 101}), "priority: "),
            (json!({"name": "tone", "content": "x", "priority": 0}), "priority: "),
            (json!({"name": "tone", "content": "x", "tags": "style"}), "tags: "),
            (json!({"name": "tone", "content": "x", "link": "a/b:c"}), "link: "),
            (
                json!({"name": "tone", "content": "x".repeat(LONGEST + 1)}),
                "longer than 64 KiB",
            ),
            (json!("x"), "must be an object"),
        ] {
            let refused = of(arguments).expect_err(said);
            assert!(refused.contains(said), "{refused}");
        }
    }
}
