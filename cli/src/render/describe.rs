//! One object for people: what it is, what is declared, how it fares, who uses it, what happened.
//!
//! Enters: the object and what was found around it ([`Surroundings`]). Leaves: text. Titles are the field names of the
//! kind's own type, spoken.

mod members;
mod page;
mod rows;

use orch_shared::kind::{Kind, Reference};
use orch_shared::name::{ObjectRef, Scope};
use orch_shared::path::FieldPath;
use orch_shared::query::Event;
use orch_shared::resource::{Condition, ConditionStatus, Timestamp};
use orch_shared::wire::Dependent;
use serde_json::Value;

use super::cell::{one_line, phase_tone};
use super::rights::Right;
use super::schema::Field;
use super::{age, events, rights};
use crate::client::Object;
use crate::ui::Tone;
use members::Place;
use page::{Group, Page};

/// How many events are shown.
const EVENTS: usize = 10;
/// Members of status that are told in places of their own.
const TOLD_ELSEWHERE: &[&str] = &[
    "uid",
    "generation",
    "revision",
    "createdAt",
    "updatedAt",
    "applySet",
    "owner",
    "phase",
    "conditions",
    "observedGeneration",
    "deletingSince",
];

/// What somebody, or a token, may do: rights that name it, and those that come with what it is in.
#[derive(Debug, Default)]
pub(crate) struct Access {
    /// The groups it is in.
    pub(crate) groups: Vec<String>,
    /// The rights, and through what they come: `-` for its own.
    pub(crate) rights: Vec<(Right, String)>,
    /// What bounds them from outside.
    pub(crate) bound: Option<String>,
}

/// What was found around an object.
#[derive(Debug, Default)]
pub(crate) struct Surroundings {
    /// The objects it refers to, and how they fare; `None` for one that is not there.
    pub(crate) references: Vec<(Reference, Option<String>)>,
    /// The objects that belong to it.
    pub(crate) owned: Vec<Object>,
    /// The objects that refer to it.
    pub(crate) dependents: Vec<Dependent>,
    /// What it may do, when it is somebody.
    pub(crate) access: Option<Access>,
    /// What lives in it, by kind, and what is everybody's of that kind.
    pub(crate) inhabitants: Vec<(Kind, Vec<Object>)>,
    /// What happened to it lately, oldest first.
    pub(crate) events: Vec<Event>,
}

/// Gives a text the colour of its meaning.
pub(crate) type Paint<'p> = &'p dyn Fn(Tone, &str) -> String;

/// The object's description. `spec` is its effective spec, secret values masked.
pub(crate) fn text(object: &Object, spec: &Value, around: &Surroundings, now: Timestamp, paint: Paint<'_>) -> String {
    let definition = object.kind.definition();
    let mut page = Page::default();
    let group = page.group(0);
    head(&mut page, group, object, now, paint);
    let place = |field: &str, schema| Place {
        path: FieldPath::root().key(field),
        field: Some(Field::root(schema)),
        around,
        now,
    };
    members::write(&mut page, group, 0, spec, &place("spec", definition.spec_schema()));
    if let Some(status) = object.status.as_object() {
        let mut told = status.clone();
        told.retain(|name, _| !TOLD_ELSEWHERE.contains(&name.as_str()));
        if !told.is_empty() {
            page.plain(paint(Tone::Strong, "Status"));
            let group = page.group(1);
            members::write(
                &mut page,
                group,
                1,
                &Value::Object(told),
                &place("status", definition.status_schema()),
            );
        }
    }
    for (kind, objects) in &around.inhabitants {
        inhabitants(&mut page, *kind, objects, paint);
    }
    conditions(&mut page, &object.conditions(), now, paint);
    if let Some(found) = &around.access {
        access(&mut page, found, paint);
    }
    let group = page.group(0);
    for (index, owned) in around.owned.iter().enumerate() {
        let phase = owned.phase();
        let told = format!("{} ({})", owned.reference(), paint(phase_tone(phase), phase));
        page.entry(group, if index == 0 { "Owns" } else { "" }, told);
    }
    if around.dependents.is_empty() {
        page.entry(group, "Used by", "—");
    }
    for (index, dependent) in around.dependents.iter().enumerate() {
        let told = format!("{} ({})", dependent.object, dependent.path);
        page.entry(group, if index == 0 { "Used by" } else { "" }, told);
    }
    events(&mut page, &around.events, now, paint);
    page.finish()
}

fn head(page: &mut Page, group: Group, object: &Object, now: Timestamp, paint: Paint<'_>) {
    let metadata = &object.metadata;
    page.entry(group, "Name", metadata.name.as_str());
    page.entry(group, "Kind", object.kind.as_str());
    for (title, name) in [("Project", &metadata.project), ("Agent", &metadata.agent)] {
        if let Some(name) = name {
            page.entry(group, title, name.as_str());
        }
    }
    for (title, marks) in [("Labels", &metadata.labels), ("Annotations", &metadata.annotations)] {
        for (index, (key, value)) in marks.iter().flatten().enumerate() {
            page.entry(
                group,
                if index == 0 { title } else { "" },
                format!("{key}={}", one_line(value)),
            );
        }
    }
    if let Some(identity) = object.identity() {
        let ago = age::since(now, identity.created_at);
        page.entry(
            group,
            "Created",
            format!("{ago} ago ({})", age::local(now, identity.created_at)),
        );
        page.entry(
            group,
            "Generation",
            format!("{} (revision {})", identity.generation, identity.revision),
        );
        if let Some(set) = &identity.apply_set {
            page.entry(group, "Apply set", set);
        }
        if let Some(owner) = &identity.owner {
            page.entry(
                group,
                "Belongs to",
                ObjectRef::cluster(owner.kind, owner.name.clone()).to_string(),
            );
        }
        if let Some(since) = identity.deleting_since {
            page.entry(group, "Going", format!("for {}", age::since(now, since)));
        }
    }
    if let Some(phase) = object.status.get("phase").and_then(Value::as_str) {
        page.entry(group, "Phase", paint(phase_tone(phase), phase));
    }
}

/// What lives in an object: those of higher rank first, where they have one.
fn inhabitants(page: &mut Page, kind: Kind, objects: &[Object], paint: Paint<'_>) {
    if objects.is_empty() {
        return;
    }
    page.plain(paint(Tone::Strong, &capitalised(kind.meta().plural)));
    let group = page.group(1);
    let mut ranked: Vec<_> = objects
        .iter()
        .map(|object| (object, effective(object)))
        .map(|(object, spec)| (spec.get("priority").and_then(Value::as_u64), object, spec))
        .collect();
    ranked.sort_by(|one, other| (other.0, &one.1.metadata.name).cmp(&(one.0, &other.1.metadata.name)));
    for (rank, object, spec) in ranked {
        let mut told = Vec::new();
        told.extend(rank.map(|rank| format!("{rank:>3}")));
        told.push(paint(phase_tone(object.phase()), object.phase()));
        told.extend(spec.get("link").and_then(Value::as_str).map(one_line));
        told.extend(spec.get("summary").and_then(Value::as_str).map(one_line));
        if object.reference().scope == Scope::Cluster {
            told.push("(everybody's)".to_owned());
        }
        page.entry(group, object.metadata.name.as_str(), told.join("  "));
    }
}

fn effective(object: &Object) -> Value {
    let spec = object.typed_spec();
    spec.map_or_else(|| object.spec(), |spec| spec.effective().to_value())
}

/// `prompts` as a heading.
fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    let first = letters.next().into_iter().flat_map(char::to_uppercase);
    first.chain(letters).collect()
}

fn conditions(page: &mut Page, conditions: &[Condition], now: Timestamp, paint: Paint<'_>) {
    if conditions.is_empty() {
        return;
    }
    page.plain(paint(Tone::Strong, "Conditions"));
    let group = page.group(1);
    for condition in conditions {
        let (status, tone) = match condition.status {
            ConditionStatus::True => ("True", Tone::Good),
            ConditionStatus::False => ("False", Tone::Bad),
            ConditionStatus::Unknown => ("Unknown", Tone::Warn),
        };
        // That nothing is going on is no bad news.
        let tone = if condition.condition == "Progressing" {
            Tone::Plain
        } else {
            tone
        };
        let since = age::since(now, condition.last_transition_time);
        let told = if condition.message.is_empty() {
            String::new()
        } else {
            format!(": {}", one_line(&condition.message))
        };
        let line = format!(
            "{} for {since}, {}{}",
            paint(tone, status),
            condition.reason,
            age::spoken(now, &told)
        );
        page.entry(group, &condition.condition, line);
    }
}

fn access(page: &mut Page, access: &Access, paint: Paint<'_>) {
    page.plain(paint(Tone::Strong, "Access"));
    let group = page.group(1);
    if !access.groups.is_empty() {
        page.entry(group, "In groups", access.groups.join(", "));
    }
    if let Some(bound) = &access.bound {
        page.entry(group, "At most", bound);
    }
    if access.rights.is_empty() {
        page.entry(group, "Rights", "none");
        return;
    }
    let heading = rights::TITLES
        .into_iter()
        .chain(["THROUGH"])
        .map(str::to_owned)
        .collect();
    let rows = access.rights.iter().map(|(right, through)| {
        let cells = right.clone().cells().into_iter();
        cells.chain([through.clone()]).collect()
    });
    rows::table(page, 1, std::iter::once(heading).chain(rows).collect());
}

fn events(page: &mut Page, events: &[Event], now: Timestamp, paint: Paint<'_>) {
    if events.is_empty() {
        return;
    }
    let shown = &events[events.len().saturating_sub(EVENTS)..];
    let title = match shown.len() == events.len() {
        true => "Events".to_owned(),
        false => format!("Events (last {} of {})", shown.len(), events.len()),
    };
    page.plain(paint(Tone::Strong, &title));
    let width = shown
        .iter()
        .map(|event| event.reason.chars().count())
        .max()
        .unwrap_or(0);
    for event in shown {
        let at = age::local(now, event.last_at);
        let reason = paint(events::tone(event), &format!("{:width$}", event.reason));
        page.plain(format!("  {at}  {reason}  {}", events::repeated(now, event)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_object_is_described_whole() {
        let object: Object = serde_json::from_value(json!({
            "apiVersion": "orchctl.dev/v1", "kind": "Server",
            "metadata": {"name": "gitea", "labels": {"team": "core"}},
            "spec": {"command": ["/bin/x", "a b"], "env": [{"name": "A", "value": "1"},
                     {"name": "T", "valueFrom": {"secretRef": {"name": "s", "key": "k"}}}]},
            "status": {"uid": "u", "generation": 2, "revision": 9, "createdAt": "2026-11-21T00:00:00.000Z",
                       "updatedAt": "2026-11-21T00:00:00.000Z", "phase": "Degraded", "restarts": 3},
        }))
        .unwrap();
        let references = object.typed_spec().unwrap().references();
        let around = Surroundings {
            references: references
                .into_iter()
                .map(|reference| (reference, Some("Ready".to_owned())))
                .collect(),
            ..Surroundings::default()
        };
        let now: Timestamp = "2026-11-21T00:04:00.000Z".parse().unwrap();
        let found = text(&object, &object.spec(), &around, now, &|_, text| text.to_owned());
        let expected = "Name:          gitea\nKind:          Server\nLabels:        team=core\nCreated:       4m ago (";
        assert!(found.starts_with(expected), "{found}");
        let rest = "\
Generation:    2 (revision 9)
Phase:         Degraded
Command:       /bin/x
               a b
Env:           A=1
               T from secret/s key k (Ready)
Status
  Restarts:    3
Used by:       —
";
        assert!(found.ends_with(rest), "{found}");
    }

    #[test]
    fn what_lives_in_a_project_is_shown_by_rank() {
        let object = |kind: &str, name: &str, project: Option<&str>, spec: Value| -> Object {
            serde_json::from_value(json!({
                "kind": kind, "metadata": {"name": name, "project": project}, "spec": spec, "status": {"phase": "Ready"},
            }))
            .unwrap()
        };
        let web = object("Project", "web", None, json!({"members": {"users": ["ada"]}}));
        let prompts = vec![
            object("Prompt", "b", Some("web"), json!({"content": "x"})),
            object("Prompt", "a", Some("web"), json!({"content": "x", "summary": "How."})),
            object(
                "Prompt",
                "first",
                None,
                json!({"link": "web/files:file:///x", "priority": 100}),
            ),
        ];
        let around = Surroundings {
            inhabitants: vec![(Kind::Prompt, prompts), (Kind::Prompt, vec![])],
            ..Surroundings::default()
        };
        let found = text(&web, &web.spec(), &around, Timestamp::default(), &|_, text| {
            text.to_owned()
        });
        let expected = "\
Prompts
  first:       100  Ready  web/files:file:///x  (everybody's)
  a:            50  Ready  How.
  b:            50  Ready
";
        assert!(found.contains(expected), "{found}");
        assert!(found.contains("ada"), "{found}");
    }

    #[test]
    fn the_keys_of_a_map_stay_as_they_are() {
        let object: Object = serde_json::from_value(json!({
            "kind": "Secret", "metadata": {"name": "s"}, "spec": {"data": {"apiToken": "***"}}, "status": {},
        }))
        .unwrap();
        let found = text(
            &object,
            &object.spec(),
            &Surroundings::default(),
            Timestamp::default(),
            &|_, text| text.to_owned(),
        );
        assert!(found.contains("Data:\n  apiToken:    ***\n"), "{found}");
    }
}
