//! `allow-trigger`: a token may start builds from now on. No manifest says so, so that nobody grants it in passing.

use clap::Args;
use clap_complete::ArgValueCompleter;
use orch_shared::kind::Action;

use super::act;
use crate::complete;
use crate::report::{Failure, Outcome};
use crate::settings::Settings;

/// Let tokens start builds. Needs the operation `trigger`
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl allow-trigger token/ci
  orchctl allow-trigger token ci -p web
  orchctl describe token ci             says whether it may
")]
pub(crate) struct Arguments {
    /// Objects: KIND NAME... or KIND/NAME...
    #[arg(value_name = "OBJECTS", required = true, add = ArgValueCompleter::new(complete::targets))]
    targets: Vec<String>,
}

/// Allows it.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    act(settings, &arguments.targets, Action::AllowTrigger, "may start builds")
}
