//! The runtimes of processes and containers, and the remote probes: does what the reconciler has decided, and reports what is there.
//!
//! What enters: a [`Launch`], a uid to stop, a uid to ask after. What leaves: [`Observation`]s, log lines, and the ring of a
//! bell whenever an observation changes. This room decides nothing: whether a copy that exited is started again, and when,
//! is the reconciler's plan. It reads no database and knows no kind.
//!
//! What it promises of a process that it has started:
//!
//! - It dies with the daemon: a parent-death signal, set by a step of our own ([`exec`]) that becomes the program, so that
//!   no wrapper stays behind. Every process is started from one permanent thread ([`spawn`]), for that signal fires when
//!   the thread that started a process ends.
//! - When it ends or is stopped, everything it has started ends too ([`tree`]): found by control group where there is one,
//!   by a mark in the environment, by descent, and by what was seen of it before. What a killed daemon leaves behind is
//!   found and ended in the same way at the next start.
//! - It never waits for the daemon to read what it writes, and what it writes is stored with secrets masked ([`log`]).
//! - Running means that it has answered the MCP handshake ([`handshake`]), in whichever of the two protocol eras it speaks.
//!
//! What it promises of a container stands in [`docker`].
//!
//! In reading order:

pub mod launch;
pub mod observation;

mod supervisor;
pub use supervisor::{Bell, Config, ReapReport, Runtime};

mod instance;
mod process;
mod serving;

mod health;
mod probe;
pub use health::Traffic;

mod hold;
pub use hold::{Hold, Load, Use};

mod environment;
pub mod exec;
mod spawn;

pub mod limits;
mod orphans;
mod procfs;
mod tree;

pub mod log;

pub mod link;

mod handshake;
mod tools;

mod packages;
mod remote;

pub mod docker;

pub use launch::Launch;
pub use link::http::{Destination, Heard, Peers, Web};
pub use observation::Observation;
