//! Secret values on their way in: plaintext is sealed, sealed values are checked, and a value that is the same as before
//! keeps its bytes.

use std::collections::BTreeMap;

use orch_shared::kind::AnySpec;
use orch_shared::kinds::secret::Form;
use orch_shared::name::ObjectRef;
use orch_shared::path::FieldPath;
use orch_shared::problem::{Code, FieldProblem};
use serde_json::Value;

use super::lodging::Lodged;
use crate::secrets::{Keyring, Place};

/// Seals the secret values of a spec: no plaintext stays, and sealed values are kept byte for byte as they were given.
/// When there are any, answers with the form that is to be compared: values that mean the same as before have the bytes
/// they had before. Values that live in a backend were settled before, by an errand.
///
/// # Errors
/// A problem for each value that does not open here.
pub(super) fn seal(
    keyring: &Keyring,
    object: &ObjectRef,
    spec: &mut dyn AnySpec,
    before: Option<&dyn AnySpec>,
    lodged: Option<&Lodged>,
) -> Result<Option<Box<dyn AnySpec>>, Vec<FieldProblem>> {
    if spec.secret_values().is_empty() {
        return Ok(None);
    }
    let mut compared = spec.boxed();
    let mut before = before.map(AnySpec::boxed);
    let known: BTreeMap<String, String> = before
        .as_mut()
        .map(|spec| {
            spec.secret_values()
                .into_iter()
                .map(|known| (known.key.to_owned(), known.value.clone()))
                .collect()
        })
        .unwrap_or_default();
    let mut problems = Vec::new();
    for (value, comparable) in spec.secret_values().into_iter().zip(compared.secret_values()) {
        let place = Place { object, key: value.key };
        if let Some(stored) = lodged.and_then(|lodged| lodged.stored.get(value.key)) {
            value.value.clone_from(stored);
            let same = lodged.is_some_and(|lodged| lodged.same.contains(value.key));
            let known = known.get(value.key).filter(|_| same);
            comparable.value.clone_from(known.unwrap_or(stored));
            continue;
        }
        // What lives elsewhere is settled there; until then it is what it says it is.
        if matches!(Form::of(value.value), Form::External { .. }) {
            continue;
        }
        let given = match keyring.open_value(place, value.value) {
            Ok(given) => given,
            Err(error) => {
                let path = FieldPath::root().key("spec").key("data").key(value.key);
                problems.push(
                    FieldProblem::new(
                        Code::SealedValue,
                        path,
                        format!("the sealed value cannot be opened: {error}"),
                    )
                    .hint("give the plain value, or restore the daemon's key"),
                );
                continue;
            }
        };
        let same = known
            .get(value.key)
            .filter(|known| keyring.open_value(place, known).is_ok_and(|known| known == given));
        let is_plain = matches!(Form::of(value.value), Form::Plain(_));
        match same {
            Some(known) => {
                if is_plain {
                    value.value.clone_from(known);
                }
                comparable.value.clone_from(known);
            }
            None => {
                if is_plain {
                    *value.value = keyring.seal(place, given.reveal());
                }
                comparable.value.clone_from(value.value);
            }
        }
    }
    if problems.is_empty() {
        Ok(Some(compared))
    } else {
        Err(problems)
    }
}

/// The two manifests with their secret values hidden: `***`, and `*** (changed)` where the second differs.
pub(super) fn masked(before: Option<&dyn AnySpec>, after: &dyn AnySpec) -> (Option<Value>, Value) {
    let mut after = after.boxed();
    let mut before = before.map(AnySpec::boxed);
    let known: BTreeMap<String, String> = before
        .as_mut()
        .map(|spec| {
            let values = spec.secret_values().into_iter();
            values
                .map(|value| (value.key.to_owned(), std::mem::replace(value.value, "***".to_owned())))
                .collect()
        })
        .unwrap_or_default();
    for value in after.secret_values() {
        let same = known.get(value.key).is_none_or(|known| known == value.value);
        *value.value = if same { "***" } else { "*** (changed)" }.to_owned();
    }
    (before.map(|spec| spec.to_value()), after.to_value())
}
