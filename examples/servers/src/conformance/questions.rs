//! Asking the client: for a sample of its model, for words of its user, for its roots.
//!
//! A modern client gets the questions as a result and calls again with the answers; a client of the older era is asked
//! over its session while the call waits. Either way the answers come out keyed by question.

use std::collections::BTreeMap;

use rmcp::RoleServer;
use rmcp::model::{
    ClientCapabilities, ErrorData, InputRequest, InputRequests, InputRequiredResult, InputResponses, ProtocolVersion,
    ServerRequest,
};
use rmcp::service::RequestContext;
use serde_json::Value;

use crate::seal;

/// What is to be asked for one call, and what the call brought along.
#[derive(Debug)]
pub(crate) struct Questions<'a> {
    /// What the state is bound to.
    pub(crate) name: &'a str,
    /// One round after the other.
    pub(crate) rounds: Vec<InputRequests>,
    /// Whether a state goes along even if there is but one round.
    pub(crate) stateful: bool,
    pub(crate) responses: Option<InputResponses>,
    pub(crate) state: Option<String>,
}

/// What came of asking.
#[derive(Debug)]
pub(crate) enum Asked {
    /// The answers of the last round.
    Answered(BTreeMap<String, Value>),
    /// The client must call again.
    Again(InputRequiredResult),
}

impl Questions<'_> {
    /// Asks, as this client can be asked.
    pub(crate) async fn ask(self, context: &RequestContext<RoleServer>) -> Result<Asked, ErrorData> {
        if is_modern(context) {
            self.by_result()
        } else {
            self.over_the_session(context).await.map(Asked::Answered)
        }
    }

    fn by_result(self) -> Result<Asked, ErrorData> {
        let round = match &self.state {
            Some(state) => seal::open(self.name, state)
                .filter(|round| *round < self.rounds.len())
                .ok_or_else(|| ErrorData::invalid_params("the request state is not one of this server", None))?,
            None => 0,
        };
        let wanted = &self.rounds[round];
        let answers = self.responses.unwrap_or_default();
        if !wanted
            .iter()
            .all(|(key, request)| answers.get(key).is_some_and(|answer| fits(request, answer)))
        {
            return Ok(Asked::Again(again(wanted, self.stateful, self.name, round)));
        }
        match self.rounds.get(round + 1) {
            Some(next) => Ok(Asked::Again(again(next, self.stateful, self.name, round + 1))),
            None => Ok(Asked::Answered(answers)),
        }
    }

    async fn over_the_session(
        self,
        context: &RequestContext<RoleServer>,
    ) -> Result<BTreeMap<String, Value>, ErrorData> {
        let mut answers = BTreeMap::new();
        for (key, request) in self.rounds.into_iter().flatten() {
            let request = match request {
                InputRequest::CreateMessage(request) => ServerRequest::CreateMessageRequest(request),
                InputRequest::Elicitation(request) => ServerRequest::ElicitRequest(request),
                InputRequest::ListRoots(request) => ServerRequest::ListRootsRequest(request),
                other => return Err(ErrorData::internal_error(format!("no way to ask {other:?}"), None)),
            };
            let answer = context.peer.send_request(request).await;
            let answer = answer.map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
            let answer =
                serde_json::to_value(answer).map_err(|error| ErrorData::internal_error(error.to_string(), None))?;
            answers.insert(key, answer);
        }
        Ok(answers)
    }
}

fn again(requests: &InputRequests, stateful: bool, name: &str, round: usize) -> InputRequiredResult {
    let state = stateful.then(|| seal::seal(name, round));
    InputRequiredResult::new(Some(requests.clone()), state)
}

/// Whether an answer has the shape of what was asked.
fn fits(request: &InputRequest, answer: &Value) -> bool {
    match request {
        InputRequest::CreateMessage(_) => answer["content"].is_object() || answer["content"].is_array(),
        InputRequest::Elicitation(_) => match answer["action"].as_str() {
            Some("accept") => answer["content"].is_object(),
            Some("decline" | "cancel") => true,
            Some(_) | None => false,
        },
        InputRequest::ListRoots(_) => answer["roots"].is_array(),
        _ => false,
    }
}

/// Whether the client of this call speaks the era without sessions.
pub(crate) fn is_modern(context: &RequestContext<RoleServer>) -> bool {
    context
        .protocol_version()
        .is_some_and(|version| version >= ProtocolVersion::V_2026_07_28)
}

/// Whether the client said that it can be asked this.
pub(crate) fn can(capabilities: Option<&ClientCapabilities>, request: &InputRequest) -> bool {
    capabilities.is_some_and(|capabilities| match request {
        InputRequest::CreateMessage(_) => capabilities.sampling.is_some(),
        InputRequest::Elicitation(_) => capabilities.elicitation.is_some(),
        InputRequest::ListRoots(_) => capabilities.roots.is_some(),
        _ => false,
    })
}
