//! Agents at work, from outside.

mod chatting;
