//! Values that live in a backend, from the reconciler's side: fetched at the moment of use, and deleted with their Secret.
//!
//! Guarantees: a copy is started with every value that it declares, or not at all; while a value cannot be had, the copy
//! waits, says why, and is tried again.

use std::collections::BTreeSet;
use std::sync::Arc;

use orch_shared::kind::{self, Kind};
use orch_shared::kinds::instance::{Instance, InstanceStatus};
use orch_shared::kinds::secret::Form;
use orch_shared::kinds::secret_backend::SecretBackend;
use orch_shared::name::{Name, ObjectRef};
use orch_shared::problem::Code;
use orch_shared::resource::ConditionStatus;

use super::act::Hands;
use super::backends::Watchman;
use super::driver::Outcome;
use super::observe;
use super::plan::conditions::find;
use super::plan::instance::{Deleting, Observed};
use super::plan::want::Want;
use super::plan::{self, Action, Broken, Plan};
use super::values::{Fetched, secret_value};
use crate::admission::{Admission, Closed, Opener, delete_values, tell_left};
use crate::secrets::Place;
use crate::store::{Object, Snapshot};

/// The values that an Instance needs and that live elsewhere: Secret, key, stored form.
fn wanted(spec: &Instance, snapshot: &Snapshot) -> Vec<(ObjectRef, String, String)> {
    let references = kind::Spec::references(&*spec.run).into_iter();
    references
        .filter_map(|reference| {
            let key = reference.key?;
            let value = secret_value(&reference.target, &key, snapshot)?;
            let is_away = matches!(Form::of(value), Form::External { .. });
            let value = is_away.then(|| value.to_owned())?;
            Some((reference.target, key, value))
        })
        .collect()
}

/// Whether backends have to be asked before an Instance can be started.
pub(super) fn needs_backends(spec: &Instance, snapshot: &Snapshot) -> bool {
    !wanted(spec, snapshot).is_empty()
}

/// The start of a copy that needs values from backends.
pub(super) struct Start {
    pub(super) object: Arc<Object>,
    pub(super) snapshot: Snapshot,
    pub(super) deleting: Option<Deleting>,
    pub(super) observed: Option<Observed>,
    pub(super) plan: Plan<InstanceStatus>,
}

impl Start {
    /// Fetches the values and does what was planned; or holds the copy, with the reason.
    pub(super) async fn run(self, admission: Admission, watchman: Watchman, hands: Hands) -> Outcome {
        let Self {
            object,
            snapshot,
            deleting,
            observed,
            plan,
        } = self;
        let Some(spec) = object.spec::<Instance>() else {
            return Outcome::Done(None);
        };
        let fetched = fetch(&admission, &watchman, spec, &snapshot).await;
        let launch = fetched.and_then(|fetched| {
            observe::launch(&object, spec, &snapshot, &admission.keyring, &fetched)
                .map_err(|Broken(why)| Want::reference(why))
        });
        let want = match launch {
            Ok(launch) => return hands.act(Arc::clone(&object), plan, Some(launch)).await,
            Err(want) => want,
        };
        let blank = InstanceStatus::default();
        let world = plan::instance::World {
            uid: &object.uid,
            generation: object.generation,
            deleting,
            spec,
            status: object.status::<Instance>().unwrap_or(&blank),
            observed: observed.as_ref(),
        };
        let held = plan::instance::hold(&world, want, hands.store.clock().now());
        let is_known = object.status::<Instance>() == Some(&held.status) && held.events.is_empty();
        if is_known {
            return Outcome::Done(held.look_again);
        }
        hands.act(Arc::clone(&object), held, None).await
    }
}

async fn fetch(
    admission: &Admission,
    watchman: &Watchman,
    spec: &Instance,
    snapshot: &Snapshot,
) -> Result<Fetched, Want> {
    let mut opener = Opener::new(&admission.keyring, &admission.backends, snapshot);
    let mut fetched = Fetched::new();
    for (secret, key, value) in wanted(spec, snapshot) {
        let place = Place {
            object: &secret,
            key: &key,
        };
        let cannot =
            |why: &dyn std::fmt::Display| format!("the value `{key}` of secret `{}` cannot be had: {why}", secret.name);
        let backend: Option<Name> = match Form::of(&value) {
            Form::External { backend, .. } => backend.parse().ok(),
            Form::Plain(_) | Form::Sealed { .. } | Form::Malformed => None,
        };
        if let Some((reason, why)) = backend.as_ref().and_then(|backend| watchman.away(backend, snapshot)) {
            return Err(Want::value(reason, cannot(&why), Code::BackendUnavailable));
        }
        let opened = opener.open(place, &value).await.map_err(|closed| {
            let message = cannot(&closed);
            match closed {
                Closed::Away(away) if away.is_passing() => {
                    if let Some(backend) = &backend {
                        watchman.met(backend, &away, snapshot);
                    }
                    Want::value(away.reason(), message, Code::BackendUnavailable)
                }
                Closed::Away(away) => Want::value(away.reason(), message, Code::BackendRefused),
                Closed::Sealed(_) => Want::reference(message),
            }
        })?;
        fetched.insert((secret, key), opened);
    }
    Ok(fetched)
}

/// What is the matter with a backend in which values live, as its own status tells.
pub(super) fn trouble_of(backend: &Name, snapshot: &Snapshot) -> Option<Broken> {
    let object = snapshot.get(&ObjectRef::cluster(Kind::SecretBackend, backend.clone()))?;
    let status = object.status::<SecretBackend>()?;
    let ready = find(&status.conditions, "Ready")?;
    (ready.status == ConditionStatus::False)
        .then(|| Broken(format!("secretbackend `{backend}` is not ready: {}", ready.message)))
}

/// Deletes the values of a Secret where they live, and then the Secret.
pub(super) async fn remove(
    admission: Admission,
    hands: Hands,
    object: Arc<Object>,
    backends: BTreeSet<Name>,
) -> Outcome {
    for backend in backends {
        if let Err(away) = delete_values(&admission, &object.object, &backend).await {
            tell_left(&admission, &object.object, &away).await;
        }
    }
    let removal: Plan<serde_json::Value> = Plan {
        actions: vec![Action::Remove],
        status: serde_json::Value::Null,
        events: vec![],
        look_again: None,
    };
    hands.act(object, removal, None).await
}
