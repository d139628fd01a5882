//! `mcp`: what MCP clients start. `serve` bridges standard input and output to the gateway; `headers` tells a client the
//! headers that it must send.

use std::io::{self, BufReader};
use std::path::PathBuf;

use clap::{ArgAction, Args, Subcommand};

use crate::mcp::bridge::Bridge;
use crate::mcp::target::Target;
use crate::mcp::traffic::{Detail, Journal};
use crate::report::{Failure, Outcome};
use crate::settings::{Settings, normal_url};

/// Serve MCP clients that only speak over standard input and output
#[derive(Debug, Args)]
#[command(before_help = "\
Examples:
  orchctl mcp serve -p web                    what a client is told to start
  orchctl mcp serve --server files            one server, its names as they are
  orchctl mcp serve -p web --debug mcp.log    and write down what is said
")]
pub(crate) struct Arguments {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Carry messages between standard input and output and a project (-p) or a server (--server NAME)
    #[command(before_help = "\
Examples:
  orchctl mcp serve -p web
  orchctl mcp serve -p web --debug
  orchctl mcp serve --server files --debug mcp.log --debug-payloads
")]
    Serve(Serve),
    /// Print the headers for that address as JSON: the token, for clients that run a program to get them
    #[command(before_help = "\
Examples:
  orchctl mcp headers http://127.0.0.1:7420/mcp/projects/web
  orchctl mcp headers --context staging https://orch.example.com/mcp/projects/web
  orchctl mcp headers
")]
    Headers {
        /// The address they are for; of another daemon than the context's there are none
        #[arg(value_name = "URL")]
        url: Option<String>,
    },
}

#[derive(Debug, Args)]
struct Serve {
    /// Write down what is said, keys masked: in this file, or on standard error
    #[arg(long, value_name = "FILE", num_args = 0..=1)]
    debug: Option<Option<PathBuf>>,
    /// Write down what messages carry, too
    #[arg(long, requires = "debug", action = ArgAction::SetTrue)]
    debug_payloads: bool,
}

/// Does it.
pub(crate) fn run(arguments: &Arguments, settings: &Settings) -> Result<Outcome, Failure> {
    match &arguments.what {
        What::Serve(serve) => self::serve(serve, settings),
        What::Headers { url } => headers(settings, url.as_deref()),
    }
}

fn serve(serve: &Serve, settings: &Settings) -> Result<Outcome, Failure> {
    let target = Target::of(settings)?;
    let endpoint = settings.client()?.endpoint(&target.path());
    let detail = match serve.debug_payloads {
        true => Detail::Payloads,
        false => Detail::Outline,
    };
    let journal = match &serve.debug {
        None => Journal::none(),
        Some(None) => Journal::on_standard_error(detail),
        Some(Some(path)) => Journal::in_file(path, detail)?,
    };
    journal.event(&format!("serving {target} of {}", settings.client()?.server()));
    let bridge = Bridge::new(endpoint, journal, Box::new(io::stdout()));
    let ended = bridge.run(BufReader::new(io::stdin()));
    ended.map(|()| Outcome::Done).map_err(Failure::output)
}

fn headers(settings: &Settings, url: Option<&str>) -> Result<Outcome, Failure> {
    let connection = settings.connection()?;
    if let Some(url) = url {
        let url = normal_url(url)?;
        let is_there = url
            .strip_prefix(&connection.server)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        if !is_there {
            return Err(
                Failure::usage(format!("{url} is not at {}, whose token this is", connection.server))
                    .hint("name the context of that daemon: --context NAME"),
            );
        }
    }
    let headers = match &connection.token {
        Some(token) => serde_json::json!({"Authorization": format!("Bearer {}", token.reveal())}),
        None => serde_json::json!({}),
    };
    settings.ui.line(&headers.to_string())?;
    Ok(Outcome::Done)
}
