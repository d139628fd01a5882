//! Sessions that MCP clients have with a project, and what is said in them: bodies of the API, for both ends.
//!
//! What is told here is meant to be looked at. The id of a session is a short name for it and opens nothing; texts come
//! with keys masked, and cut.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::resource::Timestamp;

/// The answer of `GET /api/v1/projects/{project}/sessions`.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Sessions {
    /// Those last used first.
    pub items: Vec<Session>,
}

/// One session of one client.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Session {
    /// A short name for it; not the secret that the client shows.
    pub id: String,
    /// Who the client says it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<ClientInfo>,
    /// The revision of the protocol that they speak: `2025-11-25`.
    pub protocol: String,
    /// Whose token the client showed: `user/ada`.
    pub principal: String,
    /// When it began.
    pub created_at: Timestamp,
    /// When it was last used.
    pub last_used_at: Timestamp,
}

/// Who a client says it is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClientInfo {
    /// Its name.
    pub name: String,
    /// Its version.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
}

/// One event of `GET /api/v1/projects/{project}/sessions/{session}/traffic`: one message of JSON-RPC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Traffic {
    /// When it passed.
    pub at: Timestamp,
    /// From whom to whom.
    pub direction: Direction,
    /// The server at the other end; absent between the client and the gateway.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<String>,
    /// What is asked or told; absent for answers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// The id of the request or answer, as JSON text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The length of the message, in bytes.
    pub size: u64,
    /// The message, keys masked, and cut.
    pub text: String,
}

/// From whom to whom a message goes.
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

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn messages_have_one_form() {
        let wire = json!({
            "at": "2026-01-01T00:00:00.000Z", "direction": "from-server", "upstream": "files", "id": "7", "size": 12,
            "text": "{}",
        });
        let read: Traffic = serde_json::from_value(wire.clone()).unwrap();
        assert_eq!(read.direction, Direction::FromServer);
        assert_eq!(serde_json::to_value(&read).unwrap(), wire);
    }
}
