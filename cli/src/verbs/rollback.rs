//! `rollback`: back to an earlier generation of the spec.

use clap::Args;
use clap_complete::ArgValueCompleter;
use orch_shared::diff;
use orch_shared::kind::Action;
use orch_shared::route;
use orch_shared::wire::Rollback;

use super::able;
use crate::args::targets;
use crate::client::Call;
use crate::complete;
use crate::render::fields;
use crate::report::{Failure, Outcome};
use crate::settings::Settings;

/// Go back to an earlier generation of an object
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl rollback server files            to the generation before this one
  orchctl rollback server files --to 3
  orchctl history server files             what there is to go back to
")]
pub(crate) struct Arguments {
    /// Object: KIND NAME or KIND/NAME
    #[arg(value_name = "OBJECT", required = true, add = ArgValueCompleter::new(complete::targets))]
    target: Vec<String>,
    /// The generation to go back to
    #[arg(long, visible_alias = "to-generation", value_name = "GENERATION")]
    to: Option<i64>,
}

/// Rolls back.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let object = targets::object(settings, &arguments.target)?;
    able(std::slice::from_ref(&object), Action::Rollback)?;
    let client = settings.client()?;
    let before = client.object(&settings.ui, &object)?;
    let call = Call::post(
        route::action(&object, Action::Rollback),
        &Rollback {
            generation: arguments.to,
        },
    );
    client.send(&settings.ui, &call)?;
    let after = client.object(&settings.ui, &object)?;
    let manifest = after.manifest();
    let changes = fields::changes(&diff::changes(&before.manifest(), &manifest), Some(&manifest));
    if changes.is_empty() {
        settings.ui.line(&format!("{object}   unchanged"))?;
    } else {
        settings.ui.line(&format!("{object}   rolled back   {changes}"))?;
        settings.ui.say("the next apply makes it what the manifest says again");
    }
    Ok(Outcome::Done)
}
