//! From an address and a method to what answers it.

use axum::Extension;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use orch_shared::access::Principal;
use orch_shared::apply;
use orch_shared::kind::{Action, Kind};
use orch_shared::name::ObjectRef;
use orch_shared::problem::{Code, Problem};
use orch_shared::wire::Deleted;
use serde::Serialize;

use super::address::{self, Address};
use super::problem::Refusal;
use super::publishers::Deed;
use super::{
    Api, audit, body, deciding, forward, health, identity, list, logs, noting, object, publishers, spending, watch,
};
use crate::admission::{self, Changed};
use crate::asker::Asker;
use crate::auth;

/// Answers any request below `/api/v1`. HEAD is answered as GET; the server leaves the body out.
pub(super) async fn dispatch(
    State(api): State<Api>,
    Extension(mut principal): Extension<Asker>,
    request: Request,
) -> Result<Response, Refusal> {
    let (parts, mut body) = request.into_parts();
    let Some(address) = address::parse(parts.uri.path()) else {
        return Err(unknown(&parts.method, parts.uri.path()).into());
    };
    let method = if parts.method == Method::HEAD {
        Method::GET
    } else {
        parts.method.clone()
    };
    if method == Method::GET {
        deciding::note(&api, &principal, &address);
    } else if let Some(most) = address.takes() {
        body = body::whole(body, most).await?;
        // It may have taken its time, and what was meant to be done by then may be theirs to do no longer.
        principal.renew().await?;
    }
    let admission = &api.admission;
    match (address, method.as_str()) {
        (Address::Collection(kind, scope), "GET") => list::list(&api, &principal, kind, &scope, &parts).await,
        (Address::Collection(kind, scope), "POST") => {
            object::create(&api, &principal, kind, &scope, &parts, body).await
        }
        (Address::Object(target), "GET") => object::get(&api, &principal, target, &parts).await,
        (Address::Object(target), "PUT") => {
            let manner = object::manner(&parts)?;
            let manifest = body::json(&parts.headers, body, body::OTHER).await?;
            let done = admission::replace(admission, &principal, target, manner, manifest).await?;
            Ok(changed(&api, &done).await)
        }
        (Address::Object(target), "PATCH") => {
            let manner = object::manner(&parts)?;
            let patch = body::json(&parts.headers, body, body::OTHER).await?;
            let done = admission::patch(admission, &principal, target, manner, patch).await?;
            Ok(changed(&api, &done).await)
        }
        (Address::Object(target), "DELETE") => {
            let precondition = object::if_match(&parts.headers)?;
            let deleted =
                admission::delete(admission, &principal, target, precondition, body::query(&parts.uri)?).await?;
            settled_after(&api, &deleted).await;
            Ok(json(StatusCode::OK, &deleted))
        }
        (Address::Action(target, action), "POST") => {
            let precondition = object::if_match(&parts.headers)?;
            let done: Changed = match action {
                Action::Scale => {
                    let manner = object::manner(&parts)?;
                    let scale = body::json(&parts.headers, body, body::OTHER).await?;
                    admission::scale(admission, &principal, target, manner, scale).await?
                }
                Action::Rollback => {
                    let manner = object::manner(&parts)?;
                    let rollback = body::json(&parts.headers, body, body::OTHER).await?;
                    admission::rollback(admission, &principal, target, manner, rollback).await?
                }
                Action::Restart => admission::restart(admission, &principal, target, precondition)
                    .await?
                    .into(),
                Action::Revoke => admission::revoke(admission, &principal, target, precondition)
                    .await?
                    .into(),
                Action::AllowTrigger => admission::allow_trigger(admission, &principal, target, precondition)
                    .await?
                    .into(),
                Action::Approve => {
                    let how = body::json(&parts.headers, body, body::OTHER).await?;
                    admission::approve(admission, &principal, target, precondition, how)
                        .await?
                        .into()
                }
                Action::Reject => {
                    let how = body::json(&parts.headers, body, body::OTHER).await?;
                    admission::reject(admission, &principal, target, precondition, how)
                        .await?
                        .into()
                }
                Action::Rotate => admission::rotate(admission, &principal, target).await?.row.into(),
            };
            Ok(changed(&api, &done).await)
        }
        (Address::History(target), "GET") => object::history(&api, &principal, target).await,
        (Address::Dependents(target), "GET") => object::dependents(&api, &principal, target).await,
        (Address::Logs(target), "GET") => match forward::leader(&api, &parts.headers).await? {
            Some(leader) => Ok(leader.ask(Request::from_parts(parts, body)).await?),
            None => logs::logs(&api, &principal, target, &parts).await,
        },
        (Address::Apply, "POST") => {
            let request: apply::Request = body::json(&parts.headers, body, body::APPLY).await?;
            limit_tokens(&api, &principal, &request)?;
            let named: Vec<Option<ObjectRef>> = request.objects.iter().map(noting::named).collect();
            crate::audit::about_each();
            let applied = admission::apply(admission, &principal, request)
                .await
                .inspect_err(|problem| noting::refused(&named, problem))?;
            let kinds: Vec<Kind> = applied.results.iter().map(|outcome| outcome.object.kind).collect();
            settled(&api, &kinds, applied.revision).await;
            Ok(json(StatusCode::OK, &applied))
        }
        (Address::Delete, "POST") => {
            let deletion = body::json(&parts.headers, body, body::APPLY).await?;
            let deleted = admission::delete_several(admission, &principal, deletion).await?;
            settled_after(&api, &deleted).await;
            Ok(json(StatusCode::OK, &deleted))
        }
        (Address::Seal, "POST") => {
            let request = body::json(&parts.headers, body, body::OTHER).await?;
            Ok(json(StatusCode::OK, &admission::seal(admission, &principal, &request)?))
        }
        (Address::Migrate, "POST") => {
            let migration = body::json(&parts.headers, body, body::OTHER).await?;
            Ok(json(
                StatusCode::OK,
                &admission::migrate(admission, &principal, migration).await?,
            ))
        }
        (Address::SetUp, "POST") => {
            let setup = body::json(&parts.headers, body, body::OTHER).await?;
            Ok(json(
                StatusCode::OK,
                &admission::set_up(admission, &principal, setup).await?,
            ))
        }
        (Address::Events, "GET") => watch::events(&api, &principal, &parts).await,
        (Address::Status, "GET") => health::status(&api, &principal).await,
        (Address::Audit, "GET") => audit::entries(&api, &principal, &parts).await,
        (Address::AuditSessions, "GET") => audit::sessions(&api, &principal, &parts).await,
        (Address::AuditVerify, "GET") => audit::verify(&api, &principal, &parts).await,
        (Address::Usage, "GET") => spending::usage(&api, &principal, &parts).await,
        (Address::WhoAmI, "GET") => Ok(json(StatusCode::OK, &identity::who_am_i(&api, &principal))),
        (Address::Logins, "GET") => identity::logins(&api, &principal).await,
        (Address::OneLogin(id), "DELETE") => identity::log_out(&api, &principal, &id).await,
        (Address::AccessReview, "POST") => {
            let review = body::json(&parts.headers, body, body::OTHER).await?;
            Ok(json(StatusCode::OK, &identity::review(&api, &principal, &review)?))
        }
        (Address::Introspect, "POST") => {
            let asked = body::json(&parts.headers, body, body::OTHER).await?;
            identity::introspect(&api, &principal, asked).await
        }
        (Address::Password(target), "PUT") => {
            let change = body::json(&parts.headers, body, body::OTHER).await?;
            identity::set_password(&api, &principal, target, change).await
        }
        (Address::Publishers(deed @ Deed::Listen), "GET")
        | (Address::Publishers(deed @ (Deed::Register | Deed::Heartbeat | Deed::Answer(_))), "POST") => {
            publishers::answer(&api, &principal, deed, parts, body).await
        }
        (
            address @ (Address::Collection(..)
            | Address::Object(_)
            | Address::Action(..)
            | Address::History(_)
            | Address::Dependents(_)
            | Address::Logs(_)
            | Address::Apply
            | Address::Delete
            | Address::Seal
            | Address::Migrate
            | Address::SetUp
            | Address::Events
            | Address::Status
            | Address::Audit
            | Address::AuditSessions
            | Address::AuditVerify
            | Address::Usage
            | Address::Login
            | Address::WhoAmI
            | Address::Logins
            | Address::OneLogin(_)
            | Address::AccessReview
            | Address::Introspect
            | Address::Password(_)
            | Address::Publishers(_)),
            _,
        ) => {
            let mut refused = refused_method(&parts.method).into_response();
            let allowed = HeaderValue::from_static(address.methods());
            refused.headers_mut().insert(header::ALLOW, allowed);
            Ok(refused)
        }
    }
}

/// Tokens are made by applying them as well.
fn limit_tokens(api: &Api, principal: &Principal, request: &apply::Request) -> Result<(), Problem> {
    let is_token = |object: &&serde_json::Value| {
        object.get("kind").and_then(serde_json::Value::as_str) == Some(Kind::Token.as_str())
    };
    let tokens = request.objects.iter().filter(is_token);
    tokens.take(100).try_for_each(|_| api.pace.token(principal.actor()))
}

/// Whether a change of that kind counts from the next request on, whatever it asks for: rights, what the gateway, the door to
/// the models and agents serve, and what was decided about proposals.
fn counts_at_once(kind: Kind) -> bool {
    auth::KINDS.contains(&kind)
        || matches!(
            kind,
            Kind::Llm
                | Kind::Project
                | Kind::Server
                | Kind::PromptRequest
                | Kind::Agent
                | Kind::Personality
                | Kind::Prompt
        )
}

/// Waits until those who decide by what is declared see a change of it.
pub(super) async fn settled(api: &Api, kinds: &[Kind], revision: i64) {
    if kinds.iter().any(|kind| counts_at_once(*kind)) {
        api.admission.store.wait_for(revision).await;
    }
}

/// The answer of whatever has changed one object.
async fn changed(api: &Api, done: &Changed) -> Response {
    let Changed { row, warnings } = done;
    settled(api, &[row.object.kind], row.revision).await;
    object::with_warnings(object::answer(StatusCode::OK, row), warnings)
}

async fn settled_after(api: &Api, deleted: &Deleted) {
    let kinds: Vec<Kind> = deleted.objects.iter().map(|object| object.kind).collect();
    if kinds.iter().any(|kind| counts_at_once(*kind))
        && let Ok(revision) = api.admission.store.revision().await
    {
        settled(api, &kinds, revision).await;
    }
}

/// A JSON answer.
pub(super) fn json(status: StatusCode, answer: &impl Serialize) -> Response {
    let body = serde_json::to_string(answer).expect("answers are plain data");
    text(status, body)
}

/// A JSON answer whose text is ready.
pub(super) fn text(status: StatusCode, body: String) -> Response {
    (status, [(header::CONTENT_TYPE, "application/json")], Body::from(body)).into_response()
}

/// The address is there, but not for that method. The router adds those it is there for.
pub(super) async fn wrong_method(request: Request) -> Refusal {
    refused_method(request.method())
}

fn refused_method(method: &Method) -> Refusal {
    Problem::new(Code::NoMethod, format!("{method} is not possible here"))
        .suggest("the API is described at /openapi.json")
        .into()
}

/// There is nothing at that address.
pub(super) async fn nothing_here(request: Request) -> Refusal {
    unknown(request.method(), request.uri().path()).into()
}

fn unknown(method: &Method, path: &str) -> Problem {
    let problem = Problem::new(Code::NoRoute, format!("there is nothing at {method} {path}"));
    let plural = path
        .strip_prefix("/api/v1/")
        .and_then(|rest| rest.split('/').next())
        .unwrap_or_default();
    let plurals = Kind::ALL.iter().map(|kind| kind.meta().plural);
    match Kind::from_noun(plural)
        .map(|kind| kind.meta().plural)
        .or_else(|| orch_shared::problem::near_miss(plural, plurals))
    {
        Some(near) if near != plural => problem.suggest(format!("did you mean /api/v1/{near}?")),
        Some(_) | None => problem.suggest("the API is described at /openapi.json"),
    }
}
