//! Requests at the addresses of the door, and their answers as HTTP carries them.

use axum::body::{Body, Bytes};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, Request, StatusCode, header};
use axum::response::{IntoResponse, Response};
use orch_shared::access::Principal;
use orch_shared::inference::request::Body as Asked;
use orch_shared::inference::{Dialect, anthropic};
use orch_shared::jsonrpc::{Members, raw};
use orch_shared::problem::Problem;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::account;
use super::address::{self, Address};
use super::asking::{ANSWERED_BY, Answer, Asking, Content, Of};
use super::choice::{self, Model};
use super::received::received;
use super::refused::Refused;
use super::upstream::{ANTHROPIC_VERSION, passed_on};
use super::{Inference, Shared};
use crate::asker::Asker;
use crate::audit::{self, Tenure, Withdrawn};

/// The project that a request is for, and counts for.
const PROJECT: HeaderName = HeaderName::from_static("x-orch-project");

/// Why a request is not answered here.
pub enum Otherwise {
    /// It is for a model that is published, and publishers are at another daemon; the request itself, as it was.
    Elsewhere(Box<Request<Body>>),
    /// Whoever asked may not ask any more.
    Gone(Box<Problem>),
}

/// Why a request is not answered.
enum Unanswered {
    /// It is refused.
    Refused(Refused),
    /// It is not answered here.
    Otherwise(Otherwise),
}

impl From<Refused> for Unanswered {
    fn from(refused: Refused) -> Self {
        Self::Refused(refused)
    }
}

/// Takes the body of a request, and looks again who asks: it may have taken its time.
async fn taken(asker: &mut Asker, headers: &HeaderMap, body: Body) -> Result<Bytes, Unanswered> {
    let body = received(headers, body).await?;
    match asker.renew().await {
        Ok(()) => Ok(body),
        Err(problem) => Err(Unanswered::Otherwise(Otherwise::Gone(Box::new(problem)))),
    }
}

/// Answers a request; gives it back when it is for another daemon.
pub(super) async fn answer(
    inference: &Inference,
    asker: Asker,
    parts: Parts,
    body: Body,
) -> Result<Response, Otherwise> {
    let address = address::parse(parts.uri.path()).unwrap_or(Address::Nothing(Dialect::Chat));
    let dialect = match address {
        // Both kinds of clients look here.
        Address::Models | Address::Model(_) if parts.headers.contains_key(&ANTHROPIC_VERSION) => Dialect::Messages,
        _ => address.dialect(),
    };
    let is_read = matches!(parts.method, Method::GET | Method::HEAD);
    let is_post = parts.method == Method::POST;
    let answered = match address {
        Address::Models if is_read => inference.0.models_of(&asker).map_err(Unanswered::from),
        Address::Model(name) if is_read => inference.0.model_of(&asker, name).map_err(Unanswered::from),
        Address::CountTokens if is_post => inference.0.count(asker, &parts, body).await,
        Address::Ask(_) if is_post => ask(inference, asker, dialect, None, parts, body).await,
        Address::Infer(name) if is_post => {
            let name = name.to_owned();
            ask(inference, asker, dialect, Some(name), parts, body).await
        }
        Address::Nothing(_) => {
            let message = format!("there is nothing at {}", parts.uri.path());
            Err(Refused::new(StatusCode::NOT_FOUND, "not_found", message).into())
        }
        Address::Models | Address::Model(_) | Address::CountTokens | Address::Ask(_) | Address::Infer(_) => {
            let message = format!("{} is not possible here", parts.method);
            let mut refusal = Refused::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message).told(dialect);
            let allowed = HeaderValue::from_static(address.methods());
            refusal.headers_mut().insert(header::ALLOW, allowed);
            return Ok(refusal);
        }
    };
    match answered {
        Ok(response) => Ok(response),
        Err(Unanswered::Refused(refused)) => Ok(refused.told(dialect)),
        Err(Unanswered::Otherwise(otherwise)) => Err(otherwise),
    }
}

async fn ask(
    inference: &Inference,
    mut asker: Asker,
    dialect: Dialect,
    model: Option<String>,
    parts: Parts,
    body: Body,
) -> Result<Response, Unanswered> {
    account::begin(dialect);
    if let Some(model) = &model {
        account::of(model);
    }
    let mut body = taken(&mut asker, &parts.headers, body).await?;
    if inference.0.is_elsewhere(&asker, dialect, model.as_deref(), &body) {
        let request = Box::new(Request::from_parts(parts, body.into()));
        return Err(Unanswered::Otherwise(Otherwise::Elsewhere(request)));
    }
    if let Some(model) = model {
        body = naming(&body, &model)?;
    }
    let project = parts
        .headers
        .get(&PROJECT)
        .map(|name| name.to_str().unwrap_or("?").to_owned());
    let asking = Asking {
        principal: asker.principal().clone(),
        of: Of::Named {
            project: project.clone(),
        },
        dialect,
        headers: passed_on(&parts.headers),
        body,
    };
    let Answer {
        named,
        status,
        headers,
        content,
    } = inference.ask(asking).await;
    let mut response = match content {
        Content::Whole(bytes) => Response::new(Body::from(bytes)),
        Content::Stream(relay) => {
            let answering = headers.get(ANSWERED_BY).and_then(|name| name.to_str().ok());
            let named = named.map(|name| name.to_string()).unwrap_or_default();
            let models = (named, answering.unwrap_or_default().to_owned());
            let tenure = tenure(dialect, models, project, relay.withdrawn());
            let mut response = Response::new(Body::new(*relay));
            response.extensions_mut().insert(tenure);
            response
        }
    };
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    Ok(response)
}

/// A stream goes on as long as whoever asked might ask the models: the one that was named, and the one that answers.
fn tenure(
    dialect: Dialect,
    (named, answering): (String, String),
    project: Option<String>,
    withdrawn: Withdrawn,
) -> Tenure {
    let tenure = Tenure::new(move |principal, snapshot| {
        choice::goes_on(principal, snapshot, (&named, &answering), project.as_deref())
    });
    let tenure = tenure.saying(move |problem| {
        let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::FORBIDDEN);
        Refused::by(problem, status).event(dialect)
    });
    tenure.noting(withdrawn)
}

/// A request of the model that its address names, whatever it says itself.
fn naming(body: &Bytes, model: &str) -> Result<Bytes, Refused> {
    let no_object = || Refused::invalid("the body is no JSON object");
    let value: &RawValue = serde_json::from_slice(body).map_err(|_| no_object())?;
    let mut members = Members::of(value).ok_or_else(no_object)?;
    members.set("model", raw(model));
    Ok(String::from(Box::<str>::from(members.to_raw())).into())
}

impl Shared {
    /// Whether a request is for a model that is published, or has one that stands in for it, and publishers are at another
    /// daemon. Whatever else is the matter with it, is told where it is answered.
    fn is_elsewhere(&self, principal: &Principal, dialect: Dialect, named: Option<&str>, body: &Bytes) -> bool {
        if self.publishers.leads() {
            return false;
        }
        let snapshot = self.store.snapshot();
        match named {
            Some(name) => choice::is_published(principal, &snapshot, name),
            None => {
                Asked::read(dialect, body).is_ok_and(|body| choice::is_published(principal, &snapshot, body.model()))
            }
        }
    }

    fn models_of(&self, principal: &Principal) -> Result<Response, Refused> {
        if let Some(trail) = audit::trail() {
            trail.wants("models");
        }
        let models: Vec<Value> = choice::all(principal, &self.store.snapshot())
            .iter()
            .map(shown)
            .collect();
        let first = models.first().map(|model| model["id"].clone());
        let last = models.last().map(|model| model["id"].clone());
        // OpenAI's list, and what Anthropic's has besides.
        Ok(told(&json!({
            "object": "list", "data": models, "has_more": false, "first_id": first, "last_id": last,
        })))
    }

    fn model_of(&self, principal: &Principal, name: &str) -> Result<Response, Refused> {
        if let Some(trail) = audit::trail() {
            trail.wants("models");
        }
        choice::choose(principal, &self.store.snapshot(), name).map(|model| told(&shown(&model)))
    }

    /// How many tokens a request of Anthropic's has; estimated, since only providers know.
    async fn count(&self, mut asker: Asker, parts: &Parts, body: Body) -> Result<Response, Unanswered> {
        if let Some(trail) = audit::trail() {
            trail.wants("count_tokens");
        }
        let body = taken(&mut asker, &parts.headers, body).await?;
        let body = Asked::read(Dialect::Messages, &body).map_err(Refused::untranslatable)?;
        choice::choose(&asker, &self.store.snapshot(), body.model())?;
        let said = body.to_object().map_err(Refused::untranslatable)?;
        if !said.get("messages").is_some_and(Value::is_array) {
            let refused = Refused::invalid("messages: required, and not given as a list");
            return Err(refused.into());
        }
        Ok(told(&json!({"input_tokens": anthropic::count_tokens(&said)})))
    }
}

/// A model, as both OpenAI and Anthropic list it.
fn shown(model: &Model) -> Value {
    let created = model.object.created_at;
    json!({
        "id": model.name(),
        "object": "model",
        "created": created.millis() / 1000,
        "owned_by": model.spec().provider,
        "type": "model",
        "display_name": model.name(),
        "created_at": created,
    })
}

fn told(value: &Value) -> Response {
    let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
    (json, value.to_string()).into_response()
}
