//! `orch-raw`: an MCP server without an MCP library, for tests of whoever stands between it and a client.
//!
//! Its answers carry members that no specification knows, in the lists, the results and the capabilities; it tells back the
//! very text of a request; it has methods, notifications and extensions of its own; and it counts what is asked of it. So a
//! test sees what a relay has lost, changed, reordered or asked too often. [`options`] says what else it can be made to do.

mod engine;
mod http;
mod options;
mod outlet;
mod session;
mod sse;
mod stats;
mod stdio;
mod tools;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use clap::Parser as _;

use engine::Engine;
use options::Options;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let options = Options::parse();
    if let Some(delay) = options.delay {
        tokio::time::sleep(Duration::from_millis(delay)).await;
    }
    let (http, sse) = (options.http, options.sse);
    let engine = Arc::new(Engine::new(options));
    match (http, sse) {
        (Some(address), _) => http::serve(engine, address).await,
        (None, Some(address)) => sse::serve(engine, address).await,
        (None, None) => stdio::serve(engine).await,
    }
}
