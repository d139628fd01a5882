//! Tools as values: the names clients see, and which tools they may see at all.
//!
//! What upstreams call their tools comes in as text and goes out as [`ToolName`]s, with the way back. [`Filter`] says
//! which tools of a server are offered. Nothing here knows a connection, a principal or a list that changes: who holds a
//! newer list makes a new [`Naming`].

mod naming;
mod overlap;
mod pattern;

pub use naming::{Naming, Surface, ToolName, ToolNameError};
pub use overlap::in_common;
pub use pattern::{Filter, Pattern, PatternError};
