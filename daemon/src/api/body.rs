//! Request bodies: bounded, JSON, and refused in words that help.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::http::{HeaderMap, Uri, header};
use http_body_util::BodyExt as _;
use orch_shared::path::FieldPath;
use orch_shared::problem::{Code, Problem};
use orch_shared::schema::{self, Echo};
use schemars::JsonSchema;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::json;

/// The largest body of apply, in bytes.
pub(super) const APPLY: usize = 64 << 20;
/// The largest body of anything else, in bytes.
pub(super) const OTHER: usize = 1 << 20;

/// A body of so many bytes is read where nobody else has to wait for it.
const LARGE: usize = 64 << 10;
/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(45);
/// How long the rest of a body that is too large is waited for.
const LINGER: Duration = Duration::from_secs(2);
/// Where to look things up.
const DESCRIBED: &str = "the API is described at /openapi.json";

/// Media types that are read as JSON.
const JSON: [&str; 2] = ["application/json", "application/merge-patch+json"];

/// What is asked of a body before its form is.
type First = fn(&Value) -> Result<(), Problem>;

/// Reads a JSON body of at most `most` bytes. An empty body reads as `{}`.
pub(super) async fn json<T>(headers: &HeaderMap, body: Body, most: usize) -> Result<T, Problem>
where
    T: DeserializeOwned + JsonSchema + Send + 'static,
{
    json_after(headers, body, most, |_| Ok(())).await
}

/// The same; `first` says whether the body is of a kind whose form is worth a look.
pub(super) async fn json_after<T>(headers: &HeaderMap, body: Body, most: usize, first: First) -> Result<T, Problem>
where
    T: DeserializeOwned + JsonSchema + Send + 'static,
{
    let bytes = received(body, most).await?;
    if bytes.is_empty() {
        return parse(b"{}", first);
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
    if bytes.len() < LARGE {
        return parse(&bytes, first);
    }
    let read = tokio::task::spawn_blocking(move || parse(&bytes, first)).await;
    read.map_err(|_| Problem::new(Code::Internal, "the body cannot be read"))?
}

/// A body that is there whole, so that reading it takes no time.
pub(super) async fn whole(body: Body, most: usize) -> Result<Body, Problem> {
    received(body, most).await.map(Body::from)
}

async fn received(body: Body, most: usize) -> Result<Vec<u8>, Problem> {
    tokio::time::timeout(PATIENCE, read(body, most)).await.map_err(|_| {
        let detail = format!("the body did not arrive within {} s", PATIENCE.as_secs());
        Problem::new(Code::Timeout, detail)
    })?
}

fn parse<T: DeserializeOwned + JsonSchema + 'static>(bytes: &[u8], first: First) -> Result<T, Problem> {
    let value = json::read(bytes)?;
    first(&value)?;
    let wrong = |what: String| {
        Problem::new(
            Code::BadRequest,
            format!("the body is not what is expected here: {what}"),
        )
    };
    // The schema's words name the place and the near miss, and repeat nothing of what may be secret. Whether a value is
    // one that is allowed is admission's to say, of the object's own field.
    let mut problems = schema::check(schema_of::<T>(), &value, &FieldPath::root(), Echo::Types).into_iter();
    if let Some(first) = problems.find(|problem| problem.code != Code::InvalidValue) {
        let problem = wrong(match first.pointer.pointer() {
            pointer if pointer.is_empty() => first.message,
            pointer => format!("{pointer}: {}", first.message),
        });
        return Err(problem.suggest(first.hint.unwrap_or_else(|| DESCRIBED.to_owned())));
    }
    serde_json::from_value(value).map_err(|error| wrong(error.to_string()).suggest(DESCRIBED))
}

/// The schema of a body, made once for each type.
fn schema_of<T: JsonSchema + 'static>() -> &'static Value {
    static KNOWN: Mutex<BTreeMap<TypeId, &'static Value>> = Mutex::new(BTreeMap::new());
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    known.entry(TypeId::of::<T>()).or_insert_with(|| {
        let settings = schemars::generate::SchemaSettings::draft2020_12();
        let schema = settings.into_generator().into_root_schema_for::<T>();
        Box::leak(Box::new(schema.to_value()))
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
    // PostgreSQL knows no NUL, and nothing that could be asked for has one.
    if uri.query().is_some_and(|query| query.contains("%00")) {
        return Err(Problem::new(Code::BadRequest, "the query holds NUL").suggest("take the %00 out"));
    }
    axum::extract::Query::try_from_uri(uri)
        .map(|axum::extract::Query(query)| query)
        .map_err(|error| {
            let why = std::error::Error::source(&error).map_or_else(|| error.to_string(), ToString::to_string);
            Problem::new(Code::BadRequest, format!("the query cannot be understood: {why}")).suggest(DESCRIBED)
        })
}
