//! Entries of the audit log: the newest that fit, and those that come.

use clap::{ArgAction, Args};
use clap_complete::ArgValueCompleter;
use orch_shared::audit::{Entries, Entry, Outcome as Ended, Parameters, RowKind};
use orch_shared::manifest::{to_yaml, to_yaml_stream};
use orch_shared::route;

use super::{Form, instant, project};
use crate::client::Call;
use crate::complete;
use crate::render::audit::{Detail, table, value};
use crate::render::document;
use crate::render::table::{Columns, Heading, Style};
use crate::report::{Failure, Outcome};
use crate::settings::Settings;

#[derive(Debug, Args)]
pub(super) struct Filters {
    /// Only what this user or service account asked for, or somebody in its name
    #[arg(long, value_name = "NAME")]
    user: Option<String>,
    /// Only what was asked with the token of this name
    #[arg(long, value_name = "NAME")]
    token: Option<String>,
    /// Only what happened in this session
    #[arg(long, value_name = "ID")]
    session: Option<String>,
    /// Only rows of this kind
    #[arg(long, value_name = "KIND", value_parser = words(RowKind::ALL, RowKind::as_str))]
    kind: Option<String>,
    /// Only this verb: get, apply, reveal, tools/call, ...
    #[arg(long, value_name = "VERB")]
    verb: Option<String>,
    /// Only what ended so
    #[arg(long, value_name = "OUTCOME", value_parser = words(Ended::ALL, Ended::as_str))]
    outcome: Option<String>,
    /// Only about these: KIND, or KIND/NAME
    #[arg(long, value_name = "OBJECT", add = ArgValueCompleter::new(complete::targets))]
    target: Option<String>,
    /// Only from then on: 2h, today, yesterday, 2026-11-21, 2026-11-21T04:12
    #[arg(long, value_name = "WHEN")]
    from: Option<String>,
    /// Only before then
    #[arg(long, value_name = "WHEN")]
    to: Option<String>,
    /// The newest so many
    #[arg(long, default_value_t = 100, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=100_000))]
    limit: u32,
    /// Go on as entries come
    #[arg(short, long, action = ArgAction::SetTrue)]
    follow: bool,
    /// Form
    #[arg(short, long, default_value = "table", value_name = "FORM")]
    output: Form,
    /// Leave out the heading of tables
    #[arg(long, action = ArgAction::SetTrue)]
    no_headers: bool,
}

/// So many are asked for at once.
const PAGE: u32 = 1000;

/// The words of a list as values of a flag.
fn words<T: Copy>(all: &[T], word: fn(T) -> &'static str) -> clap::builder::PossibleValuesParser {
    clap::builder::PossibleValuesParser::new(all.iter().map(|one| word(*one)))
}

/// Shows entries.
pub(super) fn run(arguments: &Filters, settings: &Settings) -> Result<Outcome, Failure> {
    let parameters = parameters(arguments, settings)?;
    let (found, is_more) = pages(settings, &parameters, arguments.limit)?;
    let last = found.last().map(|entry| entry.sequence);
    let columns = Columns::default();
    let shown = |entries: &[Entry], heading: Heading| match arguments.output {
        Form::Table | Form::Wide => {
            let detail = if arguments.output == Form::Wide {
                Detail::All
            } else {
                Detail::Most
            };
            let style = Style {
                columns: arguments.follow.then_some(&columns),
                ..Style::whole(&settings.ui, heading)
            };
            table(settings.now(), entries, detail, style)
        }
        Form::Json if arguments.follow => entries
            .iter()
            .fold(String::new(), |out, entry| out + &value(entry).to_string() + "\n"),
        Form::Json => document::json(&serde_json::json!({"items": entries.iter().map(value).collect::<Vec<_>>()})),
        Form::Yaml if arguments.follow => to_yaml_stream(&entries.iter().map(value).collect::<Vec<_>>()),
        Form::Yaml => to_yaml(&serde_json::json!({"items": entries.iter().map(value).collect::<Vec<_>>()})),
    };
    let is_table = matches!(arguments.output, Form::Table | Form::Wide);
    if found.is_empty() && is_table {
        settings.ui.say("nothing that fits is written down");
    } else if !(found.is_empty() && arguments.follow) {
        let heading = Heading::unless(arguments.no_headers);
        settings.ui.write(&shown(&found, heading))?;
    }
    if is_more {
        let count = found.len();
        settings
            .ui
            .say(&format!("the newest {count} are shown; more: --limit NUMBER"));
    }
    if !arguments.follow {
        return Ok(Outcome::Done);
    }
    settings.ui.flush()?;
    let parameters = Parameters {
        watch: Some("1".to_owned()),
        after: last,
        limit: Some(1),
        ..parameters
    };
    let call = Call::get(route::AUDIT).query(&parameters);
    for event in settings
        .client()?
        .events(&settings.ui, call, last.map(|last| last.to_string()))
    {
        // What this version cannot read is nothing it could show.
        if let Ok(entry) = serde_json::from_str::<Entry>(&event?.data) {
            if arguments.output == Form::Yaml {
                settings.ui.write("---\n")?;
            }
            settings.ui.write(&shown(&[entry], Heading::Hidden))?;
            settings.ui.flush()?;
        }
    }
    Ok(Outcome::Done)
}

/// The newest entries, oldest first, page by page; and whether there are more.
fn pages(settings: &Settings, parameters: &Parameters, limit: u32) -> Result<(Vec<Entry>, bool), Failure> {
    let mut found: Vec<Entry> = Vec::new();
    let mut before = None;
    loop {
        let have = u32::try_from(found.len()).unwrap_or(u32::MAX);
        let call = Call::get(route::AUDIT).query(&Parameters {
            before,
            limit: Some(limit.saturating_sub(have).min(PAGE)),
            ..parameters.clone()
        });
        let page: Entries = settings.client()?.send(&settings.ui, &call)?.json()?;
        found.splice(0..0, page.items);
        before = page.before;
        if before.is_none() || found.len() >= limit as usize {
            return Ok((found, before.is_some()));
        }
    }
}

fn parameters(arguments: &Filters, settings: &Settings) -> Result<Parameters, Failure> {
    let now = settings.now();
    let at = |text: &Option<String>| text.as_deref().map(|text| instant(now, text)).transpose();
    Ok(Parameters {
        user: arguments.user.clone(),
        token: arguments.token.clone(),
        project: project(settings),
        session: arguments.session.clone(),
        kind: arguments.kind.as_deref().and_then(|kind| kind.parse().ok()),
        verb: arguments.verb.clone(),
        outcome: arguments.outcome.as_deref().and_then(|outcome| outcome.parse().ok()),
        target: arguments.target.clone(),
        from: at(&arguments.from)?,
        to: at(&arguments.to)?,
        ..Parameters::default()
    })
}
