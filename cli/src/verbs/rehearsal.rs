//! What a change of single objects would do, when nothing is to be done: `--dry-run` of the verbs beside `apply`.
//!
//! Enters: objects as they would be. Leaves: nothing, or why they would be refused. On the client that is what the vocabulary
//! says; on the server it is what an apply of them would say, which goes the way of a real one and is not committed.

use orch_shared::apply::{Outcome, Request, Response};
use orch_shared::manifest::resource;
use orch_shared::name::ObjectRef;
use orch_shared::problem::{Code, Problem};
use orch_shared::route;
use serde_json::Value;

use super::outcomes;
use crate::args::shared::{AuthCheck, DryRun};
use crate::client::Call;
use crate::report::Failure;
use crate::settings::Settings;

/// Whether an object could become that. `verb` says what does not happen if not: `nothing was scaled`.
pub(super) fn check(
    settings: &Settings,
    place: DryRun,
    object: &ObjectRef,
    manifest: &Value,
    auth: AuthCheck,
    verb: &str,
) -> Result<(), Failure> {
    match place {
        DryRun::None => Ok(()),
        DryRun::Client => match resource(manifest) {
            Ok(_) => Ok(()),
            Err(problems) => {
                let mut problem = Problem::new(Code::InvalidObject, String::new());
                problem.errors = problems;
                Err(worded(problem.into(), object, verb))
            }
        },
        DryRun::Server => server(settings, vec![manifest.clone()], auth)
            .map(|_| ())
            .map_err(|failure| worded(failure, object, verb)),
    }
}

/// What the daemon says that would become of these objects.
pub(super) fn server(settings: &Settings, objects: Vec<Value>, auth: AuthCheck) -> Result<Vec<Outcome>, Failure> {
    let request = Request {
        objects,
        dry_run: true,
        skip_auth_check: auth.skip_auth_check,
        ..Request::default()
    };
    let answer = settings
        .client()?
        .send(&settings.ui, &Call::post(route::APPLY, &request).with_time())?;
    let results = answer.json::<Response>()?.results;
    outcomes::warn(settings, &results);
    Ok(results)
}

/// That nothing was done, at the end of what would be.
pub(super) fn end(settings: &Settings, place: DryRun) {
    match place {
        DryRun::None => {}
        DryRun::Client | DryRun::Server => settings.ui.say("nothing was written (dry run)"),
    }
}

/// A refusal of an object that is in no file, with the object's name and in the verb's words.
pub(super) fn worded(failure: Failure, object: &ObjectRef, verb: &str) -> Failure {
    match failure {
        Failure::Problem(mut problem) if !problem.errors.is_empty() => {
            let count = problem.errors.len();
            let plural = if count == 1 { "" } else { "s" };
            problem.detail = format!("{count} problem{plural} with {object}; {verb}");
            Failure::Problem(problem)
        }
        other => other,
    }
}
