//! Whether a request can be a message at all: what it says that it is, what it takes for an answer, and how large it is.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;

use super::answers::{answer, problem};
use super::protocol::{code, error};
use crate::body::{Bounds, Untaken};

/// What is taken of a message.
const BOUNDS: Bounds = Bounds {
    largest: 16 << 20,
    discarded: 80 << 20,
    patience: Duration::from_secs(45),
};

/// Refuses what is not JSON, and who cannot read what is answered.
pub(super) fn fits(headers: &HeaderMap) -> Result<(), Response> {
    is_plain(headers)?;
    let media = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let is_json = media.is_some_and(|media| {
        let essence = media.split(';').next().unwrap_or_default();
        essence.trim().eq_ignore_ascii_case("application/json")
    });
    if !is_json {
        let message = "the body must be JSON, with Content-Type: application/json";
        return Err(problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, message));
    }
    if !accepts(headers, "application/json") || !accepts(headers, "text/event-stream") {
        let message = "Accept must allow both application/json and text/event-stream";
        return Err(problem(StatusCode::NOT_ACCEPTABLE, message));
    }
    Ok(())
}

/// Refuses a body that is not sent as it is.
pub(super) fn is_plain(headers: &HeaderMap) -> Result<(), Response> {
    let given = headers.get_all(header::CONTENT_ENCODING).iter();
    let encodings = given.map(|value| value.to_str().unwrap_or("unreadable"));
    let mut encodings = encodings.flat_map(|value| value.split(',')).map(str::trim);
    let Some(encoding) = encodings.find(|encoding| !encoding.is_empty() && !encoding.eq_ignore_ascii_case("identity"))
    else {
        return Ok(());
    };
    let message = format!("the body is encoded as `{encoding}`; send it as it is, without Content-Encoding");
    let mut refusal = problem(StatusCode::UNSUPPORTED_MEDIA_TYPE, &message);
    // What would be taken instead (RFC 7694).
    let taken = HeaderValue::from_static("identity");
    refusal.headers_mut().insert(header::ACCEPT_ENCODING, taken);
    Err(refusal)
}

/// Whether a media type may be answered with. Who says nothing takes anything.
pub(super) fn accepts(headers: &HeaderMap, wanted: &str) -> bool {
    let mut given = headers.get_all(header::ACCEPT).iter().peekable();
    if given.peek().is_none() {
        return true;
    }
    let all_of_kind = |range: &str| {
        let kind = range.strip_suffix("/*");
        kind.is_some_and(|kind| {
            let wanted = wanted.split('/').next().unwrap_or_default();
            kind == "*" || kind.eq_ignore_ascii_case(wanted)
        })
    };
    given
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|range| {
            let mut parts = range.split(';').map(str::trim);
            let essence = parts.next().unwrap_or_default();
            let refused =
                parts.any(|part| matches!(part.replace(' ', "").as_str(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000"));
            (essence.eq_ignore_ascii_case(wanted) || all_of_kind(essence)) && !refused
        })
}

/// Takes a body whole, unless it is too large.
pub(super) async fn received(body: Body) -> Result<Bytes, Response> {
    crate::body::take(body, BOUNDS).await.map_err(|why| match why {
        Untaken::Late => {
            let message = format!("the body did not arrive within {} s", BOUNDS.patience.as_secs());
            let outcome = error(code::INVALID_REQUEST, message);
            answer(StatusCode::REQUEST_TIMEOUT, None, &outcome)
        }
        Untaken::TooLarge => {
            let message = format!("a message has at most {} MiB", BOUNDS.largest >> 20);
            let outcome = error(code::INVALID_REQUEST, message);
            answer(StatusCode::PAYLOAD_TOO_LARGE, None, &outcome)
        }
        Untaken::BrokeOff(why) => {
            let outcome = error(code::PARSE, format!("the body cannot be read: {why}"));
            answer(StatusCode::BAD_REQUEST, None, &outcome)
        }
    })
}
