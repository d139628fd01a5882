//! Where events end, without reading them.

/// Finds the ends of events in bytes that come in pieces, for a relay that passes them on as they came and only wants to
/// look into, or to cut out, a whole event.
///
/// An event reaches past its empty line. A run of empty lines is a run of events that hold nothing.
#[derive(Debug, Clone, Default)]
pub struct Frames {
    /// Whether the line that is being read holds something already.
    in_line: bool,
    /// Whether the last byte was a CR that ended a line.
    after_return: bool,
    /// Whether that line ended an event.
    after_event: bool,
}

/// What the beginning of a piece is. Offsets are of the piece that was given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// So many bytes belong to the event that has ended already: the LF of a CRLF that was cut apart.
    Left(usize),
    /// The event that is being read ends before this byte.
    End(usize),
    /// The event does not end within the piece.
    Open,
}

impl Frames {
    /// Looks for the next end. Whoever gets a number goes on with the rest of the piece, until it is used up or
    /// [`Cut::Open`].
    pub fn next(&mut self, piece: &[u8]) -> Cut {
        let Some(first) = piece.first() else {
            return Cut::Open;
        };
        let after_event = std::mem::take(&mut self.after_event);
        let mut at = 0;
        if std::mem::take(&mut self.after_return) && *first == b'\n' {
            if after_event {
                return Cut::Left(1);
            }
            at = 1;
        }
        while let Some(length) = line_end(&piece[at..]) {
            let is_empty = length == 0 && !std::mem::take(&mut self.in_line);
            self.in_line = false;
            let end = at + length;
            at = end + 1;
            if piece[end] == b'\r' {
                match piece.get(at) {
                    Some(b'\n') => at += 1,
                    Some(_) => {}
                    None => {
                        self.after_return = true;
                        self.after_event = is_empty;
                    }
                }
            }
            if is_empty {
                return Cut::End(at);
            }
        }
        self.in_line |= at < piece.len();
        Cut::Open
    }
}

/// Where the first CR or LF is.
pub(super) fn line_end(bytes: &[u8]) -> Option<usize> {
    memchr::memchr2(b'\r', b'\n', bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The events of a stream that comes in these pieces, and what is left open.
    fn cut(pieces: &[&str]) -> (Vec<String>, String) {
        let (mut frames, mut events, mut open) = (Frames::default(), Vec::<String>::new(), String::new());
        for piece in pieces {
            let mut rest = *piece;
            while !rest.is_empty() {
                match frames.next(rest.as_bytes()) {
                    Cut::Left(length) => {
                        events.last_mut().expect("an event before").push_str(&rest[..length]);
                        rest = &rest[length..];
                    }
                    Cut::End(end) => {
                        events.push(std::mem::take(&mut open) + &rest[..end]);
                        rest = &rest[end..];
                    }
                    Cut::Open => {
                        open.push_str(rest);
                        rest = "";
                    }
                }
            }
        }
        (events, open)
    }

    #[test]
    fn events_end_after_their_empty_line() {
        for (text, events, open) in [
            ("data: a\n\ndata: b\n\n", vec!["data: a\n\n", "data: b\n\n"], ""),
            ("data: a\r\n\r\nda", vec!["data: a\r\n\r\n"], "da"),
            ("data: a\r\rdata: b\r\r", vec!["data: a\r\r", "data: b\r\r"], ""),
            ("data: a\ndata: b\n", vec![], "data: a\ndata: b\n"),
            ("a\n\n\nb\n\r\n", vec!["a\n\n", "\n", "b\n\r\n"], ""),
            ("a\n\r\r\nb", vec!["a\n\r", "\r\n"], "b"),
            ("", vec![], ""),
        ] {
            assert_eq!(
                cut(&[text]),
                (events.iter().map(ToString::to_string).collect(), open.to_owned()),
                "{text:?}"
            );
            // Byte by byte it is the same.
            let bytes: Vec<&str> = (0..text.len()).map(|at| &text[at..=at]).collect();
            assert_eq!(cut(&bytes), cut(&[text]), "{text:?}");
        }
    }
}
