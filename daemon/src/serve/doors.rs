//! What stands beside the API behind the same door: the gateway for MCP clients, the door to the models, and agents.

use std::sync::{Arc, OnceLock};

use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use orch_shared::problem::{Code, Problem};

use crate::admission::{self, Admission, Providers, Shut};
use crate::agents::Agents;
use crate::api::{self, Answered, Beside, Route, Unanswered};
use crate::asker::Asker;
use crate::gateway::{self, Gateway};
use crate::inference::{self, Inference, Keys, Prober, Unkeyed};

/// All of them. Cheap to clone.
#[derive(Clone)]
pub(super) struct Doors {
    pub(super) gateway: Gateway,
    pub(super) inference: Inference,
    pub(super) agents: Agents,
}

impl Beside for Doors {
    fn route(path: &str) -> Option<Route> {
        let of = |answered| move |pattern| Route { pattern, answered };
        Gateway::route(path)
            .map(of(Answered::ByLeader))
            .or_else(|| Inference::route(path).map(of(Answered::Anywhere)))
            .or_else(|| api::pattern_of_agents(path).map(of(Answered::ByLeaderAtLength)))
    }

    async fn answer(&self, asker: Asker, request: Request<Body>) -> Result<Response, Unanswered> {
        let path = request.uri().path();
        if Gateway::route(path).is_some() {
            let answered = self.gateway.serve(asker, request).await;
            return answered.map_err(|problem| Unanswered::Refused(Box::new(problem)));
        }
        match api::pattern_of_agents(path) {
            Some(_) => Ok(Box::pin(api::talk(&self.agents, asker, request)).await),
            None => self
                .inference
                .serve(asker, request)
                .await
                .map_err(|otherwise| match otherwise {
                    inference::Otherwise::Elsewhere(request) => Unanswered::ByLeader(request),
                    inference::Otherwise::Gone(problem) => Unanswered::Refused(problem),
                }),
        }
    }

    fn refusal(path: &str, problem: &Problem, status: StatusCode) -> Option<Response> {
        Inference::refusal(path, problem, status)
    }
}

/// Opens the keys of providers.
pub(super) fn keys(admission: Admission) -> Keys {
    Arc::new(move |key, snapshot| {
        let admission = admission.clone();
        Box::pin(async move {
            let opened = admission::open_key(&admission, &snapshot, &key).await;
            opened.map_err(|Shut { why, is_passing }| Unkeyed { why, is_passing })
        })
    })
}

/// Has agents work for clients of the gateway. They are opened after it: until then there are none.
pub(super) fn delegate(agents: Arc<OnceLock<Agents>>) -> gateway::Delegate {
    Arc::new(move |delegated| {
        let agents = Arc::clone(&agents);
        Box::pin(async move {
            match agents.get() {
                Some(agents) => agents.delegated(delegated).await,
                None => Err(Problem::new(Code::ShuttingDown, "agents are not at work yet").retry_after(1)),
            }
        })
    })
}

/// Has models help with what clients of the gateway are told.
pub(super) fn think(inference: Inference) -> gateway::Think {
    Arc::new(move |question| {
        let inference = inference.clone();
        let gateway::Question {
            tier,
            principal,
            project,
            text,
            patience,
        } = question;
        let question = inference::Question {
            tier,
            principal,
            project,
            text,
            patience,
        };
        Box::pin(async move { inference.help(question).await })
    })
}

/// The way to providers, for those who ask how they are.
pub(super) fn providers() -> Providers {
    let prober = Prober::default();
    Providers::new(move |spec, key, probe| {
        let prober = prober.clone();
        Box::pin(async move { prober.ask(&spec, key.as_ref(), probe).await })
    })
}
