//! `restart`: the same object, started afresh.

use std::time::Instant;

use clap::Args;
use clap_complete::ArgValueCompleter;
use orch_shared::kind::Action;
use orch_shared::route;

use super::able;
use super::wait::{self, Goal};
use crate::args::{Limit, limit, targets};
use crate::client::{Call, Object};
use crate::complete;
use crate::report::{Failure, Outcome};
use crate::settings::Settings;

/// Start objects afresh
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl restart server files             replaces every copy of it
  orchctl restart instance/files-7f2c1     one copy, in place
  orchctl restart server files --wait
")]
pub(crate) struct Arguments {
    /// Objects: KIND NAME... or KIND/NAME...
    #[arg(value_name = "OBJECTS", required = true, add = ArgValueCompleter::new(complete::targets))]
    targets: Vec<String>,
    /// Wait until they are ready
    #[arg(long, action = clap::ArgAction::SetTrue)]
    wait: bool,
    /// How long to wait
    #[arg(long, default_value = "60s", value_parser = limit, value_name = "DURATION", requires = "wait")]
    timeout: Limit,
}

/// Restarts.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let objects = targets::objects(settings, &arguments.targets)?;
    able(&objects, Action::Restart)?;
    let mut restarted = Vec::new();
    for object in objects {
        let call = Call::post(route::action(&object, Action::Restart), &serde_json::json!({}));
        let after: Object = settings.client()?.send(&settings.ui, &call)?.json()?;
        settings.ui.line(&format!("{object}   restarting"))?;
        let asked = after.identity().and_then(|identity| identity.restarted_at);
        restarted.push((object, asked.unwrap_or_default()));
    }
    if arguments.wait {
        settings.ui.flush()?;
        let started = Instant::now();
        for (object, asked) in restarted {
            let left = arguments.timeout.0.saturating_sub(started.elapsed());
            wait::until(settings, &[object], &Goal::Restarted(asked), left, |object| {
                settings.ui.say(&format!("{object}   ready"));
                Ok(())
            })?;
        }
    }
    Ok(Outcome::Done)
}
