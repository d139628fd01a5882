//! Publishing: what is offered from this machine, and the work for it as long as this program runs.
//!
//! Flow: what is offered is read from flags and manifests ([`offer`]), and the session of the last time from its file
//! ([`memory`]). The publisher ([`publisher`]) registers, listens, says that it is there, and has each task answered on a
//! thread of its own ([`task`]): by a model that runs somewhere, or by one whose process is this program's
//! ([`engine`]). Beside it a door ([`door`]) may serve callers of this machine.
//!
//! Guarantees: the key of a model does not leave this machine. A task that nobody waits for any more is given up at once.
//! When this program ends, however it ends, its model servers end.

pub(crate) mod door;
pub(crate) mod engine;
pub(crate) mod memory;
pub(crate) mod offer;
pub(crate) mod publisher;
mod task;
mod wire;
