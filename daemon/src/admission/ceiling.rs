//! Nobody grants what they do not have: what a binding, a group's members, or a token would give is held against the rights
//! of whoever writes it, whichever way it is written (create, apply, patch, rollback).

use std::sync::Arc;

use orch_shared::access::{Grants, Principal, Subject};
use orch_shared::kind::{Kind, downcast};
use orch_shared::kinds::group::Group;
use orch_shared::kinds::role_binding::{self, RoleBinding};
use orch_shared::kinds::token::Token;
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
        Kind::Server
        | Kind::Instance
        | Kind::Template
        | Kind::Secret
        | Kind::SecretBackend
        | Kind::Llm
        | Kind::Agent
        | Kind::Project
        | Kind::Prompt
        | Kind::PromptRequest
        | Kind::User
        | Kind::ServiceAccount => vec![],
    };
    given
        .iter()
        .try_for_each(|given| Ok(may_grant(principal, given, &object.to_string())?))
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
