//! How the copies of a Server are kept: checked, restarted, suspended, and shared between sessions.

use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::Server;
use crate::kind::Report;
use crate::quantity::Span;

/// Who gets which copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Sessions {
    /// Clients are multiplexed over the replicas.
    Shared,
    /// One copy per client session.
    Isolated,
}

/// How to tell whether a running copy is well.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct HealthCheck {
    /// The tool to call; absent lists the tools instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
    /// Arguments for the tool.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arguments: Option<Map<String, Value>>,
    /// Time between checks. Default: 30s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub interval: Option<Span>,
    /// How long a check may take. Default: 5s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
    /// How many checks must fail in a row. Default: 3.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub failure_threshold: Option<u32>,
    /// How long a copy may take from its start to its first answer. Default: 60s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub startup_deadline: Option<Span>,
}

/// How soon a copy that exited is started again.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Restart {
    /// Wait before the first restart; doubles with each further one. Default: 1s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backoff_initial: Option<Span>,
    /// Longest wait. Default: 60s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub backoff_max: Option<Span>,
    /// How long a copy must run for its restarts to be forgotten. Default: 60s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reset_after: Option<Span>,
}

impl Restart {
    /// The pause after the first exit.
    #[must_use]
    pub fn first_pause(&self) -> Duration {
        self.backoff_initial
            .as_ref()
            .map_or(Duration::from_secs(1), Span::duration)
    }

    /// The longest pause.
    #[must_use]
    pub fn longest_pause(&self) -> Duration {
        self.backoff_max
            .as_ref()
            .map_or(Duration::from_secs(60), Span::duration)
    }

    /// How long a copy has to run for earlier exits to be forgotten.
    #[must_use]
    pub fn probation(&self) -> Duration {
        self.reset_after
            .as_ref()
            .map_or(Duration::from_secs(60), Span::duration)
    }
}

/// When to suspend or recycle copies.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Idle {
    /// Suspend after so long without use; first use starts the server again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub suspend_after: Option<Span>,
    /// Replace a copy after so long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_lifetime: Option<Span>,
}

impl Idle {
    /// After how long without use copies are suspended, if ever.
    #[must_use]
    pub fn patience(&self) -> Option<Duration> {
        self.suspend_after.as_ref().map(Span::duration)
    }

    /// After how long a copy is replaced, if ever.
    #[must_use]
    pub fn lifetime(&self) -> Option<Duration> {
        self.max_lifetime.as_ref().map(Span::duration)
    }
}

/// How many sessions of clients there may be, and for how long.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SessionLimits {
    /// How many sessions may have a copy of their own at the same time, with `sessions: isolated`. Default: 20.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 1000))]
    pub max: Option<u32>,
    /// End a session that was not used for so long. Default: what the daemon was started with, `--session-idle`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle: Option<Span>,
    /// End a session after so long, used or not. Default: what the daemon was started with, `--session-lifetime`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifetime: Option<Span>,
}

impl SessionLimits {
    /// How many sessions may have a copy of their own.
    #[must_use]
    pub fn most(&self) -> u32 {
        self.max.unwrap_or(20)
    }
}

/// What must hold of all this.
pub(super) fn validate(server: &Server, prefix: &str, report: &mut Report) {
    let at = |field: &str| {
        if prefix.is_empty() {
            field.to_owned()
        } else {
            format!("{prefix}.{field}")
        }
    };
    let mut ordered = |(field, less): (&str, Option<&Span>), (other, more): (&str, Option<&Span>)| {
        if let (Some(less), Some(more)) = (less, more)
            && less.duration() > more.duration()
        {
            report.invalid(&at(field), format!("{less} is longer than {other}, {more}"));
        }
    };
    let (restart, limits) = (server.restart.as_ref(), server.session_limits.as_ref());
    ordered(
        (
            "restart.backoffInitial",
            restart.and_then(|restart| restart.backoff_initial.as_ref()),
        ),
        ("backoffMax", restart.and_then(|restart| restart.backoff_max.as_ref())),
    );
    ordered(
        ("sessionLimits.idle", limits.and_then(|limits| limits.idle.as_ref())),
        ("lifetime", limits.and_then(|limits| limits.lifetime.as_ref())),
    );
    let check = server.health_check.as_ref();
    if check.is_some_and(|check| check.arguments.is_some() && check.tool.is_none()) {
        report
            .invalid(&at("healthCheck.arguments"), "there is no tool to give them to")
            .hint("set healthCheck.tool");
    }
    if check.is_some_and(|check| check.tool.as_deref().is_some_and(|tool| tool.trim().is_empty())) {
        report
            .invalid(&at("healthCheck.tool"), "the name of the tool is empty")
            .hint("remove it to list the tools instead");
    }
    let idle = server.idle.as_ref();
    for (field, span) in [
        ("healthCheck.interval", check.and_then(|check| check.interval.as_ref())),
        ("healthCheck.timeout", check.and_then(|check| check.timeout.as_ref())),
        (
            "healthCheck.startupDeadline",
            check.and_then(|check| check.startup_deadline.as_ref()),
        ),
        ("idle.suspendAfter", idle.and_then(|idle| idle.suspend_after.as_ref())),
        ("idle.maxLifetime", idle.and_then(|idle| idle.max_lifetime.as_ref())),
        ("sessionLimits.idle", limits.and_then(|limits| limits.idle.as_ref())),
        (
            "sessionLimits.lifetime",
            limits.and_then(|limits| limits.lifetime.as_ref()),
        ),
    ] {
        if span.is_some_and(|span| span.duration().is_zero()) {
            report.invalid(&at(field), "the duration is zero");
        }
    }
}

/// Puts the defaults where nothing is said.
pub(super) fn fill_in(server: &mut Server) {
    let check = server.health_check.get_or_insert_default();
    check.interval.get_or_insert_with(|| Span::seconds(30));
    check.timeout.get_or_insert_with(|| Span::seconds(5));
    check.failure_threshold.get_or_insert(3);
    check.startup_deadline.get_or_insert_with(|| Span::seconds(60));
    let restart = server.restart.get_or_insert_default();
    restart.backoff_initial.get_or_insert_with(|| Span::seconds(1));
    restart.backoff_max.get_or_insert_with(|| Span::seconds(60));
    restart.reset_after.get_or_insert_with(|| Span::seconds(60));
    let limits = server.session_limits.get_or_insert_default();
    limits.max.get_or_insert(20);
}
