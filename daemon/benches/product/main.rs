//! What the product costs, measured from outside: the real programs over HTTP, beside a floor or a peer in the same run.
//!
//! `cargo build --release && cargo bench` measures in full and prints a table; words behind `--` choose benches, as in
//! `cargo bench -- list memory`. Without `--bench`, as `cargo test` calls it, everything runs once at a tiny size and only
//! asserts that it works: a machine under test says nothing about time. `docs/benchmarks.md` explains each line.

mod amount;
mod ask;
mod report;

mod ground;
mod objects;
mod process;

mod access;
mod apply;
mod far;
mod gateway;
mod inference;
mod list;
mod memory;
mod programs;
mod reconcile;
mod running;
mod watch;
mod write;

#[path = "../../tests/it/support/mod.rs"]
#[expect(dead_code, unused_imports, unused_macros, reason = "tests need more of it")]
mod support;

use std::process::ExitCode;

use ask::{Asked, Effort};
use report::Report;

/// Measures, and tells the report.
type Bench = fn(Effort, &mut Report);

/// Every bench, by the name it is chosen by.
const BENCHES: &[(&str, Bench)] = &[
    ("apply", apply::measure),
    ("write", write::measure),
    ("list", list::measure),
    ("access", access::measure),
    ("reconcile", reconcile::measure),
    ("running", running::measure),
    ("watch", watch::measure),
    ("programs", programs::measure),
    ("memory", memory::measure),
    ("gateway-calls", gateway::calls::measure),
    ("gateway-lists", gateway::lists::measure),
    ("gateway-memory", gateway::memory::measure),
    ("gateway-waking", gateway::waking::measure),
    ("inference", inference::measure),
];

fn main() -> ExitCode {
    let asked = Asked::read(std::env::args().skip(1));
    let mut report = Report::new(asked.effort);
    for (name, measure) in BENCHES.iter().filter(|(name, _)| asked.wants(name)) {
        if asked.lists {
            report::say(&format!("{name}: test"));
        } else {
            measure(asked.effort, &mut report);
            report.ended(name);
        }
    }
    report.exit_code()
}
