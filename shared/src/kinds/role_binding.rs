//! RoleBinding: who may do what with which objects, and with the daemon.

use std::sync::Arc;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::{self, Operation, Role, SubjectKind};
use crate::kind::{Action, Cell, Column, Kind, Maker, Meta, Reference, Removal, Report, ScopeType, Spec};
use crate::name::{Name, ObjectRef, Scope};
use crate::problem::near_miss;
use crate::query::LabelSelector;
use crate::resource::PlainStatus;
use crate::tools::{Filter, Pattern};

/// Rights for some subjects: roles on objects, and operations on the daemon. Bindings add up; nothing takes away.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct RoleBinding {
    /// What the binding is for, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Who is granted the rights.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subjects: Option<Vec<Subject>>,
    /// Rights on objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grants: Option<Vec<Grant>>,
    /// Rights on the daemon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operations: Option<Vec<Operation>>,
}

/// Somebody who is granted rights.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Subject {
    /// What sort of subject it is.
    pub kind: SubjectKind,
    /// Its name.
    pub name: Name,
    /// The project that it lives in: for Tokens of a project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<Name>,
}

impl Subject {
    /// The object that it is.
    #[must_use]
    pub fn object(&self) -> ObjectRef {
        ObjectRef {
            kind: self.kind.kind(),
            scope: self.project.clone().map_or(Scope::Cluster, Scope::Project),
            name: self.name.clone(),
        }
    }
}

/// Roles on some objects: on those that everything said here is true of.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Grant {
    /// What may be done. No role implies another.
    pub roles: Vec<Role>,
    /// With objects of which kinds: plurals such as `servers`, or `*` for all.
    pub resources: Vec<String>,
    /// Only with the objects of these names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub names: Option<Vec<Name>>,
    /// Only with objects with these labels: `team=core,tier!=test`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// Only with what is in this project: the project, what lives in it, its servers and its agents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<Name>,
    /// With `run` on servers: patterns of the tools that may be called, as the servers call them. Absent allows all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<String>>,
}

/// What stands for every kind.
const ALL_KINDS: &str = "*";

impl Grant {
    /// The grant as it is declared.
    #[must_use]
    pub fn of(grant: &access::Grant) -> Self {
        let access::Reach {
            kind,
            name,
            labels,
            project,
        } = &grant.reach;
        Self {
            roles: grant.roles.clone(),
            resources: vec![kind.map_or(ALL_KINDS, |kind| kind.meta().plural).to_owned()],
            names: name.clone().map(|name| vec![name]),
            selector: labels.as_ref().map(ToString::to_string),
            project: project.clone(),
            tools: grant
                .tools
                .as_ref()
                .map(|tools| tools.allowed().map(str::to_owned).collect()),
        }
    }

    /// The grants that it comes to, by that rule. One that cannot be read grants nothing.
    #[must_use]
    pub fn resolved(&self, rule: &Arc<str>) -> Vec<access::Grant> {
        let labels = match self.selector.as_deref().map(str::parse::<LabelSelector>) {
            None => None,
            Some(Ok(labels)) => Some(labels),
            Some(Err(_)) => return Vec::new(),
        };
        let tools = match self.tools.as_deref().map(|tools| Filter::parse(Some(tools), None)) {
            None => None,
            Some(Ok(tools)) => Some(tools),
            Some(Err(_)) => return Vec::new(),
        };
        let names = match &self.names {
            None => vec![None],
            Some(names) => names.iter().cloned().map(Some).collect(),
        };
        let kinds = self.resources.iter().filter_map(|resource| kind_of(resource).ok());
        let reaches = kinds.flat_map(|kind| {
            let labels = &labels;
            names.iter().map(move |name| access::Reach {
                kind,
                name: name.clone(),
                labels: labels.clone(),
                project: self.project.clone(),
            })
        });
        reaches
            .map(|reach| access::Grant {
                roles: self.roles.clone(),
                reach,
                tools: tools.clone(),
                rule: Arc::clone(rule),
            })
            .collect()
    }

    /// Notes what is wrong with it.
    fn validate(&self, at: &str, report: &mut Report) {
        if self.roles.is_empty() {
            report.missing(&format!("{at}.roles"), "a grant names at least one role");
        }
        if self.resources.is_empty() {
            report
                .missing(&format!("{at}.resources"), "a grant names at least one kind")
                .hint("`*` stands for all of them");
        }
        for (index, resource) in self.resources.iter().enumerate() {
            if let Err(hint) = kind_of(resource) {
                let message = format!("there is no kind `{}`", crate::excerpt::short(resource));
                report.invalid(&format!("{at}.resources[{index}]"), message).hint(hint);
            }
        }
        if let Some(selector) = &self.selector {
            match selector.parse::<LabelSelector>() {
                Err(error) => drop(report.invalid(&format!("{at}.selector"), error.to_string())),
                // Nobody who leaves it empty means everything.
                Ok(labels) if labels.requirements().is_empty() => {
                    let message = "the selector is empty";
                    report
                        .invalid(&format!("{at}.selector"), message)
                        .hint("leave the field out to mean every object");
                }
                Ok(_) => {}
            }
        }
        for (index, pattern) in self.tools.iter().flatten().enumerate() {
            if let Err(error) = pattern.parse::<Pattern>() {
                let at = format!("{at}.tools[{index}]");
                report.invalid(&at, error.to_string()).hint(error.hint());
            }
        }
        if self.tools.is_some() && !self.roles.contains(&Role::Run) {
            report
                .invalid(
                    &format!("{at}.tools"),
                    "tools narrow the role `run`, which is not granted",
                )
                .hint("add `run` to the roles, or take the tools out");
        }
        let has_tools = |resource: &String| matches!(kind_of(resource), Ok(None | Some(Kind::Server)) | Err(_));
        if self.tools.is_some() && !self.resources.is_empty() && !self.resources.iter().any(has_tools) {
            report
                .invalid(
                    &format!("{at}.tools"),
                    format!(
                        "only servers have tools, and the grant is on {}",
                        self.resources.join(", ")
                    ),
                )
                .hint("add `servers` to the resources, or take the tools out");
        }
    }
}

/// The kind that a word stands for; nothing for all of them. Or what to write instead.
fn kind_of(resource: &str) -> Result<Option<Kind>, String> {
    if resource == ALL_KINDS {
        return Ok(None);
    }
    let plurals = || Kind::ALL.iter().map(|kind| kind.meta().plural);
    match Kind::ALL.iter().find(|kind| kind.meta().plural == resource) {
        Some(kind) => Ok(Some(*kind)),
        None => Err(match Kind::from_noun(resource) {
            Some(kind) => format!("write `{}`", kind.meta().plural),
            None => match near_miss(resource, plurals()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("there are: *, {}", plurals().collect::<Vec<_>>().join(", ")),
            },
        }),
    }
}

/// The rights that grants and operations come to, by that rule.
#[must_use]
pub fn rights(grants: Option<&[Grant]>, operations: Option<&[Operation]>, rule: &Arc<str>) -> access::Grants {
    let on_objects = grants.into_iter().flatten();
    let operations = operations.into_iter().flatten();
    access::Grants {
        on_objects: on_objects.flat_map(|grant| grant.resolved(rule)).collect(),
        operations: operations.map(|operation| (*operation, Arc::clone(rule))).collect(),
    }
}

/// Notes what is wrong with grants.
pub(super) fn validate(grants: Option<&[Grant]>, report: &mut Report) {
    for (index, grant) in grants.into_iter().flatten().enumerate() {
        grant.validate(&format!("grants[{index}]"), report);
    }
}

/// The projects that grants are confined to.
pub(super) fn projects(grants: Option<&[Grant]>) -> impl Iterator<Item = Reference> {
    let grants = grants.into_iter().flatten().enumerate();
    grants.filter_map(|(index, grant)| {
        let project = grant.project.as_ref()?;
        Some(Reference::to(
            Kind::Project,
            project,
            &format!("grants[{index}].project"),
        ))
    })
}

impl Spec for RoleBinding {
    type Status = PlainStatus;

    const META: Meta = Meta {
        singular: "rolebinding",
        plural: "rolebindings",
        short: &["rbac"],
        scopes: &[ScopeType::Cluster],
        maker: Maker::User,
        columns: &[
            Column::new("SUBJECTS", Cell::List("spec.subjects")),
            Column::new("GRANTS", Cell::Count("spec.grants")),
            Column::new("OPERATIONS", Cell::List("spec.operations")),
            Column::wide("DESCRIPTION", Cell::Field("spec.description")),
            Column::wide("SET", Cell::Field("status.applySet")),
            Column::new("", Cell::Trouble),
        ],
        actions: &[Action::Rollback],
        removal: Removal::AtOnce,
        name_max: Name::MAX,
        refers_to: &[
            Kind::User,
            Kind::Group,
            Kind::ServiceAccount,
            Kind::Token,
            Kind::Project,
        ],
    };

    fn validate(&self, report: &mut Report) {
        if self.subjects.as_ref().is_none_or(Vec::is_empty) {
            report.missing("subjects", "a binding names whom it grants its rights to");
        }
        for (index, subject) in self.subjects.iter().flatten().enumerate() {
            if subject.project.is_some() && subject.kind != SubjectKind::Token {
                let message = format!("a {} lives in no project", subject.kind);
                report.invalid(&format!("subjects[{index}].project"), message);
            }
        }
        validate(self.grants.as_deref(), report);
        let is_empty = self.grants.as_ref().is_none_or(Vec::is_empty);
        if is_empty && self.operations.as_ref().is_none_or(Vec::is_empty) {
            report
                .missing("grants", "a binding grants roles on objects, or operations")
                .hint("one that is to grant nothing any more is deleted");
        }
    }

    fn references(&self) -> Vec<Reference> {
        let subjects = self.subjects.iter().flatten().enumerate();
        let subjects = subjects.map(|(index, subject)| Reference {
            target: subject.object(),
            ..Reference::to(subject.kind.kind(), &subject.name, &format!("subjects[{index}].name"))
        });
        subjects.chain(projects(self.grants.as_deref())).collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_wrong_with_a_binding_is_told() {
        let ann = json!([{"kind": "User", "name": "ann"}]);
        let grant = |grant: serde_json::Value| json!({"subjects": ann.clone(), "grants": [grant]});
        for (spec, wanted) in [
            (
                json!({}),
                Some(("spec.subjects", "a binding names whom it grants its rights to")),
            ),
            (
                json!({"subjects": [{"kind": "User", "name": "ann", "project": "web"}]}),
                Some(("spec.subjects[0].project", "a User lives in no project")),
            ),
            (
                json!({"subjects": ann.clone(), "grants": [], "operations": []}),
                Some(("spec.grants", "a binding grants roles on objects, or operations")),
            ),
            (json!({"subjects": ann.clone(), "operations": ["logs"]}), None),
            (
                grant(json!({"roles": [], "resources": ["servers"]})),
                Some(("spec.grants[0].roles", "a grant names at least one role")),
            ),
            (
                grant(json!({"roles": ["view"], "resources": ["server"]})),
                Some(("spec.grants[0].resources[0]", "there is no kind `server`")),
            ),
            (
                grant(json!({"roles": ["view"], "resources": ["*"], "selector": ""})),
                Some(("spec.grants[0].selector", "the selector is empty")),
            ),
            (
                grant(json!({"roles": ["view"], "resources": ["*"], "tools": ["read_*"]})),
                Some((
                    "spec.grants[0].tools",
                    "tools narrow the role `run`, which is not granted",
                )),
            ),
            (
                grant(json!({"roles": ["view", "run"], "resources": ["servers", "llms"], "tools": ["read_*"]})),
                None,
            ),
            (
                grant(json!({"roles": ["run"], "resources": ["*"], "tools": ["read_*"]})),
                None,
            ),
            (
                grant(json!({"roles": ["run"], "resources": ["secrets", "llms"], "tools": ["read_*"]})),
                Some((
                    "spec.grants[0].tools",
                    "only servers have tools, and the grant is on secrets, llms",
                )),
            ),
        ] {
            let found = Kind::RoleBinding.definition().parse(&spec).err().unwrap_or_default();
            let found = found
                .first()
                .map(|problem| (problem.pointer.to_string(), problem.message.clone()));
            let wanted = wanted.map(|(at, message): (&str, &str)| (at.to_owned(), message.to_owned()));
            assert_eq!(found, wanted, "{spec}");
        }
    }

    #[test]
    fn a_grant_is_one_for_each_kind_and_name() {
        let grant = Grant {
            roles: vec![Role::View],
            resources: vec!["servers".to_owned(), ALL_KINDS.to_owned(), "no-such-kind".to_owned()],
            names: Some(vec!["a".parse().unwrap(), "b".parse().unwrap()]),
            ..Grant::default()
        };
        let rule = "rolebinding/x".into();
        let reaches: Vec<_> = grant
            .resolved(&rule)
            .into_iter()
            .map(|grant| (grant.reach.kind, grant.reach.name))
            .collect();
        let name = |name: &str| Some(name.parse().unwrap());
        let all = [
            (Some(Kind::Server), name("a")),
            (Some(Kind::Server), name("b")),
            (None, name("a")),
            (None, name("b")),
        ];
        assert_eq!(reaches, all);
        let unreadable = Grant {
            selector: Some("((".to_owned()),
            ..grant
        };
        assert_eq!(unreadable.resolved(&rule), []);
    }
}
