//! Values of Secrets, from what is declared to what is handed over.

use std::collections::BTreeMap;

use orch_shared::kind::Kind;
use orch_shared::kinds::secret::Secret;
use orch_shared::name::ObjectRef;
use orch_shared::value::NamedValue;
use zeroize::Zeroizing;

use super::plan::Broken;
use crate::secrets::{Keyring, Place, Plaintext};
use crate::store::{Object, Snapshot};

/// The values of an object's own that cannot be opened.
pub(super) fn sealed_away(object: &Object, keyring: &Keyring) -> Vec<Broken> {
    let Some(data) = object.spec::<Secret>().and_then(|secret| secret.data.as_ref()) else {
        return Vec::new();
    };
    let tell = |(key, value): (&String, &String)| {
        let error = keyring.can_open(value).err()?;
        Some(Broken(format!("the value `{key}` cannot be opened: {error}")))
    };
    data.iter().filter_map(tell).collect()
}

/// A value of a Secret, as it is stored.
pub(super) fn secret_value<'s>(secret: &ObjectRef, key: &str, snapshot: &'s Snapshot) -> Option<&'s str> {
    let data = snapshot.get(secret)?.spec::<Secret>()?.data.as_ref()?;
    data.get(key).map(String::as_str)
}

/// Values that were fetched from backends, by Secret and key.
pub(super) type Fetched = BTreeMap<(ObjectRef, String), Plaintext>;

/// Names and values, those of Secrets opened. What was opened is also to be masked.
pub(super) fn values(
    declared: &[NamedValue],
    snapshot: &Snapshot,
    (keyring, fetched): (&Keyring, &Fetched),
    masked: &mut Vec<Zeroizing<String>>,
) -> Result<Vec<(String, String)>, Broken> {
    let mut resolved = Vec::with_capacity(declared.len());
    for NamedValue {
        name,
        value,
        value_from,
    } in declared
    {
        let value = match value_from {
            None => value.clone().unwrap_or_default(),
            Some(from) => {
                let (secret, key) = (&from.secret_ref.name, &from.secret_ref.key);
                let object = ObjectRef::cluster(Kind::Secret, secret.clone());
                let sealed = secret_value(&object, key, snapshot)
                    .ok_or_else(|| Broken(format!("secret `{secret}` has no key `{key}` any more")))?;
                let opened = match fetched.get(&(object.clone(), key.clone())) {
                    Some(fetched) => Ok(fetched.clone()),
                    None => keyring.open_value(Place { object: &object, key }, sealed),
                };
                let opened = opened.map_err(|error| {
                    Broken(format!(
                        "the value `{key}` of secret `{secret}` cannot be opened: {error}"
                    ))
                })?;
                masked.push(Zeroizing::new(opened.reveal().to_owned()));
                opened.reveal().to_owned()
            }
        };
        resolved.push((name.clone(), value));
    }
    Ok(resolved)
}
