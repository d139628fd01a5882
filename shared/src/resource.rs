//! The envelope every object lives in, and the parts of status that all kinds share.
//!
//! Everything under `status` is the daemon's, everything else is the user's; dropping `status` gives the manifest.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use crate::kind::{AnySpec, Kind};
use crate::kinds::API_VERSION;
use crate::name::{Name, ObjectRef, Scope};

/// What an object is called and how it is marked. All of it is the user's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Metadata {
    /// The object's name, unique per kind and scope.
    pub name: Name,
    /// The project it lives in; only for kinds that can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<Name>,
    /// The agent it lives with; only for kinds that can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Name>,
    /// Marks to select objects by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub labels: Option<BTreeMap<String, String>>,
    /// Marks that carry anything else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annotations: Option<BTreeMap<String, String>>,
}

impl Metadata {
    /// Metadata of an object in the cluster scope, without marks.
    #[must_use]
    pub const fn named(name: Name) -> Self {
        Self {
            name,
            project: None,
            agent: None,
            labels: None,
            annotations: None,
        }
    }

    /// Where the object lives. An object that names both a project and an agent does not pass validation; here the
    /// project wins.
    #[must_use]
    pub fn scope(&self) -> Scope {
        match (&self.project, &self.agent) {
            (Some(project), _) => Scope::Project(project.clone()),
            (None, Some(agent)) => Scope::Agent(agent.clone()),
            (None, None) => Scope::Cluster,
        }
    }

    /// Whether both mean the same: absent and empty marks are alike.
    #[must_use]
    pub fn means_the_same(&self, other: &Self) -> bool {
        fn marks(map: Option<&BTreeMap<String, String>>) -> Vec<(&String, &String)> {
            map.into_iter().flatten().collect()
        }
        self.name == other.name
            && self.scope() == other.scope()
            && marks(self.labels.as_ref()) == marks(other.labels.as_ref())
            && marks(self.annotations.as_ref()) == marks(other.annotations.as_ref())
    }
}

/// An object as its user declares it.
#[derive(Debug, Clone)]
pub struct Resource {
    /// What kind of object.
    pub kind: Kind,
    /// Its name and marks.
    pub metadata: Metadata,
    /// Its spec, as written.
    pub spec: Box<dyn AnySpec>,
}

impl Resource {
    /// Which object this declares.
    #[must_use]
    pub fn reference(&self) -> ObjectRef {
        ObjectRef {
            kind: self.kind,
            scope: self.metadata.scope(),
            name: self.metadata.name.clone(),
        }
    }

    /// The manifest: what is printed, committed and sent.
    #[must_use]
    pub fn manifest(&self) -> Value {
        json!({
            "apiVersion": API_VERSION,
            "kind": self.kind,
            "metadata": self.metadata,
            "spec": self.spec.to_value(),
        })
    }

    /// Whether both declare the same: equal marks and equal effective specs.
    #[must_use]
    pub fn means_the_same(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.metadata.means_the_same(&other.metadata)
            && self.spec.means_the_same(other.spec.as_ref())
    }
}

/// Two resources are equal when they are written alike.
impl PartialEq for Resource {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind && self.metadata == other.metadata && self.spec.to_value() == other.spec.to_value()
    }
}

/// An instant: RFC 3339 in UTC with milliseconds outside, milliseconds since 1970 inside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The instant so many milliseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds after 1970-01-01T00:00:00Z.
    #[must_use]
    pub const fn millis(self) -> i64 {
        self.0
    }

    /// The instant so much later.
    #[must_use]
    pub fn after(self, duration: std::time::Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// Which day of its month it lies in, in UTC, from 1; nothing in a year that no calendar knows.
    #[must_use]
    pub fn day_of_month(self) -> Option<u8> {
        let instant = jiff::Timestamp::from_millisecond(self.0).ok()?;
        let date = instant.to_zoned(jiff::tz::TimeZone::UTC).date();
        u8::try_from(date.day()).ok()
    }

    /// How long it is from an earlier instant to this one; zero when that one is later.
    #[must_use]
    pub fn since(self, earlier: Self) -> std::time::Duration {
        std::time::Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(instant) => write!(f, "{instant:.3}"),
            Err(_) => write!(f, "{}", self.0),
        }
    }
}

impl std::str::FromStr for Timestamp {
    type Err = jiff::Error;

    fn from_str(text: &str) -> Result<Self, jiff::Error> {
        Ok(Self(text.parse::<jiff::Timestamp>()?.as_millisecond()))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?
            .parse()
            .map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Timestamp {
    fn schema_name() -> Cow<'static, str> {
        "Timestamp".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({"type": "string", "format": "date-time", "description": "RFC 3339 in UTC, with milliseconds"})
    }
}

/// The store's part of status: who an object is and when it changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Identity {
    /// UUIDv7; another one for each object ever made, whatever its name.
    pub uid: String,
    /// Counts changes of what the user owns: spec, labels, annotations. Starts at 1.
    pub generation: i64,
    /// Position in the change log of the last change, status included.
    pub revision: i64,
    /// When the object was made.
    pub created_at: Timestamp,
    /// When it last changed, status included.
    pub updated_at: Timestamp,
    /// The apply set it belongs to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub apply_set: Option<String>,
    /// The object it belongs to, and goes with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Owner>,
    /// Since when it is being deleted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleting_since: Option<Timestamp>,
    /// When a restart was last asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restarted_at: Option<Timestamp>,
}

/// The object another belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Owner {
    /// Its kind.
    pub kind: Kind,
    /// Its name.
    pub name: Name,
    /// Its uid.
    pub uid: String,
}

/// How far an object is from what is declared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum Phase {
    /// Nothing has been done yet.
    #[default]
    Pending,
    /// On the way.
    Progressing,
    /// As declared.
    Ready,
    /// Was ready or should be, and is not.
    Degraded,
    /// Put to sleep until it is used.
    Suspended,
    /// Will not become ready as it is declared.
    Failed,
}

/// Yes, no, or not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum ConditionStatus {
    /// It holds.
    True,
    /// It does not hold.
    False,
    /// It is not known.
    Unknown,
}

/// One statement about an object, after the Kubernetes convention.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Condition {
    /// What the statement is about: `Ready`, `ReferencesResolved`.
    #[serde(rename = "type")]
    pub condition: String,
    /// Whether it holds.
    pub status: ConditionStatus,
    /// Why, in one word: `CrashLoop`.
    pub reason: String,
    /// Why, in a sentence; may hold an error code and a hint.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub message: String,
    /// When `status` last changed.
    pub last_transition_time: Timestamp,
    /// The generation it was told for.
    pub observed_generation: i64,
}

/// The status of kinds that have nothing to report but conditions.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct PlainStatus {
    /// How far the object is from what is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// The generation this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready, ReferencesResolved, Implemented.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_are_rfc_3339_with_milliseconds() {
        let instant = Timestamp::from_millis(1_790_000_000_007);
        assert_eq!(instant.to_string(), "2026-09-21T14:13:20.007Z");
        assert_eq!(instant.to_string().parse::<Timestamp>().unwrap(), instant);
    }
}
