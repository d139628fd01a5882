//! `edit`: an object in the user's editor, and back. Nothing that was typed is ever lost.
//!
//! Guarantees: the change is made only if the object is still as it was read; a text that is refused is opened again
//! with what is wrong written above it; whatever ends the edit unfinished leaves the text in a file and says where.

use std::path::{Path, PathBuf};
use std::process::Command;

use clap::Args;
use clap_complete::ArgValueCompleter;
use orch_shared::diff;
use orch_shared::manifest::{Limits, Objects, objects, parse, to_yaml_stream};
use orch_shared::problem::Code;
use orch_shared::route;

use super::replace;
use crate::args::shared::AuthCheck;
use crate::args::targets::{self, Target};
use crate::client::{Call, Object};
use crate::complete;
use crate::render::fields;
use crate::report::{Failure, Outcome};
use crate::settings::{Settings, file};

/// What our own comments begin with; they are taken out again.
const MARK: &str = "#!";

/// Change objects in an editor
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl edit server files
  EDITOR=nano orchctl edit server/files secret/gitea
  orchctl edit prompt tone -p web
")]
pub(crate) struct Arguments {
    /// Objects: KIND NAME... or KIND/NAME...
    #[arg(value_name = "OBJECTS", required = true, add = ArgValueCompleter::new(complete::targets))]
    targets: Vec<String>,
    #[command(flatten)]
    auth: AuthCheck,
}

/// Edits.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let client = settings.client()?;
    let mut live: Vec<Object> = Vec::new();
    for target in targets::targets(settings, &arguments.targets)? {
        match target {
            Target::Object(object) => live.push(client.object(&settings.ui, &object)?),
            Target::Kind(kind) => {
                let singular = kind.meta().singular;
                return Err(Failure::usage(format!("which {singular}?")).hint(format!("orchctl edit {singular} NAME")));
            }
        }
    }
    let manifests: Vec<_> = live.iter().map(Object::manifest).collect();
    let original = to_yaml_stream(&manifests);
    let draft = Draft::new()?;
    let mut text = original.clone();
    let mut complaint = String::new();
    loop {
        draft.write(&format!("{complaint}{text}"))?;
        open_editor(&draft.path)?;
        let edited = without_marks(&draft.read()?);
        if edited.trim().is_empty() || edited == original {
            draft.discard();
            settings.ui.say("nothing was changed");
            return Ok(Outcome::Done);
        }
        if !complaint.is_empty() && edited == text {
            let kept = draft.path.display();
            return Err(Failure::Cancelled(format!(
                "it is still not right; your text is in {kept}"
            )));
        }
        match submit(settings, &live, &edited, arguments.auth) {
            Ok(()) => {
                draft.discard();
                return Ok(Outcome::Done);
            }
            Err(Refusal::Mend(failure)) => {
                crate::report::tell(&settings.ui, &failure);
                complaint = as_comment(&failure);
                text = edited;
            }
            Err(Refusal::Stop(failure)) => {
                settings.ui.tell(&format!("your text is in {}", draft.path.display()));
                return Err(failure.hint(format!(
                    "look at what has changed, then: orchctl diff -f {path}; orchctl replace -f {path}",
                    path = draft.path.display()
                )));
            }
        }
    }
}

/// Why a text was not taken.
enum Refusal {
    /// It is wrong, and can be mended in the editor.
    Mend(Failure),
    /// It is not the text's fault.
    Stop(Failure),
}

fn submit(settings: &Settings, live: &[Object], text: &str, auth: AuthCheck) -> Result<(), Refusal> {
    let parsed = vec![("your text".to_owned(), parse(text.as_bytes(), &Limits::default()))];
    let found = objects(&parsed);
    if !found.problems.is_empty() {
        return Err(Refusal::Mend(crate::input::refused(
            found.problems,
            "nothing was changed",
        )));
    }
    let changed = changed(live, &found).map_err(Refusal::Mend)?;
    for (index, before) in changed {
        let object = &found.objects[index];
        let reference = object.resource.reference();
        let manifest = object.resource.manifest();
        let call = Call::put(route::object(&reference), &manifest)
            .if_match(&before.etag())
            .query(&auth.of_change());
        let client = settings.client().map_err(Refusal::Stop)?;
        client.send(&settings.ui, &call).map_err(|failure| {
            let mendable = failure
                .code()
                .is_some_and(|code| matches!(code, Code::InvalidObject | Code::ReferenceMissing | Code::SealedValue));
            let failure = replace::located(failure, index, &found);
            if mendable {
                Refusal::Mend(failure)
            } else {
                Refusal::Stop(failure)
            }
        })?;
        let changes = fields::changes(&diff::changes(&before.manifest(), &manifest), Some(&manifest));
        settings
            .ui
            .line(&format!("{reference}   edited   {changes}"))
            .map_err(Refusal::Stop)?;
    }
    Ok(())
}

/// The objects whose text differs, each with what it was. Objects can be neither added nor renamed nor left out.
fn changed<'l>(live: &'l [Object], found: &Objects) -> Result<Vec<(usize, &'l Object)>, Failure> {
    let mut changed = Vec::new();
    for (index, object) in found.objects.iter().enumerate() {
        let reference = object.resource.reference();
        let before = live
            .iter()
            .find(|before| before.reference() == reference)
            .ok_or_else(|| {
                Failure::usage(format!("{reference} is not what was opened"))
                    .hint("an edit cannot rename or add objects; orchctl apply -f can")
            })?;
        if before.manifest() != object.resource.manifest() {
            changed.push((index, before));
        }
    }
    match live.iter().find(|before| {
        found
            .objects
            .iter()
            .all(|object| object.resource.reference() != before.reference())
    }) {
        Some(missing) => Err(Failure::usage(format!("{} is missing", missing.reference()))
            .hint("an edit cannot delete objects; orchctl delete can")),
        None => Ok(changed),
    }
}

/// The file that is edited: only this user can read it.
struct Draft {
    path: PathBuf,
}

impl Draft {
    fn new() -> Result<Self, Failure> {
        let folder = std::env::temp_dir();
        let name = |number: u32| folder.join(format!("orchctl-edit-{}-{number}.yaml", std::process::id()));
        let free = (0..1000).map(name).find(|path| !path.exists());
        let path =
            free.ok_or_else(|| Failure::Cancelled(format!("there is no room for a file in {}", folder.display())))?;
        Ok(Self { path })
    }

    fn write(&self, text: &str) -> Result<(), Failure> {
        file::write_private(&self.path, text.as_bytes())
    }

    fn read(&self) -> Result<String, Failure> {
        std::fs::read_to_string(&self.path).map_err(|error| Failure::file("read", &self.path, &error))
    }

    fn discard(&self) {
        // A draft that stays behind is no harm; that it was sent is what counts.
        let _ = std::fs::remove_file(&self.path);
    }
}

fn open_editor(path: &Path) -> Result<(), Failure> {
    let of_user = |name: &str| std::env::var(name).ok().filter(|editor| !editor.trim().is_empty());
    let editor = of_user("VISUAL")
        .or_else(|| of_user("EDITOR"))
        .unwrap_or_else(|| "vi".to_owned());
    // An editor may come with arguments, and with quotes around them: the shell knows how to read that.
    let status = if cfg!(windows) {
        Command::new("cmd")
            .arg("/C")
            .arg(format!("{editor} \"{}\"", path.display()))
            .status()
    } else {
        Command::new("/bin/sh")
            .arg("-c")
            .arg(format!("{editor} \"$1\""))
            .arg("orchctl")
            .arg(path)
            .status()
    };
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(Failure::Cancelled(format!(
            "`{editor}` ended with {status}; your text is in {}",
            path.display()
        ))),
        Err(error) => Err(Failure::file("start the editor for", path, &error)),
    }
}

/// What is wrong, as comments to stand above the text.
fn as_comment(failure: &Failure) -> String {
    let mut lines = vec!["This was refused. Mend it, or leave it as it is to give up.".to_owned()];
    match failure {
        Failure::Manifests(places) => {
            for place in &places.places {
                lines.push(format!("{}: {}", place.problem.path, place.problem.message));
                lines.extend(place.problem.hint.iter().map(|hint| format!("  hint: {hint}")));
            }
            lines.extend(
                places
                    .elsewhere
                    .iter()
                    .map(|problem| format!("{}: {}", problem.pointer, problem.message)),
            );
        }
        Failure::Problem(problem) => {
            lines.push(problem.detail.clone());
            lines.extend(problem.suggestion.iter().map(|hint| format!("  hint: {hint}")));
        }
        Failure::Several(_)
        | Failure::NotAnswered(_)
        | Failure::Closed
        | Failure::Interrupted
        | Failure::Cancelled(_) => {
            lines.push(failure.to_string());
        }
    }
    lines.iter().map(|line| format!("{MARK} {line}\n")).collect()
}

/// The text without our own comments.
fn without_marks(text: &str) -> String {
    text.lines()
        .filter(|line| !line.starts_with(MARK))
        .map(|line| format!("{line}\n"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn our_comments_are_taken_out_again() {
        let complaint = as_comment(&Failure::usage("no").hint("yes"));
        assert_eq!(complaint.lines().count(), 3);
        assert_eq!(without_marks(&format!("{complaint}a: b\n# mine\n")), "a: b\n# mine\n");
    }
}
