//! One request to one provider.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header, response};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use orch_shared::inference::address;
use orch_shared::inference::errors::message_in;
use orch_shared::kinds::llm::{Llm, Provider};
use orch_shared::secrecy;
use serde::de::IgnoredAny;

use super::Shared;
use super::choice::Model;
use super::hiding;
use super::keys::Unkeyed;
use super::refused::Refused;
use super::relay::{Broken, Incoming};
use crate::publishing;
use crate::runtime::Destination;
use crate::runtime::link::Error;
use crate::secrets::Plaintext;
use crate::store::Snapshot;

/// The largest answer that is taken whole, in bytes.
const LARGEST: usize = 64 << 20;
/// After so long a publisher that was away may be there again.
const RETURNING: Duration = Duration::from_secs(5);
/// No provider is believed that it wants to be left alone for longer.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
/// So many addresses are kept.
const MOST: usize = 1024;

/// What clients of Anthropic say about the protocol; passed on.
pub(super) const ANTHROPIC_VERSION: HeaderName = HeaderName::from_static("anthropic-version");
const ANTHROPIC_BETA: HeaderName = HeaderName::from_static("anthropic-beta");
const ANTHROPIC_KEY: HeaderName = HeaderName::from_static("x-api-key");
/// The revision of Anthropic's protocol that is spoken where the client says none.
const VERSION: HeaderValue = HeaderValue::from_static("2023-06-01");

/// An address of a model: its uid, its generation, and the path.
type At = (Arc<str>, i64, &'static str);

/// The addresses of models.
#[derive(Default)]
pub(super) struct Upstreams(Mutex<HashMap<At, Destination>>);

/// A request as it goes to a provider.
pub(super) struct Outgoing {
    pub(super) path: &'static str,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

/// A provider does not answer what it was asked.
#[derive(Debug)]
pub(super) enum Failure {
    /// It cannot be asked, as it is declared: why, in a clause.
    Unfit(String),
    /// Its key cannot be had.
    Unkeyed(Unkeyed),
    /// Nobody has heard of the request, or nobody can say: why, in a clause.
    Away(String),
    /// Its publisher is away, or cannot have it answered: why, as the rest of a sentence that begins with the model.
    Unpublished(String),
    /// There is no answer within the time that the model has.
    Late(Duration),
    /// It says no, for now.
    Status {
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
    },
    /// It says that all is well, in a form that nobody understands: which one, as the rest of a sentence that begins with the
    /// model.
    Garbled(&'static str),
    /// Its script has it fail.
    Scripted { status: StatusCode, message: String },
    /// It does not take the key.
    KeyRefused(StatusCode),
    /// It wants one, and none is declared.
    KeyMissed(StatusCode),
    /// A limit or a budget that is kept here does not let it be asked.
    Withheld(Refused),
}

impl Failure {
    /// What it is, as the rest of a sentence that begins with the model.
    pub(super) fn clause(&self) -> String {
        match self {
            Self::Unfit(why) => format!("cannot be asked: {why}"),
            Self::Unkeyed(unkeyed) => format!("cannot be asked: its key cannot be had: {unkeyed}"),
            Self::Away(why) => format!("cannot be reached: {why}"),
            Self::Unpublished(why) => why.clone(),
            Self::Late(after) => format!("did not answer within {} s", after.as_secs()),
            Self::Status { status, body, .. } => {
                let told = message_in(body)
                    .map(|message| format!(": {message}"))
                    .unwrap_or_default();
                format!("answers HTTP {}{told}", status.as_u16())
            }
            Self::Garbled(how) => (*how).to_owned(),
            Self::Scripted { status, message } => format!("answers HTTP {}: {message}", status.as_u16()),
            Self::KeyRefused(status) => format!("does not take its key (HTTP {})", status.as_u16()),
            Self::KeyMissed(status) => {
                format!("wants a key (HTTP {}), and its `apiKeyRef` names none", status.as_u16())
            }
            Self::Withheld(refused) => format!("may not be asked: {}", refused.message),
        }
    }

    /// Why it cannot be asked, in a clause; what it is, for all else.
    pub(super) fn why(self) -> String {
        match self {
            Self::Unfit(why) => why,
            other => other.clause(),
        }
    }

    /// How long the provider asks to wait.
    pub(super) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Status { headers, .. } => told_pause(headers),
            Self::Unpublished(_) => Some(RETURNING),
            Self::Withheld(refused) => refused.retry_after,
            Self::Unfit(_)
            | Self::Unkeyed(_)
            | Self::Away(_)
            | Self::Late(_)
            | Self::Garbled(_)
            | Self::Scripted { .. }
            | Self::KeyRefused(_)
            | Self::KeyMissed(_) => None,
        }
    }

    /// Whether the same provider may answer the same request a moment later.
    pub(super) fn is_passing(&self) -> bool {
        match self {
            // A publisher that is coming back was waited for, and what it may have heard of is not said again.
            // What it has answered in whatever form, it has worked for.
            Self::Unfit(_)
            | Self::KeyRefused(_)
            | Self::KeyMissed(_)
            | Self::Late(_)
            | Self::Unpublished(_)
            | Self::Withheld(_)
            | Self::Garbled(_)
            | Self::Scripted { .. } => false,
            Self::Unkeyed(unkeyed) => unkeyed.is_passing,
            Self::Away(_) | Self::Status { .. } => true,
        }
    }
}

/// The pause of a `Retry-After`: seconds, or a date (RFC 9110, 10.2.3), which is held against that of the answer. At most an
/// hour is believed.
fn told_pause(headers: &HeaderMap) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let date = |text| httpdate::parse_http_date(text).ok();
    let told = text(header::RETRY_AFTER)?;
    let pause = match told.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds.max(0.0)).unwrap_or(LONGEST_PAUSE),
        Err(_) => {
            let (until, now) = (date(told)?, date(text(header::DATE)?)?);
            until.duration_since(now).unwrap_or_default()
        }
    };
    Some(pause.min(LONGEST_PAUSE))
}

/// What a provider answers where it says that all is well.
enum Form {
    /// An object that may be an answer.
    Answer,
    /// An object that tells an error, and nothing of what an answer is made of: some that have begun to work say so late.
    Error,
    /// No object.
    Other,
}

fn look_at(body: &[u8]) -> Form {
    /// The members that tell one from another; `null` is none.
    #[derive(serde::Deserialize)]
    struct Answer {
        error: Option<IgnoredAny>,
        choices: Option<IgnoredAny>,
        content: Option<IgnoredAny>,
        output: Option<IgnoredAny>,
        data: Option<IgnoredAny>,
    }
    let begins = body.iter().find(|byte| !byte.is_ascii_whitespace());
    if begins != Some(&b'{') || serde_json::from_slice::<IgnoredAny>(body).is_err() {
        return Form::Other;
    }
    // What says one of them twice may be anything.
    let Ok(said) = serde_json::from_slice::<Answer>(body) else {
        return Form::Answer;
    };
    let parts = [said.choices, said.content, said.output, said.data];
    match said.error.is_some() && parts.iter().all(Option::is_none) {
        true => Form::Error,
        false => Form::Answer,
    }
}

/// Whether a status says that the provider does not answer now, rather than that the request is wrong.
pub(super) fn is_failure(status: StatusCode) -> bool {
    status.is_server_error() || matches!(status.as_u16(), 408 | 409 | 425 | 429)
}

/// An answer whose body has not come yet.
pub(super) struct Begun {
    head: response::Parts,
    body: Incoming,
    key: Option<Arc<Plaintext>>,
}

/// An answer that is there whole.
pub(super) struct Whole {
    pub(super) status: StatusCode,
    pub(super) headers: HeaderMap,
    pub(super) body: Bytes,
}

impl Whole {
    /// The answer to somebody who wants it so; unless it says that all is well, in another form than that.
    pub(super) fn in_form(self, is_streamed: bool) -> Result<Self, Failure> {
        match (self.status.is_success(), is_streamed) {
            (true, true) => Err(Failure::Garbled(
                "was asked for a stream of events, and answers with none",
            )),
            (true, false) => match look_at(&self.body) {
                Form::Answer => Ok(self),
                Form::Error => Err(Failure::Status {
                    status: StatusCode::BAD_GATEWAY,
                    headers: self.headers,
                    body: self.body,
                }),
                Form::Other => Err(Failure::Garbled("answers with what is no JSON object")),
            },
            (false, _) => Ok(self),
        }
    }
}

impl Shared {
    /// Asks a model; returns when the answer begins.
    pub(super) async fn ask(&self, model: &Model, snapshot: &Snapshot, outgoing: &Outgoing) -> Result<Begun, Failure> {
        let spec = model.spec();
        if spec.published == Some(true) {
            let (head, body) = self.ask_publisher(model, outgoing).await?;
            // The key that is not taken is the publisher's, and what is said of it is for nobody else.
            if matches!(head.status.as_u16(), 401 | 403) {
                return Err(Failure::KeyRefused(head.status));
            }
            let body: Incoming = Box::pin(body);
            return Begun { head, body, key: None }.checked().await;
        }
        let place = self.place(model, outgoing.path)?;
        let key = match &spec.api_key_ref {
            None => None,
            Some(key) => Some(self.keys.get(key, snapshot).await.map_err(Failure::Unkeyed)?),
        };
        let headers = headers(spec, key.as_deref(), &outgoing.headers)?;
        let asked = place.ask(Method::POST, headers, outgoing.body.clone()).await;
        let response = asked.map_err(|error| {
            Failure::Away(match error {
                Error::Unreachable(why) | Error::Closed(why) => why,
                other => other.to_string(),
            })
        })?;
        let (head, body) = response.into_parts();
        let body: Incoming = Box::pin(body.map_err(Broken));
        Begun { head, body, key }.checked().await
    }

    fn place(&self, model: &Model, path: &'static str) -> Result<Destination, Failure> {
        let at = (Arc::clone(&model.object.uid), model.object.generation, path);
        let mut places = self.upstreams.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(place) = places.get(&at) {
            return Ok(place.clone());
        }
        let spec = model.spec();
        let base = spec.url.as_deref().or(address::default_base(spec.provider));
        let base = base.ok_or_else(|| Failure::Unfit("it has no address".to_owned()))?;
        let url = address::join(base, path);
        let place = self
            .web
            .destination(&url)
            .map_err(|why| Failure::Unfit(format!("its address {why}")))?;
        if places.len() >= MOST {
            places.clear();
        }
        places.insert(at, place.clone());
        Ok(place)
    }
}

impl Begun {
    /// The answer, unless it is one that says no for now, or that the key is not taken.
    async fn checked(self) -> Result<Self, Failure> {
        match self.head.status {
            // It is the provider that is not told who asks, or not the right one: no client is to take that for its own token.
            status if matches!(status.as_u16(), 401 | 403) => Err(match self.key {
                Some(_) => Failure::KeyRefused(status),
                None => Failure::KeyMissed(status),
            }),
            status if status.is_redirection() => {
                Err(Failure::Garbled("answers with a redirection, which is not followed"))
            }
            status if is_failure(status) => {
                let Whole { status, headers, body } = self.whole().await?;
                Err(Failure::Status { status, headers, body })
            }
            _ => Ok(self),
        }
    }

    /// Whether it comes bit by bit, as events.
    pub(super) fn is_stream(&self) -> bool {
        let media = self.head.headers.get(header::CONTENT_TYPE);
        let media = media.and_then(|media| media.to_str().ok()).unwrap_or_default();
        media.trim_start().starts_with("text/event-stream") && self.head.status.is_success()
    }

    /// The answer as it comes. What repeats the key is masked.
    pub(super) fn stream(self) -> (HeaderMap, Incoming) {
        let key = self.key.as_ref().map(|key| key.reveal());
        (self.head.headers, hiding::without(key, self.body))
    }

    /// The answer, once it is there whole. What repeats the key is masked.
    pub(super) async fn whole(self) -> Result<Whole, Failure> {
        let Self { head, body, key } = self;
        let collected = Limited::new(body, LARGEST).collect().await;
        let body = collected.map_err(|error| {
            if error.is::<LengthLimitError>() {
                return Failure::Away(format!("its answer is larger than {} MiB", LARGEST >> 20));
            }
            let broken = error.downcast_ref::<Broken>();
            match broken.and_then(|Broken(why)| why.downcast_ref::<publishing::Broken>()) {
                Some(why) => Failure::Unpublished(format!("did not answer to the end: {why}")),
                None => Failure::Away("its answer broke off".to_owned()),
            }
        })?;
        let body = body.to_bytes();
        let body = match &key {
            Some(key) if head.status.is_success() => hiding::whole(key.reveal(), body),
            Some(key) => masked(body, key.reveal()),
            None => body,
        };
        Ok(Whole {
            status: head.status,
            headers: head.headers,
            body,
        })
    }
}

/// A body in which that key does not stand.
pub(super) fn masked(body: Bytes, key: &str) -> Bytes {
    secrecy::without(key, &body).map_or(body, Bytes::from)
}

/// The headers of a request: those of the client that are passed on, and the key.
pub(super) fn headers(spec: &Llm, key: Option<&Plaintext>, passed: &HeaderMap) -> Result<HeaderMap, Failure> {
    let mut headers = passed.clone();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(
        header::USER_AGENT,
        HeaderValue::from_static(concat!("orchd/", env!("CARGO_PKG_VERSION"))),
    );
    let (name, value) = match spec.provider {
        Provider::Anthropic => {
            headers.entry(ANTHROPIC_VERSION).or_insert(VERSION);
            (ANTHROPIC_KEY, key.map(|key| key.reveal().to_owned()))
        }
        Provider::Openai
        | Provider::Deepseek
        | Provider::Vllm
        | Provider::Ollama
        | Provider::OpenaiCompatible
        | Provider::Scripted => (header::AUTHORIZATION, key.map(|key| format!("Bearer {}", key.reveal()))),
    };
    if let Some(value) = value {
        let unsendable =
            |_| Failure::Unfit("its key cannot be sent: it has characters that no header may have".to_owned());
        let mut value = HeaderValue::try_from(value.trim()).map_err(unsendable)?;
        value.set_sensitive(true);
        headers.insert(name, value);
    }
    Ok(headers)
}

/// Of the headers of a client, those that are for the provider.
pub(super) fn passed_on(given: &HeaderMap) -> HeaderMap {
    let names = [header::ACCEPT, ANTHROPIC_VERSION, ANTHROPIC_BETA];
    let given = names.into_iter().flat_map(|name| {
        let values = given.get_all(&name).iter();
        values
            .map(move |value| (name.clone(), value.clone()))
            .collect::<Vec<_>>()
    });
    let mut headers = HeaderMap::new();
    for (name, value) in given {
        headers.append(name, value);
    }
    headers
}

/// Of the headers of a provider, those that are for the client.
pub(super) fn passed_back(given: &HeaderMap) -> HeaderMap {
    let is_for_client = |name: &HeaderName| {
        *name == header::CONTENT_TYPE
            || *name == header::RETRY_AFTER
            || name.as_str().starts_with("x-ratelimit-")
            || name.as_str().starts_with("anthropic-ratelimit-")
    };
    let kept = given.iter().filter(|(name, _)| is_for_client(name));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_for_one_side() {
        let header =
            |name: &'static str, value: &'static str| (HeaderName::from_static(name), HeaderValue::from_static(value));
        let given = HeaderMap::from_iter([
            header("authorization", "Bearer orch_x"),
            header("x-api-key", "orch_x"),
            header("cookie", "a=b"),
            header("accept", "text/event-stream"),
            header("anthropic-version", "2023-06-01"),
            header("anthropic-beta", "tools"),
            header("x-stainless-os", "Linux"),
        ]);
        let passed = passed_on(&given);
        let mut names: Vec<&str> = passed.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["accept", "anthropic-beta", "anthropic-version"]);

        let given = HeaderMap::from_iter([
            header("content-type", "application/json"),
            header("set-cookie", "a=b"),
            header("retry-after", "2"),
            header("x-ratelimit-remaining-tokens", "5"),
            header("content-length", "12"),
            header("openai-organization", "acme"),
        ]);
        let passed = passed_back(&given);
        let mut names: Vec<&str> = passed.keys().map(HeaderName::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["content-type", "retry-after", "x-ratelimit-remaining-tokens"]);
    }

    #[test]
    fn pauses_are_seconds_or_dates() {
        let date = HeaderValue::from_static("Sun, 09 Sep 2001 01:46:40 GMT");
        for (told, seconds) in [
            ("2", Some(2.0)),
            (" 0.5 ", Some(0.5)),
            ("-3", Some(0.0)),
            ("NaN", Some(0.0)),
            ("inf", Some(3600.0)),
            ("99999999999", Some(3600.0)),
            ("Sun, 09 Sep 2001 01:46:47 GMT", Some(7.0)),
            ("Sun, 09 Sep 2001 01:46:00 GMT", Some(0.0)),
            ("Thu, 09 Sep 2021 01:46:00 GMT", Some(3600.0)),
            ("soon", None),
        ] {
            let mut headers = HeaderMap::from_iter([(header::RETRY_AFTER, HeaderValue::from_static(told))]);
            headers.insert(header::DATE, date.clone());
            let pause = told_pause(&headers);
            assert_eq!(pause.map(|pause| pause.as_secs_f64()), seconds, "{told}");
        }
    }

    #[test]
    fn a_key_is_not_repeated() {
        let body = masked(Bytes::from_static(b"{\"message\": \"wrong key sk-123\"}"), "sk-123");
        assert_eq!(body, "{\"message\": \"wrong key ***\"}");
        for (body, key, expected) in [
            (&b"\xff"[..], "sk-123", &b"\xff"[..]),
            (b"\xff sk-123", "sk-123", "\u{fffd} ***".as_bytes()),
            (b"no sk-123", "sk-123\n", b"no ***"),
            (b"no sk\\\"1", "sk\"1", b"no ***"),
            (b"no", "", b"no"),
        ] {
            assert_eq!(masked(Bytes::from_static(body), key), expected, "{key}");
        }
    }
}
