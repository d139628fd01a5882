//! Logging in and out, who is asking, and who may do what.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use orch_shared::access::{Credential, Decision, Facts, Grant, Grants, Operation, Principal, Role, Subject};
use orch_shared::audit::RowKind;
use orch_shared::identity::{
    AccessAnswer, AccessReview, Bound, Granted, Introspect, Introspection, LoginAnswer, LoginRequest, OpenLogin,
    OpenLogins, PasswordChange, WhoAmI,
};
use orch_shared::kind::Kind;
use orch_shared::name::{Name, ObjectRef, Scope};
use orch_shared::problem::{Code, Problem};
use zeroize::Zeroizing;

use super::address::Address;
use super::dispatch::json;
use super::problem::Refusal;
use super::{Api, Peer, body, deciding, object};
use crate::admission::{self, Target};
use crate::audit;

/// Logs somebody in. The one address of the API that needs no credential.
pub(super) async fn log_in(api: &Api, parts: &Parts, body: Body) -> Result<Response, Problem> {
    let LoginRequest { user, password } = body::json(&parts.headers, body, body::OTHER).await?;
    if let Some(trail) = audit::trail() {
        trail.is_about(RowKind::Login);
        trail.tried_by(&user);
    }
    let from = parts.extensions.get::<Peer>().map(|Peer(address)| *address);
    api.pace.login(&user, from)?;
    let login = api.logins.log_in(&user, Zeroizing::new(password)).await;
    let has_failed = |problem: &Problem| matches!(problem.code, Code::Unauthenticated);
    if login.as_ref().err().is_none_or(|problem| !has_failed(problem)) {
        api.pace.spare(from);
    }
    let login = login?;
    Ok(json(
        StatusCode::OK,
        &LoginAnswer {
            user: login.user,
            token: login.credential.text.to_string(),
            expires_at: login.credential.token.expires_at,
        },
    ))
}

/// The logins that are open: one's own, and with the operation `sessions` those of everybody.
pub(super) async fn logins(api: &Api, principal: &Principal) -> Result<Response, Refusal> {
    let sees_all = principal.may_operate(Operation::Sessions).is_allowed;
    if !sees_all && !principal.is_in_person() {
        // The logins of whom a token speaks for, or whose place somebody takes, are not theirs to know.
        return Ok(json(StatusCode::OK, &OpenLogins { items: vec![] }));
    }
    let open = api.logins.open((!sees_all).then_some(principal)).await;
    let items = open.map_err(Problem::from)?.into_iter().map(|token| OpenLogin {
        is_this: is_this(principal, &token.id),
        id: token.id,
        principal: token.principal,
        name: token.name,
        prefix: token.prefix,
        created_at: token.created_at,
        expires_at: token.expires_at,
        last_used_at: token.last_used_at,
    });
    let items = items.collect();
    Ok(json(StatusCode::OK, &OpenLogins { items }))
}

fn is_this(principal: &Principal, id: &str) -> bool {
    matches!(&principal.credential, Credential::Session { id: own, .. } if **own == *id)
}

/// Ends a login: one's own, and with the operation `sessions` anybody's. `current` is the one that asks.
pub(super) async fn log_out(api: &Api, principal: &Principal, id: &str) -> Result<Response, Refusal> {
    let id = match (&principal.credential, id) {
        (Credential::Session { id: own, .. }, "current") => own.to_string(),
        _ => id.to_owned(),
    };
    let sees_all = principal.may_operate(Operation::Sessions).is_allowed;
    let open = api.logins.open((!sees_all).then_some(principal)).await;
    let is_open = open.map_err(Problem::from)?.iter().any(|token| token.id == id);
    if let Some(trail) = audit::trail() {
        trail.is_about(RowKind::Login);
    }
    // A token does not end the logins of whom it speaks for.
    let may_end = sees_all || principal.is_in_person();
    if !is_open || !may_end {
        return Err(Problem::new(Code::NotFound, "there is no such login")
            .suggest("those that are open: orchctl auth logins")
            .into());
    }
    api.logins.end(&id).await.map_err(Problem::from)?;
    Ok(StatusCode::NO_CONTENT.into_response())
}

/// Who is asking, and what that entails.
pub(super) fn who_am_i(api: &Api, principal: &Principal) -> WhoAmI {
    // A token is told what is left for it of what whoever it speaks for was granted.
    let layers = match principal.token() {
        Some(_) => left_of(api, principal),
        None => principal
            .rights
            .layers()
            .iter()
            .map(|layer| Grants::clone(layer))
            .collect(),
    };
    let bound = |layer: &Grants| Bound {
        grants: layer.on_objects.iter().map(Granted::of).collect(),
        operations: layer.operations.iter().map(|(operation, _)| *operation).collect(),
    };
    WhoAmI {
        principal: principal.name.to_string(),
        groups: api.authenticator.groups_of(&principal.subject),
        token: principal.token().map(str::to_owned),
        login: match &principal.credential {
            Credential::Session { id, .. } => Some(id.to_string()),
            Credential::Token(_) | Credential::None => None,
        },
        impersonated_by: principal.impersonator.as_deref().map(str::to_owned),
        surface: principal.surface,
        bounds: layers.iter().map(bound).collect(),
    }
}

/// What the bounds of somebody leave of one another. What is granted on something that is not in the project left for it is not
/// told, either: it is not there for them.
fn left_of(api: &Api, principal: &Principal) -> Vec<Grants> {
    let snapshot = api.admission.store.snapshot();
    let is_there = |grant: &Grant| match (&grant.reach.kind, &grant.reach.name, &grant.reach.project) {
        (Some(kind @ (Kind::Server | Kind::Instance | Kind::Agent)), Some(name), Some(_)) => {
            let found = snapshot.get(&ObjectRef::cluster(*kind, name.clone()));
            found.is_some_and(|object| snapshot.facts_of(object, |facts| grant.reach.covers(facts)))
        }
        _ => true,
    };
    let mut layers = principal.rights.narrowed();
    for layer in &mut layers {
        layer.on_objects.retain(is_there);
    }
    layers
}

/// Whether whoever asks may do something, and what allows it.
pub(super) fn review(api: &Api, principal: &Principal, review: &AccessReview) -> Result<AccessAnswer, Problem> {
    let bad = |detail: &str| Problem::new(Code::BadRequest, detail.to_owned());
    let (decision, bounds, asked) = match (review.role, review.operation) {
        (None, Some(operation)) => (
            principal.may_operate(operation),
            principal.rights.explain_operation(operation),
            format!("the operation {operation}"),
        ),
        (Some(role), None) => {
            let Some(kind) = review.kind else {
                return Err(bad("a role is asked about together with a kind"));
            };
            let scope = match (&review.project, &review.agent) {
                (Some(project), None) => Scope::Project(project.clone()),
                (None, Some(agent)) => Scope::Agent(agent.clone()),
                (None, None) => Scope::Cluster,
                (Some(_), Some(_)) => return Err(bad("an object lives in a project or with an agent, not both")),
            };
            return Ok(review_role(api, principal, review, role, (kind, scope)));
        }
        (Some(_), Some(_)) | (None, None) => return Err(bad("ask about a role or an operation")),
    };
    Ok(AccessAnswer {
        allowed: decision.is_allowed,
        principal: principal.name.to_string(),
        asked,
        lacking: None,
        bounds,
    })
}

/// What is used by the role `run` alone: it answers at its own doors also to whoever may not see it.
const RUN_UNSEEN: [Kind; 3] = [Kind::Server, Kind::Llm, Kind::Agent];

fn review_role(
    api: &Api,
    principal: &Principal,
    review: &AccessReview,
    role: Role,
    (kind, scope): (Kind, Scope),
) -> AccessAnswer {
    let plural = kind.meta().plural;
    let Some(name) = &review.name else {
        // Of any of them: what a grant says of the kind, whatever else it narrows.
        let bounds = principal.rights.explain_kind(role, kind, review.project.as_ref());
        return AccessAnswer {
            allowed: !bounds.is_empty() && bounds.iter().all(Option::is_some),
            principal: principal.name.to_string(),
            asked: format!("{role} {plural}"),
            lacking: None,
            bounds,
        };
    };
    let object = ObjectRef {
        kind,
        scope,
        name: name.clone(),
    };
    let snapshot = api.admission.store.snapshot();
    let is_run = role == Role::Run && RUN_UNSEEN.contains(&kind);
    // What is not seen is not there, whatever else may be done with it.
    let needs_view = !is_run && !matches!(role, Role::View | Role::Create);
    let ask = |facts: &Facts<'_>| {
        if needs_view && !principal.visibility.covers(facts) {
            let bounds = principal.rights.explain(Role::View, facts);
            return (Decision::denied(), bounds, Some(Role::View));
        }
        match &review.tool {
            Some(tool) if role == Role::Run => (
                principal.may_call(facts, tool),
                principal.rights.explain_tool(facts, tool),
                None,
            ),
            Some(_) | None => (principal.may(role, facts), principal.rights.explain(role, facts), None),
        }
    };
    let is_shown = |object: &ObjectRef| {
        let live = snapshot.get(object);
        live.filter(|live| snapshot.shows(&principal.visibility, live))
            .is_some()
    };
    let nothing = BTreeMap::new();
    // What an object is like that may not be seen is not told by what may be done with it: it is as if it were not there.
    // What answers to whoever may run it tells them that itself.
    let shown = snapshot.get(&object).filter(|live| {
        snapshot.shows(&principal.visibility, live)
            || (is_run && snapshot.decide(principal, Role::Run, live).is_allowed)
    });
    let (decision, bounds, lacking) = match shown {
        Some(live) => snapshot.facts_of(live, ask),
        None => {
            let is_placed = match &object.scope {
                Scope::Cluster => false,
                Scope::Project(_) => true,
                Scope::Agent(agent) => is_shown(&ObjectRef::cluster(Kind::Agent, agent.clone())),
            };
            match is_placed {
                true => snapshot.facts(&object, &nothing, None, ask),
                false => ask(&Facts::new(&object, &nothing, &|_| false)),
            }
        }
    };
    let tool = review.tool.as_ref().map(|tool| format!(", tool {tool}"));
    AccessAnswer {
        allowed: decision.is_allowed,
        principal: principal.name.to_string(),
        asked: format!("{role} {object}{}", tool.unwrap_or_default()),
        lacking,
        bounds,
    }
}

/// What a credential opens. Whoever asks has a credential too, and may ask only so often.
pub(super) async fn introspect(api: &Api, principal: &Principal, asked: Introspect) -> Result<Response, Refusal> {
    api.pace.introspection(principal.actor())?;
    let text = Zeroizing::new(asked.token);
    let found = api.authenticator.introspect(&text).await?;
    let told = found.map_or_else(Introspection::default, |(found, until)| Introspection {
        active: true,
        principal: Some(found.name.to_string()),
        token: found.token().map(str::to_owned),
        surface: Some(found.surface),
        expires_at: until,
    });
    Ok(json(StatusCode::OK, &told))
}

/// Whether an address, by name or by uid, means whoever asks.
fn is_oneself(api: &Api, principal: &Principal, target: &Target) -> bool {
    let Some(own) = principal.subject.object().filter(|own| own.kind == target.kind) else {
        return false;
    };
    let uid_is = |uid: &str| {
        api.admission
            .store
            .snapshot()
            .by_uid(uid)
            .is_some_and(|object| object.object == own)
    };
    target.scope == own.scope && (target.name == own.name.as_str() || uid_is(&target.name))
}

/// Sets a password: one's own with the one until now, and that of somebody else who may do no more than oneself.
pub(super) async fn set_password(
    api: &Api,
    principal: &Principal,
    target: Target,
    change: PasswordChange,
) -> Result<Response, Refusal> {
    let is_own = principal.impersonator.is_none() && is_oneself(api, principal, &target);
    // Before the password is looked at: to whom it says nothing, the password says nothing either.
    if is_own && principal.token().is_some() {
        return Err(Problem::new(Code::Forbidden, "a token changes no password")
            .suggest("log in: orchctl login")
            .into());
    }
    let row = match is_own {
        // One's own password may be changed also by who may not see any User.
        true => object::find(api, &Principal::daemon(), &target).await?,
        false => match object::find(api, principal, &target).await {
            Ok(row) => row,
            Err(problem) => {
                deciding::note(api, principal, &Address::Password(target));
                return Err(problem.into());
            }
        },
    };
    let user: Name = row.object.name.clone();
    let subject = Subject::User(user.clone());
    let PasswordChange { current, password } = change;
    if is_own {
        let has_one = api
            .admission
            .store
            .password(&row.uid)
            .await
            .map_err(Problem::from)?
            .is_some();
        let given = Zeroizing::new(current.unwrap_or_default());
        if has_one && !api.logins.is_password(&user, &row.uid, given).await? {
            return Err(Problem::new(Code::Forbidden, "the password until now is another one").into());
        }
    } else {
        let snapshot = api.admission.store.snapshot();
        let live = snapshot.by_uid(&row.uid);
        let decision = live.map_or_else(Decision::denied, |live| snapshot.decide(principal, Role::Edit, live));
        audit::decided(principal, &decision, Role::Edit);
        if !decision.is_allowed {
            return Err(admission::forbidden(principal, "edit", &row.object).into());
        }
        // Who sets somebody's password can be that one from then on.
        let rights = api.authenticator.granted_to(&subject);
        admission::may_grant(principal, &rights, &format!("the password of {}", row.object))?;
    }
    api.logins
        .set_password(&user, &row.uid, Zeroizing::new(password))
        .await?;
    Ok(StatusCode::NO_CONTENT.into_response())
}
