//! What the reconciler asks for, as plain values.
//!
//! Values of secrets pass through here on their way to a child's environment or a request's headers; so nothing in here
//! prints them.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use orch_shared::kinds::server::AllowedHost;
use zeroize::Zeroizing;

/// One copy of a server that is to run.
#[derive(Clone)]
pub struct Launch {
    /// The Instance's uid: names its directory, and marks its processes.
    pub uid: String,
    /// The Instance's name, for people.
    pub instance: String,
    /// The Server's name, for people.
    pub server: String,
    /// What to run, or whom to ask.
    pub source: Source,
    /// The declared environment, secrets resolved. Nothing of the daemon's own goes along but the documented base.
    pub env: Vec<(String, String)>,
    /// Values that are shown as `***` wherever the child's output is stored or shown.
    pub masked: Vec<Zeroizing<String>>,
    /// Where the program starts; the instance's own directory when nothing is said.
    pub working_directory: Option<PathBuf>,
    /// What the program and all it starts may use together.
    pub limits: Limits,
    /// How long the program has to answer the handshake. Installing has a deadline of its own.
    pub startup_deadline: Duration,
    /// How it is checked while it runs.
    pub probe: Probe,
    /// The protocol era this very program is known to speak.
    pub era_hint: Option<Era>,
}

impl fmt::Debug for Launch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.env.iter().map(|(name, _)| name).collect();
        f.debug_struct("Launch")
            .field("uid", &self.uid)
            .field("instance", &self.instance)
            .field("source", &self.source)
            .field("env", &names)
            .field("limits", &self.limits)
            .finish_non_exhaustive()
    }
}

/// Where a server comes from.
#[derive(Debug, Clone)]
pub enum Source {
    /// A program on this machine, with its arguments.
    Command {
        /// The program and its arguments; never empty.
        argv: Vec<String>,
    },
    /// A package of a registry, installed once per version.
    Package(Package),
    /// What runs in a container.
    Container(Container),
    /// A server that runs elsewhere.
    Remote(Remote),
}

/// A package of a registry.
#[derive(Debug, Clone)]
pub struct Package {
    /// Where it is published.
    pub registry: Registry,
    /// Its name there.
    pub name: String,
    /// The version asked for: exact, a range, or nothing for the newest.
    pub version: Option<String>,
    /// The exact version that was resolved earlier; wins over `version`, and needs no network once installed.
    pub pinned: Option<String>,
    /// Which of its programs is run; the one that is called like it, or its only one, when nothing is said.
    pub executable: Option<String>,
    /// Arguments for its program.
    pub args: Vec<String>,
    /// Whether code of the package may run while it is installed.
    pub scripts: InstallScripts,
}

/// A container image.
#[derive(Debug, Clone)]
pub struct Image {
    /// Its reference, as declared.
    pub reference: String,
    /// The program that is the server, run beside the entry point; nothing when the entry point is the server.
    pub command: Option<Vec<String>>,
    /// Arguments for the server.
    pub args: Vec<String>,
    /// When it is pulled.
    pub pull: Pull,
}

/// When an image is pulled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pull {
    /// At every start.
    Always,
    /// When the engine does not have it.
    IfMissing,
    /// Never.
    Never,
}

/// What runs in a container.
#[derive(Debug, Clone)]
pub struct Container {
    /// What is in it.
    pub contents: Contents,
    /// How the server in it is spoken to.
    pub speech: Speech,
    /// What it may reach.
    pub network: Network,
    /// The storage it sees.
    pub volumes: Vec<Volume>,
    /// What it may do with the files of its image.
    pub root: Access,
    /// Capabilities of the kernel that it keeps.
    pub capabilities: Vec<String>,
}

/// What is in a container.
#[derive(Debug, Clone)]
pub enum Contents {
    /// An image, as declared.
    Image(Image),
    /// A package, installed by and run in an image of the daemon's choice.
    Package(Package),
}

/// How the server in a container is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Speech {
    /// Over its standard input and output.
    Stdio,
    /// Over HTTP.
    Http {
        /// In which form.
        transport: RemoteTransport,
        /// The port it listens on in its container.
        port: u16,
        /// The path of its URL.
        path: String,
    },
}

/// What a container may reach.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Network {
    /// Nothing, and nobody reaches it.
    None,
    /// The daemon reaches it; it reaches nothing.
    Internal,
    /// Everything.
    Egress,
    /// These hosts, over HTTP and HTTPS.
    Only(Vec<AllowedHost>),
}

/// Storage that a container sees.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volume {
    /// A path of the engine's machine, or the name of a volume; nothing for an empty directory in memory.
    pub source: Option<String>,
    /// The path in the container.
    pub target: String,
    /// What the container may do with it.
    pub access: Access,
}

/// What a container may do to files.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Access {
    /// Read them.
    #[default]
    ReadOnly,
    /// Change them, too.
    Writable,
}

/// A registry of packages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Registry {
    /// npmjs.org or what npm is configured to use.
    Npm,
    /// pypi.org or what pip and uv are configured to use.
    Pypi,
}

impl fmt::Display for Registry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Npm => "npm",
            Self::Pypi => "pypi",
        })
    }
}

/// Whether code of a package may run while it is installed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum InstallScripts {
    /// No: the default.
    #[default]
    Ignored,
    /// Yes, as the manifest asks for.
    Allowed,
}

/// A server that runs elsewhere.
#[derive(Clone)]
pub struct Remote {
    /// Where it answers.
    pub url: String,
    /// Headers to send, secrets resolved.
    pub headers: Vec<(String, String)>,
    /// How it is spoken to.
    pub transport: RemoteTransport,
}

impl fmt::Debug for Remote {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<_> = self.headers.iter().map(|(name, _)| name).collect();
        f.debug_struct("Remote")
            .field("url", &self.url)
            .field("headers", &names)
            .field("transport", &self.transport)
            .finish()
    }
}

/// How a remote server is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RemoteTransport {
    /// Streamable HTTP, and HTTP with server-sent events where that is not answered.
    #[default]
    Auto,
    /// Streamable HTTP.
    StreamableHttp,
    /// HTTP with server-sent events, as in the revision of 2024-11-05.
    Sse,
}

/// What a program and all it starts may use together. Absent means: as much as there is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Limits {
    /// Memory, in bytes.
    pub memory: Option<u64>,
    /// Processor time, in thousandths of a core.
    pub cpu: Option<u64>,
    /// How many processes and threads.
    pub processes: Option<u64>,
}

impl Limits {
    /// Whether anything is limited at all.
    #[must_use]
    pub const fn is_none(&self) -> bool {
        self.memory.is_none() && self.cpu.is_none() && self.processes.is_none()
    }
}

/// How a running copy is checked.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// The tool that is called; its tools are listed when nothing is said.
    pub tool: Option<String>,
    /// Arguments for the tool.
    pub arguments: serde_json::Map<String, serde_json::Value>,
    /// Time between two checks.
    pub interval: Duration,
    /// How long a check may take.
    pub timeout: Duration,
    /// So many failures in a row are too many.
    pub threshold: u32,
}

impl Default for Probe {
    fn default() -> Self {
        Self {
            tool: None,
            arguments: serde_json::Map::new(),
            interval: Duration::from_secs(30),
            timeout: Duration::from_secs(5),
            threshold: 3,
        }
    }
}

/// The two ways of opening a conversation in the Model Context Protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Era {
    /// `initialize`, up to the revision of 2025-11-25.
    Legacy,
    /// `server/discover`, from the revision of 2026-07-28 on.
    Modern,
}
