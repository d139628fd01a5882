//! Who did what, for those who may know it: entries, sessions, and whether the log is as it was written.

use std::time::Duration;

use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use orch_shared::access::{Operation, Principal};
use orch_shared::audit::{Entries, Mark, NoMark, Parameters, SessionParameters, Sessions, VerifyParameters};
use orch_shared::kind::Kind;
use orch_shared::problem::{Code, Problem};
use orch_shared::quantity::Span;
use orch_shared::resource::Timestamp;

use super::dispatch::json;
use super::problem::Refusal;
use super::stream::respond;
use super::watch::{SSE, kind_of, resumed};
use super::{Api, body};
use crate::admission;
use crate::store::{AuditQuery, SessionQuery};

/// How often a stream looks for new entries.
const LOOK: Duration = Duration::from_millis(250);
/// Most entries at once.
const MOST: u32 = 1000;

/// Entries, and with `watch` those that come.
pub(super) async fn entries(api: &Api, principal: &Principal, parts: &Parts) -> Result<Response, Refusal> {
    admission::operate(principal, Operation::Audit)?;
    let parameters: Parameters = body::query(&parts.uri)?;
    let now = api.admission.store.clock().now();
    let follows = parameters
        .watch
        .as_deref()
        .is_some_and(|watch| watch == "1" || watch == "true");
    let limit = parameters.limit.unwrap_or(100).clamp(1, MOST);
    let query = AuditQuery {
        target: parameters.target.as_deref().map(target).transpose()?,
        from: parameters.from.as_deref().map(|from| instant(now, from)).transpose()?,
        to: parameters.to.as_deref().map(|to| instant(now, to)).transpose()?,
        user: parameters.user,
        token: parameters.token,
        project: parameters.project,
        session: parameters.session,
        kind: parameters.kind,
        verb: parameters.verb,
        outcome: parameters.outcome,
        before: parameters.before,
        after: resumed(&parts.headers)?.or(parameters.after),
        limit: limit + 1,
    };
    let store = api.admission.store.clone();
    // Whoever follows without a place to begin at is shown what comes from now on, behind the newest there are.
    let newest = match (follows, query.after) {
        (true, None) => {
            store
                .audit(&AuditQuery {
                    limit: 1,
                    ..AuditQuery::default()
                })
                .await?
        }
        (true, Some(_)) | (false, _) => vec![],
    };
    let mut items = store.audit(&query).await?;
    if !follows {
        let is_more = items.len() > limit as usize;
        if is_more && query.after.is_some() {
            items.truncate(limit as usize);
        } else if is_more {
            items.remove(0);
        }
        let before = items.first().filter(|_| is_more && query.after.is_none());
        let before = before.map(|first| first.sequence);
        return Ok(json(StatusCode::OK, &Entries { items, before }));
    }
    let surplus = items.len().saturating_sub(limit as usize);
    if query.after.is_none() {
        items.drain(..surplus);
    }
    let mut last = query.after.or(newest.first().map(|entry| entry.sequence)).unwrap_or(0);
    Ok(respond(SSE, api.shutdown.clone(), |sink| async move {
        loop {
            for entry in items.drain(..) {
                last = last.max(entry.sequence);
                let text = serde_json::to_string(&entry).expect("an entry is plain data");
                let event = format!("id: {}\ndata: {text}\n\n", entry.sequence);
                if sink.send(event).await.is_err() {
                    return;
                }
            }
            if sink.until(tokio::time::sleep(LOOK)).await.is_err() {
                return;
            }
            let newer = AuditQuery {
                after: Some(last),
                limit: MOST,
                ..query.clone()
            };
            // A database that does not answer now may do so at the next look.
            if let Ok(found) = store.audit(&newer).await {
                items = found;
            }
        }
    }))
}

/// What was done in each session, and outside of any.
pub(super) async fn sessions(api: &Api, principal: &Principal, parts: &Parts) -> Result<Response, Refusal> {
    admission::operate(principal, Operation::Audit)?;
    let parameters: SessionParameters = body::query(&parts.uri)?;
    let now = api.admission.store.clock().now();
    let query = SessionQuery {
        from: parameters.from.as_deref().map(|from| instant(now, from)).transpose()?,
        to: parameters.to.as_deref().map(|to| instant(now, to)).transpose()?,
        user: parameters.user,
        project: parameters.project,
        limit: parameters.limit.unwrap_or(200).clamp(1, MOST),
    };
    let items = api.admission.store.audit_sessions(&query).await?;
    Ok(json(StatusCode::OK, &Sessions { items }))
}

/// Checks a stretch of the chain.
pub(super) async fn verify(api: &Api, principal: &Principal, parts: &Parts) -> Result<Response, Refusal> {
    admission::operate(principal, Operation::Audit)?;
    let parameters: VerifyParameters = body::query(&parts.uri)?;
    let mark = |text: Option<String>| {
        let parsed = text.map(|text| text.parse::<Mark>()).transpose();
        parsed.map_err(|error: NoMark| Problem::new(Code::BadRequest, error.to_string()))
    };
    let (after, kept) = (mark(parameters.after)?, mark(parameters.kept)?);
    let walked = api.admission.store.audit_walk(after, kept.as_ref()).await?;
    Ok(json(StatusCode::OK, &walked))
}

/// An instant, or how long ago it was.
pub(super) fn instant(now: Timestamp, text: &str) -> Result<Timestamp, Problem> {
    if let Ok(instant) = text.parse() {
        return Ok(instant);
    }
    let ago = text.parse::<Span>().map_err(|_| {
        Problem::new(Code::BadRequest, format!("`{}` is no instant", text.escape_default()))
            .suggest("a duration ago, such as 2h, or an instant such as 2026-11-21T04:12:09Z")
    })?;
    let millis = i64::try_from(ago.duration().as_millis()).unwrap_or(i64::MAX);
    Ok(Timestamp::from_millis(now.millis().saturating_sub(millis)))
}

/// A kind, or an object of it: `secrets`, `secret/gitea`.
fn target(text: &str) -> Result<(Kind, Option<String>), Problem> {
    match text.split_once('/') {
        None => Ok((kind_of(text)?, None)),
        Some((noun, name)) => Ok((kind_of(noun)?, Some(name.to_owned()))),
    }
}
