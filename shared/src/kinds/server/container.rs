//! Where copies run and what they may use there; for a container also its network and its volumes.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Server, Transport};
use crate::kind::Report;
use crate::quantity::{Cpu, Size};

/// Where copies run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Runtime {
    /// As a process on the daemon's machine.
    Process,
    /// As a container of a Docker engine.
    Docker,
    /// As a pod of a Kubernetes cluster.
    Kubernetes,
}

/// What one copy may use at most.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Resources {
    /// Processor time, in cores.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cpu: Option<Cpu>,
    /// Memory of the whole process tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub memory: Option<Size>,
    /// Processes and threads of the whole tree.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1))]
    pub pids: Option<u32>,
}

/// What a container may reach.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Network {
    /// How far it reaches.
    pub mode: NetworkMode,
    /// With `egress`: the hosts it may reach over HTTP and HTTPS, as `api.example.com`, `*.example.com` or
    /// `git.example.com:8443`; without a port, 80 and 443. Nothing else is reached then. Left open: everything.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub allow: Option<Vec<String>>,
}

/// How far a container reaches.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum NetworkMode {
    /// Nowhere, and nobody reaches it. Default for stdio.
    None,
    /// The daemon reaches it; it reaches neither other containers nor the world. Default for HTTP.
    Internal,
    /// It reaches the world, or the hosts that `allow` names.
    Egress,
}

impl NetworkMode {
    /// The mode's name in manifests.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Internal => "internal",
            Self::Egress => "egress",
        }
    }
}

/// Storage that a container sees.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Volume {
    /// An absolute path on the engine's machine, which must exist, or the name of a volume of the engine, which is made
    /// when it is missing and never removed. Left open: an empty directory in memory, gone with the container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// The absolute path in the container.
    pub target: String,
    /// Whether the container may only read it. Default: false.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub read_only: Option<bool>,
}

/// A host that a container may reach: a name, a pattern that begins with `*.`, or an address; and a port.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AllowedHost {
    /// The name without a leading `*.`, in lower case; or the address.
    pub name: String,
    /// Whether names below it are meant, not itself.
    pub below: bool,
    /// The port; nothing means 80 and 443.
    pub port: Option<u16>,
}

impl AllowedHost {
    /// Reads an entry of `network.allow`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (host, port) = match text.rsplit_once(':') {
            // The colons of an address of version 6 stand in brackets.
            Some((host, port)) if !text.ends_with(']') => (host, Some(port.parse().ok().filter(|port| *port > 0)?)),
            Some(_) | None => (text, None),
        };
        if let Some(address) = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            let address: core::net::Ipv6Addr = address.parse().ok()?;
            return Some(Self {
                name: address.to_string(),
                below: false,
                port,
            });
        }
        let (name, below) = host.strip_prefix("*.").map_or((host, false), |rest| (rest, true));
        let is_label = |label: &str| {
            !label.is_empty()
                && label.len() <= 63
                && !label.starts_with('-')
                && !label.ends_with('-')
                && label
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
        };
        let fits = name.len() <= 253 && name.split('.').all(is_label);
        fits.then(|| Self {
            name: name.to_ascii_lowercase(),
            below,
            port,
        })
    }

    /// Whether a host, in lower case and without a dot at its end, and a port are meant.
    #[must_use]
    pub fn covers(&self, host: &str, port: u16) -> bool {
        let port_fits = self.port.map_or(port == 80 || port == 443, |allowed| allowed == port);
        let name_fits = if self.below {
            host.strip_suffix(self.name.as_str())
                .is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
        } else {
            host == self.name
        };
        port_fits && name_fits
    }
}

impl Server {
    /// Whether copies run in containers, as far as the spec alone tells.
    #[must_use]
    pub fn is_contained(&self) -> bool {
        self.image.is_some() || matches!(self.runtime, Some(Runtime::Docker | Runtime::Kubernetes))
    }

    /// Whether copies are reached over HTTP.
    #[must_use]
    pub fn is_http(&self) -> bool {
        matches!(self.transport, Some(Transport::StreamableHttp | Transport::Sse))
    }

    /// How far a copy in a container reaches.
    #[must_use]
    pub fn network_mode(&self) -> NetworkMode {
        match &self.network {
            Some(network) => network.mode,
            None if self.is_http() => NetworkMode::Internal,
            None => NetworkMode::None,
        }
    }

    /// What must hold of a copy's container.
    pub(super) fn validate_container(&self, at: &dyn Fn(&str) -> String, report: &mut Report) {
        match self.runtime {
            Some(Runtime::Process) if self.image.is_some() => {
                report
                    .invalid(&at("runtime"), "an image does not run as a process")
                    .hint("docker, or remove the field");
            }
            Some(Runtime::Docker | Runtime::Kubernetes) if self.command.is_some() => {
                report
                    .invalid(
                        &at("runtime"),
                        "a command is a program of the daemon's machine, not of a container",
                    )
                    .hint("give the program as image.command, or remove the field");
            }
            Some(Runtime::Process | Runtime::Docker | Runtime::Kubernetes) | None => {}
        }
        // What a template leaves open is seen once it is filled in.
        let contained = self.is_contained() || self.template.is_some();
        for (field, given) in [("network", self.network.is_some()), ("volumes", self.volumes.is_some())] {
            if given && !contained {
                report
                    .invalid(&at(field), "only a container has it")
                    .hint("set runtime: docker, or remove the field");
            }
        }
        if self.is_contained() {
            self.validate_address(at, report);
        }
        if let Some(network) = &self.network {
            network.validate(&at("network"), report);
        }
        let volumes = self.volumes.as_deref().unwrap_or_default();
        for (index, volume) in volumes.iter().enumerate() {
            volume.validate(&at(&format!("volumes[{index}]")), report);
            if volumes[..index].iter().any(|other| other.target == volume.target) {
                report.invalid(
                    &at(&format!("volumes[{index}].target")),
                    format!("`{}` is there already", volume.target),
                );
            }
        }
    }

    fn validate_address(&self, at: &dyn Fn(&str) -> String, report: &mut Report) {
        if self.is_http() {
            if self.container_port.is_none() {
                report
                    .missing(
                        &at("containerPort"),
                        "nothing says on which port it listens in its container",
                    )
                    .hint("such as containerPort: 8080");
            }
            if self
                .network
                .as_ref()
                .is_some_and(|network| network.mode == NetworkMode::None)
            {
                report
                    .invalid(&at("network.mode"), "without a network nobody reaches an HTTP server")
                    .hint("internal, or egress");
            }
            return;
        }
        for (field, given) in [
            ("containerPort", self.container_port.is_some()),
            ("path", self.path.is_some()),
        ] {
            if given {
                report
                    .invalid(&at(field), "a server on standard input and output has no address")
                    .hint("set transport: streamable-http, or remove the field");
            }
        }
    }
}

impl Network {
    fn validate(&self, at: &str, report: &mut Report) {
        let Some(allow) = &self.allow else { return };
        match self.mode {
            NetworkMode::Egress if allow.is_empty() => {
                report
                    .invalid(&format!("{at}.allow"), "no host is allowed")
                    .hint("name hosts, or set mode: internal");
            }
            NetworkMode::Egress => {}
            NetworkMode::None | NetworkMode::Internal => {
                report
                    .invalid(
                        &format!("{at}.allow"),
                        format!("mode {} reaches no host", self.mode.as_str()),
                    )
                    .hint("set mode: egress, or remove the field");
            }
        }
        for (index, host) in allow.iter().enumerate() {
            if AllowedHost::parse(host).is_none() && !host.contains("${") {
                report
                    .invalid(&format!("{at}.allow[{index}]"), format!("{host:?} is not a host"))
                    .hint("such as api.example.com, *.example.com or git.example.com:8443");
            }
        }
    }
}

impl Volume {
    fn validate(&self, at: &str, report: &mut Report) {
        let is_place = |text: &str| text.contains("${");
        let steps_back = |path: &str| path.split('/').any(|part| part == "..");
        let target = self.target.as_str();
        if !is_place(target)
            && (!target.starts_with('/') || target.trim_end_matches('/').is_empty() || steps_back(target))
        {
            report
                .invalid(
                    &format!("{at}.target"),
                    format!("{target:?} is not an absolute path below `/`"),
                )
                .hint("such as /data");
        }
        let Some(source) = self.source.as_deref().filter(|source| !is_place(source)) else {
            return;
        };
        let is_name = source.len() > 1
            && source.starts_with(|first: char| first.is_ascii_alphanumeric())
            && source
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte));
        if !is_name && (!source.starts_with('/') || steps_back(source)) {
            report
                .invalid(
                    &format!("{at}.source"),
                    format!("{source:?} is neither an absolute path nor the name of a volume"),
                )
                .hint("such as /srv/data or team-data; leave it out for an empty directory");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_entry_covers() {
        for (entry, host, port, covered) in [
            ("api.example.com", "api.example.com", 443, true),
            ("api.example.com", "api.example.com", 80, true),
            ("api.example.com", "api.example.com", 22, false),
            ("API.example.com", "api.example.com", 443, true),
            ("api.example.com", "xapi.example.com", 443, false),
            ("api.example.com", "api.example.com.evil.test", 443, false),
            ("*.example.com", "a.b.example.com", 443, true),
            ("*.example.com", "example.com", 443, false),
            ("*.example.com", "evilexample.com", 443, false),
            ("*.example.com", ".example.com", 443, false),
            ("git.example.com:8443", "git.example.com", 8443, true),
            ("git.example.com:8443", "git.example.com", 443, false),
            ("127.0.0.1:7420", "127.0.0.1", 7420, true),
            ("[::1]:80", "::1", 80, true),
        ] {
            let allowed = AllowedHost::parse(entry).unwrap_or_else(|| panic!("{entry} is a host"));
            assert_eq!(allowed.covers(host, port), covered, "{entry} {host}:{port}");
        }
    }

    #[test]
    fn what_is_no_entry() {
        for entry in [
            "", "*", "*.", "a b", "http://a", "a/b", "a:", "a:0", "a:99999", "-a", "a..b", "[::1", "*.*.a",
        ] {
            assert_eq!(AllowedHost::parse(entry), None, "{entry}");
        }
    }
}
