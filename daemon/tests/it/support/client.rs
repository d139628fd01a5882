//! A client of the gateway, of either era: a session and its streams, or requests that are complete in themselves. It says
//! what it is told to say, and answers what it is asked.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::daemon::Home;
use super::http::{Answer, Request, Stream};
use super::mcp::{self, Told};

/// So long something is listened for.
const PATIENCE: Duration = Duration::from_secs(90);

/// How a client speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Era {
    /// With a session.
    Legacy,
    /// Without.
    Modern,
}

pub(crate) const ERAS: [Era; 2] = [Era::Legacy, Era::Modern];

/// The revision of a client with a session that is told nothing else.
pub(crate) const LEGACY: &str = "2025-11-25";

/// A client, introduced if its era wants that.
#[derive(Debug)]
pub(crate) struct Client {
    address: SocketAddr,
    path: String,
    token: String,
    session: Option<Session>,
    next: AtomicU64,
}

#[derive(Debug)]
struct Session {
    id: String,
    revision: String,
}

/// What a client can be asked.
pub(crate) fn abilities() -> Value {
    json!({"sampling": {}, "elicitation": {}, "roots": {"listChanged": true}})
}

/// The greeting of a client with a session.
pub(crate) fn greeting(revision: &str, abilities: &Value) -> Value {
    let params = json!({
        "protocolVersion": revision,
        "capabilities": abilities,
        "clientInfo": {"name": "raw", "version": "1"},
    });
    json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": params})
}

/// A request that may bring JSON or a stream.
pub(crate) fn post(home: &Home, path: &str, body: &Value) -> Request {
    home.http("POST", path)
        .header("Accept", "application/json, text/event-stream")
        .json(body)
}

impl Client {
    /// A client that can be asked everything.
    #[track_caller]
    pub(crate) fn begin(home: &Home, era: Era, path: &str) -> Self {
        Self::begin_as(home, era, path, &home.token())
    }

    /// A client of whoever has that token.
    #[track_caller]
    pub(crate) fn begin_as(home: &Home, era: Era, path: &str, token: &str) -> Self {
        match era {
            Era::Legacy => Self::greeted_as(home, path, LEGACY, &abilities(), token).0,
            Era::Modern => Self::of(home, path, None, token),
        }
    }

    /// A client with a session of that revision, and the answer to its greeting.
    #[track_caller]
    pub(crate) fn greeted(home: &Home, path: &str, revision: &str, abilities: &Value) -> (Self, Value) {
        Self::greeted_as(home, path, revision, abilities, &home.token())
    }

    #[track_caller]
    fn greeted_as(home: &Home, path: &str, revision: &str, abilities: &Value, token: &str) -> (Self, Value) {
        let request = Request::new(home.address(), "POST", path)
            .token(token)
            .header("Accept", "application/json, text/event-stream");
        let answer = request.json(&greeting(revision, abilities)).send().expect(200);
        let id = answer.header("mcp-session-id").expect("a session").to_owned();
        let result = answer.json()["result"].clone();
        let revision = result["protocolVersion"].as_str().expect("a revision").to_owned();
        let client = Self::of(home, path, Some(Session { id, revision }), token);
        assert_eq!(client.notify("notifications/initialized", json!({})), 202);
        (client, result)
    }

    fn of(home: &Home, path: &str, session: Option<Session>, token: &str) -> Self {
        Self {
            address: home.address(),
            path: path.to_owned(),
            token: token.to_owned(),
            session,
            next: AtomicU64::new(1),
        }
    }

    /// The same client, with its session, after the daemon has moved.
    pub(crate) fn follow(&mut self, home: &Home) {
        self.address = home.address();
    }

    pub(crate) fn era(&self) -> Era {
        match self.session {
            Some(_) => Era::Legacy,
            None => Era::Modern,
        }
    }

    /// A request of its session, without a body.
    pub(crate) fn bare(&self, method: &str) -> Request {
        let mut request = Request::new(self.address, method, &self.path).token(&self.token);
        if let Some(session) = &self.session {
            request = request
                .header("MCP-Protocol-Version", &session.revision)
                .header("Mcp-Session-Id", &session.id);
        }
        request
    }

    /// A request, ready to be changed and sent.
    pub(crate) fn request(&self, method: &str, params: Value) -> Request {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        match self.era() {
            Era::Legacy => self.posted(&json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params})),
            Era::Modern => mcp::request(self.address, &self.path, method, params).token(&self.token),
        }
    }

    /// A message of its session.
    pub(crate) fn posted(&self, message: &Value) -> Request {
        self.bare("POST")
            .header("Accept", "application/json, text/event-stream")
            .json(message)
    }

    /// Asks something.
    pub(crate) fn ask(&self, method: &str, params: Value) -> Told {
        mcp::send(&self.request(method, params))
    }

    /// Asks something that has a result.
    #[track_caller]
    pub(crate) fn result(&self, method: &str, params: Value) -> Value {
        let told = self.ask(method, params);
        assert!(told.answer["result"].is_object(), "{method}: {told:?}");
        told.answer["result"].clone()
    }

    /// Calls a tool.
    #[track_caller]
    pub(crate) fn call(&self, tool: &str, arguments: Value) -> Value {
        self.result("tools/call", json!({"name": tool, "arguments": arguments}))
    }

    /// Calls a tool, and listens to what comes of it.
    pub(crate) fn calling(&self, tool: &str, arguments: Value) -> Heard {
        let params = json!({"name": tool, "arguments": arguments});
        Heard(self.request("tools/call", params).stream())
    }

    /// The text that a tool answers with.
    #[track_caller]
    pub(crate) fn said(&self, tool: &str, arguments: Value) -> String {
        text_of(&self.call(tool, arguments))
    }

    /// The names of all items of a list.
    #[track_caller]
    pub(crate) fn names(&self, method: &str) -> Vec<String> {
        let result = self.result(method, json!({}));
        let (member, key) = match method {
            "tools/list" => ("tools", "name"),
            "prompts/list" => ("prompts", "name"),
            "resources/list" => ("resources", "uri"),
            _ => ("resourceTemplates", "uriTemplate"),
        };
        let items = result[member].as_array().expect("a list").iter();
        items
            .map(|item| item[key].as_str().expect("a name").to_owned())
            .collect()
    }

    /// Tells something; the status.
    pub(crate) fn notify(&self, method: &str, params: Value) -> u16 {
        let message = json!({"jsonrpc": "2.0", "method": method, "params": params});
        self.posted(&message).send().status
    }

    /// Ends its session.
    pub(crate) fn end(&self) -> Answer {
        self.bare("DELETE").send()
    }

    /// Asks something, and answers what it is asked meanwhile with these results: the questions, and the answer.
    #[track_caller]
    pub(crate) fn asked_back(&self, method: &str, params: Value, result: &Value) -> (Vec<Value>, Value) {
        match self.era() {
            Era::Legacy => self.asked_on_stream(method, params, result),
            Era::Modern => self.asked_in_rounds(method, params, result),
        }
    }

    fn asked_on_stream(&self, method: &str, params: Value, result: &Value) -> (Vec<Value>, Value) {
        let mut heard = Heard(self.request(method, params).stream());
        let mut questions = Vec::new();
        loop {
            let message = heard.next("an answer");
            if message["method"].is_null() {
                return (questions, message);
            }
            if !message["id"].is_null() {
                let answer = json!({"jsonrpc": "2.0", "id": message["id"], "result": result});
                questions.push(message);
                assert_eq!(self.posted(&answer).send().status, 202);
            }
        }
    }

    fn asked_in_rounds(&self, method: &str, mut params: Value, result: &Value) -> (Vec<Value>, Value) {
        let mut questions = Vec::new();
        loop {
            let told = self.ask(method, params.clone());
            let answer = &told.answer["result"];
            if answer["resultType"] != "input_required" {
                return (questions, told.answer);
            }
            assert!(questions.len() < 20, "it asks again and again: {told:?}");
            let mut responses = json!({});
            for (key, question) in answer["inputRequests"].as_object().expect("questions") {
                questions.push(question.clone());
                responses[key] = result.clone();
            }
            params["inputResponses"] = responses;
            params["requestState"] = answer["requestState"].clone();
        }
    }

    /// Listens for what belongs to no request. A client without a session says what it wants to hear of.
    #[track_caller]
    pub(crate) fn listen(&self, wanted: Value) -> Heard {
        match self.era() {
            Era::Legacy => {
                let stream = self.bare("GET").header("Accept", "text/event-stream").stream();
                assert_eq!(stream.status, 200);
                Heard(stream)
            }
            Era::Modern => {
                let stream = self
                    .request("subscriptions/listen", json!({"notifications": wanted}))
                    .stream();
                assert_eq!(stream.status, 200);
                let mut heard = Heard(stream);
                let first = heard.next("an acknowledgement");
                assert_eq!(first["method"], "notifications/subscriptions/acknowledged");
                assert_eq!(first["params"]["notifications"], wanted);
                heard
            }
        }
    }

    /// The id of a client's session, if it has one.
    pub(crate) fn session(&self) -> Option<&str> {
        Some(&self.session.as_ref()?.id)
    }
}

/// The text of a tool's result.
#[track_caller]
pub(crate) fn text_of(result: &Value) -> String {
    let text = result["content"][0]["text"].as_str();
    text.unwrap_or_else(|| panic!("no text: {result}")).to_owned()
}

/// What comes on a stream.
#[derive(Debug)]
pub(crate) struct Heard(Stream);

impl Heard {
    /// The next message.
    #[track_caller]
    pub(crate) fn next(&mut self, what: &str) -> Value {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let line = self.0.line().unwrap_or_else(|| panic!("the stream ends before {what}"));
            let data = line.strip_prefix("data:").unwrap_or(&line).trim();
            if data.starts_with('{') {
                return serde_json::from_str(data).expect("messages are JSON");
            }
            assert!(Instant::now() < deadline, "never heard of {what}");
        }
    }

    /// The first message that fits, and those before it.
    #[track_caller]
    pub(crate) fn until(&mut self, what: &str, fits: impl Fn(&Value) -> bool) -> (Value, Vec<Value>) {
        let mut before = Vec::new();
        loop {
            let message = self.next(what);
            if fits(&message) {
                return (message, before);
            }
            before.push(message);
            assert!(before.len() < 10_000, "never heard of {what}");
        }
    }

    /// The first message with that method.
    #[track_caller]
    pub(crate) fn method(&mut self, method: &str) -> Value {
        self.until(method, |message| message["method"] == method).0
    }

    /// Waits for the end; a stream that goes on is found out by the harness.
    pub(crate) fn wait_for_end(mut self) {
        while self.0.line().is_some() {}
    }
}
