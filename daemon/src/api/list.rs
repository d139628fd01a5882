//! Lists: filtered by the database where it can, by the object's text where only that tells.

use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use orch_shared::access::Principal;
use orch_shared::kind::Kind;
use orch_shared::kinds::API_VERSION;
use orch_shared::name::Scope;
use orch_shared::problem::{Code, Problem};
use orch_shared::query::{FieldSelector, LabelSelector, ListMetadata, ListParameters};
use serde_json::{Value, json};

use super::dispatch::text;
use super::problem::Refusal;
use super::{Api, body, watch};
use crate::store::{Extent, ListQuery, Position, Row, Scopes};

/// Most objects on one page, when pages are asked for.
const PAGE: u32 = 1000;

/// What a list or watch selects.
#[derive(Debug, Clone)]
pub(super) struct Selection {
    pub(super) kind: Kind,
    pub(super) scopes: Scopes,
    pub(super) labels: LabelSelector,
    pub(super) fields: FieldSelector,
}

impl Selection {
    fn new(kind: Kind, scope: &Scope, parameters: &ListParameters) -> Result<Self, Problem> {
        let refuse = |error: orch_shared::query::SelectorError| Problem::new(Code::BadRequest, error.to_string());
        Ok(Self {
            kind,
            scopes: if parameters.all_scopes == Some(true) {
                Scopes::All
            } else {
                Scopes::One(scope.clone())
            },
            labels: parameters
                .label_selector
                .as_deref()
                .unwrap_or_default()
                .parse()
                .map_err(refuse)?,
            fields: parameters
                .field_selector
                .as_deref()
                .unwrap_or_default()
                .parse()
                .map_err(refuse)?,
        })
    }

    /// Whether the fields of a row are those that are asked for.
    pub(super) fn admits_fields(&self, row: &Row) -> bool {
        self.fields.is_empty() || effective(row).is_some_and(|object| self.fields.matches(&object))
    }

    /// The part the database decides.
    pub(super) fn query(&self) -> ListQuery {
        ListQuery {
            kind: self.kind,
            scopes: self.scopes.clone(),
            labels: self.labels.clone(),
            after: None,
            limit: None,
        }
    }
}

/// The whole object with defaults filled in, for selectors.
fn effective(row: &Row) -> Option<Value> {
    let mut object: Value = serde_json::from_str(&row.wire()).ok()?;
    let spec = row.object.kind.definition().parse_stored(&row.spec).ok()?;
    object["spec"] = spec.effective().to_value();
    Some(object)
}

/// Answers a list, or begins a watch.
pub(super) async fn list(
    api: &Api,
    principal: &Principal,
    kind: Kind,
    scope: &Scope,
    parts: &Parts,
) -> Result<Response, Refusal> {
    let parameters: ListParameters = body::query(&parts.uri)?;
    let selection = Selection::new(kind, scope, &parameters)?;
    if parameters
        .watch
        .as_deref()
        .is_some_and(|watch| watch == "1" || watch == "true")
    {
        return watch::watch(api, principal, selection, &parameters, parts).await;
    }
    let limit = parameters.limit.map(|limit| limit.clamp(1, PAGE));
    let after = parameters.continue_token.as_deref().map(read_token).transpose()?;
    let mut out = format!(r#"{{"apiVersion":"{API_VERSION}","kind":"List","items":["#);
    let extent = if selection.fields.is_empty() {
        let query = ListQuery {
            after,
            limit,
            ..selection.query()
        };
        api.admission
            .store
            .list_wire(&principal.visibility, &query, &mut out)
            .await?
    } else {
        list_by_fields(api, principal, &selection, after, limit, &mut out).await?
    };
    let metadata = ListMetadata {
        revision: extent.revision,
        total: extent.total,
        continue_token: extent.next.as_ref().map(write_token),
    };
    out.push_str(r#"],"metadata":"#);
    out.push_str(&serde_json::to_string(&metadata).expect("plain data"));
    out.push('}');
    Ok(text(StatusCode::OK, out))
}

/// Fields are not indexed: every object of the selection is looked at.
async fn list_by_fields(
    api: &Api,
    principal: &Principal,
    selection: &Selection,
    after: Option<Position>,
    limit: Option<u32>,
    out: &mut String,
) -> Result<Extent, Problem> {
    let page = api
        .admission
        .store
        .list(&principal.visibility, &selection.query())
        .await?;
    let matching: Vec<Row> = page
        .rows
        .into_iter()
        .filter(|row| selection.admits_fields(row))
        .collect();
    let position = |row: &Row| Position {
        scope: row.object.scope.clone(),
        name: row.object.name.clone(),
    };
    let key = |position: &Position| (position.scope.to_column(), position.name.to_string());
    let begin = after.as_ref().map_or(0, |after| {
        matching.partition_point(|row| key(&position(row)) <= key(after))
    });
    let most = limit.map_or(usize::MAX, |limit| limit as usize);
    let shown = &matching[begin..matching.len().min(begin.saturating_add(most))];
    for (index, row) in shown.iter().enumerate() {
        if index > 0 {
            out.push(',');
        }
        row.write_wire(out);
    }
    let more = begin + shown.len() < matching.len();
    Ok(Extent {
        total: i64::try_from(matching.len()).unwrap_or(i64::MAX),
        revision: page.extent.revision,
        next: shown.last().filter(|_| more).map(position),
    })
}

/// Where the next page begins, in a form that nobody is tempted to write by hand.
fn write_token(position: &Position) -> String {
    BASE64.encode(json!([position.scope.to_column(), position.name]).to_string())
}

fn read_token(token: &str) -> Result<Position, Problem> {
    let read = || {
        let bytes = BASE64.decode(token).ok()?;
        let (scope, name): (String, String) = serde_json::from_slice(&bytes).ok()?;
        Some(Position {
            scope: scope.parse().ok()?,
            name: name.parse().ok()?,
        })
    };
    read().ok_or_else(|| {
        Problem::new(Code::BadRequest, "`continue` is not from an answer of this API")
            .suggest("begin at the first page")
    })
}
