//! Group: users and machines that are granted rights together.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::Subject;
use crate::kind::{Action, Cell, Column, Kind, Maker, Meta, Reference, Removal, Report, ScopeType, Spec};
use crate::name::Name;
use crate::names::Names;
use crate::resource::PlainStatus;

/// Users and service accounts that are granted rights together. Groups do not nest.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Group {
    /// What the group is for, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// The Users in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub users: Option<Vec<Name>>,
    /// The ServiceAccounts in it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_accounts: Option<Vec<Name>>,
}

impl Group {
    /// Whether that one is in it.
    #[must_use]
    pub fn holds(&self, subject: &Subject) -> bool {
        match subject {
            Subject::User(name) => self.users.iter().flatten().any(|member| member == name),
            Subject::ServiceAccount(name) => self.service_accounts.iter().flatten().any(|member| member == name),
            Subject::Daemon | Subject::Anybody => false,
        }
    }

    fn lists(&self) -> [Names<'_>; 2] {
        [
            Names::new("users", Kind::User, self.users.as_ref()),
            Names::new("serviceAccounts", Kind::ServiceAccount, self.service_accounts.as_ref()),
        ]
    }
}

impl Spec for Group {
    type Status = PlainStatus;

    const META: Meta = Meta {
        singular: "group",
        plural: "groups",
        short: &[],
        scopes: &[ScopeType::Cluster],
        maker: Maker::User,
        columns: &[
            Column::new("USERS", Cell::List("spec.users")),
            Column::new("SERVICEACCOUNTS", Cell::List("spec.serviceAccounts")),
            Column::wide("DESCRIPTION", Cell::Field("spec.description")),
            Column::wide("SET", Cell::Field("status.applySet")),
            Column::new("", Cell::Trouble),
        ],
        actions: &[Action::Rollback],
        removal: Removal::AtOnce,
        name_max: Name::MAX,
        refers_to: &[Kind::User, Kind::ServiceAccount],
    };

    fn validate(&self, report: &mut Report) {
        for names in self.lists() {
            names.refuse_repeated(report);
        }
    }

    fn references(&self) -> Vec<Reference> {
        self.lists().into_iter().flat_map(Names::references).collect()
    }
}
