//! orchd: keeps a team's MCP servers, models and agents in the state that is declared.
//!
//! One way in, one truth, one way out; every arrow runs downward except status:
//!
//! ```text
//!   api/  ->  admission/  ->  store/  ->  reconcile/  ->  runtime/, secrets/
//!                               ^______________| status
//! ```
//!
//! What holds everywhere, and which tests hold the code to it:
//!
//! 1. `shared` has no tokio, sqlx, axum, clap, `std::fs`, `std::env`, clock or randomness. Its JSON form is the API. Held
//!    by `house::the_vocabulary_does_nothing`.
//! 2. Each outside crate is imported in the rooms that one table names, most of them in exactly one: sqlx in `store/`,
//!    axum in the doors (`api/`, `gateway/`, `inference/`, `body.rs`, and `serve/listen.rs`, which hands them requests), MCP clients and process spawning in `runtime/`,
//!    comfy-table in `cli/`. Held by `house::outside_crates_stay_in_their_rooms` and `house::processes_start_in_one_room`;
//!    which room may know which, by `house::arrows_run_downward`.
//! 3. **A kind is one file and one line.** `shared/src/kinds/<kind>.rs` says everything about a kind; `kinds![]` lists it.
//!    REST routes, OpenAPI, CLI nouns and aliases, table columns, describe, explain, apply order, diff, completions and
//!    JSON Schema all derive from that list. No per-kind handler, table, client method or CLI file. What a kind's objects
//!    make happen is in `reconcile/`: what is there, in `observe.rs`; what is to be done, in `plan/<kind>.rs`. Held by
//!    `laws::every_kind_has_an_example_that_is_right` and `house::the_command_line_knows_kinds_by_their_list`.
//! 4. Spec is the user's, status is the daemon's. Only admission writes specs (`Admitted` has private fields; the
//!    reconciler's Instances pass a door of their own, and `orchd key rotate` seals again what is stored); uid, generation
//!    and timestamps are the store's, the rest of status is the reconciler's and the probes'; and a status write never
//!    moves the generation. Held by `house::only_admission_writes_specs` and `store::story::the_story`.
//! 5. Reconciling is level-triggered: a reconcile takes a key and no hint of what changed. A change wakes its key at once;
//!    every 30 s (`--reconcile-interval`) all keys are visited. Both run the same code. It is idempotent and isolates
//!    failure: one broken server never stops the loop. Held by
//!    `e2e::servers::a_crash_loop_is_told_apart_and_disturbs_nobody`.
//! 6. Deciding is pure: `plan(world, now) -> Plan`; no async, no IO, same input same answer. Doing is a separate, dull
//!    module. Planning the planned world yields nothing. Held by `house::deciding_is_pure` and
//!    `plan::laws::a_server_is_content_with_the_world_it_asked_for`.
//! 7. Nothing is acknowledged before it is durable. Killing the daemon at any instant loses no acknowledged write and
//!    leaves no orphan: at start it reaps by marker. Held by `e2e::chaos::nothing_is_lost` and
//!    `e2e::servers::after_a_crash_of_the_daemon_nothing_old_is_left_and_everything_comes_back`.
//! 8. Every request has one principal, one permission decision, one audit outcome. Held by
//!    `e2e::access::nothing_but_health_answers_without_a_token` and `e2e::audit::each_request_has_one_row`.
//! 9. Time, ids and randomness are arguments (a `Clock` and an id source), so that tests run on a clock of their own. Held
//!    by `clippy.toml`, which refuses the ambient clock.
//!
//! In reading order:

pub mod asker;
pub mod batch;
mod body;
pub mod clock;
pub mod config;
mod mask;
pub mod telemetry;

pub mod admission;
pub mod agents;
pub mod api;
pub mod audit;
pub mod auth;
pub mod gateway;
pub mod inference;
pub mod publishing;
pub mod usage;

pub mod limits;

pub mod secrets;
pub mod store;

pub mod catalogue;

pub mod reconcile;
pub mod runtime;

pub mod serve;
pub mod up;
