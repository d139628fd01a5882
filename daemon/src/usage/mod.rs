//! What is asked of models, accounted for: a row for each call, and budgets that calls cannot go beyond.
//!
//! What enters: a call before it is made, with the budgets that it counts in, and its row once it has ended. What leaves: rows
//! for the store. What it never does: it calls no model, and holds nothing of what was said.
//!
//! Flow: what holds for a call is read off the objects ([`Terms`]). Whoever calls a model asks the [`Ledger`] to hold what the call may take at most ([`Ledger::reserve`]), and gets a
//! [`Hold`]. When the call has ended, the row is handed in together with it: written within a tenth of a second
//! ([`Ledger::hand_in`]), or before the answer is told ([`Ledger::settle`]). A hold that is dropped is given back.
//!
//! Guarantees: what is held is durable before the call is made; it ends in the same transaction in which the row is written, so
//! that at no instant neither of them counts. A daemon that is killed gives back nothing: what it held counts until its
//! deadline, and a call whose row was not written by then is not counted.

mod ledger;
mod terms;

pub use ledger::{Hold, Ledger, Refusal};
pub use terms::Terms;
