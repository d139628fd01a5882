//! Deleting: never out from under somebody, unless asked to take them along.

use std::collections::{BTreeMap, BTreeSet};

use orch_shared::access::Principal;
use orch_shared::kind::Removal;
use orch_shared::name::ObjectRef;
use orch_shared::problem::{Code, Problem};
use orch_shared::wire::Deleted;

use super::one::{Precondition, Target, find};
use super::{Admission, Error, audited};
use crate::store::{Mutation, Row, Transaction};

/// Deletes an object, or says what would go.
///
/// # Errors
/// When it is not there, has moved, or is referred to by others that stay.
pub async fn delete(
    admission: &Admission,
    principal: &Principal,
    target: Target,
    precondition: Precondition,
    parameters: orch_shared::wire::DeleteParameters,
) -> Result<Deleted, Problem> {
    let principal = principal.clone();
    let dry_run = parameters.dry_run.unwrap_or(false);
    let with_dependents = parameters.with_dependents.unwrap_or(false);
    let deleted = admission.store.write(move |transaction| {
        Box::pin(async move {
            let row = find(transaction, &principal, &target).await?;
            precondition.check(&row)?;
            let going = if with_dependents {
                closure(transaction, row).await?
            } else {
                refuse_orphans(transaction, std::slice::from_ref(&row), &[]).await?;
                vec![row]
            };
            let mut objects = Vec::new();
            for row in &going {
                objects.push(row.object.clone());
                objects.extend(transaction.owned(&row.uid).await?.into_iter().map(|owned| owned.object));
            }
            if !dry_run {
                transaction
                    .mutate(going.iter().map(removal).collect(), &principal.name)
                    .await?;
                for row in &going {
                    transaction.audit(audited(&principal, "delete", Some(&row.object)));
                }
            }
            Ok::<_, Error>(Deleted { objects, dry_run })
        })
    });
    Ok(deleted.await?)
}

/// How an object goes.
pub(super) fn removal(row: &Row) -> Mutation {
    let uid = row.uid.clone();
    match row.object.kind.meta().removal {
        Removal::AtOnce => Mutation::Remove { uid },
        Removal::AfterCleanup => Mutation::MarkDeleting { uid },
    }
}

/// Refuses when objects that stay refer to one that goes. Objects in `declared` have been checked as they will be.
pub(super) async fn refuse_orphans(
    transaction: &mut Transaction,
    going: &[Row],
    declared: &[ObjectRef],
) -> Result<(), Error> {
    if going.is_empty() {
        return Ok(());
    }
    let names: Vec<ObjectRef> = going.iter().map(|row| row.object.clone()).collect();
    let mut settled: BTreeSet<&ObjectRef> = names.iter().collect();
    settled.extend(declared);
    let mut users: BTreeMap<ObjectRef, Vec<String>> = BTreeMap::new();
    for (target, dependent) in transaction.dependents(&names).await? {
        let stays = dependent.deleting_since.is_none() && !settled.contains(&dependent.object);
        if stays {
            users
                .entry(target)
                .or_default()
                .push(format!("{} ({})", dependent.object, dependent.path));
        }
    }
    let Some((target, users)) = users.into_iter().next() else {
        return Ok(());
    };
    let shown = users.iter().take(5).cloned().collect::<Vec<_>>().join(", ");
    let more = users.len().saturating_sub(5);
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    let problem = Problem::new(Code::InUse, format!("{target} is used by {shown}{more}"));
    Err(problem
        .suggest("change or delete it first; what would go along: --with-dependents --dry-run=server")
        .into())
}

/// An object and everything that refers to it, users before what they use.
async fn closure(transaction: &mut Transaction, row: Row) -> Result<Vec<Row>, Error> {
    let mut seen = BTreeSet::from([row.object.clone()]);
    let mut going = vec![row];
    let mut next = 0;
    while next < going.len() {
        let target = going[next].object.clone();
        next += 1;
        for (_, dependent) in transaction.dependents(&[target]).await? {
            if dependent.deleting_since.is_none()
                && seen.insert(dependent.object.clone())
                && let Some(row) = transaction.load(&[dependent.object]).await?.pop().flatten()
            {
                going.push(row);
            }
        }
    }
    going.reverse();
    Ok(going)
}
