//! What is seen of a copy: where it stands, what it answered, how it ended, why it cannot work.
//!
//! Everything in here is safe to store and to show: text that came from a child or a remote server has been masked.

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use orch_shared::kinds::instance::ContainerStatus;
use orch_shared::problem::Code;
use orch_shared::resource::Timestamp;

use super::launch::Era;
use super::tools;

/// A copy, as it is now.
#[derive(Debug, Clone, PartialEq)]
pub struct Observation {
    /// The Instance's name.
    pub instance: String,
    /// The Server's name.
    pub server: String,
    /// Where it stands.
    pub state: State,
    /// Since when.
    pub since: Timestamp,
    /// The process, while there is one.
    pub pid: Option<u32>,
    /// How often it was started by this daemon, counting from 1.
    pub attempt: u32,
    /// The exact version of its package and where that is installed, once known.
    pub resolved: Option<ResolvedPackage>,
    /// The newest protocol era it is known to speak: the hint for its next start.
    pub era: Option<Era>,
    /// Whether its limits hold.
    pub limits: Enforced,
    /// How it fares, while it runs.
    pub health: Option<Health>,
    /// How it ended last.
    pub last_exit: Option<Exit>,
    /// How far installing has come, in a clause.
    pub progress: Option<String>,
    /// What its engine says of the container it runs, or ran, in.
    pub container: Option<ContainerStatus>,
}

/// How a running copy fares.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Health {
    /// In a word.
    pub state: HealthState,
    /// How many checks or calls failed in a row.
    pub failures: u32,
    /// What the last failure was, in a clause.
    pub last_error: Option<String>,
    /// When it was last checked.
    pub checked_at: Option<Timestamp>,
}

/// How a running copy fares, in a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HealthState {
    /// The tool that is to show it has not answered yet.
    Unknown,
    /// It answers.
    Healthy,
    /// It has failed, but not often enough to be given up.
    Degraded,
    /// It has failed too often in a row.
    Unhealthy,
}

/// Where a copy stands.
#[derive(Debug, Clone, PartialEq)]
pub enum State {
    /// Its package is being installed, or its image pulled.
    Installing,
    /// It is being started, and has not answered the handshake.
    Starting,
    /// It has answered.
    Running(Answer),
    /// It is being stopped.
    Stopping,
    /// It ended, by itself or because it was stopped or went over a limit.
    Exited(Exit),
    /// It cannot work as it is.
    Failed(Failure),
}

impl State {
    /// Whether nothing of the copy is left: it can be started again, or forgotten.
    #[must_use]
    pub const fn is_over(&self) -> bool {
        match self {
            Self::Exited(_) | Self::Failed(_) => true,
            Self::Installing | Self::Starting | Self::Running(_) | Self::Stopping => false,
        }
    }
}

/// What a server said of itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answer {
    /// The name it gave, when it gave one.
    pub name: Option<String>,
    /// The version it gave, when it gave one.
    pub version: Option<String>,
    /// The revision of the protocol that is spoken with it.
    pub protocol_version: String,
    /// Its tools; nothing when it did not list them.
    pub tools: Option<Tools>,
}

/// The tools of a server, each once. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tools {
    /// How many.
    pub count: usize,
    /// `sha256:` and a hash over all that is said of them: the same tools have the same digest.
    pub digest: String,
    /// The name of each, and the hash of what is said of it, in the order of the names.
    pub(super) each: Arc<[(String, [u8; 32])]>,
}

impl Tools {
    /// Count and digest of those that are offered.
    #[must_use]
    pub fn offered(&self, is_offered: impl Fn(&str) -> bool) -> (usize, String) {
        let offered: Vec<_> = self.each.iter().filter(|(name, _)| is_offered(name)).collect();
        match offered.len() {
            all if all == self.count => (all, self.digest.clone()),
            count => (count, tools::digest(offered)),
        }
    }
}

/// What a package was resolved to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolvedPackage {
    /// Its name.
    pub name: String,
    /// Its exact version.
    pub version: String,
    /// Where it is installed.
    pub path: PathBuf,
}

/// Whether limits hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Enforced {
    /// None were asked for.
    #[default]
    NotAsked,
    /// The kernel holds them.
    Full,
    /// Some are watched from outside and acted on a moment late, or do not hold at all, as the text says.
    Partial(String),
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq)]
pub struct Exit {
    /// The exit code, unless a signal ended it.
    pub code: Option<i32>,
    /// The signal that ended it, such as `SIGKILL`.
    pub signal: Option<String>,
    /// Who ended it, and why.
    pub cause: Cause,
    /// How long it had run.
    pub after: Duration,
    /// When it ended.
    pub at: Timestamp,
    /// The last lines it wrote that are not protocol, masked, oldest first.
    pub last_lines: Vec<String>,
}

/// Who ended a process, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// It ended by itself, or somebody outside ended it.
    Itself,
    /// It was stopped as asked.
    Stopped,
    /// It was stopped because it did not answer its checks any more: what was the last, in a clause.
    Unhealthy(String),
    /// It went over a limit: which one, in words.
    LimitExceeded(String),
    /// It closed its standard output but went on living; nobody can speak with it.
    ClosedOutput,
    /// It wrote so much to its standard output that is not protocol that it was given up.
    Garbage,
    /// It did not answer the handshake in time.
    Deadline,
    /// It answered the handshake, but not as an MCP server.
    NotMcp,
}

impl Cause {
    /// Why, in a clause; nothing when the daemon knows no more than the exit code tells.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        match self {
            Self::Itself => None,
            Self::Stopped => Some("stopped as asked".to_owned()),
            Self::Unhealthy(error) => Some(format!("it does not answer its health check: {error}")),
            Self::LimitExceeded(limit) => Some(limit.clone()),
            Self::ClosedOutput => Some("it closed its standard output".to_owned()),
            Self::Garbage => Some("it wrote too much to standard output that is not protocol".to_owned()),
            Self::Deadline => Some("it did not answer the MCP handshake in time".to_owned()),
            Self::NotMcp => Some("it answered, but not as an MCP server".to_owned()),
        }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (&self.signal, self.code) {
            (Some(signal), _) => write!(f, "ended by {signal}")?,
            (None, Some(code)) => write!(f, "exited with code {code}")?,
            (None, None) => write!(f, "ended")?,
        }
        write!(f, " after {:.1} s", self.after.as_secs_f64())?;
        match self.cause.reason() {
            Some(reason) => write!(f, ": {reason}"),
            None => Ok(()),
        }
    }
}

/// Why a copy cannot work as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// A program that installing or running the package needs is not there.
    #[error("{program} is not installed, and {purpose} needs it")]
    ToolMissing {
        /// The program.
        program: String,
        /// What needs it.
        purpose: String,
        /// How to get it.
        hint: String,
    },
    /// The package was not installed, and trying the same again will not help.
    #[error("{package} could not be installed: {reason}")]
    InstallFailed {
        /// The package as asked for.
        package: String,
        /// Why, in a clause.
        reason: String,
        /// The last lines the installer wrote.
        last_lines: Vec<String>,
        /// What to do about it.
        hint: Option<String>,
    },
    /// The package was not installed because its registry does not answer.
    #[error("{package} could not be installed: its registry cannot be reached")]
    NoNetwork {
        /// The package as asked for.
        package: String,
        /// The last lines the installer wrote.
        last_lines: Vec<String>,
    },
    /// There is no such program, or it cannot be started.
    #[error("`{command}` cannot be started: {reason}")]
    CommandNotFound {
        /// The program as asked for.
        command: String,
        /// Why, in a clause.
        reason: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// The program did not answer the handshake in time, and was ended.
    #[error("it did not answer the MCP handshake within {} s", deadline.as_secs_f64())]
    StartupDeadline {
        /// How long it had.
        deadline: Duration,
        /// The last lines it wrote that are not protocol.
        last_lines: Vec<String>,
    },
    /// The program answered, but not as an MCP server does.
    #[error("it answered, but not as an MCP server: {reason}")]
    HandshakeFailed {
        /// What it answered, in a clause.
        reason: String,
        /// The last lines it wrote that are not protocol.
        last_lines: Vec<String>,
    },
    /// The engine that runs containers does not answer.
    #[error("the container engine at {host} cannot be used: {reason}")]
    EngineUnavailable {
        /// Where it should answer.
        host: String,
        /// Why, in a clause.
        reason: String,
        /// What to do about it.
        hint: String,
    },
    /// The image is not there, and was not pulled.
    #[error("image {image} cannot be had: {reason}")]
    ImageUnavailable {
        /// Its reference.
        image: String,
        /// Why, in a clause.
        reason: String,
        /// What to do about it.
        hint: Option<String>,
    },
    /// The engine refuses the container, or what was declared cannot be held.
    #[error("the container cannot be {step}: {reason}")]
    ContainerRefused {
        /// Made, or started.
        step: &'static str,
        /// Why, in a clause.
        reason: String,
        /// What to do about it.
        hint: Option<String>,
        /// The last lines it wrote.
        last_lines: Vec<String>,
    },
    /// The remote server does not answer, or not as an MCP server does.
    #[error("{reason}")]
    RemoteUnreachable {
        /// Why, in a sentence without secrets.
        reason: String,
        /// What to do about it.
        hint: Option<String>,
    },
}

impl Failure {
    /// The stable code of it.
    #[must_use]
    pub const fn code(&self) -> Code {
        match self {
            Self::ToolMissing { .. } => Code::ToolMissing,
            Self::InstallFailed { .. } | Self::NoNetwork { .. } => Code::InstallFailed,
            Self::CommandNotFound { .. } => Code::CommandNotFound,
            Self::StartupDeadline { .. } => Code::StartupDeadline,
            Self::HandshakeFailed { .. } => Code::HandshakeFailed,
            Self::RemoteUnreachable { .. } => Code::RemoteUnreachable,
            Self::EngineUnavailable { .. } => Code::EngineUnavailable,
            Self::ImageUnavailable { .. } => Code::ImageUnavailable,
            Self::ContainerRefused { .. } => Code::ContainerRefused,
        }
    }

    /// What it is, in one word.
    #[must_use]
    pub const fn reason(&self) -> &'static str {
        match self {
            Self::ToolMissing { .. } => "ToolMissing",
            Self::InstallFailed { .. } => "InstallFailed",
            Self::NoNetwork { .. } => "NoNetwork",
            Self::CommandNotFound { .. } => "CommandNotFound",
            Self::StartupDeadline { .. } => "StartupDeadline",
            Self::HandshakeFailed { .. } => "HandshakeFailed",
            Self::RemoteUnreachable { .. } => "RemoteUnreachable",
            Self::EngineUnavailable { .. } => "EngineUnavailable",
            Self::ImageUnavailable { .. } => "ImageUnavailable",
            Self::ContainerRefused { .. } => "ContainerRefused",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::ToolMissing { hint, .. } | Self::EngineUnavailable { hint, .. } => Some(hint.clone()),
            Self::InstallFailed { hint, .. }
            | Self::ImageUnavailable { hint, .. }
            | Self::ContainerRefused { hint, .. }
            | Self::CommandNotFound { hint, .. }
            | Self::RemoteUnreachable { hint, .. } => hint.clone(),
            Self::NoNetwork { .. } => {
                Some("check the network, or the proxy and registry settings of the daemon's environment".to_owned())
            }
            Self::StartupDeadline { .. } => {
                Some("look at its log; if it only starts slowly, raise spec.healthCheck.startupDeadline".to_owned())
            }
            Self::HandshakeFailed { .. } => {
                Some("the program must speak MCP on its standard input and output".to_owned())
            }
        }
    }

    /// The last lines that the program or its installer wrote, oldest first.
    #[must_use]
    pub fn last_lines(&self) -> &[String] {
        match self {
            Self::InstallFailed { last_lines, .. }
            | Self::NoNetwork { last_lines, .. }
            | Self::StartupDeadline { last_lines, .. }
            | Self::HandshakeFailed { last_lines, .. }
            | Self::ContainerRefused { last_lines, .. } => last_lines,
            Self::ToolMissing { .. }
            | Self::CommandNotFound { .. }
            | Self::RemoteUnreachable { .. }
            | Self::EngineUnavailable { .. }
            | Self::ImageUnavailable { .. } => &[],
        }
    }
}
