//! `thread export`: the cassette of a thread, to standard output or into a file.

use std::path::PathBuf;

use clap::{Args, ValueHint};
use clap_complete::ArgValueCompleter;
use orch_shared::cassette::Cassette;
use orch_shared::route;

use crate::args::shared::thread_id;
use crate::client::Call;
use crate::complete;
use crate::report::{Failure, Outcome};
use crate::settings::Settings;

#[derive(Debug, Args)]
pub(super) struct Export {
    /// The thread
    #[arg(value_name = "ID", value_parser = thread_id, add = ArgValueCompleter::new(complete::threads))]
    id: String,
    /// Write it there; `-` for standard output, which is the default
    #[arg(short = 'f', long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    file: Option<PathBuf>,
}

/// Exports.
pub(super) fn run(arguments: &Export, settings: &Settings) -> Result<Outcome, Failure> {
    let call = Call::get(route::cassette(&arguments.id));
    let cassette: Cassette = settings.client()?.send(&settings.ui, &call)?.json()?;
    let mut text = serde_json::to_string_pretty(&cassette).expect("a cassette is plain data");
    text.push('\n');
    let file = arguments.file.as_ref().filter(|file| file.as_os_str() != "-");
    let Some(file) = file else {
        settings.ui.write(&text)?;
        return Ok(Outcome::Done);
    };
    std::fs::write(file, text).map_err(|error| Failure::file("write", file, &error))?;
    let turns = match cassette.turns.len() {
        1 => "1 turn".to_owned(),
        turns => format!("{turns} turns"),
    };
    settings
        .ui
        .say(&format!("{}: {turns} with agent/{}", file.display(), cassette.agent));
    Ok(Outcome::Done)
}
