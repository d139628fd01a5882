//! What apply is asked and what it answers, and the plan that can be reviewed in between.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::diff::Change;
use crate::name::ObjectRef;

/// At most so many objects are applied at once.
pub const MOST_OBJECTS: usize = 10_000;

/// The body of `POST /api/v1/apply`.
#[derive(Debug, Clone, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Request {
    /// Manifests, at most 10,000, in any order. Each is the whole object: an absent field means its default.
    pub objects: Vec<Value>,
    /// The apply set these objects are, or become, members of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub set: Option<String>,
    /// Whether members of the set that are not among `objects` are deleted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub prune: bool,
    /// Whether objects of another set are moved to this one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub take_over: bool,
    /// Whether everything is worked out and nothing is written.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// Whether providers are left unasked whether they take the keys of models. It is nowhere kept.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub skip_auth_check: bool,
    /// What a reviewed plan saw; the request is refused when any of it has moved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expect: Option<Vec<Expectation>>,
}

/// What a plan saw of an object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Expectation {
    /// The object.
    #[serde(rename = "ref")]
    pub object: ObjectRef,
    /// Its uid; absent when there was no such object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// Its generation; absent when there was no such object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
}

/// What became, or would become, of an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// It was not there.
    Created,
    /// It was there and differed.
    Configured,
    /// It was there and meant the same.
    Unchanged,
    /// It was a member of the set and is no longer among the objects.
    Pruned,
}

/// The answer of apply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Response {
    /// The revision of the last change, or the current one when there was none.
    pub revision: i64,
    /// One entry per object, in the order of the request, then the pruned ones.
    pub results: Vec<Outcome>,
}

/// What became, or would become, of one object.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Outcome {
    /// The object.
    #[serde(rename = "ref")]
    pub object: ObjectRef,
    /// What became of it.
    pub verdict: Verdict,
    /// The fields that changed, by pointer into the manifest. Secret values are masked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub changes: Vec<Change>,
    /// Its uid before the request; absent when there was no such object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// Its generation before the request; absent when there was no such object.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
    /// The credential of a Token that was made. It is told this once, and stored nowhere.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credential: Option<String>,
    /// Something the user should know, such as a `scale` that this apply undid.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// A saved plan: what `orchctl plan` writes and `orchctl apply --plan` sends.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Plan {
    /// `Plan/v1`.
    pub format: String,
    /// The request to send. Secret values in it are sealed.
    pub request: Request,
    /// What the daemon said it would do.
    pub outcomes: Vec<Outcome>,
    /// The store's revision when the plan was made.
    pub revision: i64,
}

impl Plan {
    /// The format this version reads and writes.
    pub const FORMAT: &'static str = "Plan/v1";
}
