//! Errors in the words of every dialect, and the words out of anybody's error.
//!
//! Types follow the references of the two providers: "Error codes" of OpenAI's API, "Errors" of Anthropic's.

use serde_json::{Value, json};

use super::Dialect;
use crate::sse::Event;

/// How many characters of an upstream's words are repeated.
const LONGEST: usize = 500;

/// The `type` of an error with that HTTP status.
#[must_use]
pub const fn type_of(dialect: Dialect, status: u16) -> &'static str {
    match dialect {
        Dialect::Chat | Dialect::Responses | Dialect::Embeddings => match status {
            401 => "authentication_error",
            402 => "insufficient_quota",
            403 => "permission_error",
            429 => "rate_limit_error",
            500.. => "server_error",
            _ => "invalid_request_error",
        },
        Dialect::Messages => match status {
            401 => "authentication_error",
            402 => "billing_error",
            403 => "permission_error",
            404 => "not_found_error",
            413 => "request_too_large",
            429 => "rate_limit_error",
            504 => "timeout_error",
            503 | 529 => "overloaded_error",
            500.. => "api_error",
            _ => "invalid_request_error",
        },
    }
}

/// The HTTP status that the `type` of an error stands for, for errors that are told where no status is: in the middle of a
/// stream. Types that nobody knows are the server's fault.
#[must_use]
pub fn status_of(kind: &str) -> u16 {
    match kind {
        "invalid_request_error" => 400,
        "authentication_error" => 401,
        "billing_error" | "insufficient_quota" => 402,
        "permission_error" => 403,
        "not_found_error" => 404,
        "request_too_large" => 413,
        "rate_limit_error" | "rate_limit_exceeded" => 429,
        "timeout_error" => 504,
        "overloaded_error" => 529,
        _ => 500,
    }
}

/// An error to be told to a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault<'f> {
    /// The HTTP status that it has, or would have.
    pub status: u16,
    /// What happened, for people.
    pub message: &'f str,
    /// The member of the request that it is about. Anthropic's errors have no place for it.
    pub param: Option<&'f str>,
    /// What happened, for programs. Anthropic's errors have no place for it either.
    pub code: Option<&'f str>,
}

impl Fault<'_> {
    /// The body of an answer with this error.
    #[must_use]
    pub fn body(&self, dialect: Dialect) -> Value {
        let kind = type_of(dialect, self.status);
        match dialect {
            Dialect::Chat | Dialect::Responses | Dialect::Embeddings => json!({
                "error": {"message": self.message, "type": kind, "param": self.param, "code": self.code},
            }),
            Dialect::Messages => json!({"type": "error", "error": {"type": kind, "message": self.message}}),
        }
    }

    /// The event that tells it in the middle of a stream, after which nothing comes. Embeddings are never streamed; they
    /// have that of chat completions.
    #[must_use]
    pub fn event(&self, dialect: Dialect) -> Event {
        match dialect {
            Dialect::Chat | Dialect::Embeddings => Event::data(self.body(dialect).to_string()),
            Dialect::Messages => Event::named("error", self.body(dialect).to_string()),
            Dialect::Responses => self.response_event(0),
        }
    }

    /// The same for the Responses dialect, which counts its events.
    pub(super) fn response_event(&self, sequence_number: u64) -> Event {
        let code = self.code.unwrap_or_else(|| type_of(Dialect::Responses, self.status));
        let event = json!({
            "type": "error", "code": code, "message": self.message, "param": self.param,
            "sequence_number": sequence_number,
        });
        Event::named("error", event.to_string())
    }
}

/// The words of an upstream's error, whatever it looks like, on one line and not too long: OpenAI's and Anthropic's bodies,
/// Ollama's plain `error`, FastAPI's `detail`, a page of HTML, text. Nothing when it says nothing.
#[must_use]
pub fn message_in(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let said = match serde_json::from_str::<Value>(&text) {
        Ok(value) => in_value(&value).unwrap_or_else(|| match value {
            Value::Null => String::new(),
            Value::String(text) => text,
            other => other.to_string(),
        }),
        Err(_) if looks_like_html(&text) => in_html(&text),
        Err(_) => text.into_owned(),
    };
    let words = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let short = match words.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words,
    };
    Some(crate::excerpt::printable(short)).filter(|short| !short.is_empty())
}

/// The words in the error of a stream or of a body that is JSON.
pub(super) fn in_value(value: &Value) -> Option<String> {
    let text = |value: &Value| value.as_str().filter(|text| !text.trim().is_empty()).map(str::to_owned);
    match value {
        // Google answers a list with one error.
        Value::Array(list) => list.first().and_then(in_value),
        Value::Object(object) => ["error", "message", "detail", "error_description", "errors", "title"]
            .iter()
            .filter_map(|name| object.get(*name))
            .find_map(|value| text(value).or_else(|| details(value)).or_else(|| in_value(value))),
        _ => None,
    }
}

/// FastAPI's list of what is wrong with a body.
fn details(value: &Value) -> Option<String> {
    let list = value.as_array()?;
    let said = list.iter().filter_map(|detail| {
        let message = detail["msg"].as_str()?;
        let place = detail["loc"].as_array().into_iter().flatten().map(|step| match step {
            Value::String(name) => name.clone(),
            other => other.to_string(),
        });
        let place = place.collect::<Vec<_>>().join(".");
        Some(if place.is_empty() {
            message.to_owned()
        } else {
            format!("{place}: {message}")
        })
    });
    Some(said.collect::<Vec<_>>().join("; ")).filter(|said| !said.is_empty())
}

fn looks_like_html(text: &str) -> bool {
    let start: String = text
        .trim_start()
        .chars()
        .take(14)
        .collect::<String>()
        .to_ascii_lowercase();
    ["<!doctype html", "<html", "<head", "<body", "<h1", "<title"]
        .iter()
        .any(|tag| start.starts_with(tag))
}

/// The title of a page, else its text.
fn in_html(page: &str) -> String {
    // Offsets are those of the page: lowering ASCII moves nothing.
    let lower = page.to_ascii_lowercase();
    let within = |tag: &str| {
        let open = lower.find(&format!("<{tag}"))?;
        let from = open + lower[open..].find('>')? + 1;
        let to = from + lower[from..].find(&format!("</{tag}"))?;
        Some(without_tags(&page[from..to])).filter(|text| !text.trim().is_empty())
    };
    within("title")
        .or_else(|| within("h1"))
        .or_else(|| within("body"))
        .unwrap_or_else(|| without_tags(page))
}

fn without_tags(html: &str) -> String {
    let mut text = String::new();
    let mut is_tag = false;
    for character in html.chars() {
        match character {
            '<' => is_tag = true,
            '>' if is_tag => {
                is_tag = false;
                text.push(' ');
            }
            _ if is_tag => {}
            other => text.push(other),
        }
    }
    for (entity, character) in [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ] {
        text = text.replace(entity, character);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn anybodys_words_are_found() {
        for (body, message) in [
            (
                r#"{"error":{"message":"no such model","type":"x","param":null,"code":"y"}}"#,
                Some("no such model"),
            ),
            (
                r#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#,
                Some("Overloaded"),
            ),
            (r#"{"error":"model 'x' not found"}"#, Some("model 'x' not found")),
            (
                r#"{"object":"error","message":"too long","code":400}"#,
                Some("too long"),
            ),
            (r#"{"detail":"Not Found"}"#, Some("Not Found")),
            (
                r#"{"detail":[{"loc":["body","messages",0],"msg":"field required","type":"x"},{"msg":"and"}]}"#,
                Some("body.messages.0: field required; and"),
            ),
            (
                r#"[{"error":{"code":400,"message":"API key not valid"}}]"#,
                Some("API key not valid"),
            ),
            (r#"{"error":{"error":{"message":"deep"}}}"#, Some("deep")),
            (r#"{"error":{"message":""},"detail":"x"}"#, Some("x")),
            (r#"{"code":7}"#, Some(r#"{"code":7}"#)),
            ("null", None),
            (r#""quoted""#, Some("quoted")),
            (
                "upstream connect error\n  or disconnect",
                Some("upstream connect error or disconnect"),
            ),
            (
                "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>nginx</body></html>",
                Some("502 Bad Gateway"),
            ),
            (
                "<!DOCTYPE html><body class=x><p>Too &lt;many&gt;</p> requests</body>",
                Some("Too <many> requests"),
            ),
            ("<html><title></title><h1>No <b>way</b></h1>", Some("No way")),
            ("\u{1b}[31mred", Some("\\u{1b}[31mred")),
            ("  \n", None),
            ("", None),
        ] {
            assert_eq!(message_in(body.as_bytes()).as_deref(), message, "{body}");
        }
        let long = message_in("é".repeat(LONGEST + 1).as_bytes()).expect("words");
        assert_eq!(long.chars().count(), LONGEST + 1);
        assert_eq!(message_in(b"\xff").as_deref(), Some("\u{fffd}"));
    }

    #[test]
    fn every_status_has_a_type() {
        for (status, chat, messages) in [
            (400, "invalid_request_error", "invalid_request_error"),
            (401, "authentication_error", "authentication_error"),
            (402, "insufficient_quota", "billing_error"),
            (403, "permission_error", "permission_error"),
            (404, "invalid_request_error", "not_found_error"),
            (413, "invalid_request_error", "request_too_large"),
            (422, "invalid_request_error", "invalid_request_error"),
            (429, "rate_limit_error", "rate_limit_error"),
            (500, "server_error", "api_error"),
            (502, "server_error", "api_error"),
            (503, "server_error", "overloaded_error"),
            (504, "server_error", "timeout_error"),
            (529, "server_error", "overloaded_error"),
        ] {
            assert_eq!(type_of(Dialect::Chat, status), chat, "{status}");
            assert_eq!(type_of(Dialect::Responses, status), chat, "{status}");
            assert_eq!(type_of(Dialect::Embeddings, status), chat, "{status}");
            assert_eq!(type_of(Dialect::Messages, status), messages, "{status}");
        }
    }

    #[test]
    fn bodies_and_events() {
        let fault = Fault {
            status: 400,
            message: "no",
            param: Some("model"),
            code: Some("model_not_found"),
        };
        let chat =
            r#"{"error":{"message":"no","type":"invalid_request_error","param":"model","code":"model_not_found"}}"#;
        let messages = r#"{"type":"error","error":{"type":"invalid_request_error","message":"no"}}"#;
        for (dialect, body, event, data) in [
            (Dialect::Chat, chat, None, chat),
            (Dialect::Embeddings, chat, None, chat),
            (Dialect::Messages, messages, Some("error"), messages),
            (
                Dialect::Responses,
                chat,
                Some("error"),
                r#"{"type":"error","code":"model_not_found","message":"no","param":"model","sequence_number":0}"#,
            ),
        ] {
            assert_eq!(fault.body(dialect).to_string(), body);
            let told = fault.event(dialect);
            assert_eq!((told.event.as_deref(), told.data.as_str()), (event, data));
        }
    }
}
