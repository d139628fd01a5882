//! Settings of the gateway.

use std::num::NonZeroU32;

use clap::Args;
use orch_shared::quantity::Span;
use serde::{Deserialize, Serialize};

/// Flags of the gateway; in the settings file they stand below `gateway`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
#[command(next_help_heading = "Gateway")]
pub struct GatewayArgs {
    /// End an MCP session after so long without use. Default: 30m.
    #[arg(long, value_name = "DURATION", env = "ORCHD_SESSION_IDLE")]
    pub session_idle: Option<Span>,
    /// End an MCP session after so long in any case. Default: 24h.
    #[arg(long, value_name = "DURATION", env = "ORCHD_SESSION_LIFETIME")]
    pub session_lifetime: Option<Span>,
    /// So many MCP sessions there may be at once. One principal has at most a quarter of them, or 10. Default: 20000.
    #[arg(long, value_name = "COUNT", env = "ORCHD_MAX_SESSIONS")]
    pub max_sessions: Option<NonZeroU32>,
    /// So many calls one principal may make in a minute. Default: no limit.
    #[arg(long, value_name = "COUNT", env = "ORCHD_PRINCIPAL_REQUESTS_PER_MINUTE")]
    pub principal_requests_per_minute: Option<NonZeroU32>,
    /// So many calls one principal may have under way at once. Default: no limit.
    #[arg(long, value_name = "COUNT", env = "ORCHD_PRINCIPAL_CONCURRENT_REQUESTS")]
    pub principal_concurrent_requests: Option<NonZeroU32>,
    /// Serve the gateway's addresses to everybody on this machine, without a token. Only with a loopback address; for tests
    /// with tools that cannot send one.
    #[arg(
        long,
        env = "ORCHD_INSECURE_OPEN_GATEWAY",
        num_args = 0..=1,
        default_missing_value = "true",
        value_name = "BOOL"
    )]
    pub insecure_open_gateway: Option<bool>,
}

/// The settings of the gateway, all decided.
#[derive(Debug, Clone, PartialEq)]
pub struct GatewaySettings {
    /// When an unused session ends.
    pub session_idle: Span,
    /// When any session ends.
    pub session_lifetime: Span,
    /// How many sessions there may be.
    pub max_sessions: NonZeroU32,
    /// Calls of one principal in a minute.
    pub principal_requests_per_minute: Option<NonZeroU32>,
    /// Calls of one principal at once.
    pub principal_concurrent_requests: Option<NonZeroU32>,
    /// Whether the gateway needs no token.
    pub insecure_open_gateway: bool,
}

impl GatewaySettings {
    /// What the flags leave open, the file says; what that leaves open, the defaults.
    pub(super) fn resolve(args: &GatewayArgs, file: GatewayArgs) -> Self {
        let span = |flag: &Option<Span>, file: Option<Span>, seconds| {
            flag.clone().or(file).unwrap_or_else(|| Span::seconds(seconds))
        };
        Self {
            session_idle: span(&args.session_idle, file.session_idle, 30 * 60),
            session_lifetime: span(&args.session_lifetime, file.session_lifetime, 24 * 60 * 60),
            max_sessions: args
                .max_sessions
                .or(file.max_sessions)
                .unwrap_or(NonZeroU32::new(20_000).expect("not zero")),
            principal_requests_per_minute: args
                .principal_requests_per_minute
                .or(file.principal_requests_per_minute),
            principal_concurrent_requests: args
                .principal_concurrent_requests
                .or(file.principal_concurrent_requests),
            insecure_open_gateway: args
                .insecure_open_gateway
                .or(file.insecure_open_gateway)
                .unwrap_or(false),
        }
    }

    /// The settings as they stand in a file.
    pub(super) fn to_args(&self) -> GatewayArgs {
        GatewayArgs {
            session_idle: Some(self.session_idle.clone()),
            session_lifetime: Some(self.session_lifetime.clone()),
            max_sessions: Some(self.max_sessions),
            principal_requests_per_minute: self.principal_requests_per_minute,
            principal_concurrent_requests: self.principal_concurrent_requests,
            insecure_open_gateway: Some(self.insecure_open_gateway),
        }
    }
}
