//! `describe`: one object for people, with what is around it.

mod access;

use clap::{ArgAction, Args};
use clap_complete::ArgValueCompleter;
use orch_shared::kind::{AnySpec, Kind, Maker, Reference, ScopeType};
use orch_shared::name::{ObjectRef, Scope};
use orch_shared::path::FieldPath;
use orch_shared::query::Event;
use orch_shared::route;
use orch_shared::wire::{Dependents, Events};
use serde_json::Value;

use super::events::of_object;
use crate::args::shared::Selectors;
use crate::args::targets::{self, Target};
use crate::client::{Call, Object, Scopes, Selection};
use crate::complete;
use crate::render::describe::{Surroundings, text};
use crate::report::{Failure, Outcome};
use crate::settings::Settings;
use crate::ui::{Stream, Tone};

/// The most references whose targets are looked up.
const MOST_REFERENCES: usize = 32;
/// How a secret value is shown.
pub(super) const MASK: &str = "***";

/// Show everything about objects, for people
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl describe server files
  orchctl describe server/files secret/gitea
  orchctl describe secret gitea --show-values      the daemon writes it down
")]
pub(crate) struct Arguments {
    /// Objects: KIND, KIND NAME... or KIND/NAME...
    #[arg(value_name = "OBJECTS", required = true, add = ArgValueCompleter::new(complete::targets))]
    targets: Vec<String>,
    #[command(flatten)]
    selectors: Selectors,
    /// Show secret values in the open. The daemon writes it down
    #[arg(long, action = ArgAction::SetTrue)]
    show_values: bool,
}

/// Describes.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let client = settings.client()?;
    let mut objects: Vec<Object> = Vec::new();
    for target in targets::targets(settings, &arguments.targets)? {
        match target {
            Target::Object(object) => objects.push(client.object(&settings.ui, &object)?),
            Target::Kind(kind) => {
                let selection = arguments.selectors.selection(settings, kind)?;
                objects.extend(client.list(&settings.ui, kind, &selection, None)?.items);
            }
        }
    }
    for (index, object) in objects.iter().enumerate() {
        if index > 0 {
            settings.ui.write("\n")?;
        }
        let paint = |tone: Tone, text: &str| settings.ui.paint(Stream::Data, tone, text);
        let around = surroundings(settings, object)?;
        let spec = spec(arguments, settings, object)?;
        settings
            .ui
            .write(&text(object, &spec, &around, settings.now(), &paint))?;
    }
    Ok(Outcome::Done)
}

/// The effective spec, secret values masked unless they are asked for.
fn spec(arguments: &Arguments, settings: &Settings, object: &Object) -> Result<Value, Failure> {
    let Some(mut spec) = object.typed_spec().map(|spec| spec.effective()) else {
        return Ok(object.spec());
    };
    if spec.secret_values().is_empty() {
        return Ok(spec.to_value());
    }
    if arguments.show_values {
        let call = Call::get(route::object(&object.reference())).query(&serde_json::json!({"reveal": true}));
        let revealed: Object = settings.client()?.send(&settings.ui, &call)?.json()?;
        return Ok(revealed.spec());
    }
    mask(spec.as_mut());
    Ok(spec.to_value())
}

/// Puts the mask in the place of every secret value.
pub(super) fn mask(spec: &mut dyn AnySpec) {
    for secret in spec.secret_values() {
        MASK.clone_into(secret.value);
    }
}

fn surroundings(settings: &Settings, object: &Object) -> Result<Surroundings, Failure> {
    let client = settings.client()?;
    let reference = object.reference();
    let mut around = Surroundings {
        owned: client.owned(&settings.ui, object.kind, object.uid())?,
        dependents: client
            .send(&settings.ui, &Call::get(route::dependents(&reference)))?
            .json::<Dependents>()?
            .items,
        events: events(settings, &reference)?,
        references: Vec::new(),
        access: None,
        inhabitants: inhabitants(settings, &reference)?,
    };
    around.access = access::of(settings, object, &around.dependents)?;
    for reference in object
        .typed_spec()
        .map(|spec| spec.references())
        .unwrap_or_default()
        .into_iter()
        .take(MOST_REFERENCES)
    {
        let target = client.find(&settings.ui, &reference.target)?;
        let phase = target.map(|target| match has_broken_link(object, &reference) {
            true => "broken".to_owned(),
            false => target.phase().to_owned(),
        });
        around.references.push((reference, phase));
    }
    Ok(around)
}

/// Whether an object names another one by a link that cannot be read, however well the other one fares.
fn has_broken_link(object: &Object, reference: &Reference) -> bool {
    let conditions = object.status.get("conditions").and_then(Value::as_array);
    let is_broken = |condition: &Value| condition["type"] == "LinkHealthy" && condition["status"] == "False";
    reference.path == FieldPath::parse("spec.link") && conditions.into_iter().flatten().any(is_broken)
}

/// The objects that live in one which is a home for others, made by people; where a kind lives in the cluster too, those there are
/// for everybody.
fn inhabitants(settings: &Settings, home: &ObjectRef) -> Result<Vec<(Kind, Vec<Object>)>, Failure> {
    let Some(scope) = home.opens() else {
        return Ok(Vec::new());
    };
    let lives_here =
        |kind: &&Kind| kind.meta().scopes.contains(&ScopeType::of(&scope)) && kind.meta().maker == Maker::User;
    let mut found = Vec::new();
    for kind in Kind::ALL.iter().filter(lives_here) {
        // A token is somebody's, wherever it lives.
        let is_shared = matches!(scope, Scope::Project(_))
            && kind.meta().scopes.contains(&ScopeType::Cluster)
            && *kind != Kind::Token;
        let everybodys = is_shared.then_some(Scope::Cluster);
        let mut objects = Vec::new();
        for scope in [scope.clone()].into_iter().chain(everybodys) {
            let selection = Selection {
                scope: Scopes::One(scope),
                ..Selection::default()
            };
            objects.extend(settings.client()?.list(&settings.ui, *kind, &selection, None)?.items);
        }
        found.push((*kind, objects));
    }
    Ok(found)
}

/// What happened to an object and to those that belong to it, oldest first.
pub(super) fn events(settings: &Settings, object: &ObjectRef) -> Result<Vec<Event>, Failure> {
    let call = Call::get(route::EVENTS).query(&of_object(object));
    let answer = settings.client()?.send(&settings.ui, &call)?;
    Ok(answer.json::<Events>()?.items)
}
