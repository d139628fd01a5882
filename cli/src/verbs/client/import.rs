//! `client import`: servers of a client's file, as manifests on standard output or in a folder. Keys are sealed by the
//! daemon before they are printed; without a daemon a placeholder stands in their place.

use std::path::{Path, PathBuf};

use clap::{ArgAction, Args};
use orch_shared::apply::{Request, Response, Verdict};
use orch_shared::kind::Kind;
use orch_shared::manifest::{resource, to_yaml, to_yaml_stream};
use orch_shared::name::{Name, ObjectRef};
use orch_shared::route;
use serde_json::{Value, json};

use super::{file_of, places, text_at, text_of, unfit};
use crate::client::Call;
use crate::clients::catalogue::{Client, Scope, format_of};
use crate::clients::manifests::{self, Made, PLACEHOLDER};
use crate::clients::{edit, found};
use crate::report::{Failure, Outcome};
use crate::settings::{Settings, parse_name};
use crate::verbs::seal::seal;

/// The project, when none is named.
const PROJECT: &str = "imported";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The client
    #[arg(value_name = "CLIENT", required_unless_present = "file")]
    client: Option<Client>,
    /// Any file with servers in it, of whatever client
    #[arg(long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Whose file: the user's, or that of the folder one is in
    #[arg(long, default_value = "user", value_name = "SCOPE", conflicts_with = "file")]
    scope: Scope,
    /// Write a file per object into this folder, instead of standard output
    #[arg(short, long, value_name = "FOLDER")]
    output: Option<PathBuf>,
    /// Print keys as they are
    #[arg(long, action = ArgAction::SetTrue)]
    show_values: bool,
}

/// Imports.
pub(super) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let places = places()?;
    let (path, text) = match (&arguments.file, arguments.client) {
        // Whatever can be read: what a shell gives for `<(...)` is a pipe.
        (Some(file), _) => (file.clone(), text_at(file)?),
        (None, Some(client)) => {
            let which = super::Which {
                scope: arguments.scope,
                path: None,
            };
            let path = file_of(client, &which, &places)?;
            let text = text_of(&path)?;
            (path, text)
        }
        (None, None) => {
            return Err(Failure::usage("nothing says which file to read").hint("name a client, or --file FILE"));
        }
    };
    let text = text
        .ok_or_else(|| Failure::local(format!("there is no {}", path.display())).hint("name the file: --file FILE"))?;
    let format = match (&arguments.file, arguments.client) {
        (None, Some(client)) => client.format(),
        (Some(_) | None, _) => format_of(&path),
    };
    let all = edit::read(&text, format).map_err(|error| unfit(&path, &error))?;
    let servers = found::servers(&all, arguments.client, &places.here);
    if !servers.has_place {
        return Err(Failure::local(format!("there are no servers in {}", path.display())));
    }
    let gateway = settings.connection().map(|connection| connection.server).ok();
    let variable = |name: &str| std::env::var(name).ok();
    let mut made = manifests::of(&servers.found, gateway.as_deref(), &variable);
    made.notes.splice(..0, servers.notes);
    let (project, is_asked) = project(settings, &mut made)?;
    hide(arguments, settings, &mut made)?;
    let notes = std::mem::take(&mut made.notes);
    let objects: Vec<Value> = made.secrets.into_iter().chain(made.servers).chain([project]).collect();
    let replaced = match is_asked {
        true => replaced(settings, &objects),
        false => Vec::new(),
    };
    for note in notes.iter().chain(&replaced) {
        settings.ui.warn(note);
    }
    match &arguments.output {
        None => settings.ui.write(&to_yaml_stream(&objects))?,
        Some(folder) => write(settings, folder, &objects)?,
    }
    if objects.iter().any(is_incomplete) {
        settings.ui.say(&format!(
            "next: put the keys in the place of {PLACEHOLDER} before you apply"
        ));
    }
    Ok(Outcome::Done)
}

/// The Project that lists the Servers, and whether the daemon could be asked for it. One that exists keeps what it has.
fn project(settings: &Settings, made: &mut Made) -> Result<(Value, bool), Failure> {
    let name: Name = match settings.flags().project.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => parse_name(name, "project")?,
        None => PROJECT.parse().expect("a name"),
    };
    let names: Vec<Value> = made
        .servers
        .iter()
        .map(|server| server["metadata"]["name"].clone())
        .collect();
    let target = crate::mcp::target::Target::Project(name.clone());
    let known = settings
        .client()
        .and_then(|client| client.find(&settings.ui, &target.object()));
    let is_asked = known.is_ok();
    let mut project = match known {
        Ok(Some(known)) => known.manifest(),
        Ok(None) => manifests::manifest("Project", name.as_str(), json!({})),
        Err(failure) => {
            made.notes.push(format!(
                "{target} lists these servers only, and nothing tells what is there already, since no daemon could be asked \
                 ({failure}); where there is a {target}, or a server of one of these names, applying this replaces it. Import \
                 again when the daemon answers, or look at `orchctl diff` first"
            ));
            manifests::manifest("Project", name.as_str(), json!({}))
        }
    };
    let mut servers = project["spec"]["servers"].as_array().cloned().unwrap_or_default();
    for name in names {
        if !servers.contains(&name) {
            servers.push(name);
        }
    }
    project["spec"]["servers"] = servers.into();
    Ok((project, is_asked))
}

/// What a person must know of Servers and Secrets that are there already: that others would take their places. A name may be
/// a coincidence, or the server of an earlier import with a new version; only a person can tell.
fn replaced(settings: &Settings, objects: &[Value]) -> Vec<String> {
    let request = Request {
        objects: objects.to_vec(),
        dry_run: true,
        ..Request::default()
    };
    let answer = settings
        .client()
        .and_then(|client| client.send(&settings.ui, &Call::post(route::APPLY, &request)))
        .and_then(|answer| answer.json::<Response>());
    let response = match answer {
        Ok(response) => response,
        Err(failure) => {
            return vec![format!(
                "nothing tells whether this replaces what is there already: the daemon would not take it as it is ({failure})"
            )];
        }
    };
    let differs = response
        .results
        .into_iter()
        .filter(|outcome| outcome.verdict == Verdict::Configured && outcome.object.kind != Kind::Project);
    let note = |object: ObjectRef| {
        format!(
            "{object} is there already and is another; applying this replaces it. `orchctl diff` shows how; to keep both, give \
             the one here another name"
        )
    };
    differs.map(|outcome| note(outcome.object)).collect()
}

/// Whether a person must put something in the place of a placeholder.
fn is_incomplete(object: &Value) -> bool {
    object["spec"].to_string().contains(PLACEHOLDER)
}

/// Seals the keys, or puts placeholders in their places.
fn hide(arguments: &Arguments, settings: &Settings, made: &mut Made) -> Result<(), Failure> {
    if arguments.show_values {
        return Ok(());
    }
    let mut sealed = Vec::new();
    for secret in &made.secrets {
        let mut object = resource(secret).map_err(|problems| {
            let why = problems
                .first()
                .map(|problem| problem.message.clone())
                .unwrap_or_default();
            Failure::local(format!("{}: {why}", secret["metadata"]["name"]))
        })?;
        // A placeholder stays one that can be seen.
        let open: Vec<String> = members(secret)
            .filter(|(_, value)| *value == PLACEHOLDER)
            .map(|(key, _)| key.clone())
            .collect();
        if let Err(failure) = seal(settings, &mut object) {
            made.notes.push(format!(
                "keys were left out, since no daemon could seal them ({failure}); --show-values prints them as they are"
            ));
            sealed.clear();
            break;
        }
        let mut manifest = object.manifest();
        for key in open {
            manifest["spec"]["data"][&key] = PLACEHOLDER.into();
        }
        sealed.push(manifest);
    }
    if sealed.len() < made.secrets.len() {
        for secret in &mut made.secrets {
            let keys: Vec<String> = members(secret).map(|(key, _)| key.clone()).collect();
            for key in keys {
                secret["spec"]["data"][&key] = PLACEHOLDER.into();
            }
        }
    } else {
        made.secrets = sealed;
    }
    Ok(())
}

fn members(secret: &Value) -> impl Iterator<Item = (&String, &Value)> {
    secret["spec"]["data"].as_object().into_iter().flatten()
}

/// A file per object, none of which is there yet.
fn write(settings: &Settings, folder: &Path, objects: &[Value]) -> Result<(), Failure> {
    let files: Vec<(PathBuf, String)> = objects
        .iter()
        .map(|object| {
            let part = |pointer: &str| object.pointer(pointer).and_then(Value::as_str).unwrap_or_default();
            let name = format!("{}-{}.yaml", part("/kind").to_lowercase(), part("/metadata/name"));
            (folder.join(name), to_yaml(object))
        })
        .collect();
    if let Some((path, _)) = files.iter().find(|(path, _)| path.exists()) {
        return Err(
            Failure::local(format!("{} is there already; nothing was written", path.display()))
                .hint("name an empty folder: --output FOLDER"),
        );
    }
    std::fs::create_dir_all(folder).map_err(|error| Failure::file("create", folder, &error))?;
    for (path, text) in &files {
        std::fs::write(path, text).map_err(|error| Failure::file("write", path, &error))?;
        settings.ui.line(&path.display().to_string())?;
    }
    settings.ui.say(&format!("next: orchctl diff -f {}", folder.display()));
    Ok(())
}
