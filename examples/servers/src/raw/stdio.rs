//! Serving over standard input and output: one session, a line for each message.

use std::sync::Arc;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};

use crate::engine::Engine;
use crate::outlet::Outlet;

/// Serves until the input ends.
pub(crate) async fn serve(engine: Arc<Engine>) -> anyhow::Result<()> {
    let (outlet, mut batches) = Outlet::new();
    let writer = tokio::spawn(async move {
        let mut output = tokio::io::stdout();
        while let Some(batch) = batches.recv().await {
            let text = batch.join("\n") + "\n";
            if output.write_all(text.as_bytes()).await.is_err() || output.flush().await.is_err() {
                return;
            }
        }
    });
    let (_, session) = engine.open_session();
    session.open_standalone(outlet.clone());
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        if !line.trim().is_empty() {
            engine.take(&session, line, outlet.clone());
        }
    }
    writer.abort();
    Ok(())
}
