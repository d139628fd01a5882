//! Events are the same however a stream is cut, and what is written is read again.

use orch_shared::sse::{Cut, Event, Frames, Reader};
use proptest::prelude::*;

use super::{cuts, pieces, read, written};
use crate::manifest::{fewer, many};

/// Bytes that are nearly a stream.
fn stream() -> impl Strategy<Value = Vec<u8>> {
    let word = prop_oneof![
        4 => Just(&b"\n"[..]), 2 => Just(&b"\r"[..]), 2 => Just(&b"\r\n"[..]), 3 => Just(&b"data: a"[..]),
        1 => Just(&b"data:"[..]), 1 => Just(&b"event: x"[..]), 1 => Just(&b"id: 7"[..]), 1 => Just(&b": note"[..]),
        1 => Just(&b"\xef\xbb\xbf"[..]), 1 => Just(&b"\xc3\xa9"[..]), 1 => Just(&b"\xff"[..]), 1 => Just(&b"retry: 5"[..]),
        1 => Just(&b"\0"[..]),
    ];
    prop::collection::vec(word, 0..24).prop_map(|words| words.concat())
}

fn event() -> impl Strategy<Value = Event> {
    let line = || prop::option::of("[a-zé: ]{1,6}");
    let data = prop::collection::vec("[a-zé: {}]{0,6}", 1..4).prop_map(|lines| lines.join("\n"));
    (line(), line(), data).prop_map(|(event, id, data)| Event { event, id, data })
}

proptest! {
    #![proptest_config(many())]

    #[test]
    fn cuts_make_no_difference_to_events(bytes in stream(), cuts in cuts()) {
        let mut reader = Reader::default();
        let mut events = Vec::new();
        for piece in pieces(&bytes, &cuts) {
            events.extend(reader.push(piece).unwrap());
        }
        events.extend(reader.finish());
        prop_assert_eq!(events, read(&bytes));
    }

    /// One event of the reader never reaches over two of the cutter, and the bytes are all there.
    #[test]
    fn frames_hold_one_event_each(bytes in stream(), cuts in cuts()) {
        let (mut frames, mut events, mut open) = (Frames::default(), Vec::<Vec<u8>>::new(), Vec::new());
        for piece in pieces(&bytes, &cuts) {
            let mut rest = piece;
            while !rest.is_empty() {
                let length = match frames.next(rest) {
                    Cut::Left(length) => {
                        events.last_mut().unwrap().extend_from_slice(&rest[..length]);
                        length
                    }
                    Cut::End(end) => {
                        open.extend_from_slice(&rest[..end]);
                        events.push(std::mem::take(&mut open));
                        end
                    }
                    Cut::Open => {
                        open.extend_from_slice(rest);
                        rest.len()
                    }
                };
                prop_assert!(length > 0);
                rest = &rest[length..];
            }
        }
        events.push(open);
        prop_assert_eq!(events.concat(), bytes.clone());
        let mut told = Vec::new();
        for (place, event) in events.iter().enumerate() {
            let read = match place {
                0 => read(event),
                // A mark at the beginning of an event that is not the first is no byte order mark.
                _ => {
                    let mut reader = Reader::default();
                    reader.push(b"\n").unwrap();
                    let mut read = reader.push(event).unwrap();
                    read.extend(reader.finish());
                    read
                }
            };
            prop_assert!(read.len() <= 1, "{:?}", event);
            told.extend(read);
        }
        prop_assert_eq!(told, read(&bytes));
    }
}

proptest! {
    #![proptest_config(fewer())]

    #[test]
    fn what_is_written_is_read(events in prop::collection::vec(event(), 0..5)) {
        prop_assert_eq!(read(&written(&events)), events);
    }
}
