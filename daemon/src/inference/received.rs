//! The body of a request, taken whole: JSON, as it is, and not too large.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use http_body_util::BodyExt as _;

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

/// Reads a body to its end.
async fn read(mut body: Body) -> Result<Bytes, Refused> {
    let mut bytes = Vec::new();
    let mut is_too_large = body.size_hint().lower() > LARGEST as u64;
    let mut seen = 0_usize;
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|_| Refused::invalid("the body broke off"))?;
        let Ok(data) = frame.into_data() else { continue };
        seen = seen.saturating_add(data.len());
        is_too_large = is_too_large || seen > LARGEST;
        match is_too_large {
            false => bytes.extend_from_slice(&data),
            true if seen > DISCARDED => break,
            true => bytes = Vec::new(),
        }
    }
    match is_too_large {
        true => Err(too_large()),
        false => Ok(bytes.into()),
    }
}

fn too_large() -> Refused {
    let message = format!("the request is larger than {} MiB", LARGEST >> 20);
    Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "request_too_large", message)
}
