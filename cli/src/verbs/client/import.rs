//! `client import`: servers of a client's file, as manifests on standard output or in a folder. Keys are sealed by the
//! daemon before they are printed; without a daemon a placeholder stands in their place.

use std::path::{Path, PathBuf};

use clap::{ArgAction, Args};
use orch_shared::manifest::{resource, to_yaml, to_yaml_stream};
use orch_shared::name::Name;
use serde_json::{Value, json};

use super::{file_of, places, text_at, text_of, unfit};
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
    let project = project(settings, &made)?;
    let hidden = hide(arguments, settings, &mut made)?;
    for note in &made.notes {
        settings.ui.warn(note);
    }
    let objects: Vec<Value> = made.secrets.into_iter().chain(made.servers).chain([project]).collect();
    match &arguments.output {
        None => settings.ui.write(&to_yaml_stream(&objects))?,
        Some(folder) => write(settings, folder, &objects)?,
    }
    if hidden {
        settings.ui.say(&format!(
            "next: put the keys in the place of {PLACEHOLDER} before you apply"
        ));
    }
    Ok(Outcome::Done)
}

/// The Project that lists the Servers. One that exists keeps what it has.
fn project(settings: &Settings, made: &Made) -> Result<Value, Failure> {
    let name: Name = match settings.flags().project.as_deref().filter(|name| !name.is_empty()) {
        Some(name) => parse_name(name, "project")?,
        None => PROJECT.parse().expect("a name"),
    };
    let names = made.servers.iter().map(|server| server["metadata"]["name"].clone());
    let target = crate::mcp::target::Target::Project(name.clone());
    let known = settings
        .client()
        .and_then(|client| client.find(&settings.ui, &target.object()))
        .ok()
        .flatten();
    let mut project = match known {
        Some(known) => known.manifest(),
        None => manifests::manifest("Project", name.as_str(), json!({})),
    };
    let mut servers = project["spec"]["servers"].as_array().cloned().unwrap_or_default();
    for name in names {
        if !servers.contains(&name) {
            servers.push(name);
        }
    }
    project["spec"]["servers"] = servers.into();
    Ok(project)
}

/// Seals the keys, or puts placeholders in their places; says whether there are any of those.
fn hide(arguments: &Arguments, settings: &Settings, made: &mut Made) -> Result<bool, Failure> {
    let is_placeholder = |secret: &Value| secret["spec"]["data"].to_string().contains(PLACEHOLDER);
    if arguments.show_values {
        return Ok(made.secrets.iter().any(is_placeholder));
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
    Ok(made.secrets.iter().any(is_placeholder))
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
