//! `diff`: what apply would change, object by object. Exits 0 when nothing would, 1 when something would.

use clap::{ArgAction, Args};
use orch_shared::apply::{Request, Verdict};
use orch_shared::diff::{Change, unified};
use orch_shared::kind::AnySpec;
use orch_shared::manifest::{Objects, resource, to_yaml};
use orch_shared::path::{FieldPath, Segment};
use orch_shared::resource::Resource;

use super::apply::{self, Membership};
use super::describe::MASK;
use super::outcomes::{self, Mood};
use crate::args::shared::Files;
use crate::input;
use crate::render::fields;
use crate::report::{Failure, Outcome};
use crate::settings::Settings;
use crate::ui::{Stream, Tone};

/// Show what apply would change. Exits 1 when it would change anything
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl diff -f team/
  orchctl diff -f team/ --set team --prune      also what would be pruned
  orchctl diff -f team/ -q && echo nothing to do
")]
pub(crate) struct Arguments {
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    membership: Membership,
    /// Only name the objects that differ
    #[arg(long, action = ArgAction::SetTrue)]
    name_only: bool,
}

/// Compares.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    compare(arguments, settings).map_err(|failure| match failure {
        Failure::Closed | Failure::Interrupted => failure,
        other => Failure::NotAnswered(Box::new(other)),
    })
}

fn compare(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let objects = input::objects(&arguments.files.files, "nothing was compared")?;
    let request = Request {
        dry_run: true,
        ..apply::request(&objects, &arguments.membership)
    };
    let response = apply::send(settings, &request, Some(&objects))?;
    let mut ended = Outcome::Done;
    for outcome in response
        .results
        .iter()
        .filter(|outcome| outcome.verdict != Verdict::Unchanged)
    {
        ended = Outcome::Differs;
        if arguments.name_only {
            settings.ui.line(&outcome.object.to_string())?;
            continue;
        }
        let live = match outcome.verdict {
            Verdict::Created => None,
            Verdict::Configured | Verdict::Pruned | Verdict::Unchanged => settings
                .client()?
                .find(&settings.ui, &outcome.object)?
                .and_then(|live| resource(&live.manifest()).ok()),
        };
        let declared = declared(&objects, outcome.verdict, &outcome.object);
        let (before, after) = texts(live, declared, &outcome.changes);
        settings.ui.line(
            &settings
                .ui
                .paint(Stream::Data, Tone::Strong, &outcome.object.to_string()),
        )?;
        settings.ui.write(&settings.ui.diff(&unified(&before, &after)))?;
        // Membership of a set stands in no manifest.
        let moved: Vec<Change> = outcome
            .changes
            .iter()
            .filter(|change| is_of_status(change))
            .cloned()
            .collect();
        if !moved.is_empty() {
            settings.ui.line(&format!("  {}", fields::changes(&moved, None)))?;
        }
    }
    outcomes::warn(settings, &response.results);
    settings.ui.say(&outcomes::summary(&response.results, Mood::Would));
    Ok(ended)
}

fn declared(objects: &Objects, verdict: Verdict, object: &orch_shared::name::ObjectRef) -> Option<Resource> {
    match verdict {
        Verdict::Pruned => None,
        Verdict::Created | Verdict::Configured | Verdict::Unchanged => {
            let found = objects
                .objects
                .iter()
                .find(|declared| declared.resource.reference() == *object);
            found.map(|declared| declared.resource.clone())
        }
    }
}

fn is_of_status(change: &Change) -> bool {
    change.path.segments().first() == Some(&Segment::Key("status".to_owned()))
}

/// Both manifests as text, secret values masked: equal where they are equal, different where they differ.
fn texts(live: Option<Resource>, declared: Option<Resource>, changes: &[Change]) -> (String, String) {
    // Only of the spec: a label may be called like a secret value's key.
    let in_spec = |path: &FieldPath| path.segments().first() == Some(&Segment::Key("spec".to_owned()));
    let changed = |key: &str| {
        let last = Some(Segment::Key(key.to_owned()));
        let is_it = |change: &Change| in_spec(&change.path) && change.path.segments().last() == last.as_ref();
        changes.iter().any(is_it)
    };
    let masked = |resource: Option<Resource>, differs: &str| match resource {
        Some(mut resource) => {
            mask(resource.spec.as_mut(), changed, differs);
            to_yaml(&resource.manifest())
        }
        None => String::new(),
    };
    (masked(live, "(before)"), masked(declared, "(after)"))
}

fn mask(spec: &mut dyn AnySpec, changed: impl Fn(&str) -> bool, differs: &str) {
    for secret in spec.secret_values() {
        *secret.value = if changed(secret.key) {
            format!("{MASK} {differs}")
        } else {
            MASK.to_owned()
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn secret(data: &serde_json::Value) -> Option<Resource> {
        let object = json!({"apiVersion": "orchctl.dev/v1", "kind": "Secret", "metadata": {"name": "s"}, "spec": {"data": data}});
        Some(resource(&object).unwrap())
    }

    #[test]
    fn secret_values_are_compared_and_never_shown() {
        let change = |path: &str| Change {
            path: FieldPath::parse(path),
            from: None,
            to: None,
        };
        // A label that is called like a key is another thing.
        let changes = [change("spec.data.b"), change("metadata.labels.a")];
        let live = secret(&json!({"a": "sealed:v1:k:AAAA", "b": "sealed:v1:k:BBBB"}));
        let declared = secret(&json!({"a": "hunter1", "b": "hunter2", "c": "hunter3"}));
        let (before, after) = texts(live, declared, &changes);
        let diff = unified(&before, &after);
        assert!(!diff.contains("hunter") && !diff.contains("sealed"), "{diff}");
        let expected = "     a: \"***\"\n-    b: \"*** (before)\"\n+    b: \"*** (after)\"\n+    c: \"***\"\n";
        assert!(diff.ends_with(expected), "{diff}");
    }
}
