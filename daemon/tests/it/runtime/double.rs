//! Servers that say exactly what a test wants them to say: over pipes, and over HTTP.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use axum::{Extension, Router};
use futures_util::StreamExt as _;
use hyper_util::rt::TokioIo;
use hyper_util::service::TowerToHyperService;
use orch_daemon::runtime::launch::{Era, Remote, RemoteTransport, Source};
use orch_daemon::runtime::link::{Frame, Link};
use orch_shared::jsonrpc::Outcome;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::house::House;

/// How long a double waits for what is to come.
const PATIENCE: Duration = Duration::from_secs(60);

/// What is waited for, or a failure that says for what.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future)
        .await
        .unwrap_or_else(|_| panic!("in vain: {what}"))
}

/// The next frame of an exchange, as text: its kind and its payload.
pub(crate) fn shown(frame: &Frame) -> String {
    let payload = |raw: Option<&orch_shared::jsonrpc::Raw>| raw.map_or("", |raw| raw.get()).to_owned();
    match frame {
        Frame::Notification(notification) => {
            format!("{} {}", notification.method, payload(notification.params.as_ref()))
        }
        Frame::Ask(ask) => format!("ask {} {}", ask.method, payload(ask.params.as_ref())),
        Frame::Done(Outcome::Result(result)) => format!("result {result}"),
        Frame::Done(Outcome::Error(error)) => format!("error {error}"),
    }
}

/// A copy that runs over pipes, and the test at the other end of them.
pub(crate) struct Piped {
    pub(crate) uid: String,
    pub(crate) link: Link,
    /// What was heard while something else was waited for.
    before: VecDeque<String>,
    lines: Lines<BufReader<OwnedReadHalf>>,
    output: OwnedWriteHalf,
}

impl Piped {
    /// Starts a copy and greets it in an era, with those capabilities.
    pub(crate) async fn start(house: &House, era: Era, capabilities: &Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let address = listener.local_addr().expect("known").to_string();
        let uid = house.start(&["--relay", &address]);
        let (stream, _) = soon("a copy", listener.accept()).await.expect("connected");
        let (input, mut output) = stream.into_split();
        let mut lines = BufReader::new(input).lines();
        let probe = soon("the probe", lines.next_line())
            .await
            .expect("read")
            .expect("a line");
        assert!(probe.contains(r#""method":"server/discover""#), "{probe}");
        let id = id_of(&probe);
        match era {
            Era::Modern => {
                let result = json!({"resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": capabilities});
                write(&mut output, &answer(&id, &result)).await;
            }
            Era::Legacy => {
                let error = json!({"code": -32601, "message": "no such method"});
                write(
                    &mut output,
                    &json!({"jsonrpc": "2.0", "id": id, "error": error}).to_string(),
                )
                .await;
                let greeting = soon("the greeting", lines.next_line())
                    .await
                    .expect("read")
                    .expect("a line");
                let result = json!({"protocolVersion": "2025-06-18", "capabilities": capabilities});
                write(&mut output, &answer(&id_of(&greeting), &result)).await;
                let initialized = soon("the end of the greeting", lines.next_line()).await.expect("read");
                assert!(initialized.is_some_and(|line| line.contains("notifications/initialized")));
            }
        }
        let mut before = VecDeque::new();
        while capabilities.get("tools").is_some() {
            let line = soon("the list", lines.next_line())
                .await
                .expect("read")
                .expect("a line");
            if line.contains("tools/list") {
                write(&mut output, &answer(&id_of(&line), &json!({"tools": []}))).await;
                break;
            }
            before.push_back(line);
        }
        house.until_running(&uid).await;
        Self {
            link: house.runtime.link(&uid).expect("a conversation"),
            uid,
            before,
            lines,
            output,
        }
    }

    /// The next line that the server is sent.
    pub(crate) async fn heard(&mut self) -> String {
        if let Some(line) = self.before.pop_front() {
            return line;
        }
        let line = soon("a line", self.lines.next_line()).await;
        line.expect("read").expect("the input is open")
    }

    /// Says what it is told to say, in one go.
    pub(crate) async fn say(&mut self, lines: &[String]) {
        write(&mut self.output, &lines.join("\n")).await;
    }

    /// Ends.
    pub(crate) fn end(self) -> (String, Link) {
        (self.uid, self.link)
    }
}

async fn write(output: &mut OwnedWriteHalf, text: &str) {
    output.write_all(format!("{text}\n").as_bytes()).await.expect("written");
}

/// The id of a request.
pub(crate) fn id_of(line: &str) -> Value {
    let message: Value = serde_json::from_str(line).expect("JSON");
    message["id"].clone()
}

/// An answer.
pub(crate) fn answer(id: &Value, result: &Value) -> String {
    json!({"jsonrpc": "2.0", "id": id, "result": result}).to_string()
}

/// A request that an HTTP double has got.
#[derive(Debug, Clone)]
pub(crate) struct Asked {
    /// Which connection it came over, counted from the first.
    pub(crate) connection: usize,
    pub(crate) verb: String,
    pub(crate) path: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Value,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(known, _)| known == name);
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn method(&self) -> &str {
        self.body["method"].as_str().unwrap_or_default()
    }

    /// What answers it with success.
    pub(crate) fn result(&self, result: &Value) -> Reply {
        Reply::Json(200, answer(&self.body["id"], result), vec![])
    }

    /// What answers it with an error.
    pub(crate) fn error(&self, status: u16, code: i64) -> Reply {
        let error = json!({"code": code, "message": "no"});
        let text = json!({"jsonrpc": "2.0", "id": self.body["id"], "error": error}).to_string();
        Reply::Json(status, text, vec![])
    }
}

/// What an HTTP double answers.
pub(crate) enum Reply {
    /// A status and nothing more, with headers.
    Status(u16, Vec<(&'static str, String)>),
    /// A message.
    Json(u16, String, Vec<(&'static str, String)>),
    /// A stream, as long as the other end is held; each text is an event or several.
    Events(mpsc::UnboundedReceiver<String>),
    /// Nothing, ever.
    Never,
}

impl Reply {
    /// A stream that ends after these events.
    pub(crate) fn events(events: &[String]) -> Self {
        let (sender, receiver) = mpsc::unbounded_channel();
        for event in events {
            sender.send(event.clone()).expect("open");
        }
        Self::Events(receiver)
    }

    fn response(self) -> Response {
        let with = |status: u16, headers: Vec<(&'static str, String)>| {
            headers
                .into_iter()
                .fold(Response::builder().status(status), |built, (name, value)| {
                    built.header(name, value)
                })
        };
        match self {
            Self::Status(status, headers) => with(status, headers).body(Body::empty()),
            Self::Json(status, text, headers) => with(status, headers)
                .header("content-type", "application/json")
                .body(Body::from(text)),
            Self::Events(receiver) => {
                let texts = futures_util::stream::unfold(receiver, |mut receiver| async {
                    let text = receiver.recv().await?;
                    Some((Ok::<_, std::convert::Infallible>(text), receiver))
                });
                with(200, vec![("content-type", "text/event-stream".to_owned())]).body(Body::from_stream(texts.boxed()))
            }
            Self::Never => unreachable!("is not answered"),
        }
        .expect("a response")
    }
}

/// A message as an event.
pub(crate) fn event(message: &Value) -> String {
    format!("data: {message}\n\n")
}

/// A server over HTTP that answers as it is told; ends with the test.
pub(crate) struct Double {
    pub(crate) address: SocketAddr,
    seen: Arc<Mutex<Vec<Asked>>>,
    connections: Arc<Mutex<JoinSet<()>>>,
    serving: tokio::task::JoinHandle<()>,
}

impl Double {
    pub(crate) async fn start(handler: impl Fn(&Asked) -> Reply + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("bound");
        let address = listener.local_addr().expect("known");
        let seen: Arc<Mutex<Vec<Asked>>> = Arc::default();
        let (handler, noted) = (Arc::new(handler), Arc::clone(&seen));
        let router = Router::new().fallback(move |request: Request| {
            let (handler, noted) = (Arc::clone(&handler), Arc::clone(&noted));
            async move {
                let asked = read(request).await;
                noted.lock().expect("not poisoned").push(asked.clone());
                match handler(&asked) {
                    Reply::Never => std::future::pending().await,
                    reply => reply.response(),
                }
            }
        });
        let connections: Arc<Mutex<JoinSet<()>>> = Arc::default();
        let open = Arc::clone(&connections);
        let serving = tokio::spawn(async move {
            for connection in 0.. {
                let Ok((stream, _)) = listener.accept().await else {
                    return;
                };
                let router = router.clone().layer(Extension(Connection(connection)));
                open.lock().expect("not poisoned").spawn(serve(stream, router));
            }
        });
        Self {
            address,
            seen,
            connections,
            serving,
        }
    }

    /// How many connections there are.
    pub(crate) fn open(&self) -> usize {
        let mut connections = self.connections.lock().expect("not poisoned");
        while connections.try_join_next().is_some() {}
        connections.len()
    }

    /// Closes every connection there is.
    pub(crate) async fn hang_up(&self) {
        let mut connections = std::mem::take(&mut *self.connections.lock().expect("not poisoned"));
        connections.shutdown().await;
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/mcp", self.address)
    }

    /// What was asked so far, as far as it passes.
    pub(crate) fn seen(&self, wanted: impl Fn(&Asked) -> bool) -> Vec<Asked> {
        let seen = self.seen.lock().expect("not poisoned");
        seen.iter().filter(|asked| wanted(asked)).cloned().collect()
    }

    /// How often a method was asked for.
    pub(crate) fn count(&self, method: &str) -> usize {
        self.seen(|asked| asked.method() == method).len()
    }

    /// Ties a copy to it.
    pub(crate) fn tie(&self, house: &House, transport: RemoteTransport) -> String {
        let remote = Remote {
            url: self.url(),
            headers: vec![("X-Declared".to_owned(), "yes".to_owned())],
            transport,
        };
        house.start_as(|launch| launch.source = Source::Remote(remote), &[])
    }
}

impl Drop for Double {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

/// The number of a connection.
#[derive(Debug, Clone, Copy)]
struct Connection(usize);

async fn serve(stream: TcpStream, router: Router) {
    let service = TowerToHyperService::new(router);
    // A client that hangs up is no error of ours.
    let _ = hyper::server::conn::http1::Builder::new()
        .serve_connection(TokioIo::new(stream), service)
        .await;
}

async fn read(request: Request) -> Asked {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 64 << 20).await.expect("read");
    let headers = parts.headers.iter();
    let text = |value: &http::HeaderValue| value.to_str().expect("text").to_owned();
    let Connection(connection) = *parts.extensions.get().expect("numbered");
    Asked {
        connection,
        verb: parts.method.to_string(),
        path: parts.uri.path().to_owned(),
        headers: headers.map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: serde_json::from_slice(&body).unwrap_or_default(),
    }
}

/// What a well-behaved server of the older era answers, in a session of that name.
pub(crate) fn legacy(asked: &Asked, session: &str, version: &str) -> Option<Reply> {
    match (asked.verb.as_str(), asked.method()) {
        ("POST", "server/discover") => Some(asked.error(400, -32600)),
        ("POST", "initialize") => {
            let result = json!({"protocolVersion": version, "capabilities": {"tools": {"listChanged": true}}});
            let headers = vec![("mcp-session-id", session.to_owned())];
            Some(Reply::Json(200, answer(&asked.body["id"], &result), headers))
        }
        ("POST", "tools/list") => Some(asked.result(&json!({"tools": []}))),
        ("POST", method) if method.starts_with("notifications/") || method.is_empty() => {
            Some(Reply::Status(202, vec![]))
        }
        ("GET", _) => Some(Reply::Status(405, vec![])),
        ("DELETE", _) => Some(Reply::Status(204, vec![])),
        _ => None,
    }
}

/// What a well-behaved server of the newer era answers.
pub(crate) fn modern(asked: &Asked) -> Option<Reply> {
    match (asked.verb.as_str(), asked.method()) {
        ("POST", "server/discover") => Some(asked.result(
            &json!({"resultType": "complete", "supportedVersions": ["2026-07-28"], "capabilities": {"tools": {"listChanged": true}}}),
        )),
        ("POST", "initialize") => Some(asked.error(400, -32601)),
        ("POST", "tools/list") => Some(asked.result(&json!({"resultType": "complete", "tools": []}))),
        ("POST", "subscriptions/listen") => Some(asked.error(404, -32601)),
        ("POST", method) if method.starts_with("notifications/") => Some(Reply::Status(202, vec![])),
        ("GET" | "DELETE", _) => Some(Reply::Status(405, vec![])),
        _ => None,
    }
}

/// Replies that are used up one after the other.
#[derive(Clone, Default)]
pub(crate) struct Script(Arc<Mutex<VecDeque<Reply>>>);

impl Script {
    pub(crate) fn add(&self, reply: Reply) {
        self.0.lock().expect("not poisoned").push_back(reply);
    }

    pub(crate) fn next(&self) -> Option<Reply> {
        self.0.lock().expect("not poisoned").pop_front()
    }
}
