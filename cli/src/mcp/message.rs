//! Messages and the HTTP headers that must go with them.
//!
//! Revision 2026-07-28 knows no sessions: each request says in `_meta` which revision it speaks, and headers repeat the
//! method, the name of what is asked for, and those arguments that a tool's schema marks (`x-mcp-header`), so that a
//! gateway can route without reading the body. Older revisions have a session, whose id and revision are headers.

use std::collections::HashMap;

use base64::Engine as _;
use orch_shared::jsonrpc::{Members, Message, Request};
use serde_json::Value;
use serde_json::value::RawValue;

/// The revision without sessions.
pub(crate) const MODERN: &str = "2026-07-28";
/// Where a request says which revision it speaks.
pub(crate) const META_VERSION: &str = "io.modelcontextprotocol/protocolVersion";
/// Where it says who asks.
pub(crate) const META_CLIENT: &str = "io.modelcontextprotocol/clientInfo";
/// Where it says what the client can do.
pub(crate) const META_CAPABILITIES: &str = "io.modelcontextprotocol/clientCapabilities";
/// The header that says which revision is spoken.
pub(crate) const PROTOCOL: &str = "mcp-protocol-version";

/// Nobody knows the session.
pub(crate) const NO_SESSION: i64 = -32001;
/// Headers and body contradict each other.
pub(crate) const HEADER_MISMATCH: i64 = -32020;

/// The revision that a request says it speaks; nothing when it speaks one with sessions.
pub(crate) fn version(request: &Request) -> Option<String> {
    Members::of_params(request.params.as_deref())
        .members("_meta")?
        .text(META_VERSION)
}

/// Whether doing it twice does no harm.
pub(crate) fn is_safe(method: &str) -> bool {
    method.ends_with("/list")
        || matches!(
            method,
            "ping"
                | "server/discover"
                | "resources/read"
                | "prompts/get"
                | "completion/complete"
                | "logging/setLevel"
                | "resources/subscribe"
                | "resources/unsubscribe"
                | "subscriptions/listen"
                | "initialize"
        )
}

/// The arguments of tools that go into headers: by tool, the path of the argument and the header's name.
#[derive(Debug, Default)]
pub(crate) struct Marked(HashMap<String, Vec<(Vec<String>, String)>>);

impl Marked {
    /// Takes in what a list of tools marks.
    pub(crate) fn learn(&mut self, result: &RawValue) {
        #[derive(serde::Deserialize)]
        struct Tools {
            #[serde(default)]
            tools: Vec<Tool>,
        }
        #[derive(serde::Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Tool {
            name: String,
            #[serde(default)]
            input_schema: Value,
        }
        // Most tools mark nothing, and schemas are long.
        if !result.get().contains("x-mcp-header") {
            return;
        }
        let Ok(listed) = serde_json::from_str::<Tools>(result.get()) else {
            return;
        };
        for tool in listed.tools {
            let mut found = Vec::new();
            gather(&tool.input_schema, &mut Vec::new(), &mut found);
            self.0.insert(tool.name, found);
        }
    }

    fn of(&self, tool: &str) -> &[(Vec<String>, String)] {
        self.0.get(tool).map_or(&[], Vec::as_slice)
    }
}

fn gather(schema: &Value, path: &mut Vec<String>, found: &mut Vec<(Vec<String>, String)>) {
    for (name, property) in schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
    {
        path.push(name.clone());
        if let Some(header) = property.get("x-mcp-header").and_then(Value::as_str) {
            found.push((path.clone(), header.to_owned()));
        }
        gather(property, path, found);
        path.pop();
    }
}

/// The headers of a request of the revision without sessions.
pub(crate) fn headers(request: &Request, version: &str, marked: &Marked) -> Vec<(String, String)> {
    let params = Members::of_params(request.params.as_deref());
    let mut headers = vec![
        (PROTOCOL.to_owned(), version.to_owned()),
        ("mcp-method".to_owned(), fitting(&request.method)),
    ];
    let of_name = match request.method.as_str() {
        "tools/call" | "prompts/get" => params.text("name"),
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" => params.text("uri"),
        "tasks/get" | "tasks/update" | "tasks/cancel" => params.text("taskId"),
        _ => None,
    };
    if let Some(name) = &of_name {
        headers.push(("mcp-name".to_owned(), fitting(name)));
    }
    if request.method == "tools/call"
        && let Some(name) = of_name
        && !marked.of(&name).is_empty()
        && let Some(arguments) = params.get("arguments")
        && let Ok(arguments) = serde_json::from_str::<Value>(arguments.get())
    {
        for (path, header) in marked.of(&name) {
            let value = path.iter().try_fold(&arguments, |value, key| value.get(key));
            let text = match value {
                Some(Value::String(text)) => text.clone(),
                Some(value @ (Value::Bool(_) | Value::Number(_))) => value.to_string(),
                Some(Value::Null | Value::Array(_) | Value::Object(_)) | None => continue,
            };
            headers.push((format!("mcp-param-{}", header.to_lowercase()), fitting(&text)));
        }
    }
    headers
}

/// A value as a header may carry it.
fn fitting(value: &str) -> String {
    let has_blank_end = value.starts_with([' ', '\t']) || value.ends_with([' ', '\t']);
    let is_wrapped = value.starts_with("=?base64?") && value.ends_with("?=");
    if has_blank_end || is_wrapped || value.chars().any(|c| !(' '..='~').contains(&c)) {
        let encoded = base64::engine::general_purpose::STANDARD.encode(value);
        format!("=?base64?{encoded}?=")
    } else {
        value.to_owned()
    }
}

/// A message on one line: line breaks within are blanks between values, since those within text are escaped.
pub(crate) fn on_one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

/// The messages in a line of input: one, or those of a batch. What is none comes with why.
pub(crate) fn of_line(line: &[u8]) -> Vec<Result<Message, orch_shared::jsonrpc::Invalid>> {
    if line.trim_ascii_start().first() == Some(&b'[')
        && let Ok(batch) = serde_json::from_slice::<Vec<&RawValue>>(line)
        && !batch.is_empty()
    {
        return batch
            .into_iter()
            .map(|one| Message::parse(one.get().as_bytes()))
            .collect();
    }
    vec![Message::parse(line)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use orch_shared::jsonrpc::{Id, raw};
    use serde_json::json;

    fn request(method: &str, params: &Value) -> Request {
        Request {
            id: Id::number(1),
            method: method.to_owned(),
            params: Some(raw(params)),
        }
    }

    #[test]
    fn requests_say_what_they_speak() {
        let modern = json!({"_meta": {META_VERSION: MODERN}});
        assert_eq!(version(&request("tools/list", &modern)).as_deref(), Some(MODERN));
        assert_eq!(
            version(&request("tools/list", &json!({"_meta": {"progressToken": 1}}))),
            None
        );
        assert_eq!(
            version(&request("initialize", &json!({"protocolVersion": "2025-11-25"}))),
            None
        );
    }

    #[test]
    fn headers_repeat_what_gateways_route_by() {
        let mut marked = Marked::default();
        let tools = json!({"tools": [{"name": "t", "inputSchema": {"properties": {
            "region": {"type": "string", "x-mcp-header": "Region"},
            "deep": {"properties": {"n": {"type": "integer", "x-mcp-header": "N"}}},
            "other": {"type": "string"},
        }}}, {"name": "plain"}]});
        marked.learn(&raw(&tools));
        let told = |method: &str, params: Value| {
            let headers = headers(&request(method, &params), MODERN, &marked);
            headers
                .iter()
                .skip(1)
                .map(|(name, value)| format!("{name}={value}"))
                .collect::<Vec<_>>()
                .join(" ")
        };
        for (method, params, expected) in [
            ("tools/list", json!({}), "mcp-method=tools/list"),
            (
                "resources/read",
                json!({"uri": "file:///a b"}),
                "mcp-method=resources/read mcp-name=file:///a b",
            ),
            (
                "prompts/get",
                json!({"name": "é"}),
                "mcp-method=prompts/get mcp-name==?base64?w6k=?=",
            ),
            (
                "tools/call",
                json!({"name": "t", "arguments": {"region": " eu", "deep": {"n": 3}, "other": "x"}}),
                "mcp-method=tools/call mcp-name=t mcp-param-region==?base64?IGV1?= mcp-param-n=3",
            ),
            ("tools/call", json!({"name": "t"}), "mcp-method=tools/call mcp-name=t"),
        ] {
            assert_eq!(told(method, params), expected);
        }
    }

    #[test]
    fn lines_hold_one_message_or_several() {
        for (line, expected) in [
            ("{\"id\": 1, \"method\": \"a\"}", vec![true]),
            (
                "[{\"id\": 1, \"method\": \"a\"}, {\"method\": \"b\"}, 7]",
                vec![true, true, false],
            ),
            ("[]", vec![false]),
            ("{", vec![false]),
        ] {
            let found: Vec<bool> = of_line(line.as_bytes()).iter().map(Result::is_ok).collect();
            assert_eq!(found, expected, "{line}");
        }
        assert_eq!(on_one_line("{\n  \"a\": \"x\\ny\"\r\n}"), "{   \"a\": \"x\\ny\"  }");
    }
}
