//! The smaller bodies of the API, for both ends: actions, deletion, sealing, dependents, the daemon's own state.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::name::{Name, ObjectRef};
use crate::path::FieldPath;
use crate::resource::Timestamp;

/// The body of `POST .../{name}/scale`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Scale {
    /// How many copies to keep running.
    #[schemars(range(max = 100))]
    pub replicas: u32,
}

/// The body of `POST .../{name}/rollback`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Rollback {
    /// The generation to go back to. Default: the one before the current one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation: Option<i64>,
}

/// The body of `POST .../{name}/approve`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Approve {
    /// Whether what is proposed may take the place of what is there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub replace: bool,
}

/// The body of `POST .../{name}/reject`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Reject {
    /// Why, in words, for whoever proposed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// The query of whatever changes one object.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ChangeParameters {
    /// Leaves the provider unasked whether it takes the key of a model.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skip_auth_check: Option<bool>,
}

/// The query of `DELETE`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct DeleteParameters {
    /// Only say what would go.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub dry_run: Option<bool>,
    /// Delete the objects that refer to it, too.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub with_dependents: Option<bool>,
}

/// The body of `POST /api/v1/delete`: objects that are deleted as one, all of them or none. What refers to one of them is
/// in nobody's way when it is among them.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Deletion {
    /// The objects, at most 10,000, in any order. A name may also be a uid.
    pub objects: Vec<ObjectRef>,
    /// Only say what would go.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
    /// Delete the objects that refer to them, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub with_dependents: bool,
    /// Whether objects that are not there are left out, rather than all of it refused.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ignore_not_found: bool,
}

/// The answer of `DELETE` and of `POST /api/v1/delete`: what goes, or would go. Objects that own running things are gone a little later.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Deleted {
    /// The objects, those that own others before what they own.
    pub objects: Vec<ObjectRef>,
    /// Texts of the daemon's own, which do not go, but are worded as at first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reset: Vec<ObjectRef>,
    /// Whether nothing was done.
    pub dry_run: bool,
}

/// The answer of `GET .../{name}/dependents`: who refers to the object.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Dependents {
    /// One entry per reference.
    pub items: Vec<Dependent>,
}

/// One object that refers to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Dependent {
    /// The object that refers.
    #[serde(rename = "ref")]
    pub object: ObjectRef,
    /// JSON pointer to the field that does.
    pub path: FieldPath,
}

/// The body of `POST /api/v1/seal`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Seal {
    /// The Secret that the values are meant for; they open under no other.
    pub name: Name,
    /// The values in the open, by key.
    pub data: BTreeMap<String, String>,
}

/// The answer of `POST /api/v1/seal`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sealed {
    /// The sealed values, by key.
    pub data: BTreeMap<String, String>,
}

/// The body of `POST /api/v1/migrate-secrets`: values of Secrets that are moved from one backend to another, one Secret
/// after the other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Migration {
    /// The backend that they leave.
    pub from: Name,
    /// The backend that they are moved to.
    pub to: Name,
    /// Only these Secrets. Default: all that live in `from`, without those that hold the token of a backend.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<Vec<Name>>,
    /// Whether the values stay in `from`, too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keep_source: bool,
    /// Only say what would be moved.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// The answer of `POST /api/v1/migrate-secrets`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Migrated {
    /// One entry per Secret, by name.
    pub items: Vec<MigratedSecret>,
    /// Whether nothing was done.
    pub dry_run: bool,
}

/// What became of one Secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct MigratedSecret {
    /// Its name.
    pub name: Name,
    /// What became, or would become, of it.
    pub outcome: MigrationOutcome,
    /// Why, or what else is to be said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// What became of one Secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum MigrationOutcome {
    /// Its values have moved, or would.
    Moved,
    /// It was left as it is: it lives there already, or must not be moved.
    Skipped,
    /// It could not be moved, and is as it was.
    Failed,
}

/// The body of `POST /api/v1/set-up-secretbackend`: sets up a server of OpenBao or Vault, and makes the SecretBackend.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct BackendSetup {
    /// What to call the SecretBackend.
    pub name: Name,
    /// Where the server answers.
    pub url: String,
    /// The token of somebody who may mount engines and write policies and token roles. Used now, and kept nowhere.
    pub admin_token: String,
    /// Where the engine is, or is to be, mounted. Default: secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mount: Option<String>,
    /// What the paths of Secrets begin with, below the mount. Default: orchctl.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_prefix: Option<String>,
    /// The namespace that everything is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// What to call the policy. Default: orchd-<name>.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub policy_name: Option<String>,
    /// What to call the token role. Default: orchd-<name>.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_role: Option<String>,
    /// Whether the backend becomes the default. Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub promote_default: Option<bool>,
}

impl std::fmt::Debug for BackendSetup {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("BackendSetup")
            .field("name", &self.name)
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

/// The answer of `POST /api/v1/set-up-secretbackend`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct BackendReady {
    /// What was done, in order, a sentence each.
    pub steps: Vec<String>,
    /// The Secret that holds the daemon's token.
    pub secret: Name,
    /// The backend that was the default before; absent when that has not changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub former_default: Option<Name>,
}

/// The answer of `GET .../{name}/history`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct History {
    /// Newest first.
    pub items: Vec<crate::query::HistoryEntry>,
}

/// The query of `GET /api/v1/events`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct EventParameters {
    /// Only of objects of this kind (any noun of it).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Only of the object with this name or uid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// Only of objects that live in this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<Name>,
    /// Only of objects that live with this agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Name>,
    /// Also of the objects that these own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owned: Option<bool>,
    /// Only warnings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub warnings: Option<bool>,
    /// Only events with these fields: `reason=CrashLoop,ref.kind=Instance`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub field_selector: Option<String>,
    /// Only events with a larger id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<i64>,
    /// The newest so many. Default 100, at most 1000.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u32>,
    /// `1`: go on as a stream of server-sent events, whose `id:` is the event's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub watch: Option<String>,
}

/// The answer of `GET /api/v1/events`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Events {
    /// Oldest first.
    pub items: Vec<crate::query::Event>,
}

/// The query of `GET /api/v1/instances/{name}/logs`. The answer is plain text, a line per line.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LogParameters {
    /// The last so many lines. Default: all that are kept.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tail: Option<u32>,
    /// Lines no older than this: a duration or an RFC 3339 instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Go on as lines are written, until the instance is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub follow: Option<bool>,
    /// Of the run before the last restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub previous: Option<bool>,
    /// Begin each line with its instant.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timestamps: Option<bool>,
}

/// The answer of `GET /version`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// The daemon's version.
    pub version: String,
    /// The `apiVersion` it speaks.
    pub api_version: String,
}

/// The answer of `GET /api/v1/status`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct DaemonStatus {
    /// The daemon's version.
    pub version: String,
    /// Tells this daemon from every other; lives in its database.
    pub daemon_id: String,
    /// Since when it has been running.
    pub started_at: Timestamp,
    /// The newest revision.
    pub revision: i64,
    /// `sqlite` or `postgres`.
    pub database: String,
    /// The parts that must work, and whether they do; the same as `/readyz`.
    pub checks: Vec<Check>,
    /// How many objects there are, by kind.
    pub objects: BTreeMap<String, i64>,
    /// How many instances there are, by phase.
    pub instances: BTreeMap<String, i64>,
    /// How the audit log keeps up.
    #[serde(default)]
    pub audit: crate::audit::Standing,
}

/// Whether one part of the daemon works.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// The part: `database`, `database-writes`, `reconciler`.
    pub name: String,
    /// Whether it works.
    pub ok: bool,
    /// Why not.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
}

/// The answer of `/readyz`: 200 when every check is ok, else 503.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Readiness {
    /// Whether every check is ok.
    pub ready: bool,
    /// The parts that must work.
    pub checks: Vec<Check>,
}
