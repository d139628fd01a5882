//! Deleting: never out from under somebody, unless asked to take them along.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use orch_shared::access::{Principal, Role};
use orch_shared::apply::MOST_OBJECTS;
use orch_shared::kind::{Kind, Removal};
use orch_shared::kinds::secret::Secret;
use orch_shared::name::ObjectRef;
use orch_shared::problem::{Code, Problem};
use orch_shared::system;
use orch_shared::wire::{DeleteParameters, Deleted, Deletion};

use super::error::not_found;
use super::houses::Houses;
use super::one::{Precondition, Target, find};
use super::set::{self, Effect, Foreign, Order, Others};
use super::{Admission, Error, audited, permission};
use crate::audit;
use crate::store::{Mutation, Object, Row, Transaction};

/// So many objects are named in a sentence.
const TOLD: usize = 5;

/// Deletes an object, or says what would go.
///
/// # Errors
/// When it is not there, has moved, or is referred to by others that stay.
pub async fn delete(
    admission: &Admission,
    principal: &Principal,
    target: Target,
    precondition: Precondition,
    parameters: DeleteParameters,
) -> Result<Deleted, Problem> {
    let (admission, principal) = (admission.clone(), principal.clone());
    let store = admission.store.clone();
    let how = How::new(
        parameters.dry_run.unwrap_or(false),
        parameters.with_dependents.unwrap_or(false),
    );
    let deleted = audit::write(&store, move |transaction| {
        Box::pin(async move {
            let row = find(transaction, &principal, &target).await?;
            precondition.check(&row)?;
            remove(&admission, transaction, &principal, vec![row], how).await
        })
    });
    Ok(deleted.await?)
}

/// Deletes several objects, all of them or none, or says what would go.
///
/// # Errors
/// When one of them is not there, or is referred to by others that stay.
pub async fn delete_several(
    admission: &Admission,
    principal: &Principal,
    deletion: Deletion,
) -> Result<Deleted, Problem> {
    let Deletion {
        objects,
        dry_run,
        with_dependents,
        ignore_not_found,
    } = deletion;
    if objects.len() > MOST_OBJECTS {
        let detail = format!(
            "{} objects are named; at most {MOST_OBJECTS} are deleted at once",
            objects.len()
        );
        return Err(Problem::new(Code::BodyTooLarge, detail).suggest("delete them in several requests"));
    }
    let (admission, principal) = (admission.clone(), principal.clone());
    let store = admission.store.clone();
    let how = How::new(dry_run, with_dependents);
    let deleted = audit::write(&store, move |transaction| {
        Box::pin(async move {
            let mut rows: Vec<Row> = Vec::with_capacity(objects.len());
            let mut named = BTreeSet::new();
            let mut missing = Vec::new();
            for object in &objects {
                match find(transaction, &principal, &Target::from(object)).await {
                    Ok(row) if named.insert(row.uid.clone()) => rows.push(row),
                    Ok(_) => {}
                    Err(Error::Refused(problem)) if problem.code == Code::NotFound => missing.push(object),
                    Err(error) => return Err(error),
                }
            }
            match missing[..] {
                [] => {}
                _ if ignore_not_found => {}
                [one] => return Err(not_found(one).into()),
                [..] => return Err(Problem::new(Code::NotFound, format!("{} do not exist", some(&missing))).into()),
            }
            remove(&admission, transaction, &principal, rows, how).await
        })
    });
    Ok(deleted.await?)
}

/// How objects are deleted.
#[derive(Debug, Clone, Copy)]
struct How {
    effect: Effect,
    users: Users,
}

/// What becomes of objects that refer to one that goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Users {
    /// They are in the way.
    Stay,
    /// They go, too.
    Go,
}

impl How {
    const fn new(dry_run: bool, with_dependents: bool) -> Self {
        Self {
            effect: if dry_run { Effect::DryRun } else { Effect::Commit },
            users: if with_dependents { Users::Go } else { Users::Stay },
        }
    }
}

/// Removes objects, as far as nothing is in the way; answers with all that goes, users before what they use. Texts of the
/// daemon's own do not go: they are worded as at first.
async fn remove(
    admission: &Admission,
    transaction: &mut Transaction,
    principal: &Principal,
    rows: Vec<Row>,
    how: How,
) -> Result<Deleted, Error> {
    let (texts, mut going): (Vec<Row>, Vec<Row>) = match how.users {
        Users::Go => closure(transaction, rows).await?,
        Users::Stay => rows,
    }
    .into_iter()
    .partition(|row| system::Text::of(&row.object).is_some());
    for row in texts.iter().chain(&going) {
        permission::require(transaction, principal, Role::Delete, row).await?;
    }
    if let Some(home) = going.iter().find(|row| system::is_home(&row.object)) {
        let detail = format!("{} holds the daemon's own texts and cannot be deleted", home.object);
        return Err(Problem::new(Code::DaemonOwned, detail)
            .suggest("a text of it that is deleted is worded as at first")
            .into());
    }
    if how.users == Users::Stay {
        refuse_orphans(transaction, &going, &[], principal).await?;
    }
    if let Some(houses) = Houses::load(transaction, &[], &going).await? {
        houses.refuse(&[])?;
    }
    let order = Kind::in_apply_order();
    going.sort_by_key(|row| Reverse(order.iter().position(|kind| *kind == row.object.kind)));
    let mut told = BTreeSet::new();
    let mut objects = Vec::new();
    for row in &going {
        let owned = transaction.owned(&row.uid).await?.into_iter().map(|owned| owned.object);
        let all = std::iter::once(row.object.clone()).chain(owned);
        objects.extend(all.filter(|object| told.insert(object.clone())));
    }
    let reset: Vec<ObjectRef> = texts.iter().map(|row| row.object.clone()).collect();
    if how.effect == Effect::Commit {
        reword(admission, transaction, principal, &texts).await?;
        let removals = removals(transaction, &going).await?;
        transaction.mutate(removals, &principal.name).await?;
        for row in &going {
            transaction.audit(audited(principal, "delete", Some(&row.object)));
        }
    }
    Ok(Deleted {
        objects,
        reset,
        dry_run: how.effect == Effect::DryRun,
    })
}

/// Words texts of the daemon's own as at first.
async fn reword(
    admission: &Admission,
    transaction: &mut Transaction,
    principal: &Principal,
    texts: &[Row],
) -> Result<(), Error> {
    if texts.is_empty() {
        return Ok(());
    }
    let order = Order {
        objects: texts.iter().filter_map(|row| system::default_of(&row.object)).collect(),
        set: None,
        others: Others::Kept,
        foreign: Foreign::TakenOver,
        effect: Effect::Commit,
        expect: vec![],
        verb: "reset".to_owned(),
        home: None,
        lodgings: Arc::default(),
    };
    // To delete it is what they may; what it is then is the daemon's own.
    set::admit(admission, transaction, order, &permission::acting(principal)).await?;
    for row in texts {
        transaction.audit(audited(principal, "reset", Some(&row.object)));
    }
    Ok(())
}

/// The first few of many.
fn some(names: &[impl ToString]) -> String {
    let shown: Vec<String> = names.iter().take(TOLD).map(ToString::to_string).collect();
    match names.len() - shown.len() {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// How objects go, and what they own with them, as far as nobody has to clean up after that first.
pub(super) async fn removals(transaction: &mut Transaction, going: &[Row]) -> Result<Vec<Mutation>, Error> {
    let mut removals: Vec<_> = going.iter().map(removal).collect();
    let mut known: BTreeSet<String> = going.iter().map(|row| row.uid.clone()).collect();
    let at_once = going
        .iter()
        .filter(|row| row.object.kind.meta().removal == Removal::AtOnce);
    for row in at_once {
        let owned = transaction.owned(&row.uid).await?.into_iter();
        removals.extend(
            owned
                .filter(|owned| known.insert(owned.uid.clone()))
                .map(|owned| removal(&owned)),
        );
    }
    Ok(removals)
}

/// How one object goes.
pub(super) fn removal(row: &Row) -> Mutation {
    let uid = row.uid.clone();
    let is_elsewhere = |secret: &Secret| !secret.places().is_empty();
    let secret = Object::parse(row).ok().filter(|_| row.object.kind == Kind::Secret);
    // Its values are deleted where they live before it goes.
    if secret.is_some_and(|object| object.spec::<Secret>().is_some_and(is_elsewhere)) {
        return Mutation::MarkDeleting { uid };
    }
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
    principal: &Principal,
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
            let told = match permission::is_seen_by_name(transaction, principal, &dependent.object).await? {
                true => format!("{} ({})", dependent.object, dependent.path),
                false => "something that you may not see".to_owned(),
            };
            users.entry(target).or_default().push(told);
        }
    }
    let Some((target, users)) = users.into_iter().next() else {
        return Ok(());
    };
    let problem = Problem::new(Code::InUse, format!("{target} is used by {}", some(&users)));
    Err(problem
        .suggest("change or delete it first; what would go along: --with-dependents --dry-run=server")
        .into())
}

/// Objects and everything that refers to them, users before what they use.
async fn closure(transaction: &mut Transaction, rows: Vec<Row>) -> Result<Vec<Row>, Error> {
    let mut seen: BTreeSet<ObjectRef> = rows.iter().map(|row| row.object.clone()).collect();
    let mut going = rows;
    let mut next = 0;
    while next < going.len() {
        let targets: Vec<ObjectRef> = going[next..].iter().map(|row| row.object.clone()).collect();
        next = going.len();
        let users = transaction.dependents(&targets).await?.into_iter();
        let users: Vec<ObjectRef> = users
            .filter(|(_, user)| user.deleting_since.is_none() && seen.insert(user.object.clone()))
            .map(|(_, user)| user.object)
            .collect();
        going.extend(transaction.load(&users).await?.into_iter().flatten());
    }
    going.reverse();
    Ok(going)
}
