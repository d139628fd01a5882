//! The heart of admission: a set of objects against the live ones, inside one write.
//!
//! Flow: load the live objects; leave out those that whoever asks may not see; seal; compare; ask whether all of it is
//! allowed; only then say which names are taken, what has moved, what belongs to another set; look up what is named; then
//! either every object is written, or none and every problem of every object is told.

mod checks;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use orch_shared::access::{Principal, Role};
use orch_shared::apply::{Expectation, Outcome, Verdict};
use orch_shared::diff::{self, Change};
use orch_shared::kind::{Kind, downcast};
use orch_shared::kinds::secret::{Form, Secret};
use orch_shared::kinds::token::Token;
use orch_shared::name::ObjectRef;
use orch_shared::path::FieldPath;
use orch_shared::problem::{FieldProblem, Problem};
use orch_shared::publishing;
use orch_shared::resource::Resource;
use orch_shared::system;
use serde_json::{Value, json};
use tokio::task::coop::consume_budget;

use super::admitted::{self, Admitted};
use super::error::terminating;
use super::houses::{Home, Houses};
use super::lodging::{self, Errand, Errands, Lodged, Lodgings};
use super::probing::{self, AuthCheck, Question};
use super::{Admission, Error, ceiling, notes, permission, sealing, status, token};
use crate::store::{Create, Generations, Mutation, Object, Row, Transaction, Update};
use checks::{
    Expected, authorize, check_references, hold_to_ceiling, look, prunable, refuse_foreign, refuse_moved,
    refuse_published, refuse_taken,
};

/// What is asked for a set.
#[derive(Clone)]
pub(super) struct Order {
    /// The objects.
    pub(super) objects: Vec<Resource>,
    /// The apply set they are put into; none leaves each where it is.
    pub(super) set: Option<String>,
    /// What happens to members of the set that are not among the objects.
    pub(super) others: Others,
    /// What happens to objects that belong to another set.
    pub(super) foreign: Foreign,
    /// What happens to objects that are there already.
    pub(super) present: Present,
    /// Whether anything is written.
    pub(super) effect: Effect,
    /// Whether people declare the objects, or a client publishes them.
    pub(super) door: Door,
    /// What must not have moved.
    pub(super) expect: Vec<Expectation>,
    /// For the history: `apply`, `scale`.
    pub(super) verb: String,
    /// Where the values of Secrets are to go, whatever else would decide that.
    pub(super) home: Option<Home>,
    /// Whether providers are asked about keys of models.
    pub(super) auth: AuthCheck,
    /// What backends and providers were asked before.
    pub(super) lodgings: Arc<Lodgings>,
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

/// What happens to objects that are there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Present {
    Changed,
    Refused,
}

/// Whether anything is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Commit,
    DryRun,
}

/// By which door objects come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Door {
    /// Somebody declares them: what is published stays as it is.
    Declaring,
    /// A client publishes them, and has been found to be the one that may.
    Publishing,
}

/// One object beside its live self.
struct Pair {
    resource: Resource,
    /// The resource with the values that mean the same as before in the bytes they had before, when it has any.
    compared: Option<Resource>,
    live: Option<(Row, Resource)>,
    difference: Difference,
    /// Whether it gives secret values in the open: to learn that one of them is the same as before is to learn the value.
    gives_values: bool,
    /// Whether what is declared differs from what it was made as, and stays without effect.
    is_ignored: bool,
    /// The apply set it is a member of from now on.
    apply_set: Option<String>,
    /// What is to be asked of backends before this can be written.
    errand: Option<Errand>,
    /// Marks of values that live in a backend.
    marks: Option<BTreeMap<String, String>>,
    /// What whoever sends it is to be told of what was not taken from them.
    kept: Option<String>,
}

/// How an object differs from its live self.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Difference {
    /// There is none.
    New,
    /// It means something else.
    Meaning,
    /// It means the same, said differently.
    Form,
    /// Not at all.
    Nothing,
}

impl Pair {
    /// The form that is compared with what is live.
    fn compared(&self) -> &Resource {
        self.compared.as_ref().unwrap_or(&self.resource)
    }

    /// Where it goes, when that is another apply set than the one it is in.
    fn move_to(&self) -> Option<Change> {
        let (row, _) = self.live.as_ref()?;
        (row.apply_set != self.apply_set).then(|| Change {
            path: FieldPath::parse("status.applySet"),
            from: row.apply_set.clone().map(Value::String),
            to: self.apply_set.clone().map(Value::String),
        })
    }

    fn verdict(&self) -> Verdict {
        match self.difference {
            Difference::New => Verdict::Created,
            Difference::Meaning => Verdict::Configured,
            Difference::Form | Difference::Nothing if self.move_to().is_some() => Verdict::Configured,
            Difference::Form | Difference::Nothing => Verdict::Unchanged,
        }
    }

    /// Whether it is new, or means something else than before.
    const fn means_something_new(&self) -> bool {
        matches!(self.difference, Difference::New | Difference::Meaning)
    }

    /// Whether what it names has to be looked at: not when it was, and nothing of it has changed since.
    fn is_open(&self, changed: &BTreeSet<ObjectRef>, going: &BTreeSet<ObjectRef>) -> bool {
        match self.difference {
            Difference::New | Difference::Meaning => true,
            Difference::Form | Difference::Nothing if changed.is_empty() && going.is_empty() => false,
            Difference::Form | Difference::Nothing => {
                let named = admitted::references(&self.resource);
                let moved = |target| changed.contains(target) || going.contains(target);
                named.iter().any(|reference| moved(&reference.target))
            }
        }
    }
}

/// Admits a set within a write.
pub(super) async fn admit(
    admission: &Admission,
    transaction: &mut Transaction,
    order: Order,
    principal: &Principal,
) -> Result<Vec<Outcome>, Error> {
    let references: Vec<ObjectRef> = order.objects.iter().map(Resource::reference).collect();
    let rows = transaction.load(&references).await?;
    let (rows, taken) = look(transaction, principal, rows, order.present).await?;
    let pruned = match (&order.set, order.others) {
        (Some(set), Others::Pruned) => prunable(transaction, principal, set, &references).await?,
        (Some(_) | None, Others::Kept) | (None, Others::Pruned) => Vec::new(),
    };
    let houses = Houses::load(transaction, &order.objects, &pruned).await?;
    let mut problems = Vec::new();
    let mut pairs = Vec::with_capacity(order.objects.len());
    let expected = Expected::of(&order.expect, &references, &rows);
    let manner = Manner {
        principal,
        set: order.set.as_ref(),
        houses: houses.as_ref(),
        home: order.home.as_ref(),
        lodgings: &order.lodgings,
        effect: order.effect,
    };
    for (index, (resource, row)) in order.objects.into_iter().zip(rows).enumerate() {
        consume_budget().await;
        match pair(admission, resource, row, &manner)? {
            Ok(pair) => pairs.push(pair),
            Err(found) => problems.extend(found.into_iter().map(|problem| problem.in_object(index))),
        }
    }
    if let Some(problem) = Problem::of_fields(problems) {
        return Err(problem.into());
    }
    // What is the daemon's own does not go: it leaves the set, and is as it was brought along.
    let (kept, pruned): (Vec<Row>, Vec<Row>) = pruned
        .into_iter()
        .partition(|row| system::default_of(&row.object).is_some());
    for row in kept {
        let Some(resource) = system::default_of(&row.object) else {
            continue;
        };
        let manner = Manner { set: None, ..manner };
        let made = pair(admission, resource, Some(row), &manner)?;
        pairs.extend(made.ok().map(|pair| Pair {
            apply_set: None,
            ..pair
        }));
    }
    let going: BTreeSet<ObjectRef> = pruned.iter().map(|row| row.object.clone()).collect();
    // Before anything is told of what is there.
    authorize(transaction, principal, &pairs).await?;
    for row in &pruned {
        permission::require(transaction, principal, Role::Delete, row).await?;
    }
    refuse_taken(&taken, order.present)?;
    match order.door {
        Door::Declaring => refuse_published(&pairs)?,
        Door::Publishing => {}
    }
    refuse_moved(transaction, principal, expected).await?;
    if let Some(set) = &order.set
        && order.foreign == Foreign::Refused
    {
        refuse_foreign(&pairs, set)?;
    }
    check_references(transaction, &pairs, going, principal).await?;
    super::delete::refuse_orphans(transaction, &pruned, &references, principal).await?;
    hold_to_ceiling(transaction, &admission.store.snapshot(), principal, &pairs).await?;
    ceiling::may_delete(&admission.store.snapshot(), principal, &pruned)?;
    let mut deposed = (Vec::new(), None);
    if let Some(houses) = &houses {
        let set: Vec<&Resource> = pairs.iter().map(|pair| &pair.resource).collect();
        houses.refuse(&set)?;
        deposed = houses.dethrone(transaction, principal).await?;
    }
    let questions = questions(&pairs, order.auth, &order.lodgings);
    if let Some(errands) = errands(transaction, &mut pairs, questions) {
        return Err(Error::Errands(Box::new(errands)));
    }

    let mut outcomes = Vec::with_capacity(pairs.len() + pruned.len());
    for pair in &pairs {
        consume_budget().await;
        let mut outcome = outcome(transaction, pair, &order.verb).await?;
        let warning = order.lodgings.answers.warning(&outcome.object);
        outcome.warnings.extend(warning.map(str::to_owned));
        outcomes.push(outcome);
    }
    if let (mutations, Some(told)) = &deposed
        && !mutations.is_empty()
        && let Some(outcome) = outcomes
            .iter_mut()
            .find(|outcome| outcome.object.kind == Kind::SecretBackend)
    {
        outcome.warnings.push(told.clone());
    }
    outcomes.extend(pruned.iter().map(|row| Outcome {
        credential: None,
        object: row.object.clone(),
        verdict: Verdict::Pruned,
        changes: vec![],
        uid: Some(row.uid.clone()),
        generation: Some(row.generation),
        warnings: vec![],
    }));
    if order.effect == Effect::Commit {
        let (mut mutations, mut marks, mut issued) = (deposed.0, Vec::new(), Vec::new());
        for (mut pair, outcome) in pairs.into_iter().zip(&mut outcomes) {
            let marked = pair.marks.take();
            let before = pair.live.as_ref().map(|(row, _)| (row.uid.clone(), row.status.clone()));
            let token = downcast::<Token>(pair.resource.spec.as_ref()).cloned();
            let mutation = mutation(admission, pair, &order.verb);
            if let Some(marked) = marked {
                marks.extend(marking(before, mutation.as_ref(), &marked));
            }
            if let (Some(spec), Some(Mutation::Create(create))) = (token, &mutation) {
                let token::Issued { text, status } = token::issue(transaction, principal, &spec, create).await?;
                outcome.credential = Some(text);
                issued.push(status);
            }
            mutations.extend(mutation);
        }
        mutations.extend(marks);
        token::end_with(transaction, &admission.store.snapshot(), &pruned).await?;
        mutations.extend(super::delete::removals(transaction, &pruned).await?);
        for mutations in [mutations, issued] {
            if !mutations.is_empty() {
                transaction.mutate(mutations, &principal.name).await?;
            }
        }
    }
    Ok(outcomes)
}

/// What the objects of a set have in common.
struct Manner<'m> {
    principal: &'m Principal,
    set: Option<&'m String>,
    houses: Option<&'m Houses>,
    home: Option<&'m Home>,
    lodgings: &'m Lodgings,
    effect: Effect,
}

/// What has to be asked of providers first, for all objects.
fn questions(pairs: &[Pair], auth: AuthCheck, lodgings: &Lodgings) -> Vec<Question> {
    let asked = match auth {
        AuthCheck::Made => pairs,
        AuthCheck::Skipped => &[],
    };
    let found = asked.iter().enumerate().filter_map(|(index, pair)| {
        let before = pair.live.as_ref().map(|(_, live)| live);
        probing::question(index, &pair.resource, before)
    });
    found.filter(|question| !lodgings.answers.has(question)).collect()
}

/// What has to be asked of backends and of providers first, for all objects.
fn errands(transaction: &Transaction, pairs: &mut [Pair], questions: Vec<Question>) -> Option<Errands> {
    let list: Vec<Errand> = pairs
        .iter_mut()
        .enumerate()
        .filter_map(|(index, pair)| {
            Some(Errand {
                index,
                ..pair.errand.take()?
            })
        })
        .collect();
    if list.is_empty() && questions.is_empty() {
        return None;
    }
    let concerns = |pair: &&Pair| matches!(pair.resource.kind, Kind::Secret | Kind::SecretBackend);
    let declared = pairs.iter().filter(concerns);
    Some(Errands {
        list,
        questions,
        declared: declared
            .map(|pair| (pair.resource.reference(), pair.resource.spec.clone()))
            .collect(),
        revision: transaction.revision(),
    })
}

/// The errand that a Secret needs whose values live, or are to live, in a backend.
fn errand(
    reference: &ObjectRef,
    given: &Secret,
    live: Option<&(Row, Resource)>,
    manner: &Manner<'_>,
) -> Result<Option<Errand>, FieldProblem> {
    let Some(houses) = manner.houses else { return Ok(None) };
    let before = live.and_then(|(_, live)| downcast::<Secret>(live.spec.as_ref()));
    let belongs = houses.of(&reference.name, given, before)?;
    let home = manner.home.cloned().unwrap_or(belongs);
    if !lodging::is_needed(&home, given, before) {
        return Ok(None);
    }
    Ok(Some(Errand {
        object: reference.clone(),
        index: 0,
        seen: lodging::seen(live.map(|(row, _)| row)),
        home,
        given: given.data.clone().unwrap_or_default(),
        live: before.and_then(|before| before.data.clone()).unwrap_or_default(),
        effect: manner.effect,
    }))
}

/// Keeps the marks of a Secret's values in its status, beside what is said there.
fn marking(
    before: Option<(String, String)>,
    mutation: Option<&Mutation>,
    marks: &BTreeMap<String, String>,
) -> Option<Mutation> {
    let (uid, status) = match (before, mutation) {
        (Some(before), _) => before,
        (None, Some(Mutation::Create(create))) => (create.uid.clone(), "{}".to_owned()),
        (None, _) => return None,
    };
    Some(Mutation::Status {
        uid,
        status: status::with_marks(&status, marks),
    })
}

/// Compares an object with its live self. The outer error is the store's, the inner ones are the object's.
fn pair(
    admission: &Admission,
    mut resource: Resource,
    row: Option<Row>,
    manner: &Manner<'_>,
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
    let kept = notes::keep(manner.principal, &mut resource, live.as_ref().map(|(_, live)| live));
    let needed = match downcast::<Secret>(resource.spec.as_ref()) {
        Some(given) => match errand(&reference, given, live.as_ref(), manner) {
            Ok(needed) => needed,
            Err(problem) => return Ok(Err(vec![problem])),
        },
        None => None,
    };
    let mut values = resource.spec.secret_values().into_iter();
    let gives_values = values.any(|value| matches!(Form::of(value.value), Form::Plain(_)));
    let lodged = needed
        .as_ref()
        .and_then(|errand| manner.lodgings.of(&reference, &errand.seen));
    let before = live.as_ref().map(|(_, live)| live.spec.as_ref());
    let compared = match sealing::seal(&admission.keyring, &reference, resource.spec.as_mut(), before, lodged) {
        Ok(compared) => compared,
        Err(problems) => return Ok(Err(problems)),
    };
    let compared = compared.map(|spec| Resource {
        spec,
        metadata: resource.metadata.clone(),
        kind: resource.kind,
    });
    let means_the_same = |live: &Resource| live.means_the_same(compared.as_ref().unwrap_or(&resource));
    let is_fixed = live.is_some() && resource.kind == Kind::Token;
    // Where everything was deleted versions begin anew, and the same reference leads to another value.
    let is_other = lodged.is_some_and(Lodged::is_other);
    let difference = match &live {
        None => Difference::New,
        // It stays what it was made as, whatever the files say.
        Some(_) if is_fixed => Difference::Nothing,
        Some(_) if is_other => Difference::Meaning,
        Some((_, live)) if *live == resource => Difference::Nothing,
        Some((_, live)) if means_the_same(live) => Difference::Form,
        Some(_) => Difference::Meaning,
    };
    let marks = lodged.map(|lodged| lodged.marks.clone());
    // What was given in the open is sealed by now, so that nothing else goes about.
    let errand = needed.filter(|_| lodged.is_none()).map(|errand| Errand {
        given: downcast::<Secret>(resource.spec.as_ref())
            .and_then(|secret| secret.data.clone())
            .unwrap_or_default(),
        ..errand
    });
    let stays_in = || live.as_ref().and_then(|(row, _)| row.apply_set.clone());
    let is_ignored = live.as_ref().is_some_and(|(_, live)| is_fixed && !means_the_same(live));
    Ok(Ok(Pair {
        is_ignored,
        kept,
        gives_values,
        // What is published goes with its publisher, and not with the files of a set.
        apply_set: match publishing::is_published(resource.spec.as_ref()) {
            true => None,
            false => manner.set.cloned().or_else(stays_in),
        },
        resource,
        compared,
        live,
        difference,
        errand,
        marks,
    }))
}

async fn outcome(transaction: &mut Transaction, pair: &Pair, verb: &str) -> Result<Outcome, Error> {
    let row = pair.live.as_ref().map(|(row, _)| row);
    let mut changes = match (&pair.live, pair.difference) {
        (Some((_, live)), Difference::Meaning) => {
            let (before, after) = documents(live, pair.compared());
            diff::changes(&before, &after)
        }
        (Some(_) | None, Difference::New | Difference::Meaning | Difference::Form | Difference::Nothing) => vec![],
    };
    changes.extend(pair.move_to());
    let mut warnings: Vec<String> = pair.kept.clone().into_iter().collect();
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
    if pair.is_ignored {
        warnings.push("a token does not change: it stays what it was made as".to_owned());
    }
    warnings.extend(token::warning(&pair.resource, row, transaction.now())?);
    Ok(Outcome {
        credential: None,
        object: pair.resource.reference(),
        verdict: pair.verdict(),
        changes,
        uid: row.map(|row| row.uid.clone()),
        generation: row.map(|row| row.generation),
        warnings,
    })
}

/// Both manifests, as far as the user owns them, with secret values hidden.
fn documents(before: &Resource, after: &Resource) -> (Value, Value) {
    let (spec_before, spec_after) = sealing::masked(Some(before.spec.as_ref()), after.spec.as_ref());
    let manifest = |resource: &Resource, spec| json!({"metadata": resource.metadata, "spec": spec});
    (
        manifest(before, spec_before.unwrap_or_default()),
        manifest(after, spec_after),
    )
}

/// What must be written for an object, when anything.
fn mutation(admission: &Admission, pair: Pair, verb: &str) -> Option<Mutation> {
    let moves = pair.move_to().is_some();
    let Pair {
        resource,
        live,
        difference,
        apply_set,
        ..
    } = pair;
    let object = resource.reference();
    let Some((row, _)) = live else {
        return Some(Mutation::Create(Box::new(Create {
            object,
            uid: admission.store.ids().uid(),
            declared: Admitted::new(resource).declared(),
            apply_set,
            owner: None,
            verb: verb.to_owned(),
        })));
    };
    let generation = match difference {
        Difference::New | Difference::Meaning => Generations::Next,
        Difference::Form => Generations::Same,
        Difference::Nothing => {
            let uid = row.uid;
            return moves.then_some(Mutation::ApplySet { uid, apply_set });
        }
    };
    Some(Mutation::Update(Box::new(Update {
        uid: row.uid,
        expect_generation: row.generation,
        declared: Admitted::new(resource).declared(),
        apply_set,
        generation,
        verb: verb.to_owned(),
    })))
}
