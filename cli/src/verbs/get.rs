//! `get`: objects in every form, once or as they change.

use clap::{ArgAction, Args};
use clap_complete::ArgValueCompleter;
use orch_shared::kind::Kind;
use orch_shared::problem::Code;
use orch_shared::query::{ChangeType, ListParameters, WatchEvent};
use orch_shared::route;
use serde::Deserialize;

use super::events;
use crate::args::shared::{Files, Selectors};
use crate::args::targets::{self, Target};
use crate::client::{Call, Object, Scopes, Selection};
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
    /// Objects: KIND, KIND NAME..., KIND/NAME..., KIND,KIND, all, or events
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
    /// Go on, and show objects as they change
    #[arg(short, long, action = ArgAction::SetTrue)]
    watch: bool,
    /// Say nothing, and succeed, when a named object is not there
    #[arg(long, action = ArgAction::SetTrue)]
    ignore_not_found: bool,
}

/// Shows objects.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    if let Some(asked) = events::asked_for(&arguments.targets)? {
        return get_events(arguments, settings, asked);
    }
    let targets = wanted(arguments, settings)?;
    let (objects, failures) = fetch(arguments, settings, &targets)?;
    let number = match targets[..] {
        [Target::Object(_)] => Number::One,
        _ => Number::Many,
    };
    let mut found = objects.items;
    if let Some(field) = &arguments.sort_by {
        let path = field_path(field);
        listing::sort_by(&mut found, |object| path.find(object.effective()).cloned());
    }
    let columns = Columns::default();
    let view = view(arguments, settings, Heading::Shown, &columns);
    let is_table = matches!(arguments.output, Output::Table | Output::Wide);
    if is_table && found.is_empty() && failures.is_empty() {
        settings.ui.say(&nothing_found(arguments, &targets));
    } else if !found.is_empty() || (!is_table && failures.is_empty()) {
        settings.ui.write(&listing::text(&view, &found, number))?;
    }
    if arguments.watch {
        return watch(arguments, settings, &targets, objects.revision, &columns);
    }
    match failures.len() {
        0 => Ok(Outcome::Done),
        _ => Err(Failure::Several(failures)),
    }
}

/// Events, which are asked for like objects.
fn get_events(arguments: &Arguments, settings: &Settings, asked: events::Asked) -> Result<Outcome, Failure> {
    if arguments.selectors.selector.is_some() {
        return Err(Failure::usage("events have no labels").hint("--field-selector severity=Warning,ref.kind=Server"));
    }
    let manner = events::Manner {
        output: &arguments.output,
        heading: if arguments.no_headers {
            Heading::Hidden
        } else {
            Heading::Shown
        },
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

fn wanted(arguments: &Arguments, settings: &Settings) -> Result<Vec<Target>, Failure> {
    if arguments.files.files.is_empty() {
        return targets::targets(settings, &arguments.targets);
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

struct Found {
    items: Vec<Object>,
    /// Where a watch goes on without missing anything.
    revision: Option<i64>,
}

/// The objects, and why some named ones could not be had.
fn fetch(arguments: &Arguments, settings: &Settings, targets: &[Target]) -> Result<(Found, Vec<Failure>), Failure> {
    let client = settings.client()?;
    let mut found = Found {
        items: Vec::new(),
        revision: None,
    };
    let mut failures = Vec::new();
    for target in targets {
        match target {
            Target::Kind(kind) => {
                let page = client.list(
                    &settings.ui,
                    *kind,
                    &selection(arguments, settings, *kind)?,
                    arguments.limit,
                )?;
                found.revision = found.revision.or(Some(page.metadata.revision));
                if let Some(limit) = arguments.limit.filter(|_| page.metadata.continue_token.is_some()) {
                    let (plural, total) = (kind.meta().plural, page.metadata.total);
                    settings.ui.say(&format!("{limit} of {total} {plural} shown"));
                }
                let revealed = page
                    .items
                    .into_iter()
                    .map(|object| revealed(arguments, settings, object));
                found.items.extend(revealed.collect::<Result<Vec<_>, _>>()?);
            }
            Target::Object(object) => {
                match client
                    .object(&settings.ui, object)
                    .and_then(|object| revealed(arguments, settings, object))
                {
                    Ok(object) => found.items.push(object),
                    Err(failure) if arguments.ignore_not_found && failure.code() == Some(Code::NotFound) => {}
                    Err(failure) if failure.code() == Some(Code::NotFound) => failures.push(failure),
                    Err(failure) => return Err(failure),
                }
            }
        }
    }
    Ok((found, failures))
}

fn selection(arguments: &Arguments, settings: &Settings, kind: Kind) -> Result<Selection, Failure> {
    Ok(Selection {
        labels: arguments.selectors.selector.clone(),
        fields: arguments.selectors.field_selector.clone(),
        scope: if arguments.selectors.all_scopes {
            Scopes::All
        } else {
            Scopes::One(settings.scope(kind)?)
        },
    })
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

fn nothing_found(arguments: &Arguments, targets: &[Target]) -> String {
    let nouns: Vec<&str> = targets.iter().map(|target| target.kind().meta().plural).collect();
    let scoped = !arguments.selectors.all_scopes && targets.iter().any(|target| target.kind().meta().scopes.len() > 1);
    let nouns = if nouns.len() > 3 {
        "objects".to_owned()
    } else {
        nouns.join(" and no ")
    };
    if scoped {
        format!("no {nouns} here; of every project and agent: -A")
    } else if arguments.selectors.selector.is_some() || arguments.selectors.field_selector.is_some() {
        format!("no {nouns} are selected")
    } else {
        format!("no {nouns}")
    }
}

/// Shows objects as they change, until the user has seen enough.
fn watch(
    arguments: &Arguments,
    settings: &Settings,
    targets: &[Target],
    revision: Option<i64>,
    columns: &Columns,
) -> Result<Outcome, Failure> {
    let [target] = targets else {
        return Err(Failure::usage("only objects of one kind can be watched at a time").hint("orchctl get KIND -w"));
    };
    settings.ui.flush()?;
    let kind = target.kind();
    let selection = match target {
        Target::Kind(kind) => selection(arguments, settings, *kind)?,
        Target::Object(object) => Selection {
            labels: None,
            fields: Some(format!("metadata.name={}", object.name)),
            scope: Scopes::One(object.scope.clone()),
        },
    };
    let client = settings.client()?;
    let mut after = match revision {
        Some(revision) => Some(revision),
        // A single object does not tell where its list stands; the list does.
        None => Some(client.list(&settings.ui, kind, &selection, Some(1))?.metadata.revision),
    };
    loop {
        let parameters = ListParameters {
            watch: Some("1".to_owned()),
            revision: after,
            ..ListParameters::default()
        };
        let call = selection.call(kind, parameters);
        for event in client.events(&settings.ui, call, after.map(|revision| revision.to_string())) {
            match event {
                Ok(event) => show_change(arguments, settings, &event.data, columns)?,
                Err(failure) if failure.code() == Some(Code::Compacted) => break,
                Err(failure) => return Err(failure),
            }
        }
        // Too much was missed to be told one by one: what there is now is told instead.
        settings.ui.say("changes were missed; showing everything again");
        let page = client.list(&settings.ui, kind, &selection, None)?;
        after = Some(page.metadata.revision);
        settings.ui.write(&listing::text(
            &view(arguments, settings, Heading::Hidden, columns),
            &page.items,
            Number::Many,
        ))?;
        settings.ui.flush()?;
    }
}

fn show_change(arguments: &Arguments, settings: &Settings, data: &str, columns: &Columns) -> Result<(), Failure> {
    let event: WatchEvent = serde_json::from_str(data)
        .map_err(|error| Failure::usage(format!("the daemon sent a change that cannot be read: {error}")))?;
    let Some(object) = event.object else { return Ok(()) };
    let object = Object::deserialize(object)
        .map_err(|error| Failure::usage(format!("the daemon sent an object that cannot be read: {error}")))?;
    let mut text = listing::text(
        &view(arguments, settings, Heading::Hidden, columns),
        &[object],
        Number::One,
    );
    match (event.change, &arguments.output) {
        (ChangeType::Bookmark, _) => return Ok(()),
        (ChangeType::Deleted, Output::Table | Output::Wide) => {
            text = format!("{}   (deleted)\n", text.trim_end());
        }
        (ChangeType::Deleted, Output::Name) => text = format!("{} deleted\n", text.trim_end()),
        (ChangeType::Added | ChangeType::Modified | ChangeType::Deleted, Output::Yaml) => text.insert_str(0, "---\n"),
        (ChangeType::Added | ChangeType::Modified | ChangeType::Deleted, _) => {}
    }
    settings.ui.write(&text)?;
    settings.ui.flush()
}
