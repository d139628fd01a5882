//! Bytes to lines, in bounded memory.

/// So much memory is kept for the next line, whatever the last one took.
const ROOM: usize = 256 << 10;

/// Takes bytes as they come and gives out lines. What of a line goes beyond the bound is dropped and counted.
#[derive(Debug)]
pub(in crate::runtime) struct Lines {
    buffer: Vec<u8>,
    /// Up to here lines were given out.
    start: usize,
    /// From `start` up to here there is no line end.
    scanned: usize,
    most: usize,
    dropped: u64,
}

/// A line without its end.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::runtime) struct RawLine {
    pub(in crate::runtime) bytes: Vec<u8>,
    /// How many bytes were dropped at its end.
    pub(in crate::runtime) dropped: u64,
}

impl Lines {
    /// Lines of at most so many bytes.
    pub(in crate::runtime) fn new(most: usize) -> Self {
        Self {
            buffer: Vec::new(),
            start: 0,
            scanned: 0,
            most,
            dropped: 0,
        }
    }

    /// Takes more bytes. To be called when [`Self::next`] has nothing left.
    pub(in crate::runtime) fn push(&mut self, bytes: &[u8]) {
        self.buffer.drain(..self.start);
        self.scanned -= self.start;
        self.start = 0;
        // A long line is seldom followed by another.
        if self.buffer.capacity() > ROOM && self.buffer.len() + bytes.len() < ROOM {
            self.buffer.shrink_to(ROOM);
        }
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole line.
    pub(in crate::runtime) fn next(&mut self) -> Option<RawLine> {
        match self.buffer[self.scanned..].iter().position(|byte| *byte == b'\n') {
            Some(at) => {
                let end = self.scanned + at;
                let bytes = self.buffer[self.start..end].to_vec();
                self.start = end + 1;
                self.scanned = self.start;
                Some(self.finish(bytes))
            }
            None => {
                let bound = self.start + self.most;
                if self.buffer.len() > bound {
                    self.dropped += (self.buffer.len() - bound) as u64;
                    self.buffer.truncate(bound);
                }
                self.scanned = self.buffer.len();
                None
            }
        }
    }

    /// What came after the last line end, when there will be no more.
    pub(in crate::runtime) fn end(&mut self) -> Option<RawLine> {
        let bytes = self.buffer.split_off(self.start);
        (self.start, self.scanned) = (0, 0);
        self.buffer.clear();
        (!bytes.is_empty()).then(|| self.finish(bytes))
    }

    fn finish(&mut self, mut bytes: Vec<u8>) -> RawLine {
        let mut dropped = std::mem::take(&mut self.dropped);
        if bytes.len() > self.most {
            dropped += (bytes.len() - self.most) as u64;
            bytes.truncate(self.most);
        }
        if dropped == 0 && bytes.last() == Some(&b'\r') {
            bytes.pop();
        }
        RawLine { bytes, dropped }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(chunks: &[&str], most: usize) -> Vec<(String, u64)> {
        let mut lines = Lines::new(most);
        let mut found = Vec::new();
        for chunk in chunks {
            lines.push(chunk.as_bytes());
            found.extend(std::iter::from_fn(|| lines.next()));
            assert!(lines.buffer.len() - lines.start <= most, "bounded memory");
        }
        found.extend(lines.end());
        found
            .into_iter()
            .map(|line| (String::from_utf8(line.bytes).expect("text"), line.dropped))
            .collect()
    }

    #[test]
    fn lines_do_not_depend_on_chunks() {
        for (text, most, expected) in [
            ("", 4, vec![]),
            ("a\nb", 4, vec![("a", 0), ("b", 0)]),
            ("\n\n", 4, vec![("", 0), ("", 0)]),
            ("a\r\nb\r", 4, vec![("a", 0), ("b", 0)]),
            ("abcd\nabcde\nx\n", 4, vec![("abcd", 0), ("abcd", 1), ("x", 0)]),
            ("abcdefghij", 4, vec![("abcd", 6)]),
        ] {
            let expected: Vec<_> = expected
                .into_iter()
                .map(|(text, dropped)| (text.to_owned(), dropped))
                .collect();
            assert_eq!(lines(&[text], most), expected, "{text:?}");
            let single: Vec<_> = text.split_inclusive(|_| true).collect();
            assert_eq!(lines(&single, most), expected, "{text:?} byte by byte");
        }
    }
}
