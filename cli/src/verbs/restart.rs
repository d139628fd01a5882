//! `restart`: the same object, started afresh.

use std::time::Instant;

use clap::Args;
use clap_complete::ArgValueCompleter;
use orch_shared::kind::Action;
use orch_shared::route;

use super::able;
use super::wait::{self, Goal};
use crate::args::shared::Waiting;
use crate::args::targets;
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
    #[command(flatten)]
    waiting: Waiting,
}

/// Restarts.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let objects = targets::objects(settings, &arguments.targets)?;
    able(&objects, Action::Restart)?;
    let mut restarted = Vec::new();
    for object in objects {
        let call = Call::post(route::action(&object, Action::Restart), &serde_json::json!({}));
        let after: Object = settings.client()?.send_to(&settings.ui, &object, &call)?.json()?;
        settings.ui.line(&format!("{object}   restarting"))?;
        let asked = after.identity().and_then(|identity| identity.restarted_at);
        restarted.push((object, asked.unwrap_or_default()));
    }
    if arguments.waiting.wait {
        settings.ui.flush()?;
        let started = Instant::now();
        for (object, asked) in restarted {
            let left = arguments.waiting.timeout.0.saturating_sub(started.elapsed());
            wait::until_said(settings, &[object], &Goal::Restarted(asked), left)?;
        }
    }
    Ok(Outcome::Done)
}
