//! Who did what: one row for each request and each call of a tool, in the audit log of the store.
//!
//! What enters: what is found out about a request while it is answered, bit by bit, on its [`Trail`]; and whole rows about
//! what is no request. What leaves: rows for the store. What never enters: bodies, arguments, results, headers, queries.
//!
//! Flow: the API's guard begins a trail with each request and makes it the one of the task that answers. Who asks, for what
//! and about what is noted on it where that is found out. A write that succeeds takes its row along in its own transaction;
//! the row of a request that is refused is durable before the refusal is told; all others, reads and calls of tools, are
//! handed to the [`Ledger`], which writes them within a tenth of a second.
//!
//! Guarantees: a request has one row, whoever writes it; only of objects that are deleted together each has its own, and of
//! those that are applied together each that changes, besides. What is refused or changes something is not told before its row
//! is durable, as long as the database can be written. What waits to be written, and what had to be dropped, is told in the
//! metrics and in the daemon's status; what was dropped is told in the log itself, too.

mod ledger;
mod tenure;
mod trail;

pub use ledger::Ledger;
pub use tenure::{Tenure, Withdrawn};
pub use trail::{
    Trail, about, about_each, changed, decided, decided_by_all, decision_of, rehearsed, said, scoped, sign, trail,
    write,
};
