//! orchd: keeps a team's MCP servers, models and agents in the state that is declared.
//!
//! One way in, one truth, one way out; every arrow runs downward except status:
//!
//! ```text
//!   api/  ->  admission/  ->  store/  ->  reconcile/  ->  runtime/, secrets/
//!                               ^______________| status
//! ```
//!
//! What holds everywhere, and what tests in `tests/` hold the code to:
//!
//! 1. Each outside crate is imported in exactly one room: sqlx in `store/`, axum in `api/`, process spawning and MCP
//!    clients in `runtime/`, clap's parser in `main.rs` and `config.rs`, indicatif in `up/`.
//! 2. A kind is one file in the shared crate; no room but `reconcile/plan/<kind>.rs` knows its fields.
//! 3. Spec is the user's, status is the daemon's. Only admission writes specs; a status write never moves the generation.
//! 4. Reconciling is level-triggered: a reconcile takes a key and no hint of what changed. A change wakes its key at
//!    once; every 30 s all keys are visited. Both run the same code. One broken server never stops the loop.
//! 5. Deciding is pure: `plan(desired, observed, now)`; doing is a separate, dull module. Planning the planned world
//!    yields nothing.
//! 6. Nothing is acknowledged before it is durable. Killing the daemon at any instant loses no acknowledged write and
//!    leaves no orphan: at start it reaps what it finds marked as its own.
//! 7. Every request has one principal, one permission decision, one audit outcome.
//! 8. Time and ids are arguments, so that tests run on a clock of their own.
//!
//! In reading order:

pub mod clock;
pub mod config;
pub mod telemetry;

pub mod admission;
pub mod api;
pub mod auth;

pub mod secrets;
pub mod store;

pub mod reconcile;
pub mod runtime;

pub mod serve;
pub mod up;
