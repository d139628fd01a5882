//! The daemon's own door for what it brings along: objects that are there from the first start.
//!
//! Guarantees: an object is brought along once; one that somebody has deleted stays away, one that somebody has changed, or
//! had before, stays as it is; one that nobody has touched follows the daemon's version. All in one write.

use std::collections::BTreeSet;
use std::sync::Arc;

use orch_shared::access::Principal;
use orch_shared::audit::RowKind;
use orch_shared::name::ObjectRef;
use orch_shared::resource::Resource;
use orch_shared::seeded;

use super::probing::AuthCheck;
use super::set::{self, Door, Effect, Foreign, Order, Others, Present};
use super::{Admission, Error, counted};
use crate::audit;
use crate::store::{NewAudit, Object, Row};

/// Who brings objects along, in the history and the audit log.
const BY: &str = "orchd";

fn ourselves() -> Principal {
    Principal {
        name: BY.into(),
        ..Principal::daemon()
    }
}

/// Changes an object that was brought along, in the daemon's own name.
///
/// # Errors
/// When the store fails, or the object cannot be admitted.
pub async fn amend(admission: &Admission, resource: Resource) -> Result<(), Error> {
    let admission = admission.clone();
    let store = admission.store.clone();
    let written = audit::write(&store, move |transaction| {
        Box::pin(async move {
            let object = resource.reference();
            let order = order(vec![resource]);
            set::admit(&admission, transaction, order, &ourselves()).await?;
            transaction.audit(super::audited(&ourselves(), "seed", Some(&object)));
            Ok::<_, Error>(())
        })
    });
    written.await
}

fn order(objects: Vec<Resource>) -> Order {
    Order {
        objects,
        set: None,
        others: Others::Kept,
        foreign: Foreign::TakenOver,
        present: Present::Changed,
        effect: Effect::Commit,
        door: Door::Declaring,
        expect: vec![],
        verb: "seed".to_owned(),
        home: None,
        auth: AuthCheck::Skipped,
        lodgings: Arc::default(),
    }
}

/// What the next start would have to do.
#[derive(Debug, PartialEq)]
struct Task {
    /// Objects to make, or to bring up to date.
    write: Vec<Resource>,
    /// Objects that were brought along and that nothing says so of yet.
    note: Vec<ObjectRef>,
}

/// Brings objects along that carry the mark of [`seeded`], as far as nobody minds; says how many were written.
///
/// # Errors
/// When the store fails, or an object cannot be admitted; then nothing was written.
pub async fn seed(admission: &Admission, objects: Vec<Resource>) -> Result<usize, Error> {
    let admission = admission.clone();
    let store = admission.store.clone();
    let written = audit::write(&store, move |transaction| {
        Box::pin(async move {
            let names: Vec<ObjectRef> = objects.iter().map(Resource::reference).collect();
            let known = transaction.seeded().await?;
            let rows = transaction.load(&names).await?;
            let Task { write, note } = task(objects, rows, &known)?;
            let count = write.len();
            if !note.is_empty() {
                transaction.note_seeded(&note).await?;
            }
            if !write.is_empty() {
                let order = order(write);
                set::admit(&admission, transaction, order, &ourselves()).await?;
                transaction.audit(NewAudit {
                    principal: BY.to_owned(),
                    detail: counted(count),
                    ..NewAudit::new(RowKind::Request, "seed")
                });
            }
            Ok::<_, Error>(count)
        })
    });
    written.await
}

/// What there is to do, given what is there and what was brought along before.
fn task(
    objects: Vec<Resource>,
    rows: Vec<Option<Row>>,
    known: &BTreeSet<ObjectRef>,
) -> Result<Task, crate::store::Error> {
    let (mut write, mut note) = (Vec::new(), Vec::new());
    for (object, row) in objects.into_iter().zip(rows) {
        let name = object.reference();
        let is_known = known.contains(&name);
        let Some(row) = row else {
            if !is_known {
                note.push(name);
                write.push(object);
            }
            continue;
        };
        let Object { metadata, spec, .. } = Object::parse(&row)?;
        let is_untouched = seeded::is_untouched(name.kind, &metadata, &spec.to_value());
        if !is_untouched || row.deleting_since.is_some() {
            continue;
        }
        if !is_known {
            // Came with a backup, and is as good as our own.
            note.push(name.clone());
        }
        let live = Resource {
            kind: name.kind,
            metadata,
            spec,
        };
        if live != object {
            write.push(object);
        }
    }
    Ok(Task { write, note })
}
