//! What was asked of models, summed up: of oneself, and with the operation `usage` of everybody. A token knows of what was asked
//! with it, within its projects.

use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use orch_shared::access::{Operation, Principal};
use orch_shared::kinds::token::Token;
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
    let is_own = parameters.user.as_ref().is_none_or(|user| *user == *principal.name);
    let own_token = match (principal.token(), &principal.impersonator) {
        (Some(token), None) => Some(token),
        (Some(_), Some(_)) | (None, _) => None,
    };
    let sees_all = principal.may_operate(Operation::Usage).is_allowed;
    // Of oneself, anybody may know it, and nobody needs to be asked.
    let is_oneself = is_own && (principal.is_in_person() || own_token.is_some());
    let (user, token) = match parameters.user {
        _ if is_oneself && !sees_all => {
            let token = match (own_token, parameters.token) {
                (Some(own), Some(other)) if own != other => {
                    let detail = "a token knows of what was asked with it alone";
                    return Err(Problem::new(Code::Forbidden, detail)
                        .suggest("that needs the operation `usage`")
                        .into());
                }
                (Some(own), _) => Some(own.to_owned()),
                (None, token) => token,
            };
            (Some(principal.name.to_string()), token)
        }
        Some(user) if is_oneself => (Some(user), parameters.token),
        user => {
            admission::operate(principal, Operation::Usage)?;
            (user, parameters.token)
        }
    };
    let store = &api.admission.store;
    let within = match own_token.filter(|_| !sees_all) {
        None => None,
        Some(token) => api.authenticator.projects_of(token),
    };
    let now = store.clock().now();
    // Who bore the name before is somebody else, and so is a token of that name.
    let own = [principal.subject.object(), own_token.and_then(Token::called)];
    let born = own.into_iter().flatten().filter(|_| is_oneself && !sees_all);
    let born = {
        let snapshot = store.snapshot();
        born.filter_map(|own| Some(snapshot.get(&own)?.created_at)).max()
    };
    let from = parameters.from.as_deref().map(|from| instant(now, from)).transpose()?;
    let by = By::list(parameters.by.as_deref().unwrap_or_default())
        .map_err(|error| Problem::new(Code::BadRequest, error.to_string()))?;
    let query = UsageQuery {
        user: user.clone(),
        token,
        project: parameters.project,
        within: within.map(|projects| projects.iter().map(ToString::to_string).collect()),
        llm: parameters.llm,
        agent: parameters.agent,
        from: from.into_iter().chain(born).max(),
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
