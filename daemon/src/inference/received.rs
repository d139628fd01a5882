//! The body of a request, taken whole: JSON, as it is, and not too large.

use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody as _};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};

use super::refused::Refused;
use crate::body::{self, Bounds, Untaken};

/// Images are part of a request.
const BOUNDS: Bounds = Bounds {
    largest: 64 << 20,
    discarded: 256 << 20,
    patience: Duration::from_secs(60),
};

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
    if waits && body.size_hint().lower() > BOUNDS.largest as u64 {
        return Err(too_large());
    }
    body::take(body, BOUNDS).await.map_err(|why| match why {
        Untaken::TooLarge => too_large(),
        Untaken::Late => {
            let message = format!("the body did not arrive within {} s", BOUNDS.patience.as_secs());
            Refused::new(StatusCode::REQUEST_TIMEOUT, "timeout", message)
        }
        Untaken::BrokeOff(_) => Refused::invalid("the body broke off"),
    })
}

fn too_large() -> Refused {
    let message = format!("the request is larger than {} MiB", BOUNDS.largest >> 20);
    Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "request_too_large", message)
}
