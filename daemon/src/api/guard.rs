//! What every request passes: a name and a span, the check of Host and Origin, a principal, a deadline, a count.

use std::borrow::Cow;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::{Body, HttpBody as _};
use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::StreamExt as _;
use http_body_util::{BodyExt as _, Limited};
use orch_shared::access::{Decision, Operation, Principal};
use orch_shared::identity::IMPERSONATE;
use orch_shared::kinds::token::Surface;
use orch_shared::problem::{Code, Problem};
use orch_shared::secrecy;
use tracing::Instrument;

use super::Api;
use super::noting;
use super::problem::{Refusal, Told, status_of, with_status};
use crate::asker::Asker;
use crate::audit::{self, Ledger, Tenure, Trail};
use crate::auth::{Ended, Lease};
use crate::store::Snapshot;

/// How long a request may take until its answer begins.
const DEADLINE: Duration = Duration::from_secs(60);

/// So often a stream that has nothing to say is looked after, whether it may go on.
const LOOK: Duration = Duration::from_secs(1);

/// So much of a body that nobody wants is read, in bytes.
const UNWANTED: usize = 64 << 10;
/// For so long.
const UNWANTED_FOR: Duration = Duration::from_secs(1);

/// What a request is called, by whoever sends it or by us.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Clients of Anthropic look for the id of a request under this name, at this address.
const ANTHROPIC_REQUEST_ID: HeaderName = HeaderName::from_static("request-id");
const MESSAGES: &str = "/v1/messages";

/// The hosts and origins that are served; anything else may be a web page that was made to resolve to this address.
#[derive(Debug, Clone)]
pub struct Names {
    hosts: Vec<String>,
    origins: Vec<String>,
}

impl Names {
    /// The names of a daemon that listens there: loopback names for a loopback address, the address itself, and what else
    /// is allowed.
    #[must_use]
    pub fn new(listen: SocketAddr, hosts: &[String], origins: &[String]) -> Self {
        let mut all = vec![
            listen.ip().to_string(),
            "localhost".to_owned(),
            "127.0.0.1".to_owned(),
            "::1".to_owned(),
        ];
        all.extend(hosts.iter().map(|host| host.to_ascii_lowercase()));
        Self {
            hosts: all,
            origins: origins
                .iter()
                .map(|origin| origin.trim_end_matches('/').to_ascii_lowercase())
                .collect(),
        }
    }

    fn admits_host(&self, host: &str) -> bool {
        let bare = without_port(host);
        self.hosts.iter().any(|known| known.eq_ignore_ascii_case(bare))
    }

    fn admits_origin(&self, origin: &str) -> bool {
        let origin = origin.trim_end_matches('/');
        let host = origin.split_once("://").map_or("", |(_, host)| host);
        self.origins.iter().any(|known| known.eq_ignore_ascii_case(origin)) || self.admits_host(host)
    }

    fn check(&self, headers: &HeaderMap, authority: Option<&str>) -> Result<(), Problem> {
        // A request may say the same thing twice; then both must be fine, whichever somebody else goes by.
        let all = |name| {
            let values = headers.get_all(name).iter();
            values.map(|value: &HeaderValue| value.to_str().unwrap_or("?"))
        };
        let mut hosts = authority.into_iter().chain(all(header::HOST)).peekable();
        let refused = match hosts.peek() {
            None => Some(""),
            Some(_) => hosts.find(|host| !self.admits_host(host)),
        };
        if let Some(host) = refused {
            let problem = Problem::new(
                Code::HostRefused,
                format!("this daemon does not serve the host `{}`", host.escape_default()),
            );
            return Err(
                problem.suggest("use the address it listens on, or allow the name: orchd serve --allowed-host NAME")
            );
        }
        match all(header::ORIGIN).find(|origin| !self.admits_origin(origin)) {
            None => Ok(()),
            Some(origin) => Err(Problem::new(
                Code::HostRefused,
                format!("this daemon does not serve pages of `{}`", origin.escape_default()),
            )
            .suggest("allow the origin: orchd serve --allowed-origin URL")),
        }
    }
}

fn without_port(host: &str) -> &str {
    match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or(rest, |(address, _)| address),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    }
}

/// How a request passes.
#[derive(Clone, Copy)]
pub(super) struct Passing {
    route: &'static str,
    deadline: Option<Duration>,
    refusal: Refuse,
}

/// Words a problem so that the clients of an address understand it; nothing where they understand problems.
type Refuse = fn(&str, &Problem, StatusCode) -> Option<Response>;

impl Passing {
    /// A request of an address with that pattern.
    pub(super) fn new(route: &'static str) -> Self {
        Self {
            route,
            deadline: Some(DEADLINE),
            refusal: |_, _, _| None,
        }
    }

    /// Whoever answers says when it is too late.
    pub(super) const fn in_its_own_time(self) -> Self {
        Self { deadline: None, ..self }
    }

    /// What keeps it from being answered is worded so.
    pub(super) const fn refusing(self, refusal: Refuse) -> Self {
        Self { refusal, ..self }
    }
}

/// Guards a request; `next` finds out who asks, and answers.
pub(super) async fn guard<A: Future<Output = Result<Response, Problem>>>(
    api: &Api,
    passing: Passing,
    mut request: Request,
    next: impl FnOnce(Request) -> A,
) -> Response {
    let started = Instant::now();
    let id = request_id(request.headers(), api);
    let method = request.method().clone();
    let uri = request.uri().clone();
    let path = uri.path();
    // Whoever the request is passed on to calls it the same.
    request.headers_mut().insert(REQUEST_ID, id.clone());
    let span = tracing::info_span!("request", request_id = text_of(&id), method = method.as_str(), path = %shown(path));
    let trail = noting::begin(&id, &request);
    // What answers is large, and would be copied by each that wraps it.
    let answering = Box::pin(async {
        api.names
            .check(request.headers(), uri.authority().map(Authority::as_str))?;
        let Some(deadline) = passing.deadline else {
            return next(request).await;
        };
        match tokio::time::timeout(deadline, next(request)).await {
            Ok(response) => response,
            Err(_) => Err(overdue(&method)),
        }
    });
    let answering = audit::scoped(Arc::clone(&trail), answering);
    let response = answering.instrument(span.clone()).await.unwrap_or_else(|problem| {
        let status = status_of(problem.code);
        let mut response = Refusal(problem).into_response();
        let told = response.extensions().get::<Told>();
        if let Some(worded) = told.and_then(|Told(problem)| (passing.refusal)(path, problem, status)) {
            trail.said(&told.map(|Told(problem)| problem.code.to_string()).unwrap_or_default());
            let headers = std::mem::take(response.headers_mut());
            response = worded;
            // Whatever the words, when to come back and how to say who one is are said alike.
            for name in [header::RETRY_AFTER, header::WWW_AUTHENTICATE] {
                response
                    .headers_mut()
                    .extend(headers.get(&name).map(|value| (name, value.clone())));
            }
        }
        response
    });
    if let Some(row) = noting::conclude(api, path, &trail, &response) {
        Box::pin(api.ledger.settle(row)).await;
    }
    let mut response = complete(response, id.clone());
    if path.starts_with(MESSAGES) {
        response.headers_mut().insert(ANTHROPIC_REQUEST_ID, id);
    }
    let (status, took) = (response.status(), started.elapsed());
    api.metrics.request(&method, passing.route, status.as_u16(), took);
    span.in_scope(|| log(&method, path, status, took));
    response
}

/// Refuses a request whose body nobody wants: as much of it is read as is usual. What is not read ends the connection, without
/// a word to a client that is about to ask something else over it.
pub(super) async fn refused(request: Request, problem: Problem) -> Problem {
    // Who waits to be told to send it need not send it at all.
    if !request.headers().contains_key(header::EXPECT) {
        let body = Limited::new(request.into_body(), UNWANTED).collect();
        let _read = tokio::time::timeout(UNWANTED_FOR, body).await;
    }
    problem
}

/// A path as the log may hold it: without a token that somebody has pasted into it.
fn shown(path: &str) -> Cow<'_, str> {
    let read = secrecy::decoded(path);
    match read.find("orch_") {
        Some(at) => Cow::Owned(format!("{}***", &read[..at])),
        None => Cow::Borrowed(path),
    }
}

/// Where MCP clients are answered.
const GATEWAY: &str = "/mcp/";

/// Who asks, and as long as what is it true; in whose place, if in another's. What MCP clients are answered may have been
/// opened to everybody on this machine; what people look at may not.
pub(super) async fn asker(api: &Api, path: &str, headers: &HeaderMap) -> Result<(Asker, Option<Lease>), Problem> {
    let is_gateway = path.starts_with(GATEWAY);
    if is_gateway && api.open_gateway && !headers.contains_key(header::AUTHORIZATION) {
        return Ok((Principal::anybody().into(), None));
    }
    let (principal, lease) = match anthropic_key(path, headers) {
        Some(headers) => api.authenticator.leased(&headers).await?,
        None => api.authenticator.leased(headers).await?,
    };
    // Whatever is said to them, by now they are known.
    noting::by(&principal);
    if principal.surface == Surface::Mcp && !is_gateway {
        audit::decided(&principal, &Decision::denied(), "surface any");
        return Err(Problem::new(Code::Forbidden, "this token opens the MCP gateway alone")
            .suggest("use another credential here"));
    }
    let mut named = headers.get_all(IMPERSONATE).iter();
    match (named.next(), named.next()) {
        (None, _) => Ok((lease.clone().asker(principal), Some(lease))),
        (Some(name), None) => {
            let decision = principal.may_operate(Operation::Impersonate);
            if !decision.is_allowed {
                audit::decided(&principal, &decision, Operation::Impersonate);
            }
            let name = name.to_str().unwrap_or_default();
            let other = api.authenticator.impersonated(&principal, name)?;
            let lease = lease.in_place_of(&other);
            Ok((lease.clone().asker(other), Some(lease)))
        }
        (Some(_), Some(_)) => Err(Problem::new(
            Code::BadRequest,
            format!("the header {IMPERSONATE} is there more than once"),
        )),
    }
}

/// Where models are asked.
const INFERENCE: &str = "/v1/";
/// Where clients of Anthropic say who they are.
const ANTHROPIC_KEY: HeaderName = HeaderName::from_static("x-api-key");

/// The credential of a client of Anthropic, as everybody else says it. Only models are asked so.
fn anthropic_key(path: &str, headers: &HeaderMap) -> Option<HeaderMap> {
    if !path.starts_with(INFERENCE) || headers.contains_key(header::AUTHORIZATION) {
        return None;
    }
    let mut given = headers.get_all(ANTHROPIC_KEY).iter();
    let (Some(key), None) = (given.next(), given.next()) else {
        return None;
    };
    let mut value = HeaderValue::try_from(format!("Bearer {}", key.to_str().ok()?)).ok()?;
    value.set_sensitive(true);
    Some(HeaderMap::from_iter([(header::AUTHORIZATION, value)]))
}

/// A body that ends with the rights of whoever reads it: with what the door says that it needs, where it does.
pub(super) fn leased(api: &Api, mut response: Response, lease: Option<Lease>) -> Response {
    let tenure = response.extensions_mut().remove::<Tenure>();
    // What is there whole is sent whole.
    let is_stream = response.body().size_hint().exact().is_none();
    let Some(lease) = lease.filter(|_| is_stream) else {
        return response;
    };
    let held = Held {
        lease,
        tenure,
        trail: audit::trail(),
        ledger: api.ledger.clone(),
    };
    response.map(|body| Body::from_stream(held.streamed(body)))
}

/// A stream, and whoever it is for.
struct Held {
    lease: Lease,
    tenure: Option<Tenure>,
    trail: Option<Arc<Trail>>,
    ledger: Ledger,
}

impl Held {
    fn streamed(self, body: Body) -> impl futures_util::Stream<Item = Result<Bytes, axum::Error>> {
        let frames = body.into_data_stream();
        futures_util::stream::unfold(Some((self, frames)), |streaming| async {
            let (mut held, mut frames) = streaming?;
            loop {
                let next = tokio::time::timeout(LOOK, frames.next()).await;
                let frame = match next {
                    Ok(frame) => Some(frame?),
                    Err(_) => None,
                };
                held.lease.refresh().await;
                let tenure = held.tenure.as_ref();
                let allows = tenure
                    .map(|tenure| |principal: &Principal, snapshot: &Snapshot| tenure.allows(principal, snapshot));
                match (held.lease.holds(allows), frame) {
                    (Ok(()), Some(frame)) => return Some((frame, Some((held, frames)))),
                    (Ok(()), None) => {}
                    (Err(ended), _) => {
                        // It is noted why before whoever writes the stream sees that nobody reads it.
                        let last = held.end(ended);
                        drop(frames);
                        return (!last.is_empty()).then(|| (Ok(Bytes::from(last)), None));
                    }
                }
            }
        })
    }

    /// Writes down that it may not go on; what is said last.
    fn end(&self, ended: Ended) -> Vec<u8> {
        let (mut problem, why) = match ended {
            Ended::Credential => (
                Problem::new(
                    Code::Unauthenticated,
                    "the credential was revoked or has expired: what was streamed ends here",
                ),
                "rights were withdrawn: the credential opens nothing any more",
            ),
            Ended::Rights => (
                Problem::new(
                    Code::Forbidden,
                    "rights were withdrawn that this needs: what was streamed ends here",
                ),
                "rights were withdrawn",
            ),
        };
        with_status(&mut problem);
        let status = status_of(problem.code).as_u16();
        if let Some(row) = self.trail.as_ref().and_then(|trail| trail.of_withdrawal(status, why)) {
            self.ledger.hand_in(row);
        }
        let tenure = self.tenure.as_ref();
        tenure.map(|tenure| tenure.end(&problem, why)).unwrap_or_default()
    }
}

/// The daemon is too slow. What was asked for may have been begun, and whether it was done is not known.
fn overdue(method: &Method) -> Problem {
    let seconds = DEADLINE.as_secs();
    if *method == Method::GET || *method == Method::HEAD {
        return Problem::new(Code::NoAnswer, format!("no answer within {seconds} s")).retry_after(5);
    }
    let detail = format!("no answer within {seconds} s; whether it was done is not known");
    Problem::new(Code::NoAnswer, detail).suggest("read the object, or send the same request again")
}

fn log(method: &Method, path: &str, status: StatusCode, took: Duration) {
    let (status, duration_ms) = (status.as_u16(), took.as_secs_f64() * 1e3);
    let is_below = |door: &&str| path.starts_with(door);
    if status >= 500 {
        tracing::warn!(status, duration_ms, "request failed");
    } else if *method == Method::GET || *method == Method::HEAD || ["/mcp/", "/v1/"].iter().any(is_below) {
        // Who called what through the gateway, and who asked which model, is in the audit log.
        tracing::debug!(status, duration_ms, "request answered");
    } else {
        tracing::info!(status, duration_ms, "request answered");
    }
}

/// The caller's own id when it is a plain one, else a new one.
fn request_id(headers: &HeaderMap, api: &Api) -> HeaderValue {
    let plain = |id: &&HeaderValue| {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
        !id.is_empty() && id.len() <= 64 && id.as_bytes().iter().all(plain)
    };
    match headers.get(REQUEST_ID).filter(plain) {
        Some(given) => given.clone(),
        None => HeaderValue::try_from(api.admission.store.ids().uid()).expect("a uid is plain text"),
    }
}

/// An id of a request, which is plain.
pub(super) fn text_of(id: &HeaderValue) -> &str {
    id.to_str().unwrap_or_default()
}

/// Adds what every answer carries; problems learn their request's id.
fn complete(mut response: Response, id: HeaderValue) -> Response {
    if let Some(Told(mut problem)) = response.extensions_mut().remove::<Told>() {
        problem.request_id = Some(text_of(&id).to_owned());
        let body = serde_json::to_string(&problem).expect("a problem is plain data");
        let (mut parts, _) = response.into_parts();
        parts.headers.remove(header::CONTENT_LENGTH);
        response = Response::from_parts(parts, body.into());
    }
    let headers = response.headers_mut();
    headers.insert(REQUEST_ID, id);
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_origins() {
        let listen = "127.0.0.1:7500".parse().unwrap();
        let names = Names::new(listen, &["orch.example".to_owned()], &["https://ui.example".to_owned()]);
        for (host, origin, admitted) in [
            ("127.0.0.1:7500", None, true),
            ("localhost:7500", None, true),
            ("[::1]:7500", None, true),
            ("LOCALHOST", None, true),
            ("orch.example", None, true),
            ("evil.example:7500", None, false),
            ("", None, false),
            ("localhost.evil.example", None, false),
            ("localhost", Some("http://localhost:3000"), true),
            ("localhost", Some("https://ui.example"), true),
            ("localhost", Some("https://evil.example"), false),
            ("localhost", Some("null"), false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::HOST, HeaderValue::from_static(host));
            if let Some(origin) = origin {
                headers.insert(header::ORIGIN, HeaderValue::from_static(origin));
            }
            assert_eq!(names.check(&headers, None).is_ok(), admitted, "{host} {origin:?}");
        }
    }
}
