//! What was asked of models, summed up: of oneself, and with the operation `usage` of everybody.

use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use orch_shared::access::{Operation, Principal};
use orch_shared::problem::{Code, Problem};
use orch_shared::usage::{By, Parameters, Usage};

use super::audit::instant;
use super::dispatch::json;
use super::problem::Refusal;
use super::{Api, body};
use crate::admission;
use crate::store::UsageQuery;

/// So many groups are told, unless more are asked for.
const USUAL: u32 = 1000;
/// Most groups at once.
const MOST: u32 = 10_000;

/// Sums of calls.
pub(super) async fn usage(api: &Api, principal: &Principal, parts: &Parts) -> Result<Response, Refusal> {
    let parameters: Parameters = body::query(&parts.uri)?;
    let user = match parameters.user {
        // Of oneself, anybody may know it, and nobody needs to be asked.
        Some(user) if user == *principal.name => Some(user),
        None if !principal.may_operate(Operation::Usage).is_allowed => Some(principal.name.to_string()),
        user @ (Some(_) | None) => {
            admission::operate(principal, Operation::Usage)?;
            user
        }
    };
    let store = &api.admission.store;
    let now = store.clock().now();
    let by = By::list(parameters.by.as_deref().unwrap_or_default())
        .map_err(|error| Problem::new(Code::BadRequest, error.to_string()))?;
    let query = UsageQuery {
        user: user.clone(),
        token: parameters.token,
        project: parameters.project,
        llm: parameters.llm,
        agent: parameters.agent,
        from: parameters.from.as_deref().map(|from| instant(now, from)).transpose()?,
        to: parameters.to.as_deref().map(|to| instant(now, to)).transpose()?,
        by,
    };
    let all = UsageQuery {
        by: vec![],
        ..query.clone()
    };
    let total = store.usage(&all).await?.pop();
    let mut items = match query.by.is_empty() {
        true => vec![],
        false => store.usage(&query).await?,
    };
    // Days stand oldest first, and of what is too much the oldest are left out; the order within a day stays.
    let most = parameters.limit.unwrap_or(USUAL).clamp(1, MOST) as usize;
    let left_out = items.len().saturating_sub(most);
    items.sort_by(|one, other| other.key.day.cmp(&one.key.day));
    items.truncate(most);
    items.sort_by(|one, other| one.key.day.cmp(&other.key.day));
    let answer = Usage {
        by: query.by,
        user,
        items,
        total: total.map(|group| group.sums).unwrap_or_default(),
        left_out: i64::try_from(left_out).unwrap_or(i64::MAX),
    };
    Ok(json(StatusCode::OK, &answer))
}
