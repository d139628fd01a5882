//! SecretBackend: a place where the values of Secrets live, and how the daemon proves there who it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::kind::{
    Action, Cell, Column, Kind, Lookup, Maker, Meta, Reference, Removal, Report, ScopeType, Spec, downcast,
};
use crate::kinds::secret::{Form, Secret};
use crate::name::{Name, ObjectRef};
use crate::quantity::Span;
use crate::resource::{Condition, Phase, Timestamp};
use crate::value::SecretKeyRef;

/// A place where the values of Secrets live: the daemon's own store, or a KV v2 engine of OpenBao or Vault.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct SecretBackend {
    /// What keeps the values.
    #[serde(rename = "type")]
    pub backend_type: BackendType,
    /// Whether values of Secrets that name no backend are put here. Exactly one backend is the default: making another one
    /// it takes that away from the one before. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<bool>,
    /// `openbao`: where the server answers, `https://bao.example.com:8200`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// `openbao`: the path at which the KV v2 engine is mounted. Default: secret.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mount: Option<String>,
    /// `openbao`: what the paths of Secrets begin with, below the mount. It is one daemon's alone. Default: orchctl.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path_prefix: Option<String>,
    /// `openbao`: the namespace that everything is in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// `openbao`: how the daemon proves who it is. Exactly one of its fields is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth: Option<Auth>,
    /// `openbao`: how long one request may take. Default: 5s.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub timeout: Option<Span>,
}

/// What keeps values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum BackendType {
    /// The daemon's own store, sealed with its key.
    Local,
    /// A KV v2 engine of OpenBao or HashiCorp Vault.
    Openbao,
}

/// How the daemon proves who it is.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Auth {
    /// By a token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenAuth>,
    /// By the service account of the pod that the daemon runs in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kubernetes: Option<KubernetesAuth>,
}

/// A token in a Secret, which must live in the daemon's own store.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TokenAuth {
    /// Where the token is.
    pub secret_ref: SecretKeyRef,
    /// The token role by which the token makes its successors. With it the daemon replaces the token every day. Default:
    /// none, and the token stays as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_role: Option<String>,
}

/// The service account of the pod that the daemon runs in.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct KubernetesAuth {
    /// The role to log in with.
    pub role: String,
    /// The path at which the auth method is mounted. Default: kubernetes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_mount: Option<String>,
    /// The file with the account's token. Default: /var/run/secrets/kubernetes.io/serviceaccount/token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_account_token_path: Option<String>,
}

/// What the reconciler reports of a SecretBackend.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct SecretBackendStatus {
    /// How far the backend is from what is declared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phase: Option<Phase>,
    /// What the server says it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// How many Secrets have values there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub secrets: Option<u32>,
    /// How the token fares that the daemon replaces daily.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token: Option<TokenStatus>,
    /// The generation this status is about.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,
    /// Ready, ReferencesResolved, Reachable.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub conditions: Vec<Condition>,
}

/// How a token fares that the daemon replaces daily.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "camelCase")]
pub struct TokenStatus {
    /// In one word.
    pub health: TokenHealth,
    /// When the token was made.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generated_at: Option<Timestamp>,
    /// When it is to be replaced.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renewal_at: Option<Timestamp>,
    /// When it ends, unless it is replaced before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// When replacing it, or revoking the one before, was last tried in vain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failed_at: Option<Timestamp>,
    /// Why that was in vain.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_error: Option<String>,
    /// Accessors of earlier tokens that are still to be revoked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub superseded: Vec<String>,
}

/// How a token fares, in one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub enum TokenHealth {
    /// It is replaced when it should be.
    #[default]
    #[serde(rename = "healthy")]
    Healthy,
    /// It should have been replaced some time ago.
    #[serde(rename = "STALE")]
    Stale,
    /// Replacing it, or revoking the one before, failed; it still works.
    #[serde(rename = "WARNING")]
    Warning,
    /// It does not work any more.
    #[serde(rename = "ERROR")]
    Error,
}

/// The path of the engine when none is given.
pub const MOUNT: &str = "secret";
/// What paths begin with when nothing else is given.
pub const PATH_PREFIX: &str = "orchctl";
/// The path of the auth method when none is given.
pub const AUTH_MOUNT: &str = "kubernetes";
/// The file with the service account's token when none is given.
pub const SERVICE_ACCOUNT_TOKEN: &str = "/var/run/secrets/kubernetes.io/serviceaccount/token";
/// How long a request may take, in seconds, when nothing else is given.
pub const TIMEOUT: u64 = 5;

impl SecretBackend {
    /// The place in the daemon's own store.
    #[must_use]
    pub const fn local() -> Self {
        Self {
            backend_type: BackendType::Local,
            default: None,
            url: None,
            mount: None,
            path_prefix: None,
            namespace: None,
            auth: None,
            timeout: None,
        }
    }

    /// Whether values of Secrets that name no backend are put here.
    #[must_use]
    pub fn is_default(&self) -> bool {
        self.default == Some(true)
    }

    /// Where its token is, when it has one.
    #[must_use]
    pub fn token(&self) -> Option<&TokenAuth> {
        self.auth.as_ref()?.token.as_ref()
    }
}

/// Whether a text is one or more segments of a path, as mounts, prefixes and namespaces have them.
fn is_path(text: &str) -> bool {
    let is_segment = |segment: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
        !segment.is_empty() && segment != "." && segment != ".." && segment.chars().all(plain)
    };
    text.len() <= 253 && text.split('/').all(is_segment)
}

fn check_path(text: Option<&String>, at: &str, report: &mut Report) {
    if let Some(text) = text.filter(|text| !is_path(text)) {
        report
            .invalid(at, format!("`{text}` is not a path"))
            .hint("letters, digits, `-`, `_` and `.`, in parts between single `/`; none at the ends");
    }
}

impl Spec for SecretBackend {
    type Status = SecretBackendStatus;

    const META: Meta = Meta {
        singular: "secretbackend",
        plural: "secretbackends",
        short: &["sb"],
        scopes: &[ScopeType::Cluster],
        maker: Maker::User,
        columns: &[
            Column::new("STATUS", Cell::Field("status.phase")),
            Column::new("TYPE", Cell::Field("spec.type")),
            Column::new("DEFAULT", Cell::Field("spec.default")),
            Column::new("SECRETS", Cell::Field("status.secrets")),
            Column::new("TOKEN", Cell::Field("status.token.health")),
            Column::wide("URL", Cell::Field("spec.url")),
            Column::wide("MOUNT", Cell::Field("spec.mount")),
            Column::wide("SET", Cell::Field("status.applySet")),
            Column::new("", Cell::Trouble),
        ],
        actions: &[Action::Rollback, Action::Rotate],
        removal: Removal::AfterCleanup,
        name_max: Name::MAX,
        refers_to: &[Kind::Secret],
    };

    fn validate(&self, report: &mut Report) {
        match self.backend_type {
            BackendType::Local => self.validate_local(report),
            BackendType::Openbao => self.validate_openbao(report),
        }
    }

    fn references(&self) -> Vec<Reference> {
        let token = self
            .token()
            .map(|token| token.secret_ref.reference("auth.token.secretRef"));
        token.into_iter().collect()
    }

    fn effective(&self) -> Self {
        let is_far = self.backend_type == BackendType::Openbao;
        let usual = |given: &Option<String>, usual: &str| given.clone().or_else(|| is_far.then(|| usual.to_owned()));
        let mut auth = self.auth.clone();
        if let Some(kubernetes) = auth.as_mut().and_then(|auth| auth.kubernetes.as_mut()) {
            kubernetes.auth_mount.get_or_insert_with(|| AUTH_MOUNT.to_owned());
            kubernetes
                .service_account_token_path
                .get_or_insert_with(|| SERVICE_ACCOUNT_TOKEN.to_owned());
        }
        Self {
            default: Some(self.is_default()),
            mount: usual(&self.mount, MOUNT),
            path_prefix: usual(&self.path_prefix, PATH_PREFIX),
            timeout: self.timeout.clone().or_else(|| is_far.then(|| Span::seconds(TIMEOUT))),
            auth,
            ..self.clone()
        }
    }

    /// The token of a backend lives in the daemon's own store: otherwise it would be needed to read itself.
    fn validate_with(&self, others: &dyn Lookup, report: &mut Report) {
        let Some(token) = self.token() else { return };
        let secret = ObjectRef::cluster(Kind::Secret, token.secret_ref.name.clone());
        let Some(secret) = others.spec(&secret).and_then(downcast::<Secret>) else {
            return;
        };
        let value = secret.data.as_ref().and_then(|data| data.get(&token.secret_ref.key));
        if let Some(Form::External { backend, .. }) = value.map(|value| Form::of(value)) {
            report
                .invalid(
                    "auth.token.secretRef",
                    format!(
                        "secret `{}` lives in the backend `{backend}`; the token of a backend must live in the daemon's own store",
                        token.secret_ref.name
                    ),
                )
                .hint("name a Secret whose spec.backend is of type local");
        }
    }
}

impl SecretBackend {
    fn validate_local(&self, report: &mut Report) {
        for (field, is_given) in [
            ("url", self.url.is_some()),
            ("mount", self.mount.is_some()),
            ("pathPrefix", self.path_prefix.is_some()),
            ("namespace", self.namespace.is_some()),
            ("auth", self.auth.is_some()),
            ("timeout", self.timeout.is_some()),
        ] {
            if is_given {
                report
                    .invalid(
                        field,
                        "is for backends of type openbao; this one is the daemon's own store",
                    )
                    .hint("take it out, or say `type: openbao`");
            }
        }
    }

    fn validate_openbao(&self, report: &mut Report) {
        match &self.url {
            None => {
                report
                    .missing("", "a backend of type openbao needs `url`: where the server answers")
                    .hint("url: https://bao.example.com:8200");
            }
            Some(url) => check_url(url, report),
        }
        check_path(self.mount.as_ref(), "mount", report);
        check_path(self.path_prefix.as_ref(), "pathPrefix", report);
        check_path(self.namespace.as_ref(), "namespace", report);
        if let Some(timeout) = &self.timeout
            && !(100..=60_000).contains(&timeout.duration().as_millis())
        {
            report.invalid("timeout", "a request may take between 100ms and 60s");
        }
        let auth = self.auth.clone().unwrap_or_default();
        match (&auth.token, &auth.kubernetes) {
            (Some(_), None) | (None, Some(_)) => {}
            (None, None) => {
                report
                    .missing("", "a backend of type openbao needs `auth.token` or `auth.kubernetes`")
                    .hint("auth: {token: {secretRef: {name: SECRET, key: token}}}");
            }
            (Some(_), Some(_)) => {
                report
                    .invalid("auth", "`token` and `kubernetes` are two ways of proving the same")
                    .hint("keep one of the two");
            }
        }
        if let Some(role) = auth.token.as_ref().and_then(|token| token.token_role.as_ref())
            && (role.contains('/') || !is_path(role))
        {
            report.invalid("auth.token.tokenRole", format!("`{role}` cannot name a token role"));
        }
        if let Some(kubernetes) = &auth.kubernetes {
            if kubernetes.role.is_empty() || kubernetes.role.len() > 253 {
                report.invalid(
                    "auth.kubernetes.role",
                    "the role to log in with has 1 to 253 characters",
                );
            }
            check_path(kubernetes.auth_mount.as_ref(), "auth.kubernetes.authMount", report);
            if let Some(path) = &kubernetes.service_account_token_path
                && (!path.starts_with('/') || path.contains('\0'))
            {
                report.invalid(
                    "auth.kubernetes.serviceAccountTokenPath",
                    format!("`{path}` is not an absolute path"),
                );
            }
        }
    }
}

fn check_url(url: &str, report: &mut Report) {
    let rest = ["http://", "https://"]
        .iter()
        .find_map(|scheme| url.strip_prefix(scheme));
    let host = rest.map(|rest| rest.split('/').next().unwrap_or_default());
    let is_sound =
        host.is_some_and(|host| !host.is_empty()) && !url.contains(|c: char| c.is_whitespace() || c.is_control());
    if !is_sound {
        report.invalid("url", format!("`{url}` is not an http:// or https:// URL"));
    } else if host.is_some_and(|host| host.contains('@')) {
        report
            .invalid("url", "the URL carries a credential")
            .hint("the daemon proves who it is by `auth`");
    } else if url.contains(['?', '#']) {
        report.invalid("url", "the URL ends with its path: no query and no fragment");
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_belongs_together_is_given_together() {
        let token = json!({"token": {"secretRef": {"name": "bao", "key": "token"}}});
        let kubernetes = json!({"kubernetes": {"role": "orchd"}});
        let both = json!({"token": token["token"], "kubernetes": kubernetes["kubernetes"]});
        for (spec, expected) in [
            (json!({"type": "local"}), &[][..]),
            (json!({"type": "local", "default": true}), &[]),
            (json!({"type": "local", "url": "http://x"}), &["spec.url"]),
            (json!({"type": "openbao", "url": "http://x", "auth": token}), &[]),
            (
                json!({"type": "openbao", "url": "https://x:8200/bao", "auth": kubernetes}),
                &[],
            ),
            (json!({"type": "openbao", "auth": token}), &["spec"]),
            (json!({"type": "openbao", "url": "http://x"}), &["spec"]),
            (json!({"type": "openbao", "url": "http://x", "auth": {}}), &["spec"]),
            (
                json!({"type": "openbao", "url": "http://x", "auth": both}),
                &["spec.auth"],
            ),
            (
                json!({"type": "openbao", "url": "ftp://x", "auth": token}),
                &["spec.url"],
            ),
            (
                json!({"type": "openbao", "url": "http://a:b@x", "auth": token}),
                &["spec.url"],
            ),
            (
                json!({"type": "openbao", "url": "http://x?y", "auth": token}),
                &["spec.url"],
            ),
            (
                json!({"type": "openbao", "url": "http://x", "auth": token, "mount": "/kv", "pathPrefix": "a/../b", "namespace": "a//b"}),
                &["spec.mount", "spec.pathPrefix", "spec.namespace"],
            ),
            (
                json!({"type": "openbao", "url": "http://x", "auth": {"kubernetes": {"role": "", "authMount": "k 8", "serviceAccountTokenPath": "token"}}}),
                &[
                    "spec.auth.kubernetes.role",
                    "spec.auth.kubernetes.authMount",
                    "spec.auth.kubernetes.serviceAccountTokenPath",
                ],
            ),
            (
                json!({"type": "openbao", "url": "http://x", "auth": {"kubernetes": {}}}),
                &["spec.auth.kubernetes"],
            ),
            (json!({"type": "vault"}), &["spec.type"]),
        ] {
            let told = match Kind::SecretBackend.definition().parse(&spec) {
                Ok(_) => vec![],
                Err(problems) => problems.iter().map(|problem| problem.pointer.to_string()).collect(),
            };
            assert_eq!(told, expected, "{spec}");
        }
    }

    #[test]
    fn defaults_are_filled_in_for_what_they_belong_to() {
        let read = |spec| serde_json::from_value::<SecretBackend>(spec).unwrap().effective();
        let far = read(json!({"type": "openbao", "url": "http://x", "auth": {"kubernetes": {"role": "r"}}}));
        assert_eq!(
            (far.mount.as_deref(), far.path_prefix.as_deref()),
            (Some(MOUNT), Some(PATH_PREFIX))
        );
        assert_eq!(
            far.auth.unwrap().kubernetes.unwrap().auth_mount.as_deref(),
            Some(AUTH_MOUNT)
        );
        let local = read(json!({"type": "local"}));
        assert_eq!((local.mount, local.timeout, local.default), (None, None, Some(false)));
    }
}
