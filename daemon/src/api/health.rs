//! How the daemon fares: for supervisors, scrapers and people.

use std::collections::BTreeMap;

use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use orch_shared::access::{Operation, Principal, Visibility};
use orch_shared::kind::Kind;
use orch_shared::kinds::API_VERSION;
use orch_shared::kinds::instance::Instance;
use orch_shared::wire::{Check, DaemonStatus, Readiness, Version};

use super::Api;
use super::dispatch::json;
use super::problem::Refusal;
use crate::admission;
use crate::asker::Asker;

/// The daemon's version.
pub(super) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// The process lives.
pub(super) async fn healthz() -> &'static str {
    "ok\n"
}

/// Everything that must work does.
pub(super) async fn readyz(State(api): State<Api>) -> Response {
    let checks = checks(&api);
    let ready = checks.iter().all(|check| check.ok);
    let status = if ready {
        StatusCode::OK
    } else {
        StatusCode::SERVICE_UNAVAILABLE
    };
    json(status, &Readiness { ready, checks })
}

fn checks(api: &Api) -> Vec<Check> {
    let mut checks = api.admission.store.health();
    let going = api.shutdown.is_cancelled();
    checks.push(Check {
        name: "serving".to_owned(),
        ok: !going,
        message: going.then(|| "the daemon is shutting down".to_owned()),
    });
    checks
}

pub(super) async fn version() -> Response {
    json(
        StatusCode::OK,
        &Version {
            version: VERSION.to_owned(),
            api_version: API_VERSION.to_owned(),
        },
    )
}

pub(super) async fn metrics(
    State(api): State<Api>,
    Extension(principal): Extension<Asker>,
) -> Result<Response, Refusal> {
    admission::operate(&principal, Operation::Metrics)?;
    let snapshot = api.admission.store.snapshot();
    api.metrics
        .instances(&instances_by_phase(&snapshot, &Visibility::Everything));
    api.metrics.store(&api.admission.store.counters());
    api.metrics.audit(&api.ledger.standing());
    api.metrics.usage(&api.usage.standing());
    let text = api.metrics.encode();
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    Ok(([(header::CONTENT_TYPE, kind)], text).into_response())
}

/// How many instances that somebody may see there are in each phase.
fn instances_by_phase(snapshot: &crate::store::Snapshot, visibility: &Visibility) -> BTreeMap<String, i64> {
    let mut phases = BTreeMap::new();
    let instances = snapshot.of_kind(Kind::Instance);
    for object in instances.filter(|object| snapshot.shows(visibility, object)) {
        let phase = object
            .status::<Instance>()
            .and_then(|status| status.phase)
            .unwrap_or_default();
        *phases.entry(format!("{phase:?}")).or_default() += 1;
    }
    phases
}

pub(super) async fn status(api: &Api, principal: &Principal) -> Result<Response, Refusal> {
    let store = &api.admission.store;
    let counts = store.counts(&principal.visibility).await?;
    let status = DaemonStatus {
        version: VERSION.to_owned(),
        daemon_id: store.daemon_id().to_owned(),
        started_at: api.started_at,
        revision: store.revision().await?,
        database: store.database().to_owned(),
        checks: checks(api),
        objects: counts
            .into_iter()
            .map(|(kind, count)| (kind.to_string(), count))
            .collect(),
        instances: instances_by_phase(&store.snapshot(), &principal.visibility),
        audit: api.ledger.standing(),
    };
    Ok(json(StatusCode::OK, &status))
}
