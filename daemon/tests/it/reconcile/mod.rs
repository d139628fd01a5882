//! The reconciler from within: a real store, real processes, and what the gateway asks of it.

mod house;
mod sessions;
mod waking;
