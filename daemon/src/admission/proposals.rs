//! Prompts that are proposed: made by the gateway for a session, decided by people.
//!
//! Guarantees: a decision and what comes of it are one write; nothing is decided twice; and there are never more
//! proposals than a project can be expected to read. To propose takes the right to use the project, to approve the right
//! to make its prompts, to reject the right to change the proposal: whoever has one of them need not have another.

use orch_shared::access::{Principal, Role};
use orch_shared::kind::{Action, Kind, downcast};
use orch_shared::kinds::prompt_request::{PromptRequest, PromptRequestStatus, Verdict};
use orch_shared::name::{Name, ObjectRef, Scope};
use orch_shared::problem::{Code, Problem};
use orch_shared::query::Severity;
use orch_shared::resource::{Metadata, Owner, Resource, Timestamp};
use orch_shared::wire;

use super::admitted::Admitted;
use super::apply::decode_one;
use super::error::not_found;
use super::one::{Precondition, Target, allow, find, of_fields, order, reload};
use super::set::{self, Order, Present};
use super::{Admission, Error, audited, permission};
use crate::audit;
use crate::store::{Create, Mutation, NewEvent, Object, Row, Transaction};

/// So many proposals of one session may wait.
const OF_SESSION: usize = 10;
/// So many of one project may wait.
const OF_PROJECT: usize = 100;
/// So many that were decided are kept in a project, the latest.
const DECIDED: usize = 100;

/// Notes a prompt that somebody proposes in a session; what the proposal is called, and the revision that shows it.
///
/// # Errors
/// When there is no such project, or as many proposals wait as are allowed.
pub async fn propose(
    admission: &Admission,
    principal: &Principal,
    project: Name,
    session: String,
    proposal: PromptRequest,
) -> Result<(ObjectRef, i64), Problem> {
    let (admission, principal) = (admission.clone(), principal.clone());
    let store = admission.store.clone();
    let proposed = audit::write(&store, move |transaction| {
        Box::pin(async move {
            let home = project_of(transaction, &principal, &project).await?;
            let known = proposals(transaction, &home).await?;
            refuse_too_many(&known, &session, &project)?;
            let name = format!("{}-{}", proposal.prompt, admission.store.ids().suffix());
            let name: Name = name.parse().map_err(|_| {
                Problem::new(Code::InvalidName, format!("the name `{}` is too long", proposal.prompt))
                    .suggest("names of proposed prompts have at most 57 characters")
            })?;
            let uid = admission.store.ids().uid();
            let (object, create) = made(&home, name, uid.clone(), proposal);
            let status = PromptRequestStatus {
                proposed_by: principal.name.to_string(),
                session,
                ..PromptRequestStatus::default()
            };
            let mut mutations = vec![create, written(&uid, &status)];
            mutations.extend(outdated(known));
            transaction.mutate(mutations, &principal.name).await?;
            transaction.audit(audited(&principal, "propose", Some(&object)));
            let message = format!("{} proposes the prompt", principal.name);
            tell(transaction, &object, &uid, "Proposed", message).await?;
            Ok::<_, Error>((object, transaction.revision()))
        })
    });
    Ok(proposed.await?)
}

/// Makes the Prompt that is proposed.
///
/// # Errors
/// When the proposal is not there, was decided already, or a Prompt of its name is there that is not to be replaced.
pub async fn approve(
    admission: &Admission,
    principal: &Principal,
    target: Target,
    precondition: Precondition,
    how: wire::Approve,
) -> Result<Row, Problem> {
    allow(target.kind, Action::Approve)?;
    let (admission, principal) = (admission.clone(), principal.clone());
    let store = admission.store.clone();
    let approved = audit::write(&store, move |transaction| {
        Box::pin(async move {
            let (row, mut status) = undecided(transaction, &principal, &target, &precondition).await?;
            let object = Object::parse(&row)?;
            let proposal = downcast::<PromptRequest>(object.spec.as_ref());
            let proposal = proposal.ok_or_else(|| Problem::new(Code::Internal, "the proposal cannot be read"))?;
            let prompt = publish(&admission, transaction, &principal, &row.object, proposal, &how).await?;
            status.phase = Verdict::Approved;
            let message = format!("{} approves: {prompt}", principal.name);
            decide(transaction, &principal, &row, status, Action::Approve, message).await
        })
    });
    Ok(approved.await?)
}

/// Notes that a proposal is not to become a Prompt, and why.
///
/// # Errors
/// When the proposal is not there, or was decided already.
pub async fn reject(
    admission: &Admission,
    principal: &Principal,
    target: Target,
    precondition: Precondition,
    how: wire::Reject,
) -> Result<Row, Problem> {
    allow(target.kind, Action::Reject)?;
    let principal = principal.clone();
    let rejected = audit::write(&admission.store, move |transaction| {
        Box::pin(async move {
            let (row, mut status) = undecided(transaction, &principal, &target, &precondition).await?;
            permission::require(transaction, &principal, Role::Edit, &row).await?;
            let message = match &how.reason {
                Some(reason) => format!("{} rejects: {reason}", principal.name),
                None => format!("{} rejects", principal.name),
            };
            status.phase = Verdict::Rejected;
            status.reason = how.reason;
            decide(transaction, &principal, &row, status, Action::Reject, message).await
        })
    });
    Ok(rejected.await?)
}

/// The project that somebody works in, and may use. What may not be seen is not there.
async fn project_of(transaction: &mut Transaction, principal: &Principal, name: &Name) -> Result<Row, Error> {
    let project = ObjectRef::cluster(Kind::Project, name.clone());
    let found = transaction.load(std::slice::from_ref(&project)).await?.pop().flatten();
    let found = found.filter(|row| row.deleting_since.is_none());
    let row = found.ok_or_else(|| not_found(&project))?;
    permission::require(transaction, principal, Role::Run, &row).await?;
    Ok(row)
}

/// What is proposed in a project, and what became of each.
async fn proposals(transaction: &mut Transaction, project: &Row) -> Result<Vec<(Row, PromptRequestStatus)>, Error> {
    let owned = transaction.owned(&project.uid).await?.into_iter();
    let proposals = owned.filter(|row| row.object.kind == Kind::PromptRequest);
    Ok(proposals
        .map(|row| {
            let status = status_of(&row);
            (row, status)
        })
        .collect())
}

fn status_of(row: &Row) -> PromptRequestStatus {
    serde_json::from_str(&row.status).unwrap_or_default()
}

fn refuse_too_many(known: &[(Row, PromptRequestStatus)], session: &str, project: &Name) -> Result<(), Problem> {
    let waiting = || known.iter().filter(|(_, status)| status.phase == Verdict::Pending);
    let of_session = waiting().filter(|(_, status)| status.session == session).count();
    let told = if of_session >= OF_SESSION {
        format!("{of_session} proposals of this session wait for a decision; there may be {OF_SESSION}")
    } else if waiting().count() >= OF_PROJECT {
        format!("{OF_PROJECT} proposals wait for a decision in project/{project}; there may be no more")
    } else {
        return Ok(());
    };
    let hint = format!("decide about some: orchctl get promptrequests -p {project}");
    Err(Problem::new(Code::Full, told).suggest(hint))
}

/// The decided proposals that go because there are newer ones.
fn outdated(known: Vec<(Row, PromptRequestStatus)>) -> impl Iterator<Item = Mutation> {
    let mut decided: Vec<(Timestamp, String)> = known
        .into_iter()
        .filter_map(|(row, status)| Some((status.decided_at?, row.uid)))
        .collect();
    decided.sort();
    let many = decided.len().saturating_sub(DECIDED);
    decided.into_iter().take(many).map(|(_, uid)| Mutation::Remove { uid })
}

/// The object that a proposal is: owned by its project, and in nobody's way when that goes.
fn made(home: &Row, name: Name, uid: String, proposal: PromptRequest) -> (ObjectRef, Mutation) {
    let resource = Resource {
        kind: Kind::PromptRequest,
        metadata: Metadata {
            project: Some(home.object.name.clone()),
            ..Metadata::named(name)
        },
        spec: Box::new(proposal),
    };
    let object = resource.reference();
    let mut declared = Admitted::new(resource).declared();
    declared.references.clear();
    let create = Mutation::Create(Box::new(Create {
        object: object.clone(),
        uid,
        declared,
        apply_set: None,
        owner: Some(Owner {
            kind: home.object.kind,
            name: home.object.name.clone(),
            uid: home.uid.clone(),
        }),
        verb: "propose".to_owned(),
    }));
    (object, create)
}

fn written(uid: &str, status: &PromptRequestStatus) -> Mutation {
    Mutation::Status {
        uid: uid.to_owned(),
        status: serde_json::to_string(status).expect("a status is plain data"),
    }
}

/// A proposal that nobody has decided about.
async fn undecided(
    transaction: &mut Transaction,
    principal: &Principal,
    target: &Target,
    precondition: &Precondition,
) -> Result<(Row, PromptRequestStatus), Error> {
    let row = find(transaction, principal, target).await?;
    precondition.check(&row)?;
    let status = status_of(&row);
    let done = match status.phase {
        Verdict::Pending => return Ok((row, status)),
        Verdict::Approved => "approved",
        Verdict::Rejected => "rejected",
    };
    let by = status.decided_by.as_deref().unwrap_or("somebody");
    let detail = format!("{} was {done} by {by} already", row.object);
    Err(Problem::new(Code::Decided, detail)
        .suggest("what was decided stays; change the Prompt itself, or have it proposed anew")
        .into())
}

/// Makes the Prompt of a proposal, or puts the proposed text in the place of what is there.
async fn publish(
    admission: &Admission,
    transaction: &mut Transaction,
    principal: &Principal,
    request: &ObjectRef,
    proposal: &PromptRequest,
    how: &wire::Approve,
) -> Result<ObjectRef, Error> {
    let Scope::Project(project) = &request.scope else {
        return Err(Problem::new(Code::Internal, "a proposal lives in a project").into());
    };
    let mut resource = Resource {
        kind: Kind::Prompt,
        metadata: Metadata {
            project: Some(project.clone()),
            ..Metadata::named(proposal.prompt.clone())
        },
        spec: Box::new(proposal.proposed()),
    };
    let prompt = resource.reference();
    let live = transaction.load(std::slice::from_ref(&prompt)).await?.pop().flatten();
    let replaced = match live {
        Some(row) if how.replace && permission::is_seen(transaction, principal, &row).await? => Some(row),
        Some(_) | None => None,
    };
    let verb = match &replaced {
        None => "create",
        Some(row) => {
            resource.metadata = Object::parse(row)?.metadata;
            "replace"
        }
    };
    // What holds for every Prompt holds for one that was proposed, too.
    let resource = decode_one(&resource.manifest()).map_err(of_fields)?;
    let order = Order {
        present: match how.replace {
            true => Present::Changed,
            false => Present::Refused,
        },
        ..order(resource, "approve", std::sync::Arc::default())
    };
    let admitted = set::admit(admission, transaction, order, principal).await;
    admitted.map_err(|error| match error {
        Error::Refused(problem) if problem.code == Code::AlreadyExists => {
            let hint = "put the proposed text in its place with --replace, or reject the proposal";
            Problem::new(problem.code, problem.detail).suggest(hint).into()
        }
        other => other,
    })?;
    transaction.audit(audited(principal, verb, Some(&prompt)));
    Ok(prompt)
}

/// Writes a decision down.
async fn decide(
    transaction: &mut Transaction,
    principal: &Principal,
    row: &Row,
    mut status: PromptRequestStatus,
    action: Action,
    message: String,
) -> Result<Row, Error> {
    status.decided_by = Some(principal.name.to_string());
    status.decided_at = Some(transaction.now());
    transaction
        .mutate(vec![written(&row.uid, &status)], &principal.name)
        .await?;
    transaction.audit(audited(principal, action.as_str(), Some(&row.object)));
    let reason = match status.phase {
        Verdict::Approved => "Approved",
        Verdict::Rejected => "Rejected",
        Verdict::Pending => "Pending",
    };
    tell(transaction, &row.object, &row.uid, reason, message).await?;
    reload(transaction, &row.object).await
}

async fn tell(
    transaction: &mut Transaction,
    object: &ObjectRef,
    uid: &str,
    reason: &str,
    message: String,
) -> Result<(), Error> {
    let event = NewEvent {
        object: object.clone(),
        uid: uid.to_owned(),
        severity: Severity::Normal,
        reason: reason.to_owned(),
        message,
    };
    transaction.event(&event).await?;
    Ok(())
}
