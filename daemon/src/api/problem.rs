//! Problems on the wire. The one place that decides HTTP status codes.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use orch_shared::problem::{Code, Problem};

/// A problem that answers a request.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) Problem);

impl<E: Into<Problem>> From<E> for Refusal {
    fn from(problem: E) -> Self {
        Self(problem.into())
    }
}

/// The HTTP status of a code.
pub(super) const fn status_of(code: Code) -> StatusCode {
    match code {
        Code::ManifestSyntax
        | Code::ManifestEncoding
        | Code::DuplicateKey
        | Code::BadRequest
        | Code::BadArgument
        | Code::LocalFile
        | Code::NoContext => StatusCode::BAD_REQUEST,
        Code::ManifestTooLarge | Code::BodyTooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        Code::DuplicateObject
        | Code::UnknownField
        | Code::WrongType
        | Code::MissingField
        | Code::InvalidValue
        | Code::UnknownKind
        | Code::WrongScope
        | Code::InvalidName
        | Code::InvalidObject
        | Code::ReferenceMissing
        | Code::SealedValue
        | Code::DaemonOwned
        | Code::Immutable
        | Code::OwnToken
        | Code::KeyRefused
        | Code::BackendRefused
        | Code::TooManyIterations
        | Code::ContextFull
        | Code::NoAction => StatusCode::UNPROCESSABLE_ENTITY,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::Forbidden | Code::HostRefused | Code::Ceiling => StatusCode::FORBIDDEN,
        Code::NotFound | Code::NoGeneration | Code::NoRoute => StatusCode::NOT_FOUND,
        Code::AlreadyExists
        | Code::Stale
        | Code::Terminating
        | Code::OtherSet
        | Code::PlanMoved
        | Code::DefaultBackend
        | Code::InUse
        | Code::Decided
        | Code::Full
        | Code::TurnUnderWay
        | Code::NoTurn
        | Code::TurnCancelled
        | Code::Published => StatusCode::CONFLICT,
        Code::TurnBudget => StatusCode::PAYMENT_REQUIRED,
        Code::ModelFailed => StatusCode::BAD_GATEWAY,
        Code::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Code::NoMethod => StatusCode::METHOD_NOT_ALLOWED,
        Code::Compacted => StatusCode::GONE,
        Code::MediaType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
        Code::Timeout | Code::WaitTimeout => StatusCode::REQUEST_TIMEOUT,
        Code::StoreUnavailable
        | Code::StoreReadOnly
        | Code::ShuttingDown
        | Code::LeaderUnavailable
        | Code::NoAnswer
        | Code::BackendUnavailable
        | Code::DaemonUnreachable
        | Code::CertificateRefused => StatusCode::SERVICE_UNAVAILABLE,
        Code::Internal
        | Code::ToolMissing
        | Code::InstallFailed
        | Code::CommandNotFound
        | Code::StartupDeadline
        | Code::HandshakeFailed
        | Code::CrashLoop
        | Code::RemoteUnreachable
        | Code::NotImplemented
        | Code::ReferenceBroken
        | Code::EngineUnavailable
        | Code::ImageUnavailable
        | Code::ContainerRefused
        | Code::LimitExceeded
        | Code::Unhealthy
        | Code::RolloutStuck
        | Code::WakeFailed
        | Code::SessionsFull => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

/// A problem that is told within an answer says its status, as one that is the answer does.
pub(super) fn with_status(problem: &mut Problem) {
    problem.status = status_of(problem.code).as_u16();
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let Self(mut problem) = self;
        with_status(&mut problem);
        let status = status_of(problem.code);
        let body = serde_json::to_string(&problem).expect("a problem is plain data");
        let mut response = (status, [(header::CONTENT_TYPE, Problem::MEDIA_TYPE)], body).into_response();
        let headers = response.headers_mut();
        if let Some(seconds) = problem.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            headers.insert(
                header::WWW_AUTHENTICATE,
                HeaderValue::from_static("Bearer realm=\"orchd\""),
            );
        }
        // The guard completes the body with the request's id, which is not known here.
        response.extensions_mut().insert(Told(problem));
        response
    }
}

/// The problem a response tells; for the guard.
#[derive(Debug, Clone)]
pub(super) struct Told(pub(super) Problem);
