//! Streamable HTTP, as MCP has it: messages go out by POST, and what comes back is one message or a stream of them.
//!
//! Enters: headers and the text of a message. Leaves: a [`Reply`] that is read as it comes. Nothing here has a time limit,
//! since tools may take as long as they like, unless somebody sets one ([`Endpoint::within`]); whoever waits can be woken by
//! an [`Interrupt`] from another thread. Each exchange in flight has a [`Line`] of its own. Messages are not looked into.

use std::io::BufReader;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use orch_shared::context::Token;
use orch_shared::identity::IMPERSONATE;
use ureq::config::Config;
use ureq::http::{Method, Request, Response};
use ureq::{Agent, Body};

use super::stream::{Opened, ServerEvent, endless};
use super::{Client, LARGEST_ANSWER, reason};

/// The header that carries a session's id.
pub(crate) const SESSION: &str = "mcp-session-id";
/// Idle lines that are kept to be used again.
const KEPT: usize = 8;

/// One address of the gateway.
pub(crate) struct Endpoint {
    config: Config,
    idle: Mutex<Vec<Agent>>,
    url: String,
    token: Option<Token>,
    in_place_of: Option<String>,
    limit: Option<Duration>,
}

/// A connection that carries one exchange at a time.
pub(crate) struct Line(Agent);

/// Ends an exchange from another thread.
pub(crate) struct Interrupt(Agent);

impl Interrupt {
    pub(super) const fn of(agent: Agent) -> Self {
        Self(agent)
    }

    /// Ends it: whoever waits for it is told that it broke off.
    pub(crate) fn now(self) {
        self.0.shutdown();
    }
}

/// Why an exchange came to nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trouble {
    /// Nobody answers there, and nothing was sent.
    #[error("{0}")]
    Absent(String),
    /// It broke off; it may have had its effect.
    #[error("{0}")]
    BrokenOff(String),
}

/// An answer, its body still to be read.
pub(crate) struct Reply {
    /// The HTTP status.
    pub(crate) status: u16,
    /// The session that was begun.
    pub(crate) session: Option<String>,
    is_stream: bool,
    body: Body,
}

impl Client {
    /// The address of the gateway at that path.
    pub(crate) fn endpoint(&self, path: &str) -> Endpoint {
        Endpoint {
            config: self.agent.config().clone(),
            idle: Mutex::new(Vec::new()),
            url: format!("{}{path}", self.server),
            token: self.token.clone(),
            in_place_of: self.in_place_of.clone(),
            limit: None,
        }
    }
}

impl Endpoint {
    /// The same address, at which an answer may take so long until it is there as a whole.
    #[must_use]
    pub(crate) const fn within(mut self, limit: Option<Duration>) -> Self {
        self.limit = limit;
        self
    }

    /// How long an answer may take.
    pub(crate) const fn limit(&self) -> Option<Duration> {
        self.limit
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A line of one's own: one that is idle, or a new one.
    pub(crate) fn line(&self) -> Line {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        Line(idle.pop().unwrap_or_else(|| self.config.new_agent()))
    }

    /// Gives a line back whose exchange is over.
    pub(crate) fn give_back(&self, line: Line) {
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        if idle.len() < KEPT {
            idle.push(line.0);
        }
    }

    /// Sends a message.
    pub(crate) fn post(&self, line: &Line, headers: &[(String, String)], message: &str) -> Result<Reply, Trouble> {
        let request = self
            .request(Method::POST, headers)
            .header("content-type", "application/json")
            .header("accept", "application/json, text/event-stream")
            .body(message);
        let request = request.map_err(|error| Trouble::Absent(error.to_string()))?;
        let request = line.0.configure_request(request).timeout_global(self.limit).build();
        answered(line.0.run(request))
    }

    /// Asks for what is said without being asked.
    pub(crate) fn listen(&self, line: &Line, headers: &[(String, String)]) -> Result<Reply, Trouble> {
        let request = self
            .request(Method::GET, headers)
            .header("accept", "text/event-stream")
            .body(());
        let request = request.map_err(|error| Trouble::Absent(error.to_string()))?;
        answered(line.0.run(request))
    }

    /// Ends a session; a little time is enough for that.
    pub(crate) fn end(&self, headers: &[(String, String)]) -> Result<Reply, Trouble> {
        let request = self.request(Method::DELETE, headers).body(());
        let request = request.map_err(|error| Trouble::Absent(error.to_string()))?;
        let agent = self.config.new_agent();
        let request = agent
            .configure_request(request)
            .timeout_global(Some(Duration::from_secs(2)))
            .build();
        answered(agent.run(request))
    }

    fn request(&self, method: Method, headers: &[(String, String)]) -> ureq::http::request::Builder {
        let mut request = Request::builder().method(method).uri(&self.url);
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {}", token.reveal()));
        }
        if let Some(name) = &self.in_place_of {
            request = request.header(IMPERSONATE, name);
        }
        for (name, value) in headers {
            request = request.header(name, value);
        }
        request
    }
}

impl Line {
    /// What ends the exchange on this line.
    pub(crate) fn interrupt(&self) -> Interrupt {
        Interrupt(self.0.clone())
    }
}

impl Reply {
    /// Whether messages come one by one.
    pub(crate) const fn is_stream(&self) -> bool {
        self.is_stream
    }

    /// Whether it is what was asked for.
    pub(crate) const fn is_success(&self) -> bool {
        self.status >= 200 && self.status < 300
    }

    /// The body as a whole.
    pub(crate) fn whole(mut self) -> Result<String, Trouble> {
        let limited = self.body.with_config().limit(LARGEST_ANSWER);
        limited
            .read_to_string()
            .map_err(|error| Trouble::BrokenOff(reason(&error)))
    }

    /// The body, event by event, to its end or until it breaks off.
    pub(crate) fn events(self) -> impl Iterator<Item = ServerEvent> {
        Opened::new(BufReader::new(endless(self.body)))
    }
}

fn answered(answer: Result<Response<Body>, ureq::Error>) -> Result<Reply, Trouble> {
    let response = answer.map_err(|error| trouble(&error))?;
    let header = |name: &str| response.headers().get(name).and_then(|value| value.to_str().ok());
    let is_stream = header("content-type").is_some_and(|kind| kind.starts_with("text/event-stream"));
    Ok(Reply {
        status: response.status().as_u16(),
        session: header(SESSION).map(str::to_owned),
        is_stream,
        body: response.into_body(),
    })
}

fn trouble(error: &ureq::Error) -> Trouble {
    use std::io::ErrorKind;
    let is_absent = match error {
        ureq::Error::Io(error) => matches!(
            error.kind(),
            ErrorKind::ConnectionRefused | ErrorKind::HostUnreachable | ErrorKind::NetworkUnreachable
        ),
        ureq::Error::HostNotFound | ureq::Error::ConnectionFailed | ureq::Error::Tls(_) | ureq::Error::Rustls(_) => {
            true
        }
        _ => false,
    };
    match is_absent {
        true => Trouble::Absent(reason(error)),
        false => Trouble::BrokenOff(reason(error)),
    }
}
