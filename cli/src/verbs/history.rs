//! `history`: what an object was, generation by generation, and who made it so.

use clap::Args;
use clap_complete::ArgValueCompleter;
use orch_shared::diff;
use orch_shared::manifest::to_yaml;
use orch_shared::name::ObjectRef;
use orch_shared::problem::{Code, Problem};
use orch_shared::route;
use orch_shared::wire::History;

use super::wait::spelled;
use crate::args::targets;
use crate::client::Call;
use crate::complete;
use crate::render::document::{self, Format};
use crate::render::table::{Heading, Piece, Style, draw};
use crate::render::{age, fields};
use crate::report::{Failure, Outcome};
use crate::settings::Settings;

/// Show what an object was, and who made it so
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl history server files
  orchctl history server files --generation 3      the manifest as it was
  orchctl rollback server files --to 3             and back to it
")]
pub(crate) struct Arguments {
    /// Object: KIND NAME or KIND/NAME
    #[arg(value_name = "OBJECT", required = true, add = ArgValueCompleter::new(complete::targets))]
    target: Vec<String>,
    /// Show the manifest of this generation
    #[arg(long, value_name = "NUMBER")]
    generation: Option<i64>,
    /// Form
    #[arg(short, long, default_value = "table", value_name = "FORM")]
    output: Format,
}

/// Shows history.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let object = targets::object(settings, &arguments.target)?;
    let call = Call::get(route::history(&object));
    let history: History = settings.client()?.send(&settings.ui, &call)?.json()?;
    if let Some(generation) = arguments.generation {
        let entry = history
            .items
            .iter()
            .find(|entry| entry.generation == generation)
            .ok_or_else(|| no_generation(&object, generation))?;
        let text = document::text(arguments.output, &entry.manifest).unwrap_or_else(|| to_yaml(&entry.manifest));
        settings.ui.write(&text)?;
        return Ok(Outcome::Done);
    }
    if let Some(text) = document::text(arguments.output, &history) {
        settings.ui.write(&text)?;
        return Ok(Outcome::Done);
    }
    let now = settings.now();
    // Newest first; each is compared with the one before it, which follows.
    let rows = history.items.iter().enumerate().map(|(index, entry)| {
        let changes = history.items.get(index + 1).map_or_else(String::new, |before| {
            fields::changes(&diff::changes(&before.manifest, &entry.manifest), Some(&entry.manifest))
        });
        [
            entry.generation.to_string(),
            age::local(now, entry.at),
            entry.by.clone(),
            entry.verb.clone(),
            changes,
        ]
        .map(Piece::plain)
        .to_vec()
    });
    let style = Style::whole(&settings.ui, Heading::Shown);
    settings.ui.write(&draw(
        &["GENERATION", "WHEN", "BY", "HOW", "CHANGES"],
        rows.collect(),
        style,
    ))?;
    Ok(Outcome::Done)
}

/// That the history does not hold a generation, and where to see which it holds.
pub(super) fn no_generation(object: &ObjectRef, generation: i64) -> Failure {
    let detail = if generation < 1 {
        format!("{object} has no earlier generation")
    } else {
        format!("{object} has no generation {generation} in its history")
    };
    Failure::from(Problem::new(Code::NoGeneration, detail))
        .hint(format!("see which there are: orchctl history {}", spelled(object)))
}
