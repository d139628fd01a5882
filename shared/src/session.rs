//! Sessions of MCP clients with the gateway, as the API shows them, and what is said in them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resource::Timestamp;

/// A session that is in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// What it goes by; nobody can use the session with it.
    pub id: String,
    /// What it is with: `server/files`, `project/web`.
    pub target: String,
    /// Whose it is.
    pub principal: String,
    /// The client's name, as it gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<String>,
    /// The client's version, as it gave it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client_version: Option<String>,
    /// The revision of the protocol that was agreed on.
    pub protocol: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last spoken with.
    pub last_used_at: Timestamp,
}

/// All sessions of a project that are in use.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sessions {
    /// The sessions, the youngest first.
    pub items: Vec<Session>,
}

/// Between whom a message went.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From the client to the gateway.
    FromClient,
    /// From the gateway to the client.
    ToClient,
    /// From the gateway to a server.
    ToServer,
    /// From a server to the gateway.
    FromServer,
}

/// A message of a session, fit to be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Traffic {
    /// When.
    pub at: Timestamp,
    /// Between whom.
    pub direction: Direction,
    /// The server, when one is concerned.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// How long the message was, in bytes.
    pub size: u64,
    /// The message as JSON text, without secrets, and cut when it is long.
    pub text: String,
}
