//! What was done in each session, and outside of any.

use clap::{ArgAction, Args};
use orch_shared::audit::{SessionParameters, Sessions};
use orch_shared::route;

use super::{instant, project};
use crate::client::Call;
use crate::render::audit;
use crate::render::document::{self, Format};
use crate::render::table::{Heading, Style};
use crate::report::{Failure, Outcome};
use crate::settings::Settings;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Only of this user or service account
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Only by what happened from then on
    #[arg(long, value_name = "WHEN", default_value = "24h")]
    from: String,
    /// Only by what happened before then
    #[arg(long, value_name = "WHEN")]
    to: Option<String>,
    /// Those used last, so many
    #[arg(long, default_value_t = 200, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// Form
    #[arg(short, long, default_value = "table", value_name = "FORM")]
    output: Format,
    /// Leave out the heading of tables
    #[arg(long, action = ArgAction::SetTrue)]
    no_headers: bool,
}

/// Shows sessions.
pub(super) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let now = settings.now();
    let parameters = SessionParameters {
        user: arguments.user.clone(),
        project: project(settings),
        from: Some(instant(now, &arguments.from)?),
        to: arguments.to.as_deref().map(|to| instant(now, to)).transpose()?,
        limit: Some(arguments.limit),
    };
    let call = Call::get(route::AUDIT_SESSIONS).query(&parameters);
    let found: Sessions = settings.client()?.send(&settings.ui, &call)?.json()?;
    if let Some(text) = document::text(arguments.output, &found) {
        settings.ui.write(&text)?;
    } else if found.items.is_empty() {
        settings
            .ui
            .say("nothing was done in that time; look further back: --from 7d");
    } else {
        let style = Style::whole(&settings.ui, Heading::unless(arguments.no_headers));
        settings.ui.write(&audit::sessions(now, &found.items, style))?;
    }
    Ok(Outcome::Done)
}
