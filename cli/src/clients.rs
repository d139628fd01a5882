//! The MCP clients that people use (Claude Code, Cursor, …) and the files in which each keeps its servers.
//!
//! Enters: a client, the user's folders, the text of a file. Leaves: the text with our entry in it or out of it, or the
//! servers that it names. Everything here but [`ledger`] works on values; verbs read, show, ask and write. It never
//! reformats what it does not own.

pub(crate) mod catalogue;
pub(crate) mod entry;

pub(crate) mod edit;
mod jsonc;
mod lines;

pub(crate) mod ledger;

mod exposed;
pub(crate) mod found;
pub(crate) mod launch;
pub(crate) mod manifests;
pub(crate) mod secrecy;
mod shell;
