//! What stands beside the API behind the same door: the gateway for MCP clients, and the door to the models.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use orch_shared::access::Principal;
use orch_shared::problem::Problem;

use crate::admission::{self, Admission, Providers, Shut};
use crate::api::{Answered, Beside, Route};
use crate::gateway::Gateway;
use crate::inference::{Inference, Keys, Prober, Unkeyed};

/// Both of them. Cheap to clone.
#[derive(Clone)]
pub(super) struct Doors {
    pub(super) gateway: Gateway,
    pub(super) inference: Inference,
}

impl Beside for Doors {
    fn route(path: &str) -> Option<Route> {
        let of = |answered| move |pattern| Route { pattern, answered };
        Gateway::route(path)
            .map(of(Answered::ByLeader))
            .or_else(|| Inference::route(path).map(of(Answered::Anywhere)))
    }

    async fn answer(&self, principal: Principal, request: Request<Body>) -> Response {
        match Gateway::route(request.uri().path()) {
            Some(_) => self.gateway.serve(principal, request).await,
            None => self.inference.serve(principal, request).await,
        }
    }

    fn refusal(path: &str, problem: &Problem, status: StatusCode) -> Option<Response> {
        Inference::refusal(path, problem, status)
    }
}

/// Opens the keys of providers.
pub(super) fn keys(admission: Admission) -> Keys {
    std::sync::Arc::new(move |key, snapshot| {
        let admission = admission.clone();
        Box::pin(async move {
            let opened = admission::open_key(&admission, &snapshot, &key).await;
            opened.map_err(|Shut { why, is_passing }| Unkeyed { why, is_passing })
        })
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
