//! `wait`: until objects are as they should be, or gone.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use clap::Args;
use orch_shared::kind::Kind;
use orch_shared::name::{ObjectRef, Scope};
use orch_shared::problem::{Code, Problem, near_miss};
use orch_shared::resource::{ConditionStatus, Timestamp};

use crate::args::targets::Chosen;
use crate::args::{Limit, limit};
use crate::client::{Object, Scopes, Selection, flag};
use crate::render::jsonpath::Template;
use crate::render::{age, cell};
use crate::report::{Failure, Outcome};
use crate::settings::Settings;
use crate::ui::{Progress, Ui};

/// The first pause between looks, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(1));

/// As many as are asked for one by one.
const FEW: usize = 4;

/// Wait until objects are as they should be, or gone
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl wait server/files                                  until it is Ready
  orchctl wait servers --all --for=condition=Healthy --timeout 2m
  orchctl wait server/files --for=jsonpath='{.status.replicas.ready}'=2
")]
pub(crate) struct Arguments {
    #[command(flatten)]
    chosen: Chosen,
    /// For what: condition=NAME[=STATUS], create, delete, or jsonpath=TEMPLATE[=VALUE]
    #[arg(long = "for", value_name = "WHAT", default_value = "condition=Ready", value_parser = goal)]
    goal: Goal,
    /// How long to wait
    #[arg(long, default_value = "60s", value_parser = limit, value_name = "DURATION")]
    timeout: Limit,
}

/// What is waited for.
#[derive(Debug, Clone)]
pub(crate) enum Goal {
    /// A condition has a status.
    Condition(String, ConditionStatus),
    /// A template gives a text; any, when none is named.
    Jsonpath(Template, Option<String>),
    /// The object is there.
    Created,
    /// The object is gone.
    Deleted,
    /// It is ready, and everything of it was started after that instant.
    Restarted(Timestamp),
}

/// How far an object is from the goal.
enum Distance {
    There,
    /// There is no such object that could get there.
    Nowhere,
    /// Not yet, and why.
    Away(String),
    /// It will not get there by waiting, and why.
    Never(String),
}

/// Waits.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let objects = arguments.chosen.objects(settings, "nothing was waited for")?;
    if objects.is_empty() {
        settings.ui.say("nothing is selected; there is nothing to wait for");
        return Ok(Outcome::Done);
    }
    until(settings, &objects, &arguments.goal, arguments.timeout.0, |object| {
        settings.ui.line(&format!("{object}   {}", arguments.goal.reached()))
    })?;
    Ok(Outcome::Done)
}

/// Waits until all of them are ready, and says so of each.
pub(super) fn until_ready(settings: &Settings, objects: &[ObjectRef], timeout: Duration) -> Result<(), Failure> {
    let goal = Goal::Condition("Ready".to_owned(), ConditionStatus::True);
    until_said(settings, objects, &goal, timeout)
}

/// Waits until every object has reached the goal, and says so of each.
pub(super) fn until_said(
    settings: &Settings,
    objects: &[ObjectRef],
    goal: &Goal,
    timeout: Duration,
) -> Result<(), Failure> {
    until(settings, objects, goal, timeout, |object| {
        settings.ui.say(&format!("{object}   {}", goal.reached()));
        Ok(())
    })
}

/// Waits until every object has reached the goal; `reached` hears of each once.
pub(super) fn until(
    settings: &Settings,
    objects: &[ObjectRef],
    goal: &Goal,
    timeout: Duration,
    mut reached: impl FnMut(&ObjectRef) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let client = settings.client()?;
    let progress = settings.ui.progress(String::new());
    let deadline = Instant::now() + timeout;
    let mut waiting: Vec<Watched<'_>> = objects.iter().map(Watched::new).collect();
    let mut pause = PAUSES.0;
    loop {
        let mut still = Vec::new();
        let found = look(settings, &waiting)?;
        for mut watched in waiting {
            let object = found.get(watched.object);
            let mut distance = watched.distance(goal, object, settings.now());
            if let (Goal::Restarted(since), Distance::There, Some(object)) = (goal, &distance, object) {
                let owned = client.owned(&settings.ui, object.kind, object.uid())?;
                distance = freshness(object, &owned, *since);
            }
            match distance {
                Distance::There => {
                    let mut said = Ok(());
                    progress.above(|| said = reached(watched.object));
                    said?;
                }
                Distance::Away(why) => {
                    watched.notice(goal, &progress, &settings.ui, why);
                    still.push(watched);
                }
                Distance::Nowhere => return Err(client.not_found(&settings.ui, watched.object)),
                Distance::Never(why) => {
                    let detail = format!("{} has failed: {why}", watched.object);
                    return Err(Failure::from(Problem::new(Code::InvalidObject, detail))
                        .hint(format!("see why: orchctl why {}", spelled(watched.object))));
                }
            }
        }
        waiting = still;
        let Some(first) = waiting.first() else { return Ok(()) };
        if Instant::now() + pause > deadline {
            return Err(timed_out(first, waiting.len(), goal, timeout));
        }
        std::thread::sleep(pause);
        pause = (pause * 3 / 2).min(PAUSES.1);
    }
}

/// The objects as they are now: each by itself, or all of a kind and scope in one go where many are waited for.
fn look(settings: &Settings, waiting: &[Watched<'_>]) -> Result<HashMap<ObjectRef, Object>, Failure> {
    let client = settings.client()?;
    let mut groups: HashMap<(Kind, &Scope), Vec<&ObjectRef>> = HashMap::new();
    for watched in waiting {
        let ObjectRef { kind, scope, .. } = watched.object;
        groups.entry((*kind, scope)).or_default().push(watched.object);
    }
    let mut found = HashMap::new();
    for ((kind, scope), objects) in groups {
        if objects.len() > FEW {
            let selection = Selection {
                scope: Scopes::One(scope.clone()),
                ..Selection::default()
            };
            let page = client.list(&settings.ui, kind, &selection, None)?;
            found.extend(page.items.into_iter().map(|object| (object.reference(), object)));
        } else {
            for object in objects {
                let live = client.find(&settings.ui, object)?;
                found.extend(live.map(|live| (object.clone(), live)));
            }
        }
    }
    Ok(found)
}

/// An object on its way to the goal.
struct Watched<'o> {
    object: &'o ObjectRef,
    /// The uid it had at first: one of the same name that comes after it is another.
    uid: Option<String>,
    why: String,
}

impl<'o> Watched<'o> {
    const fn new(object: &'o ObjectRef) -> Self {
        Self {
            object,
            uid: None,
            why: String::new(),
        }
    }

    fn distance(&mut self, goal: &Goal, found: Option<&Object>, now: Timestamp) -> Distance {
        let Some(found) = found else {
            return match goal {
                Goal::Deleted => Distance::There,
                Goal::Created => Distance::Away("not there yet".to_owned()),
                Goal::Condition(..) | Goal::Jsonpath(..) | Goal::Restarted(_) => Distance::Nowhere,
            };
        };
        let first = self.uid.get_or_insert_with(|| found.uid().to_owned());
        match goal {
            Goal::Created => Distance::There,
            Goal::Deleted if *first != found.uid() => Distance::There,
            Goal::Deleted => Distance::Away(still_there(found, now)),
            Goal::Condition(name, status) => condition_distance(found, name, *status, now),
            Goal::Restarted(_) => condition_distance(found, "Ready", ConditionStatus::True, now),
            Goal::Jsonpath(template, wanted) => {
                let value = template.render(found.effective());
                match wanted {
                    Some(wanted) if *wanted == value => Distance::There,
                    None if !value.is_empty() => Distance::There,
                    Some(_) | None if value.is_empty() => Distance::Away("nothing yet".to_owned()),
                    Some(_) | None => Distance::Away(format!("now {value}")),
                }
            }
        }
    }

    fn notice(&mut self, goal: &Goal, progress: &Progress, ui: &Ui, why: String) {
        let line = format!("{}   {why}", self.object);
        // A countdown is news to whoever sees it run, not to a file that keeps every line.
        let gist = |text: &str| text.chars().filter(|c| !c.is_ascii_digit()).collect::<String>();
        if gist(&why) != gist(&self.why) {
            // That something which was told to go is still there is no news.
            if !progress.is_seen() && !matches!(goal, Goal::Deleted) {
                ui.say(&line);
            }
        }
        self.why = why;
        progress.set(line);
    }
}

/// Whether whatever runs of an object was started since then. A daemon needs a moment to act, and until then says that all
/// is well.
fn freshness(object: &Object, owned: &[Object], since: Timestamp) -> Distance {
    let started = |one: &Object| one.status.get("runningSince")?.as_str()?.parse::<Timestamp>().ok();
    // What has nothing of its own that runs is what runs.
    let runs = if owned.is_empty() {
        std::slice::from_ref(object)
    } else {
        owned
    };
    let is_old = |one: &&Object| started(one).is_none_or(|started| started < since);
    match runs.iter().find(is_old) {
        Some(old) if !owned.is_empty() || started(object).is_some() => {
            Distance::Away(format!("{} is not started afresh yet", old.reference()))
        }
        // Nothing of it is meant to run.
        Some(_) | None => Distance::There,
    }
}

/// How far a condition is from a status. What is said about an earlier generation does not count.
fn condition_distance(object: &Object, name: &str, wanted: ConditionStatus, now: Timestamp) -> Distance {
    let conditions = object.conditions();
    let phase = object.phase();
    let found = conditions
        .iter()
        .find(|condition| condition.condition.eq_ignore_ascii_case(name));
    match found {
        None if conditions.is_empty() => Distance::Away(format!("{phase}, and nothing is said about it yet")),
        None => {
            let names: Vec<&str> = conditions.iter().map(|condition| &*condition.condition).collect();
            Distance::Away(match near_miss(name, names.iter().copied()) {
                Some(near) => format!("it has no condition {name}; did you mean {near}?"),
                None => format!("it has no condition {name}; there are {}", names.join(", ")),
            })
        }
        Some(condition) if condition.observed_generation < object.generation() => {
            Distance::Away(format!("{phase} as it was before it changed"))
        }
        Some(condition) if condition.status == wanted => Distance::There,
        Some(condition) => {
            let trouble = cell::trouble(&conditions).unwrap_or(condition);
            let text = if trouble.message.is_empty() {
                &trouble.reason
            } else {
                &trouble.message
            };
            let why = match age::spoken(now, &cell::one_line(text)) {
                said if said == phase => said,
                said => format!("{phase}: {said}"),
            };
            if phase == "Failed" && name == "Ready" && wanted == ConditionStatus::True {
                Distance::Never(why)
            } else {
                Distance::Away(why)
            }
        }
    }
}

fn timed_out(first: &Watched<'_>, waiting: usize, goal: &Goal, timeout: Duration) -> Failure {
    let others = match waiting {
        1 => String::new(),
        count => format!(" (and {} more)", count - 1),
    };
    let (object, after, why) = (first.object, age::short(timeout), &first.why);
    let spelled = spelled(object);
    let (detail, hint) = match goal {
        Goal::Deleted => (
            format!("{object}{others} is still there after {after}: {why}"),
            format!(
                "wait for longer: orchctl wait {spelled} --for=delete --timeout 5m; see why: orchctl why {spelled}"
            ),
        ),
        Goal::Condition(..) | Goal::Jsonpath(..) | Goal::Created | Goal::Restarted(_) => (
            format!("{object}{others} was not {} after {after}: {why}", goal.reached()),
            format!("see why: orchctl why {spelled}"),
        ),
    };
    Problem::new(Code::WaitTimeout, detail).suggest(hint).into()
}

/// Why an object that is to go is still there.
fn still_there(object: &Object, now: Timestamp) -> String {
    let phase = object.phase();
    match object.identity().and_then(|identity| identity.deleting_since) {
        Some(since) => format!("{phase}, going for {}", age::since(now, since)),
        None => format!("{phase}, and nobody has deleted it"),
    }
}

/// The object as it is typed.
pub(super) fn spelled(object: &ObjectRef) -> String {
    let flag = flag(&object.scope);
    format!("{}/{}{flag}", object.kind.meta().singular, object.name)
}

impl Goal {
    fn reached(&self) -> String {
        match self {
            Self::Condition(name, ConditionStatus::True) => name.clone(),
            Self::Condition(name, status) => format!("{name}={status:?}"),
            Self::Jsonpath(_, Some(value)) => value.clone(),
            Self::Jsonpath(_, None) => "there".to_owned(),
            Self::Created => "created".to_owned(),
            Self::Deleted => "gone".to_owned(),
            Self::Restarted(_) => "Ready".to_owned(),
        }
    }
}

fn goal(text: &str) -> Result<Goal, String> {
    let (what, rest) = text
        .split_once('=')
        .map_or((text, None), |(what, rest)| (what, Some(rest)));
    match (what, rest) {
        ("delete", None) => Ok(Goal::Deleted),
        ("create", None) => Ok(Goal::Created),
        ("condition", Some(rest)) => {
            let (name, status) = rest.split_once('=').unwrap_or((rest, "True"));
            let status = match status.to_lowercase().as_str() {
                "true" => ConditionStatus::True,
                "false" => ConditionStatus::False,
                "unknown" => ConditionStatus::Unknown,
                _ => return Err(format!("`{status}` is no status; there are True, False and Unknown")),
            };
            Ok(Goal::Condition(name.to_owned(), status))
        }
        ("jsonpath", Some(rest)) => {
            // The template may hold `=` in filters; the value comes after its closing brace.
            let (template, value) = match rest.rfind('}').map(|end| rest.split_at(end + 1)) {
                Some((template, "")) => (template, None),
                Some((template, tail)) => (
                    template,
                    Some(
                        tail.strip_prefix('=')
                            .ok_or_else(|| format!("`{tail}` is not =VALUE"))?,
                    ),
                ),
                None => rest
                    .split_once('=')
                    .map_or((rest, None), |(template, value)| (template, Some(value))),
            };
            Ok(Goal::Jsonpath(
                template.trim_matches('\'').parse()?,
                value.map(str::to_owned),
            ))
        }
        _ => Err("write condition=NAME[=STATUS], create, delete or jsonpath=TEMPLATE[=VALUE]".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn goals_are_read() {
        for (text, expected) in [
            ("condition=Ready", Some("Ready")),
            ("condition=Ready=False", Some("Ready=False")),
            ("delete", Some("gone")),
            ("create", Some("created")),
            ("jsonpath={.status.phase}=Ready", Some("Ready")),
            (r#"jsonpath={.items[?(@.a=="b")].c}"#, Some("there")),
            ("jsonpath=.status.phase=Ready", Some("Ready")),
            ("condition=Ready=Maybe", None),
            ("ready", None),
            ("jsonpath={.a}x", None),
        ] {
            assert_eq!(
                goal(text).ok().map(|goal| goal.reached()).as_deref(),
                expected,
                "{text}"
            );
        }
    }

    #[test]
    fn what_is_said_about_an_earlier_generation_does_not_count() {
        let object = |(generation, observed): (i64, i64), phase: &str, status: &str, reason: &str| -> Object {
            serde_json::from_value(json!({
                "kind": "Server", "metadata": {"name": "files"}, "spec": {},
                "status": {"uid": "u", "generation": generation, "phase": phase, "conditions": [{
                    "type": "Ready", "status": status, "reason": reason, "message": "",
                    "lastTransitionTime": "2026-11-21T00:00:00.000Z", "observedGeneration": observed}]},
            }))
            .unwrap()
        };
        let far = |object: &Object, name: &str| match condition_distance(
            object,
            name,
            ConditionStatus::True,
            Timestamp::default(),
        ) {
            Distance::There => "there".to_owned(),
            Distance::Nowhere => "nowhere".to_owned(),
            Distance::Away(why) => format!("away: {why}"),
            Distance::Never(why) => format!("never: {why}"),
        };
        for (object, name, expected) in [
            (object((2, 2), "Ready", "True", "R"), "Ready", "there"),
            (object((2, 2), "Ready", "True", "R"), "ready", "there"),
            (
                object((2, 1), "Ready", "True", "R"),
                "Ready",
                "away: Ready as it was before it changed",
            ),
            (
                object((2, 2), "Progressing", "False", "R"),
                "Ready",
                "away: Progressing: R",
            ),
            (
                object((2, 2), "Progressing", "False", "Progressing"),
                "Ready",
                "away: Progressing",
            ),
            (object((2, 2), "Failed", "False", "R"), "Ready", "never: Failed: R"),
            (
                object((2, 1), "Failed", "False", "R"),
                "Ready",
                "away: Failed as it was before it changed",
            ),
            (
                object((2, 2), "Ready", "True", "R"),
                "Redy",
                "away: it has no condition Redy; did you mean Ready?",
            ),
        ] {
            assert_eq!(far(&object, name), expected);
        }
    }
}
