//! Opening a conversation with a child, in whichever era it speaks.
//!
//! Where the era is not known, `server/discover` is asked first, for a second; a server of the older era says no, or
//! nothing, and is then greeted with `initialize`. Servers that are slow to come up answer the question late, in the midst
//! of the greeting: that answer is not lost (see [`super::wire`]) and tells the era for the next start. What is known of
//! the era only decides what is tried first: a server that was replaced by another version is greeted all the same.

use std::sync::Arc;
use std::time::Duration;

use rmcp::ClientHandler;
use rmcp::RoleClient;
use rmcp::model::{
    ClientCapabilities, ClientConfig, ClientRequest, DiscoverRequest, DiscoverRequestParams, GetExtensions as _,
    Implementation, ProtocolVersion, RequestMetaObject,
};
use rmcp::service::{
    ClientInitializeError, ClientLifecycleMode, ClientServiceExt as _, NotificationContext, RunningService,
};
use rmcp::transport::Transport;
use tokio::sync::Notify;

use super::launch::Era;
use super::observation::Answer;
use super::wire::{ProbeAnswer, Wire};

/// How long an unknown server is given to answer the question of the newer era.
const PROBE_PATIENCE: Duration = Duration::from_secs(1);

/// An open conversation.
pub(super) type Conversation = RunningService<RoleClient, Ears>;

/// Our side of a conversation: it offers nothing, and hears when the tools have changed.
#[derive(Debug, Clone, Default)]
pub(super) struct Ears {
    pub(super) tools_changed: Arc<Notify>,
}

impl ClientHandler for Ears {
    fn get_info(&self) -> ClientConfig {
        ClientConfig::new(ClientCapabilities::default(), ourselves())
            .with_protocol_version(ProtocolVersion::LATEST_WITH_INITIALIZE)
    }

    async fn on_tool_list_changed(&self, _: NotificationContext<RoleClient>) {
        self.tools_changed.notify_one();
    }
}

fn ourselves() -> Implementation {
    Implementation::new("orchd", env!("CARGO_PKG_VERSION"))
}

/// The revisions that begin with a discovery, the newest first.
pub(super) fn modern_versions() -> Vec<ProtocolVersion> {
    ProtocolVersion::KNOWN_VERSIONS
        .iter()
        .rev()
        .filter(|version| !version.has_initialize())
        .cloned()
        .collect()
}

/// Why there is no conversation.
#[derive(Debug)]
pub(super) enum Refusal {
    /// The child closed its standard output, or ended.
    Closed,
    /// It answered, but not as a server does: what, in a clause, not masked.
    Answered(String),
}

/// Opens a conversation with a child.
pub(super) async fn open(wire: &Wire, hint: Option<Era>, ears: &Ears) -> Result<(Conversation, Era), Refusal> {
    let first = match hint {
        Some(era) => era,
        None => probe(wire).await?,
    };
    let refused = match greet(wire.clone(), first, ears).await {
        Ok(conversation) => return Ok((conversation, known_era(wire, first))),
        Err(refused) => refused,
    };
    let second = match first {
        Era::Modern => Era::Legacy,
        Era::Legacy => Era::Modern,
    };
    match refused {
        Refusal::Closed => Err(Refusal::Closed),
        Refusal::Answered(reason) => match greet(wire.clone(), second, ears).await {
            Ok(conversation) => Ok((conversation, second)),
            // The second way was only a guess; what went wrong with the first is what there is to tell.
            Err(Refusal::Answered(_)) => Err(Refusal::Answered(reason)),
            Err(Refusal::Closed) => Err(Refusal::Closed),
        },
    }
}

/// The newest era that the child is known to speak, after a conversation was opened.
fn known_era(wire: &Wire, opened: Era) -> Era {
    match wire.late_answer() {
        Some(ProbeAnswer::Discovered) => Era::Modern,
        Some(ProbeAnswer::Refused(..)) | None => opened,
    }
}

/// Asks which era a child speaks.
async fn probe(wire: &Wire) -> Result<Era, Refusal> {
    let meta =
        RequestMetaObject::with_client_context(ProtocolVersion::LATEST, ourselves(), ClientCapabilities::default());
    let mut discover = DiscoverRequest::new(DiscoverRequestParams {});
    discover.extensions_mut().insert(meta);
    wire.send_probe(ClientRequest::DiscoverRequest(discover))
        .await
        .map_err(|_| Refusal::Closed)?;
    match tokio::time::timeout(PROBE_PATIENCE, wire.probe_answer()).await {
        Ok(Some(ProbeAnswer::Discovered)) => Ok(Era::Modern),
        Ok(Some(ProbeAnswer::Refused(code, _))) if is_modern_refusal(code) => Ok(Era::Modern),
        Ok(Some(ProbeAnswer::Refused(..))) | Err(_) => Ok(Era::Legacy),
        Ok(None) => Err(Refusal::Closed),
    }
}

/// Whether a refusal could only come from a server of the newer era.
fn is_modern_refusal(code: i32) -> bool {
    use rmcp::model::ErrorCode;
    [
        ErrorCode::UNSUPPORTED_PROTOCOL_VERSION,
        ErrorCode::MISSING_REQUIRED_CLIENT_CAPABILITY,
        ErrorCode::HEADER_MISMATCH,
    ]
    .iter()
    .any(|known| known.0 == code)
}

/// The greeting of an era.
pub(super) fn lifecycle(era: Era) -> ClientLifecycleMode {
    match era {
        Era::Modern => ClientLifecycleMode::Discover {
            preferred_versions: modern_versions(),
        },
        Era::Legacy => ClientLifecycleMode::Initialize,
    }
}

async fn greet<T>(transport: T, era: Era, ears: &Ears) -> Result<Conversation, Refusal>
where
    T: Transport<RoleClient> + 'static,
{
    ears.clone()
        .serve_with_lifecycle(transport, lifecycle(era))
        .await
        .map_err(|error| refusal(&error))
}

/// What an error of a greeting means.
fn refusal(error: &ClientInitializeError) -> Refusal {
    match error {
        ClientInitializeError::ConnectionClosed(_)
        | ClientInitializeError::TransportError { .. }
        | ClientInitializeError::Cancelled => Refusal::Closed,
        ClientInitializeError::JsonRpcError(error) => {
            Refusal::Answered(format!("error {}: {}", error.code.0, error.message))
        }
        ClientInitializeError::NoCompatibleProtocolVersion { server_supported, .. } => {
            let versions: Vec<_> = server_supported.iter().map(ProtocolVersion::as_str).collect();
            Refusal::Answered(format!(
                "it speaks none of our protocol versions, only {}",
                versions.join(", ")
            ))
        }
        ClientInitializeError::ExpectedInitResponse(_) | ClientInitializeError::ExpectedInitResult(_) => {
            Refusal::Answered("its answer to the greeting is no answer to a greeting".to_owned())
        }
        other => Refusal::Answered(other.to_string()),
    }
}

/// What a server said of itself; its tools are still to be listed.
pub(super) fn answer(conversation: &Conversation) -> Answer {
    let info = conversation.peer_info();
    let server = info.as_ref().and_then(|info| info.server_info.clone());
    Answer {
        name: server.as_ref().map(|server| server.name.clone()),
        version: server.map(|server| server.version),
        protocol_version: info.map(|info| info.protocol_version.to_string()).unwrap_or_default(),
        tools: None,
    }
}
