//! The way to the daemon: one blocking HTTP client for all verbs.
//!
//! Enters: a [`Call`] (method, address, body). Leaves: an [`Answer`], or the daemon's problem as a [`Failure`]. What
//! may pass (429, 503) is tried again within bounds ([`retry`]). It knows no kind and draws nothing; an `http://`
//! address opens no TLS and loads no certificate.

pub(crate) mod mcp;
mod objects;
pub(crate) mod publishing;
mod retry;
pub(crate) mod site;
mod stream;
pub(crate) mod threads;
mod transport;
pub(crate) mod turns;
mod unreachable;

use std::cell::Cell;
use std::time::{Duration, Instant};

use orch_shared::context::Token;
use orch_shared::identity::IMPERSONATE;
use orch_shared::problem::{Code, Problem};
use orch_shared::route;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use ureq::Agent;
use ureq::http::response::Parts;
use ureq::http::{Method, Request, Response, StatusCode};

pub(crate) use objects::{Object, Scopes, Selection, flag};
use retry::{Backoff, Wait};
use unreachable::reason;

use crate::report::Failure;
use crate::settings::Connection;
use crate::ui::Ui;

/// The largest answer that is taken in as a whole, so that a mad peer cannot fill the memory. What is read as it comes has no
/// end to be measured.
const LARGEST_ANSWER: u64 = 1 << 30;
/// A wait that a person would begin to wonder about.
const WORTH_SAYING: Duration = Duration::from_secs(1);

/// The way to one daemon.
#[derive(Debug)]
pub(crate) struct Client {
    agent: Agent,
    server: String,
    token: Option<Token>,
    in_place_of: Option<String>,
    timeout: Duration,
    /// How long a request may be tried again: once used up, everything fails at once instead of slowly.
    patience: Cell<Duration>,
}

/// One request.
#[derive(Debug, Clone)]
pub(crate) struct Call {
    method: Method,
    target: String,
    body: Option<(&'static str, Vec<u8>)>,
    if_match: Option<String>,
    last_event_id: Option<String>,
    /// The session of a publisher.
    publisher: Option<String>,
    insist: Insist,
    /// How many times the ordinary time it may take.
    times: u32,
}

/// Which refusals are tried again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Insist {
    /// Those that pass by themselves soon: 429 and 503.
    Usually,
    /// Also that an object of that name is still being deleted.
    UntilGone,
    /// None.
    Never,
}

impl Call {
    fn new(method: Method, path: impl Into<String>) -> Self {
        Self {
            method,
            target: path.into(),
            body: None,
            if_match: None,
            last_event_id: None,
            publisher: None,
            insist: Insist::Usually,
            times: 1,
        }
    }

    /// Reads what is at an address.
    pub(crate) fn get(path: impl Into<String>) -> Self {
        Self::new(Method::GET, path)
    }

    /// Sends a JSON body to an address.
    pub(crate) fn post(path: impl Into<String>, body: &impl Serialize) -> Self {
        Self::new(Method::POST, path).with_body("application/json", body)
    }

    /// Ends what is at an address.
    pub(crate) fn delete(path: impl Into<String>) -> Self {
        Self::new(Method::DELETE, path)
    }

    /// Puts a JSON body in the place of what is at an address.
    pub(crate) fn put(path: impl Into<String>, body: &impl Serialize) -> Self {
        Self::new(Method::PUT, path).with_body("application/json", body)
    }

    /// Merges a JSON body into what is at an address (RFC 7396).
    pub(crate) fn patch(path: impl Into<String>, body: &impl Serialize) -> Self {
        Self::new(Method::PATCH, path).with_body("application/merge-patch+json", body)
    }

    fn with_body(mut self, media_type: &'static str, body: &impl Serialize) -> Self {
        let text = serde_json::to_vec(body).expect("bodies are plain data");
        self.body = Some((media_type, text));
        self
    }

    /// Adds the fields of a query.
    #[must_use]
    pub(crate) fn query(mut self, parameters: &impl Serialize) -> Self {
        let fields = serde_json::to_value(parameters).expect("queries are plain data");
        for (name, value) in fields.as_object().into_iter().flatten() {
            let separator = if self.target.contains('?') { '&' } else { '?' };
            let value = orch_shared::query::plain_text(value);
            self.target
                .push_str(&format!("{separator}{name}={}", percent_encoded(&value)));
        }
        self
    }

    /// Path and query.
    pub(crate) fn address(&self) -> &str {
        &self.target
    }

    /// Only while the object is as it was read.
    #[must_use]
    pub(crate) fn if_match(mut self, etag: &str) -> Self {
        self.if_match = Some(format!("\"{etag}\""));
        self
    }

    /// Tries again while an object of that name is still being deleted.
    #[must_use]
    pub(crate) const fn until_gone(mut self) -> Self {
        self.insist = Insist::UntilGone;
        self
    }

    /// Allows more than the ordinary time: the daemon may have a lot to do.
    #[must_use]
    pub(crate) const fn with_time(mut self) -> Self {
        self.times = 6;
        self
    }

    /// The daemon may have to wait for models, one after the other.
    pub(crate) fn with_models(mut self) -> Self {
        self.times = 60;
        self
    }

    /// Takes the first answer, whatever it is.
    #[must_use]
    pub(crate) const fn once(mut self) -> Self {
        self.insist = Insist::Never;
        self
    }

    fn of_publisher(mut self, session: Option<&str>) -> Self {
        self.publisher = session.map(str::to_owned);
        self
    }

    fn resume_after(mut self, id: Option<&str>) -> Self {
        self.last_event_id = id.map(str::to_owned);
        self
    }
}

/// The text of a header `Warning: 299 orchd "..."`.
fn warned(value: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(value);
    let quoted = text.strip_prefix("299 orchd \"")?.strip_suffix('"')?;
    let mut letters = quoted.chars();
    let mut plain = String::with_capacity(quoted.len());
    while let Some(letter) = letters.next() {
        plain.extend(if letter == '\\' { letters.next() } else { Some(letter) });
    }
    Some(plain)
}

/// Everything but letters, digits and `-._~` as `%XX`.
fn percent_encoded(text: &str) -> String {
    text.bytes().fold(String::with_capacity(text.len()), |mut out, byte| {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
        out
    })
}

/// What the daemon answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// The body.
    pub(crate) body: Vec<u8>,
    parts: Parts,
    server: String,
}

impl Answer {
    /// The body, read.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        serde_json::from_slice(&self.body).map_err(|error| not_ours(&self.server, &error.to_string()))
    }

    /// A header.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.parts.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

impl Client {
    /// Gets ready to talk to that daemon. Nothing is sent yet.
    pub(crate) fn new(connection: &Connection) -> Result<Self, Failure> {
        Ok(Self {
            agent: transport::agent(connection)?,
            server: connection.server.clone(),
            token: connection.token.clone(),
            in_place_of: connection.in_place_of.clone(),
            timeout: connection.timeout,
            patience: Cell::new(retry::PATIENCE),
        })
    }

    /// The daemon's address.
    pub(crate) fn server(&self) -> &str {
        &self.server
    }

    /// The same daemon for another thread.
    pub(crate) fn another(&self) -> Self {
        Self {
            agent: self.agent.clone(),
            server: self.server.clone(),
            token: self.token.clone(),
            in_place_of: self.in_place_of.clone(),
            timeout: self.timeout,
            patience: Cell::new(retry::PATIENCE),
        }
    }

    /// The same daemon, with connections of its own that somebody else may end.
    fn apart(&self) -> Self {
        Self {
            agent: self.agent.config().clone().new_agent(),
            ..self.another()
        }
    }

    /// The same daemon, which gets no more than so long for an answer.
    pub(crate) fn within(&self, timeout: Duration) -> Self {
        Self {
            timeout: timeout.min(self.timeout),
            ..self.another()
        }
    }

    /// Sends a call and takes in the whole answer.
    pub(crate) fn send(&self, ui: &Ui, call: &Call) -> Result<Answer, Failure> {
        let mut usual = Backoff::new(self.patience.get());
        // An object that is being deleted is waited for longer than a daemon or a backend that cannot.
        let mut deletion = Backoff::new(retry::PATIENCE_WITH_DELETION);
        let mut told = false;
        loop {
            let started = Instant::now();
            let refused = match self.exchange(call, Some(self.allowed(call))) {
                Ok(response) => {
                    ui.trace(&trace_line(call, response.status(), started.elapsed()));
                    for warning in response.headers().get_all("warning") {
                        warned(warning.as_bytes()).iter().for_each(|text| ui.warn(text));
                    }
                    match self.read(response)? {
                        Ok(answer) => return Ok(answer),
                        Err(problem) => problem,
                    }
                }
                Err(error) => return Err(self.unreachable(call, &error)),
            };
            if !may_pass(call.insist, &refused) {
                return Err(self.refused(call, refused));
            }
            let backoff = match refused.code {
                Code::Terminating => &mut deletion,
                _ => &mut usual,
            };
            let asked = refused.retry_after.map(Duration::from_secs);
            match backoff.next(started.elapsed(), asked, retry::jitter()) {
                Wait::GiveUp => {
                    self.patience.set(Duration::ZERO);
                    return Err(refused.into());
                }
                Wait::For(pause) => {
                    if backoff.spent() > WORTH_SAYING && !told {
                        ui.say(&format!("{}; trying again", refused.detail));
                        told = true;
                    }
                    std::thread::sleep(pause);
                }
            }
        }
    }

    /// A refusal, with the way out that this program knows: who showed nothing logs in.
    fn refused(&self, call: &Call, problem: Problem) -> Failure {
        let shows_nothing = self.token.is_none() && call.target != route::LOGIN;
        match problem.code == Code::Unauthenticated && shows_nothing {
            true => Failure::from(problem).hint_instead("log in: orchctl login"),
            false => problem.into(),
        }
    }

    /// How long the answer to a call may take.
    fn allowed(&self, call: &Call) -> Duration {
        self.timeout.saturating_mul(call.times)
    }

    /// Sends a call and leaves the answer open, to be read as it comes.
    fn open(&self, call: &Call) -> Result<Response<ureq::Body>, Failure> {
        let response = self
            .exchange(call, None)
            .map_err(|error| self.unreachable(call, &error))?;
        if response.status().is_success() {
            return Ok(response);
        }
        match self.read(response)? {
            Err(problem) => Err(self.refused(call, problem)),
            Ok(_) => Err(not_ours(&self.server, "a stream was asked for")),
        }
    }

    fn exchange(&self, call: &Call, timeout: Option<Duration>) -> Result<Response<ureq::Body>, ureq::Error> {
        let mut request = Request::builder()
            .method(call.method.clone())
            .uri(format!("{}{}", self.server, call.target));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {}", token.reveal()));
        }
        if let Some(name) = &self.in_place_of {
            request = request.header(IMPERSONATE, name);
        }
        if let Some(etag) = &call.if_match {
            request = request.header("if-match", etag);
        }
        if let Some(id) = &call.last_event_id {
            request = request.header("last-event-id", id);
        }
        if let Some(session) = &call.publisher {
            request = request.header(orch_shared::publishing::SESSION, session);
        }
        match &call.body {
            Some((media_type, body)) => {
                let request = request.header("content-type", *media_type).body(&body[..])?;
                let request = self.agent.configure_request(request).timeout_global(timeout).build();
                self.agent.run(request)
            }
            None => {
                let request = self
                    .agent
                    .configure_request(request.body(())?)
                    .timeout_global(timeout)
                    .build();
                self.agent.run(request)
            }
        }
    }

    /// Sends a call once and takes in whatever is answered, refusals included.
    pub(crate) fn look(&self, call: &Call) -> Result<Answer, Failure> {
        let response = self
            .exchange(call, Some(self.timeout))
            .map_err(|error| self.unreachable(call, &error))?;
        self.take_in(response)
    }

    fn take_in(&self, mut response: Response<ureq::Body>) -> Result<Answer, Failure> {
        let limited = response.body_mut().with_config().limit(LARGEST_ANSWER);
        let body = limited.read_to_vec().map_err(|error| self.broken_off(&error))?;
        let (parts, _) = response.into_parts();
        Ok(Answer {
            body,
            parts,
            server: self.server.clone(),
        })
    }

    /// Takes in an answer: what was asked for, or the daemon's problem.
    fn read(&self, response: Response<ureq::Body>) -> Result<Result<Answer, Problem>, Failure> {
        let answer = self.take_in(response)?;
        let status = answer.parts.status;
        if status.is_success() {
            return Ok(Ok(answer));
        }
        let mut problem: Problem =
            serde_json::from_slice(&answer.body).unwrap_or_else(|_| self.unexplained(status, &answer.body));
        problem.status = status.as_u16();
        problem.request_id = problem
            .request_id
            .or_else(|| answer.header("x-request-id").map(str::to_owned));
        let retry_after = answer
            .header("retry-after")
            .and_then(|seconds| seconds.trim().parse().ok());
        problem.retry_after = retry_after.or(problem.retry_after);
        Ok(Err(problem))
    }

    /// A refusal that is no problem document: of a proxy in between, of a newer daemon, or of something else.
    fn unexplained(&self, status: StatusCode, body: &[u8]) -> Problem {
        let told: Option<Value> = serde_json::from_slice(body).ok();
        let detail = told
            .as_ref()
            .and_then(|told| told.get("detail"))
            .and_then(Value::as_str);
        let detail = detail.map_or_else(|| format!("{} answered {status}", self.server), str::to_owned);
        let code = match status.as_u16() {
            401 => Code::Unauthenticated,
            403 => Code::Forbidden,
            404 => Code::NoRoute,
            405 => Code::NoMethod,
            409 | 412 => Code::Stale,
            408 | 504 => Code::Timeout,
            413 => Code::BodyTooLarge,
            415 => Code::MediaType,
            429 | 502 | 503 => Code::StoreUnavailable,
            500.. => Code::Internal,
            _ => Code::BadRequest,
        };
        let problem = Problem::new(code, detail);
        if told.is_some() {
            problem
        } else {
            problem.suggest("is this the address of an orchd? orchctl doctor")
        }
    }

    fn unreachable(&self, call: &Call, error: &ureq::Error) -> Failure {
        match error {
            ureq::Error::Timeout(_) => {
                let seconds = self.allowed(call).as_secs_f64();
                let problem = Problem::new(
                    Code::Timeout,
                    format!("{} did not answer within {seconds} s", self.server),
                );
                match call.method {
                    Method::GET | Method::HEAD => problem.suggest("allow it more time: --request-timeout 60s").into(),
                    _ => problem
                        .suggest("the change may have been made: look before you repeat it")
                        .into(),
                }
            }
            other => unreachable::told(&self.server, other),
        }
    }

    fn broken_off(&self, error: &ureq::Error) -> Failure {
        let detail = format!("{} broke off its answer: {}", self.server, reason(error));
        Problem::new(Code::DaemonUnreachable, detail)
            .suggest("a change may have been made: look before you repeat it")
            .into()
    }
}

/// A throw of the dice, between 0 and 1.
pub(crate) fn dice() -> f64 {
    retry::jitter()
}

/// That the daemon sent something else than was agreed.
pub(crate) fn not_ours(server: &str, detail: &str) -> Failure {
    Problem::new(
        Code::Internal,
        format!("{server} gave an answer that cannot be read: {detail}"),
    )
    .suggest("are both of one version? orchctl version")
    .into()
}

fn may_pass(insist: Insist, problem: &Problem) -> bool {
    // Where it is not known whether it was done, doing it again is for somebody to decide.
    let busy = matches!(problem.status, 429 | 503) && problem.code != Code::NoAnswer;
    match insist {
        Insist::Never => false,
        Insist::Usually => busy,
        Insist::UntilGone => busy || problem.code == Code::Terminating,
    }
}

fn trace_line(call: &Call, status: StatusCode, took: Duration) -> String {
    format!(
        "{} {} {} {} ms",
        call.method,
        call.target,
        status.as_u16(),
        took.as_millis()
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use orch_shared::query::ListParameters;

    #[test]
    fn queries_are_encoded() {
        let parameters = ListParameters {
            label_selector: Some("team in (a,b)".to_owned()),
            limit: Some(500),
            all_scopes: Some(true),
            ..ListParameters::default()
        };
        let call = Call::get("/api/v1/servers").query(&parameters);
        assert_eq!(
            call.target,
            "/api/v1/servers?labelSelector=team%20in%20%28a%2Cb%29&allScopes=true&limit=500"
        );
    }
}
