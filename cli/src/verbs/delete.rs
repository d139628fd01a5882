//! `delete`: objects and what belongs to them, all or none of those named; by default until they are really gone.

use clap::{ArgAction, Args};
use orch_shared::name::ObjectRef;
use orch_shared::problem::Code;
use orch_shared::route;
use orch_shared::wire::{Deleted, Deletion};

use super::rehearsal;
use super::wait::{self, Goal};
use crate::args::shared::{DryRun, Rehearsal};
use crate::args::targets::Chosen;
use crate::args::{Limit, limit};
use crate::client::Call;
use crate::report::{Failure, Outcome};
use crate::settings::Settings;

/// Delete objects, and wait until they are gone
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl delete server files
  orchctl delete -f team/                                    all of a folder
  orchctl delete secret gitea --with-dependents --dry-run    what would go along
")]
pub(crate) struct Arguments {
    #[command(flatten)]
    chosen: Chosen,
    /// Delete the objects that refer to them, too
    #[arg(long, action = ArgAction::SetTrue)]
    with_dependents: bool,
    #[command(flatten)]
    rehearsal: Rehearsal,
    /// Say nothing, and succeed, when a named object is not there
    #[arg(long, action = ArgAction::SetTrue)]
    ignore_not_found: bool,
    /// Whether to wait until they are gone
    #[arg(long, default_value_t = true, num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    #[arg(action = ArgAction::Set, value_name = "BOOL")]
    wait: bool,
    /// How long to wait
    #[arg(long, default_value = "60s", value_parser = limit, value_name = "DURATION")]
    timeout: Limit,
}

/// Deletes.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let objects = arguments.chosen.objects(settings, "nothing was deleted")?;
    if objects.is_empty() {
        settings.ui.say("nothing is selected; nothing was deleted");
        return Ok(Outcome::Done);
    }
    let place = arguments.rehearsal.dry_run;
    if place == DryRun::Client {
        objects
            .iter()
            .try_for_each(|object| settings.ui.line(&format!("{object}   would be deleted")))?;
        rehearsal::end(settings, place);
        return Ok(Outcome::Done);
    }
    let deleted = delete(arguments, settings, &objects)?;
    let say = |object: &ObjectRef, fate: &str| settings.ui.line(&format!("{object}   {fate}"));
    match (deleted.dry_run, arguments.wait) {
        (true, _) => deleted
            .objects
            .iter()
            .try_for_each(|object| say(object, "would be deleted"))?,
        (false, false) => deleted
            .objects
            .iter()
            .try_for_each(|object| say(object, "is being deleted"))?,
        // It is told once it is true.
        (false, true) => wait::until(
            settings,
            &deleted.objects,
            &Goal::Deleted,
            arguments.timeout.0,
            |object| say(object, "deleted"),
        )?,
    }
    let fate = match deleted.dry_run {
        true => "would be as it came with the daemon",
        false => "is as it came with the daemon",
    };
    deleted.reset.iter().try_for_each(|object| say(object, fate))?;
    rehearsal::end(settings, place);
    Ok(Outcome::Done)
}

/// Deletes objects as one: all of them or none.
fn delete(arguments: &Arguments, settings: &Settings, objects: &[ObjectRef]) -> Result<Deleted, Failure> {
    let deletion = Deletion {
        objects: objects.to_vec(),
        dry_run: arguments.rehearsal.dry_run == DryRun::Server,
        with_dependents: arguments.with_dependents,
        ignore_not_found: arguments.ignore_not_found,
    };
    let call = Call::post(route::DELETE, &deletion).with_time();
    let answer = settings.client()?.send(&settings.ui, &call);
    let answer = answer.map_err(|failure| match (failure.code(), objects) {
        (Some(Code::InUse), [object]) => {
            let spelled = wait::spelled(object);
            failure.hint_instead(format!(
                "change or delete it first; what would go along: orchctl delete {spelled} --with-dependents --dry-run"
            ))
        }
        (Some(Code::InUse), _) => failure.hint_instead(
            "nothing was deleted; what would go along: the same command with --with-dependents --dry-run",
        ),
        (_, _) => failure,
    });
    answer?.json()
}
