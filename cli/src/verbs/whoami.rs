//! `whoami`: who the daemon takes us for, and what that entails.

use clap::Args;
use orch_shared::identity::WhoAmI;
use orch_shared::kinds::token::Surface;
use orch_shared::route;

use crate::client::Call;
use crate::render::document::{self, Format};
use crate::render::rights;
use crate::report::{Failure, Outcome};
use crate::settings::Settings;

/// Show who is asking, and what that one may do
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl whoami
  orchctl whoami -o json
  orchctl whoami --as ann             what ann would be told
")]
pub(crate) struct Arguments {
    /// Form
    #[arg(short, long, default_value = "table", value_name = "FORM")]
    output: Format,
}

/// Shows who is asking.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let me = ask(settings)?;
    if let Some(text) = document::text(arguments.output, &me) {
        settings.ui.write(&text)?;
        return Ok(Outcome::Done);
    }
    let groups: Vec<&str> = me.groups.iter().map(AsRef::as_ref).collect();
    let credential = match (&me.token, &me.login) {
        (Some(token), _) => format!("token/{token}"),
        (None, Some(login)) => format!("login {login}"),
        (None, None) => "-".to_owned(),
    };
    let doors = match me.surface {
        Surface::Any => "",
        Surface::Mcp => ", which opens the MCP gateway alone",
    };
    let mut lines = vec![
        ("Name", me.principal.clone()),
        (
            "Groups",
            if groups.is_empty() {
                "-".to_owned()
            } else {
                groups.join(", ")
            },
        ),
        ("Credential", format!("{credential}{doors}")),
    ];
    if let Some(other) = &me.impersonated_by {
        lines.insert(1, ("Asked by", other.clone()));
    }
    for (title, text) in lines {
        settings.ui.line(&format!("{:13}{text}", format!("{title}:")))?;
    }
    settings.ui.write("\n")?;
    show_rights(settings, &me)?;
    Ok(Outcome::Done)
}

/// Asks who is asking.
pub(super) fn ask(settings: &Settings) -> Result<WhoAmI, Failure> {
    let answer = settings.client()?.send(&settings.ui, &Call::get(route::WHOAMI))?;
    answer.json()
}

/// Writes what may be done: a table for each bound, of which all must allow a thing.
pub(super) fn show_rights(settings: &Settings, me: &WhoAmI) -> Result<(), Failure> {
    match &me.bounds[..] {
        [] => settings.ui.line("Nothing may be done."),
        [only] => {
            settings.ui.line("What may be done:")?;
            settings.ui.write(&rights::table(only, &settings.ui))
        }
        several => {
            settings.ui.line("What may be done is what all of these allow.")?;
            for (index, bound) in several.iter().enumerate() {
                settings.ui.write("\n")?;
                settings.ui.line(&format!("{}:", rights::source(me, index)))?;
                settings.ui.write(&rights::table(bound, &settings.ui))?;
            }
            Ok(())
        }
    }
}
