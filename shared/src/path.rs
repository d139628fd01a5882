//! Where in an object something is: `spec.env[2].valueFrom`, or `/spec/env/2/valueFrom` on the wire.
//!
//! A path enters as segments (from the schema walker, a validator or a JSON pointer) and leaves as text for people or
//! as an RFC 6901 pointer for machines. It never touches the object it points into, [`FieldPath::find`] aside.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// One step into an object.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Segment {
    /// A member of a mapping.
    Key(String),
    /// An element of a list, from 0.
    Index(usize),
}

/// A place inside an object. The empty path is the object itself.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct FieldPath(Vec<Segment>);

impl FieldPath {
    /// The object itself.
    #[must_use]
    pub const fn root() -> Self {
        Self(Vec::new())
    }

    /// The path one mapping member further down.
    #[must_use]
    pub fn key(&self, name: impl Into<String>) -> Self {
        self.with(Segment::Key(name.into()))
    }

    /// The path one list element further down.
    #[must_use]
    pub fn index(&self, index: usize) -> Self {
        self.with(Segment::Index(index))
    }

    fn with(&self, segment: Segment) -> Self {
        let mut segments = self.0.clone();
        segments.push(segment);
        Self(segments)
    }

    /// This path with `rest` below it.
    #[must_use]
    pub fn join(&self, rest: &Self) -> Self {
        Self(self.0.iter().chain(&rest.0).cloned().collect())
    }

    /// The enclosing mapping or list, unless this is the object itself.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (_, above) = self.0.split_last()?;
        Some(Self(above.to_vec()))
    }

    /// The steps from the object down.
    #[must_use]
    pub fn segments(&self) -> &[Segment] {
        &self.0
    }

    /// Reads the form people write: `spec.env[2].valueFrom`, `metadata.labels["a.b/c"]`.
    ///
    /// Lenient on purpose, since it only ever names a place: a text that is not closed properly is taken as a key.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut segments = Vec::new();
        let mut rest = text;
        while !rest.is_empty() {
            if let Some(inner) = rest.strip_prefix('[')
                && let Some(end) = inner.find(']')
            {
                let token = &inner[..end];
                segments.push(match token.parse() {
                    Ok(index) => Segment::Index(index),
                    Err(_) => Segment::Key(token.trim_matches(['"', '\'']).to_owned()),
                });
                rest = &inner[end + 1..];
            } else {
                let rest_of_key = rest.strip_prefix('.').unwrap_or(rest);
                let end = rest_of_key
                    .find(['.', '['])
                    .unwrap_or(rest_of_key.len())
                    .max(1)
                    .min(rest_of_key.len());
                segments.push(Segment::Key(rest_of_key[..end].to_owned()));
                rest = &rest_of_key[end..];
            }
        }
        Self(segments)
    }

    /// The RFC 6901 JSON pointer of this path; the object itself is the empty text.
    #[must_use]
    pub fn pointer(&self) -> String {
        let mut out = String::new();
        for segment in &self.0 {
            out.push('/');
            match segment {
                Segment::Key(key) => out.push_str(&key.replace('~', "~0").replace('/', "~1")),
                Segment::Index(index) => out.push_str(&index.to_string()),
            }
        }
        out
    }

    /// Reads an RFC 6901 JSON pointer. All-digit tokens become list positions, as they are in manifests.
    #[must_use]
    pub fn from_pointer(pointer: &str) -> Self {
        let tokens = pointer.split('/').skip(1);
        Self(
            tokens
                .map(|token| match token.parse() {
                    Ok(index) => Segment::Index(index),
                    Err(_) => Segment::Key(token.replace("~1", "/").replace("~0", "~")),
                })
                .collect(),
        )
    }

    /// The value at this path, when there is one.
    #[must_use]
    pub fn find<'v>(&self, object: &'v Value) -> Option<&'v Value> {
        self.0.iter().try_fold(object, |value, segment| match segment {
            Segment::Key(key) => value.get(key),
            Segment::Index(index) => value.get(index).or_else(|| value.get(index.to_string())),
        })
    }
}

/// The form people read: plain keys joined by dots, list positions and unusual keys in brackets.
impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Key(key) if is_plain(key) => write!(f, "{}{key}", if i == 0 { "" } else { "." })?,
                Segment::Key(key) => write!(f, "[{key:?}]")?,
            }
        }
        Ok(())
    }
}

fn is_plain(key: &str) -> bool {
    !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

/// On the wire a path is a JSON pointer.
impl Serialize for FieldPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.pointer())
    }
}

impl<'de> Deserialize<'de> for FieldPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Ok(Self::from_pointer(&String::deserialize(deserializer)?))
    }
}

impl JsonSchema for FieldPath {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "JsonPointer".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({"type": "string", "format": "json-pointer", "description": "RFC 6901 JSON pointer"})
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_and_machines_read_the_same_place() {
        for (text, pointer) in [
            ("", ""),
            ("spec", "/spec"),
            ("spec.env[2].valueFrom", "/spec/env/2/valueFrom"),
            (r#"metadata.labels["a.b/c~d"]"#, "/metadata/labels/a.b~1c~0d"),
        ] {
            assert_eq!(FieldPath::parse(text).pointer(), pointer, "{text}");
            assert_eq!(FieldPath::from_pointer(pointer).to_string(), text, "{pointer}");
        }
    }

    #[test]
    fn broken_text_is_still_a_path() {
        for text in ["[", "a[", "..", "a..b", "[]", "]"] {
            assert!(!FieldPath::parse(text).segments().is_empty(), "{text}");
        }
    }

    #[test]
    fn finds_values() {
        let object = serde_json::json!({"spec": {"env": [{"name": "A"}]}});
        assert_eq!(
            FieldPath::parse("spec.env[0].name").find(&object),
            Some(&Value::from("A"))
        );
        assert_eq!(FieldPath::parse("spec.env[1].name").find(&object), None);
    }
}
