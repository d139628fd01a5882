//! ServiceAccount: a machine that asks in its own name.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kind::{Action, Cell, Column, Maker, Meta, Removal, ScopeType, Spec};
use crate::name::Name;
use crate::resource::PlainStatus;

/// A machine: a pipeline, a bot. It shows tokens that belong to it; it has no password.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct ServiceAccount {
    /// What the machine does, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Whether every token of it may do anything. Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
}

impl ServiceAccount {
    /// Whether the machine may do anything.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.active.unwrap_or(true)
    }
}

impl Spec for ServiceAccount {
    type Status = PlainStatus;

    const META: Meta = Meta {
        singular: "serviceaccount",
        plural: "serviceaccounts",
        short: &["sa"],
        scopes: &[ScopeType::Cluster],
        maker: Maker::User,
        columns: &[
            Column::new("ACTIVE", Cell::Field("spec.active")),
            Column::new("DESCRIPTION", Cell::Field("spec.description")),
            Column::wide("SET", Cell::Field("status.applySet")),
            Column::new("", Cell::Trouble),
        ],
        actions: &[Action::Rollback],
        removal: Removal::AtOnce,
        name_max: Name::MAX,
        refers_to: &[],
    };

    fn effective(&self) -> Self {
        Self {
            active: Some(self.is_active()),
            ..self.clone()
        }
    }
}
