//! Requests about one object: create, replace, patch, scale, rollback, restart, reveal, seal.
//!
//! Each finds the object, makes of it what it should be, and sends that through the same admission as a set of one.

use std::collections::BTreeMap;
use std::sync::Arc;

use orch_shared::access::{Decision, Principal, Role};
use orch_shared::apply::Outcome;
use orch_shared::diff;
use orch_shared::kind::{Action, Kind, Removal};
use orch_shared::kinds::server::ServerStatus;
use orch_shared::name::{Name, ObjectRef, Scope};
use orch_shared::problem::{Code, Problem};
use orch_shared::resource::{Metadata, Resource};
use orch_shared::wire;
use serde_json::Value;

use super::apply::decode_one;
use super::away::{Closed, Opener};
use super::error::not_found;
use super::lodging::{self, Lodgings, Sources};
use super::probing::AuthCheck;
use super::set::{self, Door, Effect, Foreign, Order, Others, Present};
use super::{Admission, Error, audited, permission, token};
use crate::asker::Asker;
use crate::audit;
use crate::secrets::Place;
use crate::store::{Known, Mutation, Object, Row, Transaction};

/// Which object a request names: by name, or by uid.
#[derive(Debug, Clone)]
pub struct Target {
    /// The kind in the address.
    pub kind: Kind,
    /// The scope in the address.
    pub scope: Scope,
    /// Its name or uid.
    pub name: String,
}

impl From<&ObjectRef> for Target {
    fn from(object: &ObjectRef) -> Self {
        Self {
            kind: object.kind,
            scope: object.scope.clone(),
            name: object.name.to_string(),
        }
    }
}

/// What the caller has seen of an object, from `If-Match: "<uid>.<generation>"`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Precondition {
    /// Nothing: whatever it is now.
    #[default]
    None,
    /// This one, at this generation.
    Seen {
        /// Its uid.
        uid: String,
        /// Its generation.
        generation: i64,
    },
}

impl Precondition {
    /// Refuses an object that is not what was seen.
    pub(super) fn check(&self, row: &Row) -> Result<(), Error> {
        match self {
            Self::None => Ok(()),
            Self::Seen { uid, generation } if *uid == row.uid && *generation == row.generation => Ok(()),
            Self::Seen { uid, .. } if *uid != row.uid => Err(stale(format!(
                "{} was deleted and made again since it was read",
                row.object
            ))),
            Self::Seen { generation, .. } => Err(stale(format!(
                "{} has changed since it was read: it is at generation {}, not {generation}",
                row.object, row.generation
            ))),
        }
    }
}

fn stale(detail: String) -> Error {
    Problem::new(Code::Stale, detail)
        .suggest("read it again and repeat the change")
        .into()
}

/// What became of looking for an object.
pub(super) enum Sought {
    /// It is there.
    Found(Box<Row>),
    /// It is there, and whoever asks may not see it.
    Hidden,
    /// There is none.
    Absent,
}

/// Looks for the object a request names.
pub(super) async fn seek(
    transaction: &mut Transaction,
    principal: &Principal,
    target: &Target,
) -> Result<Sought, Error> {
    let Target { kind, scope, name } = target;
    let by_name = match name.parse::<Name>() {
        Ok(name) => transaction
            .load(&[ObjectRef {
                kind: *kind,
                scope: scope.clone(),
                name,
            }])
            .await?
            .pop()
            .flatten(),
        Err(_) => None,
    };
    let found = match by_name {
        Some(row) => Some(row),
        None => transaction
            .load_uid(name)
            .await?
            .filter(|row| row.object.kind == *kind && row.object.scope == *scope),
    };
    Ok(match found {
        Some(row) => match permission::is_seen(transaction, principal, &row).await? {
            true => Sought::Found(Box::new(row)),
            false => Sought::Hidden,
        },
        None => Sought::Absent,
    })
}

/// Finds the object a request names. What may not be seen is not there.
pub(super) async fn find(transaction: &mut Transaction, principal: &Principal, target: &Target) -> Result<Row, Error> {
    match seek(transaction, principal, target).await? {
        Sought::Found(row) => return Ok(*row),
        Sought::Hidden => audit::decided(principal, &Decision::denied(), Role::View),
        Sought::Absent => {}
    }
    let Target { kind, scope, name } = target;
    Err(match name.parse() {
        Ok(name) => not_found(&ObjectRef {
            kind: *kind,
            scope: scope.clone(),
            name,
        }),
        Err(_) => Problem::new(Code::NotFound, format!("there is no {} `{name}`", kind.meta().singular)),
    }
    .into())
}

/// A set of one, written now.
pub(super) fn order(resource: Resource, verb: &str, lodgings: Arc<Lodgings>) -> Order {
    Order {
        objects: vec![resource],
        set: None,
        others: Others::Kept,
        foreign: Foreign::TakenOver,
        present: Present::Changed,
        effect: Effect::Commit,
        door: Door::Declaring,
        expect: vec![],
        verb: verb.to_owned(),
        home: None,
        auth: AuthCheck::Made,
        lodgings,
    }
}

/// What happens to an object that has the name of one that is to be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It stays, and nothing is made.
    Kept,
    /// It goes, if it is a Token.
    Replaced,
}

/// An object that was made.
#[derive(Debug)]
pub struct Made {
    /// The object.
    pub row: Row,
    /// Its credential, if it is a Token. Told this once, and stored nowhere.
    pub credential: Option<String>,
    /// What whoever made it should know.
    pub warnings: Vec<String>,
}

/// An object that was changed.
#[derive(Debug)]
pub struct Changed {
    /// The object.
    pub row: Row,
    /// What whoever changed it should know.
    pub warnings: Vec<String>,
}

impl From<Row> for Changed {
    fn from(row: Row) -> Self {
        Self { row, warnings: vec![] }
    }
}

/// How an object is to be changed.
#[derive(Debug, Clone)]
pub struct Manner {
    /// What the caller has seen of it.
    pub precondition: Precondition,
    /// Whether providers are asked about keys of models.
    pub auth: AuthCheck,
}

/// What is to be known of a set of one that was written.
fn warnings(outcomes: Vec<Outcome>) -> Vec<String> {
    outcomes.into_iter().flat_map(|outcome| outcome.warnings).collect()
}

/// Makes a new object.
///
/// # Errors
/// When it is not valid, may not be made, or there is one of that name.
pub async fn create(
    admission: &Admission,
    asker: &Asker,
    manifest: &Value,
    existing: Existing,
    auth: AuthCheck,
) -> Result<Made, Problem> {
    let resource = decode_one(manifest).map_err(of_fields)?;
    let reference = resource.reference();
    let created = lodging::write(admission, asker, Sources::Cleared, |principal, lodgings| {
        let admission = admission.clone();
        let (resource, reference) = (resource.clone(), reference.clone());
        Some(Box::new(move |transaction: &mut Transaction| {
            Box::pin(async move {
                let live = transaction
                    .load(std::slice::from_ref(&reference))
                    .await?
                    .pop()
                    .flatten();
                let live = live.filter(|row| row.deleting_since.is_none());
                if let (Some(live), Existing::Replaced, Kind::Token) = (&live, existing, reference.kind)
                    && permission::is_seen(transaction, &principal, live).await?
                {
                    permission::require(transaction, &principal, Role::Delete, live).await?;
                    token::end_with(transaction, &admission.store.snapshot(), [live]).await?;
                    let gone = super::delete::removal(live);
                    transaction.mutate(vec![gone], &principal.name).await?;
                    transaction.audit(audited(&principal, "delete", Some(&reference)));
                }
                let order = Order {
                    present: Present::Refused,
                    auth,
                    ..order(resource, "create", lodgings)
                };
                let mut made = set::admit(&admission, transaction, order, &principal).await?;
                transaction.audit(audited(&principal, "create", Some(&reference)));
                Ok(Made {
                    row: reload(transaction, &reference).await?,
                    credential: made.iter_mut().find_map(|outcome| outcome.credential.take()),
                    warnings: warnings(made),
                })
            })
        }))
    });
    Ok(created.await?)
}

pub(super) fn of_fields(problems: Vec<orch_shared::problem::FieldProblem>) -> Problem {
    Problem::of_fields(problems).unwrap_or_else(|| Problem::new(Code::Internal, "refused without a reason"))
}

pub(super) async fn reload(transaction: &mut Transaction, object: &ObjectRef) -> Result<Row, Error> {
    let row = transaction.load(std::slice::from_ref(object)).await?.pop().flatten();
    row.ok_or_else(|| not_found(object).into())
}

/// Changes one object: finds it, makes of it what `change` says, and admits that.
async fn change<F>(
    admission: &Admission,
    asker: &Asker,
    target: Target,
    manner: Manner,
    verb: &'static str,
    change: F,
) -> Result<Changed, Problem>
where
    F: Fn(Resource) -> Result<Resource, Error> + Clone + Send + Sync + 'static,
{
    let changed = lodging::write(admission, asker, Sources::Cleared, |principal, lodgings| {
        let admission = admission.clone();
        let (target, manner, change) = (target.clone(), manner.clone(), change.clone());
        Some(Box::new(move |transaction: &mut Transaction| {
            Box::pin(async move {
                let row = find(transaction, &principal, &target).await?;
                manner.precondition.check(&row)?;
                permission::require(transaction, &principal, Role::Edit, &row).await?;
                let object = row.object.clone();
                let resource = change(Object::parse(&row)?.into_resource())?;
                if object.kind == Kind::Token && !resource.means_the_same(&Object::parse(&row)?.into_resource()) {
                    return Err(
                        Problem::new(Code::Immutable, format!("{object} does not change once it is made"))
                            .suggest("make another one in its place: orchctl create token NAME --force")
                            .into(),
                    );
                }
                if resource.reference() != object {
                    let detail = format!("the body names {}, the address {object}", resource.reference());
                    return Err(Problem::new(Code::BadRequest, detail)
                        .suggest("names do not change; make a new object")
                        .into());
                }
                let order = Order {
                    auth: manner.auth,
                    ..order(resource, verb, lodgings)
                };
                let changed = set::admit(&admission, transaction, order, &principal).await?;
                transaction.audit(audited(&principal, verb, Some(&object)));
                Ok(Changed {
                    row: reload(transaction, &object).await?,
                    warnings: warnings(changed),
                })
            })
        }))
    });
    Ok(changed.await?)
}

/// Puts a whole object in the place of the one that is there.
///
/// # Errors
/// When it is not there, has moved, or the new one is not valid.
pub async fn replace(
    admission: &Admission,
    asker: &Asker,
    target: Target,
    manner: Manner,
    manifest: Value,
) -> Result<Changed, Problem> {
    let resource = decode_one(&manifest).map_err(of_fields)?;
    change(admission, asker, target, manner, "replace", move |_| {
        Ok(resource.clone())
    })
    .await
}

/// Changes fields of an object after RFC 7396.
///
/// # Errors
/// When it is not there, has moved, or what comes of it is not valid.
pub async fn patch(
    admission: &Admission,
    asker: &Asker,
    target: Target,
    manner: Manner,
    patch: Value,
) -> Result<Changed, Problem> {
    if !patch.is_object() {
        return Err(Problem::new(Code::BadRequest, "a merge patch is a JSON object"));
    }
    if target.kind.meta().maker == orch_shared::kind::Maker::Daemon {
        let detail = format!("objects of kind {} are made by the daemon", target.kind.meta().singular);
        return Err(Problem::new(Code::DaemonOwned, detail).suggest("change the object it belongs to; it will follow"));
    }
    change(admission, asker, target, manner, "patch", move |live| {
        let mut manifest = live.manifest();
        diff::merge(&mut manifest, &patch);
        decode_one(&manifest).map_err(|problems| of_fields(problems).into())
    })
    .await
}

/// Refuses an action that the kind does not have.
pub(super) fn allow(kind: Kind, action: Action) -> Result<(), Problem> {
    if kind.meta().actions.contains(&action) {
        return Ok(());
    }
    Err(Problem::new(
        Code::NoAction,
        format!("a {} cannot {}", kind.meta().singular, action.as_str()),
    ))
}

/// Sets the number of replicas.
///
/// # Errors
/// When the kind has none, or the object is not there.
pub async fn scale(
    admission: &Admission,
    asker: &Asker,
    target: Target,
    manner: Manner,
    scale: wire::Scale,
) -> Result<Changed, Problem> {
    allow(target.kind, Action::Scale)?;
    change(admission, asker, target, manner, "scale", move |mut live| {
        live.spec.scale(scale.replicas);
        decode_one(&live.manifest()).map_err(|problems| of_fields(problems).into())
    })
    .await
}

/// Goes back to an earlier generation: what it was becomes the newest.
///
/// # Errors
/// When the history does not reach back to it, or what was valid then is not now.
pub async fn rollback(
    admission: &Admission,
    asker: &Asker,
    target: Target,
    manner: Manner,
    wanted: wire::Rollback,
) -> Result<Changed, Problem> {
    allow(target.kind, Action::Rollback)?;
    let rolled = lodging::write(admission, asker, Sources::Cleared, |principal, lodgings| {
        let admission = admission.clone();
        let (target, manner) = (target.clone(), manner.clone());
        Some(Box::new(move |transaction: &mut Transaction| {
            Box::pin(async move {
                let row = find(transaction, &principal, &target).await?;
                manner.precondition.check(&row)?;
                let number = wanted.generation.unwrap_or_else(|| earlier(&row));
                let Some(generation) = transaction.generation(&row.uid, number).await? else {
                    let detail = match wanted.generation {
                        None if number < 1 => format!("{} has no earlier generation", row.object),
                        _ => format!("{} has no generation {number} in its history", row.object),
                    };
                    let problem = Problem::new(Code::NoGeneration, detail);
                    let hint = format!(
                        "what there is: orchctl history {}/{}",
                        row.object.kind.meta().singular,
                        row.object.name
                    );
                    return Err(problem.suggest(hint).into());
                };
                let unreadable = |error: serde_json::Error| {
                    Problem::new(Code::Internal, format!("generation {number} cannot be read: {error}"))
                };
                let metadata: Metadata = serde_json::from_str(&generation.metadata).map_err(unreadable)?;
                let spec = row
                    .object
                    .kind
                    .definition()
                    .parse_stored(&generation.spec)
                    .map_err(unreadable)?;
                let resource = Resource {
                    kind: row.object.kind,
                    metadata,
                    spec,
                };
                // What was valid then need not be now.
                let resource = decode_one(&resource.manifest()).map_err(of_fields)?;
                let verb = format!("rollback to {number}");
                let order = Order {
                    auth: manner.auth,
                    ..order(resource, &verb, lodgings)
                };
                let rolled = set::admit(&admission, transaction, order, &principal).await?;
                transaction.audit(audited(&principal, "rollback", Some(&row.object)));
                Ok(Changed {
                    row: reload(transaction, &row.object).await?,
                    warnings: warnings(rolled),
                })
            })
        }))
    });
    Ok(rolled.await?)
}

/// The generation that a rollback goes to which names none: of a Server the newest that was ready, else the one before.
fn earlier(row: &Row) -> i64 {
    let status = match row.object.kind {
        Kind::Server => serde_json::from_str::<ServerStatus>(&row.status).ok(),
        _ => None,
    };
    let ready = status.and_then(|status| status.ready_before(row.generation));
    ready.unwrap_or(row.generation - 1)
}

/// Starts an object afresh: a Server's copies are replaced one after the other; an Instance by a new one.
///
/// # Errors
/// When the kind has nothing to start, or the object is not there or has moved.
pub async fn restart(
    admission: &Admission,
    principal: &Principal,
    target: Target,
    precondition: Precondition,
) -> Result<Row, Problem> {
    allow(target.kind, Action::Restart)?;
    let principal = principal.clone();
    let restarted = audit::write(&admission.store, move |transaction| {
        Box::pin(async move {
            let row = find(transaction, &principal, &target).await?;
            precondition.check(&row)?;
            permission::require(transaction, &principal, Role::Edit, &row).await?;
            let (uid, at) = (row.uid.clone(), transaction.now());
            let owned = row.owner.is_some() && row.object.kind.meta().removal == Removal::AfterCleanup;
            let mutation = if owned {
                Mutation::MarkDeleting { uid }
            } else {
                Mutation::Restart { uid, at }
            };
            transaction.mutate(vec![mutation], &principal.name).await?;
            transaction.audit(audited(&principal, "restart", Some(&row.object)));
            reload(transaction, &row.object).await
        })
    });
    Ok(restarted.await?)
}

/// An object with its secret values in the open. Who asked is noted before anything is shown.
///
/// # Errors
/// When it is not there, or a value does not open.
pub async fn reveal(admission: &Admission, principal: &Principal, target: Target) -> Result<Row, Problem> {
    let asking = principal.clone();
    let found = audit::write(&admission.store, move |transaction| {
        Box::pin(async move {
            let row = find(transaction, &asking, &target).await?;
            permission::require(transaction, &asking, Role::Reveal, &row).await?;
            transaction.audit(audited(&asking, "reveal", Some(&row.object)));
            Ok::<_, Error>((row, transaction.revision()))
        })
    });
    let (mut row, revision) = found.await?;
    let unreadable = |error| {
        Problem::new(
            Code::Internal,
            format!("the stored {} cannot be read: {error}", row.object),
        )
    };
    let mut spec = row
        .object
        .kind
        .definition()
        .parse_stored(&row.spec)
        .map_err(unreadable)?;
    let snapshot = admission.store.wait_for(revision).await;
    let mut opener = Opener::new(&admission.keyring, &admission.backends, &snapshot);
    for value in spec.secret_values() {
        let place = Place {
            object: &row.object,
            key: value.key,
        };
        let opened = opener.open(place, value.value).await.map_err(|closed| match closed {
            Closed::Away(away) => Problem::from(away),
            Closed::Sealed(error) => Problem::new(
                Code::SealedValue,
                format!("the value `{}` of {} cannot be opened: {error}", value.key, row.object),
            ),
        })?;
        *value.value = orch_shared::kinds::secret::Form::plain_text(opened.reveal());
    }
    row.spec = spec.to_json();
    Ok(row)
}

/// Seals values for a Secret without storing them.
///
/// # Errors
/// When whoever asks may neither make nor change a Secret of that name.
pub fn seal(admission: &Admission, principal: &Principal, request: &wire::Seal) -> Result<wire::Sealed, Problem> {
    let object = ObjectRef::cluster(Kind::Secret, request.name.clone());
    let known = Known::of_new(&object, &Metadata::named(request.name.clone()));
    audit::about("seal", &object);
    let decisions = [Role::Create, Role::Edit].map(|role| permission::decide(principal, role, &known));
    let allowed = decisions.into_iter().find(|decision| decision.is_allowed);
    let wanted = "create or edit";
    match allowed {
        Some(decision) => audit::decided(principal, &decision, wanted),
        None => {
            audit::decided(principal, &Decision::denied(), wanted);
            return Err(permission::forbidden(principal, wanted, &object));
        }
    }
    let sealed = request.data.iter().map(|(key, value)| {
        (
            key.clone(),
            admission.keyring.seal(Place { object: &object, key }, value),
        )
    });
    Ok(wire::Sealed {
        data: sealed.collect::<BTreeMap<_, _>>(),
    })
}
