//! What comes in from the client, line by line. No line is longer than the gateway takes; of one that is, only what it takes
//! to answer it is kept.
//!
//! Enters: bytes. Leaves: lines, or the envelope of one that is too long.

use std::io::{self, BufRead, BufReader, Read};

use orch_shared::jsonrpc::{Id, Raw};
use serde::Deserialize;
use serde::de::IgnoredAny;

/// The longest message, in bytes: the gateway's own limit.
const LONGEST: u64 = 16 << 20;

/// The longest id that a message too long is answered under, in bytes.
const LONGEST_ID: usize = 1024;

/// What comes in.
pub(super) enum Incoming {
    /// A line.
    Line(Vec<u8>),
    /// One that is longer than a message may be.
    TooLong(TooLong),
    /// The client has closed its end, or reads no longer.
    End,
}

/// A line that is too long.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooLong {
    /// How long, in bytes.
    length: u64,
    /// Whose answer is waited for, or whose answer it is.
    pub(super) id: Option<Id>,
    /// Whether it asks or tells something, and answers nothing.
    pub(super) has_method: bool,
}

impl TooLong {
    /// What is wrong with it.
    pub(super) fn message(&self) -> String {
        let mebibytes = |bytes: u64| bytes.div_ceil(1 << 20);
        format!(
            "the message is too long: a message has at most {} MiB, and this one has {}",
            mebibytes(LONGEST),
            mebibytes(self.length)
        )
    }
}

/// What tells messages apart.
#[derive(Default, Deserialize)]
struct Envelope {
    #[serde(default)]
    id: Option<Raw>,
    #[serde(default)]
    method: Option<IgnoredAny>,
}

/// The next line.
pub(super) fn next(input: &mut impl BufRead) -> io::Result<Incoming> {
    let mut line = Vec::new();
    // The line end does not count.
    input.by_ref().take(LONGEST + 1).read_until(b'\n', &mut line)?;
    if line.is_empty() {
        return Ok(Incoming::End);
    }
    if line.len() as u64 <= LONGEST || line.ends_with(b"\n") {
        return Ok(Incoming::Line(line));
    }
    let is_object = line.trim_ascii_start().starts_with(b"{");
    let mut rest = Rest {
        input,
        length: 0,
        is_over: false,
    };
    let envelope: Envelope = match is_object {
        true => serde_json::from_reader(BufReader::new(line.chain(&mut rest))).unwrap_or_default(),
        false => Envelope::default(),
    };
    // What could not be read is still in the way of the next line.
    io::copy(&mut rest, &mut io::sink())?;
    Ok(Incoming::TooLong(TooLong {
        length: line.len() as u64 + rest.length,
        id: envelope
            .id
            .filter(|id| id.get().len() <= LONGEST_ID)
            .and_then(|id| Id::from_raw(&id)),
        has_method: envelope.method.is_some(),
    }))
}

/// What is left of a line.
struct Rest<'i, I> {
    input: &'i mut I,
    length: u64,
    is_over: bool,
}

impl<I: BufRead> Read for Rest<'_, I> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.is_over {
            return Ok(0);
        }
        let there = self.input.fill_buf()?;
        let room = &there[..there.len().min(out.len())];
        let end = room.iter().position(|byte| *byte == b'\n');
        let length = end.unwrap_or(room.len());
        out[..length].copy_from_slice(&room[..length]);
        self.is_over = end.is_some() || there.is_empty();
        self.input.consume(length + usize::from(end.is_some()));
        self.length += length as u64;
        Ok(length)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn long(before: &str, after: &str) -> (String, u64) {
        let line = format!("{before}{}{after}", "x".repeat(17 << 20));
        let length = line.len() as u64;
        (line, length)
    }

    #[test]
    fn a_line_that_is_too_long_is_known_by_its_envelope() {
        for (before, after, id, has_method) in [
            (r#"{"id": 7, "method": "m", "params": [""#, r#""]}"#, Some("7"), true),
            (
                r#"{"method": "m", "params": {"id": ""#,
                r#""}, "id": "a"}"#,
                Some("\"a\""),
                true,
            ),
            (r#"{"id": 1.0, "result": ""#, r#""}"#, Some("1.0"), false),
            (r#"{"method": "m", "params": [""#, r#""]}"#, None, true),
            (r#"[{"id": 7, "method": ""#, r#""}]"#, None, false),
            ("", "", None, false),
            (r#"{"id": 7, "method": ""#, "", None, false),
        ] {
            let (line, length) = long(before, after);
            let text = format!("{line}\nnext\n");
            let mut input = text.as_bytes();
            let Ok(Incoming::TooLong(told)) = next(&mut input) else {
                panic!("{before}");
            };
            assert_eq!(told.id.as_ref().map(Id::as_json), id, "{before}");
            assert_eq!((told.has_method, told.length), (has_method, length), "{before}");
            let said = told.message();
            assert!(said.contains("at most 16 MiB, and this one has 1"), "{said}");
            assert!(
                matches!(next(&mut input), Ok(Incoming::Line(line)) if line == b"next\n"),
                "{before}"
            );
            assert!(matches!(next(&mut input), Ok(Incoming::End)), "{before}");
        }
    }

    #[test]
    fn the_longest_line_is_no_longer_than_it_may_be() {
        for (length, is_line) in [(16 << 20, true), ((16 << 20) + 1, false)] {
            for end in ["", "\n"] {
                let text = "x".repeat(length) + end;
                let read = next(&mut text.as_bytes());
                assert_eq!(matches!(read, Ok(Incoming::Line(_))), is_line, "{length}");
            }
        }
    }
}
