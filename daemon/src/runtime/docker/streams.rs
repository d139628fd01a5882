//! The streams of a container: one connection to the engine that carries them all, taken apart.

use std::io;
use std::pin::Pin;

use bollard::container::LogOutput;
use bollard::errors::Error;
use bytes::Bytes;
use futures_util::{Stream, StreamExt as _, stream};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};
use tokio_util::io::StreamReader;

/// How many pieces may wait to be read.
const WAITING: usize = 64;

type Output = Pin<Box<dyn Stream<Item = Result<LogOutput, Error>> + Send>>;

/// What a program in a container writes, and when it is over.
pub(super) struct Streams {
    pub(super) stdout: Box<dyn AsyncRead + Send + Unpin>,
    pub(super) stderr: Box<dyn AsyncRead + Send + Unpin>,
    /// Answers, or is dropped, when nothing more comes.
    pub(super) over: oneshot::Receiver<()>,
}

/// What a program in a container reads.
pub(super) type Input = Pin<Box<dyn AsyncWrite + Send>>;

/// Takes a connection apart. Both streams must be read; one that is dropped is thrown away.
pub(super) fn split(output: Output) -> Streams {
    let (to_stdout, stdout) = mpsc::channel(WAITING);
    let (to_stderr, stderr) = mpsc::channel(WAITING);
    let (ended, over) = oneshot::channel();
    tokio::spawn(async move {
        let mut output = output;
        while let Some(Ok(piece)) = output.next().await {
            let _thrown_away = match piece {
                LogOutput::StdErr { message } => to_stderr.send(message).await,
                LogOutput::StdOut { message } | LogOutput::Console { message } => to_stdout.send(message).await,
                LogOutput::StdIn { .. } => Ok(()),
            };
        }
        let _nobody_waits = ended.send(());
    });
    Streams {
        stdout: reader(stdout),
        stderr: reader(stderr),
        over,
    }
}

fn reader(pieces: mpsc::Receiver<Bytes>) -> Box<dyn AsyncRead + Send + Unpin> {
    let pieces = stream::unfold(pieces, |mut pieces| async move {
        let piece = pieces.recv().await?;
        Some((Ok::<_, io::Error>(piece), pieces))
    });
    Box::new(StreamReader::new(Box::pin(pieces)))
}
