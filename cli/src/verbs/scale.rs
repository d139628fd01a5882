//! `scale`: another number of replicas, until the next apply.

use clap::Args;
use clap_complete::ArgValueCompleter;
use orch_shared::kind::Action;
use orch_shared::route;
use orch_shared::wire::Scale;

use super::{able, rehearsal, wait};
use crate::args::shared::{AuthCheck, DryRun, Rehearsal, Waiting};
use crate::args::targets;
use crate::client::{Call, Object};
use crate::complete;
use crate::report::{Failure, Outcome};
use crate::settings::Settings;

/// Set the number of replicas, until the next apply
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl scale server files --replicas 3
  orchctl scale server/files server/gitea --replicas 0     not running
  orchctl scale server files --replicas 3 --wait
")]
pub(crate) struct Arguments {
    /// Objects: KIND NAME... or KIND/NAME...
    #[arg(value_name = "OBJECTS", required = true, add = ArgValueCompleter::new(complete::targets))]
    targets: Vec<String>,
    /// How many copies to keep running
    #[arg(long, value_name = "NUMBER", value_parser = number, allow_negative_numbers = true)]
    replicas: u32,
    #[command(flatten)]
    rehearsal: Rehearsal,
    #[command(flatten)]
    waiting: Waiting,
}

fn number(text: &str) -> Result<u32, String> {
    text.parse()
        .map_err(|_| format!("`{text}` is no number of copies; write 0, 1, 2, ..."))
}

/// Scales.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let objects = targets::objects(settings, &arguments.targets)?;
    able(&objects, Action::Scale)?;
    let (client, replicas) = (settings.client()?, arguments.replicas);
    if arguments.rehearsal.dry_run != DryRun::None {
        for object in &objects {
            let live = client.object(&settings.ui, object)?;
            let mut manifest = live.manifest();
            if let Some(mut spec) = live.typed_spec() {
                spec.scale(replicas);
                manifest["spec"] = spec.to_value();
            }
            let place = arguments.rehearsal.dry_run;
            rehearsal::check(
                settings,
                place,
                object,
                &manifest,
                AuthCheck::default(),
                "it would not be scaled",
            )?;
            settings.ui.line(&format!("{object}   would be scaled to {replicas}"))?;
        }
        rehearsal::end(settings, arguments.rehearsal.dry_run);
        return Ok(Outcome::Done);
    }
    let mut moved = false;
    for object in &objects {
        let before = client.object(&settings.ui, object)?.generation();
        let call = Call::post(route::action(object, Action::Scale), &Scale { replicas });
        let after: Object = client
            .send(&settings.ui, &call)
            .map_err(|failure| rehearsal::worded(failure, object, "it was not scaled"))?
            .json()?;
        if after.generation() == before {
            settings.ui.line(&format!("{object}   unchanged"))?;
        } else {
            settings.ui.line(&format!("{object}   scaled to {replicas}"))?;
            moved = true;
        }
    }
    if moved {
        settings
            .ui
            .say("the next apply sets it back, unless the manifest says the same");
    }
    if arguments.waiting.wait {
        settings.ui.flush()?;
        wait::until_ready(settings, &objects, arguments.waiting.timeout.0)?;
    }
    Ok(Outcome::Done)
}
