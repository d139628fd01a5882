//! The daemon from outside: one binary, one module per room.

mod support;

mod checklist;
mod e2e;
mod examples;
mod house;
mod openapi;
mod plan;
mod reconcile;
mod runtime;
mod secrets;
mod store;
