//! Token: a credential for programs, narrower than whoever it belongs to.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::llm::Limits;
use super::role_binding::{self, Grant};
use crate::access::{Operation, Subject};
use crate::allowance::Allowance;
use crate::kind::{Action, Cell, Column, Kind, Maker, Meta, Reference, Removal, Report, ScopeType, Spec};
use crate::name::{Name, ObjectRef, Scope};
use crate::quantity::Span;
use crate::resource::Timestamp;

/// A credential for programs. It belongs to whoever makes it, or to the service account that it names, and may do at most
/// what that one may do at that moment. It is shown once, when it is made, and does not change afterwards.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Token {
    /// What the token is for, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The service account that it belongs to. Default: it belongs to whoever makes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account: Option<Name>,
    /// What it may do beside `grants` and `operations`. Default: empty.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rbac: Option<Rbac>,
    /// What it may do with objects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grants: Option<Vec<Grant>>,
    /// What it may do with the daemon.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operations: Option<Vec<Operation>>,
    /// The projects that it is confined to. Absent does not confine, an empty list allows nothing. A token that lives in a
    /// project is confined to that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub projects: Option<Vec<ProjectScope>>,
    /// How long it is good for, from when it is made. Default: for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ttl: Option<Span>,
    /// Until when it is good, instead of `ttl`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// Which doors it opens. Default: any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surface: Option<Surface>,
    /// How much may be asked of models with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// What may be spent on models with it. It bounds this token alone, and no other of the same owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Allowance>,
}

/// What a token may do beside what its spec lists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Rbac {
    /// Nothing.
    #[default]
    Empty,
    /// What whoever makes it may do at that moment, and no more when that grows.
    Clone,
    /// Whatever its owner may do.
    Owner,
}

/// Which doors a token opens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub enum Surface {
    /// All of them.
    #[default]
    Any,
    /// The MCP gateway alone.
    Mcp,
}

/// A project that a token is confined to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ProjectScope {
    /// The project.
    pub name: Name,
    /// Until when it opens this one. Default: as long as the token is good.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

/// What the daemon reports of a token.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenStatus {
    /// Whether it opens anything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<TokenPhase>,
    /// Whom it belongs to: `ann`, `serviceaccount/ci`. Not called `owner`, which in every status is the object that an
    /// object goes with.
    #[serde(rename = "principal", default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// The first characters of it, to tell it by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix: Option<String>,
    /// Until when it is good; absent is for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it was last used, give or take ten minutes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
    /// When it was revoked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
    /// Whether it may start builds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub may_trigger: Option<bool>,
    /// The uid of the token that it was made with, when it was made with one: it opens nothing once that one is revoked,
    /// deleted or over, and its projects no longer than that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub made_with: Option<String>,
    /// With `rbac: clone`, what its maker could do: one list for each bound.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub cloned: Vec<ClonedRights>,
}

/// What somebody could do when a token was made.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClonedRights {
    /// With objects.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub grants: Vec<Grant>,
    /// With the daemon.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub operations: Vec<Operation>,
}

/// Whether a token opens anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum TokenPhase {
    /// It does.
    Active,
    /// Its time is over.
    Expired,
    /// Somebody has revoked it.
    Revoked,
}

impl Token {
    /// The token that a credential names: `ci`, or `web/ci` of one that lives in a project.
    #[must_use]
    pub fn called(shown: &str) -> Option<ObjectRef> {
        let (scope, name) = match shown.split_once('/') {
            Some((project, name)) => (Scope::Project(project.parse().ok()?), name),
            None => (Scope::Cluster, shown),
        };
        Some(ObjectRef {
            kind: Kind::Token,
            scope,
            name: name.parse().ok()?,
        })
    }

    /// Until when one that is made at that instant is good.
    #[must_use]
    pub fn end(&self, made_at: Timestamp) -> Option<Timestamp> {
        let by_ttl = self.ttl.as_ref().map(|ttl| made_at.after(ttl.duration()));
        self.expires_at.or(by_ttl)
    }
}

impl TokenStatus {
    /// Whether the token opens anything at that instant.
    #[must_use]
    pub fn phase_at(&self, now: Timestamp) -> TokenPhase {
        if self.revoked_at.is_some() {
            TokenPhase::Revoked
        } else if self.expires_at.is_some_and(|end| end <= now) {
            TokenPhase::Expired
        } else {
            TokenPhase::Active
        }
    }

    /// Whom it belongs to.
    #[must_use]
    pub fn owner(&self) -> Option<Subject> {
        Subject::of_principal(self.owner.as_deref()?)
    }
}

impl Spec for Token {
    type Status = TokenStatus;

    const META: Meta = Meta {
        singular: "token",
        plural: "tokens",
        short: &[],
        scopes: &[ScopeType::Cluster, ScopeType::Project],
        maker: Maker::User,
        columns: &[
            Column::new("STATUS", Cell::Field("status.phase")),
            Column::new("OWNER", Cell::Field("status.principal")),
            Column::new("PROJECTS", Cell::List("spec.projects")),
            Column::new("EXPIRES", Cell::Until("status.expiresAt")),
            Column::new("LAST USED", Cell::Age("status.lastUsedAt")),
            Column::wide("PREFIX", Cell::Field("status.prefix")),
            Column::wide("SURFACE", Cell::Field("spec.surface")),
            Column::wide("DESCRIPTION", Cell::Field("spec.description")),
            Column::wide("SET", Cell::Field("status.applySet")),
        ],
        actions: &[Action::Revoke, Action::AllowTrigger],
        removal: Removal::AtOnce,
        name_max: Name::MAX,
        refers_to: &[Kind::ServiceAccount, Kind::Project],
    };

    fn validate(&self, report: &mut Report) {
        if self.ttl.is_some() && self.expires_at.is_some() {
            report
                .invalid("expiresAt", "a token has a `ttl` or an `expiresAt`, not both")
                .hint("leave both out for a token that is good for ever");
        }
        let projects = self.projects.as_deref().unwrap_or_default();
        for (index, scope) in projects.iter().enumerate() {
            if let Some(first) = projects[..index].iter().position(|other| other.name == scope.name) {
                let message = format!("`{}` is already listed at projects[{first}]", scope.name);
                report.invalid(&format!("projects[{index}].name"), message);
            }
        }
        role_binding::validate(self.grants.as_deref(), report);
        if let Some(budget) = &self.budget {
            budget.validate(report);
        }
    }

    fn references(&self) -> Vec<Reference> {
        let account = self.service_account.iter();
        let account = account.map(|name| Reference::to(Kind::ServiceAccount, name, "serviceAccount"));
        let projects = self.projects.iter().flatten().enumerate();
        let projects = projects
            .map(|(index, scope)| Reference::to(Kind::Project, &scope.name, &format!("projects[{index}].name")));
        account
            .chain(projects)
            .chain(role_binding::projects(self.grants.as_deref()))
            .collect()
    }

    fn effective(&self) -> Self {
        Self {
            rbac: Some(self.rbac.unwrap_or_default()),
            surface: Some(self.surface.unwrap_or_default()),
            budget: self.budget.as_ref().map(Allowance::effective),
            ..self.clone()
        }
    }
}
