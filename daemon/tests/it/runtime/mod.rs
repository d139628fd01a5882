//! The process runtime with real processes.
//!
//! Every test has a runtime of its own, in a directory of its own, as a daemon of its own id; so they run side by side.

mod double;
mod health;
pub(crate) mod house;

mod connections;
mod docker;
mod leftovers;
mod life;
mod limits;
mod links;
mod logs;
mod packages;
mod remote;
mod remote_links;
mod trees;
