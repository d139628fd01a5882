//! `revoke`: a token opens nothing from now on, and stays to be looked at.

use clap::Args;
use clap_complete::ArgValueCompleter;
use orch_shared::kind::Action;
use orch_shared::route;

use super::able;
use crate::args::targets;
use crate::client::Call;
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
    let objects = targets::objects(settings, &arguments.targets)?;
    able(&objects, Action::Revoke)?;
    for object in objects {
        let call = Call::post(route::action(&object, Action::Revoke), &serde_json::json!({}));
        settings.client()?.send_to(&settings.ui, &object, &call)?;
        settings.ui.line(&format!("{object}   revoked"))?;
    }
    Ok(Outcome::Done)
}
