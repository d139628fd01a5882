//! Server-sent events: bytes in, events out, and the way back.
//!
//! Follows the event stream format of the HTML standard (section 9.2, "Server-sent events"): lines end with LF, CRLF or CR,
//! a byte order mark at the very beginning is skipped, lines that begin with a colon are comments, and bytes that are no
//! UTF-8 are replaced. [`Reader`] reads events, [`Event::write`] writes them. [`Frames`] reads nothing: it says where
//! events end, for whoever passes the bytes on as they came. Nothing here knows a connection.

mod frames;

pub use frames::{Cut, Frames};

/// One event.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Event {
    /// Its type; nothing means `message`.
    pub event: Option<String>,
    /// The id that stands in it.
    pub id: Option<String>,
    /// Its lines of data, joined with LF.
    pub data: String,
}

impl Event {
    /// An event that has nothing but data.
    #[must_use]
    pub fn data(data: impl Into<String>) -> Self {
        Self {
            data: data.into(),
            ..Self::default()
        }
    }

    /// An event of a type.
    #[must_use]
    pub fn named(event: impl Into<String>, data: impl Into<String>) -> Self {
        Self {
            event: Some(event.into()),
            ..Self::data(data)
        }
    }

    /// Appends the event as it stands on the wire, its empty line included.
    ///
    /// What a line cannot hold is left out of types and ids (line ends, and NUL in ids), so no text makes two events out
    /// of one; line ends within the data begin a new line of it and are read again as LF.
    pub fn write(&self, out: &mut Vec<u8>) {
        let mut line = |name: &[u8], value: &mut dyn Iterator<Item = u8>| {
            out.extend_from_slice(name);
            out.extend(value);
            out.push(b'\n');
        };
        let breaks = |byte: &u8| matches!(byte, b'\r' | b'\n');
        if let Some(event) = &self.event {
            line(b"event: ", &mut event.bytes().filter(|byte| !breaks(byte)));
        }
        if let Some(id) = &self.id {
            line(b"id: ", &mut id.bytes().filter(|byte| !breaks(byte) && *byte != 0));
        }
        // What it carries may be very long.
        out.reserve(self.data.len());
        for data in Lines(Some(&self.data)) {
            out.extend_from_slice(b"data: ");
            out.extend_from_slice(data.as_bytes());
            out.push(b'\n');
        }
        out.push(b'\n');
    }
}

/// The lines of a text, by the line ends of the standard; an empty text has one.
struct Lines<'t>(Option<&'t str>);

impl<'t> Iterator for Lines<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        let text = self.0?;
        let Some(end) = text.find(['\r', '\n']) else {
            self.0 = None;
            return Some(text);
        };
        let rest = &text[end..];
        self.0 = Some(rest.strip_prefix("\r\n").unwrap_or(&rest[1..]));
        Some(&text[..end])
    }
}

/// So many bytes of room are kept for the next line.
const KEPT: usize = 64 << 10;

/// An event that is longer than is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("an event is longer than {limit} bytes")]
pub struct TooLong {
    /// How long an event may be, in bytes.
    pub limit: usize,
}

/// Reads events from bytes that come in pieces. Where the pieces are cut makes no difference.
#[derive(Debug, Clone)]
pub struct Reader {
    limit: usize,
    /// The line that has not ended yet.
    line: Vec<u8>,
    /// Whether what comes next may still be the byte order mark.
    at_beginning: bool,
    /// Whether the last line ended with CR: an LF that follows belongs to it.
    after_return: bool,
    event: Event,
    /// Whether the event has a line of data: one that has none is not told.
    has_data: bool,
    last_id: String,
    retry: Option<u64>,
    broken: bool,
}

impl Default for Reader {
    fn default() -> Self {
        Self::new(Self::LONGEST)
    }
}

impl Reader {
    /// How long an event may be unless something else is said, in bytes.
    pub const LONGEST: usize = 16 << 20;

    /// A reader that takes events of so many bytes.
    #[must_use]
    pub fn new(limit: usize) -> Self {
        Self {
            limit,
            line: Vec::new(),
            at_beginning: true,
            after_return: false,
            event: Event::default(),
            has_data: false,
            last_id: String::new(),
            retry: None,
            broken: false,
        }
    }

    /// The events that end within this piece.
    ///
    /// # Errors
    /// An event that is too long. Nothing can be read any more then; what the same piece held before it is lost.
    pub fn push(&mut self, mut piece: &[u8]) -> Result<Vec<Event>, TooLong> {
        let mut events = Vec::new();
        while !self.broken && !piece.is_empty() {
            if self.after_return {
                self.after_return = false;
                piece = piece.strip_prefix(b"\n").unwrap_or(piece);
            }
            let Some(end) = frames::line_end(piece) else {
                self.line.extend_from_slice(piece);
                piece = &[];
                self.measure();
                continue;
            };
            self.line.extend_from_slice(&piece[..end]);
            self.after_return = piece[end] == b'\r';
            piece = &piece[end + 1..];
            self.measure();
            events.extend(self.end_line());
        }
        if self.broken {
            Err(TooLong { limit: self.limit })
        } else {
            Ok(events)
        }
    }

    /// The event that the end of the stream cuts short of its empty line. The standard drops it; answers of models end so
    /// often enough that it is told, and whoever follows the standard ignores it.
    pub fn finish(&mut self) -> Option<Event> {
        if self.broken {
            return None;
        }
        if !self.line.is_empty() {
            self.end_line();
        }
        self.take()
    }

    /// The last id that any event had, as a client sends it in `Last-Event-ID`; empty when there was none.
    #[must_use]
    pub fn last_id(&self) -> &str {
        &self.last_id
    }

    /// How long to wait before connecting again, in milliseconds, when the stream said so.
    #[must_use]
    pub fn retry(&self) -> Option<u64> {
        self.retry
    }

    fn measure(&mut self) {
        let held = self.event.event.as_ref().map_or(0, String::len) + self.event.id.as_ref().map_or(0, String::len);
        self.broken |= self.line.len() + self.event.data.len() + held > self.limit;
    }

    fn end_line(&mut self) -> Option<Event> {
        let bytes = std::mem::take(&mut self.line);
        let text = String::from_utf8_lossy(&bytes);
        let mut line = &*text;
        if std::mem::take(&mut self.at_beginning) {
            line = line.strip_prefix('\u{feff}').unwrap_or(line);
        }
        if line.is_empty() {
            return self.take();
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "data" => {
                if std::mem::replace(&mut self.has_data, true) {
                    self.event.data.push('\n');
                }
                self.event.data.push_str(value);
            }
            "event" => self.event.event = Some(value.to_owned()).filter(|event| !event.is_empty()),
            "id" if !value.contains('\0') => {
                value.clone_into(&mut self.last_id);
                self.event.id = Some(value.to_owned());
            }
            "retry" if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) => {
                self.retry = value.parse().ok();
            }
            // Comments, whose field is empty, and what the standard does not know.
            _ => {}
        }
        // The line's room is used again, unless it was an unusual one: streams live long.
        let mut bytes = bytes;
        bytes.clear();
        bytes.shrink_to(KEPT);
        self.line = bytes;
        None
    }

    fn take(&mut self) -> Option<Event> {
        let event = std::mem::take(&mut self.event);
        std::mem::take(&mut self.has_data).then_some(event)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &[u8]) -> Vec<Event> {
        let mut reader = Reader::default();
        let mut events = reader.push(text).expect("short");
        events.extend(reader.finish());
        events
    }

    fn of(event: Option<&str>, id: Option<&str>, data: &str) -> Event {
        Event {
            event: event.map(str::to_owned),
            id: id.map(str::to_owned),
            data: data.to_owned(),
        }
    }

    #[test]
    fn streams_are_read_by_the_standard() {
        for (text, events) in [
            ("data: a\n\ndata: b\n\n", vec![of(None, None, "a"), of(None, None, "b")]),
            (
                "data: a\r\n\r\ndata: b\r\r",
                vec![of(None, None, "a"), of(None, None, "b")],
            ),
            ("\u{feff}data: a\n\n", vec![of(None, None, "a")]),
            ("data: \u{feff}a\n\n", vec![of(None, None, "\u{feff}a")]),
            (
                ": hello\nevent: x\nid: 7\ndata: a\ndata:b\n\n",
                vec![of(Some("x"), Some("7"), "a\nb")],
            ),
            ("data\n\n", vec![of(None, None, "")]),
            ("data:\ndata:\n\n", vec![of(None, None, "\n")]),
            ("data:  a\n\n", vec![of(None, None, " a")]),
            // Without data nothing is told, and its type is forgotten.
            ("event: x\n\ndata: a\n\n", vec![of(None, None, "a")]),
            ("event: x\nevent:\ndata: a\n\n", vec![of(None, None, "a")]),
            ("id: a\0b\ndata: a\n\n", vec![of(None, None, "a")]),
            ("odd: x\n data: y\ndata: a\n\n", vec![of(None, None, "a")]),
            // The end of the stream ends an event.
            ("data: [DONE]", vec![of(None, None, "[DONE]")]),
            ("data: a\n", vec![of(None, None, "a")]),
            ("\n\n\n", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(read(text.as_bytes()), events, "{text:?}");
        }
        assert_eq!(read(b"data: \xff\n\n"), [of(None, None, "\u{fffd}")]);
    }

    #[test]
    fn what_outlives_an_event() {
        let mut reader = Reader::default();
        for (text, id, retry) in [
            ("id: 1\n\n", "1", None),
            ("data: a\n\n", "1", None),
            ("retry: 1500\nid\n\n", "", Some(1500)),
            ("retry: soon\n\n", "", Some(1500)),
        ] {
            reader.push(text.as_bytes()).expect("short");
            assert_eq!((reader.last_id(), reader.retry()), (id, retry), "{text:?}");
        }
    }

    #[test]
    fn events_are_bounded() {
        for (limit, text, fits) in [
            (10, "data: abcd\n\n", true),
            (9, "data: abcd\n\n", false),
            (10, "data: a\n\ndata: b\n\ndata: c\n\n", true),
            (20, "data: abcdefgh\ndata: abcdefgh\n\n", false),
            (10, "aaaaaaaaaaaaaaaa", false),
        ] {
            let mut reader = Reader::new(limit);
            let read = reader.push(text.as_bytes());
            assert_eq!(read.is_ok(), fits, "{text:?}: {read:?}");
            // What is broken stays so.
            assert_eq!(reader.push(b"\n\ndata: a\n\n").is_ok(), fits, "{text:?}");
        }
    }

    #[test]
    fn one_event_is_written_as_one() {
        for (event, text) in [
            (of(None, None, "a"), "data: a\n\n"),
            (
                of(Some("x"), Some("1"), "a\nb"),
                "event: x\nid: 1\ndata: a\ndata: b\n\n",
            ),
            (of(None, None, ""), "data: \n\n"),
            (of(None, None, "a\r\nb\rc\n"), "data: a\ndata: b\ndata: c\ndata: \n\n"),
            (
                of(Some("x\n\ndata: y"), Some("1\r\0"), "a"),
                "event: xdata: y\nid: 1\ndata: a\n\n",
            ),
        ] {
            let mut out = Vec::new();
            event.write(&mut out);
            assert_eq!(String::from_utf8(out).expect("text"), text);
        }
    }
}
