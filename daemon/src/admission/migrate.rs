//! Moving values of Secrets from one backend to another.
//!
//! Flow, for one Secret after the other: its values are read where they are, written where they are to be, the references
//! are committed, and what was left behind is deleted as well as it goes.
//!
//! Guarantees: at every instant a Secret's references lead to all of its values, in the one backend or in the other. A
//! migration that was cut short is taken up by the next: what has moved is left out. The meaning of a Secret does not change,
//! and so whoever uses it is not disturbed. The token of a backend is never moved out of the daemon's own store.

use std::collections::BTreeSet;

use orch_shared::access::{Operation, Principal};
use orch_shared::kind::{Kind, downcast};
use orch_shared::kinds::secret::Secret;
use orch_shared::kinds::secret_backend::{BackendType, SecretBackend};
use orch_shared::name::{Name, ObjectRef};
use orch_shared::problem::{Code, Problem};
use orch_shared::resource::Resource;
use orch_shared::wire::{Migrated, MigratedSecret, Migration, MigrationOutcome};

use super::error::not_found;
use super::houses::Home;
use super::lodging::{self, Sources, places};
use super::one::{Target, find, order};
use super::set::{self, Order};
use super::{Admission, audited, delete_values, permission};
use crate::asker::Asker;
use crate::audit;
use crate::store::{Object, Snapshot, Transaction};

/// Moves values, or says what would be moved.
///
/// # Errors
/// When one of the backends is not there. What becomes of each Secret stands in the answer.
pub async fn migrate(admission: &Admission, asker: &Asker, migration: Migration) -> Result<Migrated, Problem> {
    if migration.dry_run {
        audit::rehearsed();
    }
    permission::operate(asker, Operation::MigrateSecrets)?;
    // Takes in what others have written just before.
    let revision = admission
        .store
        .write(|transaction| Box::pin(async move { Ok::<_, crate::store::Error>(transaction.revision()) }))
        .await?;
    let snapshot = admission.store.wait_for(revision).await;
    let from = home(&snapshot, asker, &migration.from)?;
    let to = home(&snapshot, asker, &migration.to)?;
    if migration.from == migration.to {
        return Err(Problem::new(
            Code::BadRequest,
            format!("`{}` is both the backend to leave and the one to go to", migration.to),
        ));
    }
    let names: BTreeSet<Name> = match &migration.names {
        Some(names) => names.iter().cloned().collect(),
        None => snapshot
            .of_kind(Kind::Secret)
            .filter(|object| snapshot.shows(&asker.visibility, object) && object.deleting_since.is_none())
            .filter(|object| {
                object
                    .spec::<Secret>()
                    .is_some_and(|secret| lives(secret, &from, &migration.from))
            })
            .map(|object| object.object.name.clone())
            .collect(),
    };
    let mut items = Vec::new();
    for name in names {
        let (outcome, message) = match judge(&snapshot, asker, &name, &migration, (&from, &to)) {
            Verdict::Move if migration.dry_run => (MigrationOutcome::Moved, None),
            Verdict::Move => match move_one(admission, asker, &name, &migration, (&from, &to)).await {
                Ok(message) => (MigrationOutcome::Moved, message),
                Err(problem) => (MigrationOutcome::Failed, Some(problem.detail)),
            },
            Verdict::Leave(why) => (MigrationOutcome::Skipped, Some(why)),
            Verdict::Refuse(why) => (MigrationOutcome::Failed, Some(why)),
        };
        items.push(MigratedSecret { name, outcome, message });
    }
    Ok(Migrated {
        items,
        dry_run: migration.dry_run,
    })
}

/// The place that a backend is.
fn home(snapshot: &Snapshot, principal: &Principal, backend: &Name) -> Result<Home, Problem> {
    let object = ObjectRef::cluster(Kind::SecretBackend, backend.clone());
    let found = snapshot
        .get(&object)
        .filter(|object| snapshot.shows(&principal.visibility, object));
    let spec = found.and_then(|found| found.spec::<SecretBackend>());
    match spec.ok_or_else(|| not_found(&object))?.backend_type {
        BackendType::Local => Ok(Home::Here),
        BackendType::Openbao => Ok(Home::There(backend.clone())),
    }
}

/// Whether values of a Secret live in a place.
fn lives(secret: &Secret, home: &Home, name: &Name) -> bool {
    let has_values = secret.data.as_ref().is_some_and(|data| !data.is_empty());
    match home {
        Home::There(backend) => secret.places().contains_key(backend),
        Home::Here => {
            has_values && secret.places().is_empty() && secret.backend.as_ref().is_none_or(|backend| backend == name)
        }
    }
}

/// What is to become of a Secret.
enum Verdict {
    Move,
    Leave(String),
    Refuse(String),
}

fn judge(
    snapshot: &Snapshot,
    principal: &Principal,
    name: &Name,
    migration: &Migration,
    (from, to): (&Home, &Home),
) -> Verdict {
    let object = ObjectRef::cluster(Kind::Secret, name.clone());
    let found = snapshot
        .get(&object)
        .filter(|object| snapshot.shows(&principal.visibility, object));
    let Some(secret) = found.and_then(|found| found.spec::<Secret>()) else {
        return Verdict::Refuse(not_found(&object).detail);
    };
    let opens = snapshot.of_kind(Kind::SecretBackend).find(|backend| {
        let token = backend.spec::<SecretBackend>().and_then(SecretBackend::token);
        token.is_some_and(|token| token.secret_ref.name == *name)
    });
    if let (Some(backend), Home::There(_)) = (opens, to) {
        let why = format!(
            "it holds the token of {}, which would be locked out of it: it stays in the daemon's own store",
            backend.object
        );
        return match migration.names {
            None => Verdict::Leave(why),
            Some(_) => Verdict::Refuse(why),
        };
    }
    if lives(secret, to, &migration.to) && !lives(secret, from, &migration.from) {
        return Verdict::Leave(format!("it lives in `{}` already", migration.to));
    }
    if !lives(secret, from, &migration.from) {
        return Verdict::Leave(format!("it does not live in `{}`", migration.from));
    }
    Verdict::Move
}

/// Moves one; answers with what else is to be said.
async fn move_one(
    admission: &Admission,
    asker: &Asker,
    name: &Name,
    migration: &Migration,
    (from, to): (&Home, &Home),
) -> Result<Option<String>, Problem> {
    let secret = ObjectRef::cluster(Kind::Secret, name.clone());
    let moved = lodging::write(admission, asker, Sources::Kept, |principal, lodgings| {
        let admission = admission.clone();
        let (secret, target, home) = (secret.clone(), migration.to.clone(), to.clone());
        Some(Box::new(move |transaction: &mut Transaction| {
            Box::pin(async move {
                // What follows is done by the daemon.
                permission::operate(&principal, Operation::MigrateSecrets)?;
                let row = find(transaction, &principal, &Target::from(&secret)).await?;
                let object = Object::parse(&row)?;
                let mut spec = downcast::<Secret>(object.spec.as_ref())
                    .cloned()
                    .ok_or_else(|| not_found(&secret))?;
                // What names no backend goes on to name none, where that leads to the same place.
                if spec.backend.is_some() || !is_default(transaction, &target).await? {
                    spec.backend = Some(target);
                }
                let resource = Resource {
                    kind: Kind::Secret,
                    metadata: object.metadata,
                    spec: Box::new(spec),
                };
                let order = Order {
                    home: Some(home),
                    ..order(resource, "migrate", lodgings)
                };
                set::admit(&admission, transaction, order, &permission::acting(&principal)).await?;
                transaction.audit(audited(&principal, "migrate", Some(&secret)));
                Ok(transaction.revision())
            })
        }))
    });
    let revision = moved.await?;
    let snapshot = admission.store.wait_for(revision).await;
    let Home::There(source) = from else { return Ok(None) };
    if migration.keep_source {
        return Ok(Some(format!("its values stay in `{source}`, too")));
    }
    let live = snapshot
        .get(&secret)
        .and_then(|object| object.spec::<Secret>()?.data.clone());
    // Somebody may have moved it back meanwhile.
    if live.is_some_and(|live| places(&live).contains_key(source)) {
        return Ok(None);
    }
    let deleted = delete_values(admission, &secret, source).await;
    Ok(deleted
        .err()
        .map(|away| format!("its values are still there, too: {away}")))
}

async fn is_default(transaction: &mut Transaction, backend: &Name) -> Result<bool, crate::store::Error> {
    let object = ObjectRef::cluster(Kind::SecretBackend, backend.clone());
    let row = transaction.load(&[object]).await?.pop().flatten();
    let Some(row) = row else { return Ok(false) };
    let object = Object::parse(&row)?;
    Ok(object.spec::<SecretBackend>().is_some_and(SecretBackend::is_default))
}
