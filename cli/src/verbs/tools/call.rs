//! `tools call`: a tool, tried by a person.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use clap_complete::ArgValueCompleter;
use orch_shared::manifest::{Limits, parse, to_yaml};
use serde_json::Value;

use super::arguments::{assemble, missing};
use super::person::Person;
use super::result::{Piece, pieces};
use super::{dialogue, find, offered};
use crate::complete;
use crate::render::document::Format;
use crate::report::{Failure, Outcome};
use crate::settings::Settings;
use crate::verbs::create::values::told;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// The tool
    #[arg(value_name = "NAME", add = ArgValueCompleter::new(complete::tools))]
    name: String,
    /// An argument, typed by what the tool takes; of a list, one element each time. May be repeated
    #[arg(long = "arg", value_name = "NAME=VALUE", add = ArgValueCompleter::new(complete::tool_arguments))]
    arguments: Vec<String>,
    /// All arguments as JSON; --arg goes on top
    #[arg(long, value_name = "OBJECT", conflicts_with = "file")]
    json: Option<String>,
    /// A file with all arguments, as JSON or YAML, or `-` for standard input; --arg goes on top
    #[arg(short, long = "filename", value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: Option<PathBuf>,
    /// Save pictures, sounds and files of the result in this folder
    #[arg(long, value_name = "FOLDER", value_hint = ValueHint::DirPath)]
    save: Option<PathBuf>,
    /// Form: for people, or the whole result as it came
    #[arg(short, long, default_value = "table", value_name = "FORM")]
    output: Format,
}

/// Calls.
pub(super) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let (target, dialogue) = dialogue(settings)?;
    let base = base(arguments)?;
    let person = Person::new(settings, &format!("calling {}", arguments.name));
    let tool = find(
        offered(settings, &target, &dialogue, &person)?.read(),
        &arguments.name,
        &target,
    )?;
    let given = assemble(&tool.input_schema, base, &arguments.arguments)
        .map_err(|why| Failure::usage(why).hint(inspect(&arguments.name, &target.flags())))?;
    let missing = missing(&tool.input_schema, &given);
    if !missing.is_empty() {
        let names: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
        return Err(Failure::usage(format!("{} needs {}", tool.name, names.join(", ")))
            .hint(inspect(&arguments.name, &target.flags())));
    }
    let raw = dialogue.call(&tool.name, &given, &person)?;
    drop(person);
    let result: Value = serde_json::from_str(raw.get()).unwrap_or_default();
    match arguments.output {
        Format::Json => settings.ui.line(raw.get())?,
        Format::Yaml => settings.ui.write(&to_yaml(&result))?,
        Format::Table => draw(arguments, settings, &result)?,
    }
    if result["isError"] == true {
        settings.ui.say("the tool says that it failed");
        return Ok(Outcome::Unwell);
    }
    Ok(Outcome::Done)
}

fn inspect(name: &str, flags: &[String]) -> String {
    format!("what it takes: orchctl tools inspect {name} {}", flags.join(" "))
}

fn draw(arguments: &Arguments, settings: &Settings, result: &Value) -> Result<(), Failure> {
    let pieces = pieces(result);
    if pieces.is_empty() {
        settings.ui.say("the result is empty");
    }
    for piece in pieces {
        match (piece, &arguments.save) {
            (Piece::Text(text), _) => settings.ui.line(text.trim_end_matches('\n'))?,
            (Piece::Blob(blob), None) => settings.ui.line(&blob.described())?,
            (Piece::Blob(blob), Some(folder)) => {
                let path = blob.save(folder, &arguments.name)?;
                settings
                    .ui
                    .line(&format!("{} saved as {}", blob.described(), path.display()))?;
            }
        }
    }
    Ok(())
}

/// The arguments that are given as a whole.
fn base(arguments: &Arguments) -> Result<Option<Value>, Failure> {
    let (text, what) = match (&arguments.json, &arguments.file) {
        (Some(text), _) => (text.clone().into_bytes(), "--json".to_owned()),
        (None, Some(path)) if path.as_os_str() == "-" => {
            let mut text = Vec::new();
            std::io::Read::read_to_end(&mut std::io::stdin().lock(), &mut text)
                .map_err(|error| Failure::file("read", std::path::Path::new("standard input"), &error))?;
            (text, "standard input".to_owned())
        }
        (None, Some(path)) => {
            let text = std::fs::read(path).map_err(|error| Failure::file("read", path, &error))?;
            (text, path.display().to_string())
        }
        (None, None) => return Ok(None),
    };
    let mut parsed = parse(&text, &Limits::default());
    match (parsed.problems.first(), parsed.documents.pop()) {
        (None, Some(document)) if parsed.documents.is_empty() => Ok(Some(document.value)),
        (Some(problem), _) => {
            let (why, hint) = told(&String::from_utf8_lossy(&text), problem);
            let failure = Failure::usage(format!("{what}:{}: {why}", problem.position));
            Err(hint.into_iter().fold(failure, Failure::hint))
        }
        (None, _) => Err(Failure::usage(format!("{what} holds no single object"))),
    }
}
