//! `version`: of this program, and of the daemon.

use clap::{ArgAction, Args};
use orch_shared::kinds::API_VERSION;
use orch_shared::wire::Version;
use serde_json::json;

use crate::client::Call;
use crate::render::document::{self, Format};
use crate::report::{Failure, Outcome};
use crate::settings::Settings;

/// Show the versions of this program and of the daemon
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl version
  orchctl version --client            without asking the daemon
  orchctl version -o json
")]
pub(crate) struct Arguments {
    /// Only this program's
    #[arg(long, action = ArgAction::SetTrue)]
    client: bool,
    /// Form
    #[arg(short, long, default_value = "table", value_name = "FORM")]
    output: Format,
}

/// Shows versions.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let own = Version {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        api_version: API_VERSION.to_owned(),
    };
    let daemon = if arguments.client {
        Ok(None)
    } else {
        ask(settings).map(Some)
    };
    let known = daemon.as_ref().ok().and_then(Option::as_ref);
    let text = match known {
        Some(daemon) => document::text(arguments.output, &json!({"client": own, "daemon": daemon})),
        None => document::text(arguments.output, &json!({"client": own})),
    };
    match text {
        Some(text) => settings.ui.write(&text)?,
        None => {
            settings
                .ui
                .line(&format!("orchctl   {}   {}", own.version, own.api_version))?;
            if let Some(daemon) = known {
                settings
                    .ui
                    .line(&format!("orchd     {}   {}", daemon.version, daemon.api_version))?;
                if daemon.version != own.version {
                    settings
                        .ui
                        .warn("the versions differ; what only one of them knows may not work");
                }
            }
        }
    }
    daemon.map(|_| Outcome::Done)
}

fn ask(settings: &Settings) -> Result<Version, Failure> {
    settings.client()?.send(&settings.ui, &Call::get("/version"))?.json()
}
