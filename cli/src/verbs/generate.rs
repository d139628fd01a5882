//! `__generate`, hidden: completions and manual pages into a folder. A test runs it and keeps `completions/` fresh.

use std::path::{Path, PathBuf};

use clap::{Args, Command, ValueEnum as _};
use clap_complete::Shell;

use super::completion;
use crate::args;
use crate::report::{Failure, Outcome};
use crate::settings::Settings;

/// Write completions and manual pages into a folder
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// The folder
    folder: PathBuf,
}

/// Writes them.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    let folder = &arguments.folder;
    for shell in Shell::value_variants() {
        let name = match shell {
            Shell::Bash => "orchctl.bash".to_owned(),
            Shell::Fish => "orchctl.fish".to_owned(),
            Shell::Zsh => "_orchctl".to_owned(),
            Shell::PowerShell => "orchctl.ps1".to_owned(),
            Shell::Elvish => "orchctl.elv".to_owned(),
            other => format!("orchctl.{other}"),
        };
        write(&folder.join(name), completion::standalone(*shell).as_bytes())?;
    }
    let mut command = args::command();
    command.build();
    pages(&command, "orchctl", &folder.join("man"))?;
    settings
        .ui
        .say(&format!("completions and manual pages are in {}", folder.display()));
    Ok(Outcome::Done)
}

/// A page per verb, and per verb of a verb.
fn pages(command: &Command, name: &str, folder: &Path) -> Result<(), Failure> {
    let mut page = Vec::new();
    // The date would change with every run; a version says more anyway.
    let man = clap_mangen::Man::new(command.clone().name(name.to_owned()))
        .date("")
        .source(concat!("orchctl ", env!("CARGO_PKG_VERSION")))
        .manual("orchctl manual");
    man.render(&mut page).map_err(Failure::output)?;
    write(&folder.join(format!("{name}.1")), &page)?;
    // Verbs of a verb have a `help` that clap adds; it says nothing of its own.
    let is_ours = |verb: &&Command| !verb.is_hide_set() && (verb.get_name() != "help" || name == "orchctl");
    for verb in command.get_subcommands().filter(is_ours) {
        pages(verb, &format!("{name}-{}", verb.get_name()), folder)?;
    }
    Ok(())
}

fn write(path: &Path, content: &[u8]) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(|error| Failure::file("create", folder, &error))?;
    // No line of a generated file ends in blanks, whatever the generators do.
    let text: String = String::from_utf8_lossy(content)
        .lines()
        .map(|line| format!("{}\n", line.trim_end()))
        .collect();
    std::fs::write(path, text).map_err(|error| Failure::file("write", path, &error))
}
