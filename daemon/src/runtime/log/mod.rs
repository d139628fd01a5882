//! What children say besides the protocol: caught line by line, masked, stored in bounded files, read back and followed.
//!
//! What enters: the bytes of standard error, of installers, and of lines on standard output that are not protocol. What
//! leaves: [`Line`]s. A line has a time, a stream and a text of bounded length; a value of a secret never gets as far as a
//! file. Reading a child never waits for a disk that is full: then lines are lost, counted, and the count is written once
//! there is room again.
//!
//! A start of a copy is a run, numbered from 1. Files are `<run>-<segment>.log` in the copy's directory and are never
//! renamed, so whoever follows them does not lose the place. The last two runs are kept, of each the last segments.

mod lines;
mod reader;
mod writer;

use std::path::{Path, PathBuf};

use orch_shared::resource::Timestamp;

pub(super) use crate::mask::Mask;
pub(super) use lines::Lines;
pub(super) use reader::read;
pub use reader::{Follower, Window};
pub(super) use writer::{Log, capture};

/// Bounds of what is kept.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// Bytes in a file before the next one is begun.
    pub segment: u64,
    /// Files kept of a run.
    pub segments: u32,
    /// Bytes of a line; what is longer is cut.
    pub line: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            segment: 4 << 20,
            segments: 2,
            line: 16 << 10,
        }
    }
}

/// Which run of a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Which {
    /// The last one.
    #[default]
    Current,
    /// The one before.
    Previous,
}

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// When it was read.
    pub at: Timestamp,
    /// Where it came from.
    pub stream: Stream,
    /// The text, masked.
    pub text: String,
}

/// Where a line came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stream {
    /// The program's standard error.
    Stderr,
    /// The program's standard output: a line that is not protocol.
    Stdout,
    /// The installer of its package.
    Install,
    /// The daemon.
    Daemon,
}

impl Stream {
    const ALL: [Self; 4] = [Self::Stderr, Self::Stdout, Self::Install, Self::Daemon];

    /// How it is called in files and answers.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stderr => "stderr",
            Self::Stdout => "stdout",
            Self::Install => "install",
            Self::Daemon => "daemon",
        }
    }
}

impl Line {
    /// How the line stands in a file, its end included.
    fn write(&self) -> String {
        format!("{} {} {}\n", self.at, self.stream.name(), self.text)
    }

    /// Reads such a line, without its end.
    fn parse(line: &str) -> Option<Self> {
        let mut parts = line.splitn(3, ' ');
        let (at, stream, text) = (parts.next()?, parts.next()?, parts.next()?);
        let stream = Stream::ALL.into_iter().find(|one| one.name() == stream)?;
        Some(Self {
            at: at.parse().ok()?,
            stream,
            text: text.to_owned(),
        })
    }
}

/// A file of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Segment {
    run: u32,
    number: u32,
}

impl Segment {
    fn path(self, directory: &Path) -> PathBuf {
        directory.join(format!("{}-{}.log", self.run, self.number))
    }

    fn parse(name: &str) -> Option<Self> {
        let (run, number) = name.strip_suffix(".log")?.split_once('-')?;
        Some(Self {
            run: run.parse().ok()?,
            number: number.parse().ok()?,
        })
    }
}

/// The files of a log, in order.
fn segments(directory: &Path) -> Vec<Segment> {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return vec![];
    };
    let mut found: Vec<_> = entries
        .flatten()
        .filter_map(|entry| Segment::parse(entry.file_name().to_str()?))
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_back() {
        for text in ["", " ", "a  b", "2026-11-21 stderr x", "\u{1b}[31mred", "\0"] {
            for stream in Stream::ALL {
                let line = Line {
                    at: Timestamp::from_millis(1_800_000_000_123),
                    stream,
                    text: text.to_owned(),
                };
                assert_eq!(Line::parse(line.write().trim_end_matches('\n')), Some(line), "{text:?}");
            }
        }
        for wrong in [
            "",
            "now stderr x",
            "2026-11-21T00:00:00.000Z tty x",
            "2026-11-21T00:00:00.000Z stderr",
        ] {
            assert_eq!(Line::parse(wrong), None, "{wrong}");
        }
    }
}
