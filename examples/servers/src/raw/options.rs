//! What the server can be made to do.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// An MCP server without an MCP library, for tests.
#[derive(Debug, Clone, Parser)]
#[command(name = "orch-raw", version)]
pub(crate) struct Options {
    /// Serve streamable HTTP there, at /mcp, instead of standard input and output.
    #[arg(long, value_name = "ADDRESS")]
    pub(crate) http: Option<SocketAddr>,
    /// Serve HTTP with server-sent events there, at /sse, as in the revision of 2024-11-05.
    #[arg(long, value_name = "ADDRESS", conflicts_with = "http")]
    pub(crate) sse: Option<SocketAddr>,
    /// Write the port that is served to a file.
    #[arg(long, value_name = "FILE")]
    pub(crate) port_file: Option<PathBuf>,
    /// The protocol eras to speak. A server of the older one alone refuses other versions in headers with 400.
    #[arg(long, value_enum, default_value_t = Eras::Both)]
    pub(crate) era: Eras,
    /// Speak this revision alone, of those with sessions.
    #[arg(long, value_name = "REVISION")]
    pub(crate) revision: Option<String>,
    /// Give no session ids over HTTP.
    #[arg(long)]
    pub(crate) no_sessions: bool,
    /// Wait so many milliseconds before serving.
    #[arg(long, value_name = "MS")]
    pub(crate) delay: Option<u64>,
    /// Wait before answering a method.
    #[arg(long, value_name = "METHOD=MS", value_parser = slow)]
    pub(crate) slow: Vec<(String, u64)>,
    /// Never answer this method.
    #[arg(long, value_name = "METHOD")]
    pub(crate) hang: Vec<String>,
    /// Exit when asked this method.
    #[arg(long, value_name = "METHOD")]
    pub(crate) crash: Vec<String>,
    /// Answer this method with something that is not JSON.
    #[arg(long, value_name = "METHOD")]
    pub(crate) garbage: Vec<String>,
    /// Answer this method with an error of our own.
    #[arg(long, value_name = "METHOD")]
    pub(crate) refuse: Vec<String>,
    /// Answer this method with an error that tells a variable of the environment.
    #[arg(long, value_name = "METHOD=VARIABLE", value_parser = leak)]
    pub(crate) leak: Vec<(String, String)>,
    /// Answer this method with an error that does not say which request it is about.
    #[arg(long, value_name = "METHOD")]
    pub(crate) disown: Vec<String>,
    /// Offer none of the tools that are always there.
    #[arg(long)]
    pub(crate) bare: bool,
    /// Offer so many tools more.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    pub(crate) tools: usize,
    /// Offer so many tools more, with names of 100 characters.
    #[arg(long, value_name = "COUNT", default_value_t = 0)]
    pub(crate) long_names: usize,
    /// List so many tools at a time.
    #[arg(long, value_name = "COUNT")]
    pub(crate) page: Option<usize>,
}

/// The protocol eras to speak.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Eras {
    /// `initialize` alone.
    Legacy,
    /// `server/discover` alone.
    Modern,
    /// Both.
    Both,
}

/// The revision without sessions.
pub(crate) const MODERN: &str = "2026-07-28";
/// The revisions with sessions, the newest first.
const LEGACY: [&str; 4] = ["2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05"];

impl Options {
    /// The revisions with sessions that are spoken, the newest first.
    pub(crate) fn legacy_revisions(&self) -> Vec<&str> {
        match (&self.revision, self.era) {
            (_, Eras::Modern) => Vec::new(),
            (Some(revision), Eras::Legacy | Eras::Both) => vec![revision],
            (None, Eras::Legacy | Eras::Both) => LEGACY.to_vec(),
        }
    }

    /// All revisions that are spoken.
    pub(crate) fn revisions(&self) -> Vec<&str> {
        let mut revisions = self.legacy_revisions();
        if self.speaks_modern() {
            revisions.insert(0, MODERN);
        }
        revisions
    }

    pub(crate) fn speaks_modern(&self) -> bool {
        match self.era {
            Eras::Legacy => false,
            Eras::Modern | Eras::Both => true,
        }
    }
}

fn leak(text: &str) -> Result<(String, String), String> {
    let (method, variable) = text.split_once('=').ok_or("write METHOD=VARIABLE")?;
    Ok((method.to_owned(), variable.to_owned()))
}

fn slow(text: &str) -> Result<(String, u64), String> {
    let (method, time) = text.split_once('=').ok_or("write METHOD=MS")?;
    let time = time.parse().map_err(|error| format!("{time}: {error}"))?;
    Ok((method.to_owned(), time))
}
