//! `rotate`: another credential in the place of the one in use.

use clap::Args;
use clap_complete::ArgValueCompleter;
use orch_shared::kind::Action;
use orch_shared::route;

use super::able;
use crate::args::targets;
use crate::client::{Call, Object};
use crate::complete;
use crate::report::{Failure, Outcome};
use crate::settings::Settings;

/// Replace credentials that the daemon uses
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl rotate secretbackend bao         its token, now and not when it is due
  orchctl rotate secretbackend/bao -q
  orchctl describe secretbackend bao       how the token fares
")]
pub(crate) struct Arguments {
    /// Objects: KIND NAME... or KIND/NAME...
    #[arg(value_name = "OBJECTS", required = true, add = ArgValueCompleter::new(complete::targets))]
    targets: Vec<String>,
}

/// Rotates.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let objects = targets::objects(settings, &arguments.targets)?;
    able(&objects, Action::Rotate)?;
    for object in objects {
        // Sent once: who does not hear the answer looks before asking again.
        let call = Call::post(route::action(&object, Action::Rotate), &serde_json::json!({}))
            .with_time()
            .once();
        let _after: Object = settings.client()?.send_to(&settings.ui, &object, &call)?.json()?;
        settings.ui.line(&format!("{object}   rotated"))?;
    }
    Ok(Outcome::Done)
}
