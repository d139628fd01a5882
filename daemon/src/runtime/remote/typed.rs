//! The conversation with a remote server, as typed values.

use std::collections::HashSet;
use std::sync::Arc;

use rmcp::ClientHandler;
use rmcp::RoleClient;
use rmcp::model::{ClientCapabilities, ClientConfig, Implementation, PaginatedRequestParams, ProtocolVersion};
use rmcp::service::{ClientLifecycleMode, NotificationContext, Peer, RunningService, ServiceError};
use tokio::sync::Notify;

use super::super::launch::Era;
use super::super::observation::{Answer, Tools};
use super::super::tools;

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

/// The greeting of an era.
pub(super) fn lifecycle(era: Era) -> ClientLifecycleMode {
    match era {
        Era::Modern => ClientLifecycleMode::Discover {
            preferred_versions: modern_versions(),
        },
        Era::Legacy => ClientLifecycleMode::Initialize,
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

/// Lists the tools of a server.
pub(super) async fn list(peer: &Peer<RoleClient>) -> Result<Tools, ServiceError> {
    let offers = peer.peer_info().is_some_and(|info| info.capabilities.tools.is_some());
    let mut found = Vec::new();
    let mut cursor: Option<String> = None;
    let mut seen = HashSet::new();
    while offers {
        let params = PaginatedRequestParams::default().with_cursor(cursor.take());
        let page = peer.list_tools(Some(params)).await?;
        found.extend(page.tools.iter().filter_map(|tool| serde_json::to_value(tool).ok()));
        match page.next_cursor {
            Some(next) if seen.insert(next.clone()) => cursor = Some(next),
            Some(_) | None => break,
        }
    }
    Ok(tools::counted(&found))
}
