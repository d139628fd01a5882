//! The engine: where it is, whether it answers, and what its errors mean.

use std::collections::BTreeSet;
use std::error::Error as _;
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use bollard::Docker;
use bollard::errors::Error;
use tokio_util::sync::CancellationToken;

use super::super::observation::Failure;
use super::labels::Labels;
use super::packages::Installations;
use super::sweep;

/// How long the engine may take to begin an answer, in seconds.
const PATIENCE: u64 = 60;

/// How long a greeting may take: an engine that hangs is told from one that works.
const GREETING: Duration = Duration::from_secs(10);

/// Where the engine listens when nothing is said.
const SOCKET: &str = "unix:///var/run/docker.sock";

/// What the daemon is told of containers.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the engine listens: `unix://` and a path, or `tcp://` and an address.
    pub host: String,
    /// The image that installs and runs npm packages.
    pub runner_npm: String,
    /// The image that installs and runs PyPI packages.
    pub runner_pypi: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            host: SOCKET.to_owned(),
            runner_npm: "node:22-slim".to_owned(),
            runner_pypi: "python:3.13-slim".to_owned(),
        }
    }
}

/// The engine of this daemon. It is first asked when something is to run in a container.
pub(in crate::runtime) struct Engine {
    pub(super) settings: Settings,
    pub(super) labels: Labels,
    pub(super) installations: Installations,
    /// One network is made at a time, and none while unused ones are removed.
    pub(super) making: tokio::sync::Mutex<()>,
    /// How many copies run in containers, or are about to.
    copies: AtomicUsize,
    client: tokio::sync::Mutex<Option<Docker>>,
    /// The copies whose containers may be taken over from an earlier daemon.
    expected: Mutex<BTreeSet<String>>,
    /// Cancelled when the daemon ends and leaves behind what the next one takes over.
    pub(super) leaving: CancellationToken,
}

impl Engine {
    pub(in crate::runtime) fn new(settings: Settings, labels: Labels, installations: Installations) -> Self {
        Self {
            settings,
            labels,
            installations,
            making: tokio::sync::Mutex::default(),
            copies: AtomicUsize::new(0),
            client: tokio::sync::Mutex::default(),
            expected: Mutex::default(),
            leaving: CancellationToken::new(),
        }
    }

    /// The way to an engine that has just answered, or did before. With the first answer, what earlier daemons have left
    /// there is cleared away.
    pub(super) async fn client(&self) -> Result<Docker, Trouble> {
        let mut known = self.client.lock().await;
        if let Some(client) = &*known {
            return Ok(client.clone());
        }
        let connecting = async {
            let client = self.connect()?.negotiate_version().await?;
            let expected = self.expected.lock().unwrap_or_else(PoisonError::into_inner).clone();
            sweep::leftovers(&client, &self.labels, &expected).await?;
            super::network::remove_unused(&client, &self.labels).await;
            Ok::<_, Trouble>(client)
        };
        let client = tokio::time::timeout(GREETING * 3, connecting)
            .await
            .unwrap_or_else(|_| Err(Trouble::away("it does not answer")))?;
        *known = Some(client.clone());
        Ok(client)
    }

    fn connect(&self) -> Result<Docker, Error> {
        let host = self.settings.host.as_str();
        if host.starts_with("tcp://") || host.starts_with("http://") {
            Docker::connect_with_http(host, PATIENCE, bollard::API_DEFAULT_VERSION)
        } else if host.starts_with("unix://") {
            Docker::connect_with_unix(host, PATIENCE, bollard::API_DEFAULT_VERSION)
        } else {
            Err(Error::UnsupportedURISchemeError { uri: host.to_owned() })
        }
    }

    /// The way to the engine, if it was ever needed.
    pub(super) async fn used(&self) -> Option<Docker> {
        self.client.lock().await.clone()
    }

    /// Says which copies' containers may be taken over, and clears away the others if an engine answers.
    pub(in crate::runtime) async fn settle(&self, expected: BTreeSet<String>) {
        *self.expected.lock().unwrap_or_else(PoisonError::into_inner) = expected;
        match tokio::time::timeout(GREETING, self.client()).await {
            Ok(Ok(_)) => {}
            Ok(Err(trouble)) => tracing::debug!(host = self.settings.host, %trouble, "no container engine yet"),
            Err(_) => tracing::debug!(host = self.settings.host, "no container engine yet: it does not answer"),
        }
    }

    /// Removes whatever containers there are of a copy that was never started by this daemon.
    pub(in crate::runtime) async fn forget(&self, uid: &str) {
        let Some(client) = self.used().await else { return };
        if let Err(trouble) = sweep::remove_of(&client, &self.labels, uid).await {
            tracing::warn!(instance.uid = uid, %trouble, "containers of the instance may be left");
        }
    }

    /// Lets go of what the next daemon takes over.
    pub(in crate::runtime) fn leave(&self) {
        self.leaving.cancel();
    }

    /// A copy is to run in a container; what that needs stays until [`copy_ends`](Self::copy_ends).
    pub(super) fn copy_begins(&self) {
        self.copies.fetch_add(1, Ordering::Relaxed);
    }

    /// A copy has ended. Says whether it was the last one.
    pub(super) fn copy_ends(&self) -> bool {
        self.copies.fetch_sub(1, Ordering::Relaxed) == 1
    }

    /// Removes the networks that nothing is on, unless a copy is to run meanwhile.
    pub(super) async fn tidy(&self) {
        let Some(client) = self.used().await else { return };
        let _none_is_made = self.making.lock().await;
        if self.copies.load(Ordering::Relaxed) == 0 {
            super::network::remove_unused(&client, &self.labels).await;
        }
    }

    /// Removes what nothing uses any more once everything has been stopped.
    pub(in crate::runtime) async fn close(&self) {
        if let Some(client) = self.used().await {
            super::network::remove_unused(&client, &self.labels).await;
        }
    }

    /// What a copy shows of a trouble that came up in a step.
    pub(super) fn failure(&self, trouble: Trouble, step: &'static str) -> Failure {
        match trouble {
            Trouble::Away { reason, hint } => Failure::EngineUnavailable {
                host: self.settings.host.clone(),
                reason,
                hint: hint.unwrap_or(START_IT).to_owned(),
            },
            Trouble::Refused { message, .. } => Failure::ContainerRefused {
                step,
                hint: hint_of(&message).map(str::to_owned),
                reason: message,
                last_lines: vec![],
            },
        }
    }
}

const START_IT: &str = "start the engine, or say where it is with --docker-host";

/// What to do about a refusal.
fn hint_of(message: &str) -> Option<&'static str> {
    let says = |words: &[&str]| words.iter().any(|word| message.contains(word));
    if says(&[
        "executable file not found",
        "no such file or directory: unknown",
        "exec format error",
    ]) {
        Some("the program must be in the image, and made for this machine")
    } else if says(&["bind source path does not exist"]) {
        Some("the path of a volume must exist on the engine's machine")
    } else if says(&["No command specified"]) {
        Some("the image has no entry point: give image.command or image.args")
    } else if says(&["Minimum memory limit"]) {
        Some("raise spec.resources.memory")
    } else {
        None
    }
}

/// What went wrong with the engine.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum Trouble {
    /// It does not answer.
    #[error("{reason}")]
    Away {
        /// Why, in a clause.
        reason: String,
        /// What to do about it, when it is not simply to be started.
        hint: Option<&'static str>,
    },
    /// It answers, and refuses.
    #[error("{message}")]
    Refused {
        /// The HTTP status; 0 when the refusal came in the midst of an answer.
        status: u16,
        /// In the engine's words.
        message: String,
    },
}

impl Trouble {
    pub(super) fn away(reason: &str) -> Self {
        Self::Away {
            reason: reason.to_owned(),
            hint: None,
        }
    }

    pub(super) fn is_missing(&self) -> bool {
        matches!(self, Self::Refused { status: 404, .. })
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        match error {
            Error::DockerResponseServerError { status_code, message } => Self::Refused {
                status: status_code,
                message: first_line(&message),
            },
            Error::DockerStreamError { error } => Self::Refused {
                status: 0,
                message: first_line(&error),
            },
            Error::SocketNotFoundError(path) => Self::away(&format!("there is no socket {path}")),
            Error::UnsupportedURISchemeError { .. } => Self::Away {
                reason: "its address is of a kind that is not supported".to_owned(),
                hint: Some("--docker-host takes unix:///path/to/docker.sock or tcp://127.0.0.1:2375"),
            },
            Error::RequestTimeoutError => Self::away("it does not answer in time"),
            other => Self::Away {
                reason: deepest(&other),
                hint: is_denied(&other)
                    .then_some("the daemon's user may not use the socket: add it to the socket's group"),
            },
        }
    }
}

/// The cause that everything else only repeats.
fn deepest(error: &Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

fn is_denied(error: &Error) -> bool {
    let mut cause = error.source();
    while let Some(source) = cause {
        if source
            .downcast_ref::<io::Error>()
            .is_some_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
        {
            return true;
        }
        cause = source.source();
    }
    false
}

fn first_line(text: &str) -> String {
    text.trim().lines().next().unwrap_or_default().to_owned()
}
