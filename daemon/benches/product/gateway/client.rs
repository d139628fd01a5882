//! A client that costs next to nothing: one connection, kept open, and no more read of an answer than where it ends.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Barrier;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// The protocol's two eras.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Era {
    Legacy,
    Modern,
}

impl Era {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Legacy => "2025-11-25",
            Self::Modern => "2026-07-28",
        }
    }
}

/// Where requests go.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) address: SocketAddr,
    pub(super) path: String,
    pub(super) token: Option<String>,
}

/// A client with a connection, and with a session if its era has them.
pub(super) struct Client {
    connection: BufReader<TcpStream>,
    place: Place,
    era: Era,
    session: Option<String>,
    answer: Vec<u8>,
}

impl Client {
    pub(super) fn connect(place: &Place, era: Era) -> Self {
        let connection = TcpStream::connect(place.address).expect("a connection");
        connection.set_nodelay(true).expect("an option of every socket");
        let mut client = Self {
            connection: BufReader::new(connection),
            place: place.clone(),
            era,
            session: None,
            answer: Vec::new(),
        };
        match era {
            Era::Legacy => {
                let hello = json!({
                    "protocolVersion": era.name(),
                    "capabilities": {},
                    "clientInfo": {"name": "bench", "version": "1"},
                });
                client.send(&client.request("initialize", hello));
                let ready = json!({"jsonrpc": "2.0", "method": "notifications/initialized"});
                client.send(&client.framed(&ready.to_string(), "notifications/initialized", None));
            }
            Era::Modern => {}
        }
        client
    }

    /// A request, as the bytes that are sent again and again.
    pub(super) fn request(&self, method: &str, mut params: Value) -> Vec<u8> {
        match self.era {
            Era::Legacy => {}
            Era::Modern => {
                params["_meta"] = json!({
                    "io.modelcontextprotocol/protocolVersion": self.era.name(),
                    "io.modelcontextprotocol/clientInfo": {"name": "bench", "version": "1"},
                    "io.modelcontextprotocol/clientCapabilities": {},
                });
            }
        }
        let name = params["name"].as_str().map(str::to_owned);
        let body = json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).to_string();
        self.framed(&body, method, name.as_deref())
    }

    /// A request that only reads, of any address.
    pub(super) fn reading(&self, path: &str) -> Vec<u8> {
        let Place { address, token, .. } = &self.place;
        let token = token.as_deref().unwrap_or_default();
        format!("GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\r\n").into_bytes()
    }

    fn framed(&self, body: &str, method: &str, name: Option<&str>) -> Vec<u8> {
        let Place { address, path, token } = &self.place;
        let mut head = format!(
            "POST {path} HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/json\r\n\
             Accept: application/json, text/event-stream\r\nContent-Length: {}\r\n",
            body.len()
        );
        let mut header = |name: &str, value: &str| {
            head.push_str(name);
            head.push_str(": ");
            head.push_str(value);
            head.push_str("\r\n");
        };
        if let Some(token) = token {
            header("Authorization", &format!("Bearer {token}"));
        }
        if method != "initialize" {
            header("MCP-Protocol-Version", self.era.name());
        }
        if let Some(session) = &self.session {
            header("Mcp-Session-Id", session);
        }
        match self.era {
            Era::Legacy => {}
            Era::Modern => {
                header("Mcp-Method", method);
                if let Some(name) = name {
                    header("Mcp-Name", name);
                }
            }
        }
        format!("{head}\r\n{body}").into_bytes()
    }

    /// Sends a request and reads the whole answer; the body, without frames.
    pub(super) fn send(&mut self, request: &[u8]) -> &[u8] {
        self.connection
            .get_mut()
            .write_all(request)
            .expect("the other side reads");
        let (mut status, mut length, mut chunked) = (String::new(), 0, false);
        let mut line = String::new();
        loop {
            line.clear();
            let read = self.connection.read_line(&mut line).expect("an answer");
            assert!(read > 0, "the connection was closed");
            let text = line.trim_end();
            if text.is_empty() {
                break;
            }
            if status.is_empty() {
                text.clone_into(&mut status);
                continue;
            }
            let (name, value) = text.split_once(": ").expect("a header");
            if name.eq_ignore_ascii_case("content-length") {
                length = value.parse().expect("a number");
            } else if name.eq_ignore_ascii_case("transfer-encoding") {
                chunked = true;
            } else if name.eq_ignore_ascii_case("mcp-session-id") {
                self.session = Some(value.to_owned());
            }
        }
        self.answer.clear();
        if chunked {
            while self.chunk() {}
        } else {
            self.more(length);
        }
        assert!(
            status.contains(" 20"),
            "{status}: {}",
            String::from_utf8_lossy(&self.answer)
        );
        &self.answer
    }

    /// One chunk; whether there are more.
    fn chunk(&mut self) -> bool {
        let mut line = String::new();
        self.connection.read_line(&mut line).expect("a chunk");
        let length = usize::from_str_radix(line.trim_end(), 16).expect("the length of a chunk");
        self.more(length);
        line.clear();
        self.connection.read_line(&mut line).expect("the end of a chunk");
        length > 0
    }

    fn more(&mut self, length: usize) {
        let known = self.answer.len();
        self.answer.resize(known + length, 0);
        self.connection
            .read_exact(&mut self.answer[known..])
            .expect("the whole answer");
    }
}

/// What so many clients saw: how long each call took, how long all of them together, and what whoever stands between has
/// spent on them.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) each: Vec<Duration>,
    pub(super) all: Duration,
    pub(super) spent: Duration,
}

/// So many clients call a tool, each so often. They have connected, begun their sessions and made a call each before anything
/// is measured.
pub(super) fn load(place: &Place, era: Era, tool: &str, amount: (usize, usize), spent: impl Fn() -> Duration) -> Seen {
    let call = |client: &Client| client.request("tools/call", json!({"name": tool, "arguments": {}}));
    repeat(place, era, (call, "simple text response"), amount, spent)
}

/// So many clients send a request, each so often, whose answers hold that text; as [`load`].
pub(super) fn repeat(
    place: &Place,
    era: Era,
    (asked, told): (impl Fn(&Client) -> Vec<u8> + Sync, &str),
    (clients, calls): (usize, usize),
    spent: impl Fn() -> Duration,
) -> Seen {
    let ready = Barrier::new(clients + 1);
    std::thread::scope(|scope| {
        let started: Vec<_> = (0..clients)
            .map(|_| {
                scope.spawn(|| {
                    let mut client = Client::connect(place, era);
                    let call = asked(&client);
                    let answer = String::from_utf8_lossy(client.send(&call)).into_owned();
                    assert!(answer.contains(told), "{answer}");
                    ready.wait();
                    let mut each = Vec::with_capacity(calls);
                    for _ in 0..calls {
                        let sent = Instant::now();
                        client.send(&call);
                        each.push(sent.elapsed());
                    }
                    each
                })
            })
            .collect();
        ready.wait();
        let (begun, before) = (Instant::now(), spent());
        let each = started
            .into_iter()
            .flat_map(|client| client.join().expect("a client"))
            .collect();
        Seen {
            each,
            all: begun.elapsed(),
            spent: spent() - before,
        }
    })
}
