//! Logging in, and asking who may do what: the bodies of the API for it, for both ends.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::access::{Operation, Role};
use crate::kind::Kind;
use crate::kinds::role_binding::Grant;
use crate::kinds::token::Surface;
use crate::name::Name;
use crate::resource::Timestamp;

/// The header that names the user in whose place somebody asks. Needs the operation `impersonate`.
pub const IMPERSONATE: &str = "orch-impersonate";

/// The body of `POST /api/v1/login`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct LoginRequest {
    /// The name of the User.
    pub user: String,
    /// The password.
    pub password: String,
}

/// The answer of `POST /api/v1/login`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct LoginAnswer {
    /// Who has logged in.
    pub user: Name,
    /// The credential to send from now on. It is told this once.
    pub token: String,
    /// Until when it is good.
    pub expires_at: Option<Timestamp>,
}

/// The body of `PUT /api/v1/users/{name}/password`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct PasswordChange {
    /// The password until now; needed for one's own, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub current: Option<String>,
    /// The password from now on: at least 12 characters.
    pub password: String,
}

/// The answer of `GET /api/v1/whoami`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct WhoAmI {
    /// The name that history and audit show: `ann`, `serviceaccount/ci`.
    pub principal: String,
    /// The groups it is in.
    #[serde(default)]
    pub groups: Vec<Name>,
    /// The token that was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// The id of the login that was shown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub login: Option<String>,
    /// Who asks in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub impersonated_by: Option<String>,
    /// Which doors the credential opens.
    pub surface: Surface,
    /// What may be done: what every one of these bounds allows.
    pub bounds: Vec<Bound>,
}

/// One bound of what somebody may do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Bound {
    /// With objects, each by its rule.
    pub grants: Vec<Granted>,
    /// With the daemon.
    pub operations: Vec<Operation>,
}

/// A grant and where it comes from.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Granted {
    /// What grants it: `rolebinding/admin`.
    pub rule: String,
    /// What it grants.
    #[serde(flatten)]
    pub grant: GrantedAccess,
}

/// What a grant allows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct GrantedAccess {
    /// What may be done.
    pub roles: Vec<Role>,
    /// With which objects, in words.
    pub reach: String,
    /// Which tools, when not all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<Vec<String>>,
}

impl Granted {
    /// A grant in words.
    #[must_use]
    pub fn of(grant: &crate::access::Grant) -> Self {
        Self {
            rule: grant.rule.to_string(),
            grant: GrantedAccess {
                roles: grant.roles.clone(),
                reach: grant.reach.to_string(),
                tools: Grant::of(grant).tools,
            },
        }
    }
}

/// A login that is open: an item of `GET /api/v1/logins`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct OpenLogin {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub principal: String,
    /// `login`, or `bootstrap` for the credential of the first start.
    pub name: String,
    /// The first characters of the credential.
    pub prefix: String,
    /// When it began.
    pub created_at: Timestamp,
    /// Until when it is good; absent is for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When it was last used, give or take a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_used_at: Option<Timestamp>,
    /// Whether it is the one that this request shows.
    pub is_this: bool,
}

/// The answer of `GET /api/v1/logins`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OpenLogins {
    /// The logins, the newest first.
    pub items: Vec<OpenLogin>,
}

/// The body of `POST /api/v1/access-review`: a role with an object, or an operation.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct AccessReview {
    /// The role.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The operation, instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<Operation>,
    /// With objects of this kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// With the object of this name; absent asks about any of the kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<Name>,
    /// In this project.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub project: Option<Name>,
    /// With this agent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent: Option<Name>,
    /// With this tool of the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tool: Option<String>,
}

/// The answer of `POST /api/v1/access-review`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct AccessAnswer {
    /// Whether it may be done.
    pub allowed: bool,
    /// Who would do it.
    pub principal: String,
    /// What was asked, in words.
    pub asked: String,
    /// The role that it takes as well and that is missing, which the bounds are about then: `view`, without which nothing is
    /// there to be changed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lacking: Option<Role>,
    /// For each bound, what allows it; nothing where nothing does.
    pub bounds: Vec<Option<String>>,
}

/// The body of `POST /api/v1/introspect`.
#[derive(Clone, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Introspect {
    /// The credential to look at.
    pub token: String,
}

/// The answer of `POST /api/v1/introspect`, after RFC 7662: of a credential that opens nothing, only that.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct Introspection {
    /// Whether it opens anything.
    pub active: bool,
    /// Who it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub principal: Option<String>,
    /// The name of the Token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Which doors it opens.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub surface: Option<Surface>,
    /// Until when; absent is for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}
