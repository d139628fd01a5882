//! What changes while the server runs, and who is told.
//!
//! All sessions of a process share it. A modern client hears of a change on the stream it listens on; a session of the
//! older era hears of it at once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rmcp::model::ServerNotification;
use rmcp::{Peer, RoleServer};
use serde_json::json;
use tokio::sync::broadcast;

use crate::catalogue::wire;

/// The resource that changes when it is told to.
pub(crate) const WATCHED: &str = "test://watched-resource";

/// What has changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    Tools,
    Prompts,
    Resources,
    Watched,
}

impl Change {
    /// The notification that tells of it.
    pub(crate) fn notification(self) -> Option<ServerNotification> {
        let message = match self {
            Self::Tools => json!({"method": "notifications/tools/list_changed"}),
            Self::Prompts => json!({"method": "notifications/prompts/list_changed"}),
            Self::Resources => json!({"method": "notifications/resources/list_changed"}),
            Self::Watched => json!({"method": "notifications/resources/updated", "params": {"uri": WATCHED}}),
        };
        wire(message).ok()
    }
}

/// What has changed since the start.
#[derive(Debug, Clone)]
pub(crate) struct Changes {
    added_tool: Arc<AtomicBool>,
    added_prompt: Arc<AtomicBool>,
    sender: broadcast::Sender<Change>,
}

impl Changes {
    pub(crate) fn new() -> Self {
        Self {
            added_tool: Arc::default(),
            added_prompt: Arc::default(),
            sender: broadcast::Sender::new(64),
        }
    }

    pub(crate) fn has_added_tool(&self) -> bool {
        self.added_tool.load(Ordering::Relaxed)
    }

    pub(crate) fn has_added_prompt(&self) -> bool {
        self.added_prompt.load(Ordering::Relaxed)
    }

    /// Makes the change, and tells everybody who listens.
    pub(crate) fn make(&self, change: Change) {
        match change {
            Change::Tools => drop(self.added_tool.fetch_xor(true, Ordering::Relaxed)),
            Change::Prompts => drop(self.added_prompt.fetch_xor(true, Ordering::Relaxed)),
            Change::Resources | Change::Watched => {}
        }
        // Nobody need be listening.
        let _ = self.sender.send(change);
    }

    pub(crate) fn listen(&self) -> broadcast::Receiver<Change> {
        self.sender.subscribe()
    }

    /// Tells a session of the older era of every change that it wants to hear of, until it ends.
    pub(crate) fn tell(&self, peer: Peer<RoleServer>, wanted: impl Fn(Change) -> bool + Send + 'static) {
        let mut changes = self.listen();
        tokio::spawn(async move {
            while let Ok(change) = changes.recv().await {
                if !wanted(change) {
                    continue;
                }
                let Some(notification) = change.notification() else {
                    return;
                };
                if peer.send_notification(notification).await.is_err() {
                    return;
                }
            }
        });
    }
}
