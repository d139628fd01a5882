//! `thread rename`, `thread delete` and `thread fork`.

use clap::{ArgAction, Args, ValueEnum};
use clap_complete::ArgValueCompleter;
use orch_shared::chat::{self, MOST_TITLE, Thread};
use orch_shared::manifest::to_yaml;
use orch_shared::problem::Code;
use orch_shared::route;
use serde_json::json;

use crate::args::shared::thread_id;
use crate::client::Call;
use crate::complete;
use crate::render::document;
use crate::report::{Failure, Outcome};
use crate::settings::Settings;

#[derive(Debug, Args)]
pub(super) struct Rename {
    /// The thread
    #[arg(value_name = "ID", value_parser = thread_id, add = ArgValueCompleter::new(complete::threads))]
    id: String,
    /// What to call it
    #[arg(value_name = "TITLE", value_parser = title)]
    title: String,
}

#[derive(Debug, Args)]
pub(super) struct Delete {
    /// The threads
    #[arg(value_name = "ID", required = true, value_parser = thread_id, add = ArgValueCompleter::new(complete::threads))]
    ids: Vec<String>,
    /// Say nothing, and succeed, when one is not there
    #[arg(long, action = ArgAction::SetTrue)]
    ignore_not_found: bool,
}

#[derive(Debug, Args)]
pub(super) struct Fork {
    /// The thread
    #[arg(value_name = "ID", value_parser = thread_id, add = ArgValueCompleter::new(complete::threads))]
    id: String,
    /// The last turn that is taken along; 0 takes none [default: the latest one that is over]
    #[arg(long, value_name = "NUMBER")]
    turn: Option<u32>,
    /// What to call the new one [default: as the other one is called]
    #[arg(long, value_name = "TITLE", value_parser = title)]
    title: Option<String>,
    /// Print the new thread instead of a sentence; `name` prints `thread/ID`
    #[arg(short, long, value_enum)]
    output: Option<Form>,
}

/// How the new thread is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    /// All of it, as JSON.
    Json,
    /// All of it, as YAML.
    Yaml,
    /// `thread/ID`.
    Name,
}

/// Reads a title.
fn title(text: &str) -> Result<String, String> {
    let title = text.trim();
    match title.chars().count() {
        0 => Err("a title says something; such as 'The release notes'".to_owned()),
        count if count > MOST_TITLE => Err(format!(
            "a title has at most {MOST_TITLE} characters, and this one {count}"
        )),
        _ => Ok(title.to_owned()),
    }
}

/// Renames.
pub(super) fn rename(arguments: &Rename, settings: &Settings) -> Result<Outcome, Failure> {
    let title = arguments.title.clone();
    let call = Call::patch(route::thread(&arguments.id), &chat::Rename { title });
    let renamed: Thread = settings.client()?.send(&settings.ui, &call)?.json()?;
    settings.ui.line(&format!("thread/{}   renamed", renamed.id))?;
    Ok(Outcome::Done)
}

/// Deletes each, and tells of all that could not be.
pub(super) fn delete(arguments: &Delete, settings: &Settings) -> Result<Outcome, Failure> {
    let mut failures = Vec::new();
    for id in &arguments.ids {
        match delete_one(id, settings) {
            Ok(id) => settings.ui.line(&format!("thread/{id}   deleted"))?,
            Err(failure) if failure.code() == Some(Code::NotFound) => {
                if !arguments.ignore_not_found {
                    failures.push(failure);
                }
            }
            Err(failure) => return Err(failure),
        }
    }
    match failures.len() {
        0 => Ok(Outcome::Done),
        _ => Err(Failure::Several(failures)),
    }
}

/// Deletes one; its whole id. It is looked up first: what is said may be no more than how that begins.
fn delete_one(id: &str, settings: &Settings) -> Result<String, Failure> {
    let client = settings.client()?;
    let Thread { id, .. } = client.thread(&settings.ui, id)?;
    client.send(&settings.ui, &Call::delete(route::thread(&id)))?;
    Ok(id)
}

/// Forks.
pub(super) fn fork(arguments: &Fork, settings: &Settings) -> Result<Outcome, Failure> {
    let fork = chat::Fork {
        turn: arguments.turn,
        title: arguments.title.clone(),
    };
    let call = Call::post(route::fork(&arguments.id), &fork);
    let forked: Thread = settings.client()?.send(&settings.ui, &call)?.json()?;
    match arguments.output {
        Some(Form::Json) => settings.ui.write(&document::json(&json!(forked)))?,
        Some(Form::Yaml) => settings.ui.write(&to_yaml(&json!(forked)))?,
        Some(Form::Name) => settings.ui.line(&format!("thread/{}", forked.id))?,
        None => tell(&forked, arguments, settings)?,
    }
    Ok(Outcome::Done)
}

fn tell(forked: &Thread, arguments: &Fork, settings: &Settings) -> Result<(), Failure> {
    let turns = forked.turns;
    let count = if turns == 1 {
        "1 turn".to_owned()
    } else {
        format!("{turns} turns")
    };
    // The daemon knows which thread it was; what was said may be no more than how its id begins.
    let from = forked.forked_from.as_ref().map_or(&arguments.id, |from| &from.thread);
    settings
        .ui
        .line(&format!("thread/{}   forked from {from} with {count}", forked.id))?;
    settings.ui.say(&format!(
        "go on with it: orchctl chat {} --thread {}",
        forked.agent, forked.id
    ));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn titles_are_read() {
        for (text, read) in [
            ("notes", Ok("notes")),
            ("  The notes ", Ok("The notes")),
            ("", Err("says something")),
            (" \n", Err("says something")),
            (
                &"x".repeat(MOST_TITLE + 1),
                Err("at most 200 characters, and this one 201"),
            ),
        ] {
            match (title(text), read) {
                (Ok(found), Ok(expected)) => assert_eq!(found, expected),
                (Err(found), Err(expected)) => assert!(found.contains(expected), "{text:?}: {found}"),
                (found, _) => panic!("{text:?}: {found:?}"),
            }
        }
    }
}
