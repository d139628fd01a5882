//! Request bodies: bounded, JSON, and refused in words that help.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::http::{HeaderMap, Uri, header};
use http_body_util::BodyExt as _;
use orch_shared::problem::{Code, Problem};
use serde::de::DeserializeOwned;

/// The largest body of apply, in bytes.
pub(super) const APPLY: usize = 64 << 20;
/// The largest body of anything else, in bytes.
pub(super) const OTHER: usize = 1 << 20;

/// How long the rest of a body that is too large is waited for.
const LINGER: Duration = Duration::from_secs(2);

/// Media types that are read as JSON.
const JSON: [&str; 2] = ["application/json", "application/merge-patch+json"];

/// Reads a JSON body of at most `most` bytes. An empty body reads as `{}`.
pub(super) async fn json<T: DeserializeOwned>(headers: &HeaderMap, body: Body, most: usize) -> Result<T, Problem> {
    let bytes = read(body, most).await?;
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

/// Reads a whole body of at most `most` bytes.
async fn read(mut body: Body, most: usize) -> Result<Vec<u8>, Problem> {
    let mut bytes = Vec::new();
    let mut is_too_large = body.size_hint().lower() > most as u64;
    while !is_too_large {
        let Some(frame) = body.frame().await else {
            return Ok(bytes);
        };
        let frame = frame.map_err(|error| {
            let why = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            Problem::new(Code::BadRequest, format!("the body cannot be read: {why}"))
        })?;
        if let Ok(data) = frame.into_data() {
            is_too_large = bytes.len() + data.len() > most;
            bytes.extend_from_slice(&data);
        }
    }
    drop(bytes);
    // Who is still sending when the connection is closed does not get to read the answer.
    let _cut_short = tokio::time::timeout(LINGER, discard(body)).await;
    let detail = format!("the body is larger than {} MiB", most >> 20);
    Err(Problem::new(Code::BodyTooLarge, detail).suggest("split it"))
}

/// Reads on for a while, and keeps nothing.
async fn discard(mut body: Body) {
    let mut left = APPLY;
    while let Some(Ok(frame)) = body.frame().await {
        let length = frame.data_ref().map_or(0, bytes::Bytes::len);
        match left.checked_sub(length) {
            Some(rest) => left = rest,
            None => return,
        }
    }
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
