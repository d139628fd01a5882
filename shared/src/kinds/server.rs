//! Server: one MCP server, declared once and kept running as `replicas` Instances.

mod container;
mod source;
mod status;
mod surface;
mod upkeep;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use container::{AllowedHost, Network, NetworkMode, Resources, Runtime, Volume};
pub use source::{Image, Package, PullPolicy, Registry, Remote, TemplateUse};
pub use status::{ReplicaCount, ResolvedPackage, ResolvedTemplate, ServerStatus, ToolSurface};
pub use surface::{Limits, Tools};
pub use upkeep::{HealthCheck, Idle, Restart, SessionLimits, Sessions};

use crate::kind::{
    Action, Cell, Column, Hazard, Kind, Lookup, Maker, Meta, Pending, Reference, Removal, Report, ScopeType, Spec,
    downcast,
};
use crate::kinds::template::{self, Template};
use crate::name::ObjectRef;
use crate::value::{self, NamedValue, Purpose};

/// Keeps `replicas` copies of one MCP server running and healthy. Exactly one source says what to run: `package`,
/// `image`, `command`, `remote` or `template`.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
pub struct Server {
    /// What the server is for, in a sentence.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Source: a package from npm or PyPI, installed once and run directly.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub package: Option<Package>,
    /// Source: a container image.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub image: Option<Image>,
    /// Source: a program on the daemon's machine and its arguments.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<Vec<String>>,
    /// Source: a server that somebody else runs, reached over HTTP.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remote: Option<Remote>,
    /// Source: a Template and its parameters. Stays as written; what it resolved to is in the status. Whatever this server
    /// says beside it goes before what the template says; variables of the environment by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub template: Option<TemplateUse>,
    /// How to talk to it. Default: stdio, or streamable-http for `remote`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transport: Option<Transport>,
    /// The port on which an HTTP transport listens inside its container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 65535))]
    pub container_port: Option<u16>,
    /// The path of an HTTP transport. Default: /mcp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// How many copies to keep running; 0 declares the server without running it. Default: 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(max = 100))]
    pub replicas: Option<u32>,
    /// Where copies run. Default: docker for an image, process for a command; for a package, what the daemon is told with
    /// `--runtime`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime: Option<Runtime>,
    /// Environment variables, beside the documented base.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub env: Option<Vec<NamedValue>>,
    /// Absolute path of the directory to run in. Default: a directory of the instance's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub working_directory: Option<String>,
    /// What a copy may use at most.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,
    /// What the container of a copy may reach.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,
    /// The storage that the container of a copy sees, besides its read-only image and a `/tmp` of its own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub volumes: Option<Vec<Volume>>,
    /// Whether clients share copies or each session gets one of its own. Default: shared.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sessions: Option<Sessions>,
    /// How many sessions there may be, and for how long.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session_limits: Option<SessionLimits>,
    /// How much clients may ask of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limits: Option<Limits>,
    /// Which tools clients may see and call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tools: Option<Tools>,
    /// How to tell whether a running copy is well.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,
    /// How soon a copy that exited is started again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub restart: Option<Restart>,
    /// When to suspend or recycle copies. Default: always on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub idle: Option<Idle>,
}

/// How to talk to a server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Transport {
    /// JSON-RPC over standard input and output.
    Stdio,
    /// Streamable HTTP (MCP 2025-03-26 and later).
    StreamableHttp,
    /// HTTP with server-sent events (MCP 2024-11-05).
    Sse,
}

impl Server {
    /// How many copies to keep running.
    #[must_use]
    pub fn replica_count(&self) -> u32 {
        self.replicas.unwrap_or(1)
    }

    /// What is run, in a line.
    #[must_use]
    pub fn source_line(&self, resolved: Option<&str>) -> String {
        if let Some(package) = &self.package {
            let version = resolved.or(package.version.as_deref());
            let version = version.map(|version| format!(" {version}")).unwrap_or_default();
            format!("{} {}{version}", package.registry.as_str(), package.name)
        } else if let Some(image) = &self.image {
            format!("image {}", image.reference)
        } else if let Some(command) = &self.command {
            format!("command {}", command.join(" "))
        } else if let Some(remote) = &self.remote {
            format!("remote {}", remote.url)
        } else if let Some(template) = &self.template {
            format!("template {}", template.name)
        } else {
            String::new()
        }
    }

    fn sources(&self) -> Vec<&'static str> {
        [
            ("package", self.package.is_some()),
            ("image", self.image.is_some()),
            ("command", self.command.is_some()),
            ("remote", self.remote.is_some()),
            ("template", self.template.is_some()),
        ]
        .into_iter()
        .filter_map(|(name, given)| given.then_some(name))
        .collect()
    }

    /// What must hold wherever a server is described, in a Server or inside a Template.
    pub(crate) fn validate_below(&self, prefix: &str, report: &mut Report) {
        let at = |field: &str| {
            if prefix.is_empty() {
                field.to_owned()
            } else {
                format!("{prefix}.{field}")
            }
        };
        match self.sources()[..] {
            [_] => {}
            [] => {
                report
                    .missing(prefix, "nothing says what to run")
                    .hint("give one of package, image, command, remote or template");
            }
            [first, second, ..] => {
                report
                    .invalid(&at(second), format!("there is already a source: `{first}`"))
                    .hint("keep one of package, image, command, remote and template");
            }
        }
        if let Some(command) = &self.command {
            match command.first().map(String::as_str) {
                None | Some("") => {
                    report
                        .invalid(&at("command"), "the command is empty")
                        .hint("the first element is the program");
                }
                Some(_) if command.iter().any(|argument| argument.contains('\0')) => {
                    report.invalid(&at("command"), "an argument holds a NUL character");
                }
                Some(_) => {}
            }
        }
        if let Some(package) = &self.package {
            package.validate(&at("package"), report);
        }
        if let Some(image) = &self.image {
            image.validate(&at("image"), report);
        }
        if self.remote.is_none() {
            self.validate_container(&at, report);
        }
        if let Some(remote) = &self.remote {
            remote.validate(&at("remote"), report);
            for (field, given) in [
                ("env", self.env.is_some()),
                ("workingDirectory", self.working_directory.is_some()),
                ("resources", self.resources.is_some()),
                ("network", self.network.is_some()),
                ("volumes", self.volumes.is_some()),
                ("runtime", self.runtime.is_some()),
                ("containerPort", self.container_port.is_some()),
            ] {
                if given {
                    report
                        .invalid(
                            &at(field),
                            "a remote server is run by somebody else; this says nothing about it",
                        )
                        .hint("remove the field");
                }
            }
            if self.path.is_some() {
                report
                    .invalid(&at("path"), "the path of a remote server is part of its URL")
                    .hint("write it into remote.url, or remove the field");
            }
            if self.transport == Some(Transport::Stdio) {
                report
                    .invalid(&at("transport"), "a remote server cannot be reached over stdio")
                    .hint("streamable-http or sse");
            }
        }
        value::validate(
            self.env.as_deref().unwrap_or_default(),
            &at("env"),
            Purpose::Environment,
            report,
        );
        if self
            .working_directory
            .as_deref()
            .is_some_and(|path| !path.starts_with('/') && !path.contains("${"))
        {
            report
                .invalid(&at("workingDirectory"), "the path is not absolute")
                .hint("start it with `/`");
        }
        if self.path.as_deref().is_some_and(|path| !path.starts_with('/')) {
            report.invalid(&at("path"), "the path of a URL starts with `/`");
        }
        if let Some(tools) = &self.tools {
            tools.validate(&at("tools"), report);
        }
        upkeep::validate(self, prefix, report);
    }

    /// This server, with what it leaves open taken from another; variables of the environment by name, and of the tools those
    /// that both offer. Nothing when that cannot be written down.
    pub(crate) fn before(self, base: Self) -> Option<Self> {
        let tools = match (self.tools, base.tools) {
            (Some(own), Some(base)) => Some(own.before(base)?),
            (own, base) => own.or(base),
        };
        let env = match (self.env, base.env) {
            (Some(own), Some(base)) => {
                let mut env = base;
                env.retain(|variable| own.iter().all(|other| other.name != variable.name));
                env.extend(own);
                Some(env)
            }
            (own, base) => own.or(base),
        };
        Some(Self {
            description: self.description.or(base.description),
            package: base.package,
            image: base.image,
            command: base.command,
            remote: base.remote,
            template: base.template,
            transport: self.transport.or(base.transport),
            container_port: self.container_port.or(base.container_port),
            path: self.path.or(base.path),
            replicas: self.replicas.or(base.replicas),
            runtime: self.runtime.or(base.runtime),
            env,
            working_directory: self.working_directory.or(base.working_directory),
            resources: self.resources.or(base.resources),
            network: self.network.or(base.network),
            volumes: self.volumes.or(base.volumes),
            sessions: self.sessions.or(base.sessions),
            session_limits: self.session_limits.or(base.session_limits),
            limits: self.limits.or(base.limits),
            tools,
            health_check: self.health_check.or(base.health_check),
            restart: self.restart.or(base.restart),
            idle: self.idle.or(base.idle),
        })
    }

    /// The objects named below `prefix`.
    pub(crate) fn references_below(&self, prefix: &str) -> Vec<Reference> {
        let at = |field: &str| {
            if prefix.is_empty() {
                field.to_owned()
            } else {
                format!("{prefix}.{field}")
            }
        };
        let mut references = value::references(self.env.as_deref().unwrap_or_default(), &at("env"));
        if let Some(headers) = self.remote.as_ref().and_then(|remote| remote.headers.as_deref()) {
            references.extend(value::references(headers, &at("remote.headers")));
        }
        if let Some(template) = &self.template {
            references.push(Reference::to(Kind::Template, &template.name, &at("template.name")));
            references.extend(template::references(template, &at("template")));
        }
        references
    }
}

impl Spec for Server {
    type Status = ServerStatus;

    const META: Meta = Meta {
        singular: "server",
        plural: "servers",
        short: &["srv"],
        scopes: &[ScopeType::Cluster],
        maker: Maker::User,
        columns: &[
            Column::new("STATUS", Cell::Field("status.phase")),
            Column::new("READY", Cell::Ratio("status.replicas.ready", "status.replicas.desired")),
            Column::new("SOURCE", Cell::Field("status.source")),
            Column::new("TOOLS", Cell::Field("status.tools.count")),
            Column::new("RESTARTS", Cell::Field("status.restarts")),
            Column::wide("RUNTIME", Cell::Field("spec.runtime")),
            Column::wide("SESSIONS", Cell::Field("spec.sessions")),
            Column::wide("SET", Cell::Field("status.applySet")),
            Column::new("", Cell::Trouble),
        ],
        actions: &[Action::Rollback, Action::Scale, Action::Restart],
        removal: Removal::AfterCleanup,
        // Leaves room for `-` and five random characters in an instance's name.
        name_max: 57,
        refers_to: &[Kind::Secret, Kind::Template],
    };

    fn validate(&self, report: &mut Report) {
        self.validate_below("", report);
    }

    fn references(&self) -> Vec<Reference> {
        self.references_below("")
    }

    fn validate_with(&self, others: &dyn Lookup, report: &mut Report) {
        let Some(usage) = &self.template else { return };
        let name = ObjectRef::cluster(Kind::Template, usage.name.clone());
        let template = others.spec(&name).and_then(downcast::<Template>);
        if let Some(Err(problems)) = template.map(|template| template.resolve(self, usage)) {
            report.absorb(problems);
        }
    }

    fn effective(&self) -> Self {
        let mut full = self.clone();
        full.replicas.get_or_insert(1);
        // Where a package runs is for the daemon to say, and where a template's server does for the template.
        if self.image.is_some() {
            full.runtime.get_or_insert(Runtime::Docker);
        } else if self.package.is_none() && self.template.is_none() {
            full.runtime.get_or_insert(Runtime::Process);
        }
        full.sessions.get_or_insert(Sessions::Shared);
        let remote = self.remote.is_some();
        full.transport.get_or_insert(if remote {
            Transport::StreamableHttp
        } else {
            Transport::Stdio
        });
        upkeep::fill_in(&mut full);
        if let Some(package) = &mut full.package {
            package.allow_scripts.get_or_insert(false);
        }
        if let Some(image) = &mut full.image {
            image.pull_policy.get_or_insert(PullPolicy::IfNotPresent);
            image.read_only_root.get_or_insert(true);
        }
        if full.is_contained() {
            let mode = full.network_mode();
            full.network.get_or_insert(Network { mode, allow: None });
        }
        full
    }

    fn pending(&self) -> Vec<Pending> {
        // Only what runs in a container, or elsewhere, is reached over HTTP.
        let local = self.remote.is_none() && !self.is_contained();
        let fields = [
            (
                "spec.runtime",
                Hazard::Unsafe,
                self.runtime == Some(Runtime::Kubernetes),
            ),
            ("spec.transport", Hazard::Unsafe, local && self.is_http()),
            (
                "spec.containerPort",
                Hazard::Harmless,
                local && self.container_port.is_some(),
            ),
            ("spec.path", Hazard::Harmless, local && self.path.is_some()),
        ];
        fields
            .into_iter()
            .filter_map(|(path, hazard, used)| used.then_some(Pending { path, hazard }))
            .collect()
    }

    fn scale(&mut self, replicas: u32) -> bool {
        self.replicas = Some(replicas);
        true
    }
}
