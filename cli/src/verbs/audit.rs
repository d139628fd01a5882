//! `audit`: who did what, in which sessions, and whether the log of it is as it was written.

mod list;
mod sessions;
mod verify;

use clap::{Args, Subcommand};
use orch_shared::problem::{Code, Problem};
use orch_shared::resource::Timestamp;

use crate::render::age;
use crate::report::{Failure, Outcome};
use crate::settings::Settings;

/// Show who did what
#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
#[command(before_help = "\
Examples:
  orchctl audit --user anna --from today
  orchctl audit --kind tool_call -p web --outcome failed -o wide
  orchctl audit --target secret/gitea --follow
  orchctl audit verify
")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: Option<What>,
    #[command(flatten)]
    list: list::Filters,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Show what was done in each session of an MCP client, and outside of any
    #[command(before_help = "\
Examples:
  orchctl audit sessions
  orchctl audit sessions -p web --from 7d
  orchctl audit sessions --user anna -o json
")]
    Sessions(sessions::Arguments),
    /// Check that no entry was altered, removed or slipped in
    #[command(before_help = "\
Examples:
  orchctl audit verify
  orchctl audit verify --kept \"$(cat head-of-last-week)\"
  orchctl audit verify -o json
")]
    Verify(verify::Arguments),
}

/// Does it.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    match &arguments.what {
        None => list::run(&arguments.list, settings),
        Some(What::Sessions(arguments)) => sessions::run(arguments, settings),
        Some(What::Verify(arguments)) => verify::run(arguments, settings),
    }
}

/// How rows, or sums of them, are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Form {
    /// For people.
    Table,
    /// For people, with everything.
    Wide,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
}

/// An instant as the daemon is told of it: how long ago, or when.
pub(super) fn instant(now: Timestamp, text: &str) -> Result<String, Failure> {
    age::point(now, text).ok_or_else(|| {
        let problem = Problem::new(Code::BadArgument, format!("`{text}` is no point in time"));
        Failure::from(problem).hint("such as 2h, today, yesterday, 2026-11-21 or 2026-11-21T04:12")
    })
}

/// The project that a flag of this very command names: a context's project does not hide what belongs to none.
pub(super) fn project(settings: &Settings) -> Option<String> {
    let project = settings.flags().project.clone();
    project.filter(|project| !project.is_empty())
}
