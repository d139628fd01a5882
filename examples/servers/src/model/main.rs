//! `orch-model`: a provider of models that nobody pays for, for tests and benchmarks of whoever stands before it.
//!
//! It speaks OpenAI's chat completions and embeddings and Anthropic's Messages, streamed and not. What it does is said by the
//! name of the model, in words joined by dots ([`manner`]): `chunks.200` answers in 200 pieces, `status.503` with an error,
//! `flaky.2` fails twice and then answers. `GET /seen` tells what was asked of it, and what is under way; `POST /listing` says
//! what becomes of who lists its models.

mod answer;
mod kept;
mod manner;
mod seen;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use axum::serve::ListenerExt as _;
use clap::Parser;

use kept::Kept;
use seen::Seen;

/// A provider of models for tests.
#[derive(Debug, Parser)]
#[command(name = "orch-model", version)]
struct Options {
    /// Serve there.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    http: SocketAddr,
    /// Write the port that is served to a file.
    #[arg(long, value_name = "FILE")]
    port_file: Option<PathBuf>,
    /// Take this key alone.
    #[arg(long, value_name = "KEY")]
    key: Option<String>,
}

/// What all handlers work with.
struct Provider {
    key: Option<String>,
    seen: Arc<Seen>,
    kept: Kept,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    let provider = Arc::new(Provider {
        key: options.key,
        seen: Arc::default(),
        kept: Kept::default(),
    });
    let router = Router::new()
        .route("/v1/chat/completions", post(answer::chat))
        .route("/v1/embeddings", post(answer::embeddings))
        .route("/v1/messages", post(answer::messages))
        .route("/v1/models", get(answer::models))
        .route("/seen", get(seen::tell))
        .route("/listing", post(seen::set_listing))
        // How much a model is asked is for whoever asks to bound.
        .layer(DefaultBodyLimit::disable())
        .with_state(provider);
    let listener = tokio::net::TcpListener::bind(options.http).await?;
    let port = listener.local_addr()?.port();
    if let Some(file) = options.port_file {
        let fresh = file.with_extension("new");
        std::fs::write(&fresh, port.to_string())?;
        std::fs::rename(&fresh, &file)?;
    }
    let listener = listener.tap_io(|stream| drop(stream.set_nodelay(true)));
    axum::serve(listener, router).await?;
    Ok(())
}
