//! Conversations over HTTP: streamable HTTP in both eras, and the older HTTP with server-sent events.
//!
//! What enters: an address with declared headers, and how a conversation is to be opened. What leaves: a
//! [`Link`](super::Link) for each conversation, however many there are with the same server. The declared headers go to
//! nobody else: a redirection is followed only within the same origin.
//!
//! Flow: a request is driven by whoever reads its exchange; there is no task for it. What the server says on the request's
//! own stream belongs to it for certain. The same clients ask other daemons what only they can answer ([`Peers`]). In reading
//! order:

pub(in crate::runtime) mod endpoint;

mod clear;
mod client;
mod target;
mod trouble;
pub(in crate::runtime) use trouble::{Miss, Trouble};

mod events;
mod exchange;
mod headers;

mod legacy;
mod unsolicited;

mod modern;
mod sse;

mod peer;
mod web;

pub(in crate::runtime) use client::Clients;
pub use peer::Peers;
pub use target::Heard;
pub(in crate::runtime) use target::shown;
pub use web::{Destination, Web};
