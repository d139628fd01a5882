//! Objects as the daemon serves them, one by one and list by list.
//!
//! Enters: a reference or a [`Selection`]. Leaves: [`Object`]s, whose spec stays text until somebody looks at it.

use std::cell::OnceCell;

use orch_shared::kind::{AnySpec, Kind};
use orch_shared::kinds::API_VERSION;
use orch_shared::name::{ObjectRef, Scope};
use orch_shared::problem::{Code, Problem, near_miss};
use orch_shared::query::{ListMetadata, ListParameters};
use orch_shared::resource::{Condition, ConditionStatus, Identity, Metadata};
use orch_shared::route;
use orch_shared::seeded;
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};

use super::{Answer, Call, Client};
use crate::report::Failure;
use crate::ui::Ui;

/// How many objects are asked for at a time.
const PAGE: u32 = 1000;

/// An object as the daemon serves it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Object {
    /// Its kind.
    pub(crate) kind: Kind,
    /// Its name and marks.
    pub(crate) metadata: Metadata,
    spec: Box<RawValue>,
    /// What the daemon reports.
    #[serde(default)]
    pub(crate) status: Value,
    #[serde(skip)]
    effective: OnceCell<Value>,
}

impl Object {
    /// Which object this is.
    pub(crate) fn reference(&self) -> ObjectRef {
        ObjectRef {
            kind: self.kind,
            scope: self.metadata.scope(),
            name: self.metadata.name.clone(),
        }
    }

    /// Who it is and when it changed.
    pub(crate) fn identity(&self) -> Option<Identity> {
        serde_json::from_value(self.status.clone()).ok()
    }

    /// How it fares, in a word.
    pub(crate) fn phase(&self) -> &str {
        self.status.get("phase").and_then(Value::as_str).unwrap_or("Pending")
    }

    /// What the daemon found out about it.
    pub(crate) fn conditions(&self) -> Vec<Condition> {
        let found = self.status.get("conditions");
        found.and_then(|found| Vec::deserialize(found).ok()).unwrap_or_default()
    }

    /// Whether it says of itself that it is as it should be.
    pub(crate) fn is_ready(&self) -> bool {
        let ready = |condition: &Condition| condition.condition == "Ready" && condition.status == ConditionStatus::True;
        self.conditions().iter().any(ready)
    }

    /// Which spec it has: a change of the spec gives it a higher one.
    pub(crate) fn generation(&self) -> i64 {
        let generation = self.status.get("generation").and_then(Value::as_i64);
        generation.unwrap_or_default()
    }

    /// The object's uid; empty when the daemon told none.
    pub(crate) fn uid(&self) -> &str {
        self.status.get("uid").and_then(Value::as_str).unwrap_or_default()
    }

    /// What a change compares with: `<uid>.<generation>`.
    pub(crate) fn etag(&self) -> String {
        format!("{}.{}", self.uid(), self.generation())
    }

    /// The spec as it was written.
    pub(crate) fn spec(&self) -> Value {
        serde_json::from_str(self.spec.get()).unwrap_or_default()
    }

    /// The spec with its type; `None` when a newer daemon knows more of the kind than this program.
    pub(crate) fn typed_spec(&self) -> Option<Box<dyn AnySpec>> {
        self.kind.definition().parse_stored(self.spec.get()).ok()
    }

    /// Whether it came with the daemon, and is as it came.
    pub(crate) fn is_as_seeded(&self) -> bool {
        let labels = self.metadata.labels.as_ref();
        labels.is_some_and(|labels| labels.contains_key(seeded::LABEL))
            && seeded::is_untouched(self.kind, &self.metadata, &self.spec())
    }

    /// The manifest: what a user would commit.
    pub(crate) fn manifest(&self) -> Value {
        json!({"apiVersion": API_VERSION, "kind": self.kind, "metadata": self.metadata, "spec": self.spec()})
    }

    /// The manifest and the status.
    pub(crate) fn whole(&self) -> Value {
        let mut whole = self.manifest();
        whole["status"] = self.status.clone();
        whole
    }

    /// The whole object with defaults filled in: what columns, selectors and templates see. Worked out once.
    pub(crate) fn effective(&self) -> &Value {
        self.effective.get_or_init(|| {
            let spec = self
                .typed_spec()
                .map_or_else(|| self.spec(), |spec| spec.effective().to_value());
            json!({
                "apiVersion": API_VERSION,
                "kind": self.kind,
                "metadata": self.metadata,
                "spec": spec,
                "status": self.status,
            })
        })
    }

    /// A field of the whole object, named as columns name it: `status.replicas.ready`.
    pub(crate) fn field(&self, path: &str) -> Option<&Value> {
        // Reading a spec costs more than all else; most columns look at the status only.
        let (root, below) = match path.split_once('.') {
            Some(("status", below)) => (&self.status, below),
            Some(_) | None => (self.effective(), path),
        };
        below.split('.').try_fold(root, |value, key| value.get(key))
    }
}

/// Which objects of a kind are meant.
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection {
    /// Those with these labels.
    pub(crate) labels: Option<String>,
    /// Those with these fields.
    pub(crate) fields: Option<String>,
    /// Of one scope, or of all.
    pub(crate) scope: Scopes,
}

/// One scope or all of them.
#[derive(Debug, Clone)]
pub(crate) enum Scopes {
    /// All.
    All,
    /// This one.
    One(Scope),
}

impl Default for Scopes {
    fn default() -> Self {
        Self::One(Scope::Cluster)
    }
}

impl Selection {
    /// The collection's address and query.
    pub(crate) fn call(&self, kind: Kind, parameters: ListParameters) -> Call {
        let (scope, all_scopes) = match &self.scope {
            Scopes::All => (&Scope::Cluster, Some(true)),
            Scopes::One(scope) => (scope, None),
        };
        Call::get(route::collection(kind, scope)).query(&ListParameters {
            label_selector: self.labels.clone(),
            field_selector: self.fields.clone(),
            all_scopes,
            ..parameters
        })
    }
}

/// What a list found.
#[derive(Debug, Deserialize)]
pub(crate) struct Page {
    /// About the list as a whole.
    pub(crate) metadata: ListMetadata,
    /// The objects.
    pub(crate) items: Vec<Object>,
}

impl Client {
    /// Reads one object.
    pub(crate) fn object(&self, ui: &Ui, object: &ObjectRef) -> Result<Object, Failure> {
        self.send_to(ui, object, &Call::get(route::object(object)))?.json()
    }

    /// Sends a call about one object; that it does not exist is told in one manner, with the name that was probably meant.
    pub(crate) fn send_to(&self, ui: &Ui, object: &ObjectRef, call: &Call) -> Result<Answer, Failure> {
        self.send(ui, call).map_err(|failure| match failure.code() {
            Some(Code::NotFound) => self.not_found(ui, object),
            Some(_) | None => failure,
        })
    }

    /// Reads one object; `None` when it is not there.
    pub(crate) fn find(&self, ui: &Ui, object: &ObjectRef) -> Result<Option<Object>, Failure> {
        match self.send(ui, &Call::get(route::object(object))) {
            Ok(answer) => answer.json().map(Some),
            Err(failure) if failure.code() == Some(Code::NotFound) => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Reads all objects that are meant, page by page; at most `limit` of them. The revision is that of the first page, so that
    /// a watch from there misses nothing.
    pub(crate) fn list(&self, ui: &Ui, kind: Kind, selection: &Selection, limit: Option<u32>) -> Result<Page, Failure> {
        let mut found: Option<Page> = None;
        let mut after = None;
        loop {
            let have = found
                .as_ref()
                .map_or(0, |page| u32::try_from(page.items.len()).unwrap_or(u32::MAX));
            let wanted = limit.map_or(PAGE, |limit| limit.saturating_sub(have).min(PAGE));
            let parameters = ListParameters {
                limit: Some(wanted),
                continue_token: after.take(),
                ..ListParameters::default()
            };
            let page: Page = self.send(ui, &selection.call(kind, parameters))?.json()?;
            after.clone_from(&page.metadata.continue_token);
            let so_far = match found {
                None => page,
                Some(mut so_far) => {
                    so_far.items.extend(page.items);
                    so_far.metadata.continue_token = page.metadata.continue_token;
                    so_far
                }
            };
            let enough = limit.is_some_and(|limit| so_far.items.len() >= usize::try_from(limit).unwrap_or(usize::MAX));
            if after.is_none() || enough {
                return Ok(so_far);
            }
            found = Some(so_far);
        }
    }

    /// The first objects that are meant, without a second try: for when somebody waits for the Tab key.
    pub(crate) fn page_at_once(&self, ui: &Ui, kind: Kind, selection: &Selection) -> Result<Page, Failure> {
        let parameters = ListParameters {
            limit: Some(PAGE),
            ..ListParameters::default()
        };
        self.send(ui, &selection.call(kind, parameters).once())?.json()
    }

    /// The objects that belong to one of that kind, over all kinds that daemons make for it.
    pub(crate) fn owned(&self, ui: &Ui, kind: Kind, uid: &str) -> Result<Vec<Object>, Failure> {
        let selection = Selection {
            fields: Some(format!("status.owner.uid={uid}")),
            scope: Scopes::All,
            ..Selection::default()
        };
        let made_here = Kind::ALL.iter().filter(|made| {
            made.meta().maker == orch_shared::kind::Maker::Daemon && made.meta().refers_to.contains(&kind)
        });
        let mut found = Vec::new();
        for kind in made_here {
            found.extend(self.list(ui, *kind, &selection, None)?.items);
        }
        Ok(found)
    }

    /// That an object does not exist, and which was probably meant.
    pub(crate) fn not_found(&self, ui: &Ui, object: &ObjectRef) -> Failure {
        let failure = Failure::from(Problem::new(Code::NotFound, format!("{object} does not exist")));
        let selection = Selection {
            scope: Scopes::One(object.scope.clone()),
            ..Selection::default()
        };
        let Ok(page) = self.list(ui, object.kind, &selection, Some(PAGE)) else {
            return failure;
        };
        let names = page.items.iter().map(|item| item.metadata.name.as_str());
        let singular = object.kind.meta().singular;
        match near_miss(object.name.as_str(), names) {
            Some(near) => failure.hint(format!("did you mean {singular}/{near}?")),
            None => failure.hint(format!(
                "see what is there: orchctl get {}{}",
                object.kind.meta().plural,
                flag(&object.scope)
            )),
        }
    }
}

/// The flag that says where objects of that scope are looked for, behind a command.
pub(crate) fn flag(scope: &Scope) -> String {
    match scope {
        Scope::Cluster => String::new(),
        Scope::Project(name) => format!(" -p {name}"),
        Scope::Agent(name) => format!(" --agent {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_is_seen_as_written_and_in_effect() {
        let text = r#"{"apiVersion":"orchctl.dev/v1","kind":"Server","metadata":{"name":"files"},
            "spec":{"command":["/bin/x"]},"status":{"uid":"u","generation":3,"phase":"Ready"}}"#;
        let object: Object = serde_json::from_str(text).unwrap();
        assert_eq!(object.etag(), "u.3");
        assert_eq!(object.spec(), json!({"command": ["/bin/x"]}));
        assert_eq!(object.effective()["spec"]["replicas"], 1);
        assert_eq!(object.whole()["status"]["phase"], "Ready");
        assert_eq!(object.phase(), "Ready");
        assert!(!object.is_ready(), "no condition says so");
        assert!(object.manifest().get("status").is_none());
    }
}
