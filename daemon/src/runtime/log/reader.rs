//! Reading a copy's log back, and following it.

use std::collections::VecDeque;
use std::fs::{self, File};
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use orch_shared::resource::Timestamp;
use tokio::sync::watch;

use super::{Line, Segment, Which, segments};

/// How much is read of a file at once while following.
const CHUNK: u64 = 256 << 10;

/// Which lines of a run are wanted.
#[derive(Debug, Clone, Copy, Default)]
pub struct Window {
    /// At most so many, the last ones.
    pub tail: Option<usize>,
    /// Only those since then.
    pub since: Option<Timestamp>,
}

/// The lines of a run that lie in the window, oldest first; none when there is no such run.
pub(in crate::runtime) fn read(directory: &Path, which: Which, window: Window) -> Vec<Line> {
    read_run(directory, which, window).0
}

fn read_run(directory: &Path, which: Which, window: Window) -> (Vec<Line>, Place) {
    let all = segments(directory);
    let last = all.last().map_or(1, |segment| segment.run);
    let run = match which {
        Which::Current => last,
        Which::Previous => last.saturating_sub(1),
    };
    let mut found = VecDeque::new();
    let mut place = Place {
        segment: Segment { run, number: 0 },
        offset: 0,
    };
    for segment in all.into_iter().filter(|segment| segment.run == run) {
        let bytes = fs::read(segment.path(directory)).unwrap_or_default();
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        place = Place {
            segment,
            offset: whole as u64,
        };
        for line in String::from_utf8_lossy(&bytes[..whole]).lines().filter_map(Line::parse) {
            if window.since.is_some_and(|since| line.at < since) {
                continue;
            }
            found.push_back(line);
            if window.tail.is_some_and(|tail| found.len() > tail) {
                found.pop_front();
            }
        }
    }
    (found.into(), place)
}

/// Where in the files a reader stands: always behind a whole line.
#[derive(Debug, Clone, Copy)]
struct Place {
    segment: Segment,
    offset: u64,
}

/// Follows the log of a copy over restarts, until the copy is forgotten.
#[derive(Debug)]
pub struct Follower {
    directory: PathBuf,
    changed: watch::Receiver<()>,
    place: Option<Place>,
    window: Window,
}

impl Follower {
    pub(in crate::runtime) fn new(directory: PathBuf, changed: watch::Receiver<()>, window: Window) -> Self {
        Self {
            directory,
            changed,
            place: None,
            window,
        }
    }

    /// The next lines, at first those of the current run that lie in the window; waits until there are some. Nothing when
    /// the copy was forgotten. May be dropped while it waits without losing a line.
    pub async fn next(&mut self) -> Option<Vec<Line>> {
        loop {
            self.changed.mark_unchanged();
            let (directory, place, window) = (self.directory.clone(), self.place, self.window);
            let read = tokio::task::spawn_blocking(move || match place {
                None => read_run(&directory, Which::Current, window),
                Some(place) => read_on(&directory, place),
            });
            let (lines, place) = read.await.ok()?;
            self.place = Some(place);
            if !lines.is_empty() {
                return Some(lines);
            }
            self.changed.changed().await.ok()?;
        }
    }
}

/// What was written behind a place, through as many files as there are by now.
fn read_on(directory: &Path, mut place: Place) -> (Vec<Line>, Place) {
    // Listed first: what is behind the last listed file is read next time.
    let later: Vec<_> = segments(directory)
        .into_iter()
        .filter(|segment| *segment > place.segment)
        .collect();
    let mut lines = Vec::new();
    place.offset += read_file(directory, place, &mut lines);
    for segment in later {
        place = Place { segment, offset: 0 };
        place.offset += read_file(directory, place, &mut lines);
    }
    (lines, place)
}

/// Adds the whole lines behind a place in one file; says how many bytes they are.
fn read_file(directory: &Path, place: Place, lines: &mut Vec<Line>) -> u64 {
    let Ok(mut file) = File::open(place.segment.path(directory)) else {
        return 0;
    };
    let mut taken = 0;
    loop {
        let mut bytes = Vec::new();
        let read = file
            .seek(SeekFrom::Start(place.offset + taken))
            .and_then(|_| file.by_ref().take(CHUNK).read_to_end(&mut bytes));
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        if read.is_err() || whole == 0 {
            return taken;
        }
        lines.extend(String::from_utf8_lossy(&bytes[..whole]).lines().filter_map(Line::parse));
        taken += whole as u64;
    }
}
