//! Requests about one object.

use axum::body::Body;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use orch_shared::access::Principal;
use orch_shared::kind::{Kind, ScopeType};
use orch_shared::name::{ObjectRef, Scope};
use orch_shared::problem::{Code, Problem};
use orch_shared::wire::{ChangeParameters, Dependent, Dependents, History};
use serde::Deserialize;
use serde_json::Value;

use super::dispatch::{self, json, text};
use super::problem::Refusal;
use super::{Api, body, noting};
use crate::admission::{self, AuthCheck, Existing, Made, Manner, Precondition, Target};
use crate::asker::Asker;
use crate::audit;
use crate::store::Row;

/// How long a uid is, in characters.
const UID: usize = 36;

/// What may be asked of one object.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct GetParameters {
    /// Shows secret values in the open. Noted in the audit log.
    #[serde(default)]
    reveal: Option<bool>,
}

/// What may be asked when an object is made.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct CreateParameters {
    /// Makes a Token in place of one that has its name.
    #[serde(default)]
    force: Option<bool>,
    /// Leaves the provider unasked whether it takes the key of a model.
    #[serde(default)]
    skip_auth_check: Option<bool>,
}

/// The object as an answer, with its entity tag.
pub(super) fn answer(status: StatusCode, row: &Row) -> Response {
    let mut response = text(status, row.wire());
    if let Ok(tag) = HeaderValue::from_str(&format!("\"{}.{}\"", row.uid, row.generation)) {
        response.headers_mut().insert(header::ETAG, tag);
    }
    response
}

/// The same with what whoever has changed it should know, as `Warning: 299 orchd "..."` (RFC 7234, section 5.5).
pub(super) fn with_warnings(mut response: Response, warnings: &[String]) -> Response {
    for warning in warnings {
        let quoted = warning.replace('\\', "\\\\").replace('"', "\\\"");
        if let Ok(value) = HeaderValue::from_bytes(format!("299 orchd \"{quoted}\"").as_bytes()) {
            response.headers_mut().append(header::WARNING, value);
        }
    }
    response
}

/// How a request wants an object changed.
pub(super) fn manner(parts: &Parts) -> Result<Manner, Problem> {
    let ChangeParameters { skip_auth_check } = body::query(&parts.uri)?;
    Ok(Manner {
        precondition: if_match(&parts.headers)?,
        auth: AuthCheck::unless(skip_auth_check),
    })
}

/// Reads `If-Match: "<uid>.<generation>"`.
pub(super) fn if_match(headers: &HeaderMap) -> Result<Precondition, Problem> {
    let Some(value) = headers.get(header::IF_MATCH) else {
        return Ok(Precondition::None);
    };
    let text = value.to_str().unwrap_or_default().trim();
    if text == "*" {
        return Ok(Precondition::None);
    }
    let seen = text
        .strip_prefix('"')
        .and_then(|rest| rest.strip_suffix('"'))
        .and_then(|tag| tag.rsplit_once('.'))
        .filter(|(uid, _)| uid.len() == UID && uid.chars().all(|c| c.is_ascii_hexdigit() || c == '-'))
        .and_then(|(uid, generation)| Some((uid, generation.parse().ok()?)));
    match seen {
        Some((uid, generation)) => Ok(Precondition::Seen {
            uid: uid.to_owned(),
            generation,
        }),
        None => Err(Problem::new(
            Code::BadRequest,
            format!("If-Match `{text}` is not the one entity tag of an object"),
        )
        .suggest(
            "send the ETag that the object was answered with, neither weak nor one of several: \"<uid>.<generation>\"",
        )),
    }
}

/// Finds an object that may be seen.
pub(super) async fn find(api: &Api, principal: &Principal, target: &Target) -> Result<Row, Problem> {
    let Target { kind, scope, name } = target;
    let found = api
        .admission
        .store
        .get(&principal.visibility, *kind, scope, name)
        .await?;
    found.ok_or_else(|| {
        let noun = kind.meta().singular;
        let (place, flag) = match scope {
            Scope::Cluster => (String::new(), String::new()),
            Scope::Project(name) => (format!(" in {scope}"), format!(" -p {name}")),
            Scope::Agent(name) => (format!(" in {scope}"), format!(" --agent {name}")),
        };
        Problem::new(Code::NotFound, format!("{noun} `{name}` does not exist{place}"))
            .suggest(format!("what there is: orchctl get {}{flag}", kind.meta().plural))
    })
}

pub(super) async fn get(api: &Api, principal: &Principal, target: Target, parts: &Parts) -> Result<Response, Refusal> {
    let parameters: GetParameters = body::query(&parts.uri)?;
    let row = if parameters.reveal == Some(true) {
        admission::reveal(&api.admission, principal, target).await?
    } else {
        find(api, principal, &target).await?
    };
    Ok(answer(StatusCode::OK, &row))
}

pub(super) async fn create(
    api: &Api,
    principal: &Asker,
    kind: Kind,
    scope: &Scope,
    parts: &Parts,
    body: Body,
) -> Result<Response, Refusal> {
    let manifest: Value = body::json(&parts.headers, body, body::OTHER).await?;
    let named = manifest.get("kind").and_then(Value::as_str).unwrap_or_default();
    if named != kind.as_str() {
        let detail = format!(
            "the body is of kind `{named}`, the address is for {}",
            kind.meta().plural
        );
        return Err(Problem::new(Code::BadRequest, detail)
            .suggest(format!("kind: {kind}"))
            .into());
    }
    // Whoever looks for it finds what was refused, too.
    if let Some(object) = noting::named(&manifest) {
        let scope = scope.clone();
        audit::about("create", &ObjectRef { scope, ..object });
    }
    let field = |name: &str| manifest.pointer(&format!("/metadata/{name}")).and_then(Value::as_str);
    let agrees = match scope {
        Scope::Cluster => true,
        Scope::Project(name) => field("project") == Some(name.as_str()),
        Scope::Agent(name) => field("agent") == Some(name.as_str()),
    };
    if !agrees {
        let member = if ScopeType::of(scope) == ScopeType::Project {
            "metadata.project"
        } else {
            "metadata.agent"
        };
        let detail = format!("the address is for {scope}, and {member} of the body does not say so");
        return Err(Problem::new(Code::BadRequest, detail).into());
    }
    if kind == Kind::Token {
        api.pace.token(principal.actor())?;
    }
    let CreateParameters { force, skip_auth_check } = body::query(&parts.uri)?;
    let existing = match force {
        Some(true) => Existing::Replaced,
        Some(false) | None => Existing::Kept,
    };
    let auth = AuthCheck::unless(skip_auth_check);
    let made = admission::create(&api.admission, principal, &manifest, existing, auth).await?;
    let Made {
        row,
        credential,
        warnings,
    } = made;
    dispatch::settled(api, &[kind], row.revision).await;
    let mut response = match credential {
        None => answer(StatusCode::CREATED, &row),
        Some(credential) => {
            // Beside the object, which is what it is for everybody else.
            let mut whole: Value = serde_json::from_str(&row.wire()).unwrap_or_default();
            whole["credential"] = credential.into();
            json(StatusCode::CREATED, &whole)
        }
    };
    response = with_warnings(response, &warnings);
    if let Ok(location) = HeaderValue::from_str(&orch_shared::route::object(&row.object)) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

pub(super) async fn history(api: &Api, principal: &Principal, target: Target) -> Result<Response, Refusal> {
    let row = find(api, principal, &target).await?;
    let generations = api.admission.store.history(&principal.visibility, &row.uid).await?;
    let items = generations
        .iter()
        .map(|generation| generation.entry(row.object.kind))
        .collect();
    Ok(json(StatusCode::OK, &History { items }))
}

pub(super) async fn dependents(api: &Api, principal: &Principal, target: Target) -> Result<Response, Refusal> {
    let row = find(api, principal, &target).await?;
    let object: &ObjectRef = &row.object;
    let found = api.admission.store.dependents(&principal.visibility, object).await?;
    let items = found.into_iter().map(|dependent| Dependent {
        object: dependent.object,
        path: dependent.path,
    });
    Ok(json(StatusCode::OK, &Dependents { items: items.collect() }))
}
