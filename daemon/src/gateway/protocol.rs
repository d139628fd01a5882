//! Words of the Model Context Protocol that the gateway itself speaks: revisions, headers, error codes, reserved members.

use std::sync::LazyLock;

use orch_shared::jsonrpc::{Outcome, Raw, raw};
use serde_json::{Value, json};

/// The revision without sessions.
pub(super) const MODERN: &str = "2026-07-28";
/// The newest revision with sessions, which a client that asks for an unknown one is offered.
pub(super) const NEWEST_LEGACY: &str = "2025-11-25";
/// The revisions with sessions, the newest first.
pub(super) const LEGACY: [&str; 4] = [NEWEST_LEGACY, "2025-06-18", "2025-03-26", "2024-11-05"];

/// Whether a revision is one of those with sessions.
pub(super) fn is_legacy(version: &str) -> bool {
    LEGACY.contains(&version)
}

pub(super) const SESSION_ID: &str = "mcp-session-id";
pub(super) const PROTOCOL_VERSION: &str = "mcp-protocol-version";
pub(super) const METHOD: &str = "mcp-method";
pub(super) const NAME: &str = "mcp-name";
pub(super) const PARAM: &str = "mcp-param-";
pub(super) const LAST_EVENT_ID: &str = "last-event-id";

/// What reserved members of `_meta` begin with.
pub(super) const RESERVED: &str = "io.modelcontextprotocol/";
pub(super) const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
pub(super) const META_CLIENT: &str = "io.modelcontextprotocol/clientInfo";
pub(super) const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
pub(super) const META_LOG_LEVEL: &str = "io.modelcontextprotocol/logLevel";
pub(super) const META_SERVER: &str = "io.modelcontextprotocol/serverInfo";
pub(super) const META_SUBSCRIPTION: &str = "io.modelcontextprotocol/subscriptionId";
/// What a list says of servers whose part is missing.
pub(super) const META_MISSING: &str = "orchctl.dev/missing";

/// The handle of a session that a client of the revision without sessions has begun.
pub(super) const META_SESSION: &str = "orchctl.dev/session";

/// Codes of JSON-RPC and of the protocol.
pub(super) mod code {
    pub(in crate::gateway) const PARSE: i64 = -32700;
    pub(in crate::gateway) const INVALID_REQUEST: i64 = -32600;
    pub(in crate::gateway) const METHOD_NOT_FOUND: i64 = -32601;
    pub(in crate::gateway) const INVALID_PARAMS: i64 = -32602;
    pub(in crate::gateway) const INTERNAL: i64 = -32603;
    /// The session is not known.
    pub(in crate::gateway) const NO_SESSION: i64 = -32001;
    /// A resource that is not there, for clients of the revisions with sessions.
    pub(in crate::gateway) const NO_RESOURCE: i64 = -32002;
    /// A header and the body contradict each other.
    pub(in crate::gateway) const HEADER_MISMATCH: i64 = -32020;
    /// The client would have to be able to do something that it cannot.
    pub(in crate::gateway) const MISSING_CAPABILITY: i64 = -32021;
    /// The revision is not spoken here.
    pub(in crate::gateway) const UNSUPPORTED_VERSION: i64 = -32022;
    /// The session has not said what it is about, which its project wants first.
    pub(in crate::gateway) const NOT_BEGUN: i64 = -32030;
    /// Over a limit; try again later.
    pub(in crate::gateway) const LIMITED: i64 = -32029;
}

/// Name and version of ourselves, as servers and clients are told.
pub(super) fn ourselves() -> Value {
    json!({"name": "orchctl", "title": "orchctl gateway", "version": env!("CARGO_PKG_VERSION")})
}

/// The same as a payload.
pub(super) fn ourselves_raw() -> Raw {
    static OURSELVES: LazyLock<Raw> = LazyLock::new(|| raw(&ourselves()));
    OURSELVES.clone()
}

/// An error.
pub(super) fn error(code: i64, message: impl AsRef<str>) -> Outcome {
    Outcome::error(code, message.as_ref())
}

/// An error with data.
pub(super) fn error_with(code: i64, message: impl AsRef<str>, data: &Value) -> Outcome {
    Outcome::error_with(code, message.as_ref(), data)
}

/// A result of our own.
pub(super) fn result(value: &Value) -> Outcome {
    Outcome::Result(raw(value))
}
