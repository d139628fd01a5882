//! What of a request is repeated in its headers, so that whoever stands between can route it without reading the body.
//!
//! In the newer era every request names its method, and what it is about, in headers; arguments of tools go along where the
//! tool's schema asks for it with `x-mcp-header`. A value that a header cannot carry is wrapped.

use std::borrow::Cow;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue};
use orch_shared::jsonrpc::Members;
use serde_json::Value;
use serde_json::value::RawValue;

pub(super) const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");
pub(super) const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
pub(super) const LAST_EVENT: HeaderName = HeaderName::from_static("last-event-id");
const METHOD: HeaderName = HeaderName::from_static("mcp-method");
const NAME: HeaderName = HeaderName::from_static("mcp-name");
const PARAM: &str = "mcp-param-";

/// What a wrapped value is wrapped in.
const WRAPPING: (&str, &str) = ("=?base64?", "?=");

/// What an argument that is to be repeated is annotated with.
const ANNOTATION: &str = "x-mcp-header";

/// The headers of a request of the newer era. What it is about is read from its parameters where that is not said.
pub(super) fn of_request(
    method: &str,
    about: Option<&str>,
    params: Option<&RawValue>,
    schema: Option<&RawValue>,
) -> HeaderMap {
    // With room for what every request has besides.
    let mut headers = HeaderMap::with_capacity(12);
    add(&mut headers, METHOD, method);
    let named_by = match method {
        "tools/call" | "prompts/get" => "name",
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" => "uri",
        "tasks/get" | "tasks/update" | "tasks/cancel" => "taskId",
        _ => return headers,
    };
    let members = || Members::of_params(params);
    let read = || members().text(named_by).map(Cow::Owned);
    if let Some(name) = about.map(Cow::Borrowed).or_else(read) {
        add(&mut headers, NAME, &name);
    }
    let schema = schema.filter(|schema| method == "tools/call" && schema.get().contains(ANNOTATION));
    if let Some(schema) = schema.and_then(|schema| serde_json::from_str::<Value>(schema.get()).ok())
        && let Some(arguments) = members()
            .get("arguments")
            .and_then(|arguments| serde_json::from_str::<Value>(arguments.get()).ok())
    {
        repeat(&mut headers, &schema, &arguments);
    }
    headers
}

/// Repeats the arguments whose properties are annotated, at any depth below the root.
fn repeat(headers: &mut HeaderMap, schema: &Value, arguments: &Value) {
    let properties = schema.get("properties").and_then(Value::as_object);
    for (name, property) in properties.into_iter().flatten() {
        let Some(argument) = arguments.get(name) else { continue };
        if let Some(header) = property.get(ANNOTATION).and_then(Value::as_str)
            && let Ok(header) = HeaderName::try_from(format!("{PARAM}{header}"))
            && let Some(text) = primitive(argument)
        {
            add(headers, header, &text);
        }
        repeat(headers, property, argument);
    }
}

fn primitive(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Bool(_) | Value::Number(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

fn add(headers: &mut HeaderMap, name: HeaderName, value: &str) {
    let shown = if fits(value) {
        HeaderValue::from_str(value)
    } else {
        let wrapped = BASE64_STANDARD.encode(value);
        HeaderValue::try_from(format!("{}{wrapped}{}", WRAPPING.0, WRAPPING.1))
    };
    if let Ok(value) = shown {
        headers.insert(name, value);
    }
}

/// Whether a header carries that value and nobody takes it for a wrapped one.
fn fits(value: &str) -> bool {
    let wrapped = value.starts_with(WRAPPING.0) && value.ends_with(WRAPPING.1);
    let plain = value.bytes().all(|byte| (b' '..=b'~').contains(&byte));
    plain && !wrapped && !value.starts_with(' ') && !value.ends_with(' ')
}

#[cfg(test)]
mod tests {
    use super::*;
    use orch_shared::jsonrpc::raw;
    use serde_json::json;

    #[test]
    fn a_request_is_told_in_its_headers() {
        let schema = json!({"type": "object", "properties": {
            "region": {"type": "string", "x-mcp-header": "Region"},
            "deep": {"type": "object", "properties": {"n": {"type": "integer", "x-mcp-header": "Number"}}},
            "plain": {"type": "string"},
            "bad": {"type": "string", "x-mcp-header": "no token"},
        }});
        let arguments = json!({"region": "eu west", "deep": {"n": 7}, "plain": "x", "bad": "y"});
        for (method, params, expected) in [
            ("tools/list", json!({"cursor": "c"}), vec![("mcp-method", "tools/list")]),
            (
                "tools/call",
                json!({"name": "a", "arguments": arguments}),
                vec![
                    ("mcp-method", "tools/call"),
                    ("mcp-name", "a"),
                    ("mcp-param-number", "7"),
                    ("mcp-param-region", "eu west"),
                ],
            ),
            (
                "resources/read",
                json!({"uri": "x://ü"}),
                vec![("mcp-method", "resources/read"), ("mcp-name", "=?base64?eDovL8O8?=")],
            ),
            (
                "prompts/get",
                json!({"name": " a"}),
                vec![("mcp-method", "prompts/get"), ("mcp-name", "=?base64?IGE=?=")],
            ),
            (
                "prompts/get",
                json!({"name": "=?base64?x?="}),
                vec![
                    ("mcp-method", "prompts/get"),
                    ("mcp-name", "=?base64?PT9iYXNlNjQ/eD89?="),
                ],
            ),
        ] {
            let headers = of_request(method, None, Some(&raw(&params)), Some(&raw(&schema)));
            let mut found: Vec<_> = headers
                .iter()
                .map(|(name, value)| (name.as_str(), value.to_str().expect("text")))
                .collect();
            found.sort_unstable();
            assert_eq!(found, expected, "{method} {params}");
        }
    }
}
