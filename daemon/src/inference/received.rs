//! The body of a request, taken whole: JSON, as it is, and not too large.

use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use super::refused::Refused;

/// The largest request, in bytes: images are part of one.
const LARGEST: usize = 64 << 20;
/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(60);

/// Takes the body of a request.
pub(super) async fn received(headers: &HeaderMap, body: Body) -> Result<Bytes, Refused> {
    let text = |name| {
        let given = headers.get(name).map(|value: &HeaderValue| value.to_str());
        given.map(|value| value.unwrap_or("unreadable").to_owned())
    };
    if let Some(encoding) = text(header::CONTENT_ENCODING).filter(|encoding| !encoding.eq_ignore_ascii_case("identity"))
    {
        let message = format!("the body is encoded as `{encoding}`; send it as it is, without Content-Encoding");
        return Err(Refused::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "invalid_request",
            message,
        ));
    }
    let media = text(header::CONTENT_TYPE).unwrap_or_default();
    let essence = media.split(';').next().unwrap_or_default().trim();
    if !essence.eq_ignore_ascii_case("application/json") {
        let message = "the body must be JSON, with Content-Type: application/json";
        return Err(Refused::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "invalid_request",
            message,
        ));
    }
    match tokio::time::timeout(PATIENCE, Limited::new(body, LARGEST).collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            let message = format!("the request is larger than {} MiB", LARGEST >> 20);
            Err(Refused::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "request_too_large",
                message,
            ))
        }
        Ok(Err(_)) => Err(Refused::invalid("the body broke off")),
        Err(_) => {
            let message = format!("the body did not arrive within {} s", PATIENCE.as_secs());
            Err(Refused::new(StatusCode::REQUEST_TIMEOUT, "timeout", message))
        }
    }
}
