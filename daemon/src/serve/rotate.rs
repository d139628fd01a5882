//! A new key, and every stored value sealed with it: in the objects as they are, and in their history.
//!
//! Flow: every value of the objects is opened once, so that a key that is missing is found before anything changes; the
//! key file gets the new key; then objects and history are sealed anew, a few at a time.
//!
//! Guarantees: what is stored opens at every instant, since older keys stay in the file and the new one is in it before
//! it is used. A rotation that was cut short leaves some values under the older key; the daemon seals them anew when it runs
//! next, and so does the next rotation.
//!
//! With the daemon running, only the key is made here, and the daemon does the rest beside its work ([`reseal`]).

use std::fmt;

use anyhow::bail;
use orch_shared::access::Principal;
use orch_shared::kind::{AnySpec, Kind};
use orch_shared::name::ObjectRef;
use orch_shared::query::LabelSelector;
use tokio_util::sync::CancellationToken;

use super::{Ground, ground, reseal};
use crate::config::Settings;
use crate::secrets::{Keyring, OpenError, Place};
use crate::store::{
    Declared, Error, Generations, ListQuery, Mutation, Object, PastSpec, Position, Row, Scopes, Store, Update,
};

/// So many objects or generations are held, and written by one transaction.
pub(super) const AT_ONCE: u32 = 100;

/// What a rotation has done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rotation {
    /// The key that seals from now on.
    pub key: String,
    /// How many objects were sealed anew.
    pub objects: usize,
    /// How many generations in their history.
    pub generations: usize,
    /// How many generations stay as they are, since the key of a value in them is missing.
    pub lost: usize,
}

impl fmt::Display for Rotation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            key,
            objects,
            generations,
            lost,
        } = self;
        write!(
            f,
            "key {key} seals from now on; sealed anew: {objects} objects, {generations} generations in their history"
        )?;
        match lost {
            0 => Ok(()),
            lost => write!(f, "; {lost} generations cannot be opened, and stay as they are"),
        }
    }
}

/// What came of making a new key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Rotated {
    /// Every stored value is sealed with it.
    Sealed(Rotation),
    /// The daemon runs, and seals what is stored anew beside its work.
    LeftToDaemon {
        /// The key that seals from now on.
        key: String,
    },
}

impl fmt::Display for Rotated {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sealed(rotation) => rotation.fmt(f),
            Self::LeftToDaemon { key } => write!(
                f,
                "key {key} is made; the daemon that is running takes it up within seconds, and seals anew what is stored"
            ),
        }
    }
}

/// Makes a new key. When no daemon is running, seals every stored value anew; otherwise leaves that to the daemon.
///
/// # Errors
/// When a value of an object cannot be opened (nothing is changed then), or the store or the key file cannot be written.
pub async fn rotate_key(settings: &Settings) -> anyhow::Result<Rotated> {
    super::bootstrap::lived_in(settings)?;
    let Ground {
        store,
        engine,
        keyring,
        lock,
        ..
    } = match ground(settings).await {
        Ok(ground) => ground,
        Err(error) if matches!(error.downcast_ref(), Some(Error::InUse { .. })) => {
            let keyring = Keyring::open(&settings.key_file)?;
            return Ok(Rotated::LeftToDaemon { key: keyring.rotate()? });
        }
        Err(error) => return Err(error),
    };
    let stop = CancellationToken::new();
    let running = tokio::spawn(engine.run(stop.clone()));
    let rotated = rotate(&store, &keyring).await;
    stop.cancel();
    running.await?;
    drop(lock);
    let rotated = rotated?;
    reseal::note(&settings.data_dir, &rotated.key);
    Ok(Rotated::Sealed(rotated))
}

async fn rotate(store: &Store, keyring: &Keyring) -> anyhow::Result<Rotation> {
    let mut objects = Objects::default();
    while let Some(rows) = objects.next(store).await? {
        for row in rows {
            check(keyring, &row)?;
        }
    }
    let mut rotation = Rotation {
        key: keyring.rotate()?,
        objects: 0,
        generations: 0,
        lost: 0,
    };
    let mut objects = Objects::default();
    while let Some(rows) = objects.next(store).await? {
        let mut mutations = Vec::new();
        for row in rows {
            mutations.extend(resealed(keyring, &row)?);
        }
        rotation.objects += mutations.len();
        write_objects(store, mutations).await?;
    }
    let everything = Principal::daemon().visibility;
    let mut place = None;
    loop {
        let specs = store.past_specs(&everything, place.as_ref(), AT_ONCE).await?;
        let Some(last) = specs.last() else { return Ok(rotation) };
        place = Some(last.place.clone());
        let mut rewritten = Vec::new();
        for past in specs {
            let mut spec = past.object.kind.definition().parse_stored(&past.spec)?;
            match reseal(keyring, &past.object, spec.as_mut()) {
                Ok(Resealed::Changed) => rewritten.push(PastSpec {
                    spec: spec.to_json(),
                    ..past
                }),
                Ok(Resealed::Same) => {}
                // What cannot be opened could not be rolled back to before, either.
                Err(_) => rotation.lost += 1,
            }
        }
        rotation.generations += rewritten.len();
        write_past(store, rewritten).await?;
    }
}

/// A walk over all objects of all kinds, some at a time.
#[derive(Default)]
struct Objects {
    kind: usize,
    after: Option<Position>,
}

impl Objects {
    async fn next(&mut self, store: &Store) -> Result<Option<Vec<Row>>, Error> {
        let Some(kind) = Kind::ALL.get(self.kind) else {
            return Ok(None);
        };
        let query = ListQuery {
            kind: *kind,
            scopes: Scopes::All,
            labels: LabelSelector::default(),
            after: self.after.take(),
            limit: Some(AT_ONCE),
        };
        let page = store.list(&Principal::daemon().visibility, &query).await?;
        match page.extent.next {
            Some(next) => self.after = Some(next),
            None => self.kind += 1,
        }
        Ok(Some(page.rows))
    }
}

/// Whether every value of an object opens.
fn check(keyring: &Keyring, row: &Row) -> anyhow::Result<()> {
    let mut spec = Object::parse(row)?.spec;
    for value in spec.secret_values() {
        let (object, key) = (&row.object, value.key);
        match keyring.open_value(Place { object, key }, value.value) {
            // A value that lives in a backend is not sealed with our keys.
            Ok(_) | Err(OpenError::External(_)) => {}
            Err(error) => bail!(
                "the value `{key}` of {object} cannot be opened: {error}; nothing was changed\n\
                 hint: restore the key, or start the daemon and apply the value anew"
            ),
        }
    }
    Ok(())
}

/// The change that seals an object anew, if it needs one.
pub(super) fn resealed(keyring: &Keyring, row: &Row) -> anyhow::Result<Option<Mutation>> {
    let object = Object::parse(row)?;
    let mut spec = object.spec;
    match reseal(keyring, &row.object, spec.as_mut()) {
        Ok(Resealed::Same) => return Ok(None),
        Ok(Resealed::Changed) => {}
        Err((key, error)) => bail!("the value `{key}` of {} cannot be opened any more: {error}", row.object),
    }
    Ok(Some(Mutation::Update(Box::new(Update {
        uid: row.uid.clone(),
        expect_generation: row.generation,
        declared: Declared {
            metadata: row.metadata.clone(),
            spec: spec.to_json(),
            labels: object.metadata.labels.unwrap_or_default(),
            references: spec.references(),
        },
        apply_set: row.apply_set.clone(),
        generation: Generations::Same,
        verb: "rotate key".to_owned(),
    }))))
}

/// What sealing anew did to a spec.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Resealed {
    Changed,
    Same,
}

/// Seals the values of a spec that are not sealed with the key that seals now. The error names the value.
pub(super) fn reseal(
    keyring: &Keyring,
    object: &ObjectRef,
    spec: &mut dyn AnySpec,
) -> Result<Resealed, (String, OpenError)> {
    let mut done = Resealed::Same;
    for value in spec.secret_values() {
        let place = Place { object, key: value.key };
        if keyring.is_current(value.value) {
            continue;
        }
        let opened = keyring.open_value(place, value.value);
        let opened = opened.map_err(|error| (value.key.to_owned(), error))?;
        *value.value = keyring.seal(place, opened.reveal());
        done = Resealed::Changed;
    }
    Ok(done)
}

async fn write_objects(store: &Store, mutations: Vec<Mutation>) -> Result<(), Error> {
    if mutations.is_empty() {
        return Ok(());
    }
    let by = Principal::daemon().name;
    store
        .write(move |transaction| Box::pin(async move { transaction.mutate(mutations, &by).await.map(drop) }))
        .await
}

pub(super) async fn write_past(store: &Store, specs: Vec<PastSpec>) -> Result<(), Error> {
    if specs.is_empty() {
        return Ok(());
    }
    store
        .write(move |transaction| Box::pin(async move { transaction.rewrite_past(&specs).await }))
        .await
}
