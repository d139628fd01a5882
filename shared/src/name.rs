//! What objects are called: names, scopes and the references between them.
//!
//! Text enters once, is checked here, and travels on as a type; a [`Name`] or [`Scope`] in hand is a valid one.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::kind::Kind;

/// The name of an object: an RFC 1123 DNS label, 1 to 63 characters of `a-z`, `0-9` and `-`, with a letter or digit at
/// both ends. Unique per kind and scope.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Name(String);

/// Why a text is no [`Name`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// Nothing there.
    #[error("a name must not be empty")]
    Empty,
    /// Longer than the limit of this place.
    #[error("the name has {length} characters; at most {most} are allowed")]
    TooLong {
        /// How long it is.
        length: usize,
        /// How long it may be.
        most: usize,
    },
    /// A character that a DNS label does not hold, or a hyphen at an end.
    #[error("`{given}` is not a DNS label: lower-case letters, digits and `-`, with a letter or digit at both ends")]
    NotALabel {
        /// The text, shortened.
        given: String,
    },
}

impl NameError {
    /// A name like the given one that would do, when there is one.
    #[must_use]
    pub fn suggestion(given: &str) -> Option<String> {
        let lowered: String = given
            .to_lowercase()
            .chars()
            .map(|c| {
                if c.is_ascii_lowercase() || c.is_ascii_digit() {
                    c
                } else {
                    '-'
                }
            })
            .take(Name::MAX)
            .collect();
        let trimmed = lowered.trim_matches('-');
        (!trimmed.is_empty() && trimmed != given).then(|| trimmed.to_owned())
    }
}

impl Name {
    /// The longest DNS label.
    pub const MAX: usize = 63;

    /// The text of the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::try_from(text.to_owned())
    }
}

impl TryFrom<String> for Name {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        if text.is_empty() {
            return Err(NameError::Empty);
        }
        if text.len() > Self::MAX {
            return Err(NameError::TooLong {
                length: text.chars().count(),
                most: Self::MAX,
            });
        }
        let inner = text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
        if !inner || text.starts_with('-') || text.ends_with('-') {
            return Err(NameError::NotALabel { given: text });
        }
        Ok(Self(text))
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl AsRef<str> for Name {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl Serialize for Name {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::try_from(String::deserialize(deserializer)?).map_err(serde::de::Error::custom)
    }
}

impl JsonSchema for Name {
    fn schema_name() -> Cow<'static, str> {
        "Name".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        schemars::json_schema!({
            "type": "string",
            "description": "DNS label: lower-case letters, digits and `-`, at most 63 characters",
            "format": "dns-label",
            "minLength": 1,
            "maxLength": Self::MAX,
        })
    }
}

/// Where an object lives: in the cluster, in a project, or with an agent. Part of its identity.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub enum Scope {
    /// No scope: the object is visible everywhere.
    #[default]
    Cluster,
    /// `metadata.project` is set.
    Project(Name),
    /// `metadata.agent` is set.
    Agent(Name),
}

impl Scope {
    /// The stored form: empty, `project/web` or `agent/x`.
    #[must_use]
    pub fn to_column(&self) -> String {
        self.to_string()
    }
}

/// The stored form.
impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cluster => Ok(()),
            Self::Project(name) => write!(f, "project/{name}"),
            Self::Agent(name) => write!(f, "agent/{name}"),
        }
    }
}

/// Reads the stored form.
impl FromStr for Scope {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match text.split_once('/') {
            None if text.is_empty() => Ok(Self::Cluster),
            Some(("project", name)) => Ok(Self::Project(name.parse()?)),
            Some(("agent", name)) => Ok(Self::Agent(name.parse()?)),
            _ => Err(NameError::NotALabel { given: text.to_owned() }),
        }
    }
}

/// Which object: kind, scope and name.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ObjectRef {
    /// The kind.
    pub kind: Kind,
    /// Where it lives.
    pub scope: Scope,
    /// What it is called there.
    pub name: Name,
}

impl ObjectRef {
    /// An object that lives in the cluster scope.
    #[must_use]
    pub const fn cluster(kind: Kind, name: Name) -> Self {
        Self {
            kind,
            scope: Scope::Cluster,
            name,
        }
    }

    /// The scope of the objects that live in this one, where some can.
    #[must_use]
    pub fn opens(&self) -> Option<Scope> {
        if self.kind == Kind::Project {
            Some(Scope::Project(self.name.clone()))
        } else if self.kind == Kind::Agent {
            Some(Scope::Agent(self.name.clone()))
        } else {
            None
        }
    }
}

/// As people write it: `server/files`, `prompt/tone (project/web)`.
impl fmt::Display for ObjectRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.kind.meta().singular, self.name)?;
        match &self.scope {
            Scope::Cluster => Ok(()),
            scope @ (Scope::Project(_) | Scope::Agent(_)) => write!(f, " ({scope})"),
        }
    }
}

/// On the wire: `{kind, name, project?, agent?}`.
#[derive(Serialize, Deserialize, JsonSchema)]
#[serde(rename = "ObjectRef", deny_unknown_fields)]
struct Wire {
    /// The kind, as in manifests.
    kind: Kind,
    /// The object's name.
    name: Name,
    /// The project it lives in, when it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    project: Option<Name>,
    /// The agent it lives with, when it does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    agent: Option<Name>,
}

impl Serialize for ObjectRef {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let (project, agent) = match &self.scope {
            Scope::Cluster => (None, None),
            Scope::Project(name) => (Some(name.clone()), None),
            Scope::Agent(name) => (None, Some(name.clone())),
        };
        Wire {
            kind: self.kind,
            name: self.name.clone(),
            project,
            agent,
        }
        .serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for ObjectRef {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Wire {
            kind,
            name,
            project,
            agent,
        } = Wire::deserialize(deserializer)?;
        let scope = match (project, agent) {
            (None, None) => Scope::Cluster,
            (Some(name), None) => Scope::Project(name),
            (None, Some(name)) => Scope::Agent(name),
            (Some(_), Some(_)) => {
                return Err(serde::de::Error::custom(
                    "an object lives in a project or with an agent, not both",
                ));
            }
        };
        Ok(Self { kind, scope, name })
    }
}

impl JsonSchema for ObjectRef {
    fn schema_name() -> Cow<'static, str> {
        "ObjectRef".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        Wire::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names() {
        for good in ["a", "files", "a-b-c", "0", &"x".repeat(63)] {
            assert!(good.parse::<Name>().is_ok(), "{good}");
        }
        for bad in ["", "-a", "a-", "A", "a_b", "a.b", "é", &"x".repeat(64)] {
            assert!(bad.parse::<Name>().is_err(), "{bad}");
        }
        assert_eq!(NameError::suggestion("My_Server").as_deref(), Some("my-server"));
    }

    #[test]
    fn scopes_survive_the_column() {
        for text in ["", "project/web", "agent/x"] {
            assert_eq!(text.parse::<Scope>().map(|s| s.to_column()).as_deref(), Ok(text));
        }
        for bad in ["web", "team/x", "project/", "project/a/b"] {
            assert!(bad.parse::<Scope>().is_err(), "{bad}");
        }
    }
}
