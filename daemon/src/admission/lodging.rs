//! Values that belong into a backend, on their way in.
//!
//! Flow: a write that meets such a Secret works everything else out first, and then gives up with a list of errands. They
//! are run outside of the write, since a backend may take its time: what is there is read, and what is new is written there
//! as a version of its own. Then the write is begun again, with what came of the errands, and commits the references.
//!
//! Guarantees: a reference is committed only to a version that is written; a crash in between leaves a version that nobody
//! refers to. What was worked out for an object is used only while that object is as it was. The same request sent again
//! finds the version that it wrote before, and writes no other. A version that is referred to is never pushed out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures_util::future::BoxFuture;
use orch_shared::access::Principal;
use orch_shared::kind::{AnySpec, Kind, downcast};
use orch_shared::kinds::secret::{Form, Secret};
use orch_shared::kinds::secret_backend::{BackendType, SecretBackend};
use orch_shared::name::{Name, ObjectRef};
use orch_shared::path::FieldPath;
use orch_shared::problem::{Code, FieldProblem, Problem};
use orch_shared::query::Severity;
use orch_shared::resource::Resource;

use super::away::{Away, Closed, Find, Opener};
use super::houses::Home;
use super::probing::{self, Answers, Question};
use super::set::Effect;
use super::{Admission, Error};
use crate::asker::Asker;
use crate::audit;
use crate::secrets::vault;
use crate::secrets::{Place, Plaintext};
use crate::store::{NewEvent, Row, Snapshot, Transaction};

/// How often a write is begun again because what it is about has moved, or somebody else has written at the same place.
const TRIES: usize = 6;

type Values = BTreeMap<String, String>;

/// Something to be done with backends before a Secret can be written.
#[derive(Debug)]
pub(super) struct Errand {
    pub(super) object: ObjectRef,
    /// Its place in the set.
    pub(super) index: usize,
    pub(super) seen: Seen,
    pub(super) home: Home,
    /// The values that are to be, in any form but in the open.
    pub(super) given: Values,
    /// Those that are there.
    pub(super) live: Values,
    pub(super) effect: Effect,
}

/// What a live object was when it was looked at: its uid and generation; nothing when there was none.
pub(super) type Seen = Option<(String, i64)>;

pub(super) fn seen(row: Option<&Row>) -> Seen {
    row.map(|row| (row.uid.clone(), row.generation))
}

/// Errands, and what they are about: everything that is declared in the set, by which backends are found.
#[derive(Debug)]
pub struct Errands {
    pub(super) list: Vec<Errand>,
    /// Providers to be asked whether they take a key.
    pub(super) questions: Vec<Question>,
    pub(super) declared: BTreeMap<ObjectRef, Box<dyn AnySpec>>,
    /// The revision that the write has seen.
    pub(super) revision: i64,
}

/// What came of an errand.
#[derive(Debug, Default)]
pub(super) struct Lodged {
    seen: Seen,
    /// The values in the form in which they are stored.
    pub(super) stored: Values,
    /// The keys whose value is the one that was there.
    pub(super) same: BTreeSet<String>,
    /// Marks of the values, as `status.marks` has them.
    pub(super) marks: BTreeMap<String, String>,
    /// Backends that keep values which nothing refers to once this is written.
    left: BTreeSet<Name>,
}

impl Lodged {
    /// Whether any value is another than the one that was there, whatever its form.
    pub(super) fn is_other(&self) -> bool {
        self.stored.keys().any(|key| !self.same.contains(key))
    }
}

/// What came of all errands.
#[derive(Debug, Default)]
pub(super) struct Lodgings {
    lodged: BTreeMap<ObjectRef, Lodged>,
    /// What providers have said about keys.
    pub(super) answers: Answers,
}

impl Lodgings {
    /// What came of the errand for an object, if that is still as it was.
    pub(super) fn of(&self, object: &ObjectRef, seen: &Seen) -> Option<&Lodged> {
        self.lodged.get(object).filter(|lodged| lodged.seen == *seen)
    }
}

/// Whether backends have to be asked about a Secret.
pub(super) fn is_needed(home: &Home, given: &Secret, live: Option<&Secret>) -> bool {
    let empty = BTreeMap::new();
    let values = |secret: &Secret| secret.data.clone().unwrap_or_default();
    let given = given.data.as_ref().unwrap_or(&empty);
    let live = live.map(values).unwrap_or_default();
    let is_away = |value: &String| matches!(Form::of(value), Form::External { .. });
    match home {
        Home::Here => given.values().chain(live.values()).any(is_away),
        Home::There(backend) => {
            let is_there = |value: &String| matches!(Form::of(value), Form::External { backend: at, .. } if at == backend.as_str());
            let stays = *given == live && given.values().all(is_there);
            let has_values = !given.is_empty() || !live.is_empty();
            has_values && !stays
        }
    }
}

/// Whether a set may need that backends are asked.
pub(super) fn may_need_backends(admission: &Admission, set: &[Resource]) -> bool {
    let is_far = |spec: &dyn AnySpec| {
        downcast::<SecretBackend>(spec).is_some_and(|backend| backend.backend_type == BackendType::Openbao)
    };
    let snapshot = admission.store.snapshot();
    set.iter().any(|resource| resource.kind == Kind::Secret)
        && (set.iter().any(|resource| is_far(resource.spec.as_ref()))
            || snapshot
                .of_kind(Kind::SecretBackend)
                .any(|object| is_far(object.spec.as_ref())))
}

/// What a write is, for the store.
pub(super) type Work<T> = Box<dyn for<'t> FnOnce(&'t mut Transaction) -> BoxFuture<'t, Result<T, Error>> + Send>;

/// What becomes of values in backends that nothing refers to any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Sources {
    /// They are deleted once the write is done, as well as it goes.
    Cleared,
    /// They are left where they are.
    Kept,
}

/// Writes, and runs the errands that turn out to be needed. `work` is made anew for each try, for whoever asks by then;
/// nothing, when it can be made only once.
pub(super) async fn write<T: Send + 'static>(
    admission: &Admission,
    asker: &Asker,
    sources: Sources,
    mut work: impl FnMut(Principal, Arc<Lodgings>) -> Option<Work<T>> + Send,
) -> Result<T, Error> {
    let mut lodgings = Arc::new(Lodgings::default());
    let mut asker = asker.clone();
    for _ in 0..TRIES {
        // Errands may have taken their time.
        asker.renew().await?;
        let principal = asker.principal().clone();
        let Some(work) = work(principal, Arc::clone(&lodgings)) else {
            break;
        };
        match audit::write(&admission.store, work).await {
            Err(Error::Errands(errands)) => {
                let known = lodgings.answers.clone();
                lodgings = Arc::new(Box::pin(run(admission, *errands, known)).await?);
            }
            Ok(done) => {
                if sources == Sources::Cleared {
                    clear_up(admission, &lodgings);
                }
                return Ok(done);
            }
            Err(error) => return Err(error),
        }
    }
    Err(Problem::new(
        Code::Stale,
        "the backends or the Secrets change faster than they can be written",
    )
    .suggest("send the same request again")
    .retry_after(1)
    .into())
}

/// Runs errands, one after the other; providers are asked first, all at once, since what they say may end it.
async fn run(admission: &Admission, errands: Errands, answers: Answers) -> Result<Lodgings, Error> {
    let Errands {
        list,
        questions,
        declared,
        revision,
    } = errands;
    let declared = Over {
        set: declared,
        stored: admission.store.wait_for(revision).await,
    };
    let mut problems = Vec::new();
    let mut lodgings = Lodgings {
        answers,
        ..Lodgings::default()
    };
    probing::ask(admission, &declared, questions, &mut lodgings.answers).await?;
    for errand in list {
        let opener = Opener::new(&admission.keyring, &admission.backends, &declared);
        match lodge(admission, opener, &errand).await {
            Ok(lodged) => drop(lodgings.lodged.insert(errand.object, lodged)),
            Err(Refusal::Value(problem)) => problems.push(problem.in_object(errand.index)),
            Err(Refusal::Backend(away)) => return Err(Problem::from(away).into()),
            Err(Refusal::Full(problem)) => return Err((*problem).into()),
        }
    }
    match Problem::of_fields(problems) {
        Some(problem) => Err(problem.into()),
        None => Ok(lodgings),
    }
}

enum Refusal {
    /// A value that is given cannot be used.
    Value(FieldProblem),
    /// A backend does not do its part.
    Backend(Away),
    /// One more version would push out the one that is in use.
    Full(Box<Problem>),
}

/// What is declared in a set, over what is stored.
struct Over {
    set: BTreeMap<ObjectRef, Box<dyn AnySpec>>,
    stored: Snapshot,
}

impl Find for Over {
    fn find(&self, object: &ObjectRef) -> Option<&dyn AnySpec> {
        self.set
            .get(object)
            .map(AsRef::as_ref)
            .or_else(|| self.stored.find(object))
    }
}

async fn lodge(admission: &Admission, mut opener: Opener<'_, Over>, errand: &Errand) -> Result<Lodged, Refusal> {
    let object = &errand.object;
    let mut wanted = BTreeMap::new();
    for (key, value) in &errand.given {
        let place = Place { object, key };
        wanted.insert(
            key.clone(),
            opener
                .open(place, value)
                .await
                .map_err(|closed| unusable(key, closed))?,
        );
    }
    let mut same = BTreeSet::new();
    for (key, value) in &errand.live {
        let Some(new) = wanted.get(key) else { continue };
        let is_same = errand.given.get(key) == Some(value)
            || match opener.open(Place { object, key }, value).await {
                Ok(old) => old == *new,
                // What is gone is replaced by what is given.
                Err(Closed::Sealed(_)) => false,
                Err(Closed::Away(away)) if away.is_gone() => false,
                Err(Closed::Away(away)) => return Err(Refusal::Backend(away)),
            };
        if is_same {
            same.insert(key.clone());
        }
    }
    let lived_in = places(&errand.live);
    let mut lodged = Lodged {
        seen: errand.seen.clone(),
        ..Lodged::default()
    };
    match &errand.home {
        Home::Here => {
            for (key, value) in &wanted {
                let known = errand
                    .live
                    .get(key)
                    .filter(|known| same.contains(key) && matches!(Form::of(known), Form::Sealed { .. }));
                let place = Place { object, key };
                let sealed = || admission.keyring.seal(place, value.reveal());
                lodged.stored.insert(key.clone(), known.cloned().unwrap_or_else(sealed));
            }
            lodged.left = lived_in.into_keys().collect();
        }
        Home::There(backend) => {
            let is_settled = same.len() == wanted.len()
                && errand.live.len() == wanted.len()
                && errand.live.values().all(|value| is_at(value, backend));
            if is_settled {
                lodged.stored.clone_from(&errand.live);
            } else if !wanted.is_empty() {
                let version = put(&opener, errand, backend, &wanted, lived_in.get(backend).copied()).await?;
                let text = Form::external_text(backend, version);
                lodged.stored = wanted.keys().map(|key| (key.clone(), text.clone())).collect();
            }
            for (key, value) in &wanted {
                let place = Place { object, key };
                let mark = admission.keyring.fingerprint(place, &Form::plain_text(value.reveal()));
                lodged.marks.insert(key.clone(), mark);
            }
            lodged.left = lived_in.into_keys().filter(|place| place != backend).collect();
        }
    }
    lodged.same = same;
    Ok(lodged)
}

/// Sees to it that a version holds exactly those values; answers with its number.
async fn put(
    opener: &Opener<'_, Over>,
    errand: &Errand,
    backend: &Name,
    wanted: &BTreeMap<String, Plaintext>,
    in_use: Option<u64>,
) -> Result<u64, Refusal> {
    let vault = opener.vault(backend.as_str()).map_err(Refusal::Backend)?;
    let name = errand.object.name.as_str();
    let away = |error| {
        Refusal::Backend(Away::Backend {
            backend: backend.clone(),
            error,
        })
    };
    for _ in 0..TRIES {
        let kept = vault.kept(name).await.map_err(away)?;
        if kept.newest > 0 {
            let newest = vault.read(name, Some(kept.newest)).await.map_err(away)?;
            if let Some(document) = newest.filter(|document| document.data == *wanted) {
                return Ok(document.version);
            }
        }
        if let Some(in_use) = in_use.filter(|version| !kept.has_room_beside(*version)) {
            return Err(Refusal::Full(Box::new(full(backend, name, in_use, kept.most))));
        }
        if errand.effect == Effect::DryRun {
            return Ok(kept.newest + 1);
        }
        match vault.write(name, wanted, kept.newest).await {
            Err(vault::Error::Overtaken) => {}
            written => return written.map_err(away),
        }
    }
    Err(away(vault::Error::Overtaken))
}

fn full(backend: &Name, secret: &str, in_use: u64, most: u64) -> Problem {
    Problem::new(
        Code::BackendRefused,
        format!(
            "secretbackend `{backend}` keeps {most} versions of `{secret}`, and one more would push out version {in_use}, \
             which is in use"
        ),
    )
    .suggest("let it keep more: bao kv metadata put -max-versions=20 PATH")
}

/// Why a value that is given cannot be used.
fn unusable(key: &str, closed: Closed) -> Refusal {
    let path = FieldPath::root().key("spec").key("data").key(key);
    match closed {
        Closed::Away(away) if away.is_passing() => Refusal::Backend(away),
        Closed::Away(away) => Refusal::Value(
            FieldProblem::new(Code::SealedValue, path, format!("the value cannot be had: {away}"))
                .hint("give the plain value"),
        ),
        Closed::Sealed(error) => Refusal::Value(
            FieldProblem::new(
                Code::SealedValue,
                path,
                format!("the sealed value cannot be opened: {error}"),
            )
            .hint("give the plain value, or restore the daemon's key"),
        ),
    }
}

fn is_at(value: &str, place: &Name) -> bool {
    matches!(Form::of(value), Form::External { backend, .. } if backend == place.as_str())
}

/// The backends in which values live, each with the oldest version that is in use there.
pub(super) fn places(values: &Values) -> BTreeMap<Name, u64> {
    let mut places = BTreeMap::new();
    for value in values.values() {
        if let Form::External { backend, version } = Form::of(value)
            && let (Ok(backend), Ok(version)) = (backend.parse::<Name>(), version.parse::<u64>())
        {
            let oldest = places.entry(backend).or_insert(version);
            *oldest = version.min(*oldest);
        }
    }
    places
}

/// Deletes what nothing refers to any more, as well as it goes; what does not go is told in an event.
fn clear_up(admission: &Admission, lodgings: &Arc<Lodgings>) {
    for (object, lodged) in &lodgings.lodged {
        if lodged.left.is_empty() {
            continue;
        }
        let (admission, object, left) = (admission.clone(), object.clone(), lodged.left.clone());
        drop(tokio::spawn(async move {
            let written = admission
                .store
                .write(|transaction| Box::pin(async move { Ok::<_, crate::store::Error>(transaction.revision()) }));
            let Ok(revision) = written.await else { return };
            let snapshot = admission.store.wait_for(revision).await;
            let Some(secret) = snapshot.get(&object).and_then(|found| found.spec::<Secret>()) else {
                return;
            };
            // A dry run, or somebody else, has left some in use.
            let in_use = secret.places();
            for backend in left.into_iter().filter(|backend| !in_use.contains_key(backend)) {
                if let Err(away) = delete(&admission, &object, &backend).await {
                    tell_left(&admission, &object, &away).await;
                }
            }
        }));
    }
}

/// Deletes the values of a Secret in a backend.
///
/// # Errors
/// When the backend does not do it.
pub async fn delete(admission: &Admission, secret: &ObjectRef, backend: &Name) -> Result<(), Away> {
    let snapshot = admission.store.snapshot();
    let opener = Opener::new(&admission.keyring, &admission.backends, &snapshot);
    let vault = opener.vault(backend.as_str())?;
    let deleted = vault.delete(secret.name.as_str()).await;
    deleted.map_err(|error| Away::Backend {
        backend: backend.clone(),
        error,
    })
}

/// Tells that values stay behind.
pub async fn tell_left(admission: &Admission, secret: &ObjectRef, away: &Away) {
    let snapshot = admission.store.snapshot();
    let Some(object) = snapshot.get(secret) else { return };
    let event = NewEvent {
        object: secret.clone(),
        uid: object.uid.to_string(),
        severity: Severity::Warning,
        reason: "ValuesLeft".to_owned(),
        message: format!("its values could not be deleted where nothing refers to them any more: {away}"),
    };
    let told = admission
        .store
        .write(move |transaction| Box::pin(async move { transaction.event(&event).await.map(drop) }));
    if let Err(error) = told.await {
        let error: crate::store::Error = error;
        tracing::warn!(%secret, %error, "it cannot be told that values stay behind");
    }
}
