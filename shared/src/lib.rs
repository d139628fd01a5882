//! The vocabulary of orchctl: what the daemon and the command line both speak.
//!
//! Kinds, names, manifests, diffs, access rules and problems live here, as values in and values out.
//! What this crate promises, in the words and by the numbers of the house (`daemon/src/lib.rs` has them all), and which tests
//! hold it to them:
//!
//! 1. It has no tokio, sqlx, axum, clap, `std::fs`, `std::env`, clock or randomness. Its JSON form is the API. Held by
//!    `house::the_vocabulary_does_nothing`.
//! 3. **A kind is one file and one line.** `kinds/<kind>.rs` says everything about a kind; the `kinds!` list in [`kinds`]
//!    names it. REST routes, OpenAPI, CLI nouns and aliases, table columns, describe, explain, apply order, diff,
//!    completions and JSON Schema all derive from that list. Held by `laws::every_kind_has_an_example_that_is_right`,
//!    `laws::every_field_is_described` and `laws::columns_show_fields_that_exist`.
//! 4. Spec is the user's, status is the daemon's. A spec is stored and printed exactly as written; defaults are a pure
//!    [`effective`](kind::Spec::effective) view. Held by `laws::examples_survive_being_printed`.
//!
//! In reading order:

pub mod name;
pub mod path;
pub mod quantity;
pub mod value;

pub mod kind;
pub mod kinds;
mod names;
pub mod resource;

pub mod excerpt;
pub mod jsonrpc;
pub mod manifest;
pub mod problem;
pub mod schema;
pub mod sse;

pub mod seeded;
pub mod server_json;

pub mod access;
pub mod allowance;
pub mod apply;
pub mod audit;
pub mod cassette;
pub mod chat;
pub mod context;
pub mod diff;
pub mod digest;
pub mod identity;
pub mod inference;
pub mod matching;
pub mod money;
pub mod outline;
pub mod publishing;
pub mod query;
pub mod route;
pub mod secrecy;
pub mod session;
pub mod system;
pub mod tools;
pub mod usage;
pub mod wire;
