//! Events: what happened lately, as a list or as a stream.

use std::time::Duration;

use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use orch_shared::access::Principal;
use orch_shared::kind::Kind;
use orch_shared::name::{ObjectRef, Scope};
use orch_shared::problem::{Code, Problem};
use orch_shared::query::Severity;
use orch_shared::wire::{EventParameters, Events};

use super::dispatch::json;
use super::problem::Refusal;
use super::stream::respond;
use super::watch::SSE;
use super::{Api, body};
use crate::store::{About, EventQuery};

/// How often new events are looked for.
const EVENTS: Duration = Duration::from_millis(500);

/// Events: a list, and with `watch` a stream of what comes after it.
pub(super) async fn events(api: &Api, principal: &Principal, parts: &Parts) -> Result<Response, Refusal> {
    let parameters: EventParameters = body::query(&parts.uri)?;
    let query = query(&parameters)?;
    let mut items = api.admission.store.events(&principal.visibility, &query).await?;
    if parameters
        .watch
        .as_deref()
        .is_none_or(|watch| watch != "1" && watch != "true")
    {
        return Ok(json(StatusCode::OK, &Events { items }));
    }
    let (store, visibility) = (api.admission.store.clone(), principal.visibility.clone());
    Ok(respond(SSE, api.shutdown.clone(), |sink| async move {
        let mut last = items.iter().map(|event| event.id).max().or(query.after).unwrap_or(0);
        loop {
            for event in items.drain(..) {
                let text = serde_json::to_string(&event).expect("an event is plain data");
                if sink.send(format!("id: {}\ndata: {text}\n\n", event.id)).await.is_err() {
                    return;
                }
            }
            if sink.until(tokio::time::sleep(EVENTS)).await.is_err() {
                return;
            }
            let newer = EventQuery {
                after: Some(last),
                limit: None,
                ..query.clone()
            };
            // A database that does not answer now may do so at the next look.
            let Ok(found) = store.events(&visibility, &newer).await else {
                continue;
            };
            last = found.iter().map(|event| event.id).max().unwrap_or(last);
            items = found;
        }
    }))
}

fn kind_of(noun: &str) -> Result<Kind, Problem> {
    Kind::from_noun(noun).ok_or_else(|| {
        let problem = Problem::new(Code::BadRequest, format!("there is no kind `{noun}`"));
        match Kind::near_noun(noun) {
            Some(near) => problem.suggest(format!("did you mean `{near}`?")),
            None => problem,
        }
    })
}

fn query(parameters: &EventParameters) -> Result<EventQuery, Problem> {
    let kind = parameters.kind.as_deref().map(kind_of).transpose()?;
    let scope = match (&parameters.project, &parameters.agent) {
        (None, None) => None,
        (Some(project), None) => Some(Scope::Project(project.clone())),
        (None, Some(agent)) => Some(Scope::Agent(agent.clone())),
        (Some(_), Some(_)) => {
            let detail = "an object lives in a project or with an agent, not both";
            return Err(Problem::new(Code::BadRequest, detail).suggest("give one of the two"));
        }
    };
    let about = match (kind, &parameters.name) {
        (_, None) => About::Everything,
        (None, Some(_)) => {
            let problem = Problem::new(Code::BadRequest, "a name needs a kind");
            return Err(problem.suggest("kind=server&name=files"));
        }
        (Some(kind), Some(name)) => {
            let name = name
                .parse()
                .map_err(|error| Problem::new(Code::BadRequest, format!("`{name}`: {error}")))?;
            let scope = scope.clone().unwrap_or(Scope::Cluster);
            let object = ObjectRef { kind, scope, name };
            match parameters.owned {
                Some(true) => About::Family(object),
                Some(false) | None => About::Object(object),
            }
        }
    };
    // Of a family, the members are of other kinds and live elsewhere.
    let whole = matches!(about, About::Everything);
    Ok(EventQuery {
        kind: kind.filter(|_| whole),
        scope: scope.filter(|_| whole),
        severity: (parameters.warnings == Some(true)).then_some(Severity::Warning),
        about,
        after: parameters.after,
        limit: Some(parameters.limit.unwrap_or(100).clamp(1, 1000)),
    })
}
