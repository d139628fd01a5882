//! A JSON Schema of ours, read for people: what a field is, what it may hold, and what it is for.
//!
//! Enters: the schema that a kind's type gives, doc comments and all. Leaves: [`Field`]s. It follows `$ref` by lookup and
//! never deeper than it is asked to.

use orch_shared::path::{FieldPath, Segment};
use serde_json::Value;

/// One field of a schema, looked up.
#[derive(Clone, Copy)]
pub(crate) struct Field<'s> {
    root: &'s Value,
    /// The field as its owner declares it: the place of its doc comment.
    declared: &'s Value,
}

/// The general form of what a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// true or false.
    Boolean,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// Text.
    Text,
    /// One of some words.
    Choice,
    /// A list.
    List,
    /// Named fields.
    Object,
    /// Keys that the user chooses.
    Map,
    /// Anything.
    Any,
}

impl<'s> Field<'s> {
    /// What the whole schema describes.
    pub(crate) const fn root(schema: &'s Value) -> Self {
        Self {
            root: schema,
            declared: schema,
        }
    }

    /// What it is for.
    pub(crate) fn description(&self) -> String {
        let own = self
            .declared
            .get("description")
            .or_else(|| self.resolved().get("description"));
        own.and_then(Value::as_str).unwrap_or_default().to_owned()
    }

    /// The schema itself: references followed, and the `null` of optional fields left out.
    pub(crate) fn resolved(&self) -> &'s Value {
        let mut schema = self.declared;
        // A reference to a reference to … ends here: no schema of ours is that deep.
        for _ in 0..16 {
            if let Some(target) = schema.get("$ref").and_then(Value::as_str) {
                let name = target.rsplit('/').next().unwrap_or_default();
                let found = if target == "#" {
                    Some(self.root)
                } else {
                    let defined = ["$defs", "definitions"].into_iter();
                    defined.filter_map(|all| self.root.get(all)?.get(name)).next()
                };
                match found {
                    Some(found) => schema = found,
                    None => return schema,
                }
            } else if let Some(any) = schema.get("anyOf").and_then(Value::as_array) {
                match any
                    .iter()
                    .find(|one| one.get("type").and_then(Value::as_str) != Some("null"))
                {
                    Some(one) => schema = one,
                    None => return schema,
                }
            } else {
                return schema;
            }
        }
        schema
    }

    /// The name of the type behind a reference: `NamedValue`.
    pub(crate) fn type_name(&self) -> Option<&'s str> {
        let by_itself = self.declared.get("$ref");
        let among = || {
            let any = self.declared.get("anyOf").and_then(Value::as_array)?;
            any.iter().find_map(|one| one.get("$ref"))
        };
        by_itself.or_else(among).and_then(Value::as_str)?.rsplit('/').next()
    }

    /// The general form of what it holds.
    pub(crate) fn shape(&self) -> Shape {
        let schema = self.resolved();
        if !self.choices().is_empty() {
            return Shape::Choice;
        }
        let name = match schema.get("type") {
            Some(Value::String(name)) => Some(name.as_str()),
            Some(Value::Array(names)) => names.iter().filter_map(Value::as_str).find(|name| *name != "null"),
            _ => None,
        };
        match name {
            Some("boolean") => Shape::Boolean,
            Some("integer") => Shape::Integer,
            Some("number") => Shape::Number,
            Some("string") => Shape::Text,
            Some("array") => Shape::List,
            Some("object") if schema.get("properties").is_some() => Shape::Object,
            Some("object") => Shape::Map,
            Some(_) | None => Shape::Any,
        }
    }

    /// The words it may hold, each with what it means.
    pub(crate) fn choices(&self) -> Vec<(&'s str, &'s str)> {
        let schema = self.resolved();
        let described = schema
            .get("oneOf")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
            .flat_map(|one| {
                let about = one.get("description").and_then(Value::as_str).unwrap_or_default();
                let words = one
                    .get("const")
                    .into_iter()
                    .chain(one.get("enum").and_then(Value::as_array).into_iter().flatten());
                words.filter_map(Value::as_str).map(move |word| (word, about))
            });
        let plain = schema.get("enum").and_then(Value::as_array).into_iter().flatten();
        described
            .chain(plain.filter_map(Value::as_str).map(|word| (word, "")))
            .collect()
    }

    /// The elements of a list, or the values of a map.
    pub(crate) fn element(&self) -> Option<Self> {
        let schema = self.resolved();
        let is_schema = |one: &&Value| one.is_object() || one.as_bool() == Some(true);
        let declared = schema
            .get("items")
            .or_else(|| schema.get("additionalProperties"))
            .filter(is_schema)?;
        Some(Self {
            root: self.root,
            declared,
        })
    }

    /// The fields of an object, in the order of its type.
    pub(crate) fn fields(&self) -> Vec<(&'s str, Self)> {
        let properties = self.resolved().get("properties").and_then(Value::as_object);
        let field = |(name, declared): (&'s String, &'s Value)| {
            (
                name.as_str(),
                Self {
                    root: self.root,
                    declared,
                },
            )
        };
        properties.into_iter().flatten().map(field).collect()
    }

    /// Whether a field of the object must be given.
    pub(crate) fn requires(&self, field: &str) -> bool {
        let required = self.resolved().get("required").and_then(Value::as_array);
        required.into_iter().flatten().any(|name| name.as_str() == Some(field))
    }

    /// The field at a path. Lists and maps are entered on the way, with or without a position: `env.name`, `env[0].name`.
    ///
    /// # Errors
    /// The name that does not exist, and the object that has no such field.
    pub(crate) fn find(self, path: &FieldPath) -> Result<Self, (String, Self)> {
        let mut here = self;
        for segment in path.segments() {
            here = match segment {
                Segment::Index(_) => here.element().ok_or_else(|| (segment_text(segment), here))?,
                Segment::Key(key) => here.member(key).ok_or_else(|| (key.clone(), here.innermost()))?,
            };
        }
        Ok(here)
    }

    fn member(self, key: &str) -> Option<Self> {
        let inner = self.innermost();
        let known = inner
            .fields()
            .into_iter()
            .find_map(|(name, field)| (name == key).then_some(field));
        // A map has every key.
        known.or_else(|| {
            if inner.shape() == Shape::Map {
                inner.element()
            } else {
                None
            }
        })
    }

    /// The objects that a list is made of, or the field itself.
    fn innermost(self) -> Self {
        match (self.shape(), self.element()) {
            (Shape::List, Some(element)) => element.innermost(),
            (_, _) => self,
        }
    }

    /// The fields below: of the object, or of the objects a list or map is made of.
    pub(crate) fn below(&self) -> Self {
        match (self.shape(), self.element()) {
            (Shape::List | Shape::Map, Some(element)) => element.below(),
            (_, _) => *self,
        }
    }

    /// What it holds, in a word or two: `[]string`, `duration`, `integer 0..100`.
    pub(crate) fn type_text(&self) -> String {
        let schema = self.resolved();
        let bound = |name: &str| {
            schema
                .get(name)
                .filter(|bound| bound.is_number())
                .map(ToString::to_string)
        };
        let element = || {
            self.element()
                .map_or_else(|| "any".to_owned(), |element| element.type_text())
        };
        match self.shape() {
            Shape::Boolean => "boolean".to_owned(),
            Shape::Integer | Shape::Number => {
                let name = if self.shape() == Shape::Integer {
                    "integer"
                } else {
                    "number"
                };
                match (bound("minimum"), bound("maximum")) {
                    (Some(least), Some(most)) => format!("{name} {least}..{most}"),
                    (_, _) => name.to_owned(),
                }
            }
            Shape::Text => match schema.get("format").and_then(Value::as_str) {
                Some("dns-label") => "name".to_owned(),
                Some("date-time") => "instant".to_owned(),
                Some(format) => format.to_owned(),
                None => "string".to_owned(),
            },
            Shape::Choice => self
                .choices()
                .iter()
                .map(|(word, _)| *word)
                .collect::<Vec<_>>()
                .join(" | "),
            Shape::List => format!("[]{}", element()),
            Shape::Map => format!("map of {}", element()),
            Shape::Object => "object".to_owned(),
            Shape::Any => "any".to_owned(),
        }
    }
}

impl std::fmt::Debug for Field<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Field({})", self.type_text())
    }
}

fn segment_text(segment: &Segment) -> String {
    match segment {
        Segment::Key(key) => key.clone(),
        Segment::Index(index) => format!("[{index}]"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use orch_shared::kind::Kind;

    fn check(kind: Kind, path: &str, expected: Result<&str, &str>) {
        let found = Field::root(kind.definition().spec_schema()).find(&FieldPath::parse(path));
        match (found, expected) {
            (Ok(field), Ok(text)) => assert_eq!(field.type_text(), text, "{path}"),
            (Err((name, _)), Err(missing)) => assert_eq!(name, missing, "{path}"),
            (found, _) => panic!("{path}: {found:?}"),
        }
    }

    #[test]
    fn fields_are_found_and_named() {
        check(Kind::Server, "replicas", Ok("integer 0..100"));
        check(Kind::Server, "env", Ok("[]object"));
        check(Kind::Server, "env.valueFrom.secretRef.key", Ok("string"));
        check(Kind::Server, "env[0].name", Ok("string"));
        check(Kind::Server, "transport", Ok("stdio | streamable-http | sse"));
        check(Kind::Server, "healthCheck.interval", Ok("duration"));
        check(Kind::Server, "template.name", Ok("name"));
        check(Kind::Server, "template.parameters.anything", Ok("any"));
        check(Kind::Server, "resources.memory", Ok("size"));
        check(Kind::Server, "replcas", Err("replcas"));
        check(Kind::Secret, "data", Ok("map of string"));
        check(Kind::Template, "server.command", Ok("[]string"));
    }
}
