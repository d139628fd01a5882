//! Clients that cost next to nothing: the same request again and again over one connection, and no more read of an answer than
//! where it ends.

use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Barrier;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// Where a model is asked, and as what.
#[derive(Debug, Clone)]
pub(super) struct Place {
    pub(super) address: SocketAddr,
    pub(super) token: String,
    /// What it is called there.
    pub(super) model: String,
    pub(super) form: Form,
}

/// How answers come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Whole,
    Streamed,
}

impl Place {
    /// The bytes that are sent again and again.
    fn request(&self) -> Vec<u8> {
        let Self {
            address,
            token,
            model,
            form,
        } = self;
        let said = "Say again, and in so many words, what it is that ends well. ".repeat(8);
        let body: Value = json!({
            "model": model, "stream": *form == Form::Streamed, "max_tokens": 500,
            "messages": [{"role": "system", "content": "You are short."}, {"role": "user", "content": said}],
        });
        let body = body.to_string();
        format!(
            "POST /v1/chat/completions HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {token}\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .into_bytes()
    }

    /// What the answer holds when all is well.
    const fn told(&self) -> &'static str {
        match self.form {
            Form::Whole => "\"finish_reason\":\"stop\"",
            Form::Streamed => "data: [DONE]",
        }
    }
}

/// A client with its connection.
pub(super) struct Client {
    connection: TcpStream,
    answer: Vec<u8>,
}

/// How long one answer took.
#[derive(Debug, Clone, Copy)]
pub(super) struct Took {
    /// Until the first of its body was there.
    pub(super) first: Duration,
    pub(super) all: Duration,
}

impl Client {
    pub(super) fn connect(address: SocketAddr) -> Self {
        let connection = TcpStream::connect(address).expect("a connection");
        connection.set_nodelay(true).expect("an option of every socket");
        Self {
            connection,
            answer: Vec::with_capacity(128 << 10),
        }
    }

    /// Sends a request and reads until the first of the body is there.
    pub(super) fn begin(&mut self, place: &Place) {
        self.connection
            .write_all(&place.request())
            .expect("the other side reads");
        self.answer.clear();
        while self.body().is_none_or(|start| self.answer.len() == start) {
            self.more();
        }
    }

    fn ask(&mut self, request: &[u8]) -> Took {
        let sent = Instant::now();
        self.connection.write_all(request).expect("the other side reads");
        self.answer.clear();
        let mut first = None;
        let (mut start, mut end) = (None, None);
        loop {
            self.more();
            if start.is_none() {
                start = self.body();
                end = start.and_then(|start| self.length(start).map(|length| start + length));
            }
            let Some(start) = start else { continue };
            if first.is_none() && self.answer.len() > start {
                first = Some(sent.elapsed());
            }
            let is_over = match end {
                Some(end) => self.answer.len() >= end,
                // Nothing that is said ends so.
                None => self.answer.ends_with(b"0\r\n\r\n"),
            };
            if is_over {
                let all = sent.elapsed();
                return Took {
                    first: first.unwrap_or(all),
                    all,
                };
            }
        }
    }

    fn more(&mut self) {
        let known = self.answer.len();
        self.answer.resize(known + (32 << 10), 0);
        let read = self.connection.read(&mut self.answer[known..]).expect("an answer");
        assert!(
            read > 0,
            "the connection was closed: {}",
            String::from_utf8_lossy(&self.answer[..known])
        );
        self.answer.truncate(known + read);
    }

    /// Where the body begins, once the head is there.
    fn body(&self) -> Option<usize> {
        let end = self.answer.windows(4).position(|part| part == b"\r\n\r\n")?;
        assert!(
            self.answer.starts_with(b"HTTP/1.1 200"),
            "{}",
            String::from_utf8_lossy(&self.answer)
        );
        Some(end + 4)
    }

    /// How long the body is; nothing when it comes in chunks.
    fn length(&self, start: usize) -> Option<usize> {
        let head = String::from_utf8_lossy(&self.answer[..start]).to_ascii_lowercase();
        let line = head.lines().find_map(|line| line.strip_prefix("content-length:"))?;
        Some(line.trim().parse().expect("a number"))
    }
}

/// What so many clients saw, and what whoever stands between has spent on them.
#[derive(Debug, Default)]
pub(super) struct Seen {
    pub(super) each: Vec<Took>,
    pub(super) all: Duration,
    pub(super) spent: Duration,
}

/// So many clients ask, each so often. All have connected and asked once before anything is measured.
pub(super) fn load(place: &Place, clients: usize, times: usize, spent: impl Fn() -> Duration) -> Seen {
    let (ready, over) = (Barrier::new(clients + 1), Barrier::new(clients + 1));
    let request = place.request();
    std::thread::scope(|scope| {
        let started: Vec<_> = (0..clients)
            .map(|_| {
                scope.spawn(|| {
                    // The others wait for one that fails, too.
                    let connected = catch_unwind(|| {
                        let mut client = Client::connect(place.address);
                        client.ask(&request);
                        let answer = String::from_utf8_lossy(&client.answer);
                        assert!(answer.contains(place.told()), "{answer}");
                        client
                    });
                    ready.wait();
                    let each = connected.and_then(|mut client| {
                        let asking = || (0..times).map(|_| client.ask(&request)).collect::<Vec<Took>>();
                        catch_unwind(AssertUnwindSafe(asking))
                    });
                    over.wait();
                    each.unwrap_or_else(|failed| resume_unwind(failed))
                })
            })
            .collect();
        let before = spent();
        ready.wait();
        let begun = Instant::now();
        over.wait();
        let (all, spent) = (begun.elapsed(), spent().saturating_sub(before));
        let each = started.into_iter().flat_map(|client| client.join().expect("a client"));
        Seen {
            each: each.collect(),
            all,
            spent,
        }
    })
}
