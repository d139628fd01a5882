//! Nobody grants what they do not have: what a binding, a group's members, or a token would give is held against the rights
//! of whoever writes it, whichever way it is written (create, apply, patch, rollback). So is what a binding gave that is
//! changed or goes, what a group gave to those who leave it, and what other labels, or a project that lists it, would let the writer do with something.

use std::sync::Arc;

use orch_shared::access::{Gain, Grants, Operation, Principal, Role, Subject};
use orch_shared::kind::{Kind, downcast};
use orch_shared::kinds::agent::Agent;
use orch_shared::kinds::group::Group;
use orch_shared::kinds::project::Project;
use orch_shared::kinds::role_binding::{self, RoleBinding};
use orch_shared::kinds::secret::Secret;
use orch_shared::kinds::secret_backend::{BackendType, SecretBackend};
use orch_shared::kinds::service_account::ServiceAccount;
use orch_shared::kinds::token::Token;
use orch_shared::kinds::user::User;
use orch_shared::name::ObjectRef;
use orch_shared::problem::{Code, Problem};
use orch_shared::resource::Resource;

use super::Error;
use crate::audit;
use crate::auth;
use crate::store::{Known, Object, Row, Snapshot, Transaction};

/// Refuses an object that would give more than whoever writes it has.
pub(super) fn check(
    snapshot: &Snapshot,
    principal: &Principal,
    resource: &Resource,
    before: Option<&Resource>,
) -> Result<(), Error> {
    let object = resource.reference();
    if before.is_none() {
        may_bear(snapshot, principal, resource)?;
    }
    let given: Vec<Grants> = match object.kind {
        Kind::RoleBinding => {
            if let Some(before) = before.and_then(|before| downcast::<RoleBinding>(before.spec.as_ref())) {
                may_withdraw(principal, &given_by(before, &object), &object)?;
            }
            let binding = downcast::<RoleBinding>(resource.spec.as_ref());
            binding.map(|binding| given_by(binding, &object)).into_iter().collect()
        }
        Kind::Group => {
            let members = |resource: &Resource| downcast::<Group>(resource.spec.as_ref()).cloned().unwrap_or_default();
            let (now, then) = (members(resource), before.map(members).unwrap_or_default());
            let given = auth::granted_to_object(&object, snapshot);
            if !is_part_of(&then, &now) {
                may_withdraw(principal, &given, &object)?;
            }
            if is_part_of(&now, &then) {
                return Ok(());
            }
            vec![given]
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

/// What a binding gives to those whom it names.
fn given_by(binding: &RoleBinding, object: &ObjectRef) -> Grants {
    let rule: Arc<str> = object.to_string().into();
    role_binding::rights(binding.grants.as_deref(), binding.operations.as_deref(), &rule)
}

/// Refuses to take away what somebody does not have themselves: whoever has less than an administrator strips none.
fn may_withdraw(principal: &Principal, given: &Grants, object: &ObjectRef) -> Result<(), Error> {
    match principal.rights.lack(given) {
        None => Ok(()),
        Some(lacking) => Err(Problem::new(
            Code::Ceiling,
            format!("{object} allows {lacking}, which {} may not do", principal.name),
        )
        .suggest("nobody changes or takes away what they do not have; what you have: orchctl auth can-i --list")
        .into()),
    }
}

/// Refuses objects that go although they give more than whoever deletes them has.
pub(super) fn may_delete(snapshot: &Snapshot, principal: &Principal, going: &[Row]) -> Result<(), Error> {
    for row in going {
        let object = Object::parse(row)?;
        let given = match (object.spec::<RoleBinding>(), object.spec::<Group>()) {
            (Some(binding), _) => given_by(binding, &row.object),
            // Of one that has no members nobody has anything.
            (None, Some(group)) if !is_part_of(group, &Group::default()) => {
                auth::granted_to_object(&row.object, snapshot)
            }
            (None, Some(_) | None) => continue,
        };
        may_withdraw(principal, &given, &row.object).inspect_err(|_| audit::about("delete", &row.object))?;
    }
    Ok(())
}

/// What somebody could do with an object as it would be, and may not do with it as it is.
fn gained(principal: &Principal, then: &Known, now: &Known) -> Option<Gain> {
    then.ask(|then| now.ask(|now| principal.rights.gain(then, now)))
}

/// Refuses labels, or a project of an agent, that would let whoever writes them do more with the object than they may with
/// it as it is. Whom else they let do something is up to whoever may edit it.
pub(super) async fn may_relabel(
    transaction: &mut Transaction,
    principal: &Principal,
    (row, before): (&Row, &Resource),
    after: &Resource,
) -> Result<(), Error> {
    let labels = |resource: &Resource| resource.metadata.labels.clone().unwrap_or_default();
    let project = |resource: &Resource| downcast::<Agent>(resource.spec.as_ref())?.project.clone();
    if labels(before) == labels(after) && project(before) == project(after) {
        return Ok(());
    }
    let known = transaction.known(row, &principal.rights).await?;
    let declared = known.clone().declared(after);
    let gain = |then: &Known, now: &Known| gained(principal, then, now);
    let mut found = gain(&known, &declared).map(|gain| (gain, row.object.to_string()));
    if row.object.kind == Kind::Server && found.is_none() {
        // Its copies are labelled as it is, those that there are and those to come.
        let copies = transaction.owned(&row.uid).await?.into_iter().map(|copy| copy.object);
        let any = ObjectRef::cluster(Kind::Instance, row.object.name.clone());
        found = copies.chain([any]).find_map(|copy| {
            let gain = gain(&known.clone().owning(&copy), &declared.clone().owning(&copy))?;
            Some((gain, format!("the copies of {}", row.object)))
        });
    }
    let Some((gain, what)) = found else { return Ok(()) };
    let detail = format!(
        "as it would be labelled, {} could {gain} {what}, which {} may not do as it is",
        principal.name, principal.name
    );
    Err(Problem::new(Code::Ceiling, detail)
        .suggest("nobody grants themselves what they do not have; have it labelled by somebody who has it")
        .into())
}

/// Refuses a project that lists servers with which whoever writes it may do less than they could in that project.
pub(super) async fn may_list(
    transaction: &mut Transaction,
    principal: &Principal,
    before: Option<&Resource>,
    after: &Resource,
) -> Result<(), Error> {
    let servers = |resource: &Resource| downcast::<Project>(resource.spec.as_ref())?.servers.clone();
    let listed = before.and_then(servers).unwrap_or_default();
    let added = servers(after).unwrap_or_default().into_iter();
    let added: Vec<_> = added
        .filter(|server| !listed.contains(server))
        .map(|server| ObjectRef::cluster(Kind::Server, server))
        .collect();
    for row in transaction.load(&added).await?.iter().flatten() {
        let known = transaction.known(row, &principal.rights).await?;
        let there = known.clone().also_in(&after.metadata.name);
        let copy = ObjectRef::cluster(Kind::Instance, row.object.name.clone());
        let gain = gained(principal, &known, &there);
        if let Some(gain) = gain.or_else(|| gained(principal, &known.owning(&copy), &there.owning(&copy))) {
            let detail = format!(
                "in {}, {} could {gain} {}, which {} may not do as it is",
                after.reference(),
                principal.name,
                row.object,
                principal.name
            );
            return Err(Problem::new(Code::Ceiling, detail)
                .suggest("nobody grants themselves what they do not have; have it listed by somebody who has it")
                .into());
        }
    }
    Ok(())
}

fn is_active(resource: &Resource) -> bool {
    let spec = resource.spec.as_ref();
    let user = downcast::<User>(spec).and_then(|user| user.active);
    let account = downcast::<ServiceAccount>(spec).and_then(|account| account.active);
    user.or(account).unwrap_or(true)
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
            mount,
            path_prefix,
            namespace,
            auth,
            ..
        } = backend.clone();
        (backend_type == BackendType::Openbao).then_some((url, mount, path_prefix, namespace, auth))
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

/// Whether all members of a group are members of the other one.
fn is_part_of(one: &Group, other: &Group) -> bool {
    is_within(one.users.as_deref(), other.users.as_deref())
        && is_within(one.service_accounts.as_deref(), other.service_accounts.as_deref())
}

fn is_within<T: PartialEq>(now: Option<&[T]>, then: Option<&[T]>) -> bool {
    let then = then.unwrap_or_default();
    now.unwrap_or_default().iter().all(|member| then.contains(member))
}

/// Refuses a new object whose name stands in bindings already, which would give it more than whoever makes it may do.
fn may_bear(snapshot: &Snapshot, principal: &Principal, resource: &Resource) -> Result<(), Error> {
    let object = resource.reference();
    let is_own = |token: &Token| principal.is_in_person() && token.service_account.is_none();
    // In person nobody can do more with a token than they can at any time.
    if !auth::KINDS.contains(&object.kind) || downcast::<Token>(resource.spec.as_ref()).is_some_and(is_own) {
        return Ok(());
    }
    let inherited = match Subject::of_object(&object) {
        Some(subject) => auth::granted_to_subject(&subject, snapshot),
        None => auth::granted_to_object(&object, snapshot),
    };
    if principal.rights.lack(&inherited).is_none() {
        return Ok(());
    }
    // What others were granted is not told to whoever tries their names.
    let detail = format!("what bindings give to {object} is more than {} may do", principal.name);
    Err(Problem::new(Code::Ceiling, detail)
        .suggest(
            "nobody grants what they do not have; take another name, or have it made by somebody who has all of that",
        )
        .into())
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
