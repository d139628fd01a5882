//! `introspect`: what a token opens. It is read from standard input or typed, and never shown.

use clap::Args;
use orch_shared::identity::{Introspect, Introspection};
use orch_shared::kinds::token::Surface;
use orch_shared::route;

use super::password;
use crate::client::Call;
use crate::render::age;
use crate::render::document::{self, Format};
use crate::report::{Failure, Outcome};
use crate::settings::Settings;

/// Show what a token opens: ends in 0 if it opens anything, in 1 if not
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl introspect                    asks for the token
  orchctl introspect < token-file
  orchctl introspect -o json < token-file
")]
pub(crate) struct Arguments {
    /// Form
    #[arg(short, long, default_value = "table", value_name = "FORM")]
    output: Format,
}

/// Looks at a token.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let token = match settings.ui.has_person() {
        true => password::ask(settings, "Token:", "on standard input: orchctl introspect < FILE")?,
        false => password::line_of_input("token")?,
    };
    let asked = Introspect {
        token: token.trim().to_owned(),
    };
    let call = Call::post(route::INTROSPECT, &asked).once();
    let found: Introspection = settings.client()?.send(&settings.ui, &call)?.json()?;
    let ended = if found.active { Outcome::Done } else { Outcome::Unwell };
    if let Some(text) = document::text(arguments.output, &found) {
        settings.ui.write(&text)?;
        return Ok(ended);
    }
    if !found.active {
        settings
            .ui
            .line("It opens nothing: it is not known here, has expired or was revoked.")?;
        return Ok(ended);
    }
    let now = settings.now();
    let until = found.expires_at.map(|end| {
        let left = age::ahead(end.since(now));
        format!("{} (in {left})", age::local(now, end))
    });
    let doors = match found.surface.unwrap_or_default() {
        Surface::Any => "all doors",
        Surface::Mcp => "the MCP gateway alone",
    };
    let credential = found
        .token
        .map_or_else(|| "a login".to_owned(), |name| format!("token/{name}"));
    for (title, text) in [
        ("Name", found.principal.unwrap_or_default()),
        ("Credential", credential),
        ("Opens", doors.to_owned()),
        ("Until", until.unwrap_or_else(|| "for ever".to_owned())),
    ] {
        settings.ui.line(&format!("{:13}{text}", format!("{title}:")))?;
    }
    Ok(ended)
}
