//! Speaking MCP to the daemon's gateway.

pub(crate) mod target;
