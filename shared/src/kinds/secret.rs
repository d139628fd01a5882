//! Secret: values that are kept sealed and opened only at the moment of use.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kind::{Action, Cell, Column, Kind, Maker, Meta, Reference, Removal, Report, ScopeType, SecretValue, Spec};
use crate::name::Name;
use crate::resource::{Condition, Phase};
use crate::schema::Echo;

/// Values that are kept sealed at rest and in every output. A value may be given in the open or in the sealed form that
/// the daemon prints; both compare equal, so a Secret can live in git.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Secret {
    /// The SecretBackend that the values live in. Default: the default backend, for values that are new; what is there
    /// stays where it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backend: Option<Name>,
    /// The values by key. A key holds letters, digits, `-`, `_` and `.`. A literal that begins like a stored form is
    /// written `plain:v1:<text>`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<BTreeMap<String, String>>,
}

/// What the reconciler reports of a Secret.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretStatus {
    /// How far the object is from what is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// Of values that live in a backend, by key: a mark that stays the same as long as the value does, made with the
    /// daemon's key. So nobody who uses a value needs to be started anew because another one of the Secret has changed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub marks: BTreeMap<String, String>,
    /// The generation this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready, ReferencesResolved.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}

/// Longest secret value, in bytes.
pub const VALUE_MAX: usize = 256 * 1024;

/// The forms in which a secret value is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form<'v> {
    /// In the open.
    Plain(&'v str),
    /// `sealed:v1:<keyId>:<base64>`.
    Sealed {
        /// The key it was sealed with.
        key_id: &'v str,
        /// Nonce and ciphertext, base64.
        payload: &'v str,
    },
    /// `external:v1:<backend>:<version>`: the value lives in a backend.
    External {
        /// The backend's name.
        backend: &'v str,
        /// The version there.
        version: &'v str,
    },
    /// Begins like a stored form, but is none.
    Malformed,
}

const SEALED: &str = "sealed:v1:";
const EXTERNAL: &str = "external:v1:";
const PLAIN: &str = "plain:v1:";

impl<'v> Form<'v> {
    /// Tells the form of a value.
    #[must_use]
    pub fn of(value: &'v str) -> Self {
        if let Some(text) = value.strip_prefix(PLAIN) {
            return Self::Plain(text);
        }
        if let Some(rest) = value.strip_prefix(SEALED) {
            return match rest.split_once(':') {
                Some((key_id, payload)) if !key_id.is_empty() && !payload.is_empty() => {
                    Self::Sealed { key_id, payload }
                }
                _ => Self::Malformed,
            };
        }
        if let Some(rest) = value.strip_prefix(EXTERNAL) {
            return match rest.split_once(':') {
                Some((backend, version)) if !backend.is_empty() && !version.is_empty() => {
                    Self::External { backend, version }
                }
                _ => Self::Malformed,
            };
        }
        Self::Plain(value)
    }

    /// The text of a sealed value.
    #[must_use]
    pub fn sealed_text(key_id: &str, payload: &str) -> String {
        format!("{SEALED}{key_id}:{payload}")
    }

    /// The text of a value that lives in a backend.
    #[must_use]
    pub fn external_text(backend: &Name, version: u64) -> String {
        format!("{EXTERNAL}{backend}:{version}")
    }

    /// The text of a plain value: escaped when it begins like another form.
    #[must_use]
    pub fn plain_text(value: &str) -> String {
        if [SEALED, EXTERNAL, PLAIN].iter().any(|prefix| value.starts_with(prefix)) {
            format!("{PLAIN}{value}")
        } else {
            value.to_owned()
        }
    }
}

impl Spec for Secret {
    type Status = SecretStatus;

    const META: Meta = Meta {
        singular: "secret",
        plural: "secrets",
        short: &["sec"],
        scopes: &[ScopeType::Cluster],
        maker: Maker::User,
        columns: &[
            Column::new("STATUS", Cell::Field("status.phase")),
            Column::new("KEYS", Cell::Count("spec.data")),
            Column::wide("BACKEND", Cell::Field("spec.backend")),
            Column::wide("SET", Cell::Field("status.applySet")),
            Column::new("", Cell::Trouble),
        ],
        actions: &[Action::Rollback],
        removal: Removal::AtOnce,
        name_max: Name::MAX,
        refers_to: &[],
    };

    const ECHO: Echo = Echo::Types;

    fn validate(&self, report: &mut Report) {
        for (key, value) in self.data.iter().flatten() {
            let at = format!("data[{key:?}]");
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
            if key.is_empty() || key.len() > 253 || !key.chars().all(plain) {
                report
                    .invalid(&at, "a key holds 1 to 253 letters, digits, `-`, `_` and `.`")
                    .hint("rename the key");
            }
            if value.len() > VALUE_MAX * 2 {
                report.invalid(
                    &at,
                    format!("the value has {} bytes; at most {VALUE_MAX} are allowed", value.len()),
                );
            }
            if let Form::External { backend, version } = Form::of(value)
                && (backend.parse::<Name>().is_err() || version.parse::<u64>().is_err())
            {
                report
                    .invalid(
                        &at,
                        "the value begins like one that lives in a backend, but names no backend and version",
                    )
                    .hint("a literal that begins so is written `plain:v1:<text>`");
            }
            if Form::of(value) == Form::Malformed {
                report
                    .invalid(&at, "the value begins like a sealed one, but is not complete")
                    .hint("paste the whole sealed value; a literal that begins so is written `plain:v1:<text>`");
            }
        }
    }

    fn secret_values(&mut self) -> Vec<SecretValue<'_>> {
        self.data
            .iter_mut()
            .flatten()
            .map(|(key, value)| SecretValue { key, value })
            .collect()
    }

    fn has_key(&self, key: &str) -> bool {
        self.data.as_ref().is_some_and(|data| data.contains_key(key))
    }

    fn keys(&self) -> Vec<&str> {
        self.data.iter().flatten().map(|(key, _)| key.as_str()).collect()
    }

    /// The backend that is declared, and those in which values live.
    fn references(&self) -> Vec<Reference> {
        let declared = self
            .backend
            .iter()
            .map(|backend| Reference::to(Kind::SecretBackend, backend, "backend"));
        let places = self.places();
        let lived_in = places
            .iter()
            .filter(|(backend, _)| Some(*backend) != self.backend.as_ref())
            .map(|(backend, key)| Reference::to(Kind::SecretBackend, backend, &format!("data[{key:?}]")));
        declared.chain(lived_in).collect()
    }
}

impl Secret {
    /// The backends in which values live, each with the first key there.
    #[must_use]
    pub fn places(&self) -> BTreeMap<Name, &str> {
        let mut places = BTreeMap::new();
        for (key, value) in self.data.iter().flatten() {
            if let Form::External { backend, .. } = Form::of(value)
                && let Ok(backend) = backend.parse()
            {
                places.entry(backend).or_insert(key.as_str());
            }
        }
        places
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms() {
        assert_eq!(Form::of("hunter2"), Form::Plain("hunter2"));
        assert_eq!(
            Form::of("sealed:v1:k1:AAAA"),
            Form::Sealed {
                key_id: "k1",
                payload: "AAAA"
            }
        );
        assert_eq!(Form::of("sealed:v1:"), Form::Malformed);
        assert_eq!(
            Form::of("external:v1:bao:3"),
            Form::External {
                backend: "bao",
                version: "3"
            }
        );
        for literal in ["sealed:v1:x", "plain:v1:y", "external:v1:", "ordinary"] {
            assert_eq!(Form::of(&Form::plain_text(literal)), Form::Plain(literal));
        }
    }
}
