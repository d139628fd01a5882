//! What is held against a set before anything of it is written: that nothing has moved, that whoever asks may do all of it,
//! and that what it names is there.

use std::collections::{BTreeSet, HashMap, HashSet};

use orch_shared::access::{Principal, Role};
use orch_shared::name::ObjectRef;
use orch_shared::path::FieldPath;
use orch_shared::problem::{Code, FieldProblem, MOST_TOLD, Problem};
use orch_shared::resource::Resource;
use tokio::task::coop::consume_budget;

use super::super::references::World;
use super::super::{Error, permission};
use super::{Difference, Order, Pair};
use crate::audit;
use crate::store::{Known, Row, Transaction};

pub(super) async fn refuse_moved(
    transaction: &mut Transaction,
    order: &Order,
    references: &[ObjectRef],
    rows: &[Option<Row>],
) -> Result<(), Error> {
    if order.expect.is_empty() {
        return Ok(());
    }
    let rows: HashMap<&ObjectRef, Option<&Row>> = references.iter().zip(rows.iter().map(Option::as_ref)).collect();
    for expected in &order.expect {
        let loaded;
        let live = match rows.get(&expected.object) {
            Some(row) => *row,
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

pub(super) fn refuse_foreign(pairs: &[Pair], set: &str) -> Result<(), Error> {
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

pub(super) async fn prunable(transaction: &mut Transaction, set: &str, kept: &[ObjectRef]) -> Result<Vec<Row>, Error> {
    let kept: HashSet<&ObjectRef> = kept.iter().collect();
    let members = transaction.members(set).await?.into_iter();
    Ok(members
        .filter(|row| row.deleting_since.is_none() && !kept.contains(&row.object))
        .collect())
}

/// Refuses what somebody may not make or change; all of it at once.
pub(super) async fn authorize(
    transaction: &mut Transaction,
    principal: &Principal,
    pairs: &[Pair],
) -> Result<(), Error> {
    let (mut refused, mut rules) = (Vec::new(), BTreeSet::new());
    for (index, pair) in pairs.iter().enumerate() {
        let object = pair.resource.reference();
        let (role, decision) = match &pair.live {
            None => {
                let known = Known::of_new(&object, &pair.resource.metadata);
                (Role::Create, permission::decide(principal, Role::Create, &known))
            }
            Some((row, _)) => {
                let is_changed = pair.difference != Difference::Nothing || pair.move_to().is_some();
                let role = if is_changed { Role::Edit } else { Role::View };
                let known = transaction.known(row, &principal.rights).await?;
                let before = permission::decide(principal, role, &known);
                // What it is from now on must be theirs as well.
                let after = permission::decide(principal, role, &known.labelled(&pair.resource.metadata));
                (role, if before.is_allowed { after } else { before })
            }
        };
        rules.extend(decision.rule.clone());
        if !decision.is_allowed {
            if refused.is_empty() {
                audit::decided(principal, &decision, format_args!("{role} {object}"));
            }
            let message = format!("{} may not {role} {object}", principal.name);
            let path = FieldPath::root().key("metadata").key("name");
            refused.push(FieldProblem::new(Code::Forbidden, path, message).in_object(index));
        }
    }
    match Problem::of_fields(refused) {
        None => {
            audit::decided_by_all(principal, &rules);
            Ok(())
        }
        Some(problem) => Err(Problem {
            code: Code::Forbidden,
            ..problem
        }
        .suggest("what you may do: orchctl auth can-i --list")
        .into()),
    }
}

pub(super) async fn check_references(
    transaction: &mut Transaction,
    pairs: &[Pair],
    going: BTreeSet<ObjectRef>,
    principal: &Principal,
) -> Result<(), Error> {
    let changed = pairs.iter().filter(|pair| pair.difference == Difference::Meaning);
    let changed: BTreeSet<ObjectRef> = changed.map(|pair| pair.resource.reference()).collect();
    let set: Vec<&Resource> = pairs.iter().map(|pair| &pair.resource).collect();
    let open: Vec<(usize, &Resource)> = pairs
        .iter()
        .enumerate()
        .filter(|(_, pair)| pair.is_open(&changed, &going))
        .map(|(index, pair)| (index, &pair.resource))
        .collect();
    if open.is_empty() {
        return Ok(());
    }
    let mut world = World::load(transaction, &set, going, principal).await?;
    let moved = open.iter().filter(|(index, _)| pairs[*index].means_something_new());
    for (index, resource) in moved {
        let before = pairs[*index].live.as_ref().map(|(_, live)| live);
        world.hide(transaction, principal, resource, before).await?;
    }
    let mut problems = Vec::new();
    for (index, resource) in &open {
        consume_budget().await;
        let found = world.check(resource).into_iter();
        problems.extend(found.map(|problem| problem.in_object(*index)));
        if problems.len() > MOST_TOLD {
            break;
        }
    }
    // What has not changed was in no circle; so in each there is something that has.
    let mut moved = open;
    moved.retain(|(index, _)| matches!(pairs[*index].difference, Difference::New | Difference::Meaning));
    problems.extend(world.check_circles(&moved));
    match Problem::of_fields(problems) {
        Some(problem) => Err(problem.into()),
        None => Ok(()),
    }
}
