//! What stands beside the API behind the same door: the gateway for MCP clients, and the door to the models.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use axum::response::Response;
use orch_shared::access::Principal;
use orch_shared::kind::Kind;
use orch_shared::kinds::secret::Secret;
use orch_shared::name::ObjectRef;
use orch_shared::problem::Problem;

use crate::admission::{Admission, Closed, Opener};
use crate::api::{Answered, Beside, Route};
use crate::gateway::Gateway;
use crate::inference::{Inference, Keys, Unkeyed};
use crate::secrets::Place;

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

    async fn answer(&self, principal: Principal, request: Request<Body>) -> Result<Response, Request<Body>> {
        match Gateway::route(request.uri().path()) {
            Some(_) => Ok(self.gateway.serve(principal, request).await),
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
            let secret = ObjectRef::cluster(Kind::Secret, key.name.clone());
            let found = snapshot.get(&secret).and_then(|object| object.spec::<Secret>());
            let value = found.and_then(|spec| spec.data.as_ref()?.get(&key.key));
            let value = value.ok_or_else(|| Unkeyed {
                why: format!("{secret} has no key `{}`", key.key),
                is_passing: false,
            })?;
            let place = Place {
                object: &secret,
                key: &key.key,
            };
            let mut opener = Opener::new(&admission.keyring, &admission.backends, &snapshot);
            opener.open(place, value).await.map_err(|closed| Unkeyed {
                why: closed.to_string(),
                is_passing: match &closed {
                    Closed::Away(away) => away.is_passing(),
                    Closed::Sealed(_) => false,
                },
            })
        })
    })
}
