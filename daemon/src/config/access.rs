//! Settings of logins, and of how much one principal may ask for.

use std::num::NonZeroU32;

use clap::Args;
use orch_shared::quantity::Span;
use serde::{Deserialize, Serialize};

/// Flags of access; in the settings file they stand below `access`.
#[derive(Debug, Clone, Default, Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
#[command(next_help_heading = "Access")]
pub struct AccessArgs {
    /// How long a login lasts. Default: 12h.
    #[arg(long, value_name = "DURATION", env = "ORCHD_LOGIN_LIFETIME")]
    pub login_lifetime: Option<Span>,
    /// So many writes one principal may make in a minute. Default: 30000.
    #[arg(long, value_name = "COUNT", env = "ORCHD_PRINCIPAL_WRITES_PER_MINUTE")]
    pub principal_writes_per_minute: Option<NonZeroU32>,
}

/// The settings of access, all decided.
#[derive(Debug, Clone, PartialEq)]
pub struct AccessSettings {
    /// How long a login lasts.
    pub login_lifetime: Span,
    /// Writes of one principal in a minute.
    pub principal_writes_per_minute: NonZeroU32,
}

impl AccessSettings {
    /// What the flags leave open, the file says; what that leaves open, the defaults.
    pub(super) fn resolve(args: &AccessArgs, file: AccessArgs) -> Self {
        let lifetime = args.login_lifetime.clone().or(file.login_lifetime);
        let writes = args.principal_writes_per_minute.or(file.principal_writes_per_minute);
        Self {
            login_lifetime: lifetime.unwrap_or_else(|| Span::seconds(12 * 60 * 60)),
            principal_writes_per_minute: writes.unwrap_or(NonZeroU32::new(30_000).expect("not zero")),
        }
    }

    /// The settings as they stand in a file.
    pub(super) fn to_args(&self) -> AccessArgs {
        AccessArgs {
            login_lifetime: Some(self.login_lifetime.clone()),
            principal_writes_per_minute: Some(self.principal_writes_per_minute),
        }
    }
}
