//! Threads, one thread, and what was said in one, in every form of `-o`: for `thread list`, `thread get` and `get`.

use clap::{ArgAction, Args};
use clap_complete::ArgValueCompleter;
use orch_shared::chat::{Message, Thread};
use orch_shared::name::Name;
use orch_shared::problem::Code;

use crate::args::shared::thread_id;
use crate::complete;
use crate::render::listing::{self, LabelColumn, Number, ScopeColumn, StatusPart, View};
use crate::render::output::{Output, field_path};
use crate::render::table::{Heading, Style};
use crate::render::threads;
use crate::report::{Failure, Outcome};
use crate::settings::{Settings, parse_name};
use crate::verbs::agents;

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
    const fn manner(&self) -> Manner<'_> {
        Manner {
            output: &self.output,
            heading: Heading::unless(self.no_headers),
            sort_by: None,
        }
    }
}

/// How threads and messages are shown.
#[derive(Clone, Copy)]
pub(in crate::verbs) struct Manner<'m> {
    pub(in crate::verbs) output: &'m Output,
    pub(in crate::verbs) heading: Heading,
    pub(in crate::verbs) sort_by: Option<&'m str>,
}

impl<'m> Manner<'m> {
    fn view(self, settings: &Settings) -> View<'m> {
        View {
            output: self.output,
            style: Style::whole(&settings.ui, self.heading),
            scopes: ScopeColumn::Hidden,
            labels: LabelColumn::Hidden,
            status: StatusPart::Hidden,
            now: settings.now(),
        }
    }

    const fn is_table(self) -> bool {
        matches!(self.output, Output::Table | Output::Wide)
    }
}

/// Lists.
pub(super) fn list(arguments: &List, settings: &Settings) -> Result<Outcome, Failure> {
    let agent = match &arguments.with {
        Some(name) => Some(parse_name(name, "agent")?),
        None => settings.agent()?,
    };
    show_threads(settings, agent.as_ref(), Some(arguments.limit), arguments.form.manner())
}

/// Shows what was said.
pub(super) fn get(arguments: &Get, settings: &Settings) -> Result<Outcome, Failure> {
    show_messages(settings, &arguments.id, None, arguments.form.manner())
}

/// Shows the threads with an agent, or with all of them.
pub(in crate::verbs) fn show_threads(
    settings: &Settings,
    agent: Option<&Name>,
    limit: Option<u32>,
    manner: Manner<'_>,
) -> Result<Outcome, Failure> {
    let (mut found, is_more) = threads(settings, agent, limit)?;
    if let Some(field) = manner.sort_by {
        let path = field_path(field);
        listing::sort_by(&mut found, |thread: &Thread| {
            path.find(&threads::value(thread)).cloned()
        });
    }
    if found.is_empty() && manner.is_table() {
        settings.ui.say(&match agent {
            Some(agent) => format!("you have no threads with {agent}; begin one: orchctl chat {agent}"),
            None => "you have no threads; begin one: orchctl chat AGENT".to_owned(),
        });
    } else {
        let text = threads::text(&manner.view(settings), &found, Number::Many);
        settings.ui.write(&text)?;
    }
    if is_more {
        let count = found.len();
        settings.ui.say(&format!(
            "the {count} that were used last are shown; more: --limit NUMBER"
        ));
    }
    Ok(Outcome::Done)
}

/// Shows one thread: not what was said in it, but what it is.
pub(in crate::verbs) fn show_thread(settings: &Settings, id: &str, manner: Manner<'_>) -> Result<Outcome, Failure> {
    let found = settings.client()?.thread(&settings.ui, id)?;
    let text = threads::text(&manner.view(settings), &[found], Number::One);
    settings.ui.write(&text)?;
    Ok(Outcome::Done)
}

/// Shows what was said in a thread.
pub(in crate::verbs) fn show_messages(
    settings: &Settings,
    thread: &str,
    limit: Option<u32>,
    manner: Manner<'_>,
) -> Result<Outcome, Failure> {
    let (mut messages, turns) = settings.client()?.messages(&settings.ui, thread)?;
    let all = messages.len();
    messages.truncate(limit.map_or(all, |limit| limit as usize));
    if let Some(field) = manner.sort_by {
        let path = field_path(field);
        listing::sort_by(&mut messages, |message: &Message| {
            path.find(&threads::message(message)).cloned()
        });
    }
    if messages.is_empty() && manner.is_table() {
        settings.ui.say("nothing was said in it");
    } else {
        let text = threads::said(&manner.view(settings), &messages, &turns);
        settings.ui.write(&text)?;
    }
    if messages.len() < all {
        settings
            .ui
            .say(&format!("the first {} of {all} messages are shown", messages.len()));
    }
    Ok(Outcome::Done)
}

/// The threads with an agent or with all of them, those that were used last first; and whether there are more.
fn threads(settings: &Settings, agent: Option<&Name>, limit: Option<u32>) -> Result<(Vec<Thread>, bool), Failure> {
    let (client, ui) = (settings.client()?, &settings.ui);
    if let Some(agent) = agent {
        return client
            .threads(ui, agent, limit)
            .map_err(|failure| agents::explained(client, ui, agent, failure));
    }
    let mut found = Vec::new();
    let mut is_more = false;
    for agent in agents::all(client, ui)? {
        match client.threads(ui, &agent, limit) {
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
    let most = limit.map_or(usize::MAX, |limit| limit as usize);
    is_more |= found.len() > most;
    found.truncate(most);
    Ok((found, is_more))
}
