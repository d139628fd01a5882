//! `revoke`: a token opens nothing from now on, and stays to be looked at.

use clap::Args;
use clap_complete::ArgValueCompleter;
use orch_shared::kind::Action;

use super::act;
use crate::complete;
use crate::report::{Failure, Outcome};
use crate::settings::Settings;

/// End tokens, and keep them to be looked at
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl revoke token/ci
  orchctl revoke token ci deploy -p web
  orchctl delete token ci               gone, with all that is known of it
")]
pub(crate) struct Arguments {
    /// Objects: KIND NAME... or KIND/NAME...
    #[arg(value_name = "OBJECTS", required = true, add = ArgValueCompleter::new(complete::targets))]
    targets: Vec<String>,
}

/// Revokes.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    act(settings, &arguments.targets, Action::Revoke, "revoked")
}
