//! Flags that several verbs have in common.

use clap::{ArgAction, Args, ValueHint};
use orch_shared::query::{FieldSelector, LabelSelector, SelectorError};

/// Manifests to read.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Files {
    /// Manifests: a file, a folder (with everything in it), a glob, or `-` for standard input. May be repeated
    #[arg(short, long = "filename", value_name = "FILE", value_hint = ValueHint::AnyPath)]
    pub(crate) files: Vec<String>,
}

/// Which objects of a kind are meant.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Selectors {
    /// Only objects with these labels: key=value, key!=value, key, !key, key in (a,b)
    #[arg(short = 'l', long, value_name = "LABELS", value_parser = labels)]
    pub(crate) selector: Option<String>,
    /// Only objects with these fields: status.phase=Ready
    #[arg(long, value_name = "FIELDS", value_parser = fields)]
    pub(crate) field_selector: Option<String>,
    /// Objects of every project and agent
    #[arg(short = 'A', long = "all-scopes", visible_alias = "all-projects", action = ArgAction::SetTrue)]
    pub(crate) all_scopes: bool,
}

/// A label selector. The daemon reads it, too; but a typing error is better told here.
fn labels(text: &str) -> Result<String, SelectorError> {
    text.parse::<LabelSelector>().map(|_| text.to_owned())
}

/// A field selector.
fn fields(text: &str) -> Result<String, SelectorError> {
    text.parse::<FieldSelector>().map(|_| text.to_owned())
}

/// Whether anything is really done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Args)]
pub(crate) struct Rehearsal {
    /// Only say what would be done. Without a value: server
    #[arg(long, value_name = "WHERE", default_value = "none", num_args = 0..=1, default_missing_value = "server")]
    #[arg(require_equals = true)]
    pub(crate) dry_run: DryRun,
}

/// Where it is worked out what would be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum DryRun {
    /// Nowhere: it is done.
    #[default]
    None,
    /// Here, as far as that is possible; the daemon is at most read.
    Client,
    /// By the daemon, which checks everything and writes nothing.
    Server,
}
