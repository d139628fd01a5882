//! The flags of a kind, read from its schema: `healthCheck.interval` becomes `--health-check-interval DURATION`.
//!
//! What a flag takes follows from the shape of its field alone; there is no kind in here.

use clap::{Arg, ArgAction, ArgMatches};
use orch_shared::kind::{Kind, ScopeType};
use orch_shared::path::FieldPath;
use serde_json::{Value, json};

use super::{many, shorthands, values};
use crate::render::schema::{Field, Shape};
use crate::report::Failure;
use crate::verbs::api_resources::sentence_and_default;

/// How many levels of nested fields get flags of their own; deeper ones take YAML, or `--set`.
const LEVELS: usize = 2;
/// Fields that the global flags fill in, and the scopes those stand for.
pub(super) const OF_SCOPE: [(&str, ScopeType); 2] = [("project", ScopeType::Project), ("agent", ScopeType::Agent)];

/// One flag, and the field it fills.
pub(super) struct Flag {
    name: String,
    path: FieldPath,
    takes: Takes,
    about: String,
}

/// What a flag takes.
enum Takes {
    /// One value of the field's type.
    One(&'static Value, String),
    /// Nothing, for yes; a flag beside it says no.
    Switch,
    /// One of some words.
    Word(Vec<String>),
    /// Elements of a list, one per flag; several at once, when no element holds a comma.
    Elements(&'static Value, String),
    /// `KEY=VALUE` for a map.
    Pairs,
    /// `NAME=VALUE`, and beside it `NAME=SECRET/KEY`, for a list of named values.
    NamedValues,
    /// `SECRET/KEY`.
    SecretKey,
}

/// The flags of a kind, without those for which there is a shorter way.
pub(super) fn of(kind: Kind) -> Vec<Flag> {
    let schema: &'static Value = kind.definition().spec_schema();
    let mut flags = Vec::new();
    gather(schema, Field::root(schema), &FieldPath::root(), LEVELS, &mut flags);
    let covered = |flag: &Flag| {
        let path = flag.path.to_string();
        shorthands::of(kind).any(|shorthand| shorthand.covers.contains(&path.as_str()))
    };
    flags.retain(|flag| !covered(flag) && !OF_SCOPE.iter().any(|(name, _)| *name == flag.name));
    flags
}

fn gather(schema: &'static Value, object: Field<'static>, above: &FieldPath, levels: usize, flags: &mut Vec<Flag>) {
    for (name, field) in object.fields() {
        let path = above.key(name);
        let element = field.element();
        let is_scalar =
            |field: Field<'_>| !matches!(field.shape(), Shape::List | Shape::Object | Shape::Map | Shape::Any);
        let takes = match field.shape() {
            Shape::Object if field.type_name() == Some("SecretKeyRef") => Takes::SecretKey,
            Shape::Object if levels > 1 => {
                gather(schema, field, &path, levels - 1, flags);
                continue;
            }
            Shape::List if element.is_some_and(|element| element.type_name() == Some("NamedValue")) => {
                Takes::NamedValues
            }
            Shape::List => Takes::Elements(
                schema,
                element
                    .filter(|element| is_scalar(*element))
                    .map_or_else(|| "YAML".to_owned(), value_name),
            ),
            Shape::Map => Takes::Pairs,
            Shape::Choice => Takes::Word(field.choices().iter().map(|(word, _)| (*word).to_owned()).collect()),
            Shape::Object | Shape::Any => Takes::One(schema, "YAML".to_owned()),
            Shape::Boolean => Takes::Switch,
            Shape::Integer | Shape::Number | Shape::Text => Takes::One(schema, value_name(field)),
        };
        let about = sentence_and_default(&field.description());
        flags.push(Flag {
            name: kebab(&path),
            path,
            takes,
            about: about.trim_end_matches('.').to_owned(),
        });
    }
}

/// `DURATION` for a field that takes one.
fn value_name(field: Field<'_>) -> String {
    let text = field.type_text();
    text.split_whitespace().next().unwrap_or("value").to_uppercase()
}

/// `healthCheck.interval` as a flag.
fn kebab(path: &FieldPath) -> String {
    path.to_string().chars().fold(String::new(), |mut out, c| {
        match c {
            '.' => out.push('-'),
            c if c.is_ascii_uppercase() => {
                out.push('-');
                out.push(c.to_ascii_lowercase());
            }
            c => out.push(c),
        }
        out
    })
}

impl Flag {
    /// The flag as clap knows it, and the one beside it for secrets.
    pub(super) fn args(&self) -> Vec<Arg> {
        let arg = |name: String, value: String, more: &str| {
            // The id is the path, so that no field clashes with a global flag.
            Arg::new(format!("spec.{name}"))
                .long(name)
                .value_name(value)
                .help(format!("{}{more}", self.about))
        };
        let name = || self.name.clone();
        match &self.takes {
            Takes::One(_, value) => vec![arg(name(), value.clone(), "").allow_hyphen_values(true)],
            Takes::Switch => vec![
                arg(name(), "BOOL".to_owned(), "")
                    .num_args(0..=1)
                    .require_equals(true)
                    .default_missing_value("true")
                    .value_parser(["true", "false"])
                    .overrides_with(format!("spec.{}", self.opposite())),
                Arg::new(format!("spec.{}", self.opposite()))
                    .long(self.opposite())
                    .action(ArgAction::SetTrue)
                    .help(format!("The opposite of --{}", self.name)),
            ],
            Takes::Word(words) => vec![arg(name(), "WORD".to_owned(), "").value_parser(words.clone())],
            Takes::Elements(_, value) => vec![
                arg(name(), value.clone(), ". May be repeated")
                    .action(ArgAction::Append)
                    .allow_hyphen_values(true),
            ],
            Takes::Pairs => vec![arg(name(), "KEY=VALUE".to_owned(), ". May be repeated").action(ArgAction::Append)],
            Takes::NamedValues => vec![
                arg(name(), "NAME=VALUE".to_owned(), ". May be repeated").action(ArgAction::Append),
                arg(
                    self.beside(),
                    "NAME=SECRET/KEY".to_owned(),
                    ", from a Secret. May be repeated",
                )
                .action(ArgAction::Append),
            ],
            Takes::SecretKey => vec![arg(name(), "SECRET/KEY".to_owned(), "")],
        }
    }

    /// The flag as it is typed, when it fills in the field at that place of the object.
    pub(super) fn typed_for(&self, place: &FieldPath) -> Option<String> {
        (FieldPath::root().key("spec").join(&self.path) == *place).then(|| format!("--{}", self.name))
    }

    /// The flag beside it that says no: `--gated` and `--no-gated`, `--tools-describe` and `--no-tools-describe`.
    fn opposite(&self) -> String {
        format!("no-{}", self.name)
    }

    /// The flag beside it, for values from Secrets.
    fn beside(&self) -> String {
        format!("{}-from-secret", self.name)
    }

    /// Writes what was given into the spec.
    pub(super) fn write(&self, matches: &ArgMatches, spec: &mut Value) -> Result<(), Failure> {
        let refuse = |error: String| Failure::usage(format!("--{}: {error}", self.name));
        let given = |name: &str| many(matches, &format!("spec.{name}")).cloned().collect::<Vec<String>>();
        let texts = given(&self.name);
        match &self.takes {
            Takes::One(schema, _) => {
                for text in &texts {
                    let value = values::of_field(self.field(schema), text).map_err(refuse)?;
                    values::put(spec, &self.path, value).map_err(refuse)?;
                }
            }
            Takes::Switch => {
                let is_off = matches.get_flag(&format!("spec.{}", self.opposite()));
                let said = texts.first().map(|text| text == "true");
                if let Some(value) = said.or(is_off.then_some(false)) {
                    values::put(spec, &self.path, value.into()).map_err(refuse)?;
                }
            }
            Takes::Word(_) => {
                for text in texts {
                    values::put(spec, &self.path, text.into()).map_err(refuse)?;
                }
            }
            Takes::Elements(schema, element) => {
                let parts = parts(element);
                let Some(element) = self.field(schema).element() else {
                    return Ok(());
                };
                for text in texts.iter().flat_map(|text| parts(text)) {
                    let value = values::of_field(element, text).map_err(refuse)?;
                    values::append(spec, &self.path, value).map_err(refuse)?;
                }
            }
            Takes::Pairs => {
                for text in &texts {
                    let (key, value) = values::pair(text).map_err(refuse)?;
                    values::put(spec, &self.path.key(key), values::plain(value)).map_err(refuse)?;
                }
            }
            Takes::NamedValues => {
                for text in &texts {
                    values::append(spec, &self.path, named(text).map_err(refuse)?).map_err(refuse)?;
                }
                let refuse = |error: String| Failure::usage(format!("--{}: {error}", self.beside()));
                for text in given(&self.beside()) {
                    values::append(spec, &self.path, named_from_secret(&text).map_err(refuse)?).map_err(refuse)?;
                }
            }
            Takes::SecretKey => {
                for text in &texts {
                    values::put(spec, &self.path, secret_key(text).map_err(refuse)?).map_err(refuse)?;
                }
            }
        }
        Ok(())
    }

    fn field(&self, schema: &'static Value) -> Field<'static> {
        let root = Field::root(schema);
        root.find(&self.path).unwrap_or(root)
    }
}

/// How one argument is taken apart: names may be joined by commas, anything else may hold them.
fn parts(element: &str) -> fn(&str) -> Vec<&str> {
    match element {
        "NAME" => |text| text.split(',').filter(|part| !part.is_empty()).collect(),
        _ => |text| vec![text],
    }
}

/// `NAME=VALUE` as an entry of a list of named values.
pub(super) fn named(text: &str) -> Result<Value, String> {
    let (name, value) = values::pair(text)?;
    Ok(json!({"name": name, "value": value}))
}

/// `NAME=SECRET/KEY` as an entry of a list of named values.
pub(super) fn named_from_secret(text: &str) -> Result<Value, String> {
    let (name, place) = values::pair(text)?;
    Ok(json!({"name": name, "valueFrom": {"secretRef": secret_key(place)?}}))
}

pub(super) fn secret_key(text: &str) -> Result<Value, String> {
    match text.split_once('/') {
        Some((name, key)) if !name.is_empty() && !key.is_empty() => Ok(json!({"name": name, "key": key})),
        _ => Err(format!("`{text}` is not SECRET/KEY")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_follow_the_fields() {
        let names: Vec<String> = of(Kind::Server).iter().map(|flag| flag.name.clone()).collect();
        for expected in [
            "replicas",
            "env",
            "health-check-interval",
            "resources-memory",
            "tools-allow",
            "container-port",
        ] {
            assert!(
                names.iter().any(|name| name == expected),
                "--{expected} is missing: {names:?}"
            );
        }
        assert!(
            !names.iter().any(|name| name == "package-name"),
            "there is a shorter way: --package"
        );
        let agent: Vec<String> = of(Kind::Agent).iter().map(|flag| flag.name.clone()).collect();
        assert!(!agent.iter().any(|name| name == "project"), "-p says it");
    }
}
