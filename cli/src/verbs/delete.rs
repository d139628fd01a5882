//! `delete`: objects and what belongs to them; by default until they are really gone.

use clap::{ArgAction, Args};
use clap_complete::ArgValueCompleter;
use orch_shared::kind::{Kind, Maker};
use orch_shared::name::ObjectRef;
use orch_shared::problem::Code;
use orch_shared::route;
use orch_shared::wire::{DeleteParameters, Deleted};

use super::rehearsal;
use super::wait::{self, Goal};
use crate::args::shared::{DryRun, Files, Rehearsal, Selectors};
use crate::args::targets::{self, Target};
use crate::args::{Limit, limit};
use crate::client::{Call, Object, Scopes, Selection};
use crate::complete;
use crate::input;
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
    /// Objects: KIND NAME..., KIND/NAME..., or KIND with -l or --all
    #[arg(value_name = "OBJECTS", add = ArgValueCompleter::new(complete::targets))]
    targets: Vec<String>,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    selectors: Selectors,
    /// All objects of the kind
    #[arg(long, action = ArgAction::SetTrue)]
    all: bool,
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
    let mut objects = wanted(arguments, settings)?;
    if objects.is_empty() {
        settings.ui.say("nothing is selected; nothing was deleted");
        return Ok(Outcome::Done);
    }
    // What refers goes before what it refers to, so that nothing is in the way of the rest.
    let order = Kind::in_apply_order();
    objects.sort_by_key(|object| std::cmp::Reverse(order.iter().position(|kind| *kind == object.kind)));
    let place = arguments.rehearsal.dry_run;
    if place == DryRun::Client {
        objects
            .iter()
            .try_for_each(|object| settings.ui.line(&format!("{object}   would be deleted")))?;
        rehearsal::end(settings, place);
        return Ok(Outcome::Done);
    }
    let waits = arguments.wait && place == DryRun::None;
    let client = settings.client()?;
    let parameters = DeleteParameters {
        dry_run: (place == DryRun::Server).then_some(true),
        with_dependents: arguments.with_dependents.then_some(true),
    };
    let mut failures = Vec::new();
    let mut gone: Vec<ObjectRef> = Vec::new();
    for object in &objects {
        if gone.contains(object) {
            continue;
        }
        let call = |parameters: &DeleteParameters| {
            let call = Call::delete(route::object(object)).query(parameters);
            client.send(&settings.ui, &call)?.json::<Deleted>()
        };
        let mut answer = call(&parameters);
        if place == DryRun::Server && is_in_use(&answer) {
            // Whoever refers to it goes before it, when all of these are to go.
            let along = DeleteParameters {
                with_dependents: Some(true),
                ..parameters
            };
            let goes_too =
                |one: &ObjectRef| objects.contains(one) || gone.contains(one) || one.kind.meta().maker == Maker::Daemon;
            let all = call(&along)?;
            if all.objects.iter().all(goes_too) {
                answer = Ok(all);
            }
        }
        match answer {
            Ok(deleted) => {
                for object in deleted.objects {
                    if gone.contains(&object) {
                        continue;
                    }
                    match (deleted.dry_run, waits) {
                        (true, _) => settings.ui.line(&format!("{object}   would be deleted"))?,
                        (false, false) => settings.ui.line(&format!("{object}   is being deleted"))?,
                        // It is told once it is true.
                        (false, true) => {}
                    }
                    gone.push(object);
                }
            }
            Err(failure) if arguments.ignore_not_found && failure.code() == Some(Code::NotFound) => {}
            Err(failure) if failure.code() == Some(Code::InUse) => {
                let spelled = wait::spelled(object);
                failures.push(failure.hint_instead(format!(
                    "change or delete it first; what would go along: orchctl delete {spelled} --with-dependents --dry-run"
                )));
            }
            Err(failure) => failures.push(failure),
        }
    }
    if waits {
        wait::until(settings, &gone, &Goal::Deleted, arguments.timeout.0, |object| {
            settings.ui.line(&format!("{object}   deleted"))
        })
        .unwrap_or_else(|failure| failures.push(failure));
    }
    rehearsal::end(settings, place);
    match failures.len() {
        0 => Ok(Outcome::Done),
        1 => Err(failures.remove(0)),
        _ => Err(Failure::Several(failures)),
    }
}

fn is_in_use(answer: &Result<Deleted, Failure>) -> bool {
    answer
        .as_ref()
        .is_err_and(|failure| failure.code() == Some(Code::InUse))
}

fn wanted(arguments: &Arguments, settings: &Settings) -> Result<Vec<ObjectRef>, Failure> {
    if !arguments.files.files.is_empty() {
        let objects = input::objects(&arguments.files.files, "nothing was deleted")?.objects;
        return Ok(objects.iter().map(|object| object.resource.reference()).collect());
    }
    let selectors = &arguments.selectors;
    let selects = arguments.all || selectors.selector.is_some() || selectors.field_selector.is_some();
    let mut objects = Vec::new();
    for target in targets::targets(settings, &arguments.targets)? {
        match target {
            Target::Object(object) => objects.push(object),
            Target::Kind(kind) if selects => {
                let scope = if selectors.all_scopes {
                    Scopes::All
                } else {
                    Scopes::One(settings.scope(kind)?)
                };
                let selection = Selection {
                    labels: selectors.selector.clone(),
                    fields: selectors.field_selector.clone(),
                    scope,
                };
                let page = settings.client()?.list(&settings.ui, kind, &selection, None)?;
                objects.extend(page.items.iter().map(Object::reference));
            }
            Target::Kind(kind) => {
                let plural = kind.meta().plural;
                return Err(Failure::usage(format!("which {plural}?")).hint(format!(
                    "name them, select them with -l, or all of them: orchctl delete {plural} --all"
                )));
            }
        }
    }
    Ok(objects)
}
