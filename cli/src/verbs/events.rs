//! `events`: what happened lately, to one object or to all.

use clap::{ArgAction, Args};
use clap_complete::ArgValueCompleter;
use orch_shared::name::Scope;
use orch_shared::query::{Event, Severity};
use orch_shared::route;
use orch_shared::wire::{EventParameters, Events};

use crate::args::targets::{self, Target};
use crate::client::Call;
use crate::complete;
use crate::render::age;
use crate::render::cell::one_line;
use crate::render::document::{self, Format};
use crate::render::table::{Columns, Heading, Piece, Style, draw, terminal_width};
use crate::report::{Failure, Outcome};
use crate::settings::Settings;
use crate::ui::{Stream, Tone};

/// Show what happened lately
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl events                           the newest, of everything
  orchctl events server/files -w           of one object and its instances, as they come
  orchctl events --warnings
")]
pub(crate) struct Arguments {
    /// Only of these objects: KIND, KIND NAME or KIND/NAME
    #[arg(value_name = "OBJECT", add = ArgValueCompleter::new(complete::targets))]
    target: Vec<String>,
    /// Only warnings
    #[arg(long, action = ArgAction::SetTrue)]
    warnings: bool,
    /// The newest so many
    #[arg(long, default_value_t = 100, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..=1000))]
    limit: u32,
    /// Go on as events come
    #[arg(short, long, action = ArgAction::SetTrue)]
    watch: bool,
    /// Form
    #[arg(short, long, default_value = "table", value_name = "FORM")]
    output: Format,
}

/// Shows events.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let parameters = parameters(arguments, settings)?;
    let client = settings.client()?;
    let found: Events = client
        .send(&settings.ui, &Call::get(route::EVENTS).query(&parameters))?
        .json()?;
    let columns = Columns::default();
    match document::text(arguments.output, &found) {
        Some(text) if !arguments.watch => settings.ui.write(&text)?,
        Some(_) => found
            .items
            .iter()
            .try_for_each(|event| show(arguments, settings, event, &columns))?,
        None if found.items.is_empty() => settings.ui.say("nothing has happened"),
        None => settings
            .ui
            .write(&table(settings, &found.items, Heading::Shown, &columns))?,
    }
    if !arguments.watch {
        return Ok(Outcome::Done);
    }
    settings.ui.flush()?;
    let last = found.items.last().map(|event| event.id).unwrap_or_default();
    let parameters = EventParameters {
        watch: Some("1".to_owned()),
        after: Some(last),
        limit: None,
        ..parameters
    };
    let call = Call::get(route::EVENTS).query(&parameters);
    for event in client.events(&settings.ui, call, Some(last.to_string())) {
        // What this version cannot read is nothing it could show.
        if let Ok(event) = serde_json::from_str::<Event>(&event?.data) {
            show(arguments, settings, &event, &columns)?;
            settings.ui.flush()?;
        }
    }
    Ok(Outcome::Done)
}

fn parameters(arguments: &Arguments, settings: &Settings) -> Result<EventParameters, Failure> {
    let all = EventParameters {
        warnings: arguments.warnings.then_some(true),
        limit: Some(arguments.limit),
        ..EventParameters::default()
    };
    if arguments.target.is_empty() {
        return Ok(EventParameters {
            project: settings.project()?,
            ..all
        });
    }
    match &targets::targets(settings, &arguments.target)?[..] {
        [Target::Kind(kind)] => Ok(EventParameters {
            kind: Some(kind.meta().plural.to_owned()),
            ..within(&settings.scope(*kind).unwrap_or(Scope::Cluster), all)
        }),
        [Target::Object(object)] => Ok(EventParameters {
            kind: Some(object.kind.meta().plural.to_owned()),
            name: Some(object.name.to_string()),
            owned: Some(true),
            ..within(&object.scope, all)
        }),
        _ => Err(
            Failure::usage("events are shown of one kind, one object, or everything").hint("orchctl events KIND/NAME"),
        ),
    }
}

fn within(scope: &Scope, parameters: EventParameters) -> EventParameters {
    let (project, agent) = match scope {
        Scope::Cluster => (None, None),
        Scope::Project(project) => (Some(project.clone()), None),
        Scope::Agent(agent) => (None, Some(agent.clone())),
    };
    EventParameters {
        project,
        agent,
        ..parameters
    }
}

fn show(arguments: &Arguments, settings: &Settings, event: &Event, columns: &Columns) -> Result<(), Failure> {
    match arguments.output {
        Format::Table => settings
            .ui
            .write(&table(settings, std::slice::from_ref(event), Heading::Hidden, columns)),
        Format::Json => settings
            .ui
            .line(&serde_json::to_string(event).expect("events are plain data")),
        Format::Yaml => {
            settings.ui.write("---\n")?;
            settings
                .ui
                .write(&document::text(Format::Yaml, event).unwrap_or_default())
        }
    }
}

fn table(settings: &Settings, events: &[Event], heading: Heading, columns: &Columns) -> String {
    let now = settings.now();
    let rows = events.iter().map(|event| {
        let tone = match event.severity {
            Severity::Normal => Tone::Plain,
            Severity::Warning => Tone::Warn,
        };
        let repeated = if event.count > 1 {
            format!(" (x{})", event.count)
        } else {
            String::new()
        };
        vec![
            Piece::plain(age::local(now, event.last_at)),
            Piece {
                text: event.severity.to_string(),
                tone,
            },
            Piece::plain(event.object.to_string()),
            Piece::plain(one_line(&event.reason)),
            Piece::plain(format!("{}{repeated}", age::spoken(now, &one_line(&event.message)))),
        ]
    });
    let style = Style {
        heading,
        color: settings.ui.has_color(Stream::Data),
        width: terminal_width(),
        columns: Some(columns),
    };
    draw(&["WHEN", "TYPE", "OBJECT", "REASON", "MESSAGE"], rows.collect(), style)
}
