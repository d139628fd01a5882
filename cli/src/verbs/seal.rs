//! Secret values sealed by the daemon before they are written or printed anywhere.

use std::collections::BTreeMap;

use orch_shared::kinds::secret::Form;
use orch_shared::resource::Resource;
use orch_shared::route;
use orch_shared::wire::{Seal, Sealed};

use crate::client::Call;
use crate::report::Failure;
use crate::settings::Settings;

/// Puts the sealed form in the place of every value that is in the open. Asks the daemon only when there is one.
pub(super) fn seal(settings: &Settings, resource: &mut Resource) -> Result<(), Failure> {
    let in_the_open: BTreeMap<String, String> = resource
        .spec
        .secret_values()
        .into_iter()
        .filter_map(|secret| match Form::of(secret.value) {
            Form::Plain(text) => Some((secret.key.to_owned(), text.to_owned())),
            Form::Sealed { .. } | Form::External { .. } | Form::Malformed => None,
        })
        .collect();
    if in_the_open.is_empty() {
        return Ok(());
    }
    let request = Seal {
        name: resource.metadata.name.clone(),
        data: in_the_open,
    };
    let mut sealed: Sealed = settings
        .client()?
        .send(&settings.ui, &Call::post(route::SEAL, &request))?
        .json()?;
    for secret in resource.spec.secret_values() {
        if let Some(value) = sealed.data.remove(secret.key) {
            *secret.value = value;
        }
    }
    Ok(())
}
