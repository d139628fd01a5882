//! What was said, written down for a person who looks for a fault: when, by whom, what, and how much of it. Keys are
//! masked, also in what is said of a message, and payloads stand there only when they were asked for.
//!
//! Enters: messages. Leaves: lines in a file, or on standard error. It never stops what it watches: what cannot be written
//! is not.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use orch_shared::excerpt::printable;
use orch_shared::jsonrpc::{Members, Message, Outcome};
use orch_shared::secrecy;
use serde_json::Value;

use crate::report::Failure;
use crate::settings::now;

/// The longest payload that is written down, in bytes.
const LONGEST: usize = 16 * 1024;

/// How much of a message is written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Detail {
    /// What it is, and how long.
    Outline,
    /// All of it, keys masked.
    Payloads,
}

/// The way a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// From the client to the gateway.
    Up,
    /// From the gateway to the client.
    Down,
}

/// Where traffic is written down.
pub(crate) struct Journal {
    sink: Option<Mutex<Box<dyn Write + Send>>>,
    detail: Detail,
}

impl Journal {
    /// Nothing is written down.
    pub(crate) const fn none() -> Self {
        Self {
            sink: None,
            detail: Detail::Outline,
        }
    }

    /// On standard error.
    pub(crate) fn on_standard_error(detail: Detail) -> Self {
        Self {
            sink: Some(Mutex::new(Box::new(io::stderr()))),
            detail,
        }
    }

    /// At the end of a file, which its owner alone can read when it is new.
    pub(crate) fn in_file(path: &Path, detail: Detail) -> Result<Self, Failure> {
        let mut options = File::options();
        options.append(true).create(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let file = options
            .open(path)
            .map_err(|error| Failure::file("open", path, &error))?;
        Ok(Self {
            sink: Some(Mutex::new(Box::new(file))),
            detail,
        })
    }

    /// Writes down a message.
    pub(crate) fn message(&self, way: Way, message: &Message) {
        if self.sink.is_some() {
            let arrow = match way {
                Way::Up => "->",
                Way::Down => "<-",
            };
            self.line(&format!("{arrow} {}", outline(message, self.detail)));
        }
    }

    /// Writes down what happened.
    pub(crate) fn event(&self, text: &str) {
        if self.sink.is_some() {
            self.line(&format!("-- {}", without_keys(text)));
        }
    }

    fn line(&self, text: &str) {
        let Some(sink) = &self.sink else { return };
        let mut sink = sink.lock().unwrap_or_else(PoisonError::into_inner);
        // Whoever watches may have gone; the work goes on.
        let _ = writeln!(sink, "{} {}", now(), printable(text)).and_then(|()| sink.flush());
    }
}

/// A message in a line.
fn outline(message: &Message, detail: Detail) -> String {
    let (head, payload) = match message {
        Message::Request(request) => {
            let params = Members::of_params(request.params.as_deref());
            let what = params.text("name").or_else(|| params.text("uri"));
            let what = what.map(|what| format!(" {}", without_keys(&what))).unwrap_or_default();
            (
                format!("{}{what} id={}", request.method, request.id),
                request.params.as_deref(),
            )
        }
        Message::Notification(news) => (news.method.clone(), news.params.as_deref()),
        Message::Response(response) => {
            let id = response.id.as_ref().map_or("null", |id| id.as_json());
            match &response.outcome {
                Outcome::Result(result) => (format!("result id={id}"), Some(&**result)),
                Outcome::Error(error) => {
                    let code = response.outcome.code().unwrap_or_default();
                    let said = without_keys(&response.outcome.message().unwrap_or_default());
                    (format!("error id={id} {code} {said}"), Some(&**error))
                }
            }
        }
    };
    let size = payload.map_or(0, |payload| payload.get().len());
    match (detail, payload) {
        (Detail::Payloads, Some(payload)) => format!("{head} {size} B {}", redacted(payload.get(), LONGEST)),
        (Detail::Payloads, None) | (Detail::Outline, _) => format!("{head} {size} B"),
    }
}

/// A text without the keys that stand in it.
fn without_keys(text: &str) -> String {
    let mut value = Value::from(text);
    secrecy::redact(&mut value);
    value.as_str().unwrap_or_default().to_owned()
}

/// A JSON text with keys masked, cut to a length.
pub(crate) fn redacted(text: &str, longest: usize) -> String {
    let mut shown = match serde_json::from_str::<Value>(text) {
        Ok(mut value) => {
            secrecy::mask(&mut value);
            value.to_string()
        }
        Err(_) => "(not JSON)".to_owned(),
    };
    if shown.len() > longest {
        let end = (0..=longest)
            .rev()
            .find(|end| shown.is_char_boundary(*end))
            .unwrap_or(0);
        shown.truncate(end);
        shown.push('…');
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_outlined_and_keys_masked() {
        for (text, detail, expected) in [
            (
                r#"{"id": 7, "method": "tools/call", "params": {"name": "t", "arguments": {"apiKey": "sesame"}}}"#,
                Detail::Outline,
                "tools/call t id=7 48 B",
            ),
            (
                r#"{"id": 7, "method": "tools/call", "params": {"name": "t", "arguments": {"apiKey": "sesame", "list": ["Bearer sesame"], "q": "x"}}}"#,
                Detail::Payloads,
                r#"tools/call t id=7 85 B {"name":"t","arguments":{"apiKey":"***","list":["***"],"q":"x"}}"#,
            ),
            (
                r#"{"method": "notifications/initialized"}"#,
                Detail::Payloads,
                "notifications/initialized 0 B",
            ),
            (
                r#"{"id": "a", "error": {"code": -32602, "message": "no"}}"#,
                Detail::Outline,
                "error id=\"a\" -32602 no 33 B",
            ),
            (
                r#"{"id": 1, "method": "resources/read", "params": {"uri": "https://u:pw@h/x?token=sk-ant-0123456789"}}"#,
                Detail::Outline,
                "resources/read *** id=1 51 B",
            ),
            (
                r#"{"id": 1, "error": {"code": -32000, "message": "bad key sk-ant-0123456789"}}"#,
                Detail::Outline,
                "error id=1 -32000 bad key *** 56 B",
            ),
            (
                r#"{"id": 1, "method": "resources/read", "params": {"uri": "file:///notes/today.md"}}"#,
                Detail::Outline,
                "resources/read file:///notes/today.md id=1 33 B",
            ),
            (
                r#"{"id": 1, "result": {"env": [{"name": "DB_PASSWORD", "value": "sesame"}]}}"#,
                Detail::Payloads,
                r#"result id=1 53 B {"env":[{"name":"DB_PASSWORD","value":"***"}]}"#,
            ),
        ] {
            let message = Message::parse(text.as_bytes()).unwrap();
            assert_eq!(outline(&message, detail), expected);
        }
        assert_eq!(redacted("{\"a\": \"ééé\"}", 8), "{\"a\":\"é…");
    }
}
