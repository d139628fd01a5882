//! A gateway of a few lines: streamable HTTP in both eras, with tools that show what passes through. It remembers what it
//! was asked, can lose its sessions, and can go away and come back at the same address.

use std::collections::{HashMap, HashSet};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(20);

/// One request, as it came.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) verb: String,
    pub(crate) path: String,
    pub(crate) headers: HashMap<String, String>,
    pub(crate) body: Value,
}

impl Heard {
    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", String::as_str)
    }

    pub(crate) fn method(&self) -> &str {
        self.body["method"].as_str().unwrap_or_default()
    }
}

#[derive(Default)]
struct State {
    heard: Mutex<Vec<Heard>>,
    sessions: Mutex<HashSet<String>>,
    /// Answers to questions of ours, and calls that were cancelled, by id.
    told: Mutex<HashMap<String, Value>>,
    /// What is said without being asked.
    news: Mutex<Vec<Value>>,
    something: Condvar,
    numbers: AtomicU64,
    is_over: AtomicBool,
    streams: Mutex<Vec<TcpStream>>,
    /// What the daemon's own API answers, by path.
    api: Mutex<HashMap<String, Value>>,
}

/// The gateway.
pub(crate) struct Gateway {
    pub(crate) address: String,
    state: Arc<State>,
}

impl Gateway {
    pub(crate) fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        Self::on(listener, Arc::default())
    }

    fn on(listener: TcpListener, state: Arc<State>) -> Self {
        let address = format!("http://{}", listener.local_addr().expect("an address"));
        let serving = Arc::clone(&state);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                if serving.is_over.load(Ordering::SeqCst) {
                    return;
                }
                let state = Arc::clone(&serving);
                std::thread::spawn(move || stream.map(|stream| serve(&state, stream)));
            }
        });
        Self { address, state }
    }

    /// Goes away, all its connections with it, and comes back without its sessions after a while.
    pub(crate) fn restart(&mut self, after: Duration) {
        let address = self.address.trim_start_matches("http://").to_owned();
        self.state.is_over.store(true, Ordering::SeqCst);
        self.state.something.notify_all();
        for stream in self.state.streams.lock().expect("no test panics here").drain(..) {
            // It may have ended by itself.
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
        // Wakes whoever waits for the next connection.
        drop(TcpStream::connect(&address));
        std::thread::sleep(after);
        let deadline = Instant::now() + PATIENCE;
        let listener = loop {
            match TcpListener::bind(&address) {
                Ok(listener) => break listener,
                Err(error) => assert!(Instant::now() < deadline, "{error}"),
            }
            std::thread::sleep(Duration::from_millis(10));
        };
        *self = Self::on(listener, Arc::default());
    }

    /// Forgets all sessions.
    pub(crate) fn lose_sessions(&self) {
        self.state.sessions.lock().expect("no test panics here").clear();
    }

    /// Says something without being asked.
    pub(crate) fn say(&self, message: Value) {
        self.state.news.lock().expect("no test panics here").push(message);
        self.state.something.notify_all();
    }

    /// Answers that at a path of the API.
    pub(crate) fn api(&self, path: &str, body: Value) {
        self.state
            .api
            .lock()
            .expect("no test panics here")
            .insert(path.to_owned(), body);
    }

    /// Says that at a path of the API, as the first event of a stream.
    pub(crate) fn stream(&self, path: &str, event: Value) {
        self.api(&format!("stream {path}"), event);
    }

    /// What it was asked so far.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.state.heard.lock().expect("no test panics here").clone()
    }

    /// Waits until it has heard something.
    #[track_caller]
    pub(crate) fn until(&self, what: &str, is_it: impl Fn(&Heard) -> bool) -> Heard {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(found) = self.heard().into_iter().find(|heard| is_it(heard)) {
                return found;
            }
            assert!(Instant::now() < deadline, "{what} was not heard: {:?}", self.heard());
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        self.state.is_over.store(true, Ordering::SeqCst);
        self.state.something.notify_all();
    }
}

fn serve(state: &State, stream: TcpStream) {
    let (Ok(copy), Ok(other)) = (stream.try_clone(), stream.try_clone()) else {
        return;
    };
    state.streams.lock().expect("no test panics here").push(other);
    let (mut reader, mut out) = (BufReader::new(copy), stream);
    while let Some(heard) = request(&mut reader) {
        state.heard.lock().expect("no test panics here").push(heard.clone());
        if state.is_over.load(Ordering::SeqCst) || !respond(state, &heard, &mut out) {
            break;
        }
    }
    // Others hold it, too, to be able to close it; the peer may have done so already.
    let _ = out.shutdown(std::net::Shutdown::Both);
}

fn request(reader: &mut BufReader<TcpStream>) -> Option<Heard> {
    let mut first = String::new();
    reader.read_line(&mut first).ok().filter(|read| *read > 0)?;
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim_end().split_once(": ") {
            Some((name, value)) => headers.insert(name.to_lowercase(), value.to_owned()),
            None => break,
        };
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok());
    let mut body = vec![0; length.unwrap_or(0)];
    reader.read_exact(&mut body).ok()?;
    let mut words = first.split(' ');
    Some(Heard {
        verb: words.next()?.to_owned(),
        path: words.next()?.to_owned(),
        headers,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    })
}

/// Answers; says whether the connection goes on.
fn respond(state: &State, heard: &Heard, out: &mut TcpStream) -> bool {
    if let Some(body) = state.api.lock().expect("no test panics here").get(&heard.path) {
        return whole(out, 200, &[], &body.to_string());
    }
    let streamed = state
        .api
        .lock()
        .expect("no test panics here")
        .get(&format!("stream {}", heard.path))
        .cloned();
    if let Some(said) = streamed {
        begin(out);
        event(out, &said);
        until(state, || None::<()>);
        return false;
    }
    if heard.header("authorization") != "Bearer orch_test" {
        let problem =
            json!({"type": "about:blank", "title": "t", "status": 401, "code": "ORCH4001", "detail": "no token"});
        return whole(out, 401, &[], &problem.to_string());
    }
    if heard.path.ends_with("/silent") {
        until(state, || None::<()>);
        return false;
    }
    if heard.path.ends_with("/nope") {
        let what = heard.path.trim_start_matches("/mcp/");
        let message = format!("there is nothing at {what}, or you may not see it");
        let error = json!({"jsonrpc": "2.0", "id": heard.body["id"], "error": {"code": -32600, "message": message}});
        return whole(out, 404, &[], &error.to_string());
    }
    let session = heard.header("mcp-session-id");
    let is_modern = heard.header("mcp-protocol-version") == "2026-07-28";
    let is_known = state.sessions.lock().expect("no test panics here").contains(session);
    let id = heard.body["id"].clone();
    let params = &heard.body["params"];
    if !is_known && !is_modern && heard.method() != "initialize" {
        let error = json!({"jsonrpc": "2.0", "id": null, "error": {"code": -32001, "message": "no such session"}});
        return whole(out, 404, &[], &error.to_string());
    }
    let answer = |result: Value| json!({"jsonrpc": "2.0", "id": id, "result": result});
    match (heard.verb.as_str(), heard.method()) {
        ("DELETE", _) => {
            state.sessions.lock().expect("no test panics here").remove(session);
            whole(out, 200, &[], "")
        }
        ("GET", _) if !heard.header("last-event-id").is_empty() => resume(state, heard.header("last-event-id"), out),
        ("GET", _) => {
            begin(out);
            let mut said = 0;
            until(state, || {
                let news = state.news.lock().expect("no test panics here").clone();
                for message in news.iter().skip(said) {
                    event(out, message);
                }
                said = news.len();
                None::<()>
            });
            false
        }
        (_, "initialize") if params["clientInfo"]["name"] == "patient" => {
            until(state, || None::<()>);
            false
        }
        (_, "initialize") => {
            let session = format!("secret-{}", state.numbers.fetch_add(1, Ordering::SeqCst));
            state
                .sessions
                .lock()
                .expect("no test panics here")
                .insert(session.clone());
            let result = json!({
                "protocolVersion": params["protocolVersion"], "serverInfo": {"name": "double", "version": "1"},
                "capabilities": {"tools": {"listChanged": true}},
            });
            whole(out, 200, &[("mcp-session-id", session)], &answer(result).to_string())
        }
        (_, "tools/list") => whole(
            out,
            200,
            &[],
            &answer(json!({"tools": tools(), "resultType": "complete"})).to_string(),
        ),
        (_, "tools/call") => call(state, heard, out),
        (_, "notifications/cancelled") => {
            let id = params["requestId"].to_string();
            state
                .told
                .lock()
                .expect("no test panics here")
                .insert(id, json!("cancelled"));
            state.something.notify_all();
            whole(out, 202, &[], "")
        }
        (_, "") if heard.body.get("result").is_some() || heard.body.get("error").is_some() => {
            state
                .told
                .lock()
                .expect("no test panics here")
                .insert(id.to_string(), heard.body.clone());
            state.something.notify_all();
            whole(out, 202, &[], "")
        }
        _ if id.is_null() => whole(out, 202, &[], ""),
        _ => whole(out, 200, &[], &answer(json!({})).to_string()),
    }
}

fn tools() -> Value {
    json!([
        {"name": "echo", "description": "Says it again.\nAnd again.", "inputSchema": {"type": "object", "required": ["message"], "properties": {
            "message": {"type": "string", "description": "What to say"},
            "times": {"type": "integer", "default": 1, "minimum": 1},
            "loud": {"type": "boolean"},
            "mood": {"type": "string", "enum": ["calm", "merry"]},
            "more": {"type": "object", "properties": {"tags": {"type": "array", "items": {"type": "string"}}}},
        }}, "annotations": {"readOnlyHint": true}},
        {"name": "picture", "description": "Draws.", "inputSchema": {"type": "object"}},
        {"name": "slow", "description": "Takes its time.", "inputSchema": {"type": "object"}},
        {"name": "ask", "description": "Asks a person.", "inputSchema": {"type": "object"}},
        {"name": "fail", "description": "Fails.", "inputSchema": {"type": "object"}},
        {"name": "hang", "description": "Never ends.", "inputSchema": {"type": "object"}},
        {"name": "regional", "description": "Wants a header.", "inputSchema": {"type": "object", "properties": {
            "region": {"type": "string", "x-mcp-header": "Region"},
        }}},
    ])
}

fn call(state: &State, heard: &Heard, out: &mut TcpStream) -> bool {
    let params = &heard.body["params"];
    let arguments = &params["arguments"];
    let id = &heard.body["id"];
    let is_modern = heard.header("mcp-protocol-version") == "2026-07-28";
    let answer = |result: Value| json!({"jsonrpc": "2.0", "id": id, "result": result});
    let text = |text: &str| {
        answer(json!({"content": [{"type": "text", "text": text}], "resultType": "complete", "later": [1.0]}))
    };
    match params["name"].as_str().unwrap_or_default() {
        "echo" => whole(out, 200, &[], &text(&arguments.to_string()).to_string()),
        "picture" => {
            let content = json!([
                {"type": "text", "text": "here it is"},
                {"type": "image", "mimeType": "image/png", "data": "iVBORw0KGgo="},
                {"type": "resource_link", "uri": "file:///a", "name": "a"},
            ]);
            whole(out, 200, &[], &answer(json!({"content": content})).to_string())
        }
        "fail" => {
            let result = json!({"content": [{"type": "text", "text": "it broke"}], "isError": true});
            whole(out, 200, &[], &answer(result).to_string())
        }
        "slow" => {
            begin(out);
            for step in 1..=3 {
                let token = &params["_meta"]["progressToken"];
                let progress =
                    json!({"progressToken": token, "progress": step, "total": 3, "message": format!("step {step}")});
                event(
                    out,
                    &json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": progress}),
                );
            }
            event(out, &text("done"));
            false
        }
        "ask" if is_modern => {
            let result = match params["inputResponses"]["q"].get("action") {
                Some(action) => text(&format!("{action} {}", params["inputResponses"]["q"]["content"])),
                None => {
                    let schema = json!({"type": "object", "properties": {"name": {"type": "string", "title": "Your name"}}, "required": ["name"]});
                    let question = json!({"method": "elicitation/create", "params": {"mode": "form", "message": "Who are you?", "requestedSchema": schema}});
                    answer(
                        json!({"resultType": "input_required", "inputRequests": {"q": question}, "requestState": "s1"}),
                    )
                }
            };
            whole(out, 200, &[], &result.to_string())
        }
        "ask" => {
            begin(out);
            event(
                out,
                &json!({"jsonrpc": "2.0", "id": "question-1", "method": "roots/list"}),
            );
            let said = until(state, || {
                state.told.lock().expect("no test panics here").remove("\"question-1\"")
            });
            event(out, &text(&said.unwrap_or_default()["result"].to_string()));
            false
        }
        "fade" => {
            begin(out);
            let after = match arguments["comes back"] == true {
                true => format!("{id}-first"),
                false => format!("{id}-never"),
            };
            let _ = write!(out, "id: {after}\ndata: {}\n\n", progress(1));
            false
        }
        "hang" => {
            begin(out);
            until(state, || {
                let was_cancelled = state
                    .told
                    .lock()
                    .expect("no test panics here")
                    .contains_key(&id.to_string());
                // A client that hangs up is noticed by writing.
                let is_gone = write!(out, ": still here\n\n").is_err();
                (was_cancelled || is_gone).then_some(())
            });
            state.heard.lock().expect("no test panics here").push(Heard {
                verb: "END".to_owned(),
                path: id.to_string(),
                headers: HashMap::new(),
                body: Value::Null,
            });
            false
        }
        "regional"
            if is_modern && heard.header("mcp-param-region") != arguments["region"].as_str().unwrap_or_default() =>
        {
            let error =
                json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32020, "message": "header and body differ"}});
            whole(out, 400, &[], &error.to_string())
        }
        "regional" => whole(out, 200, &[], &text("there").to_string()),
        other => {
            let error =
                json!({"jsonrpc": "2.0", "id": id, "error": {"code": -32602, "message": format!("no tool {other}")}});
            whole(out, 200, &[], &error.to_string())
        }
    }
}

/// What comes on the stream of a call that broke off: nothing twice, then something, nothing twice, then the answer; or
/// nothing ever.
fn resume(state: &State, after: &str, out: &mut TcpStream) -> bool {
    begin(out);
    let heard = state.heard.lock().expect("no test panics here");
    let times = heard
        .iter()
        .filter(|heard| heard.header("last-event-id") == after)
        .count();
    match after.split_once('-') {
        Some((id, "first")) if times == 3 => {
            let _ = write!(out, "id: {id}-second\ndata: {}\n\n", progress(2));
        }
        Some((id, "second")) if times == 3 => {
            let id: Value = serde_json::from_str(id).expect("an id of ours");
            event(out, &json!({"jsonrpc": "2.0", "id": id, "result": {"content": []}}));
        }
        Some(_) | None => {}
    }
    false
}

fn progress(step: u64) -> Value {
    json!({"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progressToken": "p", "progress": step}})
}

/// Looks again whenever something has happened, until there is something to give or all is over.
fn until<T>(state: &State, mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let lock = Mutex::new(());
    let mut held = lock.lock().expect("it is ours alone");
    let deadline = Instant::now() + PATIENCE;
    while !state.is_over.load(Ordering::SeqCst) && Instant::now() < deadline {
        if let Some(found) = look() {
            return Some(found);
        }
        held = state
            .something
            .wait_timeout(held, Duration::from_millis(20))
            .expect("it is ours alone")
            .0;
    }
    None
}

fn begin(out: &mut TcpStream) {
    let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n";
    let _ = out.write_all(head.as_bytes());
}

fn event(out: &mut TcpStream, message: &Value) {
    let _ = write!(out, "data: {message}\n\n");
}

fn whole(out: &mut TcpStream, status: u16, headers: &[(&str, String)], body: &str) -> bool {
    let mut head = format!(
        "HTTP/1.1 {status} Told\r\ncontent-type: application/json\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    out.write_all(format!("{head}\r\n{body}").as_bytes()).is_ok()
}
