//! Another token in the place of the one by which the daemon proves to a backend who it is.
//!
//! Flow: the token makes its successor by its token role; the successor is tried; it is stored, with the predecessor noted
//! as one to revoke; the predecessor is revoked by its accessor, and the note taken back.
//!
//! Guarantees: until the successor is stored, the token in use is not touched, so that whatever fails leaves it working. A
//! predecessor that could not be revoked stays noted, and is revoked when the backend is looked at next. A kill between
//! making and storing leaves a token that nobody knows, which ends by itself.

use std::sync::Arc;

use orch_shared::access::{Operation, Principal};
use orch_shared::kind::{Kind, downcast};
use orch_shared::kinds::secret::{Form, Secret};
use orch_shared::kinds::secret_backend::{SecretBackend, TokenAuth};
use orch_shared::name::ObjectRef;
use orch_shared::problem::{Code, Problem};
use orch_shared::query::Severity;
use orch_shared::resource::{Resource, Timestamp};
use serde_json::{Map, Value, json};

use super::away::{Away, connection};
use super::one::{Target, find, order, reload};
use super::{Admission, Error, audited, permission, set, status};
use crate::asker::Asker;
use crate::audit;
use crate::secrets::vault::{Credential, Minted, Vault};
use crate::store::{Mutation, NewEvent, Object, Row, Transaction};

/// A document that is asked for to see whether a token may: nobody writes it, since no Secret has such a name.
pub const TRIED: &str = ".check";

/// What a rotation has come to.
#[derive(Debug)]
pub struct Rotated {
    /// The backend, as it is now.
    pub row: Row,
}

/// Replaces the token of a backend.
///
/// # Errors
/// When it has none that can be replaced, or the backend does not do its part; the token in use still is then.
pub async fn rotate(admission: &Admission, asker: &Asker, target: Target) -> Result<Rotated, Problem> {
    permission::operate(asker, Operation::RotateSecretBackend)?;
    let asking = asker.principal().clone();
    let found = audit::write(&admission.store, move |transaction| {
        Box::pin(async move { Ok::<_, Error>((find(transaction, &asking, &target).await?, transaction.revision())) })
    });
    let (row, revision) = found.await?;
    // Two at a time would each revoke what the other has just made.
    let _turn = admission.backends.turn().await;
    let snapshot = admission.store.wait_for(revision).await;
    let object = Object::parse(&row).map_err(Problem::from)?;
    let token = object
        .spec::<SecretBackend>()
        .and_then(SecretBackend::token)
        .and_then(|token| Some((token.clone(), token.token_role.clone()?)));
    let Some((token, role)) = token else {
        let detail = format!("{} has no token that the daemon can replace", row.object);
        return Err(Problem::new(Code::NoAction, detail)
            .suggest("it needs auth.token.tokenRole: the role by which the token makes its successors"));
    };
    let secret = ObjectRef::cluster(Kind::Secret, token.secret_ref.name.clone());
    let seen = snapshot
        .get(&secret)
        .map(|secret| (secret.uid.to_string(), secret.generation));
    let made = match succeed(admission, &snapshot, &row, &role).await {
        Ok(made) => made,
        Err(away) => {
            note_failure(admission, &row, &away.to_string()).await;
            return Err(away.into());
        }
    };
    let still = still(asker, Operation::RotateSecretBackend).await;
    let stored = match still {
        Ok(principal) => store(admission, &principal, &row, &token, seen, &made).await,
        Err(problem) => Err(problem),
    };
    if let Err(problem) = stored {
        // Nobody knows the successor but us; it goes again, as well as it can.
        let _left_to_end_by_itself = made.old.revoke(&made.minted.accessor).await;
        note_failure(admission, &row, &problem.detail).await;
        return Err(problem);
    }
    if let Err(error) = made.new.revoke(&made.predecessor).await {
        let away = away(&made.new, error);
        note_left(admission, &row, &away.to_string()).await;
    } else {
        forget(admission, &row.uid, &made.predecessor).await;
    }
    let object = row.object.clone();
    let now = admission
        .store
        .write(move |transaction| Box::pin(async move { reload(transaction, &object).await }))
        .await?;
    Ok(Rotated { row: now })
}

/// Whoever asks, if they may still have that done, now that the backend has done its part.
async fn still(asker: &Asker, operation: Operation) -> Result<Principal, Problem> {
    let mut asker = asker.clone();
    asker.renew().await?;
    permission::operate(&asker, operation)?;
    Ok(asker.principal().clone())
}

/// A successor that was tried, and what it succeeds.
struct Made {
    minted: Minted,
    expires: Option<Timestamp>,
    predecessor: String,
    old: Vault,
    new: Vault,
}

fn away(vault: &Vault, error: crate::secrets::vault::Error) -> Away {
    Away::Backend {
        backend: vault.name().clone(),
        error,
    }
}

async fn succeed(
    admission: &Admission,
    snapshot: &crate::store::Snapshot,
    row: &Row,
    role: &str,
) -> Result<Made, Away> {
    let connection = connection(&admission.keyring, snapshot, row.object.name.as_str())?;
    let old = admission.backends.open(connection.clone());
    let predecessor = old.look_up_self().await.map_err(|error| away(&old, error))?.accessor;
    let minted = old.mint(role).await.map_err(|error| away(&old, error))?;
    let mut successor = connection;
    successor.credential = Credential::Token(minted.token.clone());
    let new = admission.backends.open(successor);
    let tried = async {
        let known = new.look_up_self().await?;
        new.kept(TRIED).await?;
        Ok(known.expires)
    };
    match tried.await {
        Ok(expires) => Ok(Made {
            minted,
            expires,
            predecessor,
            old,
            new,
        }),
        Err(error) => {
            let _left_to_end_by_itself = old.revoke(&minted.accessor).await;
            Err(away(&new, error))
        }
    }
}

/// Stores the successor, and notes the predecessor, all at once.
async fn store(
    admission: &Admission,
    principal: &Principal,
    row: &Row,
    token: &TokenAuth,
    seen: Option<(String, i64)>,
    made: &Made,
) -> Result<(), Problem> {
    let secret = ObjectRef::cluster(Kind::Secret, token.secret_ref.name.clone());
    let (backend, uid, key) = (row.object.clone(), row.uid.clone(), token.secret_ref.key.clone());
    let value = made.minted.token.clone();
    let (predecessor, expires) = (made.predecessor.clone(), made.expires);
    let (admission, principal) = (admission.clone(), principal.clone());
    let store = admission.store.clone();
    let written = audit::write(&store, move |transaction| {
        Box::pin(async move {
            let live = transaction.load(std::slice::from_ref(&secret)).await?.pop().flatten();
            let moved = || {
                Problem::new(
                    Code::Stale,
                    format!("{secret} was changed meanwhile, and its token stays"),
                )
                .suggest("send the same request again")
                .retry_after(1)
            };
            let live = live.filter(|live| seen == Some((live.uid.clone(), live.generation)));
            let object = Object::parse(&live.ok_or_else(moved)?)?;
            let mut spec = downcast::<Secret>(object.spec.as_ref()).cloned().ok_or_else(moved)?;
            let data = spec.data.get_or_insert_default();
            data.insert(key, Form::plain_text(value.reveal()));
            let resource = Resource {
                kind: Kind::Secret,
                metadata: object.metadata,
                spec: Box::new(spec),
            };
            let order = order(resource, "rotate", Arc::default());
            set::admit(&admission, transaction, order, &permission::acting(&principal)).await?;
            let now = transaction.now();
            let mut superseded = superseded(transaction, &uid).await?;
            superseded.push(predecessor);
            let told = json!({
                "health": "healthy",
                "generatedAt": now,
                "expiresAt": expires,
                "failedAt": null,
                "lastError": null,
                "superseded": superseded,
            });
            tell(transaction, &uid, told).await?;
            transaction
                .event(&NewEvent {
                    object: backend.clone(),
                    uid,
                    severity: Severity::Normal,
                    reason: "TokenRotated".to_owned(),
                    message: format!("another token is in use; it is in {secret}"),
                })
                .await?;
            transaction.audit(audited(&principal, "rotate", Some(&backend)));
            Ok::<_, Error>(())
        })
    });
    Ok(written.await?)
}

/// The accessors that are still to be revoked.
async fn superseded(transaction: &mut Transaction, uid: &str) -> Result<Vec<String>, Error> {
    let row = transaction.load_uid(uid).await?;
    let status: Value = row
        .and_then(|row| serde_json::from_str(&row.status).ok())
        .unwrap_or_default();
    let known = status.pointer("/token/superseded").and_then(Value::as_array);
    let texts = known.into_iter().flatten().filter_map(Value::as_str);
    Ok(texts.map(str::to_owned).collect())
}

/// Says something of the token in the backend's status.
async fn tell(transaction: &mut Transaction, uid: &str, told: Value) -> Result<(), Error> {
    let Some(row) = transaction.load_uid(uid).await? else {
        return Ok(());
    };
    let told: Map<String, Value> = told.as_object().cloned().unwrap_or_default();
    let mutation = Mutation::Status {
        uid: uid.to_owned(),
        status: status::with_token(&row.status, told),
    };
    transaction.mutate(vec![mutation], &Principal::daemon().name).await?;
    Ok(())
}

/// Notes that replacing the token failed; it stays in use.
async fn note_failure(admission: &Admission, row: &Row, why: &str) {
    let (object, uid, why) = (row.object.clone(), row.uid.clone(), why.to_owned());
    let noted = audit::write(&admission.store, move |transaction| {
        Box::pin(async move {
            let now = transaction.now();
            tell(
                transaction,
                &uid,
                json!({"health": "WARNING", "failedAt": now, "lastError": why}),
            )
            .await?;
            let event = NewEvent {
                object,
                uid,
                severity: Severity::Warning,
                reason: "RotationFailed".to_owned(),
                message: format!("the token could not be replaced, and the one in use stays: {why}"),
            };
            transaction.event(&event).await?;
            Ok::<_, Error>(())
        })
    });
    if let Err(error) = noted.await {
        tracing::warn!(backend = %row.object.name, %error, "it cannot be noted that a token could not be replaced");
    }
}

/// What begins the words about an earlier token that is still good.
const LEFT: &str = "an earlier token could not be revoked yet";

/// Notes that an earlier token still opens the backend, although another one is in use.
async fn note_left(admission: &Admission, row: &Row, why: &str) {
    let (object, uid, told) = (row.object.clone(), row.uid.clone(), format!("{LEFT}: {why}"));
    let noted = audit::write(&admission.store, move |transaction| {
        Box::pin(async move {
            let now = transaction.now();
            let status = json!({"health": "WARNING", "failedAt": now, "lastError": told});
            tell(transaction, &uid, status).await?;
            let event = NewEvent {
                object,
                uid,
                severity: Severity::Warning,
                reason: "PredecessorLeft".to_owned(),
                message: told,
            };
            transaction.event(&event).await?;
            Ok::<_, Error>(())
        })
    });
    if let Err(error) = noted.await {
        tracing::warn!(backend = %row.object.name, %error, "it cannot be noted that an earlier token is left");
    }
}

/// Whether the trouble of a backend's token is that an earlier one is left.
async fn is_left(transaction: &mut Transaction, uid: &str) -> Result<bool, Error> {
    let row = transaction.load_uid(uid).await?;
    let status: Option<Value> = row.and_then(|row| serde_json::from_str(&row.status).ok());
    let trouble = status
        .as_ref()
        .and_then(|status| status.pointer("/token/lastError")?.as_str());
    Ok(trouble.is_some_and(|trouble| trouble.starts_with(LEFT)))
}

/// Takes back the note that a token is to be revoked.
async fn forget(admission: &Admission, uid: &str, accessor: &str) {
    let (uid, accessor) = (uid.to_owned(), accessor.to_owned());
    let noted = audit::write(&admission.store, move |transaction| {
        Box::pin(async move {
            let mut left = superseded(transaction, &uid).await?;
            left.retain(|known| *known != accessor);
            let mut told = json!({"superseded": if left.is_empty() { Value::Null } else { json!(left) }});
            if left.is_empty() && is_left(transaction, &uid).await? {
                told["failedAt"] = Value::Null;
                told["lastError"] = Value::Null;
            }
            tell(transaction, &uid, told).await
        })
    });
    if let Err(error) = noted.await {
        tracing::warn!(%error, "it cannot be noted that a token was revoked");
    }
}

/// Revokes earlier tokens that could not be revoked when they were replaced.
pub async fn settle(admission: &Admission, uid: &str, vault: &Vault, accessors: &[String]) {
    for accessor in accessors {
        match vault.revoke(accessor).await {
            Ok(()) => forget(admission, uid, accessor).await,
            Err(error) => {
                tracing::debug!(backend = %vault.name(), %error, "an earlier token could not be revoked yet");
            }
        }
    }
}
