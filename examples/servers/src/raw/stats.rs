//! What was asked of this process, for tests that count.

use std::collections::BTreeMap;

use serde_json::{Value, json};

/// What was asked of this process.
#[derive(Debug, Default)]
pub(crate) struct Stats {
    pub(crate) methods: BTreeMap<String, u64>,
    pub(crate) sessions_opened: u64,
    pub(crate) sessions_closed: u64,
    /// The notifications that came, as they came.
    pub(crate) notifications: Vec<String>,
    /// What was answered to the questions that belonged to no request, as it came.
    pub(crate) answers: Vec<String>,
    /// The ids of the calls that the client gave up.
    pub(crate) cancelled: Vec<String>,
    /// The values of `MCP-Protocol-Version`, as often as they came.
    pub(crate) revision_headers: BTreeMap<String, u64>,
    /// Who the clients said they are.
    pub(crate) clients: Vec<Value>,
}

impl Stats {
    pub(crate) fn told(&self, sessions_open: usize) -> Value {
        json!({
            "pid": std::process::id(),
            "methods": self.methods,
            "sessionsOpened": self.sessions_opened,
            "sessionsClosed": self.sessions_closed,
            "sessionsOpen": sessions_open,
            "notifications": self.notifications,
            "answers": self.answers,
            "cancelled": self.cancelled,
            "revisionHeaders": self.revision_headers,
            "clients": self.clients,
        })
    }
}
