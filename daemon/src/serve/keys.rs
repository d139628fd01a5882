//! The keys of this data directory beside what is stored: a daemon that cannot open what it keeps must not go on as if it
//! could.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::bail;
use orch_shared::kind::Kind;

use crate::secrets::Keyring;
use crate::store::Snapshot;

/// Opens the key file; makes one when there is nothing that only an earlier one would open.
///
/// # Errors
/// When the file cannot be used, or is missing while values are stored that were sealed with another.
pub(super) fn open(file: &Path, stored: &Snapshot) -> anyhow::Result<Keyring> {
    let values = values_by_key(stored);
    if !file.exists() && !values.is_empty() {
        let count: usize = values.values().sum();
        bail!(
            "the key file {} is missing, and without it none of the {count} stored secret values can be opened\n\
             hint: restore it from a backup, or name it with --key-file; if it is lost for good, write the word `new` into it: \
             the daemon then makes a new key, and the secrets must be applied again",
            file.display()
        );
    }
    let keyring = Keyring::open(file)?;
    for (id, count) in values.iter().filter(|(id, _)| !keyring.has(id)) {
        tracing::error!(key = id, values = count, file = %file.display(), "stored secret values are sealed with a key that is not in the key file");
    }
    Ok(keyring)
}

/// How many values are sealed with each key.
fn values_by_key(stored: &Snapshot) -> BTreeMap<String, usize> {
    let mut values = BTreeMap::new();
    for object in stored.of_kind(Kind::Secret) {
        let mut spec = object.spec.boxed();
        for value in spec.secret_values() {
            if let Some(id) = Keyring::key_of(value.value) {
                *values.entry(id.to_owned()).or_default() += 1;
            }
        }
    }
    values
}
