//! The inference door: what is read of streams, what is passed on, and that every translation says what was said.

mod anything;
mod door;
mod events;
mod replies;
mod requests;
mod scan;
mod scripts;
mod streams;
mod told;

use orch_shared::inference::{Object, Stamp};
use orch_shared::sse::{Event, Reader};
use proptest::prelude::*;
use proptest::sample::Index;
use serde_json::Value;

fn stamp() -> Stamp {
    Stamp {
        id: "1".to_owned(),
        created: 1_700_000_000,
        model: "m".to_owned(),
    }
}

fn object(value: Value) -> Object {
    match value {
        Value::Object(object) => object,
        other => panic!("no object: {other}"),
    }
}

/// Fewer cases than what is quick has: each of these is a dozen translations.
fn several() -> ProptestConfig {
    ProptestConfig {
        cases: 2_000,
        failure_persistence: None,
        ..ProptestConfig::default()
    }
}

/// Places at which a stream is cut.
fn cuts() -> impl Strategy<Value = Vec<Index>> {
    prop::collection::vec(any::<Index>(), 0..8)
}

/// The bytes in pieces, some of them empty.
fn pieces<'b>(bytes: &'b [u8], cuts: &[Index]) -> Vec<&'b [u8]> {
    let mut places: Vec<usize> = cuts.iter().map(|cut| cut.index(bytes.len() + 1)).collect();
    places.extend([0, bytes.len()]);
    places.sort_unstable();
    places.windows(2).map(|pair| &bytes[pair[0]..pair[1]]).collect()
}

fn written(events: &[Event]) -> Vec<u8> {
    let mut out = Vec::new();
    for event in events {
        event.write(&mut out);
    }
    out
}

fn read(bytes: &[u8]) -> Vec<Event> {
    let mut reader = Reader::default();
    let mut events = reader.push(bytes).expect("short events");
    events.extend(reader.finish());
    events
}
