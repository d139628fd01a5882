//! The protocol side of a child: JSON-RPC messages, one per line, on its standard input and output.
//!
//! A [`Wire`] outlives an attempt at a handshake, so that a second way of greeting can be tried on the same child. Lines
//! that are no messages are logged; programs do print banners. Only a child that writes nothing else is given up.
//!
//! Some servers take longer to come up than a probe waits. The probe's answer is therefore taken out of the stream when it
//! comes later, and kept.

use std::future::Future;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use rmcp::RoleClient;
use rmcp::model::{ClientJsonRpcMessage, JsonRpcMessage, NumberOrString, ServerJsonRpcMessage, ServerResult};
use rmcp::transport::Transport;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{ChildStdin, ChildStdout};

use super::log::{Lines, Log, Stream};

/// The longest message that is taken.
const LONGEST: usize = 16 << 20;

/// How much may be written, without one message among it, before the child is given up.
const GARBAGE: u64 = 1 << 20;

/// How much is read at once.
const CHUNK: usize = 32 << 10;

/// The id of the probe; no other request has a text for an id.
const PROBE: &str = "orchd-probe";

/// Both directions; cheap to clone. There must be one reader at a time.
#[derive(Clone)]
pub(super) struct Wire {
    shared: Arc<Shared>,
}

struct Shared {
    incoming: tokio::sync::Mutex<Incoming>,
    outgoing: tokio::sync::Mutex<Option<ChildStdin>>,
    state: Mutex<State>,
}

struct Incoming {
    stdout: ChildStdout,
    lines: Lines,
    chunk: Vec<u8>,
    garbage: u64,
    log: Log,
}

#[derive(Default)]
struct State {
    /// The probe's answer, in time or late.
    probe: Option<ProbeAnswer>,
    late: bool,
    flooded: bool,
}

/// What a child answered to the probe.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum ProbeAnswer {
    /// It can be discovered.
    Discovered,
    /// It said no, with this code and in these words.
    Refused(i32, String),
}

impl Wire {
    pub(super) fn new(stdin: ChildStdin, stdout: ChildStdout, log: Log) -> Self {
        let incoming = Incoming {
            stdout,
            lines: Lines::new(LONGEST),
            chunk: vec![0; CHUNK],
            garbage: 0,
            log,
        };
        Self {
            shared: Arc::new(Shared {
                incoming: tokio::sync::Mutex::new(incoming),
                outgoing: tokio::sync::Mutex::new(Some(stdin)),
                state: Mutex::default(),
            }),
        }
    }

    /// Sends the probe: a request under the probe's own id.
    pub(super) async fn send_probe(&self, request: rmcp::model::ClientRequest) -> io::Result<()> {
        let id = NumberOrString::String(PROBE.into());
        self.write(&ClientJsonRpcMessage::request(request, id)).await
    }

    /// Waits for the probe's answer; nothing when the child closes its standard output. Whatever else it says meanwhile is
    /// dropped: nobody has asked it anything.
    pub(super) async fn probe_answer(&self) -> Option<ProbeAnswer> {
        loop {
            let message = self.read(Until::ProbeAnswered).await;
            if message.is_none() {
                return self.state().probe.clone();
            }
        }
    }

    /// The probe's answer, if it came when nobody waited for it any more.
    pub(super) fn late_answer(&self) -> Option<ProbeAnswer> {
        let state = self.state();
        state.probe.clone().filter(|_| state.late)
    }

    /// Whether the probe was answered while it was waited for.
    pub(super) fn is_answered_in_time(&self) -> bool {
        let state = self.state();
        state.probe.is_some() && !state.late
    }

    /// Whether the child was given up for what it wrote.
    pub(super) fn is_flooded(&self) -> bool {
        self.state().flooded
    }

    /// Whether the child has taken all that was sent to it. Can still be told when it has ended.
    pub(super) async fn has_read_all(&self) -> bool {
        let outgoing = self.shared.outgoing.lock().await;
        // The kernel counts what is in the pipe, whichever end is asked.
        outgoing
            .as_ref()
            .is_some_and(|stdin| matches!(rustix::io::ioctl_fionread(stdin), Ok(0)))
    }

    /// Reads and logs what is left, once the conversation is over.
    pub(super) async fn drain(&self) {
        while self.read(Until::Closed).await.is_some() {}
    }

    /// Closes the child's standard input: the polite way of saying that it may end.
    pub(super) async fn close_input(&self) {
        self.shared.outgoing.lock().await.take();
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.shared.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn write(&self, message: &ClientJsonRpcMessage) -> io::Result<()> {
        let mut line = serde_json::to_vec(message)?;
        line.push(b'\n');
        let mut outgoing = self.shared.outgoing.lock().await;
        let stdin = outgoing.as_mut().ok_or(io::ErrorKind::NotConnected)?;
        stdin.write_all(&line).await
    }

    /// The next message. Dropping the future loses nothing: whatever was read is kept for the next one.
    async fn read(&self, until: Until) -> Option<ServerJsonRpcMessage> {
        let mut incoming = self.shared.incoming.lock().await;
        let Incoming {
            stdout,
            lines,
            chunk,
            garbage,
            log,
        } = &mut *incoming;
        loop {
            while let Some(line) = lines.next() {
                if line.bytes.is_empty() {
                    continue;
                }
                match serde_json::from_slice::<ServerJsonRpcMessage>(&line.bytes) {
                    Ok(message) if line.dropped == 0 => {
                        *garbage = 0;
                        match answer_to_probe(&message) {
                            Some(answer) => {
                                let mut state = self.state();
                                state.probe = Some(answer);
                                match until {
                                    Until::ProbeAnswered => return None,
                                    Until::Closed => state.late = true,
                                }
                            }
                            None => return Some(message),
                        }
                    }
                    Ok(_) | Err(_) => {
                        *garbage += line.bytes.len() as u64 + line.dropped;
                        log.write(Stream::Stdout, &[line]);
                        if *garbage > GARBAGE {
                            self.state().flooded = true;
                            return None;
                        }
                    }
                }
            }
            match stdout.read(chunk).await {
                Ok(0) | Err(_) => {
                    log.write(Stream::Stdout, lines.end().as_slice());
                    return None;
                }
                Ok(count) => lines.push(&chunk[..count]),
            }
        }
    }
}

/// What ends reading before a message comes.
#[derive(Debug, Clone, Copy)]
enum Until {
    Closed,
    ProbeAnswered,
}

fn answer_to_probe(message: &ServerJsonRpcMessage) -> Option<ProbeAnswer> {
    let is_probe = |id: &NumberOrString| matches!(id, NumberOrString::String(text) if &**text == PROBE);
    match message {
        JsonRpcMessage::Response(response) if is_probe(&response.id) => Some(match response.result {
            ServerResult::DiscoverResult(_) => ProbeAnswer::Discovered,
            _ => ProbeAnswer::Refused(0, "it answered something else".to_owned()),
        }),
        JsonRpcMessage::Error(error) if error.id.as_ref().is_some_and(is_probe) => Some(ProbeAnswer::Refused(
            error.error.code.0,
            error.error.message.to_string(),
        )),
        JsonRpcMessage::Response(_)
        | JsonRpcMessage::Error(_)
        | JsonRpcMessage::Request(_)
        | JsonRpcMessage::Notification(_) => None,
    }
}

impl Transport<RoleClient> for Wire {
    type Error = io::Error;

    fn send(&mut self, message: ClientJsonRpcMessage) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let wire = self.clone();
        async move { wire.write(&message).await }
    }

    async fn receive(&mut self) -> Option<ServerJsonRpcMessage> {
        self.read(Until::Closed).await
    }

    async fn close(&mut self) -> io::Result<()> {
        self.close_input().await;
        Ok(())
    }
}
