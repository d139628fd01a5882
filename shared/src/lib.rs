//! The vocabulary of orchctl: what the daemon and the command line both speak.
//!
//! Kinds, names, manifests, diffs, access rules and problems live here, as values in and values out.
//! What this crate promises, and what tests in `tests/` hold it to:
//!
//! 1. No tokio, sqlx, axum, clap, `std::fs`, `std::env`, clock or randomness in here. Its JSON form is the API.
//! 2. **A kind is one file and one line.** `kinds/<kind>.rs` says everything about a kind; the `kinds!` list in
//!    [`kinds`] names it. REST routes, OpenAPI, CLI nouns and aliases, table columns, describe, explain, apply order,
//!    diff, completions and JSON Schema all derive from that list.
//! 3. Spec is the user's, status is the daemon's. A spec is stored and printed exactly as written; defaults are a pure
//!    [`effective`](kind::Spec::effective) view.
//!
//! In reading order:

pub mod name;
pub mod path;
pub mod quantity;
pub mod value;

pub mod kind;
pub mod kinds;
pub mod resource;

pub mod excerpt;
pub mod manifest;
pub mod problem;
pub mod schema;

pub mod access;
pub mod apply;
pub mod context;
pub mod diff;
pub mod query;
pub mod route;
pub mod wire;
