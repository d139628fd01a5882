//! `reject`: what is proposed is not made so.

use clap::Args;
use clap_complete::ArgValueCompleter;
use orch_shared::kind::Action;
use orch_shared::route;
use orch_shared::wire::Reject;

use super::able;
use crate::args::targets;
use crate::client::Call;
use crate::complete;
use crate::report::{Failure, Outcome};
use crate::settings::Settings;

/// Reject what is proposed, such as a prompt
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl get promptrequests -p web                 what waits
  orchctl reject promptrequest tone-x7k2p -p web
  orchctl reject pr/tone-x7k2p -p web --reason 'We have a prompt for this.'
")]
pub(crate) struct Arguments {
    /// Objects: KIND NAME... or KIND/NAME...
    #[arg(value_name = "OBJECTS", required = true, add = ArgValueCompleter::new(complete::targets))]
    targets: Vec<String>,
    /// Why, in words, for whoever proposed it
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

/// Rejects.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let objects = targets::objects(settings, &arguments.targets)?;
    able(&objects, Action::Reject)?;
    for object in objects {
        let how = Reject {
            reason: arguments.reason.clone(),
        };
        let call = Call::post(route::action(&object, Action::Reject), &how);
        settings.client()?.send_to(&settings.ui, &object, &call)?;
        settings.ui.line(&format!("{object}   rejected"))?;
    }
    Ok(Outcome::Done)
}
