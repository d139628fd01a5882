//! What the API finds out about a request, noted on its trail: what is wanted, of what, by whom, and how it ended.

use std::sync::Arc;

use axum::extract::Request;
use axum::http::{HeaderValue, Method, StatusCode, Uri, header};
use axum::response::Response;
use orch_shared::access::Principal;
use orch_shared::audit::{Row, Target};
use orch_shared::kind::Kind;
use orch_shared::name::{Name, ObjectRef, Scope};
use orch_shared::problem::Problem;
use serde_json::Value;

use super::Api;
use super::address::{self, Address};
use super::guard::text_of;
use super::problem::Told;
use super::publishers::Deed;
use crate::admission;
use crate::audit::{self, Trail};

/// Where what is counted is told.
const METRICS: &str = "/metrics";

/// Begins the trail of a request.
pub(super) fn begin(id: &HeaderValue, request: &Request) -> Arc<Trail> {
    let client = request.headers().get(header::USER_AGENT);
    let client = client.and_then(|client| client.to_str().ok());
    Trail::begin(text_of(id), client, method(request.method()))
}

/// Who asks.
pub(super) fn by(principal: &Principal) {
    if let Some(trail) = audit::trail() {
        trail.by(principal);
    }
}

/// What is wanted, as the address says it; known before anybody knows who asks.
pub(super) fn wanted(method: &Method, uri: &Uri) {
    if uri.path() == METRICS
        && let Some(trail) = audit::trail()
    {
        trail.wants("metrics");
    }
    if let (Some(trail), Some(address)) = (audit::trail(), address::parse(uri.path())) {
        let (verb, target) = meaning(&address, self::method(method), uri.query().unwrap_or_default());
        trail.about(verb, target);
    }
}

/// The object that a manifest is about, as far as that can be read before anybody looks whether it is sound.
pub(super) fn named(manifest: &Value) -> Option<ObjectRef> {
    let kind: Kind = manifest.get("kind")?.as_str()?.parse().ok()?;
    let name = |field: &str| -> Option<Name> {
        let found = manifest.pointer(&format!("/metadata/{field}"))?;
        found.as_str()?.parse().ok()
    };
    let scope = match (name("project"), name("agent")) {
        (Some(project), _) => Scope::Project(project),
        (None, Some(agent)) => Scope::Agent(agent),
        (None, None) => Scope::Cluster,
    };
    Some(ObjectRef {
        kind,
        scope,
        name: name("name")?,
    })
}

/// Notes of which object of a set a refusal tells, the first of several: it is what somebody looks for.
pub(super) fn refused(objects: &[Option<ObjectRef>], problem: &Problem) {
    let told = problem.errors.first().map(|error| error.object);
    let alone = objects.first().filter(|_| objects.len() == 1);
    let found = told.and_then(|index| objects.get(index)).or(alone);
    if let Some(object) = found.and_then(Option::as_ref) {
        audit::about("apply", object);
    }
}

/// Sees to the row about a request that is answered, of the API or of the gateway. What is returned has to be settled before
/// the answer is told.
pub(super) fn conclude(api: &Api, path: &str, trail: &Trail, response: &Response) -> Option<Row> {
    let is_noted = match path {
        // Whoever scrapes does so all day; who may not is told of.
        METRICS => matches!(response.status(), StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN),
        path => ["/api/v1/", "/mcp/", "/v1/"]
            .iter()
            .any(|noted| path.starts_with(noted)),
    };
    if !is_noted {
        return None;
    }
    if let Some(Told(problem)) = response.extensions().get::<Told>() {
        trail.said(&problem.code.to_string());
    }
    api.ledger.conclude(trail, response.status().as_u16())
}

/// A method as a verb. Callers may make up others, without end.
fn method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "get",
        "HEAD" => "head",
        "POST" => "post",
        "PUT" => "put",
        "PATCH" => "patch",
        "DELETE" => "delete",
        "OPTIONS" => "options",
        _ => "other",
    }
}

/// What a method means at an address, in the words of the command line, and of what.
fn meaning(address: &Address, method: &'static str, query: &str) -> (&'static str, Option<Target>) {
    let has = |name: &str, values: &[&str]| {
        let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.any(|(given, value)| given == name && values.contains(&value))
    };
    let is_read = matches!(method, "get" | "head");
    let reading = |verb: &'static str| if is_read { verb } else { method };
    let posting = |verb: &'static str| if method == "post" { verb } else { method };
    match address {
        Address::Collection(kind, scope) => {
            let verb = match method {
                "post" => "create",
                _ if is_read && has("watch", &["1", "true"]) => "watch",
                _ => reading("list"),
            };
            (verb, Some(collection(*kind, scope)))
        }
        Address::Object(target) => {
            let verb = match method {
                "put" => "replace",
                _ if is_read && has("reveal", &["true"]) => "reveal",
                _ => reading("get"),
            };
            (verb, Some(object(target)))
        }
        Address::Action(target, action) => (posting(action.as_str()), Some(object(target))),
        Address::History(target) => (reading("history"), Some(object(target))),
        Address::Dependents(target) => (reading("dependents"), Some(object(target))),
        Address::Logs(target) => (reading("logs"), Some(object(target))),
        Address::Apply => (posting("apply"), None),
        Address::Delete => (posting("delete"), None),
        Address::Seal => (posting("seal"), None),
        Address::Migrate => (posting("migrate"), None),
        Address::SetUp => (posting("set up"), None),
        Address::Events => (reading("events"), None),
        Address::Status => (reading("status"), None),
        Address::Audit | Address::AuditSessions => (reading("audit"), None),
        Address::Login => (posting("login"), None),
        Address::WhoAmI => (reading("whoami"), None),
        Address::Logins => (reading("logins"), None),
        Address::OneLogin(_) if method == "delete" => ("logout", None),
        Address::OneLogin(_) => (method, None),
        Address::AccessReview => (posting("can-i"), None),
        Address::Introspect => (posting("introspect"), None),
        Address::Password(target) if method == "put" => ("password", Some(object(target))),
        Address::Password(target) => (method, Some(object(target))),
        Address::AuditVerify => (reading("audit-verify"), None),
        Address::Usage => (reading("usage"), None),
        Address::Publishers(Deed::Register) => (posting("publish"), None),
        Address::Publishers(Deed::Listen) => (reading("listen"), None),
        Address::Publishers(Deed::Heartbeat) => (posting("heartbeat"), None),
        Address::Publishers(Deed::Answer(_)) => (posting("answer"), None),
    }
}

fn collection(kind: Kind, scope: &Scope) -> Target {
    Target {
        kind: kind.as_str().to_owned(),
        name: None,
        scope: scope.to_column(),
    }
}

fn object(target: &admission::Target) -> Target {
    Target {
        name: Some(target.name.clone()),
        ..collection(target.kind, &target.scope)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_are_said_in_verbs() {
        for (method, path, query, said) in [
            ("get", "/api/v1/servers", "", "list servers"),
            ("head", "/api/v1/servers", "", "list servers"),
            ("get", "/api/v1/servers", "watch=1&revision=7", "watch servers"),
            ("post", "/api/v1/servers", "", "create servers"),
            ("get", "/api/v1/secrets/gitea", "", "get secret/gitea"),
            ("get", "/api/v1/secrets/gitea", "reveal=true", "reveal secret/gitea"),
            ("put", "/api/v1/secrets/gitea", "", "replace secret/gitea"),
            (
                "patch",
                "/api/v1/projects/web/prompts/tone",
                "",
                "patch prompt/tone (project/web)",
            ),
            ("delete", "/api/v1/servers/files", "", "delete server/files"),
            ("post", "/api/v1/servers/files/scale", "", "scale server/files"),
            ("get", "/api/v1/servers/files/scale", "", "get server/files"),
            ("get", "/api/v1/instances/a-1/logs", "", "logs instance/a-1"),
            ("post", "/api/v1/apply", "", "apply"),
            ("options", "/api/v1/apply", "", "options"),
            ("get", "/api/v1/audit/verify", "", "audit-verify"),
        ] {
            let (verb, target) = meaning(&address::parse(path).unwrap(), method, query);
            let target = target.map(|target| format!(" {target}")).unwrap_or_default();
            assert_eq!(format!("{verb}{target}"), said, "{method} {path}?{query}");
        }
    }
}
