//! What tests of several rooms share.

pub(crate) mod client;
pub(crate) mod daemon;
pub(crate) mod database;
pub(crate) mod engine;
pub(crate) mod far;
pub(crate) mod http;
pub(crate) mod mcp;
pub(crate) mod outside;
pub(crate) mod postgres;
pub(crate) mod processes;
pub(crate) mod vault;
