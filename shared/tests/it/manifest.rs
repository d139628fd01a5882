//! Manifests: what is said about text that is wrong, what is read from text that is right, and that what is written is
//! read again as the same, here and elsewhere.

pub(crate) mod arbitrary;
mod elsewhere;
mod emit;
mod exercise;
mod limits;
mod mutations;
mod objects;
mod read;
mod syntax;

use proptest::prelude::ProptestConfig;

/// As many cases as the pure parts owe.
pub(crate) fn many() -> ProptestConfig {
    cases(100_000)
}

/// Enough for what is a variation of something that is tried as often as can be.
pub(crate) fn fewer() -> ProptestConfig {
    cases(20_000)
}

fn cases(cases: u32) -> ProptestConfig {
    ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}
