//! The prompts of a project itself: what they are called, what they say, and where a linked text is read.
//!
//! A text that is read through a link is read for whoever asks: a project or server that they may not see is not there.

use std::sync::Arc;

use orch_shared::access::Principal;
use orch_shared::jsonrpc::{Members, Outcome, raw};
use orch_shared::kinds::prompt::{Link, Prompt};
use orch_shared::kinds::prompt_request::PromptRequest;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::Gateway;
use super::choosing;
use super::listing::PROMPT_URI;
use super::methods::{Asked, Reply, no_resource, own_result, renamed};
use super::proposing::REQUEST_URI;
use super::protocol::{code, error};
use super::pump::{Side, failed, not_to_be_kept};
use super::surface::Kind;
use super::upstream::COMING_UP;
use super::view::{Member, Target, View};
use crate::runtime::link::Link as Conversation;
use crate::store::Object;

impl Gateway {
    pub(super) async fn get_prompt(&self, mut asked: Asked<'_>) -> Reply {
        let written = asked.request.params.take();
        let params = Members::of_params(written.as_deref());
        let Some(name) = params.text("name") else {
            return Reply::Now(error(code::INVALID_PARAMS, "prompts/get needs `name`"));
        };
        if let Some(prompt) = own_prompt(asked.view, &name) {
            let spec = prompt.spec::<Prompt>();
            let text = match self.text_of(asked.view, asked.principal, prompt).await {
                Ok(text) => text,
                Err(outcome) => return Reply::Now(outcome),
            };
            let told = json!({
                "description": spec.and_then(|spec| spec.summary.as_deref()).unwrap_or_default(),
                "messages": [{"role": "user", "content": {"type": "text", "text": text}}],
            });
            return Reply::Now(own_result(&asked.side, told));
        }
        let Some((member, route)) = self.find(asked.view, Kind::Prompts, &name).await else {
            return Reply::Now(error(code::INVALID_PARAMS, format!("Unknown prompt: {name}")));
        };
        let params = match name == route.name {
            true => written,
            false => Some(renamed(params, &route.name)),
        };
        let member = member.clone();
        self.relay(asked, &member, params, Some(route.name), None).await
    }

    pub(super) async fn read_resource(&self, asked: Asked<'_>) -> Reply {
        let params = Members::of_params(asked.request.params.as_deref());
        let Some(uri) = params.text("uri") else {
            return Reply::Now(error(code::INVALID_PARAMS, "resources/read needs `uri`"));
        };
        let own = match self.own_text(&asked, &uri).await {
            Some(Ok(text)) => text,
            Some(Err(outcome)) => return Reply::Now(outcome),
            None => {
                let Some((member, _)) = self.find(asked.view, Kind::Resources, &uri).await else {
                    return Reply::Now(no_resource(&asked.side, &uri));
                };
                let member = member.clone();
                let params = asked.request.params.clone();
                return self.relay(asked, &member, params, Some(uri), None).await;
            }
        };
        let told = json!({"contents": [{"uri": uri, "mimeType": "text/markdown", "text": own}]});
        Reply::Now(match (&asked.side, own_result(&asked.side, told)) {
            (Side::Modern(_), Outcome::Result(result)) => Outcome::Result(not_to_be_kept(result)),
            (_, outcome) => outcome,
        })
    }

    /// The text of a resource that is the project's own; nothing when it is not.
    async fn own_text(&self, asked: &Asked<'_>, uri: &str) -> Option<Result<String, Outcome>> {
        if let Some(name) = uri.strip_prefix(REQUEST_URI) {
            let own = self.proposals_of(asked).await;
            let proposal = own.iter().find(|own| own.object.name.as_str() == name)?;
            return Some(Ok(proposal.spec::<PromptRequest>()?.content.clone()));
        }
        let prompt = own_prompt(asked.view, uri.strip_prefix(PROMPT_URI)?)?;
        Some(self.text_of(asked.view, asked.principal, prompt).await)
    }

    /// The text of a prompt: its own, and behind it that of the resource it links to.
    pub(super) async fn text_of(&self, view: &View, principal: &Principal, prompt: &Object) -> Result<String, Outcome> {
        let Some(spec) = prompt.spec::<Prompt>() else {
            return Err(error(code::INTERNAL, "the prompt cannot be read"));
        };
        let Some(link) = spec.linked() else {
            return Ok(spec.content.clone().unwrap_or_default());
        };
        let member = self.linked_member(view, principal, &link)?;
        let read = self.linked_text(&member, &link).await;
        self.note_read(prompt, &read);
        let own = spec.content.iter().cloned();
        Ok(own.chain(read?).collect::<Vec<_>>().join("\n\n"))
    }

    /// The text of a prompt as an agent is told it, for whoever speaks to the agent. What cannot be read is said to be so.
    pub async fn prompt_text(&self, principal: &Principal, prompt: &Object) -> String {
        let Some(spec) = prompt.spec::<Prompt>() else {
            return String::new();
        };
        let own = spec.content.iter().cloned();
        let Some(link) = spec.linked() else {
            return own.collect();
        };
        let reading = async {
            let target = Target::Project(link.project.clone());
            let view = View::of(&target, &self.0.store.snapshot(), principal);
            let member = offered(view.as_ref(), &link)?;
            let read = self.linked_text(&member, &link).await;
            self.note_read(prompt, &read);
            read
        };
        let read = match tokio::time::timeout(choosing::PATIENCE, reading).await {
            Ok(Ok(texts)) => texts,
            Ok(Err(refused)) => vec![choosing::unreadable(&refused)],
            Err(_) => vec![choosing::LATE.to_owned()],
        };
        own.chain(read).collect::<Vec<_>>().join("\n\n")
    }

    /// The texts of the resource that a link leads to.
    pub(super) async fn linked_text(&self, member: &Member, link: &Link<'_>) -> Result<Vec<String>, Outcome> {
        let upstream = self.upstream(member, COMING_UP).await;
        let upstream = upstream.map_err(|unavailable| unavailable.outcome(link.server.as_str()))?;
        let asking = self.ask(&upstream.link, "resources/read", json!({"uri": link.uri}));
        match asking.await {
            Ok(Outcome::Result(result)) => {
                let read: Value = serde_json::from_str(result.get()).unwrap_or_default();
                let texts = read["contents"].as_array().into_iter().flatten();
                Ok(texts
                    .filter_map(|content| content["text"].as_str().map(str::to_owned))
                    .collect())
            }
            Ok(Outcome::Error(refused)) => Err(masked(&refused, &upstream.link)),
            Err(error) => Err(failed(link.server.as_str(), &error)),
        }
    }

    /// The server that a link leads to, where its project offers it to whoever asks.
    pub(super) fn linked_member(&self, view: &View, principal: &Principal, link: &Link<'_>) -> Result<Member, Outcome> {
        let target = Target::Project(link.project.clone());
        let found;
        let offered = if view.target == target {
            Some(view)
        } else {
            found = View::of(&target, &self.0.store.snapshot(), principal);
            found.as_ref()
        };
        self::offered(offered, link)
    }
}

/// A server's refusal as whoever has asked for no more than a prompt is told it, and the prompt's status: without secrets.
fn masked(refused: &RawValue, conversation: &Conversation) -> Outcome {
    let mut members = Members::of(refused).unwrap_or_default();
    if let Some(message) = members.text("message") {
        members.set("message", raw(&conversation.masked(&message)));
    }
    if let Some(data) = members.get("data").map(|data| conversation.masked(data.get())) {
        match RawValue::from_string(data) {
            Ok(data) => members.set("data", data),
            Err(_) => drop(members.remove("data")),
        }
    }
    Outcome::Error(members.to_raw())
}

/// The server that a link leads to, where that view of the link's project has it.
fn offered(view: Option<&View>, link: &Link<'_>) -> Result<Member, Outcome> {
    let member = view.and_then(|view| view.members.iter().find(|member| member.name == link.server));
    member.cloned().ok_or_else(|| {
        let Link { project, server, .. } = link;
        let message = format!("the prompt links to server/{server}, which project/{project} does not offer");
        error(code::INTERNAL, message)
    })
}

/// The prompt of the project that has that name.
pub(super) fn own_prompt<'v>(view: &'v View, name: &str) -> Option<&'v Arc<Object>> {
    view.prompts.iter().find(|prompt| prompt.object.name.as_str() == name)
}
