//! How objects are asked for: selectors and the answers of lists, watches, events and history.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::name::ObjectRef;
use crate::path::FieldPath;
use crate::resource::Timestamp;

/// Which labels an object must have: `team=core,tier!=test,env in (a,b),zone notin (c),canary,!old`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabelSelector(Vec<LabelRequirement>);

/// One demand on an object's labels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelRequirement {
    /// The label.
    pub key: String,
    /// What must hold of it.
    pub demand: Demand,
}

/// What must hold of a label.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Demand {
    /// It is there.
    Exists,
    /// It is not there.
    Absent,
    /// It is there with one of these values.
    In(Vec<String>),
    /// It is not there, or has none of these values.
    NotIn(Vec<String>),
}

/// Why a text is no selector.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{term}` is not a selector: {wanted}")]
pub struct SelectorError {
    term: String,
    wanted: &'static str,
}

/// At most so many terms and values stand in a selector.
const MOST_TERMS: usize = 100;

const LABEL_FORM: &str = "write key=value, key!=value, key, !key, key in (a,b) or key notin (a,b)";
const FIELD_FORM: &str = "write field=value or field!=value, such as status.phase=Ready";

impl LabelSelector {
    /// The demands, all of which must hold.
    #[must_use]
    pub fn requirements(&self) -> &[LabelRequirement] {
        &self.0
    }

    /// Whether an object with those labels is selected.
    pub fn matches<'l>(&self, label: impl Fn(&str) -> Option<&'l str>) -> bool {
        self.0.iter().all(|requirement| {
            let value = label(&requirement.key);
            match &requirement.demand {
                Demand::Exists => value.is_some(),
                Demand::Absent => value.is_none(),
                Demand::In(values) => value.is_some_and(|value| values.iter().any(|wanted| wanted == value)),
                Demand::NotIn(values) => value.is_none_or(|value| values.iter().all(|unwanted| unwanted != value)),
            }
        })
    }
}

/// The form in which it is read.
impl fmt::Display for LabelSelector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, LabelRequirement { key, demand }) in self.0.iter().enumerate() {
            f.write_str(if at == 0 { "" } else { "," })?;
            match demand {
                Demand::Exists => write!(f, "{key}")?,
                Demand::Absent => write!(f, "!{key}")?,
                Demand::In(values) => match &values[..] {
                    [one] => write!(f, "{key}={one}")?,
                    several => write!(f, "{key} in ({})", several.join(","))?,
                },
                Demand::NotIn(values) => match &values[..] {
                    [one] => write!(f, "{key}!={one}")?,
                    several => write!(f, "{key} notin ({})", several.join(","))?,
                },
            }
        }
        Ok(())
    }
}

impl FromStr for LabelSelector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        bounded(text)?;
        split_terms(text)
            .into_iter()
            .map(str::trim)
            .filter(|term| !term.is_empty())
            .map(label_requirement)
            .collect::<Result<_, _>>()
            .map(Self)
    }
}

/// Refuses what no person and no database should have to read.
fn bounded(text: &str) -> Result<(), SelectorError> {
    let refuse = |wanted| {
        let term = crate::excerpt::short(text);
        Err(SelectorError { term, wanted })
    };
    if text.matches(',').count() >= MOST_TERMS {
        return refuse("it has more than 100 terms and values");
    }
    if text.contains('\0') {
        return refuse("it holds NUL");
    }
    Ok(())
}

/// Splits at commas outside parentheses.
fn split_terms(text: &str) -> Vec<&str> {
    let mut terms = Vec::new();
    let (mut depth, mut start) = (0_usize, 0);
    for (at, c) in text.char_indices() {
        match c {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            ',' if depth == 0 => {
                terms.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    terms.push(&text[start..]);
    terms
}

fn label_requirement(term: &str) -> Result<LabelRequirement, SelectorError> {
    let refuse = || SelectorError {
        term: term.to_owned(),
        wanted: LABEL_FORM,
    };
    let requirement = |key: &str, demand| {
        let key = key.trim();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_./".contains(c);
        if key.is_empty() || !key.chars().all(plain) {
            Err(refuse())
        } else {
            Ok(LabelRequirement {
                key: key.to_owned(),
                demand,
            })
        }
    };
    if let Some(list) = term.strip_suffix(')') {
        let (head, values) = list.split_once('(').ok_or_else(refuse)?;
        let values: Vec<String> = values.split(',').map(|value| value.trim().to_owned()).collect();
        let mut words = head.split_whitespace();
        return match (words.next(), words.next(), words.next()) {
            (Some(key), Some("in"), None) => requirement(key, Demand::In(values)),
            (Some(key), Some("notin"), None) => requirement(key, Demand::NotIn(values)),
            _ => Err(refuse()),
        };
    }
    if let Some((key, value)) = term.split_once("!=") {
        return requirement(key, Demand::NotIn(vec![value.trim().to_owned()]));
    }
    if let Some((key, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
        return requirement(key, Demand::In(vec![value.trim().to_owned()]));
    }
    match term.strip_prefix('!') {
        Some(key) => requirement(key, Demand::Absent),
        None => requirement(term, Demand::Exists),
    }
}

/// Which fields an object must have: `status.phase=Ready,metadata.name!=files`. Fields are those of the whole object in
/// effective form; a field that is not there compares as empty text.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FieldSelector(Vec<(FieldPath, Comparison, String)>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Equal,
    Different,
}

impl FieldSelector {
    /// Whether there is nothing to demand.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The fields it reads.
    pub fn paths(&self) -> impl Iterator<Item = &FieldPath> {
        self.0.iter().map(|(path, ..)| path)
    }

    /// Whether that object is selected.
    #[must_use]
    pub fn matches(&self, object: &Value) -> bool {
        self.0.iter().all(|(path, comparison, wanted)| {
            let found = path.find(object).map(plain_text).unwrap_or_default();
            (found == *wanted) == (*comparison == Comparison::Equal)
        })
    }
}

/// A scalar as people write it; other values as JSON.
#[must_use]
pub fn plain_text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => other.to_string(),
    }
}

impl FromStr for FieldSelector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        bounded(text)?;
        let terms = text.split(',').map(str::trim).filter(|term| !term.is_empty());
        let parsed = terms.map(|term| {
            let (path, comparison, value) = if let Some((path, value)) = term.split_once("!=") {
                (path, Comparison::Different, value)
            } else if let Some((path, value)) = term.split_once("==").or_else(|| term.split_once('=')) {
                (path, Comparison::Equal, value)
            } else {
                return Err(SelectorError {
                    term: term.to_owned(),
                    wanted: FIELD_FORM,
                });
            };
            let path = path.trim().trim_start_matches('.');
            if path.is_empty() {
                return Err(SelectorError {
                    term: term.to_owned(),
                    wanted: FIELD_FORM,
                });
            }
            Ok((FieldPath::parse(path), comparison, value.trim().to_owned()))
        });
        parsed.collect::<Result<_, _>>().map(Self)
    }
}

/// The query of a list or a watch.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ListParameters {
    /// Only objects with these labels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub label_selector: Option<String>,
    /// Only objects with these fields.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field_selector: Option<String>,
    /// Objects of every scope, not only of the one in the address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub all_scopes: Option<bool>,
    /// At most so many objects; the answer says how to go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// Where an earlier answer ended.
    #[serde(default, rename = "continue", skip_serializing_if = "Option::is_none")]
    pub continue_token: Option<String>,
    /// `1`: a stream of changes instead of a list.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<String>,
    /// For a watch: changes after this revision. Absent: everything that is there, then changes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revision: Option<i64>,
}

/// The answer of a list.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct List {
    /// `orchctl.dev/v1`.
    pub api_version: String,
    /// `List`.
    pub kind: String,
    /// About the list as a whole.
    pub metadata: ListMetadata,
    /// The objects, by scope and name.
    pub items: Vec<Value>,
}

/// About a list as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ListMetadata {
    /// The revision the list shows; a watch from here misses nothing.
    pub revision: i64,
    /// How many objects match, on all pages together.
    pub total: i64,
    /// Where the next page begins; absent on the last one.
    #[serde(default, rename = "continue", skip_serializing_if = "Option::is_none")]
    pub continue_token: Option<String>,
}

/// One change in a watch: the `data:` of a server-sent event whose `id:` is the revision.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WatchEvent {
    /// What happened.
    #[serde(rename = "type")]
    pub change: ChangeType,
    /// The object after the change; the last state of a deleted one; absent in a bookmark.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub object: Option<Value>,
}

/// What happened to an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "UPPERCASE")]
pub enum ChangeType {
    /// It is there; before, the watcher did not have it.
    Added,
    /// It changed.
    Modified,
    /// It is gone, or no longer selected.
    Deleted,
    /// Nothing: everything up to this revision was sent.
    Bookmark,
}

/// Something worth telling that happened to an object. The last 50 of each object are kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Event {
    /// Orders all events.
    pub id: i64,
    /// The object.
    #[serde(rename = "ref")]
    pub object: ObjectRef,
    /// Its uid.
    pub uid: String,
    /// Whether somebody should look.
    pub severity: Severity,
    /// What happened, in one word: `Started`, `CrashLoop`.
    pub reason: String,
    /// What happened, in a sentence.
    pub message: String,
    /// How often it was told while it was kept: what is told again with the same severity, reason and message is counted,
    /// also when something else was told in between.
    pub count: i64,
    /// When it was first told.
    pub first_at: Timestamp,
    /// When it was last told; events are ordered by that.
    pub last_at: Timestamp,
}

/// Whether somebody should look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Severity {
    /// All is well.
    Normal,
    /// Somebody should look.
    Warning,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Normal => "Normal",
            Self::Warning => "Warning",
        })
    }
}

/// One generation of an object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct HistoryEntry {
    /// The generation.
    pub generation: i64,
    /// Position in the change log of the change that made it.
    pub revision: i64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub by: String,
    /// How: `apply`, `create`, `scale`, `rollback to 3`.
    pub verb: String,
    /// The object as it was declared. Secret values are sealed.
    pub manifest: Value,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn label_selectors() {
        let labels = |key: &str| match key {
            "team" => Some("core"),
            "example.com/tier" => Some("gold"),
            _ => None,
        };
        for (selector, expected) in [
            ("", true),
            ("team=core", true),
            ("team==core", true),
            ("team!=core", false),
            ("other!=core", true),
            ("team", true),
            ("!team", false),
            ("!other", true),
            ("team in (core, edge),example.com/tier=gold", true),
            ("team notin (core)", false),
            ("other notin (core)", true),
        ] {
            assert_eq!(
                selector.parse::<LabelSelector>().unwrap().matches(labels),
                expected,
                "{selector}"
            );
        }
        let many = vec!["a"; 101].join(",");
        for bad in ["=x", "a b", "a in x", "a in (x", "team of (x)", "a=\0", &many] {
            assert!(bad.parse::<LabelSelector>().is_err(), "{bad}");
        }
        assert!(many[2..].parse::<LabelSelector>().is_ok());
    }

    #[test]
    fn field_selectors() {
        let object = serde_json::json!({"status": {"phase": "Ready", "replicas": {"ready": 2}}});
        for (selector, expected) in [
            ("status.phase=Ready", true),
            (".status.phase!=Ready", false),
            ("status.replicas.ready=2", true),
            ("status.applySet=", true),
            ("status.phase=Ready,status.replicas.ready=1", false),
        ] {
            assert_eq!(
                selector.parse::<FieldSelector>().unwrap().matches(&object),
                expected,
                "{selector}"
            );
        }
        assert!("phase".parse::<FieldSelector>().is_err());
    }
}
