//! Answers as HTTP carries them: JSON, with the status that the era wants.

use std::time::Duration;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use orch_shared::jsonrpc::{Id, Outcome};

use super::protocol::{code, error};

/// The HTTP status of an answer in the newer era.
pub(super) fn modern_status(outcome: &Outcome) -> StatusCode {
    match outcome.code() {
        Some(code::METHOD_NOT_FOUND) => StatusCode::NOT_FOUND,
        Some(code::HEADER_MISMATCH | code::MISSING_CAPABILITY | code::UNSUPPORTED_VERSION) => StatusCode::BAD_REQUEST,
        Some(_) | None => StatusCode::OK,
    }
}

/// An answer as JSON text.
pub(super) fn message_of(id: Option<&Id>, outcome: &Outcome) -> String {
    let (member, payload) = match outcome {
        Outcome::Result(result) => ("result", result.get()),
        Outcome::Error(error) => ("error", error.get()),
    };
    let id = id.map_or("null", Id::as_json);
    let mut text = String::with_capacity(payload.len() + id.len() + 40);
    for part in [r#"{"jsonrpc":"2.0","id":"#, id, ",\"", member, "\":", payload, "}"] {
        text.push_str(part);
    }
    text
}

pub(super) fn answer(status: StatusCode, id: Option<&Id>, outcome: &Outcome) -> Response {
    let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    (status, json, message_of(id, outcome)).into_response()
}

pub(super) fn limited(id: Option<&Id>, outcome: &Outcome, after: Duration) -> Response {
    let mut response = answer(StatusCode::TOO_MANY_REQUESTS, id, outcome);
    let seconds = after.as_secs() + u64::from(after.subsec_nanos() > 0);
    response
        .headers_mut()
        .insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    response
}

/// A refusal that answers no message.
pub(super) fn problem(status: StatusCode, message: &str) -> Response {
    answer(status, None, &error(code::INVALID_REQUEST, message))
}

/// What is not there, and what somebody may not see, are refused alike.
pub(super) fn nothing_of_that_name() -> Response {
    problem(
        StatusCode::NOT_FOUND,
        "there is nothing of that name, or you may not see it",
    )
}
