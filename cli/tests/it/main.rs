//! The command line as its users meet it: the real binary, its exit code and both of its streams.
//!
//! Nothing here reaches outside the test: configuration lives in a temporary folder, and where a daemon is needed, one
//! of a few lines ([`support::daemon`]) plays recorded answers and remembers what it was asked.

mod support;

mod bridge;
mod chat;
mod clients;
mod completions;
mod conversation;
mod editing;
mod flags;
mod manifests;
mod offline;
mod patience;
mod streams;
mod terminal;
mod threads;
mod tools;
mod usage;
