//! Settings of the door to the models.

use std::num::{NonZeroU32, NonZeroU64};

use clap::Args;
use orch_shared::quantity::Span;
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
    /// Time between two looks whether the provider of a model answers; one that does not is looked at ten times as often. Default: 5m.
    #[arg(long, value_name = "DURATION", env = "ORCHD_LLM_CHECK_INTERVAL")]
    pub llm_check_interval: Option<Span>,
}

/// Settings of inference, all decided.
#[derive(Debug, Clone, PartialEq)]
pub struct InferenceSettings {
    /// Requests of one principal in a minute.
    pub principal_inferences_per_minute: Option<NonZeroU32>,
    /// Requests that one principal may have under way.
    pub principal_concurrent_inferences: Option<NonZeroU32>,
    /// Tokens of one principal in a minute.
    pub principal_tokens_per_minute: Option<NonZeroU64>,
    /// Time between two looks at a provider.
    pub check_interval: Span,
}

impl InferenceSettings {
    /// What the flags leave open, the file says; what that leaves open has no limit.
    pub(super) fn resolve(args: &InferenceArgs, file: InferenceArgs) -> Self {
        Self {
            check_interval: args
                .llm_check_interval
                .clone()
                .or(file.llm_check_interval)
                .unwrap_or_else(|| Span::seconds(300)),
            principal_inferences_per_minute: args
                .principal_inferences_per_minute
                .or(file.principal_inferences_per_minute),
            principal_concurrent_inferences: args
                .principal_concurrent_inferences
                .or(file.principal_concurrent_inferences),
            principal_tokens_per_minute: args.principal_tokens_per_minute.or(file.principal_tokens_per_minute),
        }
    }

    /// The flags that would bring them about.
    pub(super) fn to_args(&self) -> InferenceArgs {
        InferenceArgs {
            principal_inferences_per_minute: self.principal_inferences_per_minute,
            principal_concurrent_inferences: self.principal_concurrent_inferences,
            principal_tokens_per_minute: self.principal_tokens_per_minute,
            llm_check_interval: Some(self.check_interval.clone()),
        }
    }
}
