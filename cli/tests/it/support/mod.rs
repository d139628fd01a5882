//! What the tests share: a home to run the program in, a terminal, and daemons that play recorded answers.

pub(crate) mod agent;
pub(crate) mod daemon;
pub(crate) mod gateway;
pub(crate) mod home;
pub(crate) mod terminal;
