//! What no cassette shows: the values of Secrets that the servers and models of a thread are given.

use std::collections::BTreeSet;

use orch_shared::kind::Kind;
use orch_shared::kinds::llm::Llm;
use orch_shared::kinds::project::Project;
use orch_shared::kinds::server::Server;
use orch_shared::kinds::template::Template;
use orch_shared::name::{Name, ObjectRef};
use orch_shared::problem::{Code, Problem};
use orch_shared::value::SecretKeyRef;
use zeroize::Zeroizing;

use super::Agents;
use crate::mask::Mask;
use crate::store::Snapshot;

/// Shorter values are not looked for: a text in which every `1` is masked says nothing any more, and hides nothing.
const SHORTEST: usize = 4;

impl Agents {
    /// Masks the values that these servers and models, and the servers of that project, are given now.
    ///
    /// # Errors
    /// When one of them cannot be had: what is not known cannot be taken out.
    pub(super) async fn mask(
        &self,
        project: Option<&Name>,
        mut servers: BTreeSet<Name>,
        models: &BTreeSet<Name>,
    ) -> Result<Mask, Problem> {
        let snapshot = self.0.store.snapshot();
        servers.extend(project.into_iter().flat_map(|name| offered(&snapshot, name)));
        let of_servers = servers.iter().flat_map(|name| given_to_server(&snapshot, name));
        let of_models = models.iter().filter_map(|name| given_to_model(&snapshot, name));
        let mut values = Vec::new();
        for key in of_servers.chain(of_models) {
            if !is_there(&snapshot, &key) {
                continue;
            }
            let SecretKeyRef { name, key: entry } = key.clone();
            let opened = (self.0.keys)(key, snapshot.clone()).await;
            let opened = opened.map_err(|unkeyed| {
                let detail = format!(
                    "the value `{entry}` of secret/{name} cannot be kept out of the cassette: it cannot be had: {unkeyed}"
                );
                Problem::new(Code::BackendUnavailable, detail).suggest("export the thread when it can be had again")
            })?;
            values.push(Zeroizing::new(opened.reveal().to_owned()));
        }
        values.retain(|value| value.trim().len() >= SHORTEST);
        Ok(Mask::of_texts(&values))
    }
}

fn offered(snapshot: &Snapshot, project: &Name) -> Vec<Name> {
    let project = snapshot.get(&ObjectRef::cluster(Kind::Project, project.clone()));
    let servers = project.and_then(|project| project.spec::<Project>()?.servers.clone());
    servers.unwrap_or_default()
}

/// The values that a server is given: its own, and those of the Template that it is made from.
fn given_to_server(snapshot: &Snapshot, name: &Name) -> Vec<SecretKeyRef> {
    let object = snapshot.get(&ObjectRef::cluster(Kind::Server, name.clone()));
    let Some(own) = object.and_then(|object| object.spec::<Server>()) else {
        return Vec::new();
    };
    let resolved = own.template.as_ref().and_then(|usage| {
        let template = snapshot.get(&ObjectRef::cluster(Kind::Template, usage.name.clone()))?;
        template.spec::<Template>()?.resolve(own, usage).ok()
    });
    let spec = resolved.as_ref().unwrap_or(own);
    let headers = spec.remote.as_ref().and_then(|remote| remote.headers.as_ref());
    let named = spec.env.iter().chain(headers).flatten();
    named
        .filter_map(|named| Some(named.value_from.as_ref()?.secret_ref.clone()))
        .collect()
}

fn given_to_model(snapshot: &Snapshot, name: &Name) -> Option<SecretKeyRef> {
    let object = snapshot.get(&ObjectRef::cluster(Kind::Llm, name.clone()))?;
    object.spec::<Llm>()?.api_key_ref.clone()
}

/// Whether there is such a value: one that is gone is given to nobody.
fn is_there(snapshot: &Snapshot, key: &SecretKeyRef) -> bool {
    let secret = snapshot.get(&ObjectRef::cluster(Kind::Secret, key.name.clone()));
    let spec = secret.and_then(|secret| secret.spec::<orch_shared::kinds::secret::Secret>());
    spec.and_then(|spec| spec.data.as_ref())
        .is_some_and(|data| data.contains_key(&key.key))
}
