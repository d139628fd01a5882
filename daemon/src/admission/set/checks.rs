//! What is held against a set before anything of it is written: that nothing has moved, that whoever asks may do all of it,
//! and that what it names is there.

use std::collections::{BTreeSet, HashMap, HashSet};

use orch_shared::access::{Principal, Role};
use orch_shared::apply::Expectation;
use orch_shared::kind::downcast;
use orch_shared::kinds::agent::Agent;
use orch_shared::name::{Name, ObjectRef, Scope};
use orch_shared::path::FieldPath;
use orch_shared::problem::{Code, FieldProblem, MOST_TOLD, Problem};
use orch_shared::publishing;
use orch_shared::resource::Resource;
use tokio::task::coop::consume_budget;

use super::super::references::World;
use super::super::{Error, ceiling, lending, permission};
use super::{Difference, Pair, Present};
use crate::audit;
use crate::store::{Known, Row, Snapshot, Transaction};

/// What is there of a set, for whoever asks: what may not be seen is not there, and neither is what is there and was to be
/// made. That those names are taken is told once it is known that they might have been used.
pub(super) async fn look(
    transaction: &mut Transaction,
    principal: &Principal,
    rows: Vec<Option<Row>>,
    present: Present,
) -> Result<(Vec<Option<Row>>, Vec<ObjectRef>), Error> {
    let mut seen = Vec::with_capacity(rows.len());
    let mut taken = Vec::new();
    for row in rows {
        let Some(row) = row else {
            seen.push(None);
            continue;
        };
        consume_budget().await;
        let is_going = row.deleting_since.is_some();
        let is_looked_at = match present {
            Present::Changed => true,
            // That it goes is told to who waits for that.
            Present::Refused => is_going,
        };
        if is_looked_at && permission::is_seen(transaction, principal, &row).await? {
            seen.push(Some(row));
        } else {
            taken.push(row.object);
            seen.push(None);
        }
    }
    Ok((seen, taken))
}

/// Refuses a name that something else bears. It cannot be kept from whoever might use the name.
pub(super) fn refuse_taken(taken: &[ObjectRef], present: Present) -> Result<(), Error> {
    let Some(object) = taken.first() else {
        return Ok(());
    };
    let problem = Problem::new(Code::AlreadyExists, format!("{object} exists already"));
    Err(problem
        .suggest(match present {
            Present::Changed => "take another name",
            Present::Refused => "apply changes what is there",
        })
        .into())
}

/// Refuses to declare what is published, or would be: what it is, its publisher says. As it is it may be sent again.
pub(super) fn refuse_published(pairs: &[Pair]) -> Result<(), Error> {
    for pair in pairs.iter().filter(|pair| pair.means_something_new()) {
        let object = pair.resource.reference();
        let is_live = |(_, live): &(Row, Resource)| publishing::is_published(live.spec.as_ref());
        let problem = if pair.live.as_ref().is_some_and(is_live) {
            let noun = object.kind.meta().singular;
            Problem::new(
                Code::Published,
                format!("{object} is published by a client, and not declared"),
            )
            .suggest(format!(
                "change what its publisher offers; or take its name: orchctl delete {noun} {}",
                object.name
            ))
        } else if publishing::is_published(pair.resource.spec.as_ref()) {
            Problem::new(
                Code::Published,
                format!("{object} would be published, and nobody publishes it"),
            )
            .suggest("publish it from where it runs: orchctl provide --help")
        } else {
            continue;
        };
        return Err(problem.into());
    }
    Ok(())
}

/// What must not have moved: each beside what it is now, if that was looked at.
pub(super) struct Expected(Vec<(Expectation, Now)>);

/// What an object is now.
enum Now {
    /// Of that uid and generation; nothing, when it is not there.
    Known(Option<(String, i64)>),
    /// It is not among those that are sent: a pruned object.
    Unknown,
}

impl Expected {
    /// Expectations of a set, of which these rows are there.
    pub(super) fn of(expectations: &[Expectation], references: &[ObjectRef], rows: &[Option<Row>]) -> Self {
        if expectations.is_empty() {
            return Self(Vec::new());
        }
        let rows: HashMap<&ObjectRef, &Option<Row>> = references.iter().zip(rows).collect();
        let now = |expected: &Expectation| match rows.get(&expected.object) {
            Some(row) => Now::Known(row.as_ref().map(|row| (row.uid.clone(), row.generation))),
            None => Now::Unknown,
        };
        let expected = expectations.iter();
        Self(expected.map(|expected| (expected.clone(), now(expected))).collect())
    }
}

/// Refuses a set that rests on what is not so any more.
pub(super) async fn refuse_moved(
    transaction: &mut Transaction,
    principal: &Principal,
    Expected(expectations): Expected,
) -> Result<(), Error> {
    for (expected, now) in expectations {
        let now = match now {
            Now::Known(now) => now,
            Now::Unknown => {
                let loaded = transaction.load(std::slice::from_ref(&expected.object)).await?;
                match loaded.into_iter().next().flatten() {
                    Some(row) if permission::is_seen(transaction, principal, &row).await? => {
                        Some((row.uid, row.generation))
                    }
                    Some(_) | None => None,
                }
            }
        };
        let now = now.as_ref().map(|(uid, generation)| (uid.as_str(), *generation));
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

/// The members of a set that go because they are not among its objects any more, as far as they may be seen.
pub(super) async fn prunable(
    transaction: &mut Transaction,
    principal: &Principal,
    set: &str,
    kept: &[ObjectRef],
) -> Result<Vec<Row>, Error> {
    let kept: HashSet<&ObjectRef> = kept.iter().collect();
    let mut pruned = Vec::new();
    for row in transaction.members(set).await? {
        consume_budget().await;
        let goes = row.deleting_since.is_none() && !kept.contains(&row.object);
        if goes && permission::is_seen(transaction, principal, &row).await? {
            pruned.push(row);
        }
    }
    Ok(pruned)
}

/// Refuses what somebody may not make or change; all of it at once.
pub(super) async fn authorize(
    transaction: &mut Transaction,
    principal: &Principal,
    pairs: &[Pair],
) -> Result<(), Error> {
    let agent = |pair: &Pair| {
        let agent = downcast::<Agent>(pair.resource.spec.as_ref())?;
        Some((pair.resource.metadata.name.clone(), agent.project.clone()))
    };
    let agents: HashMap<Name, Option<Name>> = pairs.iter().filter_map(agent).collect();
    // What lives with an agent of the set is where that will be.
    let declared = |known: Known, pair: &Pair| {
        let known = known.declared(&pair.resource);
        match pair.resource.metadata.scope() {
            Scope::Agent(agent) => match agents.get(&agent) {
                Some(project) => known.in_project(project.as_ref()),
                None => known,
            },
            Scope::Cluster | Scope::Project(_) => known,
        }
    };
    let (mut refused, mut rules) = (Vec::new(), BTreeSet::new());
    for (index, pair) in pairs.iter().enumerate() {
        let object = pair.resource.reference();
        let (role, decision) = match &pair.live {
            None => {
                let known = declared(transaction.known_new(&pair.resource).await?, pair);
                (Role::Create, permission::decide(principal, Role::Create, &known))
            }
            Some((row, _)) => {
                let is_changed =
                    pair.difference != Difference::Nothing || pair.move_to().is_some() || pair.gives_values;
                let role = if is_changed { Role::Edit } else { Role::View };
                let known = transaction.known(row, &principal.rights).await?;
                let before = permission::decide(principal, role, &known);
                // What it is from now on must be theirs as well.
                let after = permission::decide(principal, role, &declared(known, pair));
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

/// Refuses what would let whoever writes the set, or others, do more than they may.
pub(super) async fn hold_to_ceiling(
    transaction: &mut Transaction,
    snapshot: &Snapshot,
    principal: &Principal,
    pairs: &[Pair],
) -> Result<(), Error> {
    let declared = pairs.iter().map(|pair| (pair.resource.reference(), &pair.resource));
    let declared: HashMap<ObjectRef, &Resource> = declared.collect();
    for pair in pairs.iter().filter(|pair| pair.means_something_new()) {
        let (resource, before) = (&pair.resource, pair.live.as_ref().map(|(_, live)| live));
        ceiling::check(snapshot, principal, resource, before)?;
        if let Some((row, live)) = &pair.live {
            ceiling::may_relabel(transaction, principal, (row, live), resource).await?;
        }
        ceiling::may_list(transaction, principal, before, resource).await?;
        lending::may_lend(transaction, principal, (resource, before), &declared).await?;
    }
    Ok(())
}
