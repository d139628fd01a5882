//! `logout`: the login that a context holds is ended and forgotten. A token that the context holds beside it stays.

use clap::Args;
use orch_shared::problem::Code;

use super::login;
use crate::report::{Failure, Outcome};
use crate::settings::Settings;

/// End the login that is kept in the context
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl logout
  orchctl logout --context staging
  orchctl auth logins                   those that are open elsewhere
")]
pub(crate) struct Arguments {}

/// Logs out.
pub(crate) fn run(_: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    login::refuse_another(settings, "log out")?;
    let Some(context) = settings.context()? else {
        settings.ui.say("there is no context, and so no login");
        return Ok(Outcome::Done);
    };
    let Some(kept) = &context.login else {
        settings
            .ui
            .say(&format!("there is no login in context {}", context.name));
        return Ok(Outcome::Done);
    };
    let told = login::end(settings, kept);
    // What cannot be ended is still not shown any more.
    login::keep(&context.name, None)?;
    match told {
        // It was over already.
        Err(failure) if !matches!(failure.code(), Some(Code::Unauthenticated | Code::NotFound)) => {
            settings.ui.warn(&format!(
                "the login is forgotten here, but the daemon could not be told ({failure}); it goes on until its time is \
                 over"
            ));
        }
        Ok(()) | Err(_) => {}
    }
    let rest = match (&context.token, &context.token_file) {
        (None, None) => "",
        (Some(_), _) | (None, Some(_)) => "; from now on the token that the context holds is shown",
    };
    settings.ui.say(&format!(
        "{} is logged out of context {}{rest}",
        kept.user, context.name
    ));
    Ok(Outcome::Done)
}
