//! Messages as text. Nothing is parsed that need not be, and nothing is written that a number or an escape could change.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

/// What no specification knows, spelled so that whoever parses and prints it changes it.
pub(crate) const UNKNOWN: &str = r#"{"whole":12345678901234567890123,"exact":1.10,"exponent":1E+2,"escaped":"\u00e9\/","nested":[null,{"deep":true}]}"#;

/// The envelope of a message.
#[derive(Debug, Deserialize)]
pub(crate) struct Envelope<'a> {
    #[serde(borrow)]
    pub(crate) id: Option<&'a RawValue>,
    pub(crate) method: Option<String>,
    #[serde(default)]
    pub(crate) params: Value,
}

/// An error answer: a code and a message.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    pub(crate) code: i64,
    pub(crate) message: String,
}

impl Refusal {
    pub(crate) fn new(code: i64, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
        }
    }

    pub(crate) fn no_method(method: &str) -> Self {
        Self::new(-32601, format!("there is no method {method}"))
    }
}

/// A result: its members as text, without braces.
pub(crate) fn answer(id: &str, members: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{{members}}}}}"#)
}

pub(crate) fn refuse(id: &str, refusal: &Refusal) -> String {
    let (code, message) = (refusal.code, quote(&refusal.message));
    format!(
        r#"{{"jsonrpc":"2.0","id":{id},"error":{{"code":{code},"message":{message},"data":{{"x-vendor":{UNKNOWN}}}}}}}"#
    )
}

/// A notification: its parameters as text, with braces.
pub(crate) fn notify(method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","method":"{method}","params":{params}}}"#)
}

/// A request: its parameters as text, with braces.
pub(crate) fn request(id: &str, method: &str, params: &str) -> String {
    format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"{method}","params":{params}}}"#)
}

/// A text as JSON.
pub(crate) fn quote(text: &str) -> String {
    Value::from(text).to_string()
}

/// The revision that a request names for itself, as modern ones do.
pub(crate) fn revision(params: &Value) -> Option<&str> {
    params["_meta"]["io.modelcontextprotocol/protocolVersion"].as_str()
}
