//! `thread`: what was said with agents, listed, read and tidied up. A thread is there for its owner alone.

pub(super) mod asked;
mod change;
mod export;
pub(super) mod look;

use clap::{Args, Subcommand};

use crate::report::{Failure, Outcome};
use crate::settings::Settings;

/// List, read, rename, fork, export and delete threads with agents
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl thread list reviewer
  orchctl thread get ID -o yaml
  orchctl thread fork ID --turn 2
")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// List your threads, those that were used last first
    #[command(before_help = "\
Examples:
  orchctl thread list                     with every agent
  orchctl thread list reviewer -o wide
  orchctl thread list reviewer -o jsonpath='{.items[0].id}'
")]
    List(look::List),
    /// Show what was said in a thread
    #[command(before_help = "\
Examples:
  orchctl thread get 4be0c5               by how its id begins
  orchctl thread get ID -o json           with turns, calls and results
  orchctl thread get ID -o jsonpath='{.items[-1:].text}'
")]
    Get(look::Get),
    /// Give a thread another title
    #[command(before_help = "\
Examples:
  orchctl thread rename ID 'The release notes'
  orchctl thread rename ID notes
  orchctl thread rename ID notes -q
")]
    Rename(change::Rename),
    /// Delete threads, and end what is under way in them
    #[command(before_help = "\
Examples:
  orchctl thread delete ID
  orchctl thread delete ID ID
  orchctl thread delete ID --ignore-not-found
")]
    Delete(change::Delete),
    /// Begin a thread with what was said in another
    #[command(before_help = "\
Examples:
  orchctl thread fork ID                  with everything
  orchctl thread fork ID --turn 2         as if turn 3 had not been
  orchctl thread fork ID --turn 2 --title 'Another way'
")]
    Fork(change::Fork),
    /// Write down what went between the agent, its model and its tools, without keys, to be replayed
    #[command(before_help = "\
Examples:
  orchctl thread export ID > review.json
  orchctl thread export ID -f tests/review.json
  orchctl thread export ID | jq '.turns[].message'
")]
    Export(export::Export),
}

/// Does it.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    match &arguments.what {
        What::List(arguments) => look::list(arguments, settings),
        What::Get(arguments) => look::get(arguments, settings),
        What::Rename(arguments) => change::rename(arguments, settings),
        What::Delete(arguments) => change::delete(arguments, settings),
        What::Fork(arguments) => change::fork(arguments, settings),
        What::Export(arguments) => export::run(arguments, settings),
    }
}
