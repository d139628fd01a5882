//! The body of a request, taken whole: JSON, as it is, and not too large.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};

use super::refused::Refused;

/// The largest request, in bytes: images are part of one.
const LARGEST: usize = 64 << 20;
/// So many bytes of one that is larger are read all the same, and not kept: whoever is still sending when the connection is
/// closed does not get to read the answer.
const DISCARDED: usize = 256 << 20;
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
    // Who asks before it sends so much is told before it does.
    let waits = text(header::EXPECT).is_some_and(|expected| expected.eq_ignore_ascii_case("100-continue"));
    if waits && body.size_hint().lower() > LARGEST as u64 {
        return Err(too_large());
    }
    match tokio::time::timeout(PATIENCE, read(body)).await {
        Ok(read) => read,
        Err(_) => {
            let message = format!("the body did not arrive within {} s", PATIENCE.as_secs());
            Err(Refused::new(StatusCode::REQUEST_TIMEOUT, "timeout", message))
        }
    }
}

/// Reads a body to its end. Of one that is too large nothing is kept.
async fn read(mut body: Body) -> Result<Bytes, Refused> {
    if body.size_hint().lower() > LARGEST as u64 {
        discard(body, DISCARDED).await;
        return Err(too_large());
    }
    match Limited::new(&mut body, LARGEST).collect().await {
        Ok(whole) => Ok(whole.to_bytes()),
        Err(error) if error.is::<LengthLimitError>() => {
            discard(body, DISCARDED - LARGEST).await;
            Err(too_large())
        }
        Err(_) => Err(Refused::invalid("the body broke off")),
    }
}

/// Reads so many bytes more, at most. Whoever breaks off reads no answer, either.
async fn discard(body: Body, most: usize) {
    let mut rest = Limited::new(body, most);
    while let Some(Ok(_)) = rest.frame().await {}
}

fn too_large() -> Refused {
    let message = format!("the request is larger than {} MiB", LARGEST >> 20);
    Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "request_too_large", message)
}
