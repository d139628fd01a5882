//! Settings of the room of the publishers.

use clap::Args;
use orch_shared::quantity::Span;
use serde::{Deserialize, Serialize};

/// Flags of publishing; in the settings file they stand below `publishing`.
#[derive(Debug, Clone, PartialEq, Default, Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
#[command(next_help_heading = "Publishing")]
pub struct PublishingArgs {
    /// Take a publisher to be away after so long without a heartbeat. Default: 90s.
    #[arg(long, value_name = "DURATION", env = "ORCHD_PUBLISHER_HEARTBEAT_TIMEOUT")]
    pub publisher_heartbeat_timeout: Option<Span>,
    /// Delete what is published after so long without its publisher. Default: 4h.
    #[arg(long, value_name = "DURATION", env = "ORCHD_PUBLISHER_RETENTION")]
    pub publisher_retention: Option<Span>,
    /// Look so often for what nobody publishes any more. Default: 60s.
    #[arg(long, value_name = "DURATION", env = "ORCHD_PUBLISHER_SWEEP")]
    pub publisher_sweep: Option<Span>,
    /// Say so often on the stream of a publisher that it lives. Default: 20s.
    #[arg(long, value_name = "DURATION", env = "ORCHD_PUBLISHER_PING")]
    pub publisher_ping: Option<Span>,
    /// A published model may take so long to wake. Default: 5m.
    #[arg(long, value_name = "DURATION", env = "ORCHD_PUBLISHER_WAKE_TIMEOUT")]
    pub publisher_wake_timeout: Option<Span>,
}

/// The settings of publishing, all decided.
#[derive(Debug, Clone, PartialEq)]
pub struct PublishingSettings {
    /// When a silent publisher is taken to be away.
    pub heartbeat_timeout: Span,
    /// When what it offered is deleted.
    pub retention: Span,
    /// How often that is looked for.
    pub sweep: Span,
    /// How often a stream says that it lives.
    pub ping: Span,
    /// How long a model may take to wake.
    pub wake_timeout: Span,
}

impl PublishingSettings {
    /// What the flags leave open, the file says; what that leaves open, the defaults.
    pub(super) fn resolve(args: &PublishingArgs, file: PublishingArgs) -> Self {
        let span = |flag: &Option<Span>, file: Option<Span>, seconds| {
            flag.clone().or(file).unwrap_or_else(|| Span::seconds(seconds))
        };
        Self {
            heartbeat_timeout: span(&args.publisher_heartbeat_timeout, file.publisher_heartbeat_timeout, 90),
            retention: span(&args.publisher_retention, file.publisher_retention, 4 * 60 * 60),
            sweep: span(&args.publisher_sweep, file.publisher_sweep, 60),
            ping: span(&args.publisher_ping, file.publisher_ping, 20),
            wake_timeout: span(&args.publisher_wake_timeout, file.publisher_wake_timeout, 5 * 60),
        }
    }

    /// The settings as they stand in a file.
    pub(super) fn to_args(&self) -> PublishingArgs {
        PublishingArgs {
            publisher_heartbeat_timeout: Some(self.heartbeat_timeout.clone()),
            publisher_retention: Some(self.retention.clone()),
            publisher_sweep: Some(self.sweep.clone()),
            publisher_ping: Some(self.ping.clone()),
            publisher_wake_timeout: Some(self.wake_timeout.clone()),
        }
    }
}
