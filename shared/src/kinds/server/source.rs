//! Where a Server comes from: a package, an image, somebody else's server, a Template.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::kind::Report;
use crate::name::Name;
use crate::value::{self, NamedValue, Purpose};

/// A package from a registry.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Package {
    /// The registry.
    pub registry: Registry,
    /// The package's name there.
    pub name: String,
    /// Exact version or range, in the registry's own syntax. Left open, the newest is resolved once per generation and
    /// pinned in the status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// Arguments for the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub args: Option<Vec<String>>,
    /// Which of the package's programs to run: a name of npm's `bin`, or a console script of PyPI. Default: its only
    /// one, or the one named like the package.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub executable: Option<String>,
    /// Whether npm may run the package's install scripts. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow_scripts: Option<bool>,
}

/// A package registry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Registry {
    /// The npm registry; needs `node` and `npm` on the daemon's machine.
    Npm,
    /// The Python Package Index; needs `uv`, or `python3` with `venv`.
    Pypi,
}

impl Registry {
    /// The registry's name in manifests.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Npm => "npm",
            Self::Pypi => "pypi",
        }
    }
}

/// A container image.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Image {
    /// Image reference; a digest (`@sha256:...`) pins it.
    pub reference: String,
    /// The server is this program: run in the container beside the image's own entry point, whose standard input is held
    /// open. Left open: the entry point is the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// Arguments for the server: for `command` where it is given, else for the entry point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub args: Option<Vec<String>>,
    /// When to pull. Default: IfNotPresent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pull_policy: Option<PullPolicy>,
    /// Whether the image's files can only be read; `/tmp` and volumes can be written all the same. Default: true.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_only_root: Option<bool>,
    /// Capabilities of the kernel that the container keeps, such as `NET_BIND_SERVICE`. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capabilities: Option<Vec<String>>,
}

/// When an image is pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum PullPolicy {
    /// At every start.
    Always,
    /// When the engine does not have it.
    IfNotPresent,
    /// Never: the image must be there.
    Never,
}

/// A server that somebody else runs.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Remote {
    /// Where it answers: an `http://` or `https://` URL.
    pub url: String,
    /// Headers sent with every request.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub headers: Option<Vec<NamedValue>>,
}

/// A Template and the values for its parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct TemplateUse {
    /// The Template's name.
    pub name: Name,
    /// Values for its parameters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<BTreeMap<String, Value>>,
}

impl Package {
    pub(super) fn validate(&self, at: &str, report: &mut Report) {
        let plain = |text: &str, more: &str| {
            !text.is_empty()
                && !text.starts_with(['-', '.', '/'])
                && text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
                && !text.contains("..")
        };
        let (name, rule) = match self.registry {
            Registry::Npm => {
                let (scope, bare) = match self.name.strip_prefix('@').map(|rest| rest.split_once('/')) {
                    Some(Some((scope, bare))) => (Some(scope), bare),
                    Some(None) => (Some(""), ""),
                    None => (None, self.name.as_str()),
                };
                let ok = scope.is_none_or(|scope| plain(scope, "-._~")) && plain(bare, "-._~");
                (ok, "such as `left-pad` or `@scope/name`")
            }
            Registry::Pypi => (
                plain(&self.name, "-._") && !self.name.contains('@'),
                "such as `mcp-server-time`",
            ),
        };
        if !name && !self.name.contains("${") {
            report
                .invalid(
                    &format!("{at}.name"),
                    format!("`{}` is not a package name of {}", self.name, self.registry.as_str()),
                )
                .hint(rule);
        }
        if let Some(version) = &self.version
            && !version.contains("${")
            && (version.is_empty()
                || version.starts_with('-')
                || version.contains(['/', ':', '\0', '\n'])
                || version.contains("+git"))
        {
            report
                .invalid(&format!("{at}.version"), format!("`{version}` is not a version"))
                .hint("a version or range of the registry, such as 1.2.0 or ^1.2");
        }
        if let Some(executable) = &self.executable
            && !executable.contains("${")
            && (executable.is_empty() || executable.contains(|c: char| c == '/' || c.is_control()))
        {
            report
                .invalid(
                    &format!("{at}.executable"),
                    format!("{executable:?} is not a program of a package"),
                )
                .hint("the program's name alone, without a path");
        }
    }
}

impl Image {
    pub(super) fn validate(&self, at: &str, report: &mut Report) {
        let reference = self.reference.as_str();
        if reference.trim().is_empty() {
            report.invalid(&format!("{at}.reference"), "the image reference is empty");
        } else if !reference.contains("${") {
            let plain = |c: char| c.is_ascii_alphanumeric() || "._-/:@".contains(c);
            let digest = reference.split_once('@').map(|(_, digest)| digest);
            let is_digest = |digest: &str| {
                digest
                    .strip_prefix("sha256:")
                    .is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_hexdigit()))
            };
            if !reference.chars().all(plain)
                || !reference.starts_with(|first: char| first.is_ascii_alphanumeric())
                || reference.contains("://")
                || reference.ends_with([':', '/', '@'])
            {
                report
                    .invalid(
                        &format!("{at}.reference"),
                        format!("{reference:?} is not an image reference"),
                    )
                    .hint("such as ghcr.io/acme/files:1.2 or ghcr.io/acme/files@sha256:...");
            } else if digest.is_some_and(|digest| !is_digest(digest)) {
                report
                    .invalid(&format!("{at}.reference"), "what follows the `@` is not a digest")
                    .hint("sha256: and 64 hexadecimal digits");
            }
        }
        if self
            .command
            .as_ref()
            .is_some_and(|command| command.first().is_none_or(String::is_empty))
        {
            report
                .invalid(&format!("{at}.command"), "the command is empty")
                .hint("the first element is the program; remove the field to run the image's entry point");
        }
        for (index, capability) in self.capabilities.iter().flatten().enumerate() {
            let name = capability.strip_prefix("CAP_").unwrap_or(capability);
            if name.is_empty() || !name.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'_') {
                report
                    .invalid(
                        &format!("{at}.capabilities[{index}]"),
                        format!("{capability:?} is not a capability"),
                    )
                    .hint("such as NET_BIND_SERVICE");
            }
        }
    }
}

impl Remote {
    pub(super) fn validate(&self, at: &str, report: &mut Report) {
        let host = ["http://", "https://"]
            .iter()
            .find_map(|scheme| self.url.strip_prefix(scheme));
        let host = host.map(|rest| rest.split(['/', '?', '#']).next().unwrap_or_default());
        if self.url.contains("${") {
            // A place in a template: checked once it is filled in.
        } else if host.is_none_or(str::is_empty) || self.url.contains([' ', '\n', '\0']) {
            report
                .invalid(
                    &format!("{at}.url"),
                    format!("`{}` is not an http:// or https:// URL", self.url),
                )
                .hint("such as https://mcp.example.com/mcp");
        } else if host.is_some_and(|host| host.contains('@')) {
            report
                .invalid(&format!("{at}.url"), "the URL carries a credential")
                .hint("send it as a header, from a Secret: headers[].valueFrom.secretRef");
        }
        value::validate(
            self.headers.as_deref().unwrap_or_default(),
            &format!("{at}.headers"),
            Purpose::Headers,
            report,
        );
    }
}
