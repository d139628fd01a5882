//! Writing a copy's log: one run, in segments, and the last lines in memory for whoever asks why it ended.

use std::collections::VecDeque;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncReadExt as _};
use tokio::sync::watch;

use super::lines::RawLine;
use super::{Bounds, Line, Lines, Mask, Segment, Stream, segments};
use crate::clock::Clock;

/// How many lines are kept in memory.
const LAST_LINES: usize = 20;

/// How much is read from a child at once.
const CHUNK: usize = 32 << 10;

/// The log of one run of a copy; cheap to clone.
#[derive(Clone)]
pub(in crate::runtime) struct Log {
    shared: Arc<Shared>,
}

struct Shared {
    clock: Arc<dyn Clock>,
    bounds: Bounds,
    mask: Mask,
    writer: Mutex<Writer>,
    changed: watch::Sender<()>,
}

struct Writer {
    directory: PathBuf,
    segment: Segment,
    file: Option<File>,
    size: u64,
    lost: u64,
    last: VecDeque<String>,
}

impl Log {
    /// Begins the next run in a directory, and drops the runs before the last.
    pub(in crate::runtime) fn begin(
        directory: &Path,
        bounds: Bounds,
        mask: Mask,
        clock: Arc<dyn Clock>,
        changed: watch::Sender<()>,
    ) -> Self {
        if let Err(error) = fs::create_dir_all(directory) {
            tracing::warn!(directory = %directory.display(), %error, "log cannot be stored");
        }
        let before = segments(directory);
        let run = before.last().map_or(1, |segment| segment.run + 1);
        for segment in before.iter().filter(|segment| segment.run + 1 < run) {
            let _ = fs::remove_file(segment.path(directory));
        }
        let segment = Segment { run, number: 0 };
        let mut writer = Writer {
            directory: directory.to_owned(),
            segment,
            file: None,
            size: 0,
            lost: 0,
            last: VecDeque::new(),
        };
        // The run is there from the start, even if nothing is ever said in it.
        writer.file = writer.open().ok();
        Self {
            shared: Arc::new(Shared {
                clock,
                bounds,
                mask,
                writer: Mutex::new(writer),
                changed,
            }),
        }
    }

    /// What masks this copy's secrets.
    pub(in crate::runtime) fn mask(&self) -> &Mask {
        &self.shared.mask
    }

    /// The lines of a stream, to be read with this log's bounds.
    pub(in crate::runtime) fn lines(&self) -> Lines {
        Lines::new(self.shared.bounds.line + self.shared.mask.reach())
    }

    /// Writes lines of a stream.
    pub(in crate::runtime) fn write(&self, stream: Stream, lines: &[RawLine]) {
        if lines.is_empty() {
            return;
        }
        let at = self.shared.clock.now();
        let lines: Vec<_> = lines
            .iter()
            .map(|raw| Line {
                at,
                stream,
                text: self.show(raw),
            })
            .collect();
        let mut writer = self.shared.writer.lock().unwrap_or_else(PoisonError::into_inner);
        for line in &lines {
            writer.remember(line);
        }
        let text: String = lines.iter().map(Line::write).collect();
        writer.append(&text, lines.len() as u64, self.shared.bounds, at);
        drop(writer);
        self.shared.changed.send_replace(());
    }

    /// The time that lines get now.
    pub(in crate::runtime) fn now(&self) -> orch_shared::resource::Timestamp {
        self.shared.clock.now()
    }

    /// Writes one line of the daemon's own.
    pub(in crate::runtime) fn note(&self, text: &str) {
        self.write(
            Stream::Daemon,
            &[RawLine {
                bytes: text.as_bytes().to_vec(),
                dropped: 0,
            }],
        );
    }

    /// The program is started once more within this run: its last lines are from now on those of the new process.
    pub(in crate::runtime) fn begin_again(&self, why: &str) {
        self.note(why);
        self.shared
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .last
            .clear();
    }

    /// The last lines of the program, as it was last started, oldest first.
    pub(in crate::runtime) fn last_lines(&self) -> Vec<String> {
        self.shared
            .writer
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .last
            .iter()
            .cloned()
            .collect()
    }

    fn show(&self, raw: &RawLine) -> String {
        let (bytes, behind) = self.shared.mask.line(&raw.bytes, self.shared.bounds.line);
        let mut text = String::from_utf8_lossy(&bytes).replace('\n', " ");
        let dropped = raw.dropped + behind as u64;
        if dropped > 0 {
            text.push_str(&format!(" … ({dropped} bytes more)"));
        }
        text
    }
}

impl Writer {
    fn remember(&mut self, line: &Line) {
        match line.stream {
            Stream::Stderr | Stream::Stdout | Stream::Install => {
                if self.last.len() == LAST_LINES {
                    self.last.pop_front();
                }
                self.last.push_back(line.text.clone());
            }
            Stream::Daemon => {}
        }
    }

    fn append(&mut self, text: &str, lines: u64, bounds: Bounds, at: orch_shared::resource::Timestamp) {
        if self.size > 0 && self.size + text.len() as u64 > bounds.segment {
            self.file = None;
            self.segment.number += 1;
            if let Some(oldest) = self.segment.number.checked_sub(bounds.segments) {
                let _ = fs::remove_file(
                    Segment {
                        number: oldest,
                        ..self.segment
                    }
                    .path(&self.directory),
                );
            }
        }
        let mut whole = String::new();
        if self.lost > 0 {
            let text = format!("{} lines were lost: the log could not be written", self.lost);
            whole = Line {
                at,
                stream: Stream::Daemon,
                text,
            }
            .write();
        }
        whole.push_str(text);
        match self.try_write(whole.as_bytes()) {
            Ok(()) => self.lost = 0,
            Err(error) => {
                if self.lost == 0 {
                    tracing::warn!(directory = %self.directory.display(), %error, "log cannot be written");
                }
                self.lost += lines;
                // Whatever got there of it ends here.
                self.file = None;
            }
        }
    }

    fn try_write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let mut file = match self.file.take() {
            Some(file) => file,
            None => self.open()?,
        };
        file.write_all(bytes)?;
        self.size += bytes.len() as u64;
        self.file = Some(file);
        Ok(())
    }

    fn open(&mut self) -> io::Result<File> {
        let file = OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.segment.path(&self.directory))?;
        self.size = file.metadata()?.len();
        Ok(file)
    }
}

/// Reads a stream of a child to its end, into the log.
pub(in crate::runtime) async fn capture(mut stream: impl AsyncRead + Unpin, name: Stream, log: Log) {
    let mut lines = log.lines();
    let mut chunk = vec![0; CHUNK];
    loop {
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => break,
            Ok(count) => lines.push(&chunk[..count]),
        }
        let whole: Vec<_> = std::iter::from_fn(|| lines.next()).collect();
        log.write(name, &whole);
    }
    log.write(name, lines.end().as_slice());
}
