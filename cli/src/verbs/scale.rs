//! `scale`: another number of replicas, until the next apply.

use clap::Args;
use clap_complete::ArgValueCompleter;
use orch_shared::kind::Action;
use orch_shared::route;
use orch_shared::wire::Scale;

use super::{able, wait};
use crate::args::{Limit, limit, targets};
use crate::client::Call;
use crate::complete;
use crate::report::{Failure, Outcome};
use crate::settings::Settings;

/// Set the number of replicas, until the next apply
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl scale server files --replicas 3
  orchctl scale server/files server/gitea --replicas 0     declared, but not running
  orchctl scale server files --replicas 3 --wait
")]
pub(crate) struct Arguments {
    /// Objects: KIND NAME... or KIND/NAME...
    #[arg(value_name = "OBJECTS", required = true, add = ArgValueCompleter::new(complete::targets))]
    targets: Vec<String>,
    /// How many copies to keep running
    #[arg(long, value_name = "NUMBER")]
    replicas: u32,
    /// Wait until they are ready
    #[arg(long, action = clap::ArgAction::SetTrue)]
    wait: bool,
    /// How long to wait
    #[arg(long, default_value = "60s", value_parser = limit, value_name = "DURATION", requires = "wait")]
    timeout: Limit,
}

/// Scales.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let objects = targets::objects(settings, &arguments.targets)?;
    able(&objects, Action::Scale)?;
    for object in &objects {
        let call = Call::post(
            route::action(object, Action::Scale),
            &Scale {
                replicas: arguments.replicas,
            },
        );
        settings.client()?.send(&settings.ui, &call)?;
        settings
            .ui
            .line(&format!("{object}   scaled to {}", arguments.replicas))?;
    }
    settings
        .ui
        .say("the next apply sets it back, unless the manifest says the same");
    if arguments.wait {
        settings.ui.flush()?;
        wait::until_ready(settings, &objects, arguments.timeout.0)?;
    }
    Ok(Outcome::Done)
}
