//! The publishers' own door: Llms and Agents that clients offer, their lives, and their ends.
//!
//! Flow: an offer is held against what bears its name, and then admitted like everything else, inside one write; where the
//! object stands is a row beside it, and its status tells the same. What happens to a publisher moves the rows of all that
//! it offers: heard of, gone, or silent for too long.
//!
//! Guarantees: all of an offer or nothing; nobody's object is taken from them. A row and what the status tells of it are
//! written together. What is deleted because nobody publishes it any more is not used by anything that stays.

mod rules;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use orch_shared::access::{Principal, Role};
use orch_shared::apply::Verdict;
use orch_shared::kind::{Kind, downcast};
use orch_shared::kinds::agent::Agent;
use orch_shared::name::{Name, ObjectRef};
use orch_shared::path::FieldPath;
use orch_shared::problem::{Code, FieldProblem, Problem};
use orch_shared::publishing::{self, Offer, Readiness, Standing, Taken};
use orch_shared::query::Severity;
use orch_shared::resource::{Resource, Timestamp};

use super::apply::decode_one;
use super::one::of_fields;
use super::probing::AuthCheck;
use super::set::{self, Door, Effect, Foreign, Order, Others, Present};
use super::{Admission, Error, audited, counted, permission, status};
use crate::audit;
use crate::store::{Claim, Mutation, NewEvent, Object, Publication, Row, Transaction};
use rules::{Happening, Live, Next, Offerer, Refusal};

pub use rules::Terms;

/// So many objects one registration may offer.
const MOST: usize = 100;
/// So many characters of a session's hash name it where people look.
const SHORT: usize = 8;

/// The name of a session where people look; it opens nothing.
#[must_use]
pub fn short_name(publisher: &str) -> String {
    publisher.chars().take(SHORT).collect()
}

/// What a session offers from now on.
#[derive(Debug)]
pub struct Published {
    /// What became of each object.
    pub objects: Vec<Taken>,
    /// The revision that shows it.
    pub revision: i64,
}

/// Takes up what a session offers, all of it or nothing.
///
/// # Errors
/// When an object is not valid, may not be made, is declared, or is somebody else's.
pub async fn publish(
    admission: &Admission,
    principal: &Principal,
    publisher: &str,
    offers: Vec<Offer>,
) -> Result<Published, Problem> {
    if offers.is_empty() || offers.len() > MOST {
        let detail = format!("{} objects are offered", offers.len());
        return Err(Problem::new(Code::BadRequest, detail).suggest(format!("offer 1 to {MOST} at once")));
    }
    let offered = read(offers)?;
    let (admission, principal, publisher) = (admission.clone(), principal.clone(), publisher.to_owned());
    let store = admission.store.clone();
    let written = audit::write(&store, move |transaction| {
        Box::pin(async move { take(&admission, transaction, &principal, &publisher, offered).await })
    });
    Ok(written.await?)
}

/// An object that is offered, read.
struct Offered {
    resource: Resource,
    readiness: Readiness,
    warm_projects: Vec<Name>,
}

/// Reads what is offered: all problems of all of it.
fn read(offers: Vec<Offer>) -> Result<Vec<Offered>, Problem> {
    let (mut offered, mut problems) = (Vec::with_capacity(offers.len()), Vec::new());
    let mut seen = BTreeSet::new();
    for (index, offer) in offers.into_iter().enumerate() {
        match decode_one(&offer.manifest) {
            Ok(resource) => {
                let refuse = |code, field: &str, message: String| {
                    let path = FieldPath::root().join(&FieldPath::parse(field));
                    FieldProblem::new(code, path, message).in_object(index)
                };
                let reference = resource.reference();
                if !matches!(resource.kind, Kind::Llm | Kind::Agent) {
                    let message = format!("a {} cannot be published", resource.kind.meta().singular);
                    problems.push(refuse(Code::InvalidValue, "kind", message).hint("Llm or Agent"));
                } else if !publishing::is_published(resource.spec.as_ref()) {
                    let message = "what is published says so".to_owned();
                    problems.push(refuse(Code::InvalidValue, "spec", message).hint("published: true"));
                } else if !seen.insert(reference.clone()) {
                    let message = format!("{reference} is offered twice");
                    problems.push(refuse(Code::DuplicateObject, "metadata.name", message));
                }
                offered.push(Offered {
                    resource,
                    readiness: offer.state.unwrap_or(Readiness::Active),
                    warm_projects: offer.warm_projects,
                });
            }
            Err(found) => problems.extend(found.into_iter().map(|problem| problem.in_object(index))),
        }
    }
    match problems.is_empty() {
        true => Ok(offered),
        false => Err(of_fields(problems)),
    }
}

async fn take(
    admission: &Admission,
    transaction: &mut Transaction,
    principal: &Principal,
    publisher: &str,
    offered: Vec<Offered>,
) -> Result<Published, Error> {
    let references: Vec<ObjectRef> = offered.iter().map(|offer| offer.resource.reference()).collect();
    let live = transaction.load(&references).await?;
    for (object, row) in references.iter().zip(&live) {
        // What may not be seen is refused by admission, in words that do not tell what it is.
        if let Some(row) = row
            && !permission::is_seen(transaction, principal, row).await?
        {
            continue;
        }
        may_take(transaction, principal, publisher, (object, row.as_ref())).await?;
    }
    may_use(transaction, principal, &offered, &references).await?;
    let order = Order {
        objects: offered.iter().map(|offer| offer.resource.clone()).collect(),
        set: None,
        others: Others::Kept,
        foreign: Foreign::Refused,
        present: Present::Changed,
        effect: Effect::Commit,
        // Where it is, and its key, are known to its publisher alone.
        auth: AuthCheck::Skipped,
        door: Door::Publishing,
        expect: vec![],
        verb: "publish".to_owned(),
        home: None,
        lodgings: Arc::default(),
    };
    let outcomes = set::admit(admission, transaction, order, principal).await?;
    transaction.keep_publisher(publisher, &principal.name).await?;
    let rows = transaction.load(&references).await?;
    let now = transaction.now();
    let mut told = Vec::new();
    for (offer, row) in offered.into_iter().zip(rows) {
        let Some(row) = row else { continue };
        let publication = Publication {
            uid: row.uid.clone(),
            publisher: publisher.to_owned(),
            owner: principal.name.to_string(),
            state: offer.readiness.state(),
            heartbeat_at: now,
            inactive_since: None,
            warm_projects: offer.warm_projects,
        };
        told.push(keep(transaction, &row, &publication).await?);
    }
    write_status(transaction, told).await?;
    let mut entry = audited(
        principal,
        "publish",
        references.first().filter(|_| references.len() == 1),
    );
    entry.detail = counted(references.len());
    transaction.audit(entry);
    let verdict = |object: &ObjectRef| {
        let found = outcomes.iter().find(|outcome| outcome.object == *object);
        found.map_or(Verdict::Unchanged, |outcome| outcome.verdict)
    };
    let objects = references.iter().map(|object| Taken {
        object: object.clone(),
        verdict: verdict(object),
    });
    Ok(Published {
        objects: objects.collect(),
        revision: transaction.revision(),
    })
}

/// Refuses an object that somebody has declared, or else publishes.
async fn may_take(
    transaction: &mut Transaction,
    principal: &Principal,
    publisher: &str,
    (object, row): (&ObjectRef, Option<&Row>),
) -> Result<(), Error> {
    let publication = match row {
        Some(row) => transaction.publication(&row.uid).await?,
        None => None,
    };
    let live = match (row, &publication) {
        (_, Some(publication)) => Live::Published(publication),
        (Some(_), None) => Live::Declared,
        (None, None) => Live::Absent,
    };
    let offerer = Offerer {
        publisher,
        owner: &principal.name,
    };
    let refused = match rules::claim(live, offerer) {
        Ok(_) => return Ok(()),
        Err(Refusal::Declared) => Problem::new(Code::Published, format!("{object} is declared, and not published"))
            .suggest("publish under another name"),
        Err(Refusal::Active) => Problem::new(
            Code::Published,
            format!("{object} is published already, by another session"),
        )
        .suggest("end that one first, or publish under another name"),
        Err(Refusal::Foreign) => Problem::new(
            Code::Published,
            format!("{object} was published by somebody else, and is kept for them"),
        )
        .suggest("publish under another name"),
    };
    Err(refused.into())
}

/// Refuses an agent whose model its publisher may not ask themselves.
async fn may_use(
    transaction: &mut Transaction,
    principal: &Principal,
    offered: &[Offered],
    references: &[ObjectRef],
) -> Result<(), Error> {
    for agent in offered
        .iter()
        .filter_map(|offer| downcast::<Agent>(offer.resource.spec.as_ref()))
    {
        let llm = ObjectRef::cluster(Kind::Llm, agent.llm.clone());
        if references.contains(&llm) {
            continue;
        }
        // One that is not there, or may not be seen, is missed by admission.
        if let Some(row) = transaction.load(std::slice::from_ref(&llm)).await?.pop().flatten()
            && permission::is_seen(transaction, principal, &row).await?
        {
            permission::require(transaction, principal, Role::Run, &row).await?;
        }
    }
    Ok(())
}

/// Keeps where an object stands; what its status is to tell of it.
async fn keep(
    transaction: &mut Transaction,
    row: &Row,
    publication: &Publication,
) -> Result<Mutation, crate::store::Error> {
    transaction.keep_publication(publication).await?;
    let told = publishing::Publication {
        state: publication.state,
        publisher: publication.owner.clone(),
        session: short_name(&publication.publisher),
        last_heartbeat_at: publication.heartbeat_at,
        inactive_since: publication.inactive_since,
        warm_projects: publication.warm_projects.clone(),
    };
    Ok(Mutation::Status {
        uid: row.uid.clone(),
        status: status::with_publication(&row.status, &told),
    })
}

async fn write_status(transaction: &mut Transaction, told: Vec<Mutation>) -> Result<(), crate::store::Error> {
    if !told.is_empty() {
        transaction.mutate(told, &Principal::daemon().name).await?;
    }
    Ok(())
}

/// How old what the status tells of the last heartbeat may be: a heartbeat alone is no news.
const TOLD_EVERY: std::time::Duration = std::time::Duration::from_secs(60);

/// Notes that a session was heard of, and where its models stand; what it offers, and the revision that shows it.
///
/// # Errors
/// When the database fails.
pub async fn heard(
    admission: &Admission,
    claim: Option<&Claim>,
    publisher: &str,
    said: BTreeMap<Name, Readiness>,
) -> Result<(Vec<Standing>, i64), crate::store::Error> {
    let (publisher, claim) = (publisher.to_owned(), claim.cloned());
    let heard = admission.store.write(move |transaction| {
        Box::pin(async move {
            must_hold(transaction, claim.as_ref()).await?;
            let offered = transaction.publications_of(&publisher).await?;
            let (mut standing, mut told) = (Vec::new(), Vec::new());
            for before in offered {
                let Some(row) = transaction.load_uid(&before.uid).await? else {
                    continue;
                };
                let readiness = match row.object.kind {
                    Kind::Llm => said.get(&row.object.name).copied(),
                    _ => None,
                };
                let happening = Happening::Heard(readiness);
                let Next::Is(after) = rules::next(&before, happening, transaction.now(), FOREVER) else {
                    continue;
                };
                standing.push(Standing {
                    object: row.object.clone(),
                    state: after.state,
                });
                let is_news = before.state != after.state || is_stale(&row, after.heartbeat_at);
                let status = keep(transaction, &row, &after).await?;
                told.extend(is_news.then_some(status));
            }
            write_status(transaction, told).await?;
            if !standing.is_empty() {
                let publishers = transaction.publisher(&publisher).await?;
                if let Some(known) = publishers {
                    transaction.keep_publisher(&publisher, &known.principal).await?;
                }
            }
            Ok::<_, crate::store::Error>((standing, transaction.revision()))
        })
    });
    heard.await
}

/// Nothing passes but by what happens.
const FOREVER: Terms = Terms {
    heartbeat: std::time::Duration::MAX,
    retention: std::time::Duration::MAX,
};

/// Whether what a status tells of the last heartbeat is too old.
fn is_stale(row: &Row, heard_at: Timestamp) -> bool {
    let told = status::publication(&row.status);
    told.is_none_or(|told| heard_at.since(told.last_heartbeat_at) >= TOLD_EVERY)
}

/// Notes that a publisher has gone: what its session offers is inactive. The revision that shows it.
///
/// # Errors
/// When the database fails.
pub async fn left(admission: &Admission, claim: Option<&Claim>, publisher: &str) -> Result<i64, crate::store::Error> {
    let (publisher, claim) = (publisher.to_owned(), claim.cloned());
    let left = admission.store.write(move |transaction| {
        Box::pin(async move {
            must_hold(transaction, claim.as_ref()).await?;
            let offered = transaction.publications_of(&publisher).await?;
            let mut told = Vec::new();
            for before in offered {
                let next = rules::next(&before, Happening::Left, transaction.now(), FOREVER);
                told.extend(become_inactive(transaction, next, "its publisher has gone").await?);
            }
            write_status(transaction, told).await?;
            Ok::<_, crate::store::Error>(transaction.revision())
        })
    });
    left.await
}

async fn become_inactive(
    transaction: &mut Transaction,
    next: Next,
    why: &str,
) -> Result<Option<Mutation>, crate::store::Error> {
    let Next::Is(after) = next else { return Ok(None) };
    let Some(row) = transaction.load_uid(&after.uid).await? else {
        return Ok(None);
    };
    transaction
        .event(&NewEvent {
            object: row.object.clone(),
            uid: row.uid.clone(),
            severity: Severity::Warning,
            reason: "PublisherAway".to_owned(),
            message: why.to_owned(),
        })
        .await?;
    keep(transaction, &row, &after).await.map(Some)
}

/// What a look at everything that is published came to.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// Sessions whose objects have become inactive, since nothing was heard of them.
    pub silent: BTreeSet<String>,
    /// Objects that were deleted.
    pub deleted: Vec<ObjectRef>,
}

/// Looks at everything that is published: what was not heard of for too long is inactive, and what was inactive for too long
/// is deleted; agents before the models that they name. What something declared still uses stays as it is.
///
/// # Errors
/// When the database fails, or another daemon leads by now.
pub async fn sweep(admission: &Admission, claim: Option<&Claim>, terms: Terms) -> Result<Swept, crate::store::Error> {
    let claim = claim.cloned();
    let swept = admission.store.write(move |transaction| {
        Box::pin(async move {
            must_hold(transaction, claim.as_ref()).await?;
            let now = transaction.now();
            let before = |age: std::time::Duration| {
                let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
                Timestamp::from_millis(now.millis().saturating_sub(age))
            };
            let overdue = transaction
                .publications_overdue(before(terms.heartbeat), before(terms.retention))
                .await?;
            let (mut swept, mut told, mut over) = (Swept::default(), Vec::new(), Vec::new());
            for row in overdue {
                match rules::next(&row, Happening::Time, now, terms) {
                    Next::Same => {}
                    next @ Next::Is(_) => {
                        swept.silent.insert(row.publisher);
                        told.extend(become_inactive(transaction, next, "nothing was heard of its publisher").await?);
                    }
                    Next::Deleted => over.extend(transaction.load_uid(&row.uid).await?),
                }
            }
            write_status(transaction, told).await?;
            swept.deleted = delete(transaction, over).await?;
            transaction.forget_publishers(terms.retention).await?;
            Ok::<_, crate::store::Error>(swept)
        })
    });
    swept.await
}

/// Deletes what nobody publishes any more, and tells what that was.
async fn delete(transaction: &mut Transaction, over: Vec<Row>) -> Result<Vec<ObjectRef>, crate::store::Error> {
    let (mut llms, mut going): (Vec<Row>, Vec<Row>) = over.into_iter().partition(|row| row.object.kind == Kind::Llm);
    let own: BTreeSet<String> = going.iter().map(|row| row.uid.clone()).collect();
    // Models may name each other as stand-ins: what uses one and goes itself is not in the way.
    let mut leaving: BTreeSet<ObjectRef> = llms.iter().chain(&going).map(|row| row.object.clone()).collect();
    loop {
        let mut stays = None;
        for (index, row) in llms.iter().enumerate() {
            for (_, user) in transaction.dependents(std::slice::from_ref(&row.object)).await? {
                if leaving.contains(&user.object) {
                    continue;
                }
                let found = transaction
                    .load(std::slice::from_ref(&user.object))
                    .await?
                    .pop()
                    .flatten();
                match found {
                    Some(agent) if is_of_publisher(&agent)? && agent.object.kind == Kind::Agent => {
                        leaving.insert(agent.object.clone());
                        going.push(agent);
                    }
                    Some(_) => stays = Some(index),
                    None => {}
                }
            }
        }
        let Some(index) = stays else { break };
        let used = llms.remove(index);
        leaving.remove(&used.object);
        tracing::debug!(llm = %used.object.name, "nobody publishes it any more, and it stays as long as something names it");
    }
    // An agent that would have gone along with a model that stays after all stays with it.
    going.retain(|agent| own.contains(&agent.uid) || loses_its_model(agent, &llms));
    going.extend(llms);
    let mut removals = Vec::new();
    for row in &going {
        removals.push(super::delete::removal(row));
        transaction.audit(audited(&Principal::daemon(), "expire", Some(&row.object)));
    }
    if !removals.is_empty() {
        transaction.mutate(removals, &Principal::daemon().name).await?;
    }
    Ok(going.into_iter().map(|row| row.object).collect())
}

fn is_of_publisher(row: &Row) -> Result<bool, crate::store::Error> {
    Ok(publishing::is_published(Object::parse(row)?.spec.as_ref()))
}

/// Whether the model that an agent names is among those that go.
fn loses_its_model(agent: &Row, llms: &[Row]) -> bool {
    let agent = Object::parse(agent).ok();
    let model = agent.and_then(|object| Some(object.spec::<Agent>()?.llm.clone()));
    llms.iter().any(|llm| Some(&llm.object.name) == model.as_ref())
}

async fn must_hold(transaction: &mut Transaction, claim: Option<&Claim>) -> Result<(), crate::store::Error> {
    match claim {
        Some(claim) => transaction.must_hold(claim).await,
        None => Ok(()),
    }
}
