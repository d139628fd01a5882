//! `get`: objects in every form, once or as they change ([`watch`]).

mod watch;

use clap::{ArgAction, Args};
use clap_complete::ArgValueCompleter;
use orch_shared::kind::{Kind, Maker};
use orch_shared::name::{ObjectRef, Scope};
use orch_shared::problem::Code;
use orch_shared::route;

use super::thread::asked::Asked;
use super::{events, thread};
use crate::args::fields;
use crate::args::shared::{Files, Selectors, thread_id};
use crate::args::targets::{self, Target};
use crate::client::{Call, Object};
use crate::complete;
use crate::input;
use crate::render::listing::{self, LabelColumn, Number, ScopeColumn, StatusPart, View};
use crate::render::output::{Output, field_path};
use crate::render::table::{Columns, Heading, Style, terminal_width};
use crate::report::{Failure, Outcome};
use crate::settings::Settings;
use crate::ui::Stream;

/// Show objects, as a table or in any other form
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl get servers                     all servers, a line each
  orchctl get server/files -o yaml        one, as the manifest you would commit
  orchctl get servers -l team=core -w     those of a team, as they change
  orchctl get events --field-selector severity=Warning
")]
pub(crate) struct Arguments {
    /// Objects: KIND, KIND NAME..., KIND/NAME..., KIND,KIND, all; or events, threads, or messages
    #[arg(value_name = "OBJECTS", add = ArgValueCompleter::new(complete::get_targets))]
    targets: Vec<String>,
    #[command(flatten)]
    files: Files,
    /// Form: table, wide, yaml, json, name, jsonpath=TEMPLATE, custom-columns=TITLE:.path,...
    #[arg(short, long, default_value = "table", value_name = "FORM", add = ArgValueCompleter::new(complete::forms))]
    output: Output,
    #[command(flatten)]
    selectors: Selectors,
    /// Order by a field: .status.restarts
    #[arg(long, value_name = "FIELD")]
    sort_by: Option<String>,
    /// Show the labels, too
    #[arg(long, action = ArgAction::SetTrue)]
    show_labels: bool,
    /// Show the status in YAML, too
    #[arg(long, action = ArgAction::SetTrue)]
    show_status: bool,
    /// Show secret values in the open. The daemon writes it down
    #[arg(long, action = ArgAction::SetTrue)]
    show_values: bool,
    /// Leave out the heading of tables
    #[arg(long, action = ArgAction::SetTrue)]
    no_headers: bool,
    /// At most so many objects of each kind
    #[arg(long, value_name = "NUMBER", value_parser = clap::value_parser!(u32).range(1..))]
    limit: Option<u32>,
    /// With `all` as yaml or json: what came with the daemon and nobody has changed, too
    #[arg(long, action = ArgAction::SetTrue)]
    with_seeded: bool,
    /// Go on, and show objects as they change
    #[arg(short, long, action = ArgAction::SetTrue)]
    watch: bool,
    /// With messages: the thread
    #[arg(long, value_name = "ID", value_parser = thread_id, add = ArgValueCompleter::new(complete::threads))]
    thread: Option<String>,
    /// Say nothing, and succeed, when a named object is not there
    #[arg(long, action = ArgAction::SetTrue)]
    ignore_not_found: bool,
}

/// Shows objects.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    if let Some(asked) = events::asked_for(&arguments.targets)? {
        return get_events(arguments, settings, asked);
    }
    let asked = thread::asked::asked_for(&arguments.targets)?;
    if arguments.thread.is_some() && asked != Some(Asked::Messages) {
        return Err(Failure::usage("only messages are those of a thread").hint("orchctl get messages --thread ID"));
    }
    if let Some(asked) = asked {
        return get_threads(arguments, settings, &asked);
    }
    let targets = wanted(arguments, settings)?;
    if let Some(field) = &arguments.sort_by {
        let kinds: Vec<Kind> = targets.iter().map(Target::kind).collect();
        fields::check(&kinds, &field_path(field))?;
    }
    if arguments.watch {
        return watch::run(arguments, settings, &targets);
    }
    let (mut found, failures) = fetch(arguments, settings, &targets)?;
    sort(arguments, &mut found);
    let number = match targets[..] {
        [Target::Object(_)] => Number::One,
        _ => Number::Many,
    };
    let columns = Columns::default();
    let view = view(arguments, settings, Heading::Shown, &columns);
    if is_table(arguments) && found.is_empty() && failures.is_empty() {
        settings.ui.say(&nothing_found(arguments, settings, &targets)?);
    } else if !found.is_empty() || (!is_table(arguments) && failures.is_empty()) {
        settings.ui.write(&listing::text(&view, &found, number))?;
    }
    if arguments.show_values && is_table(arguments) {
        settings
            .ui
            .say("a table has no room for values; they are shown by: -o yaml");
    }
    match failures.len() {
        0 => Ok(Outcome::Done),
        _ => Err(Failure::Several(failures)),
    }
}

const fn is_table(arguments: &Arguments) -> bool {
    matches!(arguments.output, Output::Table | Output::Wide)
}

fn sort(arguments: &Arguments, objects: &mut [Object]) {
    if let Some(field) = &arguments.sort_by {
        let path = field_path(field);
        listing::sort_by(objects, |object| path.find(object.effective()).cloned());
    }
}

/// Events, which are asked for like objects.
fn get_events(arguments: &Arguments, settings: &Settings, asked: events::Asked) -> Result<Outcome, Failure> {
    if arguments.selectors.selector.is_some() {
        return Err(Failure::usage("events have no labels").hint("--field-selector severity=Warning,ref.kind=Server"));
    }
    let manner = events::Manner {
        output: &arguments.output,
        heading: Heading::unless(arguments.no_headers),
        sort_by: arguments.sort_by.as_deref(),
        follow: arguments.watch.then_some(events::Follow),
    };
    let fields = arguments.selectors.field_selector.as_deref();
    let parameters = events::of_get(settings, asked, fields, arguments.limit)?;
    match asked {
        events::Asked::All => events::show(settings, &parameters, manner),
        events::Asked::One(number) => match events::show_one(settings, number, &parameters, &manner) {
            Err(failure) if arguments.ignore_not_found && failure.code() == Some(Code::NotFound) => Ok(Outcome::Done),
            other => other,
        },
    }
}

/// Threads and messages, which are asked for like objects.
fn get_threads(arguments: &Arguments, settings: &Settings, asked: &Asked) -> Result<Outcome, Failure> {
    if arguments.selectors.narrow() || arguments.watch {
        return Err(
            Failure::usage("threads and messages cannot be selected by label or field, nor watched")
                .hint("those with one agent: --agent NAME; chosen fields: -o jsonpath=TEMPLATE"),
        );
    }
    let manner = thread::look::Manner {
        output: &arguments.output,
        heading: Heading::unless(arguments.no_headers),
        sort_by: arguments.sort_by.as_deref(),
    };
    let shown = match (asked, &arguments.thread) {
        (Asked::Threads, _) => {
            let agent = settings.agent()?;
            thread::look::show_threads(settings, agent.as_ref(), arguments.limit, manner)
        }
        (Asked::Thread(id), _) => thread::look::show_thread(settings, id, manner),
        (Asked::Messages, Some(id)) => thread::look::show_messages(settings, id, arguments.limit, manner),
        (Asked::Messages, None) => {
            return Err(Failure::usage("messages are those of a thread").hint("orchctl get messages --thread ID"));
        }
    };
    match shown {
        Err(failure) if arguments.ignore_not_found && failure.code() == Some(Code::NotFound) => Ok(Outcome::Done),
        shown => shown,
    }
}

/// Everything, as manifests, is what can be applied again: without what daemons make, or bring along.
fn is_export(arguments: &Arguments) -> bool {
    arguments.targets == ["all"] && matches!(arguments.output, Output::Yaml | Output::Json)
}

fn wanted(arguments: &Arguments, settings: &Settings) -> Result<Vec<Target>, Failure> {
    if arguments.files.files.is_empty() {
        let mut targets = targets::targets(settings, &arguments.targets)?;
        if targets::mean_all(&arguments.targets) && !arguments.selectors.all_scopes {
            targets = targets::with_place(settings, targets)?;
        }
        if is_export(arguments) {
            targets.retain(|target| target.kind().meta().maker == Maker::User);
        }
        return Ok(targets);
    }
    let objects = input::objects(&arguments.files.files, "nothing was read")?.objects;
    Ok(objects
        .iter()
        .map(|object| Target::Object(object.resource.reference()))
        .collect())
}

fn view<'a>(arguments: &'a Arguments, settings: &Settings, heading: Heading, columns: &'a Columns) -> View<'a> {
    View {
        output: &arguments.output,
        style: Style {
            heading: if arguments.no_headers { Heading::Hidden } else { heading },
            color: settings.ui.has_color(Stream::Data),
            width: terminal_width(),
            columns: arguments.watch.then_some(columns),
        },
        scopes: if arguments.selectors.all_scopes {
            ScopeColumn::Shown
        } else {
            ScopeColumn::Hidden
        },
        labels: if arguments.show_labels {
            LabelColumn::Shown
        } else {
            LabelColumn::Hidden
        },
        status: if arguments.show_status {
            StatusPart::Shown
        } else {
            StatusPart::Hidden
        },
        now: settings.now(),
    }
}

/// The objects, and why some named ones could not be had.
fn fetch(
    arguments: &Arguments,
    settings: &Settings,
    targets: &[Target],
) -> Result<(Vec<Object>, Vec<Failure>), Failure> {
    let mut found = Vec::new();
    let mut failures = Vec::new();
    for target in targets {
        match target {
            Target::Kind(kind) => {
                let selection = arguments.selectors.selection(settings, *kind)?;
                let page = settings
                    .client()?
                    .list(&settings.ui, *kind, &selection, arguments.limit)?;
                if let Some(limit) = arguments.limit.filter(|_| page.metadata.continue_token.is_some()) {
                    let (plural, total) = (kind.meta().plural, page.metadata.total);
                    settings.ui.say(&format!("{limit} of {total} {plural} shown"));
                }
                let items = page.items.into_iter();
                let revealed = items
                    .filter(|object| !is_export(arguments) || arguments.with_seeded || !object.is_as_seeded())
                    .map(|object| revealed(arguments, settings, object));
                found.extend(revealed.collect::<Result<Vec<_>, _>>()?);
            }
            Target::Object(object) => {
                match settings
                    .client()?
                    .object(&settings.ui, object)
                    .and_then(|object| revealed(arguments, settings, object))
                {
                    Ok(object) => found.push(object),
                    Err(failure) if arguments.ignore_not_found && failure.code() == Some(Code::NotFound) => {}
                    Err(failure) if failure.code() == Some(Code::NotFound) => failures.push(failure),
                    Err(failure) => return Err(failure),
                }
            }
        }
    }
    Ok((found, failures))
}

/// The same object with its secret values in the open, when that is asked for and it has any.
fn revealed(arguments: &Arguments, settings: &Settings, object: Object) -> Result<Object, Failure> {
    let has_secrets = || {
        object
            .typed_spec()
            .is_some_and(|mut spec| !spec.secret_values().is_empty())
    };
    if !arguments.show_values || !has_secrets() {
        return Ok(object);
    }
    let call = Call::get(route::object(&object.reference())).query(&serde_json::json!({"reveal": true}));
    settings.client()?.send(&settings.ui, &call)?.json()
}

fn nothing_found(arguments: &Arguments, settings: &Settings, targets: &[Target]) -> Result<String, Failure> {
    let home = match targets {
        [Target::Kind(kind)] if !arguments.selectors.all_scopes => home(settings, *kind)?,
        _ => None,
    };
    if let Some(home) = home
        && settings.client()?.find(&settings.ui, &home)?.is_none()
    {
        return Err(settings.client()?.not_found(&settings.ui, &home));
    }
    let nouns: Vec<&str> = targets.iter().map(|target| target.kind().meta().plural).collect();
    let scoped = !arguments.selectors.all_scopes && targets.iter().any(|target| target.kind().meta().scopes.len() > 1);
    let nouns = if nouns.len() > 3 {
        "objects".to_owned()
    } else {
        nouns.join(" and no ")
    };
    Ok(if scoped {
        format!("no {nouns} here; of every project and agent: -A")
    } else if arguments.selectors.narrow() {
        format!("no {nouns} are selected")
    } else {
        format!("no {nouns}")
    })
}

/// The project or agent in which objects of a kind are looked for.
fn home(settings: &Settings, kind: Kind) -> Result<Option<ObjectRef>, Failure> {
    Ok(match settings.scope(kind)? {
        Scope::Cluster => None,
        Scope::Project(name) => Some(ObjectRef::cluster(Kind::Project, name)),
        Scope::Agent(name) => Some(ObjectRef::cluster(Kind::Agent, name)),
    })
}
