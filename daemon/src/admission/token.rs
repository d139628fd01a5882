//! Tokens: how one is made, revoked, and allowed to start builds. The text of a credential leaves here once.

use std::collections::BTreeSet;
use std::sync::Arc;

use orch_shared::access::{self, Grants, Operation, Principal, Reach, Rights, Role, Subject};
use orch_shared::kind::{Action, Kind, downcast};
use orch_shared::kinds::role_binding::Grant;
use orch_shared::kinds::token::{ClonedRights, ProjectScope, Rbac, Token, TokenPhase, TokenStatus};
use orch_shared::name::{Name, ObjectRef};
use orch_shared::problem::{Code, Problem};
use orch_shared::resource::{Metadata, Resource, Timestamp};

use super::one::{Precondition, Target, find};
use super::{Admission, Error, audited, permission};
use crate::audit;
use crate::auth::{self, Credential};
use crate::store::{Create, Mutation, Object, Row, Snapshot, Transaction};

/// A credential that was made.
pub(super) struct Issued {
    /// Its text.
    pub(super) text: String,
    /// What is reported of its Token from now on.
    pub(super) status: Mutation,
}

/// Makes the credential of a token that is being made.
pub(super) async fn issue(
    transaction: &mut Transaction,
    principal: &Principal,
    spec: &Token,
    create: &Create,
) -> Result<Issued, Error> {
    let owner = match &spec.service_account {
        Some(account) => Subject::ServiceAccount(account.clone()),
        None => (*principal.subject).clone(),
    };
    match owner {
        Subject::User(_) | Subject::ServiceAccount(_) => {}
        Subject::Daemon | Subject::Anybody => {
            let detail = format!("{} would belong to nobody", create.object);
            return Err(Problem::new(Code::BadRequest, detail)
                .suggest("apply it with a credential, or name a `serviceAccount`")
                .into());
        }
    }
    let now = transaction.now();
    let end = spec.end(now);
    let makers = makers(transaction, principal, &create.object).await?;
    let maker = makers.first();
    // What ends with the projects of its maker is not refused, but ends with them.
    let own_last = |maker: &Object| {
        let of_projects = end_of_projects(auth::confined_to(maker.spec::<Token>()?, &maker.object));
        let last = maker.status::<Token>()?.expires_at;
        last.filter(|_| last != of_projects)
    };
    if let Some(last) = maker.and_then(own_last)
        && end.is_none_or(|end| last < end)
    {
        let detail = format!(
            "{} would outlive the token that makes it, which ends at {last}",
            create.object
        );
        return Err(Problem::new(Code::Ceiling, detail)
            .suggest("give it a `ttl` that ends before, or make it by a login")
            .into());
    }
    let over = |scope: &&ProjectScope| scope.expires_at.is_some_and(|end| end <= now);
    if let Some(scope) = spec.projects.iter().flatten().find(over) {
        let detail = format!("{} would never open project/{}", create.object, scope.name);
        return Err(Problem::new(Code::BadRequest, detail)
            .suggest("give the project a later end, or leave it out")
            .into());
    }
    let confined = confined(spec, create, &makers);
    if spec.projects.as_ref().is_none_or(|projects| !projects.is_empty())
        && confined.as_ref().is_some_and(Vec::is_empty)
    {
        let detail = format!("{} would open nothing: no project is open to it", create.object);
        return Err(Problem::new(Code::BadRequest, detail)
            .suggest("a token of a project opens that one alone, and one that a token makes no other projects than that one does")
            .into());
    }
    let end = end.into_iter().chain(end_of_projects(confined)).min();
    if end.is_some_and(|end| end <= now) {
        let detail = format!("{} would be over before it begins", create.object);
        return Err(Problem::new(Code::BadRequest, detail)
            .suggest("give a later end, or a `ttl`")
            .into());
    }
    // Of what belongs to whoever asks in person, no more can be had than what they can at any time.
    let is_own = principal.is_in_person() && owner == *principal.subject;
    let owner = owner.principal_name();
    let name = create.object.to_string();
    let credential = Credential::of_token(&create.uid, &name, &owner, end, now);
    transaction.insert_token(&credential.token).await?;
    let status = TokenStatus {
        phase: Some(TokenPhase::Active),
        owner: Some(owner),
        prefix: Some(credential.token.prefix.clone()),
        expires_at: end,
        made_with: maker.map(|maker| maker.uid.to_string()),
        cloned: match spec.rbac.unwrap_or_default() {
            Rbac::Clone => cloned(principal),
            // Whatever its owner is granted later, it does no more than whoever makes it can now.
            Rbac::Owner if !is_own && principal.rights.lack(&everything()).is_some() => cloned(principal),
            Rbac::Empty | Rbac::Owner => vec![],
        },
        ..TokenStatus::default()
    };
    Ok(Issued {
        text: credential.text.to_string(),
        status: Mutation::Status {
            uid: create.uid.clone(),
            status: serde_json::to_string(&status).expect("a status is plain data"),
        },
    })
}

/// The token that somebody asks with, the one that it was made with, and so on; none when they ask with a login.
async fn makers(transaction: &mut Transaction, principal: &Principal, made: &ObjectRef) -> Result<Vec<Object>, Error> {
    let Some(shown) = principal.token() else {
        return Ok(Vec::new());
    };
    let mut makers: Vec<Object> = Vec::new();
    let mut next = match Token::called(shown) {
        Some(object) => transaction.load(&[object]).await?.pop().flatten(),
        None => None,
    };
    loop {
        let maker = next.as_ref().map(Object::parse).transpose()?;
        let now = transaction.now();
        // It may go with this very request, which makes it anew.
        let open = maker.filter(|maker| {
            let status = maker.status::<Token>();
            maker.deleting_since.is_none() && status.is_some_and(|status| status.phase_at(now) == TokenPhase::Active)
        });
        let Some(maker) = open.filter(|maker| makers.iter().all(|known| known.uid != maker.uid)) else {
            let detail = format!("{made} would outlive the token that makes it, which opens nothing any more");
            return Err(Problem::new(Code::Ceiling, detail)
                .suggest("what is made with a token ends with it; make it by a login, or with another token")
                .into());
        };
        let before = maker.status::<Token>().and_then(|status| status.made_with.clone());
        makers.push(maker);
        match before {
            Some(uid) => next = transaction.load_uid(&uid).await?,
            None => return Ok(makers),
        }
    }
}

/// The projects that a token is confined to, by itself and by those that it is made with, and until when it opens each; nothing
/// when it is not confined.
fn confined(spec: &Token, create: &Create, makers: &[Object]) -> Option<Vec<(Name, Option<Timestamp>)>> {
    let own = auth::confined_to(spec, &create.object);
    let of_makers = makers
        .iter()
        .filter_map(|maker| auth::confined_to(maker.spec::<Token>()?, &maker.object));
    own.into_iter().chain(of_makers).reduce(|left, bound| {
        let end_there = |name: &Name| bound.iter().find(|(other, _)| other == name).map(|(_, end)| *end);
        let both = left.into_iter().filter_map(|(name, end)| {
            let ends = end.into_iter().chain(end_there(&name)?).min();
            Some((name, ends))
        });
        both.collect()
    })
}

/// Until when a token opens any project; nothing when one of them is open for ever, or it is not confined.
fn end_of_projects(confined: Option<Vec<(Name, Option<Timestamp>)>>) -> Option<Timestamp> {
    let ends: Option<Vec<Timestamp>> = confined?.into_iter().map(|(_, end)| end).collect();
    ends?.into_iter().max()
}

/// Ends the tokens that were made with those that go or are ended, and those that were made with these.
pub(super) async fn end_with(
    transaction: &mut Transaction,
    snapshot: &Snapshot,
    makers: impl IntoIterator<Item = &Row>,
) -> Result<(), Error> {
    let makers = makers.into_iter().filter(|row| row.object.kind == Kind::Token);
    let mut ended: BTreeSet<String> = makers.map(|row| row.uid.clone()).collect();
    let mut news = ended.clone();
    while !news.is_empty() {
        let made_with_those = |object: &&Arc<Object>| {
            let status = object.status::<Token>();
            let maker = status.and_then(|status| status.made_with.as_deref());
            maker.is_some_and(|maker| news.contains(maker)) && !ended.contains(&*object.uid)
        };
        let made = snapshot.of_kind(Kind::Token).filter(made_with_those);
        news = made.map(|object| object.uid.to_string()).collect();
        for uid in &news {
            let now = transaction.now();
            auth::report(transaction, uid, |status| end(status, now)).await?;
            transaction.revoke_token(uid).await?;
        }
        ended.extend(news.iter().cloned());
    }
    Ok(())
}

fn end(status: &mut TokenStatus, now: Timestamp) {
    status.revoked_at.get_or_insert(now);
    status.phase = Some(TokenPhase::Revoked);
}

/// Anything that can be granted.
fn everything() -> Grants {
    let rule: Arc<str> = "everything".into();
    Grants {
        on_objects: vec![access::Grant {
            roles: Role::ALL.to_vec(),
            reach: Reach::default(),
            tools: None,
            rule: Arc::clone(&rule),
        }],
        operations: Operation::ALL
            .iter()
            .map(|operation| (*operation, Arc::clone(&rule)))
            .collect(),
    }
}

/// What somebody may do, as it can be declared: one list for each bound, and one of everything for who has none.
fn cloned(principal: &Principal) -> Vec<ClonedRights> {
    let declared = |layer: &Grants| ClonedRights {
        grants: layer.on_objects.iter().map(Grant::of).collect(),
        operations: layer.operations.iter().map(|(operation, _)| *operation).collect(),
    };
    match &*principal.rights {
        Rights::Unbounded => vec![declared(&everything())],
        Rights::Layers(layers) => layers.iter().map(|layer| declared(layer)).collect(),
    }
}

/// Ends a token, and with it those that were made with it; they stay to be looked at.
///
/// # Errors
/// When it is not there, or whoever asks may not delete it and it is not their own.
pub async fn revoke(
    admission: &Admission,
    principal: &Principal,
    target: Target,
    precondition: Precondition,
) -> Result<Row, Problem> {
    change(admission, principal, target, precondition, Action::Revoke, end).await
}

/// Lets a token start builds.
///
/// # Errors
/// When it is not there, or whoever asks lacks the operation.
pub async fn allow_trigger(
    admission: &Admission,
    principal: &Principal,
    target: Target,
    precondition: Precondition,
) -> Result<Row, Problem> {
    let allow = |status: &mut TokenStatus, _| status.may_trigger = Some(true);
    change(admission, principal, target, precondition, Action::AllowTrigger, allow).await
}

async fn change(
    admission: &Admission,
    principal: &Principal,
    target: Target,
    precondition: Precondition,
    action: Action,
    change: impl FnOnce(&mut TokenStatus, Timestamp) + Send + 'static,
) -> Result<Row, Problem> {
    super::one::allow(target.kind, action)?;
    let (principal, store) = (principal.clone(), admission.store.clone());
    let changed = audit::write(&admission.store, move |transaction| {
        Box::pin(async move {
            let row = find(transaction, &principal, &target).await?;
            precondition.check(&row)?;
            if action == Action::AllowTrigger {
                permission::operate(&principal, Operation::Trigger)?;
                refuse_spent(&row, transaction.now())?;
            } else if !is_own(&principal, &row)? {
                permission::require(transaction, &principal, Role::Delete, &row).await?;
            }
            let now = transaction.now();
            auth::report(transaction, &row.uid, |status| change(status, now)).await?;
            if action == Action::Revoke {
                transaction.revoke_token(&row.uid).await?;
                end_with(transaction, &store.snapshot(), [&row]).await?;
            }
            transaction.audit(audited(&principal, action.as_str(), Some(&row.object)));
            super::one::reload(transaction, &row.object).await
        })
    });
    Ok(changed.await?)
}

/// Refuses a token that opens nothing any more.
fn refuse_spent(row: &Row, now: Timestamp) -> Result<(), Error> {
    let Some(told) = spent(row, now)? else { return Ok(()) };
    let detail = format!("{} {told}, and starts nothing any more", row.object);
    Err(Problem::new(Code::NoAction, detail)
        .suggest("make another one in its place: orchctl create token NAME --force")
        .into())
}

/// What has become of a token that opens nothing any more.
fn spent(row: &Row, now: Timestamp) -> Result<Option<&'static str>, Error> {
    let object = Object::parse(row)?;
    Ok(match object.status::<Token>().map(|status| status.phase_at(now)) {
        Some(TokenPhase::Active) | None => None,
        Some(TokenPhase::Expired) => Some("has expired"),
        Some(TokenPhase::Revoked) => Some("was revoked"),
    })
}

/// What whoever declares a token should know of it: that it opens nothing.
pub(super) fn warning(resource: &Resource, live: Option<&Row>, now: Timestamp) -> Result<Option<String>, Error> {
    let Some(token) = downcast::<Token>(resource.spec.as_ref()) else {
        return Ok(None);
    };
    let is_closed = token.projects.as_ref().is_some_and(Vec::is_empty);
    Ok(match live.map(|row| spent(row, now)).transpose()?.flatten() {
        Some(told) => {
            let Metadata { name, project, .. } = &resource.metadata;
            let place = project
                .as_ref()
                .map(|project| format!(" -p {project}"))
                .unwrap_or_default();
            Some(format!(
                "{} {told} and opens nothing any more; another one in its place: orchctl create token {name}{place} --force",
                resource.reference()
            ))
        }
        None => is_closed.then(|| format!("{} opens nothing: it is confined to no project", resource.reference())),
    })
}

/// Whether a token belongs to whoever asks, with a credential that is no token itself.
fn is_own(principal: &Principal, row: &Row) -> Result<bool, Error> {
    debug_assert_eq!(row.object.kind, Kind::Token, "only tokens have these actions");
    let object = Object::parse(row)?;
    let owner = object.status::<Token>().and_then(TokenStatus::owner);
    let by_login = principal.is_in_person();
    Ok(by_login && owner.as_ref() == Some(&*principal.subject))
}
