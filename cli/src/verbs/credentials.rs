//! Credentials that were made: told once, on standard output, or kept in a file that nobody else may read.

use std::io;
use std::path::Path;

use orch_shared::apply::Outcome;
use orch_shared::name::ObjectRef;

use crate::report::Failure;
use crate::settings::{Settings, file};

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

/// Adds the credentials that were made to a file for this user alone, and takes them out of what is shown. Without any,
/// no file is written.
pub(super) fn keep(settings: &Settings, path: &Path, outcomes: &mut [Outcome]) -> Result<(), Failure> {
    let text: String = lines(outcomes).map(|(_, line)| line + "\n").collect();
    if text.is_empty() {
        return Ok(());
    }
    let again = "what is lost is made anew: orchctl create token NAME --force";
    let kept = match std::fs::read_to_string(path) {
        Ok(kept) => kept,
        Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
        Err(error) => return Err(Failure::file("read", path, &error).hint(again)),
    };
    file::write_private(path, (kept + &text).as_bytes()).map_err(|failure| failure.hint(again))?;
    for outcome in outcomes.iter_mut() {
        if outcome.credential.take().is_some() {
            let text = format!("the credential of {} is in {}", outcome.object, path.display());
            settings.ui.say(&text);
        }
    }
    Ok(())
}

/// Says that a credential is not shown again.
pub(super) fn caution(settings: &Settings, object: &ObjectRef) {
    settings.ui.say(&format!(
        "{object} is made; its credential is shown this once, and stored nowhere"
    ));
}
