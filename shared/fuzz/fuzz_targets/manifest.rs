//! Any bytes at all, through everything one can do with a manifest.
#![no_main]

#[path = "../../tests/it/manifest/exercise.rs"]
mod exercise;

libfuzzer_sys::fuzz_target!(|input: &[u8]| exercise::exercise(input));
