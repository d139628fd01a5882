//! What keeps a request from being answered, in the words of whoever asks.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use orch_shared::inference::Dialect;
use orch_shared::inference::errors::Fault;
use orch_shared::problem::{Code, Problem};

/// A request is not answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refused {
    /// As what HTTP tells it.
    pub(super) status: StatusCode,
    /// For programs, in a word: `model_not_found`.
    pub(super) code: &'static str,
    /// For people, in a sentence.
    pub(super) message: String,
    /// The member of the request that it is about.
    pub(super) param: Option<String>,
    /// When it may be different.
    pub(super) retry_after: Option<Duration>,
}

impl Refused {
    pub(super) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            param: None,
            retry_after: None,
        }
    }

    /// The request makes no sense.
    pub(super) fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "invalid_request", message)
    }

    /// The request cannot be read, or put into other words.
    #[expect(clippy::needless_pass_by_value, reason = "it is what errors are made of")]
    pub(super) fn untranslatable(refused: orch_shared::inference::Refused) -> Self {
        let param = refused.path.to_string();
        Self {
            param: (!param.is_empty()).then_some(param),
            ..Self::invalid(refused.to_string())
        }
    }

    /// It may be different after that long.
    pub(super) fn after(self, retry_after: Duration) -> Self {
        Self {
            retry_after: Some(retry_after),
            ..self
        }
    }

    /// What the daemon's door has against a request.
    pub(super) fn by(problem: &Problem, status: StatusCode) -> Self {
        let mut message = problem.detail.clone();
        if let Some(suggestion) = &problem.suggestion {
            message = format!("{message}; {suggestion}");
        }
        let code = match problem.code {
            Code::Unauthenticated => "invalid_api_key",
            Code::Forbidden | Code::HostRefused => "permission_denied",
            Code::TooMany => "rate_limit_exceeded",
            Code::NotFound | Code::NoRoute => "not_found",
            _ if status.is_server_error() => "unavailable",
            _ => "invalid_request",
        };
        Self {
            retry_after: problem.retry_after.map(Duration::from_secs),
            ..Self::new(status, code, message)
        }
    }

    fn fault(&self) -> Fault<'_> {
        Fault {
            status: self.status.as_u16(),
            message: &self.message,
            param: self.param.as_deref(),
            code: Some(self.code),
        }
    }

    /// The body that tells it in those words.
    pub(super) fn body(&self, dialect: Dialect) -> String {
        self.fault().body(dialect).to_string()
    }

    /// The event that tells it in the middle of a stream, whatever was begun there; nothing comes behind it.
    pub(super) fn event(&self, dialect: Dialect) -> Vec<u8> {
        // What was begun is ended first, so that the error is an event of its own.
        let mut event = b"\n\n".to_vec();
        self.fault().event(dialect).write(&mut event);
        event
    }

    /// The headers that go with it.
    pub(super) fn headers(&self) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        if let Some(wait) = self.retry_after {
            // Whole seconds, and never too early.
            let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        headers
    }

    /// The response that tells it in those words.
    pub(super) fn told(&self, dialect: Dialect) -> Response {
        let mut response = Response::new(Body::from(self.body(dialect)));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers();
        response
    }
}
