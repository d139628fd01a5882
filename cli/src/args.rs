//! The command line, read: global flags here, each verb's own beside the verb.
//!
//! Enters: the process's arguments. Leaves: a [`Cli`], or why they cannot be understood ([`refusal`]). Nothing is looked up
//! yet.

pub(crate) mod fields;
mod refusal;
pub(crate) mod shared;
pub(crate) mod targets;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, CommandFactory as _, FromArgMatches as _, Parser};
use clap_complete::ArgValueCompleter;
use orch_shared::name::Name;
use orch_shared::quantity::{QuantityError, Span};

use crate::complete;
use crate::report::Failure;
use crate::ui::Color;
use crate::verbs::Verb;

/// kubectl for the AI tool layer: MCP servers, models, agents, and what they need.
#[derive(Debug, Parser)]
#[command(name = "orchctl", version, disable_help_subcommand = true, max_term_width = 120)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) globals: Globals,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// Flags that every verb has.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Global flags")]
pub(crate) struct Globals {
    /// Context to use instead of the current one [env: ORCHCTL_CONTEXT]
    #[arg(long, global = true, value_name = "NAME")]
    #[arg(add = ArgValueCompleter::new(complete::contexts))]
    pub(crate) context: Option<String>,
    /// Address of the daemon, instead of the context's [env: ORCHCTL_SERVER]. For client, mcp, tools and console also the
    /// NAME of a server
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) server: Option<String>,
    /// The server that `--server` names, for the verbs that speak MCP.
    #[arg(skip)]
    pub(crate) mcp_server: Option<Name>,
    /// File that holds the token, instead of the context's [env: ORCHCTL_TOKEN_FILE, or ORCHCTL_TOKEN itself]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) token_file: Option<PathBuf>,
    /// Certificates (PEM) to trust instead of the system's [env: ORCHCTL_CA_FILE]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) ca_file: Option<PathBuf>,
    /// Project to work in, for kinds that live in projects [env: ORCHCTL_PROJECT]
    #[arg(short, long, global = true, value_name = "NAME")]
    #[arg(add = ArgValueCompleter::new(complete::projects))]
    pub(crate) project: Option<String>,
    /// Agent to work with, for kinds that live with agents
    #[arg(long, global = true, value_name = "NAME")]
    #[arg(add = ArgValueCompleter::new(complete::agents))]
    pub(crate) agent: Option<String>,
    /// Ask in the place of this user, or of serviceaccount/NAME. Needs the operation `impersonate`
    #[arg(long = "as", global = true, value_name = "USER")]
    #[arg(add = ArgValueCompleter::new(complete::users))]
    pub(crate) in_place_of: Option<String>,
    /// How long an ordinary request may take [default: 10s], and the answer of a tool, which has no limit otherwise
    #[arg(long, global = true, value_parser = limit, value_name = "DURATION")]
    pub(crate) request_timeout: Option<Limit>,
    /// When to use colour
    #[arg(
        long,
        global = true,
        default_value = "auto",
        value_name = "WHEN",
        hide_possible_values = false
    )]
    pub(crate) color: Color,
    /// Say only what was asked for, and errors
    #[arg(short, long, global = true, action = ArgAction::SetTrue)]
    pub(crate) quiet: bool,
    /// Also say each request on standard error
    #[arg(long, global = true, action = ArgAction::SetTrue, conflicts_with = "quiet")]
    pub(crate) verbose: bool,
}

impl Globals {
    /// Takes what is no address but a name for the server that is meant.
    #[must_use]
    pub(crate) fn with_server_named(mut self) -> Self {
        let name = self.server.as_deref().filter(|given| *given != "localhost");
        if let Some(Ok(name)) = name.map(str::parse::<Name>) {
            self.mcp_server = Some(name);
            self.server = None;
        }
        self
    }
}

/// A length of time on the command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Limit(pub(crate) Duration);

/// Reads a length of time.
pub(crate) fn limit(text: &str) -> Result<Limit, QuantityError> {
    text.parse::<Span>().map(|span| Limit(span.duration()))
}

/// Reads a length of time that something may take: there is some.
pub(crate) fn some_time(text: &str) -> Result<Limit, String> {
    let read = limit(text).map_err(|error| error.to_string())?;
    match read.0.is_zero() {
        true => Err("nothing is done in no time at all; such as 30s or 10m".to_owned()),
        false => Ok(read),
    }
}

/// Reads the process's arguments. Pages that are asked for end the program here.
pub(crate) fn parse() -> Result<Cli, Failure> {
    let words: Vec<OsString> = std::env::args_os().collect();
    command()
        .try_get_matches_from(&words)
        .and_then(|matches| Cli::from_arg_matches(&matches))
        .map(|cli| match cli.verb.speaks_mcp() {
            true => Cli {
                globals: cli.globals.with_server_named(),
                ..cli
            },
            false => cli,
        })
        .map_err(|error| refusal::told(&error, &words))
}

/// The whole command line, for parsing, completions and manual pages.
pub(crate) fn command() -> clap::Command {
    crate::verbs::help::arranged(Cli::command())
}

#[cfg(test)]
mod tests {
    #[test]
    fn something_takes_some_time() {
        for (text, is_read) in [
            ("1s", true),
            ("250ms", true),
            ("10m", true),
            ("0s", false),
            ("0", false),
            ("x", false),
        ] {
            assert_eq!(super::some_time(text).is_ok(), is_read, "{text}");
        }
    }

    #[test]
    fn the_command_line_is_sound() {
        let mut command = super::command();
        command.build();
        command.debug_assert();
    }
}
