//! `events`, and `get events`: what happened lately, to one object or to all.

use clap::{ArgAction, Args};
use clap_complete::ArgValueCompleter;
use orch_shared::kind::Kind;
use orch_shared::name::{ObjectRef, Scope};
use orch_shared::problem::{Code, Problem, near_miss};
use orch_shared::query::Event;
use orch_shared::route;
use orch_shared::wire::{EventParameters, Events};

use crate::args::targets::{self, EVENT_NOUNS, Target};
use crate::client::Call;
use crate::complete;
use crate::render::events::{text, value};
use crate::render::listing::{self, LabelColumn, Number, ScopeColumn, StatusPart, View};
use crate::render::output::{Output, field_path};
use crate::render::table::{Columns, Heading, Style};
use crate::report::{Failure, Outcome};
use crate::settings::{Settings, parse_name};

/// The most events that are shown at once; also the daemon's limit.
const MOST: u32 = 1000;

/// Show what happened lately
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl events                           the newest, of everything
  orchctl events server/files -w           of one object, as they come
  orchctl events --warnings -o json        for other programs
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
    /// Leave out the heading of tables
    #[arg(long, action = ArgAction::SetTrue)]
    no_headers: bool,
    /// Go on as events come
    #[arg(short, long, action = ArgAction::SetTrue)]
    watch: bool,
    /// Form: table, wide, yaml, json, name, jsonpath=TEMPLATE, custom-columns=TITLE:.path,...
    #[arg(short, long, default_value = "table", value_name = "FORM", add = ArgValueCompleter::new(complete::forms))]
    output: Output,
}

/// Shows events.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let manner = Manner {
        output: &arguments.output,
        heading: Heading::unless(arguments.no_headers),
        sort_by: None,
        follow: arguments.watch.then_some(Follow),
    };
    show(settings, &parameters(arguments, settings)?, manner)
}

/// How events are shown.
pub(super) struct Manner<'m> {
    pub(super) output: &'m Output,
    pub(super) heading: Heading,
    pub(super) sort_by: Option<&'m str>,
    pub(super) follow: Option<Follow>,
}

/// That events are shown as they come, too.
#[derive(Debug, Clone, Copy)]
pub(super) struct Follow;

/// Shows the events that are asked for, and those that come.
pub(super) fn show(settings: &Settings, parameters: &EventParameters, manner: Manner<'_>) -> Result<Outcome, Failure> {
    let mut found = ask(settings, parameters)?;
    let last = found.last().map(|event| event.id).unwrap_or_default();
    if parameters.limit == Some(MOST) && u32::try_from(found.len()) == Ok(MOST) {
        settings.ui.say(&format!("the newest {MOST} events are shown"));
    }
    if let Some(field) = manner.sort_by {
        let path = field_path(field);
        listing::sort_by(&mut found, |event| path.find(&value(event)).cloned());
    }
    let columns = Columns::default();
    let is_table = matches!(manner.output, Output::Table | Output::Wide);
    if found.is_empty() && is_table {
        settings.ui.say("nothing has happened");
    } else {
        let view = view(settings, &manner, manner.heading, &columns);
        settings.ui.write(&text(&view, &found, Number::Many))?;
    }
    match manner.follow {
        None => Ok(Outcome::Done),
        Some(Follow) => follow(settings, parameters, &manner, last, &columns),
    }
}

/// Shows one event, by itself.
pub(super) fn show_one(
    settings: &Settings,
    number: i64,
    parameters: &EventParameters,
    manner: &Manner<'_>,
) -> Result<Outcome, Failure> {
    let found = ask(settings, parameters)?;
    if found.is_empty() {
        let problem = Problem::new(Code::NotFound, format!("there is no event {number}, or no longer"));
        return Err(Failure::from(problem).hint("see what there is: orchctl get events -o wide"));
    }
    let columns = Columns::default();
    let view = view(settings, manner, manner.heading, &columns);
    settings.ui.write(&text(&view, &found, Number::One))?;
    Ok(Outcome::Done)
}

fn ask(settings: &Settings, parameters: &EventParameters) -> Result<Vec<Event>, Failure> {
    let call = Call::get(route::EVENTS).query(parameters);
    let answer = settings.client()?.send(&settings.ui, &call)?;
    Ok(answer.json::<Events>()?.items)
}

fn follow(
    settings: &Settings,
    parameters: &EventParameters,
    manner: &Manner<'_>,
    last: i64,
    columns: &Columns,
) -> Result<Outcome, Failure> {
    settings.ui.flush()?;
    let parameters = EventParameters {
        watch: Some("1".to_owned()),
        after: Some(last),
        limit: None,
        ..parameters.clone()
    };
    let call = Call::get(route::EVENTS).query(&parameters);
    for event in settings.client()?.events(&settings.ui, call, Some(last.to_string())) {
        // What this version cannot read is nothing it could show.
        if let Ok(event) = serde_json::from_str::<Event>(&event?.data) {
            let view = view(settings, manner, Heading::Hidden, columns);
            if matches!(manner.output, Output::Yaml) {
                settings.ui.write("---\n")?;
            }
            settings.ui.write(&text(&view, &[event], Number::One))?;
            settings.ui.flush()?;
        }
    }
    Ok(Outcome::Done)
}

fn view<'v>(settings: &Settings, manner: &Manner<'v>, heading: Heading, columns: &'v Columns) -> View<'v> {
    View {
        output: manner.output,
        style: Style {
            columns: manner.follow.is_some().then_some(columns),
            ..Style::whole(&settings.ui, heading)
        },
        scopes: ScopeColumn::Hidden,
        labels: LabelColumn::Hidden,
        status: StatusPart::Hidden,
        now: settings.now(),
    }
}

fn parameters(arguments: &Arguments, settings: &Settings) -> Result<EventParameters, Failure> {
    let all = EventParameters {
        warnings: arguments.warnings.then_some(true),
        limit: Some(arguments.limit),
        ..of_flags(settings)?
    };
    if arguments.target.is_empty() {
        return Ok(all);
    }
    match &targets::targets(settings, &arguments.target)?[..] {
        [Target::Kind(kind)] => Ok(EventParameters {
            kind: Some(kind.meta().plural.to_owned()),
            ..all
        }),
        [Target::Object(object)] => Ok(EventParameters {
            warnings: all.warnings,
            limit: all.limit,
            ..of_object(object)
        }),
        _ => Err(
            Failure::usage("events are shown of one kind, one object, or everything").hint("orchctl events KIND/NAME"),
        ),
    }
}

/// Only what the flags of this very command narrow: a context's project does not hide the events of servers, which live in
/// none.
fn of_flags(settings: &Settings) -> Result<EventParameters, Failure> {
    let given = |name: &Option<String>, noun: &str| {
        let name = name.as_deref().filter(|name| !name.is_empty());
        name.map(|name| parse_name(name, noun)).transpose()
    };
    Ok(EventParameters {
        project: given(&settings.flags().project, "project")?,
        agent: given(&settings.flags().agent, "agent")?,
        ..EventParameters::default()
    })
}

/// The events of one object and of those that belong to it.
pub(super) fn of_object(object: &ObjectRef) -> EventParameters {
    let (project, agent) = match &object.scope {
        Scope::Cluster => (None, None),
        Scope::Project(name) => (Some(name.clone()), None),
        Scope::Agent(name) => (None, Some(name.clone())),
    };
    EventParameters {
        kind: Some(object.kind.meta().plural.to_owned()),
        name: Some(object.name.to_string()),
        project,
        agent,
        owned: Some(true),
        ..EventParameters::default()
    }
}

/// What was typed after `get`, when it means events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Asked {
    /// All of them.
    All,
    /// The one with this number.
    One(i64),
}

/// Whether words after `get` mean events, and which.
pub(super) fn asked_for(words: &[String]) -> Result<Option<Asked>, Failure> {
    let Some(first) = words.first() else {
        return Ok(None);
    };
    let mut nouns = words.iter().flat_map(|word| word.split(',')).map(noun_of);
    if !nouns.any(is_event) {
        return match near_noun(first) {
            Some(near) => {
                Err(Failure::usage(format!("there is no kind `{first}`")).hint(format!("did you mean `{near}`?")))
            }
            None => Ok(None),
        };
    }
    let number = match words {
        [word] if is_event(word) => return Ok(Some(Asked::All)),
        [word] if is_event(noun_of(word)) => word.split_once('/').map_or(word.as_str(), |(_, number)| number),
        [word, number] if is_event(word) => number,
        _ => {
            return Err(Failure::usage("events are no objects, and are shown by themselves").hint("orchctl get events"));
        }
    };
    let refuse = |_| {
        Failure::usage(format!("`{number}` is no number of an event"))
            .hint("of one object: orchctl events KIND/NAME; by field: --field-selector ref.name=NAME")
    };
    number.parse().map(|number| Some(Asked::One(number))).map_err(refuse)
}

fn is_event(noun: &str) -> bool {
    EVENT_NOUNS.iter().any(|known| noun.eq_ignore_ascii_case(known))
}

/// The noun of events that was probably meant, when no kind was.
fn near_noun(word: &str) -> Option<&'static str> {
    let nouns = Kind::ALL.iter().flat_map(|kind| kind.definition().nouns());
    let near = near_miss(word, EVENT_NOUNS.into_iter().chain(nouns))?;
    EVENT_NOUNS
        .into_iter()
        .find(|noun| *noun == near && Kind::from_noun(noun_of(word)).is_none())
}

fn noun_of(word: &str) -> &str {
    word.split_once('/').map_or(word, |(noun, _)| noun)
}

/// What `get events` asks for.
pub(super) fn of_get(
    settings: &Settings,
    asked: Asked,
    fields: Option<&str>,
    limit: Option<u32>,
) -> Result<EventParameters, Failure> {
    let number = match asked {
        Asked::All => None,
        Asked::One(number) => Some(format!("id={number}")),
    };
    let terms: Vec<&str> = number.as_deref().into_iter().chain(fields).collect();
    Ok(EventParameters {
        field_selector: (!terms.is_empty()).then(|| terms.join(",")),
        limit: Some(limit.unwrap_or(MOST).min(MOST)),
        ..of_flags(settings)?
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_after_get_may_mean_events() {
        for (words, expected) in [
            (&["events"][..], Ok(Some(Asked::All))),
            (&["EV"], Ok(Some(Asked::All))),
            (&["event", "17"], Ok(Some(Asked::One(17)))),
            (&["event/17"], Ok(Some(Asked::One(17)))),
            (&["event/17", "event/18"], Err("events are no objects")),
            (&["servers"], Ok(None)),
            (&["server/events"], Ok(None)),
            (&["agnts"], Ok(None)),
            (&["evnts"], Err("there is no kind `evnts`")),
            (&["servers,events"], Err("events are no objects")),
            (&["events", "files"], Err("`files` is no number")),
            (&[], Ok(None)),
        ] {
            let owned: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            match (asked_for(&owned), expected) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected, "{words:?}"),
                (Err(failure), Err(expected)) => {
                    assert!(failure.to_string().contains(expected), "{words:?}: {failure}");
                }
                (found, _) => panic!("{words:?}: {found:?}"),
            }
        }
    }
}
