//! Asking providers how they are, for those who decide about models: one small request, and what its answer means.
//!
//! What enters: a model, and its key. What leaves: how its provider was found. What it never does: repeat the key, or follow
//! where a provider sends it.

use axum::body::Bytes;
use axum::http::{HeaderMap, Method};
use http_body_util::{BodyExt as _, Limited};
use orch_shared::inference::address;
use orch_shared::inference::probe::{Found, Probe};
use orch_shared::kinds::llm::Llm;

use super::upstream::{headers, masked};
use crate::runtime::Web;
use crate::runtime::link::Error;
use crate::secrets::Plaintext;

/// So much of an answer that is no success is read, in bytes.
const LARGEST: usize = 64 << 10;

/// Asks providers. Cheap to clone.
#[derive(Clone, Default)]
pub struct Prober(Web);

impl Prober {
    /// Asks the provider of a model. How long that may take is up to whoever asks.
    pub async fn ask(&self, spec: &Llm, key: Option<&Plaintext>, probe: Probe) -> Found {
        let Some(base) = spec.url.as_deref().or(address::default_base(spec.provider)) else {
            return Found::Unfit("it has no address".to_owned());
        };
        let place = match self.0.destination(&address::join(base, probe.path(spec.provider))) {
            Ok(place) => place,
            Err(why) => return Found::Unfit(format!("its address {why}")),
        };
        let headers = match headers(spec, key, &HeaderMap::new()) {
            Ok(headers) => headers,
            Err(failure) => return Found::Unfit(failure.why()),
        };
        let (method, body) = match probe.body(spec) {
            Some(body) => (Method::POST, Bytes::from(body.to_string())),
            None => (Method::GET, Bytes::new()),
        };
        let answer = match place.ask(method, headers, body).await {
            Ok(answer) => answer,
            Err(Error::Unreachable(why) | Error::Closed(why)) => return Found::Unreachable(why),
            Err(other) => return Found::Unreachable(other.to_string()),
        };
        let status = answer.status();
        // What is not read ends the connection; whole lists of models are not worth keeping it for.
        let said = match status.is_success() {
            true => Bytes::new(),
            false => match Limited::new(answer.into_body(), LARGEST).collect().await {
                Ok(body) => body.to_bytes(),
                Err(_) => Bytes::new(),
            },
        };
        let said = match key {
            Some(key) => masked(said, key.reveal()),
            None => said,
        };
        Found::of(status.as_u16(), &said, key.is_some())
    }
}
