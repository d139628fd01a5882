//! The crate's one integration-test binary; a module per thing that is tested.

mod diff;
mod inference;
mod kinds;
mod laws;
mod manifest;
mod schema;
mod tools;
