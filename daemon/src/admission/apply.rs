//! Apply: a whole set, all or nothing.

use std::sync::Arc;

use orch_shared::apply::{MOST_OBJECTS, Request, Response};
use orch_shared::kind::Maker;
use orch_shared::manifest;
use orch_shared::path::FieldPath;
use orch_shared::problem::{Code, FieldProblem, MOST_TOLD, Problem};
use orch_shared::resource::Resource;
use serde_json::Value;

use super::lodging::{self, Sources};
use super::probing::{AuthCheck, may_need_providers};
use super::set::{self, Door, Effect, Foreign, Order, Others, Present};
use super::{Admission, audited, counted};
use crate::asker::Asker;
use crate::audit;
use crate::store::Transaction;

/// Longest name of an apply set, in characters.
const SET_NAME: usize = 63;

/// Applies a set, or works out what applying it would do.
///
/// # Errors
/// Every problem of every object at once; then nothing was written.
pub async fn apply(admission: &Admission, asker: &Asker, request: Request) -> Result<Response, Problem> {
    let Request {
        objects,
        set,
        prune,
        take_over,
        dry_run,
        skip_auth_check,
        expect,
    } = request;
    if dry_run {
        audit::rehearsed();
    }
    if let Some(set) = &set
        && (set.is_empty()
            || set.len() > SET_NAME
            || !set.chars().all(|c| c.is_ascii_alphanumeric() || "-_./".contains(c)))
    {
        let detail = format!("`{set}` cannot name an apply set");
        return Err(Problem::new(Code::BadRequest, detail).suggest("1 to 63 letters, digits, `-`, `_`, `.` and `/`"));
    }
    if prune && set.is_none() {
        return Err(Problem::new(Code::BadRequest, "pruning needs to know whose members go")
            .suggest("name the set: --set NAME"));
    }
    if objects.len() > MOST_OBJECTS {
        let detail = format!(
            "the set has {} objects; at most {MOST_OBJECTS} are applied at once",
            objects.len()
        );
        return Err(Problem::new(Code::BodyTooLarge, detail).suggest("split it into several sets"));
    }
    // Reading thousands of objects takes a while in which nobody else is to wait.
    let decoded = tokio::task::spawn_blocking(move || decode(objects)).await;
    let order = Order {
        objects: decoded.map_err(|_| Problem::new(Code::Internal, "the objects cannot be read"))??,
        set,
        others: if prune { Others::Pruned } else { Others::Kept },
        foreign: if take_over {
            Foreign::TakenOver
        } else {
            Foreign::Refused
        },
        present: Present::Changed,
        effect: if dry_run { Effect::DryRun } else { Effect::Commit },
        door: Door::Declaring,
        expect: expect.unwrap_or_default(),
        verb: "apply".to_owned(),
        home: None,
        auth: AuthCheck::unless(Some(skip_auth_check)),
        lodgings: Arc::default(),
    };
    // Most sets are written at once, and are not kept for another try.
    let may_take_two = lodging::may_need_backends(admission, &order.objects) || may_need_providers(&order.objects);
    let again = may_take_two.then(|| order.clone());
    let mut first = Some(order);
    let applied = lodging::write(admission, asker, Sources::Cleared, |principal, lodgings| {
        let order = first.take().or_else(|| again.clone())?;
        let order = Order { lodgings, ..order };
        let admission = admission.clone();
        Some(Box::new(move |transaction: &mut Transaction| {
            Box::pin(async move {
                let effect = order.effect;
                let results = set::admit(&admission, transaction, order, &principal).await?;
                match effect {
                    Effect::Commit => {
                        let mut entry = audited(&principal, "apply", None);
                        entry.detail = counted(results.len());
                        transaction.audit(entry);
                    }
                    Effect::DryRun => audit::said(&counted(results.len())),
                }
                Ok(Response {
                    revision: transaction.revision(),
                    results,
                })
            })
        }))
    });
    Ok(applied.await?)
}

/// Reads the objects of a set: all problems of all of them, as far as they are told. Takes them, so that a large set is
/// not in memory twice.
fn decode(objects: Vec<Value>) -> Result<Vec<Resource>, Problem> {
    let mut problems = Vec::new();
    let mut resources: Vec<Resource> = Vec::with_capacity(objects.len());
    let mut seen = std::collections::HashMap::with_capacity(objects.len());
    for (index, object) in objects.into_iter().enumerate() {
        match decode_one(&object) {
            Ok(resource) => {
                let reference = resource.reference();
                if let Some(first) = seen.insert(reference.clone(), index) {
                    let message = format!("{reference} is already declared by object {first} of this set");
                    let path = FieldPath::root().key("metadata").key("name");
                    problems.push(
                        FieldProblem::new(Code::DuplicateObject, path, message)
                            .hint("remove one of the two")
                            .in_object(index),
                    );
                }
                resources.push(resource);
            }
            Err(found) => problems.extend(found.into_iter().map(|problem| problem.in_object(index))),
        }
        if problems.len() > MOST_TOLD {
            break;
        }
    }
    match Problem::of_fields(problems) {
        Some(problem) => Err(problem),
        None => Ok(resources),
    }
}

/// Reads one object that a user sends.
pub(super) fn decode_one(object: &Value) -> Result<Resource, Vec<FieldProblem>> {
    let resource = manifest::resource(object)?;
    match resource.kind.meta().maker {
        Maker::User => Ok(resource),
        Maker::Daemon => {
            let message = format!(
                "objects of kind {} are made by the daemon",
                resource.kind.meta().singular
            );
            let problem = FieldProblem::new(Code::DaemonOwned, FieldPath::root().key("kind"), message);
            Err(vec![problem.hint("change the object it belongs to; it will follow")])
        }
    }
}
