//! The container runtime: copies that run in containers of a Docker engine.
//!
//! What enters: a launch whose source is a container. What leaves: the same states, observations and log lines as those of a
//! process. The only room that knows the engine's library.
//!
//! Flow of a copy: the image is there or is pulled ([`image`]); the container is made on its network ([`network`],
//! [`container`]); the server in it is spoken to over the container's streams ([`spoken`]), or over HTTP at its address
//! ([`served`]); when it ends, its exit is told and the container removed.
//!
//! Guarantees:
//!
//! - Everything that is made carries this daemon's mark ([`labels`]); nothing without it is ever touched.
//! - A container that is spoken to over its streams never outlives the conversation. One that is spoken to over HTTP stays
//!   when the daemon ends, and is taken over by the next one; what nobody expects any more is cleared away ([`sweep`]).
//! - What was declared holds, or the container is refused: its files, what it may reach ([`egress`]), what it may use.
//! - Secrets go into the container's environment and nowhere else: not into labels, logs, errors or what is shown of it.
//!
//! Assumptions: whoever may use the engine may see everything in it, the environment of containers included. The addresses
//! of containers are reached from this machine, as they are where the engine runs on it.

mod engine;
pub(super) use engine::Engine;
pub use engine::Settings;

mod life;
pub(super) use life::run;

mod served;
mod spoken;

mod container;
mod image;
mod inspect;
mod network;
mod streams;

mod packages;
pub(super) use packages::Installations;

mod egress;
mod request;

mod labels;
pub(super) use labels::Labels;
mod sweep;
