//! Setting up a server of OpenBao or Vault as a backend, with the token of somebody who may.
//!
//! Flow: the server is asked how it is; the engine is mounted if it is not; a narrow policy and a token role are written; the
//! first token is made by that role and tried with a document of its own; then the Secret with the token and the
//! SecretBackend are written as one.
//!
//! Guarantees: the token of whoever sets it up is used for that and kept nowhere; the daemon's own token is revoked when it is
//! not kept. All of it can be done again: what is there already is left, or written anew.

use std::collections::BTreeMap;
use std::time::Duration;

use orch_shared::access::Role;
use orch_shared::apply::Expectation;
use orch_shared::kind::{Kind, downcast};
use orch_shared::kinds::API_VERSION;
use orch_shared::kinds::secret::{Form, Secret};
use orch_shared::kinds::secret_backend::SecretBackend;
use orch_shared::manifest;
use orch_shared::name::{Name, ObjectRef};
use orch_shared::problem::{Code, Problem};
use orch_shared::resource::{Metadata, Resource};
use orch_shared::wire::{BackendReady, BackendSetup};
use serde_json::json;

use super::away::Away;
use super::ceiling;
use super::houses;
use super::lodging::{self, Sources};
use super::probing::AuthCheck;
use super::set::{self, Door, Effect, Foreign, Order, Others, Present};
use super::{Admission, audited, permission};
use crate::asker::Asker;
use crate::secrets::Plaintext;
use crate::secrets::vault::{Connection, Credential, Error, Minted, Plan, Policy, Vault};
use crate::store::{Known, Object, Transaction};

/// A document that is written, read and deleted to see whether the daemon's token may. No Secret has such a name.
const TRIED: &str = ".set-up";
/// How often what may pass is tried: an engine that was mounted a moment ago is not ready at once.
const TRIES: u32 = 20;
const PAUSE: Duration = Duration::from_millis(250);
/// The key under which the token is kept.
const KEY: &str = "token";

/// Sets a backend up.
///
/// # Errors
/// What of it could not be done, and why; no SecretBackend is made then.
pub async fn set_up(admission: &Admission, asker: &Asker, setup: BackendSetup) -> Result<BackendReady, Problem> {
    let BackendSetup {
        name,
        url,
        admin_token,
        mount,
        path_prefix,
        namespace,
        policy_name,
        token_role,
        promote_default,
    } = setup;
    let admin_token = Plaintext::new(admin_token);
    let usual = || format!("orchd-{name}");
    let plan = Plan {
        policy: policy_name.unwrap_or_else(usual),
        role: token_role.unwrap_or_else(usual),
    };
    if admin_token.reveal().trim().is_empty() {
        return Err(
            Problem::new(Code::BadRequest, "there is no token to set the backend up with")
                .suggest("give one: --admin-token-file FILE, or ORCHCTL_ADMIN_TOKEN"),
        );
    }
    let sound = |text: &str| {
        !text.is_empty() && text.len() <= 128 && text.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
    };
    for text in [&plan.policy, &plan.role] {
        if !sound(text) {
            return Err(Problem::new(
                Code::BadRequest,
                format!("`{text}` cannot name a policy or a token role"),
            )
            .suggest("1 to 128 letters, digits, `-` and `_`"));
        }
    }
    let secret: Name = format!("{name}-token").parse().map_err(|_| {
        Problem::new(
            Code::InvalidName,
            format!("`{name}` is too long: its Secret would be called `{name}-token`"),
        )
    })?;
    let is_default = promote_default.unwrap_or(true);
    let written = json!({
        "apiVersion": API_VERSION,
        "kind": Kind::SecretBackend,
        "metadata": {"name": name},
        "spec": {
            "type": "openbao",
            "default": is_default.then_some(true),
            "url": url,
            "mount": mount,
            "pathPrefix": path_prefix,
            "namespace": namespace,
            "auth": {"token": {"secretRef": {"name": secret, "key": KEY}, "tokenRole": plan.role}},
        },
    });
    let backend = manifest::resource(&without_nulls(written)).map_err(|problems| {
        Problem::of_fields(problems).unwrap_or_else(|| Problem::new(Code::BadRequest, "the backend would not be sound"))
    })?;
    let objects = [backend.reference(), ObjectRef::cluster(Kind::Secret, secret.clone())];
    // Before anything is made elsewhere.
    for object in &objects {
        let known = Known::of_new(object, &Metadata::named(object.name.clone()));
        if ![Role::Create, Role::View]
            .iter()
            .all(|role| permission::may(asker, *role, &known))
        {
            return Err(permission::forbidden(asker, Role::Create.as_str(), object));
        }
    }
    refuse_taken(admission, &objects)?;
    let snapshot = admission.store.snapshot();
    ceiling::check(&snapshot, asker, &backend, None)?;
    if is_default {
        houses::may_dethrone(&snapshot, asker)?;
    }
    let spec = downcast::<SecretBackend>(backend.spec.as_ref()).cloned();
    let spec = spec.ok_or_else(|| Problem::new(Code::Internal, "the backend is of another kind"))?;
    let connection = Connection::of(&name, &spec, Some(admin_token))
        .ok_or_else(|| Problem::new(Code::Internal, "the backend is no place elsewhere"))?;

    let mut steps = Vec::new();
    let admin = admission.backends.open(connection.clone());
    let minted = prepare(&admin, &connection, &plan, &mut steps)
        .await
        .map_err(|error| told(&name, &steps, error))?;
    let made = async {
        let mut own = connection.clone();
        own.credential = Credential::Token(minted.token.clone());
        try_out(&admission.backends.open(own), &mut steps)
            .await
            .map_err(|error| told(&name, &steps, error))?;
        store(admission, asker, backend, &secret, &minted, &objects).await
    };
    match made.await {
        Ok(former_default) => {
            steps.push(format!(
                "kept that token in secret/{secret}, and made secretbackend/{name}{}",
                if is_default { ", the default from now on" } else { "" }
            ));
            Ok(BackendReady {
                steps,
                secret,
                former_default,
            })
        }
        Err(problem) => {
            let _ends_by_itself = admin.revoke(&minted.accessor).await;
            Err(problem)
        }
    }
}

fn without_nulls(mut manifest: serde_json::Value) -> serde_json::Value {
    if let Some(spec) = manifest["spec"].as_object_mut() {
        spec.retain(|_, value| !value.is_null());
    }
    manifest
}

/// Refuses before anything is done at the server what would be refused afterwards.
fn refuse_taken(admission: &Admission, objects: &[ObjectRef]) -> Result<(), Problem> {
    let snapshot = admission.store.snapshot();
    match objects.iter().find(|object| snapshot.get(object).is_some()) {
        Some(taken) => Err(Problem::new(
            Code::AlreadyExists,
            format!("{taken} exists already; nothing was set up"),
        )
        .suggest("choose another name, or delete it first")),
        None => Ok(()),
    }
}

/// What went wrong, after what was done.
fn told(name: &Name, steps: &[String], error: Error) -> Problem {
    let problem = Problem::from(Away::Backend {
        backend: name.clone(),
        error,
    });
    match steps.last() {
        Some(last) => problem.suggest(format!(
            "the last that was done: {last}; it can all be done again, with a token that may"
        )),
        None => problem.suggest("nothing was done at the server; it can all be done again"),
    }
}

/// Does what needs the token of somebody who may.
async fn prepare(
    admin: &Vault,
    connection: &Connection,
    plan: &Plan,
    steps: &mut Vec<String>,
) -> Result<Minted, Error> {
    let Connection { mount, path_prefix, .. } = connection;
    let version = admin.health().await?;
    steps.push(format!("the server answers: version {version}"));
    steps.push(if admin.ensure_engine().await? {
        format!("mounted a KV v2 engine at {mount}/")
    } else {
        format!("a KV v2 engine is mounted at {mount}/")
    });
    let policy = Policy {
        mount: mount.clone(),
        path_prefix: path_prefix.clone(),
        role: plan.role.clone(),
    };
    admin.write_policy(&plan.policy, &policy).await?;
    steps.push(format!(
        "wrote the policy {}: only {mount}/{path_prefix}/*",
        plan.policy
    ));
    admin.write_role(plan).await?;
    steps.push(format!("wrote the token role {}", plan.role));
    let minted = admin.mint(&plan.role).await?;
    let hours = minted.lease.as_secs() / 3600;
    steps.push(format!("made the daemon's own token, for {hours} hours at a time"));
    Ok(minted)
}

/// Writes, reads and deletes with the daemon's own token.
async fn try_out(own: &Vault, steps: &mut Vec<String>) -> Result<(), Error> {
    own.look_up_self().await?;
    let data = BTreeMap::from([("check".to_owned(), Plaintext::new("orchd was here".to_owned()))]);
    let mut tries = 0;
    let version = loop {
        let written = match own.kept(TRIED).await {
            Ok(kept) => own.write(TRIED, &data, kept.newest).await,
            Err(error) => Err(error),
        };
        match written {
            Err(error) if error.is_passing() && tries < TRIES => {
                tries += 1;
                tokio::time::sleep(PAUSE).await;
            }
            written => break written?,
        }
    };
    let read = own.read(TRIED, Some(version)).await?;
    if read.is_none_or(|document| document.data != data) {
        return Err(Error::Garbled("what was written there is not what is read"));
    }
    own.delete(TRIED).await?;
    steps.push("wrote, read and deleted a value with that token".to_owned());
    Ok(())
}

/// Writes both objects as one; answers with the backend that was the default before.
async fn store(
    admission: &Admission,
    asker: &Asker,
    backend: Resource,
    secret: &Name,
    minted: &Minted,
    objects: &[ObjectRef],
) -> Result<Option<Name>, Problem> {
    let value = Form::plain_text(minted.token.reveal());
    let secret = Resource {
        kind: Kind::Secret,
        metadata: Metadata::named(secret.clone()),
        spec: Box::new(Secret {
            backend: None,
            data: Some(BTreeMap::from([(KEY.to_owned(), value)])),
        }),
    };
    let takes_over = downcast::<SecretBackend>(backend.spec.as_ref()).is_some_and(SecretBackend::is_default);
    let absent = |object: &ObjectRef| Expectation {
        object: object.clone(),
        uid: None,
        generation: None,
    };
    let order = Order {
        objects: vec![secret, backend.clone()],
        set: None,
        others: Others::Kept,
        foreign: Foreign::Refused,
        present: Present::Changed,
        effect: Effect::Commit,
        door: Door::Declaring,
        expect: objects.iter().map(absent).collect(),
        verb: "set up".to_owned(),
        home: None,
        auth: AuthCheck::Skipped,
        lodgings: std::sync::Arc::default(),
    };
    let written = lodging::write(admission, asker, Sources::Cleared, |principal, lodgings| {
        let admission = admission.clone();
        let (order, reference) = (order.clone(), backend.reference());
        Some(Box::new(move |transaction: &mut Transaction| {
            Box::pin(async move {
                let former = former_default(transaction, &reference).await?;
                let order = Order { lodgings, ..order };
                set::admit(&admission, transaction, order, &principal).await?;
                transaction.audit(audited(&principal, "set up", Some(&reference)));
                Ok(former)
            })
        }))
    });
    Ok(written.await?.filter(|_| takes_over))
}

async fn former_default(
    transaction: &mut Transaction,
    beside: &ObjectRef,
) -> Result<Option<Name>, crate::store::Error> {
    let names = transaction.names_beside(beside).await?;
    let objects: Vec<ObjectRef> = names
        .into_iter()
        .filter_map(|name| Some(ObjectRef::cluster(Kind::SecretBackend, name.parse().ok()?)))
        .collect();
    for row in transaction.load(&objects).await?.into_iter().flatten() {
        let object = Object::parse(&row)?;
        if object.spec::<SecretBackend>().is_some_and(SecretBackend::is_default) {
            return Ok(Some(row.object.name));
        }
    }
    Ok(None)
}
