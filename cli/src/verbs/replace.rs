//! `replace`: objects that are there become what the files say, each by itself. What is not there is not made.

use clap::{ArgAction, Args};
use orch_shared::problem::{Code, Problem};
use orch_shared::route;

use super::rehearsal;
use crate::args::shared::{AuthCheck, DryRun, Files, Rehearsal};
use crate::client::Call;
use crate::input;
use crate::report::{Failure, Outcome};
use crate::settings::Settings;

/// Replace objects that are there by what files say
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl replace -f files.yaml
  orchctl get server files -o yaml | edit-it | orchctl replace -f -
  orchctl replace -f files.yaml --force         whatever has changed meanwhile
")]
pub(crate) struct Arguments {
    #[command(flatten)]
    files: Files,
    /// Whatever has changed since the object was read
    #[arg(long, action = ArgAction::SetTrue)]
    force: bool,
    #[command(flatten)]
    auth: AuthCheck,
    #[command(flatten)]
    rehearsal: Rehearsal,
}

/// Replaces.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let objects = input::objects(&arguments.files.files, "nothing was replaced")?;
    let client = settings.client()?;
    // Everything is looked up first, so that a name that does not exist stops it before anything is done.
    let mut found = Vec::new();
    for object in &objects.objects {
        let reference = object.resource.reference();
        let live = client.find(&settings.ui, &reference)?.ok_or_else(|| {
            Failure::from(Problem::new(
                Code::NotFound,
                format!("{reference} is not there; nothing was replaced"),
            ))
            .hint("make it: orchctl apply -f ... or orchctl create -f ...")
        })?;
        found.push((object, reference, live));
    }
    let place = arguments.rehearsal.dry_run;
    if place != DryRun::None {
        if place == DryRun::Server {
            let manifests = found.iter().map(|(object, ..)| object.resource.manifest());
            rehearsal::server(settings, manifests.collect(), arguments.auth)
                .map_err(|failure| input::located(failure, &objects, "nothing would be replaced"))?;
        }
        for (_, reference, _) in &found {
            settings.ui.line(&format!("{reference}   would be replaced"))?;
        }
        rehearsal::end(settings, place);
        return Ok(Outcome::Done);
    }
    for (index, (object, reference, live)) in found.into_iter().enumerate() {
        let mut call =
            Call::put(route::object(&reference), &object.resource.manifest()).query(&arguments.auth.of_change());
        if !arguments.force {
            call = call.if_match(&live.etag());
        }
        client
            .send(&settings.ui, &call)
            .map_err(|failure| located(failure, index, &objects))?;
        settings.ui.line(&format!("{reference}   replaced"))?;
    }
    Ok(Outcome::Done)
}

/// The problem of one object, which the daemon counts as its first, at its place in the files.
pub(super) fn located(failure: Failure, index: usize, objects: &orch_shared::manifest::Objects) -> Failure {
    match failure {
        Failure::Problem(mut problem) => {
            for error in &mut problem.errors {
                error.object = index;
            }
            input::located(Failure::Problem(problem), objects, "it was not changed")
        }
        other => other,
    }
}
