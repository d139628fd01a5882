//! Objects that a daemon brings along, and whether somebody has made them their own.
//!
//! A seeded object carries the label [`LABEL`], whose value is a hash over everything else it declares. So the object
//! itself tells whether it is still as it was seeded, wherever it was exported to and applied again.

use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::kind::Kind;
use crate::kinds::API_VERSION;
use crate::resource::{Metadata, Resource};

/// The label of objects that came with the daemon.
pub const LABEL: &str = "orchctl.dev/seeded";

/// Marks an object as seeded, as it is now.
pub fn mark(resource: &mut Resource) {
    let digest = digest(resource.kind, &resource.metadata, &resource.spec.to_value());
    let labels = resource.metadata.labels.get_or_insert_default();
    labels.insert(LABEL.to_owned(), digest);
}

/// Whether an object came with a daemon and nobody has changed it since.
#[must_use]
pub fn is_untouched(kind: Kind, metadata: &Metadata, spec: &Value) -> bool {
    let label = metadata.labels.as_ref().and_then(|labels| labels.get(LABEL));
    label.is_some_and(|label| *label == digest(kind, metadata, spec))
}

/// A hash over everything that an object declares, but for the label itself.
fn digest(kind: Kind, metadata: &Metadata, spec: &Value) -> String {
    let mut metadata = metadata.clone();
    if let Some(labels) = &mut metadata.labels {
        labels.remove(LABEL);
    }
    metadata.labels = metadata.labels.filter(|labels| !labels.is_empty());
    let declared = serde_json::json!([API_VERSION, kind, metadata, spec]).to_string();
    let hash = Sha256::digest(declared);
    hex::encode(&hash[..10])
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_change_is_noticed() {
        let object = |name: &str, description: &str, labels: Value| {
            let manifest = json!({
                "apiVersion": API_VERSION, "kind": "Template", "metadata": {"name": name, "labels": labels},
                "spec": {"description": description, "server": {"command": ["x"]}},
            });
            crate::manifest::resource(&manifest).unwrap()
        };
        let mut seeded = object("git", "a", json!({"team": "core"}));
        mark(&mut seeded);
        let label = seeded.metadata.labels.as_ref().unwrap()[LABEL].clone();
        for (name, description, labels, expected) in [
            ("git", "a", json!({"team": "core", LABEL: label}), true),
            ("git", "b", json!({"team": "core", LABEL: label}), false),
            ("git2", "a", json!({"team": "core", LABEL: label}), false),
            ("git", "a", json!({"team": "web", LABEL: label}), false),
            ("git", "a", json!({LABEL: label}), false),
            ("git", "a", json!({"team": "core"}), false),
            ("git", "a", json!({"team": "core", LABEL: ""}), false),
        ] {
            let Resource { kind, metadata, spec } = object(name, description, labels);
            assert_eq!(
                is_untouched(kind, &metadata, &spec.to_value()),
                expected,
                "{metadata:?}"
            );
        }
        // Marking again what is marked changes nothing.
        let once = seeded.clone();
        mark(&mut seeded);
        assert_eq!(seeded, once);
    }
}
