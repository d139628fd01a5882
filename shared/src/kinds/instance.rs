//! Instance: one running copy of a Server. Made, replaced and removed by the reconciler; people read and delete them.

mod container;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kind::{Action, Cell, Column, Kind, Maker, Meta, Reference, Removal, ScopeType, Spec};
use crate::kinds::server::{ResolvedPackage, Server, ToolSurface};
use crate::name::Name;
use crate::resource::{Condition, ConditionStatus, Timestamp};

pub use container::ContainerStatus;

/// One running copy of a Server: a process, a container, or the tie to a remote server. It carries the Server's spec as it was when
/// the copy was made, so that it can be told, and replaced, when the Server changes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Instance {
    /// The Server this is a copy of.
    pub server: Name,
    /// The Server's generation when the copy was made.
    pub generation: i64,
    /// SHA-256 over everything that makes a copy what it is; another digest means a replacement.
    pub digest: String,
    /// What to run: the Server's spec in effective form, templates resolved.
    pub run: Box<Server>,
    /// How many copies before this one, in a row, ended in Error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_before: Option<u32>,
    /// The session that has this copy for itself; absent for copies that sessions share.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}

/// Where a copy stands in its life: Pending -> Starting <-> Running -> Stopping -> gone; Error when it will not be
/// retried as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum InstancePhase {
    /// Declared; nothing has been done yet.
    #[default]
    Pending,
    /// Installing, starting, waiting for the MCP handshake, or waiting to be started again after a crash.
    Starting,
    /// The MCP handshake has answered.
    Running,
    /// Being stopped.
    Stopping,
    /// Not retried as it is; replaced after a while.
    Error,
}

/// How a running copy fares, by its health checks and by what calls of clients meet with.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Health {
    /// In a word.
    pub state: HealthState,
    /// How many checks or calls failed in a row.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub failures: u32,
    /// What the last failure was, with secret values masked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
}

/// How a running copy fares, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum HealthState {
    /// The tool that is to show it has not answered yet.
    #[default]
    Unknown,
    /// It answers.
    Healthy,
    /// It has failed to, but not often enough to be given up.
    Degraded,
    /// It has failed `healthCheck.failureThreshold` times in a row, and is restarted.
    Unhealthy,
}

/// How a copy's process ended.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LastExit {
    /// The exit code, unless a signal ended it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<i32>,
    /// The signal that ended it, such as `SIGKILL`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signal: Option<String>,
    /// Why, when the daemon knows more: `memory limit of 512Mi exceeded`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Whether the daemon ended it because it was not well any more.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unhealthy: bool,
    /// When.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// How long it had run, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ran_for_ms: Option<u64>,
    /// The last lines it wrote to standard error, with secret values masked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stderr: Vec<String>,
}

/// What the reconciler reports of an Instance.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct InstanceStatus {
    /// Where the copy stands in its life.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<InstancePhase>,
    /// How often it was started again after it had exited.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub restarts: u32,
    /// How often in a row it exited without having run for `restart.resetAfter`.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub crashes_in_a_row: u32,
    /// Process id on the daemon's machine.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// Since when it has been running.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub running_since: Option<Timestamp>,
    /// When it will be started again or replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_try: Option<Timestamp>,
    /// How it ended last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_exit: Option<LastExit>,
    /// The MCP revision spoken with it, such as `2026-07-28`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub protocol_version: Option<String>,
    /// Name and version it gave of itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server_info: Option<String>,
    /// The version its package was resolved to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resolved: Option<ResolvedPackage>,
    /// The container it runs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub container: Option<ContainerStatus>,
    /// How it fares, while it runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
    /// The tools it offers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<ToolSurface>,
    /// The generation of the Instance this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready, LimitsEnforced.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}

impl InstanceStatus {
    /// Whether the copy answers and is well: it may take the place of another.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        let stays_ready = || {
            let mut conditions = self.conditions.iter();
            let ready = conditions.find(|condition| condition.condition == "Ready");
            ready.is_some_and(|ready| ready.status == ConditionStatus::True)
        };
        self.phase == Some(InstancePhase::Running)
            && match self.health.as_ref().map(|health| health.state) {
                None | Some(HealthState::Healthy) => true,
                Some(HealthState::Degraded) => stays_ready(),
                Some(HealthState::Unknown | HealthState::Unhealthy) => false,
            }
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields by reference")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl Spec for Instance {
    type Status = InstanceStatus;

    const META: Meta = Meta {
        singular: "instance",
        plural: "instances",
        short: &["inst"],
        scopes: &[ScopeType::Cluster],
        maker: Maker::Daemon,
        columns: &[
            Column::new("SERVER", Cell::Field("spec.server")),
            Column::new("STATUS", Cell::Field("status.phase")),
            Column::new("HEALTH", Cell::Field("status.health.state")),
            Column::new("RESTARTS", Cell::Field("status.restarts")),
            Column::new("PID", Cell::Field("status.pid")),
            Column::wide("PROTOCOL", Cell::Field("status.protocolVersion")),
            Column::wide("SESSION", Cell::Field("spec.session")),
            Column::wide("TOOLS", Cell::Field("status.tools.count")),
            Column::new("", Cell::Trouble),
        ],
        actions: &[Action::Restart],
        removal: Removal::AfterCleanup,
        name_max: Name::MAX,
        refers_to: &[Kind::Server],
    };

    fn references(&self) -> Vec<Reference> {
        // The Server owns the Instance and takes it along; it is no reference that would keep the Server from going.
        Vec::new()
    }
}
