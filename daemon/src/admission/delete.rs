//! Deleting: never out from under somebody, unless asked to take them along.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use orch_shared::access::{Decision, Principal, Role};
use orch_shared::apply::MOST_OBJECTS;
use orch_shared::kind::{Kind, Removal};
use orch_shared::kinds::secret::Secret;
use orch_shared::name::ObjectRef;
use orch_shared::problem::{Code, Problem};
use orch_shared::system;
use orch_shared::wire::{DeleteParameters, Deleted, Deletion};

use super::error::not_found;
use super::houses::Houses;
use super::one::{Precondition, Sought, Target, find, seek};
use super::probing::AuthCheck;
use super::set::{self, Door, Effect, Foreign, Order, Others, Present};
use super::{Admission, Error, audited, ceiling, counted, permission, token};
use crate::audit;
use crate::store::{Mutation, Object, Row, Transaction};

/// So many objects are named in a sentence.
const TOLD: usize = 5;
/// What stands in the place of a name.
const HIDDEN: &str = "something that you may not see";

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
    how.note();
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
    how.note();
    if let [object] = &objects[..] {
        audit::about("delete", object);
    }
    let deleted = audit::write(&store, move |transaction| {
        Box::pin(async move {
            let mut rows: Vec<Row> = Vec::with_capacity(objects.len());
            let mut named = BTreeSet::new();
            let (mut missing, mut hidden) = (Vec::new(), None);
            for object in &objects {
                match seek(transaction, &principal, &Target::from(object)).await? {
                    Sought::Found(row) if named.insert(row.uid.clone()) => rows.push(*row),
                    Sought::Found(_) => {}
                    Sought::Hidden => {
                        hidden = hidden.or(Some(object));
                        missing.push(object);
                    }
                    Sought::Absent => missing.push(object),
                }
            }
            if let Some(hidden) = hidden.filter(|_| !ignore_not_found) {
                audit::about("delete", hidden);
                audit::decided(&principal, &Decision::denied(), Role::View);
            }
            match missing[..] {
                [] => {}
                _ if ignore_not_found => {}
                [one] => return Err(not_found(one).into()),
                [..] => return Err(Problem::new(Code::NotFound, format!("{} do not exist", some(&missing))).into()),
            }
            let deleted = remove(&admission, transaction, &principal, rows, how).await?;
            if how.effect == Effect::DryRun {
                audit::said(&counted(deleted.objects.len() + deleted.reset.len()));
            }
            Ok::<_, Error>(deleted)
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

    /// Says on the trail of the request what is only tried.
    fn note(self) {
        match self.effect {
            Effect::DryRun => audit::rehearsed(),
            Effect::Commit => {}
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
    // Before anything is told of who uses them.
    require_all(transaction, principal, &rows).await?;
    let (texts, mut going): (Vec<Row>, Vec<Row>) = match how.users {
        Users::Go => {
            let all = closure(transaction, principal, rows).await?;
            require_all(transaction, principal, &all).await?;
            all
        }
        Users::Stay => rows,
    }
    .into_iter()
    .partition(|row| system::Text::of(&row.object).is_some());
    if let Some(home) = going.iter().find(|row| system::is_home(&row.object)) {
        let detail = format!("{} holds the daemon's own texts and cannot be deleted", home.object);
        return Err(Problem::new(Code::DaemonOwned, detail)
            .suggest("a text of it that is deleted is worded as at first")
            .into());
    }
    ceiling::may_delete(&admission.store.snapshot(), principal, &going)?;
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
        token::end_with(transaction, &admission.store.snapshot(), &going).await?;
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

/// Refuses objects that somebody may not delete. The row about the request names the one that it is refused for.
async fn require_all(transaction: &mut Transaction, principal: &Principal, rows: &[Row]) -> Result<(), Error> {
    for row in rows {
        let required = permission::require(transaction, principal, Role::Delete, row).await;
        if required.is_err() {
            audit::about("delete", &row.object);
        }
        required?;
    }
    Ok(())
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
        present: Present::Changed,
        effect: Effect::Commit,
        door: Door::Declaring,
        expect: vec![],
        verb: "reset".to_owned(),
        home: None,
        auth: AuthCheck::Skipped,
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
                false => HIDDEN.to_owned(),
            };
            users.entry(target).or_default().push(told);
        }
    }
    match users.into_iter().next() {
        Some((target, users)) => Err(in_use(&target, &users)),
        None => Ok(()),
    }
}

fn in_use(target: &ObjectRef, users: &[String]) -> Error {
    let problem = Problem::new(Code::InUse, format!("{target} is used by {}", some(users)));
    problem
        .suggest("change or delete it first; what would go along: --with-dependents --dry-run=server")
        .into()
}

/// Objects and everything that refers to them, users before what they use. What refers to them and may not be seen is in the
/// way, as if nothing were to go along.
async fn closure(transaction: &mut Transaction, principal: &Principal, rows: Vec<Row>) -> Result<Vec<Row>, Error> {
    let mut seen: BTreeSet<ObjectRef> = rows.iter().map(|row| row.object.clone()).collect();
    let mut going = rows;
    let mut next = 0;
    while next < going.len() {
        let targets: Vec<ObjectRef> = going[next..].iter().map(|row| row.object.clone()).collect();
        next = going.len();
        let users = transaction.dependents(&targets).await?.into_iter();
        let (used, users): (Vec<ObjectRef>, Vec<ObjectRef>) = users
            .filter(|(_, user)| user.deleting_since.is_none() && seen.insert(user.object.clone()))
            .map(|(target, user)| (target, user.object))
            .unzip();
        let rows = transaction.load(&users).await?;
        for (row, target) in rows.into_iter().zip(used) {
            let Some(row) = row else { continue };
            if !permission::is_seen(transaction, principal, &row).await? {
                return Err(in_use(&target, &[HIDDEN.to_owned()]));
            }
            going.push(row);
        }
    }
    going.reverse();
    Ok(going)
}
