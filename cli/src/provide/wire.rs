//! As much HTTP/1.1 (RFC 9112) as serving callers of this machine takes: one request of a connection, and one answer, as it
//! comes. Every connection ends with its answer.

use std::io::{self, BufRead, Read, Write};

/// The longest head of a request, in bytes.
const LONGEST_HEAD: usize = 64 << 10;
/// The largest body of one, in bytes.
const LARGEST_BODY: usize = 64 << 20;
/// So much of an answer is passed on at once, in bytes.
const PIECE: usize = 16 << 10;

/// A request.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) path: String,
    /// Whether the caller knows chunks: those of HTTP/1.0 do not.
    pub(super) knows_chunks: bool,
    /// Names in lower case.
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Request {
    /// A header.
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }
}

/// Why a request cannot be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unreadable {
    /// The caller has gone.
    Gone,
    /// It is refused with that status, and a reason.
    Refused(u16, &'static str),
}

impl From<io::Error> for Unreadable {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

/// Reads a request. `output` is told that the body may come, when it waits for that.
pub(super) fn read(input: &mut impl BufRead, output: &mut impl Write) -> Result<Request, Unreadable> {
    let mut lines = head(input)?.into_iter();
    let first = lines.next().ok_or(Unreadable::Gone)?;
    let mut words = first.split(' ');
    let (Some(method), Some(target), Some(version), None) = (words.next(), words.next(), words.next(), words.next())
    else {
        return Err(Unreadable::Refused(400, "the first line is none of HTTP"));
    };
    if !version.starts_with("HTTP/1.") {
        return Err(Unreadable::Refused(505, "only HTTP/1.1 is spoken here"));
    }
    let mut headers = Vec::new();
    for line in lines {
        let (name, value) = line
            .split_once(':')
            .filter(|(name, _)| !name.is_empty() && !name.contains([' ', '\t']))
            .ok_or(Unreadable::Refused(400, "a header is none"))?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let mut request = Request {
        method: method.to_owned(),
        knows_chunks: version != "HTTP/1.0",
        path: target.split(['?', '#']).next().unwrap_or_default().to_owned(),
        headers,
        body: Vec::new(),
    };
    let lengths = request
        .headers
        .iter()
        .filter(|(name, _)| name == "content-length")
        .count();
    let is_chunked = match request.header("transfer-encoding") {
        None => false,
        Some(encoding) if encoding.eq_ignore_ascii_case("chunked") => true,
        Some(_) => {
            return Err(Unreadable::Refused(
                501,
                "the body is encoded in a way that is not known here",
            ));
        }
    };
    // Where two say how long it is, they may not mean the same.
    if lengths > 1 || (lengths == 1 && is_chunked) {
        return Err(Unreadable::Refused(400, "the length of the body is said twice"));
    }
    if request
        .header("expect")
        .is_some_and(|expected| expected.eq_ignore_ascii_case("100-continue"))
    {
        output.write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?;
        output.flush()?;
    }
    request.body = match (is_chunked, request.header("content-length")) {
        (true, _) => chunked(input)?,
        (false, None) => Vec::new(),
        (false, Some(length)) => {
            let length: usize = length
                .parse()
                .map_err(|_| Unreadable::Refused(400, "the length of the body is no number"))?;
            if length > LARGEST_BODY {
                return Err(Unreadable::Refused(413, "the body is too large"));
            }
            let mut body = vec![0; length];
            input.read_exact(&mut body)?;
            body
        }
    };
    Ok(request)
}

/// The lines of a head, without the empty one behind it.
fn head(input: &mut impl BufRead) -> Result<Vec<String>, Unreadable> {
    let mut lines = Vec::new();
    let mut left = LONGEST_HEAD;
    loop {
        let line = line(input, left)?;
        left = left.saturating_sub(line.len() + 2);
        match line.is_empty() {
            true if lines.is_empty() => {}
            true => return Ok(lines),
            false => lines.push(line),
        }
    }
}

/// A line, without its end.
fn line(input: &mut impl BufRead, most: usize) -> Result<String, Unreadable> {
    let mut bytes = Vec::new();
    let read = input.by_ref().take(most as u64 + 2).read_until(b'\n', &mut bytes)?;
    if read == 0 {
        return Err(Unreadable::Gone);
    }
    if bytes.pop() != Some(b'\n') {
        return Err(Unreadable::Refused(431, "the head is too long"));
    }
    if bytes.last() == Some(&b'\r') {
        bytes.pop();
    }
    String::from_utf8(bytes).map_err(|_| Unreadable::Refused(400, "the head is no text"))
}

/// A body in chunks.
fn chunked(input: &mut impl BufRead) -> Result<Vec<u8>, Unreadable> {
    let mut body = Vec::new();
    loop {
        let line = line(input, 1024)?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| Unreadable::Refused(400, "a chunk is none"))?;
        if size == 0 {
            // What stands behind the last chunk says nothing that is needed here.
            while !self::line(input, LONGEST_HEAD)?.is_empty() {}
            return Ok(body);
        }
        if size > LARGEST_BODY || body.len() + size > LARGEST_BODY {
            return Err(Unreadable::Refused(413, "the body is too large"));
        }
        let begin = body.len();
        body.resize(begin + size, 0);
        input.read_exact(&mut body[begin..])?;
        if !self::line(input, 2)?.is_empty() {
            return Err(Unreadable::Refused(400, "a chunk does not end where it says"));
        }
    }
}

/// How the body of an answer is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    /// Not at all: the head was asked for.
    Left,
    /// In chunks, so that its end can be told from a connection that is lost.
    Chunks,
    /// As it is, to the end of the connection.
    Plain,
}

impl Form {
    /// That of the answer to a request.
    pub(super) fn of(request: &Request) -> Self {
        match (request.method.as_str(), request.knows_chunks) {
            ("HEAD", _) => Self::Left,
            (_, true) => Self::Chunks,
            (_, false) => Self::Plain,
        }
    }
}

/// Writes an answer whose body comes from there, piece by piece.
pub(super) fn answer(
    output: &mut impl Write,
    (status, headers): (u16, &[(String, String)]),
    form: Form,
    body: &mut impl Read,
) -> io::Result<()> {
    let mut head = format!("HTTP/1.1 {status} {}\r\n", if status < 400 { "OK" } else { "Refused" });
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str(match form {
        Form::Chunks => "connection: close\r\ntransfer-encoding: chunked\r\n\r\n",
        Form::Left | Form::Plain => "connection: close\r\n\r\n",
    });
    output.write_all(head.as_bytes())?;
    output.flush()?;
    if form == Form::Left {
        return Ok(());
    }
    let mut piece = vec![0; PIECE];
    loop {
        let read = body.read(&mut piece)?;
        match form {
            Form::Chunks if read == 0 => output.write_all(b"0\r\n\r\n")?,
            Form::Chunks => {
                output.write_all(format!("{read:x}\r\n").as_bytes())?;
                output.write_all(&piece[..read])?;
                output.write_all(b"\r\n")?;
            }
            Form::Left | Form::Plain => output.write_all(&piece[..read])?,
        }
        output.flush()?;
        if read == 0 {
            return Ok(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> Result<Request, Unreadable> {
        read(&mut text.as_bytes(), &mut Vec::new())
    }

    #[test]
    fn requests_are_read() {
        let post = "POST /v1/x?y=1 HTTP/1.1\r\nHost: a\r\nAuthorization:  Bearer t \r\n";
        for (text, body) in [
            (format!("{post}Content-Length: 3\r\n\r\nabcmore"), "abc"),
            (format!("{post}\r\n"), ""),
            (
                format!("{post}Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1;x=y\r\nc\r\n0\r\n\r\n"),
                "abc",
            ),
        ] {
            let request = said(&text).unwrap();
            assert_eq!(
                (request.method.as_str(), request.path.as_str()),
                ("POST", "/v1/x"),
                "{text}"
            );
            assert_eq!(request.header("authorization"), Some("Bearer t"));
            assert_eq!(request.body, body.as_bytes(), "{text}");
        }
        let refused = |text: &str| match said(text) {
            Err(Unreadable::Refused(status, _)) => status,
            Err(Unreadable::Gone) => 0,
            Ok(_) => 200,
        };
        for (text, status) in [
            ("", 0),
            ("GET / HTTP/1.1\r\nHost: a", 431),
            ("what\r\n\r\n", 400),
            ("GET / HTTP/2\r\n\r\n", 505),
            ("GET / HTTP/1.1\r\nno header\r\n\r\n", 400),
            ("POST / HTTP/1.1\r\nContent-Length: x\r\n\r\n", 400),
            (
                "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
                400,
            ),
            ("POST / HTTP/1.1\r\nContent-Length: 99999999999\r\n\r\n", 413),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
            ("POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", 400),
            ("POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nab", 0),
        ] {
            assert_eq!(refused(text), status, "{text:?}");
        }
        let long = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "a".repeat(LONGEST_HEAD));
        assert_eq!(refused(&long), 431);
    }

    #[test]
    fn answers_are_written_as_they_come() {
        let mut out = Vec::new();
        let headers = [("content-type".to_owned(), "text/plain".to_owned())];
        answer(&mut out, (200, &headers), Form::Chunks, &mut &b"abc"[..]).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(
            text.starts_with("HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n"),
            "{text}"
        );
        assert!(text.ends_with("\r\n\r\n3\r\nabc\r\n0\r\n\r\n"), "{text}");
        let mut out = Vec::new();
        answer(&mut out, (404, &[]), Form::Left, &mut &b"abc"[..]).unwrap();
        assert!(!String::from_utf8(out).unwrap().contains("abc"));
        let mut out = Vec::new();
        answer(&mut out, (200, &[]), Form::Plain, &mut &b"abc"[..]).unwrap();
        assert!(String::from_utf8(out).unwrap().ends_with("\r\n\r\nabc"));
    }
}
