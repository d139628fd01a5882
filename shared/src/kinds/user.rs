//! User: a person who may log in.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kind::{Action, Cell, Column, Maker, Meta, Removal, Report, ScopeType, Spec};
use crate::name::Name;
use crate::resource::PlainStatus;

/// A person. What a person may do is said by RoleBindings; a password is set with `orchctl passwd` and is no part of it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct User {
    /// The person's name, as people write it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub display_name: Option<String>,
    /// Where the person gets mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// Whether the person, and every token of the person's, may do anything. Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub active: Option<bool>,
}

impl User {
    /// Whether the person may do anything.
    #[must_use]
    pub fn is_active(&self) -> bool {
        self.active.unwrap_or(true)
    }
}

impl Spec for User {
    type Status = PlainStatus;

    const META: Meta = Meta {
        singular: "user",
        plural: "users",
        short: &[],
        scopes: &[ScopeType::Cluster],
        maker: Maker::User,
        columns: &[
            Column::new("ACTIVE", Cell::Field("spec.active")),
            Column::new("FULL NAME", Cell::Field("spec.displayName")),
            Column::wide("EMAIL", Cell::Field("spec.email")),
            Column::wide("SET", Cell::Field("status.applySet")),
            Column::new("", Cell::Trouble),
        ],
        actions: &[Action::Rollback],
        removal: Removal::AtOnce,
        name_max: Name::MAX,
        refers_to: &[],
    };

    fn validate(&self, report: &mut Report) {
        if let Some(email) = &self.email
            && !email
                .split_once('@')
                .is_some_and(|(user, host)| !user.is_empty() && !host.is_empty())
        {
            report.invalid("email", format!("`{}` is no address", crate::excerpt::short(email)));
        }
    }

    fn effective(&self) -> Self {
        Self {
            active: Some(self.is_active()),
            ..self.clone()
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::manifest::resource;

    #[test]
    fn nobody_is_called_as_the_daemon_is() {
        for (kind, name, fine) in [
            ("User", "ann", true),
            ("User", "daemons", true),
            ("User", "daemon", false),
            ("User", "orchd", false),
            ("User", "anybody", false),
            ("ServiceAccount", "daemon", true),
        ] {
            let read = resource(&json!({"apiVersion": "orchctl.dev/v1", "kind": kind, "metadata": {"name": name}}));
            let told = read.err().map(|problems| problems[0].pointer.to_string());
            assert_eq!(told, (!fine).then(|| "metadata.name".to_owned()), "{kind} {name}");
        }
    }
}
