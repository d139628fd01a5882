//! Manifests that have been damaged, and text that never was one: nothing panics, nothing hangs, nothing is lost.

use proptest::prelude::*;
use proptest::sample::{Index, select};

use super::arbitrary::FRAGMENTS;
use super::exercise::exercise;
use super::many;

macro_rules! seeds {
    ($($file:literal),* $(,)?) => {
        /// What the fuzzer starts from: one file per corner of the grammar.
        const SEEDS: &[(&str, &[u8])] = &[$(($file, include_bytes!(concat!("../../../fuzz/seeds/", $file)))),*];
    };
}

seeds![
    "aliases.yaml",
    "blocks.yaml",
    "broken.yaml",
    "flow.yaml",
    "list.json",
    "scalars.yaml",
    "stream.json",
    "stream.yaml"
];

#[test]
fn the_seeds_are_all_there() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds");
    let mut files: Vec<_> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    files.sort();
    assert_eq!(files, SEEDS.iter().map(|(name, _)| *name).collect::<Vec<_>>());
    for (_, text) in SEEDS {
        exercise(text);
    }
}

/// One thing that happens to a text.
#[derive(Debug, Clone)]
enum Damage {
    Remove(Index, usize),
    Insert(Index, &'static str),
    Replace(Index, u8),
    Repeat(Index, usize),
    Cut(Index),
}

fn damage() -> impl Strategy<Value = Damage> {
    prop_oneof![
        (any::<Index>(), 1_usize..12).prop_map(|(at, length)| Damage::Remove(at, length)),
        (any::<Index>(), select(FRAGMENTS)).prop_map(|(at, piece)| Damage::Insert(at, piece)),
        (any::<Index>(), any::<u8>()).prop_map(|(at, byte)| Damage::Replace(at, byte)),
        (any::<Index>(), 1_usize..30).prop_map(|(at, length)| Damage::Repeat(at, length)),
        any::<Index>().prop_map(Damage::Cut),
    ]
}

fn apply(text: &mut Vec<u8>, damage: &Damage) {
    if text.is_empty() {
        return;
    }
    let length = text.len();
    match damage {
        Damage::Remove(at, count) => {
            let at = at.index(length);
            text.drain(at..length.min(at + count));
        }
        Damage::Insert(at, piece) => {
            let at = at.index(length);
            text.splice(at..at, piece.bytes());
        }
        Damage::Replace(at, byte) => text[at.index(length)] = *byte,
        Damage::Repeat(at, count) => {
            let at = at.index(length);
            let piece = text[at..length.min(at + count)].to_vec();
            text.splice(at..at, piece);
        }
        Damage::Cut(at) => text.truncate(at.index(length)),
    }
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn damaged_manifests_do_no_harm(start in select(SEEDS), damages in prop::collection::vec(damage(), 1..6)) {
        let mut text = start.1.to_vec();
        for damage in &damages {
            apply(&mut text, damage);
        }
        exercise(&text);
    }

    #[test]
    fn pieces_of_grammar_do_no_harm(pieces in prop::collection::vec((select(FRAGMENTS), select(&["", " ", "\n", "\n  ", "\n\t"][..])), 0..16)) {
        let text: String = pieces.iter().flat_map(|(piece, space)| [*piece, *space]).collect();
        exercise(text.as_bytes());
    }

    #[test]
    fn arbitrary_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
        exercise(&bytes);
    }
}
