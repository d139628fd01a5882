//! `orch-notes`: notes over MCP, on standard input and output.
//!
//! The server of the quick start, and an example of how little a server needs: [`notebook`] keeps the notes, [`server`] says
//! which tools there are and calls them. It speaks both eras of the protocol.

mod notebook;
mod server;

use std::path::PathBuf;

use clap::Parser;
use rmcp::ServiceExt as _;

use notebook::Notebook;
use server::NotesServer;

/// Notes over MCP, on standard input and output.
#[derive(Debug, Parser)]
#[command(name = "orch-notes", version)]
struct Arguments {
    /// Keep each note as a file in this directory; without it, notes live as long as the server.
    #[arg(long, value_name = "DIRECTORY")]
    directory: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let notebook = match arguments.directory {
        Some(directory) => Notebook::in_directory(directory)?,
        None => Notebook::in_memory(),
    };
    let running = NotesServer::new(notebook).serve(rmcp::transport::stdio()).await?;
    running.waiting().await?;
    Ok(())
}
