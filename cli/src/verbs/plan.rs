//! `plan`: what apply would do, saved with what it saw, to be reviewed and applied later or not at all.

use std::collections::HashMap;
use std::path::PathBuf;

use clap::{Args, ValueHint};
use orch_shared::apply::{Expectation, Plan, Request};
use orch_shared::manifest::to_yaml;
use orch_shared::name::ObjectRef;
use serde_json::Value;

use super::apply::{self, Membership};
use super::outcomes::{self, Mood};
use super::seal::seal;
use crate::args::shared::{AuthCheck, Files};
use crate::input;
use crate::render::document;
use crate::report::{Failure, Outcome};
use crate::settings::{Settings, file};

/// Save what apply would do, to be applied later if nothing has moved
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl plan -f team/ --set team --prune -o team.plan
  orchctl apply --plan team.plan
  orchctl plan -f team/ -o -                             on standard output
")]
pub(crate) struct Arguments {
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    membership: Membership,
    #[command(flatten)]
    auth: AuthCheck,
    /// Where to save the plan; `-` for standard output. A name that ends in .json makes JSON, others YAML
    #[arg(short, long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: PathBuf,
}

/// Plans.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let mut objects = input::objects(&arguments.files.files, "nothing was planned")?;
    // A plan is passed around; nothing in it may be readable that is not readable in the daemon's own store.
    for object in &mut objects.objects {
        seal(settings, &mut object.resource)?;
    }
    let request = Request {
        skip_auth_check: arguments.auth.skip_auth_check,
        ..apply::request(&objects, &arguments.membership)
    };
    let asked = Request {
        dry_run: true,
        ..request.clone()
    };
    let response = apply::send(settings, &asked, Some(&objects))?;
    let expect = response.results.iter().map(|outcome| Expectation {
        object: outcome.object.clone(),
        uid: outcome.uid.clone(),
        generation: outcome.generation,
    });
    let plan = Plan {
        format: Plan::FORMAT.to_owned(),
        request: Request {
            expect: Some(expect.collect()),
            ..request
        },
        outcomes: response.results,
        revision: response.revision,
    };
    let value = serde_json::to_value(&plan).expect("plans are plain data");
    let is_json = arguments
        .output
        .extension()
        .is_some_and(|end| end.eq_ignore_ascii_case("json"));
    let text = if is_json {
        document::json(&value)
    } else {
        to_yaml(&value)
    };
    if arguments.output.as_os_str() == "-" {
        settings.ui.write(&text)?;
        settings.ui.say(&outcomes::summary(&plan.outcomes, Mood::Would));
        return Ok(Outcome::Done);
    }
    file::write_private(&arguments.output, text.as_bytes())?;
    let manifests: HashMap<ObjectRef, Value> = objects
        .objects
        .iter()
        .map(|object| (object.resource.reference(), object.resource.manifest()))
        .collect();
    outcomes::show(settings, &plan.outcomes, &manifests)?;
    let (summary, path) = (
        outcomes::summary(&plan.outcomes, Mood::Would),
        arguments.output.display(),
    );
    settings
        .ui
        .say(&format!("{summary} · saved; to do it: orchctl apply --plan {path}"));
    Ok(Outcome::Done)
}
