//! `auth`: who may do what, why, and which logins are open.

mod access;
mod logins;

use clap::{Args, Subcommand};

use crate::report::{Failure, Outcome};
use crate::settings::Settings;

/// Ask who may do what, and see and end logins
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl auth can-i edit server/files --as ann
  orchctl auth why run server/files --tool read_file
  orchctl auth logins
")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Say whether something may be done: ends in 0 for yes, in 1 for no
    #[command(before_help = "\
Examples:
  orchctl auth can-i view servers
  orchctl auth can-i run server/files --tool read_file --as ann
  orchctl auth can-i logs                      an operation
  orchctl auth can-i --list                    all that may be done
")]
    CanI(access::CanI),
    /// Say which rule allows something, or what is missing
    #[command(before_help = "\
Examples:
  orchctl auth why edit server/files
  orchctl auth why run server/files --tool read_file --as serviceaccount/ci
  orchctl auth why backup
")]
    Why(access::Why),
    /// Show the logins that are open, or end some
    #[command(before_help = "\
Examples:
  orchctl auth logins
  orchctl auth logins -o json
  orchctl auth logins end 5d0f2c9a1b7e
")]
    Logins(logins::Arguments),
}

/// Asks.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    match &arguments.what {
        What::CanI(arguments) => access::can_i(arguments, settings),
        What::Why(arguments) => access::why(arguments, settings),
        What::Logins(arguments) => logins::run(arguments, settings),
    }
}
