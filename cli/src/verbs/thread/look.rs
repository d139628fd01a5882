//! `thread list` and `thread get`.

use clap::{ArgAction, Args};
use clap_complete::ArgValueCompleter;
use orch_shared::chat::Thread;
use orch_shared::kind::Kind;
use orch_shared::name::{Name, ObjectRef};
use orch_shared::problem::Code;

use crate::args::shared::thread_id;
use crate::client::Selection;
use crate::complete;
use crate::render::listing::{LabelColumn, Number, ScopeColumn, StatusPart, View};
use crate::render::output::Output;
use crate::render::table::{Heading, Style};
use crate::render::threads;
use crate::report::{Failure, Outcome};
use crate::settings::{Settings, parse_name};

#[derive(Debug, Args)]
pub(super) struct List {
    /// Only those with this agent
    #[arg(value_name = "AGENT", add = ArgValueCompleter::new(complete::agents))]
    with: Option<String>,
    /// At most so many
    #[arg(long, default_value_t = 100, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    limit: u32,
    #[command(flatten)]
    form: Form,
}

#[derive(Debug, Args)]
pub(super) struct Get {
    /// The thread
    #[arg(value_name = "ID", value_parser = thread_id, add = ArgValueCompleter::new(complete::threads))]
    id: String,
    #[command(flatten)]
    form: Form,
}

#[derive(Debug, Args)]
struct Form {
    /// Form: table, wide, yaml, json, name, jsonpath=TEMPLATE, custom-columns=TITLE:.path,...
    #[arg(short, long, default_value = "table", value_name = "FORM", add = ArgValueCompleter::new(complete::forms))]
    output: Output,
    /// Leave out the heading of tables
    #[arg(long, action = ArgAction::SetTrue)]
    no_headers: bool,
}

impl Form {
    fn view(&self, settings: &Settings) -> View<'_> {
        View {
            output: &self.output,
            style: Style::whole(&settings.ui, Heading::unless(self.no_headers)),
            scopes: ScopeColumn::Hidden,
            labels: LabelColumn::Hidden,
            status: StatusPart::Hidden,
            now: settings.now(),
        }
    }

    const fn is_table(&self) -> bool {
        matches!(self.output, Output::Table | Output::Wide)
    }
}

/// Lists.
pub(super) fn list(arguments: &List, settings: &Settings) -> Result<Outcome, Failure> {
    let agent = match &arguments.with {
        Some(name) => Some(parse_name(name, "agent")?),
        None => settings.agent()?,
    };
    let (found, is_more) = threads(settings, agent.as_ref(), arguments.limit)?;
    if found.is_empty() && arguments.form.is_table() {
        settings.ui.say(&match &agent {
            Some(agent) => format!("you have no threads with {agent}; begin one: orchctl chat {agent}"),
            None => "you have no threads; begin one: orchctl chat AGENT".to_owned(),
        });
    } else {
        let view = arguments.form.view(settings);
        settings.ui.write(&threads::text(&view, &found, Number::Many))?;
    }
    if is_more {
        let count = found.len();
        settings.ui.say(&format!(
            "the {count} that were used last are shown; more: --limit NUMBER"
        ));
    }
    Ok(Outcome::Done)
}

/// The threads with an agent or with all of them, those that were used last first; and whether there are more.
fn threads(settings: &Settings, agent: Option<&Name>, limit: u32) -> Result<(Vec<Thread>, bool), Failure> {
    let (client, ui) = (settings.client()?, &settings.ui);
    if let Some(agent) = agent {
        return client
            .threads(ui, agent, Some(limit))
            .map_err(|failure| match failure.code() {
                Some(Code::NotFound) => client.not_found(ui, &ObjectRef::cluster(Kind::Agent, agent.clone())),
                Some(_) | None => failure,
            });
    }
    let agents = client.list(ui, Kind::Agent, &Selection::default(), None)?.items;
    let mut found = Vec::new();
    let mut is_more = false;
    for agent in agents {
        match client.threads(ui, &agent.metadata.name, Some(limit)) {
            Ok((threads, more)) => {
                found.extend(threads);
                is_more |= more;
            }
            // One that has gone meanwhile, or that one may look at and not speak to.
            Err(failure) if matches!(failure.code(), Some(Code::NotFound | Code::Forbidden)) => {}
            Err(failure) => return Err(failure),
        }
    }
    found.sort_by_key(|thread| std::cmp::Reverse(thread.updated_at));
    is_more |= found.len() > limit as usize;
    found.truncate(limit as usize);
    Ok((found, is_more))
}

/// Shows what was said.
pub(super) fn get(arguments: &Get, settings: &Settings) -> Result<Outcome, Failure> {
    let (messages, turns) = settings.client()?.messages(&settings.ui, &arguments.id)?;
    if messages.is_empty() && arguments.form.is_table() {
        settings.ui.say("nothing was said in it");
    } else {
        let view = arguments.form.view(settings);
        settings.ui.write(&threads::said(&view, &messages, &turns))?;
    }
    Ok(Outcome::Done)
}
