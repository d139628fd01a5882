//! Project: a set of servers with one MCP endpoint and its rules.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::allowance::Allowance;
use crate::kind::{Action, Cell, Column, Kind, Maker, Meta, Reference, Removal, Report, ScopeType, Spec};
use crate::name::Name;
use crate::names::Names;
use crate::quantity::Size;
use crate::resource::PlainStatus;

/// A set of servers, and of the prompts and agents that name it, behind one MCP endpoint.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Project {
    /// What the project is for, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What every MCP client is told when it connects.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub instructions: Option<String>,
    /// The Servers whose tools the project offers.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub servers: Option<Vec<Name>>,
    /// How long results of tools and resources are handed out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pages: Option<Pages>,
    /// Whether a session must say what it is about before it sees the tools, by calling `begin_session`. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gated: Option<bool>,
    /// Who belongs to the project. That alone gives nobody a right.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub members: Option<Members>,
    /// What may be spent on models for the project, by everybody together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub budget: Option<Allowance>,
}

/// How long results of tools and resources are handed out.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Pages {
    /// Results whose texts are longer are handed out in pages of this size; `"0"` hands out everything at once. Default: 128Ki.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<Size>,
}

/// Who belongs to a project. It is written down for people: what somebody may do is said by RoleBindings alone.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Members {
    /// Users.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<Vec<Name>>,
    /// Groups.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub groups: Option<Vec<Name>>,
}

impl Project {
    fn lists(&self) -> [Names<'_>; 3] {
        let members = self.members.as_ref();
        let users = members.and_then(|members| members.users.as_ref());
        let groups = members.and_then(|members| members.groups.as_ref());
        [
            Names::new("servers", Kind::Server, self.servers.as_ref()),
            Names::new("members.users", Kind::User, users),
            Names::new("members.groups", Kind::Group, groups),
        ]
    }

    /// The size of a page, in bytes; nothing when results are handed out whole.
    #[must_use]
    pub fn page_size(&self) -> Option<u64> {
        let size = self.pages.as_ref().and_then(|pages| pages.size.as_ref());
        Some(size.map_or(128 << 10, Size::bytes)).filter(|size| *size > 0)
    }
}

impl Spec for Project {
    type Status = PlainStatus;

    const META: Meta = Meta {
        singular: "project",
        plural: "projects",
        short: &["proj"],
        scopes: &[ScopeType::Cluster],
        maker: Maker::User,
        columns: &[
            Column::new("STATUS", Cell::Field("status.phase")),
            Column::new("SERVERS", Cell::List("spec.servers")),
            Column::new("GATED", Cell::Field("spec.gated")),
            Column::wide("DESCRIPTION", Cell::Field("spec.description")),
            Column::wide("SET", Cell::Field("status.applySet")),
            Column::new("", Cell::Trouble),
        ],
        actions: &[Action::Rollback],
        removal: Removal::AtOnce,
        name_max: Name::MAX,
        refers_to: &[Kind::Server, Kind::User, Kind::Group],
    };

    fn validate(&self, report: &mut Report) {
        for names in self.lists() {
            names.refuse_repeated(report);
        }
        if let Some(budget) = &self.budget {
            budget.validate(report);
        }
    }

    fn references(&self) -> Vec<Reference> {
        self.lists().into_iter().flat_map(Names::references).collect()
    }

    fn effective(&self) -> Self {
        Self {
            gated: Some(self.gated.unwrap_or(false)),
            budget: self.budget.as_ref().map(Allowance::effective),
            ..self.clone()
        }
    }
}
