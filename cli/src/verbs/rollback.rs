//! `rollback`: back to an earlier generation of the spec.

use clap::Args;
use clap_complete::ArgValueCompleter;
use orch_shared::diff;
use orch_shared::kind::Action;
use orch_shared::kinds::server::ServerStatus;
use orch_shared::route;
use orch_shared::wire::{History, Rollback};
use serde::Deserialize as _;
use serde_json::Value;

use super::{able, history, rehearsal};
use crate::args::shared::{AuthCheck, DryRun, Rehearsal};
use crate::args::targets;
use crate::client::{Call, Object};
use crate::complete;
use crate::render::fields;
use crate::report::{Failure, Outcome};
use crate::settings::Settings;

/// Go back to an earlier generation of an object
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl rollback server files            to what was last ready before
  orchctl rollback server files --to 3
  orchctl history server files             what there is to go back to
")]
pub(crate) struct Arguments {
    /// Object: KIND NAME or KIND/NAME
    #[arg(value_name = "OBJECT", required = true, add = ArgValueCompleter::new(complete::targets))]
    target: Vec<String>,
    /// The generation to go back to; without it, of a Server the newest before this one that was ready, of any other object
    /// the one before
    #[arg(long, visible_alias = "to-generation", value_name = "GENERATION")]
    to: Option<i64>,
    #[command(flatten)]
    auth: AuthCheck,
    #[command(flatten)]
    rehearsal: Rehearsal,
}

/// Rolls back.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let object = targets::object(settings, &arguments.target)?;
    able(std::slice::from_ref(&object), Action::Rollback)?;
    let client = settings.client()?;
    let before = client.object(&settings.ui, &object)?;
    let (manifest, done) = match arguments.rehearsal.dry_run {
        DryRun::None => {
            let wanted = Rollback {
                generation: arguments.to,
            };
            let call = Call::post(route::action(&object, Action::Rollback), &wanted).query(&arguments.auth.of_change());
            let answer = client.send(&settings.ui, &call);
            let answer = answer.map_err(|failure| rehearsal::worded(failure, &object, "it was not rolled back"))?;
            (answer.json::<Object>()?.manifest(), "rolled back")
        }
        place @ (DryRun::Client | DryRun::Server) => {
            let manifest = earlier(settings, &before, arguments.to)?;
            rehearsal::check(
                settings,
                place,
                &object,
                &manifest,
                arguments.auth,
                "it would not be rolled back",
            )?;
            (manifest, "would be rolled back")
        }
    };
    let changes = fields::changes(&diff::changes(&before.manifest(), &manifest), Some(&manifest));
    if changes.is_empty() {
        settings.ui.line(&format!("{object}   unchanged"))?;
    } else {
        settings.ui.line(&format!("{object}   {done}   {changes}"))?;
        if arguments.rehearsal.dry_run == DryRun::None {
            settings.ui.say("the next apply makes it what the manifest says again");
        }
    }
    rehearsal::end(settings, arguments.rehearsal.dry_run);
    Ok(Outcome::Done)
}

/// The manifest of an earlier generation, from the history: the one that is asked for, or the one that the daemon would choose.
fn earlier(settings: &Settings, live: &Object, wanted: Option<i64>) -> Result<Value, Failure> {
    let object = live.reference();
    let answer = settings
        .client()?
        .send(&settings.ui, &Call::get(route::history(&object)))?;
    let now = live.identity().map_or(0, |identity| identity.generation);
    let ready = || {
        // Of other kinds it says nothing of that.
        ServerStatus::deserialize(&live.status).ok()?.ready_before(now)
    };
    let wanted = wanted.or_else(ready).unwrap_or(now - 1);
    let mut items = answer.json::<History>()?.items.into_iter();
    items
        .find(|entry| entry.generation == wanted)
        .map(|entry| entry.manifest)
        .ok_or_else(|| history::no_generation(&object, wanted))
}
