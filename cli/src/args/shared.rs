//! Flags that several verbs have in common.

use clap::{ArgAction, Args, ValueHint};
use orch_shared::kind::Kind;
use orch_shared::query::{FieldSelector, LabelSelector, SelectorError};
use orch_shared::wire::ChangeParameters;

use super::{Limit, fields, limit};
use crate::client::{Scopes, Selection};
use crate::report::Failure;
use crate::settings::Settings;

/// Reads the id of a thread: it becomes part of an address.
pub(crate) fn thread_id(text: &str) -> Result<String, String> {
    let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    match !text.is_empty() && text.chars().all(fits) {
        true => Ok(text.to_owned()),
        false => Err(format!("`{text}` is no id of a thread; see yours: orchctl thread list")),
    }
}

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
    #[arg(short = 'l', long, value_name = "LABELS", value_parser = label_selector)]
    pub(crate) selector: Option<String>,
    /// Only objects with these fields: status.phase=Ready
    #[arg(long, value_name = "FIELDS", value_parser = field_selector)]
    pub(crate) field_selector: Option<String>,
    /// Objects of every project and agent
    #[arg(short = 'A', long = "all-scopes", visible_alias = "all-projects", action = ArgAction::SetTrue)]
    pub(crate) all_scopes: bool,
}

impl Selectors {
    /// Whether any of them narrows what is meant.
    pub(crate) const fn narrow(&self) -> bool {
        self.selector.is_some() || self.field_selector.is_some()
    }

    /// What they mean for one kind. A field that the kind does not have is told here: nothing would ever be selected by it.
    pub(crate) fn selection(&self, settings: &Settings, kind: Kind) -> Result<Selection, Failure> {
        let selector: FieldSelector = self
            .field_selector
            .as_deref()
            .unwrap_or_default()
            .parse()
            .map_err(|error: SelectorError| Failure::usage(error.to_string()))?;
        selector.paths().try_for_each(|path| fields::check(&[kind], path))?;
        Ok(Selection {
            labels: self.selector.clone(),
            fields: self.field_selector.clone(),
            scope: match self.all_scopes {
                true => Scopes::All,
                false => Scopes::One(settings.scope(kind)?),
            },
        })
    }
}

/// Whether to wait until what was done has its effect.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Waiting {
    /// Wait until they are ready
    #[arg(long, action = ArgAction::SetTrue)]
    pub(crate) wait: bool,
    /// How long to wait
    #[arg(long, default_value = "60s", value_parser = limit, value_name = "DURATION", requires = "wait")]
    pub(crate) timeout: Limit,
}

/// A label selector. The daemon reads it, too; but a typing error is better told here.
fn label_selector(text: &str) -> Result<String, SelectorError> {
    text.parse::<LabelSelector>().map(|_| text.to_owned())
}

/// A field selector.
fn field_selector(text: &str) -> Result<String, SelectorError> {
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

/// Whether providers of models are asked if they take the keys.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Args)]
pub(crate) struct AuthCheck {
    /// Do not have providers asked whether they take the keys of models
    #[arg(long, action = ArgAction::SetTrue)]
    pub(crate) skip_auth_check: bool,
}

impl AuthCheck {
    /// The same for a request about one object.
    pub(crate) fn of_change(self) -> ChangeParameters {
        ChangeParameters {
            skip_auth_check: self.skip_auth_check.then_some(true),
        }
    }
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
