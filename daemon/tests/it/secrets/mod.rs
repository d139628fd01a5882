//! Backends: the double is held to what was recorded with a real server, and the driver to both.

mod driver;
mod recorded;
