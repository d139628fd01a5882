//! The heart of admission: a set of objects against the live ones, inside one write.
//!
//! Flow: load the live objects; seal; compare; look up what is named; then either every object is written, or none and
//! every problem of every object is told.

use std::collections::{BTreeSet, HashSet};

use orch_shared::apply::{Expectation, Outcome, Verdict};
use orch_shared::diff;
use orch_shared::name::ObjectRef;
use orch_shared::path::FieldPath;
use orch_shared::problem::{Code, FieldProblem, Problem};
use orch_shared::resource::Resource;
use serde_json::{Value, json};

use super::admitted::Admitted;
use super::error::terminating;
use super::references::World;
use super::sealing;
use super::{Admission, Error};
use crate::store::{Create, Generations, Mutation, Object, Row, Transaction, Update};

/// What is asked for a set.
pub(super) struct Order {
    /// The objects.
    pub(super) objects: Vec<Resource>,
    /// The apply set they are put into; none leaves each where it is.
    pub(super) set: Option<String>,
    /// What happens to members of the set that are not among the objects.
    pub(super) others: Others,
    /// What happens to objects that belong to another set.
    pub(super) foreign: Foreign,
    /// Whether anything is written.
    pub(super) effect: Effect,
    /// What must not have moved.
    pub(super) expect: Vec<Expectation>,
    /// For the history: `apply`, `scale`.
    pub(super) verb: String,
}

/// What happens to members of the set that are not among the objects.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Others {
    Kept,
    Pruned,
}

/// What happens to objects that belong to another set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Foreign {
    Refused,
    TakenOver,
}

/// Whether anything is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Commit,
    DryRun,
}

/// One object beside its live self.
struct Pair {
    resource: Resource,
    /// The resource with the values that mean the same as before in the bytes they had before, when it has any.
    compared: Option<Resource>,
    live: Option<(Row, Resource)>,
    verdict: Verdict,
}

impl Pair {
    /// The form that is compared with what is live.
    fn compared(&self) -> &Resource {
        self.compared.as_ref().unwrap_or(&self.resource)
    }
}

/// Admits a set within a write.
pub(super) async fn admit(
    admission: &Admission,
    transaction: &mut Transaction,
    order: Order,
    by: &str,
) -> Result<Vec<Outcome>, Error> {
    let references: Vec<ObjectRef> = order.objects.iter().map(Resource::reference).collect();
    let rows = transaction.load(&references).await?;
    refuse_moved(transaction, &order, &references, &rows).await?;
    let mut problems = Vec::new();
    let mut pairs = Vec::with_capacity(order.objects.len());
    for (index, (resource, row)) in order.objects.into_iter().zip(rows).enumerate() {
        match pair(admission, resource, row)? {
            Ok(pair) => pairs.push(pair),
            Err(found) => problems.extend(found.into_iter().map(|problem| problem.in_object(index))),
        }
    }
    if let Some(problem) = Problem::of_fields(problems) {
        return Err(problem.into());
    }
    if let Some(set) = &order.set
        && order.foreign == Foreign::Refused
    {
        refuse_foreign(&pairs, set)?;
    }
    let pruned = match (&order.set, order.others) {
        (Some(set), Others::Pruned) => prunable(transaction, set, &references).await?,
        (Some(_) | None, Others::Kept) | (None, Others::Pruned) => Vec::new(),
    };
    let going: BTreeSet<ObjectRef> = pruned.iter().map(|row| row.object.clone()).collect();
    check_references(transaction, &pairs, going).await?;
    super::delete::refuse_orphans(transaction, &pruned, &references).await?;

    let mut outcomes = Vec::with_capacity(pairs.len() + pruned.len());
    for pair in &pairs {
        outcomes.push(outcome(transaction, pair, &order.verb).await?);
    }
    outcomes.extend(pruned.iter().map(|row| Outcome {
        object: row.object.clone(),
        verdict: Verdict::Pruned,
        changes: vec![],
        uid: Some(row.uid.clone()),
        generation: Some(row.generation),
        warnings: vec![],
    }));
    if order.effect == Effect::Commit {
        let mut mutations: Vec<_> = pairs
            .into_iter()
            .filter_map(|pair| mutation(admission, pair, order.set.as_ref(), &order.verb))
            .collect();
        mutations.extend(pruned.iter().map(super::delete::removal));
        if !mutations.is_empty() {
            transaction.mutate(mutations, by).await?;
        }
    }
    Ok(outcomes)
}

/// Compares an object with its live self. The outer error is the store's, the inner ones are the object's.
fn pair(
    admission: &Admission,
    mut resource: Resource,
    row: Option<Row>,
) -> Result<Result<Pair, Vec<FieldProblem>>, Error> {
    let reference = resource.reference();
    if row.as_ref().is_some_and(|row| row.deleting_since.is_some()) {
        return Err(terminating(&reference).into());
    }
    let live = match row {
        Some(row) => {
            let Object {
                object, metadata, spec, ..
            } = Object::parse(&row)?;
            Some((
                row,
                Resource {
                    kind: object.kind,
                    metadata,
                    spec,
                },
            ))
        }
        None => None,
    };
    let before = live.as_ref().map(|(_, live)| live.spec.as_ref());
    let compared = match sealing::seal(&admission.keyring, &reference, resource.spec.as_mut(), before) {
        Ok(compared) => compared,
        Err(problems) => return Ok(Err(problems)),
    };
    let compared = compared.map(|spec| Resource {
        spec,
        metadata: resource.metadata.clone(),
        kind: resource.kind,
    });
    let mut pair = Pair {
        resource,
        compared,
        live,
        verdict: Verdict::Created,
    };
    if let Some((_, live)) = &pair.live {
        pair.verdict = if live.means_the_same(pair.compared()) {
            Verdict::Unchanged
        } else {
            Verdict::Configured
        };
    }
    Ok(Ok(pair))
}

async fn refuse_moved(
    transaction: &mut Transaction,
    order: &Order,
    references: &[ObjectRef],
    rows: &[Option<Row>],
) -> Result<(), Error> {
    for expected in &order.expect {
        let position = references.iter().position(|reference| *reference == expected.object);
        let loaded;
        let live = match position {
            Some(index) => rows[index].as_ref(),
            // A pruned object is not among those that are sent.
            None => {
                loaded = transaction
                    .load(std::slice::from_ref(&expected.object))
                    .await?
                    .pop()
                    .flatten();
                loaded.as_ref()
            }
        };
        let now = live.map(|row| (row.uid.as_str(), row.generation));
        let then = expected.uid.as_deref().zip(expected.generation);
        if now != then {
            let detail = match (then, now) {
                (Some((_, then)), Some((_, now))) if then != now => {
                    format!(
                        "{} has moved from generation {then} to {now} since the plan was made",
                        expected.object
                    )
                }
                (Some(_), Some(_)) => format!("{} was deleted and made again since the plan was made", expected.object),
                (None, Some(_)) => format!("{} was made since the plan was", expected.object),
                (Some(_), None) => format!("{} was deleted since the plan was made", expected.object),
                (None, None) => continue,
            };
            return Err(Problem::new(Code::PlanMoved, detail)
                .suggest("make a new plan and review it")
                .into());
        }
    }
    Ok(())
}

fn refuse_foreign(pairs: &[Pair], set: &str) -> Result<(), Error> {
    for pair in pairs {
        let other = pair
            .live
            .as_ref()
            .and_then(|(row, _)| row.apply_set.as_deref())
            .filter(|other| *other != set);
        if let Some(other) = other {
            let detail = format!("{} belongs to the apply set `{other}`", pair.resource.reference());
            let suggestion = format!("take it out of `{other}` first, or take it over: --take-over");
            return Err(Problem::new(Code::OtherSet, detail).suggest(suggestion).into());
        }
    }
    Ok(())
}

async fn prunable(transaction: &mut Transaction, set: &str, kept: &[ObjectRef]) -> Result<Vec<Row>, Error> {
    let kept: HashSet<&ObjectRef> = kept.iter().collect();
    let members = transaction.members(set).await?.into_iter();
    Ok(members
        .filter(|row| row.deleting_since.is_none() && !kept.contains(&row.object))
        .collect())
}

async fn check_references(
    transaction: &mut Transaction,
    pairs: &[Pair],
    going: BTreeSet<ObjectRef>,
) -> Result<(), Error> {
    // What is unchanged was checked when it came, unless something it may name is going.
    let checked = |pair: &Pair| pair.verdict != Verdict::Unchanged || !going.is_empty();
    if !pairs.iter().any(checked) {
        return Ok(());
    }
    let which: Vec<bool> = pairs.iter().map(checked).collect();
    let set: Vec<&Resource> = pairs.iter().map(|pair| &pair.resource).collect();
    let world = World::load(transaction, &set, going).await?;
    let mut problems = Vec::new();
    for (index, resource) in set.iter().enumerate().filter(|(index, _)| which[*index]) {
        problems.extend(
            world
                .check(resource)
                .into_iter()
                .map(|problem| problem.in_object(index)),
        );
    }
    match Problem::of_fields(problems) {
        Some(problem) => Err(problem.into()),
        None => Ok(()),
    }
}

async fn outcome(transaction: &mut Transaction, pair: &Pair, verb: &str) -> Result<Outcome, Error> {
    let row = pair.live.as_ref().map(|(row, _)| row);
    let changes = match (&pair.live, pair.verdict) {
        (Some((_, live)), Verdict::Configured) => {
            let (before, after) = document(live, pair.compared());
            diff::changes(&before, &after)
        }
        (Some(_) | None, Verdict::Created | Verdict::Configured | Verdict::Unchanged | Verdict::Pruned) => vec![],
    };
    let mut warnings = Vec::new();
    let replicas = FieldPath::parse("spec.replicas");
    if let (Some(row), "apply", Some(change)) = (row, verb, changes.iter().find(|change| change.path == replicas)) {
        let scaled = transaction
            .generation(&row.uid, row.generation)
            .await?
            .is_some_and(|current| current.verb == "scale");
        if scaled {
            let said = |value: &Option<Value>| {
                value
                    .as_ref()
                    .map_or_else(|| "the default".to_owned(), ToString::to_string)
            };
            warnings.push(format!(
                "this undoes a scale: replicas {} -> {}",
                said(&change.from),
                said(&change.to)
            ));
        }
    }
    Ok(Outcome {
        object: pair.resource.reference(),
        verdict: pair.verdict,
        changes,
        uid: row.map(|row| row.uid.clone()),
        generation: row.map(|row| row.generation),
        warnings,
    })
}

/// Both manifests, as far as the user owns them, with secret values hidden.
fn document(before: &Resource, after: &Resource) -> (Value, Value) {
    let (spec_before, spec_after) = sealing::masked(Some(before.spec.as_ref()), after.spec.as_ref());
    let manifest = |resource: &Resource, spec| json!({"metadata": resource.metadata, "spec": spec});
    (
        manifest(before, spec_before.unwrap_or_default()),
        manifest(after, spec_after),
    )
}

/// What must be written for an object, when anything.
fn mutation(admission: &Admission, pair: Pair, set: Option<&String>, verb: &str) -> Option<Mutation> {
    let Pair {
        resource,
        live,
        verdict,
        ..
    } = pair;
    let object = resource.reference();
    let same_form = live.as_ref().is_some_and(|(_, live)| *live == resource);
    let declared = Admitted::new(resource).declared();
    let Some((row, _)) = live else {
        return Some(Mutation::Create(Box::new(Create {
            object,
            uid: admission.store.ids().uid(),
            declared,
            apply_set: set.cloned(),
            owner: None,
            verb: verb.to_owned(),
        })));
    };
    let apply_set = set.cloned().or_else(|| row.apply_set.clone());
    if verdict == Verdict::Unchanged && same_form {
        let moved = apply_set != row.apply_set;
        return moved.then_some(Mutation::ApplySet {
            uid: row.uid,
            apply_set,
        });
    }
    let generation = if verdict == Verdict::Unchanged {
        Generations::Same
    } else {
        Generations::Next
    };
    Some(Mutation::Update(Box::new(Update {
        uid: row.uid,
        expect_generation: row.generation,
        declared,
        apply_set,
        generation,
        verb: verb.to_owned(),
    })))
}
