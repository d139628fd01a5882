//! Nobody grants what they do not have: what a binding, a group's members, or a token would give is held against the rights
//! of whoever writes it, whichever way it is written (create, apply, patch, rollback).

use std::sync::Arc;

use orch_shared::access::{Grants, Operation, Principal, Role, Subject};
use orch_shared::kind::{Kind, downcast};
use orch_shared::kinds::group::Group;
use orch_shared::kinds::role_binding::{self, RoleBinding};
use orch_shared::kinds::secret::Secret;
use orch_shared::kinds::secret_backend::{BackendType, SecretBackend};
use orch_shared::kinds::service_account::ServiceAccount;
use orch_shared::kinds::token::Token;
use orch_shared::kinds::user::User;
use orch_shared::problem::{Code, Problem};
use orch_shared::resource::Resource;

use super::Error;
use crate::auth;
use crate::store::Snapshot;

/// Refuses an object that would give more than whoever writes it has.
pub(super) fn check(
    snapshot: &Snapshot,
    principal: &Principal,
    resource: &Resource,
    before: Option<&Resource>,
) -> Result<(), Error> {
    let object = resource.reference();
    let given: Vec<Grants> = match object.kind {
        Kind::RoleBinding => {
            let binding = downcast::<RoleBinding>(resource.spec.as_ref());
            let rule: Arc<str> = object.to_string().into();
            let rights = |binding: &RoleBinding| {
                role_binding::rights(binding.grants.as_deref(), binding.operations.as_deref(), &rule)
            };
            binding.map(rights).into_iter().collect()
        }
        Kind::Group => {
            let members = |resource: &Resource| downcast::<Group>(resource.spec.as_ref()).cloned().unwrap_or_default();
            let (now, then) = (members(resource), before.map(members).unwrap_or_default());
            if is_within(now.users.as_deref(), then.users.as_deref())
                && is_within(now.service_accounts.as_deref(), then.service_accounts.as_deref())
            {
                return Ok(());
            }
            vec![auth::granted_to_object(&object, snapshot)]
        }
        Kind::Token => match downcast::<Token>(resource.spec.as_ref()) {
            Some(token) => of_token(token, principal, resource, snapshot),
            None => vec![],
        },
        // Whoever lets somebody in again, or keeps them out, must be able to do what they can.
        Kind::User | Kind::ServiceAccount => {
            let is_turned = before.is_some_and(|before| is_active(before) != is_active(resource));
            let subject = Subject::of_object(&object).filter(|_| is_turned);
            subject
                .iter()
                .map(|subject| auth::granted_to_subject(subject, snapshot))
                .collect()
        }
        Kind::Secret => return may_move(snapshot, principal, resource, before),
        Kind::SecretBackend => return may_lead_away(principal, resource, before),
        Kind::Server
        | Kind::Instance
        | Kind::Template
        | Kind::Llm
        | Kind::Agent
        | Kind::Project
        | Kind::Prompt
        | Kind::PromptRequest
        | Kind::Personality => vec![],
    };
    given
        .iter()
        .try_for_each(|given| Ok(may_grant(principal, given, &object.to_string())?))
}

fn is_active(resource: &Resource) -> bool {
    let spec = resource.spec.as_ref();
    let active = match resource.kind {
        Kind::User => downcast::<User>(spec).and_then(|user| user.active),
        _ => downcast::<ServiceAccount>(spec).and_then(|account| account.active),
    };
    active.unwrap_or(true)
}

/// Values that are handed to another backend are known there: that takes the right to see them, or to move all of them.
fn may_move(
    snapshot: &Snapshot,
    principal: &Principal,
    resource: &Resource,
    before: Option<&Resource>,
) -> Result<(), Error> {
    let home =
        |resource: &Resource| downcast::<Secret>(resource.spec.as_ref()).and_then(|secret| secret.backend.clone());
    let object = resource.reference();
    let (Some(before), Some(live)) = (before, snapshot.get(&object)) else {
        return Ok(());
    };
    if home(before) == home(resource)
        || principal.may_operate(Operation::MigrateSecrets).is_allowed
        || snapshot.decide(principal, Role::Reveal, live).is_allowed
    {
        return Ok(());
    }
    let detail = format!(
        "{} may not move the values of {object} to another backend",
        principal.name
    );
    let hint = "that needs the role `reveal` on it, or the operation `migrate-secrets`";
    Err(Problem::new(Code::Ceiling, detail).suggest(hint).into())
}

/// Where a backend is, and as whom the daemon shows itself there, decides who learns the values and the credentials that
/// the daemon sends: whoever says that must be able to move all values.
fn may_lead_away(principal: &Principal, resource: &Resource, before: Option<&Resource>) -> Result<(), Error> {
    let whither = |resource: &Resource| {
        let backend = downcast::<SecretBackend>(resource.spec.as_ref())?;
        let SecretBackend {
            backend_type,
            url,
            namespace,
            auth,
            ..
        } = backend.clone();
        (backend_type == BackendType::Openbao).then_some((url, namespace, auth))
    };
    let now = whither(resource);
    if now.is_none() || before.and_then(whither) == now || principal.may_operate(Operation::MigrateSecrets).is_allowed {
        return Ok(());
    }
    let detail = format!(
        "{} may not say where {} is, and as whom the daemon shows itself there",
        principal.name,
        resource.reference()
    );
    Err(Problem::new(Code::Ceiling, detail)
        .suggest("that needs the operation `migrate-secrets`")
        .into())
}

fn is_within<T: PartialEq>(now: Option<&[T]>, then: Option<&[T]>) -> bool {
    let then = then.unwrap_or_default();
    now.unwrap_or_default().iter().all(|member| then.contains(member))
}

/// What a token would be able to do. Of one that belongs to whoever makes it, no more than what they can at any time; so only
/// what it is asked to list is looked at.
fn of_token(token: &Token, principal: &Principal, resource: &Resource, snapshot: &Snapshot) -> Vec<Grants> {
    let owner = token.service_account.clone().map(Subject::ServiceAccount);
    match (auth::token_bounds(token, &resource.reference()), owner) {
        (Some(bounds), _) => bounds,
        (None, Some(owner)) if owner != *principal.subject => vec![auth::granted_to_subject(&owner, snapshot)],
        // Whatever its owner may do is more than a narrower credential of the owner may.
        (None, _) => vec![auth::granted_to_subject(&principal.subject, snapshot)],
    }
}

/// Refuses rights that somebody does not have themselves.
///
/// # Errors
/// The first of them.
pub fn may_grant(principal: &Principal, given: &Grants, to: &str) -> Result<(), Problem> {
    match principal.rights.lack(given) {
        None => Ok(()),
        Some(lacking) => Err(Problem::new(
            Code::Ceiling,
            format!("{to} would allow {lacking}, which {} may not do", principal.name),
        )
        .suggest("nobody grants what they do not have; what you have: orchctl auth can-i --list")),
    }
}
