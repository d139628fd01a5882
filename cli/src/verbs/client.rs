//! `client`: the MCP clients of this user. Our entry is put into their files and taken out again, and servers that their
//! files name are read into manifests.

mod import;
mod install;
mod list;
mod uninstall;

use std::fs::{FileType, OpenOptions};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use clap::{ArgAction, Args, Subcommand};
use orch_shared::diff::unified;

use crate::clients::catalogue::{Client, Places, Scope};
use crate::clients::edit::Unfit;
use crate::clients::secrecy::masked;
use crate::report::{Failure, Outcome};
use crate::settings::{Settings, file};
use crate::ui::{Stream, Tone};

/// Point MCP clients at a project, and import their servers
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl client install claude-code -p web     all tools of project web
  orchctl client list
  orchctl client uninstall claude-code
  orchctl client import cursor -p web           its servers, as manifests
")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Write an entry that leads to a project (-p) or a server (--server NAME) into a client's file
    #[command(before_help = "\
Examples:
  orchctl client install cursor -p web
  orchctl client install vscode -p web --scope project --yes
  orchctl client install claude-desktop --server files --dry-run
")]
    Install(install::Arguments),
    /// Take our entries out of a client's file, which is then as it was before
    #[command(before_help = "\
Examples:
  orchctl client uninstall cursor
  orchctl client uninstall cursor --name orch-web --yes
  orchctl client uninstall vscode --scope project --dry-run
")]
    Uninstall(uninstall::Arguments),
    /// Show which clients there are, and what leads here
    List(list::Arguments),
    /// Print the servers of a client's file as manifests, keys moved into Secrets
    #[command(before_help = "\
Examples:
  orchctl client import claude-code -p web > web.yaml
  orchctl client import --file ~/old/mcp.json --output manifests
  orchctl client import cursor -p web | orchctl apply -f -
")]
    Import(import::Arguments),
}

/// Which file of a client.
#[derive(Debug, Clone, Args)]
struct Which {
    /// Whose file: the user's, or that of the folder one is in
    #[arg(long, default_value = "user", value_name = "SCOPE")]
    scope: Scope,
    /// The file itself, when it is where nobody would look for it
    #[arg(long, value_name = "FILE", conflicts_with = "scope")]
    path: Option<PathBuf>,
}

/// Whether it is asked before a file is written.
#[derive(Debug, Clone, Copy, Args)]
struct Consent {
    /// Do not ask
    #[arg(short, long, action = ArgAction::SetTrue)]
    yes: bool,
    /// Only show what would be written
    #[arg(long, action = ArgAction::SetTrue)]
    dry_run: bool,
}

/// Does it.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    match &arguments.what {
        What::Install(arguments) => install::run(arguments, settings),
        What::Uninstall(arguments) => uninstall::run(arguments, settings),
        What::List(arguments) => list::run(arguments, settings),
        What::Import(arguments) => import::run(arguments, settings),
    }
}

/// The folders of this user.
fn places() -> Result<Places, Failure> {
    Places::of_user()
        .ok_or_else(|| Failure::local("there is no home directory to look for clients in").hint("set HOME"))
}

/// The file that is meant, from the root on.
fn file_of(client: Client, which: &Which, places: &Places) -> Result<PathBuf, Failure> {
    let path = match &which.path {
        Some(path) => path.clone(),
        None => client.file(which.scope, places).ok_or_else(|| {
            Failure::usage(format!("{} has no file for a folder", client.title())).hint("leave out --scope")
        })?,
    };
    Ok(std::path::absolute(&path).unwrap_or(path))
}

/// What a client's file holds; nothing when there is none. What is no file is not opened: a pipe would have us wait for ever.
fn text_of(path: &Path) -> Result<Option<String>, Failure> {
    match std::fs::metadata(path) {
        Ok(found) if !found.is_file() => Err(Failure::local(format!(
            "{} is {}, and no file that servers can be written into",
            path.display(),
            what(found.file_type())
        ))
        .hint("move it away, or name another: --path FILE")),
        Ok(_) => text_at(path),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::file("read", path, &error)),
    }
}

/// What something is that is no file.
fn what(found: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt as _;
        if found.is_fifo() {
            return "a pipe";
        }
        if found.is_socket() {
            return "a socket";
        }
        if found.is_char_device() || found.is_block_device() {
            return "a device";
        }
    }
    match found.is_dir() {
        true => "a folder",
        false => "something else",
    }
}

/// What can be read at a path; nothing when nothing is there.
fn text_at(path: &Path) -> Result<Option<String>, Failure> {
    match std::fs::read(path) {
        Ok(bytes) => match String::from_utf8(bytes) {
            Ok(text) => Ok(Some(text)),
            Err(_) => Err(Failure::local(format!("{} is not text in UTF-8", path.display()))
                .hint("it was not touched; mend it, or name another: --path FILE")),
        },
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::file("read", path, &error)),
    }
}

/// Refuses a file that is closed to writing, or stands in a folder that is. Its owner wants that, and to put another file in
/// its place would go around it.
fn may_be_written(path: &Path) -> Result<(), Failure> {
    let target = file::target(path);
    let refused = |what: &str, closed: &Path, which: &str| {
        let closed = closed.display();
        Err(
            Failure::local(format!("{what}{closed} is read-only; {which} was not touched"))
                .hint(format!("allow it: chmod u+w {closed}; or name another: --path FILE")),
        )
    };
    if let Ok(found) = std::fs::metadata(&target) {
        if found.permissions().readonly() {
            return refused("", &target, "it");
        }
        // Opening it changes nothing, and tells what the permissions alone do not.
        OpenOptions::new().write(true).open(&target).map_err(|error| {
            Failure::file("write", path, &error).hint("it was not touched; name another: --path FILE")
        })?;
    }
    match target.parent() {
        Some(folder) if cfg!(unix) => match std::fs::metadata(folder) {
            Ok(found) if found.permissions().readonly() => refused("the folder ", folder, &path.display().to_string()),
            Ok(_) | Err(_) => Ok(()),
        },
        Some(_) | None => Ok(()),
    }
}

/// That a file is not touched, and why.
fn unfit(path: &Path, unfit: &Unfit) -> Failure {
    Failure::local(format!("{}: {unfit}", path.display()))
        .hint("it was not touched; mend it, or name another: --path FILE")
}

/// Shows what is to become of a file, keys masked.
fn show(settings: &Settings, path: &Path, before: &str, after: &str) -> Result<(), Failure> {
    let ui = &settings.ui;
    ui.line(&ui.paint(Stream::Data, Tone::Strong, &path.display().to_string()))?;
    for line in masked(&unified(before, after)).lines() {
        let tone = match line.chars().next() {
            Some('+') => Tone::Good,
            Some('-') => Tone::Bad,
            Some('@') => Tone::Hint,
            Some(_) | None => Tone::Plain,
        };
        ui.line(&ui.paint(Stream::Data, tone, line))?;
    }
    Ok(())
}

/// Whether it shall be done: a person is asked, a script has decided.
fn is_wanted(settings: &Settings, consent: Consent, question: &str) -> Result<bool, Failure> {
    if consent.dry_run {
        settings.ui.say("nothing was written");
        return Ok(false);
    }
    if consent.yes || !settings.ui.has_person() {
        return Ok(true);
    }
    let answer = settings.ui.ask(&format!("{question} [y/N]")).unwrap_or_default();
    match answer.trim().to_lowercase().as_str() {
        "y" | "yes" => Ok(true),
        _ => Err(Failure::Cancelled("nothing was written".to_owned())),
    }
}

/// Writes a file that is still as it was read; removes it where there shall be none.
fn replace(path: &Path, before: Option<&str>, after: Option<&str>) -> Result<(), Failure> {
    if text_of(path)?.as_deref() != before {
        return Err(
            Failure::local(format!("{} has changed meanwhile; it was not touched", path.display()))
                .hint("run it again"),
        );
    }
    // A link stays where it is, whatever becomes of what it leads to.
    let target = file::target(path);
    match after {
        Some(text) => {
            if let Some(folder) = target.parent() {
                std::fs::create_dir_all(folder).map_err(|error| Failure::file("create", folder, &error))?;
            }
            file::write_as_it_was(&target, text.as_bytes()).map_err(|failure| {
                failure.hint("a new file is written beside it and then put in its place: its folder must allow that")
            })
        }
        None => std::fs::remove_file(&target).map_err(|error| Failure::file("remove", path, &error)),
    }
}
