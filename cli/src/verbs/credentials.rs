//! Credentials that were made: told once, on standard output, or kept in a file that nobody else may read.

use std::io;
use std::path::{Path, PathBuf};

use orch_shared::apply::Outcome;
use orch_shared::name::ObjectRef;

use crate::report::Failure;
use crate::settings::Settings;
use crate::settings::file::Draft;

/// What is said when credentials cannot be kept.
const NOTHING_DONE: &str = "nothing was applied";

/// A line for each credential that was made: what it is of, and the credential.
fn lines(outcomes: &[Outcome]) -> impl Iterator<Item = (&ObjectRef, String)> {
    outcomes.iter().filter_map(|outcome| {
        let credential = outcome.credential.as_deref()?;
        Some((&outcome.object, format!("{}   {credential}", outcome.object)))
    })
}

/// Shows the credentials that were made.
pub(super) fn show(settings: &Settings, outcomes: &[Outcome]) -> Result<(), Failure> {
    for (_, line) in lines(outcomes) {
        settings.ui.line(&line)?;
    }
    caution_of(settings, outcomes);
    Ok(())
}

/// Says of each credential that was shown that it is not shown again.
pub(super) fn caution_of(settings: &Settings, outcomes: &[Outcome]) {
    for (object, _) in lines(outcomes) {
        caution(settings, object);
    }
}

/// A file for this user alone, to which credentials are to be added. It is begun before any is made: what cannot be kept
/// is not made.
#[derive(Debug)]
pub(super) struct Keeper {
    path: PathBuf,
    kept: String,
    draft: Draft,
}

impl Keeper {
    /// Begins the file, with what it holds already.
    pub(super) fn open(path: &Path) -> Result<Self, Failure> {
        let kept = match std::fs::read_to_string(path) {
            Ok(kept) => kept,
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            Err(error) => return Err(Failure::file("read", path, &error).hint(NOTHING_DONE)),
        };
        Ok(Self {
            path: path.to_owned(),
            kept,
            draft: Draft::private(path).map_err(|failure| failure.hint(NOTHING_DONE))?,
        })
    }

    /// Adds the credentials that were made, and takes them out of what is shown. Without any, no file is written.
    pub(super) fn keep(self, settings: &Settings, outcomes: &mut [Outcome]) -> Result<(), Failure> {
        let text: String = lines(outcomes).map(|(_, line)| line + "\n").collect();
        if text.is_empty() {
            return Ok(());
        }
        let again = "what is lost is made anew: orchctl create token NAME --force";
        let kept = self.draft.finish((self.kept + &text).as_bytes());
        kept.map_err(|failure| failure.hint(again))?;
        for outcome in outcomes.iter_mut() {
            if outcome.credential.take().is_some() {
                let text = format!("the credential of {} is in {}", outcome.object, self.path.display());
                settings.ui.say(&text);
            }
        }
        Ok(())
    }
}

/// Says that a credential is not shown again.
pub(super) fn caution(settings: &Settings, object: &ObjectRef) {
    settings.ui.say(&format!(
        "{object} is made; its credential is shown this once, and stored nowhere"
    ));
}
