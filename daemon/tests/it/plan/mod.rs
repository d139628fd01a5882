//! Deciding, from outside: what plans do in worlds a person would draw, and what they never do in any world.

mod golden;
mod laws;
