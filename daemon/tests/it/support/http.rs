//! HTTP in the raw, so that tests say exactly what goes over the wire and see exactly what comes back.
//!
//! Requests are HTTP/1.0: an answer then ends with its connection, a stream is what can be read until then, and nothing
//! needs to be decoded.

use std::io::{BufRead as _, BufReader, ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::Value;

/// So long an answer may be silent.
const PATIENCE: Duration = Duration::from_secs(120);

/// A request to be sent.
#[derive(Debug, Clone)]
pub(crate) struct Request {
    address: SocketAddr,
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

/// An answer that is still being given.
#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) status: u16,
    lines: BufReader<TcpStream>,
}

/// Status, headers, and the connection with the body still to come.
type Begun = (u16, Vec<(String, String)>, BufReader<TcpStream>);

impl Request {
    /// A request without credentials.
    pub(crate) fn new(address: SocketAddr, method: &str, path: &str) -> Self {
        let headers = vec![("Host".to_owned(), address.to_string())];
        Self {
            address,
            method: method.to_owned(),
            path: path.to_owned(),
            headers,
            body: Vec::new(),
        }
    }

    /// Sets a header; there is one of each name.
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Shows a token.
    pub(crate) fn token(self, token: &str) -> Self {
        self.header("Authorization", &format!("Bearer {token}"))
    }

    /// Sends JSON.
    pub(crate) fn json(self, body: &Value) -> Self {
        self.header("Content-Type", "application/json")
            .body(body.to_string().into_bytes())
    }

    /// What will be sent.
    pub(crate) fn content(&self) -> &[u8] {
        &self.body
    }

    /// Sends bytes.
    pub(crate) fn body(mut self, body: Vec<u8>) -> Self {
        self.body = body;
        self
    }

    /// Sends it and takes the whole answer.
    pub(crate) fn send(&self) -> Answer {
        self.try_send()
            .unwrap_or_else(|error| panic!("{} {}: {error}", self.method, self.path))
    }

    /// Sends it to a daemon that may be gone by now.
    pub(crate) fn try_send(&self) -> std::io::Result<Answer> {
        self.whole(self.begin()?)
    }

    fn whole(&self, (status, headers, mut rest): Begun) -> std::io::Result<Answer> {
        let mut body = Vec::new();
        rest.read_to_end(&mut body)?;
        let length = headers.iter().find(|(name, _)| name == "content-length");
        let expected = length
            .and_then(|(_, length)| length.parse().ok())
            .filter(|_| self.method != "HEAD");
        if expected.is_some_and(|expected: usize| expected != body.len()) {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        let body = String::from_utf8_lossy(&body).into_owned();
        Ok(Answer { status, headers, body })
    }

    /// Sends it and takes the answer; of one that is a stream, how it begins.
    pub(crate) fn send_briefly(&self) -> Answer {
        let (status, headers, mut rest) = self
            .begin()
            .unwrap_or_else(|error| panic!("{} {}: {error}", self.method, self.path));
        let is_stream = headers
            .iter()
            .any(|(name, value)| name == "content-type" && value.starts_with("text/event-stream"));
        let mut body = Vec::new();
        if !is_stream {
            rest.read_to_end(&mut body).expect("a body");
        }
        let body = String::from_utf8_lossy(&body).into_owned();
        Answer { status, headers, body }
    }

    /// Sends it and leaves the answer open.
    pub(crate) fn stream(&self) -> Stream {
        let (status, _, lines) = self
            .begin()
            .unwrap_or_else(|error| panic!("{} {}: {error}", self.method, self.path));
        Stream { status, lines }
    }

    /// Sends it and leaves; who holds the connection may still be answered.
    pub(crate) fn leave(&self) -> TcpStream {
        self.write()
            .unwrap_or_else(|error| panic!("{} {}: {error}", self.method, self.path))
    }

    /// Sends its head and the beginning of its body; the rest is for later.
    pub(crate) fn begin_sending(self) -> Late {
        let part = self.body.len().min(10);
        let connection = self
            .write_some(part)
            .unwrap_or_else(|error| panic!("{} {}: {error}", self.method, self.path));
        Late {
            request: self,
            connection,
            part,
        }
    }

    fn begin(&self) -> std::io::Result<Begun> {
        self.answered(self.write()?)
    }

    fn answered(&self, connection: TcpStream) -> std::io::Result<Begun> {
        let mut reader = BufReader::new(connection);
        let mut lines = Vec::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            let line = line.trim_end().to_owned();
            if line.is_empty() {
                break;
            }
            lines.push(line);
        }
        let status = lines.first().and_then(|line| line.split(' ').nth(1)?.parse().ok());
        let headers = lines.iter().skip(1).filter_map(|line| line.split_once(':'));
        let headers = headers.map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()));
        Ok((status.ok_or(ErrorKind::InvalidData)?, headers.collect(), reader))
    }

    fn write(&self) -> std::io::Result<TcpStream> {
        self.write_some(self.body.len())
    }

    /// Writes the head, and so much of the body.
    fn write_some(&self, part: usize) -> std::io::Result<TcpStream> {
        let mut connection = TcpStream::connect_timeout(&self.address, PATIENCE)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        let mut head = format!("{} {} HTTP/1.0\r\n", self.method, self.path);
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !self.body.is_empty() {
            head.push_str(&format!("Content-Length: {}\r\n", self.body.len()));
        }
        head.push_str("\r\n");
        connection.write_all(head.as_bytes())?;
        connection.write_all(&self.body[..part])?;
        Ok(connection)
    }
}

/// A request of which a part was sent.
#[derive(Debug)]
pub(crate) struct Late {
    request: Request,
    connection: TcpStream,
    part: usize,
}

impl Late {
    /// Sends the rest and takes the whole answer.
    pub(crate) fn finish(mut self) -> Answer {
        let rest = &self.request.body[self.part..];
        let answered = self.connection.write_all(rest).and_then(|()| {
            let begun = self.request.answered(self.connection)?;
            self.request.whole(begun)
        });
        answered.unwrap_or_else(|error| panic!("{} {}: {error}", self.request.method, self.request.path))
    }
}

/// Sends bytes as they are, and takes what comes back until the other side closes or falls silent for so long.
pub(crate) fn converse(address: SocketAddr, bytes: &[u8], silence: Duration) -> Conversation {
    let mut connection = TcpStream::connect_timeout(&address, PATIENCE).expect("a connection");
    connection
        .set_read_timeout(Some(silence))
        .expect("a timeout can be set");
    // Whoever is refused in the middle of a long text may find the connection closed.
    let _refused = connection.write_all(bytes);
    let mut text = Vec::new();
    let ended = connection.read_to_end(&mut text);
    Conversation {
        closed: !ended.is_err_and(|error| matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)),
        text: String::from_utf8_lossy(&text).into_owned(),
    }
}

/// What came of bytes that were sent.
#[derive(Debug)]
pub(crate) struct Conversation {
    pub(crate) closed: bool,
    pub(crate) text: String,
}

impl Answer {
    /// The value of a header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.body))
    }

    /// The code of the problem it tells.
    pub(crate) fn code(&self) -> String {
        let told = self.header("content-type") == Some("application/problem+json");
        assert!(told, "{} is no problem: {:?} {}", self.status, self.headers, self.body);
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }

    /// The answer, if it has that status.
    #[track_caller]
    pub(crate) fn expect(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }
}

impl Stream {
    /// The next line that says something; nothing at the end.
    pub(crate) fn line(&mut self) -> Option<String> {
        loop {
            let mut line = String::new();
            let read = self.lines.read_line(&mut line).expect("the stream goes on");
            match line.trim_end() {
                "" if read == 0 => return None,
                "" => {}
                text => return Some(text.to_owned()),
            }
        }
    }

    /// The next server-sent event: its id and its data.
    pub(crate) fn event(&mut self) -> Option<(String, Value)> {
        let mut id = String::new();
        loop {
            let line = self.line()?;
            if let Some(text) = line.strip_prefix("id: ") {
                text.clone_into(&mut id);
            } else if let Some(data) = line.strip_prefix("data: ") {
                return Some((id, serde_json::from_str(data).expect("events are JSON")));
            }
        }
    }
}
