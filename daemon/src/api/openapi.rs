//! The description of the API (OpenAPI 3.1), made from the registry of kinds and the types that answer.
//!
//! A checked-in copy in `docs/openapi.json` is kept fresh by a test.

mod chat;
mod identity;
mod inference;
mod publishers;

use std::sync::OnceLock;

use axum::http::StatusCode;
use axum::response::Response;
use orch_shared::kind::{Kind, Maker, ScopeType};
use orch_shared::kinds::API_VERSION;
use orch_shared::{apply, audit, problem, query, resource, route, usage, wire};
use schemars::{JsonSchema, SchemaGenerator};
use serde_json::{Map, Value, json};

use super::dispatch::text;

/// The whole document.
#[must_use]
pub fn document() -> Value {
    let mut schemas = Schemas::new();
    let mut paths = Map::new();
    for kind in Kind::ALL {
        describe_kind(*kind, &mut schemas, &mut paths);
    }
    describe_rest(&mut schemas, &mut paths);
    identity::describe(&mut schemas, &mut paths);
    inference::describe(&mut paths);
    chat::describe(&mut schemas, &mut paths);
    publishers::describe(&mut schemas, &mut paths);
    paths.values_mut().for_each(describe_head);
    schemas.add::<problem::Problem>("Problem");
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "orchd",
            "version": super::health::VERSION,
            "description": "The control plane for MCP servers, models and agents. Errors are RFC 9457 problems with stable codes.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "bearerFormat": "orch_<64 hex digits>"}},
            "schemas": schemas.finish(),
        },
    })
}

/// What can be got can also be asked for without its body.
fn describe_head(path: &mut Value) {
    if let Some(get) = path.get("get") {
        let parameters = get["parameters"].as_array().cloned().unwrap_or_default();
        let head = operation("The same as GET, without the body", parameters, None, None);
        path["head"] = head;
    }
}

/// Answers with the document.
pub(super) async fn serve() -> Response {
    static TEXT: OnceLock<String> = OnceLock::new();
    text(StatusCode::OK, TEXT.get_or_init(|| document().to_string()).clone())
}

/// Schemas by name, with every reference pointing among them.
struct Schemas {
    generator: SchemaGenerator,
    named: Map<String, Value>,
}

impl Schemas {
    fn new() -> Self {
        let settings = schemars::generate::SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = "/components/schemas".into();
            settings.meta_schema = None;
        });
        Self {
            generator: settings.into_generator(),
            named: Map::new(),
        }
    }

    /// Adds the schema of a type under that name and refers to it.
    fn add<T: JsonSchema>(&mut self, name: &str) -> Value {
        if !self.named.contains_key(name) {
            let schema = T::json_schema(&mut self.generator).to_value();
            self.named.insert(name.to_owned(), schema);
        }
        reference(name)
    }

    fn finish(mut self) -> Map<String, Value> {
        for (name, schema) in self.generator.take_definitions(true) {
            self.named.entry(name).or_insert(schema);
        }
        self.named.sort_keys();
        self.named
    }
}

fn reference(name: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{name}")})
}

/// Moves a kind's own definitions (`#/$defs/X`) among the components.
fn adopt(schema: &Value, schemas: &mut Schemas) -> Value {
    fn redirect(value: &mut Value) {
        match value {
            Value::Object(members) => {
                if let Some(Value::String(target)) = members.get_mut("$ref")
                    && let Some(name) = target.strip_prefix("#/$defs/")
                {
                    *target = format!("#/components/schemas/{name}");
                }
                members.values_mut().for_each(redirect);
            }
            Value::Array(items) => items.iter_mut().for_each(redirect),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    let mut schema = schema.clone();
    if let Some(members) = schema.as_object_mut() {
        members.shift_remove("$schema");
        if let Some(Value::Object(definitions)) = members.shift_remove("$defs") {
            for (name, mut definition) in definitions {
                redirect(&mut definition);
                schemas.named.entry(name).or_insert(definition);
            }
        }
    }
    redirect(&mut schema);
    schema
}

fn describe_kind(kind: Kind, schemas: &mut Schemas, paths: &mut Map<String, Value>) {
    let definition = kind.definition();
    let name = kind.as_str();
    let spec = adopt(definition.spec_schema(), schemas);
    let status = adopt(definition.status_schema(), schemas);
    let about = spec.get("description").cloned().unwrap_or_default();
    schemas.named.insert(format!("{name}Spec"), spec);
    schemas.named.insert(format!("{name}Report"), status);
    let metadata = schemas.add::<resource::Metadata>("Metadata");
    let identity = schemas.add::<resource::Identity>("Identity");
    schemas.named.insert(
        format!("{name}Object"),
        json!({
            "type": "object",
            "description": about,
            "required": ["apiVersion", "kind", "metadata", "spec"],
            "properties": {
                "apiVersion": {"const": API_VERSION},
                "kind": {"const": name},
                "metadata": metadata,
                "spec": reference(&format!("{name}Spec")),
                "status": {"allOf": [identity, reference(&format!("{name}Report"))]},
            },
        }),
    );
    let object = reference(&format!("{name}Object"));
    for scope in kind.meta().scopes {
        let home = match scope {
            ScopeType::Cluster => "/api/v1".to_owned(),
            ScopeType::Project => "/api/v1/projects/{project}".to_owned(),
            ScopeType::Agent => "/api/v1/agents/{agent}".to_owned(),
        };
        let place = match scope {
            ScopeType::Cluster => vec![],
            ScopeType::Project => vec![in_path("project", "The project's name.")],
            ScopeType::Agent => vec![in_path("agent", "The agent's name.")],
        };
        describe_scope(kind, &home, &place, &object, schemas, paths);
    }
}

fn describe_scope(
    kind: Kind,
    home: &str,
    place: &[Value],
    object: &Value,
    schemas: &mut Schemas,
    paths: &mut Map<String, Value>,
) {
    let meta = kind.meta();
    let (noun, plural) = (meta.singular, meta.plural);
    let collection = format!("{home}/{plural}");
    let one = format!("{collection}/{{name}}");
    let writable = meta.maker == Maker::User;

    let list = schemas.add::<query::List>("List");
    let mut of_collection = Map::new();
    let mut parameters = place.to_vec();
    parameters.extend(in_query::<query::ListParameters>(schemas));
    let mut listing = operation(
        &format!("List {plural}, or watch them (server-sent events)"),
        parameters,
        None,
        Some(("200", list)),
    );
    let event = schemas.add::<query::WatchEvent>("WatchEvent");
    listing["responses"]["200"]["content"]["text/event-stream"] = json!({"schema": event});
    of_collection.insert("get".into(), listing);
    // Only models have keys that a provider may be asked about.
    let checked = if kind == Kind::Llm {
        in_query::<wire::ChangeParameters>(schemas)
    } else {
        vec![]
    };
    if writable {
        let create = operation(
            &format!("Create a {noun}"),
            [place, &checked[..]].concat(),
            Some(object.clone()),
            Some(("201", object.clone())),
        );
        of_collection.insert("post".into(), create);
    }
    paths.insert(collection, Value::Object(of_collection));

    let mut named = place.to_vec();
    named.push(in_path("name", "Name or uid."));
    let answer = || Some(("200", object.clone()));
    let mut of_one = Map::new();
    of_one.insert(
        "get".into(),
        operation(&format!("Get a {noun}"), named.clone(), None, answer()),
    );
    let mut guarded = named.clone();
    guarded.push(json!({"name": "If-Match", "in": "header", "description": "The ETag that was read: \"<uid>.<generation>\".", "schema": {"type": "string"}}));
    if writable {
        of_one.insert(
            "put".into(),
            operation(
                &format!("Replace a {noun}"),
                [&guarded[..], &checked[..]].concat(),
                Some(object.clone()),
                answer(),
            ),
        );
        let mut patch = operation(
            &format!("Change fields of a {noun} (RFC 7396)"),
            [&guarded[..], &checked[..]].concat(),
            None,
            answer(),
        );
        patch["requestBody"] =
            json!({"required": true, "content": {"application/merge-patch+json": {"schema": {"type": "object"}}}});
        of_one.insert("patch".into(), patch);
    }
    let mut deleting = guarded.clone();
    deleting.extend(in_query::<wire::DeleteParameters>(schemas));
    let deleted = schemas.add::<wire::Deleted>("Deleted");
    of_one.insert(
        "delete".into(),
        operation(&format!("Delete a {noun}"), deleting, None, Some(("200", deleted))),
    );
    paths.insert(one.clone(), Value::Object(of_one));

    let history = schemas.add::<wire::History>("History");
    let get_history = operation(
        "Its generations, newest first",
        named.clone(),
        None,
        Some(("200", history)),
    );
    paths.insert(format!("{one}/history"), json!({"get": get_history}));
    let dependents = schemas.add::<wire::Dependents>("Dependents");
    let get_dependents = operation("Who refers to it", named.clone(), None, Some(("200", dependents)));
    paths.insert(format!("{one}/dependents"), json!({"get": get_dependents}));
    for action in meta.actions {
        use orch_shared::kind::Action;
        let body = match action {
            Action::Rollback => Some(schemas.add::<wire::Rollback>("Rollback")),
            Action::Scale => Some(schemas.add::<wire::Scale>("Scale")),
            Action::Restart | Action::Rotate | Action::Revoke | Action::AllowTrigger => None,
            Action::Approve => Some(schemas.add::<wire::Approve>("Approve")),
            Action::Reject => Some(schemas.add::<wire::Reject>("Reject")),
        };
        let summary = format!("{} a {noun}", capitalised(action.as_str()));
        let parameters = match action {
            Action::Rollback => [&guarded[..], &checked[..]].concat(),
            Action::Scale
            | Action::Restart
            | Action::Rotate
            | Action::Revoke
            | Action::AllowTrigger
            | Action::Approve
            | Action::Reject => guarded.clone(),
        };
        paths.insert(
            format!("{one}/{}", action.as_str()),
            json!({"post": operation(&summary, parameters, body, answer())}),
        );
    }
    if kind == Kind::Instance {
        let mut parameters = named;
        parameters.extend(in_query::<wire::LogParameters>(schemas));
        let mut logs = operation("What it wrote", parameters, None, None);
        logs["responses"]["200"] =
            json!({"description": "Lines of text.", "content": {"text/plain": {"schema": {"type": "string"}}}});
        paths.insert(format!("{one}/logs"), json!({"get": logs}));
    }
}

fn describe_rest(schemas: &mut Schemas, paths: &mut Map<String, Value>) {
    let request = schemas.add::<apply::Request>("ApplyRequest");
    let response = schemas.add::<apply::Response>("ApplyResponse");
    let apply = operation(
        "Apply a set of objects, all or nothing",
        vec![],
        Some(request),
        Some(("200", response)),
    );
    paths.insert("/api/v1/apply".into(), json!({"post": apply}));
    let deletion = schemas.add::<wire::Deletion>("Deletion");
    let deleted = schemas.add::<wire::Deleted>("Deleted");
    let delete = operation(
        "Delete several objects, all or nothing",
        vec![],
        Some(deletion),
        Some(("200", deleted)),
    );
    paths.insert("/api/v1/delete".into(), json!({"post": delete}));
    let (seal, sealed) = (schemas.add::<wire::Seal>("Seal"), schemas.add::<wire::Sealed>("Sealed"));
    paths.insert(
        "/api/v1/seal".into(),
        json!({"post": operation("Seal values without storing them", vec![], Some(seal), Some(("200", sealed)))}),
    );
    let migration = schemas.add::<wire::Migration>("Migration");
    let migrated = schemas.add::<wire::Migrated>("Migrated");
    paths.insert(
        "/api/v1/migrate-secrets".into(),
        json!({"post": operation("Move values of Secrets from one backend to another", vec![], Some(migration), Some(("200", migrated)))}),
    );
    let setup = schemas.add::<wire::BackendSetup>("BackendSetup");
    let ready = schemas.add::<wire::BackendReady>("BackendReady");
    paths.insert(
        "/api/v1/set-up-secretbackend".into(),
        json!({"post": operation("Set a server of OpenBao or Vault up as a backend", vec![], Some(setup), Some(("200", ready)))}),
    );
    let events = schemas.add::<wire::Events>("Events");
    let parameters = in_query::<wire::EventParameters>(schemas);
    paths.insert(
        "/api/v1/events".into(),
        json!({"get": operation("What happened lately", parameters, None, Some(("200", events)))}),
    );
    describe_audit(schemas, paths);
    let used = schemas.add::<usage::Usage>("Usage");
    let parameters = in_query::<usage::Parameters>(schemas);
    paths.insert(
        route::USAGE.into(),
        json!({"get": operation("What was asked of models, summed up", parameters, None, Some(("200", used)))}),
    );
    let status = schemas.add::<wire::DaemonStatus>("DaemonStatus");
    paths.insert(
        "/api/v1/status".into(),
        json!({"get": operation("How the daemon fares", vec![], None, Some(("200", status)))}),
    );
    let version = schemas.add::<wire::Version>("Version");
    paths.insert(
        "/version".into(),
        json!({"get": operation("The daemon's version", vec![], None, Some(("200", version)))}),
    );
    let readiness = schemas.add::<wire::Readiness>("Readiness");
    let mut ready = operation(
        "Whether everything that must work does",
        vec![],
        None,
        Some(("200", readiness.clone())),
    );
    ready["responses"]["503"] =
        json!({"description": "Something does not.", "content": {"application/json": {"schema": readiness}}});
    ready["security"] = json!([]);
    paths.insert("/readyz".into(), json!({"get": ready}));
    for (path, summary, media_type) in [
        ("/healthz", "Whether the process lives", "text/plain"),
        ("/metrics", "Metrics for Prometheus", "application/openmetrics-text"),
        ("/openapi.json", "This document", "application/json"),
    ] {
        let mut get = operation(summary, vec![], None, None);
        get["responses"]["200"] = json!({"description": "The answer.", "content": {media_type: {}}});
        if path == "/healthz" {
            get["security"] = json!([]);
        }
        paths.insert(path.into(), json!({"get": get}));
    }
}

fn describe_audit(schemas: &mut Schemas, paths: &mut Map<String, Value>) {
    let entries = schemas.add::<audit::Entries>("AuditEntries");
    let sessions = schemas.add::<audit::Sessions>("AuditSessions");
    let verification = schemas.add::<audit::Verification>("AuditVerification");
    for (path, summary, parameters, answer) in [
        (
            route::AUDIT,
            "Who did what",
            in_query::<audit::Parameters>(schemas),
            entries,
        ),
        (
            route::AUDIT_SESSIONS,
            "What was done in each session of an MCP client, and outside of any",
            in_query::<audit::SessionParameters>(schemas),
            sessions,
        ),
        (
            route::AUDIT_VERIFY,
            "Whether a stretch of the audit log is as it was written",
            in_query::<audit::VerifyParameters>(schemas),
            verification,
        ),
    ] {
        let get = operation(summary, parameters, None, Some(("200", answer)));
        paths.insert(path.into(), json!({"get": get}));
    }
}

fn operation(summary: &str, parameters: Vec<Value>, body: Option<Value>, answer: Option<(&str, Value)>) -> Value {
    let (status, content) = match answer {
        Some((status, schema)) => (
            status,
            json!({"description": "The answer.", "content": {"application/json": {"schema": schema}}}),
        ),
        None => ("200", json!({"description": "The answer."})),
    };
    let mut operation = json!({
        "summary": summary,
        "parameters": parameters,
        "responses": {
            status: content,
            "default": {
                "description": "A problem (RFC 9457).",
                "content": {problem::Problem::MEDIA_TYPE: {"schema": reference("Problem")}},
            },
        },
    });
    if let Some(schema) = body {
        operation["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": schema}}});
    }
    operation
}

/// An answer without a body.
fn done(operation: &mut Value) {
    if let Some(responses) = operation["responses"].as_object_mut() {
        responses.shift_remove("200");
        responses.insert("204".to_owned(), json!({"description": "Done."}));
    }
}

fn in_path(name: &str, description: &str) -> Value {
    json!({"name": name, "in": "path", "required": true, "description": description, "schema": {"type": "string"}})
}

/// The members of a query type as parameters.
fn in_query<T: JsonSchema>(schemas: &mut Schemas) -> Vec<Value> {
    let schema = T::json_schema(&mut schemas.generator).to_value();
    let members = schema
        .get("properties")
        .and_then(Value::as_object)
        .cloned()
        .unwrap_or_default();
    let parameter = |(name, mut member): (String, Value)| {
        let description = member
            .as_object_mut()
            .and_then(|member| member.shift_remove("description"));
        json!({"name": name, "in": "query", "description": description, "schema": member})
    };
    members.into_iter().map(parameter).collect()
}

fn capitalised(word: &str) -> String {
    let mut letters = word.chars();
    letters
        .next()
        .map(|first| first.to_ascii_uppercase().to_string() + letters.as_str())
        .unwrap_or_default()
}
