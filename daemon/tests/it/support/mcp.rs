//! A client of the revision of 2026-07-28, in the raw: one request, no session, every header said by the test.

use std::net::SocketAddr;

use serde_json::{Value, json};

use super::http::Request;

/// The revision without sessions.
pub(crate) const MODERN: &str = "2026-07-28";

/// What came back: the status, what was told on the way, and the answer.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: u16,
    pub(crate) before: Vec<Value>,
    pub(crate) answer: Value,
    /// All of it, to the letter.
    pub(crate) text: String,
    /// When a limit says to come back, in seconds.
    pub(crate) retry_after: Option<u64>,
}

/// A request as a client of that revision makes it, ready to be changed and sent.
pub(crate) fn request(address: SocketAddr, path: &str, method: &str, mut params: Value) -> Request {
    let meta = json!({
        "io.modelcontextprotocol/protocolVersion": MODERN,
        "io.modelcontextprotocol/clientInfo": {"name": "raw", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {"sampling": {}, "elicitation": {}, "roots": {}},
    });
    let known = params["_meta"].as_object().cloned().unwrap_or_default();
    params["_meta"] = meta;
    params["_meta"].as_object_mut().expect("a mapping").extend(known);
    let name = [&params["name"], &params["uri"]].into_iter().find_map(Value::as_str);
    let mut request = Request::new(address, "POST", path)
        .header("Accept", "application/json, text/event-stream")
        .header("MCP-Protocol-Version", MODERN)
        .header("Mcp-Method", method);
    if let Some(name) = name {
        request = request.header("Mcp-Name", name);
    }
    request.json(&json!({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}))
}

/// Sends it, and takes apart what comes: one JSON text, or a stream of events that ends with the answer.
pub(crate) fn send(request: &Request) -> Told {
    let answer = request.send();
    let is_stream = answer
        .header("content-type")
        .is_some_and(|kind| kind.starts_with("text/event-stream"));
    let mut messages: Vec<Value> = if is_stream {
        let lines = answer.body.lines().filter_map(|line| line.strip_prefix("data:"));
        lines
            .filter_map(|data| serde_json::from_str(data.trim()).ok())
            .collect()
    } else {
        vec![serde_json::from_str(&answer.body).unwrap_or_default()]
    };
    Told {
        status: answer.status,
        answer: messages.pop().unwrap_or_default(),
        before: messages,
        retry_after: answer.header("retry-after").and_then(|after| after.parse().ok()),
        text: answer.body,
    }
}
