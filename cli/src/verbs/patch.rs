//! `patch`: some fields of an object, by a merge patch (RFC 7396): what is null goes, what is absent stays.

use std::path::Path;

use clap::{Args, ValueHint};
use clap_complete::ArgValueCompleter;
use orch_shared::diff;
use orch_shared::manifest::{Limits, parse};
use orch_shared::name::ObjectRef;
use orch_shared::route;
use serde_json::Value;

use super::rehearsal;
use crate::args::shared::{AuthCheck, DryRun, Rehearsal};
use crate::args::targets;
use crate::client::{Call, Object};
use crate::complete;
use crate::render::fields;
use crate::report::{Failure, Outcome};
use crate::settings::Settings;

/// Change some fields of an object
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl patch server files -P '{\"spec\": {\"replicas\": 2}}'
  orchctl patch server files -P 'spec: {healthCheck: null}'   null: remove it
  orchctl patch server files --patch-file patch.yaml
")]
pub(crate) struct Arguments {
    /// Object: KIND NAME or KIND/NAME
    #[arg(value_name = "OBJECT", required = true, add = ArgValueCompleter::new(complete::targets))]
    target: Vec<String>,
    /// The patch, as JSON or YAML
    #[arg(short = 'P', long, value_name = "PATCH")]
    patch: Option<String>,
    /// A file that holds the patch
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with = "patch")]
    patch_file: Option<String>,
    #[command(flatten)]
    auth: AuthCheck,
    #[command(flatten)]
    rehearsal: Rehearsal,
}

/// Patches.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let patch = read(arguments, settings)?;
    let object = targets::object(settings, &arguments.target)?;
    let client = settings.client()?;
    let before = client.object(&settings.ui, &object)?;
    keeps_identity(&object, &patch)?;
    let (manifest, done) = match arguments.rehearsal.dry_run {
        DryRun::None => {
            let call = Call::patch(route::object(&object), &patch)
                .if_match(&before.etag())
                .query(&arguments.auth.of_change());
            let answer = client.send(&settings.ui, &call);
            let answer = answer.map_err(|failure| rehearsal::worded(failure, &object, "it was not changed"))?;
            (answer.json::<Object>()?.manifest(), "patched")
        }
        place @ (DryRun::Client | DryRun::Server) => {
            let mut manifest = before.manifest();
            diff::merge(&mut manifest, &patch);
            rehearsal::check(
                settings,
                place,
                &object,
                &manifest,
                arguments.auth,
                "it would not be changed",
            )?;
            (manifest, "would be patched")
        }
    };
    let changes = fields::changes(&diff::changes(&before.manifest(), &manifest), Some(&manifest));
    if changes.is_empty() {
        settings.ui.line(&format!("{object}   unchanged"))?;
    } else {
        settings.ui.line(&format!("{object}   {done}   {changes}"))?;
    }
    rehearsal::end(settings, arguments.rehearsal.dry_run);
    Ok(Outcome::Done)
}

/// A patch may say again what an object is, but not that it is another.
fn keeps_identity(object: &ObjectRef, patch: &Value) -> Result<(), Failure> {
    let refuse = |what: &str| {
        Err(Failure::usage(format!(
            "a patch does not change the {what} of an object"
        )))
    };
    match (patch.get("kind"), patch.get("metadata")) {
        (Some(kind), _) if kind.as_str() != Some(object.kind.as_str()) => refuse("kind"),
        (_, Some(Value::Null)) => refuse("name"),
        (_, _) => Ok(()),
    }
}

fn read(arguments: &Arguments, settings: &Settings) -> Result<Value, Failure> {
    let (name, text) = match (&arguments.patch, &arguments.patch_file) {
        (Some(text), _) => ("the patch", text.clone().into_bytes()),
        (None, Some(path)) => {
            let text = std::fs::read(path).map_err(|error| Failure::file("read", Path::new(path), &error))?;
            (path.as_str(), text)
        }
        (None, None) => {
            // kubectl's -p is the patch.
            let project = settings.flags().project.as_deref().unwrap_or_default();
            let is_patch = project.contains(['{', ':']);
            let failure = Failure::usage("nothing says what to change");
            return Err(match is_patch {
                true => failure.hint(format!("-p names a project; the patch is: -P '{project}'")),
                false => failure.hint("-P PATCH or --patch-file FILE"),
            });
        }
    };
    let mut parsed = parse(&text, &Limits::default());
    if let Some(problem) = parsed.problems.first() {
        return Err(Failure::usage(format!(
            "{name}: {} {}",
            problem.position, problem.message
        )));
    }
    match (parsed.documents.pop(), parsed.documents.is_empty()) {
        (Some(document), true) if document.value.is_object() => Ok(document.value),
        (_, _) => {
            Err(Failure::usage(format!("{name} is not one mapping")).hint("such as {\"spec\": {\"replicas\": 2}}"))
        }
    }
}
