//! One object as it is written: `apiVersion`, `kind`, `metadata`, `spec`. The only way from a value to a [`Resource`],
//! for manifests and for the API alike.
//!
//! Every problem of the object is found in one go. `status` is the daemon's: it is accepted, so that what `get` prints
//! can be applied, and dropped.

use std::sync::OnceLock;

use serde_json::{Map, Value, json};

use crate::access::Subject;
use crate::excerpt::quoted;
use crate::kind::{ScopeType, schema_of};
use crate::kinds::{API_VERSION, Kind};
use crate::name::{Name, ObjectRef};
use crate::path::FieldPath;
use crate::problem::{Code, FieldProblem, near_miss};
use crate::resource::{Identity, Metadata, Resource};
use crate::schema::{self, Echo};
use crate::system;

/// The longest prefix of a label or annotation: a DNS name.
const LONGEST_PREFIX: usize = 253;
/// The longest name of a label or annotation, and value of a label.
const LONGEST_LABEL: usize = 63;

/// Reads one object.
///
/// # Errors
/// Everything that is wrong with it; paths start at the object, the object's number in its set is left at 0.
pub fn resource(object: &Value) -> Result<Resource, Vec<FieldProblem>> {
    read(object).resource
}

/// What could be made of a value.
pub(super) struct Read {
    /// Which object it declares, even when that declaration has problems.
    pub(super) reference: Option<ObjectRef>,
    /// The object, or its problems.
    pub(super) resource: Result<Resource, Vec<FieldProblem>>,
}

pub(super) fn read(object: &Value) -> Read {
    // A spec that is no mapping may be a secret that went astray.
    let echo = match object.get("spec") {
        None | Some(Value::Object(_)) => Echo::Values,
        Some(Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_)) => Echo::Types,
    };
    let mut problems = schema::check(envelope_schema(), object, &FieldPath::root(), echo);
    let kind = kind_of(object, &mut problems);
    if let Some(Value::Object(metadata)) = object.get("metadata") {
        marks(metadata, &mut problems);
        if let Some(kind) = kind {
            scope(kind, metadata, &mut problems);
            name(kind, metadata, &mut problems);
        }
    }
    let metadata = object.get("metadata").cloned().unwrap_or_default();
    let metadata: Option<Metadata> = serde_json::from_value(metadata).ok();
    let reference = kind.zip(metadata.as_ref()).map(|(kind, metadata)| ObjectRef {
        kind,
        scope: metadata.scope(),
        name: metadata.name.clone(),
    });
    // No spec is an empty spec; the kind says whether that is enough. That a spec is no mapping has been said.
    let empty = json!({});
    let spec = Some(object.get("spec").unwrap_or(&empty)).filter(|spec| spec.is_object());
    let spec = kind
        .zip(spec)
        .and_then(|(kind, spec)| match kind.definition().parse(spec) {
            Ok(spec) => Some(spec),
            Err(of_spec) => {
                problems.extend(of_spec);
                None
            }
        });
    if let (Some(reference), Some(spec)) = (&reference, &spec) {
        problems.extend(system::check(reference, spec.as_ref()));
    }
    let resource = match (kind, metadata, spec) {
        (Some(kind), Some(metadata), Some(spec)) if problems.is_empty() => Ok(Resource { kind, metadata, spec }),
        (_, _, _) => Err(problems),
    };
    Read { reference, resource }
}

/// JSON Schema of what every object has, whatever its kind.
#[must_use]
pub fn envelope_schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(|| {
        let mut metadata = schema_of::<Metadata>();
        let definitions = metadata.get_mut("$defs").map(Value::take);
        json!({
            "type": "object",
            "required": ["apiVersion", "kind", "metadata"],
            "additionalProperties": false,
            "properties": {
                "apiVersion": {"type": "string"},
                "kind": {"type": "string"},
                "metadata": metadata,
                "spec": {"type": "object"},
                "status": true,
            },
            "$defs": definitions,
        })
    })
}

/// JSON Schema of the store's part of status, which every object has beside what its kind reports.
#[must_use]
pub fn identity_schema() -> &'static Value {
    static SCHEMA: OnceLock<Value> = OnceLock::new();
    SCHEMA.get_or_init(schema_of::<Identity>)
}

fn kind_of(object: &Value, problems: &mut Vec<FieldProblem>) -> Option<Kind> {
    if let Some(version) = object.get("apiVersion").and_then(Value::as_str)
        && version != API_VERSION
    {
        let path = FieldPath::root().key("apiVersion");
        let problem = FieldProblem::new(
            Code::InvalidValue,
            path,
            format!("{} is not a version of ours", quoted(version)),
        );
        problems.push(problem.hint(format!("write `{API_VERSION}`")));
    }
    let written = object.get("kind").and_then(Value::as_str)?;
    let kind = written.parse().ok();
    if kind.is_none() {
        let path = FieldPath::root().key("kind");
        let problem = FieldProblem::new(Code::UnknownKind, path, format!("there is no kind {}", quoted(written)));
        problems.push(problem.hint(kinds_like(written)));
    }
    kind
}

fn kinds_like(written: &str) -> String {
    let names: Vec<&str> = Kind::ALL.iter().map(|kind| kind.as_str()).collect();
    let by_noun = Kind::from_noun(written).map(Kind::as_str);
    let near = by_noun.or_else(|| near_miss(written, names.iter().copied()));
    let all = names.join(", ");
    match near {
        Some(near) => format!("did you mean `{near}`? there are {all}"),
        None => format!("there are {all}"),
    }
}

/// Whether objects of the kind live where this one says it does.
fn scope(kind: Kind, metadata: &Map<String, Value>, problems: &mut Vec<FieldProblem>) {
    let path = |field: &str| FieldPath::root().key("metadata").key(field);
    let allowed = kind.meta().scopes;
    let homes = homes(allowed);
    let is_given = |field: &str| metadata.get(field).is_some_and(|scope| !scope.is_null());
    let scopes = [("project", ScopeType::Project), ("agent", ScopeType::Agent)];
    let given: Vec<_> = scopes.into_iter().filter(|(field, _)| is_given(field)).collect();
    match &given[..] {
        [] if allowed.contains(&ScopeType::Cluster) => {}
        [] => {
            let message = format!("objects of kind {kind} live {homes}");
            let missing = if allowed.contains(&ScopeType::Project) {
                "project"
            } else {
                "agent"
            };
            let problem = FieldProblem::new(Code::WrongScope, FieldPath::root().key("metadata"), message);
            problems.push(problem.hint(format!("add `{missing}: <name>`")));
        }
        [(field, scope)] if !allowed.contains(scope) => {
            let problem = FieldProblem::new(
                Code::WrongScope,
                path(field),
                format!("objects of kind {kind} live {homes}"),
            );
            problems.push(problem.hint(format!("remove `{field}`")).at_key());
        }
        [_] => {}
        [_, _, ..] => {
            let message = "an object lives in a project or with an agent, not both";
            let problem = FieldProblem::new(Code::WrongScope, path("agent"), message);
            problems.push(problem.hint("remove one of the two").at_key());
        }
    }
}

/// `in the cluster or in a project`.
fn homes(scopes: &[ScopeType]) -> String {
    let phrase = |scope: &ScopeType| match scope {
        ScopeType::Cluster => "in the cluster",
        ScopeType::Project => "in a project",
        ScopeType::Agent => "with an agent",
    };
    scopes.iter().map(phrase).collect::<Vec<_>>().join(" or ")
}

/// Some kinds derive other names from theirs, and so want shorter ones.
fn name(kind: Kind, metadata: &Map<String, Value>, problems: &mut Vec<FieldProblem>) {
    let meta = kind.meta();
    let length = metadata.get("name").and_then(Value::as_str).map_or(0, str::len);
    if (meta.name_max + 1..=Name::MAX).contains(&length) {
        let message = format!(
            "the name has {length} characters; at most {} are allowed",
            meta.name_max
        );
        let path = FieldPath::root().key("metadata").key("name");
        problems.push(FieldProblem::new(Code::InvalidName, path, message));
    }
    let written = metadata.get("name").and_then(Value::as_str);
    if let Some(taken) = written.filter(|name| kind == Kind::User && Subject::RESERVED.contains(name)) {
        let message = format!("`{taken}` is what the daemon calls itself or strangers, and no user");
        let path = FieldPath::root().key("metadata").key("name");
        problems.push(
            FieldProblem::new(Code::InvalidName, path, message)
                .hint("take another name: in the history and in the audit log nobody could tell the two apart"),
        );
    }
}

/// Labels and annotations, whose keys and values follow the rules of Kubernetes.
fn marks(metadata: &Map<String, Value>, problems: &mut Vec<FieldProblem>) {
    for field in ["labels", "annotations"] {
        let Some(Value::Object(marks)) = metadata.get(field) else {
            continue;
        };
        for (key, value) in marks {
            let path = || FieldPath::root().key("metadata").key(field).key(key);
            if let Some(message) = wrong_key(key) {
                let hint = "a key is `name` or `prefix/name`: at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at \
                            both ends; the prefix is a DNS name";
                problems.push(
                    FieldProblem::new(Code::InvalidName, path(), message)
                        .hint(hint)
                        .at_key(),
                );
            }
            if let (true, Some(text)) = (field == "labels", value.as_str())
                && !text.is_empty()
                && !is_label_text(text)
            {
                let message = format!("{} cannot be the value of a label", quoted(text));
                let hint = "a value has at most 63 letters, digits, `-`, `_` and `.`, with a letter or digit at both ends; an annotation \
                            may hold any text";
                problems.push(FieldProblem::new(Code::InvalidValue, path(), message).hint(hint));
            }
        }
    }
}

fn wrong_key(key: &str) -> Option<String> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    let prefix_is_right = prefix.is_none_or(|prefix| {
        prefix.len() <= LONGEST_PREFIX && prefix.split('.').all(|label| label.parse::<Name>().is_ok())
    });
    (!prefix_is_right || !is_label_text(name))
        .then(|| format!("{} cannot be the key of a label or annotation", quoted(key)))
}

fn is_label_text(text: &str) -> bool {
    let ends = |c: Option<char>| c.is_some_and(|c| c.is_ascii_alphanumeric());
    text.len() <= LONGEST_LABEL
        && text
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))
        && ends(text.chars().next())
        && ends(text.chars().next_back())
}
