//! A daemon of a few lines: it plays answers in order, one per request, and remembers what it was asked.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

use serde_json::{Value, json};

/// One recorded answer.
#[derive(Clone)]
pub(crate) struct Answer {
    status: u16,
    headers: Vec<(&'static str, String)>,
    body: String,
}

impl Answer {
    pub(crate) fn json(status: u16, body: &Value) -> Self {
        Self {
            status,
            headers: vec![("content-type", "application/json".to_owned())],
            body: body.to_string(),
        }
    }

    /// A problem of the daemon's.
    pub(crate) fn problem(status: u16, code: &str, detail: &str) -> Self {
        let body = json!({"type": "about:blank", "title": "t", "status": status, "code": code, "detail": detail, "requestId": "req-1"});
        Self::json(status, &body).header("content-type", "application/problem+json")
    }

    /// Events of a stream that then breaks off; those after which it can be resumed have an id.
    pub(crate) fn events(events: &[(Option<i64>, Value)]) -> Self {
        let id = |id: &Option<i64>| id.map(|id| format!("id: {id}\n")).unwrap_or_default();
        let body = events
            .iter()
            .map(|(at, event)| format!("{}data: {event}\n\n", id(at)))
            .collect();
        Self {
            status: 200,
            headers: vec![("content-type", "text/event-stream".to_owned())],
            body,
        }
    }

    pub(crate) fn text(body: &str) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type", "text/plain".to_owned())],
            body: body.to_owned(),
        }
    }

    pub(crate) fn header(mut self, name: &'static str, value: &str) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.to_owned()));
        self
    }
}

/// One request, as it came.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// `GET /api/v1/servers?limit=500`.
    pub(crate) line: String,
    headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("a JSON body")
    }
}

/// The daemon. It ends when its answers do.
pub(crate) struct Daemon {
    pub(crate) address: String,
    asked: Arc<Mutex<Vec<Asked>>>,
    thread: Option<JoinHandle<()>>,
}

impl Daemon {
    /// Plays these answers.
    pub(crate) fn playing(answers: impl IntoIterator<Item = Answer>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let asked = Arc::new(Mutex::new(Vec::new()));
        let answers: Vec<Answer> = answers.into_iter().collect();
        let heard = Arc::clone(&asked);
        let thread = std::thread::spawn(move || {
            for answer in answers {
                let Ok((stream, _)) = listener.accept() else { return };
                if let Some(request) = exchange(stream, &answer) {
                    heard.lock().expect("no test panics in here").push(request);
                }
            }
        });
        Self {
            address,
            asked,
            thread: Some(thread),
        }
    }

    /// What it was asked, once it has been asked as often as it has answers.
    pub(crate) fn asked(mut self) -> Vec<Asked> {
        if let Some(thread) = self.thread.take() {
            thread.join().expect("the daemon does not panic");
        }
        self.asked.lock().expect("no test panics in here").clone()
    }

    /// The first lines of what it was asked.
    pub(crate) fn lines(self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.line).collect()
    }
}

/// One request and its answer per connection.
fn exchange(stream: TcpStream, answer: &Answer) -> Option<Asked> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut first = String::new();
    reader.read_line(&mut first).ok()?;
    let mut headers = Vec::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.push((name.to_lowercase(), value.to_owned())),
            None => break,
        }
    }
    let length = headers
        .iter()
        .find(|(name, _)| name == "content-length")
        .and_then(|(_, length)| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let mut head = format!("HTTP/1.1 {} Recorded\r\nconnection: close\r\n", answer.status);
    for (name, value) in &answer.headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    let mut stream = stream;
    // A client that has heard enough hangs up; that is its right.
    let _ = stream.write_all(format!("{head}\r\n{}", answer.body).as_bytes());
    let line = first.trim_end().trim_end_matches(" HTTP/1.1").to_owned();
    Some(Asked {
        line,
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
    })
}

/// A server as a daemon would serve it.
pub(crate) fn server(name: &str, generation: i64, spec: &Value) -> Value {
    json!({
        "apiVersion": "orchctl.dev/v1", "kind": "Server", "metadata": {"name": name}, "spec": spec,
        "status": {
            "uid": format!("uid-{name}"), "generation": generation, "revision": 10 + generation,
            "createdAt": "2020-01-01T00:00:00.000Z", "updatedAt": "2020-01-01T00:00:00.000Z",
            "phase": "Ready", "source": "command /bin/x", "restarts": 0,
            "replicas": {"desired": 1, "running": 1, "ready": 1},
        },
    })
}

/// A list as a daemon would serve it.
pub(crate) fn list(revision: i64, items: &[Value], go_on: Option<&str>) -> Value {
    json!({
        "apiVersion": "orchctl.dev/v1", "kind": "List",
        "metadata": {"revision": revision, "total": items.len(), "continue": go_on}, "items": items,
    })
}
