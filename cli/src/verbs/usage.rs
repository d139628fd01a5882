//! `usage`: what was asked of models, by whom, and what it cost.

use clap::{ArgAction, Args};
use orch_shared::route;
use orch_shared::usage::{By, Parameters, Usage};

use super::audit::{Form, instant, project};
use crate::client::Call;
use crate::render::document;
use crate::render::table::{Heading, Style};
use crate::render::usage::{Detail, table};
use crate::report::{Failure, Outcome};
use crate::settings::Settings;

/// Show what was asked of models, and what it cost
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl usage --from 7d
  orchctl usage --by day --by project --from 2026-11-01 -o wide
  orchctl usage --by token --user serviceaccount/ci -p web
")]
pub(crate) struct Arguments {
    /// Sum up by this; may be repeated [default: user and llm]
    #[arg(long, value_name = "WHAT", value_delimiter = ',')]
    #[arg(value_parser = clap::builder::PossibleValuesParser::new(By::ALL.iter().map(|by| by.as_str())))]
    by: Vec<String>,
    /// Only what this user or service account asked for; of others, that needs the operation `usage`
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Only what was asked with the token of this name
    #[arg(long, value_name = "NAME")]
    token: Option<String>,
    /// Only what this Llm answered
    #[arg(long, value_name = "NAME")]
    llm: Option<String>,
    /// Only from then on: 2h, today, yesterday, 2026-11-21, 2026-11-21T04:12
    #[arg(long, value_name = "WHEN", default_value = "30d")]
    from: String,
    /// Only before then
    #[arg(long, value_name = "WHEN")]
    to: Option<String>,
    /// At most so many lines
    #[arg(long, default_value_t = 1000, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=10_000))]
    limit: u32,
    /// Form
    #[arg(short, long, default_value = "table", value_name = "FORM")]
    output: Form,
    /// Leave out the heading of tables
    #[arg(long, action = ArgAction::SetTrue)]
    no_headers: bool,
}

/// Shows sums.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let now = settings.now();
    let by = match arguments.by.is_empty() {
        true => format!("{},{}", By::User, By::Llm),
        false => arguments.by.join(","),
    };
    let parameters = Parameters {
        by: Some(by),
        user: arguments.user.clone(),
        token: arguments.token.clone(),
        project: project(settings),
        llm: arguments.llm.clone(),
        agent: settings.flags().agent.clone().filter(|agent| !agent.is_empty()),
        from: Some(instant(now, &arguments.from)?),
        to: arguments.to.as_deref().map(|to| instant(now, to)).transpose()?,
        limit: Some(arguments.limit),
    };
    let call = Call::get(route::USAGE).query(&parameters);
    let found: Usage = settings.client()?.send(&settings.ui, &call)?.json()?;
    let detail = match arguments.output {
        Form::Table => Detail::Most,
        Form::Wide => Detail::All,
        Form::Json | Form::Yaml => {
            let format = match arguments.output {
                Form::Yaml => document::Format::Yaml,
                Form::Table | Form::Wide | Form::Json => document::Format::Json,
            };
            settings.ui.write(&document::text(format, &found).unwrap_or_default())?;
            return Ok(Outcome::Done);
        }
    };
    if found.total.requests == 0 {
        settings
            .ui
            .say("nothing was asked of a model in that time; look further back: --from 90d");
    } else {
        let style = Style::whole(&settings.ui, Heading::unless(arguments.no_headers));
        settings.ui.write(&table(&found, detail, style))?;
    }
    if found.left_out > 0 {
        let left_out = found.left_out;
        settings
            .ui
            .say(&format!("{left_out} more are only in the total; more: --limit NUMBER"));
    }
    if let Some(user) = found.user.as_deref().filter(|_| parameters.user.is_none()) {
        settings.ui.say(&format!(
            "only what {user} has asked for is shown; everybody's needs the operation `usage`"
        ));
    }
    Ok(Outcome::Done)
}
