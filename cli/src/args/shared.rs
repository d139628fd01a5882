//! Flags that several verbs have in common.

use clap::{ArgAction, Args, ValueHint};

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
    #[arg(short = 'l', long, value_name = "LABELS")]
    pub(crate) selector: Option<String>,
    /// Only objects with these fields: status.phase=Ready
    #[arg(long, value_name = "FIELDS")]
    pub(crate) field_selector: Option<String>,
    /// Objects of every project and agent
    #[arg(short = 'A', long = "all-scopes", visible_alias = "all-projects", action = ArgAction::SetTrue)]
    pub(crate) all_scopes: bool,
}

/// Whether anything is really done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub(crate) enum DryRun {
    /// It is.
    #[default]
    None,
    /// Nothing is sent: what can be told without the daemon is told.
    Client,
    /// The daemon works everything out, and writes nothing.
    Server,
}
