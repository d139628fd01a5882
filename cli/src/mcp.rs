//! Speaking MCP to the daemon's gateway, as a client of it or for one that speaks over standard input and output.
//!
//! Enters: what a person or a client wants. Leaves: JSON-RPC over HTTP, by [`crate::client::mcp`]. Messages that are handed
//! on stay byte for byte what they were.

pub(crate) mod dialogue;
pub(crate) mod message;
pub(crate) mod target;

pub(crate) mod bridge;
pub(crate) mod traffic;
