//! One request and its answer: JSON over HTTP, within a deadline and a size.
//!
//! Guarantees: the token goes to the address that is declared and nowhere else, since no redirection is followed; what is
//! told of a failure holds neither the token nor anything that was sent as a value.

use std::error::Error as StdError;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderName, HeaderValue};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::{TokioExecutor, TokioTimer};
use orch_shared::excerpt::printable;
use serde_json::Value;
use zeroize::Zeroizing;

use super::Error;
use crate::mask::Mask;
use crate::secrets::Plaintext;

/// Longest answer, in bytes: a Secret with many long values.
const LONGEST: usize = 8 << 20;
/// Longest part of a server's own words that is repeated, in characters.
const REPEATED: usize = 300;
/// How long an idle connection is kept.
const IDLE: Duration = Duration::from_secs(20);
/// How long connecting may take at most, TLS not included.
const CONNECT: Duration = Duration::from_secs(5);

const TOKEN: HeaderName = HeaderName::from_static("x-vault-token");
const NAMESPACE: HeaderName = HeaderName::from_static("x-vault-namespace");
/// Servers that are asked by browsers refuse what does not carry it.
const REQUEST: HeaderName = HeaderName::from_static("x-vault-request");

type Http = Client<HttpsConnector<HttpConnector>, Full<Bytes>>;

/// The clients that all backends share. Root certificates are loaded when the first backend needs them.
#[derive(Default)]
pub(in crate::secrets) struct Clients {
    plain: OnceLock<Result<Http, String>>,
    secure: OnceLock<Result<Http, String>>,
}

impl Clients {
    fn get(&self, url: &str) -> Result<&Http, Error> {
        let is_secure = url.starts_with("https://");
        let client = if is_secure { &self.secure } else { &self.plain };
        let client = client.get_or_init(|| client_of(is_secure));
        client.as_ref().map_err(|why| Error::Unreachable(why.clone()))
    }
}

fn client_of(is_secure: bool) -> Result<Http, String> {
    let mut tcp = HttpConnector::new();
    tcp.enforce_http(false);
    tcp.set_nodelay(true);
    tcp.set_connect_timeout(Some(CONNECT));
    let builder = HttpsConnectorBuilder::new();
    let builder = if is_secure {
        builder
            .try_with_platform_verifier()
            .map_err(|error| format!("no root certificates can be loaded ({error})"))?
            .https_only()
    } else {
        // Never used for TLS, and so it trusts nobody.
        let nobody = rustls::ClientConfig::builder()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        builder.with_tls_config(nobody).https_or_http()
    };
    Ok(Client::builder(TokioExecutor::new())
        .pool_timer(TokioTimer::new())
        .pool_idle_timeout(IDLE)
        .build(builder.enable_http1().wrap_connector(tcp)))
}

/// What is asked.
pub(super) struct Question<'q> {
    pub(super) method: &'static str,
    /// Below `/v1/`.
    pub(super) path: String,
    pub(super) token: Option<&'q Plaintext>,
    pub(super) body: Option<Value>,
    /// Whatever must not be repeated, beside the token.
    pub(super) hidden: Vec<&'q str>,
}

impl<'q> Question<'q> {
    pub(super) const fn new(method: &'static str, path: String) -> Self {
        Self {
            method,
            path,
            token: None,
            body: None,
            hidden: Vec::new(),
        }
    }

    pub(super) fn by(mut self, token: &'q Plaintext) -> Self {
        self.token = Some(token);
        self
    }

    pub(super) fn saying(mut self, body: Value) -> Self {
        self.body = Some(body);
        self
    }
}

/// What was answered.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    /// Null when there is no body.
    pub(super) body: Value,
    /// What the server says is wrong, in a line, without anything that must not be told.
    pub(super) complaint: String,
}

impl Answer {
    /// A member of `data`.
    pub(super) fn data(&self) -> Option<&Value> {
        self.body.get("data").filter(|data| !data.is_null())
    }

    /// What an answer means that is no success.
    pub(super) fn refusal(self) -> Error {
        let Self { status, complaint, .. } = self;
        match status {
            403 => Error::Denied(complaint),
            503 if complaint.contains("sealed") => Error::Sealed,
            307 | 308 | 301 | 302 | 303 => Error::Redirected,
            429 | 472 | 473 | 500..=599 => Error::Failing { status, complaint },
            _ => Error::Refused { status, complaint },
        }
    }
}

/// Asks, and takes the whole answer.
pub(super) async fn ask(
    clients: &Clients,
    url: &str,
    namespace: Option<&str>,
    deadline: Duration,
    question: Question<'_>,
) -> Result<Answer, Error> {
    let client = clients.get(url)?;
    let request = request(url, namespace, &question)?;
    let asking = async {
        let response = client.request(request).await.map_err(|error| unanswered(&error))?;
        let (head, body) = response.into_parts();
        let body = Limited::new(body, LONGEST).collect().await.map_err(|error| {
            if error.is::<LengthLimitError>() {
                Error::Garbled("the answer is longer than any should be")
            } else {
                Error::Garbled("the answer breaks off")
            }
        })?;
        Ok((head.status, Zeroizing::new(body.to_bytes().to_vec())))
    };
    let answered = tokio::time::timeout(deadline, asking).await;
    let (status, body) = answered.map_err(|_| Error::Slow(deadline))??;
    read(status, &body, &question)
}

fn request(url: &str, namespace: Option<&str>, question: &Question<'_>) -> Result<Request<Full<Bytes>>, Error> {
    let uri = format!("{}/v1/{}", url.trim_end_matches('/'), question.path);
    let body = question.body.as_ref().map(Value::to_string).unwrap_or_default();
    let method = Method::from_bytes(question.method.as_bytes()).expect("methods are written by us");
    let unsendable = |what: &str| Error::Unsendable(what.to_owned());
    let mut request = Request::builder()
        .method(method)
        .uri(uri)
        .header(ACCEPT, "application/json")
        .header(REQUEST, "true")
        .body(Full::new(Bytes::from(body)))
        .map_err(|_| unsendable("its address is none"))?;
    let headers = request.headers_mut();
    if question.body.is_some() {
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    }
    if let Some(namespace) = namespace {
        let value = HeaderValue::from_str(namespace).map_err(|_| unsendable("its namespace cannot be sent"))?;
        headers.insert(NAMESPACE, value);
    }
    if let Some(token) = question.token {
        let value = HeaderValue::from_str(token.reveal().trim());
        let mut value = value.map_err(|_| unsendable("the token holds characters that no token has"))?;
        value.set_sensitive(true);
        headers.insert(TOKEN, value);
    }
    Ok(request)
}

fn read(status: StatusCode, body: &[u8], question: &Question<'_>) -> Result<Answer, Error> {
    let status = status.as_u16();
    let is_success = (200..300).contains(&status);
    let body = match body {
        [] => Value::Null,
        body => match serde_json::from_slice(body) {
            Ok(body) => body,
            Err(_) if is_success => return Err(Error::Garbled("the answer is not the JSON it should be")),
            // A proxy in between may answer in HTML.
            Err(_) => Value::Null,
        },
    };
    let errors = body.get("errors").and_then(Value::as_array).into_iter().flatten();
    let told: Vec<&str> = errors.filter_map(Value::as_str).collect();
    let complaint = match told.is_empty() {
        true => String::new(),
        false => repeated(&told, question),
    };
    Ok(Answer {
        status,
        body,
        complaint,
    })
}

/// A server's words in one line, without what must not be told. That is looked for before the lines are made one: a value may
/// have several.
fn repeated(told: &[&str], question: &Question<'_>) -> String {
    let token = question.token.map(Plaintext::reveal);
    let hidden = question.hidden.iter().copied().chain(token);
    let hidden: Vec<_> = hidden.map(|secret| Zeroizing::new(secret.to_owned())).collect();
    let mask = Mask::of_texts(&hidden);
    let told: Vec<String> = told.iter().map(|text| one_line(&mask.text(text))).collect();
    printable(told.join("; ").chars().take(REPEATED).collect::<String>())
}

/// One complaint in one line, without the heading that a list of one has.
fn one_line(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    line.strip_prefix("1 error occurred: * ")
        .map(str::to_owned)
        .unwrap_or(line)
}

/// Why there is no answer, as far as can be told; nobody's words are repeated.
fn unanswered(error: &hyper_util::client::legacy::Error) -> Error {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(known) = cause {
        if let Some(error) = known.downcast_ref::<rustls::Error>() {
            return Error::Unreachable(format!("its certificate or TLS is not accepted ({error})"));
        }
        if let Some(error) = known.downcast_ref::<std::io::Error>()
            && error.get_ref().is_none_or(|inner| !inner.is::<rustls::Error>())
        {
            return Error::Unreachable(match error.kind() {
                std::io::ErrorKind::ConnectionRefused => "nobody answers there: connection refused".to_owned(),
                std::io::ErrorKind::TimedOut => "connecting takes too long".to_owned(),
                _ => error.to_string(),
            });
        }
        cause = known.source().or_else(|| {
            let inner = known.downcast_ref::<std::io::Error>()?.get_ref()?;
            Some(inner as &(dyn StdError + 'static))
        });
    }
    if error.is_connect() {
        Error::Unreachable("no connection can be made".to_owned())
    } else {
        Error::Garbled("the connection ended before the answer")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_server_says_is_told_without_secrets() {
        let token = Plaintext::new("s.very-secret".to_owned());
        let mut question = Question::new("GET", "x".to_owned()).by(&token);
        question.hidden = vec!["hunter2"];
        let body = br#"{"errors": ["1 error occurred:\n\t* permission denied for s.very-secret\n\n", "data hunter2"]}"#;
        let answer = read(StatusCode::FORBIDDEN, body, &question).unwrap();
        assert_eq!(answer.complaint, "permission denied for ***; data ***");
        assert!(!format!("{answer:?}").contains("complaint: \"s."));
        let refusal = answer.refusal();
        assert_eq!(refusal.to_string(), "refuses that: permission denied for ***; data ***");
    }

    #[test]
    fn values_of_any_form_are_hidden() {
        for (value, said, told) in [
            (
                "a \"b\" c\\d",
                "bad value {\"v\":\"a \\\"b\\\" c\\\\d\"}",
                "bad value {\"v\":\"***\"}",
            ),
            ("a \"b\"  c", "bad value a \"b\"  c", "bad value ***"),
            (
                "-----BEGIN\nMIIEvQ\n-----END\n",
                "bad -----BEGIN\nMIIEvQ\n-----END\n here",
                "bad *** here",
            ),
            (
                "-----BEGIN\nMIIEvQ\n-----END\n",
                "bad \"-----BEGIN\\nMIIEvQ\\n-----END\\n\" here",
                "bad \"***\" here",
            ),
            ("first line\nsecond line", "it is: second line", "it is: ***"),
        ] {
            let mut question = Question::new("POST", "x".to_owned());
            question.hidden = vec![value];
            let body = serde_json::json!({"errors": [said]}).to_string();
            let answer = read(StatusCode::BAD_REQUEST, body.as_bytes(), &question).unwrap();
            assert_eq!(answer.complaint, told, "{value:?}");
        }
    }

    #[test]
    fn the_token_goes_along_and_is_marked_as_sensitive() {
        let token = Plaintext::new("s.x\n".to_owned());
        let question = Question::new("LIST", "team/metadata/orch".to_owned()).by(&token);
        let request = request("http://bao:8200/", Some("team-a"), &question).unwrap();
        assert_eq!(request.uri(), "http://bao:8200/v1/team/metadata/orch");
        assert_eq!(request.headers()["x-vault-token"], "s.x");
        assert_eq!(request.headers()["x-vault-namespace"], "team-a");
        assert_eq!(request.headers()["x-vault-request"], "true");
        assert!(!format!("{request:?}").contains("s.x"));
    }
}
