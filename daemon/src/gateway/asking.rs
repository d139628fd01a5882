//! Reading what a client asks: the message, the era it belongs to, and whether its headers say the same as its body.
//!
//! What enters: headers and a body. What leaves: an [`Asking`], or the answer that refuses it. The era is told by each
//! request for itself: a request of 2026-07-28 names that revision in its header and its `_meta`, one of the revisions with
//! sessions does not. Headers that repeat the body (`Mcp-Method`, `Mcp-Name`, `Mcp-Param-*`) are held against it before
//! anybody routes or decides by them.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, StatusCode};
use orch_shared::jsonrpc::{Id, Invalid, Members, Message, Notification, Outcome, Raw, Request, raw};
use serde_json::json;
use serde_json::value::RawValue;

use super::protocol::{
    self, META_CAPABILITIES, META_CLIENT, META_LOG_LEVEL, META_SESSION, META_VERSION, METHOD, MODERN, NAME,
    NEWEST_LEGACY, PARAM, PROTOCOL_VERSION, code, error, error_with,
};
use crate::runtime::link::Client;

/// A message of a client, and in which era it speaks.
#[derive(Debug)]
pub(super) enum Asking {
    /// Of 2026-07-28: complete in itself.
    Modern(Modern),
    /// News of a client of 2026-07-28; they belong to nothing else.
    News(Notification),
    /// Of the revisions with sessions.
    Legacy(Message),
}

/// A request that is complete in itself.
#[derive(Debug)]
pub(super) struct Modern {
    pub(super) request: Request,
    pub(super) client: Client,
    /// The handle of a session that it has begun; taken out of the request, for it is nobody else's business.
    pub(super) handle: Option<String>,
    /// What it names, a tool or the like, if it does so.
    pub(super) named: Option<String>,
}

/// A message that is not taken, and the answer to it.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) status: StatusCode,
    pub(super) id: Option<Id>,
    pub(super) outcome: Outcome,
}

impl Refused {
    fn bad(id: Option<&Id>, outcome: Outcome) -> Self {
        Self {
            status: StatusCode::BAD_REQUEST,
            id: id.cloned(),
            outcome,
        }
    }
}

/// What is said of several messages in one body.
const BATCH: &str = "this is a batch, and batches were removed from the protocol with its revision 2025-06-18; \
    send each message in a request of its own";

/// Reads a message, whatever era it is of.
fn message(body: &[u8]) -> Result<Message, Refused> {
    if is_too_deep(body) {
        let message = format!("a message is nested at most {DEEPEST} deep");
        return Err(Refused::bad(None, error(code::INVALID_REQUEST, message)));
    }
    Message::parse_strictly(body).map_err(|invalid| {
        let is_batch = body.trim_ascii_start().starts_with(b"[");
        let outcome = match invalid {
            Invalid::Syntax(_) => error(code::PARSE, invalid.to_string()),
            Invalid::Shape(_) if is_batch => error(code::INVALID_REQUEST, BATCH),
            Invalid::Shape(_) => error(code::INVALID_REQUEST, invalid.to_string()),
        };
        Refused::bad(None, outcome)
    })
}

/// Reads a body that is of the revisions with sessions, whatever its headers say.
pub(super) fn legacy(body: &[u8]) -> Result<Message, Refused> {
    let message = message(body)?;
    if let Message::Request(request) = &message {
        is_clear(request, &Members::of_params(request.params.as_deref()))?;
    }
    Ok(message)
}

/// Methods that are answered here or decided about; no server is asked for one that is theirs but for the case.
const METHODS: [&str; 19] = [
    "initialize",
    "ping",
    "server/discover",
    "tools/list",
    "tools/call",
    "prompts/list",
    "prompts/get",
    "resources/list",
    "resources/templates/list",
    "resources/read",
    "resources/subscribe",
    "resources/unsubscribe",
    "completion/complete",
    "logging/setLevel",
    "tasks/get",
    "tasks/list",
    "tasks/result",
    "tasks/update",
    "tasks/cancel",
];

/// Whether a method is one that the protocol has for calls and for what they need.
pub(super) fn is_of_protocol(method: &str) -> bool {
    METHODS.contains(&method)
}

/// Members of parameters that are decided by.
const DECIDING: [&str; 9] = [
    "name",
    "uri",
    "taskId",
    "ref",
    "arguments",
    "_meta",
    "level",
    "requestState",
    "inputResponses",
];

/// Members of a reference in a request for completion.
const REFERRING: [&str; 3] = ["type", "name", "uri"];

/// Refuses what a server might read otherwise than it is read here: who may call one tool would have another one called.
fn is_clear(request: &Request, params: &Members<'_>) -> Result<(), Refused> {
    let refuse = |number, message| Err(Refused::bad(Some(&request.id), error(number, message)));
    let method = request.method.as_str();
    if let Some(known) = METHODS.iter().find(|known| method.eq_ignore_ascii_case(known))
        && *known != method
    {
        let message = format!("Method not found: {method} (methods are told apart by case: {known})");
        return refuse(code::METHOD_NOT_FOUND, message);
    }
    let in_reference = params.members("ref");
    let in_reference = in_reference.as_ref().and_then(|members| members.ambiguous(&REFERRING));
    match params.ambiguous(&DECIDING).or(in_reference) {
        None => Ok(()),
        Some((written, name)) if written == name => {
            refuse(code::INVALID_PARAMS, format!("`{name}` stands there more than once"))
        }
        Some((written, name)) => {
            let message = format!("`{written}` is spelled `{name}`; some servers would take it for that");
            refuse(code::INVALID_PARAMS, message)
        }
    }
}

/// Reads a body, and its headers beside it.
pub(super) fn read(headers: &HeaderMap, body: &[u8]) -> Result<Asking, Refused> {
    let message = message(body)?;
    let said = header(headers, PROTOCOL_VERSION)?;
    let request = match message {
        Message::Request(request) => request,
        Message::Notification(news) if said == Some(MODERN) => return Ok(Asking::News(news)),
        Message::Response(_) if said == Some(MODERN) => {
            let message = "nobody was asked anything; input goes with the next request, in `inputResponses`";
            return Err(Refused::bad(None, error(code::INVALID_REQUEST, message)));
        }
        // Others carry nothing of their own to tell the era by.
        Message::Notification(_) | Message::Response(_) => {
            return Ok(Asking::Legacy(message));
        }
    };
    let id = &request.id;
    let params = Members::of_params(request.params.as_deref());
    is_clear(&request, &params)?;
    let meta = params.members("_meta").unwrap_or_default();
    let named = meta.text(META_VERSION);
    let is_modern = named.is_some()
        || request.method == "server/discover"
        || said.is_some_and(|version| !protocol::is_legacy(version));
    if !is_modern {
        repeats(headers, &request, &params, false)?;
        return Ok(Asking::Legacy(Message::Request(request)));
    }
    let capabilities = meta
        .get(META_CAPABILITIES)
        .filter(|raw| Members::are_in(raw))
        .map(ToOwned::to_owned);
    let (Some(named), Some(capabilities)) = (named, capabilities) else {
        // A revision that nobody knows is refused for what it is.
        if let Some(unknown) = said.filter(|version| *version != MODERN && !protocol::is_legacy(version)) {
            return Err(Refused::bad(Some(id), unsupported(unknown)));
        }
        let message =
            format!("`params._meta` must hold `{META_VERSION}` (a string) and `{META_CAPABILITIES}` (an object)");
        return Err(Refused::bad(Some(id), error(code::INVALID_PARAMS, message)));
    };
    match said {
        Some(said) if said == named => {}
        Some(said) => {
            let message = format!("the header MCP-Protocol-Version says `{said}`, the body `{named}`");
            return Err(Refused::bad(Some(id), error(code::HEADER_MISMATCH, message)));
        }
        None => {
            let message = "the header MCP-Protocol-Version is missing";
            return Err(Refused::bad(Some(id), error(code::HEADER_MISMATCH, message)));
        }
    }
    if named != MODERN {
        return Err(Refused::bad(Some(id), unsupported(&named)));
    }
    let named = repeats(headers, &request, &params, true)?;
    let client = Client {
        info: meta
            .get(META_CLIENT)
            .map_or_else(|| raw(&json!({"name": "unknown", "version": "0"})), ToOwned::to_owned),
        capabilities,
        log_level: meta.text(META_LOG_LEVEL),
    };
    let handle = meta.text(META_SESSION);
    let request = match meta.get(META_SESSION) {
        None => request,
        Some(_) => without_handle(request),
    };
    Ok(Asking::Modern(Modern {
        request,
        client,
        handle,
        named,
    }))
}

/// The request without the handle of a session.
fn without_handle(mut request: Request) -> Request {
    let cleared = Members::of_params(request.params.as_deref());
    let mut params = cleared.clone();
    if let Some(mut meta) = cleared.members("_meta") {
        meta.remove(META_SESSION);
        params.set("_meta", meta.to_raw());
    }
    request.params = Some(params.to_raw());
    request
}

/// So deep a message may be nested: what readers of JSON commonly take. One that a server cannot read has no answer.
const DEEPEST: usize = 120;

/// Whether a body is nested deeper than servers can be expected to read.
fn is_too_deep(body: &[u8]) -> bool {
    // What opens no more is no deeper, whatever it says.
    if body.iter().filter(|byte| matches!(byte, b'[' | b'{')).count() <= DEEPEST {
        return false;
    }
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for byte in body {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'[' | b'{' if !in_string => {
                depth += 1;
                if depth > DEEPEST {
                    return true;
                }
            }
            b']' | b'}' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
    }
    false
}

/// The answer to a revision that is not spoken here.
pub(super) fn unsupported(requested: &str) -> Outcome {
    error_with(
        code::UNSUPPORTED_VERSION,
        "Unsupported protocol version",
        &json!({"requested": requested, "supported": supported()}),
    )
}

/// The revisions that are spoken here, the newest first.
pub(super) fn supported() -> Vec<&'static str> {
    std::iter::once(MODERN).chain(protocol::LEGACY).collect()
}

/// The one value of a header, if it is there.
fn header<'h>(headers: &'h HeaderMap, name: &str) -> Result<Option<&'h str>, Refused> {
    let mut values = headers.get_all(name).iter();
    let Some(first) = values.next() else {
        return Ok(None);
    };
    let contradiction = values.any(|value| value != first);
    match first.to_str() {
        Ok(text) if !contradiction => Ok(Some(text)),
        Ok(_) => {
            let message = format!("the header {name} is there more than once, with different values");
            Err(Refused::bad(None, error(code::HEADER_MISMATCH, message)))
        }
        Err(_) => {
            let message = format!("the header {name} is not plain text");
            Err(Refused::bad(None, error(code::HEADER_MISMATCH, message)))
        }
    }
}

/// What the header `Mcp-Name` repeats of a request: the member of the parameters.
fn named_by(method: &str) -> Option<&'static str> {
    match method {
        "tools/call" | "prompts/get" => Some("name"),
        "resources/read" | "resources/subscribe" | "resources/unsubscribe" => Some("uri"),
        "tasks/get" | "tasks/update" | "tasks/cancel" => Some("taskId"),
        _ => None,
    }
}

/// Holds the headers that repeat the body against it. In the older era nobody has to send them. Gives what the request names.
fn repeats(
    headers: &HeaderMap,
    request: &Request,
    params: &Members<'_>,
    required: bool,
) -> Result<Option<String>, Refused> {
    let mismatch = |message: String| Err(Refused::bad(Some(&request.id), error(code::HEADER_MISMATCH, message)));
    match header(headers, METHOD)? {
        Some(method) if method != request.method => {
            return mismatch(format!(
                "the header Mcp-Method says `{method}`, the body `{}`",
                request.method
            ));
        }
        None if required => return mismatch("the header Mcp-Method is missing".to_owned()),
        Some(_) | None => {}
    }
    let Some(member) = named_by(&request.method) else {
        return Ok(None);
    };
    let Some(name) = params.text(member) else {
        return Ok(None);
    };
    match header(headers, NAME)?.map(|value| (value, decoded(value))) {
        Some((_, Some(said))) if said == name => Ok(Some(name)),
        Some((value, _)) => mismatch(format!("the header Mcp-Name says `{value}`, the body `{name}`")),
        None if required => mismatch("the header Mcp-Name is missing".to_owned()),
        None => Ok(Some(name)),
    }
}

/// A header value, out of the form in which text that no header can carry is sent.
fn decoded(value: &str) -> Option<String> {
    match value.strip_prefix("=?base64?").and_then(|rest| rest.strip_suffix("?=")) {
        Some(encoded) => String::from_utf8(BASE64_STANDARD.decode(encoded).ok()?).ok(),
        None => Some(value.to_owned()),
    }
}

/// Holds the headers `Mcp-Param-*` against the arguments of a tool whose schema wants some repeated there. Says what is
/// wrong.
pub(super) fn repeated_arguments(headers: &HeaderMap, schema: &RawValue, params: Option<&RawValue>) -> Option<String> {
    // Most schemas name no header, and are not read.
    if !schema.get().contains("x-mcp-header") {
        return None;
    }
    let schema: serde_json::Value = serde_json::from_str(schema.get()).ok()?;
    let params = Members::of_params(params);
    let arguments: serde_json::Value = params
        .get("arguments")
        .and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default();
    let mut found = Vec::new();
    annotated(&schema, &arguments, &mut found);
    found.into_iter().find_map(|(name, value)| {
        let full = format!("{PARAM}{}", name.to_ascii_lowercase());
        let Ok(said) = header(headers, &full) else {
            return Some(format!(
                "the header {full} is there more than once, or is not plain text"
            ));
        };
        match (said.map(decoded), value) {
            (None, None) => None,
            (Some(_), None) => Some(format!("the header {full} repeats an argument that is not there")),
            (None, Some(_)) => Some(format!("the header {full} is missing")),
            (Some(said), Some(value)) => {
                let same = said.is_some_and(|said| same_value(&said, value));
                (!same).then(|| format!("the header {full} does not say what the argument says"))
            }
        }
    })
}

/// The arguments that are to be repeated, by the name of their header; nothing for one that is absent.
fn annotated<'a>(
    schema: &'a serde_json::Value,
    arguments: &'a serde_json::Value,
    found: &mut Vec<(&'a str, Option<&'a serde_json::Value>)>,
) {
    let Some(properties) = schema.get("properties").and_then(serde_json::Value::as_object) else {
        return;
    };
    for (name, property) in properties {
        let argument = arguments.get(name).unwrap_or(&serde_json::Value::Null);
        if let Some(header) = property.get("x-mcp-header").and_then(serde_json::Value::as_str)
            && !header.is_empty()
        {
            found.push((header, Some(argument).filter(|argument| !argument.is_null())));
        }
        annotated(property, argument, found);
    }
}

fn same_value(said: &str, value: &serde_json::Value) -> bool {
    match value {
        serde_json::Value::String(text) => said == text,
        serde_json::Value::Bool(truth) => said == if *truth { "true" } else { "false" },
        serde_json::Value::Number(number) => {
            said == number.to_string()
                || said
                    .parse::<f64>()
                    .is_ok_and(|said| number.as_f64().is_some_and(|number| said == number))
        }
        serde_json::Value::Null | serde_json::Value::Array(_) | serde_json::Value::Object(_) => false,
    }
}

/// Members of `_meta` that say something about one hop only, and are ours to say on the next.
const HOP: [&str; 7] = [
    META_VERSION,
    META_CLIENT,
    META_CAPABILITIES,
    META_LOG_LEVEL,
    protocol::META_SERVER,
    protocol::META_SUBSCRIPTION,
    META_SESSION,
];

/// Parameters without the members of `_meta` that say something about this hop only. Those of extensions stay.
pub(super) fn without_reserved(params: Option<Raw>) -> Option<Raw> {
    let params = params?;
    if !params.get().contains(protocol::RESERVED) && !params.get().contains(META_SESSION) {
        return Some(params);
    }
    let Some(mut members) = Members::of(&params) else {
        return Some(params);
    };
    if let Some(mut meta) = members.members("_meta") {
        meta.retain(|name| !HOP.contains(&name));
        if meta.is_empty() {
            members.remove("_meta");
        } else {
            members.set("_meta", meta.to_raw());
        }
    }
    Some(members.to_raw())
}

/// Which revision a client of the older era is offered, and who it is; or what is wrong with how it begins. What it is, and
/// what it can do, it need not say.
pub(super) fn introduced(request: &Request) -> Result<(String, Client), Outcome> {
    let wrong = |message: String| Err(error(code::INVALID_PARAMS, message));
    let Some(params) = request.params.as_deref().and_then(Members::of) else {
        return wrong("initialize needs `params`, an object with `protocolVersion`".to_owned());
    };
    let Some(wanted) = params.text("protocolVersion") else {
        let example = format!("a string, such as \"{NEWEST_LEGACY}\"");
        return wrong(format!("`params.protocolVersion` of initialize must be {example}"));
    };
    let version = if protocol::is_legacy(&wanted) {
        wanted
    } else {
        NEWEST_LEGACY.to_owned()
    };
    let object = |name: &str| match params.get(name).filter(|value| value.get() != "null") {
        None => Ok(raw(&json!({}))),
        Some(value) if Members::are_in(value) => Ok(value.to_owned()),
        Some(_) => Err(error(
            code::INVALID_PARAMS,
            format!("`params.{name}` of initialize must be an object"),
        )),
    };
    let client = Client {
        info: object("clientInfo")?,
        capabilities: object("capabilities")?,
        log_level: None,
    };
    Ok((version, client))
}

#[cfg(test)]
mod tests {
    use super::*;

    const META: &str =
        r#"{"io.modelcontextprotocol/protocolVersion":"2026-07-28","io.modelcontextprotocol/clientCapabilities":{}}"#;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().expect("a header value"));
        }
        headers
    }

    #[test]
    fn the_era_is_told_by_each_request() {
        let call = |meta: &str| {
            format!(r#"{{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{{"name":"é","_meta":{meta}}}}}"#)
        };
        let modern: &[_] = &[
            ("mcp-protocol-version", "2026-07-28"),
            ("mcp-method", "tools/call"),
            ("mcp-name", "=?base64?w6k=?="),
        ];
        for (pairs, body, expected) in [
            (modern, call(META), Ok("modern")),
            (&[], call("{}"), Ok("legacy")),
            (&[("mcp-protocol-version", "2025-06-18")], call("{}"), Ok("legacy")),
            (
                &[("mcp-protocol-version", "2025-06-18"), ("mcp-method", "ping")],
                call("{}"),
                Err(-32020),
            ),
            (&modern[..1], call(META), Err(-32020)),
            (&modern[..2], call(META), Err(-32020)),
            (&[], call(META), Err(-32020)),
            (&modern[..1], call("{}"), Err(-32602)),
            (&[("mcp-protocol-version", "v9")], call("{}"), Err(-32022)),
            (
                &[("mcp-protocol-version", "v9")],
                call(&META.replace("2026-07-28", "v9")),
                Err(-32022),
            ),
            (&[("mcp-protocol-version", "2025-11-25")], call(META), Err(-32020)),
            (
                &[
                    ("mcp-protocol-version", "2026-07-28"),
                    ("mcp-protocol-version", "2025-11-25"),
                ],
                call(META),
                Err(-32020),
            ),
            (
                &modern[..1],
                r#"{"jsonrpc":"2.0","method":"notifications/x"}"#.to_owned(),
                Ok("news"),
            ),
            (
                &modern[..1],
                r#"{"jsonrpc":"2.0","id":1,"result":{}}"#.to_owned(),
                Err(-32600),
            ),
            (&[], r#"{"id":1,"method":"ping"}"#.to_owned(), Err(-32600)),
            (
                &[],
                r#"{"jsonrpc":"2.0","method":"notifications/x"}"#.to_owned(),
                Ok("legacy"),
            ),
            (&[], "[]".to_owned(), Err(-32600)),
            (&[], "{".to_owned(), Err(-32700)),
        ] {
            let told = match read(&headers(pairs), body.as_bytes()) {
                Ok(Asking::Modern(_)) => Ok("modern".to_owned()),
                Ok(Asking::Legacy(_)) => Ok("legacy".to_owned()),
                Ok(Asking::News(_)) => Ok("news".to_owned()),
                Err(refused) => Err(refused.outcome.code().expect("a code")),
            };
            assert_eq!(told, expected.map(str::to_owned), "{pairs:?} {body}");
        }
    }

    #[test]
    fn a_handle_goes_no_further() {
        let body = format!(
            r#"{{"jsonrpc":"2.0","id":1,"method":"ping","params":{{"a": 1.0,"_meta":{}}}}}"#,
            META.replacen('{', r#"{"orchctl.dev\/session":"secret","x/y":1,"#, 1)
        );
        let headers = headers(&[("mcp-protocol-version", "2026-07-28"), ("mcp-method", "ping")]);
        let Ok(Asking::Modern(modern)) = read(&headers, body.as_bytes()) else {
            panic!("it is well-formed");
        };
        assert_eq!(modern.handle.as_deref(), Some("secret"));
        let params = modern.request.params.expect("parameters");
        assert!(params.get().starts_with(r#"{"a":1.0,"_meta":{"x/y":1,"#), "{params}");
        assert!(!params.get().contains("secret"), "{params}");
    }

    #[test]
    fn what_nobody_can_read_is_told() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        for (text, too_deep) in [
            (nested(DEEPEST), false),
            (nested(DEEPEST + 1), true),
            (format!("\"{}\\\"{}\"", "[".repeat(200), "{".repeat(200)), false),
            (format!("[{}]", ["[]"; 500].join(",")), false),
        ] {
            assert_eq!(is_too_deep(text.as_bytes()), too_deep, "{text}");
        }
    }

    #[test]
    fn arguments_are_repeated_in_headers() {
        let schema = raw(&json!({"type": "object", "properties": {
            "region": {"type": "string", "x-mcp-header": "Region"},
            "deep": {"type": "object", "properties": {"size": {"type": "integer", "x-mcp-header": "Size"}}},
        }}));
        let check = |pairs: &[(&'static str, &'static str)], arguments: serde_json::Value| {
            repeated_arguments(&headers(pairs), &schema, Some(&raw(&json!({"arguments": arguments})))).is_none()
        };
        let all = json!({"region": "eu", "deep": {"size": 7}});
        assert!(check(
            &[("mcp-param-region", "eu"), ("mcp-param-size", "7")],
            all.clone()
        ));
        assert!(!check(&[("mcp-param-region", "eu")], all.clone()));
        assert!(!check(&[("mcp-param-region", "us"), ("mcp-param-size", "7")], all));
        assert!(check(&[], json!({})));
        assert!(!check(&[("mcp-param-region", "eu")], json!({"region": null})));
        assert!(repeated_arguments(&headers(&[]), &raw(&json!({"type": "object"})), None).is_none());
    }

    #[test]
    fn reserved_members_go_no_further() {
        let strip = |text: &str| {
            without_reserved(Some(serde_json::from_str(text).expect("JSON"))).map(|raw| raw.get().to_owned())
        };
        assert_eq!(
            strip(r#"{"a":1,"_meta":{"x/y":1}}"#).as_deref(),
            Some(r#"{"a":1,"_meta":{"x/y":1}}"#)
        );
        assert_eq!(
            strip(r#"{"a": 1.0,"_meta":{"traceparent":"t","io.modelcontextprotocol/protocolVersion":"v"}}"#).as_deref(),
            Some(r#"{"a":1.0,"_meta":{"traceparent":"t"}}"#)
        );
        assert_eq!(
            strip(r#"{"_meta":{"orchctl.dev/session":"secret","x":1}}"#).as_deref(),
            Some(r#"{"_meta":{"x":1}}"#)
        );
        assert_eq!(
            strip(r#"{"_meta":{"io.modelcontextprotocol/clientInfo":{}}}"#).as_deref(),
            Some("{}")
        );
    }
}
