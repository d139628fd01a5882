//! `orch-conformance`: an MCP server with everything that the official conformance suite looks for.
//!
//! The suite fixes the names of the tools, prompts and resources and what they answer; those stand in `catalogue.json`,
//! and the modules here do what data cannot say. It speaks both eras, over standard input and output or, with `--http`,
//! over streamable HTTP at `/mcp`. Whoever stands between the suite and this server must not change a thing.

mod catalogue;
mod changes;
mod questions;
mod seal;
mod server;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::serve::ListenerExt as _;
use clap::Parser;
use rmcp::ServiceExt as _;
use rmcp::transport::streamable_http_server::session::local::LocalSessionManager;
use rmcp::transport::streamable_http_server::{StreamableHttpServerConfig, StreamableHttpService};

use changes::Changes;
use server::{ConformanceServer, Eras};

/// An MCP server with everything that the conformance suite looks for.
#[derive(Debug, Parser)]
#[command(name = "orch-conformance", version)]
struct Options {
    /// Serve streamable HTTP there, at /mcp, instead of standard input and output.
    #[arg(long, value_name = "ADDRESS")]
    http: Option<SocketAddr>,
    /// Write the port that is served to a file.
    #[arg(long, value_name = "FILE")]
    port_file: Option<PathBuf>,
    /// The protocol eras to speak.
    #[arg(long, value_enum, default_value_t = Eras::Both)]
    era: Eras,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let changes = Changes::new();
    let era = options.era;
    let Some(address) = options.http else {
        let server = ConformanceServer::new(era, changes);
        let running = server.serve(rmcp::transport::stdio()).await?;
        running.waiting().await?;
        return Ok(());
    };
    let config =
        StreamableHttpServerConfig::default().with_allowed_origins(["http://localhost:*", "http://127.0.0.1:*"]);
    let service = StreamableHttpService::new(
        move || Ok(ConformanceServer::new(era, changes.clone())),
        Arc::new(LocalSessionManager::default()),
        config,
    );
    let listener = tokio::net::TcpListener::bind(address).await?;
    if let Some(file) = &options.port_file {
        let draft = file.with_extension("draft");
        std::fs::write(&draft, listener.local_addr()?.port().to_string())?;
        std::fs::rename(&draft, file)?;
    }
    // An answer of several parts must not wait for whoever reads it to say that the first has come.
    let listener = listener.tap_io(|connection| drop(connection.set_nodelay(true)));
    axum::serve(listener, Router::new().nest_service("/mcp", service)).await?;
    Ok(())
}
