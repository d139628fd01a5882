//! Settings of the door to the models.

use std::num::{NonZeroU32, NonZeroU64};

use clap::Args;
use serde::{Deserialize, Serialize};

/// Flags of inference; in the settings file they stand below `inference`.
#[derive(Debug, Clone, PartialEq, Default, Args, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase", default)]
#[command(next_help_heading = "Inference")]
pub struct InferenceArgs {
    /// So many requests one principal may make of models in a minute. Default: no limit.
    #[arg(long, value_name = "COUNT", env = "ORCHD_PRINCIPAL_INFERENCES_PER_MINUTE")]
    pub principal_inferences_per_minute: Option<NonZeroU32>,
    /// So many requests one principal may have under way with models. Default: no limit.
    #[arg(long, value_name = "COUNT", env = "ORCHD_PRINCIPAL_CONCURRENT_INFERENCES")]
    pub principal_concurrent_inferences: Option<NonZeroU32>,
    /// So many tokens one principal may use in a minute, those in and those out. Default: no limit.
    #[arg(long, value_name = "COUNT", env = "ORCHD_PRINCIPAL_TOKENS_PER_MINUTE")]
    pub principal_tokens_per_minute: Option<NonZeroU64>,
}

impl InferenceArgs {
    /// What the flags leave open, the file says; what that leaves open has no limit.
    pub(super) fn resolve(args: &Self, file: Self) -> Self {
        Self {
            principal_inferences_per_minute: args
                .principal_inferences_per_minute
                .or(file.principal_inferences_per_minute),
            principal_concurrent_inferences: args
                .principal_concurrent_inferences
                .or(file.principal_concurrent_inferences),
            principal_tokens_per_minute: args.principal_tokens_per_minute.or(file.principal_tokens_per_minute),
        }
    }
}
