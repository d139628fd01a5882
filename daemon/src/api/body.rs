//! Request bodies: bounded, JSON, and refused in words that help.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Uri, header};
use orch_shared::problem::{Code, Problem};
use serde::de::DeserializeOwned;

/// The largest body of apply, in bytes.
pub(super) const APPLY: usize = 64 << 20;
/// The largest body of anything else, in bytes.
pub(super) const OTHER: usize = 1 << 20;

/// Media types that are read as JSON.
const JSON: [&str; 2] = ["application/json", "application/merge-patch+json"];

/// Reads a JSON body of at most `most` bytes. An empty body reads as `{}`.
pub(super) async fn json<T: DeserializeOwned>(headers: &HeaderMap, body: Body, most: usize) -> Result<T, Problem> {
    let bytes = to_bytes(body, most).await.map_err(|error| {
        let too_large = std::error::Error::source(&error)
            .is_some_and(<dyn std::error::Error + 'static>::is::<http_body_util::LengthLimitError>);
        if too_large {
            Problem::new(
                Code::BodyTooLarge,
                format!("the body is larger than {} MiB", most >> 20),
            )
            .suggest("split it")
        } else {
            Problem::new(Code::BadRequest, format!("the body cannot be read: {error}"))
        }
    })?;
    if bytes.is_empty() {
        return serde_json::from_str("{}").map_err(|_| Problem::new(Code::BadRequest, "the body is empty"));
    }
    let given = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let essence = given.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if !JSON.contains(&essence.as_str()) {
        let detail = if given.is_empty() {
            "the body has no Content-Type".to_owned()
        } else {
            format!("bodies of type `{given}` are not read here")
        };
        return Err(Problem::new(Code::MediaType, detail).suggest("send JSON, with Content-Type: application/json"));
    }
    serde_json::from_slice(&bytes).map_err(|error| {
        let detail = format!("the body is not what is expected here: {error}");
        Problem::new(Code::BadRequest, detail).suggest("the API is described at /openapi.json")
    })
}

/// Reads the query of an address.
pub(super) fn query<T: DeserializeOwned>(uri: &Uri) -> Result<T, Problem> {
    axum::extract::Query::try_from_uri(uri)
        .map(|axum::extract::Query(query)| query)
        .map_err(|error| {
            let why = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            Problem::new(Code::BadRequest, format!("the query cannot be understood: {why}"))
                .suggest("the API is described at /openapi.json")
        })
}
