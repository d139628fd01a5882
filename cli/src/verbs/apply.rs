//! `apply`: makes the daemon's objects what the files say, all of them or none.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::{ArgAction, Args, ValueHint};
use orch_shared::apply::{Plan, Request, Response, Verdict};
use orch_shared::manifest::{Limits, Objects, parse};
use orch_shared::name::ObjectRef;
use orch_shared::problem::{Code, Problem};
use orch_shared::route;
use serde_json::Value;

use super::credentials::{self, Keeper};
use super::outcomes::{self, Mood};
use super::wait;
use crate::args::shared::{AuthCheck, DryRun, Files, Rehearsal};
use crate::args::{Limit, limit};
use crate::client::Call;
use crate::input;
use crate::render::document::{self, Format};
use crate::report::{Failure, Outcome};
use crate::settings::Settings;

/// Make objects what the files say: all of them, or none
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl apply -f team/                         everything in a folder
  orchctl apply -f team/ --set team --prune      and delete what is not in it
  orchctl get server/files -o yaml | orchctl apply -f -
")]
pub(crate) struct Arguments {
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    membership: Membership,
    #[command(flatten)]
    auth: AuthCheck,
    /// Do what a reviewed plan says, unless anything has moved since
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    #[arg(conflicts_with_all = ["files", "set", "prune", "take_over", "dry_run"])]
    plan: Option<PathBuf>,
    #[command(flatten)]
    rehearsal: Rehearsal,
    /// Keep the credentials of Tokens that are made in this file, which nobody else may read, instead of showing them
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "dry_run")]
    credentials_to: Option<PathBuf>,
    /// Wait until everything applied is ready
    #[arg(long, action = ArgAction::SetTrue)]
    wait: bool,
    /// How long to wait
    #[arg(long, default_value = "5m", value_parser = limit, value_name = "DURATION", requires = "wait")]
    timeout: Limit,
    /// Form
    #[arg(short, long, default_value = "table", value_name = "FORM")]
    output: Format,
}

/// Which set objects belong to.
#[derive(Debug, Clone, Default, Args)]
pub(super) struct Membership {
    /// Make the objects members of this set
    #[arg(long, value_name = "NAME")]
    pub(super) set: Option<String>,
    /// Delete members of the set that the files no longer hold
    #[arg(long, action = ArgAction::SetTrue, requires = "set")]
    pub(super) prune: bool,
    /// Move objects of other sets to this one
    #[arg(long, action = ArgAction::SetTrue, requires = "set")]
    pub(super) take_over: bool,
}

/// Applies.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let response = match &arguments.plan {
        Some(path) => apply_plan(path, arguments, settings)?,
        None => {
            let objects = input::objects(&arguments.files.files, "nothing was applied")?;
            match arguments.rehearsal.dry_run {
                DryRun::Client => return only_read(&objects, settings),
                DryRun::Server | DryRun::None => apply_files(&objects, arguments, settings)?,
            }
        }
    };
    if arguments.wait && arguments.rehearsal.dry_run == DryRun::None {
        let there = response
            .results
            .iter()
            .filter(|outcome| outcome.verdict != Verdict::Pruned);
        let there: Vec<ObjectRef> = there.map(|outcome| outcome.object.clone()).collect();
        wait::until_ready(settings, &there, arguments.timeout.0)?;
    }
    Ok(Outcome::Done)
}

/// The request that applies objects.
pub(super) fn request(objects: &Objects, membership: &Membership) -> Request {
    Request {
        objects: objects
            .objects
            .iter()
            .map(|object| object.resource.manifest())
            .collect(),
        set: membership.set.clone(),
        prune: membership.prune,
        take_over: membership.take_over,
        dry_run: false,
        skip_auth_check: false,
        expect: None,
    }
}

/// Has the daemon work out, or do, what a request asks for.
pub(super) fn send(settings: &Settings, request: &Request, objects: Option<&Objects>) -> Result<Response, Failure> {
    let progress = settings.ui.progress(match request.objects.len() {
        1 => "applying 1 object".to_owned(),
        count => format!("applying {count} objects"),
    });
    let call = Call::post(route::APPLY, request).until_gone().with_time();
    let answer = settings.client()?.send(&settings.ui, &call);
    drop(progress);
    match (answer, objects) {
        (Ok(answer), _) => answer.json(),
        (Err(failure), Some(objects)) => Err(input::located(failure, objects, "nothing was applied")),
        (Err(failure), None) => Err(failure),
    }
}

fn apply_files(objects: &Objects, arguments: &Arguments, settings: &Settings) -> Result<Response, Failure> {
    let mood = match arguments.rehearsal.dry_run {
        DryRun::None => Mood::Done,
        DryRun::Server | DryRun::Client => Mood::Would,
    };
    let request = Request {
        dry_run: mood == Mood::Would,
        skip_auth_check: arguments.auth.skip_auth_check,
        ..request(objects, &arguments.membership)
    };
    let keeper = keeper(arguments)?;
    let mut response = send(settings, &request, Some(objects))?;
    keep(&mut response, keeper, settings)?;
    show(&response, &request, mood, arguments, settings)?;
    Ok(response)
}

fn apply_plan(path: &Path, arguments: &Arguments, settings: &Settings) -> Result<Response, Failure> {
    let mut plan = read_plan(path)?;
    plan.request.skip_auth_check |= arguments.auth.skip_auth_check;
    let keeper = keeper(arguments)?;
    let mut response = send(settings, &plan.request, None).map_err(|failure| {
        failure.hint(format!(
            "make the plan again: orchctl plan -f ... -o {}",
            path.display()
        ))
    })?;
    keep(&mut response, keeper, settings)?;
    show(&response, &plan.request, Mood::Done, arguments, settings)?;
    Ok(response)
}

/// Where what is made and must not be shown is to be kept, when that is asked for.
fn keeper(arguments: &Arguments) -> Result<Option<Keeper>, Failure> {
    arguments.credentials_to.as_deref().map(Keeper::open).transpose()
}

fn keep(response: &mut Response, keeper: Option<Keeper>, settings: &Settings) -> Result<(), Failure> {
    match keeper {
        Some(keeper) => keeper.keep(settings, &mut response.results),
        None => Ok(()),
    }
}

fn show(
    response: &Response,
    request: &Request,
    mood: Mood,
    arguments: &Arguments,
    settings: &Settings,
) -> Result<(), Failure> {
    if let Some(text) = document::text(arguments.output, response) {
        outcomes::warn(settings, &response.results);
        settings.ui.write(&text)?;
        credentials::caution_of(settings, &response.results);
        return Ok(());
    }
    let manifests: HashMap<ObjectRef, Value> = request
        .objects
        .iter()
        .filter_map(|object| {
            Some((
                orch_shared::manifest::resource(object).ok()?.reference(),
                object.clone(),
            ))
        })
        .collect();
    outcomes::show(settings, &response.results, &manifests)?;
    credentials::show(settings, &response.results)?;
    let summary = outcomes::summary(&response.results, mood);
    settings.ui.say(&match mood {
        Mood::Done => format!("{summary} · revision {}", response.revision),
        Mood::Would => format!("{summary} · nothing was written (dry run)"),
    });
    Ok(())
}

fn only_read(objects: &Objects, settings: &Settings) -> Result<Outcome, Failure> {
    for object in &objects.objects {
        settings.ui.line(&format!("{}   sound", object.resource.reference()))?;
    }
    let count = match objects.objects.len() {
        1 => "1 object".to_owned(),
        count => format!("{count} objects"),
    };
    settings
        .ui
        .say(&format!("{count} can be read · the daemon was not asked (dry run)"));
    Ok(Outcome::Done)
}

fn read_plan(path: &Path) -> Result<Plan, Failure> {
    let text = std::fs::read(path).map_err(|error| Failure::file("read the plan", path, &error))?;
    let broken = |detail: String| {
        Failure::from(Problem::new(
            Code::LocalFile,
            format!("{} is not a plan: {detail}", path.display()),
        ))
        .hint("plans are made by: orchctl plan -f FILE -o PLAN")
    };
    let mut parsed = parse(&text, &Limits::default());
    if let Some(problem) = parsed.problems.first() {
        return Err(broken(format!("{} {}", problem.position, problem.message)));
    }
    let document = parsed.documents.pop().ok_or_else(|| broken("it is empty".to_owned()))?;
    match document.value.get("format").and_then(Value::as_str) {
        Some(Plan::FORMAT) => {}
        Some(other) => {
            return Err(broken(format!(
                "its format is {other}, and this program reads {}",
                Plan::FORMAT
            )));
        }
        None => return Err(broken("it names no format".to_owned())),
    }
    let plan: Plan = serde_json::from_value(document.value).map_err(|error| broken(error.to_string()))?;
    match plan.request.expect {
        Some(_) => Ok(plan),
        None => Err(broken("it does not say what it saw".to_owned())),
    }
}
