//! What the tests share: a home to run the program in, and a daemon that plays recorded answers.

pub(crate) mod daemon;
pub(crate) mod gateway;
pub(crate) mod home;
